"""The rules of one set of pairs, by what they hit: taken from the weakest pair to the strongest."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.errors import SpecError
from ..dicom import dictionary
from .content_items import VALUE_ELEMENTS
from .keys import (
    ContentItemKey,
    EveryPrivateKey,
    EveryRestKey,
    EveryTextKey,
    EveryUnknownKey,
    KeywordKey,
    MaskKey,
    PatternKey,
    PreambleKey,
    PrivateKey,
    VRKey,
)
from .literals import check_added, check_items, check_literal, check_literal_of_many, check_literal_of_vr
from .pairs import Layer, Pair
from .rules import PrivateRule, Rule
from .spec_warnings import Winners

COMMAND_GROUP = 0x0000
CLEAN = "%_clean_#tag"


class RuleTable:
    """What the pairs come to, taken from the weakest to the strongest."""

    def __init__(self, *, is_inner: bool) -> None:
        self.is_inner = is_inner
        self.table: dict[int, Rule] = {}
        self.groups: dict[int, Rule] = {}
        self.meta: dict[int, Rule] = {}
        self.private: dict[PrivateKey, PrivateRule] = {}
        self.insertions: dict[int, Rule] = {}
        self.content: dict[ContentItemKey, Rule] = {}
        self.texts: Rule | None = None
        self.private_vrs: dict[str, Rule] = {}
        self.unknown_vrs: dict[str, Rule] = {}
        self.public_vrs: dict[str, Rule] = {}
        self.removes_private = False
        self.removes_unknown = False
        self.removes_rest = False
        self.zero_preamble = False
        self.warnings: list[str] = []
        self._layers: dict[int, tuple[tuple[Layer, int], Rule]] = {}
        self._winners: dict[int, Rule] = {}
        self._private_keeper: Rule | None = None

    def add(self, pair: Pair, rule: Rule) -> None:  # noqa: C901, PLR0912  (a case for each kind of key)
        """Add a pair that is stronger than all before it.

        Raises:
            SpecError: it cannot mean what it says.
        """
        check_items(rule, pair)
        check_added(rule, pair)
        match pair.key:
            case PrivateKey():
                self.private[pair.key] = PrivateRule(pair.key, rule)
            case MaskKey(groups, tags):
                check_literal_of_many(rule, [tag for tag in tags if dictionary.vr_of(tag)], self.warnings)
                for group in groups:
                    self._clear(group)
                    self.groups[group] = rule
                self._hit(tags, rule)
            case KeywordKey(tags):
                check_literal(rule, tags)
                self._add_explicit(pair, rule, tags)
            case PatternKey(keywords, tags):
                firsts = [dictionary.tags_of(keyword)[0] for keyword in keywords]
                check_literal_of_many(rule, firsts, self.warnings)
                self._hit(tags, rule)
            case EveryPrivateKey():
                if not rule.keeps and rule.template is not None:
                    raise SpecError(f"{rule.key}: its value is null, which removes them, or %_keep_#tag")
                self.removes_private = rule.template is None
                self._private_keeper = rule if rule.keeps else None
            case EveryUnknownKey():
                if not rule.keeps and rule.template is not None:
                    raise SpecError(f"{rule.key}: its value is null, which removes them, or %_keep_#tag")
                self.removes_unknown = rule.template is None
            case EveryRestKey():
                if pair.value is not None:
                    raise SpecError(f"{rule.key}: its value is null, which removes what no other key names")
                self._add_rest(rule)
            case ContentItemKey(value_type=value_type):
                if value_type in VALUE_ELEMENTS:
                    check_literal(rule, (VALUE_ELEMENTS[value_type],))
                self._add_content(pair.key, rule)
            case VRKey(vr, tags):
                check_literal_of_vr(rule, vr, tags, self.warnings)
                self._add_vr(vr, tags, rule)
            case EveryTextKey():
                if self.removes_rest and not rule.keeps:
                    raise SpecError(f"{rule.key}: rest removes what no other key names; give one of the two")
                if rule.template is None or not (rule.keeps or rule.template.text == CLEAN):
                    raise SpecError(f"{rule.key}: its value is {CLEAN} or %_keep_#tag")
                self.texts = None if rule.keeps else rule
            case PreambleKey():
                if pair.value != "":
                    raise SpecError(f'{rule.key}: its value is "", which makes it zeros')
                self.zero_preamble = True

    def _add_rest(self, rule: Rule) -> None:
        """Remove what no stronger rule names, but for what a profile stamps."""
        from .allow_list import REPEATING_GROUPS, rest_tags  # noqa: PLC0415  (for specs with this key alone)

        self.groups.update(dict.fromkeys(REPEATING_GROUPS, rule))
        self._hit(rest_tags() - (self.insertions.keys() & dictionary.STAMPS), rule)
        self.removes_private = self.removes_unknown = self.removes_rest = True

    def _add_vr(self, vr: str, tags: tuple[int, ...], rule: Rule) -> None:
        """Add a rule for elements of a VR; within items no table of them all, of which there may be many."""
        if self.is_inner:
            self.public_vrs[vr] = rule
        else:
            self._hit(tags, rule)
        self.private_vrs[vr] = self.unknown_vrs[vr] = rule

    def _add_content(self, key: ContentItemKey, rule: Rule) -> None:
        """Add a rule for content items; one for all types beats what a weaker layer says of some."""
        for known in list(self.content):
            if not key.value_type and (known.code, known.scheme) == (key.code, key.scheme):
                del self.content[known]
        self.content[key] = rule

    def _clear(self, group: int) -> None:
        """Drop what weaker pairs say of single elements of a group."""
        for home in (self.table, self._winners):
            for tag in [tag for tag in home if tag >> 16 == group]:
                del home[tag]
        for key in [key for key in self.private if key.group == group]:
            del self.private[key]

    def _add_explicit(self, pair: Pair, rule: Rule, tags: tuple[int, ...]) -> None:
        own = pair.layer, pair.block
        for tag in tags:
            layer, other = self._layers.get(tag, (None, None))
            if layer == own and other is not None:
                raise SpecError(f"{rule.key} and {other.key} name the same element")
            self._layers[tag] = own, rule
            self.insertions.pop(tag, None)
        if tags[0] >> 16 == 0x0002:
            self.meta.pop(tags[0], None)
            if not rule.keeps:
                self.meta[tags[0]] = rule
        self._hit(tags, rule)  # elements of the file meta may have strayed into a data set
        if rule.template is not None and not self.is_inner and _is_insertable(tags, rule):
            self.insertions[tags[0]] = rule

    def _hit(self, tags: Iterable[int], rule: Rule) -> None:
        """Let a rule win over the weaker ones.

        One that keeps only hides a rule of the group, or that of all private elements or texts, and
        what would be inserted.
        """
        for tag in tags:
            self._winners[tag] = rule
            is_hidden = tag >> 16 in self.groups or tag >> 16 & 1 or tag in self.insertions
            is_hidden = is_hidden or self.texts is not None or self.is_inner
            if is_hidden or not _leaves_alone(rule, tag):
                self.table[tag] = rule
            else:
                self.table.pop(tag, None)

    @property
    def winners(self) -> Winners:
        """What is left of the rules so far."""
        return Winners(self._winners, self.groups, self.private, self.insertions)

    def hits(self, tag: int) -> bool:
        """Whether a rule says what becomes of an element."""
        return tag in self.table or tag in self.meta or tag >> 16 in self.groups

    def commands(self) -> dict[int, Rule]:
        """What removes the elements of messages, such as the AE titles of who sent a file.

        They are in no file (PS3.7 E), and in no table of PS3.15: where outputs claim that no
        identity is left, they must not be either.
        """
        claims = dictionary.PATIENT_IDENTITY_REMOVED in self.insertions
        return {COMMAND_GROUP: Rule(-1, "(0000,xxxx)", None)} if claims else {}

    def remove_private_elements(self) -> None:
        """Let ``--removePrivateTags`` win over every pair but those that keep single elements."""
        if self._private_keeper is not None:
            self.warnings.append(
                f"{self._private_keeper.key} has no effect: --removePrivateTags removes private elements; "
                "leave that out, or keep single ones with --keepPrivate"
            )
        idle = [private.rule for private in self.private.values()]
        idle += dict.fromkeys(rule for tag, rule in self.table.items() if tag >> 16 & 1)
        idle += [rule for group, rule in self.groups.items() if group & 1]
        self.warnings += [
            f"{rule.key} has no effect: --removePrivateTags removes the element"
            for rule in idle
            if not rule.keeps
        ]
        self.removes_private = True
        self.private_vrs = {}
        self.groups = {group: rule for group, rule in self.groups.items() if not group & 1 or rule.keeps}

        # Where some key keeps, one that is stronger still has to say what goes.
        kept_groups = {group for group, rule in self.groups.items() if rule.keeps}
        kept_groups |= {tag >> 16 for tag, rule in self.table.items() if rule.keeps}
        kept_groups |= {key.group for key, one in self.private.items() if one.rule.keeps}

        def removing(group: int, rule: Rule) -> Rule | None:
            """What is left of a rule for a private element; None where it goes with all the others."""
            if rule.keeps:
                return rule
            return Rule(rule.index, rule.key, None) if group in kept_groups else None

        private = {key: removing(key.group, one.rule) for key, one in self.private.items()}
        self.private = {key: PrivateRule(key, rule) for key, rule in private.items() if rule}
        table = {
            tag: removing(tag >> 16, rule) if tag >> 16 & 1 else rule for tag, rule in self.table.items()
        }
        self.table = {tag: rule for tag, rule in table.items() if rule}
        self.insertions = {tag: rule for tag, rule in self.insertions.items() if not tag >> 16 & 1}


def _leaves_alone(rule: Rule, tag: int) -> bool:
    """Whether a rule does nothing to an element itself: a sequence to be cleaned is entered."""
    cleans = rule.template is not None and rule.template.cleans
    return rule.keeps or (cleans and dictionary.vr_of(tag) == "SQ")


def _is_insertable(tags: tuple[int, ...], rule: Rule) -> bool:
    """A single public element; of sequences one with items, as an empty one would stamp nothing."""
    if len(tags) != 1 or tags[0] >> 16 & 1 or rule.keeps or not rule.inserts:
        return False
    return bool(rule.items) or dictionary.vr_of(tags[0]) != "SQ"
