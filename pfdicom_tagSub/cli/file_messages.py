"""What is said of each file while a run goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.outcome import FileOutcome, Orphan, OrphanFate, Status
from ..report.totals import Totals
from .console import Console

if TYPE_CHECKING:
    from ..report.crosswalk import Crosswalk
    from ..report.file_log import FileLog
    from ..report.missing_values import MissingValues

_MAX_LINES = 20
"""How many failed, and how many skipped, files are named on the console."""

_PER_FILE = 5
"""The verbosity that shows a line per file."""


class FileMessages:
    """What each outcome adds to the totals and shows on the console."""

    def __init__(
        self,
        console: Console,
        totals: Totals,
        log: FileLog | None,
        crosswalk: Crosswalk | None,
        missing: MissingValues | None,
    ) -> None:
        self._console = console
        self._totals = totals
        self._log = log
        self._crosswalk = crosswalk
        self._missing = missing
        self._failed = 0
        self._skipped = 0

    def take(self, outcome: FileOutcome) -> None:
        """Count one file and show it as the verbosity asks."""
        if self._crosswalk is not None and outcome.pairs:
            self._crosswalk.add(outcome.pairs)
            outcome = replace(outcome, pairs=())
        if self._missing is not None and outcome.missing:
            self._missing.add(outcome.missing)
            outcome = replace(outcome, missing=())
        self._totals.add(outcome)
        if self._log is not None:
            self._log.write(outcome)
        every = self._console.verbosity >= _PER_FILE
        match outcome.status:
            case Status.FAILED:
                self._failed += 1
                if every or self._failed <= _MAX_LINES:
                    self._console.error(f"{outcome.relative}: {outcome.stage}: {outcome.reason}")
            case Status.SKIPPED | Status.NOT_SELECTED:
                self._skipped += 1
                if every or self._skipped <= _MAX_LINES:
                    self._console.note(2, f"skipped {outcome.relative}: {outcome.reason}")
            case _ if every:
                self._console.note(_PER_FILE, _describe(outcome, is_dry=self._totals.is_dry))

    @property
    def wants_each(self) -> bool:
        """Whether each file is shown or kept, also one like many others."""
        return self._log is not None or self._console.verbosity >= _PER_FILE

    def take_orphan(self, orphan: Orphan) -> None:
        """Count an output whose input is gone."""
        self._totals.add_orphan(orphan)
        if self._log is not None and orphan.fate is OrphanFate.PRUNED:
            self._log.write_pruned(orphan)
        fate = "would be pruned" if self._totals.is_dry and not orphan.reason else str(orphan.fate)
        self._console.note(2, f"{fate}, its input is gone: output of {orphan.path}")

    def close(self) -> None:
        """Say how many files were not named."""
        if self._console.verbosity >= _PER_FILE:
            return
        if self._failed > _MAX_LINES:
            self._console.error(f"... and {self._failed - _MAX_LINES} more failed; --json lists all")
        if self._skipped > _MAX_LINES:
            self._console.note(2, f"... and {self._skipped - _MAX_LINES} more skipped; --json lists all")


def _describe(outcome: FileOutcome, *, is_dry: bool) -> str:
    """One line on a file that was read, substituted and written."""
    changes = sum(count for _, _, count in outcome.elements)
    if outcome.status is Status.CURRENT:
        return f"{outcome.relative}: not read, the ledger has it as done"
    end = "unchanged, the output exists already"
    if outcome.is_held:
        end = "held, as a person has to see its pixels"
    elif outcome.status is Status.WRITTEN:
        end = "would be written" if is_dry else "written"
    return f"{outcome.relative}: read, elements changed: {changes}, {end}"
