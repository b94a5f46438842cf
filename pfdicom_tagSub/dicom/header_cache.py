"""The way over elements that was walked once, so that the next file need not walk it.

Where a data set's elements lie follows from their headers alone: tag, VR and length of
one say where the next begins. A chain remembers the headers of a run of elements, those
of the sequences in it included, and where they lay. When the same headers lie at the
same places of another data set, every step of the walk would be the same, so it is not
walked: one ``struct`` unpacks all headers at C speed and one comparison proves them
equal. The files of a series, and the frames of an enhanced image, differ in few lengths.

Where elements differ from file to file, the chain is cut before the first of them, and
chains of their own begin with each form that they take: the next header picks among them.

What the walk decided by looking at values is checked again: that no item begins a value
of unknown VR, and that a sequence which was stepped over holds no tag to enter it for.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress
from operator import ne
from struct import Struct
from typing import Protocol

from .sources import Source

ELEMENTS_MOST = 64
HEADERS_MOST = 256
LENGTH_MOST = 1 << 14
"""The bytes that a chain may span, so that it fits in one window of a large file. The value of its last
element may go on beyond if nobody looks at it, such as that of the pixel data."""

FAMILY_MOST = 4
CREDIT = 16
WALKS_PER_CREDIT = 64
CREATORS_END = 0x100

# An item or the end of a sequence, in either byte order.
ITEM_MARKS = frozenset({b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd"})

Kept = tuple[int, int, str, int, int, int]
"""Which element of a chain it is, its tag and VR; where it starts, its value starts and
stops, counted from where the chain starts."""


class _HeaderElement(Protocol):
    @property
    def tag(self) -> int: ...
    @property
    def vr(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def value(self) -> int: ...
    @property
    def stop(self) -> int: ...


@dataclass(slots=True)
class Chain:
    """A run of elements of one data set. Places count from where it starts.

    Attributes:
        key: its first eight bytes.
        count: how many elements it has.
        places: where each element starts, and where the last one ends.
        firsts: the index of the first header of each element.
        headers: the headers, those within sequences included.
        spans: (place, length) of each header.
        layout: unpacks the headers.
        extent: how many bytes from its start a match has to see.
        kept: the elements to keep.
        runs: the same with private elements of one group that follow each other as one; the
            first number is how many they are.
        apart: the VRs of private elements that stand alone among the runs.
        checks: (element, place): where no item may begin.
        searches: (element, start, stop): what may not hold a tag to enter it for.
    """

    key: bytes
    count: int
    places: list[int]
    firsts: list[int]
    headers: tuple[bytes, ...]
    spans: tuple[tuple[int, int], ...]
    layout: Struct
    extent: int
    kept: tuple[Kept, ...]
    runs: tuple[Kept, ...]
    apart: frozenset[str]
    checks: tuple[tuple[int, int], ...]
    searches: tuple[tuple[int, int, int], ...]

    def match(self, buffer: bytes, place: int, end: int, pattern: re.Pattern[bytes] | None) -> int:
        """How many of its elements lie at a place.

        Args:
            buffer: the bytes.
            place: where in them to look.
            end: where in them the data set ends; it may be beyond the buffer.
            pattern: the tags to enter sequences for; None enters every one.
        """
        if place + self.extent > len(buffer) or place + self.places[-1] > end:
            return 0
        found = self.layout.unpack_from(buffer, place)
        matching = self.count
        if found != self.headers:
            other = next(compress(itertools.count(), map(ne, found, self.headers)))
            matching = bisect_right(self.firsts, other) - 1
        for element, start in self.checks:
            if element >= matching:
                break
            if buffer[place + start : place + start + 4] in ITEM_MARKS:
                matching = element
                break
        for element, start, stop in self.searches:
            if element >= matching:
                break
            if pattern is None or pattern.search(buffer, place + start, place + stop):
                matching = element
                break
        return matching

    def cut(self, count: int) -> Chain:
        """The chain of its first elements."""
        headers = self.firsts[count]
        return _made(
            self.key,
            self.places[: count + 1],
            self.firsts[:count],
            self.headers[:headers],
            self.spans[:headers],
            tuple(kept for kept in self.kept if kept[0] < count),
            tuple(check for check in self.checks if check[0] < count),
            tuple(search for search in self.searches if search[0] < count),
            self.apart,
        )


class Family:
    """The chains that begin with one header; the one that matched last comes first.

    A walk is remembered only while that pays: each chain costs a credit, and each match
    earns one. A sequence whose inside never repeats soon has none left; it gets a new one
    now and then, since the next series may be another.

    Attributes:
        chains: the chains.
        is_open: whether more chains may be added at all.
        most: how many chains there are at most.
    """

    __slots__ = ("chains", "credit", "is_open", "most", "walks")

    def __init__(self, most: int = FAMILY_MOST) -> None:
        self.most = most
        self.chains: list[Chain] = []
        self.credit = CREDIT
        self.is_open = True
        self.walks = 0

    def match(
        self, buffer: bytes, place: int, end: int, pattern: re.Pattern[bytes] | None
    ) -> tuple[Chain | None, int]:
        """The chain that matches and how many of its elements do; None, 0 if none does.

        Args: as of ``Chain.match``. A chain that matches in part is cut.
        """
        chains = self.chains
        for index, known in enumerate(chains):
            count = known.match(buffer, place, end, pattern)
            if count:
                chain = known if count == known.count else known.cut(count)
                if index or chain is not known:
                    # Never changed in place: threads may share the family.
                    self.chains = [chain, *(other for other in chains if other is not known)]
                if self.credit < CREDIT:
                    self.credit += 1
                return chain, count
        return None, 0

    def wants_more(self) -> bool:
        """Whether a walk that begins here is worth remembering."""
        if not self.is_open:
            return False
        self.walks += 1
        if self.credit or not self.walks % WALKS_PER_CREDIT:
            self.credit = max(self.credit - 1, 0)
            return True
        return False

    def add(self, chain: Chain) -> None:
        """Add a chain; one without elements closes the family."""
        if not chain.count:
            self.is_open = False
            return
        self.chains = [chain, *self.chains][: self.most]


def _made(
    key: bytes,
    places: list[int],
    firsts: list[int],
    headers: tuple[bytes, ...],
    spans: tuple[tuple[int, int], ...],
    kept: tuple[Kept, ...],
    checks: tuple[tuple[int, int], ...],
    searches: tuple[tuple[int, int, int], ...],
    apart: frozenset[str],
) -> Chain:
    layout = "<"
    place = 0
    for start, length in spans:
        layout += f"{start - place}x{length}s"
        place = start + length
    structure = Struct(layout)
    looked_at = [structure.size, *(place + 4 for _, place in checks), *(stop for _, _, stop in searches)]
    return Chain(
        key,
        len(places) - 1,
        places,
        firsts,
        headers,
        spans,
        structure,
        max(looked_at),
        kept,
        _runs(kept, apart),
        apart,
        checks,
        searches,
    )


def _runs(kept: tuple[Kept, ...], apart: frozenset[str]) -> tuple[Kept, ...]:
    """Elements with private ones that follow each other as one.

    A group length stands alone, and so does what is to stand apart; private creators do with that, as they
    say what the VRs of others are.
    """
    runs: list[Kept] = []
    last, group = -1, -1
    for _, tag, vr, start, value, stop in kept:
        number = tag & 0xFFFF
        joins = bool(tag >> 16 & 1 and number) and not (apart and (number < CREATORS_END or vr in apart))
        if joins and last == start and group == tag >> 16:
            runs[-1] = (runs[-1][0] + 1, *runs[-1][1:-1], stop)
        else:
            runs.append((1, tag, vr, start, value, stop))
        last, group = stop, tag >> 16 if joins else -1
    return tuple(runs)


class WalkLog:
    """What a walk looked at, as long as some chain is being made.

    Attributes:
        headers: (place, length) of each header.
        checks: where it was looked for an item and none was found.
        searches: (start, stop) of what was searched for tags without success.
    """

    def __init__(self, apart: frozenset[str] = frozenset()) -> None:
        """Args:
        apart: as of a chain.
        """
        self.apart = apart
        self.headers: list[tuple[int, int]] = []
        self.checks: list[int] = []
        self.searches: list[tuple[int, int]] = []

    def begin(self, start: int) -> Recording:
        """Begin a chain at a place of the file."""
        return Recording(self, start)

    def replay(self, chain: Chain, start: int) -> None:
        """Add what a chain that matched stands for."""
        self.headers += [(start + place, length) for place, length in chain.spans]
        self.checks += [start + place for _, place in chain.checks]
        self.searches += [(start + first, start + last) for _, first, last in chain.searches]


class Recording:
    """A chain in the making."""

    def __init__(self, log: WalkLog, start: int) -> None:
        self.log = log
        self.start = start
        self.marks = [(len(log.headers), len(log.checks), len(log.searches))]
        self.places = [0]
        self.kept: list[Kept] = []

    def is_empty(self) -> bool:
        """Whether no element was added yet."""
        return len(self.places) == 1

    def has_room(self) -> bool:
        """Whether another element may be added."""
        headers = self.marks[-1][0] - self.marks[0][0]
        return len(self.places) <= ELEMENTS_MOST and headers < HEADERS_MOST and self.places[-1] < LENGTH_MOST

    def add(self, stop: int, elements: Sequence[_HeaderElement]) -> bool:
        """Add the element that was walked over last.

        Args:
            stop: where it ends.
            elements: the element, if it is kept, or what is kept of it.

        Returns:
            Whether the chain goes on.
        """
        log = self.log
        if len(log.headers) - self.marks[0][0] > HEADERS_MOST:
            return False
        if stop - self.start > LENGTH_MOST and (elements or not self._was_passed_over()):
            return False
        for element in elements:
            own = (element.start - self.start, element.value - self.start, element.stop - self.start)
            self.kept.append((len(self.places) - 1, element.tag, element.vr, *own))
        self.marks.append((len(log.headers), len(log.checks), len(log.searches)))
        self.places.append(stop - self.start)
        return True

    def _was_passed_over(self) -> bool:
        """Whether of the element that was walked over last nothing was looked at but one header, in sight."""
        log = self.log
        headers, *others = self.marks[-1]
        place, length = log.headers[-1]
        is_in_sight = place + length - self.start <= LENGTH_MOST
        return is_in_sight and [headers + 1, *others] == [
            len(log.headers),
            len(log.checks),
            len(log.searches),
        ]

    def end(self, source: Source) -> Chain:
        """The chain. One without elements says that there is no use in trying again."""
        log, origin, marks = self.log, self.start, self.marks
        headers = log.headers[marks[0][0] : marks[-1][0]]
        checks: list[tuple[int, int]] = []
        searches: list[tuple[int, int, int]] = []
        for element, (before, after) in enumerate(itertools.pairwise(marks)):
            checks += [(element, place - origin) for place in log.checks[before[1] : after[1]]]
            searches += [(element, a - origin, b - origin) for a, b in log.searches[before[2] : after[2]]]
        end = headers[-1][0] + headers[-1][1] if headers else origin
        data = source.read(origin, max(end, origin + 8))
        spans = tuple((start - origin, length) for start, length in headers)
        return _made(
            data[:8],
            self.places,
            [mark[0] - marks[0][0] for mark in marks[:-1]],
            tuple(data[start : start + length] for start, length in spans),
            spans,
            tuple(self.kept),
            tuple(checks),
            tuple(searches),
            log.apart,
        )
