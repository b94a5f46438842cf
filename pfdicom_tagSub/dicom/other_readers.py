"""Ways in which other programs read a data set whose bytes leave the standard, and what each of them sees.

pydicom, dcmtk, gdcm and dcm4che differ in how an element goes on whose VR they do not know, in what they
take for items and in which encoding. All of them enter whatever may be a sequence, in each encoding that it
may have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum

from ..core.errors import FileError
from ..dicom import dictionary
from .element_scanner import ElementScanner
from .elements import (
    EXPLICIT_BIG,
    IMPLICIT_BIG,
    IMPLICIT_LITTLE,
    ITEM,
    ITEM_END,
    LONG_VRS,
    OTHER_VRS,
    SEQUENCE_END,
    SHORT_VRS,
    UNDEFINED,
    Encoding,
)
from .header_cache import ITEM_MARKS
from .scan_filter import EVERYTHING, ScanFilter
from .sources import Source

DEPTH_MOST = 64
STEPS_MOST = 1 << 20
"""So many elements are looked at; a file in doubt that has more of them fails."""

_ZEROS = bytes(1 << 16)


class Form(Enum):
    """How the header of an element goes on after a VR that is not known."""

    SHORT = "a length of 16 bits"
    LONG = "two bytes more and a length of 32 bits"
    BARE = "the VR is a part of a length of 32 bits"


@dataclass(frozen=True)
class Reader:
    """One way to read.

    Attributes:
        name: who reads so.
        form: how the header goes on after a VR that the standard does not know.
        guesses: whether the first VR of a data set tells if it has any.
        swaps: whether it reads what is in little-endian items of a UN as big endian in explicit VR, where it
            is no implicit VR.
    """

    name: str
    form: Callable[[bytes], Form]
    guesses: bool = False
    swaps: bool = False


def _pydicom(code: bytes) -> Form:
    return Form.SHORT if b"AA" <= code <= b"ZZ" else Form.BARE


def _dcmtk(code: bytes) -> Form:
    return Form.LONG if code.isalpha() and code.isupper() else Form.SHORT


READERS = (
    Reader("pydicom", _pydicom, guesses=True),
    Reader("dcmtk", _dcmtk),
    Reader("gdcm", lambda _: Form.SHORT, swaps=True),
    Reader("dcm4che", lambda _: Form.LONG),
    Reader("others", lambda _: Form.BARE),
)


@dataclass(frozen=True, slots=True)
class Sight:
    """A wanted element that a reader sees.

    Attributes:
        tag: its tag.
        start: where it begins.
        stop: where its value ends; where the reader would show what is left, that.
        is_cut: whether its length goes beyond what is there.
    """

    tag: int
    start: int
    stop: int
    is_cut: bool


class Walk:
    """One reader's way over one data set; it never fails, but ends where it knows no more."""

    def __init__(self, source: Source, scan_filter: ScanFilter, reader: Reader) -> None:
        self.source = source
        self.filter = scan_filter
        self.reader = reader
        self.seen: list[Sight] = []
        self.swaps = reader.swaps
        self.done: dict[tuple[int, int, Encoding, bool], int] = {}
        self.steps = 0

    def data_set(self, position: int, end: int, encoding: Encoding, depth: int) -> int:
        """Go over a data set; returns where it ends, its delimiter included."""
        key = (position, end, encoding, self.swaps)
        if key in self.done:
            return self.done[key]
        if depth > DEPTH_MOST:
            return end
        after = self.done[key] = self._data_set(position, end, encoding, depth)
        return after

    def _data_set(self, position: int, end: int, encoding: Encoding, depth: int) -> int:
        if self.reader.guesses:
            encoding = self._guessed(position, end, encoding, depth)
        while end - position >= 8:
            self._step(position)
            header = self._bytes(position, end)
            tag = self._tag(header, encoding.little)
            if tag == ITEM_END:
                return position + 8
            if not any(header[:8]):
                position = self._after_zeros(position, end)
                continue
            vr, value, length = self._header(header, position, encoding)
            position = self._element(position, tag, vr, value, length, end, encoding, depth)
        return end

    def _step(self, position: int) -> None:
        self.steps += 1
        if self.steps > STEPS_MOST:
            raise FileError(f"too much can be read in several ways at byte {position}")

    def _element(
        self,
        start: int,
        tag: int,
        vr: str,
        value: int,
        length: int,
        end: int,
        encoding: Encoding,
        depth: int,
    ) -> int:
        """Look at one element; returns where it ends."""
        if length == UNDEFINED:
            stop = self._undefined(tag, vr, value, end, encoding, depth)
        else:
            stop = min(value + length, end)
            if self._may_be_items(tag, vr, value, stop):
                self._defined(vr, value, stop, encoding, depth)
        if self._is_wanted(tag, start, stop, end, encoding, is_cut=length not in {UNDEFINED, stop - value}):
            self.seen.append(Sight(tag, start, stop, length not in {UNDEFINED, stop - value}))
        return end if value + length > end and length != UNDEFINED else stop

    def _defined(self, vr: str, value: int, stop: int, encoding: Encoding, depth: int) -> None:
        """Enter a value of defined length in each encoding that its items may have."""
        for own in self._each_encoding(value, stop, vr, encoding):
            self.items(value, stop, own, depth + 1, is_defined=True)
        if self.swaps and vr in {"UN", ""} and not self._is_implicit(value, stop, depth):
            little = replace(encoding, little=True)
            self.items(value, stop, little, depth + 1, is_defined=True, inner=EXPLICIT_BIG)

    def _is_implicit(self, value: int, stop: int, depth: int) -> bool:
        """Whether items read to their last byte as PS3.5 6.2.2 has them in a UN."""
        scanner = ElementScanner(self.source, EVERYTHING, value)
        try:
            scanner.items(value, stop, IMPLICIT_LITTLE, defined=True, depth=depth + 1)
        except FileError:
            return False
        return True

    def _is_wanted(
        self, tag: int, start: int, stop: int, end: int, encoding: Encoding, *, is_cut: bool
    ) -> bool:
        """Whether a reader shows what has to be replaced.

        Who has lost the way sees tags of odd groups and of group 0000 everywhere: where all private
        elements or commands go, one counts that has a VR, or is followed by another element in order.
        """
        scan_filter = self.filter
        if not tag & 0xFFFF or tag >> 16 == 0xFFFE or not scan_filter.is_sought(tag):
            return False
        if tag in scan_filter.sought or (tag >> 16 and not tag >> 16 & 1):
            return True
        if not encoding.implicit:
            return self._bytes(start, end)[4:6] in SHORT_VRS | LONG_VRS
        if is_cut or end - stop < 8:
            return not is_cut and stop == end
        return self._tag(self._bytes(stop, end), encoding.little) > tag

    def _header(self, header: bytes, position: int, encoding: Encoding) -> tuple[str, int, int]:
        """The VR of an element, where its value begins and how long it claims to be."""
        order = encoding.little
        code = header[4:6]
        if encoding.implicit or self._tag(header, order) >> 16 == 0xFFFE:
            return "", position + 8, _number(header[4:8], order)
        form = Form.SHORT if code in SHORT_VRS else Form.LONG if code in LONG_VRS else self.reader.form(code)
        vr = code.decode("latin-1") if code in SHORT_VRS or code in LONG_VRS else ""
        if form is Form.SHORT:
            return vr, position + 8, _number(header[6:8], order)
        if form is Form.LONG:
            return vr, position + 12, _number(header[8:12], order)
        return vr, position + 8, _number(header[4:8], order)

    def _undefined(self, tag: int, vr: str, value: int, end: int, encoding: Encoding, depth: int) -> int:
        """Where an element of undefined length ends."""
        stop = 0
        if vr in {"SQ", "UN", ""} or (vr in OTHER_VRS and dictionary.vr_of(tag) in {"", "SQ"}):
            for own in self._each_encoding(value, end, vr, encoding):
                after, is_clean = self.items(value, end, own, depth + 1, is_defined=False)
                if is_clean and not stop:
                    stop = after
        if not stop and vr != "SQ":
            stop = self._after_fragments(value, end, encoding)
        return stop or end

    def items(
        self,
        position: int,
        end: int,
        encoding: Encoding,
        depth: int,
        *,
        is_defined: bool,
        inner: Encoding | None = None,
    ) -> tuple[int, bool]:
        """Go over the items of a sequence; returns where it ends, and whether as it should.

        Args:
            position: where they begin.
            end: where they must have ended.
            encoding: how they are encoded.
            depth: how many sequences they are in.
            is_defined: whether the length of the sequence is stored.
            inner: how the data sets in them are encoded; None for the same.
        """
        own = inner or encoding
        while end - position >= 8:
            self._step(position)
            header = self._bytes(position, end)
            tag, length = self._tag(header, encoding.little), _number(header[4:8], encoding.little)
            value = position + 8
            if tag == SEQUENCE_END:
                if not is_defined:
                    return value, True
                position = value
            elif length == UNDEFINED:
                position = self.data_set(value, end, own, depth)
            elif value + length > end:
                self.data_set(value, end, own, depth)
                return end, False
            else:
                self.data_set(value, value + length, own, depth)
                position = value + length
        return position, is_defined and position == end

    def _may_be_items(self, tag: int, vr: str, value: int, stop: int) -> bool:
        """Whether a value of defined length has to be entered."""
        if stop - value < 8 or vr not in {"SQ", "UN", ""} | OTHER_VRS:
            return False
        known = dictionary.vr_of(tag)
        begins = self.source.read(value, value + 4) in ITEM_MARKS
        if (
            vr != "SQ"
            and not (known == "SQ" and vr not in OTHER_VRS)
            and not (begins and known in {"", "SQ"})
        ):
            return False
        return any(self.filter.occurs_in(self.source, value, stop, little=little) for little in (True, False))

    def _each_encoding(self, value: int, stop: int, vr: str, around: Encoding) -> Iterator[Encoding]:
        """Each of ``_encodings``; in those after the first, anything may look like items in a UN."""
        swaps = self.swaps
        for number, own in enumerate(self._encodings(value, stop, vr, around)):
            self.swaps = swaps and not number
            yield own
        self.swaps = swaps

    def _encodings(self, value: int, stop: int, vr: str, around: Encoding) -> list[Encoding]:
        """The encodings that items may have; first the one that the reader takes."""
        little = around.little or vr == "UN"
        own = replace(around, little=little)
        if vr == "UN" and not self.reader.guesses:
            own = replace(own, implicit=True)
        known = [own, replace(own, implicit=not own.implicit)]
        if self.source.read(value, min(value + 4, stop))[:2] == b"\xff\xfe" and little:
            # Some turn the byte order; pydicom does not, and takes any tag for that of an item.
            turned = [EXPLICIT_BIG, IMPLICIT_BIG]
            return (turned[::-1] if around.little else turned) + known
        return known

    def _guessed(self, position: int, end: int, encoding: Encoding, depth: int) -> Encoding:
        """The encoding that the first element shows; items do not change from implicit to explicit VR."""
        if end - position < 8 or (depth and encoding.implicit):
            return encoding
        code = self.source.read(position + 4, position + 6)
        is_implicit = not all(0x40 < byte < 0x5B for byte in code)
        return replace(encoding, implicit=is_implicit)

    def _after_fragments(self, position: int, end: int, encoding: Encoding) -> int:
        while end - position >= 8:
            self._step(position)
            header = self._bytes(position, end)
            tag, length = self._tag(header, encoding.little), _number(header[4:8], encoding.little)
            if tag == SEQUENCE_END:
                return position + 8
            if tag != ITEM or position + 8 + length > end:
                break
            position += 8 + length
        return end

    def _after_zeros(self, position: int, end: int) -> int:
        """The first place in steps of eight that is not zero."""
        while end - position >= len(_ZEROS):
            if self.source.read(position, position + len(_ZEROS)) != _ZEROS:
                break
            position += len(_ZEROS)
        while end - position >= 8 and not any(self.source.read(position, position + 8)):
            position += 8
        return position

    def _bytes(self, position: int, end: int) -> bytes:
        buffer, base = self.source.window(position, min(12, end - position))
        header = buffer[position - base : min(position + 12, end) - base]
        return header + bytes(12 - len(header))

    @staticmethod
    def _tag(header: bytes, little: bool) -> int:
        return _number(header[:2], little) << 16 | _number(header[2:4], little)


def _number(data: bytes, little: bool) -> int:
    return int.from_bytes(data, "little" if little else "big")
