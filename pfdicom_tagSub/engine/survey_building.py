"""The survey of one file, as it grows: what a pass did to it, and what it left."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from ..core.errors import FileError
from ..core.file_survey import PREAMBLE_TAG, PRIVATE, ElementChange, FileKind, Remaining
from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.dictionary import MODALITY, SOP_CLASS_UID
from ..dicom.elements import Element
from ..dicom.file import PREAMBLE
from ..dicom.scanner import scan
from ..dicom.scope import Scope
from .changes import Change
from .file_kinds import kind_of, text_in
from .file_meta_substitution import FOLLOWERS
from .substitution import Substitution
from .survey_basis import SurveyBasis

SHOWN_MOST = 64
"""So many characters of a text are shown."""


class SurveyBuilder:
    """That of one file, as it grows.

    Attributes:
        changes: what was done to elements, and how often.
        remaining: identifying attributes that stay.
        rules: the indices of the rules whose keys hit something.
        root: the data set, as far as it was read.
    """

    def __init__(self, basis: SurveyBasis, substitution: Substitution) -> None:
        self.basis = basis
        self.substitution = substitution
        self.matcher = substitution.matcher
        self.root = substitution.root
        self.changes: Counter[ElementChange] = Counter()
        self.remaining: Counter[Remaining] = Counter()
        self.rules: set[int] = set()
        self.kinds: dict[int, bytes] | None = None

    def kind(self) -> FileKind:
        """What the file is."""
        meta = self.substitution.meta
        stored = (
            _raw(meta, dictionary.MEDIA_STORAGE_SOP_CLASS_UID),
            _raw(meta, dictionary.TRANSFER_SYNTAX_UID),
        )
        if self.kinds is None:
            own = _raw(self.root, MODALITY), _raw(self.root, SOP_CLASS_UID)
        else:
            own = self.kinds.get(MODALITY, b""), self.kinds.get(SOP_CLASS_UID, b"")
        return kind_of(*map(text_in, (*own, *stored)))

    def add_changes(self) -> None:
        """Add what the pass did."""
        known = self.substitution.known_changes
        if known is not None:
            self.changes.update(known.hits)
            self.rules |= known.rules
        self.add(self.substitution.own_changes)
        if self.substitution.file_meta.zeroes_preamble:
            self.rules.update(self.substitution.rules.preamble_zeroers)

    def add(self, changes: Iterable[Change]) -> None:
        """Add some of its changes."""
        for change in changes:
            self.changes[element_change(self.basis, change)] += change.times
            self.rules.update(self._rules_of(change))

    def _rules_of(self, change: Change) -> Iterable[int]:
        """The rules whose keys asked for a change."""
        tag, action = change.note
        if change.rule is not None:
            return (change.rule.key_index,)
        if action is not Action.REMOVED:
            return ()
        rules = self.substitution.rules
        return rules.private_removers if tag == PRIVATE else rules.unknown_removers

    def add_remaining(self) -> int:
        """Add what the rules leave; returns 1 where the sequences cannot be read to the end, else 0."""
        data, meta = self.substitution.file.data, self.substitution.meta
        census = self.basis.census
        found = None if census is None else census.count(data)
        if found is not None:
            counted, self.kinds, _ = found
            self.remaining.update(counted.remaining)
            self.rules.update(counted.rules)
            self.add_meta(meta)
            return 0
        partly = 0
        try:
            elements = scan(data, self.basis.filter)
            self.root = Scope(
                data.source, elements, data.encoding, data.start, reading=self.substitution.root.reading
            )
            self.root.beyond = meta
            self._add_data_set(elements, self.root, 0)
        except FileError:  # over what the rules need not look into: the file itself is fine
            partly = 1
        self.add_meta(meta)
        return partly

    def _add_data_set(self, elements: Iterable[Element], scope: Scope, depth: int) -> None:
        basis, matcher = self.basis, self.matcher
        for element in elements:
            tag = element.tag
            rule = matcher.rule_for(element, scope)
            keepers = basis.keepers(tag, scope)
            self.rules.update(keepers)
            if (rule is not None and not rule.keeps) or matcher.is_removed(element, rule):
                continue
            if tag & 0xFFFF and basis.identifies(tag) and _holds_something(element, scope):
                label = PRIVATE if tag >> 16 & 1 else tag
                self.remaining[Remaining(label, depth, bool(keepers))] += 1
            for item in element.items or ():
                inner = Scope(scope.source, item.elements, item.encoding, item.value, scope, sequence=tag)
                concept = matcher.content_rule(inner) if matcher.lookups.content else None
                if concept is not None and concept.template is None:
                    continue
                if concept is not None:
                    self.rules.add(concept.index)
                self._add_data_set(item.elements, inner, depth + 1)

    def add_meta(self, meta: Scope) -> None:
        """Add what the rules leave of the file meta and the preamble."""
        basis, substitution = self.basis, self.substitution
        file, rules = substitution.file, substitution.rules
        for element in file.meta:
            tag = element.tag
            keepers = basis.keepers(tag, meta)
            self.rules.update(keepers)
            follows = tag in FOLLOWERS and substitution.file_meta.followed(tag, None) is not None
            is_hit = tag in rules.meta or follows
            is_hit = is_hit or (rules.remove_unknown and dictionary.is_unknown(tag))
            if basis.identifies(tag) and not is_hit and _holds_something(element, meta):
                self.remaining[Remaining(tag, 0, bool(keepers))] += 1
        has_preamble = file.meta_start > PREAMBLE and not rules.zero_preamble
        if has_preamble and any(file.source.read(0, PREAMBLE)):
            self.remaining[Remaining(PREAMBLE_TAG, 0, is_kept=False)] += 1


def element_change(basis: SurveyBasis, change: Change) -> ElementChange:
    """What a survey tells of a change."""
    tag, action = change.note
    original, length, shown = 0, 0, ""
    if change.element is not None:
        original, length, shown = basis.original(change.element, change.scope)
    text = _text_of(change)
    result = basis.digest(text)
    quotes = change.follows or (change.rule is not None and basis.quotes(change.rule))
    quotes = quotes or (bool(result) and original == result) or (len(shown) > 3 and shown in text)
    show_values = basis.survey_options.show_values
    return ElementChange(
        tag,
        _depth_of(change.scope),
        action.value,
        original,
        result,
        length,
        "" if quotes and not show_values else short(text),
        short(shown) if show_values else "",
        change.is_same and bool(original),
    )


def _text_of(change: Change) -> str:
    """What stands there now, or how many items do."""
    items = change.rule.items if change.rule is not None else ()
    if items and change.note[1] in (Action.SUBSTITUTED, Action.INSERTED):
        return "(1 item)" if len(items) == 1 else f"({len(items)} items)"
    return "\\".join(change.texts)


def _depth_of(scope: Scope) -> int:
    depth = 0
    while scope.parent is not None:
        depth, scope = depth + 1, scope.parent
    return depth


def _holds_something(element: Element, scope: Scope) -> bool:
    size = element.stop - element.value
    return size > SHOWN_MOST or bool(scope.raw(element).strip(b"\0 "))


def _raw(scope: Scope, tag: int) -> bytes:
    element = scope.elements.get(tag)
    return scope.raw(element) if element is not None else b""


def short(text: str) -> str:
    """A text, cut if it is long."""
    return text if len(text) <= SHOWN_MOST else text[: SHOWN_MOST - 1] + "…"
