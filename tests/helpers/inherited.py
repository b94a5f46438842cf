"""What the tests inherit from whoever starts them, made the same everywhere: signals, umask, locale, HOME."""

from __future__ import annotations

import os
import signal
import tempfile

SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
_OF_LOCALE = ("LANG", "LANGUAGE", "LC_")


def _let_go(number: int, frame: object) -> None:
    """Do nothing, as if the signal were ignored."""


def make_signals_usual() -> None:
    """Give processes that this one starts the usual signals, whatever this one ignores or blocks.

    ``nohup`` ignores SIGHUP, and a shell SIGINT for what runs in the background, and both are inherited.
    A handler is not: where there is one, a new program begins with the default. This process goes on to
    do nothing at the signals that it was to ignore.
    """
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _let_go)
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def make_surroundings_usual() -> None:
    """Set umask, locale and HOME for this process and those that it starts."""
    os.umask(0o022)
    for name in list(os.environ):
        if name.startswith(_OF_LOCALE):
            del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"
    if not os.path.isdir(os.environ.get("HOME", "")):
        os.environ["HOME"] = tempfile.gettempdir()
