"""Rules of other tools become a spec, and what has no equivalent is listed with its line and reason."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from builders import data_set, read, rules_of, written
from hypothesis import given
from hypothesis import strategies as st
from support import run_command

from pfdicom_tagSub import api
from pfdicom_tagSub.cli.command import main
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.pixels.device_masks import parse_masks
from pfdicom_tagSub.spec.importers import ctp, deid, dicom_anonymizer
from pfdicom_tagSub.spec.importers.translation import Translation

SCRIPT = """<script>
 <p t="DATEINC">-3210</p>
 <p t="SITEID">1</p>
 <p t="UIDROOT">1.2.840.113654.2.70.1</p>
 {}
</script>"""


def of_script(*entries: str) -> Translation:
    return ctp.translate(SCRIPT.format("\n ".join(entries)))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ('<e en="T" t="00080005">@keep()</e>', {}),
        (
            '<e en="T" t="00080020">@incrementdate(this,@DATEINC)</e>',
            {"StudyDate": "%_ctpIncrementdate|-3210_#tag"},
        ),
        ('<e en="T" t="00080050">@hash(this,16)</e>', {"AccessionNumber": "%_ctpHash|16_#tag"}),
        (
            '<e en="T" t="0020000d">@hashuid(@UIDROOT,this)</e>',
            {"StudyInstanceUID": "%_ctpHashuid|1.2.840.113654.2.70.1_#tag"},
        ),
        ('<e en="T" t="00100010">@hashname(this,6,2)</e>', {"PatientName": "%_ctpHashname|6|2_#tag"}),
        ('<e en="T" t="00100020">@lookup(this,pt_id)</e>', {"PatientID": "%_lookup|pt__id_#tag"}),
        ('<e en="T" t="00100030">@empty()</e>', {"PatientBirthDate": "%_empty_#tag"}),
        ('<e en="T" t="00100030"></e>', {"PatientBirthDate": "%_empty_#tag"}),
        ('<e en="T" t="00101002">@remove()</e>', {"OtherPatientIDsSequence": None}),
        ('<e en="F" t="00101002">@remove()</e>', {}),
        ('<e en="T" t="00120062">@always()YES</e>', {"PatientIdentityRemoved": "YES"}),
        ('<e en="T" t="00120062">YES</e>', {"re:PatientIdentityRemoved$": "YES"}),
        (
            '<e en="T" t="00120040">@hashptid(@SITEID,PatientID)</e>',
            {"re:ClinicalTrialSubjectID$": "%_ctpHashptid|1_PatientID"},
        ),
        (
            '<e en="T" t="00120063">@always()@append(){by CTP}</e>',
            {"DeidentificationMethod": {"add": "by CTP"}},
        ),
        (
            '<e en="T" t="00080060">@require()</e>',
            {"Modality": "%_keep_#tag", "when Modality absent": {"Modality": ""}},
        ),
        (
            '<e en="T" t="00120063">@append(){by @param(@SITEID): @date(-)}</e>',
            {"when DeidentificationMethod present": {"DeidentificationMethod": {"add": "by 1: 2026-02-03"}}},
        ),
        ('<e en="T" t="00080020">@date()</e>', {"re:StudyDate$": "20260203"}),
        ('<e en="T" t="00080030">@time()</e>', {"re:StudyTime$": "040506"}),
        ('<e en="T" t="00200010">100% @param(@SITEID)</e>', {"re:StudyID$": "100%% 1"}),
        ('<e en="T" t="00200010">@truncate(PatientID,3)</e>', {"re:StudyID$": "%_strmsk|***_PatientID"}),
        (
            '<e en="T" t="00540016">@always()@process()</e>',
            {"RadiopharmaceuticalInformationSequence": "%_keep_#tag"},
        ),
        ('<k en="T" t="0018">Keep group 0018</k>', {"(0018,xxxx)": "%_keep_#tag"}),
        ('<r en="T" t="privategroups">Remove</r>', {"private": None}),
        ('<r en="T" t="curves">Remove</r>', {"(50xx,xxxx)": None}),
        (
            '<e en="T" t="00200010">@if(Modality,equals,"C.T"){@keep()}{@remove()}</e>',
            {
                "when Modality matches '(?i)^C\\\\.T$'": {"StudyID": "%_keep_#tag"},
                "when not (Modality matches '(?i)^C\\\\.T$')": {"StudyID": None},
            },
        ),
        (
            '<e en="T" t="00200010">@if(this,isblank){@quarantine()}{@keep()}</e>',
            {
                "when (StudyID absent or StudyID empty)": "%_fail_",
                "when not ((StudyID absent or StudyID empty))": {"StudyID": "%_keep_#tag"},
            },
        ),
    ],
)
def test_rule_of_ctp_becomes_pairs(
    entry: str, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.struct_time((2026, 2, 3, 4, 5, 6, 1, 34, 0))
    monkeypatch.setattr(ctp, "strftime", lambda form: time.strftime(form, now))
    made = of_script(entry)
    assert made.untranslated == []
    assert made.pairs == {key.replace("\\\\", "\\"): value for key, value in expected.items()}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ('<e en="T" t="00131010">@always()CTP</e>', "cannot be inserted"),
        ('<e en="T" t="00131010">@require()</e>', "cannot be inserted"),
        ('<e en="T" t="00080060">@require(Manufacturer)</e>', "cannot be inserted"),
        ('<e en="T" t="00120063">@append(){by @contents(StationName)}</e>', "made of the file"),
        ('<e en="T" t="0020000d">@select(){@keep()}{@remove()}</e>', "items"),
        ('<e en="T" t="00080020">@incrementdate(this,@NOWHERE)</e>', "the parameter @NOWHERE is not given"),
        ('<e en="T" t="00080020">@incrementdate(this,soon)</e>', "number of days"),
        ('<e en="T" t="00100020">@encrypt(this,"key")</e>', "@encrypt has none"),
        ('<e en="T" t="00100020">@hash(this</e>', "not closed"),
        ('<e en="T" t="00100020">@IF (this,exists){a}{b}</e>', "@IF has none"),
        ('<e en="T" t="00120064">113999</e>', "the code 113999"),
        ('<k en="T" t="safeprivateelements">Keep</k>', "retainSafePrivate"),
    ],
)
def test_rule_of_ctp_without_an_equivalent_is_listed_with_its_line(entry: str, reason: str) -> None:
    made = of_script('<e en="T" t="00100010">@remove()</e>', entry)
    assert (made.count, made.pairs) == (2, {"PatientName": None})
    (missing,) = made.untranslated
    assert missing.line == 6
    assert reason in missing.reason


def test_last_rule_of_a_script_for_an_element_counts() -> None:
    made = of_script(
        '<e en="T" t="0010001e">@contents(PatientID)</e>',
        '<e en="T" t="00100010">@contents(PatientID)</e>',
        '<e en="T" t="00100010">@remove()</e>',
        '<e en="F" t="00100010">@keep()</e>',
    )
    assert made.pairs == {"PatientName": None}
    assert [(one.line, one.reason) for one in made.untranslated][1:] == [
        (6, "a later rule for the element takes its place")
    ]


def test_script_is_read_as_utf_8_whatever_it_declares() -> None:
    text = '<?xml version="1.0" encoding="ISO-8859-1"?><script><e en="T" t="00100010">Müller</e></script>'
    assert ctp.translate(text).pairs == {"re:PatientName$": "Müller"}


def test_script_that_removes_what_it_does_not_name_keeps_what_ctp_keeps() -> None:
    made = of_script(
        '<e en="T" t="00100020">@keep()</e>',
        '<r en="T" t="unspecifiedelements">Remove</r>',
    )
    content = written(
        data_set(PatientID="1", PatientName="x", Rows=1, WindowCenter="1", StudyInstanceUID="1.2")
    )
    left = read(api.patch_bytes(content, rules_of(made.pairs)))  # type: ignore[arg-type]
    assert [one.keyword for one in left] == ["PatientID", "StudyInstanceUID", "Rows", "WindowCenter"]


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("KEEP StudyDate\nREMOVE endswith:Date", {"StudyDate": "20200103"}),
        ("REMOVE endswith:Date\nKEEP StudyDate", {"StudyDate": "20200103"}),
        ("JITTER StudyDate 5\nREMOVE endswith:Date", {"StudyDate": "20200108"}),
        ("REPLACE StudyDate 20010101\nREMOVE endswith:Date", {"StudyDate": "20010101"}),
        ("REPLACE SeriesDate 20010101\nBLANK SeriesDate", {"StudyDate": "20200103", "SeriesDate": ""}),
        ("KEEP StudyDate\nBLANK contains:Date", {"StudyDate": "20200103", "SeriesDate": ""}),
    ],
)
def test_recipe_of_deid_keeps_and_changes_what_deid_does(rules: str, left: dict[str, str]) -> None:
    """What a rule names is not removed by a pattern, wherever the pattern stands (deid 0.4.13)."""
    made = deid.translate(f"FORMAT dicom\n%header\n{rules}\n")
    content = written(data_set(StudyDate="20200103", SeriesDate="20200105"))
    found = read(api.patch_bytes(content, rules_of(made.pairs)))  # type: ignore[arg-type]
    assert {one.keyword: one.value for one in found} == left


def test_script_that_is_no_xml_or_has_entities_is_an_error() -> None:
    with pytest.raises(SpecError, match="no XML at line 1"):
        ctp.translate("<script")
    with pytest.raises(SpecError, match="DOCTYPE"):
        ctp.translate('<!DOCTYPE x [<!ENTITY a "b">]><script/>')


RECIPE = """FORMAT dicom

