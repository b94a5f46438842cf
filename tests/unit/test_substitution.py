"""What the rules make of a file (design.md, section 5)."""

from __future__ import annotations

import hashlib
import struct
import warnings
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    FORMS,
    IMPLICIT,
    SOP_CLASS,
    UNDEFINED,
    Form,
    Substituted,
    data_set,
    element,
    file_of,
    item,
    nested,
    patched,
    read,
    sequence,
    substitute,
    written,
)
from pydicom import Dataset

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.core.outcome import Action, Stage, Status

NAME, PATIENT_ID, CHARSET, STUDIES = 0x00100010, 0x00100020, 0x00080005, 0x00081110

forms = pytest.mark.parametrize("form", [*FORMS, DEFLATED], ids=lambda form: form.name)
plain_forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
undefined = pytest.mark.parametrize("undefined", [False, True], ids=["defined", "undefined"])


def md5(text: str, digits: int = 32) -> str:
    return hashlib.md5(text.encode()).hexdigest()[:digits]


# --- where a substitution applies, and where its values come from


@forms
@undefined
def test_substitution_applies_at_every_depth(form: Form, undefined: bool, tmp_path: Path) -> None:
    inner = nested(data_set(PatientID="deep"), keyword="ContentSequence", PatientID="middle")
    made = nested(inner, data_set(AccessionNumber="1"), PatientID="root")
    output = patched(made, {"PatientID": "<%PatientID>"}, tmp_path, form, undefined=undefined)
    first, second = output.RequestAttributesSequence
    assert output.PatientID == "<root>"
    assert first.PatientID == "<middle>"
    assert first.ContentSequence[0].PatientID == "<deep>"
    assert list(second.keys()) == [0x00080050]


@forms
@undefined
def test_source_is_looked_up_in_the_item_then_outwards(form: Form, undefined: bool, tmp_path: Path) -> None:
    inner = nested(
        data_set(AccessionNumber="a"),
        data_set(AccessionNumber="b", PatientID="innermost"),
        keyword="ContentSequence",
        AccessionNumber="c",
        PatientID="item",
    )
    made = nested(inner, data_set(AccessionNumber="d"), AccessionNumber="e", PatientID="root")
    output = patched(made, {"AccessionNumber": "%PatientID"}, tmp_path, form, undefined=undefined)
    first, second = output.RequestAttributesSequence
    assert output.AccessionNumber == "root"
    assert first.AccessionNumber == "item"
    assert [part.AccessionNumber for part in first.ContentSequence] == ["item", "innermost"]
    assert second.AccessionNumber == "root"


def test_source_is_never_looked_up_inwards_or_aside(tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner"), data_set(AccessionNumber="1"), AccessionNumber="2")
    output = patched(made, {"AccessionNumber": "x%PatientID"}, tmp_path)
    assert output.AccessionNumber == "x"
    assert output.RequestAttributesSequence[1].AccessionNumber == "x"


def test_source_may_be_in_the_file_meta(tmp_path: Path) -> None:
    made = nested(data_set(AccessionNumber="1"), AccessionNumber="2", SOPClassUID="1.2.4")
    output = patched(made, {"AccessionNumber": "%MediaStorageSOPClassUID"}, tmp_path)
    assert output.AccessionNumber == "1.2.4"
    assert output.RequestAttributesSequence[0].AccessionNumber == "1.2.4"


def test_values_come_from_the_original_file(tmp_path: Path) -> None:
    made = nested(
        data_set(AccessionNumber="a", PatientID="inner"),
        PatientID="root",
        PatientName="A^B",
        AccessionNumber="acc",
        StudyID="s",
    )
    spec = {
        "PatientID": "new",
        "PatientName": "%PatientID",
        "AccessionNumber": "%PatientID-%PatientName",
        "StudyID": "%AccessionNumber",
    }
    output = patched(made, spec, tmp_path)
    assert (output.PatientID, output.PatientName) == ("new", "root")
    assert (output.AccessionNumber, output.StudyID) == ("root-A^B", "acc")
    assert output.RequestAttributesSequence[0].AccessionNumber == "inner-A^B"


def test_swapped_values_change_places(tmp_path: Path) -> None:
    output = patched(
        data_set(PatientID="1", StudyID="2"), {"PatientID": "%StudyID", "StudyID": "%PatientID"}, tmp_path
    )
    assert (output.PatientID, output.StudyID) == ("2", "1")


def test_source_of_a_repeating_group_is_the_element_hit(tmp_path: Path) -> None:
    made = Dataset()
    made.add_new(0x60000022, "LO", "first")
    made.add_new(0x60020022, "LO", "second")
    output = patched(made, {"OverlayDescription": "<%OverlayDescription>"}, tmp_path)
    assert (output[0x60000022].value, output[0x60020022].value) == ("<first>", "<second>")


def test_hash_tag_stands_for_the_element_hit(tmp_path: Path) -> None:
    made = data_set(InstitutionName="A", StationName="B")
    output = patched(made, {"re:(Institution|Station)Name": "#tag is %#tag"}, tmp_path)
    assert (output.InstitutionName, output.StationName) == ("InstitutionName is A", "StationName is B")


# --- what is absent or empty


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("%PatientID", ""),
        ("x%PatientID", "x"),
        ("%_md5|7_PatientID", ""),
        ("%_strmsk|ab*_PatientID", ""),
        ("%_nospc|-_PatientID", ""),
        ("a%_md5_PatientID-%_strmsk|**_PatientIDz", "a-z"),
        ("%_name|patientID_PatientID", "FISHER^NORMA^ANON"),
    ],
)
@pytest.mark.parametrize("patient", [None, "", "   "])
def test_absent_or_empty_source_gives_nothing(
    template: str, result: str, patient: str | None, tmp_path: Path
) -> None:
    made = data_set(StudyDescription="was")
    if patient is not None:
        made.PatientID = patient
    output = patched(made, {"StudyDescription": template}, tmp_path)
    assert (output.StudyDescription or "") == result


@forms
def test_empty_value_stays_empty(form: Form, tmp_path: Path) -> None:
    made = data_set(PatientID="", AccessionNumber=None, PatientName="", StudyDate="")
    spec = {
        "PatientID": "%_md5|7_PatientID",
        "AccessionNumber": "%_strmsk|x***_#tag",
        "PatientName": "%_nospc|-_PatientName",
        "StudyDate": "%_strmsk|19700101_StudyDate",
    }
    content = written(made, form)
    result = substitute(content, spec, tmp_path)
    assert result.content == content
    assert {tag: list(actions) for tag, actions in result.actions.items()} == {
        PATIENT_ID: [Action.EMPTIED],
        0x00080050: [Action.EMPTIED],
        NAME: [Action.EMPTIED],
        0x00080020: [Action.EMPTIED],
    }


