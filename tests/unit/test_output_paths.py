"""What the record and the log say of where outputs are, and what they keep to themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import data_set, written
from support import run_command

NAMES = ["--outputDirTemplate", "%_md5|8_PatientID", "--outputFileStem", "%InstanceNumber"]
SPEC = ["--tagInfo", "PatientName:anon++PatientID:%_md5|7_PatientID"]


def hashed(patient: str) -> str:
    import hashlib

    return hashlib.md5(patient.encode(), usedforsecurity=False).hexdigest()[:8]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A file whose name stays in a comment, one that is cut off, one that is none, one with burnt-in text."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    whole = written(
        data_set(
            PatientName="Doe^Jane", PatientID="ID-1", InstanceNumber="1", PatientComments="called Doe^Jane"
        )
    )
    (inputs / "left.dcm").write_bytes(whole)
    pixels = written(data_set(PatientID="ID-2", InstanceNumber="2", BurnedInAnnotation="YES"))
    (inputs / "burnt.dcm").write_bytes(pixels)
    (inputs / "cut.dcm").write_bytes(whole[:-3])
    (inputs / "text").write_bytes(b"nothing")
    return inputs


def run(tree: Path, *flags: str, spec: list[str] = SPEC) -> tuple[dict[str, Any], dict[str, Any]]:
    """The record, and the lines of the log by path."""
    log = tree.parent / "log"
    log.unlink(missing_ok=True)
    done = run_command(tree, tree.parent / "out", *spec, "--json", "--log", str(log), *flags)
    lines = map(json.loads, log.read_bytes().splitlines())
    return done.record, {line["path"]: line for line in lines}


@pytest.mark.parametrize("threads", ["0", "2"])
def test_record_and_log_name_outputs(tree: Path, threads: str) -> None:
    flags = ["--verify", "--threads", threads, *NAMES]
    record, lines = run(tree, *flags, spec=[*SPEC[:1], SPEC[1] + "++PatientIdentityRemoved:YES"])
    left, burnt = (f"{hashed(f'ID-{number}')}/{number}.dcm" for number in (1, 2))
    assert [(one["path"], one["output"]) for one in record["residuals"]] == [("left.dcm", left)]
    assert ("burnt.dcm", burnt) in [(one["path"], one["output"]) for one in record["pixelReview"]]
    assert {path: line["output"] for path, line in lines.items()} == {
        "left.dcm": left,
        "burnt.dcm": burnt,
        "cut.dcm": None,  # it was never named
        "text": None,
    }


def test_failure_names_the_output_that_stays_as_it_was(tree: Path) -> None:
    (tree.parent / "out").mkdir()
    (tree.parent / "out" / "left.dcm").write_bytes(b"other")
    record, lines = run(tree)
    assert {one["path"]: one["output"] for one in record["failures"]} == {
        "left.dcm": "left.dcm",
        "cut.dcm": "cut.dcm",
    }
    assert lines["left.dcm"]["output"] == "left.dcm"


def test_ledger_names_the_outputs_of_earlier_runs(tree: Path) -> None:
    flags = ["--ledger", str(tree.parent / "ledger"), *NAMES]
    run(tree, *flags)
    _, lines = run(tree, *flags)
    assert (lines["left.dcm"]["outcome"], lines["left.dcm"]["output"]) == (
        "current",
        f"{hashed('ID-1')}/1.dcm",
    )


@pytest.mark.parametrize(
    ("stem", "is_shown"),
    [
        ("%PatientID", False),  # replaced
        ("%_strmsk|**_PatientID", False),
        ("%PatientComments", False),  # free text, where a name may stand
        ("%_md5|4_PatientID", True),
        ("%Modality-%InstanceNumber", True),
        ("%StudyDate", False),  # removed below
    ],
)
def test_no_output_is_shown_that_is_named_after_what_may_be_replaced(
    tree: Path, stem: str, is_shown: bool
) -> None:
    spec = [SPEC[0], SPEC[1] + "++StudyDate:20000101++PatientIdentityRemoved:YES"]
    record, lines = run(tree, "--outputFileStem", stem, "--verify", spec=spec)
    for entry in (*record["pixelReview"], *record["residuals"], lines["left.dcm"], lines["burnt.dcm"]):
        assert (entry["output"] is not None) == is_shown
