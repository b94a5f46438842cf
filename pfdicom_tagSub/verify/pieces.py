"""Elements of files of a series, each the same object wherever its bytes are the same: *pieces*.

What pydicom makes of an element depends on the bytes of the element, on the encoding of the data set and,
in a sequence, on the character set before it. An element whose bytes it read before, in the same encoding
and character set, is the same piece (``piece_context``, ``series_reading``).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, TypeVar

from ..dicom.dictionary import PIXEL_DATA
from ..dicom.sources import BytesSource
from .entries import Entry
from .parsed_sequences import ParsedSequence

T = TypeVar("T")

LARGE = 1 << 14
"""Binary values from this length on are searched by themselves."""

MOST_SEARCHES = 16
FIRST_CREATOR = 0x10


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
        # A piece is made for each value that one file has alone, and mostly none of these is needed.
        self.following: tuple[Piece | None, Piece | None] = (None, None)
        self.runs: tuple[PieceRun | None, PieceRun | None] = (None, None)
        self.clean: Collection[object] = ()

    def mark_clean(self, search: object) -> None:
        """Note that a search found nothing in it."""
        known = self.clean
        self.clean = (*known, search) if len(known) < MOST_SEARCHES else (search,)

    def entry_at(self, start: int) -> Entry:
        """It as an element of a data set."""
        own = BytesSource(self.data) if isinstance(self.stored, ParsedSequence) else None
        return Entry(self.tag, start, start + self.value, start + self.size, self.stored, own)


def with_own(pair: tuple[T | None, T | None], role: int, own: T) -> tuple[T | None, T | None]:
    """A pair of something in inputs and something in outputs, one of which is replaced."""
    return (own, pair[1]) if role == 0 else (pair[0], own)


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


def is_creator(tag: int) -> bool:
    """Whether a tag is that of a private creator (PS3.5 7.8.1)."""
    return tag & 0x1FF00 == 0x10000 and tag & 0xFF >= FIRST_CREATOR
