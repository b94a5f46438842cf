"""Which attributes of the standard identify by their value, and which only describe.

The tables of the profile say it: what an option cleans is a description, and what the basic profile
removes or replaces otherwise is an identifier (PS3.15 Table E.1-1).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import resources

from .._version import COMMAND
from ..dicom import dictionary
from .keys import KeywordKey
from .parsing import parse_json
from .profile import BASIC

_CLEAN_OPTIONS = ("cleanDescriptors", "cleanStructuredContent", "cleanGraphics")
_CLEAN = "%_clean_#tag"
MAKES = frozenset({0x00080070, 0x00081090, 0x00181020})
"""Manufacturer, ManufacturerModelName, SoftwareVersions: the same for everybody who has the device."""

_CODE_SCHEMES = frozenset(
    {0x00080102, 0x00080103, 0x00080105, 0x0008010B, 0x0008010D, 0x0008010F, 0x00080110}
)
"""CodingSchemeDesignator, its version, and what else says where a code comes from (PS3.3 8.8)."""

_PERSONAL = (
    "Approver",
    "Author",
    "Creator",
    "Institution",
    "Issuer",
    "Observer",
    "Operator",
    "Organization",
    "Participant",
    "PatientID",
    "Performer",
    "Person",
    "Photo",
    "Physician",
    "Recipient",
    "VerbalSource",
)
_POSTAL = ("Address", "Residence")
_PLACES = (
    "Institution",
    "Organization",
    "CoordinatingCenter",
    "ClinicalTrialSite",
    "Station",
    "Department",
    "Location",
)


@lru_cache(maxsize=1)
def descriptive_tags() -> frozenset[int]:
    """The tags of texts that only describe, such as StudyDescription: a clean option keeps them."""
    return frozenset(
        tag
        for option in _CLEAN_OPTIONS
        for tag, value in _rows(option).items()
        if value == _CLEAN and dictionary.vr_of(tag) != "SQ"
    )


@lru_cache(maxsize=1)
def identifying_tags() -> frozenset[int]:
    """The tags of what the basic profile treats and no clean option keeps."""
    return frozenset(_rows(BASIC)) - descriptive_tags() - _CODE_SCHEMES


def _rows(name: str) -> dict[int, object]:
    text = (resources.files(COMMAND) / "profiles" / f"{name}.json").read_text("utf-8")
    pairs = parse_json(text, name).pairs
    return {tag: pair.value for pair in pairs if isinstance(pair.key, KeywordKey) for tag in pair.key.tags}


@lru_cache(maxsize=4096)
def is_personal(tag: int) -> bool:
    """Whether the items of a sequence are about a person or an institution, so that their codes identify."""
    keyword = dictionary.label_of(tag)
    return any(part in keyword for part in _PERSONAL)


@lru_cache(maxsize=4096)
def is_postal(tag: int) -> bool:
    """Whether an element holds an address."""
    keyword = dictionary.label_of(tag)
    return any(part in keyword for part in _POSTAL)


@lru_cache(maxsize=4096)
def is_of_place(tag: int) -> bool:
    """Whether an element names an institution or a part of one, which is mostly in the patient's own city."""
    keyword = dictionary.label_of(tag)
    return any(part in keyword for part in _PLACES)


def says_origin_of_code(tag: int) -> bool:
    """Whether an element says where a code comes from: it is the same for everybody."""
    return tag in _CODE_SCHEMES
