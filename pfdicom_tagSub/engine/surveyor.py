"""What a pass did to one file and what it left, where a dry run or a report asks for it.

Nothing here runs otherwise. It is derived from the list of changes of a pass, when the pass
is done. What it may tell of values is for ``survey_basis`` to say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple, TypeVar

from ..core.file_survey import (
    PREAMBLE_TAG,
    ElementChange,
    FileSurvey,
    Remaining,
    SurveyedChanges,
    merged,
)
from ..core.outcome import FileOutcome
from ..dicom import dictionary
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID
from ..dicom.elements import Element
from ..dicom.file import PREAMBLE, DicomFile
from ..spec.rules import Rule, RuleSet
from .census import CensusResult
from .chain_counts import BLANKS, CERTAIN
from .changes import Change
from .file_kinds import kind_of, text_in
from .substitution import Substitution
from .survey_basis import REMEMBERED, SurveyBasis, SurveyOptions
from .survey_building import SurveyBuilder, short

R = TypeVar("R")


_NO_PREAMBLE = bytes(PREAMBLE)


def surveys_of(results: Iterable[object]) -> list[FileSurvey]:
    """The surveys of some results."""
    return [one.survey for one in results if isinstance(one, FileOutcome) and one.survey is not None]


def packed(results: list[R]) -> list[R]:
    """The same results, with all surveys summed up in the first that has any."""
    seen = surveys_of(results)
    if len(seen) < 2:
        return results
    sums: FileSurvey | None = merged(seen)
    made: list[R] = []
    for one in results:
        if isinstance(one, FileOutcome) and one.survey is not None:
            made.append(replace(one, survey=sums))
            sums = None
        else:
            made.append(one)
    return made


class _MetaPlan(NamedTuple):
    """What to look at in a file meta with certain elements.

    Attributes:
        kinds: which of its elements are the SOP class and the transfer syntax; -1 for none.
        counted: which may be attributes that stay.
        counted_tags: the tags of these.
    """

    kinds: tuple[int, ...]
    counted: tuple[int, ...]
    counted_tags: tuple[int, ...]


def _is_filled(element: Element, read: Callable[[int, int], bytes]) -> bool:
    """Whether there is something in a value."""
    return element.stop - element.value > CERTAIN or bool(read(element.value, element.stop).strip(BLANKS))


class Surveyor(SurveyBasis):
    """Surveys files; it keeps what it found out for files to come.

    Not safe to share between threads or to send between processes.
    """

    def __init__(self, rules: RuleSet, survey_options: SurveyOptions) -> None:
        """Args:
        rules: the compiled spec.
        survey_options: what surveys are to hold.
        """
        super().__init__(rules, survey_options)
        self.changes = SurveyedChanges({}, frozenset())
        """What the last pass did that was surveyed."""
        self._meta_plans: dict[tuple[int, ...], _MetaPlan] = {}
        self._surveys: dict[tuple[object, ...], tuple[object, object, FileSurvey]] = {}

    def survey(self, substitution: Substitution) -> FileSurvey:
        """What a pass did, and what it leaves.

        Args:
            substitution: the pass, which has been done.
        """
        survey = SurveyBuilder(self, substitution)
        survey.add_changes()
        self.changes = SurveyedChanges(dict(survey.changes), frozenset(survey.rules))
        partly = survey.add_remaining()
        kinds = {survey.kind(): 1}
        return FileSurvey(
            dict(survey.changes),
            frozenset(survey.rules).union(self.rules.held),
            dict(survey.remaining),
            kinds,
            partly,
        )

    def changes_of(self, substitution: Substitution, changes: Iterable[Change]) -> SurveyedChanges:
        """What a survey tells of some changes of a pass."""
        survey = SurveyBuilder(self, substitution)
        survey.add(changes)
        return SurveyedChanges(dict(survey.changes), frozenset(survey.rules))

    def part_of(self, substitution: Substitution, changes: Iterable[Change]) -> FileSurvey:
        """A part of a survey: what some changes of a pass come to."""
        told = self.changes_of(substitution, changes)
        return FileSurvey(told.hits, told.rules, {}, {})

    def replaced(self, part: FileSurvey, rule: Rule, original: str, text: str) -> FileSurvey | None:
        """As a part of an element in which one text is replaced by another, with other texts.

        Args:
            part: the part.
            rule: the rule that asked for it.
            original: the text that is replaced.
            text: what becomes of it.

        Returns:
            None where the part is of more than one element.
        """
        if len(part.hits) != 1:
            return None
        (change,) = part.hits
        show_values = self.survey_options.show_values
        own, result = self.digest(original), self.digest(text)
        quotes = self.quotes(rule) or own == result or (len(original) > 3 and original in text)
        made = ElementChange(
            change.tag,
            change.depth,
            change.action,
            own,
            result,
            len(original),
            "" if quotes and not show_values else short(text),
            short(original) if show_values else "",
            change.is_same,
        )
        return FileSurvey({made: 1}, part.rules, {}, {})

    def again(
        self, changes: SurveyedChanges, file: DicomFile, found: CensusResult | None
    ) -> FileSurvey | None:
        """That of a file in which the same was done as in another, and nothing to its file meta.

        Args:
            changes: what was done.
            file: the file.
            found: what a census found in it; None where nobody asked.

        Returns:
            What it would be of a pass over the file, the same object for files of which it is equal; None
            where it takes that pass.
        """
        census = self.census
        found = census.count(file.data) if census is not None and found is None else found
        if census is None or found is None:
            return None
        counted, kinds, _ = found
        read, verdict, meta = file.source.read, census.verdict, file.meta
        plan = self._meta_plan(meta)
        own = (
            kinds.get(MODALITY, b""),
            kinds.get(SOP_CLASS_UID, b""),
            *[b"" if one < 0 else read(meta[one].value, meta[one].stop) for one in plan.kinds],
        )
        filled = tuple([_is_filled(meta[index], read) for index in plan.counted])
        has_preamble = file.meta_start > PREAMBLE and read(0, PREAMBLE) != _NO_PREAMBLE
        key = (id(changes), id(counted), plan.counted_tags, filled, has_preamble, own)
        known = self._surveys.get(key)
        if known is None:
            remaining = Counter(counted.remaining)
            rules = {*changes.rules, *counted.rules, *self.rules.held}
            for tag, is_filled in zip(plan.counted_tags, filled, strict=True):
                rules.update(verdict(tag).keepers)
                if is_filled and self.identifies(tag):
                    remaining[Remaining(tag, 0, bool(verdict(tag).keepers))] += 1
            remaining.update([Remaining(PREAMBLE_TAG, 0, is_kept=False)] * has_preamble)
            kind = kind_of(*map(text_in, own))
            survey = FileSurvey(changes.hits, frozenset(rules), dict(remaining), {kind: 1})
            # What the key has the numbers of is kept as well: these must not be used again.
            known = changes, counted, survey
            if len(self._surveys) >= REMEMBERED:
                self._surveys.clear()
            self._surveys[key] = known
        return known[2]

    def _meta_plan(self, meta: list[Element]) -> _MetaPlan:
        """What to look at in a file meta with these elements."""
        tags = tuple([element.tag for element in meta])
        known = self._meta_plans.get(tags)
        if known is None:
            kinds = (dictionary.MEDIA_STORAGE_SOP_CLASS_UID, dictionary.TRANSFER_SYNTAX_UID)
            counted = tuple(index for index, tag in enumerate(tags) if not self._verdict(tag).is_idle)
            known = _MetaPlan(
                tuple(tags.index(tag) if tag in tags else -1 for tag in kinds),
                counted,
                tuple(tags[index] for index in counted),
            )
            if len(self._meta_plans) >= REMEMBERED:
                self._meta_plans.clear()
            self._meta_plans[tags] = known
        return known
