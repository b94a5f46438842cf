"""The tables by which a file says its numbers are shown: Modality LUT and VOI LUT (PS3.3 C.11.1, C.11.2)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ..core.errors import FileError
from ..dicom.elements import Stretch
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import Scope
from .frames import Numbers, Picture, windowed
from .image import Image
from .windows import rescaling_of

MODALITY_LUT = 0x00283000
VOI_LUT = 0x00283010
TABLES = frozenset({MODALITY_LUT, VOI_LUT})
"""The sequences that hold tables, of which the first item counts."""

_DESCRIPTOR = 0x00283002
_DATA = 0x00283006
_PARTS = frozenset({_DESCRIPTOR, _DATA})
_FILTER = ScanFilter(TABLES | _PARTS, _PARTS, walked=TABLES)

ENTRIES_MOST = 1 << 16


@dataclass(frozen=True)
class LookupTable:
    """A table from numbers to others.

    Attributes:
        first: the number of its first entry.
        entries: what numbers from the first on become; those beyond an end become what is there.
        white: the highest number that an entry may have.
    """

    first: int
    entries: npt.NDArray[np.int64]
    white: int

    @property
    def range(self) -> tuple[tuple[float, float], ...]:
        """What its entries are, as a window; () where all are the same."""
        low, high = float(np.min(self.entries)), float(np.max(self.entries))
        return ((low, high),) if low < high else ()

    def of(self, numbers: Numbers) -> npt.NDArray[np.int64]:
        """What numbers become."""
        places = np.clip(numbers.astype(np.int64) - self.first, 0, len(self.entries) - 1)
        return self.entries[places]


class LookupTables:
    """The tables of one file."""

    def __init__(self, root: Scope, image: Image) -> None:
        """Args:
        root: the data set, of which a scan kept ``TABLES`` and ``WINDOW``.
        image: the layout of its pixels.
        """
        self._modality = _table_of(root, MODALITY_LUT, is_signed=image.is_signed)
        self._slope, self._intercept = (1.0, 0.0) if self._modality else rescaling_of(root)
        is_signed = not self._modality and (image.is_signed or self._intercept < 0)
        self._voi = _table_of(root, VOI_LUT, is_signed=is_signed)

    def shown(self, numbers: Numbers, image: Image, windows: tuple[tuple[float, float], ...]) -> Picture:
        """What a viewer shows of a frame at first: a window goes before a table, as viewers choose.

        Args:
            numbers: those of the frame, as stored.
            image: the layout.
            windows: those of the header: of stored numbers, or of those that Modality LUT makes of them.
        """
        if image.samples != 1 or image.palette:
            return windowed(numbers, image, ())
        if self._modality is not None:
            numbers = self._modality.of(numbers)
        if windows:
            return windowed(numbers, image, windows)
        if self._voi is not None:
            made = self._voi.of(numbers * self._slope + self._intercept)
            return windowed(made, image, ((0.0, float(self._voi.white)),))
        return windowed(numbers, image, () if self._modality is None else self._modality.range)


def _table_of(root: Scope, sequence: int, *, is_signed: bool) -> LookupTable | None:
    """The table of a data set in one of ``TABLES``; None where there is none that can be read.

    Args:
        root: the data set, of which a scan kept ``TABLES``.
        sequence: the tag of the sequence.
        is_signed: whether the numbers that are looked up may be negative.
    """
    element = root.elements.get(sequence)
    if element is None:
        return None
    where = Stretch(root.source, element.start, element.end, root.encoding)
    try:
        items = [item for one in scan(where, _FILTER) for item in one.items or ()]
        if not items:
            return None
        item = Scope(root.source, items[0].elements, items[0].encoding, items[0].value)
        descriptor, data = (item.raw(item.elements[tag]) for tag in (_DESCRIPTOR, _DATA))
    except (FileError, KeyError):
        return None
    return _read(descriptor, data, little=items[0].encoding.little, is_signed=is_signed)


def _read(descriptor: bytes, data: bytes, *, little: bool, is_signed: bool) -> LookupTable | None:
    order = "<" if little else ">"
    if len(descriptor) < 6:
        return None
    count, _, bits = struct.unpack(f"{order}3H", descriptor[:6])
    count = count or ENTRIES_MOST  # 0 stands for one more than two bytes can tell
    (first,) = struct.unpack(f"{order}{'h' if is_signed else 'H'}", descriptor[2:4])
    if not 8 <= bits <= 16:
        return None
    if len(data) >= 2 * count:
        entries = np.frombuffer(data, f"{order}u2", count)
    elif bits == 8 and len(data) >= count:
        entries = np.frombuffer(data, np.uint8, count)
    else:
        return None
    return LookupTable(first, entries.astype(np.int64), (1 << bits) - 1)
