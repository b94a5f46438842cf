"""The table of a dry run on a terminal: a survey to lines of text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from ..core.outcome import Action
from ..text.printable import visible
from .survey import Count, Depths, ElementRow, LeftRow, SurveyReport

WIDTH_LEAST = 60
KEYS_MOST = 50
GAP = "  "

WORDS = {
    Action.SUBSTITUTED: "replaced",
    Action.REMOVED: "removed",
    Action.EMPTIED: "emptied",
    Action.INSERTED: "inserted",
    Action.CUT: "cut",
    Action.INVALID: "invalid",
}
"""What people call each action."""

LEFT_TITLE = "Identifying attributes (PS3.15 Table E.1-1) that are present and stay as they are:"


def lines(survey: SurveyReport, width: int) -> Iterator[str]:
    """The table of a dry run.

    Args:
        survey: what was found.
        width: how many columns there are.
    """
    width = max(width, WIDTH_LEAST)
    yield from _elements(survey, width)
    yield ""
    if survey.left:
        yield LEFT_TITLE
        rows = [_left_cells(row) for row in survey.left]
        yield from _table(("attribute", "depth:elements", ""), rows, width, numbers=set())
    else:
        yield "No identifying attribute of PS3.15 Table E.1-1 that is present stays as it is."
    if survey.partly:
        yield f"(In {survey.partly} files the sequences could not be searched to the end.)"
    yield ""
    if survey.idle_keys:
        yield "Keys of the spec that hit nothing:"
        yield from _wrapped(survey.idle_keys, width)
    else:
        yield "Every key of the spec hit something."
    if survey.profile_keys:
        yield f"Keys of the profile that hit nothing: {survey.idle_profile_keys} of {survey.profile_keys}"
    yield ""
    for title, histogram in (
        ("Modalities:", survey.modalities),
        ("SOP classes:", survey.sop_classes),
        ("Transfer syntaxes:", survey.transfer_syntaxes),
    ):
        yield title
        most = max([len(str(count)) for count in histogram.values()], default=1)
        for name, count in histogram.items():
            yield _cut(f"{GAP}{count:>{most}}{GAP}{visible(name)}", width)


def _elements(survey: SurveyReport, width: int) -> Iterator[str]:
    if not survey.elements:
        yield "No element is hit."
        return
    heads = ["element", "depth:elements", "originals", "results", "done"]
    example = "an original -> its result" if survey.shows_values else "a result"
    rows = [[*_element_cells(row), _example(row)] for row in survey.elements]
    yield from _table([*heads, example], rows, width, numbers={2, 3})


def _element_cells(row: ElementRow) -> list[str]:
    done = ", ".join(f"{count} {WORDS[action]}" for action, count in row.actions.items() if count)
    if row.same:
        done += f" ({row.same} to the same)"
    return [row.label, depths_text(row.depths), _count(row.originals), _count(row.results), done]


def _example(row: ElementRow) -> str:
    if row.original:
        return f"{row.original} -> {row.example or '(nothing)'}"
    if row.example:
        return row.example
    return "(not shown: made of originals)" if row.results and row.results.number else ""


def _left_cells(row: LeftRow) -> list[str]:
    if not row.kept:
        note = ""
    elif row.kept == row.total:
        note = "kept by a key"
    else:
        note = f"{row.kept} kept by a key"
    return [row.label, depths_text(row.depths), note]


def depths_text(depths: Depths) -> str:
    """How many elements are how deep in sequences: ``0:12 1:3``."""
    return " ".join(f"{depth}:{count}" for depth, count in depths.items())


def _count(count: Count | None) -> str:
    if count is None:
        return ""
    return str(count.number) if count.is_exact else f">{count.number}"


def _table(
    heads: Sequence[str], rows: Iterable[Sequence[str]], width: int, numbers: set[int]
) -> Iterator[str]:
    """Aligned columns; the last ones get lines of their own where they do not fit beside the first."""
    cells = [[visible(cell) for cell in row] for row in rows]
    widths = [max(columns(row[place]) for row in [heads, *cells]) for place in range(len(heads))]
    beside = len(heads)
    while beside > 1 and sum(widths[:beside]) + len(GAP) * (beside - 1) > width:
        beside -= 1

    def line(row: Sequence[str]) -> Iterator[str]:
        parts = [_padded(row[place], widths[place], right=place in numbers) for place in range(beside)]
        yield _cut(GAP.join(parts).rstrip(), width)
        if any(row[beside:]):
            yield _cut(GAP * 2 + "; ".join(filter(None, row[beside:])), width)

    yield from line(heads)
    yield "-" * min(width, sum(widths[:beside]) + len(GAP) * (beside - 1))
    for row in cells:
        yield from line(row)


def _wrapped(words: Sequence[str], width: int) -> Iterator[str]:
    shown = [visible(word) for word in words[:KEYS_MOST]]
    if len(words) > KEYS_MOST:
        shown.append(f"... and {len(words) - KEYS_MOST} more; --json lists all")
    line = ""
    for place, word in enumerate(shown):
        text = word + ("," if place < len(shown) - 1 else "")
        if line and columns(line) + columns(text) + 1 > width:
            yield line
            line = ""
        line = f"{line} {text}" if line else GAP + text
    if line:
        yield line


def columns(text: str) -> int:
    """How many columns a text takes on a terminal."""
    return sum(_columns_of(character) for character in text)


def _columns_of(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - columns(text))
    return blanks + text if right else text + blanks


def _cut(text: str, width: int) -> str:
    if columns(text) <= width:
        return text
    kept, used = "", 0
    for character in text:
        used += _columns_of(character)
        if used > width - 1:
            break
        kept += character
    return kept + "…" if width else ""
