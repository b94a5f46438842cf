"""What changed from frame to frame is told, and which parts of a picture have to be looked at for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the packages of pixels are not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

made = pytest.importorskip("pfdicom_tagSub.pixels.changes")
rectangles = pytest.importorskip("pfdicom_tagSub.pixels.rectangles")

ROWS, COLUMNS = 256, 384


def ink(text: str = "DOE JANE 47", size: int = 16) -> Any:
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((100, 100), text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(plane) > 127


def covered(parts: Any, place: Any) -> bool:
    flags = np.zeros((ROWS, COLUMNS), bool)
    for one in parts:
        flags[one.y : one.bottom, one.x : one.right] = True
    return bool(flags[place].all())


def test_only_cells_that_changed_are_parts() -> None:
    before = np.zeros((ROWS, COLUMNS), np.int64)
    after = before.copy()
    after[ink()] = 200
    changed = made.changed_cells(before, after)
    assert covered(made.parts_of(changed, ROWS, COLUMNS), ink())
    assert made.touches(rectangles.Rectangle(100, 100, 20, 10), changed)
    assert not made.touches(rectangles.Rectangle(300, 200, 20, 10), changed)
    colour = np.repeat(before[..., None], 3, axis=2)
    other = colour.copy()
    other[5, 5, 2] = 1
    assert made.changed_cells(colour, other).sum() == 1
    assert made.parts_of(np.ones_like(changed), ROWS, COLUMNS) == (rectangles.Rectangle(0, 0, COLUMNS, ROWS),)


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


@pytest.mark.parametrize("samples", [1, 3])
def test_what_was_drawn_over_grains_is_left_where_it_stays_and_gone_where_it_went(samples: int) -> None:
    random = np.random.default_rng(4)
    text = ink()
    rows, columns = np.where(text)
    top, left = int(rows.min()) - 4, int(columns.min()) - 4
    place = rectangles.Rectangle(left, top, int(columns.max()) + 5 - left, int(rows.max()) + 5 - top)
    start = rectangles.Rectangle(left, top, place.width * 2 // 3, place.height)

    def frame(drawn: Any) -> Any:
        shown = random.rayleigh(40, (ROWS, COLUMNS)).clip(0, 150).astype(np.int64)
        shown[drawn] = 240
        return shown if samples == 1 else np.repeat(shown[..., None], samples, axis=2)

    before, moved = frame(text), np.roll(text, (30, 5), (0, 1))
    assert made.is_left(before, frame(text), place, ())
    assert made.is_left(before, frame(text) // 2 + 60, place, ())
    assert made.is_left(before, frame(text), place, (start,))  # its end is not found any more
    assert not made.is_left(before, frame(text), place, (place,))
    assert not made.is_left(before, frame(moved), place, ())
    assert not made.is_left(before, frame(moved), place, (start,))
