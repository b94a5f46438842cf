"""Group lengths (PS3.5 7.2) and Length to End (0008,0001), true again where something changed.

Both are retired; where they stand, readers may still go by them. One that was wrong before is
true afterwards if something changed in what it measures, and as it was if nothing did.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from .dictionary import LENGTH_TO_END
from .edits import Edit, in_order
from .elements import UNDEFINED, Element, Stretch
from .models import FileError
from .scanner import group_end


def has_lengths(elements: Sequence[Element]) -> bool:
    """Whether one of these is among the elements of a data set."""
    for element in elements:  # noqa: SIM110  (asked of every file: a generator takes twice as long)
        if not element.tag & 0xFFFF or element.tag == LENGTH_TO_END:
            return True
    return False


def following(elements: Sequence[Element]) -> list[int]:
    """For each element the next one of another group; how many there are where none comes."""
    count = len(elements)
    found = [count] * count
    for index in range(count - 2, -1, -1):
        is_same = elements[index + 1].tag >> 16 == elements[index].tag >> 16
        found[index] = found[index + 1] if is_same else index + 1
    return found


def is_apparent(elements: Sequence[Element], index: int, after: int, length: int) -> bool:
    """Whether a stored group length ends where the group length of another group stands.

    It is true then without a look at what lies between.

    Args:
        elements: what a scan kept, all group lengths with it.
        index: which is the group length.
        after: the next element of another group.
        length: what it says.
    """
    if after == len(elements) or elements[after].tag & 0xFFFF:
        return False
    return elements[index].end + length == elements[after].start


def length_edits(
    elements: Sequence[Element],
    data_set: Stretch,
    edits: Sequence[Edit],
    inserted: Sequence[tuple[int, Edit]],
) -> Iterator[Edit]:
    """The edits that make the lengths of a data set true.

    Args:
        elements: what was kept of it, its lengths with it, in the order of the bytes.
        data_set: its bytes.
        edits: the changes in it, insertions left out.
        inserted: the insertions, each with the tag of what is inserted.

    Raises:
        FileError: a length becomes greater than its field can say.
    """
    changes = _Changes(edits)
    order = data_set.encoding.little
    touched = set()
    for element in elements:
        is_to_end = element.tag == LENGTH_TO_END and element.stop - element.value == 4
        if is_to_end and not changes.cover(element):
            count, growth = changes.within(element.end, data_set.stop)
            later = [edit for _, edit in inserted if edit.start >= element.end]
            if count or later:
                growth += sum(edit.growth for edit in later)
                new = _field(element, data_set.stop - element.end + growth, little=order)
                if new.data != data_set.source.read(new.start, new.stop):
                    touched.add(element.tag >> 16)
                    yield new
            break
    after = following(elements)
    ends: dict[int, int] = {}
    for index, element in enumerate(elements):
        group = element.tag >> 16
        if element.tag & 0xFFFF or element.stop - element.value != 4 or changes.cover(element):
            continue
        bound = elements[after[index]].start if after[index] < len(elements) else data_set.stop
        new_ones = [edit for tag, edit in inserted if tag >> 16 == group]
        if not (changes.within(element.end, bound)[0] or new_ones or group in touched):
            continue
        stored = data_set.source.read(element.value, element.stop)
        length = int.from_bytes(stored, "little" if order else "big")
        if is_apparent(elements, index, after[index], length):
            ends[group] = element.end + length
        elif ends.get(group, -1) < element.end:
            ends[group] = group_end(data_set, element.end, group)
        end = ends[group]
        count, growth = changes.within(element.end, end)
        new_ones = [edit for edit in new_ones if element.end <= edit.start <= end]
        if count or new_ones or group in touched:
            growth += sum(edit.growth for edit in new_ones)
            new = _field(element, end - element.end + growth, little=order)
            if new.data != stored:
                yield new


def _field(element: Element, length: int, *, little: bool) -> Edit:
    if length >= UNDEFINED:
        raise FileError(f"a length would become greater than its field at byte {element.value} can say")
    return Edit(element.value, element.value + 4, length.to_bytes(4, "little" if little else "big"))


class _Changes:
    """The changes of a data set, by where they are."""

    def __init__(self, edits: Sequence[Edit]) -> None:
        ordered = in_order(edits)
        self.starts = [edit.start for edit in ordered]
        self.stops = [edit.stop for edit in ordered]
        self.growths = [0, *accumulate(edit.growth for edit in ordered)]

    def within(self, start: int, stop: int) -> tuple[int, int]:
        """How many there are in a stretch, and by how many bytes it grows."""
        first, last = bisect_left(self.starts, start), bisect_left(self.starts, stop)
        return last - first, self.growths[last] - self.growths[first]

    def cover(self, element: Element) -> bool:
        """Whether one of them replaces the element."""
        index = bisect_right(self.starts, element.start) - 1
        return index >= 0 and self.stops[index] > element.start
