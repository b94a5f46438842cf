"""Every row of PS3.15 Table E.1-1 under ``basic`` and under each option of it.

A file is made for each row that a file can hold: the attribute at the top level and in a
nested sequence, among values that name a person. The table is read here on its own.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from builders import EXPLICIT, IMPLICIT, Form, data_set, element, file_of, item, read, sequence, written
from pydicom import DataElement, Dataset, Sequence, datadict
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.uid import UID
from pydicom.valuerep import VALIDATORS

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.dicom import dictionary
from pfdicom_tagSub.dicom.edits import pieces
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Output, Patcher
from pfdicom_tagSub.spec.profile import TABLE_OPTIONS as OPTIONS
from pfdicom_tagSub.spec.rules import RuleSet

TABLE = Path(__file__).resolve().parents[2] / "tools" / "tables" / "table-e1-1.csv"
KEY = bytes(range(32))
FULL, MODIFIED = "retainLongitudinalFullDates", "retainLongitudinalModifiedDates"
SETS: dict[str, tuple[str, ...]] = {
    "basic": (),
    **{option: (option,) for option in OPTIONS},
    "all with full dates": tuple(option for option in OPTIONS if option != MODIFIED),
    "all with modified dates": tuple(option for option in OPTIONS if option != FULL),
}
"""The basic profile alone, with each of its options, and with as many as there can be."""

FAMILY, NUMBER = "MUSTERMANN", "MRN4711"
"""What the file says in PatientName and PatientID, and its texts mention."""

DATE, TIME = "20190823", "101112"
SHIFTED_MOST = 365
OUTER, INNER = "SharedFunctionalGroupsSequence", "FrameVOILUTSequence"
"""Sequences that the table does not name."""

TEXTS: dict[str, str] = {
    "AE": f"GATE {NUMBER}",
    "AS": "042Y",
    "CS": f"LUNG {NUMBER}",
    "DA": DATE,
    "DS": "71.5",
    "DT": f"{DATE}{TIME}.25+0200",
    "IS": "4242",
    "LO": f"lesion of {FAMILY} {NUMBER}",
    "LT": f"lesion of {FAMILY} {NUMBER} seen",
    "PN": f"{FAMILY}^Lesion",
    "SH": f"lesion {NUMBER}",
    "ST": f"lesion of {FAMILY} {NUMBER} seen",
    "TM": TIME,
    "UC": f"lesion of {FAMILY} {NUMBER}",
    "UI": "1.2.826.0.1.3680043.8.498.4711",
    "UR": "https://hospital.example/4711",
    "UT": f"lesion of {FAMILY} {NUMBER} seen",
}
NUMBERS: dict[str, object] = {"FD": 2.5, "FL": 2.5, "SL": -5, "SS": -5, "UL": 77, "US": 77, "AT": 0x00100010}
BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
CLEANED = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})
"""VRs of texts of which a part may stay."""

FREE_TEXT = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})
"""VRs of texts that a clean option cleans wherever another keeps them."""

SUBJECT = frozenset({"PatientID", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"})
"""What names the patient: the dummy comes from the value; those of all others from the patient."""


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Attributes:
        tag: the tag of its element, one of them where the row names many.
        name: its keyword, or the tag as the table has it.
        vr: the VR that the dictionary gives.
        action: what the basic profile does, choices decided.
        options: option to its code, without those that were decided to change nothing.
    """

    tag: int
    name: str
    vr: str
    action: str
    options: dict[str, str]

    def code(self, options: Iterable[str]) -> str:
        """What happens under these options: where one cleans what another keeps, it is cleaned."""
        codes = {self.options[option] for option in options if option in self.options}
        if codes and self.vr in FREE_TEXT and any(option.startswith("clean") for option in options):
            return "C"
        # An offset from UTC says no date: it is kept with the dates that are shifted.
        if self.name == "TimezoneOffsetFromUTC" and codes:
            return "K"
        return "C" if "C" in codes else "K" if codes else self.action


def _rows() -> Iterator[Row]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            decided = line["decision"].split()
            action = next((word for word in decided if ":" not in word), line["action"])
            if action == "out" or line["tag"] == "private" or line["tag"].startswith("(0002"):
                continue
            codes = dict(word.split(":") for word in line["options"].split())
            options = {name: code for name, code in codes.items() if f"{name}:basic" not in decided}
            digits = line["tag"].strip("()").replace(",xxxx", ",0030").replace("xx", "02")
            tag = int(digits.replace(",", ""), 16)
            vr = dictionary.vr_of(tag).split(" or ")[-1]
            yield Row(tag, line["keyword"] or line["tag"], vr, action, options)


