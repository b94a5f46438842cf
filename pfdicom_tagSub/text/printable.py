"""Text made fit for a terminal or a line of a log."""

from __future__ import annotations

from typing import TextIO


def visible(text: str) -> str:
    """A text as one safe line: control characters, line ends, undecodable bytes and what
    reorders text on a terminal are shown as escapes.

    >>> visible("a\\nb")
    'a\\\\nb'
    """
    return text if text.isprintable() else "".join(map(_visible_character, text))


def _visible_character(character: str) -> str:
    if character.isprintable():
        return character
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # an undecodable byte of a file name (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def encodable(line: str, stream: TextIO) -> str:
    """The line in characters that the stream's encoding has."""
    encoding = stream.encoding or "ascii"
    try:
        line.encode(encoding)
    except UnicodeEncodeError:
        plain = line.replace("\N{BOX DRAWINGS LIGHT VERTICAL}", "|")
        return plain.encode(encoding, "backslashreplace").decode(encoding)
    return line
