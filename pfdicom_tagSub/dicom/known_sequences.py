"""Sequences whose bytes came before, in this file or in another: they are not entered again.

The frames of an enhanced image, and the files of a series, repeat most of their sequences to the byte. Where
no rule is for anything in one, all that matters of it are its texts, which may have to be cleaned. Where it
goes as a whole, as it is private, what matters is what it says, which other texts may have to be cleaned of.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from .character_sets import is_plain
from .dictionary import DIRECTORY_RECORD_SEQUENCE, SPECIFIC_CHARACTER_SET
from .elements import Element
from .free_text import is_free_text
from .sources import Source
from .values import CHARSET_VRS

if TYPE_CHECKING:
    from .scan_filter import ScanFilter

LONGEST = 1 << 14
SHORTEST_HEAD = 64
"""So many bytes pick a few sequences among all."""

MOST_BYTES = 1 << 22
MOST_SIZES = 8
"""Of those that begin alike, so many sizes are looked for."""

_UNSURE_VRS = frozenset({"UN", ""})


class Text(NamedTuple):
    """A text within a sequence.

    Attributes:
        tag: the tag of its element.
        vr: its VR.
        raw: its bytes, which are ASCII.
    """

    tag: int
    vr: str
    raw: bytes


class Said(NamedTuple):
    """What elements say that texts may have to be cleaned of.

    Attributes:
        found: (VR, text) of what goes.
        kept: texts that stay.
        pieces: bytes of what goes, where nothing says for sure what they are.
    """

    found: frozenset[tuple[str, str]]
    kept: frozenset[str]
    pieces: frozenset[bytes]


class KnownChanges(NamedTuple):
    """What becomes of a sequence.

    Attributes:
        edits: of its bytes, counted from its tag.
        growth: by how many bytes it grows.
        removed: how many private elements go.
    """

    edits: tuple[tuple[int, int, bytes], ...]
    growth: int
    removed: int


class KnownSequence:
    """A sequence, wherever its bytes are.

    Attributes:
        data: its bytes, from its tag to its end.
        tag: its tag.
        value: where in them its value begins.
        stop: where its value ends.
        defined: whether its length is stored.
        texts: those that may have to be cleaned, each once; () where it goes as a whole.
        removes: whether private elements in it are removed, each or with all of it.
        is_kept: whether a scan keeps it.
        filter: what a scan keeps that enters it.
        said: what it says, by what that is asked for; for ``engine`` to fill, as what follows.
        clean: those of its texts that UIDs and times matter to, by what the others are clean of; None where
            one is not.
        outcome: what becomes of it where it is clean.
    """

    __slots__ = (
        *("clean", "data", "defined", "filter", "is_kept", "outcome"),
        *("removes", "said", "stop", "tag", "texts", "value"),
    )

    def __init__(
        self,
        element: Element | None,
        data: bytes,
        texts: tuple[Text, ...],
        scan_filter: ScanFilter,
        *,
        removes: bool,
    ) -> None:
        self.data = data
        self.is_kept = element is not None
        if element is not None:
            self.tag = element.tag
            self.value = element.value - element.start
            self.stop = element.stop - element.start
            self.defined = element.defined
        self.texts = texts
        self.removes = removes
        self.filter = scan_filter
        self.said: dict[Hashable, Said] = {}
        self.clean: dict[Hashable, tuple[str, ...] | None] = {}
        self.outcome: KnownChanges | None = None

    def at(self, start: int) -> Element:
        """It as an element at a place; its items are not entered."""
        stop, end = start + self.stop, start + len(self.data)
        return Element(self.tag, "SQ", start, start + self.value, stop, end, self.defined, known=self)


class KnownSequences:
    """What scans with one filter have entered."""

    def __init__(self) -> None:
        self._known: dict[bytes, KnownSequence] = {}
        self._sizes: dict[bytes, tuple[int, ...]] = {}
        self._bytes = 0

    def find(self, buffer: bytes, place: int, end: int) -> KnownSequence | None:
        """The sequence whose bytes are at a place.

        Args:
            buffer: the bytes.
            place: where the tag of a sequence begins.
            end: where the data set around it must have ended; it may be beyond the buffer.
        """
        for size in self._sizes.get(buffer[place : place + SHORTEST_HEAD], ()):
            known = self._known.get(buffer[place : place + size])
            if known is not None and place + size <= end:
                return known
        return None

    def add(
        self, source: Source, start: int, end: int, element: Element | None, scan_filter: ScanFilter
    ) -> None:
        """Take over a sequence that was entered, if its bytes say all about it.

        Args:
            source: the bytes of the file.
            start: where its tag begins.
            end: where it ends.
            element: the sequence, in explicit VR; None where nothing was kept of it.
            scan_filter: what was kept of it.
        """
        size = end - start
        if not SHORTEST_HEAD <= size <= LONGEST:
            return
        texts: tuple[Text, ...] = ()
        removes = False
        if element is None:
            pass
        elif scan_filter.is_named(element.tag):
            if not (element.tag >> 16 & 1 and scan_filter.merges) or not _is_ascii(element, source):
                return
        else:
            found: list[Text | None] = []
            is_idle = _add_texts(found, element, source, scan_filter)
            if not is_idle or element.tag == DIRECTORY_RECORD_SEQUENCE:
                return
            texts = tuple(text for text in dict.fromkeys(found) if text is not None)
            removes = None in found
            element = element if found else None
        data = source.read(start, end)
        self._bytes += size
        if self._bytes > MOST_BYTES:
            self._known.clear()
            self._sizes.clear()
            self._bytes = size
        self._known[data] = KnownSequence(element, data, texts, scan_filter, removes=removes)
        sizes = self._sizes.get(data[:SHORTEST_HEAD], ())
        if size not in sizes:
            self._sizes[data[:SHORTEST_HEAD]] = (size, *sizes[: MOST_SIZES - 1])


def _add_texts(found: list[Text | None], sequence: Element, source: Source, scan_filter: ScanFilter) -> bool:
    """Find the texts of a sequence that may have to be cleaned.

    Args:
        found: takes them, and None for a private element, which is removed.
        sequence: the sequence.
        source: the bytes of the file.
        scan_filter: what was kept of it.

    Returns:
        Whether there is nothing else in it that a rule may be for.
    """
    for element in _elements(sequence):
        known, tag = element.known, element.tag
        if tag >> 16 & 1 and scan_filter.merges:
            if not (_is_ascii(element, source) if element.items else _is_harmless(element, source)):
                return False
            found.append(None)
        elif scan_filter.is_named(tag):
            return False
        elif known is not None:
            found += known.texts
            found += [None] * known.removes
        elif element.items is not None:
            if not _add_texts(found, element, source, scan_filter):
                return False
        elif tag & 0xFFFF:
            raw = source.read(element.value, element.stop)
            if element.vr in _UNSURE_VRS or not is_plain(raw):
                return False
            if raw.strip(b" \0") and is_free_text(element.vr, raw):
                found.append(Text(tag, element.vr, raw))
    return True


def _is_ascii(sequence: Element, source: Source) -> bool:
    """Whether every text of a sequence that may say something is ASCII, which reads alike everywhere."""
    for element in _elements(sequence):
        if element.tag == SPECIFIC_CHARACTER_SET:
            return False
        if element.items is not None:
            if not _is_ascii(element, source):
                return False
        elif not _is_harmless(element, source):
            return False
    return True


def _is_harmless(element: Element, source: Source) -> bool:
    """Whether an element is no text, or one in ASCII."""
    if element.count > 1 or element.vr not in CHARSET_VRS | _UNSURE_VRS:
        return True
    return is_plain(source.read(element.value, element.stop))


def _elements(sequence: Element) -> Iterable[Element]:
    return (element for item in sequence.items or () for element in item.elements)
