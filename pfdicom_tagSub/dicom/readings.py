"""Whether other readers would see the same of bytes that can be read in more than one way.

The standard has one reading of a data set; where its bytes leave the standard, each reader
goes on in a way of its own. ``check`` lets each of ``other_readers`` go over such a data set.
Nobody may see a wanted element that the scan did not find at the same place: what one reader
shows has to be what is replaced.

This is slow, and only done where the scan was in doubt (see ``scanner``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ..core.errors import FileError
from ..dicom import dictionary
from .elements import Element, Stretch
from .other_readers import READERS, Sight, Walk
from .scan_filter import ScanFilter


def check(data_set: Stretch, scan_filter: ScanFilter, found: Iterable[Element]) -> None:
    """Compare what other readers see with what was found.

    Args:
        data_set: the bytes.
        scan_filter: what is replaced, and more.
        found: the elements that a scan kept.

    Raises:
        FileError: a reader sees a wanted element that was not found.
    """
    if not scan_filter.seeks:
        return
    known = _FoundElements(found, scan_filter)
    other = data_set.other
    encodings = [data_set.encoding] + ([other] if other else [])
    if other and other.little is not data_set.encoding.little:
        encodings.append(replace(other, implicit=not other.implicit))
    for reader in READERS:
        for encoding in encodings:
            walk = Walk(data_set.source, scan_filter, reader)
            walk.data_set(data_set.start, data_set.stop, encoding, 0)
            for sight in walk.seen:
                if not known.covers(sight):
                    raise FileError(
                        f"some readers see {dictionary.text_of(sight.tag)} at byte {sight.start}, where the "
                        "bytes can be read in more than one way; write the file anew with a program that "
                        "knows which is meant"
                    )


class _FoundElements:
    """What a scan found, by place."""

    def __init__(self, found: Iterable[Element], scan_filter: ScanFilter) -> None:
        self.by_start: dict[int, Element] = {}
        self.whole: list[tuple[int, int]] = []
        for element in _every(found):
            self.by_start[element.start] = element
            is_replaced = scan_filter.is_sought(element.tag) and scan_filter.is_whole(element.tag)
            if element.count > 1 or (is_replaced and not element.items):
                self.whole.append((element.start, element.end))
        self.whole.sort()
        self.starts = [start for start, _ in self.whole]

    def covers(self, sight: Sight) -> bool:
        """Whether what a reader sees was found as the same, or lies in what goes as a whole."""
        element = self.by_start.get(sight.start)
        if element is not None and element.tag == sight.tag and (sight.is_cut or sight.stop <= element.end):
            return True
        index = bisect_right(self.starts, sight.start) - 1
        return index >= 0 and sight.stop <= self.whole[index][1]


def _every(elements: Iterable[Element]) -> Iterator[Element]:
    for element in elements:
        yield element
        for item in element.items or ():
            yield from _every(item.elements)
