"""The surveys of files that fit a pattern: what is in common is surveyed once.

What is done to an element that differs, and whether it holds something where it stays, is found out in each
file. All else of a survey is that of the file that the pattern's recipe was made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..core.file_survey import FileKind, FileSurvey, Remaining
from ..dicom.file import DicomFile
from ..dicom.file_patterns import FoundParts, Pattern
from ..dicom.item_patterns import FoundItems
from .census import Census, Counted
from .chain_counts import BLANKS, CERTAIN
from .changes import Change
from .item_census import ItemCensus
from .substitution import Substitution
from .survey_building import SurveyBuilder, element_change
from .surveyor import Surveyor

REMEMBERED = 1 << 10

_HEADER = 8


class PatternSurvey:
    """Surveys files that fit a pattern."""

    def __init__(self, surveyor: Surveyor, census: Census, pattern: Pattern) -> None:
        """Args:
        surveyor: surveys passes.
        census: its census.
        pattern: the pattern.
        """
        self.surveyor = surveyor
        self._census = census
        self._pattern = pattern
        self._rules: set[int] = set()
        self._short: list[tuple[int, FileSurvey]] = []
        self._long: list[int] = []
        self._common: FileSurvey | None = None
        self._counted: dict[int, tuple[Counted, FileSurvey]] = {}
        self._items: dict[int, ItemCensus] = {}
        for number, index in enumerate(sorted(pattern.varying)):
            tag = pattern.outline.elements[index].tag
            verdict = census.verdict(tag)
            if not pattern.vr(number):
                self._long.append(number)
                continue
            self._rules.update(verdict.keepers)
            if not verdict.is_hit and verdict.remains is not None:
                left = Remaining(verdict.remains, 0, bool(verdict.keepers))
                self._short.append((number, FileSurvey({}, frozenset(), {left: 1}, {})))

    def learn(
        self, made: Substitution, found: FoundParts, changes: Iterable[Change], kinds: Iterable[FileKind]
    ) -> bool:
        """Learn from a pass over a file; whether the surveys of others can be told by that.

        Args:
            made: the pass.
            found: where the parts of the file lie.
            changes: what was done to what is in common and to the file meta, but for what was taken over and
                for the UID of the file meta.
            kinds: what the file is; what says so is in common, as the reason to look at its pixels is.
        """
        pattern, data = self._pattern, made.file.data
        builder = SurveyBuilder(self.surveyor, made)
        if made.known_changes is not None:
            builder.changes.update(made.known_changes.hits)
            builder.rules |= made.known_changes.rules
        builder.add(changes)
        builder.rules |= {*self.surveyor.rules.held, *self._rules}
        if made.file_meta.zeroes_preamble:
            builder.rules.update(made.rules.preamble_zeroers)
        for start, size in zip(found.starts, pattern.ends, strict=True):
            counted = self._census.count_part(data, start, start + size)
            if counted is None:
                return False
            builder.remaining.update(counted.counted.remaining)
            builder.rules |= counted.counted.rules
        builder.add_meta(made.meta)
        hits, left = dict(builder.changes), dict(builder.remaining)
        self._common = FileSurvey(hits, frozenset(builder.rules), left, dict.fromkeys(kinds, 1))
        return True

    def survey(
        self, file: DicomFile, found: FoundParts, own: Sequence[FileSurvey | None], following: Change | None
    ) -> FileSurvey | None:
        """The survey of a file; None where it takes a pass over the file.

        Args:
            file: the file.
            found: where its parts lie.
            own: what is told of each of the elements that differ; None for what is not known.
            following: what was done to the UID of its file meta; None for nothing.
        """
        if self._common is None:
            return None
        parts = [self._common]
        if following is not None:
            hit = element_change(self.surveyor, following)
            rules = frozenset() if following.rule is None else frozenset((following.rule.key_index,))
            parts.append(FileSurvey({hit: 1}, rules, {}, {}))
        for part in own:
            if part is None:
                return None
            parts.append(part)
        left = self._left(file, found)
        return None if left is None else FileSurvey({}, frozenset(), {}, {}, 0, (*parts, *left))

    def _left(self, file: DicomFile, found: FoundParts) -> list[FileSurvey] | None:
        """Which of the elements that differ stay and hold something; None where that is not certain."""
        starts, ends, read = found.starts, self._pattern.ends, file.data.source.read
        left: list[FileSurvey] = []
        for number, part in self._short:
            start, stop = starts[number] + ends[number] + _HEADER, starts[number + 1]
            if stop - start > CERTAIN or read(start, stop).strip(BLANKS):
                left.append(part)
        for number in self._long:
            items = found.items.get(number)
            told = self._of_items(number, file, items) if items is not None else None
            if told is not None:
                left.append(told)
                continue
            start = starts[number] + ends[number]
            result = self._census.count_part(file.data, start, starts[number + 1])
            if result is None:
                return None
            left.append(self._part_of(result.counted))
        return left

    def _of_items(self, number: int, file: DicomFile, items: FoundItems) -> FileSurvey | None:
        """What stays in a sequence whose items have known forms; None where a scan has to say."""
        own = self._items.get(number)
        if own is None:
            tag = self._pattern.outline.elements[sorted(self._pattern.varying)[number]].tag
            own = self._items[number] = ItemCensus(self._census, tag)
        counted = own.count(file.data.source, items)
        return None if counted is None else self._part_of(counted)

    def _part_of(self, counted: Counted) -> FileSurvey:
        known = self._counted.get(id(counted))
        if known is None:
            if len(self._counted) >= REMEMBERED:
                self._counted.clear()
            part = FileSurvey({}, counted.rules, counted.remaining, {})
            # What has the number is kept, too: it must not be used again.
            known = self._counted[id(counted)] = counted, part
        return known[1]
