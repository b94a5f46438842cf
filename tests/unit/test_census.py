"""The count of what stays: it finds what a scan with an object for each element finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import BIG, EXPLICIT, IMPLICIT, Form, element, file_of, nested, rules_of, sequence, written
from installed import BUNDLED
from support import README_SPEC, SHARED

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.core.file_survey import FileSurvey, Remaining
from pfdicom_tagSub.dicom.edits import pieces
from pfdicom_tagSub.dicom.elements import Element
from pfdicom_tagSub.dicom.file import DicomFile, parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Output, Patcher
from pfdicom_tagSub.engine.survey_basis import SurveyOptions
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import BASIC, load
from pfdicom_tagSub.spec.rules import RuleSet

KEY = SurveyOptions(bytes(16))
RULES = {
    "readme": rules_of(README_SPEC),
    "private": rules_of({"PatientName": "x", "private": None, "StudyDate": "%_keep_#tag"}),
    "sequences": rules_of({"ReferencedStudySequence": None, "re:.*Sequence": None, "PatientID": "x"}),
    "basic": compile_rules(load(BASIC).spec),
}


def files_below(folder: Path, most: int) -> Iterator[bytes]:
    """Some files that are no larger than these are."""
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20)
    random.Random(10).shuffle(found)
    yield from (path.read_bytes() for path in found[:most])


class Both:
    """One patcher that surveys with a census, one without, and one that surveys nothing."""

    def __init__(self, rules: RuleSet) -> None:
        self.counting = Patcher(rules, survey_options=KEY)
        self.walking = Patcher(rules, survey_options=KEY)
        assert self.walking.surveyor is not None
        self.walking.surveyor.census = None
        self.walking.is_local = False
        for patcher in (self.counting, self.walking):
            patcher.known_files = None  # patterns have tests of their own
        self.plain = Patcher(rules)

    def check(self, content: bytes) -> FileSurvey | None:
        """All three come to the same over a file; returns its survey."""
        try:
            source = BytesSource(content)
            file = parse(source)
        except (FileError, NotDicomError):
            return None
        surveys = []
        patches: list[object] = []
        scans: list[object] = []
        for patcher in (self.counting, self.walking, self.plain):
            scans.append(None)
            try:
                found = patcher.scan(file)
                scans[-1] = flat(found)
                patched = patcher.patch(file, found)
            except FileError as error:
                patches.append(str(error))
                surveys.append(None)
                continue
            # Edits next to each other may be one: their sum is compared.
            output = b"".join(pieces(source, Output(file, patched).chunks()))
            patches.append((output, patched.elements, sorted(patched.originals)))
            surveys.append(patched.survey)
        assert patches[0] == patches[1] == patches[2]
        assert surveys[0] == surveys[1]
        assert scans[0] == scans[1]
        return surveys[0]


def flat(elements: list[Element]) -> list[object]:
    """All that is known of elements."""
    return [(repr(one), getattr(elements, "is_certain", None)) for one in elements]


def counted(content: bytes, rules: RuleSet) -> dict[Remaining, int]:
    """What stays of a file."""
    with Caches():
        survey = Both(rules).check(content)
    assert survey is not None
    return dict(survey.left)


@pytest.mark.parametrize("name", RULES)
def test_census_finds_in_real_files_what_a_walk_finds_and_again_when_they_come_back(name: str) -> None:
    both = Both(RULES[name])
    contents = list(files_below(BUNDLED, 60))
    with Caches():
        surveys = [[both.check(content) for content in contents] for _ in range(3)]
    assert surveys[0] == surveys[1] == surveys[2]
    assert sum(survey is not None for survey in surveys[0]) > 40


@pytest.mark.parametrize("tree", ["siemens-xa30", "ge-siemens-epi"])
def test_census_finds_in_series_what_a_walk_finds(tree: str) -> None:
    folder = SHARED / "corpus" / tree
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    both = Both(RULES["readme"])
    contents = list(files_below(folder, 40))
    with Caches():
        surveys = [both.check(content) for content in contents[:6] + contents]
    assert surveys.count(None) <= 2  # the licence


def patient(form: Form, items: bytes, *, blank: int = -1, lengths: bool = False) -> bytes:
    """A data set of some identifying attributes, one of which is perhaps blank, and a sequence."""
    rows = [
        (0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.4"),
        (0x00080020, "DA", b"20240102"),
        (0x00080060, "CS", b"MR"),
        (0x00081030, "LO", b"head"),
        (0x00100010, "PN", b"Doe^J"),
        (0x00100020, "LO", b"1"),
        (0x00101030, "DS", b"70.5"),
        (0x00190010, "LO", b"ACME"),
        (0x00191001, "FD", b"\0\0\0\0\0\0\xf0\x3f"),
    ]
    made = b""
    group = -1
    for place, (tag, vr, value) in enumerate(rows):
        if lengths and tag >> 16 != group:
            group = tag >> 16
            rest = (row for row in enumerate(rows) if row[1][0] >> 16 == group)
            size = sum(len(element(one, kind, value, form)) for _, (one, kind, value) in rest)
            order = "little" if form.little else "big"
            made += element(group << 16, "UL", size.to_bytes(4, order), form)  # type: ignore[arg-type]
        stored = bytes(len(value)) if vr == "FD" else b" " * len(value)
        made += element(tag, vr, stored if place == blank else value, form)
    return made + sequence(0x00400275, items, form) + element(0x7FE00010, "OW", bytes(64), form)


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize("lengths", [False, True])
def test_census_sees_which_values_are_blank(form: Form, lengths: bool) -> None:
    both = Both(RULES["readme"])
    item = element(0x00100010, "PN", b"Doe^K", form) if form is BIG else b""
    order = "little" if form.little else "big"
    item = element(0x00400007, "LO", b"chest", form) + item
    items = b"".join(
        (
            (0xFFFE).to_bytes(2, order),  # type: ignore[arg-type]
            (0xE000).to_bytes(2, order),  # type: ignore[arg-type]
            len(item).to_bytes(4, order),  # type: ignore[arg-type]
            item,
        )
    )
    with Caches():
        for blank in [*range(-1, 9), *range(-1, 9)]:
            survey = both.check(file_of(patient(form, items, blank=blank, lengths=lengths), form))
            assert survey is not None
            assert (Remaining(0x00080020, 0, is_kept=False) in survey.left) is (blank != 1)
            assert (Remaining(0, 0, is_kept=False) in survey.left) is (blank != 8)
            assert survey.left[Remaining(0x00400007, 1, is_kept=False)] == 1


def test_census_sees_blank_values_among_those_that_differ_from_file_to_file() -> None:
    both = Both(RULES["readme"])
    content = file_of(patient(EXPLICIT, b""))
    chance = random.Random(5)
    surveys = []
    with Caches():
        for _ in range(60):
            made = content
            for value in (b"20240102", b"head", b"70.5"):
                others = (value, value, value[::-1], b" " * len(value), bytes(len(value)))
                made = made.replace(value, chance.choice(others))
            surveys.append(both.check(made))
    counts = [len(survey.left) for survey in surveys if survey is not None]
    assert len(counts) == 60
    assert max(counts) - min(counts) == 3


def test_census_counts_nothing_in_a_sequence_that_goes() -> None:
    study = nested(nested(StudyDescription="a"), keyword="ReferencedStudySequence", StudyDate="20240102")
    left = counted(written(study), RULES["sequences"])
    assert {one.tag for one in left} >= {0x00080020}
    assert 0x00081030 not in {one.tag for one in left}
    assert 0x00081110 not in {one.tag for one in left}


def test_census_knows_what_a_rule_keeps() -> None:
    left = counted(written(nested(StudyDate="20240102", StudyTime="10")), RULES["private"])
    assert left[Remaining(0x00080020, 0, is_kept=True)] == 1
    assert left[Remaining(0x00080030, 0, is_kept=False)] == 1


def test_census_shares_the_surveys_of_files_in_which_the_same_stays() -> None:
    patcher = Patcher(RULES["readme"], survey_options=KEY)
    surveys = []
    with Caches():
        for number in range(4):
            content = file_of(patient(EXPLICIT, b""), instance=f"1.2.{number}")
            file: DicomFile = parse(BytesSource(content))
            surveys.append(patcher.patch(file, patcher.scan(file)).survey)
    assert surveys[0] == surveys[1] == surveys[2]
    assert surveys[2] is surveys[3]


def test_census_goes_through_a_data_set_once(monkeypatch: pytest.MonkeyPatch) -> None:
    patcher = Patcher(RULES["readme"], survey_options=KEY)
    file = parse(BytesSource(file_of(patient(EXPLICIT, b""))))
    with Caches():
        patcher.patch(file, patcher.scan(file))
        monkeypatch.setattr("pfdicom_tagSub.engine.patcher.scan", None)
        monkeypatch.setattr("pfdicom_tagSub.engine.survey_building.scan", None)
        assert patcher.patch(file, patcher.scan(file)).survey is not None
