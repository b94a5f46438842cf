"""What verification's search names, and what it leaves alone: no true one lost, few false alarms."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import EXPLICIT, data_set, element, file_of, item, nested, process, rules_of, sequence, written
from support import SHARED

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.rules import RuleSet

KEY = b"a key that only these tests know"
CORPUS = SHARED / "corpus"
PROFILES = {
    "basic": "basic",
    "clean": "basic,retainLongitudinalModifiedDates,cleanDescriptors",
    "retain": "basic,retainUIDs,retainLongitudinalFullDates,retainDeviceIdentity",
}


def profile(name: str) -> RuleSet:
    """The rules of a profile under a key."""
    return compile_spec({}, profile=PROFILES[name], key=KEY)


def named(content: bytes, rules: RuleSet, folder: Path) -> tuple[str, ...]:
    """The elements that verification names in an output."""
    outcome = process(Worker(Settings(rules, verify=True, output_root=str(folder))), content, folder).outcome
    assert outcome.status is Status.WRITTEN, outcome.reason
    return outcome.residuals


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the shared corpus is not here")
@pytest.mark.parametrize("name", PROFILES)
def test_search_raises_few_false_alarms_on_real_files(name: str, tmp_path: Path) -> None:
    worker = Worker(Settings(profile(name), verify=True, output_root=str(tmp_path)))
    found = []
    for path in sorted(CORPUS.rglob("*")):
        if path.is_file():
            outcome = worker.process(FileJob(str(path), str(tmp_path / "a.dcm"), path.name))
            found += [(path.name, residual) for residual in outcome.residuals]
            (tmp_path / "a.dcm").unlink(missing_ok=True)
    # The folders that a DICOMDIR names there are called by the ID of the patient.
    alarms = [one for one in found if not one[1].endswith("ReferencedFileID")]
    assert len(alarms) <= 3, alarms


# (VR or tag and text of what is replaced, of what stays, whether the search is to name it)
PAIRS = {
    "an institution called as its scanner": ("InstitutionName", "TOSHIBA", "Manufacturer", "TOSHIBA_MEC", 0),
    "an institution in another place": ("InstitutionName", "TOSHIBA", "FilterType", "TOSHIBA", 1),
    "a name in a manufacturer": ("PatientName", "Quibbleford^Ann", "Manufacturer", "Quibbleford Inc", 1),
    "a term that is a name": ("PatientName", "Perfusion^Mca", "ImageType", "DERIVED\\PRIMARY\\PERFUSION", 0),
    "a name in a CS": ("PatientName", "Quibbleford^Ann", "ImageType", "DERIVED\\PRIMARY\\QUIBBLEFORD", 1),
    "both names in a CS": ("PatientName", "Doe^Jane", "BodyPartExamined", "JANE DOE", 1),
    "a body part": ("StudyDescription", "Pancreas", "BodyPartExamined", "PANCREAS", 0),
    "a description": ("StudyDescription", "Carotids", "PositionReferenceIndicator", "Carotids", 0),
    "a long description": (
        "StudyDescription",
        "seen after Mrs Quibbleford fell",
        "PositionReferenceIndicator",
        "seen after Mrs Quibbleford fell",
        1,
    ),
    "a part of a number": ("PatientID", "88400", "RescaleSlope", "4.88400488", 0),
    "a number": ("PatientID", "4711234", "RescaleSlope", "4711234", 1),
    "a number with a sign and zeros": ("PatientID", "4711234", "RescaleSlope", "+004711234", 1),
    "an ID in another text": ("PatientID", "4711234", "FilterType", "f4711234", 1),
    "a UID": ("StudyInstanceUID", "1.2.3.4.5678.99", "FilterType", "1.2.3.4.5678.99", 1),
    "a name after an underscore": ("PatientName", "Jane_Quibbleford", "FilterType", "of Quibbleford", 1),
    "a name after a slash": ("PatientName", "Jane/Quibbleford", "FilterType", "of Quibbleford", 1),
    "a date": ("StudyDate", "20210304", "FilterType", "on 04.03.2021", 1),
}


@pytest.mark.parametrize("case", PAIRS)
def test_search_knows_where_a_value_gives_somebody_away(case: str, tmp_path: Path) -> None:
    replaced, original, kept, text, is_named = PAIRS[case]
    content = written(data_set(**{replaced: original, kept: text}))
    assert named(content, rules_of({replaced: None}), tmp_path) == ((kept,) if is_named else ())


def test_search_knows_what_an_option_keeps_on_purpose(tmp_path: Path) -> None:
    content = written(
        data_set(
            PatientName="Quibbleford^Ann",
            StationName="MR4711",
            PerformedStationAETitle="MR4711",
            StudyDate="20210304",
            PatientBirthDate="20210304",
            DeviceSerialNumber="67093",
            StudyInstanceUID="1.3.12.2.1107.5.2.43.67093.20210304",
        )
    )
    assert named(content, profile("retain"), tmp_path) == ()


def test_search_names_what_is_kept_though_it_holds_a_name(tmp_path: Path) -> None:
    content = written(data_set(PatientName="Quibbleford^Ann", StationName="room of Quibbleford"))
    assert named(content, profile("retain"), tmp_path) == ("StationName",)


def test_search_is_not_ended_by_a_kept_value_of_another_kind(tmp_path: Path) -> None:
    """A station that is called as the patient does not make the name of the patient anybody's."""
    content = written(
        data_set(PatientName="Quibbleford^Ann", StationName="QUIBBLEFORD", FilterType="for Quibbleford")
    )
    assert "FilterType" in named(content, profile("retain"), tmp_path)


