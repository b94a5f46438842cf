"""The plan: which files, which outputs, and which trees are refused."""

from __future__ import annotations

import logging
import os
import socket
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import pytest
from pftree import TreeOptions

from pfdicom_tagSub.core.errors import FileError, PlanError
from pfdicom_tagSub.core.options import Options
from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.core.plan import FileJob, Plan
from pfdicom_tagSub.files import folders
from pfdicom_tagSub.files.folders import check_not_input, make_directory
from pfdicom_tagSub.run import walk as planning


def build(inputs: Path, outputs: Path, **tree: object) -> Plan:
    return planning.build(Options(TreeOptions.fromDict({"inputDir": inputs, "outputDir": outputs, **tree})))


def grow(root: Path, *names: str) -> Path:
    """A tree with the given files."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def relatives(plan: Plan) -> list[str]:
    return [job.relative for job in plan.jobs()]


unprivileged = pytest.mark.skipif(os.geteuid() == 0, reason="root may read and write everything")


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Paths that scandir may not read, also for root."""
    paths: set[str] = set()
    real = os.scandir

    def scandir(path: str | Path = ".") -> object:
        if str(path) in paths:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    return paths


# --- what is found


def test_build_lists_every_file_in_order_with_its_output(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "b.dcm", "a.dcm", "s/2/x", "s/1/x", "s-1/x", "s/y")
    plan = build(inputs, tmp_path / "out")
    assert relatives(plan) == ["a.dcm", "b.dcm", "s/y", "s/1/x", "s/2/x", "s-1/x"]
    assert plan.file_count == 6
    assert list(plan.jobs())[3] == FileJob(f"{inputs}/s/1/x", f"{tmp_path}/out/s/1/x", "s/1/x")
    assert (plan.input_root, plan.output_root) == (str(inputs), f"{tmp_path}/out")
    assert (plan.warnings, plan.unreadable) == ((), ())


