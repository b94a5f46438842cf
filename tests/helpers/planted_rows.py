"""The rows of PS3.15 Table E.1-1 (2026d) that the planted corpus uses.

Written down for the tests apart from the table that the tool uses, so that a slip in one
does not hide in the other; ``test_planted`` holds it against the standard's where that is
at hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.datadict import keyword_for_tag

FULL, MODIFIED = "retainLongitudinalFullDates", "retainLongitudinalModifiedDates"

OPTIONS = {
    "p": "retainSafePrivate",
    "U": "retainUIDs",
    "D": "retainDeviceIdentity",
    "I": "retainInstitutionIdentity",
    "P": "retainPatientCharacteristics",
    "F": FULL,
    "M": MODIFIED,
    "d": "cleanDescriptors",
    "s": "cleanStructuredContent",
    "g": "cleanGraphics",
}
"""The letters of the options below."""

STAMP_CODES = {
    "retainSafePrivate": "113111",
    "retainUIDs": "113110",
    "retainDeviceIdentity": "113109",
    "retainInstitutionIdentity": "113112",
    "retainPatientCharacteristics": "113108",
    FULL: "113106",
    MODIFIED: "113107",
    "cleanDescriptors": "113105",
    "cleanStructuredContent": "113104",
    "cleanGraphics": "113103",
}
"""What each option adds to De-identification Method Code Sequence (PS3.16 CID 7050)."""

# A header gives the basic profile's code, then each option with a code: K, or C after a tilde.
_TABLE = """
D:
    CertificateOfSigner ClinicalTrialProtocolID ClinicalTrialSponsorName ClinicalTrialSubjectID
    ClinicalTrialSubjectReadingID ContainerIdentifier EncapsulatedDocument
    PersonIdentificationCodeSequence PersonName SpecimenIdentifier VerifyingObserverName
    VerifyingObserverSequence VerifyingOrganization
D D:
    ModifyingSystem XRayDetectorID XRaySourceID
D F M~:
    AssertionDateTime AttributeModificationDateTime ContextGroupLocalVersion ContextGroupVersion Date
    DateTime DecayCorrectionDateTime DigitalSignatureDateTime ExclusionStartDateTime
    FrameAcquisitionDateTime FrameReferenceDateTime FunctionalSyncPulse ReferencedDateTime
    SafePositionExitDate SafePositionExitTime SafePositionReturnDate SafePositionReturnTime
    SourceEndDateTime SourceStartDateTime SourceStrengthReferenceDate SourceStrengthReferenceTime Time
    TreatmentControlPointDate TreatmentControlPointTime VerificationDateTime
D I:
    ClinicalTrialProtocolEthicsCommitteeName
D d~:
    AcquisitionFieldOfViewLabel RTPlanLabel ReasonForTheAttributeModification StructureSetLabel
D g~:
    GraphicAnnotationSequence
D s~:
    ContentSequence
U:
    DigitalSignatureUID UID
U U:
    AcquisitionUID ConcatenationUID DimensionOrganizationUID DoseReferenceUID FailedSOPInstanceUIDList
    FiducialUID FrameOfReferenceUID InstanceCreatorUID IrradiationEventUID
    LargePaletteColorLookupTableUID MediaStorageSOPInstanceUID ObservationSubjectUIDTrial ObservationUID
    PaletteColorLookupTableUID PresentationDisplayCollectionUID PresentationSequenceCollectionUID
    PyramidUID ReferencedDoseReferenceUID ReferencedFrameOfReferenceUID
    ReferencedGeneralPurposeScheduledProcedureStepTransactionUID ReferencedObservationUIDTrial
    ReferencedSOPInstanceUID ReferencedSOPInstanceUIDInFile RelatedFrameOfReferenceUID SOPInstanceUID
    SeriesInstanceUID SourceFrameOfReferenceUID SpecimenUID StorageMediaFileSetUID StudyInstanceUID
    SynchronizationFrameOfReferenceUID TargetUID TemplateExtensionCreatorUID
    TemplateExtensionOrganizationUID TrackingUID TransactionUID
U U D:
    DeviceUID ManufacturerDeviceClassUID
