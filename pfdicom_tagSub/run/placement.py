"""Where outputs go when they do not keep the paths of their inputs: every name before the first write.

A name is made of the values of a file, so two files may ask for one path. The first in
order of the plan has it, however fast the workers are, and the second fails.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.errors import PlanError
from ..core.outcome import Earlier, FileOutcome, Stage, Status
from ..core.plan import DirectoryPlan, FileJob, Plan
from ..dicom.file_ids import is_directory_file
from .executors.inline import Inline
from .worker import Worker

if TYPE_CHECKING:
    from ..spec.rules import RuleSet
    from .already_done import AlreadyDone, Claims
    from .pool import Pool

NAMED_AT_ONCE = 1 << 12
"""How many files are named, at least, before their names are looked at."""

OnOutcome = Callable[[FileOutcome], None]
OnLost = Callable[[FileJob], None]


def placed(
    plan: Plan,
    rules: RuleSet,
    workforce: Inline | Pool,
    on_outcome: OnOutcome,
    on_lost: OnLost,
    already_done: AlreadyDone | None,
) -> Iterable[DirectoryPlan]:
    """The files that are to do, with the outputs that the rules and the plan give them.

    Args:
        plan: the files.
        rules: whose templates name outputs or their directories, or do not.
        workforce: who reads the values for these names.
        on_outcome: told of the files that get no output.
        on_lost: told of a file over which workers died.
        already_done: what a ledger says; None without one.

    Raises:
        PlanError: a name could lead into the input tree.
    """
    if rules.directories:
        return _in_named_directories(plan, workforce, on_outcome, on_lost, already_done)
    directories: Iterable[DirectoryPlan] = plan.directories
    if rules.stem is not None:
        directories = _in_own_directories(plan, workforce, on_outcome, on_lost, already_done)
    elif already_done is not None:
        directories = (already_done.rest(directory, _claim_own) for directory in plan.directories)
    is_moved = rules.stem is not None or plan.moves_directories
    return _clear_of_directories(plan, directories, on_outcome) if is_moved else directories


def _in_named_directories(
    plan: Plan,
    workforce: Inline | Pool,
    on_outcome: OnOutcome,
    on_lost: OnLost,
    already_done: AlreadyDone | None = None,
) -> list[DirectoryPlan]:
    """The files with their outputs where a template names the directories.

    Memory grows with the number of files: no path may be taken twice in the whole run.

    Args:
        plan: the files.
        workforce: who reads the values.
        on_outcome: told of the files that get no output.
        on_lost: told of a file over which workers died.
        already_done: what a ledger says. Files that it knows to be done are left out, and have their
            paths before all others.

    Returns:
        For each input directory and each output directory that its files go to, a plan, in order.

    Raises:
        PlanError: a name could lead into the input tree.
    """
    if f"{plan.input_root}/".startswith(plan.output_root.rstrip("/") + "/"):
        raise PlanError(
            "--outputDirTemplate could name a directory of the input tree, which lies in the --outputDir; "
            "give an --outputDir that does not hold the --inputDir"
        )
    paths = _Paths()
    found: list[DirectoryPlan] = []
    directories = plan.directories
    if already_done is not None:
        root = len(plan.output_root.rstrip("/")) + 1

        def claim(job: FileJob, path: str) -> bool:
            return not paths.take(path[root:], job.relative)

        rests = (already_done.rest(directory, claim) for directory in directories)
        directories = tuple(rest for rest in rests if rest.names)
    for part in _parts(directories):
        names = _names(part, workforce, on_outcome, on_lost)
        for directory in part:
            groups: dict[str, tuple[list[str], list[str], list[Earlier | None]]] = {}
            prefix = "" if directory.relative == "." else directory.relative + "/"
            for name, job in zip(directory.names, directory.jobs(), strict=True):
                path = prefix + name if is_directory_file(name) else names.pop(job.input_path, "")
                if not path:
                    continue
                if reason := paths.take(path, job.relative):
                    on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.NAME, reason))
                    continue
                folder, _, output = path.rpartition("/")
                own, outputs, earlier = groups.setdefault(folder, ([], [], []))
                own.append(name)
                outputs.append(output)
                earlier.append(job.earlier)
            for folder, (own, outputs, earlier) in groups.items():
                output_dir = f"{plan.output_root}/{folder}" if folder else plan.output_root
                found.append(
                    replace(
                        directory,
                        output_dir=output_dir,
                        names=tuple(own),
                        outputs=tuple(outputs),
                        earlier=tuple(earlier),
                    )
                )
    return found


def _in_own_directories(
    plan: Plan,
    workforce: Inline | Pool,
    on_outcome: OnOutcome,
    on_lost: OnLost,
    already_done: AlreadyDone | None = None,
) -> Iterator[DirectoryPlan]:
    """The files with their outputs where a template names these alone, directory by directory.

    Args: as of ``_in_named_directories``. A directory is named when its turn comes.
    """
    for whole in plan.directories:
        outputs: dict[str, str] = {}
        directory = whole if already_done is None else already_done.rest(whole, _claims_in(whole, outputs))
        if not directory.names:
            continue
        names = _names((directory,), workforce, on_outcome, on_lost)
        is_kept: list[bool] = []
        kept: list[str] = []
        for own, job in zip(directory.names, directory.jobs(), strict=True):
            output = own if is_directory_file(own) else names.get(job.input_path)
            is_kept.append(output is not None and output not in outputs)
            if output is None:
                continue
            if output in outputs:
                reason = f"its output would have the same name as that of {outputs[output]}"
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.NAME, reason))
                continue
            outputs[output] = own
            kept.append(output)
        if kept:
            yield replace(directory.selected(is_kept), outputs=tuple(kept))


def _claims_in(directory: DirectoryPlan, outputs: dict[str, str]) -> Claims:
    """Takes names in the output directory for files that are done, and notes them."""

    def claim(job: FileJob, path: str) -> bool:
        folder, _, output = path.rpartition("/")
        if folder != directory.output_dir or output in outputs:
            return False
        outputs[output] = job.input_path.rpartition("/")[2]
        return True

    return claim


def _claim_own(job: FileJob, path: str) -> bool:
    """Whether a file that keeps its name is done where it should be."""
    return path == job.output_path


def _clear_of_directories(
    plan: Plan, directories: Iterable[DirectoryPlan], on_outcome: OnOutcome
) -> Iterator[DirectoryPlan]:
    """The directories without the files whose outputs would be in the way of an output directory.

    Such a file fails whether its output would be written before or after that directory is made.

    Args:
        plan: whose output directories all are made.
        directories: the files, with the names of their outputs.
        on_outcome: told of the files that get no output.
    """
    folders: set[str] = set()
    for directory in plan.directories:
        folder = directory.output_dir
        while folder not in folders and len(folder) > len(plan.output_root):
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    for directory in directories:
        is_clear = [job.output_path not in folders for job in directory.jobs()]
        if all(is_clear):
            yield directory
            continue
        for job, clear in zip(directory.jobs(), is_clear, strict=True):
            if not clear:
                reason = "its output would have the path of an output directory"
                on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.NAME, reason))
        yield directory.selected(is_clear)


class HeldBackDicomdirs:
    """Holds DICOMDIRs back until it is known where the files went that they name."""

    def __init__(self, on_outcome: OnOutcome) -> None:
        """Args:
        on_outcome: told what ``note`` is told.
        """
        self._on_outcome = on_outcome
        self._others: list[DirectoryPlan] = []
        self._dicomdirs: list[DirectoryPlan] = []
        self._lost: set[str] = set()

    def note(self, outcome: FileOutcome) -> None:
        """Learn what became of a file."""
        if outcome.is_held or outcome.status in {Status.FAILED, Status.SKIPPED, Status.NOT_SELECTED}:
            self._lost.add(outcome.relative)
        self._on_outcome(outcome)

    def hold(self, directory: DirectoryPlan) -> None:
        """Learn where files went that an earlier run wrote."""
        self._others.append(directory)

    def others(self, directories: Iterable[DirectoryPlan]) -> Iterator[DirectoryPlan]:
        """The directories without their DICOMDIRs."""
        for directory in directories:
            is_kept = [not is_directory_file(name) for name in directory.names]
            kept = directory
            if not all(is_kept):
                kept = directory.selected(is_kept)
                self._dicomdirs += [
                    directory.part(place, place + 1) for place, keeps in enumerate(is_kept) if not keeps
                ]
            if kept.names:
                self._others.append(kept)
                yield kept

    def dicomdirs(self) -> Iterator[DirectoryPlan]:
        """The DICOMDIRs, each with where the files went; for when all of these are done."""
        for dicomdir in self._dicomdirs:
            yield replace(dicomdir, file_ids=moved_paths(dicomdir, self._others, self._lost))


def has_dicomdirs(plan: Plan) -> bool:
    """Whether a file of the plan is named as a DICOMDIR is."""
    return any(is_directory_file(name) for directory in plan.directories for name in directory.names)


def _parts(directories: Iterable[DirectoryPlan]) -> Iterator[list[DirectoryPlan]]:
    """The directories, so many at a time that workers have enough to do."""
    part: list[DirectoryPlan] = []
    count = 0
    for directory in directories:
        part.append(directory)
        count += len(directory.names)
        if count >= NAMED_AT_ONCE:
            yield part
            part, count = [], 0
    if part:
        yield part


def _names(
    directories: Iterable[DirectoryPlan], workforce: Inline | Pool, on_outcome: OnOutcome, on_lost: OnLost
) -> dict[str, str]:
    """What the values of each file ask for, by its path; DICOMDIRs, which keep their names, are not asked."""
    names: dict[str, str] = {}

    def on_result(job: FileJob, result: FileOutcome | str) -> None:
        if isinstance(result, str):
            names[job.input_path] = result
        else:
            on_outcome(result)

    asked = (
        directory.selected(not is_directory_file(name) for name in directory.names)
        for directory in directories
    )
    workforce.run(Worker.name, asked, on_result, on_lost)
    return names


class _Paths:
    """The paths that are taken, each by the input that asked for it first."""

    def __init__(self) -> None:
        self._files: dict[str, dict[str, str]] = {}
        self._folders: dict[str, str] = {}

    def take(self, path: str, relative: str) -> str:
        """Take a path for an input.

        Args:
            path: the path of its output, below the output directory.
            relative: the path of the input, for messages.

        Returns:
            Why it is not to be had; "" where it was.
        """
        folder, _, name = path.rpartition("/")
        files = self._files.get(folder)
        if files is None:
            if reason := self._make(folder, relative):
                return reason
            files = self._files[folder] = {}
        if name in files:
            return f"its output would have the same path as that of {files[name]}"
        if path in self._folders:
            return f"its output would have the path of a directory of the output of {self._folders[path]}"
        files[name] = relative
        return ""

    def _make(self, folder: str, relative: str) -> str:
        """Take a directory and those above it; says why it is not to be had."""
        made: list[str] = []
        while folder and folder not in self._folders:
            above, _, name = folder.rpartition("/")
            if owner := self._files.get(above, {}).get(name):
                return f"a directory of its output would have the path of the output of {owner}"
            made.append(folder)
            folder = above
        self._folders.update(dict.fromkeys(made, relative))
        return ""


def moved_paths(dicomdir: DirectoryPlan, others: Iterable[DirectoryPlan], lost: set[str]) -> dict[str, str]:
    """Where the files went that a DICOMDIR may name.

    Args:
        dicomdir: the plan of the DICOMDIR.
        others: the plans of the files, with the names of their outputs.
        lost: the files that have no output, relative to the input directory.

    Returns:
        The path of each file from the directory of the DICOMDIR to that of its output from the
        directory of the DICOMDIR's output, which may begin with ``../``; to "" where it has none.
    """
    root = "" if dicomdir.relative == "." else dicomdir.relative + "/"
    paths = {relative[len(root) :]: "" for relative in lost if relative.startswith(root)}
    for directory in others:
        if not f"{directory.relative}/".startswith(root):
            continue
        folder = posixpath.relpath(directory.output_dir, dicomdir.output_dir)
        prefix = "" if folder == "." else folder + "/"
        for job, output in zip(directory.jobs(), directory.outputs or directory.names, strict=True):
            paths[job.relative[len(root) :]] = "" if job.relative in lost else prefix + output
    return paths
