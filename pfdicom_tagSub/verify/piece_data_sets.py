"""Data sets that were read in pieces."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import cast, overload

from .entries import DataSet, Entry
from .piece_context import Context
from .pieces import MOST_SEARCHES, Piece, is_creator


class Common:
    """What is known of the elements that files of a series have in common, on one side.

    Attributes:
        varying: the indices of the elements that are not in common.
        large: those of elements in common that may be large binary values.
        unclean: those in which a search finds something, by the search.
    """

    __slots__ = ("large", "unclean", "varying")

    def __init__(self, pieces: Sequence[Piece], varying: frozenset[int]) -> None:
        self.varying = varying
        self.large = tuple(
            [index for index, piece in enumerate(pieces) if piece.is_large and index not in varying]
        )
        self.unclean: dict[object, tuple[int, ...]] = {}


class PieceEntries(Sequence[Entry]):
    """The elements of a data set that was read in pieces, each made when it is asked for."""

    __slots__ = ("_begin", "_creators", "_made", "_others", "_starts", "common", "known", "pieces", "tags")

    def __init__(self, pieces: list[Piece], starts: list[int]) -> None:
        self.pieces = pieces
        self.tags = [piece.tag for piece in pieces]
        self.known = frozenset(self.tags)
        self.common: Common | None = None
        self._begin = 0
        self._starts: list[int] | None = starts
        self._others: Mapping[int, tuple[Piece, int]] = {}
        self._made: dict[int, Entry] = {}
        self._creators: list[Piece] | None = None

    def with_others(
        self, others: Mapping[int, tuple[Piece, int]], begin: int, common: Common
    ) -> PieceEntries:
        """The same elements in another file, which begin elsewhere, and some of which are others.

        Args:
            others: by their indices, those that are others, of the same tags, and where each begins; no
                private creators.
            begin: where the first one begins.
            common: what is known of the elements that are the same.
        """
        made = PieceEntries.__new__(PieceEntries)
        pieces = made.pieces = self.pieces.copy()
        for index, (piece, _) in others.items():
            pieces[index] = piece
        made.tags, made.known = self.tags, self.known
        made.common = common
        made._begin, made._starts, made._others = begin, None, others
        made._made = {}
        made._creators = self.creators
        return made

    @property
    def starts(self) -> list[int]:
        """Where each begins."""
        if self._starts is None:
            sizes = [piece.size for piece in self.pieces[:-1]]
            self._starts = list(accumulate(sizes, initial=self._begin))
        return self._starts

    @property
    def creators(self) -> list[Piece]:
        """The private creators among them."""
        if self._creators is None:
            pairs = zip(self.tags, self.pieces, strict=True)
            self._creators = [piece for tag, piece in pairs if is_creator(tag)]
        return self._creators

    def at(self, index: int) -> Entry:
        """The element of an index."""
        found = self._made.get(index)
        if found is None:
            start = self._others[index][1] if index in self._others else self.starts[index]
            found = self._made[index] = self.pieces[index].entry_at(start)
        return found

    def unclean(self, search: object) -> list[int]:
        """The indices of those of which it is not known that a search finds nothing in them."""
        pieces, common = self.pieces, self.common
        known = None if common is None else common.unclean.get(search)
        if common is None or known is None:
            return [index for index, piece in enumerate(pieces) if search not in piece.clean]
        return [index for index in sorted([*known, *common.varying]) if search not in pieces[index].clean]

    def note_unclean(self, search: object) -> None:
        """Note for the files of a series in which of the elements in common a search finds something."""
        common = self.common
        if common is None or search in common.unclean:
            return
        if len(common.unclean) >= MOST_SEARCHES:
            common.unclean.clear()
        found = [index for index, piece in enumerate(self.pieces) if search not in piece.clean]
        common.unclean[search] = tuple([index for index in found if index not in common.varying])

    def large(self) -> list[int]:
        """The indices of those that may be large binary values."""
        pieces, common = self.pieces, self.common
        if common is None:
            return [index for index, piece in enumerate(pieces) if piece.is_large]
        return [index for index in sorted([*common.large, *common.varying]) if pieces[index].is_large]

    def __len__(self) -> int:
        return len(self.pieces)

    def __iter__(self) -> Iterator[Entry]:
        return map(self.at, range(len(self.pieces)))

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | Sequence[Entry]:
        found = range(len(self.pieces))[index]
        return self.at(found) if isinstance(found, int) else [self.at(one) for one in found]


@dataclass(slots=True)
class PieceDataSet(DataSet):
    """A data set that was read in pieces.

    Attributes:
        contexts: what the elements up to the Specific Character Set were read in, and those after it.
    """

    contexts: tuple[Context, ...] = ()

    @property
    def own(self) -> PieceEntries:
        """Its elements."""
        return cast(PieceEntries, self.entries)

    def with_tag(self, tag: int) -> list[Entry]:
        """Its elements with a tag."""
        own = self.own
        if tag not in own.known:
            return []
        return [own.at(index) for index, one in enumerate(own.tags) if one == tag]
