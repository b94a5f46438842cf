"""How much of planted text is black after cleaning, how much else is, and whether anything else changed."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
import pydicom
from planted_pictures import Array, Line, Planted

GONE = 0.98
"""The part of the ink of a line that has to be black for it to be gone."""


@dataclass(frozen=True)
class Score:
    """What became of one picture.

    Attributes:
        gone: the lines of each frame that are gone.
        left: those that are not, each with the frame and the part of its ink that is black.
        false_area: the part of the frames, away from text, that was blackened.
        changed: how many numbers outside of the rectangles are others than before.
    """

    gone: int
    left: tuple[tuple[Line, int, float], ...]
    false_area: float
    changed: int


def numbers_of(content: bytes) -> Array:
    """The numbers of a file: (frames, rows, columns, samples)."""
    made = pydicom.dcmread(io.BytesIO(content))
    made.pixel_array_options(raw=True)
    with warnings.catch_warnings(action="ignore"):
        found = made.pixel_array
    shape = int(made.get("NumberOfFrames") or 1), made.Rows, made.Columns, made.SamplesPerPixel
    return np.asarray(found).reshape(shape)


def score(one: Planted, output: bytes, masks: Array) -> Score:
    """Measure an output.

    Args:
        one: the picture.
        output: the file that came of it.
        masks: where the program says that it blackened: flags, (frames, rows, columns).
    """
    gone, left = 0, []
    near = np.zeros(masks.shape, bool)
    for line in one.lines:
        rows, columns = (list(map(int, places)) for places in np.where(line.ink))
        top, bottom, start, stop = min(rows), max(rows), min(columns), max(columns)
        margin = max(12, bottom - top)
        for frame in line.frames:
            covered = float(masks[frame][line.ink].mean())
            if covered >= GONE:
                gone += 1
            else:
                left.append((line, frame, covered))
            across = slice(max(start - 3 * margin, 0), stop + 3 * margin)
            near[frame, max(top - margin, 0) : bottom + margin, across] = True
    before, after = numbers_of(one.content), numbers_of(output)
    changed = int((before != after).any(axis=3)[~masks].sum())
    return Score(gone, tuple(left), float((masks & ~near).mean()), changed)


def masks_of(rectangles: list[dict[str, int | None]], shape: tuple[int, ...]) -> Array:
    """The rectangles of the record as flags.

    Args:
        rectangles: those of ``pixelsCleaned``.
        shape: frames, rows and columns.
    """
    masks = np.zeros(shape, bool)
    for one in rectangles:
        x, y, width, height = (int(one[name] or 0) for name in ("x", "y", "width", "height"))
        frame = one["frame"]
        where = slice(None) if frame is None else slice(frame - 1, frame)
        masks[where, y : y + height, x : x + width] = True
    return masks
