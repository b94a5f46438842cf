"""Pixels that nothing here encodes as they were: a lossless syntax instead, and the file meta true."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pictures import file_bytes, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from support import SHARED, Result, run_command

pytest.importorskip("openjpeg", reason="the codecs are not installed")
pytest.importorskip("libjpeg", reason="the codecs are not installed")
pytest.importorskip("jpeg_ls", reason="the codecs are not installed")

PUBLIC = SHARED / "corpus" / "pydicom-data"
"""Files of pydicom; the package itself has some of them."""

FILES = {
    "lossless-14": ("JPEG-LL.dcm", uid.JPEGLSLossless),
    "lossless-sv1": ("JPGLosslessP14SV1_1s_1f_8b.dcm", uid.JPEGLSLossless),
    "htj2k-lossless": ("HTJ2KLossless_08_RGB.dcm", uid.JPEG2000Lossless),
    "htj2k": ("HTJ2K_08_RGB.dcm", uid.JPEG2000Lossless),
    "jpeg-12": ("JPEG-lossy.dcm", uid.JPEGLSLossless),
}


def original(name: str) -> Dataset:
    path = PUBLIC / name
    if not path.is_file():
        path = Path(pydicom.__file__).parent / "data" / "test_files" / name
    if not path.is_file():
        pytest.skip(f"{path} is not here")
    made = pydicom.dcmread(path)
    if name == "JPEG-lossy.dcm":  # its scan header has an end of the spectrum that libjpeg refuses
        frame = bytearray(next(generate_frames(made.PixelData, number_of_frames=1)))
        scan = frame.index(b"\xff\xda")
        frame[scan + 6 + 2 * frame[scan + 4]] = 63
        made.PixelData = encapsulate([bytes(frame)])
    return made


def clean(folder: Path, content: bytes, *flags: str) -> tuple[Result, bytes]:
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / "a.dcm").write_bytes(content)
    spec = ("--tagStruct", '{"PatientName": "ANON"}', "--json", "--verify")
    result = run_command(source, folder / "out", *spec, "--cleanPixels", "regions", *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


def with_region(made: Dataset) -> bytes:
    made.Modality = "US"
    made.SequenceOfUltrasoundRegions = [region(10, 12, made.Columns - 9, made.Rows - 1)]
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        made.save_as(buffer)
    return buffer.getvalue()


def numbers(content: bytes) -> np.ndarray:
    made = pydicom.dcmread(io.BytesIO(content))
    made.pixel_array_options(raw=True)
    found: np.ndarray = made.pixel_array
    return found


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        ("4.94", "elsewhere"),
        ("4.204", "elsewhere"),
        ("4.100", "video"),
        ("4.102.1", "video"),
        ("4.107", "video"),
        ("4.53", "cannot be changed here"),
        ("4.110", "cannot be changed here"),
        ("1.98", "native ones in fragments"),
    ],
)
def test_other_syntaxes_fail_and_say_why(tmp_path: Path, syntax: str, reason: str) -> None:
    made = picture()
    made.SequenceOfUltrasoundRegions = [region(10, 8, 49, 39)]
    made.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    made.PixelData = encapsulate([bytes(64)])
    made["PixelData"].is_undefined_length = True
    if reason == "elsewhere":
        del made.PixelData
        made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    content = file_bytes(made)
    used = str(made.file_meta.TransferSyntaxUID).encode()
    start = content.index(b"\2\0\x10\0UI") + 6
    stop = start + 2 + int.from_bytes(content[start : start + 2], "little")
    assert used in content[start:stop]
    text = b"1.2.840.10008.1.2." + syntax.encode()
    text += bytes(len(text) % 2)
    size = int.from_bytes(content[140:144], "little") + len(text) - (stop - start - 2)
    content = (
        content[:140]
        + size.to_bytes(4, "little")
        + content[144:start]
        + len(text).to_bytes(2, "little")
        + text
        + content[stop:]
    )
    result, output = clean(tmp_path, content)
    assert result.code == 1
    assert not output
    assert reason in result.record["failures"][0]["reason"]


@pytest.mark.parametrize("name", FILES)
def test_file_gets_a_lossless_syntax_and_keeps_its_numbers(tmp_path: Path, name: str) -> None:
    file, syntax = FILES[name]
    made = original(file)
    content = with_region(made)
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out + result.err
    after = pydicom.dcmread(io.BytesIO(output))
    assert after.file_meta.TransferSyntaxUID == syntax
    meta = output[132:]
    assert int.from_bytes(meta[8:12], "little") == after.file_meta.FileMetaInformationGroupLength
    before, now = numbers(content), numbers(output)
    outside = np.ones((made.Rows, made.Columns), bool)
    outside[12:, 10 : made.Columns - 8] = False
    assert (before[~outside] == now[~outside]).all()
    assert (now[outside] == now[0, 0]).all()
    assert result.record["pixelsCleaned"][0]["methods"] == ["regions"]


def test_frames_without_a_mask_keep_their_numbers_too(tmp_path: Path) -> None:
    made = original("JPGLosslessP14SV1_1s_1f_8b.dcm")
    frame = next(generate_frames(made.PixelData, number_of_frames=1))
    made.NumberOfFrames = 3
    made.PixelData = encapsulate([frame] * 3)
    content = with_region(made)
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    before, now = numbers(content), numbers(output)
    assert before.shape == now.shape
    assert (before[:, 12:, 10 : made.Columns - 8] == now[:, 12:, 10 : made.Columns - 8]).all()
    after = pydicom.dcmread(io.BytesIO(output))
    assert len(list(generate_frames(after.PixelData, number_of_frames=3))) == 3


@pytest.mark.parametrize("told", [True, False])
def test_what_was_lossy_is_still_told(tmp_path: Path, told: bool) -> None:
    made = original("HTJ2K_08_RGB.dcm")
    made.pop("LossyImageCompression", None)
    made.LossyImageCompressionRatio = "7"
    if told:
        made.LossyImageCompression = "01"
    result, output = clean(tmp_path, with_region(made))
    assert result.code == 0, result.out
    after = pydicom.dcmread(io.BytesIO(output))
    assert after.LossyImageCompression == "01"
    assert [one.tag for one in after] == sorted(one.tag for one in after)


@pytest.mark.parametrize(
    ("name", "told", "wanted"),
    [
        ("JPEG-lossy.dcm", None, "01"),
        ("JPEG-lossy.dcm", "", "01"),
        ("JPEG-lossy.dcm", "00", "01"),
        ("JPEG-lossy.dcm", "01", "01"),
        ("HTJ2K_08_RGB.dcm", "", "01"),
        ("HTJ2K_08_RGB.dcm", "00", "00"),  # its syntax allows that
        ("JPGLosslessP14SV1_1s_1f_8b.dcm", "00", "00"),
    ],
)
def test_what_denies_its_loss_is_told(tmp_path: Path, name: str, told: str | None, wanted: str) -> None:
    made = original(name)
    made.pop("LossyImageCompression", None)
    if told is not None:
        made.LossyImageCompression = told
    made.LossyImageCompressionRatio = "7"
    made.LossyImageCompressionMethod = "ISO_10918_1"
    result, output = clean(tmp_path, with_region(made))
    assert result.code == 0, result.out
    after = pydicom.dcmread(io.BytesIO(output))
    assert after.LossyImageCompression == wanted
    assert (after.LossyImageCompressionRatio, after.LossyImageCompressionMethod) == (7, "ISO_10918_1")
    done = result.record["elements"].get("LossyImageCompression", {})
    action = "inserted" if told is None else "substituted"
    assert {key for key, count in done.items() if count} == ({action} if told != wanted else set())


def test_what_a_rule_says_of_the_loss_is_done(tmp_path: Path) -> None:
    made = original("JPEG-lossy.dcm")
    made.LossyImageCompression = "00"
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(with_region(made))
    spec = ("--tagStruct", '{"LossyImageCompression": "02"}', "--verify", "--cleanPixels", "regions")
    result = run_command(tmp_path / "in", tmp_path / "out", *spec)
    assert result.code == 0, result.out
    assert pydicom.dcmread(tmp_path / "out" / "a.dcm").LossyImageCompression == "02"


def test_file_without_a_mask_keeps_its_syntax(tmp_path: Path) -> None:
    made = original("JPGLosslessP14SV1_1s_1f_8b.dcm")
    made.pop("SequenceOfUltrasoundRegions", None)
    buffer = io.BytesIO()
    made.save_as(buffer)
    result, output = clean(tmp_path, buffer.getvalue())
    assert result.code == 0, result.out
    after = pydicom.dcmread(io.BytesIO(output))
    assert after.file_meta.TransferSyntaxUID == uid.JPEGLosslessSV1
    assert after.PixelData == made.PixelData


@pytest.mark.parametrize("fault", ["rows", "bytes", "bits"])
def test_files_that_lie_fail(tmp_path: Path, fault: str) -> None:
    made = original("JPGLosslessP14SV1_1s_1f_8b.dcm")
    if fault == "rows":
        made.Rows = made.Rows + 5
    else:
        frame = next(generate_frames(made.PixelData, number_of_frames=1))
        least, end = made.Rows * made.Columns // 8 - 4, b"\xff\xd9"  # its decoder fills up what ends in order
        made.PixelData = encapsulate([frame[: len(frame) // 2] if fault == "bytes" else frame[:least] + end])
    result, output = clean(tmp_path, with_region(made))
    assert (result.code, output) == (1, b""), result.out


@pytest.mark.parametrize(
    ("syntax", "reason"),
    [
        (uid.MPEG2MPML, "video"),
        (uid.MPEG4HP41, "video"),
        (uid.HEVCMP51, "video"),
        ("1.2.840.10008.1.2.4.100.1", "video"),
        (uid.JPIPHTJ2KReferenced, "elsewhere"),
        ("1.2.840.10008.1.2.4.94", "elsewhere"),
        ("1.2.840.10008.1.2.1.98", "Explicit VR Little Endian"),
        ("1.2.840.10008.1.2.4.53", "decompress"),
    ],
)
def test_what_cannot_be_cleaned_fails_with_its_own_reason(tmp_path: Path, syntax: str, reason: str) -> None:
    made = picture()
    made.SequenceOfUltrasoundRegions = [region(10, 8, 49, 39)]
    made.PixelData = encapsulate([b"\0" * 64])
    made["PixelData"].is_undefined_length = True
    made.file_meta.TransferSyntaxUID = uid.UID(syntax)
    result, output = clean(tmp_path, file_bytes(made))
    assert (result.code, output) == (1, b"")
    (failure,) = result.record["failures"]
    assert failure["stage"] == "pixels"
    assert reason in failure["reason"]
