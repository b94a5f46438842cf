"""What was found out for one file and holds for others: results by what they were made of.

The files of a series share most of their header: a pseudonym is made once, however many
files carry the name, and where all that the rules look at is equal to the byte, the
changes of the whole file are known at once.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .dictionary import SPECIFIC_CHARACTER_SET
from .edits import Edit, Patched
from .elements import Element
from .embedded_overlays import ClearedBits
from .models import Action, ElementCounts

REMEMBERED = 1 << 12
"""How many entries of each kind are kept."""

RESULT_MOST = 1 << 12
"""What was made of more bytes than this is not kept: few files share a document or a report."""

LOCAL_MOST = 1 << 10
"""Elements longer than this are not worth remembering whole."""

Note = tuple[int, Action]
"""What was done to which element."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a rule makes of an element: the whole new element, what was done, the new texts,
    and the text that was there as far as it is short."""

    data: bytes
    note: Note
    texts: tuple[str, ...]
    original: str = ""


@dataclass(frozen=True, slots=True)
class LocalPatch:
    """The changes of a file in which all that the rules look at lies in a few elements.

    Most files of a series have these elements in common, to the byte, wherever they lie;
    what was found out for one holds for all.

    Attributes:
        edits: (which element, where in it the change starts and stops, the new bytes).
        elements: what was done to which elements.
        originals: the texts that were replaced.
        review: why a person should look at the pixels.
    """

    edits: tuple[tuple[int, int, int, bytes], ...]
    elements: ElementCounts
    originals: tuple[str, ...]
    review: str

    @classmethod
    def of(cls, patched: Patched, elements: list[Element]) -> LocalPatch | None:
        """The changes in terms of the elements; None where something was inserted."""
        edits = []
        for edit in patched.edits:
            for index, element in enumerate(elements):
                if isinstance(edit.data, ClearedBits):
                    return None
                if element.start <= edit.start < edit.stop <= element.end:
                    edits.append((index, edit.start - element.start, edit.stop - element.start, edit.data))
                    break
            else:
                return None
        return cls(tuple(edits), patched.elements, patched.originals, patched.review)

    def at(self, elements: list[Element]) -> Patched:
        """The changes where the elements lie in another file."""
        edits = []
        for index, start, stop, data in self.edits:
            place = elements[index].start
            edits.append(Edit(place + start, place + stop, data))
        return Patched(edits, [], self.elements, self.originals, self.review)


class Memory:
    """The memory of one patcher.

    Attributes:
        results: what rules made of elements.
        patches: the changes of whole files.
    """

    def __init__(self) -> None:
        self.results: dict[tuple[object, ...], Result] = {}
        self.patches: dict[tuple[object, ...], LocalPatch] = {}
        self._notes: dict[Note, Note] = {}
        self._counts: dict[tuple[object, ...], tuple[list[Note], ElementCounts]] = {}

    def add_result(self, key: tuple[object, ...], result: Result, size: int) -> None:
        """Remember what a rule made, if it made it of no more than a few bytes.

        Args:
            key: all that the result depends on.
            result: the result.
            size: how many bytes of the file the key holds.
        """
        if size > RESULT_MOST:
            return
        if len(self.results) >= REMEMBERED:
            self.results.clear()
        self.results[key] = result

    def add_patch(self, key: tuple[object, ...], patched: Patched, elements: list[Element]) -> None:
        """Remember the changes of a file, if others can have the same."""
        # Whether a file may change its character set depends on all of its text.
        is_switched = any(tag == SPECIFIC_CHARACTER_SET for tag, _, _ in patched.elements)
        known = LocalPatch.of(patched, elements)
        if known is None or is_switched:
            return
        if len(self.patches) >= REMEMBERED:
            self.patches.clear()
        self.patches[key] = known

    def counts(self, notes: list[Note], more: Note, times: int) -> ElementCounts:
        """How often each was noted. Files that had the same done to them share the answer.

        Args:
            notes: one after the other.
            more: one beside them.
            times: how often that was noted.
        """
        key = (times, more, *map(id, notes))
        known = self._counts.get(key)
        if known is None:
            counter = Counter(notes)
            counter[more] += times
            counter += Counter()  # without what was not noted
            counts = tuple((tag, action, count) for (tag, action), count in sorted(counter.items()))
            if len(self._counts) >= REMEMBERED:
                self._counts.clear()
            # The notes are kept as well: their identities must not be used again.
            known = self._counts[key] = (list(notes), counts)
        return known[1]

    def note(self, tag: int, action: Action) -> Note:
        """A note, always the same object, as ``counts`` wants them."""
        note = (tag, action)
        return self._notes.setdefault(note, note)
