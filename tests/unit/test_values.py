"""Elements that are encoded here, against pydicom's writer."""

from __future__ import annotations

from itertools import product

import pytest
from pydicom.dataelem import DataElement
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element

from pfdicom_tagSub.dicom.character_sets import UTF8
from pfdicom_tagSub.dicom.values import PLAIN_VRS, encode_element

VALUES = {
    "DA": ("20240101", "2024.01.01", ""),
    "DT": ("20240101120000.000000+0100", "2024", ""),
    "TM": ("101500", "101500.25", "10", ""),
    "UI": ("1.2.3", "1.2.840.10008.1.2", "1.22", ""),
}


pytestmark = pytest.mark.filterwarnings("ignore")  # pydicom's, of odd values and of lengths


@pytest.mark.parametrize("vr", sorted(PLAIN_VRS))
@pytest.mark.parametrize(
    ("implicit", "little"), [(True, True), (False, True), (False, False)], ids=["implicit", "little", "big"]
)
def test_plain_element_is_what_pydicom_writes(vr: str, implicit: bool, little: bool) -> None:
    for count in range(4):
        for texts in product(VALUES[vr], repeat=count):
            buffer = DicomBytesIO()
            buffer.is_implicit_VR, buffer.is_little_endian = implicit, little
            value = list(texts) if count > 1 else (texts[0] if texts else None)
            write_data_element(buffer, DataElement(0x00080018, vr, value), ["utf8"])
            found = encode_element(0x00080018, vr, texts, UTF8, implicit=implicit, little=little)
            assert found == buffer.getvalue()


@pytest.mark.parametrize("implicit", [True, False])
def test_plain_element_that_is_too_long_for_a_short_length_is_what_pydicom_writes(implicit: bool) -> None:
    texts = ["1.2.840.10008.1.2"] * 4000
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, True
    write_data_element(buffer, DataElement(0x00080018, "UI", texts), ["utf8"])
    assert encode_element(0x00080018, "UI", texts, UTF8, implicit=implicit, little=True) == buffer.getvalue()
