"""The bytes of a value to its text and back, by pydicom's own tables and writers.

Nothing here puts a value into an exception: pydicom's messages quote values, so its
validators are asked for their verdict only.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydicom import charset, config
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, MAX_VALUE_LEN, TEXT_VR_DELIMS, VALIDATORS, PersonName

from ..core.errors import FileError
from ..core.outcome import Action
from .character_sets import (
    REPLACEMENT,
    CharacterSet,
    decoded,
    needed_bytes,
    without_signs,
    written_text,
)

CHARSET_VRS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""VRs whose text is in the Specific Character Set (PS3.5 6.1.2.3)."""

ASCII_VRS = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"})
SINGLE_VALUED_VRS = frozenset({"LT", "ST", "UR", "UT"})
PLAIN_VRS = frozenset({"DA", "DT", "TM", "UI"})
"""VRs of ASCII text that is written as it is; there are new ones in every file."""

BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
INTEGER_FORMATS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q"}
FLOAT_FORMATS = {"FL": "f", "FD": "d"}

CUT_VRS = frozenset({"AE", "CS", "LO", "LT", "SH", "ST"})
"""VRs in which a shorter text is still the same kind of value. A cut number, date or
UID would be another number, date or UID, so those are left empty instead."""

PN_GROUP_LENGTH = 64
SHORT_LENGTH_MOST = 0xFFFE

_ALLOWED_CONTROLS = {"LT": "\t\n\f\r", "ST": "\t\n\f\r", "UT": "\t\n\f\r"}


@dataclass(frozen=True, slots=True)
class Value:
    """A decoded value.

    Attributes:
        texts: one text per value, as ``str`` of what pydicom decodes; () when empty or
            when the VR holds no text.
        stored: for a PN each value's bytes in the character set of the file, padding
            stripped; for all else the texts in UTF-8. 3.1.1 seeds its names on these
            (behaviour-3.1.1 A.5).
        vr: the VR it was decoded by; "" where that is not known, and for an empty value.
        lossless: the texts with every byte that has no character in the character set kept as a lone
            surrogate, where there are such bytes; () where the texts have lost nothing.
    """

    texts: tuple[str, ...]
    stored: tuple[bytes, ...]
    vr: str = ""
    lossless: tuple[str, ...] = ()

    @property
    def is_opaque(self) -> bool:
        """Whether there is a value, but no text for it."""
        return not self.texts and self.vr != ""


NO_VALUE = Value((), ())


def _numbers(raw: bytes, code: str, little: bool) -> list[str]:
    size = struct.calcsize(code)
    if len(raw) % size:
        return []
    numbers = struct.unpack(f"{'<' if little else '>'}{len(raw) // size}{code}", raw)
    return [str(number) for number in numbers]


def decode(vr: str, raw: bytes, characters: CharacterSet, little: bool) -> Value:
    """The texts of a value.

    Args:
        vr: its VR; UN is read as text.
        raw: its bytes as stored, padding included.
        characters: the character set in force.
        little: whether numbers are little endian.

    Returns:
        The texts: trailing padding stripped and leading blanks kept (behaviour-3.1.1
        A.1), numbers in their shortest form, none for binary VRs and numbers that end
        too soon.
    """
    if not raw:
        return NO_VALUE
    texts: list[str]
    stored: list[str] | None = None
    lossless: tuple[str, ...] = ()
    if vr == "PN":
        return _decode_names(raw, characters)
    if vr in CHARSET_VRS or vr == "UN":
        found = decoded(raw, characters)
        if REPLACEMENT in found.text and not found.is_certain:
            lossless = _parts(raw.decode("utf-8", "surrogateescape"), vr)
        texts = stored = list(_parts(found.text, vr))
        if found.as_pydicom != found.text:
            stored = list(_parts(found.as_pydicom, vr))
    elif vr in ASCII_VRS:
        text = raw.decode("iso8859").rstrip("\0 ")
        texts = [text] if vr in SINGLE_VALUED_VRS else text.split("\\")
        if vr in {"AE", "DS", "IS"}:
            texts = [part.strip() for part in texts]
    elif code := INTEGER_FORMATS.get(vr) or FLOAT_FORMATS.get(vr):
        texts = _numbers(raw, code, little)
    elif vr == "AT":
        halves = [int(half) for half in _numbers(raw, "H", little)]
        texts = [f"({g:04X},{e:04X})" for g, e in zip(halves[::2], halves[1::2], strict=False)]
    else:
        texts = []
    if texts == [""]:
        return NO_VALUE
    in_utf8 = tuple(text.encode("utf-8", "surrogateescape") for text in stored or texts)
    return Value(tuple(texts), in_utf8, vr, lossless)


