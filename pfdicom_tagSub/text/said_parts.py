"""Parts of dates of birth and phone numbers that say what they are: "born 1931", "geb. 03/1931", "ext. 1234".

A year alone, or three digits, are numbers of anybody; beside such a word they are what the file holds
elsewhere in full. The words are those of English, German, French, Spanish, Portuguese, Italian and Dutch,
folded. A year of birth of somebody over 89 goes whether or not the file holds it, as an age does (``ages``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from .ages import LEAST as LEAST_AGE
from .months import NUMBERS as MONTH_NUMBERS

_BIRTHS = (
    "born birth birthday birthdate birthyear dob yob bday bdate geb geboren geborene geborener geburt "
    "geburtstag geburtsdatum geburtsjahr gebdat gebdatum gebjahr jahrgang jg jhg ne nee naissance nacido "
    "nacida nacio nac nacimiento nascido nascida nasceu nasc nascimento nato nata nascita geboortedatum "
    "geboortejaar"
)
_BIRTH_WORDS = frozenset(_BIRTHS.split())
_AFTER_YEAR = frozenset({"born", "geb", "geboren", "birth", "生", "出", "생"})
_YEAR_SIGNS = frozenset({"年", "년"})

_PHONES = (
    "tel telefon telephone telefone telefono telefoon telefonnummer phone ph fon fone ext extn extension "
    "durchwahl dw apparat nebenstelle nst fax mobil mobile mob handy handynummer cell cellphone cel "
    "celular cellulare cellulaire movil poste interno ramal anexo toestel gsm natel pager beeper bleep "
    "piepser rufnummer call callback telefonnr telnr ruckruf rueckruf cb"
)
_PHONE_WORDS = frozenset(_PHONES.split())
SAYING = _BIRTH_WORDS | _AFTER_YEAR | _PHONE_WORDS | {"o"}  # D.O.B.
"""Words without one of which a text says nothing of a birth, but by a star, and nothing of a phone number."""
_ALSO_OTHER_WORDS = frozenset({"ph", "call", "cell", "cel", "mobil", "mobile", "mob", "poste"})  # pH 7.35

_BETWEEN_WORDS = (
    "on in im am en em le la el il l i nel del de di da the of a at an um year yr jahr jahre jahres annee "
    "ano anno date datum is ist est no nr num number numero nummer um circa ca about around home privat "
    "work office ext extension direct op dia der das den dat e back unter under auf"
)
_BETWEEN = frozenset(_BETWEEN_WORDS.split())
_MOST_BETWEEN = 4
_NEAREST = 3  # characters between a word and what it says
_OF = frozenset({"of", "de", "del"})
_LEAST_DIGITS = 3
_LEAST_BESIDE_OTHERS = 4
_MOST_NUMBERS = 6


def find_births(
    tokens: Sequence[str], gaps: Sequence[str], days: Collection[str]
) -> Iterator[tuple[int, int]]:
    """The tokens of what is said of a date of birth, each as its first and the one after its last.

    Args:
        tokens: those of a folded text.
        gaps: what is between them: tokens[i] is between gaps[i] and gaps[i + 1].
        days: dates that the file holds, as YYYYMMDD.
    """
    births = _Births(tokens, gaps, days)
    for at, token in enumerate(tokens):
        if token in _BIRTH_WORDS or (tokens[max(0, at - 2) : at + 1] == ["d", "o", "b"]):
            start = _after_words(tokens, gaps, at + 1)
            is_place = start + 1 < len(tokens) and tokens[start].isalpha() and tokens[start + 1] in _BETWEEN
            if is_place and not births.end(start):
                start = _after_words(tokens, gaps, start + 1)
            if end := births.end(start):
                yield start, end
        if at and token in _AFTER_YEAR:
            year = at - 1 - (tokens[at - 1] in _YEAR_SIGNS)
            if year >= 0 and births.is_year(year) and _is_near(gaps[at]):
                yield year, at
        gap = gaps[at]
        is_star = "*" in gap and not gap.strip(" *(,;/[") and (gap[0] != "*" or not at)  # no T2*
        if is_star and births.is_year(at):
            yield at, at + 1


def find_phones(
    tokens: Sequence[str], gaps: Sequence[str], phones: Collection[str]
) -> Iterator[tuple[int, int]]:
    """The tokens of parts of known phone numbers, each as its first and the one after its last.

    Args:
        tokens: those of a folded text.
        gaps: what is between them.
        phones: the digits of phone numbers.
    """
    for at, token in enumerate(tokens):
        if token not in _PHONE_WORDS:
            continue
        start = end = _after_words(tokens, gaps, at + 1)
        while end < min(len(tokens), start + _MOST_NUMBERS) and tokens[end].isdigit():
            if end > start and not (len(gaps[end]) <= _NEAREST and not gaps[end].strip(" -./()")):
                break
            end += 1
        least = _LEAST_BESIDE_OTHERS if token in _ALSO_OTHER_WORDS else _LEAST_DIGITS
        if found := _longest(tokens, start, end, least, phones):
            yield found


def _longest(
    tokens: Sequence[str], start: int, end: int, least: int, phones: Collection[str]
) -> tuple[int, int] | None:
    """The most of some numbers that are together a part of a phone number, of `least` digits or more."""
    for length in range(end - start, 0, -1):
        for first in range(start, end - length + 1):
            digits = "".join(tokens[first : first + length])
            if len(digits) >= least and any(digits in phone for phone in phones):
                return first, first + length
    return None


def _after_words(tokens: Sequence[str], gaps: Sequence[str], at: int) -> int:
    """The token after words such as those of "born in the year"."""
    most = min(len(tokens), at + _MOST_BETWEEN)
    while at < most and tokens[at] in _BETWEEN and _is_near(gaps[at]):
        at += 1
    return at if at < len(tokens) and _is_near(gaps[at]) else len(tokens)


def _is_near(gap: str) -> bool:
    return len(gap) <= _NEAREST and "\n" not in gap


class _Births:
    """One text under search for what it says of births."""

    def __init__(self, tokens: Sequence[str], gaps: Sequence[str], days: Collection[str]) -> None:
        self.tokens = tokens
        self.gaps = gaps
        self.years = {day[:4] for day in days}
        self.short_years = {day[2:4] for day in days}
        self.months_and_days = {(str(int(day[4:6])), str(int(day[6:8]))) for day in days}
        self.oldest = max((int(year) for year in self.years), default=0) - LEAST_AGE

    def is_year(self, at: int) -> bool:
        """Whether a token is a known year, or that of the birth of somebody over 89."""
        token = self.tokens[at]
        if token in self.years:
            return True
        return len(token) == len("1931") and token.isdigit() and self.oldest - 40 <= int(token) <= self.oldest

    def end(self, at: int) -> int:
        """The token after what a word of birth says, which starts at a token; 0 where it is nothing known."""
        tokens = self.tokens
        if at >= len(tokens):
            return 0
        if self.is_year(at):
            has_month = at + 1 < len(tokens) and self.gaps[at + 1] == "-" and len(tokens[at + 1]) == len("03")
            return at + 1 + (has_month and tokens[at + 1].isdigit())
        month = MONTH_NUMBERS.get(tokens[at], "") if tokens[at].isalpha() else ""
        if month:
            return self._after_month(at, month)
        if not tokens[at].isdigit() or len(tokens[at]) > 2:
            return 0
        return self._after_number(at)

    def _after_month(self, at: int, month: str) -> int:
        """As ``end``, for March 1931 and March 7."""
        after = at + 1
        after += after < len(self.tokens) and self.tokens[after] in _OF
        if after >= len(self.tokens) or not _is_near(self.gaps[after]):
            return 0
        if self.is_year(after) or self._is_day(month, after):
            return after + 1
        return 0

    def _after_number(self, at: int) -> int:
        """As ``end``, for 03/1931, 7.3., 7 March and 31."""
        tokens, gaps = self.tokens, self.gaps
        after = at + 1
        if after < len(tokens) and tokens[after] in ("th", "st", "nd", "rd") and not gaps[after]:
            after += 1
        after += after < len(tokens) and tokens[after] in _OF
        if after < len(tokens) and _is_near(gaps[after]):
            name = MONTH_NUMBERS.get(tokens[after], "") if tokens[after].isalpha() else ""
            if name and self._is_day(name, at):
                return after + 1
            if gaps[after].strip() in ("/", ".", "-"):
                if self.is_year(after):
                    return after + 1
                first, second = tokens[at].lstrip("0"), tokens[after].lstrip("0")
                pairs = {(first, second), (second, first)}
                is_short = tokens[after] in self.short_years and 1 <= int(tokens[at]) <= 12
                return after + 1 if is_short or pairs & self.months_and_days else 0
        is_free = (
            after >= len(tokens)
            or gaps[after][:1] not in ("", ".", ",")
            or gaps[after].strip() != gaps[after]
        )
        return at + 1 if is_free and tokens[at] in self.short_years else 0

    def _is_day(self, month: str, at: int) -> bool:
        return (month, self.tokens[at].lstrip("0")) in self.months_and_days
