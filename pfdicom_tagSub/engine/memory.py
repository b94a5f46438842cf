"""What was found out for one file and holds for others: results by what they were made of.

The files of a series share most of their header: a pseudonym is made once, however many
files carry the name, and where all that the rules look at is equal to the byte, the
changes of the whole file are known at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.file_survey import FileSurvey, SurveyedChanges
from ..core.outcome import Action, ElementCounts
from ..dicom.dictionary import FIRST_RECORD_OFFSET, LENGTH_TO_END, SPECIFIC_CHARACTER_SET
from ..dicom.edits import Edit
from ..dicom.elements import Element, Encoding
from ..dicom.lengths import after_group, has_lengths, is_apparent
from ..dicom.sources import Source
from ..spec.content_items import Concept
from .cleaner_memory import CleanerMemory
from .patched import Patched

if TYPE_CHECKING:
    from ..text.cleaning import TextCleaner

REMEMBERED = 1 << 12
"""How many entries of each kind are kept."""

RESULT_MOST = 1 << 12
"""What was made of more bytes than this is not kept: few files share a document or a report."""

LOCAL_MOST = 1 << 10
"""Elements longer than this are not worth remembering whole."""

PATCH_MOST = 1 << 14
"""Nor are elements that are longer together."""

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
class Outcome:
    """What becomes of an element in one context: the new one, None if it stays; else as of ``Result``."""

    data: bytes | None
    note: Note
    texts: tuple[str, ...]
    original: str


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
        survey: what a survey tells of the changes; None where nobody asks.
        distances: (which group length, which stands at the end of its group, how many bytes it says)
            of the groups that change. They lie like that in every file that has the same changes.
    """

    edits: tuple[tuple[int, int, int, bytes], ...]
    elements: ElementCounts
    originals: tuple[str, ...]
    review: str
    distances: tuple[tuple[int, int, int], ...] = ()
    survey: SurveyedChanges | None = None

    @classmethod
    def of(
        cls, patched: Patched, elements: list[Element], source: Source, survey: SurveyedChanges | None = None
    ) -> LocalPatch | None:
        """The changes in terms of the elements; None where something was inserted, or something else
        than the elements decides on a length."""
        edits = []
        index = 0  # both are in the order of the file
        for edit in patched.edits:
            while index < len(elements) and elements[index].end <= edit.start:
                index += 1
            if index == len(elements):
                return None
            element = elements[index]
            is_within = element.start <= edit.start < edit.stop <= element.end
            if not isinstance(edit.data, bytes) or not is_within:
                return None
            edits.append((index, edit.start - element.start, edit.stop - element.start, edit.data))
        distances = _distances({elements[edit[0]].tag >> 16 for edit in edits}, elements, source)
        if distances is None:
            return None
        return cls(tuple(edits), patched.elements, patched.originals, patched.review, distances, survey)

    def fits(self, elements: list[Element]) -> bool:
        """Whether the groups that change end where their lengths say."""
        for index, after, length in self.distances:
            if elements[after].start - elements[index].end != length:
                return False
        return True

    def at(self, elements: list[Element], survey: FileSurvey | None = None) -> Patched:
        """The changes where the elements lie in another file, of which this survey is."""
        edits = []
        for index, start, stop, data in self.edits:
            place = elements[index].start
            edits.append(Edit(place + start, place + stop, data))
        return Patched(edits, [], self.elements, self.originals, self.review, survey)


def _distances(
    groups: set[int], elements: list[Element], source: Source
) -> tuple[tuple[int, int, int], ...] | None:
    """The distances of a local patch that changes these groups; None where one is not apparent."""
    if not groups or not has_lengths(elements):
        return ()
    found = []
    for index, element in enumerate(elements):
        if element.tag == LENGTH_TO_END:
            return None
        if element.tag & 0xFFFF or element.tag >> 16 not in groups:
            continue
        length = int.from_bytes(source.read(element.value, element.stop), "little")
        after = after_group(elements, index)
        if not is_apparent(elements, index, after, length):
            return None
        found.append((index, after, length))
    return tuple(found)


