"""What a scan finds: elements, their items and how they are encoded (PS3.5 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .sources import Source

if TYPE_CHECKING:
    from .known_sequences import KnownSequence

UNDEFINED = 0xFFFFFFFF

# Items and their ends (PS3.5 7.5).
ITEM = 0xFFFEE000
ITEM_END = 0xFFFEE00D
SEQUENCE_END = 0xFFFEE0DD

CUT_OFF = "the file is cut off or damaged there; copy it again"
"""What it mostly means that bytes are missing."""

SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
"""VRs with a 16-bit length in explicit VR (PS3.5 7.1.2)."""

LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
"""VRs with two reserved bytes and a 32-bit length."""

OTHER_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW"})
"""VRs of bytes that mean something to somebody else (PS3.5 6.2)."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a data set is encoded.

    Attributes:
        implicit: the VRs are left out.
        little: the byte order is little endian.
    """

    implicit: bool
    little: bool


IMPLICIT_LITTLE = Encoding(implicit=True, little=True)
EXPLICIT_LITTLE = Encoding(implicit=False, little=True)
EXPLICIT_BIG = Encoding(implicit=False, little=False)
IMPLICIT_BIG = Encoding(implicit=True, little=False)
"""No transfer syntax of today's; some sequences are stored so all the same."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The bytes of one data set.

    Attributes:
        source: where they are.
        start: where the data set begins.
        stop: where it ends.
        encoding: how it is encoded.
        other: another encoding that some readers may take it for; None if there is none.
    """

    source: Source
    start: int
    stop: int
    encoding: Encoding
    other: Encoding | None = None


@dataclass(slots=True)
class Item:
    """One item of a sequence.

    Attributes:
        start: where its tag begins; its length field is at ``start + 4``.
        value: where its data set begins.
        stop: where its data set ends.
        end: where the item ends, its delimiter included.
        defined: whether its length is stored.
        encoding: how its data set is encoded.
        elements: what was asked for, in order.
    """

    start: int
    value: int
    stop: int
    end: int
    defined: bool
    encoding: Encoding
    elements: list[Element]


@dataclass(slots=True)
class Element:
    """One element.

    Attributes:
        tag: 0xggggeeee.
        vr: its VR as stored; where the VR is left out, what the dictionary says, and
            "SQ" for whatever proves to be a sequence; "" if unknown.
        start: where its tag begins.
        value: where its value begins; a stored length ends there.
        stop: where its value ends.
        end: where the element ends, its delimiter included.
        defined: whether its length is stored.
        items: the items that were entered; None for what is no sequence or was not entered.
        count: how many elements it stands for: more than one only for private elements of
            one group that follow each other, where a scan may take them together.
        known: for a sequence that was not entered as its bytes came before, what is known of it.
    """

    tag: int
    vr: str
    start: int
    value: int
    stop: int
    end: int
    defined: bool = True
    items: list[Item] | None = None
    count: int = 1
    known: KnownSequence | None = None
