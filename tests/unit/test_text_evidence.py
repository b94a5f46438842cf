"""What is drawn like text, and what a detector only takes for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rapidocr_onnxruntime", reason="the detector of text is not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

evidence = pytest.importorskip("pfdicom_tagSub.pixels.text_evidence")
evidence_of, flattened = evidence.evidence_of, evidence.flattened
grown, is_drawn = evidence.grown, evidence.is_drawn


def lettering(text: str, size: int = 18, ground: int = 60, ink: int = 240) -> tuple[Any, tuple[int, ...]]:
    plane = Image.new("L", (300, 60), ground)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(plane).text((20, 20), text, fill=ink, font=font)
    box = tuple(int(one) for one in ImageDraw.Draw(plane).textbbox((20, 20), text, font=font))
    return np.asarray(plane), box


@pytest.mark.parametrize(("ground", "ink"), [(60, 240), (200, 10), (100, 150)])
@pytest.mark.parametrize("size", [10, 18, 28])
def test_letters_are_drawn(size: int, ground: int, ink: int) -> None:
    grey, (left, top, right, bottom) = lettering("DOE^JANE 47", size, ground, ink)
    found = evidence_of(grey[top:bottom, left:right])
    assert is_drawn(found, bottom - top, right - left)


def test_soft_edges_noise_and_squares_are_not() -> None:
    y, x = np.mgrid[0:30, 0:120]
    waves = (120 + 100 * np.sin(x / 9) * np.cos(y / 9)).astype(np.uint8)
    assert not is_drawn(evidence_of(waves), 30, 120)
    noise = np.random.default_rng(1).integers(0, 255, (30, 120)).astype(np.uint8)
    assert not is_drawn(evidence_of(noise), 30, 120)
    grey, (left, top, right, bottom) = lettering("DOE", 18)
    assert not is_drawn(evidence_of(grey[top:bottom, left:right]), 60, 70)
    assert not is_drawn(evidence_of(np.full((20, 80), 7, np.uint8)), 20, 80)


def test_line_grows_over_letters_that_were_cut_off_and_no_further() -> None:
    grey, (left, top, right, bottom) = lettering("DOE JANE 1954")
    cut = left + (right - left) // 2
    found = evidence_of(grey[top:bottom, left:cut])
    assert found is not None
    _, _, end, _ = grown(grey, (left, top, cut, bottom), found)
    assert right - 4 <= end <= right + 2 * (bottom - top)
    start, _, _, _ = grown(grey, (cut, top, right, bottom), found)
    assert left - 2 * (bottom - top) <= start <= left + 4


def test_faint_letters_stand_out_where_they_are_flattened() -> None:
    grey, _ = lettering("DOE JANE", ground=0, ink=30)
    ramp = 1000 + 10 * np.arange(300)
    numbers = grey.astype(np.int64) + ramp + np.random.default_rng(2).integers(0, 4, grey.shape)
    shown = flattened(numbers)
    is_ink = grey > 20
    assert float(shown[is_ink].mean()) - float(shown[~is_ink].mean()) > 40
    assert not flattened(np.full((40, 40), 5)).any()
