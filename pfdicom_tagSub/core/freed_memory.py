"""Memory that was freed is kept by the process, for the next file.

The C library of Linux gives large blocks back to the system as soon as they are freed, and has new ones made,
page by page: for two files of half a megabyte that takes five times as long as reading them. It stops that
for blocks up to the size of the largest one that it saw freed (mallopt(3), M_MMAP_THRESHOLD).
"""

from __future__ import annotations

KEPT = 1 << 23
"""Blocks up to so many bytes are kept, and at most twice as much: two files that verification reads whole."""


def keep() -> None:
    """Have the process keep what it frees from now on; for one that is this command's alone.

    Nothing is read or written: the block is not used, so the system does not even make it.
    """
    bytes(KEPT)
