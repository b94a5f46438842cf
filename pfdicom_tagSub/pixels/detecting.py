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
import onnxruntime

from .drawn_parts import (
    Cells,
    Densities,
    Drawn,
    changed_cells,
    differs,
    is_left,
    touches,
    with_cells,
)
from .frames import Numbers, Picture
from .image import Image
from .rectangles import Rectangle, clipped
from .renderings import Rendering, Renderings, renderings
from .text_evidence import (
    HIGH,
    LONG_LEAST,
    SMOOTH,
    SQUARE_MOST,
    STROKES_LEAST,
    Evidence,
    Grey,
    evidence_of,
    grown,
    is_drawn,
    is_too_high,
    reduced,
    scaled,
    telling,
)

PACKAGE = "rapidocr_onnxruntime"
_MODEL = "ch_PP-OCRv4_det_infer.onnx"

TILE = 1280
OVERLAP = 192
"""Larger pictures are looked at in tiles, of so many pixels as a detector sees, which bounds the memory."""

SIDE = 736
"""A picture whose shorter side is less is enlarged for a detector, as it is by default."""

FIRST_LOOKS = 1.3
LOOKS = 1.45
LAST_LOOKS = 1.65
"""How many times the default is looked at by and by, as long as no more is drawn clearly."""

LEAST_AGAIN, LEAST_LAST = 0.3, 0.15
"""How many times the default the second and the last look may take in any case: what is hard to see in one
picture is often plain in the other."""

ENLARGED = 2.0
ENLARGED_LEAST = 1.25
ENLARGED_AGAIN = 3.0
ENLARGED_LAST = 4.0
"""How many times places are enlarged, at least if there are many, and those with what was not found. A
detector finds words of small letters at twice their size, and marks of one or two at three or four times."""

DENSITIES = 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1
DENSITIES_AGAIN = *DENSITIES[:8], 0.1, 0.12, 0.14, 0.16, 0.18, 0.2, 0.23, 0.26, 0.3
"""How much of a place is edges of strokes, at least, if something may be drawn there: from faint letters to
those that nothing is beside. The first is taken with which there is not too much to look at."""

ALONE_LOOKS = 0.15
AROUND_ALONE = 14
HEIGHT_OF_ALONE = 80
"""How many times the default may be spent on what stands alone, with so many pixels around, enlarged to such
a height: detectors find single marks in small parts of a picture, at a large size."""

WIDE_LOOKS = 0.2
MORE_OF_DEEP = 0.2
"""How many times the default is looked at more of deep pictures: first in the window of a viewer, at their
own size, which shows blurred letters best."""

UPRIGHT = 1.5
"""What is so many times higher than wide may be a line that stands, and is looked at as if it lay."""

FRAME = 12
"""How many pixels are added at the edge of a picture: a detector does not find letters that touch it."""

KNOWN = 0.65
"""A find of which the detector is less sure may be a part of what is there, which is looked at again."""

HEIGHT_LEAST = 6.0
"""What is lower is no line of letters: those of 10 pixels take 8 and more."""

HEIGHT_MOST = 56.0
"""What is higher, and more than an eighth of the picture, is anatomy and no line of text."""

USUAL = 512
"""The shorter side of a usual picture. High letters of larger ones are judged as if reduced to it."""

SLANT = 0.35
SLANT_LEAST = 3.0
SURE_OF_SLANTED = 0.85
"""A line that is so much longer than high and rises or falls so steeply is the edge of a sector or a vessel,
unless the detector is so sure."""

MARGIN = 0.35
MARGIN_ALONG = 2.0
MARGIN_LEAST = 3
"""What is blackened around a find, also at the ends of the line: a part of its height; pixels at least."""


