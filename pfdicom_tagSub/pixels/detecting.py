"""Text in a picture, found by the detector of rapidocr-onnxruntime, whose weights are in its wheel.

Only its detector is used: what is found goes, whatever it reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from importlib import resources
from typing import Any

import cv2
import numpy as np

from .frames import Numbers, Picture, Rendering
from .rectangles import Rectangle, clipped
from .text_evidence import Grey, evidence_of, flattened, grown, is_drawn

PACKAGE = "rapidocr_onnxruntime"
_MODEL = "ch_PP-OCRv4_det_infer.onnx"

TILE = 1280
OVERLAP = 192
"""Larger pictures are looked at in tiles, so that memory has a bound."""

SIDE = 1024
SIDE_OF_LARGE = 640
"""A picture whose shorter side is less is enlarged; with the second it is looked at for large letters."""

SIDE_OF_FAINT = 736

ENLARGED_MOST = 2

HEIGHT_MOST = 56.0
"""What is higher, and more than an eighth of the picture, is anatomy and no line of text."""

MARGIN = 0.3
MARGIN_ALONG = 0.6
MARGIN_LEAST = 3
"""What is blackened around a find, also at the ends of the line: a part of its height; pixels at least."""


class TextFinder:
    """Finds text; make one in each process or thread, as it uses one thread."""

    def __init__(self) -> None:
        cv2.setNumThreads(1)
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
                "box_thresh": 0.45,
                "max_candidates": 1000,
                "unclip_ratio": 1.6,
                "use_dilation": True,
                "score_mode": "fast",
            }
            self._detect = TextDetector(config)

    def find(
        self, picture: Picture, wider: Picture | None = None, sides: tuple[int, ...] = (SIDE,)
    ) -> tuple[Rectangle, ...]:
        """Rectangles around all text of a picture.

        Args:
            picture: grey (rows, columns) or in colour (rows, columns, 3).
            wider: the same with a window thrice as wide; None where that would be no other.
            sides: how long the shorter side is made that a detector sees, at one look each.
        """
        if picture.ndim == 2:
            picture = np.repeat(picture[..., None], 3, axis=2)
        rows, columns = picture.shape[:2]
        greys: list[Grey] = [cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.uint8)]
        if wider is not None:
            greys.append(wider)
        found: list[Rectangle] = []
        shorter = min(rows, columns)
        most = max(min(HEIGHT_MOST, shorter * 0.35), shorter / 8)
        for top in _starts(rows):
            for left in _starts(columns):
                tile = np.ascontiguousarray(picture[top : top + TILE, left : left + TILE])
                # Blown up much, the anatomy of a small picture looks like letters.
                largest = ENLARGED_MOST * min(tile.shape[:2])
                for side in {min(side, largest) for side in sides}:
                    self._detect.limit_side_len = side
                    boxes, _ = self._detect(tile)
                    for box in () if boxes is None else boxes:
                        if (one := _line(greys, np.add(box, (left, top)), most)) is not None:
                            found.append(one)
        return clipped(found, rows, columns)

    def alone(self, picture: Picture, side: int) -> int:
        """What the detector finds by itself, at one look: for measurements.

        Args:
            picture: in colour (rows, columns, 3).
            side: how long the shorter side is made that it sees.

        Returns:
            How many boxes.
        """
        self._detect.limit_side_len = side
        boxes, _ = self._detect(picture)
        return 0 if boxes is None else len(boxes)

    def look(self, shown: Iterable[Rendering]) -> Iterator[Rectangle]:
        """Rectangles around all text of a frame.

        One of its pictures is looked at less enlarged, in which large letters are no larger than the detector
        knows: that of the stretched numbers, or else the first.

        Args:
            shown: its pictures.
        """
        pictures = list(shown)
        has_stretched = any(one.is_stretched for one in pictures)
        for index, one in enumerate(pictures):
            sides: tuple[int, ...] = (SIDE_OF_LARGE,) if one.is_stretched else (SIDE,)
            if not has_stretched and not index:
                sides = (SIDE, SIDE_OF_LARGE)
            yield from self.find(one.picture, one.wider, sides)

    def find_faint(self, numbers: Numbers) -> tuple[Rectangle, ...]:
        """Rectangles around text that is hardly lighter or darker than its place.

        Args:
            numbers: those of a frame in grey, as stored.
        """
        return self.find(flattened(numbers), sides=(SIDE_OF_FAINT,))


def _starts(size: int) -> list[int]:
    """Where tiles begin."""
    if size <= TILE:
        return [0]
    step = TILE - OVERLAP
    return [*range(0, size - TILE, step), size - TILE]


def _line(greys: list[Grey], box: Any, most: float) -> Rectangle | None:
    """The rectangle around a line of text; None for what is none.

    Args:
        greys: the picture, and with a wider window; the find has to be drawn like text in both.
        box: the corners of a find.
        most: the height that a line may have.
    """
    first, second = (math.dist(box[index], box[index - 1]) for index in (0, 1))
    height, length = min(first, second), max(first, second)
    if height > most:
        return None
    left, top = (int(edge) for edge in box.min(axis=0))
    right, bottom = (int(edge) + 1 for edge in box.max(axis=0))
    shown = [evidence_of(grey[max(top, 0) : bottom, max(left, 0) : right]) for grey in greys]
    evidence = shown[0]
    if evidence is None or not all(is_drawn(one, height, length) for one in shown):
        return None
    left, top, right, bottom = grown(greys[0], (left, top, right, bottom), evidence)
    across, down = (
        max(MARGIN_LEAST, round(part * min(bottom - top, right - left)))
        for part in ((MARGIN_ALONG, MARGIN) if right - left > bottom - top else (MARGIN, MARGIN_ALONG))
    )
    return Rectangle(left - across, top - down, right - left + 2 * across, bottom - top + 2 * down)
