"""The tests themselves pass whatever they inherit: ignored signals, umask, locale, no HOME."""

from __future__ import annotations

import os
import signal
import sys

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


def test_tests_pass_whatever_they_inherit() -> None:
    set_for_us = ("HOME", "LC_", "LANG")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(set_for_us)}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST", "PYTEST_ADDOPTS"):
        environment.pop(name, None)
    environment["LC_ALL"] = "POSIX"
    words = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
    done = execute(
        [*words, OF_SIGNALS, OF_MODES, OF_TEXTS, OF_PROCESSES], env=environment, cwd=ROOT, before=_hostile
    )
    assert done.code == pytest.ExitCode.OK, done.out + done.err
