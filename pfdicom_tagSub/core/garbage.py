"""The collector of garbage waits while the command is loaded and a spec compiled.

Nothing of what imports and specs make is garbage, and there is much of it: looking through it again and
again takes a fifth of a start. Afterwards it is set aside, so that no later collection looks at it either.
"""

from __future__ import annotations

import gc

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
        gc.freeze()
        gc.enable()
        _waits = False
