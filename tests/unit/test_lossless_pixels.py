"""RLE, JPEG 2000 and JPEG-LS: numbers outside of the masks are the same, other frames keep their bytes."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pictures import Layout, file_bytes, numbers, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, generate_frames
from support import Result, run_command

pytest.importorskip("openjpeg", reason="the codecs are not installed")
pytest.importorskip("jpeg_ls", reason="the codecs are not installed")

ROWS, COLUMNS = 45, 58
SYNTAXES = {"rle": uid.RLELossless, "j2k": uid.JPEG2000Lossless, "jls": uid.JPEGLSLossless}
LAYOUTS = (
    Layout("grey-8", "MONOCHROME2", 8),
    Layout("inverse-12", "MONOCHROME1", 16, 12, black=(4095,)),
    Layout("signed-16", "MONOCHROME2", 16, signed=True, black=(-32768,)),
    Layout("rgb", "RGB", 8, black=(0, 0, 0)),
    Layout("ybr", "YBR_FULL", 8, black=(0, 128, 128)),
    Layout("palette", "PALETTE COLOR", 8, black=(3,)),
)


def clean(folder: Path, content: bytes) -> tuple[Result, bytes]:
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / "a.dcm").write_bytes(content)
    flags = ("--cleanPixels", "regions", "--json", "--verify", "--tagStruct", '{"PatientName": "ANON"}')
    result = run_command(source, folder / "out", *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


def compressed(layout: Layout, syntax: str, frames: int) -> Dataset:
    made = picture(layout, frames=frames, rows=ROWS, columns=COLUMNS, values=values_of(layout, frames))
    made.SequenceOfUltrasoundRegions = [region(10, 12, 39, 44)]
    with warnings.catch_warnings(action="ignore"):
        made.compress(syntax, generate_instance_uid=False)
    return made


def values_of(layout: Layout, frames: int) -> np.ndarray:
    return numbers(layout, frames, ROWS, COLUMNS)


def decoded(content: bytes) -> np.ndarray:
    made = pydicom.dcmread(io.BytesIO(content))
    made.pixel_array_options(raw=True)
    return made.pixel_array


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_numbers_outside_of_the_masks_are_the_same(
    tmp_path: Path, syntax: str, layout: Layout, frames: int
) -> None:
    content = file_bytes(compressed(layout, syntax, frames))
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    before, after = decoded(content), decoded(output)
    flags = np.ones((ROWS, COLUMNS), bool)
    flags[12:45, 10:40] = False
    shape = (frames, ROWS, COLUMNS, -1)
    before, after = before.reshape(shape), after.reshape(shape)
    assert (before[:, ~flags] == after[:, ~flags]).all()
    assert (after[:, flags] == layout.black).all()
    assert pydicom.dcmread(io.BytesIO(output)).file_meta.TransferSyntaxUID == syntax


@pytest.mark.parametrize("planar", [0, 1])
@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_planar_configuration_may_be_any(tmp_path: Path, syntax: str, planar: int) -> None:
    layout = LAYOUTS[3]
    made = compressed(layout, syntax, 2)
    made.PlanarConfiguration = planar
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 0, result.out
    after = pydicom.dcmread(io.BytesIO(output))
    assert after.PlanarConfiguration == planar
    after.PlanarConfiguration = 0 if syntax == uid.JPEG2000Lossless else planar
    after.pixel_array_options(raw=True)
    found, values = after.pixel_array, values_of(layout, 2)
    assert (found[:, 12:45, 10:40] == values[:, 12:45, 10:40]).all()
    assert not found[:, :12].any()


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_damaged_frames_fail(tmp_path: Path, syntax: str) -> None:
    made = compressed(LAYOUTS[0], syntax, 1)
    data = bytearray(made.PixelData)
    for place in range(40, len(data) - 8):
        data[place] = 0xA5
    made.PixelData = bytes(data)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_frames_whose_end_is_missing_fail(tmp_path: Path, syntax: str) -> None:
    made = compressed(LAYOUTS[0], syntax, 1)
    (frame,) = generate_frames(made.PixelData, number_of_frames=1)
    made.PixelData = encapsulate([frame[: len(frame) // 4 * 2]])
    result, output = clean(tmp_path, file_bytes(made))  # pyjpegls waits for ever for the end of JPEG-LS
    assert result.code == 1
    assert not output
    assert "damaged" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize("padding", [b"\0", b"\x26", b"\xd9"])
def test_any_byte_may_make_the_length_of_jpeg_ls_even(tmp_path: Path, padding: bytes) -> None:
    made = compressed(LAYOUTS[0], uid.JPEGLSLossless, 2)
    before = decoded(file_bytes(made))
    frames = []
    for frame in generate_frames(made.PixelData, number_of_frames=2):
        scan = frame.rstrip(b"\0")[:-2]
        fill = b"\xff" if len(scan) % 2 == 0 else b""  # one before the end makes the length odd
        frames.append(scan + fill + b"\xff\xd9" + padding)
    made.PixelData = encapsulate(frames)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 0, result.out
    assert (decoded(output)[:, 12:45, 10:40] == before[:, 12:45, 10:40]).all()


def test_damage_over_which_a_plugin_panics_fails_its_file_alone(tmp_path: Path) -> None:
    layout = LAYOUTS[2]
    made = compressed(layout, uid.RLELossless, 1)
    data = bytearray(made.PixelData)
    start = data.index(b"\xfe\xff\0\xe0", 8) + 8 + 64  # the first segment of the first frame
    data[start] = 0 if data[start] else 1  # a run of another length
    made.PixelData = bytes(data)
    codec = pytest.importorskip("rle.rle", reason="the codec is not installed")
    with pytest.raises(BaseException, match="out of bounds") as panic:
        codec.decode_frame(bytes(data[start - 64 :]), ROWS * COLUMNS, 16, "<")
    assert not isinstance(panic.value, Exception)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.dcm").write_bytes(file_bytes(compressed(layout, uid.RLELossless, 1)))
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "damaged" in result.record["failures"][0]["reason"]
    assert result.record["counts"]["written"] == 1


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_rows_that_lie_fail(tmp_path: Path, syntax: str) -> None:
    made = compressed(LAYOUTS[0], syntax, 1)
    made.Rows = ROWS + 3
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output


@pytest.mark.parametrize(
    ("syntax", "decoders"),
    [
        (uid.JPEGLSLossless, ["pyjpegls", "pylibjpeg", "pylibjpeg"]),
        (uid.RLELossless, ["pylibjpeg", "pydicom", "pydicom"]),
    ],
    ids=["jpeg-ls", "rle"],
)
def test_another_decoder_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: str, decoders: list[str]
) -> None:
    from pydicom.pixels.decoders.base import Decoder

    used: list[str] = []
    decode = Decoder.as_array

    def noted(self: Decoder, *given: object, **named: object) -> object:
        made = decode(self, *given, **named)  # type: ignore[arg-type]
        used.append(str(named["decoding_plugin"]))
        return made

    monkeypatch.setattr(Decoder, "as_array", noted)
    content = file_bytes(compressed(Layout("rgb", "RGB", 8, black=(0, 0, 0)), syntax, 1))
    used.clear()
    result, _ = clean(tmp_path, content)
    assert result.code == 0, result.out
    assert used == decoders


@pytest.mark.parametrize(
    ("syntax", "mark", "place"),
    [(SYNTAXES["j2k"], b"\xff\x51", 6), (SYNTAXES["jls"], b"\xff\xf7", 5)],
    ids=["j2k", "jls"],
)
def test_frames_that_claim_to_be_vast_fail_before_they_are_decoded(
    tmp_path: Path, syntax: str, mark: bytes, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pfdicom_tagSub.pixels import lossless

    made = compressed(LAYOUTS[0], syntax, 1)
    data = bytearray(made.PixelData)
    start = data.index(mark) + place
    data[start : start + 2] = b"\xea\x60"
    made.PixelData = bytes(data)
    monkeypatch.setattr(lossless, "get_decoder", None)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "other rows" in result.record["failures"][0]["reason"]


def test_jpeg_2000_that_claims_more_tiles_than_it_has_fails_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pfdicom_tagSub.pixels import lossless

    made = compressed(LAYOUTS[0], uid.JPEG2000Lossless, 1)
    data = bytearray(made.PixelData)
    start = data.index(b"\xff\x4f\xff\x51") + 8
    data[start : start + 8] = (8000).to_bytes(4, "big") * 2
    made.PixelData, made.Rows, made.Columns = bytes(data), 8000, 8000
    monkeypatch.setattr(lossless, "get_decoder", None)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "too few bytes" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_frames_beyond_the_limit_fail_before_they_are_decoded(
    tmp_path: Path, syntax: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pfdicom_tagSub.pixels import lossless

    made = compressed(LAYOUTS[0], syntax, 1)
    made.Rows = made.Columns = 8193
    monkeypatch.setattr(lossless, "get_decoder", None)
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "too large to be decompressed (67,108,864 samples" in result.record["failures"][0]["reason"]


@pytest.mark.parametrize("layout", [LAYOUTS[0], LAYOUTS[1], LAYOUTS[3]], ids=lambda one: one.name)
@pytest.mark.parametrize("syntax", [uid.JPEG2000, uid.JPEGLSNearLossless], ids=["j2k", "jls"])
def test_what_was_compressed_with_a_loss_loses_no_more(tmp_path: Path, syntax: str, layout: Layout) -> None:
    made = picture(layout, rows=ROWS, columns=COLUMNS, values=values_of(layout, 1))
    made.SequenceOfUltrasoundRegions = [region(10, 12, 39, 44)]
    made.LossyImageCompression = "01"
    options = {"j2k_cr": [4]} if syntax == uid.JPEG2000 else {"jls_error": 3}
    with warnings.catch_warnings(action="ignore"):
        made.compress(syntax, generate_instance_uid=False, **options)
    content = file_bytes(made)
    result, output = clean(tmp_path, content)
    assert result.code == 0, result.out
    before, after = decoded(content), decoded(output)
    assert (before[12:45, 10:40] == after[12:45, 10:40]).all()
    assert (after[:12] == (layout.black if layout.samples == 3 else layout.black[0])).all()
    assert pydicom.dcmread(io.BytesIO(output)).LossyImageCompression == "01"


@pytest.mark.parametrize(
    ("place", "reason"),
    [((2, 2), "not black"), ((11, 40), "not black"), ((12, 10), "differs"), ((44, 39), "differs")],
)
@pytest.mark.parametrize("layout", [LAYOUTS[2], LAYOUTS[4]], ids=lambda one: one.name)
@pytest.mark.parametrize("syntax", SYNTAXES.values(), ids=SYNTAXES)
def test_one_wrong_number_is_found_when_it_is_read_again(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    syntax: str,
    layout: Layout,
    place: tuple[int, int],
    reason: str,
) -> None:
    from pfdicom_tagSub.pixels.lossless import FrameCells

    blackened = FrameCells.blackened

    def spoilt(*given: Any) -> Any:
        made = blackened(*given)
        made.numbers[place] ^= 1
        return made

    monkeypatch.setattr(FrameCells, "blackened", spoilt)
    result, output = clean(tmp_path, file_bytes(compressed(layout, syntax, 2)))
    assert result.code == 1
    assert not output
    assert reason in result.record["failures"][0]["reason"]
