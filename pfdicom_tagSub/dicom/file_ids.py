"""The File IDs of a DICOMDIR, kept true when the files that they name get other paths.

A File ID (PS3.10 8.2) is the path of a file relative to the directory of the DICOMDIR, its
components the values of a CS. PS3.10 8.5 and PS3.12 allow at most 8 components of at most 8
characters each, of A to Z, 0 to 9 and ``_``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property

from ..core.errors import FileError

COMPONENTS_MOST = 8

_COMPONENT = re.compile(r"[A-Z0-9_]{1,8}")


def is_directory_file(name: str) -> bool:
    """Whether a file is named as a DICOMDIR is (PS3.10 8.6), perhaps mounted in lower case."""
    return len(name) == 8 and name.upper() == "DICOMDIR"


class FileIds:
    """The new File IDs of one DICOMDIR."""

    def __init__(self, paths: Mapping[str, str] | None) -> None:
        """Args:
        paths: what ``moved_paths`` gave; None where the file is not named DICOMDIR, so that nobody
            knew that it is one.
        """
        self._paths = paths

    def renamed(self, stored: bytes) -> tuple[str, ...] | None:
        """The File ID of a file's output.

        Args:
            stored: the bytes of its File ID.

        Returns:
            The components; None where the File ID stays as it is.

        Raises:
            FileError: it cannot stay true. The text quotes the paths of files, never the File ID.
        """
        components = [part.strip(" \0") for part in stored.decode("latin-1").split("\\")]
        written = "/".join(components)
        if not written:
            return None
        if self._paths is None:
            raise FileError(
                "it is a DICOMDIR by another name: its ReferencedFileIDs cannot follow the files that "
                "get other paths; name it DICOMDIR"
            )
        path = self._paths.get(written)
        is_exact = path is not None
        own = written if is_exact else self._folded.get(written.casefold(), "")
        if not own:
            raise FileError("a ReferencedFileID names a file that is not among those that the run processes")
        path = self._paths[own]
        if not path:
            raise FileError(f"its ReferencedFileID cannot stay true: {own} has no output")
        if path == own:
            return None
        if path.startswith("../"):
            raise FileError(
                f"its ReferencedFileID cannot stay true: the output of {own} "
                "is not below the directory of its own"
            )
        # Media mounted in lower case have files in lower case, and File IDs that are not.
        new = tuple((path if is_exact else path.upper()).split("/"))
        if len(new) > COMPONENTS_MOST or not all(map(_COMPONENT.fullmatch, new)):
            raise FileError(
                f"its ReferencedFileID cannot stay true: the path of the output of {own} is no File ID; "
                "that has at most 8 components of at most 8 characters of A to Z, 0 to 9 and _ (PS3.10 8.5)"
            )
        return new

    @cached_property
    def _folded(self) -> dict[str, str]:
        """The paths without regard to case; "" where it alone tells two apart."""
        folded: dict[str, str] = {}
        for path in self._paths or ():
            key = path.casefold()
            folded[key] = "" if key in folded else path
        return folded