def test_build_creates_nothing(tmp_path: Path) -> None:
    build(grow(tmp_path / "in", "a", "b/c"), tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_build_of_an_empty_tree_plans_nothing(tmp_path: Path) -> None:
    assert build(grow(tmp_path / "in"), tmp_path / "out").directories == ()


def test_build_finds_the_files_of_the_root_at_depth_0(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a", "b/c", "b/d/e")
    assert relatives(build(inputs, tmp_path / "out", maxDepth=0)) == ["a"]
    assert relatives(build(inputs, tmp_path / "out", maxDepth=1)) == ["a", "b/c"]


def test_build_applies_the_filters(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a.dcm", "a.txt", "s/b.dcm", "t/c.dcm")
    assert relatives(build(inputs, tmp_path / "out", fileFilter="dcm")) == ["a.dcm", "s/b.dcm", "t/c.dcm"]
    assert relatives(build(inputs, tmp_path / "out", dirFilter="s")) == ["s/b.dcm"]
    assert relatives(build(inputs, tmp_path / "out", inputFile="b.")) == ["s/b.dcm"]


def test_build_names_output_leaves_by_the_template(tmp_path: Path) -> None:
    plan = build(grow(tmp_path / "in", "a", "s/t/b"), tmp_path / "out", outputLeafDir="anon-%s")
    assert [job.output_path for job in plan.jobs()] == [f"{tmp_path}/out/a", f"{tmp_path}/out/s/anon-t/b"]


def test_build_keeps_undecodable_names(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in")
    with open(os.fsencode(inputs) + b"/\xff\xfe.dcm", "wb"):
        pass
    assert relatives(build(inputs, tmp_path / "out")) == ["\udcff\udcfe.dcm"]


def test_build_lists_special_files_for_the_worker_to_judge(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a")
    os.mkfifo(inputs / "fifo")
    (inputs / "link").symlink_to("a")
    (inputs / "dangling").symlink_to("nowhere")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(inputs / "socket"))
        assert relatives(build(inputs, tmp_path / "out")) == ["a", "dangling", "fifo", "link", "socket"]


def test_build_does_not_enter_linked_directories_without_follow_links(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a")
    (inputs / "link").symlink_to(grow(tmp_path / "elsewhere", "b"))
    (inputs / "s").mkdir()
    (inputs / "s" / "other").symlink_to(tmp_path / "elsewhere")
    (inputs / "s" / "outputs").symlink_to(grow(tmp_path / "out", "c"))
    plan = build(inputs, tmp_path / "out")
    assert relatives(plan) == ["a"]
    assert plan.warnings == (
        "link and 1 more lead to directories, which are not entered (see --followLinks)",
    )
    plan = build(inputs, tmp_path / "out", maxDepth=0)
    assert plan.warnings == ()
    (inputs / "s" / "other").unlink()
    plan = build(inputs, tmp_path / "out")
    assert plan.warnings == ("link leads to a directory, which is not entered (see --followLinks)",)
    assert relatives(build(inputs, tmp_path / "out", followLinks=True)) == ["a", "link/b"]


def test_build_walks_a_cycle_of_links_once(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a", "s/b")
    (inputs / "s" / "up").symlink_to("..")
    (inputs / "s" / "self").symlink_to(".")
    plan = build(inputs, tmp_path / "out", followLinks=True)
    assert plan.file_count <= 4
    assert {"a", "s/b"} <= set(relatives(plan))


def test_build_resolves_a_relative_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(tmp_path / "in", "a")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    plan = build(Path("../in"), Path("out"))
    assert [job.output_path for job in plan.jobs()] == [f"{tmp_path}/work/out/a"]


def test_build_is_silent_and_leaves_logging_alone(
    tmp_path: Path, denied: set[str], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    inputs = grow(tmp_path / "in", "a", "s/b")
    denied.add(str(inputs / "s"))
    logger = logging.getLogger("pftree")
    before = (logger.level, logger.propagate, logger.handlers[:])
    build(inputs, tmp_path / "out", verbosity=5, threads=4, json=True)
    assert (logger.level, logger.propagate, logger.handlers) == before
    assert caplog.records == []
    assert capsys.readouterr() == ("", "")


# --- what cannot be read


def test_build_reports_an_unreadable_directory_as_failed(tmp_path: Path, denied: set[str]) -> None:
    inputs = grow(tmp_path / "in", "a", "s/b", "s/t/c")
    denied.add(str(inputs / "s" / "t"))
    plan = build(inputs, tmp_path / "out")
    assert relatives(plan) == ["a", "s/b"]
    (outcome,) = plan.unreadable
    assert (outcome.relative, outcome.status, outcome.stage) == ("s/t", Status.FAILED, Stage.READ)
    assert outcome.reason == "cannot read: Permission denied"


@unprivileged
def test_build_reports_a_directory_without_permission(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a", "s/b")
    (inputs / "s").chmod(0)
    try:
        (outcome,) = build(inputs, tmp_path / "out").unreadable
    finally:
        (inputs / "s").chmod(0o700)
    assert outcome.relative == "s"


@pytest.mark.parametrize(
    ("dir_filter", "logic", "is_left_out"),
    [
        ("!lost", "OR", True),
        ("!lost,sub", "AND", True),
        ("!lost,sub", "OR", False),
        ("sub", "OR", False),
        ("!re:lost$", "OR", False),
        ("!glob:lost+found", "OR", False),
        ("!other", "AND", False),
    ],
)
def test_build_only_warns_of_an_unreadable_directory_that_the_filter_leaves_out(
    dir_filter: str, logic: str, is_left_out: bool, tmp_path: Path, denied: set[str]
) -> None:
    inputs = grow(tmp_path / "in", "sub/a", "lost+found/b")
    denied.add(str(inputs / "lost+found"))
    plan = build(inputs, tmp_path / "out", dirFilter=dir_filter, dirFilterLogic=logic)
    assert (len(plan.warnings), len(plan.unreadable)) == ((1, 0) if is_left_out else (0, 1))
    assert all("lost+found" in text for text in plan.warnings)


def test_build_of_a_tree_nested_too_deeply_is_an_error(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "/".join("d" * 200) + "/a")
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150)
    try:
        with pytest.raises(PlanError, match="nested too deeply"):
            build(inputs, tmp_path / "out")
    finally:
        sys.setrecursionlimit(limit)


# --- trees that are refused


def test_build_refuses_an_absent_input(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="absent: No such file"):
        build(tmp_path / "absent", tmp_path / "out")


def test_build_of_a_file_holds_that_file_alone(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "1.dcm", "11.dcm", "1.dcm.bak", "s/1.dcm")
    plan = build(inputs / "1.dcm", tmp_path / "out", inputFile="1", fileFilter="dcm", maxDepth=0)
    job = FileJob(f"{inputs}/1.dcm", f"{tmp_path}/out/1.dcm", "1.dcm")
    assert list(plan.jobs()) == [job]
    assert plan.single == f"{inputs}/1.dcm"


def test_build_of_a_link_to_a_file_keeps_the_name_of_the_link(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "1.dcm")
    (tmp_path / "link.dcm").symlink_to(inputs / "1.dcm")
    (job,) = build(tmp_path / "link.dcm", tmp_path / "out").jobs()
    assert (job.input_path, job.relative) == (f"{tmp_path}/link.dcm", "link.dcm")


def test_build_of_a_file_by_a_relative_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(grow(tmp_path / "in", "1.dcm"))
    (job,) = build(Path("1.dcm"), Path("out")).jobs()
    assert (job.input_path, job.output_path) == (f"{tmp_path}/in/1.dcm", f"{tmp_path}/in/out/1.dcm")


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"fileFilter": "ima"}, "--fileFilter ima leaves out"),
        ({"inputFile": "2"}, "--inputFile 2 leaves out"),
        ({"dirFilter": "s"}, "--dirFilter chooses among directories"),
    ],
)
def test_build_of_a_file_that_a_filter_leaves_out_is_refused(
    tmp_path: Path, tree: dict[str, str], reason: str
) -> None:
    with pytest.raises(PlanError, match=reason):
        build(grow(tmp_path / "in", "1.dcm") / "1.dcm", tmp_path / "out", **tree)


def test_build_of_a_file_refuses_to_overwrite_it(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "1.dcm")
    with pytest.raises(PlanError, match="never overwritten"):
        build(inputs / "1.dcm", inputs)
    other = grow(tmp_path / "other")
    (other / "1.dcm").symlink_to(inputs / "1.dcm")
    with pytest.raises(PlanError, match="never overwritten"):
        build(other / "1.dcm", inputs)


def test_build_refuses_a_fifo_as_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(PlanError, match="neither a directory nor a regular file"):
        build(tmp_path / "fifo", tmp_path / "out")


def test_build_refuses_an_input_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = grow(tmp_path / "in")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(inputs) and real(path, mode))
    with pytest.raises(PlanError, match="no permission to read"):
        build(inputs, tmp_path / "out")


@pytest.mark.parametrize("spelling", ["in", "in/", "in/.", "in/../in", "link", "sub/../in", "link/"])
def test_build_refuses_the_input_as_output(
    spelling: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = grow(tmp_path / "in", "a")
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    for pair in ((inputs, Path(spelling)), (Path(spelling), inputs)):
        with pytest.raises(PlanError, match="the input directory itself"):
            build(*pair)


def test_build_refuses_an_output_that_is_a_file(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a")
    (tmp_path / "out").write_bytes(b"")
    for output in ("out", "out/below"):
        with pytest.raises(PlanError, match="is not a directory"):
            build(inputs, tmp_path / output)


def test_build_refuses_an_output_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = grow(tmp_path / "in", "a")
    outer = grow(tmp_path / "outer")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(outer) and real(path, mode))
    with pytest.raises(
        PlanError, match=r"no permission to write to .*; let the user of this run write there"
    ):
        build(inputs, outer)
    with pytest.raises(PlanError, match="no permission to create it in"):
        build(inputs, outer / "out")


def test_build_refuses_an_output_on_a_read_only_file_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = grow(tmp_path / "in", "a")
    outer = grow(tmp_path / "outer")
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != str(outer) and real(path, mode))
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=os.ST_RDONLY))
    with pytest.raises(PlanError, match="outer is on a read-only file system; name another"):
        build(inputs, outer / "out")


