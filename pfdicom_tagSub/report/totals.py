"""Outcomes to totals, to one line for people and one JSON object for programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.archive_kinds import kind_in, kind_named
from ..core.errors import ExitCode
from ..core.outcome import Action, FileOutcome, Orphan, OrphanFate, OutcomeTally, Status
from ..core.spec_parts import SpecPart
from .labels import element_label
from .record import RunReport

if TYPE_CHECKING:
    from .survey import Survey


class Totals:
    """The sums of a run, taken file by file in any order.

    Of files that were written or left unchanged only numbers are kept, so the memory
    does not grow with them.
    """

    def __init__(self, *, is_dry: bool = False, survey: Survey | None = None) -> None:
        """Args:
        is_dry: whether nothing is written.
        survey: takes what passes tell of themselves; None where nobody asks.
        """
        self.survey = survey
        self.is_dry = is_dry
        self._counts: Counter[Status] = Counter()
        self._elements: Counter[tuple[int, Action]] = Counter()
        self._failures: list[FileOutcome] = []
        self._skipped: list[FileOutcome] = []
        self._reviews: list[FileOutcome] = []
        self._pixels: list[FileOutcome] = []
        self._unknown: list[FileOutcome] = []
        self._residuals: list[FileOutcome] = []
        self._orphans: list[Orphan] = []
        self.paths_with_values = 0
        """How many outputs so far have a path that holds a value replaced in them."""

    @property
    def unknown(self) -> int:
        """How many files with text in ASCII alone declare a character set that nobody knows."""
        return len(self._unknown)

    @property
    def review(self) -> int:
        """How many files so far have pixels that a person should look at."""
        return len(self._reviews)

    @property
    def residuals(self) -> int:
        """How many outputs so far hold a value that was replaced in them."""
        return len(self._residuals)

    @property
    def invalid(self) -> tuple[int, tuple[str, ...]]:
        """How many new values so far their elements could not hold, and which elements these are."""
        found = {
            tag: count for (tag, one), count in self._elements.items() if one is Action.INVALID and count
        }
        return sum(found.values()), tuple(map(element_label, sorted(found)))

    @property
    def archives(self) -> tuple[tuple[str, str], ...]:
        """(path, kind) of the files skipped so far that are archives."""
        return tuple(
            (outcome.relative, kind)
            for outcome in sorted(self._skipped, key=_plan_order)
            if (kind := kind_in(outcome.reason) or kind_named(outcome.relative, outcome.reason))
        )

    @property
    def strangers(self) -> tuple[str, ...]:
        """The paths of all files so far, where none of them was DICOM; () where one was."""
        if self._counts[Status.SKIPPED] < self.found:
            return ()
        return tuple(outcome.relative for outcome in sorted(self._skipped, key=_plan_order))

    @property
    def has_selected_none(self) -> bool:
        """Whether files were left out by the condition of the run, and none was processed."""
        left_out = self._counts[Status.NOT_SELECTED]
        return bool(left_out) and left_out + self._counts[Status.SKIPPED] == self.found

    @property
    def failed(self) -> int:
        """How many files failed so far."""
        return self._counts[Status.FAILED]

    @property
    def found(self) -> int:
        """How many files were counted so far."""
        return self._counts.total()

    def add(self, outcome: FileOutcome) -> None:
        """Count one file."""
        self._counts[outcome.status] += 1
        if outcome.survey is not None:
            if self.survey is not None:
                self.survey.add(outcome.survey)
            outcome = replace(outcome, survey=None)
        if outcome.status is Status.FAILED:
            self._failures.append(replace(outcome, elements=(), finished=None))
        elif outcome.status in {Status.SKIPPED, Status.NOT_SELECTED}:
            self._skipped.append(replace(outcome, elements=(), finished=None))
        else:
            for tag, action, count in outcome.elements:
                self._elements[tag, action] += count
            self.paths_with_values += outcome.path_holds_value
            if outcome.residuals:
                self._residuals.append(replace(outcome, elements=(), finished=None))
            if outcome.pixels is not None:
                self._pixels.append(replace(outcome, elements=(), finished=None))
            if outcome.review:
                self._reviews.append(replace(outcome, elements=(), finished=None))
            if outcome.unknown_terms:
                self._unknown.append(replace(outcome, elements=(), finished=None))

    def add_tally(self, tally: OutcomeTally) -> None:
        """Count files that ended alike."""
        self._counts[tally.status] += tally.files
        if tally.survey is not None and self.survey is not None:
            self.survey.add(tally.survey)
        for tag, action, count in tally.elements:
            self._elements[tag, action] += count * tally.files
        self.paths_with_values += tally.path_holds_value * tally.files

    @property
    def orphans_left(self) -> int:
        """How many outputs whose inputs are gone are still there."""
        return sum(orphan.fate is OrphanFate.LEFT for orphan in self._orphans)

    def add_orphan(self, orphan: Orphan) -> None:
        """Count an output whose input is gone."""
        self._orphans.append(orphan)

    def finish(
        self,
        exit_code: ExitCode,
        run_time: float,
        spec_digest: str,
        error: str = "",
        *,
        profile: str = "",
        profile_edition: str = "",
        key_fingerprint: str = "",
        spec_parts: tuple[SpecPart, ...] = (),
    ) -> RunReport:
        """The record of the run.

        Args:
            exit_code: what the command returns.
            run_time: seconds since the start of the command.
            spec_digest: the digest of the spec, "" where none was read.
            error: what ended the run before its time, or went wrong with its ledger or log.
            profile: the profile and its options.
            profile_edition: of which edition of the standard its tables are.
            key_fingerprint: what tells the secret key from another.
            spec_parts: the files that the spec, and functions in it, come from.

        Returns:
            The same record for the same outcomes, in whatever order they were added.
        """
        elements: dict[str, dict[Action, int]] = {}
        for (tag, action), count in sorted(self._elements.items()):
            row = elements.setdefault(element_label(tag), dict.fromkeys(Action, 0))
            row[action] += count  # the tags of a repeating group share one keyword
        return RunReport(
            exit_code=exit_code,
            counts={status: self._counts[status] for status in Status},
            elements=elements,
            failures=tuple(sorted(self._failures, key=_plan_order)),
            skipped=tuple(sorted(self._skipped, key=_plan_order)),
            run_time=run_time,
            spec_digest=spec_digest,
            error=error,
            pixels_cleaned=tuple(
                (outcome.relative, outcome.pixels)
                for outcome in sorted(self._pixels, key=_plan_order)
                if outcome.pixels is not None
            ),
            pixel_review=tuple(
                (outcome.relative, outcome.review) for outcome in sorted(self._reviews, key=_plan_order)
            ),
            paths_with_values=self.paths_with_values,
            archives=self.archives,
            unknown_character_sets=tuple(
                (outcome.relative, outcome.unknown_terms)
                for outcome in sorted(self._unknown, key=_plan_order)
            ),
            residuals=tuple(
                (outcome.relative, outcome.residuals) for outcome in sorted(self._residuals, key=_plan_order)
            ),
            profile=profile,
            profile_edition=profile_edition,
            key_fingerprint=key_fingerprint,
            outputs={
                outcome.relative: outcome.output
                for outcome in (*self._reviews, *self._residuals)
                if outcome.output
            },
            held=frozenset(outcome.relative for outcome in self._reviews if outcome.is_held),
            orphans=tuple(self._orphans),
            spec_parts=spec_parts,
            is_dry=self.is_dry,
            survey=self.survey.finish() if self.survey is not None else None,
        )


def _plan_order(outcome: FileOutcome) -> tuple[list[str], str]:
    """Directories by their components, then files by name, as the plan has them."""
    *directories, name = outcome.relative.split("/")
    return directories, name
