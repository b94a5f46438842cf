"""The objects of the planted corpus: images, segmentations, structures, reports, with identifiers in them."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from builders import data_set, nested
from planted_people import Kind, Person, Planter, is_sequence
from planted_rows import ROWS
from pydicom import uid
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate

SAFE_CREATOR = "SIEMENS MR HEADER"
"""The creator of a private element that the safe list of PS3.15 Table E.3.10-1 names: its 0C, the b-value."""
KEPT_CREATOR = "ACME TUNING 2"
"""The creator of a private block that identifies nobody."""

_WALKED_BY_HAND = frozenset(
    {"ContentSequence", "GraphicAnnotationSequence", "DigitalSignaturesSequence", "IconImageSequence"}
)
_ELSEWHERE = frozenset(
    {
        *("MediaStorageSOPInstanceUID", "ReferencedSOPInstanceUIDInFile", "EncapsulatedDocument"),
        *("DataSetTrailingPadding", "OverlayData", "OverlayComments", "CurveData", "CurveDescription"),
        *("private", "TextValue", "UnformattedTextValue"),
    }
)


@dataclass(frozen=True)
class Study:
    """What the files of a study share."""

    person: Person
    day: str
    uid: str
    accession: str
    frame: str
    series: str
    instances: tuple[str, ...]

    def reference(self, index: int, **more: Any) -> Dataset:
        """An item that refers to one of its images."""
        return data_set(
            ReferencedSOPClassUID=uid.MRImageStorage, ReferencedSOPInstanceUID=self.instances[index], **more
        )


def study_of(person: Person, day: str, rng: random.Random) -> Study:
    """A study whose UIDs are made here."""
    planter = Planter(rng, person, day, "", "")
    uids = [planter.uid() for _ in range(11)]
    return Study(person, day, uids[0], planter.identifier("AC"), uids[1], uids[2], tuple(uids[3:]))


# --- what every file has


def base(
    planter: Planter, study: Study, *, instance: str = "", modality: str = "MR", number: int = 1
) -> Dataset:
    """The modules of patient, study, series and equipment, and an image."""
    person, day = study.person, study.day
    later = day_after(day, 1)
    made = data_set(
        SOPClassUID=uid.MRImageStorage,
        SOPInstanceUID=instance or planter.uid(),
        Modality=modality,
        PatientName=person.name,
        PatientID=person.number,
        PatientBirthDate=person.birth,
        PatientSex="F",
        OtherPatientIDs=[planter.identifier(), planter.identifier()],
        OtherPatientNames=[planter.other(), person.name],
        PatientAddress=person.street,
        PatientTelephoneNumbers=[person.phone, "+49 171 5550-883"],
        PatientAge="059Y",
        PatientWeight="71.4",
        EthnicGroup=planter.identifier("ET"),
        StudyDate=day,
        StudyTime=planter.time(),
        SeriesDate=day,
        SeriesTime=planter.time(),
        ContentDate=later,
        ContentTime=planter.time(),
        AcquisitionDateTime=f"{day}{planter.time()}+0200",
        InstanceCreationDate=day_after(day, 400),
        StudyInstanceUID=study.uid,
        SeriesInstanceUID=study.series if modality == "MR" else planter.uid(),
        FrameOfReferenceUID=study.frame,
        StudyID=planter.identifier("ST"),
        AccessionNumber=study.accession,
        InstitutionName=person.hospital,
        InstitutionAddress=f"{person.hospital}, {planter.identifier('N')}",
        ReferringPhysicianName=planter.other(),
        OperatorsName=[planter.other(), planter.other()],
        DeviceSerialNumber=planter.identifier("SN"),
        StationName=planter.identifier("MRC"),
        StudyDescription=planter.line(),
        SeriesDescription=planter.line(),
        ProtocolName=planter.line(),
        ImageComments=planter.report(),
        SeriesNumber=str(number),
        InstanceNumber=str(planter.rng.randrange(1, 500)),
        # what no row names and everything has to leave as it is
        ImageType=["ORIGINAL", "PRIMARY", "M", "ND"],
        Manufacturer="Acme Imaging",
        ManufacturerModelName="Acme One",
        SoftwareVersions=["7.3", "A 51"],
        BodyPartExamined="KNEE",
        PatientPosition="HFS",
        EchoTime="4.6",
        RepetitionTime="1900.",
        MagneticFieldStrength="3",
        SliceThickness="2.50",
        ImageOrientationPatient=["1", "0", "0", "0", "1", "-0"],
        ImagePositionPatient=["-100.5", "-90", "12.25"],
        WindowCenter=["600", "40"],
        WindowWidth=["1200", "80"],
    )
    if person.charset:
        made.SpecificCharacterSet = [*person.charset]
    return made


def with_pixels(made: Dataset, planter: Planter, *, bits: int = 16) -> Dataset:
    """Give a data set a small image of noise."""
    made.Rows = made.Columns = 12
    made.BitsAllocated = made.BitsStored = bits
    made.HighBit = bits - 1
    made.PixelRepresentation = 0
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.add_new(0x7FE00010, "OB" if bits == 8 else "OW", planter.rng.randbytes(144 * bits // 8))
    return made


def day_after(day: str, days: int) -> str:
    return (date.fromisoformat(day) + timedelta(days=days)).strftime("%Y%m%d")


# --- the kinds of objects; each adds to what base() gives


Maker = Callable[[Dataset, Planter, Study], Dataset]


def plain(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An MR image."""
    made.ReferencedImageSequence = [study.reference(0), study.reference(1)]
    made.AcquisitionDate = "15 APR 2023"  # no DA at all
    made.PerformedProcedureStepStartDate = study.day
    return with_pixels(made, planter)