def _parts(text: str, vr: str) -> tuple[str, ...]:
    """The values that a text is made of."""
    return tuple(part.rstrip("\0 ") for part in ([text] if vr in SINGLE_VALUED_VRS else text.split("\\")))


def _decode_names(raw: bytes, characters: CharacterSet) -> Value:
    stripped = raw.rstrip(b"\0 ")
    if not stripped:
        return NO_VALUE
    found = decoded(stripped, characters)
    is_lossy = REPLACEMENT in found.text and not found.is_certain
    # As pydicom, and with it 3.1.1, has them: empty groups at the end of a name dropped,
    # and its bytes encoded anew, which leaves out escape sequences that nothing needs.
    names = _names(found.text, found.encodings)
    as_pydicom = names if found.text == found.as_pydicom else _names(found.as_pydicom, found.encodings)
    stored = tuple(name.encode() for name in as_pydicom)
    lossless = _parts(stripped.decode("utf-8", "surrogateescape"), "PN") if is_lossy else ()
    return Value(tuple(map(str, names)), stored, "PN", lossless)


def _names(text: str, encodings: Sequence[str]) -> list[PersonName]:
    return [PersonName(one, list(encodings)) for one in text.split("\\")]


@dataclass(frozen=True, slots=True)
class Fitted:
    """Texts made to fit a VR.

    Attributes:
        texts: what may be written; () leaves the element empty.
        action: SUBSTITUTED, CUT, INVALID or EMPTIED.
    """

    texts: tuple[str, ...]
    action: Action


def fit(vr: str, texts: Sequence[str]) -> Fitted:
    """Make texts fit a VR: cut what is too long, empty what is invalid otherwise.

    Args:
        vr: the VR to write.
        texts: one text per value; a backslash in one separates values, as in a file. For
            a binary VR NULs alone are valid.
    """
    if vr in SINGLE_VALUED_VRS:
        texts = ["\\".join(texts)]
    else:
        texts = [part for text in texts for part in text.split("\\")]
    if not any(texts):
        return Fitted((), Action.EMPTIED)
    if vr in BINARY_VRS and not any(text.strip("\0") for text in texts):
        return Fitted((max(texts, key=len),), Action.SUBSTITUTED)  # a dummy, of one value in truth
    kept = [_cut(vr, text) for text in texts]
    if not all(_is_valid(vr, text) for text in kept):
        return Fitted((), Action.INVALID)
    action = Action.CUT if kept != list(texts) else Action.SUBSTITUTED
    return Fitted(tuple(kept), action)


def _cut(vr: str, text: str) -> str:
    if vr in CUT_VRS:
        return text[: MAX_VALUE_LEN[vr]]
    if vr == "PN":
        return "=".join(group[:PN_GROUP_LENGTH] for group in text.split("="))
    return text


def _is_valid(vr: str, text: str) -> bool:
    """Whether the VR allows one value (PS3.5 6.2), by pydicom's validators and ranges."""
    if not text:
        return True
    if vr == "UN":
        return True
    if vr == "SQ" or vr in BINARY_VRS:
        return False
    if vr == "AT":
        return _tag_number(text) is not None
    if vr in INTEGER_FORMATS:
        return _packs(INTEGER_FORMATS[vr], int, text)
    if vr in FLOAT_FORMATS:
        return _packs(FLOAT_FORMATS[vr], float, text)
    allowed = _ALLOWED_CONTROLS.get(vr, "")
    if any((char < " " or "\x7f" <= char <= "\x9f") and char not in allowed for char in text):
        return False
    validator: Callable[[str, Any], tuple[bool, str]] | None = VALIDATORS.get(vr)
    return validator is None or validator(vr, text)[0]


