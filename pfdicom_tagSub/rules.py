"""A spec, compiled: which tag gets which template, and what a scan has to look for.

Strength, weakest first: explicit keys, then ``re:`` keys in the order of writing; the
last that hits an element wins (behaviour-3.1.1 A.10).
"""

from __future__ import annotations

from dataclasses import dataclass

from . import dictionary, values
from .directives import SELF_SOURCE, Directive, TagText, Template, parse_template
from .models import Action, FileError, SpecError
from .naming import safe_component
from .spec import KeywordKey, Pair, PatternKey, PrivateKey, TagSpec

STEM_KEY = "--outputFileStem"
DIRECTORY_KEY = "--outputDirTemplate"


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to the elements that one key hits.

    Attributes:
        index: the place of the key in the spec; the identity of the rule in caches.
        key: the key as written, for messages.
        template: what is written; None removes the element.
    """

    index: int
    key: str
    template: Template | None


@dataclass(frozen=True, slots=True)
class PrivateRule:
    """A rule for a private element, found through its creator."""

    key: PrivateKey
    rule: Rule


@dataclass(frozen=True)
class RuleSet:
    """A compiled spec; it is picklable and does not change.

    Attributes:
        table: tag of the data set to rule, for public elements and private tag numbers.
        meta: tag of the file meta (group 0002) to rule.
        private: the rules for private elements by creator.
        insertions: (tag, rule) that a file gets at the top level where it holds the
            element nowhere, in order of the tags.
        sources: the tags that templates read.
        remove_private: whether private elements are removed at every depth.
        stem: what names the outputs; None keeps the names.
        templates: every template, that of the names included.
        warnings: what the spec's author should know.
        digest: the spec's digest.
        directories: what names the directories of the outputs, one template for each
            component of their path; () keeps those of the inputs.
    """

    table: dict[int, Rule]
    meta: dict[int, Rule]
    private: tuple[PrivateRule, ...]
    insertions: tuple[tuple[int, Rule], ...]
    sources: frozenset[int]
    remove_private: bool
    stem: Template | None
    templates: tuple[Template, ...]
    warnings: tuple[str, ...]
    digest: str
    directories: tuple[Template, ...] = ()


def compile_rules(
    spec: TagSpec, *, remove_private: bool = False, output_stem: str = "", output_dir: str = ""
) -> RuleSet:
    """Compile a spec.

    Args:
        spec: its pairs.
        remove_private: remove every private element, whatever the pairs say.
        output_stem: the template that names the outputs; "" keeps the names.
        output_dir: the template that names the directories of the outputs; "" keeps them.

    Raises:
        SpecError: a template that is none, a literal that its VR does not allow.
    """
    rules = [_rule(index, pair) for index, pair in enumerate(spec.pairs)]
    table: dict[int, Rule] = {}
    meta: dict[int, Rule] = {}
    private: list[PrivateRule] = []
    insertions: dict[int, Rule] = {}
    warnings: list[str] = []

    for pair, rule in zip(spec.pairs, rules, strict=True):
        match pair.key:
            case PrivateKey():
                private.append(PrivateRule(pair.key, rule))
            case KeywordKey(tags):
                _check_literal(rule, tags)
                for tag in tags:
                    home = meta if tag >> 16 == 0x0002 else table
                    if tag in home:
                        raise SpecError(f"{rule.key} and {home[tag].key} name the same element")
                    home[tag] = rule
                if rule.template is not None and _is_insertable(tags):
                    insertions[tags[0]] = rule
    for pair, rule in zip(spec.pairs, rules, strict=True):
        if isinstance(pair.key, PatternKey):
            _check_pattern_literal(rule, pair.key.keywords, warnings)
            table.update(dict.fromkeys(pair.key.tags, rule))

    # A pattern is for what a file holds: it does not keep an explicit key from stamping.
    in_force = {rule.index for home in (table, meta, insertions) for rule in home.values()}
    in_force |= {p.rule.index for p in private}
    for rule in rules:
        if rule.index not in in_force:
            warnings.append(f"{rule.key} has no effect: later or stronger keys hit all of its elements")
    if remove_private:
        private_keys = [p.rule.key for p in private] + [
            rule.key for tag, rule in table.items() if tag >> 16 & 1
        ]
        warnings += [f"{key} has no effect: --removePrivateTags removes the element" for key in private_keys]
        private = []
        table = {tag: rule for tag, rule in table.items() if not tag >> 16 & 1}
        insertions = {tag: rule for tag, rule in insertions.items() if not tag >> 16 & 1}

    stem = _stem(output_stem)
    directories = _directories(output_dir)
    stems = (stem,) if stem else ()
    for flag, names in ((STEM_KEY, stems), (DIRECTORY_KEY, directories)):
        shown = {
            dictionary.label_of(tag)
            for name in names
            for directive in name.directives
            for tag in directive.source
            if not directive.function and (tag in table or tag in meta)
        }
        if shown:
            warnings.append(
                f"{flag} puts original values of {', '.join(sorted(shown))}, which the spec replaces, "
                "into the names of the outputs; a function such as %_md5|8_ hides them"
            )
    templates = tuple(rule.template for rule in rules if rule.template) + stems + directories
    return RuleSet(
        table=table,
        meta=meta,
        private=tuple(private),
        insertions=tuple(sorted(insertions.items())),
        sources=frozenset(
            tag
            for template in templates
            for directive in template.directives
            for tag in (*directive.source, *directive.seed)
            if tag != SELF_SOURCE
        ),
        remove_private=remove_private,
        stem=stem,
        templates=templates,
        warnings=tuple(warnings),
        digest=spec.digest,
        directories=directories,
    )


def _rule(index: int, pair: Pair) -> Rule:
    template = None if pair.value is None else parse_template(pair.value, pair.text)
    return Rule(index, pair.text, template)


def _stem(text: str) -> Template | None:
    if not text:
        return None
    template = parse_template(text, STEM_KEY)
    for part in template.parts:
        if isinstance(part, TagText):
            raise SpecError(f"{STEM_KEY}: #tag has no meaning in a file name")
        if isinstance(part, str) and ("/" in part or "\0" in part):
            raise SpecError(f"{STEM_KEY}: {text!r} names a file, so it holds no '/'")
    if any(SELF_SOURCE in (*d.source, *d.seed) for d in template.directives):
        raise SpecError(f"{STEM_KEY}: #tag has no meaning in a file name")
    return template


def _directories(text: str) -> tuple[Template, ...]:
    """The components of a path, each a template: '/' separates them, but not in an argument."""
    if not text:
        return ()
    components: list[list[str | TagText | Directive]] = [[]]
    for part in parse_template(text, DIRECTORY_KEY).parts:
        if isinstance(part, TagText) or (
            isinstance(part, Directive) and SELF_SOURCE in (*part.source, *part.seed)
        ):
            raise SpecError(f"{DIRECTORY_KEY}: #tag has no meaning in the name of a directory")
        pieces: list[str | Directive] = [*part.split("/")] if isinstance(part, str) else [part]
        for index, piece in enumerate(pieces):
            if index:
                components.append([])
            if piece:
                components[-1].append(piece)
    if not components[0]:
        raise SpecError(
            f"{DIRECTORY_KEY}: {text!r} begins with '/', but it names directories below --outputDir"
        )
    return tuple(_component(tuple(parts), text) for parts in components)


def _component(parts: tuple[str | TagText | Directive, ...], text: str) -> Template:
    """One component of a path.

    Raises:
        SpecError: it is empty, or a text that cannot name a directory.
    """
    template = Template(text, parts)
    literal = template.literal
    if not literal and literal is not None:
        raise SpecError(f"{DIRECTORY_KEY}: {text!r} has an empty component ('//' or a '/' at its end)")
    if any(isinstance(part, str) and "\0" in part for part in parts):
        raise SpecError(f"{DIRECTORY_KEY}: {text!r} names directories, so it holds no NUL")
    if literal in {".", ".."}:
        raise SpecError(
            f"{DIRECTORY_KEY}: {text!r} has a component {literal!r}, which names no directory of its own"
        )
    try:
        if literal is not None:
            safe_component(literal)
    except FileError:
        raise SpecError(
            f"{DIRECTORY_KEY}: {text!r} has a component {literal!r}, which cannot be a name"
        ) from None
    return template


def _is_insertable(tags: tuple[int, ...]) -> bool:
    """A single public element other than a sequence: an empty one would stamp nothing."""
    return len(tags) == 1 and not tags[0] >> 16 & 1 and dictionary.vr_of(tags[0]) != "SQ"


def _holds(tag: int, literal: str) -> bool:
    """Whether one of the VRs that the dictionary gives the tag allows the literal."""
    vrs = dictionary.vr_of(tag).split(" or ")
    if not literal or vrs[0] in {"SQ", ""}:
        return True
    return any(values.fit(vr, [literal]).action in {Action.SUBSTITUTED, Action.EMPTIED} for vr in vrs)


def _check_literal(rule: Rule, tags: tuple[int, ...]) -> None:
    literal = rule.template.literal if rule.template else None
    if literal is not None and not all(_holds(tag, literal) for tag in tags):
        raise SpecError(
            f"{rule.key}: the literal {literal!r} is not a valid {dictionary.vr_of(tags[0])} "
            '(PS3.5 6.2); "" empties the element, null removes it'
        )


def _check_pattern_literal(rule: Rule, keywords: tuple[str, ...], warnings: list[str]) -> None:
    """A literal of a pattern has to fit one of its elements; the others are emptied."""
    literal = rule.template.literal if rule.template else None
    if not literal:
        return
    firsts = [dictionary.tags_of(keyword)[0] for keyword in keywords]
    textual = [tag for tag in firsts if dictionary.vr_of(tag) != "SQ"]
    unfit = [tag for tag in textual if not _holds(tag, literal)]
    if not unfit:
        return
    example = f"such as {dictionary.label_of(unfit[0])} ({dictionary.vr_of(unfit[0])})"
    if len(unfit) == len(textual):
        raise SpecError(
            f"{rule.key}: the literal {literal!r} is not valid for any of the {len(unfit)} elements "
            f"that the pattern matches, {example}"
        )
    warnings.append(
        f"{rule.key}: {len(unfit)} of the {len(textual)} elements that it matches cannot hold "
        f"{literal!r} and will be emptied, {example}"
    )
