"""Outputs whose inputs are gone, as those of a patient who withdrew consent: found by a ledger, and pruned.

An output is removed only if the ledger has it, it is as it was left, and no other input has its path.
What cannot be looked at is not gone.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import FileError
from ..core.outcome import Orphan, OrphanFate, Stamp
from ..core.plan import Plan
from ..files.folders import Folders
from .deferred_signals import DeferredSignals

if TYPE_CHECKING:  # it imports sqlite3, which a run without a ledger has no use for
    from .ledger import Ledger

EMPTY_INPUT = (
    "--prune would remove the outputs of all inputs, since the --inputDir holds no file at all; "
    "is it mounted? Nothing was removed"
)

_CHANGED = "it was changed since, so it is not removed; look at it and remove it"


class GoneInput(NamedTuple):
    """A row of the ledger whose input is gone.

    Attributes:
        directory: the number of its directory in the ledger.
        name: the name of the input.
        path: the input, relative to the input directory.
        output_path: the absolute path of its output; "" for none.
        stamp: the output as it was left.
        is_shown: whether records may show the path of the output.
    """

    directory: int
    name: str
    path: str
    output_path: str
    stamp: Stamp
    is_shown: bool


def find_gone(ledger: Ledger, plan: Plan, *, follow_links: bool) -> list[GoneInput]:
    """The rows of the inputs that are gone, in order of their outputs.

    Args:
        ledger: what earlier runs and this one finished.
        plan: the files that are there; others may be, too, where a run takes some of them.
        follow_links: look at what symbolic links point to.
    """
    planned = {directory.relative: directory.names for directory in plan.directories}
    archives = {
        directory.archive[len(plan.input_root.rstrip("/")) + 1 :] + "/"
        for directory in plan.directories
        if directory.archive
    }
    found: list[GoneInput] = []
    for number, relative in ledger.directories():
        known = set(planned.get(relative, ()))
        archive = next((one for one in archives if f"{relative}/".startswith(one)), "")
        prefix = "" if relative == "." else relative + "/"
        for name, output, stamp, is_of_this_run in ledger.outputs(number):
            path = prefix + name
            place = os.path.join(plan.input_root, path)
            if name in known or not (archive or _is_gone(place, follow_links=follow_links)):
                continue
            output_path = os.path.join(plan.output_root, output or path) if stamp is not None else ""
            is_shown = is_of_this_run or not output
            found.append(GoneInput(number, name, path, output_path, stamp or Stamp(-1, 0), is_shown))
    return sorted(found, key=lambda one: (os.path.dirname(one.output_path), one.output_path, one.path))


def prune(
    ledger: Ledger,
    plan: Plan,
    *,
    removes: bool,
    is_dry: bool,
    follow_links: bool,
    names_outputs: bool,
    deferred: DeferredSignals,
    on_orphan: Callable[[Orphan], None],
    hold_root: str = "",
) -> str:
    """Remove outputs whose inputs are gone, or say which there are.

    Args:
        ledger: what earlier runs and this one finished.
        plan: the files that are there.
        removes: remove them; else they are found only.
        is_dry: tell what would be removed, and remove nothing.
        follow_links: as of ``find_gone``.
        names_outputs: whether records may show the paths of outputs.
        deferred: holds signals back while outputs are removed and forgotten.
        on_orphan: told of each output whose input is gone.
        hold_root: where outputs are held until a person has seen them; "" for nowhere.

    Returns:
        Why nothing was removed; "" where there is no reason.
    """
    gone = find_gone(ledger, plan, follow_links=follow_links)
    if removes and gone and not plan.file_count and not _has_inputs(ledger, plan, len(gone)):
        return EMPTY_INPUT
    if any(one.output_path for one in gone):
        gone = _without_shared(ledger, gone)
    trees = [_OutputTree(root) for root in (plan.output_root, hold_root) if root]

    def orphan_of(one: GoneInput, fate: OrphanFate, reason: str = "") -> Orphan:
        shown = tree.below(one.output_path) if tree is not None and names_outputs and one.is_shown else ""
        return Orphan(one.path, shown, fate, reason)

    for folder, group in groupby(gone, key=lambda one: os.path.dirname(one.output_path)):
        tree = next((tree for tree in trees if tree.holds(folder)), None)
        with deferred:
            forgotten = []
            is_pruned = False
            for one in group:
                fate, reason = _fate(tree, one, removes=removes and not is_dry)
                if fate is None:  # there is nothing to be removed
                    forgotten.append(one)
                    continue
                if fate is OrphanFate.PRUNED and not removes:
                    fate, reason = OrphanFate.LEFT, "its input is gone; --prune removes it"
                if fate is OrphanFate.PRUNED:
                    is_pruned = True
                    forgotten.append(one)
                on_orphan(orphan_of(one, fate, reason))
            if removes and not is_dry:
                if is_pruned and tree is not None:
                    _settle(tree, folder)
                ledger.forget((one.directory, one.name) for one in forgotten)
        deferred.check()
    for tree in trees:
        tree.folders.close()
    return ""


class _OutputTree:
    """A tree of outputs."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.folders = Folders(root)

    def holds(self, folder: str) -> bool:
        """Whether a directory is in it."""
        return f"{folder}/".startswith(self.root.rstrip("/") + "/")

    def below(self, path: str) -> str:
        """A path in it, relative to its root."""
        return path[len(self.root.rstrip("/")) + 1 :]


