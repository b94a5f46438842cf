"""The beginning of a data set: the elements up to a tag, in the order of the file."""

from __future__ import annotations

from .element_scanner import IN_SIGHT, ElementScanner
from .elements import Encoding, Stretch
from .header_cache import Family
from .scan_filter import ScanFilter
from .scanner import ScanResult


def scan_beginning(data_set: Stretch, scan_filter: ScanFilter, last: int) -> ScanResult:
    """As ``scanner.scan``, of what stands before the first element with a tag beyond the last.

    Where the bytes can be read in several ways, that is not gone into, and the result is not certain.

    Args:
        data_set: the bytes.
        scan_filter: what to keep; no other scan uses it, as what they learn goes beyond ``last``.
        last: the last tag of interest.

    Raises:
        FileError: the bytes do not make a data set.
    """
    scanner = _BeginningScanner(data_set, scan_filter, last)
    found = ScanResult()
    scanner.scan_into(found, data_set.start, data_set.stop, data_set.encoding)
    found.is_certain = not scanner.is_in_doubt
    return found


class _BeginningScanner(ElementScanner):
    def __init__(self, data_set: Stretch, scan_filter: ScanFilter, last: int) -> None:
        super().__init__(data_set.source, scan_filter, data_set.start)
        self.last = last

    def is_beyond(self, key: bytes, *, little: bool) -> bool:
        order = "little" if little else "big"
        group, element = int.from_bytes(key[:2], order), int.from_bytes(key[2:4], order)  # type: ignore[arg-type]
        return group << 16 | element > self.last

    def scan_into(self, kept: ScanResult, position: int, end: int, encoding: Encoding) -> None:
        families = self.filter.families[encoding.implicit, encoding.little]
        pattern, little = self.filter.patterns[encoding.little], encoding.little
        while end - position >= 8:
            buffer, base = self.source.window(position, IN_SIGHT)
            place = position - base
            key = buffer[place : place + 8]
            if not any(key):
                self.doubt()  # padding, or zeros where none may be
                return
            if self.is_beyond(key, little=little):
                return
            family = families.get(key)
            if family is None:
                self.filter.learnt(1)
                family = families[key] = Family()
            chain, count = family.match(buffer, place, end - base, pattern)
            if chain is not None:
                self.keep(chain, position, kept)
                position += chain.places[count]
            elif family.wants_more():
                position = self.record(position, end, encoding, kept, family, depth=0)
            else:
                element, position = self.element(position, end, encoding, 0)
                if element is not None:
                    kept.append(element)
        if position != end:
            self.doubt()
