"""Items that are alike, such as the frames of an enhanced image: what they have in common, and what differs.

An item is taken apart once, at every depth. Another one with the same headers differs from it in values, in
their lengths, and in the lengths of the sequences and items around them. Where these are consistent a scan
would walk the same way in both, as all that decides on its way is in common; so the stretches in common are
compared, and of what lies between them the lengths alone are read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .element_scanner import ALL, ElementScanner
from .elements import EXPLICIT_LITTLE, SHORT_VRS, UNDEFINED, Element, Item
from .scan_filter import EVERYTHING
from .sources import BytesSource, Source

FORMS_MOST = 8
"""So many forms of items are kept for one sequence."""

ITEM_MOST = 1 << 14
LEAVES_MOST = 1 << 9

_SEQUENCE_HEAD = 12
_END = b"\xfe\xff\xdd\xe0\0\0\0\0"

OUTER = b"SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
"""What follows the tag of a sequence of undefined length with an item of undefined length."""

ENDS = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
"""The ends of an item and of a sequence of undefined length."""


class ItemLeaf(NamedTuple):
    """An element without items. Places count from where the item begins.

    Attributes:
        path: the tags of the sequences that it is in, from the outermost.
        tag: its tag.
        vr: its VR.
        start: where its tag begins.
        value: where its value begins.
        stop: where it ends.
    """

    path: tuple[int, ...]
    tag: int
    vr: str
    start: int
    value: int
    stop: int


class ItemContainer(NamedTuple):
    """A sequence or an item with a stored length. Places count from where the item begins.

    Attributes:
        value: where its value begins; its length stands before that.
        stop: where its value ends.
    """

    value: int
    stop: int


class ItemOutline:
    """An item, taken apart.

    Attributes:
        data: its bytes, from its tag to its end.
        tags: those of all elements in it.
        leaves: those whose value may differ from item to item, in order.
        containers: what is around some of them and has a stored length, from the innermost.
        skeleton: the bytes before, between and after the values and lengths of all these.
    """

    def __init__(self, data: bytes, item: Item, tag: int) -> None:
        """Args:
        data: the bytes of the source that the item is in.
        item: the item, every sequence in it entered.
        tag: that of its sequence.
        """
        self.data = data[item.start : item.end]
        self.tags: set[int] = set()
        self.leaves: list[ItemLeaf] = []
        self.containers: list[ItemContainer] = []
        self._take_item(item, item.start, (tag,))
        self.containers.reverse()
        gaps = [(leaf.start + 6, leaf.stop) for leaf in self.leaves]
        gaps += [(one.value - 4, one.value) for one in self.containers]
        self.skeleton = _between(self.data, sorted(gaps))

    def _take_item(self, item: Item, origin: int, path: tuple[int, ...]) -> None:
        if item.defined:
            self.containers.append(ItemContainer(item.value - origin, item.stop - origin))
        for element in item.elements:
            self.tags.add(element.tag)
            start, value, stop = (place - origin for place in (element.start, element.value, element.stop))
            if element.items is not None:
                if element.defined:
                    self.containers.append(ItemContainer(value, stop))
                for inner in element.items:
                    self._take_item(inner, origin, (*path, element.tag))
            elif element.vr.encode() in SHORT_VRS:
                self.leaves.append(ItemLeaf(path, element.tag, element.vr, start, value, stop))

    def differing(self, other: ItemOutline) -> set[int]:
        """Which leaves have another value than those of an item with the same skeleton."""
        pairs = zip(self.leaves, other.leaves, strict=True)
        return {
            number
            for number, (one, two) in enumerate(pairs)
            if self.data[one.value : one.stop] != other.data[two.value : two.stop]
        }


def _between(data: bytes, gaps: list[tuple[int, int]]) -> tuple[bytes, ...]:
    starts = [0, *(stop for _, stop in gaps)]
    stops = [*(start for start, _ in gaps), len(data)]
    return tuple(data[start:stop] for start, stop in zip(starts, stops, strict=True))


@dataclass(frozen=True, slots=True)
class _LengthCheck:
    """A stored length that has to be true: which gap it is in, and after which gap how far its value ends."""

    gap: int
    end: tuple[int, int]


class ItemForm:
    """What items have in common.

    Attributes:
        outline: of one of them.
        varying: the numbers of the leaves that differ.
        leaves: for each gap between stretches in common the leaf whose length and value it holds; None for
            the length of a container.
        containers: for each gap the container whose length it holds; None for a leaf.
        sizes: how long each stretch is.
        longest: the longest item that fitted.
    """

    def __init__(self, outline: ItemOutline, varying: Collection[int]) -> None:
        """Args:
        outline: of one of the items.
        varying: the numbers of the leaves that differ.
        """
        self.outline = outline
        self.varying = frozenset(varying)
        own = [outline.leaves[number] for number in sorted(self.varying)]
        around = [
            one for one in outline.containers if any(one.value <= leaf.start < one.stop for leaf in own)
        ]
        gaps: list[tuple[int, int, ItemLeaf | None, ItemContainer | None]] = [
            *((leaf.start + 6, leaf.stop, leaf, None) for leaf in own),
            *((one.value - 4, one.value, None, one) for one in around),
        ]
        gaps.sort(key=lambda gap: gap[:2])
        fixed = _between(outline.data, [gap[:2] for gap in gaps])
        self.leaves = tuple(gap[2] for gap in gaps)
        self.containers = tuple(gap[3] for gap in gaps)
        self.sizes = tuple(map(len, fixed))
        self._starts = [0, *(gap[1] for gap in gaps)]
        self._steps = [
            (stretch, len(stretch), leaf is not None)
            for stretch, leaf in zip(fixed, self.leaves, strict=False)
        ]
        self._last = fixed[-1]
        self._checks = [
            _LengthCheck(number, self.anchor(one.stop))
            for number, one in enumerate(self.containers)
            if one is not None
        ]
        self.longest = len(outline.data)

    def anchor(self, place: int) -> tuple[int, int]:
        """The stretch that a place of the outline's item is in or at the end of, and how far into it."""
        for number in range(len(self._starts) - 1, -1, -1):
            if self._starts[number] <= place <= self._starts[number] + self.sizes[number]:
                return number, place - self._starts[number]
        raise ValueError("a place within a gap")

    def match(self, buffer: bytes, place: int) -> list[int] | None:
        """Where the stretches begin in an item at a place, and where it ends; None where it does not fit."""
        starts = [place]
        begin = place
        try:
            for fixed, size, is_leaf in self._steps:
                if not buffer.startswith(fixed, place):
                    return None
                place += size
                place += 2 + (buffer[place] | buffer[place + 1] << 8) if is_leaf else 4
                starts.append(place)
        except IndexError:
            return None
        if not buffer.startswith(self._last, place):
            return None
        for check in self._checks:
            value = starts[check.gap + 1]
            number, offset = check.end
            if int.from_bytes(buffer[value - 4 : value], "little") != starts[number] + offset - value:
                return None
        place += len(self._last)
        starts.append(place)
        self.longest = max(self.longest, place - begin)
        return starts


