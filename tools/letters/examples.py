"""Examples that the network learns from: parts of pictures with texts in them, and where these are.

Use: ``python tools/letters/examples.py FOLDER --fonts FONTS... --grounds PICTURES --count 40000``
"""

from __future__ import annotations

import argparse
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from drawings import furnish
from grounds import Grounds
from numpy.lib.format import open_memmap
from texts import Plane, Random, Strokes, Typesetter, pick, plane_of

from pfdicom_tagSub.pixels.letters import CELL, SIDE_STEP, views_of

SIDE = 224
"""The side of an example in pixels."""

LISTED = 0.15
"""The part of the examples that are lists."""

NONE, TEXT, UNTOLD = range(3)
"""What a cell of an example is: without text, of a text, or of what should not be learnt from."""

_STYLES = (
    "light", "light", "light", "grey", "grey", "band", "glass", "outline", "shadow", "halo", "dark", "dark",
    "faint", "faint", "faint", "faint", "faint", "close",
)  # fmt: skip


@dataclass
class _Picture:
    """A picture while texts are drawn into it.

    Attributes:
        shown: about 0 to 1: (rows, columns).
        text: where the texts are.
        untold: where they are that nobody can read.
        is_deep: whether it has more shades than a screen.
    """

    shown: Plane
    text: Plane
    untold: npt.NDArray[np.bool_]
    is_deep: bool


