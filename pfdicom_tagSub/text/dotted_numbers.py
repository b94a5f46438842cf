"""Dotted numbers in a text that may be UIDs (PS3.5 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator

UID = re.compile(r"(?<![0-9])(?<![0-9]\.)[0-9]+(?:\.[0-9]+)+(?!\.?[0-9])")
"""A dotted number in a folded text."""

_LEAST_PARTS = 4
_LONGEST = 64


def spellings_of_uids(folded: str) -> Iterator[str]:
    """A folded text as it is, and of the same length with points for the underscores that file names have.

    >>> list(spellings_of_uids("ct_1_2_840"))
    ['ct.1.2.840']
    """
    if "." in folded:
        yield folded
    if "_" in folded:
        yield folded.replace("_", ".")


def uids_in(number: str) -> Iterator[str]:
    """A dotted number, and the UIDs that it may be with a suffix.

    >>> list(uids_in("1.2.3.4.5.6"))
    ['1.2.3.4.5.6', '1.2.3.4', '1.2.3.4.5']
    """
    yield number
    parts = number[: _LONGEST + 1].split(".")[:-1]
    for count in range(_LEAST_PARTS, len(parts) + 1):
        yield ".".join(parts[:count])
