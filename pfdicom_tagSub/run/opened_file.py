"""An input file, open for reading."""

from __future__ import annotations

import os
import stat

from ..core.errors import NotDicomError
from ..dicom.sources import FIRST_WINDOW, BytesSource, FileSource, Source

IN_MEMORY = 1 << 17
"""Files up to this many bytes are read whole; of larger ones only the header is."""

COPIED_IN_MEMORY = 1 << 18
"""So are files up to this many bytes where all of them will be written: one read takes less than two."""

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a directory",
}


class Opened:
    """A regular file, open for reading; anything else is not even opened."""

    __slots__ = ("ahead", "descriptor", "follow_links", "in_memory", "path")

    def __init__(
        self, path: str, *, follow_links: bool, ahead: int = FIRST_WINDOW, in_memory: int = IN_MEMORY
    ) -> None:
        """Args:
        path: the file.
        follow_links: read what a symbolic link points to.
        ahead: how many bytes of a large one to read at first.
        in_memory: one that has up to so many is read whole.
        """
        self.in_memory = in_memory
        self.ahead = ahead
        self.path = path
        self.follow_links = follow_links
        self.descriptor = -1

    def __enter__(self) -> Source:
        """The bytes of the file.

        Raises:
            NotDicomError: it is a symbolic link that is not followed, or no regular file.
            OSError: it cannot be read.
        """
        found = os.stat(self.path, follow_symlinks=self.follow_links)
        if stat.S_ISLNK(found.st_mode):
            raise NotDicomError("a symbolic link (see --followLinks)")
        if not stat.S_ISREG(found.st_mode):
            raise NotDicomError(f"not a regular file but {_KINDS.get(stat.S_IFMT(found.st_mode), 'special')}")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if self.follow_links else os.O_NOFOLLOW)
        self.descriptor = os.open(self.path, flags)
        source = FileSource(self.descriptor, found.st_size, self.ahead)
        if found.st_size > self.in_memory:
            return source
        try:
            return BytesSource(source.read(0, found.st_size))
        except BaseException:
            os.close(self.descriptor)
            raise

    def __exit__(self, *exception: object) -> None:
        os.close(self.descriptor)
