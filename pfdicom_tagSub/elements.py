"""Where every element, sequence and item of a data set lies in the bytes (PS3.5 7).

The scan decodes no value. It keeps the elements that it was asked for, steps over all
others, and does not enter a sequence whose bytes hold none of the tags asked for.
Everything that it cannot place with certainty is an error: a file that is not fully
understood must not be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from struct import Struct

from . import dictionary
from .models import FileError
from .sources import Source
from .wanted import Wanted, swapped

UNDEFINED = 0xFFFFFFFF
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
MAX_DEPTH = 64

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs with a 16-bit length in explicit VR (PS3.5 7.1.2)."""

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs with two reserved bytes and a 32-bit length."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a data set is encoded.

    Attributes:
        implicit: the VRs are left out.
        little: the byte order is little endian.
    """

    implicit: bool
    little: bool


IMPLICIT_LITTLE = Encoding(implicit=True, little=True)
EXPLICIT_LITTLE = Encoding(implicit=False, little=True)
EXPLICIT_BIG = Encoding(implicit=False, little=False)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The bytes of one data set.

    Attributes:
        source: where they are.
        start: where the data set begins.
        stop: where it ends.
        encoding: how it is encoded.
    """

    source: Source
    start: int
    stop: int
    encoding: Encoding


@dataclass(slots=True)
class Item:
    """One item of a sequence.

    Attributes:
        start: where its tag begins; its length field is at ``start + 4``.
        value: where its data set begins.
        stop: where its data set ends.
        end: where the item ends, its delimiter included.
        defined: whether its length is stored.
        encoding: how its data set is encoded.
        elements: what was asked for, in order.
    """

    start: int
    value: int
    stop: int
    end: int
    defined: bool
    encoding: Encoding
    elements: list[Element]


@dataclass(slots=True)
class Element:
    """One element.

    Attributes:
        tag: 0xggggeeee.
        vr: its VR as stored; where the VR is left out, what the dictionary says, and
            "SQ" for whatever proves to be a sequence; "" if unknown.
        start: where its tag begins.
        value: where its value begins; a stored length ends there.
        stop: where its value ends.
        end: where the element ends, its delimiter included.
        defined: whether its length is stored.
        items: the items that were entered; None for what is no sequence or was not entered.
    """

    tag: int
    vr: str
    start: int
    value: int
    stop: int
    end: int
    defined: bool = True
    items: list[Item] | None = None


@dataclass(frozen=True, slots=True)
class _Reader:
    """The readers of one byte order.

    Attributes:
        explicit: tag, VR, 16-bit length.
        implicit: tag, 32-bit length, the four bytes after them.
        header: tag, 32-bit length.
        length: a 32-bit length.
        element_mask: the bits of a tag as read that are the element number.
        odd_mask: the bit of a tag as read that makes a group odd.
    """

    explicit: Struct
    implicit: Struct
    header: Struct
    length: Struct
    element_mask: int
    odd_mask: int
    item: int


_READERS = {
    True: _Reader(
        Struct("<I2sH"), Struct("<III"), Struct("<II"), Struct("<I"), 0xFFFF0000, 0x1, swapped(ITEM)
    ),
    False: _Reader(Struct(">I2sH"), Struct(">III"), Struct(">II"), Struct(">I"), 0xFFFF, 0x10000, ITEM),
}


def scan(data_set: Stretch, wanted: Wanted) -> list[Element]:
    """Find elements in a data set and, where needed, in its sequences.

    Args:
        data_set: the bytes.
        wanted: what to keep.

    Returns:
        The elements to keep, the group lengths, and the sequences that hold any of
        these, in the order of the file.

    Raises:
        FileError: the bytes do not make a data set.
    """
    scanner = _Scanner(data_set.source, wanted)
    return scanner.data_set(data_set.start, data_set.stop, data_set.encoding, delimited=False, depth=0)[0]


