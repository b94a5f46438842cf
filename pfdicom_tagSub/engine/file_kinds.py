"""What a file is, in words that give nothing of it away: modality, SOP class, transfer syntax."""

from __future__ import annotations

from ..core.file_survey import FileKind
from ..dicom.dictionary import name_of_uid

OTHER = "(other)"
NONE_GIVEN = "(none given)"
UNKNOWN_UID = "(private or unknown)"

# The defined terms of Modality (PS3.3 C.7.3.1.1.1), the retired ones too. A file may have
# anything there, so that no other text is shown.
_MODALITIES = frozenset(
    """
    ANN AR ASMT AU BDUS BI BMD CD CF CP CR CS CT CTPROTOCOL DD DF DG DM DMS DOC DS DX EC ECG EEG EMG
    EOG EPS ES FA FID FS GM HC HD IO IOL IVOCT IVUS KER KO LEN LP LS M3D MA MG MR MS NM OAM OCT OP OPM
    OPR OPT OPTBSV OPTENF OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN
    RTRAD RTRECORD RTSEGANN RTSTRUCT RWV SC SEG SM SMR SR SRF ST STAIN TEXTUREMAP TG US VA VF VL XA
    XAPROTOCOL XC
    """.split()  # noqa: SIM905
)


def kind_of(modality: str, sop_class: str, stored_sop_class: str, transfer_syntax: str) -> FileKind:
    """What a file is, by what it says and by what its file meta says."""
    return FileKind(
        modality if modality in _MODALITIES else OTHER if modality else NONE_GIVEN,
        _uid_name(sop_class or stored_sop_class),
        _uid_name(transfer_syntax),
    )


def text_in(raw: bytes) -> str:
    """The first value of a text, as it is stored."""
    return raw.decode("ascii", "replace").partition("\\")[0].strip("\0 ")


def _uid_name(text: str) -> str:
    """What the standard calls a UID; any other UID could be that of a patient's study."""
    if not text:
        return NONE_GIVEN
    name = name_of_uid(text)
    return UNKNOWN_UID if name is None else name
