"""Whether an output still holds values that were replaced in it, and which element holds them."""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from ..core.caches import remembered
from ..dicom.dictionary import PIXEL_DATA
from ..dicom.sources import Source
from ..text.common_words import TERMS
from ..text.in_paths import holds_text
from .element_texts import ElementText, is_of_codes, is_of_make, name_of, vr_of
from .pieces import LARGE
from .pydicom_reading import REST, DataSet, Entry, PydicomReading, is_sequence, items_of
from .search_terms import (
    MOST_VALUES,
    NAMES,
    NUMBERS,
    UNBOUNDED,
    Needle,
    TermKind,
    Trace,
    needles_of,
    notations_of,
    plain_notations,
    traces_of,
)
from .text_search import TextSearch

CHUNK = 1 << 20
OVERLAP = 1 << 12
"""Chunks overlap by more than the longest needle."""

NEAR = 40
"""Around the first thing to look for of a date, its whole notation is."""

BULK_SHORTEST = 8
"""In binary values, such as pixels, shorter texts are found by chance."""

BULK_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})

MOST_PLACES = 100
"""A needle is looked up at so many places of a chunk that are no hit after all, or are the same element's."""

MOST_NAMED = 20
"""So many elements of one output are named."""

NUMBERLIKE_VRS = frozenset({"DA", "DT", "TM", "UI"})
"""VRs whose values are made of numbers."""

LONGEST_CLOCK = 6
"""UIDs that are kept hold times and numbers of devices, as their makers built them of these."""

MOST_WORDS_OF_CODE = 2
"""Descriptions of so many words are those of codes, too."""

_DIGITS = frozenset(b"0123456789")
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyz")


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


Named = dict[str, tuple[int, int]]
"""The names of what holds a value, and where it is: in the path, in the head or in the data set."""


def find_residuals(
    output: PydicomReading,
    path: str,
    originals: Iterable[ElementText],
    results: Iterable[ElementText],
    codecs: Iterable[str],
    pause: Callable[[], None],
    kept: frozenset[int] = frozenset(),
    spared: Iterable[ElementText] = (),
    texts: TextSearch | None = None,
) -> tuple[str, ...]:
    """The elements of an output that hold a value that was replaced.

    Args:
        output: the output.
        path: its path, relative to the output directory.
        originals: the values that were replaced, removed or emptied.
        results: what stands in their place: a trace that these have, too, says nothing.
        codecs: the Python encodings of text in the input and the output.
        pause: called between pieces of a large file; it may raise to stop.
        kept: the tags of elements that are kept on purpose.
        spared: their values: what is not a name says nothing either where it is one of these.
        texts: the search of its texts.

    Returns:
        Their names in the order of the file, such as ``RequestAttributesSequence[0].StudyID``; also
        ``path``, ``preamble`` and ``pixel data``.
    """
    results = list(results)
    wanted = wanted_of(originals, Stated.of(results), texts_of_traces(spared), codecs)
    if not wanted.needles and not wanted.days and (texts is None or texts.is_idle):
        return ()
    named: Named = {}
    if is_in_path(path, wanted.texts, wanted.days):
        named["path"] = 0, 0
    head = output.data.start if not output.is_deflated else output.meta.end
    regions = list(_regions(output.data))
    stretches = [region for region in regions if isinstance(region, tuple)]
    search = NeedleSearch(wanted.needles, wanted.days, pause, kept)
    if head + sum(stop - start for start, stop in stretches) <= CHUNK:
        source = output.data.source
        parts = [source.read(start, stop) for start, stop in stretches]
        whole = b"\n".join((output.source.read(0, head), *parts)).lower()
        needles_left, days_left = search.found_in(whole)
    else:
        needles_left, days_left = search.needles, search.days
    if needles_left or days_left:
        near = NeedleSearch(needles_left, days_left, pause, kept)
        near.text(output.source, 0, head, Leaves(1, lambda: leaves_of_head(output)), named)
        leaves = Leaves(2, lambda: sorted(_leaves_of(output.data, ""), key=lambda leaf: leaf.start))
        for start, stop in stretches:
            near.text(output.data.source, start, stop, leaves, named)
    if texts is not None:
        for part, data in ((1, output.meta), (2, output.data)):
            for name, entry in texts.of_data_set(data):
                named.setdefault(name, (part, entry.start))
    for region in regions:
        if not isinstance(region, tuple):
            search.bulk(output.data.source, region, named)
    return tuple(sorted(named, key=named.__getitem__)[:MOST_NAMED])


