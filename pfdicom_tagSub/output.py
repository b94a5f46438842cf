"""Writing an output whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
from collections.abc import Callable, Iterator

from .edits import COPY_CHUNK, Chunk, pieces
from .models import FileError, Status
from .sources import BytesSource, FileSource, Source
from .temporary import temporary_name

IOV_MAX = 512
NO_KERNEL_COPY = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EIO}
)

_numbers = itertools.count()


def write(
    path: str,
    source: Source,
    chunks: Callable[[], Iterator[Chunk]],
    *,
    overwrite: bool,
    pause: Callable[[], None],
) -> Status:
    """Write an output under a temporary name beside it, then rename it.

    Args:
        path: the output.
        source: the input, which the chunks refer to.
        chunks: gives what the output is made of, as often as it is asked.
        overwrite: replace an output that exists and differs.
        pause: called between large pieces; it may raise to stop.

    Returns:
        WRITTEN, or UNCHANGED where the output exists and is already what it should be.

    Raises:
        FileError: the output exists and differs.
        OSError: it cannot be written; nothing is left of it.
    """
    if _exists(path):
        if _is_same(path, source, chunks(), pause):
            return Status.UNCHANGED
        if not overwrite:
            raise FileError("an output that differs is there already; replace it with --overwrite")
    temporary, descriptor = _created(path.rpartition("/")[0])
    try:
        try:
            if isinstance(source, BytesSource):
                _write_from_memory(descriptor, source.data, chunks())
            else:
                _write_from_file(descriptor, source, chunks(), pause)
        finally:
            os.close(descriptor)
        os.rename(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    return Status.WRITTEN


def _created(directory: str) -> tuple[str, int]:
    """A new temporary file: its path and its descriptor."""
    while True:
        temporary = f"{directory}/{temporary_name(next(_numbers))}"
        try:
            return temporary, os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue  # of another container whose process ids began anew


def _exists(path: str) -> bool:
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode):
        raise FileError("a directory has the name of the output")
    return True


def _is_same(path: str, source: Source, chunks: Iterator[Chunk], pause: Callable[[], None]) -> bool:
    """Whether a regular file holds just what the chunks give."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENXIO}:
            return False
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return False
        place = 0
        for piece in pieces(source, chunks):
            if os.pread(descriptor, len(piece), place) != piece:
                return False
            place += len(piece)
            pause()
        return place == found.st_size
    finally:
        os.close(descriptor)


def _write_from_memory(descriptor: int, data: bytes, chunks: Iterator[Chunk]) -> None:
    view = memoryview(data)
    parts = (chunk if isinstance(chunk, bytes) else view[chunk[0] : chunk[1]] for chunk in chunks)
    while batch := list(itertools.islice(parts, IOV_MAX)):
        size = sum(map(len, batch))
        written = os.writev(descriptor, batch)
        if written < size:  # a full disk tells its reason at the next write
            _write_all(descriptor, b"".join(batch)[written:])


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _write_from_file(
    descriptor: int, source: Source, chunks: Iterator[Chunk], pause: Callable[[], None]
) -> None:
    for chunk in chunks:
        if isinstance(chunk, bytes):
            _write_all(descriptor, chunk)
        elif isinstance(source, FileSource):
            _copy(descriptor, source, *chunk, pause)
        else:
            _write_all(descriptor, source.read(*chunk))
        pause()


def _copy(descriptor: int, source: FileSource, start: int, stop: int, pause: Callable[[], None]) -> None:
    """Copy within the kernel where it can, without the bytes passing through here."""
    place = start
    while place < stop:
        length = min(stop - place, COPY_CHUNK)
        try:
            copied = os.copy_file_range(source.descriptor, descriptor, length, place)
        except OSError as error:
            if error.errno not in NO_KERNEL_COPY:
                raise
            copied = 0
        except AttributeError:  # not a Linux system
            copied = 0
        if not copied:
            _write_all(descriptor, source.read(place, place + length))
            copied = length
        place += copied
        pause()
