"""What of a removed value identifies, by its VR, in the form that ``cleaning`` looks up.

``clues_of`` turns one value, such as a PN or a DA, into ``Clues``: words, keys and numbers that give it
away in a free text, in all usual notations. Text is compared folded (``folding.fold``), so the clues
are folded as well. The VRs are those of PS3.5 6.2.
"""

from __future__ import annotations

import re
from datetime import date

from ..core.caches import remembered
from .addresses import add_address
from .clues import LEAST_DIGITS, Clues, Gaps, is_ordinary
from .common_words import ORDINARY
from .comparable import fold, split_tokens
from .person_names import add_name

ADDRESS = "address"
"""Stands for the VR of a value that is a postal address."""

_NUMBER_VRS = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})
_IGNORED_VRS = frozenset({"CS", "AT", "SQ", "OB", "OD", "OF", "OL", "OV", "OW"})
_LEAST_DIGITS_OF_ID = 3
_LEAST_PART_OF_ADDRESS = 5
_LONGEST_ADDRESS = 1024
_LONGEST_ID = 64
_MOST_WORDS_OF_ID = 2
_LEAST_DIGITS_OF_PHONE = 7
_MOST_LETTERS_OF_PHONE = 4
_YEAR = re.compile(r"(?:19|20)\d\d")


@remembered(most=2048)
def clues_of(vr: str, text: str) -> Clues:
    """The clues of one value; not to be changed by the caller.

    Args:
        vr: its VR, or ``ADDRESS``.
        text: the value.
    """
    clues = Clues()
    text = text.strip(" \0\t\r\n")
    if vr in _IGNORED_VRS or not text:
        return clues
    if vr == "PN":
        add_name(clues, text)
    elif vr == ADDRESS:
        _add_text(clues, text)
        add_address(clues, text)
    elif vr == "DA":
        _add_date(clues, re.sub(r"\D", "", text))
    elif vr == "TM":
        _add_time(clues, text.replace(":", ""))
    elif vr == "DT":
        digits = re.match(r"\d*", text)
        assert digits
        _add_date(clues, digits[0][:8])
        _add_time(clues, digits[0][8:])
    elif vr == "AS":
        if age := re.fullmatch(r"0*([1-9]\d*)Y", text):
            clues.add(f"{age[1]}y", Gaps(frozenset({len(age[1])})))
            clues.add(f"{age[1]:0>3}y", Gaps(frozenset({max(3, len(age[1]))})))
            clues.ages.add(age[1])
    elif vr == "UI":
        clues.uids.add(text)
    elif vr in _NUMBER_VRS:
        if sum(map(str.isdigit, text)) >= LEAST_DIGITS:
            clues.add_phrase(text)
    else:
        _add_text(clues, text)
    return clues


def _add_date(clues: Clues, digits: str) -> None:
    try:
        day = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return
    years = (digits[:4], digits[2:4])
    months = {str(day.month), digits[4:6]}
    numbers = {str(day.day), digits[6:8]}
    for y in years:
        for m in months:
            for d in numbers:
                clues.dates.update({(y, m, d), (d, m, y), (m, d, y)})
        clues.solids.update({y + digits[4:8], digits[6:8] + digits[4:6] + y, digits[4:8] + y})
    clues.days.add(digits[:8])
    clues.days_of_years.add((str(day.month), str(day.day)))


def _add_time(clues: Clues, text: str) -> None:
    match = re.match(r"([01]\d|2[0-3])([0-5]\d)([0-6]\d)?", text)
    if match is None:
        return
    hour, minute, second = match.groups()
    if second and (hour, minute, second) != ("00", "00", "00"):
        clues.times.update({(hour, minute, second), (str(int(hour)), minute, second)})
        clues.solids.add(hour + minute + second)
    if (hour, minute) != ("00", "00"):
        clues.times.add((hour, minute))
        if second is None:
            clues.times.add((hour, minute, ""))
        clock = str((int(hour) - 1) % 12 + 1)
        half = "am" if int(hour) < 12 else "pm"
        clues.times.update({(clock, minute, half), (clock.zfill(2), minute, half)})


def _add_text(clues: Clues, text: str) -> None:
    if is_ordinary(text):
        return
    clues.add_phrase(text)
    if len(text) > _LONGEST_ADDRESS:
        return
    if (
        sum(map(str.isdigit, text)) >= _LEAST_DIGITS_OF_PHONE
        and sum(map(str.isalpha, text)) <= _MOST_LETTERS_OF_PHONE
    ):
        _add_phone(clues, fold(text)[0])
    if len(text) <= _LONGEST_ID:
        _add_id(clues, text)
    for part in re.split(r"[\r\n,;、，]+", text):
        stripped = part.strip()
        if stripped != text and len(stripped) >= _LEAST_PART_OF_ADDRESS and not is_ordinary(stripped):
            tokens = split_tokens(fold(stripped)[0])[1::2]
            if any(map(str.isdigit, tokens)) or sum(len(token) > 1 for token in tokens) > 1:
                clues.add_phrase(stripped)
    for address in re.findall(r"[^\s<>:;,]{1,64}@[^\s<>:;,]{1,255}", text) if "@" in text else ():
        clues.add_phrase(address)
        local = fold(address.partition("@")[0])[0]
        if len(local) >= _LEAST_PART_OF_ADDRESS and local not in ORDINARY:
            clues.add_phrase(local)


def _add_id(clues: Clues, text: str) -> None:
    """Add the number of an ID without the letter, the year or the check digit around it."""
    tokens = split_tokens(fold(text)[0])[1::2]
    if sum(not token.isdigit() and len(token) > 2 for token in tokens) > _MOST_WORDS_OF_ID:
        return  # a sentence
    for token in tokens:
        if not token.isdigit():
            continue
        if len(token) >= LEAST_DIGITS:
            clues.add_phrase(token)
        elif len(token) >= _LEAST_DIGITS_OF_ID:
            clues.short_numbers.add(token)
            if len(rest := token.lstrip("0")) >= _LEAST_DIGITS_OF_ID:
                clues.short_numbers.add(rest)
        if _YEAR.match(token) and len(token) >= LEAST_DIGITS + 4:
            clues.add_phrase(token[4:])
    for part in (tokens[1:], tokens[:-1], tokens[1:-1]):
        if len(part) > 1 and sum(len(token) for token in part if token.isdigit()) >= LEAST_DIGITS:
            clues.add_phrase(" ".join(part))


def _add_phone(clues: Clues, text: str) -> None:
    """Add a phone number: all its digits, and without up to three of the first (a country or trunk code)."""
    for written in {text, re.sub(r"\(0\)", "", text)}:
        digits = re.sub(r"\D", "", written)
        bare = digits.lstrip("0")
        for rest in {digits[skip:] for skip in range(4)} | {bare[skip:] for skip in range(4)}:
            if len(rest) >= _LEAST_DIGITS_OF_PHONE:
                clues.phones.add(rest)
                clues.add(rest, Gaps(loose=True))
                clues.add(f"0{rest}", Gaps(loose=True))
