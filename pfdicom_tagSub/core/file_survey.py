"""What a pass over one file tells of itself, for a dry run or a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

PRIVATE = 0
"""Stands for every private element in the counts."""

PREAMBLE_TAG = -1
"""Stands for the preamble among the identifying attributes."""

TEXTLESS = -1
"""The length of a value that is no text."""


class ElementChange(NamedTuple):
    """What happened to one element.

    Attributes:
        tag: its tag; 0 for a private element that no key names.
        depth: how many sequences it is in.
        action: what was done, the value of an ``Action``.
        original: the digest of what was there; 0 for nothing.
        result: the digest of what is there now; 0 for nothing.
        length: how many characters the original has; ``TEXTLESS`` for a value that is no text.
        example: the result as far as it may be told, else "".
        shown: the original where ``--showValues`` asks for it, else "".
        is_same: whether it had a value, and is the same to the byte.
    """

    tag: int
    depth: int
    action: str
    original: int = 0
    result: int = 0
    length: int = 0
    example: str = ""
    shown: str = ""
    is_same: bool = False


class Remaining(NamedTuple):
    """An identifying attribute that has a value and stays as it is.

    Attributes:
        tag: its tag; 0 for a private element, ``PREAMBLE_TAG`` for the preamble.
        depth: how many sequences it is in.
        is_kept: whether a key says that it stays.
    """

    tag: int
    depth: int
    is_kept: bool


class SurveyedChanges(NamedTuple):
    """What a pass did, where that depends on a few elements alone.

    Attributes:
        hits: what happened to elements, and how often.
        rules: the rules whose keys hit them.
    """

    hits: Mapping[ElementChange, int]
    rules: frozenset[int]


class FileKind(NamedTuple):
    """What a file is: by terms of the standard, never by what else it says."""

    modality: str
    sop_class: str
    transfer_syntax: str


@dataclass(frozen=True, slots=True)
class FileSurvey:
    """Sums over one file or many; picklable.

    Attributes:
        hits: what happened to elements, and how often.
        rules: the indices of the rules whose keys hit something.
        left: identifying attributes that stay, and how many of them.
        kinds: what the files are.
        partly: of how many files the sequences could not be read to the end.
        parts: sums to be added, which others may share.
    """

    hits: Mapping[ElementChange, int]
    rules: frozenset[int]
    left: Mapping[Remaining, int]
    kinds: Mapping[FileKind, int]
    partly: int = 0
    parts: tuple[FileSurvey, ...] = ()


def _each(parts: Iterable[FileSurvey]) -> Iterator[FileSurvey]:
    """Sums, and those to be added to them."""
    for part in parts:
        yield part
        if part.parts:
            yield from _each(part.parts)


def merged(parts: Iterable[FileSurvey]) -> FileSurvey:
    """The sums of sums."""
    hits: Counter[Any] = Counter()
    left: Counter[Any] = Counter()
    kinds: Counter[Any] = Counter()
    rules: set[int] = set()
    partly = 0
    every = list(_each(parts))
    times = Counter(map(id, every))  # files that are alike share one
    for part in {id(part): part for part in every}.values():
        count = times[id(part)]
        for sums, more in ((hits, part.hits), (left, part.left), (kinds, part.kinds)):
            for what, often in more.items():
                sums[what] += often * count
        rules |= part.rules
        partly += part.partly * count
    return FileSurvey(dict(hits), frozenset(rules), dict(left), dict(kinds), partly)
