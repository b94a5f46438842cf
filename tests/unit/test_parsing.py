"""Specs: what their keys and templates mean, and every error with its cure."""

from __future__ import annotations

import contextlib
import json

import pytest
from builders import rules_of
from hypothesis import given
from hypothesis import strategies as st

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.dicom.values import NO_VALUE, Value
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import from_pairs, parse_info, parse_json
from pfdicom_tagSub.spec.templates import parse_template


def error_of(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        compile_rules(parse_json(text, "--tagStruct"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ('{"PatientNam": "x"}', ["PatientNam", "PatientName"]),
        ('{"": "x"}', ["unknown keyword"]),
        ('{"patientid": "x"}', ["patientid", "PatientID"]),
        ('{"re:(": "x"}', ["re:(", "regular expression"]),
        ('{"re:Nothing.*": "x"}', ["re:Nothing.*", "matches no keyword"]),
        ('{"re:PixelData$": ""}', ["re:PixelData$", "matches no keyword"]),
        ('{"PatientID": "%_md6_PatientID"}', ["PatientID", "md6", "md5"]),
        ('{"PatientID": "%_md5|x_PatientID"}', ["PatientID", "1 to 32"]),
        ('{"PatientID": "%_md5|0_PatientID"}', ["PatientID", "1 to 32"]),
        ('{"PatientID": "%_md5|33_PatientID"}', ["PatientID", "1 to 32"]),
        ('{"PatientID": "%_strmsk_PatientID"}', ["PatientID", "mask"]),
        ('{"PatientID": "%_name|patientIdd_PatientID"}', ["PatientID", "PatientIdd", "seed"]),
        ('{"PatientID": "%_md5_PatientIdd"}', ["PatientID", "PatientIdd"]),
        ('{"PatientID": "%PatientNam"}', ["PatientID", "PatientNam", "PatientName"]),
        ('{"PatientID": "%PixelData"}', ["PatientID", "PixelData"]),
        ('{"StudyDate": "yesterday"}', ["StudyDate", "yesterday", "DA"]),
        ('{"Rows": "many"}', ["Rows", "many", "US"]),
        ('{"PatientID": "' + "x" * 65 + '"}', ["PatientID", "LO"]),
        ('{"TransferSyntaxUID": "1.2"}', ["TransferSyntaxUID", "unreadable"]),
        ('{"(0002,0000)": ""}', ["(0002,0000)", "unreadable"]),
        ('{"SpecificCharacterSet": ""}', ["SpecificCharacterSet", "unreadable"]),
        ('{"(0010,9999)": ""}', ["(0010,9999)", "dictionary"]),
        ('{"(0010,\\"ACME\\",10)": ""}', ["odd groups"]),
        ('{"PatientID": "a", "PatientID": "b"}', ["PatientID", "twice"]),
        ('{"PatientID": "a", "(0010,0020)": "b"}', ["PatientID", "(0010,0020)"]),
        ('{"PatientID": true}', ["PatientID", "true or false"]),
        ('{"PatientID": ["a"]}', ["PatientID", "list"]),
        ('{"PatientID": NaN}', ["NaN"]),
        ('["PatientID"]', ["JSON object"]),
        ('"PatientID"', ["JSON object"]),
        ('{"PatientID": "a",\n "x"}', ["line 2", "column"]),
        ("", ["line 1", "column 1"]),
    ],
)
def test_error_names_key_and_cure(text: str, parts: list[str]) -> None:
    message = error_of(text)
    for part in parts:
        assert part in message


def test_null_of_an_explicit_key_and_numbers_are_values() -> None:
    spec = parse_json('{"PatientID": 12.50, "Rows": null, "StudyID": 1e3}', "spec")
    assert [pair.value for pair in spec.pairs] == ["12.50", None, "1e3"]


def test_info_splits_at_the_first_separator_after_re() -> None:
    spec = parse_info("PatientID: a:b ++ re:Study.* : x ++", "++", ":")
    assert [(pair.text, pair.value) for pair in spec.pairs] == [("PatientID", "a:b"), ("re:Study.*", "x")]
    with pytest.raises(SpecError, match=r"no ':' in 'PatientName'.*--splitKeyValue"):
        parse_info("PatientID:x++PatientName", "++", ":")


@given(st.text(max_size=60))
def test_json_raises_nothing_but_spec_errors(text: str) -> None:
    for written in (text, json.dumps({"PatientID": text}), json.dumps({text: "x"})):
        with contextlib.suppress(SpecError):
            compile_rules(parse_json(written, "spec"))


@given(st.text(alphabet="%_|#tagPatientIDNamemd5strsk*0 -é", max_size=40))
def test_template_raises_nothing_but_spec_errors(text: str) -> None:
    with contextlib.suppress(SpecError):
        found = parse_template(text, "PatientID")
        assert found.evaluate(0x00100020, lambda tags: NO_VALUE)


@given(st.text(max_size=60).filter(lambda text: "#tag" not in text))
def test_plain_text_with_doubled_percent_signs_is_itself(text: str) -> None:
    found = parse_template(text.replace("%", "%%"), "PatientID")
    assert found.literal == text
    assert found.evaluate(0x00100020, lambda tags: NO_VALUE) == (text,)


def value(*texts: str) -> Value:
    return Value(texts, tuple(text.encode() for text in texts))


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("%PatientID", "DEV"),
        ("%_md5|7_PatientID", "bfeddf5"),
        ("%_md5|07_PatientID", "bfeddf5"),
        ("%_md5_PatientID", "bfeddf55471a1dfb43aad2a65b58d6fc"[:7] + "*"),
        ("%_strmsk|**_PatientID", "DE"),
        ("%_strmsk|*__*_PatientID", "D_V"),
        ("%_strmsk|xxxxx_PatientID", "xxx"),
        ("sub-%_md5|4_PatientID_ses-%PatientID", "sub-bfed_ses-DEV"),
        ("100%-%PatientID", "100%-DEV"),
        ("%%PatientID", "%PatientID"),
        ("%PatientIDs", "DEVs"),
        ("%_md5|4_PatientID-%PatientID", "bfed-DEV"),
        ("%PatientID-%_md5|4_PatientID", "DEV-bfed"),
        ("%PatientID-filename", "DEV-filename"),
        ("#tag", "PatientName"),
        ("%_md5|4_#tag", "bfed"),
        ("%_name|patientID_PatientName", "ROSALES^MICHELE^ANON"),
        ("%_name_PatientName", "ROSALES^MICHELE^ANON"),
    ],
)
def test_template_gives(template: str, result: str) -> None:
    found = parse_template(template, "PatientName").evaluate(0x00100010, lambda tags: value("DEV"))
    if result.endswith("*"):
        assert found[0].startswith(result[:-1])
        assert len(found[0]) == 32
    else:
        assert found == (result,)


def test_words_are_joined() -> None:
    for template, result in (("%_nospc|-_#tag", "EPI-PE-AP"), ("%_nospc_#tag", "EPIPEAP")):
        assert parse_template(template, "k").evaluate(0x00100020, lambda tags: value("EPI PE=AP")) == (
            result,
        )


def test_names_that_show_what_the_spec_replaces_are_warned_of() -> None:
    spec = from_pairs([("PatientID", "%_md5|7_PatientID")])
    shown = compile_rules(spec, output_stem="%PatientID-%InstanceNumber").warnings
    assert len(shown) == 1
    assert "PatientID" in shown[0]
    assert "InstanceNumber" not in shown[0]
    assert compile_rules(spec, output_stem="%_md5|7_PatientID-%InstanceNumber").warnings == ()


def test_warnings_name_keys_without_effect() -> None:
    assert any("PatientID" in text for text in rules_of({"PatientID": None, "re:PatientID": "x"}).warnings)
    hidden = rules_of({"re:PatientID": "x", "re:Patient.*": "%_md5_#tag"}).warnings
    assert any("re:PatientID has no effect" in text for text in hidden)