def test_search_leaves_what_a_removed_sequence_says_of_its_codes(tmp_path: Path) -> None:
    """A profile says of each attribute whether it identifies: that goes for those in sequences, too."""
    inner = element(0x00080100, "SH", b"DAPI", EXPLICIT) + element(0x00080104, "LO", b"DAPI", EXPLICIT)
    data = element(0x00181160, "SH", b"DAPI", EXPLICIT)
    data += sequence(0x00400555, item(inner, EXPLICIT), EXPLICIT)
    assert named(file_of(data, EXPLICIT), profile("basic"), tmp_path) == ()


def test_search_names_a_person_of_a_removed_sequence(tmp_path: Path) -> None:
    made = nested(data_set(PersonName="Quibbleford^Ann"), StudyID="S", FilterType="by Quibbleford")
    assert named(written(made), profile("basic"), tmp_path) == ("FilterType",)


IN_TEXTS = {
    "a name split at an underscore": ("PatientName", "Jane_Quibbleford", "seen: Quibbleford"),
    "a name split at a dot": ("PatientName", "Quibbleford.Marigold", "Marigold came late"),
    "a name split at a semicolon": ("PatientName", "Quibbleford;Marigold", "Marigold came late"),
    "a short name": ("PatientName", "Doe^Jo", "CT of Mr Doe"),
    "a name in other letters": ("PatientName", "Müller^Änne", "Bericht fuer Mueller"),
    "a name glued to a title": ("PatientName", "Quibbleford^Ann", "DrQuibbleford has seen it"),
    "a genitive": ("PatientName", "Quibbleford^Ann", "Quibblefords knee"),
    "a name in an e-mail address": ("PatientName", "Quibbleford^Ann", "send to a.quibbleford@clinic.example"),
    "a name in a URL": ("PatientName", "Quibbleford^Ann", "see http://pacs.example/p/quibbleford/1"),
    "the number of an ID": ("PatientID", "P123456", "MRN 123456"),
    "an ID without its year": ("PatientID", "123456/19", "Pat. 123456"),
    "an ID without its check digit": ("PatientID", "1234567-8", "MRN 1234567"),
    "a city": ("PatientAddress", "4711 Mulberry Lane, Springfield, IL 62704", "lives in Springfield"),
    "a postal code": ("PatientAddress", "4711 Mulberry Lane, Springfield, IL 62704", "ZIP 62704"),
    "a street": ("PatientAddress", "4711 Mulberry Lane, Springfield, IL 62704", "Mulberry Lane clinic"),
    "a date with other separators": ("PatientBirthDate", "19640307", "born 07_03_1964"),
    "a date glued to a time": ("StudyDate", "20210304", "at 20210304T1022"),
    "a date with a month": ("StudyDate", "20210304", "on 4 March 2021"),
    "a UID with a suffix": (
        "StudyInstanceUID",
        "1.2.826.0.1.3680043.8.498.77",
        "1.2.826.0.1.3680043.8.498.77.dcm",
    ),
    "an age in English": ("PatientAge", "093Y", "a woman of ninety-three years"),
    "an age in German": ("PatientAge", "093Y", "93-jähriger Patient"),
    "an age in French": ("PatientAge", "093Y", "homme de 93 ans"),
    "an age in Spanish": ("PatientAge", "093Y", "paciente de 93 años"),
}


