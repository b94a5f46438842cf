"""A plan to its outcomes: directories made, outputs named, every file through a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .models import DirectoryPlan, FileError, FileJob, FileOutcome, Plan, Stage, Status
from .plan import make_directory
from .rules import RuleSet
from .shield import Shield
from .temporary import remove_stale
from .worker import InLine, Settings, Worker

if TYPE_CHECKING:
    from .pool import Pool

OnOutcome = Callable[[FileOutcome], None]


def run(
    plan: Plan,
    rules: RuleSet,
    *,
    workers: int,
    overwrite: bool,
    follow_links: bool,
    on_outcome: OnOutcome,
    shield: Shield,
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

    Raises:
        Interrupted: a signal came; the workers have stopped, no temporary file is left.
    """
    workers = min(workers, plan.file_count)
    settings = Settings(rules, overwrite, follow_links)

    def on_lost(job: FileJob) -> None:
        reason = "the worker that processed it died, perhaps for want of memory"
        on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.SUBSTITUTE, reason))

    def on_result(_: FileJob, outcome: FileOutcome) -> None:
        on_outcome(outcome)

    with _workforce(settings, workers, shield) as workforce:
        directories = iter(plan.directories)
        if rules.stem is not None:
            directories = _named(plan, workforce, on_outcome, on_lost)
        ready = _made(plan, directories, on_outcome)
        workforce.run(Worker.process, ready, on_result, on_lost)


def _workforce(settings: Settings, workers: int, shield: Shield) -> InLine | Pool:
    if workers <= 1:
        return InLine(settings, shield)
    from .pool import Pool  # noqa: PLC0415  (its imports are slow)

    return Pool(settings, workers, shield)


def _made(plan: Plan, directories: Iterator[DirectoryPlan], on_outcome: OnOutcome) -> Iterator[DirectoryPlan]:
    """The directories whose output directories exist, each made when its turn comes."""
    for directory in directories:
        try:
            make_directory(plan, directory)
            remove_stale(directory.output_dir)
        except FileError as error:
            for job in directory.jobs():
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.WRITE, str(error)))
        else:
            yield directory


def _named(
    plan: Plan, workforce: InLine | Pool, on_outcome: OnOutcome, on_lost: Callable[[FileJob], None]
) -> Iterator[DirectoryPlan]:
    """The directories with the names of their outputs.

    All names are known before the first file is written, so that which of two files with
    one name is the second does not depend on how fast the workers are.
    """
    for directory in plan.directories:
        names: dict[str, str] = {}

        def on_result(
            job: FileJob,
            result: FileOutcome | str,
            names: dict[str, str] = names,
        ) -> None:
            if isinstance(result, str):
                names[job.input_path] = result
            else:
                on_outcome(result)

        workforce.run(Worker.name, iter((directory,)), on_result, on_lost)
        kept: list[str] = []
        outputs: dict[str, str] = {}
        for job, own in zip(directory.jobs(), directory.names, strict=True):
            output = names.get(job.input_path)
            if output is None:
                continue
            if output in outputs:
                reason = f"its output would have the name of that of {outputs[output]}"
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.NAME, reason))
                continue
            outputs[output] = own
            kept.append(own)
        if kept:
            yield replace(directory, names=tuple(kept), outputs=tuple(outputs))
