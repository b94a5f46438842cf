"""Rows of texts, in order and each once, in memory that does not grow with their number.

They wait in a temporary database that has no name: the system removes it with the process, however that ends.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

SortedRow = tuple[str, str, str]

RECENT_MOST = 1 << 14
"""So many rows are remembered, so that what most files have in common is kept once."""

_CACHE_KILOBYTES = 16_000


class SortedRows:
    """Takes rows of three texts in any order, with the bytes of file names that are no text."""

    def __init__(self) -> None:
        # The empty path is SQLite's for a temporary database on the disk, which it removes once it is open.
        self._connection = sqlite3.connect("", isolation_level=None)
        for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KILOBYTES}"):
            self._connection.execute(f"PRAGMA {setting}")
        self._connection.execute("CREATE TABLE found (first BLOB, second BLOB, third BLOB)")
        self._connection.execute("BEGIN")
        self._recent: set[SortedRow] = set()
        self._is_empty = True

    def __bool__(self) -> bool:
        return not self._is_empty

    def add(self, rows: Iterable[SortedRow]) -> None:
        """Take some rows.

        Raises:
            OSError: there is no room for them.
        """
        try:
            self._connection.executemany("INSERT INTO found VALUES (?, ?, ?)", self._new(rows))
        except sqlite3.Error as error:
            raise OSError(
                0, f"its rows could not be kept for the time being ({type(error).__name__})"
            ) from None

    def _new(self, rows: Iterable[SortedRow]) -> Iterator[tuple[bytes, ...]]:
        for row in rows:
            if row in self._recent:
                continue
            if len(self._recent) >= RECENT_MOST:
                self._recent.clear()
            self._recent.add(row)
            self._is_empty = False
            yield tuple(text.encode("utf-8", "surrogateescape") for text in row)

    def sorted(self, order: tuple[int, int, int] = (1, 2, 3)) -> Iterator[SortedRow]:
        """The rows, each once.

        Args:
            order: the columns to sort by; the first is 1.

        Raises:
            OSError: there is no room to sort them.
        """
        query = f"SELECT first, second, third FROM found ORDER BY {', '.join(map(str, order))}"  # noqa: S608
        last: tuple[bytes, ...] | None = None
        try:
            for row in self._connection.execute(query):
                if row != last:
                    last = row
                    first, second, third = (part.decode("utf-8", "surrogateescape") for part in row)
                    yield first, second, third
        except sqlite3.Error as error:
            raise OSError(0, f"its rows could not be sorted ({type(error).__name__})") from None

    def close(self) -> None:
        """Let go of the rows."""
        self._connection.close()
