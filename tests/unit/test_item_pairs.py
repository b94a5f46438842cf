"""Pairs for what is in the items of a sequence: strength, depth, what they may name, what tells of them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from builders import (
    EXPLICIT,
    FORMS,
    IMPLICIT,
    Form,
    data_set,
    element,
    file_of,
    item,
    nested,
    process,
    read,
    sequence,
    written,
)
from pydicom.dataset import Dataset
from support import run_command

from pfdicom_tagSub import api
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.function_types import NO_RESOURCES
from pfdicom_tagSub.spec.parsing import parse_file, parse_json, to_json

Spec = dict[str, Any]
SEQUENCE = "RequestAttributesSequence"
KEEP = "%_keep_#tag"
NAMES = ["At^Top", "In^Item", "In^Code", "Else^Where"]
CODES = "ScheduledProtocolCodeSequence"


def code(meaning: str = "Knee", **values: Any) -> Dataset:
    return data_set(CodeValue="T-1", CodingSchemeDesignator="SRT", CodeMeaning=meaning, **values)


def example() -> Dataset:
    """A name at the top, in items of a sequence and of one in it, and in another sequence."""
    return nested(
        data_set(
            PatientName="In^Item",
            ScheduledProcedureStepID="S1",
            ScheduledProtocolCodeSequence=[code(PatientName="In^Code")],
        ),
        data_set(ScheduledProcedureStepID="S2"),
        PatientName="At^Top",
        ReferencedStudySequence=[data_set(PatientName="Else^Where")],
    )


def names_in(made: Dataset) -> list[str]:
    """The names in the order of the example; "" for one that is empty, "-" for one that is gone."""
    item = made.RequestAttributesSequence[0]
    places = made, item, item.ScheduledProtocolCodeSequence[0], made.ReferencedStudySequence[0]
    return [str(one.PatientName) if "PatientName" in one else "-" for one in places]


def made_of(spec: Spec, content: bytes | None = None, **options: Any) -> Dataset:
    rules = api.compile_spec(spec, **options)
    return read(api.patch_bytes(written(example()) if content is None else content, rules))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({SEQUENCE: {"each": {"PatientName": "X"}}}, ["At^Top", "X", "X", "Else^Where"]),
        ({SEQUENCE: {"each": {"VR:PN": ""}}}, ["At^Top", "", "", "Else^Where"]),
        ({SEQUENCE: {"each": {"re:Patient": None}}}, ["At^Top", "-", "-", "Else^Where"]),
        ({SEQUENCE: {"each": {"(0010,xxxx)": None}}}, ["At^Top", "-", "-", "Else^Where"]),
        ({SEQUENCE: {"each": {"PatientName": "X"}}, "PatientName": "Y"}, ["Y", "X", "X", "Y"]),
        ({SEQUENCE: {"each": {"PatientName": "X"}}, "re:.*Name": None}, ["-", "X", "X", "-"]),
        ({SEQUENCE: {"each": {"PatientName": KEEP}}, "VR:PN": ""}, ["", "In^Item", "In^Code", ""]),
        ({SEQUENCE: {"each": {"PatientName": "X"}}, "rest": None}, None),
        (
            {SEQUENCE: {"each": {"PatientName": "X", CODES: KEEP}}},
            ["At^Top", "X", "X", "Else^Where"],
        ),
        (
            {
                SEQUENCE: {
                    "each": {
                        "PatientName": "X",
                        CODES: {"each": {"PatientName": "Z"}},
                    }
                }
            },
            ["At^Top", "X", "Z", "Else^Where"],
        ),
        (
            {SEQUENCE: {"each": {"PatientName": "X"}}, CODES: {"each": {"VR:PN": "Z"}}},
            ["At^Top", "X", "Z", "Else^Where"],
        ),
        ({"VR:SQ": {"each": {"re:.*": KEEP}}, "VR:PN": "X"}, ["X", "In^Item", "In^Code", "Else^Where"]),
        ({"re:Request.*Sequence$": {"each": {"VR:PN": "X"}}}, ["At^Top", "X", "X", "Else^Where"]),
        ({"when PatientID absent": {SEQUENCE: {"each": {"VR:PN": "X"}}}}, ["At^Top", "X", "X", "Else^Where"]),
        ({"when PatientID present": {SEQUENCE: {"each": {"VR:PN": ""}}}}, NAMES),
        ({SEQUENCE: {"each": {"PatientName": "%_md5|4_#tag"}}}, ["At^Top", "eee2", "c040", "Else^Where"]),
        ({SEQUENCE: {"each": {"VR:PN": "%_strmsk|*_#tag"}}}, ["At^Top", "I", "I", "Else^Where"]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_pairs_apply_within_the_items_at_every_depth(
    spec: Spec, expected: list[str] | None, form: Form, tmp_path: Path
) -> None:
    rules = api.compile_spec(spec)
    result = process(Worker(Settings(rules, verify=True)), written(example(), form), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    made = read((tmp_path / "out-a.dcm").read_bytes())
    if expected is None:
        assert "PatientName" not in made
        assert made.RequestAttributesSequence[0].PatientName == "X"
        return
    assert names_in(made) == expected


def test_nested_pairs_are_for_sequences_within_the_outer_ones_alone() -> None:
    inner = {CODES: {"each": {"PatientName": "Z"}}}
    apart = nested(PatientName="At^Top", ScheduledProtocolCodeSequence=[code(PatientName="Out^Side")])
    apart.RequestAttributesSequence = [data_set(ScheduledProtocolCodeSequence=[code(PatientName="In^Side")])]
    made = made_of({SEQUENCE: {"each": inner}}, written(apart))
    assert made.ScheduledProtocolCodeSequence[0].PatientName == "Out^Side"
    assert made.RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0].PatientName == "Z"
    turned = data_set(ScheduledProtocolCodeSequence=[nested(data_set(PatientName="In^Both"))])
    made = made_of({SEQUENCE: {"each": inner}}, written(turned))
    assert made.ScheduledProtocolCodeSequence[0].RequestAttributesSequence[0].PatientName == "In^Both"


def test_stronger_key_for_the_sequence_itself_wins() -> None:
    assert not made_of({SEQUENCE: {"each": {"VR:PN": "X"}}, "re:Request": ""}).RequestAttributesSequence
    assert SEQUENCE not in made_of({SEQUENCE: {"each": {"VR:PN": "X"}}, "re:Request": None})


def test_pairs_insert_nothing_and_leave_files_without_the_sequence_alone() -> None:
    made = made_of({SEQUENCE: {"each": {"PatientID": "X"}}})
    assert made == read(written(example()))
    assert SEQUENCE not in made_of(
        {SEQUENCE: {"each": {"PatientID": "X"}}}, written(data_set(PatientName="A"))
    )


def test_what_has_the_tag_of_a_sequence_and_is_none_is_emptied(tmp_path: Path) -> None:
    content = file_of(element(0x00400275, "LO", b"Doe^Jane", EXPLICIT))
    rules = api.compile_spec({SEQUENCE: {"each": {"VR:PN": "X"}}})
    result = process(Worker(Settings(rules, verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert b"Doe^Jane" not in (tmp_path / "out-a.dcm").read_bytes()


def test_sequence_that_is_stored_as_unknown_is_entered(tmp_path: Path) -> None:
    inner = item(element(0x00100010, "PN", b"Doe^Jane", IMPLICIT), IMPLICIT)
    content = file_of(sequence(0x00400275, inner, EXPLICIT, vr="UN"))
    rules = api.compile_spec({SEQUENCE: {"each": {"VR:PN": "X"}}})
    result = process(Worker(Settings(rules, verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert read((tmp_path / "out-a.dcm").read_bytes()).RequestAttributesSequence[0].PatientName == "X"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([{"CodeValue": "9"}], ["9"]),
        ({"replace": [{"CodeValue": "9"}]}, ["9"]),
        ({"add": [{"CodeValue": "9"}]}, ["T-1", "9"]),
        ("", []),
    ],
)
def test_sequences_in_the_items_take_every_value(value: object, expected: list[str], tmp_path: Path) -> None:
    rules = api.compile_spec({SEQUENCE: {"each": {CODES: value}}})
    result = process(Worker(Settings(rules, verify=True)), written(example()), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    codes = read((tmp_path / "out-a.dcm").read_bytes()).RequestAttributesSequence[0][CODES]
    assert [one.CodeValue for one in codes] == expected


def test_text_in_the_items_is_cleaned(tmp_path: Path) -> None:
    made = nested(data_set(ScheduledProcedureStepDescription="Scan of Quibble"), PatientName="Quibble^Ann")
    made.StudyDescription = "Knee of Quibble"
    spec = {"PatientName": "", SEQUENCE: {"each": {"re:.*Description$": "%_clean_#tag"}}}
    result = process(Worker(Settings(api.compile_spec(spec), verify=True)), written(made), tmp_path)
    assert result.outcome.residuals == ("StudyDescription",)
    found = read((tmp_path / "out-a.dcm").read_bytes())
    assert found.RequestAttributesSequence[0].ScheduledProcedureStepDescription == "Scan of"
    assert found.StudyDescription == "Knee of Quibble"


def private_example() -> bytes:
    made = example()
    block = made.RequestAttributesSequence[0].private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x08, "LO", "Doe^Jane")
    return written(made)


def test_removal_of_private_elements_is_stronger_and_else_they_count_by_their_vr() -> None:
    spec = {SEQUENCE: {"each": {"VR:LO": "X"}}}
    kept = made_of(spec, private_example()).RequestAttributesSequence[0]
    assert [kept[0x00290010].value, kept[0x00291008].value] == ["SIEMENS CSA HEADER", "X"]
    gone = made_of(spec, private_example(), remove_private_tags=True).RequestAttributesSequence[0]
    assert not [one for one in gone if one.tag.is_private]
    spec |= {'(0029,"SIEMENS CSA HEADER",09)': KEEP}  # so that private elements are looked at one by one
    gone = made_of(spec, private_example(), remove_private_tags=True).RequestAttributesSequence[0]
    assert 0x00291008 not in gone


def test_new_text_that_the_character_set_lacks_switches_the_file() -> None:
    made = made_of({SEQUENCE: {"each": {"PatientName": "Ökonom"}}})
    assert made.SpecificCharacterSet == "ISO_IR 192"
    assert names_in(made) == ["At^Top", "Ökonom", "Ökonom", "Else^Where"]


def test_cleaning_knows_what_the_items_lose(tmp_path: Path) -> None:
    made = example()
    made.StudyDescription = "MRI of Itemsson"
    made.RequestAttributesSequence[0].PatientName = "Itemsson^Jane"
    spec = {SEQUENCE: {"each": {"PatientName": ""}}, "StudyDescription": "%_clean_#tag"}
    rules = api.compile_spec(spec)
    result = process(Worker(Settings(rules, verify=True)), written(made), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert read((tmp_path / "out-a.dcm").read_bytes()).StudyDescription == "MRI of"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"PatientName": {"each": {"VR:PN": ""}}}, 'PatientName: "each" is for sequences'),
        ({"re:Patient": {"each": {"VR:PN": ""}}}, "names other elements, such as"),
        ({"rest": {"each": {"VR:PN": ""}}}, '"each" is for sequences'),
        ({"private": {"each": {"VR:PN": ""}}}, '"each" is for sequences'),
        ({"(0040,xxxx)": {"each": {"VR:PN": ""}}}, '"each" is for sequences'),
        ({SEQUENCE: {"each": {}}}, "holds no pairs"),
        ({SEQUENCE: {"each": ["VR:PN"]}}, '{"each": {...}}'),
        ({SEQUENCE: {"each": {"PatientNam": ""}}}, "did you mean PatientName"),
        ({SEQUENCE: {"each": {"PatientName": "%_md6_#tag"}}}, f"{SEQUENCE}: PatientName: "),
        ({SEQUENCE: {"each": {"PatientBirthDate": "soon"}}}, "is not a valid DA"),
        ({SEQUENCE: {"each": {"when PatientID present": {"PatientName": ""}}}}, "into the block"),
        ({SEQUENCE: {"each": {"rest": None}}}, "rest cannot stand in"),
        ({SEQUENCE: {"each": {"private": None}}}, "private cannot stand in"),
        ({SEQUENCE: {"each": {"TransferSyntaxUID": "1.2"}}}, "how the file itself is encoded"),
        ({SEQUENCE: {"each": {"MediaStorageSOPInstanceUID": "1.2"}}}, "cannot stand in"),
        ({SEQUENCE: {"each": {"(0029,\"A\",10)": ""}}}, "cannot stand in"),
        ({SEQUENCE: {"each": {"PatientName": "", "(0010,0010)": None}}}, "are the same key, given twice"),
    ],
)  # fmt: skip
def test_pairs_that_cannot_mean_what_they_say_are_errors(spec: Spec, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        api.compile_spec(spec)
    assert message in str(caught.value)


def test_key_that_is_given_twice_within_an_object_is_an_error() -> None:
    text = '{"RequestAttributesSequence": {"each": {"PatientName": "", "PatientName": "X"}}}'
    with pytest.raises(SpecError, match="given twice"):
        parse_json(text, "spec")


def test_nesting_has_an_end() -> None:
    spec: Spec = {"each": {"PatientName": ""}}
    for _ in range(3):
        spec = {"each": {SEQUENCE: spec}}
    api.compile_spec({SEQUENCE: spec})
    for _ in range(40):
        spec = {"each": {SEQUENCE: spec}}
    with pytest.raises(SpecError, match="deep"):
        api.compile_spec({SEQUENCE: spec})


def test_spec_is_printed_as_it_is_read_and_its_digest_counts_the_pairs() -> None:
    spec = {SEQUENCE: {"each": {"VR:PN": "", "ReferencedStudySequence": {"each": {"re:Patient.*": None}}}}}
    parsed = parse_json(json.dumps(spec), "spec")
    assert json.loads(to_json(parsed)) == spec
    other = {SEQUENCE: {"each": {"VR:PN": "X"}}}
    assert parsed.digest != parse_json(json.dumps(other), "spec").digest


def test_spec_in_yaml_and_toml_has_them(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(f"{SEQUENCE}:\n  each:\n    VR:PN: ''\n", "utf-8")
    (tmp_path / "a.toml").write_text(f'{SEQUENCE} = {{ each = {{ "VR:PN" = "" }} }}\n', "utf-8")
    wanted = parse_json(json.dumps({SEQUENCE: {"each": {"VR:PN": ""}}}), "spec")
    for name in ("a.yaml", "a.toml"):
        assert parse_file(str(tmp_path / name)).digest == wanted.digest


def test_rules_can_be_pickled() -> None:
    rules = api.compile_spec({SEQUENCE: {"each": {"PatientName": "X"}}})
    again = pickle.loads(pickle.dumps(rules))
    assert names_in(read(api.patch_bytes(written(example()), again)))[1] == "X"


def test_rules_without_resources_hold_no_key() -> None:
    key = b"0123456789abcdefghijklmnopqrstuv"
    rules = api.compile_spec({SEQUENCE: {"each": {"PatientName": "%_hmac|8_#tag"}}}, key=key)
    assert key in pickle.dumps(rules) or key.hex().encode() in pickle.dumps(rules)
    bare = pickle.dumps(rules.with_resources(NO_RESOURCES))
    assert key not in bare
    assert key.hex().encode() not in bare


def test_warnings_name_the_key_of_the_sequence() -> None:
    pairs = {"PatientName": "X", "re:Patient.*": "many words"}
    rules = api.compile_spec({SEQUENCE: {"each": pairs}})
    assert [text.partition(" of ")[0] for text in rules.warnings] == [
        f"{SEQUENCE}: re:Patient.*: 27",
        f"{SEQUENCE}: PatientName has no effect: later or stronger keys hit all",
    ]


def test_secret_key_is_asked_for() -> None:
    with pytest.raises(SpecError, match=f"{SEQUENCE}: PatientName: hmac: it needs the secret key"):
        api.compile_spec({SEQUENCE: {"each": {"PatientName": "%_hmac|8_#tag"}}})


def test_table_that_a_pair_uses_counts_as_used(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(written(example()))
    table = tmp_path / "names.csv"
    table.write_text("original,replacement\nIn^Item,N1\nIn^Code,N2\n", "utf-8")
    spec = json.dumps({SEQUENCE: {"each": {"PatientName": "%_lookup|names_#tag"}}})
    flags = ["--tagStruct", spec, "--lookupTable", f"names={table}", "--verify"]
    result = run_command(tmp_path / "in", tmp_path / "out", *flags)
    assert (result.code, result.err.count("no key uses")) == (0, 0), result.err
    assert names_in(read((tmp_path / "out" / "a.dcm").read_bytes())) == ["At^Top", "N1", "N2", "Else^Where"]


@pytest.mark.parametrize("is_dry", [False, True])
def test_report_counts_what_was_changed_and_names_idle_keys(tmp_path: Path, is_dry: bool) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(written(example()))
    spec = {
        SEQUENCE: {"each": {"VR:PN": "X", CODES: {"each": {"CodeMeaning": ""}}}},
        "ReferencedStudySequence": {"each": {"VR:DA": ""}},
    }
    report = tmp_path / "report.json"
    flags = ["--tagStruct", json.dumps(spec), "--report", str(report), *["--dryRun"] * is_dry]
    result = run_command(tmp_path / "in", tmp_path / "out", *flags)
    assert result.code == 0, result.err
    told = json.loads(report.read_text("utf-8"))
    assert told["survey"]["idleKeys"] == ["ReferencedStudySequence"]
    assert told["elements"]["PatientName"]["substituted"] == 2
    assert told["elements"]["CodeMeaning"]["emptied"] == 1
