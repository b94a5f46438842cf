"""Which systems this works on."""

from __future__ import annotations

import os

WINDOWS = "nt"
"""What Python calls the systems that are no POSIX."""


def find_problem() -> str:
    """Why nothing can be done on this system, and what to do; "" where all can."""
    if os.name != WINDOWS:
        return ""
    return (
        "Windows is not supported: outputs are written through descriptors of directories, which it lacks; "
        "run it on Linux, for example in a container or in WSL"
    )
