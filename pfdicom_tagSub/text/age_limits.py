"""Ages with an end: those above it become the one after it (45 CFR 164.514(b)(2)(i)(C))."""

from __future__ import annotations

import re

_AGE = re.compile(r"([0-9]{1,3})([DWMY]?)", re.IGNORECASE)
_IN_A_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12.0, "Y": 1.0, "": 1.0}
_PADDING = " \0"


def limit_age(text: str, most: int) -> str:
    """An age that is at most one year above a limit.

    Args:
        text: an AS, ``nnnD``, ``nnnW``, ``nnnM`` or ``nnnY`` (PS3.5 6.2); a number alone counts as years.
        most: the greatest age in years that stays.

    Returns:
        The text itself, the age after the limit in its form, or "" where the text is no age.

    >>> limit_age("089Y", 89), limit_age("090Y", 89), limit_age("104Y", 89), limit_age("very old", 89)
    ('089Y', '090Y', '090Y', '')
    """
    match = _AGE.fullmatch(text.strip(_PADDING))
    if match is None:
        return ""
    number, unit = int(match[1]), match[2].upper()
    if number / _IN_A_YEAR[unit] < most + 1:
        return text
    return f"{most + 1:03}Y" if unit else str(most + 1)
