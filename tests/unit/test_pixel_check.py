"""Cleaned native pixels are read again: one wrong bit anywhere, and there is no output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from pictures import LAYOUTS, Layout, file_bytes, picture
from pydicom import uid
from support import run_command

from pfdicom_tagSub.dicom.sources import Source
from pfdicom_tagSub.pixels.masked import MaskedPixels

ROWS, COLUMNS, FRAMES = 12, 16, 3
MASKS = [[0, 0, 16, 2], [4, 4, 8, 5]]

ORDERS = {
    "little": (uid.ExplicitVRLittleEndian, ""),
    "big": (uid.ExplicitVRBigEndian, ""),
    "words": (uid.ExplicitVRBigEndian, "OW"),
    "deflated": (uid.DeflatedExplicitVRLittleEndian, ""),
}


def written_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, wrong: tuple[int, int]
) -> tuple[int, str, bool]:
    """Clean a file with one byte of its new pixels joined with bits by XOR; the code, the reasons, and
    whether there is an output."""
    place, bits = wrong
    pieces = MaskedPixels.pieces

    def spoilt(self: MaskedPixels, source: Source) -> Iterator[bytes]:
        data = bytearray(b"".join(pieces(self, source)))
        data[place] ^= bits
        yield bytes(data)

    monkeypatch.setattr(MaskedPixels, "pieces", spoilt)
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / "a.dcm").write_bytes(content)
    (folder / "masks.json").write_text(
        json.dumps({"masks": [{"when": {"Modality": "US"}, "rectangles": MASKS}]})
    )
    flags = ("--tagInfo", "PatientName:x", "--cleanPixels", "devices")
    masks = ("--pixelMasks", str(folder / "masks.json"))
    result = run_command(source, folder / "out", *flags, *masks, "--json")
    reasons = [one["reason"] for one in result.record["failures"]]
    return result.code, "".join(reasons), (folder / "out" / "a.dcm").exists()


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_one_wrong_bit_anywhere_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout, order: str
) -> None:
    syntax, vr = ORDERS[order]
    content = file_bytes(picture(layout, frames=FRAMES, rows=ROWS, columns=COLUMNS, syntax=syntax, vr=vr))
    samples = 2 if layout.photometric == "YBR_FULL_422" else layout.samples
    size = ROWS * COLUMNS * samples * layout.allocated // 8
    line = size // ROWS
    for place in (0, 4 * line + line // 2, 2 * size + 6 * line - 1):
        with monkeypatch.context() as own:
            code, reason, is_there = written_with(tmp_path, own, content, (place, 1))
        assert code == 1
        assert "PixelData" in reason
        assert not is_there


@pytest.mark.parametrize("order", ["words"])  # of the others test_native_pixels asks it
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_no_wrong_bit_is_found_where_none_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layout: Layout, order: str
) -> None:
    syntax, vr = ORDERS[order]
    content = file_bytes(picture(layout, frames=FRAMES, rows=ROWS, columns=COLUMNS, syntax=syntax, vr=vr))
    code, reason, is_there = written_with(tmp_path, monkeypatch, content, (0, 0))
    assert (code, reason, is_there) == (0, "", True)


@pytest.mark.parametrize(
    ("place", "reason"), [(5, "is not black where"), (3 * COLUMNS, "differs"), (4 * COLUMNS + 5, "not black")]
)
def test_reason_says_on_which_side_of_a_mask_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: int, reason: str
) -> None:
    content = file_bytes(picture(frames=FRAMES, rows=ROWS, columns=COLUMNS))
    _, told, _ = written_with(tmp_path, monkeypatch, content, (place, 1))
    assert reason in told
