"""Blocks of a spec that apply where a condition holds: strength, nesting, endings, and what tells of them."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pydicom
import pytest
from builders import data_set, nested, read, written
from support import Result, run_command

from pfdicom_tagSub import api
from pfdicom_tagSub.core.errors import FileError, SkippedError, SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.building import build_rules
from pfdicom_tagSub.spec.condition_parsing import parse_condition
from pfdicom_tagSub.spec.parsing import parse_json, to_json
from pfdicom_tagSub.spec.rules import RuleSet

Spec = dict[str, Any]


def rules_of(spec: Spec, **options: Any) -> RuleSet:
    return build_rules(parse_json(json.dumps(spec), "spec"), **options).rules


def made_of(spec: Spec, content: bytes, **options: Any) -> pydicom.Dataset:
    return read(api.patch_bytes(content, rules_of(spec, **options)))


def example(**values: Any) -> bytes:
    return written(
        nested(
            data_set(ScheduledProcedureStepID="S1"),
            Modality="US",
            Manufacturer="GE",
            PatientName="Doe^Jane",
            PatientID="4711",
            StationName="ROOM1",
            StudyDescription="Knee",
            **values,
        )
    )


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"PatientID": "out", "when Modality = 'US'": {"PatientID": "in"}}, "in"),
        ({"when Modality = 'US'": {"PatientID": "in"}, "PatientID": "out"}, "in"),
        ({"PatientID": "out", "when Modality = 'CT'": {"PatientID": "in"}}, "out"),
        ({"PatientID": "out", "when Modality = 'US'": {"re:PatientID": "in"}}, "in"),
        ({"re:Patient.*": "out", "when Modality = 'US'": {"PatientID": "%_keep_#tag"}}, "4711"),
        ({"rest": None, "when Modality = 'US'": {"PatientID": "%_keep_#tag"}}, "4711"),
        ({"PatientID": "out", "when Modality = 'US'": {"rest": None}}, None),
        ({"PatientID": "out", "when Modality = 'US'": {"(0010,xxxx)": None}}, None),
        (
            {"when Modality = 'US'": {"PatientID": "one", "when Manufacturer = 'GE'": {"PatientID": "two"}}},
            "two",
        ),
        (
            {"when Modality = 'US'": {"when Manufacturer = 'GE'": {"PatientID": "two"}, "PatientID": "one"}},
            "two",
        ),
        (
            {"when Modality = 'US'": {"PatientID": "one", "when Manufacturer = 'X'": {"PatientID": "two"}}},
            "one",
        ),
        ({"when Modality = 'CT'": {"when Manufacturer = 'GE'": {"PatientID": "two"}}}, "4711"),
        ({"when Modality = 'US'": {"PatientID": "one"}, "when Rows absent": {"PatientID": "two"}}, "two"),
        ({"when path = ''": {"PatientID": "in"}}, "in"),
        (
            {"when RequestAttributesSequence[*].ScheduledProcedureStepID = 'S1'": {"PatientID": "in"}},
            "in",
        ),
    ],
)
def test_stronger_is_what_stands_in_a_block_that_holds(spec: Spec, expected: str | None) -> None:
    assert made_of(spec, example()).get("PatientID") == expected


def test_block_is_stronger_than_the_profile_and_does_what_it_says_at_every_depth() -> None:
    spec = {
        "when Modality = 'US'": {
            "StudyDescription": "%_keep_#tag",
            "ScheduledProcedureStepID": "%_md5|4_#tag",
        }
    }
    made = made_of(spec, example(), profile="basic")
    assert made.StudyDescription == "Knee"
    assert "StudyDescription" not in made_of(spec, example().replace(b"US", b"CT"), profile="basic")


def test_stamp_of_a_block_is_inserted_where_it_holds_alone() -> None:
    spec = {"when Modality = 'US'": {"PatientComments": "ultrasound"}}
    assert made_of(spec, example()).PatientComments == "ultrasound"
    assert "PatientComments" not in made_of(spec, example().replace(b"US", b"CT"))


def test_condition_sees_the_original_value_of_what_the_spec_replaces() -> None:
    spec = {"Modality": "OT", "when Modality = 'US'": {"PatientID": "in"}}
    made = made_of(spec, example())
    assert (made.Modality, made.PatientID) == ("OT", "in")


def test_block_may_skip_a_file_and_fail_one() -> None:
    with pytest.raises(SkippedError) as skip:
        made_of({"when PatientID = '4711'": "%_skip_"}, example())
    assert "4711" not in str(skip.value)
    assert "PatientID" in str(skip.value)
    with pytest.raises(FileError, match=r"^no ultra_sound here$"):
        made_of({"when Modality = 'US'": "%_fail|no ultra__sound here_"}, example())
    both = {"when Modality = 'US'": "%_skip_", "when Manufacturer = 'GE'": "%_fail_"}
    with pytest.raises(FileError):
        made_of(both, example())


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"when Modalty = 'US'": {"PatientID": ""}}, "column 1: unknown keyword 'Modalty'"),
        ({"when Modality": {"PatientID": ""}}, "column 9"),
        ({"when Modality = 'US'": {}}, "holds no pairs"),
        ({"when Modality = 'US'": None}, "is an object with the pairs that apply"),
        ({"when Modality = 'US'": "%_keep_#tag"}, '"%_skip_"'),
        ({"when Modality = 'US'": [{"PatientID": ""}]}, "is an object with the pairs"),
        ({"when Modality = 'US'": {"PatientNam": ""}}, "did you mean PatientName"),
        ({"when Modality = 'US'": {"PatientBirthDate": "soon"}}, "PatientBirthDate"),
        ({"when Modality = 'US'": {"when Rows = 1": {"PatientID": "%_hmac|8_PatientID"}}}, "hmac"),
        ({"when Modality = 'US'": {"PatientID": "a", "(0010,0020)": "b"}}, "the same key, given twice"),
        ({"PatientID": {"when Modality = 'US'": ""}}, "is an object"),
    ],
)
def test_block_that_is_none_is_an_error_in_the_spec(spec: Spec, said: str) -> None:
    with pytest.raises(SpecError) as stop:
        rules_of(spec)
    assert said in str(stop.value)


def test_blocks_are_nested_so_deep_and_no_deeper() -> None:
    spec: Spec = {"PatientID": "x"}
    for _ in range(32):
        spec = {"when Modality = 'US'": spec}
    assert made_of(spec, example()).PatientID == "x"
    for _ in range(300):
        spec = {"when Modality = 'US'": spec}
    with pytest.raises(SpecError, match="more than 32 deep"):
        rules_of(spec)


def test_reason_is_no_longer_than_a_message_should_be() -> None:
    rules_of({"when Modality = 'US'": f"%_fail|{'y' * 1000}_"})
    with pytest.raises(SpecError) as stop:
        rules_of({"when Modality = 'US'": f"%_fail|{'y' * 1001}_"})
    assert len(str(stop.value)) < 200


def test_what_applies_together_and_cannot_fails_the_file() -> None:
    spec = {
        "when Modality = 'US'": {"rest": None},
        "when Manufacturer = 'GE'": {"text": "%_clean_#tag"},
    }
    with pytest.raises(FileError, match="do not go together"):
        made_of(spec, example())


def test_spec_with_blocks_is_printed_and_read_again_as_the_same() -> None:
    spec = {
        "PatientName": "x",
        "when Modality in ('US', 'XA')": {
            "PatientID": None,
            "when Manufacturer contains 'GE'": {"StationName": "", "RequestAttributesSequence": []},
        },
        "when Modality = 'SR'": "%_skip_",
        "when Modality = 'PR'": "%_fail|a_",
    }
    made = parse_json(json.dumps(spec), "spec")
    assert parse_json(to_json(made), "spec").digest == made.digest
    assert json.loads(to_json(made)) == spec
    other = parse_json(json.dumps(spec).replace("SR", "SM"), "spec")
    assert other.digest != made.digest


def test_rules_can_be_sent_to_other_processes() -> None:
    rules = rules_of({"when Modality = 'US'": {"PatientID": "in"}}, profile="basic")
    again = pickle.loads(pickle.dumps(rules))
    assert again == rules
    assert read(api.patch_bytes(example(), again)).PatientID == "in"


def test_pairs_of_the_api_may_hold_blocks() -> None:
    pairs: Any = {"when Modality = 'US'": {"PatientID": "in", "when Rows absent": {"PatientName": None}}}
    made = read(api.patch_bytes(example(), api.compile_spec(pairs)))
    assert made.PatientID == "in"
    assert "PatientName" not in made


# --- the command


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    inputs = tmp_path / "in"
    (inputs / "a").mkdir(parents=True)
    for modality in ("US", "CT", "SR", "PR"):
        (inputs / "a" / modality).write_bytes(example().replace(b"US", modality.encode()))
    return inputs


SPEC = {
    "PatientID": "%_md5|7_PatientID",
    "when Modality = 'US'": {"PatientName": "echo", "when Manufacturer = 'GE'": {"StationName": "scan"}},
    "when Modality = 'SR'": "%_skip_",
    "when Modality = 'PR'": "%_fail|no presentation states_",
    "when Modality = 'NM'": {"PatientName": "never"},
}


def run(inputs: Path, *flags: str) -> Result:
    return run_command(inputs, inputs.parent / "out", "--tagStruct", json.dumps(SPEC), "--json", *flags)


@pytest.mark.parametrize("threads", ["0", "2"])
def test_command_follows_the_blocks_and_verifies_by_them(tree: Path, threads: str) -> None:
    done = run(tree, "--verify", "--threads", threads)
    assert done.code == 1
    outputs = {path.name: pydicom.dcmread(path) for path in (tree.parent / "out" / "a").iterdir()}
    assert {name: str(made.PatientName) for name, made in outputs.items()} == {"US": "echo", "CT": "Doe^Jane"}
    assert outputs["US"].StationName == "scan"
    record = done.record
    assert [one["path"] for one in record["failures"]] == ["a/PR"]
    assert record["failures"][0]["reason"] == "no presentation states"
    assert [(one["path"], one["reason"]) for one in record["skipped"]] == [
        ("a/SR", "skipped by the spec for its Modality")
    ]
    assert "4711" not in done.out + done.err


def test_condition_that_held_in_no_file_is_among_the_idle_keys(tree: Path) -> None:
    flags = ("--dryRun",)
    idle = run(tree, *flags).record["survey"]["idleKeys"]
    assert "when Modality = 'NM'" in idle
    assert "PatientName" in idle, "that of the block which did not hold"
    assert "when Modality = 'US'" not in idle
    assert "when Manufacturer = 'GE'" not in idle


def test_skipped_and_failed_files_get_no_name(tree: Path) -> None:
    done = run(tree, "--outputFileStem", "%Modality", "--fileFilter", "S", "--verify")
    assert sorted(path.name for path in (tree.parent / "out").rglob("*") if path.is_file()) == ["US"]
    assert done.record["counts"]["skipped"] == 1


def test_printed_spec_gives_the_same_outputs(tree: Path, tmp_path: Path) -> None:
    printed = run(tree, "--profile", "basic", "--printSpec").out
    (tmp_path / "spec.json").write_text(printed)
    first = run(tree, "--profile", "basic")
    outputs = {path.name: path.read_bytes() for path in (tree.parent / "out" / "a").iterdir()}
    again = run_command(tree, tmp_path / "again", "--tagFile", str(tmp_path / "spec.json"), "--json")
    assert {path.name: path.read_bytes() for path in (tmp_path / "again" / "a").iterdir()} == outputs
    assert first.code == again.code == 1


def test_ledger_compares_the_blocks(tree: Path) -> None:
    ledger = ("--ledger", str(tree.parent / "ledger"))
    assert run(tree, *ledger).record["counts"]["written"] == 2
    assert run(tree, *ledger).record["counts"]["current"] == 2
    other = json.dumps(SPEC).replace("echo", "other")
    done = run_command(
        tree, tree.parent / "out", "--tagStruct", other, "--json", "--overwrite", *ledger
    ).record["counts"]
    assert (done["current"], done["written"]) == (0, 1)


# --- verification by its own means


def test_verification_finds_an_output_made_by_the_rules_of_another_block(tmp_path: Path) -> None:
    rules = rules_of(SPEC)
    source = tmp_path / "US"
    source.write_bytes(example())
    worker = Worker(Settings(rules, output_root=str(tmp_path / "out"), verify=True))
    (tmp_path / "out").mkdir()
    patchers = worker.tools._patchers
    assert patchers is not None
    variants = patchers._variants
    blocks = list(variants.blocks)
    blocks[0] = replace(blocks[0], condition=parse_condition("Modality = 'CT'", "spec"))
    patchers._variants = replace(variants, blocks=tuple(blocks))  # the engine is mistaken
    outcome = worker.process(FileJob(str(source), str(tmp_path / "out" / "US"), "US"))
    assert outcome.status is Status.FAILED
    assert "as it was though the key StationName hits it" in outcome.reason
    assert not list((tmp_path / "out").iterdir())


def test_verification_finds_an_output_of_a_file_that_is_skipped(tmp_path: Path) -> None:
    rules = rules_of(SPEC)
    source = tmp_path / "SR"
    source.write_bytes(example().replace(b"US", b"SR"))
    worker = Worker(Settings(rules, output_root=str(tmp_path / "out"), verify=True))
    (tmp_path / "out").mkdir()
    patchers = worker.tools._patchers
    assert patchers is not None
    patchers._variants = replace(patchers._variants, blocks=())
    outcome = worker.process(FileJob(str(source), str(tmp_path / "out" / "SR"), "SR"))
    assert outcome.status is Status.FAILED
    assert "allows no output" in outcome.reason
