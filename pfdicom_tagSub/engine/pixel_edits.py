"""What the cleaning of pixels changes in a file, for the pass that applies the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ..dicom.character_sets import UTF8
from ..dicom.dictionary import LOSSY_IMAGE_COMPRESSION
from ..dicom.edits import Edit
from ..dicom.elements import Element
from ..dicom.values import encode_element

if TYPE_CHECKING:
    from ..pixels.image import Image
    from ..pixels.masked import Masks


class FramePixels(Protocol):
    """Compressed pixels whose frames can be made anew (``compressed_pixels``).

    Attributes:
        image: their layout.
    """

    image: Image

    def holds(self, bits: int) -> bool:
        """Whether a frame has some of these bits of each cell."""

    def changed(self, masks: Masks, cleared: int = 0) -> PixelEdits:
        """What changes where masks are blackened and bits of all cells are cleared."""


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

    pixels: FramePixels
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
        followers: the tags of what says something else of the pixels now.
        old_loss: the LossyImageCompression that the input has; None for none.
    """

    edits: tuple[Edit, ...] = ()
    syntax: str = ""
    adds_loss: bool = False
    frames: FrameChanges | None = None
    followers: tuple[int, ...] = ()
    old_loss: Element | None = None

    def __bool__(self) -> bool:
        return bool(self.edits)


NO_PIXEL_EDITS = PixelEdits()


def lossy_compression_element(*, implicit: bool) -> bytes:
    """The element that says that pixels were compressed with a loss (PS3.3 C.7.6.1.1.5)."""
    return encode_element(LOSSY_IMAGE_COMPRESSION, "CS", ("01",), UTF8, implicit=implicit, little=True)
