"""A plan to its outcomes: outputs named, directories made, every file through a worker."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from ..core.errors import FileError
from ..core.options import Cluster
from ..core.outcome import FileOutcome, Stage, Status
from ..core.plan import DirectoryPlan, FileJob, Plan
from ..dicom.inflating import InflateLimit
from ..files.folders import NewFolders, check_directory, check_not_input, make_directory
from ..files.temporary import remove_stale
from ..spec.rules import RuleSet
from .already_done import AlreadyDone
from .deferred_signals import DeferredSignals
from .placement import (
    LastOnes,
    OnOutcome,
    claim_own,
    clear_of_directories,
    has_dicomdirs,
    in_named_directories,
    in_own_directories,
)
from .worker import Settings, Worker
from .workforce import _workforce

if TYPE_CHECKING:
    from ..engine.surveyor import SurveyOptions
    from .ledger import Ledger


def run(
    plan: Plan,
    rules: RuleSet,
    *,
    workers: int,
    overwrite: bool,
    follow_links: bool,
    on_outcome: OnOutcome,
    deferred: DeferredSignals,
    cluster: Cluster | None = None,
    on_warning: Callable[[str], None] = lambda _: None,
    ledger: Ledger | None = None,
    verify: bool = False,
    fail_residuals: bool = False,
    is_dry: bool = False,
    survey_options: SurveyOptions | None = None,
    max_inflated: int = 0,
) -> None:
    """Process every file of a plan.

    Args:
        plan: the files.
        rules: the compiled spec.
        workers: how many files at once; 0 works in line.
        overwrite: replace outputs that exist and differ.
        follow_links: read what symbolic links point to.
        on_outcome: told how each file ended, in any order.
        deferred: what signal handlers of this thread tell their signals to.
        cluster: whose workers to use, instead of any here.
        on_warning: told what the user should know of the cluster.
        ledger: what earlier runs finished, which is not done again; told of what this one does.
            The caller commits what it holds at the end.
        verify: read each output again and hold it against its input.
        fail_residuals: an output that still holds a value that was replaced fails its file.
        is_dry: write nothing, make no directory; tell what writing would come to.
        survey_options: what passes tell of themselves; None for nothing.
        max_inflated: the most bytes that a deflated data set may become; 0 for the default.

    Raises:
        PlanError: outputs would or could be written into the input tree.
        ClusterError: the cluster cannot be worked with, or no longer.
        Interrupted: a signal came; the workers have stopped, no temporary file is left.
    """
    if not is_dry:
        check_not_input(plan.input_root, plan.output_root)
    workers = min(workers, plan.file_count)
    renames = bool(rules.stem or rules.directories) or plan.moves_directories
    run_id = secrets.token_hex(4) if cluster else ""
    settings = Settings(
        rules,
        overwrite,
        follow_links,
        renames,
        plan.output_root,
        run_id,
        durable=ledger is not None,
        verify=verify,
        fail_residuals=fail_residuals,
        is_dry=is_dry,
        survey_options=survey_options,
        inflate_limit=InflateLimit.of(max_inflated, "" if is_dry else plan.output_root),
    )
    last = LastOnes(on_outcome) if renames and has_dicomdirs(plan) else None
    report = last.note if last else on_outcome
    already_done = None
    if ledger is not None:
        already_done = AlreadyDone(
            ledger,
            plan,
            follow_links=follow_links,
            renames=renames,
            on_outcome=report,
            on_current=last.hold if last else None,
            deferred=deferred,
        )
        report = ledger.noting(report)

    def on_lost(job: FileJob) -> None:
        reason = "the worker that processed it died, perhaps for want of memory"
        report(FileOutcome(job.relative, Status.FAILED, Stage.SUBSTITUTE, reason))

    def on_result(_: FileJob, outcome: FileOutcome) -> None:
        report(outcome)

    with (
        NewFolders(plan.output_root) as new,
        _workforce(settings, workers, deferred, cluster, on_warning) as workforce,
    ):
        directories: Iterable[DirectoryPlan] = plan.directories
        if rules.directories:
            directories = in_named_directories(plan, workforce, report, on_lost, already_done)
        elif rules.stem is not None:
            directories = in_own_directories(plan, workforce, report, on_lost, already_done)
        elif already_done is not None:
            directories = (already_done.rest(directory, claim_own) for directory in plan.directories)
        if renames and not rules.directories:
            directories = clear_of_directories(plan, directories, report)
        if last:
            directories = last.others(directories)
        ready = _made(plan, directories, report, run_id, new, is_dry=is_dry)
        workforce.run(Worker.process, ready, on_result, on_lost)
        if last:
            ready = _made(plan, last.dicomdirs(), report, run_id, new, is_dry=is_dry)
            workforce.run(Worker.process, ready, on_result, on_lost)


def _made(
    plan: Plan,
    directories: Iterable[DirectoryPlan],
    on_outcome: OnOutcome,
    run_id: str,
    new: NewFolders,
    *,
    is_dry: bool,
) -> Iterator[DirectoryPlan]:
    """The directories whose output directories are there or can be made.

    A worker makes one for the first file that it writes; for a cluster they are made here, each when
    its turn comes. What killed runs left is removed from those where nothing is to do, too.
    """
    root = plan.output_root
    for directory in directories:
        path = directory.output_dir
        if not directory.names:
            if not is_dry:
                remove_stale(path, run_id)
            continue
        try:
            if is_dry:
                check_directory(root, path)
            elif run_id or os.path.lexists(path):
                new.note(path)
                make_directory(root, path)
                remove_stale(path, run_id)
            else:
                new.note(path)
                make_directory(root, root)
                check_directory(root, path)
        except FileError as error:
            for job in directory.jobs():
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.WRITE, str(error)))
        else:
            yield directory
