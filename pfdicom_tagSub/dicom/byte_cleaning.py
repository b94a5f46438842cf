"""Text cleaned in its bytes, where nothing says for sure which characters they are.

Text may be undeclared, declared wrongly, or mixed. ASCII in it is the same in every reading. It is read as
UTF-8 and as Latin-1, which take every byte there and back, so that what is not cut keeps its bytes. Other
readings, such as of undeclared Shift_JIS, are not tried: where the bytes of an identifier are left, the file
fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ..core.errors import FileError
from .character_sets import (
    ESCAPE,
    GB_2312,
    GB_2312_SIGN,
    CharacterSet,
    decoded,
    encoded,
    is_plain,
    is_utf8,
)
from .values import SINGLE_VALUED_VRS

_UTF8, _LATIN1 = "utf-8", "latin-1"
_PADDING = b" \0"
_ROUNDS = 4
_PARTS = re.compile(rb"[\\^= ,\0]+")
_LEAST_PART = 3
_HIGH = re.compile(rb"[\x80-\xff]{2,}")
"""Bytes that are hardly ever text in Latin-1, in which letters of ASCII are between the others."""

_NO_NAME_IN_LATIN1 = re.compile(rb"[\x1b\x80-\xbf\xd7\xf7]")
"""Bytes that no name in Latin-1 has: of what has one, that reading finds no words, or halves of them."""

_ESCAPES = re.compile(rb"\x1b[\x20-\x2f]+[\x30-\x7e]")
_LEAST_BARE = 4


def clean_bytes(
    raw: bytes, vr: str, characters: CharacterSet, clean: Callable[[str], str], pieces: Iterable[bytes]
) -> bytes:
    """The bytes of a text without the identifiers in it.

    Args:
        raw: its bytes, padding included, that are not all plain ASCII.
        vr: its VR, one of text in the Specific Character Set, or UN.
        characters: the character set in force.
        clean: takes the identifiers out of a text.
        pieces: bytes of identifiers, see ``pieces_of``.

    Returns:
        ``raw`` itself where it holds no identifier.

    Raises:
        FileError: it holds bytes of an identifier that no reading makes text of, or what is left of it cannot
            be written.
    """
    value = raw.rstrip(_PADDING)
    declared = _as_declared(value, characters)
    if declared is not None:
        cleaned = _clean_declared(value, declared, vr, characters, clean)
        _check_left(cleaned.replace(GB_2312_SIGN, b""), _otherwise_signed(pieces, value, characters))
        return raw if cleaned == value else cleaned
    pieces = () if is_utf8(value) else tuple(piece.removeprefix(GB_2312_SIGN) for piece in pieces)
    _check_left(value, (piece for piece in pieces if _NO_NAME_IN_LATIN1.search(piece) or is_plain(piece)))
    cleaned = value
    for _ in range(_ROUNDS):  # what is left in one reading may be an identifier in another
        before = cleaned
        for codec in (_UTF8,) if is_utf8(cleaned) else (_LATIN1, _UTF8):
            cleaned = _clean_read(cleaned, vr, codec, clean)
        if cleaned == before:
            _check_left(cleaned, (piece for piece in pieces if _HIGH.fullmatch(piece)))
            return raw if cleaned == value else cleaned
    raise FileError("a text that is cleaned has identifiers in more than one character set")


def _otherwise_signed(pieces: Iterable[bytes], value: bytes, characters: CharacterSet) -> Iterable[bytes]:
    """The bytes that a text which is what is declared may have from an identifier that is read otherwise.

    One of them has an escape sequence that the other lacks.
    """
    if ESCAPE in value:
        return (piece for piece in pieces if not piece.startswith(GB_2312_SIGN))
    return (piece.removeprefix(GB_2312_SIGN) for piece in pieces if GB_2312 in characters.encodings)


def _check_left(value: bytes, pieces: Iterable[bytes]) -> None:
    """Hold a text against the bytes of identifiers, which may be in any character set.

    Raises:
        FileError: it has some of them.
    """
    if any(piece in value and (ESCAPE in value or not is_plain(piece)) for piece in pieces):
        raise FileError(
            "a text that is cleaned has an identifier in a character set that the file does not declare; "
            "say which with --assumeCharacterSet TERM"
        )


def pieces_of(raw: bytes, characters: CharacterSet) -> Iterable[bytes]:
    """The parts of an identifier that a text may have as bytes, where it is not sure what they say.

    Text in GB 2312 is often without its escape sequence; where the identifier has one, it is before a part.
    """
    is_declared = is_plain(raw) or _as_declared(raw.rstrip(_PADDING), characters) is not None
    if is_plain(raw) or (is_declared and GB_2312 not in characters.encodings):
        return ()
    parts = [part for part in _PARTS.split(raw) if not is_plain(part)]
    if is_declared:
        sign = GB_2312_SIGN if ESCAPE in raw else b""
        bare = [_ESCAPES.sub(b"", part) for part in parts if sign or _HIGH.fullmatch(part)]
        return [sign + part for part in bare if len(part) >= _LEAST_BARE]
    bare = [_ESCAPES.sub(b"", part) for part in parts if ESCAPE in part]
    return [part for part in parts if len(part) >= _LEAST_PART or _HIGH.fullmatch(part)] + [
        part for part in bare if len(part) >= _LEAST_BARE
    ]


def reading_of(raw: bytes, characters: CharacterSet) -> str | None:
    """What an identifier says of which it is not sure what it says; None where it is what is declared."""
    value = raw.rstrip(_PADDING)
    if is_plain(value) or _as_declared(value, characters) is not None:
        return None
    return value.decode(_UTF8 if is_utf8(value) else _LATIN1)


def _as_declared(value: bytes, characters: CharacterSet) -> str | None:
    """The text of a value as it is declared; None where it cannot be that.

    What is valid in UTF-8 and more than ASCII is hardly ever Latin-1, or another set with one byte for each
    character, whatever is declared.
    """
    found = decoded(value, characters)
    if not found.is_certain or (len(found.text) == len(value) and is_utf8(value)):
        return None
    return found.text


def _clean_declared(
    value: bytes, text: str, vr: str, characters: CharacterSet, clean: Callable[[str], str]
) -> bytes:
    """A value cleaned as what it is declared to be."""
    texts = [text] if vr in SINGLE_VALUED_VRS else text.split("\\")
    cleaned = [clean(part) for part in texts]
    if cleaned == texts:
        return value
    written = encoded(cleaned, characters)
    if written is None:
        raise FileError(
            "a text without the identifiers in it cannot be written in the character set that the file "
            "declares; declare the right one, or give --assumeCharacterSet TERM"
        )
    return written


def _clean_read(value: bytes, vr: str, codec: str, clean: Callable[[str], str]) -> bytes:
    parts = [value] if vr in SINGLE_VALUED_VRS else value.split(b"\\")
    return b"\\".join(_clean_part(part, codec, clean) for part in parts)


def _clean_part(part: bytes, codec: str, clean: Callable[[str], str]) -> bytes:
    text = part.decode(codec, "surrogateescape")
    cleaned = clean(text)
    return part if cleaned == text else cleaned.encode(codec, "surrogateescape")
