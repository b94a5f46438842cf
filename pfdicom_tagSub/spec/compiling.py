"""A spec to rules."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from .function_types import NO_RESOURCES, Resources
from .functions import FUNCTIONS
from .pair_compiling import CompileOptions, compile_pairs
from .pairs import TagSpec
from .rules import RuleSet
from .strength import effective_spec, strength


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
    options = CompileOptions(remove_private, output_stem, output_dir, assumed)
    if spec.blocks:
        from .variants import compile_variants  # noqa: PLC0415  (for specs with conditions alone)

        return _with_origins(compile_variants(spec, options, resources))
    pairs = sorted(spec.pairs, key=strength)
    digest = (effective_spec(spec, remove_private=True) if remove_private else spec).digest
    return _with_origins(compile_pairs(list(enumerate(pairs)), options, resources, digest))


def _with_origins(rules: RuleSet) -> RuleSet:
    """The rules with what they need of the user's own functions, which their digest tells."""
    names = sorted(frozenset().union(*(template.functions for template in rules.templates)))
    own = [(name, origin) for name in names if (origin := FUNCTIONS[name].origin) is not None]
    if not own:
        return rules
    parts = tuple(origin.part(name) for name, origin in own)
    text = "\n".join([rules.digest, *(f"{part.name} {part.digest}" for part in parts)])
    return replace(
        rules,
        digest=hashlib.sha256(text.encode()).hexdigest(),
        parts=(*rules.parts, *parts),
        origins=tuple(dict.fromkeys(origin for _, origin in own)),
    )
