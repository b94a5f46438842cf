"""Disks, descriptors and memory that run out; files that change while they are read."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from installed import COMMAND, Trees, arguments_of, contents, data_set, leftovers, save
from support import README_SPEC

from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.dicom import sources
from pfdicom_tagSub.run import worker
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import parse_json

LIMIT = 300_000
RULES = compile_rules(parse_json(json.dumps(README_SPEC), "test"))


def _large(path: Path, size: int) -> Path:
    content = data_set(Rows=1, Columns=1, BitsAllocated=8, SamplesPerPixel=1)
    content.PixelData = b"\x5a" * size
    content["PixelData"].VR = "OB"
    return save(path, content)


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


@pytest.mark.parametrize("threads", ["0", "2"])
def test_file_that_cannot_be_written_whole_is_absent(trees: Trees, threads: str) -> None:
    """A file size limit stands for a full disk: the write ends short."""
    _large(trees.inputs / "b.dcm", 2 * LIMIT)
    _large(trees.inputs / "c.dcm", LIMIT // 2 * 3)
    trees.make("a.dcm")
    done = trees.run("--json", "--threads", threads, before=_limited)
    assert done.code == 1
    assert set(done.failures) == {"b.dcm", "c.dcm"}
    assert all("EFBIG" in reason for reason in done.failures.values())
    assert trees.written == ["a.dcm"]
    assert leftovers(trees.outputs) == []


def test_full_disk_fails_what_does_not_fit(trees: Trees, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here (it takes root)")
    try:
        trees.make("a.dcm")
        _large(trees.inputs / "b.dcm", 3 << 20)
        # Longer than what is copied in two halves at once.
        _large(trees.inputs / "c.dcm", 70 << 20)
        trees.make("d.dcm", PatientID="other")
        for threads in ("0", "2"):
            outputs = disk / threads
            done = Trees(trees.inputs, outputs).run("--json", "--threads", threads)
            assert done.code == 1
            # Beside a file that just fills the disk a small one may fail, too.
            assert {"b.dcm", "c.dcm"} <= set(done.failures)
            assert threads != "0" or len(done.failures) == 2
            assert all("ENOSPC" in reason for reason in done.failures.values())
            everything = {"a.dcm", "b.dcm", "c.dcm", "d.dcm"}
            assert set(contents(outputs)) == everything - set(done.failures)
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_record_that_standard_output_does_not_take_is_an_error(trees: Trees) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("there is no /dev/full here")
    trees.make("a.dcm")
    words = [COMMAND, *arguments_of(trees.inputs, trees.outputs, README_SPEC, "--json")]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert b"record" in done.stderr
    assert trees.written == ["a.dcm"]


def test_output_that_may_not_be_written_is_refused_before_the_first_file(trees: Trees) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    trees.make("a.dcm")
    trees.outputs.mkdir(mode=0o555)
    done = trees.run()
    assert done.code == 2
    assert "permission" in done.err


def _process(path: Path, target: Path) -> tuple[Status, Stage | None, str]:
    outcome = Worker(Settings(RULES)).process(FileJob(str(path), str(target), path.name))
    return outcome.status, outcome.stage, outcome.reason


def test_file_that_vanished_fails_alone(tmp_path: Path) -> None:
    status, stage, reason = _process(tmp_path / "gone.dcm", tmp_path / "out.dcm")
    assert (status, stage) == (Status.FAILED, Stage.READ)
    assert "ENOENT" in reason


def test_file_that_shrinks_while_it_is_copied_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _large(tmp_path / "a.dcm", 1 << 20)
    patch = worker.Patcher.patch

    def shrinking(*arguments: object) -> object:
        os.truncate(path, 1 << 18)
        return patch(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(worker.Patcher, "patch", shrinking)
    (tmp_path / "out").mkdir()
    status, stage, reason = _process(path, tmp_path / "out" / "a.dcm")
    assert (status, stage) == (Status.FAILED, Stage.WRITE)
    assert "shorter" in reason
    assert contents(tmp_path / "out") == {}


def test_file_that_shrinks_before_it_is_read_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.dcm", data_set())
    real = os.pread
    monkeypatch.setattr(sources.os, "pread", lambda fd, length, place: real(fd, length, place)[:100])
    status, _, reason = _process(path, tmp_path / "out.dcm")
    # Reads may be short; only one that gives nothing means that there is no more.
    assert status is Status.WRITTEN, reason
    monkeypatch.setattr(sources.os, "pread", lambda fd, length, place: b"" if place else real(fd, 100, place))
    status, stage, reason = _process(path, tmp_path / "out2.dcm")
    assert (status, stage) == (Status.FAILED, Stage.READ)
    assert "shorter" in reason


def test_long_files_are_copied_whole_in_two_halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pfdicom_tagSub.files import writing as output

    path = _large(tmp_path / "a.dcm", 3 << 20)
    started: list[threading.Thread] = []
    real = output._Copying.start
    monkeypatch.setattr(output, "HALVED", 1 << 20)
    monkeypatch.setattr(output, "COPY_CHUNK", 100_000)
    monkeypatch.setattr(output._Copying, "start", lambda self: (started.append(self), real(self))[1])
    status, _, reason = _process(path, tmp_path / "out.dcm")
    assert status is Status.WRITTEN, reason
    assert len(started) == 1
    monkeypatch.setattr(output, "HALVED", 1 << 40)
    _process(path, tmp_path / "plain.dcm")
    assert (tmp_path / "out.dcm").read_bytes() == (tmp_path / "plain.dcm").read_bytes()
    assert (tmp_path / "out.dcm").read_bytes().endswith(b"\x5a" * (3 << 20))


def test_kernel_that_cannot_copy_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _large(tmp_path / "a.dcm", 1 << 20)
    _process(path, tmp_path / "out.dcm")

    def refuse(*arguments: object) -> int:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "copy_file_range", refuse)
    status, _, reason = _process(path, tmp_path / "out2.dcm")
    assert status is Status.WRITTEN, reason
    assert (tmp_path / "out2.dcm").read_bytes() == (tmp_path / "out.dcm").read_bytes()


_PEAK = """
import json, resource, subprocess, sys
done = subprocess.run(sys.argv[1:], capture_output=True)
own = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(json.dumps([done.returncode, own, json.loads(done.stdout)["counts"]]))
"""


def _peak(inputs: Path, outputs: Path, *flags: str) -> tuple[int, dict[str, int]]:
    """The peak memory (kB) of the largest process of a run, and its counts."""
    words = [COMMAND, *arguments_of(inputs, outputs, README_SPEC, "--json", *flags)]
    done = subprocess.run([sys.executable, "-c", _PEAK, *words], capture_output=True, check=True)
    code, peak, counts = json.loads(done.stdout)
    assert code == 0
    return peak, counts


def test_many_files_in_one_directory_take_no_more_memory(tmp_path: Path) -> None:
    content = save(tmp_path / "one.dcm", data_set()).read_bytes()
    peaks = {}
    for count in (1_000, 10_000):
        inputs = tmp_path / str(count)
        inputs.mkdir()
        for number in range(count):
            (inputs / f"{number:05d}.dcm").write_bytes(content)
        peaks[count], counts = _peak(inputs, tmp_path / f"out-{count}", "--threads", "2")
        assert counts["written"] == counts["found"] == count
    assert peaks[10_000] - peaks[1_000] < 15_000


@pytest.mark.parametrize("flags", [(), ("--verify",)])
def test_large_file_takes_no_more_memory(flags: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "small").mkdir()
    (tmp_path / "large").mkdir()
    save(tmp_path / "small" / "a.dcm", data_set())
    large = _large(tmp_path / "large" / "a.dcm", 4096)
    with open(large, "r+b") as file:  # a hole instead of pixels
        size = 200 << 20
        data = file.read()
        place = data.rindex(b"OB\0\0") + 4
        file.seek(place)
        file.write((size).to_bytes(4, "little"))
        file.truncate(place + 4 + size)
    small, _ = _peak(tmp_path / "small", tmp_path / "out-small", *flags)
    big, counts = _peak(tmp_path / "large", tmp_path / "out-large", *flags)
    assert counts["written"] == 1
    assert (tmp_path / "out-large" / "a.dcm").stat().st_size > size
    (tmp_path / "out-large" / "a.dcm").unlink()
    assert big - small < 15_000


def test_links_in_the_output_tree_are_not_written_through(trees: Trees, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    precious = elsewhere / "precious"
    precious.write_bytes(b"mine")
    trees.make("sub/a.dcm")
    trees.make("b.dcm")
    trees.outputs.mkdir()
    (trees.outputs / "sub").symlink_to(elsewhere, target_is_directory=True)
    (trees.outputs / "b.dcm").symlink_to(precious)
    for flags in ((), ("--overwrite",)):
        done = trees.run("--json", *flags)
        assert done.code == 1
        assert "link" in done.failures["sub/a.dcm"]
    assert sorted(os.listdir(elsewhere)) == ["precious"]
    assert precious.read_bytes() == b"mine"
    assert not (trees.outputs / "b.dcm").is_symlink()  # replaced by --overwrite, not written through


@pytest.mark.parametrize("flags", [(), ("--verify",), ("--dryRun",), ("--threads", "2")])
def test_zeros_after_a_file_take_no_memory(trees: Trees, flags: tuple[str, ...]) -> None:
    """As in a copy that was preallocated or filled by a crash; they are copied."""
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        trees.make(name)
    zeros = 40 << 20
    with (trees.inputs / "b.dcm").open("ab") as file:
        file.truncate(file.tell() + zeros)
    done = trees.run("--json", *flags, before=lambda: _limit_memory(1 << 30))
    assert done.code == 0
    if "--dryRun" not in flags:
        assert trees.written == ["a.dcm", "b.dcm", "c.dcm"]
        data = (trees.outputs / "b.dcm").read_bytes()
        assert data[:-zeros] == (trees.outputs / "a.dcm").read_bytes()
        assert not data[-zeros:].strip(b"\0")


def test_zeros_before_more_data_fail_the_file(trees: Trees) -> None:
    """What other readers find behind them is not what the scan would find."""
    trees.make("a.dcm")
    trees.make("b.dcm")
    path = trees.inputs / "b.dcm"
    path.write_bytes(path.read_bytes() + bytes(64) + b"\x10\x00\x10\x00PN\x04\x00Jane")
    done = trees.run("--json")
    assert done.code == 1
    assert "zeros" in done.failures["b.dcm"]
    assert trees.written == ["a.dcm"]


def _limit_memory(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def test_memory_that_one_file_wants_fails_that_file(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.dcm", "b.dcm", "c.dcm"):
        trees.make(name)
    jobs = [FileJob(str(trees.inputs / name), str(trees.outputs / name), name) for name in ("a.dcm", "b.dcm")]
    subject = Worker(Settings(RULES, output_root=str(trees.outputs)))

    def exhausted(file: object) -> list[object]:
        held = [bytearray(1 << 20)]
        raise MemoryError(held)

    trees.outputs.mkdir()
    with monkeypatch.context() as broken:
        broken.setattr(subject.tools.patcher, "scan", exhausted)
        lost = subject.process(jobs[0])
    assert (lost.status, lost.reason) == (Status.FAILED, "out of memory")
    assert subject.process(jobs[1]).status is Status.WRITTEN
