"""The file of a ledger: made, opened, locked and looked at before the first row of a run."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import sqlite3
import stat
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from .._version import __version__
from ..core.errors import LedgerError
from ..core.system_reasons import why_unwritten
from ..core.versions import version_of
from ..files.own_files import LINK, find_problem
from ..spec.secret import Secret

if TYPE_CHECKING:
    from ..pixels.settings import PixelSettings
    from ..spec.rules import RuleSet

APPLICATION_ID = 0x70667473
"""Says in the file's header that it is such a ledger."""

SCHEMA_VERSION = 2

_OF_4_1 = 1

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

ERRORS = (sqlite3.Error, TypeError, ValueError)
"""What a ledger may raise; the last two where it holds what was never written to it."""


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

    @classmethod
    def of(cls, rules: RuleSet, pixels: PixelSettings | None, others: Iterable[object]) -> Identity:
        """The identity of the outputs of a run.

        Args:
            rules: the compiled spec.
            pixels: how pixels are cleaned; None for not at all.
            others: what else decides an output, such as templates of paths.
        """
        secret = rules.resources.secret
        cleaning = [] if pixels is None else [f"pixels {pixels.digest}"]
        return cls(
            __version__,
            rules.digest,
            secret.fingerprint if secret else "",
            [version_of("pydicom"), version_of("Faker"), *cleaning, *others],
            rules.resources.tables,
            secret,
        )

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


def create_if_absent(path: str) -> tuple[os.stat_result, tuple[str, ...]]:
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
        reason = why_unwritten(error)
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


def connect(path: str, *, reads_only: bool) -> sqlite3.Connection:
    """The database of a ledger; nothing is made or changed where it is only read."""
    place = os.path.abspath(path)
    if reads_only:
        place = f"file:{quote(os.fsencode(place))}?mode=ro"
    return sqlite3.connect(place, timeout=0, isolation_level=None, uri=reads_only)


NOBODY = -1
"""The number of a tree or an identity that a ledger does not know."""

PROVISIONAL = -2
"""The number of the identity of what counts as done once it is confirmed."""


def read_numbers(
    connection: sqlite3.Connection, path: str, input_root: str, output_root: str, identity: Identity
) -> tuple[int, int]:
    """The numbers of trees and identity in a ledger of which nothing is changed."""
    _check_kind(connection, path)
    ((salt,),) = connection.execute("SELECT value FROM settings WHERE name = 'salt'")
    tree = (os.fsencode(input_root), os.fsencode(output_root))
    trees = connection.execute("SELECT id FROM trees WHERE input = ? AND output = ?", tree).fetchall()
    query = "SELECT id FROM identities WHERE digest = ?"
    identities = connection.execute(query, (identity.digest(salt),)).fetchall()
    return trees[0][0] if trees else NOBODY, identities[0][0] if identities else NOBODY


def _check_kind(connection: sqlite3.Connection, path: str) -> None:
    """Refuse what is no ledger of this version.

    Raises:
        LedgerError: it is none.
    """
    ((application,),) = connection.execute("PRAGMA application_id")
    ((version,),) = connection.execute("PRAGMA user_version")
    if application != APPLICATION_ID:
        raise LedgerError(f"--ledger {path} is the database of another program; give another file")
    if version not in {_OF_4_1, SCHEMA_VERSION}:
        raise LedgerError(
            f"--ledger {path} was made by another version of pfdicom_tagSub (its schema is {version}, this "
            f"version's is {SCHEMA_VERSION}); give another file"
        )


def lock_and_prepare(
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
    else:
        _check_kind(connection, path)
        if version == _OF_4_1:  # its rows lack what was done to pixels
            connection.execute("ALTER TABLE files ADD COLUMN pixels TEXT")
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    ((verdict,),) = connection.execute("PRAGMA quick_check(1)")
    if verdict != "ok":
        raise LedgerError(f"--ledger {path} is damaged; move it away, and the next run does everything again")
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


def reason_of(error: Exception) -> str:
    """What SQLite complains of; its texts name tables and columns, never values."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return "another run or program uses it; wait for its end, or give another file"
    if code == sqlite3.SQLITE_NOTADB:
        return "it is not a ledger; give another file"
    if code == sqlite3.SQLITE_CORRUPT or not isinstance(error, sqlite3.Error):
        return "it is damaged; move it away, and the next run does everything again"
    if isinstance(error, sqlite3.OperationalError):
        return str(error)
    return f"it cannot be used ({type(error).__name__})"
