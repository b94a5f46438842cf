"""Which identifying attributes of a data set stay, counted without an object for each element.

Where what the rules say of an element depends on its tag alone, a run of headers that came before (see
``dicom/header_cache.py``) says which attributes are there and how deep; of short values it remains to be
seen whether there is anything in them. The files of a series, and the frames of an enhanced image, share
most of these runs.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple

from ..core.errors import FileError
from ..core.file_survey import Remaining
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID
from ..dicom.element_scanner import ElementScanner
from ..dicom.elements import Element, Encoding, Stretch
from ..dicom.header_cache import Chain, Family, Kept
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import ScanResult

CERTAIN = 64
"""A value of more bytes than this has something in it."""

HEADERS_MOST = 32
"""A sequence of more headers is entered each time: of so many one mostly differs, and a chain would be for
one file alone. What is in it has chains of its own."""

FORMS_MOST = 16
"""Of what follows a header so many forms are remembered: a census enters every sequence, and these are of
many forms."""

REMEMBERED = 1 << 10
BLANKS = b"\0 "
_BLANK_BYTES = frozenset(BLANKS)

_DEPTH = 32
_TAG = (1 << _DEPTH) - 1
"""An element of a chain is labelled with its tag and, from this bit on, its depth in the chain."""

_FLOATS = frozenset({"FD", "FL", "OD", "OF"})
"""The last byte of a round number says more than its first."""

_KINDS = frozenset({MODALITY, SOP_CLASS_UID})


class Verdict(NamedTuple):
    """What the rules say of an element with some tag.

    Attributes:
        is_hit: whether it goes or changes, and what is in it with it.
        remains: the tag that it counts as where it stays and holds something; None if it does not count.
        keepers: the rules that say that it stays.
        is_kept: whether the scan that the rules need keeps it.
    """

    is_hit: bool
    remains: int | None
    keepers: tuple[int, ...]
    is_kept: bool = False

    @property
    def is_idle(self) -> bool:
        """Whether nothing follows from it."""
        return self.remains is None and not self.keepers


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


class _ChainCounts:
    """What the elements of a chain come to.

    Attributes:
        certain: what stays and has something in it: (what it counts as, depth, whether a rule keeps it).
        doubtful: likewise, what has something in it where its short value has.
        layout: unpacks the short values.
        samples: a byte of each.
        kinds: (tag, start, stop) of what says what the file is.
        rules: as of ``Counted``.
        elements: (tag, VR, start, value, stop) of those that the rules need, if they are no sequences.
        is_simple: whether they need nothing else in it.
        last: the bytes up to the last short value where they were looked at last, and which were blank.
    """

    __slots__ = (
        *("certain", "doubtful", "elements", "is_simple"),
        *("kinds", "last", "layout", "rules", "samples"),
    )

    def __init__(self, chain: Chain, verdict_of: Callable[[int], Verdict]) -> None:
        self.certain: list[tuple[int, int, bool]] = []
        self.doubtful: list[tuple[int, int, bool]] = []
        self.kinds: list[tuple[int, int, int]] = []
        self.elements: list[tuple[int, str, int, int, int]] = []
        self.is_simple = True
        rules: set[int] = set()
        layout, last = "<", 0
        short: list[tuple[int, int, str]] = []
        for _, label, vr, start, value, stop in sorted(chain.kept, key=lambda kept: kept[4]):
            depth, tag = label >> _DEPTH, label & _TAG
            if not depth and tag in _KINDS:
                self.kinds.append((tag, value, stop))
            verdict = verdict_of(tag)
            rules.update(verdict.keepers)
            if verdict.is_kept:
                if depth or vr == "SQ":
                    self.is_simple &= not tag & 0xFFFF
                else:
                    self.elements.append((tag, vr, start, value, stop))
            if verdict.is_hit or verdict.remains is None or value == stop:
                continue
            counted = verdict.remains, depth, bool(verdict.keepers)
            if stop - value > CERTAIN or vr == "SQ":  # items are no blanks
                self.certain.append(counted)
                continue
            self.doubtful.append(counted)
            short.append((value, stop, vr))
            layout += f"{value - last}x{stop - value}s"
            last = stop
        self.rules = frozenset(rules)
        self.last: tuple[bytes, tuple[int, ...]] | None = None
        self.layout = Struct(layout)
        # A byte of each value that is seldom blank.
        places = [stop - 1 if vr in _FLOATS else value for value, stop, vr in short]
        self.samples: Callable[[bytes], tuple[int, ...]] = (
            itemgetter(*places) if len(places) > 1 else lambda values: tuple(values[at] for at in places)
        )

    def blanks(self, stored: bytes) -> tuple[int, ...]:
        """The indices of the short values with nothing in them, in the bytes from where the chain lies."""
        if self.last is not None and self.last[0] == stored:  # as in the file before, of the same series
            return self.last[1]
        found = () if _BLANK_BYTES.isdisjoint(self.samples(stored)) else self._blanks(stored)
        self.last = stored, found
        return found

    def _blanks(self, stored: bytes) -> tuple[int, ...]:
        values = self.layout.unpack(stored)
        filled = list(map(bytes.strip, values, itertools.repeat(BLANKS)))
        found, last = [], -1
        for _ in range(filled.count(b"")):
            last = filled.index(b"", last + 1)
            found.append(last)
        return tuple(found)


class _CensusScanner(ElementScanner):
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
        self.key: list[tuple[object, ...]] = []
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
            replace(one, tag=one.tag | (own - depth) << _DEPTH, items=None) for own, one in self._noted[mark:]
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
                element = Element(label & _TAG, vr, position + start, position + value, last, last)
                self._note(depth + (label >> _DEPTH), element)
            return
        known = self.census.chains.get(id(chain))
        counts = self.census.counts_of(chain) if known is None else known[1]
        buffer, base = self.source.window(position, chain.places[-1])
        place = position - base
        stored = buffer[place : place + counts.layout.size]
        self.key.append((counts, depth, counts.blanks(stored)))
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
        is_kind = not depth and tag in _KINDS
        verdict = self.census.verdict(tag)
        if tag not in _KINDS and verdict.is_idle and not verdict.is_kept:
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
        self.chains: dict[int, tuple[Chain, _ChainCounts]] = {}
        self._counts: dict[tuple[Kept, ...], _ChainCounts] = {}
        self._counted: dict[tuple[object, ...], Counted] = {}

    def count(self, data_set: Stretch) -> CensusResult | None:
        """Count what stays in a data set.

        Returns:
            What was found; None where readers may differ over the data set, or it cannot be read.
        """
        if data_set.other:
            return None
        start, stop = data_set.start, data_set.stop
        scanner = _CensusScanner(data_set, self)
        try:
            scanner.data_set(start, stop, data_set.encoding, delimited=False, depth=0)
        except FileError:
            return None
        if scanner.is_in_doubt:
            return None
        key = tuple(scanner.key)
        counted = self._counted.get(key)
        if counted is None:
            if len(self._counted) >= REMEMBERED:
                self._counted.clear()
            counted = self._counted[key] = self._sum(Counter(key))
        scanner.elements.is_certain = True
        return CensusResult(counted, scanner.kinds, scanner.elements if scanner.is_simple else None)

    def verdict(self, tag: int) -> Verdict:
        """What the rules say of an element with a tag."""
        known = self._verdicts.get(tag)
        if known is None:
            if len(self._verdicts) >= REMEMBERED:
                self._verdicts.clear()
            known = self._verdicts[tag] = self._verdict_of(tag)
        return known

    def counts_of(self, chain: Chain) -> _ChainCounts:
        """What the elements of a chain come to."""
        known = self.chains.get(id(chain))
        if known is None:
            if len(self.chains) >= REMEMBERED:
                self.chains.clear()
            counts = self._counts.get(chain.kept)
            if counts is None:
                if len(self._counts) >= REMEMBERED:
                    self._counts.clear()
                counts = self._counts[chain.kept] = _ChainCounts(chain, self.verdict)
            known = self.chains[id(chain)] = chain, counts
        return known[1]

    def _sum(self, parts: Mapping[tuple[Any, ...], int]) -> Counted:
        """What the parts of a key come to, each as often as it is there."""
        remaining: Counter[Remaining] = Counter()
        rules: set[int] = set()
        for (what, depth, found), often in parts.items():
            if isinstance(what, _ChainCounts):
                rules |= what.rules
                filled = what.doubtful
                if found:
                    filled = [one for index, one in enumerate(filled) if index not in found]
                for tag, own, is_kept in (*what.certain, *filled):
                    remaining[Remaining(tag, depth + own, is_kept)] += often
                continue
            verdict = self.verdict(what)
            rules.update(verdict.keepers)
            if found and verdict.remains is not None and not verdict.is_hit:
                remaining[Remaining(verdict.remains, depth, bool(verdict.keepers))] += often
        return Counted(dict(remaining), frozenset(rules))
