"""Free text without the identifiers that the same file holds elsewhere.

``cleaner_of`` makes a cleaner from the values that are removed from a file or replaced in it;
``TextCleaner.clean`` takes them out of a text and keeps its other words, its punctuation and its lines
(PS3.15 E.3.5, Clean Descriptors). Nothing is guessed: a name that stands in no element of the file stays.

No regular expression is made from values, for they differ from file to file. A text is split into tokens
once, and the tokens are looked up in sets (``identifiers.Clues``); the time is linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Container, Iterable
from functools import cached_property
from itertools import accumulate

from .caches import remembered
from .excision import Span, cut_out
from .folding import fold, is_unbounded, split_tokens
from .identifiers import MONTHS, Clues, Key, clues_of

_UID = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+)+(?!\.?[0-9])")
_PHONE = re.compile(r"(?:\+|(?<![0-9])00)[0-9][-0-9 ()/.]{6,24}")
_NEAR = re.compile(r"[ .,^]{1,3}")  # between a name and an initial of it
_BEFORE = re.compile(r"(?:^|[\s.,^(])\Z")
_AFTER = re.compile(r"[\s.,;:^)]|\Z")
_ROUNDS = 12
_LONG = 2000  # tokens; from there on, of many keys that start alike those that the text holds are sorted out

_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "of", "de"})
_YEAR_SIGNS, _MONTH_SIGNS, _DAY_SIGNS = "年년", "月월", "日일"
_KOREAN_TITLES = "씨님군양"


@remembered(most=256)
def cleaner_of(identifiers: frozenset[tuple[str, str]]) -> TextCleaner:
    """The cleaner for identifiers.

    Args:
        identifiers: (VR, text) of single decoded values. How each is looked for is up to its VR
            (``identifiers.clues_of``); VRs that identify nobody, such as CS, are ignored.
    """
    return TextCleaner(identifiers)


class TextCleaner:
    """Takes identifiers out of texts; equal and of equal hash where the identifiers are the same."""

    def __init__(self, identifiers: frozenset[tuple[str, str]]) -> None:
        self.identifiers = identifiers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextCleaner) and self.identifiers == other.identifiers

    def __hash__(self) -> int:
        return hash(self.identifiers)

    def __repr__(self) -> str:
        return f"<TextCleaner of {len(self.identifiers)} identifiers>"  # no values in logs

    def __reduce__(self) -> tuple[object, ...]:
        return cleaner_of, (self.identifiers,)

    @cached_property
    def _index(self) -> _Index:
        return _Index(self.identifiers)

    def clean(self, text: str) -> str:
        """A text without the identifiers.

        Returns:
            `text` itself where it holds none. Otherwise what is left, with blanks, separators and
            brackets that belonged to an identifier taken out as well, and "" where no
            word is left. Cleaning twice changes nothing.
        """
        cleaned = text
        for _ in range(_ROUNDS):  # what is left may come together as an identifier again
            spans = self._index.find(cleaned)
            if not spans:
                return cleaned
            cleaned = cut_out(cleaned, spans)
            if not any(map(str.isalnum, cleaned)):
                return ""
        return ""  # made to grow identifiers, no text that anybody reads


class _Index:
    """The clues of all identifiers, and what a token must be to be worth a second look."""

    def __init__(self, identifiers: Iterable[tuple[str, str]]) -> None:
        self.clues = clues = Clues()
        for vr, text in identifiers:
            if vr == "UI":
                clues.uids.add(text.strip(" \0"))
            else:
                clues.update(clues_of(vr, text))
        self.lengths = _lengths(clues.keys)
        self.crowded = {start for start, known in self.lengths.items() if len(known) > 8}
        self.numbers = {date[0] for date in clues.dates} | {time[0] for time in clues.times}
        self.starts = self.numbers | clues.words.keys() | clues.solids
        self.starts.update(start[0] for start in self.lengths if len(start) < 3)
        self.days = {day[:3] for day in clues.days}
        self.prefixes = self.days | self.lengths.keys()

    def find(self, text: str) -> list[Span]:
        """Where identifiers are in a text, in no order."""
        folded, origins = fold(text)
        parts = split_tokens(folded)
        tokens = parts[1::2]
        offsets = list(accumulate(map(len, tokens), initial=0))
        compact = "".join(tokens)
        lengths, starts, prefixes = self.lengths, self.starts, self.prefixes
        if self.crowded and len(tokens) > _LONG:
            lengths = {start: known for start, known in lengths.items() if start not in self.crowded}
            lengths |= _lengths(key for key in self.clues.keys if key[:3] in self.crowded and key in compact)
            prefixes = self.days | lengths.keys()
        hits = [
            index
            for index, (token, at) in enumerate(zip(tokens, offsets, strict=False))
            if token in starts or compact[at : at + 3] in prefixes or token[0] == "0"
        ]
        spans: list[Span] = []
        if hits:
            spans = _Scan(self, lengths, parts, tokens, offsets, compact).find(hits)
        if self.clues.uids and "." in folded:
            spans += [match.span() for match in _UID.finditer(folded) if match[0] in self.clues.uids]
        if self.clues.phones:
            spans += self._phones(folded)
        if not spans:
            return []
        if origins is not None:
            spans = [(origins[start], _end(origins, end)) for start, end in spans]
        return spans

    def _phones(self, folded: str) -> Iterable[Span]:
        """Phone numbers after a country code that the identifier may not have, with no gap after it."""
        lengths = {len(phone) for phone in self.clues.phones}
        for match in _PHONE.finditer(folded):
            places = [at for at, character in enumerate(match[0]) if "0" <= character <= "9"]
            digits = "".join(match[0][at] for at in places)
            for skip in range(1, 7):
                for length in lengths:
                    end = skip + length
                    is_whole = end == len(digits) or (end < len(digits) and places[end] > places[end - 1] + 1)
                    if is_whole and digits[skip:end] in self.clues.phones:
                        yield match.start(), match.start() + places[end - 1] + 1


def _lengths(keys: Iterable[str]) -> dict[str, list[int]]:
    """The lengths of the keys, longest first, by how they start."""
    found: dict[str, set[int]] = {}
    for key in keys:
        found.setdefault(key[:3], set()).add(len(key))
    return {start: sorted(lengths, reverse=True) for start, lengths in found.items()}


def _end(origins: list[int], end: int) -> int:
    while end < len(origins) - 1 and origins[end] == origins[end - 1]:
        end += 1  # the middle of a character that folds to two
    return origins[end]


class _Scan:
    """One text under search: tokens[i] is between gaps[i] and gaps[i + 1]."""

    def __init__(
        self,
        index: _Index,
        lengths: dict[str, list[int]],
        parts: list[str],
        tokens: list[str],
        offsets: list[int],
        compact: str,
    ) -> None:
        self.clues = index.clues
        self.numbers = index.numbers
        self.lengths = lengths
        self.tokens = tokens
        self.gaps = parts[::2]
        self.offsets = offsets
        self.compact = compact
        self.positions = list(accumulate(map(len, parts)))

    def find(self, hits: Iterable[int]) -> list[Span]:
        """The spans of the identifiers that start at tokens or, for dates, near them."""
        spans: list[Span] = []
        for at in hits:
            token = self.tokens[at]
            if end := self._key_end(at):
                spans.append(self._number(at, end) if token.isdigit() else self._span(at, end))
            if token in self.clues.words and self._is_word(at):
                spans.append(self._name(at))
            if "0" <= token[0] <= "9":
                self._add_numbers(at, spans)
        return spans

    def _span(self, at: int, end: int) -> Span:
        return self.positions[2 * at], self.positions[2 * end - 1]

    def _number(self, at: int, end: int) -> Span:
        """The span of tokens, with the bracket and the plus sign that a phone number begins with."""
        start, stop = self._span(at, end)
        before = self.gaps[at]
        if before.endswith("(") and any(")" in gap for gap in self.gaps[at + 1 : end]):
            start, before = start - 1, before[:-1]
        return start - before.endswith("+"), stop

    def _touches(self, gap: int) -> bool:
        """Whether letters and digits meet at a gap."""
        if self.gaps[gap] or not 0 < gap < len(self.tokens):
            return False
        return not (is_unbounded(self.tokens[gap - 1]) or is_unbounded(self.tokens[gap]))

    def _in_decimal(self, gap: int) -> bool:
        """Whether a gap is the point of a decimal number."""
        if self.gaps[gap] not in (".", ",") or not 0 < gap < len(self.tokens):
            return False
        return self.tokens[gap - 1].isdigit() and self.tokens[gap].isdigit()

    def _key_end(self, at: int) -> int:
        """The token after the longest key that starts at a token, or 0."""
        offset = self.offsets[at]
        for width in (3, 2, 1):
            for length in self.lengths.get(self.compact[offset : offset + width], ()):
                how = self.clues.keys.get(self.compact[offset : offset + length])
                if how is not None and (end := self._bounded_end(at, length, how)):
                    return end
        token = self.tokens[at]
        if token[0] == "0" and len(rest := token.lstrip("0")) >= 4 and rest in self.clues.keys:
            return at + 1
        return 0

    def _bounded_end(self, at: int, length: int, how: Key) -> int:
        offset = self.offsets[at]
        end = bisect_left(self.offsets, offset + length, lo=at)
        if end == len(self.offsets) or self.offsets[end] != offset + length:
            return 0
        for gap in range(at + 1, end):
            between = self.gaps[gap]
            if not between:
                continue
            if self.offsets[gap] - offset in how.boundaries:
                if len("".join(between.split())) > 3:
                    return 0
            elif not (how.loose and len(between) <= 3 and not between.strip("-_ ./()")):
                return 0
        number = self.compact[offset : offset + length].isdigit()
        first, last = len(self.tokens[at]), len(self.tokens[end - 1])
        # MRN471122 holds a number, but the 1 of T1 does not begin one that goes on after a blank.
        may_touch = number and length >= 5
        if (self._touches(at) and not (may_touch and first >= 4)) or (
            self._touches(end) and not (may_touch and last >= 4)
        ):
            return 0
        if number and self._in_decimal(at) and (length < 6 or first <= 2):
            return 0
        if number and self._in_decimal(end) and length < 6:
            return 0
        return end

    def _is_word(self, at: int) -> bool:
        token = self.tokens[at]
        if is_unbounded(token):  # one syllable; more of them are keys
            before = not self.gaps[at] and at and is_unbounded(self.tokens[at - 1])
            after = at + 1 < len(self.tokens) and not self.gaps[at + 1] and self.tokens[at + 1]
            return not before and not (after and is_unbounded(after) and after not in _KOREAN_TITLES)
        return len(token) >= 4 or not (self._touches(at) or self._touches(at + 1))

    def _name(self, at: int) -> Span:
        """The span of a part of a name, with a possessive s, and initials of the name beside it."""
        initials = self.clues.words[self.tokens[at]]
        end = at + 1
        stop = self.positions[2 * at + 1]
        if self._has(end, {"s"}) and self.gaps[end] == "'":
            stop = self.positions[2 * end + 1]
        elif (
            self._has(end, initials) and _NEAR.fullmatch(self.gaps[end]) and _AFTER.match(self.gaps[end + 1])
        ):
            stop = self.positions[2 * end + 1] + self.gaps[end + 1].startswith(".")
        while (
            self._has(at - 1, initials)
            and _NEAR.fullmatch(self.gaps[at])
            and _BEFORE.search(self.gaps[at - 1])
        ):
            at -= 1
        return self.positions[2 * at], stop

    def _has(self, at: int, wanted: Container[str]) -> bool:
        """Whether a token, not part of a mixed one, is one of those wanted."""
        if not 0 <= at < len(self.tokens) or self.tokens[at] not in wanted:
            return False
        return not (self._touches(at) or self._touches(at + 1))

    def _add_numbers(self, at: int, spans: list[Span]) -> None:
        token = self.tokens[at]
        if token in self.clues.solids or (len(token) in (10, 12, 14) and token[:8] in self.clues.days):
            end = at + 1
            if end < len(self.tokens) and len(token) in (6, 14) and self._in_decimal(end):
                end += 1  # the fraction of a second
            spans.append(self._span(at, end))
        if token in self.numbers and at + 1 < len(self.tokens):
            if self.clues.dates and (found := self._date(at)):
                spans.append(self._span(*found))
            if self.clues.times and (end := self._time_end(at)):
                spans.append(self._span(at, end))

    def _joins(self, at: int, end: int) -> bool:
        return all(len(gap) <= 3 and not gap.strip(" .,-/_'") for gap in self.gaps[at + 1 : end])

    def _date(self, at: int) -> tuple[int, int] | None:
        """The tokens of a date that holds the number at a token as its first."""
        tokens, dates = self.tokens, self.clues.dates
        count = len(tokens)
        first, second = tokens[at], tokens[at + 1]
        if at + 2 < count:
            third = tokens[at + 2]
            if (first, second, third) in dates and self._is_numeric_date(at):
                return at, at + 3
            if (third, MONTHS.get(second), first) in dates and self._joins(at, at + 3):
                return at, at + 3
        if second in _YEAR_SIGNS and at + 5 < count and tokens[at + 3] in _MONTH_SIGNS:
            is_date = tokens[at + 5] in _DAY_SIGNS and (first, tokens[at + 2], tokens[at + 4]) in dates
            return (at, at + 6) if is_date and self._joins(at, at + 6) else None
        after = at + 1
        after += second in _ORDINALS
        after += after < count and tokens[after] in _ORDINALS
        if after + 1 < count and (first, MONTHS.get(tokens[after]), tokens[after + 1]) in dates:
            return (at, after + 2) if self._joins(at, after + 2) else None
        if at and after < count and (first, MONTHS.get(tokens[at - 1]), tokens[after]) in dates:
            return (at - 1, after + 1) if self._joins(at - 1, after + 1) else None
        return None

    def _is_numeric_date(self, at: int) -> bool:
        """Whether three numbers are apart as those of a date are: by the same sign, and none is a decimal."""
        gap, other = (between.strip(" ") or between[:1] for between in self.gaps[at + 1 : at + 3])
        if gap != other:
            return False
        if gap in ("_", " ", ","):
            return 4 in (len(self.tokens[at]), len(self.tokens[at + 2]))
        return gap in ("-", "/") or (gap == "." and not (self._in_decimal(at) or self._in_decimal(at + 3)))

    def _time_end(self, at: int) -> int:
        """The token after a time that starts at a token, or 0."""
        tokens, gaps, times = self.tokens, self.gaps, self.clues.times
        if gaps[at + 1] != ":" or len(tokens[at + 1]) != 2 or gaps[at] == ":":
            return 0
        hour, minute = tokens[at], tokens[at + 1]
        following = tokens[at + 2] if at + 2 < len(tokens) else ""
        if following.isdigit() and gaps[at + 2] == ":":
            if (hour, minute, following) not in times and (hour, minute, "") not in times:
                return 0
            return at + 4 if at + 3 < len(tokens) and self._in_decimal(at + 3) else at + 3
        if following in ("am", "pm") and not gaps[at + 2].strip(" "):
            return at + 3 if (hour, minute, following) in times else 0
        return at + 2 if (hour, minute) in times else 0