def _packs(code: str, convert: Callable[[str], int | float], text: str) -> bool:
    try:
        struct.pack(f"<{code}", convert(text))
    except (ValueError, struct.error, OverflowError):
        return False
    return True


def _tag_number(text: str) -> int | None:
    digits = text.strip("() ").replace(",", "")
    try:
        return int(digits, 16) if len(digits) == 8 else None
    except ValueError:
        return None


def can_hold(characters: CharacterSet, vr: str, texts: Sequence[str]) -> bool:
    """Whether a character set can hold texts, so that they read back the same."""
    if vr not in CHARSET_VRS and vr != "UN":
        return True  # _is_valid left ASCII only
    for text in texts:
        if characters.unknown and not text.isascii():
            return False
        if characters.starts_with_default and any("\x80" <= char <= "\xff" for char in text):
            return False  # pydicom would write ISO 8859-1 without declaring it
        if text.isascii() and len(characters.encodings) == 1 and characters.encodings[0] != "shift_jis":
            continue
        try:
            stored = written_text(text, characters.encodings)
        except (UnicodeError, LookupError):
            return False
        read = charset.decode_bytes(stored, characters.encodings, TEXT_VR_DELIMS)
        if without_signs(read, stored, characters.encodings) != text:
            return False
    return True


def typed(vr: str, texts: Sequence[str]) -> Any:
    """Texts that fit a VR as the value that pydicom's ``DataElement`` takes for it."""
    if vr in BINARY_VRS and texts:
        return "".join(texts).encode()
    values: list[Any]
    if vr in INTEGER_FORMATS:
        values = [int(text) for text in texts]
    elif vr in FLOAT_FORMATS:
        values = [float(text) for text in texts]
    elif vr == "AT":
        values = [_tag_number(text) for text in texts]
    else:
        values = list(texts)
    if len(values) < 2:
        return values[0] if values else None
    return values


def encode_raw(tag: int, vr: str, value: bytes, *, implicit: bool, little: bool) -> bytes:
    """A whole element of text with these bytes as its value, header and padding included.

    Raises:
        FileError: its length field cannot say how long it is.
    """
    order: Literal["little", "big"] = "little" if little else "big"
    value += b" " * (len(value) % 2)
    head = (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order)
    if implicit:
        return head + len(value).to_bytes(4, order) + value
    if vr in EXPLICIT_VR_LENGTH_32:
        return head + vr.encode() + b"\0\0" + len(value).to_bytes(4, order) + value
    if len(value) > SHORT_LENGTH_MOST:
        raise FileError("a text would become longer than its length field can say")
    return head + vr.encode() + len(value).to_bytes(2, order) + value


def encode_element(
    tag: int, vr: str, texts: Sequence[str], characters: CharacterSet, *, implicit: bool, little: bool
) -> bytes:
    """A whole element, header and padding included, as pydicom writes it.

    Args:
        tag: its tag.
        vr: its VR; "SQ" only with no texts.
        texts: its values, which ``fit`` has passed and ``can_hold`` holds.
        characters: the character set to write in.
        implicit: whether the VR is left out.
        little: whether it is little endian.
    """
    if vr in PLAIN_VRS:
        data = "\\".join(texts).encode("ascii")
        if len(data) % 2:
            data += b"\0" if vr == "UI" else b" "
        if len(data) <= SHORT_LENGTH_MOST:
            order: Literal["little", "big"] = "little" if little else "big"
            length = len(data).to_bytes(4, order) if implicit else vr.encode() + len(data).to_bytes(2, order)
            return (tag >> 16).to_bytes(2, order) + (tag & 0xFFFF).to_bytes(2, order) + length + data
    value: Any
    if vr == "UN":
        value = written_text("\\".join(texts), characters.encodings)
        value += b" " * (len(value) % 2)
    elif vr in CHARSET_VRS and any(needed_bytes(text, characters.encodings) is not None for text in texts):
        value = b"\\".join(written_text(text, characters.encodings) for text in texts)
        return encode_raw(tag, vr, value, implicit=implicit, little=little)
    else:
        value = [] if vr == "SQ" else typed(vr, texts)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = implicit
    buffer.is_little_endian = little
    element = DataElement(tag, vr, value, validation_mode=config.IGNORE)
    write_data_element(buffer, element, list(characters.encodings))
    return buffer.getvalue()
