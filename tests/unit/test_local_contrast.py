"""What differs from its place is seen in whichever window, and places where nothing is drawn are told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the packages of pixels are not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

made = pytest.importorskip("pfdicom_tagSub.pixels.local_contrast")
rectangles = pytest.importorskip("pfdicom_tagSub.pixels.rectangles")

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


def covered(parts: Any, place: Any) -> bool:
    flags = np.zeros((ROWS, COLUMNS), bool)
    for one in parts:
        flags[one.y : one.bottom, one.x : one.right] = True
    return bool(flags[place].all())


def test_parts_cover_letters_and_no_soft_anatomy() -> None:
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    smooth = (400 + 300 * np.sin(x / 30) * np.cos(y / 25)).astype(np.int64)
    assert made.drawn_parts(smooth, (), ROWS * COLUMNS) == ()
    smooth[ink()] += 60
    parts = made.drawn_parts(smooth, (), ROWS * COLUMNS)
    assert covered(parts, ink())
    assert sum(one.width * one.height for one in parts) < ROWS * COLUMNS / 2
    known = (rectangles.Rectangle(90, 90, 120, 40),)
    assert made.drawn_parts(smooth, known, ROWS * COLUMNS) == ()


def test_noise_is_not_drawn_and_letters_in_it_are() -> None:
    numbers = np.random.default_rng(5).normal(1000, 10, (ROWS, COLUMNS))
    assert made.drawn_parts(numbers, (), ROWS * COLUMNS) == ()
    numbers[ink(size=20)] += 120
    assert covered(made.drawn_parts(numbers, (), ROWS * COLUMNS), ink(size=20))


def test_only_cells_that_changed_are_parts() -> None:
    before = np.zeros((ROWS, COLUMNS), np.int64)
    after = before.copy()
    after[ink()] = 200
    changed = made.changed_cells(before, after)
    assert covered(made.parts_of(changed, ROWS, COLUMNS), ink())
    assert made.drawn_parts(after, (), ROWS * COLUMNS, np.zeros_like(changed)) == ()
    assert covered(made.drawn_parts(after, (), ROWS * COLUMNS, changed), ink())
    assert made.touches(rectangles.Rectangle(100, 100, 20, 10), changed)
    assert not made.touches(rectangles.Rectangle(300, 200, 20, 10), changed)
    colour = np.repeat(before[..., None], 3, axis=2)
    other = colour.copy()
    other[5, 5, 2] = 1
    assert made.changed_cells(colour, other).sum() == 1
    assert made.parts_of(np.ones_like(changed), ROWS, COLUMNS) == (rectangles.Rectangle(0, 0, COLUMNS, ROWS),)
