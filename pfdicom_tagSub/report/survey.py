"""What passes over files told, summed up: the same for any order of the files.

Memory is bounded by how many elements there are, not by how many files: of values only
digests are kept, and of these so many that there are more than anyone would count.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ..core.file_survey import PREAMBLE_TAG, PRIVATE, TEXTLESS, ElementChange, FileSurvey, Remaining, merged
from ..core.outcome import Action
from ..dicom.dictionary import label_of, text_of
from ..spec.rules import RuleSet
from .labels import PRIVATE_LABEL

DISTINCT_MOST = 100_000
"""Up to so many different values are counted exactly."""

PENDING_MOST = 1 << 12

PREAMBLE_LABEL = "preamble"

Depths = Mapping[int, int]
"""Depth (0 at the top level) to how many."""


@dataclass(frozen=True)
class Count:
    """How many different values there are.

    Attributes:
        number: how many.
        is_exact: False where there are more than that.
    """

    number: int
    is_exact: bool = True


@dataclass(frozen=True)
class ElementRow:
    """What is done to the elements of one keyword.

    Attributes:
        label: the keyword, or the tag where it has none; "private" for private elements.
        tag: the tag as it is usually written; "" for private elements.
        depths: how many of them are how deep in sequences.
        actions: what is done to how many; every action is there.
        same: how many of them have a value and are the same to the byte afterwards.
        originals: different values that are there before; None for private elements.
        results: different values that are there afterwards; None likewise.
        lengths: the characters of the shortest and of the longest original; None where
            none is text.
        example: a result that may be told; "" where there is none.
        original: with ``--showValues`` the original of the example, or any where nothing
            came of it; else "".
    """

    label: str
    tag: str
    depths: Depths
    actions: Mapping[Action, int]
    same: int
    originals: Count | None
    results: Count | None
    lengths: tuple[int, int] | None
    example: str
    original: str

    @property
    def total(self) -> int:
        """How many elements there are."""
        return sum(self.depths.values())


@dataclass(frozen=True)
class LeftRow:
    """Identifying attributes with a value that stay as they are.

    Attributes:
        label: the keyword; "private" for private elements, "preamble" for the preamble.
        tag: the tag as it is usually written; "" where there is none.
        depths: how many of them are how deep in sequences.
        kept: how many of them a key of the spec says to keep.
    """

    label: str
    tag: str
    depths: Depths
    kept: int

    @property
    def total(self) -> int:
        """How many elements there are."""
        return sum(self.depths.values())


@dataclass(frozen=True)
class SurveyReport:
    """The sums; see ``Survey``.

    Attributes:
        files: how many files they are of: those that are written or unchanged.
        partly: of how many of these the sequences could not be read to the end when
            attributes that stay were looked for.
        elements: what is done, in order of the tags.
        left: what stays, in order of the tags.
        idle_keys: the user's keys that hit nothing, in the order of their strength.
        profile_keys: how many keys of the profile there are.
        idle_profile_keys: how many of these hit nothing.
        modalities: how many files of each, the most frequent first.
        sop_classes: likewise.
        transfer_syntaxes: likewise.
        shows_values: whether originals are among all this.
    """

    files: int
    partly: int
    elements: tuple[ElementRow, ...]
    left: tuple[LeftRow, ...]
    idle_keys: tuple[str, ...]
    profile_keys: int
    idle_profile_keys: int
    modalities: Mapping[str, int]
    sop_classes: Mapping[str, int]
    transfer_syntaxes: Mapping[str, int]
    shows_values: bool = False


class Distinct:
    """Counts different numbers of 64 bits, exactly up to ``DISTINCT_MOST``, in 8 bytes each."""

    def __init__(self) -> None:
        self._sorted = array("Q")
        self._pending: set[int] = set()
        self._is_full = False

    def add(self, number: int) -> None:
        """Count a number."""
        if self._is_full or number in self._pending:
            return
        place = bisect_left(self._sorted, number)
        if place < len(self._sorted) and self._sorted[place] == number:
            return
        self._pending.add(number)
        if len(self._pending) >= PENDING_MOST or self._number > DISTINCT_MOST:
            self._sorted = array("Q", sorted([*self._sorted, *self._pending]))
            self._pending = set()
            if len(self._sorted) > DISTINCT_MOST:
                self._is_full = True
                self._sorted = array("Q")

    @property
    def _number(self) -> int:
        return len(self._sorted) + len(self._pending)

    @property
    def count(self) -> Count:
        """How many there are."""
        return Count(DISTINCT_MOST, is_exact=False) if self._is_full else Count(self._number)


class _CountsOfElement:
    """The sums of the elements of one keyword."""

    def __init__(self, tag: int) -> None:
        self.tag = tag
        self.depths: Counter[int] = Counter()
        self.actions: Counter[str] = Counter()
        self.same = 0
        self.originals = Distinct()
        self.results = Distinct()
        self.shortest = self.longest = TEXTLESS
        self.example: tuple[bool, bool, str, str] | None = None

    def add(self, hit: ElementChange, count: int) -> None:
        self.tag = min(self.tag, hit.tag)
        self.depths[hit.depth] += count
        self.actions[hit.action] += count
        self.same += count * hit.is_same
        if hit.original:
            self.originals.add(hit.original)
        if hit.result:
            self.results.add(hit.result)
        if hit.length != TEXTLESS and hit.action != Action.INSERTED.value:
            self.shortest = hit.length if self.shortest == TEXTLESS else min(self.shortest, hit.length)
            self.longest = max(self.longest, hit.length)
        if hit.example or hit.shown:
            # With an original and a result if there is such a pair; the first in alphabetical order.
            pair = not (hit.shown and hit.example), not hit.example, hit.example, hit.shown
            self.example = pair if self.example is None else min(self.example, pair)

    def row(self, label: str) -> ElementRow:
        is_private = self.tag == PRIVATE
        has_text = self.longest != TEXTLESS and not is_private
        *_, example, original = self.example or (True, True, "", "")
        return ElementRow(
            label,
            "" if is_private else text_of(self.tag),
            dict(sorted(self.depths.items())),
            {action: self.actions[action.value] for action in Action},
            self.same,
            None if is_private else self.originals.count,
            None if is_private else self.results.count,
            (self.shortest, self.longest) if has_text else None,
            example,
            original,
        )


class Survey:
    """Takes what passes told, in any order."""

    def __init__(self, rules: RuleSet, *, shows_values: bool = False) -> None:
        """Args:
        rules: the compiled spec, for its keys.
        shows_values: whether passes tell originals.
        """
        self._keys = rules.keys
        self._shows_values = shows_values
        self._elements: dict[str, _CountsOfElement] = {}
        self._rules: set[int] = set()
        self._left: Counter[Remaining] = Counter()
        self._modalities: Counter[str] = Counter()
        self._sop_classes: Counter[str] = Counter()
        self._transfer_syntaxes: Counter[str] = Counter()
        self._files = 0
        self._partly = 0
        self._waiting: list[FileSurvey] = []
        self._waiting_hits = 0

    def add(self, survey: FileSurvey) -> None:
        """Add sums of a file or of many."""
        self._waiting.append(survey)
        self._waiting_hits += len(survey.hits) + len(survey.parts)
        if self._waiting_hits >= PENDING_MOST:
            self._take()

    def _take(self) -> None:
        """Sum up what waits: what many files have in common is looked at once."""
        sums = merged(self._waiting)
        self._waiting, self._waiting_hits = [], 0
        for hit, count in sums.hits.items():
            label = _label(hit.tag)
            element = self._elements.get(label)
            if element is None:
                element = self._elements[label] = _CountsOfElement(hit.tag)
            element.add(hit, count)
        self._rules |= sums.rules
        self._left.update(sums.left)
        self._partly += sums.partly
        for kind, count in sums.kinds.items():
            self._files += count
            self._modalities[kind.modality] += count
            self._sop_classes[kind.sop_class] += count
            self._transfer_syntaxes[kind.transfer_syntax] += count

    def finish(self) -> SurveyReport:
        """The sums; the same whatever the order in which they were added."""
        self._take()
        rows = [element.row(label) for label, element in self._elements.items()]
        own = [(index, text) for index, (text, is_own) in enumerate(self._keys) if is_own]
        profile = [index for index, (_, is_own) in enumerate(self._keys) if not is_own]
        return SurveyReport(
            files=self._files,
            partly=self._partly,
            elements=tuple(sorted(rows, key=lambda row: (not row.tag, row.tag, row.label))),
            left=self._left_rows(),
            idle_keys=tuple(text for index, text in own if index not in self._rules),
            profile_keys=len(profile),
            idle_profile_keys=sum(index not in self._rules for index in profile),
            modalities=_by_frequency(self._modalities),
            sop_classes=_by_frequency(self._sop_classes),
            transfer_syntaxes=_by_frequency(self._transfer_syntaxes),
            shows_values=self._shows_values,
        )

    def _left_rows(self) -> tuple[LeftRow, ...]:
        depths: dict[str, Counter[int]] = {}
        kept: Counter[str] = Counter()
        tags: dict[str, int] = {}
        for left, count in self._left.items():
            label = _label(left.tag)
            depths.setdefault(label, Counter())[left.depth] += count
            kept[label] += count * left.is_kept
            tags[label] = min(tags.get(label, left.tag), left.tag)
        rows = [
            LeftRow(
                label,
                text_of(tags[label]) if tags[label] > 0 else "",
                dict(sorted(found.items())),
                kept[label],
            )
            for label, found in depths.items()
        ]
        return tuple(sorted(rows, key=lambda row: (not row.tag, row.tag, row.label)))


def _label(tag: int) -> str:
    if tag == PRIVATE:
        return PRIVATE_LABEL
    return PREAMBLE_LABEL if tag == PREAMBLE_TAG else label_of(tag)


def _by_frequency(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda pair: (-pair[1], pair[0])))


def to_plain(report: SurveyReport) -> dict[str, object]:
    """The sums as the record has them."""
    return {
        "files": report.files,
        "partlyRead": report.partly,
        "elements": {
            row.label: {
                "tag": row.tag or None,
                "depths": _plain_depths(row.depths),
                "actions": {action.value: count for action, count in row.actions.items()},
                "same": row.same,
                "originals": _plain_count(row.originals),
                "results": _plain_count(row.results),
                "lengths": list(row.lengths) if row.lengths else None,
                "example": row.example or None,
                "original": row.original or None,
            }
            for row in report.elements
        },
        "left": {row.label: {"depths": _plain_depths(row.depths), "kept": row.kept} for row in report.left},
        "idleKeys": list(report.idle_keys),
        "profileKeys": {"all": report.profile_keys, "idle": report.idle_profile_keys},
        "modalities": dict(report.modalities),
        "sopClasses": dict(report.sop_classes),
        "transferSyntaxes": dict(report.transfer_syntaxes),
        "showsValues": report.shows_values,
    }


def _plain_depths(depths: Depths) -> dict[str, int]:
    return {str(depth): count for depth, count in depths.items()}


def _plain_count(count: Count | None) -> dict[str, object] | None:
    return None if count is None else {"number": count.number, "exact": count.is_exact}
