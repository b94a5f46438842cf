"""What goes wrong around a run: disks, permissions, clocks, names, links, and files that change under it.

The command runs as a process of its own. Where a fault cannot be had from the system, the process
is one that breaks single calls of the module ``os`` before it runs the command. Each test asks the
same: all other files are done, nothing is half-written, the exit code and the message say what
happened and what to do, and no value of a file is told. After the fault has gone, the same
command makes the tree what it should be.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from installed import PREFIX, Done, Trees, arguments_of, contents, data_set, execute, leftovers, save

SPEC: dict[str, str | None] = {"PatientName": "anon", "PatientID": "%_md5|7_PatientID", "StudyID": None}
PLANTED = ("Geheimrat", "Gustav", "GEH-4711", "STUDIE0815")
"""Values that must not be told anywhere."""

LARGE = 600_000
"""More than is read into memory at once, so that the rest is copied within the kernel."""

workers = pytest.mark.parametrize("threads", ["0", "2"])


# --- the field, and what all tests ask


@dataclass(frozen=True)
class Field:
    """A tree of small files and a large one, and what an undisturbed run makes of it."""

    trees: Trees
    root: Path
    expected: dict[str, bytes]

    @property
    def ledger(self) -> Path:
        """The ledger of its runs."""
        return self.root / "ledger.sqlite"

    @property
    def log(self) -> Path:
        """Their log."""
        return self.root / "log"

    def flags(self, *more: str) -> list[str]:
        """What keeps a ledger and a log, and prints the record."""
        return ["--ledger", str(self.ledger), "--log", str(self.log), "--json", *more]

    def run(self, *more: str, before: Callable[[], None] | None = None) -> Done:
        """Run the command."""
        return self.trees.run(*self.flags(*more), spec=SPEC, before=before)

    def broken(self, fault: str, *more: str, words: tuple[str, ...] = ()) -> Done:
        """Run the command in a process that breaks.

        Args:
            fault: Python that is run before; see ``PRELUDE``.
            more: further flags.
            words: what to start the process by.
        """
        prelude = PRELUDE.format(
            inputs=str(self.trees.inputs), outputs=str(self.trees.outputs), root=str(self.root)
        )
        arguments = arguments_of(self.trees.inputs, self.trees.outputs, SPEC, *self.flags(*more))
        return execute([*words, sys.executable, "-c", prelude + fault + RUN, *arguments])

    def check(self, done: Done, failed: dict[str, tuple[str, ...]], code: int | None = None) -> None:
        """All but some files are done, and these are told of.

        Args:
            done: the run.
            failed: what its messages have to hold, for each file that failed.
            code: the exit code, where it is not told by the files.
        """
        assert done.code == ((1 if failed else 0) if code is None else code), done.err
        assert done.failures.keys() == failed.keys(), done.failures
        for name, parts in failed.items():
            (line,) = [line for line in done.err.splitlines() if f"{name}: " in line]
            for part in parts:
                assert part in done.failures[name]
                assert part in line
        assert contents(self.trees.outputs) == {
            name: data for name, data in self.expected.items() if name not in failed
        }
        assert done.record["counts"]["found"] == len(self.expected)
        self.check_told(done)

    def check_told(self, done: Done) -> None:
        """Nothing that is told holds a value or a Python traceback."""
        told = [done.out, done.err, *(p.read_text("latin-1") for p in (self.log, self.ledger) if p.exists())]
        for text in told:
            assert "Traceback" not in text
            for value in PLANTED:
                assert value not in text

    def complete(self, *more: str) -> None:
        """The same command without a fault makes the tree what it should be, and then has nothing to do."""
        done = self.run(*more)
        assert (done.code, done.failures) == (0, {}), done.err
        assert contents(self.trees.outputs) == self.expected
        done = self.run(*more)
        assert done.counts == {"found": len(self.expected), "current": len(self.expected)}


PRELUDE = """
import errno, os, sys
INPUTS, OUTPUTS, ROOT, PREFIX = {inputs!r}, {outputs!r}, {root!r}, ".pfdicom_tagSub-"
now = [""]
hooks = dict(before=lambda path: None, after=lambda path: None)
_open = os.open

def _opened(path, *rest, **named):
    # Runs the hooks around the opening of an input, and knows which one is at hand.
    if not (isinstance(path, str) and path.startswith(INPUTS + "/")):
        return _open(path, *rest, **named)
    now[0] = path[len(INPUTS) + 1:]
    hooks["before"](now[0])
    descriptor = _open(path, *rest, **named)
    hooks["after"](now[0])
    return descriptor

os.open = _opened

def at(descriptor):
    return os.readlink(f"/proc/self/fd/{{descriptor}}")

def on_temporary(descriptor, *rest):
    return PREFIX in at(descriptor)

