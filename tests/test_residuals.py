"""What verification's search names, and what it leaves alone: no true one lost, few false alarms."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import EXPLICIT, data_set, element, file_of, item, nested, process, rules_of, sequence, written
from support import SHARED

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.models import FileJob, Status
from pfdicom_tagSub.rules import RuleSet
from pfdicom_tagSub.worker import Settings, Worker

KEY = b"a key that only these tests know"
CORPUS = SHARED / "corpus"
PROFILES = {
    "basic": "basic",
    "clean": "basic,retainLongitudinalModifiedDates,cleanDescriptors",
    "retain": "basic,retainUIDs,retainLongitudinalFullDates,retainDeviceIdentity",
}


def profile(name: str) -> RuleSet:
    """The rules of a profile under a key."""
    return compile_spec({}, profile=PROFILES[name], key=KEY)


def named(content: bytes, rules: RuleSet, folder: Path) -> tuple[str, ...]:
    """The elements that verification names in an output."""
    outcome = process(Worker(Settings(rules, verify=True, output_root=str(folder))), content, folder).outcome
    assert outcome.status is Status.WRITTEN, outcome.reason
    return outcome.residuals


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
@pytest.mark.parametrize("name", PROFILES)
def test_search_raises_few_false_alarms_on_real_files(name: str, tmp_path: Path) -> None:
    worker = Worker(Settings(profile(name), verify=True, output_root=str(tmp_path)))
    found = []
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file():
            outcome = worker.process(FileJob(str(path), str(tmp_path / "a.dcm"), path.name))
            found += [(path.name, residual) for residual in outcome.residuals]
            (tmp_path / "a.dcm").unlink(missing_ok=True)
    # The folders that a DICOMDIR names there are called by the ID of the patient.
    alarms = [one for one in found if not one[1].endswith("ReferencedFileID")]
    assert len(alarms) <= 3, alarms


# (VR or tag and text of what is replaced, of what stays, whether the search is to name it)
PAIRS = {
    "an institution called as its scanner": ("InstitutionName", "TOSHIBA", "Manufacturer", "TOSHIBA_MEC", 0),
    "an institution in another place": ("InstitutionName", "TOSHIBA", "FilterType", "TOSHIBA", 1),
    "a name in a manufacturer": ("PatientName", "Quibbleford^Ann", "Manufacturer", "Quibbleford Inc", 1),
    "a term that is a name": ("PatientName", "Perfusion^Mca", "ImageType", "DERIVED\\PRIMARY\\PERFUSION", 0),
    "a name in a CS": ("PatientName", "Quibbleford^Ann", "ImageType", "DERIVED\\PRIMARY\\QUIBBLEFORD", 1),
    "both names in a CS": ("PatientName", "Doe^Jane", "BodyPartExamined", "JANE DOE", 1),
    "a body part": ("StudyDescription", "Pancreas", "BodyPartExamined", "PANCREAS", 0),
    "a description": ("StudyDescription", "Carotids", "PositionReferenceIndicator", "Carotids", 0),
    "a long description": (
        "StudyDescription",
        "seen after Mrs Quibbleford fell",
        "PositionReferenceIndicator",
        "seen after Mrs Quibbleford fell",
        1,
    ),
    "a part of a number": ("PatientID", "88400", "RescaleSlope", "4.88400488", 0),
    "a number": ("PatientID", "4711234", "RescaleSlope", "4711234", 1),
    "a number with a sign and zeros": ("PatientID", "4711234", "RescaleSlope", "+004711234", 1),
    "an ID in another text": ("PatientID", "4711234", "FilterType", "f4711234", 1),
    "a UID": ("StudyInstanceUID", "1.2.3.4.5678.99", "FilterType", "1.2.3.4.5678.99", 1),
    "a name after an underscore": ("PatientName", "Jane_Quibbleford", "FilterType", "of Quibbleford", 1),
    "a name after a slash": ("PatientName", "Jane/Quibbleford", "FilterType", "of Quibbleford", 1),
    "a date": ("StudyDate", "20210304", "FilterType", "on 04.03.2021", 1),
}


@pytest.mark.parametrize("case", PAIRS)
def test_search_knows_where_a_value_gives_somebody_away(case: str, tmp_path: Path) -> None:
    replaced, original, kept, text, is_named = PAIRS[case]
    content = written(data_set(**{replaced: original, kept: text}))
    assert named(content, rules_of({replaced: None}), tmp_path) == ((kept,) if is_named else ())


def test_search_knows_what_an_option_keeps_on_purpose(tmp_path: Path) -> None:
    content = written(
        data_set(
            PatientName="Quibbleford^Ann",
            StationName="MR4711",
            PerformedStationAETitle="MR4711",
            StudyDate="20210304",
            PatientBirthDate="20210304",
            DeviceSerialNumber="67093",
            StudyInstanceUID="1.3.12.2.1107.5.2.43.67093.20210304",
        )
    )
    assert named(content, profile("retain"), tmp_path) == ()


def test_search_names_what_is_kept_though_it_holds_a_name(tmp_path: Path) -> None:
    content = written(data_set(PatientName="Quibbleford^Ann", StationName="room of Quibbleford"))
    assert named(content, profile("retain"), tmp_path) == ("StationName",)


def test_search_is_not_ended_by_a_kept_value_of_another_kind(tmp_path: Path) -> None:
    """A station that is called as the patient does not make the name of the patient anybody's."""
    content = written(
        data_set(PatientName="Quibbleford^Ann", StationName="QUIBBLEFORD", FilterType="for Quibbleford")
    )
    assert "FilterType" in named(content, profile("retain"), tmp_path)


def test_search_leaves_what_a_removed_sequence_says_of_its_codes(tmp_path: Path) -> None:
    """A profile says of each attribute whether it identifies: that goes for those in sequences, too."""
    inner = element(0x00080100, "SH", b"DAPI", EXPLICIT) + element(0x00080104, "LO", b"DAPI", EXPLICIT)
    data = element(0x00181160, "SH", b"DAPI", EXPLICIT)
    data += sequence(0x00400555, item(inner, EXPLICIT), EXPLICIT)
    assert named(file_of(data, EXPLICIT), profile("basic"), tmp_path) == ()


def test_search_names_a_person_of_a_removed_sequence(tmp_path: Path) -> None:
    made = nested(data_set(PersonName="Quibbleford^Ann"), StudyID="S", FilterType="by Quibbleford")
    assert named(written(made), profile("basic"), tmp_path) == ("FilterType",)
