"""How the pixels of a file are laid out (PS3.3 C.7.6.3, PS3.5 8), and what is black in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pydicom import uid

from ..core.errors import FileError
from ..dicom.dictionary import (
    BITS_ALLOCATED,
    BITS_STORED,
    COLUMNS,
    DOUBLE_PIXEL_DATA,
    FLOAT_PIXEL_DATA,
    HIGH_BIT,
    INTEGER_PIXEL_DATA,
    NUMBER_OF_FRAMES,
    PHOTOMETRIC_INTERPRETATION,
    PIXEL_REPRESENTATION,
    ROWS,
    SAMPLES_PER_PIXEL,
    TRANSFER_SYNTAX_UID,
    label_of,
)
from ..dicom.elements import Element
from ..dicom.scope import Scope

PLANAR_CONFIGURATION = 0x00280006
PIXEL_PADDING_VALUE = 0x00280120
PALETTE = frozenset({0x00281101, 0x00281102, 0x00281103, 0x00281201, 0x00281202, 0x00281203})
SEGMENTED_PALETTE = frozenset({0x00281221, 0x00281222, 0x00281223})
EXTENDED_OFFSETS = 0x7FE00001
EXTENDED_LENGTHS = 0x7FE00002

DESCRIPTION = frozenset(
    {SAMPLES_PER_PIXEL, PHOTOMETRIC_INTERPRETATION, PLANAR_CONFIGURATION, NUMBER_OF_FRAMES, ROWS, COLUMNS}
    | {BITS_ALLOCATED, BITS_STORED, HIGH_BIT, PIXEL_REPRESENTATION, PIXEL_PADDING_VALUE}
    | PALETTE
    | SEGMENTED_PALETTE
    | {EXTENDED_OFFSETS, EXTENDED_LENGTHS, FLOAT_PIXEL_DATA, DOUBLE_PIXEL_DATA, INTEGER_PIXEL_DATA}
)
"""What has to be known of a file."""

NATIVE = frozenset(
    {
        "",
        str(uid.ImplicitVRLittleEndian),
        str(uid.ExplicitVRLittleEndian),
        str(uid.ExplicitVRBigEndian),
        str(uid.DeflatedExplicitVRLittleEndian),
    }
)
"""Transfer syntaxes of native pixels."""

FRAME_MOST, LOOKED_MOST = 1 << 26, 1 << 25
"""The samples of a frame that is decompressed, and of one that a detector looks at: both are held whole."""

FRAMES_MOST = 1 << 20

GREY = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
RGB = frozenset({"RGB", "YBR_RCT", "YBR_ICT"})
"""Three samples of light; YBR_RCT and YBR_ICT are what JPEG 2000 makes of RGB, and gives as RGB."""

FULL_RANGE = frozenset({"YBR_FULL", "YBR_FULL_422"})
PARTIAL_RANGE = frozenset({"YBR_PARTIAL_422", "YBR_PARTIAL_420"})
HALVED = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
"""Native pixels of which two that stand side by side share their colour (PS3.3 C.7.6.3.1.2)."""


@dataclass(frozen=True)
class Image:
    """The pixels of a file.

    Attributes:
        rows: how many there are in a frame.
        columns: likewise.
        frames: how many frames there are.
        samples: how many numbers make a pixel: 1 or 3.
        allocated: the bits of a cell: 1, 8, 16 or 32.
        stored: how many of them the pixels use.
        high: the highest of these.
        is_signed: whether numbers are signed.
        photometric: the photometric interpretation.
        is_planar: whether the samples of a kind stand together.
        little: the byte order.
        syntax: the transfer syntax.
        pixels: the element.
        black: the numbers of a black pixel, one for each sample.
        padding: the Pixel Padding Value; None for none.
        palette: red, green and blue of each entry, from 0 to 255; () without one.
        palette_first: the number of the first entry.
    """

    rows: int
    columns: int
    frames: int
    samples: int
    allocated: int
    stored: int
    high: int
    is_signed: bool
    photometric: str
    is_planar: bool
    little: bool
    syntax: str
    pixels: Element
    black: tuple[int, ...]
    padding: int | None = None
    palette: tuple[tuple[int, int, int], ...] = ()
    palette_first: int = 0

    @property
    def gives_rgb(self) -> bool:
        """Whether decoders give red, green and blue though the pixels are stored otherwise."""
        return self.photometric in RGB

    @property
    def is_native(self) -> bool:
        """Whether the pixels are stored as they are (PS3.5 8.1)."""
        return self.syntax in NATIVE

    @property
    def is_halved(self) -> bool:
        """Whether two pixels share their colour."""
        return self.photometric in HALVED

    @property
    def frame_bits(self) -> int:
        """The bits of a native frame."""
        samples = 2 if self.is_halved else self.samples
        return self.rows * self.columns * samples * self.allocated

    @property
    def swaps_bytes(self) -> bool:
        """Whether cells of bytes stand in words of the other byte order (PS3.5 8.1.1, OW in big endian)."""
        return not self.little and self.allocated <= 8 and self.pixels.vr == "OW"

    def cell(self, number: int) -> bytes:
        """A number as it is stored, in a cell of whole bytes."""
        shifted = number << (self.high + 1 - self.stored)
        return (shifted % (1 << self.allocated)).to_bytes(
            self.allocated // 8, "little" if self.little else "big"
        )


def image_of(root: Scope) -> Image | None:
    """How the pixels of a data set are laid out.

    Args:
        root: the data set, of which a scan kept ``DESCRIPTION``, and beyond it the file meta.

    Returns:
        The layout; None where there are no pixels.

    Raises:
        FileError: what is said of them is missing, or contradicts itself.
    """
    elements = root.elements
    if FLOAT_PIXEL_DATA in elements or DOUBLE_PIXEL_DATA in elements:
        raise FileError("pixels of floating point numbers cannot be cleaned: leave the file out")
    pixels = elements.get(INTEGER_PIXEL_DATA)
    if pixels is None:
        return None
    syntax = syntax_of(root)
    rows, columns = _number(root, ROWS), _number(root, COLUMNS)
    frames = _frames(root)
    allocated = _number(root, BITS_ALLOCATED)
    samples = _number(root, SAMPLES_PER_PIXEL, 1)
    stored = _number(root, BITS_STORED, allocated)
    high = _number(root, HIGH_BIT, stored - 1)
    photometric = _text(root, PHOTOMETRIC_INTERPRETATION)
    if not rows or not columns:
        raise FileError("the pixels have no rows or no columns")
    if allocated not in {1, 8, 16, 32} or not 0 < stored <= high + 1 <= allocated:
        raise FileError("BitsAllocated, BitsStored and HighBit are not those of pixels that can be cleaned")
    if samples not in {1, 3} or (samples == 1) is not (photometric in GREY):
        raise FileError("SamplesPerPixel does not fit a PhotometricInterpretation that can be cleaned")
    if samples == 3 and photometric not in RGB | FULL_RANGE | PARTIAL_RANGE:
        raise FileError("the PhotometricInterpretation is none of those that can be cleaned")
    if allocated == 1 and samples == 3:
        raise FileError("BitsAllocated is not that of pixels in colour")
    if columns % 2 and photometric in HALVED and syntax in NATIVE:
        raise FileError("Columns is odd, though two pixels side by side share their colour")
    is_signed = bool(_number(root, PIXEL_REPRESENTATION))
    palette = _palette(root, is_signed=is_signed) if photometric == "PALETTE COLOR" else None
    black = _black(root, photometric, stored, palette, is_signed=is_signed)
    return Image(
        rows=rows,
        columns=columns,
        frames=frames,
        samples=samples,
        allocated=allocated,
        stored=stored,
        high=high,
        is_signed=is_signed,
        photometric=photometric,
        is_planar=samples == 3 and _number(root, PLANAR_CONFIGURATION) == 1 and photometric not in HALVED,
        little=root.encoding.little,
        syntax=syntax,
        pixels=pixels,
        black=black,
        padding=_padding(root, is_signed=is_signed) if samples == 1 else None,
        palette=palette.entries if palette else (),
        palette_first=palette.first if palette else 0,
    )


def size_of(root: Scope) -> tuple[int, int]:
    """The rows and columns of a frame; 0 for what the data set does not say."""
    try:
        return _number(root, ROWS, 0), _number(root, COLUMNS, 0)
    except FileError:
        return 0, 0


def syntax_of(root: Scope) -> str:
    """The transfer syntax; "" where the file does not say."""
    meta = root.beyond
    own = meta.elements.get(TRANSFER_SYNTAX_UID) if meta is not None else None
    return meta.raw(own).decode("latin-1").strip(" \0") if meta is not None and own is not None else ""


def _number(root: Scope, tag: int, default: int | None = None) -> int:
    element = root.elements.get(tag)
    if element is None or element.stop == element.value:
        if default is None:
            if tag in {PIXEL_REPRESENTATION, PLANAR_CONFIGURATION}:
                return 0
            raise FileError(f"{label_of(tag)} is missing, without which the pixels cannot be cleaned")
        return default
    raw = root.raw(element)
    if len(raw) != 2:
        raise FileError(f"{label_of(tag)} is not one number")
    return int.from_bytes(raw, "little" if root.encoding.little else "big")


def _frames(root: Scope) -> int:
    text = _text(root, NUMBER_OF_FRAMES)
    if not text:
        return 1
    if not text.isdecimal() or not 0 < int(text) <= FRAMES_MOST:
        raise FileError("NumberOfFrames is no number of frames")
    return int(text)


def _text(root: Scope, tag: int) -> str:
    element = root.elements.get(tag)
    return "" if element is None else root.raw(element)[:64].decode("latin-1").strip(" \0").upper()


def _black(
    root: Scope, photometric: str, stored: int, palette: _Palette | None, *, is_signed: bool
) -> tuple[int, ...]:
    """The numbers of a black pixel."""
    if photometric in RGB:
        return (0, 0, 0)
    middle = 1 << (stored - 1)
    if photometric in FULL_RANGE:
        return (0, middle, middle)
    if photometric in PARTIAL_RANGE:
        return (middle >> 3, middle, middle)  # 16 of 256 (PS3.3 C.7.6.3.1.2)
    if palette is not None:
        return (_darkest(palette, stored, is_signed=is_signed),)
    least, most = (-middle, middle - 1) if is_signed else (0, 2 * middle - 1)
    is_inverse = photometric == "MONOCHROME1"
    darkest = most if is_inverse else least
    padding = _padding(root, is_signed=is_signed)
    # Viewers take padding for background; it has to be on the dark side (PS3.3 C.7.5.1.1.2).
    if padding is not None and least <= padding <= most:
        is_dark = padding >= (least + most + 1) // 2 if is_inverse else padding < (least + most + 1) // 2
        return (padding if is_dark else darkest,)
    return (darkest,)


def _padding(root: Scope, *, is_signed: bool) -> int | None:
    element = root.elements.get(PIXEL_PADDING_VALUE)
    if element is None or element.stop - element.value != 2:
        return None
    order = root.encoding.little
    return int.from_bytes(root.raw(element), "little" if order else "big", signed=is_signed)


class _Palette(NamedTuple):
    """The entries of a palette, red, green and blue from 0 to 255, and the number of the first."""

    entries: tuple[tuple[int, int, int], ...]
    first: int


def _palette(root: Scope, *, is_signed: bool) -> _Palette:
    """The palette of a data set (PS3.3 C.7.6.3.1.5)."""
    descriptors = [_descriptor(root, tag, is_signed=is_signed) for tag in sorted(PALETTE)[:3]]
    is_segmented = not SEGMENTED_PALETTE.isdisjoint(root.elements)
    tags = sorted(SEGMENTED_PALETTE if is_segmented else PALETTE)[-3:]
    tables = []
    entries, first, _ = descriptors[0]
    for tag, (count, _, bits) in zip(tags, descriptors, strict=True):
        element = root.elements.get(tag)
        if element is None:
            raise FileError(f"{label_of(tag)} is missing, without which nothing is known to be black")
        read = _segmented if is_segmented else _plain
        table = read(root.raw(element), count, bits, little=root.encoding.little)[:entries]
        if len(table) < entries:
            raise FileError("the palette has fewer entries than it says")
        shift = 8 if bits == 16 and max(table) > 0xFF else 0
        tables.append([one >> shift & 0xFF for one in table])
    red, green, blue = tables
    return _Palette(tuple(zip(red, green, blue, strict=True)), first)


def _darkest(palette: _Palette, stored: int, *, is_signed: bool) -> int:
    """The index of the darkest entry that a pixel can have."""
    low, high = (-(1 << stored - 1), (1 << stored - 1) - 1) if is_signed else (0, (1 << stored) - 1)
    last = palette.first + len(palette.entries) - 1
    reached = range(max(palette.first, low), min(last, high) + 1)
    if not reached:
        raise FileError("no pixel can have an entry of the palette")

    def light(number: int) -> int:
        red, green, blue = palette.entries[number - palette.first]
        return 299 * red + 587 * green + 114 * blue

    return min(reached, key=light)


def _descriptor(root: Scope, tag: int, *, is_signed: bool) -> tuple[int, int, int]:
    element = root.elements.get(tag)
    raw = b"" if element is None else root.raw(element)
    if len(raw) != 6:
        raise FileError(f"{label_of(tag)} is not three numbers")
    entries, first, bits = _words(raw, little=root.encoding.little)
    if is_signed and first >= 1 << 15:
        first -= 1 << 16
    if bits not in {8, 16}:
        raise FileError(f"{label_of(tag)} has neither 8 nor 16 bits for each entry")
    return entries or 1 << 16, first, bits


def _plain(raw: bytes, entries: int, bits: int, *, little: bool) -> list[int]:
    """The entries of a palette; those of 8 bits stand in bytes, or in words where there are bytes enough."""
    if bits == 8 and len(raw) < 2 * entries:
        if not little:
            raw = _swapped(raw)
        return list(raw)
    return _words(raw, little=little)


def _segmented(raw: bytes, entries: int, bits: int, *, little: bool) -> list[int]:
    """The entries of a palette that is stored in segments (PS3.3 C.7.9.2)."""
    words = _words(raw, little=little) if bits == 16 else list(raw if little else _swapped(raw))
    found: list[int] = []
    starts: list[int] = []

    def run(place: int, most: int, *, may_repeat: bool) -> int:
        """Expand so many segments; returns where the next one begins."""
        for _ in range(most):
            if place + 1 >= len(words) or len(found) > 1 << 16:
                break
            code, length = words[place], words[place + 1]
            start, place = place, place + 2
            if code == 0:
                found.extend(words[place : place + length])
                place += length
            elif code == 1 and found and place < len(words) and length:
                last, end = found[-1], words[place]
                found.extend(last + (end - last) * step // length for step in range(1, length + 1))
                place += 1
            elif code == 2 and may_repeat:
                size = 1 if bits == 16 else 2
                parts = words[place : place + 2 * size]
                base = 16 if bits == 16 else 8
                offset = sum(part << base * number for number, part in enumerate(parts))
                unit = offset if bits == 8 else offset // 2
                if unit not in starts:
                    raise FileError("a segment of the palette repeats none that there is")
                run(unit, length, may_repeat=False)
                place += 2 * size
            else:
                raise FileError("a segment of the palette cannot be read")
            if may_repeat:
                starts.append(start)
        return place

    run(0, 1 << 16, may_repeat=True)
    return found[:entries]


def _words(raw: bytes, *, little: bool) -> list[int]:
    order = "little" if little else "big"
    return [int.from_bytes(raw[at : at + 2], order) for at in range(0, len(raw) - 1, 2)]  # type: ignore[arg-type]


def _swapped(raw: bytes) -> bytes:
    new = bytearray(raw)
    even = len(raw) // 2 * 2
    new[0:even:2], new[1:even:2] = raw[1:even:2], raw[0:even:2]
    return bytes(new)
