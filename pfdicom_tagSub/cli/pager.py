"""The manual on a terminal, page by page."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pftree import ManualAction, manual_render
from pftree.manual import page_width


class PagedManual(ManualAction):  # type: ignore[misc]
    """``--man``: the manual through the user's pager on a terminal, and as plain text elsewhere."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Show the manual and end the command.

        Raises:
            SystemExit: of code 0.
        """
        if self.manual is None or not _is_terminal():
            super().__call__(parser, namespace, values, option_string)
            return
        show(manual_render(self.manual, shortOnly=False, colour=True, width=page_width()))
        parser.exit(0)


def _is_terminal() -> bool:
    """Whether somebody can turn pages: a pager reads keys as well."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))


def show(text: str) -> None:
    """Show a text with colours in ``MANPAGER``, ``PAGER`` or ``less``, and without these at once."""
    pager = os.environ.get("MANPAGER") or os.environ.get("PAGER") or "less"
    if os.environ.get("TERM", "dumb") == "dumb" or not _page(text, pager):
        sys.stdout.write(text + "\n")


_NOT_EXECUTABLE, _NOT_FOUND = 126, 127


def _page(text: str, pager: str) -> bool:
    """Show a text in a pager; False where there is no such program."""
    import subprocess  # noqa: PLC0415  (wanted here alone)

    # Colours are shown, and a text that fits stays on the screen; a user who sets LESS knows better.
    environment = {"LESS": "FRX", **os.environ}
    with _interrupts_ignored():
        done = subprocess.run(  # noqa: S602  (a command line, such as "less -R", and the user's own)
            pager,
            shell=True,
            input=text,
            encoding=sys.stdout.encoding,
            errors="replace",
            env=environment,
            check=False,
        )
    return done.returncode not in {_NOT_EXECUTABLE, _NOT_FOUND}


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Leave Ctrl-C to the pager, which would otherwise go on alone on the terminal."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
