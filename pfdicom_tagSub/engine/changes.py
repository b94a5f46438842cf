"""What a pass does to a file: the edits of its bytes, and what was done to which element."""

from __future__ import annotations

from collections.abc import Container, Iterator
from itertools import starmap
from typing import NamedTuple

from ..core.errors import FileError
from ..core.file_survey import PRIVATE
from ..core.outcome import Action, ElementCounts
from ..dicom.edits import Edit
from ..dicom.elements import UNDEFINED, Element
from ..dicom.known_sequences import KnownChanges
from ..dicom.scope import Scope
from ..spec.rules import Rule
from .memory import Memory, Note


class Change(NamedTuple):
    """What was done to one element.

    Attributes:
        note: its tag and what was done; one object for all that are equal.
        scope: the data set that it is in.
        element: what stood there; None where there was nothing, or where its value does not matter.
        texts: the new texts.
        rule: the rule that asked for it; None where no rule names the element.
        original: the text that was replaced or removed, if a path may hold it; else "".
        is_same: whether the element is the same to the byte.
        follows: whether it takes over what became of something else: a File ID, a UID of the file meta.
        times: how many elements it stands for.
    """

    note: Note
    scope: Scope
    element: Element | None = None
    texts: tuple[str, ...] = ()
    rule: Rule | None = None
    original: str = ""
    is_same: bool = False
    follows: bool = False
    times: int = 1


_Attributes = tuple[Note, Scope, Element | None, tuple[str, ...], Rule | None, str, bool, bool, int]
"""Those of a ``Change``, in its order. Where there are many they stay bare tuples, which are quickly made."""


class Changes:
    """Those of one pass, as they come.

    Attributes:
        edits: of the bytes.
        note: makes the note of a change.
        add: adds a change, or the attributes of one.
    """

    def __init__(self, memory: Memory) -> None:
        self.edits: list[Edit] = []
        self.note = memory.note
        self._made: list[_Attributes] = []
        self.add = self._made.append
        self._memory = memory
        self._more_private = 0
        self._removed_group = -1

    def __iter__(self) -> Iterator[Change]:
        return starmap(Change, self._made)

    def since(self, mark: tuple[int, int, int]) -> list[Change]:
        """Those since a mark."""
        return [*starmap(Change, self._made[mark[1] :])]

    @property
    def counts(self) -> ElementCounts:
        """What was done to which elements, and how often."""
        private = self.note(PRIVATE, Action.REMOVED)
        return self._memory.counts([one[0] for one in self._made], private, self._more_private)

    @property
    def originals(self) -> tuple[str, ...]:
        """The texts that were replaced and that a path may hold, each once."""
        return tuple(dict.fromkeys([one[5] for one in self._made if one[5]]))

    def texts_of(self, tags: Container[int], scope: Scope) -> dict[int, tuple[str, ...]]:
        """The new texts of some elements of a data set."""
        return {one[0][0]: one[3] for one in self._made if one[0][0] in tags and one[1] is scope}

    def forget(self) -> None:
        """Begin anew."""
        self.edits = []
        self._made.clear()
        self._more_private = 0
        self._removed_group = -1

    def taken_edits(self) -> list[Edit]:
        """The edits so far; the next ones are of other bytes."""
        edits, self.edits = self.edits, []
        return edits

    def replace(self, element: Element, data: bytes) -> int:
        """Write other bytes for an element; returns by how many it grew."""
        edit = Edit(element.start, element.end, data)
        self.edits.append(edit)
        self._removed_group = -1
        return edit.growth

    def insert(self, place: int, data: bytes) -> int:
        """Write bytes where there were none; returns how many."""
        self.edits.append(Edit(place, place, data))
        return len(data)

    def remove(self, element: Element, scope: Scope) -> int:
        """Remove an element that no rule names; returns by how many bytes it grew."""
        self.add(Change(self.note(element.tag, Action.REMOVED), scope))
        return self.replace(element, b"")

    def remove_private(self, element: Element, scope: Scope) -> int:
        """Remove a private element that no rule names, with those of its group just before it.

        Between two groups something may be inserted.
        """
        self.add((self.note(PRIVATE, Action.REMOVED), scope, None, (), None, "", False, False, 1))
        group = element.tag >> 16
        last = self.edits[-1] if self.edits else None
        if last and last.stop == element.start and not last.data and group == self._removed_group:
            self.edits[-1] = Edit(last.start, element.end, b"")
            return element.start - element.end
        growth = self.replace(element, b"")
        self._removed_group = group
        return growth

    def note_private(self, times: int, scope: Scope) -> None:
        """Note that private elements of a data set were removed, whose edits were added apart."""
        self.add((self.note(PRIVATE, Action.REMOVED), scope, None, (), None, "", False, False, times))
        self._more_private += times - 1

    def mark(self) -> tuple[int, int, int]:
        """Where the changes have come to."""
        return len(self.edits), len(self._made), self._more_private

    def outcome_since(self, mark: tuple[int, int, int], start: int, growth: int) -> KnownChanges | None:
        """What was done to a stretch since a mark; None for more than the removal of private elements.

        Args:
            mark: from ``mark``.
            start: where the stretch begins.
            growth: by how many bytes it grew.
        """
        edits, made, more = mark
        notes = [one[0] for one in self._made[made:]]
        new = self.edits[edits:]
        if any(note != (PRIVATE, Action.REMOVED) for note in notes):
            return None
        own = [(edit.start - start, edit.stop - start, edit.data) for edit in new if type(edit.data) is bytes]
        if len(own) < len(new):
            return None
        return KnownChanges(tuple(own), growth, len(notes) + self._more_private - more)

    def repeat(self, outcome: KnownChanges, start: int, scope: Scope) -> int:
        """Do to a stretch what was done to another; returns by how many bytes it grew."""
        self.edits += [Edit(start + first, start + last, data) for first, last, data in outcome.edits]
        if outcome.removed:
            self.note_private(outcome.removed, scope)
        return outcome.growth

    def remove_stretch(self, start: int, end: int) -> int:
        """Remove bytes; returns by how many it grew."""
        self.edits.append(Edit(start, end, b""))
        self._removed_group = -1
        return start - end

    def set_length(self, place: int, length: int, *, little: bool) -> None:
        """Write the length of a sequence or of an item.

        Raises:
            FileError: a length field cannot say it.
        """
        if length >= UNDEFINED:
            raise FileError(f"a sequence would become longer than its length field at byte {place} can say")
        self.edits.append(Edit(place, place + 4, length.to_bytes(4, "little" if little else "big")))