class TextFinder:
    """Finds text; make one in each process or thread, as it uses one thread."""

    def __init__(self) -> None:
        # This package takes a second to import.
        from rapidocr_onnxruntime.ch_ppocr_det.utils import DBPostProcess  # noqa: PLC0415

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # An arena takes a third less time than memory that is given back; plans by size would hold more.
        options.enable_cpu_mem_arena, options.enable_mem_pattern = True, False
        with resources.as_file(resources.files(PACKAGE) / "models" / _MODEL) as model:
            self._session = onnxruntime.InferenceSession(
                str(model), options, providers=["CPUExecutionProvider"]
            )
        self._input = self._session.get_inputs()[0].name
        self._looked = 0.0  # pixels of the frame at hand, as a detector sees them
        self._boxes_of = DBPostProcess(
            thresh=0.2,
            box_thresh=0.3,
            max_candidates=1000,
            unclip_ratio=1.6,
            use_dilation=True,
            score_mode="fast",
        )

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
        same = [one for one in before[1] if touches(one, ~changed)]
        moved = [one for one in same if differs(before[0], numbers, one)]
        found = self.look(shown, with_cells(changed, moved))
        gone = {one for one in moved if not is_left(before[0], numbers, one, found)}
        return (*(one for one in same if one not in gone), *found)

    def look(self, shown: Renderings, changed: Cells | None = None) -> tuple[Rectangle, ...]:
        """Rectangles around all text of a frame.

        Where strokes may be is looked at; what is drawn there and was not found is looked at again, larger
        and with another window.

        Args:
            shown: its pictures.
            changed: the cells that are not as in a frame that was looked at; None for all of them.
        """
        rows, columns = shown.numbers.shape
        by_default = rows * columns * max(1.0, SIDE / min(rows, columns)) ** 2
        self._looked = 0.0
        drawn = Drawn(shown.numbers)
        most = FIRST_LOOKS * by_default
        places = drawn.parts((), most / ENLARGED**2, DENSITIES, changed)
        size = sum(one.width * one.height for one in places)
        enlarged = min(ENLARGED, max(ENLARGED_LEAST, math.sqrt(most / max(size, 1))))
        likely = np.zeros((rows, columns), np.float32)
        found = [
            one for place in places for one in self._find(shown.first, shown.numbers, place, enlarged, likely)
        ]
        known = tuple(one for one, score in found if score >= KNOWN)
        found += self._alone(shown, drawn.alone(known, changed), ALONE_LOOKS * by_default, likely)
        for again, looks, at_least, least, times in (
            (shown.second, 0.0, WIDE_LOOKS * shown.is_deep, 1.0, 1.0),
            (shown.second, LOOKS + MORE_OF_DEEP * shown.is_deep, LEAST_AGAIN, ENLARGED, ENLARGED_AGAIN),
            (shown.first, LAST_LOOKS + MORE_OF_DEEP * shown.is_deep, LEAST_LAST, ENLARGED, ENLARGED_LAST),
        ):
            known = tuple(one for one, score in found if score >= KNOWN)
            left = max(looks * by_default - self._looked, at_least * by_default)
            most = left / min(times, ENLARGED_AGAIN) ** 2
            places = drawn.parts(known, most, DENSITIES_AGAIN, changed, likely) if left else ()
            size = sum(one.width * one.height for one in places)
            enlarged = min(times, max(least, math.sqrt(left / max(size, 1))))
            for place in places:
                found += self._find(again, shown.numbers, place, enlarged, likely)
        return clipped((one for one, _ in found), rows, columns)

    def _alone(
        self, shown: Renderings, places: Iterable[Rectangle], left: float, likely: Densities
    ) -> list[tuple[Rectangle, float]]:
        """The text in what stands alone, looked at in one picture and, if that is not sure, in the other.

        Args:
            shown: the pictures.
            places: what stands alone, the clearest first.
            left: how many pixels a detector may see.
            likely: how likely each pixel is text; what is seen is noted there.
        """
        found: list[tuple[Rectangle, float]] = []
        for place in places:
            times = min(ENLARGED_LAST, max(1.0, HEIGHT_OF_ALONE / min(place.width, place.height)))
            turns = int(place.height > UPRIGHT * place.width)
            for part in clipped((place.widened(AROUND_ALONE),), *shown.numbers.shape):
                size = part.width * part.height * times**2
                for rendering, turned in ((shown.first, turns), (shown.second, 3 * turns)):
                    if size > left:
                        continue
                    left -= size
                    seen = [*self._find(rendering, shown.numbers, part, times, likely, turned)]
                    found += seen
                    if any(score >= KNOWN for _, score in seen):
                        break
        return found

    def _find(
        self,
        shown: Rendering,
        numbers: Numbers,
        part: Rectangle,
        enlarged: float,
        likely: Densities,
        turns: int = 0,
    ) -> Iterator[tuple[Rectangle, float]]:
        """Rectangles around the text in a part of a picture, and how sure the detector is of each.

        Args:
            shown: the picture.
            numbers: what is shown in it.
            part: what is looked at.
            enlarged: how many times.
            likely: how likely each pixel is text; what is seen is noted there.
            turns: how often it is turned by 90 degrees.
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
                seen, (beside, above) = _padded(picture, left, top, end, stop)
                self._looked += seen.shape[0] * seen.shape[1] * enlarged**2
                heat, finds = self._boxes(seen, enlarged, turns)
                here = heat[above:, beside:][: stop - top, : end - left]
                np.maximum(likely[top:stop, left:end], here, out=likely[top:stop, left:end])
                for box, score in finds:
                    corners = np.add(box, (left - beside, top - above))
                    if (one := _line(greys, numbers, corners, score, most)) is not None:
                        yield one, score

    def _boxes(
        self, picture: Picture, enlarged: float, turns: int
    ) -> tuple[Densities, Iterator[tuple[Any, float]]]:
        """What the detector finds in a picture, enlarged so many times and turned.

        Returns:
            How likely each pixel is text, and the corners of each find with how sure the detector is.
        """
        rows, columns = picture.shape[:2]
        size = (max(round(side * enlarged / 32), 1) * 32 for side in (columns, rows))
        resized = np.rot90(cv2.resize(picture, tuple(size)), turns)
        # As whole planes, which takes a tenth of the time of pixels of three equal numbers.
        planes = resized[None] if resized.ndim == 2 else resized.transpose(2, 0, 1)
        scaled = np.empty((1, 3, *planes.shape[1:]), np.float32)
        np.divide(planes, np.float32(127.5), out=scaled[0])
        scaled -= 1
        (likely,) = self._session.run(None, {self._input: scaled})
        upright = np.ascontiguousarray(np.rot90(likely[0, 0], -turns))
        boxes, scores = self._boxes_of(upright[None, None], (rows, columns))
        heat: Densities = cv2.resize(upright, (columns, rows), interpolation=cv2.INTER_AREA)
        return heat, zip(boxes, scores, strict=True)


def _padded(
    picture: Picture, left: int, top: int, right: int, bottom: int
) -> tuple[Picture, tuple[int, int]]:
    """A part of a picture, with a frame of its usual grey where it ends at the picture's edge.

    Returns:
        The part, and how wide its frame is at the left and above.
    """
    rows, columns = picture.shape[:2]
    part = picture[top:bottom, left:right]
    edges = [FRAME * int(at) for at in (top <= 0, bottom >= rows, left <= 0, right >= columns)]
    if not any(edges):
        return part, (0, 0)
    usual = np.median(part[::4, ::4].reshape(-1, *part.shape[2:]), axis=0).tolist()
    above, below, before, after = edges
    framed = cv2.copyMakeBorder(part, above, below, before, after, cv2.BORDER_CONSTANT, value=usual)
    return framed.astype(np.uint8), (before, above)


def _grey(picture: Picture) -> Grey:
    grey: Grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY).astype(np.uint8)
    return grey


def _starts(start: int, stop: int, side: int) -> list[int]:
    """Where tiles begin."""
    if stop - start <= side:
        return [start]
    return [*range(start, stop - side, side - OVERLAP), stop - side]


def _is_slanted(box: Any) -> bool:
    """Whether the longer side of a box neither lies nor stands."""
    sides = [np.abs(np.subtract(box[index], box[index - 1])) for index in (0, 1)]
    across, down = max(sides, key=lambda side: float(np.hypot(*side)))
    return bool(min(across, down) > SLANT * max(across, down))


def _has_letters(found: Evidence | None) -> bool:
    """Whether a place shows more than something lighter or darker at its side."""
    return found is not None and found.strokes >= STROKES_LEAST


def _line(greys: list[Grey], numbers: Numbers, box: Any, score: float, most: float) -> Rectangle | None:
    """The rectangle around a line of text; None for what is none.

    Args:
        greys: the picture, and with a wider window; the find has to be drawn like text in both.
        numbers: what is shown in them.
        box: the corners of a find.
        score: how sure the detector is of it.
        most: the height that a line may have, in pixels.
    """
    first, second = (math.dist(box[index], box[index - 1]) for index in (0, 1))
    height, length = min(first, second), max(first, second)
    if not HEIGHT_LEAST <= height <= most:
        return None
    if length > SLANT_LEAST * height and _is_slanted(box) and score < SURE_OF_SLANTED:
        return None
    shorter = min(numbers.shape)
    left, top = (int(edge) for edge in box.min(axis=0))
    right, bottom = (int(edge) + 1 for edge in box.max(axis=0))
    place = slice(max(top, 0), bottom), slice(max(left, 0), right)
    smaller = max(1.0, min(height / HIGH, shorter / USUAL))
    whole = scaled(numbers[place])
    if smaller > 1 and not _has_letters(evidence_of(reduced(whole, smaller))):
        smaller = 1.0
    shown = [evidence_of(reduced(grey[place], smaller)) for grey in greys]
    in_noise = any(one is not None and one.same < SMOOTH for one in shown)
    if (in_noise and length < LONG_LEAST * height) or height > SQUARE_MOST * smaller:
        witness = evidence_of(reduced(whole, smaller))
        if _has_letters(witness):
            shown.append(witness)
    evidence = shown[0]
    size = height / smaller, length / smaller
    if evidence is None or is_too_high(evidence, evidence_of(whole), height, length, score, shorter):
        return None
    if not all(is_drawn(one, *size, score) for one in telling(shown, *size, score)):
        return None
    left, top, right, bottom = grown(greys[0], (left, top, right, bottom), evidence)
    across, down = (
        max(MARGIN_LEAST, round(part * min(bottom - top, right - left)))
        for part in ((MARGIN_ALONG, MARGIN) if right - left > bottom - top else (MARGIN, MARGIN_ALONG))
    )
    return Rectangle(left - across, top - down, right - left + 2 * across, bottom - top + 2 * down)
