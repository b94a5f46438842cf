"""A file as pydicom's own reader sees it, and where in the file each element lies.

Nothing here uses the scanner, so that a fault of it is found. pydicom decodes no value: what is compared
are stretches of bytes, the borders of which it tells.
"""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pydicom
from pydicom import datadict, uid
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import data_element_generator, read_dataset, read_partial
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR
from pydicom.values import convert_SQ

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit, inflate
from ..dicom.sources import BytesSource, FileSource, Source, is_zeros

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WHOLE = 4 << 20
"""Files up to this many bytes are read into memory."""

DEFERRED = 1 << 12
"""Values longer than this are not read by pydicom but compared where they lie."""

HEAD = 132  # preamble and prefix (PS3.10 7.1)
UNDEFINED = 0xFFFFFFFF
REST = -1
"""The tag of bytes that pydicom did not take for elements, such as those after the last one."""

_ITEM_TAGS = {
    True: (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"),
    False: (b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd"),
}
_OPAQUE = frozenset({"", "UN", "OB"})
"""VRs, or none, under which items may be stored."""

VRS = frozenset(str(one) for one in VR if len(one) == 2)
DEFLATED = (
    str(uid.DeflatedExplicitVRLittleEndian),
    "1.2.840.10008.1.2.4.95",
    "1.2.840.10008.1.2.4.205",
)
"""Transfer syntaxes whose data set is deflated (PS3.5 A.5, A.6, A.9)."""

MOST_META = 1 << 14
"""Among so many bytes a file meta names its transfer syntax."""


@dataclass(slots=True)
class Entry:
    """An element, or a rest of bytes, in the bytes of its data set.

    Attributes:
        tag: its tag, or ``REST``.
        start: where it begins, its tag included.
        value: where its value begins.
        end: where it ends and the next one begins.
        stored: what pydicom read; None for a rest.
        own: its bytes, where pydicom read it by itself, and places in it are told from its beginning.
    """

    tag: int
    start: int
    value: int
    end: int
    stored: Any
    own: BytesSource | None = None

    @property
    def vr(self) -> str:
        """Its VR as pydicom read it, "" where none is stored."""
        return "" if self.stored is None else self.stored.VR or ""

    @property
    def is_open(self) -> bool:
        """Whether a delimiter ends it, as its length is not stored."""
        return getattr(self.stored, "length", 0) == UNDEFINED or self.is_parsed

    @property
    def is_parsed(self) -> bool:
        """Whether pydicom had to enter it, as the length of the sequence is not stored."""
        return not isinstance(self.stored, RawDataElement) and self.vr == "SQ"

    @property
    def value_end(self) -> int:
        """Where its value ends, but for those of undefined length."""
        raw = self.stored
        return (
            self.value + raw.length
            if isinstance(raw, RawDataElement) and raw.length != UNDEFINED
            else self.end
        )


@dataclass(slots=True)
class DataSet:
    """A data set and its bytes.

    Attributes:
        little: whether it is little endian.
        encodings: the Python encodings of its text.
        source: the bytes that its entries lie in.
        base: where these begin in those of the data set around it.
        entries: its elements in the order of the bytes.
        start: where it begins.
        end: where it ends.
        readings: what was read of its sequences, by where they begin.
        needed: its private creators that have to stay, and where each begins; None before anybody asked.
    """

    little: bool
    encodings: tuple[str, ...]
    source: Source
    base: int
    entries: Sequence[Entry]
    start: int
    end: int
    readings: dict[int, list[list[SequenceItem]] | FileError] = field(default_factory=dict)
    needed: dict[int, int] | None = None

    def with_tag(self, tag: int) -> list[Entry]:
        """Its elements with a tag: more than one where it occurs again."""
        return [entry for entry in self.entries if entry.tag == tag]


def encodings_of(content: Dataset) -> tuple[str, ...]:
    """The Python encodings of the text of what pydicom read."""
    found = content.original_character_set or default_encoding
    return (found,) if isinstance(found, str) else tuple(found)


def _data_set_of(content: Dataset, source: Source, base: int, start: int, end: int) -> DataSet:
    """What pydicom read, yet without its entries."""
    little = content.original_encoding[1] is not False
    return DataSet(little, encodings_of(content), source, base, [], start, end)


@dataclass(slots=True)
class SequenceItem:
    """An item of a sequence: where its tag begins, and its data set."""

    start: int
    data: DataSet
    is_defined: bool


@dataclass(slots=True)
class PydicomReading:
    """A file, read.

    Attributes:
        source: the bytes of the file.
        preamble: its preamble; b"" where it has none.
        meta: the file meta.
        data: the data set.
        is_deflated: whether it is stored deflated, so that its bytes are others than the file's.
    """

    source: Source
    preamble: bytes
    meta: DataSet
    data: DataSet
    is_deflated: bool


class _Raw(io.RawIOBase):
    """An open file from its beginning, whoever else reads it."""

    name = ""  # pydicom asks for it, and need not know

    def __init__(self, descriptor: int, size: int) -> None:
        super().__init__()
        self.descriptor = descriptor
        self.size = size
        self.place = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self.place, os.SEEK_END: self.size}[whence]
        self.place = max(0, origin + offset)
        return self.place

    def tell(self) -> int:
        """The place."""
        return self.place

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read where the place is."""
        view = memoryview(buffer).cast("B")
        count = os.preadv(self.descriptor, [view], self.place)
        self.place += count
        return count


def in_memory(source: Source) -> Source:
    """A file in memory, if it is no large one."""
    if isinstance(source, FileSource) and source.size <= WHOLE:
        return BytesSource(source.read(0, source.size))
    return source


def read_again(source: Source, limit: InflateLimit = DEFAULT_LIMIT) -> PydicomReading:
    """Read a file with pydicom.

    Args:
        source: its bytes.
        limit: how large its data set may become if it is deflated.

    Raises:
        FileError: pydicom cannot read it, or its lengths do not add up. The text quotes no value.
    """
    source = in_memory(source)
    try:
        with warnings.catch_warnings(action="ignore"):  # they may quote values
            return _read(source, limit)
    except (FileError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno:
            raise  # the system's; pydicom raises its own without a number
        raise FileError(f"pydicom cannot read it: {type(error).__name__}") from None


def _read(source: Source, limit: InflateLimit) -> PydicomReading:
    inflated = _inflated(source, limit)
    if inflated is not None:
        return inflated
    # Zeros after the last element would be millions of elements to pydicom.
    stop_when = _is_padding if is_zeros(source, max(0, source.size - 8), source.size) else None
    content = read_partial(_open(source), stop_when, defer_size=DEFERRED, force=True)
    preamble = content.preamble or b""
    meta_start = HEAD if preamble else 0
    meta = [_entry_of(stored, source) for stored in content.file_meta.values()]
    if not content and meta:
        content = _up_to_its_end(
            source, content, max(_defined_end(entry, source) for entry in meta), stop_when
        )
    found = [_entry_of(stored, source) for stored in content.values()]
    found.sort(key=lambda entry: entry.start)
    # Not where the first element that pydicom kept begins: of those with one tag it keeps the last.
    meta_stop = max((_defined_end(entry, source) for entry in meta), default=0)
    if not meta:
        meta_stop = found[0].start if found else source.size
    return _reading(source, preamble, content, meta, found, (meta_start, meta_stop), source)


def _up_to_its_end(
    source: Source,
    content: pydicom.FileDataset,
    start: int,
    stop_when: Callable[[int, str | None, int], bool] | None,
) -> pydicom.FileDataset:
    """The elements of a data set whose last value has no end: pydicom drops all of them."""
    implicit, little = content.original_encoding
    if implicit is None or little is None:
        return content
    fp = _open(source)
    fp.seek(start)
    raws = {}
    try:
        for raw in data_element_generator(fp, implicit, little, stop_when, defer_size=DEFERRED):
            raws[raw.tag] = raw
    except EOFError:
        pass
    found = pydicom.FileDataset(
        "",
        Dataset(raws),
        preamble=content.preamble,
        file_meta=content.file_meta,
        is_implicit_VR=implicit,
        is_little_endian=little,
    )
    return _with_encoding(found, implicit=implicit, little=little)


def _with_encoding(content: pydicom.FileDataset, *, implicit: bool, little: bool) -> pydicom.FileDataset:
    """A data set that was made of its elements, with the character set that they are read in."""
    stored = content.get("SpecificCharacterSet")
    encodings = convert_encodings(stored) if stored else default_encoding
    content.set_original_encoding(implicit, little, encodings)
    return content


def _inflated(source: Source, limit: InflateLimit) -> PydicomReading | None:
    """A file whose data set is stored deflated; None for all others.

    pydicom would inflate it in memory, whatever its size, and knows only one of these syntaxes.
    """
    head = source.read(0, min(source.size, MOST_META))
    if not any(syntax.encode() in head for syntax in DEFLATED):
        return None
    meta_start = HEAD if head[HEAD - 4 : HEAD] == b"DICM" else 0
    fp = _open(source)
    fp.seek(meta_start)
    file_meta = read_dataset(fp, False, True, stop_when=_is_after_meta)
    syntax = str(file_meta.get("TransferSyntaxUID", ""))
    if syntax not in DEFLATED:
        return None
    meta = [_entry_of(stored, source) for stored in file_meta.values()]
    meta_stop = max((_defined_end(entry, source) for entry in meta), default=meta_start)
    plain = inflate(source, meta_stop, limit)
    raws = {raw.tag: raw for raw in data_element_generator(_open(plain), False, True, defer_size=DEFERRED)}
    content = pydicom.FileDataset(
        "", Dataset(raws), file_meta=FileMetaDataset(file_meta), is_implicit_VR=False, is_little_endian=True
    )
    content = _with_encoding(content, implicit=False, little=True)
    found = [_entry_of(stored, plain) for stored in content.values()]
    found.sort(key=lambda entry: entry.start)
    preamble = head[: HEAD - 4] if meta_start else b""
    return _reading(source, preamble, content, meta, found, (meta_start, meta_stop), plain)


def _reading(
    source: Source,
    preamble: bytes,
    content: pydicom.FileDataset,
    meta: list[Entry],
    found: list[Entry],
    around_meta: tuple[int, int],
    data_source: Source,
) -> PydicomReading:
    is_deflated = data_source is not source
    data = _data_set_of(content, data_source, 0, 0 if is_deflated else around_meta[1], data_source.size)
    data.entries = _whole(found, data)
    metas = _data_set_of(content.file_meta, source, 0, *around_meta)
    metas.entries = _whole(sorted(meta, key=lambda entry: entry.start), metas)
    return PydicomReading(source, preamble, metas, data, is_deflated)


def _is_after_meta(tag: int, vr: str | None, length: int) -> bool:  # noqa: ARG001  (as pydicom calls it)
    return tag >> 16 != 0x0002


def _is_padding(tag: int, vr: str | None, length: int) -> bool:  # noqa: ARG001  (as pydicom calls it)
    return tag == 0 and length == 0


def _open(source: Source) -> BinaryIO:
    if isinstance(source, BytesSource):
        return io.BytesIO(source.data)
    assert isinstance(source, FileSource)
    return cast(BinaryIO, io.BufferedReader(_Raw(source.descriptor, source.size), 1 << 16))


def _entry_of(stored: Any, source: Source) -> Entry:
    """Where an element begins: its header is 8 or 12 bytes long (PS3.5 7.1)."""
    if type(stored) is RawDataElement:
        tag, vr, length, _, value, implicit = stored[:6]
        if length != UNDEFINED:
            head = 12 if not implicit and vr in EXPLICIT_VR_LENGTH_32 else 8
            # An int, as pydicom's tags compare slowly
            return Entry(int(tag), value - head, value, value - head, stored)
        little = stored.is_little_endian
    else:
        tag, value, little = stored.tag, stored.file_tell, True
    # pydicom may have put a VR in the place of none, or of UN.
    here = source.read(value - 8, value - 4) if value >= 8 else b""
    orders = ("little", "big") if not isinstance(stored, RawDataElement) else ("little" if little else "big",)
    is_short = any(here == _tag_bytes(tag, order) for order in orders)
    start = value - (8 if is_short else 12)
    return Entry(int(tag), start, value, start, stored)


def _tag_bytes(tag: int, order: str) -> bytes:
    two = "big" if order == "big" else "little"
    return (tag >> 16).to_bytes(2, two) + (tag & 0xFFFF).to_bytes(2, two)  # type: ignore[arg-type]


def _defined_end(entry: Entry, source: Source) -> int:
    """The end of an element of the file meta, which pydicom may have decoded."""
    if isinstance(entry.stored, RawDataElement):
        return entry.value + entry.stored.length
    size = 4 if entry.value - entry.start == 12 else 2
    return entry.value + int.from_bytes(source.read(entry.value - size, entry.value), "little")


def _whole(found: list[Entry], data: DataSet) -> list[Entry]:
    """The entries with their ends, and with what pydicom passed over between them.

    Of elements with one tag pydicom keeps the last.

    Raises:
        FileError: they overlap, or reach beyond the end.
    """
    entries: list[Entry] = []
    for index, entry in enumerate(found):
        following = found[index + 1].start if index + 1 < len(found) else data.end
        entry.end = following
        entries.append(entry)
        raw = entry.stored
        if type(raw) is RawDataElement and (raw.length != UNDEFINED or raw.value is not None):
            length = raw.length if raw.length != UNDEFINED else len(raw.value or b"") + 8
            end = entry.value + length
            if end > following:
                raise FileError("the lengths of its elements do not add up")
            if end < following:
                entry.end = end
                entries += _passed_over(end, following, raw, data.source)
    if not found and data.start < data.end:
        entries.append(Entry(REST, data.start, data.start, data.end, None))
    return entries


def _passed_over(start: int, stop: int, before: RawDataElement, source: Source) -> Iterator[Entry]:
    """The elements of a stretch that pydicom read and dropped; a rest where it holds none."""
    if is_zeros(source, start, stop):
        yield Entry(REST, start, start, stop, None)
        return
    hidden = source.read(start, stop)
    place = 0
    for raw in _dropped(hidden, before):
        head = 12 if not raw.is_implicit_VR and raw.VR in EXPLICIT_VR_LENGTH_32 else 8
        end = raw.value_tell + raw.length
        if end > len(hidden):
            break
        moved = raw._replace(value_tell=start + raw.value_tell)
        yield Entry(int(raw.tag), start + raw.value_tell - head, start + raw.value_tell, start + end, moved)
        place = end
    if place < len(hidden):
        yield Entry(REST, start + place, start + place, stop, None)


def _dropped(hidden: bytes, before: RawDataElement) -> Iterator[RawDataElement]:
    """The elements of defined length that pydicom finds in bytes, up to the first of another kind."""
    if len(hidden) < 8:
        return
    fp = cast(BinaryIO, io.BytesIO(hidden))
    try:
        for raw in data_element_generator(fp, before.is_implicit_VR, before.is_little_endian):
            if type(raw) is not RawDataElement or raw.length == UNDEFINED or raw.tag >> 16 == 0xFFFE:
                return
            yield raw
    except EOFError:
        return  # fragments without their delimiter: pydicom drops the element


def raw_value(entry: Entry, data: DataSet) -> bytes:
    """The bytes of the value of an element."""
    raw = entry.stored
    if type(raw) is RawDataElement and raw.value is not None:
        return bytes(raw.value)
    return data.source.read(entry.value, entry.value_end)


def is_sequence(entry: Entry, data: DataSet) -> bool:
    """Whether an element of a data set is a sequence, or looks like one."""
    return entry.vr == "SQ" or is_sequence_at(entry, data.source)


def is_sequence_at(entry: Entry, source: Source) -> bool:
    """Whether an element is a sequence, or looks like one where its VR does not say what it is.

    A public sequence may be stored as UN, or as OB by mistake; what the dictionary knows as a sequence and
    does not begin with an item is a plain value.
    """
    vr = entry.vr
    if vr == "SQ":
        return True
    if vr not in _OPAQUE or entry.stored is None or entry.is_parsed or entry.tag in dictionary.PIXEL_DATA:
        return False
    known = dictionary_vr(entry.tag)
    if known and known != "SQ":
        return False
    if entry.end == entry.value:
        return known == "SQ"
    begins = source.read(entry.value, min(entry.value + 4, entry.end))
    return any(begins in _ITEM_TAGS[little] for little in (True, False)) and entry.end - entry.value >= 8


def dictionary_vr(tag: int) -> str:
    """The VR that the dictionary gives a public element; "" for others."""
    try:
        return datadict.dictionary_VR(tag)
    except KeyError:
        return dictionary.OWN[tag][0] if tag in dictionary.OWN else ""


def items_of(entry: Entry, data: DataSet) -> list[SequenceItem]:
    """The items of a sequence, as the first way to read them has it.

    Raises:
        FileError: pydicom cannot read it, or its lengths do not add up.
    """
    found = readings_of(entry, data)
    if isinstance(found, FileError):
        raise found
    return found[0]


def readings_of(entry: Entry, data: DataSet) -> list[list[SequenceItem]] | FileError:
    """Each way to read a sequence: what is stored as UN or OB may hold items in any encoding (PS3.5 6.2.2).

    Returns:
        The items, for each encoding in which they make sense; what is wrong where there is none.
    """
    if entry.start not in data.readings:
        data.readings[entry.start] = _readings_of(entry, data)
    return data.readings[entry.start]


def _readings_of(entry: Entry, data: DataSet) -> list[list[SequenceItem]] | FileError:
    ways = [(True, True)] if entry.is_parsed else _ways(entry, data)
    found: list[list[SequenceItem]] = []
    problem: FileError | None = None
    for implicit, little in ways:
        try:
            with warnings.catch_warnings(action="ignore"):
                items = _items(entry, data, implicit=implicit, little=little)
        except MemoryError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno:
                raise
            text = f"pydicom cannot read a sequence of it: {type(error).__name__}"
            problem = problem or (error if isinstance(error, FileError) else FileError(text))
            continue
        if len(ways) == 1 or _makes_sense(items, implicit=implicit):
            found.append(items)
            if not any(item.data.entries for item in items):
                break  # without elements there is but one way
    return found or problem or FileError("a sequence of it makes no sense to pydicom")


def _ways(entry: Entry, data: DataSet) -> list[tuple[bool, bool]]:
    """The encodings, (implicit, little), that the items of a sequence may have, the likeliest first."""
    raw = entry.stored
    if raw.VR == "SQ":
        return [(raw.is_implicit_VR, raw.is_little_endian)]
    begins = data.source.read(entry.value, min(entry.value + 4, entry.end))
    little = begins not in _ITEM_TAGS[False]
    # UN holds implicit VR little endian, whatever is around it (PS3.5 6.2.2).
    first = raw.VR == "UN" or raw.is_implicit_VR
    return [(first, little), (not first, little)]


def _makes_sense(items: list[SequenceItem], *, implicit: bool) -> bool:
    """Whether items are read as they are encoded: with VRs, or in the order of their tags."""
    entries = [entry for item in items for entry in item.data.entries]
    if any(entry.tag == REST for entry in entries):
        return False
    if not implicit:
        return all(entry.vr in VRS for entry in entries)
    return all(
        one.tag < other.tag
        for item in items
        for one, other in zip(item.data.entries, item.data.entries[1:], strict=False)
    )


def _items(entry: Entry, data: DataSet, *, implicit: bool, little: bool) -> list[SequenceItem]:
    if entry.is_parsed:
        contents, source, base = entry.stored.value, entry.own or data.source, entry.start if entry.own else 0
        stop = entry.end - 8 - base
        order = "little" if data.little else "big"
    else:
        order = "little" if little else "big"
        whole = raw_value(entry, data)
        value = whole[: _end_of_items(whole, order)]
        contents = convert_SQ(value, implicit, little, list(data.encodings))
        source, base, stop = BytesSource(value), entry.value, len(value)
    sign = _ITEM_TAGS[order == "little"][0]
    contents = list(
        takewhile(lambda one: source.read(one.seq_item_tell, one.seq_item_tell + 4) == sign, contents)
    )
    starts = [content.seq_item_tell for content in contents]
    items: list[SequenceItem] = []
    for index, content in enumerate(contents):
        start = starts[index]
        is_last = index + 1 == len(starts)
        following = stop if is_last else starts[index + 1]
        is_defined = not content.is_undefined_length_sequence_item
        if is_defined:
            end = start + 8 + int.from_bytes(source.read(start + 4, start + 8), order)  # type: ignore[arg-type]
            if end != following:
                raise FileError("the lengths of its items do not add up")
        else:
            closes = source.read(following - 8, following - 4) == _tag_bytes(0xFFFEE00D, order)
            end = following - 8 if closes else following
        made = _data_set_of(content, source, base, start + 8, end)
        found = [_entry_of(stored, source) for stored in content.values()]
        made.entries = _whole(sorted(found, key=lambda one: one.start), made)
        items.append(SequenceItem(start, made, is_defined))
    if not items and not entry.is_parsed and stop:
        raise FileError("the lengths of its items do not add up")
    return items


def _end_of_items(value: bytes, order: str) -> int:
    """Where the items of a sequence end: readers pass over delimiters and NULs that follow them."""
    item = _tag_bytes(0xFFFEE000, order)
    closing = _tag_bytes(0xFFFEE0DD, order) + bytes(4)
    place = 0
    while value.startswith(item, place):
        length = int.from_bytes(value[place + 4 : place + 8], order)  # type: ignore[arg-type]
        if length == UNDEFINED:
            place = len(value)
            while value.endswith(closing, 0, place):
                place -= len(closing)
            return place
        place += 8 + length
    return place if not value[place:].replace(closing, b"").strip(b"\0") else len(value)
