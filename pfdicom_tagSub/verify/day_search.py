"""The search of folded bytes for many dates: linear in the bytes and in the dates, not in their product."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .search_terms import first_texts_of, names_of_month, notations_of

NEAR = 40
"""Around the first thing to look for of a date, its whole notation is."""

FEW_DAYS = 50
"""So many dates are looked for one after the other."""

_CONTROL = b"\x1f"
"""The last character that is in no notation of a date."""

_YEAR_FIRST = (rb"(?=(\d{4})(\d\d)(\d\d))", rb"(?=(\d{4})[^\d\0]{1,6}(\d\d?)[^\d\0]{1,6}(\d\d?))")
_YEAR_LAST = (rb"(?=(\d\d)(\d\d)(\d{4}))", rb"(?=(\d\d?)[-./_ ](\d\d?)[-./_ ](\d{4}|\d\d))")
_NAMED_YEAR_FIRST = rb"(?=(\d{4})[^\d\0]{1,40}(\d\d?))"
_NAMED_YEAR_LAST = rb"(?=(\d\d?)[^\d\0]{1,40}(\d{4}|\d\d))"
"""What the notations of ``notations_of`` have in common. Names of months are any but digits and NUL."""


def days_in(days: Sequence[str], data: bytes) -> list[str]:
    """Dates (YYYYMMDD) that folded bytes may hold in some notation."""
    # Each notation has the year, or the last two digits of it.
    near = [day for day in days if day[2:4].encode() in data]
    return [day for day in likely_days(near, data) if is_day_in(day, data)] if near else near


def is_day_in(day: str, data: bytes) -> bool:
    """Whether folded bytes may hold a date in some notation."""
    firsts = first_texts_of(day)
    year, rest = firsts[0], day[4:].encode()
    names = names_of_month(day[4:6])
    for first in firsts:
        place = data.find(first)
        while place >= 0:
            near = data[max(place - NEAR, 0) : place + NEAR]
            may_be = first is not year or _may_be_of_day(data, place, rest)
            if (may_be or any(name in near for name in names)) and notations_of(day).search(near):
                return True
            place = data.find(first, place + 1)
    return False


def _may_be_of_day(data: bytes, place: int, rest: bytes) -> bool:
    """Whether a year may be that of a day, by what is beside it; most are of other days, and UIDs.

    Args:
        data: folded bytes.
        place: where the year is.
        rest: month and day.
    """
    before, after = data[place - 1 : place], data[place + 4 : place + 5]
    is_followed = after.isdigit()
    if is_followed and data[place + 4 : place + 8] == rest:
        return True
    if before > _CONTROL and not (is_followed and before.isdigit()):
        return True  # what is before it may be the day, or the name of a month
    return after > _CONTROL and not is_followed


def likely_days(days: Sequence[str], data: bytes) -> Sequence[str]:
    """Dates that may be in folded bytes: all that are, and few others. A few are returned as they are."""
    if len(days) <= FEW_DAYS:
        return days
    whole = {(y, int(m), int(d)) for form in _YEAR_FIRST for y, m, d in re.findall(form, data)}
    for form in _YEAR_LAST:
        for one, other, year in re.findall(form, data):
            whole |= {(year, int(one), int(other)), (year, int(other), int(one))}
    named = {(year, int(day)) for year, day in re.findall(_NAMED_YEAR_FIRST, data)}
    named |= {(year, int(day)) for day, year in re.findall(_NAMED_YEAR_LAST, data)}
    return [day for day in days if _is_likely(day, whole, named)]


def _is_likely(day: str, whole: set[tuple[bytes, int, int]], named: set[tuple[bytes, int]]) -> bool:
    month, number = int(day[4:6]), int(day[6:])
    years = day[:4].encode(), day[2:4].encode()
    return any((year, month, number) in whole or (year, number) in named for year in years)
