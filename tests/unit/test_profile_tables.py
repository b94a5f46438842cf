"""The profile's tables and the JSON files that are made of them."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
import shutil
import sys
from pathlib import Path
from types import ModuleType

import pytest

from pfdicom_tagSub.dicom import dictionary
from pfdicom_tagSub.spec import profile
from pfdicom_tagSub.spec.keys import PrivateKey
from pfdicom_tagSub.spec.pairs import Layer
from pfdicom_tagSub.spec.parsing import from_pairs, parse_json
from pfdicom_tagSub.spec.profile import load

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "pfdicom_tagSub" / "profiles"
TOOLS = ROOT / "tools"
TABLES = TOOLS / "tables"
EDITION = ROOT.parent / "shared" / "standard" / "ps3.15-2026d-table-e1-1.tsv"
CONTENT_EDITION = EDITION.with_name("ps3.15-2026d-table-e3-4-1.tsv")

REFERENCES = {"ReferencedStudySequence", "ReferencedPerformedProcedureStepSequence"}
"""Kept, so that what they refer to is found: the table offers Z and D, and a mapped reference is both."""

needs_edition = pytest.mark.skipif(not EDITION.exists(), reason="the standard's table is not here")


def _load(directory: Path) -> ModuleType:
    path = directory / "make_profiles.py"
    found = importlib.util.spec_from_file_location(f"make_profiles_in_{directory}", path)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # dataclasses look their module up there
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", name="script")
def _script() -> ModuleType:
    return _load(TOOLS)


@pytest.fixture(name="copy")
def _copy(tmp_path: Path) -> ModuleType:
    """The script in a copy of its directory, to break things in."""
    for folder in (PROFILES, TOOLS):
        shutil.copytree(
            folder, tmp_path / folder.relative_to(ROOT), ignore=shutil.ignore_patterns("__pycache__")
        )
    return _load(tmp_path / "tools")


def _pairs(name: str) -> dict[str, object]:
    pairs = json.loads((PROFILES / f"{name}.json").read_text("utf-8"), object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs), "a key twice"
    return {key: _plain(value) for key, value in pairs}


def _plain(value: object) -> object:
    """Undo object_pairs_hook: [("replace", ...)] is the object of a value."""
    return dict(value) if isinstance(value, list) and value and isinstance(value[0], tuple) else value


def _edition() -> list[dict[str, str]]:
    with EDITION.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _importing(table: Path, *more: str) -> list[str]:
    return ["--edition", "2026d", "--import", str(table), *more]


def _key(tag: str) -> str:
    """How the JSON files name a row of the standard's table."""
    if not re.fullmatch(r"\([0-9A-FXx]{4},[0-9A-FXx]{4}\)", tag):
        return "private"
    if "x" in tag.lower():
        return tag.replace("X", "x")
    return dictionary.keyword_of(int(tag[1:5] + tag[6:10], 16))


