"""What the reading of an element depends on besides its bytes, and the pieces that were read in it.

Of an element of defined length only the header counts: where its value ends, and what it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from ..dicom.sources import BytesSource
from .entries import UNDEFINED, Entry
from .generations import Generations
from .parsed_sequences import ParsedSequence, ReadingContext
from .pieces import Piece
from .sequence_reading import VRS_OF_ITEMS, is_sequence_at

LARGEST = 1 << 16
"""Longer values, such as pixels, are not remembered."""

LARGEST_SEQUENCE = 1 << 21
MOST_BYTES = 1 << 22
"""What is remembered of one encoding and character set, in two halves of so many bytes."""

MOST_SEQUENCES = 32
"""So many sequences that begin alike are remembered."""

MOST_HEADERS = 1 << 14
_ALL_ONES = b"\xff\xff\xff\xff"


@dataclass(slots=True)
class _Header:
    """What the header of an element of defined length says, and the element without its bytes."""

    tag: int
    value: int
    size: int
    stored: RawDataElement
    may_be_sequence: bool
    blank: Piece | None = None


class Context(ReadingContext):
    """What the reading of an element depends on besides its bytes, and the pieces read in it."""

    def __init__(self, *, implicit: bool, little: bool, encodings: tuple[str, ...]) -> None:
        super().__init__(implicit=implicit, little=little, encodings=encodings)
        self.first: list[Piece | None] = [None, None]
        self._pieces: Generations[bytes, Piece] = Generations(MOST_BYTES)
        self._long: dict[bytes, bool] = {}
        self._headers: dict[bytes, _Header] = {}
        self._sequences: dict[bytes, list[Piece]] = {}
        self._sequence_bytes = 0

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
