"""Text made comparable: one spelling for what people write in several ways.

``fold`` lowers case, takes accents off, makes full-width and half-width forms one (NFKC), katakana
hiragana, every decimal digit ASCII, every dash ``-`` and every apostrophe ``'``, and drops characters
that nobody sees. It keeps where each character came from, so that what is found in the folded text can
be cut out of the text itself. Pure functions, no knowledge of DICOM.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

SHORTEST = 4
"""Shorter texts are found everywhere by chance."""

SHORTEST_CJK = 2
"""A Chinese or Japanese family name may be one character, a whole name two."""

_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3099\u309a"
_IDEOGRAPHS = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7af"
CJK = f"{_KANA}{_IDEOGRAPHS}{_HANGUL}"
"""Chinese, Japanese and Korean, as the inside of a character class."""

_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
UNBOUNDED = f"{CJK}{_SOUTH_EAST}"
"""Scripts that are written without blanks between words, as the inside of a character class (Korean has
blanks, but particles and titles follow a name without one)."""

_INDIC = "\u0900-\u0dff"  # their vowel signs are no \w of the re module
_TOKEN = f"([0-9]+|[{UNBOUNDED}]|(?:[^\\W\\d_{UNBOUNDED}]|[{_INDIC}])+)"
_ASCII_TOKEN = re.compile("([0-9]+|[a-z]+)")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern; those with many characters are slow to compile, and most runs meet ASCII alone."""
    return re.compile(pattern)


_MARK = "\uffff"  # a noncharacter: stands for what does not fold to one character
_NO_DECOMPOSITION = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\uff0d", "-"),
        **dict.fromkeys("\u2018\u2019\u00b4`\u02bc\u2032\uff07", "'"),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff", ""),
        "ø": "o",
        "ł": "l",
        "đ": "d",
        "ð": "d",
        "þ": "th",
        "æ": "ae",
        "œ": "oe",
        "ı": "i",
        "ħ": "h",
    }
)
_COMPOSING = re.compile("[\u3099\u309a\uff9e\uff9f\u1160-\u11ff]")
_ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670]")


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    folded = ""
    plain = unicodedata.normalize("NFKC", character.translate(_NO_DECOMPOSITION)).casefold()
    for part in plain.translate(_NO_DECOMPOSITION):
        if part.isdecimal():
            folded += str(unicodedata.decimal(part))
        elif "\u30a1" <= part <= "\u30f6":
            folded += chr(ord(part) - 0x60)  # katakana to hiragana
        elif is_unbounded(part):
            folded += part
        else:
            folded += _ACCENTS.sub("", unicodedata.normalize("NFD", part))
    return folded


class _Table(dict[int, str]):
    """For str.translate: what a character folds to, or the mark."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        folded = _fold_character(character)
        if len(folded) != 1 or _COMPOSING.match(character):
            folded = _MARK
        self[code] = folded
        return folded


_TABLE = _Table()


def fold(text: str) -> tuple[str, list[int] | None]:
    """A text made comparable.

    Returns:
        The folded text, and for each of its characters the index in `text` of the one that it came
        from, then the length of `text`; None where the indices are the same.
    """
    if text.isascii():
        return text.lower().replace("`", "'"), None
    folded = text.translate(_TABLE)
    if _MARK not in folded:
        return folded, None
    characters: list[str] = []
    origins: list[int] = []
    for index, character in enumerate(folded):
        if character != _MARK:
            characters.append(character)
            origins.append(index)
            continue
        parts = _fold_character(text[index])
        if characters and _COMPOSING.match(text[index]):  # a voicing mark, a vowel of hangul
            composed = unicodedata.normalize("NFC", characters[-1] + parts)
            if len(composed) == 1:
                characters[-1] = composed
                continue
        characters.extend(parts)
        origins.extend([index] * len(parts))
    origins.append(len(text))
    return "".join(characters), origins


def split_tokens(folded: str) -> list[str]:
    """A folded text as gap, token, gap, ..., token, gap.

    A token is a run of digits, a run of letters, or one character of an unbounded script. A gap may be empty.
    """
    return (_ASCII_TOKEN if folded.isascii() else _compiled(_TOKEN)).split(folded)


def is_unbounded(text: str) -> bool:
    """Whether all of a folded text is in a script without boundaries between words."""
    return not text.isascii() and _compiled(f"[{UNBOUNDED}]+").fullmatch(text) is not None


def is_ideograph(character: str) -> bool:
    """Whether a character is a Chinese one."""
    return not character.isascii() and _compiled(f"[{_IDEOGRAPHS}]").match(character) is not None


def is_cjk(character: str) -> bool:
    """Whether a character is Chinese, Japanese or Korean."""
    return not character.isascii() and _compiled(f"[{CJK}]").match(character) is not None


def is_long_enough(text: str) -> bool:
    """Whether a text is not found everywhere by chance: Chinese, Japanese and Korean say more in less."""
    if len(text) >= SHORTEST:
        return True
    return not text.isascii() and len(_compiled(f"[{CJK}]").findall(text)) >= SHORTEST_CJK
