"""The record and the summary of a run."""

from __future__ import annotations

import itertools
import json
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import builders
import jsonschema
import pytest
from support import ROOT, run_command

from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import Action, ElementCounts, FileOutcome, Finished, Stage, Stamp, Status
from pfdicom_tagSub.report.labels import element_label
from pfdicom_tagSub.report.record import RunReport, summary_line, to_json
from pfdicom_tagSub.report.totals import Totals

SCHEMA = json.loads((ROOT / "tests" / "helpers" / "record_schema.json").read_text("utf-8"))
DIGEST = "0" * 64
NAME, ID = 0x00100010, 0x00100020


def written(relative: str, *elements: tuple[int, Action, int]) -> FileOutcome:
    return FileOutcome(relative, Status.WRITTEN, elements=elements)


def failed(relative: str, elements: ElementCounts = ()) -> FileOutcome:
    return FileOutcome(relative, Status.FAILED, Stage.READ, "truncated", elements)


def skipped(relative: str) -> FileOutcome:
    return FileOutcome(relative, Status.SKIPPED, None, "not DICOM")


def finish(*outcomes: FileOutcome, exit_code: ExitCode = ExitCode.OK, **more: Any) -> RunReport:
    totals = Totals()
    for outcome in outcomes:
        totals.add(outcome)
    return totals.finish(exit_code, more.pop("run_time", 2.0), DIGEST, **more)


def record(*outcomes: FileOutcome, **more: Any) -> dict[str, Any]:
    """The JSON record, checked against the schema."""
    content = json.loads(to_json(finish(*outcomes, **more)))
    jsonschema.validate(content, SCHEMA, cls=jsonschema.Draft202012Validator)
    counts = dict(content["counts"])
    assert counts.pop("found") == sum(counts.values())
    return content


OUTCOMES = (
    written("s/a", (NAME, Action.SUBSTITUTED, 2), (ID, Action.CUT, 1)),
    FileOutcome("b", Status.UNCHANGED, elements=((NAME, Action.SUBSTITUTED, 1), (0, Action.REMOVED, 3))),
    failed("s-1/x"),
    failed("s/t/x"),
    failed("z"),
    skipped("s/notes"),
    skipped("a"),
)


def test_totals_count_every_status() -> None:
    content = record(*OUTCOMES, exit_code=ExitCode.FILES_FAILED)
    assert content["counts"] == {
        "found": 7,
        "written": 1,
        "unchanged": 1,
        "current": 0,
        "notSelected": 0,
        "held": 0,
        "skipped": 2,
        "failed": 3,
    }
    assert (content["status"], content["exitCode"]) == ("failed", 1)


def test_totals_tell_what_was_counted_so_far() -> None:
    totals = Totals()
    assert (totals.found, totals.failed) == (0, 0)
    for outcome in OUTCOMES:
        totals.add(outcome)
    assert (totals.found, totals.failed) == (7, 3)


def test_totals_sum_elements_by_keyword_and_action() -> None:
    elements = record(*OUTCOMES, exit_code=ExitCode.FILES_FAILED)["elements"]
    none = dict.fromkeys(map(str, Action), 0)
    assert elements == {
        "private": {**none, "removed": 3},
        "PatientName": {**none, "substituted": 3},
        "PatientID": {**none, "cut": 1},
    }
    assert list(elements) == ["private", "PatientName", "PatientID"]


def test_totals_tell_which_new_values_were_not_valid() -> None:
    totals = Totals()
    assert totals.invalid == (0, ())
    totals.add(written("a", (ID, Action.INVALID, 2), (NAME, Action.CUT, 1)))
    totals.add(written("b", (NAME, Action.INVALID, 1)))
    assert totals.invalid == (3, ("PatientName", "PatientID"))