def on_input(descriptor, *rest):
    return at(descriptor).startswith(INPUTS)

def inject(function, number, condition=lambda *arguments: True, bad="s/bad.dcm"):
    # Has a function fail while one input is at hand.
    real = getattr(os, function)
    def injected(*arguments, **named):
        if now[0] == bad and condition(*arguments):
            if function == "close":
                real(*arguments)
            raise OSError(number, os.strerror(number))
        return real(*arguments, **named)
    setattr(os, function, injected)

"""
RUN = """
from pfdicom_tagSub.files import writing as output
# The call that replaces nothing is none of Python's; test_renaming.py has its faults.
output.rename_new = lambda folder, old, new: os.rename(old, new, src_dir_fd=folder, dst_dir_fd=folder)
sys.argv[0] = "pfdicom_tagSub"
from pfdicom_tagSub.cli.command import run
run()
"""


def _file(path: Path, number: int, size: int = 64) -> None:
    content = data_set(
        PatientName="Geheimrat^Gustav",
        PatientID=f"GEH-4711-{number}",
        StudyID="STUDIE0815",
        InstanceNumber=number,
    )
    content.Rows = content.Columns = content.SamplesPerPixel = 1
    content.BitsAllocated = 8
    content.PixelData = bytes([number % 255 + 1]) * size
    content["PixelData"].VR = "OB"
    save(path, content)


@pytest.fixture
def field(trees: Trees, tmp_path: Path) -> Field:
    for number, name in enumerate(("a.dcm", "s/a.dcm", "s/bad.dcm", "s/z.dcm", "t/u/c.dcm")):
        _file(trees.inputs / name, number)
    _file(trees.inputs / "s" / "large.dcm", 9, LARGE)
    return _ready(trees, tmp_path)


def _ready(trees: Trees, root: Path) -> Field:
    """The field of a tree that is there."""
    done = Trees(trees.inputs, root / "expected").run(spec=SPEC)
    assert done.code == 0, done.err
    return Field(trees, root, contents(root / "expected"))


def _make_bad_large(field: Field) -> Field:
    _file(field.trees.inputs / "s" / "bad.dcm", 2, LARGE)
    shutil.rmtree(field.root / "expected")
    return _ready(field.trees, field.root)


# --- disks


@contextmanager
def _disk(path: Path, size: str) -> Iterator[Callable[[str], None]]:
    """A small disk, and what changes its size."""
    path.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here (it takes root)")

    def resize(size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", str(path)], check=True)

    try:
        yield resize
    finally:
        subprocess.run(["umount", str(path)], check=True)


@workers
@pytest.mark.parametrize("more", [(), ("--verify",)], ids=["plain", "verify"])
def test_disk_that_fills_in_the_middle_of_a_run(
    more: tuple[str, ...], threads: str, trees: Trees, tmp_path: Path
) -> None:
    for number in range(120):
        _file(trees.inputs / f"{number % 3}" / f"{number:03}.dcm", number, 20_000)
    field = _ready(trees, tmp_path)
    with _disk(tmp_path / "disk", "1m") as resize:
        outputs = tmp_path / "disk" / "out"
        field = Field(Trees(trees.inputs, outputs), tmp_path, field.expected)
        done = field.run("--threads", threads, *more)
        assert 10 < len(done.failures) < 110
        _check_full(field, done)
        resize("8m")
        field.complete("--threads", threads, *more)


def _check_full(field: Field, done: Done) -> None:
    """As ``Field.check``, but of many files only the first are on the console."""
    assert done.code == 1
    for reason in done.failures.values():
        assert "(ENOSPC): make room" in reason
    first = next(iter(done.failures))
    assert "make room" in done.err
    assert first.rpartition("/")[2] in done.err or "more failed" in done.err
    assert contents(field.trees.outputs) == {
        name: data for name, data in field.expected.items() if name not in done.failures
    }
    field.check_told(done)


@workers
def test_ledger_on_a_disk_that_fills_loses_no_output(threads: str, trees: Trees, tmp_path: Path) -> None:
    for number in range(300):
        _file(trees.inputs / ("n" * 200) / f"{'m' * 200}{number:03}.dcm", number)
    field = _ready(trees, tmp_path)
    with _disk(tmp_path / "disk", "80k") as resize:
        field = Field(trees, tmp_path / "disk", field.expected)
        done = field.run("--threads", threads)
        assert done.code == 1
        assert done.failures == {}
        assert contents(trees.outputs) == field.expected
        assert done.counts == {"found": 300, "written": 300}
        for part in (f"--ledger {field.ledger}", "full", "done again", f"--log {field.log}"):
            assert part in done.record["error"] + done.err
        field.check_told(done)
        resize("8m")
        field.complete("--threads", threads)


# --- errors of the disk

READ = 'inject("pread", errno.EIO, on_input)'
COPY = 'inject("copy_file_range", errno.EIO); inject("pwrite", errno.EIO, on_temporary)'
FAULTS: dict[str, tuple[str, bool, str, str]] = {
    "read": (READ, False, "EIO", "read"),
    "read large": (READ, True, "EIO", "read"),
    "read while copying": (
        'inject("copy_file_range", errno.EIO)\n'
        'inject("pread", errno.EIO, lambda fd, size, place: on_input(fd) and size > 300_000)',
        True,
        "EIO",
        "write",
    ),
    "open": (
        """
