"""Dates made less exact: to the year, the quarter or the month."""

from __future__ import annotations

import re
from datetime import date

PARTS = ("year", "quarter", "month")

_DATE = re.compile(r"([0-9]{4})(?:([./-]?)([0-9]{2})(?:\2([0-9]{2})(?:[0-9.]*(?:[+-][0-9]{4})?))?)?")
_MONTHS = {"year": 12, "quarter": 3, "month": 1}
_PADDING = " \0"


def date_part(text: str, part: str, *, is_date: bool) -> str:
    """A part of a date.

    Args:
        text: a DA, also as ACR-NEMA wrote it, or a DT (PS3.5 6.2).
        part: one of ``PARTS``.
        is_date: whether the result has to be a date itself.

    Returns:
        The first day of the part, or the part in words; "" where the text is no date or does not say.

    >>> [date_part("20240517", part, is_date=True) for part in PARTS]
    ['20240101', '20240401', '20240501']
    >>> [date_part("20240517", part, is_date=False) for part in PARTS]
    ['2024', '2024-Q2', '2024-05']
    """
    match = _DATE.fullmatch(text.strip(_PADDING))
    if match is None or (match[3] is None and part != "year"):
        return ""
    year, month = int(match[1]), int(match[3] or 1)
    try:
        date(year, month, int(match[4] or 1))
    except ValueError:
        return ""
    first = (month - 1) // _MONTHS[part] * _MONTHS[part] + 1
    if is_date:
        return f"{year:04}{first:02}01"
    match part:
        case "year":
            return f"{year:04}"
        case "quarter":
            return f"{year:04}-Q{(month + 2) // 3}"
        case _:
            return f"{year:04}-{month:02}"
