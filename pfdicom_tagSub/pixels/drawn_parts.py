"""The parts of a picture that a detector looks at: where something is drawn, and where a frame is new.

Letters have edges that are sharp, straight over some pixels, and near each other. Speckle and noise have
sharp edges that are not straight, and anatomy has long ones that are soft.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from .local_contrast import of_blocks, steps_of
from .rectangles import Rectangle, clipped
from .text_evidence import Grey

Cells = npt.NDArray[np.bool_]
Densities = npt.NDArray[np.float32]

_QUIET = 0.3
_STEP_OF_QUIET = 0.95
"""How much larger than the noise this quantile of the steps is, which letters in a block do not reach."""

_AROUND = 7
_LARGE = 1 / 3
"""A step is large if it is so much of all that changes within so many pixels: edges of anatomy are softer."""

_NOISES = 3.5
"""A step is large if it is so many times the noise."""

_RUN = 3
"""So many large steps of one sign in a row are the edge of a stroke."""

_DENSE_WITHIN = 13
"""What a letter takes, in pixels."""

_BESIDE = 8
"""What belongs to a drawn place on each side."""

_SIDE = 32
_AROUND_PART = 24
"""Parts are made of cells of so many pixels, and begin a line of text before them."""

_LIKELY_WITHIN = 9
"""What a letter takes of what is likely text, in pixels."""

_ALONE_DENSITIES = 0.05, 0.08, 0.12, 0.18, 0.26, 0.36, 0.5
_ALONE_SIDE = 8, 56
_ALONE_FULL = 0.35
_RING = 10
_RING_MOST = 0.35
"""What stands alone: as dense as one of these, so many pixels on its shorter side, filling so much of its
rectangle, and so many pixels around it are no more than this part as dense."""

_LEFT = 1 / 3
"""A place whose numbers differ by so much of what they differed by may still show what it showed."""

_MOSTLY = 0.9
"""If parts are so much of a picture, all of it is looked at."""


class Drawn:
    """The edges of strokes in a picture."""

    def __init__(self, numbers: npt.NDArray[Any]) -> None:
        """Args:
        numbers: (rows, columns).
        """
        self._edges = _edges(numbers.astype(np.float32))

    def parts(
        self,
        known: tuple[Rectangle, ...],
        most: float,
        densities: tuple[float, ...],
        within: Cells | None = None,
        likely: Densities | None = None,
    ) -> tuple[Rectangle, ...]:
        """The parts of the picture where something may be drawn.

        Args:
            known: what need not be looked at.
            most: how many pixels the parts should have together; they have more where more is drawn as
                clearly as letters.
            densities: how much of a place the edges of strokes take, at least: the first is taken that gives
                no more.
            within: the cells that are looked at; None for all.
            likely: how likely each pixel is text, by an earlier look; what is likely counts as dense.
        """
        rows, columns = self._edges.shape
        density = self._density(known, likely)
        highest = _cells(cv2.dilate(density, np.ones((2 * _BESIDE + 1,) * 2, np.uint8)))
        if within is not None:
            highest[~within] = 0
        parts: tuple[Rectangle, ...] = ()
        for least in densities:
            parts = parts_of(highest >= least, rows, columns)
            if sum(one.width * one.height for one in parts) <= most:
                break
        return parts

    def alone(self, known: tuple[Rectangle, ...], within: Cells | None = None) -> Iterator[Rectangle]:
        """What is drawn with little around it, as marks and words are on even ground; the clearest first.

        Args:
            known: what need not be looked at.
            within: the cells that are looked at; None for all.
        """
        rows, columns = self._edges.shape
        density = self._density(known, None)
        if within is not None:
            density *= within.repeat(_SIDE, 0).repeat(_SIDE, 1)[:rows, :columns]
        found = [one for least in _ALONE_DENSITIES for one in _alone(density, least)]
        taken: list[Rectangle] = []
        for _, one in sorted(found, key=lambda each: (-each[0], each[1])):
            if not any(one.meets(other) for other in taken):
                taken.append(one)
                yield one

    def _density(self, known: tuple[Rectangle, ...], likely: Densities | None) -> Densities:
        """How much around each pixel is edges of strokes, or likely text, that is not known."""
        rows, columns = self._edges.shape
        places = clipped(known, rows, columns)
        density: Densities = cv2.blur(
            _without(places, self._edges), (_DENSE_WITHIN,) * 2, borderType=cv2.BORDER_CONSTANT
        )
        if likely is not None:
            wide = (_LIKELY_WITHIN,) * 2
            density += cv2.blur(_without(places, likely), wide, borderType=cv2.BORDER_CONSTANT)
        return density


def _without(places: tuple[Rectangle, ...], values: Any) -> Densities:
    """Values, but none within the places."""
    left: Densities = values.astype(np.float32)
    for one in places:
        left[one.y : one.bottom, one.x : one.right] = 0
    return left


def _alone(density: Densities, least: float) -> Iterator[tuple[float, Rectangle]]:
    """What is dense, with little around it, and how much denser it is than that."""
    count, _, boxes, _ = cv2.connectedComponentsWithStats((density >= least).astype(np.uint8))
    for left, top, width, height, size in boxes[1:count].tolist():
        if not _ALONE_SIDE[0] <= min(width, height) <= _ALONE_SIDE[1] or size < _ALONE_FULL * width * height:
            continue
        own = float(density[top : top + height, left : left + width].mean())
        above, before = max(top - _RING, 0), max(left - _RING, 0)
        around = density[above : top + height + _RING, before : left + width + _RING]
        ring = (float(around.sum()) - own * width * height) / max(around.size - width * height, 1)
        if ring <= _RING_MOST * own:
            yield own - ring, Rectangle(left, top, width, height)


def changed_cells(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> Cells:
    """Which cells of a picture have a pixel that is another.

    Args:
        before, after: (rows, columns), or (rows, columns, samples).
    """
    differs = before != after
    if differs.ndim == 3:
        differs = differs.any(axis=2)
    return _cells(differs.astype(np.float32)) > 0


def touches(one: Rectangle, cells: Cells) -> bool:
    """Whether a rectangle has a pixel of a cell."""
    found = cells[one.y // _SIDE : -(-one.bottom // _SIDE), one.x // _SIDE : -(-one.right // _SIDE)]
    return bool(found.any())


def with_cells(cells: Cells, rectangles: Iterable[Rectangle]) -> Cells:
    """Cells, and those that rectangles touch."""
    found = cells.copy()
    for one in rectangles:
        found[one.y // _SIDE : -(-one.bottom // _SIDE), one.x // _SIDE : -(-one.right // _SIDE)] = True
    return found


def differs(before: npt.NDArray[Any], after: npt.NDArray[Any], one: Rectangle) -> bool:
    """Whether a pixel of a rectangle is another."""
    place = slice(one.y, one.bottom), slice(one.x, one.right)
    return not np.array_equal(before[place], after[place])


def is_left(
    before: npt.NDArray[Any], after: npt.NDArray[Any], one: Rectangle, found: Iterable[Rectangle]
) -> bool:
    """Whether what was drawn in a rectangle may still be there: else it went, or is found elsewhere.

    Args:
        before, after: (rows, columns), or (rows, columns, samples).
        one: the rectangle.
        found: what is found in the second one.
    """
    place = slice(one.y, one.bottom), slice(one.x, one.right)
    is_known = np.zeros(after.shape[:2], np.bool_)
    for other in found:
        is_known[other.y : other.bottom, other.x : other.right] = True
    rest = after[place][~is_known[place]]
    if not rest.size:
        return False
    contrasts = [np.ptp(each, axis=0).max() for each in (rest, before[place][np.ones_like(is_known[place])])]
    return bool(contrasts[0] >= _LEFT * contrasts[1])


def parts_of(cells: Cells, rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Rectangles that cover cells with what is around them; one for all where that is most of a picture."""
    parts = clipped((_of_cells(*one) for one in _covering(cells)), rows, columns)
    if sum(one.width * one.height for one in parts) > _MOSTLY * rows * columns:
        return (Rectangle(0, 0, columns, rows),)
    return parts


