"""What texts are drawn on: pictures of modalities, screens and photographs."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import PIL.ImageDraw
from texts import Plane, Random, pick, plane_of

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests" / "helpers"))

import planted_pictures as planted

_Painter = Callable[[Random, int, int], Plane]


class Grounds:
    """Pictures without text."""

    def __init__(self, folder: Path | None) -> None:
        """Args:
        folder: real ones: in each folder within, arrays (rows, columns) of 0 to 1 as NumPy keeps them; None
            for none.
        """
        found: dict[str, list[Plane]] = defaultdict(list)
        for path in sorted(folder.rglob("*.npy")) if folder is not None else ():
            found[path.parent.name].append(np.load(path).astype(np.float32))
        self._real = found
        self._groups = sorted(found)

    def whole(self, random: Random, most: int) -> Plane | None:
        """A real picture as it is, of at most so many pixels a side; None where there is none."""
        known = [one for group in self._groups for one in self._real[group] if max(one.shape) <= most]
        return pick(random, known).copy() if known else None

    def ground(self, random: Random, rows: int, columns: int, *, is_part: bool = False) -> Plane:
        """A picture of about 0 to 1.

        Args:
            random: what it is made from.
            rows, columns: its size.
            is_part: whether it becomes a part of a screen.
        """
        way = random.random()
        if way < 0.36 or (way < 0.62 and not self._groups):
            shown = _synthetic(random, rows, columns)
        elif way < 0.62:
            shown = self._photographed(random, rows, columns)
        elif way < 0.7 or is_part:
            shown = _noisy(random, _plain(random, rows, columns))
        elif way < 0.82:
            shown = _nearly_empty(random, rows, columns)
        else:
            shown = self._screen(random, rows, columns)
        if random.random() < 0.15:
            shown = np.clip(shown, 0, None) ** float(random.uniform(0.5, 1.8))
        if random.random() < 0.07:
            shown = _emptied(random, shown)
        return np.ascontiguousarray(shown, np.float32)

    def _photographed(self, random: Random, rows: int, columns: int) -> Plane:
        """A part of a real picture, turned, at another size, and with other noise."""
        known = self._real[pick(random, self._groups)]
        if min(known[0].shape) <= 80:
            shown = _mosaic(random, known)
        else:
            shown, times = pick(random, known), float(random.uniform(0.5, 2.6))
            if abs(times - 1) > 0.15:
                ways = (cv2.INTER_AREA,) if times < 1 else (cv2.INTER_CUBIC, cv2.INTER_LINEAR)
                shown = cv2.resize(shown, None, fx=times, fy=times, interpolation=pick(random, ways))
        if random.random() < 0.5:
            shown = shown[:, ::-1]
        if random.random() < 0.25:
            shown = np.rot90(shown, int(random.integers(4)))
        part = _part(random, np.ascontiguousarray(shown), rows, columns)
        return _noisy(random, part) if random.random() < 0.5 else part

    def _screen(self, random: Random, rows: int, columns: int) -> Plane:
        """Panels, buttons, curves, tables and bars, at times with a picture among them."""
        ground = float(pick(random, (0.0, 0.05, 0.1, 0.2, 0.5, 0.75, 0.9, 1.0)))
        plane = PIL.Image.new("L", (columns, rows), round(ground * 255))
        draw = PIL.ImageDraw.Draw(plane)
        for _ in range(int(random.integers(0, 7))):
            _draw_on_screen(random, draw, rows, columns)
        shown = plane_of(np.asarray(plane) / 255)
        if random.random() < 0.35:
            part = self.ground(random, rows, columns, is_part=True)
            top, left = int(random.integers(rows // 2)), int(random.integers(columns // 2))
            height = int(random.integers(rows // 4, rows - top))
            width = int(random.integers(columns // 4, columns - left))
            place = slice(top, top + height), slice(left, left + width)
            shown[place] = np.clip(part[place], 0, 1)
        return shown


def _draw_on_screen(random: Random, draw: PIL.ImageDraw.ImageDraw, rows: int, columns: int) -> None:
    x, y = int(random.integers(-30, columns)), int(random.integers(-30, rows))
    right, bottom = x + int(random.integers(6, columns)), y + int(random.integers(6, rows))
    way, grey = int(random.integers(9)), int(random.integers(256))
    filled = int(random.integers(256)) if random.random() < 0.7 else None
    if way < 4:
        draw.rectangle((x, y, right, bottom), fill=filled, outline=grey, width=int(random.integers(1, 3)))
    elif way == 4:
        box = x, y, x + int(random.integers(20, 90)), y + int(random.integers(14, 40))
        draw.rounded_rectangle(box, radius=5, fill=filled, outline=grey)
    elif way == 5:
        box = x, y, x + int(random.integers(5, 60)), y + int(random.integers(5, 60))
        draw.ellipse(box, fill=filled, outline=grey)
    elif way == 6:
        step = int(random.integers(6, 40))
        for place in range(y, bottom, step):
            draw.line((x, place, right, place), fill=150)
        for place in range(x, right, step) if random.random() < 0.6 else ():
            draw.line((place, y, place, bottom), fill=150)
    elif way == 7:
        width = int(random.integers(2, 9))
        for number in range(int(random.integers(4, 40))):
            left = x + number * (width + 1)
            draw.rectangle((left, bottom - int(random.integers(1, 60)), left + width - 1, bottom), fill=grey)
    else:
        points = [
            (place, y + float(random.normal(0, 8))) for place in range(x, right, int(random.integers(2, 14)))
        ]
        if len(points) > 1:
            draw.line(points, fill=grey, width=int(random.integers(1, 4)))


def _speckle(random: Random, rows: int, columns: int) -> Plane:
    grains = random.rayleigh(0.3, (rows, columns)).astype(np.float32)
    grains = cv2.GaussianBlur(grains, (0, 0), float(random.uniform(0.5, 1.4)))
    return plane_of(np.clip(grains * (0.3 + 0.7 * _field(random, rows, columns, 40)), 0, 1))


def _bone(random: Random, rows: int, columns: int) -> Plane:
    shown = 0.25 + 0.3 * _field(random, rows, columns, 90)
    down, across = np.mgrid[0:rows, 0:columns]
    for _ in range(5):
        angle, y, x = float(random.uniform(0, 3.1)), random.uniform(0, rows), random.uniform(0, columns)
        away = np.abs((down - y) * np.cos(angle) - (across - x) * np.sin(angle))
        width = rows * float(random.uniform(0.02, 0.09))
        shown = np.maximum(shown, 0.88 * (away < width) * (1 - 0.25 * (away / width) ** 2))
    shown = cv2.GaussianBlur(shown.astype(np.float32), (0, 0), 2)
    return plane_of(np.clip(shown + random.normal(0, 0.008, shown.shape), 0, 1))


def _phantom(random: Random, rows: int, columns: int) -> Plane:
    shown = np.zeros((rows, columns), np.float32)
    down, across = np.mgrid[0:rows, 0:columns]

    def fill(y: float, x: float, height: float, width: float, grey: float) -> None:
        inside = ((down / rows - y) / height) ** 2 + ((across / columns - x) / width) ** 2 < 1
        shown[inside] = grey

    fill(0.5, 0.5, 0.4, 0.4, 0.5)
    for _ in range(20):
        y, x = random.uniform(0.2, 0.8, 2)
        height, width = random.uniform(0.01, 0.08, 2)
        fill(y, x, height, width, float(random.uniform(0.1, 0.9)))
    blurred = cv2.GaussianBlur(shown, (0, 0), 0.8)
    return plane_of(np.clip(blurred + random.normal(0, 0.02, shown.shape), 0, 1))


def _nearly_empty(random: Random, rows: int, columns: int) -> Plane:
    """Air and other places without signal, where noise is cut off at nothing, at times beside a body."""
    way = random.random()
    rate = 10 ** random.uniform(-1.5, 0.7) * np.ones((rows, columns), np.float32)
    if random.random() < 0.5:
        rate *= 0.3 + _field(random, rows, columns, int(random.integers(30, 120)))
    if way < 0.4:
        shown = random.poisson(rate) / float(random.choice((10, 30, 100)))
    else:
        noise = random.normal(0, 1, (2, rows, columns)).astype(np.float32)
        if random.random() < 0.3:
            noise = np.stack([cv2.GaussianBlur(one, (0, 0), float(random.uniform(0.5, 1))) for one in noise])
        usual = float(random.uniform(-1, 2))
        shown = np.hypot(*noise) if way < 0.65 else np.clip(noise[0] + usual, 0, None)
        shown *= float(10 ** random.uniform(-2.5, -1.3))
    if random.random() < 0.4:
        body = _synthetic(random, rows, columns)
        inside = _field(random, rows, columns, int(random.integers(60, 160))) > 0.55
        shown = np.where(cv2.blur(inside.astype(np.float32), (5, 5)) > 0.5, body, shown)
    return plane_of(shown)


def _emptied(random: Random, shown: Plane) -> Plane:
    """A picture in some of whose tiles nothing is, not even noise, as mosaics end."""
    rows, columns = shown.shape
    made, side = shown.copy(), int(pick(random, (48, 64, 64, 96, 128, 160)))
    top, left = int(random.integers(side)), int(random.integers(side))
    grey = float(pick(random, (0.0, 0.0, 0.0, float(np.min(shown)), float(np.median(shown)))))
    for y in range(top - side, rows, side):
        for x in range(left - side, columns, side):
            if random.random() < 0.4:
                made[max(y, 0) : y + side, max(x, 0) : x + side] = grey
    return made


def _blotches(random: Random, rows: int, columns: int) -> Plane:
    """Spots of one size, as maps of flow and of activity have them."""
    size = float(random.uniform(1.0, 8))
    noise = random.normal(0, 1, (rows, columns)).astype(np.float32)
    spots = cv2.GaussianBlur(noise, (0, 0), size) - cv2.GaussianBlur(noise, (0, 0), size * 2.5)
    spots *= np.float32(random.uniform(0.1, 0.6)) / (spots.std() + 1e-9)
    shown = np.clip(np.float32(random.uniform(0.1, 0.7)) + spots, 0, 1)
    if random.random() < 0.4:
        shown = np.round(shown * 4) / 4
    return plane_of(shown)


def _spine(random: Random, rows: int, columns: int) -> Plane:
    """Vertebrae with discs between them, or ribs, teeth and electrodes: blocks in a row, as letters are."""
    shown = 0.15 + 0.25 * _field(random, rows, columns, int(random.integers(20, 90)))
    for _ in range(int(random.integers(1, 4))):
        height = float(10 ** random.uniform(0.7, 1.7))
        width, gap = height * float(random.uniform(0.5, 2)), height * float(random.uniform(0.1, 0.7))
        y, x = float(random.uniform(0, rows)), float(random.uniform(0, columns))
        angle = float(pick(random, (0, 1, 1))) * np.pi / 2 + float(random.normal(0, 0.25))
        bend, slant = float(random.normal(0, 0.07)), float(random.normal(0, 0.2))
        grey, rim = float(random.uniform(0.2, 0.9)), float(random.uniform(0, 1))
        corner, line = float(random.uniform(0.15, 0.5)), int(random.integers(1, 4))
        is_filled = height < 14 or random.random() < 0.7  # small empty ones would be zeros
        for _ in range(int(random.integers(4, 16))):
            sizes = (np.array((height, width)) * random.normal(1, 0.07, 2)).clip(2)
            turned = np.degrees(angle + slant)
            box = ((x, y), (float(sizes[0]), float(sizes[1])), float(turned))
            layer = np.zeros((rows, columns), np.uint8)
            corners = np.round(cv2.boxPoints(box)).astype(np.int32)
            if is_filled:
                cv2.fillPoly(layer, [corners], 255, cv2.LINE_AA)
                cover = cv2.GaussianBlur(layer, (0, 0), corner * 4).astype(np.float32) / 255
                shown = shown * (1 - cover) + grey * float(random.uniform(0.9, 1.1)) * cover
            layer[:] = 0
            if corner > 0.3:
                cv2.ellipse(layer, box, 255, line, cv2.LINE_AA)
            else:
                cv2.polylines(layer, [corners], True, 255, line, cv2.LINE_AA)
            cover = layer.astype(np.float32) / 255
            shown = shown * (1 - cover) + rim * cover
            angle += bend
            x, y = x + (height + gap) * np.cos(angle), y + (height + gap) * np.sin(angle)
    blurred = cv2.GaussianBlur(plane_of(shown), (0, 0), float(random.uniform(0.4, 1.5)))
    return _noisy(random, plane_of(np.clip(blurred, 0, 1)))


def _rings(random: Random, rows: int, columns: int) -> Plane:
    """Vessels, bronchi, fingers and cysts that are cut across: rings and discs anywhere."""
    shown = float(random.uniform(0, 0.4)) + 0.3 * _field(random, rows, columns, int(random.integers(15, 90)))
    layer = np.zeros((rows, columns), np.uint8)
    most = float(random.uniform(12, 40))
    for _ in range(int(random.integers(3, 20))):  # larger than letters: C and O are text
        middle = int(random.integers(columns)), int(random.integers(rows))
        axes = int(random.uniform(5, most)), int(random.uniform(5, most))
        width = int(pick(random, (1, 2, 2, 3, 4, cv2.FILLED)))
        turned, strength = float(random.uniform(0, 180)), int(random.integers(60, 256))
        cv2.ellipse(layer, middle, axes, turned, 0, 360, strength, width, cv2.LINE_AA)
    cover = cv2.GaussianBlur(layer, (0, 0), float(random.uniform(0.3, 1.5))).astype(np.float32) / 255
    grey = float(pick(random, (0.0, 0.9, 1.0)))
    return _noisy(random, plane_of(np.clip(shown * (1 - cover) + grey * cover, 0, 1)))


_PAINTERS: tuple[_Painter, ...] = (
    *(kind.make for kind in planted.KINDS.values()),
    planted.ultrasound,
    _speckle,
    _speckle,
    _bone,
    _phantom,
    _blotches,
    _blotches,
    _spine,
    _spine,
    _spine,
    _rings,
)


def _synthetic(random: Random, rows: int, columns: int) -> Plane:
    """A part of a picture like those of a modality."""
    times = float(pick(random, (1.0, 1.0, 1.0, 1.5, 2.2)))
    reduced = float(random.uniform(0.25, 0.7)) if random.random() < 0.25 else 1.0
    size = (max(int(side * times / reduced), 128) for side in (rows, columns))
    whole = plane_of(pick(random, _PAINTERS)(random, *size))
    if reduced < 1:
        whole = plane_of(cv2.resize(whole, None, fx=reduced, fy=reduced, interpolation=cv2.INTER_AREA))
    return _part(random, whole, rows, columns)


def _mosaic(random: Random, known: list[Plane]) -> Plane:
    """Small slices side by side, or one of them enlarged."""
    if random.random() < 0.3:
        return plane_of(cv2.resize(pick(random, known), (192, 192), interpolation=cv2.INTER_NEAREST))
    side = int(pick(random, (16, 20, 24, 32, 32, 40, 48, 64, 64, 64)))
    count = max(256 // side, 4)
    shown = random.choice(len(known), (count, count))
    tiles = [
        [cv2.resize(known[one], (side, side), interpolation=cv2.INTER_AREA) for one in row] for row in shown
    ]
    return plane_of(np.vstack([np.hstack(row) for row in tiles]))


def _field(random: Random, rows: int, columns: int, cell: int) -> Plane:
    """Smooth noise from 0 to 1."""
    small = random.random((rows // cell + 2, columns // cell + 2)).astype(np.float32)
    return plane_of(np.clip(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC), 0, 1))


def _part(random: Random, shown: Plane, rows: int, columns: int) -> Plane:
    times = max(rows / shown.shape[0], columns / shown.shape[1]) * 1.01
    if times > 1.01:
        ways = (cv2.INTER_CUBIC, cv2.INTER_LINEAR, cv2.INTER_NEAREST)
        size = max(round(shown.shape[1] * times), columns), max(round(shown.shape[0] * times), rows)
        shown = cv2.resize(shown, size, interpolation=pick(random, ways)).astype(np.float32)
    top = int(random.integers(shown.shape[0] - rows + 1))
    left = int(random.integers(shown.shape[1] - columns + 1))
    return shown[top : top + rows, left : left + columns]


def _noisy(random: Random, shown: Plane) -> Plane:
    """A picture with no noise more, or that of detectors, of magnitudes, or of counts."""
    way, spread = random.random(), float(10 ** random.uniform(-3, -1.1))
    if way < 0.35:
        return shown
    noise = random.normal(0, 1, shown.shape).astype(np.float32)
    if random.random() < 0.5:
        noise = cv2.GaussianBlur(noise, (0, 0), float(random.uniform(0.4, 1.6)))
        noise /= noise.std() + 1e-6
    if way < 0.7:
        return plane_of(shown + spread * noise)
    if way < 0.85:
        return plane_of(np.hypot(shown + spread * noise, spread * random.normal(0, 1, shown.shape)))
    counts = float(10 ** random.uniform(0.7, 3))
    return plane_of(random.poisson(np.clip(shown, 0, 1) * counts) / counts)


def _plain(random: Random, rows: int, columns: int) -> Plane:
    grey = float(random.uniform(0, 1)) if random.random() < 0.6 else float(pick(random, (0.0, 0.0, 1.0)))
    shown = np.full((rows, columns), grey, np.float32)
    if random.random() < 0.4:
        uneven = _field(random, rows, columns, int(random.integers(20, 120))) - 0.5
        shown += uneven * np.float32(random.uniform(0.02, 0.5))
    if random.random() < 0.3:
        shown += np.linspace(0, float(random.uniform(-0.5, 0.5)), columns, dtype=np.float32)
    return shown
