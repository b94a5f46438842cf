"""The key ``text``, and every text that a clean option keeps: it is cleaned, whatever names it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from builders import BIG, EXPLICIT, IMPLICIT, Form, data_set, element, file_of, nested, read, written
from installed import run
from pydicom import Dataset, datadict

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.dicom.free_text import is_free_text
from pfdicom_tagSub.spec.rules import RuleSet

CLEAN_OPTIONS = ("cleanDescriptors", "cleanStructuredContent", "cleanGraphics")
ALL = ",".join(("basic", *CLEAN_OPTIONS))
TEXT = {"text": "%_clean_#tag"}


def _file(**values: Any) -> Dataset:
    return data_set(
        SOPClassUID="1.2.840.10008.5.1.4.1.1.4",
        SOPInstanceUID="1.2.3.4",
        PatientName="Quibbleford^Marigold",
        PatientID="P123456",
        **values,
    )


def cleaned(made: Dataset, profile: str = ALL, spec: Any = None, form: Form = EXPLICIT) -> Dataset:
    """A data set after a profile, a spec or both were applied."""
    return read(patch_bytes(written(made, form), _compiled(json.dumps(spec or {}), profile)))


@cache
def _compiled(spec: str, profile: str) -> RuleSet:
    return compile_spec(json.loads(spec), profile=profile)


_UNLISTED = [
    *(
        "CommentsOnTheScheduledProcedureStep",
        "DocumentTitle",
        "CompletionFlagDescription",
        "ContentDescription",
    ),
    *("TreatmentStatusComment", "OverrideReason", "RTImageDescription", "FrameLabel", "RTImageLabel"),
    *("SegmentLabel", "SegmentDescription", "Manufacturer", "LUTExplanation", "ManufacturerModelName"),
    *("SequenceName", "RetrieveURL", "SelectorUCValue", "EvaluatorName", "URNCodeValue", "BodyPartExamined"),
]


@pytest.mark.parametrize("option", CLEAN_OPTIONS)
@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: str(form.name))
@pytest.mark.parametrize("keyword", _UNLISTED)
def test_text_that_no_row_names_is_cleaned_under_any_clean_option(
    keyword: str, form: Form, option: str
) -> None:
    vr = datadict.dictionary_VR(keyword)
    text = {"UR": "https://h.org/Quibbleford", "CS": "by Quibbleford"}.get(vr, "knee of Quibbleford")
    for made in (_file(**{keyword: text}), nested(_file(**{keyword: text}), keyword="PlanePositionSequence")):
        made.SOPClassUID, made.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4"
        made.PatientName = "Quibbleford^Marigold"
        output = cleaned(made, f"basic,{option}", form=form)
        inner = output if keyword in output else output.PlanePositionSequence[0]
        assert "Quibbleford" not in str(inner[keyword].value)
        if vr not in ("UR", "CS", "PN"):
            assert inner[keyword].value in ("knee of", ["knee of"])


def test_text_within_whatever_is_kept_is_cleaned() -> None:
    annotation = data_set(UnformattedTextValue="ECG of Marigold", AnnotationGroupNumber=1)
    box = data_set(UnformattedTextValue="Quibbleford 1")
    context = data_set(ValueType="TEXT", TextValue="by Marigold: 123456")
    made = _file(
        WaveformAnnotationSequence=[annotation],
        StructuredDisplayTextBoxSequence=[box],
        ProtocolContextSequence=[context],
        ViewCodeSequence=[
            data_set(CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning="Quibbleford view")
        ],
    )
    output = cleaned(made)
    assert output.WaveformAnnotationSequence[0].UnformattedTextValue == "ECG of"
    assert output.StructuredDisplayTextBoxSequence[0].UnformattedTextValue == "1"
    assert output.ProtocolContextSequence[0].TextValue == "by:"
    assert output.ViewCodeSequence[0].CodeMeaning == "view"


def test_text_stays_without_a_clean_option() -> None:
    made = _file(SegmentLabel="knee of Quibbleford")
    assert cleaned(made, "basic").SegmentLabel == "knee of Quibbleford"


def _with_private(creator: str, number: int, vr: str, value: Any, group: int = 0x0019) -> Dataset:
    made = _file()
    made.private_block(group, creator, create=True).add_new(number, vr, value)
    return made


def _private(made: Dataset, group: int = 0x0019, number: int = 0x9E) -> Any:
    return made[group << 16 | 0x1000 | number].value


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
@pytest.mark.parametrize("vr", ["LO", "UN"])
def test_text_of_the_safe_private_list_is_cleaned(vr: str, form: Form) -> None:
    value = "efgre Quibbleford" if vr == "LO" else b"efgre Quibbleford "
    made = _with_private("GEMS_ACQU_01", 0x9E, vr, value)
    output = cleaned(made, "basic,retainSafePrivate,cleanDescriptors", form=form)
    kept = _private(output)
    assert (kept.decode() if isinstance(kept, bytes) else kept).strip() == "efgre"
    kept = _private(cleaned(made, "basic,retainSafePrivate", form=form))
    assert "Quibbleford" in (kept.decode() if isinstance(kept, bytes) else kept)


@pytest.mark.parametrize(
    ("vr", "value"),
    [("FD", [0.5, 123456.0]), ("OB", b"\0\1Quibbleford\0"), ("DS", "123456"), ("UN", b"\0\1\2\3"), ("US", 7)],
)
def test_private_values_that_are_no_text_are_kept(vr: str, value: Any) -> None:
    made = _with_private("ACME", 0x01, vr, value)
    spec = compile_spec({}, profile=ALL, keep_private=('(0019,"ACME",01)',))
    output = read(patch_bytes(written(made), spec))
    assert _private(output, number=0x01) == _private(made, number=0x01)


def test_text_that_keep_private_names_is_cleaned() -> None:
    spec = compile_spec({}, profile=ALL, keep_private=('(0019,"ACME",01)',))
    output = read(patch_bytes(written(_with_private("ACME", 0x01, "LO", "of Marigold")), spec))
    assert _private(output, number=0x01) == "of"


def test_text_that_a_retain_option_keeps_is_cleaned() -> None:
    made = _file(InstitutionName="Practice of Quibbleford", StationName="MR7")
    output = cleaned(made, f"basic,retainInstitutionIdentity,retainDeviceIdentity,{','.join(CLEAN_OPTIONS)}")
    assert (output.InstitutionName, output.StationName) == ("Practice of", "MR7")


def test_code_strings_that_a_retain_option_keeps_are_cleaned_of_what_people_wrote() -> None:
    values = {"SmokingStatus": "of Quibbleford", "PatientSexNeutered": "QUIBBLEFORD", "PatientSex": "F"}
    codes = {"PregnancyStatus": 4, "ModifyingDeviceID": "UNIT P123456"}
    output = cleaned(
        _file(**values, **codes),
        f"basic,retainPatientCharacteristics,retainDeviceIdentity,{CLEAN_OPTIONS[0]}",
    )
    assert "QUIBBLEFORD" not in str(output).upper()
    assert "123456" not in str(output)
    assert (output.PatientSex, output.PregnancyStatus) == ("F", 4)
    plain = _file(SmokingStatus="YES", PatientSexNeutered="ALTERED", ModifyingDeviceID="UNIT_7")
    kept = cleaned(plain, f"basic,retainPatientCharacteristics,retainDeviceIdentity,{CLEAN_OPTIONS[0]}")
    assert [kept.SmokingStatus, kept.PatientSexNeutered, kept.ModifyingDeviceID] == [
        "YES",
        "ALTERED",
        "UNIT_7",
    ]


def test_cities_stay_in_names_of_institutions_that_are_retained() -> None:
    made = _file(InstitutionName="Springfield Infirmary", PatientAddress="1 Elm Lane, Springfield")
    made.SeriesDescription = "knee, Springfield"
    output = cleaned(made, f"basic,retainInstitutionIdentity,{','.join(CLEAN_OPTIONS)}")
    assert (output.InstitutionName, output.SeriesDescription) == ("Springfield Infirmary", "knee")


def test_a_code_that_persons_share_with_others_stays() -> None:
    person = nested(data_set(CodeValue="T-A0100"), keyword="PersonIdentificationCodeSequence")
    made = _file(PerformingPhysicianIdentificationSequence=[person])
    made.ViewCodeSequence = [data_set(CodeValue="T-A0100", CodingSchemeDesignator="SRT", CodeMeaning="x")]
    assert cleaned(made).ViewCodeSequence[0].CodeValue == "T-A0100"


def test_a_key_of_the_user_exempts_a_text() -> None:
    made = _file(SegmentLabel="knee of Quibbleford", FrameLabel="Quibbleford")
    output = cleaned(made, spec={"SegmentLabel": "%_keep_#tag"})
    assert (output.SegmentLabel, output.FrameLabel) == ("knee of Quibbleford", "REMOVED")
    output = cleaned(made, spec={"text": "%_keep_#tag"})
    assert (output.SegmentLabel, output.FrameLabel) == ("knee of Quibbleford", "Quibbleford")


def test_text_key_stands_alone_in_a_spec() -> None:
    made = _file(SegmentLabel="knee of Quibbleford", Rows=3, StudyDescription="P123456 knee")
    output = cleaned(made, "", TEXT | {"PatientName": "X", "PatientID": None})
    assert (output.SegmentLabel, output.StudyDescription, output.Rows) == ("knee of", "knee", 3)
    assert output.PatientName == "X"


@pytest.mark.parametrize("value", [None, "", "x", "%PatientID", "%_clean_PatientID", "a %_clean_#tag"])
def test_text_key_takes_no_other_value(value: str | None) -> None:
    with pytest.raises(SpecError, match="text: its value is %_clean_#tag or %_keep_#tag"):
        compile_spec({"text": value})


def test_text_without_an_identifier_keeps_its_bytes() -> None:
    content = file_of(
        element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.4\0", EXPLICIT)
        + element(0x00100010, "PN", b"Quibbleford ", EXPLICIT)
        + element(0x00209453, "LO", b" knee  \0\0", EXPLICIT)
        + element(0x00700081, "LO", b"kn\xe9e ", EXPLICIT)
    )
    output = patch_bytes(content, compile_spec(TEXT | {"PatientName": "X"}))
    assert element(0x00209453, "LO", b" knee  \0\0", EXPLICIT) in output
    assert element(0x00700081, "LO", b"kn\xe9e ", EXPLICIT) in output


def test_creators_file_ids_and_character_sets_are_no_texts() -> None:
    made = _with_private("Quibbleford 1", 0x01, "LO", "x")
    made.SpecificCharacterSet = "ISO_IR 100"
    output = cleaned(made, "", TEXT | {"PatientName": "X"})
    assert made[0x00190010].value == output[0x00190010].value == "Quibbleford 1"
    assert output.SpecificCharacterSet == "ISO_IR 100"


def test_verification_passes_cleaned_texts_and_the_spec_prints(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    made = _file(SegmentLabel="knee of Quibbleford", FrameLabel="Marigold", DocumentTitle="left, P123456")
    (source / "a.dcm").write_bytes(written(made))
    done = run(source, target, "--profile", ALL, "--verify", "--json", spec=None)
    assert (done.code, done.record["residuals"]) == (0, []), done.out + done.err
    printed = run(source, tmp_path / "no", "--profile", ALL, "--printSpec", spec=None)
    assert json.loads(printed.out)["text"] == "%_clean_#tag"


@pytest.mark.parametrize(
    ("vr", "raw", "expected"),
    [
        *[(vr, b"x", True) for vr in ("AE", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT")],
        *[(vr, b"x", False) for vr in ("DA", "DS", "IS", "OB", "UI", "US", "SQ")],
        ("CS", b"HEAD\\KNEE ", False),
        ("CS", b"HEAD\\of Doe", True),
        ("UN", b"text\r\n\0", True),
        ("UN", b"\1\2", False),
    ],
)
def test_free_text_is_known_by_its_vr(vr: str, raw: bytes, expected: bool) -> None:
    assert is_free_text(vr, raw) is expected
