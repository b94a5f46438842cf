"""``run_tree`` and ``compile_spec`` do what the command does, and say it in the same record."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from builders import data_set, written
from pydicom import uid
from support import ROOT, run_command

import pfdicom_tagSub as tagsub
from pfdicom_tagSub.cli.option_table import OPTIONS
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


def test_file_is_done_again_whose_output_goes_while_it_is_looked_for(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = tree / "ledger"
    run(tree, ledger=ledger)
    lstat = os.lstat

    def lstat_and_remove(path: Any, **more: Any) -> os.stat_result:
        found = lstat(path, **more)
        if str(path).endswith("/out/P1/a.dcm") and found.st_size:
            shutil.rmtree(tree / "out" / "P1")
        return found

    with monkeypatch.context() as patch:
        patch.setattr("pfdicom_tagSub.run.already_done.os.lstat", lstat_and_remove)
        report = run(tree, ledger=ledger)
    assert counts(report) == {"current": 2, "written": 1}


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


def test_prune_is_in_the_log(tree: Path) -> None:
    run(tree, ledger=tree / "ledger")
    shutil.rmtree(tree / "in" / "P0")
    run(tree, ledger=tree / "ledger", prune=True, log=tree / "log")
    lines = [json.loads(line) for line in (tree / "log").read_bytes().splitlines()]
    assert [line["path"] for line in lines if line["outcome"] == "pruned"] == ["P0/a.dcm"]


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


# --- what the command has besides


ELSEWHERE = {
    **dict.fromkeys(("tagStruct", "tagFile", "tagInfo"), "compile_spec(spec)"),
    "lookupTable": "compile_spec(lookup_tables)",
    "keyFile": "compile_spec(key), which takes the secret itself",
}
"""Options whose arguments have other names."""

LEFT_OUT = {
    **dict.fromkeys(("splitToken", "splitKeyValue"), "they are for a spec in one word of a shell"),
    "printSpec": "compile_spec gives the rules, with their warnings",
    **dict.fromkeys(("importRules", "importMasks"), "they print a spec, to be read by a person first"),
    **dict.fromkeys(
        ("maxDepth", "inputFile", "fileFilter", "fileFilterLogic", "dirFilter", "dirFilterLogic"),
        "a program lists its files itself, for files_from",
    ),
    **dict.fromkeys(("outputLeafDir", "relativeDir"), "of pftree; output_dir_template names directories"),
    "threadsSplit": "pftree's; it changes nothing",
    **dict.fromkeys(
        ("verbosity", "quiet", "syslog", "json", "printElapsedTime", "man", "synopsis", "version", "help"),
        "what a terminal shows; the record and progress tell a program",
    ),
}
"""Options without an argument, and why."""


def test_each_option_is_an_argument_or_left_out_for_a_reason() -> None:
    taken = {*signature(tagsub.run_tree).parameters, *signature(tagsub.compile_spec).parameters}
    named = {re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), one.name): one.name for one in OPTIONS}
    missing = {name for argument, name in named.items() if argument not in taken}
    assert missing == {*ELSEWHERE, *LEFT_OUT}
    assert not {*ELSEWHERE} & {*LEFT_OUT}
    own = taken - set(named) - {"spec", "rules", "key", "lookup_tables", "progress"}
    assert own == set()


REVIEWED = {"PatientName": "anon", "PatientIdentityRemoved": "YES"}


@pytest.fixture
def study(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for name, annotation in (("plain", "NO"), ("burnt", "YES")):
        made = data_set(
            SOPClassUID=uid.MRImageStorage,
            Modality="MR",
            ImageType=["ORIGINAL", "PRIMARY"],
            PatientID=name,
            BurnedInAnnotation=annotation,
        )
        (tmp_path / "in" / name).write_bytes(written(made))
    return tmp_path


def test_files_for_review_are_held_or_fail(study: Path) -> None:
    rules = tagsub.compile_spec(REVIEWED)
    report = tagsub.run_tree(
        study / "in", study / "out", rules, pixel_review="hold", hold_dir=study / "hold", dry_run=True
    )
    assert counts(report) == {"written": 1, "held": 1}
    assert not (study / "hold").exists()
    ledger = study / "ledger"
    for expected in ({"written": 1, "held": 1}, {"current": 2}):
        report = tagsub.run_tree(
            study / "in",
            study / "out",
            rules,
            pixel_review="hold",
            hold_dir=study / "hold",
            ledger=ledger,
            review_sheet=study / "sheet.html",
        )
        assert counts(report) == expected
    assert [path.name for path in (study / "out").iterdir()] == ["plain"]
    assert [path.name for path in (study / "hold").iterdir()] == ["burnt"]
    assert (study / "sheet.html").stat().st_mode & 0o777 == 0o600
    report = tagsub.run_tree(study / "in", study / "again", rules, pixel_review="fail")
    assert counts(report) == {"written": 1, "failed": 1}
    with pytest.raises(tagsub.PlanError, match="hold_dir"):
        tagsub.run_tree(
            study / "in", study / "out", rules, pixel_review="hold", hold_dir=study / "out" / "hold"
        )


def test_files_are_taken_from_a_list(tree: Path) -> None:
    listed = tree / "list"
    listed.write_text("P0/a.dcm\nP2/a.dcm\n")
    assert counts(run(tree, files_from=listed)) == {"written": 2}
    listed.write_text("P1/a.dcm\0")
    assert counts(run(tree, files_from=listed, null=True)) == {"written": 1}


@pytest.mark.parametrize("dry_run", [False, True])
def test_what_lookup_tables_lack_is_listed(tree: Path, dry_run: bool) -> None:
    rules = tagsub.compile_spec({"PatientID": "%_lookup|ids_PatientID"}, lookup_tables={"ids": {"ID-1": "x"}})
    place = tree / "missing.csv"
    report = tagsub.run_tree(tree / "in", tree / "out", rules, lookup_missing=place, dry_run=dry_run)
    assert counts(report) == {"written": 1, "failed": 2}
    assert place.read_text() == "table,original,replacement\nids,ID-0,\nids,ID-2,\n"
    assert place.stat().st_mode & 0o777 == 0o600
    assert not rules.resources.notes_misses


def test_links_are_followed_where_that_is_asked_for(tree: Path) -> None:
    (tree / "in" / "link").symlink_to(tree / "in" / "P0" / "a.dcm")
    assert counts(run(tree)) == {"written": 3, "skipped": 1}
    assert counts(run(tree, follow_links=True, overwrite=True))["written"] == 1


def test_values_are_shown_where_that_is_asked_for(tree: Path) -> None:
    page = tree / "report.html"
    run(tree, report=page, show_values=True)
    assert "Doe^" in page.read_text()
    run(tree, report=page, overwrite=True)
    assert "Doe^" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"on_residual": "fail"}, "needs verify"),
        ({"null": True}, "files_from"),
        ({"pixel_review": "hold"}, "hold_dir"),
        ({"hold_dir": "x"}, "hold_dir"),
        ({"pixel_review": "fail"}, "no file is for review"),
        ({"dask_send_key": True}, "workers of dask"),
        ({"dask": "tcp://127.0.0.1:1", "threads": 1}, "exclude each other"),
    ],
)
def test_arguments_that_do_not_go_together_are_an_error(
    tree: Path, arguments: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        run(tree, **arguments)
    assert not (tree / "out").exists()


def test_key_is_sent_to_a_cluster_only_where_that_is_asked_for(tree: Path) -> None:
    rules = tagsub.compile_spec({"PatientID": "%_hmac|8_PatientID"}, key=b"0" * 32)
    with pytest.raises(ValueError, match="dask_send_key"):
        tagsub.run_tree(tree / "in", tree / "out", rules, dask="tcp://127.0.0.1:1")
