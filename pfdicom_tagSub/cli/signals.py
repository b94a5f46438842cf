"""SIGINT, SIGTERM and SIGHUP while a run lasts."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from ..core.errors import ExitCode
from ..run.deferred_signals import DeferredSignals


class Signals:
    """SIGINT and SIGTERM as :class:`Interrupted`, in the main thread while a run lasts.

    The first signal is raised; later ones are ignored, so that they cannot break the
    cleaning up. A signal that the parent had ignored (nohup) stays ignored.
    """

    _CODES = {signal.SIGINT: ExitCode.INTERRUPTED, signal.SIGTERM: ExitCode.TERMINATED}  # noqa: RUF012

    def __init__(self, *, ends_process: bool) -> None:
        """Args:
        ends_process: whether the process ends after the run, so that a SIGHUP which comes late
            need not end it.
        """
        self.ends_process = ends_process
        self.deferred = DeferredSignals()
        self._previous: dict[signal.Signals, Any] = {}
        self._armed = False

    def __enter__(self) -> Signals:
        if threading.current_thread() is threading.main_thread():
            self._armed = True
            for number in self._CODES:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._previous[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._armed:
            self._armed = False
            self.deferred.signal(self._CODES[signal.Signals(number)])

    def outlast_hangups(self) -> None:
        """Do not end by SIGHUP, which is how a rotated log has itself opened anew.

        It may come before the log is open, and after it was closed.
        """
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
        ):
            self._previous[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: None)

    def disarm(self) -> None:
        """Let the run end in peace: from here on signals are ignored."""
        self._armed = False

    def rearm(self) -> None:
        """Take one more signal, for work after the run that may last as long as the run."""
        self._armed = bool(self._previous)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            is_spent = self.ends_process and number is signal.SIGHUP
            signal.signal(number, signal.SIG_IGN if is_spent else handler)
