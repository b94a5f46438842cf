"""A spec to rules: which key wins, and what is wrong with it.

Strength, weakest first: the pairs of a profile, then those of the user; among the pairs of
one of them keys with x digits in the order of writing, explicit keys, ``re:`` keys in the
order of writing, then keys of content items, those with a value type last. The strongest that
hits an element wins (behaviour-3.1.1 A.10).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from ..core.errors import SpecError
from ..dicom import dictionary
from ..dicom.character_sets import assumed_set
from ..text.quoting import shortened
from .content_items import VALUE_ELEMENTS
from .function_types import NO_RESOURCES, Resources, SecretUse
from .functions import FUNCTIONS
from .keys import (
    PRIVATE_KEY,
    ContentItemKey,
    EveryPrivateKey,
    EveryRestKey,
    EveryTextKey,
    EveryUnknownKey,
    Key,
    KeywordKey,
    MaskKey,
    PatternKey,
    PreambleKey,
    PrivateKey,
)
from .literals import check_added, check_items, check_literal, check_literal_of_many, literals_of
from .lookalikes import find_lookalikes, find_unevaluated
from .output_names import DIRECTORY_KEY, STEM_KEY, directories_of, stem_of
from .parsing import Added, Items, Layer, Pair, TagSpec
from .rules import PrivateRule, Rule, RuleSet
from .templates import SELF_SOURCE, Template, parse_template

COMMAND_GROUP = 0x0000
CLEAN = "%_clean_#tag"

_WHOLE_PATTERNS = frozenset({"", ".", ".*", ".+", "^.*", "^.+", ".*$", ".+$", "^.*$", "^.+$"})
"""Patterns that match every keyword."""

_NAMED_MOST = 5
"""How many of the keys that win over another are named."""

_KINDS = {
    EveryRestKey: -1,
    MaskKey: 0,
    EveryPrivateKey: 0,
    EveryUnknownKey: 0,
    EveryTextKey: 0,
    PreambleKey: 0,
    KeywordKey: 1,
    PrivateKey: 1,
    PatternKey: 2,
    ContentItemKey: 3,
}
"""How strong a kind of key is among the pairs of one layer."""


def compile_rules(
    spec: TagSpec,
    *,
    remove_private: bool = False,
    output_stem: str = "",
    output_dir: str = "",
    resources: Resources = NO_RESOURCES,
    assumed: str = "",
) -> RuleSet:
    """Compile a spec.

    Args:
        spec: its pairs.
        remove_private: remove every private element but those that a pair keeps.
        output_stem: the template that names the outputs; "" keeps the names.
        output_dir: the template that names the directories of the outputs; "" keeps them.
        resources: what the functions of templates need: the secret, the tables.
        assumed: the term of ``--assumeCharacterSet``; "" without one.

    Raises:
        SpecError: a template that is none, a literal that its VR does not allow, a
            function without what it needs.
    """
    pairs = sorted(spec.pairs, key=_strength)
    compiler = _Compiler(resources)
    rules = [_rule(index, pair) for index, pair in enumerate(pairs)]
    written = list(zip(pairs, rules, strict=True))
    for pair, rule in written:
        compiler.add(pair, rule)
    compiler.warn_of_the_idle(pairs, rules)
    compiler.warn_of_lookalikes(pairs, output_stem, output_dir)
    if remove_private:
        compiler.remove_private_elements()
    stem = stem_of(output_stem)
    directories = directories_of(output_dir)
    names = (*([(STEM_KEY, stem)] if stem else []), *((DIRECTORY_KEY, one) for one in directories))
    compiler.warn_of_shown(names)
    templates = (*(rule.template for rule in rules if rule.template), *(one for _, one in names))
    compiler.check_needs([*((rule.key, rule.template) for rule in rules), *names])
    return RuleSet(
        table=compiler.table,
        groups=compiler.groups | compiler.commands(),
        meta=compiler.meta,
        private=tuple(compiler.private.values()),
        insertions=tuple(sorted(compiler.insertions.items())),
        sources=frozenset(
            tag
            for template in templates
            for directive in template.directives
            for tag in (*directive.source, *directive.seed)
            if tag != SELF_SOURCE and not template.keeps
        ),
        remove_private=compiler.removes_private,
        zero_preamble=compiler.zero_preamble,
        stem=stem,
        templates=templates,
        resources=resources,
        warnings=tuple(compiler.warnings),
        digest=(effective(spec, remove_private=True) if remove_private else spec).digest,
        directories=directories,
        keys=tuple((pair.text, pair.layer is Layer.SPEC) for pair in pairs),
        keepers=tuple((rule.index, pair.key) for pair, rule in written if _keeps_some(rule)),
        private_removers=tuple(
            rule.index
            for pair, rule in written
            if isinstance(pair.key, EveryPrivateKey | EveryRestKey) and not rule.keeps
        ),
        preamble_zeroers=tuple(rule.index for pair, rule in written if isinstance(pair.key, PreambleKey)),
        assumed=assumed_set(assumed),
        remove_unknown=compiler.removes_unknown,
        unknown_removers=tuple(
            rule.index
            for pair, rule in written
            if isinstance(pair.key, EveryUnknownKey | EveryRestKey) and not rule.keeps
        ),
        content=tuple(compiler.content.items()),
        texts=compiler.texts,
    )


def _strength(pair: Pair) -> tuple[int, int]:
    kind = _KINDS[type(pair.key)]
    return pair.layer, kind + bool(isinstance(pair.key, ContentItemKey) and pair.key.value_type)


def effective(spec: TagSpec, *, remove_private: bool = False) -> TagSpec:
    """The same spec without the pairs of a profile that pairs of the user override.

    All of it may then stand in one layer, as ``--printSpec`` prints it.

    Args:
        spec: its pairs.
        remove_private: remove every private element but those that a pair keeps.
    """
    if remove_private:
        spec = TagSpec((*_without_private(spec.pairs), Pair(PRIVATE_KEY, EveryPrivateKey(), None)))
    user = [pair.key for pair in spec.pairs if pair.layer is Layer.SPEC]
    names = {tag for key in user if isinstance(key, KeywordKey | MaskKey) for tag in key.tags}
    groups = {group for key in user if isinstance(key, MaskKey) for group in key.groups}
    others = {key for key in user if not isinstance(key, KeywordKey | MaskKey | PatternKey)}

    def is_overridden(key: Key) -> bool:
        if EveryRestKey() in others and not _is_stamp(key):
            return True
        match key:
            case KeywordKey(tags):
                return all(tag in names or tag >> 16 in groups for tag in tags)
            case MaskKey(own_groups, tags):
                covered = all(tag in names or tag >> 16 in groups for tag in tags)
                return covered and groups.issuperset(own_groups)
            case PrivateKey(group):
                return key in others or group in groups
            case _:
                return key in others

    kept = (pair for pair in spec.pairs if pair.layer is Layer.SPEC or not is_overridden(pair.key))
    return TagSpec(tuple(sorted(kept, key=_strength)))


def _is_stamp(key: Key) -> bool:
    """Whether a key of a profile says what was done to a file, and not what becomes of its elements."""
    return isinstance(key, PreambleKey) or (
        isinstance(key, KeywordKey) and dictionary.STAMPS.issuperset(key.tags)
    )


def _without_private(pairs: Iterable[Pair]) -> Iterator[Pair]:
    """The pairs as ``--removePrivateTags`` leaves them."""
    pairs = tuple(pairs)
    kept_groups = {group for pair in pairs if not _is_of_private(pair) for group in _groups_of(pair.key)}
    for pair in pairs:
        if not _is_of_private(pair):
            yield pair
        elif not kept_groups.isdisjoint(_groups_of(pair.key)):
            yield replace(pair, value=None)  # what keeps others of the group would keep it


def _groups_of(key: Key) -> set[int]:
    """The groups of what a key names."""
    match key:
        case KeywordKey(tags):
            return {tag >> 16 for tag in tags}
        case MaskKey(groups, tags):
            return {*groups, *(tag >> 16 for tag in tags)}
        case PrivateKey(group):
            return {group}
        case _:
            return set()


def _is_of_private(pair: Pair) -> bool:
    """Whether a pair is for private elements alone, and keeps none."""
    match pair.key:
        case KeywordKey(tags):
            odd = all(tag >> 16 & 1 for tag in tags)
        case MaskKey(groups, tags):
            odd = all(group & 1 for group in (*groups, *(tag >> 16 for tag in tags)))
        case PrivateKey() | EveryPrivateKey():
            odd = True
        case _:
            odd = False
    return odd and not (isinstance(pair.value, str) and parse_template(pair.value, pair.text).keeps)


class _Compiler:
    """What the pairs come to, taken from the weakest to the strongest."""

    def __init__(self, resources: Resources) -> None:
        self.resources = resources
        self.table: dict[int, Rule] = {}
        self.groups: dict[int, Rule] = {}
        self.meta: dict[int, Rule] = {}
        self.private: dict[PrivateKey, PrivateRule] = {}
        self.insertions: dict[int, Rule] = {}
        self.content: dict[ContentItemKey, Rule] = {}
        self.texts: Rule | None = None
        self.removes_private = False
        self.removes_unknown = False
        self.removes_rest = False
        self.zero_preamble = False
        self.warnings: list[str] = []
        self._layers: dict[int, tuple[Layer, Rule]] = {}
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
        for tag in tags:
            layer, other = self._layers.get(tag, (None, None))
            if layer is pair.layer and other is not None:
                raise SpecError(f"{rule.key} and {other.key} name the same element")
            self._layers[tag] = pair.layer, rule
            self.insertions.pop(tag, None)
        if tags[0] >> 16 == 0x0002:
            self.meta.pop(tags[0], None)
            if not rule.keeps:
                self.meta[tags[0]] = rule
        self._hit(tags, rule)  # elements of the file meta may have strayed into a data set
        if rule.template is not None and _is_insertable(tags, rule):
            self.insertions[tags[0]] = rule

    def _hit(self, tags: Iterable[int], rule: Rule) -> None:
        """Let a rule win over the weaker ones.

        One that keeps only hides a rule of the group, or that of all private elements or texts, and
        what would be inserted.
        """
        for tag in tags:
            self._winners[tag] = rule
            is_hidden = tag >> 16 in self.groups or tag >> 16 & 1 or tag in self.insertions
            is_hidden = is_hidden or self.texts is not None
            if is_hidden or not _leaves_alone(rule, tag):
                self.table[tag] = rule
            else:
                self.table.pop(tag, None)

    def warn_of_the_idle(self, pairs: Iterable[Pair], rules: Iterable[Rule]) -> None:
        """Warn of the user's keys that can win over no other for any element that a file has."""
        homes = (self._winners, self.groups)
        winning = {rule.index for home in homes for rule in home.values()}
        winning |= {private.rule.index for private in self.private.values()}
        inserting = {rule.index for rule in self.insertions.values()}
        for pair, rule in zip(pairs, rules, strict=True):
            is_special = isinstance(
                pair.key,
                EveryPrivateKey
                | EveryRestKey
                | EveryUnknownKey
                | EveryTextKey
                | PreambleKey
                | ContentItemKey,
            )
            if pair.layer is not Layer.SPEC or is_special or rule.index in winning:
                continue
            stronger = self._stronger_than(pair.key)
            named = f" ({', '.join(one.key for one in stronger[:_NAMED_MOST])})" if stronger else ""
            cure = _cure_of(pair, stronger)
            if rule.index in inserting:
                # A pattern is for what a file holds: it does not keep an explicit key from stamping.
                self.warnings.append(
                    f"{rule.key} only stamps files that lack the element: later or stronger keys{named} hit "
                    f"it where a file has it{cure}"
                )
            else:
                self.warnings.append(
                    f"{rule.key} has no effect: later or stronger keys hit all of its elements{named}{cure}"
                )

    def warn_of_lookalikes(self, pairs: Iterable[Pair], output_stem: str, output_dir: str) -> None:
        """Warn of what in the user's templates looks like a directive and is none."""
        for pair in pairs:
            key = shortened(pair.text)
            if pair.layer is Layer.SPEC and isinstance(pair.value, Items):
                for keyword, text in _texts_of(pair.value):
                    self.warnings.extend(find_unevaluated(text, f"{key}: {keyword} in its items"))
            elif pair.layer is Layer.SPEC and pair.value:
                text = pair.value.text if isinstance(pair.value, Added) else str(pair.value)
                self.warnings.extend(find_lookalikes(text, key))
        for flag, text in ((STEM_KEY, output_stem), (DIRECTORY_KEY, output_dir)):
            self.warnings.extend(find_lookalikes(text, flag))

    def _stronger_than(self, key: Key) -> list[Rule]:
        """The rules that win over a key that wins nothing, the strongest last."""
        tags = key.tags if isinstance(key, KeywordKey | MaskKey | PatternKey) else ()
        groups = {key.group} if isinstance(key, PrivateKey) else {tag >> 16 for tag in tags}
        if isinstance(key, MaskKey):
            groups |= set(key.groups)
        found = {rule.index: rule for tag in tags if (rule := self._winners.get(tag)) is not None}
        found |= {rule.index: rule for group in groups if (rule := self.groups.get(group)) is not None}
        return [found[index] for index in sorted(found)]

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

    def warn_of_shown(self, names: Iterable[tuple[str, Template]]) -> None:
        """Warn of original values that names of outputs show."""
        shown: dict[str, set[str]] = {}
        for flag, template in names:
            for directive in template.directives:
                for tag in () if directive.function else directive.source:
                    if tag in self.table or tag in self.meta or tag >> 16 in self.groups:
                        shown.setdefault(flag, set()).add(dictionary.label_of(tag))
        for flag, labels in shown.items():
            self.warnings.append(
                f"{flag} puts original values of {', '.join(sorted(labels))}, which the spec replaces, "
                "into the names of the outputs; a function such as %_hmac|8_ hides them"
            )

    def check_needs(self, templates: Iterable[tuple[str, Template | None]]) -> None:
        """Check that the functions have what they need; warn once of those that want a secret.

        Raises:
            SpecError: one has not.
        """
        keyless: dict[str, None] = {}
        for key, template in templates:
            for directive in template.directives if template else ():
                if not directive.function:
                    continue
                function = FUNCTIONS[directive.function]
                if problem := function.find_problem(directive.arguments, self.resources):
                    raise SpecError(f"{key}: {directive.function}: {problem}")
                if function.secret is SecretUse.USED and self.resources.secret is None:
                    keyless[directive.function] = None
        said = []
        if guessed := [name for name in keyless if name != "dummy"]:
            made = ", ".join(guessed)
            said.append(f"whoever knows or guesses an original value can find out what {made} made of it")
        if "dummy" in keyless:
            said.append("every patient gets the same dummy, as PatientID under a profile")
        if said:
            self.warnings.append(
                f"no secret key: {', and '.join(said)}; give a key with --keyFile or PFDICOM_TAGSUB_KEY"
            )


