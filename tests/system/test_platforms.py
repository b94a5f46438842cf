"""Systems other than Linux: what only Linux has is taken away, and Windows is refused."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from installed import COMMAND, Done, Trees, arguments_of, contents, execute, make_large, run
from support import README_SPEC

LIKE_A_MAC = '''
"""Read by Python when it starts: takes away what macOS lacks, in this process and in those it starts."""

import ctypes
import errno
import importlib.abc
import importlib.machinery
import multiprocessing
import os
import pathlib
import sys
import types

for name in ("copy_file_range", "O_PATH", "sched_getaffinity", "sched_setaffinity"):
    if hasattr(os, name):
        delattr(os, name)


class Library(ctypes.CDLL):
    def __getattr__(self, name):
        if name == "renameat2":
            raise AttributeError(name)
        return super().__getattr__(name)


ctypes.CDLL = Library
real = pathlib.Path.read_text


def read_text(path, *arguments, **named):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(errno.ENOENT, "there is no /proc")
    return real(path, *arguments, **named)


pathlib.Path.read_text = read_text
multiprocessing.set_start_method("spawn")


class Elsewhere(importlib.abc.MetaPathFinder):
    """Gives the module that starts workers another sys: all of Python on another system would fail."""

    def find_spec(self, name, path, target=None):
        if name != "pfdicom_tagSub.run.executors.local":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        execute = spec.loader.exec_module

        def exec_module(module):
            execute(module)
            module.sys = types.SimpleNamespace(**{**vars(sys), "platform": "darwin"})

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Elsewhere())
pathlib.Path(os.environ["SEEN"]).joinpath(str(os.getpid())).touch()
'''

UNABLE = '''
"""Read by Python when it starts: the kernel has the calls of Linux, and says that it cannot do them."""

import ctypes
import errno
import os
import pathlib


def copy_file_range(*arguments):
    raise OSError(errno.ENOSYS, "Function not implemented")


class Function:
    def __call__(self, *arguments):
        ctypes.set_errno(errno.ENOSYS)
        return -1


class Kernel(ctypes.CDLL):
    def __getattr__(self, name):
        return Function() if name == "renameat2" else super().__getattr__(name)


os.copy_file_range = copy_file_range
ctypes.CDLL = Kernel
pathlib.Path(os.environ["SEEN"]).joinpath(str(os.getpid())).touch()
'''

SYSTEMS = {"macOS": LIKE_A_MAC, "an old kernel": UNABLE}


@pytest.fixture(params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment under which Python is on another system."""
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "seen").mkdir()
    (folder / "sitecustomize.py").write_text(SYSTEMS[request.param])
    return {**os.environ, "PYTHONPATH": str(folder), "SEEN": str(tmp_path / "seen"), "SYSTEM": request.param}


def fill(trees: Trees) -> None:
    for number in range(12):
        trees.make(f"s{number % 3}/{number}.dcm", PatientID=f"P{number}")
    make_large(trees.inputs / "large.dcm", 3 << 20)
    trees.add("note.txt", b"no DICOM")


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--threads", "2"),
        ("--threads", "2", "--verify", "--outputFileStem", "%_md5|7_PatientID-%InstanceNumber"),
        ("--verify", "--outputDirTemplate", "%_md5|7_PatientID"),
    ],
    ids=["in line", "workers", "workers, verified and named", "verified, in directories"],
)
def test_outputs_are_the_same_without_what_only_linux_has(
    trees: Trees, system: dict[str, str], flags: tuple[str, ...], tmp_path: Path
) -> None:
    fill(trees)
    usual = run(trees.inputs, tmp_path / "usual", "--json", *flags)
    other = trees.run("--json", *flags, env=system)
    assert (other.code, other.counts) == (usual.code, usual.counts)
    assert other.code == 0
    assert contents(trees.outputs) == contents(tmp_path / "usual")
    processes = len(list((tmp_path / "seen").iterdir()))
    assert processes >= (3 if "--threads" in flags and system["SYSTEM"] == "macOS" else 1)  # spawned


def test_ledger_log_and_overwrite_work_without_what_only_linux_has(
    trees: Trees, system: dict[str, str], tmp_path: Path
) -> None:
    fill(trees)
    flags = ["--json", "--ledger", str(tmp_path / "ledger"), "--log", str(tmp_path / "log"), "--threads", "2"]
    assert trees.run(*flags, env=system).counts == {"found": 14, "written": 13, "skipped": 1}
    assert trees.run(*flags, env=system).counts == {"found": 14, "current": 13, "skipped": 1}
    trees.make("s0/0.dcm", PatientID="another one")
    assert trees.run(*flags, env=system).counts == {"found": 14, "written": 1, "current": 12, "skipped": 1}
    lines = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert len(lines) == 3 * 14


def test_output_that_is_there_is_not_replaced_without_what_only_linux_has(
    trees: Trees, system: dict[str, str]
) -> None:
    trees.make("a.dcm")
    trees.outputs.mkdir()
    (trees.outputs / "a.dcm").write_bytes(b"of somebody else")
    done = trees.run("--json", env=system)
    assert done.code == 1
    assert list(done.failures) == ["a.dcm"]
    assert contents(trees.outputs) == {"a.dcm": b"of somebody else"}


# --- Windows

ON_WINDOWS = """
import errno, os, signal, sys
import importlib.metadata, argparse, ctypes, sqlite3, tempfile, subprocess, multiprocessing.context  # noqa
import pftree, pftree.__main__, pfmisc.debug  # noqa
for module, names in {
    os: "O_CLOEXEC O_NOFOLLOW O_DIRECTORY O_NONBLOCK O_NOCTTY O_PATH pread preadv pwrite writev environb "
    "copy_file_range fchmod uname geteuid getuid set_blocking sched_getaffinity mkfifo",
    signal: "SIGHUP SIGALRM SIGKILL setitimer ITIMER_REAL pthread_sigmask",
}.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
from pfdicom_tagSub.core import platforms
"""
"""As Windows; but the name of the system stays, as all of Python goes by it."""


def on_windows(code: str) -> Done:
    """Run some code where Python lacks what it lacks on Windows."""
    return execute([sys.executable, "-c", ON_WINDOWS + code])


def test_command_on_windows_ends_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    words = arguments_of(tmp_path / "in", tmp_path / "out", README_SPEC)
    code = (
        f"from pfdicom_tagSub.cli.command import main\nplatforms.WINDOWS = os.name\nsys.exit(main({words!r}))"
    )
    done = on_windows(code)
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert "pfdicom_tagSub: error: Windows is not supported" in line
    assert "WSL" in line
    assert done.out == ""
    assert not (tmp_path / "out").exists()


def test_command_on_windows_prints_a_record_that_says_so() -> None:
    code = (
        "from pfdicom_tagSub.cli.command import main\nplatforms.WINDOWS = os.name\nsys.exit(main(['--json']))"
    )
    done = on_windows(code)
    assert done.code == 2
    assert done.record["status"] == "error"
    assert "Windows is not supported" in done.record["error"]


def test_import_on_windows_says_so() -> None:
    done = on_windows("platforms.WINDOWS = os.name\nfrom pfdicom_tagSub import patch_file")
    assert done.code == 1
    assert "ImportError: Windows is not supported" in done.err.splitlines()[-1]


def test_command_starts_here() -> None:
    assert execute([COMMAND, "--version"]).code == 0
