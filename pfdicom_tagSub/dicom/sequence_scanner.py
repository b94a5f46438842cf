"""Where items and fragments lie in the value of an element (PS3.5 7.5, A.4)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from struct import Struct

from ..core.errors import FileError
from ..dicom import dictionary
from .elements import (
    CUT_OFF,
    EXPLICIT_BIG,
    EXPLICIT_LITTLE,
    IMPLICIT_BIG,
    IMPLICIT_LITTLE,
    ITEM,
    ITEM_END,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
    Element,
    Encoding,
    Item,
)
from .header_cache import WalkLog
from .scan_filter import ScanFilter
from .sources import Source, is_zeros

MAX_DEPTH = 64

ATTEMPTS_MOST = 4096
"""So many readings of what may be items may fail in one scan."""

_DELIMITER = ScanFilter((SEQUENCE_END,))

ZEROS = bytes(8)

_ITEM_STARTS = {
    True: (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"),
    False: (b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd"),
}
ITEM_ENDS = {True: b"\xfe\xff\x0d\xe0", False: b"\xff\xfe\xe0\x0d"}


# Group, element, 32-bit length.
_HEADER = {True: Struct("<HHI").unpack_from, False: Struct(">HHI").unpack_from}


NO_LOG = WalkLog()
"""That of a scan that records nothing; nothing is ever added to it."""


class SequenceScanner(ABC):
    """Items and fragments of one scan over one source; subclasses find the elements in them.

    Attributes:
        source: the bytes.
        filter: what to keep.
        log: what the scan looked at, while a chain is recorded.
        recording: how many chains are recorded at the moment.
        start: where the data set begins.
        blocks: counts what cannot be replayed from headers alone.
        is_in_doubt: whether others may read something differently.
        attempts: how many readings of what may be items failed.
        entered: where the sequence begins that is entered whether or not its bytes came before; -1 for none.
    """

    def __init__(self, source: Source, scan_filter: ScanFilter, start: int = 0) -> None:
        self.source = source
        self.filter = scan_filter
        self.log = NO_LOG
        self.recording = 0
        self.start = start
        self.blocks = 0
        self.is_in_doubt = False
        self.attempts = 0
        self.entered = -1

    def doubt(self) -> None:
        """Note that others may read differently what comes now; it is never replayed."""
        self.is_in_doubt = True
        self.blocks += 1

    @abstractmethod
    def data_set(
        self,
        position: int,
        end: int,
        encoding: Encoding,
        *,
        delimited: bool,
        depth: int,
        may_end: bool = False,
    ) -> tuple[list[Element], int]:
        """The elements of the data set of an item; the arguments are those of ``ElementScanner``."""

    @abstractmethod
    def frames(self, stop: int, encoding: Encoding) -> int:
        """The number of frames that is told before a place; 1 where it is not."""

    def key_at(self, position: int) -> bytes:
        buffer, base = self.source.window(position, 8)
        return buffer[position - base : position - base + 8]

    def ends_at(self, position: int, end: int) -> bool:
        """Whether no element begins here: too few bytes are left, or zeros."""
        return end - position < 8 or self.key_at(position) == ZEROS

    def is_padding(self, position: int, end: int) -> bool:
        """Whether nothing but zeros follows."""
        return self.ends_at(position, end) and is_zeros(self.source, position, end)

    def tag_at(self, position: int, end: int, *, little: bool) -> int:
        """The tag at a place; an error where the data set has no room for an element."""
        group, number, _ = self.header_at(position, end, little=little)
        return group << 16 | number

    def header_at(self, position: int, end: int, *, little: bool) -> tuple[int, int, int]:
        if end - position < 8:
            raise FileError(
                f"the data ends at byte {end}, within an element or before a delimiter: {CUT_OFF}"
            )
        buffer, base = self.source.window(position, 8)
        header: tuple[int, int, int] = _HEADER[little](buffer, position - base)
        return header

    def must_hold_nothing(self, element: Element, what: str) -> None:
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

    def occurs(self, start: int, stop: int, inner: Encoding, around: Encoding) -> bool:
        """Whether a value may hold a tag to enter it for, or items in the other byte order."""
        occurs = self.filter.occurs_in(self.source, start, stop, little=inner.little)
        if not occurs and inner.little != around.little:
            occurs = self.filter.occurs_in(self.source, start, stop, little=around.little)
        return occurs

    def begins_item(self, position: int, end: int, *, little: bool) -> bool:
        return end - position >= 8 and self.key_at(position)[:4] in _ITEM_STARTS[little]

    def items_of(
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
                if self.attempts > ATTEMPTS_MOST:
                    raise FileError(f"too much can be read in several ways at byte {element.start}")
                try:
                    return self.items(
                        element.value, end, reading, defined=element.defined, depth=depth + 1, padded=padded
                    )
                except FileError as error:
                    first = first or error
                    self.attempts += 1  # what is read at once is gone over once, and costs no attempt
                    self.doubt()
        finally:
            self.filter = outer
        assert first is not None
        raise first

    def _readings(
        self, position: int, end: int, encoding: Encoding, around: Encoding
    ) -> tuple[Encoding, ...]:
        """The encodings that items may have, the likeliest first."""
        if self.begins_item(position, end, little=not encoding.little):
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
            if padded and defined and self.is_padding(position, end):
                self.doubt()
                return found, end
            group, number, length = self.header_at(position, end, little=encoding.little)
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
        if buffer[place : place + 4] == ITEM_ENDS[around.little]:
            return around
        self.doubt()
        self.attempts += 1
        bare = replace(around, implicit=True)
        try:
            self.data_set(position, end, bare, delimited=delimited, depth=depth)
        except FileError:
            return around
        return bare

    def fragments(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[int, bool]:
        """Where the fragments of an encapsulated value end, and whether a delimiter says so (PS3.5 A.4).

        Some writers end the file after the last fragment. pydicom looks for the bytes of a
        delimiter then, wherever they are.
        """
        start = position
        count = 0
        while True:
            if depth == 0 and count > 1 and self.is_padding(position, end):
                self.doubt()
                is_told = _DELIMITER.occurs_in(self.source, start, position, little=encoding.little)
                if is_told or count <= self.frames(start, encoding):
                    raise FileError(f"the fragments that begin at byte {start} do not end: {CUT_OFF}")
                return position, False
            group, number, length = self.header_at(position, end, little=encoding.little)
            tag = group << 16 | number
            if tag == SEQUENCE_END:
                return position, True
            if tag != ITEM or length > end - position - 8:
                raise FileError(f"the fragment at byte {position} does not end: {CUT_OFF}")
            position += 8 + length
            count += 1
