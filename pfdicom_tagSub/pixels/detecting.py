"""Text on the frames of a picture: on the first, and on each other where it is not as the one before."""

from __future__ import annotations

import cv2
import numpy as np

from .changes import changed_cells, differs, is_left, parts_of, touches, with_cells
from .frames import Numbers, windowed
from .image import Image
from .letters import LetterFinder
from .rectangles import Rectangle, clipped

COLOURED = 24
"""How far the samples of a pixel are from each other if it is in colour."""


class TextFinder:
    """Finds text; make one in each process or thread."""

    def __init__(self) -> None:
        self._letters = LetterFinder()

    def texts(
        self, numbers: Numbers, image: Image, before: tuple[Numbers, tuple[Rectangle, ...]] | None
    ) -> tuple[Rectangle, ...]:
        """Rectangles around all text of a frame, however a viewer shows it.

        Args:
            numbers: those of the frame, as stored.
            image: the layout.
            before: the frame before, and what was found in it; None for the first.
        """
        if before is None:
            return self._look(numbers, image, (Rectangle(0, 0, image.columns, image.rows),))
        changed = changed_cells(before[0], numbers)
        same = [one for one in before[1] if touches(one, ~changed)]
        moved = [one for one in same if differs(before[0], numbers, one)]
        found = self._look(numbers, image, parts_of(with_cells(changed, moved), image.rows, image.columns))
        gone = {one for one in moved if not is_left(before[0], numbers, one, found)}
        return (*(one for one in same if one not in gone), *found)

    def _look(self, numbers: Numbers, image: Image, parts: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """Rectangles around the text that is in parts of a frame, in whole or not."""
        found = [
            line
            for plane, within in _planes(numbers, image, parts)
            for line in self._letters.lines(plane, within)
        ]
        return clipped((one.place for one in found), image.rows, image.columns)


def _planes(
    numbers: Numbers, image: Image, parts: tuple[Rectangle, ...]
) -> list[tuple[Numbers, tuple[Rectangle, ...]]]:
    """The planes of a frame, each with the parts that are looked at: in colour, letters may be as light as
    their ground, and differ in the strongest colour.
    """
    if image.samples == 1 and not image.palette and image.stored > 1:
        return [(numbers, parts)]
    shown = windowed(numbers, image, ())
    if shown.ndim == 2:
        return [(shown, parts)]
    grey = cv2.cvtColor(np.ascontiguousarray(shown), cv2.COLOR_RGB2GRAY)
    strongest = shown.max(axis=2)
    coloured = strongest - shown.min(axis=2) >= COLOURED
    rows, columns = (np.flatnonzero(coloured.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        return [(grey, parts)]
    top, left = int(rows[0]), int(columns[0])
    box = Rectangle(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
    return [(grey, parts), (strongest, tuple(filter(None, (_shared(one, box) for one in parts))))]


def _shared(one: Rectangle, other: Rectangle) -> Rectangle | None:
    """What two rectangles have in common."""
    left, top = max(one.x, other.x), max(one.y, other.y)
    right, bottom = min(one.right, other.right), min(one.bottom, other.bottom)
    return Rectangle(left, top, right - left, bottom - top) if left < right and top < bottom else None