def test_profiles_are_what_the_script_makes(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert script.main(["--check"]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", ["basic.json", "retainUIDs.json", "table-e1-1.csv"])
def test_check_fails_for_a_stale_file(
    copy: ModuleType, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy.path_of(name)
    text = path.read_text("utf-8")
    path.write_text(text + "\n", "utf-8")
    assert copy.main(["--check"]) == 1
    assert capsys.readouterr().out == f"{name} is stale\n"
    assert copy.main([]) == 0
    assert path.read_text("utf-8") == text


@needs_edition
def test_import_of_the_same_edition_changes_nothing(copy: ModuleType) -> None:
    before = {path.name: path.read_bytes() for path in copy.HERE.parent.rglob("*.[cj]s*")}
    assert copy.main(_importing(EDITION, "--import-content", str(CONTENT_EDITION))) == 0
    assert {path.name: path.read_bytes() for path in copy.HERE.parent.rglob("*.[cj]s*")} == before


@needs_edition
def test_import_lists_rows_that_need_a_decision(
    copy: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = EDITION.read_text("utf-8").splitlines()
    changed = [line.replace("\tZ/D\t", "\tX/Z/D\t") if "Content Date" in line else line for line in lines]
    changed = [line for line in changed if "(0010,2160)" not in line]
    new = "(0008,0064)\tConversion Type\tY\tX/Z" + "\t" * 10
    plain = "(0008,0070)\tManufacturer\tY\tX\t\t\tK" + "\t" * 7
    edition = tmp_path / "new.tsv"
    edition.write_text("\n".join([*changed, new, plain]) + "\n", "utf-8")
    assert copy.main(_importing(edition)) == 1
    told = capsys.readouterr().out
    assert "(0008,0023) ContentDate: X/Z/D needs a decision; for now D" in told
    assert "(0008,0064) ConversionType: X/Z needs a decision; for now Z" in told
    assert told.count("needs a decision") == 2
    assert "not in this edition any more: (0010,2160)" in told
    basic = json.loads((copy.PROFILES / "basic.json").read_text("utf-8"))
    assert basic["ConversionType"] == "%_empty_#tag"
    assert basic["Manufacturer"] is None
    assert "EthnicGroup" not in basic
    assert basic["PatientID"] == "%_dummy_#tag", "decisions of other rows are kept"
    device = json.loads((copy.PROFILES / "retainDeviceIdentity.json").read_text("utf-8"))
    assert device["Manufacturer"] == "%_keep_#tag"


def test_import_of_a_table_without_its_columns_fails(
    copy: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edition = tmp_path / "new.tsv"
    edition.write_text("tag\tname\n(0010,0010)\tx\n", "utf-8")
    assert copy.main(_importing(edition)) == 2
    assert "no column basicProfile" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["basic", "retainUIDs"])
def test_json_has_one_pair_a_line_sorted_by_tag(script: ModuleType, name: str) -> None:
    keys = list(_pairs(name))
    lines = (PROFILES / f"{name}.json").read_text("utf-8").splitlines()
    assert len(lines) == len(keys) + 2
    assert keys == sorted(keys, key=script._place)


def test_values_are_of_the_allowed_kinds(script: ModuleType) -> None:
    allowed = {None, "%_keep_#tag", "%_empty_#tag", "%_dummy_#tag", "%_uid_#tag", "%_clean_#tag"}
    allowed.add("%_dummy|patientID_#tag")
    allowed |= {"%_dateshift|patientID|365_#tag", "%_agecap|89_#tag"}
    for name in ("basic", *script.OPTIONS):
        for key, value in _pairs(name).items():
            if key in script.EXTRA.get(name, {}):
                continue
            if isinstance(value, dict):
                assert list(value) == ["replace"]
                assert script.DUMMY_SEQUENCES[key]
            else:
                assert value in allowed, f"{name}: {key}"


def test_profiles_parse_as_specs(script: ModuleType) -> None:
    for name in ("basic", *script.OPTIONS):
        text = (PROFILES / f"{name}.json").read_text("utf-8")
        assert len(parse_json(text, name, Layer.PROFILE).pairs) == len(_pairs(name))


def test_keys_are_keywords_where_there_is_one(script: ModuleType) -> None:
    for name in ("basic", *script.OPTIONS):
        for key in _pairs(name):
            if key in {"private", "preamble", "unknown", "text"} or re.fullmatch(
                r'\([0-9A-F]{4},"[^"]+",[0-9A-F]{2}\)', key
            ):
                continue
            if key.startswith("("):
                assert "x" in key, f"{name}: {key} has a keyword"
            else:
                assert dictionary.is_keyword(key), f"{name}: {key}"


def test_table_names_the_keywords_of_the_dictionary(script: ModuleType) -> None:
    rows = script.read_table(TABLES / "table-e1-1.csv")
    assert len({row.tag for row in rows}) == len(rows)
    for row in rows:
        assert row.keyword == ("" if row.tag == "private" or "x" in row.tag else _key(row.tag))
        assert row.is_decided, row.tag
        assert bool(row.decision) == bool(row.reason), f"{row.tag}: a decision has a reason"
        words = set(row.decision.split()) - set(script.ACTIONS)
        assert words <= {f"{option}:basic" for option, _ in row.options}, row.tag


@needs_edition
def test_every_row_of_the_edition_has_its_pair(script: ModuleType) -> None:
    rows = {row.key: row for row in script.read_table(TABLES / "table-e1-1.csv")}
    basic = _pairs("basic")
    edition = _edition()
    assert {_key(row["tag"]) for row in edition} == set(rows)
    for row in edition:
        key, action = _key(row["tag"]), row["basicProfile"]
        decision = rows[key].chosen
        if decision in {"out", "walk"}:
            assert key not in basic
            assert rows[key].reason
            assert decision == "out" or action.endswith("U*") or key in REFERENCES
            continue
        value = basic[key]
        vr = rows[key].vr
        by_action = {
            "X": value is None,
            "Z": value == "%_empty_#tag",
            "D": value
            == (
                "%_uid_#tag"
                if vr == "UI"
                else script.OWN_DUMMY
                if key in script.PATIENT_IDS
                else script.DUMMY
            )
            or (vr == "SQ" and isinstance(value, dict)),
            "U": value == "%_uid_#tag",
        }
        assert by_action[decision], f"{key}: {decision} and {value!r}"
        # Z may be a dummy (E.1.1); X gives way only where the IOD asks for the attribute.
        assert decision in action.split("/") or rows[key].reason, f"{key}: {action} and {decision}"


@needs_edition
def test_every_option_of_the_edition_is_in_its_file(script: ModuleType) -> None:
    rows = {row.key: row for row in script.read_table(TABLES / "table-e1-1.csv")}
    files = {option: _pairs(option) for option in script.OPTIONS}
    expected: dict[str, set[str]] = {option: set() for option in script.OPTIONS}
    for row in _edition():
        key = _key(row["tag"])
        for column, option in script.IMPORT_COLUMNS.items():
            code = (row[column] or "").strip()
            if not code or key == "private":
                continue
            if rows[key].leaves_to_basic(option):
                assert key not in files[option]
                assert rows[key].reason
                continue
            expected[option].add(key)
            value = files[option][key]
            if code == "K" or key == "TimezoneOffsetFromUTC":
                assert value == ("%_agecap|89_#tag" if key == "PatientAge" else "%_keep_#tag")
            elif option == "retainLongitudinalModifiedDates":
                assert value == "%_dateshift|patientID|365_#tag"
                assert rows[key].vr in {"DA", "DT", "TM"}
            else:
                assert value == "%_clean_#tag"
    expected["retainSafePrivate"] = {key for key, _ in script.read_safe_private(TABLES / "safe-private.csv")}
    for option, keys in expected.items():
        assert set(files[option]) - set(script.EXTRA.get(option, {})) == keys - set(
            script.EXTRA.get(option, {})
        ), option


def test_safe_private_attributes_are_private_keys(script: ModuleType) -> None:
    safe = script.read_safe_private(TABLES / "safe-private.csv")
    assert len(safe) == 479, "PS3.15 2026a, Table E.3.10-1"
    spec = from_pairs([(key, "%_keep_#tag") for key, _ in safe])
    assert all(isinstance(pair.key, PrivateKey) for pair in spec.pairs)
    values = _pairs("retainSafePrivate")
    assert list(values) == sorted(values, key=script._place)
    assert values['(0019,"SIEMENS MR HEADER",0C)'] == "%_keep_#tag"
    assert values['(0099,"NQHeader",02)'] == "%_uid_#tag"


def test_basic_removes_private_elements_and_what_names_the_source() -> None:
    basic = _pairs("basic")
    assert basic["preamble"] == ""
    assert basic["private"] is None
    assert basic["SourceApplicationEntityTitle"] is None
    assert basic["PrivateInformation"] is None
    assert basic["PatientIdentityRemoved"] == "YES"
    assert basic["LongitudinalTemporalInformationModified"] == "REMOVED"
    assert "BurnedInAnnotation" not in basic
    assert _pairs("retainLongitudinalFullDates")["LongitudinalTemporalInformationModified"] == "UNMODIFIED"
    assert _pairs("retainLongitudinalModifiedDates")["LongitudinalTemporalInformationModified"] == "MODIFIED"
    assert "SOPClassUID" not in basic


def test_every_dummy_sequence_is_used_and_known(script: ModuleType) -> None:
    def keywords(items: list[dict[str, object]]) -> set[str]:
        found: set[str] = set()
        for item in items:
            for key, value in item.items():
                found |= {key} | (keywords(value) if isinstance(value, list) else set())
        return found

    basic = _pairs("basic")
    for key, items in script.DUMMY_SEQUENCES.items():
        assert isinstance(basic[key], dict)
        assert all(dictionary.is_keyword(word) for word in keywords(items))


def test_a_sequence_with_action_d_needs_a_dummy(script: ModuleType) -> None:
    row = script.Row("(0008,1115)", "ReferencedSeriesSequence", "D", ())
    with pytest.raises(ValueError, match="ReferencedSeriesSequence: D on a sequence"):
        script.make([row], [])


def test_the_edition_is_that_of_2026d() -> None:
    edition = profile.edition()
    assert edition == profile.Edition("PS3.15 2026d", 657, 214)


def test_the_edition_has_as_many_rows_as_the_tables(script: ModuleType) -> None:
    edition = profile.edition()
    assert len(script.read_table(TABLES / "table-e1-1.csv")) == edition.attributes
    assert len(script.read_content_table(TABLES / "table-e3-4-1.csv")) == edition.content_items


@needs_edition
def test_the_content_table_is_that_of_the_edition(script: ModuleType) -> None:
    rows = script.read_content_table(TABLES / "table-e3-4-1.csv")
    with CONTENT_EDITION.open(encoding="utf-8", newline="") as file:
        standard = list(csv.DictReader(file, delimiter="\t"))
    assert [(row.scheme, row.code, row.value_type, row.action) for row in rows] == [
        (row["scheme"], row["code"], row["valueType"], row["basicProfile"]) for row in standard
    ]
    for row, told in zip(rows, standard, strict=True):
        codes = {option: told.get(column) for column, option in script.IMPORT_COLUMNS.items()}
        assert dict(row.options) == {option: code for option, code in codes.items() if code}


def test_import_without_an_edition_is_an_error(copy: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        copy.main(["--import", "x.tsv"])
    assert stop.value.code == 2
    assert "needs --edition" in capsys.readouterr().err


def test_import_names_its_edition_everywhere(copy: ModuleType) -> None:
    assert copy.main(["--edition", "2027a"]) == 0
    told = json.loads((copy.PROFILES / "tables" / "edition.json").read_text("utf-8"))
    assert told == {"standard": "PS3.15", "edition": "2027a", "attributes": 657, "contentItems": 214}


def test_profile_is_called_by_all_of_its_options_in_their_order() -> None:
    assert load("basic").name == "basic"
    assert load("basic,cleanGraphics,retainUIDs").name == "basic,retainUIDs,cleanGraphics"
