"""What a file is made of: preamble, file meta, transfer syntax, deflated data sets."""

from __future__ import annotations

import zlib
from pathlib import Path

import pytest
from builders import (
    DEFLATED,
    EXPLICIT,
    FORMS,
    Form,
    data_set,
    element,
    file_of,
    nested,
    substitute,
    written,
)

from pfdicom_tagSub.core.outcome import Stage, Status

PATIENT_ID = 0x00100020

plain_forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


# --- with and without preamble and file meta


def test_file_without_preamble_or_meta_is_patched(tmp_path: Path) -> None:
    for form in FORMS:
        data = element(0x00080060, "CS", b"MR", form) + element(PATIENT_ID, "LO", b"DEV ", form)
        result = substitute(data, {"PatientID": "%_md5|7_PatientID"}, tmp_path)
        expected = element(0x00080060, "CS", b"MR", form) + element(PATIENT_ID, "LO", b"bfeddf5", form)
        assert result.content == expected, form.name


def test_file_meta_without_preamble_is_patched(tmp_path: Path) -> None:
    content = file_of(element(PATIENT_ID, "LO", b"DEV ", EXPLICIT))[132:]
    result = substitute(content, {"PatientID": "%_md5|7_PatientID"}, tmp_path)
    assert result.content == file_of(element(PATIENT_ID, "LO", b"bfeddf5", EXPLICIT))[132:]


@plain_forms
def test_large_file_is_patched_as_a_small_one(form: Form, tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner"), PatientID="root", PixelData=bytes(range(256)) * 8192)
    made["PixelData"].VR = "OW"
    result = substitute(written(made, form), {"PatientID": "<%PatientID>", "StudyID": "s"}, tmp_path)
    expected = nested(data_set(PatientID="<inner>"), PatientID="<root>", StudyID="s")
    expected.PixelData = bytes(range(256)) * 8192
    expected["PixelData"].VR = "OW"
    assert result.content == written(expected, form)


# --- deflated files


def test_deflated_file_is_inflated_patched_and_deflated(tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner"), PatientID="root", PixelData=bytes(100_000))
    made["PixelData"].VR = "OW"
    content = written(made, DEFLATED)
    result = substitute(content, {"PatientID": "x"}, tmp_path)
    output = result.data_set
    assert (output.PatientID, output.RequestAttributesSequence[0].PatientID) == ("x", "x")
    assert output.PixelData == bytes(100_000)
    assert output.file_meta.TransferSyntaxUID == DEFLATED.syntax
    assert len(result.content) % 2 == 0
    assert len(result.content) < 5_000


def test_deflated_file_that_is_not_hit_is_the_same(tmp_path: Path) -> None:
    content = written(data_set(PatientID="x"), DEFLATED) + b"\0" * 3
    assert substitute(content, {"StudyID": None}, tmp_path).content == content


def test_deflated_file_whose_meta_alone_is_hit_keeps_its_stream(tmp_path: Path) -> None:
    packer = zlib.compressobj(1, wbits=-15)
    stream = packer.compress(element(PATIENT_ID, "LO", b"x", EXPLICIT)) + packer.flush()
    result = substitute(file_of(stream, DEFLATED), {"SourceApplicationEntityTitle": "AE"}, tmp_path)
    extra = element(0x00020016, "AE", b"AE", EXPLICIT)
    assert result.content == file_of(stream, DEFLATED, extra=extra)
    assert result.data_set.file_meta.SourceApplicationEntityTitle == "AE"
    assert result.data_set.PatientID == "x"


@pytest.mark.parametrize("damage", ["cut off", "garbage", "empty", "not deflated"])
def test_damaged_deflated_file_fails(damage: str, tmp_path: Path) -> None:
    packer = zlib.compressobj(wbits=-15)
    stream = packer.compress(element(PATIENT_ID, "LO", b"x" * 60, EXPLICIT) * 50) + packer.flush()
    data = {
        "cut off": stream[:-4],
        "garbage": b"\xff" * 40,
        "empty": b"",
        "not deflated": element(PATIENT_ID, "LO", b"x", EXPLICIT),
    }[damage]
    result = substitute(file_of(data, DEFLATED), {"PatientID": "y"}, tmp_path)
    assert (result.outcome.status, result.outcome.stage) == (Status.FAILED, Stage.READ)
    assert "internal" not in result.outcome.reason


def test_large_deflated_file_is_inflated_into_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pfdicom_tagSub.dicom.inflating.IN_MEMORY", 1000)
    made = nested(data_set(PatientID="inner"), PatientID="root", PixelData=bytes(100_000))
    made["PixelData"].VR = "OW"
    content = written(made, DEFLATED)
    output = substitute(content, {"PatientID": "x"}, tmp_path).data_set
    assert (output.PatientID, output.RequestAttributesSequence[0].PatientID) == ("x", "x")
    assert output.PixelData == bytes(100_000)


# --- what is DICOM, and what its data set is encoded in


def status_of(content: bytes, folder: Path) -> tuple[Status, str]:
    outcome = substitute(content, {"PatientID": "x"}, folder).outcome
    return outcome.status, outcome.reason


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0",
        b"not DICOM, but text that is long enough to hold a preamble" * 5,
        bytes(200),
        b"\xff" * 200,
        b"\x89PNG\r\n\x1a\n" + bytes(300),
        b"%PDF-1.7\n" + bytes(300),
        bytes(128) + b"DICN" + bytes(100),
        bytes(128) + b"DIC",
        b"PK\x03\x04" + bytes(300),
        b"\x7fELF" + bytes(300),
        b"\x1f\x8b\x08\0" + bytes(300),
        b'{"00080005": {"vr": "CS"}}' * 20,
        b"\x08\x00\x05\x00\xff\xff\xff\xff",
    ],
)
def test_what_is_not_dicom_is_skipped(content: bytes, tmp_path: Path) -> None:
    status, reason = status_of(content, tmp_path)
    assert status is Status.SKIPPED
    kinds = {b"PK": " but an archive (zip)", b"\x1f\x8b": " but an archive (gz)"}
    assert reason.partition(",")[0] == ("not DICOM" + kinds.get(content[:2], "") if content else "empty file")


