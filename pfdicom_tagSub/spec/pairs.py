"""The pairs of a spec: what the user, or a profile, wrote."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from ..core.spec_parts import SpecPart
from .keys import Key

if TYPE_CHECKING:
    from .conditions import Condition

BLOCKS_MOST = 32
"""How deep ``when`` blocks may be nested."""

REPLACE = "replace"
"""Stands before items that a file gets only where it has the sequence."""

WHEN_PREFIX = "when "
"""Begins the key of a block, after which its condition stands."""

OUTSIDE = -1
"""The block of pairs that stand in none."""

ADD = "add"
"""Stands before items or a text that an element gets beside what it holds."""

EACH = "each"
"""Stands before the pairs for what is in the items of a sequence."""


class Layer(IntEnum):
    """Who wrote a pair; the greater one is the stronger."""

    PROFILE = 0
    SPEC = 1


@dataclass(frozen=True, slots=True)
class Items:
    """The value of a sequence: a list of items, each a list of keywords and literals.

    Attributes:
        items: the items.
        inserts: whether a file that lacks the sequence gets it.
        adds: whether the items that are there stay.
    """

    items: tuple[tuple[tuple[str, str | Items], ...], ...]
    inserts: bool = True
    adds: bool = False

    def plain(self) -> list[object]:
        """The items as JSON has them."""
        return [
            {key: value.plain() if isinstance(value, Items) else value for key, value in item}
            for item in self.items
        ]


@dataclass(frozen=True, slots=True)
class Added:
    """Values that an element gets beside those that it has, in the form that a file has them in."""

    text: str


@dataclass(frozen=True, slots=True)
class Nested:
    """The value of a ``when`` block: the pairs that apply where its condition holds."""

    pairs: tuple[tuple[str, SpecValue | Nested], ...]


@dataclass(frozen=True, slots=True)
class Each:
    """The value of a sequence whose items stay: the pairs for what is in them, at every depth."""

    pairs: tuple[Pair, ...]

    def plain(self) -> dict[str, object]:
        """The pairs as JSON has them."""
        return {pair.text: plain_of(pair.value) for pair in self.pairs}


SpecValue = str | Items | Added | Each | None
"""A template, the items of a sequence, what is added, pairs for items, or None, which removes the element."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One key of a spec and its value.

    Attributes:
        text: the key as written, for messages.
        key: the key, resolved.
        value: the template as written, or items; None removes the element.
        layer: who wrote it.
        block: the index of the ``when`` block that it stands in; ``OUTSIDE`` for none.
    """

    text: str
    key: Key
    value: SpecValue
    layer: Layer = Layer.SPEC
    block: int = OUTSIDE

    @property
    def is_own(self) -> bool:
        """Whether it is the user's."""
        return self.layer is Layer.SPEC


class Ending(StrEnum):
    """What becomes of a file where a ``when`` block holds that has no pairs."""

    NONE = ""
    SKIPPED = "skip"
    FAILED = "fail"


@dataclass(frozen=True, slots=True)
class Block:
    """A ``when`` block.

    Attributes:
        text: its key as written, for messages.
        condition: where it holds.
        parent: the index of the block that it stands in; ``OUTSIDE`` for none.
        depth: how many blocks it stands in.
        ending: whether it skips or fails the file.
        reason: why, for the record.
        value: its value as written, where that is no object.
    """

    text: str
    condition: Condition
    parent: int = OUTSIDE
    depth: int = 0
    ending: Ending = Ending.NONE
    reason: str = ""
    value: str = ""

    @property
    def canonical(self) -> list[object]:
        """What of it counts for a digest."""
        return [self.text, self.parent, self.value]


@dataclass(frozen=True, slots=True)
class TagSpec:
    """A spec.

    Attributes:
        pairs: its pairs in the order of writing.
        blocks: its ``when`` blocks, each before those that stand in it.
        parts: the files that it comes from.
    """

    pairs: tuple[Pair, ...]
    blocks: tuple[Block, ...] = ()
    parts: tuple[SpecPart, ...] = field(default=(), compare=False)

    @property
    def digest(self) -> str:
        """SHA-256 over keys and values in their order, hex: the same for every form."""
        canonical = json.dumps([[pair.text, plain_of(pair.value)] for pair in self.pairs], ensure_ascii=True)
        if self.blocks:
            blocks = [[pair.block for pair in self.pairs], [block.canonical for block in self.blocks]]
            canonical += json.dumps(blocks, ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def plain_of(value: SpecValue) -> object:
    """A value as JSON has it."""
    match value:
        case Added(text):
            return {ADD: text}
        case Each():
            return {EACH: value.plain()}
        case Items(adds=True):
            return {ADD: value.plain()}
        case Items(inserts=False):
            return {REPLACE: value.plain()}
        case Items():
            return value.plain()
        case _:
            return value
