"""What changes from frame to frame, and the parts of a picture that are looked at for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from .rectangles import Rectangle, clipped

Cells = npt.NDArray[np.bool_]

_SIDE = 32
_AROUND_PART = 24
"""Parts are made of cells of so many pixels, and begin a line of text before them."""

_DRAWN = 1 / 2
"""What is so much as far from the usual number of a place as the farthest is drawn there."""

_LEFT = 1 / 3
"""A place in which there is still so much of what was drawn there may still show it."""

_MOSTLY = 0.9
"""If parts are so much of a picture, all of it is looked at."""


def changed_cells(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> Cells:
    """Which cells of a picture have a pixel that is another.

    Args:
        before, after: (rows, columns), or (rows, columns, samples).
    """
    rows, columns = before.shape[:2]
    is_other: Cells = np.not_equal(before, after).reshape(rows, columns, -1)
    padded = np.pad(is_other.max(axis=2), ((0, -rows % _SIDE), (0, -columns % _SIDE)))
    down, across = padded.shape[0] // _SIDE, padded.shape[1] // _SIDE
    found: Cells = padded.reshape(down, _SIDE, across, _SIDE).max(axis=(1, 3))
    return found


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
    rest = ~is_known[place]
    if not rest.any():
        return False
    was, now = (each[place].reshape(*rest.shape, -1).astype(np.float32) for each in (before, after))
    usual = np.median(was, axis=(0, 1))
    far, still = (np.abs(each - usual).max(axis=2) for each in (was, now))
    drawn, left = (int((each > _DRAWN * far.max())[rest].sum()) for each in (far, still))
    return left > 0 and left >= _LEFT * drawn


def parts_of(cells: Cells, rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Rectangles that cover cells with what is around them; one for all where that is most of a picture."""
    parts = clipped((_of_cells(*one) for one in _covering(cells)), rows, columns)
    if sum(one.width * one.height for one in parts) > _MOSTLY * rows * columns:
        return (Rectangle(0, 0, columns, rows),)
    return parts


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
