"""The files that a run keeps for itself, a log and a ledger: nobody else's hand is in them.

Such a file is named by the user of a run, perhaps root, and often lies where others may write. A
link that is planted there, symbolic or hard, would have the run write into a file of their choice.
"""

from __future__ import annotations

import os
import re
import stat

OF_OTHERS = stat.S_IWGRP | stat.S_IWOTH

_DESCRIPTOR = re.compile(r"/dev/(stdout|stderr|fd/[0-9]+)|/proc/self/fd/[0-9]+")

LINK = "it is a symbolic link, which is not followed; name the file itself"


def is_descriptor(path: str) -> bool:
    """Whether a path stands for what the process has open already, such as ``/dev/stdout``.

    These are links that the system makes.
    """
    return _DESCRIPTOR.fullmatch(path) is not None


def find_problem(found: os.stat_result) -> str:
    """Why a file is not the run's alone, and the cure; "" where it is.

    Args:
        found: what the system says of it. What is neither a regular file nor a FIFO passes.
    """
    if not (stat.S_ISREG(found.st_mode) or stat.S_ISFIFO(found.st_mode)):
        return ""
    if found.st_mode & OF_OTHERS:
        mode = stat.S_IMODE(found.st_mode)
        return f"others may write to it (its mode is {mode:04o}); chmod go-w it, or name another file"
    if found.st_uid not in {os.geteuid(), 0}:
        return "it belongs to another user, who may write to it; name another file"
    if found.st_nlink > 1:
        return "it has another name as well (a hard link), behind which may be any file; name another file"
    return ""
