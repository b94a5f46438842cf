"""Whether what a detector found is drawn like text, and where the line of it ends.

A detector of text sees letters in vertebrae, vessels and noise. Letters have an edge: most of what changes
within their box changes in large steps, which anatomy does not do. They are wider than high, but for single
ones, and have as many strokes as letters have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]

# Before OpenCV is first used: a process that is forked from one with its threads waits for them for ever.
cv2.setNumThreads(1)

STEP = 1 / 3
"""What is a large step, of the difference between letters and what is around them."""

SHARP_LEAST = 0.36
"""The part of all change that is in large steps, at least."""

SHARP_IN_NOISE = 0.45
"""The same where hardly any neighbours are the same: steps of noise are large, too."""

SMOOTH = 0.06

SQUARE_MOST = 36
"""A find that is higher than so many pixels has to be a line."""

LINE_LEAST = 2.0
"""How much wider than high it has to be."""

SHARP_OF_LARGE = 0.6

SHARP_OF_LONG, SCORE_OF_LONG = 0.38, 0.65
"""How sharp what is so high has to be, and a long line of which a detector is so sure."""

SINGLE_MOST = 1.6
SINGLE_HEIGHT_MOST = 34
SINGLE_STROKES_MOST = 5.2
SINGLE_SHARP = 0.5
SINGLE_SCORE = 0.5
"""What is hardly wider than high may be a letter or two, if it is sharp and a detector is sure enough."""

SINGLE_IN_NOISE = (0.6, 0.65), (0.5, 0.8)
"""The same, (sharp, score), where hardly any neighbours are the same."""

HIGH = 24
MARK_MOST = 2.2
WORD_MOST = 2.6
SAME_OF_HIGH = 0.05
"""What is higher and no longer than a word looks like vessels and folds: it has to be drawn more clearly."""

SHORT_MOST = 3.0
SHARP_OF_SHORT = 0.55
SCORE_OF_SHORT = 0.5
"""The same for what is short in noise, and how sure a detector has to be of what is short."""

SURE = 0.75
SHARP_OF_SURE = 0.4
SHARP_OF_SURE_SHORT = 0.48
"""What a detector is so sure of may be less sharp in noise."""

PART_MOST = (SINGLE_MOST, 0.1), (2.2, 0.125)
"""Of what is not so many times longer than high, the height that it may have, as a part of the picture's."""

SHARP_OF_PLAIN = 0.75
SCORE_OF_PLAIN = 0.7
MORE_OF_PLAIN = (0.2, 1.7), (0.1, 1.4)
"""What is drawn so clearly may be higher: by the part of neighbours that are the same, so many times."""

SURE_OF_FAINT = 0.8
"""A line of which a detector is so sure is not judged by another picture than that in which it was found."""

CURVE = 26
STROKES_OF_CURVE = 2.1
SAME_OF_CURVE = 0.85
"""What is higher, a line on even ground, and has fewer strokes is a curve."""

LONG_LEAST = 4.0
"""A find that is longer may lie across what is much lighter or darker than its letters."""

CLEAR = 0.8
STROKES_OF_CLEAR = 7.5
STROKES_OF_SURE = 10.0
"""What is so sharp may have more strokes: letters across curves and frames, and with outlines."""

CLEAREST = 0.9
STROKES_OF_CLEAREST = 14.0
"""The same of the clearest finds: letters on ground with single light pixels, as counts are."""

FLAT = 0.3
STROKES_OF_FLAT = 0.7
"""What is short, has so many equal neighbours and fewer strokes is the edge of a panel."""

STROKES_LEAST = 0.8
"""With fewer, a place shows something far lighter or darker at its side, and nothing of letters."""

STROKES_MOST = 6.0
"""The edges in a row of a square of a line, at most; noise has more."""

RESEMBLES = 0.4
"""How near a pixel is to the colour of letters, of their difference from what is around them."""

INK_LEAST, INK_MOST = 0.05, 0.6
"""How much of a place beside a line is ink, if the line goes on there."""

INK_RATIO = 2.0
"""How many times more ink is there than just above and below the line, at least."""

STEP_BESIDE = 0.2
EDGES_LEAST = 0.35
EDGES_RATIO = 2.5
"""A line also goes on where it has so much of the edges of strokes that it has so far, and so many times more
than are just above and below: on other ground, its letters are of another grey in pictures by place."""

GROWN_MOST = 5
"""By how many of its heights a line is made longer at each end."""


@dataclass(frozen=True)
class Evidence:
    """What a box shows.

    Attributes:
        sharp: the part of all change that is in large steps.
        strokes: the edges in a row, for a square of the line.
        same: the part of neighbours that are the same.
        ink: the grey of the letters.
        contrast: how far that is from what is around them.
    """

    sharp: float
    strokes: float
    same: float
    ink: float
    contrast: float


