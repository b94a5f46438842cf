"""Keys that name elements by their VR, public and private ones, in the engine and in verification."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from builders import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    Form,
    data_set,
    element,
    file_of,
    nested,
    read,
    rules_of,
    written,
)
from pydicom import Dataset
from support import run_command

from pfdicom_tagSub import api
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.dicom import dictionary
from pfdicom_tagSub.spec.building import build_rules
from pfdicom_tagSub.spec.parsing import parse_json, to_json

Spec = dict[str, Any]


def example() -> Dataset:
    made = nested(
        data_set(ScheduledPerformingPhysicianName="Doe^Ann", ScheduledProcedureStepID="S1"),
        PatientName="Doe^Jane",
        ReferringPhysicianName="Roe^Max",
        PatientBirthDate="19700102",
        StudyDate="20240102",
        PatientID="4711",
    )
    block = made.private_block(0x0029, "ACME 1.1", create=True)
    block.add_new(0x01, "PN", "Poe^Eve")
    block.add_new(0x02, "DA", "20200101")
    block.add_new(0x03, "LO", "text")
    known = made.private_block(0x0019, "GEMS_ACQU_01", create=True)
    known.add_new(0x9E, "LO", "sequence")
    return made


def made_of(spec: Spec, form: Form = EXPLICIT, **options: Any) -> Dataset:
    return read(api.patch_bytes(written(example(), form), rules_of(spec, **options)))


@pytest.mark.parametrize("form", [EXPLICIT, BIG], ids=lambda form: form.name)
def test_key_hits_every_element_of_its_vr_at_every_depth_private_ones_too(form: Form) -> None:
    made = made_of({"VR:PN": "ANON", "VR:DA": None}, form)
    assert made.PatientName == made.ReferringPhysicianName == "ANON"
    assert made.RequestAttributesSequence[0].ScheduledPerformingPhysicianName == "ANON"
    assert made[0x00291001].value == "ANON"
    assert "PatientBirthDate" not in made
    assert "StudyDate" not in made
    assert 0x00291002 not in made
    assert made[0x00291003].value == "text"
    assert made.PatientID == "4711"


def test_private_vr_of_implicit_files_is_that_of_the_dictionary_for_its_creator() -> None:
    made = read(api.patch_bytes(written(example(), IMPLICIT), rules_of({"VR:PN": "ANON", "VR:LO": "X"})))
    assert made.PatientName == "ANON"
    assert made[0x0019109E].value in ("X", b"X ")
    assert made[0x00291001].value in ("Poe^Eve", b"Poe^Eve "), "nobody knows its VR"


def test_public_element_has_the_vr_of_the_dictionary_and_an_unknown_one_that_is_stored() -> None:
    content = file_of(
        element(0x00100010, "LO", b"Doe^Jane", EXPLICIT) + element(0x00100FFF, "PN", b"Doe^Jane", EXPLICIT)
    )
    made = read(api.patch_bytes(content, rules_of({"VR:PN": "ANON"})))
    assert made[0x00100010].value == made[0x00100FFF].value == "ANON"


@pytest.mark.parametrize(
    ("spec", "tag", "expected"),
    [
        ({"VR:PN": "a", "PatientName": "b"}, 0x00100010, "b"),
        ({"PatientName": "b", "VR:PN": "a"}, 0x00100010, "b"),
        ({"VR:PN": "a", "re:Patient.*": "b"}, 0x00100010, "b"),
        ({"VR:PN": "a", '(0029,"ACME 1.1",01)': "b"}, 0x00291001, "b"),
        ({"VR:PN": "a", "(0029,1001)": "b"}, 0x00291001, "b"),
        ({"(0029,xxxx)": "b", "VR:PN": "a"}, 0x00291001, "a"),
        ({"VR:PN": "a", "(0029,xxxx)": "b"}, 0x00291001, "b"),
        ({"VR:PN": "a", "private": None}, 0x00291001, "a"),
        ({"VR:PN": "%_keep_#tag", "(0010,xxxx)": "b"}, 0x00100010, "b"),
        ({"(0010,xxxx)": "b", "VR:PN": "%_keep_#tag"}, 0x00100010, "Doe^Jane"),
        ({"VR:PN": "%_keep_#tag", "rest": None}, 0x00100010, "Doe^Jane"),
        ({"VR:PN": "%_keep_#tag", "rest": None}, 0x00291001, "Poe^Eve"),
    ],
)
def test_key_is_as_strong_as_others_for_many_elements(spec: Spec, tag: int, expected: str) -> None:
    assert made_of(spec)[tag].value == expected


def test_remove_private_tags_wins_over_a_vr() -> None:
    made = made_of({"VR:PN": "ANON"}, remove_private=True)
    assert made.PatientName == "ANON"
    assert not [one for one in made if one.tag.is_private]


def test_creators_stay_for_what_a_vr_keeps_and_are_hit_by_none() -> None:
    made = made_of({"VR:PN": "ANON", "VR:LO": None, "private": None})
    assert made[0x00290010].value == "ACME 1.1"
    assert 0x00291003 not in made
    assert 0x00190010 not in made


def test_structure_of_a_file_is_hit_by_no_vr() -> None:
    made = made_of({f"VR:{vr}": None for vr in dictionary.ALL_VRS})
    assert made.file_meta.TransferSyntaxUID == EXPLICIT.syntax
    assert "PatientID" not in made


@pytest.mark.parametrize("key", ["VR:XX", "VR:", "VR:pn", "VR:PN,DA"])
def test_vr_that_is_none_is_an_error(key: str) -> None:
    with pytest.raises(SpecError, match="no such VR"):
        rules_of({key: ""})


def test_literal_that_no_element_of_the_vr_can_hold_is_an_error() -> None:
    with pytest.raises(SpecError, match="not valid for any"):
        rules_of({"VR:DA": "soon"})


def test_vr_wins_over_a_profile_and_is_printed() -> None:
    spec = parse_json(json.dumps({"VR:PN": "ANON"}), "spec")
    built = build_rules(spec, profile="basic")
    printed = parse_json(to_json(built.spec), "printed")
    for rules in (built.rules, build_rules(printed).rules):
        made = read(api.patch_bytes(written(example()), rules))
        assert made.PatientName == made.ReferringPhysicianName == "ANON"
        assert made[0x00291001].value == "ANON"


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
def test_command_verifies_what_a_vr_replaces_and_tells_of_idle_keys(form: Form, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(written(example(), form))
    spec = json.dumps({"VR:PN": "%_md5|6_#tag", "VR:DA": None, "VR:UR": ""})
    done = run_command(tmp_path / "in", tmp_path / "out", "--tagStruct", spec, "--verify", "--json")
    assert done.code == 0, done.err
    assert not done.record["residuals"]
    dry = run_command(tmp_path / "in", tmp_path / "dry", "--tagStruct", spec, "--dryRun", "--json")
    assert dry.record["survey"]["idleKeys"] == ["VR:UR"]
