"""What of a replaced value gives it away in an output: its forms as text, and as bytes.

A value is taken apart into traces, such as the parts of a name or the day of a date; a trace into needles,
the bytes to look for in all character sets in use. Pure functions, remembered, as the files of a series
share most values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import IntEnum

from ..core.caches import remembered
from ..text.common_words import COMMON, ORDINARY
from ..text.comparable import SHORTEST, is_long_enough
from ..text.identifiers import ADDRESS
from ..text.months import NAMES as MONTH_NAMES

SHORTEST_NUMBER = 5
"""Shorter numbers in a DS or an IS are measurements of anybody."""

SHORTEST_NUMBER_OF_ID = 6
MOST_WORDS_OF_ID = 2

UNBOUNDED = 8
"""Texts from this length on count inside a word, too: it is longer than most words."""

LONGEST = 256
"""Of a longer text its beginning is looked for."""

MOST_VALUES = 4096
"""Of how many values of one file traces are looked for."""

_WORD = re.compile(r"[^\W\d_]{2,}")
_STANDARD_UIDS = "1.2.840.10008."
_ESCAPES = re.compile(rb"^(?:\x1b[\x20-\x2f]+[\x30-\x7e])+|(?:\x1b[\x20-\x2f]+[\x30-\x7e])+$")
_CODECS = {"iso_ir_58": "gb2312", "UTF8": "utf-8"}

NAMES = frozenset({"PN"})
NUMBERS = frozenset({"DS", "IS"})
TEXTS = frozenset({"AE", "AS", "LO", "LT", "SH", "ST", "UC", "UR", "UT"})
SEARCHED_VRS = NAMES | NUMBERS | TEXTS | {"DA", "DT", "TM", "UI"}
"""VRs whose values are looked for. A CS is one of an enumeration, and a binary number has no text."""


class TermKind(IntEnum):
    """What a value is about; where it has to be to give somebody away depends on it."""

    PERSON = 0
    """A person, or what nobody can say more of: it counts anywhere."""
    PLACE = 1
    """An institution, a device or its software: a manufacturer's name says it as well."""
    WORDS = 2
    """A description: its words are those of codes and of enumerations, too."""
    NUMBER = 3
    """The number of an ID without its letters: a time or a UID may have it as well."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A text that gives a value away.

    Attributes:
        text: the text in lower case; of a date YYYYMMDD.
        is_day: whether it is a date, to be looked for in all notations.
        is_bounded: whether it counts only where no letter, or digit, precedes or follows that
            would make another word, or number, of it.
        kind: what the value is about.
    """

    text: str
    is_day: bool = False
    is_bounded: bool = False
    kind: TermKind = TermKind.PERSON


@dataclass(frozen=True, slots=True)
class Needle:
    """Bytes to look for.

    Attributes:
        folded: the bytes, ASCII letters in lower case.
        exact: the bytes themselves, where case matters as they are no ASCII text; else b"".
        is_bounded: as of the trace.
        width: how many bytes a character of ASCII takes.
        kind: as of the trace.
        words: how many words it has.
    """

    folded: bytes
    exact: bytes = b""
    is_bounded: bool = False
    width: int = 1
    kind: TermKind = TermKind.PERSON
    words: int = 1


@remembered(most=4096)
def traces_of(vr: str, text: str, kind: TermKind = TermKind.PERSON) -> tuple[Trace, ...]:
    """The traces of one decoded value; () for one that gives nothing away."""
    found = _traces_of(vr, text, kind)
    return found if kind is TermKind.PERSON else tuple(replace(trace, kind=kind) for trace in found)


def _traces_of(vr: str, text: str, kind: TermKind) -> tuple[Trace, ...]:
    text = text.strip(" \0\r\n\t")[:LONGEST].lower()
    if (
        text in (COMMON if vr == "PN" else ORDINARY)
        or text.startswith(_STANDARD_UIDS)
        or not any(map(str.isalnum, text))
    ):
        return ()
    if vr == "PN":
        return tuple(dict.fromkeys(_of_name(text)))
    if vr == "DA":
        return _of_day(re.sub(r"[.:]", "", text))
    if vr == "DT":
        return (*_of_day(text[:8]), *((Trace(text),) if len(text) > 10 else ()))
    if vr == "TM":
        clock = text.replace(":", "")
        if len(clock) < 6 or clock[:6].endswith("0000"):  # the full hours are anybody's
            return ()
        return tuple(
            Trace(form, is_bounded=True)
            for form in dict.fromkeys((clock, f"{clock[:2]}:{clock[2:4]}:{clock[4:]}"))
        )
    if vr == "UI":
        return (Trace(text, is_bounded=True),) if len(text) >= UNBOUNDED else ()
    if vr in NUMBERS:
        is_long = sum(map(str.isdigit, text)) >= SHORTEST_NUMBER and text.strip("0.+-")
        return (Trace(text, is_bounded=True),) if is_long else ()
    if vr not in TEXTS | {ADDRESS} or not is_long_enough(text):
        return ()
    return (_word(text), *(_numbers_of_id(text) if vr in {"LO", "SH"} and kind is TermKind.PERSON else ()))


def _numbers_of_id(text: str) -> Iterable[Trace]:
    """The long numbers of an ID, which people write without its letters."""
    if len(_WORD.findall(text)) > MOST_WORDS_OF_ID:
        return
    for digits in re.findall(rf"\d{{{SHORTEST_NUMBER_OF_ID},}}", text):
        if digits != text and not _of_day(digits[:8]):
            yield Trace(digits, is_bounded=True, kind=TermKind.NUMBER)


def _word(text: str) -> Trace:
    return Trace(text, is_bounded=len(text) < UNBOUNDED)


