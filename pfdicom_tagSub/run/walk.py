"""What a run will read and write: the walk, and the two trees checked against each other.

The only user of ``Pftree``.
"""

from __future__ import annotations

import logging
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from pftree import (
    DirNode,
    DirUsage,
    FileSize,
    FilterLogic,
    Pftree,
    TreeOptions,
    TreeScanner,
    WalkEntry,
    tokens_parse,
)
from pftree.filters import text_matches
from pftree.models import WALK_ALL_DEPTHS

from ..core.bounded import PATTERN_SECONDS, TooSlowError, in_time
from ..core.errors import PlanError
from ..core.file_names import FileNames
from ..core.options import Options
from ..core.outcome import FileOutcome, Stage, Status
from ..core.plan import DirectoryPlan, Plan
from ..core.system_reasons import why_unread


def build(options: Options) -> Plan:
    """Walk the input tree; nothing is created, and nothing but archives is opened.

    Args, Returns and Raises: as of ``_build``.
    """
    plan = _build(options)
    if not options.archives:
        return plan
    from ..files.archives import Limits  # noqa: PLC0415  (for runs with archives alone)
    from .archive_plans import with_members  # noqa: PLC0415

    follow_links = options.tree.followLinks or bool(plan.single)
    return with_members(plan, Limits(options.max_inflated), follow_links=follow_links)


def _build(options: Options) -> Plan:
    """Walk the input tree; nothing is created or opened.

    Args:
        options: the command line; of it, the directories, filters, depth and links. Where
            the input directory is a file, that file alone is the tree.

    Returns:
        The plan. A directory that cannot be read is in its ``unreadable``, unless the
        directory filter leaves it out for certain.

    Raises:
        PlanError: a tree that cannot be worked on.
    """
    tree = options.tree
    try:
        if _names_file(tree.inputDir):
            if options.files_from:
                raise PlanError(f"--filesFrom names files below an --inputDir, and {tree.inputDir} is a file")
            return _build_of_file(tree)
        input_root = _check_input(tree.inputDir)
        output_root = _check_output(tree.outputDir, input_root)
    except ValueError as error:  # a NUL in a path
        raise PlanError(f"--inputDir or --outputDir: {error}") from None
    if options.files_from:
        return _build_of_list(options, input_root, output_root)
    quiet = replace(
        tree,
        inputDir=Path(input_root),
        outputDir=Path(output_root),
        threads=0,
        verbosity=0,
        json=False,
        stats=False,
        test="",
    )
    nodes, records, circles = _walk(quiet)
    directories = tuple(
        DirectoryPlan(str(node.path), str(node.outputPath), node.relPath, FileNames(node.files))
        for node in sorted(nodes, key=lambda node: _order(node.relPath))
        if not _is_output(str(node.path), input_root, output_root, tree.followLinks)
    )
    _check_apart(directories, input_root, output_root)
    warnings: list[str] = [
        f"{os.path.relpath(path, input_root)} leads to a directory above itself, and is not followed"
        for path in circles
        if not _is_output(path, input_root, output_root, tree.followLinks)
    ]
    unreadable: list[FileOutcome] = []
    for path, reason in records:
        if _is_output(path, input_root, output_root, tree.followLinks):
            continue
        relative = os.path.relpath(path, input_root)
        if _is_left_out(relative, tree):
            warnings.append(f"{relative}: {reason} (left out by --dirFilter)")
        else:
            unreadable.append(FileOutcome(relative, Status.FAILED, Stage.READ, reason))
    return Plan(input_root, output_root, directories, tuple(warnings), tuple(unreadable))


def _build_of_list(options: Options, input_root: str, output_root: str) -> Plan:
    """The plan of the files that a list names.

    Raises:
        PlanError: the list cannot be worked on.
    """
    from .file_list import read_list  # noqa: PLC0415  (for runs with a list alone)

    tree = options.tree
    listed = read_list(options.files_from, input_root, by_nul=options.null, follow_links=tree.followLinks)
    directories = []
    for relative in sorted(listed.directories, key=_order):
        input_dir = input_root if relative == "." else os.path.join(input_root, relative)
        if _is_output(input_dir, input_root, output_root, tree.followLinks):
            raise PlanError(f"--filesFrom {options.files_from} names files of the --outputDir, in {relative}")
        parent, leaf = os.path.split(relative)
        if tree.outputLeafDir and relative != ".":
            leaf = tree.outputLeafDir.replace("%s", leaf)
        output_dir = output_root if relative == "." else os.path.join(output_root, parent, leaf)
        directories.append(DirectoryPlan(input_dir, output_dir, relative, listed.directories[relative]))
    _check_apart(tuple(directories), input_root, output_root)
    return Plan(input_root, output_root, tuple(directories), (), listed.missing)


def _names_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:
        return False  # looking for a directory says why


