"""Where letters are drawn is told from where nothing is, and from where nothing changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the packages of pixels are not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

made = pytest.importorskip("pfdicom_tagSub.pixels.drawn_parts")
rectangles = pytest.importorskip("pfdicom_tagSub.pixels.rectangles")

ROWS, COLUMNS = 256, 384
DENSITIES = 0.02, 0.05, 0.1


def ink(text: str = "DOE JANE 47", size: int = 16) -> Any:
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((100, 100), text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(plane) > 127


def drawn(numbers: Any, known: Any = (), most: float = ROWS * COLUMNS / 2, within: Any = None) -> Any:
    return made.Drawn(numbers).parts(known, most, DENSITIES, within)


def covered(parts: Any, place: Any) -> bool:
    flags = np.zeros((ROWS, COLUMNS), bool)
    for one in parts:
        flags[one.y : one.bottom, one.x : one.right] = True
    return bool(flags[place].all())


def test_parts_cover_letters_and_no_soft_anatomy() -> None:
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    smooth = (400 + 300 * np.sin(x / 30) * np.cos(y / 25)).astype(np.int64)
    assert drawn(smooth) == ()
    smooth[ink()] += 60
    parts = drawn(smooth)
    assert covered(parts, ink())
    assert sum(one.width * one.height for one in parts) < ROWS * COLUMNS / 2
    known = (rectangles.Rectangle(90, 90, 120, 40),)
    assert drawn(smooth, known) == ()


def test_noise_is_not_drawn_and_letters_in_it_are() -> None:
    numbers = np.random.default_rng(5).normal(1000, 10, (ROWS, COLUMNS))
    assert drawn(numbers) == ()
    numbers[ink(size=20)] += 120
    assert covered(drawn(numbers), ink(size=20))


def test_only_cells_that_changed_are_parts() -> None:
    before = np.zeros((ROWS, COLUMNS), np.int64)
    after = before.copy()
    after[ink()] = 200
    changed = made.changed_cells(before, after)
    assert covered(made.parts_of(changed, ROWS, COLUMNS), ink())
    assert drawn(after, within=np.zeros_like(changed)) == ()
    assert covered(drawn(after, within=changed), ink())
    assert made.touches(rectangles.Rectangle(100, 100, 20, 10), changed)
    assert not made.touches(rectangles.Rectangle(300, 200, 20, 10), changed)
    colour = np.repeat(before[..., None], 3, axis=2)
    other = colour.copy()
    other[5, 5, 2] = 1
    assert made.changed_cells(colour, other).sum() == 1
    assert made.parts_of(np.ones_like(changed), ROWS, COLUMNS) == (rectangles.Rectangle(0, 0, COLUMNS, ROWS),)


def test_no_more_is_looked_at_than_asked_for_as_long_as_nothing_is_drawn_clearly() -> None:
    numbers = np.random.default_rng(5).normal(1000, 10, (ROWS, COLUMNS))
    numbers[ink(size=20)] += 120
    few = made.Drawn(numbers).parts((), ROWS * COLUMNS / 2, (0.001, *DENSITIES))
    assert sum(one.width * one.height for one in few) <= ROWS * COLUMNS / 2
    assert covered(few, ink(size=20))
    assert covered(made.Drawn(numbers).parts((), 1, DENSITIES), ink(size=20))


def test_parts_cover_every_cell_and_neighbours_are_one_where_that_is_less_to_look_at() -> None:
    random = np.random.default_rng(2)
    for _ in range(30):
        cells = random.random((ROWS // 32, COLUMNS // 32)) < random.random() / 2
        flags = np.repeat(np.repeat(cells, 32, axis=0), 32, axis=1)
        assert covered(made.parts_of(cells, ROWS, COLUMNS), flags)
    cells = np.zeros((ROWS // 32, COLUMNS // 32), bool)
    cells[2, 1:9] = cells[3, 2:8] = True
    assert made.parts_of(cells, ROWS, COLUMNS) == (rectangles.Rectangle(8, 40, 304, 112),)
    cells[:] = False
    cells[0, 0] = cells[7, 11] = True
    assert len(made.parts_of(cells, ROWS, COLUMNS)) == 2


def test_what_stands_alone_is_told_from_what_is_drawn_all_around() -> None:
    numbers = np.random.default_rng(5).normal(1000, 2, (ROWS, COLUMNS))
    numbers[ink("LT", 16)] += 120
    numbers[150:, 200:] += 400 * (np.add.outer(np.arange(106) // 3, np.arange(184) // 3) % 2)
    found = list(made.Drawn(numbers).alone(()))
    assert covered(found[:1], ink("LT", 16))
    assert found[0].width * found[0].height < 1600
    assert not any(one.x > 210 and one.y > 160 and one.right < 370 for one in found)
    assert list(made.Drawn(numbers).alone((found[0].widened(20),))) == found[1:]
    cells = made.changed_cells(numbers, numbers)
    assert list(made.Drawn(numbers).alone((), cells)) == []


def test_what_is_likely_text_is_a_part_though_nothing_is_drawn() -> None:
    numbers = np.random.default_rng(5).normal(1000, 10, (ROWS, COLUMNS))
    likely = np.where(ink(size=20), 0.4, 0).astype(np.float32)
    parts = made.Drawn(numbers).parts((), ROWS * COLUMNS / 2, DENSITIES, None, likely)
    assert covered(parts, ink(size=20))
