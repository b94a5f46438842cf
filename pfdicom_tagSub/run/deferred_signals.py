"""Signals held back while a file is written and recorded, so that the record tells the truth."""

from __future__ import annotations

from types import TracebackType

from ..core.errors import ExitCode, Interrupted


class DeferredSignals:
    """Turns signals into :class:`Interrupted`, but not within its own ``with`` block.

    There they wait for ``check``, which is called where it is safe to stop: between the
    pieces of a large file and between two files.
    """

    def __init__(self) -> None:
        self._is_up = False
        self._waiting: ExitCode | None = None

    def __enter__(self) -> None:
        self._is_up = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_up = False

    def signal(self, code: ExitCode) -> None:
        """A signal came.

        Raises:
            Interrupted: at once, unless they are deferred.
        """
        if not self._is_up:
            raise Interrupted(code)
        self._waiting = code

    def check(self) -> None:
        """Let a signal that waits take effect.

        Raises:
            Interrupted: one does.
        """
        if self._waiting is not None:
            code, self._waiting = self._waiting, None
            raise Interrupted(code)
