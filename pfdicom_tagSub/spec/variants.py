"""The rules of a spec with ``when`` blocks: for each set of blocks that hold rules of their own.

Nothing that is remembered of files is shared between them, so that no file sees what a condition that does
not hold for it would have made.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .conditions import Facts, Subject
from .function_types import Resources
from .pair_compiling import CompileOptions, compile_pairs
from .pairs import OUTSIDE, Block, Pair, TagSpec
from .rules import RuleSet
from .strength import effective_spec, strength, without_overridden
from .when_blocks import ending_of, holding


@dataclass(frozen=True)
class Variants:
    """A spec with blocks, yet to be compiled for those that hold; it is picklable.

    Attributes:
        numbered: its pairs, the strongest last, each with the index of its rule.
        blocks: its blocks.
        options: what it is compiled with.
        digest: its digest.
        keys: for each rule the key as written and whether it is the user's, then for each block.
    """

    numbered: tuple[tuple[int, Pair], ...]
    blocks: tuple[Block, ...]
    options: CompileOptions
    digest: str
    keys: tuple[tuple[str, bool], ...]

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What the conditions are about."""
        return tuple(subject for block in self.blocks for subject in block.condition.subjects)

    def holding(self, facts: Facts) -> tuple[int, ...]:
        """The indices of the blocks that hold for a file.

        Raises:
            FileError: a condition cannot be decided.
        """
        return holding(self.blocks, facts)

    def ending(self, held: Sequence[int]) -> Block | None:
        """The block that skips or fails a file; None where it goes on."""
        return ending_of(self.blocks, held)

    def rules(self, held: Sequence[int], resources: Resources) -> RuleSet:
        """The rules for files for which these blocks hold.

        Args:
            held: the indices of the blocks.
            resources: what the functions of templates need.

        Raises:
            SpecError: what applies together cannot.
        """
        kept: list[tuple[int, Pair]] = []
        numbered = [(index, pair) for index, pair in self.numbered if pair.block in held]
        outside = [(index, pair) for index, pair in self.numbered if pair.block == OUTSIDE]
        for layer in reversed(_layers([*outside, *numbered])):
            stronger = [pair.key for _, pair in kept]
            own = {id(pair) for pair in without_overridden([pair for _, pair in layer], stronger)}
            kept = [(index, pair) for index, pair in layer if id(pair) in own] + kept
        rules = compile_pairs(kept, self.options, resources, self.digest)
        first = len(self.numbered)
        return replace(
            rules, keys=self.keys, variants=self, held=tuple(sorted(first + index for index in held))
        )


def _layers(numbered: Sequence[tuple[int, Pair]]) -> list[list[tuple[int, Pair]]]:
    """The pairs of each layer and block, the strongest last."""
    layers: dict[tuple[int, int], list[tuple[int, Pair]]] = {}
    for index, pair in numbered:
        layers.setdefault((pair.layer, pair.block), []).append((index, pair))
    return [layers[key] for key in sorted(layers)]


def compile_variants(spec: TagSpec, options: CompileOptions, resources: Resources) -> RuleSet:
    """Compile a spec with blocks: the rules where none holds, which can give those where some do.

    Each block is compiled as it would hold by itself, so that what is wrong with it is said at once.

    Args:
        spec: its pairs and blocks.
        options: what it is compiled with.
        resources: what the functions of templates need.

    Raises:
        SpecError: a part of it cannot mean what it says.
    """
    pairs = sorted(spec.pairs, key=strength)
    digest = (effective_spec(spec, remove_private=True) if options.remove_private else spec).digest
    keys = tuple((pair.text, pair.is_own) for pair in pairs)
    keys += tuple((block.text, True) for block in spec.blocks)
    variants = Variants(tuple(enumerate(pairs)), spec.blocks, options, digest, keys)
    base = variants.rules((), resources)
    warnings = dict.fromkeys(base.warnings)
    templates = dict.fromkeys(base.templates)
    for index, block in enumerate(spec.blocks):
        held, parent = [index], block.parent
        while parent != OUTSIDE:
            held.append(parent)
            parent = spec.blocks[parent].parent
        rules = variants.rules(held, resources)
        warnings |= dict.fromkeys(rules.warnings)
        templates |= dict.fromkeys(rules.templates)
    return replace(base, warnings=tuple(warnings), templates=tuple(templates))
