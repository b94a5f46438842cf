"""The examples: made anew to the same bytes, and changed by the documented command as expected."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from installed import contents, execute
from support import README_SPEC, ROOT, run_command

EXAMPLES = ROOT / "examples"
DICOM = EXAMPLES / "dicom"

MULLER = """\
(0008,0050) AccessionNumber: ACC-2021-0001 -> d11fc1c8
(0008,0080) InstitutionName: Hôpital Sainte-Anne -> InstitutionName
(0008,0081) InstitutionAddress: 1 rue des Exemples, Orléans -> InstitutionAddress
(0008,0090) ReferringPhysicianName: Lefèvre^Aurélie -> 7da7
(0010,0010) PatientName: Müller^Jürgen^^Dr. -> HENDRICKS^PETER^ANON
(0010,0020) PatientID: MRN-100234 -> 3ff6dc0
(0010,0030) PatientBirthDate: 19610723 -> 19610701
(0010,1040) PatientAddress: 12 Königstraße, Köln -> PatientAddress
"""
HEAD = """\
(0008,0082) InstitutionCodeSequence: (items: 1) -> (items: 0)
(0008,0082)[1](0008,0100) CodeValue: L100 -> (absent)
(0008,0082)[1](0008,0102) CodingSchemeDesignator: 99EX -> (absent)
(0008,0082)[1](0008,0104) CodeMeaning: Hôpital Sainte-Anne -> (absent)
(0008,1048) PhysiciansOfRecord: [Lefèvre^Aurélie, Núñez^Inés] -> [7da7, ab21]
(0029,1012)[1](0010,0010) PatientName: Müller^Jürgen^^Dr. -> HENDRICKS^PETER^ANON
(0029,1012)[1](0010,0020) PatientID: MRN-100234 -> 3ff6dc0
(0040,0275)[1](0008,0050) AccessionNumber: ACC-2021-0001 -> d11fc1c8
(0040,0275)[1](0032,1032) RequestingPhysician: Núñez^Inés -> ab21
"""
SCREEN = """\
(0400,0561)[1](0400,0550)[1](0010,0010) PatientName: Mueller^Juergen -> JUAREZ^HEATHER^ANON
(0400,0561)[1](0400,0550)[1](0010,0020) PatientID: OLD-77 -> 081aa7c
(0400,0561)[1](0400,0550)[1](0010,0030) PatientBirthDate: 19610713 -> 19610701
(7FE1,1001)[1](0010,0010) PatientName: Müller^Jürgen^^Dr. -> HENDRICKS^PETER^ANON
"""
YAMADA = """\
(0008,0050) AccessionNumber: ACC-2021-0002 -> 73ba025c
(0008,0090) ReferringPhysicianName: Suzuki^Hanako=鈴木^花子 -> 080e
(0010,0010) PatientName: Yamada^Tarou=山田^太郎=やまだ^たろう -> SMITH^LISA^ANON
(0010,0020) PatientID: JP-0042 -> 292372a
(0010,0030) PatientBirthDate: 19480229 -> 19480201
"""
CHEST = """\
(0008,0080) InstitutionName: 架空病院 -> InstitutionName
(0008,1040) InstitutionalDepartmentName: 放射線科 -> InstitutionalDepartmentName
(0018,A001)[1](0008,0080) InstitutionName: 架空病院 -> InstitutionName
(0040,0275)[1](0040,0100)[1](0040,0006) ScheduledPerformingPhysicianName: Suzuki^Hanako=鈴木^花子 -> 080e
"""
REPORT = "(0040,A370)[1](0008,0050) AccessionNumber: ACC-2021-0002 -> 73ba025c\n"
CHANGES = {
    "patient-1/mr-head/slice-1.dcm": MULLER + HEAD,
    "patient-1/mr-head/slice-2.dcm": MULLER + HEAD,
    "patient-1/screen/capture.dcm": MULLER + SCREEN,
    "patient-2/ct-chest/slice-1.dcm": YAMADA + CHEST,
    "patient-2/report.dcm": YAMADA + REPORT,
}
"""What the spec of the README changes in each file, in the words of show_changes.py."""


def show_changes(before: Path, after: Path) -> str:
    """What examples/show_changes.py prints."""
    words = [sys.executable, "-X", "utf8", str(EXAMPLES / "show_changes.py"), str(before), str(after)]
    done = execute(words)
    assert (done.code, done.err) == (0, "")
    return done.out


@pytest.fixture(scope="module")
def anonymous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The outputs of the example job."""
    outputs = tmp_path_factory.mktemp("examples") / "anon"
    done = run_command(DICOM, outputs, "--tagFile", str(EXAMPLES / "spec.json"))
    assert done.code == 0
    assert "6 files: 5 written, 0 unchanged, 1 skipped, 0 failed" in done.err
    return outputs


