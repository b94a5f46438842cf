"""Which identifying attributes of a data set stay, counted without an object for each element.

Where what the rules say of an element depends on its tag alone, a run of headers that came before (see
``dicom/header_cache.py``) says which attributes are there and how deep; of short values it remains to be
seen whether there is anything in them. The files of a series, and the frames of an enhanced image, share
most of these runs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from ..core.errors import FileError
from ..core.file_survey import Remaining
from ..dicom.element_scanner import ElementScanner
from ..dicom.elements import Element, Encoding, Stretch
from ..dicom.header_cache import Chain, Family, Kept
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import ScanResult
from .chain_counts import BLANKS, CERTAIN, DEPTH, KINDS, TAG, ChainCounts, FoundChain, Verdict

HEADERS_MOST = 32
"""A sequence of more headers is entered each time: of so many one mostly differs, and a chain would be for
one file alone. What is in it has chains of its own."""

FORMS_MOST = 16
"""Of what follows a header so many forms are remembered: a census enters every sequence, and these are of
many forms."""

REMEMBERED = 1 << 10


@dataclass(frozen=True, slots=True)
class Counted:
    """What a data set holds.

    Attributes:
        remaining: identifying attributes that stay, and how many of them.
        rules: the rules that say that an element stays.
    """

    remaining: dict[Remaining, int]
    rules: frozenset[int]


class CensusResult(NamedTuple):
    """What a scan for a census found.

    Attributes:
        counted: what stays; the same object for data sets that hold the same.
        kinds: the values of Modality and SOP Class UID, as far as there are any.
        elements: what the scan finds that the rules need; None where it takes that scan to say so.
    """

    counted: Counted
    kinds: dict[int, bytes]
    elements: ScanResult | None


_CensusPart = FoundChain | tuple[int, int, bool]
"""A chain that was found; or of an element outside of chains tag, depth and whether it has a value."""


class CensusScanner(ElementScanner):
    """A scan that notes what it finds, at any depth, and keeps no element.

    A chain holds what is in the sequences of its run, too, each with its depth.

    Attributes:
        key: all that the counts depend on: the chains that were found with what is blank in them, and what
            was found besides.
        kinds: the values of what says what the file is.
        elements: what was found that the rules need.
        is_simple: whether they need nothing besides: nothing in sequences, and none of these.
    """

    def __init__(self, data_set: Stretch, census: Census) -> None:
        super().__init__(data_set.source, census.filter, data_set.start)
        self.census = census
        self.key: list[_CensusPart] = []
        self.kinds: dict[int, bytes] = {}
        self.elements = ScanResult()
        self.is_simple = True
        self._noted: list[tuple[int, Element]] = []  # of the chains that are being made
        self._depth = 0

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
        """As that of any scan."""
        outer, self._depth = self._depth, depth
        found = super().data_set(
            position, end, encoding, delimited=delimited, depth=depth, may_end=may_end, kept=kept
        )
        self._depth = outer
        return found

    def element(self, position: int, end: int, encoding: Encoding, depth: int) -> tuple[Element | None, int]:
        """As that of any scan, but that nothing is kept."""
        noted, keyed, headers = len(self._noted), len(self.key), len(self.log.headers)
        element, after = super().element(position, end, encoding, depth)
        if element is not None:
            if element.items is not None and self.census.verdict(element.tag).is_hit:
                del self._noted[noted:], self.key[keyed:]  # what is in it goes with it
            self._note(depth, element)
        if self.recording and len(self.log.headers) - headers > HEADERS_MOST:
            self.blocks += 1
        return None, after

    def mark(self) -> int:
        """How much was noted."""
        return len(self._noted)

    def recorded(self, element: Element | None, mark: int, depth: int) -> list[Element]:  # noqa: ARG002
        """What was noted of an element and what is in it, by their depths in it."""
        return [
            replace(one, tag=one.tag | (own - depth) << DEPTH, items=None) for own, one in self._noted[mark:]
        ]

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
        position = super().record(position, end, encoding, kept, family, depth=depth)
        if not self.recording:
            noted, self._noted = self._noted, []
            for own, element in noted:
                self._note(own, element)
        return position

    def keep(self, chain: Chain, position: int, kept: list[Element]) -> None:  # noqa: ARG002
        depth = self._depth
        if self.recording:
            for _, label, vr, start, value, stop in chain.kept:
                last = position + stop
                element = Element(label & TAG, vr, position + start, position + value, last, last)
                self._note(depth + (label >> DEPTH), element)
            return
        known = self.census.chains.get(id(chain))
        counts = self.census.counts_of(chain) if known is None else known[1]
        buffer, base = self.source.window(position, counts.reach)
        place = position - base
        stored = buffer[place : place + counts.size]
        before = counts.last
        if before is not None and before[0] == stored and before[1].depth == depth:  # of the same series
            self.key.append(before[1])
        else:
            self.key.append(counts.noted(stored, depth))
        if counts.counts_alone:
            return
        if not counts.is_simple:
            self.is_simple = False
        if not depth:
            for tag, start, stop in counts.kinds:
                self.kinds[tag] = buffer[place + start : place + stop]
            for tag, vr, start, value, stop in counts.elements:
                end = position + stop
                self.elements.append(Element(tag, vr, position + start, position + value, end, end))
        elif counts.elements:
            self.is_simple &= not any(one[0] & 0xFFFF for one in counts.elements)

    def _note(self, depth: int, element: Element) -> None:
        tag = element.tag
        is_kind = not depth and tag in KINDS
        verdict = self.census.verdict(tag)
        if tag not in KINDS and verdict.is_idle and not verdict.is_kept:
            return
        if self.recording:
            self._noted.append((depth, element))
            return
        if verdict.is_kept:
            if not depth and element.vr != "SQ" and element.items is None and element.defined:
                self.elements.append(element)
            else:
                self.is_simple &= not tag & 0xFFFF
        size = element.stop - element.value
        value = self.source.read(element.value, element.stop) if size <= CERTAIN else b""
        self.key.append((tag, depth, size > CERTAIN or bool(value.strip(BLANKS))))
        if is_kind:
            self.kinds[tag] = self.source.read(element.value, element.stop)


class Census:
    """Counts what stays in data sets; it keeps what it found out for those to come.

    Not safe to share between threads.

    Attributes:
        chains: what chains come to, by their numbers; with each the chain, so that no other gets its number.
    """

    def __init__(self, scan_filter: ScanFilter, verdict_of: Callable[[int], Verdict]) -> None:
        """Args:
        scan_filter: what may count; it enters every sequence, and is of this census alone.
        verdict_of: what the rules say of an element by its tag, which has to be all that they look at.
        """
        self.filter = scan_filter
        self._verdict_of = verdict_of
        self._verdicts: dict[int, Verdict] = {}
        self.chains: dict[int, tuple[Chain, ChainCounts]] = {}
        self._counts: dict[tuple[Kept, ...], ChainCounts] = {}
        self._counted: dict[tuple[_CensusPart, ...], Counted] = {}

    def count(self, data_set: Stretch) -> CensusResult | None:
        """Count what stays in a data set.

        Returns:
            What was found; None where readers may differ over the data set, or it cannot be read.
        """
        return self.count_part(data_set, data_set.start, data_set.stop)

    def count_part(self, data_set: Stretch, start: int, stop: int) -> CensusResult | None:
        """As ``count``, in some elements of a data set.

        Args:
            data_set: the data set.
            start: where the first of them begins.
            stop: where the last one ends.
        """
        if data_set.other:
            return None
        scanner = CensusScanner(data_set, self)
        try:
            scanner.data_set(start, stop, data_set.encoding, delimited=False, depth=0)
        except FileError:
            return None
        return None if scanner.is_in_doubt else self.result(scanner)

    def result(self, scanner: CensusScanner) -> CensusResult:
        """What a scan found of which nothing was in doubt."""
        scanner.elements.is_certain = True
        elements = scanner.elements if scanner.is_simple else None
        return CensusResult(self._counted_of(tuple(scanner.key)), scanner.kinds, elements)

    def plain(self, tag: int, *, is_filled: bool) -> CensusResult:
        """What comes of an element of a data set itself that has no items and that the rules do not need."""
        key = () if self.verdict(tag).is_idle else ((tag, 0, is_filled),)
        return CensusResult(self._counted_of(key), {}, ScanResult())

    def _counted_of(self, key: tuple[_CensusPart, ...]) -> Counted:
        counted = self._counted.get(key)
        if counted is None:
            if len(self._counted) >= REMEMBERED:
                self._counted.clear()
            counted = self._counted[key] = self._sum(Counter(key))
        return counted

    def verdict(self, tag: int) -> Verdict:
        """What the rules say of an element with a tag."""
        known = self._verdicts.get(tag)
        if known is None:
            if len(self._verdicts) >= REMEMBERED:
                self._verdicts.clear()
            known = self._verdicts[tag] = self._verdict_of(tag)
        return known

    def counts_of(self, chain: Chain) -> ChainCounts:
        """What the elements of a chain come to."""
        known = self.chains.get(id(chain))
        if known is None:
            if len(self.chains) >= REMEMBERED:
                self.chains.clear()
            counts = self._counts.get(chain.kept)
            if counts is None:
                if len(self._counts) >= REMEMBERED:
                    self._counts.clear()
                counts = self._counts[chain.kept] = ChainCounts(chain, self.verdict)
            known = self.chains[id(chain)] = chain, counts
        return known[1]

    def _sum(self, parts: Mapping[_CensusPart, int]) -> Counted:
        """What the parts of a key come to, each as often as it is there."""
        remaining: Counter[Remaining] = Counter()
        rules: set[int] = set()
        for part, often in parts.items():
            if isinstance(part, FoundChain):
                counts, blank = part.counts, part.blank
                rules |= counts.rules
                filled = [one for index, one in enumerate(counts.doubtful) if index not in blank]
                for tag, own, is_kept in (*counts.certain, *filled):
                    remaining[Remaining(tag, part.depth + own, is_kept)] += often
                continue
            tag, depth, is_filled = part
            verdict = self.verdict(tag)
            rules.update(verdict.keepers)
            if is_filled and verdict.remains is not None and not verdict.is_hit:
                remaining[Remaining(verdict.remains, depth, bool(verdict.keepers))] += often
        return Counted(dict(remaining), frozenset(rules))
