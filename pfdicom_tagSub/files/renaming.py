"""Giving a finished file its name without taking it from another one.

A look before a plain rename leaves a gap in which another run may write the name. Linux closes it
with renameat2 and RENAME_NOREPLACE; a file system that cannot do that can mostly link.
"""

from __future__ import annotations

import ctypes
import errno
import os
from contextlib import suppress
from functools import cache
from typing import Any

_NOREPLACE = 1

_UNABLE = frozenset(
    {errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EACCES}
)
"""What a system or a file system says of what it cannot do; some say so of what is not allowed, too."""


def rename_new(folder: int, temporary: str, name: str) -> None:
    """Rename a file within a directory, to a name that nothing has.

    Args:
        folder: the descriptor of the directory.
        temporary: what the file is called.
        name: what it will be called.

    Raises:
        FileExistsError: something has the name; the file keeps its own.
        OSError: it cannot be renamed.
    """
    if _rename_without_replacing(folder, temporary, name) or _link(folder, temporary, name):
        return
    _rename_over_own(folder, temporary, name)


@cache
def _renameat2() -> Any:
    """The C library's function; None where it has none."""
    try:
        function = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint]
    return function


def _rename_without_replacing(folder: int, temporary: str, name: str) -> bool:
    """Rename by the one call that does it all; False where it cannot be had."""
    function = _renameat2()
    if function is None:
        return False
    while function(folder, os.fsencode(temporary), folder, os.fsencode(name), _NOREPLACE):
        code = ctypes.get_errno()
        if code == errno.EINTR:
            continue
        if code in _UNABLE:
            return False
        raise OSError(code, os.strerror(code))
    return True


def _link(folder: int, temporary: str, name: str) -> bool:
    """Give the file its name as a second one, and take the first; False where it cannot have two."""
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        if not _is_one(folder, temporary, name):  # else the answer of a network file system was lost
            raise
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _UNABLE:
            raise
        return False
    os.unlink(temporary, dir_fd=folder)
    return True


def _is_one(folder: int, temporary: str, name: str) -> bool:
    own = os.stat(temporary, dir_fd=folder, follow_symlinks=False)
    return os.path.samestat(own, os.stat(name, dir_fd=folder, follow_symlinks=False))


def _rename_over_own(folder: int, temporary: str, name: str) -> None:
    """Take the name with an empty file, which no other run then takes, and rename over that."""
    os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666, dir_fd=folder))
    try:
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise
