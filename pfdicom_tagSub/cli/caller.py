"""The command as the caller of a run: what it calls its options, how it warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.options import Options
from .console import Console
from .given_flags import flags_of
from .option_table import OPTIONS

if TYPE_CHECKING:
    from ..kept_files import Caller
    from ..run.deferred_signals import DeferredSignals

_FLAGS = {option.field: option.flag for option in OPTIONS if option.field}


def caller_of(options: Options, console: Console, deferred: DeferredSignals) -> Caller:
    """The caller of a run.

    Args:
        options: of the command line.
        console: where it warns.
        deferred: holds back its signals while a file is finished.
    """
    from ..kept_files import Caller  # noqa: PLC0415  (for what works on files; --version spares it)

    return Caller(
        name_of=_FLAGS.__getitem__,
        warn=console.warning,
        deferred=deferred,
        flags=flags_of(options),
        identity=tuple(f"{one.flag} {one.of(options)}" for one in OPTIONS if one.identifies_outputs),
        owns_signals=True,
    )
