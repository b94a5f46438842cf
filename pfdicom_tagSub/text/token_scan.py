"""One text, in tokens, under search for the identifiers of a file: keys, names, dates and times."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Container, Iterable
from functools import cached_property
from itertools import accumulate

from .ages import find_ages, may_have_ages
from .clues import Clues, Gaps
from .common_words import ORDINARY, TITLES
from .comparable import is_unbounded
from .days_without_year import day_without_year
from .excision import Span
from .months import NUMBERS as MONTH_NUMBERS
from .said_parts import SAYING, find_births, find_phones
from .spoken_times import spoken_time

_NEAR = re.compile(r"[ .,^]{1,3}")  # between a name and an initial of it
_BESIDE = re.compile(r"[ .,^:_-]{1,3}")
_BEFORE = re.compile(r"(?:^|[\s.,^(])\Z")
_AFTER = re.compile(r"[\s.,;:^)]|\Z")

_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "of", "de"})
_OF = frozenset({"of", "de", "del"})
_DATE_SIGNS = "-/. "

_BESIDE_NAMES = TITLES | frozenset({"pat", "patient", "patientin", "paciente", "pt", "name", "named", "von"})
_BESIDE_IDS = frozenset(
    {"mrn", "id", "pid", "pat", "patient", "no", "nr", "number", "nummer", "acc", "accession", "case", "fall"}
)
_YEAR_SIGNS, _MONTH_SIGNS, _DAY_SIGNS = "年년", "月월", "日일"
_KOREAN_TITLES = "씨님군양"


class TokenScan:
    """One text under search: tokens[i] is between gaps[i] and gaps[i + 1]."""

    def __init__(
        self,
        clues: Clues,
        numbers: Container[str],
        stem_of: Callable[[str], str],
        lengths: dict[str, list[int]],
        parts: list[str],
        tokens: list[str],
        offsets: list[int],
        compact: str,
    ) -> None:
        """Args:
        clues: what is looked for.
        numbers: the first numbers of dates and times among it.
        stem_of: the part of a name that a token is, or that is in it; "" if there is none.
        lengths: the lengths of keys, longest first, by how these start.
        parts: the text in parts, gaps and tokens in turn.
        tokens: its tokens.
        offsets: where each begins in `compact`.
        compact: the tokens without gaps.
        """
        self.clues = clues
        self.numbers = numbers
        self.stem_of = stem_of
        self.lengths = lengths
        self.tokens = tokens
        self.gaps = parts[::2]
        self.offsets = offsets
        self.compact = compact
        self.positions = list(accumulate(map(len, parts)))
        self.text = ""
        self.origins: list[int] | None = None

    def find(self, hits: Iterable[int]) -> list[Span]:
        """The spans of the identifiers that start at tokens or, for dates, near them."""
        spans: list[Span] = []
        for at in hits:
            token = self.tokens[at]
            if end := self._key_end(at):
                spans.append(self._number(at, end) if token.isdigit() else self._span(at, end))
            if (stem := self.stem_of(token)) and self._is_word(at) and self._is_apart(at, stem):
                spans.append(self._name(at, self.clues.words[stem]))
            elif token in self.clues.common and self._is_beside_name(at, self.clues.common[token]):
                spans.append(self._name(at, self.clues.common[token]))
            if "0" <= token[0] <= "9":
                self._add_numbers(at, spans)
        return spans

    def ages(self) -> list[Span]:
        """The spans of ages over 89 and of known ones."""
        if not may_have_ages(self.tokens, self.compact):
            return []
        return [self._span(at, end) for at, end in find_ages(self.tokens, self.gaps, self.clues.ages)]

    def said_parts(self) -> list[Span]:
        """The spans of parts of dates of birth and of phone numbers that a word beside them calls that."""
        if SAYING.isdisjoint(self.tokens) and "*" not in self.text:
            return []
        found = list(find_births(self.tokens, self.gaps, self.clues.days)) if self.clues.days else []
        if self.clues.phones:
            found += find_phones(self.tokens, self.gaps, self.clues.phones)
        return [self._with_stop(at, end) for at, end in found]

    def _with_stop(self, at: int, end: int) -> Span:
        """The span of numbers, with the stop after the last where one is after the first, as in 12.4."""
        start, stop = self._span(at, end)
        return start, stop + (self.gaps[end].startswith(".") and "." in self.gaps[at + 1 : end])

    @cached_property
    def _is_upper(self) -> bool:
        return self.text.isupper()

    def _is_apart(self, at: int, stem: str) -> bool:
        """Whether a name with an ending is not just another common word, such as does of Doe."""
        if self.tokens[at] == stem or self.tokens[at] not in ORDINARY:
            return True
        start = self.positions[2 * at]
        place = self.origins[start] if self.origins else start
        return self.text[place].isupper() and not self._is_upper

    def _is_beside_name(self, at: int, initials: frozenset[str]) -> bool:
        """Whether a common word is a name for once: by a title, or by another part of a name."""
        if not self._is_word(at):
            return False
        for other, gap in ((at - 1, at), (at + 1, at + 1)):
            if not 0 <= other < len(self.tokens) or not _BESIDE.fullmatch(self.gaps[gap]):
                continue
            token = self.tokens[other]
            if token in self.clues.words or (other < at and token in _BESIDE_NAMES):
                return True
            is_initial = token in initials and self.gaps[other + 1].startswith(".")
            if is_initial and not self._touches(other):
                return True
        return False

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

    def _bounded_end(self, at: int, length: int, how: Gaps) -> int:
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
        if length >= 6 and self.compact[offset : offset + length].isalpha():
            return end  # such as JaneDoe2
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
        if len(token) >= 4 or not (self._touches(at) or self._touches(at + 1)):
            return True
        return self._is_word_beyond(at, -1) or self._is_word_beyond(at, 1)

    def _is_word_beyond(self, at: int, step: int) -> bool:
        """Whether another part of a name is glued to this one by a number, as in Jane2Doe."""
        other = at + 2 * step
        if not 0 <= other < len(self.tokens) or not self.tokens[at + step].isdigit():
            return False
        is_glued = not any(self.gaps[min(at, other) + 1 : max(at, other) + 1])
        return is_glued and self.tokens[other] in self.clues.words

    def _name(self, at: int, initials: frozenset[str]) -> Span:
        """The span of a part of a name, with a possessive s, and initials of the name beside it."""
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
        if token in self.clues.solids or self._is_moment(token):
            end = at + 1
            if end < len(self.tokens) and len(token) in (6, 14) and self._in_decimal(end):
                end += 1  # the fraction of a second
            spans.append(self._span(at, self._clock_end(end)))
        if token in self.clues.short_numbers and self._is_beside_id(at):
            spans.append(self._span(at, at + 1))
        if token not in self.numbers:
            return
        followed = at + 1 < len(self.tokens)
        if followed and self.clues.dates and (found := self._date(at)):
            spans.append(self._span(found[0], self._clock_end(found[1])))
        elif found := day_without_year(self.tokens, self.gaps, at, self.clues.days_of_years):
            spans.append(self._with_stop(*found))
        if followed and self.clues.times and (end := self._time_end(at)):
            spans.append(self._span(at, end))

    def _is_moment(self, token: str) -> bool:
        """Whether a number is a known day and a time of any day."""
        return 10 <= len(token) <= 20 and token[:8] in self.clues.days and token[8:10] < "24"

    def _clock_end(self, end: int) -> int:
        """The token after a time that is glued to a date by a T, as in 19500307T1012 and ISO 8601."""
        tokens, gaps = self.tokens, self.gaps
        if end + 1 >= len(tokens) or tokens[end] != "t" or gaps[end] or gaps[end + 1]:
            return end
        if not tokens[end + 1].isdigit():
            return end
        end += 2
        while end < len(tokens) and gaps[end] in (":", ".", "+", "-") and tokens[end].isdigit():
            end += 1
        if end < len(tokens) and tokens[end] == "z" and not gaps[end]:
            end += 1
        return end

    def _is_beside_id(self, at: int) -> bool:
        """Whether a text calls a short number an ID."""
        if self._touches(at + 1) or self._in_decimal(at + 1):
            return False
        gap = self.gaps[at]
        if self._touches(at):
            return self.tokens[at - 1] in _BESIDE_IDS and not self._touches(at - 1)
        return gap.endswith("#") or (at > 0 and len(gap) <= 3 and self.tokens[at - 1] in _BESIDE_IDS)

    def _joins(self, at: int, end: int) -> bool:
        return all(len(gap) <= 3 and not gap.strip(" .,-/_':|~·+\r\n") for gap in self.gaps[at + 1 : end])

    def _date(self, at: int) -> tuple[int, int] | None:
        """The tokens of a date that holds the number at a token as its first."""
        tokens, dates = self.tokens, self.clues.dates
        count = len(tokens)
        first, second = tokens[at], tokens[at + 1]
        if at + 2 < count:
            third = tokens[at + 2]
            if (first, second, third) in dates and self._is_numeric_date(at):
                return at, at + 3
            if (third, MONTH_NUMBERS.get(second), first) in dates and self._joins(at, at + 3):
                return at, at + 3
        if second in _YEAR_SIGNS and at + 5 < count and tokens[at + 3] in _MONTH_SIGNS:
            is_date = tokens[at + 5] in _DAY_SIGNS and (first, tokens[at + 2], tokens[at + 4]) in dates
            return (at, at + 6) if is_date and self._joins(at, at + 6) else None
        after = at + 1
        after += second in _ORDINALS
        after += after < count and tokens[after] in _ORDINALS
        if after + 1 < count and tokens[after] in MONTH_NUMBERS:
            year = after + 1
            year += tokens[year] in _OF and year + 1 < count
            if (first, MONTH_NUMBERS[tokens[after]], tokens[year]) in dates:
                return (at, year + 1) if self._joins(at, year + 1) else None
        before = at - 1
        before -= before > 0 and tokens[before] == "the"
        if at and after < count and (first, MONTH_NUMBERS.get(tokens[before]), tokens[after]) in dates:
            return (before, after + 1) if self._joins(before, after + 1) else None
        return None

    def _is_numeric_date(self, at: int) -> bool:
        """Whether three numbers are apart as those of a date are: mostly by the same sign, none a decimal."""
        gap, other = (between.strip(" ") or between[:1] for between in self.gaps[at + 1 : at + 3])
        if len(gap) > 1 or len(other) > 1:
            return False
        has_century = 4 in (len(self.tokens[at]), len(self.tokens[at + 2]))
        if gap != other:
            return has_century and gap in _DATE_SIGNS and other in _DATE_SIGNS and bool(gap and other)
        if gap == ".":
            return not (self._in_decimal(at) or self._in_decimal(at + 3))
        return gap in ("-", "/") or (bool(gap) and has_century)

    def _time_end(self, at: int) -> int:
        """The token after a time that starts at a token, or 0."""
        tokens, gaps, times = self.tokens, self.gaps, self.clues.times
        if spoken := spoken_time(tokens, gaps, at):
            hour, minute, end = spoken
            return end if (hour, minute) in times else 0
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
