"""Bytes that a scan walks over, in memory or in a file of any size."""

from __future__ import annotations

import os
from typing import Protocol

from ..core.errors import FileError

FIRST_WINDOW = 1 << 14
"""The first read: it mostly reaches the pixel data, and the rest need not be looked at."""

WINDOW = 1 << 18

TRIED_AGAIN = 64
"""After so many files of which more was read at first, one is read as if it were the first of all."""


class Source(Protocol):
    """Bytes that a scan walks over, in memory or in a file."""

    @property
    def size(self) -> int:
        """How many bytes there are."""

    def window(self, position: int, length: int) -> tuple[bytes, int]:
        """Bytes around a position.

        Returns:
            A buffer and the position of its first byte. It holds at least ``length``
            bytes from ``position`` on, or all that there are.
        """

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop."""


_ZEROS = bytes(1 << 20)


def is_zeros(source: Source, start: int, stop: int) -> bool:
    """Whether there is nothing but zeros from start to stop; read in pieces, compared at C speed."""
    while start < stop:
        size = min(len(_ZEROS), stop - start)
        piece = source.read(start, start + size)
        if piece != (_ZEROS if size == len(_ZEROS) else bytes(size)):
            return False
        start += size
    return True


class BytesSource:
    """A source in memory."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.size = len(data)

    def window(self, position: int, length: int) -> tuple[bytes, int]:  # noqa: ARG002
        """The whole buffer, whatever is asked for."""
        return self.data, 0

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop."""
        return self.data[start:stop]


class ReadAhead:
    """How much of a file to read at first: as much as those before it needed."""

    def __init__(self) -> None:
        self.size = FIRST_WINDOW
        self._spared = 0

    def learn(self, source: Source) -> None:
        """Take notice of a file that was read."""
        if not isinstance(source, FileSource):
            return
        if source.reach:
            needed = -(-source.reach // FIRST_WINDOW) * FIRST_WINDOW
            self.size = min(WINDOW, max(needed, 2 * source.ahead))
            self._spared = 0
        elif self.size > FIRST_WINDOW:
            self._spared += 1
            if self._spared == TRIED_AGAIN:  # perhaps less would do by now
                self.size, self._spared = FIRST_WINDOW, 0


class FileSource:
    """A source in an open file, read a window at a time; memory stays flat.

    Attributes:
        reach: up to where windows were asked for after the first; 0 if that one was enough.

    Raises:
        FileError: by its methods, where the file ends before its size.
    """

    def __init__(self, descriptor: int, size: int, ahead: int = FIRST_WINDOW) -> None:
        """Args:
        descriptor: of the file.
        size: how many bytes it has.
        ahead: how many to read at first.
        """
        self.descriptor = descriptor
        self.size = size
        self.ahead = ahead
        self.reach = 0
        self._head = b""
        self._buffer = b""
        self._base = 0
        self._length = 0

    def window(self, position: int, length: int) -> tuple[bytes, int]:
        """The window at hand if it serves, else one that begins at the position."""
        place = position - self._base
        if 0 <= place <= self._length - length:  # the common case, which is asked for often
            return self._buffer, self._base
        if position >= self.size:
            return b"", position
        stop = min(position + length, self.size)
        if not self._base <= position <= stop <= self._base + self._length:
            size = min(self.ahead, WINDOW)
            if self._buffer:
                size = WINDOW
                self.reach = max(self.reach, stop)
                if not self._base:  # what is looked up later mostly stands there
                    self._head = self._buffer
            self._buffer = self.read(position, min(self.size, position + max(length, size)))
            self._base = position
            self._length = len(self._buffer)
        return self._buffer, self._base

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from start to stop."""
        if self._base <= start <= stop <= self._base + self._length:
            return self._buffer[start - self._base : stop - self._base]
        if stop <= len(self._head):
            return self._head[start:stop]
        data = os.pread(self.descriptor, stop - start, start)
        while len(data) < stop - start:  # a signal, or more than the system reads at once
            more = os.pread(self.descriptor, stop - start - len(data), start + len(data))
            if not more:
                raise FileError("the file became shorter while it was read: run again when it is whole")
            data += more
        return data
