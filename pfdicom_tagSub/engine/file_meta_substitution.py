"""The file meta and the preamble of one file: the rules applied to them, and what follows the data set."""

from __future__ import annotations

from typing import NamedTuple

from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.character_sets import UTF8
from ..dicom.edits import Edit
from ..dicom.elements import Element
from ..dicom.file import PREAMBLE, PREFIX, DicomFile
from ..dicom.scope import Scope
from ..dicom.values import encode_element
from ..spec.rules import Rule
from .changes import Change, Changes
from .element_making import short_text
from .rule_application import RuleApplication
from .rule_index import Lookups

FOLLOWING = {
    dictionary.SOP_INSTANCE_UID: dictionary.MEDIA_STORAGE_SOP_INSTANCE_UID,
    dictionary.SOP_CLASS_UID: dictionary.MEDIA_STORAGE_SOP_CLASS_UID,
}
"""What the file meta repeats of the data set (PS3.10 7.1)."""

FOLLOWERS = {follower: source for source, follower in FOLLOWING.items()}


class FileMetaSubstitution:
    """The part of a pass after the data set.

    Attributes:
        zeroes_preamble: whether the preamble was overwritten.
    """

    def __init__(
        self, lookups: Lookups, file: DicomFile, root: Scope, meta: Scope, application: RuleApplication
    ) -> None:
        """Args:
        lookups: the spec.
        file: the file.
        root: the data set.
        meta: the file meta.
        application: applies rules; its changes are those of the data set so far.
        """
        self.lookups = lookups
        self.rules = lookups.rules
        self.file = file
        self.root = root
        self.scope = meta
        self.application = application
        self.changes: Changes = application.changes
        self.zeroes_preamble = False
        self._root_texts: dict[int, tuple[str, ...]] = {}

    def apply(self, present: set[int], syntax: str = "") -> None:
        """Apply the rules, and let the file meta follow the data set.

        Args:
            present: the tags that rules hit so far.
            syntax: the new transfer syntax; "" where it stays.
        """
        self._zero_preamble()
        if not self.file.meta:
            return
        self._root_texts = self.changes.texts_of(FOLLOWING, self.root)
        rules = self.rules.meta
        drops_unknown = self.lookups.claims or self.rules.remove_unknown
        growth = 0
        for element in self.file.meta:
            tag = element.tag
            if syntax and tag == dictionary.TRANSFER_SYNTAX_UID:
                growth += self._other_syntax(element, syntax)
            elif tag in rules or tag in FOLLOWERS:
                growth += self._element(element, rules.get(tag), present)
            elif drops_unknown and dictionary.is_unknown(tag):
                # Nobody can say whom it names (PS3.15 E.1.1 replaces all file meta).
                growth += self.changes.remove(element, self.scope)
        for tag, rule in self.lookups.meta_insertions:
            if tag not in present:
                growth += self._insert(rule, tag)
        first = self.file.meta[0]
        if growth and first.tag == dictionary.FILE_META_GROUP_LENGTH:
            self.changes.set_length(first.value, self.file.meta_stop - first.end + growth, little=True)

    def _other_syntax(self, element: Element, syntax: str) -> int:
        """Say that pixels are compressed otherwise now; returns by how many bytes the element grew."""
        data = encode_element(
            element.tag, "UI", (syntax,), UTF8, implicit=self.scope.encoding.implicit, little=True
        )
        note = self.changes.note(element.tag, Action.SUBSTITUTED)
        self.changes.add(Change(note, self.scope, element, (syntax,), follows=True))
        return self.changes.replace(element, data)

    def _zero_preamble(self) -> None:
        """Overwrite the preamble, which may hold anything (PS3.10 7.1), with zeros."""
        has_one = self.rules.zero_preamble and self.file.meta_start == PREAMBLE + len(PREFIX)
        self.zeroes_preamble = has_one and any(self.file.source.read(0, PREAMBLE))
        if self.zeroes_preamble:
            self.changes.edits.append(Edit(0, PREAMBLE, bytes(PREAMBLE)))

    def _element(self, element: Element, rule: Rule | None, present: set[int]) -> int:
        """Apply a rule to an element, or let it follow; returns by how many bytes it grew."""
        tag = element.tag
        if rule is not None:
            present.add(tag)
        texts = self.followed(tag, rule) if tag in FOLLOWERS else None
        if texts is not None:
            return self._follow(element, texts, rule)
        if rule is None:
            return 0
        apply = self.application.add_texts if rule.adds else self.application.apply
        return apply(rule, element, self.scope)

    def _insert(self, rule: Rule, tag: int) -> int:
        data = self.application.inserted(rule, tag, self.scope)
        later = [element.start for element in self.file.meta if element.tag > tag]
        return self.changes.insert(later[0] if later else self.file.meta_stop, data) if data else 0

    def followed(self, tag: int, rule: Rule | None) -> tuple[str, ...] | None:
        """The texts that an element of the file meta takes over; None if it does not follow.

        Args:
            tag: its tag.
            rule: the rule that hits it. What a user asks of the file meta itself in so many
                words is done; else the two are one UID, whatever they were (PS3.10 7.1).
        """
        source = FOLLOWERS[tag]
        if rule is not None and self.rules.keys[rule.index][1] and _is_in_so_many_words(rule):
            return None
        if source in self._root_texts:
            return self._root_texts[source]
        own = self.root.elements.get(source)
        if rule is not None:
            return self.root.value(own).texts if own is not None and not rule.keeps else None
        lacking = self.rules.table.get(source) or self.rules.groups.get(source >> 16)
        if own is None and lacking is not None and not lacking.keeps:
            return ()  # the original must not stay where the data set has none to follow
        return None

    def _follow(self, element: Element, texts: tuple[str, ...], rule: Rule | None) -> int:
        """Give an element the texts of another; returns by how many bytes it grew."""
        following = following_element(element, texts, rule, self.scope)
        if following.action is not None:
            note = self.changes.note(element.tag, following.action)
            original, is_same = following.original, following.is_same
            self.changes.add(Change(note, self.scope, element, texts, rule, original, is_same, follows=True))
        return 0 if following.is_same else self.changes.replace(element, following.data)


class FollowingElement(NamedTuple):
    """An element of the file meta that takes over the texts of another.

    Attributes:
        data: the whole new element.
        is_same: whether that is what stood there.
        action: what was done to it; None for nothing.
        original: the text that was replaced, if a path may hold it; else "".
    """

    data: bytes
    is_same: bool
    action: Action | None
    original: str


def following_element(
    element: Element, texts: tuple[str, ...], rule: Rule | None, scope: Scope
) -> FollowingElement:
    """What becomes of an element of the file meta that takes over the texts of another.

    Args:
        element: the element.
        texts: the texts.
        rule: the rule that hits it.
        scope: the file meta.
    """
    data = encode_element(element.tag, "UI", texts, UTF8, implicit=scope.encoding.implicit, little=True)
    is_same = data == scope.source.read(element.start, element.end)
    if rule is None and is_same:
        return FollowingElement(data, is_same, None, "")
    original = short_text(element, scope) if rule is not None and not is_same else ""
    return FollowingElement(data, is_same, Action.SUBSTITUTED if any(texts) else Action.EMPTIED, original)


def _is_in_so_many_words(rule: Rule) -> bool:
    """Whether a rule says what it makes without looking at what is there."""
    return rule.template is None or rule.template.keeps or rule.template.is_constant
