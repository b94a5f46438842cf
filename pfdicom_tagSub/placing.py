"""Where outputs go when they do not keep the paths of their inputs: every name before the first write.

A name is made of the values of a file, so two files may ask for one path. The first in
order of the plan has it, however fast the workers are, and the second fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from .file_ids import is_directory_file, moved_paths
from .models import DirectoryPlan, FileJob, FileOutcome, Plan, PlanError, Stage, Status
from .worker import InLine, Worker

if TYPE_CHECKING:
    from .pool import Pool

NAMED_AT_ONCE = 1 << 12
"""How many files are named, at least, before their names are looked at."""

OnOutcome = Callable[[FileOutcome], None]
OnLost = Callable[[FileJob], None]


def in_named_directories(
    plan: Plan, workforce: InLine | Pool, on_outcome: OnOutcome, on_lost: OnLost
) -> list[DirectoryPlan]:
    """The files with their outputs where a template names the directories.

    Memory grows with the number of files: no path may be taken twice in the whole run.

    Args:
        plan: the files.
        workforce: who reads the values.
        on_outcome: told of the files that get no output.
        on_lost: told of a file over which workers died.

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
    for part in _parts(plan.directories):
        names = _names(part, workforce, on_outcome, on_lost)
        for directory in part:
            groups: dict[str, tuple[list[str], list[str]]] = {}
            prefix = "" if directory.relative == "." else directory.relative + "/"
            for name, job in zip(directory.names, directory.jobs(), strict=True):
                path = prefix + name if is_directory_file(name) else names.pop(job.input_path, "")
                if not path:
                    continue
                if reason := paths.take(path, job.relative):
                    on_outcome(FileOutcome(job.relative, Status.FAILED, Stage.NAME, reason))
                    continue
                folder, _, output = path.rpartition("/")
                own, outputs = groups.setdefault(folder, ([], []))
                own.append(name)
                outputs.append(output)
            for folder, (own, outputs) in groups.items():
                output_dir = f"{plan.output_root}/{folder}" if folder else plan.output_root
                found.append(
                    replace(directory, output_dir=output_dir, names=tuple(own), outputs=tuple(outputs))
                )
    return found


def in_own_directories(
    plan: Plan, workforce: InLine | Pool, on_outcome: OnOutcome, on_lost: OnLost
) -> Iterator[DirectoryPlan]:
    """The files with their outputs where a template names these alone, directory by directory.

    Args: as of ``in_named_directories``. A directory is named when its turn comes.
    """
    for directory in plan.directories:
        names = _names((directory,), workforce, on_outcome, on_lost)
        kept: list[str] = []
        outputs: dict[str, str] = {}
        for own, job in zip(directory.names, directory.jobs(), strict=True):
            output = own if is_directory_file(own) else names.get(job.input_path)
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


def clear_of_directories(
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
        yield _selected(directory, is_clear)


class LastOnes:
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
        if outcome.status in {Status.FAILED, Status.SKIPPED}:
            self._lost.add(outcome.relative)
        self._on_outcome(outcome)

    def others(self, directories: Iterable[DirectoryPlan]) -> Iterator[DirectoryPlan]:
        """The directories without their DICOMDIRs."""
        for directory in directories:
            is_kept = [not is_directory_file(name) for name in directory.names]
            kept = directory
            if not all(is_kept):
                kept = _selected(directory, is_kept)
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


def _selected(directory: DirectoryPlan, keeps: list[bool]) -> DirectoryPlan:
    def selected(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name, keep in zip(names, keeps, strict=False) if keep)

    return replace(directory, names=selected(directory.names), outputs=selected(directory.outputs))


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
    directories: Iterable[DirectoryPlan], workforce: InLine | Pool, on_outcome: OnOutcome, on_lost: OnLost
) -> dict[str, str]:
    """What the values of each file ask for, by its path; DICOMDIRs, which keep their names, are not asked."""
    names: dict[str, str] = {}

    def on_result(job: FileJob, result: FileOutcome | str) -> None:
        if isinstance(result, str):
            names[job.input_path] = result
        else:
            on_outcome(result)

    asked = (
        _selected(directory, [not is_directory_file(name) for name in directory.names])
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
            return f"its output would have the path of that of {files[name]}"
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
