"""The text of real ultrasound pictures is gone, and the sector stays as it is.

The pictures are public ones of pydicom's; where their lines are was read from them by a person.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
pytest.importorskip("openjpeg", reason="the codecs are not installed")

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.pixels.processing import apply_color_lut

from pfdicom_tagSub.core.options import PixelSelection
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.pixel_cleaning import PixelCleaner
from pfdicom_tagSub.pixels.settings import PixelSettings

FILES = Path(__file__).parents[3] / "shared" / "corpus" / "pydicom-data"

GONE = 0.98
"""Which part of the strokes of a line is black if it is gone."""

Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""


class Real(NamedTuple):
    """A picture: its lines, and a part of the sector that has no text."""

    lines: dict[str, Box]
    sector: Box


PHILIPS = Real(
    {
        "PHILIPS OB": (8, 6, 122, 25),
        "number": (94, 33, 268, 52),
        "Philips Healthcare": (324, 33, 516, 52),
        "MI 1.1": (572, 6, 640, 25),
        "date": (668, 6, 776, 25),
        "TIB 0.2": (572, 33, 652, 52),
        "time": (668, 33, 782, 52),
        "Gen OB": (2, 67, 76, 82),
        "C5-1": (2, 86, 50, 101),
        "28Hz": (2, 105, 54, 120),
        "11cm": (2, 124, 56, 139),
        "2D": (2, 163, 30, 178),
        "HGen": (8, 184, 64, 199),
        "Gn 60": (8, 204, 70, 217),
        "C 61": (8, 223, 56, 236),
        "3/3/4": (8, 241, 80, 256),
        "P": (138, 488, 150, 501),
        "R": (181, 488, 194, 501),
        "1.8 3.6": (140, 507, 192, 520),
        "Cist Mag 1.06 cm": (126, 86, 306, 102),
    },
    (365, 75, 555, 150),
)
REAL = {
    "OBXXXX1A": PHILIPS,
    "OBXXXX1A_rle": PHILIPS,
    "US1_UNCI": Real(
        {
            "BAPTIST MED CTR": (18, 25, 170, 40),
            "630P630": (18, 41, 90, 56),
            "78F78": (18, 57, 72, 72),
            "44CG43": (18, 73, 82, 88),
            "IM#2": (18, 89, 62, 104),
            "+2:09:04": (278, 41, 360, 56),
            "3cm3cm 8M12L": (498, 25, 620, 40),
            "MSCSKEL": (548, 41, 620, 56),
            "CINE 0118": (528, 57, 620, 72),
            "22G22": (568, 73, 620, 88),
            "78DR78": (558, 89, 620, 104),
            "LYMPH NODE": (248, 361, 360, 376),
            "TIS<0.4 MI=0.8 AO=100%": (398, 457, 620, 472),
        },
        (90, 152, 545, 290),
    ),
    "gdcm-US-ALOKA-16": Real(
        {
            "*WESTWAY MEDICAL*": (78, 1, 250, 11),
            "ULTRASOUND": (108, 13, 210, 23),
            "24-MAY-02": (548, 1, 640, 11),
            "11:24:20": (552, 13, 640, 23),
            "127/128": (250, 37, 318, 47),
            "20Hz": (290, 49, 330, 59),
            "110/111": (560, 37, 628, 47),
            "9123 5.0 R15 G66 C6": (40, 433, 240, 443),
            "9123 5.0 R15 G63 C6": (340, 433, 540, 443),
            "3:PELVIS": (20, 457, 100, 467),
            "DVA: 94%": (550, 457, 630, 467),
        },
        (60, 140, 320, 400),
    ),
    "JPGLosslessP14SV1_1s_1f_8b": Real(
        {
            "Adult Echo": (12, 25, 144, 45),
            "S5-1": (12, 55, 64, 72),
            "49Hz": (12, 79, 70, 96),
            "16cm": (12, 99, 66, 115),
            "Asc Ao Diam": (106, 66, 250, 84),
            "3.3 cm": (260, 66, 332, 84),
            "Asc Ao Index": (106, 97, 252, 114),
            "2.0": (298, 97, 332, 114),
            "2D": (12, 140, 40, 155),
            "64%": (26, 161, 66, 177),
            "C 50": (12, 181, 58, 197),
            "P Low": (12, 201, 72, 217),
            "HPen": (18, 221, 68, 237),
            "1.3 2.6": (12, 478, 92, 496),
            "TIS0.4": (826, 26, 900, 44),
            "MI 1.4": (916, 26, 986, 44),
            "M3": (962, 79, 986, 93),
            "65bpm": (932, 730, 994, 748),
        },
        (230, 360, 520, 470),
    ),
}  # fmt: skip


def strokes(numbers: npt.NDArray[Any], box: Box) -> npt.NDArray[np.bool_]:
    """What differs most from the usual light of a box."""
    left, top, right, bottom = box
    part = numbers[top:bottom, left:right].astype(int)
    away = np.abs(part - int(np.median(part)))
    drawn: npt.NDArray[np.bool_] = away > away.max() / 2
    return drawn


@pytest.mark.skipif(not FILES.is_dir(), reason="the public files are not here (../shared/corpus)")
@pytest.mark.parametrize("name", list(REAL))
def test_text_of_a_real_picture_is_gone_and_its_sector_stays(name: str) -> None:
    content = (FILES / f"{name}.dcm").read_bytes()
    made = pydicom.dcmread(FILES / f"{name}.dcm")
    shown = made.pixel_array
    if made.PhotometricInterpretation == "PALETTE COLOR":
        shown = apply_color_lut(shown, made) >> 8
    light = shown.max(axis=2) if shown.ndim == 3 else shown
    cleaner = PixelCleaner(PixelSettings.of("text", "", PixelSelection.ALL))
    masks = cleaner.clean(parse(BytesSource(content))).masks
    flags = np.zeros(light.shape, bool)
    for one in masks.of(0) if masks else ():
        flags[one.y : one.bottom, one.x : one.right] = True
    left = {}
    for text, box in REAL[name].lines.items():
        covered = flags[box[1] : box[3], box[0] : box[2]][strokes(light, box)].mean()
        if covered < GONE:
            left[text] = round(float(covered), 2)
    assert left == {}
    x, y, right, bottom = REAL[name].sector
    assert not flags[y:bottom, x:right].any()
