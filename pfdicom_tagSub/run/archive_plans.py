"""The plan of a run that reads archives as folders: their members in place of them."""

from __future__ import annotations

import os
import stat
from dataclasses import replace

from ..core.errors import FileError
from ..core.file_names import FileNames
from ..core.outcome import FileOutcome, Stage, Status
from ..core.plan import DirectoryPlan, Plan
from ..dicom.file import PREAMBLE, PREFIX
from ..files.archives import Limits, kind_by_name, listed

_MARKS = (b"PK", b"\x1f\x8b", b"BZh", b"\xfd7zXZ")


def with_members(plan: Plan, limits: Limits, *, follow_links: bool) -> Plan:
    """The same plan, with a folder of the archive's name for each archive.

    Args:
        plan: the files as they were found.
        limits: how large members may become.
        follow_links: read archives that symbolic links point to.
    """
    directories: list[DirectoryPlan] = []
    outcomes = list(plan.unreadable)
    for directory in plan.directories:
        archives = [name for name in directory.names if _is_archive(directory, name, follow_links)]
        if not archives:
            directories.append(directory)
            continue
        kept = set(archives)
        others = FileNames(name for name in directory.names if name not in kept)
        if others:
            directories.append(replace(directory, names=others))
        for name in archives:
            directories += _folders(directory, name, limits, outcomes)
    return replace(plan, directories=tuple(directories), unreadable=tuple(outcomes))


def _is_archive(directory: DirectoryPlan, name: str, follow_links: bool) -> bool:
    if not kind_by_name(name):
        return False
    path = f"{directory.input_dir}/{name}"
    try:
        found = os.stat(path, follow_symlinks=follow_links)
        return stat.S_ISREG(found.st_mode) and not _is_dicom(path)
    except OSError:
        return False  # reading it says why


def _is_dicom(path: str) -> bool:
    """Whether a file is DICOM with an archive's name."""
    with open(path, "rb") as file:
        head = file.read(PREAMBLE + len(PREFIX))
    return head.endswith(PREFIX) and len(head) > PREAMBLE and not head.startswith(_MARKS)


def _folders(
    directory: DirectoryPlan, name: str, limits: Limits, outcomes: list[FileOutcome]
) -> list[DirectoryPlan]:
    """The folders of an archive; what of it cannot be read joins the outcomes."""
    path = f"{directory.input_dir}/{name}"
    relative = name if directory.relative == "." else f"{directory.relative}/{name}"
    try:
        members = listed(path, limits)
    except (FileError, OSError) as error:
        reason = str(error) if isinstance(error, FileError) else error.strerror or "it cannot be read"
        outcomes.append(FileOutcome(relative, Status.FAILED, Stage.READ, reason))
        return []
    named: dict[str, list[str]] = {}
    for member, problem in members:
        if problem:
            status = Status.SKIPPED if problem.startswith("not a regular file") else Status.FAILED
            stage = Stage.READ if status is Status.FAILED else None
            outcomes.append(FileOutcome(f"{relative}/{member}", status, stage, problem))
            continue
        folder, _, own = member.rpartition("/")
        named.setdefault(folder, []).append(own)
    return [
        DirectoryPlan(
            f"{path}/{folder}".rstrip("/"),
            f"{directory.output_dir}/{name}/{folder}".rstrip("/"),
            f"{relative}/{folder}".rstrip("/"),
            FileNames(names),
            archive=path,
        )
        for folder, names in named.items()
    ]
