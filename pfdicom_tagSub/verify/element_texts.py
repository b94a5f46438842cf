"""The texts that an element tells, as pydicom reads them, for verification."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from pydicom.charset import decode_bytes
from pydicom.datadict import private_dictionary_VR
from pydicom.valuerep import TEXT_VR_DELIMS

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.character_sets import without_signs
from ..dicom.values import CHARSET_VRS, SINGLE_VALUED_VRS
from ..spec.identifying_tags import is_postal
from ..text.identifiers import ADDRESS
from .entries import REST, DataSet, Entry
from .expected_rules import creator_of
from .search_terms import SEARCHED_VRS, TEXTS, TermKind
from .sequence_reading import dictionary_vr, is_sequence, items_of, raw_value

LONGEST_VALUE = 1 << 16
"""Longer values are no texts to look for."""

PRIVATE_SEARCHED_VRS = frozenset({"PN", "DA", "DT"})
"""Of private elements that no key names only these are looked for: most others are parameters."""

_WORDS = re.compile(
    "Description|Code(Meaning|Value)|Comment|ProtocolName|Reason|Label$|Diagnos|Notes|Impressions|Agent$"
    "|TreatmentSite|^(ROI|Entity|StructureSet|RTPlan|PositionAcquisitionTemplate)Name$|Selector.*Value|TextValue"
)
_PLACE = re.compile(
    "^(?!.*Patient).*(Institution|Station|AETitle|ApplicationEntity|Device|Gantry|Detector|Implementation"
    "|Manufactur|Software|Creator|Issuer|EntityID|Namespace|Organization|Department|Serial)"
)

_MAKE = re.compile("Manufacturer|^Implementation|^SoftwareVersions$|CodingScheme|CreatorUID$")
_CODES = re.compile("^Code(Meaning|Value)$|^PositionReferenceIndicator$|BodyPart|ScanOptions|SequenceName")

CODE_SCHEMES = frozenset({0x00080102, 0x00080103})
"""CodingSchemeDesignator and CodingSchemeVersion: the same in every code."""


class ElementText(NamedTuple):
    """A text that an element tells.

    Attributes:
        vr: the VR of the element.
        text: one decoded value.
        kind: what it is about.
    """

    vr: str
    text: str
    kind: TermKind = TermKind.PERSON


def texts_of(
    entry: Entry, data: DataSet, *, is_named: bool, is_meant: Callable[[int], bool] = lambda _: True
) -> Iterator[ElementText]:
    """The texts of an element that may tell about a person, at every depth.

    Args:
        entry: the element.
        data: the data set that it is in.
        is_named: whether a key names it; of other private elements few VRs count.
        is_meant: whether a tag within a sequence is one of those whose values identify.
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
                if inner.tag not in CODE_SCHEMES and (
                    is_meant(inner.tag) or inner.vr == "PN" or is_sequence(inner, item.data)
                ):
                    yield from texts_of(inner, item.data, is_named=not inner.tag >> 16 & 1, is_meant=is_meant)
        return
    vr = "" if entry.is_parsed or entry.value_end - entry.value > LONGEST_VALUE else vr_of(entry, data)
    is_searched = vr in (SEARCHED_VRS if is_named or not entry.tag >> 16 & 1 else PRIVATE_SEARCHED_VRS)
    if not is_searched:
        return
    text = text_in(raw_value(entry, data), vr, data)
    kind = kind_of(entry.tag)
    for part in (text,) if vr in SINGLE_VALUED_VRS else text.split("\\"):
        if stripped := part.strip(" \0\r\n"):
            yield ElementText(ADDRESS if vr in TEXTS and is_postal(entry.tag) else vr, stripped, kind)


def text_in(value: bytes, vr: str, data: DataSet) -> str:
    """The text of a value of a data set."""
    if value.isascii() and b"\x1b" not in value:
        return value.decode("ascii")
    if vr not in CHARSET_VRS:
        return value.decode("latin-1")
    with warnings.catch_warnings(action="ignore"):
        try:
            text = decode_bytes(value, list(data.encodings), TEXT_VR_DELIMS)
            return without_signs(text, value, data.encodings)
        except (UnicodeError, LookupError):
            return value.decode("latin-1")


def name_of(tag: int) -> str:
    """What a record calls an element of an output."""
    if tag == REST:
        return "bytes after the last element"
    return "pixel data" if tag in dictionary.PIXEL_DATA else dictionary.label_of(tag)


@cache
def kind_of(tag: int) -> TermKind:
    """What the value of an element is about, by its keyword."""
    keyword = dictionary.label_of(tag)
    if _WORDS.search(keyword):
        return TermKind.WORDS
    return TermKind.PLACE if _PLACE.search(keyword) else TermKind.PERSON


@cache
def is_of_make(tag: int) -> bool:
    """Whether an element says who made a device or a software, by its keyword."""
    return _MAKE.search(dictionary.label_of(tag)) is not None


@cache
def is_of_codes(tag: int) -> bool:
    """Whether an element holds terms, such as the name of a body part, by its keyword."""
    return _CODES.search(dictionary.label_of(tag)) is not None


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
