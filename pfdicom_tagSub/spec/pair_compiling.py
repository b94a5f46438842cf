"""Pairs of a spec that apply together, to rules: for each element the one of the strongest key that hits it.

:mod:`~pfdicom_tagSub.spec.strength` says which key is stronger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import UnionType

from ..dicom.character_sets import assumed_set
from ..text.quoting import shortened
from .function_types import NO_RESOURCES, Resources
from .keys import EveryPrivateKey, EveryRestKey, EveryUnknownKey, PreambleKey
from .literals import literals_of
from .output_names import DIRECTORY_KEY, STEM_KEY, directories_of, stem_of
from .pairs import Added, Each, Items, Layer, Pair
from .rule_table import RuleTable
from .rules import Rule, RuleSet
from .spec_warnings import (
    check_needs,
    check_vrs,
    find_all_lookalikes,
    find_emptied,
    find_idle,
    find_shown_originals,
)
from .templates import SELF_SOURCE, Template, parse_template

EMPTY = "%_empty_#tag"

Written = tuple[Pair, Rule]
"""A pair as written, and the rule that it became."""


@dataclass(frozen=True)
class CompileOptions:
    """What a spec is compiled with.

    Attributes:
        remove_private: remove every private element but those that a pair keeps.
        output_stem: the template that names the outputs; "" keeps the names.
        output_dir: the template that names the directories of the outputs; "" keeps them.
        assumed: the term of ``--assumeCharacterSet``; "" without one.
        is_inner: whether it is for what is in items, so that what it keeps no pair elsewhere may hit.
    """

    remove_private: bool = False
    output_stem: str = ""
    output_dir: str = ""
    assumed: str = ""
    is_inner: bool = False


def compile_pairs(
    numbered: Sequence[tuple[int, Pair]], options: CompileOptions, resources: Resources, digest: str
) -> RuleSet:
    """Compile pairs that apply together.

    Args:
        numbered: the pairs, the strongest last, each with the index that its rule gets.
        options: what they are compiled with.
        resources: what the functions of templates need.
        digest: the digest of the spec.

    Raises:
        SpecError: as of ``compile_rules``.
    """

    def inner_of(inner: Sequence[tuple[int, Pair]]) -> RuleSet:
        made = compile_pairs(inner, CompileOptions(is_inner=True), resources, digest)
        return replace(made, resources=NO_RESOURCES)  # those of the whole spec are used

    written = [(pair, _rule(index, pair, inner_of)) for index, pair in numbered]
    table = RuleTable(is_inner=options.is_inner)
    for pair, rule in written:
        table.add(pair, rule)
    table.warnings.extend(_warnings_of_keys(written, table, options))
    if options.remove_private:
        table.remove_private_elements()
    stem = stem_of(options.output_stem)
    directories = directories_of(options.output_dir)
    names = (*([(STEM_KEY, stem)] if stem else []), *((DIRECTORY_KEY, one) for one in directories))
    table.warnings.extend(_warnings_of_values(written, names, table.hits))
    own = [(rule.key, one) for _, rule in written for one in _templates_of(rule)]
    if (warned := check_needs([*own, *names], resources)) and not options.is_inner:
        table.warnings.append(warned)
    of_elements = tuple(one for _, one in own)
    templates = (*of_elements, *(one for _, one in names))
    return RuleSet(
        table=table.table,
        groups=table.groups | table.commands(),
        meta=table.meta,
        private=tuple(table.private.values()),
        insertions=tuple(sorted(table.insertions.items())),
        sources=_sources_of(templates),
        looked_up=_sources_of(of_elements),
        remove_private=table.removes_private,
        zero_preamble=table.zero_preamble,
        stem=stem,
        templates=templates,
        resources=resources,
        warnings=tuple(table.warnings),
        digest=digest,
        directories=directories,
        keys=tuple((pair.text, pair.layer is Layer.SPEC) for pair, _ in written),
        keepers=tuple((rule.index, pair.key) for pair, rule in written if _keeps_some(rule)),
        private_removers=_removers(written, EveryPrivateKey | EveryRestKey),
        preamble_zeroers=tuple(rule.index for pair, rule in written if isinstance(pair.key, PreambleKey)),
        assumed=assumed_set(options.assumed),
        remove_unknown=table.removes_unknown,
        unknown_removers=_removers(written, EveryUnknownKey | EveryRestKey),
        content=tuple(table.content.items()),
        texts=table.texts,
        private_vrs=table.private_vrs,
        unknown_vrs=table.unknown_vrs,
        public_vrs=table.public_vrs,
    )


def _warnings_of_keys(written: Sequence[Written], table: RuleTable, options: CompileOptions) -> Iterator[str]:
    """What keys may mean otherwise than whoever wrote them thinks."""
    pairs = [pair for pair, _ in written]
    rules = [rule for _, rule in written]
    yield from (f"{rule.key}: {text}" for rule in rules if rule.each for text in rule.each.warnings)
    yield from find_idle(pairs, rules, table.winners)
    yield from find_all_lookalikes(pairs, options.output_stem, options.output_dir)


def _warnings_of_values(
    written: Sequence[Written], names: Sequence[tuple[str, Template]], hits: Callable[[int], bool]
) -> Iterator[str]:
    """Likewise of values, and of the templates that name outputs."""
    yield from find_shown_originals(names, hits)
    for pair, rule in written:
        yield from check_vrs(rule.key, pair.key, rule.template)
        yield from find_emptied(rule.key, pair.key, rule.template)
    for flag, template in names:
        yield from check_vrs(flag, None, template)


def _templates_of(rule: Rule) -> tuple[Template, ...]:
    """Those of a rule, and of the rules for what is in the items of its sequence."""
    own = () if rule.template is None else (rule.template,)
    return own if rule.each is None else (*own, *rule.each.templates)


def _removers(written: Sequence[Written], kinds: type | UnionType) -> tuple[int, ...]:
    """The rules for keys of some kinds, but those that keep."""
    return tuple(rule.index for pair, rule in written if isinstance(pair.key, kinds) and not rule.keeps)


def _rule(index: int, pair: Pair, inner_of: Callable[[Sequence[tuple[int, Pair]]], RuleSet]) -> Rule:
    key = shortened(pair.text)
    if isinstance(pair.value, Items):
        items = literals_of(pair.value, key)
        inserts, adds = pair.value.inserts, pair.value.adds
        return Rule(index, key, parse_template("", key), items, inserts, adds)
    if isinstance(pair.value, Added):
        return Rule(index, key, parse_template(pair.value.text, key), adds=True)
    if isinstance(pair.value, Each):
        from .item_pairs import compile_each  # noqa: PLC0415  (for specs with these alone)

        # What has the tag of a sequence and is none is emptied.
        own = Rule(index, key, parse_template(EMPTY, key), inserts=False)
        return compile_each(own, pair.key, pair.value, inner_of)
    template = None if pair.value is None else parse_template(pair.value, key)
    return Rule(index, key, template)


def _sources_of(templates: Iterable[Template]) -> frozenset[int]:
    """The tags that templates read."""
    return frozenset(
        tag
        for template in templates
        for directive in template.directives
        for tag in (*directive.source, *directive.seed)
        if tag != SELF_SOURCE and not template.keeps
    )


def _keeps_some(rule: Rule) -> bool:
    """Whether a rule leaves alone elements that it hits, all of them or the sequences."""
    return rule.template is not None and (rule.template.keeps or rule.template.cleans)
