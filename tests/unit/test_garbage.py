"""The collector of garbage waits while the command is loaded, and works once files are processed."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from installed import BUNDLED

from pfdicom_tagSub.core import garbage

STARTED = """
import gc, sys
from pfdicom_tagSub.run.worker import Worker
real = Worker.process
seen = []
def process(self, job):
    seen.append((gc.isenabled(), gc.get_freeze_count() > 10_000))
    return real(self, job)
Worker.process = process
from pfdicom_tagSub.cli import start
try:
    start.run()
finally:
    print(set(seen), "command" in str(sys.modules.keys()))
"""


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()
    gc.unfreeze()


def test_paused_collector_waits_and_then_leaves_alone_what_is_there() -> None:
    garbage.pause()
    assert not gc.isenabled()
    garbage.resume()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_all_objects_are_looked_at_only_rarely_once_files_are_processed() -> None:
    young, middle, _ = gc.get_threshold()
    garbage.pause()
    garbage.resume()
    assert gc.get_threshold() == (young, middle, garbage.RARELY)


def test_collector_that_was_not_paused_is_left_alone() -> None:
    gc.disable()
    garbage.pause()
    garbage.resume()
    assert not gc.isenabled()
    gc.enable()
    garbage.resume()
    assert gc.get_freeze_count() == 0


def test_files_are_processed_with_the_collector_at_work(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-c", STARTED, str(BUNDLED), str(tmp_path / "out")),
            *("--threads", "0", "-v", "0", "--tagStruct", '{"PatientName": "X"}'),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "{(True, True)} True", done.stderr
