"""Runs that are interrupted: by signals that ask, by signals that kill, at many moments.

The moments are drawn from a fixed seed. A run that was over before its signal came is
tried again with an earlier one.
"""

from __future__ import annotations

import filecmp
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from installed import (
    COMMAND,
    Done,
    Trees,
    arguments_of,
    checked_record,
    children_of,
    contents,
    leftovers,
    make,
    make_large,
    names_in,
    patience,
    processes_of,
    run,
    wait_for,
)
from support import run_command

from pfdicom_tagSub.files import writing as output

pytestmark = pytest.mark.xdist_group("interruption")  # what takes long to set up is set up once

SPEC = {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_md5|7_PatientID"}
SMALL_FILES = 3000
LARGE_BYTES = 100_000_000
SLOW_COPY = """
import os, sys, time
real = os.copy_file_range
def slow(source, target, count, *places):
    time.sleep(0.03)
    return real(source, target, min(count, 1 << 20), *places)
os.copy_file_range = slow
sys.argv[0] = "pfdicom_tagSub"
from pfdicom_tagSub.cli.command import run
run()
"""
"""The command on a slow disk: a large file takes more than a second, and is struck in its first third."""

SOON = 15.0
"""Seconds within which a process that should end has ended."""

Killed = -signal.SIGKILL


@dataclass(frozen=True)
class Field:
    """A tree to interrupt runs over, and what an undisturbed run makes of it.

    Attributes:
        inputs: the input tree.
        expected: the outputs of an undisturbed run.
        seconds: how long that run wrote outputs.
        slow: the file that takes long; "" where all are small.
        state: size and time of last change of every input.
    """

    inputs: Path
    expected: Path
    seconds: float
    slow: str = ""
    state: dict[str, tuple[int, int]] = field(default_factory=dict)

    def check_inputs(self) -> None:
        """No input was touched."""
        assert _state(self.inputs) == self.state

    def check_outputs(self, outputs: Path) -> list[str]:
        """Every output is whole and no other file is there; returns their names."""
        found = names_in(outputs)
        for name in found:
            assert (self.expected / name).exists(), f"{name} is no output"
            assert filecmp.cmp(outputs / name, self.expected / name, shallow=False), f"{name} is damaged"
        return found


def _state(root: Path) -> dict[str, tuple[int, int]]:
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths}


