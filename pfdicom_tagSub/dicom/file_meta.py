"""Whether all readers take the same file meta from the bytes (PS3.10 7.1).

Readers differ where it contradicts itself: some believe its group length, others read as
long as elements of group 0002 come; of an element that occurs twice some take the first and
others the last. What one of them then takes for the data set the scan has never seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..core.errors import FileError
from .dictionary import FILE_META_GROUP_LENGTH, TRANSFER_SYNTAX_UID, tags_of_group, text_of, vr_of
from .elements import (
    CUT_OFF,
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LONG_VRS,
    SHORT_VRS,
    Element,
    Encoding,
)
from .sources import Source

META_GROUP = 0x0002
META_TAGS = tags_of_group(META_GROUP)
"""The elements of the file meta that the standard knows."""

CURE = "have the file written anew by a reader that you trust"

FILE_META_VERSION = 0x00020001
_HEAD = 6
"""So many bytes of an element are its tag and, in explicit VR, its VR."""

_WINDOW = 1 << 12
"""The heads of a file meta that is not longer than this are read at once."""

_ITEM_TAGS = frozenset({b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00", b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"})


@dataclass(frozen=True, slots=True)
class Layout:
    """What the tags and VRs of a file meta say.

    Attributes:
        encoding: how it is encoded: explicit VR little endian, unless every VR is left out.
        syntax: which element is the transfer syntax; -1 for none.
        opaque: the elements whose values may hold others.
    """

    encoding: Encoding
    syntax: int
    opaque: tuple[int, ...]


NO_META = Layout(EXPLICIT_LITTLE, -1, ())


def layout_of(source: Source, elements: Sequence[Element], stop: int) -> Layout:
    """The layout of a file meta on which all readers agree.

    Args:
        source: the bytes of the file.
        elements: its elements, in the order of the bytes.
        stop: where the last one ends.

    Raises:
        FileError: readers may differ over it. The text quotes no value.
    """
    if not elements:
        return NO_META
    first = elements[0]
    start = first.start
    if stop - start <= _WINDOW:
        buffer, base = source.window(start, stop - start)
        heads = b"".join([buffer[(at := one.start - base) : at + _HEAD] for one in elements])
    else:
        heads = b"".join([source.read(one.start, one.start + _HEAD) for one in elements])
    layout = _layout_of(heads)
    if first.tag == FILE_META_GROUP_LENGTH:
        stored = source.read(first.value, first.stop)
        length = int.from_bytes(stored, "little")
        if length != stop - first.end or elements[-1].end != stop or len(stored) != 4:
            if length > source.size - first.end and elements[-1].end == source.size:
                raise FileError(_CUT_OFF)  # nothing but its elements is left
            raise FileError(_FALSE_LENGTH)
    for index in layout.opaque:
        element = elements[index]
        is_open = not element.defined or element.items is not None
        if is_open or source.read(element.value, min(element.stop, element.value + 4)) in _ITEM_TAGS:
            raise FileError(
                f"{text_of(element.tag)} of the file meta holds items, which no element there may; {CURE}"
            )
    return layout


@lru_cache(maxsize=1 << 10)
def _layout_of(heads: bytes) -> Layout:
    """The layout that the first bytes of the elements show, one after the other.

    Raises:
        FileError: readers may differ over it.
    """
    tags: list[int] = []
    codes: list[bytes] = []
    for place in range(0, len(heads), _HEAD):
        group, number = (int.from_bytes(heads[at : at + 2], "little") for at in (place, place + 2))
        tags.append(group << 16 | number)
        codes.append(heads[place + 4 : place + _HEAD])
    if len(set(tags)) < len(tags):
        twice = next(tag for tag, count in Counter(tags).items() if count > 1)
        raise FileError(
            f"{text_of(twice)} occurs twice in the file meta, and readers differ over which counts"
        )
    if FILE_META_GROUP_LENGTH in tags[1:]:
        raise FileError(
            f"the group length {text_of(FILE_META_GROUP_LENGTH)} does not stand first in the file meta, "
            f"so that readers differ over where the data set begins; {CURE}"
        )
    known = [code in SHORT_VRS or code in LONG_VRS for code in codes]
    if any(known) and not all(known):
        odd = tags[known.index(False)]
        raise FileError(
            f"{text_of(odd)} has no VR that the standard knows, in a file meta of explicit VR; {CURE}"
        )
    is_implicit = not any(known)
    syntax = tags.index(TRANSFER_SYNTAX_UID) if TRANSFER_SYNTAX_UID in tags else -1
    opaque = []
    for index, (tag, code) in enumerate(zip(tags, codes, strict=True)):
        own = vr_of(tag) if is_implicit else code.decode()
        if tag in _VRS and own != _VRS[tag]:
            raise FileError(f"{text_of(tag)} of the file meta has another VR than {_VRS[tag]}; {CURE}")
        if tag >> 16 != META_GROUP:
            raise FileError(_FALSE_LENGTH)
        if own == "SQ":
            raise FileError(f"{text_of(tag)} is none of the elements that a file meta may hold; {CURE}")
        if tag != FILE_META_VERSION and (not own or own.encode() in LONG_VRS):
            opaque.append(index)
    return Layout(IMPLICIT_LITTLE if is_implicit else EXPLICIT_LITTLE, syntax, tuple(opaque))


_FALSE_LENGTH = (
    f"the group length {text_of(FILE_META_GROUP_LENGTH)} of the file meta is not the length of its elements, "
    f"so that readers differ over where the data set begins; {CURE}"
)

_CUT_OFF = (
    f"the file meta is longer than the file, by its group length {text_of(FILE_META_GROUP_LENGTH)}: {CUT_OFF}"
)

_VRS = {FILE_META_GROUP_LENGTH: "UL", TRANSFER_SYNTAX_UID: "UI"}
"""What readers look for by its VR, too."""


def check_beginning(source: Source, position: int) -> None:
    """See whether a data set that follows a preamble or a file meta begins with an element.

    Raises:
        FileError: it begins with zeros, over which readers differ.
    """
    buffer, base = source.window(position, 2)
    place = position - base
    if buffer[place : place + 2] == b"\0\0":
        raise FileError(
            f"zeros or an element of group 0000 stand at byte {position}, where the data set should begin; "
            f"{CURE}"
        )