class Examples:
    """Makes examples, each from its number alone."""

    def __init__(self, typesetter: Typesetter, grounds: Grounds, whole: float) -> None:
        """Args:
        typesetter, grounds: what makes the texts, and what they are drawn on.
        whole: the part of the examples that are real pictures of few pixels as they are.
        """
        self._typesetter = typesetter
        self._grounds = grounds
        self._whole = whole

    def example(self, seed: int, number: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Views of a picture, and what each of its cells is.

        Args:
            seed: of the set.
            number: of the example.

        Returns:
            (views, SIDE, SIDE), and (SIDE / CELL, SIDE / CELL) of NONE, TEXT and UNTOLD.
        """
        random = np.random.default_rng((seed, number))
        while True:
            made = self._picture(random)
            numbers = _numbers(random, made)
            if np.ptp(numbers) > 0:
                return _padded(views_of(numbers)), _cells(made)

    def _picture(self, random: Random) -> _Picture:
        is_small = random.random() < 0.1
        sides = (64, 64, 96, 128, 128, int(random.integers(64, 200)))
        rows, columns = (int(pick(random, sides)) if is_small else SIDE for _ in range(2))
        whole = self._grounds.whole(random, SIDE) if random.random() < self._whole else None
        if whole is not None:
            (rows, columns), is_small = whole.shape, True
        shown = np.clip(self._grounds.ground(random, rows, columns) if whole is None else whole, 0, 1)
        is_deep = random.random() < 0.55
        if is_deep and random.random() < 0.7:
            shown *= np.float32(random.uniform(0.1, 1))
        if random.random() < (0.35 if whole is None else 0.1):
            furnish(random, shown)
        nowhere = np.zeros((rows, columns), np.float32)
        made = _Picture(shown, nowhere, nowhere > 0, is_deep)
        if whole is None and not is_small and random.random() < LISTED:
            self._draw_list(random, made)
        elif random.random() < (0.68 if whole is None else 0.3):
            self._draw_texts(random, made, is_small=is_small)
        return made

    def _draw_list(self, random: Random, made: _Picture) -> None:
        """Short lines one below the other, as of the settings of a device, often on an empty ground."""
        if random.random() < 0.6:
            made.shown[:] = float(pick(random, (0.0, 0.0, 0.0, 0.05, 0.95)))
        size, style = int(random.integers(9, 22)), pick(random, ("light", "light", "grey", "dark", "faint"))
        y, x = int(random.integers(0, 40)), int(random.integers(0, 150))
        step = size * float(random.uniform(1.1, 2.2))
        for number in range(int(random.integers(2, 9))):
            strokes = self._typesetter.strokes(random, size)
            if strokes is not None:
                _draw(random, made, strokes, style, (round(y + number * step), x))

    def _draw_texts(self, random: Random, made: _Picture, *, is_small: bool) -> None:
        style = ""
        for _ in range(int(pick(random, (1, 1, 2) if is_small else (1, 1, 2, 2, 3, 3, 4, 5, 7)))):
            way = random.random()
            least, most = (8, 15) if is_small or way < 0.42 else (14, 30) if way < 0.85 else (28, 58)
            strokes = self._typesetter.strokes(random, int(random.integers(least, most)))
            if not style or random.random() < 0.5:
                style = pick(random, _STYLES)
            if strokes is not None:
                _draw(random, made, strokes, style)


def _numbers(random: Random, made: _Picture) -> npt.NDArray[np.float32]:
    """A picture in the numbers that a file stores, as compression and few shades leave them."""
    if made.is_deep:
        most = float(pick(random, (4095.0, 4095.0, 1023.0, 65535.0, 2000.0, 500.0)))
        numbers = np.round(np.clip(made.shown, 0, 1.2) * most)
    else:
        numbers = np.round(np.clip(made.shown, 0, 1) * 255)
        way = random.random()
        if way < 0.4:
            quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(45, 96))]
            coded = cv2.imencode(".jpg", numbers.astype(np.uint8), quality)[1]
            numbers = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE))
        elif way < 0.46:
            numbers = np.round(numbers / 17) * 17
    return plane_of(numbers.max() - numbers if random.random() < 0.3 else numbers)


def _padded(views: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    _, rows, columns = views.shape
    return np.pad(views, ((0, 0), (0, SIDE - rows), (0, SIDE - columns)), mode="edge")


def _cells(made: _Picture) -> npt.NDArray[np.uint8]:
    rows, columns = made.shown.shape
    beyond = (0, SIDE - rows), (0, SIDE - columns)
    text = np.pad(made.text, beyond)
    untold = np.pad(made.untold, beyond, constant_values=True)
    near = cv2.dilate(text, np.ones((5, 5), np.uint8))

    def split(plane: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        return plane.reshape(SIDE // CELL, CELL, SIDE // CELL, CELL)

    cells = np.full((SIDE // CELL, SIDE // CELL), UNTOLD, np.uint8)
    cells[split(near).max((1, 3)) == 0] = NONE
    is_text = split(text).mean((1, 3)) >= 0.5
    cells[split(untold.astype(np.float32)).mean((1, 3)) > 0.1] = UNTOLD
    cells[is_text] = TEXT
    return cells


def _spot(random: Random, size: int, whole: int, *, is_cut: bool) -> int:
    """Where a text begins in a row or a column of a picture."""
    if is_cut:
        return int(random.integers(-size // 2, max(whole - size // 2, 1 - size // 2)))
    if random.random() < 0.13:
        return int(pick(random, (0, min(1, whole - size), whole - size)))
    return int(random.integers(0, whole - size + 1))


def _draw(
    random: Random, made: _Picture, strokes: Strokes, style: str, spot: tuple[int, int] | None = None
) -> None:
    """Draw a text at a spot (row, column) or somewhere, if there is room for it."""
    rows, columns = made.shown.shape
    cover = np.rot90(strokes.cover, int(pick(random, [0] * 17 + [1, 3, 2])) if spot is None else 0)
    is_cut = random.random() < 0.2
    if not is_cut:
        cover = cover[:rows, :columns]
    y, x = spot or (
        _spot(random, size, whole, is_cut=is_cut)
        for size, whole in zip(cover.shape, made.shown.shape, strict=True)
    )
    top, left, bottom, right = (
        max(y, 0),
        max(x, 0),
        min(y + cover.shape[0], rows),
        min(x + cover.shape[1], columns),
    )
    margin = max(3, strokes.size // 4)
    around = slice(max(top - margin, 0), bottom + margin), slice(max(left - margin, 0), right + margin)
    if bottom - top < 5 or right - left < 3 or made.text[around].any() or made.untold[around].any():
        return
    inside = cover[top - y : bottom - y, left - x : right - x]
    if np.max(inside) < 0.5:
        return
    ink = np.zeros((rows, columns), np.float32)
    ink[top:bottom, left:right] = inside
    if random.random() < 0.15:
        ink = cv2.GaussianBlur(ink, (0, 0), float(random.uniform(0.35, 0.9))).astype(np.float32)
    place = slice(top, bottom), slice(left, right)
    is_read = _Pen(random, made, ink, place).write(style)
    region = ink > 0.4
    if strokes.is_slanted:
        kernel = np.ones((int(strokes.size * 1.1) | 1,) * 2, np.uint8)
        region = cv2.morphologyEx(region.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    else:
        region[place] = True
    if is_read:
        made.text[region] = 1
    else:
        made.untold |= region


class _Pen:
    """Writes a text in one of several styles."""

    def __init__(self, random: Random, made: _Picture, ink: Plane, place: tuple[slice, slice]) -> None:
        self._random = random
        self._made = made
        self._ink = ink
        self._place = place
        here = made.shown[place]
        self._usual = float(np.median(here))
        self._spread = float(here.std())
        self._noise = float(np.median(np.abs(np.diff(here, axis=1)))) / 0.95 + 1e-6
        self._light = max(float(np.max(made.shown)), 0.3)

    def write(self, style: str) -> bool:
        """Draw it; whether a person can read it."""
        grey = self._grey(style)
        made, ink = self._made, self._ink
        before = made.shown[self._place].copy()
        made.shown[:] = made.shown * (1 - ink) + np.float32(grey) * ink
        strokes = ink[self._place] > 0.5
        if not strokes.any():
            return False
        faintest = (0.002 if made.is_deep else 0.02) * self._light
        least = max(1.2 * float(before.std()), 2.2 * self._noise, faintest)
        if style in {"band", "outline", "halo"}:
            least = 0.1 * self._light
        return bool((np.abs(before - grey)[strokes] > least).mean() >= 0.6)

    def _grey(self, style: str) -> float:
        """The grey of the letters, once what some styles draw around them is there."""
        random, made, light, usual = self._random, self._made, self._light, self._usual
        here = made.shown[self._place]
        if style in {"grey", "faint"}:
            return self._beside(style)
        if style == "light":
            return light * float(random.uniform(0.85, 1.3)) if usual <= 0.75 * light else 0.0
        if style == "dark":
            return 0.0 if np.percentile(here, 15) > 0.25 * light else light
        if style == "close":
            return float(np.percentile(here, 95)) + float(random.uniform(0.03, 0.08)) * light
        if style == "band":
            ground = float(pick(random, (0.0, 0.0, 0.15, 0.5, 0.8, 1.0)))
            made.shown[self._wider()] = ground * light
            return light if ground < 0.5 else 0.0
        if style == "glass":
            made.shown[self._wider()] *= np.float32(random.uniform(0.3, 0.7))
            return light
        return self._outlined(style)

    def _beside(self, style: str) -> float:
        """A grey that differs from what is there: well, or by some steps of noise."""
        random = self._random
        away = max(float(random.uniform(0.1, 0.4)) * self._light, 2 * self._spread)
        if style == "faint":
            shades = (0.003 if self._made.is_deep else 0.035) * float(random.uniform(1, 2))
            away = max(
                self._noise * float(random.uniform(4.5, 9)),
                float(random.uniform(1.5, 2.4)) * self._spread,
                shades,
            )
        is_darker = random.random() >= 0.8 or (style == "grey" and self._usual + away > self._light * 1.1)
        return self._usual - away if is_darker and self._usual >= away else self._usual + away

    def _outlined(self, style: str) -> float:
        """The grey of letters with a line, a shadow or a glow around them."""
        random, shown, ink = self._random, self._made.shown, self._ink
        line, grey = 0.0, self._light
        if style == "outline":
            around = cv2.dilate(ink, np.ones((3, 3), np.uint8))
            if random.random() < 0.15:
                line, grey = grey, line
        elif style == "shadow":
            around = np.roll(ink, (1, 1), (0, 1))
        else:
            around = np.clip(cv2.GaussianBlur(ink, (0, 0), float(random.uniform(1.5, 3))) * 1.6, 0, 1)
        shown[:] = shown * (1 - around) + line * around
        return grey

    def _wider(self) -> tuple[slice, slice]:
        """The place with some pixels around it."""
        edges = [int(edge) for edge in self._random.integers(1, 7, 4)]
        rows, columns = self._place
        return (
            slice(max(rows.start - edges[0], 0), rows.stop + edges[1]),
            slice(max(columns.start - edges[2], 0), columns.stop + edges[3]),
        )


def _fill(given: argparse.Namespace, first: int) -> None:
    """Make each so-manieth example, from the first."""
    cv2.setNumThreads(1)
    examples = Examples(
        Typesetter.of(given.fonts, given.folder / "fonts.json"), Grounds(given.grounds), given.whole
    )
    views = np.load(given.folder / "views.npy", mmap_mode="r+")
    cells = np.load(given.folder / "cells.npy", mmap_mode="r+")
    for number in range(first, given.count, given.processes):
        views[number], cells[number] = examples.example(given.seed, number)


def main() -> None:
    """Write a set of examples."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where views.npy and cells.npy are written")
    parser.add_argument("--fonts", type=Path, nargs="+", default=[Path("/usr/share/fonts")])
    parser.add_argument("--grounds", type=Path, help="real pictures without text, as README.rst tells")
    parser.add_argument(
        "--whole", type=float, default=0.1, help="the part that are real pictures as they are"
    )
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    open_memmap(given.folder / "views.npy", "w+", np.uint8, (given.count, 3, SIDE, SIDE))
    open_memmap(given.folder / "cells.npy", "w+", np.uint8, (given.count, SIDE // CELL, SIDE // CELL))
    Typesetter.of(given.fonts, given.folder / "fonts.json")
    with multiprocessing.get_context("spawn").Pool(given.processes) as pool:
        pool.starmap(_fill, [(given, first) for first in range(given.processes)])


if __name__ == "__main__":
    assert SIDE % SIDE_STEP == 0
    main()
