"""Attributes of today's standard that pydicom's dictionary lacks: by tag, keyword, pattern and VR."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from builders import FORMS, Form, data_set, process, read, written
from pydicom import datadict
from pydicom.dataset import Dataset

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.dicom import dictionary
from pfdicom_tagSub.dicom.newer_attributes import NEWER_ATTRIBUTES
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

NAME_TO_USE = 0x00100012


def person() -> Dataset:
    """Somebody who has attributes of 2025 and later."""
    name = Dataset()
    name.add_new(NAME_TO_USE, "LT", "Zebulina")
    made = data_set(PatientName="Zebulon^Ophelia", PatientID="P1", StudyInstanceUID="1.2.3.4")
    made.add_new(0x00100011, "SQ", [name])
    made.add_new(0x00102162, "UC", "Zebulish")
    made.add_new(0x00081301, "SQ", [data_set(CodeValue="C50")])
    made.add_new(0x3004007F, "LO", "model of Zebulon")
    return made


def test_own_rows_are_those_that_pydicom_lacks() -> None:
    assert all(tag not in datadict.DicomDictionary for tag in dictionary.OWN)
    for tag, (vr, keyword) in NEWER_ATTRIBUTES.items():
        assert re.fullmatch(r"[A-Z]{2}", vr)
        assert dictionary.vr_of(tag) == vr
        assert dictionary.label_of(tag) == dictionary.keyword_of(tag) == keyword
        assert dictionary.tags_of(keyword) == (tag,)
        assert dictionary.is_keyword(keyword)
        assert keyword in dictionary.all_keywords()


def test_row_that_pydicom_has_one_day_is_taken_from_there() -> None:
    row = ("LO", "1", "Name to Use", "", "NameToUse")
    code = (
        "from pydicom import _dicom_dict; "
        f"_dicom_dict.DicomDictionary[{NAME_TO_USE}] = {row!r}; "
        "from pfdicom_tagSub.dicom import dictionary; "
        f"assert {NAME_TO_USE} not in dictionary.OWN; "
        f"assert dictionary.vr_of({NAME_TO_USE}) == 'LO'; "
        "assert dictionary.all_keywords().count('NameToUse') == 1"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("key", ["NameToUse", "(0010,0012)", "re:NameToUse$", "00100012"])
def test_keys_hit_what_pydicom_does_not_know(key: str, form: Form, tmp_path: Path) -> None:
    rules = compile_spec({key: "#tag %PatientID"})
    result = process(Worker(Settings(rules, verify=True)), written(person(), form), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert not result.outcome.residuals
    item = _items(read((tmp_path / "out-a.dcm").read_bytes()))
    assert item == b"NameToUse P1"


def _items(made: Dataset) -> bytes:
    """The value of NameToUse, whatever pydicom takes it for."""
    stored = made[0x00100011].value
    if isinstance(stored, bytes):
        return stored[16:].rstrip(b" \0")
    value = stored[0][NAME_TO_USE].value
    return (value if isinstance(value, bytes) else value.encode()).rstrip(b" \0")


def test_source_may_be_what_pydicom_does_not_know() -> None:
    rules = compile_spec({"PatientComments": "%EthnicGroups"})
    assert read(patch_bytes(written(person()), rules)).PatientComments == "Zebulish"


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_basic_removes_the_new_rows(form: Form, tmp_path: Path) -> None:
    content = written(person(), form)
    result = process(
        Worker(Settings(compile_spec({}, profile="basic", key=b"k" * 32), verify=True)), content, tmp_path
    )
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    output = (tmp_path / "out-a.dcm").read_bytes()
    assert not {0x00100011, 0x00102162, 0x00081301, 0x3004007F} & set(read(output).keys())
    assert not [word for word in (b"Zebul", b"Ophelia", b"C50") if word in output]
    counted = {dictionary.label_of(tag) for tag, _, _ in result.outcome.elements}
    assert {"PersonNamesToUseSequence", "EthnicGroups"} <= counted


def test_new_text_is_cleaned_by_its_vr() -> None:
    rules = compile_spec({}, profile="basic,cleanDescriptors,retainPatientCharacteristics", key=b"k" * 32)
    output = read(patch_bytes(written(person()), rules))
    assert output[0x3004007F].value == "model of"
    assert output[0x00102162].value == "Zebulish"
