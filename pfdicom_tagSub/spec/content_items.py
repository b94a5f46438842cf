"""Content items of structured documents by their concept (PS3.3 10.2 and C.17.3).

A content item is an item of a sequence that has a concept name: one of a structured report, of an acquisition
or protocol context, of a specimen preparation. What it says stands in the element that its value type has.
"""

from __future__ import annotations

from .keys import ContentItemKey
from .rules import Rule

VALUE_TYPE = 0x0040A040
CONCEPT_NAME = 0x0040A043
CONTENT_SEQUENCE = 0x0040A730
CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)
"""CodeValue, LongCodeValue and URNCodeValue, of which a code has one (PS3.3 8.8)."""

CODING_SCHEME = 0x00080102

VALUE_ELEMENTS = {
    "TEXT": 0x0040A160,
    "DATE": 0x0040A121,
    "TIME": 0x0040A122,
    "DATETIME": 0x0040A120,
    "PNAME": 0x0040A123,
    "UIDREF": 0x0040A124,
    "NUM": 0x0040A30A,
    "NUMERIC": 0x0040A30A,
}
"""The element that holds the value of an item of each type, where that is no sequence."""

NUMBERS = frozenset({0x0040A30A, 0x0040A161, 0x0040A162, 0x0040A163})
"""NumericValue and the finer forms of it; in a report they are one item deeper, in MeasuredValueSequence."""

VALUES = frozenset({*VALUE_ELEMENTS.values(), *NUMBERS})

Concept = tuple[str, str]
"""Code and coding scheme designator, the latter in small letters."""


class ContentRules:
    """The rules for content items, found by concept and value type."""

    def __init__(self, pairs: tuple[tuple[ContentItemKey, Rule], ...]) -> None:
        """Args:
        pairs: each key and its rule.
        """
        self._by_concept: dict[Concept, dict[str, Rule]] = {}
        for key, rule in pairs:
            self._by_concept.setdefault((key.code, key.scheme), {})[key.value_type] = rule

    def __bool__(self) -> bool:
        return bool(self._by_concept)

    def find(self, concept: Concept, value_type: str) -> Rule | None:
        """The strongest rule for an item; of one that does not say its type, whatever type the key names."""
        rules = self._by_concept.get(concept)
        if rules is None:
            return None
        found = [rule for type_, rule in rules.items() if type_ in {"", value_type} or not value_type]
        return max(found, key=lambda rule: rule.index, default=None)


def stronger(rule: Rule | None, content: Rule | None) -> Rule | None:
    """Which of two rules decides on the value of an item: that of its element, or that of its concept."""
    if rule is None or content is None:
        return rule or content
    return max(rule, content, key=lambda one: one.index)
