"""What the system says of a file that the user named, and what to do about it."""

from __future__ import annotations

import errno

_READING = {
    errno.ENOENT: "check the path, which counts from where the command runs",
    errno.EISDIR: "name a file in it",
    errno.ENOTDIR: "a part of the path is a file; check it",
    errno.EACCES: "let the user of this run read it",
}
_WRITING = {
    errno.ENOENT: "make the directory first, or name another",
    errno.EISDIR: "name a file in it",
    errno.ENOTDIR: "a part of the path is a file; name another",
    errno.EACCES: "let the user of this run write there, or name another",
    errno.EPERM: "let the user of this run write there, or name another",
    errno.EROFS: "nothing can be written there; name another",
    errno.ENAMETOOLONG: "name a shorter one",
}


def why_unread(error: Exception) -> str:
    """Why a file cannot be read, with the cure, without its path."""
    return _reason(error, _READING)


def why_unwritten(error: Exception) -> str:
    """Why a file or a directory cannot be written or made, with the cure, without its path."""
    return _reason(error, _WRITING)


def _reason(error: Exception, cures: dict[int, str]) -> str:
    reason = getattr(error, "strerror", None) or "it is not a path"  # a NUL in the path is no OSError
    cure = cures.get(getattr(error, "errno", None) or 0)
    return f"{reason}: {cure}" if cure else reason
