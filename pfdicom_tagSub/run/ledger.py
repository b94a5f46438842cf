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
import hashlib
import hmac
import json
import os
import sqlite3
import stat
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple

from ..core.errors import LedgerError
from ..core.outcome import CleanedPixels, FileOutcome, Finished, Stamp, Status
from ..files.own_files import LINK, find_problem
from ..spec.secret import Secret

APPLICATION_ID = 0x70667473
"""Says in the file's header that it is such a ledger."""

SCHEMA_VERSION = 2

ROWS_AT_ONCE = 2000
SECONDS_AT_ONCE = 2.0
"""Rows are committed when so many are waiting, or the first of them for so long."""

_SCHEMA = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value BLOB NOT NULL);
CREATE TABLE identities (
    id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE,
    version TEXT NOT NULL, spec_digest TEXT NOT NULL, key_fingerprint TEXT NOT NULL);
CREATE TABLE trees (
    id INTEGER PRIMARY KEY, input BLOB NOT NULL, output BLOB NOT NULL, UNIQUE (input, output));
CREATE TABLE directories (
    id INTEGER PRIMARY KEY, tree INTEGER NOT NULL, path BLOB NOT NULL, UNIQUE (tree, path));
CREATE TABLE files (
    directory INTEGER NOT NULL, name BLOB NOT NULL, identity INTEGER NOT NULL,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, skipped TEXT,
    output BLOB, output_size INTEGER, output_mtime_ns INTEGER,
    review TEXT, is_telling INTEGER NOT NULL, residuals TEXT, pixels TEXT,
    PRIMARY KEY (directory, name)) WITHOUT ROWID;
