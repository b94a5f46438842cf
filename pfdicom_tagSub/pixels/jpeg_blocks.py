"""JPEG whose blocks of coefficients under rectangles are replaced, without decoding (ITU-T T.81).

jpegio reads and writes the coefficients; what it is given was decoded by simplejpeg before, which takes
each warning of libjpeg for an error: other readers fill up what is damaged. jpegio opens files by their
names; it gets files without one, by their descriptors, so that none can stay, however the process ends.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from ..core.errors import FileError
from .rectangles import Rectangle, clipped, disjoint

SYNTAXES = frozenset({"1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51"})
"""JPEG Baseline (Process 1) and Extended (Process 2 and 4)."""

_BASELINE = frozenset({0xC0, 0xC1})
_FRAMES = frozenset({*range(0xC0, 0xD0), 0xF7}) - {0xC4, 0xC8, 0xCC}
"""The markers that begin a frame (T.81 B.1.1.3); the last is that of JPEG-LS (T.87)."""

_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
_SCAN = 0xDA
_TABLES = 0xDB
_NOTES = frozenset({*range(0xE0, 0xF0), 0xFE})
"""The markers of applications and comments (T.81 B.2.4.5 and B.2.4.6)."""

_UNITS_IN_A_BYTE = 4
"""A block takes two bits at least: of its first coefficient, and of the end of the others (T.81 F.1.2)."""

_PROFILE = b"ICC_PROFILE\0"
_MIDDLE = 1024
"""What 8 bits are shifted by, as the coefficient of a whole block has it."""


@dataclass(frozen=True)
class FrameHeader:
    """What the frame header of a JPEG says.

    Attributes:
        process: its marker.
        precision: the bits of a sample.
        rows: its rows.
        columns: its columns.
        factors: the horizontal and the vertical sampling factor of each component.
    """

    process: int
    precision: int
    rows: int
    columns: int
    factors: tuple[tuple[int, int], ...]

    @property
    def unit(self) -> tuple[int, int]:
        """The width and height of the smallest area that has whole blocks of all components."""
        if len(self.factors) == 1:
            return 8, 8
        return 8 * max(one for one, _ in self.factors), 8 * max(one for _, one in self.factors)


def header_of(data: bytes) -> FrameHeader:
    """Read the frame header.

    Raises:
        FileError: there is none.
    """
    place = 2
    while data[:2] == b"\xff\xd8" and place + 4 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker == 0xFF:
            place += 1
            continue
        if marker in _ALONE:
            place += 2
            continue
        size = int.from_bytes(data[place + 2 : place + 4], "big")
        if marker in _FRAMES:
            body = data[place + 4 : place + 2 + size]
            if len(body) < 6 or len(body) < 6 + 3 * body[5]:
                break
            rows, columns = int.from_bytes(body[1:3], "big"), int.from_bytes(body[3:5], "big")
            factors = tuple((body[at] >> 4, body[at] & 15) for at in range(7, 6 + 3 * body[5], 3))
            return FrameHeader(marker, body[0], rows, columns, factors)
        if marker == 0xDA:
            break
        place += 2 + size
    raise FileError("a frame of PixelData is no JPEG")


def checked_header(data: bytes, rows: int, columns: int, samples: int) -> FrameHeader:
    """The header of a JPEG whose blocks can be replaced.

    Args:
        data: its bytes.
        rows: what the file says of its rows.
        columns: likewise.
        samples: likewise of the samples of a pixel.

    Raises:
        FileError: it is another process, or contradicts the file.
    """
    header = header_of(data)
    if header.process not in _BASELINE or header.precision != 8:
        raise FileError(
            "its JPEG is not baseline or extended with 8 bits, so that its blocks cannot be replaced"
        )
    if (header.rows, header.columns) != (rows, columns) or len(header.factors) != samples:
        raise FileError("a JPEG has other rows, columns or samples than the file says")
    if any(not 1 <= factor <= 4 for pair in header.factors for factor in pair):
        raise FileError("a JPEG has sampling factors that there are not")
    width, height = header.unit
    if -(-rows // height) * -(-columns // width) > _UNITS_IN_A_BYTE * len(data):
        raise FileError("a JPEG has too few bytes for its pixels")
    return header


def decoded(data: bytes, rows: int, columns: int, samples: int) -> npt.NDArray[np.uint8]:
    """The picture of a JPEG: (rows, columns), or (rows, columns, 3) in red, green and blue.

    Args, Raises: as of ``checked_header``; FileError also for what is damaged.
    """
    checked_header(data, rows, columns, samples)
    simplejpeg = _package("simplejpeg")
    try:
        simplejpeg.decode_jpeg_header(data)
    except (ValueError, KeyError):  # the latter for one that libjpeg knows and simplejpeg does not
        raise FileError(
            "a JPEG of PixelData is damaged, or of a colour subsampling in which nothing here tells damage: "
            "if others show it, decompress the file and run again"
        ) from None
    try:
        shown = simplejpeg.decode_jpeg(data, "RGB" if samples == 3 else "GRAY", strict=True)
    except ValueError as error:  # its text may quote the file
        raise FileError(f"a JPEG of PixelData is damaged: {type(error).__name__}") from None
    found: npt.NDArray[np.uint8] = shown if samples == 3 else shown[..., 0]
    if found.shape[:2] != (rows, columns):
        raise FileError("a JPEG of PixelData is damaged")
    return found


def _package(name: str, package: str = "") -> Any:
    """A module that the cleaning of JPEG needs alone; its package has another name where that is given.

    Raises:
        FileError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise FileError(
            f"JPEG needs a package that is not installed: pip install {package or name}"
        ) from None