class FoundItems(NamedTuple):
    """A sequence whose items all have a known form.

    Attributes:
        start: where its tag begins.
        value: where its value begins.
        stop: where its value ends.
        end: where it ends.
        defined: whether its length is stored.
        items: the form of each item, and where its stretches begin in the source, and where it ends.
    """

    start: int
    value: int
    stop: int
    end: int
    defined: bool
    items: list[tuple[ItemForm, list[int]]]


class ItemForms:
    """The forms of the items of one sequence."""

    def __init__(self) -> None:
        self.forms: list[ItemForm] = []

    def add(self, form: ItemForm) -> None:
        """Add a form, or put it in the place of one with the same skeleton."""
        skeleton = form.outline.skeleton
        others = [one for one in self.forms if one.outline.skeleton != skeleton]
        self.forms = [form, *others][:FORMS_MOST]

    def learn(self, outlines: Iterable[ItemOutline]) -> None:
        """Learn what some items have in common with those before them."""
        for outline in outlines:
            skeleton = outline.skeleton
            known = next((one for one in self.forms if one.outline.skeleton == skeleton), None)
            if known is None:
                self.add(ItemForm(outline, ()))
            elif not (more := known.outline.differing(outline)) <= known.varying:
                self.add(ItemForm(known.outline, known.varying | more))

    def match(self, source: Source, start: int, limit: int) -> FoundItems | None:
        """The items of a sequence in explicit VR little endian; None where one has no known form.

        Args:
            source: the bytes.
            start: where the tag of the sequence begins.
            limit: where the data set around it ends.
        """
        value = start + _SEQUENCE_HEAD
        if value > limit or not self.forms:
            return None
        length = int.from_bytes(source.read(value - 4, value), "little")
        defined = length != UNDEFINED
        stop = value + length if defined else limit
        place, found = value, list[tuple[ItemForm, list[int]]]()
        if stop > limit:
            return None
        while not (defined and place == stop):
            one = self._match(source, place, stop)
            if one is None:
                break
            found.append(one)
            place = one[1][-1]
        if defined:
            return FoundItems(start, value, stop, stop, defined, found) if place == stop else None
        end = place + len(_END)
        if end > limit or source.read(place, end) != _END:
            return None
        return FoundItems(start, value, place, end, defined, found)

    def _match(self, source: Source, place: int, stop: int) -> tuple[ItemForm, list[int]] | None:
        """The form of the item at a place, and where in the source its stretches begin, and it ends."""
        forms = self.forms
        for index, form in enumerate(forms):
            length = min(2 * form.longest, stop - place)
            buffer, base = source.window(place, length)
            starts = form.match(buffer, place - base)
            if starts is None:
                continue
            if base:
                starts = [base + one for one in starts]
            if starts[-1] > stop:
                return None
            if index:
                self.forms = [form, *forms[:index], *forms[index + 1 :]]
            return form, starts
        return None


