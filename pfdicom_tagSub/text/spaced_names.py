"""Names whose letters a text has gaps between, as in "M E I E R", "M.E.I.E.R." and "山 田"."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator

from .comparable import is_cjk
from .excision import Span

_GAP = r"(?:[ ._-]{1,3}|[ ]?[,^/=][ ]?)"
_RUN = re.compile(rf"(?<![^\W_])[^\W\d_](?:{_GAP}[^\W\d_](?![^\W_])){{2,}}")
_PAIR = re.compile(rf"(?<![^\W_])[^\W\d_](?:{_GAP}[^\W\d_](?![^\W_]))+")
"""Two characters may be a Japanese name."""

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
_SHORTEST_INSIDE = 4  # shorter names of Latin letters have to be all of a run, or apart from its rest
_SHORTEST = 3
_LONGEST = 32


def may_have_spaced_names(folded: str, tokens: Iterable[str]) -> bool:
    """Whether a text may hold a name that is written letter by letter; False is certain, and soon found.

    Args:
        folded: a folded text.
        tokens: its tokens.
    """
    return not (folded.isascii() and _LETTERS.isdisjoint(tokens))


def find_spaced_names(
    folded: str, words: Container[str], common: Container[str], keys: Container[str]
) -> Iterator[Span]:
    """The spans of names that are written letter by letter.

    Args:
        folded: a folded text.
        words: parts of names.
        common: parts of names that are common words, which count beside another part alone.
        keys: tokens of identifiers, joined; of these names in Chinese, Japanese and Korean.
    """
    for match in (_RUN if folded.isascii() else _PAIR).finditer(folded):
        places = [at for at in range(*match.span()) if folded[at].isalpha()]
        run = "".join([folded[at] for at in places])
        found = list(_parts(run, places, words, keys))
        if found:
            found += _parts(run, places, common, ())
        for start, end in found:
            last = places[end - 1] + 1
            is_dotted = folded[places[start] + 1] == "." and folded[last : last + 1] == "."
            yield places[start], last + is_dotted


def _parts(run: str, places: list[int], words: Container[str], keys: Container[str]) -> Iterator[Span]:
    """Where names start and end among the letters of a run, the longest at each letter.

    Args:
        run: its letters.
        places: where each is in the text.
        words: parts of names.
        keys: names in Chinese, Japanese and Korean.
    """
    count = len(run)
    free = 0
    for start in range(count):
        if start < free:
            continue
        for end in range(min(count, start + _LONGEST), start + 1, -1):
            part = run[start:end]
            is_name = part in keys if is_cjk(part) else part in words and _is_whole(places, start, end)
            if is_name:
                yield start, end
                free = end
                break


def _is_whole(places: list[int], start: int, end: int) -> bool:
    """Whether a name is long, or the letters beside it are farther away than its own are from each other."""
    length = end - start
    if length >= _SHORTEST_INSIDE or length < _SHORTEST:
        return length >= _SHORTEST_INSIDE
    own = max(
        after - before for before, after in zip(places[start:end], places[start + 1 : end], strict=False)
    )
    before = places[start] - places[start - 1] if start else own + 1
    after = places[end] - places[end - 1] if end < len(places) else own + 1
    return before > own and after > own
