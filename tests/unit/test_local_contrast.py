"""What differs from its place is seen in whichever window."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the packages of pixels are not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

made = pytest.importorskip("pfdicom_tagSub.pixels.local_contrast")

ROWS, COLUMNS = 256, 384
PLACE = slice(98, 120), slice(98, 200)


def ink(text: str = "DOE JANE 47", size: int = 16) -> Any:
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((100, 100), text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(plane) > 127


@pytest.mark.parametrize("least", [-1000, 0, 30000])
def test_text_two_steps_above_a_flat_place_is_seen_beside_what_is_far_lighter(least: int) -> None:
    numbers = np.full((ROWS, COLUMNS), least)
    numbers[200:, 200:] = least + 4000
    numbers[ink()] = least + 3
    shown, wider = made.local_contrast(numbers, (8.0, 32.0))
    assert int(shown[ink()].min()) - int(np.median(shown[PLACE])) >= 40
    assert 0 < int(wider[ink()].min()) - int(np.median(wider[PLACE])) < 20


def test_noise_is_as_large_everywhere() -> None:
    random = np.random.default_rng(4)
    numbers = random.normal(0, np.where(np.arange(COLUMNS) < 192, 5.0, 80.0), (ROWS, COLUMNS))
    (shown,) = made.local_contrast(numbers, (8.0,))
    quiet, loud = (float(shown[20:-20, part].std()) for part in (slice(20, 150), slice(230, 360)))
    assert 8 < quiet < 25
    assert 0.7 < quiet / loud < 1.4
