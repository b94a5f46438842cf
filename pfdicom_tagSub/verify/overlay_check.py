"""What pixels have to be in an output whose overlays in unused bits were removed with their group."""

from __future__ import annotations

from typing import Literal

from ..core.errors import FileError
from ..dicom.embedded_overlays import CELL, GROUPS, cleared, described, kept_bits, position_of
from ..spec.rules import RuleSet
from .entries import DataSet, Entry
from .sequence_reading import raw_value

PIECE = 3 << 18
"""How much is compared at a time: whole cells of every size."""

POSITIONS = frozenset(described(group)[1] for group in GROUPS)
"""The tags that say in which bit of the pixels an overlay is: without one nothing is cleared."""


def kept_of(before: DataSet, rules: RuleSet) -> bytes | None:
    """What each cell of the pixels of an input is joined with by AND; None where nothing is cleared."""
    numbers = {}
    present = set()
    sought = CELL | {tag for group in GROUPS for tag in described(group)}
    order: Literal["little", "big"] = "little" if before.little else "big"
    for entry in before.entries:
        if entry.tag in sought:
            present.add(entry.tag)
            if entry.value_end - entry.value >= 2 and not entry.is_parsed:
                numbers[entry.tag] = int.from_bytes(raw_value(entry, before)[:2], order)
    positions = set()
    for group in GROUPS:
        _, position, data = described(group)
        if position in present and _is_removed(group, rules):
            bit = position_of(group, numbers, has_data=data in present)
            positions |= set() if bit is None else {bit}
    return kept_bits(positions, numbers, little=order == "little") if positions else None


def _is_removed(group: int, rules: RuleSet) -> bool:
    found = [rules.table.get(tag) or rules.groups.get(group) for tag in described(group)[1:]]
    return any(rule is not None and not rule.keeps for rule in found)


def check_cleared(before: tuple[Entry, DataSet], after: tuple[Entry, DataSet], kept: bytes) -> None:
    """Check that pixels are as they were, but for the bits of overlays, which are 0.

    Args:
        before: the pixels of the input, and its data set.
        after: those of the output.
        kept: what each cell is joined with by AND.

    Raises:
        FileError: they are not.
    """
    (old, input_data), (new, output_data) = before, after
    size = old.value_end - old.value
    if size != new.value_end - new.value:
        raise FileError("PixelData has another length than in the input")
    for place in range(0, size, PIECE):
        stop = min(place + PIECE, size)
        stored = input_data.source.read(old.value + place, old.value + stop)
        if output_data.source.read(new.value + place, new.value + stop) != cleared(stored, kept):
            raise FileError("PixelData is not the input's with the overlays in its unused bits cleared")
