"""What the cleaning of compressed frames needs of a compression."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from ..core.errors import FileError
from . import jpeg_blocks, lossless
from .frames import Numbers
from .image import Image
from .rectangles import Rectangle


class FrameCodec(Protocol):
    """A compression whose frames can be blackened in part.

    Attributes:
        shown: the layout of what ``decoded`` gives.
    """

    shown: Image

    def decoded(self, data: bytes) -> Numbers:
        """The numbers of a frame."""

    def fitted(self, rectangles: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """Rectangles that can be blackened, and cover the given ones."""

    def masked(self, data: bytes, rectangles: tuple[Rectangle, ...]) -> tuple[bytes, int]:
        """A frame black in rectangles, and how many blocks of coefficients that took."""


class JpegCodec:
    """JPEG by blocks of coefficients."""

    def __init__(self, image: Image, first: bytes) -> None:
        """Args:
        image: the layout.
        first: the first frame.
        """
        self._image = image
        self._size = image.rows, image.columns, image.samples
        self._unit = jpeg_blocks.checked_header(first, *self._size).unit
        self.shown = replace(image, photometric="RGB", black=(0, 0, 0)) if image.samples == 3 else image

    def decoded(self, data: bytes) -> Numbers:
        """The numbers of a frame; colours are red, green and blue."""
        return jpeg_blocks.decoded(data, *self._size)

    def fitted(self, rectangles: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """Rectangles of whole blocks."""
        return jpeg_blocks.widened(rectangles, self._unit, self._image.rows, self._image.columns)

    def masked(self, data: bytes, rectangles: tuple[Rectangle, ...]) -> tuple[bytes, int]:
        """A frame black in rectangles, and how many blocks that took."""
        header = jpeg_blocks.checked_header(data, *self._size)
        if header.unit != self._unit:
            raise FileError("the JPEG frames of PixelData have different samplings")
        self.decoded(data)  # what is damaged is known before libjpeg sees it
        coefficients = jpeg_blocks.Coefficients(data)
        is_inverse = self._image.photometric == "MONOCHROME1"
        blocks = coefficients.blacken(rectangles, header, is_inverse=is_inverse)
        return coefficients.encoded(), blocks


class LosslessCodec:
    """RLE, JPEG 2000 and JPEG-LS without loss."""

    def __init__(self, image: Image) -> None:
        self.shown = image

    def decoded(self, data: bytes) -> Numbers:
        """The numbers of a frame."""
        return lossless.decoded(data, self.shown)

    def fitted(self, rectangles: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """The rectangles."""
        return rectangles

    def masked(self, data: bytes, rectangles: tuple[Rectangle, ...]) -> tuple[bytes, int]:
        """A frame black in rectangles."""
        numbers = lossless.blackened(self.decoded(data), self.shown, rectangles)
        return lossless.encoded(numbers, self.shown), 0


CLEANED_SYNTAXES = jpeg_blocks.SYNTAXES | lossless.SYNTAXES
"""The transfer syntaxes of compressed pixels that can be blackened in part."""


def codec_of(image: Image, first: bytes) -> FrameCodec:
    """What can blacken the compressed frames of a file, whose transfer syntax is one of those that can.

    Args:
        image: the layout.
        first: the first frame.

    Raises:
        FileError: the first frame is damaged.
    """
    if image.syntax in jpeg_blocks.SYNTAXES:
        return JpegCodec(image, first)
    return LosslessCodec(image)
