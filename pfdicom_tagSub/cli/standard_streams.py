"""Standard input, output and error that the caller may have closed."""

from __future__ import annotations

import errno
import io
import os
import sys


class _ClosedOutput(io.TextIOBase):
    """Stands for a standard output that the caller closed."""

    def write(self, _text: str, /) -> int:
        """Take nothing.

        Raises:
            OSError: always.
        """
        raise OSError(errno.EBADF, "it is closed")


def occupy_descriptors() -> None:
    """Open what the caller closed of 0, 1 and 2, lest an output file take its number.

    What is printed to a standard output that was closed is an error: a record that nobody gets is lost.
    """
    # The files stay open for as long as the process lasts.
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    if sys.stdin is None:
        sys.stdin = open(os.devnull)  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = _ClosedOutput()
