"""What the checker of the planted corpus counts, and how it looks for an identifier."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from planted_people import Kind, Planted, notations


class Category(StrEnum):
    """What is scored."""

    READABLE = "readable"
    REMOVED = "removed"
    EMPTIED = "emptied"
    DATES = "dates"
    UIDS = "UIDs consistent"
    PATIENT_ID = "patient ID consistent"
    TEXT = "text kept"
    RETAINED = "retained"
    PIXELS = "pixels kept"
    UNTOUCHED = "untouched identical"
    STAMPS = "stamps"
    DICOMDIR = "DICOMDIR"


@dataclass(frozen=True)
class Miss:
    """One demand that is not met.

    Attributes:
        category: where it counts.
        path: the input's path.
        place: the element.
        reason: what is wrong; this is a test of made-up values, so it may quote them.
    """

    category: Category
    path: str
    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.category}: {self.path}: {self.place}: {self.reason}"


@dataclass(frozen=True)
class Score:
    """What a check came to.

    Attributes:
        total: demands per category.
        misses: those that are not met.
    """

    total: Mapping[Category, int]
    misses: tuple[Miss, ...]

    def share(self, category: Category) -> float:
        """The share of a category's demands that is met; 1 where it makes none."""
        missed = sum(miss.category is category for miss in self.misses)
        return 1 - missed / (self.total.get(category) or 1)

    def __str__(self) -> str:
        missed = Counter(miss.category for miss in self.misses)
        lines = [f"{name}: {count - missed[name]}/{count}" for name, count in sorted(self.total.items())]
        return "\n".join([*lines, *map(str, self.misses[:40])])


@dataclass(frozen=True)
class Needle:
    planted: Planted
    texts: tuple[str, ...]
    patterns: tuple[bytes, ...]

    def is_in_bytes(self, lowered: bytes) -> bool:
        return any(pattern in lowered for pattern in self.patterns)

    def is_in_text(self, lowered: str) -> bool:
        return any(text in lowered for text in self.texts)


def _spellings(planted: Planted) -> tuple[str, ...]:
    match planted.kind:
        case Kind.NAME:
            parts = [part for part in re.split(r"[\^= .,]+", planted.text) if _is_telling(part)]
            return tuple(parts) or (planted.text,)
        case Kind.DATE:
            return notations(planted.text)
        case Kind.PHONE:
            return planted.text, "".join(planted.text.split())
    return (planted.text,)


def _is_telling(part: str) -> bool:
    return len(part) > 2 or (len(part) == 2 and ord(part[0]) >= 0x2E80)


@cache
def needle_of(planted: Planted, encodings: tuple[str, ...]) -> Needle:
    texts = {form for text in _spellings(planted) for form in (text, text.upper())}
    patterns = set()
    for text in texts:
        for codec in (*encodings, "utf-8", "latin-1", "utf-16-le", "utf-16-be"):
            try:
                coded = text.encode(codec)
            except UnicodeEncodeError:
                continue
            if codec == "iso2022_jp":
                coded = coded.removeprefix(b"\x1b$B").removesuffix(b"\x1b(B")
            patterns.add(coded.lower())
    return Needle(planted, tuple({text.lower() for text in texts}), tuple(patterns))
