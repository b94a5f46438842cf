"""The pictures of a frame that a detector of text is to see."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from .frames import Numbers, Picture, is_deep, limits_of, scaled, windowed
from .image import Image
from .local_contrast import local_contrast

NOISES_OF_DEEP = 10.0, 40.0
NOISES_OF_SHALLOW = 16.0, 64.0
"""How many steps of noise make black and white of numbers by their place; the same of a wider window."""


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
        return (
            None if np.min(grey) == np.max(grey) else Renderings(shown, _local(grey, NOISES_OF_SHALLOW), grey)
        )
    limits = limits_of(numbers, image)
    if limits is None:
        return None
    least, most = limits
    if not is_deep(image):
        whole = Rendering(scaled(numbers, image, *((0.0, 255.0) if not image.is_signed else limits)))
        return Renderings(whole, _local(numbers, NOISES_OF_SHALLOW), numbers)
    start, stop = windows[0] if windows else limits
    width = stop - start
    is_whole = start <= least and stop >= most
    wider = None if is_whole else scaled(numbers, image, start - width, stop + width)
    second = Rendering(scaled(numbers, image, start, stop), wider)
    return Renderings(_local(numbers, NOISES_OF_DEEP), second, numbers, is_deep=True)


def _local(numbers: Numbers, noises: tuple[float, float]) -> Rendering:
    return Rendering(*local_contrast(numbers, noises))
