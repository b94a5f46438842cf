"""File meta whose headers are those of one that was read before, so that it need not be read again.

The files of a series have the same elements in their file meta, and of few lengths. Where the headers are the
same, at the same places, so is everything that a scan would find: each element's tag, VR and place. One
``struct`` unpacks them and one comparison proves them equal; that takes a fifth of the time of a scan. Only
headers are remembered, and the group length: no value, and no file meta whose values may be read as elements.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from struct import Struct

from .dictionary import FILE_META_GROUP_LENGTH
from .elements import EXPLICIT_LITTLE, Element
from .file_meta import FILE_META_VERSION, META_GROUP, Layout
from .sources import Source

KEY = 12
"""The bytes of the group length with its header, by which file metas are looked up."""

LENGTH_MOST = 1 << 12
"""Of a longer file meta nothing is remembered: this much is always in sight at the beginning of a file."""

FORMS_MOST = 4
KEYS_MOST = 256

_AFTER = 8
"""So many bytes of the data set have to follow, as a group has to end before an element of another."""

_GROUP = META_GROUP.to_bytes(2, "little")


@dataclass(frozen=True, slots=True)
class KnownMeta:
    """A file meta that was read.

    Attributes:
        start: where it begins.
        stop: where it ends and the data set begins.
        elements: its elements.
        layout: what their tags and VRs say.
        headers: the bytes of their headers.
        unpack: finds as many bytes at the same places of others.
    """

    start: int
    stop: int
    elements: tuple[Element, ...]
    layout: Layout
    headers: tuple[bytes, ...]
    unpack: Callable[[bytes, int], tuple[bytes, ...]]

    def is_in(self, source: Source) -> bool:
        """Whether a source has the same headers at the same places, and a data set after them."""
        needed = self.stop - self.start + _AFTER
        buffer, base = source.window(self.start, needed)
        place = self.start - base
        after = self.stop - base
        if len(buffer) - place < needed or buffer[after : after + 2] == _GROUP:
            return False
        return self.unpack(buffer, place) == self.headers


_known: dict[bytes, tuple[KnownMeta, ...]] = {}
"""By the group length with its header. Never changed in place, as threads share it: a form takes the place
of others as a whole."""


def known_meta(source: Source, start: int, key: bytes) -> KnownMeta | None:
    """The file meta of a source, if one like it was read before.

    Args:
        source: the bytes.
        start: where the file meta begins.
        key: its first bytes, as many as ``KEY``.
    """
    for known in _known.get(key, ()):
        if known.start == start and known.is_in(source):
            return known
    return None


def remember(source: Source, elements: Sequence[Element], stop: int, layout: Layout, key: bytes) -> None:
    """Remember a file meta on which all readers agree, if its headers say all of it.

    Args:
        source: the bytes.
        elements: its elements, in the order of the bytes.
        stop: where the last one ends.
        layout: as ``layout_of`` gave it.
        key: as of ``known_meta``.
    """
    if not elements or layout.opaque or layout.syntax < 0 or layout.encoding != EXPLICIT_LITTLE:
        return
    first = elements[0]
    start = place = first.start
    if first.tag != FILE_META_GROUP_LENGTH or first.end - start != KEY or stop - start > LENGTH_MOST - _AFTER:
        return
    form = "<"
    headers: list[bytes] = []
    for one in elements:
        is_short = one.value - one.start == (12 if one.tag == FILE_META_VERSION else 8)
        is_whole = one.defined and one.items is None and one.stop == one.end and one.start == place
        if not (is_short and is_whole):
            return
        headers.append(source.read(one.start, one.value))
        form += f"{one.value - one.start}s{one.end - one.value}x"
        place = one.end
    if place != stop:
        return
    made = KnownMeta(start, stop, tuple(elements), layout, tuple(headers), Struct(form).unpack_from)
    if len(_known) >= KEYS_MOST:
        _known.clear()
    _known[key] = (made, *_known.get(key, ()))[:FORMS_MOST]
