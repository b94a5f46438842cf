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

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeVar, cast

from ..dicom.dictionary import FILE_META_GROUP_LENGTH, SPECIFIC_CHARACTER_SET
from ..dicom.sources import BytesSource
from .entries import PydicomReading
from .overlay_check import POSITIONS
from .pieces import (
    MOST_SEARCHES,
    TRANSFER_SYNTAX,
    Common,
    Context,
    Piece,
    PieceDataSet,
    PieceEntries,
    is_creator,
    is_plain_meta,
)
from .proofs import Planned
from .pydicom_reading import HEAD
from .series_search import Core, Noted
from .text_search import TextSearch, looked_for

T = TypeVar("T")

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


class Pair(NamedTuple):
    """An element of an input and what has become of it.

    Attributes:
        number: its index.
        place: the index of what has become of it; None where it is gone.
        planned: what the spec does to it.
    """

    number: int
    place: int | None
    planned: Planned

    @property
    def is_silent(self) -> bool:
        """Whether it is gone, and told nothing to look for."""
        return self.place is None and self.planned.is_silent


class Alignment(NamedTuple):
    """Which element of an output is which of the input.

    Attributes:
        meta: the indices of those of the file meta, and of what has become of them.
        data: those of the data set.
        inserted: the indices of elements of the output that were inserted.
    """

    meta: tuple[tuple[int, int | None], ...]
    data: tuple[Pair, ...]
    inserted: tuple[int, ...]

    def split(self, varying: Varying, lengths: Collection[int]) -> tuple[Alignment, Alignment]:
        """What has to be proved in each file, and what is in common.

        Args:
            varying: what is not in common.
            lengths: the indices of elements of the file meta that tell its length.
        """
        old_meta, old, new_meta, new = varying
        own_meta, common_meta = _parted(
            self.meta, lambda one: one[0] in lengths or one[0] in old_meta or one[1] in new_meta
        )
        own, common = _parted(
            self.data,
            lambda one: (
                one.number in old or one.place in new or not (one.planned.is_lasting or one.is_silent)
            ),
        )
        inserted, common_inserted = _parted(self.inserted, lambda one: one in new)
        own = tuple([one for one in own if not one.is_silent])
        return Alignment(own_meta, own, inserted), Alignment(common_meta, common, common_inserted)


