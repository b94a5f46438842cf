"""Native pixels with rectangles of them blackened, as they are copied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..core.errors import FileError
from ..dicom.changed_bytes import ChangedBytes
from ..dicom.embedded_overlays import cleared
from ..dicom.sources import Source
from .image import Image
from .rectangles import Rectangle, bands, disjoint

PIECE = 1 << 20


@dataclass(frozen=True)
class Masks:
    """What is blackened in the frames of a file.

    Attributes:
        common: rectangles on every frame.
        own: index of a frame to more rectangles on it.
    """

    common: tuple[Rectangle, ...] = ()
    own: Mapping[int, tuple[Rectangle, ...]] = field(default_factory=dict)

    def of(self, frame: int) -> tuple[Rectangle, ...]:
        """The rectangles on a frame, which cover no pixel twice."""
        if frame not in self.own:
            return self.common
        return disjoint((*self.common, *self.own[frame]))

    def __bool__(self) -> bool:
        return bool(self.common or any(self.own.values()))

    def frames(self, count: int) -> int:
        """How many of so many frames have a rectangle."""
        return count if self.common else sum(bool(found) for found in self.own.values())


class ByteRun(NamedTuple):
    """Bytes that become others.

    Attributes:
        start: the first, counted from the first byte of the pixels.
        data: what they become.
        keep: the bits that stay, of a run of one byte.
    """

    start: int
    data: bytes
    keep: int = 0


def frame_runs(image: Image, rectangles: tuple[Rectangle, ...]) -> list[ByteRun]:
    """The bytes of a frame that are in rectangles, in order; counted from the frame's first.

    Args:
        image: the layout; its cells are whole bytes.
        rectangles: what is blackened.
    """
    if image.is_halved:
        y, blue, red = (image.cell(number) for number in image.black)
        pattern, width, planes = y + y + blue + red, 2 * image.allocated // 8, 1
    elif image.is_planar:
        pattern, width, planes = b"", image.allocated // 8, image.samples
    else:
        pattern = b"".join(map(image.cell, image.black))
        width, planes = len(pattern), 1
    found = []
    row_size = image.columns * width
    for plane in range(planes):
        fill = image.cell(image.black[plane]) if image.is_planar else pattern
        base = plane * image.rows * row_size
        for band in bands(rectangles):
            whole = band.spans == ((0, image.columns),)
            if whole:
                size = (band.bottom - band.top) * row_size
                found.append(ByteRun(base + band.top * row_size, fill * (size // len(fill))))
                continue
            parts = [
                (left * width, fill * ((right - left) * width // len(fill))) for left, right in band.spans
            ]
            for row in range(band.top, band.bottom):
                start = base + row * row_size
                found += [ByteRun(start + place, data) for place, data in parts]
    return found


def blacken_frames(data: bytearray, image: Image, rectangles: tuple[Rectangle, ...]) -> None:
    """Make rectangles of whole frames black.

    Args:
        data: the bytes of frames, one after the other.
        image: the layout; its cells are whole bytes in the order of the file.
        rectangles: what is blackened in all of them.
    """
    cells = [image.cell(number) for number in image.black]
    if image.is_halved:
        y, blue, red = cells
        fills, width, planes = [y + y + blue + red], 2 * image.allocated // 8, 1
    elif image.is_planar:
        fills, width, planes = cells, image.allocated // 8, image.samples
    else:
        fills, width, planes = [b"".join(cells)], len(b"".join(cells)), 1
    rows = image.columns * width
    whole = np.frombuffer(data, np.uint8).reshape(-1, planes, image.rows, rows)
    for plane, fill in enumerate(fills):
        for band in bands(rectangles):
            for left, right in band.spans:
                start, stop = left * width, right * width
                pattern = np.frombuffer(fill * ((stop - start) // len(fill)), np.uint8)
                whole[:, plane, band.top : band.bottom, start:stop] = pattern


def bit_runs(image: Image, first: int, rectangles: tuple[Rectangle, ...]) -> Iterator[ByteRun]:
    """The bytes of a frame of single bits that are in rectangles, in order (PS3.5 8.1.1).

    Args:
        image: the layout.
        first: the number of the frame's first bit; frames follow each other without a gap.
        rectangles: what is blackened.
    """
    value = 0xFF if image.black[0] & 1 else 0
    for band in bands(rectangles):
        for row in range(band.top, band.bottom):
            for left, right in band.spans:
                start, stop = (first + row * image.columns + column for column in (left, right))
                yield from _bits(start, stop, value)


def _bits(start: int, stop: int, value: int) -> Iterator[ByteRun]:
    """Single bits, of which the first of a byte is its lowest."""
    while start < stop:
        byte, bit = divmod(start, 8)
        if bit or stop - start < 8:
            end = min(stop, (byte + 1) * 8)
            changed = (1 << (end - byte * 8)) - (1 << bit)
            yield ByteRun(byte, bytes([value & changed]), 0xFF ^ changed)
            start = end
        else:
            size = (stop - start) // 8
            yield ByteRun(byte, bytes([value]) * size)
            start += size * 8


@dataclass(frozen=True)
class MaskedPixels(ChangedBytes):
    """Native pixels, or the part of them that has all changes.

    Attributes:
        image: their layout.
        masks: what is blackened.
        start: where the part begins in the input.
        stop: where it ends.
        kept: what each cell is joined with by AND, as overlays in unused bits go, too; b"" if none does.
    """

    image: Image
    masks: Masks
    start: int
    stop: int
    kept: bytes = b""

    @classmethod
    def of(cls, image: Image, masks: Masks) -> MaskedPixels:
        """The part of the pixels that masks change.

        Raises:
            FileError: there are more or fewer pixels than the file says.
        """
        check_size(image)
        pixels = image.pixels
        step = image.frame_bits
        frames = (
            [0, image.frames - 1] if masks.common else sorted(f for f, found in masks.own.items() if found)
        )
        first = frames[0] * step // 8
        last = -(-(frames[-1] + 1) * step // 8)
        runs = _runs_of(image, frames[0], masks.of(frames[0]))
        begin = next(iter(runs)).start if runs else first
        start = pixels.value + begin // 8 * 8
        stop = min(pixels.value + last + last % 2, pixels.stop)
        return cls(image, masks, start, stop)

    def clearing(self, kept: bytes) -> MaskedPixels:
        """The same of all pixels, overlays in unused bits cleared."""
        return replace(self, start=self.image.pixels.value, stop=self.image.pixels.stop, kept=kept)

    def __len__(self) -> int:
        return self.stop - self.start

    def _runs(self) -> Iterator[ByteRun]:
        """All runs in order."""
        image = self.image
        step = image.frame_bits // 8
        common = frame_runs(image, self.masks.common) if image.allocated > 1 and self.masks.common else []
        for frame in range(image.frames):
            own = frame in self.masks.own
            if not own and not self.masks.common:
                continue
            if image.allocated == 1:
                yield from _runs_of(image, frame, self.masks.of(frame))
                continue
            runs = frame_runs(image, self.masks.of(frame)) if own else common
            base = frame * step
            for run in runs:
                yield ByteRun(base + run.start, run.data)

    def pieces(self, source: Source) -> Iterator[bytes]:
        """The pixels, black where a mask is."""
        image = self.image
        has_whole_frames = image.allocated > 1 and not image.swaps_bytes
        if has_whole_frames and not self.kept and image.frame_bits // 8 <= PIECE:
            yield from self._whole_frames(source)
        else:
            yield from self._stretches(source)

    def _whole_frames(self, source: Source) -> Iterator[bytes]:
        """The same, some frames at once: each rectangle is black in all of them in one step."""
        image, base = self.image, self.image.pixels.value
        size = image.frame_bits // 8
        place = self.start
        while place < self.stop:
            first, skipped = divmod(place - base, size)
            count = 1
            if not (self.masks.own or skipped):
                count = max(PIECE // size, 1)
            end = min(place - skipped + count * size, base + image.frames * size, self.stop)
            if end <= place or (end - place + skipped) % size:  # padding, or a byte of a frame without a mask
                yield source.read(place, self.stop)
                return
            data = bytearray(source.read(place - skipped, end))
            blacken_frames(data, image, self.masks.of(first))
            yield bytes(data[skipped:]) if skipped else bytes(data)
            place = end

    def _stretches(self, source: Source) -> Iterator[bytes]:
        """The same for frames of any size, bits, and bytes in words of the other order."""
        base = self.image.pixels.value
        swaps = self.image.swaps_bytes
        runs = self._runs()
        run = next(runs, None)
        for place in range(self.start, self.stop, PIECE):
            end = min(place + PIECE, self.stop)
            data = bytearray(source.read(place, end))
            if self.kept:
                data = bytearray(cleared(bytes(data), self.kept))
            if swaps:
                _swap(data)
            first, last = place - base, end - base
            while run is not None and run.start < last:
                if run.keep:
                    index = run.start - first
                    data[index] = data[index] & run.keep | run.data[0]
                else:
                    left, right = max(run.start, first), min(run.start + len(run.data), last)
                    data[left - first : right - first] = run.data[left - run.start : right - run.start]
                    if run.start + len(run.data) > last:
                        break
                run = next(runs, None)
            if swaps:
                _swap(data)
            yield bytes(data)


def _runs_of(image: Image, frame: int, rectangles: tuple[Rectangle, ...]) -> list[ByteRun]:
    first = frame * image.frame_bits
    if image.allocated == 1:
        return list(bit_runs(image, first, rectangles))
    return [ByteRun(first // 8 + run.start, run.data) for run in frame_runs(image, rectangles)]


def _swap(data: bytearray) -> None:
    """Exchange the bytes of each word; a last byte without another stays."""
    even = len(data) // 2 * 2
    data[0:even:2], data[1:even:2] = data[1:even:2], data[0:even:2]


def check_size(image: Image) -> None:
    """See whether there are as many native pixels as the file says.

    Raises:
        FileError: there are more or fewer.
    """
    wanted = -(-image.frame_bits * image.frames // 8)
    found = image.pixels.stop - image.pixels.value
    if found != wanted + wanted % 2 and found != wanted:
        raise FileError(
            f"PixelData has {found} bytes, and rows, columns, frames and bits ask for {wanted}: "
            "have the file written anew by a program that knows which is right"
        )


def even_columns(rectangles: tuple[Rectangle, ...], columns: int) -> tuple[Rectangle, ...]:
    """Rectangles that begin and end with pairs of pixels, as native ones with shared colour need."""
    found = []
    for one in rectangles:
        left, right = one.x // 2 * 2, min(-(-one.right // 2) * 2, columns)
        found.append(one._replace(x=left, width=right - left))
    return disjoint(found)
