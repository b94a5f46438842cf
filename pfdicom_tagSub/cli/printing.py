"""What a run prints: the plan, the record, the table of a dry run."""

from __future__ import annotations

import shutil
import sys

from ..core.options import Options
from ..core.plan import Plan
from ..report.record import RunReport, to_json
from ..text.printable import encodable, visible
from ..text.quoting import shortened
from .console import UNSIZED_COLUMNS, Console


def show_plan(plan: Plan, options: Options, console: Console) -> None:
    """Say what will be done, in as much detail as the verbosity asks for."""
    tree = options.tree
    if not plan.file_count:
        filters = {
            "--inputFile": tree.inputFile,
            "--fileFilter": tree.fileFilter,
            "--dirFilter": tree.dirFilter,
            "--filesFrom": options.files_from or "",
            "--maxDepth": "" if tree.maxDepth < 0 else str(tree.maxDepth),
        }
        given = ", ".join(f"{flag} {shortened(value)}" for flag, value in filters.items() if value)
        is_pattern = any("*" in text for text in (tree.fileFilter, tree.dirFilter) if text)
        cure = (
            "; the filters are parts of names and no patterns, so write .dcm for *.dcm" if is_pattern else ""
        )
        console.warning(f"no file found in {plan.input_root}" + (f" with {given}" if given else "") + cure)
    workers = f"those of {options.dask}" if options.dask else tree.threads or "none"
    console.note(
        2,
        f"plan: {plan.input_root} to {plan.output_root}, directories: {len(plan.directories)}, "
        f"files: {plan.file_count}, workers: {workers}",
    )
    if console.verbosity >= 3:
        for directory in plan.directories:
            console.note(
                3, f"plan: {directory.relative} to {directory.output_dir}, files: {len(directory.names)}"
            )


def print_record(report: RunReport, console: Console) -> bool:
    """Print the record; False where standard output does not take it."""
    return print_text("the record", to_json(report), console)


def print_table(report: RunReport, console: Console) -> bool:
    """Print what a dry run found; False where standard output does not take it."""
    if report.survey is None:  # it ended before its time
        return True
    from ..report.survey_table import lines  # noqa: PLC0415

    width = shutil.get_terminal_size((UNSIZED_COLUMNS, 24)).columns
    text = "\n".join([*lines(report.survey, width), *_orphan_lines(report)])
    return print_text("the table", text if sys.stdout is None else encodable(text, sys.stdout), console)


ORPHANS_MOST = 40
"""So many outputs whose inputs are gone are listed below the table."""


def _orphan_lines(report: RunReport) -> list[str]:
    """The outputs that ``--prune`` would remove, and those that it would leave."""
    if not report.orphans:
        return []
    shown = [
        visible(f"  {one.path}: {f'stays, {one.reason}' if one.reason else 'would be removed'}")
        for one in report.orphans[:ORPHANS_MOST]
    ]
    more = len(report.orphans) - len(shown)
    rest = [f"  ... and {more} more; --json lists all"] if more else []
    return ["", "Outputs whose inputs are gone:", *shown, *rest]


def print_text(what: str, text: str, console: Console) -> bool:
    """Print a text to standard output; False where it does not take it, which is said.

    Args:
        what: what the text is, for the message.
        text: the text.
        console: where the message goes.
    """
    try:
        if sys.stdout is None:
            raise OSError("it is closed")
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        console.error(f"{what} could not be written to standard output: {reason}")
        return False
    return True
