"""Where letters are in a picture, by a small network that was made for this (tools/letters).

It has learnt what letters look like from texts of many scripts and sizes on pictures of all modalities, and
what anatomy, noise and drawings look like, which are none. It does not read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from .local_contrast import local_contrast
from .rectangles import Rectangle

Views = npt.NDArray[np.uint8]
Likely = npt.NDArray[np.float32]

CELL = 4
"""The network tells of cells of so many pixels."""

SIDE_STEP = 32
"""The sides of what it sees are multiples of this."""

NOISES = 12.0, 48.0
"""How many steps of noise make black and white of the first two views."""

RARE = 0.1, 99.9
"""What is darker or lighter than these percentiles is black or white in the third view."""

TILE, OVERLAP = 1024, 96
"""Larger pictures are looked at in tiles, which bounds the memory."""

REDUCED_LEAST = 384
"""A picture is looked at in a half, a quarter, ... of its size, too, as long as its shorter side has so many
pixels then: letters that are higher than those it has learnt from look like these there. What is less high
there is seen better in the whole."""
HIGH = 28

AROUND = 64
"""How many pixels around a part that is looked at tell of it, too."""

LIKELY, SURE = 0.15, 0.5
"""A cell is of a text if it is likely, and one of the cells that it touches is sure."""

FILLED = 0.7
"""A rectangle around cells that fill so much of it is one line; else it is several rectangles."""

MARGIN_LEAST, MARGIN, MARGIN_ALONG, MARGIN_ON = 4, 0.15, 0.6, 1.2
"""How many pixels at least are blackened around a line, and which parts of its height: beside it, at its
ends, and at an end where something is drawn: a line that runs into another ground is hard to see there."""

BUSY = 0.35
"""Something is drawn at an end of a line if what lies there differs by so much of what the line does."""

_WEIGHTS = "letters.onnx"


class Find(NamedTuple):
    """A line of text.

    Attributes:
        place: a rectangle around it.
        score: how likely it is text: of its cells the highest, 0 to 1.
    """

    place: Rectangle
    score: float


def views_of(numbers: npt.NDArray[Any]) -> Views:
    """What the network sees: numbers by how far they are from those around, in two windows, and as they are.

    Args:
        numbers: (rows, columns).

    Returns:
        (3, rows, columns).
    """
    near, wide = local_contrast(numbers, NOISES)
    some = numbers[::2, ::2] if numbers.size > 4096 else numbers
    low, high = (float(one) for one in np.percentile(some, RARE))
    if high <= low:
        low, high = float(numbers.min()), float(numbers.max())
    whole = np.clip((numbers - np.float32(low)) * np.float32(255 / max(high - low, 1e-6)), 0, 255)
    return np.stack([near, wide, whole.astype(np.uint8)])


class LetterFinder:
    """Finds letters; make one in each process or thread."""

    def __init__(self) -> None:
        """It computes in one thread: the run has a process for each core."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena, options.enable_mem_pattern = True, False
        weights = (resources.files(__package__) / _WEIGHTS).read_bytes()
        self._session = onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])

    def lines(self, numbers: npt.NDArray[Any], parts: Iterable[Rectangle]) -> Iterator[Find]:
        """The lines of text in parts of a picture.

        Args:
            numbers: (rows, columns), as stored.
            parts: what is looked at; lines that have a pixel in one of them are found.
        """
        if numbers.min() == numbers.max():
            return
        parts, shorter, times = tuple(parts), min(numbers.shape), 1
        while times == 1 or shorter >= REDUCED_LEAST * times:
            views = views_of(numbers if times == 1 else _reduced(numbers, times))
            for part in parts:
                for one in self._lines_near(views, _divided(part, times)):
                    place = Rectangle(*(edge * times for edge in one.place))
                    if place.meets(part) and (times == 1 or min(one.place[2:]) >= HIGH + 2 * MARGIN_LEAST):
                        yield Find(place, one.score)
            times *= 2

    def _lines_near(self, views: Views, part: Rectangle) -> Iterator[Find]:
        """The lines in a part, and in what is around it."""
        top, left = (max(edge - AROUND, 0) // CELL * CELL for edge in (part.y, part.x))
        seen = views[:, top : part.bottom + AROUND, left : part.right + AROUND]
        for one in _lines(self.likely(seen)):
            place = _widened(one.place, seen[-1])
            yield Find(place._replace(x=place.x + left, y=place.y + top), one.score)

    def likely(self, views: Views) -> Likely:
        """How likely each cell of a picture is text, 0 to 1.

        Args:
            views: as of ``views_of``.
        """
        _, rows, columns = views.shape
        beyond = ((0, max(-side % CELL, SIDE_STEP - side)) for side in (rows, columns))
        padded = np.pad(views, ((0, 0), *beyond), mode="symmetric")
        found = np.zeros((padded.shape[1] // CELL, padded.shape[2] // CELL), np.float32)
        for top, bottom in _stretches(padded.shape[1]):
            for left, right in _stretches(padded.shape[2]):
                seen = padded[None, :, top:bottom, left:right].astype(np.float32) / np.float32(255)
                (likely,) = self._session.run(None, {"views": seen})
                here = found[top // CELL : bottom // CELL, left // CELL : right // CELL]
                np.maximum(here, likely[0, 0], out=here)
        return found[: -(-rows // CELL), : -(-columns // CELL)]


def _reduced(numbers: npt.NDArray[Any], times: int) -> npt.NDArray[np.float32]:
    """A picture of so many times fewer rows and columns."""
    rows, columns = (side // times for side in numbers.shape)
    made = cv2.resize(numbers.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(made, np.float32)


def _divided(one: Rectangle, times: int) -> Rectangle:
    """A rectangle of a picture in one of so many times fewer rows and columns."""
    left, top = one.x // times, one.y // times
    return Rectangle(left, top, -(-one.right // times) - left, -(-one.bottom // times) - top)


def _stretches(whole: int) -> Iterator[tuple[int, int]]:
    """Where tiles begin and end, which are multiples of ``SIDE_STEP`` long: the last ends with the picture.

    What is added to a picture to fill up a tile would be taken for letters at times.
    """
    start = 0
    while start + TILE < whole:
        yield start, start + TILE
        start += TILE - OVERLAP
    size = (whole - start) // SIDE_STEP * SIDE_STEP
    if size:
        yield start, start + size
    if start + size < whole:
        last = min(max(size, SIDE_STEP), OVERLAP)
        yield whole - last, whole


def _lines(likely: Likely) -> Iterator[Find]:
    """The lines that likely cells make, without their margins."""
    count, labels, boxes, _ = cv2.connectedComponentsWithStats((likely >= LIKELY).astype(np.uint8))
    for label, (left, top, width, height, size) in enumerate(boxes[1:count].tolist(), 1):
        within = slice(top, top + height), slice(left, left + width)
        is_own = labels[within] == label
        score = float(likely[within][is_own].max())
        if score < SURE:
            continue
        if size >= FILLED * width * height:
            yield Find(_of_cells(left, top, width, height), score)
            continue
        for x, y, run in _runs_of(is_own):
            yield Find(_of_cells(left + x, top + y, run, 1), score)


def _runs_of(flags: npt.NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """The runs of flagged cells in each row: (left, row, length)."""
    for row, line in enumerate(flags):
        edges = np.flatnonzero(np.diff(np.concatenate([[False], line, [False]]).astype(np.int8)))
        for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
            yield start, row, stop - start


def _of_cells(left: int, top: int, width: int, height: int) -> Rectangle:
    return Rectangle(left * CELL, top * CELL, width * CELL, height * CELL)


def _widened(one: Rectangle, shown: Views) -> Rectangle:
    """A line with its margins.

    Args:
        one: the cells of a line, or of a part of one.
        shown: (rows, columns), from black to white.
    """
    if one.height > one.width:
        turned = _widened(Rectangle(one.y, one.x, one.height, one.width), shown.T)
        return Rectangle(turned.y, turned.x, turned.height, turned.width)
    rows, size = slice(one.y, one.bottom), one.height
    beside, along, on = (max(MARGIN_LEAST, round(part * size)) for part in (MARGIN, MARGIN_ALONG, MARGIN_ON))
    busy = BUSY * _range(shown[rows, one.x : one.right])
    before, after = (
        on if one.width > size > CELL and _range(shown[rows, max(start, 0) : start + on]) >= busy else along
        for start in (one.x - on, one.right)
    )
    return Rectangle(one.x - before, one.y - beside, one.width + before + after, one.height + 2 * beside)


def _range(part: Views) -> float:
    """How far the light places of a part are from its dark ones."""
    if not part.size:
        return 0.0
    low, high = np.percentile(part, (5, 95))
    return float(high - low)
