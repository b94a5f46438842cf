"""Specific Character Set (0008,0005) and the text that it governs (PS3.3 C.12.1.1.2, PS3.5 6.1).

Text may be read with certainty where its bytes are valid in the character set that is declared for it.
Nothing here puts a value into an exception.
"""

from __future__ import annotations

import difflib
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pydicom import charset
from pydicom.valuerep import TEXT_VR_DELIMS

from ..core.caches import remembered
from ..core.errors import SpecError

DEFAULT_CHARSETS = frozenset({"", "ISO_IR 6", "ISO 2022 IR 6"})
UTF8_CHARSET = "ISO_IR 192"
LATIN_9 = "ISO_IR 203"
ESCAPE = b"\x1b"
GB_2312 = "iso_ir_58"
"""The Python encoding that pydicom gives for ISO 2022 IR 58."""

GB_2312_SIGN = b"\x1b$)A"
"""The escape sequence before text in GB 2312. pydicom neither reads nor writes it as one."""

_SIGNED = re.compile(re.escape(GB_2312_SIGN) + rb"([^\x1b]*)")

_DELIMITERS = re.compile(r"([\t\n\f\r^=\\]+)")
"""After each of them text begins in the first character set again (PS3.5 6.1.2.5.3)."""

REPLACEMENT = "\ufffd"
"""What pydicom puts where bytes have no character; it must never be written."""


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """A Specific Character Set.

    Attributes:
        terms: its defined terms as the file has them; () where it has none.
        encodings: the Python encodings that pydicom gives for them.
        unknown: those of its terms that nobody knows. Nothing but ASCII may be read with it.
        fallback: what text is read as that is not valid in it; None where nobody said so.
    """

    terms: tuple[str, ...]
    encodings: tuple[str, ...]
    unknown: tuple[str, ...] = ()
    fallback: CharacterSet | None = None

    @property
    def starts_with_default(self) -> bool:
        """Whether text without escape sequences is ASCII only (PS3.5 6.1.2.2)."""
        return not self.terms or self.terms[0] in DEFAULT_CHARSETS or bool(self.unknown)

    @property
    def is_default(self) -> bool:
        """Whether it is the default repertoire, so that text beyond ASCII is undeclared."""
        return self.terms in ((), ("",), ("ISO_IR 6",), ("ISO 2022 IR 6",))


_TERMS = {**charset.python_encoding, LATIN_9: "iso8859_15"}
"""Every defined term, and the Python encoding for it. pydicom lacks Latin alphabet no. 9."""

_GAPS = re.compile(r"[\s_.:/-]+")

_NAMES = {
    "ISO_IR 6": "ASCII USASCII ISO646 ISO646US ANSIX341968",
    "ISO_IR 100": "LATIN1 L1 ISO88591 IBM819 CP819 ISO885911987",
    "ISO_IR 101": "LATIN2 L2 ISO88592",
    "ISO_IR 109": "LATIN3 L3 ISO88593",
    "ISO_IR 110": "LATIN4 L4 ISO88594",
    "ISO_IR 144": "ISO88595",
    "ISO_IR 127": "ISO88596",
    "ISO_IR 126": "ISO88597",
    "ISO_IR 138": "ISO88598",
    "ISO_IR 148": "LATIN5 L5 ISO88599",
    "ISO_IR 166": "TIS620 ISO885911",
    LATIN_9: "LATIN9 ISO885915",
    UTF8_CHARSET: "UTF8 ISO2022IR192 ISO2022192 UNICODEUTF8 ISO10646UTF8",
    "GB18030": "ISO2022GB18030 ISOIRGB18030",
    "GBK": "CP936 ISOIRGBK",
    "ISO 2022 58": "GB2312 EUCCN",
}
"""Usual names of what a defined term says, without gaps. No name is here that other text may go by, too:
ISO_IR 149, Shift_JIS and Windows-1252 are none of the standard's sets."""


def _key(term: str) -> str:
    return _GAPS.sub("", term.upper())


