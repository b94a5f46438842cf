"""The log: a line of JSON for each file, appended for log shippers; its rotation is left to others.

SIGHUP has it opened anew, so that a program that renamed the file gets a new one in its place.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import stat
import threading
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from types import FrameType, TracebackType
from typing import Any

from ..core.errors import LogError
from ..core.outcome import FileOutcome, Orphan, OrphanFate, Status
from ..core.system_reasons import why_unwritten
from ..files.own_files import LINK, find_problem, is_descriptor
from .record import cleaned_pixels

PRUNED = OrphanFate.PRUNED.value


def line_of(outcome: FileOutcome, now: datetime, label: str = "") -> bytes:
    """One line of the log, in ASCII whatever the path is.

    Args:
        outcome: what became of a file.
        now: when it was told.
        label: what to call the outcome; "" for its status.
    """
    actions: Counter[str] = Counter()
    for _, action, count in outcome.elements:
        actions[action.value] += count
    content = {
        "time": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "path": outcome.relative,
        "output": outcome.output or None,
        "outcome": label or outcome.status.value,
        "stage": outcome.stage.value if outcome.stage else None,
        "reason": outcome.reason,
        "actions": dict(sorted(actions.items())),
        "pixelReview": outcome.review,
        "pixelsCleaned": None if outcome.pixels is None else cleaned_pixels(outcome.pixels),
        "pathHoldsValue": outcome.path_holds_value,
        "residuals": list(outcome.residuals),
        "milliseconds": round(outcome.seconds * 1000, 3),
    }
    return json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


class FileLog:
    """A log that is open; a context manager, within which SIGHUP has it opened anew.

    A log that cannot be written does not end the run: ``problem`` says so at its end.
    """

    def __init__(self, path: str) -> None:
        """Open a log to be appended to, or make one that its owner alone can read.

        Args:
            path: the file; it may also be a FIFO that somebody reads, or a device, but no
                symbolic link.

        Raises:
            LogError: it cannot be opened, or others may write to it.
        """
        self.path = path
        self.lost = 0
        """How many lines could not be written."""
        self._reason = ""
        self._previous: Any = None
        self._is_armed = False
        self._is_stale = False
        try:
            self._descriptor = _open(path)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            reason = why_unwritten(error)
            raise LogError(f"--log {path}: {reason}") from None

    def __enter__(self) -> FileLog:
        # A signal that the parent had ignored (nohup) stays ignored.
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        ):
            self._previous = signal.signal(signal.SIGHUP, self._note_signal)
            self._is_armed = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._is_armed:
            signal.signal(signal.SIGHUP, self._previous)
        self.close()

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            os.close(self._descriptor)

    @property
    def problem(self) -> str:
        """What went wrong with it; "" where nothing did."""
        if not self._reason:
            return ""
        lost = f"; lines lost: {self.lost}" if self.lost else ""
        return f"--log {self.path}: {self._reason}{lost}"

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_stale = True

    def write(self, outcome: FileOutcome, label: str = "") -> None:
        """Append one line, which is in the file when this returns.

        Args:
            outcome: what became of a file.
            label: what the line calls that, where it is no status.
        """
        if self._is_stale:
            self._is_stale = False
            self._reopen()
        line = line_of(outcome, datetime.now(UTC), label)
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                self._complete(line, written)
        except OSError as error:
            self.lost += 1
            self._reason = self._reason or (error.strerror or "it cannot be written")

    def write_pruned(self, orphan: Orphan) -> None:
        """Append the line of an output that was removed because its input is gone."""
        self.write(FileOutcome(orphan.path, Status.SKIPPED, output=orphan.output), PRUNED)

    def _complete(self, line: bytes, written: int) -> None:
        """Write the rest of a line, or take its beginning back: no line is half a line."""
        try:
            rest = memoryview(line)[written:]
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:
            found = os.fstat(self._descriptor)
            if stat.S_ISREG(found.st_mode):
                end = os.lseek(self._descriptor, 0, os.SEEK_CUR)  # where this process last wrote to
                if end == found.st_size:
                    os.ftruncate(self._descriptor, end - (len(line) - len(rest)))
            raise

    def _reopen(self) -> None:
        try:
            descriptor = _open(self.path)
        except OSError as error:  # better in the old file than nowhere
            self._reason = self._reason or f"it could not be opened anew ({error.strerror})"
            return
        os.close(self._descriptor)
        self._descriptor = descriptor


def _open(path: str) -> int:
    """Open a log through no symbolic link.

    Raises:
        OSError: it cannot be opened, or others may write to it.
    """
    flags = os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
    flags |= 0 if is_descriptor(path) else os.O_NOFOLLOW
    while True:
        try:
            descriptor = os.open(path, flags | os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            os.fchmod(descriptor, 0o600)  # whatever the umask is
            break
        try:
            # One that is not blocking does not wait for a FIFO's reader.
            descriptor = os.open(path, flags | os.O_WRONLY)
        except FileNotFoundError:
            continue  # removed meanwhile, as when it is rotated
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, LINK) from None
            raise
        break
    try:
        if not is_descriptor(path) and (problem := find_problem(os.fstat(descriptor))):
            raise PermissionError(errno.EPERM, problem)
        os.set_blocking(descriptor, True)
        _end_line(path, descriptor)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _end_line(path: str, descriptor: int) -> None:
    """End a line that a run was killed over, so that it spoils no other."""
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or not found.st_size:
        return
    with suppress(OSError), open(path, "rb") as file:
        if not os.path.samestat(os.fstat(file.fileno()), found):
            return
        file.seek(-1, os.SEEK_END)
        if file.read(1) != b"\n":
            os.write(descriptor, b"\n")
