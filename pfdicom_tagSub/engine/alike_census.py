"""Which identifying attributes stay in files that are alike: what is in common is counted once.

The files of a series fit a pattern (``dicom.file_patterns``): what they have in common is compared as bytes,
and of the elements that differ it remains to be seen whether there is anything in them. Long sequences that
differ, such as the frames of an image, are counted by the forms of their items (``item_census``), and all
else by a scan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from struct import Struct
from typing import NamedTuple

from ..core.errors import FileError
from ..core.file_survey import Remaining
from ..dicom.elements import EXPLICIT_LITTLE, OTHER_VRS, UNDEFINED, Element, Stretch
from ..dicom.file_patterns import FoundParts, Outline, Pattern
from ..dicom.header_cache import ITEM_MARKS
from ..dicom.item_patterns import FoundItems, ItemForms, outlines_of
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import ScanResult
from .census import Census, CensusResult, CensusScanner, Counted
from .chain_counts import BLANKS, CERTAIN, KINDS
from .item_census import ItemCensus

MOST_PATTERNS = 32
MOST_BYTES = 1 << 22
"""What all patterns together have in common with their files."""

FEW = 4
"""A pattern that files fit takes in a file with so many more elements that differ."""

LEARNT_OF = 8
"""Of so many data sets that fit no pattern two are learnt from, one after the other: few files do not pay."""

CREDIT = 16
STRANGERS_PER_CREDIT = LEARNT_OF * LEARNT_OF
"""Each that is learnt from costs a credit, and each that fits earns one."""

NEW_MOST = 16
"""So many data sets wait for one like them."""

SEQUENCE_MOST = 1 << 20
"""The forms of longer sequences are not learnt."""

REMEMBERED = 1 << 6
"""Of a pattern so many sums are remembered."""

_HEADER = 8
_LONG = Struct("<HH2s2xI").unpack_from
_Scans = dict[int, tuple[CensusResult, int] | None]
"""What scans found of a data set, by where elements start, and where these end; None for what is in doubt."""

_BYTES = frozenset(vr.encode() for vr in OTHER_VRS)


class _Needed(NamedTuple):
    """An element in common that the rules need.

    Attributes:
        stretch: the number of the stretch that it is in.
        tag: its tag.
        vr: its VR.
        start: where it starts, counted from where the stretch begins.
        value: where its value begins, likewise.
        stop: where it ends, likewise.
    """

    stretch: int
    tag: int
    vr: str
    start: int
    value: int
    stop: int


class _LongElement:
    """An element that differs and has a length of 32 bits, such as a sequence or the pixels.

    Attributes:
        forms: of its items, as far as it has any.
    """

    def __init__(self, census: Census, tag: int) -> None:
        """Args:
        census: counts.
        tag: its tag.
        """
        self.forms = ItemForms()
        self._items = ItemCensus(census, tag)
        self._tag = tag
        self._credit = CREDIT

    def count(self, data: Stretch, items: FoundItems) -> CensusResult | None:
        """What stays in it where its items have known forms; None where a scan has to say."""
        self._credit = min(self._credit + 1, CREDIT)
        counted = self._items.count(data.source, items)
        if counted is None:
            return None
        return CensusResult(counted, {}, ScanResult() if self._items.is_simple else None)

    def learn(self, data: Stretch, start: int, stop: int) -> None:
        """Learn the forms of its items, as long as that pays."""
        if self._credit <= 0 or stop - start > SEQUENCE_MOST:
            return
        outlines = None
        with suppress(FileError):
            outlines = outlines_of(data.source.read(start, stop), self._tag)
        self._credit -= CREDIT if outlines is None else 1
        self.forms.learn(outlines or ())


class _CountedPattern(Pattern):
    """A pattern, and what stays in the data sets that fit it.

    Attributes:
        is_spent: whether what is in common cannot be counted.
    """

    def __init__(
        self,
        outline: Outline,
        varying: Collection[int],
        census: Census,
        needed: ScanFilter,
        scans: _Scans,
    ) -> None:
        """Args:
        outline: as of any pattern.
        varying: likewise.
        census: counts what stays.
        needed: what the rules need.
        scans: what was scanned of a data set; of all patterns together.
        """
        super().__init__(outline, varying, needed)
        self._census = census
        self._scans = scans
        self._scanned: list[CensusResult] = []
        self._plain: dict[tuple[int, bool], CensusResult] = {}
        self._rules: set[int] = set()
        self._remaining: Counter[Remaining] = Counter()
        self._kinds: dict[int, bytes] = {}
        self._needed: list[_Needed | int] = []
        self._is_simple = True
        self._is_counted = False
        self.is_spent = False
        self._doubtful: list[tuple[int, Remaining]] = []
        self._own_kinds: list[tuple[int, int]] = []
        self._long: dict[int, _LongElement] = {}
        self._counted: dict[tuple[object, ...], tuple[list[Counted], Counted]] = {}
        for number, index in enumerate(sorted(self.varying)):
            tag = outline.elements[index].tag
            if not self.vr(number):
                self._long[number] = _LongElement(census, tag)
                if outline.elements[index].vr == "SQ":
                    self.forms[number] = self._long[number].forms
                continue
            verdict = census.verdict(tag)
            self._rules.update(verdict.keepers)
            if tag in KINDS:
                self._own_kinds.append((number, tag))
            if not verdict.is_hit and verdict.remains is not None:
                self._doubtful.append((number, Remaining(verdict.remains, 0, bool(verdict.keepers))))

    def _count_common(self, data: Stretch, found: FoundParts) -> bool:
        """Count what is in common, in a data set that fits; whether that went well."""
        for number, (start, size) in enumerate(zip(found.starts, self.ends, strict=True)):
            result = self._census.count_part(data, start, start + size)
            if result is None:
                return False
            self._remaining.update(result.counted.remaining)
            self._rules |= result.counted.rules
            self._kinds |= result.kinds
            self._is_simple &= result.elements is not None
            for one in result.elements or ():
                places = one.start - start, one.value - start, one.stop - start
                self._needed.append(_Needed(number, one.tag, one.vr, *places))
            if number in self._long or (number < len(found.elements) and found.elements[number] is not None):
                self._needed.append(number)
        return True

    def scanned(self, data: Stretch, place: int) -> tuple[Element | None, int] | None:
        """As of any pattern, but by a scan for the census, which the others take over."""
        if place not in self._scans:
            self._scans[place] = self._scan(data, place)
        known = self._scans[place]
        if known is None:
            return None
        result, end = known
        self._scanned.append(result)
        return None, end

    def _scan(self, data: Stretch, place: int) -> tuple[CensusResult, int] | None:
        plain = self._plain_bytes(data, place)
        if plain is not None:
            return plain
        scanner = CensusScanner(data, self._census)
        try:
            _, end = scanner.element(place, data.stop, data.encoding, 0)
        except FileError:
            return None
        return None if scanner.is_in_doubt else (self._census.result(scanner), end)

    def _plain_bytes(self, data: Stretch, place: int) -> tuple[CensusResult, int] | None:
        """What a scan would give of an element that is plainly bytes; None for any other."""
        value = place + 12
        buffer, base = data.source.window(place, 16)
        at = place - base
        group, number, vr, length = _LONG(buffer, at)
        if vr not in _BYTES or length == UNDEFINED or buffer[at + 12 : at + 16] in ITEM_MARKS:
            return None
        end: int = value + length
        tag = group << 16 | number
        if end > data.stop or self._census.verdict(tag).is_kept:
            return None
        is_filled = length > CERTAIN or bool(data.source.read(value, end).strip(BLANKS))
        known = self._plain.get((tag, is_filled))
        if known is None:
            known = self._plain[tag, is_filled] = self._census.plain(tag, is_filled=is_filled)
        return known, end

    def count(self, data: Stretch) -> CensusResult | None:
        """What stays in a data set; None where it does not fit."""
        self._scanned.clear()
        found = self.match(data)
        if found is None:
            return None
        if not self._is_counted:
            self._is_counted = self._count_common(data, found)
            self.is_spent = not self._is_counted
        long = None if self.is_spent else self._count_long(data, found)
        if long is None:
            return None
        starts, ends, read = found.starts, self.ends, data.source.read
        filled: list[bool] = []
        for number, _ in self._doubtful:
            start, stop = starts[number] + ends[number] + _HEADER, starts[number + 1]
            filled.append(stop - start > CERTAIN or bool(read(start, stop).strip(BLANKS)))
        kinds = dict(self._kinds)
        for number, tag in self._own_kinds:
            kinds[tag] = read(starts[number] + ends[number] + _HEADER, starts[number + 1])
        is_simple = self._is_simple
        for result in long.values():
            kinds |= result.kinds
            is_simple &= result.elements is not None
        counted = self._sum(filled, [result.counted for result in long.values()])
        return CensusResult(counted, kinds, self._elements(found, long) if is_simple else None)

    def _count_long(self, data: Stretch, found: FoundParts) -> dict[int, CensusResult] | None:
        """What stays in the long elements that differ, by their numbers; None where that is not certain."""
        results: dict[int, CensusResult] = {}
        scanned = iter(self._scanned)
        for number, long in self._long.items():
            items = found.items.get(number)
            result = next(scanned) if items is None else long.count(data, items)
            if result is None:
                return None
            results[number] = result
            if items is None and number in self.forms:
                long.learn(data, found.starts[number] + self.ends[number], found.starts[number + 1])
        return results

    def _sum(self, filled: Sequence[bool], long: list[Counted]) -> Counted:
        """What is in common and what differs together, the same object for the same."""
        key = (*filled, *map(id, long))
        known = self._counted.get(key)
        if known is None:
            remaining, rules = self._remaining.copy(), set(self._rules)
            remaining.update(left for (_, left), holds in zip(self._doubtful, filled, strict=True) if holds)
            for part in long:
                remaining.update(part.remaining)
                rules |= part.rules
            if len(self._counted) >= REMEMBERED:
                self._counted.clear()
            # What the key has the numbers of is kept, too: these must not be used again.
            known = self._counted[key] = long, Counted(dict(remaining), frozenset(rules))
        return known[1]

    def _elements(self, found: FoundParts, long: Mapping[int, CensusResult]) -> ScanResult:
        """What the rules need, in the order of the file."""
        elements = ScanResult()
        starts, own = found.starts, found.elements
        for one in self._needed:
            if isinstance(one, _Needed):
                stretch, tag, vr, start, value, stop = one
                place = starts[stretch]
                end = place + stop
                elements.append(Element(tag, vr, place + start, place + value, end, end))
            elif one in long:
                elements += long[one].elements or ()
            elif (element := own[one]) is not None:
                elements.append(element)
        elements.is_certain = True
        return elements


class AlikeCensus:
    """Counts what stays in data sets like others before; it keeps what it found out for those to come.

    Not safe to share between threads.
    """

    def __init__(self, census: Census, needed: ScanFilter) -> None:
        """Args:
        census: counts, and finds what the rules need besides.
        needed: what that is, by tags alone.
        """
        self._census = census
        self._filter = needed
        self._patterns: list[_CountedPattern] = []
        self._scans: _Scans = {}
        self._new: list[Outline] = []
        self._credit = CREDIT
        self._strangers = 0

    def count(self, data: Stretch) -> CensusResult | None:
        """As of a census."""
        self._scans.clear()
        is_plain = data.encoding == EXPLICIT_LITTLE and data.other is None
        for index, known in enumerate(self._patterns if is_plain else ()):
            result = known.count(data)
            if result is None:
                continue
            if index:
                self._patterns.insert(0, self._patterns.pop(index))
            self._credit = min(self._credit + 1, CREDIT)
            return result
        result = self._census.count(data)
        if is_plain and result is not None and self._pays():
            self._learn(data)
        return result

    def _pays(self) -> bool:
        """Whether to learn from a data set that fits no pattern."""
        self._strangers += 1
        if self._strangers % LEARNT_OF < LEARNT_OF - 2:
            return False
        if self._credit or not self._strangers % STRANGERS_PER_CREDIT:
            self._credit = max(self._credit - 1, 0)
            return True
        return False

    def _learn(self, data: Stretch) -> None:
        """Learn from a data set that fits no pattern."""
        try:
            outline = Outline.of(data)
        except FileError:
            return
        if outline is None:
            return
        for known in [one for one in self._patterns if one.outline.heads == outline.heads]:
            if known.is_spent:
                return
            varying = known.varying | known.outline.differing(outline)
            if len(varying) - len(known.varying) <= FEW and 2 * len(varying) <= len(outline.elements):
                self._patterns.remove(known)
                self._add(outline, varying)
                return
        for first in [one for one in self._new if one.heads == outline.heads]:
            own = first.differing(outline)
            if 2 * len(own) <= len(outline.elements):
                self._new.remove(first)
                self._add(outline, own)
                return
        self._new = [outline, *self._new][:NEW_MOST]
        while sum(len(stored) for one in self._new for stored in one.stored) > MOST_BYTES:
            self._new.pop()

    def _add(self, outline: Outline, varying: Collection[int]) -> None:
        """Add a pattern; what is in common is counted in the first data set that fits."""
        self._patterns.insert(0, _CountedPattern(outline, varying, self._census, self._filter, self._scans))
        while len(self._patterns) > MOST_PATTERNS or sum(one.size for one in self._patterns) > MOST_BYTES:
            self._patterns.pop()
