"""The directories of the output tree, reached through no symbolic link.

The system looks a path up anew at each use, and somebody may have put a link into it since the last
one. A descriptor stays with its directory: what is written relative to it goes nowhere else.
"""

from __future__ import annotations

import errno
import os
import stat
import weakref
from collections.abc import Callable
from contextlib import suppress

from ..core.errors import FileError, PlanError
from ..core.system_reasons import why_unwritten
from .temporary import temporary_name

# To pass through a directory takes no permission to list it.
_FLAGS = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC
_NO_DIRECTORY = frozenset({errno.ELOOP, errno.ENOTDIR})


class Folders:
    """Gives descriptors of output directories, one at a time; make one in each process or thread."""

    def __init__(self, root: str) -> None:
        """Args:
        root: the output directory, links above and at which are the user's own. "" for none: then
            links in all paths are.
        """
        self._root = root
        self._path = ""
        self._descriptor = -1
        self._identity = (-1, -1)
        self._close: Callable[[], object] = lambda: None

    def open(self, path: str) -> int:
        """Open a directory.

        One that is still what its path leads to is not opened again: files come directory by
        directory.

        Args:
            path: the directory, absolute, at or below the root.

        Returns:
            Its descriptor, to make and look up names with. It is closed by the next call.

        Raises:
            FileError: a part of the path below the root is a symbolic link or no directory.
            OSError: it is not there, or may not be entered.
        """
        if path == self._path and self._identity == _identity_of(os.lstat(path)):
            return self._descriptor
        self.close()
        self._descriptor = _opened(self._root or path, path)
        self._close = _closing(self, self._descriptor)
        self._identity = _identity_of(os.fstat(self._descriptor))
        self._path = path
        return self._descriptor

    def close(self) -> None:
        """Close the directory that is open."""
        self._path = ""
        self._close()


def check_not_input(input_root: str, output_root: str) -> None:
    """Refuse an output directory that is the input directory, mounted a second time.

    Some file systems (FUSE, network ones) number the same files differently at each mount. Two
    directories of the same times are told apart by a file that is made in the output.

    Args:
        input_root: the input directory.
        output_root: the output directory; it need not exist.

    Raises:
        PlanError: it is the same.
    """
    probe = temporary_name(0)
    with suppress(OSError):  # where no file can be made, none is overwritten either
        if _times_of(input_root) != _times_of(output_root):
            return
        descriptor = os.open(f"{output_root}/{probe}", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC)
        try:
            is_same = os.path.lexists(f"{input_root}/{probe}")
        finally:
            os.close(descriptor)
            os.unlink(f"{output_root}/{probe}")
        if is_same:
            raise PlanError(
                f"the --outputDir {output_root} is the input directory itself, mounted a second time; "
                "give another one, the input is never overwritten"
            )


def make_directory(root: str, path: str) -> None:
    """Create an output directory, and those above it.

    Args:
        root: the output directory, absolute.
        path: the one to create, at or below the root.

    Raises:
        FileError: it cannot be created, or what is there is a symbolic link or no
            directory: nothing is created through a link planted in the output tree.
    """
    try:
        os.makedirs(root, exist_ok=True)
        os.close(_opened(root, path, makes=True))
    except OSError as error:
        raise FileError(f"cannot create the output directory: {why_unwritten(error)}") from None


class NewFolders:
    """The output directories that a run makes; those in which nothing was written go at its end.

    A context manager, to be left when the workers have stopped.
    """

    def __init__(self, root: str) -> None:
        """Args:
        root: the output directory, which stays.
        """
        self._root = root
        self._paths: dict[str, None] = {}

    def note(self, path: str) -> None:
        """Learn of an output directory before it is made: it and those above it that are not there."""
        while len(path) > len(self._root) and path not in self._paths and not os.path.lexists(path):
            self._paths[path] = None
            path = os.path.dirname(path)

    def __enter__(self) -> NewFolders:
        return self

    def __exit__(self, *exception: object) -> None:
        """Remove those that hold nothing, the deepest first; never through a symbolic link."""
        for path in sorted(self._paths, key=len, reverse=True):
            above, _, name = path.rpartition("/")
            with suppress(OSError, FileError):
                descriptor = _opened(self._root, above)
                try:
                    os.rmdir(name, dir_fd=descriptor)
                finally:
                    os.close(descriptor)


def check_directory(root: str, path: str) -> None:
    """Find out whether ``make_directory`` would succeed; nothing is created.

    Args: as of ``make_directory``.

    Raises:
        FileError: it would not, or files could not be made in the directory.
    """
    nearest = root
    try:
        if os.path.lexists(root):
            for name in _components(root, path):
                below = f"{nearest}/{name}"
                try:
                    mode = os.lstat(below).st_mode
                except FileNotFoundError:
                    break
                if not stat.S_ISDIR(mode):
                    raise _no_directory(root, below)
                nearest = below
    except OSError as error:
        raise FileError(f"cannot create the output directory: {why_unwritten(error)}") from None
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest)
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise FileError(f"cannot write to the output directory: {os.strerror(errno.EACCES)}")


def _opened(root: str, path: str, *, makes: bool = False) -> int:
    """A descriptor of a directory, each part below the root opened relative to the one above."""
    descriptor = os.open(root, _FLAGS)
    try:
        reached = root
        for name in _components(root, path):
            reached = f"{reached}/{name}"
            try:
                below = _entered(descriptor, name, makes=makes)
            except OSError as error:
                if error.errno in _NO_DIRECTORY:
                    raise _no_directory(root, reached) from None
                raise
            os.close(descriptor)
            descriptor = below
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _entered(above: int, name: str, *, makes: bool) -> int:
    """A directory in another one, created where it is missing and may be."""
    try:
        return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=above)
    except FileNotFoundError:
        if not makes:
            raise
    with suppress(FileExistsError):  # another run was faster
        os.mkdir(name, dir_fd=above)
    return os.open(name, _FLAGS | os.O_NOFOLLOW, dir_fd=above)


def _components(root: str, path: str) -> list[str]:
    return [name for name in os.path.relpath(path, root).split("/") if name != "."]


def _no_directory(root: str, path: str) -> FileError:
    shown = os.path.relpath(path, root)
    return FileError(f"the output directory {shown} is a symbolic link or a file; remove it")


def _times_of(path: str) -> tuple[int, int]:
    found = os.stat(path)
    return found.st_mtime_ns, found.st_ctime_ns


def _identity_of(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _closing(owner: Folders, descriptor: int) -> Callable[[], object]:
    """Closes a descriptor when called or when its owner is gone, whichever comes first."""
    finalizer = weakref.finalize(owner, os.close, descriptor)
    finalizer.atexit = False
    return finalizer