%fields people
FIELD startswith:Operator
FIELD PerformedStationName

%header
# a comment
ADD PatientIdentityRemoved YES
REPLACE PatientID anon # why
BLANK PatientBirthDate
REMOVE contains:Physician
KEEP StudyDate
JITTER SeriesDate -31
REMOVE ALL
REPLACE PatientName var:real_name
REMOVE PatientAge func:is_old
REMOVE select:VR:PN
BLANK select:GROUP:0032
REPLACE (0033,"MITRA",1E) x
JITTER AcquisitionDate deid_func:jitter days=2 years=1
REPLACE SOPInstanceUID deid_func:pydicom_uuid
REMOVE fields:people

%filter blacklist
LABEL Burned In # (somebody)
  contains BurnedInAnnotation yes|true
  + notequals Modality SR || missing Modality

%filter graylist
LABEL A device
  contains Modality US || contains Modality IVUS
  + contains ImageType A
  + contains ImageType B
  coordinates 0,0,10,10
  ctpcoordinates 5,6,7,8

LABEL Suspicious
  missing Manufacturer

LABEL Regions
  keepcoordinates from:SequenceOfUltrasoundRegions

%filter whitelist
LABEL Trusted
  equals BurnedInAnnotation NO
"""


def test_recipe_of_deid_becomes_pairs() -> None:
    made = deid.translate(RECIPE)
    condition = (
        "((BurnedInAnnotation matches '(?i)yes|true')) and ((not Modality = 'SR') or (Modality absent))"
    )
    assert made.pairs == {
        "PatientIdentityRemoved": "YES",
        "re:PatientID$": "anon",
        "PatientBirthDate": "%_empty_#tag",
        "re:(?i).*(?:Physician)": None,
        "PatientName": "%_lookup|real__name_#tag",
        "VR:PN": None,
        "(0032,xxxx)": "%_empty_#tag",
        '(0033,"MITRA",1E)': "x",
        "AcquisitionDate": "%_shift|367_#tag",
        "SOPInstanceUID": "%_uid_#tag",
        "re:(?i)(?:Operator)": None,
        "PerformedStationName": None,
        "re:StudyDate$": "%_keep_#tag",
        "re:SeriesDate$": "%_shift|-31_#tag",
        "rest": None,
        f"when ({condition})": "%_fail|Burned In_",
    }
    assert [(one.line, one.reason.split()[0]) for one in made.untranslated] == [(17, "a"), (41, "pixels")]
    assert made.count == 22
    images = {"matches": "^(?=.*(?:B))^(?=.*(?:A))"}
    rectangles = [[0, 0, 10, 10], [5, 6, 7, 8]]
    assert made.masks == [
        *(
            {
                "when": {"Modality": {"matches": f"^(?=.*(?:{modality}))"}, "ImageType": images},
                "rectangles": rectangles,
                "source": "deid",
            }
            for modality in ("US", "IVUS")
        ),
        {"when": {"Manufacturer": {"missing": True}}, "kind": "review", "source": "deid"},
    ]
    masks, _ = parse_masks(json.dumps({"masks": made.masks}).encode(), "test")
    values = {0x00080060: ("IVUS",), 0x00080008: ("xB", "A")}
    assert [mask.fits(values.get) for mask in masks] == [True, True, True]
    values = {0x00080060: ("CT",), 0x00080008: ("xB", "A"), 0x00080070: ("x",)}
    assert [mask.fits(values.get) for mask in masks] == [False, False, False]


CONSTANTS = {
    "VR:SQ": "%_keep_#tag",
    "VR:DA": "00010101",
    "VR:TM": "000000.00",
    "VR:DT": "00010101010101.000000+0000",
    **{f"VR:{vr}": "0" for vr in ("DS", "FD", "FL", "IS", "SL", "SS", "UL", "US")},
    **{f"VR:{vr}": "%_empty_#tag" for vr in ("OB", "UN")},
}
WORDS = ("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT")
REPLACED = {
    **CONSTANTS,
    **{f"VR:{vr}": "ANONYMIZED" for vr in WORDS},
    "VR:AS": "000Y",
    "VR:UR": "http://anonymized.invalid",
}
EMPTIED = {**CONSTANTS, **{f"VR:{vr}": "%_empty_#tag" for vr in (*WORDS, "AS", "UR")}}
"""What becomes of all that is in the items of a sequence."""


@pytest.mark.parametrize("replace", ["x", "a|b", r"a\|b", r"\1|", r"\\|9", "|_|"])
def test_bars_of_a_pattern_of_dicom_anonymizer_mean_the_same(replace: str) -> None:
    actions = {"(0x0008, 0x0080)": {"action": "regexp", "find": "(c|d)_", "replace": replace}}
    made = dicom_anonymizer.translate(json.dumps(actions))
    assert made.untranslated == []
    data = written(data_set(InstitutionName="ac_d_e"))
    output = read(api.patch_bytes(data, api.compile_spec(json.dumps(made.pairs))))
    expected = re.sub("(c|d)_", replace, "ac_d_e").split("\\")
    assert output[0x00080080].value == (expected[0] if len(expected) == 1 else expected)


def test_dictionary_of_dicom_anonymizer_becomes_pairs() -> None:
    actions = {
        "(0x0010, 0x0010)": "replace",
        "(0x0010, 0x0020)": "delete",
        "(0x0008, 0x0020)": "delete",
        "(0x0010, 0x0030)": "empty",
        "(0x0008, 0x0018)": "replace_UID",
        "(0x0008, 0x0060)": "keep",
        "(0x0008, 0x0080)": {"action": "regexp", "find": "a_b", "replace": ""},
        "(0x0008, 0x0090)": "my_own",
        "(0x0040, 0x0275)": "replace",
        "(0x0008, 0x1140)": "delete_or_empty_or_replace_UID",
        "(0x0010, 0x1010)": "replace",
        "(0x0010, 0x1020)": "empty",
        "(0x0008, 0x1010)": {"action": "replace_with_value", "value": "100%"},
        "(0x5000, 0x0000, 0xff00, 0x0000)": "delete",
        "(0x6000, 0x3000, 0xff00, 0xffff)": "delete",
        "(0x6000, 0x3000, 0xff0f, 0xffff)": "delete",
        "(0x7fe0, 0x0008)": "replace",
    }
    made = dicom_anonymizer.translate(json.dumps(actions, indent=1))
    assert made.pairs == {
        "re:PatientName$": "ANONYMIZED",
        "re:PatientAge$": "000Y",
        "re:PatientSize$": "0",
        "re:StationName$": "100%%",
        "RequestAttributesSequence": {"each": {**REPLACED, "VR:UI": "%_uid_#tag"}},
        "ReferencedImageSequence": {"each": {**EMPTIED, "VR:UI": "%_empty_#tag"}},
        "(50xx,xxxx)": None,
        "(60xx,3000)": None,
        "PatientID": None,
        "re:StudyDate$": "00010101",
        "re:PatientBirthDate$": "00010101",
        "SOPInstanceUID": "%_uid_#tag",
        "Modality": "%_keep_#tag",
        "InstitutionName": "%_regex|a__b|_#tag",
    }
    assert [(one.line, one.reason.split(";")[0]) for one in made.untranslated] == [
        (13, "an action of its user's own"),
        (24, "a mask of tags with this action"),
        (25, "files with it fail there (VR OF)"),
    ]


@given(st.text(max_size=60))
def test_any_text_of_a_script_is_translated_or_listed(text: str) -> None:
    entry = text.replace("&", "").replace("<", "").replace("\0", "")
    entry = "".join(one for one in entry if one.isprintable())
    made = of_script(f'<e en="T" t="00100020">{entry}</e>')
    assert made.count == 1
    rules_of(made.pairs)  # type: ignore[arg-type]


# --- the command


def run(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(["--importRules", str(path)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_command_prints_a_spec_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.script").write_text(SCRIPT.format('<e en="T" t="00080050">@hash(this,4)</e>'))
    code, out, _ = run(tmp_path / "a.script", capsys)
    assert code == 0
    (tmp_path / "spec.json").write_text(out)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(written(data_set(AccessionNumber="hello")))
    done = run_command(tmp_path / "in", tmp_path / "out", "--tagFile", str(tmp_path / "spec.json"))
    assert done.code == 0
    assert read((tmp_path / "out" / "a").read_bytes()).AccessionNumber == "1239"


def test_command_lists_what_has_no_equivalent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "deid.dicom").write_text(RECIPE)
    code, out, err = run(tmp_path / "deid.dicom", capsys)
    assert code == 1
    assert "PatientBirthDate" in json.loads(out)
    assert "deid.dicom, line 17: REMOVE PatientAge func:is_old: no equivalent:" in err
    assert "deid.dicom, line 31: A device: no equivalent: it is a mask of pixels; give --importMasks" in err
    assert "18 of 22 rules were translated" in err


def test_one_mask_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rules = "FORMAT dicom\n\n%filter graylist\n\nLABEL A\n  contains Modality US\n  coordinates 0,0,9,9\n"
    (tmp_path / "deid.dicom").write_text(rules)
    masks = str(tmp_path / "masks.json")
    assert main(["--importRules", str(tmp_path / "deid.dicom"), "--importMasks", masks]) == 0
    assert "1 mask is in" in capsys.readouterr().err


def test_command_writes_masks_that_pixel_masks_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "deid.dicom").write_text(RECIPE)
    masks = tmp_path / "masks.json"
    assert main(["--importRules", str(tmp_path / "deid.dicom"), "--importMasks", str(masks)]) == 1
    captured = capsys.readouterr()
    assert "20 of 22 rules were translated" in captured.err
    assert "3 masks are in" in captured.err
    assert len(parse_masks(masks.read_bytes(), "masks")[0]) == 3
    assert masks.stat().st_mode & 0o777 == 0o600
    assert main(["--importMasks", str(masks)]) == 2
    assert "--importMasks is for --importRules" in capsys.readouterr().err
    place = str(tmp_path / "missing" / "masks.json")
    assert main(["--importRules", str(tmp_path / "deid.dicom"), "--importMasks", place]) == 2
    assert "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "PatientName: x", "[1]", "{", "<a"])
def test_file_of_no_known_tool_is_an_error(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rules").write_text(text)
    code, out, err = run(tmp_path / "rules", capsys)
    assert (code, out) == (2, "")
    assert "--importRules" in err