def compressed(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An MR image in fragments."""
    made = with_pixels(made, planter, bits=8)
    made.PixelData = encapsulate([b"\xff\xd8" + planter.rng.randbytes(301) + b"\xff\xd9" for _ in range(3)])
    made["PixelData"].VR = "OB"
    return made


def every_row(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An MR image with every element that has a row here."""
    for keyword in sorted(ROWS):
        tag = tag_for_keyword(keyword)
        if keyword in _ELSEWHERE | _WALKED_BY_HAND or tag is None or tag in made or tag >> 16 < 8:
            continue
        if is_sequence(keyword):
            setattr(made, keyword, [row_item(keyword, planter, study)])
        else:
            made.add_new(tag, dictionary_VR(tag), planter.value(keyword))
    made.AdmittingDiagnosesDescription = [planter.line(), planter.line(), planter.line()]
    made.FailedSOPInstanceUIDList = [study.instances[5], planter.uid()]
    made.ContextGroupVersion = "20020904"
    made.DateOfLastCalibration = [planter.day(), planter.day()]
    made.VerificationDateTime = "202211"  # a month
    made.IconImageSequence = [with_pixels(Dataset(), planter, bits=8)]
    return with_pixels(made, planter)


def row_item(keyword: str, planter: Planter, study: Study) -> Dataset:
    """The item of a sequence that has a row: it names people if it goes as a whole."""
    row = ROWS[keyword]
    if "U" in row.code or "retainUIDs" in row.kept:
        return study.reference(2)
    made = data_set(CodeValue="T-A0100", CodingSchemeDesignator="SRT", CodeMeaning=planter.view("knee"))
    if row.cleaned:
        made.AccessionNumber = study.accession
        made.RequestedProcedureID = planter.identifier()
        made.RequestedProcedureDescription = planter.line()
        made.ScheduledProcedureStepDescription = planter.line()
        made.StudyInstanceUID = study.uid
    elif row.kept:
        made.CodeMeaning = planter.note(
            Kind.INSTITUTION, planter.identifier("Ward "), keyword, f"{keyword}.CodeMeaning"
        )
    else:
        made.CodeMeaning = planter.note(
            Kind.NAME, planter.other().split("=")[0], keyword, f"{keyword}.CodeMeaning"
        )
        made.InstitutionName = f"{study.person.hospital} {planter.identifier('')}"
        made.PersonTelephoneNumbers = ["+49 40 5550-127"]
    return made


def deep(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An image with sequences that no row names, five deep, and functional groups."""
    lowest = level(planter, study)
    for _ in range(4):
        lowest = level(planter, study, below=lowest)
    foreign = data_set(
        SpecificCharacterSet="ISO_IR 126",
        OperatorsName="Αναγνώστου^Σταύρος",
        StudyDescription=f"{planter.view('γόνατο')} Αναγνώστου",
    )
    made.ContributingEquipmentSequence = [lowest, level(planter, study), foreign]
    shared = nested(data_set(PixelSpacing=["0.5", "0.5"]), keyword="PixelMeasuresSequence")
    shared.ReferencedImageSequence = [study.reference(3)]
    made.SharedFunctionalGroupsSequence = [shared]
    made.PerFrameFunctionalGroupsSequence = [_frame(planter, study, index) for index in range(3)]
    made.DimensionOrganizationSequence = [data_set(DimensionOrganizationUID=planter.uid())]
    made.NumberOfFrames = "3"
    made = with_pixels(made, planter)
    made.PixelData = planter.rng.randbytes(3 * 288)
    return made


def level(planter: Planter, study: Study, below: Dataset | None = None) -> Dataset:
    made = data_set(
        Manufacturer="Acme",
        PatientName=study.person.name,
        PatientID=study.person.number,
        AccessionNumber=study.accession,
        StudyDate=planter.day(),
        ContributionDateTime=planter.day() + planter.time() + "+0100",
        InstitutionName=f"{study.person.hospital} {planter.identifier('')}",
        OperatorsName=[planter.other(), planter.other()],
        DeviceSerialNumber=planter.identifier("SN"),
        TrackingUID=planter.uid(),
        StudyDescription=planter.line(),
        CodeMeaning=planter.view("Equipment"),
    )
    _private(made, planter, 0x0077, "ACME HIDDEN 7", "LO", planter.other().split("=")[0])
    if below is not None:
        made.EquivalentCodeSequence = [data_set(CodeValue="1", CodeMeaning="none"), below]
    return made


def _frame(planter: Planter, study: Study, index: int) -> Dataset:
    content = data_set(
        FrameAcquisitionNumber=index + 1,
        FrameAcquisitionDateTime=planter.day() + planter.time(),
        FrameReferenceDateTime=planter.day() + planter.time() + "-0500",
        FrameComments=planter.report(),
        FrameLabel="knee",
        FrameAcquisitionDuration=index + 0.5,
    )
    derivation = data_set(DerivationDescription=planter.line(), SourceImageSequence=[study.reference(index)])
    made = nested(content, keyword="FrameContentSequence", DerivationImageSequence=[derivation])
    made.PlanePositionSequence = [data_set(ImagePositionPatient=["1", "2", str(index)])]
    _private(made, planter, 0x0021, "ACME FRAMES", "PN", planter.other())
    return made


def _private(
    made: Dataset, planter: Planter, group: int, creator: str, vr: str, value: Any, number: int = 1
) -> None:
    """Add a private element and its creator."""
    made.private_block(group, creator, create=True).add_new(number, vr, value)


def with_private(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An image with private blocks of creators known and unknown, a sequence among them."""
    name = study.person.name.split("=")[0]
    header = f'<ParamString."PatientName"> {{ {name} }}\0'.encode(study.person.encodings[0])
    planter.note(Kind.NAME, name, "private", "SIEMENS CSA HEADER")
    _private(made, planter, 0x0029, "SIEMENS CSA HEADER", "OB", header + planter.rng.randbytes(30), 0x10)
    _private(made, planter, 0x0009, "GEMS_IDEN_01", "LO", planter.identifier("GE"), 0x02)
    _private(made, planter, 0x0019, SAFE_CREATOR, "IS", "1000", 0x0C)
    _private(made, planter, 0x0019, SAFE_CREATOR, "DA", planter.day(), 0x1F)
    _private(made, planter, 0x0029, KEPT_CREATOR, "LO", "gain 17", 0x01)
    for creator in ("ACME HIDDEN 1", "ACME HIDDEN 2"):
        _private(made, planter, 0x0033, creator, "PN", [planter.other(), study.person.name], 0x01)
        _private(made, planter, 0x0033, creator, "DT", planter.day() + planter.time() + "+0900", 0x02)
        _private(made, planter, 0x0033, creator, "UI", [planter.uid(), planter.uid()], 0x03)
        _private(made, planter, 0x0033, creator, "UT", planter.identifier(), 0x04)
    inner = level(planter, study)
    inner.OtherPatientNames = planter.other()
    _private(
        made, planter, 0x0035, "ACME NESTED", "SQ", [nested(inner, keyword="EquivalentCodeSequence"), inner]
    )
    made.add_new(0x00371001, "LO", planter.identifier())  # no creator at all
    return with_pixels(made, planter)


def late(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An image with elements after its pixels, and overlays and curves before them."""
    made = with_private(made, planter, study)
    codec = study.person.encodings[0]
    _private(made, planter, 0x7FE1, "ACME LATE", "PN", study.person.name)
    made.DigitalSignaturesSequence = [
        data_set(
            MACIDNumber=1,
            DigitalSignatureUID=planter.uid(),
            DigitalSignatureDateTime=planter.day() + planter.time(),
            CertificateOfSigner=planter.value("CertificateOfSigner"),
        )
    ]
    padding = planter.note(Kind.NAME, planter.other().split("=")[0], "removed", "DataSetTrailingPadding")
    made.DataSetTrailingPadding = padding.encode(codec) + bytes(11)
    for group, comments in ((0x6000, True), (0x6002, False)):
        made.add_new(group << 16 | 0x0010, "US", 8)
        made.add_new(group << 16 | 0x0011, "US", 8)
        made.add_new(group << 16 | 0x0040, "CS", "G")
        made.add_new(group << 16 | 0x0050, "SS", [1, 1])
        made.add_new(group << 16 | 0x0100, "US", 1)
        made.add_new(group << 16 | 0x0102, "US", 0)
        made.add_new(group << 16 | 0x3000, "OW", planter.rng.randbytes(8))
        if comments:
            made.add_new(group << 16 | 0x4000, "LT", planter.report())
    made.add_new(0x50000005, "US", 2)
    made.add_new(0x50000022, "LO", planter.line())
    made.add_new(0x50003000, "OW", planter.rng.randbytes(16))
    return made


def segmentation(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """A segmentation of the study's images."""
    made.SOPClassUID = uid.SegmentationStorage
    made.ContentCreatorName = planter.other()
    instances = [study.reference(index) for index in range(4)]
    made.ReferencedSeriesSequence = [
        nested(*instances, keyword="ReferencedInstanceSequence", SeriesInstanceUID=study.series)
    ]
    made.SegmentSequence = [
        data_set(SegmentNumber=1, SegmentLabel="meniscus", TrackingUID=planter.uid(), TrackingID="one")
    ]
    made.PerFrameFunctionalGroupsSequence = [_frame(planter, study, index) for index in range(2)]
    return with_pixels(made, planter, bits=8)


def structures(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An RT structure set on the study's images."""
    made.SOPClassUID = uid.RTStructureSetStorage
    made.StructureSetLabel = planter.short_text()
    made.StructureSetName = planter.line()
    made.StructureSetDate, made.StructureSetTime = study.day, planter.time()
    images = nested(
        study.reference(0), study.reference(1), keyword="ContourImageSequence", SeriesInstanceUID=study.series
    )
    of_study = nested(images, keyword="RTReferencedSeriesSequence", ReferencedSOPInstanceUID=study.uid)
    of_study.ReferencedSOPClassUID = "1.2.840.10008.3.1.2.3.1"
    frame = nested(of_study, keyword="RTReferencedStudySequence", FrameOfReferenceUID=study.frame)
    made.ReferencedFrameOfReferenceSequence = [frame]
    made.StructureSetROISequence = [
        data_set(
            ROINumber=1,
            ReferencedFrameOfReferenceUID=study.frame,
            ROIName=planter.line(),
            ROIGenerationAlgorithm="MANUAL",
        )
    ]
    contour = nested(study.reference(1), keyword="ContourImageSequence", ContourGeometricType="POINT")
    contour.ContourData = ["1", "2", "3.5"]
    made.ROIContourSequence = [nested(contour, keyword="ContourSequence", ReferencedROINumber=1)]
    made.RTROIObservationsSequence = [
        data_set(
            ObservationNumber=1,
            ReferencedROINumber=1,
            RTROIInterpretedType="ORGAN",
            ROIInterpreter=planter.other(),
        )
    ]
    return made


def presentation(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """A presentation state of the study's images, with text on it."""
    made.SOPClassUID = uid.GrayscaleSoftcopyPresentationStateStorage
    made.PresentationCreationDate, made.PresentationCreationTime = study.day, planter.time()
    made.ContentCreatorName = planter.other()
    made.ContentLabel = "KNEE"
    images = nested(
        study.reference(0),
        study.reference(4),
        keyword="ReferencedImageSequence",
        SeriesInstanceUID=study.series,
    )
    made.ReferencedSeriesSequence = [images]
    text = data_set(UnformattedTextValue=planter.report(), BoundingBoxAnnotationUnits="PIXEL")
    made.GraphicAnnotationSequence = [
        nested(
            text,
            keyword="TextObjectSequence",
            GraphicLayer="KNEE",
            ReferencedImageSequence=[study.reference(0)],
        )
    ]
    return made


def report(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """A structured report on the study's images."""
    made.SOPClassUID = uid.ComprehensiveSRStorage
    made.ValueType, made.CompletionFlag, made.VerificationFlag = "CONTAINER", "COMPLETE", "VERIFIED"
    made.ConceptNameCodeSequence = [_code("121111", "Summary")]
    made.VerifyingObserverSequence = [
        data_set(VerifyingObserverName=planter.other(), VerifyingOrganization=study.person.hospital)
    ]
    instances = [study.reference(index) for index in range(4)]
    series = nested(*instances, keyword="ReferencedSOPSequence", SeriesInstanceUID=study.series)
    made.CurrentRequestedProcedureEvidenceSequence = [
        nested(series, keyword="ReferencedSeriesSequence", StudyInstanceUID=study.uid)
    ]
    found = _contents(planter, study)
    for _ in range(4):
        found = [
            *_contents(planter, study),
            _node("CONTAINER", ContentSequence=found, ContinuityOfContent="SEPARATE"),
        ]
    made.ContentSequence = found
    return made


def _contents(planter: Planter, study: Study) -> list[Dataset]:
    finding = "The {} of {} is normal.\r\nCompare {}.".format(
        *map(planter.view, planter.words(2)), notations_of(study)
    )
    return [
        _node("TEXT", TextValue=planter.report()),
        _node("TEXT", TextValue=finding),
        _node("PNAME", PersonName=planter.other()),
        _node("DATE", Date=planter.day()),
        _node("TIME", Time=planter.time()),
        _node(
            "DATETIME", DateTime=planter.day() + planter.time(), ObservationDateTime=planter.day() + "1200"
        ),
        _node("UIDREF", UID=study.instances[0]),
        _node("IMAGE", ReferencedSOPSequence=[study.reference(1)]),
        _node("CODE", ConceptCodeSequence=[_code("T-A0100", "knee")]),
    ]


def notations_of(study: Study) -> str:
    """A study's day as reports write it."""
    return f"{study.day[6:]}.{study.day[4:6]}.{study.day[:4]}"


def _node(kind: str, **values: Any) -> Dataset:
    return data_set(
        RelationshipType="CONTAINS",
        ValueType=kind,
        ConceptNameCodeSequence=[_code("99001", "Observation")],  # of no row of Table E.3.4-1
        **values,
    )


def _code(value: str, meaning: str) -> Dataset:
    return data_set(CodeValue=value, CodingSchemeDesignator="DCM", CodeMeaning=meaning)


def ultrasound(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """An ultrasound image."""
    made.SOPClassUID = uid.UltrasoundImageStorage
    made.TransducerIdentificationSequence = [data_set(DeviceSerialNumber=planter.identifier("SN"))]
    return with_pixels(made, planter, bits=8)


def capture(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """A screen capture that says to have a name in its pixels."""
    made.SOPClassUID = uid.SecondaryCaptureImageStorage
    made.ConversionType = "WSD"
    made.BurnedInAnnotation = "YES"
    made.DateOfSecondaryCapture = study.day
    made.SecondaryCaptureDeviceManufacturer = "Acme"
    return with_pixels(made, planter, bits=8)


def document(made: Dataset, planter: Planter, study: Study) -> Dataset:
    """A PDF with names in it."""
    made.SOPClassUID = uid.EncapsulatedPDFStorage
    name = planter.note(
        Kind.NAME, study.person.name.split("=")[0], "EncapsulatedDocument", "EncapsulatedDocument"
    )
    made.EncapsulatedDocument = (
        b"%PDF-1.4\n<< /Author (" + name.encode(study.person.encodings[0]) + b") >>\n%%EOF\n"
    )
    made.MIMETypeOfEncapsulatedDocument = "application/pdf"
    made.BurnedInAnnotation = "YES"
    return made