@pytest.mark.parametrize("case", IN_TEXTS)
@pytest.mark.parametrize("keyword", ["ImageComments", "SeriesDescription"])
def test_search_finds_in_texts_what_cleaning_finds(case: str, keyword: str, tmp_path: Path) -> None:
    replaced, original, text = IN_TEXTS[case]
    content = written(data_set(SpecificCharacterSet="ISO_IR 192", **{replaced: original, keyword: text}))
    assert named(content, rules_of({replaced: None}), tmp_path) == (keyword,)


@pytest.mark.parametrize("case", IN_TEXTS)
def test_search_finds_in_private_texts_and_items_what_cleaning_finds(case: str, tmp_path: Path) -> None:
    replaced, original, text = IN_TEXTS[case]
    made = nested(data_set(RequestedProcedureDescription=text), **{replaced: original})
    made.SpecificCharacterSet = "ISO_IR 192"
    block = made.private_block(0x0029, "MAKER", create=True)
    block.add_new(0x01, "LT", text)
    block.add_new(0x02, "UN", text.encode() + b" " * (len(text.encode()) % 2))
    found = named(written(made), rules_of({replaced: None}), tmp_path)
    assert found == (
        "(0029,1001)",
        "(0029,1002)",
        "RequestAttributesSequence[0].RequestedProcedureDescription",
    )


NOT_IN_TEXTS = {
    "the words of another text": ("PatientName", "Quibbleford^Ann", "an anterior view"),
    "a common word": ("PatientName", "Head^Ann", "head first supine"),
    "a short number": ("PatientID", "123", "slice 123 of 200"),
    "an ethnic group": ("EthnicGroup", "WHITE", "white matter"),
    "an age of anybody": ("PatientAge", "045Y", "man of 46 years"),
    "a measurement": ("PatientID", "47112", "thickness 0.47112 mm"),
}


@pytest.mark.parametrize("case", NOT_IN_TEXTS)
def test_search_leaves_texts_that_tell_nothing(case: str, tmp_path: Path) -> None:
    replaced, original, text = NOT_IN_TEXTS[case]
    content = written(data_set(**{replaced: original, "ImageComments": text}))
    assert named(content, rules_of({replaced: None}), tmp_path) == ()


def test_search_remembers_texts_by_what_is_looked_for(tmp_path: Path) -> None:
    """The same text in two files of one worker, of one patient and of another."""
    worker = Worker(Settings(rules_of({"PatientName": None}), verify=True, output_root=str(tmp_path)))
    for name, is_named in (("Doe^Jo", True), ("Roe^Al", False), ("Doe^Jo", True), ("Roe^Al", False)):
        content = written(data_set(PatientName=name, ImageComments="CT of Mr Doe"))
        assert process(worker, content, tmp_path).outcome.residuals == (
            ("ImageComments",) if is_named else ()
        )


MORE_PAIRS = {
    "a station in software": ("StationName", "MRROOM77", "SoftwareVersions", "MRROOM77", 1),
    "a station in a CS": ("StationName", "MRROOM77", "ImageType", "DERIVED\\PRIMARY\\MRROOM77", 1),
    "a hospital in a model": (
        "InstitutionName",
        "Saint Elsewhere",
        "ManufacturerModelName",
        "Saint Elsewhere",
        1,
    ),
    "the number of an ID in a CS": (
        "AccessionNumber",
        "ACC778899",
        "ImageType",
        "DERIVED\\PRIMARY\\778899",
        1,
    ),
    "the number of an ID in a DS": ("AccessionNumber", "ACC778899", "RescaleSlope", "778899", 1),
    "the number of an ID as a time": ("StudyID", "S112000", "StudyTime", "112000", 0),
    "a city in a model": (
        "PatientAddress",
        "1 Mill Road, Springfield",
        "ManufacturerModelName",
        "Springfield",
        1,
    ),
}


@pytest.mark.parametrize("case", MORE_PAIRS)
def test_search_loses_no_value_in_what_is_for_something_else(case: str, tmp_path: Path) -> None:
    replaced, original, kept, text, is_named = MORE_PAIRS[case]
    content = written(data_set(**{replaced: original, kept: text}))
    assert named(content, rules_of({replaced: None}), tmp_path) == ((kept,) if is_named else ())
