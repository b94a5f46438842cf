"""What a run keeps beside its outputs: a page, and a crosswalk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import data_set, written

import pfdicom_tagSub as tagsub
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.files.temporary import temporary_name
from pfdicom_tagSub.report.sorted_rows import SortedRows


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(6):
        path = tmp_path / "in" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(written(data_set(PatientName="Doe^Jane", Modality="MR")))
    return tmp_path


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
