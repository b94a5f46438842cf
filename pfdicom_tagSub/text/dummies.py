"""Values that a VR allows and that say nothing: what action D of PS3.15 Annex E writes.

Every VR makes its dummies from a number, so that a number drawn from a value under the
secret key tells dummies apart, and the numbers 0 and 1 give the two constants.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

NUMBER_BITS = 64
"""What a text of 16 characters, the most that SH has, can tell apart in hex digits."""

_EPOCH = date(1900, 1, 1).toordinal()
_CENTURY = 36525
_DAY = 86400
_FIXED_POINT = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
_NUL_LENGTHS = {"OB": 2, "OD": 8, "OF": 4, "OL": 4, "OV": 8, "OW": 2, "UN": 2}


def dummy_of(vr: str, text: str, number: int) -> str:
    """A dummy that is not the original.

    Args:
        vr: the VR of the original; "" where it is not known. UI has no dummy here.
        text: the original.
        number: what the dummy is made of, 0 or a hash of the original.

    Returns:
        The dummy: NULs for a binary VR, "" for a sequence.
    """
    if vr == "SQ":
        return ""
    if vr in _NUL_LENGTHS:
        return "\0" * _NUL_LENGTHS[vr]
    make = _MAKERS.get(vr, _label)
    made = make(number)
    return make(number + 1) if _meaning(vr, made) == _meaning(vr, text) else made


def _meaning(vr: str, text: str) -> str | float:
    """What makes two values of a VR equal, however they are written."""
    if vr in _FIXED_POINT:
        try:
            return float(text)
        except ValueError:
            return text
    if vr == "DA":
        text = text.replace(".", "")
    return text.strip(" \0^=")


def _label(number: int) -> str:
    number %= 1 << NUMBER_BITS
    return ("DUMMY", "DUMMY1")[number] if number < 2 else f"{number:016X}"


def _date(number: int) -> str:
    day = date.fromordinal(_EPOCH + number % _CENTURY)
    return f"{day.year:04}{day.month:02}{day.day:02}"


def _time(number: int) -> str:
    seconds = number % _DAY
    return f"{seconds // 3600:02}{seconds // 60 % 60:02}{seconds % 60:02}"


def _up_to(most: int) -> Callable[[int], str]:
    """Whole numbers from 1 to ``most``."""
    return lambda number: str(1 + number % most)


def _float(number: int) -> str:
    return str(float(1 + number % (1 << 23)))  # exact in FL as well


_MAKERS: dict[str, Callable[[int], str]] = {
    "AS": lambda number: f"{20 + number % 60:03}Y",
    "AT": lambda number: f"(0009,{number % 0x10000:04X})",
    "DA": _date,
    "DS": _up_to(999_999_999),
    "DT": lambda number: _date(number) + _time(number // _CENTURY),
    "FD": _float,
    "FL": _float,
    "IS": _up_to(999_999_999),
    "PN": lambda number: f"{_label(number)}^DUMMY",
    "SL": _up_to(0x7FFFFFFF),
    "SS": _up_to(0x7FFF),
    "SV": _up_to(0x7FFFFFFFFFFFFFFF),
    "TM": _time,
    "UL": _up_to(0xFFFFFFFF),
    "UR": lambda number: f"https://dummy.invalid/{_label(number)}",  # RFC 2606: never a host
    "US": _up_to(0xFFFF),
    "UV": _up_to(0xFFFFFFFFFFFFFFFF),
}
"""The VRs whose dummies are not mere labels."""
