"""Functions for dates and ages: ``dateshift``, ``shift``, ``datepart`` and ``agecap``."""

from __future__ import annotations

import re

from ..text.age_limits import limit_age
from ..text.date_parts import PARTS, date_part
from ..text.dates import keep_time, shift_date, shift_date_time
from .function_types import Call, Resources
from .hash_functions import digest_under
from .text_functions import find_missing_table

MOST_DAYS = 36525
"""By how much a date may be moved: a century."""


def check_date_shift(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``dateshift``."""
    days = arguments[1].lstrip("0") if len(arguments) == 2 and arguments[0] else ""
    if days.isascii() and days.isdigit() and len(days) <= 5 and int(days) <= MOST_DAYS:
        return ""
    return f"it takes an element that seeds it and a number of days from 1 to {MOST_DAYS}"


def date_shift(call: Call) -> str:
    """A date moved back by a number of days that follows from the seed."""
    digest = digest_under(call.resources.secret, "dateshift", call.seed_text or "")
    return _moved_back(call, 1 + int.from_bytes(digest, "big") % int(call.arguments[1]))


def _moved_back(call: Call, days: int) -> str:
    """A date by so many days earlier, in the form that it has."""
    match call.vr:
        case "DA":
            return shift_date(call.text, days)
        case "DT":
            return shift_date_time(call.text, days)
        case "TM":
            return keep_time(call.text)
        case "" | "UN":
            shifted = shift_date(call.text, days) or shift_date_time(call.text, days, is_strict=True)
            return shifted or _shift_text(call, days)
        case _:
            return _shift_text(call, days)


def _shift_text(call: Call, days: int) -> str:
    """A date or a time under a VR that has none by itself, as LO; "" where the text is more than that."""
    from ..text.date_texts import is_time, shift_text  # noqa: PLC0415  (its patterns are for odd files alone)

    return call.text if is_time(call.text) else shift_text(call.text, days)


_DAYS = re.compile(r"[+-]?[0-9]{1,5}")


def _days_of(text: str) -> int | None:
    """A number of days by which ``shift`` may move a date; None where a text is none."""
    text = text.strip()
    days = int(text) if _DAYS.fullmatch(text) else MOST_DAYS + 1
    return days if abs(days) <= MOST_DAYS else None


def check_shift(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``shift``."""
    is_number = bool(arguments) and _DAYS.fullmatch(arguments[0])
    if len(arguments) == 1 and (_days_of(arguments[0]) is not None if is_number else arguments[0]):
        return ""
    if len(arguments) == 2 and all(arguments) and not is_number:
        return ""
    return (
        f"it takes a number of days from -{MOST_DAYS} to {MOST_DAYS}, or the name of a table and perhaps the "
        "element that is looked up in it"
    )


def shift_seed(arguments: tuple[str, ...]) -> str:
    """The element that is looked up in the table of days; "" where the days are written."""
    if len(arguments) > 1:
        return arguments[1]
    return "" if _DAYS.fullmatch(arguments[0]) else "patientID"


def find_missing_days(arguments: tuple[str, ...], resources: Resources) -> str:
    """What the table of days lacks."""
    name = arguments[0]
    if _DAYS.fullmatch(name):
        return ""
    if problem := find_missing_table(arguments, resources):
        return problem
    if any(_days_of(days) is None for days in resources.tables[name].values()):
        return (
            f"in the table {name} some replacement is no number of days from -{MOST_DAYS} to {MOST_DAYS}; "
            "their unit is the day, and a plus or minus may stand before them"
        )
    return ""


def shift(call: Call) -> str:
    """A date moved by the days that are written, or that the table has.

    Raises:
        FileError: the table lacks the file's patient.
    """
    name = call.arguments[0]
    if _DAYS.fullmatch(name):
        return _moved_back(call, -int(name))
    found = call.resources.replacement(name, "", call.seed_text) if call.seed_text else None
    if found is None:
        return call.resources.missed(name, call.seed_text or "", call.text)
    return _moved_back(call, -int(found))


def check_part(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``datepart``."""
    return "" if len(arguments) == 1 and arguments[0] in PARTS else f"it takes one of {', '.join(PARTS)}"


def part_of_date(call: Call) -> str:
    """The year, quarter or month of a date."""
    return date_part(call.text, call.arguments[0], is_date=call.target in {"DA", "DT"})


def check_age(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``agecap``."""
    is_age = len(arguments) == 1 and re.fullmatch("[0-9]{1,3}", arguments[0]) and int(arguments[0]) < 999
    return "" if is_age else "it takes one age in years, such as 89"


def cap_age(call: Call) -> str:
    """An age, or one year more than the greatest that is told."""
    return limit_age(call.text, int(call.arguments[0]))
