"""What the elements of a run of headers come to where identifying attributes are counted (see ``census``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from struct import Struct
from typing import NamedTuple

from ..dicom.dictionary import MODALITY, SOP_CLASS_UID
from ..dicom.header_cache import Chain

CERTAIN = 64
"""A value of more bytes than this has something in it."""

NOTED_MOST = 1 << 8
"""Of a chain so many sets of blank values are remembered."""

BLANKS = b"\0 "
_BLANK_BYTES = frozenset(BLANKS)

DEPTH = 32
TAG = (1 << DEPTH) - 1
"""An element of a chain is labelled with its tag and, from this bit on, its depth in the chain."""

_FLOATS = frozenset({"FD", "FL", "OD", "OF"})
"""The last byte of a round number says more than its first."""

_HEADER_MOST = 12
"""The header of an element has no more bytes."""

KINDS = frozenset({MODALITY, SOP_CLASS_UID})


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


_ValueSpan = tuple[int, int, str]
"""Where a short value of a chain starts and stops, counted from where the chain starts, and its VR."""


class _CommonShortValues(NamedTuple):
    """What the short values of a chain have in common in the files that it was found in.

    Attributes:
        stored: the bytes of a file, from where the chain lies.
        layout: unpacks what is in common.
        values: what that is.
        blank: the indices of the values in common with nothing in them.
        varying: the indices of the others.
        samples: takes a byte of each of the others.
    """

    stored: bytes
    layout: Struct
    values: tuple[bytes, ...]
    blank: frozenset[int]
    varying: frozenset[int]
    samples: Callable[[bytes], tuple[int, ...]]


class FoundChain:
    """That a chain was found with these blank values at this depth; the same object each time.

    Attributes:
        counts: what the elements of the chain come to.
        depth: how deep it lies.
        blank: the indices of its short values with nothing in them.
    """

    __slots__ = ("blank", "counts", "depth")

    def __init__(self, counts: ChainCounts, depth: int, blank: frozenset[int]) -> None:
        self.counts = counts
        self.depth = depth
        self.blank = blank


class ChainCounts:
    """What the elements of a chain come to.

    Attributes:
        certain: what stays and has something in it: (what it counts as, depth, whether a rule keeps it).
        doubtful: likewise, what has something in it where its short value has.
        size: how many bytes from where the chain lies there are up to the last short value.
        kinds: (tag, start, stop) of what says what the file is.
        reach: how many bytes from where the chain lies there are up to the last value that is looked at.
        rules: as of ``Counted``.
        elements: (tag, VR, start, value, stop) of those that the rules need, if they are no sequences.
        is_simple: whether they need nothing else in it.
        counts_alone: whether it is counted and nothing else comes of it.
        last: the bytes of that size where they were looked at last, and what was noted of them.
    """

    __slots__ = (
        *("certain", "counts_alone", "doubtful", "elements", "is_simple"),
        *("kinds", "last", "reach", "rules", "size", "_in_common", "_noted", "_spans"),
    )

    def __init__(self, chain: Chain, verdict_of: Callable[[int], Verdict]) -> None:
        self.certain: list[tuple[int, int, bool]] = []
        self.doubtful: list[tuple[int, int, bool]] = []
        self.kinds: list[tuple[int, int, int]] = []
        self.elements: list[tuple[int, str, int, int, int]] = []
        self.is_simple = True
        rules: set[int] = set()
        short: list[_ValueSpan] = []
        for _, label, vr, start, value, stop in sorted(chain.kept, key=lambda kept: kept[4]):
            depth, tag = label >> DEPTH, label & TAG
            if not depth and tag in KINDS:
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
        self.rules = frozenset(rules)
        self.counts_alone = self.is_simple and not self.kinds and not self.elements
        self.last: tuple[bytes, FoundChain] | None = None
        self.size = short[-1][1] if short else 0
        self.reach = max(self.size, *(stop for _, _, stop in self.kinds), 0)
        self._noted: dict[tuple[int, frozenset[int]], FoundChain] = {}
        self._spans = tuple(short)
        self._in_common: _CommonShortValues | None = None

    def noted(self, stored: bytes, depth: int) -> FoundChain:
        """What is to be noted of the chain.

        Args:
            stored: the bytes of the given size from where it lies.
            depth: how deep it lies.
        """
        blank = self._blank_in(stored)
        key = depth, blank
        found = self._noted.get(key)
        if found is None:
            if len(self._noted) >= NOTED_MOST:
                self._noted.clear()
            found = self._noted[key] = FoundChain(self, depth, blank)
        self.last = stored, found
        return found

    def _blank_in(self, stored: bytes) -> frozenset[int]:
        """The indices of the short values with nothing in them."""
        known = self._in_common
        if known is None or known.layout.unpack_from(stored) != known.values:
            known = self._in_common = self._learn(stored, known)
        if _BLANK_BYTES.isdisjoint(known.samples(stored)):
            return known.blank
        return known.blank | self._blank_of(known.varying, stored)

    def _blank_of(self, indices: Iterable[int], stored: bytes) -> frozenset[int]:
        """Which of some values have nothing in them."""
        spans = self._spans
        return frozenset(
            index for index in indices if not stored[spans[index][0] : spans[index][1]].strip(BLANKS)
        )

    def _learn(self, stored: bytes, known: _CommonShortValues | None) -> _CommonShortValues:
        """What a file has in common with those before it."""
        spans = self._spans
        varying: set[int] = set()
        if known is not None:
            varying.update(known.varying)
            for index, (value, stop, _) in enumerate(spans):
                if stored[value:stop] != known.stored[value:stop]:
                    varying.add(index)
        common = [index for index in range(len(spans)) if index not in varying]
        layout = _layout_of([spans[index] for index in common])
        return _CommonShortValues(
            stored,
            layout,
            layout.unpack_from(stored),
            self._blank_of(common, stored),
            frozenset(varying),
            _samples_of([spans[index] for index in sorted(varying)]),
        )


def _layout_of(spans: Sequence[_ValueSpan]) -> Struct:
    """What unpacks values; those with nothing but a header between them as one."""
    stretches: list[tuple[int, int]] = []
    for value, stop, _ in spans:
        if stretches and value - stretches[-1][1] <= _HEADER_MOST:
            stretches[-1] = stretches[-1][0], stop
        else:
            stretches.append((value, stop))
    layout, last = "<", 0
    for start, stop in stretches:
        layout += f"{start - last}x{stop - start}s"
        last = stop
    return Struct(layout)


def _samples_of(spans: Sequence[_ValueSpan]) -> Callable[[bytes], tuple[int, ...]]:
    """What takes a byte of each value that is seldom blank."""
    places = [stop - 1 if vr in _FLOATS else value for value, stop, vr in spans]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda stored: tuple([stored[at] for at in places])