def outlines_of(stored: bytes, tag: int) -> list[ItemOutline] | None:
    """The items of a sequence in explicit VR little endian, taken apart.

    Args:
        stored: its bytes, from its tag to its end.
        tag: its tag.

    Returns:
        None where it is not plainly one item after the other, or an item is long.

    Raises:
        FileError: the bytes do not make a sequence.
    """
    scanner = ElementScanner(BytesSource(stored), EVERYTHING)
    scanner.entered = ALL
    element, end = scanner.element(0, len(stored), EXPLICIT_LITTLE, 0)
    if element is None or element.items is None or scanner.is_in_doubt or end != len(stored):
        return None
    if element.value != _SEQUENCE_HEAD or element.vr != "SQ" or not _is_plain(element):
        return None
    outlines: list[ItemOutline] = []
    for item in element.items:
        if item.end - item.start > ITEM_MOST:
            return None
        outlines.append(ItemOutline(stored, item, tag))
        if len(outlines[-1].leaves) > LEAVES_MOST:
            return None
    return outlines


def _is_plain(sequence: Element) -> bool:
    """Whether all items at every depth are in explicit VR little endian, one after the other."""
    place = sequence.value
    for item in sequence.items or ():
        if item.start != place or item.encoding != EXPLICIT_LITTLE:
            return False
        place = item.end
        inner = item.value
        for element in item.elements:
            if element.start != inner or (element.items is not None and not _is_plain(element)):
                return False
            inner = element.end
        if inner != item.stop:
            return False
    return place == sequence.stop


def elements_in(element: Element) -> Iterator[Element]:
    """The elements in the items of a sequence, at every depth."""
    for item in element.items or ():
        for one in item.elements:
            yield one
            yield from elements_in(one)


def tag_bytes(tag: int) -> bytes:
    """A tag as little endian data sets have it."""
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
