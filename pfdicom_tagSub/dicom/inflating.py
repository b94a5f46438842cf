"""A deflated data set made plain again (PS3.5 A.5), within bounds: in memory, or in a file without a name.

A few bytes may claim to be gigabytes. So the inflated size has a limit, and beyond a size that does
no harm the ratio to what is stored has one, too.
"""

from __future__ import annotations

import tempfile
import zlib
from dataclasses import dataclass
from typing import IO, BinaryIO

from ..core.errors import FileError
from .sources import BytesSource, FileSource, Source

PIECE = 1 << 20
IN_MEMORY = 64 << 20

DEFAULT_SIZE = 4 << 30
DEFAULT_RATIO = 200
"""How many times as large as stored a data set may become; deflate itself ends at about 1,030."""

HARMLESS = 256 << 20
"""Up to this size the ratio is not looked at: black pictures deflate as well as bombs do."""


@dataclass(frozen=True)
class InflateLimit:
    """How large a deflated data set may become.

    Attributes:
        size: the most bytes.
        ratio: the most times its stored size, beyond ``HARMLESS`` bytes; 0 for no such limit.
        directory: where the bytes go if there is no temporary directory; "" for nowhere.
    """

    size: int = DEFAULT_SIZE
    ratio: int = DEFAULT_RATIO
    directory: str = ""

    @classmethod
    def of(cls, size: int, directory: str) -> InflateLimit:
        """The limit that a user set, who vouches for any ratio; the default one if size is 0."""
        return cls(size, 0, directory) if size else cls(directory=directory)

    def check(self, inflated: int, stored: int) -> None:
        """Check a data set that is being inflated.

        Args:
            inflated: its bytes up to now.
            stored: what they were made of.

        Raises:
            FileError: it is too large.
        """
        cure = "if this is not an attack, raise the limit (--maxInflated)"
        if inflated > self.size:
            raise FileError(f"the deflated data set inflates to more than {self.size:,} bytes: {cure}")
        if self.ratio and inflated > HARMLESS and inflated > self.ratio * stored:
            raise FileError(
                f"the deflated data set inflates to more than {self.ratio} times its size: {cure}"
            )


DEFAULT_LIMIT = InflateLimit()


class SpooledSource(FileSource):
    """A source in a temporary file that has no name and ends with this object."""

    def __init__(self, spool: BinaryIO, size: int) -> None:
        super().__init__(spool.fileno(), size)
        self._spool = spool


def inflate(source: Source, start: int, limit: InflateLimit) -> Source:
    """The inflated bytes of a data set: in memory, or in an unlinked file when they are many.

    Args:
        source: the file.
        start: where its deflated data set begins.
        limit: how large it may become.

    Raises:
        FileError: it is damaged or cut off, becomes too large, or no temporary directory has room.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    spool: BinaryIO | None = None
    parts: list[bytes] = []
    size = 0
    position = start
    try:
        while not inflater.eof:
            data = inflater.unconsumed_tail
            if not data:
                stop = min(source.size, position + PIECE)
                data, position = source.read(position, stop), stop
            part = inflater.decompress(data, PIECE)
            if not data and not part:  # what it had taken in may still have had more to give
                raise FileError("the deflated data set is cut off")
            size += len(part)
            limit.check(size, position - start - len(inflater.unconsumed_tail))
            if spool is None and size > IN_MEMORY:
                spool = _spool(limit.directory)
                write_temporary(spool, b"".join(parts))
                parts.clear()
            if spool is None:
                parts.append(part)
            else:
                write_temporary(spool, part)
    except zlib.error:
        raise FileError("the deflated data set is damaged") from None
    if spool is None:
        return BytesSource(b"".join(parts))
    return SpooledSource(spool, size)


def write_temporary(file: IO[bytes], data: bytes) -> None:
    """Write to a temporary file, past its buffer.

    Raises:
        FileError: it has no room.
    """
    try:
        file.write(data)
        file.flush()
    except OSError as error:
        raise FileError(
            f"temporary bytes have no room ({error.strerror}): set TMPDIR to a directory with more"
        ) from error


def _spool(directory: str) -> BinaryIO:
    """A file without a name, in a temporary directory or else in the one given."""
    try:
        return tempfile.TemporaryFile()
    except OSError as error:  # there is none, or none that can be written
        try:
            if directory:
                return tempfile.TemporaryFile(dir=directory)
        except OSError:
            pass
        raise FileError(
            "the inflated data set needs a temporary directory, and there is none that can be written: "
            "set TMPDIR to one"
        ) from error
