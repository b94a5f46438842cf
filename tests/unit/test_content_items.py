"""Content items of structured documents by their concept (PS3.15 Table E.3.4-1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import FORMS, Form, data_set, process, read, written
from pydicom.dataset import Dataset

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.rules import RuleSet

KEY = b"a key of the tests, 27 bytes"
CLEAN = "basic,cleanStructuredContent"
SHIFTED = f"{CLEAN},retainLongitudinalModifiedDates"


def code(value: str, scheme: str = "DCM", meaning: str = "a concept") -> list[Dataset]:
    """A code."""
    return [data_set(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning)]


def item(concept: str, value_type: str, scheme: str = "DCM", **values: object) -> Dataset:
    """A content item."""
    name = code(concept, scheme)
    return data_set(RelationshipType="CONTAINS", ValueType=value_type, ConceptNameCodeSequence=name, **values)


def container(*items: Dataset, concept: str = "126000") -> Dataset:
    """A content item that holds others."""
    return item(concept, "CONTAINER", ContinuityOfContent="SEPARATE", ContentSequence=list(items))


def report(*items: Dataset, **values: object) -> Dataset:
    """A structured report of a patient."""
    return data_set(
        PatientName="Zebulon^Ophelia",
        PatientID="P1",
        Modality="SR",
        StudyInstanceUID="1.2.3.4",
        ValueType="CONTAINER",
        ConceptNameCodeSequence=code("126000"),
        ContentSequence=list(items),
        **values,
    )


def verified(content: bytes, rules: RuleSet, folder: Path) -> Dataset:
    """The output of a run with verification that finds nothing."""
    result = process(Worker(Settings(rules, verify=True)), content, folder)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert not result.outcome.residuals
    return read((folder / "out-a.dcm").read_bytes())


def content_of(made: Dataset) -> dict[str, Dataset]:
    """The content items at every depth by their concept."""
    found: dict[str, Dataset] = {}
    for one in made.get("ContentSequence") or []:
        found[one.ConceptNameCodeSequence[0].CodeValue] = one
        found |= content_of(one)
    return found


def everything() -> Dataset:
    """A report with an item of every kind, two containers deep."""
    return report(
        container(
            item("121022", "TEXT", TextValue="ACC55512345"),
            container(
                item("121008", "PNAME", PersonName="Quibble^Ann"),
                item("113769", "UIDREF", UID="1.2.3.4.5.6"),
                item("121018", "UIDREF", UID="1.2.3.4.7.8"),
                item("111060", "DATE", Date="20190314"),
                item("122165", "DATETIME", DateTime="20190315101112"),
                item("121033", "NUM", MeasuredValueSequence=[data_set(NumericValue="77")]),
                item("121032", "CODE", ConceptCodeSequence=code("F")),
                item("112347", "TEXT", TextValue="component of Quibble"),
                item("121106", "TEXT", TextValue="ACC55512345 of Ophelia was fine"),
                item("121121", "TEXT", TextValue="Room 7"),
                item("99", "TEXT", "99ACME", TextValue="seen by Ophelia with ACC55512345"),
                item("125007", "NUM", MeasuredValueSequence=[data_set(NumericValue="12.5")]),
                item("121112", "IMAGE", ReferencedSOPSequence=[data_set(ReferencedSOPInstanceUID="1.2.3.9")]),
                item(
                    "121000", "CONTAINER", ContentSequence=[item("74711-3", "TEXT", "LN", TextValue="UDI7")]
                ),
            ),
        )
    )


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_content_items_follow_the_table(form: Form, undefined: bool, tmp_path: Path) -> None:
    rules = compile_spec({}, profile=CLEAN, key=KEY)
    made = verified(written(everything(), form, undefined=undefined), rules, tmp_path)
    found = content_of(made)
    gone = {"121022", "121018", "122165", "121033", "121032", "121106", "121121", "121000", "74711-3"}
    assert not gone & set(found)
    assert found["121008"].PersonName != "Quibble^Ann"
    assert found["113769"].UID not in {"", "1.2.3.4.5.6"}
    assert found["111060"].Date not in {"", "20190314"}
    assert found["112347"].TextValue
    assert "Quibble" not in found["112347"].TextValue
    assert found["99"].TextValue == "seen by with"
    assert found["125007"].MeasuredValueSequence[0].NumericValue == 12.5
    assert found["121112"].ReferencedSOPSequence[0].ReferencedSOPInstanceUID not in {"", "1.2.3.9"}


def test_options_of_the_table_keep_shift_and_clean(tmp_path: Path) -> None:
    options = f"{SHIFTED},cleanDescriptors,retainPatientCharacteristics,retainDeviceIdentity,retainUIDs"
    rules = compile_spec({}, profile=options, key=KEY)
    found = content_of(verified(written(everything()), rules, tmp_path))
    assert "121022" not in found
    assert "121121" not in found
    assert found["122165"].DateTime.endswith("101112")
    assert found["122165"].DateTime[:8] != "20190315"
    assert int(found["122165"].DateTime[6:8]) - int(found["111060"].Date[6:8]) in {1, -27, -28, -29, -30}
    assert found["121033"].MeasuredValueSequence[0].NumericValue == 77
    assert found["121032"].ConceptCodeSequence[0].CodeValue == "F"
    assert found["121106"].TextValue == "of was fine"
    assert found["74711-3"].TextValue == "UDI7"
    assert found["113769"].UID == "1.2.3.4.5.6"
    assert found["121018"].UID == "1.2.3.4.7.8"


@pytest.mark.parametrize("keyword", ["AcquisitionContextSequence", "ProtocolContextSequence"])
def test_items_of_other_macros_follow_the_table(keyword: str, tmp_path: Path) -> None:
    number = data_set(ValueType="NUMERIC", ConceptNameCodeSequence=code("121033"), NumericValue="77")
    accession = data_set(ValueType="TEXT", ConceptNameCodeSequence=code("121022"), TextValue="ACC55512345")
    other = data_set(ValueType="NUMERIC", ConceptNameCodeSequence=code("125007"), NumericValue="5")
    made = data_set(PatientID="P1", StudyInstanceUID="1.2.3", **{keyword: [number, accession, other]})
    output = verified(written(made), compile_spec({}, profile=CLEAN, key=KEY), tmp_path)
    assert [one.ConceptNameCodeSequence[0].CodeValue for one in output[keyword].value] == ["125007"]


def test_item_of_another_type_than_the_tables_is_treated_all_the_same(tmp_path: Path) -> None:
    # Subject Birth Date is TEXT in the table and DATE in TID 1007.
    made = report(item("121031", "DATE", Date="19500101"), item("121022", "", TextValue="ACC55512345"))
    rules = compile_spec({}, profile=f"{CLEAN},retainLongitudinalFullDates", key=KEY)
    assert "ContentSequence" not in verified(written(made), rules, tmp_path)


def test_coded_findings_stay_where_the_table_means_text(tmp_path: Path) -> None:
    made = report(item("121077", "CODE", ConceptCodeSequence=code("17621005", "SCT", "Normal")))
    found = content_of(verified(written(made), compile_spec({}, profile=CLEAN, key=KEY), tmp_path))
    assert found["121077"].ConceptCodeSequence[0].CodeValue == "17621005"


def test_without_the_option_the_content_is_replaced() -> None:
    output = read(patch_bytes(written(everything()), compile_spec({}, profile="basic", key=KEY)))
    assert [one.TextValue for one in output.ContentSequence] == ["Removed"]


# --- keys of a spec


@pytest.mark.parametrize("key", ["ContentSequence[121022,DCM]", "ContentSequence[ 121022 , dcm , TEXT ]"])
def test_key_removes_items_of_a_concept(key: str, tmp_path: Path) -> None:
    worker = Worker(Settings(compile_spec({key: None}), verify=True))
    result = process(worker, written(everything()), tmp_path)
    # Other texts hold the number, and nobody asked to clean them.
    assert [name.rpartition(".")[2] for name in result.outcome.residuals] == ["TextValue", "TextValue"]
    found = content_of(result.data_set)
    assert "121022" not in found
    assert len(found) == len(content_of(everything())) - 1


def test_key_replaces_the_value_of_items(tmp_path: Path) -> None:
    spec = {
        "ContentSequence[121022,DCM]": "%_md5|4_#tag",
        "ContentSequence[111060,DCM]": "20000101",
        "ContentSequence[121033,DCM]": "50",
        "ContentSequence[121032,DCM]": "stays, as its value is a sequence",
        "TextValue": "x",
    }
    found = content_of(verified(written(everything()), compile_spec(spec), tmp_path))
    assert len(found["121022"].TextValue) == 4
    assert found["111060"].Date == "20000101"
    assert found["121033"].MeasuredValueSequence[0].NumericValue == 50
    assert found["125007"].MeasuredValueSequence[0].NumericValue == 12.5
    assert found["121032"].ConceptCodeSequence[0].CodeValue == "F"
    assert found["99"].TextValue == "x"


def test_key_of_the_user_is_stronger_than_the_profile(tmp_path: Path) -> None:
    spec = {"ContentSequence[121022,DCM]": "%_keep_#tag", "ContentSequence[99,99ACME]": None}
    found = content_of(verified(written(everything()), compile_spec(spec, profile=CLEAN, key=KEY), tmp_path))
    assert found["121022"].TextValue == "ACC55512345"
    assert "99" not in found


def test_value_type_is_more_specific_than_the_concept_alone(tmp_path: Path) -> None:
    spec = {"ContentSequence[121435,DCM,PNAME]": "A^B", "ContentSequence[121435,DCM]": None}
    made = report(item("121435", "PNAME", PersonName="C^D"), item("121435", "TEXT", TextValue="C"))
    output = verified(written(made), compile_spec(spec), tmp_path)
    assert [one.PersonName for one in output.ContentSequence] == ["A^B"]


def test_codes_in_other_elements_are_found(tmp_path: Path) -> None:
    long = item("x", "TEXT", TextValue="secret")
    long.ConceptNameCodeSequence = [data_set(LongCodeValue="12345678901234567", CodingSchemeDesignator="SCT")]
    output = verified(
        written(report(long)), compile_spec({"ContentSequence[12345678901234567,SCT]": None}), tmp_path
    )
    assert "ContentSequence" not in output


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("ContentSequence[121022]", "unknown keyword"),
        ("ContentSequence[121022,DCM,WORDS]", "WORDS is no value type"),
    ],
)
def test_bad_key_is_an_error(key: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        compile_spec({key: None})


def test_literal_that_the_value_type_does_not_allow_is_an_error() -> None:
    with pytest.raises(SpecError, match="not a valid DA"):
        compile_spec({"ContentSequence[111060,DCM,DATE]": "no date"})
