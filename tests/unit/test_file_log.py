"""The log: a valid line of JSON for each file, whatever happens to the file that it goes to."""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from installed import MIXED, Trees, arguments_of, contents, mixed_tree, wait_for
from support import run_command

from pfdicom_tagSub.core.outcome import Action, FileOutcome, Stage, Status
from pfdicom_tagSub.report import file_log as filelog
from pfdicom_tagSub.report.file_log import FileLog, line_of

FIELDS = [
    *("time", "path", "output", "outcome", "stage", "reason", "actions"),
    *("pixelReview", "pixelsCleaned", "pathHoldsValue", "residuals", "milliseconds"),
]
OUTCOME = FileOutcome("a.dcm", Status.WRITTEN)
SPEC = {"PatientName": "anon", "StudyID": None}


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a log, each of which has to be whole."""
    content = path.read_bytes()
    assert content.isascii()
    assert not content or content.endswith(b"\n")
    return [json.loads(line) for line in content.splitlines()]


# --- lines


def test_line_says_what_became_of_a_file() -> None:
    outcome = FileOutcome(
        "s/a.dcm",
        Status.WRITTEN,
        elements=(
            (0x00100010, Action.SUBSTITUTED, 2),
            (0x00100020, Action.SUBSTITUTED, 1),
            (0, Action.REMOVED, 4),
        ),
        review="says that it has burned-in annotation",
        path_holds_value=True,
        residuals=("StudyDescription",),
        seconds=0.0123456,
    )
    now = datetime(2026, 1, 2, 4, 5, 6, 7000, timezone(timedelta(hours=1)))
    line = json.loads(line_of(outcome, now))
    assert list(line) == FIELDS
    assert list(line.values()) == [
        *("2026-01-02T03:05:06.007Z", "s/a.dcm", None, "written", None, "", {"removed": 4, "substituted": 3}),
        *("says that it has burned-in annotation", None, True, ["StudyDescription"], 12.346),
    ]


@pytest.mark.parametrize(
    "name", ["a\nb", "\udcff\udcfe", "\u2028\u0085", '"\\', "\x1b[2J", "Zoë 山", "n" * 255]
)
def test_line_is_one_line_of_ascii_whatever_the_name(name: str) -> None:
    line = line_of(FileOutcome(name, Status.FAILED, Stage.READ, "why"), datetime.now(UTC))
    assert line.isascii()
    assert len(line.splitlines()) == 1
    assert json.loads(line)["path"] == name


@pytest.mark.parametrize("threads", ["0", "2"])
def test_log_has_a_line_for_each_file(threads: str, trees: Trees, tmp_path: Path) -> None:
    mixed_tree(trees.inputs)
    log = tmp_path / "log"
    before = datetime.now(UTC) - timedelta(seconds=1)
    done = trees.run("--log", str(log), "--json", "--threads", threads, spec=SPEC)
    lines = lines_of(log)
    assert sorted(line["path"] for line in lines) == sorted(contents(trees.inputs))
    for status in ("written", "skipped", "failed"):
        assert sum(line["outcome"] == status for line in lines) == MIXED[status]
    assert {line["path"]: line["reason"] for line in lines if line["outcome"] == "failed"} == done.failures
    assert {line["path"]: line["reason"] for line in lines if line["outcome"] == "skipped"} == done.skipped
    assert all((line["stage"] is not None) == (line["outcome"] == "failed") for line in lines)
    total: dict[str, int] = {}
    for line in lines:
        assert before <= datetime.fromisoformat(line["time"]) <= datetime.now(UTC)
        assert 0 <= line["milliseconds"] < 60_000
        assert (line["milliseconds"] > 0) == (line["outcome"] != "current")
        for action, count in line["actions"].items():
            total[action] = total.get(action, 0) + count
    rows = done.record["elements"].values()
    assert total == {action: sum(row[action] for row in rows) for action in total}
    assert {"substituted"} <= set(total)
    assert (done.code, done.record["error"]) == (1, "")


def test_log_names_what_the_ledger_knows(trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    log = tmp_path / "log"
    for _ in range(2):
        trees.run("--log", str(log), "--ledger", str(tmp_path / "ledger"), spec=SPEC)
    assert [line["outcome"] for line in lines_of(log)] == ["written", "current"]


def test_log_holds_no_value(trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm", PatientName="Geheim^Gustav", StudyID="S-31337")
    trees.run("--log", str(tmp_path / "log"), spec=SPEC)
    content = (tmp_path / "log").read_bytes()
    assert b"Geheim" not in content
    assert b"31337" not in content


def test_unreadable_directory_has_a_line(trees: Trees, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (trees.inputs / "s").mkdir(mode=0)
    trees.run("--log", str(tmp_path / "log"), spec=SPEC)
    assert [line["path"] for line in lines_of(tmp_path / "log")] == ["s"]


# --- the file


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_new_log_is_its_owners_alone_and_an_old_one_stays(umask: int, tmp_path: Path) -> None:
    old = os.umask(umask)
    try:
        with FileLog(str(tmp_path / "new")) as log:
            log.write(OUTCOME)
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o600
    (tmp_path / "new").chmod(0o640)
    with FileLog(str(tmp_path / "new")) as log:
        log.write(OUTCOME)
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o640
    assert len(lines_of(tmp_path / "new")) == 2


def test_line_that_a_run_was_killed_over_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"time":"20')
    with FileLog(str(path)) as log:
        log.write(OUTCOME)
    torn, line = path.read_bytes().splitlines()
    assert torn == b'{"time":"20'
    assert json.loads(line)["path"] == "a.dcm"


@pytest.mark.parametrize("place", ["nowhere/log", "", "a\0b", "in/log", "out/log", "loop", "fifo"])
def test_log_that_cannot_be_opened_ends_the_run_before_the_first_file(
    place: str, trees: Trees, tmp_path: Path
) -> None:
    trees.make("a.dcm")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "fifo")  # that nobody reads
    path = str(tmp_path / place)
    done = run_command(
        *(trees.inputs, trees.outputs, "--json", "--log", path),
        *("--ledger", str(tmp_path / "ledger")),
    )
    assert done.code == 2
    assert "--log" in done.record["error"]
    assert not trees.outputs.exists()


def test_log_may_be_a_device(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--log", "/dev/stdout", spec=SPEC)
    assert done.code == 0
    assert json.loads(done.out)["path"] == "a.dcm"


def test_log_on_a_full_disk_is_told_of_and_loses_no_output(trees: Trees, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full")
    for number in range(5):
        trees.make(f"{number}.dcm")
    done = trees.run("--log", "/dev/full", "--json", spec=SPEC)
    assert done.code == 1
    assert done.counts == {"found": 5, "written": 5}
    assert done.record["error"] == "--log /dev/full: No space left on device; lines lost: 5"
    assert done.record["error"] in done.err


def test_log_that_is_cut_short_has_whole_lines(trees: Trees, tmp_path: Path) -> None:
    """The limit on the size of a file stands in for a disk without room."""
    for number in range(40):
        trees.make(f"{number:02}.dcm")
    log = tmp_path / "log"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))

    done = trees.run("--log", str(log), "--json", spec=SPEC, before=limit)
    lines = lines_of(log)
    assert 10 < len(lines) < 40
    assert done.counts == {"found": 40, "written": 40}
    assert f"lines lost: {40 - len(lines)}" in done.record["error"]


# --- rotation


def test_log_is_opened_anew_on_sighup(tmp_path: Path) -> None:
    path = tmp_path / "log"
    before = signal.getsignal(signal.SIGHUP)
    with FileLog(str(path)) as log:
        log.write(OUTCOME)
        path.rename(tmp_path / "log.1")
        log.write(OUTCOME)
        signal.raise_signal(signal.SIGHUP)
        log.write(OUTCOME)
    assert signal.getsignal(signal.SIGHUP) == before
    assert (len(lines_of(tmp_path / "log.1")), len(lines_of(path))) == (2, 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert log.problem == ""


def test_log_that_cannot_be_opened_anew_goes_on_in_the_old_file(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    with FileLog(str(folder / "log")) as log:
        folder.rename(tmp_path / "moved")
        signal.raise_signal(signal.SIGHUP)
        log.write(OUTCOME)
        assert "opened anew" in log.problem
        folder.mkdir()
        signal.raise_signal(signal.SIGHUP)
        log.write(OUTCOME)
    assert (len(lines_of(tmp_path / "moved" / "log")), len(lines_of(folder / "log"))) == (1, 1)


def test_log_that_is_removed_while_it_is_opened_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"")
    real = os.open

    def losing(name: str, flags: int, *mode: int) -> int:
        if not flags & os.O_CREAT and path.exists():
            path.unlink()
        return real(name, flags, *mode)

    monkeypatch.setattr(filelog.os, "open", losing)
    with FileLog(str(path)) as log:
        log.write(OUTCOME)
    assert len(lines_of(path)) == 1


def test_ignored_sighup_stays_ignored(tmp_path: Path) -> None:
    old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with FileLog(str(tmp_path / "log")):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, old)


SLOW = """
import sys, time
from pfdicom_tagSub.files import writing
real = writing.rename_new
def slow(*names):
    time.sleep(0.004)
    real(*names)