ROWS = tuple(_rows())


@pytest.fixture(scope="module", autouse=True)
def _pydicom_of_today() -> Iterator[None]:
    """Let pydicom know the rows that are newer than its dictionary, or it reads them as UN in implicit VR."""
    newer = {tag: (vr, "1", "", "", keyword) for tag, (vr, keyword) in dictionary.OWN.items()}
    datadict.DicomDictionary.update(newer)
    yield
    for tag in newer:
        del datadict.DicomDictionary[tag]


def _value(row: Row) -> Any:
    """A valid value that names somebody, as far as the VR has room for that."""
    if row.vr == "SQ":
        inner = data_set(
            CodeValue="77477000", CodingSchemeDesignator="SCT", ReferencedSOPInstanceUID=TEXTS["UI"]
        )
        return Sequence([inner])
    if row.vr in BINARY:
        return b"\1\2\3\4\5\6\7\10"
    return TEXTS.get(row.vr) or NUMBERS[row.vr]


def _content_in_un(row: Row) -> bytes:
    """The same in explicit VR, but the element in UN, as of a writer that did not know it (PS3.5 6.2.2)."""
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, True
    write_data_element(buffer, DataElement(row.tag, row.vr, _value(row)), ["iso8859"])
    bare = buffer.getvalue()
    own = bare[:4] + b"UN\0\0" + bare[4:]
    elements = {
        0x00080016: element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.4", EXPLICIT),
        0x00080018: element(0x00080018, "UI", b"1.2.3.4", EXPLICIT),
        0x00100010: element(0x00100010, "PN", f"{FAMILY}^ERIKA".encode(), EXPLICIT),
        0x00100020: element(0x00100020, "LO", NUMBER.encode(), EXPLICIT),
        row.tag: own,
    }
    nested = item(sequence(_tag(INNER), item(own, EXPLICIT), EXPLICIT), EXPLICIT)
    elements[_tag(OUTER)] = sequence(_tag(OUTER), nested, EXPLICIT, defined=False)
    return file_of(b"".join(elements[tag] for tag in sorted(elements)))


def _tag(keyword: str) -> int:
    tag = next(iter(dictionary.tags_of(keyword)), None)
    assert tag is not None
    return tag


def _content(row: Row, form: Form) -> bytes:
    """A file that holds the element of a row at the top level and below two sequences."""
    inner = Dataset()
    inner.add(DataElement(row.tag, row.vr, _value(row)))
    root = data_set(SOPClassUID=UID("1.2.840.10008.5.1.4.1.1.4"), SOPInstanceUID="1.2.3.4", Modality="MR")
    root.PatientName, root.PatientID = f"{FAMILY}^ERIKA", NUMBER
    root.add(DataElement(row.tag, row.vr, _value(row)))
    middle = data_set()
    setattr(middle, INNER, Sequence([inner]))
    setattr(root, OUTER, Sequence([middle]))
    return written(root, form, undefined=form is IMPLICIT)


FORMS = {
    "explicit": lambda row: _content(row, EXPLICIT),
    "implicit": lambda row: _content(row, IMPLICIT),
    "un": _content_in_un,
}


@lru_cache(maxsize=len(FORMS))
def _files(form: str) -> tuple[tuple[Row, bytes, list[DataElement]], ...]:
    """Each row, its file, and the element at both places of it."""
    made = []
    for row in ROWS:
        content = FORMS[form](row)
        originals = _places(read(content), row.tag)
        made.append((row, content, [one for one in originals if one is not None]))
    return tuple(made)


def _patch(patcher: Patcher, content: bytes) -> bytes:
    source = BytesSource(content)
    file = parse(source)
    return b"".join(pieces(source, Output(file, patcher.patch(file, patcher.scan(file))).chunks()))


def _rules(*options: str, key: bytes | None = KEY) -> RuleSet:
    return compile_spec({}, profile=",".join(("basic", *options)), key=key)


def _places(made: Dataset, tag: int) -> list[DataElement | None]:
    """The element at the top level and in the nested sequence; None where it is gone."""
    inner = made[OUTER].value[0][INNER].value[0]
    return [one.get(tag) for one in (made, inner)]


