"""Pictures of what differs from its place, in whichever window it would show, and where something is drawn.

Text that shows only in a narrow window of deep pixels differs from what is around it by a few of its steps of
noise. So numbers are shown by how many such steps they are away from the median around them: one picture for
all windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .rectangles import Rectangle, clipped
from .text_evidence import Grey

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.bool_]

_CELL = 6
"""The median around a pixel is taken of 5 x 5 cells of so many pixels: wider than strokes, and no wider."""

_BLOCK = 32
"""The side of a block of which the noise is taken."""

_STEP_OF_NOISE = 1.4
"""How much larger the median step between neighbours is than the noise."""

_QUIET = 0.3
_STEP_OF_QUIET = 0.95
"""The same for this quantile, which letters that fill a block do not reach."""

_AROUND = 7
_LARGE = 1 / 3
"""A step is large if it is so much of all that changes within so many pixels: edges of anatomy are softer."""

_NOISES = 3.5
_DENSE_WITHIN = 13
DENSITIES = 0.08, 0.1, 0.13, 0.16, 0.2, 0.25
DENSITIES_OF_DEEP = *DENSITIES, 0.3, 0.37, 0.45
"""How much of a place is large steps, at least, if something may be drawn there: faint letters in noise up to
those that nothing is beside. The first is taken with which there is not too much to look at.
In deep pictures the first look sees most of what the second does."""

_BESIDE = 8
"""What belongs to a drawn place on each side."""

_CELL_OF_PART = 64
_AROUND_PART = 24
"""Parts are made of cells of so many pixels, and begin a line of text before them."""

_MOSTLY = 0.9
"""If parts are so much of a picture, all of it is looked at."""

_FILLED = 0.6
"""A part is a rectangle if so much of it is drawn, or else strips."""


def local_contrast(numbers: npt.NDArray[Any], noises: tuple[float, ...]) -> tuple[Grey, ...]:
    """Numbers by how far they are from the median around them.

    Args:
        numbers: (rows, columns).
        noises: how many steps of noise are as far as black and white are from grey, of each picture.
    """
    values = numbers.astype(np.float32)
    rows, columns = values.shape
    cells = cv2.resize(
        values, (max(columns // _CELL, 1), max(rows // _CELL, 1)), interpolation=cv2.INTER_AREA
    )
    around = cv2.resize(cv2.medianBlur(cells, 5), (columns, rows), interpolation=cv2.INTER_LINEAR)
    noise = _of_blocks(_steps(values), 0.5)
    if min(noise.shape) > 2:
        noise = cv2.blur(noise, (3, 3))
    spread = cv2.resize(noise / _STEP_OF_NOISE, (columns, rows), interpolation=cv2.INTER_LINEAR)
    rest = (values - around) / np.maximum(spread, 1)
    return tuple(np.clip(128 + rest * (127 / most), 0, 255).astype(np.uint8) for most in noises)


def changed_cells(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> Cells:
    """Which cells of a picture have a pixel that is another.

    Args:
        before, after: (rows, columns), or (rows, columns, samples).
    """
    differs = before != after
    if differs.ndim == 3:
        differs = differs.any(axis=2)
    return _cells(differs.astype(np.float32)) > 0


def parts_of(cells: Cells, rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Rectangles that cover cells with what is around them; one for all where that is most of a picture."""
    parts = clipped(_parts(cells.astype(np.uint8)), rows, columns)
    if sum(one.width * one.height for one in parts) > _MOSTLY * rows * columns:
        return (Rectangle(0, 0, columns, rows),)
    return parts