def test_build_refuses_a_path_with_a_nul(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="null"):
        build(tmp_path / "a\0b", tmp_path / "out")


# --- one tree inside the other


def test_build_does_not_read_an_output_inside_the_input(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a", "s/b", "out/a", "out/s/b", "outer/c")
    assert relatives(build(inputs, inputs / "out")) == ["a", "outer/c", "s/b"]


def test_build_does_not_read_an_output_reached_through_a_link(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a")
    outputs = grow(tmp_path / "data" / "out", "old", "s/old")
    grow(tmp_path / "data", "c")
    (inputs / "all").symlink_to(tmp_path / "data")
    (inputs / "some").symlink_to(outputs / "s")
    assert relatives(build(inputs, outputs, followLinks=True)) == ["a", "all/c"]


def test_build_does_not_read_an_output_given_through_a_link(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a", "real/old")
    (tmp_path / "out").symlink_to(inputs / "real")
    assert relatives(build(inputs, tmp_path / "out")) == ["a"]


def test_build_does_not_report_an_unreadable_output(tmp_path: Path, denied: set[str]) -> None:
    inputs = grow(tmp_path / "in", "a", "out/s/old")
    denied.add(str(inputs / "out" / "s"))
    assert build(inputs, inputs / "out").unreadable == ()


def test_build_allows_an_output_that_holds_the_input(tmp_path: Path) -> None:
    plan = build(grow(tmp_path / "data" / "in", "a", "s/b"), tmp_path / "data")
    assert [job.output_path for job in plan.jobs()] == [f"{tmp_path}/data/a", f"{tmp_path}/data/s/b"]


def test_build_refuses_outputs_that_land_in_the_input(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "data" / "in", "a", "in/b")
    with pytest.raises(PlanError, match=rf"'in' would be written to {inputs}"):
        build(inputs, tmp_path / "data")


def test_build_refuses_leaves_that_land_in_the_input(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "data" / "anon-s", "s/b")
    with pytest.raises(PlanError, match="inside the input tree"):
        build(inputs, tmp_path / "data", outputLeafDir="anon-%s")


def test_build_refuses_outputs_that_land_in_a_linked_input(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "data" / "in", "s/b")
    (inputs / "link").symlink_to(grow(tmp_path / "data" / "s", "c"))
    with pytest.raises(PlanError, match="inside the input tree"):
        build(inputs, tmp_path / "data", followLinks=True)


def test_build_takes_little_memory_for_each_file(tmp_path: Path) -> None:
    """What pftree keeps of each file is dropped directory by directory: it is twice the names."""
    count, folders = 4000, 20
    grow(tmp_path / "in", *(f"d{number % folders}/IM-{number:06d}.dcm" for number in range(count)))
    build(tmp_path / "in", tmp_path / "out")
    tracemalloc.start()
    try:
        plan = build(tmp_path / "in", tmp_path / "out")
        kept, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert plan.file_count == count
    assert kept < 25 * count
    assert peak < 120 * count


# --- output directories


def test_output_that_is_the_input_mounted_again_is_refused(tmp_path: Path) -> None:
    """As with FUSE, where files have other numbers at each mount, and no stat tells; a link stands for it."""
    inputs = grow(tmp_path / "in", "a", "s/b")
    (tmp_path / "again").symlink_to(inputs)
    with pytest.raises(PlanError, match="is the input directory itself, mounted a second time"):
        check_not_input(str(inputs), str(tmp_path / "again"))
    assert sorted(path.name for path in inputs.iterdir()) == ["a", "s"]


def test_other_output_of_the_same_times_is_not_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs, outputs = grow(tmp_path / "in"), grow(tmp_path / "out")
    monkeypatch.setattr(folders, "_times_of", lambda path: (1, 1))
    check_not_input(str(inputs), str(outputs))
    check_not_input(str(inputs), str(tmp_path / "absent"))
    assert list(outputs.iterdir()) == list(inputs.iterdir()) == []


def test_make_directory_creates_what_is_missing(tmp_path: Path) -> None:
    plan = build(grow(tmp_path / "in", "a", "s/t/b"), tmp_path / "new" / "out")
    for directory in (*plan.directories, *plan.directories):
        make_directory(plan.output_root, directory.output_dir)
        assert os.path.isdir(directory.output_dir)


@pytest.mark.parametrize("place", ["s", "s/t"])
def test_make_directory_never_follows_a_planted_link(place: str, tmp_path: Path) -> None:
    plan = build(grow(tmp_path / "in", "s/t/b"), tmp_path / "out")
    elsewhere = grow(tmp_path / "elsewhere")
    link = tmp_path / "out" / place
    link.parent.mkdir(parents=True)
    link.symlink_to(elsewhere)
    with pytest.raises(FileError, match=f"output directory {place} is a symbolic link"):
        make_directory(plan.output_root, plan.directories[0].output_dir)
    assert list(elsewhere.iterdir()) == []


def test_make_directory_does_not_follow_a_dangling_link(tmp_path: Path) -> None:
    plan = build(grow(tmp_path / "in", "s/b"), tmp_path / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "s").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileError):
        make_directory(plan.output_root, plan.directories[0].output_dir)
    assert not (tmp_path / "nowhere").exists()


def test_make_directory_over_a_file_is_an_error(tmp_path: Path) -> None:
    plan = build(grow(tmp_path / "in", "s/b"), tmp_path / "out")
    grow(tmp_path / "out", "s")
    with pytest.raises(FileError, match="or a file"):
        make_directory(plan.output_root, plan.directories[0].output_dir)


def test_make_directory_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = build(grow(tmp_path / "in", "s/b"), tmp_path / "out")

    def mkdir(path: str, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "mkdir", mkdir)
    with pytest.raises(FileError, match="No space left"):
        make_directory(plan.output_root, plan.directories[0].output_dir)


# --- links to one directory


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_build_gives_two_links_to_one_directory_both_their_outputs(tmp_path: Path, order: str) -> None:
    inputs = grow(tmp_path / "in")
    grow(tmp_path / "x", "x.dcm", "s/y.dcm")
    for name in order:
        (inputs / name).symlink_to(tmp_path / "x")
    plan = build(inputs, tmp_path / "out", followLinks=True)
    assert relatives(plan) == ["a/x.dcm", "a/s/y.dcm", "b/x.dcm", "b/s/y.dcm"]
    assert plan.warnings == ()


def test_build_follows_links_to_directories_of_the_tree_itself(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "x/x.dcm")
    (inputs / "link").symlink_to("x")
    assert relatives(build(inputs, tmp_path / "out", followLinks=True)) == ["link/x.dcm", "x/x.dcm"]


def test_build_tells_of_links_in_a_circle_and_follows_them_once(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in", "a/a.dcm", "b/b.dcm")
    (inputs / "a" / "up").symlink_to("..")
    (inputs / "a" / "b").symlink_to("../b")
    (inputs / "b" / "a").symlink_to("../a")
    (inputs / "all").symlink_to(tmp_path)
    plan = build(inputs, tmp_path / "out", followLinks=True)
    assert relatives(plan) == ["a/a.dcm", "a/b/b.dcm", "b/b.dcm", "b/a/a.dcm"]
    assert [text.partition(" leads")[0] for text in plan.warnings] == [
        *("a/b/a", "a/up", "all/in", "b/a/b", "b/a/up")
    ]


def test_build_refuses_links_that_multiply_without_end(tmp_path: Path) -> None:
    inputs = grow(tmp_path / "in")
    for name in "abcdefgh":
        (inputs / name).mkdir()
    for name in "abcdefgh":
        for other in "abcdefgh":
            (inputs / name / f"to-{other}").symlink_to(f"../{other}")
    with pytest.raises(PlanError, match="in more than 1000 ways"):
        build(inputs, tmp_path / "out", followLinks=True)