def test_run_says_which_elements_are_empty_as_their_new_values_were_not_valid(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(builders.written(builders.data_set(Rows=2, Columns=3)))
    spec = '{"Rows": "%_regex|2|70000_#tag", "Columns": "%_regex|2|70000_#tag"}'
    done = run_command(tmp_path / "in", tmp_path / "out", "--json", "--tagStruct", spec)
    (warning,) = done.record["warnings"]
    assert "1 new value does not fit its VR, so the elements are empty: Rows" in warning


def test_totals_merge_the_tags_of_a_repeating_group() -> None:
    outcome = written("a", (0x60003000, Action.REMOVED, 1), (0x60023000, Action.REMOVED, 2))
    assert record(outcome)["elements"]["OverlayData"]["removed"] == 3


def test_totals_do_not_count_the_elements_of_a_failed_file() -> None:
    outcome = failed("a", ((NAME, Action.SUBSTITUTED, 1),))
    assert record(outcome, exit_code=ExitCode.FILES_FAILED)["elements"] == {}


def test_totals_make_the_same_record_in_any_order() -> None:
    records = {to_json(finish(*order)) for order in itertools.permutations(OUTCOMES)}
    assert len(records) == 1
    report = finish(*OUTCOMES)
    assert [outcome.relative for outcome in report.failures] == ["z", "s/t/x", "s-1/x"]
    assert [outcome.relative for outcome in report.skipped] == ["a", "s/notes"]


def test_totals_keep_nothing_of_files_that_went_well() -> None:
    totals = Totals()
    for number in range(1000):
        totals.add(written(f"f{number}", (NAME, Action.SUBSTITUTED, 1)))
    held = json.dumps({name: repr(value) for name, value in vars(totals).items()})
    assert len(held) < 1000


@pytest.mark.parametrize(
    ("tag", "label"),
    [
        (0, "private"),
        (NAME, "PatientName"),
        (0x00291010, "(0029,1010)"),
        (0x0009ABCD, "(0009,ABCD)"),
        (0x60043000, "OverlayData"),
    ],
)
def test_element_label_is_the_keyword_or_the_tag(tag: int, label: str) -> None:
    assert element_label(tag) == label


@pytest.mark.parametrize(
    ("exit_code", "status"),
    [
        (ExitCode.OK, "ok"),
        (ExitCode.FILES_FAILED, "failed"),
        (ExitCode.USAGE, "error"),
        (ExitCode.INTERRUPTED, "interrupted"),
        (ExitCode.TERMINATED, "terminated"),
    ],
)
def test_record_names_the_status_of_every_exit_code(exit_code: ExitCode, status: str) -> None:
    content = record(exit_code=exit_code, error="no spec" if exit_code is ExitCode.USAGE else "")
    assert (content["status"], content["exitCode"]) == (status, int(exit_code))
    assert content["counts"]["found"] == 0
    assert bool(content["error"]) == (status == "error")


def test_record_holds_the_versions() -> None:
    content = record()
    assert content["versions"] == {
        "pydicom": version("pydicom"),
        "Faker": version("Faker"),
        "python": sys.version.split()[0],
    }
    assert content["specDigest"] == DIGEST
    assert content["runTime"] == 2.0


def test_record_without_faker_holds_null(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr("importlib.metadata.version", absent)
    assert record()["versions"]["Faker"] is None


def test_record_is_ascii_whatever_a_file_is_called() -> None:
    text = to_json(finish(skipped("é\udcff\n\x1b[31m")))
    assert text.isascii()
    assert "\x1b" not in text
    assert json.loads(text)["skipped"][0]["path"] == "é\udcff\n\x1b[31m"


def test_summary_counts_files_and_tells_the_rate() -> None:
    assert summary_line(finish(*OUTCOMES)) == (
        "7 files: 1 written, 1 unchanged, 2 skipped, 3 failed in 2.0 s (4 files/s)"
    )
    assert summary_line(finish(written("a"))).startswith("1 file: 1 written, 0 unchanged")


def test_summary_of_no_files_tells_no_rate() -> None:
    assert summary_line(finish(run_time=0.0)) == (
        "0 files: 0 written, 0 unchanged, 0 skipped, 0 failed in 0.0 s"
    )


def test_summary_of_a_stopped_run_says_so() -> None:
    assert summary_line(finish(exit_code=ExitCode.TERMINATED)).startswith("terminated after 0 files")
    assert summary_line(finish(exit_code=ExitCode.INTERRUPTED)).startswith("interrupted after 0 files")


@pytest.mark.parametrize("status", Status)
def test_totals_keep_nothing_for_the_ledger(status: Status) -> None:
    """Of files that are named in the record no more is kept than it tells: there may be very many."""
    finished = Finished(Stamp(1, 2), "/out/a", Stamp(3, 4))
    elements = ((NAME, Action.SUBSTITUTED, 1),)
    totals = Totals()
    totals.add(
        FileOutcome("a", status, Stage.READ, "why", elements, review="r", residuals=("x",), finished=finished)
    )
    kept = [*totals._failures, *totals._skipped, *totals._reviews, *totals._residuals]
    assert kept
    assert all(outcome.finished is None and outcome.elements == () for outcome in kept)