def refuse(path):
    if path == "s/bad.dcm":
        raise OSError(errno.EIO, "x")
hooks["before"] = refuse
""",
        False,
        "EIO",
        "read",
    ),
    "write": ('inject("writev", errno.EIO)', False, "EIO", "write"),
    "write large": (COPY, True, "EIO", "write"),
    "sync": ('inject("fsync", errno.EIO, on_temporary)', False, "EIO", "write"),
    "close": ('inject("close", errno.EIO, on_temporary)', False, "EIO", "write"),
    "rename": ('inject("rename", errno.EIO)', False, "EIO", "write"),
    "quota": ('inject("writev", errno.EDQUOT)', False, "EDQUOT", "write"),
    "quota at the end": ('inject("close", errno.EDQUOT, on_temporary)', True, "EDQUOT", "write"),
    "read only": ('inject("rename", errno.EROFS)', False, "EROFS", "write"),
    "stale": (READ.replace("EIO", "ESTALE"), False, "ESTALE", "read"),
    "stop in the middle": (
        """
real = os.copy_file_range
def short(source, target, count, *places):
    if now[0] == "s/bad.dcm" and places[0] > 100_000:
        raise OSError(errno.ENOSPC, "x")
    return real(source, target, min(count, 60_000), *places)
os.copy_file_range = short
""",
        True,
        "ENOSPC",
        "write",
    ),
}
CURES = {
    "EIO": "the system's log",
    "EDQUOT": "quota",
    "EROFS": "can be written",
    "ENOSPC": "make room",
    "ESTALE": "run again",
}


@workers
@pytest.mark.parametrize("fault", FAULTS)
def test_error_of_the_disk_fails_its_file_alone(fault: str, threads: str, field: Field) -> None:
    code, is_large, name, stage = FAULTS[fault]
    if is_large:
        field = _make_bad_large(field)
    done = field.broken(code, "--threads", threads)
    field.check(done, {"s/bad.dcm": (f"({name}): ", CURES[name])})
    (failure,) = done.record["failures"]
    assert failure["stage"] == stage
    assert len(_rows(field)) == len(field.expected) - 1
    field.complete("--threads", threads)


def _rows(field: Field) -> list[tuple[bytes]]:
    with closing(sqlite3.connect(field.ledger)) as connection:
        return connection.execute("SELECT name FROM files").fetchall()


@workers
def test_output_that_cannot_be_read_again_is_not_left(threads: str, field: Field) -> None:
    fault = 'inject("pread", errno.EIO, on_temporary)'
    done = field.broken(fault, "--verify", "--threads", threads)
    field.check(done, {"s/bad.dcm": ("EIO", "the system's log")})
    assert done.record["failures"][0]["stage"] == "verify"
    field.complete("--verify", "--threads", threads)


@workers
@pytest.mark.parametrize("function", ["copy_file_range", "writev", "pread"])
def test_calls_that_do_less_than_asked_are_repeated(function: str, threads: str, field: Field) -> None:
    """The system may read and write less than it was asked to, and that is no fault."""
    fault = {
        "copy_file_range": "os.copy_file_range = lambda a, b, n, *rest: real(a, b, min(n, 999), *rest)",
        "writev": "os.writev = lambda fd, parts: os.write(fd, b''.join(parts)[:11])",
        "pread": "os.pread = lambda fd, count, place: real(fd, min(count, 50_001), place)",
    }
    done = field.broken(f"real = os.{function}\n{fault[function]}\n", "--verify", "--threads", threads)
    field.check(done, {})


@workers
def test_directory_that_cannot_be_synced_ends_the_ledger_alone(threads: str, field: Field) -> None:
    fault = """
import stat
real = os.fsync
def sync(descriptor):
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EIO, "Input/output error")
    real(descriptor)
