"""The texts of an output, searched for what a clean option would take out of them.

``residuals`` looks for bytes, wherever they are. This looks for what only shows in a decoded text: a name in
other letters, the number of an ID without its letter, a part of an address. What gives a value away in a
text is ``cleaning``'s to say, for both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..core.errors import FileError
from ..dicom.dictionary import PIXEL_DATA
from ..text.cleaning import TextCleaner, cleaner_of
from ..text.comparable import SHORTEST, fold
from ..text.identifiers import ADDRESS
from .element_texts import ElementText, name_of, text_in, vr_of
from .entries import REST, DataSet, Entry
from .piece_data_sets import PieceDataSet
from .pieces import Piece
from .search_terms import NAMES, TEXTS, TermKind, traces_of
from .sequence_reading import is_sequence, items_of, raw_value

SEARCHED_VRS = TEXTS | NAMES | {"", "UN", "OB"}
"""VRs of text, and those under which a private element may hold any."""

_STATED = SEARCHED_VRS | {"DA", ADDRESS}

LONGEST = 1 << 16
"""Longer values are searched for bytes alone."""

SHORTEST_WORD = 3
SHORTEST_NUMBER = 5
"""Shorter ones are found in too many texts that are about something else."""

MOST_REMEMBERED = 64
_PRINTABLE = frozenset(b"\t\n\f\r") | frozenset(range(0x20, 0x7F)) | frozenset(range(0x80, 0x100))


class Found(NamedTuple):
    """An element that holds what identifies.

    Attributes:
        name: what a record calls it, below the element that was searched.
        start: where it begins in the bytes of that element.
    """

    name: str
    start: int


def looked_for(
    originals: Iterable[ElementText], results: Iterable[ElementText]
) -> tuple[frozenset[ElementText], frozenset[ElementText]]:
    """Those values that a search of texts depends on."""
    return (
        frozenset([one for one in originals if one.vr in _STATED or one.vr == "DT"]),
        frozenset([one for one in results if one.vr in _STATED]),
    )


class TextSearches:
    """The searches of one verifier: files of a series share one, and what it found in their pieces."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], TextSearch] = {}

    def search(
        self,
        originals: Iterable[ElementText],
        results: Iterable[ElementText],
        *,
        claims: bool,
        surroundings: object = None,
    ) -> TextSearch:
        """The search for the values of one file.

        Args:
            originals: what was replaced.
            results: what stands in their place, or is kept on purpose.
            claims: whether the output says that no identity is left: ages over 89 count then.
            surroundings: what the texts of a piece depend on besides its bytes.
        """
        counts_ages = claims or any(one.vr == "AS" for one in originals)
        identifiers, stated = looked_for(originals, results)
        key = identifiers, stated, counts_ages, surroundings
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[key] = TextSearch(identifiers, stated, counts_ages=counts_ages)
        return found


def _is_identifier(vr: str, text: str, kind: TermKind) -> bool:
    """Whether a value is worth a search in texts."""
    if vr in NAMES or vr in {"DA", ADDRESS}:
        return True
    if vr == "DT":
        return len(text) >= len("YYYYMMDD")
    if vr not in TEXTS or kind is not TermKind.PERSON:
        return False
    return len(text) >= (SHORTEST_NUMBER if text.isdigit() else SHORTEST)


class TextSearch:
    """The search for the values of one file."""

    def __init__(
        self, identifiers: Iterable[ElementText], stated: Iterable[ElementText], *, counts_ages: bool
    ) -> None:
        """Args:
        identifiers: what was replaced.
        stated: what stands in the output on purpose.
        counts_ages: whether ages over 89 count.
        """
        said = {fold(one.text)[0].strip() for one in stated}
        said |= {
            fold(trace.text)[0] for one in stated if one.vr in NAMES for trace in traces_of(one.vr, one.text)
        }
        self.said = frozenset(said)
        self.wanted = frozenset(
            (vr, text)
            for vr, text, kind in identifiers
            if _is_identifier(vr, text, kind) and fold(text)[0].strip() not in said
        )
        self.counts_ages = counts_ages
        self._cleaner = cleaner_of(self.wanted)
        self._ages: TextCleaner = cleaner_of(frozenset())
        self._found: dict[Piece, tuple[Found, ...]] = {}
        self._token = object()

    @property
    def is_idle(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.wanted and not self.counts_ages

    def of_data_set(self, data: DataSet) -> Iterator[tuple[str, Entry]]:
        """The names of the elements of a data set that hold something, each with the element at its top."""
        if self.is_idle:
            return
        if isinstance(data, PieceDataSet):
            yield from self._of_pieces(data)
            return
        for entry in data.entries:
            for found in self._of_element(entry, data):
                yield found.name, entry

    def _of_pieces(self, data: PieceDataSet) -> Iterator[tuple[str, Entry]]:
        """As ``of_data_set``; what was searched before is not searched again."""
        token = self._token
        own = data.own
        for index in own.unclean(token):
            piece = own.pieces[index]
            if not piece.is_sequence and (piece.stored.VR or "") not in SEARCHED_VRS:
                piece.mark_clean(token)
                continue
            found = self._found.get(piece)
            if found is None:
                found = tuple(self._of_element(own.at(index), data))
                if piece.data and not found:
                    piece.mark_clean(token)
                elif piece.data:
                    if len(self._found) >= MOST_REMEMBERED:
                        self._found.clear()
                    self._found[piece] = found
            for one in found:
                yield one.name, own.at(index)
        own.note_unclean(token)

    def _of_element(self, entry: Entry, data: DataSet) -> Iterator[Found]:
        if entry.end - entry.value > LONGEST and not is_sequence(entry, data):
            return
        if entry.tag in PIXEL_DATA or not (entry.vr in SEARCHED_VRS or is_sequence(entry, data)):
            return
        yield from self._search(entry, data, "")

    def _search(self, entry: Entry, data: DataSet, above: str) -> Iterator[Found]:
        name = above + name_of(entry.tag)
        if is_sequence(entry, data):
            try:
                items = items_of(entry, data)
            except FileError:
                items = []
            for index, item in enumerate(items):
                for inner in item.data.entries:
                    yield from self._search(inner, item.data, f"{name}[{index}].")
            if items:
                return
        if entry.tag == REST or entry.is_parsed or entry.end - entry.value > LONGEST:
            return
        vr = vr_of(entry, data)
        if vr not in SEARCHED_VRS or (vr not in TEXTS | NAMES and not entry.tag >> 16 & 1):
            return
        text = _text_of(entry, data, vr)
        if text and self.is_in(text):
            yield Found(name, entry.start)

    def is_in(self, text: str) -> bool:
        """Whether a text holds what is looked for."""
        if fold(text)[0].strip() in self.said:
            return False
        spans = self._cleaner.find(text)
        if not spans:
            return False
        if not self.counts_ages:
            ages = set(self._ages.find(text))
            spans = [span for span in spans if span not in ages]
        return any(self._counts(text[start:end]) for start, end in spans)

    def _counts(self, part: str) -> bool:
        folded = fold(part)[0].strip()
        if folded in self.said:
            return False
        return not folded.isascii() or len(folded) >= SHORTEST_WORD


def _text_of(entry: Entry, data: DataSet, vr: str) -> str:
    """The text of an element; "" where a value of an unknown VR is none."""
    value = raw_value(entry, data).rstrip(b"\0 ")
    if vr not in TEXTS | NAMES and not _PRINTABLE.issuperset(value):
        return ""
    return text_in(value, "LO" if vr not in TEXTS | NAMES else vr, data)
