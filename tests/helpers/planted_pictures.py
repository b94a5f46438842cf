"""A corpus of pictures with planted text, made by hand: modalities, layouts, compressions, scripts and sizes.

Each picture is made from its number alone. What is planted is known to the pixel, so that a program that
blackens text can be measured: how much of a line is gone, and how much else is.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFilter
import PIL.ImageFont
from pictures import Layout, file_bytes, picture, stored
from pydicom import uid
from pydicom.dataset import Dataset

Array = npt.NDArray[Any]
Random = np.random.Generator

SIZES = range(10, 29)
"""The heights of fonts in pixels."""

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"
CR = "1.2.840.10008.5.1.4.1.1.1"
NM = "1.2.840.10008.5.1.4.1.1.20"
XA = "1.2.840.10008.5.1.4.1.1.12.1"
MG = "1.2.840.10008.5.1.4.1.1.1.2"
SC = "1.2.840.10008.5.1.4.1.1.7"
US = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTI = "1.2.840.10008.5.1.4.1.1.3.1"

FONTS = {
    "latin": ("DejaVuSans.ttf", "DejaVuSansMono.ttf", "DejaVuSerif.ttf", "DejaVuSans-Bold.ttf"),
    "greek": ("DejaVuSans.ttf", "DejaVuSerif.ttf"),
    "cyrillic": ("DejaVuSans.ttf", "DejaVuSansMono.ttf"),
    "japanese": ("ipag.ttf", "ipagp.ttf", "NotoSansCJK-Regular.ttc"),
}
"""Fonts of each script, of which the installed ones are used; without any of Latin Pillow's own serves."""

