"""One rule applied to one element: removed, emptied, added to, or made anew."""

from __future__ import annotations

from ..core.errors import FileError
from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.dictionary import TYPE_1, TYPE_2
from ..dicom.elements import SHORT_VRS, Element
from ..dicom.free_text import is_free_text
from ..dicom.scope import Scope
from ..spec.rules import Rule
from .changes import Change, Changes
from .element_making import VAST, ElementMaker, is_blind, short_text
from .known_outcomes import KnownOutcomes
from .memory import Outcome
from .rule_index import DUMMY, EMPTY


class RuleApplication:
    """Applies rules to the elements of one file."""

    def __init__(self, changes: Changes, maker: ElementMaker, outcomes: KnownOutcomes) -> None:
        """Args:
        changes: takes what is done.
        maker: makes new elements.
        outcomes: knows what became of elements in earlier files.
        """
        self.changes = changes
        self.maker = maker
        self.outcomes = outcomes

    def apply(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Apply a rule to the element that it hits; returns by how many bytes it grew."""
        own = rule
        if scope.is_record and (rule.template is None or rule.template.empties):
            own = _for_record(rule, element)
        outcomes = self.outcomes.of(scope, own)
        key = None if outcomes is None else self.outcomes.key_of(own, element, scope)
        known = outcomes.get(key) if outcomes and key else None
        if known is None:
            return self._apply_anew(rule, own, element, scope, key)
        data = known.data
        original = "" if data is None else known.original
        self.changes.add((known.note, scope, element, known.texts, rule, original, data is None, False, 1))
        return 0 if data is None else self.changes.replace(element, data)

    def _apply_anew(
        self, rule: Rule, own: Rule, element: Element, scope: Scope, key: tuple[object, ...] | None
    ) -> int:
        """Apply a rule to an element of which nothing is known.

        Args:
            rule: the rule that hits the element.
            own: the rule that is applied, which differs in records.
            element: the element.
            scope: the data set that it is in.
            key: what the outcome is remembered by; None where it is not.
        """
        changes, template = self.changes, own.template
        is_private = element.tag >> 16 & 1
        if is_private and own.walks and not is_free_text(scope.vr(element), scope.raw(element)):
            return 0  # a private element to be cleaned that is a number
        if own.items and not own.inserts and element.vr == "SQ" and element.stop == element.value:
            note = changes.note(element.tag, Action.EMPTIED)
            changes.add(Change(note, scope, element, (), rule, "", is_same=True))
            return 0  # an empty value stays empty
        if template is None:
            note, original = changes.note(element.tag, Action.REMOVED), short_text(element, scope)
            changes.add((note, scope, element, (), rule, original, False, False, 1))
            if key is not None:
                self.outcomes.add(key, Outcome(b"", note, (), original))
            return changes.replace(element, b"")
        size = element.end - element.start
        is_vast = size > VAST and is_blind(template, element, scope)
        read = scope.source.read
        stored = read(element.start, element.value if is_vast else element.end)
        result = self.maker.make(own, element.tag, scope, element, stored)
        if is_vast and size == len(result.data):
            stored = read(element.start, element.end)
        is_same = stored == result.data
        original = "" if is_same else result.original
        changes.add((result.note, scope, element, result.texts, rule, original, is_same, False, 1))
        # What UIDs and times do not matter to they may all the same when it was cut.
        if key is not None and not self.maker.is_lost and not (own.cleans and not is_same):
            data = None if is_same else result.data
            self.outcomes.add(key, Outcome(data, result.note, result.texts, result.original))
        return 0 if is_same else changes.replace(element, result.data)

    def inserted(self, rule: Rule, tag: int, scope: Scope) -> bytes:
        """The element that a rule inserts; b"" where a source of its template is absent."""
        template = rule.template
        if template is None or any(scope.find(directive.source) is None for directive in template.directives):
            return b""
        outcomes = self.outcomes.of(scope, rule)
        # Whether it is signed, or what a creator makes of it, is up to other elements.
        key = rule.index, tag, scope.vr(Element(tag, "", 0, 0, 0, 0))
        known = outcomes.get(key) if outcomes else None
        if known is not None and known.data is not None:
            self.changes.add((known.note, scope, None, known.texts, rule, "", False, False, 1))
            return known.data
        result = self.maker.make(rule, tag, scope, None, b"")
        self.changes.add((result.note, scope, None, result.texts, rule, "", False, False, 1))
        data = b"" if result.note[1] is Action.INVALID else result.data
        if outcomes is not None and not self.maker.is_lost and not template.cleans:
            self.outcomes.add(key, Outcome(data, result.note, result.texts, ""))
        return data

    def add_texts(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Add a rule's values to those of an element, each once; returns by how many bytes it grew.

        The values that are there keep their bytes, unless the spec cleans all texts that stay.
        """
        template = rule.template
        assert template is not None
        whole = scope.source.read(element.start, element.stop)
        kept, original = self._kept_texts(whole, element, scope)
        header, stored = kept
        stored = stored.rstrip(b"\0 ")
        known = {value.strip(b" ") for value in stored.split(b"\\")}
        texts = [text for text in (template.literal or "").split("\\") if text.encode() not in known]
        note = self.changes.note(element.tag, Action.SUBSTITUTED)
        is_same = not texts and header + kept[1] == whole
        self.changes.add(Change(note, scope, element, tuple(texts), rule, original, is_same=is_same))
        if is_same:
            return 0
        data = b"\\".join([*filter(None, [stored]), *(text.encode() for text in texts)])
        data += b" " * (len(data) % 2)
        width = 2 if len(header) == 8 and not scope.encoding.implicit else 4
        if len(data) >= (1 << 8 * width) - 1:
            raise FileError(f"{dictionary.label_of(element.tag)} has no room for more values")
        length = len(data).to_bytes(width, "little" if scope.encoding.little else "big")
        return self.changes.replace(element, header[:-width] + length + data)

    def _kept_texts(self, whole: bytes, element: Element, scope: Scope) -> tuple[tuple[bytes, bytes], str]:
        """What stays of an element that a rule adds to.

        Returns:
            Its header and its value, and the text that was replaced, "" where none was.
        """
        size = element.value - element.start
        rule = self.maker.lookups.rules.texts
        template = None if rule is None else rule.template
        vr, raw = scope.vr(element), scope.raw(element)
        if rule is None or template is None or not template.cleans or not is_free_text(vr, raw):
            return (whole[:size], whole[size:]), ""
        made = self.maker.make(rule, element.tag, scope, element, whole)
        if made.data == whole:
            return (whole[:size], whole[size:]), ""
        is_long = not scope.encoding.implicit and made.data[4:6] not in SHORT_VRS
        size = 12 if is_long else 8
        return (made.data[:size], made.data[size:]), made.original


def _for_record(rule: Rule, element: Element) -> Rule:
    """What becomes of an element that a rule removes or empties, and that a record has to hold."""
    if element.tag in TYPE_1:
        return DUMMY
    return EMPTY if element.tag in TYPE_2 else rule
