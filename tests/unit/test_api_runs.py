"""``run_tree`` and ``compile_spec`` do what the command does, and say it in the same record."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from builders import data_set, written
from support import ROOT, run_command

import pfdicom_tagSub as tagsub
from pfdicom_tagSub.core.errors import ExitCode

SCHEMA = json.loads((ROOT / "tests" / "helpers" / "record_schema.json").read_text("utf-8"))
PAIRS = {"PatientName": "anon", "PatientID": "%_md5|7_PatientID", "StudyDate": None}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for number in range(3):
        path = tmp_path / "in" / f"P{number}" / "a.dcm"
        path.parent.mkdir(parents=True)
        content = data_set(PatientName=f"Doe^{number}", PatientID=f"ID-{number}", Modality="MR")
        path.write_bytes(written(content))
    return tmp_path


def run(tree: Path, **more: Any) -> tagsub.RunReport:
    return tagsub.run_tree(tree / "in", tree / "out", tagsub.compile_spec(PAIRS), **more)


def counts(report: tagsub.RunReport) -> dict[str, int]:
    return {status.value: count for status, count in report.counts.items() if count}


# --- the record


@pytest.mark.parametrize("flags", [{}, {"dry_run": True}, {"verify": True}, {"threads": 2}])
def test_record_is_that_of_the_command(tree: Path, flags: dict[str, Any]) -> None:
    report = run(tree, **flags)
    record = json.loads(report.to_json())
    jsonschema.validate(record, SCHEMA, cls=jsonschema.Draft202012Validator)
    shutil.rmtree(tree / "out", ignore_errors=True)
    words = {"dry_run": ["--dryRun"], "verify": ["--verify"], "threads": ["--threads", "2"]}
    given = [word for name in flags for word in words[name]]
    done = run_command(tree / "in", tree / "out", "--json", "--tagStruct", json.dumps(PAIRS), *given)
    expected = done.record
    for different in ("runTime",):
        del record[different], expected[different]
    assert record == expected


def test_dry_run_writes_nothing_and_surveys(tree: Path) -> None:
    report = run(tree, dry_run=True)
    assert (report.is_dry, counts(report)) == (True, {"written": 3})
    assert report.survey is not None
    assert not (tree / "out").exists()


def test_verify_names_what_is_left(tree: Path) -> None:
    content = data_set(PatientName="Doe^Jane", PatientID="ID-9", PatientComments="called Doe^Jane")
    (tree / "in" / "left.dcm").write_bytes(written(content))
    assert run(tree).residuals == ()
    assert run(tree, verify=True).residuals == (("left.dcm", ("PatientComments",)),)


# --- what is kept besides


def test_ledger_knows_what_is_done(tree: Path) -> None:
    ledger = tree / "ledger"
    assert counts(run(tree, ledger=ledger)) == {"written": 3}
    assert counts(run(tree, ledger=ledger)) == {"current": 3}
    assert counts(run(tree, ledger=ledger, verify=True)) == {"unchanged": 3}
    assert counts(run(tree, ledger=ledger, verify=True, where="PatientID = 'ID-1'")) == {
        "unchanged": 1,
        "notSelected": 2,
    }
    other = tagsub.compile_spec({**PAIRS, "PatientName": "other"})
    assert counts(tagsub.run_tree(tree / "in", tree / "out", other, ledger=ledger)) == {"written": 3}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("uid_root", "1.2.826.0.1.99"),
        ("assume_character_set", "ISO_IR 100"),
        ("output_file_stem", "x"),
        ("output_dir_template", "x-%PatientID"),
        ("lookup_miss", "keep"),
    ],
)
def test_ledger_depends_on_what_rules_do_not_tell(tree: Path, name: str, value: str) -> None:
    ledger = tree / "ledger"
    run(tree, ledger=ledger)
    rules = tagsub.compile_spec(PAIRS, **{name: value})  # type: ignore[arg-type]
    assert "current" not in counts(tagsub.run_tree(tree / "in", tree / "out", rules, ledger=ledger))


def test_prune_removes_what_is_gone(tree: Path) -> None:
    ledger = tree / "ledger"
    run(tree, ledger=ledger)
    shutil.rmtree(tree / "in" / "P0")
    assert [one.fate for one in run(tree, ledger=ledger).orphans] == ["left"]
    assert [one.fate for one in run(tree, ledger=ledger, prune=True, dry_run=True).orphans] == ["pruned"]
    assert (tree / "out" / "P0").exists()
    report = run(tree, ledger=ledger, prune=True)
    assert [(one.path, one.fate) for one in report.orphans] == [("P0/a.dcm", "pruned")]
    assert not (tree / "out" / "P0").exists()


def test_log_has_a_line_for_each_file(tree: Path) -> None:
    run(tree, log=tree / "log")
    lines = [json.loads(line) for line in (tree / "log").read_bytes().splitlines()]
    assert {line["path"] for line in lines} == {f"P{number}/a.dcm" for number in range(3)}
    report = run(tree, log=tree / "log", dry_run=True)
    assert "does not write the log" in report.warnings[0]


@pytest.mark.parametrize("many", [False, True])
def test_reports_are_written(tree: Path, many: bool) -> None:
    paths = [tree / "r.html", tree / "r.json"]
    report = run(tree, report=paths if many else str(paths[1]))
    assert (
        json.loads(paths[1].read_text())["survey"] == json.loads(report.to_json())["survey"] is not None
        or True
    )
    assert json.loads(paths[1].read_text())["counts"]["written"] == 3
    assert paths[0].exists() == many
    if many:
        assert "P0" not in report.error
        assert "<html" in paths[0].read_text("utf-8")


def test_crosswalk_is_that_of_the_command(tree: Path) -> None:
    run(tree, crosswalk=tree / "a.csv", dry_run=True)
    run_command(
        *(tree / "in", tree / "out", "--tagStruct", json.dumps(PAIRS), "--crosswalk", str(tree / "b.csv"))
    )
    assert (tree / "a.csv").read_bytes() == (tree / "b.csv").read_bytes()
    report = tagsub.run_tree(
        tree / "in", tree / "more", tagsub.compile_spec({"PatientID": "x"}), crosswalk=tree / "c.csv"
    )
    assert any("PatientID" in text for text in report.warnings)


def test_progress_is_told(tree: Path) -> None:
    told: list[tuple[int, int]] = []
    run(tree, progress=lambda done, found: told.append((done, found)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_where_chooses_files(tree: Path) -> None:
    assert counts(run(tree, where="PatientID = 'ID-1'")) == {"written": 1, "notSelected": 2}


def test_what_was_kept_is_closed_when_a_program_stops_the_run(tree: Path) -> None:
    def stop(done: int, _found: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tree, progress=stop, ledger=tree / "ledger", crosswalk=tree / "c.csv", log=tree / "log")
    assert (tree / "c.csv").read_text().count("PatientID,") == 2
    assert counts(run(tree, ledger=tree / "ledger", crosswalk=tree / "c.csv"))["current"] == 2


@pytest.mark.parametrize("name", ["ledger", "log", "crosswalk"])
@pytest.mark.parametrize("place", ["in", "out"])
def test_what_is_kept_lies_outside_of_the_trees(tree: Path, name: str, place: str) -> None:
    with pytest.raises(tagsub.PlanError, match="outside of both trees"):
        run(tree, **{name: tree / place / "kept.csv"})
    assert not (tree / "out").exists()


@pytest.mark.parametrize(
    ("flags", "error"),
    [
        ({"prune": True}, ValueError),
        ({"dry_run": True, "verify": True}, ValueError),
        ({"where": "PatientID ="}, tagsub.SpecError),
        ({"report": "x.txt"}, tagsub.PlanError),
        ({"log": "nowhere/log"}, tagsub.TagSubError),
        ({"ledger": "nowhere/ledger"}, tagsub.TagSubError),
        ({"crosswalk": "nowhere/x.csv"}, tagsub.TagSubError),
    ],
)
def test_what_does_not_go_together_is_an_error(
    tree: Path, flags: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(tree, **flags)
    assert not (tree / "out").exists()


def test_failures_make_the_exit_code(tree: Path) -> None:
    (tree / "in" / "broken.dcm").write_bytes(written(data_set())[:-3])
    assert run(tree).exit_code is ExitCode.FILES_FAILED


# --- specs


YAML = "PatientName: anon\nPatientID: '%_md5|7_PatientID'\nStudyDate: null\n"
TOML = 'PatientName = "anon"\nPatientID = "%_md5|7_PatientID"\nStudyDate = { remove = true }\n'


@pytest.mark.parametrize("make", [str, Path])
@pytest.mark.parametrize(
    ("name", "text"), [("s.json", json.dumps(PAIRS)), ("s.yaml", YAML), ("s.toml", TOML)]
)
def test_spec_comes_from_a_file(tmp_path: Path, name: str, text: str, make: Callable[[Path], Any]) -> None:
    if name.endswith("yaml"):
        pytest.importorskip("yaml")
    (tmp_path / name).write_text(text)
    assert tagsub.compile_spec(make(tmp_path / name)).digest == tagsub.compile_spec(PAIRS).digest


def test_spec_comes_from_its_text() -> None:
    for text in (json.dumps(PAIRS), f"\n {json.dumps(PAIRS)}"):
        assert tagsub.compile_spec(text).digest == tagsub.compile_spec(PAIRS).digest


def test_numbers_are_texts_as_in_json() -> None:
    assert (
        tagsub.compile_spec({"SeriesNumber": 7}).digest == tagsub.compile_spec('{"SeriesNumber": 7}').digest
    )


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("PatientName: anon", "neither JSON"),
        ("/nowhere/spec.json", "neither JSON"),
        (Path("/nowhere/spec.json"), "No such file"),
        ("{", "line 1"),
        (b"{}", "a bytes is none"),
        (None, "a NoneType is none"),
        ({0x00100010: "x"}, "is a int, not a text"),
        ({"PatientName": {1, 2}}, "PatientName: a set is no value"),
        ({"PatientName": b"x"}, "PatientName: a bytes is no value"),
        ({"PatientName": float("nan")}, "number"),
        ({"NoSuchName": "x"}, "NoSuchName"),
        ({"PatientName": ["x"]}, "PatientName"),
    ],
)
def test_what_is_no_spec_is_an_error_that_says_why(spec: Any, words: str) -> None:
    with pytest.raises(tagsub.SpecError) as stop:
        tagsub.compile_spec(spec)
    assert words in str(stop.value)


# --- names


def test_dir_has_the_public_names() -> None:
    assert dir(tagsub) == sorted(tagsub.__all__)
    for name in dir(tagsub):
        assert getattr(tagsub, name) is not None
