"""Group lengths (PS3.5 7.2) and Length to End (0008,0001), true again where something changed.

Both are retired; where they stand, readers may still go by them. One that was wrong before is
true afterwards if something changed in what it measures, and as it was if nothing did.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

from ..core.errors import FileError
from .dictionary import LENGTH_TO_END
from .edits import Edit, in_order
from .elements import UNDEFINED, Element, Stretch
from .scanner import group_end


def has_lengths(elements: Sequence[Element]) -> bool:
    """Whether one of these is among the elements of a data set."""
    for element in elements:  # noqa: SIM110  (asked of every file: a generator takes twice as long)
        if not element.tag & 0xFFFF or element.tag == LENGTH_TO_END:
            return True
    return False


def after_group(elements: Sequence[Element], index: int) -> int:
    """The next element after a group length that is of another group, or the next group length.

    Returns:
        Its index; how many elements there are where none comes.
    """
    group = elements[index].tag >> 16
    index += 1
    while index < len(elements) and elements[index].tag >> 16 == group and elements[index].tag & 0xFFFF:
        index += 1
    return index


def is_apparent(elements: Sequence[Element], index: int, after: int, length: int) -> bool:
    """Whether a stored group length ends where the group length of another group stands.

    It is true then without a look at what lies between.

    Args:
        elements: what a scan kept, all group lengths with it.
        index: which is the group length.
        after: what ``after_group`` says of it.
        length: what it says.
    """
    if after == len(elements):
        return False
    own, other = elements[index], elements[after]
    return own.tag != other.tag and not other.tag & 0xFFFF and own.end + length == other.start


def length_edits(
    elements: Sequence[Element],
    data_set: Stretch,
    edits: Sequence[Edit],
    inserted: Sequence[tuple[int, Edit]] | None,
) -> Iterator[Edit]:
    """The edits that make the lengths of a data set true.

    Args:
        elements: what was kept of it, its lengths with it, in the order of the bytes.
        data_set: its bytes.
        edits: the changes in it, insertions left out.
        inserted: the insertions, each with the tag of what is inserted; None in an item,
            where nothing is inserted and a Length to End measures nothing.

    Raises:
        FileError: a length becomes greater than its field can say.
    """
    changes = _EditIndex(edits)
    source, little = data_set.source, data_set.encoding.little
    lengths = [
        index
        for index, element in enumerate(elements)
        if (not element.tag & 0xFFFF or element.tag == LENGTH_TO_END) and element.stop - element.value == 4
    ]
    touched = -1
    for element in () if inserted is None else map(elements.__getitem__, lengths):
        if element.tag != LENGTH_TO_END:
            continue
        new_ones = [edit for _, edit in inserted or () if edit.start >= element.end]
        if changes.are_within(element.end, data_set.stop, new_ones) and not changes.cover(element):
            size = data_set.stop - element.end + changes.growth(element.end, data_set.stop, new_ones)
            new = _field(element, size, little=little)
            if new.data != source.read(new.start, new.stop):
                touched = element.tag >> 16
                yield new
    ends: dict[int, int] = {}
    for index, bound in zip(lengths, _bounds(elements, lengths, data_set.stop), strict=True):
        element = elements[index]
        group = element.tag >> 16
        new_ones = [edit for tag, edit in inserted or () if tag >> 16 == group]
        is_changed = group == touched or changes.are_within(element.end, bound, new_ones)
        if not is_changed or element.tag & 0xFFFF or changes.cover(element):
            continue
        stored = source.read(element.value, element.stop)
        length = int.from_bytes(stored, "little" if little else "big")
        if is_apparent(elements, index, after_group(elements, index), length):
            ends[group] = element.end + length
        elif ends.get(group, -1) < element.end:
            ends[group] = group_end(data_set, element.end, group)
        end = ends[group]
        new_ones = [edit for edit in new_ones if element.end <= edit.start <= end]
        if group == touched or changes.are_within(element.end, end, new_ones):
            size = end - element.end + changes.growth(element.end, end, new_ones)
            new = _field(element, size, little=little)
            if new.data != stored:
                yield new


def _bounds(elements: Sequence[Element], lengths: Sequence[int], stop: int) -> list[int]:
    """For each length where the next one stands; of one that is repeated, the next of another element."""
    bounds: list[int] = []
    later: Element | None = None
    for index in reversed(lengths):
        element = elements[index]
        is_repeated = later is not None and later.tag == element.tag
        bounds.append(bounds[-1] if is_repeated else later.start if later is not None else stop)
        later = element
    return bounds[::-1]


def _field(element: Element, length: int, *, little: bool) -> Edit:
    if length >= UNDEFINED:
        raise FileError(f"a length would become greater than its field at byte {element.value} can say")
    return Edit(element.value, element.value + 4, length.to_bytes(4, "little" if little else "big"))


class _EditIndex:
    """The changes of a data set, by where they are; insertions are told of apart."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        self.edits = in_order(edits)
        self.starts = [edit.place for edit in self.edits]

    @cached_property
    def _growths(self) -> list[int]:
        return [0, *accumulate([len(data) - stop + start for start, stop, data in self.edits])]

    def are_within(self, start: int, stop: int, inserted: Sequence[Edit]) -> bool:
        """Whether one lies in a stretch, or something is inserted."""
        index = bisect_left(self.starts, start)
        return bool(inserted) or (index < len(self.starts) and self.starts[index] < stop)

    def growth(self, start: int, stop: int, inserted: Sequence[Edit]) -> int:
        """By how many bytes a stretch grows, with what is inserted."""
        first, last = bisect_left(self.starts, start), bisect_left(self.starts, stop)
        return self._growths[last] - self._growths[first] + sum(edit.growth for edit in inserted)

    def cover(self, element: Element) -> bool:
        """Whether one of them replaces the element."""
        index = bisect_right(self.starts, element.start) - 1
        return index >= 0 and self.edits[index].stop > element.start
