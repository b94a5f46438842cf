"""What the DICOM dictionary says, in the forms that specs and scans ask for.

It is pydicom's, with what that lacks of the standard of today (``newer_attributes.py``). pydicom has no
public way to list what its tables hold, so they are reached here, and nowhere else.

Tags are integers, 0xggggeeee. The repeating groups (PS3.6, e.g. ``OverlayData`` is
(60xx,3000)) are expanded to every even group that their mask covers.
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterator
from functools import cache, lru_cache

from pydicom import datadict
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._uid_dict import UID_dictionary
from pydicom.valuerep import VR

from .newer_attributes import NEWER_ATTRIBUTES

SPECIFIC_CHARACTER_SET = 0x00080005
LENGTH_TO_END = 0x00080001
SOP_CLASS_UID = 0x00080016
SOP_INSTANCE_UID = 0x00080018
PATIENT_IDENTITY_REMOVED = 0x00120062
STAMPS = frozenset({PATIENT_IDENTITY_REMOVED, 0x00120063, 0x00120064, 0x00280303})
"""What says of a whole file how it was de-identified: at the top level, whatever is nested (PS3.3 C.12.1)."""

MODALITY = 0x00080060
MANUFACTURER = 0x00080070
MANUFACTURER_MODEL_NAME = 0x00081090
SAMPLES_PER_PIXEL = 0x00280002
PHOTOMETRIC_INTERPRETATION = 0x00280004
NUMBER_OF_FRAMES = 0x00280008
ROWS = 0x00280010
COLUMNS = 0x00280011
BITS_ALLOCATED = 0x00280100
BITS_STORED = 0x00280101
HIGH_BIT = 0x00280102
PIXEL_REPRESENTATION = 0x00280103
MEDIA_STORAGE_SOP_CLASS_UID = 0x00020002
MEDIA_STORAGE_SOP_INSTANCE_UID = 0x00020003
TRANSFER_SYNTAX_UID = 0x00020010
LOSSY_IMAGE_COMPRESSION = 0x00282110
FILE_META_GROUP_LENGTH = 0x00020000
FLOAT_PIXEL_DATA = 0x7FE00008
DOUBLE_PIXEL_DATA = 0x7FE00009
INTEGER_PIXEL_DATA = 0x7FE00010
PIXEL_DATA = frozenset({FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA, INTEGER_PIXEL_DATA})

# DICOMDIR (PS3.3 F.3): the directory itself and the elements that hold byte offsets.
DIRECTORY_RECORD_SEQUENCE = 0x00041220
FIRST_RECORD_OFFSET = 0x00041200
FIRST_RECORD_OFFSETS = frozenset({FIRST_RECORD_OFFSET, 0x00041202})
REFERENCED_FILE_ID = 0x00041500
NEXT_RECORD_OFFSET = 0x00041400
LOWER_RECORD_OFFSET = 0x00041420
RECORD_OFFSETS = frozenset({NEXT_RECORD_OFFSET, LOWER_RECORD_OFFSET, 0x00041504})

OWN = {tag: row for tag, row in NEWER_ATTRIBUTES.items() if tag not in DicomDictionary}
"""Tag to VR and keyword of what pydicom's dictionary does not have."""

_OWN_TAGS = {keyword: tag for tag, (_, keyword) in OWN.items()}

STRUCTURE = (
    FIRST_RECORD_OFFSETS
    | RECORD_OFFSETS
    | {SPECIFIC_CHARACTER_SET, FILE_META_GROUP_LENGTH, TRANSFER_SYNTAX_UID, DIRECTORY_RECORD_SEQUENCE}
)
"""Elements that say how the file itself is encoded; no spec may replace them."""


NEVER_BY_PATTERN = STRUCTURE | PIXEL_DATA
"""What patterns and keys with x digits leave alone."""

ALL_VRS = frozenset(str(vr) for vr in VR if len(vr) == 2)
"""The VRs of PS3.5 6.2."""


def is_replaceable(tag: int) -> bool:
    """Whether a key for many elements may name one with a tag."""
    return tag not in NEVER_BY_PATTERN and tag >> 16 not in {0x0000, 0x0002, 0xFFFE} and bool(tag & 0xFFFF)