"""

_ERRORS = (sqlite3.Error, TypeError, ValueError)
"""What a ledger may raise; the last two where it holds what was never written to it."""

_NOT_SYNCED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EACCES, errno.ENOENT})
"""Why a directory is not written to the disk on demand: its file system does so by itself, or it is
not ours, or it is gone."""


class Identity(NamedTuple):
    """Everything beside a file that says what its output is.

    Attributes:
        version: of the tool.
        spec_digest: that of the rules.
        key_fingerprint: that of the secret key; "" without one.
        others: whatever else matters, such as templates of paths and versions of libraries.
        tables: the lookup tables. Only a keyed digest of them is kept.
        secret: the key of that digest; without one it is slow to guess.
    """

    version: str
    spec_digest: str
    key_fingerprint: str
    others: Sequence[object]
    tables: object
    secret: Secret | None

    def digest(self, salt: bytes) -> bytes:
        """32 bytes that differ where any of it does."""
        tables = json.dumps(self.tables, sort_keys=True).encode() if self.tables else b""
        if not tables:
            hidden = ""
        elif self.secret is not None:
            hidden = self.secret.digest("ledger", tables).hex()
        else:
            hidden = hashlib.scrypt(tables, salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex()
        parts = [self.version, self.spec_digest, self.key_fingerprint, list(self.others), hidden]
        return hmac.digest(salt, json.dumps(parts).encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Row:
    """What is known of one input.

    Attributes:
        is_of_this_run: whether it was done as this run would do it.
        source: the version of the input.
        skipped: why it is not DICOM; "" where it is.
        output_path: where its output is, below the output directory; "" for the input's own path.
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

    def __init__(self, path: str, input_root: str, output_root: str, identity: Identity) -> None:
        """Open a ledger, or make one; it is this process's alone until it is closed.

        Args:
            path: the file.
            input_root: the input directory, absolute.
            output_root: the output directory, absolute.
            identity: what says whether a file would be done in the same way again.

        Raises:
            LedgerError: it cannot be used, or another run uses it.
        """
        self.path = path
        self.problem = ""
        found, self.warnings = _ready(path)
        self._root = output_root.rstrip("/") or "/"
        self._waiting: list[tuple[str, Finished, FileOutcome]] = []
        self._since = 0.0
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = sqlite3.connect(os.path.abspath(path), timeout=0, isolation_level=None)
            self._tree, self._identity = _begin(self._connection, path, input_root, output_root, identity)
            # SQLite follows links; nobody may have put one in the file's place meanwhile.
            if not os.path.samestat(os.lstat(path), found):
                raise LedgerError(f"--ledger {path}: something else took its place; run again")
        except OSError as error:
            self._drop()
            raise LedgerError(f"--ledger {path}: {error.strerror}") from None
        except _ERRORS as error:
            self._drop()
            raise LedgerError(f"--ledger {path}: {_reason(error)}") from None
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
            self._fail(_reason(error))
            return {}

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
        except _ERRORS as error:
            self._fail(_reason(error))
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.rollback()
            raise
        else:
            self._waiting = []

    def _write(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")
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
            rows.append(
                (numbers[folder], os.fsencode(name), self._identity, *self._fields(finished, outcome))
            )
        connection.executemany(
            f"INSERT OR REPLACE INTO files VALUES ({','.join('?' * 13)})",  # noqa: S608
            rows,
        )
        connection.execute("COMMIT")

    def _fields(self, finished: Finished, outcome: FileOutcome) -> tuple[object, ...]:
        """The columns of a row from its size on."""
        output: bytes | None = None
        if finished.output is not None:
            below = finished.output_path[len(self._root.rstrip("/")) + 1 :]
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
        _, identity, size, mtime_ns, skipped, output, output_size, output_mtime_ns, *told = row
        review, holds, left, pixels = told
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
        except _ERRORS as error:
            self._fail(_reason(error))
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


def _ready(path: str) -> tuple[os.stat_result, tuple[str, ...]]:
    """Make the file where there is none, readable by its owner alone.

    Returns:
        What the system says of it, and what the user should know.

    Raises:
        LedgerError: it is no file, or none of the run's own.
    """
    try:
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            try:
                os.fchmod(descriptor, 0o600)  # whatever the umask is
                return os.fstat(descriptor), ()
            finally:
                os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or "it is not a path"
        raise LedgerError(f"--ledger {path}: {reason}") from None
    if stat.S_ISLNK(found.st_mode):
        raise LedgerError(f"--ledger {path} is not a file: {LINK}")
    if not stat.S_ISREG(found.st_mode):
        raise LedgerError(f"--ledger {path} is not a file")
    if problem := find_problem(found):
        raise LedgerError(f"--ledger {path}: {problem}")
    if found.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        warning = f"--ledger {path}: others can read it, and it holds the paths of inputs; chmod 600 it"
        return found, (warning,)
    return found, ()


def _begin(
    connection: sqlite3.Connection, path: str, input_root: str, output_root: str, identity: Identity
) -> tuple[int, int]:
    """Lock a ledger, make sure that it is one and can be written; the numbers of trees and identity."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN EXCLUSIVE")
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    ((tables,),) = connection.execute("SELECT count(*) FROM sqlite_master")
    if not tables and not application and not version:
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO settings VALUES ('salt', ?)", (os.urandom(32),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif application != APPLICATION_ID:
        raise LedgerError(f"--ledger {path} is the database of another program; give another file")
    elif version == 1:  # of 4.1, whose rows lack what was done to pixels
        connection.execute("ALTER TABLE files ADD COLUMN pixels TEXT")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    elif version != SCHEMA_VERSION:
        raise LedgerError(
            f"--ledger {path} was made by another version of pfdicom_tagSub (its schema is {version}, this "
            f"version's is {SCHEMA_VERSION}); give another file"
        )
    ((verdict,),) = connection.execute("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise LedgerError(f"--ledger {path} is damaged; move it away, and all is done and recorded anew")
    connection.execute("SELECT directory, pixels FROM files JOIN directories ON id = directory LIMIT 1")
    ((salt,),) = connection.execute("SELECT value FROM settings WHERE name = 'salt'")
    tree = (os.fsencode(input_root), os.fsencode(output_root))
    connection.execute("INSERT OR IGNORE INTO trees (input, output) VALUES (?, ?)", tree)
    ((tree_number,),) = connection.execute("SELECT id FROM trees WHERE input = ? AND output = ?", tree)
    digest = identity.digest(salt)
    connection.execute(
        "INSERT OR IGNORE INTO identities (digest, version, spec_digest, key_fingerprint) "
        "VALUES (?, ?, ?, ?)",
        (digest, identity.version, identity.spec_digest, identity.key_fingerprint),
    )
    ((identity_number,),) = connection.execute("SELECT id FROM identities WHERE digest = ?", (digest,))
    # Always a write, so that a file or disk that takes none is found before the first input is read.
    connection.execute(
        "INSERT OR REPLACE INTO settings VALUES ('runs', "
        "coalesce((SELECT value FROM settings WHERE name = 'runs'), 0) + 1)"
    )
    connection.execute("COMMIT")
    connection.execute("PRAGMA journal_mode = DELETE")  # if somebody changed it
    return tree_number, identity_number


def _reason(error: Exception) -> str:
    """What SQLite complains of; its texts name tables and columns, never values."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return "another run or program uses it; wait for its end, or give another file"
    if code == sqlite3.SQLITE_NOTADB:
        return "it is not a ledger; give another file"
    if code == sqlite3.SQLITE_CORRUPT or not isinstance(error, sqlite3.Error):
        return "it is damaged; move it away, and all is done and recorded anew"
    if isinstance(error, sqlite3.OperationalError):
        return str(error)
    return f"it cannot be used ({type(error).__name__})"
