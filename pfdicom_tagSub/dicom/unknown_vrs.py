"""Elements whose VR the standard does not know: how long they are (PS3.5 7.1.2).

pydicom reads such a VR as one with a 16-bit length or as no VR at all, dcmtk and dcm4che
two capital letters as one with a 32-bit length, gdcm all with 16 bits. The bytes that
follow tell which is meant: after the right length comes another element in order.
"""

from __future__ import annotations

from ..core.errors import FileError
from ..dicom import dictionary
from .elements import LONG_VRS, SHORT_VRS, UNDEFINED
from .sources import Source

AHEAD = 64
"""So many elements have to follow, if there are so many."""

LOOKS_MOST = 1 << 14
"""So many headers are looked at for one element."""

_MARKS = {True: (b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"), False: (b"\xff\xfe\xe0\x00", b"\xff\xfe\xe0\xdd")}
_ITEM_ENDS = {True: b"\xfe\xff\x0d\xe0", False: b"\xff\xfe\xe0\x0d"}

ValuePlace = tuple[int, int]
"""Where a value begins, and how long it is."""


def place_of(source: Source, position: int, end: int, *, little: bool) -> ValuePlace:
    """Where the value of an element begins whose VR is not known, and its length.

    Args:
        source: the bytes.
        position: where the element begins.
        end: where the data set around it must have ended.
        little: its byte order.

    Raises:
        FileError: no length is followed by elements in order, or more than one.
    """
    ahead = _Ahead(source, end, little)
    data = source.read(position, min(position + 12, end))
    tag = ahead.tag(data)
    places = [place for place in ahead.places(position, data) if ahead.goes_on(place, tag, AHEAD)]
    if len(places) == 1:
        return places[0]
    follows = "whose length can be read in two ways" if places else "which is followed by no element"
    raise FileError(
        f"{dictionary.text_of(tag)} at byte {position} has the VR {printable(data[4:6])}, "
        f"which the standard does not know and {follows}"
    )


def printable(code: bytes) -> str:
    r"""A VR as a message shows it: ``"C\xd3"``."""
    return '"' + "".join(chr(one) if 0x20 <= one < 0x7F else f"\\x{one:02x}" for one in code) + '"'


class _Ahead:
    """A look at the elements that follow."""

    def __init__(self, source: Source, end: int, little: bool) -> None:
        self.source = source
        self.end = end
        self.little = little
        self.looks = 0
        self.known: dict[tuple[int, int], bool] = {}

    def tag(self, header: bytes) -> int:
        """The tag of a header."""
        return self._number(header[:2]) << 16 | self._number(header[2:4])

    def places(self, position: int, header: bytes) -> list[ValuePlace]:
        """Where a value may begin and how long it may be, if its VR is not known."""
        code = header[4:6]
        places = [
            (position + 8, self._number(header[6:8])),
            (position + 8, self._number(header[4:8])),
        ]
        if code.isalpha() and code.isupper() and len(header) == 12:
            places.append((position + 12, self._number(header[8:12])))
        return list(dict.fromkeys(places))

    def goes_on(self, place: ValuePlace, tag: int, most: int) -> bool:
        """Whether elements with greater tags follow after a value.

        Args:
            place: the value.
            tag: the tag before.
            most: how many elements to look at.
        """
        position, length = place
        if length == UNDEFINED:
            return self._begins_item(position)
        if position + length > self.end:
            return False
        return self._follows(position + length, tag, most, is_first=True)

    def _follows(self, position: int, tag: int, most: int, *, is_first: bool = False) -> bool:
        while most:
            if position >= self.end:
                return position == self.end
            data = self.source.read(position, min(position + 12, self.end))
            if not any(data[:8]):
                # Zeros after other elements are padding, but here nothing was reached yet.
                return not is_first and not any(self.source.read(position, min(position + 4096, self.end)))
            if len(data) < 8:
                return False
            if data[:4] == _ITEM_ENDS[self.little]:
                return True
            self.looks += 1
            own = self.tag(data)
            if own >> 16 == 0xFFFE or own <= tag or self.looks > LOOKS_MOST:
                return False
            code = data[4:6]
            if code in SHORT_VRS:
                position += 8 + self._number(data[6:8])
            elif code in LONG_VRS:
                length = self._number(data[8:12]) if len(data) == 12 else 0
                if length == UNDEFINED:
                    return self._begins_item(position + 12)
                position += 12 + length
            else:
                return self._one_goes_on(position, data, own, most - 1)
            tag, is_first, most = own, False, most - 1
        return True

    def _one_goes_on(self, position: int, data: bytes, tag: int, most: int) -> bool:
        known = self.known.get((position, most))
        if known is None:
            known = any(self.goes_on(place, tag, most) for place in self.places(position, data))
            self.known[position, most] = known
        return known

    def _begins_item(self, position: int) -> bool:
        return self.source.read(position, min(position + 4, self.end)) in _MARKS[self.little]

    def _number(self, data: bytes) -> int:
        return int.from_bytes(data, "little" if self.little else "big")
