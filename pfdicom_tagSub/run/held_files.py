"""What becomes of files whose pixels a person has to see: they are held, or fail, and are not handed over."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from ..core.errors import FileError
from ..core.options import ReviewPolicy
from ..core.outcome import Earlier, Stamp
from ..files.folders import Folders, make_directory


@dataclass(frozen=True)
class HeldFiles:
    """The policy of a run; it is picklable.

    Attributes:
        policy: what becomes of such a file.
        output_root: the output directory.
        hold_root: the directory of what is held; "" for none.
    """

    policy: ReviewPolicy
    output_root: str
    hold_root: str = ""

    def is_held(self, path: str) -> bool:
        """Whether a path is one of what is held."""
        return bool(self.hold_root) and path.startswith(self.hold_root.rstrip("/") + "/")

    def released(self, path: str) -> str:
        """The path that an output would have if it was not held."""
        if not self.is_held(path):
            return path
        return self.output_root.rstrip("/") + path[len(self.hold_root.rstrip("/")) :]

    def path_of(self, output_path: str) -> str:
        """Where an output is held instead."""
        return self.hold_root.rstrip("/") + output_path[len(self.output_root.rstrip("/")) :]

    def folder(self, folders: Folders, directory: str) -> int:
        """The descriptor of a directory of what is held, which is made below the one for all."""
        try:
            return folders.open(directory)
        except FileNotFoundError:
            if not os.path.isdir(self.hold_root):
                raise
        make_directory(self.hold_root, directory)
        return folders.open(directory)

    def clear(self, folders: Folders, output_path: str, earlier: Earlier | None, *, may_remove: bool) -> None:
        """Take an output of an earlier run out of the hand-over.

        Args:
            folders: those of the output directory.
            output_path: where it would be.
            earlier: what the ledger knows of it.
            may_remove: whether what is there may be replaced, whosever it is.

        Raises:
            FileError: it is not to be removed.
            OSError: it cannot be.
        """
        folder, _, name = output_path.rpartition("/")
        try:
            descriptor = folders.open(folder)
            found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return
        is_file = stat.S_ISREG(found.st_mode)
        is_own = earlier is not None and earlier.path == output_path and Stamp.of(found) == earlier.stamp
        if not is_file or not (is_own or may_remove):
            raise FileError(
                "a person has to see its pixels, and an output of an earlier run is where it would be handed "
                "over; remove that, or give --overwrite"
            )
        os.unlink(name, dir_fd=descriptor)