_ALIASES = {_key(term): term for term in _TERMS if term} | {
    name: term for term, names in _NAMES.items() for name in names.split()
}
_ALIASES |= {key.removeprefix("ISO"): term for key, term in _ALIASES.items() if key[:5] == "ISOIR"}


def known_term(term: str) -> str:
    """The defined term that a text is, or is another spelling of; "" where it is none."""
    return term if term in _TERMS else _ALIASES.get(_key(term), "")


@remembered(most=256)
def character_set(raw: bytes) -> CharacterSet:
    """The character set that an element (0008,0005) with this value declares.

    Terms in another spelling (``ISO-IR 100``, ``utf8``, ``iso_8859-1``) are known ones. A term that is
    none is told in ``unknown``.
    """
    text = raw.decode("iso8859").strip("\0 ")
    given = [part.strip("\0 ") for part in text.split("\\")] if text else []
    terms = tuple(known_term(term) or term for term in given)
    unknown = tuple(term for term in terms if term and term not in _TERMS)
    if unknown:
        return CharacterSet(terms, (charset.default_encoding,), unknown)
    if LATIN_9 in terms:
        return CharacterSet(terms, tuple(_TERMS[term] for term in terms))
    with warnings.catch_warnings(action="ignore"):  # of terms that do not go together
        return CharacterSet(terms, tuple(charset.convert_encodings(list(terms) or None)))


DEFAULT_CHARACTER_SET = character_set(b"")
UTF8 = character_set(UTF8_CHARSET.encode())


def assumed_set(text: str) -> CharacterSet | None:
    """The character set that ``--assumeCharacterSet`` names.

    Args:
        text: a defined term, or several with backslashes between; "" for none.

    Raises:
        SpecError: one of them is none that is known.
    """
    if not text:
        return None
    found = character_set(text.encode("iso8859", "replace"))
    if found.unknown or not any(found.terms) or not all(found.terms[1:]):
        near = difflib.get_close_matches(text, [term for term in _TERMS if term], n=1)
        hint = f"did you mean {near[0]}?" if near else "give a defined term of PS3.3 C.12.1.1.2."
        raise SpecError(
            f"--assumeCharacterSet {quotable([text])}: {hint} Terms are such as ISO_IR 100 "
            "(Latin-1), ISO_IR 192 (UTF-8), GB18030, or ISO 2022 IR 6\\ISO 2022 IR 87"
        )
    return found


def is_utf8(raw: bytes) -> bool:
    """Whether bytes beyond ASCII are valid UTF-8, as text in a set of single bytes hardly ever is."""
    if raw.isascii() or ESCAPE in raw:
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_plain(raw: bytes) -> bool:
    """Whether bytes are ASCII without escape sequences: every character set reads them alike."""
    return raw.isascii() and ESCAPE not in raw


class Decoded(NamedTuple):
    """The text of bytes.

    Attributes:
        text: the text, with U+FFFD where a byte has no character.
        is_certain: whether the bytes are what the character set allows.
        encodings: the Python encodings that it was read with.
        as_pydicom: the text as pydicom reads it, and 3.1.1 read it: with the escape sequences of GB 2312.
    """

    text: str
    is_certain: bool
    encodings: tuple[str, ...]
    as_pydicom: str


def decoded(raw: bytes, characters: CharacterSet) -> Decoded:
    """The text of bytes, and whether it is certain.

    It is where every byte has a character, no escape sequence is left over, and nothing but ASCII stands
    where the default repertoire is in force. Text that is not, and is valid in the fallback, is read as that.

    Args:
        raw: the bytes, of one value or several.
        characters: the character set in force.

    """
    if is_plain(raw):
        text = raw.decode("ascii")
        return Decoded(text, True, characters.encodings, text)
    with warnings.catch_warnings(action="ignore"):  # of text that it cannot read
        as_pydicom = charset.decode_bytes(raw, characters.encodings, TEXT_VR_DELIMS)
    text = without_signs(as_pydicom, raw, characters.encodings)
    is_certain = not (
        characters.unknown
        or "\x1b" in text
        or (REPLACEMENT in text and not _is_valid(raw, characters))
        or (characters.starts_with_default and _is_undeclared(raw, text, characters))
    )
    if not is_certain and characters.fallback is not None:
        other = decoded(raw, characters.fallback)
        if other.is_certain:
            return other
    return Decoded(text, is_certain, characters.encodings, as_pydicom)


