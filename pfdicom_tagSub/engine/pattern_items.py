"""A long sequence in which the files of a pattern differ, item by item, such as the frames of an image.

Items of one form (``dicom.item_patterns``) have all in common but the values of some elements. What becomes
of one of them is found out once on the workbench. What becomes of an element that differs depends on its own
bytes, on the sequences around it, and on what is in common: an item in which a template could look something
up, or that says how others are read, has no form. Where items say that texts are to be cleaned of something
else than those of the file of the recipe, or where rules hit anything else, there is no answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import FileError
from ..core.file_survey import ElementChange, FileSurvey
from ..dicom.dictionary import (
    DIRECTORY_RECORD_SEQUENCE,
    PIXEL_REPRESENTATION,
    SOP_INSTANCE_UID,
    SPECIFIC_CHARACTER_SET,
    is_unknown,
)
from ..dicom.edits import Edit
from ..dicom.elements import SHORT_VRS
from ..dicom.item_patterns import (
    ENDS,
    OUTER,
    FoundItems,
    ItemForm,
    ItemForms,
    ItemLeaf,
    ItemOutline,
    elements_in,
    outlines_of,
    tag_bytes,
)
from ..dicom.sources import Source
from .item_changes import (
    HEAD,
    NOTHING_TOLD,
    REMEMBERED,
    FormChanges,
    LeafSlot,
    leaf_slot_of,
    length_edit,
)
from .memory import Note
from .pattern_values import SlotOutcome
from .pattern_workbench import Trial, Workbench
from .rule_index import Lookups

if TYPE_CHECKING:
    from .original_pairs import OriginalPair

SEQUENCE_MOST = 1 << 20
"""Longer sequences are walked over."""

KINDS_MOST = 1 << 12
CREDIT = 16

_PLAIN_PRIVATE = frozenset(vr.decode() for vr in SHORT_VRS) - {"PN", "DA", "DT"}
"""VRs of private elements that, where they go, say nothing that texts are cleaned of."""


class ItemsOutcome(NamedTuple):
    """What becomes of a long sequence.

    Attributes:
        edits: its changes in order.
        growth: by how many bytes it grows.
        kind: the number of what was noted, as of ``SlotOutcome``.
        originals: the texts that were replaced and that a path may hold.
        texts: none.
        pair: none, as identifiers by which people look for a study are at the top level.
        survey: as of ``SlotOutcome``.
    """

    edits: list[Edit]
    growth: int
    kind: int
    originals: tuple[str, ...]
    texts: tuple[str, ...] = ()
    pair: OriginalPair | None = None
    survey: FileSurvey | None = None


class ItemsSlot:
    """What becomes of one long sequence.

    Attributes:
        forms: of its items.
        is_spent: whether its items had no known form, or no known outcome, too often.
    """

    def __init__(self, lookups: Lookups, bench: Workbench, tag: int) -> None:
        """Args:
        lookups: the spec.
        bench: finds out what becomes of its items.
        tag: its tag.
        """
        self.forms = ItemForms()
        self.is_spent = False
        self._bench = bench
        self._tag = tag
        self._lookups = lookups
        self._decisive = lookups.context_tags | lookups.rules.sources
        self._decisive |= {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION, SOP_INSTANCE_UID}
        self._changes: dict[ItemForm, FormChanges] = {}
        self._said: tuple[frozenset[int], frozenset[object]] | None = None
        self._as_said: set[frozenset[ItemForm]] = set()
        self._kinds: dict[tuple[frozenset[tuple[ItemForm, int]], frozenset[tuple[int, int]]], int] = {}
        self._credit = CREDIT

    @staticmethod
    def serves(lookups: Lookups, bench: Workbench, tag: int) -> bool:
        """Whether what is done in a sequence is done item by item.

        A scan enters every sequence then, so that what it keeps is up to tags and VRs alone.
        """
        is_entered = bench.filter.patterns[True] is None and not lookups.asks_for_more
        return is_entered and not tag >> 16 & 1 and _is_passed_through(lookups, tag)

    def _pays(self, *, is_known: bool) -> None:
        """Count an answer: each that is not known costs a credit, and each that is earns one."""
        self._credit = min(self._credit + 1, CREDIT) if is_known else self._credit - 1
        self.is_spent = self._credit <= 0

    def learn(self, stored: bytes) -> bool:
        """Learn the forms of the items of a sequence; whether all of them have one.

        Args:
            stored: its bytes.
        """
        self._pays(is_known=False)
        try:
            outlines = outlines_of(stored, self._tag) if len(stored) <= SEQUENCE_MOST else None
        except FileError:
            return False
        if not outlines or not all(map(self._may_have_form, outlines)):
            return False
        self.forms.learn(outlines)
        self._changes = {form: made for form, made in self._changes.items() if form in self.forms.forms}
        self._as_said = {forms for forms in self._as_said if all(form in self._changes for form in forms)}
        self._kinds.clear()
        for form in self.forms.forms:
            if form not in self._changes:
                made = self._changes_of(form)
                if made is None:
                    return False
                self._changes[form] = made
        return True

    def _may_have_form(self, outline: ItemOutline) -> bool:
        """Whether no element of an item decides on others."""
        tags = outline.tags
        if not self._decisive.isdisjoint(tags):
            return False
        return DIRECTORY_RECORD_SEQUENCE not in tags and all(tag & 0xFFFF for tag in tags)

    def _changes_of(self, form: ItemForm) -> FormChanges | None:
        """What becomes of items of a form; None where that is up to more than they hold."""
        stored = tag_bytes(self._tag) + OUTER[:8] + form.outline.data + ENDS[8:]
        tried = self._bench.trial(self._tag, "", stored)
        if tried is None:
            return None
        start = tried.element.start + HEAD
        kept = {one.start - start for one in elements_in(tried.element)}
        changed = {change.element.start - start for change in tried.changes if change.element is not None}
        drops_private = self._lookups.drops_private
        slots: list[LeafSlot] = []
        for gap, leaf in enumerate(form.leaves):
            if leaf is None:
                continue
            if not all(_is_passed_through(self._lookups, tag, may_go=True) for tag in leaf.path[1:]):
                return None
            place = leaf.start + HEAD, leaf.stop + HEAD
            around = [edit for edit in tried.edits if edit[0] <= place[0] and edit[1] >= place[1]]
            is_dropped = drops_private and bool(leaf.tag >> 16 & 1)
            is_gone = any(is_dropped or edit[:2] != place for edit in around)
            if is_gone and (leaf.start in changed or any(data for _, _, data in around)):
                return None
            if tried.survey is not None and _is_told_with(tried, leaf, start):
                return None
            if leaf.start in kept and not (is_gone and is_dropped and leaf.vr in _PLAIN_PRIVATE):
                slots.append(leaf_slot_of(gap, leaf, is_gone=is_gone))
            elif around and not is_gone:
                return None
        try:
            made = FormChanges(form, tried, slots)
        except ValueError:
            return None
        return made if self._is_complete(made, tried, slots) else None

    def _is_complete(self, made: FormChanges, tried: Trial, slots: Sequence[LeafSlot]) -> bool:
        """Whether the outcome of an item is the sum of its parts; what is left over is in common."""
        outcomes: list[SlotOutcome] = []
        for slot in slots:
            outcome = slot.outcome(made.form.outline.data[slot.leaf.value : slot.leaf.stop], self._bench)
            if outcome is None:
                return False
            outcomes.append(outcome)
        notes, own, more = Counter(change.note for change in tried.changes), Counter[Note](), 0
        for outcome in outcomes:
            if outcome.kind >= 0:
                each, private = self._bench.kinds[outcome.kind]
                own.update(each)
                more += private
        if own - notes or more > tried.more or not self._is_told(made, tried, outcomes):
            return False
        made.notes = [*(notes - own).elements()]
        made.more = tried.more - more
        return True

    @staticmethod
    def _is_told(made: FormChanges, tried: Trial, outcomes: Sequence[SlotOutcome]) -> bool:
        """Whether the survey of an item, if there is one, is the sum of those of its parts."""
        if tried.survey is None:
            return True
        hits, own = Counter(tried.survey.hits), Counter[ElementChange]()
        for outcome in outcomes:
            if outcome.survey is None:
                return False
            own.update(outcome.survey.hits)
        made.survey = FileSurvey(dict(hits - own), tried.survey.rules, {}, {})
        return not own - hits

    def say(self, forms: Iterable[ItemForm]) -> None:
        """Note that the items of the file of the recipe are of these forms."""
        self._said = self._union(frozenset(forms))

    def _union(self, forms: frozenset[ItemForm]) -> tuple[frozenset[int], frozenset[object]]:
        """The tags that rules hit in items of some forms, and what these say."""
        present = frozenset[int]().union(*(self._changes[form].present for form in forms))
        said: set[object] = set()
        for form in forms:
            for kind, each in enumerate(self._changes[form].own or ()):
                assert isinstance(each, frozenset)
                said.update((kind, one) for one in each)
        return present, frozenset(said)

    def _is_as_said(self, forms: frozenset[ItemForm]) -> bool:
        if forms not in self._as_said:
            if self._union(forms) != self._said:
                return False
            self._as_said.add(forms)
        return True

    def outcome(self, source: Source, found: FoundItems) -> ItemsOutcome | None:
        """What becomes of the sequence in a file; None where that is up to more than its items.

        Args:
            source: the bytes of the file.
            found: its items.
        """
        try:
            outcome = self._outcome(source, found)
        except FileError:
            outcome = None  # for a pass to say
        self._pays(is_known=outcome is not None)
        return outcome

    def _outcome(self, source: Source, found: FoundItems) -> ItemsOutcome | None:
        items, bench = found.items, self._bench
        forms = Counter(form for form, _ in items)
        if any(form not in self._changes for form in forms) or not self._is_as_said(frozenset(forms)):
            return None
        edits: list[Edit] = []
        outcomes: list[SlotOutcome] = []
        for form, starts in items:
            if not self._changes[form].take(starts, source, bench, edits, outcomes):
                return None
        growth = sum([len(data) - stop + start for start, stop, data in edits])
        if growth and found.defined:
            edits.insert(0, length_edit(source, found.value, growth))
        kind = self._kind(forms, Counter([one.kind for one in outcomes]))
        if kind < 0:
            return None
        originals = [text for one in outcomes for text in one.originals]
        for form in forms:
            originals += self._changes[form].originals
        told = [self._changes[form].survey for form, _ in items] + [one.survey for one in outcomes]
        parts = tuple([part for part in told if part is not None])
        survey = replace(NOTHING_TOLD, parts=parts) if parts else None
        return ItemsOutcome(edits, growth, kind, tuple(dict.fromkeys(originals)), survey=survey)

    def _kind(self, forms: Counter[ItemForm], slots: Counter[int]) -> int:
        """The number of what was noted; -1 where there are too many."""
        key = frozenset(forms.items()), frozenset(slots.items())
        known = self._kinds.get(key)
        if known is not None:
            return known
        bench = self._bench
        if len(bench.kinds) > KINDS_MOST:
            return -1
        notes: list[Note] = []
        more = 0
        for form, times in forms.items():
            own = self._changes[form]
            notes += own.notes * times
            more += own.more * times
        for kind, times in slots.items():
            if kind >= 0:
                each, private = bench.kinds[kind]
                notes += each * times
                more += private * times
        if len(self._kinds) >= REMEMBERED:
            self._kinds.clear()
        known = self._kinds[key] = bench.kind(tuple(notes), more)
        return known


def _is_passed_through(lookups: Lookups, tag: int, *, may_go: bool = False) -> bool:
    """Whether no rule for a sequence looks at what is in it.

    Args:
        lookups: the spec.
        tag: its tag.
        may_go: whether it may be removed.
    """
    if tag >> 16 & 1 and lookups.drops_private:
        return may_go
    rule = lookups.rules.table.get(tag)
    if rule is None:
        goes = lookups.rules.remove_unknown and is_unknown(tag)
        return tag >> 16 not in lookups.rules.groups and (may_go or not goes)
    return not rule.adds and (rule.keeps or rule.walks or (may_go and rule.template is None))


def _is_told_with(tried: Trial, leaf: ItemLeaf, start: int) -> bool:
    """Whether a survey tells of a sequence by its bytes that a leaf is a part of.

    Args:
        tried: what became of an item.
        leaf: a leaf of it.
        start: where the item of the leaf's place begins.
    """
    return any(
        one.element is not None and one.element.start - start < leaf.start < one.element.stop - start
        for one in tried.changes
    )
