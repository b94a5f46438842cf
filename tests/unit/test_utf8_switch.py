"""Which data sets may be switched to UTF-8: those whose other text is ASCII, whatever VR it has."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import (
    BIG,
    EXPLICIT,
    FORMS,
    IMPLICIT,
    Form,
    Substituted,
    element,
    file_of,
    item,
    sequence,
    substitute,
)

from pfdicom_tagSub.core.outcome import Status

NAME, COMMENTS, CREATOR, PRIVATE = 0x00100010, 0x00104000, 0x00290010, 0x00291001
LATIN = "Hôpital".encode("latin-1")
JAPANESE = "山田".encode("iso2022_jp")
SPEC = {"PatientName": "大"}


def _switched(rest: bytes, form: Form, folder: Path, before: bytes = b"") -> Substituted:
    return substitute(file_of(before + element(NAME, "PN", b"A^B", form) + rest, form), SPEC, folder)


def _private(value: bytes, form: Form, vr: str = "UN", creator: bytes = b"ACME") -> bytes:
    return element(CREATOR, "LO", creator, form) + element(PRIVATE, vr, value, form)


@pytest.mark.parametrize("value", [LATIN, JAPANESE, "Hôpital".encode(), LATIN + b"\0", b"\xe9"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_text_of_unknown_vr_keeps_its_character_set(form: Form, value: bytes, tmp_path: Path) -> None:
    others = (
        _private(value, form),
        _private(value, form, "LO"),
        element(COMMENTS, "UN", value, form),
        element(0x00100FFF, "UN", value, form),  # by no dictionary
        element(0x00100FFF, "LO", value, form),
        sequence(0x00400275, item(_private(value, form), form), form),
        sequence(0x00400275, item(element(0x00400007, "LO", value, form), form, defined=False), form),
    )
    for rest in others:
        outcome = _switched(rest, form, tmp_path).outcome
        assert outcome.status is Status.FAILED
        assert "does not fit the character set of the file" in outcome.reason
        assert "PatientName" in outcome.reason


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_value_that_begins_as_items_and_is_none_keeps_its_character_set(form: Form, tmp_path: Path) -> None:
    inner = element(0x00400007, "LO", LATIN, form)
    for rest in (_private(item(inner, form), form), _private(item(inner, form)[:-1] + b"", form)):
        assert _switched(rest, form, tmp_path).outcome.status is Status.FAILED


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_is_no_text_does_not_keep_a_file_from_utf_8(form: Form, tmp_path: Path) -> None:
    others = (
        _private(b"\x80\1\xff\0\0\1", form),
        _private(b"plain text", form),
        element(0x00280106, "US", b"\xff\xff", form),
        element(0x00282110, "CS", b"00", form) + element(0x7FE00010, "OW", bytes(range(128, 138)), form),
    )
    for rest in others:
        result = _switched(rest, form, tmp_path)
        assert result.data_set.SpecificCharacterSet == "ISO_IR 192"
        assert result.data_set.PatientName == "大"
        assert rest in result.content


def test_a_private_dictionary_says_what_is_no_text(tmp_path: Path) -> None:
    value = b"\xe9\xe8"
    rest = element(CREATOR, "LO", b"SIEMENS CSA HEADER", IMPLICIT)
    binary, text = element(0x00291010, "OB", value, IMPLICIT), element(0x00291008, "CS", value, IMPLICIT)
    assert _switched(rest + binary, IMPLICIT, tmp_path).outcome.status is Status.WRITTEN
    assert (
        _switched(rest + text, IMPLICIT, tmp_path).outcome.status is Status.WRITTEN
    )  # a CS is ASCII by its VR
    other = element(CREATOR, "LO", b"SIEMENS MED", IMPLICIT)
    assert _switched(other + binary, IMPLICIT, tmp_path).outcome.status is Status.FAILED


def test_data_sets_with_character_sets_of_their_own_are_switched_one_by_one(tmp_path: Path) -> None:
    name = element(NAME, "PN", b"A^B", BIG)
    latin = element(0x00080005, "CS", b"ISO_IR 100", BIG)
    own, inherited = item(latin + name, BIG), item(name, BIG)
    foreign = element(0x00400007, "LO", LATIN, BIG)
    for items, is_written in (
        (own + inherited + own, True),
        (own + item(latin + foreign, BIG), True),  # its character set is needed, but nothing is written in it
        (own + item(latin + name + foreign, BIG), False),
        (own + item(name + foreign, BIG), False),
    ):
        result = _switched(sequence(0x00400275, items, BIG), BIG, tmp_path)
        assert (result.outcome.status is Status.WRITTEN) == is_written
        if is_written:
            names = [one.get("PatientName", "大") for one in result.data_set.RequestAttributesSequence]
            assert {str(name) for name in [*names, result.data_set.PatientName]} == {"大"}


def test_file_meta_has_no_character_set(tmp_path: Path) -> None:
    extra = element(0x00020016, "AE", b"SENDER", EXPLICIT) + element(0x00020102, "OB", LATIN, EXPLICIT)
    content = file_of(element(NAME, "PN", b"A^B", EXPLICIT), extra=extra)
    assert substitute(content, SPEC, tmp_path).outcome.status is Status.WRITTEN
