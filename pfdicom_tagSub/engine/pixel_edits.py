"""What the cleaning of pixels changes in a file, for the pass that applies the rules."""

from __future__ import annotations

from typing import NamedTuple

from ..dicom.character_sets import UTF8
from ..dicom.dictionary import LOSSY_IMAGE_COMPRESSION
from ..dicom.edits import Edit
from ..dicom.values import encode_element


class PixelEdits(NamedTuple):
    """Changes of pixels, and of what says how they are compressed.

    Attributes:
        edits: the changes of the pixels; () where they stay.
        syntax: the new transfer syntax; "" where it stays.
        adds_loss: whether the output has to say that its pixels were once compressed with a loss.
    """

    edits: tuple[Edit, ...] = ()
    syntax: str = ""
    adds_loss: bool = False

    def __bool__(self) -> bool:
        return bool(self.edits)


NO_PIXEL_EDITS = PixelEdits()


def lossy_compression_element(*, implicit: bool) -> bytes:
    """The element that says that pixels were compressed with a loss (PS3.3 C.7.6.1.1.5)."""
    return encode_element(LOSSY_IMAGE_COMPRESSION, "CS", ("01",), UTF8, implicit=implicit, little=True)
