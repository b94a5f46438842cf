"""Text in a picture, found by the detector of rapidocr-onnxruntime, whose weights are in its wheel.

Only its detector is used: what is found goes, whatever it reads.
"""

from __future__ import annotations

import math
from importlib import resources
from typing import Any

import numpy as np

from .frames import Picture
from .rectangles import Rectangle, clipped

PACKAGE = "rapidocr_onnxruntime"
_MODEL = "ch_PP-OCRv4_det_infer.onnx"

TILE = 1280
OVERLAP = 192
"""Larger pictures are looked at in tiles, so that memory has a bound."""

SIDE = 736
"""A picture whose shorter side is less is enlarged."""

ENLARGED_MOST = 2

HEIGHT_MOST = 56.0
"""What is higher, and more than an eighth of the picture, is anatomy and no line of text."""

MARGIN = 0.3
MARGIN_LEAST = 3
"""What is blackened around a find: a part of its height, and pixels at least."""


class TextFinder:
    """Finds text; make one in each process or thread, as it uses one thread."""

    def __init__(self) -> None:
        from rapidocr_onnxruntime.ch_ppocr_det import TextDetector  # noqa: PLC0415  (it takes a second)

        with resources.as_file(resources.files(PACKAGE) / "models" / _MODEL) as model:
            config: dict[str, Any] = {
                "model_path": str(model),
                "intra_op_num_threads": 1,
                "inter_op_num_threads": 1,
                "use_cuda": False,
                "use_dml": False,
                "limit_side_len": SIDE,
                "limit_type": "min",
                "mean": [0.5, 0.5, 0.5],
                "std": [0.5, 0.5, 0.5],
                "thresh": 0.3,
                "box_thresh": 0.5,
                "max_candidates": 1000,
                "unclip_ratio": 1.6,
                "use_dilation": True,
                "score_mode": "fast",
            }
            self._detect = TextDetector(config)

    def find(self, picture: Picture) -> tuple[Rectangle, ...]:
        """Rectangles around all text of a picture.

        Args:
            picture: grey (rows, columns) or in colour (rows, columns, 3).
        """
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        rows, columns = picture.shape[:2]
        found: list[Rectangle] = []
        shorter = min(rows, columns)
        most = max(min(HEIGHT_MOST, shorter * 0.35), shorter / 8)
        for top in _starts(rows):
            for left in _starts(columns):
                tile = np.ascontiguousarray(picture[top : top + TILE, left : left + TILE])
                # Blown up much, the anatomy of a small picture looks like letters.
                self._detect.limit_side_len = min(SIDE, ENLARGED_MOST * min(tile.shape[:2]))
                boxes, _ = self._detect(tile)
                for box in () if boxes is None else boxes:
                    if _height(box) <= most:
                        found.append(_around(box, left, top))
        return clipped(found, rows, columns)


def _starts(size: int) -> list[int]:
    """Where tiles begin."""
    if size <= TILE:
        return [0]
    step = TILE - OVERLAP
    return [*range(0, size - TILE, step), size - TILE]


def _height(box: Any) -> float:
    """The height of a line of text, however it is turned."""
    sides = [math.dist(box[index], box[index - 1]) for index in (0, 1)]
    return min(sides)


def _around(box: Any, left: int, top: int) -> Rectangle:
    xs, ys = [float(point[0]) for point in box], [float(point[1]) for point in box]
    height = min(max(ys) - min(ys), max(xs) - min(xs))
    margin = max(MARGIN_LEAST, round(MARGIN * height))
    x, y = int(min(xs)) - margin + left, int(min(ys)) - margin + top
    return Rectangle(x, y, int(max(xs)) + margin + 1 + left - x, int(max(ys)) + margin + 1 + top - y)
