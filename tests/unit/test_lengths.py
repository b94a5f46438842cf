"""Group lengths and Length to End: true where something changed, as they were where nothing did."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from builders import FORMS, IMPLICIT, Form, element, file_of, item, process, rules_of, sequence, substitute

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

LENGTH_TO_END, NAME, PATIENT_ID, MODALITY = 0x00080001, 0x00100010, 0x00100020, 0x00080060

plain_forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)


def number(tag: int, value: int, form: Form) -> bytes:
    return element(tag, "UL", struct.pack(form.order + "I", value), form)


def grouped(group: int, content: bytes, form: Form, length: int | None = None) -> bytes:
    """A group with its length, which is true unless another is given."""
    return number(group << 16, len(content) if length is None else length, form) + content


def text(tag: int, vr: str, value: str, form: Form) -> bytes:
    return element(tag, vr, value.encode(), form)


def patient(form: Form, name: str = "Doe^Jane", more: str = "ID-1") -> bytes:
    return text(NAME, "PN", name, form) + text(PATIENT_ID, "LO", more, form)


def series(form: Form) -> bytes:
    return text(0x00200010, "SH", "12", form) + text(0x00200011, "IS", "3 ", form)


def made(form: Form, name: str = "Doe^Jane", length: int | None = None, other: int | None = None) -> bytes:
    """A file of three groups, one of which changes."""
    data = grouped(0x0008, text(MODALITY, "CS", "MR", form), form)
    data += grouped(0x0010, patient(form, name), form, length)
    return file_of(data + grouped(0x0020, series(form), form, other), form)


@plain_forms
@pytest.mark.parametrize("name", ["a much longer name", "X", "Roe^Jane"])
@pytest.mark.parametrize("length", [None, 0, 18, 2, 46, 1 << 31])
def test_group_length_is_true_where_the_group_changes(
    form: Form, name: str, length: int | None, tmp_path: Path
) -> None:
    """It need not have been true, nor the change one of the size."""
    result = substitute(made(form, length=length), {"PatientName": name}, tmp_path)
    assert result.content == made(form, name)


@plain_forms
def test_group_length_is_as_it_was_where_nothing_changes(form: Form, tmp_path: Path) -> None:
    for wrong in (0, 7, 1 << 31):
        result = substitute(made(form, other=wrong), {"PatientName": "a much longer name"}, tmp_path)
        assert result.content == made(form, "a much longer name", other=wrong)
        result = substitute(made(form, length=wrong), {"PatientName": "Doe^Jane"}, tmp_path)
        assert result.content == made(form, length=wrong)


@plain_forms
def test_group_length_counts_what_is_inserted_and_removed(form: Form, tmp_path: Path) -> None:
    content = file_of(grouped(0x0010, patient(form), form, 3) + grouped(0x0020, series(form), form), form)
    spec = {"PatientName": None, "PatientComments": "some words", "StudyID": "123456"}
    new = text(PATIENT_ID, "LO", "ID-1", form) + text(0x00104000, "LT", "some words", form)
    later = text(0x00200010, "SH", "123456", form) + text(0x00200011, "IS", "3 ", form)
    expected = file_of(grouped(0x0010, new, form) + grouped(0x0020, later, form), form)
    assert substitute(content, spec, tmp_path).content == expected


@plain_forms
@pytest.mark.parametrize("is_last", [False, True])
def test_lengths_count_an_item_that_is_added_at_their_end(form: Form, is_last: bool, tmp_path: Path) -> None:
    def code(text: bytes) -> bytes:
        return item(element(0x00080100, "SH", text, form), form)

    def content(codes: bytes) -> bytes:
        group = grouped(0x0012, sequence(0x00120064, codes, form), form)
        later = group if is_last else group + grouped(0x0020, series(form), form)
        return file_of(number(LENGTH_TO_END, len(later), form) + later, form)

    rules = compile_spec('{"DeidentificationMethodCodeSequence": {"add": [{"CodeValue": "NEW "}]}}')
    worker = Worker(Settings(rules, verify=True))
    for _ in range(4):  # the third and the fourth are like those before
        assert process(worker, content(code(b"OLD ")), tmp_path).content == content(
            code(b"OLD ") + code(b"NEW ")
        )


@plain_forms
def test_group_length_that_covers_another_group_becomes_that_of_its_own(form: Form, tmp_path: Path) -> None:
    between = text(0x00180015, "CS", "HEAD", form)
    rest = between + grouped(0x0020, series(form), form)
    wrong = grouped(0x0010, patient(form), form, len(patient(form)) + len(between)) + text(
        0x00120010, "LO", "x", form
    )
    result = substitute(file_of(wrong + rest, form), {"PatientName": "X"}, tmp_path)
    right = grouped(0x0010, patient(form, "X"), form) + text(0x00120010, "LO", "x", form)
    assert result.content == file_of(right + rest, form)


@plain_forms
@pytest.mark.parametrize("defined", [True, False])
def test_group_length_of_an_item_is_true_where_its_group_changes(
    form: Form, defined: bool, tmp_path: Path
) -> None:
    def content(name: str, length: int | None) -> bytes:
        inner = grouped(0x0010, patient(form, name), form, length) + grouped(0x0020, series(form), form, 5)
        return file_of(sequence(0x00081140, item(inner, form, defined=defined), form), form)

    for wrong in (None, 4):
        result = substitute(content("Doe^Jane", wrong), {"re:PatientName": "a much longer name"}, tmp_path)
        assert result.content == content("a much longer name", None)


def test_group_length_that_goes_with_its_group_is_no_matter(tmp_path: Path) -> None:
    form = IMPLICIT
    private = grouped(0x0009, text(0x00090010, "LO", "MAKER", form) + text(0x00091001, "LO", "x", form), form)
    result = substitute(
        file_of(private + patient(form), form), {"PatientName": "X"}, tmp_path, remove_private=True
    )
    assert result.content == file_of(patient(form, "X"), form)


# --- Length to End


def to_end(form: Form, length: int | None, name: str = "Doe^Jane", modality: str = "MR") -> bytes:
    """A file as ACR-NEMA had it."""
    rest = text(0x00080010, "LO", "ACR-NEMA 2.0", form) + text(MODALITY, "CS", modality, form)
    later = rest + grouped(0x0010, patient(form, name), form) + element(0x7FE00010, "OW", bytes(64), form)
    own = number(LENGTH_TO_END, len(later) if length is None else length, form)
    return file_of(number(0x00080000, len(own + rest), form) + own + later, form)


@plain_forms
@pytest.mark.parametrize("length", [None, 0, 99, 1 << 31])
@pytest.mark.parametrize("name", ["a much longer name", "Roe^Jane"])
def test_length_to_end_is_true_where_something_after_it_changes(
    form: Form, length: int | None, name: str, tmp_path: Path
) -> None:
    result = substitute(to_end(form, length), {"re:PatientName$": name}, tmp_path)
    assert result.content == to_end(form, None, name)


@plain_forms
def test_length_to_end_is_as_it_was_where_nothing_changes(form: Form, tmp_path: Path) -> None:
    for wrong in (0, 99):
        content = to_end(form, wrong)
        assert substitute(content, {"re:PatientName$": "Doe^Jane"}, tmp_path).content == content
        assert substitute(content, {"re:StudyID$": "x"}, tmp_path).content == content


@plain_forms
def test_length_to_end_counts_what_is_inserted(form: Form, tmp_path: Path) -> None:
    content = file_of(number(LENGTH_TO_END, 5, form) + patient(form), form)
    later = patient(form) + text(0x00104000, "LT", "word", form)
    result = substitute(content, {"PatientComments": "word"}, tmp_path)
    assert result.content == file_of(number(LENGTH_TO_END, len(later), form) + later, form)


def test_length_to_end_that_a_key_names_is_the_users(tmp_path: Path) -> None:
    result = substitute(to_end(IMPLICIT, None), {"LengthToEnd": "77", "PatientName": "X"}, tmp_path)
    assert result.content == to_end(IMPLICIT, 77, "X")
    result = substitute(to_end(IMPLICIT, None), {"LengthToEnd": None, "PatientName": "X"}, tmp_path)
    assert number(LENGTH_TO_END, 0, IMPLICIT)[:8] not in result.content


@plain_forms
def test_lengths_that_are_no_number_of_four_bytes_are_as_they_were(form: Form, tmp_path: Path) -> None:
    for odd in (element(LENGTH_TO_END, "US", b"\5\0", form), element(0x00100000, "UL", bytes(8), form)):
        result = substitute(file_of(odd + patient(form), form), {"re:PatientName$": "longer name"}, tmp_path)
        assert result.content == file_of(odd + patient(form, "longer name"), form)


@plain_forms
def test_length_to_end_of_an_item_is_as_it_was(form: Form, tmp_path: Path) -> None:
    def content(name: str) -> bytes:
        inner = number(LENGTH_TO_END, 5, form) + patient(form, name)
        return file_of(sequence(0x00081140, item(inner, form), form), form)

    result = substitute(content("Doe^Jane"), {"re:PatientName$": "longer name"}, tmp_path)
    assert result.content == content("longer name")


# --- whatever came before


def test_lengths_do_not_depend_on_the_files_before(tmp_path: Path) -> None:
    """Where the elements that a rule looks at are equal to the byte, others may make a length wrong."""
    form = IMPLICIT
    true = len(patient(form))
    files = [
        file_of(grouped(0x0010, patient(form), form, true) + grouped(0x0020, series(form), form), form),
        file_of(
            grouped(0x0010, patient(form) + text(0x00104000, "LT", "words", form), form, true)
            + grouped(0x0020, series(form), form),
            form,
        ),
        file_of(
            grouped(0x0010, patient(form), form, true)
            + text(0x00180015, "CS", "HEAD", form)
            + grouped(0x0020, series(form), form),
            form,
        ),
        file_of(grouped(0x0010, patient(form), form, true) + series(form), form),
        to_end(form, None),
        to_end(form, None) + text(0x7FE10010, "LO", "x", form),
    ]
    for name in ("Roe^Jane", "a longer name"):
        rules = rules_of({"re:PatientName$": name})
        cold = [process(Worker(Settings(rules)), content, tmp_path).content for content in files]
        warm = Worker(Settings(rules))
        for order in (files, files[::-1], files):
            for content in order:
                assert process(warm, content, tmp_path).content == cold[files.index(content)]


def test_many_group_lengths_take_no_longer_than_others(tmp_path: Path) -> None:
    form = IMPLICIT
    group = grouped(0x0019, text(0x00190010, "LO", "ab", form), form, 1)
    started = time.process_time()
    assert substitute(file_of(group * 20_000, form), {"(0019,0010)": "longer"}, tmp_path).content
    assert time.process_time() - started < 20


# --- verification


@plain_forms
def test_verification_agrees_with_lengths(form: Form, tmp_path: Path) -> None:
    worker = Worker(Settings(rules_of({"PatientName": "a much longer name"}), verify=True))
    for content in (
        made(form),
        made(form, length=18),
        made(form, other=4),
        to_end(form, None),
        to_end(form, 5),
    ):
        assert process(worker, content, tmp_path).outcome.status is Status.WRITTEN


@plain_forms
@pytest.mark.parametrize("is_nested", [False, True])
@pytest.mark.parametrize("length", [None, 0, 7])
def test_each_of_repeated_group_lengths_is_true(
    form: Form, is_nested: bool, length: int | None, tmp_path: Path
) -> None:
    def repeated(name: str, first: int | None) -> bytes:
        group = grouped(0x0010, grouped(0x0010, patient(form, name), form), form, first)
        return file_of(sequence(0x00081140, item(group, form), form) if is_nested else group, form)

    spec = {"PatientName": "a much longer name"}
    worker = Worker(Settings(rules_of(spec), verify=True))
    result = process(worker, repeated("Doe^Jane", length), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert result.content == repeated("a much longer name", None)
