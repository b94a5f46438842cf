"""Fixtures of more than one test module, and what of the tests a run takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hypothesis
import pytest
from inherited import make_signals_usual, make_surroundings_usual
from installed import Trees
from selection import Selection, left_out

LEFT_OUT = pytest.StashKey[int]()

# A commit passes or fails whenever it is tested; new examples are looked for when asked for, by
# --hypothesis-profile=random. Loaded before the test modules make their settings.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.register_profile("random", derandomize=False)
hypothesis.settings.load_profile("same")


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """An input tree that is empty, and the place of an output tree."""
    (tmp_path / "in").mkdir()
    return Trees(tmp_path / "in", tmp_path / "out")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--all`` and ``--slow-system``."""
    parser.addoption(
        "--all",
        action="store_true",
        help="run all tests, also files, combinations and examples that are more of the same",
    )
    parser.addoption(
        "--slow-system",
        action="store_true",
        help="run every system test, the slow ones too, in one variant",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Decide how much is taken, before test modules are imported."""
    Selection.everything = config.getoption("--all")
    Selection.slow_system = config.getoption("--slow-system")
    config.stash[LEFT_OUT] = 0
    make_surroundings_usual()
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):
        make_signals_usual()  # a process that only starts workers leaves that to them


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a default run does not take; a test that is named by its id always runs."""
    if Selection.everything or any("::" in argument for argument in config.args):
        return
    left = left_out(items)
    if left:
        config.stash[LEFT_OUT] = len(left)
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the process that started this one how many were left out."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash[LEFT_OUT]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """Take a worker's number; all of them leave out the same."""
    left = getattr(node, "workeroutput", {}).get("left_out", 0)
    node.config.stash[LEFT_OUT] = max(node.config.stash[LEFT_OUT], left)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what a default run leaves out, and how to run it."""
    if Selection.everything or not config.stash[LEFT_OUT]:
        return
    terminalreporter.write_sep("-", "left out")
    terminalreporter.write_line(
        f"{config.stash[LEFT_OUT]} tests that take long or are more of the same (files of one structure, "
        "combinations of parameters, further moments of one interruption)\n"
        "and most examples of the others: python -m pytest --all runs them, and so does .ci/run. "
        "The soak (tests/soak) needs PFDICOM_TAGSUB_SOAK=1."
    )
