"""A file that fits a pattern, changed in steps that were found out once; only what differs is looked at.

All that becomes of a file was noted in a pass over another that fits. What becomes of an element that differs
is found out beside the elements in common alone, so that it depends on these and on its own bytes, and is
remembered by them. Where more decides on it (a text that may hold a UID or a time, a file meta that differs
in more than its UID, a length that was wrong before) there is no answer, and a pass has to be made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..core.file_survey import PRIVATE, FileSurvey, merged
from ..core.outcome import Action, ElementCounts
from ..dicom.edits import Edit
from ..dicom.elements import OTHER_VRS, UNDEFINED, Element
from ..dicom.file import DicomFile
from ..dicom.file_patterns import FoundParts, Pattern
from ..dicom.sources import Source
from .memory import Memory, Note
from .patched import Patched
from .pattern_items import ItemsOutcome, ItemsSlot
from .pattern_meta import MetaSteps
from .pattern_values import SlotOutcome
from .pattern_workbench import Slot, Workbench

if TYPE_CHECKING:
    from .original_pairs import OriginalPair
    from .pattern_survey import PatternSurvey

COUNTS_MOST = 1 << 8

NEAR = 1 << 10
"""Changes that are no farther apart are made as one: a few bytes more are written in less time than two."""

_PRIVATE = PRIVATE, Action.REMOVED


class RecipeStep(NamedTuple):
    """A change of the elements in common, or an insertion.

    Attributes:
        stretch: the number of the stretch in common.
        start: where in it the change starts; it may be the end.
        stop: where it stops.
        data: the new bytes.
    """

    stretch: int
    start: int
    stop: int
    data: bytes


class RecipeLength(NamedTuple):
    """The length of a group that stays, and is true afterwards if it was before.

    Attributes:
        place: the stretch that it is in, and its place there.
        end: likewise, of what comes after the group.
        growth: by how many bytes what is in common grows, and what is inserted.
        slots: which slots are in the group.
        slot: which one it is itself, -1 where its bytes are in common.
        length: what these say.
    """

    place: tuple[int, int]
    end: tuple[int, int]
    growth: int
    slots: tuple[int, ...]
    slot: int
    length: int


class RecipeFindings(NamedTuple):
    """What was noted of a file.

    Attributes:
        steps: the changes of what is in common, in order; of a slot and of a length their numbers.
        slots: the elements that differ.
        notes: what was done to all but the slots, and to what of the file meta follows.
        more_private: how many private elements went beside those noted.
        originals: the texts that were replaced, likewise.
        review: why a person should look at the pixels.
        instance: which slot is the SOP instance UID.
        items: what becomes of those slots that are done item by item, by their numbers.
        pairs: the original and the new identifiers of all but the slots; None where nobody asks.
        survey: surveys files; None where nobody asks.
    """

    steps: Sequence[RecipeStep | int | RecipeLength]
    slots: Sequence[Slot]
    notes: Sequence[Note]
    more_private: int
    originals: Sequence[str]
    review: str
    instance: int
    items: Mapping[int, ItemsSlot]
    pairs: Sequence[OriginalPair] | None = None
    survey: PatternSurvey | None = None


class PatternRecipe:
    """The steps of a pattern.

    Attributes:
        has_learnt: whether the last file showed how items of a sequence may look, too: what becomes of it is
            to be held against a pass.
    """

    def __init__(
        self, pattern: Pattern, found: RecipeFindings, meta: MetaSteps, bench: Workbench, memory: Memory
    ) -> None:
        """Args:
        pattern: the pattern.
        found: what was noted of a file that fits it.
        meta: the same of its file meta.
        bench: finds out what becomes of elements that differ.
        memory: of the patcher.
        """
        self.found = found
        self.meta = meta
        self.bench = bench
        self.memory = memory
        self.has_learnt = False
        self._pattern = pattern
        self._absent = len(pattern.varying) - len(found.slots)
        self._counts: dict[tuple[int, ...], ElementCounts] = {}

    @property
    def is_spent(self) -> bool:
        """Whether it gave no answer too often."""
        return any(items.is_spent for items in self.found.items.values())

    def patched(self, file: DicomFile, parts: FoundParts) -> Patched | None:
        """The changes of a file that fits the pattern; None where these steps do not tell them."""
        self.has_learnt = False
        own = self.meta.element_in(file)
        if own is None or parts.elements.count(None) != self._absent:
            return None
        outcomes = self._outcomes(file, parts)
        if outcomes is None:
            return None
        edits = self._edits(file, parts, outcomes)
        if edits is None:
            return None
        found = self.found
        following = self.meta.steps(file, own, outcomes[found.instance].texts)
        survey = None
        if found.survey is not None:
            survey = found.survey.survey(file, parts, [one.survey for one in outcomes], following.change)
            if survey is None:
                return None
        originals = [*found.originals]
        for outcome in outcomes:
            originals += outcome.originals
        originals.append(following.original)
        return Patched(
            following.edits + edits,
            [],
            self._counted(outcomes, following.note),
            tuple(dict.fromkeys(filter(None, originals))),
            found.review,
            survey,
            pairs=() if found.pairs is None else self._pairs(found.pairs, outcomes),
        )

    @staticmethod
    def _pairs(
        known: Sequence[OriginalPair], outcomes: Sequence[SlotOutcome | ItemsOutcome]
    ) -> tuple[OriginalPair, ...]:
        """The original and the new identifiers."""
        from .original_pairs import in_order  # noqa: PLC0415  (only where somebody asks)

        own = [outcome.pair for outcome in outcomes]
        return in_order([*known, *[pair for pair in own if pair is not None]])

    def _outcomes(self, file: DicomFile, parts: FoundParts) -> list[SlotOutcome | ItemsOutcome] | None:
        """What becomes of each slot; None where that is up to more than its bytes."""
        read, elements, own = file.data.source.read, parts.elements, self.found.items
        found: list[SlotOutcome | ItemsOutcome] = []
        for slot in self.found.slots:
            element = elements[slot.number]
            if element is None:
                return None
            outcome: SlotOutcome | ItemsOutcome | None
            items = own.get(slot.number)
            if items is not None:
                outcome = self._outcome_of_items(slot, items, file, parts)
            elif slot.is_private and says_nothing(element):
                outcome = self.bench.removed(element.end - element.start)
            else:
                stored = read(element.start, element.end)
                outcome = slot.known.get(stored) or self.bench.outcome(slot, stored)
            if outcome is None:
                return None
            found.append(outcome)
        return found

    def _outcome_of_items(
        self, slot: Slot, items: ItemsSlot, file: DicomFile, parts: FoundParts
    ) -> ItemsOutcome | None:
        """What becomes of a sequence item by item; the forms of its items are learnt where they are new."""
        source = file.data.source
        found = parts.items.get(slot.number)
        if found is None:
            element = parts.elements[slot.number]
            if element is None or not items.learn(source.read(element.start, element.end)):
                return None
            self.has_learnt = True
            found = items.forms.match(source, element.start, element.end)
        return items.outcome(source, found) if found is not None else None

    def _edits(
        self, file: DicomFile, parts: FoundParts, outcomes: Sequence[SlotOutcome | ItemsOutcome]
    ) -> list[Edit] | None:
        """The changes of the data set; None where a length in it is not true."""
        starts, elements, slots = parts.starts, parts.elements, self.found.slots
        edits: list[Edit] = []
        for step in self.found.steps:
            if isinstance(step, RecipeStep):
                start = starts[step.stretch]
                edits.append(Edit(start + step.start, start + step.stop, step.data))
            elif isinstance(step, int):
                outcome, element = outcomes[step], elements[slots[step].number]
                if isinstance(outcome, ItemsOutcome):
                    edits += outcome.edits
                    continue
                assert element is not None
                start = element.start
                edits += [Edit(start + first, start + last, data) for first, last, data in outcome.edits]
            else:
                edit = self._length_edit(step, file, parts, outcomes)
                if edit is None:
                    return None
                if edit.data:
                    edits.append(edit)
        return edits

    def _length_edit(
        self,
        step: RecipeLength,
        file: DicomFile,
        parts: FoundParts,
        outcomes: Sequence[SlotOutcome | ItemsOutcome],
    ) -> Edit | None:
        """The change of a group length, without data where it stays; None where it is not true."""
        starts = parts.starts
        value = starts[step.place[0]] + step.place[1] + 8
        stop, length = value + 4, step.length
        if step.slot >= 0:
            own = parts.elements[self.found.slots[step.slot].number]
            if own is None or own.stop - own.value != 4:
                return None
            length = int.from_bytes(file.data.source.read(value, stop), "little")
        if stop + length != starts[step.end[0]] + step.end[1]:
            return None
        growth = step.growth
        for number in step.slots:
            growth += outcomes[number].growth
        if not growth:
            return Edit(value, value, b"")
        length += growth
        return Edit(value, stop, length.to_bytes(4, "little")) if length < UNDEFINED else None

    def _counted(
        self, outcomes: Sequence[SlotOutcome | ItemsOutcome], following: Note | None
    ) -> ElementCounts:
        """How often what was done to which elements."""
        key = (*[outcome.kind for outcome in outcomes], 0 if following is None else id(following))
        known = self._counts.get(key)
        if known is None:
            notes, more = [*self.found.notes], self.found.more_private
            for outcome in outcomes:
                own, private = self.bench.kinds[outcome.kind]
                notes += own
                more += private
            notes += [following] if following is not None else []
            if len(self._counts) >= COUNTS_MOST:
                self._counts.clear()
            known = self._counts[key] = self.memory.counts(notes, self.memory.note(*_PRIVATE), more)
        return known


def is_same(one: Patched, other: Patched, source: Source) -> bool:
    """Whether two ways to change a file come to the same.

    Args:
        one: one way.
        other: the other.
        source: the file.
    """
    return (
        _joined(one.edits, source) == _joined(other.edits, source)
        and one.elements == other.elements
        and set(one.originals) == set(other.originals)
        and one.review == other.review
        and one.pairs == other.pairs
        and _summed(one.survey) == _summed(other.survey)
    )


def _summed(survey: FileSurvey | None) -> FileSurvey | None:
    return None if survey is None else merged([survey])


def _joined(edits: Sequence[Edit], source: Source) -> list[tuple[int, int, object]]:
    """Edits, those that are near each other as one."""
    found: list[tuple[int, int, object]] = []
    for start, stop, data in edits:
        first, last, before = found[-1] if found else (0, -1, None)
        is_near = 0 <= start - last <= NEAR
        if is_near and isinstance(data, bytes) and isinstance(before, bytes):
            found[-1] = first, stop, before + source.read(last, start) + data
        else:
            found.append((start, stop, data))
    return found


def says_nothing(element: Element) -> bool:
    """Whether a private element that goes is none that texts are cleaned of, whatever it holds."""
    if element.items is not None or element.known is not None:
        return False
    return element.vr in OTHER_VRS or element.vr in _NUMBERS


_NUMBERS = frozenset({"FD", "FL", "SL", "SS", "UL", "US"})
