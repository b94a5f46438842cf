"""The search of an output for bytes of texts, and for dates in all their notations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from ..core.caches import remembered
from ..dicom.sources import BytesSource, Source
from ..text.common_words import TERMS
from .day_search import NEAR, days_in, likely_days
from .element_texts import is_of_codes, is_of_make, name_of
from .entries import Entry
from .leaves import Leaf, Leaves
from .search_terms import NUMBERS, Needle, TermKind, first_texts_of, notations_of, plain_notations

CHUNK = 1 << 20

OVERLAP = 1 << 12
"""Chunks overlap by more than the longest needle."""

BULK_SHORTEST = 8
"""In binary values, such as pixels, shorter texts are found by chance."""

MOST_PLACES = 100
"""A needle is looked up at so many places of a chunk that are no hit after all, or are the same element's."""

NUMBERLIKE_VRS = frozenset({"DA", "DT", "TM", "UI"})
"""VRs whose values are made of numbers."""

LONGEST_CLOCK = 6
"""UIDs that are kept hold times and numbers of devices, as their makers built them of these."""

MOST_WORDS_OF_CODE = 2
"""Descriptions of so many words are those of codes, too."""

_DIGITS = frozenset(b"0123456789")
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz")

Named = dict[str, tuple[int, int]]
"""The names of what holds a value, and where it is: in the path, in the head or in the data set."""


@remembered(most=64)
def _marked(letters: frozenset[int]) -> bytes:
    """A table that makes the bytes of the needles one, and all others another."""
    return bytes(code in letters for code in range(256))


@remembered(most=64)
def _others(letters: frozenset[int]) -> bytes:
    """The bytes that the needles do not have."""
    return bytes(code for code in range(256) if code not in letters)


def _may_hold_run(data: bytes, start: int, stop: int, letters: frozenset[int]) -> bool:
    """Whether a run of eight letters may be in a stretch of bytes, which is looked at where it lies.

    Most binary values hold none. Of a run of eight, one is among every eighth byte, wherever that begins: in
    pixels of two bytes a high one, mostly small, in either byte order. Two bytes three apart are among every
    third.
    """
    others = _others(letters)
    return (
        bool(data[start + 7 : stop : BULK_SHORTEST].translate(None, others))
        and bool(data[start + 6 : stop : BULK_SHORTEST].translate(None, others))
        and b"\1\1" in data[start:stop:3].translate(_marked(letters))
    )


_RUN = re.compile(b"\1{%d,}" % BULK_SHORTEST)

FEW_STEPS = 1 << 25
"""Needles times bytes that are looked through one needle after the other."""


def likely_in(data: bytes, needles: Sequence[Needle]) -> Sequence[Needle]:
    """Needles that may be in folded bytes: all that are, and few others.

    Where there are many, they are told by their last bytes, in a few steps through the data. The time is
    then linear in the data and in the needles, and not in the product of both.
    """
    if len(needles) * len(data) < FEW_STEPS:
        return needles
    ends = {size: {n.folded[-size:] for n in needles if len(n.folded) >= size} for size in _ENDS}
    found = {
        size: wanted.intersection(
            map(data.__getitem__, map(slice, range(len(data)), range(size, len(data) + 1)))
        )
        for size, wanted in ends.items()
    }
    return [
        n for n in needles if all(n.folded[-size:] in found[size] for size in _ENDS if len(n.folded) >= size)
    ]


_ENDS = (4, 6, 8)
"""The first alone would leave texts such as ID9980, whose ends are in the digits of UIDs."""


