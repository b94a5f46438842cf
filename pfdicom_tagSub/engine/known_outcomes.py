"""What becomes of an element whose rule reads, besides it, what earlier files had, too."""

from __future__ import annotations

from ..dicom.character_sets import is_plain
from ..dicom.elements import Element
from ..dicom.scope import Scope
from ..spec.rules import Rule
from .element_making import ElementMaker, identity, text_identity
from .memory import LOCAL_MOST, Outcome

_UNSURE_VRS = frozenset({"UN", "SQ", "OB", "OW"})
"""VRs under which other things may stand."""

_UNSET: dict[tuple[object, ...], Outcome] = {}
"""Stands for what was not asked for yet."""


class KnownOutcomes:
    """The outcomes that hold for one file."""

    def __init__(self, maker: ElementMaker, root: Scope, *, holds: bool) -> None:
        """Args:
        maker: makes the elements of which nothing is known.
        root: the data set.
        holds: whether any may hold; not where the file is switched to UTF-8, nor in a DICOMDIR.
        """
        self.maker = maker
        self.lookups = maker.lookups
        self.memory = maker.memory
        self.root = root
        self._holds = holds
        self._by_scope: dict[int, dict[tuple[object, ...], Outcome] | None] = {}
        self._context: tuple[object, ...] = ()

    def of(self, scope: Scope, rule: Rule) -> dict[tuple[object, ...], Outcome] | None:
        """What became of elements where the same was read besides; None where that is not known.

        What an element of an item becomes depends on the same as in the root, unless the item or one
        around it has a source of its own.
        """
        key = scope.key
        if rule.template is None:  # a removal reads nothing, not even how text is read
            return self._by_scope.get(key)
        known = self._by_scope.get(key, _UNSET)
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
                outcomes = self.of(parent, rule)
        elif scope is self.root and self._holds:
            self._context = self._context_key()
            outcomes = self.memory.outcomes_of(self._context)
        self._by_scope[key] = outcomes
        return outcomes

    def key_of(self, rule: Rule, element: Element, scope: Scope) -> tuple[object, ...] | None:
        """All that decides on an element besides the context; None where that is more than its own bytes."""
        vr = element.vr
        start = element.start
        if (
            element.items is not None
            or element.end - start > LOCAL_MOST
            or rule.adds
            or len(vr) != 2  # what it is is up to other elements
            or vr in _UNSURE_VRS
            or not element.defined
            or scope.is_record
            or (rule.cleans and not self._is_steady(rule, element, scope))
        ):
            return None
        finder = self.maker.cleaner.for_tag(element.tag).steady if rule.cleans else None
        stored = scope.source.read(start, element.end)
        return rule.index, element.tag, vr, element.value - start, stored, finder

    def add(self, key: tuple[object, ...], outcome: Outcome) -> None:
        """Remember an outcome for other files."""
        self.memory.add_outcome(self._context, key, outcome)

    def forget_items(self) -> None:
        """Forget which items were asked for; others come where they were."""
        for key in [key for key in self._by_scope if key != self.root.key]:
            del self._by_scope[key]

    def _is_steady(self, rule: Rule, element: Element, scope: Scope) -> bool:
        """Whether a rule cleans a text in ASCII that holds no UID and no time of the file."""
        from .file_cleaner import is_steady  # noqa: PLC0415  (for clean options alone)

        raw = scope.raw(element)
        if rule.template is None or not rule.template.cleans_only(element.tag) or not is_plain(raw):
            return False
        if is_steady(raw):
            return True
        return not any(map(self.maker.cleaner.has_fleeting, scope.value(element).texts))

    def _context_key(self) -> tuple[object, ...]:
        """All that templates read of the root besides the element that they change."""
        root = self.root
        key: list[object] = [root.encoding.implicit, root.encoding.little, *text_identity(root.characters)]
        for tags in self.lookups.context:
            place = root.find(tags)
            key.append(place and identity(*place))
        return tuple(key)
