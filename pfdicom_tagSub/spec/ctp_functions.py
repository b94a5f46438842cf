"""Functions whose results are those of the DicomAnonymizer of RSNA's CTP, to the digit.

Worked out from its documentation and sources (``AnonymizerFunctions``): a study that was begun with it can go
on. CTP hashes with MD5 and writes the digest as one decimal number.
"""

from __future__ import annotations

import math
import re
from datetime import date, timedelta

from .function_types import Call
from .hash_functions import utf8_of

LONGEST_UID = 64


def _number_of(text: str) -> str:
    """The MD5 of a text in UTF-8 as a decimal number."""
    import hashlib  # noqa: PLC0415  (--man needs the registry alone)

    digest = hashlib.md5(utf8_of(text), usedforsecurity=False).digest()
    return str(int.from_bytes(digest, "big"))


def _cut(digits: str, length: str) -> str:
    most = int(length or 0)
    return digits[:most] if most > 0 else digits


def _text(call: Call) -> str:
    return call.text.strip(" \0")


def hash_text(call: Call) -> str:
    """``@hash(element,length)``."""
    return _cut(_number_of(_text(call)), "".join(call.arguments[:1]))


def hash_uid(call: Call) -> str:
    """``@hashuid(root,element)``."""
    root = call.arguments[0].strip()
    digits = _number_of(_text(call))
    dot = "" if not root or root.endswith(".") else "."
    return (root + dot + "9" * digits.startswith("0") + digits)[:LONGEST_UID]


def hash_patient(call: Call) -> str:
    """``@hashptid(site,element,length)``."""
    site = call.arguments[0].strip()
    return _cut(_number_of(f"[{site}]{_text(call)}"), "".join(call.arguments[1:2]))


def hash_name(call: Call) -> str:
    """``@hashname(element,length,words)``."""
    length, *words = call.arguments
    count = int(words[0]) if words else 0
    parts = _text(call).split("^")
    joined = "".join(parts[:count] if count > 0 else parts)
    return _cut(_number_of(re.sub(r"[\s,'^.]", "", joined).upper()), length)


def increment_date(call: Call) -> str:
    """``@incrementdate(element,days)``; what is shorter than a date, or none, is emptied."""
    text = _text(call)
    if (found := _date_of(text)) is None:
        return ""
    try:
        moved = found + timedelta(days=int(call.arguments[0]))
    except OverflowError:
        return ""
    return f"{moved:%Y%m%d}".rjust(8, "0") + text[8:]


def modify_date(call: Call) -> str:
    """``@modifydate(element,year,month,day)``; ``*`` keeps a part, and days beyond a month run over."""
    text = _text(call)
    if (found := _date_of(text)) is None:
        return ""
    year, month, day = (
        int(given) if given.isdigit() else own
        for given, own in zip(call.arguments, (found.year, found.month, found.day), strict=True)
    )
    made = _lenient(year, month, day)
    return "" if made is None else f"{made:%Y%m%d}".rjust(8, "0") + text[8:]


def _date_of(text: str) -> date | None:
    """The date that a text begins with; a day or month beyond its end runs over, as in Java."""
    if len(text) < 8 or not (text[:8].isascii() and text[:8].isdigit()):
        return None
    return _lenient(int(text[:4]), int(text[4:6]), int(text[6:8]))


def _lenient(year: int, month: int, day: int) -> date | None:
    years, months = divmod(month - 1, 12)
    try:
        return date(year + years, months + 1, 1) + timedelta(days=day - 1)
    except (ValueError, OverflowError):
        return None


def round_age(call: Call) -> str:
    """``@round(element,size)``."""
    text = _text(call)
    digits = re.sub(r"\D", "", text)
    if not digits:
        return ""
    size = int(call.arguments[0])
    result = str(math.floor(int(digits) / size + 0.5) * size) + re.sub(r"\d", "", text)
    return "0" * (len(result) % 2) + result


def initials(call: Call) -> str:
    """``@initials(element)``: that of the last name comes last."""
    words = _text(call).replace("^", " ").split()
    letters = [word[0] for word in words] or ["X"]
    return "".join(letters[1:] + letters[:1]).upper()


def check_root(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``hash_uid``."""
    if len(arguments) != 1 or not re.fullmatch(r"[0-9]+(\.[0-9]+)*\.?", arguments[0].strip()):
        return "give the root of the new UIDs, digits and dots"
    return ""


def check_length(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``hash_text``."""
    return (
        "" if len(arguments) <= 1 and all(one.isdigit() for one in arguments) else "give a number of digits"
    )


def check_site(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``hash_patient``."""
    if not 1 <= len(arguments) <= 2 or not all(one.isdigit() for one in arguments[1:]):
        return "give the site, and perhaps a number of digits"
    return ""


def check_name(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``hash_name``."""
    if not 1 <= len(arguments) <= 2 or not all(one.isdigit() for one in arguments):
        return "give a number of digits, and perhaps a number of words"
    return ""


def check_days(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``increment_date``."""
    if len(arguments) != 1 or not re.fullmatch(r"[+-]?[0-9]{1,6}", arguments[0]):
        return "give a number of days"
    return ""


def check_parts(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``modify_date``."""
    if len(arguments) != 3 or not all(re.fullmatch(r"[0-9]{1,4}|\*", one) for one in arguments):
        return "give year, month and day, each a number or *"
    return ""


def check_size(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``round_age``."""
    is_size = len(arguments) == 1 and arguments[0].isdigit() and int(arguments[0]) > 0
    return "" if is_size else "give the size of a group"
