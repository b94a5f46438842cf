"""``run_tree``: every file of a tree into another, as the command does it, for Python."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pftree import TreeOptions

from .core.options import Cluster, OnResidual, Options, ReviewPolicy
from .core.outcome import FileOutcome
from .kept_files import Caller, KeptFiles
from .report.record import RunReport
from .report.totals import Totals
from .run import runner
from .run import walk as plan
from .run.deferred_signals import DeferredSignals
from .run.run_settings import RunListeners, RunSettings
from .run_arguments import check_arguments, noting_misses
from .spec.condition_parsing import parse_condition
from .spec.rules import RuleSet

PathLike = str | os.PathLike[str]


def run_tree(
    input_dir: PathLike,
    output_dir: PathLike,
    rules: RuleSet,
    *,
    threads: int = 0,
    overwrite: bool = False,
    follow_links: bool = False,
    where: str = "",
    files_from: PathLike = "",
    null: bool = False,
    archives: bool = False,
    dry_run: bool = False,
    verify: bool = False,
    on_residual: Literal["report", "fail"] = "report",
    ledger: PathLike = "",
    prune: bool = False,
    log: PathLike = "",
    report: PathLike | Sequence[PathLike] = (),
    show_values: bool = False,
    review_sheet: PathLike = "",
    crosswalk: PathLike = "",
    lookup_missing: PathLike = "",
    pixel_review: Literal["list", "hold", "fail"] = "list",
    hold_dir: PathLike = "",
    max_inflated: int = 0,
    dask: str = "",
    dask_send_key: bool = False,
    progress: Callable[[int, int], object] | None = None,
) -> RunReport:
    """Patch every file of a tree into another.

    Args:
        input_dir: the tree to read, or one file.
        output_dir: the tree to write.
        rules: the compiled spec.
        threads: workers; with 0 this process does the work (on Linux, one worker where a detector
            looks for text, lest its crash end the run). With workers, call it under
            ``if __name__ == "__main__":`` where processes are spawned, not forked.
        overwrite: replace outputs that exist and differ.
        follow_links: follow symbolic links of the tree.
        where: the condition that chooses files, as ``--where`` takes it; "" takes all.
        files_from: a file that lists those to process, one path a line; "" for a walk.
        null: whether a NUL ends each path of that list.
        archives: read zip, tar and ``.dcm.gz`` files as folders.
        dry_run: do everything but the writing; the record then has a survey.
        verify: read each output again and compare it with its input.
        on_residual: ``fail`` fails a file whose output still holds a value that was replaced.
        ledger: a file that lists what is done, so that it is not done again; "" for none.
        prune: remove outputs of the ledger whose inputs are gone.
        log: a file to which a line of JSON is appended for each file; "" for none.
        report: files to write a report to, ``.html`` or ``.json``; the record then has a survey.
        show_values: show original values in reports and in the survey.
        review_sheet: a page with the pictures that a person has to look at; "" for none.
        crosswalk: a table of original and new identifiers, ``.csv`` or ``.sqlite``; "" for none.
        lookup_missing: a list of all values that lookup tables lack; "" for none.
        pixel_review: what becomes of files whose pixels a person has to see: they are listed only, held, or
            they fail.
        hold_dir: the directory of those that are held.
        max_inflated: the most bytes that a deflated data set may become; 0 for the default.
        dask: the address of a Dask scheduler whose workers do the work; "" for none. They need this package.
        dask_send_key: send them the key and the tables with the rules, which ``dask`` needs where there are
            any.
        progress: called after each file with how many are done and how many there are.

    Returns:
        The record, as ``--json`` has it; its ``to_json`` gives that.

    Raises:
        PlanError: a tree that cannot be processed, or a file that lies where it must not.
        SpecError: ``where`` is no condition.
        TagSubError: the ledger, the log, the crosswalk or the cluster cannot be used. Nothing was done.
        ValueError: arguments that do not go together.
    """
    condition = parse_condition(where, "where") if where else None
    started = time.perf_counter()
    paths = (report,) if isinstance(report, str | os.PathLike) else report
    options = Options(
        TreeOptions(
            inputDir=Path(input_dir), outputDir=Path(output_dir), threads=threads, followLinks=follow_links
        ),
        files_from=os.fspath(files_from),
        null=null,
        where=where,
        archives=archives,
        dry_run=dry_run,
        verify=verify,
        on_residual=OnResidual(on_residual),
        ledger=os.fspath(ledger),
        log=os.fspath(log),
        reports=tuple(os.fspath(path) for path in paths),
        show_values=show_values,
        review_sheet=os.fspath(review_sheet),
        crosswalk=os.fspath(crosswalk),
        lookup_missing=os.fspath(lookup_missing),
        pixel_review=ReviewPolicy(pixel_review),
        hold_dir=os.fspath(hold_dir),
        max_inflated=max_inflated,
        prune=prune,
        dask=dask,
        dask_send_key=dask_send_key,
    )
    check_arguments(options, rules)
    rules = noting_misses(rules) if lookup_missing else rules
    made = plan.build(options)
    totals = Totals(is_dry=dry_run)
    warnings: list[str] = [*rules.warnings, *made.warnings]
    caller = Caller(
        name_of=lambda field: _NAMES.get(field, field),
        warn=warnings.append,
        deferred=DeferredSignals(),  # signals are the program's own business
        flags=(),
        identity=_identity_of(options, rules),
        owns_signals=False,
    )
    with KeptFiles(made, rules, options, totals, caller) as kept:
        settings = RunSettings(
            rules=rules,
            where=condition,
            workers=threads,
            overwrite=overwrite,
            follow_links=follow_links or bool(made.single),
            cluster=Cluster(dask, sends_key=dask_send_key) if dask else None,
            verify=verify,
            fail_residuals=options.on_residual is OnResidual.FAIL,
            max_inflated=max_inflated,
            held=kept.held,
            is_dry=dry_run,
            survey_options=kept.survey_options,
            pairs=bool(options.crosswalk),
        )

        def on_outcome(outcome: FileOutcome) -> None:
            kept.take(outcome)
            if progress is not None:
                progress(totals.found, len(made.unreadable) + made.file_count)

        for outcome in made.unreadable:
            on_outcome(outcome)
        listeners = RunListeners(
            on_outcome=on_outcome,
            deferred=caller.deferred,
            on_warning=warnings.append,
            ledger=None if dry_run else kept.ledger,
        )
        runner.run(made, settings, listeners)
        kept.prune()
    secret = rules.resources.secret
    record = totals.finish(
        kept.exit_code,
        time.perf_counter() - started,
        rules.digest,
        "; ".join(kept.problems),
        key_fingerprint=secret.fingerprint if secret else "",
        spec_parts=rules.parts,
    )
    return kept.write_reports(replace(record, warnings=tuple(dict.fromkeys(warnings))))[0]


_NAMES = {"reports": "report"}
"""Arguments of :func:`run_tree` that have another name than their field in :class:`Options`."""


def _identity_of(options: Options, rules: RuleSet) -> tuple[str, ...]:
    """What outputs depend on besides what the rules, the key and the settings of pixels tell."""
    names = (*rules.directories, *((rules.stem,) if rules.stem else ()))
    return (
        *(f"name {template.text}" for template in names),
        f"where {options.where}",
        f"verify {options.verify} {options.on_residual}",
        f"review {options.pixel_review} {options.hold_dir}",
        f"links {options.tree.followLinks} inflated {options.max_inflated}",
        f"crosswalk {options.crosswalk}",
        f"misses {rules.resources.lookup_miss}",
        f"root {rules.resources.uid_root}",
        f"assumed {rules.assumed.terms if rules.assumed is not None else ()}",
    )
