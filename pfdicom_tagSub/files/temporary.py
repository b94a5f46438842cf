"""The names of temporary outputs, and the removal of those that a killed run left."""

from __future__ import annotations

import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

TEMP_PREFIX = ".pfdicom_tagSub-"
TEMP_SUFFIX = ".tmp"

_MAX_HOST = 64
_ABANDONED_AFTER = 24 * 3600.0
_NAME = re.compile(
    re.escape(TEMP_PREFIX)
    + r"(?P<host>[A-Za-z0-9.-]+)-(?P<pid>[0-9]+)-[0-9]+(~(?P<run>[0-9a-f]+))?"
    + re.escape(TEMP_SUFFIX)
)


@cache
def _host() -> str:
    """This host's name with nothing in it that a file name cannot hold."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", os.uname().nodename)[:_MAX_HOST] or "localhost"


def temporary_name(number: int, run: str = "") -> str:
    """The name under which this process writes an output before it renames it.

    Args:
        number: tells apart the files that this process has open at one time.
        run: hex digits that tell a run on many hosts from all others; "" for others.

    Returns:
        ``.pfdicom_tagSub-<host>-<pid>-<number>.tmp``, with ``~<run>`` before the suffix
        where there is a run.
    """
    return f"{TEMP_PREFIX}{_host()}-{os.getpid()}-{number}{'~' * bool(run)}{run}{TEMP_SUFFIX}"


def remove_stale(directory: str, run: str = "") -> int:
    """Remove the temporary outputs that runs were killed over.

    A file of this host is stale when its process is gone, or when nobody wrote to it for
    a day: process ids start anew in a container, so that of a killed run may live again.
    Files of other hosts are left alone, but a run on many hosts removes theirs after a
    day, too. What cannot be removed is left; it is in nobody's way.

    Args:
        directory: an output directory; it need not exist.
        run: the run on many hosts that asks, "" for others; its own files are left to
            ``remove_run``.

    Returns:
        How many files were removed.
    """

    def is_stale(name: re.Match[str], status: os.stat_result) -> bool:
        if run and name["run"] == run:
            return False
        abandoned = time.time() - status.st_mtime > _ABANDONED_AFTER
        if name["host"] != _host():
            return bool(run) and abandoned
        return abandoned or not _is_alive(int(name["pid"]))

    return _remove(directory, is_stale)


def remove_run(directory: str, run: str) -> int:
    """Remove the temporary outputs of a run on many hosts, whoever left them.

    Call it when the run is over. A worker that was given up for lost and is at one of
    them all the same cannot rename it any more: what it does is in nobody's record.

    Args:
        directory: an output directory; it need not exist.
        run: the run.

    Returns:
        How many files were removed.
    """
    return _remove(directory, lambda name, _: name["run"] == run)


def _remove(directory: str, is_stale: Callable[[re.Match[str], os.stat_result], bool]) -> int:
    removed = 0
    with suppress(OSError), _listing(directory) as (descriptor, entries):
        for entry in entries:
            if not entry.name.startswith(TEMP_PREFIX):
                continue
            match = _NAME.fullmatch(entry.name)
            if match is None:
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and is_stale(match, status):
                    os.unlink(entry.name, dir_fd=descriptor)
                    removed += 1
    return removed


@contextmanager
def _listing(directory: str) -> Iterator[tuple[int, Iterator[os.DirEntry[str]]]]:
    """A directory that is no symbolic link: its descriptor, and what it holds."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with os.scandir(descriptor) as entries:
            yield descriptor, entries
    finally:
        os.close(descriptor)


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return not state or state[0] not in {"Z", "X"}
    return True
