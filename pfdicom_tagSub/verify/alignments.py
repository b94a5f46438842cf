"""Which element of an output is which of its input, and in which of them files differ."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, TypeVar, cast

from .entries import PydicomReading
from .piece_data_sets import PieceDataSet, PieceEntries
from .proofs import Planned

T = TypeVar("T")


class AlignedPair(NamedTuple):
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
    data: tuple[AlignedPair, ...]
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


class Known(NamedTuple):
    """What is remembered of a file: its elements by file meta and data set, of input and output."""

    elements: tuple[PieceEntries, PieceEntries, PieceEntries, PieceEntries]
    surroundings: object

    @classmethod
    def of(cls, proved: Proved) -> Known:
        sets = (proved.before.meta, proved.before.data, proved.after.meta, proved.after.data)
        return cls(tuple([cast(PieceDataSet, one).own for one in sets]), proved.surroundings)  # type: ignore[arg-type]

    def is_like(self, other: Known) -> bool:
        """Whether another file has elements of these tags, and the same around them."""
        return self.surroundings is other.surroundings and all(
            one.tags == two.tags for one, two in zip(self.elements, other.elements, strict=True)
        )
