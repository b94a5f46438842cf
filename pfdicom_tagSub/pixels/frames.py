"""Frames as a viewer would show them: numbers from 0 to 255, grey or in colour."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from ..core.errors import FileError
from ..dicom.sources import Source
from .image import FRAME_MOST, FULL_RANGE, HALVED, PARTIAL_RANGE, Image
from .local_contrast import local_contrast

Numbers = npt.NDArray[Any]
Picture = npt.NDArray[np.uint8]

NOISES_OF_DEEP = 10.0, 40.0
NOISES_OF_SHALLOW = 16.0, 64.0
"""How many steps of noise make black and white of numbers by their place; the same of a wider window."""


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
        wider: with a window so much wider that less is black and white alone; None for the same.
    """

    picture: Picture
    wider: Picture | None = None


class Renderings(NamedTuple):
    """What a detector is to see of a frame.

    Attributes:
        first: what it sees whole.
        second: what it sees of those parts where more may be drawn.
        numbers: by which these are told: grey, (rows, columns).
        is_deep: whether letters may be drawn in less than one grey of a screen.
    """

    first: Rendering
    second: Rendering
    numbers: Numbers
    is_deep: bool = False


def renderings(numbers: Numbers, image: Image, windows: tuple[tuple[float, float], ...]) -> Renderings | None:
    """What viewers may show of a frame: with the whole range or the window, and what differs from its place.

    Args:
        numbers: those of the frame, as stored.
        image: the layout.
        windows: (lowest, highest) number that is neither black nor white, by the header.

    Returns:
        The pictures; None where the frame is of one shade.
    """
    if image.samples == 3 or image.palette or image.stored == 1:
        shown = Rendering(windowed(numbers, image, ()))
        grey = shown.picture
        if grey.ndim == 3:
            grey = cv2.cvtColor(np.ascontiguousarray(grey), cv2.COLOR_RGB2GRAY).astype(np.uint8)
        if np.min(grey) == np.max(grey):
            return None
        return Renderings(shown, _local(grey, NOISES_OF_SHALLOW), grey)
    limits = _limits(numbers, image)
    if limits is None:
        return None
    least, most = limits
    if not is_deep(image):
        whole = Rendering(_scaled(numbers, image, *((0.0, 255.0) if not image.is_signed else limits)))
        return Renderings(whole, _local(numbers, NOISES_OF_SHALLOW), numbers)
    start, stop = windows[0] if windows else limits
    width = stop - start
    is_whole = start <= least and stop >= most
    wider = None if is_whole else _scaled(numbers, image, start - width, stop + width)
    second = Rendering(_scaled(numbers, image, start, stop), wider)
    return Renderings(_local(numbers, NOISES_OF_DEEP), second, numbers, is_deep=True)


def _limits(numbers: Numbers, image: Image) -> tuple[float, float] | None:
    """The least and the highest number beside the padding; None where there are not two."""
    own = numbers if image.padding is None else numbers[numbers != image.padding]
    if not own.size or own.min() == own.max():
        return None
    return float(own.min()), float(own.max())


def _local(numbers: Numbers, noises: tuple[float, float]) -> Rendering:
    return Rendering(*local_contrast(numbers, noises))


def is_deep(image: Image) -> bool:
    """Whether a frame has more greys than a screen, so that text may hide between them."""
    return image.samples == 1 and image.stored > 8 and not image.palette


def windowed(numbers: Numbers, image: Image, windows: tuple[tuple[float, float], ...]) -> Picture:
    """What a viewer shows of a frame at first: with the first window of the header, or the whole range.

    Args:
        numbers, image, windows: as of ``renderings``.
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
        return _scaled(numbers, image, *windows[0])
    limits = _limits(numbers, image)
    if limits is None:
        return np.zeros(numbers.shape, np.uint8)
    if image.stored == 8 and not image.is_signed:
        limits = 0.0, 255.0
    return _scaled(numbers, image, *limits)


def _scaled(numbers: Numbers, image: Image, start: float, stop: float) -> Picture:
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
