"""The record of a run: what --json prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from .._version import __version__
from ..core.errors import ExitCode
from ..core.outcome import Action, CleanedPixels, FileOutcome, Orphan, OrphanFate, Status
from ..core.spec_parts import SpecPart
from ..core.versions import version_of

if TYPE_CHECKING:
    from .survey import SurveyReport


@dataclass(frozen=True)
class RunReport:
    """The record of one run, as ``--json`` prints it.

    Attributes:
        exit_code: what the command returns.
        counts: how many files ended in each status.
        elements: keyword (or tag, where it has none) to action to how often.
        failures: the outcomes that failed, in order of the plan.
        skipped: the outcomes that were skipped, in order of the plan.
        run_time: seconds from the start of the command to the end of the run.
        spec_digest: SHA-256 of the spec in its canonical form, hex.
        error: what ended the run before its time, or what went wrong with its ledger or log
            while its outputs did not suffer; "" otherwise.
        pixel_review: (path, reason) of the files whose pixels a person should look at, in
            order of the plan.
        pixels_cleaned: (path, what was done) of the files whose pixels were cleaned, in order of the plan.
        paths_with_values: how many outputs have a path that holds a value replaced in them.
        profile: the profile and its options; "" for none.
        profile_edition: of which edition of the standard its tables are; "" for none.
        spec_parts: the files that the spec, and functions in it, come from.
        key_fingerprint: tells one secret key from another; "" without one.
        residuals: (path, elements) of the outputs in which verification found values that
            were replaced, in order of the plan.
        archives: (path, kind) of the skipped files that are archives, in order of the plan.
        warnings: what the user was warned of.
        unknown_character_sets: (path, terms) of the files with text in ASCII alone whose Specific Character
            Set is none of the standard's, in order of the plan.
        outputs: the path of each file in ``pixel_review`` and ``residuals`` to that of its output, where this
            may be shown.
        held: the paths in ``pixel_review`` of files whose outputs are held.
        orphans: the outputs whose inputs are gone, by their directories.
        is_dry: whether nothing was written.
        survey: what was found and done, element by element; None where nobody asked.
    """

    exit_code: ExitCode
    counts: dict[Status, int]
    elements: dict[str, dict[Action, int]]
    failures: tuple[FileOutcome, ...] = field(default=())
    skipped: tuple[FileOutcome, ...] = field(default=())
    run_time: float = 0.0
    spec_digest: str = ""
    error: str = ""
    pixel_review: tuple[tuple[str, str], ...] = field(default=())
    pixels_cleaned: tuple[tuple[str, CleanedPixels], ...] = field(default=())
    paths_with_values: int = 0
    profile: str = ""
    profile_edition: str = ""
    key_fingerprint: str = ""
    spec_parts: tuple[SpecPart, ...] = field(default=())
    residuals: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())
    unknown_character_sets: tuple[tuple[str, str], ...] = field(default=())
    archives: tuple[tuple[str, str], ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())
    outputs: Mapping[str, str] = field(default_factory=dict)
    held: frozenset[str] = frozenset()
    orphans: tuple[Orphan, ...] = field(default=())
    is_dry: bool = False
    survey: SurveyReport | None = None

    def to_json(self) -> str:
        """The record as one JSON object, as ``--json`` prints it."""
        return to_json(self)

    @property
    def telling_paths(self) -> int:
        """``paths_with_values`` by its name in 4.1, which scripts may use."""
        return self.paths_with_values


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


def to_json(report: RunReport) -> str:
    """The record as one JSON object, in ASCII; tests/record_schema.json describes it."""
    counts = {status.value: report.counts[status] for status in Status}
    outputs = report.outputs
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
                    "output": outcome.output or None,
                    "stage": outcome.stage.value if outcome.stage else None,
                    "reason": outcome.reason,
                }
                for outcome in report.failures
            ],
            "skipped": skipped,
            "skippedNotListed": len(report.skipped) - len(skipped),
            "archives": _within(LISTED_MOST, archives),
            "orphans": _orphans(report),
            "warnings": list(report.warnings),
            "pixelReview": [
                {"path": path, "output": outputs.get(path), "held": path in report.held, "reason": reason}
                for path, reason in report.pixel_review
            ],
            "pixelsCleaned": [{"path": path, **cleaned_pixels(told)} for path, told in report.pixels_cleaned],
            "pathsWithValues": report.paths_with_values,
            "unknownCharsets": [
                {"path": path, "terms": terms} for path, terms in report.unknown_character_sets
            ],
            "residuals": [
                {"path": path, "output": outputs.get(path), "elements": list(elements)}
                for path, elements in report.residuals
            ],
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
            "specParts": [part._asdict() for part in report.spec_parts],
            "keyFingerprint": report.key_fingerprint,
            "error": report.error,
        },
        indent=2,
        ensure_ascii=True,
    )


def cleaned_pixels(cleaned: CleanedPixels) -> dict[str, object]:
    """What the record and the log say of cleaned pixels."""
    return {
        "methods": list(cleaned.methods),
        "rectangles": [
            {
                "x": one.x,
                "y": one.y,
                "width": one.width,
                "height": one.height,
                "frame": None if one.frame < 0 else one.frame + 1,
            }
            for one in cleaned.rectangles
        ],
        "frames": cleaned.frames,
        "bits": cleaned.bits,
        "blocks": cleaned.blocks,
    }


def _orphans(report: RunReport) -> dict[str, object]:
    """What the record says of outputs whose inputs are gone."""
    pruned = sum(orphan.fate is OrphanFate.PRUNED for orphan in report.orphans)
    files = (
        {"path": one.path, "output": one.output or None, "outcome": one.fate.value, "reason": one.reason}
        for one in report.orphans
    )
    return {"pruned": pruned, "left": len(report.orphans) - pruned, "files": _within(LISTED_MOST, files)}


E = TypeVar("E", bound=Mapping[str, str | None])


def _within(room: int, entries: Iterable[E]) -> list[E]:
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


_OFTEN_NONE = frozenset({Status.CURRENT, Status.NOT_SELECTED, Status.HELD})
"""What is told of only where there are any."""


def summary_line(report: RunReport) -> str:
    """One line for people, such as ``6000 files: 5999 written, 1 failed in 3.2 s (1875 files/s)``."""
    found = sum(report.counts.values())
    words = {status: status.value for status in Status}
    words[Status.NOT_SELECTED] = "not selected"
    if report.is_dry:
        words[Status.WRITTEN] = "would be written"
    shown = [status for status in Status if status not in _OFTEN_NONE or report.counts[status]]
    parts = [f"{report.counts[status]} {words[status]}" for status in shown]
    if pruned := sum(orphan.fate is OrphanFate.PRUNED for orphan in report.orphans):
        parts.append(f"{pruned} {'would be ' * report.is_dry}pruned")
    files = "1 file" if found == 1 else f"{found} files"
    rate = f" ({found / report.run_time:.0f} files/s)" if found and report.run_time > 0 else ""
    stopped = report.exit_code in {ExitCode.INTERRUPTED, ExitCode.TERMINATED}
    prefix = f"{_STATUS_TEXTS[report.exit_code]} after " if stopped else ""
    return f"{prefix}{files}: {', '.join(parts)} in {report.run_time:.1f} s{rate}"