class Memory:
    """The memory of one patcher: all that is remembered here is of its rules, tables and key.

    Attributes:
        results: what rules made of elements. It depends on the rule; the tag; the bytes of the
            element, and how they were read: its VR, where its value starts and stops, byte order,
            implicit or explicit VR, the character set that the text was read with; whether it is
            written in UTF-8 instead; the same of each element that the template reads; and on what
            the file's texts are cleaned of. All of that is the key (``ElementMaker.make``).
        patches: the changes of whole files. They depend on how the data set is encoded and on
            the elements that the rules look at: their bytes, and how these were read. That is the
            key (``Patcher.patch``). A file of which the pass looks at more is not kept
            (``Patcher.is_local``, ``add_patch``): file meta, preamble, items, what texts are
            cleaned of, the records of a DICOMDIR, a change of the character set, a large element.
            Group lengths depend on where their groups end, too: ``LocalPatch.fits``.
        concepts: what concept names say. It depends on their bytes and their encoding, which are the key.
    """

    def __init__(self) -> None:
        self.results: dict[tuple[object, ...], Result] = {}
        self.patches: dict[tuple[object, ...], LocalPatch] = {}
        self.concepts: dict[tuple[bytes, Encoding], Concept] = {}
        self._outcomes: dict[tuple[object, ...], dict[tuple[object, ...], Outcome]] = {}
        self._outcome_count = 0
        self.clean_texts: dict[tuple[TextCleaner, str, bytes], bool] = {}
        self._known: CleanerMemory | None = None
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

    def add_patch(
        self,
        key: tuple[object, ...],
        patched: Patched,
        elements: list[Element],
        source: Source,
        survey: SurveyedChanges | None = None,
    ) -> None:
        """Remember the changes of a file, and what a survey tells of them, if others can have the same."""
        # Whether a file may change its character set depends on all of its text, and what becomes
        # of a DICOMDIR on where its records lie.
        is_switched = any(tag == SPECIFIC_CHARACTER_SET for tag, _, _ in patched.elements)
        is_directory = any(element.tag == FIRST_RECORD_OFFSET for element in elements)
        is_long = sum(element.end - element.start for element in elements) > PATCH_MOST
        if is_switched or is_directory or is_long:
            return
        known = LocalPatch.of(patched, elements, source, survey)
        if known is None:
            return
        if len(self.patches) >= REMEMBERED:
            self.patches.clear()
        self.patches[key] = known

    def outcomes_of(self, context: tuple[object, ...]) -> dict[tuple[object, ...], Outcome]:
        """What became of elements in a context.

        Args:
            context: all that templates may read besides the element that they change, and how text is
                read and written.

        Returns:
            By the rule, the tag and the VR of an element, where its value starts, and its bytes.
        """
        return self._outcomes.get(context) or {}

    def add_outcome(self, context: tuple[object, ...], key: tuple[object, ...], outcome: Outcome) -> None:
        """Remember what became of an element in a context."""
        if self._outcome_count >= REMEMBERED:
            self._outcomes.clear()
            self._outcome_count = 0
        self._outcome_count += 1
        self._outcomes.setdefault(context, {})[key] = outcome

    def known(self, is_fixed: Callable[[int], bool]) -> CleanerMemory:
        """What earlier files showed of elements that identify.

        Args:
            is_fixed: whether the rule that hits a tag does not depend on what else a file holds.
        """
        if self._known is None:
            self._known = CleanerMemory(is_fixed)
        return self._known

    def add_clean_text(self, key: tuple[TextCleaner, str, bytes], *, is_clean: bool) -> None:
        """Remember whether a text is clean of some identifiers."""
        if len(self.clean_texts) >= REMEMBERED:
            self.clean_texts.clear()
        self.clean_texts[key] = is_clean

    def add_concept(self, key: tuple[bytes, Encoding], concept: Concept) -> None:
        """Remember what a concept name says, if it is no longer than these are."""
        if len(key[0]) > LOCAL_MOST:
            return
        if len(self.concepts) >= REMEMBERED:
            self.concepts.clear()
        self.concepts[key] = concept

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
            known = self._counts[key] = (notes, counts)
        return known[1]

    def note(self, tag: int, action: Action) -> Note:
        """A note, always the same object, as ``counts`` wants them."""
        note = (tag, action)
        return self._notes.setdefault(note, note)
