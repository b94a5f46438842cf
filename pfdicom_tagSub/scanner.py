"""Where every element, sequence and item of a data set lies in the bytes (PS3.5 7).

The scan decodes no value. It keeps the elements that it was asked for, steps over all
others, and does not enter a sequence whose bytes hold none of the tags asked for.
Everything that it cannot place with certainty is an error: a file that is not fully
understood must not be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct

from . import dictionary
from .chains import Family, Log
from .elements import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LONG_VRS,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
    Item,
    Stretch,
)
from .models import FileError
from .sources import Source, is_zeros
from .wanted import EVERYTHING, NOTHING, Wanted

ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
MAX_DEPTH = 64
IN_SIGHT = 1 << 12
"""So much of a file is read ahead at least, for chains to match."""

_ITEM_ENDS = {True: b"\xfe\xff\x0d\xe0", False: b"\xff\xfe\xe0\x0d"}

# Group, element, VR, 16-bit length; group, element, 32-bit length; 32-bit length.
_EXPLICIT = {True: Struct("<HH2sH").unpack_from, False: Struct(">HH2sH").unpack_from}
_HEADER = {True: Struct("<HHI").unpack_from, False: Struct(">HHI").unpack_from}
_LENGTH = {True: Struct("<I").unpack_from, False: Struct(">I").unpack_from}


def scan(data_set: Stretch, wanted: Wanted) -> list[Element]:
    """Find elements in a data set and, where needed, in its sequences.

    Args:
        data_set: the bytes.
        wanted: what to keep.

    Returns:
        The elements to keep, the group lengths beside them, and the sequences that hold
        any to keep, in the order of the file.

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
    scanner = _Scanner(source, EVERYTHING)
    elements: list[Element] = []
    position = start
    while position + 8 <= stop:
        buffer, base = source.window(position, 12)
        if int.from_bytes(buffer[position - base : position - base + 2], "little") != group:
            break
        element, position = scanner.element(position, stop, EXPLICIT_LITTLE, 0)
        if element is not None:
            elements.append(element)
        if len(elements) == 1 and element is not None and element.tag & 0xFFFF == 0:
            length = int.from_bytes(source.read(element.value, element.stop), "little")
            if rest := scanner.whole_group(position, position + length, stop, group):
                return elements + rest, position + length
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
        self.log = Log()
        self.recording = 0
        self.blocks = 0  # counts what cannot be replayed from headers alone

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
        families = self.wanted.families[encoding.implicit, encoding.little]
        pattern = self.wanted.patterns[encoding.little]
        window = self.source.window
        item_end = _ITEM_ENDS[encoding.little]
        while position < end:
            buffer, base = window(position, IN_SIGHT)
            place = position - base
            key = buffer[place : place + 8]
            if delimited and key[:4] == item_end:
                return kept, position
            if end - position < 8 and depth == 0 and not any(self.source.read(position, end)):
                return kept, position  # padding after the last element
            family = families.get(key)
            if family is None:
                if depth == 0 and not any(key):
                    self._check_padding(position, end)
                    return kept, position
                self.wanted.learnt(1)
                family = families[key] = Family()
            chain, count = family.match(buffer, place, end - base, pattern)
            if chain is not None:
                if self.wanted.merges:
                    for many, tag, vr, start, value, stop in chain.runs:
                        stop += position  # noqa: PLW2901
                        first, own = position + start, position + value
                        kept.append(Element(tag, vr, first, own, stop, stop, count=many))
                else:
                    for _, tag, vr, start, value, stop in chain.kept:
                        stop += position  # noqa: PLW2901
                        kept.append(Element(tag, vr, position + start, position + value, stop, stop))
                if self.recording:
                    self.log.replay(chain, position)
                position += chain.places[count]
            elif family.wants_more():
                position = self._record(
                    position, end, encoding, kept, family, delimited=delimited, depth=depth
                )
            else:
                element, position = self.element(position, end, encoding, depth)
                if element is not None:
                    kept.append(element)
        if position > end or delimited:
            raise FileError(f"the data set that should end at byte {end} does not end there")
        return kept, position

    def _check_padding(self, position: int, end: int) -> None:
        """Check that zeros go on to the end, as after a file that was preallocated or crash-filled."""
        if not is_zeros(self.source, position, end):
            raise FileError(
                f"zeros stand at byte {position}, where an element should begin, and data after them"
            )

    def whole_group(self, start: int, end: int, stop: int, group: int) -> list[Element]:
        """The elements of a group whose length is stored, if the length is true; else [].

        A group is not taken to end where its length says: writers get that wrong.
        """
        if end > stop - 8 or self.tag_at(end, stop, little=True) >> 16 == group:
            return []
        try:
            found, _ = self.data_set(start, end, EXPLICIT_LITTLE, delimited=False, depth=0)
        except FileError:
            return []
        return found if all(element.tag >> 16 == group for element in found) else []

    def _record(
        self,
        position: int,
        end: int,
        encoding: Encoding,
        kept: list[Element],
        family: Family,
        *,
        delimited: bool,
        depth: int,
    ) -> int:
        """Walk over some elements one by one and remember the way (see ``chains``).

        Returns:
            Where the walk came to.
        """
        families = self.wanted.families[encoding.implicit, encoding.little]
        log = self.log
        chain = log.begin(position)
        self.recording += 1
        try:
            while position < end and chain.has_room():
                if end - position < 8:
                    break
                if delimited and self.tag_at(position, end, little=encoding.little) == ITEM_END:
                    break
                key = self._key(position)
                if not any(key) or (key in families and not chain.is_empty()):
                    break
                blocks = self.blocks
                start = position
                element, position = self.element(start, end, encoding, depth)
                if element is not None:
                    kept.append(element)
                is_plain = element is None or (element.items is None and element.vr != "SQ")
                if blocks != self.blocks or not is_plain or not chain.add(position, element):
                    break
        finally:
            self.recording -= 1
        made = chain.end(self.source)
        family.add(made)
        self.wanted.learnt(len(made.headers))
        if not self.recording:
            log.clear()
        return position

    def _key(self, position: int) -> bytes:
        buffer, base = self.source.window(position, 8)
        return buffer[position - base : position - base + 8]

    def tag_at(self, position: int, end: int, *, little: bool) -> int:
        """The tag at a place; an error where the data set has no room for an element."""
        group, number, _ = self._header_at(position, end, little=little)
        return group << 16 | number

    def _header_at(self, position: int, end: int, *, little: bool) -> tuple[int, int, int]:
        if end - position < 8:
            raise FileError(f"the data ends at byte {end}, within an element or before a delimiter")
        buffer, base = self.source.window(position, 8)
        header: tuple[int, int, int] = _HEADER[little](buffer, position - base)
        return header

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
        little = encoding.little
        wanted = self.wanted
        recording = self.recording
        if end - position < 8:
            raise FileError(f"the data ends at byte {end}, within an element or before a delimiter")
        buffer, base = self.source.window(position, 12)
        place = position - base
        group, number, code, length = _EXPLICIT[little](buffer, place)
        tag = group << 16 | number
        value = position + 8
        if encoding.implicit:
            vr, length = "", _LENGTH[little](buffer, place + 4)[0]
        elif code in SHORT_VRS:
            stop = value + length
            if stop <= end:  # the common element
                if recording:
                    self.log.headers.append((position, 8))
                if (
                    tag in wanted.tags
                    or not number
                    or (wanted.private and group & 1)
                    or group in wanted.groups
                ):
                    return Element(tag, code.decode(), position, value, stop, stop), stop
                return None, stop
            vr = code.decode()
        elif code in LONG_VRS and end - position >= 12:
            vr, length, value = code.decode(), _LENGTH[little](buffer, place + 8)[0], position + 12
        elif code.isalpha() and code.isupper():
            known = "is cut off" if code in LONG_VRS else "has a VR that the standard does not know"
            raise FileError(f"{dictionary.text_of(tag)} at byte {position} {known}")
        else:  # some writers leave the VR out of single elements; pydicom reads them so
            vr, length = "", _LENGTH[little](buffer, place + 4)[0]
        if group == 0xFFFE:
            raise FileError(f"a stray {dictionary.text_of(tag)} at byte {position}")
        if recording:
            self.log.headers.append((position, value - position))
        # UN holds implicit VR little endian, whatever is around it (PS3.5 6.2.2).
        inner = IMPLICIT_LITTLE if vr == "UN" else encoding
        known = dictionary.vr_of(tag) if vr in {"", "UN"} else vr
        if length != UNDEFINED and length > end - value:
            raise FileError(
                f"{dictionary.text_of(tag)} at byte {position} claims {length} bytes, "
                f"but {end - value} are left"
            )
        hit = (
            tag in wanted.tags or not number or (wanted.private and bool(group & 1)) or group in wanted.groups
        )
        element = Element(tag, known, position, value, value + length, value + length)
        if length == UNDEFINED:
            element.defined = False
            self.blocks += inner.little != encoding.little  # searched with another pattern
            if (
                known == "SQ"
                or vr == "UN"
                or (vr == "" and self._begins_item(value, end, inner) and not known)
            ):
                element.items, element.stop = self._items_of(element, end, inner, encoding, depth)
                element.vr = "SQ"
            elif known and not known.startswith("O"):
                raise FileError(
                    f"{dictionary.text_of(tag)} at byte {position} has an undefined length, "
                    f"which its VR {known} does not allow"
                )
            else:
                element.stop = self._fragments(value, end, encoding)
                self.blocks += 1
            element.end = element.stop + 8
        elif known == "SQ" or (known in {"", "UN"} and self._may_be_items(value, element.stop, inner)):
            if hit and wanted.is_whole(tag):
                pass
            elif (hit and known != "SQ") or self._occurs(value, element.stop, inner, encoding):
                self.blocks += inner.little != encoding.little
                element.items = self._defined_items(
                    element, inner, encoding, certain=known == "SQ", depth=depth
                )
            elif recording:
                self.log.searches.append((value, element.stop))
                self.blocks += inner.little != encoding.little
        is_kept = hit or (element.items is not None and any(item.elements for item in element.items))
        return (element if is_kept else None), element.end

    def _occurs(self, start: int, stop: int, inner: Encoding, around: Encoding) -> bool:
        """Whether a value may hold a tag to enter it for, in either byte order it may have."""
        occurs = self.wanted.occurs_in(self.source, start, stop, little=inner.little)
        if not occurs and inner.little != around.little:
            occurs = self.wanted.occurs_in(self.source, start, stop, little=around.little)
        return occurs

    def _may_be_items(self, value: int, stop: int, encoding: Encoding) -> bool:
        """Whether a value that the dictionary does not know begins as a sequence does."""
        if self._begins_item(value, stop, encoding):
            self.blocks += 1
            return True
        if self.recording and stop - value >= 8:
            self.log.checks.append(value)
        return False

    def _begins_item(self, position: int, end: int, encoding: Encoding) -> bool:
        return end - position >= 8 and self.tag_at(position, end, little=encoding.little) in {
            ITEM,
            SEQUENCE_END,
        }

    def _defined_items(
        self, element: Element, encoding: Encoding, around: Encoding, *, certain: bool, depth: int
    ) -> list[Item] | None:
        """The items of a sequence of defined length.

        What the dictionary does not know is a sequence only if it reads as one to the
        last byte; otherwise it is a value like any other.
        """
        try:
            items, _ = self._items_of(element, element.stop, encoding, around, depth)
        except FileError:
            if certain:
                raise
            return None
        element.vr = "SQ"
        return items

    def _items_of(
        self, element: Element, end: int, encoding: Encoding, around: Encoding, depth: int
    ) -> tuple[list[Item], int]:
        """The items of a sequence, and where its value ends; see ``items``.

        Some writers leave explicit VRs in a UN; what is no implicit VR is read so.

        Args:
            element: the sequence.
            end: where it ends, or must have ended if its length is undefined.
            encoding: how it should be encoded.
            around: how the data set around it is encoded.
            depth: how many sequences that data set is in.
        """
        try:
            return self.items(element.value, end, encoding, defined=element.defined, depth=depth + 1)
        except FileError as error:
            if around.implicit or not encoding.implicit:
                raise
            self.blocks += 1
            try:
                return self.items(
                    element.value, end, EXPLICIT_LITTLE, defined=element.defined, depth=depth + 1
                )
            except FileError:
                raise error from None

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
        found: list[Item] = []
        wanted = self.wanted
        recording = self.recording
        while not (defined and position == end):
            group, number, length = self._header_at(position, end, little=encoding.little)
            tag = group << 16 | number
            if recording:
                self.log.headers.append((position, 8))
            if tag == SEQUENCE_END and not defined:
                return found, position
            if tag != ITEM:
                raise FileError(f"{dictionary.text_of(tag)} at byte {position}, where an item should begin")
            value = position + 8
            stop = value + length
            if length == UNDEFINED:
                own = self._item_encoding(value, end, encoding)
                kept, stop = self.data_set(value, end, own, delimited=True, depth=depth)
                kept = self._worthwhile(kept)
                found.append(Item(position, value, stop, stop + 8, False, own, kept))
                if recording:
                    self.log.headers.append((stop, 8))
                position = stop + 8
                continue
            if stop > end:
                raise FileError(
                    f"the item at byte {position} claims {length} bytes, but {end - value} are left"
                )
            if wanted.occurs_in(self.source, value, stop, little=encoding.little):
                own = self._item_encoding(value, stop, encoding)
                kept, _ = self.data_set(value, stop, own, delimited=False, depth=depth)
                kept = self._worthwhile(kept)
                found.append(Item(position, value, stop, stop, True, own, kept))
            elif recording:
                self.log.searches.append((value, stop))
            position = stop
        return found, position

    def _worthwhile(self, kept: list[Element]) -> list[Element]:
        """What was kept of an item, but nothing where that is only its group lengths."""
        if not self.wanted.everything and not any(element.tag & 0xFFFF for element in kept):
            return []
        return kept

    def _item_encoding(self, position: int, end: int, around: Encoding) -> Encoding:
        """An item in explicit VR may hold implicit VR; pydicom looks at its first VR too."""
        if around.implicit or end - position < 8:
            return around
        buffer, base = self.source.window(position, 8)
        place = position - base
        code = buffer[place + 4 : place + 6]
        if code in SHORT_VRS or (code.isalpha() and code.isupper()):
            return around
        if buffer[place : place + 4] == _ITEM_ENDS[around.little]:
            return around
        return Encoding(implicit=True, little=around.little)

    def _fragments(self, position: int, end: int, encoding: Encoding) -> int:
        """Where the fragments of an encapsulated value end (PS3.5 A.4)."""
        while True:
            group, number, length = self._header_at(position, end, little=encoding.little)
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                return position
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
    scanner = _Scanner(data_set.source, NOTHING)
    stop, encoding = data_set.stop, data_set.encoding
    while stop - position >= 8 and scanner.tag_at(position, stop, little=encoding.little) < tag:
        _, position = scanner.element(position, stop, encoding, 0)
    return position