def _build_of_file(tree: TreeOptions) -> Plan:
    """The plan of one file.

    A link that is named is followed, as that to an input directory is, and its output has
    the name of the link.

    Raises:
        PlanError: a filter leaves the file out, or the output would be among the inputs.
    """
    path = tree.inputDir
    folder = os.path.realpath(path.parent)
    if tree.dirFilter.strip():
        raise PlanError(
            f"--inputDir {path} is a file, and --dirFilter chooses among directories below an --inputDir; "
            "leave it out"
        )
    logic = FilterLogic.parse(tree.fileFilterLogic)
    try:
        with in_time():
            passes = text_matches(path.name, tokens_parse(tree.fileFilter), logic)
    except TooSlowError:
        raise PlanError(_SLOW_FILTER) from None
    for flag, value, fits in (
        ("--inputFile", tree.inputFile, tree.inputFile in path.name),
        ("--fileFilter", tree.fileFilter, passes),
    ):
        if not fits:
            raise PlanError(f"--inputDir {path} is a file that {flag} {value} leaves out; leave {flag} out")
    output_root = _check_output(tree.outputDir, folder)
    if path.is_symlink() and _is_inside(os.path.realpath(path), output_root):
        raise PlanError(
            f"--inputDir {path} is a link to a file in the --outputDir; give another --outputDir, the input "
            "is never overwritten"
        )
    directory = DirectoryPlan(folder, output_root, ".", FileNames([path.name]))
    return Plan(folder, output_root, (directory,), single=f"{folder.rstrip('/')}/{path.name}")


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
        if not _is_inside(real, plan.output_root):
            return
    for name, root in (("--inputDir", plan.input_root), ("--outputDir", plan.output_root)):
        if _is_inside(real, root):
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
        if _is_inside(root, tree) or _is_inside(tree, root):
            raise PlanError(f"{flag} {path} and the {name} lie in each other; keep it apart from both trees")
    return root


def _check_input(path: Path) -> str:
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


def _check_output(path: Path, input_root: str) -> str:
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
        verb = "write to" if nearest == root else "create it in"
        cure = "let the user of this run write there, or name another"
        raise PlanError(f"--outputDir {path}: no permission to {verb} {nearest}; {cure}")
    return root


def _check_apart(directories: tuple[DirectoryPlan, ...], input_root: str, output_root: str) -> None:
    """Refuse outputs that would land among the inputs.

    Raises:
        PlanError: naming the first such output directory.
    """
    if not _is_inside(input_root, output_root):
        return  # then every directory of the output is left out of the input
    inputs = {os.path.realpath(directory.input_dir) for directory in directories}
    for directory in directories:
        if directory.output_dir in inputs or _is_inside(directory.output_dir, input_root):
            raise PlanError(
                f"the outputs of {directory.relative!r} would be written to {directory.output_dir}, inside "
                "the input tree; give an --outputDir that does not hold the --inputDir"
            )


def _walk(tree: TreeOptions) -> tuple[list[DirNode], list[tuple[str, str]], list[str]]:
    """Run pftree.

    Returns:
        Its nodes, (path, reason) of what it could not read, and the paths that lead to a
        directory above themselves.

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
            raise PlanError(_SLOW_FILTER) from None
        except RecursionError:
            raise PlanError(
                f"--inputDir {tree.inputDir}: nested too deeply to walk; "
                "give a lower --inputDir, or a --maxDepth"
            ) from None
    if not result.status:
        raise PlanError(result.error)
    reasons = [_path_and_reason(record) for record in records]
    return list(engine.nodes.values()), reasons, sorted(engine.scanner.circles)


_SLOW_FILTER = (
    "a pattern of --fileFilter or --dirFilter takes too long to match: it repeats a repetition, as in "
    "(a+)+; write it without"
)

_NAMES_A_SECOND = 20_000
"""How many names a filter passes at least; patterns that come to an end pass fifty times as many."""


_WAYS_MOST = 1000
"""In how many ways links may lead to one directory; those between many directories multiply."""


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
        try:
            with os.scandir(path) as listing:
                for entry in listing:
                    if entry.is_file(follow_symlinks=False):  # the listing itself says so
                        names.append(entry.name)
                    elif self._is_entered(entry, names) and goes_on:
                        on_subdir(Path(entry.path), own_size, depth + 1)
        except OSError as error:
            logging.getLogger("pftree").warning("cannot read %s: %s", path, error.strerror)
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


def _order(relative: str) -> list[str]:
    """Where a directory comes in the plan: the root first, then as sorted by components."""
    return [] if relative == "." else relative.split("/")


def _is_inside(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _is_output(path: str, input_root: str, output_root: str, follow_links: bool) -> bool:
    """Whether a walked directory belongs to the output tree, perhaps through a link.

    An output tree that holds the whole input says nothing of its directories.
    """
    if _is_inside(input_root, output_root):
        return False
    # Below the resolved input root only a followed link can lead elsewhere.
    return _is_inside(os.path.realpath(path) if follow_links else path, output_root)


def _is_left_out(relative: str, tree: TreeOptions) -> bool:
    """Whether the directory filter excludes a directory and all that may be below it.

    That is certain only of negated substrings: a path that holds one holds it further
    down, too.
    """
    verdicts = [
        token.negate and token.kind == "substring" and token.pattern in relative
        for token in tokens_parse(tree.dirFilter)
    ]
    if FilterLogic.parse(tree.dirFilterLogic) is FilterLogic.AND:
        return any(verdicts)
    return bool(verdicts) and all(verdicts)
