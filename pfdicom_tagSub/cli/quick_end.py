"""The end of the process, in which nothing is taken apart that goes with it anyway.

The interpreter frees all modules and their objects one by one, which takes 7 ms after a run and 12 after
``--version``. Before that it waits for threads and calls what was registered with ``atexit``; that stays.
"""

from __future__ import annotations

import atexit
import os
import sys


class QuickEnd:
    """Ends the process when all that was registered since has been called: make it first of all."""

    def __init__(self) -> None:
        self._code: int | None = None
        atexit.register(self._end)  # the first one is called last

    def expect(self, code: int) -> None:
        """The process is about to end, and has nothing left to do.

        Args:
            code: its exit code.
        """
        if not _is_watched() and "distributed" not in sys.modules:  # Dask ends its own way
            self._code = code

    def _end(self) -> None:
        if self._code is None:
            return
        try:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
        except (OSError, ValueError):
            return  # the interpreter tries again, and says so
        os._exit(self._code)


def _is_watched() -> bool:
    """Whether a debugger, a profiler or a measure of coverage is at work, which may tell all at the end."""
    if sys.gettrace() is not None or sys.getprofile() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)  # since Python 3.12
    return monitoring is not None and any(monitoring.get_tool(number) is not None for number in range(6))
