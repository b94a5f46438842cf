"""What becomes of the items of one form: what they have in common, and the elements that differ in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ..core.errors import FileError
from ..core.file_survey import FileSurvey
from ..dicom.edits import Edit, in_order
from ..dicom.elements import UNDEFINED
from ..dicom.item_patterns import ENDS, OUTER, ItemForm, ItemLeaf, tag_bytes
from ..dicom.sources import Source
from .memory import Note
from .pattern_values import QuickOutcome, SlotOutcome
from .pattern_workbench import Slot, Trial, Workbench

REMEMBERED = 1 << 8
"""So many outcomes of an element that differs are kept."""

HEAD = 12
"""The bytes of a sequence before its first item."""

NOTHING_TOLD = FileSurvey({}, frozenset(), {}, {})
"""The survey of what is told with something else."""


class _ItemStep(NamedTuple):
    """A change of what items have in common; it may reach over elements that differ.

    Attributes:
        start: the stretch that it starts in, and how far into it.
        stop: likewise, where it stops.
        data: the new bytes.
    """

    start: tuple[int, int]
    stop: tuple[int, int]
    data: bytes


@dataclass(slots=True)
class LeafSlot:
    """An element that differs from item to item and that it matters what it holds.

    Attributes:
        leaf: it, in the item of the outline of the form.
        gap: which gap between stretches holds its length and value.
        head: what is before its length, with the sequences around it.
        tail: what is after its value.
        slot: it, for the workbench.
        is_gone: whether it goes with what is around it.
        known: what becomes of it, by its value; the edits count from where its tag begins.
        quick: what becomes of it where it is one UID, or one date and time; None for anything else.
        like: what became of it once, where that is known of others like it.
    """

    leaf: ItemLeaf
    gap: int
    head: bytes
    tail: bytes
    slot: Slot
    is_gone: bool
    known: dict[bytes, SlotOutcome] = field(default_factory=dict)
    quick: QuickOutcome | None = None
    like: SlotOutcome | None = None

    def outcome(self, value: bytes, bench: Workbench) -> SlotOutcome | None:
        """What becomes of it with a value; None where that is up to more."""
        found = self.known.get(value)
        if found is not None:
            return found
        length = len(value).to_bytes(2, "little")
        made = None
        if self.quick is not None:
            own = self.head[-6:] + length + value
            made = self.quick.outcome(own)
            if made is not None:
                if not bench.is_apart(self.quick.said(own)):
                    return None
                made = bench.told(made, self.like, self.leaf.tag)
        made = made or self._tried(self.head + length + value + self.tail, bench)
        if made is None:
            return None
        if len(self.known) >= REMEMBERED:
            self.known.clear()
        self.known[value] = made
        return made

    def _tried(self, stored: bytes, bench: Workbench) -> SlotOutcome | None:
        """What becomes of it, found out on the workbench."""
        made = bench.outcome(self.slot, stored)
        if made is None or self.is_gone:
            return made and SlotOutcome((), 0, -1, survey=made.survey and NOTHING_TOLD)
        start, stop = len(self.head) - 6, len(stored) - len(self.tail)
        if any(first < start or last > stop for first, last, _ in made.edits):
            return None
        edits = tuple((first - start, last - start, data) for first, last, data in made.edits)
        made = SlotOutcome(edits, made.growth, made.kind, made.originals, survey=made.survey)
        if not self.known:
            self.quick, self.like = bench.quick(self.leaf.tag, self.leaf.vr, stored[start:stop], made), made
        return made


class FormChanges:
    """What becomes of the items of one form.

    Attributes:
        steps: the changes of what they have in common, and the slots, in order.
        lengths: the gaps with lengths that change with what is in them, and where that ends.
        notes: what was done to all but the slots.
        more: how many private elements went beside those noted.
        originals: the texts that were replaced, likewise.
        present: the tags that rules hit.
        own: what it says that texts are cleaned of, but for UIDs and times.
        survey: what is told of all but the slots; None where passes are not surveyed.
    """

    def __init__(self, form: ItemForm, tried: Trial, slots: Sequence[LeafSlot]) -> None:
        """Args:
        form: the form.
        tried: what became of the item of its outline.
        slots: the elements that differ and that it matters what they hold.

        Raises:
            ValueError: something changes that is a part of what differs.
        """
        self.form = form
        leaves = [slot.leaf for slot in slots if not slot.is_gone]
        own = [(leaf.start, leaf.stop) for leaf in leaves]
        lengths = {one.value - 4 for one in form.containers if one is not None}
        places: list[tuple[int, int, _ItemStep | LeafSlot]] = []
        removed: list[tuple[int, int]] = []
        for first, last, data in tried.edits:
            begin, end = first - HEAD, last - HEAD
            if any(one <= begin and end <= two for one, two in own) or begin in lengths:
                continue
            places.append((begin, end, _ItemStep(form.anchor(begin), form.anchor(end), data)))
            removed.append((begin, end))
        for slot in slots:
            places.append((slot.leaf.start, slot.leaf.stop, slot))
        self.steps = [step for _, _, step in sorted(places, key=lambda place: place[:2])]
        self.lengths = [
            (gap, form.anchor(one.stop))
            for gap, one in enumerate(form.containers)
            if one is not None and not any(a <= one.value - 4 < b for a, b in removed)
        ]
        start = tried.element.start + HEAD
        begins = {start + leaf.start for leaf in leaves}
        self.originals = [
            change.original
            for change in tried.changes
            if change.original and (change.element is None or change.element.start not in begins)
        ]
        self.notes: list[Note] = []
        self.more = 0
        self.present = tried.present
        self.own = tried.own
        self.survey: FileSurvey | None = None

    def take(
        self,
        starts: Sequence[int],
        source: Source,
        bench: Workbench,
        edits: list[Edit],
        outcomes: list[SlotOutcome],
    ) -> bool:
        """Take the changes of an item; whether they are known.

        Args:
            starts: where in the source its stretches begin.
            source: the bytes.
            bench: finds out what becomes of elements that differ.
            edits: takes the changes, in order.
            outcomes: takes what becomes of the slots.
        """
        read, sizes = source.read, self.form.sizes
        first = len(edits)
        for step in self.steps:
            if isinstance(step, _ItemStep):
                (one, begin), (two, end) = step.start, step.stop
                edits.append(Edit(starts[one] + begin, starts[two] + end, step.data))
                continue
            place = starts[step.gap] + sizes[step.gap]
            value = read(place + 2, starts[step.gap + 1])
            outcome = step.known.get(value) or step.outcome(value, bench)
            if outcome is None:
                return False
            outcomes.append(outcome)
            place -= 6
            for begin, end, data in outcome.edits:
                edits.append(Edit(place + begin, place + end, data))
        if self.lengths:
            edits[first:] = self._with_lengths(starts, source, edits[first:])
        return True

    def _with_lengths(self, starts: Sequence[int], source: Source, edits: list[Edit]) -> list[Edit]:
        found = [*edits]
        for gap, (number, offset) in self.lengths:
            begin, end = starts[gap + 1], starts[number] + offset
            growth = sum(edit.growth for edit in edits if begin <= edit.start and edit.stop <= end)
            if growth:
                found.append(length_edit(source, begin, growth))
        return in_order(found)


def leaf_slot_of(gap: int, leaf: ItemLeaf, *, is_gone: bool) -> LeafSlot:
    """A leaf that it matters what it holds, alone in the sequences around it."""
    head = b"".join(tag_bytes(tag) + OUTER for tag in leaf.path) + tag_bytes(leaf.tag) + leaf.vr.encode()
    slot = Slot(-1, leaf.path[0], "", is_private=False)
    return LeafSlot(leaf, gap, head, ENDS * len(leaf.path), slot, is_gone)


def length_edit(source: Source, value: int, growth: int) -> Edit:
    """The new length of a sequence or item that grows.

    Args:
        source: the bytes.
        value: where its value begins.
        growth: by how many bytes it grows.

    Raises:
        FileError: a length field cannot say it.
    """
    length = int.from_bytes(source.read(value - 4, value), "little") + growth
    if length >= UNDEFINED:
        raise FileError(f"a sequence would become longer than its length field at byte {value - 4} can say")
    return Edit(value - 4, value, length.to_bytes(4, "little"))
