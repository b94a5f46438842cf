"""How messages quote what a user wrote: a literal may have any length, a message may not."""

from __future__ import annotations

QUOTED_MOST = 60
"""Characters of a text that a message quotes at most."""


def quoted(text: str) -> str:
    """A text between quotation marks, cut where it is long.

    >>> quoted("anon")
    "'anon'"
    >>> quoted("y" * 70000) == repr("y" * 60) + "... (70000 characters)"
    True
    """
    if len(text) <= QUOTED_MOST:
        return repr(text)
    return f"{text[:QUOTED_MOST]!r}... ({len(text)} characters)"


def shortened(text: str) -> str:
    """A key or a flag's value as it is, cut where it is long.

    >>> shortened("PatientName")
    'PatientName'
    """
    return text if len(text) <= 2 * QUOTED_MOST else f"{text[:QUOTED_MOST]}... ({len(text)} characters)"