def text_of(tag: int) -> str:
    """The usual way to write a tag: ``(0010,0020)``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


@lru_cache(maxsize=4096)
def label_of(tag: int) -> str:
    """The keyword of a tag, or the tag itself where the dictionary has none."""
    return keyword_of(tag) or text_of(tag)


def keyword_of(tag: int) -> str:
    """The keyword of a tag; "" where the dictionary has none."""
    return OWN[tag][1] if tag in OWN else datadict.keyword_for_tag(tag)


@lru_cache(maxsize=65536)
def vr_of(tag: int) -> str:
    """The VR that the dictionary gives a public element, e.g. ``"LO"`` or ``"US or SS"``.

    Returns:
        "" where the dictionary does not know the tag. Group lengths are "UL"
        (PS3.5 7.2) and private creators "LO" (PS3.5 7.8.1).
    """
    try:
        return _expanded_vrs.get(tag) or datadict.dictionary_VR(tag)
    except KeyError:
        if tag in OWN:
            return OWN[tag][0]
        if tag & 0xFFFF == 0:
            return "UL"
        if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
            return "LO"
        return ""


def is_unknown(tag: int) -> bool:
    """Whether no dictionary knows a public element; what says how the file is encoded is never unknown."""
    if tag in DicomDictionary or tag >> 16 & 1 or tag >> 16 == 0xFFFE:
        return False
    return not vr_of(tag)


def expanded(mask: str) -> list[int]:
    """Every number of a mask of hex digits and x, such as ``"10xx"``."""
    digits = (("0123456789abcdef" if digit == "x" else digit) for digit in mask)
    return [int("".join(combination), 16) for combination in itertools.product(*digits)]


def _expanded(mask: str) -> Iterator[int]:
    """Every even-group tag of a repeater mask such as ``"60xx3000"``."""
    return (tag for tag in expanded(mask) if not tag >> 16 & 1)


_expanded_vrs: dict[int, str] = {}
"""VRs of repeaters that were expanded: pydicom compares a tag with each mask in turn."""


@cache
def _repeaters() -> dict[str, str]:
    """Keyword to mask of the repeating groups."""
    return {row[4]: mask for mask, row in RepeatersDictionary.items() if row[4]}


@cache
def all_keywords() -> tuple[str, ...]:
    """Every keyword of the dictionary, in the order of the tags, the repeaters last."""
    known = {tag: row[4] for tag, row in DicomDictionary.items() if tag >> 16 != 0xFFFE}
    known |= {tag: row[1] for tag, row in OWN.items()}
    keywords = (known[tag] for tag in sorted(known))
    return tuple(keyword for keyword in itertools.chain(keywords, _repeaters()) if keyword)


def is_keyword(text: str) -> bool:
    """Whether the dictionary knows the keyword."""
    if not text:
        return False
    return datadict.tag_for_keyword(text) is not None or text in _OWN_TAGS or text in _repeaters()


@lru_cache(maxsize=8192)
def tags_of(keyword: str) -> tuple[int, ...]:
    """Every tag of a keyword: one, or many for a repeating group; none if unknown."""
    if not keyword:  # the dictionary has nameless rows
        return ()
    tag = datadict.tag_for_keyword(keyword)
    if tag is None:
        tag = _OWN_TAGS.get(keyword)
    if tag is not None:
        return (int(tag),)
    mask = _repeaters().get(keyword)
    if mask is None:
        return ()
    tags = tuple(_expanded(mask))
    _expanded_vrs.update(dict.fromkeys(tags, RepeatersDictionary[mask][0]))
    return tags


def all_tags() -> frozenset[int]:
    """Every tag of the dictionary, with a keyword or without; those of repeating groups are left out."""
    return frozenset({*DicomDictionary, *OWN})


def tags_of_group(group: int) -> frozenset[int]:
    """Every tag of a group that the standard knows; those of repeating groups are left out."""
    return frozenset(tag for tag in DicomDictionary if tag >> 16 == group)


def name_of_uid(uid: str) -> str | None:
    """What the standard calls a UID (PS3.6 Annex A); None for one that it does not register."""
    row = UID_dictionary.get(uid)
    return row[0] if row else None


@cache
def _longest_keyword() -> int:
    return max(map(len, all_keywords()))


def leading_keyword(text: str) -> str:
    """The longest known keyword that the text begins with; "" if none does."""
    for length in range(min(len(text), _longest_keyword()), 0, -1):
        if is_keyword(text[:length]):
            return text[:length]
    return ""


def nearest_keyword(text: str) -> str:
    """The known keyword that is spelt most like the text; "" if none is near."""
    lowered = {keyword.lower(): keyword for keyword in all_keywords()}
    if exact := lowered.get(text.lower().replace(" ", "")):
        return exact
    near = difflib.get_close_matches(text.lower(), lowered, n=1, cutoff=0.75)
    return lowered[near[0]] if near else ""


_TYPE_1 = """
    PatientID StudyDate StudyTime StudyID SeriesNumber InstanceNumber ContentDate ContentTime ContentLabel
    StructureSetLabel RTPlanLabel PresentationCreationDate PresentationCreationTime
"""


_TYPE_2 = """
    PatientName StudyDescription AccessionNumber ContentDescription ContentCreatorName StructureSetDate
    StructureSetTime RTPlanDate RTPlanTime TreatmentDate TreatmentTime
"""


TYPE_1 = frozenset(tag for keyword in _TYPE_1.split() for tag in tags_of(keyword))
"""What some record has to hold with a value (PS3.3 F.5)."""


TYPE_2 = frozenset(tag for keyword in _TYPE_2.split() for tag in tags_of(keyword))
"""What some record has to hold, though it may be empty."""
