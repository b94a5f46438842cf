"""Where every element, sequence and item of a data set lies in the bytes (PS3.5 7).

The scan decodes no value. It keeps the elements that it was asked for, steps over all
others, and does not enter a sequence whose bytes hold none of the tags asked for.
Everything that it cannot place with certainty is an error: a file that is not fully
understood must not be written.

Where the bytes leave the standard, and others read on all the same:

* A VR that the standard does not know has a length of 16 bits for some readers, of 32 for
  others, or is taken for a part of an implicit VR header. The one form after which
  elements follow is taken; where none is, or more than one, the file fails.
* Eight zero bytes are no element: zeros to the end of the file are padding, any others an
  error.
* UN, OB and its like, and what the dictionary does not know may hold a sequence, if they
  begin with an item (PS3.5 6.2.2), in either byte order, with VRs or without. What begins
  so, may hold a wanted tag and does not read to its end as items is an error, unless the
  element is removed as a whole. So is a value where the dictionary has a sequence, if it
  does not begin with an item and may hold a wanted tag; else it is a plain value.
* An item of a data set with VRs may leave them out (its first VR tells).
* A delimiter too many at the end of a sequence or item of defined length, zeros there where
  it is no SQ of the dictionary, item delimiters between items, an item of undefined length
  that ends with its sequence, and complete fragments without a delimiter at the end of the
  file are read by everybody.

Wherever it was in doubt, ``readings`` goes over the data set as other readers would: what
they see of a wanted element has to be what was found here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from struct import Struct

from ..core.errors import FileError
from ..dicom import dictionary, readings
from ..dicom import unknown_vrs as unknownvrs
from .elements import (
    CUT_OFF,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_BIG,
    IMPLICIT_LITTLE,
    LONG_VRS,
    OTHER_VRS,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
    Item,
    Stretch,
)
from .header_cache import ITEM_MARKS, Family, Log
from .known_sequences import KnownSequences
from .scan_filter import EVERYTHING, NOTHING, OUTLINE, ScanFilter
from .sources import Source, is_zeros

ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD
NUMBER_OF_FRAMES = 0x00280008
MAX_DEPTH = 64
IN_SIGHT = 1 << 12
"""So much of a file is read ahead at least, for chains to match."""

ALL = -2
"""In the place of a sequence: every one is entered."""

ATTEMPTS_MOST = 4096
"""So many readings of what may be items are tried in one scan."""

_DELIMITER = ScanFilter((SEQUENCE_END,))

ZEROS = bytes(8)

_ITEM_STARTS = {
    True: (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"),
    False: (b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd"),
}
_ITEM_ENDS = {True: b"\xfe\xff\x0d\xe0", False: b"\xff\xfe\xe0\x0d"}

_GROUP_LENGTH = b"%s\0\0UL\4\0"
"""How a group length begins, explicit VR little endian."""

# Group, element, VR, 16-bit length; group, element, 32-bit length; 32-bit length.
_EXPLICIT = {True: Struct("<HH2sH").unpack_from, False: Struct(">HH2sH").unpack_from}
_HEADER = {True: Struct("<HHI").unpack_from, False: Struct(">HHI").unpack_from}
_LENGTH = {True: Struct("<I").unpack_from, False: Struct(">I").unpack_from}


class Found(list[Element]):
    """What a scan found.

    Attributes:
        is_certain: whether each element is read as its own bytes say, whatever is around it.
    """

    __slots__ = ("is_certain",)

    is_certain: bool


def scan(data_set: Stretch, scan_filter: ScanFilter) -> list[Element]:
    """Find elements in a data set and, where needed, in its sequences.

    Args:
        data_set: the bytes.
        scan_filter: what to keep.

    Returns:
        The elements to keep, the group lengths beside them, and the sequences that hold
        any to keep, in the order of the file.

    Raises:
        FileError: the bytes do not make a data set.
    """
    start, stop = data_set.start, data_set.stop
    scanner = _Scanner(data_set.source, scan_filter, start)
    found = Found()
    scanner.data_set(start, stop, data_set.encoding, delimited=False, depth=0, kept=found)
    found.is_certain = not scanner.is_in_doubt and not data_set.other
    if (scanner.is_in_doubt or data_set.other) and not scan_filter.everything:
        readings.check(data_set, scan_filter, found)
    return found


def enter(source: Source, sequence: Element, encoding: Encoding) -> list[Item]:
    """The items of a sequence that was not entered as its bytes came before.

    Args:
        source: the bytes of the file.
        sequence: the sequence; it is known.
        encoding: how the data set around it is encoded.
    """
    assert sequence.known is not None
    scanner = _Scanner(source, sequence.known.filter)
    scanner.entered = ALL
    element, _ = scanner.element(sequence.start, sequence.end, encoding, 0)
    return (element.items if element else None) or []


def scan_group(source: Source, start: int, stop: int, group: int) -> tuple[list[Element], int]:
    """Every element of the group that the bytes begin with, explicit VR little endian.

    Args:
        source: the bytes.
        start: where the group begins.
        stop: where the bytes end.
        group: the group, e.g. 0x0002 for the file meta (PS3.10 7.1).

    Returns:
        Its elements and where it ends: where its stored length says, if elements end there.
    """
    scanner = _Scanner(source, EVERYTHING)
    elements: list[Element] = []
    position = start
    buffer, base = source.window(start, 12)
    head = buffer[start - base : start - base + 12]
    if head[:8] == _GROUP_LENGTH % group.to_bytes(2, "little"):  # the common beginning
        after = start + 12 + int.from_bytes(head[8:], "little")
        if len(head) == 12 and (whole := scanner.whole_group(start, after, stop, group)):
            return whole, after
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


def settled(data_set: Stretch, other: Encoding) -> Stretch:
    """The encoding of a data set that may have another one than was declared.

    Args:
        data_set: the bytes, with the encoding that was declared.
        other: what its first element suggests.

    Returns:
        The data set in the one encoding in which it reads to its end, in the declared one
        if it does in neither.

    Raises:
        FileError: it reads to its end in both, and not as the same.
    """
    outlines = []
    stretches = (replace(data_set, other=other), replace(data_set, encoding=other, other=data_set.encoding))
    for stretch in stretches:
        try:
            found = scan(replace(stretch, other=None), OUTLINE)
            outlines.append([(element.tag, element.start, element.stop) for element in found])
        except FileError:
            outlines.append([])
    declared, suggested = outlines
    if declared and suggested:
        if declared != suggested:
            raise FileError(
                "the data set reads to its end both in implicit and in explicit VR, and not as the same: "
                "write it anew with a program that knows which is meant"
            )
        return stretches[1]
    return stretches[1] if suggested else stretches[0]


_NO_LOG = Log()
"""That of a scan that records nothing; nothing is ever added to it."""


def _may_be_sequence(tag: int) -> bool:
    """Whether the dictionary has a sequence, or nothing, for a tag."""
    return dictionary.vr_of(tag) in {"", "SQ"}


class _Scanner:
    """One scan over one source."""

    def __init__(self, source: Source, scan_filter: ScanFilter, start: int = 0) -> None:
        self.source = source
        self.filter = scan_filter
        self.log = _NO_LOG
        self.recording = 0
        self.start = start
        self.blocks = 0  # counts what cannot be replayed from headers alone
        self.is_in_doubt = False
        self.attempts = 0
        self.entered = -1

    def doubt(self) -> None:
        """Note that others may read differently what comes now; it is never replayed."""
        self.is_in_doubt = True
        self.blocks += 1

    def data_set(  # noqa: C901, PLR0912  (flat, as every file goes through it)
        self,
        position: int,
        end: int,
        encoding: Encoding,
        *,
        delimited: bool,
        depth: int,
        may_end: bool = False,
        kept: list[Element] | None = None,
    ) -> tuple[list[Element], int]:
        """The elements of one data set.

        Args:
            position: where it begins.
            end: where it ends, or must have ended if it is delimited.
            encoding: how it is encoded.
            delimited: whether an item delimiter ends it.
            depth: how many sequences it is in.
            may_end: whether it may also end without its delimiter.
            kept: what to add the elements to; None makes a list.

        Returns:
            The elements kept, and where the data set ends (before the delimiter).
        """
        if depth > MAX_DEPTH:
            raise FileError(f"sequences are nested deeper than {MAX_DEPTH} at byte {position}")
        kept = [] if kept is None else kept
        families = self.filter.families[encoding.implicit, encoding.little]
        pattern = self.filter.patterns[encoding.little]
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
                if key == ZEROS:
                    if depth == 0 and is_zeros(self.source, position, end):
                        return kept, position  # more padding
                    raise FileError(
                        f"zeros stand at byte {position}, where an element should begin, and data after them"
                    )
                if key[:4] == item_end and depth and position + 8 == end:
                    self.doubt()
                    return kept, position  # a delimiter too many
                self.filter.learnt(1)
                family = families[key] = Family()
            chain, count = family.match(buffer, place, end - base, pattern)
            if chain is not None:
                if self.filter.merges:
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
                position = self._record(position, end, encoding, kept, family, depth=depth)
            else:
                element, position = self.element(position, end, encoding, depth)
                if element is not None:
                    kept.append(element)
        if position == end and delimited and may_end:
            self.doubt()
            return kept, position
        if position > end or delimited:
            raise FileError(f"the data set that should end at byte {end} does not end there: {CUT_OFF}")
        return kept, position

    def whole_group(self, start: int, end: int, stop: int, group: int) -> list[Element]:
        """The elements up to where the stored length of a group ends, if they end there; else []."""
        if end > stop - 8 or self.tag_at(end, stop, little=True) >> 16 == group:
            return []
        try:
            return self.data_set(start, end, EXPLICIT_LITTLE, delimited=False, depth=0)[0]
        except FileError:
            return []

    def _record(
        self,
        position: int,
        end: int,
        encoding: Encoding,
        kept: list[Element],
        family: Family,
        *,
        depth: int,
    ) -> int:
        """Walk over some elements one by one and remember the way (see ``chains``).

        Returns:
            Where the walk came to.
        """
        families = self.filter.families[encoding.implicit, encoding.little]
        if not self.recording:
            self.log = Log(self.filter.apart)
        log = self.log
        chain = log.begin(position)
        self.recording += 1
        try:
            while position < end and chain.has_room():
                if end - position < 8:
                    break
                key = self._key(position)
                if key == ZEROS or key[:4] == _ITEM_ENDS[encoding.little]:
                    break
                if not chain.is_empty() and key in families:
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
        self.filter.learnt(len(made.headers))
        return position

    def _key(self, position: int) -> bytes:
        buffer, base = self.source.window(position, 8)
        return buffer[position - base : position - base + 8]

    def ends_at(self, position: int, end: int) -> bool:
        """Whether no element begins here: too few bytes are left, or zeros."""
        return end - position < 8 or self._key(position) == ZEROS

    def _is_padding(self, position: int, end: int) -> bool:
        """Whether nothing but zeros follows."""
        return self.ends_at(position, end) and is_zeros(self.source, position, end)

    def tag_at(self, position: int, end: int, *, little: bool) -> int:
        """The tag at a place; an error where the data set has no room for an element."""
        group, number, _ = self._header_at(position, end, little=little)
        return group << 16 | number

    def _header_at(self, position: int, end: int, *, little: bool) -> tuple[int, int, int]:
        if end - position < 8:
            raise FileError(
                f"the data ends at byte {end}, within an element or before a delimiter: {CUT_OFF}"
            )
        buffer, base = self.source.window(position, 8)
        header: tuple[int, int, int] = _HEADER[little](buffer, position - base)
        return header

    def element(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[Element | None, int]:  # noqa: C901, PLR0912, PLR0915  (flat, as every file goes through it)
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
        scan_filter = self.filter
        recording = self.recording
        if end - position < 8:
            raise FileError(
                f"the data ends at byte {end}, within an element or before a delimiter: {CUT_OFF}"
            )
        buffer, base = self.source.window(position, 12)
        place = position - base
        group, number, code, length = _EXPLICIT[little](buffer, place)
        tag = group << 16 | number
        value = position + 8
        is_odd = False
        if encoding.implicit:
            vr, length = "", _LENGTH[little](buffer, place + 4)[0]
        elif code in SHORT_VRS:
            stop = value + length
            if stop <= end:  # the common element
                if recording:
                    self.log.headers.append((position, 8))
                if (
                    tag in scan_filter.tags
                    or not number
                    or (scan_filter.private and group & 1)
                    or group in scan_filter.groups
                    or (scan_filter.unknown and dictionary.is_unknown(tag))
                    or (scan_filter.vrs and scan_filter.has_vr(tag, code.decode()))
                ):
                    return Element(tag, code.decode(), position, value, stop, stop), stop
                return None, stop
            vr = code.decode()
        elif code in LONG_VRS and end - position >= 12:
            vr, length, value = code.decode(), _LENGTH[little](buffer, place + 8)[0], position + 12
            if (
                vr == "SQ"
                and scan_filter.sequences is not None
                and not recording
                and self.entered not in (position, ALL)
            ):
                return self._sequence(scan_filter.sequences, position, end, encoding, depth)
        elif code in LONG_VRS:
            raise FileError(f"{dictionary.text_of(tag)} at byte {position} has no end: {CUT_OFF}")
        else:
            self.doubt()
            vr, is_odd = "", True
            value, length = unknownvrs.place_of(self.source, position, end, little=little)
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
                f"but {end - value} are left: {CUT_OFF}"
            )
        hit = (
            tag in scan_filter.tags
            or not number
            or (scan_filter.private and bool(group & 1))
            or group in scan_filter.groups
            or (scan_filter.unknown and dictionary.is_unknown(tag))
            or (bool(scan_filter.vrs) and scan_filter.has_vr(tag, known))
        )
        element = Element(tag, known, position, value, value + length, value + length)
        if length == UNDEFINED:
            element.defined = False
            self.blocks += inner.little != encoding.little  # searched with another pattern
            self._undefined(element, vr, end, inner, encoding, depth)
        elif known == "SQ" or ((known in {"", "UN"} or vr in OTHER_VRS) and _may_be_sequence(tag)):
            if known != "SQ":
                is_begun = self._may_be_items(value, element.stop)
            else:
                is_begun = vr == "SQ" or not length or self._key(value)[:4] in ITEM_MARKS
                if not is_begun:  # text, where the dictionary has a sequence
                    element.vr = "UN"
                    is_odd = True
                    self.blocks += 1
            if is_begun:
                self._defined(element, vr, inner, encoding, hit=hit, depth=depth)
        if is_odd and element.items is None and not (hit and scan_filter.is_whole(tag)):
            what = (
                "is no sequence, though the dictionary has one," if element.vr == "UN" else "has no known VR"
            )
            self._must_hold_nothing(element, what)
        is_kept = hit or (element.items is not None and any(item.elements for item in element.items))
        return (element if is_kept else None), element.end

    def _sequence(
        self, repeats: KnownSequences, position: int, end: int, encoding: Encoding, depth: int
    ) -> tuple[Element | None, int]:
        """As ``element``, of a sequence in explicit VR, which is entered only if its bytes are new."""
        buffer, base = self.source.window(position, IN_SIGHT)
        known = repeats.find(buffer, position - base, end - base)
        if known is not None:
            stop = position + len(known.data)
            return (known.at(position) if known.is_kept else None), stop
        blocks = self.blocks
        self.entered = position
        element, after = self.element(position, end, encoding, depth)
        if self.blocks == blocks and not self.is_in_doubt and (element is None or element.items is not None):
            repeats.add(self.source, position, after, element, self.filter)
        return element, after

    def _must_hold_nothing(self, element: Element, what: str) -> None:
        """An error where a value that others may enter holds the bytes of a wanted tag."""
        scan_filter, source = self.filter, self.source
        if scan_filter.everything:
            return
        for little in (True, False):
            if scan_filter.may_lie_in(source, element.value, element.stop, little=little):
                raise FileError(
                    f"{dictionary.text_of(element.tag)} at byte {element.start} {what} and may hold an "
                    "element that is to be replaced; remove it with the spec, or write the file anew"
                )

    def _undefined(
        self, element: Element, vr: str, end: int, inner: Encoding, around: Encoding, depth: int
    ) -> None:
        """The items or fragments of an element of undefined length, and where it ends."""
        value, known, tag = element.value, element.vr, element.tag
        is_sequence = (
            known == "SQ" or vr == "UN" or (not known and self._begins_item(value, end, little=inner.little))
        )
        if not is_sequence and known and not known.startswith("O"):
            raise FileError(
                f"{dictionary.text_of(tag)} at byte {element.start} has an undefined length, "
                f"which its VR {known} does not allow"
            )
        if not is_sequence and vr in OTHER_VRS and _may_be_sequence(tag):
            self.doubt()
            try:
                element.items, element.stop = self._items_of(element, end, inner, around, depth)
            except FileError:
                pass
            else:
                element.vr = "SQ"
                element.end = element.stop + 8
                return
        if is_sequence:
            element.items, element.stop = self._items_of(element, end, inner, around, depth)
            element.vr = "SQ"
            if vr == "UN" or not known:
                if self._occurs(value, element.stop, inner, around):
                    self.doubt()
                elif self.recording:
                    self.log.searches.append((value, element.stop))
            element.end = element.stop + 8
            return
        element.stop, is_delimited = self._fragments(value, end, around, depth)
        element.end = element.stop + (8 if is_delimited else 0)
        self.blocks += 1

    def _defined(
        self, element: Element, vr: str, inner: Encoding, around: Encoding, *, hit: bool, depth: int
    ) -> None:
        """The items of a sequence of defined length, if it has to be entered."""
        if hit and self.filter.is_whole(element.tag):
            return
        value, stop, known = element.value, element.stop, element.vr
        if (hit and known != "SQ") or self._occurs(value, stop, inner, around):
            self.blocks += inner.little != around.little
            if known != "SQ" or vr == "UN":
                self.doubt()
            element.items = self._defined_items(element, inner, around, certain=known == "SQ", depth=depth)
        elif self.recording:
            self.log.searches.append((value, stop))
            self.blocks += inner.little != around.little

    def _occurs(self, start: int, stop: int, inner: Encoding, around: Encoding) -> bool:
        """Whether a value may hold a tag to enter it for, or items in the other byte order."""
        occurs = self.filter.occurs_in(self.source, start, stop, little=inner.little)
        if not occurs and inner.little != around.little:
            occurs = self.filter.occurs_in(self.source, start, stop, little=around.little)
        return occurs

    def _may_be_items(self, value: int, stop: int) -> bool:
        """Whether a value begins as a sequence does, in either byte order."""
        if stop - value >= 8 and self._key(value)[:4] in ITEM_MARKS:
            self.blocks += 1
            return True
        if self.recording and stop - value >= 8:
            self.log.checks.append(value)
        return False

    def _begins_item(self, position: int, end: int, *, little: bool) -> bool:
        return end - position >= 8 and self._key(position)[:4] in _ITEM_STARTS[little]

    def _defined_items(
        self, element: Element, encoding: Encoding, around: Encoding, *, certain: bool, depth: int
    ) -> list[Item] | None:
        """The items of a sequence of defined length.

        What the dictionary does not know is a sequence only if it reads as one to the
        last byte; otherwise it is a value like any other, and may hold nothing wanted.
        """
        try:
            items, _ = self._items_of(element, element.stop, encoding, around, depth, padded=not certain)
        except FileError:
            if certain:
                raise
            self._must_hold_nothing(element, "begins like a sequence that cannot be read")
            return None
        element.vr = "SQ"
        return items

    def _items_of(
        self,
        element: Element,
        end: int,
        encoding: Encoding,
        around: Encoding,
        depth: int,
        *,
        padded: bool = False,
    ) -> tuple[list[Item], int]:
        """The items of a sequence, and where its value ends; see ``items``.

        Some writers leave explicit VRs in a UN; what is no implicit VR is read so.

        Args:
            element: the sequence.
            end: where it ends, or must have ended if its length is undefined.
            encoding: how it should be encoded.
            around: how the data set around it is encoded.
            depth: how many sequences that data set is in.
            padded: whether zeros may follow the items.
        """
        first: FileError | None = None
        outer = self.filter
        if outer.within is not None and outer.is_named(element.tag):
            self.filter = outer.within
        try:
            for reading in self._readings(element.value, end, encoding, around):
                self.attempts += 1
                if self.attempts > ATTEMPTS_MOST:
                    raise FileError(f"too much can be read in several ways at byte {element.start}")
                try:
                    return self.items(
                        element.value, end, reading, defined=element.defined, depth=depth + 1, padded=padded
                    )
                except FileError as error:
                    first = first or error
                    self.doubt()
        finally:
            self.filter = outer
        assert first is not None
        raise first

    def _readings(
        self, position: int, end: int, encoding: Encoding, around: Encoding
    ) -> tuple[Encoding, ...]:
        """The encodings that items may have, the likeliest first."""
        if self._begins_item(position, end, little=not encoding.little):
            self.doubt()
            if not encoding.little:
                return IMPLICIT_LITTLE, EXPLICIT_LITTLE
            return (EXPLICIT_BIG, IMPLICIT_BIG) if not around.little else (IMPLICIT_BIG, EXPLICIT_BIG)
        if around.implicit or encoding.implicit:
            return encoding, replace(encoding, implicit=not encoding.implicit)
        return (encoding,)

    def items(
        self,
        position: int,
        end: int,
        encoding: Encoding,
        *,
        defined: bool,
        depth: int,
        padded: bool = False,
    ) -> tuple[list[Item], int]:
        """The items of a sequence.

        Args:
            position: where its value begins.
            end: where the sequence ends, or must have ended if its length is undefined.
            encoding: how the data set around it is encoded.
            defined: whether its length is stored.
            depth: how many sequences its items are in.
            padded: whether zeros may follow them.

        Returns:
            The items, and where the value ends (before the delimiter).
        """
        if depth > MAX_DEPTH:
            raise FileError(f"sequences are nested deeper than {MAX_DEPTH} at byte {position}")
        found: list[Item] = []
        scan_filter = self.filter
        recording = self.recording
        while not (defined and position == end):
            if padded and defined and self._is_padding(position, end):
                self.doubt()
                return found, end
            group, number, length = self._header_at(position, end, little=encoding.little)
            tag = group << 16 | number
            if recording:
                self.log.headers.append((position, 8))
            if tag == SEQUENCE_END and not length and (not defined or position + 8 == end):
                if defined:
                    self.doubt()  # a delimiter too many
                    return found, end
                return found, position
            if tag == ITEM_END and not length and position + 8 <= end:
                self.doubt()
                position += 8
                continue
            if tag != ITEM:
                raise FileError(f"{dictionary.text_of(tag)} at byte {position}, where an item should begin")
            value = position + 8
            stop = value + length
            if length == UNDEFINED:
                own = self._item_encoding(value, end, encoding, delimited=True, depth=depth)
                kept, stop = self.data_set(value, end, own, delimited=True, depth=depth, may_end=defined)
                after = min(stop + 8, end) if defined else stop + 8
                kept = self._worthwhile(kept)
                found.append(Item(position, value, stop, after, False, own, kept))
                if recording:
                    self.log.headers.append((stop, after - stop))
                position = after
                continue
            if stop > end:
                raise FileError(
                    f"the item at byte {position} claims {length} bytes, "
                    f"but {end - value} are left: {CUT_OFF}"
                )
            if scan_filter.occurs_in(self.source, value, stop, little=encoding.little):
                own = self._item_encoding(value, stop, encoding, delimited=False, depth=depth)
                kept, _ = self.data_set(value, stop, own, delimited=False, depth=depth)
                kept = self._worthwhile(kept)
                found.append(Item(position, value, stop, stop, True, own, kept))
            elif recording:
                self.log.searches.append((value, stop))
            position = stop
        return found, position

    def _worthwhile(self, kept: list[Element]) -> list[Element]:
        """What was kept of an item, but nothing where that is only its group lengths."""
        if not self.filter.everything and not any(element.tag & 0xFFFF for element in kept):
            return []
        return kept

    def _item_encoding(
        self, position: int, end: int, around: Encoding, *, delimited: bool, depth: int
    ) -> Encoding:
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
        self.doubt()
        self.attempts += 1
        bare = replace(around, implicit=True)
        try:
            self.data_set(position, end, bare, delimited=delimited, depth=depth)
        except FileError:
            return around
        return bare

    def _fragments(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[int, bool]:
        """Where the fragments of an encapsulated value end, and whether a delimiter says so (PS3.5 A.4).

        Some writers end the file after the last fragment. pydicom looks for the bytes of a
        delimiter then, wherever they are.
        """
        start = position
        count = 0
        while True:
            if depth == 0 and count > 1 and self._is_padding(position, end):
                self.doubt()
                is_told = _DELIMITER.occurs_in(self.source, start, position, little=encoding.little)
                if is_told or count <= self._frames(start, encoding):
                    raise FileError(f"the fragments that begin at byte {start} do not end: {CUT_OFF}")
                return position, False
            group, number, length = self._header_at(position, end, little=encoding.little)
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                return position, True
            if tag != ITEM or length > end - position - 8:
                raise FileError(f"the fragment at byte {position} does not end: {CUT_OFF}")
            position += 8 + length
            count += 1

    def _frames(self, stop: int, encoding: Encoding) -> int:
        """The number of frames that is told before fragments; 1 where it is not."""
        before = _Scanner(self.source, ScanFilter((NUMBER_OF_FRAMES,), ()))
        position = self.start
        while position < stop - 12:  # the header of the pixel data
            element, position = before.element(position, self.source.size, encoding, 0)
            if element is not None and element.tag == NUMBER_OF_FRAMES:
                text = self.source.read(element.value, element.stop).strip(b"\0 ")
                return int(text) if text.isdigit() else 1
        return 1


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
    scanner = _Scanner(data_set.source, NOTHING, data_set.start)
    stop, encoding = data_set.stop, data_set.encoding
    while (
        not scanner.ends_at(position, stop) and scanner.tag_at(position, stop, little=encoding.little) < tag
    ):
        _, position = scanner.element(position, stop, encoding, 0)
    return position


def group_end(data_set: Stretch, position: int, group: int) -> int:
    """Where the elements of a group end that follow each other.

    Args:
        data_set: the bytes.
        position: where the first of them begins.
        group: their group.
    """
    scanner = _Scanner(data_set.source, NOTHING)
    stop, encoding = data_set.stop, data_set.encoding
    while stop - position >= 8 and scanner.tag_at(position, stop, little=encoding.little) >> 16 == group:
        _, position = scanner.element(position, stop, encoding, 0)
    return position
