"""What is said of each file while a run goes on."""

from __future__ import annotations

from ..core.outcome import FileOutcome, Orphan, Status
from .console import Console

_MAX_LINES = 20
"""How many failed, and how many skipped, files are named on the console."""

_PER_FILE = 5
"""The verbosity that shows a line per file."""


class FileMessages:
    """What each outcome shows on the console."""

    def __init__(self, console: Console, *, is_dry: bool) -> None:
        """Args:
        console: where to show it.
        is_dry: whether nothing is written.
        """
        self._console = console
        self._is_dry = is_dry
        self._failed = 0
        self._skipped = 0

    def show(self, outcome: FileOutcome) -> None:
        """Show one file as the verbosity asks."""
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
                self._console.note(_PER_FILE, _describe(outcome, is_dry=self._is_dry))

    @property
    def wants_each(self) -> bool:
        """Whether each file is shown, also one like many others."""
        return self._console.verbosity >= _PER_FILE

    def show_orphan(self, orphan: Orphan) -> None:
        """Show an output whose input is gone."""
        fate = "would be pruned" if self._is_dry and not orphan.reason else str(orphan.fate)
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
