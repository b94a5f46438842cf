"""Which rule hits an element, asked of a compiled spec for data sets that pydicom read.

The engine has its own answer to the same question (``substitution.py``); this one is worked out apart
from it, so that verification finds where they differ.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from pydicom.datadict import private_dictionary_VR

from ..dicom import dictionary
from ..spec.content_items import (
    CODE_VALUES,
    CODING_SCHEME,
    CONCEPT_NAME,
    NUMBERS,
    VALUE_TYPE,
    VALUES,
    ContentRules,
    stronger,
)
from ..spec.keys import KeywordKey, MaskKey, PatternKey, VRKey
from ..spec.rules import Rule, RuleSet
from .entries import REST, DataSet, Entry
from .sequence_reading import is_sequence, items_of, raw_value


class Effect(Enum):
    """What a spec does to an element."""

    NONE = "none"
    REMOVED = "removed"
    CHANGED = "changed"
    ADDED = "added"


FOLLOWED = {
    dictionary.MEDIA_STORAGE_SOP_INSTANCE_UID: dictionary.SOP_INSTANCE_UID,
    dictionary.MEDIA_STORAGE_SOP_CLASS_UID: dictionary.SOP_CLASS_UID,
}
"""What the file meta repeats of the data set (PS3.10 7.1)."""

NO_RULE = (Effect.NONE, None)
REMOVED_UNKNOWN = (Effect.REMOVED, None)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a data set is.

    Attributes:
        above: the names of the sequences around it, such as ``RequestAttributesSequence[0].``.
        is_root: whether it is no item.
        is_record: whether it is a record of a DICOMDIR.
        content: the rule for the content item that it is.
        numbers: that for the item that its numbers are the value of, which may be the one around it.
        inner: what the keys of the sequences around it say of what is in their items, the innermost first.
    """

    above: str = ""
    is_root: bool = True
    is_record: bool = False
    content: Rule | None = None
    numbers: Rule | None = None
    inner: tuple[ExpectedRules, ...] = ()


