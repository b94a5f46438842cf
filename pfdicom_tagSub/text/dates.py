"""Dates moved back by whole days: DA and DT, and times as they are (PS3.5 6.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

# [0-9] and not \d, which takes the digits of every script.
_DATE = re.compile(r"([0-9]{4})([./-]?)([0-9]{2})\2([0-9]{2})")
_HOUR, _MINUTE, _SECOND = "(?:[01][0-9]|2[0-3])", "[0-5][0-9]", "(?:[0-5][0-9]|60)"
_FRACTION = r"(?:\.[0-9]*)?"
COMPACT = rf"{_HOUR}(?:{_MINUTE}(?:{_SECOND}{_FRACTION})?)?"
COLONS = rf"{_HOUR}:{_MINUTE}(?::{_SECOND}{_FRACTION})?"
_TIME = re.compile(f"{COMPACT}|{COLONS}")
_OFFSET = "[+-](?:0[0-9]|1[0-4])[0-5][0-9]"
_DATE_TIME = re.compile(rf"([0-9]{{4}})(?:([0-9]{{2}})(?:([0-9]{{2}})({COMPACT})?)?)?({_OFFSET})?")

_WRITTEN = re.compile(
    rf"([0-9]{{4}})([./-]?)([0-9]{{2}})\2([0-9]{{2}})(?:[T ]?({COMPACT}|{COLONS}))?"
    r"(?:(Z)|([+-](?:0[0-9]|1[0-4])):?([0-5][0-9]))?"
)
"""A date and a time with signs between their parts, as ISO 8601 and ACR-NEMA have them."""

_FRACTION_MOST = 6
"""Digits of a second's fraction that TM and DT have room for."""

_RANGE_MOST = 64
"""Longer texts are no ranges: two of DT are shorter."""

PADDING = " \0"


def shift_date(text: str, days: int) -> str:
    """Move a DA back.

    Args:
        text: ``YYYYMMDD``, ``YYYY.MM.DD`` as ACR-NEMA wrote it (PS3.5 6.2 note 1), the same with - or /,
            or a range of these.
        days: how many days.

    Returns:
        ``YYYYMMDD``, or a range of that; "" where the text is no date or the result lies before the year 1.
    """
    return _over_range(text, lambda one: _shift_date(one, days))


def _shift_date(text: str, days: int) -> str:
    match = _DATE.fullmatch(text)
    return "".join(shifted(int(match[1]), int(match[3]), int(match[4]), days)) if match else ""


def shift_date_time(text: str, days: int, *, is_strict: bool = False) -> str:
    """Move a DT back.

    Args:
        text: ``YYYYMMDDHHMMSS.FFFFFF&ZZXX`` or as much of it as is known, or a range of that. One
            without a day counts as the first day of what it names. ``YYYY-MM-DDTHH:MM:SS+ZZ:XX`` is taken
            for that without its signs.
        days: how many days.
        is_strict: whether signs make it no DT.

    Returns:
        The same components, those of the time and the offset to the character, but for digits of a
        fraction that a DT has no room for; "" where the text is none or the result lies before the
        year 1.
    """
    return _over_range(text, lambda one: _shift_date_time(one, days, is_strict=is_strict))


def _shift_date_time(text: str, days: int, *, is_strict: bool) -> str:
    match = _DATE_TIME.fullmatch(text)
    if match is None and not is_strict and (written := _WRITTEN.fullmatch(text)):
        match = _DATE_TIME.fullmatch(_without_signs(written))
    if match is None:
        return ""
    year, month, day, time, offset = match.groups()
    earlier = shifted(int(year), int(month or 1), int(day or 1), days)
    if not earlier:
        return ""
    components = 1 + (month is not None) + (day is not None)
    return "".join(earlier[:components]) + _without_excess(time or "") + (offset or "")


def _without_signs(match: re.Match[str]) -> str:
    year, _, month, day, time, utc, hours, minutes = match.groups("")
    return f"{year}{month}{day}{time.replace(':', '')}{'+0000' if utc else hours + minutes}"


def keep_time(text: str) -> str:
    """A TM as it is; whole days leave it alone.

    Args:
        text: ``HHMMSS.FFFFFF`` or as much of it as is known, ``HH:MM:SS.FFFFFF`` as ACR-NEMA wrote it (PS3.5
            6.2 note 2), or a range of these.

    Returns:
        The time without colons and without digits of a fraction that a TM has no room for; "" where the
        text is none.
    """
    return _over_range(text, _keep_time)


def _keep_time(text: str) -> str:
    return _without_excess(text.replace(":", "")) if _TIME.fullmatch(text) else ""


def _without_excess(time: str) -> str:
    """A time with as many digits of a fraction as there is room for, and no point without any."""
    whole, _, fraction = time.partition(".")
    return f"{whole}.{fraction[:_FRACTION_MOST]}" if fraction else whole


def _over_range(text: str, change: Callable[[str], str]) -> str:
    """A value changed, or both ends of the range ``FROM-TO`` (PS3.4 C.2.2.2.5), of which one may be missing.

    Returns:
        "" where the text is neither.
    """
    text = text.strip(PADDING)
    changed = change(text)
    if changed or len(text) > _RANGE_MOST:
        return changed
    for place, character in enumerate(text):
        if character == "-":
            ends = text[:place].strip(), text[place + 1 :].strip()
            made = [change(end) if end else "" for end in ends]
            if [bool(end) for end in ends] == [bool(end) for end in made]:
                return "-".join(made) if any(made) else ""
    return ""


def shifted(year: int, month: int, day: int, days: int) -> tuple[str, ...]:
    """Year, month and day of an earlier day; () where one of the two days does not exist."""
    try:
        earlier = date.fromordinal(date(year, month, day).toordinal() - days)
    except (ValueError, OverflowError):
        return ()
    return f"{earlier.year:04}", f"{earlier.month:02}", f"{earlier.day:02}"
