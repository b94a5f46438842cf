"""Planted values: nothing that a spec replaces is printed, recorded or left anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from installed import Trees, contents, data_set, save
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

SPEC = {
    "re:.*Name": "%_name|patientID_#tag",
    "re:.*(PatientID|IssuerOfPatientID)": "%_md5|9_#tag",
    "re:.*(Address|Comments|Description|TelephoneNumbers)": "#tag",
    "re:.*Date": "%_md5|6_#tag",
    "AccessionNumber": "%_strmsk|###_AccessionNumber",
    "StudyID": None,
    "SOPInstanceUID": "1.2.3.4",
    "SourceApplicationEntityTitle": "GONE",
    '(0029,"ACME 1.0",10)': "x",
}
FORMS = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)


def _planted() -> dict[str, str]:
    """Keyword to a value that is found nowhere else."""
    return {
        "PatientName": "Plantagenet^Quirin",
        "OtherPatientNames": "Zweitname^Xaver\\Drittname^Ypsilon",
        "PatientID": "PLANTED-4711",
        "PatientAddress": "Pflanzweg 99",
        "PatientComments": "geheimnisvoll\\rätselhaft",
        "AccessionNumber": "ACC987654",
        "StudyID": "STUDY-31337",
        "PatientBirthDate": "19410611",
        "StudyDescription": "Plantarfaszie von Quirin",
        "SOPInstanceUID": "1.2.826.0.1.3680043.8.498.77777777",
    }


def _filled(names: dict[str, str], charset: str) -> Dataset:
    content = data_set(SpecificCharacterSet=charset)
    for keyword, value in names.items():
        setattr(content, keyword, value.split("\\") if "Names" in keyword else value)
    inner = Dataset()
    inner.PatientName = names["PatientName"]
    inner.PatientID = names["PatientID"]
    for undefined in (False, True):
        outer = Dataset()
        outer.ReferencedPatientPhotoSequence = Sequence([inner])
        outer.PatientComments = names["PatientComments"]
        outer.is_undefined_length_sequence_item = undefined
        keyword = "RequestAttributesSequence" if undefined else "ReferencedStudySequence"
        setattr(content, keyword, Sequence([outer]))
        content[keyword].is_undefined_length = undefined
    block = content.private_block(0x0029, "ACME 1.0", create=True)
    block.add_new(0x10, "LO", "privatissime-1234")
    return content


def _traces(values: dict[str, str]) -> Iterator[bytes]:
    """Every form in which a value, or a telling part of it, might be found."""
    for value in [*values.values(), "privatissime-1234"]:
        for part in {value, *value.split("\\"), *value.replace("\\", "^").split("^")}:
            for encoding in ("utf-8", "latin-1", "shift_jis", "iso2022_jp", "utf-16-le"):
                if len(part) >= 4:
                    yield part.encode(encoding, "ignore")


def _assert_clean(where: str, data: bytes, values: dict[str, str]) -> None:
    for trace in _traces(values):
        assert len(trace) < 4 or trace not in data, f"{trace!r} in {where}"


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "ISO 2022 IR 100"])
@pytest.mark.parametrize("threads", ["0", "2"])
def test_planted_values_are_nowhere(trees: Trees, charset: str, threads: str) -> None:
    values = _planted()
    for number, form in enumerate(FORMS):
        save(trees.inputs / f"{number}.dcm", _filled(values, charset), form)
    done = trees.run("--verbosity", "5", "--json", "--threads", threads, spec=SPEC)
    assert done.code == 0, done.err
    assert done.record["counts"]["written"] == len(FORMS)
    printed = (done.out + done.err).encode("utf-8", "surrogateescape")
    _assert_clean("what was printed", printed, values)
    for name, data in contents(trees.outputs).items():
        _assert_clean(name, data, values)


def test_japanese_names_are_nowhere(trees: Trees) -> None:
    values = {"PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう"}
    content = data_set(SpecificCharacterSet=["", "ISO 2022 IR 87"])
    content.PatientName = values["PatientName"]
    save(trees.inputs / "a.dcm", content)
    stored = (trees.inputs / "a.dcm").read_bytes()
    done = trees.run("--verbosity", "5", "--json", spec={"re:.*Name": "%_name|patientID_#tag"})
    assert done.code == 0
    escaped = "山田".encode("iso2022_jp").removesuffix(b"\x1b(B")
    assert escaped in stored
    assert escaped not in (trees.outputs / "a.dcm").read_bytes()
    assert "山田" not in done.out + done.err
    assert b"Yamada" not in (trees.outputs / "a.dcm").read_bytes()


@pytest.mark.parametrize("cut", [1, 7, 60, 200])
def test_damaged_files_leave_no_trace(trees: Trees, cut: int) -> None:
    values = _planted()
    whole = save(trees.inputs / "a.dcm", _filled(values, "ISO_IR 100")).read_bytes()
    (trees.inputs / "a.dcm").write_bytes(whole[:-cut])
    done = trees.run("--verbosity", "5", "--json", spec=SPEC)
    assert done.code == 1
    _assert_clean("what was printed", (done.out + done.err).encode(), values)
    assert trees.written == []


def test_failed_substitutions_quote_nothing(trees: Trees) -> None:
    """Not the original, nor the new text that the character set cannot hold."""
    content = data_set(SpecificCharacterSet="ISO_IR 100", PatientComments="rätselhaft")
    save(trees.inputs / "a.dcm", content)
    done = trees.run("--verbosity", "5", "--json", spec={"PatientName": "山田^%PatientName"})
    assert done.code == 1
    assert "PatientName" in done.failures["a.dcm"]
    assert "Doe" not in done.out + done.err
    assert "山田" not in done.out + done.err


def test_values_that_pydicom_warns_of_are_not_printed(trees: Trees) -> None:
    """pydicom quotes values in its warnings; a number that is none is one of them."""
    content = data_set(PatientWeight="", StudyDate="")
    path = save(trees.inputs / "a.dcm", content)
    data = path.read_bytes()
    weight = bytes.fromhex("10003010") + b"DS\x00\x00"
    date = bytes.fromhex("08002000") + b"DA\x00\x00"
    assert weight in data
    data = data.replace(weight, weight[:6] + b"\x0a\x00planted-no")
    data = data.replace(date, date[:6] + b"\x08\x00planted!")
    path.write_bytes(data)
    spec = {"PatientWeight": "%_strmsk|**_PatientWeight", "re:StudyDate": "%_md5|4_#tag"}
    done = trees.run("--verbosity", "5", "--json", spec=spec)
    assert done.code == 0
    assert "planted" not in done.out + done.err
    assert b"planted" not in (trees.outputs / "a.dcm").read_bytes()


def test_private_key_does_not_shield_sequences_of_other_creators(trees: Trees) -> None:
    content = data_set()
    content.private_block(0x0029, "ACME 1.0", create=True).add_new(0x10, "LO", "private")
    inner = Dataset()
    inner.PatientName = "Plantagenet^Quirin"
    content.private_block(0x0029, "OTHER", create=True).add_new(0x10, "SQ", [inner])
    save(trees.inputs / "a.dcm", content)
    done = trees.run(spec={'(0029,"ACME 1.0",10)': "", "PatientName": "X"})
    assert done.code == 0
    output = (trees.outputs / "a.dcm").read_bytes()
    assert b"Plantagenet" not in output
    assert b"private" not in output


def test_spec_digest_tells_specs_apart_and_no_values(trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    first = trees.run("--json", spec={"PatientID": "secret-literal"}).record
    again = tmp_path / "spec.json"
    again.write_text(json.dumps({"PatientID": "secret-literal"}))
    second = trees.run("--json", "--tagFile", str(again), spec=None).record
    third = trees.run("--json", "--overwrite", spec={"PatientID": "other"}).record
    assert first["specDigest"] == second["specDigest"] != third["specDigest"]
    assert "secret-literal" not in json.dumps(first)
