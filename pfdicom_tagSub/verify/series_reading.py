"""Files of a series, read by pydicom element by element: what it read before it need not read again.

Files that are not plainly one element after the other, from the file meta to the last byte, are left to
``read_again``.
"""

from __future__ import annotations

import io
import warnings
from typing import BinaryIO, cast

from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.filereader import read_dataset, read_partial

from ..dicom import dictionary
from ..dicom.dictionary import SPECIFIC_CHARACTER_SET
from ..dicom.sources import BytesSource
from .entries import UNDEFINED, PydicomReading, encodings_of
from .piece_context import LARGEST, Context
from .piece_data_sets import PieceDataSet, PieceEntries
from .pieces import Piece, PieceRun, with_own
from .pydicom_reading import DEFLATED, HEAD
from .sequence_reading import VRS

SHORTEST_RUN = 4
"""Fewer pieces are compared one by one."""

MOST_RUN_BYTES = 1 << 22
"""What is remembered of runs."""

MOST_CONTEXTS = 16
TRANSFER_SYNTAX = 0x00020010
INPUT, OUTPUT = 0, 1
"""What follows a piece in inputs is another than in outputs, where elements are removed."""
_META_GROUP = b"\x02\x00"


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
                    piece.following = with_own(piece.following, role, hint.following[role])
                if previous is None:
                    context.first[role] = piece
                else:
                    previous.following = with_own(previous.following, role, piece)
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
                piece.runs = (None, None)
            self._begun.clear()
            self._run_bytes = stop - start
        self._begun.append(first)
        run = PieceRun(data[start:stop], pieces[begin:], [one - start for one in starts[begin:]])
        first.runs = with_own(first.runs, role, run)

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
            except Exception:  # what is wrong is for read_again to say
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
                except Exception:  # what is wrong is for read_again to say
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
