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

from pfdicom_tagSub import temporary
from pfdicom_tagSub.temporary import TEMP_PREFIX, TEMP_SUFFIX, remove_stale, temporary_name


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
