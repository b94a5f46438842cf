"""What of a spec every pass over a file asks for, in the form in which it asks."""

from __future__ import annotations

from ..dicom.dictionary import SPECIFIC_CHARACTER_SET
from ..dicom.embedded_overlays import GROUPS, described
from ..spec.content_items import VALUES, ContentRules
from ..spec.rules import Rule, RuleSet
from ..spec.templates import SELF_SOURCE, Template, parse_template

DUMMY = Rule(-1, "DICOMDIR", parse_template("%_dummy|patientID_#tag", "DICOMDIR"))


EMPTY = Rule(-2, "DICOMDIR", parse_template("%_empty_#tag", "DICOMDIR"))
"""What becomes of elements that a record has to hold, where a rule removes or empties them."""


class Lookups:
    """What of a spec every pass asks for, in the form in which it asks.

    Attributes:
        rules: the compiled spec.
        claims: whether outputs say that no identity is left.
        asks_for_vrs: whether the VR of an element may decide which rule hits it.
        asks_for_more: whether that, or the sequence that it is in, may.
        blocks: (group, last two digits) of the private keys.
        private: (group, creator, last two digits) to the rule of a private key.
        creators_matter: whether some private element stays though private ones are removed.
        drops_private: whether every private element is removed.
        overlays: the groups of overlays that a rule removes.
        insertions: those of the rules that may insert something into the data set.
        meta_insertions: those for the file meta.
        content: the rules for content items.
        each: the index of a rule for a sequence to what there is for its items.
        reads: the index of a rule to the sources and seeds of its template, each the tags
            that may hold it.
        file_reads: the index of a rule to the seeds that are of the whole file, likewise.
        context: all of these once.
        context_tags: the tags among them, and what says how text is read.
        kept_overlays: the other groups of overlays, where outputs say that no identity is left, or pixels are
            cleaned.
        overlay_tags: the tags that say where overlays of these groups are.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        odd = any(tag >> 16 & 1 for tag in rules.table) or any(group & 1 for group in rules.groups)
        removes = rules.remove_private or any(
            group & 1 and rule.template is None for group, rule in rules.groups.items()
        )
        self.claims = rules.claims_identity_removed
        self.asks_for_vrs = bool(rules.private_vrs or rules.unknown_vrs)
        self.asks_for_more = rules.asks_for_more
        self.creators_matter = removes and (odd or bool(rules.private or rules.private_vrs))
        self.drops_private = rules.remove_private and not self.creators_matter
        inserting = [(tag, rule) for tag, rule in rules.insertions if _may_insert(rule.template)]
        self.insertions = [(tag, rule) for tag, rule in inserting if tag >> 16 != 0x0002]
        self.meta_insertions = [(tag, rule) for tag, rule in inserting if tag >> 16 == 0x0002]
        self.overlays = frozenset(filter(self._removes_overlay, GROUPS))
        tells_of_pixels = self.claims or rules.pixels is not None
        self.kept_overlays = frozenset(GROUPS) - self.overlays if tells_of_pixels else frozenset()
        groups = self.overlays | self.kept_overlays
        self.overlay_tags = frozenset(tag for group in groups for tag in described(group))
        self.private = {
            (private.key.group, private.key.creator, private.key.element): private.rule
            for private in rules.private
        }
        self.content = ContentRules(rules.content)
        self.blocks = {(group, element) for group, _, element in self.private}
        every = (
            *rules.table.values(),
            *rules.groups.values(),
            *rules.meta.values(),
            *self.private.values(),
            *dict(rules.content).values(),
            *rules.private_vrs.values(),
            *rules.unknown_vrs.values(),
            *rules.public_vrs.values(),
            *([rules.texts] if rules.texts else []),
            DUMMY,
            EMPTY,
        )
        templates = {
            rule.index: rule.template for rule in (*every, *dict(rules.insertions).values()) if rule.template
        }
        self.each = {rule.index: Lookups(rule.each) for rule in rules.each if rule.each is not None}
        self.reads = {index: _reads(template) for index, template in templates.items()}
        self.file_reads = {index: _file_reads(template) for index, template in templates.items()}
        for inner in self.each.values():
            self.reads |= inner.reads
            self.file_reads |= inner.file_reads
        read = (*self.reads.values(), *self.file_reads.values())
        self.context = tuple(dict.fromkeys(tags for each in read for tags in each if tags != (SELF_SOURCE,)))
        self.context_tags = frozenset(tag for tags in self.context for tag in tags) | {SPECIFIC_CHARACTER_SET}

    def is_fixed(self, tag: int) -> bool:
        """Whether the rule that hits a tag depends on no private creator, content item or sequence around."""
        if self.each:
            return False
        if tag >> 16 & 1:
            return (tag >> 16, tag & 0xFF) not in self.blocks
        return not (self.content and tag in VALUES)

    def _removes_overlay(self, group: int) -> bool:
        """Whether a rule removes or replaces what an overlay of this group shows, or where it says it is."""
        _, position, data = described(group)
        for tag in (position, data):
            rule = self.rules.table.get(tag) or self.rules.groups.get(group)
            if rule is not None and not rule.keeps:
                return True
        return False


def _reads(template: Template) -> tuple[tuple[int, ...], ...]:
    """The sources and seeds of a template that are looked up nearby, each the tags that may hold it."""
    found = []
    for directive in template.directives:
        found.append(directive.source)
        if directive.seed and not directive.seeded_on_file:
            found.append(directive.seed)
    return tuple(found)


def _file_reads(template: Template) -> tuple[tuple[int, ...], ...]:
    """The seeds of a template that are of the whole file."""
    return tuple(directive.seed for directive in template.directives if directive.seeded_on_file)


def _may_insert(template: Template | None) -> bool:
    """Whether a template can make an element where there is none."""
    return template is not None and all(
        directive.source != (SELF_SOURCE,) for directive in template.directives
    )