def scan_group(source: Source, start: int, stop: int, group: int) -> tuple[list[Element], int]:
    """Every element of the group that the bytes begin with, explicit VR little endian.

    Args:
        source: the bytes.
        start: where the group begins.
        stop: where the bytes end.
        group: the group, e.g. 0x0002 for the file meta (PS3.10 7.1).

    Returns:
        Its elements and where it ends.
    """
    scanner = _Scanner(source, Wanted((), everything=True))
    elements: list[Element] = []
    position = start
    while position + 8 <= stop:
        buffer, base = source.window(position, 12)
        if int.from_bytes(buffer[position - base : position - base + 2], "little") != group:
            break
        element, position = scanner.element(position, stop, EXPLICIT_LITTLE, 0)
        if element is not None:
            elements.append(element)
    return elements, position


def found_encoding(source: Source, position: int, stop: int, assumed: Encoding) -> Encoding:
    """The encoding that the first element of a top-level data set shows.

    Some writers contradict their transfer syntax; pydicom believes the element, as a VR
    is two capital letters and a length as large as they make would be absurd.
    """
    buffer, base = source.window(position, 8)
    vr = buffer[position - base + 4 : position - base + 6]
    if stop - position < 8 or not assumed.little:
        return assumed
    return EXPLICIT_LITTLE if vr.isalpha() and vr.isupper() else IMPLICIT_LITTLE


