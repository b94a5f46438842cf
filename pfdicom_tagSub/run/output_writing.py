"""Where the output of a file goes, and how it is written there."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from ..core.errors import FileError
from ..core.options import ReviewPolicy
from ..core.outcome import Stamp, Status
from ..core.plan import FileJob
from ..dicom.edits import Chunk
from ..dicom.sources import Source
from ..files.folders import Folders, make_directory
from ..files.writing import would_write, write
from .worker_settings import Settings


class OutputWriter:
    """Writes the outputs of a worker, or finds out what writing them would come to."""

    def __init__(self, settings: Settings, pause: Callable[[], None]) -> None:
        """Args:
        settings: those of the worker.
        pause: called between the pieces of a large file; it may raise to stop the work.
        """
        self.settings = settings
        self.pause = pause
        self._folders = Folders(settings.output_root)
        held = settings.held
        self._held_folders = self._folders if held is None else Folders(held.hold_root)
        self._root_length = len(settings.output_root.rstrip("/")) + 1

    def close(self) -> None:
        """Let go of the directories of outputs that are not held."""
        self._folders.close()

    def shown(self, job: FileJob) -> str:
        """The path of an output as far as this run makes it; without an output directory its name."""
        if not self.settings.output_root:
            return os.path.basename(job.output_path)
        return job.output_path[self._root_length :]

    def path_of(self, job: FileJob, review: str) -> str:
        """Where an output goes: elsewhere if a person has to see its pixels and files are held.

        No output of an earlier run is then handed over.

        Raises:
            FileError: the file fails.
        """
        held = self.settings.held
        if held is None:
            return job.output_path
        if not self.settings.is_dry:
            held.clear(self._folders, job.output_path, job.earlier, may_remove=self.settings.overwrite)
        if held.policy is ReviewPolicy.FAIL:
            raise FileError(f"a person has to see its pixels: {review}")
        return held.path_of(job.output_path)

    def write(
        self,
        job: FileJob,
        path: str,
        source: Source,
        chunks: Callable[[], Iterator[Chunk]],
        check: Callable[[Source], None] | None,
    ) -> Status:
        """Write an output, or find out what that would come to.

        Raises: as of ``write``.
        """
        overwrite = self.settings.overwrite or _is_own(job, path)
        directory, _, name = path.rpartition("/")
        if self.settings.is_dry:
            return self._would_write(directory or "/", name, source, chunks, overwrite=overwrite)
        return write(
            self._folder(directory or "/"),
            name,
            source,
            chunks,
            overwrite=overwrite,
            pause=self.pause,
            run=self.settings.run,
            durable=self.settings.durable,
            check=check,
        )

    def _folder(self, directory: str) -> int:
        """The descriptor of an output directory, which is made for the first file that is written to it.

        On a cluster it is not: where it is missing, the output tree may be another one there.
        """
        held = self.settings.held
        if held is not None and held.is_held(directory + "/"):
            return held.folder(self._held_folders, directory)
        try:
            return self._folders.open(directory)
        except FileNotFoundError:
            if self.settings.run or not self.settings.output_root:
                raise
        make_directory(self.settings.output_root, directory)
        return self._folders.open(directory)

    def _would_write(
        self,
        directory: str,
        name: str,
        source: Source,
        chunks: Callable[[], Iterator[Chunk]],
        *,
        overwrite: bool,
    ) -> Status:
        """What writing would come to; in a dry run the directory need not be there."""
        held = self.settings.held
        is_held = held is not None and held.is_held(directory + "/")
        try:
            folder = (self._held_folders if is_held else self._folders).open(directory)
        except FileNotFoundError:
            return Status.WRITTEN
        return would_write(folder, name, source, chunks, overwrite=overwrite, pause=self.pause)


def _is_own(job: FileJob, path: str) -> bool:
    """Whether there is still the output that an earlier run wrote for the same input."""
    if job.earlier is None or job.earlier.path != path:
        return False
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and Stamp.of(found) == job.earlier.stamp
