"""Temporary outputs: their names, and which of them are removed."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pfdicom_tagSub.files import temporary
from pfdicom_tagSub.files.temporary import TEMP_PREFIX, TEMP_SUFFIX, remove_run, remove_stale, temporary_name


@pytest.fixture(scope="module")
def dead_pid() -> int:
    """The id of a process that is gone."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def named(pid: int, host: str | None = None) -> str:
    return f"{TEMP_PREFIX}{temporary._host() if host is None else host}-{pid}-0{TEMP_SUFFIX}"


def plant(directory: Path, name: str) -> Path:
    path = directory / name
    path.write_bytes(b"half")
    return path


def test_temporary_name_tells_host_process_and_number() -> None:
    name = temporary_name(7)
    assert name.startswith(".pfdicom_tagSub-")
    assert name.endswith(f"-{os.getpid()}-7.tmp")
    assert len(name) < 255


@pytest.mark.parametrize("host", ["lab/../é pc", "h" * 300, ""])
def test_temporary_name_is_safe_whatever_the_host_is_called(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Uname:
        nodename = host

    monkeypatch.setattr(os, "uname", lambda: Uname)
    temporary._host.cache_clear()
    try:
        name = temporary_name(1)
        middle = name.removeprefix(TEMP_PREFIX).rsplit("-", 2)[0]
        assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", middle)
        assert temporary._NAME.fullmatch(name)
    finally:
        temporary._host.cache_clear()


def test_remove_stale_removes_what_a_dead_process_left(tmp_path: Path, dead_pid: int) -> None:
    stale = plant(tmp_path, named(dead_pid))
    assert remove_stale(str(tmp_path)) == 1
    assert not stale.exists()


def test_remove_stale_leaves_what_is_not_stale(tmp_path: Path, dead_pid: int) -> None:
    kept = [
        plant(tmp_path, named(os.getpid())),  # alive
        plant(tmp_path, named(os.getppid())),
        plant(tmp_path, named(dead_pid, "another-" + socket.gethostname()[:20])),
        plant(tmp_path, "image.dcm"),
        plant(tmp_path, f"{TEMP_PREFIX}no-number{TEMP_SUFFIX}"),
        plant(tmp_path, named(dead_pid) + ".dcm"),
        plant(tmp_path, "x" + named(dead_pid)),
    ]
    (tmp_path / named(dead_pid).replace("-0.tmp", "-1.tmp")).mkdir()
    target = plant(tmp_path, "target")
    (tmp_path / named(dead_pid).replace("-0.tmp", "-2.tmp")).symlink_to(target)
    assert remove_stale(str(tmp_path)) == 0
    assert all(path.exists() for path in [*kept, target])
    assert len(list(tmp_path.iterdir())) == len(kept) + 3


def test_remove_stale_removes_what_nobody_wrote_to_for_a_day(tmp_path: Path) -> None:
    old = plant(tmp_path, named(os.getpid()))
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    assert remove_stale(str(tmp_path)) == 1


def test_remove_stale_of_an_impossible_process_id_is_quiet(tmp_path: Path) -> None:
    plant(tmp_path, named(10**40))
    assert remove_stale(str(tmp_path)) == 1


def test_remove_stale_does_not_go_through_a_link(tmp_path: Path, dead_pid: int) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    theirs = plant(elsewhere, named(dead_pid))
    (tmp_path / "link").symlink_to(elsewhere)
    assert remove_stale(str(tmp_path / "link")) == 0
    assert theirs.exists()


def test_remove_stale_of_an_absent_directory_is_quiet(tmp_path: Path) -> None:
    assert remove_stale(str(tmp_path / "absent")) == 0


def test_remove_stale_removes_what_a_process_left_that_waits_to_be_reaped(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is a zombie now
    plant(tmp_path, named(child.pid))
    try:
        assert remove_stale(str(tmp_path)) == 1
    finally:
        child.wait()


# --- runs on many hosts


def test_temporary_name_tells_the_run() -> None:
    name = temporary_name(3, "00c0ffee")
    assert name.endswith(f"-{os.getpid()}-3~00c0ffee.tmp")
    assert temporary._NAME.fullmatch(name)


def test_remove_run_removes_what_the_run_left_on_any_host(tmp_path: Path) -> None:
    left = [
        plant(tmp_path, named(pid, host).replace(TEMP_SUFFIX, f"~00c0ffee{TEMP_SUFFIX}"))
        for pid, host in ((os.getpid(), None), (1, "another"))
    ]
    kept = [
        plant(tmp_path, named(1, "another")),
        plant(tmp_path, named(1, "another").replace(TEMP_SUFFIX, f"~0badcafe{TEMP_SUFFIX}")),
        plant(tmp_path, "image.dcm"),
    ]
    assert remove_run(str(tmp_path), "00c0ffee") == 2
    assert not any(path.exists() for path in left)
    assert all(path.exists() for path in kept)


def test_remove_stale_of_a_run_leaves_its_own_and_takes_what_others_left_for_a_day(
    tmp_path: Path, dead_pid: int
) -> None:
    own = plant(tmp_path, named(dead_pid).replace(TEMP_SUFFIX, f"~00c0ffee{TEMP_SUFFIX}"))
    young = plant(tmp_path, named(1, "another"))
    old = plant(tmp_path, named(2, "another"))
    yesterday = time.time() - 25 * 3600
    os.utime(old, (yesterday, yesterday))
    assert remove_stale(str(tmp_path)) == 1  # on this host, of a process that is gone
    own = plant(tmp_path, own.name)
    assert remove_stale(str(tmp_path), "00c0ffee") == 1
    assert own.exists()
    assert young.exists()
    assert not old.exists()
