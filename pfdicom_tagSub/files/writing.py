"""Writing an output whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import stat
import threading
from collections.abc import Callable, Iterator

from ..core.errors import FileError
from ..core.outcome import Status
from ..dicom.edits import COPY_CHUNK, Chunk, pieces
from ..dicom.sources import BytesSource, FileSource, Source
from .renaming import rename_new
from .temporary import temporary_name

BATCH_MOST = 256
PAGE = 1 << 12
HALVED = 1 << 26
SPLICED = 1 << 18
"""Stretches of a file from this length on are copied without passing through here. Shorter ones are written
together with what is new around them: one call for both takes less than the kernel's copy by itself."""

NO_KERNEL_COPY = frozenset(
    {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM, errno.EIO}
)

_numbers = itertools.count()


def write(
    folder: int,
    name: str,
    source: Source,
    chunks: Callable[[], Iterator[Chunk]],
    *,
    overwrite: bool,
    pause: Callable[[], None],
    run: str = "",
    durable: bool = False,
    check: Callable[[Source], None] | None = None,
) -> Status:
    """Write an output under a temporary name beside it, then rename it.

    Without ``overwrite`` it takes no name that another run has taken meanwhile.

    Args:
        folder: the descriptor of the output's directory.
        name: the output's name there.
        source: the input, which the chunks refer to.
        chunks: gives what the output is made of, as often as it is asked.
        overwrite: replace an output that exists and differs.
        pause: called between large pieces; it may raise to stop.
        run: the run on many hosts, as of ``temporary_name``.
        durable: the bytes have to be on the disk when this returns. (Its name is, when its
            directory is written, too.)
        check: called with the whole output before it gets its name, or with the one that is there
            already; if it raises, nothing is left of either.

    Returns:
        WRITTEN, or UNCHANGED where the output exists and is already what it should be.

    Raises:
        FileError: the output exists and differs.
        OSError: it cannot be written; nothing is left of it.
    """
    while True:
        if _may_be_there(folder, name) and _is_there(
            folder, name, source, chunks, overwrite=overwrite, pause=pause, durable=durable
        ):
            if check is not None:
                _check_existing(folder, name, source, check)
            return Status.UNCHANGED
        temporary = temporary_name(next(_numbers), run)
        try:
            # Within the block: a signal that ends the process often comes right after a call of the system.
            descriptor = _created(folder, temporary)
            if descriptor is None:
                continue
            try:
                _write(descriptor, source, chunks(), pause)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if check is not None:
                _check(folder, temporary, check)
            if overwrite:
                os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            else:
                rename_new(folder, temporary, name)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.unlink(temporary, dir_fd=folder)
            if isinstance(error, FileExistsError):
                continue  # another run wrote it meanwhile
            raise
        return Status.WRITTEN


def _created(folder: int, temporary: str) -> int | None:
    """The descriptor of a new file; None where the name is taken: by another container, whose process ids
    began anew."""
    try:
        return os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder)
    except FileExistsError:
        return None


def _check(folder: int, name: str, check: Callable[[Source], None]) -> None:
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        check(FileSource(descriptor, os.fstat(descriptor).st_size))
    finally:
        os.close(descriptor)


def _check_existing(folder: int, name: str, source: Source, check: Callable[[Source], None]) -> None:
    """Check an output that an earlier run left; one that does not pass goes, but never the input itself."""
    try:
        _check(folder, name, check)
    except FileError:
        is_input = isinstance(source, FileSource) and os.path.samestat(
            os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(source.descriptor)
        )
        if not is_input:
            os.unlink(name, dir_fd=folder)
        raise


def would_write(
    folder: int,
    name: str,
    source: Source,
    chunks: Callable[[], Iterator[Chunk]],
    *,
    overwrite: bool,
    pause: Callable[[], None],
) -> Status:
    """What ``write`` would come to, as far as that can be known without writing.

    Args, Returns, Raises: as of ``write``. Outputs that are there are compared as it does.
    """
    if _is_there(folder, name, source, chunks, overwrite=overwrite, pause=pause):
        return Status.UNCHANGED
    return Status.WRITTEN


def _is_there(
    folder: int,
    name: str,
    source: Source,
    chunks: Callable[[], Iterator[Chunk]],
    *,
    overwrite: bool,
    pause: Callable[[], None],
    durable: bool = False,
) -> bool:
    """Whether an output is there and already what it should be.

    Raises:
        FileError: it is there and differs, and may not be replaced.
    """
    if not _exists(folder, name):
        return False
    if _is_same(folder, name, source, chunks(), pause, durable):
        return True
    if not overwrite:
        raise FileError("an output that differs is there already; replace it with --overwrite")
    return False


