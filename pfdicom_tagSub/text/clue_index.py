"""Where the identifiers of a file are in a text: its tokens looked up in what is known of them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate

from .broken_words import join_lines
from .clues import Clues
from .comparable import fold, split_tokens
from .dotted_numbers import UID, spellings_of_uids, uids_in
from .excision import Span
from .identifiers import clues_of
from .links import NamesInLinks, find_links
from .person_names import stem_of
from .spaced_names import find_spaced_names, may_have_spaced_names
from .token_scan import TokenScan

_PHONE = re.compile(r"(?:\+|(?<![0-9])00)[0-9][-0-9 ()/.]{6,24}")
_LONG = 2000  # tokens; from there on, of many keys that start alike those that the text holds are sorted out
_LONG_WORD = 8
"""Names from this length on count inside a word, too: they are longer than most words."""


class ClueIndex:
    """The clues of all identifiers, and what a token must be to be worth a second look."""

    def __init__(self, identifiers: Iterable[tuple[str, str]]) -> None:
        self.clues = clues = Clues()
        for vr, text in identifiers:
            clues.update(clues_of(vr, text))
        self.lengths = _lengths(clues.keys)
        self.crowded = {start for start, known in self.lengths.items() if len(known) > 8}
        self.numbers = {date[0] for date in clues.dates} | {time[0] for time in clues.times}
        self.starts = self.numbers | clues.words.keys() | clues.common.keys() | clues.solids
        self.starts |= clues.short_numbers
        self.starts.update(start[0] for start in self.lengths if len(start) < 3)
        self.long_words: dict[str, list[str]] = {}
        for word in clues.words:
            if len(word) >= _LONG_WORD and word.isalpha():
                self.long_words.setdefault(word[:_LONG_WORD], []).append(word)
        self.phone_lengths = {len(phone) for phone in clues.phones}
        self.days = {day[:3] for day in clues.days}
        self.prefixes = self.days | self.lengths.keys()

    def find(self, text: str) -> list[Span]:
        """Where identifiers are in a text, in no order."""
        folded, origins = fold(text)
        spans = self._search(text, folded, origins)
        if joined := join_lines(folded, origins):
            found = self._search(text, joined.text, joined.origins)
            spans += [span for span in found if joined.is_across(*span)]
        return spans

    def _search(self, text: str, folded: str, origins: list[int] | None) -> list[Span]:
        """The spans in `text` of what is found in it as it is folded."""
        parts = split_tokens(folded)
        tokens = parts[1::2]
        offsets = list(accumulate(map(len, tokens), initial=0))
        compact = "".join(tokens)
        lengths, starts, prefixes = self.lengths, self.starts, self.prefixes
        if self.crowded and len(tokens) > _LONG:
            lengths = {start: known for start, known in lengths.items() if start not in self.crowded}
            lengths |= _lengths(key for key in self.clues.keys if key[:3] in self.crowded and key in compact)
            prefixes = self.days | lengths.keys()
        words = bool(self.clues.words)
        hits = [
            index
            for index, (token, at) in enumerate(zip(tokens, offsets, strict=False))
            if token in starts
            or compact[at : at + 3] in prefixes
            or token[0] == "0"
            or (words and len(token) > 3 and self.stem_of(token))
        ]
        spans: list[Span] = []
        scan = TokenScan(self.clues, self.numbers, self.stem_of, lengths, parts, tokens, offsets, compact)
        scan.text, scan.origins = text, origins
        if hits:
            spans = scan.find(hits)
        spans += scan.ages()
        spans += scan.said_parts()
        if may_have_spaced_names(folded, tokens):
            spans += find_spaced_names(folded, self.clues.words, self.clues.common, self.clues.keys)
        uids = self.clues.uids
        if uids:
            for written in spellings_of_uids(folded):
                spans += [
                    match.span() for match in UID.finditer(written) if not uids.isdisjoint(uids_in(match[0]))
                ]
        if self.clues.phones:
            spans += self._phones(folded)
        spans += self._links(folded, spans)
        if not spans:
            return []
        if origins is not None:
            spans = [(origins[start], _end(origins, end)) for start, end in spans]
        return spans

    def stem_of(self, token: str) -> str:
        """The part of a name that a token is, or that is in it; "" if there is none."""
        words = self.clues.words
        if stem := stem_of(token, words):
            return stem
        if len(token) > _LONG_WORD and self.long_words:
            for at in range(len(token) - _LONG_WORD + 1):
                for word in self.long_words.get(token[at : at + _LONG_WORD], ()):
                    if token.startswith(word, at):
                        return word
        return token[:-1] if token[-1] == "s" and token[:-1] in words else ""

    def _links(self, folded: str, spans: list[Span]) -> Iterable[Span]:
        """Mail addresses and URLs in which something was found, or a name that is glued to something."""
        links = list(find_links(folded))
        starts = sorted(start for start, _ in spans) if links else []
        for start, stop in links:
            index = bisect_left(starts, start)
            is_found = index < len(starts) and starts[index] < stop
            if is_found or self._names.is_in(folded[start:stop]):
                yield start, stop

    @cached_property
    def _names(self) -> NamesInLinks:
        return NamesInLinks(self.clues.words)

    def _phones(self, folded: str) -> Iterable[Span]:
        """Phone numbers after a country code that the identifier may not have, with no gap after it."""
        lengths = self.phone_lengths
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