writing.rename_new = slow
sys.argv[0] = "pfdicom_tagSub"
from pfdicom_tagSub.cli.command import run
run()
"""


@pytest.fixture
def many(trees: Trees) -> Trees:
    for number in range(3):
        trees.make(f"{number}.dcm")
    for number in range(3, 400):
        shutil.copy(trees.inputs / "0.dcm", trees.inputs / f"{number}.dcm")
    return trees


def _start(trees: Trees, *flags: str) -> subprocess.Popen[bytes]:
    words = arguments_of(trees.inputs, trees.outputs, SPEC, *flags)
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


@pytest.mark.parametrize("whom", [os.kill, os.killpg], ids=["process", "group"])
@pytest.mark.parametrize("threads", ["0", "2"])
def test_rotation_in_the_middle_of_a_run_loses_no_line(
    threads: str, whom: Callable[[int, int], None], many: Trees, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    process = _start(many, "--log", str(log), "--threads", threads)
    rotated = 0
    while process.poll() is None:
        if log.exists() and log.stat().st_size:
            rotated += 1
            log.rename(tmp_path / f"log.{rotated}")
            whom(process.pid, signal.SIGHUP)
        time.sleep(0.02)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert rotated > 2
    paths = [line["path"] for path in tmp_path.glob("log*") for line in lines_of(path)]
    assert sorted(paths) == sorted(contents(many.inputs))


@pytest.mark.parametrize("threads", ["0", "2"])
def test_killed_run_leaves_whole_lines_of_what_it_wrote(threads: str, many: Trees, tmp_path: Path) -> None:
    log = tmp_path / "log"
    process = _start(many, "--log", str(log), "--threads", threads)
    assert wait_for(lambda: log.exists() and log.read_bytes().count(b"\n") > 50)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    lines = lines_of(log)
    assert {line["path"] for line in lines} <= set(contents(many.outputs))
    if threads == "0":
        assert len(lines) >= len(many.written) - 2


# --- a log that is not the run's alone


def test_log_that_is_a_link_is_not_followed(trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    (tmp_path / "victim").write_bytes(b"root:x\n")
    for target in ("victim", "absent"):
        link = tmp_path / f"to-{target}"
        link.symlink_to(target)
        done = run_command(trees.inputs, trees.outputs, "--json", "--log", str(link))
        assert done.code == 2
        assert "symbolic link" in done.record["error"]
    assert (tmp_path / "victim").read_bytes() == b"root:x\n"
    assert not (tmp_path / "absent").exists()
    assert not trees.outputs.exists()


def test_log_that_has_a_second_name_is_refused(trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    (tmp_path / "victim").write_bytes(b"root:x\n")
    (tmp_path / "victim").chmod(0o600)
    (tmp_path / "log").hardlink_to(tmp_path / "victim")
    done = run_command(trees.inputs, trees.outputs, "--json", "--log", str(tmp_path / "log"))
    assert done.code == 2
    assert "hard link" in done.record["error"]
    assert (tmp_path / "victim").read_bytes() == b"root:x\n"


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o777])
def test_log_that_others_may_write_to_is_refused(trees: Trees, tmp_path: Path, mode: int) -> None:
    trees.make("a.dcm")
    (tmp_path / "log").touch()
    (tmp_path / "log").chmod(mode)
    done = run_command(trees.inputs, trees.outputs, "--json", "--log", str(tmp_path / "log"))
    assert done.code == 2
    assert f"{mode:04o}); chmod go-w" in done.record["error"]
    assert (tmp_path / "log").read_bytes() == b""
    (tmp_path / "log").chmod(mode & ~0o022)  # the cure
    assert run_command(trees.inputs, trees.outputs, "--log", str(tmp_path / "log")).code == 0


def test_log_of_another_user_is_refused(trees: Trees, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can give files away")
    trees.make("a.dcm")
    (tmp_path / "log").touch(0o600)
    os.chown(tmp_path / "log", 12345, -1)
    done = run_command(trees.inputs, trees.outputs, "--json", "--log", str(tmp_path / "log"))
    assert done.code == 2
    assert "another user" in done.record["error"]


def test_log_that_becomes_a_link_is_not_opened_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    (tmp_path / "victim").touch()
    with FileLog(str(path)) as log:
        path.rename(tmp_path / "log.1")
        path.symlink_to("victim")
        os.kill(os.getpid(), signal.SIGHUP)
        log.write(OUTCOME)
        assert "could not be opened anew" in log.problem
    assert (tmp_path / "victim").read_bytes() == b""
    assert (tmp_path / "log.1").read_bytes().count(b"\n") == 1
