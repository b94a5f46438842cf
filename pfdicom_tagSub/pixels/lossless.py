"""Frames of RLE, JPEG 2000 and JPEG-LS: decoded, blackened, and encoded again by pydicom's plugins.

All bits of the cells outside of the rectangles are the same, also those that pixels do not use; that is
checked before the output gets its name.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder

from ..core.errors import FileError
from .frames import Numbers, used_bits
from .image import RGB, Image
from .jpeg_blocks import header_of
from .rectangles import Rectangle

_STRICTEST = {str(uid.RLELossless): ("pylibjpeg",), str(uid.JPEGLSLossless): ("pyjpegls",)}
"""pydicom's own decoder of RLE fills up what is damaged. Of JPEG-LS, the check has the slower decoder."""

LOSSY = {str(uid.JPEG2000): uid.JPEG2000Lossless, str(uid.JPEGLSNearLossless): uid.JPEGLSLossless}
"""Transfer syntaxes that allow a loss, and how frames are encoded again under them: without another loss."""

SYNTAXES = frozenset({str(uid.RLELossless), str(uid.JPEG2000Lossless), str(uid.JPEGLSLossless), *LOSSY})
"""What can be encoded again under the transfer syntax that it has."""

CONVERTED = {
    str(uid.JPEGExtended12Bit): str(uid.JPEGLSLossless),
    str(uid.JPEGLossless): str(uid.JPEGLSLossless),
    str(uid.JPEGLosslessSV1): str(uid.JPEGLSLossless),
    str(uid.HTJ2KLossless): str(uid.JPEG2000Lossless),
    str(uid.HTJ2KLosslessRPCL): str(uid.JPEG2000Lossless),
    str(uid.HTJ2K): str(uid.JPEG2000Lossless),
}
"""Transfer syntaxes that nothing here can encode, and the lossless one that a cleaned file has instead.

JPEG Extended is one of them where it has 12 bits.
"""

_OF_LOSSLESS_JPEG = frozenset(map(str, (uid.JPEGLossless, uid.JPEGLosslessSV1)))
"""Some decoders give more bits of it than it says, as its differences count modulo 2**16 (T.81 H.1.2.1)."""

FORGETFUL = frozenset({str(uid.JPEGExtended12Bit), str(uid.HTJ2K), *LOSSY})
"""Those that allow a loss, which another one no longer tells: LossyImageCompression has to."""

ALWAYS_LOSSY = frozenset({str(uid.JPEGExtended12Bit)})
"""Those of them that never go without a loss, whatever a file says."""

_TILE = 14
"""The bytes that a tile takes at least: its SOT and its SOD (ISO 15444-1 A.4.2, A.4.3)."""

_OF_JPEG2000 = frozenset(
    map(str, (uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K))
)

NATIVE_SYNTAX = str(uid.ExplicitVRLittleEndian)
"""What a cleaned file has where no frame can be encoded again."""

_SIDE_LEAST = 32
_DEEPEST = 24
"""The shortest side and the most bits of what pylibjpeg-openjpeg encodes: it takes six resolutions."""


@dataclass(frozen=True)
class FrameCells:
    """The cells of a frame with all bits that its codestream has: those that the pixels use, and others.

    Attributes:
        numbers: what is in them, without a sign: (rows, columns), or (rows, columns, 3) in colour.
        bits: how many bits each has.
        is_signed: whether the codestream says that they have a sign.
        shift: how far the pixels stand above the lowest bit.
    """

    numbers: Numbers
    bits: int
    is_signed: bool
    shift: int

    def pixels(self, image: Image) -> Numbers:
        """What they hold of pixels."""
        if image.samples == 3 or (self.bits == image.stored and not image.is_signed):
            return self.numbers
        return used_bits(self.numbers, replace(image, high=self.shift + image.stored - 1))

    def blackened(self, image: Image, rectangles: tuple[Rectangle, ...], cleared: int = 0) -> FrameCells:
        """The cells, black in rectangles.

        Args:
            image: the layout of the pixels.
            rectangles: what is blackened.
            cleared: bits of all cells that become 0.
        """
        every = (1 << self.bits) - 1
        made = self.numbers & (every & ~cleared) if cleared & every else self.numbers.copy()
        black = [(number << self.shift) & every for number in image.black]
        for one in rectangles:
            made[one.y : one.bottom, one.x : one.right] = black if image.samples == 3 else black[0]
        return replace(self, numbers=made)


