"""Make the synthetic DICOM files of examples/dicom: the same bytes at every run.

Two made-up patients, whose names stand where a header keeps them: at the top level, in
sequences of defined and of undefined length, in private sequences and after the pixel
data; in ISO 8859-1, ISO 2022 (Japanese) and UTF-8; in explicit and implicit VR.

Use: ``python examples/make_examples.py [DIRECTORY]``
"""

from __future__ import annotations

import sys
from pathlib import Path

import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

ROOT = "1.2.826.0.1.3680043.8.498"
NOTES = "Not DICOM, so pfdicom_tagSub skips it: it is neither read further nor copied.\n"


def _item(**elements: object) -> Dataset:
    """A data set of these elements; the value of a sequence is a list of items."""
    data_set = Dataset()
    for keyword, value in elements.items():
        setattr(data_set, keyword, value)
    return data_set


def _leave_lengths_undefined(data_set: Dataset) -> None:
    """Write every sequence and item below a data set with undefined length."""
    for element in data_set:
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
                _leave_lengths_undefined(item)


def _study(number: int, character_set: str | list[str], sop_class: str, instance: int) -> Dataset:
    """What the files of a patient have in common."""
    data_set = _item(
        SpecificCharacterSet=character_set,
        SOPClassUID=sop_class,
        SOPInstanceUID=f"{ROOT}.{number}.3.{instance}",
        StudyDate=f"2021030{number}",
        ContentDate=f"2021030{number}",
        StudyTime="101500",
        ContentTime="102030",
        AccessionNumber=f"ACC-2021-000{number}",
        Manufacturer="Synthetic",
        PatientSex="O",
        StudyInstanceUID=f"{ROOT}.{number}.1",
        SeriesInstanceUID=f"{ROOT}.{number}.2.{instance // 10}",
        StudyID=str(number),
        SeriesNumber=instance // 10,
        InstanceNumber=instance % 10,
    )
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.MediaStorageSOPClassUID = uid.UID(sop_class)
    data_set.file_meta.MediaStorageSOPInstanceUID = data_set.SOPInstanceUID
    data_set.file_meta.ImplementationClassUID = uid.UID(f"{ROOT}.1")
    data_set.file_meta.ImplementationVersionName = "EXAMPLES"
    return data_set


