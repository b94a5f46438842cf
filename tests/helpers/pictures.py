"""Pictures with text in them, made by hand; for the tests of the cleaning of pixels."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

US = "1.2.840.10008.5.1.4.1.1.6.1"
US_MULTI = "1.2.840.10008.5.1.4.1.1.3.1"
CT = "1.2.840.10008.5.1.4.1.1.2"

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Layout:
    """How the pixels of a picture are stored.

    Attributes:
        name: what the tests' ids call it.
        photometric: the photometric interpretation.
        allocated: the bits of a cell.
        stored: how many the pixels use; 0 for all.
        signed: whether numbers are signed.
        planar: the planar configuration.
        black: the numbers of a black pixel.
        padding: the Pixel Padding Value; None for none.
    """

    name: str
    photometric: str
    allocated: int
    stored: int = 0
    signed: bool = False
    planar: int = 0
    black: tuple[int, ...] = (0,)
    padding: int | None = None

    @property
    def samples(self) -> int:
        """How many numbers make a pixel."""
        return len(self.black)

    @property
    def bits(self) -> int:
        """How many bits the pixels use."""
        return self.stored or self.allocated


LAYOUTS = (
    Layout("mono2-8", "MONOCHROME2", 8),
    Layout("mono1-8", "MONOCHROME1", 8, black=(255,)),
    Layout("mono2-12-of-16", "MONOCHROME2", 16, 12),
    Layout("mono1-12-of-16", "MONOCHROME1", 16, 12, black=(4095,)),
    Layout("signed-16", "MONOCHROME2", 16, signed=True, black=(-32768,)),
    Layout("signed-12-of-16", "MONOCHROME2", 16, 12, signed=True, black=(-2048,)),
    Layout("padded-16", "MONOCHROME2", 16, signed=True, black=(-2000,), padding=-2000),
    Layout("mono2-32", "MONOCHROME2", 32),
    Layout("mono1-signed-32", "MONOCHROME1", 32, signed=True, black=(2**31 - 1,)),
    Layout("mono2-1", "MONOCHROME2", 1),
    Layout("mono1-1", "MONOCHROME1", 1, black=(1,)),
    Layout("palette-8", "PALETTE COLOR", 8, black=(3,)),
    Layout("palette-16", "PALETTE COLOR", 16, black=(3,)),
    Layout("rgb-0", "RGB", 8, black=(0, 0, 0)),
    Layout("rgb-1", "RGB", 8, planar=1, black=(0, 0, 0)),
    Layout("rgb-16", "RGB", 16, black=(0, 0, 0)),
    Layout("ybr-0", "YBR_FULL", 8, black=(0, 128, 128)),
    Layout("ybr-1", "YBR_FULL", 8, planar=1, black=(0, 128, 128)),
    Layout("ybr-422", "YBR_FULL_422", 8, black=(0, 128, 128)),
)


def numbers(layout: Layout, frames: int, rows: int, columns: int, seed: int = 1) -> Array:
    """Numbers for every sample, none of them black: (frames, rows, columns, samples)."""
    random = np.random.default_rng(seed)
    least = -(1 << layout.bits - 1) if layout.signed else 0
    most = least + (1 << layout.bits)
    made = random.integers(least, most, (frames, rows, columns, layout.samples), dtype=np.int64)
    if layout.photometric == "PALETTE COLOR":
        made %= 16
    if layout.bits == 1:
        made[:] = 1 - layout.black[0]
    return made


def stored(layout: Layout, values: Array, little: bool = True) -> bytes:
    """The bytes of the pixels as PS3.5 8 has them."""
    if layout.allocated == 1:
        return np.packbits(values.astype(np.uint8).reshape(-1), bitorder="little").tobytes()
    kind = np.dtype(f"{'<' if little else '>'}{'i' if layout.signed else 'u'}{layout.allocated // 8}")
    if layout.photometric == "YBR_FULL_422":
        pairs = values.reshape(*values.shape[:2], -1, 2, 3)
        cells = np.stack([pairs[..., 0, 0], pairs[..., 1, 0], pairs[..., 0, 1], pairs[..., 0, 2]], axis=-1)
        return cells.astype(kind).tobytes()
    if layout.planar:
        values = values.transpose(0, 3, 1, 2)
    return values.astype(kind).tobytes()


def loaded(layout: Layout, data: bytes, shape: tuple[int, ...], little: bool = True) -> Array:
    """The numbers of stored pixels, in the shape of ``numbers``."""
    if layout.allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
        return bits[: int(np.prod(shape))].reshape(shape).astype(np.int64)
    kind = np.dtype(f"{'<' if little else '>'}{'i' if layout.signed else 'u'}{layout.allocated // 8}")
    frames, rows, columns, samples = shape
    if layout.photometric == "YBR_FULL_422":
        size = frames * rows * columns * 2 * kind.itemsize
        cells = np.frombuffer(data[:size], kind).reshape(frames, rows, columns // 2, 4)
        pairs = np.stack(
            [cells[..., [0, 2, 3]], cells[..., [1, 2, 3]]],
            axis=-2,
        )
        return pairs.reshape(shape).astype(np.int64)
    size = int(np.prod(shape)) * kind.itemsize
    flat = np.frombuffer(data[:size], kind)
    if layout.planar:
        return flat.reshape(frames, samples, rows, columns).transpose(0, 2, 3, 1).astype(np.int64)
    return flat.reshape(shape).astype(np.int64)


def picture(
    layout: Layout = LAYOUTS[0],
    *,
    frames: int = 1,
    rows: int = 40,
    columns: int = 60,
    syntax: str = uid.ExplicitVRLittleEndian,
    values: Array | None = None,
    vr: str = "",
    **elements: Any,
) -> Dataset:
    """A picture with native pixels, an ultrasound image unless the elements say otherwise.

    Args:
        layout: how its pixels are stored.
        frames: how many frames it has.
        rows: its rows.
        columns: its columns.
        syntax: its transfer syntax.
        values: the numbers of its pixels; None for random ones.
        vr: the VR of its pixels; "" for the usual one.
        elements: more elements, keyword to value.
    """
    made = Dataset()
    made.SOPClassUID = US_MULTI if frames > 1 else US
    made.SOPInstanceUID = "1.2.3.4"
    made.Modality = "US"
    made.PatientName = "DOE^JANE"
    made.PatientID = "4711"
    made.SamplesPerPixel = layout.samples
    made.PhotometricInterpretation = layout.photometric
    if layout.samples > 1:
        made.PlanarConfiguration = layout.planar
    if frames > 1:
        made.NumberOfFrames = frames
    made.Rows, made.Columns = rows, columns
    made.BitsAllocated, made.BitsStored, made.HighBit = layout.allocated, layout.bits, layout.bits - 1
    made.PixelRepresentation = int(layout.signed)
    if layout.padding is not None:
        made.add_new(0x00280120, "SS" if layout.signed else "US", layout.padding)
    little = syntax != uid.ExplicitVRBigEndian
    if layout.photometric == "PALETTE COLOR":
        kind = "<u2" if little else ">u2"
        entries = (np.arange(16) * 3000 + 9000).astype(kind)
        entries[3] = 1
        for number in range(3):
            made.add_new(0x00281101 + number, "US", [16, 0, 16])
            made.add_new(0x00281201 + number, "OW", entries.tobytes())
    values = numbers(layout, frames, rows, columns) if values is None else values
    data = stored(layout, values, little)
    made.add_new(0x7FE00010, vr or ("OW" if layout.allocated > 8 else "OB"), data + b"\0" * (len(data) % 2))
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = uid.UID(syntax)
    made.file_meta.MediaStorageSOPClassUID = made.SOPClassUID
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def region(left: int, top: int, right: int, bottom: int) -> Dataset:
    """A region of ultrasound; its last column and row count."""
    made = Dataset()
    made.RegionSpatialFormat = 1
    made.RegionLocationMinX0, made.RegionLocationMinY0 = left, top
    made.RegionLocationMaxX1, made.RegionLocationMaxY1 = right, bottom
    return made


def file_bytes(made: Dataset) -> bytes:
    """The file of a data set."""
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        pydicom.dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()