class _Codestream(NamedTuple):
    """What a codestream says of its cells: their bits, and whether they have a sign."""

    bits: int
    is_signed: bool


def syntax_again(image: Image, first: bytes) -> str:
    """The transfer syntax in which frames can be encoded again; "" where they can be native ones alone.

    Args:
        image: the layout of their pixels.
        first: the first frame.

    Raises: as of ``decoded``.
    """
    syntax = CONVERTED.get(image.syntax, image.syntax)
    bits = max(_codestream(first, image).bits, image.stored)
    if syntax == uid.RLELossless:
        can = image.allocated in {8, 16}
    elif syntax in _OF_JPEG2000:
        can = min(image.rows, image.columns) >= _SIDE_LEAST and bits <= _DEEPEST
    else:
        can = 2 <= bits <= 16  # the precisions of JPEG-LS (T.87 C.2.2)
    return syntax if can else ""


def native_image(image: Image) -> Image:
    """The layout of the same pixels where they are not compressed.

    Args:
        image: that of compressed ones.

    Raises:
        FileError: they have no native form.
    """
    photometric = image.photometric
    if photometric in RGB:
        photometric = "RGB"
    elif photometric == "YBR_FULL_422":  # compressed frames have the colour of each pixel
        photometric = "YBR_FULL"
    elif photometric.startswith("YBR_PARTIAL"):
        raise FileError("its frames cannot be compressed again, and have no native form: decompress the file")
    return replace(image, photometric=photometric, syntax=NATIVE_SYNTAX)


def holds(data: bytes, image: Image, bits: int) -> bool:
    """Whether the codestream of a frame may have some of these bits of each cell.

    Raises: as of ``decoded``.
    """
    own = _codestream(data, image).bits
    if image.syntax in _OF_LOSSLESS_JPEG:
        own = 8 * _bytes_of(own)
    return bool(bits & ((1 << own) - 1))


def decoded(data: bytes, image: Image, plugins: Sequence[str] = ()) -> FrameCells:
    """The cells of a frame.

    Args:
        data: its compressed bytes.
        image: the layout of its pixels.
        plugins: decoders of pydicom, of which the first that can is taken; () for the strictest.

    Raises:
        FileError: it is damaged, or is not what the file says.
    """
    codestream = _codestream(data, image)
    decoder = get_decoder(uid.UID(image.syntax))
    problem = ""
    for plugin in plugins or _STRICTEST.get(image.syntax, ("",)):
        try:
            with warnings.catch_warnings(action="ignore"):  # they may quote the file
                found, _ = decoder.as_array(
                    encapsulate([data], has_bot=False),
                    index=0,
                    raw=True,
                    decoding_plugin=plugin,
                    **_description(image, codestream),
                )
        except BaseException as error:  # of a plugin, whose texts may quote the file
            if not _is_of_plugin(error):
                raise
            problem = type(error).__name__
            continue
        if found.shape != (image.rows, image.columns, *((3,) if image.samples == 3 else ())):
            raise FileError("a compressed frame has other rows, columns or samples than the file says")
        return _cells(np.asarray(found), image, codestream)
    raise FileError(
        f"a compressed frame is damaged, or no decoder here can read it ({problem}): if another program can, "
        "decompress the file by that and run again"
    )


def _is_of_plugin(error: BaseException) -> bool:
    """Whether an error is one of a plugin over a frame; a panic of one in Rust is no Exception."""
    is_panic = type(error).__module__ == "pyo3_runtime"
    return is_panic or (isinstance(error, Exception) and not isinstance(error, MemoryError))


def _cells(found: Numbers, image: Image, codestream: _Codestream) -> FrameCells:
    """FrameCells as a decoder gives them, in numbers without a sign."""
    bits = max(codestream.bits, image.stored)  # black may need them
    kind = f"u{_bytes_of(bits)}"
    numbers = found.view(kind) if found.dtype.itemsize == _bytes_of(bits) else found.astype(kind)
    if bits < 8 * _bytes_of(bits):
        numbers = numbers & ((1 << bits) - 1)
    shift = image.high + 1 - image.stored if codestream.bits > image.high else 0
    return FrameCells(numbers, bits, codestream.is_signed, shift)


def _bytes_of(bits: int) -> int:
    """The bytes that decoders give to a cell."""
    return 1 if bits <= 8 else 2 if bits <= 16 else 4


