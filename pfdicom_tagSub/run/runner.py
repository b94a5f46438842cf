"""A plan to its outcomes: outputs named, directories made, every file through a worker."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from ..core import garbage
from ..core.errors import FileError, PlanError
from ..core.outcome import FileOutcome, Stage, Status
from ..core.plan import DirectoryPlan, FileJob, Plan
from ..core.system_reasons import why_unwritten
from ..dicom.inflating import InflateLimit
from ..files.folders import NewFolders, check_directory, check_not_input, make_directory
from ..files.temporary import remove_stale
from ..spec.output_names import may_quote_replaced
from ..spec.templates import prepare
from .already_done import AlreadyDone
from .placement import (
    HeldBackDicomdirs,
    OnOutcome,
    has_dicomdirs,
    placed,
)
from .run_settings import RunListeners, RunSettings
from .worker import Worker
from .worker_settings import Settings
from .workforce import workforce_of


def run(plan: Plan, settings: RunSettings, listeners: RunListeners) -> None:
    """Process every file of a plan.

    Args:
        plan: the files.
        settings: what to do with them.
        listeners: who is told of it.

    Raises:
        PlanError: outputs would or could be written into the input tree.
        ClusterError: the cluster cannot be worked with, or no longer.
        Interrupted: a signal came; the workers have stopped, no temporary file is left.
    """
    rules, is_dry, ledger = settings.rules, settings.is_dry, listeners.ledger
    if not is_dry:
        check_not_input(plan.input_root, plan.output_root)
    if plan.file_count:
        _check_output_root(plan.output_root, is_dry=is_dry)
    renames = bool(rules.stem or rules.directories) or plan.moves_directories
    names_outputs = not may_quote_replaced(rules)
    run_id = secrets.token_hex(4) if settings.cluster else ""
    worker_settings = replace(
        _worker_settings(plan, settings, listeners), renames=renames, run=run_id, names_outputs=names_outputs
    )
    last = HeldBackDicomdirs(listeners.on_outcome) if renames and has_dicomdirs(plan) else None
    report = last.note if last else listeners.on_outcome
    already_done = None
    if ledger is not None:
        already_done = AlreadyDone(
            ledger,
            plan,
            follow_links=settings.follow_links,
            renames=renames,
            on_outcome=report,
            on_current=last.hold if last else None,
            deferred=listeners.deferred,
            names_outputs=names_outputs,
            held=settings.held,
        )
        report = ledger.noting(report)

    def on_lost(job: FileJob) -> None:
        reason = "the worker that processed it died, perhaps for want of memory"
        report(FileOutcome(job.relative, Status.FAILED, Stage.SUBSTITUTE, reason))

    def on_result(_: FileJob, outcome: FileOutcome) -> None:
        report(outcome)

    hold_root = settings.held.hold_root if settings.held is not None else ""
    with (
        NewFolders(plan.output_root) as new,
        _HoldFolder("" if is_dry else hold_root),
        workforce_of(
            worker_settings,
            min(settings.workers, plan.file_count),
            settings.cluster,
            listeners,
            plan.file_count,
        ) as workforce,
    ):
        if settings.cluster is None:
            prepare(rules.templates)  # a forked worker has all that is loaded by now
        garbage.resume()

        def work_on(directories: Iterable[DirectoryPlan]) -> None:
            ready = _made(plan, directories, report, run_id, new, is_dry=is_dry, names_outputs=names_outputs)
            workforce.run(Worker.process, ready, on_result, on_lost)

        directories = placed(plan, rules, workforce, report, on_lost, already_done)
        work_on(last.others(directories) if last else directories)
        if last:
            work_on(last.dicomdirs())


def _worker_settings(plan: Plan, settings: RunSettings, listeners: RunListeners) -> Settings:
    """What a worker has to know, as far as plan, settings and listeners say it by themselves."""
    is_dry = settings.is_dry
    return Settings(
        settings.rules,
        settings.overwrite,
        settings.follow_links,
        output_root=plan.output_root,
        durable=listeners.ledger is not None,
        verify=settings.verify,
        fail_residuals=settings.fail_residuals,
        is_dry=is_dry,
        survey_options=settings.survey_options,
        inflate_limit=InflateLimit.of(settings.max_inflated, "" if is_dry else plan.output_root),
        where=settings.where,
        pairs=settings.pairs,
        member_size=settings.max_inflated,
        held=settings.held,
        tallies=listeners.on_tally is not None and listeners.ledger is None,
    )


def _check_output_root(root: str, *, is_dry: bool) -> None:
    """End the run where there can be no output directory, before the first file is read.

    Raises:
        PlanError: there cannot be one.
    """
    try:
        if not is_dry:
            make_directory(root, root)
        elif not os.path.lexists(root):
            check_directory(root, root)
    except FileError as error:
        raise PlanError(f"--outputDir {root}: {error}") from None


class _HoldFolder:
    """The directory of what is held, which is made where there is none, and goes if nothing is in it.

    A context manager. "" is for none.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._is_new = False

    def __enter__(self) -> None:
        if self._path and not os.path.lexists(self._path):
            try:
                os.makedirs(self._path, mode=0o700)
            except OSError as error:
                raise PlanError(f"--holdDir {self._path}: {why_unwritten(error)}") from None
            self._is_new = True

    def __exit__(self, *exception: object) -> None:
        if self._is_new:
            with suppress(OSError):
                os.rmdir(self._path)


def _made(
    plan: Plan,
    directories: Iterable[DirectoryPlan],
    on_outcome: OnOutcome,
    run_id: str,
    new: NewFolders,
    *,
    is_dry: bool,
    names_outputs: bool,
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
                output = os.path.relpath(job.output_path, root) if names_outputs else ""
                reason = str(error)
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.WRITE, reason, output=output))
        else:
            yield directory