def _valid(found: DataElement) -> bool:
    """Whether the VR allows a value, that something is there included."""
    if found.VR == "SQ":
        return all(len(one) for one in found.value) and len(found.value) > 0
    if found.VR in BINARY:
        return len(found.value) > 0 and len(found.value) % 2 == 0
    if found.is_empty:
        return False
    if found.VR == "UI":
        return UID(found.value).is_valid and len(found.value) <= 64
    validator: Callable[[str, str], tuple[bool, str]] | None = VALIDATORS.get(found.VR)
    return validator is None or found.VR not in TEXTS or validator(found.VR, str(found.value))[0]


def _days(found: DataElement, original: str) -> int:
    def day(text: str) -> date:
        return date(int(text[:4]), int(text[4:6]), int(text[6:8]))

    return (day(original) - day(str(found.value))).days


def _problem(
    row: Row, code: str, found: DataElement | None, original: DataElement, *, keeps_uids: bool
) -> str:
    """What is wrong with what became of an element; "" if nothing is."""
    if code == "X":
        return "" if found is None else "it is still there"
    if found is None:
        return "it is gone"
    if row.vr != found.VR:
        return f"its VR is {found.VR}"
    match code:
        case "Z":
            return "" if found.is_empty or (_valid(found) and found.value != original.value) else "not empty"
        case "D":
            if found.value == original.value:
                return "it is the original"
            return "" if _valid(found) else "no valid dummy"
        case "U" if row.vr != "SQ":
            return "" if _valid(found) and found.value != original.value else "no other UID"
        case "K" if row.vr != "SQ":
            return "" if found.value == original.value else "it changed"
    if row.vr == "SQ":  # K, C, U and what is walked: its elements have rows of their own
        if not found.value:
            return "its items are gone"
        kept = [found.value[0].get(name) for name in ("CodeValue", "CodingSchemeDesignator")]
        if kept != ["77477000", "SCT"]:
            return "its elements are gone"
        is_new = found.value[0].ReferencedSOPInstanceUID != TEXTS["UI"]
        return "" if is_new != keeps_uids else "a UID in it"
    return _problem_of_cleaned(row, found, original)


def _problem_of_cleaned(row: Row, found: DataElement, original: DataElement) -> str:
    text = str(found.value)
    if row.vr in {"DA", "DT"}:
        if found.is_empty or not 1 <= _days(found, str(original.value)) <= SHIFTED_MOST:
            return "its date is not shifted"
        return "" if text[8:] == str(original.value)[8:] else "more than its date changed"
    if row.vr in CLEANED:
        if FAMILY.lower() in text.lower() or NUMBER in text:
            return "an identifier is left"
        words = {word.lower() for word in ("lesion", "seen", "GATE", "LUNG") if word in str(original.value)}
        return "" if all(word in text.lower() for word in words) and _valid(found) else "a word is lost"
    return "" if found.value == original.value else "it changed"


@pytest.mark.combined
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SETS)
def test_row_becomes_what_its_code_says(name: str, form: str) -> None:
    options = SETS[name]
    patcher = Patcher(_rules(*options))
    problems = []
    for row, content, originals in _files(form):
        found = _places(read(_patch(patcher, content)), row.tag)
        for place, one, original in zip(("root", "item"), found, originals, strict=True):
            code = row.code(options)
            if problem := _problem(row, code, one, original, keeps_uids="retainUIDs" in options):
                problems.append(f"{row.name} {row.vr} {code} in the {place}: {problem}")
        if found[0] != found[1]:
            problems.append(f"{row.name}: not the same at both places")
    assert problems == []


@lru_cache(maxsize=4)
def _dummies(key: bytes | None, form: str) -> dict[str, tuple[str, str]]:
    """VR and value that the rows with action D get, by their names; without sequences and UIDs."""
    patcher = Patcher(_rules(key=key))
    found = {}
    for row, content, _ in _files(form):
        if row.action == "D" and row.vr not in {"SQ", "UI"}:
            dummy = read(_patch(patcher, content))[row.tag]
            found[row.name] = (dummy.VR, str(dummy.value))
    return found


def test_dummy_is_the_same_for_the_same_value() -> None:
    dummies = _dummies(KEY, "explicit")
    assert len({dummies[name] for name in SUBJECT}) == 1
    different = {dummy for name, dummy in dummies.items() if name not in SUBJECT}
    assert len(different) == len({vr for vr, _ in different}) > 8
    assert _dummies(KEY, "explicit") == _dummies(KEY, "implicit") == _dummies(KEY, "un")