def without_signs(text: str, raw: bytes, encodings: Sequence[str]) -> str:
    """What pydicom reads of bytes, without the escape sequences of GB 2312 where such text follows."""
    if GB_2312 not in encodings:
        return text
    try:
        for part in _SIGNED.findall(raw):
            part.decode(GB_2312)
    except UnicodeError:
        return text
    return text.replace(GB_2312_SIGN.decode(), "")


def _is_valid(raw: bytes, characters: CharacterSet) -> bool:
    """Whether every byte has a character: a U+FFFD is the file's own."""
    try:
        raw.decode(characters.encodings[0])
    except (UnicodeError, LookupError):
        return False
    return True


def _is_undeclared(raw: bytes, text: str, characters: CharacterSet) -> bool:
    """Whether bytes beyond ASCII stand where nothing says what they are; pydicom takes them for Latin-1."""
    if "ISO 2022 IR 100" in characters.terms:
        return not raw.partition(ESCAPE)[0].isascii()
    return any("\x80" <= character <= "\xff" for character in text)


def written_text(text: str, encodings: Sequence[str]) -> bytes:
    """The bytes of a text as pydicom writes them, or as ``needed_bytes`` has them.

    Raises:
        UnicodeError: it has characters that the first encoding lacks. Where there are several, pydicom writes
            others in their place, which are told by reading.
    """
    own = needed_bytes(text, encodings)
    return charset.encode_string(text, encodings) if own is None else own


def needed_bytes(text: str, encodings: Sequence[str]) -> bytes | None:
    """The bytes of a text that pydicom writes wrongly or not at all; None for others.

    ISO_IR 13 has katakana and the letters of ASCII in one set, side by side (PS3.3 C.12.1.1.2). Text in
    GB 2312 has an escape sequence before it, after each delimiter again (PS3.5 6.1.2.5.3 and K.2).
    """
    if text.isascii() or (GB_2312 not in encodings and tuple(encodings) != ("shift_jis",)):
        return None
    if GB_2312 in encodings:
        return b"".join(_with_sign(part, encodings) for part in _DELIMITERS.split(text))
    one_byte_each = text.encode("shift_jis", "replace")
    return one_byte_each if len(one_byte_each) == len(text) else None


def _with_sign(part: str, encodings: Sequence[str]) -> bytes:
    for sign, encoding in ((b"", encodings[0]), (GB_2312_SIGN, GB_2312)):
        try:
            return sign + part.encode(encoding)
        except UnicodeError:
            continue
    return charset.encode_string(part, [one for one in encodings if one != GB_2312])


def encoded(texts: Sequence[str], characters: CharacterSet) -> bytes | None:
    """Texts as one value in a character set; None where they would not read back the same."""
    alone = replace(characters, fallback=None)
    candidates = [characters.encodings]
    if characters.starts_with_default:  # pydicom would write ISO 8859-1 without an escape sequence
        candidates.append(("ascii", *characters.encodings[1:]))
    for encodings in candidates:
        try:
            with warnings.catch_warnings(action="ignore"):
                raw = b"\\".join(written_text(text, encodings) if text else b"" for text in texts)
        except (UnicodeError, LookupError):
            continue
        found = decoded(raw, alone)
        if found.is_certain and found.text == "\\".join(texts):
            return raw
    return None


def quotable(terms: Iterable[str]) -> str:
    """Terms for a message: what has no place in a term is left out, and a long one is cut."""
    return "\\".join(re.sub(r"[^\w .:+-]", "?", term[:16], flags=re.ASCII) for term in terms)
