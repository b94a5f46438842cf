"""The walk of an input tree. The only user of ``Pftree``."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from pftree import DirNode, DirUsage, FileSize, Pftree, TreeOptions, TreeScanner, WalkEntry
from pftree.models import WALK_ALL_DEPTHS

from ..core.bounded import PATTERN_SECONDS, TooSlowError, in_time
from ..core.errors import PlanError

SLOW_FILTER = (
    "a pattern of --fileFilter or --dirFilter takes too long to match: it repeats a repetition, as in "
    "(a+)+; write it without"
)

_NAMES_A_SECOND = 20_000
"""How many names a filter passes at least; patterns that come to an end pass fifty times as many."""

_WAYS_MOST = 1000
"""In how many ways links may lead to one directory; those between many directories multiply."""


class Walked(NamedTuple):
    """What pftree found.

    Attributes:
        nodes: its directories.
        unread: (path, reason) of what it could not read.
        circles: the paths that lead to a directory above themselves.
        links: the links to directories that are not followed.
    """

    nodes: list[DirNode]
    unread: list[tuple[str, str]]
    circles: list[str]
    links: list[str]


def walk(tree: TreeOptions) -> Walked:
    """Run pftree; no file is opened.

    Args:
        tree: the directory, filters, depth and links.

    Raises:
        PlanError: the input tree is gone or nested deeper than pftree can walk.
    """
    with _captured_warnings() as records:
        engine = _Tree(tree)
        try:
            result = engine.run()
        except OSError as error:
            raise PlanError(f"--inputDir {tree.inputDir}: {error.strerror}") from None
        except TooSlowError:
            raise PlanError(SLOW_FILTER) from None
        except RecursionError:
            raise PlanError(
                f"--inputDir {tree.inputDir}: nested too deeply to walk; "
                "give a lower --inputDir, or a --maxDepth"
            ) from None
    if not result.status:
        raise PlanError(result.error)
    reasons = [_path_and_reason(record) for record in records]
    scanner = engine.scanner
    return Walked(list(engine.nodes.values()), reasons, sorted(scanner.circles), sorted(scanner.links))


class _Tree(Pftree):  # type: ignore[misc]  # pftree has no types
    """A pftree that keeps no sizes of files: nobody asks for them here, and they are half of its memory."""

    def scanner_build(self, recordFiles: bool = True) -> TreeScanner:  # noqa: N803  (pftree's names)
        """A scanner of the kind below, set up as pftree sets up its own."""
        made = super().scanner_build(recordFiles)
        self.scanner = _InputScanner(made.root, made.maxDepth, made.followLinks, recordFiles=made.recordFiles)
        return self.scanner

    def tree_filter(self) -> int:
        """Apply the filters, in bounded time."""
        count = sum(len(node.files) for node in self.nodes.values())
        with in_time(PATTERN_SECONDS + count / _NAMES_A_SECOND):
            return int(super().tree_filter())


class _InputScanner(TreeScanner):  # type: ignore[misc]
    """A scanner that knows the directories above the one that it is in."""

    def __init__(self, *arguments: object, **named: object) -> None:
        super().__init__(*arguments, **named)
        self.circles: list[str] = []
        self.links: list[str] = []
        self._above: list[tuple[int, int]] = []
        self._ways: Counter[tuple[int, int]] = Counter()

    def dir_scan(
        self,
        path: Path,
        dirSize: FileSize,  # noqa: N803
        depth: int,
        onSubdir: Callable[[Path, FileSize, int], DirUsage | None],  # noqa: N803
    ) -> DirUsage:
        """Scan one directory and what is below it, then drop the sizes of its files.

        Raises:
            PlanError: links lead to it in too many ways.
        """
        own = len(self.entries)
        if self.followLinks:
            self._enter(path)
        if os.access(path, os.R_OK | os.X_OK):
            usage = self._named(path, dirSize, depth, onSubdir)
        else:  # something in it cannot be looked at, and pftree says what
            usage = super().dir_scan(path, dirSize, depth, onSubdir)
            self.entries[own].fileSizes.clear()
        if self.followLinks:
            self._above.pop()
        return usage

    def _named(
        self,
        path: Path,
        own_size: FileSize,
        depth: int,
        on_subdir: Callable[[Path, FileSize, int], DirUsage | None],
    ) -> DirUsage:
        """As pftree scans a directory, but for the sizes, which cost a call of the system for each file."""
        names: list[str] = []
        self.entries.append(WalkEntry(path=path, fileNames=names, fileSizes={}, dirSize=own_size))
        goes_on = self.maxDepth == WALK_ALL_DEPTHS or depth < self.maxDepth
        links = len(self.links)
        try:
            with os.scandir(path) as listing:
                for entry in listing:
                    if entry.is_file(follow_symlinks=False):  # the listing itself says so
                        names.append(entry.name)
                    elif self._is_entered(entry, names) and goes_on:
                        on_subdir(Path(entry.path), own_size, depth + 1)
        except OSError as error:
            logging.getLogger("pftree").warning("cannot read %s: %s", path, error.strerror)
        if not goes_on:
            del self.links[links:]
        usage = DirUsage(path=path, diskBytes=0, apparentBytes=0)
        self.usage.append(usage)
        return usage

    def _is_entered(self, entry: os.DirEntry[str], names: list[str]) -> bool:
        """Whether what is no regular file is a directory to enter; if it is none at all, it is named."""
        try:
            is_directory = entry.is_dir(follow_symlinks=self.followLinks)
        except OSError as error:
            logging.getLogger("pftree").warning("cannot stat %s: %s", entry.path, error.strerror)
            return False
        if is_directory and self.dir_enterable(entry, entry.is_symlink()):
            return True
        try:
            is_directory = entry.is_dir()
        except OSError:  # a link in a circle
            is_directory = False
        if not is_directory:
            names.append(entry.name)
        elif not self.followLinks:
            self.links.append(entry.path)
        return False

    def dir_enterable(self, entry: os.DirEntry[str], isLink: bool) -> bool:  # noqa: N803
        """Whether a directory is descended into: under each of its names, but not in a circle.

        pftree enters what links point to once, through the link that it happens to meet first.
        """
        if not self.followLinks:
            return bool(super().dir_enterable(entry, isLink))
        try:
            found = entry.stat(follow_symlinks=True)
        except OSError as error:
            logging.getLogger("pftree").warning("cannot follow %s: %s", entry.path, error.strerror)
            return False
        if (found.st_dev, found.st_ino) not in self._above:
            return True
        self.circles.append(entry.path)
        return False

    def _enter(self, path: Path) -> None:
        with suppress(OSError):
            found = os.stat(path)
            identity = (found.st_dev, found.st_ino)
            self._above.append(identity)
            self._ways[identity] += 1
            if self._ways[identity] > _WAYS_MOST:
                raise PlanError(
                    f"links lead to {path} in more than {_WAYS_MOST} ways; remove some, or leave out "
                    "--followLinks"
                )
            return
        self._above.append((-1, -1))


class _Capture(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record instead of printing it."""
        self.records.append(record)


@contextmanager
def _captured_warnings() -> Iterator[list[logging.LogRecord]]:
    """Collect what pftree logs; it says there alone what it could not read."""
    logger = logging.getLogger("pftree")
    capture = _Capture()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(capture)
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    try:
        yield capture.records
    finally:
        logger.removeHandler(capture)
        logger.setLevel(level)
        logger.propagate = propagate


def _path_and_reason(record: logging.LogRecord) -> tuple[str, str]:
    match record.args:
        case (path, str(reason)):
            return str(path), f"{str(record.msg).partition('%')[0].strip()}: {reason}"
    return "", record.getMessage()
