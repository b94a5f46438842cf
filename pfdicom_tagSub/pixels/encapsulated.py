"""Compressed pixels: their frames and fragments, and new frames among them (PS3.5 A.4)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from ..core.errors import FileError
from ..dicom.changed_bytes import ChangedBytes
from ..dicom.edits import Edit
from ..dicom.elements import Element
from ..dicom.inflating import write_temporary
from ..dicom.sources import Source
from .image import Image

ITEM_START = b"\xfe\xff\x00\xe0"
_FIRST_BYTES = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
"""SOI and the marker after it (T.81 B.1.1.3; JPEG-LS too), SOC and SIZ (ISO 15444-1 A.4)."""

IN_MEMORY = 1 << 24
FRAME_BYTES_MOST = 1 << 29
"""The bytes of a compressed frame; more are taken for a lie."""

_OFFSET_MOST = (1 << 32) - 1


class Fragment(NamedTuple):
    """A fragment: where its item begins, where its bytes begin, and where they end."""

    start: int
    value: int
    stop: int


@dataclass(frozen=True)
class Frames:
    """The frames of compressed pixels.

    Attributes:
        table: the item of the basic offset table.
        frames: the fragments of each frame.
    """

    table: Fragment
    frames: tuple[tuple[Fragment, ...], ...]

    def data(self, source: Source, frame: int) -> bytes:
        """The compressed bytes of a frame."""
        return b"".join(source.read(one.value, one.stop) for one in self.frames[frame])


def frames_of(source: Source, image: Image, extended: Element | None) -> Frames:
    """Find the frames.

    Args:
        source: the bytes of the data set, which is little endian.
        image: the layout of the pixels.
        extended: the extended offset table; None without one.

    Raises:
        FileError: the fragments are damaged, or nobody can say which are whose.
    """
    if image.pixels.defined:
        raise FileError("PixelData is not in fragments, though its transfer syntax says so")
    items = list(_items(source, image.pixels.value, image.pixels.stop))
    if len(items) < 2:
        raise FileError("PixelData has no fragments")
    table, fragments = items[0], items[1:]
    count = image.frames
    if count == 1:
        groups = [fragments]
    else:
        offsets = _offsets(source, table, extended, count)
        if not offsets and len(fragments) > count:
            offsets = _starts(source, fragments)
        groups = _grouped(fragments, offsets) if offsets else [[one] for one in fragments]
    if len(groups) != count or not all(groups):
        raise FileError("the fragments of PixelData do not make the frames that the file says")
    for group in groups:
        if sum(one.stop - one.value for one in group) > FRAME_BYTES_MOST:
            raise FileError("a compressed frame is too large")
    return Frames(table, tuple(tuple(group) for group in groups))


def _items(source: Source, place: int, stop: int) -> Iterator[Fragment]:
    while place < stop:
        header = source.read(place, min(place + 8, stop))
        length = int.from_bytes(header[4:8], "little")
        if len(header) < 8 or header[:4] != ITEM_START or place + 8 + length > stop:
            raise FileError("a fragment of PixelData is damaged")
        yield Fragment(place, place + 8, place + 8 + length)
        place += 8 + length


def _offsets(source: Source, table: Fragment, extended: Element | None, count: int) -> list[int]:
    """Where frames begin, from the item after the offset table; [] where no table says it."""
    if extended is not None and extended.stop > extended.value:
        raw, width = source.read(extended.value, extended.stop), 8
    elif table.stop > table.value:
        raw, width = source.read(table.value, table.stop), 4
    else:
        return []
    if len(raw) != count * width:
        raise FileError("an offset table of PixelData has another number of frames than the file says")
    return [int.from_bytes(raw[at : at + width], "little") for at in range(0, len(raw), width)]


def _starts(source: Source, fragments: Sequence[Fragment]) -> list[int]:
    """Where frames begin by their first bytes, as of ``_offsets``: a JPEG (of any kind) begins with a marker
    that occurs nowhere else in it. [] where the first fragment has none.
    """
    return [
        one.start - fragments[0].start
        for one in fragments
        if source.read(one.value, min(one.value + 4, one.stop)).startswith(_FIRST_BYTES)
    ]


def _grouped(fragments: Sequence[Fragment], offsets: Sequence[int]) -> list[list[Fragment]]:
    base = fragments[0].start
    starts = {base + offset for offset in offsets}
    if len(starts) < len(offsets) or not starts <= {one.start for one in fragments} or base not in starts:
        raise FileError("an offset table of PixelData does not point at fragments")
    groups: list[list[Fragment]] = []
    for one in fragments:
        if one.start in starts:
            groups.append([])
        groups[-1].append(one)
    return groups


@dataclass(frozen=True)
class Stored(ChangedBytes):
    """New bytes that are kept in a file without a name, or in memory while they are few.

    Attributes:
        file: where they are, with others.
        start: where they begin.
        stop: where they end.
    """

    file: IO[bytes] = field(compare=False)
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start

    def pieces(self, source: Source) -> Iterator[bytes]:  # noqa: ARG002
        """The new bytes."""
        for place in range(self.start, self.stop, IN_MEMORY):
            self.file.seek(place)
            yield self.file.read(min(IN_MEMORY, self.stop - place))


class NewFrames:
    """Frames that take the place of others."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115
        self._size = 0
        self.frames: dict[int, Stored] = {}

    def add(self, frame: int, data: bytes) -> None:
        """Note the compressed bytes of a frame."""
        data += b"\0" * (len(data) % 2)
        item = ITEM_START + len(data).to_bytes(4, "little") + data
        self._file.seek(self._size)
        write_temporary(self._file, item)
        self.frames[frame] = Stored(self._file, self._size, self._size + len(item))
        self._size += len(item)


def edits_of(
    frames: Frames,
    new: Mapping[int, Stored],
    extended: Element | None,
    lengths: Element | None,
) -> tuple[Edit, ...]:
    """The changes that put new frames in the place of others; offset tables stay true.

    Args:
        frames: those that there are.
        new: the new ones by their index.
        extended: the extended offset table; None without one.
        lengths: the extended lengths; None without them.

    Raises:
        FileError: a table has no room for a new offset.
    """
    edits = []
    starts: list[int] = []
    sizes: list[int] = []
    place = 0
    for index, group in enumerate(frames.frames):
        starts.append(place)
        stored = new.get(index)
        if stored is None:
            place += group[-1].stop - group[0].start
            sizes.append(sum(one.stop - one.value for one in group))
        else:
            place += len(stored)
            sizes.append(len(stored) - 8)
            edits.append(Edit(group[0].start, group[-1].stop, stored))
    table = frames.table
    if table.stop > table.value:
        if starts[-1] > _OFFSET_MOST:
            raise FileError("the basic offset table has no room for an offset")
        edits.append(_numbers(table.value, table.stop, starts, 4))
    for element, numbers in ((extended, starts), (lengths, sizes)):
        if element is not None and element.stop > element.value:
            edits.append(_numbers(element.value, element.stop, numbers, 8))
    return tuple(sorted(edits, key=lambda edit: edit.start))


def _numbers(start: int, stop: int, numbers: Sequence[int], width: int) -> Edit:
    data = b"".join(number.to_bytes(width, "little") for number in numbers)
    if len(data) != stop - start:
        raise FileError("an offset table of PixelData has another number of frames than the file says")
    return Edit(start, stop, data)