def _field(root: Path, slow: str = "") -> Field:
    started = time.monotonic()
    done = run(root / "in", root / "expected", "--verbosity", "0", "--threads", "2", spec=SPEC)
    assert done.code == 0, done.err
    if slow:
        return Field(root / "in", root / "expected", 0.3, slow, _state(root / "in"))
    first = min(path.stat().st_ctime for path in (root / "expected").rglob("*") if path.is_file())
    seconds = min(time.time() - first, time.monotonic() - started)
    return Field(root / "in", root / "expected", seconds, slow, _state(root / "in"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """Many small files in a few directories."""
    root = tmp_path_factory.mktemp("small")
    whole = make(root / "x.dcm", PatientID="P00000").read_bytes()
    for number in range(SMALL_FILES):
        path = root / "in" / f"{number % 5}" / f"{number:05}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(whole.replace(b"P00000", f"P{number:05}".encode()))
    yield _field(root)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A file of several hundred MB, mostly a hole, between two small ones."""
    root = tmp_path_factory.mktemp("large")
    make_large(root / "in" / "s" / "b.dcm", LARGE_BYTES, PatientID="LARGE")
    make(root / "in" / "a.dcm", PatientID="A")
    make(root / "in" / "s" / "c.dcm", PatientID="C")
    yield _field(root, "s/b.dcm")
    shutil.rmtree(root)


@pytest.fixture(autouse=True)
def no_litter(tmp_path: Path) -> Iterator[None]:
    """Remove the large outputs at once, and end what a failed test left running."""
    yield
    shutil.rmtree(tmp_path, ignore_errors=True)
    while _started:
        for pid in processes_of(_started.pop()):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


_started: list[int] = []
"""The sessions of the test at hand."""


@dataclass
class Running:
    """A run under way in a session of its own."""

    process: subprocess.Popen[str]
    outputs: Path

    def is_writing(self, place: Field) -> bool:
        """Whether the run has come to where its signal shall find it."""
        if place.slow:
            return bool(leftovers(self.outputs)) and not (self.outputs / place.slow).exists()
        return (self.outputs / "0").is_dir() and len(os.listdir(self.outputs / "0")) > 0

    def send(self, number: signal.Signals, *, to_all: bool) -> None:
        """Send a signal to the process, or to all of its session."""
        (os.killpg if to_all else os.kill)(self.process.pid, number)

    def end(self) -> Done:
        """What it came to; none of its processes is left."""
        out, err = self.process.communicate(timeout=patience(SOON))
        session = self.process.pid
        assert wait_for(lambda: not processes_of(session), SOON), "a process outlived the run"
        return Done(self.process.returncode, out, err)


def _start(place: Field, outputs: Path, *flags: str) -> Running:
    command = [sys.executable, "-c", SLOW_COPY] if place.slow else [COMMAND]
    words = [*command, *arguments_of(place.inputs, outputs, SPEC, "--json", *flags)]
    process = subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    _started.append(process.pid)
    return Running(process, outputs)


def _caught(
    place: Field,
    folder: Path,
    strike: Callable[[Running], None],
    *flags: str,
    seed: object,
) -> tuple[Done, Path]:
    """A run that was struck at a random moment while it wrote.

    Args:
        place: the tree.
        folder: for outputs.
        strike: what to do to it.
        flags: further flags.
        seed: says which moment.

    Returns:
        What it came to, and its outputs.
    """
    delay = random.Random(str(seed)).uniform(0, 0.7 * place.seconds)
    for attempt in range(8):
        outputs = folder / f"out{attempt}"
        running = _start(place, outputs, *flags)
        try:
            began = wait_for(
                lambda running=running: running.is_writing(place) or running.process.poll() is not None  # type: ignore[misc]
            )
            assert began
            time.sleep(delay)
            if running.process.poll() is None and (not place.slow or running.is_writing(place)):
                strike(running)
                done = running.end()
                if done.code != 0:
                    return done, outputs
        finally:
            if running.process.poll() is None:
                running.process.kill()
            running.process.communicate()
        shutil.rmtree(outputs, ignore_errors=True)
        delay /= 2
    pytest.fail("every run was over before its signal came")


CODES = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}

everywhere = pytest.mark.parametrize("which", ["small", "large"])
workers = pytest.mark.parametrize("threads", ["0", "2"])


@everywhere
@workers
@pytest.mark.parametrize("to_all", [False, True], ids=["process", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_ends_the_run_in_order(
    number: signal.Signals,
    to_all: bool,
    threads: str,
    which: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
) -> None:
    place: Field = request.getfixturevalue(which)

    def strike(running: Running) -> None:
        running.send(number, to_all=to_all)

    done, outputs = _caught(
        place, tmp_path, strike, "--threads", threads, seed=(number, to_all, threads, which)
    )
    code, status = CODES[number]
    assert done.code == code
    record = checked_record(done.out)
    assert (record["status"], record["exitCode"]) == (status, code)
    assert leftovers(outputs) == []
    written = place.check_outputs(outputs)
    assert record["counts"]["written"] == len(written)
    assert record["counts"]["failed"] == 0
    assert f"{status} after" in done.err
    assert "Traceback" not in done.err
    place.check_inputs()


@workers
def test_impatient_signals_change_nothing(threads: str, large: Field, tmp_path: Path) -> None:
    def strike(running: Running) -> None:
        running.send(signal.SIGTERM, to_all=False)
        for _ in range(50):
            if running.process.poll() is None:
                running.send(signal.SIGINT, to_all=True)
                time.sleep(0.001)

    done, outputs = _caught(large, tmp_path, strike, "--threads", threads, seed=threads)
    # A late one may hit the interpreter after the record was printed, while it ends.
    assert done.code in {143, -signal.SIGINT, 130}
    assert checked_record(done.out)["status"] in {"terminated", "interrupted"}  # whichever was taken first
    assert leftovers(outputs) == []
    large.check_outputs(outputs)


@pytest.mark.parametrize("turn", range(6))
def test_signal_while_the_run_starts_leaves_nothing(turn: int, small: Field, tmp_path: Path) -> None:
    running = _start(small, tmp_path / "out", "--threads", "2" if turn % 2 else "0")
    time.sleep(random.Random(turn).uniform(0.02, 0.4))
    running.send(signal.SIGINT if turn % 4 < 2 else signal.SIGTERM, to_all=True)
    running.end()
    assert leftovers(tmp_path / "out") == []
    small.check_outputs(tmp_path / "out")
    small.check_inputs()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_to_a_worker_alone_is_nothing(number: signal.Signals, small: Field, tmp_path: Path) -> None:
    running = _start(small, tmp_path / "out", "--threads", "2")
    assert wait_for(lambda: running.is_writing(small))
    for worker in children_of(running.process.pid):
        os.kill(worker, number)
    done = running.end()
    assert done.code == 0
    assert done.counts == {"found": SMALL_FILES, "written": SMALL_FILES}
    assert len(small.check_outputs(tmp_path / "out")) == SMALL_FILES


def _complete(place: Field, outputs: Path) -> None:
    """The next run of the same command makes the tree what it should be."""
    for name in leftovers(outputs):  # the dead may take a moment to be reaped
        pid = int(name.rsplit("-", 2)[1])
        wait_for(lambda pid=pid: not Path(f"/proc/{pid}").exists(), SOON)  # type: ignore[misc]
    done = run(place.inputs, outputs, "--json", "--threads", "2", spec=SPEC)
    assert done.code == 0
    assert leftovers(outputs) == []
    assert place.check_outputs(outputs) == names_in(place.expected)
    assert done.counts.keys() <= {"found", "written", "unchanged"}


@everywhere
@workers
@pytest.mark.parametrize("turn", [1, 2])
def test_killed_run_leaves_nothing_half_written(
    turn: int, threads: str, which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place: Field = request.getfixturevalue(which)

    def strike(running: Running) -> None:
        running.send(signal.SIGKILL, to_all=False)

    done, outputs = _caught(place, tmp_path, strike, "--threads", threads, seed=(turn, threads, which))
    assert done.code == Killed  # and all of its workers have ended
    stale = leftovers(outputs)
    assert not stale or threads == "0", "the workers outlived the run long enough to clean up"
    if threads == "0" and which == "large":
        assert stale
    for name in stale:
        os.rename(outputs / name, tmp_path / "stale")
    place.check_outputs(outputs)
    for name in stale:
        os.rename(tmp_path / "stale", outputs / name)
    _complete(place, outputs)
    place.check_inputs()


@everywhere
@pytest.mark.parametrize("turn", [1, 2])
def test_killed_group_leaves_nothing_half_written(
    turn: int, which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place: Field = request.getfixturevalue(which)

    def strike(running: Running) -> None:
        running.send(signal.SIGKILL, to_all=True)

    done, outputs = _caught(place, tmp_path, strike, "--threads", "2", seed=(turn, which))
    assert done.code == Killed
    finished = set(names_in(outputs)) - set(leftovers(outputs))
    for name in finished:
        assert filecmp.cmp(outputs / name, place.expected / name, shallow=False)
    _complete(place, outputs)


@everywhere
@pytest.mark.parametrize("turn", [1, 2])
def test_killed_worker_does_not_end_the_run(
    turn: int, which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    place: Field = request.getfixturevalue(which)
    outputs = tmp_path / "out"
    running = _start(place, outputs, "--threads", "2")
    assert wait_for(lambda: running.is_writing(place) and len(children_of(running.process.pid)) == 2)
    time.sleep(random.Random(turn).uniform(0, 0.5 * place.seconds))
    victims = children_of(running.process.pid)
    if victims:
        os.kill(random.Random(turn).choice(victims), signal.SIGKILL)
    done = running.end()
    record = checked_record(done.out)
    expected = names_in(place.expected)
    assert record["counts"]["found"] == len(expected)
    assert done.code == (1 if record["failures"] else 0)
    written = place.check_outputs(outputs)  # no temporary file of the dead worker either
    assert sorted([*written, *done.failures]) == expected
    assert len(done.failures) <= 1


def test_file_that_kills_every_worker_fails_and_the_others_are_written(large: Field, tmp_path: Path) -> None:
    """As a file does that takes all memory: whoever works on it is killed."""
    outputs = tmp_path / "out"
    running = _start(large, outputs, "--threads", "2")
    killed = 0
    while running.process.poll() is None:
        for name in leftovers(outputs):
            pid = int(name.rsplit("-", 2)[1])
            path = outputs / name
            try:
                is_large = path.stat().st_size > 1 << 20
            except OSError:
                continue
            if is_large and pid in children_of(running.process.pid):
                with suppress(ProcessLookupError):  # it may have ended in between
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
        time.sleep(0.002)
    done = running.end()
    if killed < 2:
        pytest.skip("the file was copied faster than a worker could be killed over it")
    assert done.code == 1
    assert done.failures.keys() == {"s/b.dcm"}
    assert "died" in done.failures["s/b.dcm"]
    assert large.check_outputs(outputs) == ["a.dcm", "s/c.dcm"]


# --- every moment of writing one file, in this process


STEPS = ["open", "writev", "close", "rename", "copy_file_range", "lseek", "lstat"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("nth", [1, 2, 3, 4])
@pytest.mark.parametrize("step", STEPS)
def test_signal_after_any_step_of_writing_leaves_nothing(
    step: str, nth: int, number: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Trees(tmp_path / "in", tmp_path / "out")
    for name in ("a.dcm", "b.dcm"):
        place.make(name, EncapsulatedDocument=bytes(3_000_000))
    assert run_command(place.inputs, tmp_path / "expected").code == 0
    real = output.rename_new if step == "rename" else getattr(os, step)
    calls = 0

    def then_signal(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        result = real(*args, **kwargs)
        calls += 1
        if calls == nth:
            signal.raise_signal(number)
        return result

    class Os:
        """The module os as ``output`` sees it."""

        def __getattr__(self, name: str) -> Any:
            return then_signal if name == step else getattr(os, name)

    if step == "rename":
        monkeypatch.setattr(output, "rename_new", then_signal)
    monkeypatch.setattr(output, "os", Os())
    done = run_command(place.inputs, place.outputs, "--json")
    assert leftovers(place.outputs) == []
    expected = contents(tmp_path / "expected")
    found = contents(place.outputs)
    assert found.items() <= expected.items()
    if calls >= nth:
        assert done.code in {0, CODES[number][0]}
        assert done.code == CODES[number][0] or len(found) == 2
    assert done.record["counts"]["written"] == len(found)
