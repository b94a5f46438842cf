"""The crosswalk: which original became which new value, for the honest broker alone.

It holds what the outputs hide. So it is its owner's alone, lies outside of both trees, and is replaced as a
whole by what it held and what a run adds.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from ..core.errors import OwnFileError
from ..files.replacing import alone_in, check_replaceable, reason_of, replaced
from .sorted_rows import SortedRow, SortedRows

FLAG = "--crosswalk"
COLUMNS = ("attribute", "original", "new")

APPLICATION_ID = 0x70666378
"""Says in the header of an SQLite file that it is a crosswalk."""

_LONGEST = 1 << 24
_KNOWN = frozenset(
    {"AccessionNumber", "PatientID", "Path", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"}
)


class Crosswalk:
    """A crosswalk that a run adds to; to be committed and closed at its end."""

    def __init__(self, path: str) -> None:
        """Read what is there.

        Args:
            path: the file, ``.csv`` or ``.sqlite``.

        Raises:
            OwnFileError: it cannot be written, or is no crosswalk. The text names the line, never a value.
        """
        self.path = path
        self.problem = ""
        check_replaceable(FLAG, path)
        self._is_sqlite = path.lower().endswith(".sqlite")
        self.is_new = not os.path.lexists(path)
        """Whether there was none before."""
        self._rows = SortedRows()
        self._stamp = self._look()
        try:
            self._load()
        except OSError as error:
            raise OwnFileError(f"{FLAG} {path}: {reason_of(error)}") from None

    def add(self, pairs: tuple[SortedRow, ...]) -> None:
        """Take the pairs of a file."""
        if self.problem:
            return
        try:
            self._rows.add(pairs)
        except OSError as error:
            self._fail(reason_of(error))

    def commit(self) -> bool:
        """Write it, with what another run wrote meanwhile; False where it could not be written."""
        if self.problem:
            return False
        try:
            with alone_in(self.path):
                if self._look() != self._stamp:
                    self._load()
                with replaced(self.path) as temporary:
                    (self._write_sqlite if self._is_sqlite else self._write_csv)(temporary)
                self._stamp = self._look()
        except (OSError, sqlite3.Error) as error:
            self._fail(reason_of(error) if isinstance(error, OSError) else type(error).__name__)
        except OwnFileError as error:
            self._fail(str(error))
        return not self.problem

    def collisions(self) -> dict[str, int]:
        """For each attribute of which new values stand for more than one original, how many of them do.

        A value that was removed or emptied is no new one. Nothing where that cannot be found out.
        """
        if self.problem:
            return {}
        try:
            found = self._collisions()
        except OSError as error:
            self.problem = (
                f"{FLAG} {self.path}: {reason_of(error)}; it is whole, but new values were not compared"
            )
            return {}
        return {attribute: number for attribute, number in sorted(found.items()) if number}

    def _collisions(self) -> Counter[str]:
        found: Counter[str] = Counter()
        last: tuple[str, str] = ("", "")
        count = 0
        for attribute, _, new in self._rows.sorted((1, 3, 2)):
            count = count + 1 if (attribute, new) == last else 1
            last = attribute, new
            found[attribute] += count == 2 and bool(new)
        return found

    def close(self) -> None:
        """Let go of what was collected."""
        self._rows.close()

    def _fail(self, reason: str) -> None:
        self.problem = (
            f"{FLAG} {self.path}: {reason}; it is as it was before, and what this run found is not in it: "
            "run again"
        )

    def _look(self) -> tuple[int, ...]:
        try:
            found = os.lstat(self.path)
        except OSError:
            return ()
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _load(self) -> None:
        """Take the rows that the file has.

        Raises:
            OSError: it cannot be read.
            OwnFileError: it is no crosswalk.
        """
        if self._look():
            self._rows.add(self._read_sqlite() if self._is_sqlite else self._read_csv())

    def _read_csv(self) -> Iterator[SortedRow]:
        line = 0
        before = csv.field_size_limit(_LONGEST)
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                reader = csv.reader(file, strict=True)
                for row in reader:
                    if not line and tuple(row) != COLUMNS:
                        raise OwnFileError(f"{FLAG} {self.path} is no crosswalk; give another file")
                    if line and (len(row) != len(COLUMNS) or row[0] not in _KNOWN):
                        raise OwnFileError(
                            f"{FLAG} {self.path}: line {reader.line_num} is no row of a crosswalk"
                        )
                    if line:
                        yield row[0], row[1], row[2]
                    line = reader.line_num
        except csv.Error:
            raise OwnFileError(f"{FLAG} {self.path}: it is damaged after line {line}") from None
        finally:
            csv.field_size_limit(before)

    def _write_csv(self, path: str) -> None:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(self._rows.sorted())

    def _read_sqlite(self) -> Iterator[SortedRow]:
        place = f"file:{quote(os.fsencode(os.path.abspath(self.path)))}?mode=ro"
        try:
            connection = sqlite3.connect(place, uri=True)
            try:
                if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
                    raise OwnFileError(f"{FLAG} {self.path} is no crosswalk; give another file")
                for row in connection.execute(f"SELECT {', '.join(COLUMNS)} FROM crosswalk"):  # noqa: S608
                    attribute, original, new = map(_text, row)
                    yield attribute, original, new
            finally:
                connection.close()
        except sqlite3.Error:
            raise OwnFileError(f"{FLAG} {self.path} is no crosswalk, or damaged; give another file") from None

    def _write_sqlite(self, path: str) -> None:
        connection = sqlite3.connect(path, isolation_level=None)
        try:
            for setting in ("journal_mode = OFF", "synchronous = OFF", f"application_id = {APPLICATION_ID}"):
                connection.execute(f"PRAGMA {setting}")
            connection.execute(
                "CREATE TABLE crosswalk (attribute NOT NULL, original NOT NULL, new NOT NULL, "
                "PRIMARY KEY (attribute, original, new)) WITHOUT ROWID"
            )
            connection.execute("BEGIN")
            rows = (tuple(map(_stored, row)) for row in self._rows.sorted())
            connection.executemany("INSERT INTO crosswalk VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
        finally:
            connection.close()


def _stored(text: str) -> str | bytes:
    """A text, or the bytes of a path that is none."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogateescape")
    return text


def _text(value: Any) -> str:
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)
