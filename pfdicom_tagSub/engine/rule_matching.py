"""Which rule hits an element, and which elements go though no rule names them."""

from __future__ import annotations

from collections.abc import Sequence

from ..dicom import dictionary
from ..dicom.elements import Element, Item, Stretch
from ..dicom.scan_filter import EVERYTHING
from ..dicom.scanner import scan
from ..dicom.scope import Scope, is_creator
from ..spec.content_items import (
    CODE_VALUES,
    CODING_SCHEME,
    CONCEPT_NAME,
    NUMBERS,
    VALUE_TYPE,
    VALUES,
    Concept,
    stronger,
)
from ..spec.rules import Rule
from .memory import Memory
from .rule_index import Lookups


class RuleMatcher:
    """The answers for one file."""

    def __init__(self, lookups: Lookups, memory: Memory) -> None:
        """Args:
        lookups: the spec.
        memory: what earlier passes found out.
        """
        self.lookups = lookups
        self.rules = lookups.rules
        self.asks_for_vrs = lookups.asks_for_vrs
        self.memory = memory
        self._content: dict[int, Rule | None] = {}
        self._around: dict[int, tuple[RuleMatcher, ...]] = {}
        self._each = {index: RuleMatcher(inner, memory) for index, inner in lookups.each.items()}

    def rule_for(self, element: Element, scope: Scope) -> Rule | None:
        """The strongest rule that hits an element of a data set; None if none does."""
        if self._each and scope.parent is not None:
            found = self._inner_rule(element, scope)
            if found is not None:
                return found
        return self._own_rule(element, scope)

    def _own_rule(self, element: Element, scope: Scope) -> Rule | None:
        """The strongest rule, but for those for what is in the items of sequences."""
        tag = element.tag
        group = tag >> 16
        rule = named = self._private_rule(element, scope) if group & 1 else self.rules.table.get(tag)
        if rule is None and group in self.rules.groups and tag & 0xFFFF:
            if tag in dictionary.NEVER_BY_PATTERN:
                return None
            rule = self.rules.groups[group]
            # A creator that is not removed with its elements says whose they are.
            if is_creator(tag) and rule.template is not None:
                return None
        if named is None and self.asks_for_vrs:
            rule = self._rule_of_vr(rule, element, scope)
        if self.lookups.content and tag in VALUES:
            return self.with_concept(rule, tag, scope)
        return rule

    def _inner_rule(self, element: Element, scope: Scope) -> Rule | None:
        """The rule that the key of a sequence around an element has for it; the innermost decides."""
        if element.tag >> 16 & 1 and self.rules.remove_private:
            return None
        for matcher in self._matchers_around(scope):
            rule = stronger(matcher._own_rule(element, scope), matcher._rule_of_public_vr(element.tag))
            if rule is not None:
                return rule
        return None

    def _rule_of_public_vr(self, tag: int) -> Rule | None:
        """The strongest rule for a VR that the dictionary gives an element, where the table has none."""
        by_vr = self.rules.public_vrs
        if not by_vr or tag >> 16 & 1 or not dictionary.is_replaceable(tag):
            return None
        found = [by_vr[vr] for vr in dictionary.vr_of(tag).split(" or ") if vr in by_vr]
        return max(found, key=lambda rule: rule.index, default=None)

    def _matchers_around(self, scope: Scope) -> tuple[RuleMatcher, ...]:
        """Those of the sequences around a data set that have rules for what is in their items."""
        parent = scope.parent
        if parent is None:
            return ()
        known = self._around.get(scope.key)
        if known is None:
            rule = self.rule_for(Element(scope.sequence, "SQ", 0, 0, 0, 0), parent)
            known = self._matchers_around(parent)
            if rule is not None and rule.each is not None:
                known = self._of_rule(rule, known), *known
            self._around[scope.key] = known
        return known

    def _of_rule(self, rule: Rule, around: tuple[RuleMatcher, ...]) -> RuleMatcher:
        """The matcher for the items of a sequence that a rule hits."""
        return next(one._each[rule.index] for one in (*around, self) if rule.index in one._each)

    def _rule_of_vr(self, of_group: Rule | None, element: Element, scope: Scope) -> Rule | None:
        """The stronger one of a rule for a group and of that for a VR, which no key names by itself."""
        tag = element.tag
        if is_creator(tag) or not dictionary.is_replaceable(tag):
            return of_group
        if tag >> 16 & 1:
            own = self.rules.private_vrs.get(scope.vr(element))
        else:
            own = None if dictionary.vr_of(tag) else self.rules.unknown_vrs.get(scope.vr(element))
        return stronger(of_group, own)

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

    def with_concept(self, rule: Rule | None, tag: int, scope: Scope) -> Rule | None:
        """The stronger one of a rule and of that for the content item that an element is a value of."""
        if tag in NUMBERS and CONCEPT_NAME not in scope.elements and scope.parent is not None:
            scope = scope.parent  # MeasuredValueSequence is between them
        of_item = self.content_rule(scope)
        return stronger(rule, None if of_item is None or of_item.template is None else of_item)

    def content_rule(self, scope: Scope) -> Rule | None:
        """The rule for a data set as a content item; None if it is none, or no key names it."""
        if CONCEPT_NAME not in scope.elements or scope.parent is None or scope.is_record:
            return None
        if scope.key not in self._content:
            own = scope.elements.get(VALUE_TYPE)
            value_type = scope.raw(own).decode("latin-1").strip(" \0") if own is not None else ""
            self._content[scope.key] = self.lookups.content.find(self._concept(scope), value_type)
        return self._content[scope.key]

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

    def needed_creators(self, elements: Sequence[Element], scope: Scope) -> set[int]:
        """The private creators of what is not removed (PS3.5 7.8.1)."""
        needed = set()
        for element in elements:
            tag = element.tag
            if tag >> 16 & 1 and tag & 0xF000:
                rule = self.rule_for(element, scope)
                if rule is not None and rule.template is not None:
                    needed.add(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
        return needed


def items_in(sequence: Element, scope: Scope) -> list[Item]:
    """Every item of a sequence, with every element."""
    (found,) = scan(Stretch(scope.source, sequence.start, sequence.end, scope.encoding), EVERYTHING)
    return found.items or []


def _first_item(sequence: Element, scope: Scope) -> list[Element]:
    """The elements of the first item of a sequence."""
    items = items_in(sequence, scope) if sequence.vr == "SQ" else []
    return items[0].elements if items else []
