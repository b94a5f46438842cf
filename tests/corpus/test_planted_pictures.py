"""Planted text in pictures of all kinds is gone, what has no text is spared, and nothing else changes.

This is a sample; ``benchmarks/pixels.py`` measures as many as one likes.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from support import run_command

pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
pytest.importorskip("openjpeg", reason="the codecs are not installed")
pytest.importorskip("jpeg_ls", reason="the codecs are not installed")

import numpy as np
from picture_score import GONE, Score, masks_of, score
from planted_pictures import KINDS, Array, Planted, planted

from pfdicom_tagSub.core.options import PixelSelection
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.pixel_cleaning import PixelCleaner
from pfdicom_tagSub.pixels.settings import PixelSettings

CLEANED = (
    "--cleanPixels",
    "text",
    "--cleanPixelsOf",
    "all",
    "--json",
    "--tagStruct",
    '{"PatientName": "ANON"}',
)


def some(usual: list[Any], more: list[Any]) -> list[Any]:
    """Parameters, of which more are used with ``--all``."""
    return [*usual, *(pytest.param(one, marks=pytest.mark.thorough) for one in more)]


def scored(folder: Path, one: Planted) -> Score:
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / "a.dcm").write_bytes(one.content)
    result = run_command(source, folder / "out", *CLEANED, "--overwrite")
    assert result.code == 0, result.out
    told = result.record["pixelsCleaned"]
    masks = masks_of(told[0]["rectangles"] if told else [], one.values.shape[:3])
    return score(one, (folder / "out" / "a.dcm").read_bytes(), masks)


@pytest.mark.parametrize("number", some([0, 18, 46], [1, 27, 36, 54]))
def test_text_of_ultrasound_and_captures_is_gone(tmp_path: Path, number: int) -> None:
    one = planted(number, has_text=True, is_plain=True)
    assert one.kind in {"us", "capture"}
    found = scored(tmp_path, one)
    assert found.left == ()
    assert found.gone >= 1
    if "-jpeg-" not in one.name:
        assert found.changed == 0


@pytest.mark.parametrize("kind", some(["ct", "mr", "xa"], ["epi", "cr", "nm", "mg"]))
def test_text_of_other_pictures_is_gone(tmp_path: Path, kind: str) -> None:
    one = planted(2, has_text=True, kind=kind, is_plain=True)
    found = scored(tmp_path, one)
    assert found.left == ()
    assert found.gone >= 1
    assert found.changed == 0


@pytest.mark.parametrize("kind", some(["us", "ct", "mr", "nm"], ["capture", "epi", "cr", "xa", "mg"]))
def test_pictures_without_text_are_spared(tmp_path: Path, kind: str) -> None:
    found = scored(tmp_path, planted(3, has_text=False, kind=kind))
    assert found.false_area <= 0.02
    assert found.changed == 0


@pytest.mark.parametrize("number", some([62000, 62014], [62002, 62012]))
def test_blobs_of_few_counts_are_no_letters(tmp_path: Path, number: int) -> None:
    found = scored(tmp_path, planted(number, has_text=False, kind="nm"))
    assert found.false_area <= 0.02


PICTURES = range(400, 416)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", list(KINDS))
def test_on_many_pictures_the_targets_are_reached(kind: str) -> None:
    """All lines of ultrasound and captures are gone, and at most 2 % of pictures without text.

    Of another kind, one line of the 60 to 80 may be left; benchmarks/README.rst has the figures of many more.
    """
    cleaner = PixelCleaner(PixelSettings.of("text", "", PixelSelection.ALL))

    def masks(one: Planted) -> Array:
        found = cleaner.clean(parse(BytesSource(one.content))).masks
        flags = np.zeros(one.values.shape[:3], bool)
        for frame in range(len(flags)):
            for place in found.of(frame) if found else ():
                flags[frame, place.y : place.bottom, place.x : place.right] = True
        return flags

    gone: list[bool] = []
    for number in PICTURES:
        one = planted(number, has_text=True, kind=kind, is_plain=True)
        flags = masks(one)
        gone += [flags[frame][line.ink].mean() >= GONE for line in one.lines for frame in line.frames]
    assert len(gone) >= 2 * len(PICTURES)
    assert np.mean(gone) >= (1 if kind in {"us", "capture"} else 0.985)
    free = [masks(planted(number, has_text=False, kind=kind)).mean() for number in PICTURES[:8]]
    assert np.mean(free) <= 0.02


SLICES = Path(__file__).parents[3] / "shared" / "corpus" / "ge-siemens-epi" / "20180918GE"


@pytest.mark.skipif(not SLICES.is_dir(), reason="the public files are not here (../shared/corpus)")
def test_of_real_slices_of_64_pixels_nothing_is_blackened(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for path in sorted(SLICES.glob("mr_000*/*.dcm"))[::11]:
        shutil.copy(path, source / path.name)
    result = run_command(source, tmp_path / "out", *CLEANED)
    assert result.code == 0, result.out
    assert result.record["pixelsCleaned"] == []
