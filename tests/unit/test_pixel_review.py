"""Which files a person has to look at, since their pixels may show who it is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pydicom
import pytest
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, Form, data_set, nested, read, written
from installed import Trees
from pydicom import uid
from pydicom.uid import UID_dictionary

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.spec.rules import RuleSet

STORAGE = "1.2.840.10008.5.1.4.1.1."
KEY = bytes(range(32))

DOCUMENT = "an encapsulated document"
CAPTURE = "a secondary capture"
ULTRASOUND = "ultrasound"
PHOTOGRAPH = "a photograph or video"
FLUOROSCOPIC = "a captured fluoroscopic image"
SCREEN = "a captured screen"
COLOUR = "a picture in colour"
FILM = "a film page"
REPORT = "a picture of a report"
BONES = "a densitometry report"


def rules_of(**pairs: str) -> RuleSet:
    return compile_spec(pairs, profile="" if pairs else "basic", key=KEY)


def review(content: bytes, rules: RuleSet | None = None) -> str:
    """Why the file should be looked at."""
    file = parse(BytesSource(content))
    patcher = Patcher(rules or rules_of())
    return patcher.patch(file, patcher.scan(file)).review


CT: dict[str, Any] = {
    "SOPClassUID": uid.CTImageStorage,
    "Modality": "CT",
    "ImageType": ["ORIGINAL", "PRIMARY"],
}
XA: dict[str, Any] = {"SOPClassUID": STORAGE + "12.1", "Modality": "XA"}


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"SOPClassUID": uid.UltrasoundImageStorage}, ULTRASOUND),
        ({"SOPClassUID": uid.UltrasoundMultiFrameImageStorage, "Modality": "US"}, ULTRASOUND),
        ({"SOPClassUID": uid.EnhancedUSVolumeStorage}, ULTRASOUND),
        ({"Modality": "US"}, ULTRASOUND),
        ({"Modality": "IVUS"}, ULTRASOUND),
        ({"SOPClassUID": uid.SecondaryCaptureImageStorage, "Modality": "CT"}, CAPTURE),
        ({"SOPClassUID": uid.MultiFrameTrueColorSecondaryCaptureImageStorage}, CAPTURE),
        ({**CT, "ConversionType": "WSD"}, CAPTURE),
        ({"Modality": "OT"}, CAPTURE),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, SCREEN),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY", "OTHER", "CAPTURED"]}, SCREEN),
        (
            {**XA, "ImageType": ["DERIVED", "SECONDARY", "SINGLE PLANE"]},
            FLUOROSCOPIC,
        ),
        ({"Modality": "RF", "ImageType": ["ORIGINAL", "PRIMARY", "SCREEN CAPTURE"]}, FLUOROSCOPIC),
        ({"SOPClassUID": uid.VLPhotographicImageStorage, "Modality": "XC"}, PHOTOGRAPH),
        ({"SOPClassUID": uid.VideoEndoscopicImageStorage}, PHOTOGRAPH),
        ({"SOPClassUID": uid.DermoscopicPhotographyImageStorage}, PHOTOGRAPH),
        ({"SOPClassUID": uid.VLWholeSlideMicroscopyImageStorage, "Modality": "SM"}, PHOTOGRAPH),
        ({"SOPClassUID": STORAGE + "77.1.5.5"}, PHOTOGRAPH),
        ({"Modality": "ES"}, PHOTOGRAPH),
        ({"SOPClassUID": uid.EncapsulatedPDFStorage, "Modality": "DOC"}, DOCUMENT),
        ({"SOPClassUID": uid.EncapsulatedCDAStorage}, DOCUMENT),
        ({"SOPClassUID": uid.RawDataStorage, "EncapsulatedDocument": b"%PDF" * 400}, DOCUMENT),
        ({**CT, "SamplesPerPixel": 3}, COLOUR),
        ({**CT, "SamplesPerPixel": 1, "PhotometricInterpretation": "PALETTE COLOR"}, COLOUR),
        ({**CT, "PhotometricInterpretation": "RGB"}, COLOUR),
        ({**CT, "SamplesPerPixel": 1, "PhotometricInterpretation": "MONOCHROME1"}, ""),
        ({"SOPClassUID": uid.NuclearMedicineImageStorage, "Modality": "NM", "SamplesPerPixel": 3}, COLOUR),
        ({"SOPClassUID": "1.2.826.0.1.3680043.8.498.7", "SamplesPerPixel": 3}, COLOUR),
        ({"SOPClassUID": "1.2.840.10008.5.1.1.29", "Modality": "CT"}, FILM),
        ({"SOPClassUID": "1.2.840.10008.5.1.1.30"}, FILM),
        ({"Modality": "HC"}, FILM),
        ({**CT, "ImageType": ["DERIVED", "SCREEN SAVE"]}, SCREEN),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY CAPTURE"]}, SCREEN),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY", "DOSE REPORT"]}, SCREEN),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY", "DOSE_INFO"]}, SCREEN),
        ({**CT, "SeriesDescription": "Dose Report"}, SCREEN),
        ({**CT, "StudyDescription": "Dose Report"}, SCREEN),
        ({**CT, "SeriesDescription": "Screen Save"}, SCREEN),
        ({**CT, "SeriesDescription": "Patient Protocol"}, SCREEN),
        ({**CT, "SeriesDescription": "3 screenshots"}, SCREEN),
        ({**CT, "SeriesDescription": "Dosisprotokoll"}, SCREEN),
        ({**CT, "SeriesDescription": "Rapport de dose"}, SCREEN),
        ({**CT, "SeriesDescription": "DOSE RECORD"}, SCREEN),
        ({**CT, "SeriesDescription": "Report dose"}, SCREEN),
        ({**CT, "SeriesDescription": "informe_de_dosis"}, SCREEN),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY", "OTHER", "CSA REPORT"]}, REPORT),
        ({**CT, "ImageType": ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]}, REPORT),
        ({"SOPClassUID": STORAGE + "1", "Modality": "BMD"}, BONES),
        ({"SOPClassUID": STORAGE + "1.1", "SeriesDescription": "DXA Report"}, BONES),
        ({"SOPClassUID": STORAGE + "1", "StudyDescription": "Bone densitometry"}, BONES),
        ({"SOPClassUID": STORAGE + "1", "Modality": "CR", "Manufacturer": "GE Lunar"}, BONES),
        ({"SOPClassUID": STORAGE + "1", "Modality": "DX", "Manufacturer": "Hologic, Inc."}, BONES),
        ({"SOPClassUID": STORAGE + "1", "Modality": "DX", "ManufacturerModelName": "LUNAR iDXA"}, BONES),
        ({**CT, "SeriesDescription": "Doserapport"}, SCREEN),
        ({**CT, "SecondaryCaptureDeviceID": "X1"}, CAPTURE),
        ({**CT, "SecondaryCaptureDeviceManufacturer": "VEPRO"}, CAPTURE),
        ({**CT, "HardcopyDeviceSoftwareVersion": "1"}, CAPTURE),
        ({**CT, "VideoImageFormatAcquired": "NTSC"}, CAPTURE),
        ({**CT, "DigitalImageFormatAcquired": "X"}, CAPTURE),
        ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL", "NONE"]}, PHOTOGRAPH),
        ({"Modality": "SM", "ImageType": ["ORIGINAL", "PRIMARY", "OVERVIEW", "NONE"]}, PHOTOGRAPH),
        ({"SOPClassUID": "1.2.826.0.1.7", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL"]}, PHOTOGRAPH),
        ({"SOPClassUID": "1.2.826.0.1.7", "ImageType": ["DERIVED", "PRIMARY", "OVERVIEW"]}, PHOTOGRAPH),
    ],
)  # fmt: skip
def test_kinds_that_commonly_show_who_it_is(values: dict[str, Any], kind: str, form: Form) -> None:
    reason = review(written(data_set(PatientID="P", **values), form))
    assert reason == (f"{kind}, which commonly shows identifying text or features" if kind else "")


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize(
    "values",
    [
        CT,
        {**CT, "BurnedInAnnotation": "NO"},
        {**CT, "BurnedInAnnotation": "NO", "RecognizableVisualFeatures": "NO"},
        {**CT, "ImageType": ["DERIVED", "SECONDARY", "AXIAL", "MPR"]},
        {**CT, "SamplesPerPixel": 1, "SeriesDescription": "SCREENING LOW DOSE"},
        {"SOPClassUID": uid.MRImageStorage, "Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "M"]},
        {"SOPClassUID": uid.MRImageStorage, "Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY", "LABEL"]},
        {"SOPClassUID": "1.2.826.0.1.7", "ImageType": ["ORIGINAL", "PRIMARY", "LABELLED", "NO OVERVIEW"]},
        {**CT, "ImageType": ["ORIGINAL", "PRIMARY", "PROTON", "REPORTED"]},
        {"SOPClassUID": uid.EnhancedMRImageStorage, "Modality": "MR"},
        {**XA, "ImageType": ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]},
        {"SOPClassUID": STORAGE + "1.2", "Modality": "MG", "Manufacturer": "HOLOGIC, Inc."},
        {"SOPClassUID": STORAGE + "1.1", "Modality": "DX", "Manufacturer": "SIEMENS"},
        {"SOPClassUID": uid.SegmentationStorage, "Modality": "SEG"},
        {"SOPClassUID": uid.RTStructureSetStorage, "Modality": "RTSTRUCT"},
        {"SOPClassUID": STORAGE + "77.1.5.3"},
        {"SOPClassUID": "1.2.826.0.1.3680043.8.498.7"},
        {"SOPClassUID": STORAGE + "70"},
    ],
)  # fmt: skip
def test_other_kinds_are_not_named(values: dict[str, Any], form: Form) -> None:
    assert review(written(data_set(PatientID="P", **values), form)) == ""


@pytest.mark.parametrize("values", [{}, {"SOPClassUID": ""}, {"SOPClassUID": "", "Modality": "CT"}])
def test_class_that_only_the_file_meta_names_tells_the_kind(values: dict[str, Any]) -> None:
    """The file meta of the builders names Secondary Capture."""
    assert CAPTURE in review(written(data_set(PatientID="P", **values)))


def with_meta_class(content: bytes, number: str) -> bytes:
    """A file whose file meta names another SOP class."""
    made = pydicom.dcmread(io.BytesIO(content))
    made.file_meta.MediaStorageSOPClassUID = uid.UID(number)
    buffer = io.BytesIO()
    made.save_as(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("inside", "meta", "kind"),
    [
        (STORAGE + "2", STORAGE + "7", CAPTURE),
        (STORAGE + "7", STORAGE + "2", CAPTURE),
        (STORAGE + "2.1", STORAGE + "6.1", ULTRASOUND),
        (STORAGE + "6.1", STORAGE + "7.1", ULTRASOUND),
        (STORAGE + "77.1.5.3", STORAGE + "77.1.5.1", PHOTOGRAPH),
        (STORAGE + "2", "1.2.840.10008.5.1.1.30", FILM),
        (STORAGE + "2", STORAGE + "4", ""),
        (STORAGE + "2.1", STORAGE + "7", CAPTURE),
        (STORAGE + "77.1.5.1", STORAGE + "77.1.5.3", PHOTOGRAPH),
        (STORAGE + "77.1.5.3", STORAGE + "77.1.5.3", ""),
    ],
)  # fmt: skip
def test_either_of_two_classes_that_differ_names_the_kind(inside: str, meta: str, kind: str) -> None:
    content = with_meta_class(written(data_set(PatientID="P", SOPClassUID=inside)), meta)
    found = pydicom.dcmread(io.BytesIO(content))
    assert (found.SOPClassUID, found.file_meta.MediaStorageSOPClassUID) == (inside, meta)
    assert review(content).partition(",")[0] == kind


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
def test_files_of_a_series_are_asked_for_their_own_file_meta(form: Form) -> None:
    patcher = Patcher(rules_of())
    found, wanted = [], []
    for number in range(100, 140):
        made = data_set(
            PatientID="P", SOPClassUID=STORAGE + "2", Modality="CT", SOPInstanceUID=f"1.2.{number}",
            StudyInstanceUID="1.2.9", SeriesInstanceUID="1.2.8", InstanceNumber=number,
        )  # fmt: skip
        is_capture = number % 7 in {0, 3}
        content = with_meta_class(written(made, form), STORAGE + ("7" if is_capture else "2"))
        file = parse(BytesSource(content))
        found.append(patcher.patch(file, patcher.scan(file)).review.partition(",")[0])
        wanted.append(CAPTURE if is_capture else "")
    assert found == wanted


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"BurnedInAnnotation": "YES"}, "it says that it has burned-in annotation"),
        ({"BurnedInAnnotation": "yes"}, "it says that it has burned-in annotation"),
        ({"RecognizableVisualFeatures": "YES"}, "it says that it has recognizable visual features"),
        (
            {"BurnedInAnnotation": "NO", "RecognizableVisualFeatures": "YES"},
            "it says that it has recognizable visual features",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value")
def test_claims_of_the_file_are_believed(values: dict[str, Any], reason: str, form: Form) -> None:
    assert review(written(data_set(PatientID="P", **CT, **values), form)) == reason


def test_claim_that_nothing_is_burned_in_does_not_excuse_the_kind() -> None:
    made = data_set(SOPClassUID=uid.UltrasoundImageStorage, BurnedInAnnotation="NO")
    assert review(written(made)).startswith(ULTRASOUND)


def test_claims_of_items_are_not_those_of_the_file() -> None:
    icon = data_set(BurnedInAnnotation="YES", Modality="US")
    assert review(written(nested(icon, keyword="ReferencedSeriesSequence", **CT))) == ""


def test_deflated_files_are_named_too() -> None:
    made = data_set(SOPClassUID=uid.UltrasoundImageStorage, PatientID="P")
    assert review(written(made, DEFLATED)).startswith(ULTRASOUND)


WORDS = ("Ultrasound", "US Volume", "Secondary Capture", "Photograph", "VL ", "Video", "Encapsulated")
SOUND = ("Audio Wave",)


def test_every_class_that_is_called_so_is_named() -> None:
    classes = {
        number: entry[0]
        for number, entry in UID_dictionary.items()
        if entry[1] == "SOP Class" and number.startswith(STORAGE)
    }
    called = {number for number, name in classes.items() if any(word in name for word in WORDS + SOUND)}
    found = {number for number in classes if review(written(data_set(SOPClassUID=number)))}
    more = {classes[number].partition(" ")[0] for number in found - called}
    assert called - found == set()
    assert more == {"Photoacoustic", "Ophthalmic", "Confocal"}


@pytest.mark.parametrize("claim", [None, "YES", "NO", ""])
def test_burned_in_annotation_is_never_asserted(claim: str | None) -> None:
    made = data_set(PatientID="P", **CT)
    if claim is not None:
        made.BurnedInAnnotation = claim
    output = read(patch_bytes(written(made), rules_of()))
    assert output.PatientIdentityRemoved == "YES"
    assert output.get("BurnedInAnnotation") == (claim or (None if claim is None else ""))
    assert ("BurnedInAnnotation" in output) == (claim is not None)


def test_nothing_is_named_where_no_identity_is_claimed_to_be_removed() -> None:
    content = written(data_set(PatientID="P", Modality="US"))
    assert review(content, rules_of(PatientID="ANON")) == ""
    assert review(content, rules_of(PatientID="ANON", PatientIdentityRemoved="YES")).startswith(ULTRASOUND)


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
@pytest.mark.parametrize(
    ("plain", "telling"),
    [
        ({}, {"BurnedInAnnotation": "YES"}),
        ({"BurnedInAnnotation": "NO"}, {"BurnedInAnnotation": "YES"}),
        ({"ImageType": ["ORIGINAL", "PRIMARY"]}, {"ImageType": ["ORIGINAL", "PRIMARY", "SCREEN"]}),
        ({"Modality": "MR"}, {"Modality": "US"}),
        ({"SOPClassUID": uid.MRImageStorage}, {"SOPClassUID": uid.UltrasoundImageStorage}),
        ({}, {"SOPClassUID": ""}),  # the builders' file meta names Secondary Capture
        ({}, {"ConversionType": "WSD"}),
        ({}, {"SamplesPerPixel": 3}),
        ({}, {"EncapsulatedDocument": b"%PDF"}),
        ({}, {"RecognizableVisualFeatures": "YES"}),
    ],
)
def test_files_with_equal_changes_do_not_share_the_answer(
    plain: dict[str, Any], telling: dict[str, Any], form: Form
) -> None:
    # What the rules hit is equal in both. The answer depends on more, so that no changes are remembered.
    same = {"PatientID": "P", "PatientIdentityRemoved": "NO", "SOPClassUID": uid.CTImageStorage}
    patcher = Patcher(rules_of(PatientID="ANON", PatientIdentityRemoved="YES"))
    found = []
    for values in (plain, telling, plain, telling):
        file = parse(BytesSource(written(data_set(**{**same, **values}), form)))
        patch = patcher.patch(file, patcher.scan(file))
        assert len(patch.edits) == 2
        found.append(bool(patch.review))
    assert not patcher.memory.patches
    assert found == [False, True, False, True]


@pytest.mark.parametrize("threads", ["0", "2"])
def test_record_names_the_outputs_and_one_warning_counts_them(trees: Trees, threads: str) -> None:
    for number in range(6):
        modality = "US" if number % 3 == 0 else "MR"
        trees.make(f"{number}.dcm", SOPClassUID=uid.MRImageStorage, Modality=modality, InstanceNumber=number)
    done = trees.run("--profile", "basic", "--threads", threads, "--json", spec=None)
    assert done.code == 0, done.err
    assert sorted(one["path"] for one in done.record["pixelReview"]) == ["0.dcm", "3.dcm"]
    assert {one["reason"].partition(",")[0] for one in done.record["pixelReview"]} == {ULTRASOUND}
    assert done.err.count("pixelReview") == 1
    assert "2 outputs" in done.err


def test_pixels_themselves_stay(tmp_path: Path) -> None:
    pixels = bytes(range(256)) * 16
    made = data_set(SOPClassUID=uid.UltrasoundImageStorage, PatientID="P", PixelData=pixels)
    made["PixelData"].VR = "OB"
    trees = Trees(tmp_path / "in", tmp_path / "out")
    trees.add("a.dcm", written(made))
    assert trees.run("--profile", "basic", "--keyFile", "/dev/null", spec=None).code == 2
    assert trees.run("--profile", "basic", spec=None).code == 0
    assert read((trees.outputs / "a.dcm").read_bytes()).PixelData == pixels


def test_files_with_equal_elements_and_other_file_meta_do_not_share_the_answer() -> None:
    patcher = Patcher(rules_of(PatientID="ANON", PatientIdentityRemoved="YES"))
    content = written(data_set(PatientID="P", PatientIdentityRemoved="NO", SOPClassUID=""))
    capture = str(uid.SecondaryCaptureImageStorage).encode()
    other = (STORAGE + "2").encode().ljust(len(capture), b"\0")
    assert capture in content
    found = []
    for one in (content, content.replace(capture, other), content):
        file = parse(BytesSource(one))
        found.append(bool(patcher.patch(file, patcher.scan(file)).review))
    assert not patcher.memory.patches
    assert found == [True, False, True]
