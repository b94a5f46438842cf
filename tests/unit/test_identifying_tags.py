"""identifying.py: what of a file counts as an identifier, and what only describes."""

from __future__ import annotations

from typing import Any

import pytest
from builders import data_set, nested, read, written
from pydicom import Dataset

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.spec.identifying_tags import descriptive_tags, identifying_tags

PROFILE = "basic,cleanDescriptors"


def cleaned(made: Dataset, profile: str = PROFILE, **spec: Any) -> Dataset:
    """A data set after a profile was applied, or a spec alone."""
    compiled = compile_spec(spec, profile=profile)
    return read(patch_bytes(written(made), compiled))


def _file(**values: Any) -> Dataset:
    return data_set(SOPClassUID="1.2.840.10008.5.1.4.1.1.4", SOPInstanceUID="1.2.3.4", **values)


def _sequence(keyword: str, *items: Dataset) -> Any:
    return nested(*items, keyword=keyword)[keyword].value


@pytest.mark.parametrize(
    ("keyword", "within"),
    [
        ("IconImageSequence", {"DerivationDescription": "lossless filter of oedema"}),
        ("OriginalAttributesSequence", {"Manufacturer": "lossless", "SeriesDescription": "filter of oedema"}),
        ("ContentSequence", {"TextValue": "oedema"}),
        ("ReferencedPatientPhotoSequence", {"StudyDescription": ""}),
    ],
)
def test_descriptions_within_a_removed_sequence_are_no_identifiers(
    keyword: str, within: dict[str, str]
) -> None:
    made = _file(
        SeriesDescription="lossless filter of oedema", **{keyword: _sequence(keyword, data_set(**within))}
    )
    assert cleaned(made).SeriesDescription == "lossless filter of oedema"


def test_codes_within_a_removed_sequence_are_no_identifiers() -> None:
    code = data_set(CodeValue="B1", CodingSchemeDesignator="99X", CodeMeaning="perfusing")
    context = nested(code, keyword="ConceptCodeSequence")
    made = _file(SeriesDescription="perfusing B1 99X", AcquisitionContextSequence=[context])
    assert cleaned(made).SeriesDescription == "perfusing B1 99X"


def test_codes_of_persons_are_identifiers_within_a_removed_sequence() -> None:
    code = data_set(CodeValue="Q7-55", CodingSchemeDesignator="99X", CodeMeaning="Quibbleford Marigold")
    person = nested(code, keyword="PersonIdentificationCodeSequence")
    made = _file(SeriesDescription="knee marigold Q755", PerformingPhysicianIdentificationSequence=[person])
    assert cleaned(made).SeriesDescription == "knee marigold"
    made.SeriesDescription = "knee by Quibbleford Marigold"
    assert cleaned(made).SeriesDescription == "knee by"


@pytest.mark.parametrize(
    ("within", "text"),
    [
        ({"PatientName": "Quibbleford^Marigold"}, "Marigold"),
        ({"PatientID": "P123456"}, "123456"),
        ({"OperatorsName": "Quibbleford"}, "Quibbleford"),
        ({"StudyDate": "19500307"}, "7.3.1950"),
        ({"StudyInstanceUID": "1.2.3.4.99"}, "1.2.3.4.99.1"),
        ({"InstitutionName": "St Elsewhere"}, "St Elsewhere"),
        ({"EvaluatorName": "Quibbleford^Marigold"}, "Marigold"),
    ],
)
def test_identifiers_within_a_removed_sequence_count(within: dict[str, str], text: str) -> None:
    inner = data_set(**within)
    made = _file(SeriesDescription=f"knee {text}", OriginalAttributesSequence=[inner])
    assert cleaned(made).SeriesDescription == "knee"


def test_descriptions_that_a_profile_removes_are_no_identifiers() -> None:
    made = _file(StudyDescription="oedema of the talus")
    made.GraphicAnnotationSequence = [
        nested(data_set(UnformattedTextValue="oedema of the talus"), keyword="TextObjectSequence")
    ]
    output = cleaned(made, "basic,cleanGraphics")
    assert "StudyDescription" not in output
    (annotation,) = output.GraphicAnnotationSequence
    assert annotation.TextObjectSequence[0].UnformattedTextValue == "oedema of the talus"


def test_whatever_a_spec_without_a_profile_names_counts() -> None:
    made = _file(StudyDescription="oedema of the talus", ImageComments="seen: oedema of the talus, left")
    spec = {"StudyDescription": None, "ImageComments": "%_clean_#tag"}
    assert cleaned(made, "", **spec).ImageComments == "seen:, left"


def test_what_an_option_retains_is_not_cut() -> None:
    made = _file(
        InstitutionName="St Elsewhere", RequestingService="St Elsewhere", SeriesDescription="at St Elsewhere"
    )
    output = cleaned(made, f"{PROFILE},retainInstitutionIdentity")
    assert (output.InstitutionName, output.SeriesDescription) == ("St Elsewhere", "at St Elsewhere")
    assert cleaned(made).SeriesDescription == "at"


@pytest.mark.parametrize(
    ("address", "text", "expected"),
    [
        ("4711 Mulberry Lane, Springfield, IL 62704", "lives in Springfield", "lives in"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "ZIP 62704", "ZIP"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "Mulberry Lane clinic", "clinic"),
        ("4711 Mulberry Lane, Springfield, IL 62704", "home 4711 Mulberry", "home"),
    ],
)
def test_addresses_are_looked_for_by_their_parts(address: str, text: str, expected: str) -> None:
    for keyword in ("PatientAddress", "InstitutionAddress", "ReferringPhysicianAddress"):
        assert cleaned(_file(SeriesDescription=text, **{keyword: address})).SeriesDescription == expected


def test_tags_that_describe_and_tags_that_identify_are_apart() -> None:
    assert not descriptive_tags() & identifying_tags()
    assert {0x00081030, 0x0008103E, 0x00204000} <= descriptive_tags()
    assert {0x00100010, 0x00100020, 0x00101040} <= identifying_tags()


def test_a_make_is_no_identifier() -> None:
    made = _file(
        Manufacturer="Acme Imaging", InstitutionName="Acme Imaging", SeriesDescription="by Acme Imaging"
    )
    output = cleaned(made)
    assert (output.Manufacturer, output.SeriesDescription) == ("Acme Imaging", "by Acme Imaging")
