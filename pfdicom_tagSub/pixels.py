"""Which files may show a person in their pixels, so that somebody has to look at them.

No program reads pixels here. A file is named if it says itself that it has annotation
burned in, or is of a kind that commonly has.
"""

from __future__ import annotations

from .scope import Scope

SOP_CLASS_UID = 0x00080016
IMAGE_TYPE = 0x00080008
MODALITY = 0x00080060
CONVERSION_TYPE = 0x00080064
BURNED_IN_ANNOTATION = 0x00280301
RECOGNIZABLE_VISUAL_FEATURES = 0x00280302
ENCAPSULATED_DOCUMENT = 0x00420011

REVIEWED = frozenset(
    {
        SOP_CLASS_UID,
        IMAGE_TYPE,
        MODALITY,
        CONVERSION_TYPE,
        BURNED_IN_ANNOTATION,
        RECOGNIZABLE_VISUAL_FEATURES,
        ENCAPSULATED_DOCUMENT,
    }
)
"""What has to be known of a file."""

_STORAGE = "1.2.840.10008.5.1.4.1.1."

# SOP classes by the numbers after the root of the storage classes (PS3.6 A).
_KINDS = (
    ("an encapsulated document", ("104.",)),
    ("a secondary capture", ("7", "7.")),
    ("ultrasound", ("3", "3.1", "6", "6.1", "6.2", "6.3")),
    ("a photograph or video", ("77.",)),  # visible light, whole slides and their labels included
)
_SOUND = "9.4."
_WITHOUT_PIXELS = frozenset({"77.1.5.3"})  # Stereometric Relationship

_MODALITIES = {
    "US": "ultrasound",
    "IVUS": "ultrasound",
    "SC": "a secondary capture",
    "OT": "a secondary capture",
    "DOC": "an encapsulated document",
    "XC": "a photograph or video",
    "ES": "a photograph or video",
    "GM": "a photograph or video",
    "DMS": "a photograph or video",
    "OP": "a photograph or video",
}

_FLUOROSCOPIC = frozenset({"XA", "RF", "XF", "BI"})
_CAPTURES = ("SECONDARY", "SCREEN", "CAPTURE", "PRINT")


def reason_to_review(root: Scope) -> str:
    """Why a person should look at the pixels of a file; "" where nothing suggests that.

    Args:
        root: its data set, of which a scan kept ``REVIEWED``.
    """
    if "YES" in _texts(root, BURNED_IN_ANNOTATION):
        return "it says that it has burned-in annotation"
    if "YES" in _texts(root, RECOGNIZABLE_VISUAL_FEATURES):
        return "it says that it has recognizable visual features"
    kind = _kind(root)
    return f"{kind}, which commonly shows identifying text or features" if kind else ""


def _kind(root: Scope) -> str:
    classes = _texts(root, SOP_CLASS_UID)
    own = classes[0].removeprefix(_STORAGE) if classes and classes[0].startswith(_STORAGE) else ""
    if own in _WITHOUT_PIXELS:
        return ""
    if own.startswith(_SOUND):
        return "a sound recording"
    for kind, numbers in _KINDS:
        for number in numbers:
            if own == number or (number.endswith(".") and own.startswith(number)):
                return kind
    if ENCAPSULATED_DOCUMENT in root.elements:
        return "an encapsulated document"
    modality = next(iter(_texts(root, MODALITY)), "")
    if modality in _MODALITIES:
        return _MODALITIES[modality]
    image_type = _texts(root, IMAGE_TYPE)
    if CONVERSION_TYPE in root.elements:
        return "a secondary capture"
    if modality in _FLUOROSCOPIC and any(word in text for text in image_type for word in _CAPTURES):
        return "a captured fluoroscopic image"
    if any(word in text for text in image_type[2:] for word in ("SCREEN", "CAPTURE")):
        return "a captured screen"
    return ""


def _texts(root: Scope, tag: int) -> tuple[str, ...]:
    element = root.elements.get(tag)
    return tuple(text.strip().upper() for text in root.value(element).texts) if element is not None else ()