def test_dummy_without_a_key_is_a_constant_of_its_vr() -> None:
    other = data_set(PatientID="SOMETHING ELSE", SOPInstanceUID="1.2.3.4")
    without = _patch(Patcher(_rules(key=None)), written(other))
    assert read(without).PatientID == _dummies(None, "explicit")["PatientID"][1]
    under_key = _patch(Patcher(_rules()), written(other))
    assert read(under_key).PatientID != _dummies(KEY, "explicit")["PatientID"][1]


def test_rows_are_all_of_the_table() -> None:
    with TABLE.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    left = {line["tag"] for line in lines} - {f"({row.tag >> 16:04X},{row.tag & 0xFFFF:04X})" for row in ROWS}
    # Commands, which no file holds; file meta and private elements, below; and those with x digits, above.
    assert len(lines) == 657
    assert left == {
        "(0000,1000)", "(0000,1001)", "(0002,0003)", "(50xx,xxxx)", "(60xx,3000)", "(60xx,4000)", "private",
    }  # fmt: skip


@pytest.mark.parametrize("options", SETS.values(), ids=SETS)
def test_overlays_and_curves_go_in_every_group(options: tuple[str, ...]) -> None:
    made = data_set(PatientID=NUMBER, Modality="MR")
    for group in (0x5000, 0x5002, 0x501E, 0x50FE, 0x6000, 0x6002, 0x601E, 0x60FE):
        made.add_new(group << 16 | 0x0010, "US", 4)
        made.add_new(group << 16 | 0x3000, "OW", b"\1\2\3\4")
        made.add_new(group << 16 | 0x4000, "LT", f"lesion of {NUMBER}")
    result = read(_patch(Patcher(_rules(*options)), written(made)))
    assert [found.tag for found in result if found.tag.group >> 8 in {0x50, 0x60}] == []
    assert result.Modality == "MR"


@pytest.mark.parametrize("options", SETS.values(), ids=SETS)
def test_file_meta_follows_and_names_no_source(options: tuple[str, ...]) -> None:
    content = file_of(
        element(0x00080018, "UI", b"1.2.3", EXPLICIT),
        instance="1.2.3",
        extra=element(0x00020013, "SH", b"MAKER_1", EXPLICIT)
        + element(0x00020016, "AE", b"WARD4", EXPLICIT)
        + element(0x00020017, "AE", b"WARD5", EXPLICIT)
        + element(0x00020018, "AE", b"WARD6", EXPLICIT)
        + element(0x00020026, "UR", b"http://ward4", EXPLICIT)
        + element(0x00020027, "UR", b"http://ward5", EXPLICIT)
        + element(0x00020028, "UR", b"http://ward6", EXPLICIT)
        + element(0x00020100, "UI", b"1.2.3.9", EXPLICIT)
        + element(0x00020102, "OB", b"WARD7", EXPLICIT),
    )
    content = b"WARD8".ljust(128, b"\0") + content[128:]
    output = _patch(Patcher(_rules(*options)), content)
    assert b"WARD" not in output.upper()
    assert b"MAKER" not in output
    assert output[:128] == bytes(128)
    result = read(output)
    assert result.file_meta.MediaStorageSOPInstanceUID == result.SOPInstanceUID
    assert (result.SOPInstanceUID == "1.2.3") == ("retainUIDs" in options)
    assert result.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    assert (
        result.file_meta.FileMetaInformationGroupLength == len(output.partition(b"\x08\0\x18\0UI")[0]) - 144
    )


@pytest.mark.parametrize("options", SETS.values(), ids=SETS)
def test_private_elements_go_but_for_the_safe_ones(options: tuple[str, ...]) -> None:
    made = data_set(PatientID=NUMBER)
    safe = made.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    safe.add_new(0x0C, "IS", "1000")
    safe.add_new(0x0D, "CS", "BIPOLAR")
    safe.add_new(0x77, "LO", NUMBER)
    made.private_block(0x0029, "UNKNOWN", create=True).add_new(0x0C, "LO", NUMBER)
    result = read(_patch(Patcher(_rules(*options)), written(made)))
    kept = [0x00190010, 0x0019100C, 0x0019100D] if "retainSafePrivate" in options else []
    assert [found.tag for found in result if found.tag.is_private] == kept
