"""Outcomes to totals, to one line for people and one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from . import __version__
from .archives import kind_in, kind_named
from .models import Action, ExitCode, FileOutcome, RunReport, Status

if TYPE_CHECKING:
    from .survey import Survey

PRIVATE_LABEL = "private"
"""What the record calls the private elements removed by ``--removePrivateTags``."""

LISTED_MOST = 30_000_000
"""The bytes of the record that list skipped files, and those that list archives, at most."""

_INDENT = 8

_STATUS_TEXTS = {
    ExitCode.OK: "ok",
    ExitCode.FILES_FAILED: "failed",
    ExitCode.USAGE: "error",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "terminated",
}


def element_label(tag: int) -> str:
    """What the record calls an element: its keyword, or "(gggg,eeee)" if it has none."""
    if tag == 0:
        return PRIVATE_LABEL
    from .dictionary import label_of  # noqa: PLC0415 (imports pydicom, loaded once a file was patched)

    return label_of(tag)


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
        self._unknown: list[FileOutcome] = []
        self._residuals: list[FileOutcome] = []
        self.telling = 0
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
        if outcome.observed is not None:
            if self.survey is not None:
                self.survey.add(outcome.observed)
            outcome = replace(outcome, observed=None)
        if outcome.status is Status.FAILED:
            self._failures.append(replace(outcome, elements=(), finished=None))
        elif outcome.status is Status.SKIPPED:
            self._skipped.append(replace(outcome, elements=(), finished=None))
        else:
            for tag, action, count in outcome.elements:
                self._elements[tag, action] += count
            self.telling += outcome.is_telling
            if outcome.residuals:
                self._residuals.append(replace(outcome, elements=(), finished=None))
            if outcome.review:
                self._reviews.append(replace(outcome, elements=(), finished=None))
            if outcome.unknown_terms:
                self._unknown.append(replace(outcome, elements=(), finished=None))

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
            pixel_review=tuple(
                (outcome.relative, outcome.review) for outcome in sorted(self._reviews, key=_plan_order)
            ),
            telling_paths=self.telling,
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
            is_dry=self.is_dry,
            survey=self.survey.finish() if self.survey is not None else None,
        )


def _plan_order(outcome: FileOutcome) -> tuple[list[str], str]:
    """Directories by their components, then files by name, as the plan has them."""
    *directories, name = outcome.relative.split("/")
    return directories, name


def to_json(report: RunReport) -> str:
    """The record as one JSON object, in ASCII; tests/record_schema.json describes it."""
    counts = {status.value: report.counts[status] for status in Status}
    archives = ({"path": path, "kind": kind} for path, kind in report.archives)
    skipped = _within(
        LISTED_MOST, ({"path": outcome.relative, "reason": outcome.reason} for outcome in report.skipped)
    )
    return json.dumps(
        {
            "status": _STATUS_TEXTS[report.exit_code],
            "exitCode": int(report.exit_code),
            "version": __version__,
            "dryRun": report.is_dry,
            "counts": {"found": sum(counts.values()), **counts},
            "elements": {
                label: {action.value: row[action] for action in Action}
                for label, row in report.elements.items()
            },
            "failures": [
                {
                    "path": outcome.relative,
                    "stage": outcome.stage.value if outcome.stage else None,
                    "reason": outcome.reason,
                }
                for outcome in report.failures
            ],
            "skipped": skipped,
            "skippedNotListed": len(report.skipped) - len(skipped),
            "archives": _within(LISTED_MOST, archives),
            "warnings": list(report.warnings),
            "pixelReview": [{"path": path, "reason": reason} for path, reason in report.pixel_review],
            "pathsWithValues": report.telling_paths,
            "unknownCharsets": [
                {"path": path, "terms": terms} for path, terms in report.unknown_character_sets
            ],
            "residuals": [{"path": path, "elements": list(elements)} for path, elements in report.residuals],
            "survey": _survey(report),
            "runTime": round(report.run_time, 6),
            "versions": {
                "pydicom": version_of("pydicom"),
                "Faker": version_of("Faker"),
                "python": sys.version.split()[0],
            },
            "profile": report.profile,
            "profileEdition": report.profile_edition,
            "specDigest": report.spec_digest,
            "keyFingerprint": report.key_fingerprint,
            "error": report.error,
        },
        indent=2,
        ensure_ascii=True,
    )


def _within(room: int, entries: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """The first of some entries of the record, as many as take so many bytes of JSON."""
    listed = []
    for entry in entries:
        room -= len(json.dumps(entry)) + _INDENT * (len(entry) + 2)
        if room < 0:
            break
        listed.append(entry)
    return listed


def _survey(report: RunReport) -> dict[str, object] | None:
    if report.survey is None:
        return None
    from .survey import to_plain  # noqa: PLC0415  (where there is none, it may not have been imported)

    return to_plain(report.survey)


def version_of(package: str) -> str | None:
    """The version of an installed package; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def summary_line(report: RunReport) -> str:
    """One line for people, such as ``6000 files: 5999 written, 1 failed in 3.2 s (1875 files/s)``."""
    found = sum(report.counts.values())
    words = {status: status.value for status in Status}
    if report.is_dry:
        words[Status.WRITTEN] = "would be written"
    shown = [status for status in Status if status is not Status.CURRENT or report.counts[status]]
    parts = [f"{report.counts[status]} {words[status]}" for status in shown]
    files = "1 file" if found == 1 else f"{found} files"
    rate = f" ({found / report.run_time:.0f} files/s)" if found and report.run_time > 0 else ""
    stopped = report.exit_code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    prefix = f"{_STATUS_TEXTS[report.exit_code]} after " if stopped else ""
    return f"{prefix}{files}: {', '.join(parts)} in {report.run_time:.1f} s{rate}"
