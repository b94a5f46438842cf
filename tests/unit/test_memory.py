"""What a patcher remembers of one file must hold for the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import (
    EXPLICIT,
    IMPLICIT,
    Form,
    Spec,
    data_set,
    element,
    file_of,
    item,
    nested,
    process,
    rules_of,
    sequence,
    written,
)

from pfdicom_tagSub.core.outcome import Action
from pfdicom_tagSub.dicom.sources import FileSource
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

NAME, PATIENT_ID, CHARSET = 0x00100010, 0x00100020, 0x00080005


def _signs(value: bytes) -> bytes:
    return element(0x00280103, "US", value, IMPLICIT)


def _cases() -> dict[str, tuple[Spec, list[bytes]]]:
    name = element(NAME, "PN", b"A^B ", EXPLICIT)
    latin = element(CHARSET, "CS", b"ISO_IR 100", EXPLICIT)
    ascii_text = element(0x00080080, "LO", b"Hospital", EXPLICIT)
    other_text = element(0x00080080, "LO", "Hôpital!".encode("latin-1"), EXPLICIT)
    length = element(0x00100000, "UL", b"\x0c\0\0\0", EXPLICIT)
    made = data_set(PatientName="A^B", StudyID="s")
    stamped = element(0x00120062, "CS", b"YES", EXPLICIT)
    unknown = element(0x00020099, "LO", b"A^B", EXPLICIT)
    instance = element(0x00080018, "UI", b"1.2.3", EXPLICIT)
    utf8 = element(CHARSET, "CS", b"ISO_IR 192", EXPLICIT)
    private = element(0x00291001, "UN", b"\xe9\1", EXPLICIT)
    mapped = element(0x00409211, "US", b"\xff\xff", IMPLICIT)
    return {
        "a switch of the character set": (
            {"PatientName": "大"},
            [file_of(latin + ascii_text + name), file_of(latin + other_text + name)],
        ),
        "other places": (
            {"PatientName": "%_md5|4_PatientName"},
            [file_of(name), file_of(ascii_text + name), file_of(latin + ascii_text + name)],
        ),
        "nested content": (
            {"PatientName": "<%PatientName>", "PatientID": "P"},
            [
                written(made),
                written(nested(data_set(PatientName="C"), PatientName="A^B", StudyID="s")),
                written(nested(data_set(PatientID="C"), PatientName="A^B", StudyID="s")),
            ],
        ),
        "insertion": (
            {"PatientName": "X", "PatientID": "P%StudyID"},
            [file_of(name), file_of(name + element(0x00200010, "SH", b"s", EXPLICIT)), file_of(ascii_text)],
        ),
        "group lengths": ({"PatientName": "longer^name"}, [file_of(name), file_of(length + name)]),
        "the instance": (
            {"SOPInstanceUID": "%SOPInstanceUID.1"},
            [file_of(element(0x00080018, "UI", b"1.2", EXPLICIT), instance=uid) for uid in ("1.2", "1.3")],
        ),
        "a source in the meta": (
            {"PatientName": "%MediaStorageSOPInstanceUID"},
            [file_of(name, instance=uid) for uid in ("1.2", "1.3")],
        ),
        "encodings": (
            {"PatientName": "X"},
            [file_of(element(NAME, "PN", b"A^B ", form), form) for form in (EXPLICIT, IMPLICIT)],
        ),
        "file meta that no dictionary knows": (
            {"PatientIdentityRemoved": "YES", "PatientName": "X"},
            [file_of(name + stamped), file_of(name + stamped, extra=unknown)],
        ),
        "file meta that follows a group": (
            {"(0008,xxxx)": "1.2.9"},
            [file_of(instance + name, instance=uid) for uid in ("1.2.9", "1.2.3")],
        ),
        "no file meta": ({"(0008,xxxx)": None}, [instance + name, file_of(instance + name)]),
        "text read in one character set and written in another": (
            {"PatientName": "大", "(0029,1001)": "<%#tag>"},
            [file_of(charset + name + private) for charset in (b"", utf8, latin)],
        ),
        "signs of numbers of a group": (
            {"(0040,xxxx)": "%_dummy_#tag"},
            [file_of(signs + mapped, IMPLICIT) for signs in (b"", _signs(b"\0\0"), _signs(b"\1\0"))],
        ),
        "deflated": (
            {"PatientName": "X"},
            [written(made), written(made, Form("d", "1.2.840.10008.1.2.1.99", implicit=False, little=True))],
        ),
    }


@pytest.mark.parametrize("case", _cases())
def test_a_remembered_patch_is_that_of_a_fresh_patcher(case: str, tmp_path: Path) -> None:
    spec, contents = _cases()[case]
    rules = rules_of(spec)
    fresh = [process(Worker(Settings(rules)), content, tmp_path) for content in contents]
    for order in (1, -1):
        shared = Worker(Settings(rules))
        for _ in range(2):
            for content, expected in [*zip(contents, fresh, strict=True)][::order]:
                assert process(shared, content, tmp_path) == expected


@pytest.mark.parametrize(
    ("spec", "vr", "most"),
    [
        ({"EncapsulatedDocument": "%_dummy_#tag"}, "OB", 1 << 16),
        ({"EncapsulatedDocument": "%_empty_#tag"}, "OB", 1 << 16),
        ({"EncapsulatedDocument": "%_dummy_#tag"}, "UN", 1 << 16),
        ({"ImageComments": "%_md5_#tag"}, "UT", 1 << 21),
        ({"StudyID": "%_md5|8_ImageComments"}, "UT", 1 << 21),
    ],
)
def test_long_values_are_neither_remembered_nor_read_for_nothing(
    spec: Spec, vr: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tag = {"OB": 0x00420011, "UN": 0x00420011, "UT": 0x00204000}[vr]
    longest = 0
    read = FileSource.read

    def watched(source: FileSource, start: int, stop: int) -> bytes:
        nonlocal longest
        longest = max(longest, stop - start)
        return read(source, start, stop)

    monkeypatch.setattr(FileSource, "read", watched)
    worker = Worker(Settings(rules_of(spec)))
    study_id = element(0x00200010, "SH", b"s ", EXPLICIT)
    contents = [file_of(study_id + element(tag, vr, letter * (1 << 20), EXPLICIT)) for letter in (b"a", b"b")]
    outputs = [process(worker, content, tmp_path).content for content in contents]
    assert longest <= most
    assert len(repr(worker.tools.patcher.memory.results)) < 1 << 13
    for content, output in zip(contents, outputs, strict=True):
        assert output == process(Worker(Settings(rules_of(spec))), content, tmp_path).content
    if tag == 0x00420011:
        assert outputs[0] == outputs[1]
        assert len(outputs[0]) < 1 << 10
    else:
        assert outputs[0] != outputs[1]


def _private(group: int, *values: bytes) -> bytes:
    """A block of private elements after a group length and a creator."""
    rest = element(group << 16 | 0x10, "LO", b"ACME", EXPLICIT)
    for number, value in enumerate(values):
        rest += element(group << 16 | 0x1000 | number, "LO", value, EXPLICIT)
    return element(group << 16, "UL", len(rest).to_bytes(4, "little"), EXPLICIT) + rest


def test_private_elements_are_removed_as_well_where_a_scan_takes_them_together(tmp_path: Path) -> None:
    name = element(NAME, "PN", b"A^B ", EXPLICIT)
    inner = _private(0x0029, b"x ") + element(0x00400007, "LO", b"step", EXPLICIT) + _private(0x0041, b"y ")
    contents = [
        file_of(
            _private(0x0009, b"one ", value)
            + _private(0x000B, value)
            + name
            + _private(0x0011, *[value] * 65)
            + _private(0x0013, *[value] * 4)[12:]  # without its group length
            + sequence(0x00400275, item(inner, EXPLICIT) + item(name, EXPLICIT), EXPLICIT)
        )
        for value in (b"two ", b"three ", b"two ", b"two ", b"four", b"three ")
    ]
    rules = rules_of(
        {"PatientName": "X", "PatientID": "P", "PatientIdentityRemoved": "YES"}, remove_private=True
    )
    shared = Worker(Settings(rules))
    for content in contents:
        found = process(shared, content, tmp_path)
        assert found == process(Worker(Settings(rules)), content, tmp_path)
        assert (0, Action.REMOVED, 85) in found.outcome.elements
        assert b"ACME" not in found.content
