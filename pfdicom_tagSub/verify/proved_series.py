"""What the files of a series have in common in input and output, proved once for all of them.

Of two files that were proved one after the other most elements are the same, and the same has become of them.
A third file that has these bytes where they were is not read element by element: the stretches in common are
compared in one step, and what was proved of them holds, as it depends on the same things around them. Only
the elements between them are read and proved, from the file itself.

What a proof depends on besides the bytes of an element is in common, or the files are not taken for a series:
the transfer syntax, the character sets, the private creators, what templates look up (all in
``Proofs.surroundings``), and the tags of all elements in their order. Lengths of groups, and whatever else is
true of one file alone, are proved in each. What a file says of itself is looked for in all of its output.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from typing import cast

from ..dicom.dictionary import FILE_META_GROUP_LENGTH, SPECIFIC_CHARACTER_SET
from ..dicom.sources import BytesSource
from .alignments import Alignment, Known, Proved, Varying
from .entries import PydicomReading
from .overlay_check import POSITIONS
from .piece_data_sets import PieceDataSet
from .pieces import MOST_SEARCHES, is_creator
from .series_reading import TRANSFER_SYNTAX
from .series_search import Core, Noted
from .series_sides import GroupLength, Side
from .text_search import TextSearch, looked_for

MOST_SERIES = 8
"""So many series are remembered, those that were met last."""

MOST_RECENT = 4
"""With so many of the last files a file is compared that belongs to none of them."""

MOST_VARYING = 128
"""Files in which more elements differ, counted in input and output, are no series."""

MOST_MORE = 6
"""A file in which so many more elements differ than in those before it belongs to another series."""

LOOKED_AT_AGAIN = 4
"""After so many files it is found out which of the elements that differed do not any more."""

SPARING = 0.8
"""Less than this part of them has to be left, or it is not worth it."""

MOST_BYTES = 1 << 20
"""Of files whose elements have more, without pixels, none is remembered."""


class ProvedSeries:
    """What was proved of a series.

    Attributes:
        known: one of its files.
        varying: the elements that are not in common.
        whole: which element of the output is which of the input.
        alignment: what is to be proved in each file.
        lengths: the lengths of groups, which have to be true in each.
        notes: what was noted of all that is in common.
        surroundings: what the proofs depend on.
        stamps: what could be inserted.
        before: the inputs.
        after: the outputs.
        met: how many files of it were met.
        first: the first of them.
        seen: what differed between that and the next ones.
        is_settled: whether it was found out what differs no more.
        searches: the searches of texts, by what is looked for besides what the notes say.
    """

    def __init__(self, proved: Proved, varying: Varying, notes: Callable[[Alignment], Noted]) -> None:
        """Args:
        proved: one of its files.
        varying: the elements that are not in common.
        notes: what was noted of a part of that file.
        """
        self.known = Known.of(proved)
        self.varying = varying
        self.whole = proved.alignment
        tags = self.known.elements[0].tags
        lengths = [index for index, tag in enumerate(tags) if tag == FILE_META_GROUP_LENGTH]
        self.alignment, common = proved.alignment.split(varying, lengths)
        self.notes = notes(common)
        self.searches: dict[object, TextSearch] = {}
        self.surroundings = proved.surroundings
        self.stamps = proved.stamps
        self.met = 0
        self.first = self.known
        self.seen: Varying | None = None
        self.is_settled = False
        data, written = cast(PieceDataSet, proved.before.data), cast(PieceDataSet, proved.after.data)
        blanks = {one.number for one in proved.alignment.data if one.is_silent}
        twins: dict[int, int] = {}
        if data.contexts == written.contexts:
            # The same bytes are the same element then.
            pairs = [one for one in proved.alignment.data if one.planned.is_idle]
            twins = {one.place: one.number for one in pairs if one.place is not None}
        self.before = Side(proved.before, varying.old_meta, varying.old, blanks)
        self.after = Side(proved.after, varying.new_meta, varying.new, twins=twins)
        self.lengths = tuple(self._true_lengths(proved))
        true = {one.place for one in self.lengths}
        self.alignment = self.alignment._replace(
            data=tuple([one for one in self.alignment.data if one.place not in true])
        )
        # The bytes of the file are not to be kept.
        for side in (self.before, self.after):
            side.meta = replace(side.meta, source=NO_BYTES, readings={})
            side.data = replace(side.data, source=NO_BYTES, readings={})

    def _true_lengths(self, proved: Proved) -> Iterator[GroupLength]:
        """The lengths of groups that are true in a file."""
        after = cast(PieceDataSet, proved.after.data)
        for one in self.alignment.data:
            if one.place is None or not one.planned.is_length:
                continue
            found = GroupLength.of(after, one.place, self.varying.new)
            if found.is_true(after.own.pieces):
                yield found

    @cached_property
    def core(self) -> Core:
        """What is looked for in each file because of what is in common."""
        return Core(self.notes)

    def text_search(self, own: Noted, make: Callable[[], TextSearch]) -> TextSearch:
        """The search of the texts of a file.

        Args:
            own: what was noted besides the notes.
            make: makes it.
        """
        key = looked_for(own.originals, [*own.results, *own.spared])
        found = self.searches.get(key)
        if found is None:
            if len(self.searches) >= MOST_SEARCHES:
                self.searches.clear()
            found = self.searches[key] = make()
        return found

    def match(
        self, source: BytesSource, written: BytesSource, before: PydicomReading | None = None
    ) -> tuple[PydicomReading, PydicomReading] | None:
        """An input and an output that are of the series, in pieces; None for others.

        Args:
            source, written: the files.
            before: the input in pieces, if it is known to be of the series.
        """
        before = before or self.before.match(source)
        after = None
        if before is not None:
            after = self.after.match(written, cast(PieceDataSet, before.data).own.pieces)
        return (before, after) if before is not None and after is not None else None


NO_BYTES = BytesSource(b"")


class SeriesMemory:
    """The series that one verifier proved files of."""

    def __init__(self, decisive: frozenset[int]) -> None:
        """Args:
        decisive: the tags of elements that proofs of others depend on.
        """
        self._decisive = decisive | {SPECIFIC_CHARACTER_SET, TRANSFER_SYNTAX}
        self.series: list[ProvedSeries] = []
        """The last one that was met first."""
        self._recent: list[Known] = []
        self._read: tuple[BytesSource, ProvedSeries, PydicomReading] | None = None

    def read(self, source: BytesSource) -> PydicomReading | None:
        """An input in pieces, if it is like those of a series; None for another."""
        for place, series in enumerate(self.series):
            before = series.before.match(source)
            if before is not None:
                self.series.insert(0, self.series.pop(place))
                self._read = source, series, before
                return before
        return None

    def find(
        self, source: BytesSource, written: BytesSource
    ) -> tuple[ProvedSeries, PydicomReading, PydicomReading] | None:
        """The series that a file belongs to, and the file in pieces; None where it belongs to none."""
        known = self._read if self._read is not None and self._read[0] is source else None
        for place, series in enumerate(self.series):
            before = known[2] if known is not None and known[1] is series else None
            found = series.match(source, written, before)
            if found is not None:
                if place:
                    self.series.insert(0, self.series.pop(place))
                return series, *found
        return None

    def forget(self) -> None:
        """Let go of the file that was found last, and of the items of its sequences."""
        self._read = None
        for series in self.series[:1]:
            for side in (series.before, series.after):
                for context in side.contexts:
                    context.forget()

    def learn(self, proved: Proved, notes: Callable[[Alignment], Noted]) -> None:
        """Take notice of a file that was proved element by element.

        Args:
            proved: the file.
            notes: what was noted of a part of it.
        """
        known = Known.of(proved)
        if not _is_example(known):
            return
        for place, series in enumerate(self.series):
            if series.known.is_like(known):
                found = Varying.between(known.elements, series.known.elements)
                if found.count_without(series.varying) <= MOST_MORE:
                    del self.series[place]
                    self._add(proved, found | series.varying, notes, is_settled=series.is_settled)
                    return
        likes = [Varying.between(known.elements, one.elements) for one in self._recent if one.is_like(known)]
        if likes:
            self._add(proved, min(likes, key=Varying.total), notes)
        self._recent = [known, *self._recent[: MOST_RECENT - 1]]

    def note(self, series: ProvedSeries, proved: Proved, notes: Callable[[Alignment], Noted]) -> None:
        """Take notice of a file that is of a series; now and then of what more its files have in common.

        Args:
            series: the series.
            proved: the file.
            notes: what was noted of a part of it.
        """
        series.met += 1
        if series.met > LOOKED_AT_AGAIN or series.is_settled:
            return
        known = Known.of(proved)
        if series.met == 1:
            series.first = known
            return
        found = Varying.between(known.elements, series.first.elements)
        series.seen = found if series.seen is None else series.seen | found
        if series.met == LOOKED_AT_AGAIN and series.seen.total() < SPARING * series.varying.total():
            self.series.remove(series)
            self._add(proved, series.seen, notes, is_settled=True)

    def _add(
        self,
        proved: Proved,
        varying: Varying,
        notes: Callable[[Alignment], Noted],
        *,
        is_settled: bool = False,
    ) -> None:
        if varying.total() > MOST_VARYING or self._is_decisive(proved, varying):
            return
        self.series.insert(0, ProvedSeries(proved, varying, notes))
        self.series[0].is_settled = is_settled
        del self.series[MOST_SERIES:]

    def _is_decisive(self, proved: Proved, varying: Varying) -> bool:
        """Whether something that proofs depend on is not in common."""
        elements = Known.of(proved).elements
        tags = [one.tags[index] for one, own in zip(elements, varying, strict=True) for index in own]
        return any(is_creator(tag) or tag in self._decisive for tag in tags)


def _is_example(known: Known) -> bool:
    """Whether files like a file can be known by it."""
    old, new = known.elements[1], known.elements[3]
    size = sum([len(piece.data) for one in known.elements for piece in one.pieces])
    if not old.pieces or not new.pieces or size > MOST_BYTES:
        return False
    return old.known.isdisjoint(POSITIONS)  # overlays and pixels depend on each other
