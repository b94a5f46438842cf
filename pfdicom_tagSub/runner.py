"""A plan to its outcomes: outputs named, directories made, every file through a worker."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from .models import DirectoryPlan, FileError, FileJob, FileOutcome, Plan, Stage, Status
from .placing import (
    LastOnes,
    OnOutcome,
    clear_of_directories,
    has_dicomdirs,
    in_named_directories,
    in_own_directories,
)
from .plan import check_directory, make_directory
from .rules import RuleSet
from .shield import Shield
from .temporary import remove_stale
from .worker import InLine, Settings, Worker

if TYPE_CHECKING:
    from .observing import Observing
    from .pool import Pool


def run(
    plan: Plan,
    rules: RuleSet,
    *,
    workers: int,
    overwrite: bool,
    follow_links: bool,
    on_outcome: OnOutcome,
    shield: Shield,
    is_dry: bool = False,
    observing: Observing | None = None,
) -> None:
    """Process every file of a plan.

    Args:
        plan: the files.
        rules: the compiled spec.
        workers: how many files at once; 0 works in line.
        overwrite: replace outputs that exist and differ.
        follow_links: read what symbolic links point to.
        on_outcome: told how each file ended, in any order.
        shield: what signal handlers of this thread tell their signals to.
        is_dry: write nothing, make no directory; tell what writing would come to.
        observing: what passes tell of themselves; None for nothing.

    Raises:
        PlanError: outputs could be written into the input tree.
        Interrupted: a signal came; the workers have stopped, no temporary file is left.
    """
    workers = min(workers, plan.file_count)
    renames = bool(rules.stem or rules.directories) or plan.moves_directories
    settings = Settings(rules, overwrite, follow_links, renames, plan.output_root, is_dry, observing)
    last = LastOnes(on_outcome) if renames and has_dicomdirs(plan) else None
    tell = last.note if last else on_outcome

    def on_lost(job: FileJob) -> None:
        reason = "the worker that processed it died, perhaps for want of memory"
        tell(FileOutcome(job.relative, Status.FAILED, Stage.SUBSTITUTE, reason))

    def on_result(_: FileJob, outcome: FileOutcome) -> None:
        tell(outcome)

    with _workforce(settings, workers, shield) as workforce:
        directories: Iterable[DirectoryPlan] = plan.directories
        if rules.directories:
            directories = in_named_directories(plan, workforce, tell, on_lost)
        elif renames:
            if rules.stem is not None:
                directories = in_own_directories(plan, workforce, tell, on_lost)
            directories = clear_of_directories(plan, directories, tell)
        if last:
            directories = last.others(directories)
        workforce.run(Worker.process, _made(plan, directories, tell, is_dry), on_result, on_lost)
        if last:
            workforce.run(Worker.process, _made(plan, last.dicomdirs(), tell, is_dry), on_result, on_lost)


def _workforce(settings: Settings, workers: int, shield: Shield) -> InLine | Pool:
    if workers <= 1:
        return InLine(settings, shield)
    from .pool import Pool  # noqa: PLC0415  (its imports are slow)

    return Pool(settings, workers, shield)


def _made(
    plan: Plan, directories: Iterable[DirectoryPlan], on_outcome: OnOutcome, is_dry: bool
) -> Iterator[DirectoryPlan]:
    """The directories whose output directories exist, each made when its turn comes.

    In a dry run: those whose output directories could be made.
    """
    for directory in directories:
        try:
            if is_dry:
                check_directory(plan, directory)
            else:
                make_directory(plan, directory)
                remove_stale(directory.output_dir)
        except FileError as error:
            for job in directory.jobs():
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.WRITE, str(error)))
        else:
            yield directory
