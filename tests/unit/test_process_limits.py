"""Limits on processes, threads and descriptors: fewer workers, never a hang."""

from __future__ import annotations

import contextlib
import os
import resource
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from installed import Trees

from pfdicom_tagSub.run import process_limits
from pfdicom_tagSub.run.process_limits import (
    DESCRIPTORS_OF_POOL,
    DESCRIPTORS_PER_WORKER,
    THREADS_OF_POOL,
    THREADS_PER_WORKER,
    affordable_workers,
)

SPEC = {"PatientName": "ANON"}


def _limit_threads(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    started = 0
    start = threading.Thread.start

    def limited(thread: threading.Thread) -> None:
        nonlocal started
        if started >= most:
            raise RuntimeError("can't start new thread")
        started += 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)


@pytest.mark.parametrize(("room", "workers"), [(-1, 0), (0, 0), (1, 0), (2, 1), (5, 2), (8, 4), (100, 4)])
def test_affordable_workers_are_what_threads_allow(
    monkeypatch: pytest.MonkeyPatch, room: int, workers: int
) -> None:
    assert THREADS_PER_WORKER == 2
    _limit_threads(monkeypatch, THREADS_OF_POOL + room)
    assert affordable_workers(4) == workers


@pytest.mark.parametrize(("room", "workers"), [(-1, 0), (0, 0), (1, 1), (3, 3), (9, 4)])
def test_affordable_workers_are_what_descriptors_allow(
    monkeypatch: pytest.MonkeyPatch, room: int, workers: int
) -> None:
    most = DESCRIPTORS_OF_POOL + DESCRIPTORS_PER_WORKER * room
    taken = 0
    real = os.open

    def limited(path: str, flags: int) -> int:
        nonlocal taken
        taken += 1
        if taken > most:
            raise OSError(24, "Too many open files")
        return real(path, flags)

    monkeypatch.setattr(process_limits.os, "open", limited)
    assert affordable_workers(4) == workers


def test_affordable_workers_leave_nothing_behind() -> None:
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    assert affordable_workers(8) == 8
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == (threads, descriptors)


@pytest.mark.parametrize("most", [6, 12, 24, 40])
def test_run_with_few_descriptors_has_fewer_workers(trees: Trees, most: int) -> None:
    names = [f"{index}.dcm" for index in range(20)]
    for name in names:
        trees.make(name)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    done = trees.run("--json", "--threads", "2", spec=SPEC, before=limit)
    assert done.code == 0
    assert trees.written == sorted(names)
    assert ("1 of 2 workers" in done.err) == (most < 30)


@contextlib.contextmanager
def _pids_group(most: int) -> Iterator[Path]:
    root = Path("/sys/fs/cgroup/pids")
    group = (root if root.is_dir() else root.parent) / f"pfdicom-tagsub-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "pids.max").write_text(str(most))
    except OSError as error:
        pytest.skip(f"no control group for processes can be made here (it takes root): {error.strerror}")
    try:
        yield group
    finally:
        group.rmdir()


@pytest.mark.parametrize("most", [1, 3, 4, 5, 6, 7, 8, 9, 12])
def test_run_with_few_processes_never_hangs(trees: Trees, most: int) -> None:
    names = [f"{index}.dcm" for index in range(20)]
    for name in names:
        trees.make(name)
    with _pids_group(most) as group:

        def limit() -> None:
            (group / "cgroup.procs").write_text(str(os.getpid()))

        done = trees.run("--json", "--threads", "3", spec=SPEC, before=limit)
    assert done.code == 0
    assert "Traceback" not in done.err
    assert trees.written == sorted(names)
    assert ("workers can be started" in done.err) == (most < 10)
