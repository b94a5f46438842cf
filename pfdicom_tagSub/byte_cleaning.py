"""Text cleaned in its bytes, where nothing says for sure which characters they are.

Text may be undeclared, declared wrongly, or mixed. ASCII in it is the same in every reading. It is read as
UTF-8 and as Latin-1, which take every byte there and back, so that what is not cut keeps its bytes. Other
readings, such as of undeclared Shift_JIS, are not tried: where the bytes of an identifier are left, the file
fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from .character_sets import ESCAPE, CharacterSet, decoded, encoded, is_plain
from .models import FileError
from .values import SINGLE_VALUED_VRS

_UTF8, _LATIN1 = "utf-8", "latin-1"
_PADDING = b" \0"
_ROUNDS = 4
_PARTS = re.compile(rb"[\\^= ,\0]+")
_LEAST_PART = 3
_NO_LATIN1 = re.compile(rb"[\x1b\x80-\x9f]")
"""Bytes that no text in Latin-1 has."""


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
    found = decoded(value, characters)
    cleaned = value
    if found.is_certain:
        cleaned = _clean_declared(value, found.text, vr, characters, clean)
    for _ in range(_ROUNDS):  # what is left in one reading may be an identifier in another
        before = cleaned
        for codec in _codecs(cleaned, is_certain=found.is_certain):
            cleaned = _clean_read(cleaned, vr, codec, clean)
        if cleaned == before:
            break
    else:
        raise FileError("a text that is cleaned has an identifier in more than one character set")
    if _is_unreadable(cleaned, is_certain=found.is_certain) and any(piece in cleaned for piece in pieces):
        raise FileError(
            "a text that is cleaned has an identifier in a character set that the file does not declare; "
            "say which with --assumeCharacterSet TERM"
        )
    return raw if cleaned == value else cleaned


def pieces_of(raw: bytes, characters: CharacterSet) -> Iterable[bytes]:
    """The parts of an identifier that a text may have as bytes, where it is not sure what they say."""
    if is_plain(raw) or decoded(raw.rstrip(_PADDING), characters).is_certain:
        return ()
    return (part for part in _PARTS.split(raw) if len(part) >= _LEAST_PART and not is_plain(part))


def readings_of(raw: bytes, characters: CharacterSet) -> Iterable[str]:
    """What else an identifier may say than what the declared character set makes of it."""
    value = raw.rstrip(_PADDING)
    if not is_plain(value):
        for codec in _codecs(value, is_certain=decoded(value, characters).is_certain):
            yield value.decode(codec, "surrogateescape")


def _codecs(value: bytes, *, is_certain: bool) -> tuple[str, ...]:
    """The readings that a text may have besides the declared one.

    What is valid in UTF-8 and more than ASCII is hardly ever anything else. In Latin-1 all bytes are valid:
    where the text is something else for sure, that reading would cut letters in two.
    """
    if is_certain and (value.isascii() or ESCAPE in value):
        return ()
    if value.isascii():
        return (_LATIN1,)
    try:
        value.decode(_UTF8)
    except UnicodeDecodeError:
        return () if is_certain else (_UTF8, _LATIN1)
    return (_UTF8,)


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


def _is_unreadable(value: bytes, *, is_certain: bool) -> bool:
    """Whether bytes are text neither as declared nor as UTF-8 or Latin-1."""
    return (
        not is_certain
        and _NO_LATIN1.search(value) is not None
        and _codecs(value, is_certain=False) != (_UTF8,)
    )
