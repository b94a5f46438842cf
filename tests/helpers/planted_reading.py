"""How the checker of the planted corpus reads files: with pydicom, as raw as it can."""

from __future__ import annotations

import io
import re
import warnings
from datetime import date, timedelta

import pydicom
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.valuerep import validate_value

TEMPORAL = frozenset({"DA", "DT", "TM"})
TEXTUAL = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})


def read_data_set(content: bytes) -> Dataset:
    with warnings.catch_warnings(action="ignore"):
        return pydicom.dcmread(io.BytesIO(content))


def items_of(made: Dataset, tag: int) -> list[Dataset] | None:
    """The items of an element; None if it is no sequence."""
    raw = made.get_item(tag)
    vr = raw.VR if raw is not None else ""
    if vr in {None, "UN"} and not tag >> 16 & 1:
        vr = vr_of(tag)
    if vr != "SQ":
        return None
    with warnings.catch_warnings(action="ignore"):
        return list(made[tag].value or [])


def vr_of(tag: int) -> str:
    try:
        return dictionary_VR(tag)
    except KeyError:
        return "UN"


def stored_bytes(made: Dataset, tag: int) -> bytes:
    """The bytes of an element's value."""
    raw = made.get_item(tag)
    value = raw.value if raw is not None else b""
    return value if isinstance(value, bytes) else str(value or "").encode()


def ascii_values(made: Dataset, tag: int) -> list[str]:
    """The values of a date, time or UID."""
    return [value.strip(" \0") for value in stored_bytes(made, tag).decode("latin-1").split("\\")]


def text_of(made: Dataset, tag: int) -> str:
    with warnings.catch_warnings(action="ignore"):
        value = made[tag].value
    return (
        "\\".join(map(str, value))
        if isinstance(value, list | pydicom.multival.MultiValue)
        else str(value or "")
    )


def tags_of(made: Dataset) -> list[int]:
    tags = made.keys()  # going over the data set itself would decode it
    return [int(tag) for tag in tags if tag & 0xFFFF]


def creator_of(made: Dataset, tag: int) -> str:
    creator = tag & 0xFFFF0000 | (tag & 0xFFFF) >> 8
    return stored_bytes(made, creator).decode("latin-1").strip() if creator in made else ""


def owners_of(made: Dataset) -> dict[int, Dataset]:
    """The PATIENT record of each record, by the record's offset."""
    records = {record.seq_item_tell: record for record in made.DirectoryRecordSequence or []}
    owners: dict[int, Dataset] = {}

    def follow(offset: int, owner: Dataset | None) -> None:
        while offset in records and offset not in owners:
            record = records[offset]
            owners[offset] = owner or record
            follow(record.OffsetOfReferencedLowerLevelDirectoryEntity, owner or record)
            offset = record.OffsetOfTheNextDirectoryRecord

    follow(made.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity, None)
    return owners


def difference(old: Dataset, new: Dataset, tag: int) -> str:
    if tag not in new:
        return "is not there"
    one, other = old.get_item(tag), new.get_item(tag)
    if isinstance(one, RawDataElement) and isinstance(other, RawDataElement):
        return "" if one.value == other.value else "is not as it was"
    return "" if text_of(old, tag) == text_of(new, tag) else "is not as it was"


def problem_of_value(made: Dataset, tag: int, vr: str) -> str:
    """Why a value is none of its VR."""
    if vr in {"PN", *TEXTUAL, *TEMPORAL, "UI", "AS", "CS", "DS", "IS", "AE"}:
        for value in text_of(made, tag).split("\\") if vr not in {"ST", "LT", "UT"} else [text_of(made, tag)]:
            try:
                validate_value(vr, value, pydicom.config.RAISE)
            except ValueError:
                return f"{value!r} is no {vr}"
    return ""


def day_of(text: str) -> date | None:
    """The first day that a DA or a DT of any precision names."""
    match = re.match(r"(\d{4})(\d\d)?(\d\d)?", text)
    if match is None:
        return None
    year, month, day = (int(part or 1) for part in match.groups())
    try:
        return date(year, month, day)
    except ValueError:
        return None


def moved_back(text: str, shift: int) -> str:
    day = day_of(text)
    return (day - timedelta(days=shift)).strftime("%Y%m%d") if day else ""


def shifted_back(text: str, vr: str, shift: int) -> str:
    """A value moved back; "" where it is none of its VR."""
    if vr == "TM" or not text:
        return text
    form = r"\d{8}" if vr == "DA" else r"\d{4,14}(\.\d{1,6})?([+-]\d{4})?"
    if not re.fullmatch(form, text) or not day_of(text):
        return ""
    digits = re.match(r"\d{4,8}", text)
    length = min(8, len(digits[0])) if digits else 0
    return moved_back(text, shift)[:length] + text[length:]
