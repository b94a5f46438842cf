"""What functions of the user print is dropped: it may be a value, and standard output may hold the record.

Other threads of the process go on printing: the streams are replaced by ones that ask who writes.
"""

from __future__ import annotations

import functools
import io
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_STREAMS = ("stdout", "stderr", "__stdout__", "__stderr__")

_lock = threading.Lock()
_here = threading.local()
_kept: dict[str, TextIO | None] = {}
_silenced = 0


class _Asking:
    """A stream that drops what a thread writes while it is within a function of the user."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(_nowhere() if getattr(_here, "depth", 0) else self._stream, name)


@functools.cache
def _nowhere() -> TextIO:
    """A stream that keeps nothing, not even in a buffer."""
    return io.TextIOWrapper(io.FileIO(os.devnull, "w"), "utf-8", "replace", write_through=True)


@contextmanager
def nothing_printed() -> Iterator[None]:
    """Drop what this thread writes to the standard streams of Python."""
    _replace()
    _here.depth = getattr(_here, "depth", 0) + 1
    try:
        yield
    finally:
        _here.depth -= 1
        _restore()


def _replace() -> None:
    global _silenced  # noqa: PLW0603  (the streams are the process's)
    with _lock:
        _silenced += 1
        if _silenced > 1:
            return
        for name in _STREAMS:
            stream = _kept[name] = getattr(sys, name)
            if stream is not None:
                setattr(sys, name, _Asking(stream))


def _restore() -> None:
    """Put back the streams once nobody is within a function, unless somebody else has replaced them."""
    global _silenced  # noqa: PLW0603
    with _lock:
        _silenced -= 1
        if _silenced:
            return
        for name, stream in _kept.items():
            if isinstance(getattr(sys, name), _Asking):
                setattr(sys, name, stream)
        _kept.clear()
