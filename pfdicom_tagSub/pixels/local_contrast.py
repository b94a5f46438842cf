"""Pictures of what differs from its place, in whichever window it would show.

Text that shows only in a narrow window of deep pixels differs from what is around it by a few of its steps of
noise. So numbers are shown by how many such steps they are away from the median around them: one picture for
all windows.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# Before OpenCV is first used: a process that is forked from one with its threads waits for them for ever.
cv2.setNumThreads(1)

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_CELL = 6
"""The median around a pixel is taken of 5 x 5 cells of so many pixels: wider than strokes, and no wider."""

_BLOCK = 32
"""The side of a block of which the noise is taken."""

_STEP_OF_NOISE = 1.4
"""How much larger the median step between neighbours is than the noise."""


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
    noise = of_blocks(steps_of(values), 0.5)
    if min(noise.shape) > 2:
        # No more than in a place itself: beside a body, the air would hide what is faint.
        noise = np.minimum(noise, cv2.blur(noise, (3, 3)))
    spread = cv2.resize(noise / _STEP_OF_NOISE, (columns, rows), interpolation=cv2.INTER_LINEAR)
    # A step of the numbers, or of a screen where they are few.
    least = min(float(np.max(values) - np.min(values)) / 255, 1.0)
    rest = (values - around) / np.maximum(spread, least)
    return tuple(np.clip(128 + rest * (127 / most), 0, 255).astype(np.uint8) for most in noises)


def steps_of(values: Floats) -> Floats:
    """How much a pixel differs from that at its right, or below if that is more."""
    found = np.zeros_like(values)
    found[:, :-1] = np.abs(np.diff(values, axis=1))
    found[:-1] = np.maximum(found[:-1], np.abs(np.diff(values, axis=0)))
    return found


def of_blocks(values: Floats, quantile: float) -> Floats:
    """A quantile of each block."""
    rows, columns = values.shape
    padded = np.pad(values, ((0, -rows % _BLOCK), (0, -columns % _BLOCK)), mode="symmetric")
    down, across = padded.shape[0] // _BLOCK, padded.shape[1] // _BLOCK
    blocks = padded.reshape(down, _BLOCK, across, _BLOCK).transpose(0, 2, 1, 3).reshape(down, across, -1)
    place = int(quantile * (blocks.shape[2] - 1))
    found: Floats = np.partition(blocks, place, axis=2)[..., place]
    return np.ascontiguousarray(found)
