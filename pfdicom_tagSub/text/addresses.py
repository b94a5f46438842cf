"""The clues of postal addresses: street, number, city and post code, together and each by itself."""

from __future__ import annotations

import re
from itertools import pairwise

from .clues import LEAST_DIGITS, Clues, spellings
from .common_words import ORDINARY, PARTICLES
from .comparable import fold, is_unbounded, split_tokens

_PARTS = re.compile(r"[\r\n,;、，\\^]+")
_POST_CODE = re.compile(
    r"\b(?:[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|\d{4} ?[a-z]{2}|[a-z]\d[a-z] ?\d[a-z]\d|[a-z]{1,2}-\d{4,5})\b"
)
_CJK_DIVISION = re.compile("(?<=[都道府県市区町村郡省县路街号號洞동구시로길])")
_LEAST_OF_WORD = 4
_LEAST_OF_CITY = 3

_WORDS = """
    street st road rd lane ln avenue ave av boulevard blvd drive dr court ct place pl square sq terrace way
    close crescent highway hwy parkway park hill lake church high main mill bridge station market circle
    gate grove green garden gardens king queen apartment apt suite ste floor building block house flat unit
    room box postbox pobox post office ward department dept north south east west upper lower old new saint
    santa san port fort mount city town county state country home
    strasse str weg gasse platz allee ring ufer damm haus stock etage etg hof markt bahnhof kirche postfach
    rue chemin impasse quai place cours batiment bat escalier appartement etage bis ter cedex
    calle avenida plaza paseo camino carrera piso puerta via viale piazza corso straat laan plein gata vagen
    улица ул дом кв вул буд
"""
_STREET_WORDS = frozenset(_WORDS.split())
"""Words of any address: they do not count by themselves."""


def add_address(clues: Clues, text: str) -> None:
    """Add an address by its parts."""
    for part in _PARTS.split(text):
        for spelling in spellings(part):
            tokens = split_tokens(spelling)[1::2]
            if tokens:
                _add_line(clues, tokens)
        folded = fold(part)[0]
        for match in _POST_CODE.finditer(folded):
            clues.add_phrase(match[0])
        _add_unbounded(clues, folded)


def _add_line(clues: Clues, tokens: list[str]) -> None:
    """Add what stands between two commas."""
    for token in tokens:
        if token.isdigit():
            if len(token) >= LEAST_DIGITS:
                clues.add_phrase(token)
        elif not is_unbounded(token):
            least = _LEAST_OF_CITY if len(tokens) == 1 else _LEAST_OF_WORD
            if len(token) >= least and not _is_of_any(token):
                for form in _forms(token):
                    clues.add_word(form)
    for one, other in pairwise(tokens):
        if one.isdigit() != other.isdigit() and not is_unbounded(one + other):
            word = other if one.isdigit() else one
            if len(word) >= _LEAST_OF_CITY and not (_is_of_any(word)):
                for first in _forms(one):
                    for second in _forms(other):
                        clues.add_phrase(f"{first} {second}", least=_LEAST_OF_WORD)
    named = [token for token in tokens if not token.isdigit()]
    if len(named) > 1 and not is_unbounded("".join(named)) and not ORDINARY.issuperset(named):
        clues.add_phrase(" ".join(named), least=LEAST_DIGITS)
        if len(named) > 2:
            _add_runs(clues, tokens)


def _add_runs(clues: Clues, tokens: list[str]) -> None:
    """Add the names between numbers: a street, and the city that follows without a comma."""
    run: list[str] = []
    for token in [*tokens, "0"]:
        if not token.isdigit():
            run.append(token)
            continue
        if len(run) > 1 and not ORDINARY.issuperset(run):
            clues.add_phrase(" ".join(run), least=LEAST_DIGITS)
        run = []


def _forms(token: str) -> tuple[str, ...]:
    """A token, and the name of a German street with its other ending."""
    for ending, other in (("strasse", "str"), ("str", "strasse")):
        if token.endswith(ending) and len(token) > len(ending) + 2:
            return token, token[: -len(ending)] + other
    return (token,)


def _add_unbounded(clues: Clues, part: str) -> None:
    """Add the divisions of a Chinese, Japanese or Korean address."""
    for run in re.findall(r"[^\W\d_a-z]+", part):
        if not is_unbounded(run):
            continue
        for division in _CJK_DIVISION.split(run):
            if len(division) > 2 or (len(division) == 2 and len(run) == 2):
                clues.add_phrase(division)


def _is_of_any(token: str) -> bool:
    return token in _STREET_WORDS or token in ORDINARY or token in PARTICLES