class _Scanner:
    """One scan over one source."""

    def __init__(self, source: Source, wanted: Wanted) -> None:
        self.source = source
        self.wanted = wanted

    def data_set(
        self, position: int, end: int, encoding: Encoding, *, delimited: bool, depth: int
    ) -> tuple[list[Element], int]:
        """The elements of one data set.

        Args:
            position: where it begins.
            end: where it ends, or must have ended if it is delimited.
            encoding: how it is encoded.
            delimited: whether an item delimiter ends it.
            depth: how many sequences it is in.

        Returns:
            The elements kept, and where the data set ends (before the delimiter).
        """
        if depth > MAX_DEPTH:
            raise FileError(f"sequences are nested deeper than {MAX_DEPTH} at byte {position}")
        kept: list[Element] = []
        keep = kept.append
        reader = _READERS[encoding.little]
        table = self.wanted.tables[encoding.little]
        element_mask = reader.element_mask
        odd_mask = reader.odd_mask if self.wanted.private else 0
        window = self.source.window
        implicit = encoding.implicit
        little = encoding.little
        short_vrs = SHORT_VRS
        explicit_header = reader.explicit.unpack_from
        implicit_header = reader.implicit.unpack_from
        item = reader.item
        while True:
            if position >= end:
                if position > end or delimited:
                    raise FileError(f"the data set that should end at byte {end} does not end there")
                return kept, position
            if end - position < 8 and depth == 0 and not any(self.source.read(position, end)):
                return kept, position  # padding after the last element
            buffer, base = window(position, 12)
            place = position - base
            last = min(end - base, len(buffer))
            if implicit:
                last -= 12
                while place <= last:
                    raw, length, first = implicit_header(buffer, place)
                    if length == UNDEFINED or first == item:
                        break
                    if raw in table or not raw & element_mask or raw & odd_mask:
                        tag = swapped(raw)
                        vr = dictionary.vr_of(tag)
                        if vr == "SQ":
                            break
                        value = base + place + 8
                        keep(Element(tag, vr, value - 8, value, value + length, value + length))
                    place += 8 + length
            else:
                last -= 8
                while place <= last:
                    raw, code, length = explicit_header(buffer, place)
                    if code not in short_vrs:
                        break
                    if raw in table or not raw & element_mask or raw & odd_mask:
                        tag = swapped(raw) if little else raw
                        value = base + place + 8
                        keep(Element(tag, code.decode(), value - 8, value, value + length, value + length))
                    place += 8 + length
            position = base + place
            if position >= end or (place > len(buffer) - 12 and base + len(buffer) < end):
                continue
            if delimited and self.tag_at(position, end, little) == ITEM_END:
                return kept, position
            element, position = self.element(position, end, encoding, depth)
            if element is not None:
                keep(element)

    def tag_at(self, position: int, end: int, little: bool) -> int:
        if end - position < 8:
            raise FileError(f"the bytes from {position} to {end} are no element")
        buffer, base = self.source.window(position, 8)
        raw: int = _READERS[little].length.unpack_from(buffer, position - base)[0]
        return swapped(raw) if little else raw

    def element(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[Element | None, int]:
        """One element of any kind.

        Args:
            position: where it begins.
            end: where the data set around it must have ended.
            encoding: how the data set is encoded.
            depth: how many sequences it is in.

        Returns:
            The element, None if it is not kept; and where it ends.
        """
        tag = self.tag_at(position, end, encoding.little)
        if tag >> 16 == 0xFFFE:
            raise FileError(f"a stray {dictionary.text_of(tag)} at byte {position}")
        vr, length, value = self._header(position, end, tag, encoding)
        # UN holds implicit VR little endian, whatever is around it (PS3.5 6.2.2).
        inner = IMPLICIT_LITTLE if vr == "UN" else encoding
        known = dictionary.vr_of(tag) if vr in {"", "UN"} else vr
        if length != UNDEFINED and length > end - value:
            raise FileError(
                f"{dictionary.text_of(tag)} at byte {position} claims {length} bytes, "
                f"but {end - value} are left"
            )
        wanted = self.wanted
        hit = self._is_hit(tag, encoding)
        element = Element(tag, known, position, value, value + length, value + length)
        if length == UNDEFINED:
            element.defined = False
            if (
                known == "SQ"
                or vr == "UN"
                or (vr == "" and self._begins_item(value, end, inner) and not known)
            ):
                element.vr = "SQ"
                element.items, element.stop = self.items(value, end, inner, defined=False, depth=depth + 1)
            else:
                element.stop = self._fragments(value, end, encoding)
            element.end = element.stop + 8
        elif (
            (known == "SQ" or (known in {"", "UN"} and self._begins_item(value, element.stop, inner)))
            and (not hit or wanted.everything)
            and wanted.occurs_in(self.source, value, element.stop, little=inner.little)
        ):
            element.items = self._defined_items(element, inner, certain=known == "SQ", depth=depth)
        has_kept = element.items is not None and any(item.elements for item in element.items)
        return (element if hit or has_kept else None), element.end

    def _is_hit(self, tag: int, encoding: Encoding) -> bool:
        raw = swapped(tag) if encoding.little else tag
        table = self.wanted.tables[encoding.little]
        return raw in table or not tag & 0xFFFF or bool(self.wanted.private and tag >> 16 & 1)

    def _header(self, position: int, end: int, tag: int, encoding: Encoding) -> tuple[str, int, int]:
        """VR ("" if left out), length and place of the value."""
        buffer, base = self.source.window(position, 12)
        place = position - base
        reader = _READERS[encoding.little]
        length: int
        if not encoding.implicit:
            code = buffer[place + 4 : place + 6]
            if code in SHORT_VRS:
                return code.decode(), reader.explicit.unpack_from(buffer, place)[2], position + 8
            if code in LONG_VRS:
                if end - position < 12:
                    raise FileError(f"{dictionary.text_of(tag)} at byte {position} is cut off")
                length = reader.length.unpack_from(buffer, place + 8)[0]
                return code.decode(), length, position + 12
            if code.isalpha() and code.isupper():
                raise FileError(
                    f"{dictionary.text_of(tag)} at byte {position} has a VR that the standard does not know"
                )
            # Some writers leave the VR out of single elements; pydicom reads them so.
        length = reader.header.unpack_from(buffer, place)[1]
        return "", length, position + 8

    def _begins_item(self, position: int, end: int, encoding: Encoding) -> bool:
        return end - position >= 8 and self.tag_at(position, end, encoding.little) in {ITEM, SEQUENCE_END}

    def _defined_items(
        self, element: Element, encoding: Encoding, *, certain: bool, depth: int
    ) -> list[Item] | None:
        """The items of a sequence of defined length.

        What the dictionary does not know is a sequence only if it reads as one to the
        last byte; otherwise it is a value like any other.
        """
        try:
            items, _ = self.items(element.value, element.stop, encoding, defined=True, depth=depth + 1)
        except FileError:
            if certain:
                raise
            return None
        element.vr = "SQ"
        return items

    def items(
        self, position: int, end: int, encoding: Encoding, *, defined: bool, depth: int
    ) -> tuple[list[Item], int]:
        """The items of a sequence.

        Args:
            position: where its value begins.
            end: where the sequence ends, or must have ended if its length is undefined.
            encoding: how the data set around it is encoded.
            defined: whether its length is stored.
            depth: how many sequences its items are in.

        Returns:
            The items, and where the value ends (before the delimiter).
        """
        if depth > MAX_DEPTH:
            raise FileError(f"sequences are nested deeper than {MAX_DEPTH} at byte {position}")
        reader = _READERS[encoding.little]
        found: list[Item] = []
        everything = self.wanted.everything
        while not (defined and position == end):
            tag = self.tag_at(position, end, encoding.little)
            if tag == SEQUENCE_END and not defined:
                return found, position
            if tag != ITEM:
                raise FileError(f"{dictionary.text_of(tag)} at byte {position}, where an item should begin")
            buffer, base = self.source.window(position, 8)
            length: int = reader.length.unpack_from(buffer, position - base + 4)[0]
            value = position + 8
            stop = value + length
            if length == UNDEFINED:
                own = self._item_encoding(value, end, encoding)
                kept, stop = self.data_set(value, end, own, delimited=True, depth=depth)
                found.append(Item(position, value, stop, stop + 8, False, own, kept))
                position = stop + 8
                continue
            if stop > end:
                raise FileError(
                    f"the item at byte {position} claims {length} bytes, but {end - value} are left"
                )
            if everything or self.wanted.occurs_in(self.source, value, stop, little=encoding.little):
                own = self._item_encoding(value, stop, encoding)
                kept, _ = self.data_set(value, stop, own, delimited=False, depth=depth)
                found.append(Item(position, value, stop, stop, True, own, kept))
            position = stop
        return found, position

    def _item_encoding(self, position: int, end: int, around: Encoding) -> Encoding:
        """An item in explicit VR may hold implicit VR; pydicom looks at its first VR too."""
        if around.implicit or end - position < 8:
            return around
        buffer, base = self.source.window(position, 8)
        vr = buffer[position - base + 4 : position - base + 6]
        tag = self.tag_at(position, end, around.little)
        if tag == ITEM_END or (vr.isalpha() and vr.isupper()):
            return around
        return Encoding(implicit=True, little=around.little)

    def _fragments(self, position: int, end: int, encoding: Encoding) -> int:
        """Where the fragments of an encapsulated value end (PS3.5 A.4)."""
        reader = _READERS[encoding.little]
        while True:
            tag = self.tag_at(position, end, encoding.little)
            if tag == SEQUENCE_END:
                return position
            buffer, base = self.source.window(position, 8)
            length: int = reader.length.unpack_from(buffer, position - base + 4)[0]
            if tag != ITEM or length > end - position - 8:
                raise FileError(f"the fragment at byte {position} is damaged or cut off")
            position += 8 + length


def place_for(data_set: Stretch, tag: int, known: Iterable[Element]) -> int:
    """Where a new element belongs in a data set: before the first one with a greater tag.

    Args:
        data_set: the bytes.
        tag: the new element's tag.
        known: elements of the data set in their order; they spare the search the way to
            the last of them that belongs before the new one.
    """
    position = data_set.start
    for element in known:
        if element.tag > tag:
            break
        position = element.end
    scanner = _Scanner(data_set.source, Wanted(()))
    stop, encoding = data_set.stop, data_set.encoding
    while stop - position >= 8 and scanner.tag_at(position, stop, encoding.little) < tag:
        _, position = scanner.element(position, stop, encoding, 0)
    return position
