"""What of a removed value identifies, by its VR, in the form that ``cleaning`` looks up.

``clues_of`` turns one value, such as a PN or a DA, into ``Clues``: words, keys and numbers that give it
away in a free text, in all usual notations. Text is compared folded (``folding.fold``), so the clues
are folded as well. The VRs are those of PS3.5 6.2.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date

from .caches import remembered
from .common_words import NOT_IDENTIFYING, PARTICLES
from .folding import fold, is_ideograph, is_unbounded, split_tokens

_NUMBER_VRS = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})
_IGNORED_VRS = frozenset({"CS", "AT", "SQ", "OB", "OD", "OF", "OL", "OV", "OW"})
_LEAST_DIGITS_OF_NUMBER = 5
_LEAST_LENGTH = 3
_LEAST_PART_OF_ADDRESS = 5
_LONGEST_ADDRESS = 1024
_LEAST_DIGITS_OF_PHONE = 7
_MOST_LETTERS_OF_PHONE = 4
_LEAST_DIGITS_WITH_GAPS = 6

_MONTH_NAMES = (
    "jan january januar janner jaenner janvier janv",
    "feb february februar fevrier fevr fev",
    "mar march marz maerz mrz mars",
    "apr april avril avr",
    "may mai",
    "jun june juni juin",
    "jul july juli juillet juil",
    "aug august aout",
    "sep sept september septembre",
    "oct october okt oktober octobre",
    "nov november novembre",
    "dec december dez dezember decembre",
)
MONTHS = {name: str(month) for month, names in enumerate(_MONTH_NAMES, 1) for name in names.split()}
"""Folded names of months in English, German and French, and the numbers of the months."""


@dataclass(frozen=True, slots=True)
class Key:
    """How the tokens of an identifier may be apart in a text.

    Attributes:
        boundaries: offsets in the key where the identifier itself has a gap.
        loose: whether separators may stand inside its digits, too.
    """

    boundaries: frozenset[int] = frozenset()
    loose: bool = False


@dataclass(frozen=True, slots=True)
class Clues:
    """What gives one value, or several, away.

    Attributes:
        words: parts of names, each a token, and the first letters of all parts of their names.
        keys: tokens of an identifier, joined, and how they may be apart.
        solids: numbers that count only as one run of digits.
        dates: three numbers as a date notation has them.
        days: dates as YYYYMMDD.
        times: (HH, MM), (HH, MM, SS), (HH, MM, "") for any second, or (H, MM, "am" or "pm").
        phones: the digits of phone numbers, without what may stand before them.
        uids: UIDs.
    """

    words: dict[str, frozenset[str]] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    solids: set[str] = field(default_factory=set)
    dates: set[tuple[str, str, str]] = field(default_factory=set)
    days: set[str] = field(default_factory=set)
    times: set[tuple[str, ...]] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)

    def update(self, other: Clues) -> None:
        """Take over all clues of another value."""
        for word, initials in other.words.items():
            self.words[word] = initials | self.words.get(word, initials)
        self.solids.update(other.solids)
        self.dates.update(other.dates)
        self.days.update(other.days)
        self.times.update(other.times)
        self.phones.update(other.phones)
        for key, how in other.keys.items():
            self.add(key, how)

    def add(self, key: str, how: Key) -> None:
        """Take over a key; where two identifiers share it, either's gaps will do."""
        known = self.keys.get(key, how)
        if known != how:
            how = Key(known.boundaries | how.boundaries, known.loose or how.loose)
        self.keys[key] = how


@remembered(most=2048)
def clues_of(vr: str, text: str) -> Clues:
    """The clues of one value of any VR but UI (a UID is its own clue); not to be changed by the caller."""
    clues = Clues()
    text = text.strip(" \0\t\r\n")
    if vr in _IGNORED_VRS or not text:
        return clues
    if vr == "PN":
        _add_name(clues, text)
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
            clues.add(f"{age[1]}y", Key(frozenset({len(age[1])})))
            clues.add(f"{age[1]:0>3}y", Key(frozenset({max(3, len(age[1]))})))
    elif vr in _NUMBER_VRS:
        if sum(map(str.isdigit, text)) >= _LEAST_DIGITS_OF_NUMBER:
            _add_phrase(clues, text)
    else:
        _add_text(clues, text)
    return clues


_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


def _spellings(text: str) -> set[str]:
    """A text folded, with umlauts as one letter and as two (Müller, Muller, Mueller)."""
    folded = fold(text)[0]
    found = {folded, re.sub("[a-z]{5,}", lambda word: re.sub("([aou])e", r"\1", word[0]), folded)}
    if not text.isascii():
        found.add(fold(unicodedata.normalize("NFC", text).lower().translate(_SPELT_OUT))[0])
    return found


