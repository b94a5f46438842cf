"""The compressed pixels of one file, and what becomes of them."""

from __future__ import annotations

from collections.abc import Iterator

from ..dicom.dictionary import LOSSY_IMAGE_COMPRESSION, PHOTOMETRIC_INTERPRETATION
from ..dicom.scope import Scope
from ..dicom.sources import Source
from ..pixels.encapsulated import NewFrames, edits_of, frames_of
from ..pixels.frame_codecs import LosslessCodec, codec_of
from ..pixels.frames import Numbers, check_frame_size
from ..pixels.image import EXTENDED_LENGTHS, EXTENDED_OFFSETS, Image
from ..pixels.lossless import ALWAYS_LOSSY, FORGETFUL, NATIVE_SYNTAX, native_image
from ..pixels.masked import Masks
from .pixel_edits import FrameChanges, PixelEdits


class CompressedPixels:
    """Compressed pixels that can be cleaned.

    Attributes:
        image: their layout.
        shown: the layout of what ``decoded`` gives.
    """

    def __init__(self, source: Source, root: Scope, image: Image) -> None:
        """Args:
        source: the bytes of the data set.
        root: the data set, of which a scan kept ``DESCRIPTION`` and LossyImageCompression.
        image: the layout of its pixels, of a transfer syntax that can be cleaned.

        Raises:
            FileError: they are damaged, or too large.
        """
        check_frame_size(image, is_looked_at=False)
        elements = root.elements
        self.image = image
        self._source = source
        self._tables = elements.get(EXTENDED_OFFSETS), elements.get(EXTENDED_LENGTHS)
        self._photometric = elements.get(PHOTOMETRIC_INTERPRETATION)
        self._loss = elements.get(LOSSY_IMAGE_COMPRESSION)
        told = root.raw(self._loss).strip(b"\0 ") if self._loss is not None else b""
        is_denied = image.syntax in ALWAYS_LOSSY and told != b"01"
        self._forgets = image.syntax in FORGETFUL and (not told or is_denied)
        self._frames = frames_of(source, image, self._tables[0])
        self._codec = codec_of(image, self._frames.data(source, 0))
        self.shown = self._codec.shown

    def decoded(self) -> Iterator[Numbers]:
        """The numbers of each frame."""
        return (self._codec.decoded(self._data(index)) for index in range(self.image.frames))

    def holds(self, bits: int) -> bool:
        """Whether a frame has some of these bits of each cell.

        Raises:
            FileError: a frame is damaged.
        """
        return any(self._codec.holds(self._data(index), bits) for index in range(self.image.frames))

    def fitted(self, masks: Masks) -> Masks:
        """Masks that can be blackened, and cover the given ones."""
        common = masks.common
        own = {frame: self._codec.fitted((*common, *more)) for frame, more in masks.own.items()}
        return Masks(self._codec.fitted(common), own)

    def changed(self, masks: Masks, cleared: int = 0) -> PixelEdits:
        """What changes: frames with a rectangle or with bits to be cleared are made anew, the others stay.

        Args:
            masks: what is blackened, as ``fitted`` gives it.
            cleared: bits of all cells that become 0.

        Raises:
            FileError: a frame is damaged, or cannot be compressed again.
        """
        image, codec = self.image, self._codec
        if isinstance(codec, LosslessCodec) and not codec.syntax:
            return self._native(codec, masks, cleared)
        new = NewFrames()
        blocks = 0
        is_new = codec.syntax != image.syntax
        for index in range(image.frames):
            data, rectangles = self._data(index), masks.of(index)
            bits = cleared if cleared and codec.holds(data, cleared) else 0
            if rectangles or bits or is_new:
                made, count = codec.masked(data, rectangles, bits)
                new.add(index, made)
                blocks += count
        syntax = codec.syntax if is_new else ""
        changes = FrameChanges(self, masks, cleared, syntax, blocks)
        edits = edits_of(self._frames, new.frames, *self._tables)
        return PixelEdits(edits, syntax, is_new and self._forgets, changes, old_loss=self._loss)

    def _native(self, codec: LosslessCodec, masks: Masks, cleared: int) -> PixelEdits:
        """What makes all frames native ones, as nothing here can compress them again."""
        from ..pixels.native_output import NativeFrames  # noqa: PLC0415  (rare)

        image = self.image
        native = native_image(image)
        new = NativeFrames(native)
        for index in range(image.frames):
            new.add(codec.cells(self._data(index), masks.of(index), cleared))
        photometric = self._photometric if native.photometric != image.photometric else None
        changes = FrameChanges(self, masks, cleared, NATIVE_SYNTAX, 0)
        followers = () if photometric is None else (PHOTOMETRIC_INTERPRETATION,)
        edits = new.edits(self._tables, photometric)
        return PixelEdits(edits, NATIVE_SYNTAX, self._forgets, changes, followers, self._loss)

    def _data(self, frame: int) -> bytes:
        return self._frames.data(self._source, frame)
