"""What becomes of an element in which the files of a pattern differ, found out beside those in common alone.

The element is put into a data set that has no more than what its pattern does anew in each file. What becomes
of it can depend on nothing else then, and is remembered by its bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import FileError
from ..core.file_survey import PRIVATE
from ..core.outcome import Action
from ..dicom.dictionary import SOP_INSTANCE_UID
from ..dicom.element_scanner import ElementScanner
from ..dicom.elements import EXPLICIT_LITTLE, Element, Stretch
from ..dicom.file import DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scope import Reading
from ..dicom.sources import BytesSource
from ..spec.function_types import Resources
from ..spec.hash_functions import new_uid
from ..spec.rules import Rule
from ..spec.templates import SELF_SOURCE
from .memory import Memory, Note
from .pattern_pass import apart, said_in
from .rule_index import Lookups
from .substitution import Substitution
from .utf8_switch import CannotHold

if TYPE_CHECKING:
    from ..text.fleeting import Handles
    from .file_cleaner import FileCleaner

REMEMBERED = 32
"""So many outcomes of an element are kept."""

_ONE_UID = re.compile(rb"([0-9.]{1,64})\0?")

LONGEST = 1 << 12
"""What becomes of longer elements is not found out here."""


class SlotOutcome(NamedTuple):
    """What becomes of an element that differs.

    Attributes:
        edits: (where in it the change starts and stops, the new bytes), in order.
        growth: by how many bytes it grows.
        kind: the number of what was noted, see ``Workbench.kinds``.
        originals: the texts that were replaced and that a path may hold.
        texts: the new texts of a SOP instance UID.
    """

    edits: tuple[tuple[int, int, bytes], ...]
    growth: int
    kind: int
    originals: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class UidOutcome(NamedTuple):
    """What becomes of an element that is one UID, whose rule makes another of it.

    Attributes:
        kind: the number of what is noted.
        resources: what the rule makes it with.
    """

    kind: int
    resources: Resources

    @classmethod
    def of(
        cls, slot: Slot, rule: Rule | None, resources: Resources, stored: bytes, found: SlotOutcome
    ) -> UidOutcome | None:
        """That of an element; None where it is something else.

        Args:
            slot: which it is.
            rule: the rule that hits it.
            resources: what rules make new values with.
            stored: its bytes in one file.
            found: what became of them there.
        """
        template = rule.template if rule is not None else None
        if slot.vr != "UI" or template is None or len(template.parts) != 1 or template.functions != {"uid"}:
            return None
        (directive,) = template.directives
        if directive.source not in ((SELF_SOURCE,), (slot.tag,)) or directive.arguments or directive.seed:
            return None
        own = cls(found.kind, resources)
        return own if own.outcome(stored) == found else None

    def outcome(self, stored: bytes) -> SlotOutcome | None:
        """What becomes of an element with these bytes; None for more than one UID, or one that stays."""
        match = _ONE_UID.fullmatch(stored, 8)
        if match is None:
            return None
        text = match[1].decode()
        new = new_uid(self.resources.secret, text, self.resources.uid_root)
        if new == text:
            return None
        data = (
            stored[:6]
            + (len(new) + len(new) % 2).to_bytes(2, "little")
            + new.encode()
            + b"\0" * (len(new) % 2)
        )
        return SlotOutcome(((0, len(stored), data),), len(data) - len(stored), self.kind, (text,), (new,))


@dataclass(slots=True)
class Slot:
    """An element that differs.

    Attributes:
        number: which it is among those of the pattern that differ.
        tag: its tag.
        vr: its VR; "" where it has to be scanned.
        is_private: whether it goes as it is private.
        known: what became of it, by its bytes.
        uid: what becomes of it where it is one UID that is replaced by another; None for anything else.
        present: the tags that rules hit in it; None as long as that is not known.
        own: what it says that texts are cleaned of, but for UIDs and times.
    """

    number: int
    tag: int
    vr: str
    is_private: bool
    known: dict[bytes, SlotOutcome] = field(default_factory=dict)
    uid: UidOutcome | None = None
    present: frozenset[int] | None = None
    own: tuple[object, ...] | None = None


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
    ) -> None:
        """Args:
        lookups: the spec.
        memory: what earlier passes found out.
        scan_filter: what a scan keeps.
        reading: how text is read of which a file does not say how.
        common: the elements in common that are done anew in each file, each with its bytes.
        cleaning: what texts are cleaned of in a file that fits, and what in them UIDs and times may be at.
        """
        self.filter = scan_filter
        self.handles = cleaning[1] if cleaning else None
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
        self._removed = self._kind((memory.note(PRIVATE, Action.REMOVED),), 0)

    def removed(self, size: int) -> SlotOutcome:
        """What becomes of a private element of so many bytes."""
        return SlotOutcome(((0, size, b""),), -size, self._removed)

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
        if slot.uid is not None:
            quick = slot.uid.outcome(stored)
            if quick is not None:
                return None if self._may_be_in_common(frozenset((("UI", quick.originals[0]),))) else quick
        made, start = self._made, len(self._common)
        self._place(stored)
        element = self._element(slot, start, start + len(stored))
        if element is None:
            return None
        mark = made.changes.mark()
        if self._asked is not None:
            self._asked.taken()
        made.present = set()
        made.root.elements[slot.tag] = element
        try:
            made.data_set([element], made.root)
            if made.maker.is_lost or not self._is_up_to_itself(slot, element):
                return None
            outcome = self._noted(element, mark)
        except (FileError, CannotHold):
            return None
        finally:
            del made.root.elements[slot.tag]
            made.changes.forget()
            made.maker.unheld.clear()
            made.maker.misses.clear()
            self._place(b"")
        if outcome is not None:
            if not slot.known:
                rule = made.rules.table.get(slot.tag)
                slot.uid = UidOutcome.of(slot, rule, made.rules.resources, stored, outcome)
            if len(slot.known) >= REMEMBERED:
                slot.known.clear()
            slot.known[stored] = outcome
        return outcome

    def _place(self, stored: bytes) -> None:
        self._source.data = self._common + stored
        self._source.size = len(self._source.data)

    def _element(self, slot: Slot, start: int, stop: int) -> Element | None:
        if slot.vr:
            return Element(slot.tag, slot.vr, start, start + 8, stop, stop)
        scanner = ElementScanner(self._source, self.filter, 0)
        try:
            element, end = scanner.element(start, stop, EXPLICIT_LITTLE, 0)
        except FileError:
            return None
        return None if scanner.is_in_doubt or end != stop else element

    def _is_up_to_itself(self, slot: Slot, element: Element) -> bool:
        """Whether nothing else depends on it, and it on no UID or time."""
        present = frozenset(self._made.present)
        if slot.present is None:
            slot.present = present
        if slot.present != present:
            return False
        if self._asked is None:
            return True
        texts, is_held = self._asked.taken()
        own, fleeting = apart(said_in(self._made, [element], with_meta=False))
        if slot.own is None:
            slot.own = own
        return not (texts or is_held or slot.own != own or self._may_be_in_common(fleeting))

    def _may_be_in_common(self, fleeting: frozenset[tuple[str, str]]) -> bool:
        """Whether a text in common may hold one of some UIDs and times."""
        if self.handles is None:
            return False
        from ..text.fleeting import Fleeting  # noqa: PLC0415  (for clean options alone)

        return Fleeting(fleeting).may_be_at(self.handles)

    def _noted(self, element: Element, mark: tuple[int, int, int]) -> SlotOutcome | None:
        changes, start = self._made.changes, element.start
        edits: list[tuple[int, int, bytes]] = []
        for edit in sorted(changes.edits, key=lambda edit: edit[:2]):
            if not isinstance(edit.data, bytes) or edit.start < start or edit.stop > element.end:
                return None
            edits.append((edit.start - start, edit.stop - start, edit.data))
        noted = changes.since(mark)
        texts: tuple[str, ...] = ()
        for one in noted:
            if one.note[0] == SOP_INSTANCE_UID and one.scope is self._made.root:
                texts = one.texts
        return SlotOutcome(
            tuple(edits),
            sum(len(data) - last + first for first, last, data in edits),
            self._kind(tuple(one.note for one in noted), changes.mark()[2] - mark[2]),
            tuple(one.original for one in noted if one.original),
            texts,
        )

    def _kind(self, notes: tuple[Note, ...], more: int) -> int:
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