os.fsync = sync
"""
    done = field.broken(fault, "--threads", threads)
    field.check(done, {}, code=1)
    assert "Input/output error" in done.record["error"]
    assert "done again" in done.record["error"]
    assert _rows(field) == []
    field.complete("--threads", threads)


# --- permissions


def _as_a_user() -> tuple[str, ...]:
    """What a command begins with that permissions hold for, also where the tests run as root."""
    if os.geteuid():
        return ()
    capabilities = "-dac_override,-dac_read_search"
    words = ("setpriv", "--bounding-set", capabilities, "--inh-caps", capabilities)
    if shutil.which("setpriv") is None or subprocess.run([*words, "true"], capture_output=True).returncode:
        pytest.skip("root cannot be held to permissions here (setpriv is missing)")
    return words


@pytest.fixture
def restored(field: Field) -> Iterator[Field]:
    """The field, whose permissions are given back."""

    def give() -> None:
        for root in (field.trees.inputs, field.trees.outputs):
            for folder, _, names in os.walk(root):
                os.chmod(folder, 0o755)
                for name in names:
                    os.chmod(os.path.join(folder, name), 0o644)

    yield field
    give()


PERMISSIONS = {
    "input": ("INPUTS + '/s/bad.dcm'", 0o000, {"s/bad.dcm"}, "read"),
    "input directory": ("INPUTS + '/s'", 0o000, {"s/bad.dcm", "s/z.dcm", "s/large.dcm"}, "read"),
    "output directory": ("OUTPUTS + '/s'", 0o555, {"s/bad.dcm", "s/z.dcm", "s/large.dcm"}, "write"),
}


@pytest.mark.parametrize("which", PERMISSIONS)
def test_permission_that_goes_in_the_middle_of_a_run(which: str, restored: Field) -> None:
    path, mode, names, stage = PERMISSIONS[which]
    # Taken before the file is opened, which the run takes after s/a.dcm.
    fault = f"""
import pathlib
real = os.stat
def stat(path, *rest, **named):
    if path == INPUTS + "/s/bad.dcm" and os.path.exists(OUTPUTS + "/s/a.dcm"):
        os.chmod({path}, {mode})
    return real(path, *rest, **named)
os.stat = stat
"""
    done = restored.broken(fault, words=_as_a_user())
    (restored.trees.inputs / "s").chmod(0o755)
    restored.check(done, dict.fromkeys(names, ("(EACCES): ", "have access")))
    assert {failure["stage"] for failure in done.record["failures"]} == {stage}
    for path in (restored.trees.inputs, restored.trees.outputs):
        (path / "s").chmod(0o755)
    (restored.trees.inputs / "s" / "bad.dcm").chmod(0o644)
    restored.complete()


def test_output_tree_that_becomes_read_only_fails_what_is_left(restored: Field) -> None:
    """Directories cannot be made any more, either."""
    fault = """
hooks["after"] = lambda path: path == "a.dcm" and os.chmod(OUTPUTS, 0o555)
"""
    done = restored.broken(fault, words=_as_a_user())
    assert done.code == 1
    assert done.failures.keys() == restored.expected.keys()
    assert contents(restored.trees.outputs) == {}
    assert any("Permission denied" in reason for reason in done.failures.values())
    restored.check_told(done)
    restored.trees.outputs.chmod(0o755)
    restored.complete()


# --- files that change

BAD = "INPUTS + '/s/bad.dcm'"
CHANGES: dict[str, tuple[str, str, bool, tuple[str, ...]]] = {
    "vanishes before it is opened": ("before", f"os.unlink({BAD})", False, ("ENOENT", "gone")),
    "shrinks before it is opened": ("after", f"os.truncate({BAD}, 300)", False, ("shorter", "run again")),
    "is emptied": ("after", f"os.truncate({BAD}, 0)", False, ("shorter", "run again")),
    "shrinks while it is copied": ("after", f"os.truncate({BAD}, 200_000)", True, ("shorter", "run again")),
    "becomes a link": (
        "before",
        f"os.rename({BAD}, ROOT + '/moved'); os.symlink(ROOT + '/moved', {BAD})",
        False,
        ("ELOOP", "took its place", "run again"),
    ),
    "becomes a pipe": ("before", f"os.unlink({BAD}); os.mkfifo({BAD})", False, ("ESPIPE", "took its place")),
    "becomes a directory": (
        "before",
        f"os.unlink({BAD}); os.mkdir({BAD})",
        False,
        ("EISDIR", "took its place"),
    ),
}


@workers
@pytest.mark.parametrize("change", CHANGES)
def test_input_that_is_not_what_it_was_fails_alone(change: str, threads: str, field: Field) -> None:
    hook, code, is_large, parts = CHANGES[change]
    if is_large:
        field = _make_bad_large(field)
    path = field.trees.inputs / "s" / "bad.dcm"
    before = path.read_bytes()
    fault = f"""
def change(path):
    if path == "s/bad.dcm":
        {code}