def _edges(values: npt.NDArray[np.float32]) -> Grey:
    """Where strokes have their edges: 1, or else 0."""
    rows, columns = values.shape
    kernel = np.ones((_AROUND, _AROUND), np.uint8)
    changes = cv2.dilate(values, kernel) - cv2.erode(values, kernel)
    noise = of_blocks(steps_of(values), _QUIET) * (_NOISES / _STEP_OF_QUIET)
    least = np.maximum(cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR), 1)
    least = np.maximum(least, changes * _LARGE)
    found = np.zeros((rows, columns), np.uint8)
    across, down = np.diff(values, axis=1), np.diff(values, axis=0)
    for steps, shape in ((across, (_RUN, 1)), (down, (1, _RUN))):
        place = slice(steps.shape[0]), slice(steps.shape[1])
        run = np.ones(shape, np.uint8)
        for large in (steps >= least[place], steps <= -least[place]):
            found[place] |= cv2.dilate(cv2.erode(large.astype(np.uint8), run), run)
    return found


def _cells(values: Densities) -> Densities:
    """The highest of each cell."""
    rows, columns = values.shape
    padded = np.pad(values, ((0, -rows % _SIDE), (0, -columns % _SIDE)))
    down, across = padded.shape[0] // _SIDE, padded.shape[1] // _SIDE
    found: Densities = padded.reshape(down, _SIDE, across, _SIDE).max(axis=(1, 3))
    return found


def _covering(cells: Cells) -> Iterator[tuple[int, int, int, int]]:
    """Few rectangles of cells (left, top, right, bottom) that cover the given ones."""
    opened: list[tuple[int, int, int, int]] = []
    for row, flags in enumerate(cells):
        runs = _joined([(start, row, stop, row + 1) for start, stop in _runs(flags)])
        going: list[tuple[int, int, int, int]] = []
        for one in opened:
            grown = next((run for run in runs if _is_cheaper(one, run)), None)
            if grown is None:
                yield one
                continue
            runs.remove(grown)
            going.append(_union(one, grown))
        opened = going + runs
    yield from opened


def _runs(flags: Cells) -> Iterator[tuple[int, int]]:
    """Where cells of a row begin and end."""
    start = -1
    for place, flag in enumerate([*flags.tolist(), False]):
        if flag and start < 0:
            start = place
        elif not flag and start >= 0:
            yield start, place
            start = -1


def _joined(runs: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Runs of a row, with neighbours as one where that is less to look at."""
    found: list[tuple[int, int, int, int]] = []
    for one in runs:
        if found and _is_cheaper(found[-1], one):
            found[-1] = _union(found[-1], one)
        else:
            found.append(one)
    return found


def _union(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _is_cheaper(one: tuple[int, int, int, int], other: tuple[int, int, int, int]) -> bool:
    """Whether one rectangle of cells, with what is around it, has no more pixels than two."""
    sizes = [_of_cells(*each) for each in (_union(one, other), one, other)]
    both, first, second = (size.width * size.height for size in sizes)
    return both <= first + second


def _of_cells(left: int, top: int, right: int, bottom: int) -> Rectangle:
    return Rectangle(
        left * _SIDE - _AROUND_PART,
        top * _SIDE - _AROUND_PART,
        (right - left) * _SIDE + 2 * _AROUND_PART,
        (bottom - top) * _SIDE + 2 * _AROUND_PART,
    )