class Wanted(NamedTuple):
    """What to look for in an output.

    Attributes:
        needles: bytes of texts.
        days: days, in all their notations.
        texts: the texts.
    """

    needles: list[Needle]
    days: list[str]
    texts: list[str]


class Stated(NamedTuple):
    """What an output says on purpose.

    Attributes:
        texts: the texts of traces that say nothing, as they are said.
        uids: the UIDs that were made.
    """

    texts: frozenset[str]
    uids: tuple[str, ...]

    @classmethod
    def of(cls, results: Iterable[ElementText]) -> Stated:
        """What values say that stand in the place of others."""
        results = list(results)
        return cls(texts_of_traces(results), tuple(text for vr, text, _ in results if vr == "UI"))

    def with_more(self, results: Iterable[ElementText]) -> Stated:
        """What these and more values say."""
        more = Stated.of(results)
        return Stated(self.texts | more.texts, (*self.uids, *more.uids))


def texts_of_traces(values: Iterable[ElementText]) -> frozenset[str]:
    """The texts of the traces of values."""
    return frozenset([trace.text for vr, text, _ in _first(values) for trace in traces_of(vr, text)])


def wanted_of(
    originals: Iterable[ElementText], stated: Stated, left: frozenset[str], codecs: Iterable[str]
) -> Wanted:
    """What to look for in an output.

    Args:
        originals: the values that were replaced, removed or emptied.
        stated: what stands in their place: a trace that this has, too, says nothing.
        left: texts of traces of what is kept: what is not a name says nothing where it is one of these.
        codecs: the Python encodings of text in the input and the output.
    """
    traces = {
        (trace.text, trace.is_day): trace
        for vr, text, kind in reversed(_first(originals))  # of two kinds the one that tells most
        for trace in traces_of(vr, text, kind)
        if vr in NAMES or trace.text not in left
    }
    wanted = [
        trace
        for trace in traces.values()
        # The root of the UIDs that were made is no trace of one that was replaced.
        if trace.text not in stated.texts and not any(uid.startswith(trace.text + ".") for uid in stated.uids)
    ]
    days = sorted(trace.text for trace in wanted if trace.is_day)
    own = tuple(sorted(set(codecs)))
    needles: dict[Needle, None] = {}
    for trace in wanted:
        if not trace.is_day:
            needles.update(dict.fromkeys(needles_of(trace, own)))
    for day in days:
        for form in plain_notations(day):
            needles.update((needle, None) for needle in needles_of(Trace(form), own) if needle.width > 1)
    return Wanted(list(needles), days, [trace.text for trace in wanted if not trace.is_day])


def _first(values: Iterable[ElementText]) -> list[ElementText]:
    return sorted(values, key=lambda one: (one.kind, one))[:MOST_VALUES]


def _regions(data: DataSet) -> Iterator[tuple[int, int] | Entry]:
    """A data set as stretches of text and, by themselves, large binary values."""
    start = data.start
    for entry in data.entries:
        if is_bulk(entry):
            if start < entry.start:
                yield start, entry.start
            yield entry
            start = entry.end
    if start < data.end:
        yield start, data.end


def is_bulk(entry: Entry) -> bool:
    """Whether an element holds much that is no text, so that only long texts are looked for in it."""
    if entry.tag in PIXEL_DATA:
        return True
    return entry.end - entry.start >= LARGE and entry.vr in BULK_VRS and not entry.tag >> 16 & 1


