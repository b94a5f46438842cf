"""Data sets that are alike: which elements the files of a series have in common, and which differ.

A pattern is learnt from a file and from one like it. A data set that fits it is not walked over: each stretch
between the elements that differ is compared in one step, and of those that differ the headers are read. What
a scan would find in the stretches it found when the pattern was learnt, as their bytes alone decide on it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

from ..core.errors import FileError
from .element_scanner import ElementScanner
from .elements import EXPLICIT_LITTLE, SHORT_VRS, Element, Stretch
from .item_patterns import FoundItems, ItemForms
from .scan_filter import OUTLINE, ScanFilter
from .scanner import ScanResult, scan

HEAD = 6
"""The bytes of a tag and a VR."""

ELEMENTS_MOST = 1 << 11
LARGE = 1 << 14
"""An element from this size on is taken for one that differs, such as pixels; a sequence may be longer."""

BYTES_MOST = 1 << 18
"""What the elements in common may have; longer data sets are walked over."""

SEQUENCES_MOST = 1 << 18
"""Likewise those of large sequences, such as what all frames of an image share; more are left out."""


class Outline(NamedTuple):
    """The elements of a data set, which follow each other in the order of their tags.

    Attributes:
        elements: each of them; their items were not asked for.
        heads: the tag and VR of each, as stored.
        stored: the bytes of each; b"" for a large one.
    """

    elements: Sequence[Element]
    heads: tuple[bytes, ...]
    stored: tuple[bytes, ...]

    @classmethod
    def of(cls, data: Stretch) -> Outline | None:
        """That of a data set; None where it is not plainly one element after the other, in explicit VR.

        Raises:
            FileError: the bytes do not make a data set.
        """
        if data.encoding != EXPLICIT_LITTLE or data.other is not None:
            return None
        found = scan(data, OUTLINE)
        if not isinstance(found, ScanResult) or not found.is_certain or not 2 <= len(found) <= ELEMENTS_MOST:
            return None
        if found[0].start != data.start or found[-1].end != data.stop:
            return None
        if any(one.end != two.start or one.tag >= two.tag for one, two in pairwise(found)):
            return None
        read = data.source.read
        if sum(size for one in found if (size := one.end - one.start) < LARGE) > BYTES_MOST:
            return None
        stored: list[bytes] = []
        room = SEQUENCES_MOST
        for one in found:
            size = one.end - one.start
            is_held = size < LARGE or (one.vr == "SQ" and size <= room)
            room -= size if is_held and size >= LARGE else 0
            stored.append(read(one.start, one.end) if is_held else b"")
        return cls(found, tuple(read(one.start, one.start + HEAD) for one in found), tuple(stored))

    def differing(self, other: Outline) -> set[int]:
        """The indices of the elements that are not the same as those of another outline with these heads."""
        pairs = zip(self.stored, other.stored, strict=True)
        return {index for index, (one, two) in enumerate(pairs) if one != two or not one}


class _PatternStep(NamedTuple):
    """A stretch in common, and the element that comes after it.

    Attributes:
        fixed: the bytes of the stretch.
        head: the tag and VR of the element; b"" at the end.
        tag: its tag.
        vr: its VR; "" for one with a length of 32 bits, and for what is to be scanned.
        is_kept: whether a scan keeps it; of what is to be scanned the scan says so.
    """

    fixed: bytes
    head: bytes
    tag: int
    vr: str
    is_kept: bool


class FoundParts(NamedTuple):
    """Where the parts of a data set lie that fits a pattern.

    Attributes:
        starts: where each stretch in common begins.
        elements: the elements that differ and that a scan keeps; None for each that it does not keep.
        items: by their numbers among these, sequences whose items have known forms; they were not entered.
    """

    starts: list[int]
    elements: list[Element | None]
    items: dict[int, FoundItems]


class Pattern:
    """What data sets have in common.

    Attributes:
        outline: of one of them.
        varying: the indices of the elements that differ.
        places: for each element that does not, the stretch that it is in and its place in that.
        ends: how long each stretch is.
        size: the bytes in common, and of the one that it was learnt from.
        forms: of the items of sequences that differ, by their numbers among what differs.
    """

    def __init__(self, outline: Outline, varying: Collection[int], scan_filter: ScanFilter) -> None:
        """Args:
        outline: of one of the data sets.
        varying: the indices of the elements that differ.
        scan_filter: what a scan keeps.
        """
        self.outline = outline
        self.varying = frozenset(varying)
        self.places: dict[int, tuple[int, int]] = {}
        self.ends: list[int] = []
        self._filter = scan_filter
        self._steps: list[_PatternStep] = []
        fixed: list[bytes] = []
        size = 0
        for index, element in enumerate(outline.elements):
            if index in self.varying:
                head = outline.heads[index]
                vr = head[4:].decode("latin-1") if head[4:] in SHORT_VRS else ""
                is_kept = bool(vr) and (
                    scan_filter.is_named(element.tag) or scan_filter.keeps(element.tag, vr)
                )
                is_kept = is_kept or not element.tag & 0xFFFF
                self._steps.append(_PatternStep(b"".join(fixed), head, element.tag, vr, is_kept))
                self.ends.append(size)
                fixed, size = [], 0
            else:
                self.places[index] = len(self._steps), size
                fixed.append(outline.stored[index])
                size += len(outline.stored[index])
        self._steps.append(_PatternStep(b"".join(fixed), b"", 0, "", False))
        self.ends.append(size)
        self.size = sum(len(step.fixed) for step in self._steps) + sum(map(len, outline.stored))
        self.forms: dict[int, ItemForms] = {}

    def match(self, data: Stretch) -> FoundParts | None:
        """Where its parts lie in a data set in explicit VR; None where it does not fit."""
        source, place, stop = data.source, data.start, data.stop
        starts: list[int] = []
        elements: list[Element | None] = []
        found: dict[int, FoundItems] = {}
        buffer, base = source.window(place, min(len(self._steps[0].fixed) + 12, stop - place))
        for fixed, head, tag, vr, is_kept in self._steps:
            at = place - base
            needed = at + len(fixed) + 12
            if needed > len(buffer) and base + len(buffer) < stop:
                buffer, base = source.window(place, min(len(fixed) + 12, stop - place))
                at = place - base
            if not buffer.startswith(fixed, at):
                return None
            starts.append(place)
            place += len(fixed)
            if not head:
                break
            at += len(fixed)
            if not buffer.startswith(head, at) or place + 8 > stop:
                return None
            if vr:
                end = place + 8 + int.from_bytes(buffer[at + 6 : at + 8], "little")
                elements.append(Element(tag, vr, place, place + 8, end, end) if is_kept else None)
            elif (forms := self.forms.get(len(elements))) and (items := forms.match(source, place, stop)):
                found[len(elements)] = items
                end = items.end
                elements.append(Element(tag, "SQ", place, items.value, items.stop, end, items.defined))
            else:
                scanned = self.scanned(data, place)
                if scanned is None:
                    return None
                element, end = scanned
                elements.append(element)
            if end > stop:
                return None
            place = end
        return FoundParts(starts, elements, found) if place == stop else None

    def scanned(self, data: Stretch, place: int) -> tuple[Element | None, int] | None:
        """The element at a place, as of a scan; None where it is up to that to say what there is."""
        scanner = ElementScanner(data.source, self._filter, data.start)
        try:
            found = scanner.element(place, data.stop, data.encoding, 0)
        except FileError:
            return None
        return None if scanner.is_in_doubt else found

    def enter(self, data: Stretch, found: FoundParts) -> bool:
        """Enter the sequences whose items have known forms after all; whether that went well."""
        for number, items in found.items.items():
            scanned = self.scanned(data, items.start)
            if scanned is None or scanned[1] != items.end:
                return False
            found.elements[number] = scanned[0]
        found.items.clear()
        return True

    def vr(self, number: int) -> str:
        """The VR of one of the elements that differ; "" for one that is to be scanned."""
        return self._steps[number].vr

    def element(self, index: int, found: FoundParts) -> Element:
        """An element in common, in a data set that fits."""
        own = self.outline.elements[index]
        stretch, place = self.places[index]
        moved = found.starts[stretch] + place - own.start
        return Element(
            own.tag,
            own.vr,
            own.start + moved,
            own.value + moved,
            own.stop + moved,
            own.end + moved,
            own.defined,
        )
