"""Text in a picture, found by the detector of rapidocr-onnxruntime, whose weights are in its wheel.

Only its detector is used: what is found goes, whatever it reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from importlib import resources
from typing import Any

import cv2
import numpy as np

from .frames import Numbers, Picture
from .image import Image
from .local_contrast import (
    DENSITIES,
    DENSITIES_OF_DEEP,
    Cells,
    changed_cells,
    drawn_parts,
    parts_of,
    touches,
)
from .rectangles import Rectangle, clipped
from .renderings import Rendering, Renderings, renderings
from .text_evidence import (
    LONG_LEAST,
    SMOOTH,
    SQUARE_MOST,
    STROKES_LEAST,
    Grey,
    evidence_of,
    grown,
    is_drawn,
    scaled,
)

PACKAGE = "rapidocr_onnxruntime"
_MODEL = "ch_PP-OCRv4_det_infer.onnx"

TILE = 1280
OVERLAP = 192
"""Larger pictures are looked at in tiles, of so many pixels as a detector sees, which bounds the memory."""

SIDE = 736
"""A picture whose shorter side is less is enlarged for a detector, as it is by default."""

SECOND_LOOK = 1.5
"""How many times what a look takes by default both looks may take, as long as no more is drawn clearly."""

ENLARGED_MOST = 2
"""Blown up more, the anatomy of a small picture looks like letters; parts are enlarged as much."""

HEIGHT_LEAST = 7.0
"""What is lower is no line of letters: those of 10 pixels take 8 and more."""

HEIGHT_MOST = 56.0
"""What is higher, and more than an eighth of the picture, is anatomy and no line of text."""

MARGIN = 0.3
MARGIN_ALONG = 1.0
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
                "thresh": 0.2,
                "box_thresh": 0.3,
                "max_candidates": 1000,
                "unclip_ratio": 1.6,
                "use_dilation": True,
                "score_mode": "fast",
            }
            self._detect = TextDetector(config)

    def texts(
        self,
        numbers: Numbers,
        image: Image,
        windows: tuple[tuple[float, float], ...],
        before: tuple[Numbers, tuple[Rectangle, ...]] | None,
    ) -> tuple[Rectangle, ...]:
        """Rectangles around all text of a frame, however a viewer shows it.

        Args:
            numbers: those of the frame.
            image: the layout.
            windows: those that the header names.
            before: the frame before, and what was found in it; None for the first.
        """
        shown = renderings(numbers, image, windows)
        if shown is None:
            return ()
        if before is None:
            return self.look(shown)
        changed = changed_cells(before[0], numbers)
        same = tuple(one for one in before[1] if touches(one, ~changed))
        return same + self.look(shown, changed)

    def look(self, shown: Renderings, changed: Cells | None = None) -> tuple[Rectangle, ...]:
        """Rectangles around all text of a frame.

        The whole is looked at once; what is drawn there and was not found is looked at again, larger and with
        another window.

        Args:
            shown: its pictures.
            changed: the cells that are not as in a frame that was looked at; None for all of them.
        """
        rows, columns = shown.numbers.shape
        by_default = max(1.0, SIDE / min(rows, columns))
        enlarged = min(ENLARGED_MOST, by_default)
        if changed is None:
            wholes: tuple[Rectangle, ...] = (Rectangle(0, 0, columns, rows),)
        elif shown.is_deep:
            wholes = parts_of(changed, rows, columns)
        else:
            wholes = drawn_parts(shown.numbers, (), rows * columns, changed)
        found = [one for whole in wholes for one in self._find(shown.first, shown.numbers, whole, enlarged)]
        left = rows * columns * (SECOND_LOOK * by_default**2 - enlarged**2)
        densities = DENSITIES_OF_DEEP if shown.is_deep else DENSITIES
        for part in drawn_parts(shown.numbers, tuple(found), left / ENLARGED_MOST**2, changed, densities):
            found += self._find(shown.second, shown.numbers, part, ENLARGED_MOST)
        return clipped(found, rows, columns)

    def alone(self, picture: Picture) -> int:
        """What the detector finds by itself, at one look at the size it takes by default: for measurements.

        Args:
            picture: in colour (rows, columns, 3).

        Returns:
            How many boxes.
        """
        boxes, _ = self._detect(picture)
        return 0 if boxes is None else len(boxes)

    def _find(
        self, shown: Rendering, numbers: Numbers, part: Rectangle, enlarged: float
    ) -> Iterator[Rectangle]:
        """Rectangles around the text in a part of a picture.

        Args:
            shown: the picture.
            numbers: what is shown in it.
            part: what is looked at.
            enlarged: how many times.
        """
        picture = shown.picture
        greys: list[Grey] = [picture if picture.ndim == 2 else _grey(picture)]
        if shown.wider is not None:
            greys.append(shown.wider)
        shorter = min(picture.shape[:2])
        most = max(min(HEIGHT_MOST, shorter * 0.35), shorter / 8)
        side = int(TILE / enlarged)
        for top in _starts(part.y, part.bottom, side):
            for left in _starts(part.x, part.right, side):
                stop, end = min(top + side, part.bottom), min(left + side, part.right)
                for box in self._boxes(picture[top:stop, left:end], enlarged):
                    if (one := _line(greys, numbers, np.add(box, (left, top)), most)) is not None:
                        yield one

    def _boxes(self, picture: Picture, enlarged: float) -> Any:
        """The corners of what the detector finds in a picture, enlarged so many times."""
        rows, columns = picture.shape[:2]
        size = (max(round(side * enlarged / 32), 1) * 32 for side in (columns, rows))
        resized = cv2.resize(picture, tuple(size)).astype(np.float32)
        if resized.ndim == 2:
            resized = np.repeat(resized[..., None], 3, axis=2)
        scaled = np.ascontiguousarray((resized / 127.5 - 1).transpose(2, 0, 1))[None]
        boxes, _ = self._detect.postprocess_op(self._detect.infer(scaled)[0], (rows, columns))
        return self._detect.filter_tag_det_res(boxes, (rows, columns))


def _grey(picture: Picture) -> Grey:
    grey: Grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return grey


def _starts(start: int, stop: int, side: int) -> list[int]:
    """Where tiles begin."""
    if stop - start <= side:
        return [start]
    return [*range(start, stop - side, side - OVERLAP), stop - side]


def _line(greys: list[Grey], numbers: Numbers, box: Any, most: float) -> Rectangle | None:
    """The rectangle around a line of text; None for what is none.

    Args:
        greys: the picture, and with a wider window; the find has to be drawn like text in both.
        numbers: what is shown in them.
        box: the corners of a find.
        most: the height that a line may have, in pixels.
    """
    first, second = (math.dist(box[index], box[index - 1]) for index in (0, 1))
    height, length = min(first, second), max(first, second)
    if not HEIGHT_LEAST <= height <= most:
        return None
    left, top = (int(edge) for edge in box.min(axis=0))
    right, bottom = (int(edge) + 1 for edge in box.max(axis=0))
    place = slice(max(top, 0), bottom), slice(max(left, 0), right)
    shown = [evidence_of(grey[place]) for grey in greys]
    in_noise = any(one is not None and one.same < SMOOTH for one in shown)
    if (in_noise and length < LONG_LEAST * height) or height > SQUARE_MOST:
        whole = evidence_of(scaled(numbers[place]))
        if whole is not None and whole.strokes >= STROKES_LEAST:
            shown.append(whole)
    evidence = shown[0]
    if evidence is None or not all(is_drawn(one, height, length) for one in shown):
        return None
    left, top, right, bottom = grown(greys[0], (left, top, right, bottom), evidence)
    across, down = (
        max(MARGIN_LEAST, round(part * min(bottom - top, right - left)))
        for part in ((MARGIN_ALONG, MARGIN) if right - left > bottom - top else (MARGIN, MARGIN_ALONG))
    )
    return Rectangle(left - across, top - down, right - left + 2 * across, bottom - top + 2 * down)