class ExpectedRules:
    """The answers for one compiled spec."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.claims = rules.claims_identity_removed
        self.insertions = frozenset([tag for tag, _ in rules.insertions if tag >> 16 != 0x0002])
        self.by_creator = {
            (one.key.group, one.key.creator, one.key.element): one.rule for one in rules.private
        }
        self.numbers = {(group, number) for group, _, number in self.by_creator}
        self.removes_creators = rules.remove_private or any(
            group & 1 and rule.template is None for group, rule in rules.groups.items()
        )
        kept = {
            tag
            for _, key in rules.keepers
            if isinstance(key, KeywordKey | PatternKey | MaskKey | VRKey)
            for tag in key.tags
            if rules.table.get(tag) is None or rules.table[tag].keeps
        }
        if dictionary.SOP_INSTANCE_UID in kept:
            kept.add(dictionary.MEDIA_STORAGE_SOP_INSTANCE_UID)
        self.kept = frozenset(kept)
        """The tags of elements that a key, or an option of a profile, leaves as they are."""
        self.content = ContentRules(rules.content)
        self._public: dict[int, tuple[Effect, Rule | None]] = {}
        self.meta_insertions = {tag for tag, _ in rules.insertions if tag >> 16 == 0x0002}
        self.followers = {
            own for own, followed in FOLLOWED.items() if self.of_public(followed)[0] is not Effect.NONE
        }
        """What of the file meta repeats what is hit in the data set."""
        self.claims_private = bool(
            rules.remove_private
            or self.by_creator
            or rules.private_vrs
            or any(group & 1 for group in rules.groups)
            or any(tag >> 16 & 1 for tag in rules.table)
        )
        self._each = {rule.index: ExpectedRules(rule.each) for rule in rules.each if rule.each is not None}
        for inner in [*self._each.values()]:
            self._each |= inner._each
        self._patterns = tuple(self._pattern(little=little) for little in (True, False))

    def of(self, entry: Entry, data: DataSet, place: Place = Place()) -> tuple[Effect, Rule | None]:
        """What the spec does to an element of a data set, and by which rule; none where private
        elements go as they are private."""
        if entry.tag == REST:
            return NO_RULE
        found = self._found(entry, data, place)
        rule = found[1]
        adds = rule is not None and rule.adds and (place.is_root or entry.tag not in dictionary.STAMPS)
        if adds and rule is not None and is_sequence(entry, data) == bool(rule.items):
            return Effect.ADDED, rule
        if rule is not None and rule.walks and is_sequence(entry, data):
            return NO_RULE
        return found

    def inner_of(self, entry: Entry, data: DataSet, place: Place) -> tuple[ExpectedRules, ...]:
        """What the keys of a sequence, and of those around it, say of what is in its items."""
        if not self._each:
            return ()
        rule = self._found(entry, data, place)[1]
        if rule is None or rule.each is None:
            return place.inner
        return self._each[rule.index], *place.inner

    def _found(self, entry: Entry, data: DataSet, place: Place) -> tuple[Effect, Rule | None]:
        """The strongest rule for an element, whatever it is."""
        if not (entry.tag >> 16 & 1 and self.rules.remove_private):
            for inner in place.inner:
                found = inner._found(entry, data, Place())
                if by_vr := inner._public_vr(entry.tag):
                    found = _effect(stronger(found[1], by_vr))
                if found[1] is not None:
                    return found
        tag = entry.tag
        found = self._of_private(entry, data) if tag >> 16 & 1 else self.of_public(tag)
        if self.rules.unknown_vrs and dictionary.is_unknown(tag) and dictionary.is_replaceable(tag):
            by_vr = self.rules.unknown_vrs.get(known_vr(entry, data))
            found = _effect(stronger(found[1], by_vr)) if by_vr is not None else found
        if self.content and tag in VALUES:
            concept = place.numbers if tag in NUMBERS else place.content
            if concept is not None and concept.template is not None:
                found = _effect(stronger(found[1], concept))
        return found

    def _public_vr(self, tag: int) -> Rule | None:
        """The last written of the keys for VRs that the dictionary gives a public element."""
        strongest: Rule | None = None
        by_vr = self.rules.public_vrs
        if not by_vr or tag >> 16 & 1 or not dictionary.is_replaceable(tag):
            return None
        for vr in dictionary.vr_of(tag).split(" or "):
            rule = by_vr.get(vr)
            if rule is not None and (strongest is None or rule.index > strongest.index):
                strongest = rule
        return strongest

    def of_public(self, tag: int) -> tuple[Effect, Rule | None]:
        """What the spec does to a public element that is no sequence."""
        known = self._public.get(tag)
        if known is not None:
            return known
        rule = self.rules.table.get(tag)
        by_group = self.rules.groups.get(tag >> 16)
        if rule is None and by_group and tag & 0xFFFF and tag not in dictionary.NEVER_BY_PATTERN:
            rule = by_group
        known = _effect(rule)
        if rule is None and self.rules.remove_unknown and dictionary.is_unknown(tag):
            known = REMOVED_UNKNOWN
        self._public[tag] = known
        return known

    def content_rule(self, data: DataSet) -> Rule | None:
        """The rule for an item as a content item; None if it is none, or no key names it."""
        if not self.content:
            return None
        own = {entry.tag: entry for entry in data.entries}
        if CONCEPT_NAME not in own:
            return None
        value_type = _text(own[VALUE_TYPE], data) if VALUE_TYPE in own else ""
        codes: dict[int, str] = {}
        for item in items_of(own[CONCEPT_NAME], data)[:1] if is_sequence(own[CONCEPT_NAME], data) else ():
            codes = {
                entry.tag: _text(entry, item.data)
                for entry in item.data.entries
                if entry.tag in CODE_VALUES or entry.tag == CODING_SCHEME
            }
        values = [codes[tag] for tag in CODE_VALUES if codes.get(tag)]
        concept = values[0] if values else "", codes.get(CODING_SCHEME, "").casefold()
        return self.content.find(concept, value_type)

    def _of_private(self, entry: Entry, data: DataSet) -> tuple[Effect, Rule | None]:
        if not self.claims_private:
            return NO_RULE
        tag = entry.tag
        hit, rule = _effect(self.private_rule(entry, data))
        if rule is None and self.rules.remove_private:
            hit = Effect.REMOVED
        if hit is not Effect.NONE and _is_creator(tag) and self._is_needed(entry, data):
            return NO_RULE
        return hit, rule

    def private_rule(self, entry: Entry, data: DataSet) -> Rule | None:
        """The rule for a private element: by its number or its creator, or of its group or its VR."""
        tag = entry.tag
        group, number = tag >> 16, tag & 0xFF
        found = [self.rules.table.get(tag)]
        if tag & 0xF000 and (group, number) in self.numbers:
            found.append(self.by_creator.get((group, creator_of(tag, data), number)))
        named = [rule for rule in found if rule is not None]
        if named:
            return max(named, key=lambda rule: rule.index)
        by_group = self.rules.groups.get(group)
        if by_group is None or not tag & 0xFFFF or (_is_creator(tag) and by_group.template is not None):
            by_group = None
        if not self.rules.private_vrs or _is_creator(tag) or not dictionary.is_replaceable(tag):
            return by_group
        return stronger(by_group, self.rules.private_vrs.get(known_vr(entry, data)))

    def _is_needed(self, creator: Entry, data: DataSet) -> bool:
        """Whether a private creator says whose elements are that stay (PS3.5 7.8.1)."""
        if not self.removes_creators or is_sequence(creator, data):
            return False
        if data.needed is None:
            data.needed = self._needed_creators(data)
        return data.needed.get(creator.tag) == creator.start

    def _needed_creators(self, data: DataSet) -> dict[int, int]:
        """The private creators that say whose elements are that stay, and where each begins.

        Of elements with one tag the last one counts.
        """
        creators: dict[int, int] = {}
        blocks: set[int] = set()
        for entry in data.entries:
            tag = entry.tag
            if tag == REST or not tag >> 16 & 1:
                continue
            if _is_creator(tag):
                creators[tag] = max(entry.start, creators.get(tag, entry.start))
            elif tag & 0xF000:
                rule = self.private_rule(entry, data)
                if rule is not None and rule.template is not None:
                    blocks.add(tag >> 8)
        return {tag: start for tag, start in creators.items() if tag >> 16 << 8 | tag & 0xFF in blocks}

    def may_occur_in(self, value: bytes) -> bool:
        """Whether a sequence may hold an element that is hit; if it does, it is never missed."""
        is_sought = self.claims_private or self.rules.remove_unknown or self.rules.asks_for_more
        return is_sought or self.names_in(value)

    def names_in(self, value: bytes) -> bool:
        """Whether the tag of a public element that is hit may stand in bytes, in either byte order."""
        return any(inner.rules.public_vrs for inner in self._each.values()) or any(
            pattern.search(value) for pattern in self._patterns
        )

    def _pattern(self, *, little: bool) -> re.Pattern[bytes]:
        """The tags that are hit, as they are stored."""
        order = "little" if little else "big"
        numbers: dict[int, set[int]] = {group: set() for group in self.rules.groups}
        inner = (tag for one in self._each.values() for tag in one.rules.table)
        for tag in {*self.rules.table, *inner, *(VALUES | {CONCEPT_NAME} if self.content else ())}:
            numbers.setdefault(tag >> 16, set()).add(tag & 0xFFFF)
        parts = []
        for group, elements in numbers.items():
            head = re.escape(group.to_bytes(2, order))  # type: ignore[arg-type]
            if group in self.rules.groups:
                parts.append(head)
                continue
            stored = b"|".join(re.escape(one.to_bytes(2, order)) for one in sorted(elements))  # type: ignore[arg-type]
            parts.append(head + b"(?:" + stored + b")")
        return re.compile(b"|".join(parts) or b"(?!)", re.DOTALL)


def _text(entry: Entry, data: DataSet) -> str:
    return raw_value(entry, data).decode("latin-1").strip(" \0")


def _is_creator(tag: int) -> bool:
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


def _effect(rule: Rule | None) -> tuple[Effect, Rule | None]:
    if rule is None or rule.keeps:
        return Effect.NONE, rule
    return (Effect.REMOVED if rule.template is None else Effect.CHANGED), rule


def creator_of(tag: int, data: DataSet) -> str:
    """The private creator of an element; "" if it has none."""
    if not tag >> 16 & 1 or not tag & 0xF000:
        return ""
    wanted = tag & 0xFFFF0000 | (tag & 0xFF00) >> 8
    found = ""
    for entry in data.with_tag(wanted):
        value = raw_value(entry, data)
        texts = value.decode("latin-1") if value.isascii() else _decoded(value, data)
        found = texts.strip(" \0") if "\\" not in texts else ""  # a creator is one value (PS3.5 7.8.1)
    return found


def known_vr(entry: Entry, data: DataSet) -> str:
    """The VR of an element, by the dictionaries where none is stored; UN where none of them knows it."""
    vr = entry.vr
    if vr not in {"", "UN"}:
        return vr
    vr = dictionary.vr_of(entry.tag)
    if not vr and entry.tag >> 16 & 1:
        try:
            vr = private_dictionary_VR(entry.tag, creator_of(entry.tag, data))
        except KeyError:
            vr = ""
    if vr.startswith("US or SS"):
        signed = data.with_tag(dictionary.PIXEL_REPRESENTATION)
        return "SS" if signed and any(raw_value(signed[-1], data)) else "US"
    return (vr or "UN").split(" or ")[0]


def _decoded(value: bytes, data: DataSet) -> str:
    from pydicom.charset import decode_bytes  # noqa: PLC0415
    from pydicom.valuerep import TEXT_VR_DELIMS  # noqa: PLC0415

    return decode_bytes(value, list(data.encodings), TEXT_VR_DELIMS)
