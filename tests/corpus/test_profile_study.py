"""UIDs and dates over a study whose objects refer to each other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from builders import data_set, read, written
from installed import run
from pydicom import Dataset, uid
from pydicom.fileset import FileSet

from pfdicom_tagSub.api import compile_spec, patch_bytes

KEY = bytes(range(32))
FULL, MODIFIED = "retainLongitudinalFullDates", "retainLongitudinalModifiedDates"
CLEAN = "cleanDescriptors,cleanStructuredContent,cleanGraphics"
ROOT = "1.2.826.0.1.3680043.8.498.4711"
SHIFTED = f"basic,{MODIFIED},{CLEAN}"


def _reference(sop_class: str, instance: str, **more: Any) -> Dataset:
    return data_set(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=instance, **more)


def study(patient: str, number: int) -> dict[str, Dataset]:
    """Images, a structure set, a report, a segmentation and a presentation state of a patient."""
    root = f"{ROOT}.{number}"
    images = [f"{root}.1.{index}" for index in range(3)]
    of_images = [_reference(uid.CTImageStorage, one) for one in images]

    def made(sop_class: str, modality: str, index: int, instance: str, **more: Any) -> Dataset:
        return data_set(
            SOPClassUID=sop_class,
            SOPInstanceUID=instance,
            StudyInstanceUID=f"{root}.9",
            SeriesInstanceUID=f"{root}.9.{index}",
            FrameOfReferenceUID=f"{root}.8",
            Modality=modality,
            PatientName="DOE^JANE",
            PatientID=patient,
            PatientBirthDate="19500101",
            StudyDate="20200301",
            StudyTime="101112",
            SeriesDate=f"2020030{index + 1}",
            ContentDate="20200309",
            StudyID="7",
            AccessionNumber="",
            SeriesNumber=index,
            InstanceNumber=index,
            **more,
        )

    files = {
        f"CT{index}": made(
            uid.CTImageStorage,
            "CT",
            0,
            instance,
            AcquisitionDateTime=f"2020030{index + 1}101112.25+0200",
            FrameReferenceDateTime="202002",
            RadiopharmaceuticalInformationSequence=[
                data_set(RadiopharmaceuticalStartDateTime="20200229235959-0500")
            ],
            SourceImageSequence=[_reference(uid.CTImageStorage, images[0])],
        )
        for index, instance in enumerate(images)
    }
    series = data_set(SeriesInstanceUID=f"{root}.9.0", ContourImageSequence=of_images)
    structure = f"{root}.2"
    files["RT"] = made(
        uid.RTStructureSetStorage,
        "RTSTRUCT",
        1,
        structure,
        StructureSetLabel="L",
        StructureSetDate="20200304",
        StructureSetTime="1200",
        ReferencedFrameOfReferenceSequence=[
            data_set(
                FrameOfReferenceUID=f"{root}.8",
                RTReferencedStudySequence=[
                    _reference("1.2.840.10008.3.1.2.3.1", f"{root}.9", RTReferencedSeriesSequence=[series])
                ],
            )
        ],
        ROIContourSequence=[data_set(ContourSequence=[data_set(ContourImageSequence=of_images[:1])])],
    )
    files["SR"] = made(
        uid.ComprehensiveSRStorage,
        "SR",
        2,
        f"{root}.3",
        CurrentRequestedProcedureEvidenceSequence=[
            data_set(
                StudyInstanceUID=f"{root}.9",
                ReferencedSeriesSequence=[
                    data_set(SeriesInstanceUID=f"{root}.9.0", ReferencedSOPSequence=of_images)
                ],
            )
        ],
        ContentSequence=[
            data_set(ValueType="IMAGE", RelationshipType="CONTAINS", ReferencedSOPSequence=of_images[1:2]),
            data_set(ValueType="UIDREF", RelationshipType="CONTAINS", UID=f"{root}.9.0"),
            data_set(
                ValueType="CONTAINER",
                ContentSequence=[
                    data_set(ValueType="DATE", Date="20200305"),
                    data_set(ValueType="DATETIME", DateTime="20200306120000.5+0100"),
                ],
            ),
        ],
    )
    segmentation = f"{root}.4"
    files["SEG"] = made(
        uid.SegmentationStorage,
        "SEG",
        3,
        segmentation,
        ReferencedSeriesSequence=[
            data_set(SeriesInstanceUID=f"{root}.9.0", ReferencedInstanceSequence=of_images)
        ],
        PerFrameFunctionalGroupsSequence=[
            data_set(
                DerivationImageSequence=[
                    data_set(SourceImageSequence=[_reference(uid.CTImageStorage, images[2])])
                ]
            )
        ],
    )
    files["PR"] = made(
        uid.GrayscaleSoftcopyPresentationStateStorage,
        "PR",
        4,
        f"{root}.5",
        PresentationCreationDate="20200307",
        PresentationCreationTime="12",
        ContentLabel="LABEL",
        ReferencedSeriesSequence=[
            data_set(SeriesInstanceUID=f"{root}.9.0", ReferencedImageSequence=of_images),
            data_set(
                SeriesInstanceUID=f"{root}.9.3",
                ReferencedImageSequence=[_reference(uid.SegmentationStorage, segmentation)],
            ),
        ],
        ReferencedStructureSetSequence=[_reference(uid.RTStructureSetStorage, structure)],
    )
    return files


def pairs_of(before: Dataset, after: Dataset) -> Iterator[tuple[str, str, str, str]]:
    """(keyword, VR, old, new) of every element that both have at the same place."""
    for new in after:
        if new.tag not in before:
            continue
        old = before[new.tag]
        if new.VR == "SQ":
            for one, other in zip(old.value, new.value, strict=True):
                yield from pairs_of(one, other)
        else:
            yield new.keyword, new.VR, str(old.value), str(new.value)


def processed(files: dict[str, Dataset], profile: str, key: bytes | None = KEY) -> dict[str, Dataset]:
    """The outputs, each by a patcher of its own, as separate processes would make them."""
    return {
        name: read(patch_bytes(written(made), compile_spec({}, profile=profile, key=key)))
        for name, made in files.items()
    }


def _uids(files: dict[str, Dataset], outputs: dict[str, Dataset]) -> set[tuple[str, str, str]]:
    return {
        (keyword, old, new)
        for name, made in files.items()
        for keyword, vr, old, new in pairs_of(made, outputs[name])
        if vr == "UI"
    }


@pytest.mark.parametrize("profile", ["basic,cleanStructuredContent,cleanGraphics", SHIFTED])
@pytest.mark.parametrize("key", [KEY, None], ids=["key", "no key"])
def test_every_reference_resolves(profile: str, key: bytes | None) -> None:
    files = study("MRN1", 1)
    outputs = processed(files, profile, key)
    found = _uids(files, outputs)
    mapping = {old: new for _, old, new in found}
    assert len(mapping) == len({(old, new) for _, old, new in found}) == len(set(mapping.values()))
    for old, new in mapping.items():
        assert (old == new) == (not old.startswith(ROOT))
        assert uid.UID(new).is_valid
    instances = {made.SOPInstanceUID for made in outputs.values()}
    referred = {new for keyword, _, new in found if keyword == "ReferencedSOPInstanceUID"}
    studies = {made.StudyInstanceUID for made in outputs.values()}
    assert referred - instances == studies
    assert len(studies) == 1
    # Nothing was lost on the way: the same number of elements refers to something.
    for name, made in files.items():
        assert _count(outputs[name]) == _count(made), name


def _count(made: Dataset) -> int:
    """How many UIDs of instances, series and frames of reference a data set names."""
    names = {"ReferencedSOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "UID"}
    return sum(keyword in names for keyword, *_ in pairs_of(made, made))


def test_basic_alone_leaves_no_reference_that_leads_nowhere() -> None:
    files = study("MRN1", 1)
    outputs = processed(files, "basic")
    instances = {made.SOPInstanceUID for made in outputs.values()} | {outputs["CT0"].StudyInstanceUID}
    del files["SR"]  # its content is replaced by a comment
    referred = {new for keyword, _, new in _uids(files, outputs) if keyword == "ReferencedSOPInstanceUID"}
    assert referred
    assert referred <= instances
    evidence = outputs["SR"].CurrentRequestedProcedureEvidenceSequence[0].ReferencedSeriesSequence[0]
    assert {item.ReferencedSOPInstanceUID for item in evidence.ReferencedSOPSequence} <= instances


def test_uids_that_are_retained_stay_in_every_place() -> None:
    files = study("MRN1", 1)
    outputs = processed(files, f"basic,retainUIDs,{CLEAN}")
    changed = {(keyword, old) for keyword, old, new in _uids(files, outputs) if old != new}
    assert {keyword for keyword, _ in changed} <= {"UID"}  # Table E.1-1 gives it no option


# --- dates


def _day(text: str) -> date:
    return date(int(text[:4]), int(text[4:6] or 1), int(text[6:8] or 1))


def shifts(files: dict[str, Dataset], outputs: dict[str, Dataset]) -> dict[tuple[str, str], int]:
    """(keyword, original) to the number of days, of whole dates."""
    return {
        (keyword, old): (_day(old) - _day(new)).days
        for name, made in files.items()
        for keyword, vr, old, new in pairs_of(made, outputs[name])
        if vr in {"DA", "DT"} and len(old) >= 8 and new
    }


def test_dates_of_one_patient_move_by_the_same_number_of_days() -> None:
    found: dict[str, int] = {}
    for patient, number in (("MRN1", 1), ("MRN2", 2), ("MRN3", 3)):
        files = study(patient, number)
        outputs = processed(files, SHIFTED)
        moved = shifts(files, outputs)
        birth = moved.pop(("PatientBirthDate", "19500101"), None)
        assert birth is None, "a birth date is no longitudinal date"
        assert {
            "StudyDate",
            "AcquisitionDateTime",
            "RadiopharmaceuticalStartDateTime",
            "Date",
            "DateTime",
        } <= {keyword for keyword, _ in moved}
        (found[patient],) = set(moved.values())
        assert 1 <= found[patient] <= 365
        first = outputs["CT1"]
        assert first.AcquisitionDateTime[8:] == "101112.25+0200"
        assert (
            first.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime[8:]
            == "235959-0500"
        )
        assert len(first.FrameReferenceDateTime) == 6
        assert first.StudyTime == "101112"
    assert len(set(found.values())) == 3


def test_dates_of_one_patient_move_alike_in_other_studies() -> None:
    one, other = study("MRN1", 1), study("MRN1", 2)
    moved = shifts(one, processed(one, SHIFTED)) | shifts(other, processed(other, SHIFTED))
    assert len(set(moved.values())) == 1
    by_key = {key: set(shifts(one, processed(one, SHIFTED, key)).values()) for key in (KEY, bytes(16), None)}
    assert len({days for (days,) in by_key.values()}) == 3


def test_full_dates_stay() -> None:
    files = study("MRN1", 1)
    moved = shifts(files, processed(files, f"basic,{FULL},{CLEAN}"))
    assert len(moved) > 8
    assert set(moved.values()) == {0}


# --- a DICOMDIR beside the files


@pytest.mark.parametrize("threads", ["0", "2"])
def test_directory_says_the_same_as_its_files(tmp_path: Path, threads: str) -> None:
    inputs, outputs, key = tmp_path / "in", tmp_path / "out", tmp_path / "key"
    key.write_bytes(KEY)
    file_set = FileSet()
    before = {}
    for patient, number in (("MRN1", 1), ("MRN2", 2)):
        for name, made in study(patient, number).items():
            if name.startswith(("CT", "PR", "RT")):
                path = tmp_path / f"{patient}{name}.dcm"
                path.write_bytes(written(made))
                file_set.add(path)
                before[made.SOPInstanceUID] = made
    file_set.write(inputs)
    done = run(inputs, outputs, "--profile", SHIFTED, "--keyFile", str(key), "--threads", threads, spec=None)
    assert done.code == 0, done.err
    found = FileSet(outputs / "DICOMDIR")
    assert len(found) == len(before) == 10
    days: dict[str, set[int]] = {}
    for instance in found:
        made = read(Path(instance.path).read_bytes())
        for keyword in ("PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDate"):
            assert getattr(instance, keyword) == made[keyword].value, keyword
        for keyword in ("StructureSetDate", "PresentationCreationDate"):
            if keyword in made:
                assert getattr(instance, keyword) == made[keyword].value
        days.setdefault(made.PatientID, set()).add((_day("20200301") - _day(made.StudyDate)).days)
    assert sorted(map(len, days.values())) == [1, 1]
    assert len(set.union(*days.values())) == 2
