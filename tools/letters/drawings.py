"""What is drawn into pictures and is no text: scales, curves, calipers, wires, clips, vessels, edges."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from texts import Plane, Random, pick

Layer = npt.NDArray[np.uint8]


def furnish(random: Random, shown: Plane) -> None:
    """Draw one to four things into a picture of about 0 to 1."""
    light = max(float(np.percentile(shown, 98)), 0.1)
    for _ in range(int(random.integers(1, 5))):
        way = int(random.integers(len(_DRAWINGS) + 2))
        if way == len(_DRAWINGS):
            _bar(random, shown, light)
        elif way > len(_DRAWINGS):  # an edge of a collimator or a panel
            shown[:, int(random.integers(shown.shape[1])) :] *= np.float32(random.uniform(0.2, 1))
        else:
            layer = np.zeros(shown.shape, np.uint8)
            layer = _DRAWINGS[way](random, layer)
            cover = layer.astype(np.float32) / 255 * np.float32(random.uniform(0.3, 1))
            grey = light * float(pick(random, (1.0, 1.2, 0.7, 0.5, 0.0)))
            shown[:] = shown * (1 - cover) + grey * cover


def _place(random: Random, layer: Layer) -> tuple[int, int]:
    return int(random.integers(layer.shape[1])), int(random.integers(layer.shape[0]))


def _smoothness(random: Random) -> int:
    return int(pick(random, (cv2.LINE_8, cv2.LINE_AA)))


def _bar(random: Random, shown: Plane, light: float) -> None:
    """A scale of greys."""
    x, y = int(random.integers(shown.shape[1])), int(random.integers(shown.shape[0]))
    part = shown[y : y + int(random.integers(40, 160)), x : x + int(random.integers(6, 24))]
    part[:] = np.linspace(light, 0, part.shape[0], dtype=np.float32)[:, None]


def _ticks(random: Random, layer: Layer) -> Layer:
    (x, y), step, length = _place(random, layer), int(random.integers(4, 40)), int(random.integers(2, 9))
    is_upright = random.random() < 0.5
    for number, place in enumerate(range(int(random.integers(step)), layer.shape[not is_upright], step)):
        reach = length * (2 if number % 5 == 0 else 1)
        if is_upright:
            layer[place, x : x + reach] = 255
        else:
            layer[y : y + reach, place] = 255
    return layer


def _line(random: Random, layer: Layer) -> Layer:
    cv2.line(
        layer,
        _place(random, layer),
        _place(random, layer),
        255,
        int(random.integers(1, 4)),
        _smoothness(random),
    )
    return layer


def _arc(random: Random, layer: Layer) -> Layer:
    axes = int(random.integers(3, 120)), int(random.integers(3, 120))
    turned, start = float(random.uniform(0, 180)), float(random.uniform(0, 200))
    width, kind = int(random.integers(1, 4)), _smoothness(random)
    cv2.ellipse(layer, _place(random, layer), axes, turned, start, 360, 255, width, kind)
    return layer


def _calipers(random: Random, layer: Layer) -> Layer:
    length, first, second = int(random.integers(3, 9)), _place(random, layer), _place(random, layer)
    is_pair = random.random() < 0.5
    for x, y in (first, second) if is_pair else (first,):
        cv2.line(layer, (x - length, y), (x + length, y), 255, 1)
        cv2.line(layer, (x, y - length), (x, y + length), 255, 1)
    for part in np.linspace(0, 1, int(random.integers(6, 40))) if is_pair else ():
        x, y = (int(start + (stop - start) * part) for start, stop in zip(first, second, strict=True))
        layer[y, x] = 255
    return layer


def _arrow(random: Random, layer: Layer) -> Layer:
    x, y = _place(random, layer)
    tip = x + int(random.integers(-50, 50)), y + int(random.integers(-50, 50))
    cv2.arrowedLine(layer, (x, y), tip, 255, int(random.integers(1, 4)), _smoothness(random))
    return layer


def _curve(random: Random, layer: Layer) -> Layer:
    """A wave, or beats of a heart."""
    columns, (_, y) = np.arange(layer.shape[1]), _place(random, layer)
    height, period = float(random.uniform(3, 40)), float(random.uniform(20, 140))
    if random.random() < 0.4:
        values = height * np.sin(columns / period * 2 * np.pi)
    else:
        beat = ((columns % period - period / 2) / float(random.uniform(1.5, 9))) ** 2
        values = height * float(pick(random, (-1, 1))) * np.exp(-beat) + random.normal(0, 0.7, len(columns))
    return _polyline(random, layer, columns.astype(float), y + values, int(random.integers(1, 4)))


def _polyline(
    random: Random,
    layer: Layer,
    columns: npt.NDArray[np.floating],
    rows: npt.NDArray[np.floating],
    width: int,
) -> Layer:
    points = np.stack([columns, rows], 1).astype(np.int32)
    cv2.polylines(layer, [points], False, 255, width, _smoothness(random))
    return layer


def _wire(random: Random, layer: Layer) -> Layer:
    (x, y), part = _place(random, layer), np.linspace(0, 1, 60)
    columns = x + (part - 0.5) * layer.shape[1] * float(random.uniform(0.3, 1.4))
    waves = np.sin(part * float(random.uniform(1, 7)) + float(random.uniform(0, 6)))
    return _polyline(
        random, layer, columns, y + waves * float(random.uniform(5, 70)), int(random.integers(1, 5))
    )


def _dots(random: Random, layer: Layer) -> Layer:
    for _ in range(int(random.integers(1, 30))):
        cv2.circle(layer, _place(random, layer), int(random.integers(0, 3)), 255, -1)
    return layer


def _clips(random: Random, layer: Layer) -> Layer:
    for _ in range(int(random.integers(1, 6))):
        x, y = _place(random, layer)
        end = x + int(random.integers(-14, 14)), y + int(random.integers(-14, 14))
        cv2.line(layer, (x, y), end, 255, int(random.integers(1, 5)), _smoothness(random))
    return layer


def _pattern(random: Random, layer: Layer) -> Layer:
    """Rows of dots or dashes."""
    (x, y), step = _place(random, layer), int(random.integers(5, 24))
    layer[y % step :: step, x % step :: step] = 255
    if random.random() < 0.5:
        layer = cv2.dilate(layer, np.ones((1, int(random.integers(2, 5))), np.uint8)).astype(np.uint8)
    layer[:, : int(random.integers(layer.shape[1]))] = 0
    return layer


def _symbol(random: Random, layer: Layer) -> Layer:
    (x, y), radius = _place(random, layer), int(random.integers(3, 16))
    angles = np.sort(random.uniform(0, 2 * np.pi, int(random.integers(3, 6))))
    points = np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], 1).astype(np.int32)
    if random.random() < 0.5:
        cv2.fillPoly(layer, [points], 255)
    else:
        cv2.polylines(layer, [points], True, 255, 1, _smoothness(random))
    return layer


def _metal(random: Random, layer: Layer) -> Layer:
    """Streaks around metal."""
    (x, y), length = _place(random, layer), int(random.integers(20, 120))
    for _ in range(int(random.integers(3, 14))):
        angle = float(random.uniform(0, 2 * np.pi))
        end = int(x + length * np.cos(angle)), int(y + length * np.sin(angle))
        cv2.line(layer, (x, y), end, int(random.integers(40, 160)), 1, cv2.LINE_AA)
    cv2.circle(layer, (x, y), int(random.integers(2, 7)), 255, -1)
    return layer


def _vessels(random: Random, layer: Layer) -> Layer:
    for _ in range(int(random.integers(1, 5))):
        angles = float(random.uniform(0, 2 * np.pi)) + np.cumsum(random.normal(0, 0.35, 25))
        x, y = _place(random, layer)
        columns, rows = x + 5 * np.cumsum(np.cos(angles)), y + 5 * np.cumsum(np.sin(angles))
        layer = _polyline(random, layer, columns, rows, int(random.integers(1, 6)))
    return np.asarray(cv2.GaussianBlur(layer, (0, 0), float(random.uniform(0.6, 2))), np.uint8)


def _icons(random: Random, layer: Layer) -> Layer:
    """A row of buttons: boxes, lenses, charts, crosses and arrows."""
    (x, y), side, gap = _place(random, layer), int(random.integers(8, 26)), int(random.integers(2, 20))
    own = int(random.integers(7)) if random.random() < 0.5 else None  # all of a row are alike
    in_box, ground = random.random() < 0.6, int(random.integers(60, 200))
    radius, width = int(random.integers(2, 4)), int(pick(random, (1, 2, 3, cv2.FILLED)))
    for number in range(int(random.integers(1, 12))):
        left = x + number * (side + gap)
        way, half = int(random.integers(7)) if own is None else own, side // 2
        corner, middle = (left + side, y + side), (left + half, y + half)
        if in_box:
            around = max(gap // 2 - 1, 1)
            box = (left - around, y - around), (corner[0] + around, corner[1] + around)
            cv2.rectangle(layer, *box, ground, cv2.FILLED)
        if way == 0:
            cv2.rectangle(layer, (left, y), corner, 255, 1)
        elif way == 1:
            cv2.circle(layer, middle, half // 2 + 1, 255, 1, cv2.LINE_AA)
            cv2.line(layer, middle, corner, 255, 2, cv2.LINE_AA)
        elif way == 2:
            for bar in range(4):
                place = left + bar * side // 4
                cv2.line(layer, (place, y + side), (place, y + int(random.integers(side))), 255, 2)
        elif way == 3:
            cv2.line(layer, (left, y), corner, 255, 2, cv2.LINE_AA)
            cv2.line(layer, (left + side, y), (left, y + side), 255, 2, cv2.LINE_AA)
        elif way == 4:
            points = np.array([(left, y), (left, y + side), (left + side, y + half)], np.int32)
            cv2.fillPoly(layer, [points], 255)
        elif way == 5:
            cv2.circle(layer, middle, max(half * radius // 4, 2), 255, width, cv2.LINE_AA)
        else:
            cv2.arrowedLine(layer, (left, y + side), (left + side, y), 255, 2, cv2.LINE_AA)
    return layer


def _chain(random: Random, layer: Layer) -> Layer:
    """A row of rings, discs or boxes with gaps between, as of vertebrae, wires and electrodes."""
    x, y = (float(place) for place in _place(random, layer))
    across, down = (float(size) for size in random.uniform(3, 22, 2))
    if random.random() < 0.4:
        down = across * float(random.uniform(0.7, 1.3))
    angle, bend = float(pick(random, (0, 0, 1, 1, 1, 2))) * np.pi / 2, float(random.normal(0, 0.06))
    angle += float(random.normal(0, 0.15))
    step = 2 * max(across, down) * float(random.uniform(1.1, 2.5))
    width = int(pick(random, (1, 1, 2, 2, 3, 4, cv2.FILLED)))
    is_round = random.random() < 0.7
    for _ in range(int(random.integers(3, 14))):
        middle = round(x), round(y)
        if is_round:
            cv2.ellipse(layer, middle, (round(across), round(down)), 0, 0, 360, 255, width, cv2.LINE_AA)
        else:
            corners = (round(x - across), round(y - down)), (round(x + across), round(y + down))
            cv2.rectangle(layer, *corners, 255, width)
        angle += bend
        x, y = x + step * np.cos(angle), y + step * np.sin(angle)
    if random.random() < 0.5:
        layer = np.asarray(cv2.GaussianBlur(layer, (0, 0), float(random.uniform(0.5, 2))), np.uint8)
    return layer


_DRAWINGS = (
    _chain, _chain, _ticks, _line, _arc, _calipers, _arrow, _curve, _dots, _wire, _clips, _pattern, _symbol,
    _metal, _vessels, _icons, _icons,
)  # fmt: skip
