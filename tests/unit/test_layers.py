"""Specs of several files, merged key by key."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from builders import data_set, read, written
from hypothesis import given
from hypothesis import strategies as st
from support import Result, run_command

from pfdicom_tagSub.spec.layers import merged
from pfdicom_tagSub.spec.parsing import from_pairs, parse_json, to_json

SCHEMA = json.loads((Path(__file__).parents[1] / "helpers" / "record_schema.json").read_text())
Spec = dict[str, Any]


def of(*specs: Spec) -> Spec:
    """What several specs come to."""
    layers = [parse_json(json.dumps(spec), "spec") for spec in specs]
    made: Spec = json.loads(to_json(from_pairs(merged(layers))))
    return made


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        (
            [{"PatientID": "a", "PatientName": "b"}, {"PatientID": "c"}],
            {"PatientName": "b", "PatientID": "c"},
        ),
        ([{"PatientID": "a"}, {"(0010,0020)": None}], {"(0010,0020)": None}),
        ([{"re:Patient.*": "a"}, {"re:Patient.*": ""}], {"re:Patient.*": ""}),
        ([{"re:Patient.*": "a"}, {"PatientID": "b"}], {"re:Patient.*": "a", "PatientID": "b"}),
        (
            [{"when Rows = 1": {"PatientID": "a", "StudyID": "b"}}, {"when Rows = 1": {"PatientID": "c"}}],
            {"when Rows = 1": {"StudyID": "b", "PatientID": "c"}},
        ),
        (
            [{"when Rows = 1": {"PatientID": "a"}}, {"when Rows = 2": {"PatientID": "c"}}],
            {"when Rows = 1": {"PatientID": "a"}, "when Rows = 2": {"PatientID": "c"}},
        ),
        ([{"when Rows = 1": {"PatientID": "a"}}, {"when Rows = 1": "%_skip_"}], {"when Rows = 1": "%_skip_"}),
        (
            [{"when Rows = 1": "%_skip_"}, {"when Rows = 1": {"StudyID": ""}}],
            {"when Rows = 1": {"StudyID": ""}},
        ),
        ([{"PatientID": "a"}, {"PatientID": "b"}, {"PatientID": "c"}], {"PatientID": "c"}),
    ],
)
def test_later_spec_wins_key_by_key(specs: list[Spec], expected: Spec) -> None:
    assert of(*specs) == expected


KEYS = st.sampled_from(["PatientID", "PatientName", "StudyID", "re:.*Date$", "(0029,xxxx)", "rest"])
SPECS = st.dictionaries(KEYS, st.none())


@given(st.lists(SPECS, min_size=1, max_size=4))
def test_merging_is_that_of_dictionaries_and_in_any_grouping(specs: list[Spec]) -> None:
    expected: Spec = {}
    for spec in specs:
        expected |= spec
    assert of(*specs) == expected
    assert of(of(*specs[:2]), *specs[2:]) == expected


# --- the command


def run(tmp_path: Path, specs: dict[str, str], *flags: str) -> Result:
    inputs = tmp_path / "in"
    inputs.mkdir(exist_ok=True)
    (inputs / "a").write_bytes(written(data_set(PatientID="1", PatientName="Doe^Jane", StudyID="7")))
    given: list[str] = []
    for name, text in specs.items():
        (tmp_path / name).write_text(text)
        given += ["--tagFile", str(tmp_path / name)]
    return run_command(inputs, tmp_path / "out", *given, "--json", *flags)


def test_command_merges_its_files_and_the_record_names_each(tmp_path: Path) -> None:
    base, study = '{"PatientID": "base", "PatientName": "anon"}', 'PatientID = "study"\nStudyID = "x"\n'
    done = run(tmp_path, {"base.json": base, "study.toml": study}, "--verify")
    assert done.code == 0, done.err
    jsonschema.validate(done.record, SCHEMA)
    made = read((tmp_path / "out" / "a").read_bytes())
    assert (made.PatientID, made.PatientName, made.StudyID) == ("study", "anon", "x")
    parts = done.record["specParts"]
    assert [(one["option"], one["name"]) for one in parts] == [
        ("--tagFile", str(tmp_path / "base.json")),
        ("--tagFile", str(tmp_path / "study.toml")),
    ]
    digest = hashlib.sha256(json.dumps([["PatientID", "base"], ["PatientName", "anon"]]).encode())
    assert parts[0]["digest"] == digest.hexdigest()


def test_printed_spec_is_what_the_files_come_to(tmp_path: Path) -> None:
    done = run(tmp_path, {"a.json": '{"PatientID": "1"}', "b.json": '{"(0010,0020)": null}'}, "--printSpec")
    assert json.loads(done.out) == {"(0010,0020)": None}


def test_each_file_is_a_spec_of_its_own(tmp_path: Path) -> None:
    done = run(tmp_path, {"a.json": '{"PatientID": "1"}', "b.json": '{"PatientNam": null}'})
    assert done.code == 2
    assert "b.json: unknown keyword" in done.err


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    done = run(tmp_path, {}, "--tagFile", "-", "--tagFile", "-")
    assert done.code == 2
    assert "standard input can be read once" in done.err
