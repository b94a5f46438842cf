"""The tests themselves pass whatever they inherit: ignored signals, umask, locale, no HOME."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest
from inherited import SIGNALS
from installed import execute
from support import ROOT

OF_SIGNALS = "tests/system/test_interruption.py::test_signal_while_the_run_starts_leaves_nothing[1]"
OF_MODES = "tests/system/test_command.py::test_outputs_have_the_mode_that_the_umask_gives"
OF_TEXTS = "tests/system/test_command.py::test_version_is_the_packages"
OF_PROCESSES = "tests/system/test_surroundings.py::test_started_processes_have_the_usual_signals"


def _hostile() -> None:
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    os.umask(0o777)


def test_started_processes_have_the_usual_signals() -> None:
    numbers = [int(number) for number in SIGNALS]
    code = f"import signal; print([signal.getsignal(n) is signal.SIG_IGN for n in {numbers}])"
    done = execute([sys.executable, "-c", code])
    assert done.out.strip() == str([False] * len(SIGNALS))
    mask = execute([sys.executable, "-c", "import signal; print(signal.pthread_sigmask(0, ()))"])
    assert mask.out.strip() == "set()"


GROUP = """
import os
import pathlib
import time

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_nothing(number: int) -> None:
    time.sleep(0.05)
    with pathlib.Path("workers").open("a") as file:
        file.write(os.environ["PYTEST_XDIST_WORKER"] + chr(10))
"""


def test_group_of_tests_is_run_by_one_process(tmp_path: Path) -> None:
    """Else what takes long to set up is set up by each, and clusters and signals are in each other's way."""
    (tmp_path / "test_group.py").write_text(GROUP)
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]
    done = execute([*words, "--rootdir", ".", "test_group.py"], env=_clean_environment(), cwd=tmp_path)
    assert done.code == pytest.ExitCode.OK, done.out + done.err
    workers = (tmp_path / "workers").read_text().split()
    assert len(workers) == 8
    assert len(set(workers)) == 1


def _clean_environment() -> dict[str, str]:
    """What this process has inherited, without what pytest tells those that it starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}


def test_tests_pass_whatever_they_inherit() -> None:
    set_for_us = ("HOME", "LC_", "LANG")
    environment = {
        name: value for name, value in _clean_environment().items() if not name.startswith(set_for_us)
    }
    environment["LC_ALL"] = "POSIX"
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    done = execute(
        [*words, OF_SIGNALS, OF_MODES, OF_TEXTS, OF_PROCESSES], env=environment, cwd=ROOT, before=_hostile
    )
    assert done.code == pytest.ExitCode.OK, done.out + done.err
