"""Cleaned compressed pixels read again, by pydicom and decoders."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import ExplicitVRLittleEndian

from ..core.errors import FileError
from ..dicom.dictionary import INTEGER_PIXEL_DATA, PHOTOMETRIC_INTERPRETATION, TRANSFER_SYNTAX_UID
from ..dicom.inflating import InflateLimit
from ..dicom.sources import Source
from ..pixels import lossless
from ..pixels.frames import Numbers
from ..pixels.image import EXTENDED_LENGTHS, EXTENDED_OFFSETS, Image
from ..pixels.jpeg_blocks import (
    SYNTAXES,
    Coefficients,
    black_of,
    block_flags,
    checked_header,
    decoded,
    header_of,
)
from ..pixels.masked import Masks
from ..pixels.rectangles import Rectangle
from .entries import DataSet
from .pixel_check import Flags
from .pydicom_reading import read_again
from .sequence_reading import raw_value

_TOLERATED = 24
"""How light a black pixel of a JPEG may be: quantization and the colour of its neighbours count."""

_SHARED = 2
"""So many pixels beside a black one may get some of its colour where a decoder interpolates colours."""

_OTHERS = ("pillow", "pydicom", "pylibjpeg")
"""Decoders that pydicom does not take first."""

_CHANGED = "PixelData differs from the input's outside of what was to be blackened"
_NOT_BLACK = "PixelData is not black where it should be"


def check_compressed(
    source: Source,
    written: Source,
    image: Image,
    masks: Masks,
    limit: InflateLimit,
    pause: Callable[[], None] = lambda: None,
    syntax: str = "",
    cleared: int = 0,
) -> None:
    """Check the compressed frames of an output: JPEG by its coefficients, others by their numbers.

    Args:
        source: the input.
        written: the output.
        image: the layout of the pixels.
        masks: what should be black, in whole blocks.
        limit: how large the data set of the output may be.
        pause: called between frames.
        syntax: the transfer syntax of the output; "" for that of the input.
        cleared: bits of all cells that should be 0, as overlays in them go.

    Raises:
        FileError: they are not what they should be.
    """
    readings = [read_again(one, limit) for one in (source, written)]
    if _syntax_of(readings[1].meta) != (syntax or image.syntax):
        raise FileError("the output has another transfer syntax than its pixels")
    before = _frames(readings[0].data, image.frames)
    if syntax == lossless.NATIVE_SYNTAX:
        _check_native(before, readings[1].data, image, masks, cleared, pause)
        return
    after = _frames(readings[1].data, image.frames)
    for index in range(image.frames):
        old, new = next(before, b""), next(after, b"")
        rectangles = masks.of(index)
        is_left = not rectangles and not syntax and not (cleared and lossless.holds(new, image, cleared))
        if is_left and old == new:
            continue
        if not rectangles and not syntax and not cleared:
            raise FileError(_CHANGED)
        if image.syntax in SYNTAXES and not syntax:
            _check_frame(old, new, image, masks, index)
        else:
            _check_lossless(old, new, image, masks.of(index), syntax, cleared)
        pause()
    if next(before, None) is not None or next(after, None) is not None:
        raise FileError("PixelData has more frames than the file says")


def _check_frame(old: bytes, new: bytes, image: Image, masks: Masks, index: int) -> None:
    header = checked_header(new, image.rows, image.columns, image.samples)
    if header.factors != header_of(old).factors:
        raise FileError("a cleaned JPEG has another sampling than the input's")
    is_inverse = image.photometric == "MONOCHROME1"
    _check_shown(old, new, image, masks.of(index), is_inverse=is_inverse)
    _check_notes(new)
    first, second = Coefficients(old), Coefficients(new)
    if first.is_colour != second.is_colour or len(first.planes) != len(second.planes):
        raise FileError("a cleaned JPEG has other components than the input's")
    for plane, (before, after) in enumerate(zip(first.planes, second.planes, strict=True)):
        flags = block_flags(before.shape[:2], plane, masks.of(index), header)
        same_tables = (first.tables[plane] == second.tables[plane]).all()
        if before.shape != after.shape or not same_tables or (before != after)[~flags].any():
            raise FileError(_CHANGED)
        black = np.zeros((8, 8), np.int16)
        black[0, 0] = black_of(second, plane, is_inverse=is_inverse)
        if (after[flags] != black).any():
            raise FileError(_NOT_BLACK)


def _check_shown(
    old: bytes, new: bytes, image: Image, rectangles: tuple[Rectangle, ...], *, is_inverse: bool
) -> None:
    """Compare two JPEG as a decoder shows them, which has no coefficients from what changed them."""
    size = image.rows, image.columns, image.samples
    shown = decoded(new, *size)
    is_left = np.ones(shown.shape[:2], np.bool_)
    for one in rectangles:
        left, top = max(one.x - _SHARED, 0), max(one.y - _SHARED, 0)
        is_left[top : one.bottom + _SHARED, left : one.right + _SHARED] = False
    if (shown != decoded(old, *size))[is_left].any():
        raise FileError(_CHANGED)
    for one in rectangles:
        inner = shown[one.y + 2 : one.bottom - 2, one.x + 2 : one.right - 2].astype(np.int16)
        if inner.size and int(np.max(255 - inner if is_inverse else inner)) > _TOLERATED:
            raise FileError(_NOT_BLACK)


def _check_notes(new: bytes) -> None:
    """See that a cleaned JPEG has no comment and no small picture of itself, as Pillow reads it."""
    # For JPEG alone; Image.open would take large pictures for an attack.
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415

    with JpegImageFile(io.BytesIO(new)) as opened:
        for name, data in getattr(opened, "applist", ()):
            if name == "APP0" and data.startswith(b"JFIF\0") and len(data) == 14:
                continue
            if not data.startswith((b"Adobe", b"ICC_PROFILE\0")):
                raise FileError("a cleaned JPEG has notes of an application, which may show what it showed")


def _check_lossless(
    old: bytes, new: bytes, image: Image, rectangles: tuple[Rectangle, ...], syntax: str, cleared: int
) -> None:
    """Compare the cells of two frames, with another decoder than the cleaning used where there is one."""
    # Decoders differ over what was compressed with a loss.
    plugins = ("",) if image.syntax in lossless.LOSSY else (*_OTHERS, "")
    output = replace(image, syntax=syntax) if syntax else image
    before = lossless.decoded(old, image, plugins)
    after = lossless.decoded(new, output, plugins)
    if (before.bits, before.is_signed, before.shift) != (after.bits, after.is_signed, after.shift):
        raise FileError("the cells of a cleaned frame have other bits than the input's")
    wanted, is_black = _wanted(before, image, rectangles, cleared)
    if np.array_equal(wanted, after.numbers):
        return
    raise FileError(_CHANGED if (wanted != after.numbers)[~is_black].any() else _NOT_BLACK)


def _check_native(
    before: Iterator[bytes],
    data: DataSet,
    image: Image,
    masks: Masks,
    cleared: int,
    pause: Callable[[], None],
) -> None:
    """Compare compressed frames with the native ones that they became, as pydicom reads them."""
    native = lossless.native_image(image)
    found = {
        tag: data.with_tag(tag)
        for tag in (INTEGER_PIXEL_DATA, PHOTOMETRIC_INTERPRETATION, EXTENDED_OFFSETS, EXTENDED_LENGTHS)
    }
    if [len(entries) for entries in found.values()] != [1, 1, 0, 0]:
        raise FileError("what describes PixelData does not fit native pixels")
    (pixels,), (name,) = found[INTEGER_PIXEL_DATA], found[PHOTOMETRIC_INTERPRETATION]
    size = -(-native.frame_bits * image.frames // 8)
    if (
        raw_value(name, data).decode("latin-1").strip(" \0") != native.photometric
        or pixels.is_open
        or pixels.value_end - pixels.value != size + size % 2
    ):
        raise FileError("what describes PixelData does not fit native pixels")
    stretch = _StretchFile(data.source, pixels.value, pixels.value_end)
    for index, old in enumerate(before):
        cells = lossless.decoded(old, image, (*_OTHERS, ""))
        wanted, is_black = _wanted(cells, image, masks.of(index), cleared)
        numbers = _native_numbers(stretch, native, index).astype(np.int64)
        numbers >>= image.high + 1 - image.stored - cells.shift
        differs = (numbers & ((1 << cells.bits) - 1)) != wanted
        if differs.any():
            raise FileError(_CHANGED if differs[~is_black].any() else _NOT_BLACK)
        pause()


def _native_numbers(stretch: _StretchFile, image: Image, index: int) -> Numbers:
    """The cells of a native frame, all of their bits, as pydicom reads them."""
    if image.allocated == 1:  # pydicom reads no frame that begins within a byte
        first, skipped = divmod(index * image.frame_bits, 8)
        stretch.seek(first)
        bits = np.unpackbits(
            np.frombuffer(stretch.read(-(-image.frame_bits // 8) + 1), np.uint8), bitorder="little"
        )
        return bits[skipped : skipped + image.frame_bits].reshape(image.rows, image.columns)
    described: dict[str, Any] = {
        "number_of_frames": image.frames,
        "pixel_keyword": "PixelData",
        "rows": image.rows,
        "columns": image.columns,
        "samples_per_pixel": image.samples,
        "photometric_interpretation": image.photometric,
        "bits_allocated": image.allocated,
        "bits_stored": image.allocated,
        "pixel_representation": 0,
    }
    if image.samples == 3:
        described["planar_configuration"] = int(image.is_planar)
    decoder = get_decoder(ExplicitVRLittleEndian)
    stretch.seek(0)
    stream = io.BufferedReader(stretch)
    try:
        numbers, _ = decoder.as_array(stream, index=index, raw=True, **described)
    except (ValueError, RuntimeError, OSError) as error:
        raise FileError(f"pydicom cannot read the native pixels: {type(error).__name__}") from None
    finally:
        stream.detach()  # or the stretch would be closed with it
    return np.asarray(numbers)


def _wanted(
    cells: lossless.FrameCells, image: Image, rectangles: tuple[Rectangle, ...], cleared: int
) -> tuple[Numbers, Flags]:
    """The numbers that a cleaned frame should have, and where it should be black."""
    every = (1 << cells.bits) - 1
    wanted = cells.numbers & (every & ~cleared)
    is_black = np.zeros(wanted.shape[:2], np.bool_)
    for one in rectangles:
        is_black[one.y : one.bottom, one.x : one.right] = True
    black = [(number << cells.shift) & every for number in image.black]
    wanted[is_black] = black if image.samples == 3 else black[0]
    return wanted, is_black


def _syntax_of(meta: DataSet) -> str:
    """The transfer syntax that a file meta names."""
    found = meta.with_tag(TRANSFER_SYNTAX_UID)
    return raw_value(found[0], meta).decode("latin-1").strip(" \0") if len(found) == 1 else ""


def _frames(data: DataSet, count: int) -> Iterator[bytes]:
    """The frames of a data set, as pydicom finds them."""
    found = data.with_tag(INTEGER_PIXEL_DATA)
    if len(found) != 1:
        raise FileError("PixelData does not occur once, as it has to where it is cleaned")
    tables = [data.with_tag(tag) for tag in (EXTENDED_OFFSETS, EXTENDED_LENGTHS)]
    extended = None
    if all(len(one) == 1 for one in tables):
        offsets, lengths = (raw_value(one[0], data) for one in tables)
        extended = (offsets, lengths) if offsets and lengths else None
    stream = io.BufferedReader(_StretchFile(data.source, found[0].value, found[0].value_end))
    try:
        yield from generate_frames(stream, number_of_frames=count, extended_offsets=extended)
    except (ValueError, OSError, EOFError) as error:
        raise FileError(f"pydicom finds no frames in PixelData: {type(error).__name__}") from None


class _StretchFile(io.RawIOBase):
    """A stretch of a source as a file."""

    def __init__(self, source: Source, start: int, stop: int) -> None:
        self._source, self._start, self._size, self._place = source, start, stop - start, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        stop = min(self._place + len(buffer), self._size)
        data = self._source.read(self._start + self._place, self._start + max(stop, self._place))
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
