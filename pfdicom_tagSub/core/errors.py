"""The frozen types that pass between modules, the exit codes and the errors."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the command returns to the shell."""

    OK = 0
    FILES_FAILED = 1
    USAGE = 2
    INTERRUPTED = 130
    TERMINATED = 143


LONGEST_MESSAGE = 4_500
"""Characters of a message; the longest path of Linux (4,096 bytes) and what is wrong with it fit in."""

_BEGINNING, _ENDING = 1_000, 500
"""What is left of a longer one."""


class TagSubError(Exception):
    """An error that ends the run before the first file is opened.

    Its text is cut where it quotes more than a message should hold.

    Attributes:
        exit_code: what the command returns for it.
    """

    exit_code = ExitCode.USAGE

    def __str__(self) -> str:
        text = super().__str__()
        if len(text) <= LONGEST_MESSAGE:
            return text
        return f"{text[:_BEGINNING]}... ({len(text)} characters) ...{text[-_ENDING:]}"


class SpecError(TagSubError):
    """A spec that cannot mean what it says."""


class PlanError(TagSubError):
    """An input or output tree that cannot be worked on."""


class LedgerError(TagSubError):
    """A ledger that cannot be worked with, or is in use by another run."""


class WorkforceError(TagSubError):
    """Workers that this system has no room for."""


class LogError(TagSubError):
    """A log that cannot be opened."""


class OwnFileError(TagSubError):
    """A file that a run would keep for itself, and cannot: a crosswalk or a list."""


class FileError(Exception):
    """One file that cannot be processed; its neighbours can.

    Its text goes to logs and records, so it never quotes a value of the file.
    """


class TableMissError(FileError):
    """A lookup table that lacks a value of the file.

    Attributes:
        table: its name.
    """

    def __init__(self, table: str) -> None:
        super().__init__(f"the lookup table {table} lacks a value of the file")
        self.table = table


class NotDicomError(Exception):
    """One file that is not DICOM, or not a regular file, and is skipped.

    Its text is the reason that the record gives.
    """


class SkippedError(Exception):
    """One file that a condition of the spec skips.

    Its text is the reason that the record gives; it quotes no value of the file.
    """


class NotSelectedError(Exception):
    """One file for which the condition of ``--where`` does not hold."""


class Interrupted(BaseException):
    """SIGINT or SIGTERM, raised in the main thread.

    Attributes:
        exit_code: 130 or 143.
    """

    def __init__(self, exit_code: ExitCode) -> None:
        super().__init__(exit_code.name)
        self.exit_code = exit_code


class ClusterError(TagSubError):
    """A cluster that cannot be worked with, or no longer.

    Before the first batch nothing is written. Later on every output is whole all the same.
    """
