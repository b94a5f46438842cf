"""Overlays in unused bits of compressed pixels, which go with their group; all other bits stay."""

from __future__ import annotations

import io
import shutil
import subprocess
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pydicom
import pytest
from pictures import CT, US, Layout, file_bytes, numbers, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.pixels.decoders.base import get_decoder
from support import Result, run_command

pytest.importorskip("openjpeg", reason="the codecs are not installed")
pytest.importorskip("jpeg_ls", reason="the codecs are not installed")

from pfdicom_tagSub.engine import overlay_clearing
from pfdicom_tagSub.pixels.lossless import FrameCells

ROWS, COLUMNS = 40, 60
SYNTAXES = {"rle": uid.RLELossless, "j2k": uid.JPEG2000Lossless, "jls": uid.JPEGLSLossless}
SPEC = '{"(60xx,xxxx)": null}'
OVERLAY = 0x8000

Words = npt.NDArray[np.int64]


def made_cells(frames: int, seed: int = 1) -> Words:
    """FrameCells of 12 bits of pixels, a flag that nobody describes in bit 13, and an overlay in bit 15."""
    random = np.random.default_rng(seed)
    return (
        random.integers(0, 4096, (frames, ROWS, COLUMNS, 1))
        | random.integers(0, 2, (frames, ROWS, COLUMNS, 1)) << 13
        | random.integers(0, 2, (frames, ROWS, COLUMNS, 1)) << 15
    )


def with_overlay(syntax: str, frames: int = 1, *, signed: int = 0, modality: str = "CT") -> Dataset:
    made = picture(
        Layout("cells", "MONOCHROME2", 16),
        frames=frames,
        rows=ROWS,
        columns=COLUMNS,
        values=made_cells(frames),
    )
    if syntax != uid.ExplicitVRLittleEndian:
        with warnings.catch_warnings(action="ignore"):
            made.compress(syntax, generate_instance_uid=False)
    made.BitsStored, made.HighBit, made.PixelRepresentation = 12, 11, signed
    made.Modality, made.SOPClassUID = modality, US if modality == "US" else CT
    made.SequenceOfUltrasoundRegions = [region(10, 12, 39, 30)]
    made.add_new(0x60000010, "US", ROWS)
    made.add_new(0x60000011, "US", COLUMNS)
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 15)
    return made


def run(folder: Path, content: bytes, *flags: str) -> tuple[Result, bytes]:
    source = folder / "in"
    source.mkdir(exist_ok=True, parents=True)
    (source / "a.dcm").write_bytes(content)
    flags = flags or ("--tagStruct", SPEC)
    result = run_command(source, folder / "out", "--json", *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


def cells_of(content: bytes, plugin: str = "") -> Words:
    """All bits of the cells, as pydicom reads them."""
    made = pydicom.dcmread(io.BytesIO(content))
    made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 15, 0
    decoder = get_decoder(made.file_meta.TransferSyntaxUID)
    found, _ = decoder.as_array(made, raw=True, decoding_plugin=plugin)
    return np.asarray(found, np.int64).reshape(-1, ROWS, COLUMNS, 1)


@pytest.mark.parametrize("flags", [(), ("--verify",)], ids=["", "verify"])
@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("frames", [1, 3])
@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_overlay_goes_and_every_other_bit_stays(
    tmp_path: Path, syntax: str, frames: int, signed: int, flags: tuple[str, ...]
) -> None:
    content = file_bytes(with_overlay(syntax, frames, signed=signed))
    assert (cells_of(content) == made_cells(frames)).all()
    result, output = run(tmp_path, content, "--tagStruct", SPEC, *flags)
    assert result.code == 0, result.out
    assert result.record["pixelReview"] == []
    for plugin in get_decoder(syntax).available_plugins:
        assert (cells_of(output, plugin) == made_cells(frames) & ~OVERLAY).all()
    assert pydicom.dcmread(io.BytesIO(output)).file_meta.TransferSyntaxUID == syntax
    again, same = run(tmp_path / "again", output)
    assert again.code == 0
    assert same == output


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_masks_and_overlays_change_a_frame_together(tmp_path: Path, syntax: str) -> None:
    content = file_bytes(with_overlay(syntax, 2, modality="US"))
    flags = ("--cleanPixels", "regions", "--verify", "--tagStruct", SPEC)
    result, output = run(tmp_path, content, *flags)
    assert result.code == 0, result.out
    (cleaned,) = result.record["pixelsCleaned"]
    assert cleaned["frames"] == 2
    assert not [one for one in result.record["pixelReview"] if "overlay" in one["reason"]]
    expected = made_cells(2) & ~OVERLAY
    outside = np.ones((ROWS, COLUMNS), bool)
    outside[12:31, 10:40] = False
    expected[:, outside] = 0
    assert (cells_of(output) == expected).all()


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_masks_keep_bits_that_nobody_describes(tmp_path: Path, syntax: str) -> None:
    content = file_bytes(with_overlay(syntax, 2, modality="US"))
    flags = ("--cleanPixels", "regions", "--verify", "--tagStruct", '{"PatientName": "x"}')
    result, output = run(tmp_path, content, *flags)
    assert result.code == 0, result.out
    assert (cells_of(output)[:, 12:31, 10:40] == made_cells(2)[:, 12:31, 10:40]).all()
    assert not cells_of(output)[:, :12].any()


@pytest.mark.skipif(not shutil.which("dcmcjpeg"), reason="dcmtk is not here")
def test_lossless_jpeg_with_an_overlay_becomes_jpeg_ls(tmp_path: Path) -> None:
    native, made = tmp_path / "native.dcm", tmp_path / "made.dcm"
    native.write_bytes(file_bytes(with_overlay(uid.ExplicitVRLittleEndian)))
    subprocess.run(["dcmcjpeg", "+e1", native, made], check=True)
    assert pydicom.dcmread(made).file_meta.TransferSyntaxUID == uid.JPEGLosslessSV1
    result, output = run(tmp_path, made.read_bytes(), "--verify", "--tagStruct", SPEC)
    assert result.code == 0, result.out
    assert pydicom.dcmread(io.BytesIO(output)).file_meta.TransferSyntaxUID == uid.JPEGLSLossless
    assert (cells_of(output) == made_cells(1) & ~OVERLAY).all()


@pytest.mark.parametrize("syntax", [SYNTAXES["j2k"], SYNTAXES["jls"]], ids=["j2k", "jls"])
def test_frames_that_do_not_have_the_bits_keep_their_bytes(tmp_path: Path, syntax: str) -> None:
    layout = Layout("grey-12", "MONOCHROME2", 16, 12)
    made = picture(layout, rows=ROWS, columns=COLUMNS, values=numbers(layout, 1, ROWS, COLUMNS))
    with warnings.catch_warnings(action="ignore"):
        made.compress(syntax, generate_instance_uid=False)
    made.Modality, made.SOPClassUID = "CT", CT
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 15)
    result, output = run(tmp_path, file_bytes(made))
    assert result.code == 0
    assert result.record["pixelReview"] == []
    assert pydicom.dcmread(io.BytesIO(output)).PixelData == made.PixelData