hooks["{hook}"] = change
"""
    done = field.broken(fault, "--threads", threads)
    field.check(done, {"s/bad.dcm": parts})
    if path.is_dir():
        path.rmdir()
    path.unlink(missing_ok=True)
    path.write_bytes(before)
    field.complete("--threads", threads)


@workers
@pytest.mark.parametrize("more", [(), ("--verify",)], ids=["plain", "verify"])
@pytest.mark.parametrize("is_large", [False, True], ids=["small", "large"])
def test_input_that_grows_or_vanishes_when_it_is_open_is_done_as_it_was(
    is_large: bool, more: tuple[str, ...], threads: str, field: Field
) -> None:
    """And what it became is done by the next run: the ledger does not take it for done."""
    if is_large:
        field = _make_bad_large(field)
    fault = """
def change(path):
    if path == "s/bad.dcm":
        with open(INPUTS + "/" + path, "ab") as file:
            file.write(b"\\xfc\\xff\\xfc\\xffOB\\0\\0\\x04\\0\\0\\0\\0\\0\\0\\0")
    if path == "s/z.dcm":
        os.unlink(INPUTS + "/" + path)
hooks["after"] = change
"""
    gone = (field.trees.inputs / "s" / "z.dcm").read_bytes()
    done = field.broken(fault, "--threads", threads, *more)
    field.check(done, {})
    assert {row[0] for row in _rows(field)} >= {b"a.dcm", b"large.dcm"}
    shutil.rmtree(field.root / "expected")
    (field.trees.inputs / "s" / "z.dcm").write_bytes(gone)
    now = _ready(field.trees, field.root)
    assert now.expected["s/bad.dcm"] == field.expected["s/bad.dcm"] + b"\xfc\xff\xfc\xffOB\0\0\x04" + bytes(7)
    now.complete("--threads", threads, *more)


@workers
def test_input_that_is_rewritten_under_the_verification_fails_alone(threads: str, field: Field) -> None:
    field = _make_bad_large(field)
    path = field.trees.inputs / "s" / "bad.dcm"
    before, state = path.read_bytes(), path.stat()
    fault = """
def close(descriptor, real=os.close):
    if now[0] == "s/bad.dcm" and on_temporary(descriptor) and os.path.getsize(at(descriptor)) > 1000:
        with open(INPUTS + "/s/bad.dcm", "r+b") as file:
            file.seek(-5000, 2)
            file.write(b"other")
    real(descriptor)
os.close = close
"""
    done = field.broken(fault, "--verify", "--threads", threads)
    field.check(done, {"s/bad.dcm": ("pixel data differs", "the input changed while it was read; run again")})
    path.write_bytes(before)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    field.complete("--verify", "--threads", threads)


@workers
def test_directory_that_vanishes_fails_its_files(threads: str, field: Field) -> None:
    fault = """
hooks["before"] = lambda path: path == "a.dcm" and os.rename(INPUTS + "/s", ROOT + "/moved")
"""
    done = field.broken(fault, "--threads", threads)
    names = {name for name in field.expected if name.startswith("s/")}
    if threads == "2":  # the other worker may have done some of them before
        names = set(done.failures)
        assert all(name.startswith("s/") for name in names)
    field.check(done, dict.fromkeys(names, ("ENOENT", "gone")))
    os.rename(field.root / "moved", field.trees.inputs / "s")
    field.complete("--threads", threads)


# --- clocks

DAY = 86_400
WHENS = {"long ago": 10**9, "1970": 0, "ahead": (2**32 + 5) * 10**9}


@pytest.mark.parametrize("which", ["inputs", "outputs", "ledger"])
@pytest.mark.parametrize("when", WHENS)
def test_times_that_jumped_are_no_reason_to_fail(when: str, which: str, field: Field) -> None:
    field.complete()
    place = {"inputs": field.trees.inputs, "outputs": field.trees.outputs, "ledger": field.root}[which]
    paths = [field.ledger] if which == "ledger" else [path for path in place.rglob("*") if path.is_file()]
    for path in paths:
        os.utime(path, ns=(WHENS[when], WHENS[when]))
    done = field.run()
    field.check(done, {})
    count = len(field.expected)
    assert done.counts == {"found": count, "current" if which == "ledger" else "unchanged": count}
    field.complete()


def test_input_that_is_replaced_by_an_older_one_is_done_again(field: Field) -> None:
    """As by a copy that keeps times, of the same size."""
    field.complete()
    path = field.trees.inputs / "s" / "bad.dcm"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"\x77")
    os.utime(path, ns=(10**18, 10**18))
    done = field.run()
    assert done.counts == {"found": len(field.expected), "current": len(field.expected) - 1, "written": 1}
    assert field.trees.read("s/bad.dcm").PixelData.endswith(b"\x77")


@workers
@pytest.mark.parametrize("jump", [-3 * DAY, 3 * DAY])
def test_clock_that_jumps_in_the_middle_of_a_run_harms_nothing(jump: int, threads: str, field: Field) -> None:
    fault = f"""
