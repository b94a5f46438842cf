"""The values of an output by their places, as a search names them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..dicom.dictionary import PIXEL_DATA
from .element_texts import name_of, vr_of
from .entries import REST, DataSet, Entry, PydicomReading
from .pieces import LARGE
from .sequence_reading import is_sequence, items_of

BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value of the output that is no sequence.

    Attributes:
        start: where it begins.
        stop: where it ends.
        name: what a record calls the element.
        is_binary: whether it is a public binary value, in which short texts occur by chance.
        tag: its tag; 0 for what is no element.
        vr: its VR; "" where it is not known.
    """

    start: int
    stop: int
    name: str
    is_binary: bool = False
    tag: int = 0
    vr: str = ""


def is_bulk(entry: Entry) -> bool:
    """Whether an element holds much that is no text, so that only long texts are looked for in it."""
    if entry.tag in PIXEL_DATA:
        return True
    return entry.end - entry.start >= LARGE and entry.vr in BULK_VRS and not entry.tag >> 16 & 1


class Leaves:
    """The values of a data set by their places, worked out when first asked for."""

    def __init__(self, part: int, make: Callable[[], list[Leaf]]) -> None:
        self.part = part
        self._make = make
        self._leaves: list[Leaf] | None = None
        self._starts: list[int] = []

    def at(self, place: int) -> Leaf | None:
        """The value that holds a byte; None between values."""
        if self._leaves is None:
            self._leaves = self._make()
            self._starts = [leaf.start for leaf in self._leaves]
        index = bisect_right(self._starts, place) - 1
        if index < 0 or self._leaves[index].stop <= place:
            return None
        return self._leaves[index]


def leaves_of_head(output: PydicomReading) -> list[Leaf]:
    """What is searched before the data set: the preamble and the file meta."""
    leaves = [Leaf(0, len(output.preamble), "preamble")] if output.preamble else []
    leaves += [
        Leaf(
            entry.value,
            entry.end,
            name_of(entry.tag) if entry.tag != REST else "file meta",
            tag=max(entry.tag, 0),
            vr=entry.vr,
        )
        for entry in output.meta.entries
    ]
    return leaves


def leaves_of(data: DataSet, above: str, base: int = 0) -> Iterator[Leaf]:
    """The values of all elements of a data set, at every depth."""
    for entry in data.entries:
        yield from leaves_of_entry(entry, data, above, base)


def leaves_of_entry(entry: Entry, data: DataSet, above: str = "", base: int = 0) -> Iterator[Leaf]:
    """The values that an element holds, at every depth.

    Args:
        entry: the element.
        data: its data set.
        above: the names of the sequences around it.
        base: where the bytes of the data set begin in those that places are told of.
    """
    name = above + name_of(entry.tag)
    if is_sequence(entry, data):
        try:
            items = items_of(entry, data)
        except Exception:  # it only looked like one, or is too deep
            items = []
        for index, item in enumerate(items):
            yield from leaves_of(item.data, f"{name}[{index}].", base + item.data.base)
        if items:
            return
    is_binary = entry.tag in PIXEL_DATA or (entry.vr in BULK_VRS and not entry.tag >> 16 & 1)
    vr = vr_of(entry, data) if entry.stored is not None and not entry.is_parsed else ""
    yield Leaf(base + entry.value, base + entry.end, name, is_binary, max(entry.tag, 0), vr)
