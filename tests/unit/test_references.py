"""References, and dummies that link nobody, under a profile."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import FORMS, Form, data_set, process, read, written
from pydicom.dataset import Dataset

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.dicom.dictionary import vr_of
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

KEY = b"a key of the tests, 27 bytes"
BASIC = compile_spec({}, profile="basic", key=KEY)
STUDY_CLASS = "1.2.840.10008.3.1.2.3.1"
REFERENCES = ("ReferencedStudySequence", "ReferencedPerformedProcedureStepSequence")


def basic(made: Dataset) -> Dataset:
    """What the basic profile makes of a data set."""
    return read(patch_bytes(written(made), BASIC))


@pytest.mark.parametrize("keyword", REFERENCES)
def test_references_are_true_afterwards(keyword: str) -> None:
    outputs = []
    for number in "12":
        reference = data_set(ReferencedSOPClassUID=STUDY_CLASS, ReferencedSOPInstanceUID=f"1.2.3.{number}")
        outputs.append(
            basic(data_set(StudyInstanceUID=f"1.2.3.{number}", PatientID="P", **{keyword: [reference]}))
        )
    for output in outputs:
        (reference,) = output[keyword].value
        assert reference.ReferencedSOPInstanceUID == output.StudyInstanceUID
        assert reference.ReferencedSOPClassUID == STUDY_CLASS
    assert outputs[0].StudyInstanceUID != outputs[1].StudyInstanceUID


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize(
    "keyword", [*REFERENCES, "OperatorIdentificationSequence", "ContentSequence", "GraphicAnnotationSequence"]
)
def test_empty_sequence_stays_empty(keyword: str, form: Form, undefined: bool, tmp_path: Path) -> None:
    content = written(data_set(PatientID="P", **{keyword: []}), form, undefined=undefined)
    result = process(Worker(Settings(BASIC, verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert list(result.data_set[keyword].value) == []


def test_no_uid_below_the_root_of_the_standard_is_mapped() -> None:
    newest = "1.2.840.10008.5.1.4.1.1.999.7"
    reference = data_set(ReferencedSOPClassUID=newest, ReferencedSOPInstanceUID="1.2.840.100089.1")
    output = basic(data_set(PatientID="P", ReferencedImageSequence=[reference]))
    assert output.ReferencedImageSequence[0].ReferencedSOPClassUID == newest
    assert output.ReferencedImageSequence[0].ReferencedSOPInstanceUID != "1.2.840.100089.1"


@pytest.mark.parametrize("profile", ["basic", "basic,retainUIDs,retainInstitutionIdentity"])
def test_uids_of_who_keeps_the_original_are_replaced(profile: str) -> None:
    keywords = ("HomeCommunityID", "RepositoryUniqueID", "RetrieveLocationUID")
    made = data_set(PatientID="P", FileSetID="WARD7", **dict.fromkeys(keywords, "1.2.276.0.7.1"))
    output = read(patch_bytes(written(made), compile_spec({}, profile=profile, key=KEY)))
    assert all(output[keyword].value not in {"", "1.2.276.0.7.1"} for keyword in keywords)
    assert output.FileSetID in {"", None}


DUMMIES = {
    "SeriesDate": "20190314",
    "SeriesTime": "101112",
    "AcquisitionDateTime": "20190314101112",
    "StationName": "CT1",
    "ProtocolName": "HEAD",
    "SelectorASValue": "031Y",
    "ReasonForTheAttributeModification": "COERCE",
    "DestinationAE": "PACS",
}


def test_dummies_of_one_value_differ_between_patients() -> None:
    one, other, again = (basic(data_set(PatientID=who, **DUMMIES)) for who in ("A", "B", "A"))
    for keyword, original in DUMMIES.items():
        assert one[keyword] == again[keyword], keyword
        assert one[keyword] != other[keyword], keyword
        assert one[keyword].value not in {"", original}


def test_dummies_of_files_without_an_id_are_constant() -> None:
    one = basic(data_set(**DUMMIES))
    other = basic(data_set(**(DUMMIES | {"SeriesDate": "20200101", "StationName": "MR2"})))
    assert one.SeriesDate == other.SeriesDate
    assert one.StationName == other.StationName


def test_dummy_without_a_seed_is_one_per_value() -> None:
    rules = compile_spec({"SeriesDate": "%_dummy_#tag"}, key=KEY)
    dates = [
        read(patch_bytes(written(data_set(PatientID=who, SeriesDate=date)), rules)).SeriesDate
        for who, date in (("A", "20190314"), ("B", "20190314"), ("A", "20190315"))
    ]
    assert dates[0] == dates[1] != dates[2]
    assert vr_of(0x00080021) == "DA"