import time
real = time.time
def jumping():
    return real() + {jump}
hooks["before"] = lambda path: setattr(time, "time", jumping)
"""
    field.check(field.broken(fault, "--threads", threads), {})
    field.complete("--threads", threads)


def test_temporary_file_of_a_live_run_is_not_taken_for_abandoned(field: Field) -> None:
    (field.trees.outputs / "s").mkdir(parents=True)
    other = field.trees.outputs / "s" / f"{PREFIX}{os.uname().nodename}-{os.getpid()}-0.tmp"
    other.write_bytes(b"half")
    done = field.run()
    assert done.code == 0
    assert other.exists()  # its process, this one, is alive
    other.unlink()
    field.complete()


# --- names

NAMES = [
    "new\nline.dcm",
    "\udcff\udcfe\udc80.dcm",
    "n" * 255,
    "-rf.dcm",
    "--json",
    "=cmd|' -C calc'!A0.dcm",
    '"quoted",comma;semicolon.dcm',
    "<img src=x onerror=alert(1)>.dcm",
    "<script>alert(1)<!--.dcm",
    "&lt;{{7*7}}{% raw %}.dcm",
    "\x1b[2J\x1b]0;title\x07.dcm",
    "\u202egnp.dcm",
    "\r\u2028\u2029\x85.dcm",
    "'; DROP TABLE files; --.dcm",
    " .dcm",
    "%s%n%%.dcm",
    "back\\slash\\u0041.dcm",
    "\ud83d.dcm".encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape"),
    "*?[a]$(x)`y`.dcm",
]


@workers
def test_hostile_names_go_through_everything(threads: str, trees: Trees, tmp_path: Path) -> None:
    _file(tmp_path / "one.dcm", 1)
    whole = (tmp_path / "one.dcm").read_bytes()
    for name in NAMES:
        for folder in (".", name):
            place = trees.inputs / "whole" / folder
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{name[:-1]}x").write_bytes(whole)
        (trees.inputs / "cut").mkdir(exist_ok=True)
        (trees.inputs / "cut" / name).write_bytes(whole[:-7])
        (trees.inputs / "text").mkdir(exist_ok=True)
        (trees.inputs / "text" / name).write_bytes(b"no DICOM")
    field = Field(trees, tmp_path, {})
    page, report = tmp_path / "page.html", tmp_path / "report.json"
    flags = ["--verify", "--threads", threads, "--report", str(page), "--report", str(report)]
    count = len(NAMES)
    cut, text = ({f"{folder}/{name}" for name in NAMES} for folder in ("cut", "text"))
    for turn in ("written", "current"):
        field.log.unlink(missing_ok=True)
        done = field.run(*flags)
        assert done.code == 1
        assert done.counts == {"found": 4 * count, turn: 2 * count, "failed": count, "skipped": count}
        assert (done.failures.keys(), done.skipped.keys()) == (cut, text)
        assert contents(trees.outputs).keys() == {
            name for name in contents(trees.inputs) if name.startswith("whole/")
        }
        log = field.log.read_bytes()
        assert log.isascii()
        assert sorted(json.loads(line)["path"] for line in log.splitlines()) == sorted(contents(trees.inputs))
        assert done.out.isascii()
        assert json.loads(report.read_text("ascii"))["failures"] == done.record["failures"]
        _check_page(page.read_text("utf-8"))
        for line in done.err.split("\n"):
            assert line.isprintable(), line
        field.check_told(done)
        assert not any(value in page.read_text("utf-8") for value in PLANTED)


def _check_page(page: str) -> None:
    """No name is markup, nor anything that reorders or ends lines."""
    assert "&lt;img src=x" in page
    for markup in (
        "<img src=x",
        "<script>alert",
        "<!--.dcm",
        "\x1b",
        "\x07",
        "\x85",
        "\u202e",
        "\u2028",
        "49{",
    ):
        assert markup not in page
    assert "{{7*7}}" in page


# --- links


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """A directory that nobody gave to the command."""
    path = tmp_path / "elsewhere"
    path.mkdir()
    return path


MODES = [(), ("--verify", "--overwrite"), ("--verify", "--onResidual", "fail")]


@workers
@pytest.mark.parametrize("more", MODES, ids=" ".join)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "in the ledger"])
@pytest.mark.parametrize("is_changed", [False, True], ids=["same", "changed"])
def test_planted_link_to_a_file_is_not_written_through(
    is_changed: bool, is_known: bool, more: tuple[str, ...], threads: str, field: Field, elsewhere: Path
) -> None:
    """Even where what it points to has the size and time of the output that the ledger knows."""
    flags = (*more, "--threads", threads)
    output = field.trees.outputs / "s" / "bad.dcm"
    precious = elsewhere / "precious"
    if is_known:
        field.complete(*flags)
        output.rename(precious)
    else:
        output.parent.mkdir(parents=True)
        precious.write_bytes(field.expected["s/bad.dcm"])
    before, state = precious.read_bytes(), precious.stat()
    output.symlink_to(precious)
    if is_changed:
        _file(field.trees.inputs / "s" / "bad.dcm", 77)
        shutil.rmtree(field.root / "expected")
        field = _ready(field.trees, field.root)
    done = field.run(*flags)
    assert precious.read_bytes() == before
    assert (precious.stat().st_ino, precious.stat().st_mtime_ns) == (state.st_ino, state.st_mtime_ns)
    if "--overwrite" in more:
        assert not output.is_symlink()
        field.check(done, {})
        return
    assert (done.code, list(done.failures)) == (1, ["s/bad.dcm"])
    assert "--overwrite" in done.failures["s/bad.dcm"]
    assert output.is_symlink()
    field.check_told(done)
    output.unlink()
    field.complete(*flags)


@workers
@pytest.mark.parametrize("more", MODES, ids=" ".join)
@pytest.mark.parametrize("is_known", [False, True], ids=["new", "in the ledger"])
def test_planted_link_to_a_directory_is_not_written_through(
    is_known: bool, more: tuple[str, ...], threads: str, field: Field, elsewhere: Path
) -> None:
    flags = (*more, "--threads", threads)
    folder = field.trees.outputs / "s"
    if is_known:
        field.complete(*flags)
        elsewhere.rmdir()
        folder.rename(elsewhere)
    else:
        field.trees.outputs.mkdir()
    before = contents(elsewhere)
    folder.symlink_to(elsewhere, target_is_directory=True)
    for number, name in enumerate(("bad.dcm", "z.dcm")):
        _file(field.trees.inputs / "s" / name, 70 + number)
    shutil.rmtree(field.root / "expected")
    field = _ready(field.trees, field.root)
    done = field.run(*flags)
    assert done.code == 1
    assert done.failures.keys() == {name for name in field.expected if name.startswith("s/")}
    for name, reason in done.failures.items():
        assert reason == IS_LINK
        assert f"{name}: " in done.err
    assert contents(elsewhere) == before
    assert folder.is_symlink()
    for name in ("a.dcm", "t/u/c.dcm"):
        assert (field.trees.outputs / name).read_bytes() == field.expected[name]
    folder.unlink()
    field.complete(*flags)


IS_LINK = "the output directory s is a symbolic link or a file; remove it"
PLANT = """
def plant(path):
    if path == "s/bad.dcm" and not os.path.islink(OUTPUTS + "/s"):
        os.makedirs(OUTPUTS + "/s", exist_ok=True)  # another worker may not have come to it yet
        os.rename(OUTPUTS + "/s", ROOT + "/moved")
        os.symlink(ROOT + "/elsewhere", OUTPUTS + "/s")
