"""Frames that no encoder here can compress again without a loss, written as native pixels (PS3.5 8)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from typing import IO

import numpy as np

from ..core.errors import FileError
from ..dicom.character_sets import UTF8
from ..dicom.dictionary import PHOTOMETRIC_INTERPRETATION
from ..dicom.edits import Edit
from ..dicom.elements import Element
from ..dicom.values import encode_element
from .encapsulated import IN_MEMORY, Stored
from .frames import Numbers
from .image import Image
from .lossless import FrameCells

_LENGTH_MOST = (1 << 32) - 2


def native_cells(cells: FrameCells, image: Image) -> Numbers:
    """The cells of a native frame, without a sign: (rows, columns), or (rows, columns, 3) in colour.

    Args:
        cells: as a decoder gives them.
        image: the layout.

    Raises:
        FileError: they have more bits than the file says.
    """
    shift = image.high + 1 - image.stored - cells.shift
    if cells.bits + shift > image.allocated:
        raise FileError("a compressed frame has more bits than the file says")
    made = cells.numbers.astype(np.uint64) << np.uint64(shift)
    if image.is_signed and cells.bits == image.stored:
        sign = np.uint64(1 << image.high)
        made = (made ^ sign) - sign  # the bits above are those of the sign
    return made.astype(f"<u{max(image.allocated // 8, 1)}")


class NativeFrames:
    """Native frames that take the place of compressed ones; they wait as ``NewFrames`` do."""

    def __init__(self, image: Image) -> None:
        """Args:
        image: their layout.
        """
        self._image = image
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        self._size = 0
        self._bits = np.zeros(0, np.uint8)

    def add(self, cells: FrameCells) -> None:
        """Note the next frame."""
        image = self._image
        made = native_cells(cells, image)
        if image.allocated == 1:  # frames follow each other without a gap (PS3.5 8.1.1)
            bits = np.concatenate((self._bits, made.astype(np.uint8).reshape(-1)))
            whole = len(bits) // 8 * 8
            self._bits = bits[whole:]
            self._write(np.packbits(bits[:whole], bitorder="little").tobytes())
            return
        self._write((made.transpose(2, 0, 1) if image.is_planar else made).tobytes())

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self._size += len(data)

    def edits(self, others: Iterable[Element | None], photometric: Element | None) -> tuple[Edit, ...]:
        """What puts them in the place of the compressed pixels.

        Args:
            others: the elements that say where compressed frames are, which go.
            photometric: that of the photometric interpretation, which may have another native name.

        Raises:
            FileError: an element cannot be as long.
        """
        self._write(np.packbits(self._bits, bitorder="little").tobytes())
        self._write(b"\0" * (self._size % 2))
        if self._size > _LENGTH_MOST:
            raise FileError("its pixels are too many for an element of native ones")
        image, pixels = self._image, self._image.pixels
        vr = b"OW" if image.allocated > 8 else b"OB"
        header = b"\xe0\x7f\x10\0" + vr + b"\0\0" + self._size.to_bytes(4, "little")
        made = [Edit(one.start, one.end, b"") for one in others if one is not None]
        made.append(Edit(pixels.start, pixels.value, header))
        made.append(Edit(pixels.value, pixels.end, Stored(self._file, 0, self._size)))
        if photometric is not None:
            data = encode_element(
                PHOTOMETRIC_INTERPRETATION, "CS", (image.photometric,), UTF8, implicit=False, little=True
            )
            made.append(Edit(photometric.start, photometric.end, data))
        return tuple(sorted(made, key=lambda edit: edit.start))
