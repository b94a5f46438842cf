"""Overlays in the unused bits of pixels (PS3.3 C.9.2.1.3, retired): which bits they take, and clearing these.

A rule that removes the group of such an overlay removes its description; the drawing, often a name
or a date, is in the pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from .changed_bytes import ChangedBytes
from .dictionary import BITS_ALLOCATED, BITS_STORED, HIGH_BIT
from .sources import Source

GROUPS = range(0x6000, 0x6100, 2)
BITS_ALLOCATED_OF_OVERLAY = 0x0100
BIT_POSITION = 0x0102
OVERLAY_DATA = 0x3000
PIECE = 1 << 20

CELL = frozenset({BITS_ALLOCATED, BITS_STORED, HIGH_BIT})
"""What says which bits of a cell the pixels use (PS3.5 8.1.1)."""

NATIVE_CELLS = frozenset({8, 16, 32, 64})


@cache
def described(group: int) -> tuple[int, int, int]:
    """The tags that tell whether an overlay is in the pixels: bits allocated, position, data."""
    return tuple(group << 16 | number for number in (BITS_ALLOCATED_OF_OVERLAY, BIT_POSITION, OVERLAY_DATA))  # type: ignore[return-value]


def position_of(group: int, numbers: Mapping[int, int], *, has_data: bool) -> int | None:
    """The bit of an overlay that is in the pixels; None where it has data of its own or does not say.

    Args:
        group: the group of the overlay.
        numbers: what the data set holds, tag to number.
        has_data: whether it holds the Overlay Data of the group.
    """
    allocated, position, _ = described(group)
    bit = numbers.get(position)
    if bit is None or (bit == 0 and (has_data or numbers.get(allocated, 1) == 1)):
        return None
    return bit


def kept_bits(positions: set[int], cell: Mapping[int, int], *, little: bool) -> bytes | None:
    """What the bytes of each cell are to be joined with by AND, to clear the bits of overlays.

    Args:
        positions: the bits, as Overlay Bit Position counts them.
        cell: the numbers of ``CELL``, as far as the file has them.
        little: the byte order of the pixels.

    Returns:
        The bytes of one cell; None if that is not certain, as the pixels themselves use a bit or
        the cell is no whole number of bytes.
    """
    allocated = cell.get(BITS_ALLOCATED, 0)
    stored = cell.get(BITS_STORED, allocated)
    high = cell.get(HIGH_BIT, stored - 1)
    if allocated not in NATIVE_CELLS or not 0 < stored <= high + 1 <= allocated:
        return None
    used = range(high + 1 - stored, high + 1)
    if any(bit in used or bit >= allocated for bit in positions):
        return None
    kept = (1 << allocated) - 1
    for bit in positions:
        kept &= ~(1 << bit)
    return kept.to_bytes(allocated // 8, "little" if little else "big")


@dataclass(frozen=True, slots=True)
class ClearedBits(ChangedBytes):
    """A stretch of the input some bits of which are cleared as it is copied.

    Attributes:
        start: where it begins.
        stop: where it ends.
        kept: what each cell is joined with by AND.
    """

    start: int
    stop: int
    kept: bytes

    def __len__(self) -> int:
        return self.stop - self.start

    def pieces(self, source: Source) -> Iterator[bytes]:
        """The new bytes, some at a time."""
        for place in range(self.start, self.stop, PIECE):
            yield cleared(source.read(place, min(place + PIECE, self.stop)), self.kept)


def cleared(data: bytes, kept: bytes) -> bytes:
    """Bytes that begin with a cell, the bits of overlays cleared."""
    new = bytearray(data)
    for place, mask in enumerate(kept):
        if mask != 0xFF:
            new[place :: len(kept)] = new[place :: len(kept)].translate(_table(mask))
    return bytes(new)


def _table(mask: int) -> bytes:
    return bytes(value & mask for value in range(256))
