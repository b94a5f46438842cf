"""The file meta of files that fit a pattern, where it differs in its SOP instance UID alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..dicom import dictionary
from ..dicom.edits import Edit, in_order
from ..dicom.elements import EXPLICIT_LITTLE, Element
from ..dicom.file import DicomFile
from ..dicom.scope import META_KEY, Scope
from ..spec.rules import Rule
from .changes import Change
from .file_meta_substitution import FileMetaSubstitution, following_element
from .memory import Memory, Note


class FollowingSteps(NamedTuple):
    """What becomes of a file meta.

    Attributes:
        edits: its changes in order.
        note: what was done to the UID; None for nothing.
        original: the text that was replaced; "" for none.
        change: that as any pass notes it; None for nothing.
    """

    edits: list[Edit]
    note: Note | None
    original: str
    change: Change | None


class MetaSteps:
    """What becomes of a file meta, by that of a file that fits."""

    def __init__(
        self,
        file: DicomFile,
        made: FileMetaSubstitution,
        memory: Memory,
        number: int,
        edits: Sequence[Edit],
    ) -> None:
        """Args:
        file: the file that fits.
        made: what was done to its file meta.
        memory: of the patcher.
        number: which element follows the SOP instance UID of the data set.
        edits: the changes of its file meta.
        """
        self.memory = memory
        self._number = number
        own, first = file.meta[number], file.meta[0]
        self._rule: Rule | None = made.rules.meta.get(own.tag)
        self._value, self._head, self._tail = own.value, *self._around(file, own)
        self._start = file.meta_start
        self._length = first.value if first.tag == dictionary.FILE_META_GROUP_LENGTH else -1
        lengths = (self._length, own.start)
        others = [edit for edit in edits if edit.start not in lengths]
        self._before = [edit for edit in others if edit.start < own.start]
        self._after = [
            Edit(edit.start - own.end, edit.stop - own.end, edit.data)
            for edit in others
            if edit.start >= own.end
        ]
        self._growth = sum(edit.growth for edit in others)
        self._end_of_length = first.end

    def _around(self, file: DicomFile, own: Element) -> tuple[bytes, bytes]:
        """What stands before the length of an element, the group's left out, and what after it."""
        read, first = file.source.read, file.meta[0]
        if first.tag == dictionary.FILE_META_GROUP_LENGTH and first is not own:
            head = read(0, first.value) + read(first.stop, own.value - 2)
        else:
            head = read(0, own.value - 2)
        return head, read(own.end, file.meta_stop)

    def element_in(self, file: DicomFile) -> Element | None:
        """The UID in the file meta of a file; None where something else differs, too."""
        meta = file.meta
        if (
            len(meta) <= self._number
            or file.meta_start != self._start
            or file.meta_encoding != EXPLICIT_LITTLE
        ):
            return None
        own = meta[self._number]
        if own.value != self._value or (self._head, self._tail) != self._around(file, own):
            return None
        return own

    def steps(self, file: DicomFile, own: Element, texts: tuple[str, ...]) -> FollowingSteps:
        """What becomes of the file meta of a file.

        Args:
            file: the file.
            own: the UID in it.
            texts: what became of that of the data set.
        """
        scope = Scope(file.source, (own,), EXPLICIT_LITTLE, META_KEY)
        following = following_element(own, texts, self._rule, scope)
        edits = [*self._before]
        growth = self._growth
        if not following.is_same:
            edits.append(Edit(own.start, own.end, following.data))
            growth += len(following.data) - own.end + own.start
        edits += [Edit(edit.start + own.end, edit.stop + own.end, edit.data) for edit in self._after]
        if growth and self._length >= 0:
            place = self._length
            length = file.meta_stop - self._end_of_length + growth
            edits.append(Edit(place, place + 4, length.to_bytes(4, "little")))
            edits = in_order(edits)
        action = following.action
        note = None if action is None else self.memory.note(own.tag, action)
        change = None
        if note is not None:
            original, is_same = following.original, following.is_same
            change = Change(note, scope, own, texts, self._rule, original, is_same, follows=True)
        return FollowingSteps(edits, note, following.original, change)
