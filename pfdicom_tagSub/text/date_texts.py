"""Dates that stand in texts of any VR, moved back by whole days in the notation that they have."""

from __future__ import annotations

import re

from .comparable import fold
from .dates import COLONS, COMPACT, PADDING, shifted
from .months import ENGLISH, NUMBERS

_TIME_WITH_COLONS = re.compile(COLONS)

_REST = rf"((?:[ T_]?{COMPACT}|[ T_]?{COLONS})?(?:Z|[+-](?:0[0-9]|1[0-4]):?[0-5][0-9])?)"
"""What may follow a date in a text: a time and an offset, as ISO 8601 has them too."""

_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-./ ]?)([0-9]{{2}})\2([0-9]{{2}}){_REST}")
_DAY_FIRST = re.compile(rf"([0-9]{{1,2}})\.([0-9]{{1,2}})\.([0-9]{{4}}){_REST}")
_DAY_AND_MONTH = re.compile(
    rf"([0-9]{{1,2}})([-. ]{{1,2}})([^\W\d_]{{3,12}})([-. ]{{1,2}})([0-9]{{4}}){_REST}"
)


def shift_text(text: str, days: int) -> str:
    """Move the date back that a text of another VR consists of, with a time or without.

    Args:
        text: a date with its year first; ``DD.MM.YYYY``; or one with the name of its month between day
            and year. What may be day and month or month and day is no date here.
        days: how many days.

    Returns:
        The moved date in the same notation, the time to the character; "" where the text is no date or
        is more than one.
    """
    text = text.strip(PADDING)
    if match := _YEAR_FIRST.fullmatch(text):
        year, gap, month, day, rest = match.groups()
        earlier = shifted(int(year), int(month), int(day), days)
        return gap.join(earlier) + rest if earlier else ""
    if match := _DAY_FIRST.fullmatch(text):
        day, month, year, rest = match.groups()
        earlier = shifted(int(year), int(month), int(day), days)
        return ".".join(reversed(earlier)) + rest if earlier else ""
    if match := _DAY_AND_MONTH.fullmatch(text):
        day, gap, name, other, year, rest = match.groups()
        number = NUMBERS.get(fold(name)[0])
        earlier = shifted(int(year), int(number), int(day), days) if number else ()
        if earlier:
            return f"{earlier[2]}{gap}{_month_like(name, int(earlier[1]))}{other}{earlier[0]}{rest}"
    return ""


def is_time(text: str) -> bool:
    """Whether a text is a time of the day, and cannot be a year and a month: it has colons."""
    return _TIME_WITH_COLONS.fullmatch(text.strip(PADDING)) is not None


def _month_like(name: str, month: int) -> str:
    """The English name of a month, as short and in such letters as another one.

    A date that is written in German or French moves to the same day all the same.
    """
    made = ENGLISH[month - 1]
    if len(name) <= len("Sept"):
        made = made[:3]
    return made.upper() if name.isupper() else made.lower() if name.islower() else made