def test_examples_are_made_to_the_same_bytes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(EXAMPLES / "make_examples.py"), str(tmp_path)], check=True)
    assert contents(tmp_path) == contents(DICOM)


def test_examples_are_small() -> None:
    assert sum(map(len, contents(DICOM).values())) < 100_000


def test_examples_hold_what_they_are_there_to_show() -> None:
    data_sets = {name: pydicom.dcmread(DICOM / name) for name in CHANGES}
    character_sets = {str(data_set.SpecificCharacterSet) for data_set in data_sets.values()}
    assert character_sets == {"ISO_IR 100", "['', 'ISO 2022 IR 87']", "ISO_IR 192"}
    assert {data_set.file_meta.TransferSyntaxUID.name for data_set in data_sets.values()} == {
        "Explicit VR Little Endian",
        "Implicit VR Little Endian",
    }
    assert (
        data_sets["patient-1/screen/capture.dcm"]["OriginalAttributesSequence"].is_undefined_length is False
    )
    assert data_sets["patient-2/ct-chest/slice-1.dcm"]["RequestAttributesSequence"].is_undefined_length
    assert max(data_sets["patient-1/screen/capture.dcm"].keys()) > pydicom.tag.Tag("PixelData")


def test_examples_change_as_expected(anonymous: Path) -> None:
    shown = show_changes(DICOM, anonymous)
    notes, *rest = shown.splitlines()
    assert notes == f"notes.txt: not in {anonymous}"
    expected = []
    for name, lines in CHANGES.items():
        changes = sorted(lines.splitlines())
        expected += [f"{name}: elements that differ: {len(changes)}", *(f"    {line}" for line in changes)]
    assert rest == expected


def test_examples_keep_every_other_byte(anonymous: Path) -> None:
    hit = ("Patient", "Accession", "hysician", "stitution", "ddress")
    for name in CHANGES:
        before, after = pydicom.dcmread(DICOM / name), pydicom.dcmread(anonymous / name)
        assert after.file_meta == before.file_meta
        assert after.get("PixelData") == before.get("PixelData")
        for element in before:
            if element.VR != "SQ" and not any(part in element.keyword for part in hit):
                assert after[element.tag] == element


def test_examples_leave_no_name(anonymous: Path) -> None:
    for name, content in contents(anonymous).items():
        for secret in ("ller^", "Yamada", "MRN-", "OLD-77", "JP-0042", "Lef", "ACC-2021", "山田", "太郎"):
            for encoding in ("iso8859-1", "utf-8", "iso2022_jp"):
                if secret.isascii() or encoding != "iso8859-1":
                    assert secret.encode(encoding) not in content, f"{secret} in {name}"


def test_show_changes_finds_no_difference_between_equal_trees() -> None:
    lines = [line for line in show_changes(DICOM, DICOM).splitlines() if "differ: 0" not in line]
    assert lines == []


def test_example_spec_is_that_of_the_tests() -> None:
    assert json.loads((EXAMPLES / "spec.json").read_text("utf-8")) == README_SPEC
