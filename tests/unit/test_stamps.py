"""What says how a file was de-identified is added to what said so before (PS3.15 E.1.1)."""

from __future__ import annotations

from pathlib import Path

import pytest
from builders import FORMS, Form, data_set, element, file_of, process, read, written
from pydicom.dataset import Dataset

from pfdicom_tagSub import __version__
from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import parse_json, to_json
from pfdicom_tagSub.spec.rules import RuleSet

KEY = b"a key of the tests, 27 bytes"
OWN = [f"pfdicom_tagSub {__version__}", "PS3.15 2026d basic"]
OLD_CODE = {"CodeValue": "113101", "CodingSchemeDesignator": "DCM", "CodeMeaning": "Clean Pixel Data Option"}


def stamped(**values: object) -> Dataset:
    """A file that another tool has de-identified."""
    old: dict[str, object] = {
        "DeidentificationMethod": "OLD TOOL 1.0",
        "DeidentificationMethodCodeSequence": [data_set(**OLD_CODE)],
    }
    old |= {"PatientName": "X", "PatientID": "P1", "PatientIdentityRemoved": "YES"}
    return data_set(**(old | values))


def codes(made: Dataset) -> list[str]:
    """The codes of the options that were applied."""
    return [item.CodeValue for item in made.DeidentificationMethodCodeSequence]


def verified(content: bytes, rules: RuleSet, folder: Path) -> bytes:
    """The output of a run with verification that finds nothing."""
    result = process(Worker(Settings(rules, verify=True)), content, folder)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert not result.outcome.residuals
    return (folder / "out-a.dcm").read_bytes()


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_method_and_codes_are_added_to(form: Form, undefined: bool, tmp_path: Path) -> None:
    rules = compile_spec({}, profile="basic,retainUIDs", key=KEY)
    made = read(verified(written(stamped(), form, undefined=undefined), rules, tmp_path))
    assert list(made.DeidentificationMethod) == ["OLD TOOL 1.0", *OWN, "retainUIDs"]
    assert codes(made) == ["113101", "113100", "113110"]
    assert made.DeidentificationMethodCodeSequence[0].CodeMeaning == "Clean Pixel Data Option"


def test_what_is_there_is_not_added_twice(tmp_path: Path) -> None:
    rules = compile_spec({}, profile="basic", key=KEY)
    once = verified(written(stamped()), rules, tmp_path)
    (tmp_path / "out-a.dcm").unlink()
    twice = read(verified(once, rules, tmp_path))
    assert list(twice.DeidentificationMethod) == ["OLD TOOL 1.0", *OWN]
    assert codes(twice) == ["113101", "113100"]
    more = read(patch_bytes(once, compile_spec({}, profile="basic,cleanGraphics", key=KEY)))
    assert list(more.DeidentificationMethod) == ["OLD TOOL 1.0", *OWN, "cleanGraphics"]
    assert codes(more) == ["113101", "113100", "113103"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_empty_ones_are_filled(form: Form, tmp_path: Path) -> None:
    content = written(stamped(DeidentificationMethod="", DeidentificationMethodCodeSequence=[]), form)
    made = read(verified(content, compile_spec({}, profile="basic", key=KEY), tmp_path))
    assert list(made.DeidentificationMethod) == OWN
    assert codes(made) == ["113100"]


def test_bytes_that_were_there_stay() -> None:
    # Latin-1 without a character set; the new values come after it.
    form = FORMS[1]
    body = element(0x00120063, "LO", b"M\xfcller 1\\b ", form)
    output = patch_bytes(file_of(body, form), compile_spec({}, profile="basic", key=KEY))
    assert b"M\xfcller 1\\b\\pfdicom_tagSub" in output


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_what_is_added_to_is_cleaned_where_all_texts_are(form: Form, tmp_path: Path) -> None:
    meaning = data_set(CodeValue="1", CodingSchemeDesignator="99X", CodeMeaning="by Zebulon")
    old = stamped(
        PatientName="Zebulon^Ophelia",
        PatientID="Q471122",
        DeidentificationMethod=["done for Zebulon", "TOOL 471122"],
        DeidentificationMethodCodeSequence=[meaning],
        SoftwareVersions=["R1", "of Zebulon"],
    )
    spec = '{"SoftwareVersions": {"add": "ANON"}}'
    rules = compile_spec(spec, profile="basic,cleanDescriptors", key=KEY)
    content = verified(written(old, form), rules, tmp_path)
    assert b"zebulon" not in content.lower()
    assert b"471122" not in content
    made = read(content)
    assert list(made.DeidentificationMethod) == ["done for", "TOOL", *OWN, "cleanDescriptors"]
    assert list(made.SoftwareVersions) == ["R1", "of", "ANON"]


def test_what_is_added_to_is_cleaned_in_its_bytes() -> None:
    form = FORMS[1]
    rules = compile_spec({}, profile="basic,cleanDescriptors", key=KEY)
    body = element(0x00100010, "PN", b"M\xfcller^\xc5sa", form)
    for vr in ("LO", "UN"):
        output = patch_bytes(
            file_of(body + element(0x00120063, vr, b"f\xfcr M\xfcller\\b ", form), form), rules
        )
        assert b"f\xfcr\\b\\pfdicom_tagSub" in output, vr


def test_sequence_in_un_gets_items_of_its_encoding() -> None:
    explicit, implicit = FORMS[1], FORMS[0]
    old = element(0x00080100, "SH", b"113101", implicit) + element(0x00080102, "SH", b"DCM ", implicit)
    items = b"\xfe\xff\x00\xe0" + len(old).to_bytes(4, "little") + old
    body = element(0x00120064, "UN", items, explicit)
    made = read(patch_bytes(file_of(body, explicit), compile_spec({}, profile="basic", key=KEY)))
    assert codes(made) == ["113101", "113100"]


def test_no_room_fails_the_file() -> None:
    form = FORMS[1]
    content = file_of(element(0x00120063, "LO", b"x" * 0xFFFE, form), form)
    with pytest.raises(Exception, match="DeidentificationMethod has no room for more values"):
        patch_bytes(content, compile_spec({}, profile="basic", key=KEY))


def test_add_is_a_value_of_a_spec(tmp_path: Path) -> None:
    text = '{"ImageType": {"add": "ANON"}, "ProcedureCodeSequence": {"add": [{"CodeValue": "7"}]}}'
    spec = parse_json(text, "test")
    assert parse_json(to_json(spec), "again") == spec
    rules = compile_rules(spec)
    made = data_set(ImageType=["ORIGINAL", "PRIMARY"], ProcedureCodeSequence=[data_set(CodeValue="1")])
    output = read(verified(written(made), rules, tmp_path))
    assert list(output.ImageType) == ["ORIGINAL", "PRIMARY", "ANON"]
    assert [item.CodeValue for item in output.ProcedureCodeSequence] == ["1", "7"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"PatientName": {"add": "x"}}', "values can be added"),
        ('{"re:Image.*": {"add": "x"}}', "values can be added"),
        ('{"ImageType": {"add": ""}}', "not empty and without directives"),
        ('{"ImageType": {"add": "%PatientID"}}', "not empty and without directives"),
        ('{"ImageType": {"more": "x"}}', '"add"'),
        ('{"PatientName": {"add": [{"CodeValue": "1"}]}}', "only the key of one sequence"),
    ],
)
def test_what_cannot_be_added_is_an_error(text: str, told: str) -> None:
    with pytest.raises(SpecError, match=told):
        compile_rules(parse_json(text, "test"))
