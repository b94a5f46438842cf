"""Mail addresses and URLs in a text: whoever is named in one is found by all of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from .excision import Span

_LONGEST = 2048
_LONGEST_LOCAL = 64
_MAIL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+-/=?^_{|}~")
_END = re.compile(r"[\s<>\"|\\^{}`、。」）]|\Z")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]{0,15}\Z")
_TRAILING = ".,;:!?)]'"
_LEAST_INSIDE = 4
_TOKEN = re.compile(r"[^\W_]+")


def find_links(folded: str) -> Iterator[Span]:
    """The mail addresses and URLs of a folded text, in no order."""
    stop = 0
    at = folded.find("://")
    while at >= 0:
        if at >= stop:
            scheme = _SCHEME.search(folded[max(0, at - 16) : at])
            stop = _end(folded, at)
            if scheme:
                yield at - len(scheme[0]), stop
        at = folded.find("://", at + 3)
    for sign in ("www.", "mailto:"):
        at = folded.find(sign)
        while at >= 0:
            stop = _end(folded, at)
            yield at, stop
            at = folded.find(sign, stop)
    at = folded.find("@")
    while at >= 0:
        start = at
        while start and at - start < _LONGEST_LOCAL and _is_local(folded[start - 1]):
            start -= 1
        stop = _end(folded, at)
        if start < at and stop > at + 1:
            yield start, stop
        at = folded.find("@", max(at + 1, stop))


def _is_local(character: str) -> bool:
    return character in _MAIL or (character > "\x7f" and character.isalpha())


def _end(folded: str, at: int) -> int:
    match = _END.search(folded, at, at + _LONGEST)
    stop = match.start() if match else min(len(folded), at + _LONGEST)
    while stop > at and folded[stop - 1] in _TRAILING:
        stop -= 1
    return stop


class NamesInLinks:
    """Finds parts of names in mail addresses and URLs, where they are glued to anything."""

    def __init__(self, words: Mapping[str, frozenset[str]]) -> None:
        """Args:
        words: parts of names, each with the initials of its name.
        """
        self.words = words
        self._by_start: dict[str, list[str]] = {}
        for word in words:
            if len(word) >= _LEAST_INSIDE:
                self._by_start.setdefault(word[:_LEAST_INSIDE], []).append(word)

    def is_in(self, link: str) -> bool:
        """Whether a folded link holds a part of a name."""
        for at in range(len(link) - _LEAST_INSIDE + 1):
            for word in self._by_start.get(link[at : at + _LEAST_INSIDE], ()):
                if link.startswith(word, at):
                    return True
        for token in _TOKEN.findall(link):
            bare = token.strip("0123456789")
            for stem, initial in ((bare, ""), (bare[1:], bare[:1]), (bare[:-1], bare[-1:])):
                if len(stem) > 1 and stem in self.words and (not initial or initial in self.words[stem]):
                    return True
        return False
