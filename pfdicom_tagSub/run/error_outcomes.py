"""What an error makes of a file: its outcome, with a reason that holds no value and says what to do."""

from __future__ import annotations

import errno
import os

from ..core.errors import FileError, NotDicomError, NotSelectedError, SkippedError
from ..core.outcome import FileOutcome, Stage, Status
from ..core.plan import FileJob

NOT_SELECTED = "not selected"

RUN_AGAIN = "run again"
_CURES = {
    errno.ENOSPC: f"make room on the disk and {RUN_AGAIN}",
    errno.EDQUOT: f"make room in the quota and {RUN_AGAIN}",
    errno.EFBIG: f"raise the limit (ulimit -f) and {RUN_AGAIN}",
    errno.EMFILE: f"raise the limit (ulimit -n) and {RUN_AGAIN}",
    errno.EACCES: f"let the user of this run have access and {RUN_AGAIN}",
    errno.EPERM: f"let the user of this run have access and {RUN_AGAIN}",
    errno.EROFS: f"mount the file system so that it can be written and {RUN_AGAIN}",
    errno.EIO: f"see the system's log about the disk and {RUN_AGAIN}",
    errno.ESTALE: f"the network file system lost it; {RUN_AGAIN}",
    errno.ENOENT: f"it was there and is gone; {RUN_AGAIN}",
    **dict.fromkeys(
        (errno.ELOOP, errno.EISDIR, errno.ESPIPE, errno.ENXIO),
        f"something else took its place while it was read; {RUN_AGAIN}",
    ),
}
"""What to do about errors of the system; a run does again only what is not done."""


_OF_LINKS = frozenset({errno.ENOENT, errno.ELOOP, errno.ENOTDIR})


def untraced(error: Exception) -> Exception:
    """An error without the frames it came through, and so without the memory that these hold.

    After a MemoryError the next line would run into another one.
    """
    if isinstance(error, MemoryError):
        return MemoryError()
    return error.with_traceback(None)


def _cure(code: int, job: FileJob, stage: Stage) -> str:
    """What to do about an error of the system, after a colon; "" where nothing is known."""
    path = job.file_path
    if stage is Stage.READ and code in _OF_LINKS and os.path.islink(path) and not os.path.exists(path):
        return ": it is a link to what is not there; mend it, remove it, or leave out --followLinks"
    return f": {_CURES[code]}" if code in _CURES else ""


def outcome_of(error: Exception, job: FileJob, stage: Stage) -> FileOutcome:
    """The outcome of a file that an error ended at some stage."""
    if isinstance(error, NotSelectedError):
        return FileOutcome(job.relative, Status.NOT_SELECTED, reason=NOT_SELECTED)
    if isinstance(error, NotDicomError | SkippedError):
        return FileOutcome(job.relative, Status.SKIPPED, reason=str(error))
    if isinstance(error, FileError):
        reason = str(error)
    elif isinstance(error, OSError) and error.errno:
        code = error.errno
        cure = _cure(code, job, stage)
        reason = f"{os.strerror(code)} ({errno.errorcode.get(code, code)}){cure}"
    elif isinstance(error, MemoryError):
        reason = "out of memory"
    else:
        reason = f"internal error: {type(error).__name__}"
    return FileOutcome(job.relative, Status.FAILED, stage, reason)