"""


@workers
@pytest.mark.parametrize("more", MODES, ids=" ".join)
def test_link_planted_in_the_middle_of_a_run_is_not_written_through(
    more: tuple[str, ...], threads: str, field: Field, elsewhere: Path
) -> None:
    done = field.broken(PLANT + "hooks['before'] = plant", *more, "--threads", threads)
    assert contents(elsewhere) == {}
    assert done.failures["s/bad.dcm"] == IS_LINK
    # The other worker may be at a file while there is no directory of that name.
    assert all(reason == IS_LINK or "ENOENT" in reason for reason in done.failures.values())
    written = {f"s/{name}" for name in contents(field.root / "moved")}
    assert written | done.failures.keys() == {name for name in field.expected if name.startswith("s/")}
    (field.trees.outputs / "s").unlink()
    field.complete(*more, "--threads", threads)


@workers
@pytest.mark.parametrize("more", MODES, ids=" ".join)
def test_link_planted_while_a_file_is_written_is_not_written_through(
    more: tuple[str, ...], threads: str, field: Field, elsewhere: Path
) -> None:
    """It ends where its temporary file is, in the directory that has another name now."""
    fault = """
real = os.rename
def swapped(source, target, **folders):
    os.rename = real
    if source.startswith(PREFIX):
        plant(now[0])
    real(source, target, **folders)
    os.rename = swapped