def test_damaged_frame_with_an_overlay_fails(tmp_path: Path) -> None:
    made = with_overlay(uid.RLELossless)
    (frame,) = generate_frames(made.PixelData, number_of_frames=1)
    made.PixelData = encapsulate([frame[: len(frame) // 4 * 2]])
    result, output = run(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "damaged" in result.record["failures"][0]["reason"]


def test_overlay_that_is_left_fails_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blackened = FrameCells.blackened
    monkeypatch.setattr(FrameCells, "blackened", lambda cells, *given: blackened(cells, *given[:2]))
    result, output = run(tmp_path, file_bytes(with_overlay(uid.RLELossless)))
    assert result.code == 1
    assert not output
    assert "differs" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize("modality", ["US", "CT"])
def test_overlay_is_told_of_where_codecs_are_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modality: str
) -> None:
    monkeypatch.setattr(overlay_clearing, "find_spec", lambda name: None if name == "jpeg_ls" else name)
    content = file_bytes(with_overlay(uid.RLELossless, modality=modality))
    flags = ("--cleanPixels", "regions", "--verify", "--tagStruct", SPEC)
    result, output = run(tmp_path, content, *flags)
    assert result.code == 0, result.out
    (told,) = result.record["pixelReview"]
    assert "an overlay in its pixels could not be cleared" in told["reason"]
    assert "pip install pyjpegls" in told["reason"]
    assert (cells_of(output) & OVERLAY).any()


def test_overlay_in_a_video_is_told_of_with_the_reason(tmp_path: Path) -> None:
    made = with_overlay(uid.RLELossless)
    made.file_meta.TransferSyntaxUID = uid.UID("1.2.840.10008.1.2.4.102")
    result, _ = run(tmp_path, file_bytes(made))
    assert result.code == 0
    (told,) = result.record["pixelReview"]
    assert "could not be cleared: its pixels are a video" in told["reason"]


def test_overlay_in_frames_that_nobody_understands_is_told_of_with_the_reason(tmp_path: Path) -> None:
    made = with_overlay(uid.RLELossless)
    made.file_meta.TransferSyntaxUID = uid.JPEGBaseline8Bit
    result, _ = run(tmp_path, file_bytes(made))
    assert result.code == 0
    (told,) = result.record["pixelReview"]
    assert "could not be cleared: a frame of PixelData is no JPEG" in told["reason"]


def test_nothing_is_imported_for_compressed_pixels_without_an_overlay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overlay_clearing, "_clear_compressed", None)
    made = with_overlay(uid.RLELossless)
    del made[0x60000102]
    result, _ = run(tmp_path, file_bytes(made))
    assert result.code == 0, result.out
