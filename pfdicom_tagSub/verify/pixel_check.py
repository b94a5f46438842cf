"""Cleaned pixels read again: black where a mask is, and as they were everywhere else."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ..core.errors import FileError
from ..dicom.dictionary import INTEGER_PIXEL_DATA
from ..dicom.embedded_overlays import cleared
from ..dicom.inflating import InflateLimit
from ..dicom.sources import Source
from ..pixels.image import Image
from ..pixels.masked import Masks
from ..pixels.rectangles import Rectangle
from .entries import DataSet, Entry
from .pydicom_reading import read_again

_ROWS_AT_ONCE = 1 << 22

Flags = npt.NDArray[np.bool_]


def check_native(
    source: Source,
    written: Source,
    image: Image,
    masks: Masks,
    kept: bytes,
    limit: InflateLimit,
    pause: Callable[[], None] = lambda: None,
) -> None:
    """Check the native pixels of an output, sample by sample.

    Args:
        source: the input.
        written: the output.
        image: the layout of the input's pixels.
        masks: what should be black.
        kept: what each cell was joined with by AND elsewhere; b"" for nothing.
        limit: how large the data set of the output may be.
        pause: called between pieces.

    Raises:
        FileError: they are not what they should be.
    """
    data_sets = read_again(source, limit).data, read_again(written, limit).data
    found = [data.with_tag(INTEGER_PIXEL_DATA) for data in data_sets]
    if len(found[0]) != 1 or len(found[1]) != 1:
        raise FileError("PixelData does not occur once, as it has to where it is cleaned")
    (before,), (after,) = found
    if before.value_end - before.value != after.value_end - after.value or before.vr != after.vr:
        raise FileError("the cleaned PixelData has another length or VR than the input's")
    check = _Check(data_sets, before, after, image, kept)
    for frame in range(image.frames):
        check.frame(frame, masks.of(frame))
        pause()
    check.rest()


class _Check:
    """Two stretches of pixels, compared."""

    def __init__(
        self, data_sets: tuple[DataSet, DataSet], before: Entry, after: Entry, image: Image, kept: bytes
    ) -> None:
        self.old, self.new = (data.source for data in data_sets)
        self.image, self.kept = image, kept
        self.places = before.value, after.value
        self.size = before.value_end - before.value

    def _read(self, start: int, stop: int) -> tuple[bytes, bytes]:
        """The bytes of both, counted from the first pixel; those of the input as they have to be."""
        stop = min(stop, self.size)
        old = self.old.read(self.places[0] + start, self.places[0] + stop)
        new = self.new.read(self.places[1] + start, self.places[1] + stop)
        return cleared(old, self.kept) if self.kept else old, new

    def frame(self, frame: int, rectangles: tuple[Rectangle, ...]) -> None:
        """Compare one frame."""
        image = self.image
        if image.allocated == 1 or image.swaps_bytes:
            self._odd_frame(frame, rectangles)
            return
        size = image.frame_bits // 8
        planes = image.samples if image.is_planar else 1
        row = size // planes // image.rows
        at_once = max(_ROWS_AT_ONCE // row, 1)
        for plane in range(planes):
            base = frame * size + plane * (size // planes)
            for top in range(0, image.rows, at_once):
                bottom = min(top + at_once, image.rows)
                old, new = self._read(base + top * row, base + bottom * row)
                own = [one for one in rectangles if one.y < bottom and top < one.bottom]
                if not own:
                    if old != new:
                        raise FileError(_CHANGED)
                    continue
                self._rows(old, new, own, (top, bottom), plane)

    def _rows(self, old: bytes, new: bytes, own: list[Rectangle], rows: tuple[int, int], plane: int) -> None:
        """Compare rows of pixels with those of the input, after these were blackened here."""
        wanted = bytearray(old)
        grid = np.frombuffer(wanted, np.uint8).reshape(rows[1] - rows[0], -1)
        pixel = grid.shape[1] // self.image.columns
        black = self._black(plane)
        for one in own:
            start, stop = one.x * pixel, one.right * pixel
            if start % len(black) or stop % len(black):
                raise FileError(_NOT_BLACK)  # colour that is shared with a pixel beside the mask
            grid[max(one.y - rows[0], 0) : one.bottom - rows[0], start:stop] = (
                black[0] if (black == black[0]).all() else np.tile(black, (stop - start) // len(black))
            )
        if wanted == new:
            return
        is_black = np.zeros(grid.shape, np.bool_)
        for one in own:
            is_black[max(one.y - rows[0], 0) : one.bottom - rows[0], one.x * pixel : one.right * pixel] = True
        differs = grid != np.frombuffer(new, np.uint8).reshape(grid.shape)
        raise FileError(_CHANGED if differs[~is_black].any() else _NOT_BLACK)

    def _black(self, plane: int) -> npt.NDArray[np.uint8]:
        image = self.image
        cells = [image.cell(number) for number in image.black]
        if image.is_halved:
            cells = [cells[0], *cells]
        elif image.is_planar:
            cells = [cells[plane]]
        return np.frombuffer(b"".join(cells), np.uint8)

    def _odd_frame(self, frame: int, rectangles: tuple[Rectangle, ...]) -> None:
        """Compare a frame whose cells are single bits, or bytes in words of the other order."""
        image = self.image
        first = frame * image.frame_bits
        start = first // 8 // 2 * 2
        stop = -(-(first + image.frame_bits) // 8)
        old, new = (
            np.frombuffer(data + bytes(len(data) % 2), np.uint8)
            for data in self._read(start, stop + stop % 2)
        )
        if image.swaps_bytes:
            old, new = (data.reshape(-1, 2)[:, ::-1].reshape(-1) for data in (old, new))
        if image.allocated == 1:
            old, new = (np.unpackbits(data, bitorder="little") for data in (old, new))
            begin, count = first - start * 8, image.frame_bits
        else:
            begin, count = first // 8 - start, image.frame_bits // 8
        shape = image.rows, image.columns
        is_masked = _flags(rectangles, 0, image.rows, image.columns)
        planes = image.samples if image.is_planar else 1
        one, other = (
            data[begin : begin + count].reshape(planes, *shape, count // planes // shape[0] // shape[1])
            for data in (old, new)
        )
        for plane in range(planes):
            if (one[plane] != other[plane]).any(axis=2)[~is_masked].any():
                raise FileError(_CHANGED)
            black = np.array([image.black[0] & 1], np.uint8) if image.allocated == 1 else self._black(plane)
            if image.is_halved:
                wide = other[plane].reshape(shape[0], shape[1] // 2, -1)
                if not (wide == black).all(axis=2)[is_masked[:, ::2]].all():
                    raise FileError(_NOT_BLACK)
            elif not (other[plane] == black).all(axis=2)[is_masked].all():
                raise FileError(_NOT_BLACK)

    def rest(self) -> None:
        """Compare the padding after the last frame."""
        end = -(-self.image.frame_bits * self.image.frames // 8)
        old, new = self._read(end, self.size)
        if old != new and not self.image.swaps_bytes:
            raise FileError(_CHANGED)


def _flags(rectangles: list[Rectangle] | tuple[Rectangle, ...], top: int, bottom: int, columns: int) -> Flags:
    """Which pixels of some rows are in rectangles."""
    found = np.zeros((bottom - top, columns), np.bool_)
    for one in rectangles:
        found[max(one.y - top, 0) : max(one.bottom - top, 0), one.x : one.right] = True
    return found


_CHANGED = "PixelData differs from the input's outside of what was to be blackened"
_NOT_BLACK = "PixelData is not black where it should be"
