"""The files that ``--filesFrom`` names, instead of those that a walk finds."""

from __future__ import annotations

import codecs
import os
import stat
from dataclasses import dataclass

from ..core.bounded import TooLargeError, read_path, read_whole
from ..core.errors import PlanError
from ..core.file_names import FileNames
from ..core.outcome import FileOutcome, Stage, Status
from ..core.system_reasons import why_unread

STANDARD_INPUT = "-"

LIST_MOST = 1 << 31
"""The bytes of a list at most."""


@dataclass(frozen=True)
class ListedFiles:
    """What a list names.

    Attributes:
        directories: for each directory, relative to the input directory, the names of its files.
        missing: what is named and cannot be processed, as outcomes that failed.
    """

    directories: dict[str, FileNames]
    missing: tuple[FileOutcome, ...]


def read_list(path: str, root: str, *, by_nul: bool, follow_links: bool) -> ListedFiles:
    """Read a list of files.

    Args:
        path: the file with the list; ``-`` is standard input.
        root: the input directory, absolute and resolved. Paths are relative to it, or absolute; one that
            is not there may also be relative to the working directory.
        by_nul: whether a NUL ends each path; else a line end does.
        follow_links: whether symbolic links on the way are followed.

    Raises:
        PlanError: the list cannot be read, or names what lies outside of the input directory.
    """
    named: dict[str, set[str]] = {}
    missing: dict[str, str] = {}
    data = _read(path)
    if not by_nul:
        data = data.removeprefix(codecs.BOM_UTF8)
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise PlanError(
                f"--filesFrom {path}: it is in UTF-16; write it in the encoding of the file names"
            )
        if b"\0" in data:
            raise PlanError(f"--filesFrom {path}: NULs end its paths; give --null, too")
    for number, raw in enumerate(data.split(b"\0" if by_nul else b"\n"), start=1):
        text = os.fsdecode(raw if by_nul else raw.removesuffix(b"\r"))
        if not text.strip():
            continue
        relative = _relative(text, root)
        if relative is None:
            raise PlanError(
                f"--filesFrom {path}: entry {number} lies outside of the --inputDir; name files below it, "
                "relative to it or absolute"
            )
        if reason := _find_problem(relative, root, follow_links=follow_links):
            missing[relative] = reason
            continue
        directory, name = os.path.split(relative)
        named.setdefault(directory or ".", set()).add(name)
    return ListedFiles(
        {directory: FileNames(sorted(names)) for directory, names in named.items()},
        tuple(
            FileOutcome(relative, Status.FAILED, Stage.READ, reason)
            for relative, reason in sorted(missing.items())
        ),
    )


def _read(path: str) -> bytes:
    try:
        return read_whole(0, LIST_MOST) if path == STANDARD_INPUT else read_path(path, LIST_MOST)
    except TooLargeError:
        raise PlanError(f"--filesFrom {path}: it has more than {LIST_MOST >> 30} GB; is it a list?") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = why_unread(error)
        raise PlanError(f"--filesFrom {path}: {reason}") from None


def _relative(text: str, root: str) -> str | None:
    """A path relative to the input directory; None for what lies outside of it."""
    found = os.path.normpath(os.path.join(root, text))
    if not os.path.isabs(text) and not os.path.lexists(found):
        by_place = os.path.abspath(text)
        found = by_place if os.path.lexists(by_place) else found
    prefix = root.rstrip("/") + "/"
    if not found.startswith(prefix):
        # The input directory may be named through a link.
        directory, name = os.path.split(found)
        found = os.path.join(os.path.realpath(directory), name)
    return found[len(prefix) :] if found.startswith(prefix) else None


def _find_problem(relative: str, root: str, *, follow_links: bool) -> str:
    """Why a file that is named cannot be processed; "" if nothing is known."""
    path = os.path.join(root, relative)
    directory = os.path.dirname(path)
    try:
        if not follow_links and os.path.realpath(directory) != directory:
            return "a symbolic link leads to it (see --followLinks)"
        found = os.lstat(path)
    except (OSError, ValueError) as error:
        return f"--filesFrom names it: {getattr(error, 'strerror', None) or 'it is not a path'}"
    return "--filesFrom names it: it is a directory" if stat.S_ISDIR(found.st_mode) else ""
