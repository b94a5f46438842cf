"""What stays in files that are alike: the count is that of a scan, file by file."""

from __future__ import annotations

import random

import pytest
from builders import EXPLICIT, IMPLICIT, element, file_of, item, rules_of, sequence
from support import README_SPEC

from pfdicom_tagSub.dicom.elements import Stretch
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.file_patterns import Outline
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine import alike_census
from pfdicom_tagSub.engine.census import Census, CensusResult, CensusScanner
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.engine.survey_basis import SurveyOptions
from pfdicom_tagSub.engine.surveyor import Surveyor
from pfdicom_tagSub.spec.rules import RuleSet

RULES = {
    "readme": rules_of(README_SPEC),
    "kept": rules_of(dict.fromkeys(["StudyDate", "ScheduledProcedureStepDescription"], "%_keep_#tag")),
    "sequences": rules_of({"RequestAttributesSequence": None, "PatientID": "x"}),
    "bytes": rules_of({"EncapsulatedDocument": None, "PatientID": "x"}),
    "within": rules_of({"ReferencedSOPInstanceUID": "1.2.3"}),
    "nothing": rules_of({"PatientBirthName": "x"}),
}
FRAMES = 0x52009230


def data_of(content: bytes) -> Stretch:
    return parse(BytesSource(content)).data


def surveyor_of(rules: RuleSet) -> Surveyor:
    surveyor = Patcher(rules, survey_options=SurveyOptions(bytes(16))).surveyor
    assert surveyor is not None
    return surveyor


def told(result: CensusResult | None) -> object:
    """All that a census says, to be compared."""
    if result is None:
        return None
    elements = None if result.elements is None else (list(result.elements), result.elements.is_certain)
    return dict(result.counted.remaining), result.counted.rules, result.kinds, elements


def scanned(surveyor: Surveyor, content: bytes) -> object:
    assert surveyor.census is not None
    return told(surveyor.census.count(data_of(content)))


def frame(chance: random.Random, *, odd: bool) -> bytes:
    """An item of a sequence, with a time and a position of its own."""
    time = chance.choice([b"20240102101112.5", b"20240102101112.12", b" " * 16, b""])
    inner = element(0x00189074, "DT", time, EXPLICIT) + element(0x00189151, "DT", b"2024", EXPLICIT)
    if odd:
        inner += element(0x00204000, "LT", b"of Doe", EXPLICIT)
    place = element(0x00200032, "DS", b"%d\\1\\2" % chance.randrange(10**4), EXPLICIT)
    around = sequence(0x00209111, item(inner, EXPLICIT), EXPLICIT)
    return item(around + sequence(0x00209113, item(place, EXPLICIT), EXPLICIT), EXPLICIT)


def content_of(chance: random.Random, *, frames: int = 0, odd: float = 0.0) -> bytes:
    """A file of a series: values, their lengths and what is blank differ from file to file."""

    def some(value: bytes) -> bytes:
        return chance.choice([value, value, b"", b" " * len(value), bytes(len(value)), value + b"12"])

    def number() -> bytes:
        return str(chance.randrange(10**4)).encode()

    def is_odd() -> bool:
        return chance.random() < odd

    requests = [
        item(element(0x00400007, "LO", some(b"chest"), EXPLICIT), EXPLICIT)
        for _ in range(chance.randrange(3))
    ]
    marks = item(element(0x00100010, "PN", b"Doe^J", EXPLICIT), EXPLICIT) if is_odd() else bytes(20)
    parts = [
        element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.4", EXPLICIT),
        element(0x00080018, "UI", b"1.2." + number(), EXPLICIT),
        element(0x00080020, "DA", some(b"20240102"), EXPLICIT),
        element(0x00080060, "CS", b"CT" if is_odd() else b"MR", EXPLICIT),
        element(0x00081030, "LO", b"head", EXPLICIT),
        element(0x00081070, "PN", some(b"Roe^R"), EXPLICIT),
        sequence(0x00081111, item(element(0x00081155, "UI", b"1.2.3.4\0", EXPLICIT), EXPLICIT), EXPLICIT),
        element(0x00100010, "PN", some(b"Doe^J"), EXPLICIT),
        element(0x00100020, "LO", some(b"1"), EXPLICIT),
        element(0x00101030, "DS", b"70.5", EXPLICIT),
        element(0x00180050, "DS", b"2.5", EXPLICIT),
        element(0x00190010, "LO", b"ACME", EXPLICIT),
        element(0x00191001, "FD", chance.choice([bytes(8), b"\0\0\0\0\0\0\xf0\x3f"]), EXPLICIT),
        element(0x00191002, "OB", chance.choice([marks, number() * 30, bytes(4), b""]), EXPLICIT),
        element(0x00200013, "IS", number(), EXPLICIT),
        *[element(0x00280010 + one, "US", b"\0\2", EXPLICIT) for one in range(8)],
        element(0x00380010, "LO", b"77", EXPLICIT),
        sequence(0x00400275, b"".join(requests), EXPLICIT),
    ]
    parts.append(element(0x00420011, "OB", number() * 4, EXPLICIT))
    if frames:
        shown = [frame(chance, odd=is_odd()) for _ in range(frames)]
        parts.append(sequence(FRAMES, b"".join(shown), EXPLICIT))
    parts.append(element(0x7FE00010, "OW", number() * 8, EXPLICIT))
    return file_of(b"".join(parts))


