"""Changes to a stretch of bytes, and the output that they make of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter
from typing import NamedTuple

from .changed_bytes import ChangedBytes
from .sources import Source

COPY_CHUNK = 8 << 20


class Edit(NamedTuple):
    """The bytes from start to stop become others; start == stop inserts.

    Attributes:
        start: the first byte that is replaced.
        stop: the first byte after them.
        data: what stands there instead.
    """

    start: int
    stop: int
    data: bytes | ChangedBytes

    @property
    def growth(self) -> int:
        """By how many bytes the output is longer."""
        return len(self.data) - (self.stop - self.start)

    @property
    def place(self) -> int:
        """A byte of the element that it changes: what is inserted in an element may stand at its end."""
        return self.start - (self.start == self.stop)


Chunk = bytes | tuple[int, int] | ChangedBytes
"""New bytes, where to copy from in the input, (start, stop), or what to change as it is copied."""


def in_order(edits: Sequence[Edit]) -> list[Edit]:
    """The edits in the order of the bytes; insertions at one place keep theirs."""
    return sorted(edits, key=itemgetter(0, 1))


def chunks(start: int, stop: int, edits: Sequence[Edit]) -> Iterator[Chunk]:
    """The output of a stretch.

    Args:
        start: where the stretch begins.
        stop: where it ends.
        edits: its changes in order.

    Raises:
        ValueError: changes overlap; writing them would damage the file.
    """
    position = start
    for edit in edits:
        if edit.start < position:
            raise ValueError("overlapping edits")
        if edit.start > position:
            yield position, edit.start
        if edit.data:
            yield edit.data
        position = edit.stop
    if position < stop:
        yield position, stop


def pieces(source: Source, chunks: Iterable[Chunk]) -> Iterator[bytes]:
    """The bytes of chunks, at most ``COPY_CHUNK`` at a time."""
    for chunk in chunks:
        if isinstance(chunk, bytes):
            yield chunk
            continue
        if not isinstance(chunk, tuple):
            yield from chunk.pieces(source)
            continue
        start, stop = chunk
        for place in range(start, stop, COPY_CHUNK):
            yield source.read(place, min(place + COPY_CHUNK, stop))


def output_position(edits: Sequence[Edit]) -> Callable[[int], int]:
    """Says where a byte that no edit replaces stands in the output.

    Args:
        edits: the changes in order.
    """
    starts = [edit.start for edit in edits]
    growths = [0, *accumulate(edit.growth for edit in edits)]
    return lambda position: position + growths[bisect_left(starts, position)]
