"""Dates moved back by whole days: DA and DT, and times as they are (PS3.5 6.2)."""

from __future__ import annotations

import re
from datetime import date

# [0-9] and not \d, which takes the digits of every script.
_DATE = re.compile(r"([0-9]{4})(\.?)([0-9]{2})\2([0-9]{2})")
_TIME_PARTS = r"(?:[01][0-9]|2[0-3])(?:[0-5][0-9](?:(?:[0-5][0-9]|60)(?:\.[0-9]{1,6})?)?)?"
_TIME = re.compile(_TIME_PARTS)
_DATE_TIME = re.compile(
    rf"([0-9]{{4}})(?:([0-9]{{2}})(?:([0-9]{{2}})({_TIME_PARTS})?)?)?([+-](?:0[0-9]|1[0-4])[0-5][0-9])?"
)
_PADDING = " \0"


def shift_date(text: str, days: int) -> str:
    """Move a DA back.

    Args:
        text: ``YYYYMMDD``, or ``YYYY.MM.DD`` as ACR-NEMA wrote it (PS3.5 6.2 note 1).
        days: how many days.

    Returns:
        ``YYYYMMDD``; "" where the text is no date or the result lies before the year 1.
    """
    match = _DATE.fullmatch(text.strip(_PADDING))
    if match is None:
        return ""
    shifted = _shifted(int(match[1]), int(match[3]), int(match[4]), days)
    return "".join(shifted)


def shift_date_time(text: str, days: int) -> str:
    """Move a DT back.

    Args:
        text: ``YYYYMMDDHHMMSS.FFFFFF&ZZXX`` or as much of it as is known. One without a
            day counts as the first day of what it names.
        days: how many days.

    Returns:
        The same components, those of the time and the offset to the character; "" where
        the text is none or the result lies before the year 1.
    """
    match = _DATE_TIME.fullmatch(text.strip(_PADDING))
    if match is None:
        return ""
    year, month, day, time, offset = match.groups()
    shifted = _shifted(int(year), int(month or 1), int(day or 1), days)
    if not shifted:
        return ""
    components = 1 + (month is not None) + (day is not None)
    return "".join(shifted[:components]) + (time or "") + (offset or "")


def is_time(text: str) -> bool:
    """Whether a text is a TM; whole days leave it alone."""
    return _TIME.fullmatch(text.strip(_PADDING)) is not None


def _shifted(year: int, month: int, day: int, days: int) -> tuple[str, ...]:
    """Year, month and day of an earlier day; () where one of the two days does not exist."""
    try:
        earlier = date.fromordinal(date(year, month, day).toordinal() - days)
    except (ValueError, OverflowError):
        return ()
    return f"{earlier.year:04}", f"{earlier.month:02}", f"{earlier.day:02}"
