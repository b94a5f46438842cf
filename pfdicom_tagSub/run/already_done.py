"""Which files need not be opened: a ledger's rows held against what is on the disk.

Nothing here asks what time it is: a file is done by what its ledger and the file system say of it.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core.outcome import Earlier, FileOutcome, Stamp, Status
from ..core.plan import DirectoryPlan, FileJob, Plan
from ..dicom.file_ids import is_directory_file
from .deferred_signals import DeferredSignals

if TYPE_CHECKING:  # it imports sqlite3, which a run without a ledger has no use for
    from .held_files import HeldFiles
    from .ledger import Ledger, Row

Claims = Callable[[FileJob, str], bool]
"""Whether a file that is done may have its output at a path; it then has it before all others."""

CHUNK = 512
"""How many files are looked up at once."""


class AlreadyDone:
    """Tells the files of a plan that are done from those to do."""

    def __init__(
        self,
        ledger: Ledger,
        plan: Plan,
        *,
        follow_links: bool,
        renames: bool,
        on_outcome: Callable[[FileOutcome], None],
        on_current: Callable[[DirectoryPlan], None] | None,
        deferred: DeferredSignals,
        names_outputs: bool,
        held: HeldFiles | None = None,
    ) -> None:
        """Args:
        ledger: what earlier runs finished.
        plan: the files.
        follow_links: look at what symbolic links point to.
        renames: whether outputs get other paths than inputs. A DICOMDIR depends on all of these, so
            it is then never done.
        on_outcome: told of the files that are done.
        on_current: told where their outputs are; None where nobody asks.
        deferred: holds signals back while outcomes are told.
        names_outputs: whether outcomes name the paths of outputs.
        held: where files are held until a person has seen their pixels; None where none is.
        """
        self._ledger = ledger
        self._prefix = plan.output_root.rstrip("/") + "/"
        self._follow_links = follow_links
        self._renames = renames
        self._on_outcome = on_outcome
        self._on_current = on_current
        self._deferred = deferred
        self._names_outputs = names_outputs
        self._held = held

    def rest(self, directory: DirectoryPlan, claim: Claims) -> DirectoryPlan:
        """The files of a directory that are not done; those that are have been told.

        Args:
            directory: the files, which keep their names as far as it is known yet.
            claim: asked for each file that seems done; where it says no, the file is not.

        Returns:
            The others, perhaps none, each with the output that the ledger knows of it.
        """
        number = self._ledger.directory(directory.relative)
        if number is None:
            return directory
        folders: dict[str, bool] = {}
        placed: dict[str, tuple[list[str], list[str]]] = {}
        keeps: list[bool] = []
        earlier: list[Earlier | None] = []
        jobs = directory.jobs()
        names = iter(directory.names)
        while chunk := list(itertools.islice(names, CHUNK)):
            rows = self._ledger.rows(number, chunk)
            with self._deferred:
                for name, job in zip(chunk, jobs, strict=False):
                    row = rows.get(name)
                    outcome = own = None
                    if row is not None:
                        path = self._path_of(row, job)
                        placed_at = self._held.released(path) if self._held is not None else path
                        is_done = self._is_done(row, job, name, path, folders)
                        if is_done and (row.skipped or claim(job, placed_at)):
                            shown = placed_at[len(self._prefix) :] * self._names_outputs
                            outcome = _outcome_of(row, job, shown, is_held=placed_at != path)
                        elif row.output is not None:
                            own = Earlier(path, row.output)
                    keeps.append(outcome is None)
                    earlier.append(own)
                    if outcome is None:
                        continue
                    self._on_outcome(outcome)
                    is_placed = outcome.status is Status.CURRENT and not outcome.is_held
                    if self._on_current is not None and is_placed:
                        folder, _, output = path.rpartition("/")
                        ours, theirs = placed.setdefault(folder, ([], []))
                        ours.append(name)
                        theirs.append(output)
            self._deferred.check()
        if self._on_current is not None:
            for folder, (ours, theirs) in placed.items():
                self._on_current(
                    replace(directory, output_dir=folder, names=tuple(ours), outputs=tuple(theirs))
                )
        return replace(directory, earlier=tuple(earlier)).selected(keeps)

    def _path_of(self, row: Row, job: FileJob) -> str:
        if row.output_path.startswith("/"):  # it is held
            return row.output_path
        return self._prefix + (row.output_path or job.relative)

    def _is_done(self, row: Row, job: FileJob, name: str, path: str, folders: dict[str, bool]) -> bool:
        """Whether a row is of this run's rules, and of the files as they are."""
        if not row.is_of_this_run or (self._renames and is_directory_file(name)):
            return False
        try:
            found = os.stat(job.file_path, follow_symlinks=self._follow_links)
            if not stat.S_ISREG(found.st_mode) or row.source != Stamp.of(found):
                return False
            if row.output is None:
                return bool(row.skipped)
            found = os.lstat(path)
            if not stat.S_ISREG(found.st_mode) or Stamp.of(found) != row.output:
                return False
            folder = path.rpartition("/")[0]
            if folder not in folders:
                folders[folder] = self._is_plain(folder)
        except OSError:
            return False
        return folders[folder]

    def _is_plain(self, folder: str) -> bool:
        """Whether a directory of the output tree is reached through no symbolic link."""
        root = self._prefix[:-1]
        if self._held is not None and self._held.is_held(folder + "/"):
            root = self._held.hold_root
        while len(folder) > len(root):
            if not stat.S_ISDIR(os.lstat(folder).st_mode):
                return False
            folder = folder.rpartition("/")[0]
        return True


def _outcome_of(row: Row, job: FileJob, output: str, *, is_held: bool) -> FileOutcome:
    """What the record says of a file that is done: as before, but for its elements."""
    if row.skipped:
        return FileOutcome(job.relative, Status.SKIPPED, reason=row.skipped)
    return FileOutcome(
        job.relative,
        Status.CURRENT,
        review=row.review,
        path_holds_value=row.path_holds_value,
        residuals=row.residuals,
        pixels=row.pixels,
        output=output,
        is_held=is_held,
    )
