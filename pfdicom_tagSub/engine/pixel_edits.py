"""What the cleaning of pixels changes in a file, for the pass that applies the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..dicom.character_sets import UTF8
from ..dicom.dictionary import LOSSY_IMAGE_COMPRESSION
from ..dicom.edits import Edit
from ..dicom.values import encode_element

if TYPE_CHECKING:
    from ..pixels.masked import Masks
    from .compressed_pixels import CompressedPixels


@dataclass(frozen=True)
class FrameChanges:
    """What becomes of the frames of compressed pixels.

    Attributes:
        pixels: what they are.
        masks: what is blackened.
        cleared: bits of all cells that become 0.
        syntax: the new transfer syntax; "" where it stays.
        blocks: how many blocks of coefficients that takes.
    """

    pixels: CompressedPixels
    masks: Masks
    cleared: int
    syntax: str
    blocks: int


class PixelEdits(NamedTuple):
    """Changes of pixels, and of what says how they are compressed.

    Attributes:
        edits: the changes of the pixels; () where they stay.
        syntax: the new transfer syntax; "" where it stays.
        adds_loss: whether the output has to say that its pixels were once compressed with a loss.
        frames: what becomes of compressed frames; None where the pixels are native, or stay.
    """

    edits: tuple[Edit, ...] = ()
    syntax: str = ""
    adds_loss: bool = False
    frames: FrameChanges | None = None

    def __bool__(self) -> bool:
        return bool(self.edits)


NO_PIXEL_EDITS = PixelEdits()


def lossy_compression_element(*, implicit: bool) -> bytes:
    """The element that says that pixels were compressed with a loss (PS3.3 C.7.6.1.1.5)."""
    return encode_element(LOSSY_IMAGE_COMPRESSION, "CS", ("01",), UTF8, implicit=implicit, little=True)
