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
        syntax: the transfer syntax of what ``masked`` gives. Where it is not that of the file, all
            frames have to be made anew; "" where ``LosslessCodec.cells`` are to be native pixels.
    """

    shown: Image
    syntax: str

    def decoded(self, data: bytes) -> Numbers:
        """The numbers of a frame."""

    def fitted(self, rectangles: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """Rectangles that can be blackened, and cover the given ones."""

    def holds(self, data: bytes, bits: int) -> bool:
        """Whether a frame has some of these bits of each cell."""

    def masked(self, data: bytes, rectangles: tuple[Rectangle, ...], cleared: int) -> tuple[bytes, int]:
        """A frame black in rectangles, some bits of all cells 0, and how many blocks that took."""


class JpegCodec:
    """JPEG by blocks of coefficients."""

    def __init__(self, image: Image, first: bytes) -> None:
        """Args:
        image: the layout.
        first: the first frame.
        """
        self._image = image
        self.syntax = image.syntax
        self._size = image.rows, image.columns, image.samples
        self._unit = jpeg_blocks.checked_header(first, *self._size).unit
        self.shown = replace(image, photometric="RGB", black=(0, 0, 0)) if image.samples == 3 else image

    def decoded(self, data: bytes) -> Numbers:
        """The numbers of a frame; colours are red, green and blue."""
        return jpeg_blocks.decoded(data, *self._size)

    def fitted(self, rectangles: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """Rectangles of whole blocks."""
        return jpeg_blocks.widened(rectangles, self._unit, self._image.rows, self._image.columns)

    def holds(self, data: bytes, bits: int) -> bool:
        """Whether a frame has some of these bits of each cell, of which it has eight."""
        return bool(bits & ((1 << jpeg_blocks.header_of(data).precision) - 1))

    def masked(self, data: bytes, rectangles: tuple[Rectangle, ...], cleared: int) -> tuple[bytes, int]:
        """A frame black in rectangles, and how many blocks that took.

        Raises:
            FileError: it is damaged, or bits of its cells should be cleared, which blocks do not have.
        """
        if cleared:
            raise FileError("bits of single pixels cannot be cleared in a JPEG with loss")
        header = jpeg_blocks.checked_header(data, *self._size)
        if header.unit != self._unit:
            raise FileError("the JPEG frames of PixelData have different samplings")
        self.decoded(data)  # what is damaged is known before libjpeg sees it
        coefficients = jpeg_blocks.Coefficients(data)
        is_inverse = self._image.photometric == "MONOCHROME1"
        blocks = coefficients.blacken(rectangles, header, is_inverse=is_inverse)
        return coefficients.encoded(), blocks


class LosslessCodec:
    """Frames that are decoded, and encoded again without a loss."""

    def __init__(self, image: Image, first: bytes) -> None:
        """Args:
        image: the layout.
        first: the first frame.
        """
        self.shown = image
        self.syntax = lossless.syntax_again(image, first)

    def decoded(self, data: bytes) -> Numbers:
        """The numbers of a frame."""
        return lossless.decoded(data, self.shown).pixels(self.shown)

    def fitted(self, rectangles: tuple[Rectangle, ...]) -> tuple[Rectangle, ...]:
        """The rectangles."""
        return rectangles

    def holds(self, data: bytes, bits: int) -> bool:
        """Whether a frame has some of these bits of each cell."""
        return lossless.holds(data, self.shown, bits)

    def masked(self, data: bytes, rectangles: tuple[Rectangle, ...], cleared: int) -> tuple[bytes, int]:
        """A frame black in rectangles, some bits of all cells 0."""
        cells = self.cells(data, rectangles, cleared)
        return lossless.encoded(cells, replace(self.shown, syntax=self.syntax)), 0

    def cells(self, data: bytes, rectangles: tuple[Rectangle, ...], cleared: int) -> lossless.FrameCells:
        """The cells of such a frame, for what cannot be encoded again."""
        return lossless.decoded(data, self.shown).blackened(self.shown, rectangles, cleared)


CLEANED_SYNTAXES = jpeg_blocks.SYNTAXES | lossless.SYNTAXES | lossless.CONVERTED.keys()
"""The transfer syntaxes of compressed pixels that can be blackened in part."""

_ROOT = "1.2.840.10008.1.2."
_VIDEO = "its pixels are a video, of which no frame changes alone: extract the frames, or leave the file out"
ELSEWHERE = "its pixels are elsewhere, and the file only says where: fetch them, or leave the file out"
_WRAPPED = "its pixels are native ones in fragments: have the file written anew as Explicit VR Little Endian"
_UNKNOWN = (
    "its pixels are compressed in a way that cannot be changed here: decompress the file and run again, or "
    "leave it out"
)
REFERENCED = frozenset(_ROOT + one for one in ("4.94", "4.95", "4.204", "4.205", "7.1", "7.2", "7.3"))
"""Transfer syntaxes whose files say where the pixels are (JPIP, SMPTE ST 2110)."""

_REASONS = {
    **{_ROOT + f"4.{number}": _VIDEO for number in range(100, 109)},
    **dict.fromkeys(REFERENCED, ELSEWHERE),
    **{_ROOT + f"4.{number}.1": _VIDEO for number in range(100, 107)},
    _ROOT + "1.98": _WRAPPED,
}


def reason_against(syntax: str) -> str:
    """Why the pixels of a transfer syntax cannot be cleaned, and the cure; "" where they can."""
    return "" if syntax in CLEANED_SYNTAXES else _REASONS.get(syntax, _UNKNOWN)


def codec_of(image: Image, first: bytes) -> FrameCodec:
    """What can blacken the compressed frames of a file, whose transfer syntax is one of those that can.

    Args:
        image: the layout.
        first: the first frame.

    Raises:
        FileError: the first frame is damaged.
    """
    if image.syntax in jpeg_blocks.SYNTAXES and not is_deep(image, first):
        return JpegCodec(image, first)
    return LosslessCodec(image, first)


def is_deep(image: Image, first: bytes) -> bool:
    """Whether the frames of a file are JPEG Extended of more than 8 bits, whose blocks nothing here reads.

    Raises:
        FileError: the first frame is damaged, or is such a frame in colour.
    """
    if image.syntax not in lossless.CONVERTED or image.syntax not in jpeg_blocks.SYNTAXES:
        return False
    if jpeg_blocks.header_of(first).precision <= 8:
        return False
    if image.samples == 3:
        raise FileError(
            "its JPEG has more than 8 bits and colour, which nothing here decodes alike everywhere"
        )
    return True
