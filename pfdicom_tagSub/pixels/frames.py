"""Frames as a viewer would show them: numbers from 0 to 255, grey or in colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..core.errors import FileError
from ..dicom.sources import Source
from .image import FRAME_MOST, FULL_RANGE, HALVED, LOOKED_MOST, PARTIAL_RANGE, Image

Numbers = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]


def check_frame_size(image: Image, *, is_looked_at: bool) -> None:
    """See whether a frame is one that can be held whole in bounded memory.

    Args:
        image: the layout.
        is_looked_at: whether a detector looks at it, which takes more.

    Raises:
        FileError: it is not.
    """
    most = LOOKED_MOST if is_looked_at else FRAME_MOST
    if image.rows * image.columns * image.samples > most:
        what = "looked at for text" if is_looked_at else "decompressed"
        raise FileError(
            f"a frame of {image.columns} x {image.rows} pixels is too large to be {what} ({most:,} samples "
            "at most): it may be a lie; if not, clean it as native pixels with --cleanPixels regions,devices"
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
        return used_bits(flat.reshape(image.rows, image.columns), image)
    if image.is_planar:
        return flat.reshape(3, image.rows, image.columns).transpose(1, 2, 0)
    return flat.reshape(image.rows, image.columns, 3)


def used_bits(cells: Numbers, image: Image) -> Numbers:
    """The numbers in cells that may hold overlays, too."""
    numbers: Numbers = cells.astype(np.int64 if image.allocated > 16 else np.int32)
    numbers >>= image.high + 1 - image.stored
    numbers &= (1 << image.stored) - 1
    if image.is_signed:
        sign = 1 << (image.stored - 1)
        numbers ^= sign
        numbers -= sign
    return numbers


def limits_of(numbers: Numbers, image: Image) -> tuple[float, float] | None:
    """The least and the highest number beside the padding; None where there are not two."""
    own = numbers if image.padding is None else numbers[numbers != image.padding]
    if not own.size or own.min() == own.max():
        return None
    return float(own.min()), float(own.max())


def windowed(numbers: Numbers, image: Image, windows: tuple[tuple[float, float], ...]) -> Picture:
    """What a viewer shows of a frame at first: with the first window of the header, or the whole range.

    Args:
        numbers: those of the frame, as stored.
        image: the layout.
        windows: those of the header, in stored numbers: (lowest, highest) each.
    """
    if image.samples == 3:
        return _coloured(numbers, image)
    if image.palette:
        return _by_palette(numbers, image)
    if image.stored == 1:
        lit = (numbers == 0) if image.photometric == "MONOCHROME1" else (numbers != 0)
        black_or_white: Picture = lit.astype(np.uint8) * np.uint8(255)
        return black_or_white
    if windows:
        return scaled(numbers, image, *windows[0])
    limits = limits_of(numbers, image)
    if limits is None:
        return np.zeros(numbers.shape, np.uint8)
    if image.stored == 8 and not image.is_signed:
        limits = 0.0, 255.0
    return scaled(numbers, image, *limits)


def scaled(numbers: Numbers, image: Image, start: float, stop: float) -> Picture:
    """Grey from the number that is black to the one that is white."""
    scaled = np.clip((numbers - start) * (255.0 / (stop - start)), 0, 255).astype(np.uint8)
    return 255 - scaled if image.photometric == "MONOCHROME1" else scaled


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