@contextmanager
def _nameless() -> Iterator[tuple[IO[bytes], str]]:
    """A file in memory (on Linux) that has no name, and the path by which this process can open it.

    Raises:
        FileError: there is no such path.
    """
    made = os.fdopen(os.memfd_create("jpeg"), "w+b") if hasattr(os, "memfd_create") else None
    with made or tempfile.TemporaryFile() as file:
        for folder in ("/proc/self/fd", "/dev/fd"):
            if os.path.exists(path := f"{folder}/{file.fileno()}"):
                yield file, path
                return
        raise FileError("JPEG needs /proc or /dev/fd, by which files without a name can be opened")


def widened(
    rectangles: tuple[Rectangle, ...], unit: tuple[int, int], rows: int, columns: int
) -> tuple[Rectangle, ...]:
    """Rectangles that have whole blocks of all components."""
    width, height = unit
    found = []
    for one in rectangles:
        left, top = one.x // width * width, one.y // height * height
        right, bottom = -(-one.right // width) * width, -(-one.bottom // height) * height
        found.append(Rectangle(left, top, right - left, bottom - top))
    return disjoint(clipped(found, rows, columns))


class Coefficients:
    """The coefficients of a JPEG.

    Attributes:
        planes: those of each component: (rows of blocks, columns of blocks, 8, 8).
        tables: the quantization table of each component.
        is_colour: whether the first component is light and the others are colour.
    """

    def __init__(self, data: bytes) -> None:
        """Args:
        data: a JPEG that is not damaged.

        Raises:
            FileError: its coefficients cannot be read.
        """
        self._library = _package("jpegio", "pyjpegio")
        with _nameless() as (file, path):
            file.write(data)
            file.flush()
            try:
                self._jpeg: Any = self._library.read(path)
            except RuntimeError:  # of libjpeg
                raise FileError("the coefficients of a JPEG cannot be read") from None
        self.planes: list[npt.NDArray[np.int32]] = [
            flat.reshape(flat.shape[0] // 8, 8, flat.shape[1] // 8, 8).transpose(0, 2, 1, 3)
            for flat in self._jpeg.coef_arrays
        ]
        tables = dict(zip(_table_numbers(data), self._jpeg.quant_tables, strict=False))
        numbers = [one.quant_tbl_no for one in self._jpeg.comp_info]
        if len(tables) != len(self._jpeg.quant_tables) or not tables.keys() >= set(numbers):
            raise FileError("the quantization tables of a JPEG cannot be read")
        self.tables = [tables[number] for number in numbers]
        self.is_colour = is_light_and_colour(data)

    def blacken(self, rectangles: tuple[Rectangle, ...], header: FrameHeader, *, is_inverse: bool) -> int:
        """Make blocks black; returns how many.

        Args:
            rectangles: what is black afterwards; they have whole blocks.
            header: the frame header.
            is_inverse: whether the highest number is black.
        """
        changed = 0
        for index, plane in enumerate(self.planes):
            flags = block_flags(plane.shape[:2], index, rectangles, header)
            plane[flags] = 0
            plane[flags, 0, 0] = black_of(self, index, is_inverse=is_inverse)
            changed += int(flags.sum())
        return changed

    def encoded(self) -> bytes:
        """The JPEG with the coefficients as they are now, and none of the notes that it came with."""
        self._jpeg.optimize_coding = True  # its own code may lack words for black
        for index, component in enumerate(self._jpeg.comp_info):  # jpegio knows those of the first scan alone
            component.dc_tbl_no = component.ac_tbl_no = min(index, 1)
        with _nameless() as (file, path):
            try:
                self._library.write(self._jpeg, path)
            except RuntimeError:  # as above
                raise FileError("the coefficients of a JPEG cannot be written") from None
            file.seek(0)
            return without_notes(file.read())


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The segments before the first scan, each its marker and all of its bytes.

    Raises:
        FileError: there is no scan.
    """
    place = 2
    while data[place : place + 1] == b"\xff" and place + 4 <= len(data):
        marker = data[place + 1]
        if marker == _SCAN:
            return
        size = 0 if marker in _ALONE else int.from_bytes(data[place + 2 : place + 4], "big")
        stop = place + 1 if marker == 0xFF else place + 2 + size
        yield marker, data[place:stop]
        place = stop
    raise FileError("a JPEG has no scan")


def _table_numbers(data: bytes) -> list[int]:
    """The numbers of the quantization tables before the first scan, in order (T.81 B.2.4.1)."""
    found = set()
    for marker, segment in _segments(data):
        place = 4
        while marker == _TABLES and place < len(segment):
            found.add(segment[place] & 15)
            place += 1 + 64 * (1 + (segment[place] >> 4))
    return sorted(found)


def is_light_and_colour(data: bytes) -> bool:
    """Whether the first of three components is light and the others are colour, as libjpeg takes them."""
    is_jfif, transform, numbers = False, -1, (1, 2, 3)
    for marker, segment in _segments(data):
        body = segment[4:]
        if marker == 0xE0 and body.startswith(b"JFIF\0"):
            is_jfif = True
        elif marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12:
            transform = body[11]
        elif marker in _FRAMES and len(body) >= 15:
            numbers = body[6], body[9], body[12]
    if is_jfif or transform >= 0:
        return is_jfif or transform != 0
    return numbers != tuple(b"RGB")


def without_notes(data: bytes) -> bytes:
    """A JPEG without comments, and without what applications note in it but what tells its colours.

    Such notes (Exif, JFIF, JFXX) may hold a small picture of what was blackened. Of two Adobe segments the
    last one counts, which is that of the input.

    Args:
        data: a JPEG, as libjpeg writes it: all notes stand before the first scan.

    Raises:
        FileError: its segments are damaged.
    """
    made = [data[:2]]
    adobe = 0
    size = 2
    for marker, segment in _segments(data):
        size += len(segment)
        body = segment[4:]
        if marker not in _NOTES or body.startswith(_PROFILE):
            made.append(segment)
        elif body.startswith(b"JFIF\0"):
            made.append(b"\xff\xe0\0\x10" + body[:12] + b"\0\0")  # with a thumbnail of no size
        elif body.startswith(b"Adobe"):
            if adobe:
                made[adobe] = b""
            adobe = len(made)
            made.append(segment)
    return b"".join((*made, data[size:]))


def black_of(own: Coefficients, index: int, *, is_inverse: bool) -> int:
    """The first coefficient of a black block of a component."""
    if index and own.is_colour:
        return 0
    step = int(own.tables[index][0, 0])
    return round((_MIDDLE - 8) / step) if is_inverse else -(_MIDDLE // step)


def block_flags(
    shape: tuple[int, ...], index: int, rectangles: tuple[Rectangle, ...], header: FrameHeader
) -> npt.NDArray[np.bool_]:
    """Which blocks of a component are in rectangles."""
    across, down = header.factors[index] if len(header.factors) > 1 else (1, 1)
    unit_width, unit_height = header.unit
    width, height = unit_width // across, unit_height // down
    flags = np.zeros(shape, np.bool_)
    for one in rectangles:
        flags[one.y // height : -(-one.bottom // height), one.x // width : -(-one.right // width)] = True
    return flags
