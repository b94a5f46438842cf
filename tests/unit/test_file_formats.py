"""Specs in YAML and TOML: the JSON that they stand for, and what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from support import run_command

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import parse_file, parse_json, to_json

pytest.importorskip("yaml", reason="PyYAML is not installed")

JSON = """{
    "PatientName": "anon", "PatientID": "%_md5|7_PatientID", "re:.*hysician": "", "InstitutionName": null,
    "(0010,0040)": "O", "00101010": "007Y", "StudyID": "10",
    "RequestAttributesSequence": [{"StudyInstanceUID": "1.2"}], "OtherPatientIDsSequence": {"replace": []}
}"""

YAML = """
# a comment
PatientName: anon
PatientID: "%_md5|7_PatientID"
re:.*hysician: ''
InstitutionName: null
(0010,0040): O
00101010: 007Y
StudyID: 10
RequestAttributesSequence:
  - StudyInstanceUID: "1.2"
OtherPatientIDsSequence: {replace: []}
"""

TOML = """
PatientName = "anon" # a comment
PatientID = "%_md5|7_PatientID"
"re:.*hysician" = ""
InstitutionName = { remove = true }
"(0010,0040)" = "O"
00101010 = "007Y"
StudyID = 10
RequestAttributesSequence = [{ StudyInstanceUID = "1.2" }]
OtherPatientIDsSequence = { replace = [] }
"""


def load(content: str, name: str, folder: Path) -> TagSpec:
    path = folder / name
    path.write_text(content)
    return parse_file(str(path))


@pytest.mark.parametrize(
    ("name", "content"), [("a.json", JSON), ("a.yaml", YAML), ("a.YML", YAML), ("a.toml", TOML)]
)
def test_spec_is_the_same_in_every_format(name: str, content: str, tmp_path: Path) -> None:
    found = load(content, name, tmp_path)
    assert found == parse_json(JSON, "x")
    assert found.digest == parse_json(JSON, "x").digest


@pytest.mark.parametrize(
    "value", ["YES", "no", "true", "0010", "1_000", "1e3", "2024-01-01", "12:30:00", "0x10"]
)
def test_plain_values_of_yaml_are_the_text_that_is_written(value: str, tmp_path: Path) -> None:
    spec = load(f"PatientComments: {value}\n", "a.yaml", tmp_path)
    assert json.loads(to_json(spec)) == {"PatientComments": value}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.yaml", "PatientName: a\nPatientName: b\n", "the same key, given twice"),
        ("a.yaml", "PatientName: [a\n", "no YAML at line 2"),
        ("a.yaml", "PatientName: &x a\nPatientID: *x\n", "an alias at line 2"),
        ("a.yaml", "PatientName: !!python/object:os.system a\n", "no YAML at line 1"),
        ("a.yaml", "- PatientName\n", "a spec is a list of keys"),
        ("a.yaml", "null: a\n", "a key that is no text"),
        ("a.yaml", "", "a spec is a list of keys"),
        ("a.yaml", "Patientname: a\n", "did you mean PatientName?"),
        ("a.yaml", "PatientName: {a: b}\n", "is an object"),
        ("a.toml", 'PatientName = "a"\nPatientName = "b"\n', "Cannot overwrite a value (at line 2"),
        ("a.toml", "PatientName = anon\n", "Invalid value"),
        ("a.toml", "StudyDate = 2024-01-01\n", "a date or time without quotation marks"),
        ("a.toml", "PatientName = true\n", "is true or false"),
    ],
)
def test_what_is_no_spec_is_an_error(name: str, content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SpecError) as stop:
        load(content, name, tmp_path)
    assert said in str(stop.value)
    assert str(stop.value).startswith(f"--tagFile {tmp_path}")


def test_yaml_nested_without_end_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError):
        load("PatientName: " + "[" * 5000, "a.yaml", tmp_path)


def test_yaml_without_pyyaml_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.setattr("pfdicom_tagSub.spec.file_formats.find_spec", lambda _: None)
    with pytest.raises(SpecError, match="pip install PyYAML"):
        load(YAML, "a.yaml", tmp_path)


def test_command_takes_a_spec_in_yaml(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(YAML)
    done = run_command(tmp_path, tmp_path / "out", "--tagFile", str(tmp_path / "spec.yaml"), "--printSpec")
    assert done.code == 0
    assert json.loads(done.out)["InstitutionName"] is None
