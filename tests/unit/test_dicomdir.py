"""The offsets of a DICOMDIR name the same records before and after."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pydicom.data
import pytest
from builders import Spec, read, substitute
from pydicom import Dataset
from pydicom.fileset import FileSet

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Stage, Status

DICOMDIRS = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"


def _dicomdirs() -> list[Path]:
    names = ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-nopatient", "DICOMDIR-reordered"]
    return [*(DICOMDIRS / name for name in names), DICOMDIRS / "TINY_ALPHA" / "DICOMDIR"]


dicomdirs = pytest.mark.parametrize("path", _dicomdirs(), ids=lambda path: f"{path.parent.name}-{path.name}")


def directory(content: bytes) -> list[tuple[object, ...]]:
    """The graph of a directory: per record what it is, and which records its offsets name."""
    made = read(content)
    records = list(made.DirectoryRecordSequence or [])
    places = {record.seq_item_tell: index for index, record in enumerate(records)}
    places[0] = -1
    graph: list[tuple[object, ...]] = [
        (
            places[made.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity],
            places[made.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity],
        )
    ]
    for record in records:
        offsets = (record.OffsetOfTheNextDirectoryRecord, record.OffsetOfReferencedLowerLevelDirectoryEntity)
        file_id = record.get("ReferencedFileID")
        graph.append((record.DirectoryRecordType, *[places[offset] for offset in offsets], str(file_id)))
    return graph


@dicomdirs
@pytest.mark.parametrize(
    "spec",
    [
        {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_md5|7_PatientID"},
        {"re:.*(Name|Date|Time|Description)$": None},
        {"PatientName": "A very long name", "ImplementationVersionName": "AND_A_META"},
        {"FileSetID": "A LONGER NAME", "re:Study.*": "%#tag and more"},
        {"InstanceCreatorUID": "1.2.3.4.5.6.7.8", "PatientID": ""},
        {"MediaStorageSOPInstanceUID": "1.2.3.4.5.6.7.8.9"},
        {"PatientName": "山田"},
    ],
    ids=["readme", "removal", "longer", "root", "before", "meta", "utf-8"],
)
def test_directory_offsets_name_the_same_records(path: Path, spec: Spec, tmp_path: Path) -> None:
    content = path.read_bytes()
    before = directory(content)
    result = substitute(content, spec, tmp_path)
    after = directory(result.content)
    assert result.content != content
    assert after == before


@dicomdirs
def test_directory_names_are_substituted(path: Path, tmp_path: Path) -> None:
    def names_of(made: Dataset) -> list[str]:
        records = made.DirectoryRecordSequence
        return [str(record.PatientName) for record in records if "PatientName" in record]

    content = path.read_bytes()
    names = names_of(read(content))
    result = substitute(content, {"PatientName": "%_name|patientID_PatientName"}, tmp_path)
    found = names_of(result.data_set)
    assert len(found) == len(names)
    assert all(name.endswith("^ANON") for name in found)
    for name in names:
        assert name.encode() not in result.content


def test_directory_is_read_by_pydicoms_file_set(tmp_path: Path) -> None:
    source = DICOMDIRS / "DICOMDIR"
    content = source.read_bytes()
    folder = tmp_path / "set"
    folder.mkdir()
    for name in ("77654033", "98892001", "98892003"):
        shutil.copytree(DICOMDIRS / name, folder / name)
    spec = {
        "PatientName": "%_name|patientID_PatientName",
        "StudyDescription": "a much longer description than before",
    }
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    result = substitute(content, spec, scratch)
    (folder / "DICOMDIR").write_bytes(result.content)
    found = FileSet(folder / "DICOMDIR")
    expected = FileSet(source)
    assert len(found) == len(expected) > 10
    assert [one.ReferencedFileID for one in found] == [one.ReferencedFileID for one in expected]
    assert set(found.find_values("PatientID")) == set(expected.find_values("PatientID"))
    assert not set(map(str, found.find_values("PatientName"))) & {"Doe^Archibald", "Doe^Peter"}


def test_directory_that_is_not_hit_is_the_same(tmp_path: Path) -> None:
    for path in _dicomdirs():
        content = path.read_bytes()
        assert substitute(content, {"PatientInsurancePlanCodeSequence": None}, tmp_path).content == content


def test_directory_whose_offset_names_no_record_fails(tmp_path: Path) -> None:
    content = bytearray((DICOMDIRS / "DICOMDIR").read_bytes())
    place = content.index(struct.pack("<HH", 0x0004, 0x1420) + b"UL\4\0", 1000) + 8
    content[place : place + 4] = struct.pack("<I", 12345)
    result = substitute(bytes(content), {"PatientName": "X"}, tmp_path)
    assert (result.outcome.status, result.outcome.stage) == (Status.FAILED, Stage.SUBSTITUTE)
    assert "names no record" in result.outcome.reason


def test_keys_that_would_break_a_directory_are_errors() -> None:
    for key in ("OffsetOfTheNextDirectoryRecord", "(0004,1200)", "DirectoryRecordSequence"):
        with pytest.raises(SpecError, match="how the file itself is encoded"):
            compile_spec({key: ""})