@pytest.fixture
def fitting(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Learns from each file, and notes which were counted without a scan of the whole."""
    monkeypatch.setattr(alike_census, "LEARNT_OF", 2)
    noted: list[bool] = []
    count = Census.count

    def noting(census: Census, data: Stretch) -> CensusResult | None:
        noted.append(False)
        return count(census, data)

    monkeypatch.setattr(Census, "count", noting)
    return noted


def is_as_scanned(rules: RuleSet, contents: list[bytes], noted: list[bool]) -> int:
    """How many files were counted by what they have in common; each as a scan counts it."""
    alike, scanning = surveyor_of(rules), surveyor_of(rules)
    fits = 0
    for content in contents:
        noted.clear()
        found = told(alike.count(data_of(content)))
        fits += not noted
        assert found == scanned(scanning, content)
    return fits


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("odd", [0.0, 0.2])
@pytest.mark.parametrize("frames", [0, 4])
def test_files_of_a_series_are_counted_as_a_scan_counts_them(
    fitting: list[bool], name: str, odd: float, frames: int
) -> None:
    chance = random.Random(f"{name} {odd} {frames}")
    contents = [content_of(chance, frames=frames, odd=odd) for _ in range(60)]
    assert is_as_scanned(RULES[name], contents, fitting) > 30


def test_other_files_among_those_of_a_series_are_counted_as_a_scan_counts_them(fitting: list[bool]) -> None:
    chance = random.Random(3)
    contents: list[bytes] = []
    for number in range(60):
        made = content_of(chance)
        if number % 5 == 4:  # one byte more, one less, another VR, another tag, the end missing
            at = chance.randrange(data_of(made).start + 8, len(made))
            made = chance.choice(
                [
                    made[:at] + b"\0" + made[at:],
                    made[:at] + made[at + 1 :],
                    made.replace(b"DS\4\0", b"LO\4\0"),
                    made.replace(b"\x10\x00\x30\x10", b"\x10\x00\x31\x10"),
                    made[:-2],
                    file_of(element(0x00100010, "PN", b"Doe^J", IMPLICIT), IMPLICIT),
                ]
            )
        contents.append(made)
    assert is_as_scanned(RULES["readme"], contents, fitting) > 20


def test_frames_of_known_forms_are_not_scanned(fitting: list[bool], monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(4)
    surveyor = surveyor_of(RULES["readme"])
    for _ in range(30):
        surveyor.count(data_of(content_of(chance, frames=5)))
    entered: list[int] = []
    scan = CensusScanner.element

    def noting(self: CensusScanner, *places: int) -> object:
        entered.append(places[0])
        return scan(self, *places)  # type: ignore[arg-type]

    monkeypatch.setattr(CensusScanner, "element", noting)
    content = content_of(chance, frames=5)
    fitting.clear()
    assert surveyor.count(data_of(content)) is not None
    start = content.index(b"\x00\x52\x30\x92")
    assert not fitting
    assert all(place < start for place in entered)


@pytest.mark.usefixtures("fitting")
def test_no_element_of_a_file_is_scanned_once_for_each_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(6)
    surveyor = surveyor_of(RULES["readme"])
    head = b"US\2\0\0"  # of rows and what follows them: more than a pattern takes in
    contents = [content_of(chance).replace(head + b"\2", head + bytes([number % 3])) for number in range(90)]
    scanned: list[int] = []
    scan = alike_census._CountedPattern._scan

    def noting(pattern: alike_census._CountedPattern, data: Stretch, place: int) -> object:
        scanned.append(place)
        return scan(pattern, data, place)

    monkeypatch.setattr(alike_census._CountedPattern, "_scan", noting)
    scans = 0
    for content in contents:
        scanned.clear()
        surveyor.count(data_of(content))
        assert len(set(scanned)) == len(scanned)
        scans += len(scanned)
    assert scans > 90


def test_files_that_have_nothing_in_common_are_seldom_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    learnt: list[Stretch] = []
    of = Outline.of

    def noting(data: Stretch) -> Outline | None:
        learnt.append(data)
        return of(data)

    monkeypatch.setattr(Outline, "of", noting)
    surveyor = surveyor_of(RULES["readme"])
    for number in range(800):
        parts = [
            element(tag << 16 | 0x10, "LO", b"%d" % number, EXPLICIT) for tag in range(9, 41 + number, 2)
        ]
        surveyor.count(data_of(file_of(b"".join(parts))))
    assert len(learnt) <= alike_census.CREDIT + 800 / alike_census.STRANGERS_PER_CREDIT


def test_a_few_files_are_not_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Outline, "of", None)
    surveyor = surveyor_of(RULES["readme"])
    chance = random.Random(5)
    for _ in range(alike_census.LEARNT_OF - 3):
        assert surveyor.count(data_of(content_of(chance))) is not None
