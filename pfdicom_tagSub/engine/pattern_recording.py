"""A pass over a file that fits a pattern, of which a recipe for others is made."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Container, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..dicom import dictionary
from ..dicom.dictionary import MEDIA_STORAGE_SOP_INSTANCE_UID, SOP_INSTANCE_UID
from ..dicom.edits import Edit
from ..dicom.elements import EXPLICIT_LITTLE, Element
from ..dicom.file_patterns import FoundParts, Pattern
from ..dicom.scan_filter import ScanFilter
from ..dicom.scope import Scope
from .changes import Change
from .patched import Patched
from .pattern_items import ItemsSlot
from .pattern_meta import MetaSteps
from .pattern_pass import CommonChanges, ElementsOfKnown, OfKnownFile
from .pattern_recipe import (
    NEAR,
    PatternRecipe,
    RecipeFindings,
    RecipeLength,
    RecipeStep,
    is_same,
    says_nothing,
)
from .pattern_study import Observed
from .pattern_workbench import LONGEST, Slot, Workbench
from .rule_index import Lookups

if TYPE_CHECKING:
    from .original_pairs import OriginalPair
    from .pattern_survey import PatternSurvey
    from .surveyor import Surveyor


class Recorded(Observed, OfKnownFile):
    """A pass over a file that fits a pattern.

    Attributes:
        inserted: what is inserted into the data set, each with its tag.
        taken_over: the changes of what is in common.
    """

    inserted: list[tuple[int, Edit]]
    taken_over: Sequence[Edit] = ()
    _mark: tuple[int, int, int] = (0, 0, 0)

    def record(self, elements: ElementsOfKnown) -> bool:
        """Take over what becomes of the elements in common, and begin to take notes; as of ``takes_over``."""
        if not self.takes_over(elements):
            return False
        self.taken_over = tuple(self.changes.edits)
        self.observe()
        return True

    def data_set(self, elements: Sequence[Element], scope: Scope) -> int:
        """As of any pass; what was taken over is there, too."""
        present = set(self.present)
        growth = super().data_set(elements, scope)
        if scope is self.root:
            self.present |= present
            self.own_edits = self.own_edits[len(self.taken_over) :]
            self._mark = self.changes.mark()
        return growth

    def _insertions(self) -> list[tuple[int, Edit]]:
        self.inserted = super()._insertions()
        return self.inserted

    @property
    def after(self) -> list[Change]:
        """The changes that come after those of the elements."""
        return self.changes.since(self._mark)


class _NotedPlace(NamedTuple):
    """A step, and where in the file that was recorded it stands."""

    start: int
    stop: int
    step: RecipeStep | int | RecipeLength


def recipe_of(
    lookups: Lookups,
    scan_filter: ScanFilter,
    pattern: Pattern,
    made: Recorded,
    patched: Patched,
    paired: Collection[int] = (),
    surveyor: Surveyor | None = None,
) -> PatternRecipe | None:
    """The recipe of a pattern.

    Args:
        lookups: the spec.
        scan_filter: what a scan keeps.
        pattern: the pattern.
        made: a pass over a file that fits it.
        patched: its changes.
        paired: the tags of elements of which the original and the new values are told.
        surveyor: surveys passes; None where nobody asks.

    Returns:
        None where what becomes of files is up to more than a recipe can tell.
    """
    if not serves(lookups):
        return None
    recording = _PassRecording(lookups, scan_filter, pattern, made, paired, surveyor)
    recipe = recording.recipe(patched)
    if recipe is None:
        return None
    again = recipe.patched(made.file, recording.found)
    return recipe if again is not None and is_same(again, patched, made.file.source) else None


def serves(lookups: Lookups) -> bool:
    """Whether nothing that is inserted or done to the file meta depends on what texts are cleaned of."""
    rules = [rule for _, rule in (*lookups.insertions, *lookups.meta_insertions)]
    return not any(rule.template and rule.template.cleans for rule in (*rules, *lookups.rules.meta.values()))


def _is_of_instance(change: Change) -> bool:
    """Whether the UID of the file meta follows that of the data set."""
    return change.follows and change.note[0] == MEDIA_STORAGE_SOP_INSTANCE_UID


class _PassRecording:
    """What was noted in a pass, in terms of the pattern."""

    def __init__(
        self,
        lookups: Lookups,
        scan_filter: ScanFilter,
        pattern: Pattern,
        made: Recorded,
        paired: Collection[int],
        surveyor: Surveyor | None,
    ) -> None:
        assert isinstance(made.elements, ElementsOfKnown)
        self.lookups = lookups
        self.filter = scan_filter
        self.pattern = pattern
        self.made = made
        self.paired = paired
        self.surveyor = surveyor
        self.common: CommonChanges = made.elements.common
        self.found: FoundParts = made.elements.found
        outline = pattern.outline.elements
        self.tags = [element.tag for element in outline]
        self.starts, self.marks = self._marked()
        self.items: dict[int, ItemsSlot] = {}
        self.slots = [
            Slot(number, element.tag, pattern.vr(number), self._is_private(element.tag))
            for number, element in enumerate(self.found.elements)
            if element is not None
        ]

    def _is_private(self, tag: int) -> bool:
        return bool(tag >> 16 & 1) and self.lookups.drops_private and tag not in self.lookups.rules.table

    def recipe(self, patched: Patched) -> PatternRecipe | None:
        """The recipe; None where there is none."""
        made, common, tags = self.made, self.common, set(self.tags)
        instance = [place for place, slot in enumerate(self.slots) if slot.tag == SOP_INSTANCE_UID]
        if common.reason is None or dictionary.LENGTH_TO_END in tags or not instance:
            return None
        meta = self._meta(patched)
        bench = self._bench()
        places = self._places()
        if meta is None or bench is None or places is None:
            return None
        survey = self._survey(patched)
        if self.surveyor is not None and survey is None:
            return None
        notes = [note for note, _ in common.notes]
        originals = [original for _, original in common.notes]
        private = common.removed
        for index in common.done_anew:
            own, more, *_ = made.done[self.starts[index]]
            notes += [note for note, _ in own]
            originals += [original for _, original in own]
            private += more
        for change in made.after:
            if not _is_of_instance(change):
                notes.append(change.note)
                originals.append(change.original)
        findings = RecipeFindings(
            tuple(place.step for place in places),
            self.slots,
            tuple(notes),
            private,
            tuple(filter(None, originals)),
            patched.review,
            instance[0],
            self.items,
            self._pairs(patched) if self.paired else None,
            survey,
        )
        return PatternRecipe(self.pattern, findings, meta, bench, made.maker.memory)

    def _pairs(self, patched: Patched) -> list[OriginalPair]:
        """The original and the new identifiers of what is in common."""
        from .original_pairs import ATTRIBUTES  # noqa: PLC0415  (only where somebody asks)

        own = {ATTRIBUTES[slot.tag] for slot in self.slots if slot.tag in ATTRIBUTES}
        return [pair for pair in patched.pairs if pair[0] not in own]

    def _survey(self, patched: Patched) -> PatternSurvey | None:
        """What surveys other files; None where nobody asks, or where that is not possible."""
        surveyor, made = self.surveyor, self.made
        if surveyor is None or surveyor.census is None or patched.survey is None:
            return None
        from .pattern_survey import PatternSurvey  # noqa: PLC0415  (only where somebody asks)

        survey = PatternSurvey(surveyor, surveyor.census, self.pattern)
        changes = [one for index in self.common.done_anew for one in made.noted[self.starts[index]]]
        changes += [change for change in made.after if not _is_of_instance(change)]
        return survey if survey.learn(made, self.found, changes, patched.survey.kinds) else None

    def _marked(self) -> tuple[list[int], list[tuple[int, int]]]:
        """Where each element starts, and the end: in the file, and after which stretch begins how far."""
        pattern, starts = self.pattern, self.found.starts
        marks: list[tuple[int, int]] = []
        number = 0
        for index in range(len(self.tags)):
            if index in pattern.varying:
                marks.append((number, pattern.ends[number]))
                number += 1
            else:
                marks.append(pattern.places[index])
        marks.append((number, pattern.ends[number]))
        return [starts[stretch] + place for stretch, place in marks], marks

    def _meta(self, patched: Patched) -> MetaSteps | None:
        """What becomes of the file meta; None where its UID does not follow that of the data set."""
        file, file_meta = self.made.file, self.made.file_meta
        numbers = [
            number for number, one in enumerate(file.meta) if one.tag == MEDIA_STORAGE_SOP_INSTANCE_UID
        ]
        if len(numbers) != 1 or file.meta_encoding != EXPLICIT_LITTLE:
            return None
        texts = self.made.changes.texts_of((SOP_INSTANCE_UID,), self.made.root)
        rule = file_meta.rules.meta.get(MEDIA_STORAGE_SOP_INSTANCE_UID)
        followed = file_meta.followed(MEDIA_STORAGE_SOP_INSTANCE_UID, rule)
        if followed is None or followed != texts.get(SOP_INSTANCE_UID):
            return None
        start = file.data.start
        if any(edit.start == edit.stop == start for edit in patched.edits):
            return None
        edits = [edit for edit in patched.edits if edit.start < start]
        return MetaSteps(file, file_meta, self.made.maker.memory, numbers[0], edits)

    def _bench(self) -> Workbench | None:
        """Where what becomes of slots is found out; None where a text in common may hold a UID or a time."""
        made, common, outline = self.made, self.common, self.pattern.outline
        texts: set[str] = set()
        for index in common.done_anew:
            _, _, _, asked, is_held = made.done[self.starts[index]]
            if is_held:
                return None
            texts |= asked
        cleaning = None
        if common.cleaning is not None:
            from ..text.fleeting import handles_of_all, together  # noqa: PLC0415  (for clean options alone)

            cleaning = made.maker.cleaner, together((common.cleaning.handles, handles_of_all(texts)))
        own = [(outline.elements[index], outline.stored[index]) for index in common.done_anew]
        bench = Workbench(
            self.lookups,
            made.maker.memory,
            self.filter,
            made.root.reading,
            own,
            cleaning,
            self.paired,
            self.surveyor,
        )
        for slot in self.slots:
            element = self.found.elements[slot.number]
            assert element is not None
            if not (slot.is_private and says_nothing(element)):
                stored = made.file.data.source.read(element.start, element.end)
                if not (self._has_items(slot, element, bench) or bench.outcome(slot, stored)):
                    return None
        return bench

    def _has_items(self, slot: Slot, element: Element, bench: Workbench) -> bool:
        """Whether an element is a long sequence whose items have forms; these are learnt."""
        size = element.end - element.start
        if size <= LONGEST or element.vr != "SQ" or not ItemsSlot.serves(self.lookups, bench, slot.tag):
            return False
        source = self.made.file.data.source
        items = ItemsSlot(self.lookups, bench, slot.tag)
        if not items.learn(source.read(element.start, element.end)):
            return False
        found = items.forms.match(source, element.start, element.end)
        if found is None:
            return False
        items.say(form for form, _ in found.items)
        self.items[slot.number] = items
        self.found.items[slot.number] = found
        self.pattern.forms[slot.number] = items.forms
        return True

    def _places(self) -> list[_NotedPlace] | None:
        """The steps, in order; None where one is of more than bytes."""
        made, done_anew = self.made, set(self.common.done_anew)
        own = (edit for edit in made.own_edits if self._index(edit.place) in done_anew)
        edits = [(edit, self._tag_at(edit.place)) for edit in (*made.taken_over, *own)]
        growths: dict[int, int] = {}
        places: list[_NotedPlace] = []
        for edit, tag in [*edits, *((edit, tag) for tag, edit in made.inserted)]:
            if not isinstance(edit.data, bytes):
                return None
            growths[tag >> 16] = growths.get(tag >> 16, 0) + edit.growth
            index = self._index(edit.start)
            stretch, place = self.marks[index]
            place += edit.start - self.starts[index]
            step = RecipeStep(stretch, place, place + edit.stop - edit.start, edit.data)
            places.append(_NotedPlace(edit.start, edit.stop, step))
        for number, slot in enumerate(self.slots):
            element = self.found.elements[slot.number]
            assert element is not None
            places.append(_NotedPlace(element.start, element.end, number))
        places += self._lengths(growths, {self._index(edit.place) for edit, _ in edits})
        return self._merged(sorted(places, key=lambda place: place[:2]))

    def _index(self, position: int) -> int:
        """Which element is at a position of the file; one more than there are at the end."""
        return bisect_right(self.starts, position) - 1

    def _tag_at(self, position: int) -> int:
        return self.tags[self._index(position)]

    def _lengths(self, growths: dict[int, int], changed: Container[int]) -> list[_NotedPlace]:
        """The group lengths that stay.

        Args:
            growths: by how many bytes what is in common grows in each group, and what is inserted.
            changed: which elements in common change.
        """
        found: list[_NotedPlace] = []
        by_index = {self._index(self._start_of(slot)): number for number, slot in enumerate(self.slots)}
        done_anew = set(self.common.done_anew)
        for index, tag in enumerate(self.tags):
            slot = by_index.get(index, -1)
            is_kept = slot >= 0 or index in done_anew
            if tag & 0xFFFF or not is_kept or index in changed or (slot >= 0 and self.slots[slot].is_private):
                continue
            group = tag >> 16
            end = index + 1
            while end < len(self.tags) and self.tags[end] >> 16 == group:
                end += 1
            within = tuple(number for place, number in by_index.items() if index < place < end)
            value = self.starts[index] + 8
            stop = value + 4
            growth = growths.get(group, 0)
            length = int.from_bytes(self.made.file.data.source.read(value, stop), "little")
            (stretch, place), (last, _) = self.marks[index], self.marks[end]
            step: RecipeLength | RecipeStep
            step = RecipeLength(self.marks[index], self.marks[end], growth, within, slot, length)
            if stretch == last and stop + length == self.starts[end]:  # the same in all files
                if not growth:
                    continue
                new = (length + growth).to_bytes(4, "little")
                step = RecipeStep(stretch, place + 8, place + 12, new)
            found.append(_NotedPlace(value, stop, step))
        return found

    def _start_of(self, slot: Slot) -> int:
        element = self.found.elements[slot.number]
        assert element is not None
        return element.start

    def _merged(self, places: Sequence[_NotedPlace]) -> list[_NotedPlace]:
        """Places in order; changes of a stretch that are near each other are one."""
        read = self.made.file.data.source.read
        found: list[_NotedPlace] = []
        for place in places:
            last = found[-1].step if found else None
            step = place.step
            if (
                isinstance(last, RecipeStep)
                and isinstance(step, RecipeStep)
                and last.stretch == step.stretch
                and 0 <= step.start - last.stop <= NEAR
            ):
                between = read(found[-1].stop, place.start)  # the same in all files
                data = last.data + between + step.data
                step = RecipeStep(last.stretch, last.start, step.stop, data)
                found[-1] = _NotedPlace(found[-1].start, place.stop, step)
            else:
                found.append(place)
        return found
