"""Blocks of a spec that apply where a condition holds: ``"when CONDITION": {...}``.

What stands in a block is stronger than all that stands outside of it, and a later block is stronger than
one before it. Instead of pairs a block may have ``"%_skip_"`` or ``"%_fail|reason_"``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from ..core.errors import SpecError
from ..text.quoting import shortened
from .condition_parsing import parse_condition
from .conditions import Condition, Facts
from .pairs import OUTSIDE, WHEN_PREFIX, Block, Ending, Nested, SpecValue, TagSpec, plain_of

_SKIP = "%_skip_"
_FAIL = re.compile(r"%_fail(?:\|((?:__|[^_|])*))?_")
_REASON = "a condition of the spec fails it"
LONGEST_REASON = 1000
"""Characters of a reason, which each file that fails repeats."""


def block_of(
    text: str, value: SpecValue | Nested | Mapping[str, SpecValue], parent: int, origin: str, depth: int = 0
) -> tuple[Block, Sequence[tuple[str, SpecValue | Nested]]]:
    """A block, and the pairs in it.

    Args:
        text: its key.
        value: its value.
        parent: the index of the block that it stands in.
        origin: where it comes from, for messages.
        depth: how many blocks it stands in.

    Raises:
        SpecError: its condition is none, or its value is neither pairs nor an ending.
    """
    shown = shortened(text)
    condition = parse_condition(text[len(WHEN_PREFIX) :], f"{origin}: {shown}")
    if isinstance(value, Mapping):  # from the API
        value = Nested(tuple(value.items()))
    if isinstance(value, Nested):
        if not value.pairs:
            raise SpecError(f"{origin}: {shown} holds no pairs, so it would do nothing")
        return Block(text, condition, parent, depth), value.pairs
    if value == _SKIP:
        reason = f"skipped by the spec for its {_subjects_of(condition)}"
        return Block(text, condition, parent, depth, Ending.SKIPPED, reason, _SKIP), ()
    if isinstance(value, str) and (match := _FAIL.fullmatch(value)):
        reason = (match[1] or "").replace("__", "_") or _REASON
        if len(reason) > LONGEST_REASON:
            raise SpecError(f"{origin}: {shown}: a reason has at most {LONGEST_REASON} characters")
        return Block(text, condition, parent, depth, Ending.FAILED, reason, str(value)), ()
    raise SpecError(
        f'{origin}: the value of {shown} is an object with the pairs that apply, "{_SKIP}" or '
        '"%_fail|reason_"'
    )


def _subjects_of(condition: Condition) -> str:
    """What a condition is about; not what it compares with, as that is what the file holds."""
    return ", ".join(dict.fromkeys(subject.text for subject in condition.subjects))


def holding(blocks: Sequence[Block], facts: Facts) -> tuple[int, ...]:
    """The indices of the blocks that hold for a file.

    Args:
        blocks: every block of a spec.
        facts: the file.

    Raises:
        FileError: a condition cannot be decided.
    """
    held: list[int] = []
    for index, block in enumerate(blocks):
        if (block.parent == OUTSIDE or block.parent in held) and block.condition.holds(facts):
            held.append(index)
    return tuple(held)


def ending_of(blocks: Sequence[Block], held: Sequence[int]) -> Block | None:
    """The strongest of the blocks that hold and end a file; None where none does."""
    ends = [blocks[index] for index in held if blocks[index].ending]
    return ends[-1] if ends else None


def lines_of(spec: TagSpec, block: int = OUTSIDE, depth: int = 0) -> Iterator[str]:
    """The lines of a spec as a JSON object, blocks after the pairs beside them.

    Args:
        spec: the spec.
        block: which part of it.
        depth: how deep that is.
    """
    margin = "    " * depth
    entries: list[list[str]] = [
        [f"{json.dumps(pair.text)}: {json.dumps(plain_of(pair.value))}"]
        for pair in spec.pairs
        if pair.block == block
    ]
    for index, own in enumerate(spec.blocks):
        if own.parent != block:
            continue
        if own.ending:
            entries.append([f"{json.dumps(own.text)}: {json.dumps(own.value)}"])
            continue
        first, *others = lines_of(spec, index, depth + 1)
        entries.append([f"{json.dumps(own.text)}: {first}", *others])
    yield "{"
    for number, (first, *others) in enumerate(entries, 1):
        lines = [f"{margin}    {first}", *others]
        lines[-1] += "," * (number < len(entries))
        yield from lines
    yield margin + "}"
