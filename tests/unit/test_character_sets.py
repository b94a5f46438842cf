"""Specific Character Sets: what is declared, declared wrongly, unknown or assumed."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from builders import EXPLICIT, FORMS, Form, element, file_of, item, read, sequence
from pydicom.charset import python_encoding
from support import Result, run_command
from test_dicomdir import DICOMDIRS, directory

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import FileError, SpecError
from pfdicom_tagSub.dicom.character_sets import assumed_set, character_set, decoded, encoded, known_term
from pfdicom_tagSub.dicom.scanner import ScanResult, scan
from pfdicom_tagSub.dicom.values import can_hold, encode_element
from pfdicom_tagSub.engine import unknown_terms
from pfdicom_tagSub.spec.text_functions import pseudonym

CHARSET, CLASS, INSTANCE = 0x00080005, 0x00080016, 0x00080018
NAME, PATIENT, STATION, SERIES = 0x00100010, 0x00100020, 0x00081010, 0x0008103E
KEY = b"a key of the tests, 27 bytes"

UNKNOWN = ["Not Supplied", "ISO_IR 149", "73", "XXX XXXX", "windows-1251", "KOI8-R", "ISO_IR 87", "Shift_JIS"]


def content(
    form: Form = EXPLICIT, *, term: bytes | None = None, name: bytes = b"Doe^Jane", extra: bytes = b""
) -> bytes:
    """A file of a patient; ``extra`` comes last."""
    data = element(CHARSET, "CS", term, form) if term is not None else b""
    data += element(NAME, "PN", name, form) + element(PATIENT, "LO", b"P1", form)
    return file_of(data + extra, form)


def patched(data: bytes, spec: dict[str, str | None], **options: str) -> bytes:
    return patch_bytes(data, compile_spec(spec, key=KEY, **options))


def run(folder: Path, files: dict[str, bytes], *flags: str) -> tuple[Result, dict[str, bytes]]:
    """Run the command over files; returns what it said and the outputs."""
    for name, data in files.items():
        (folder / "in").mkdir(exist_ok=True)
        (folder / "in" / name).write_bytes(data)
    done = run_command(folder / "in", folder / "out", "--json", *flags)
    return done, {path.name: path.read_bytes() for path in (folder / "out").glob("*")}


# --- terms


@pytest.mark.parametrize("term", [*filter(None, python_encoding), "ISO_IR 203"])
def test_defined_term_is_known_in_any_spelling(term: str) -> None:
    for spelling in (
        term,
        term.lower(),
        term.replace(" ", "_"),
        term.replace("_", " "),
        term.replace(" ", "-"),
    ):
        assert known_term(spelling) == term
    assert known_term(term.replace(" ", "")) == term
    assert not character_set(term.encode()).unknown


@pytest.mark.parametrize(
    ("alias", "term"),
    [
        ("ISO IR 100", "ISO_IR 100"),
        ("ISO-IR 100", "ISO_IR 100"),
        ("ISO_IR_192", "ISO_IR 192"),
        ("iso_ir100", "ISO_IR 100"),
        ("IR 100", "ISO_IR 100"),
        ("iso8859-1", "ISO_IR 100"),
        ("ISO_8859-1", "ISO_IR 100"),
        ("Latin1", "ISO_IR 100"),
        ("ISO 8859/5", "ISO_IR 144"),
        ("UTF8", "ISO_IR 192"),
        ("utf-8", "ISO_IR 192"),
        ("ISO 2022 IR 192", "ISO_IR 192"),
        ("US-ASCII", "ISO_IR 6"),
        ("ISO2022IR100", "ISO 2022 IR 100"),
        ("gb18030", "GB18030"),
        ("ISO-2022-IR-87", "ISO 2022 IR 87"),
    ],
)
def test_alias_is_read_as_its_term(alias: str, term: str) -> None:
    assert known_term(alias) == term
    assert character_set(alias.encode()) == character_set(term.encode())


@pytest.mark.parametrize("term", UNKNOWN)
def test_what_is_no_term_is_unknown(term: str) -> None:
    assert character_set(term.encode()).unknown == (term,)
    assert character_set(f"ISO 2022 IR 6\\{term}".encode()).unknown == (term,)


@pytest.mark.parametrize(
    ("term", "raw", "text", "is_certain"),
    [
        ("", b"Doe", "Doe", True),
        ("", "é".encode("latin-1"), "é", False),
        ("ISO_IR 6", "é".encode(), "Ã©", False),
        ("ISO_IR 100", "é".encode("latin-1"), "é", True),
        ("ISO_IR 192", "é".encode(), "é", True),
        ("ISO_IR 192", "é".encode("latin-1"), "\ufffd", False),
        ("ISO_IR 192", "\ufffd".encode(), "\ufffd", True),
        ("ISO_IR 100", b"\x1b$B;3ED\x1b(B", None, False),
        ("\\ISO 2022 IR 87", b"\x1b$B;3ED\x1b(B", "山田", True),
        ("\\ISO 2022 IR 100", b"\x1b-A\xe9", "é", True),
        ("\\ISO 2022 IR 100", b"\xe9", "é", False),
        ("\\ISO 2022 IR 58", b"Doe \x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1 MR", "Doe 王^小 MR", True),
        ("\\ISO 2022 IR 58", b"\xcd\xf5", "Íõ", False),
        ("\\ISO 2022 IR 58", b"\x1b$)A\xcd\x80", None, False),
        ("ISO 2022 IR 100\\ISO 2022 IR 58", b"\x1b$)A\xcd\x80", None, False),
        ("ISO 2022 IR 100\\ISO 2022 IR 58", b"M\xfcller \x1b$)A\xcd\xf5", "Müller 王", True),
        ("ISO_IR 13", b"\xc9 MR", "ﾉ MR", True),
        ("ISO_IR 203", b"\xa4", "€", True),
        ("NOPE", b"\xe9", "é", False),
    ],
)
def test_decoded_text_is_certain_where_the_character_set_allows_it(
    term: str, raw: bytes, text: str | None, is_certain: bool
) -> None:
    found = decoded(raw, character_set(term.encode()))
    assert found.is_certain is is_certain
    assert text is None or found.text == text


def test_encoded_text_reads_back_or_is_none() -> None:
    two = character_set(b"\\ISO 2022 IR 100")
    raw = encoded(["Größe", "a"], two)
    assert raw is not None
    assert decoded(raw, two).text == "Größe\\a"
    assert encoded(["山"], two) is None


@pytest.mark.parametrize(
    ("term", "text", "raw"),
    [
        ("\\ISO 2022 IR 58", "Doe^J=王^小", b"Doe^J=\x1b$)A\xcd\xf5^\x1b$)A\xd0\xa1"),
        ("\\ISO 2022 IR 58", "MR 王\r\n小", b"\x1b$)AMR \xcd\xf5\r\n\x1b$)A\xd0\xa1"),
        ("\\ISO 2022 IR 58", "MR", b"MR"),
        ("\\ISO 2022 IR 58", "山é", None),
        ("\\ISO 2022 IR 58", "한", None),
        ("ISO 2022 IR 100\\ISO 2022 IR 58", "Müller^王", b"M\xfcller^\x1b$)A\xcd\xf5"),
        ("\\ISO 2022 IR 149\\ISO 2022 IR 58", "王 한", b"\x1b$)C\xe8\xdd \xc7\xd1"),
        ("ISO_IR 13", "ﾔﾏﾀﾞ MR", b"\xd4\xcf\xc0\xde MR"),
        ("ISO_IR 13", "ﾔ 山", None),
        ("ISO_IR 13", "ﾔ é", None),
        ("ISO_IR 13", "ﾔ ¥", None),
    ],
)
def test_text_is_encoded_as_the_standard_has_it(term: str, text: str, raw: bytes | None) -> None:
    characters = character_set(term.encode())
    assert encoded([text], characters) == raw
    assert can_hold(characters, "LO", [text]) is (raw is not None)
    if raw is not None:
        assert decoded(raw, characters).text == text
        written = encode_element(SERIES, "LO", [text, "ANON"], characters, implicit=True, little=True)
        assert written[8:].rstrip(b" ") == raw + b"\\ANON"


# --- files


CHINESE = b"\x1b$)A\xd5\xc5\xd0\xa1\xb6\xab MRI"
"""What pydicom reads with the escape sequence in it."""


def _in_utf8(output: bytes, folder: Path) -> str:
    """What dcmtk reads, which leaves it out."""
    (folder / "out.dcm").write_bytes(output)
    done = subprocess.run(["dcmdump", "-q", "+U8", folder / "out.dcm"], capture_output=True, check=True)
    return done.stdout.decode()


@pytest.mark.skipif(not shutil.which("dcmdump"), reason="needs dcmtk")
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize(
    ("term", "raw", "name", "text", "masked", "cleaned"),
    [
        ("\\ISO 2022 IR 58", CHINESE, b"Doe=" + CHINESE[:10], "张小东 MRI", "张小X M", "MRI"),
        ("ISO_IR 13", b"\xd4\xcf\xc0\xde \xc9 MRI", b"\xd4\xcf\xc0\xde^J", "ﾔﾏﾀﾞ ﾉ MRI", "ﾔﾏXﾞ ", "ﾉ MRI"),
    ],
)
def test_text_is_cleaned_masked_and_copied_in_its_character_set(
    term: str, raw: bytes, name: bytes, text: str, masked: str, cleaned: str, form: Form, tmp_path: Path
) -> None:
    data = content(form, term=term.encode(), name=name, extra=element(0x00104000, "LT", raw, form))
    spec = {"PatientID": "%PatientComments", "PatientName": "%_strmsk|**X**_PatientComments"}
    shown = _in_utf8(patched(data, spec), tmp_path)
    assert f"LO [{text}]" in shown
    assert f"PN [{masked}]" in shown or f"PN [{masked.strip()}]" in shown
    shown = _in_utf8(patched(data, {"PatientName": ""}, profile="basic,cleanDescriptors"), tmp_path)
    assert f"LT [{cleaned}]" in shown or f"LT [{cleaned} ]" in shown


@pytest.mark.parametrize("term", [b"\\ISO 2022 IR 58", b"ISO 2022 IR 100\\ISO 2022 IR 58"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        (CHINESE[4:10], CHINESE),
        (CHINESE[:10], CHINESE[4:]),
        (CHINESE[4:10], b"\x1b$)A\xd5\xc5\x1b$)A\xd0\xa1\xb6\xab"),
    ],
    ids=["name", "text", "within the text"],
)
def test_escape_sequence_that_name_or_text_alone_has_fails_the_file(
    name: bytes, text: bytes, term: bytes
) -> None:
    data = content(term=term, name=name, extra=element(0x00104000, "LT", text, EXPLICIT))
    with pytest.raises(FileError, match="--assumeCharacterSet"):
        patched(data, {}, profile="basic,cleanDescriptors")


def test_words_of_an_institution_are_left_in_chinese_text() -> None:
    """As in any other character set."""
    two = b"\x1b$)A\xb2\xbf\xb7\xdd \xc9\xa8\xc3\xe8"
    extra = element(0x00080080, "LO", two, EXPLICIT) + element(SERIES, "LO", two[:4] + two[9:], EXPLICIT)
    data = file_of(element(CHARSET, "CS", b"\\ISO 2022 IR 58", EXPLICIT) + extra)
    done = read(patched(data, {}, profile="basic,cleanDescriptors"))
    assert bytes(done.get_item(SERIES).value).endswith(two[9:])


@pytest.mark.parametrize("vr", ["PN", "LO"])
def test_md5_and_name_of_chinese_are_those_of_3_1_1(vr: str) -> None:
    """For which the escape sequence was part of the text."""
    tag = {"PN": NAME, "LO": SERIES}[vr]
    raw = b"Doe=" + CHINESE[:10]
    extra = element(tag, vr, raw, EXPLICIT) if tag != NAME else b""
    data = content(term=b"\\ISO 2022 IR 58", name=raw, extra=extra)
    source = read(data)[tag]
    done = read(
        patched(
            data,
            {
                "PatientID": f"%_md5_{source.keyword}",
                "StationName": f"%_name_{source.keyword}",
            },
        )
    )
    assert done.PatientID == hashlib.md5(str(source.value).encode()).hexdigest()
    seed = raw if vr == "PN" else str(source.value).encode()
    assert done.StationName == pseudonym(seed)[:16]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("term", [*UNKNOWN, "ISO 2022 IR 6\\IS"])
def test_unknown_set_passes_ascii_and_fails_other_text(term: str, form: Form, tmp_path: Path) -> None:
    other = element(SERIES, "LO", "Größe".encode("latin-1"), form)
    files = {
        "ascii.dcm": content(form, term=term.encode()),
        "other.dcm": content(form, term=term.encode(), extra=other),
        "name.dcm": content(form, term=term.encode(), name=b"M\xfcller"),
    }
    done, outputs = run(tmp_path, files, "--profile", "basic", "--tagStruct", '{"StudyID": "1"}')
    assert outputs.keys() == {"ascii.dcm"}
    unknown = term.rpartition("\\")[2]
    assert done.record["unknownCharsets"] == [{"path": "ascii.dcm", "terms": unknown}]
    assert "1 file declares a Specific Character Set that is none of the standard's" in done.err
    reasons = {one["path"]: one["reason"] for one in done.record["failures"]}
    assert reasons.keys() == {"name.dcm", "other.dcm"}
    assert all(unknown in reason and "--assumeCharacterSet" in reason for reason in reasons.values())


@pytest.mark.parametrize("name", [b"Doe^Jane", b"M\xfcller"])
def test_unknown_set_of_an_item_counts_for_the_item(name: bytes, tmp_path: Path) -> None:
    inner = element(CHARSET, "CS", b"NOPE", EXPLICIT) + element(NAME, "PN", name, EXPLICIT)
    extra = sequence(0x00400275, item(inner, EXPLICIT), EXPLICIT)
    data = content(term=b"ISO_IR 100", name=b"J\xfcrgen", extra=extra)
    done, outputs = run(tmp_path, {"a": data}, "--tagStruct", '{"PatientName": "%_md5_#tag"}')
    assert bool(outputs) is name.isascii()
    assert done.code == int(not name.isascii())


def test_files_do_not_depend_on_each_other(tmp_path: Path) -> None:
    """What is kept for later files does not hold that text elsewhere in a file is ASCII."""
    files = {f"{number}-plain": content(term=b"NOPE") for number in range(3)}
    files["2-other"] = content(term=b"NOPE", extra=element(0x00104000, "LT", b"M\xfc", EXPLICIT))
    _, outputs = run(tmp_path, files, "--tagStruct", '{"PatientName": "%_md5_#tag"}')
    assert outputs.keys() == {"0-plain", "1-plain", "2-plain"}


@pytest.mark.filterwarnings("ignore")  # pydicom's, of the terms
def test_file_is_looked_through_once_however_many_unknown_sets_it_declares(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scans: list[object] = []

    def noting(*arguments: Any) -> ScanResult:
        scans.append(arguments)
        return scan(*arguments)

    monkeypatch.setattr(unknown_terms, "scan", noting)
    items = [
        element(0x00080005, "CS", f"X {number}".encode(), EXPLICIT)
        + element(0x00100010, "PN", f"Ophelia^{number}".encode(), EXPLICIT)
        for number in range(30)
    ]
    requests = sequence(0x00400275, b"".join(item(one, EXPLICIT) for one in items), EXPLICIT)
    done = read(patched(content(extra=requests), {"PatientName": "new"}))
    assert [one.PatientName for one in done.RequestAttributesSequence] == ["new"] * 30
    assert len(scans) == 1


def test_term_that_is_text_of_the_patient_is_never_told(tmp_path: Path) -> None:
    data = content(term=b"Zebulon", name=b"Zebulon^Ophelia")
    done, outputs = run(tmp_path, {"a": data}, "--profile", "basic", "--tagStruct", "{}")
    assert not outputs
    assert "zebulon" not in (done.err + done.out).lower()
    assert "text of another element" in done.record["failures"][0]["reason"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("term", [None, b"", b"NOPE", b"ISO_IR 149", b"ISO_IR 6"])
def test_assumed_set_is_how_text_is_read_and_what_outputs_declare(term: bytes | None, form: Form) -> None:
    data = content(form, term=term, name="Žižka^Jan".encode("iso8859-2"))
    spec: dict[str, str | None] = {"PatientName": "%_strmsk|*****_#tag", "PatientID": "%_md5_PatientName"}
    done = read(patched(data, spec, assume_character_set="ISO_IR 101"))
    assert done.SpecificCharacterSet == "ISO_IR 101"
    assert str(done.PatientName) == "Žižka"
    assert (
        done.PatientID
        == read(patched(content(name="Žižka^Jan".encode(), term=b"ISO_IR 192"), spec)).PatientID
    )


def test_assumed_set_of_several_terms_is_declared_whole() -> None:
    data = content(name=b"Yamada=\x1b$B;3ED\x1b(B")
    done = read(patched(data, {"PatientID": "%PatientName"}, assume_character_set="\\ISO 2022 IR 87"))
    assert list(done.SpecificCharacterSet) == ["", "ISO 2022 IR 87"]
    assert done.PatientID == "Yamada=山田"


def test_assumed_set_leaves_declared_text_alone() -> None:
    data = content(term=b"ISO_IR 192", name="Žižka".encode())
    assert patched(data, {"StudyID": None}, assume_character_set="ISO_IR 101") == data
    done = read(patched(data, {"PatientID": "%PatientName"}, assume_character_set="ISO_IR 101"))
    assert (done.SpecificCharacterSet, done.PatientID) == ("ISO_IR 192", "Žižka")


def test_assumed_set_reads_what_is_not_valid_as_declared() -> None:
    data = content(term=b"ISO_IR 192", name="Žižka".encode("iso8859-2"))
    done = read(patched(data, {"PatientID": "%PatientName"}, assume_character_set="ISO_IR 101"))
    assert (done.SpecificCharacterSet, done.PatientID) == ("ISO_IR 192", "Žižka")


@pytest.mark.parametrize("flag", ["NOPE", "ISO_IR 1000", "ISO_IR 100\\NOPE", "ISO_IR 149"])
def test_assumed_set_that_is_none_is_an_error(flag: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="--assumeCharacterSet"):
        assumed_set(flag)
    done, outputs = run(tmp_path, {"a": content()}, "--assumeCharacterSet", flag)
    assert (done.code, outputs) == (2, {})


def test_assumed_set_travels_with_the_rules() -> None:
    rules = pickle.loads(pickle.dumps(compile_spec({}, assume_character_set="latin1")))
    assert rules.assumed == character_set(b"ISO_IR 100")


def test_ledger_does_again_what_another_assumed_set_reads_otherwise(tmp_path: Path) -> None:
    flags = [
        "--ledger",
        str(tmp_path / "ledger"),
        "--tagStruct",
        '{"PatientID": "%PatientName"}',
        "--overwrite",
    ]
    files = {"a": content(name="Žižka".encode("iso8859-2"))}
    first, one = run(tmp_path, files, *flags, "--assumeCharacterSet", "ISO_IR 101")
    again, _ = run(tmp_path, files, *flags, "--assumeCharacterSet", "ISO_IR 101")
    other, two = run(tmp_path, files, *flags, "--assumeCharacterSet", "ISO_IR 100")
    assert [done.record["counts"]["written"] for done in (first, again, other)] == [1, 0, 1]
    assert read(one["a"]).PatientID != read(two["a"]).PatientID


@pytest.mark.parametrize("flags", [("--verify",), ("--dryRun",), ("--verify", "--onResidual", "fail")])
def test_assumed_and_unknown_sets_work_with_verification_and_dry_runs(
    flags: tuple[str, ...], tmp_path: Path
) -> None:
    files = {"a": content(term=b"NOPE"), "b": content(name="Žižka^Jan".encode("iso8859-2"))}
    spec = json.dumps({"PatientName": "%_strmsk|**x_#tag"})
    done, _ = run(tmp_path, files, "--tagStruct", spec, "--assumeCharacterSet", "ISO_IR 101", *flags)
    assert (done.code, done.record["counts"]["written"]) == (0, 2)
    (tmp_path / "other").mkdir()
    done, _ = run(tmp_path / "other", {"a": content(term=b"NOPE")}, "--tagStruct", spec, *flags)
    assert (done.code, done.record["counts"]["written"]) == (0, 1)


# --- text that is not valid as declared

BROKEN = ["Müller".encode("latin-1"), "Möller".encode("latin-1"), b"M\xff\xfe"]


@pytest.mark.parametrize("template", ["%PatientName", "x%_strmsk|*******_PatientName"])
@pytest.mark.parametrize("name", BROKEN)
def test_no_character_is_replaced_in_a_new_text(name: bytes, template: str) -> None:
    with pytest.raises(FileError, match="PatientName is not valid in the character set"):
        patched(content(term=b"ISO_IR 192", name=name), {"PatientComments": template})


def test_output_is_not_named_with_characters_missing(tmp_path: Path) -> None:
    data = content(term=b"ISO_IR 192", name=BROKEN[0])
    done, outputs = run(tmp_path, {"a": data}, "--outputFileStem", "%PatientName")
    assert not outputs
    assert "not valid in the character set" in done.record["failures"][0]["reason"]


@pytest.mark.parametrize("template", ["%_sha256_#tag", "%_hmac_#tag", "%_dummy_#tag"])
def test_pseudonyms_of_values_differ_where_their_bytes_do(template: str) -> None:
    made = {
        str(read(patched(content(term=b"ISO_IR 192", name=name), {"PatientName": template})).PatientName)
        for name in BROKEN
    }
    assert len(made) == len(BROKEN)


def test_dates_are_shifted_by_different_days_where_the_bytes_of_the_seed_differ() -> None:
    date = element(0x00080020, "DA", b"20200301", EXPLICIT)
    spec: dict[str, str | None] = {"StudyDate": "%_dateshift|patientName|36525_#tag"}
    made = {
        read(patched(content(term=b"ISO_IR 192", name=name, extra=date), spec)).StudyDate for name in BROKEN
    }
    assert len(made) == len(BROKEN)


def test_md5_is_that_of_3_1_1_for_text_that_is_not_valid() -> None:
    from hashlib import md5

    data = content(term=b"ISO_IR 192", name=BROKEN[0])
    assert read(patched(data, {"PatientID": "%_md5_PatientName"})).PatientID == (
        md5("M\ufffdller".encode(), usedforsecurity=False).hexdigest()
    )


@pytest.mark.parametrize("name", ["Müller".encode("latin-1"), "Müller".encode()])
def test_undeclared_text_that_is_copied_fails_with_the_cure(name: bytes) -> None:
    with pytest.raises(FileError, match="--assumeCharacterSet"):
        patched(content(name=name), {"PatientComments": "%PatientName"})


def test_offsets_of_a_directory_stay_true_where_a_set_is_assumed() -> None:
    data = (DICOMDIRS / "DICOMDIR").read_bytes()
    done = patch_bytes(data, compile_spec({"PatientID": "%_md5|9_#tag"}, assume_character_set="ISO_IR 100"))
    assert directory(done) == directory(data)