def _parted(every: Sequence[T], is_first: Callable[[T], bool]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    return tuple([one for one in every if is_first(one)]), tuple([one for one in every if not is_first(one)])


class Varying(NamedTuple):
    """The indices of elements that differ between files."""

    old_meta: frozenset[int]
    old: frozenset[int]
    new_meta: frozenset[int]
    new: frozenset[int]

    @classmethod
    def between(cls, one: Sequence[PieceEntries], other: Sequence[PieceEntries]) -> Varying:
        """The elements that are not the same."""
        return cls(*map(_differing, one, other))

    def __or__(self, other: Varying) -> Varying:
        return Varying(*[one | two for one, two in zip(self, other, strict=True)])

    def total(self) -> int:
        """How many they are."""
        return sum(map(len, self))

    def count_without(self, other: Varying) -> int:
        """How many are not among others."""
        return sum(len(one - two) for one, two in zip(self, other, strict=True))


def _differing(one: PieceEntries, other: PieceEntries) -> frozenset[int]:
    pairs = enumerate(zip(one.pieces, other.pieces, strict=True))
    return frozenset([index for index, (piece, two) in pairs if piece is not two or not piece.data])


class Proved(NamedTuple):
    """A file that was proved.

    Attributes:
        before: its input.
        after: its output.
        alignment: which element is which.
        surroundings: what its proofs depend on.
        stamps: what could be inserted.
    """

    before: PydicomReading
    after: PydicomReading
    alignment: Alignment
    surroundings: object
    stamps: frozenset[int]


class _Known(NamedTuple):
    """What is remembered of a file: its elements by file meta and data set, of input and output."""

    elements: tuple[PieceEntries, PieceEntries, PieceEntries, PieceEntries]
    surroundings: object

    @classmethod
    def of(cls, proved: Proved) -> _Known:
        sets = (proved.before.meta, proved.before.data, proved.after.meta, proved.after.data)
        return cls(tuple([cast(PieceDataSet, one).own for one in sets]), proved.surroundings)  # type: ignore[arg-type]

    def is_like(self, other: _Known) -> bool:
        """Whether another file has elements of these tags, and the same around them."""
        return self.surroundings is other.surroundings and all(
            one.tags == two.tags for one, two in zip(self.elements, other.elements, strict=True)
        )


class GroupLength(NamedTuple):
    """The length of a group of an output.

    Attributes:
        place: its index.
        fixed: the bytes of those elements that follow it and are of its group and in common.
        varying: the indices of the others.
        order: the byte order.
    """

    place: int
    fixed: int
    varying: tuple[int, ...]
    order: Literal["little", "big"]

    @classmethod
    def of(cls, data: PieceDataSet, index: int, varying: Collection[int]) -> GroupLength:
        """That at an index."""
        tags, pieces = data.own.tags, data.own.pieces
        stop = index + 1
        while stop < len(tags) and tags[stop] >> 16 == tags[index] >> 16:
            stop += 1
        own = range(index + 1, stop)
        return cls(
            index,
            sum([pieces[one].size for one in own if one not in varying]),
            tuple([one for one in own if one in varying]),
            "little" if data.little else "big",
        )

    def is_true(self, pieces: Sequence[Piece]) -> bool:
        """Whether it is the length of its group in a file, and holds a number."""
        piece = pieces[self.place]
        size = self.fixed + sum([pieces[one].size for one in self.varying])
        return piece.size - piece.value == 4 and int.from_bytes(piece.data[piece.value :], self.order) == size


class _Step(NamedTuple):
    """Bytes in common, and the element that comes after them.

    Attributes:
        fixed: the bytes, with the beginning of the element: its tag, and its VR where one is stored.
        size: how many there are before the element.
        context: what the element is read in.
        tag: its tag.
        kind: its VR, and whether it is or looks like a sequence.
        place: its index.
        is_meta: whether it is of the file meta.
        is_blank: whether its bytes say nothing.
        twin: in an output, the index of the element of the input that it has to be; -1 for none.
    """

    fixed: bytes
    size: int
    context: Context
    tag: int
    kind: str
    place: int
    is_meta: bool
    is_blank: bool
    twin: int


class _Side:
    """What the inputs of a series have in common, or its outputs."""

    def __init__(
        self,
        reading: PydicomReading,
        varying_meta: frozenset[int],
        varying: frozenset[int],
        blanks: Collection[int] = (),
        twins: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """Args:
        reading: one of them, read in pieces.
        varying_meta: the indices of elements of its file meta that are not in common.
        varying: those of its data set.
        blanks: those of which the bytes say nothing.
        twins: for those that have to be the same in input and output their indices in the input.
        """
        meta, data = cast(PieceDataSet, reading.meta), cast(PieceDataSet, reading.data)
        self.meta, self.data = meta, data
        self.common = Common(meta.own.pieces, varying_meta), Common(data.own.pieces, varying)
        self.contexts = {id(one): one for one in (*meta.contexts, *data.contexts)}.values()
        self._steps: list[_Step] = []
        self._meta_size = HEAD
        source = reading.source
        fixed = [source.read(0, HEAD)]
        for one, own_varying, is_meta in ((meta, varying_meta, True), (data, varying, False)):
            context, after = one.contexts
            for index, piece in enumerate(one.own.pieces):
                if index not in own_varying:
                    fixed.append(piece.data)
                    self._meta_size += piece.size * is_meta
                else:
                    common = b"".join(fixed)
                    # pydicom takes the first six bytes of a data set for a tag and perhaps a VR.
                    size = 4 if context.implicit and index else 6
                    start = one.own.starts[index]
                    head = source.read(start, start + size)
                    is_blank = index in blanks and not is_meta
                    twin = -1 if is_meta else twins.get(index, -1)
                    self._steps.append(
                        _Step(
                            *(common + head, len(common), context, piece.tag, piece.kind),
                            *(index, is_meta, is_blank, twin),
                        )
                    )
                    fixed = []
                if piece.tag == SPECIFIC_CHARACTER_SET and not is_meta:
                    context = after
        self._rest = b"".join(fixed)

    def match(self, source: BytesSource, twins: Sequence[Piece | None] = ()) -> PydicomReading | None:
        """A file that has these bytes in common, in pieces; None for any other.

        Args:
            source: the file.
            twins: of an output, the elements of the input.
        """
        data = source.data
        startswith = data.startswith
        place = 0
        meta_size = self._meta_size
        metas: dict[int, tuple[Piece, int]] = {}
        others: dict[int, tuple[Piece, int]] = {}
        for fixed, size, context, tag, kind, index, is_meta, is_blank, twin in self._steps:
            if not startswith(fixed, place):
                return None
            place += size
            piece = None
            if is_blank:
                piece = context.blank_at(data, place)
            elif twin >= 0:
                piece = twins[twin]
                if piece is not None and not (piece.data and startswith(piece.data, place)):
                    piece = None
            if piece is None:
                piece = context.piece_at(data, place)
            if piece is None or piece.tag != tag or piece.kind != kind:
                return None
            if not is_meta:
                others[index] = piece, place
            elif is_plain_meta(piece):
                metas[index] = piece, place
                meta_size += piece.size
            else:
                return None
            place += piece.size
        if len(data) - place != len(self._rest) or not startswith(self._rest, place):
            return None
        meta, own = self.meta, self.data
        return PydicomReading(
            source,
            data[: HEAD - 4],
            PieceDataSet(
                *(True, meta.encodings, source, 0, meta.own.with_others(metas, HEAD, self.common[0])),
                *(HEAD, meta_size),
                contexts=meta.contexts,
            ),
            PieceDataSet(
                *(
                    own.little,
                    own.encodings,
                    source,
                    0,
                    own.own.with_others(others, meta_size, self.common[1]),
                ),
                *(meta_size, len(data)),
                contexts=own.contexts,
            ),
            is_deflated=False,
        )


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
        self.known = _Known.of(proved)
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
        self.before = _Side(proved.before, varying.old_meta, varying.old, blanks)
        self.after = _Side(proved.after, varying.new_meta, varying.new, twins=twins)
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
        self, source: BytesSource, written: BytesSource
    ) -> tuple[PydicomReading, PydicomReading] | None:
        """An input and an output that are of the series, in pieces; None for others."""
        before = self.before.match(source)
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
        self._recent: list[_Known] = []

    def find(
        self, source: BytesSource, written: BytesSource
    ) -> tuple[ProvedSeries, PydicomReading, PydicomReading] | None:
        """The series that a file belongs to, and the file in pieces; None where it belongs to none."""
        for place, series in enumerate(self.series):
            found = series.match(source, written)
            if found is not None:
                if place:
                    self.series.insert(0, self.series.pop(place))
                return series, *found
        return None

    def forget(self) -> None:
        """Let go of the items of sequences of the file that was found last."""
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
        known = _Known.of(proved)
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
        known = _Known.of(proved)
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
        elements = _Known.of(proved).elements
        tags = [one.tags[index] for one, own in zip(elements, varying, strict=True) for index in own]
        return any(is_creator(tag) or tag in self._decisive for tag in tags)


def _is_example(known: _Known) -> bool:
    """Whether files like a file can be known by it."""
    old, new = known.elements[1], known.elements[3]
    size = sum([len(piece.data) for one in known.elements for piece in one.pieces])
    if not old.pieces or not new.pieces or size > MOST_BYTES:
        return False
    return old.known.isdisjoint(POSITIONS)  # overlays and pixels depend on each other
