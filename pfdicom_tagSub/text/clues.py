"""What gives a value away in a text, in the form in which ``cleaning`` looks it up."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from .common_words import COMMON, NOT_IDENTIFYING, ORDINARY
from .comparable import fold, is_unbounded, split_tokens

LEAST_DIGITS = 5
"""Shorter numbers are measurements of anybody, but for those that a text calls an ID."""

_LEAST_LENGTH = 3
_LEAST_DIGITS_WITH_GAPS = 6
_SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


@dataclass(frozen=True, slots=True)
class Gaps:
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
        common: parts of names that are common words, likewise: they count beside a title or another
            part of the name.
        keys: tokens of an identifier, joined, and how they may be apart.
        short_numbers: numbers that count where a text calls them an ID.
        solids: numbers that count only as one run of digits.
        dates: three numbers as a date notation has them.
        days: dates as YYYYMMDD.
        days_of_years: their months and days, each without a zero before it.
        times: (HH, MM), (HH, MM, SS), (HH, MM, "") for any second, or (H, MM, "am" or "pm").
        phones: the digits of phone numbers, without what may stand before them.
        ages: ages in years.
        uids: UIDs.
    """

    words: dict[str, frozenset[str]] = field(default_factory=dict)
    common: dict[str, frozenset[str]] = field(default_factory=dict)
    keys: dict[str, Gaps] = field(default_factory=dict)
    short_numbers: set[str] = field(default_factory=set)
    solids: set[str] = field(default_factory=set)
    dates: set[tuple[str, str, str]] = field(default_factory=set)
    days: set[str] = field(default_factory=set)
    days_of_years: set[tuple[str, str]] = field(default_factory=set)
    times: set[tuple[str, ...]] = field(default_factory=set)
    phones: set[str] = field(default_factory=set)
    ages: set[str] = field(default_factory=set)
    uids: set[str] = field(default_factory=set)

    def update(self, other: Clues) -> None:
        """Take over all clues of another value."""
        for own, more in ((self.words, other.words), (self.common, other.common)):
            for word, initials in more.items():
                own[word] = initials | own.get(word, initials)
        self.short_numbers.update(other.short_numbers)
        self.solids.update(other.solids)
        self.dates.update(other.dates)
        self.days.update(other.days)
        self.days_of_years.update(other.days_of_years)
        self.times.update(other.times)
        self.phones.update(other.phones)
        self.ages.update(other.ages)
        self.uids.update(other.uids)
        for key, how in other.keys.items():
            self.add(key, how)

    def add(self, key: str, how: Gaps) -> None:
        """Take over a key; where two identifiers share it, either's gaps will do."""
        known = self.keys.get(key, how)
        if known != how:
            how = Gaps(known.boundaries | how.boundaries, known.loose or how.loose)
        self.keys[key] = how

    def add_word(self, word: str, initials: frozenset[str] = frozenset()) -> None:
        """Take over a part of a name, or of an address.

        Args:
            word: it, folded.
            initials: the first letters of the parts of its name.
        """
        home = self.common if word in COMMON else self.words
        home[word] = initials | home.get(word, initials)

    def add_phrase(self, text: str, least: int = _LEAST_LENGTH) -> None:
        """Take over a text as a whole, in all spellings.

        Args:
            text: it.
            least: of how many letters and digits it must be.
        """
        for spelling in spellings(text):
            parts = split_tokens(spelling)
            tokens = parts[1::2]
            key = "".join(tokens)
            if len(key) < (min(least, 2) if is_unbounded(key) else least):
                continue
            if NOT_IDENTIFYING.issuperset(tokens):
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
            self.add(key, Gaps(frozenset(boundaries), loose))
            rest = key.lstrip("0")
            if key[0] == "0" and sum(map(str.isdigit, rest)) >= 4:
                zeros = len(key) - len(rest)
                self.add(
                    rest, Gaps(frozenset(offset - zeros for offset in boundaries if offset > zeros), loose)
                )


def spellings(text: str) -> set[str]:
    """A text folded, with umlauts as one letter and as two (Müller, Muller, Mueller)."""
    folded = fold(text)[0]
    found = {folded, re.sub("[a-z]{5,}", lambda word: re.sub("([aou])e", r"\1", word[0]), folded)}
    if not text.isascii():
        found.add(fold(unicodedata.normalize("NFC", text).lower().translate(_SPELT_OUT))[0])
    return found


def is_ordinary(text: str) -> bool:
    """Whether all words of a text are common ones, so that it says nothing about a person."""
    return ORDINARY.issuperset(split_tokens(fold(text)[0])[1::2])
