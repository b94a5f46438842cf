"""Which files may show a person in their pixels, so that somebody has to look at them.

No program reads pixels here. A file is named if it says itself that it has annotation
burned in, or is of a kind that commonly has.
"""

from __future__ import annotations

import re

from ..dicom.dictionary import (
    MANUFACTURER,
    MANUFACTURER_MODEL_NAME,
    MEDIA_STORAGE_SOP_CLASS_UID,
    MODALITY,
    PHOTOMETRIC_INTERPRETATION,
    SAMPLES_PER_PIXEL,
    SOP_CLASS_UID,
)
from ..dicom.scope import Scope

IMAGE_TYPE = 0x00080008
CONVERSION_TYPE = 0x00080064
BURNED_IN_ANNOTATION = 0x00280301
RECOGNIZABLE_VISUAL_FEATURES = 0x00280302
ENCAPSULATED_DOCUMENT = 0x00420011
STUDY_DESCRIPTION = 0x00081030
SERIES_DESCRIPTION = 0x0008103E

CAPTURE_DEVICES = frozenset(
    {0x00181010, 0x00181011, 0x00181012, 0x00181014, 0x00181016, 0x00181017}
    | {0x00181018, 0x00181019, 0x0018101A, 0x0018101B, 0x00181022, 0x00181023}
)
"""Devices of secondary capture and hardcopy, their makers, models, software and formats (PS3.3 C.8.6.1)."""