def _codestream(data: bytes, image: Image) -> _Codestream:
    """What a frame says of its cells.

    Raises:
        FileError: it is damaged, or is not what the file says.
    """
    _check_claim(data, image)
    if image.syntax == uid.RLELossless:
        return _Codestream(image.allocated, is_signed=False)
    if image.syntax not in _OF_JPEG2000:
        return _Codestream(header_of(data).precision, is_signed=False)
    depths = data[42 : 42 + 3 * image.samples : 3]  # of each component (ISO 15444-1 A.5.1)
    if len(set(depths)) != 1 or depths[0] & 0x7F >= 32:
        raise FileError("the samples of a compressed frame have different bits, or too many")
    return _Codestream((depths[0] & 0x7F) + 1, is_signed=depths[0] >= 0x80)


def _check_claim(data: bytes, image: Image) -> None:
    """See whether a frame says that it is as large as its file says, before memory is taken for it.

    Raises:
        FileError: it says otherwise, or does not say.
    """
    claimed: tuple[int, int, int] | None = None
    if image.syntax in _OF_JPEG2000:  # SOC and SIZ (ISO 15444-1 A.5.1)
        if data[:4] == b"\xff\x4f\xff\x51" and len(data) >= 42:
            right, bottom, left, top = (int.from_bytes(data[at : at + 4], "big") for at in range(8, 24, 4))
            claimed = bottom - top, right - left, int.from_bytes(data[40:42], "big")
    elif image.syntax == uid.RLELossless:
        return  # a frame has what the file says
    else:
        header = header_of(data)
        claimed = header.rows, header.columns, len(header.factors)
        # A decoder may fill it up, or wait for ever. DCMTK makes lengths even with any byte after the end.
        if b"\xff\xd9" not in data.rstrip(b"\0\xff")[-3:]:
            raise FileError("a compressed frame is damaged: its end is missing")
        if image.syntax in _OF_LOSSLESS_JPEG and header.rows * header.columns > 8 * len(data):
            raise FileError("a compressed frame has too few bytes for its pixels")  # a bit each (T.81 H.1.2)
    if claimed != (image.rows, image.columns, image.samples):
        raise FileError("a compressed frame has other rows, columns or samples than the file says")
    if image.syntax in _OF_JPEG2000:
        width, height = (int.from_bytes(data[at : at + 4], "big") for at in (24, 28))
        if (
            not width
            or not height
            or -(-image.columns // width) * -(-image.rows // height) * _TILE > len(data)
        ):
            raise FileError("a compressed frame has too few bytes for its tiles")


def encoded(cells: FrameCells, image: Image) -> bytes:
    """The compressed bytes of a frame.

    Args:
        cells: as ``decoded`` gives them.
        image: the layout of its pixels.

    Raises:
        FileError: they cannot be encoded.
    """
    encoder = get_encoder(LOSSY.get(image.syntax, uid.UID(image.syntax)))
    known = _description(image, _Codestream(cells.bits, cells.is_signed))
    if image.photometric == "YBR_ICT":  # the transform without loss; decoders go by the codestream
        known["photometric_interpretation"] = "YBR_RCT"
    numbers = cells.numbers
    if cells.is_signed:
        unused = 8 * numbers.dtype.itemsize - cells.bits
        numbers = (numbers << unused).view(f"i{numbers.dtype.itemsize}") >> unused
    try:
        with warnings.catch_warnings(action="ignore"):
            return encoder.encode(np.ascontiguousarray(numbers), **known)
    except BaseException as error:  # of an encoder, whose texts may quote the file
        if not _is_of_plugin(error):
            raise
        raise FileError(
            f"a frame cannot be compressed again as it was ({type(error).__name__}): decompress the file and "
            "run again"
        ) from None


def _description(image: Image, codestream: _Codestream) -> dict[str, Any]:
    """What a plugin has to know."""
    is_rle = image.syntax == uid.RLELossless
    known: dict[str, Any] = {
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "rows": image.rows,
        "columns": image.columns,
        "samples_per_pixel": image.samples,
        "photometric_interpretation": image.photometric,
        "bits_allocated": image.allocated if is_rle else 8 * _bytes_of(codestream.bits),
        "bits_stored": codestream.bits,
        "pixel_representation": int(codestream.is_signed),
    }
    if image.samples == 3:
        # JPEG 2000 gives the samples of a pixel together whatever the file says (PS3.5 8.2.4).
        known["planar_configuration"] = int(image.is_planar and image.syntax not in _OF_JPEG2000)
    return known
