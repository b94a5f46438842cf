"""The key ``unknown``: public elements that no dictionary knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import FORMS, Form, data_set, element, file_of, item, process, read, sequence, written
from pydicom.dataset import Dataset
from support import run_command

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

KEY = b"k" * 32
UNKNOWN_EVEN = 0x00420099
NESTED = 0x00080A0A


def secretive() -> Dataset:
    """A data set with elements of even groups that nobody knows, at two depths."""
    inner = data_set(CodeValue="1")
    inner.add_new(NESTED, "LO", "Zebulon inside")
    made = data_set(PatientName="Zebulon", PatientID="P1", StudyInstanceUID="1.2.3", ContentSequence=[])
    made.add_new(0x00081115, "SQ", [inner])
    made.add_new(UNKNOWN_EVEN, "LO", "Zebulon")
    made.add_new(0x00EE0010, "SQ", [data_set(PatientComments="Zebulon")])
    made.add_new(0x60000010, "US", 4)
    made.add_new(0x7FE00010, "OW", b"\1\2")
    return made


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_unknown_elements_are_removed_at_every_depth(form: Form, undefined: bool, tmp_path: Path) -> None:
    content = written(secretive(), form, undefined=undefined)
    rules = compile_spec({"unknown": None})
    result = process(Worker(Settings(rules, verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    made = read((tmp_path / "out-a.dcm").read_bytes())
    expected = read(content)
    for tag in (UNKNOWN_EVEN, 0x00EE0010):
        del expected[tag]
    del expected.ReferencedSeriesSequence[0][NESTED]
    assert made == expected
    assert made.PixelData == b"\1\2"
    assert made[0x60000010].value == 4


def test_basic_removes_unknown_elements_and_a_key_of_the_user_keeps_them() -> None:
    content = written(secretive())
    made = read(patch_bytes(content, compile_spec({}, profile="basic", key=KEY)))
    assert UNKNOWN_EVEN not in made
    assert 0x00EE0010 not in made
    assert NESTED not in made.ReferencedSeriesSequence[0]
    kept = read(patch_bytes(content, compile_spec({"unknown": "%_keep_#tag"}, profile="basic", key=KEY)))
    assert kept[UNKNOWN_EVEN].value == "Zebulon"
    group = read(patch_bytes(content, compile_spec({"(0042,xxxx)": "%_keep_#tag"}, profile="basic", key=KEY)))
    assert group[UNKNOWN_EVEN].value == "Zebulon"
    assert 0x00EE0010 not in group


def test_group_lengths_and_what_is_needed_to_read_stay() -> None:
    form = FORMS[1]
    values = element(UNKNOWN_EVEN, "LO", b"Zebulon ", form) + element(0x00420010, "ST", b"ab", form)
    body = element(0x00420000, "UL", len(values).to_bytes(4, "little"), form) + values
    made = read(patch_bytes(file_of(body, form), compile_spec({"unknown": None})))
    assert [int(one.tag) for one in made] == [0x00420000, 0x00420010]
    assert made[0x00420000].value == len(element(0x00420010, "ST", b"ab", form))


def test_unknown_sequence_of_undefined_length_is_removed_whole() -> None:
    form = FORMS[1]
    inner = sequence(
        0x00081115, item(element(0x00100010, "PN", b"Zebulon ", form), form), form, defined=False
    )
    body = sequence(0x00EE0010, item(inner, form, defined=False), form, defined=False, vr="UN")
    output = patch_bytes(
        file_of(element(0x00080060, "CS", b"MR", form) + body, form), compile_spec({"unknown": None})
    )
    assert b"Zebulon" not in output
    assert read(output).Modality == "MR"


def test_unknown_file_meta_is_removed() -> None:
    form = FORMS[1]
    extra = element(0x000200AA, "LO", b"Zebulon ", form)
    content = file_of(element(0x00080060, "CS", b"MR", form), form, extra=extra)
    assert b"Zebulon" in content
    assert b"Zebulon" not in patch_bytes(content, compile_spec({"unknown": None}))


@pytest.mark.parametrize("value", ["", "x", "%_empty_#tag"])
def test_unknown_takes_null_or_keep_alone(value: str) -> None:
    with pytest.raises(SpecError, match="unknown: its value is null"):
        compile_spec({"unknown": value})


def test_survey_without_a_profile_lists_unknown_elements_that_stay(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(written(secretive()))
    flags = ("--dryRun", "--json", "--tagStruct")
    labels = {"(0042,0099)", "(00EE,0010)", "(0008,0A0A)"}
    run = run_command(tmp_path / "in", tmp_path / "out", *flags, '{"PatientName": "x"}')
    assert labels <= set(run.record["survey"]["left"])
    survey = run_command(tmp_path / "in", tmp_path / "out", *flags, '{"unknown": null}').record["survey"]
    assert not labels & set(survey["left"])
    assert survey["idleKeys"] == []
