"""The key ``rest``: what no other key names goes, and what an object needs stays."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom
import pydicom.data
import pytest
from builders import (
    EXPLICIT,
    FORMS,
    Form,
    data_set,
    element,
    file_of,
    nested,
    patched,
    read,
    rules_of,
    substitute,
    written,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.datadict import DicomDictionary
from support import run_command

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.spec.allow_list import is_needed, rest_tags

forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


@forms
def test_rest_removes_what_no_other_key_names(form: Form, tmp_path: Path) -> None:
    made = nested(
        data_set(PatientID="inner", ScheduledProcedureStepID="1"),
        PatientName="A^B",
        PatientID="4711",
        StudyDate="20240101",
        StudyDescription="d",
        SOPClassUID="1.2.840.10008.5.1.4.1.1.7",
        SOPInstanceUID="1.2.3",
        Rows=1,
    )
    made.add_new(0x00091001, "LO", "private")
    made.add_new(0x00090010, "LO", "ACME")
    spec = {"rest": None, "PatientID": "%_md5|4_PatientID", "re:StudyD.*": "%_keep_#tag"}
    left = patched(made, spec, tmp_path, form)
    assert [one.keyword for one in left] == [
        *("SOPClassUID", "SOPInstanceUID", "StudyDate", "StudyDescription", "PatientID", "Rows")
    ]
    assert left.PatientID == patched(made, {"PatientID": "%_md5|4_PatientID"}, tmp_path, form).PatientID


def test_rest_holds_inside_sequences_that_are_kept(tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner", PatientName="A^B"), PatientName="A^B", PatientID="x")
    spec = {"rest": None, "RequestAttributesSequence": "%_keep_#tag", "PatientID": "%_keep_#tag"}
    left = patched(made, spec, tmp_path)
    assert [one.keyword for one in left] == ["PatientID", "RequestAttributesSequence"]
    assert [one.keyword for one in left.RequestAttributesSequence[0]] == ["PatientID"]


def test_rest_removes_elements_that_no_dictionary_knows_curves_and_messages(tmp_path: Path) -> None:
    data = b"".join(
        element(tag, vr, value, EXPLICIT)
        for tag, vr, value in (
            (0x00080061, "LO", b"unknown "),
            (0x00100020, "LO", b"ID"),
            (0x10101234, "US", b"\1\0"),
            (0x50000010, "US", b"\1\0"),
            (0x60020022, "LO", b"overlay "),
        )
    )
    left = read(substitute(file_of(data), {"rest": None, "PatientID": "%_keep_#tag"}, tmp_path).content)
    assert [int(one.tag) for one in left] == [0x00100020]


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small_RLE.dcm", "examples_palette.dcm"])
def test_pixels_of_what_rest_leaves_are_read_as_before(name: str, tmp_path: Path) -> None:
    path = Path(pydicom.data.get_testdata_file(name, download=False) or "")
    if not path.is_file():
        pytest.skip(f"pydicom came without {name}")
    outputs = tmp_path / "out"
    done = run_command(path, outputs, "--tagStruct", json.dumps({"rest": None, "PatientID": "x"}), "--verify")
    assert done.code == 0, done.err
    before, after = pydicom.dcmread(path), pydicom.dcmread(outputs / name)
    assert after.PixelData == before.PixelData
    assert all(is_needed(int(one.tag)) or one.keyword == "PatientID" for one in after)
    assert (after.pixel_array == before.pixel_array).all()


@settings(max_examples=20, deadline=None)
@given(st.sets(st.sampled_from(sorted(rest_tags() & DicomDictionary.keys())), max_size=4))
def test_rest_names_every_element_but_those_that_others_name(kept: set[int]) -> None:
    spec: dict[str, str | None] = {f"{tag:08x}": "%_keep_#tag" for tag in kept}
    rules = rules_of({"rest": None, **spec})
    left = {tag for tag in rest_tags() if tag not in rules.table or rules.table[tag].keeps}
    assert left == kept


def test_rest_with_a_profile_below_only_stamps(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    made = data_set(
        PatientID="4711", StudyDate="20240101", SOPInstanceUID="1.2.3", PatientIdentityRemoved="NO"
    )
    (tmp_path / "in" / "a").write_bytes(written(made))
    flags = ("--profile", "basic", "--tagStruct", json.dumps({"rest": None, "StudyDate": "%_keep_#tag"}))
    assert run_command(tmp_path / "in", tmp_path / "out", *flags, "--verify").code == 0
    left = pydicom.dcmread(tmp_path / "out" / "a")
    assert left.PatientIdentityRemoved == "YES"
    assert left.StudyDate == "20240101"
    assert "PatientID" not in left
    printed = run_command(tmp_path / "in", tmp_path / "out", *flags, "--printSpec").out
    again = run_command(tmp_path / "in", tmp_path / "again", "--tagStruct", printed)
    assert again.code == 0
    assert (tmp_path / "again" / "a").read_bytes() == (tmp_path / "out" / "a").read_bytes()


def test_rest_takes_null_alone_and_goes_without_text() -> None:
    for spec in ({"rest": ""}, {"rest": "%_keep_#tag"}, {"rest": None, "text": "%_clean_#tag"}):
        with pytest.raises(SpecError, match="rest"):
            rules_of(spec)


def test_pattern_that_removes_all_is_pointed_at_rest() -> None:
    warned = rules_of({"re:.*": None, "PatientID": "%_keep_#tag"}).warnings
    assert any('write "rest": null' in text and text.startswith("PatientID") for text in warned)
    assert not rules_of({"rest": None, "PatientID": "%_keep_#tag"}).warnings


@pytest.mark.parametrize("spec", [{"rest": None}, {"unknown": None}])
def test_verification_expects_what_nobody_knows_of_the_file_meta_to_be_gone(
    spec: dict[str, None], tmp_path: Path
) -> None:
    (tmp_path / "in").mkdir()
    content = file_of(
        element(0x00100020, "LO", b"ID", EXPLICIT), extra=element(0x00020099, "LO", b"A^B ", EXPLICIT)
    )
    (tmp_path / "in" / "a").write_bytes(content)
    done = run_command(tmp_path / "in", tmp_path / "out", "--tagStruct", json.dumps(spec), "--verify")
    assert done.code == 0, done.err
    assert 0x00020099 not in read((tmp_path / "out" / "a").read_bytes()).file_meta
