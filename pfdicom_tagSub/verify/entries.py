"""What pydicom read, and where in the bytes each element lies."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Literal, cast

from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import data_element_generator
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.sources import BytesSource, Source, is_zeros

UNDEFINED = 0xFFFFFFFF
REST = -1
"""The tag of bytes that pydicom did not take for elements, such as those after the last one."""


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


def data_set_of(content: Dataset, source: Source, base: int, start: int, end: int) -> DataSet:
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


def entry_of(stored: Any, source: Source) -> Entry:
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
    is_short = any(here == tag_bytes(tag, order) for order in orders)
    start = value - (8 if is_short else 12)
    return Entry(int(tag), start, value, start, stored)


def tag_bytes(tag: int, order: str) -> bytes:
    """A tag as a file has it whose byte order is ``"little"`` or ``"big"``."""
    two = "big" if order == "big" else "little"
    return (tag >> 16).to_bytes(2, two) + (tag & 0xFFFF).to_bytes(2, two)  # type: ignore[arg-type]


def completed(found: list[Entry], data: DataSet) -> list[Entry]:
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
                raise FileError(f"{_doubt_of(raw)}the lengths of its elements do not add up")
            if end < following:
                entry.end = end
                entries += _passed_over(end, following, raw, data.source)
        elif type(raw) is not RawDataElement and not entry.is_parsed:
            end = _end_of_decoded(entry, data)
            if end < following and is_zeros(data.source, end, following):
                entry.end = end
                entries.append(Entry(REST, end, end, following, None))
    if not found and data.start < data.end:
        entries.append(Entry(REST, data.start, data.start, data.end, None))
    return entries


def _doubt_of(raw: RawDataElement) -> str:
    """Where the lengths may go wrong: pydicom reads a VR that it does not know as none."""
    if raw.VR or raw.is_implicit_VR:
        return ""
    return f"{dictionary.text_of(raw.tag)} has a VR that the standard does not know, so that for pydicom "


def _end_of_decoded(entry: Entry, data: DataSet) -> int:
    """Where an element ends by its length that pydicom decoded at once, as it does the character set."""
    head = data.source.read(entry.start, entry.value)
    order: Literal["little", "big"] = "little" if data.little else "big"
    size = 2 if head[4:6] == entry.vr.encode() else 4  # PS3.5 7.1.2 and 7.1.3
    return entry.value + int.from_bytes(head[-size:], order) if len(head) == 8 else entry.end


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
