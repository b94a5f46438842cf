"""The process ends when all that waits for its end is done, and frees nothing piece by piece."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import data_set, written
from installed import patience

STARTED = """
import atexit, os, sys, threading, time
from pfdicom_tagSub.cli import start
from pfdicom_tagSub.core import garbage
class Freed:
    def __del__(self, write=os.write):  # modules are taken apart by then
        write(1, b"freed\\n")
freed = Freed()
def late():
    time.sleep(0.2)
    print("thread")
def before_end():
    print("registered")
pause = garbage.pause
def then():  # called when the end is prepared
    atexit.register(before_end)
    threading.Thread(target=late).start()
    pause()
garbage.pause = then
{before}
start.run()
"""


def run(*words: str, before: str = "") -> tuple[int, list[str], str]:
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", STARTED.format(before=before), *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=patience(60),
        env=unmeasured,
    )
    said = [line for line in done.stdout.splitlines() if not line.startswith("pfdicom_tagSub")]
    return done.returncode, said, done.stderr


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """What a run over two files is told."""
    (tmp_path / "in").mkdir()
    for name in ("a.dcm", "b.dcm"):
        (tmp_path / "in" / name).write_bytes(written(data_set(PatientID="1")))
    return ["--inputDir", str(tmp_path / "in"), "--outputDir", str(tmp_path / "out"), "-v", "0"]


@pytest.mark.parametrize("threads", ["0", "2"])
def test_what_waits_for_the_end_is_done_and_nothing_freed_after_a_run(words: list[str], threads: str) -> None:
    code, said, errors = run(*words, "--threads", threads, "--tagInfo", "PatientID:x")
    assert (code, said, errors) == (0, ["thread", "registered"], "")


def test_exit_codes_are_as_ever() -> None:
    code, said, _ = run("--version")
    assert (code, said) == (0, ["thread", "registered"])
    code, said, errors = run("--inputDirr", "x")
    assert (code, said) == (2, ["thread", "registered"])
    assert "--inputDir" in errors


SPARED = [
    "sys.setprofile(lambda *_: None)",
    "sys.settrace(lambda *_: None)",
    "import types; sys.modules['distributed'] = types.ModuleType('distributed')",
]
if sys.version_info >= (3, 12):
    SPARED.append("sys.monitoring.use_tool_id(sys.monitoring.COVERAGE_ID, 'test')")


@pytest.mark.parametrize("before", SPARED)
def test_process_that_is_watched_or_a_cluster_s_ends_as_any_other(before: str) -> None:
    code, said, _ = run("--version", before=before)
    assert (code, said) == (0, ["thread", "registered", "freed"])