def _may_be_there(folder: int, name: str) -> bool:
    """Whether an output may be there; asked of every file, and quicker than an error."""
    if os.access not in os.supports_follow_symlinks or os.access not in os.supports_dir_fd:
        return True
    return os.access(name, os.F_OK, dir_fd=folder, follow_symlinks=False)


def _exists(folder: int, name: str) -> bool:
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(found.st_mode):
        raise FileError("a directory has the name of the output")
    return True


def _is_same(
    folder: int,
    name: str,
    source: Source,
    chunks: Iterator[Chunk],
    pause: Callable[[], None],
    durable: bool,
) -> bool:
    """Whether a regular file holds just what the chunks give, and then perhaps on the disk."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
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
        if place != found.st_size:
            return False
        if durable:  # it may be from a run that did not care
            os.fsync(descriptor)
        return True
    finally:
        os.close(descriptor)


def _write(descriptor: int, source: Source, chunks: Iterator[Chunk], pause: Callable[[], None]) -> None:
    """Write chunks: small ones together, long stretches of a file within the kernel."""
    view = memoryview(source.data) if isinstance(source, BytesSource) else None
    batch: list[bytes | memoryview] = []
    for chunk in chunks:
        if isinstance(chunk, bytes):
            batch.append(chunk)
        elif not isinstance(chunk, tuple):  # an abstract class takes longer to ask
            _write_batch(descriptor, batch)
            batch = []
            for piece in chunk.pieces(source):
                _write_all(descriptor, piece)
                pause()
        elif view is not None:
            batch.append(view[chunk[0] : chunk[1]])
        elif isinstance(source, FileSource) and chunk[1] - chunk[0] >= SPLICED:
            _write_batch(descriptor, batch)
            batch = []
            _copy(descriptor, source, *chunk, pause)
        else:
            batch.append(source.read(*chunk))
        if len(batch) >= BATCH_MOST:
            _write_batch(descriptor, batch)
            batch = []
            pause()
    _write_batch(descriptor, batch)


def _write_batch(descriptor: int, batch: list[bytes | memoryview]) -> None:
    if not batch:
        return
    written = os.writev(descriptor, batch)
    if written < sum(map(len, batch)):  # a full disk tells its reason at the next write
        _write_all(descriptor, b"".join(batch)[written:])


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _copy(descriptor: int, source: FileSource, start: int, stop: int, pause: Callable[[], None]) -> None:
    """Copy a stretch to where the output is at, a long one in two halves at once.

    One copy waits for memory, not for the processor: two take little more than half the time.
    """
    target = os.lseek(descriptor, 0, os.SEEK_CUR)
    middle = start
    other: _Copying | None = None
    if stop - start >= HALVED:
        middle += (stop - start) // 2 // PAGE * PAGE
        other = _Copying(descriptor, source, start, middle, target)
        other.start()
    try:
        _copy_to(descriptor, source, middle, stop, target + middle - start, pause)
        if other is not None:
            other.join()
    except BaseException:
        if other is not None:
            other.is_stopped = True
            other.join()
        raise
    if other is not None and other.error is not None:
        raise other.error
    os.lseek(descriptor, target + stop - start, os.SEEK_SET)


class _Copying(threading.Thread):
    """The copy of one half; its error is kept for the thread that waits for it."""

    def __init__(self, descriptor: int, source: FileSource, start: int, stop: int, target: int) -> None:
        super().__init__()
        self.stretch = (descriptor, source, start, stop, target)
        self.is_stopped = False
        self.error: Exception | None = None

    def run(self) -> None:
        """Copy until done, or until the other half has failed."""
        try:
            _copy_to(*self.stretch, self._pause)
        except Exception as error:
            self.error = error

    def _pause(self) -> None:
        if self.is_stopped:
            raise FileError("the copy was stopped")


def _copy_to(
    descriptor: int, source: FileSource, start: int, stop: int, target: int, pause: Callable[[], None]
) -> None:
    """Copy within the kernel where it can, without the bytes passing through here."""
    shift = target - start
    place = start
    while place < stop:
        length = min(stop - place, COPY_CHUNK)
        copied = _copy_in_kernel(source.descriptor, descriptor, length, place, place + shift)
        if not copied:
            data = memoryview(source.read(place, place + length))
            copied = os.pwrite(descriptor, data, place + shift)
        place += copied
        pause()


def _copy_in_kernel(source: int, descriptor: int, length: int, start: int, target: int) -> int:
    """How many bytes the kernel copied from one file to another; 0 where it cannot.

    Raises:
        OSError: it can, and failed.
    """
    copy: Callable[[int, int, int, int, int], int] | None = getattr(os, "copy_file_range", None)
    if copy is None:  # not a Linux system
        return 0
    try:
        return copy(source, descriptor, length, start, target)
    except OSError as error:
        if error.errno not in NO_KERNEL_COPY:
            raise
        return 0