def evidence_of(grey: Grey) -> Evidence | None:
    """What a part of a picture shows; None where it is of one grey."""
    rows, columns = grey.shape
    if rows < 3 or columns < 3:
        return None
    _, split = cv2.threshold(grey, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    is_light = split.astype(np.bool_)
    if is_light.all() or not is_light.any():
        return None
    values = grey.astype(np.int16)
    light, dark = float(values[is_light].mean()), float(values[~is_light].mean())
    steps = [np.abs(np.diff(values, axis=axis)) for axis in (0, 1)]
    limit = (light - dark) * STEP
    total = sum(float(one.sum()) for one in steps)
    sharp = sum(float(one[one > limit].sum()) for one in steps) / max(total, 1.0)
    edges = float((np.diff(split.astype(np.int8), axis=1) != 0).sum()) / rows
    down = float((np.diff(split.astype(np.int8), axis=0) != 0).sum()) / columns
    is_upright = rows > columns
    strokes = (down if is_upright else edges) * min(rows, columns) / max(rows, columns)
    same = sum(float((one == 0).mean()) for one in steps) / 2
    ink, ground = (light, dark) if is_light.mean() < 0.5 else (dark, light)
    return Evidence(sharp, strokes, same, ink, abs(ink - ground))


def reduced(grey: Grey, times: float) -> Grey:
    """A part of a picture, so many times smaller."""
    if times <= 1:
        return grey
    rows, columns = (max(round(side / times), 1) for side in grey.shape)
    made: Grey = cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return made


def is_too_high(
    found: Evidence, ground: Evidence | None, height: float, length: float, score: float, shorter: int
) -> bool:
    """Whether a find is too high for a mark or a short word of a picture whose shorter side is given.

    In pictures of few pixels, anatomy is as sharp as letters are and as large as these would be, but it has
    no even ground.

    Args:
        found: what its box shows.
        ground: what it shows of the numbers themselves.
        height, length: its size in pixels.
        score: how sure a detector is, from 0 to 1.
        shorter: the shorter side of the picture.
    """
    same = min(found.same, ground.same) if ground is not None else 0.0
    is_plain = found.sharp >= SHARP_OF_PLAIN and score >= SCORE_OF_PLAIN
    more = next((times for least, times in MORE_OF_PLAIN if is_plain and same >= least), 1.0)
    return any(length < times * height and height > part * more * shorter for times, part in PART_MOST)


def telling(
    shown: list[Evidence | None], height: float, length: float, score: float
) -> list[Evidence | None]:
    """What has to be drawn like text, of what a place shows in several pictures.

    Args:
        shown: in the picture in which it was found, then in others.
        height: the height of the line, however it is turned.
        length: its length.
        score: how sure a detector is, from 0 to 1.
    """
    first, *others = shown
    if first is None:
        return shown
    if (
        first.sharp >= SHARP_OF_PLAIN
        and score >= SURE_OF_FAINT
        and length >= LONG_LEAST * height
        and STROKES_LEAST <= first.strokes <= STROKES_MOST
    ):
        return [first]
    if first.sharp >= SHARP_OF_LARGE and score >= SCORE_OF_PLAIN:
        others = [one for one in others if one is not None and one.strokes >= STROKES_LEAST]
    return [first, *others]


def is_drawn(found: Evidence | None, height: float, length: float, score: float = 1.0) -> bool:
    """Whether a find is drawn like text.

    Args:
        found: what its box shows.
        height: the height of the line, however it is turned.
        length: its length.
        score: how sure a detector is, from 0 to 1.
    """
    aspect = length / max(height, 1.0)
    if found is None:
        return False
    is_long = aspect >= LONG_LEAST and score >= SCORE_OF_LONG
    least = SHARP_OF_LONG if is_long else SHARP_OF_LARGE
    if height > SQUARE_MOST and (aspect < LINE_LEAST or found.sharp < least):
        return False
    if aspect < SINGLE_MOST:
        return _is_letter(found, height, score)
    if aspect < SHORT_MOST and score < SCORE_OF_SHORT:
        return False
    if aspect < SHORT_MOST and found.same >= FLAT and found.strokes < STROKES_OF_FLAT:
        return False
    if height > CURVE and found.strokes < STROKES_OF_CURVE and found.same > SAME_OF_CURVE:
        return False
    is_sure = score >= SURE
    if height > HIGH and not is_sure and not _is_clear(found, aspect):
        return False
    least = SHARP_LEAST
    if found.same < SMOOTH:
        is_short = aspect < SHORT_MOST
        least = (
            (SHARP_OF_SURE_SHORT if is_short else SHARP_OF_SURE)
            if is_sure
            else (SHARP_OF_SHORT if is_short else SHARP_IN_NOISE)
        )
    return found.sharp >= least and _has_strokes(found, is_sure=is_sure)


def _is_clear(found: Evidence, aspect: float) -> bool:
    """Whether a high find is drawn more clearly than vessels and folds, or longer than a word."""
    return not (
        (aspect < MARK_MOST and found.sharp < SHARP_OF_LARGE)
        or (aspect < WORD_MOST and found.same < SAME_OF_HIGH)
    )


def _has_strokes(found: Evidence, *, is_sure: bool) -> bool:
    """Whether a find has as many strokes as letters have."""
    if found.sharp < CLEAR:
        return found.strokes <= STROKES_MOST
    if is_sure and found.sharp >= CLEAREST:
        return found.strokes <= STROKES_OF_CLEAREST
    return found.strokes <= (STROKES_OF_SURE if is_sure else STROKES_OF_CLEAR)


def _is_letter(found: Evidence, height: float, score: float) -> bool:
    """Whether a find that is hardly wider than high is a letter or two."""
    if height > SINGLE_HEIGHT_MOST or found.strokes > SINGLE_STROKES_MOST:
        return False
    if found.same >= SMOOTH:
        return found.sharp >= SINGLE_SHARP and score >= SINGLE_SCORE
    return any(found.sharp >= sharp and score >= least for sharp, least in SINGLE_IN_NOISE)


def scaled(numbers: npt.NDArray[Any]) -> Grey:
    """Numbers of a place from their lowest to their highest, as far as these are not rare."""
    low, high = (float(one) for one in np.percentile(numbers, (0.5, 99.5)))
    shown: Grey = np.clip((numbers - low) * (255 / max(high - low, 1e-6)), 0, 255).astype(np.uint8)
    return shown


def grown(grey: Grey, box: tuple[int, int, int, int], found: Evidence) -> tuple[int, int, int, int]:
    """A box with the letters that follow it on both sides, which detectors cut off at times.

    Args:
        grey: the picture.
        box: left, top, right and bottom of a line that lies or stands.
        found: what it shows.
    """
    left, top, right, bottom = box
    if bottom - top > right - left:
        top, left, bottom, right = _grown_line(grey.T, (top, left, bottom, right), found)
    elif right - left > bottom - top:
        left, top, right, bottom = _grown_line(grey, box, found)
    return left, top, right, bottom


def _grown_line(grey: Grey, box: tuple[int, int, int, int], found: Evidence) -> tuple[int, int, int, int]:
    """A line that lies, with the letters that follow: by their ink, or by edges of strokes."""
    left, top, right, bottom = box
    height = bottom - top
    most = GROWN_MOST * height
    above, below = max(top - height // 2, 0), bottom + height // 2
    start, stop = max(left - most - height, 0), right + most + height
    stretch = grey[above:below, start:stop].astype(np.float32)
    if min(stretch.shape) < 2:
        return box
    is_ink = np.abs(stretch - found.ink) < found.contrast * RESEMBLES
    is_edge = np.abs(np.diff(cv2.blur(stretch, (1, 3)), axis=1)) > found.contrast * STEP_BESIDE
    line = slice(max(top, 0) - above, bottom - above)
    inks, edges = _LineProfile(is_ink, line), _LineProfile(is_edge, line)
    usual = float(edges.within[max(left - start, 0) : right - start].mean())

    def goes_on(first: int, last: int) -> bool:
        place = slice(max(first - start, 0), max(last - start, 0))
        if not edges.within[place].size:
            return False
        ink, around = inks.of(place)
        if INK_LEAST <= ink <= INK_MOST and ink >= INK_RATIO * around:
            return True
        edge, around = edges.of(place)
        return edge >= EDGES_LEAST * usual and edge >= EDGES_RATIO * around

    step = max(height * 2 // 3, 3)
    sizes = step, 2 * step, 3 * step  # more than one over the gap between words
    while right < box[2] + most and (size := next((one for one in sizes if goes_on(right, right + one)), 0)):
        right += size
    while left > box[0] - most and (size := next((one for one in sizes if goes_on(left - one, left)), 0)):
        left -= size
    return left, top, right, bottom


class _LineProfile:
    """How much of each column of a line is flagged, and of what is just above and below it."""

    def __init__(self, flags: npt.NDArray[np.bool_], line: slice) -> None:
        inside = flags[line]
        self.within = inside.mean(axis=0)
        self._around = (flags.sum(axis=0) - inside.sum(axis=0)) / max(len(flags) - len(inside), 1)

    def of(self, place: slice) -> tuple[float, float]:
        """The means over some columns, within the line and around it."""
        return float(self.within[place].mean()), float(self._around[place].mean())
