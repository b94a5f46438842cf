"""Attributes of PS3.6 2026d that a dictionary made from an older edition may lack.

They are facts of the standard's registry: tag, VR and keyword. ``dictionary.py`` takes those that pydicom's
dictionary does not have; what it has one day is taken from there, and the row here does nothing any more.
"""

from __future__ import annotations

NEWER_ATTRIBUTES: dict[int, tuple[str, str]] = {
    0x00060001: ("SQ", "CurrentFrameFunctionalGroupsSequence"),
    0x00081301: ("SQ", "PrincipalDiagnosisCodeSequence"),
    0x00081302: ("SQ", "PrimaryDiagnosisCodeSequence"),
    0x00081303: ("SQ", "SecondaryDiagnosesCodeSequence"),
    0x00081304: ("SQ", "HistologicalDiagnosesCodeSequence"),
    0x00100011: ("SQ", "PersonNamesToUseSequence"),
    0x00100012: ("LT", "NameToUse"),
    0x00100013: ("UT", "NameToUseComment"),
    0x00100014: ("SQ", "ThirdPersonPronounsSequence"),
    0x00100015: ("SQ", "PronounCodeSequence"),
    0x00100016: ("UT", "PronounComment"),
    0x00100041: ("SQ", "GenderIdentitySequence"),
    0x00100042: ("UT", "SexParametersForClinicalUseCategoryComment"),
    0x00100043: ("SQ", "SexParametersForClinicalUseCategorySequence"),
    0x00100044: ("SQ", "GenderIdentityCodeSequence"),
    0x00100045: ("UT", "GenderIdentityComment"),
    0x00100046: ("SQ", "SexParametersForClinicalUseCategoryCodeSequence"),
    0x00100047: ("UR", "SexParametersForClinicalUseCategoryReference"),
    0x00102161: ("SQ", "EthnicGroupCodeSequence"),
    0x00102162: ("UC", "EthnicGroups"),
    0x0040A034: ("DT", "EffectiveStartDateTime"),
    0x0040A035: ("DT", "EffectiveStopDateTime"),
    0x0040B030: ("SQ", "StructuredWaveformAnnotationSequence"),
    0x0040B031: ("SQ", "WaveformAnnotationDisplaySelectionSequence"),
    0x0040B032: ("US", "ReferencedMontageIndex"),
    0x0040B033: ("SQ", "WaveformTextualAnnotationSequence"),
    0x0040B034: ("DT", "AnnotationDateTime"),
    0x0040B035: ("SQ", "DisplayedWaveformSegmentSequence"),
    0x0040B036: ("DT", "SegmentDefinitionDateTime"),
    0x0040B037: ("SQ", "MontageActivationSequence"),
    0x0040B038: ("DS", "MontageActivationTimeOffset"),
    0x0040B039: ("SQ", "WaveformMontageSequence"),
    0x0040B03A: ("IS", "ReferencedMontageChannelNumber"),
    0x0040B03B: ("LT", "MontageName"),
    0x0040B03C: ("SQ", "MontageChannelSequence"),
    0x0040B03D: ("US", "MontageIndex"),
    0x0040B03E: ("IS", "MontageChannelNumber"),
    0x0040B03F: ("LO", "MontageChannelLabel"),
    0x0040B040: ("SQ", "MontageChannelSourceCodeSequence"),
    0x0040B041: ("SQ", "ContributingChannelSourcesSequence"),
    0x0040E012: ("UR", "DisplayURI"),
    0x3004007F: ("LO", "DoseCalculationModelName"),
}
"""Tag to VR and keyword."""