X:
    ActualHumanPerformersSequence AddressTrial AdmissionID AuthorObserverSequence BranchOfService
    ClinicalTrialProtocolEthicsCommitteeApprovalNumber ClinicalTrialSeriesID
    ConfidentialityConstraintOnPatientDataDescription ConsultingPhysicianIdentificationSequence
    ContentCreatorIdentificationCodeSequence CountryOfResidence CurrentObserverTrial
    CurrentPatientLocation CustodialOrganizationSequence DataSetTrailingPadding
    DigitalSignaturesSequence DistributionAddress DistributionName HumanPerformerName
    HumanPerformerOrganization IconImageSequence ImagePresentationComments InstanceOriginStatus
    InsurancePlanIdentification IntendedRecipientsOfResultsIdentificationSequence
    InterpretationApproverSequence InterpretationAuthor InterpretationID InterpretationIDIssuer
    InterpretationRecorder InterpretationTranscriber IssuerOfAdmissionID IssuerOfAdmissionIDSequence
    IssuerOfClinicalTrialProtocolID IssuerOfClinicalTrialSeriesID IssuerOfClinicalTrialSiteID
    IssuerOfClinicalTrialSubjectID IssuerOfClinicalTrialSubjectReadingID
    IssuerOfClinicalTrialTimePointID IssuerOfPatientID IssuerOfServiceEpisodeID
    IssuerOfServiceEpisodeIDSequence MAC MedicalRecordLocator MilitaryRank ModifiedAttributesSequence
    ModifiedImageDescription NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults
    NonconformingDataElementValue NonconformingModifiedAttributesSequence OrderCallbackPhoneNumber
    OrderCallbackTelecomInformation OrderEnteredBy OrderEntererLocation OriginalAttributesSequence
    OtherClinicalTrialProtocolIDsSequence OtherPatientIDs OtherPatientIDsSequence OtherPatientNames
    ParticipantSequence PatientAddress PatientBirthName PatientBirthTime PatientInstitutionResidence
    PatientInsurancePlanCodeSequence PatientMotherBirthName PatientPrimaryLanguageCodeSequence
    PatientPrimaryLanguageModifierCodeSequence PatientReligiousPreference PatientTelecomInformation
    PatientTelephoneNumbers PatientTransportArrangements PerformedLocation PerformedProcedureStepID
    PerformingPhysicianIdentificationSequence PerformingPhysicianName PersonAddress
    PersonTelecomInformation PersonTelephoneNumbers PhysicianApprovingInterpretation PhysiciansOfRecord
    PhysiciansOfRecordIdentificationSequence PhysiciansReadingStudyIdentificationSequence
    ROICreatorSequence ROIInterpreterSequence ReferencedDigitalSignatureSequence
    ReferencedPatientAliasSequence ReferencedPatientPhotoSequence ReferencedSOPInstanceMACSequence
    ReferringPhysicianAddress ReferringPhysicianIdentificationSequence
    ReferringPhysicianTelephoneNumbers RegionOfResidence RequestedProcedureID RequestedProcedureLocation
    RequestingPhysician ResponsibleOrganization ResponsiblePerson
    ResultsDistributionListSequence ResultsID ResultsIDIssuer ScheduledHumanPerformersSequence
    ScheduledPatientInstitutionResidence ScheduledPerformingPhysicianIdentificationSequence
    ScheduledPerformingPhysicianName ScheduledProcedureStepID ServiceEpisodeID SlideIdentifier
    SpecimenAccessionNumber StudyIDIssuer TelephoneNumberTrial TopicAuthor TopicKeywords TopicSubject
    TopicTitle VerbalSourceIdentifierCodeSequenceTrial VerbalSourceTrial
X D:
    CassetteID GantryID GeneratorID ModifyingDeviceID PerformedStationGeographicLocationCodeSequence
    PerformedStationName PerformedStationNameCodeSequence PlateID ScheduledProcedureStepLocation
    ScheduledStationGeographicLocationCodeSequence ScheduledStationName ScheduledStationNameCodeSequence
    ScheduledStudyLocation SourceManufacturer TransducerIdentificationSequence UDISequence
    UniqueDeviceIdentifier XRayDetectorLabel
X D F M~:
    DateOfInstallation DateOfLastCalibration DateOfManufacture DateTimeOfLastCalibration
    TimeOfLastCalibration
X D~:
    NetworkID PerformedStationAETitle RetrieveAETitle ScheduledStationAETitle
    ScheduledStudyLocationAETitle StationAETitle
