"""What a run keeps beside its outputs: a page that is prepared while workers are busy, and a crosswalk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from builders import data_set, written

import pfdicom_tagSub as tagsub
from pfdicom_tagSub import kept_files
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.files.temporary import temporary_name
from pfdicom_tagSub.report.sorted_rows import SortedRows
from pfdicom_tagSub.run.worker import Worker

SLOW_MODULE = """
import pathlib, time
until = time.monotonic() + 10
while not pathlib.Path({died!r}).exists() and time.monotonic() < until:
    time.sleep(0.01)
time.sleep(0.5)
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(6):
        path = tmp_path / "in" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written(data_set(PatientName="Doe^Jane", Modality="MR")))
    return tmp_path


def reported(tree: Path) -> tagsub.RunReport:
    """The record of a run with two workers and a page."""
    rules = tagsub.compile_spec({"PatientName": "anon"})
    return tagsub.run_tree(tree / "in", tree / "out", rules, threads=2, report=tree / "page.html")


def assert_all_is_there(tree: Path, report: tagsub.RunReport) -> None:
    assert (report.exit_code, report.error) == (ExitCode.OK, "")
    assert len(os.listdir(tree / "out")) == 6
    page = (tree / "page.html").read_text("utf-8")
    assert "PatientName" in page
    assert "Doe" not in page


def test_page_is_written_where_no_thread_can_prepare_it(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[object] = []

    class NoThread(Thread):
        def start(self) -> None:
            tried.append(self)
            raise RuntimeError("can't start new thread")

    monkeypatch.setattr(kept_files, "Thread", NoThread)
    assert_all_is_there(tree, reported(tree))
    assert len(tried) == 1


def test_page_is_written_where_what_prepares_it_fails(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    tried: list[object] = []

    def find_template(name: str) -> object:
        tried.append(name)
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr("pfdicom_tagSub.report.html.template", lambda: find_template("report"))
        kept_files._load_template()
    assert tried == ["report"]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "pfdicom_tagSub.report.html", None)  # an import fails
        kept_files._load_template()
    assert_all_is_there(tree, reported(tree))
    assert "Traceback" not in capfd.readouterr().err


def test_worker_that_dies_while_a_page_is_prepared_is_replaced_by_one_that_can_import(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock of a module stays with the thread that imports it, which no forked process has."""
    died = tree / "died"
    (tree / "slow_page.py").write_text(SLOW_MODULE.format(died=str(died)))
    monkeypatch.syspath_prepend(tree)
    process = Worker._process

    def dying_once(worker: Worker, job: Any) -> Any:
        if not died.exists():
            died.touch()
            os._exit(1)
        import slow_page  # type: ignore[import-not-found]  # noqa: F401

        return process(worker, job)

    def prepare() -> None:
        import slow_page  # noqa: F401

    monkeypatch.setattr(Worker, "_process", dying_once)
    monkeypatch.setattr(kept_files, "_load_template", prepare)
    assert_all_is_there(tree, reported(tree))


def test_run_ends_in_order_where_there_is_no_room_to_look_for_collisions(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_order = SortedRows.sorted

    def sorted_or_not(rows: SortedRows, order: tuple[int, int, int] = (1, 2, 3)) -> Any:
        if order != (1, 2, 3):
            raise OSError(0, "its rows could not be sorted (OperationalError)")
        return in_order(rows, order)

    monkeypatch.setattr(SortedRows, "sorted", sorted_or_not)
    rules = tagsub.compile_spec({"PatientID": "7"})
    crosswalk = tree / "crosswalk.csv"
    report = tagsub.run_tree(tree / "in", tree / "out", rules, crosswalk=crosswalk)
    assert report.exit_code == ExitCode.FILES_FAILED
    assert "could not be sorted" in report.error
    assert len(os.listdir(tree / "out")) == 6
    assert crosswalk.read_text("utf-8").startswith("attribute,original,new\n")


def test_report_with_values_that_a_run_was_killed_over_goes_with_the_next_one(tree: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    remains = tree / temporary_name(1).replace(f"-{os.getpid()}-", f"-{process.pid}-")
    remains.write_text("Doe^Jane")
    rules = tagsub.compile_spec({"PatientName": "anon"})
    tagsub.run_tree(tree / "in", tree / "out", rules, report=tree / "page.html", show_values=True)
    assert (tree / "page.html").exists()
    assert not remains.exists()