def _is_gone(path: str, *, follow_links: bool) -> bool:
    """Whether there is certainly no such file."""
    try:
        os.stat(path, follow_symlinks=follow_links)
    except FileNotFoundError:
        return True
    except NotADirectoryError:
        return not _is_in_archive(path)
    except OSError:
        return False
    return False


def _is_in_archive(path: str) -> bool:
    """Whether a path may be that of a member of an archive, into which ``--archives`` alone looks."""
    from ..files.archives import kind_by_name  # noqa: PLC0415  (it loads the readers of archives)

    while len(path) > 1:
        path = os.path.dirname(path)
        if os.path.isfile(path):
            return bool(kind_by_name(path))
    return False


def _has_inputs(ledger: Ledger, plan: Plan, gone: int) -> bool:
    """Whether some inputs of the ledger are there, though the run takes none."""
    count = sum(1 for number, _ in ledger.directories() for _ in ledger.outputs(number))
    return count > gone or bool(plan.unreadable)


def _without_shared(ledger: Ledger, gone: list[GoneInput]) -> list[GoneInput]:
    """The same, without the outputs of those whose path is that of an input that is there.

    An input that was moved may have the output that it had before.
    """
    own = {(one.directory, one.name) for one in gone}
    paths = {one.output_path for one in gone}
    shared = {path for *row, path in ledger.all_outputs() if path in paths and tuple(row) not in own}
    if not shared:
        return gone
    return [one._replace(output_path="") if one.output_path in shared else one for one in gone]


def _fate(tree: _OutputTree | None, one: GoneInput, *, removes: bool) -> tuple[OrphanFate | None, str]:
    """What becomes of an output, and why it stays; None where there is none."""
    folder, _, name = one.output_path.rpartition("/")
    if not one.output_path:
        return None, ""
    if tree is None:
        return OrphanFate.LEFT, "it is held in another directory; give that --holdDir"
    try:
        descriptor = tree.folders.open(folder)
        found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        if not stat.S_ISREG(found.st_mode) or Stamp.of(found) != one.stamp:
            return OrphanFate.LEFT, _CHANGED
        if removes:
            os.unlink(name, dir_fd=descriptor)
    except FileNotFoundError:
        return None, ""
    except FileError as error:
        return OrphanFate.LEFT, str(error)
    except OSError as error:
        return OrphanFate.LEFT, error.strerror or "it cannot be removed"
    return OrphanFate.PRUNED, ""


def _settle(tree: _OutputTree, folder: str) -> None:
    """Have removals on the disk before the ledger forgets them, and remove directories that hold nothing."""
    folders, root = tree.folders, tree.root
    for place in _upwards(folder, root):
        with suppress(OSError, FileError):
            # The descriptors of folders are for names alone.
            descriptor = os.open(".", os.O_RDONLY | os.O_CLOEXEC, dir_fd=folders.open(place))
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        if place == root:
            return
        try:
            os.rmdir(os.path.basename(place), dir_fd=folders.open(os.path.dirname(place)))
        except (OSError, FileError):
            return


def _upwards(folder: str, root: str) -> Iterator[str]:
    while len(folder) > len(root):
        yield folder
        folder = os.path.dirname(folder)
    yield root
