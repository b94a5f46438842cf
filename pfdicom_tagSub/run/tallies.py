"""Outcomes of which nothing but their number is of interest, counted where the files were done.

Most files of a run end as their like did: what was done to their elements, and that they were written. A
worker counts them, so that the process in which all results come together has nothing to do for each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

from ..core.outcome import FileOutcome, OutcomeTally, Status

if TYPE_CHECKING:
    from ..core.file_survey import FileSurvey

R = TypeVar("R")


def tallied(results: Iterable[R]) -> tuple[list[R | None], tuple[OutcomeTally, ...]]:
    """Count what can be counted.

    Args:
        results: of files that were done together, in their order.

    Returns:
        The same with None in the place of those that are counted, and the counts of these; the first has the
        sums of their surveys.
    """
    rest: list[R | None] = []
    counts: dict[tuple[Status, int, bool], int] = {}
    kept: dict[int, FileOutcome] = {}
    surveys: list[FileSurvey] = []
    for one in results:
        if not isinstance(one, FileOutcome) or not _is_ordinary(one):
            rest.append(one)
            continue
        rest.append(None)
        if one.survey is not None:
            surveys.append(one.survey)
        # Files that had the same done to them mostly share the tuple; it is kept, so no other has its number.
        same = id(one.elements)
        kept.setdefault(same, one)
        key = (one.status, same, one.path_holds_value)
        counts[key] = counts.get(key, 0) + 1
    tallies = [
        OutcomeTally(status, kept[same].elements, path_holds_value, files)
        for (status, same, path_holds_value), files in counts.items()
    ]
    if surveys:
        from ..core.file_survey import merged  # noqa: PLC0415  (only where somebody asks)

        tallies[0] = tallies[0]._replace(survey=merged(surveys))
    return rest, tuple(tallies)


def _is_ordinary(outcome: FileOutcome) -> bool:
    """Whether the record says no more of a file than that it was written, or was there, and what was done."""
    return (
        outcome.status in {Status.WRITTEN, Status.UNCHANGED}
        and not outcome.review
        and not outcome.residuals
        and outcome.finished is None
        and outcome.pixels is None
        and not outcome.unknown_terms
        and not outcome.pairs
        and not outcome.missing
    )