def _add_pixels(data_set: Dataset, size: int, bits: int) -> None:
    """A small picture: a diagonal gradient."""
    data_set.SamplesPerPixel = 1
    data_set.PhotometricInterpretation = "MONOCHROME2"
    data_set.Rows = data_set.Columns = size
    data_set.BitsAllocated = data_set.BitsStored = bits
    data_set.HighBit = bits - 1
    data_set.PixelRepresentation = 0
    values = (4 * (row + column) for row in range(size) for column in range(size))
    data_set.add_new("PixelData", "OW", b"".join(value.to_bytes(bits // 8, "little") for value in values))


def _muller(sop_class: str, instance: int) -> Dataset:
    data_set = _study(1, "ISO_IR 100", sop_class, instance)
    data_set.PatientName = "Müller^Jürgen^^Dr."
    data_set.PatientID = "MRN-100234"
    data_set.PatientBirthDate = "19610723"
    data_set.ReferringPhysicianName = "Lefèvre^Aurélie"
    data_set.InstitutionName = "Hôpital Sainte-Anne"
    data_set.InstitutionAddress = "1 rue des Exemples, Orléans"
    data_set.PatientAddress = "12 Königstraße, Köln"
    return data_set


def _yamada(character_set: str | list[str], sop_class: str, instance: int) -> Dataset:
    data_set = _study(2, character_set, sop_class, instance)
    data_set.PatientName = "Yamada^Tarou=山田^太郎=やまだ^たろう"
    data_set.PatientID = "JP-0042"
    data_set.PatientBirthDate = "19480229"
    data_set.ReferringPhysicianName = "Suzuki^Hanako=鈴木^花子"
    return data_set


def head_slice(number: int) -> Dataset:
    """An MR slice: sequences of defined length, and a private block."""
    data_set = _muller(uid.MRImageStorage, 10 + number)
    data_set.Modality = "MR"
    data_set.SeriesDescription = "T1 sagittal"
    data_set.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    data_set.ScanningSequence, data_set.SequenceVariant, data_set.ScanOptions = "SE", "NONE", ""
    data_set.MRAcquisitionType, data_set.EchoTrainLength = "2D", 1
    data_set.RepetitionTime, data_set.EchoTime = "500", "12"
    data_set.PhysiciansOfRecord = ["Lefèvre^Aurélie", "Núñez^Inés"]
    data_set.FrameOfReferenceUID, data_set.PositionReferenceIndicator = f"{ROOT}.1.4", ""
    data_set.ImagePositionPatient = [0, 0, 5 * number]
    data_set.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data_set.PixelSpacing, data_set.SliceThickness = [1, 1], 5
    code = _item(CodeValue="L100", CodingSchemeDesignator="99EX", CodeMeaning="Hôpital Sainte-Anne")
    data_set.InstitutionCodeSequence = [code]
    data_set.RequestAttributesSequence = [
        _item(
            AccessionNumber="ACC-2021-0001",
            RequestingPhysician="Núñez^Inés",
            RequestedProcedureID="P1",
            ScheduledProcedureStepID="S1",
        )
    ]
    block = data_set.private_block(0x0029, "SYNTHETIC HEADER", create=True)
    block.add_new(0x10, "LO", "kept as it is")
    block.add_new(0x11, "OB", bytes(range(32)))
    block.add_new(0x12, "SQ", [_item(PatientID="MRN-100234", PatientName="Müller^Jürgen^^Dr.")])
    _add_pixels(data_set, 16, 16)
    return data_set


def screen_capture() -> Dataset:
    """A secondary capture: what a PACS corrected, and a private sequence after the pixels."""
    data_set = _muller(uid.SecondaryCaptureImageStorage, 21)
    data_set.Modality = "OT"
    data_set.ConversionType = "WSD"
    data_set.PatientOrientation = ""
    before = _item(PatientID="OLD-77", PatientName="Mueller^Juergen", PatientBirthDate="19610713")
    data_set.OriginalAttributesSequence = [
        _item(
            SourceOfPreviousValues="Hôpital Sainte-Anne",
            AttributeModificationDateTime="20210302080000",
            ModifyingSystem="PACS",
            ReasonForTheAttributeModification="CORRECT",
            ModifiedAttributesSequence=[before],
        )
    ]
    _add_pixels(data_set, 32, 8)
    trailer = data_set.private_block(0x7FE1, "SYNTHETIC TRAILER", create=True)
    trailer.add_new(0x01, "SQ", [_item(PatientName="Müller^Jürgen^^Dr.")])
    data_set.add_new("DataSetTrailingPadding", "OB", bytes(64))
    return data_set


def chest_slice() -> Dataset:
    """A secondary capture in Japanese: sequences of undefined length, one in another."""
    data_set = _yamada(["", "ISO 2022 IR 87"], uid.SecondaryCaptureImageStorage, 11)
    data_set.Modality = "CT"
    data_set.ConversionType = "WSD"
    data_set.PatientOrientation = ""
    data_set.InstitutionName = "架空病院"
    data_set.InstitutionalDepartmentName = "放射線科"
    device = _item(Manufacturer="Synthetic", InstitutionName="架空病院", StationName="CT1")
    device.PurposeOfReferenceCodeSequence = [
        _item(CodeValue="109101", CodingSchemeDesignator="DCM", CodeMeaning="Acquisition Equipment")
    ]
    data_set.ContributingEquipmentSequence = [device]
    step = _item(ScheduledPerformingPhysicianName="Suzuki^Hanako=鈴木^花子")
    data_set.RequestAttributesSequence = [
        _item(
            RequestedProcedureID="P2",
            ScheduledProcedureStepID="S2",
            ScheduledProcedureStepSequence=[step],
        )
    ]
    _leave_lengths_undefined(data_set)
    _add_pixels(data_set, 32, 16)
    return data_set


def report() -> Dataset:
    """A text report in UTF-8 and implicit VR: no pixels, a tree of content."""
    data_set = _yamada("ISO_IR 192", uid.BasicTextSRStorage, 21)
    data_set.Modality = "SR"
    data_set.CompletionFlag, data_set.VerificationFlag = "COMPLETE", "UNVERIFIED"
    data_set.ReferencedPerformedProcedureStepSequence = []
    data_set.PerformedProcedureCodeSequence = []
    data_set.ReferencedRequestSequence = [
        _item(
            AccessionNumber="ACC-2021-0002",
            StudyInstanceUID=data_set.StudyInstanceUID,
            RequestedProcedureID="P2",
            PlacerOrderNumberImagingServiceRequest="",
            FillerOrderNumberImagingServiceRequest="",
            ReferencedStudySequence=[],
            RequestedProcedureDescription="",
            RequestedProcedureCodeSequence=[],
        )
    ]
    data_set.ValueType, data_set.ContinuityOfContent = "CONTAINER", "SEPARATE"
    title = _item(CodeValue="18748-4", CodingSchemeDesignator="LN", CodeMeaning="Diagnostic imaging report")
    data_set.ConceptNameCodeSequence = [title]
    finding = _item(CodeValue="121071", CodingSchemeDesignator="DCM", CodeMeaning="Finding")
    data_set.ContentSequence = [
        _item(
            RelationshipType="CONTAINS",
            ValueType="TEXT",
            ConceptNameCodeSequence=[finding],
            TextValue="Nothing found: there is nobody in this picture.",
        )
    ]
    return data_set


def write_all(directory: Path) -> list[Path]:
    """Write every file of the examples.

    Args:
        directory: where to; it is created if absent, and files of the same names are
            replaced.

    Returns:
        The paths written.
    """
    explicit, implicit = uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian
    files = {
        "patient-1/mr-head/slice-1.dcm": (head_slice(1), explicit),
        "patient-1/mr-head/slice-2.dcm": (head_slice(2), explicit),
        "patient-1/screen/capture.dcm": (screen_capture(), explicit),
        "patient-2/ct-chest/slice-1.dcm": (chest_slice(), explicit),
        "patient-2/report.dcm": (report(), implicit),
    }
    paths = []
    for name, (data_set, syntax) in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data_set.file_meta.TransferSyntaxUID = syntax
        pydicom.dcmwrite(path, data_set, enforce_file_format=True)
        paths.append(path)
    notes = directory / "notes.txt"
    notes.write_text(NOTES, "utf-8")
    return [*paths, notes]


def main() -> None:
    """Write the files where the first argument says, or where they are committed."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dicom"
    for path in write_all(directory):
        print(path)


if __name__ == "__main__":
    main()