def is_in_path(path: str, texts: Iterable[str], days: Iterable[str]) -> bool:
    """Whether the path of an output holds a text, or a day in some notation."""
    folded = os.fsencode(path).lower()
    return holds_text(path, texts, UNBOUNDED) or any(is_day_in(day, folded) for day in days)


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


def _leaves_of(data: DataSet, above: str, base: int = 0) -> Iterator[Leaf]:
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
            yield from _leaves_of(item.data, f"{name}[{index}].", base + item.data.base)
        if items:
            return
    is_binary = entry.tag in PIXEL_DATA or (entry.vr in BULK_VRS and not entry.tag >> 16 & 1)
    vr = vr_of(entry, data) if entry.stored is not None and not entry.is_parsed else ""
    yield Leaf(base + entry.value, base + entry.end, name, is_binary, max(entry.tag, 0), vr)


@remembered(most=64)
def _marked(letters: frozenset[int]) -> bytes:
    """A table that makes the bytes of the needles one, and all others another."""
    return bytes(code in letters for code in range(256))


_RUN = re.compile(b"\1{%d,}" % BULK_SHORTEST)

FEW_STEPS = 1 << 25
"""Needles times bytes that are looked through one needle after the other."""


def likely_in(data: bytes, needles: Sequence[Needle]) -> Sequence[Needle]:
    """Needles that may be in folded bytes: all that are, and few others.

    Where there are many, they are told by their last bytes, in two steps through the data. The time is
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


_ENDS = (4, 8)


class NeedleSearch:
    """What is looked for in one output."""

    def __init__(
        self,
        needles: list[Needle],
        days: list[str],
        pause: Callable[[], None],
        kept: frozenset[int] = frozenset(),
    ) -> None:
        self.kept = kept
        self.needles = needles
        self.days = days
        self.pause = pause

    @cached_property
    def bulky(self) -> list[bytes]:
        """What is looked for in binary values."""
        texts = [one.folded for one in self.needles if one.width == 1 and len(one.folded) >= BULK_SHORTEST]
        forms = [form.encode() for day in self.days for form in plain_notations(day)]
        return list(dict.fromkeys(texts + forms))

    @cached_property
    def table(self) -> bytes:
        """Marks the bytes of what is looked for in binary values."""
        letters = b"".join(self.bulky)
        return _marked(frozenset(letters + letters.upper()))

    def found_in(self, data: bytes) -> tuple[list[Needle], list[str]]:
        """What of it is worth a second look in folded bytes: mostly nothing."""
        needles = [needle for needle in likely_in(data, self.needles) if needle.folded in data]
        return needles, [day for day in self.days if is_day_in(day, data)]

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
        for day in self.days:
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
        firsts, pattern = notations_of(day)
        for first in firsts:
            place = data.find(first)
            seen = 0
            while place >= 0 and seen < MOST_PLACES:
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
        if not self.bulky or name in named:
            return
        table = self.table
        for place in range(entry.value, entry.end, CHUNK):
            data = source.read(max(entry.value, place - OVERLAP), min(entry.end, place + CHUNK))
            # Most binary values hold no run of such bytes. In a run of eight, two bytes three apart are
            # among every third byte; in pixels of two bytes they are a low one and a high one, mostly small.
            if b"\1\1" not in data[::3].translate(table):
                self.pause()
                continue
            marks = data.translate(table)
            for run in _RUN.finditer(marks) if b"\1" * BULK_SHORTEST in marks else ():
                text = data[run.start() : run.end()].lower()
                if any(needle in text for needle in self.bulky):
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


def is_day_in(day: str, data: bytes) -> bool:
    """Whether folded bytes may hold a date in some notation."""
    firsts, pattern = notations_of(day)
    for first in firsts:
        place = data.find(first)
        while place >= 0:
            if pattern.search(data[max(place - NEAR, 0) : place + NEAR]):
                return True
            place = data.find(first, place + 1)
    return False


def _joins(one: int, other: int) -> bool:
    return (one in _DIGITS and other in _DIGITS) or (one in _LETTERS and other in _LETTERS)
