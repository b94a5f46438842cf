"""Letters are told from what is none, of any script, and their lines become rectangles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
cv2 = pytest.importorskip("cv2", reason="the packages of pixels are not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

made = pytest.importorskip("pfdicom_tagSub.pixels.letters")
rectangles = pytest.importorskip("pfdicom_tagSub.pixels.rectangles")

ROWS, COLUMNS = 256, 384
WHOLE = (rectangles.Rectangle(0, 0, COLUMNS, ROWS),)


def ink(text: str, size: int = 16, x: int = 100, y: int = 100) -> Any:
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((x, y), text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(plane) / 255


def ground(seed: int = 5) -> Any:
    """Soft shapes with noise, as numbers of 12 bits."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    shapes = 900 + 300 * np.sin(x / 30) * np.cos(y / 25)
    return np.clip(shapes + np.random.default_rng(seed).normal(0, 12, (ROWS, COLUMNS)), 0, 4095)


def found(numbers: Any, parts: Any = WHOLE) -> Any:
    """Where letters are, as flags."""
    flags = np.zeros(numbers.shape, bool)
    for line in made.LetterFinder().lines(numbers, parts):
        one = line.place
        flags[max(one.y, 0) : one.bottom, max(one.x, 0) : one.right] = True
    return flags


@pytest.mark.parametrize("text", ["DOE^JANE", "14:32:07", "LT", "Müller, Jürgen", "F 067Y"])
@pytest.mark.parametrize("size", [11, 18, 28])
@pytest.mark.parametrize("away", [1500, -500, 120])
def test_letters_are_found_light_dark_and_in_a_narrow_window(text: str, size: int, away: int) -> None:
    cover = ink(text, size)
    flags = found(ground() + away * cover)
    assert flags[cover > 0.5].all()
    assert flags.mean() < 0.12


@pytest.mark.parametrize("seed", range(4))
def test_noise_shapes_and_drawings_are_none(seed: int) -> None:
    numbers = ground(seed)
    assert not found(numbers).any()
    drawing = np.zeros((ROWS, COLUMNS), np.uint8)
    points = np.array([(x, 60 + 30 * np.sin(x / 17)) for x in range(0, COLUMNS, 3)], np.int32)
    cv2.polylines(drawing, [points], False, 255, 2)
    cv2.rectangle(drawing, (200, 120), (340, 230), 255, 1)
    cv2.circle(drawing, (80, 190), 40, 255, 2)
    for x in range(10, COLUMNS, 12):
        drawing[240:248, x] = 255
    assert not found(numbers + 6.0 * drawing).any()


def test_a_picture_of_one_shade_shows_nothing() -> None:
    assert not found(np.full((ROWS, COLUMNS), 7)).any()


def test_pictures_of_any_size_are_looked_at_to_their_edges() -> None:
    for rows, columns in ((33, 97), (64, 64), (200, 31)):
        cover = ink("8W", 20, 2, -3)[:rows, :columns]
        numbers = 100 + 900 * cover
        flags = found(numbers, (rectangles.Rectangle(0, 0, columns, rows),))
        assert flags[cover > 0.5].all(), (rows, columns)


def test_large_pictures_are_looked_at_in_tiles() -> None:
    random = np.random.default_rng(3)
    numbers = random.normal(1000, 10, (300, made.TILE + 700))
    starts = [*range(20, numbers.shape[1] - COLUMNS, 290)]
    for x in starts:
        numbers[10 : 10 + ROWS, x : x + COLUMNS][ink("Kim Jong-Su 1954", x=0) > 0.5] = 1400
    finder = made.LetterFinder()
    whole = (rectangles.Rectangle(0, 0, numbers.shape[1], numbers.shape[0]),)
    places = [line.place for line in finder.lines(numbers, whole)]
    for x in starts:
        assert any(one.x <= x + 2 and x + 100 <= one.right for one in places), x


def test_of_a_picture_the_parts_that_are_asked_for_are_looked_at() -> None:
    left, right = ink("DOE JANE", 18, 20, 60), ink("4711 / 08", 18, 250, 60)
    numbers = ground() + 1500 * (left + right)
    flags = found(numbers, (rectangles.Rectangle(0, 0, 160, ROWS),))
    assert flags[left > 0.5].all()
    assert not flags[right > 0.5].any()


def test_numbers_of_few_steps_are_seen_as_those_of_many() -> None:
    cover = ink("DOE JANE", 18)
    few = np.where(cover > 0.5, 3, 1)
    assert found(few)[cover > 0.5].all()
    assert (made.views_of(few) == made.views_of(few * 85)).all()


def test_cells_that_fill_no_rectangle_become_several() -> None:
    likely = np.zeros((20, 40), np.float32)
    likely[2:5, 3:30] = likely[9:12, 3:30] = 0.9
    likely[5:9, 3] = 0.35  # two lines that touch at one end
    flags = np.zeros((20, 40), bool)
    for line in made._lines(likely):
        left, top, width, height = (edge // made.CELL for edge in line.place)
        flags[top : top + height, left : left + width] = True
    assert (flags == (likely > 0)).all()


def test_likely_cells_count_only_beside_a_sure_one() -> None:
    likely = np.zeros((20, 40), np.float32)
    likely[2:5, 3:10] = made.LIKELY + 0.01
    assert list(made._lines(likely)) == []
    likely[3, 4] = made.SURE
    (line,) = made._lines(likely)
    assert line.score == pytest.approx(made.SURE)
    assert line.place == rectangles.Rectangle(12, 8, 28, 12)


def test_a_line_has_a_wider_margin_where_it_runs_into_another_ground() -> None:
    shown = np.full((100, 200), 40, np.uint8)
    shown[40:60, 60:140:4] = 200
    line = rectangles.Rectangle(60, 40, 80, 20)
    assert made._widened(line, shown) == rectangles.Rectangle(48, 36, 104, 28)
    shown[:, 150:] = 230
    assert made._widened(line, shown) == rectangles.Rectangle(48, 36, 116, 28)
    standing = rectangles.Rectangle(40, 60, 20, 80)
    assert made._widened(standing, shown.T) == rectangles.Rectangle(36, 48, 28, 116)
    mark = rectangles.Rectangle(60, 40, 20, 20)
    assert made._widened(mark, shown) == mark.widened(12)._replace(y=36, height=28)
