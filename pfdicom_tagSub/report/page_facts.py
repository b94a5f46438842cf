"""What the page of a report is made of: facts, rows of charts, and numbers in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from markupsafe import Markup

from ..text.printable import visible
from .labels import PRIVATE_LABEL
from .survey import PREAMBLE_LABEL, Count, Depths, ElementRow
from .survey_table import WORDS

_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = {PRIVATE_LABEL: "Private elements", PREAMBLE_LABEL: "Preamble"}


@dataclass(frozen=True)
class RunFacts:
    """What ran, beside what the record says.

    Attributes:
        options: the flags that were given and their values, without secrets.
        started: when the command began.
        warnings: what the run warned of.
        workers: how many files at once; 0 where the command did the work itself.
    """

    options: tuple[tuple[str, str], ...]
    started: datetime
    warnings: tuple[str, ...] = ()
    workers: int = 0


@dataclass(frozen=True)
class ChartPart:
    """A part of a bar: its class in the style sheet, where it begins and how long it is (of 100)."""

    name: str
    start: float
    length: float


@dataclass(frozen=True)
class ChartRow:
    """A row of a chart: what it is of, its parts, and what it says in words."""

    label: str
    parts: tuple[ChartPart, ...]
    text: str


@dataclass(frozen=True)
class Notice:
    """Something that the reader has to know first.

    Attributes:
        level: "bad", "look" or "good".
        text: what it is.
        anchor: the section that says more; "" for none.
    """

    level: str
    text: str
    anchor: str = ""


def number_text(number: float) -> str:
    """A number as people write it."""
    return f"{number:,}"


def count_text(count: Count) -> str:
    """How many different values there are."""
    if not count.is_exact:
        return f"more than {number_text(count.number)} values"
    if count.number <= 1:
        return "one value" if count.number else "none"
    return f"{number_text(count.number)} values"


def seconds_text(seconds: float) -> str:
    """How long something took."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {rest} s" if hours else f"{minutes} min {rest} s"


def depth_texts(depths: Depths) -> list[str]:
    """Where elements are: at the top level, and how deep in sequences."""

    def name(depth: int) -> str:
        if depth == 0:
            return "top level"
        return "1 level down" if depth == 1 else f"{depth} levels down"

    if len(depths) == 1:
        return [name(next(iter(depths)))]
    return [f"{name(depth)}: {number_text(count)}" for depth, count in depths.items()]


def done_texts(row: ElementRow) -> list[str]:
    """What is done to how many elements."""
    return [f"{number_text(count)} {WORDS[action]}" for action, count in row.actions.items() if count]


def breakable(text: str) -> Markup:
    """A keyword that may be broken where a word of it begins; what is none has a name."""
    return Markup("<wbr>").join(_WORD.split(_NAMES.get(text, visible(text))))  # join escapes


def length_text(row: ElementRow) -> str:
    """How long the values are."""
    if row.lengths is None:
        return "–"
    least, most = row.lengths
    if least == most:
        return "1 character" if most == 1 else f"{number_text(most)} characters"
    return f"{number_text(least)} to {number_text(most)} characters"


def files_text(number: int) -> str:
    """How many files."""
    return "1 file" if number == 1 else f"{number_text(number)} files"


def moment_text(moment: datetime) -> str:
    """A point in time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
