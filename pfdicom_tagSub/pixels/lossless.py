"""Frames of RLE, JPEG 2000 and JPEG-LS: decoded, blackened, and encoded again by pydicom's plugins.

Decoded values outside of the rectangles are the same, which is checked before the output gets its name.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydicom import uid
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.encoders.base import get_encoder

from ..core.errors import FileError
from .frames import Numbers
from .image import Image
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

FORGETFUL = frozenset({str(uid.JPEGExtended12Bit), str(uid.HTJ2K)})
"""Those of them that allow a loss, which the new one no longer tells: LossyImageCompression has to."""

_TILE = 14
"""The bytes that a tile takes at least: its SOT and its SOD (ISO 15444-1 A.4.2, A.4.3)."""

_OF_JPEG2000 = frozenset(
    map(str, (uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K))
)


def decoded(data: bytes, image: Image, plugins: Sequence[str] = ()) -> Numbers:
    """The numbers of a frame, as stored: (rows, columns), or (rows, columns, 3) in colour.

    Args:
        data: its compressed bytes.
        image: the layout.
        plugins: decoders of pydicom, of which the first that can is taken; () for the strictest.

    Raises:
        FileError: it is damaged, or is not what the file says.
    """
    _check_claim(data, image)
    decoder = get_decoder(uid.UID(image.syntax))
    problem = ""
    for plugin in plugins or _STRICTEST.get(image.syntax, ("",)):
        try:
            with warnings.catch_warnings(action="ignore"):  # they may quote the file
                found, properties = decoder.as_array(
                    encapsulate([data], has_bot=False),
                    index=0,
                    raw=True,
                    decoding_plugin=plugin,
                    **_description(image),
                )
        except MemoryError:
            raise
        except Exception as error:  # of a plugin, whose texts may quote the file
            problem = type(error).__name__
            continue
        shape = (image.rows, image.columns, *((3,) if image.samples == 3 else ()))
        if found.shape != shape:
            raise FileError("a compressed frame has other rows, columns or samples than the file says")
        del properties
        return np.asarray(found)
    raise FileError(f"a compressed frame is damaged, or no decoder can read it: {problem}")


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
        if image.syntax in CONVERTED and not data.rstrip(b"\0\xff").endswith(b"\xff\xd9"):
            raise FileError("a compressed frame is damaged: its end is missing")  # a decoder may fill it up
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


def encoded(numbers: Numbers, image: Image) -> bytes:
    """The compressed bytes of a frame.

    Args:
        numbers: as ``decoded`` gives them.
        image: the layout.

    Raises:
        FileError: they cannot be encoded.
    """
    encoder = get_encoder(LOSSY.get(image.syntax, uid.UID(image.syntax)))
    known = _description(image)
    if image.photometric == "YBR_ICT":  # the transform without loss; decoders go by the codestream
        known["photometric_interpretation"] = "YBR_RCT"
    try:
        with warnings.catch_warnings(action="ignore"):
            return encoder.encode(np.ascontiguousarray(numbers), **known)
    except MemoryError:
        raise
    except Exception as error:  # as above
        raise FileError(f"a frame cannot be compressed again as it was: {type(error).__name__}") from None


def blackened(numbers: Numbers, image: Image, rectangles: tuple[Rectangle, ...]) -> Numbers:
    """The numbers of a frame, black in rectangles."""
    made = numbers.copy()
    for one in rectangles:
        made[one.y : one.bottom, one.x : one.right] = image.black if image.samples == 3 else image.black[0]
    return made


def _description(image: Image) -> dict[str, Any]:
    """What a plugin has to know."""
    known: dict[str, Any] = {
        "number_of_frames": 1,
        "pixel_keyword": "PixelData",
        "rows": image.rows,
        "columns": image.columns,
        "samples_per_pixel": image.samples,
        "photometric_interpretation": image.photometric,
        "bits_allocated": image.allocated,
        "bits_stored": image.stored,
        "pixel_representation": int(image.is_signed),
    }
    if image.samples == 3:
        # JPEG 2000 gives the samples of a pixel together whatever the file says (PS3.5 8.2.4).
        known["planar_configuration"] = int(image.is_planar and image.syntax not in _OF_JPEG2000)
    return known