class NeedleSearch:
    """What is looked for in one output."""

    def __init__(
        self,
        needles: list[Needle],
        days: list[str],
        pause: Callable[[], None],
        kept: frozenset[int] = frozenset(),
        base: NeedleSearch | None = None,
    ) -> None:
        """Args:
        needles: bytes of texts.
        days: days, in all their notations.
        pause: called between pieces of a large file; it may raise to stop.
        kept: the tags of elements that are kept on purpose.
        base: what else is looked for in binary values.
        """
        self.base = base
        self.kept = kept
        self.needles = needles
        self.days = days
        self.pause = pause
        self._bulky: list[bytes] | None = None
        self._letters: frozenset[int] | None = None

    @property
    def bulky(self) -> list[bytes]:
        """What is looked for in binary values, without that of the base."""
        if self._bulky is None:
            self._bulky = self._made_bulky()
        return self._bulky

    def _made_bulky(self) -> list[bytes]:
        texts = [one.folded for one in self.needles if one.width == 1 and len(one.folded) >= BULK_SHORTEST]
        forms = [form.encode() for day in self.days for form in plain_notations(day)]
        return list(dict.fromkeys(texts + forms))

    @property
    def letters(self) -> frozenset[int]:
        """The bytes of what is looked for in binary values, in both cases."""
        if self._letters is None:
            self._letters = self._made_letters()
        return self._letters

    def _made_letters(self) -> frozenset[int]:
        own = b"".join(self.bulky)
        letters = frozenset(own + own.upper())
        if self.base is None:
            return letters
        return self.base.letters if letters <= self.base.letters else letters | self.base.letters

    def is_bulky_in(self, text: bytes) -> bool:
        """Whether something of what is looked for in binary values is in folded bytes."""
        return any(needle in text for needle in self.bulky) or (
            self.base is not None and self.base.is_bulky_in(text)
        )

    def found_in(self, data: bytes) -> tuple[list[Needle], list[str]]:
        """What of it is worth a second look in folded bytes: mostly nothing."""
        needles = [needle for needle in likely_in(data, self.needles) if needle.folded in data]
        return needles, days_in(self.days, data)

    def text(self, source: Source, start: int, stop: int, leaves: Leaves, named: Named) -> None:
        """Search a stretch that holds text."""
        for place in range(start, stop, CHUNK):
            data = source.read(max(start, place - OVERLAP), min(stop, place + CHUNK))
            if data.count(0) < len(data):  # zeros after a file may be many
                self._chunk(data, max(start, place - OVERLAP), leaves, named)
            if stop - start > CHUNK:
                self.pause()

    def _chunk(self, stored: bytes, base: int, leaves: Leaves, named: Named) -> None:
        data = stored.lower()
        find = data.find
        for needle in likely_in(data, self.needles):
            place = find(needle.folded)
            if place >= 0:
                self._places(needle, place, data, stored, base, leaves, named)
        for day in likely_days(self.days, data):
            self._day(day, data, base, leaves, named)

    def _places(
        self, needle: Needle, place: int, data: bytes, stored: bytes, base: int, leaves: Leaves, named: Named
    ) -> None:
        """Look at each place where the bytes of a needle are."""
        length = len(needle.folded)
        for _ in range(MOST_PLACES):
            if place < 0:
                return
            following = place + 1
            is_same = not needle.exact or stored[place : place + length] == needle.exact
            leaf = leaves.at(base + place) if is_same else None
            if leaf is not None:
                if leaf.stop - base >= place + length and self._counts(needle, data, place, base, leaf):
                    named[leaf.name] = leaves.part, leaf.start
                if leaf.name in named:
                    following = max(following, leaf.stop - base)
            place = data.find(needle.folded, following)

    def _counts(self, needle: Needle, data: bytes, place: int, base: int, leaf: Leaf) -> bool:
        """Whether a needle that is in a value is no mere part of another word or number."""
        if leaf.is_binary and len(needle.folded) < BULK_SHORTEST * needle.width:
            return False
        value = data[max(leaf.start - base, 0) : leaf.stop - base]
        if leaf.vr in NUMBERS and needle.folded.translate(None, b".+-").isdigit():
            return _is_number_in(needle.folded, value)
        if not self._is_evidence(needle, leaf):
            return False
        if not needle.is_bounded:
            return True
        is_short = needle.folded.isdigit() and len(needle.folded) < LONGEST_CLOCK
        if is_short and _is_fraction(data, place, leaf.start - base):
            return False
        stop = place + len(needle.folded)
        before, after = place - needle.width, stop + needle.width - 1
        if before >= leaf.start - base and _joins(data[before], data[place]):
            return False
        return not (after < leaf.stop - base and after < len(data) and _joins(data[after], data[stop - 1]))

    def _is_evidence(self, needle: Needle, leaf: Leaf) -> bool:
        """Whether what is found gives somebody away where the element is for something else."""
        text = needle.folded
        if leaf.tag in self.kept and leaf.vr == "UI" and b"." not in text:
            return needle.kind is TermKind.PERSON and len(text) > LONGEST_CLOCK
        if leaf.vr == "CS" and text.decode("latin-1") in TERMS:
            return False
        if needle.kind is TermKind.PERSON:
            return True
        if needle.kind is TermKind.NUMBER:
            return leaf.vr not in NUMBERLIKE_VRS
        is_of_terms = leaf.vr == "CS" or is_of_codes(leaf.tag)
        if needle.kind is TermKind.WORDS:
            return not is_of_terms or needle.words > MOST_WORDS_OF_CODE
        # A place or a device is called by more than one word, or by a number, too.
        is_plain = text.translate(None, b"0123456789.") in (b"", text) and needle.words < 2
        return not (is_plain and (is_of_terms or is_of_make(leaf.tag)))

    def _day(self, day: str, data: bytes, base: int, leaves: Leaves, named: Named) -> None:
        """Look for a date in all its notations."""
        for first in first_texts_of(day):
            place = data.find(first)
            seen = 0
            while place >= 0 and seen < MOST_PLACES:
                pattern = notations_of(day)
                following = place + 1
                near = data[max(place - NEAR, 0) : place + NEAR]
                leaf = leaves.at(base + place) if pattern.search(near) else None
                if leaf is not None and leaf.tag in self.kept and leaf.vr == "UI":
                    following = max(following, leaf.stop - base)
                elif leaf is not None and not leaf.is_binary and leaf.name not in named:
                    seen += 1
                    begin = max(place - NEAR, leaf.start - base, 0)
                    if pattern.search(data[begin : min(place + NEAR, leaf.stop - base)]):
                        named[leaf.name] = leaves.part, leaf.start
                if leaf is not None and (leaf.name in named or leaf.is_binary):
                    following = max(following, leaf.stop - base)
                place = data.find(first, following)

    def bulk(self, source: Source, entry: Entry, named: Named) -> None:
        """Search a large binary value: long texts only, whatever is beside them."""
        name = name_of(entry.tag)
        if not self.letters or name in named:
            return
        table = _marked(self.letters)
        for place in range(entry.value, entry.end, CHUNK):
            start, stop = max(entry.value, place - OVERLAP), min(entry.end, place + CHUNK)
            if isinstance(source, BytesSource):
                may_hold = _may_hold_run(source.data, start, stop, self.letters)
            else:
                may_hold = _may_hold_run(source.read(start, stop), 0, stop - start, self.letters)
            if not may_hold:
                self.pause()
                continue
            data = source.read(start, stop)
            marks = data.translate(table)
            for run in _RUN.finditer(marks) if b"\1" * BULK_SHORTEST in marks else ():
                if self.is_bulky_in(data[run.start() : run.end()].lower()):
                    named[name] = 2, entry.start
                    return
            self.pause()


def _is_fraction(data: bytes, place: int, start: int) -> bool:
    """Whether what stands at a place follows the point of a decimal number, as in 0.47112."""
    before = data[max(place - 2, start, 0) : place]
    return len(before) == 2 and before[1:] in b".," and before[0] in _DIGITS


def _is_number_in(text: bytes, value: bytes) -> bool:
    """Whether a number is one of those of a DS or an IS: a part of a number is another one."""
    return any(part.strip(b" \0+-").lstrip(b"0") == text.lstrip(b"+-0") for part in value.split(b"\\"))


def _joins(one: int, other: int) -> bool:
    return (one in _DIGITS and other in _DIGITS) or (one in _LETTERS and other in _LETTERS)
