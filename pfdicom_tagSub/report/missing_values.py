"""The list of the values that lookup tables lack, to be filled in by whoever may know them."""

from __future__ import annotations

import csv

from ..files.replacing import alone_in, check_replaceable, reason_of, replaced
from .sorted_rows import SortedRows

FLAG = "--lookupMissing"
COLUMNS = ("table", "original", "replacement")


class MissingValues:
    """Collects them over a run; to be committed and closed at its end."""

    def __init__(self, path: str) -> None:
        """Args:
        path: the file, which is replaced at the end.

        Raises:
            OwnFileError: it cannot be.
        """
        self.path = path
        self.problem = ""
        check_replaceable(FLAG, path)
        self._rows = SortedRows()

    def add(self, missing: tuple[tuple[str, str], ...]) -> None:
        """Take (table, value) of a file."""
        if self.problem:
            return
        try:
            self._rows.add((table, value, "") for table, value in missing)
        except OSError as error:
            self._fail(error)

    def commit(self) -> None:
        """Write the list."""
        if self.problem:
            return
        try:
            with (
                alone_in(self.path),
                replaced(self.path) as temporary,
                open(temporary, "w", encoding="utf-8", errors="surrogateescape", newline="") as file,
            ):
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows(self._rows.sorted())
        except OSError as error:
            self._fail(error)

    def close(self) -> None:
        """Let go of what was collected."""
        self._rows.close()

    def _fail(self, error: OSError) -> None:
        self.problem = f"{FLAG} {self.path}: {reason_of(error)}; what is missing is not listed"