os.rename = swapped
"""
    field.broken(PLANT + fault, *more, "--threads", threads)
    assert contents(elsewhere) == {}
    assert (field.root / "moved" / "bad.dcm").read_bytes() == field.expected["s/bad.dcm"]
    assert leftovers(field.root / "moved") == []
    (field.trees.outputs / "s").unlink()
    field.complete(*more, "--threads", threads)


@workers
def test_link_planted_in_the_middle_of_a_dry_run_is_told(threads: str, field: Field, elsewhere: Path) -> None:
    field.complete()
    (field.root / "ledger").unlink(missing_ok=True)
    before = contents(field.trees.outputs)
    done = field.broken(PLANT + "hooks['before'] = plant", "--dryRun", "--threads", threads)
    assert done.failures["s/bad.dcm"] == IS_LINK
    assert contents(elsewhere) == {}
    assert {f"s/{name}" for name in contents(field.root / "moved")} <= before.keys()


@pytest.mark.parametrize("more", MODES, ids=" ".join)
def test_output_with_another_name_elsewhere_is_replaced_and_not_written_into(
    more: tuple[str, ...], field: Field, elsewhere: Path
) -> None:
    """A hard link shares its bytes, so it has to be another file that gets the output's name."""
    field.complete(*more)
    output = field.trees.outputs / "s" / "bad.dcm"
    os.link(output, elsewhere / "precious")
    before = output.read_bytes()
    _file(field.trees.inputs / "s" / "bad.dcm", 77)
    shutil.rmtree(field.root / "expected")
    _ready(field.trees, field.root).complete(*more)
    assert (elsewhere / "precious").read_bytes() == before != output.read_bytes()


@workers
def test_link_in_the_place_of_a_temporary_file_is_not_written_through(
    threads: str, field: Field, elsewhere: Path
) -> None:
    precious = elsewhere / "precious"
    precious.write_bytes(b"mine")
    fault = f"""
def plant(path):
    for number in range(5):
        name = f"{{PREFIX}}{{os.uname().nodename}}-{{os.getpid()}}-{{number}}.tmp"
        for folder in ("", "/s", "/t/u"):
            if os.path.isdir(OUTPUTS + folder) and not os.path.lexists(f"{{OUTPUTS}}{{folder}}/{{name}}"):
                os.symlink({str(precious)!r}, f"{{OUTPUTS}}{{folder}}/{{name}}")
hooks["before"] = plant
"""
    done = field.broken(fault, "--threads", threads)
    assert done.code == 0, done.err
    assert precious.read_bytes() == b"mine"
    planted = leftovers(field.trees.outputs)
    assert planted
    for name in planted:
        (field.trees.outputs / name).unlink()
    assert contents(field.trees.outputs) == field.expected


# --- ledgers


@workers
@pytest.mark.parametrize("kind", ["text", "pages", "cut"])
def test_ledger_that_is_corrupt_is_refused_and_left_alone(kind: str, threads: str, field: Field) -> None:
    field.complete()
    content = field.ledger.read_bytes()
    bad = {"text": b"no ledger " * 999, "cut": content[: len(content) // 2]}.get(kind)
    if bad is None:
        bad = content[:4096] + bytes(range(256)) * ((len(content) - 4096) // 256)
    field.ledger.write_bytes(bad)
    before = contents(field.trees.outputs)
    _file(field.trees.inputs / "new.dcm", 5)
    done = field.run("--threads", threads)
    assert done.code == 2
    assert f"--ledger {field.ledger}" in done.err
    assert "give another file" in done.err or "move it away" in done.err
    assert field.ledger.read_bytes() == bad
    assert contents(field.trees.outputs) == before
    field.check_told(done)
    field.ledger.unlink()
    shutil.rmtree(field.root / "expected")
    _ready(field.trees, field.root).complete("--threads", threads)


@workers
def test_ledger_that_is_spoiled_in_the_middle_of_a_run_loses_no_output(threads: str, field: Field) -> None:
    fault = """
from pfdicom_tagSub.run import ledger
ledger.ROWS_AT_ONCE = 1
def spoil(path):
    if path == "s/bad.dcm":
        with open(ROOT + "/ledger.sqlite", "r+b") as file:
            size = file.seek(0, 2)
            file.seek(0)
            file.write(b"\\x5a" * size)
hooks["before"] = spoil
"""
    done = field.broken(fault, "--threads", threads)
    field.check(done, {}, code=done.code)
    if done.code:  # what SQLite holds in memory may last to the end
        assert "--ledger" in done.record["error"]
    again = field.run("--threads", threads)
    if again.code == 2:
        assert f"--ledger {field.ledger}" in again.err
        field.ledger.unlink()
    assert contents(field.trees.outputs) == field.expected
    field.complete("--threads", threads)


def test_journal_that_is_garbage_is_no_reason_to_believe_anything(field: Field) -> None:
    field.complete()
    journal = field.ledger.with_name(field.ledger.name + "-journal")
    journal.write_bytes(os.urandom(5000))
    done = field.run()
    field.check(done, {})
    field.complete()


def test_planted_values_are_in_the_inputs(field: Field) -> None:
    """What all tests look for would be found."""
    content = (field.trees.inputs / "s" / "bad.dcm").read_bytes()
    assert all(value.encode() in content for value in PLANTED)