X F M~:
    AdmittingDate AdmittingTime ApprovalStatusDateTime AssertionExpirationDateTime CertifiedTimestamp
    ContrastBolusStartTime ContrastBolusStopTime ContributionDateTime CurveDate CurveTime
    DateOfDocumentOrVerbalTransactionTrial DateOfSecondaryCapture DischargeDate DischargeTime
    EthicsCommitteeApprovalEffectivenessEndDate EthicsCommitteeApprovalEffectivenessStartDate
    ExpectedCompletionDateTime FindingsGroupRecordingDateTrial FindingsGroupRecordingTimeTrial
    HL7DocumentEffectiveTime InstanceCoercionDateTime InterpretationApprovalDate
    InterpretationApprovalTime InterpretationRecordedDate InterpretationRecordedTime
    InterpretationTranscriptionDate InterpretationTranscriptionTime InterventionDrugStartTime
    InterventionDrugStopTime IssueDateOfImagingServiceRequest IssueTimeOfImagingServiceRequest
    LastMenstrualDate ModifiedImageDate ModifiedImageTime ObservationDateTrial ObservationStartDateTime
    ObservationTimeTrial OverlayDate OverlayTime PerformedProcedureStepEndDate
    PerformedProcedureStepEndDateTime PerformedProcedureStepEndTime PerformedProcedureStepStartDate
    PerformedProcedureStepStartDateTime PerformedProcedureStepStartTime PresentationCreationDate
    PresentationCreationTime ProcedureStepCancellationDateTime ProductExpirationDateTime ROIDateTime
    ROIObservationDateTime RadiopharmaceuticalStartDateTime RadiopharmaceuticalStartTime
    RadiopharmaceuticalStopDateTime RadiopharmaceuticalStopTime SOPAuthorizationDateTime
    ScheduledAdmissionDate ScheduledAdmissionTime ScheduledDischargeDate ScheduledDischargeTime
    ScheduledProcedureStepEndDate ScheduledProcedureStepEndTime ScheduledProcedureStepExpirationDateTime
    ScheduledProcedureStepModificationDateTime ScheduledProcedureStepStartDate
    ScheduledProcedureStepStartDateTime ScheduledProcedureStepStartTime ScheduledStudyStartDate
    ScheduledStudyStartTime ScheduledStudyStopDate ScheduledStudyStopTime StudyArrivalDate
    StudyArrivalTime StudyCompletionDate StudyCompletionTime StudyReadDate StudyReadTime
    StudyVerifiedDate StudyVerifiedTime SubstanceAdministrationDateTime TemplateLocalVersion
    TemplateVersion TimeOfDocumentCreationOrVerbalTransactionTrial TimeOfSecondaryCapture
    TimezoneOffsetFromUTC
X I:
    InstitutionAddress InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence
X P:
    EthnicGroup PatientAge PatientSize PatientWeight PregnancyStatus SmokingStatus
X P~:
    PreMedication SpecialNeeds
X P~ d~:
    Allergies PatientState
X U:
    ReferencedPatientSequence
X d~:
    AcquisitionComments AcquisitionProtocolDescription AdditionalPatientHistory
    AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription BeamDescription BolusDescription
    ClinicalTrialSeriesDescription ClinicalTrialTimePointDescription CommentsOnRadiationDose
    CommentsOnThePerformedProcedureStep CompensatorDescription ContainerDescription
    ContributionDescription DecompositionDescription DerivationDescription DischargeDiagnosisDescription
    DoseReferenceDescription FixationDeviceDescription FractionGroupDescription FrameComments
    IdentifyingComments ImageComments ImagingServiceRequestComments Impressions
    InterpretationDiagnosisDescription InterpretationText MedicalAlerts
    MultienergyAcquisitionDescription Occupation PatientComments PerformedProcedureStepDescription
    PrescriptionDescription PyramidDescription PyramidLabel ROIDescription ROIGenerationDescription
    ROIObservationDescription ROIObservationLabel RTPlanDescription RTPlanName
    ReasonForRequestedProcedureCodeSequence ReasonForStudy ReasonForTheImagingServiceRequest
    ReasonForTheRequestedProcedure ReasonForVisit ReasonForVisitCodeSequence RequestAttributesSequence
    RequestedContrastAgent RequestedProcedureComments RequestedSeriesDescription RequestingService
    RespiratoryMotionCompensationTechniqueDescription ResultsComments ScheduledProcedureStepDescription
    SeriesDescription ServiceEpisodeDescription SetupTechniqueDescription ShieldingDeviceDescription
    SpecimenDetailedDescription SpecimenShortDescription StructureSetDescription StructureSetName
    StudyComments StudyDescription TreatmentSites VisitComments
