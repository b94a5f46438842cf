"""The collector of garbage waits while the command is loaded and a spec compiled.

Nothing of what imports and specs make is garbage, and there is much of it: looking through it again and
again takes a fifth of a start. Afterwards it is set aside, so that no later collection looks at it either.

What workers remember of files is no garbage either, and grows up to its bounds. New objects are looked at as
ever, but all of them together only rarely: each time would take as long as a hundred files.
"""

from __future__ import annotations

import gc

from . import freed_memory

RARELY = 50
"""All objects are looked at after so many looks at the younger ones (Python's own number is 10)."""

_waits = False


def pause() -> None:
    """Have the collector wait until :func:`resume`; for a process that is this command's alone."""
    global _waits  # noqa: PLW0603  (the collector is the process's)
    if gc.isenabled():
        gc.disable()
        _waits = True


def resume() -> None:
    """Have the collector work again, past what there is by now; nothing happens unless it was paused."""
    global _waits  # noqa: PLW0603
    if _waits:
        settle()
        gc.enable()
        _waits = False


def settle() -> None:
    """Set aside what there is by now, and look at all that comes only rarely.

    For a process that is this command's alone, before it works on files.
    """
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, RARELY)
    freed_memory.keep()
