"""What looks somewhat like letters is none: vertebrae, fingers, and places where noise ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="what runs the network is not installed")

import cv2
import numpy as np
import numpy.typing as npt

from pfdicom_tagSub.pixels.letters import LetterFinder
from pfdicom_tagSub.pixels.rectangles import Rectangle, clipped

Plane = npt.NDArray[Any]
Random = np.random.Generator


def vertebrae(random: Random) -> Plane:
    """A spine from the side: bodies with a bright rim, discs between them, processes behind."""
    shown = np.full((384, 320), 0.2)
    x, height = float(random.uniform(110, 200)), float(random.uniform(18, 34))
    width, phase = height * float(random.uniform(1.1, 1.6)), float(random.uniform(0, 6))
    y = -5.0
    while y < 384:
        here = x + 18 * np.sin(y / 120 + phase)
        turned = 12 * np.cos(y / 120 + phase)
        body = cv2.boxPoints(((here, y), (width, height), turned)).astype(np.int32)
        disc = ((here, y + height * 0.62), (width * 0.95, height * 0.22), turned)
        cv2.fillPoly(shown, [body], 0.55)
        cv2.polylines(shown, [body], True, 0.75, 2)
        cv2.ellipse(shown, disc, 0.35, -1)
        process = ((here + width * 0.95, y + 4), (width * 0.5, height * 0.35), turned + 25)
        cv2.ellipse(shown, process, 0.6, -1)
        y += height * 1.25
    smooth = cv2.GaussianBlur(shown, (0, 0), 1.0)
    return np.round(np.clip(smooth + random.normal(0, 0.01, shown.shape), 0, 1) * 2000)


def fingers(random: Random) -> Plane:
    """Bones in rows, with joints between them."""
    shown = np.full((500, 400), 0.1)
    for number in range(4):
        x, y = 70 + 85 * number + float(random.uniform(-8, 8)), 470.0
        for length in (130, 90, 60, 40):
            middle = (x, y - length / 2)
            cv2.ellipse(shown, (middle, (26, length - 8), float(random.uniform(-4, 4))), 0.7, 5)
            cv2.ellipse(shown, ((x, y - 6), (30, 14), 0), 0.75, -1)
            y -= length
    smooth = cv2.GaussianBlur(shown, (0, 0), 1.2)
    return np.round(np.clip(smooth + random.normal(0, 0.006, shown.shape), 0, 1) * 4095)


def last_tiles(random: Random) -> Plane:
    """A mosaic of slices over faint noise, whose last tiles hold nothing."""
    shown = np.zeros((384, 384))
    side = int(random.choice([64, 96]))
    filled = (384 // side) ** 2 - int(random.integers(1, 4))
    for number in range(filled):
        y, x = (place * side for place in divmod(number, 384 // side))
        tile = np.zeros((side, side))
        cv2.ellipse(tile, (side // 2, side // 2), (side // 3, int(side * 0.4)), 0, 0, 360, 0.5, -1)
        tile = cv2.GaussianBlur(tile, (0, 0), 2) + random.normal(0, 0.02, tile.shape) * (tile > 0)
        shown[y : y + side, x : x + side] = np.hypot(tile, random.normal(0, 0.004, tile.shape))
    return np.round(np.clip(shown, 0, 1) * 4095)


def area_of(found: LetterFinder, numbers: Plane) -> float:
    """The part of a picture that would be black."""
    rows, columns = numbers.shape
    flags = np.zeros(numbers.shape, bool)
    lines = found.lines(numbers, (Rectangle(0, 0, columns, rows),))
    for one in clipped((line.place for line in lines), rows, columns):
        flags[one.y : one.bottom, one.x : one.right] = True
    return float(flags.mean())


@pytest.fixture(scope="module")
def finder() -> LetterFinder:
    return LetterFinder()


@pytest.mark.parametrize("draw", [vertebrae, fingers, last_tiles])
def test_what_looks_like_letters_is_spared(finder: LetterFinder, draw: Callable[[Random], Plane]) -> None:
    areas = [area_of(finder, draw(np.random.default_rng(number))) for number in range(12)]
    assert np.mean(areas) <= 0.02
