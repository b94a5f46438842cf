"""A long native cine, written frame by frame."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pictures import LAYOUTS, file_bytes, picture, region


def write_cine(path: Path, frames: int, rows: int = 480, columns: int = 640) -> None:
    """Write an ultrasound cine of grey frames with one region.

    Args:
        path: the file.
        frames: how many.
        rows: its rows.
        columns: its columns.
    """
    made = picture(LAYOUTS[0], frames=2, rows=rows, columns=columns)
    made.SequenceOfUltrasoundRegions = [region(columns // 8, rows // 8, columns - 9, rows - 9)]
    made.NumberOfFrames = frames
    head = file_bytes(made)
    size = 2 * rows * columns
    data = bytearray(head[: len(head) - size])
    data[-4:] = (rows * columns * frames).to_bytes(4, "little")
    frame = np.random.default_rng(3).integers(1, 255, rows * columns, dtype=np.uint8)
    with open(path, "wb") as file:
        file.write(data)
        for index in range(frames):
            file.write(np.roll(frame, index * 7).tobytes())