def test_seed_that_is_absent_gives_way_to_the_value(tmp_path: Path) -> None:
    spec = {"PatientName": "%_name|patientID_PatientName"}
    first = patched(data_set(PatientName="DEV"), spec, tmp_path)
    second = patched(data_set(PatientName="X^Y", PatientID="DEV"), spec, tmp_path)
    assert first.PatientName == second.PatientName == "ROSALES^MICHELE^ANON"


def test_seed_is_looked_up_outwards(tmp_path: Path) -> None:
    made = nested(data_set(PatientName="A"), data_set(PatientName="B", PatientID=""), PatientID="DEV")
    output = patched(made, {"PatientName": "%_name|patientID_PatientName"}, tmp_path)
    names = [part.PatientName for part in output.RequestAttributesSequence]
    assert names == ["ROSALES^MICHELE^ANON", "FISHER^NORMA^ANON"]


# --- several values


def test_values_are_substituted_one_by_one(tmp_path: Path) -> None:
    made = data_set(OtherPatientIDs=["one", "", "three"])
    output = patched(made, {"OtherPatientIDs": "%_md5|4_OtherPatientIDs"}, tmp_path)
    assert list(output.OtherPatientIDs) == [md5("one", 4), "", md5("three", 4)]


def test_names_are_substituted_one_by_one(tmp_path: Path) -> None:
    made = data_set(OperatorsName=["A^B", "DEV"])
    output = patched(made, {"OperatorsName": "%_name_OperatorsName"}, tmp_path)
    assert list(map(str, output.OperatorsName))[1] == "ROSALES^MICHELE^ANON"
    assert len(output.OperatorsName) == 2


def test_a_single_value_serves_every_place(tmp_path: Path) -> None:
    made = data_set(OtherPatientIDs=["a", "b"], PatientID="P")
    output = patched(made, {"OtherPatientIDs": "%PatientID-%OtherPatientIDs"}, tmp_path)
    assert list(output.OtherPatientIDs) == ["P-a", "P-b"]


def test_fewer_values_give_nothing_where_they_end(tmp_path: Path) -> None:
    made = data_set(OtherPatientIDs=["a", "b", "c"], OperatorsName=["x", "y"])
    output = patched(made, {"OtherPatientIDs": "%OtherPatientIDs%OperatorsName"}, tmp_path)
    assert list(output.OtherPatientIDs) == ["ax", "by", "c"]


def test_a_source_with_more_values_makes_more_values(tmp_path: Path) -> None:
    made = data_set(StudyDescription="d", OperatorsName=["x", "y"])
    output = patched(made, {"StudyDescription": "%_md5|2_OperatorsName"}, tmp_path)
    assert list(output.StudyDescription) == [md5("x", 2), md5("y", 2)]


def test_backslash_in_a_literal_makes_two_values(tmp_path: Path) -> None:
    output = patched(data_set(OtherPatientIDs="a"), {"OtherPatientIDs": "A\\B"}, tmp_path)
    assert list(output.OtherPatientIDs) == ["A", "B"]


def test_backslash_in_one_long_text_is_text(tmp_path: Path) -> None:
    made = data_set(PatientComments="one\\two")
    output = patched(made, {"PatientComments": "<%PatientComments>"}, tmp_path)
    assert output.PatientComments == "<one\\two>"


@plain_forms
def test_numbers_are_substituted_value_by_value(form: Form, tmp_path: Path) -> None:
    made = data_set(
        PixelRepresentation=0,
        ReferencedFrameNumber=[7, 8],
        ImagePositionPatient=["-1.50", "2", "3e1"],
        Rows=512,
    )
    made.add_new(0x00189087, "FD", [0.5, 1000.0])
    made.add_new(0x00280009, "AT", [0x00181063, 0x00100010])
    made.add_new(0x00280106, "US", 12)
    spec = {
        "ReferencedFrameNumber": "1%ReferencedFrameNumber",
        "ImagePositionPatient": "%ImagePositionPatient",
        "Rows": "%Rows0",
        "DiffusionBValue": "%DiffusionBValue",
        "FrameIncrementPointer": "%FrameIncrementPointer",
        "SmallestImagePixelValue": "9%SmallestImagePixelValue",
    }
    output = patched(made, spec, tmp_path, form)
    assert list(output.ReferencedFrameNumber) == [17, 18]
    assert [value.original_string for value in output.ImagePositionPatient] == ["-1.50", "2", "3e1"]
    assert output.Rows == 5120
    assert list(output.DiffusionBValue) == [0.5, 1000.0]
    assert list(output.FrameIncrementPointer) == [0x00181063, 0x00100010]
    assert output.SmallestImagePixelValue == 912


@plain_forms
def test_signedness_follows_the_pixel_representation(form: Form, tmp_path: Path) -> None:
    for signed, value in ((0, 65535), (1, -1)):
        made = data_set(PixelRepresentation=signed)
        made.add_new(0x00280106, "SS" if signed else "US", value)
        made.StudyDescription = "x"
        output = patched(made, {"StudyDescription": "%SmallestImagePixelValue"}, tmp_path, form)
        assert output.StudyDescription == str(value)


# --- sequences


