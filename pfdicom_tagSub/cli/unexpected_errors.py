"""What is said of an exception that nobody expected: where it was raised, never its text."""

from __future__ import annotations

import errno
import os
import traceback

from .._version import COMMAND

SYSTEM_LIMITS = {
    errno.EMFILE: "raise the limit on open files (ulimit -n)",
    errno.ENFILE: "raise the system's limit on open files",
    errno.EAGAIN: "raise the limit on processes (docker --pids-limit, ulimit -u)",
    errno.ENOMEM: "raise the limit on memory (ulimit -v, docker --memory)",
}
"""What to do where the system itself has no more to give."""


def locate(error: BaseException) -> str:
    """Where in this package an unexpected exception was raised, without its text."""
    package = COMMAND
    if isinstance(error, OSError) and error.errno in SYSTEM_LIMITS:
        return f"{os.strerror(error.errno)}: {SYSTEM_LIMITS[error.errno]} and run again"
    if isinstance(error, MemoryError):
        return "out of memory: raise the limit (ulimit -v, docker --memory) and run again"
    place = "an unknown place"
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] == package or place == "an unknown place":
            place = f"{module}:{line}"
    return f"internal error: {type(error).__name__} at {place}; please report it"
