"""The ledger: which version of which input is done, in an SQLite file.

A row says that an input, by size and time of last change, became an output that was on the disk
before the row was. It holds no value of a file, but the paths of inputs, so it is readable by its
owner alone.

SQLite's rollback journal is used, not its write-ahead log: a run is the only user of the file, so
the log would gain nothing, and it does not work on network file systems. The lock is SQLite's own,
held from the first access to the last. The system drops it when the process ends, however it ends,
and worker processes do not inherit it.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from ..core.errors import LedgerError
from ..core.outcome import CleanedPixels, FileOutcome, Finished, Stamp, Status
from .ledger_file import (
    ERRORS,
    NOBODY,
    PROVISIONAL,
    Identity,
    connect,
    create_if_absent,
    lock_and_prepare,
    read_numbers,
    reason_of,
)

ROWS_AT_ONCE = 2000
SECONDS_AT_ONCE = 2.0
"""Rows are committed when so many are waiting, or the first of them for so long."""

_NOT_SYNCED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.ENOENT})
"""Why a directory is not written to the disk on demand: its file system does so by itself, or it is
not ours, or it is gone."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one input.

    Attributes:
        is_of_this_run: whether it was done as this run would do it.
        source: the version of the input.
        skipped: why it is not DICOM; "" where it is.
        output_path: where its output is, below the output directory; "" for the input's own path, an absolute
            one where it is held elsewhere.
        output: the output; None where there is none.
        review: as of an outcome.
        path_holds_value: likewise.
        residuals: likewise.
        pixels: likewise.
    """

    is_of_this_run: bool
    source: Stamp
    skipped: str
    output_path: str
    output: Stamp | None
    review: str
    path_holds_value: bool
    residuals: tuple[str, ...]
    pixels: CleanedPixels | None


class Ledger:
    """A ledger that is open for one run over one pair of trees; a context manager.

    When it cannot be read or written any more, the run goes on without it: no more rows are known
    or noted, and ``problem`` says so.
    """

    def __init__(
        self, path: str, input_root: str, output_root: str, identity: Identity, *, reads_only: bool = False
    ) -> None:
        """Open a ledger, or make one; it is this process's alone until it is closed.

        Args:
            path: the file.
            input_root: the input directory, absolute.
            output_root: the output directory, absolute.
            identity: what says whether a file would be done in the same way again.
            reads_only: change nothing in it; it has to be there.

        Raises:
            LedgerError: it cannot be used, or another run uses it.
        """
        self.path = path
        self.problem = ""
        found, self.warnings = create_if_absent(path)
        self._root = output_root.rstrip("/") or "/"
        self._is_provisional = False
        self._waiting: list[tuple[str, Finished, FileOutcome]] = []
        self._since = 0.0
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = connect(path, reads_only=reads_only)
            start = read_numbers if reads_only else lock_and_prepare
            self._tree, self._identity = start(self._connection, path, input_root, output_root, identity)
            # SQLite follows links; nobody may have put one in the file's place meanwhile.
            if not os.path.samestat(os.lstat(path), found):
                raise LedgerError(f"--ledger {path}: something else took its place; run again")
        except OSError as error:
            self._drop()
            raise LedgerError(f"--ledger {path}: {error.strerror}") from None
        except ERRORS as error:
            self._drop()
            raise LedgerError(f"--ledger {path}: {reason_of(error)}") from None
        except LedgerError:
            self._drop()
            raise

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what waits, and let others have the file."""
        self.commit()
        self._drop()

    def directory(self, relative: str) -> int | None:
        """The number under which the ledger has a directory; None where it has not.

        Args:
            relative: its path below the input directory.
        """
        found = self._select(
            "SELECT id FROM directories WHERE tree = ? AND path = ?", (self._tree, os.fsencode(relative))
        )
        return found[0][0] if found else None

    def rows(self, directory: int, names: Sequence[str]) -> dict[str, Row]:
        """What is known of some files of a directory, by their names."""
        marks = ",".join("?" * len(names))
        found = self._select(
            "SELECT name, identity, size, mtime_ns, skipped, output, output_size, output_mtime_ns, "  # noqa: S608
            f"review, is_telling, residuals, pixels FROM files WHERE directory = ? AND name IN ({marks})",
            (directory, *map(os.fsencode, names)),
        )
        try:
            return {os.fsdecode(row[0]): self._row(row) for row in found}
        except (TypeError, ValueError) as error:
            self._fail(reason_of(error))
            return {}

    def begin_provisionally(self, *, believes: bool) -> None:
        """Have what this run does count as done only when it is confirmed.

        Args:
            believes: whether what earlier runs did alike counts as done.
        """
        self._is_provisional = True
        if self._connection is None:
            return
        doubted = (PROVISIONAL,) if believes else (PROVISIONAL, self._identity)
        self._set_identities(doubted, NOBODY)

    def confirm(self) -> None:
        """Have what this run did count as done."""
        self.commit()
        self._set_identities((PROVISIONAL,), self._identity)

    def _set_identities(self, old: tuple[int, ...], new: int) -> None:
        if self._connection is None:
            return
        marks = ",".join("?" * len(old))
        try:
            self._connection.execute(
                f"UPDATE files SET identity = ? WHERE identity IN ({marks})",  # noqa: S608
                (new, *old),
            )
        except ERRORS as error:
            self._fail(reason_of(error))

    def directories(self) -> list[tuple[int, str]]:
        """The number and the path of each directory below the input directory, by their paths."""
        found = self._select("SELECT id, path FROM directories WHERE tree = ? ORDER BY path", (self._tree,))
        return [(number, os.fsdecode(path)) for number, path in found]

    def outputs(self, directory: int) -> list[tuple[str, str, Stamp | None, bool]]:
        """For each input of a directory its name, the path and the version of its output, and whether it
        was done as this run would do it.

        The path is relative to the output directory, "" for the input's own; there is no version of what was
        skipped.
        """
        self.commit()
        found = self._select(
            "SELECT name, output, output_size, output_mtime_ns, identity FROM files WHERE directory = ?",
            (directory,),
        )
        return [
            (
                os.fsdecode(name),
                os.fsdecode(output) if output else "",
                None if size is None else Stamp(size, mtime_ns),
                identity == self._identity,
            )
            for name, output, size, mtime_ns, identity in found
        ]

    def all_outputs(self) -> Iterator[tuple[int, str, str]]:
        """The directory's number, the input's name and the absolute path of each output of all trees."""
        if self._connection is None:
            return
        try:
            for root, folder, number, name, output in self._connection.execute(
                "SELECT trees.output, directories.path, directories.id, name, files.output FROM files "
                "JOIN directories ON directories.id = directory JOIN trees ON trees.id = tree "
                "WHERE output_size IS NOT NULL"
            ):
                own = output or (name if folder == b"." else folder + b"/" + name)
                path = own if own.startswith(b"/") else root.rstrip(b"/") + b"/" + own
                yield number, os.fsdecode(name), os.fsdecode(path)
        except ERRORS as error:
            self._fail(reason_of(error))

    def forget(self, files: Iterable[tuple[int, str]]) -> None:
        """Forget files, each by the number of its directory and its name."""
        rows = [(directory, os.fsencode(name)) for directory, name in files]
        if self._connection is None or not rows:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany("DELETE FROM files WHERE directory = ? AND name = ?", rows)
            self._connection.execute("COMMIT")
        except ERRORS as error:
            self._fail(reason_of(error))

    def noting(self, on_outcome: Callable[[FileOutcome], None]) -> Callable[[FileOutcome], None]:
        """The same function, with the ledger told of each outcome before."""

        def note(outcome: FileOutcome) -> None:
            self.note(outcome)
            on_outcome(outcome)

        return note

    def note(self, outcome: FileOutcome) -> None:
        """Learn what became of a file; it is committed before long."""
        if outcome.finished is None or self._connection is None:
            return
        now = time.monotonic()
        if not self._waiting:
            self._since = now
        self._waiting.append((outcome.relative, outcome.finished, outcome))
        if len(self._waiting) >= ROWS_AT_ONCE or now - self._since >= SECONDS_AT_ONCE:
            self.commit()

    def commit(self) -> None:
        """Write what waits, after the outputs' directories are on the disk; their bytes are already."""
        if not self._waiting or self._connection is None:
            return
        try:
            self._sync_directories()
        except OSError as error:
            self._fail(f"the outputs' directories cannot be written to the disk: {error.strerror}")
            return
        try:
            self._write(self._connection)
        except ERRORS as error:
            self._fail(reason_of(error))
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        else:
            self._waiting = []

    def _write(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
        identity = PROVISIONAL if self._is_provisional else self._identity
        numbers: dict[str, int] = {}
        rows = []
        for relative, finished, outcome in self._waiting:
            folder, _, name = relative.rpartition("/")
            if folder not in numbers:
                key = (self._tree, os.fsencode(folder or "."))
                connection.execute("INSERT OR IGNORE INTO directories (tree, path) VALUES (?, ?)", key)
                ((numbers[folder],),) = connection.execute(
                    "SELECT id FROM directories WHERE tree = ? AND path = ?", key
                )
            rows.append((numbers[folder], os.fsencode(name), identity, *self._fields(finished, outcome)))
        connection.executemany(
            f"INSERT OR REPLACE INTO files VALUES ({','.join('?' * 13)})",  # noqa: S608
            rows,
        )
        connection.execute("COMMIT")

    def _fields(self, finished: Finished, outcome: FileOutcome) -> tuple[object, ...]:
        """The columns of a row from its size on."""
        output: bytes | None = None
        if finished.output is not None:
            path = finished.output_path
            root = self._root.rstrip("/") + "/"
            below = path[len(root) :] if path.startswith(root) else path  # what is held is elsewhere
            output = None if below == outcome.relative else os.fsencode(below)
        return (
            *finished.source,
            outcome.reason if outcome.status is Status.SKIPPED else None,
            output,
            *((None, None) if finished.output is None else finished.output),
            outcome.review or None,
            int(outcome.path_holds_value),
            json.dumps(outcome.residuals) if outcome.residuals else None,
            json.dumps(outcome.pixels.to_plain()) if outcome.pixels is not None else None,
        )

    def _row(self, row: tuple[Any, ...]) -> Row:
        _, identity, size, mtime_ns, skipped, output, output_size, output_mtime_ns, *details = row
        review, holds, left, pixels = details
        return Row(
            is_of_this_run=identity == self._identity,
            source=Stamp(size, mtime_ns),
            skipped=str(skipped or ""),
            output_path=os.fsdecode(output) if output else "",
            output=None if output_size is None else Stamp(output_size, output_mtime_ns),
            review=str(review or ""),
            path_holds_value=bool(holds),
            residuals=tuple(map(str, json.loads(left))) if left else (),
            pixels=CleanedPixels.of_plain(json.loads(pixels)) if pixels else None,
        )

    def _select(self, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        if self._connection is None:
            return []
        try:
            return self._connection.execute(query, values).fetchall()
        except ERRORS as error:
            self._fail(reason_of(error))
            return []

    def _sync_directories(self) -> None:
        """Write the directories of the outputs that wait to the disk, and those above them."""
        folders: set[str] = {os.path.dirname(self._root)}
        for _, finished, _ in self._waiting:
            folder = finished.output_path.rpartition("/")[0] if finished.output is not None else ""
            while folder and folder not in folders and len(folder) >= len(self._root):
                folders.add(folder)
                folder = folder.rpartition("/")[0]
        for folder in sorted(folders, key=len, reverse=True):
            try:
                descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
            except OSError as error:
                if error.errno not in _NOT_SYNCED:
                    raise

    def _fail(self, reason: str) -> None:
        """Go on without the ledger."""
        self.problem = (
            f"--ledger {self.path}: {reason}; the run went on without it: all outputs are whole, but what "
            "was done since is not on record and will be done again"
        )
        self._waiting = []
        self._drop()

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.rollback()
            with suppress(sqlite3.Error):
                connection.close()
