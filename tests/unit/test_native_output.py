"""Frames that nothing here can compress again without a loss become native pixels, and the file says so."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pictures import Layout, file_bytes, numbers, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from support import Result, run_command

from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.pixels.finding import Finder
from pfdicom_tagSub.pixels.lossless import FrameCells
from pfdicom_tagSub.pixels.native_output import native_cells
from pfdicom_tagSub.pixels.settings import PixelSettings

pytest.importorskip("openjpeg", reason="the codecs are not installed")
pytest.importorskip("rle", reason="the codecs are not installed")
Image = pytest.importorskip("PIL.Image", reason="the codecs are not installed")


ROWS, COLUMNS, FRAMES = 21, 23, 3
LEFT, TOP, RIGHT, BOTTOM = 5, 6, 20, 19
LAYOUTS = (
    Layout("rle-1", "MONOCHROME2", 1),
    Layout("rle-1-inverse", "MONOCHROME1", 1, black=(1,)),
    Layout("rle-32", "MONOCHROME2", 32),
    Layout("rle-32-signed", "MONOCHROME1", 32, signed=True, black=(2**31 - 1,)),
    Layout("j2k-8", "MONOCHROME2", 8),
    Layout("j2k-16", "MONOCHROME1", 16, black=(65535,)),
    Layout("j2k-rgb", "RGB", 8, black=(0, 0, 0)),
    Layout("j2k-planar", "RGB", 8, planar=1, black=(0, 0, 0)),
    Layout("j2k-transformed", "YBR_RCT", 8, black=(0, 0, 0)),
)


def rle(numbers: np.ndarray, allocated: int) -> bytes:
    """A frame of RLE without a run (PS3.5 G): a segment for each byte of a cell, the highest first."""
    cells = np.ascontiguousarray(numbers).astype(">u4" if allocated == 32 else "u1")
    planes = cells.view(np.uint8).reshape(-1, cells.itemsize).T
    segments = []
    for plane in planes:
        rows = plane.tobytes()
        data = b"".join(bytes([COLUMNS - 1]) + rows[at : at + COLUMNS] for at in range(0, len(rows), COLUMNS))
        segments.append(data + b"\0" * (len(data) % 2))
    places = [64 + sum(map(len, segments[:index])) for index in range(len(segments))]
    return struct.pack("<16I", len(segments), *places, *[0] * (15 - len(places))) + b"".join(segments)


def jpeg_2000(numbers: np.ndarray, *, transformed: bool) -> bytes:
    """A frame of lossless JPEG 2000, which Pillow makes with any number of resolutions."""
    buffer = io.BytesIO()
    made = numbers[..., 0].astype(np.uint16 if numbers.max() > 255 else np.uint8)
    image = Image.fromarray(made if numbers.shape[-1] == 1 else numbers.astype(np.uint8))
    image.save(buffer, "JPEG2000", no_jp2=True, irreversible=False, num_resolutions=1, mct=int(transformed))
    return buffer.getvalue()


def compressed(layout: Layout, table: str) -> tuple[Dataset, np.ndarray]:
    values = numbers(layout, FRAMES, ROWS, COLUMNS)
    if layout.bits == 1:
        values = np.random.default_rng(3).integers(0, 2, values.shape)
    made = picture(replace(layout, photometric=layout.photometric.replace("YBR_RCT", "RGB")),
                   frames=FRAMES, rows=ROWS, columns=COLUMNS)  # fmt: skip
    made.PhotometricInterpretation = layout.photometric
    made.SequenceOfUltrasoundRegions = [region(LEFT, TOP, RIGHT, BOTTOM)]
    if layout.name.startswith("rle"):
        frames = [rle(one, layout.allocated) for one in values & ((1 << layout.bits) - 1)]
        made.file_meta.TransferSyntaxUID = uid.RLELossless
    else:
        frames = [jpeg_2000(one, transformed=layout.photometric == "YBR_RCT") for one in values]
        made.file_meta.TransferSyntaxUID = uid.JPEG2000Lossless
    if table == "extended":
        found = encapsulate_extended(frames)
        made.PixelData, made.ExtendedOffsetTable, made.ExtendedOffsetTableLengths = found
    else:
        made.PixelData = encapsulate(frames, has_bot=table == "basic")
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return made, values


def clean(folder: Path, content: bytes, *flags: str) -> tuple[Result, bytes]:
    (folder / "in").mkdir()
    (folder / "in" / "a.dcm").write_bytes(content)
    spec = ("--tagStruct", '{"PatientName": "ANON"}', "--json")
    result = run_command(folder / "in", folder / "out", "--cleanPixels", "regions", *spec, *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


@pytest.mark.parametrize("table", ["none", "basic", "extended"])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_numbers_outside_of_the_masks_are_the_same(tmp_path: Path, layout: Layout, table: str) -> None:
    made, values = compressed(layout, table)
    result, output = clean(tmp_path, file_bytes(made), "--verify")
    assert result.code == 0, result.out
    after = pydicom.dcmread(io.BytesIO(output))
    assert after.file_meta.TransferSyntaxUID == uid.ExplicitVRLittleEndian
    end = 144 + after.file_meta.FileMetaInformationGroupLength
    assert output[end : end + 2] == b"\x08\0"
    vr = after["PixelData"].VR
    assert vr == ("OW" if layout.allocated > 8 else "OB")
    wanted = values.copy()
    is_black = np.ones((ROWS, COLUMNS), np.bool_)
    is_black[TOP : BOTTOM + 1, LEFT : RIGHT + 1] = False
    wanted[:, is_black] = layout.black
    after.pixel_array_options(raw=True)
    assert (after.pixel_array.reshape(values.shape) == wanted).all()
    before = pydicom.dcmread(io.BytesIO(file_bytes(made)))
    gone = {"ExtendedOffsetTable", "ExtendedOffsetTableLengths"}
    assert not gone & set(after.dir())
    for element in before:
        if element.keyword not in gone | {"PixelData", "PatientName", "PhotometricInterpretation"}:
            assert after[element.tag] == element
    is_renamed = layout.photometric == "YBR_RCT"
    assert ("PhotometricInterpretation" in result.record["elements"]) is is_renamed
    assert after.PhotometricInterpretation == layout.photometric.replace("YBR_RCT", "RGB")
    assert "LossyImageCompression" not in after


def test_bits_above_those_of_a_signed_number_are_its_sign() -> None:
    content = file_bytes(picture(Layout("grey", "MONOCHROME2", 16, 12, signed=True, black=(-2048,))))
    finder = Finder(PixelSettings(()))
    image = finder.image(finder.root_of(parse(BytesSource(content))))
    assert image is not None
    cells = FrameCells(np.array([[0x800, 0xFFF, 0x7FF, 0]], np.uint16), 12, is_signed=True, shift=0)
    assert native_cells(cells, image).tolist() == [[0xF800, 0xFFFF, 0x7FF, 0]]
    assert native_cells(cells, replace(image, high=15)).tolist() == [[0x8000, 0xFFF0, 0x7FF0, 0]]


def test_history_of_a_loss_is_kept(tmp_path: Path) -> None:
    made, _ = compressed(LAYOUTS[4], "none")
    made.file_meta.TransferSyntaxUID = uid.JPEG2000
    result, output = clean(tmp_path, file_bytes(made), "--verify")
    assert result.code == 0, result.out
    assert pydicom.dcmread(io.BytesIO(output)).LossyImageCompression == "01"


def test_file_without_a_mask_keeps_its_syntax(tmp_path: Path) -> None:
    made, _ = compressed(LAYOUTS[4], "basic")
    made.SequenceOfUltrasoundRegions = [region(0, 0, COLUMNS - 1, ROWS - 1)]
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 0, result.out
    assert pydicom.dcmread(io.BytesIO(output)).file_meta.TransferSyntaxUID == uid.JPEG2000Lossless


@pytest.mark.parametrize(
    ("place", "reason"), [((2, 2), "not black"), ((TOP, LEFT), "differs"), ((BOTTOM, RIGHT), "differs")]
)
@pytest.mark.parametrize("layout", [LAYOUTS[0], LAYOUTS[2], LAYOUTS[8]], ids=lambda one: one.name)
def test_one_wrong_number_is_found_when_it_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout, place: tuple[int, int], reason: str
) -> None:
    from pfdicom_tagSub.pixels import native_output

    native_cells = native_output.native_cells

    def spoilt(*given: Any) -> Any:
        made = native_cells(*given)
        made[place] ^= 1
        return made

    monkeypatch.setattr(native_output, "native_cells", spoilt)
    made, _ = compressed(layout, "basic")
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert reason in result.record["failures"][0]["reason"]
