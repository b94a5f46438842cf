"""What a run will read and write: a plan of the input tree, of a list of files or of one file."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

from pftree import FilterLogic, TreeOptions, tokens_parse
from pftree.filters import text_matches

from ..core.bounded import TooSlowError, in_time
from ..core.errors import PlanError
from ..core.file_names import FileNames
from ..core.options import Options
from ..core.outcome import FileOutcome, Stage, Status
from ..core.plan import DirectoryPlan, Plan
from .input_tree import SLOW_FILTER, walk
from .tree_checks import check_input, check_output, check_outputs, is_inside, is_output


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
        input_root = check_input(tree.inputDir)
        output_root = check_output(tree.outputDir, input_root)
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
    nodes, records, circles, links = walk(quiet)
    directories = tuple(
        DirectoryPlan(str(node.path), str(node.outputPath), node.relPath, FileNames(node.files))
        for node in sorted(nodes, key=lambda node: _order(node.relPath))
        if not is_output(str(node.path), input_root, output_root, tree.followLinks)
    )
    check_outputs(directories, input_root, output_root)
    warnings: list[str] = [
        f"{os.path.relpath(path, input_root)} leads to a directory above itself, and is not followed"
        for path in circles
        if not is_output(path, input_root, output_root, tree.followLinks)
    ]
    if links := [path for path in links if not is_output(path, input_root, output_root, True)]:
        first, more = os.path.relpath(links[0], input_root), len(links) - 1
        one, many = "leads to a directory, which is", f"and {more} more lead to directories, which are"
        warnings.append(f"{first} {many if more else one} not entered (see --followLinks)")
    unreadable: list[FileOutcome] = []
    for path, reason in records:
        if is_output(path, input_root, output_root, tree.followLinks):
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
        if is_output(input_dir, input_root, output_root, tree.followLinks):
            raise PlanError(f"--filesFrom {options.files_from} names files of the --outputDir, in {relative}")
        parent, leaf = os.path.split(relative)
        if tree.outputLeafDir and relative != ".":
            leaf = tree.outputLeafDir.replace("%s", leaf)
        output_dir = output_root if relative == "." else os.path.join(output_root, parent, leaf)
        directories.append(DirectoryPlan(input_dir, output_dir, relative, listed.directories[relative]))
    check_outputs(tuple(directories), input_root, output_root)
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
        raise PlanError(SLOW_FILTER) from None
    for flag, value, fits in (
        ("--inputFile", tree.inputFile, tree.inputFile in path.name),
        ("--fileFilter", tree.fileFilter, passes),
    ):
        if not fits:
            raise PlanError(f"--inputDir {path} is a file that {flag} {value} leaves out; leave {flag} out")
    output_root = check_output(tree.outputDir, folder)
    if path.is_symlink() and is_inside(os.path.realpath(path), output_root):
        raise PlanError(
            f"--inputDir {path} is a link to a file in the --outputDir; give another --outputDir, the input "
            "is never overwritten"
        )
    directory = DirectoryPlan(folder, output_root, ".", FileNames([path.name]))
    return Plan(folder, output_root, (directory,), single=f"{folder.rstrip('/')}/{path.name}")


def _order(relative: str) -> list[str]:
    """Where a directory comes in the plan: the root first, then as sorted by components."""
    return [] if relative == "." else relative.split("/")


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
