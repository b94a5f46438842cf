"""What becomes of the elements that files have in common: learnt from a pass over one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ..core.file_survey import PRIVATE, SurveyedChanges
from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.dictionary import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET, STAMPS
from ..dicom.edits import Edit
from ..dicom.elements import LONG_VRS, SHORT_VRS, Element
from ..dicom.file_patterns import Outline, Pattern
from ..dicom.lengths import has_lengths
from ..dicom.scope import Scope
from .changes import Change
from .file_meta_substitution import FOLLOWING
from .memory import Note
from .pattern_pass import Cleaning, CommonChanges
from .pattern_said import apart, said_in
from .pixel_review import REVIEWED
from .rule_index import Lookups
from .substitution import Substitution

if TYPE_CHECKING:
    from .file_cleaner import AskedTexts
    from .surveyor import Surveyor

SURE_VRS = (SHORT_VRS | LONG_VRS) - {b"UN"}
"""Those that say what an element is."""

_PRIVATE = PRIVATE, Action.REMOVED


class Observed(Substitution):
    """A pass that notes what becomes of each element of the data set.

    Attributes:
        done: for where each element starts: the notes, each with the text that was replaced; the number of
            private elements that went; the tags that rules hit; the texts looked into for UIDs and times, and
            whether one may hold one.
        own_edits: the changes of the data set, without lengths and insertions.
        noted: for where each element starts its changes.
    """

    done: dict[int, tuple[list[tuple[Note, str]], int, set[int], set[str], bool]]
    own_edits: list[Edit]
    noted: dict[int, list[Change]]
    asked: AskedTexts | None = None

    def observe(self) -> None:
        """Begin to take notes."""
        self.done, self.noted = {}, {}
        if self.rules.cleans:
            self.asked = self.maker.cleaner.watched()

    def data_set(self, elements: Sequence[Element], scope: Scope) -> int:
        """As of any pass, the elements of the root one by one."""
        if scope is not self.root:
            return super().data_set(elements, scope)
        growth = 0
        changes, before = self.changes, set[int]()
        for element in elements:
            mark = changes.mark()
            self.present = set()
            growth += super().data_set([element], scope)
            noted = self.noted[element.start] = changes.since(mark)
            notes = [(one.note, one.original) for one in noted]
            texts, is_held = self.asked.taken() if self.asked is not None else (set[str](), False)
            self.done[element.start] = notes, changes.mark()[2] - mark[2], self.present, texts, is_held
            before |= self.present
        self.present = before
        self.own_edits = list(changes.edits)
        return growth


class Study:
    """What a pass over a file showed of its elements.

    Attributes:
        varying: the indices of the elements that differ from file to file, or have to be scanned in each.
    """

    def __init__(
        self,
        lookups: Lookups,
        made: Observed,
        outline: Outline,
        varying: frozenset[int],
        told: Collection[int] = (),
        surveyor: Surveyor | None = None,
    ) -> None:
        """Args:
        lookups: the spec.
        made: the pass.
        outline: of the file.
        varying: the indices of the elements that differ.
        told: the tags of elements of which each pass tells something.
        surveyor: surveys passes; None where nobody asks.
        """
        self.surveyor = surveyor
        self.lookups = lookups
        self.told = told
        self.made = made
        self.outline = outline
        self.kept = {element.start: element for element in made.elements}
        self.tags = {element.tag: index for index, element in enumerate(outline.elements)}
        anew = self._done_anew(varying)
        entered = {index for index in anew if self._is_entered(index)}
        large = {index for index, stored in enumerate(outline.stored) if not stored}
        self.varying = varying | entered | large
        self.anew = tuple(sorted(anew - self.varying))

    def _kept(self, index: int) -> Element | None:
        return self.kept.get(self.outline.elements[index].start)

    def _is_entered(self, index: int) -> bool:
        kept = self._kept(index)
        return kept is not None and (kept.items is not None or kept.known is not None)

    def _done_anew(self, varying: frozenset[int]) -> set[int]:
        """The elements that others depend on, and those that depend on UIDs or times."""
        lookups = self.lookups
        tags = {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION, dictionary.LENGTH_TO_END, *FOLLOWING, *STAMPS}
        tags |= lookups.context_tags
        tags |= {tag for tag, _ in lookups.insertions}
        tags.update(self.told)
        if self._reason(varying) is None:
            tags |= REVIEWED
        found = {self.tags[tag] for tag in tags if tag in self.tags}
        found |= {index for tag, index in self.tags.items() if not tag & 0xFFFF}
        found |= self._creators(varying)
        elements = self.outline.elements
        found |= {
            index for index, one in enumerate(elements) if one.start in self.made.done and self._depends(one)
        }
        for tag, _ in lookups.insertions:  # spares the way to where it is inserted
            before = [index for index, one in enumerate(elements) if one.tag < tag]
            found |= set(before[-1:])
        if has_lengths(self.made.elements):
            found |= self._ends_of_groups(varying)
        return {index for index in found if self._kept(index) is not None}

    def _creators(self, varying: Iterable[int]) -> set[int]:
        """The private creators that say what elements are that differ and do not say it themselves."""
        outline, found = self.outline, set[int]()
        for index in varying:
            tag, vr = outline.elements[index].tag, outline.heads[index][4:]
            if tag >> 16 & 1 and vr not in SURE_VRS:
                creator = self.tags.get(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
                found |= set() if creator is None else {creator}
        return found

    def _depends(self, element: Element) -> bool:
        return self.made.done[element.start][4]

    def _ends_of_groups(self, varying: frozenset[int]) -> set[int]:
        """The first elements of groups, where lengths of groups may end."""
        found: set[int] = set()
        group, is_after = -1, True
        for index, element in enumerate(self.outline.elements):
            if self._kept(index) is None:
                is_after = is_after or index in varying
                continue
            if is_after or element.tag >> 16 != group:
                found.add(index)
            group, is_after = element.tag >> 16, index in varying
        return found

    def _reason(self, varying: Iterable[int]) -> str | None:
        """Why a person should look at the pixels, by the data set; None where that is up to what differs."""
        if not self.lookups.claims:
            return ""
        if any(self.outline.elements[index].tag in REVIEWED for index in varying):
            return None
        return self.made.reason()

    def common(self, pattern: Pattern) -> CommonChanges | None:
        """What becomes of the elements in common; None where that is up to others."""
        lookups, tags = self.lookups, self.tags
        decisive = lookups.context_tags | {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION}
        differing = {self.outline.elements[index].tag for index in self.varying}
        if decisive & differing:
            return None
        if not lookups.overlay_tags.isdisjoint(tags):
            return None
        anew = set(self.anew)
        fixed = [index for index in pattern.places if index not in anew and self._kept(index) is not None]
        notes: list[tuple[Note, str]] = []
        present: set[int] = set()
        texts: set[str] = set()
        private = 0
        for index in fixed:
            element = self.outline.elements[index]
            own, more, hit, asked, _ = self.made.done[element.start]
            others = [one for one in own if one[0] != _PRIVATE]
            private += len(own) - len(others) + more
            notes += others
            present |= hit
            texts |= asked
        edits = self._edits(pattern, fixed)
        if edits is None:
            return None
        cleaning = self._cleaning(fixed, texts) if self.made.rules.cleans else None
        return CommonChanges(
            self.anew,
            edits,
            tuple(notes),
            private,
            frozenset(present),
            self._reason(self.varying),
            cleaning,
            None if self.surveyor is None else self._surveyed(self.surveyor, fixed),
        )

    def _surveyed(self, surveyor: Surveyor, fixed: Iterable[int]) -> SurveyedChanges:
        """What a survey tells of what was done to the elements in common."""
        starts = [self.outline.elements[index].start for index in fixed]
        return surveyor.changes_of(self.made, [one for start in starts for one in self.made.noted[start]])

    def _edits(
        self, pattern: Pattern, fixed: Iterable[int]
    ) -> tuple[tuple[int, int, int, bytes], ...] | None:
        """The changes of the elements in common; None where one is of more than bytes."""
        by_place = sorted(self.made.own_edits, key=lambda edit: edit.place)
        found: list[tuple[int, int, int, bytes]] = []
        position = 0
        for index in sorted(fixed):
            element = self.outline.elements[index]
            stretch, place = pattern.places[index]
            while position < len(by_place) and by_place[position].place < element.start:
                position += 1
            while position < len(by_place) and by_place[position].place < element.end:
                edit = by_place[position]
                position += 1
                if not isinstance(edit.data, bytes) or edit.stop > element.end:
                    return None
                start, stop = (place + one - element.start for one in (edit.start, edit.stop))
                last = found[-1] if found else None
                if last and last[0] == stretch and last[2] == start and not last[3] and not edit.data:
                    found[-1] = stretch, last[1], stop, b""
                else:
                    found.append((stretch, start, stop, edit.data))
        return tuple(found)

    def _cleaning(self, fixed: Sequence[int], texts: Iterable[str]) -> Cleaning:
        """What the texts of the file were cleaned of."""
        from ..text.fleeting import handles_of_all  # noqa: PLC0415  (for clean options alone)

        starts = {self.outline.elements[index].start for index in fixed}
        others = [element for element in self.made.elements if element.start not in starts]
        common = [element for element in self.made.elements if element.start in starts]
        said = said_in(self.made, common, with_meta=False)
        own, fleeting = apart(said_in(self.made, others, with_meta=True))
        cleaner = self.made.maker.cleaner
        return Cleaning(cleaner, said, own, fleeting - said.found, handles_of_all(texts))


def split(elements: Sequence[Element], outline: Outline) -> list[Element]:
    """What a scan kept, private elements that it took together one by one."""
    by_start = {element.start: index for index, element in enumerate(outline.elements)}
    found: list[Element] = []
    for element in elements:
        if element.count == 1:
            found.append(element)
            continue
        index = by_start[element.start]
        for one in outline.elements[index : index + element.count]:
            found.append(Element(one.tag, one.vr, one.start, one.value, one.stop, one.end, one.defined))
    return found
