"""One pass over one file: the rules applied to its data set, then to its file meta.

Only what a rule hits is decoded and written anew.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..core.errors import FileError
from ..core.file_survey import PRIVATE
from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.character_sets import REPLACEMENT, UTF8, CharacterSet, is_plain
from ..dicom.dicomdir import offset_edits, records_above
from ..dicom.dictionary import (
    DIRECTORY_RECORD_SEQUENCE,
    REFERENCED_FILE_ID,
    SPECIFIC_CHARACTER_SET,
    TYPE_1,
    TYPE_2,
    label_of,
)
from ..dicom.edits import Edit, in_order
from ..dicom.elements import IMPLICIT_LITTLE, UNDEFINED, Element, Encoding, Item, Stretch
from ..dicom.embedded_overlays import CELL, PIXEL_DATA, ClearedBits, described, kept_bits, position_of
from ..dicom.file import PREAMBLE, PREFIX, DicomFile
from ..dicom.file_ids import FileIds
from ..dicom.file_meta import CURE, META_GROUP
from ..dicom.free_text import FREE_TEXT_VRS, is_free_text
from ..dicom.lengths import has_lengths, length_edits
from ..dicom.scan_filter import EVERYTHING, ScanFilter
from ..dicom.scanner import place_for, scan
from ..dicom.scope import AS_DECLARED, META_KEY, Reading, Scope, is_creator
from ..dicom.values import BINARY_VRS, CHARSET_VRS, Value, can_hold, decode, encode_element, encode_raw, fit
from ..spec.content_items import (
    CODE_VALUES,
    CODING_SCHEME,
    CONCEPT_NAME,
    CONTENT_SEQUENCE,
    NUMBERS,
    VALUE_TYPE,
    VALUES,
    Concept,
    stronger,
)
from ..spec.functions import NOTHING_LEFT
from ..spec.rules import Literal as LiteralElement
from ..spec.rules import Rule
from ..spec.templates import SELF_SOURCE, Template
from .literal_items import encode_items
from .memory import LOCAL_MOST, Memory, Note, Outcome, Result
from .patched import Patched
from .pixel_review import reason_to_review
from .rule_index import DUMMY, EMPTY, Lookups
from .utf8_switch import CannotHold

if TYPE_CHECKING:
    from .file_cleaner import FileCleaner


VAST = 1 << 16
"""Elements longer than this, such as pixel data to be emptied, are not read for nothing."""

PATH_VRS = frozenset({"AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UT"})
PATH_MOST = 128
"""What the path of an output is searched for: values of these VRs, up to so many bytes."""


_PIXELS = ScanFilter({PIXEL_DATA, *CELL}, ())

CODE_MEANING = 0x00080104

FOLLOWING = {
    dictionary.SOP_INSTANCE_UID: dictionary.MEDIA_STORAGE_SOP_INSTANCE_UID,
    dictionary.SOP_CLASS_UID: dictionary.MEDIA_STORAGE_SOP_CLASS_UID,
}
"""What the file meta repeats of the data set (PS3.10 7.1)."""

FOLLOWERS = frozenset(FOLLOWING.values())

_FOLLOWED = {follower: source for source, follower in FOLLOWING.items()}

_NO_TEXTS = frozenset({SPECIFIC_CHARACTER_SET, REFERENCED_FILE_ID})
"""Code Strings that other rules look after, however they are written."""


_UNSURE_VRS = frozenset({"UN", "SQ", "OB", "OW"})
"""VRs under which other things may stand."""

_UNSET: dict[tuple[object, ...], Outcome] = {}
"""Stands for what was not asked for yet."""


def _is_blind(template: Template, element: Element, scope: Scope) -> bool:
    """Whether a template makes the same of every value that is not empty."""
    if template.is_constant or template.functions == {"empty"}:
        return True
    return template.functions == {"dummy"} and scope.vr(element) in BINARY_VRS


def _numbers(scope: Scope, tags: Iterable[int]) -> dict[int, int]:
    """The first numbers of elements of VR US, as far as the data set has them."""
    order: Literal["little", "big"] = "little" if scope.encoding.little else "big"
    return {
        tag: int.from_bytes(scope.raw(scope.elements[tag])[:2], order)
        for tag in tags
        if tag in scope.elements and scope.elements[tag].stop - scope.elements[tag].value >= 2
    }


Found = tuple[Element, Scope] | None


class Made(NamedTuple):
    """A new element: its bytes, its texts, and what was done."""

    data: bytes
    texts: tuple[str, ...]
    action: Action


class Substitution:
    """One pass over one file; it is used once."""

    def __init__(
        self,
        lookups: Lookups,
        memory: Memory,
        file: DicomFile,
        elements: list[Element],
        switched: frozenset[int] = frozenset(),
        file_ids: FileIds | None = None,
        reading: Reading = AS_DECLARED,
    ) -> None:
        """Args:
        lookups: the spec.
        memory: what earlier passes found out.
        file: the file.
        elements: what was scanned of it.
        switched: the keys of the data sets that are to declare UTF-8.
        file_ids: the new File IDs of a DICOMDIR; None where none changes.
        reading: how text is read of which the file does not say how.
        """
        self.lookups = lookups
        self.rules = lookups.rules
        self.memory = memory
        self.file = file
        self.elements = elements
        self.switched = switched
        self.file_ids = file_ids
        self.notes: list[Note] = []
        self.edits: list[Edit] = []
        self.present: set[int] = set()
        self.originals: list[str] = []
        self.pixel_edits: tuple[Edit, ...] = ()
        self.unheld: dict[int, int] = {}
        self.private_removed = 0
        self._cleaner: FileCleaner | None = None
        self._removed_group = -1
        self._content: dict[int, Rule | None] = {}
        self._outcomes: dict[int, dict[tuple[object, ...], Outcome] | None] = {}
        self._context: tuple[object, ...] = ()
        data = file.data
        self.meta = Scope(file.source, file.meta, file.meta_encoding, META_KEY)
        self.root = Scope(data.source, elements, data.encoding, data.start, reading=reading)
        self.meta.beyond, self.root.beyond = self.root, self.meta
        self.root_texts: dict[int, tuple[str, ...]] = {}

    def root_value(self, tags: tuple[int, ...]) -> Value | None:
        """The value of a source as the root sees it; None where the file lacks it."""
        found = self.root.find(tags)
        return found[1].value(found[0]) if found else None

    def patched(self) -> Patched:
        """Apply the rules to the data set, then to the file meta."""
        data = self.file.data
        self._data_set(self.elements, self.root)
        review = self._clear_overlays() if self.lookups.overlays else ""
        if self.pixel_edits:
            self._clean_pixels()
        inserted = self._insertions()
        if (self.edits or inserted) and has_lengths(self.elements):
            self.edits += [*length_edits(self.elements, data, self.edits, inserted)]
        self.edits += [edit for _, edit in inserted]
        data_edits = in_order(self.edits)
        self.edits = []
        self._preamble()
        self._meta()
        if self.unheld:
            raise CannotHold(self.unheld)
        meta_edits = in_order(self.edits)
        if self._is_directory and (data_edits or meta_edits):
            if self.file.deflated:
                raise FileError("a DICOMDIR is never deflated (PS3.10 8.6)")
            every = [*meta_edits, *data_edits]
            data_edits = in_order([*data_edits, *offset_edits(data, every)])
        removed = self.memory.note(PRIVATE, Action.REMOVED)
        counts = self.memory.counts(self.notes, removed, self.private_removed)
        originals = tuple(dict.fromkeys(filter(None, self.originals)))
        if self.lookups.claims:
            review = review or reason_to_review(self.root)
        if self.file.deflated:
            return Patched(meta_edits, data_edits, counts, originals, review)
        return Patched(meta_edits + data_edits, [], counts, originals, review)

    @property
    def _is_directory(self) -> bool:
        return dictionary.FIRST_RECORD_OFFSET in self.root.elements

    def rule_for(self, element: Element, scope: Scope) -> Rule | None:
        """The strongest rule that hits an element of a data set; None if none does."""
        tag = element.tag
        group = tag >> 16
        rule = self._private_rule(element, scope) if group & 1 else self.rules.table.get(tag)
        if rule is None and group in self.rules.groups and tag & 0xFFFF:
            if tag in dictionary.NEVER_BY_PATTERN:
                return None
            rule = self.rules.groups[group]
            # A creator that is not removed with its elements says whose they are.
            if is_creator(tag) and rule.template is not None:
                return None
        if self.lookups.content and tag in VALUES:
            return stronger(rule, self._value_rule(tag, scope))
        return rule

    def content_rule(self, scope: Scope) -> Rule | None:
        """The rule for a data set as a content item; None if it is none, or no key names it."""
        if CONCEPT_NAME not in scope.elements or scope.parent is None or scope.is_record:
            return None
        if scope.key not in self._content:
            own = scope.elements.get(VALUE_TYPE)
            value_type = scope.raw(own).decode("latin-1").strip(" \0") if own is not None else ""
            self._content[scope.key] = self.lookups.content.find(self._concept(scope), value_type)
        return self._content[scope.key]

    def _value_rule(self, tag: int, scope: Scope) -> Rule | None:
        """The rule for the content item that an element is a value of."""
        if tag in NUMBERS and CONCEPT_NAME not in scope.elements and scope.parent is not None:
            scope = scope.parent  # MeasuredValueSequence is between them
        rule = self.content_rule(scope)
        return None if rule is None or rule.template is None else rule

    def _concept(self, scope: Scope) -> Concept:
        """The concept name of a content item; empty where it has no code."""
        element = scope.elements[CONCEPT_NAME]
        stored = scope.source.read(element.start, element.end)
        key = stored, scope.encoding
        known = self.memory.concepts.get(key)
        if known is None:
            codes = {code.tag: code for code in _first_item(element, scope)}
            texts = {
                tag: scope.source.read(code.value, code.stop).decode("latin-1").strip(" \0")
                for tag, code in codes.items()
                if tag in CODE_VALUES or tag == CODING_SCHEME
            }
            values = [texts[tag] for tag in CODE_VALUES if texts.get(tag)]
            known = values[0] if values else "", texts.get(CODING_SCHEME, "").casefold()
            self.memory.add_concept(key, known)
        return known

    def is_removed(self, element: Element, rule: Rule | None) -> bool:
        """Whether an element goes because private or unknown ones do, as no rule names it."""
        if rule is not None:
            return False
        if element.tag >> 16 & 1:
            return self.rules.remove_private
        return self.rules.remove_unknown and dictionary.is_unknown(element.tag)

    def is_item_removed(self, scope: Scope) -> bool:
        """Whether an item goes, as a rule for its concept says so."""
        rule = self.content_rule(scope) if self.lookups.content else None
        return rule is not None and rule.template is None

    def _data_set(self, elements: Sequence[Element], scope: Scope) -> int:
        """Apply the rules to one data set; returns by how many bytes it grew."""
        growth = 0
        table, groups = self.rules.table, self.rules.groups
        remove_private = self.rules.remove_private
        remove_unknown = self.rules.remove_unknown
        content = self.lookups.content
        texts = self.rules.texts
        needed = self._needed_creators(elements, scope) if self.lookups.creators_matter else ()
        if self.lookups.drops_private:
            elements, growth = self._without_private(elements)
        for element in elements:
            tag = element.tag
            group = tag >> 16
            rule = self.rule_for(element, scope) if group & 1 or group in groups else table.get(tag)
            if content and tag in VALUES:
                rule = stronger(rule, self._value_rule(tag, scope))
            if rule is not None:
                self.present.add(tag)
            if tag in needed and scope.elements[tag] is element and element.vr != "SQ":
                continue
            if rule is None and group & 1 and remove_private:
                growth += self._remove_private(element)
            elif rule is not None and not (rule.keeps or (element.vr == "SQ" and rule.walks)):
                growth += self._apply(rule, element, scope)
            elif rule is None and remove_unknown and dictionary.is_unknown(tag):
                growth += self._remove_unknown(element)
            elif element.items:
                growth += self._items(element, scope)
            elif tag == SPECIFIC_CHARACTER_SET and scope.key in self.switched:
                growth += self._replace(element, self._declared(scope, UTF8.terms, Action.SUBSTITUTED))
            elif tag == SPECIFIC_CHARACTER_SET and scope.is_assumed and scope.elements[tag] is element:
                data = self._declared(scope, scope.characters.terms, Action.SUBSTITUTED)
                growth += self._replace(element, data)
            elif tag == SPECIFIC_CHARACTER_SET and self.lookups.claims:
                scope.check_declaration(element)
            elif tag == REFERENCED_FILE_ID and self.file_ids is not None and scope.is_record:
                growth += self._file_id(element, scope, self.file_ids)
            elif group == META_GROUP:
                raise FileError(
                    f"{dictionary.text_of(tag)} of the file meta stands in the data set, where no rule for "
                    f"the file meta reaches it; {CURE}"
                )
            elif texts is not None and rule is None:
                growth += self._clean(texts, element, scope)
        return growth

    def _clear_overlays(self) -> str:
        """Clear the overlays in unused bits of native pixels, where their group is removed.

        Returns:
            Why a person should look at the pixels, as they cannot be cleared; "" if they are.
        """
        positions = self._overlay_positions()
        if not positions or PIXEL_DATA in self.present:
            return ""
        scope = Scope(
            self.root.source, scan(self.file.data, _PIXELS), self.root.encoding, self.file.data.start
        )
        pixels = scope.elements.get(PIXEL_DATA)
        if pixels is None:
            return ""
        little = scope.encoding.little
        kept = kept_bits(positions, _numbers(scope, CELL), little=little)
        if kept is None or not pixels.defined:
            return "an overlay in its pixels could not be cleared"
        self.notes.append(self.memory.note(PIXEL_DATA, Action.SUBSTITUTED))
        self.edits.append(Edit(pixels.value, pixels.stop, ClearedBits(pixels.value, pixels.stop, kept)))
        return ""

    def _clean_pixels(self) -> None:
        """Take the changes of pixels that are cleaned, with overlays in unused bits cleared on the way."""
        first = self.pixel_edits[0]
        for index, edit in enumerate(self.edits):
            if isinstance(edit.data, ClearedBits) and edit.start <= first.start < edit.stop:
                del self.edits[index]
                break
        else:
            self.edits += self.pixel_edits
            self.notes.append(self.memory.note(PIXEL_DATA, Action.SUBSTITUTED))
            return
        from ..pixels.masked import MaskedPixels  # noqa: PLC0415  (where pixels are cleaned alone)

        assert isinstance(first.data, MaskedPixels)
        both = first.data.clearing(edit.data.kept)
        self.edits.append(Edit(both.start, both.stop, both))

    def _overlay_positions(self) -> set[int]:
        """The bits that overlays take whose group is removed."""
        found: set[int] = set()
        if self.lookups.overlay_tags.isdisjoint(self.root.elements):
            return found
        for group in self.lookups.overlays:
            tags = described(group)
            if tags[1] in self.root.elements:
                bit = position_of(
                    group, _numbers(self.root, tags[:2]), has_data=tags[2] in self.root.elements
                )
                found |= set() if bit is None else {bit}
        return found

    def _without_private(self, elements: Sequence[Element]) -> tuple[list[Element], int]:
        """Remove every private element of a data set; returns the others, and by how many bytes it grew.

        Those of one group that follow each other are one change; between two groups
        something may be inserted.
        """
        public: list[Element] = []
        removed = growth = 0
        start, stop, group = 0, 0, -1
        for element in elements:
            own = element.tag >> 16
            if not own & 1:
                public.append(element)
                continue
            if element.start != stop or own != group:
                if group >= 0:
                    self.edits.append(Edit(start, stop, b""))
                start, group = element.start, own
            growth += element.start - element.end
            stop = element.end
            removed += element.count
        if group >= 0:
            self.edits.append(Edit(start, stop, b""))
        self.private_removed += removed
        return public, growth

    def _needed_creators(self, elements: Sequence[Element], scope: Scope) -> set[int]:
        """The private creators of what is not removed (PS3.5 7.8.1)."""
        needed = set()
        for element in elements:
            tag = element.tag
            if tag >> 16 & 1 and tag & 0xF000:
                rule = self.rule_for(element, scope)
                if rule is not None and rule.template is not None:
                    needed.add(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
        return needed

    def _private_rule(self, element: Element, scope: Scope) -> Rule | None:
        """The rule of a private element: by its tag or by its creator, the stronger key wins."""
        tag = element.tag
        group, number = tag >> 16, tag & 0xFF
        by_tag = self.rules.table.get(tag)
        if (group, number) not in self.lookups.blocks or not tag & 0xFF00:
            return by_tag
        by_creator = self.lookups.private.get((group, scope.creator(tag), number))
        if by_tag is None or by_creator is None:
            return by_tag or by_creator
        return max(by_tag, by_creator, key=lambda rule: rule.index)

    def _remove_private(self, element: Element) -> int:
        """Remove a private element that no rule names, with those of its group just before it.

        Between two groups something may be inserted.
        """
        self.notes.append(self.memory.note(PRIVATE, Action.REMOVED))
        group = element.tag >> 16
        last = self.edits[-1] if self.edits else None
        if last and last.stop == element.start and not last.data and group == self._removed_group:
            self.edits[-1] = Edit(last.start, element.end, b"")
            return element.start - element.end
        growth = self._replace(element, b"")
        self._removed_group = group
        return growth

    def _remove_unknown(self, element: Element) -> int:
        """Remove a public element that no dictionary knows and no rule names."""
        self.notes.append(self.memory.note(element.tag, Action.REMOVED))
        return self._replace(element, b"")

    def _file_id(self, element: Element, scope: Scope, file_ids: FileIds) -> int:
        """Let a record name the output of its file; returns by how many bytes it grew."""
        texts = file_ids.renamed(scope.raw(element))
        if texts is None:
            return 0
        implicit, little = scope.encoding.implicit, scope.encoding.little
        self.notes.append(self.memory.note(element.tag, Action.SUBSTITUTED))
        return self._replace(
            element, encode_element(element.tag, "CS", texts, UTF8, implicit=implicit, little=little)
        )

    def _items(self, sequence: Element, scope: Scope, added: bytes = b"") -> int:
        """Apply the rules within a sequence, and add items at its end; returns by how many bytes it grew."""
        total = 0
        before = len(self.edits)
        for item, inner in scopes_of(sequence, scope):
            if not item.elements:
                continue
            if self.is_item_removed(inner):
                total += self._remove_item(item, inner, sequence)
                continue
            first = len(self.edits)
            growth = self._data_set(item.elements, inner)
            if len(self.edits) > first and has_lengths(item.elements):
                own = Stretch(scope.source, item.value, item.stop, item.encoding)
                self.edits += [*length_edits(item.elements, own, self.edits[first:], None)]
            if growth and item.defined:
                self._length(item.start + 4, item.stop - item.value + growth, item.encoding.little)
            total += growth
        if added:
            self.edits.append(Edit(sequence.stop, sequence.stop, added))
            total += len(added)
        if sequence.tag == CONTENT_SEQUENCE and total == sequence.value - sequence.stop and not added:
            del self.edits[before:]
            return self._replace(sequence, b"")  # it has items or is not there (PS3.3 C.17.3)
        if total and sequence.defined:
            length = sequence.stop - sequence.value + total
            self._length(sequence.value - 4, length, scope.encoding.little)
        return total

    def _remove_item(self, item: Item, scope: Scope, sequence: Element) -> int:  # noqa: ARG002
        """Remove a content item with all that is in it; returns by how many bytes the sequence grew."""
        self.notes.append(self.memory.note(sequence.tag, Action.REMOVED))
        self.edits.append(Edit(item.start, item.end, b""))
        self._removed_group = -1
        return item.start - item.end

    def _length(self, place: int, length: int, little: bool) -> None:
        if length >= UNDEFINED:
            raise FileError(f"a sequence would become longer than its length field at byte {place} can say")
        self.edits.append(Edit(place, place + 4, length.to_bytes(4, "little" if little else "big")))

    def _replace(self, element: Element, data: bytes) -> int:
        edit = Edit(element.start, element.end, data)
        self.edits.append(edit)
        self._removed_group = -1
        return edit.growth

    def _apply(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Apply a rule to the element that it hits; returns by how many bytes it grew."""
        if scope.is_record and (rule.template is None or rule.template.empties):
            if element.tag in TYPE_1:
                rule = DUMMY
            elif element.tag in TYPE_2:
                rule = EMPTY
        # A removal reads nothing, not even how text is read.
        outcomes = self._outcomes_of(scope) if rule.template is not None else self._outcomes.get(scope.key)
        key: tuple[object, ...] | None = None
        if outcomes is not None and self._is_simple(rule, element, scope):
            start = element.start
            stored = scope.source.read(start, element.end)
            finder = self._own_cleaner().for_tag(element.tag).steady if rule.cleans else None
            key = rule.index, element.tag, element.vr, element.value - start, stored, finder
            known = outcomes.get(key)
            if known is not None:
                self._note(known.note, known.texts, scope)
                if known.data is None:
                    return 0
                self.originals.append(known.original)
                return self._replace(element, known.data)
        if rule.walks and element.tag >> 16 & 1 and not is_free_text(scope.vr(element), scope.raw(element)):
            return 0  # a private element to be cleaned that is a number
        # What stamps an item says nothing of the file, and may say anything.
        adds = rule.adds and (scope.parent is None or element.tag not in dictionary.STAMPS)
        if adds and (element.vr == "SQ") == bool(rule.items):
            return (
                self._add_items(rule, element, scope) if rule.items else self._add_texts(rule, element, scope)
            )
        if rule.items and not rule.inserts and element.vr == "SQ" and element.stop == element.value:
            self._note(self.memory.note(element.tag, Action.EMPTIED), (), scope)
            return 0  # an empty value stays empty
        if rule.template is None:
            note, original = self.memory.note(element.tag, Action.REMOVED), self._short_text(element, scope)
            self._note(note, (), scope)
            self.originals.append(original)
            if key is not None:
                self.memory.add_outcome(self._context, key, Outcome(b"", note, (), original))
            return self._replace(element, b"")
        size = element.end - element.start
        is_vast = size > VAST and _is_blind(rule.template, element, scope)
        stop = element.value if is_vast else element.end
        stored = scope.source.read(element.start, stop)
        result = self._result(rule, rule.template, element.tag, scope, element, stored)
        self._note(result.note, result.texts, scope)
        # What UIDs and times do not matter to they may all the same when it was cut.
        if key is not None and not self.unheld and not (rule.cleans and stored != result.data):
            data = None if stored == result.data else result.data
            self.memory.add_outcome(
                self._context, key, Outcome(data, result.note, result.texts, result.original)
            )
        if stored != result.data:
            self.originals.append(result.original)
        if is_vast and size == len(result.data):
            stored = scope.source.read(element.start, element.end)
        return 0 if stored == result.data else self._replace(element, result.data)

    def _is_simple(self, rule: Rule, element: Element, scope: Scope) -> bool:
        """Whether what becomes of an element depends on its own bytes and the context alone."""
        vr = element.vr
        return not (
            element.items is not None
            or element.end - element.start > LOCAL_MOST
            or rule.adds
            or len(vr) != 2  # what it is is up to other elements
            or vr in _UNSURE_VRS
            or not element.defined
            or scope.is_record
            or (rule.cleans and not self._is_steady(rule, element, scope))
        )

    def _is_steady(self, rule: Rule, element: Element, scope: Scope) -> bool:
        """Whether a rule cleans a text in ASCII that holds no UID and no time of the file."""
        from .file_cleaner import is_steady  # noqa: PLC0415  (for clean options alone)

        raw = scope.raw(element)
        if rule.template is None or not rule.template.cleans_only(element.tag) or not is_plain(raw):
            return False
        if is_steady(raw):
            return True
        return not any(map(self._own_cleaner().volatile.find, scope.value(element).texts))

    def _outcomes_of(self, scope: Scope) -> dict[tuple[object, ...], Outcome] | None:
        """What became of elements where the same was read besides; None where that is not known.

        What an element of an item becomes depends on the same as in the root, unless the item or one
        around it has a source of its own.
        """
        key = scope.key
        known = self._outcomes.get(key, _UNSET)
        if known is not _UNSET:
            return known
        outcomes: dict[tuple[object, ...], Outcome] | None = None
        parent = scope.parent
        if parent is not None:
            if (
                not scope.is_record
                and scope.encoding == self.root.encoding
                and self.lookups.context_tags.isdisjoint(scope.elements)
            ):
                outcomes = self._outcomes_of(parent)
        elif scope is self.root and not (self.switched or self._is_directory):
            self._context = self._context_key()
            outcomes = self.memory.outcomes_of(self._context)
        self._outcomes[key] = outcomes
        return outcomes

    def _context_key(self) -> tuple[object, ...]:
        """All that templates read of the root besides the element that they change."""
        root = self.root
        key: list[object] = [root.encoding.implicit, root.encoding.little, *_text_of(root.characters)]
        for tags in self.lookups.context:
            place = root.find(tags)
            key.append(place and _identity(*place))
        return tuple(key)

    def _add_texts(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Add a rule's values to those of an element, each once; returns by how many bytes it grew.

        The values that are there keep their bytes.
        """
        template = rule.template
        assert template is not None
        stored = scope.raw(element).rstrip(b"\0 ")
        known = {value.strip(b" ") for value in stored.split(b"\\")}
        texts = [text for text in (template.literal or "").split("\\") if text.encode() not in known]
        self._note(self.memory.note(element.tag, Action.SUBSTITUTED), tuple(texts), scope)
        if not texts:
            return 0
        data = b"\\".join([*filter(None, [stored]), *(text.encode() for text in texts)])
        data += b" " * (len(data) % 2)
        size = element.value - element.start
        header = scope.source.read(element.start, element.value)
        width = 2 if size == 8 and not scope.encoding.implicit else 4
        if len(header) != size or len(data) >= (1 << 8 * width) - 1:
            raise FileError(f"{dictionary.label_of(element.tag)} has no room for more values")
        length = len(data).to_bytes(width, "little" if scope.encoding.little else "big")
        return self._replace(element, header[:-width] + length + data)

    def _add_items(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Add a rule's items to those of a sequence, each once; returns by how many bytes it grew."""
        known = [
            {own.tag: scope.source.read(own.value, own.stop).strip(b"\0 ") for own in item.elements}
            for item in _items_in(element, scope)
        ]
        items = [item for item in rule.items if not any(_has(one, item) for one in known)]
        self._note(self.memory.note(element.tag, Action.SUBSTITUTED), (), scope)
        data = b""
        if items:
            encoding = self._item_encoding(element, scope)
            data = encode_items(element.tag, items, encoding)[8 if encoding.implicit else 12 :]
        return self._items(element, scope, data)

    def _item_encoding(self, sequence: Element, scope: Scope) -> Encoding:
        """How the items of a sequence are encoded."""
        items = _items_in(sequence, scope)
        if items:
            return items[0].encoding
        vr = scope.source.read(sequence.start + 4, sequence.start + 6)
        # UN holds implicit VR little endian, whatever is around it (PS3.5 6.2.2).
        return IMPLICIT_LITTLE if vr == b"UN" and not scope.encoding.implicit else scope.encoding

    def _clean(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Clean an element that no rule names, if it is a text with an identifier; returns how it grew."""
        if element.vr == "SQ" or element.tag in _NO_TEXTS or is_creator(element.tag):
            return 0
        vr = scope.vr(element)
        if vr not in FREE_TEXT_VRS and vr not in ("CS", "UN"):
            return 0
        raw = scope.raw(element)
        if not raw.strip(b" \0") or not is_free_text(vr, raw):
            return 0
        if is_plain(raw) and self._is_known_clean(element, vr, raw, scope):
            return 0
        stored = scope.source.read(element.start, element.end)
        assert rule.template is not None
        result = self._result(rule, rule.template, element.tag, scope, element, stored)
        return 0 if result.data == stored else self._apply(rule, element, scope)

    def _is_known_clean(self, element: Element, vr: str, raw: bytes, scope: Scope) -> bool:
        """Whether a text in ASCII holds no identifier of the file."""
        from .file_cleaner import is_steady  # noqa: PLC0415  (for clean options alone)

        cleaner = self._own_cleaner().for_tag(element.tag)
        key = cleaner.steady, vr, raw
        known = self.memory.clean_texts.get(key)
        if known is None:
            known = not any(map(cleaner.steady.find, scope.value(element).texts))
            self.memory.add_clean_text(key, is_clean=known)
        if not known or is_steady(raw):
            return known
        return not any(map(cleaner.volatile.find, scope.value(element).texts))

    def _short_text(self, element: Element, scope: Scope) -> str:
        """The text of an element that a path may hold; "" where it is none of these."""
        if element.items is not None or element.stop - element.value > PATH_MOST:
            return ""
        vr = scope.vr(element)
        if vr not in PATH_VRS:
            return ""
        raw = scope.raw(element)
        if raw.isascii() and b"\x1b" not in raw:
            return raw.decode("ascii").strip("\0 ")
        return "\\".join(scope.value(element).texts)

    def _note(self, note: Note, texts: tuple[str, ...], scope: Scope) -> None:
        self.notes.append(note)
        if scope is self.root and note[0] in FOLLOWING:
            self.root_texts[note[0]] = texts

    def _result(
        self,
        rule: Rule,
        template: Template,
        tag: int,
        scope: Scope,
        element: Element | None,
        stored: bytes,
    ) -> Result:
        """The new element that a template makes.

        Args:
            rule: whose template it is.
            template: the template.
            tag: the new element's tag.
            scope: the data set that it is in.
            element: what it replaces; None if it is inserted.
            stored: the bytes of the whole of ``element``, of a vast one that the template
                does not read its header alone; b"" without one.
        """
        read = scope.characters
        characters = UTF8 if self.switched and scope.owner.key in self.switched else read
        encoding = scope.encoding
        key: list[object] = [rule.index, tag, stored, encoding.implicit, encoding.little]
        key += (*_text_of(read), characters is read)
        found: dict[tuple[int, ...], Found] = {}
        size = len(stored)
        for tags in self.lookups.reads[rule.index]:
            if element is not None and (tags == (SELF_SOURCE,) or tag in tags):
                found[(tag,) if tags == (SELF_SOURCE,) else tags] = (element, scope)
            else:
                place = found[tags] = scope.find(tags)
                key.append(place and _identity(*place))
                size += place[0].stop - place[0].value if place else 0
        of_file = {tags: scope.find_for_file(tags) for tags in self.lookups.file_reads[rule.index]}
        for place in of_file.values():
            key.append(place and _identity(*place))
            size += place[0].stop - place[0].value if place else 0
        if element is None:
            key.append(_inserted_vr(tag, scope))
        else:  # the same bytes can be read in more than one way
            start = element.start
            key += (element.vr, scope.vr(element), element.value - start, element.stop - start)
        cleaner = None
        if template.cleans:
            cleaner = self._own_cleaner().for_tag(tag)
            key.append(cleaner)
        result = self.memory.results.get(tuple(key))
        if result is not None:
            return result
        if element is None:
            vr = _inserted_vr(tag, scope)
        else:
            vr = "SQ" if element.vr == "SQ" else scope.vr(element)

        made: Made | None = None
        with warnings.catch_warnings(action="ignore"):  # pydicom's, of texts that it cannot read
            if cleaner is not None and element is not None and template.cleans_only(tag):
                made = self._cleaned(element, vr, scope, stored, cleaner)
            if made is None:
                made = self._evaluated(rule, template, tag, vr, scope, element, stored, found, of_file)
            if made is None:
                return Result(stored, self.memory.note(tag, Action.INVALID), ())
            original = "" if element is None else self._short_text(element, scope)
        action = made.action
        if element is None and action is not Action.INVALID:
            action = Action.INSERTED
        result = Result(made.data, self.memory.note(tag, action), made.texts, original)
        self.memory.add_result(tuple(key), result, size)
        return result

    def _evaluated(
        self,
        rule: Rule,
        template: Template,
        tag: int,
        vr: str,
        scope: Scope,
        element: Element | None,
        stored: bytes,
        found: Mapping[tuple[int, ...], Found],
        of_file: Mapping[tuple[int, ...], Found],
    ) -> Made | None:
        """The new element, from the values of the sources of its template.

        Returns:
            None where its text does not fit the character set in force.

        Raises:
            FileError: bytes of a source have no character, and the text would lack them.
        """
        characters = UTF8 if self.switched and scope.owner.key in self.switched else scope.characters
        encoding = scope.encoding
        lossy: list[str] = []
        is_vast = element is not None and len(stored) < element.end - element.start

        def value_of(tags: tuple[int, ...]) -> Value | None:
            place = found[tags]
            if is_vast and place and place[0] is element:
                return Value((), (), vr)
            return self._read(*place, lossy) if place else None

        def file_value_of(tags: tuple[int, ...]) -> Value | None:
            place = of_file[tags]
            return place[1].value(place[0]) if place else None

        texts: tuple[str, ...] = ()
        if vr != "SQ":
            cleaner = self._own_cleaner().for_tag(tag) if template.cleans else None
            texts = template.evaluate(tag, value_of, self.rules.resources, cleaner, file_value_of)
        fitted = fit(vr, texts)
        if lossy and any(REPLACEMENT in text for text in fitted.texts):
            raise FileError(
                f"the text of {lossy[0]} is not valid in the character set that the file declares, so that "
                f"the new text of {label_of(tag)} would have characters missing; declare the right one, or "
                "give --assumeCharacterSet TERM"
            )
        if not can_hold(characters, vr, fitted.texts):
            # The pass goes on, to find all data sets of which this is so, and is lost.
            self.unheld.setdefault(scope.owner.key, tag)
            return None
        if vr == "SQ" and rule.items:
            return Made(encode_items(tag, rule.items, encoding), fitted.texts, Action.SUBSTITUTED)
        implicit, little = encoding.implicit, encoding.little
        data = encode_element(tag, vr, fitted.texts, characters, implicit=implicit, little=little)
        return Made(data, fitted.texts, fitted.action)

    def _cleaned(
        self, element: Element, vr: str, scope: Scope, stored: bytes, cleaner: FileCleaner
    ) -> Made | None:
        """An element whose text is cleaned, in its bytes; None where it is plain and something was cut.

        What is not cut stays to the byte, whatever the VR allows.
        """
        raw = scope.raw(element)
        if is_plain(raw) or (vr not in CHARSET_VRS and vr != "UN"):
            texts = scope.value(element).texts
            is_same = bool(texts) and all(cleaner.clean(text) == text for text in texts)
            return Made(stored, texts, Action.SUBSTITUTED) if is_same else None
        from ..dicom.byte_cleaning import clean_bytes  # noqa: PLC0415  (for clean options alone)

        def clean(text: str) -> str:
            return cleaner.clean(text) or (NOTHING_LEFT if text.strip() else text)

        try:
            new = clean_bytes(raw, vr, scope.characters, clean, cleaner.pieces)
        except FileError as error:
            raise FileError(f"{label_of(element.tag)}: {error}") from None
        texts = decode(vr, new, scope.characters, scope.encoding.little).texts
        if new is not raw:
            implicit, little = scope.encoding.implicit, scope.encoding.little
            stored = encode_raw(element.tag, vr, new, implicit=implicit, little=little)
        return Made(stored, texts, Action.SUBSTITUTED)

    def _read(self, element: Element, scope: Scope, lossy: list[str]) -> Value:
        """The value of an element; where bytes of it have no character, its label joins ``lossy``."""
        value = scope.value(element)
        if value.lossless:
            lossy.append(label_of(element.tag))
        return value

    def _own_cleaner(self) -> FileCleaner:
        """What cleans texts of what this file holds in elements that the rules replace."""
        if self._cleaner is None:
            from .file_cleaner import cleaner_for  # noqa: PLC0415  (its patterns are for clean options alone)

            self._cleaner = cleaner_for(
                self.file,
                self.elements if self.rules.texts else None,
                self.rule_for,
                self.is_removed,
                self.is_item_removed,
                claims=self.lookups.claims,
                reading=self.root.reading,
                known=self.memory.known(self.lookups.is_fixed),
            )
        return self._cleaner

    def _insertions(self) -> list[tuple[int, Edit]]:
        """What the root gets that the file holds nowhere, and what stamps it where the root does not hold it.

        A DICOMDIR describes no one patient.
        """
        found: list[tuple[int, Edit]] = []
        for tag, rule in () if self._is_directory else self.lookups.insertions:
            if tag in (self.root.elements if tag in dictionary.STAMPS else self.present):
                continue
            if data := self._inserted(rule, tag, self.root):
                found.append((tag, self._insertion(tag, data)))
        if SPECIFIC_CHARACTER_SET not in self.root.elements:
            terms = UTF8.terms if self.root.key in self.switched else ()
            if not terms and self.root.is_assumed:
                terms = self.root.characters.terms
            if terms:
                data = self._declared(self.root, terms, Action.INSERTED)
                found.append((SPECIFIC_CHARACTER_SET, self._insertion(SPECIFIC_CHARACTER_SET, data)))
        return found

    def _insertion(self, tag: int, data: bytes) -> Edit:
        place = place_for(self.file.data, tag, self.elements)
        return Edit(place, place, data)

    def _inserted(self, rule: Rule, tag: int, scope: Scope) -> bytes:
        """The element to insert; b"" where a source of its template is absent."""
        template = rule.template
        if template is None or any(scope.find(directive.source) is None for directive in template.directives):
            return b""
        outcomes = self._outcomes_of(scope)
        key = rule.index, tag
        known = None if outcomes is None else outcomes.get(key)
        if known is not None and known.data is not None:
            self._note(known.note, known.texts, scope)
            return known.data
        result = self._result(rule, template, tag, scope, None, b"")
        self._note(result.note, result.texts, scope)
        data = b"" if result.note[1] is Action.INVALID else result.data
        if outcomes is not None and not self.unheld and not template.cleans:
            self.memory.add_outcome(self._context, key, Outcome(data, result.note, result.texts, ""))
        return data

    def _declared(self, scope: Scope, terms: tuple[str, ...], action: Action) -> bytes:
        """The element that declares what a data set was switched to, or was read as."""
        self.notes.append(self.memory.note(SPECIFIC_CHARACTER_SET, action))
        tag, encoding = SPECIFIC_CHARACTER_SET, scope.encoding
        return encode_element(tag, "CS", terms, UTF8, implicit=encoding.implicit, little=encoding.little)

    def _preamble(self) -> None:
        """Overwrite the preamble, which may hold anything (PS3.10 7.1), with zeros."""
        has_one = self.rules.zero_preamble and self.file.meta_start == PREAMBLE + len(PREFIX)
        if has_one and any(self.file.source.read(0, PREAMBLE)):
            self.edits.append(Edit(0, PREAMBLE, bytes(PREAMBLE)))

    def _meta(self) -> None:
        """Apply the rules to the file meta, and let it follow the data set."""
        if not self.file.meta:
            return
        scope = self.meta
        growth = 0
        for element in self.file.meta:
            rule = self.rules.meta.get(element.tag)
            if rule is not None:
                self.present.add(element.tag)
            followed = self._followed(element.tag, rule) if element.tag in FOLLOWERS else None
            if followed is not None:
                growth += self._follow(element, followed, is_hit=rule is not None)
            elif rule is not None:
                growth += self._apply(rule, element, scope)
            elif (self.lookups.claims or self.rules.remove_unknown) and dictionary.is_unknown(element.tag):
                # Nobody can say whom it names (PS3.15 E.1.1 replaces all file meta).
                self.notes.append(self.memory.note(element.tag, Action.REMOVED))
                growth += self._replace(element, b"")
        for tag, rule in self.lookups.meta_insertions:
            if tag not in self.present:
                data = self._inserted(rule, tag, scope)
                later = [element.start for element in self.file.meta if element.tag > tag]
                place = later[0] if later else self.file.meta_stop
                if data:
                    self.edits.append(Edit(place, place, data))
                growth += len(data)
        first = self.file.meta[0]
        if growth and first.tag == dictionary.FILE_META_GROUP_LENGTH:
            self._length(first.value, self.file.meta_stop - first.end + growth, little=True)

    def _followed(self, tag: int, rule: Rule | None) -> tuple[str, ...] | None:
        """The texts that an element of the file meta takes over; None if it does not follow.

        Args:
            tag: its tag.
            rule: the rule that hits it. What a user asks of the file meta itself in so many
                words is done; else the two are one UID, whatever they were (PS3.10 7.1).
        """
        source = _FOLLOWED[tag]
        if rule is not None and self.rules.keys[rule.index][1] and _is_in_so_many_words(rule):
            return None
        if source in self.root_texts:
            return self.root_texts[source]
        own = self.root.elements.get(source)
        if rule is not None:
            return self.root.value(own).texts if own is not None and not rule.keeps else None
        lacking = self.rules.table.get(source) or self.rules.groups.get(source >> 16)
        if own is None and lacking is not None and not lacking.keeps:
            return ()  # the original must not stay where the data set has none to follow
        return None

    def _follow(self, element: Element, texts: tuple[str, ...], *, is_hit: bool) -> int:
        """Give an element of the file meta the texts of another; returns by how many bytes it grew."""
        implicit = self.meta.encoding.implicit
        data = encode_element(element.tag, "UI", texts, UTF8, implicit=implicit, little=True)
        is_same = data == self.file.source.read(element.start, element.end)
        if is_hit or not is_same:
            action = Action.SUBSTITUTED if any(texts) else Action.EMPTIED
            self.notes.append(self.memory.note(element.tag, action))
        if is_same:
            return 0
        if is_hit:
            self.originals.append(self._short_text(element, self.meta))
        return self._replace(element, data)


def _is_in_so_many_words(rule: Rule) -> bool:
    """Whether a rule says what it makes without looking at what is there."""
    return rule.template is None or rule.template.keeps or rule.template.is_constant


def scopes_of(sequence: Element, scope: Scope) -> list[tuple[Item, Scope]]:
    """The items of a sequence that were entered, each with its data set."""
    items = sequence.items or []
    inner = [(item, Scope(scope.source, item.elements, item.encoding, item.value, scope)) for item in items]
    if sequence.tag == DIRECTORY_RECORD_SEQUENCE:
        by_start = {item.start: own for item, own in inner}
        for _, own in inner:
            own.is_record = scope.parent is None
        for record, above in records_above(items, scope.source).items():
            if record in by_start and above in by_start:
                by_start[record].above = by_start[above]
    return inner


def _items_in(sequence: Element, scope: Scope) -> list[Item]:
    """Every item of a sequence, with every element."""
    (found,) = scan(Stretch(scope.source, sequence.start, sequence.end, scope.encoding), EVERYTHING)
    return found.items or []


def _first_item(sequence: Element, scope: Scope) -> list[Element]:
    """The elements of the first item of a sequence."""
    items = _items_in(sequence, scope) if sequence.vr == "SQ" else []
    return items[0].elements if items else []


def _has(known: dict[int, bytes], item: tuple[LiteralElement, ...]) -> bool:
    """Whether an item holds all that a literal one says; what a code means may be said otherwise."""
    told = [literal for literal in item if literal.tag != CODE_MEANING]
    return all(known.get(literal.tag) == "\\".join(literal.texts).encode() for literal in told)


def _identity(element: Element, scope: Scope) -> tuple[object, ...]:
    """All that the decoded value of an element depends on."""
    return scope.vr(element), scope.raw(element), *_text_of(scope.characters), scope.encoding.little


def _text_of(characters: CharacterSet) -> tuple[object, ...]:
    """All that the text of bytes depends on; comparing it is quicker than comparing character sets."""
    fallback = characters.fallback
    return characters.terms, characters.encodings, characters.unknown, fallback and fallback.terms


def _inserted_vr(tag: int, scope: Scope) -> str:
    return scope.vr(Element(tag, "", 0, 0, 0, 0))
