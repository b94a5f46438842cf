"""Text is cleaned in its bytes where nothing says for sure which characters they are."""

from __future__ import annotations

import pytest
from builders import EXPLICIT, FORMS, IMPLICIT, Form, element, file_of, read

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import FileError

CHARSET, NAME, PATIENT, DESCRIPTION = 0x00080005, 0x00100010, 0x00100020, 0x00081030
PROFILE = compile_spec({}, profile="basic,cleanDescriptors", key=b"a key of the tests, 27 bytes")


def content(
    text: bytes,
    *,
    name: bytes = b"Doe^Jane",
    term: bytes | None = None,
    form: Form = EXPLICIT,
    vr: str = "LO",
    tag: int = DESCRIPTION,
) -> bytes:
    data = element(CHARSET, "CS", term, form) if term is not None else b""
    data += element(tag, vr, text, form) if tag < NAME else b""
    data += element(NAME, "PN", name, form) + element(PATIENT, "LO", b"ZQ4711220", form)
    data += element(tag, vr, text, form) if tag > NAME else b""
    return file_of(data, form)


def cleaned(text: bytes, **options: object) -> bytes:
    """The bytes of a description after cleaning, without padding."""
    done = read(patch_bytes(content(text, **options), PROFILE))  # type: ignore[arg-type]
    tag = int(options.get("tag", DESCRIPTION))  # type: ignore[call-overload]
    raw = done.get_item(tag).value
    assert isinstance(raw, bytes)
    return raw.rstrip(b" ")


LATIN, UTF = "Größe".encode("latin-1"), "Größe".encode()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("term", [None, b"", b"ISO_IR 6", b"ISO_IR 192", b"ISO_IR 100", b"\\ISO 2022 IR 87"])
@pytest.mark.parametrize("text", [LATIN, UTF, UTF + b" " + LATIN, b"\x8e\x52\x93\x63 ok", b"x\x1b$B;3\x1b(B"])
def test_text_without_identifiers_keeps_its_bytes(text: bytes, term: bytes | None, form: Form) -> None:
    assert cleaned(text, term=term, form=form) == text


@pytest.mark.parametrize("term", [None, b"ISO_IR 192", b"ISO_IR 100"])
@pytest.mark.parametrize("text", [LATIN, UTF, UTF + b" " + LATIN, b"\x93quoted\x94 \xff"])
def test_ascii_is_cut_and_other_bytes_stay(text: bytes, term: bytes | None) -> None:
    assert cleaned(text + b" Doe head", term=term) == text + b" head"
    assert cleaned(b"ZQ4711220 " + text, term=term) == text
    assert cleaned(b"a\\" + text + b" JANE\\Doe", term=term) == b"a\\" + text + b"\\REMOVED"


@pytest.mark.parametrize("name", [None, b"ISO_IR 192"])
@pytest.mark.parametrize("codec", ["latin-1", "utf-8"])
@pytest.mark.parametrize("other", ["latin-1", "utf-8"])
def test_name_is_found_as_utf8_and_as_latin1(codec: str, other: str, name: bytes | None) -> None:
    text = "Kopf Müller, Größe".encode(codec)
    assert cleaned(text, name="Müller^Änne".encode(other), term=name) == "Kopf, Größe".encode(codec)


def test_name_in_utf8_is_found_in_text_that_is_declared_as_latin1() -> None:
    assert cleaned("Kopf Müller".encode(), name="Müller".encode(), term=b"ISO_IR 100") == b"Kopf"
    assert cleaned("Kopf Müller".encode(), name="Müller".encode("latin-1"), term=b"ISO_IR 100") == b"Kopf"


@pytest.mark.parametrize("codec", ["shift_jis", "gb18030", "gb2312", "iso2022_jp", "euc_jp", "big5"])
def test_name_in_an_undeclared_set_fails_the_file(codec: str) -> None:
    name = "山田^太郎".encode(codec)
    for text in ("の 山田 の", "の山田太郎の", "Doe 太郎"):
        _check_failing(name, text.encode(codec))


def _check_failing(name: bytes, text: bytes) -> None:
    with pytest.raises(FileError, match="--assumeCharacterSet"):
        patch_bytes(content(text, name=name), PROFILE)


def test_name_in_an_assumed_set_is_cut() -> None:
    rules = compile_spec({}, profile="basic,cleanDescriptors", assume_character_set="GB18030")
    done = read(
        patch_bytes(content("脑部 山田".encode("gb18030"), name="山田^太郎".encode("gb18030")), rules)
    )
    assert (done.SpecificCharacterSet, done.StudyDescription) == ("GB18030", "脑部")


def test_text_with_code_extensions_is_cut_as_it_is_declared() -> None:
    two = b"\\ISO 2022 IR 100"
    assert read(patch_bytes(content(b"Doe \x1b-AGr\xf6\xdfe", term=two), PROFILE)).StudyDescription == "Größe"
    japanese = b"\\ISO 2022 IR 87"
    text, name = b"Doe \x1b$BG>\x1b(B", b"Doe=\x1b$B;3ED\x1b(B"
    assert read(patch_bytes(content(text, name=name, term=japanese), PROFILE)).StudyDescription == "脳"


def test_letters_of_utf8_are_not_cut_in_two() -> None:
    text = "Graüe Gräber".encode()
    assert cleaned(text, name=b"Gra^Gra") == text


@pytest.mark.parametrize("vr", ["LO", "ST", "LT", "UT"])
def test_what_is_not_cut_stays_whatever_its_vr_allows(vr: str) -> None:
    long = b"x" * 80 + LATIN + b"\x85"
    tag = {"LO": DESCRIPTION, "ST": 0x00082111, "LT": 0x00104000, "UT": 0x00221010}[vr]
    if vr == "LO":
        assert cleaned(long, vr=vr, tag=tag) == long
        assert cleaned(b"plain " * 20 + b"x", vr=vr, tag=tag) == b"plain " * 20 + b"x"


def test_implicit_and_explicit_files_are_cleaned_alike() -> None:
    text = LATIN + b" Doe"
    assert cleaned(text, form=IMPLICIT) == cleaned(text) == LATIN


@pytest.mark.parametrize("term", [None, b"ISO_IR 192", b"ISO_IR 100", b"GB18030"])
def test_no_output_has_a_replaced_character(term: bytes | None) -> None:
    for text in (LATIN, UTF, b"\xff\xfe Doe \x80", UTF[:-1], b"\x1b$BDoe"):
        for name in (b"Doe^Jane", b"M\xfcller^\xff", "Müller".encode()):
            try:
                done = patch_bytes(content(text, name=name, term=term), PROFILE)
            except FileError:
                continue
            assert "\ufffd".encode() not in done
            assert b"Doe^" not in done
