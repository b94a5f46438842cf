"""Levelled messages and the progress bar, on stderr; the only user of pfmisc and tqdm.

Both are imported when they have something to show: pfmisc's import is slow and takes over the logging
configuration, and without colours, date and host it writes a message as it is.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from .._version import COMMAND
from ..text.printable import encodable, visible

if TYPE_CHECKING:
    from tqdm import tqdm


DEBUGGER = "pudb"

UNSIZED_COLUMNS = 80
_UNSIZED_ROWS = 24


@contextmanager
def _logging_kept() -> Iterator[None]:
    """Undo what an import does to the root logger.

    A root handler at DEBUG would print what pydicom logs, and pydicom logs values.
    """
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers


@contextmanager
def libraries_silenced() -> Iterator[None]:
    """Keep off the terminal what libraries warn of, and what loggers without a handler would print.

    Both may quote values: pydicom's warnings do, and so may what a function of the user's own calls.
    """
    last_resort = logging.lastResort
    logging.lastResort = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.lastResort = last_resort


@contextmanager
def _without_debugger() -> Iterator[None]:
    """Spare pfmisc its debugger.

    It imports pudb, which draws windows on a terminal, for breakpoints that nobody sets; that takes
    longer than all the rest of it, and the container image does without.
    """
    if DEBUGGER in sys.modules:
        yield
        return
    sys.modules[DEBUGGER] = ModuleType(DEBUGGER)
    try:
        yield
    finally:
        del sys.modules[DEBUGGER]


class Console:
    """Messages to people, by verbosity.

    One message is one line, whatever its text holds. A stderr that is closed or full
    loses the message and never ends the run.

    Args:
        verbosity: 0 shows errors only, 1 also warnings and the summary, 2 and up notes.
        syslog: begin each message with the date and the host.

    Attributes:
        warned: the warnings so far, whether they were shown or not.
    """

    def __init__(self, verbosity: int, syslog: bool = False) -> None:
        self.verbosity = verbosity
        self.warned: list[str] = []
        self._syslog = syslog
        self._debug: Any = None  # pfmisc.debug, which has no types; False where it can't be had
        self._bar: tqdm[Any] | None = None

    def error(self, text: str) -> None:
        """Show an error, at any verbosity."""
        self._show(0, f"{COMMAND}: error: {text}", "error")

    def warning(self, text: str) -> None:
        """Show a warning, at verbosity 1 and above."""
        self.warned.append(text)
        self._show(1, f"{COMMAND}: warning: {text}", "status")

    def summary(self, text: str) -> None:
        """Show the one line that sums up a run, at verbosity 1 and above."""
        self._show(1, text)

    def note(self, level: int, text: str) -> None:
        """Show a detail, at the given verbosity and above."""
        self._show(level, text)

    def always(self, text: str) -> None:
        """Show what was asked for with a flag of its own, at any verbosity."""
        self._show(0, text)

    def _show(self, level: int, text: str, comms: str = "") -> None:
        stream = sys.stderr
        if level > self.verbosity and level > 0:
            return
        if stream is None or stream.closed:
            return
        line = encodable(self._render(visible(text), comms, stream), stream)
        with suppress(OSError, ValueError):
            if self._bar is not None:
                self._bar.clear()
            stream.write(line + "\n")
            stream.flush()
            if self._bar is not None:
                self._bar.refresh()

    def _render(self, text: str, comms: str, stream: TextIO) -> str:
        """The line as pfmisc writes it: the bare text where nothing is added to it, or where pfmisc fails."""
        colours = bool(comms) and _is_terminal(stream) and not os.environ.get("NO_COLOR")
        if not colours and not self._syslog:
            return text
        if self._debug is None:
            self._debug = self._load() or False
        if self._debug is False:
            return text
        buffer = io.StringIO()
        try:
            with redirect_stdout(buffer):  # qprint prints to stdout
                self._debug.qprint(text, level=0, comms=comms, colorize=colours, stackDepth=3, end="")
        except Exception:  # qprint walks the stack, and no fault of it may end a run
            return text
        return buffer.getvalue()

    def _load(self) -> Any:
        """pfmisc's printer; None where pfmisc cannot be imported."""
        try:
            with (
                _logging_kept(),
                _without_debugger(),
                warnings.catch_warnings(),
                redirect_stdout(io.StringIO()),
            ):
                warnings.simplefilter("ignore")
                from pfmisc.debug import debug  # noqa: PLC0415 (slow; see above)

                return debug(verbosity=0, within=COMMAND, colorize=False, syslog=self._syslog)
        except (ImportError, OSError):
            return None


class Progress(Protocol):
    """What a run tells of its progress."""

    def advance(self, *, failed: bool, count: int = 1) -> None:
        """Count one more file, or some that did not fail."""


class _Silence:
    def advance(self, *, failed: bool, count: int = 1) -> None:
        """Show nothing."""


class _BarProgress:
    """A tqdm bar that goes quiet when stderr fails."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar
        self._failures = 0

    def advance(self, *, failed: bool, count: int = 1) -> None:
        """Count one more file, or some that did not fail."""
        with suppress(OSError, ValueError):
            if failed:
                self._failures += 1
                self._bar.set_postfix_str(f"{self._failures} failed", refresh=False)
            self._bar.update(count)


@contextmanager
def progress(total: int, console: Console) -> Iterator[Progress]:
    """Show a bar while the context lasts, at verbosity 1 and above on a terminal.

    Args:
        total: how many files the run will count.
        console: whose messages shall not tear the bar.

    Yields:
        What to tell of each file.
    """
    bar = None
    if console.verbosity >= 1 and total and _is_terminal(sys.stderr):
        with suppress(OSError, ValueError):
            bar = _make_bar(total)
    if bar is None:
        yield _Silence()
        return
    console._bar = bar
    try:
        yield _BarProgress(bar)
    finally:
        console._bar = None
        with suppress(OSError, ValueError):
            bar.close()


def _make_bar(total: int) -> tqdm[Any]:
    from tqdm import tqdm  # noqa: PLC0415 (only for a bar)

    class ProgressBar(tqdm):  # type: ignore[type-arg]
        """A bar without tqdm's thread and semaphore: worker processes may be forked."""

        monitor_interval = 0

    ProgressBar.set_lock(threading.RLock())
    # A terminal that nobody gave a size has no columns and no rows, and tqdm would show nothing.
    has_size = shutil.get_terminal_size((0, 0)).columns > 0
    return ProgressBar(
        total=total,
        unit=" files",
        file=sys.stderr,
        dynamic_ncols=has_size,
        ncols=None if has_size else UNSIZED_COLUMNS,
        nrows=None if has_size else _UNSIZED_ROWS,
        leave=False,
    )


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False
