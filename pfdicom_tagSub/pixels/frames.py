"""Frames as a viewer would show them: numbers from 0 to 255, grey or in colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from ..core.errors import FileError
from ..dicom.sources import Source
from .image import FRAME_MOST, FULL_RANGE, HALVED, PARTIAL_RANGE, Image

Numbers = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]

STRETCHED = 0.6
"""Where all but the rarest numbers take less than this part of the range, text may hide in it."""


def check_frame_size(image: Image) -> None:
    """See whether a frame is one that can be looked at in bounded memory.

    Raises:
        FileError: it is not.
    """
    if image.rows * image.columns * image.samples > FRAME_MOST:
        raise FileError(
            f"a frame of {image.columns} x {image.rows} pixels is too large to be looked at: it may be a lie"
        )


def native_frame(source: Source, image: Image, frame: int) -> Numbers:
    """The numbers of a native frame: (rows, columns), or (rows, columns, 3) in colour.

    Args:
        source: the bytes of the data set.
        image: the layout.
        frame: the index of the frame.
    """
    first = frame * image.frame_bits
    base = image.pixels.value
    start, stop = first // 8 // 2 * 2, -(-(first + image.frame_bits) // 8)
    data = np.frombuffer(source.read(base + start, min(base + stop + stop % 2, image.pixels.stop)), np.uint8)
    if image.swaps_bytes:
        even = len(data) // 2 * 2
        data = data[:even].reshape(-1, 2)[:, ::-1].reshape(-1)
    if image.allocated == 1:
        bits = np.unpackbits(data, bitorder="little")
        begin = first - start * 8
        return bits[begin : begin + image.frame_bits].reshape(image.rows, image.columns)
    begin = first // 8 - start
    data = data[begin : begin + image.frame_bits // 8]
    flat = data.view(f"{'<' if image.little else '>'}u{image.allocated // 8}")
    if image.photometric in HALVED:
        cells = flat.reshape(image.rows, image.columns // 2, 4)
        return np.stack([cells[..., [0, 2, 3]], cells[..., [1, 2, 3]]], axis=2).reshape(
            image.rows, image.columns, 3
        )
    if image.samples == 1:
        return _used_bits(flat.reshape(image.rows, image.columns), image)
    if image.is_planar:
        return flat.reshape(3, image.rows, image.columns).transpose(1, 2, 0)
    return flat.reshape(image.rows, image.columns, 3)


def _used_bits(cells: Numbers, image: Image) -> Numbers:
    """The numbers in cells that may hold overlays, too."""
    shift = image.high + 1 - image.stored
    numbers = (cells.astype(np.int64) >> shift) & ((1 << image.stored) - 1)
    if image.is_signed:
        sign = 1 << (image.stored - 1)
        numbers = (numbers ^ sign) - sign
    return numbers


class Rendering(NamedTuple):
    """A picture of a frame.

    Attributes:
        picture: grey or in colour.
        wider: with a window thrice as wide, in which less is black and white alone; None for the same.
        is_stretched: whether it is one more of numbers that are in another as well.
    """

    picture: Picture
    wider: Picture | None = None
    is_stretched: bool = False


def renderings(
    numbers: Numbers, image: Image, windows: tuple[tuple[float, float], ...]
) -> Iterator[Rendering]:
    """What viewers may show of a frame: with the whole range, with the windows, and stretched.

    Args:
        numbers: those of the frame, as stored.
        image: the layout.
        windows: (lowest, highest) number that is neither black nor white, by the header.
    """
    if image.samples == 3:
        yield Rendering(_coloured(numbers, image))
        return
    if image.palette:
        yield Rendering(_by_palette(numbers, image))
        return
    is_inverse = image.photometric == "MONOCHROME1"
    if image.stored == 1:
        lit = (numbers == 0) if is_inverse else (numbers != 0)
        yield Rendering(lit.astype(np.uint8) * np.uint8(255))
        return
    own = numbers if image.padding is None else numbers[numbers != image.padding]
    if not own.size:
        return
    least, most = float(own.min()), float(own.max())
    if least == most:
        return
    limits = [(0.0, 255.0) if image.stored == 8 and not image.is_signed else (least, most)]
    low, high = (float(one) for one in np.percentile(own, (1.0, 99.0)))
    candidates = [*windows]
    stretched = (low - 0.1 * (high - low), high + 0.1 * (high - low))
    if high > low and high - low < STRETCHED * (limits[0][1] - limits[0][0]):
        candidates.append(stretched)
    for start, stop in candidates:
        if stop > start and not any(_is_near((start, stop), known) for known in limits):
            limits.append((start, stop))
    for start, stop in limits:
        width = stop - start
        is_whole = start <= least and stop >= most
        wider = None if is_whole else _scaled(numbers, image, start - width, stop + width)
        yield Rendering(_scaled(numbers, image, start, stop), wider, (start, stop) == stretched)


def is_deep(image: Image) -> bool:
    """Whether a frame has more greys than a screen, so that text may hide between them."""
    return image.samples == 1 and image.stored > 8 and not image.palette


def windowed(numbers: Numbers, image: Image, windows: tuple[tuple[float, float], ...]) -> Picture:
    """What a viewer shows of a frame at first: with the first window of the header, or the whole range.

    Args:
        numbers, image, windows: as of ``renderings``.
    """
    if not windows or image.samples == 3 or image.palette or image.stored == 1:
        found = next(renderings(numbers, image, ()), None)
        return np.zeros(numbers.shape, np.uint8) if found is None else found.picture
    return _scaled(numbers, image, *windows[0])


def _scaled(numbers: Numbers, image: Image, start: float, stop: float) -> Picture:
    """Grey from the number that is black to the one that is white."""
    scaled = np.clip((numbers - start) * (255.0 / (stop - start)), 0, 255).astype(np.uint8)
    return 255 - scaled if image.photometric == "MONOCHROME1" else scaled


def _is_near(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether two windows show nearly the same."""
    width = max(one[1] - one[0], other[1] - other[0])
    return abs(one[0] - other[0]) < 0.2 * width and abs(one[1] - other[1]) < 0.2 * width


def _coloured(numbers: Numbers, image: Image) -> Picture:
    eight = numbers if image.stored == 8 else numbers >> (image.stored - 8)
    if image.photometric not in FULL_RANGE | PARTIAL_RANGE or image.gives_rgb:
        return eight.astype(np.uint8)
    y, blue, red = (eight[..., index].astype(np.float32) for index in range(3))
    if image.photometric in PARTIAL_RANGE:
        y = (y - 16) * (255 / 219)
    made = np.stack(
        [y + 1.402 * (red - 128), y - 0.344 * (blue - 128) - 0.714 * (red - 128), y + 1.772 * (blue - 128)],
        axis=-1,
    )
    shown: Picture = np.clip(made, 0, 255).astype(np.uint8)
    return shown


def _by_palette(numbers: Numbers, image: Image) -> Picture:
    table = np.array(image.palette, np.uint8)
    shown: Picture = table[np.clip(numbers - image.palette_first, 0, len(table) - 1)]
    return shown
