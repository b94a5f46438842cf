"""Reading and matching with an end: a file may be endless, and a pattern may backtrack for years."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SPEC_MOST = 1 << 24
TABLE_MOST = 1 << 28
"""The bytes of a spec and of a lookup table at most."""

PATTERN_SECONDS = 5.0
"""How long the patterns of a key or a filter may take; they take milliseconds."""


class TooLargeError(Exception):
    """A file with more bytes than such a file can have."""


class TooSlowError(Exception):
    """A pattern that took too long."""


def read_whole(descriptor: int, most: int) -> bytes:
    """Read a file to its end.

    Args:
        descriptor: the file, open for reading.
        most: the bytes that it may have.

    Raises:
        TooLargeError: it has more.
        OSError: it cannot be read.
    """
    parts: list[bytes] = []
    size = 0
    while part := os.read(descriptor, min(1 << 20, most + 1 - size)):
        parts.append(part)
        size += len(part)
        if size > most:
            raise TooLargeError
    return b"".join(parts)


def read_path(path: str, most: int) -> bytes:
    """Read the file of a path to its end.

    Args, Raises: as of ``read_whole``; ValueError for a NUL in the path.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        return read_whole(descriptor, most)
    finally:
        os.close(descriptor)


@contextmanager
def in_time(seconds: float = PATTERN_SECONDS) -> Iterator[None]:
    """Stop the matching of patterns within the context when it takes too long.

    Python's matcher looks for signals now and then, so a timer ends it. Only the main thread can
    have one; in others nothing is stopped.

    Raises:
        TooSlowError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise TooSlowError

    previous = signal.signal(signal.SIGALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        signal.signal(signal.SIGALRM, previous)