TEXTS = {
    "latin": (
        "DOE^JANE", "Smith, John", "1954-03-17", "ID: 0047-1123", "MRN 88231", "ST. MARY HOSPITAL",
        "Müller, Jürgen", "Ångström Åsa", "Dr. Weiß", "14:32:07", "F 067Y", "GARCÍA LÓPEZ", "Acc# 2291",
        "Klinikum Süd", "12/03/2021", "LT", "O'Neil", "Room 12 Bed 3",
    ),
    "greek": ("Παπαδόπουλος", "Νίκος", "Αθήνα 1961"),
    "cyrillic": ("Иванов Иван", "Больница №4", "Жуков"),
    "japanese": ("山田太郎", "聖路加病院", "ヤマダ タロウ"),
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A planted line of text.

    Attributes:
        text: what it reads.
        size: the height of its font in pixels.
        style: how it was drawn.
        frames: the frames that it is on.
        ink: where its strokes are: (rows, columns).
    """

    text: str
    size: int
    style: str
    frames: tuple[int, ...]
    ink: Array


@dataclass(frozen=True)
class Planted:
    """A picture.

    Attributes:
        name: what it is.
        kind: the modality, by the names of ``KINDS``.
        layout: how its pixels are stored.
        content: the file.
        values: the numbers: (frames, rows, columns, samples).
        lines: what is planted; () in pictures without text.
    """

    name: str
    kind: str
    layout: Layout
    content: bytes
    values: Array
    lines: tuple[Line, ...]


def _smooth(plane: Array, radius: float) -> Array:
    low, high = float(plane.min()), float(plane.max())
    scaled = ((plane - low) * (255 / max(high - low, 1e-9))).astype(np.uint8)
    shown = PIL.Image.fromarray(scaled).filter(PIL.ImageFilter.GaussianBlur(radius))
    return np.asarray(shown).astype(float) / 255 * (high - low) + low


def _field(random: Random, rows: int, columns: int, cell: int) -> Array:
    """Smooth noise from 0 to 1."""
    small = random.random((rows // cell + 2, columns // cell + 2))
    shown = PIL.Image.fromarray((small * 255).astype(np.uint8)).resize(
        (columns, rows), PIL.Image.Resampling.BICUBIC
    )
    return np.asarray(shown).astype(float) / 255


def _ellipse(rows: int, columns: int, y: float, x: float, height: float, width: float) -> Array:
    down, across = np.mgrid[0:rows, 0:columns]
    inside: Array = ((down / rows - y) / height) ** 2 + ((across / columns - x) / width) ** 2 < 1
    return inside


def ultrasound(random: Random, rows: int, columns: int) -> Array:
    """A sector of speckle, black around it."""
    down, across = np.mgrid[0:rows, 0:columns]
    angle = np.arctan2(across - columns / 2, down + rows * 0.05)
    distance = np.hypot(across - columns / 2, down + rows * 0.05) / rows
    inside = (np.abs(angle) < 0.65) & (distance > 0.12) & (distance < 0.98)
    speckle = random.rayleigh(0.35, (rows, columns)) * (0.35 + 0.65 * _field(random, rows, columns, 48))
    shown: Array = np.clip(_smooth(speckle, 0.8) * (1.1 - 0.5 * distance), 0, 1) * inside * 0.85
    return shown


def capture(random: Random, rows: int, columns: int) -> Array:
    """A screen: panels, frames and a curve."""
    plane = np.full((rows, columns), random.choice([0.0, 0.12, 0.9]))
    shown = PIL.Image.fromarray((plane * 255).astype(np.uint8))
    draw = PIL.ImageDraw.Draw(shown)
    for _ in range(4):
        x, y = int(random.integers(0, columns - 60)), int(random.integers(0, rows - 60))
        box = (x, y, x + int(random.integers(60, columns // 2)), y + int(random.integers(40, rows // 2)))
        draw.rectangle(box, fill=int(random.integers(0, 255)), outline=int(random.integers(0, 255)))
    points = [(x, rows * 0.8 + rows * 0.1 * np.sin(x / 17)) for x in range(0, columns, 3)]
    draw.line(points, fill=200, width=2)
    return np.asarray(shown).astype(float) / 255


def tomography(random: Random, rows: int, columns: int) -> Array:
    """A slice of a trunk: air, soft tissue, bone and noise."""
    plane = np.zeros((rows, columns))
    plane[_ellipse(rows, columns, 0.5, 0.5, 0.36, 0.44)] = 0.42
    for x in (0.33, 0.67):
        plane[_ellipse(rows, columns, 0.45, x, 0.2, 0.12)] = 0.1
    plane[_ellipse(rows, columns, 0.72, 0.5, 0.06, 0.05)] = 0.8
    for _ in range(8):
        y, x = 0.5 + 0.3 * (random.random() - 0.5), 0.5 + 0.6 * (random.random() - 0.5)
        plane[
            _ellipse(rows, columns, y, x, 0.02 + 0.04 * random.random(), 0.02 + 0.04 * random.random())
        ] += 0.05
    plane[int(rows * 0.9) : int(rows * 0.91), columns // 5 : 4 * columns // 5] = 0.3
    return np.clip(_smooth(plane, 1.0) + random.normal(0, 0.012, plane.shape), 0, 1)


def resonance(random: Random, rows: int, columns: int) -> Array:
    """A slice of a head."""
    plane = np.zeros((rows, columns))
    plane[_ellipse(rows, columns, 0.5, 0.5, 0.42, 0.36)] = 0.6
    plane[_ellipse(rows, columns, 0.5, 0.5, 0.38, 0.32)] = 0.3
    folds = _field(random, rows, columns, 12) > 0.55
    plane[_ellipse(rows, columns, 0.5, 0.5, 0.35, 0.29) & folds] = 0.48
    plane[_ellipse(rows, columns, 0.5, 0.45, 0.12, 0.04) | _ellipse(rows, columns, 0.5, 0.55, 0.12, 0.04)] = (
        0.1
    )
    signal = _smooth(plane, 0.8) * (0.8 + 0.4 * _field(random, rows, columns, 90))
    return np.clip(
        np.hypot(signal + random.normal(0, 0.02, plane.shape), random.normal(0, 0.02, plane.shape)), 0, 1
    )


def planar(random: Random, rows: int, columns: int) -> Array:
    """Small slices side by side, as echo-planar series are stored."""
    cell = 64
    plane = np.zeros((rows, columns))
    for y in range(0, rows - cell + 1, cell):
        for x in range(0, columns - cell + 1, cell):
            plane[y : y + cell, x : x + cell] = resonance(random, cell, cell) * (0.5 + 0.5 * random.random())
    return plane


def radiograph(random: Random, rows: int, columns: int) -> Array:
    """A chest: ribs over smooth tissue."""
    down, across = np.mgrid[0:rows, 0:columns]
    plane = 0.35 + 0.4 * _field(random, rows, columns, 120)
    for y in np.linspace(0.1, 0.9, 9):
        curve = rows * y + 25 * np.cos((across - columns / 2) / columns * 6)
        plane += 0.08 * (np.abs(down - curve) < rows * 0.015)
    return np.clip(_smooth(plane, 1.5) + random.normal(0, 0.01, plane.shape), 0, 1)


def nuclear(random: Random, rows: int, columns: int) -> Array:
    """Counts of a few kidneys and bones."""
    rate = np.full((rows, columns), 0.4)
    for _ in range(6):
        y, x = 0.2 + 0.6 * random.random(), 0.2 + 0.6 * random.random()
        rate += 12 * random.random() * _ellipse(rows, columns, y, x, 0.05 + 0.1 * random.random(), 0.05)
    return np.clip(random.poisson(_smooth(rate, 2)) / 30.0, 0, 1)


def angiography(random: Random, rows: int, columns: int) -> Array:
    """Dark vessels over grey."""
    shown = PIL.Image.new("L", (columns, rows), 160)
    draw = PIL.ImageDraw.Draw(shown)
    for _ in range(12):
        x, y = float(random.integers(0, columns)), 0.0
        points = []
        while 0 <= x < columns and y < rows:
            points.append((x, y))
            x += float(random.normal(0, 6))
            y += 6
        if len(points) > 1:
            draw.line(points, fill=int(random.integers(60, 120)), width=int(random.integers(2, 9)))
    plane = np.asarray(shown.filter(PIL.ImageFilter.GaussianBlur(1.5))).astype(float) / 255
    return np.clip(plane + random.normal(0, 0.02, plane.shape), 0, 1)


def mammogram(random: Random, rows: int, columns: int) -> Array:
    """A breast at the left, black beside it."""
    inside = _ellipse(rows, columns, 0.5, 0.0, 0.45, 0.6)
    tissue = 0.3 + 0.4 * _field(random, rows, columns, 60) + 0.2 * _field(random, rows, columns, 9)
    return np.clip(tissue * inside + random.normal(0, 0.008, inside.shape) * inside, 0, 1)


@dataclass(frozen=True)
class Kind:
    """A modality.

    Attributes:
        make: makes a frame from 0 to 1.
        sop_class: its SOP class; of many frames as the second.
        modality: its value of Modality.
        size: rows and columns.
        layouts: how its pixels are stored.
    """

    make: Callable[[Random, int, int], Array]
    sop_class: tuple[str, str]
    modality: str
    size: tuple[int, int]
    layouts: tuple[Layout, ...]


_GREY = Layout("grey", "MONOCHROME2", 8)
_RGB = Layout("rgb", "RGB", 8, black=(0, 0, 0))
_DEEP = Layout("deep", "MONOCHROME2", 16, 12)
_SIGNED = Layout("signed", "MONOCHROME2", 16, 12, signed=True, black=(-2048,))
_INVERSE = Layout("inverse", "MONOCHROME1", 16, 12, black=(4095,))
_COLOURED = (
    _RGB,
    replace(_RGB, name="rgb-planar", planar=1),
    Layout("ybr", "YBR_FULL", 8, black=(0, 128, 128)),
    Layout("ybr-422", "YBR_FULL_422", 8, black=(0, 128, 128)),
    Layout("palette", "PALETTE COLOR", 8, black=(3,)),
    _GREY,
)

KINDS = {
    "us": Kind(ultrasound, (US, US_MULTI), "US", (480, 640), _COLOURED),
    "capture": Kind(capture, (SC, "1.2.840.10008.5.1.4.1.1.7.4"), "OT", (400, 560), _COLOURED),
    "ct": Kind(tomography, (CT, CT), "CT", (512, 512), (_SIGNED, _DEEP)),
    "mr": Kind(resonance, (MR, MR), "MR", (320, 320), (_DEEP, _SIGNED)),
    "epi": Kind(planar, (MR, MR), "MR", (384, 384), (_DEEP,)),
    "cr": Kind(radiograph, (CR, CR), "CR", (700, 600), (_INVERSE, _DEEP)),
    "nm": Kind(nuclear, (NM, NM), "NM", (256, 256), (replace(_DEEP, stored=16),)),
    "xa": Kind(angiography, (XA, XA), "XA", (512, 512), (_GREY, _DEEP)),
    "mg": Kind(mammogram, (MG, MG), "MG", (800, 600), (_INVERSE, _DEEP)),
}

SYNTAXES = {
    "explicit": uid.ExplicitVRLittleEndian,
    "implicit": uid.ImplicitVRLittleEndian,
    "big": uid.ExplicitVRBigEndian,
    "deflated": uid.DeflatedExplicitVRLittleEndian,
    "rle": uid.RLELossless,
    "j2k": uid.JPEG2000Lossless,
    "jls": uid.JPEGLSLossless,
    "jpeg": uid.JPEGBaseline8Bit,
}
_NATIVE = ("explicit", "implicit", "big", "deflated")

STYLES = ("bright", "band", "grey", "dark", "narrow", "soft")
"""How text is drawn: bright, bright on a black band, grey, dark, little above what is there, or blurred."""


SEEN = 0.02
"""How far from what was there strokes have to be, of all shades, to be seen."""

SEEN_IN_TEXTURE = 0.5
"""How many spreads they have to be from the mean around them: nobody sees grey in speckle of that grey."""


@functools.cache
def font(script: str, size: int, choice: int) -> PIL.ImageFont.FreeTypeFont | PIL.ImageFont.ImageFont | None:
    """A font of a script; None where none is installed."""
    found = []
    for name in FONTS[script]:
        try:
            found.append(PIL.ImageFont.truetype(name, size))
        except OSError:
            continue
    if found:
        return found[choice % len(found)]
    return PIL.ImageFont.load_default(size) if script == "latin" else None


def scripts() -> tuple[str, ...]:
    """The scripts of which a font is installed."""
    return tuple(script for script in FONTS if font(script, 16, 0) is not None)


def _is_seen(shown: Array, value: float) -> Array:
    """Where strokes of a shade are seen in a frame: beside each pixel itself, and in what is around it."""
    side = 9

    def mean(plane: Array) -> Array:
        padded = np.pad(plane, ((side // 2 + 1, side // 2), (side // 2 + 1, side // 2)), mode="edge")
        sums = padded.cumsum(0).cumsum(1)
        total: Array = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
        return total / side**2

    usual = mean(shown)
    spread = np.sqrt(np.maximum(mean(shown**2) - usual**2, 0))
    seen: Array = (np.abs(shown - value) > SEEN) & (np.abs(value - usual) > SEEN_IN_TEXTURE * spread)
    return seen


def _plant(
    random: Random, shades: Array, frames: tuple[int, ...], style: str, script: str, *, is_plain: bool
) -> Line | None:
    """Draw a line on frames from 0 to 1; None where it does not fit."""
    _, rows, columns = shades.shape
    size = int(random.choice(SIZES))
    text = str(random.choice(TEXTS[script]))
    choice = int(random.integers(0, 8))
    used = PIL.ImageFont.load_default(size) if is_plain else font(script, size, choice)
    assert used is not None
    left, top, right, bottom = (int(edge) for edge in used.getbbox(text))
    width, height = right - left, bottom - top
    if width + 8 > columns or height + 8 > rows:
        return None
    x, y = int(random.integers(4, columns - width - 3)), int(random.integers(4, rows - height - 3))
    plane = PIL.Image.new("L", (columns, rows))
    PIL.ImageDraw.Draw(plane).text((x - left, y - top), text, fill=255, font=used)
    if style == "soft":
        plane = plane.filter(PIL.ImageFilter.GaussianBlur(0.7))
    alpha = np.asarray(plane).astype(float) / 255
    ink = alpha > 0.5
    for frame in frames:
        here = shades[frame, y : y + height, x : x + width]
        around = float(np.median(here))
        if style == "band":
            shades[frame, max(y - 3, 0) : y + height + 3, max(x - 3, 0) : x + width + 3] = 0.0
            value = 1.0
        elif style in {"bright", "soft"}:
            value = 1.0 if around < 0.65 else 0.0
        elif style == "grey":
            value = around + 0.3 if around < 0.55 else around - 0.3
        elif style == "dark":
            value = 0.0 if around > 0.4 else 0.95
        else:
            value = float(np.percentile(here, 95)) + 0.05
        ink &= _is_seen(shades[frame], value)  # a line may cross a place of its own shade
        shades[frame] = shades[frame] * (1 - alpha) + value * alpha
    return Line(text, size, style, frames, ink) if ink.any() else None


def _values(layout: Layout, shades: Array, random: Random) -> Array:
    """Shades from 0 to 1 as numbers: (frames, rows, columns, samples)."""
    shades = np.clip(shades, 0, 1)
    least = -(1 << layout.bits - 1) if layout.signed else 0
    scale = (1 << layout.bits) - 1
    if layout.photometric == "MONOCHROME1":
        shades = 1 - shades
    if layout.photometric == "PALETTE COLOR":
        return np.where(shades < 0.04, 3, np.clip((shades * 11).astype(np.int64) + 4, 4, 15))[..., None]
    made = (least + shades * scale).astype(np.int64)[..., None]
    if layout.photometric.startswith("YBR"):
        return np.concatenate([made, np.full_like(made, 128), np.full_like(made, 128)], axis=-1)
    if layout.samples == 3:
        tint = np.array([1.0, 1.0, random.choice([1.0, 1.0, 0.4])])
        tinted: Array = (made * tint).astype(np.int64)
        return tinted
    return made


def planted(number: int, *, has_text: bool, kind: str = "", is_plain: bool = False) -> Planted:
    """A picture.

    Args:
        number: what it is made from.
        has_text: whether text is planted.
        kind: its modality; "" for one that goes by the number.
        is_plain: whether all text is Latin in Pillow's own font, so that it is the same on every machine.
    """
    random = np.random.default_rng((number, has_text))
    name = kind or list(KINDS)[number % len(KINDS)]
    known = KINDS[name]
    layout = known.layouts[number // len(KINDS) % len(known.layouts)]
    rows, columns = known.size
    count = 4 if number % 4 == 1 else 1
    first = known.make(random, rows, columns)
    frames = [first] + [
        np.clip(first + random.normal(0, 0.01, first.shape) * (first > 0), 0, 1) for _ in range(count - 1)
    ]
    shades = np.stack(frames)
    lines: list[Line] = []
    narrow = False
    if has_text:
        known_scripts = ("latin",) if is_plain else scripts()
        style = STYLES[number // 3 % len(STYLES)]
        if (style == "narrow" and layout.bits == 8) or (name in {"us", "capture"} and style == "narrow"):
            style = "bright"
        narrow = style == "narrow"
        taken = np.zeros((rows, columns), bool)
        for _ in range(3):
            script = str(random.choice(known_scripts)) if random.random() < 0.5 else "latin"
            on = tuple(range(count)) if random.random() < 0.6 else (int(random.integers(0, count)),)
            before = shades.copy()
            line = _plant(random, shades, on, style, script, is_plain=is_plain)
            if line is None:
                continue
            grown = np.asarray(PIL.Image.fromarray(line.ink).filter(PIL.ImageFilter.MaxFilter(9)))
            if (grown & taken).any():
                shades = before
                continue
            taken |= grown
            lines.append(line)
    values = _values(layout, shades, random)
    made = _data_set(known, layout, values, name)
    if narrow and layout.bits > 8 and number % 2:
        where = values[lines[0].frames[0]][lines[0].ink] if lines else values
        made.WindowCenter, made.WindowWidth = str(int(np.median(where))), "500"
    syntax = _syntax(number, layout)
    _compress(made, layout, values, syntax)
    label = f"{number}-{name}-{layout.name}-{syntax}-{count}"
    return Planted(label, name, layout, file_bytes(made), values, tuple(lines))


def _syntax(number: int, layout: Layout) -> str:
    names = list(SYNTAXES)
    name = names[number // 2 % len(names)]
    if name == "jpeg" and (layout.bits != 8 or layout.photometric not in {"MONOCHROME2", "RGB"}):
        name = "explicit"
    if layout.photometric in {"YBR_FULL_422"} and name not in _NATIVE:
        name = "explicit"
    return name


def _data_set(known: Kind, layout: Layout, values: Array, name: str) -> Dataset:
    count, rows, columns, _ = values.shape
    made = picture(layout, frames=count, rows=rows, columns=columns, values=values)
    made.SOPClassUID = made.file_meta.MediaStorageSOPClassUID = uid.UID(known.sop_class[count > 1])
    made.Modality = known.modality
    made.Manufacturer = "PLANTED"
    made.BurnedInAnnotation = "YES"
    if name == "capture":
        made.ConversionType = "WSD"
    return made


def _compress(made: Dataset, layout: Layout, values: Array, name: str) -> None:
    syntax = SYNTAXES[name]
    made.file_meta.TransferSyntaxUID = syntax
    if name == "big":
        data = stored(layout, values, little=False)
        made.add_new(0x7FE00010, "OW" if layout.allocated > 8 else "OB", data + b"\0" * (len(data) % 2))
        if layout.photometric == "PALETTE COLOR":
            for number in range(3):
                tag = 0x00281201 + number
                raw = np.frombuffer(made[tag].value, "<u2").astype(">u2").tobytes()
                made.add_new(tag, "OW", raw)
    elif name == "jpeg":
        _as_jpeg(made, layout, values)
    elif name not in _NATIVE:
        made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        if layout.planar:  # pydicom's encoders take pixels whose samples stand together
            made.PlanarConfiguration = 0
            made.PixelData = stored(replace(layout, planar=0), values)
        with warnings.catch_warnings(action="ignore"):
            made.compress(syntax, generate_instance_uid=False)


def _as_jpeg(made: Dataset, layout: Layout, values: Array) -> None:
    import io

    from pydicom.encaps import encapsulate

    frames = []
    for frame in values:
        shown = PIL.Image.fromarray(
            frame.astype(np.uint8) if layout.samples == 3 else frame[..., 0].astype(np.uint8)
        )
        buffer = io.BytesIO()
        shown.save(buffer, "JPEG", quality=90)
        frames.append(buffer.getvalue())
    made.PixelData = encapsulate(frames)
    made[0x7FE00010].is_undefined_length = True
    if layout.samples == 3:
        made.PhotometricInterpretation = "YBR_FULL_422"
        made.PlanarConfiguration = 0
    made.LossyImageCompression = "01"


def corpus(count: int, *, has_text: bool, first: int = 0) -> Iterator[Planted]:
    """So many pictures, one after the other."""
    for number in range(first, first + count):
        yield planted(number, has_text=has_text)


def save(one: Planted, folder: Path) -> Path:
    """Write the file of a picture."""
    path = folder / f"{one.name}.dcm"
    path.write_bytes(one.content)
    return path
