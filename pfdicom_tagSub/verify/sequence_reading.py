"""The items of a sequence as pydicom reads them, in each encoding in which they make sense."""

from __future__ import annotations

import warnings
from itertools import takewhile

from pydicom import datadict
from pydicom.dataelem import RawDataElement
from pydicom.valuerep import VR
from pydicom.values import convert_SQ

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.elements import OTHER_VRS
from ..dicom.sources import BytesSource, Source
from .entries import (
    REST,
    UNDEFINED,
    DataSet,
    Entry,
    SequenceItem,
    completed,
    data_set_of,
    entry_of,
    tag_bytes,
)

_ITEM_TAGS = {
    True: (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"),
    False: (b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd"),
}

_OPAQUE = frozenset({"", "UN"}) | OTHER_VRS
"""VRs, or none, under which items may be stored."""

VRS_OF_ITEMS = _OPAQUE | {"SQ"}

VRS = frozenset(str(one) for one in VR if len(one) == 2)


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

    A public sequence may be stored as UN, or as OB or OW by mistake; what the dictionary knows as a sequence
    and does not begin with an item is a plain value.
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
    unordered: list[list[SequenceItem]] = []
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
        elif implicit and _is_known(items):
            unordered.append(items)
    # Writers that do not sort elements are told from bytes that make no sense by the tags that they use.
    return found or unordered or problem or FileError("a sequence of it makes no sense to pydicom")


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
        # pydicom passes to implicit VR where it finds no VR; what it had to enter has one in 12 bytes alone.
        return all(
            entry.vr in VRS and (not entry.is_parsed or entry.value - entry.start == 12) for entry in entries
        )
    return all(
        one.tag < other.tag
        for item in items
        for one, other in zip(item.data.entries, item.data.entries[1:], strict=False)
    )


def _is_known(items: list[SequenceItem]) -> bool:
    """Whether items hold whole elements alone, and public ones that a dictionary knows, each once."""
    for item in items:
        tags = [entry.tag for entry in item.data.entries]
        if REST in tags or len(set(tags)) < len(tags):
            return False
        if not all(tag >> 16 & 1 or tag & 0xFFFF == 0 or dictionary_vr(tag) for tag in tags):
            return False
    return True


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
    delimiter, closing = (tag_bytes(tag, order) + bytes(4) for tag in (0xFFFEE00D, 0xFFFEE0DD))
    tells = {one.seq_item_tell: source.read(one.seq_item_tell, one.seq_item_tell + 8) for one in contents}
    # What an item of defined length is closed with as well is an item without elements to pydicom.
    contents = [one for one in contents if tells[one.seq_item_tell] != delimiter]
    contents = list(takewhile(lambda one: tells[one.seq_item_tell].startswith(sign), contents))
    starts = [content.seq_item_tell for content in contents]
    items: list[SequenceItem] = []
    for index, content in enumerate(contents):
        start = starts[index]
        is_last = index + 1 == len(starts)
        following = stop if is_last else starts[index + 1]
        is_defined = not content.is_undefined_length_sequence_item
        if is_defined:
            end = start + 8 + int.from_bytes(source.read(start + 4, start + 8), order)  # type: ignore[arg-type]
            behind = source.read(end, following) if end < following else b""
            if end > following or behind.replace(delimiter, b"").replace(closing, b""):
                raise FileError("the lengths of its items do not add up")
        else:
            while source.read(following - 8, following) == closing:
                following -= 8
            closes = source.read(following - 8, following - 4) == tag_bytes(0xFFFEE00D, order)
            end = following - 8 if closes else following
        made = data_set_of(content, source, base, start + 8, end)
        found = [entry_of(stored, source) for stored in content.values()]
        made.entries = completed(sorted(found, key=lambda one: one.start), made)
        items.append(SequenceItem(start, made, is_defined))
    if not items and not entry.is_parsed and stop:
        raise FileError("the lengths of its items do not add up")
    return items


def _end_of_items(value: bytes, order: str) -> int:
    """Where the items of a sequence end: readers pass over delimiters and NULs that follow them."""
    item, item_end = tag_bytes(0xFFFEE000, order), tag_bytes(0xFFFEE00D, order) + bytes(4)
    closing = tag_bytes(0xFFFEE0DD, order) + bytes(4)
    place = 0
    while value.startswith(item, place):
        length = int.from_bytes(value[place + 4 : place + 8], order)  # type: ignore[arg-type]
        if length == UNDEFINED:
            return len(value)
        place += 8 + length
        while value.startswith(item_end, place):
            place += len(item_end)
    return place if not value[place:].replace(closing, b"").strip(b"\0") else len(value)