def _add_phrase(clues: Clues, text: str, least: int = _LEAST_LENGTH) -> None:
    """Add a text as a whole."""
    for spelling in _spellings(text):
        parts = split_tokens(spelling)
        tokens = parts[1::2]
        key = "".join(tokens)
        if len(key) < (min(least, 2) if is_unbounded(key) else least) or NOT_IDENTIFYING.issuperset(tokens):
            continue
        boundaries = set()
        offset = 0
        for index, token in enumerate(tokens):
            # Where letters meet digits a text may have a separator that the identifier has not.
            if parts[2 * index] or (index and token.isdigit() != tokens[index - 1].isdigit()):
                boundaries.add(offset)
            offset += len(token)
        digits = sum(map(str.isdigit, key))
        loose = digits >= _LEAST_DIGITS_WITH_GAPS
        clues.add(key, Key(frozenset(boundaries), loose))
        rest = key.lstrip("0")
        if key[0] == "0" and sum(map(str.isdigit, rest)) >= 4:
            zeros = len(key) - len(rest)
            clues.add(rest, Key(frozenset(offset - zeros for offset in boundaries if offset > zeros), loose))


def _add_name(clues: Clues, text: str) -> None:
    """Add a PN by its parts (PS3.5 6.2.1)."""
    words: set[str] = set()
    for group in text.split("="):
        components = [component for component in re.split(r"[\^,]", group) if component.strip()]
        for component in components:
            parts = component.split()
            for part in parts:
                if len(parts) == 1 or part.lower() not in PARTICLES:
                    _add_part(clues, words, part)
            if len(parts) > 1:
                _add_phrase(clues, component)
        for first, second in ((0, 1), (1, 0)) if len(components) > 1 else ():
            # Written as one word, and Korean family names of one syllable
            if all(
                len(components[which].strip(" .")) > 1 or not components[which].isascii() for which in (0, 1)
            ):
                _add_phrase(clues, f"{components[first]} {components[second]}", least=4)
    initials = frozenset(fold(part)[0][:1] for part in re.split(r"[\s^=,]+", text))
    clues.words.update(dict.fromkeys(words, initials))


def _add_part(clues: Clues, words: set[str], part: str) -> None:
    halves = part.split("-")
    if len(halves) > 1 and all(len(half) >= 2 for half in halves):
        for half in halves:
            _add_part(clues, words, half)
    tokens = split_tokens(fold(part)[0])[1::2]
    if not tokens:
        return
    if is_unbounded("".join(tokens)):
        if len(tokens) == 1 and not is_ideograph(tokens[0]):
            words.add(tokens[0])
        else:
            clues.add("".join(tokens), Key())
    elif len(tokens) > 1 or tokens[0].isdigit():
        _add_phrase(clues, part)
    elif len(tokens[0]) > 1 and tokens[0] not in NOT_IDENTIFYING:
        words.update(split_tokens(spelling)[1] for spelling in _spellings(part))
        if len(tokens[0]) >= 4 and tokens[0].isascii():
            words |= {
                f"{tokens[0][: at + 1]}e{tokens[0][at + 1 :]}" for at, c in enumerate(tokens[0]) if c in "aou"
            }


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
    _add_phrase(clues, text)
    if len(text) > _LONGEST_ADDRESS:
        return
    if (
        sum(map(str.isdigit, text)) >= _LEAST_DIGITS_OF_PHONE
        and sum(map(str.isalpha, text)) <= _MOST_LETTERS_OF_PHONE
    ):
        _add_phone(clues, fold(text)[0])
    for part in re.split(r"[\r\n,;、，]+", text):
        stripped = part.strip()
        if stripped != text and len(stripped) >= _LEAST_PART_OF_ADDRESS:
            tokens = split_tokens(fold(stripped)[0])[1::2]
            if any(map(str.isdigit, tokens)) or sum(len(token) > 1 for token in tokens) > 1:
                _add_phrase(clues, stripped)


def _add_phone(clues: Clues, text: str) -> None:
    """Add a phone number: all its digits, and without up to three of the first (a country or trunk code)."""
    for written in {text, re.sub(r"\(0\)", "", text)}:
        digits = re.sub(r"\D", "", written)
        bare = digits.lstrip("0")
        for rest in {digits[skip:] for skip in range(4)} | {bare[skip:] for skip in range(4)}:
            if len(rest) >= _LEAST_DIGITS_OF_PHONE:
                clues.phones.add(rest)
                clues.add(rest, Key(loose=True))
                clues.add(f"0{rest}", Key(loose=True))
