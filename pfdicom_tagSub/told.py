"""The texts that an element tells, as pydicom reads them, for verification."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from pydicom.charset import decode_bytes
from pydicom.datadict import private_dictionary_VR
from pydicom.valuerep import TEXT_VR_DELIMS

from . import dictionary
from .hits import creator_of
from .models import FileError
from .rereading import REST, DataSet, Entry, dictionary_vr, is_sequence, items_of, raw_value
from .traces import TELLING
from .values import CHARSET_VRS, SINGLE_VALUED_VRS

LONGEST_VALUE = 1 << 16
"""Longer values are no texts to look for."""

PRIVATE_TELLING = frozenset({"PN", "DA", "DT"})
"""Of private elements that no key names only these are looked for: most others are parameters."""

CODE_SCHEMES = frozenset({0x00080102, 0x00080103})
"""CodingSchemeDesignator and CodingSchemeVersion: the same in every code."""


def texts_of(entry: Entry, data: DataSet, *, is_named: bool) -> Iterator[tuple[str, str]]:
    """The texts of an element that may tell about a person, with their VRs, at every depth.

    Args:
        entry: the element.
        data: the data set that it is in.
        is_named: whether a key names it; of other private elements few VRs count.
    """
    if entry.tag == REST or entry.end == entry.value:
        return
    if is_sequence(entry, data):
        try:
            items = items_of(entry, data)
        except FileError:
            return
        for item in items:
            for inner in item.data.entries:
                if inner.tag not in CODE_SCHEMES:
                    yield from texts_of(inner, item.data, is_named=not inner.tag >> 16 & 1)
        return
    vr = "" if entry.is_parsed or entry.value_end - entry.value > LONGEST_VALUE else vr_of(entry, data)
    is_telling = vr in (TELLING if is_named or not entry.tag >> 16 & 1 else PRIVATE_TELLING)
    if not is_telling:
        return
    value = raw_value(entry, data)
    if value.isascii() and b"\x1b" not in value:
        text = value.decode("ascii")
    elif vr in CHARSET_VRS:
        with warnings.catch_warnings(action="ignore"):
            try:
                text = decode_bytes(value, list(data.encodings), TEXT_VR_DELIMS)
            except (UnicodeError, LookupError):
                text = value.decode("latin-1")
    else:
        text = value.decode("latin-1")
    for part in (text,) if vr in SINGLE_VALUED_VRS else text.split("\\"):
        if stripped := part.strip(" \0\r\n"):
            yield vr, stripped


def vr_of(entry: Entry, data: DataSet) -> str:
    """The VR of an element, by the dictionaries where none is stored; an unknown one is taken for text."""
    vr = entry.vr
    if vr not in {"", "UN"}:
        return vr
    if not entry.tag >> 16 & 1:
        return dictionary_vr(entry.tag).split(" or ")[0] or dictionary.vr_of(entry.tag).split(" or ")[0]
    if 0 < entry.tag & 0xFFFF < 0x100:
        return "LO"
    try:
        return private_dictionary_VR(entry.tag, creator_of(entry.tag, data))
    except KeyError:
        return "LO" if raw_value(entry, data).strip(b"\0 ").isascii() else ""
