"""The trees of a run, and the files and directories of its own, checked against each other."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..core.errors import PlanError
from ..core.plan import DirectoryPlan, Plan
from ..core.system_reasons import why_unread


def check_outside(plan: Plan, flag: str, path: str) -> None:
    """Refuse a file of the run's own that lies in one of the trees.

    There it would be read as an input, or be given away with the outputs.

    Args:
        plan: the trees.
        flag: what named the file.
        path: the file, which need not exist.

    Raises:
        PlanError: it does.
    """
    try:
        real = os.path.realpath(path)
    except (OSError, ValueError):
        return  # opening it says why
    if plan.single:
        if real in {plan.single, os.path.realpath(plan.single)}:
            raise PlanError(f"{flag} {path} is the input; give another file")
        if not is_inside(real, plan.output_root):
            return
    for name, root in (("--inputDir", plan.input_root), ("--outputDir", plan.output_root)):
        if is_inside(real, root):
            raise PlanError(f"{flag} {path} lies in the {name}; keep it outside of both trees")


def check_apart(plan: Plan, flag: str, path: str) -> str:
    """Refuse a directory of the run's own that lies in one of the trees, or one of them in it.

    Args: as of ``check_outside``.

    Returns:
        The directory, absolute and with links resolved.

    Raises:
        PlanError: it does, or is no directory.
    """
    try:
        root = os.path.realpath(path)
        is_other = os.path.lexists(root) and not os.path.isdir(root)
    except (OSError, ValueError) as error:
        raise PlanError(f"{flag} {path}: {getattr(error, 'strerror', None) or 'it is not a path'}") from None
    if is_other:
        raise PlanError(f"{flag} {path} is not a directory")
    for name, tree in (("--inputDir", plan.input_root), ("--outputDir", plan.output_root)):
        if is_inside(root, tree) or is_inside(tree, root):
            raise PlanError(f"{flag} {path} and the {name} lie in each other; keep it apart from both trees")
    return root


def check_input(path: Path) -> str:
    """The input directory, absolute and with links resolved."""
    try:
        status = path.stat()
        root = os.path.realpath(path)
    except OSError as error:
        raise PlanError(f"--inputDir {path}: {why_unread(error)}") from None
    if not stat.S_ISDIR(status.st_mode):
        raise PlanError(f"--inputDir {path} is neither a directory nor a regular file")
    if not os.access(root, os.R_OK | os.X_OK):
        raise PlanError(f"--inputDir {path}: no permission to read it")
    return root


def check_output(path: Path, input_root: str) -> str:
    """The output directory, absolute and with links resolved; it need not exist."""
    try:
        root = os.path.realpath(path)
    except OSError as error:
        raise PlanError(f"--outputDir {path}: {error.strerror}") from None
    if root == input_root or (os.path.exists(root) and os.path.samefile(root, input_root)):
        raise PlanError(
            f"--outputDir {path} is the input directory itself; "
            "give another one, the input is never overwritten"
        )
    nearest = root
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest)
    if not os.path.isdir(nearest):
        raise PlanError(f"--outputDir {path}: {nearest} is not a directory")
    if not os.access(nearest, os.W_OK | os.X_OK):
        if os.statvfs(nearest).f_flag & os.ST_RDONLY:
            raise PlanError(f"--outputDir {path}: {nearest} is on a read-only file system; name another")
        verb = "write to" if nearest == root else "create it in"
        cure = "let the user of this run write there, or name another"
        raise PlanError(f"--outputDir {path}: no permission to {verb} {nearest}; {cure}")
    return root


def check_outputs(directories: tuple[DirectoryPlan, ...], input_root: str, output_root: str) -> None:
    """Refuse outputs that would land among the inputs.

    Raises:
        PlanError: naming the first such output directory.
    """
    if not is_inside(input_root, output_root):
        return  # then every directory of the output is left out of the input
    inputs = {os.path.realpath(directory.input_dir) for directory in directories}
    for directory in directories:
        if directory.output_dir in inputs or is_inside(directory.output_dir, input_root):
            raise PlanError(
                f"the outputs of {directory.relative!r} would be written to {directory.output_dir}, inside "
                "the input tree; give an --outputDir that does not hold the --inputDir"
            )


def is_inside(path: str, root: str) -> bool:
    """Whether a path is that of a directory, or of something in it; both without links."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def is_output(path: str, input_root: str, output_root: str, follow_links: bool) -> bool:
    """Whether a walked directory belongs to the output tree, perhaps through a link.

    An output tree that holds the whole input says nothing of its directories.
    """
    if is_inside(input_root, output_root):
        return False
    # Below the resolved input root only a followed link can lead elsewhere.
    return is_inside(os.path.realpath(path) if follow_links else path, output_root)
