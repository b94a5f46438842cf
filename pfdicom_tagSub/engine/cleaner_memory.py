"""What earlier files showed of elements that identify; kept for the files that follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

Part = Literal["nothing", "goes", "stays"]
"""What an element has to do with identifiers: it has none, has one that goes, or has one that stays."""

KNOWN_MOST = 1 << 12


class DataSetContext(NamedTuple):
    """Where a data set is; a tuple, since it is the key of what is looked up for each.

    Attributes:
        is_gone: whether it is within a sequence that is removed or replaced.
        is_personal: whether it is about a person or an institution.
        is_item_gone: whether it is within a content item that is removed for its concept.
    """

    is_gone: bool = False
    is_personal: bool = False
    is_item_gone: bool = False


class CleanerMemory:
    """What earlier files showed; of one spec, and kept by one patcher.

    Attributes:
        parts: the part that elements play, by tag and VR, for each context; only where nothing else in
            their file decides on it.
        texts: the texts of values, by VR, bytes and how they are read.
    """

    def __init__(self, is_fixed: Callable[[int], bool] = lambda _: False) -> None:
        """Args:
        is_fixed: whether the rule that hits a tag does not depend on what else the file holds.
        """
        self.is_fixed = is_fixed
        self.parts: dict[DataSetContext, dict[tuple[int, str], Part]] = {}
        self.texts: dict[tuple[object, ...], list[str]] = {}

    def parts_in(self, context: DataSetContext) -> dict[tuple[int, str], Part]:
        """The parts that elements play in a context."""
        known = self.parts.setdefault(context, {})
        if len(known) >= KNOWN_MOST:
            known.clear()
        return known

    def add_texts(self, key: tuple[object, ...], texts: list[str]) -> None:
        """Remember the texts of a value."""
        if len(self.texts) >= KNOWN_MOST:
            self.texts.clear()
        self.texts[key] = texts
