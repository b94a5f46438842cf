"""Random small data sets and specs for property tests."""

from __future__ import annotations

from typing import Any

from builders import EXPLICIT, SOP_CLASS, Form, written
from hypothesis import strategies as st
from oracle import Keyword, Template, Use
from pydicom import Dataset, datadict
from pydicom.dataelem import DataElement
from pydicom.sequence import Sequence

ASCII = "abcXYZ019 .-_%#"
LATIN = ASCII + "éßÅ"

SEQUENCES = ["RequestAttributesSequence", "ContentSequence", "ReferencedStudySequence"]
CREATORS = ["ACME 1", "OTHER", "SIEMENS CSA HEADER"]


def texts(alphabet: str, most: int = 12) -> st.SearchStrategy[str]:
    """Texts without blanks at their ends, which no reader can tell from padding."""
    return st.text(alphabet, max_size=most).map(str.strip)


def _several(alphabet: str) -> st.SearchStrategy[list[str]]:
    """Two to four texts, not all of them empty: several empty values come back as one."""
    return st.lists(texts(alphabet, 5), min_size=2, max_size=4).filter(any)


def _values(keyword: str, alphabet: str) -> st.SearchStrategy[Any]:
    return {
        "PatientName": st.one_of(texts(alphabet), _several(alphabet)),
        "PatientID": texts(alphabet),
        "OtherPatientIDs": _several(alphabet),
        "AccessionNumber": texts(alphabet),
        "PatientComments": st.one_of(texts(alphabet, 30), st.just("a\\b\r\nc")),
        "StudyDate": st.sampled_from(["", "20200229", "19991231"]),
        "StudyTime": st.sampled_from(["", "1200", "120000.123"]),
        "SOPInstanceUID": st.sampled_from(["1.2.3", "1.2.34", "2.25.123456789"]),
        "Modality": st.sampled_from(["MR", "CT", ""]),
        "PatientWeight": st.sampled_from(["70", "70.5", ""]),
        "ImagePositionPatient": st.just(["1", "-2.50", "3e1"]),
        "SeriesNumber": st.sampled_from(["", "1", "12345"]),
        "Rows": st.sampled_from([0, 1, 65535]),
        "DiffusionBValue": st.sampled_from([0.0, 1000.5, [1.0, 2.0]]),
        "FrameIncrementPointer": st.sampled_from([0x00181063, [0x00100010, 0x00181065]]),
        "ICCProfile": st.sampled_from([b"", b"1234"]),
    }[keyword]


KEYWORDS = [
    "PatientName",
    "PatientID",
    "OtherPatientIDs",
    "AccessionNumber",
    "PatientComments",
    "StudyDate",
    "StudyTime",
    "SOPInstanceUID",
    "Modality",
    "PatientWeight",
    "ImagePositionPatient",
    "SeriesNumber",
    "Rows",
    "DiffusionBValue",
    "FrameIncrementPointer",
    "ICCProfile",
]


@st.composite
def data_sets(draw: st.DrawFn, alphabet: str = ASCII, depth: int = 0) -> Dataset:
    """Random data sets, nested up to three deep, with private blocks; the outermost is never empty."""
    made = Dataset()
    if depth == 0:
        made.SOPClassUID = SOP_CLASS
    for keyword in sorted(draw(st.sets(st.sampled_from(KEYWORDS), max_size=6 if depth else 10))):
        tag = int(datadict.tag_for_keyword(keyword) or 0)
        made.add(DataElement(tag, datadict.dictionary_VR(tag), draw(_values(keyword, alphabet))))
    for place, creator in enumerate(sorted(draw(st.sets(st.sampled_from(CREATORS), max_size=2)))):
        block = 0x10 + place
        made.add_new(0x00290000 | block, "LO", creator)
        made.add_new(0x00290008 | block << 8, "CS", draw(st.sampled_from(["MEDCOM", ""])))
        made.add_new(0x00290010 | block << 8, "OB", draw(st.sampled_from([b"", b"\1\2\3\4"])))
    if depth < 3:
        for keyword in draw(st.sets(st.sampled_from(SEQUENCES), max_size=2)):
            items = draw(st.lists(data_sets(alphabet, depth + 1), max_size=3))
            setattr(made, keyword, Sequence(items))
            made[keyword].is_undefined_length = draw(st.booleans())
            for item in items:
                item.is_undefined_length_sequence_item = draw(st.booleans())
    if depth == 0 and draw(st.booleans()):
        made.add_new(0x7FE00010, "OW", bytes(range(draw(st.sampled_from([0, 64, 200])))))
    return made


@st.composite
def files(draw: st.DrawFn, form: Form = EXPLICIT) -> bytes:
    """A random data set as a file."""
    charset = draw(st.sampled_from([None, "ISO_IR 100", "ISO_IR 192"]))
    made = draw(data_sets(LATIN if charset else ASCII))
    if charset:
        made.SpecificCharacterSet = charset
    return written(made, form)


SOURCES = ["PatientID", "PatientName", "AccessionNumber", "OtherPatientIDs", "StudyDate", "#tag", "Rows"]


@st.composite
def uses(draw: st.DrawFn) -> Use:
    """One directive."""
    function = draw(st.sampled_from(["", "", "md5", "strmsk", "nospc", "name"]))
    argument = {
        "": "",
        "md5": draw(st.sampled_from(["", "4", "32"])),
        "strmsk": draw(st.sampled_from(["******01", "**", "x*_*"])),
        "nospc": draw(st.sampled_from(["", "-", "_"])),
        "name": draw(st.sampled_from(["", "patientID"])),
    }[function]
    return Use(draw(st.sampled_from(SOURCES)), function, argument)


@st.composite
def templates(draw: st.DrawFn, *, is_literal_allowed: bool) -> Template:
    """A template that is no error in any spec."""
    if draw(st.integers(0, 5)) == 0:
        return None
    if draw(st.integers(0, 5)) == 0:
        return ("",)
    parts: list[str | Use | Keyword] = []
    for _ in range(draw(st.integers(1, 3))):
        parts.append(
            draw(st.one_of(uses(), uses(), st.just(Keyword()), st.text("aZ0 .%", min_size=1, max_size=3)))
        )
    if not any(isinstance(part, Use) for part in parts) and not is_literal_allowed:
        parts.append(draw(uses()))
    return tuple(parts)


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Template]:
    """A random spec."""
    found: dict[str, Template] = {}
    for key in draw(
        st.lists(
            st.sampled_from(
                [
                    *KEYWORDS,
                    *SEQUENCES,
                    "re:Patient.*",
                    "re:.*(Date|Time)$",
                    "re:.*ID",
                    "re:Series.*",
                    '(0029,"ACME 1",08)',
                    '(0029,"OTHER",10)',
                    "(0029,1008)",
                    "DeidentificationMethod",
                ]
            ),
            max_size=5,
            unique=True,
        )
    ):
        if key.startswith("("):  # in implicit VR the values of private elements are bytes to pydicom
            found[key] = draw(st.sampled_from([None, ("",)]))
            continue
        texts_allowed = key in {"PatientName", "PatientID", "PatientComments", "DeidentificationMethod"}
        found[key] = draw(templates(is_literal_allowed=texts_allowed))
    return found
