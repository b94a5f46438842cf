"""Rectangles of pixels, and the sets of pixels that they cover together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple


class Rectangle(NamedTuple):
    """A rectangle, in pixels from the top left; the right and the lower edge are exclusive."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column after it."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row after it."""
        return self.y + self.height

    def widened(self, pixels: int) -> Rectangle:
        """The same with so many pixels more on each side."""
        return Rectangle(self.x - pixels, self.y - pixels, self.width + 2 * pixels, self.height + 2 * pixels)

    def meets(self, other: Rectangle) -> bool:
        """Whether they have a pixel in common."""
        return (
            self.x < other.right and other.x < self.right and self.y < other.bottom and other.y < self.bottom
        )


class Band(NamedTuple):
    """Rows that are covered in the same columns.

    Attributes:
        top: the first row.
        bottom: the first row after them.
        spans: the columns, each (first, first after), in order; they do not touch.
    """

    top: int
    bottom: int
    spans: tuple[tuple[int, int], ...]


def clipped(rectangles: Iterable[Rectangle], rows: int, columns: int) -> tuple[Rectangle, ...]:
    """What of some rectangles lies in a picture; those that lie outside are left out."""
    found = []
    for one in rectangles:
        left, top = max(one.x, 0), max(one.y, 0)
        right, bottom = min(one.right, columns), min(one.bottom, rows)
        if left < right and top < bottom:
            found.append(Rectangle(left, top, right - left, bottom - top))
    return tuple(found)


def bands(rectangles: Iterable[Rectangle]) -> tuple[Band, ...]:
    """The rows that rectangles cover together, from the top."""
    given = tuple(rectangles)
    edges = sorted({edge for one in given for edge in (one.y, one.bottom)})
    found: list[Band] = []
    for top, bottom in pairwise(edges):
        spans = tuple(_merged((one.x, one.right) for one in given if one.y <= top and bottom <= one.bottom))
        if not spans:
            continue
        if found and found[-1].bottom == top and found[-1].spans == spans:
            found[-1] = found[-1]._replace(bottom=bottom)
        else:
            found.append(Band(top, bottom, spans))
    return tuple(found)


def disjoint(rectangles: Iterable[Rectangle]) -> tuple[Rectangle, ...]:
    """Rectangles that cover the same pixels, each of them once."""
    return tuple(
        Rectangle(left, band.top, right - left, band.bottom - band.top)
        for band in bands(rectangles)
        for left, right in band.spans
    )


def outside(rectangles: Iterable[Rectangle], rows: int, columns: int) -> tuple[Rectangle, ...]:
    """Rectangles that cover all of a picture that the given ones do not."""
    found = []
    row = 0
    for band in bands(clipped(rectangles, rows, columns)):
        if band.top > row:
            found.append(Rectangle(0, row, columns, band.top - row))
        column = 0
        for left, right in (*band.spans, (columns, columns)):
            if left > column:
                found.append(Rectangle(column, band.top, left - column, band.bottom - band.top))
            column = right
        row = band.bottom
    if row < rows:
        found.append(Rectangle(0, row, columns, rows - row))
    return tuple(found)


def area(rectangles: Iterable[Rectangle]) -> int:
    """How many pixels rectangles cover together."""
    return sum(one.width * one.height for one in disjoint(rectangles))


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Spans that cover the same, in order, those that touch joined."""
    current: tuple[int, int] | None = None
    for start, stop in sorted(spans):
        if current is not None and start <= current[1]:
            current = current[0], max(current[1], stop)
            continue
        if current is not None:
            yield current
        current = start, stop
    if current is not None:
        yield current
