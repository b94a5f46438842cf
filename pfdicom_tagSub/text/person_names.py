"""The clues of names of persons (PS3.5 6.2.1): their parts, in all spellings and endings.

People separate the parts of a name by whatever comes to hand (Doe_Jane, jane.doe, Doe/Jane), so a name
is taken apart at everything that is no letter. Endings, such as those of a genitive, are found in the
text (``stem_of``), as there would be too many to list.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping

from .clues import LEAST_DIGITS, Clues, Gaps, spellings
from .common_words import NOT_IDENTIFYING, ORDINARY, PARTICLES
from .comparable import fold, is_ideograph, is_unbounded, split_tokens

_INSIDE = "'’‘`´ʼ′-‐‑‒–"  # O'Brien and Meier-Schulz are one part, and two
_BETWEEN = "^,="
_CAMEL = re.compile("[A-Z][a-z]+")
_SHORTEST_PIECE = 3
_LEAST_OF_STEM = 3
_LONGEST_TITLE = 9
_LEAST_BESIDE_INITIAL = 6
_LEAST_OF_GARBLED = 4

_GLUED = (
    "dr drs prof mr mrs ms miss mister herr herrn hr fr frau mme mlle mrdr profdr pat patient patientin pt "
    "sr sra senor senora signor signora doctor doktor dott drmed sir lady"
)
_GLUED_TITLES = frozenset(_GLUED.split())
_ENDINGS = {
    "s": ("s", "es", "is", "ens"),
    "i": ("i",),
    "e": ("e", "ae"),
    "n": ("en",),
    "o": ("ego",),
}
_SHORT_STEM_ENDINGS = frozenset({"s", "ae"})
_CYRILLIC_ENDINGS = frozenset("а у е ы я ю и ом ем ым ои еи ых".split())  # noqa: SIM905
_CYRILLIC = re.compile("[\u0430-\u04ff]")
_GREEK = re.compile("[\u03b1-\u03ce]")
_LEAST_OF_INFLECTED = 5


def add_name(clues: Clues, text: str) -> None:
    """Add a PN by its parts."""
    words: set[str] = set()
    for group in text.split("="):
        components = [part for part in re.split(r"[\^,]", _separated(group)) if part.strip()]
        for component in components:
            parts = component.split()
            for part in parts:
                if len(parts) == 1 or part.lower() not in PARTICLES:
                    _add_part(clues, words, part)
            if len(parts) > 1:
                clues.add_phrase(component)
        if len(components) == 1 and " " not in components[0].strip():
            _add_pieces(clues, words, components[0].strip())
        for first, second in ((0, 1), (1, 0)) if len(components) > 1 else ():
            # Written as one word, and Korean family names of one syllable
            if all(
                len(components[which].strip(" .")) > 1 or not components[which].isascii() for which in (0, 1)
            ):
                clues.add_phrase(f"{components[first]} {components[second]}", least=4)
    initials = frozenset(fold(part)[0][:1] for part in re.split(r"[\s^=,]+", _separated(text)))
    for word in words:
        clues.add_word(word, initials - {""})


def _separated(text: str) -> str:
    """A name with carets and blanks for all that is neither letter nor digit, and blanks around digits."""
    made = []
    for character in text:
        stays = character.isalpha() or character.isdecimal() or character.isspace()
        # M and C are accents, vowel signs and what nobody sees.
        if stays or character in _INSIDE + _BETWEEN or unicodedata.category(character)[0] in "MC":
            made.append(character)
        else:
            made.append(" " if character in '.()[]"' else "^")
    return "".join(made)


def _add_part(clues: Clues, words: set[str], part: str) -> None:  # noqa: C901, PLR0912  (a case for each kind of part)
    halves = re.split("[-‐‑‒–]", part)
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
            clues.add("".join(tokens), Gaps())
    elif tokens[0].isdigit() and len(tokens) == 1:
        if len(tokens[0]) >= LEAST_DIGITS:
            clues.add_phrase(part)
        elif len(tokens[0]) >= _SHORTEST_PIECE:
            clues.short_numbers.add(tokens[0])
    elif len(tokens) > 1:
        clues.add_phrase(part)
        for piece in re.findall(r"\d+|(?:[^\W\d_]|[\u0300-\u036f])+", part):
            if piece.isdigit():
                if len(piece) >= LEAST_DIGITS:
                    clues.add_phrase(piece)
            elif piece != part and (len(piece) >= _SHORTEST_PIECE or is_unbounded(fold(piece)[0])):
                _add_part(clues, words, piece)
    elif len(tokens[0]) > 1 and tokens[0] not in NOT_IDENTIFYING:
        words.update(split_tokens(spelling)[1] for spelling in spellings(part))
        if len(tokens[0]) >= 4 and tokens[0].isascii():
            words |= {
                f"{tokens[0][: at + 1]}e{tokens[0][at + 1 :]}" for at, c in enumerate(tokens[0]) if c in "aou"
            }
        if not part.isascii():
            _add_garbled(clues, part)
        if len(pieces := _CAMEL.findall(part)) > 1 and "".join(pieces) == part:
            clues.add_phrase(" ".join(pieces))  # Xiao Ming for XiaoMing


def _add_garbled(clues: Clues, part: str) -> None:
    """Add a part as it is where its letters beyond ASCII got lost, or its UTF-8 was taken for Latin-1."""
    clues.add_phrase("".join(c if c.isascii() else " " for c in part), least=_LEAST_OF_GARBLED)
    for taken in ("latin-1", "cp1252"):
        clues.add_phrase(part.encode("utf-8", "ignore").decode(taken, "ignore"), least=_LEAST_OF_GARBLED)


def _add_pieces(clues: Clues, words: set[str], name: str) -> None:
    """Add the pieces of a whole name that was written as one word (JaneDoe)."""
    pieces = _CAMEL.findall(name)
    if len(pieces) > 1 and "".join(pieces) == name:
        for piece in pieces:
            if len(piece) >= _SHORTEST_PIECE and piece.lower() not in NOT_IDENTIFYING | {"mac"}:
                _add_part(clues, words, piece)


def stem_of(token: str, words: Mapping[str, frozenset[str]]) -> str:
    """The part of a name in a token that has an ending, a title or an initial on it; "" if there is none.

    Args:
        token: a folded token of a text.
        words: parts of names, each with the initials of its name.
    """
    if token in words:
        return token
    if len(token) <= _LEAST_OF_STEM or token in ORDINARY:
        return ""
    if len(token) > _LEAST_BESIDE_INITIAL:
        for stem, initial in ((token[1:], token[0]), (token[:-1], token[-1])):  # a user name
            if initial in words.get(stem, ()):
                return stem
    if stem := _uninflected(token, words):
        return stem
    for size in range(2, min(_LONGEST_TITLE, len(token) - 2) + 1):
        if token[:size] in _GLUED_TITLES:
            rest = token[size:]
            if stem := rest if rest in words else _uninflected(rest, words):
                return stem
    return ""


def _uninflected(token: str, words: Container[str]) -> str:
    if token.isascii():
        for ending in _ENDINGS.get(token[-1], ()):
            stem = token[: -len(ending)]
            least = _LEAST_OF_STEM if ending in _SHORT_STEM_ENDINGS else _LEAST_OF_INFLECTED
            if token.endswith(ending) and len(stem) >= least and stem in words:
                return stem
        if token[-1] == "i" and f"{token[:-1]}us" in words:
            return f"{token[:-1]}us"
        return token[:-1] if token.endswith("ae") and token[:-1] in words else ""
    if token[-1] == "s" and len(token) > _LEAST_OF_STEM and token[:-1] in words:
        return token[:-1]
    if _CYRILLIC.match(token[-1]):
        for size in (1, 2):
            stem = token[:-size]
            if token[-size:] in _CYRILLIC_ENDINGS and len(stem) >= 4:
                for form in (stem, f"{stem}а", f"{stem}я", f"{stem}и"):
                    if form in words:
                        return form
    elif _GREEK.match(token[-1]):
        for form in (f"{token}σ", f"{token[:-2]}οσ" if token.endswith("ου") else ""):
            if len(form) > _LEAST_OF_STEM and form in words:
                return form
    return ""
