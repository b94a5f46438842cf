"""Free text without the identifiers that the same file holds elsewhere.

``cleaner_of`` makes a cleaner from the values that are removed from a file or replaced in it;
``TextCleaner.clean`` takes them out of a text and keeps its other words, its punctuation and its lines
(PS3.15 E.3.5, Clean Descriptors). Nothing is guessed: a name that stands in no element of the file stays.
An age over 89 identifies by itself.

No regular expression is made from values, for they differ from file to file. A text is split into tokens
once, and the tokens are looked up in sets (``clues.Clues``); the time is linear in the text.
"""

from __future__ import annotations

from functools import cached_property

from ..core.caches import remembered
from .clue_index import ClueIndex
from .excision import Span, cut_out

_ROUNDS = 12
_REMEMBERED = 512


@remembered(most=256)
def cleaner_of(identifiers: frozenset[tuple[str, str]]) -> TextCleaner:
    """The cleaner for identifiers.

    Args:
        identifiers: (VR, text) of single decoded values. How each is looked for is up to its VR
            (``identifiers.clues_of``); VRs that identify nobody, such as CS, are ignored.
    """
    return TextCleaner(identifiers)


class TextCleaner:
    """Takes identifiers out of texts; equal and of equal hash where the identifiers are the same."""

    def __init__(self, identifiers: frozenset[tuple[str, str]]) -> None:
        self.identifiers = identifiers
        self._rounds: dict[str, tuple[str, ...]] = {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TextCleaner) and self.identifiers == other.identifiers

    def __hash__(self) -> int:
        return hash(self.identifiers)

    def __repr__(self) -> str:
        return f"<TextCleaner of {len(self.identifiers)} identifiers>"  # no values in logs

    def __reduce__(self) -> tuple[object, ...]:
        return cleaner_of, (self.identifiers,)

    @cached_property
    def _index(self) -> ClueIndex:
        return ClueIndex(self.identifiers)

    def find(self, text: str) -> list[Span]:
        """Where identifiers are in a text, in no order; the spans may overlap."""
        return self._index.find(text)

    def clean(self, text: str) -> str:
        """A text without the identifiers.

        Returns:
            `text` itself where it holds none. Otherwise what is left, with blanks, separators and
            brackets that belonged to an identifier taken out as well, and "" where no
            word is left. Cleaning twice changes nothing.
        """
        return self.rounds(text)[-1]

    def rounds(self, text: str) -> tuple[str, ...]:
        """What becomes of a text, cut by cut: it itself first, and last what ``clean`` gives."""
        known = self._rounds.get(text)
        if known is None:
            known = self._cut(text)
            if len(self._rounds) >= _REMEMBERED:
                self._rounds.clear()
            self._rounds[text] = known
        return known

    def _cut(self, text: str) -> tuple[str, ...]:
        done = [text]
        for _ in range(_ROUNDS):  # what is left may come together as an identifier again
            spans = self._index.find(done[-1])
            if not spans:
                return tuple(done)
            cleaned = cut_out(done[-1], spans)
            if not any(map(str.isalnum, cleaned)):
                break
            done.append(cleaned)
        return *done, ""  # after all rounds: made to grow identifiers, no text that anybody reads
