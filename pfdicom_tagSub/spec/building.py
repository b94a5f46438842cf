"""A spec and what goes with it to rules: the one way, for the command and the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .compiling import compile_rules
from .function_types import NO_RESOURCES, Resources
from .pairs import TagSpec
from .profile import find_overridden_keeps, load
from .rules import RuleSet
from .strength import effective_spec


@dataclass(frozen=True)
class Built:
    """What a spec came to.

    Attributes:
        rules: the rules.
        spec: the spec that they come from, with the profile in it, as ``--printSpec`` shows it.
        profile: the profile and its options; "" for none.
        warnings: what to warn of besides the warnings of the rules.
    """

    rules: RuleSet
    spec: TagSpec
    profile: str
    warnings: tuple[str, ...]


def build_rules(
    spec: TagSpec,
    *,
    profile: str = "",
    keep_private: Sequence[str] = (),
    remove_private: bool = False,
    output_stem: str = "",
    output_dir: str = "",
    resources: Resources = NO_RESOURCES,
    assumed: str = "",
    is_cleaned: bool = False,
) -> Built:
    """Compile a spec over a profile.

    Args:
        spec: the pairs of the user.
        profile: the profile below them, ``basic[,option...]``; "" for none.
        keep_private: keys of private elements that are kept all the same.
        remove_private: remove every private element but those that a pair keeps.
        output_stem: the template that names the outputs; "" keeps the names.
        output_dir: the template that names the directories of the outputs; "" keeps them.
        resources: what the functions of templates need: the secret, the tables.
        assumed: the term of ``--assumeCharacterSet``; "" without one.
        is_cleaned: whether they are for files whose pixels are cleaned, which are stamped.

    Raises:
        SpecError: the spec cannot mean what it says.
    """
    below = load(profile, tuple(keep_private), is_cleaned=is_cleaned)
    whole = TagSpec(below.spec.pairs + spec.pairs, spec.blocks)
    rules = compile_rules(
        effective_spec(whole),
        remove_private=remove_private,
        output_stem=output_stem,
        output_dir=output_dir,
        resources=resources,
        assumed=assumed,
    )
    if spec.parts:
        rules = replace(rules, parts=(*spec.parts, *rules.parts))
    shown = effective_spec(whole, remove_private=remove_private)
    return Built(rules, shown, below.name, find_overridden_keeps(below, rules))
