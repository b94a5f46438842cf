"""Which identifying attributes stay in sequences whose items have known forms, such as frames of an image.

A census of items of one form can differ only in which of the elements that differ there have something in
them. What the rest comes to is counted once, in the item that the form was learnt from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ..core.file_survey import Remaining
from ..dicom.elements import EXPLICIT_LITTLE, Stretch
from ..dicom.item_patterns import ENDS, OUTER, FoundItems, ItemForm, ItemLeaf, tag_bytes
from ..dicom.sources import BytesSource, Source
from .census import Census, Counted
from .chain_counts import BLANKS, CERTAIN

REMEMBERED = 1 << 8

Filled = tuple[bool, ...]
"""Which of the elements of an item that it matters for have something in them."""


class _DoubtfulLeaf(NamedTuple):
    """An element that differs from item to item and that counts where it has something in it.

    Attributes:
        leaf: it, in the item of the outline of the form.
        gap: which gap between stretches holds its length and value.
        remains: what it counts as.
    """

    leaf: ItemLeaf
    gap: int
    remains: Remaining


class FormCounts:
    """What the items of one form come to.

    Attributes:
        counted: what each comes to in which all doubtful elements are blank; None where a scan has to say.
        doubtful: the elements that count where they have something in them.
        is_simple: whether the rules need nothing in them.
    """

    def __init__(self, census: Census, form: ItemForm, tag: int) -> None:
        """Args:
        census: counts.
        form: the form.
        tag: that of the sequence.
        """
        self._sizes = form.sizes
        self.doubtful: list[_DoubtfulLeaf] = []
        for gap, leaf in enumerate(form.leaves):
            if leaf is None or any(census.verdict(one).is_hit for one in leaf.path):
                continue
            verdict = census.verdict(leaf.tag)
            if not verdict.is_hit and verdict.remains is not None:
                left = Remaining(verdict.remains, len(leaf.path), bool(verdict.keepers))
                self.doubtful.append(_DoubtfulLeaf(leaf, gap, left))
        self.is_simple = not any(census.verdict(one).is_kept and one & 0xFFFF for one in form.outline.tags)
        self.counted = self._count(census, form, tag)

    def _count(self, census: Census, form: ItemForm, tag: int) -> Counted | None:
        """What is in common, held against what a scan finds in the item of the outline."""
        own = form.outline.data
        blank = bytearray(own)
        for one in self.doubtful:
            blank[one.leaf.value : one.leaf.stop] = bytes(one.leaf.stop - one.leaf.value)
        found, rest = _counted(census, own, tag), _counted(census, bytes(blank), tag)
        if found is None or rest is None or found.rules != rest.rules:
            return None
        more = Counter(
            one.remains for one in self.doubtful if own[one.leaf.value : one.leaf.stop].strip(BLANKS)
        )
        return rest if Counter(rest.remaining) + more == Counter(found.remaining) else None

    def filled(self, source: Source, starts: Sequence[int]) -> Filled:
        """Which of the doubtful elements of an item have something in them.

        Args:
            source: the bytes of the file.
            starts: where in it the stretches of the item begin, and where it ends.
        """
        read, sizes = source.read, self._sizes
        found: list[bool] = []
        for _, gap, _ in self.doubtful:
            start, stop = starts[gap] + sizes[gap] + 2, starts[gap + 1]
            found.append(stop - start > CERTAIN or bool(read(start, stop).strip(BLANKS)))
        return tuple(found)

    def remaining(self, filled: Filled) -> Counter[Remaining]:
        """What an item comes to in which some of the doubtful elements have something in them."""
        assert self.counted is not None
        own = Counter(self.counted.remaining)
        own.update(one.remains for one, is_filled in zip(self.doubtful, filled, strict=True) if is_filled)
        return own


class ItemCensus:
    """Counts what stays in the items of one sequence.

    Attributes:
        is_simple: whether the rules need nothing in items of the forms that there were.
    """

    def __init__(self, census: Census, tag: int) -> None:
        """Args:
        census: counts what is in common.
        tag: that of the sequence.
        """
        self.is_simple = not census.verdict(tag).is_kept
        self._census = census
        self._tag = tag
        self._forms: dict[ItemForm, FormCounts] = {}
        self._known: dict[frozenset[tuple[tuple[FormCounts, Filled], int]], Counted] = {}

    def count(self, source: Source, found: FoundItems) -> Counted | None:
        """What stays in the sequence in a file, the same object for the same; None where a scan has to say.

        Args:
            source: the bytes of the file.
            found: its items.
        """
        times: Counter[tuple[FormCounts, Filled]] = Counter()
        for form, starts in found.items:
            counts = self._forms.get(form) or self._counts_of(form)
            if counts.counted is None:
                return None
            times[counts, counts.filled(source, starts)] += 1
        if not times:
            return None
        key = frozenset(times.items())
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[key] = self._sum(times)
        return known

    def _counts_of(self, form: ItemForm) -> FormCounts:
        if len(self._forms) >= REMEMBERED:
            self._forms.clear()
            self._known.clear()
        made = self._forms[form] = FormCounts(self._census, form, self._tag)
        self.is_simple &= made.is_simple
        return made

    def _sum(self, times: Counter[tuple[FormCounts, Filled]]) -> Counted:
        """What the items come to, each as often as it is there, and the sequence itself."""
        verdict = self._census.verdict(self._tag)
        rules: set[int] = set(verdict.keepers)
        remaining: Counter[Remaining] = Counter()
        own = [] if verdict.is_hit or verdict.remains is None else [verdict.remains]
        for (counts, filled), often in times.items():
            assert counts.counted is not None
            rules |= counts.counted.rules
            for left, number in counts.remaining(filled).items():
                remaining[left] += number * often
            for label in own:  # each item was counted with a sequence around it
                remaining[Remaining(label, 0, bool(verdict.keepers))] -= often
        remaining.update(Remaining(label, 0, bool(verdict.keepers)) for label in own)
        return Counted(dict(+remaining), frozenset(rules))


def _counted(census: Census, item: bytes, tag: int) -> Counted | None:
    """What a sequence with one item comes to."""
    stored = tag_bytes(tag) + OUTER[:8] + item + ENDS[8:]
    data = Stretch(BytesSource(stored), 0, len(stored), EXPLICIT_LITTLE)
    found = census.count_part(data, 0, len(stored))
    return None if found is None else found.counted
