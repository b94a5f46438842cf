"""The literal items of a sequence to bytes, by pydicom's writer."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.sequence import Sequence

from ..dicom.elements import Encoding
from ..dicom.values import typed
from ..spec.rules import Literal


def encode_items(tag: int, items: Iterable[tuple[Literal, ...]], encoding: Encoding) -> bytes:
    """A whole sequence, header included.

    Args:
        tag: its tag.
        items: what its items hold; all texts are ASCII.
        encoding: how the data set around it is encoded.
    """
    buffer = DicomBytesIO()
    buffer.is_implicit_VR = encoding.implicit
    buffer.is_little_endian = encoding.little
    write_data_element(buffer, DataElement(tag, "SQ", _sequence(items)), ["iso8859"])
    return buffer.getvalue()


def _sequence(items: Iterable[tuple[Literal, ...]]) -> Sequence:
    made = []
    for item in items:
        data_set = Dataset()
        for literal in item:
            value = _sequence(literal.items) if literal.vr == "SQ" else typed(literal.vr, literal.texts)
            data_set.add(DataElement(literal.tag, literal.vr, value, validation_mode=config.IGNORE))
        made.append(data_set)
    return Sequence(made)
