"""A file of the run's own that is replaced whole: nobody but its owner reads it, before or after."""

from __future__ import annotations

import fcntl
import itertools
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..core.errors import OwnFileError
from ..core.system_reasons import why_unwritten
from .own_files import LINK, find_problem
from .temporary import remove_stale, temporary_name

MODE = 0o600

_numbers = itertools.count(1 << 21)  # no other file of this process has the name of such a number


def check_replaceable(flag: str, path: str) -> None:
    """Find out whether a file can be replaced, before anything is done; what killed runs left goes.

    Args:
        flag: what named it.
        path: the file, which need not exist.

    Raises:
        OwnFileError: it cannot, or what is there is not the run's own.
    """
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise OwnFileError(f"{flag} {path}: {why_unwritten(error)}") from None
    else:
        if stat.S_ISLNK(found.st_mode):
            raise OwnFileError(f"{flag} {path}: {LINK}")
        if not stat.S_ISREG(found.st_mode):
            raise OwnFileError(f"{flag} {path}: what is there is no regular file")
        if problem := find_problem(found):
            raise OwnFileError(f"{flag} {path}: {problem}")
    folder = _folder_of(path)
    remove_stale(folder)
    try:
        os.unlink(_created(folder))
    except OSError as error:
        raise OwnFileError(f"{flag} {path}: cannot write to its directory: {why_unwritten(error)}") from None


@contextmanager
def replaced(path: str) -> Iterator[str]:
    """Replace a file whole or not at all.

    Args:
        path: the file.

    Yields:
        The path of an empty file to be written instead, which only its owner can read. It takes the file's
        place when the block ends, and is removed where the block fails.

    Raises:
        OSError: it cannot be replaced.
    """
    folder = _folder_of(path)
    temporary = _created(folder)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.rename(temporary, os.path.abspath(path))
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync(folder)


@contextmanager
def alone_in(path: str) -> Iterator[None]:
    """Let no other run replace files in the directory of a file meanwhile, if its file system has locks."""
    descriptor = os.open(_folder_of(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def reason_of(error: Exception) -> str:
    """What the system says of a file, without its path."""
    return getattr(error, "strerror", None) or "it is not a path"


def _folder_of(path: str) -> str:
    return os.path.dirname(os.path.abspath(path))


def _created(folder: str) -> str:
    while True:
        path = f"{folder}/{temporary_name(next(_numbers))}"
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
        except FileExistsError:
            continue
        os.chmod(path, MODE)  # whatever the umask is
        return path


def _sync(folder: str) -> None:
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