@forms
@undefined
def test_sequence_hit_is_emptied(form: Form, undefined: bool, tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner"), PatientID="root")
    for value in ("", "text", "%PatientID"):
        spec = {"re:RequestAttributesSequence": value}
        result = substitute(written(made, form, undefined=undefined), spec, tmp_path)
        assert len(result.data_set.RequestAttributesSequence) == 0
        assert result.actions == {0x00400275: {Action.EMPTIED: 1}}


@forms
@undefined
def test_sequence_hit_by_null_is_removed(form: Form, undefined: bool, tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner"), PatientID="root")
    result = substitute(
        written(made, form, undefined=undefined), {"RequestAttributesSequence": None}, tmp_path
    )
    assert "RequestAttributesSequence" not in result.data_set
    assert result.content == written(data_set(PatientID="root"), form)


@forms
@undefined
def test_sequence_hit_within_a_sequence_is_emptied(form: Form, undefined: bool, tmp_path: Path) -> None:
    inner = nested(data_set(PatientID="deep"), keyword="ContentSequence", AccessionNumber="1")
    made = nested(inner, PatientID="root")
    output = patched(made, {"ContentSequence": ""}, tmp_path, form, undefined=undefined)
    (part,) = output.RequestAttributesSequence
    assert (len(part.ContentSequence), part.AccessionNumber) == (0, "1")


@forms
@undefined
def test_elements_removed_at_every_depth(form: Form, undefined: bool, tmp_path: Path) -> None:
    inner = nested(
        data_set(PatientID="deep"), keyword="ContentSequence", PatientID="middle", AccessionNumber="1"
    )
    made = nested(inner, PatientID="root", StudyID="s")
    result = substitute(written(made, form, undefined=undefined), {"PatientID": None}, tmp_path)
    inner = nested(Dataset(), keyword="ContentSequence", AccessionNumber="1")
    assert result.content == written(nested(inner, StudyID="s"), form, undefined=undefined)
    assert result.actions == {PATIENT_ID: {Action.REMOVED: 3}}


@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize("form", [EXPLICIT, BIG], ids=lambda form: form.name)
def test_un_sequence_is_substituted_within(form: Form, defined: bool, tmp_path: Path) -> None:
    def made(name: bytes) -> bytes:
        content = item(element(NAME, "PN", name, IMPLICIT), IMPLICIT)
        if defined:
            return file_of(element(STUDIES, "UN", content, form), form)
        end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
        return file_of(element(STUDIES, "UN", content + end, form, UNDEFINED), form)

    result = substitute(made(b"DOE^JOHN"), {"PatientName": "ANONYMOUS"}, tmp_path)
    assert result.actions == {NAME: {Action.SUBSTITUTED: 1}}
    assert result.content == made(b"ANONYMOUS")


@pytest.mark.parametrize("form", [EXPLICIT, BIG], ids=lambda form: form.name)
def test_un_value_of_a_known_element_is_substituted(form: Form, tmp_path: Path) -> None:
    data = element(NAME, "UN", b"DOE^JOHN", form) + element(PATIENT_ID, "UN", b"DEV ", form)
    spec = {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_md5|7_PatientID"}
    output = substitute(file_of(data, form), spec, tmp_path).data_set
    assert (output.PatientName, output.PatientID) == ("ROSALES^MICHELE^ANON", "bfeddf5")


# --- results that a VR does not allow


@pytest.mark.parametrize(
    ("keyword", "value", "template", "result", "action"),
    [
        ("PatientID", "x" * 60, "%PatientID12345", "x" * 60 + "1234", Action.CUT),
        ("StationName", "s", "%_md5_StationName", md5("s", 16), Action.CUT),
        ("PatientName", "n" * 40, "%PatientName%PatientName", "n" * 64, Action.CUT),
        ("PatientName", "a=b", "%PatientName" + "c" * 70, "a=b" + "c" * 63, Action.CUT),
        ("PatientName", "a=b=c", "%PatientName=d", "", Action.INVALID),
        ("Modality", "MR", "%Modalityxyz", "", Action.INVALID),
        ("Modality", "MR", "%ModalityXYZ", "MRXYZ", Action.SUBSTITUTED),
        ("Modality", "ABCDEFGHIJ", "%Modality%Modality", "ABCDEFGHIJABCDEF", Action.CUT),
        ("StudyDate", "20200229", "%_md5|8_StudyDate", "", Action.INVALID),
        ("StudyDate", "20200229", "%_strmsk|******01_StudyDate", "20200201", Action.SUBSTITUTED),
        ("StudyDate", "20200229", "%_strmsk|****13**_StudyDate", "", Action.INVALID),
        ("StudyDate", "20200229", "%_strmsk|****_StudyDate", "", Action.INVALID),
        ("StudyTime", "120000.5", "%_strmsk|**_StudyTime", "12", Action.SUBSTITUTED),
        ("StudyTime", "120000.5", "%_strmsk|99****_StudyTime", "", Action.INVALID),
        ("AcquisitionDateTime", "20200229120000", "x%AcquisitionDateTime", "", Action.INVALID),
        ("PatientAge", "042Y", "%_strmsk|0***_PatientAge", "042Y", Action.SUBSTITUTED),
        ("PatientAge", "042Y", "%_strmsk|***_PatientAge", "", Action.INVALID),
        ("PatientWeight", "70.5", "%_md5|6_PatientWeight", "", Action.INVALID),
        ("PatientWeight", "70.5", "1%PatientWeight", "170.5", Action.SUBSTITUTED),
        ("PatientWeight", "70.5", "%PatientWeight0000000000000", "", Action.INVALID),
        ("SeriesNumber", "12", "%SeriesNumber.5", "", Action.INVALID),
        ("SeriesNumber", "12", "%SeriesNumber5", "125", Action.SUBSTITUTED),
        ("SeriesNumber", "12", "%SeriesNumber00000000000", "", Action.INVALID),
        ("StudyInstanceUID", "1.2.3", "%_md5_StudyInstanceUID", "", Action.INVALID),
        ("StudyInstanceUID", "1.2.3", "%StudyInstanceUID.4", "1.2.3.4", Action.SUBSTITUTED),
        ("StudyInstanceUID", "1.2.3", "%StudyInstanceUID.", "", Action.INVALID),
        ("StudyInstanceUID", "1.2.3", "%StudyInstanceUID.007", "", Action.INVALID),
        ("StudyInstanceUID", "1." * 31 + "1", "%StudyInstanceUID.12", "", Action.INVALID),
        ("Rows", 512, "x%Rows", "", Action.INVALID),
        ("Rows", 512, "%Rows%Rows", "", Action.INVALID),
        ("Rows", 512, "-%Rows", "", Action.INVALID),
        ("RetrieveAETitle", "AE", "%RetrieveAETitle\\%_md5_RetrieveAETitle", md5("AE", 16), Action.CUT),
        ("PatientComments", "c" * 10240, "%PatientCommentsd", "c" * 10240, Action.CUT),
        ("PatientComments", "a\r\nb", "%PatientComments!", "a\r\nb!", Action.SUBSTITUTED),
        ("StudyDescription", "a", "%StudyDescription\x07", "", Action.INVALID),
        ("StudyDescription", "a", "%StudyDescription\n", "", Action.INVALID),
    ],
)
def test_result_is_cut_or_emptied_where_its_vr_does_not_allow_it(
    keyword: str, value: Any, template: str, result: str, action: Action, tmp_path: Path
) -> None:
    made = data_set(**{keyword: value})
    done = substitute(written(made), {keyword: template}, tmp_path)
    found = done.data_set[keyword].value
    last = found[-1] if keyword == "RetrieveAETitle" else found
    assert ("" if last is None else str(last)) == result
    tag = int(done.data_set[keyword].tag)
    assert done.actions == {tag: {action: 1}}


def test_one_invalid_value_of_several_empties_them_all(tmp_path: Path) -> None:
    made = data_set(ImageType=["ORIGINAL", "PRIMARY"], OtherPatientIDs=["A", "b"])
    result = substitute(written(made), {"ImageType": "%OtherPatientIDs"}, tmp_path)
    assert not result.data_set.ImageType
    assert result.actions == {0x00080008: {Action.INVALID: 1}}


@pytest.mark.parametrize(
    ("keyword", "vr"),
    [
        ("ICCProfile", "OB"),
        ("RedPaletteColorLookupTableData", "OW"),
        ("VectorGridData", "OF"),
        ("DoubleFloatPixelData", "OD"),
        ("TrackPointIndexList", "OL"),
    ],
)
def test_bytes_are_emptied_by_any_text(keyword: str, vr: str, tmp_path: Path) -> None:
    tag = int(pydicom.datadict.tag_for_keyword(keyword) or 0)
    made = data_set(PatientID="x")
    made.add_new(tag, vr, b"12345678")
    result = substitute(written(made), {keyword: "%PatientID"}, tmp_path)
    assert (result.data_set[tag].value, result.data_set[tag].VR) == (None, vr)
    assert result.actions == {tag: {Action.INVALID: 1}}


# --- insertion


@forms
def test_literal_is_inserted_in_the_order_of_tags(form: Form, tmp_path: Path) -> None:
    made = data_set(Modality="MR", PatientID="x", Rows=1)
    spec = {
        "PatientIdentityRemoved": "YES",
        "InstanceCreationDate": "20200101",
        "DeidentificationMethod": "A\\B",
        "PatientName": "ANON",
        "BitsAllocated": "16",
        "PixelPaddingValue": "-1",
    }
    result = substitute(written(made, form), {**spec, "PixelPaddingValue": "1"}, tmp_path)
    made.PatientIdentityRemoved = "YES"
    made.InstanceCreationDate = "20200101"
    made.DeidentificationMethod = ["A", "B"]
    made.PatientName = "ANON"
    made.BitsAllocated = 16
    made.add_new(0x00280120, "US", 1)
    assert result.content == written(made, form)
    assert set().union(*result.actions.values()) == {Action.INSERTED}
    assert len(result.actions) == 6


@forms
@undefined
def test_literal_is_inserted_only_where_it_is_held_nowhere(
    form: Form, undefined: bool, tmp_path: Path
) -> None:
    inner = nested(data_set(PatientID="deep"), keyword="ContentSequence")
    made = nested(inner, StudyID="s")
    result = substitute(
        written(made, form, undefined=undefined), {"PatientID": "X", "PatientName": "Y"}, tmp_path
    )
    output = result.data_set
    assert "PatientID" not in output
    assert output.RequestAttributesSequence[0].ContentSequence[0].PatientID == "X"
    assert output.PatientName == "Y"
    assert result.actions == {PATIENT_ID: {Action.SUBSTITUTED: 1}, NAME: {Action.INSERTED: 1}}


def test_literal_is_never_inserted_into_items(tmp_path: Path) -> None:
    made = nested(data_set(StudyID="s"), PatientID="root")
    output = patched(made, {"PatientID": "X"}, tmp_path)
    assert list(output.RequestAttributesSequence[0].keys()) == [0x00200010]


def test_literal_lands_before_elements_after_the_pixel_data(tmp_path: Path) -> None:
    data = element(0x00080060, "CS", b"MR", EXPLICIT)
    pixels = element(0x7FE00010, "OW", bytes(8), EXPLICIT) + element(0xFFFCFFFC, "OB", bytes(4), EXPLICIT)
    result = substitute(file_of(data + pixels), {"PatientName": "X"}, tmp_path)
    assert result.content == file_of(data + element(NAME, "PN", b"X", EXPLICIT) + pixels)


def test_literal_is_inserted_after_encapsulated_pixel_data_where_it_belongs(tmp_path: Path) -> None:
    form = Form("jpeg", "1.2.840.10008.1.2.4.50", implicit=False, little=True)
    fragments = item(b"", form) + item(b"12345678", form)
    data = sequence(0x7FE00010, fragments, form, defined=False, vr="OB")
    result = substitute(file_of(data, form), {"DataSetTrailingPadding": None, "PatientID": "X"}, tmp_path)
    assert result.content == file_of(element(PATIENT_ID, "LO", b"X", form) + data, form)


@pytest.mark.parametrize("padding", [b"", b"\0\0", b"\0\0\0\0\0\0"])
def test_literal_is_inserted_before_padding(padding: bytes, tmp_path: Path) -> None:
    data = element(0x00080060, "CS", b"MR", EXPLICIT)
    result = substitute(file_of(data + padding), {"PatientName": "X"}, tmp_path)
    assert result.content == file_of(data + element(NAME, "PN", b"X", EXPLICIT) + padding)


def test_template_whose_source_is_absent_inserts_nothing(tmp_path: Path) -> None:
    content = written(data_set(StudyID="s"))
    spec = {
        "PatientName": "x%PatientID",
        "StudyDescription": "%_md5_AccessionNumber-%StudyID",
        "PatientID": "%#tag",
    }
    result = substitute(content, spec, tmp_path)
    assert (result.content, result.outcome.elements) == (content, ())


def test_template_whose_sources_are_present_is_inserted(tmp_path: Path) -> None:
    made = data_set(StudyID="s", PatientID="DEV")
    spec = {"PatientName": "%_name|patientID_PatientID", "StudyDescription": "%StudyID of %_md5|7_PatientID"}
    output = patched(made, spec, tmp_path)
    assert (output.PatientName, output.StudyDescription) == ("ROSALES^MICHELE^ANON", "s of bfeddf5")


def test_invalid_result_is_not_inserted(tmp_path: Path) -> None:
    content = written(data_set(PatientID="not a date"))
    result = substitute(content, {"StudyDate": "%PatientID"}, tmp_path)
    assert result.content == content
    assert result.actions == {0x00080020: {Action.INVALID: 1}}


@pytest.mark.parametrize(
    "key",
    ["re:PatientName", "(0009,1001)", '(0009,"ACME",01)', "RequestAttributesSequence", "OverlayDescription"],
)
def test_what_is_no_single_public_element_is_never_inserted(key: str, tmp_path: Path) -> None:
    content = written(data_set(StudyID="s"))
    assert substitute(content, {key: ""}, tmp_path).content == content
    if key != "RequestAttributesSequence":
        assert substitute(content, {key: "text"}, tmp_path).content == content


def test_removal_inserts_nothing(tmp_path: Path) -> None:
    content = written(data_set(StudyID="s"))
    assert substitute(content, {"PatientName": None}, tmp_path).content == content


def test_pattern_does_not_keep_a_literal_from_being_inserted(tmp_path: Path) -> None:
    made = data_set(StudyID="s")
    output = patched(made, {"PatientName": "ANON", "re:Patient.*": "%_md5|4_#tag"}, tmp_path)
    assert output.PatientName == "ANON"


def test_literal_is_inserted_into_the_file_meta(tmp_path: Path) -> None:
    content = file_of(element(NAME, "PN", b"X", EXPLICIT))
    result = substitute(
        content, {"ImplementationVersionName": "TAGSUB", "SourceApplicationEntityTitle": "AE"}, tmp_path
    )
    meta = element(0x00020013, "SH", b"TAGSUB", EXPLICIT) + element(0x00020016, "AE", b"AE", EXPLICIT)
    assert result.content == file_of(element(NAME, "PN", b"X", EXPLICIT), extra=meta)


def test_nothing_is_inserted_where_there_is_no_file_meta(tmp_path: Path) -> None:
    content = element(0x00080060, "CS", b"MR", EXPLICIT)
    result = substitute(content, {"ImplementationVersionName": "TAGSUB"}, tmp_path)
    assert result.content == content


# --- character sets

LATIN_1 = "ISO_IR 100"


@forms
@undefined
@pytest.mark.parametrize("charset", [None, "", LATIN_1, "ISO_IR 144", "\\ISO 2022 IR 87", "ISO_IR 13"])
def test_ascii_file_is_switched_to_utf_8(
    form: Form, undefined: bool, charset: str | None, tmp_path: Path
) -> None:
    made = nested(data_set(PatientName="A^B", StudyDescription="d"), PatientName="A^B", StudyID="s")
    if charset is not None:
        made.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
    result = substitute(written(made, form, undefined=undefined), {"PatientName": "Größe 大"}, tmp_path)
    output = result.data_set
    assert output.SpecificCharacterSet == "ISO_IR 192"
    assert str(output.PatientName) == str(output.RequestAttributesSequence[0].PatientName) == "Größe 大"
    action = Action.INSERTED if charset is None else Action.SUBSTITUTED
    assert result.actions == {CHARSET: {action: 1}, NAME: {Action.SUBSTITUTED: 2}}
    expected = nested(data_set(PatientName="Größe 大", StudyDescription="d"), StudyID="s")
    expected.SpecificCharacterSet = "ISO_IR 192"
    expected.PatientName = "Größe 大"
    assert result.content == written(expected, form, undefined=undefined)


@pytest.mark.parametrize(
    ("charset", "other"),
    [(LATIN_1, "é"), ("ISO_IR 144", "Ж"), ("ISO_IR 101", "ł"), ("\\ISO 2022 IR 87", "漢字")],
)
@undefined
def test_file_whose_other_text_needs_its_character_set_fails(
    charset: str, other: str, undefined: bool, tmp_path: Path
) -> None:
    for made in (
        data_set(StudyDescription=other, PatientName="A^B"),
        nested(data_set(StudyDescription=other), PatientName="A^B"),
        nested(nested(data_set(StudyDescription=other), keyword="ContentSequence"), PatientName="A^B"),
    ):
        made.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
        result = substitute(written(made, undefined=undefined), {"PatientName": "Ω 안"}, tmp_path)
        assert (result.outcome.status, result.outcome.stage) == (Status.FAILED, Stage.SUBSTITUTE)
        assert "PatientName" in result.outcome.reason
        assert "character set" in result.outcome.reason
        assert other not in result.outcome.reason


def test_undeclared_text_is_not_declared_utf_8(tmp_path: Path) -> None:
    data = element(0x00081030, "LO", "café".encode("latin-1"), EXPLICIT) + element(NAME, "PN", b"A", EXPLICIT)
    result = substitute(file_of(data), {"PatientName": "大"}, tmp_path)
    assert result.outcome.status is Status.FAILED


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        (LATIN_1, "Größe"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "大 안 Ω é"),
        ("GB18030", "小东"),
        ("\\ISO 2022 IR 87", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("\\ISO 2022 IR 149", "Hong^Gildong=洪^吉洞=홍^길동"),
    ],
)
def test_text_that_the_character_set_holds_is_written_in_it(charset: str, text: str, tmp_path: Path) -> None:
    made = data_set(PatientName="A^B")
    made.SpecificCharacterSet = charset.split("\\") if "\\" in charset else charset
    result = substitute(written(made), {"PatientName": text}, tmp_path)
    made.PatientName = text
    assert str(result.data_set.PatientName) == text
    assert result.data_set.SpecificCharacterSet == made.SpecificCharacterSet
    assert result.content == written(made)


def test_ascii_text_switches_nothing(tmp_path: Path) -> None:
    output = patched(data_set(PatientName="A^B"), {"PatientName": "C^D"}, tmp_path)
    assert "SpecificCharacterSet" not in output


@forms
@undefined
def test_item_with_its_own_character_set_is_switched_alone(
    form: Form, undefined: bool, tmp_path: Path
) -> None:
    own = data_set(SpecificCharacterSet="ISO_IR 144", PatientName="A^B")
    other = data_set(StudyDescription="café")
    made = nested(own, other, SpecificCharacterSet=LATIN_1, StudyDescription="café")
    result = substitute(written(made, form, undefined=undefined), {"PatientName": "안 é"}, tmp_path)
    first, second = result.data_set.RequestAttributesSequence
    assert (first.SpecificCharacterSet, str(first.PatientName)) == ("ISO_IR 192", "안 é")
    assert "SpecificCharacterSet" not in second
    assert (result.data_set.SpecificCharacterSet, result.data_set.StudyDescription) == (LATIN_1, "café")
    assert second.StudyDescription == "café"


def test_item_inherits_the_switch_of_the_root(tmp_path: Path) -> None:
    own = data_set(SpecificCharacterSet=LATIN_1, PatientName="A^B", StudyDescription="café")
    made = nested(own, data_set(PatientName="C^D"), PatientName="E^F")
    result = substitute(written(made), {"PatientName": "Größe"}, tmp_path)
    first, second = result.data_set.RequestAttributesSequence
    assert (first.SpecificCharacterSet, first.StudyDescription) == (LATIN_1, "café")
    assert result.data_set.SpecificCharacterSet == "ISO_IR 192"
    assert {str(one.PatientName) for one in (first, second, result.data_set)} == {"Größe"}


def test_source_is_decoded_in_the_character_set_of_its_item(tmp_path: Path) -> None:
    own = data_set(SpecificCharacterSet="ISO_IR 144", StudyDescription="Жук", StudyID="1")
    made = nested(own, SpecificCharacterSet=LATIN_1, PatientComments="é", StudyID="2")
    made.PatientID = "é"
    spec = {"StudyDescription": "%_md5_StudyDescription", "StudyID": "%_md5|4_PatientID"}
    output = patched(made, spec, tmp_path)
    (part,) = output.RequestAttributesSequence
    assert part.StudyDescription == md5("Жук")
    assert part.StudyID == output.StudyID == md5("é", 4)


@pytest.mark.parametrize("term", [b"ISO_IR 999", b"ISO_IR 149", b"ISO_IR 100\\NOPE"])
def test_unknown_character_set_fails_where_text_is_needed(term: bytes, tmp_path: Path) -> None:
    data = element(CHARSET, "CS", term, EXPLICIT) + element(NAME, "PN", b"A^B\xe9", EXPLICIT)
    result = substitute(file_of(data), {"PatientName": "%_md5|4_PatientName"}, tmp_path)
    assert result.outcome.status is Status.FAILED
    assert term.decode().rpartition("\\")[2] in result.outcome.reason
    assert substitute(file_of(data), {"StudyID": None}, tmp_path).outcome.status is Status.WRITTEN


@pytest.mark.parametrize("term", [b"ISO IR 100", b"ISO-IR 100", b"iso_ir 100", b"ISO_IR_100"])
def test_misspelt_character_set_is_understood(term: bytes, tmp_path: Path) -> None:
    data = element(CHARSET, "CS", term, EXPLICIT) + element(NAME, "PN", "é".encode("latin-1"), EXPLICIT)
    result = substitute(file_of(data), {"PatientName": "%_md5|4_PatientName"}, tmp_path)
    assert result.outcome.status is Status.WRITTEN
    assert md5("é", 4).encode() in result.content


def test_nothing_is_warned_of() -> None:
    """pydicom warns of what it cannot encode; a library says nothing, it raises."""
    content = written(data_set(PatientName="A^B", SpecificCharacterSet=LATIN_1))
    rules = compile_spec({"PatientName": "大"})
    with warnings.catch_warnings(action="error"):
        assert b"ISO_IR 192" in patch_bytes(content, rules)


# --- private elements


def private_set(*blocks: tuple[int, str, str]) -> Dataset:
    """A data set with (block, creator, text) in group 0029, each with an element 10."""
    made = Dataset()
    for block, creator, text in blocks:
        made.add_new(0x00290000 | block, "LO", creator)
        made.add_new(0x00290010 | block << 8, "LO", text)
    return made


@forms
@undefined
def test_private_key_finds_its_creator_in_any_block(form: Form, undefined: bool, tmp_path: Path) -> None:
    inner = private_set((0x42, "ACME", "deep"), (0x10, "OTHER", "kept"))
    made = private_set((0x10, "OTHER", "kept"), (0x11, "ACME", "one"), (0xFE, "ACME ", "two"))
    made.RequestAttributesSequence = [inner]
    content = written(made, form, undefined=undefined)
    result = substitute(content, {'(0029,"ACME",10)': "<%#tag>"}, tmp_path)
    output = result.data_set
    (part,) = output.RequestAttributesSequence

    def text(one: Dataset, tag: int) -> str:
        value = one[tag].value
        return value.decode().rstrip() if isinstance(value, bytes) else str(value)

    assert [text(output, tag) for tag in (0x00291010, 0x00291110, 0x0029FE10)] == ["kept", "<one>", "<two>"]
    assert [text(part, tag) for tag in (0x00291010, 0x00294210)] == ["kept", "<deep>"]
    assert sum(sum(actions.values()) for actions in result.actions.values()) == 3


def test_private_key_needs_the_creator_of_its_own_data_set(tmp_path: Path) -> None:
    inner = Dataset()
    inner.add_new(0x00291010, "LO", "whose?")
    made = private_set((0x10, "ACME", "one"))
    made.RequestAttributesSequence = [inner]
    output = patched(made, {'(0029,"ACME",10)': ""}, tmp_path)
    assert output.RequestAttributesSequence[0][0x00291010].value == "whose?"
    assert not output[0x00291010].value


def test_private_keys_of_several_creators(tmp_path: Path) -> None:
    made = private_set((0x10, "A", "1"), (0x11, "B", "2"), (0x12, "C", "3"))
    spec = {'(0029,"A",10)': "x", '(0029,"B",10)': None, '(0029,"C",11)': "y"}
    output = patched(made, spec, tmp_path)
    assert output[0x00291010].value == "x"
    assert 0x00291110 not in output
    assert output[0x00291210].value == "3"


def test_private_key_empties_a_sequence_of_its_creator(tmp_path: Path) -> None:
    made = Dataset()
    made.add_new(0x00290010, "LO", "ACME")
    made.add_new(0x00291010, "SQ", [data_set(PatientID="inner")])
    output = patched(made, {'(0029,"ACME",10)': ""}, tmp_path)
    assert len(output[0x00291010].value) == 0


@undefined
def test_private_key_leaves_a_sequence_of_another_creator_to_other_keys(
    undefined: bool, tmp_path: Path
) -> None:
    made = Dataset()
    made.add_new(0x00290010, "LO", "OTHER")
    made.add_new(0x00291010, "SQ", [data_set(PatientID="inner")])
    for form in FORMS:
        content = written(made, form, undefined=undefined)
        result = substitute(content, {'(0029,"ACME",10)': "", "PatientID": "new"}, tmp_path)
        assert b"inner" not in result.content
        assert result.actions == {PATIENT_ID: {Action.SUBSTITUTED: 1}}


def test_private_tag_number_is_a_key(tmp_path: Path) -> None:
    made = private_set((0x10, "A", "1"), (0x11, "B", "2"))
    output = patched(made, {"(0029,1010)": "<%#tag>", "00291110": None}, tmp_path)
    assert output[0x00291010].value == "<1>"
    assert 0x00291110 not in output


@forms
@undefined
def test_remove_private_tags_removes_them_at_every_depth(form: Form, undefined: bool, tmp_path: Path) -> None:
    inner = private_set((0x10, "A", "1"))
    inner.PatientID = "inner"
    made = private_set((0x10, "A", "1"), (0x11, "B", "2"))
    made.add_new(0x00291111, "SQ", [data_set(PatientID="private")])
    made.add_new(0x00090001, "LO", "no creator")
    made.RequestAttributesSequence = [inner]
    made.PatientID = "root"
    content = written(made, form, undefined=undefined)
    result = substitute(content, {"PatientID": "x%PatientID"}, tmp_path, remove_private=True)
    expected = nested(data_set(PatientID="xinner"), PatientID="xroot")
    assert result.content == written(expected, form, undefined=undefined)
    assert result.actions == {0: {Action.REMOVED: 8}, PATIENT_ID: {Action.SUBSTITUTED: 2}}


# --- file meta


def test_media_storage_instance_follows_the_data_set(tmp_path: Path) -> None:
    made = data_set(SOPInstanceUID="1.2.3", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    output = patched(made, {"SOPInstanceUID": "%SOPInstanceUID.99"}, tmp_path)
    assert output.SOPInstanceUID == output.file_meta.MediaStorageSOPInstanceUID == "1.2.3.99"
    assert output.file_meta.MediaStorageSOPClassUID == "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize("value", [None, "", "%_md5_SOPInstanceUID"])
def test_media_storage_instance_does_not_outlive_the_data_sets(value: str | None, tmp_path: Path) -> None:
    content = written(data_set(SOPInstanceUID="1.2.3.4.5"))
    result = substitute(content, {"SOPInstanceUID": value}, tmp_path)
    assert b"1.2.3.4.5" not in result.content
    assert not result.data_set.file_meta.MediaStorageSOPInstanceUID


def test_media_storage_instance_of_a_data_set_without_one_goes_too(tmp_path: Path) -> None:
    content = file_of(element(NAME, "PN", b"A", EXPLICIT), instance="1.2.3.4.5")
    result = substitute(content, {"re:SOPInstanceUID": "%_md5_#tag"}, tmp_path)
    assert b"1.2.3.4.5" not in result.content


def test_media_storage_instance_follows_an_inserted_one(tmp_path: Path) -> None:
    content = file_of(element(NAME, "PN", b"A", EXPLICIT), instance="1.2.3.4.5")
    output = substitute(content, {"SOPInstanceUID": "1.9"}, tmp_path).data_set
    assert output.SOPInstanceUID == output.file_meta.MediaStorageSOPInstanceUID == "1.9"


def test_media_storage_instance_does_not_follow_items(tmp_path: Path) -> None:
    made = nested(data_set(SOPInstanceUID="1.5"), SOPInstanceUID="1.2.3")
    output = patched(made, {"SOPInstanceUID": "%SOPInstanceUID.1"}, tmp_path)
    assert output.file_meta.MediaStorageSOPInstanceUID == "1.2.3.1"


def test_explicit_key_of_the_file_meta_is_stronger_than_following(tmp_path: Path) -> None:
    spec = {"SOPInstanceUID": "1.8", "MediaStorageSOPInstanceUID": "1.9"}
    output = patched(data_set(SOPInstanceUID="1.2.3"), spec, tmp_path)
    assert (output.SOPInstanceUID, output.file_meta.MediaStorageSOPInstanceUID) == ("1.8", "1.9")


def test_keys_of_group_2_change_the_file_meta_and_its_length(tmp_path: Path) -> None:
    extra = element(0x00020016, "AE", b"SECRETAE", EXPLICIT)
    content = file_of(element(NAME, "PN", b"A", EXPLICIT), extra=extra)
    result = substitute(content, {"SourceApplicationEntityTitle": "X"}, tmp_path)
    extra = element(0x00020016, "AE", b"X", EXPLICIT)
    assert result.content == file_of(element(NAME, "PN", b"A", EXPLICIT), extra=extra)
    result = substitute(content, {"(0002,0016)": None}, tmp_path)
    assert result.content == file_of(element(NAME, "PN", b"A", EXPLICIT))


def test_patterns_never_hit_the_file_meta(tmp_path: Path) -> None:
    data = element(0x00080016, "UI", SOP_CLASS.encode(), EXPLICIT) + element(
        0x00080018, "UI", b"1.2.3", EXPLICIT
    )
    content = file_of(data, extra=element(0x00020016, "AE", b"AE", EXPLICIT))
    result = substitute(content, {"re:.*": "%#tag"}, tmp_path)
    assert result.content == content
    assert set(result.actions) == {0x00080016, 0x00080018}


# --- lengths


def with_group_length(group: int, content: bytes, form: Form) -> bytes:
    return element(group << 16, "UL", struct.pack(form.order + "I", len(content)), form) + content


@plain_forms
@undefined
def test_group_lengths_stay_true(form: Form, undefined: bool, tmp_path: Path) -> None:
    def made(patient: bytes, inner: bytes, extra: bytes = b"") -> bytes:
        group_10 = with_group_length(0x0010, element(PATIENT_ID, "LO", inner, form), form)
        items = item(group_10, form, defined=not undefined)
        group_8 = element(0x00080060, "CS", b"MR", form)
        group_8 += sequence(STUDIES, items, form, defined=not undefined)
        data = with_group_length(0x0008, group_8, form)
        data += with_group_length(0x0010, element(PATIENT_ID, "LO", patient, form) + extra, form)
        return file_of(data + with_group_length(0x0020, element(0x00200010, "SH", b"ID", form), form), form)

    content = made(b"DEV ", b"DEVICE")
    result = substitute(content, {"PatientID": "%_md5_PatientID"}, tmp_path)
    assert result.content == made(md5("DEV").encode(), md5("DEVICE").encode())
    result = substitute(content, {"PatientID": ""}, tmp_path)
    assert result.content == made(b"", b"")
    result = substitute(content, {"PatientAge": "042Y"}, tmp_path)
    assert result.content == made(b"DEV ", b"DEVICE", element(0x00101010, "AS", b"042Y", form))


@plain_forms
def test_group_length_of_a_removed_group_stays_true(form: Form, tmp_path: Path) -> None:
    data = with_group_length(0x0010, element(PATIENT_ID, "LO", b"DEV ", form), form)
    result = substitute(file_of(data, form), {"PatientID": None}, tmp_path)
    assert result.content == file_of(with_group_length(0x0010, b"", form), form)


@plain_forms
def test_group_length_of_private_elements_goes_with_them(form: Form, tmp_path: Path) -> None:
    private = with_group_length(0x0009, element(0x00090010, "LO", b"ACME", form), form)
    rest = element(PATIENT_ID, "LO", b"DEV ", form)
    result = substitute(file_of(private + rest, form), {}, tmp_path, remove_private=True)
    assert result.content == file_of(rest, form)


@plain_forms
@undefined
def test_enclosing_lengths_stay_true(form: Form, undefined: bool, tmp_path: Path) -> None:
    def made(first: bytes, second: bytes) -> bytes:
        deep = item(element(PATIENT_ID, "LO", first, form), form, defined=not undefined)
        inner = sequence(0x0040A730, deep + item(b"", form), form)
        items = item(b"", form) + item(element(NAME, "PN", b"kept", form) + inner, form)
        items += item(element(PATIENT_ID, "LO", second, form), form, defined=undefined)
        return file_of(sequence(STUDIES, items, form, defined=not undefined), form)

    result = substitute(made(b"1", b"22"), {"PatientID": "%_md5_PatientID"}, tmp_path)
    assert result.content == made(md5("1").encode(), md5("22").encode())
    result = substitute(made(b"1", b"22"), {"PatientID": "%PatientID"}, tmp_path)
    assert result.content == made(b"1", b"22")


@plain_forms
def test_padding_that_pydicom_writes_is_even(form: Form, tmp_path: Path) -> None:
    made = data_set(PatientID="12", StudyInstanceUID="1.2")
    content = substitute(
        written(made, form), {"PatientID": "123", "StudyInstanceUID": "1.2.345"}, tmp_path
    ).content
    assert content == written(data_set(PatientID="123", StudyInstanceUID="1.2.345"), form)


# --- precedence


@pytest.mark.parametrize("is_first", [True, False])
def test_pattern_beats_an_explicit_key_in_either_order(is_first: bool, tmp_path: Path) -> None:
    pairs = [("PatientID", "explicit"), ("re:Patient.*", "pattern")]
    output = patched(data_set(PatientID="x"), dict(pairs if is_first else pairs[::-1]), tmp_path)
    assert output.PatientID == "pattern"


def test_later_pattern_beats_an_earlier(tmp_path: Path) -> None:
    made = data_set(PatientID="x", PatientName="y")
    output = patched(made, {"re:Patient.*": "first", "re:PatientID": "second"}, tmp_path)
    assert (output.PatientID, output.PatientName) == ("second", "first")
    output = patched(made, {"re:PatientID": "first", "re:Patient.*": "second"}, tmp_path)
    assert (output.PatientID, output.PatientName) == ("second", "second")


def test_patterns_match_from_the_start_and_not_to_the_end(tmp_path: Path) -> None:
    made = data_set(PatientID="x", OtherPatientIDs="y", PatientIdentityRemoved="YES")
    output = patched(made, {"re:PatientI": "HIT"}, tmp_path)
    assert (output.PatientID, output.OtherPatientIDs, output.PatientIdentityRemoved) == ("HIT", "y", "HIT")


def test_patterns_never_hit_pixel_data_or_private_elements(tmp_path: Path) -> None:
    made = private_set((0x10, "PATIENT", "PatientName"))
    made.PixelData = b"1234"
    made["PixelData"].VR = "OW"
    content = written(made)
    assert substitute(content, {"re:P.*": None}, tmp_path).content == content


def test_pixel_data_is_removed_by_its_own_key(tmp_path: Path) -> None:
    made = data_set(PatientID="x", PixelData=b"1234")
    made["PixelData"].VR = "OW"
    assert "PixelData" not in patched(made, {"PixelData": None}, tmp_path)


@pytest.mark.parametrize("is_first", [True, False])
def test_last_of_two_explicit_keys_wins(is_first: bool, tmp_path: Path) -> None:
    pairs = [("(0029,1010)", "number"), ('(0029,"ACME",10)', "creator")]
    output = patched(private_set((0x10, "ACME", "x")), dict(pairs if is_first else pairs[::-1]), tmp_path)
    assert output[0x00291010].value == ("creator" if is_first else "number")


# --- odd files


def test_duplicate_elements_are_all_substituted(tmp_path: Path) -> None:
    data = element(PATIENT_ID, "LO", b"one ", EXPLICIT) + element(PATIENT_ID, "LO", b"two ", EXPLICIT)
    result = substitute(file_of(data), {"PatientID": "<%PatientID>"}, tmp_path)
    expected = element(PATIENT_ID, "LO", b"<one>", EXPLICIT) + element(PATIENT_ID, "LO", b"<two>", EXPLICIT)
    assert result.content == file_of(expected)


def test_source_of_duplicates_is_the_one_that_pydicom_sees(tmp_path: Path) -> None:
    data = element(PATIENT_ID, "LO", b"one ", EXPLICIT) + element(PATIENT_ID, "LO", b"two ", EXPLICIT)
    data += element(0x00200010, "SH", b"x", EXPLICIT)
    output = substitute(file_of(data), {"StudyID": "%PatientID"}, tmp_path).data_set
    assert output.StudyID == read(file_of(data)).PatientID


def test_elements_out_of_order_are_substituted(tmp_path: Path) -> None:
    data = element(0x00200010, "SH", b"x", EXPLICIT) + element(PATIENT_ID, "LO", b"DEV ", EXPLICIT)
    data += element(0x00080060, "CS", b"MR", EXPLICIT)
    result = substitute(file_of(data), {"StudyID": "%PatientID", "PatientID": ""}, tmp_path)
    expected = element(0x00200010, "SH", b"DEV", EXPLICIT) + element(PATIENT_ID, "LO", b"", EXPLICIT)
    assert result.content == file_of(expected + element(0x00080060, "CS", b"MR", EXPLICIT))


def test_unusual_but_legal_padding_is_left_where_nothing_changes(tmp_path: Path) -> None:
    data = element(PATIENT_ID, "LO", b"DEV\0", EXPLICIT) + element(0x00200010, "SH", b"x   ", EXPLICIT)
    result = substitute(file_of(data), {"PatientAge": None}, tmp_path)
    assert result.content == file_of(data)


def test_patch_bytes_gives_what_the_worker_writes(tmp_path: Path) -> None:
    made = nested(data_set(PatientID="inner"), PatientID="root")
    spec = {"PatientID": "<%PatientID>"}
    for form in (*FORMS, DEFLATED):
        content = written(made, form)
        assert patch_bytes(content, compile_spec(spec)) == substitute(content, spec, tmp_path).content


def test_patch_bytes_of_a_damaged_file_is_an_error() -> None:
    content = written(data_set(PatientID="root"))
    with pytest.raises(FileError):
        patch_bytes(content[:-2], compile_spec({"PatientID": "x"}))


def failed(result: Substituted) -> str:
    assert result.outcome.status is Status.FAILED
    return result.outcome.reason


def test_sequence_that_would_outgrow_its_length_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pfdicom_tagSub.engine.changes.UNDEFINED", 100)
    made = nested(data_set(PatientComments="x" * 10))
    assert "longer than its length" in failed(
        substitute(written(made), {"PatientComments": "y" * 200}, tmp_path)
    )