REVIEWED = frozenset(
    {
        SOP_CLASS_UID,
        IMAGE_TYPE,
        MODALITY,
        CONVERSION_TYPE,
        BURNED_IN_ANNOTATION,
        RECOGNIZABLE_VISUAL_FEATURES,
        ENCAPSULATED_DOCUMENT,
        STUDY_DESCRIPTION,
        SERIES_DESCRIPTION,
        SAMPLES_PER_PIXEL,
        PHOTOMETRIC_INTERPRETATION,
        MANUFACTURER,
        MANUFACTURER_MODEL_NAME,
        *CAPTURE_DEVICES,
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
_FILM = "1.2.840.10008.5.1.1."
"""The root of the classes of print management; stored hardcopy images have it, too."""

_SOUND = "9.4."
_WITHOUT_PIXELS = frozenset({"77.1.5.3"})  # Stereometric Relationship

_DENSITOMETRY = "a densitometry report"
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
    "SM": "a photograph or video",
    "HC": "a film page",
    "BMD": _DENSITOMETRY,
}

_OF_SLIDES = frozenset({"LABEL", "OVERVIEW"})
"""What an Image Type says of pictures of a whole slide with its label (PS3.3 C.8.12.4.1.1)."""

_FLUOROSCOPIC = frozenset({"XA", "RF", "XF", "BI"})
_CAPTURES = ("SECONDARY", "SCREEN", "CAPTURE", "PRINT")
_SCREENS = ("SCREEN", "CAPTURE", "DOSEREPORT", "DOSEINFO", "PATIENTPROTOCOL")
"""What an Image Type says of a picture of a screen or a report, letters only."""

_words_of = re.compile("[A-Z]+").findall
_REPORTS = frozenset({"REPORT", "PROT", "PROTOCOL", "FILM"})
"""Words of an Image Type that stand for a picture of text, such as CSA REPORT or CT_SOM5 PROT."""

_DESCRIBED = (
    *("SCREENSAVE", "SCREENSHOT", "SCREENCAPTURE", "SECONDARYCAPTURE", *_SCREENS[2:]),
    *("DOSESUMMARY", "DOSERECORD", "DOSEPROTOCOL", "DOSEPAGE", "EXAMPROTOCOL", "EXAMSUMMARY"),
    *("DOSISRAPPORT", "DOSERAPPORT", "REPORTDOSE", "RAPPORTODOSE", "RAPPORTODIDOSE"),
    *("DOSISBERICHT", "DOSISPROTOKOLL", "PATIENTENPROTOKOLL", "BILDSCHIRM"),
    *("RAPPORTDEDOSE", "RAPPORTDOSE", "CAPTUREDECRAN", "CAPTUREÉCRAN"),
    *("INFORMEDEDOSIS", "INFORMEDOSIS", "CAPTURADEPANTALLA"),
)
"""What a description of the series or the study says of one in four languages, letters only."""

_OF_BONES = ("DENSITOM", "DENSITOMÉTR", "BONEDENSITY", "OSTEODENSIT", "KNOCHENDICHTE")
_SCANS_OF_BONES = frozenset({"DXA", "DEXA", "BMD", "QDR"})
"""Likewise of densitometry, within a description and as a word of one; its reports come as DX and CR, too."""
_RADIOGRAPHY = frozenset({"CR", "DX"})
_DENSITOMETERS = (b"LUNAR", b"HOLOGIC", b"NORLAND")
"""Makers of which radiographs are reports of densitometry; the mammograms of one are MG."""


def reason_to_review(root: Scope) -> str:
    """Why a person should look at the pixels of a file, by its data set; "" where nothing suggests that.

    Args:
        root: its data set, of which a scan kept ``REVIEWED``.
    """
    if "YES" in _texts(root, BURNED_IN_ANNOTATION):
        return "it says that it has burned-in annotation"
    if "YES" in _texts(root, RECOGNIZABLE_VISUAL_FEATURES):
        return "it says that it has recognizable visual features"
    return _reason_of(_kind(root))


def reason_of_meta(root: Scope) -> str:
    """Why a person should look at the pixels of a file whose data set suggests nothing; "" for no reason.

    The file meta may name another SOP class than the data set, or the only one.

    Args:
        root: its data set, and beyond it the file meta.
    """
    meta = root.beyond
    own = meta.elements.get(MEDIA_STORAGE_SOP_CLASS_UID) if meta is not None else None
    if meta is None or own is None:
        return ""
    return _reason_of(_kind_of_class(meta.raw(own).decode("latin-1").strip(" \0")) or "")


def _reason_of(kind: str) -> str:
    return f"{kind}, which commonly shows identifying text or features" if kind else ""


def _kind(root: Scope) -> str:
    classes = _texts(root, SOP_CLASS_UID)
    kind = _kind_of_class(classes[0] if classes else "")
    if kind is not None:
        return kind
    if ENCAPSULATED_DOCUMENT in root.elements:
        return "an encapsulated document"
    modality = next(iter(_texts(root, MODALITY)), "")
    if modality in _MODALITIES:
        return _MODALITIES[modality]
    image_type = _texts(root, IMAGE_TYPE)
    if CONVERSION_TYPE in root.elements or not CAPTURE_DEVICES.isdisjoint(root.elements):
        return "a secondary capture"
    if modality in _FLUOROSCOPIC and any(word in text for text in image_type for word in _CAPTURES):
        return "a captured fluoroscopic image"
    described = _texts(root, SERIES_DESCRIPTION) + _texts(root, STUDY_DESCRIPTION)
    if _says(described, _OF_BONES) or any(
        not _SCANS_OF_BONES.isdisjoint(_words_of(one)) for one in described
    ):
        return _DENSITOMETRY
    if modality in _RADIOGRAPHY and _is_of_densitometer(root):
        return _DENSITOMETRY
    if _says(image_type, _SCREENS) or _says(described, _DESCRIBED):
        return "a captured screen"
    if any(not _REPORTS.isdisjoint(_words_of(text)) for text in image_type[1:]):
        return "a picture of a report"
    samples = _texts(root, SAMPLES_PER_PIXEL)
    colours = _texts(root, PHOTOMETRIC_INTERPRETATION)  # a palette has one sample
    if any(text.isdecimal() and int(text) > 1 for text in samples) or any(map(_is_colour, colours)):
        return "a picture in colour"
    if not modality and not _OF_SLIDES.isdisjoint(image_type):
        return _MODALITIES["SM"]
    return ""


def _is_of_densitometer(root: Scope) -> bool:
    made = [
        root.raw(root.elements[tag]).upper()
        for tag in (MANUFACTURER, MANUFACTURER_MODEL_NAME)
        if tag in root.elements
    ]
    return any(maker in text for text in made for maker in _DENSITOMETERS)


def _is_colour(photometric: str) -> bool:
    return bool(photometric) and not photometric.startswith("MONOCHROME")


def _kind_of_class(sop_class: str) -> str | None:
    """The kind that a SOP class is of; "" if it has no pixels, None if it does not tell."""
    if sop_class.startswith(_FILM):
        return "a film page"
    own = sop_class.removeprefix(_STORAGE) if sop_class.startswith(_STORAGE) else ""
    if own in _WITHOUT_PIXELS:
        return ""
    if own.startswith(_SOUND):
        return "a sound recording"
    for kind, numbers in _KINDS:
        for number in numbers:
            if own == number or (number.endswith(".") and own.startswith(number)):
                return kind
    return None


def _says(texts: tuple[str, ...], words: tuple[str, ...]) -> bool:
    """Whether a text has one of the words, whatever separates its parts."""
    letters = ["".join(filter(str.isalpha, text)) for text in texts]
    return any(word in text for text in letters for word in words)


def _texts(root: Scope, tag: int) -> tuple[str, ...]:
    element = root.elements.get(tag)
    return tuple(text.strip().upper() for text in root.value(element).texts) if element is not None else ()
