"""Pictures on the review sheet are shown through the tables of the file, as pydicom shows them."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("numpy", reason="what decodes pixels is not installed")

import numpy as np
import numpy.typing as npt
from pictures import Layout, file_bytes, picture
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.pixels.finding import Finder
from pfdicom_tagSub.pixels.frames import native_frame
from pfdicom_tagSub.pixels.lookup_tables import TABLES, LookupTables
from pfdicom_tagSub.pixels.settings import PixelSettings

DEEP = Layout("deep", "MONOCHROME2", 16, 12)
SIGNED = Layout("signed", "MONOCHROME2", 16, 12, signed=True)
INVERSE = Layout("inverse", "MONOCHROME1", 16, 12)
RAMP = np.tile(np.arange(60) * 40, (40, 1)).reshape(1, 40, 60, 1)


def table(first: int, entries: list[int], bits: int = 12, *, is_signed: bool = False) -> list[Dataset]:
    """A sequence with one table."""
    item = Dataset()
    item.add_new(0x00283002, "SS" if is_signed else "US", [len(entries) % 65536, first, bits])
    item.add_new(0x00283006, "US", entries)
    return [item]


def curve(count: int, most: int = 4095) -> list[int]:
    """A table that is no line."""
    return [round(most * (place / (count - 1)) ** 2) for place in range(count)]


def shown(made: Dataset) -> npt.NDArray[np.uint8]:
    """What the sheet shows of the first frame, when no window is asked for."""
    finder = Finder(PixelSettings(()), TABLES)
    root = finder.root_of(parse(BytesSource(file_bytes(made))))
    image = finder.image(root)
    assert image is not None
    return LookupTables(root, image).shown(native_frame(root.source, image, 0), image, ())


def wanted(made: Dataset) -> npt.NDArray[np.float64]:
    """What pydicom makes of it, from 0 to 255."""
    numbers = np.asarray(apply_voi_lut(apply_modality_lut(made.pixel_array, made), made), float)
    white = (1 << made.VOILUTSequence[0].LUTDescriptor[2]) - 1
    return numbers * (255 / white)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
@pytest.mark.parametrize(
    ("layout", "values", "elements"),
    [
        (DEEP, RAMP, {"VOILUTSequence": table(400, curve(1200))}),
        (DEEP, RAMP, {"VOILUTSequence": table(0, curve(2000, 65535), 16)}),
        (SIGNED, RAMP - 1000, {"VOILUTSequence": table(-800, curve(1500), is_signed=True)}),
        (
            DEEP,
            RAMP,
            {
                "RescaleSlope": "2",
                "RescaleIntercept": "-1000",
                "VOILUTSequence": table(-500, curve(3000), is_signed=True),
            },
        ),
        (
            DEEP,
            RAMP,
            {
                "ModalityLUTSequence": table(0, curve(2400, 1023), 16),
                "VOILUTSequence": table(100, curve(700)),
            },
        ),
    ],
    ids=["part", "16 bits", "signed", "rescaled", "both"],
)
def test_numbers_are_shown_as_pydicom_shows_them(
    syntax: str, layout: Layout, values: Any, elements: dict[str, Any]
) -> None:
    made = picture(layout, values=values, syntax=syntax, **elements)
    found = shown(made)
    assert np.ptp(found) > 60
    assert np.abs(found - wanted(made)).max() <= 1


@pytest.mark.parametrize("is_packed", [False, True])
def test_entries_of_8_bits_are_read_one_and_two_to_a_word(is_packed: bool) -> None:
    entries = curve(256, 255)
    made = picture(DEEP, values=RAMP, VOILUTSequence=table(100, entries, 8))
    if is_packed:
        made.VOILUTSequence[0].add_new(0x00283006, "OW", bytes(entries))
    expected = np.array(entries)[np.clip(RAMP[0, ..., 0] - 100, 0, 255)]
    assert np.array_equal(shown(made), expected)


def test_light_is_dark_in_monochrome1() -> None:
    upright = shown(picture(DEEP, values=RAMP, VOILUTSequence=table(400, curve(1200))))
    inverse = shown(picture(INVERSE, values=RAMP, VOILUTSequence=table(400, curve(1200))))
    assert np.array_equal(255 - upright, inverse)


def test_a_table_of_a_modality_alone_is_shown_in_its_whole_range() -> None:
    made = picture(DEEP, values=RAMP, ModalityLUTSequence=table(0, curve(2400, 1023), 16))
    expected = apply_modality_lut(made.pixel_array, made) * (255 / 1023)
    assert np.abs(shown(made) - expected).max() <= 1


def test_a_table_of_65536_entries_is_read_whole() -> None:
    made = picture(DEEP, values=RAMP, VOILUTSequence=table(0, curve(65536, 65535), 16))
    assert np.abs(shown(made) - wanted(made)).max() <= 1


def test_windows_go_before_tables() -> None:
    made = picture(DEEP, values=RAMP, VOILUTSequence=table(400, curve(1200)))
    finder = Finder(PixelSettings(()), TABLES)
    root = finder.root_of(parse(BytesSource(file_bytes(made))))
    image = finder.image(root)
    assert image is not None
    found = LookupTables(root, image).shown(native_frame(root.source, image, 0), image, ((1000.0, 2000.0),))
    assert (found[:, :25] == 0).all()
    assert (found[:, 51:] == 255).all()


@pytest.mark.parametrize("damage", ["short", "bits", "no data", "no item"])
def test_tables_that_cannot_be_read_leave_the_whole_range(damage: str) -> None:
    made = picture(DEEP, values=RAMP, VOILUTSequence=table(400, curve(1200)))
    plain = shown(picture(DEEP, values=RAMP))
    item = made.VOILUTSequence[0]
    if damage == "short":
        item.LUTData = item.LUTData[:-1]
    elif damage == "bits":
        item.LUTDescriptor[2] = 40
    elif damage == "no data":
        del item.LUTData
    else:
        made.VOILUTSequence = []
    assert np.array_equal(shown(made), plain)


def test_colour_is_shown_as_it_is() -> None:
    layout = Layout("rgb", "RGB", 8, black=(0, 0, 0))
    values = np.repeat(RAMP // 10, 3, axis=3)
    made = picture(layout, values=values, VOILUTSequence=table(0, [255] * 256, 8))
    assert np.array_equal(shown(made), values[0])