def _of_name(text: str) -> Iterable[Trace]:
    """A name as it is, as people write it, and by its parts (PS3.5 6.2.1)."""
    for group in text.split("="):
        components = [part.strip() for part in group.split("^")[:3] if part.strip()]
        if len(components) > 1:
            # What people make of it, also of parts that are too short by themselves
            family, given = components[:2]
            forms = {f"{family}^{given}", f"{family} {given}", f"{given} {family}", f"{family}, {given}"}
            forms |= {f"{family},{given}", f"{family}_{given}", f"{given}_{family}"}
            if COMMON.issuperset(components):
                forms = set()
            yield from (_word(form) for form in sorted(forms) if is_long_enough(form))
        for part in dict.fromkeys((*re.split(r"[\s^,]+", group), *re.split(r"[\W\d_]+", group))):
            if is_long_enough(part) and part not in COMMON and any(map(str.isalnum, part)):
                yield _word(part)


def _of_day(digits: str) -> tuple[Trace, ...]:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return ()
    return (Trace(digits[:8], is_day=True),) if len(digits) >= 8 else ()


@remembered(most=8192)
def needles_of(trace: Trace, codecs: tuple[str, ...]) -> tuple[Needle, ...]:
    """The bytes of a trace that is no date.

    Args:
        trace: the trace.
        codecs: the Python encodings in use, besides UTF-8, Latin-1 and UTF-16.
    """
    text = trace.text
    if text.isascii():
        plain = text.encode()
        wide = text.encode("utf-16-le")[:-1]  # in both byte orders, without the outer NUL
        words = len(_WORD.findall(text))
        return (
            Needle(plain, b"", trace.is_bounded, 1, trace.kind, words),
            Needle(wide, b"", trace.is_bounded, 2, trace.kind, words),
        )
    found: dict[Needle, None] = {}
    words = len(_WORD.findall(text))
    for form in dict.fromkeys((text, text.upper(), text.title())):
        for codec in dict.fromkeys(("utf-8", "latin-1", "utf-16-le", "utf-16-be", *codecs)):
            try:
                stored = form.encode(_CODECS.get(codec, codec))
            except (UnicodeError, LookupError):
                continue
            stored = _ESCAPES.sub(b"", stored)
            is_escaped = codec.startswith("iso2022")
            if len(stored) >= SHORTEST:
                exact = stored if is_escaped or codec.startswith("utf-16") else b""
                found[
                    Needle(stored.lower(), exact, trace.is_bounded and not is_escaped, 1, trace.kind, words)
                ] = None
    return tuple(found)


@remembered(most=1024)
def first_texts_of(day: str) -> tuple[bytes, ...]:
    """What to look for first of a date: literal texts one of which each notation holds, in folded bytes.

    Args:
        day: YYYYMMDD.

    Returns:
        The year comes first. UTF-8 is assumed of names of months.
    """
    year, month, number = day[:4], day[4:6], day[6:]
    short = year[2:]
    first = [year, *(f"{a}{s}{b}{s}{short}" for s in "-./" for a, b in ((number, month), (month, number)))]
    first += [
        f"{gap}{short}" for name in MONTH_NAMES[int(month) - 1] for gap in (f"{name}-", f"{name} ", name)
    ]
    return tuple([one.encode() for one in dict.fromkeys(first)])


@remembered(most=1024)
def notations_of(day: str) -> re.Pattern[bytes]:
    """All notations of a date, in folded bytes; made where the first text of one was found.

    Args: as of ``first_texts_of``.
    """
    year, month, number = day[:4], day[4:6], day[6:]
    m, d = _with_zero(month), _with_zero(number)
    short = year[2:]
    names = "|".join(MONTH_NAMES[int(month) - 1])
    patterns = [
        rf"{year}{month}{number}",
        rf"(?<!\d){number}{month}{year}(?!\d)",
        rf"(?<!\d){month}{number}{year}(?!\d)",
        rf"(?<!\d){year}([-./_ :]){m}(?:\1){d}(?!\d)",
        rf"(?<!\d)(?:{d}([-./_ ]){m}(?:\2)|{m}([-./_ ]){d}(?:\3)){year}(?!\d)",
        rf"(?<!\d)(?:{number}([-./]){month}(?:\4)|{month}([-./]){number}(?:\5)){short}(?!\d)",
        rf"(?<!\d){d}(?:st|nd|rd|th|er)?[-. ]{{0,2}}(?:{names})[-.,  ]{{0,2}}(?:{year}|{short}(?!\d))",
        rf"(?<![a-zß-ÿ])(?:{names})[-. ]{{0,2}}{d}(?:st|nd|rd|th)?[-., ]{{1,2}}{year}(?!\d)",
        rf"(?<!\d){year}[-. ]{{0,2}}(?:{names})[-. ]{{0,2}}{d}(?!\d)",
        rf"(?<!\d){year}年{m}月{d}日",
    ]
    return re.compile("|".join(f"(?:{one})" for one in patterns).encode())


@remembered(most=12)
def names_of_month(month: str) -> tuple[bytes, ...]:
    """The names of a month, 01 to 12, in UTF-8."""
    return tuple([name.encode() for name in MONTH_NAMES[int(month) - 1]])


def _with_zero(digits: str) -> str:
    return f"0?{digits[1]}" if digits[0] == "0" else digits


@remembered(most=1024)
def plain_notations(day: str) -> tuple[str, ...]:
    """The notations of a date that are looked for in binary values and in UTF-16."""
    y, m, d = day[:4], day[4:6], day[6:]
    return day, f"{y}-{m}-{d}", f"{y}/{m}/{d}", f"{d}.{m}.{y}", f"{d}/{m}/{y}", f"{m}/{d}/{y}"
