"""What becomes of an element in which the files of a pattern differ, found out beside those in common alone.

The element is put into a data set that has no more than what its pattern does anew in each file. What becomes
of it can depend on nothing else then, and is remembered by its bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import FileError
from ..core.file_survey import PRIVATE, FileSurvey
from ..core.outcome import Action
from ..dicom.dictionary import SOP_INSTANCE_UID
from ..dicom.element_scanner import ALL, ElementScanner
from ..dicom.elements import EXPLICIT_LITTLE, Element, Stretch
from ..dicom.file import DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scope import Reading
from ..dicom.sources import BytesSource
from .changes import Change
from .memory import Memory, Note
from .pattern_said import apart, said_in
from .pattern_values import QuickOutcome, SlotOutcome, quick_outcome
from .rule_index import Lookups
from .substitution import Substitution
from .utf8_switch import CannotHold

if TYPE_CHECKING:
    from ..text.fleeting import Handles
    from .file_cleaner import FileCleaner
    from .original_pairs import OriginalPair
    from .surveyor import Surveyor

REMEMBERED = 32
"""So many outcomes of an element are kept."""

APART_MOST = 1 << 10
"""For so many UIDs and times it is kept whether a text in common may hold them."""

LONGEST = 1 << 12
"""What becomes of longer elements is not found out here."""


class Trial(NamedTuple):
    """What became of an element on the bench.

    Attributes:
        element: the element, as it lay there; what a scan keeps of its items was entered.
        edits: as of ``SlotOutcome``.
        changes: what was noted.
        more: how many private elements went beside those noted.
        present: the tags that rules hit in it.
        own: what it says that texts are cleaned of, but for UIDs and times.
        pair: as of ``SlotOutcome``.
        survey: likewise.
    """

    element: Element
    edits: tuple[tuple[int, int, bytes], ...]
    changes: list[Change]
    more: int
    present: frozenset[int]
    own: tuple[object, ...] | None
    pair: OriginalPair | None = None
    survey: FileSurvey | None = None


@dataclass(slots=True)
class Slot:
    """An element that differs.

    Attributes:
        number: which it is among those of the pattern that differ.
        tag: its tag.
        vr: its VR; "" where it has to be scanned.
        is_private: whether it goes as it is private.
        known: what became of it, by its bytes.
        quick: what becomes of it where it is one UID, or one date and time; None for anything else.
        present: the tags that rules hit in it; None as long as that is not known.
        own: what it says that texts are cleaned of, but for UIDs and times.
        like: what became of it once, where that is known of others like it.
    """

    number: int
    tag: int
    vr: str
    is_private: bool
    known: dict[bytes, SlotOutcome] = field(default_factory=dict)
    quick: QuickOutcome | None = None
    present: frozenset[int] | None = None
    own: tuple[object, ...] | None = None
    like: SlotOutcome | None = None


class Workbench:
    """Finds out what becomes of elements that differ.

    Attributes:
        kinds: what was noted of outcomes, and how many private elements went beside: each once.
    """

    def __init__(
        self,
        lookups: Lookups,
        memory: Memory,
        scan_filter: ScanFilter,
        reading: Reading,
        common: Iterable[tuple[Element, bytes]],
        cleaning: tuple[FileCleaner, Handles] | None,
        paired: Collection[int] = (),
        surveyor: Surveyor | None = None,
    ) -> None:
        """Args:
        lookups: the spec.
        memory: what earlier passes found out.
        scan_filter: what a scan keeps.
        reading: how text is read of which a file does not say how.
        common: the elements in common that are done anew in each file, each with its bytes.
        cleaning: what texts are cleaned of in a file that fits, and what in them UIDs and times may be at.
        paired: the tags of elements of which the original and the new values are told.
        surveyor: surveys passes; None where nobody asks.
        """
        self.filter = scan_filter
        self._paired = paired
        self._surveyor = surveyor
        self.handles = cleaning[1] if cleaning else None
        self._apart: dict[tuple[str, str], bool] = {}
        self.kinds: list[tuple[tuple[Note, ...], int]] = []
        self._numbers: dict[tuple[tuple[Note, ...], int], int] = {}
        elements, stored = _placed(common)
        self._common = stored
        self._source = BytesSource(stored)
        data = Stretch(self._source, 0, len(stored), EXPLICIT_LITTLE)
        file = DicomFile(self._source, [], 0, 0, data)
        self._made = Substitution(lookups, memory, file, elements, reading=reading)
        self._asked = None
        if cleaning is not None:
            self._made.maker.take_cleaner(cleaning[0])
            self._asked = cleaning[0].watched()
        removal = Change(memory.note(PRIVATE, Action.REMOVED), self._made.root)
        self._removed = self.kind((removal.note,), 0)
        self._survey_of_removed = self._survey_of([removal])

    def removed(self, size: int) -> SlotOutcome:
        """What becomes of a private element of so many bytes."""
        return SlotOutcome(((0, size, b""),), -size, self._removed, survey=self._survey_of_removed)

    def outcome(self, slot: Slot, stored: bytes) -> SlotOutcome | None:
        """What becomes of an element.

        Args:
            slot: which it is.
            stored: its bytes.

        Returns:
            None where that is up to more than its bytes and what is in common.
        """
        if len(stored) > LONGEST:
            return None
        if slot.quick is not None:
            made = slot.quick.outcome(stored)
            if made is not None:
                return (
                    self.told(made, slot.like, slot.tag) if self.is_apart(slot.quick.said(stored)) else None
                )
        tried = self.trial(slot.tag, slot.vr, stored)
        outcome = self._noted(tried, slot) if tried is not None else None
        if outcome is not None:
            if not slot.known:
                slot.quick, slot.like = self.quick(slot.tag, slot.vr, stored, outcome), outcome
            if len(slot.known) >= REMEMBERED:
                slot.known.clear()
            slot.known[stored] = outcome
        return outcome

    def quick(self, tag: int, vr: str, stored: bytes, found: SlotOutcome) -> QuickOutcome | None:
        """What becomes of other elements with a tag and a VR, as of ``quick_outcome``.

        Args:
            tag: the tag.
            vr: the VR.
            stored: the bytes of one of them.
            found: what became of it.

        Returns:
            None, too, for what could not be told of others as passes tell it.
        """
        rules = self._made.rules
        if tag >> 16 & 1 or tag >> 16 in rules.groups:
            return None
        quick = quick_outcome(tag, vr, rules.table.get(tag), rules.resources, stored, found)
        if quick is None or not (self._paired or self._surveyor):
            return quick
        made = quick.outcome(stored)
        told = None if made is None else self.told(made, found, tag)
        return quick if told is not None and told._replace(texts=found.texts) == found else None

    def is_apart(self, said: tuple[str, str]) -> bool:
        """Whether no text in common may hold a UID or a time."""
        known = self._apart.get(said)
        if known is None:
            if len(self._apart) >= APART_MOST:
                self._apart.clear()
            known = self._apart[said] = not self._may_be_in_common(frozenset((said,)))
        return known

    def trial(self, tag: int, vr: str, stored: bytes) -> Trial | None:
        """What becomes of an element, as far as that is up to its bytes and what is in common.

        Args:
            tag: its tag.
            vr: its VR; "" where it has to be scanned.
            stored: its bytes.

        Returns:
            None where it depends on a UID or a time, or where a UID or a time of it may be in another text.
        """
        made, start = self._made, len(self._common)
        self._place(stored)
        element = self._element(tag, vr, start, start + len(stored))
        if element is None:
            return None
        mark = made.changes.mark()
        if self._asked is not None:
            self._asked.taken()
        made.present = set()
        made.root.elements[tag] = element
        try:
            made.data_set([element], made.root)
            if made.maker.is_lost:
                return None
            own, is_alone = self._said(element)
            edits = self._edits(element)
            if not is_alone or edits is None:
                return None
            more = made.changes.mark()[2] - mark[2]
            changes = made.changes.since(mark)
            pair, survey = self._pair_of(tag), self._survey_of(changes)
            return Trial(element, edits, changes, more, frozenset(made.present), own, pair, survey)
        except (FileError, CannotHold):
            return None
        finally:
            del made.root.elements[tag]
            made.changes.forget()
            made.application.outcomes.forget_items()
            made.maker.unheld.clear()
            made.maker.misses.clear()
            self._place(b"")

    def _place(self, stored: bytes) -> None:
        self._source.data = self._common + stored
        self._source.size = len(self._source.data)

    def _element(self, tag: int, vr: str, start: int, stop: int) -> Element | None:
        if vr:
            return Element(tag, vr, start, start + 8, stop, stop)
        scanner = ElementScanner(self._source, self.filter, 0)
        scanner.entered = ALL
        try:
            element, end = scanner.element(start, stop, EXPLICIT_LITTLE, 0)
        except FileError:
            return None
        return None if scanner.is_in_doubt or end != stop else element

    def _said(self, element: Element) -> tuple[tuple[object, ...] | None, bool]:
        """What an element says but for UIDs and times, and whether these are of no matter to any text."""
        if self._asked is None:
            return None, True
        texts, is_held = self._asked.taken()
        own, fleeting = apart(said_in(self._made, [element], with_meta=False))
        return own, not (texts or is_held or self._may_be_in_common(fleeting))

    def _may_be_in_common(self, fleeting: frozenset[tuple[str, str]]) -> bool:
        """Whether a text in common may hold one of some UIDs and times."""
        if self.handles is None:
            return False
        from ..text.fleeting import Fleeting  # noqa: PLC0415  (for clean options alone)

        return Fleeting(fleeting).may_be_at(self.handles)

    def _edits(self, element: Element) -> tuple[tuple[int, int, bytes], ...] | None:
        """What changes in an element; None where something else does, or by more than bytes."""
        start = element.start
        edits: list[tuple[int, int, bytes]] = []
        for edit in sorted(self._made.changes.edits, key=lambda edit: edit[:2]):
            if not isinstance(edit.data, bytes) or edit.start < start or edit.stop > element.end:
                return None
            edits.append((edit.start - start, edit.stop - start, edit.data))
        return tuple(edits)

    def _noted(self, tried: Trial, slot: Slot) -> SlotOutcome | None:
        """The outcome of a trial; None where rules hit, or it says, something else than before."""
        if slot.present is None:
            slot.present, slot.own = tried.present, tried.own
        if (slot.present, slot.own) != (tried.present, tried.own):
            return None
        texts: tuple[str, ...] = ()
        for one in tried.changes:
            if one.note[0] == SOP_INSTANCE_UID and one.scope is self._made.root:
                texts = one.texts
        return SlotOutcome(
            tried.edits,
            sum(len(data) - last + first for first, last, data in tried.edits),
            self.kind(tuple(one.note for one in tried.changes), tried.more),
            tuple(one.original for one in tried.changes if one.original),
            texts,
            tried.pair,
            tried.survey,
        )

    def told(self, outcome: SlotOutcome, like: SlotOutcome | None, tag: int) -> SlotOutcome:
        """The outcome of one UID or time, with what passes tell of it, as they told of another."""
        if like is None or not (self._paired or self._surveyor):
            return outcome
        original, text = outcome.originals[0], outcome.texts[0]
        pair, part = like.pair, like.survey
        rule = self._made.rules.table.get(tag)
        if part is not None and self._surveyor is not None and rule is not None:
            part = self._surveyor.replaced(part, rule, original, text)
        edits, growth, kind, originals, texts, _, _ = outcome
        return SlotOutcome(
            edits, growth, kind, originals, texts, pair and (pair[0], original, text), part
        )  # as of _replace, which takes longer

    def _survey_of(self, changes: Iterable[Change]) -> FileSurvey | None:
        """The part of a survey of some changes, where passes are surveyed."""
        return None if self._surveyor is None else self._surveyor.part_of(self._made, changes)

    def _pair_of(self, tag: int) -> OriginalPair | None:
        """The original and the new value of what was noted, where somebody asks."""
        if tag not in self._paired:
            return None
        from .original_pairs import pair_of  # noqa: PLC0415  (only where somebody asks)

        return pair_of(tag, self._made.root, self._made.changes)

    def kind(self, notes: tuple[Note, ...], more: int) -> int:
        """The number of what was noted."""
        number = self._numbers.setdefault((notes, more), len(self.kinds))
        if number == len(self.kinds):
            self.kinds.append((notes, more))
        return number


def _placed(common: Iterable[tuple[Element, bytes]]) -> tuple[list[Element], bytes]:
    """Elements one after the other, and their bytes."""
    elements: list[Element] = []
    stored = b""
    for element, own in common:
        start = len(stored)
        moved = start - element.start
        value, stop, end = element.value + moved, element.stop + moved, element.end + moved
        elements.append(Element(element.tag, element.vr, start, value, stop, end, element.defined))
        stored += own
    return elements, stored