X/D:
    OperatorIdentificationSequence
X/D D:
    DetectorID
X/D D F M~:
    DateOfLastDetectorCalibration TimeOfLastDetectorCalibration
X/D F M~:
    EndAcquisitionDateTime FirstTreatmentDate InstanceCreationDate MostRecentTreatmentDate
    ObservationDateTime RTPlanDate RTPlanTime SeriesDate SeriesTime StartAcquisitionDateTime
    TreatmentDate TreatmentTime
X/D d~:
    AcquisitionDeviceProcessingDescription ProtocolName
X/Z D:
    SourceSerialNumber TreatmentMachineName
X/Z F M~:
    AcquisitionDate AcquisitionTime
X/Z P:
    PatientSexNeutered
X/Z U:
    ReferencedStudySequence
X/Z d~:
    RequestedProcedureDescription
X/Z s~:
    AcquisitionContextSequence
X/Z/D:
    OperatorsName
X/Z/D D:
    DeviceSerialNumber StationName
X/Z/D F M~:
    AcquisitionDateTime InstanceCreationTime
X/Z/D I:
    InstitutionCodeSequence InstitutionName
X/Z/D U:
    ReferencedPerformedProcedureStepSequence
X/Z/U* U:
    ReferencedImageSequence SourceImageSequence
Z:
    AccessionNumber ClinicalTrialProtocolName ClinicalTrialTimePointID ConsultingPhysicianName
    FillerOrderNumberImagingServiceRequest IssuerOfTheContainerIdentifierSequence
    IssuerOfTheSpecimenIdentifierSequence PatientBirthDate PatientName
    PlacerOrderNumberImagingServiceRequest ROIInterpreter ReferringPhysicianName StudyID
    VerifyingObserverIdentificationCodeSequence
Z D F M~:
    CalibrationDateTime
Z F M~:
    ParticipationDateTime StructureSetDate StructureSetTime StudyDate StudyTime
Z I:
    ClinicalTrialCoordinatingCenterName ClinicalTrialSiteID ClinicalTrialSiteName SourceOfPreviousValues
Z P:
    PatientSex
Z d~:
    ROIName
Z s~:
    SpecimenPreparationSequence
Z/D:
    ContentCreatorName PatientID
Z/D F M~:
    ContentDate ContentTime InstructionPerformedDateTime
Z/D d~:
    ContrastBolusAgent
X g~:
    CurveDescription CurveData OverlayData OverlayComments
X p~:
    private
K s~:
    TextValue
K g~:
    UnformattedTextValue
"""


@dataclass(frozen=True)
class Row:
    """What the table says of an element.

    Attributes:
        code: the basic profile's action code.
        kept: the options under which it is kept (K).
        cleaned: the options under which it is cleaned (C).
    """

    code: str
    kept: frozenset[str] = frozenset()
    cleaned: frozenset[str] = frozenset()

    def codes(self, options: frozenset[str]) -> frozenset[str]:
        """The codes that apply under some options; K and C where two of them disagree."""
        found = {"K"} if self.kept & options else set()
        if self.cleaned & options:
            found.add("C")
        return frozenset(found or {self.code})


def _rows() -> dict[str, Row]:
    rows: dict[str, Row] = {}
    row = Row("")
    for line in _TABLE.strip().splitlines():
        if line.endswith(":"):
            code, *options = line[:-1].split()
            kept = frozenset(OPTIONS[option] for option in options if len(option) == 1)
            cleaned = frozenset(OPTIONS[option[0]] for option in options if option.endswith("~"))
            row = Row(code, kept, cleaned)
        else:
            rows |= dict.fromkeys(line.split(), row)
    return rows


ROWS = _rows()
"""Keyword to row; ``private`` stands for all private elements, ``CurveDescription`` and
``CurveData`` for the whole of the curve groups, and two keywords for what clean options
reach inside of the sequences that they keep."""


def row_of(tag: int) -> tuple[str, Row | None]:
    """The keyword (``private`` for a private element) and the row of a tag; None where it has none."""
    if tag >> 16 & 1:
        return "private", ROWS["private"]
    keyword = keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
    if 0x5000 <= tag >> 16 <= 0x50FF:
        return keyword, ROWS["CurveData"]
    return keyword, ROWS.get(keyword)
