"""Elements of files of a series, each the same object wherever its bytes are the same: *pieces*.

What pydicom makes of an element depends on the bytes of the element, on the encoding of the data set and,
in a sequence, on the character set before it. An element whose bytes it read before, in the same encoding
and character set, is the same piece (``piece_context``, ``series_reading``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple, cast, overload

from ..dicom.dictionary import PIXEL_DATA
from ..dicom.sources import BytesSource
from .entries import DataSet, Entry

if TYPE_CHECKING:
    from .piece_context import Context

LARGE = 1 << 14
"""Binary values from this length on are searched by themselves."""

MOST_SEARCHES = 16
FIRST_CREATOR = 0x10


class ParsedSequence:
    """A sequence of undefined length, which pydicom had to enter; its items are read when they are needed."""

    __slots__ = ("_context", "_data", "_items")
    VR = "SQ"

    def __init__(self, context: Context, data: bytes, items: Any = None) -> None:
        self._context = context
        self._data = data
        self._items = items

    @property
    def value(self) -> Any:
        """The items as pydicom read them, places told from the beginning of the element."""
        if self._items is None:
            stored, _ = self._context.stored_at(self._data, 0)
            self._items = stored.value
            self._context.loaded.append(self)
        return self._items

    def forget(self) -> None:
        """Let go of the items."""
        self._items = None


class Piece:
    """An element of one or of many files; the same object wherever its bytes are the same.

    Attributes:
        tag: its tag.
        data: its bytes, header included; b"" where they are too many.
        value: where in them the value begins.
        size: how many they are.
        stored: what pydicom read, without the value.
        is_sequence: whether it is a sequence, or looks like one.
        kind: its VR, and whether it is or looks like a sequence.
        is_large: whether it may be a large binary value.
        following: what followed it last, in an input and in an output.
        runs: the run that it began last, in an input and in an output.
        clean: the searches that found nothing in it.
    """

    __slots__ = (
        *("clean", "data", "following", "is_large", "is_sequence"),
        *("kind", "runs", "size", "stored", "tag", "value"),
    )

    def __init__(
        self, tag: int, data: bytes, value: int, size: int, stored: Any, *, is_sequence: bool
    ) -> None:
        self.tag = tag
        self.data = data
        self.value = value
        self.size = size
        self.stored = stored
        self.is_sequence = is_sequence
        self.kind = f"{stored.VR}{is_sequence:d}"
        self.is_large = size >= LARGE or tag in PIXEL_DATA
        self.following: list[Piece | None] = [None, None]
        self.runs: list[PieceRun | None] = [None, None]
        self.clean: set[object] = set()

    def mark_clean(self, search: object) -> None:
        """Note that a search found nothing in it."""
        if len(self.clean) >= MOST_SEARCHES:
            self.clean.clear()
        self.clean.add(search)

    def entry_at(self, start: int) -> Entry:
        """It as an element of a data set."""
        own = BytesSource(self.data) if isinstance(self.stored, ParsedSequence) else None
        return Entry(self.tag, start, start + self.value, start + self.size, self.stored, own)


class PieceRun(NamedTuple):
    """Pieces that followed each other in more than one file, compared in one step.

    Attributes:
        data: their bytes.
        pieces: the pieces.
        places: where each begins.
    """

    data: bytes
    pieces: list[Piece]
    places: list[int]


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


def is_creator(tag: int) -> bool:
    """Whether a tag is that of a private creator (PS3.5 7.8.1)."""
    return tag & 0x1FF00 == 0x10000 and tag & 0xFF >= FIRST_CREATOR


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
