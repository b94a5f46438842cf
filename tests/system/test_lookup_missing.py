"""What a lookup table lacks: told with its element and depth, and listed for whoever may know it."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest
from installed import Trees
from pydicom.dataset import Dataset
from support import Result, run_command

TABLE = "original,replacement\nONE,P1\n"
SPEC = {"PatientID": "%_lookup|ids_#tag"}


def other_id(text: str) -> Dataset:
    item = Dataset()
    item.PatientID = text
    return item


@pytest.fixture
def patients(trees: Trees, tmp_path: Path) -> Trees:
    trees.make("a.dcm", PatientID="ONE")
    trees.make("b.dcm", PatientID="TWO", OtherPatientIDsSequence=[other_id("TWO-B"), other_id("ONE")])
    trees.make("c.dcm", PatientID="ONE", OtherPatientIDsSequence=[other_id("THREE ")])
    trees.make("d.dcm", PatientID="TWO")
    (tmp_path / "ids.csv").write_text(TABLE)
    return trees


def run(trees: Trees, *flags: str, spec: dict[str, str] | None = None) -> Result:
    place = trees.inputs.parent
    return run_command(
        *(trees.inputs, trees.outputs, "--json", "--tagStruct", json.dumps(spec or SPEC)),
        *("--lookupTable", f"ids={place / 'ids.csv'}", "--lookupMissing", str(place / "missing.csv"), *flags),
    )


def listed(trees: Trees) -> list[tuple[str, ...]]:
    path = trees.inputs.parent / "missing.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(newline="", encoding="utf-8") as file:
        head, *rows = csv.reader(file)
    assert head == ["table", "original", "replacement"]
    return [tuple(row) for row in rows]


MISSING = [("ids", "THREE", ""), ("ids", "TWO", ""), ("ids", "TWO-B", "")]


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("miss", ["fail", "empty", "keep"])
@pytest.mark.parametrize("dry", [[], ["--dryRun"]])
def test_all_that_is_missing_is_listed(patients: Trees, miss: str, threads: str, dry: list[str]) -> None:
    done = run(patients, "--lookupMiss", miss, "--threads", threads, *dry)
    assert done.code == (1 if miss == "fail" else 0), done.err
    assert listed(patients) == MISSING
    assert done.record["counts"]["failed"] == (3 if miss == "fail" else 0)


def test_a_miss_names_element_and_depth_and_no_value(patients: Trees) -> None:
    done = run(patients)
    reasons = {one["path"]: one["reason"] for one in done.record["failures"]}
    assert reasons["d.dcm"].startswith("the lookup table ids lacks a value for PatientID at the top level")
    assert reasons["c.dcm"].startswith("the lookup table ids lacks a value for PatientID at depth 1")
    assert "1 more elements lack one" in reasons["b.dcm"]
    assert not any(word in done.out + done.err for word in ("TWO", "THREE"))


def test_a_value_of_another_element_is_named(patients: Trees) -> None:
    done = run(patients, spec={"PatientName": "%_lookup|ids_PatientID", "StudyDate": "%_shift|ids_#tag"})
    assert done.code == 2  # P1 is no number of days
    (patients.inputs.parent / "ids.csv").write_text("original,replacement\nONE,1\n")
    done = run(patients, spec={"PatientName": "%_lookup|ids_PatientID", "StudyDate": "%_shift|ids_#tag"})
    reasons = {one["path"]: one["reason"] for one in done.record["failures"]}
    assert "for PatientName at the top level, which it needs for the value of PatientID" in reasons["d.dcm"]
    assert listed(patients) == [("ids", "TWO", "")]


def test_all_values_of_an_element_are_listed(trees: Trees, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text(TABLE)
    trees.make("a.dcm", OtherPatientIDs=["X", "ONE", "Y"])
    run(trees, spec={"OtherPatientIDs": "%_lookup|ids_#tag"})
    assert listed(trees) == [("ids", "X", ""), ("ids", "Y", "")]


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("miss", ["fail", "keep"])
def test_what_names_and_elements_miss_is_listed(
    trees: Trees, tmp_path: Path, miss: str, threads: str
) -> None:
    (tmp_path / "ids.csv").write_text(TABLE)
    for number in range(4):
        trees.make(f"{number}.dcm", PatientID=f"P{number}", AccessionNumber=f"A{number}")
    flags = ["--outputFileStem", "%_lookup|ids_AccessionNumber", "--lookupMiss", miss, "--threads", threads]
    done = run(trees, *flags)
    wanted = [("ids", f"{letter}{number}", "") for letter in "AP" for number in range(4)]
    assert listed(trees) == wanted
    if miss == "fail":
        assert "after which its output would be named" in done.record["failures"][0]["reason"]
        assert done.record["failures"][0]["stage"] == "name"


def test_the_list_is_a_table_when_it_is_filled_in(patients: Trees) -> None:
    place = patients.inputs.parent
    (place / "ids.csv").write_text("original,replacement\n")
    run(patients)
    filled = (place / "missing.csv").read_text().replace(",\n", ",NEW\n")
    (place / "ids.csv").write_text(filled)
    assert run(patients).code == 0
    assert listed(patients) == []


def test_without_it_nothing_is_kept(patients: Trees) -> None:
    place = patients.inputs.parent
    done = run_command(
        *(patients.inputs, patients.outputs, "--json", "--tagStruct", json.dumps(SPEC)),
        *("--lookupTable", f"ids={place / 'ids.csv'}"),
    )
    assert done.record["counts"]["failed"] == 3
    assert not (place / "missing.csv").exists()


def test_files_that_fail_do_not_spoil_those_that_follow(patients: Trees) -> None:
    """Nothing is remembered of a pass that missed a value."""
    for name in "efgh":
        patients.make(f"{name}.dcm", PatientID="TWO" if name in "eg" else "ONE")
    done = run(patients)
    assert {one["path"] for one in done.record["failures"]} == {f"{name}.dcm" for name in "bcdeg"}
    assert sorted(path.name for path in patients.outputs.iterdir()) == ["a.dcm", "f.dcm", "h.dcm"]


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (["--lookupMissing", "out/x.csv"], "--lookupTable"),
        (["--lookupTable", "ids=ids.csv", "--lookupMissing", "out/x.csv"], "outside of both trees"),
        (["--lookupTable", "ids=ids.csv", "--lookupMissing", "nowhere/x.csv"], "No such file"),
    ],
)
def test_it_is_refused_where_it_cannot_be(
    patients: Trees, flags: list[str], problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(patients.inputs.parent)
    done = run_command(patients.inputs, patients.outputs, "--tagStruct", json.dumps(SPEC), *flags)
    assert done.code == 2
    assert problem in done.err
