"""Descriptors 1 and 2 while functions of the user run: what these write there goes nowhere.

What they print in Python is dropped where they are called (``spec.own_output``); a C library, or a program
that they start, writes to the descriptors.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_OUTPUT, _ERROR = 1, 2


@contextmanager
def descriptors_apart() -> Iterator[None]:
    """Let 1 and 2 lead nowhere, also in workers that start meanwhile; sys.stderr leads where it led."""
    _flush()
    kept = [os.dup(descriptor) for descriptor in (_OUTPUT, _ERROR)]
    error = sys.stderr
    messages = None
    if _leads_to(error, _ERROR):
        messages = open(  # noqa: SIM115  (closed below)
            kept[1], "w", encoding=error.encoding, errors=error.errors, buffering=1, closefd=False
        )
        sys.stderr = messages
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (_OUTPUT, _ERROR):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
    try:
        yield
    finally:
        _flush()
        for descriptor, original in zip((_OUTPUT, _ERROR), kept, strict=True):
            os.dup2(original, descriptor)
        if messages is not None:
            if sys.stderr is messages:
                sys.stderr = error
            with suppress(OSError):
                messages.close()
        for original in kept:
            os.close(original)


def _flush() -> None:
    """Write out what Python and C keep in their buffers, lest it come where the descriptors lead later."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.flush()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)


def _leads_to(stream: object, descriptor: int) -> bool:
    """Whether a stream writes to a descriptor."""
    try:
        return stream.fileno() == descriptor  # type: ignore[attr-defined,no-any-return]
    except (AttributeError, OSError, ValueError):
        return False