@pytest.mark.parametrize(
    "content",
    [
        bytes(128) + b"DICM",
        file_of(b""),
        file_of(b"\0" * 5 + b"\1"),
        file_of(element(PATIENT_ID, "LO", b"ID", EXPLICIT))[:-1],
        file_of(element(PATIENT_ID, "LO", b"ID", EXPLICIT))[:150],
        file_of(element(PATIENT_ID, "LO", b"ID", EXPLICIT))[:141],
    ],
)
def test_what_is_dicom_but_damaged_fails(content: bytes, tmp_path: Path) -> None:
    status, reason = status_of(content, tmp_path)
    assert status is Status.FAILED
    assert reason
    assert "internal" not in reason


@plain_forms
@pytest.mark.parametrize("declared", FORMS, ids=lambda form: form.name)
def test_data_set_that_contradicts_its_transfer_syntax(form: Form, declared: Form, tmp_path: Path) -> None:
    """Little-endian data sets are read as they show themselves; big endian ones only if declared."""
    if form.little is not declared.little:
        pytest.skip("pydicom does not read these either")
    data = element(0x00080060, "CS", b"MR", form) + element(PATIENT_ID, "LO", b"DEV ", form)
    result = substitute(file_of(data, declared), {"PatientID": "%_md5|7_PatientID"}, tmp_path)
    expected = element(0x00080060, "CS", b"MR", form) + element(PATIENT_ID, "LO", b"bfeddf5", form)
    assert result.content == file_of(expected, declared)


def test_file_meta_without_its_group_length_is_read(tmp_path: Path) -> None:
    content = file_of(element(PATIENT_ID, "LO", b"DEV ", EXPLICIT))
    short = content[:132] + content[144:]
    result = substitute(short, {"PatientID": "%_md5|7_PatientID"}, tmp_path)
    expected = file_of(element(PATIENT_ID, "LO", b"bfeddf5", EXPLICIT))
    assert result.content == expected[:132] + expected[144:]
    result = substitute(short, {"ImplementationVersionName": "X"}, tmp_path)
    assert result.data_set.file_meta.ImplementationVersionName == "X"


@pytest.mark.parametrize("preamble", [b"II*\0" + bytes(124), b"\xff" * 128, b"MM\0*" + bytes(124)])
def test_preamble_is_kept_whatever_it_holds(preamble: bytes, tmp_path: Path) -> None:
    content = preamble + file_of(element(PATIENT_ID, "LO", b"DEV ", EXPLICIT))[128:]
    assert substitute(content, {"PatientID": "%PatientID!"}, tmp_path).content.startswith(preamble + b"DICM")


@pytest.mark.parametrize(
    "syntax", ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.999.1"]
)
def test_other_transfer_syntaxes_are_explicit_little_endian(syntax: str, tmp_path: Path) -> None:
    form = Form("other", syntax, implicit=False, little=True)
    result = substitute(
        file_of(element(PATIENT_ID, "LO", b"DEV ", form), form), {"PatientID": "%_md5|7_PatientID"}, tmp_path
    )
    assert result.content == file_of(element(PATIENT_ID, "LO", b"bfeddf5", form), form)
