"""Where the elements of a data set lie, those of its items included."""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom import unknown_vrs as unknownvrs
from .elements import (
    CUT_OFF,
    EXPLICIT_LITTLE,
    LONG_VRS,
    OTHER_VRS,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
)
from .header_cache import Chain, Family, WalkLog
from .scan_filter import ScanFilter
from .sequence_scanner import ITEM_ENDS, MAX_DEPTH, ZEROS
from .sources import is_zeros
from .value_scanner import ValueScanner

IN_SIGHT = 1 << 12
"""So much of a file is read ahead at least, for chains to match."""

ALL = -2
"""In the place of a sequence: every one is entered."""

# Group, element, VR, 16-bit length; 32-bit length.
_EXPLICIT = {True: Struct("<HH2sH").unpack_from, False: Struct(">HH2sH").unpack_from}
_LENGTH = {True: Struct("<I").unpack_from, False: Struct(">I").unpack_from}

_PERHAPS_ITEMS = frozenset({"", "SQ", "UN"})
"""VRs of the dictionary under which a value of any VR may have items."""


class ElementScanner(ValueScanner):
    """One scan over one source."""

    def data_set(
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
        item_end = ITEM_ENDS[encoding.little]
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
                if self.ends_before(position, end, key, item_end, depth):
                    return kept, position
                self.filter.learnt(1)
                family = families[key] = Family(self.filter.forms_most)
            chain, count = family.match(buffer, place, end - base, pattern)
            if chain is not None:
                if chain.kept:
                    self.keep(chain, position, kept)
                if self.recording:
                    self.log.replay(chain, position)
                position += chain.places[count]
            elif family.wants_more():
                position = self.record(position, end, encoding, kept, family, depth=depth)
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

    def ends_before(self, position: int, end: int, key: bytes, item_end: bytes, depth: int) -> bool:
        """Whether what no element begins with ends a data set all the same: padding, a delimiter too many.

        Raises:
            FileError: zeros stand between elements.
        """
        if key == ZEROS:
            if depth == 0 and is_zeros(self.source, position, end):
                return True
            raise FileError(
                f"zeros stand at byte {position}, where an element should begin, and data after them"
            )
        if key[:4] == item_end and depth and position + 8 == end:
            self.doubt()
            return True
        return False

    def keep(self, chain: Chain, position: int, kept: list[Element]) -> None:
        """Keep what is to be kept of a chain that lies at a place."""
        if self.filter.merges:
            for many, tag, vr, start, value, stop in chain.runs:
                last = position + stop
                kept.append(Element(tag, vr, position + start, position + value, last, last, count=many))
        else:
            for _, tag, vr, start, value, stop in chain.kept:
                last = position + stop
                kept.append(Element(tag, vr, position + start, position + value, last, last))

    def whole_group(self, start: int, end: int, stop: int, group: int) -> list[Element]:
        """The elements up to where the stored length of a group ends, if they end there; else []."""
        if end > stop - 8 or self.tag_at(end, stop, little=True) >> 16 == group:
            return []
        try:
            return self.data_set(start, end, EXPLICIT_LITTLE, delimited=False, depth=0)[0]
        except FileError:
            return []

    def record(
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
            self.log = WalkLog(self.filter.apart)
        log = self.log
        chain = log.begin(position)
        self.recording += 1
        try:
            while position < end and chain.has_room():
                if end - position < 8:
                    break
                key = self.key_at(position)
                if key == ZEROS or key[:4] == ITEM_ENDS[encoding.little]:
                    break
                if not depth and self.is_beyond(key, little=encoding.little):
                    break
                if not chain.is_empty() and key in families:
                    break
                blocks = self.blocks
                start, mark = position, self.mark()
                element, position = self.element(start, end, encoding, depth)
                if element is not None:
                    kept.append(element)
                is_plain = element is None or (element.items is None and element.vr != "SQ")
                if (
                    blocks != self.blocks
                    or not is_plain
                    or not chain.add(position, self.recorded(element, mark, depth))
                ):
                    break
        finally:
            self.recording -= 1
        made = chain.end(self.source)
        family.add(made)
        self.filter.learnt(len(made.headers))
        return position

    def is_beyond(self, key: bytes, *, little: bool) -> bool:  # noqa: ARG002
        """Whether the scan ends before an element of the data set that begins so."""
        return False

    def mark(self) -> int:
        """How much a scan has noted that notes what it finds; before an element of a chain is walked over."""
        return 0

    def recorded(self, element: Element | None, mark: int, depth: int) -> Sequence[Element]:  # noqa: ARG002
        """What a chain has to keep of an element that was walked over.

        Args:
            element: the element, if it is kept.
            mark: what ``mark`` gave before.
            depth: how many sequences it is in.
        """
        return () if element is None else (element,)

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
        if end - position < 8:
            raise FileError(
                f"the data ends at byte {end}, within an element or before a delimiter: {CUT_OFF}"
            )
        scan_filter = self.filter
        little = encoding.little
        buffer, base = self.source.window(position, 12)
        place = position - base
        group, number, code, length = _EXPLICIT[little](buffer, place)
        tag = group << 16 | number
        value = position + 8
        is_known = True
        if encoding.implicit:
            vr, length = "", _LENGTH[little](buffer, place + 4)[0]
        elif code in SHORT_VRS:
            stop = value + length
            if stop <= end:  # the common element
                if self.recording:
                    self.log.headers.append((position, 8))
                hit = tag in scan_filter.tags or not number
                if hit or (scan_filter.kinds and scan_filter.keeps(tag, code.decode())):
                    return Element(tag, code.decode(), position, value, stop, stop), stop
                return None, stop
            vr = code.decode()
        else:
            if code == b"SQ" and self._may_be_known(position, end):
                return self._sequence(position, end, encoding, depth)
            vr, value, length, is_known = self._long_header(code, tag, position, end, little=little)
        if group == 0xFFFE:
            raise FileError(f"a stray {dictionary.text_of(tag)} at byte {position}")
        if self.recording:
            self.log.headers.append((position, value - position))
        stop = value + length
        if length != UNDEFINED and stop > end:
            raise FileError(
                f"{dictionary.text_of(tag)} at byte {position} claims {length} bytes, "
                f"but {end - value} are left: {CUT_OFF}"
            )
        known = dictionary.vr_of(tag) if vr in {"", "UN"} else vr
        hit = tag in scan_filter.tags or not number or (scan_filter.kinds and scan_filter.keeps(tag, known))
        if length != UNDEFINED and is_known and known not in _PERHAPS_ITEMS and vr not in OTHER_VRS:
            return (Element(tag, known, position, value, stop, stop) if hit else None), stop
        element = Element(tag, known, position, value, stop, stop, length != UNDEFINED)
        self.find_items(element, vr, end, encoding, is_known=is_known, hit=hit, depth=depth)
        is_kept = hit or (element.items is not None and any(item.elements for item in element.items))
        return (element if is_kept else None), element.end

    def _may_be_known(self, position: int, end: int) -> bool:
        """Whether the bytes of a sequence may have come before, so that it need not be entered."""
        return (
            self.filter.sequences is not None
            and not self.recording
            and end - position >= 12
            and self.entered not in (position, ALL)
        )

    def _sequence(
        self, position: int, end: int, encoding: Encoding, depth: int
    ) -> tuple[Element | None, int]:
        """As ``element``, of a sequence in explicit VR, which is entered only if its bytes are new."""
        sequences = self.filter.sequences
        assert sequences is not None
        buffer, base = self.source.window(position, IN_SIGHT)
        known = sequences.find(buffer, position - base, end - base)
        if known is not None:
            stop = position + len(known.data)
            return (known.at(position) if known.is_kept else None), stop
        blocks = self.blocks
        self.entered = position
        element, after = self.element(position, end, encoding, depth)
        if self.blocks == blocks and not self.is_in_doubt and (element is None or element.items is not None):
            sequences.add(self.source, position, after, element, self.filter)
        return element, after

    def _long_header(
        self, code: bytes, tag: int, position: int, end: int, *, little: bool
    ) -> tuple[str, int, int, bool]:
        """The header of an element whose VR has no length of 16 bits.

        Returns:
            Its VR, "" for one that the standard does not know; where its value begins; how long that is;
            and whether the standard knows the VR.
        """
        if code not in LONG_VRS:
            self.doubt()
            value, length = unknownvrs.place_of(self.source, position, end, little=little)
            return "", value, length, False
        if end - position < 12:
            raise FileError(f"{dictionary.text_of(tag)} at byte {position} has no end: {CUT_OFF}")
        buffer, base = self.source.window(position, 12)
        return code.decode(), position + 12, _LENGTH[little](buffer, position - base + 8)[0], True

    def frames(self, stop: int, encoding: Encoding) -> int:
        """The number of frames that is told before fragments; 1 where it is not."""
        before = ElementScanner(self.source, ScanFilter((dictionary.NUMBER_OF_FRAMES,), ()))
        position = self.start
        while position < stop - 12:  # the header of the pixel data
            element, position = before.element(position, self.source.size, encoding, 0)
            if element is not None and element.tag == dictionary.NUMBER_OF_FRAMES:
                text = self.source.read(element.value, element.stop).strip(b"\0 ")
                return int(text) if text.isdigit() else 1
        return 1
