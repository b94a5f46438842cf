"""``--crosswalk``: which original became which new value, for whoever may know it."""

from __future__ import annotations

import csv
import hashlib
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from installed import COMMAND, Trees, arguments_of, leftovers, patience, wait_for
from support import Result, run_command

from pfdicom_tagSub.files.temporary import temporary_name
from pfdicom_tagSub.report import crosswalk as crosswalks
from pfdicom_tagSub.report.crosswalk import Crosswalk
from pfdicom_tagSub.report.sorted_rows import SortedRows

PAIRS = "PatientName:anon++PatientID:%_md5|7_PatientID++AccessionNumber:++StudyInstanceUID:%_uid_#tag"
SPEC = ["--tagInfo", PAIRS]
HEAD = "attribute,original,new"


def hashed(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:7]


@pytest.fixture
def patients(trees: Trees) -> Trees:
    for number, patient in enumerate(("ONE", "ONE", "TWO")):
        trees.make(
            f"{patient}/{number}.dcm",
            PatientID=patient,
            AccessionNumber=f"A-{patient}",
            StudyInstanceUID=f"1.2.{len(patient)}",
            SOPInstanceUID=f"1.2.3.{number}",
        )
    return trees


def run(trees: Trees, path: Path, *flags: str, spec: list[str] = SPEC, code: int = 0) -> Result:
    done = run_command(trees.inputs, trees.outputs, *spec, "--json", "--crosswalk", str(path), *flags)
    assert done.code == code, done.err
    return done


def rows_of(path: Path) -> list[tuple[str, ...]]:
    """The rows of a crosswalk, in their order."""
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(path)) as connection:
            return connection.execute("SELECT attribute, original, new FROM crosswalk").fetchall()
    with path.open(newline="", encoding="utf-8", errors="surrogateescape") as file:
        head, *rows = csv.reader(file)
    assert ",".join(head) == HEAD
    return [tuple(row) for row in rows]


def of(rows: Iterable[tuple[str, ...]], attribute: str) -> list[tuple[str, ...]]:
    return [row[1:] for row in rows if row[0] == attribute]


