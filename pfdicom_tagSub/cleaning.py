"""Free text without the identifiers that the same file holds elsewhere.

``cleaner_of`` makes a cleaner from the values that are removed from a file or replaced in it;
``TextCleaner.clean`` takes them out of a text and keeps its other words, its punctuation and its lines
(PS3.15 E.3.5, Clean Descriptors). Nothing is guessed: a name that stands in no element of the file stays.

No regular expression is made from values, for they differ from file to file. A text is split
into tokens once, and the tokens are looked up in sets (``identifiers.Clues``), which takes time linear in the text.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property, lru_cache
from itertools import accumulate

from .folding import fold, is_unbounded, split_tokens
from .identifiers import MONTHS, Clues, Key, clues_of

_Span = tuple[int, int]

_UID = re.compile(r"(?<![0-9.])[0-9]+(?:\.[0-9]+)+(?!\.?[0-9])")
_PHONE = re.compile(r"(?:\+|(?<![0-9])00)[0-9][-0-9 ()/.]{6,24}")
_MERGED = re.compile(r"[ \t\u3000,;^=_./&+-]{0,3}|T")
_ROUNDS = 12
_LONG = 2000  # tokens; from there on, keys that the text does not hold are sorted out first

_ORDINALS = frozenset({"st", "nd", "rd", "th", "er", "of", "de"})
_YEAR_SIGNS, _MONTH_SIGNS, _DAY_SIGNS = "年년", "月월", "日일"
_KOREAN_TITLES = "씨님군양"


@lru_cache(maxsize=256)
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
            cleaned = _without(cleaned, spans)
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
        self.numbers = {date[0] for date in clues.dates} | {time[0] for time in clues.times}
        self.starts = self.numbers | clues.words | clues.solids
        self.starts.update(start[0] for start in self.lengths if len(start) < 3)
        self.prefixes = {*self.lengths, *(day[:3] for day in clues.days)}

    def find(self, text: str) -> list[_Span]:
        """Where identifiers are in a text, in order, those that belong together as one."""
        folded, origins = fold(text)
        parts = split_tokens(folded)
        tokens = parts[1::2]
        offsets = list(accumulate(map(len, tokens), initial=0))
        compact = "".join(tokens)
        starts, prefixes = self.starts, self.prefixes
        hits = [
            index
            for index, (token, at) in enumerate(zip(tokens, offsets, strict=False))
            if token in starts or compact[at : at + 3] in prefixes or token[0] == "0"
        ]
        spans: list[_Span] = []
        if hits:
            spans = _Scan(self, parts, tokens, offsets, compact).find(hits)
        if self.clues.uids and "." in folded:
            spans += [match.span() for match in _UID.finditer(folded) if match[0] in self.clues.uids]
        if self.clues.phones:
            spans += self._phones(folded)
        if not spans:
            return []
        if origins is not None:
            spans = [(origins[start], _end(origins, end)) for start, end in spans]
        return _merged(text, spans)

    def _phones(self, folded: str) -> Iterable[_Span]:
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
        self, index: _Index, parts: list[str], tokens: list[str], offsets: list[int], compact: str
    ) -> None:
        self.clues = index.clues
        self.numbers = index.numbers
        self.lengths = index.lengths
        self.tokens = tokens
        self.gaps = parts[::2]
        self.offsets = offsets
        self.compact = compact
        self.positions = list(accumulate(map(len, parts)))
        if len(tokens) > _LONG:
            self.lengths = _lengths(key for key in self.clues.keys if key in compact)

    def find(self, hits: Iterable[int]) -> list[_Span]:
        """The spans of the identifiers that start at tokens or, for dates, near them."""
        spans: list[_Span] = []
        for at in hits:
            token = self.tokens[at]
            if end := self._key_end(at):
                spans.append(self._span(at, end))
            if token in self.clues.words and self._is_word(at):
                spans.append(self._name(at))
            if "0" <= token[0] <= "9":
                self._add_numbers(at, spans)
        return spans

    def _span(self, at: int, end: int) -> _Span:
        return self.positions[2 * at], self.positions[2 * end - 1]

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
        if not (number and length >= 5) and (self._touches(at) or self._touches(end)):
            return 0
        if number and length < 6 and (self._in_decimal(at) or self._in_decimal(end)):
            return 0
        return end

    def _is_word(self, at: int) -> bool:
        token = self.tokens[at]
        if is_unbounded(token):  # one syllable; more of them are keys
            before = not self.gaps[at] and at and is_unbounded(self.tokens[at - 1])
            after = at + 1 < len(self.tokens) and not self.gaps[at + 1] and self.tokens[at + 1]
            return not before and not (after and is_unbounded(after) and after not in _KOREAN_TITLES)
        return len(token) >= 4 or not (self._touches(at) or self._touches(at + 1))

    def _name(self, at: int) -> _Span:
        """The span of a part of a name, with a possessive s, and initials of the name beside it."""
        end = at + 1
        stop = self.positions[2 * at + 1]
        if end < len(self.tokens) and self.tokens[end] == "s" and self.gaps[end] == "'":
            end += 1
            stop = self.positions[2 * end - 1]
        elif end < len(self.tokens) and self._is_initial(end, self.gaps[end]) and self.gaps[end]:
            end += 1
            stop = self.positions[2 * end - 1] + self.gaps[end].startswith(".")
        while at and self.gaps[at] and self._is_initial(at - 1, self.gaps[at]):
            at -= 1
        return self.positions[2 * at], stop

    def _is_initial(self, at: int, gap: str) -> bool:
        if self.tokens[at] not in self.clues.initials or gap.strip(" .,^") or len(gap) > 3:
            return False
        return not (self._touches(at) or self._touches(at + 1))

    def _add_numbers(self, at: int, spans: list[_Span]) -> None:
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

    def _joins(self, at: int, end: int, allowed: str) -> bool:
        return all(len(gap) <= 3 and not gap.strip(allowed) for gap in self.gaps[at + 1 : end])

    def _date(self, at: int) -> tuple[int, int] | None:
        """The tokens of a date that holds the number at a token as its first."""
        tokens = self.tokens
        first, *rest = tokens[at : at + 6]
        if len(rest) > 1 and rest[1].isdigit():
            gap, other = (between.strip(" ") or between[:1] for between in self.gaps[at + 1 : at + 3])
            is_clear = len(first) == 4 or len(rest[1]) == 4
            if (first, rest[0], rest[1]) in self.clues.dates and gap == other:
                in_longer = gap == "." and (self._in_decimal(at) or self._in_decimal(at + 3))
                if (gap in ("-", "/", ".") or (gap in ("_", " ", ",") and is_clear)) and not in_longer:
                    return at, at + 3
            month = MONTHS.get(rest[0], "")
            if (rest[1], month, first) in self.clues.dates and self._joins(at, at + 3, " .,-/"):
                return at, at + 3
        if len(rest) > 4 and rest[0] in _YEAR_SIGNS and rest[2] in _MONTH_SIGNS and rest[4] in _DAY_SIGNS:
            if (first, rest[1], rest[3]) in self.clues.dates and self._joins(at, at + 6, " "):
                return at, at + 6
        after = at + 1
        after += tokens[after] in _ORDINALS
        after += after < len(tokens) and tokens[after] in _ORDINALS
        if after + 1 < len(tokens) and (month := MONTHS.get(tokens[after], "")):
            if (first, month, tokens[after + 1]) in self.clues.dates and self._joins(
                at, after + 2, " .,-/_'"
            ):
                return at, after + 2
        if at and after < len(tokens) and (month := MONTHS.get(tokens[at - 1], "")):
            if (first, month, tokens[after]) in self.clues.dates and self._joins(
                at - 1, after + 1, " .,-/_'"
            ):
                return at - 1, after + 1
        return None

    def _time_end(self, at: int) -> int:
        """The token after a time that starts at a token, or 0."""
        tokens, gaps, times = self.tokens, self.gaps, self.clues.times
        if gaps[at + 1] != ":" or len(tokens[at + 1]) != 2 or gaps[at] == ":":
            return 0
        hour, minute = tokens[at], tokens[at + 1]
        following = tokens[at + 2] if at + 2 < len(tokens) else ""
        if following.isdigit() and gaps[at + 2] == ":":
            if (hour, minute, following) not in times and (hour, minute) not in times:
                return 0
            return at + 4 if at + 3 < len(tokens) and self._in_decimal(at + 3) else at + 3
        if following in ("am", "pm") and not gaps[at + 2].strip(" "):
            return at + 3 if (hour, minute, following) in times else 0
        return at + 2 if (hour, minute) in times else 0


def _merged(text: str, spans: list[_Span]) -> list[_Span]:
    """Spans in order, those that touch or have only a separator between them as one."""
    spans.sort()
    merged = [spans[0]]
    for start, end in spans[1:]:
        last_start, last_end = merged[-1]
        if start <= last_end or (start - last_end <= 3 and _MERGED.fullmatch(text, last_end, start)):
            merged[-1] = last_start, max(end, last_end)
        else:
            merged.append((start, end))
    return merged


_BLANKS = " \t\u00a0\u3000"
_LISTING = ",;、，"  # belongs to the word before it
_JOINING = "-_/^=&|"
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">", '"': '"', "'": "'", "（": "）", "「": "」"}
_CLOSING = frozenset({*_PAIRS.values(), *"\r\n"} - {'"', "'"})
_OPENING = frozenset({*_PAIRS, *"\r\n"} - {'"', "'"})


def _without(text: str, spans: list[_Span]) -> str:
    kept: list[str] = []
    position = 0
    for start, end in spans:
        kept.append(text[position:start])
        position = end
    kept.append(text[position:])
    done: list[str] = []
    left = kept[0]
    for right in kept[1:]:
        while done and not left.strip(_BLANKS + _LISTING + _JOINING):
            left = done.pop() + left
        left, right = _join(left, right)
        done.append(left)
        left = right
    done.append(left)
    return "".join(done)


def _join(left: str, right: str) -> tuple[str, str]:
    """What stands before a removed identifier and after it, without what belonged to it."""
    i, j = len(left), 0
    while True:
        a, b = i, j
        while a and left[a - 1] in _BLANKS:
            a -= 1
        while b < len(right) and right[b] in _BLANKS:
            b += 1
        if not (a and b < len(right) and _PAIRS.get(left[a - 1]) == right[b]):
            break
        i, j = a - 1, b + 1  # a pair of brackets that holds nothing any more
    at_start = not a or left[a - 1] in _OPENING
    at_end = b == len(right) or right[b] in _CLOSING
    if at_end:
        while a and (left[a - 1] in _BLANKS or _is_left_separator(left, a, i)):
            a -= 1
        return (left[:i] if not a or left[a - 1] in "\r\n" else left[:a]), right[b:]
    if at_start:
        while b < len(right) and (right[b] in _BLANKS or _is_right_separator(right, b, j)):
            b += 1
        return (left[:i] if not a or left[a - 1] in "\r\n" else left[:a]), right[b:]
    is_left, is_right = _is_left_separator(left, a, i), _is_right_separator(right, b, j)
    if is_left and is_right:
        b += 1
        while i > a and b < len(right) and right[b] in _BLANKS:
            b += 1
        return left[:i], right[b:]
    if is_left and a == i and b > j and left[a - 1] in _JOINING:
        return left[: a - 1], right[j:]
    if is_right and b == j and a < i and right[b] in _JOINING:
        return left[:i], right[b + 1 :]
    if b == j and right[b] in ",;.:!?":
        return left[:a], right[b:]
    if a < i:
        return left[:i], right[b:]
    if b == j and _is_word_character(left[a - 1]) and _is_word_character(right[b]):
        return f"{left} ", right[b:]
    return left[:i], right[j:]


def _is_left_separator(left: str, a: int, i: int) -> bool:
    """Whether left[a - 1] only led to what is removed from i on; the sign of "HIV- Doe" did not."""
    if left[a - 1] in _LISTING:
        return True
    return left[a - 1] in _JOINING and (a == i or a == 1 or left[a - 2] in _BLANKS)


def _is_right_separator(right: str, b: int, j: int) -> bool:
    """Whether right[b] only led away from what is removed up to j; the sign of "Doe -5" did not."""
    if right[b] in _LISTING:
        return True
    return right[b] in _JOINING and (b == j or b + 1 == len(right) or right[b + 1] in _BLANKS)


def _is_word_character(character: str) -> bool:
    return character.isalnum() and not is_unbounded(character)
