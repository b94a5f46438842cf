"""One pass over one file: the rules applied to its data set, then to its file meta.

Only what a rule hits is decoded and written anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..core.errors import FileError
from ..core.file_survey import SurveyedChanges
from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.character_sets import UTF8
from ..dicom.dicomdir import offset_edits
from ..dicom.dictionary import (
    INTEGER_PIXEL_DATA,
    REFERENCED_FILE_ID,
    SPECIFIC_CHARACTER_SET,
)
from ..dicom.edits import Edit, in_order
from ..dicom.elements import Element, Item, Stretch
from ..dicom.file import DicomFile
from ..dicom.file_ids import FileIds
from ..dicom.file_meta import CURE, META_GROUP
from ..dicom.known_sequences import KnownSequence
from ..dicom.lengths import has_lengths, length_edits
from ..dicom.scanner import enter, place_for
from ..dicom.scope import AS_DECLARED, Reading, Scope
from ..dicom.values import encode_element
from ..spec.content_items import CONTENT_SEQUENCE, VALUES
from ..spec.rules import Rule
from .changes import Change, Changes
from .element_making import ElementMaker
from .file_meta_substitution import FileMetaSubstitution
from .file_scopes import file_scopes, scopes_of
from .known_outcomes import KnownOutcomes
from .literal_items import encode_missing
from .memory import Memory
from .overlay_clearing import clear_overlays, join_edits, reason_to_see
from .patched import Patched
from .pixel_edits import NO_PIXEL_EDITS, lossy_compression_element
from .pixel_review import reason_of_meta, reason_to_review
from .rule_application import RuleApplication
from .rule_index import Lookups
from .rule_matching import RuleMatcher
from .unnamed_texts import UnnamedTexts
from .utf8_switch import CannotHold

_CODE_STRINGS = frozenset({SPECIFIC_CHARACTER_SET, REFERENCED_FILE_ID})
"""Those that are looked after without a rule; they are no text to be cleaned, however they are written."""


class Substitution:
    """One pass over one file; it is used once.

    Attributes:
        root: the data set.
        meta: the file meta.
        matcher: says which rule hits an element.
        changes: what was done, when it has been done.
        pixel_edits: the changes of the pixels, if these are cleaned.
        file_meta: does the second part, and knows what follows the first.
        known_changes: what a survey tells of changes that were taken over; None where none were.
    """

    known_changes: SurveyedChanges | None = None

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
        self.file = file
        self.elements = elements
        self.switched = switched
        self.file_ids = file_ids
        self.pixel_edits = NO_PIXEL_EDITS
        self.present: set[int] = set()
        self.root, self.meta = file_scopes(file, elements, reading)
        self.matcher = RuleMatcher(lookups, memory)
        self.changes = Changes(memory)
        self.maker = ElementMaker(self.matcher, file, elements, switched, reading)
        outcomes = KnownOutcomes(self.maker, self.root, holds=not (switched or self._is_directory))
        self.application = RuleApplication(self.changes, self.maker, outcomes)
        self._unnamed_texts = UnnamedTexts(self.application, self.root)
        self.file_meta = FileMetaSubstitution(lookups, file, self.root, self.meta, self.application)

    @property
    def own_changes(self) -> Iterable[Change]:
        """The changes that were not taken over."""
        return self.changes

    def patched(self) -> Patched:
        """Apply the rules to the data set, then to the file meta."""
        changes = self.changes
        self.data_set(self.elements, self.root)
        review = self._clear_overlays() if self.lookups.overlay_tags else ""
        if self.pixel_edits:
            self._clean_pixels()
        inserted = self._insertions()
        if (changes.edits or inserted) and has_lengths(self.elements):
            changes.edits += [*length_edits(self.elements, self.file.data, changes.edits, inserted)]
        changes.edits += [edit for _, edit in inserted]
        data_edits = in_order(changes.taken_edits())
        self.file_meta.apply(self.present, self.pixel_edits.syntax)
        if self.maker.misses:
            raise FileError(_joined(self.maker.misses))
        if self.maker.unheld:
            raise CannotHold(self.maker.unheld)
        meta_edits = in_order(changes.taken_edits())
        if self._is_directory and (data_edits or meta_edits):
            if self.file.deflated:
                raise FileError("a DICOMDIR is never deflated (PS3.10 8.6)")
            every = [*meta_edits, *data_edits]
            data_edits = in_order([*data_edits, *offset_edits(self.file.data, every)])
        if self.lookups.claims:
            review = review or self.reason() or reason_of_meta(self.root)
        if not self.file.deflated:
            meta_edits, data_edits = meta_edits + data_edits, []
        frames = self.pixel_edits.frames
        return Patched(meta_edits, data_edits, changes.counts, changes.originals, review, frames=frames)

    def reason(self) -> str:
        """Why a person should look at the pixels, by what the data set says of them; "" for no reason."""
        return reason_to_review(self.root)

    @property
    def _is_directory(self) -> bool:
        return dictionary.FIRST_RECORD_OFFSET in self.root.elements

    def data_set(self, elements: Sequence[Element], scope: Scope) -> int:
        """Apply the rules to one data set; returns by how many bytes it grew."""
        growth = 0
        rules, lookups, matcher, changes = self.rules, self.lookups, self.matcher, self.changes
        table, groups = rules.table, rules.groups
        has_content, apply = bool(lookups.content), self.application.apply
        asks = lookups.asks_for_more
        needed = matcher.needed_creators(elements, scope) if lookups.creators_matter else ()
        if lookups.drops_private:
            elements, growth = self._without_private(elements, scope)
        for element in elements:
            tag = element.tag
            group = tag >> 16
            is_plain = not (group & 1 or group in groups or asks)
            rule = table.get(tag) if is_plain else matcher.rule_for(element, scope)
            if has_content and tag in VALUES:
                rule = matcher.with_concept(rule, tag, scope)
            if rule is not None:
                self.present.add(tag)
            if tag in needed and scope.elements[tag] is element and element.vr != "SQ":
                continue
            if rule is not None and not (rule.keeps or (element.vr == "SQ" and rule.walks)):
                growth += self._add(rule, element, scope) if rule.adds else apply(rule, element, scope)
            elif rule is None and group & 1 and rules.remove_private:
                growth += changes.remove_private(element, scope)
            elif rule is None and rules.remove_unknown and dictionary.is_unknown(tag):
                growth += changes.remove(element, scope)
            elif element.items:
                growth += self._items(element, scope)
            elif element.known is not None:
                growth += self._known(element, element.known, scope)
            elif tag in _CODE_STRINGS:
                growth += self._code_string(element, scope)
            elif group == META_GROUP:
                raise FileError(
                    f"{dictionary.text_of(tag)} of the file meta stands in the data set, where no rule for "
                    f"the file meta reaches it; {CURE}"
                )
            elif rules.texts is not None and rule is None:
                growth += self._unnamed_texts.clean(rules.texts, element, scope)
        return growth

    def _code_string(self, element: Element, scope: Scope) -> int:
        """Look after an element that says how text is read, or where a file is; returns how it grew."""
        if element.tag == REFERENCED_FILE_ID:
            file_ids = self.file_ids if scope.is_record else None
            return 0 if file_ids is None else self._file_id(element, scope, file_ids)
        if scope.key in self.switched:
            return self.changes.replace(element, self._declared(scope, UTF8.terms, Action.SUBSTITUTED))
        if scope.is_assumed and scope.elements[element.tag] is element:
            data = self._declared(scope, scope.characters.terms, Action.SUBSTITUTED)
            return self.changes.replace(element, data)
        if self.lookups.claims:
            scope.check_declaration(element)
        return 0

    def _file_id(self, element: Element, scope: Scope, file_ids: FileIds) -> int:
        """Let a record name the output of its file; returns by how many bytes it grew."""
        texts = file_ids.renamed(scope.raw(element))
        if texts is None:
            return 0
        implicit, little = scope.encoding.implicit, scope.encoding.little
        data = encode_element(element.tag, "CS", texts, UTF8, implicit=implicit, little=little)
        note = self.changes.note(element.tag, Action.SUBSTITUTED)
        self.changes.add(Change(note, scope, element, tuple(texts), follows=True))
        return self.changes.replace(element, data)

    def _clear_overlays(self) -> str:
        """Find what clears overlays in pixels; returns why a person should look at these, "" for none."""
        if INTEGER_PIXEL_DATA in self.present or self.lookups.overlay_tags.isdisjoint(self.root.elements):
            return ""
        edits, reason = clear_overlays(
            self.lookups.overlays, self.file.data, self.root, self.pixel_edits.frames
        )
        if edits:
            self.pixel_edits = join_edits(edits, self.pixel_edits)
        return reason or reason_to_see(self.lookups.kept_overlays, self.root)

    def _clean_pixels(self) -> None:
        """Take the changes of pixels."""
        self.changes.edits += self.pixel_edits.edits
        for tag in (INTEGER_PIXEL_DATA, *self.pixel_edits.followers):
            self.changes.add(Change(self.changes.note(tag, Action.SUBSTITUTED), self.root))

    def _without_private(self, elements: Sequence[Element], scope: Scope) -> tuple[list[Element], int]:
        """Remove every private element of a data set; returns the others, and by how many bytes it grew.

        Those of one group that follow each other are one edit; between two groups
        something may be inserted.
        """
        public: list[Element] = []
        edits = self.changes.edits
        removed = growth = 0
        start, stop, group = 0, 0, -1
        for element in elements:
            own = element.tag >> 16
            if not own & 1:
                public.append(element)
                continue
            if element.start != stop or own != group:
                if group >= 0:
                    edits.append(Edit(start, stop, b""))
                start, group = element.start, own
            growth += element.start - element.end
            stop = element.end
            removed += element.count
        if group >= 0:
            edits.append(Edit(start, stop, b""))
            self.changes.note_private(removed, scope)
        return public, growth

    def _items(self, sequence: Element, scope: Scope, added: bytes = b"") -> int:
        """Apply the rules within a sequence, and add items at its end; returns by how many bytes it grew."""
        total = 0
        changes = self.changes
        before = len(changes.edits)
        for item, inner in scopes_of(sequence, scope):
            if not item.elements:
                continue
            if self.matcher.is_item_removed(inner):
                note = changes.note(sequence.tag, Action.REMOVED)
                rule = self.matcher.content_rule(inner)
                changes.add(Change(note, scope, rule=rule))
                total += changes.remove_stretch(item.start, item.end)
            else:
                total += self._item(item, inner)
        if added:
            total += changes.insert(sequence.stop, added)
        if sequence.tag == CONTENT_SEQUENCE and total == sequence.value - sequence.stop and not added:
            del changes.edits[before:]
            return changes.replace(sequence, b"")  # it has items or is not there (PS3.3 C.17.3)
        if total and sequence.defined:
            length = sequence.stop - sequence.value + total
            changes.set_length(sequence.value - 4, length, little=scope.encoding.little)
        return total

    def _item(self, item: Item, scope: Scope) -> int:
        """Apply the rules within an item; returns by how many bytes it grew."""
        changes = self.changes
        first = len(changes.edits)
        growth = self.data_set(item.elements, scope)
        if len(changes.edits) > first and has_lengths(item.elements):
            own = Stretch(scope.source, item.value, item.stop, item.encoding)
            changes.edits += [*length_edits(item.elements, own, changes.edits[first:], None)]
        if growth and item.defined:
            length = item.stop - item.value + growth
            changes.set_length(item.start + 4, length, little=item.encoding.little)
        return growth

    def _add(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Add what a rule says to what an element holds; returns by how many bytes it grew."""
        is_sequence = element.vr == "SQ"
        # What stamps an item says nothing of the file, and may say anything.
        may_add = scope.parent is None or element.tag not in dictionary.STAMPS
        if not may_add or is_sequence != bool(rule.items):
            return self.application.apply(rule, element, scope)
        add = self._add_items if is_sequence else self.application.add_texts
        return add(rule, element, scope)

    def _add_items(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Add a rule's items to those of a sequence, each once; returns by how many bytes it grew."""
        data = encode_missing(rule.items, element, scope)
        edits = len(self.changes.edits)
        growth = self._items(element, scope, data)
        is_same = len(self.changes.edits) == edits
        note = self.changes.note(element.tag, Action.SUBSTITUTED)
        self.changes.add(Change(note, scope, element, (), rule, is_same=is_same))
        return growth

    def _known(self, element: Element, known: KnownSequence, scope: Scope) -> int:
        """Clean a sequence that no rule is for and whose bytes came before; returns how it grew."""
        is_clean = self._unnamed_texts.are_clean_in(known)
        if is_clean and not known.removes:
            return 0
        if is_clean and known.outcome is not None:
            return self.changes.repeat(known.outcome, element.start, scope)
        element.items = enter(scope.source, element, scope.encoding)
        element.known = None
        mark = self.changes.mark()
        growth = self._items(element, scope)
        if is_clean:
            known.outcome = self.changes.outcome_since(mark, element.start, growth)
        return growth

    def _insertions(self) -> list[tuple[int, Edit]]:
        """What the root gets that the file holds nowhere, and what stamps it where the root does not hold it.

        A DICOMDIR describes no one patient.
        """
        found: list[tuple[int, Edit]] = []
        for tag, rule in () if self._is_directory else self.lookups.insertions:
            if tag in (self.root.elements if tag in dictionary.STAMPS else self.present):
                continue
            if data := self.application.inserted(rule, tag, self.root):
                found.append((tag, self._insertion(tag, data)))
        tag, old = dictionary.LOSSY_IMAGE_COMPRESSION, self.pixel_edits.old_loss
        if self.pixel_edits.adds_loss and tag not in self.rules.table and tag not in self.present:
            data = lossy_compression_element(implicit=self.root.encoding.implicit)
            action = Action.INSERTED if old is None else Action.SUBSTITUTED
            self.changes.add(Change(self.changes.note(tag, action), self.root))
            if old is None:
                found.append((tag, self._insertion(tag, data)))
            else:
                self.changes.replace(old, data)
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

    def _declared(self, scope: Scope, terms: tuple[str, ...], action: Action) -> bytes:
        """The element that declares what a data set was switched to, or was read as."""
        tag, encoding = SPECIFIC_CHARACTER_SET, scope.encoding
        self.changes.add(Change(self.changes.note(tag, action), scope, scope.elements.get(tag), terms))
        return encode_element(tag, "CS", terms, UTF8, implicit=encoding.implicit, little=encoding.little)


def _joined(misses: list[str]) -> str:
    """The first of what lookup tables lack, and how many more there are."""
    found = list(dict.fromkeys(misses))
    more = f"; {len(found) - 1} more elements lack one, too" if len(found) > 1 else ""
    return f"{found[0]}{more}; add it to the table (--lookupMissing lists all that is missing)"