@pytest.fixture(params=["csv", "sqlite"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"crosswalk.{request.param}"


# --- what is in it


@pytest.mark.parametrize("threads", ["0", "2"])
def test_it_has_a_row_for_each_pair(patients: Trees, path: Path, threads: str) -> None:
    run(patients, path, "--threads", threads)
    rows = rows_of(path)
    assert rows == sorted(set(rows))
    assert of(rows, "PatientID") == [("ONE", hashed("ONE")), ("TWO", hashed("TWO"))]
    assert of(rows, "AccessionNumber") == [("A-ONE", ""), ("A-TWO", "")]
    assert of(rows, "SOPInstanceUID") == [(f"1.2.3.{number}",) * 2 for number in range(3)]  # they stay
    ((original, new),) = of(rows, "StudyInstanceUID")
    assert original == "1.2.3"
    assert new.startswith("1.2.826.")
    names = ["ONE/0.dcm", "ONE/1.dcm", "TWO/2.dcm"]
    assert of(rows, "Path") == [(str(patients.inputs / name), str(patients.outputs / name)) for name in names]
    assert {name for name, *_ in rows} <= crosswalks._KNOWN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_it_is_the_same_for_any_workers_and_after_a_dry_run(patients: Trees, tmp_path: Path) -> None:
    written = []
    for number, flags in enumerate((["--dryRun"], ["--threads", "2"], [], ["--verify"])):
        path = tmp_path / f"{number}.csv"
        run(patients, path, *flags)
        written.append(path.read_bytes())
    assert len(set(written)) == 1


def test_dry_run_writes_nothing_else(patients: Trees, path: Path) -> None:
    run(patients, path, "--dryRun")
    assert len(of(rows_of(path), "Path")) == 3
    assert not patients.outputs.exists()


def test_names_given_to_outputs_are_in_it_though_no_record_shows_them(patients: Trees, path: Path) -> None:
    run(patients, path, "--outputFileStem", "%SOPInstanceUID-%PatientName")
    assert all("Doe" in new for _, new in of(rows_of(path), "Path"))


def test_removed_and_cut_values_are_told_as_they_are(trees: Trees, path: Path) -> None:
    trees.make("a.dcm", PatientID="ONE", AccessionNumber="A-1", StudyInstanceUID="1.2.3")
    spec = ["--tagStruct", '{"PatientID": null, "AccessionNumber": "%_nospc|_AccessionNumber%PatientName"}']
    run(trees, path, spec=spec)
    rows = rows_of(path)
    assert of(rows, "PatientID") == [("ONE", "")]
    assert of(rows, "AccessionNumber") == [("A-1", "A1Doe^Jane")]


def test_text_in_other_character_sets_and_odd_names_survive(trees: Trees, path: Path) -> None:
    trees.make("a.dcm", PatientID='Zoë, "山"', SpecificCharacterSet="ISO_IR 192")
    os.rename(trees.inputs / "a.dcm", os.fsencode(trees.inputs) + b"/\xff\n,.dcm")
    for _ in range(2):  # what was written can be read again
        run(trees, path, "--overwrite", spec=["--tagInfo", "PatientName:x"])
    rows = rows_of(path)
    assert of(rows, "PatientID") == [('Zoë, "山"',) * 2]
    ((original, _),) = of(rows, "Path")
    assert os.fsencode(original).endswith(b"/\xff\n,.dcm")


def test_files_that_failed_are_not_in_it(patients: Trees, path: Path) -> None:
    broken = patients.inputs / "ONE" / "0.dcm"
    broken.write_bytes(broken.read_bytes()[:-3])
    run(patients, path, code=1)
    assert len(of(rows_of(path), "Path")) == 2


# --- runs after each other


def test_what_earlier_runs_wrote_stays(patients: Trees, path: Path) -> None:
    run(patients, path)
    first = rows_of(path)
    for name in ("ONE", "TWO"):
        for file in (patients.inputs / name).iterdir():
            file.unlink()
    patients.make("THREE/3.dcm", PatientID="THREE")
    run(patients, path)
    rows = rows_of(path)
    assert set(first) < set(rows)
    assert rows == sorted(set(rows))
    assert ("PatientID", "THREE", hashed("THREE")) in rows


def test_originals_that_became_one_are_warned_of(patients: Trees, path: Path) -> None:
    done = run(patients, path, spec=["--tagInfo", "PatientID:same++AccessionNumber:"])
    assert "PatientID: 1 new value stands for more than one original" in done.err
    assert "AccessionNumber" not in done.err  # emptied on purpose
    assert done.record["warnings"]
    assert "ONE" not in done.err + done.out.replace("ONE/", "")


def test_no_warning_without_a_collision(patients: Trees, path: Path) -> None:
    assert "more than one" not in run(patients, path).err


def test_ledger_opens_all_where_there_is_none_yet(patients: Trees, path: Path, tmp_path: Path) -> None:
    ledger = ["--ledger", str(tmp_path / "ledger")]
    run_command(patients.inputs, patients.outputs, *SPEC, *ledger)
    assert run(patients, path, *ledger).record["counts"]["current"] == 0
    first = path.read_bytes()
    assert run(patients, path, *ledger).record["counts"]["current"] == 3
    path.unlink()
    assert run(patients, path, *ledger).record["counts"]["unchanged"] == 3
    assert rows_of(path)
    assert path.suffix == ".sqlite" or path.read_bytes() == first


def test_what_a_killed_run_did_is_not_done_before_the_crosswalk_has_it(
    patients: Trees, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = ["--ledger", str(tmp_path / "ledger")]
    run(patients, path, *ledger)
    patients.make("THREE/3.dcm", PatientID="THREE")
    with monkeypatch.context() as patch:
        patch.setattr(Crosswalk, "commit", lambda _: False)  # as if it was killed before
        run(patients, path, *ledger)
    assert not any("THREE" in row for row in rows_of(path))
    counts = run(patients, path, *ledger).record["counts"]
    assert (counts["current"], counts["unchanged"]) == (3, 1)
    assert ("PatientID", "THREE", hashed("THREE")) in rows_of(path)
    assert run(patients, path, *ledger).record["counts"]["current"] == 4


def test_two_runs_at_a_time_lose_nothing(path: Path) -> None:
    both = [Crosswalk(str(path)) for _ in range(2)]
    for number, one in enumerate(both):
        one.add((("PatientID", f"P{number}", "x"),))
    assert all(one.commit() for one in both)
    assert rows_of(path) == [("PatientID", "P0", "x"), ("PatientID", "P1", "x")]
    assert both[1].collisions() == {"PatientID": 1}


# --- what cannot be


@pytest.mark.parametrize("place", ["in", "out"])
def test_it_lies_outside_of_both_trees(patients: Trees, place: str) -> None:
    patients.outputs.mkdir()
    path = (patients.inputs if place == "in" else patients.outputs) / "crosswalk.csv"
    assert "outside of both trees" in run(patients, path, code=2).err
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    ["x\n", "original,replacement\na,b\n", f"{HEAD}\nPatientID,a\n", f"{HEAD}\nOther,a,b\n", f'{HEAD}\n"a'],
)
def test_another_file_is_refused_at_the_start(patients: Trees, tmp_path: Path, content: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(content)
    path.chmod(0o600)
    run(patients, path, code=2)
    assert path.read_text() == content
    assert not patients.outputs.exists()


def test_another_database_is_refused(patients: Trees, tmp_path: Path) -> None:
    path = tmp_path / "mine.sqlite"
    for content in (b"nothing", b"\0" * 4096):
        path.write_bytes(content)
        assert "crosswalk" in run(patients, path, code=2).err
        assert path.read_bytes() == content


def test_what_is_not_the_own_file_is_refused(patients: Trees, path: Path, tmp_path: Path) -> None:
    path.symlink_to(tmp_path / "elsewhere")
    assert "symbolic link" in run(patients, path, code=2).err
    path.unlink()
    run(patients, path)
    path.chmod(0o666)
    assert "chmod go-w" in run(patients, path, code=2).err


def test_names_of_other_kinds_are_refused(patients: Trees, tmp_path: Path) -> None:
    assert (
        ".csv or .sqlite"
        in run_command(patients.inputs, patients.outputs, *SPEC, "--crosswalk", str(tmp_path / "x.txt")).err
    )


def test_one_that_cannot_be_written_stays_as_it_was(
    patients: Trees, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(patients, path)
    before = path.read_bytes()
    patients.make("THREE/3.dcm", PatientID="THREE")

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Crosswalk, "_write_csv", fail)
        patch.setattr(Crosswalk, "_write_sqlite", fail)
        record = run(patients, path, "--ledger", str(tmp_path / "ledger"), code=1).record
    assert "No space left" in record["error"]
    assert path.read_bytes() == before
    assert leftovers(tmp_path) == []
    counts = run(patients, path, "--ledger", str(tmp_path / "ledger")).record["counts"]
    assert counts["current"] == 0


def test_interrupted_run_writes_what_it_did(trees: Trees, path: Path) -> None:
    for number in range(400):
        trees.make(f"{number:03}.dcm", PatientID=f"P{number}", SOPInstanceUID=f"1.2.{number}")
    words = [COMMAND, *arguments_of(trees.inputs, trees.outputs, None, *SPEC, "--crosswalk", str(path))]
    with subprocess.Popen(words, stderr=subprocess.PIPE) as process:
        wait_for(lambda: trees.outputs.exists() and len(list(trees.outputs.iterdir())) > 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(patience(60)) in {143, 0}
    outputs = {str(output) for output in trees.outputs.iterdir()}
    assert {new for _, new in of(rows_of(path), "Path")} == outputs


def test_what_a_killed_run_left_is_removed(patients: Trees, path: Path, tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    left = tmp_path / temporary_name(1).replace(f"-{os.getpid()}-", f"-{gone.pid}-")
    left.write_text("originals")
    run(patients, path)
    assert not left.exists()


# --- many rows


def test_rows_are_sorted_and_each_is_there_once() -> None:
    rows = SortedRows()
    rows.add([("b", "1", "x"), ("a", "2", "y"), ("b", "1", "x"), ("a", "\udcff", "")])
    rows._recent.clear()
    rows.add([("b", "1", "x")])
    assert list(rows.sorted()) == [("a", "2", "y"), ("a", "\udcff", ""), ("b", "1", "x")]
    assert next(iter(rows.sorted((3, 1, 2))))[2] == ""
    rows.close()


MANY = """
import resource, sys
from pfdicom_tagSub.report.crosswalk import Crosswalk
path, count = sys.argv[1], int(sys.argv[2])
crosswalk = Crosswalk(path)
uid = "1.2.826.0.1.3680043.8.498."
for number in range(count):
    own = "SOPInstanceUID", f"{uid}{number * 7919 % count:020}", f"{uid}{number:020}"
    crosswalk.add((own, ("PatientID", "P", "Q")))
assert crosswalk.commit()
assert crosswalk.collisions() == {}
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Four times the rows take the same memory; a list of them would take 40 MB more."""
    used = []
    for count in (30_000, 120_000):
        words = [sys.executable, "-c", MANY, str(tmp_path / f"{count}.csv"), str(count)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=patience(120))
        assert done.returncode == 0, done.stderr
        used.append(int(done.stdout) * 1024)
        assert (tmp_path / f"{count}.csv").read_bytes().count(b"\n") == count + 2
    assert used[1] - used[0] < 25_000_000
