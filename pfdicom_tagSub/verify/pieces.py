"""Files of a series, read by pydicom element by element: what it read before it need not read again.

What pydicom makes of an element depends on the bytes of the element, on the encoding of the data set and,
in a sequence, on the character set before it. An element whose bytes it read before, in the same encoding
and character set, is the same *piece*. Of an element of defined length only the header counts: where its
value ends, and what it is.

Files that are not plainly one element after the other, from the file meta to the last byte, are left to
``read_again``.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple, cast, overload

from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.filereader import data_element_generator, read_dataset, read_partial
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from ..dicom import dictionary
from ..dicom.dictionary import PIXEL_DATA, SPECIFIC_CHARACTER_SET
from ..dicom.sources import BytesSource
from .entries import UNDEFINED, DataSet, Entry, PydicomReading, encodings_of
from .generations import Generations
from .pydicom_reading import DEFERRED, DEFLATED, HEAD
from .sequence_reading import VRS, VRS_OF_ITEMS, is_sequence_at

LARGE = 1 << 14
"""Binary values from this length on are searched by themselves."""

LARGEST = 1 << 16
"""Longer values, such as pixels, are not remembered."""

LARGEST_SEQUENCE = 1 << 21
MOST_BYTES = 1 << 22
"""What is remembered of one encoding and character set, in two halves of so many bytes."""

MOST_SEQUENCES = 32
"""So many sequences that begin alike are remembered."""

SHORTEST_RUN = 4
"""Fewer pieces are compared one by one."""

MOST_RUN_BYTES = 1 << 22
"""What is remembered of runs."""

MOST_SEARCHES = 16
MOST_CONTEXTS = 16
MOST_HEADERS = 1 << 14
TRANSFER_SYNTAX = 0x00020010
INPUT, OUTPUT = 0, 1
"""What follows a piece in inputs is another than in outputs, where elements are removed."""

FIRST_CREATOR = 0x10

_ALL_ONES = b"\xff\xff\xff\xff"
_META_GROUP = b"\x02\x00"


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
        self.runs: list[_PieceRun | None] = [None, None]
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


class _PieceRun(NamedTuple):
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


@dataclass(slots=True)
class _Header:
    """What the header of an element of defined length says, and the element without its bytes."""

    tag: int
    value: int
    size: int
    stored: RawDataElement
    may_be_sequence: bool
    blank: Piece | None = None


class Context:
    """What the reading of an element depends on besides its bytes, and the pieces read in it."""

    def __init__(self, *, implicit: bool, little: bool, encodings: tuple[str, ...]) -> None:
        self.implicit = implicit
        self.little = little
        self.encodings = encodings
        self.first: list[Piece | None] = [None, None]
        self.loaded: list[ParsedSequence] = []
        """The sequences that hold items."""
        self._pieces: Generations[bytes, Piece] = Generations(MOST_BYTES)
        self._long: dict[bytes, bool] = {}
        self._headers: dict[bytes, _Header] = {}
        self._sequences: dict[bytes, list[Piece]] = {}
        self._sequence_bytes = 0

    def forget(self) -> None:
        """Let go of the items of sequences."""
        for parsed in self.loaded:
            parsed.forget()
        self.loaded.clear()

    def stored_at(self, data: bytes, place: int) -> tuple[Any, int]:
        """What pydicom reads at a place, and where it ends."""
        fp = cast(BinaryIO, io.BytesIO(data))
        fp.seek(place)
        found = data_element_generator(
            fp, self.implicit, self.little, defer_size=DEFERRED, encoding=list(self.encodings)
        )
        with warnings.catch_warnings(action="ignore"):  # they may quote values
            return next(found), fp.tell()

    def piece_at(self, data: bytes, place: int) -> Piece | None:
        """The piece at a place; None where there is no whole element."""
        is_long = self._long.get(data[place : place + 8])
        if is_long is not None:
            header = self._headers.get(data[place : place + (12 if is_long else 8)])
            if header is not None:
                return self._of_defined(header, data, place)
        for known in self._sequences.get(data[place : place + 12], ()):
            if data.startswith(known.data, place):
                return known
        return self._read(data, place)

    def blank_at(self, data: bytes, place: int) -> Piece | None:
        """The piece at a place without its bytes, where its header is known and it is no sequence."""
        header = self._headers.get(
            data[place : place + (12 if self._long.get(data[place : place + 8]) else 8)]
        )
        if header is None or header.may_be_sequence or place + header.size > len(data):
            return None
        if header.blank is None:
            header.blank = Piece(header.tag, b"", header.value, header.size, header.stored, is_sequence=False)
        return header.blank

    def _of_defined(self, header: _Header, data: bytes, place: int) -> Piece | None:
        stop = place + header.size
        if stop > len(data):
            return None
        stored = data[place:stop] if header.size <= LARGEST else b""
        piece = self._pieces.get(stored) if stored else None
        if piece is None:
            looks = False
            if header.may_be_sequence:
                entry = Entry(header.tag, place, place + header.value, stop, header.stored)
                looks = is_sequence_at(entry, BytesSource(data))
            piece = Piece(header.tag, stored, header.value, header.size, header.stored, is_sequence=looks)
            if stored:
                self._pieces.put(stored, piece, len(stored) + 512)
        return piece

    def _read(self, data: bytes, place: int) -> Piece | None:
        head = data[place : place + 12]
        base = (
            place if _ALL_ONES in (head[4:8], head[8:12]) else 0
        )  # places in it are told from its beginning
        try:
            stored, end = self.stored_at(data[place:] if base else data, place - base)
        except MemoryError:
            raise
        except Exception:  # what is wrong is for read_again to say
            return None
        tag, size = int(stored.tag), end + base - place
        if place + size > len(data):
            return None
        if not isinstance(stored, RawDataElement):
            return self._of_sequence(stored, data[place : place + size], stored.file_tell - place + base)
        value = stored.value_tell - place + base
        if stored.length == UNDEFINED:
            entry = Entry(tag, place, place + value, place + size, stored)
            looks = is_sequence_at(entry, BytesSource(data))
            return Piece(tag, b"", value, size, stored, is_sequence=looks)
        if value + stored.length != size:
            return None
        if len(self._headers) >= MOST_HEADERS:
            self._headers.clear()
            self._long.clear()
        is_long = not stored.is_implicit_VR and stored.VR in EXPLICIT_VR_LENGTH_32
        may_be_sequence = (stored.VR or "") in VRS_OF_ITEMS
        header = _Header(tag, value, size, stored._replace(value=None), may_be_sequence)
        self._long[head[:8]] = is_long
        self._headers[head[: 12 if is_long else 8]] = header
        return self._of_defined(header, data, place)

    def _of_sequence(self, stored: Any, data: bytes, value: int) -> Piece:
        tag = int(stored.tag)
        parsed = ParsedSequence(self, data, stored.value)
        self.loaded.append(parsed)
        piece = Piece(tag, data, value, len(data), parsed, is_sequence=True)
        if len(data) <= LARGEST_SEQUENCE:
            self._sequence_bytes += len(data)
            if self._sequence_bytes > 2 * MOST_BYTES:
                self._sequences.clear()
                self._sequence_bytes = len(data)
            alike = self._sequences.setdefault(data[:12], [])
            if len(alike) >= MOST_SEQUENCES:
                self._sequence_bytes -= len(alike.pop(0).data)
            alike.append(piece)
        return piece


class SeriesReader:
    """Reads files whose like may come again, as in a series."""

    def __init__(self) -> None:
        self._meta = Context(implicit=False, little=True, encodings=(default_encoding,))
        self._encodings: dict[tuple[bytes, bytes], tuple[bool, bool]] = {}
        self._contexts: dict[tuple[bool, bool, bytes], Context] = {}
        self._begun: list[Piece] = []
        """The pieces that begin runs."""
        self._run_bytes = 0

    def read(self, source: BytesSource, role: int) -> PydicomReading | None:
        """Read a file.

        Args:
            source: its bytes.
            role: ``INPUT`` or ``OUTPUT``.

        Returns:
            As ``read_again``, the data sets in pieces; None for a file that has to be read by that.
        """
        data = source.data
        if data[HEAD - 4 : HEAD] != b"DICM":
            return None
        meta = self._elements(data, HEAD, self._meta, role, is_meta=True)
        if meta is None:
            return None
        entries, start, _ = meta
        syntaxes = [piece for piece in entries.pieces if piece.tag == TRANSFER_SYNTAX]
        if len(syntaxes) != 1 or len(entries.known) != len(entries.tags):
            return None
        encoding = self._encoding_of(data, start, syntaxes[0].data[syntaxes[0].value :])
        first = self._context_of(*encoding, b"") if encoding else None
        found = self._elements(data, start, first, role) if first else None
        if not found or not first:
            return None
        elements, end, context = found
        if end != len(data) or elements.tags.count(SPECIFIC_CHARACTER_SET) > 1:
            return None
        return PydicomReading(
            source,
            data[: HEAD - 4],
            PieceDataSet(
                True, self._meta.encodings, source, 0, entries, HEAD, start, contexts=(self._meta, self._meta)
            ),
            PieceDataSet(
                *(context.little, context.encodings, source, 0, elements, start, end),
                contexts=(first, context),
            ),
            is_deflated=False,
        )

    def forget(self) -> None:
        """Let go of the items of sequences, which take many times the memory of their bytes."""
        for context in (self._meta, *self._contexts.values()):
            context.forget()

    def _elements(
        self, data: bytes, place: int, context: Context, role: int, *, is_meta: bool = False
    ) -> tuple[PieceEntries, int, Context] | None:
        """The elements from a place on, where they end, and what the last was read in."""
        pieces: list[Piece] = []
        starts: list[int] = []
        size = len(data)
        startswith = data.startswith
        previous: Piece | None = None
        hint = context.first[role]
        begin = 0
        while place < size:
            run = hint.runs[role] if hint is not None else None
            if run is not None and startswith(run.data, place):
                self._note_run(pieces, starts, begin, data, role)
                pieces += run.pieces
                starts += [place + one for one in run.places]
                place += len(run.data)
                previous = run.pieces[-1]
                hint = previous.following[role]
                begin = len(pieces)
                continue
            if hint is not None and hint.data and startswith(hint.data, place):
                piece = hint
            else:
                self._note_run(pieces, starts, begin, data, role)
                if is_meta and not startswith(_META_GROUP, place):
                    break
                read = context.piece_at(data, place)
                if read is None or not (is_meta or _is_plain(read.tag)):
                    return None
                piece = read
                if piece.following[role] is None and hint is not None:
                    piece.following[role] = hint.following[role]
                if previous is None:
                    context.first[role] = piece
                else:
                    previous.following[role] = piece
                if is_meta and not is_plain_meta(piece):
                    return None
            pieces.append(piece)
            starts.append(place)
            place += piece.size
            if piece is not hint or piece.tag == SPECIFIC_CHARACTER_SET:
                begin = len(pieces)  # a run is of what is known, in one character set
            previous = piece
            hint = piece.following[role]
            if piece.tag == SPECIFIC_CHARACTER_SET:
                if not piece.data or context.encodings != (default_encoding,):
                    return None
                switched = self._context_of(context.implicit, context.little, piece.data)
                if switched is None:
                    return None
                context = switched
        self._note_run(pieces, starts, begin, data, role)
        return PieceEntries(pieces, starts), place, context

    def _note_run(self, pieces: list[Piece], starts: list[int], begin: int, data: bytes, role: int) -> None:
        """Note the run of the last pieces of a list.

        Args:
            pieces: the pieces so far.
            starts: where each begins.
            begin: the index of the first of the run.
            data: the bytes of the file.
            role: ``INPUT`` or ``OUTPUT``.
        """
        if len(pieces) - begin < SHORTEST_RUN:
            return
        first, start = pieces[begin], starts[begin]
        stop = starts[-1] + pieces[-1].size
        if stop - start > LARGEST:
            return
        self._run_bytes += stop - start
        if self._run_bytes > MOST_RUN_BYTES:
            for piece in self._begun:
                piece.runs = [None, None]
            self._begun.clear()
            self._run_bytes = stop - start
        self._begun.append(first)
        first.runs[role] = _PieceRun(
            data[start:stop], pieces[begin:], [one - start for one in starts[begin:]]
        )

    def _encoding_of(self, data: bytes, start: int, syntax: bytes) -> tuple[bool, bool] | None:
        """Whether pydicom takes a data set for implicit VR, and for little endian; None where it is deflated.

        It goes by the transfer syntax and by what looks like the first VR.
        """
        key = syntax, data[start : start + 6]
        if key not in self._encodings:
            if syntax.rstrip(b"\0 ").decode("latin-1") in DEFLATED or len(key[1]) < 6:
                return None
            seen: list[bool] = []

            def note(_tag: int, vr: str | None, _length: int) -> bool:
                seen.append(vr is None)
                return True

            try:
                with warnings.catch_warnings(action="ignore"):
                    content = read_partial(cast(BinaryIO, io.BytesIO(data)), note, force=True)
            except Exception:  # as above
                return None
            if not seen:
                return None
            if len(self._encodings) >= MOST_CONTEXTS:
                self._encodings.clear()
            self._encodings[key] = seen[-1], content.original_encoding[1] is not False
        return self._encodings[key]

    def _context_of(self, implicit: bool, little: bool, charset: bytes) -> Context | None:
        """What elements are read in that follow a Specific Character Set; b"" where there was none.

        Returns:
            None where pydicom cannot make anything of it.
        """
        key = implicit, little, charset
        found = self._contexts.get(key)
        if found is None:
            encodings: tuple[str, ...] = (default_encoding,)
            if charset:
                try:
                    with warnings.catch_warnings(action="ignore"):
                        content = read_dataset(cast(BinaryIO, io.BytesIO(charset)), implicit, little)
                        encodings = encodings_of(content)
                except Exception:  # as above
                    return None
            if len(self._contexts) >= MOST_CONTEXTS:
                self._contexts.clear()
            found = self._contexts[key] = Context(implicit=implicit, little=little, encodings=encodings)
        return found


def is_plain_meta(piece: Piece) -> bool:
    """Whether a piece of a file meta is as it has to be."""
    stored = piece.stored
    return (
        type(stored) is RawDataElement
        and stored.VR in VRS
        and stored.length != UNDEFINED
        and bool(piece.data)
    )


def _is_plain(tag: int) -> bool:
    """Whether a tag is one of those that a data set consists of."""
    return tag >> 16 not in (0x0000, 0x0002, 0xFFFE) and tag != dictionary.FIRST_RECORD_OFFSET