def _texts_of(items: Items) -> Iterator[tuple[str, str]]:
    """The literals of items at any depth, each with its keyword."""
    for item in items.items:
        for keyword, value in item:
            if isinstance(value, Items):
                yield from _texts_of(value)
            else:
                yield keyword, value


def _cure_of(pair: Pair, stronger: Sequence[Rule]) -> str:
    """How to let an explicit key win over a pattern, where that can be said in short."""
    if len(stronger) != 1 or not isinstance(pair.key, KeywordKey) or not pair.text.isalnum():
        return ""
    prefix, _, pattern = stronger[0].key.partition(":")
    is_plain = prefix == "re" and not pattern.startswith("(?") and "..." not in pattern
    if not is_plain or not dictionary.is_keyword(pair.text):
        return ""
    if pattern in _WHOLE_PATTERNS and stronger[0].template is None:
        return '; to remove all but what other keys name write "rest": null instead of the pattern'
    inner = f"(?:{pattern})" if "|" in pattern else pattern
    return f"; to leave it out of the pattern write re:(?!{pair.text}$){inner}"


def _rule(index: int, pair: Pair) -> Rule:
    key = shortened(pair.text)
    if isinstance(pair.value, Items):
        items = literals_of(pair.value, key)
        inserts, adds = pair.value.inserts, pair.value.adds
        return Rule(index, key, parse_template("", key), items, inserts, adds)
    if isinstance(pair.value, Added):
        return Rule(index, key, parse_template(pair.value.text, key), adds=True)
    template = None if pair.value is None else parse_template(pair.value, key)
    return Rule(index, key, template)


def _keeps_some(rule: Rule) -> bool:
    """Whether a rule leaves alone elements that it hits, all of them or the sequences."""
    return rule.template is not None and (rule.template.keeps or rule.template.cleans)


def _leaves_alone(rule: Rule, tag: int) -> bool:
    """Whether a rule does nothing to an element itself: a sequence to be cleaned is entered."""
    cleans = rule.template is not None and rule.template.cleans
    return rule.keeps or (cleans and dictionary.vr_of(tag) == "SQ")


def _is_insertable(tags: tuple[int, ...], rule: Rule) -> bool:
    """A single public element; of sequences one with items, as an empty one would stamp nothing."""
    if len(tags) != 1 or tags[0] >> 16 & 1 or rule.keeps or not rule.inserts:
        return False
    return bool(rule.items) or dictionary.vr_of(tags[0]) != "SQ"