def touches(one: Rectangle, cells: Cells) -> bool:
    """Whether a rectangle has a pixel of a cell."""
    side = _CELL_OF_PART
    found = cells[one.y // side : -(-one.bottom // side), one.x // side : -(-one.right // side)]
    return bool(found.any())


def drawn_parts(
    numbers: npt.NDArray[Any],
    known: tuple[Rectangle, ...],
    most: float,
    within: Cells | None = None,
    densities: tuple[float, ...] = DENSITIES,
) -> tuple[Rectangle, ...]:
    """The parts of a picture where something has edges as sharp and as near each other as those of letters.

    Args:
        numbers: (rows, columns).
        known: what need not be looked at.
        most: how many pixels the parts should have together; they have more where more is drawn as clearly as
            letters.
        within: the cells that are looked at; None for all.
        densities: how much of a part is large steps, of which the first is taken that gives no more.
    """
    values = numbers.astype(np.float32)
    rows, columns = values.shape
    steps = _steps(values)
    kernel = np.ones((_AROUND, _AROUND), np.uint8)
    changes = cv2.dilate(values, kernel) - cv2.erode(values, kernel)
    noise = _of_blocks(steps, _QUIET) * (_NOISES / _STEP_OF_QUIET)
    least = np.maximum(cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR), 1)
    is_large = ((steps >= _LARGE * changes) & (steps >= least)).astype(np.float32)
    for one in clipped(known, rows, columns):
        is_large[one.y : one.bottom, one.x : one.right] = 0
    density = cv2.blur(is_large, (_DENSE_WITHIN, _DENSE_WITHIN), borderType=cv2.BORDER_CONSTANT)
    near = cv2.dilate(density, np.ones((2 * _BESIDE + 1,) * 2, np.uint8))
    highest = _cells(near)
    if within is not None:
        highest[~within] = 0
    parts: tuple[Rectangle, ...] = ()
    for least_density in densities:
        parts = parts_of(highest >= least_density, rows, columns)
        if sum(one.width * one.height for one in parts) <= most:
            break
    return parts


def _cells(values: Floats) -> Floats:
    """The highest of each cell."""
    rows, columns = values.shape
    padded = np.pad(values, ((0, -rows % _CELL_OF_PART), (0, -columns % _CELL_OF_PART)))
    down, across = padded.shape[0] // _CELL_OF_PART, padded.shape[1] // _CELL_OF_PART
    found: Floats = padded.reshape(down, _CELL_OF_PART, across, _CELL_OF_PART).max(axis=(1, 3))
    return found


def _parts(is_drawn: Grey) -> Iterator[Rectangle]:
    """Rectangles of pixels that cover cells, those that touch together."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(is_drawn)
    for label in range(1, count):
        left, top, width, height, size = (int(one) for one in boxes[label])
        if size >= _FILLED * width * height:
            yield _of_cells(left, top, width, height)
            continue
        for row in range(top, top + height):
            columns = np.flatnonzero(labels[row] == label)
            for run in np.split(columns, np.flatnonzero(np.diff(columns) > 1) + 1):
                if run.size:
                    yield _of_cells(int(run[0]), row, int(run.size), 1)


def _of_cells(left: int, top: int, width: int, height: int) -> Rectangle:
    side, around = _CELL_OF_PART, _AROUND_PART
    return Rectangle(
        left * side - around, top * side - around, width * side + 2 * around, height * side + 2 * around
    )


def _steps(values: Floats) -> Floats:
    """How much a pixel differs from that at its right, or below if that is more."""
    found = np.zeros_like(values)
    found[:, :-1] = np.abs(np.diff(values, axis=1))
    found[:-1] = np.maximum(found[:-1], np.abs(np.diff(values, axis=0)))
    return found


def _of_blocks(values: Floats, quantile: float) -> Floats:
    """A quantile of each block."""
    rows, columns = values.shape
    padded = np.pad(values, ((0, -rows % _BLOCK), (0, -columns % _BLOCK)), mode="symmetric")
    down, across = padded.shape[0] // _BLOCK, padded.shape[1] // _BLOCK
    blocks = padded.reshape(down, _BLOCK, across, _BLOCK).transpose(0, 2, 1, 3).reshape(down, across, -1)
    place = int(quantile * (blocks.shape[2] - 1))
    found: Floats = np.partition(blocks, place, axis=2)[..., place]
    return np.ascontiguousarray(found)
