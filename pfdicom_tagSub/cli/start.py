"""What the shell command starts with: as little as possible, for all else is loaded from here."""

from __future__ import annotations

from ..core import garbage, late_modules
from .quick_end import QuickEnd


def run() -> None:
    """Load the command and run it; ends the process."""
    end = QuickEnd()
    garbage.pause()
    late_modules.load(*late_modules.PFTREE)
    from .command import run as run_command  # noqa: PLC0415  (loaded while the collector waits)

    run_command(end.expect)
