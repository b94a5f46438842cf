"""What is said at the end of a run of the files that a person has to look after."""

from __future__ import annotations

from collections.abc import Sequence

from ..report.totals import Totals
from .console import Console

_NAMED_MOST = 5
"""How many files a warning names."""


def _number(found: Sequence[object], noun: str) -> str:
    return f"{len(found)} {noun}{'s' * (len(found) != 1)}"


def _of(count: int, one: str, many: str) -> str:
    """What is said of one, or of many with their number for ``{}``."""
    return one if count == 1 else many.format(count)


def _some(paths: Sequence[str]) -> str:
    """The first of some paths."""
    rest = len(paths) - _NAMED_MOST
    return ", ".join(paths[:_NAMED_MOST]) + (f" and {rest} more" if rest > 0 else "")


def warn_of_inputs(totals: Totals, console: Console, *, is_whole: bool, reads_archives: bool) -> None:
    """Say what of the inputs was not processed.

    Args:
        totals: the sums of the run.
        console: where to say it.
        is_whole: whether the run came to its end.
        reads_archives: whether it had ``--archives``: what it skipped is of other kinds.
    """
    if is_whole and (strangers := totals.strangers):
        console.warning(
            f"none of the {_number(strangers, 'file')} found is DICOM, so nothing was written: "
            f"{_some(strangers)}; is it the right --inputDir?"
        )
    if is_whole and totals.has_selected_none:
        console.warning("--where selected no file, so nothing was written")
    if archives := totals.archives:
        from ..files.archives import kind_by_name  # noqa: PLC0415  (for runs that skipped some)

        helps = not reads_archives and any(kind_by_name(path) for path, _ in archives)
        cure = "give --archives, which reads zip, tar and .dcm.gz, or unpack them" if helps else "unpack them"
        console.warning(
            f"what is in {_number(archives, 'archive')} was not processed: "
            f"{_some([path for path, _ in archives])}; {cure}, and run again; "
            "--json lists all under archives"
        )


def warn_of_results(totals: Totals, console: Console, *, prunes: bool) -> None:
    """Say what of the outputs a person has to look after."""
    if totals.orphans_left:
        cure = (
            "--json lists them with reasons under orphans"
            if prunes
            else "--json lists them under orphans, and --prune removes those that nobody changed"
        )
        console.warning(
            f"{_of(totals.orphans_left, '1 output is', '{} outputs are')} still there though the input is "
            f"gone; {cure}"
        )
    if totals.paths_with_values:
        console.warning(
            f"{_of(totals.paths_with_values, 'the path of 1 output holds', 'the paths of {} outputs hold')} "
            "a value that the run replaced; name outputs with --outputDirTemplate and --outputFileStem"
        )
    count, labels = totals.invalid
    if count:
        console.warning(
            f"{_of(count, '1 new value does not fit its VR', '{} new values do not fit their VRs')}, so the "
            f"elements are empty: {_some(labels)}; --json counts them under elements"
        )
    if totals.unknown:
        console.warning(
            f"{_of(totals.unknown, '1 file declares', '{} files declare')} a Specific Character Set that is "
            "none of the standard's; the text is ASCII, which every reader reads alike; --json lists them "
            "under unknownCharsets; --assumeCharacterSet TERM declares a right one"
        )
    if totals.residuals:
        console.warning(
            f"{_of(totals.residuals, '1 output still holds', '{} outputs still hold')} a value that the run "
            "replaced; --json lists paths and elements under residuals, and --onResidual fail writes no such "
            "output"
        )
    if totals.review:
        console.warning(
            f"{_of(totals.review, '1 output', '{} outputs')} may show identifying text or features in the "
            "pixels, which a person has to look at; --json lists paths under pixelReview"
        )
