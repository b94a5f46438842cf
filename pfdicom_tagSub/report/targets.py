"""The files that reports are written to."""

from __future__ import annotations

import itertools
import os
import stat
from contextlib import suppress
from dataclasses import dataclass

from ..core.errors import PlanError
from ..core.options import Options
from ..core.plan import Plan
from ..core.system_reasons import why_unwritten
from ..files.temporary import remove_stale, temporary_name

MODE = 0o600
"""Its paths are those of the input, and they may name people."""


_numbers = itertools.count(1 << 20)  # no output of this process has the name of such a number


@dataclass(frozen=True)
class Target:
    """A report to be written.

    Attributes:
        path: where, absolute.
        shown: the path as it was given.
    """

    path: str
    shown: str

    def write(self, text: str) -> None:
        """Write it whole or not at all; others cannot read it.

        Raises:
            OSError: it cannot be written; nothing is left of it.
        """
        _write(self.path, text.encode("utf-8"))


def find_targets(options: Options, plan: Plan) -> tuple[tuple[Target, ...], tuple[str, ...]]:
    """Check where reports shall go, before the first file is read.

    Returns:
        The reports to write, and what to warn of.

    Raises:
        PlanError: one cannot be written, or would be in the input tree.
    """
    targets: list[Target] = []
    warnings: list[str] = []
    for shown in options.reports:
        if "\0" in shown:
            raise PlanError("--report: a path holds no null byte")
        path = os.path.join(os.path.realpath(os.path.dirname(shown) or "."), os.path.basename(shown))
        folder = os.path.dirname(path)
        if plan.single:
            if path in {plan.single, os.path.realpath(plan.single)}:
                raise PlanError(f"--report {shown} is the input, which is never overwritten")
        elif _is_inside(folder, plan.input_root):
            raise PlanError(f"--report {shown} lies in the input tree, where nothing is written")
        if any(target.path == path for target in targets):
            raise PlanError(f"--report {shown} is given twice")
        try:
            if not stat.S_ISREG(os.lstat(path).st_mode):
                raise PlanError(f"--report {shown}: what is there is no regular file")
        except FileNotFoundError:
            pass
        except OSError as error:
            raise PlanError(f"--report {shown}: {why_unwritten(error)}") from None
        if options.show_values:  # what a run was killed over may hold originals
            remove_stale(folder)
        try:
            os.unlink(_created(folder, b""))
        except OSError as error:
            raise PlanError(
                f"--report {shown}: cannot write to its directory: {why_unwritten(error)}"
            ) from None
        if _is_inside(folder, plan.output_root):
            warnings.append(f"--report {shown} lies in the output tree; it names files as the input does")
        targets.append(Target(path, shown))
    return tuple(targets), tuple(warnings)


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _write(path: str, data: bytes) -> None:
    temporary = _created(os.path.dirname(path), data)
    try:
        os.rename(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _created(folder: str, data: bytes) -> str:
    """A new file under a temporary name."""
    while True:
        path = f"{folder}/{temporary_name(next(_numbers))}"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
        except FileExistsError:
            continue
        try:
            with open(descriptor, "wb") as file:
                file.write(data)
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise
        return path
