"""``--profile`` and its kin through the installed command, and the specs that they come to."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from builders import data_set, nested, read, written
from installed import BUNDLED, COMMAND, Trees, contents, execute, run, save, walk_elements
from pydicom import Dataset, uid
from support import SHARED

from pfdicom_tagSub import __version__
from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.cli.command import main
from pfdicom_tagSub.core.errors import FileError, NotDicomError, SpecError
from pfdicom_tagSub.dicom.edits import pieces
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Output, Patcher
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.profile import OPTIONS, TABLE_OPTIONS, load
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.spec.secret import Secret

CORPUS = SHARED / "corpus"
KEY = bytes(range(32))
FULL, MODIFIED = "retainLongitudinalFullDates", "retainLongitudinalModifiedDates"
ALL_FULL = ",".join(("basic", *(option for option in TABLE_OPTIONS if option != MODIFIED)))
ALL_MODIFIED = ",".join(("basic", *(option for option in TABLE_OPTIONS if option != FULL)))
PROFILES = ("basic", *(f"basic,{option}" for option in TABLE_OPTIONS), ALL_FULL, ALL_MODIFIED)
profiles = pytest.mark.parametrize("profile", PROFILES, ids=[*("basic", *TABLE_OPTIONS), "full", "modified"])

# PS3.16 CID 7050, written down apart from what the tool uses.
CODES = {
    "basic": ("113100", "Basic Application Confidentiality Profile"),
    "cleanGraphics": ("113103", "Clean Graphics Option"),
    "cleanStructuredContent": ("113104", "Clean Structured Content Option"),
    "cleanDescriptors": ("113105", "Clean Descriptors Option"),
    FULL: ("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    MODIFIED: ("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "retainPatientCharacteristics": ("113108", "Retain Patient Characteristics Option"),
    "retainDeviceIdentity": ("113109", "Retain Device Identity Option"),
    "retainUIDs": ("113110", "Retain UIDs Option"),
    "retainSafePrivate": ("113111", "Retain Safe Private Option"),
    "retainInstitutionIdentity": ("113112", "Retain Institution Identity Option"),
}


def person(**values: Any) -> Dataset:
    """A data set that names somebody, at two depths, with private elements."""
    step = data_set(StudyDate="20190823", ScheduledProcedureStepDescription="brain of DOE")
    made = nested(
        step,
        keyword="SharedFunctionalGroupsSequence",
        SOPClassUID=uid.MRImageStorage,
        SOPInstanceUID="1.2.826.0.1.3680043.8.498.1",
        StudyInstanceUID="1.2.826.0.1.3680043.8.498.2",
        FrameOfReferenceUID="1.2.826.0.1.3680043.8.498.3",
        Modality="MR",
        StudyDate="20190823",
        SeriesDate="20190824",
        StudyTime="101112",
        StudyDescription="brain of DOE",
        SeriesDescription="axial",
        PatientName="DOE^JANE",
        PatientID="MRN4711",
        PatientBirthDate="19500101",
        PatientSex="F",
        InstitutionName="Hospital",
        StationName="MR3",
        **values,
    )
    block = made.private_block(0x0029, "ACME 1.0", create=True)
    block.add_new(0x10, "LO", "ten")
    block.add_new(0x11, "LO", "eleven")
    made.private_block(0x0031, "OTHER", create=True).add_new(0x10, "LO", "other")
    made.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", "1000")
    return made


def patched(
    pairs: dict[str, Any], profile: str = "basic", made: Dataset | None = None, **options: Any
) -> Dataset:
    """What the command would make of a data set."""
    rules = compile_spec(pairs, profile=profile, key=KEY, **options)
    return read(patch_bytes(written(made or person()), rules))


# --- names of profiles and options


@pytest.mark.parametrize(
    "options", list(itertools.permutations(["cleanDescriptors", "retainUIDs", MODIFIED]))
)
def test_order_of_options_does_not_matter(options: tuple[str, ...]) -> None:
    content = written(person())
    rules = compile_spec({}, profile=",".join(("basic", *options)), key=KEY)
    first = compile_spec({}, profile=f"basic,retainUIDs,{MODIFIED},cleanDescriptors", key=KEY)
    assert rules.digest == first.digest
    assert patch_bytes(content, rules) == patch_bytes(content, first)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("basic", "basic"),
        ("basic,retainUIDs,retainUIDs", "basic,retainUIDs"),
        (" basic , retainUIDs ", "basic,retainUIDs"),
        ("basic,cleanGraphics,retainUIDs", "basic,retainUIDs,cleanGraphics"),
    ],
)
def test_name_is_normal(text: str, name: str) -> None:
    assert load(text).name == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("basik", ["'basik'", "there is basic"]),
        ("BASIC", ["'BASIC'", "there is basic"]),
        ("retainUIDs", ["'retainUIDs'", "did you mean basic,retainUIDs?"]),
        ("basic,retainUID", ["'retainUID'", "did you mean retainUIDs?"]),
        ("basic,RetainUIDs", ["'RetainUIDs'", "did you mean retainUIDs?"]),
        ("basic,retainLongitudinalModifyedDates", [f"did you mean {MODIFIED}?"]),
        ("basic,xyzzy", ["'xyzzy'", *OPTIONS]),
        ("basic,", ["''", "retainUIDs"]),
        ("basic,basic", ["'basic'"]),
        (f"basic,{FULL},{MODIFIED}", [FULL, MODIFIED, "exclude each other"]),
        (f"basic,{MODIFIED},{FULL}", [FULL, MODIFIED, "exclude each other"]),
    ],
)
def test_bad_name_is_an_error_and_nothing_is_written(text: str, told: list[str], trees: Trees) -> None:
    trees.make("a.dcm")
    with pytest.raises(SpecError):
        load(text)
    done = trees.run("--profile", text, spec=None)
    assert done.code == 2
    assert all(part in done.err for part in told), done.err
    assert not trees.outputs.exists()


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--keyFile", "missing.key"], ["missing.key", "No such file"]),
        (["--keyFile", "/dev/null"], ["at least 16"]),
        (["--tagStruct", '{"PatientID": "%_lookup|ids_PatientID"}'], ["'ids'", "--lookupTable ids=FILE.csv"]),
        (["--tagStruct", '{"PatientID": "%_hmac|8_PatientID"}'], ["hmac", "--keyFile", "PFDICOM_TAGSUB_KEY"]),
        (["--outputDirTemplate", "%_hmac|8_PatientID"], ["hmac", "--keyFile", "PFDICOM_TAGSUB_KEY"]),
        (["--tagStruct", '{"PatientIdd": ""}'], ["PatientIdd", "did you mean PatientID?"]),
        (["--keepPrivate", "PatientID"], ["PatientID", '(gggg,"CREATOR",ee)']),
        (["--keepPrivate", "(0029,1010)"], ["(0029,1010)", '(gggg,"CREATOR",ee)']),
        (["--keepPrivate", "(0029,xxxx)"], ["(0029,xxxx)", '(gggg,"CREATOR",ee)']),
        (["--keepPrivate", "private"], ["private", '(gggg,"CREATOR",ee)']),
        (["--keepPrivate", '(0028,"ACME 1.0",10)'], ["odd groups"]),
        (["--keepPrivate", "@missing.txt"], ["@missing.txt", "No such file"]),
        (["--keepPrivate", ""], ["--keepPrivate"]),
    ],
)  # fmt: skip
def test_bad_spec_under_a_profile_is_an_error_and_nothing_is_written(
    flags: list[str], told: list[str], trees: Trees, tmp_path: Path
) -> None:
    trees.make("a.dcm")
    for more in ([], ["--printSpec"]):
        done = trees.run("--profile", "basic", *flags, *more, spec=None, cwd=tmp_path)
        assert done.code == 2
        assert done.out == ""
        assert all(part in done.err for part in told), done.err
        assert not trees.outputs.exists()


# --- stamps


@profiles
def test_stamps_say_what_was_done(profile: str) -> None:
    result = patched({}, profile)
    options = profile.split(",")
    assert result.PatientIdentityRemoved == "YES"
    method = result.DeidentificationMethod
    assert list(method) == [f"pfdicom_tagSub {__version__}", "PS3.15 2026d basic", *options[1:]]
    assert all(len(value) <= 64 for value in method)
    items = result.DeidentificationMethodCodeSequence
    assert [item.CodingSchemeDesignator for item in items] == ["DCM"] * len(options)
    assert [(item.CodeValue, item.CodeMeaning) for item in items] == [CODES[option] for option in options]
    modified = "UNMODIFIED" if FULL in options else "MODIFIED" if MODIFIED in options else "REMOVED"
    assert result.LongitudinalTemporalInformationModified == modified
    assert "BurnedInAnnotation" not in result


def test_stamps_replace_those_of_the_input_and_stand_at_the_root() -> None:
    old = {"PatientIdentityRemoved": "NO", "LongitudinalTemporalInformationModified": "UNMODIFIED"}
    plain = patched({})
    stamps = {keyword: plain[keyword] for keyword in old}
    at_root = patched({}, made=person(**old))
    assert {keyword: at_root[keyword] for keyword in old} == stamps
    in_item = patched({}, made=nested(data_set(**old), keyword="ReferencedSeriesSequence", PatientID="P"))
    assert {keyword: in_item[keyword] for keyword in old} == stamps
    assert {keyword: in_item.ReferencedSeriesSequence[0][keyword] for keyword in old} == stamps


def test_file_that_was_processed_is_processed_the_same_way_again() -> None:
    # UIDs and dummies are mapped on, as the second run cannot know that they are no
    # originals; all else is as it was.
    for profile in PROFILES:
        rules = compile_spec({}, profile=profile, key=KEY)
        once = patch_bytes(written(person()), rules)
        twice = patch_bytes(once, rules)
        first, second = read(once), read(twice)
        assert [one.tag for one in walk_elements(first)] == [one.tag for one in walk_elements(second)]
        changed = {
            one.keyword
            for one, other in zip(walk_elements(first), walk_elements(second), strict=True)
            if one.VR != "SQ" and one.value != other.value
        }
        mapped = {"PatientID", "SOPInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID", "SeriesDate"}
        mapped |= {"InstitutionName", "StationName"}
        if MODIFIED in profile:
            mapped.add("StudyDate")  # shifted once more
        assert changed <= mapped, profile
    everything = compile_spec({"PatientID": "ANON"}, profile=f"basic,retainUIDs,{FULL}", key=KEY)
    made = person()
    del made.InstitutionName, made.StationName
    once = patch_bytes(written(made), everything)
    assert patch_bytes(once, everything) == once


# --- the user's spec over a profile


@pytest.mark.parametrize(
    ("pairs", "keyword", "expected"),
    [
        ({}, "PatientName", ""),
        ({"PatientName": "ANON"}, "PatientName", "ANON"),
        ({"(0010,0010)": "ANON"}, "PatientName", "ANON"),
        ({"(0010,00xx)": "ANON"}, "PatientName", "ANON"),
        ({"re:PatientNam": "ANON"}, "PatientName", "ANON"),
        ({"PatientName": "%_keep_#tag"}, "PatientName", "DOE^JANE"),
        ({"PatientName": "%_keep_PatientName"}, "PatientName", "DOE^JANE"),
        ({"(0010,xxxx)": "%_keep_#tag"}, "PatientName", "DOE^JANE"),
        ({"re:Patient(Name|ID)": "%_keep_#tag"}, "PatientName", "DOE^JANE"),
        ({"PatientName": None}, "PatientName", None),
        ({"PatientSex": None}, "PatientSex", None),
        ({"StationName": "X"}, "StationName", "X"),
        ({"SeriesDescription": "X"}, "SeriesDescription", "X"),
        ({"(0008,103E)": "%_keep_#tag"}, "SeriesDescription", "axial"),
        ({"SOPInstanceUID": "%_keep_#tag"}, "SOPInstanceUID", "1.2.826.0.1.3680043.8.498.1"),
        ({"StudyDate": "%_dateshift|patientID|1_#tag"}, "StudyDate", "20190822"),
        ({"Modality": "OT"}, "Modality", "OT"),
        ({"PatientIdentityRemoved": None}, "PatientIdentityRemoved", None),
        ({"PatientIdentityRemoved": "%_keep_#tag"}, "PatientIdentityRemoved", None),
        ({"DeidentificationMethod": "mine"}, "DeidentificationMethod", "mine"),
        ({"DeidentificationMethodCodeSequence": None}, "DeidentificationMethodCodeSequence", None),
        ({"LongitudinalTemporalInformationModified": None}, "LongitudinalTemporalInformationModified", None),
        ({"(0012,xxxx)": None}, "DeidentificationMethod", None),
    ],
)  # fmt: skip
def test_pair_of_the_user_is_stronger_than_the_profiles(
    pairs: dict[str, Any], keyword: str, expected: str | None
) -> None:
    made = person()
    result = patched(pairs, made=made)
    assert result.get(keyword) == expected
    assert (keyword in result) == (expected is not None)
    # All else is as it is without the pair.
    tags = {tag for key in pairs for tag in compile_spec({key: None}).table}
    plain = patched({}, made=person())
    for other in result:
        if (
            other.VR != "SQ"
            and other.tag not in tags
            and other.tag.group not in {0x0010, 0x0012}
            and other.keyword != keyword
        ):
            assert other == plain[other.tag]


def test_profile_acts_on_what_the_user_does_not_name() -> None:
    result = patched({"PatientID": "%_hmac|8_PatientID", "StudyDescription": "%_keep_#tag"})
    assert re.fullmatch("[0-9a-f]{8}", result.PatientID)
    assert result.StudyDescription == "brain of DOE"
    assert result.PatientName == ""
    assert "SeriesDescription" not in result


# --- private elements


def private(made: Dataset) -> dict[str, str]:
    """The private elements by their tags."""
    return {f"{one.tag.group:04X}{one.tag.element:04X}": str(one.value) for one in made if one.tag.is_private}


ACME = {"00290010": "ACME 1.0"}
TEN, ELEVEN, OTHER = '(0029,"ACME 1.0",10)', '(0029,"ACME 1.0",11)', '(0031,"OTHER",10)'


@pytest.mark.parametrize("remove", [False, True], ids=["", "removePrivateTags"])
@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], {}),
        ([TEN], ACME | {"00291010": "ten"}),
        ([TEN, TEN], ACME | {"00291010": "ten"}),
        (['( 0029 , "ACME 1.0" , 10 )'], ACME | {"00291010": "ten"}),
        ([TEN, ELEVEN], ACME | {"00291010": "ten", "00291011": "eleven"}),
        ([OTHER], {"00310010": "OTHER", "00311010": "other"}),
        (['(0029,"OTHER",10)', '(0031,"ACME 1.0",10)'], {}),
    ],
)
def test_private_elements_that_are_kept(keys: list[str], expected: dict[str, str], remove: bool) -> None:
    result = patched({}, keep_private=keys, remove_private_tags=remove)
    assert private(result) == expected


def test_private_elements_are_kept_without_a_profile_as_well() -> None:
    result = patched({"PatientID": "X"}, "", keep_private=[TEN], remove_private_tags=True)
    assert private(result) == ACME | {"00291010": "ten"}
    assert result.PatientName == "DOE^JANE"


def test_private_elements_to_keep_may_stand_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "keep.txt"
    file.write_bytes(f"\ufeff# what to keep\r\n\r\n  {TEN}  \r\n   # and\n{OTHER}".encode())
    result = patched({}, keep_private=[f"@{file}", TEN])
    assert private(result) == ACME | {"00291010": "ten", "00310010": "OTHER", "00311010": "other"}
    file.write_text("# nothing\n")
    assert private(patched({}, keep_private=[f"@{file}"])) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"# caf\xe9\n", "not UTF-8 at byte 5"),
        (b"\nPatientID\n", "line 2"),
        (f'{TEN}\n\n(0028,"A",10)\n'.encode(), "line 3"),
        (f"{TEN} # a comment\n".encode(), "line 1"),
    ],
)
def test_bad_file_of_private_elements_is_an_error(
    content: bytes, told: str, trees: Trees, tmp_path: Path
) -> None:
    trees.make("a.dcm")
    file = tmp_path / "keep.txt"
    file.write_bytes(content)
    done = trees.run("--profile", "basic", "--keepPrivate", f"@{file}", spec=None)
    assert done.code == 2
    assert f"@{file}" in done.err
    assert told in done.err
    assert not trees.outputs.exists()


def test_pair_of_the_user_is_stronger_than_keep_private() -> None:
    assert private(patched({TEN: "X"}, keep_private=[TEN])) == ACME | {"00291010": "X"}
    assert private(patched({TEN: None}, keep_private=[TEN, ELEVEN])) == ACME | {"00291011": "eleven"}
    assert private(patched({"(0029,xxxx)": None}, keep_private=[TEN])) == {}


@pytest.mark.parametrize(
    ("pairs", "kept"),
    [
        ({"(0029,1010)": "%_keep_#tag"}, ["ten"]),
        ({"(0029,10xx)": "%_keep_#tag"}, ["ten", "eleven"]),
        ({"(0029,xxxx)": "%_keep_#tag"}, ["ten", "eleven"]),
        ({"(0029,xxxx)": "%_keep_#tag", "(0029,1010)": None}, ["eleven"]),
        ({"(0029,xxxx)": "%_keep_#tag", TEN: None}, ["eleven"]),
        ({"(0029,10xx)": "%_keep_#tag", TEN: None}, ["eleven"]),
    ],
)
@pytest.mark.parametrize(("profile", "remove"), [("", True), ("basic", False), ("basic", True)])
def test_key_by_number_exempts_private_elements_from_removal(
    pairs: dict[str, Any], kept: list[str], profile: str, remove: bool
) -> None:
    result = patched(pairs, profile, remove_private_tags=remove)
    assert list(private(result).values()) == ["ACME 1.0", *kept]


def test_keep_private_keeps_what_the_safe_list_would_change() -> None:
    safe = private(patched({}, "basic,retainSafePrivate"))
    assert safe == {"00190010": "SIEMENS MR HEADER", "0019100C": "1000"}
    assert private(patched({}, "basic,retainSafePrivate", keep_private=[TEN])) == safe | ACME | {
        "00291010": "ten"
    }


# --- --printSpec


def _files() -> list[Path]:
    paths = [path for path in BUNDLED.rglob("*") if path.is_file()]
    for folder in sorted({path.parent for path in CORPUS.rglob("*") if path.is_file()}):
        own = sorted(path for path in folder.iterdir() if path.is_file())
        paths += own[:: max(1, len(own) // 4)]
    return sorted(path for path in paths if path.stat().st_size < 1 << 21)


def _outputs(rules: RuleSet) -> dict[str, bytes | str]:
    found: dict[str, bytes | str] = {}
    patcher = Patcher(rules)
    for path in _files():
        try:
            source = BytesSource(path.read_bytes())
            file = parse(source)
            output = Output(file, patcher.patch(file, patcher.scan(file)))
            found[str(path)] = b"".join(pieces(source, output.chunks()))
        except (FileError, NotDicomError) as error:
            found[str(path)] = str(error)
    return found


def _printed(*flags: str) -> dict[str, Any]:
    """The pairs that ``--printSpec`` prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        assert main(["--printSpec", *flags]) == 0
    pairs: dict[str, Any] = json.loads(out.getvalue())
    return pairs


def _rules_of(pairs: dict[str, Any]) -> RuleSet:
    """The rules of a spec that stands alone."""
    return compile_rules(parse_json(json.dumps(pairs), "printed"), resources=Resources(Secret(KEY)))


@profiles
def test_printed_spec_does_the_same_as_the_profile(profile: str) -> None:
    expected = _outputs(compile_spec({}, profile=profile, key=KEY))
    outputs = _outputs(_rules_of(_printed("--profile", profile)))
    assert [path for path, output in outputs.items() if output != expected[path]] == []
    assert sum(isinstance(output, bytes) for output in outputs.values()) > 50


@pytest.mark.parametrize(
    "pairs",
    [
        {},
        {"PatientName": "ANON", "PatientSex": "%_keep_#tag", "StudyDate": ""},
        {"re:.*Name": "X", "(0010,xxxx)": "%_keep_#tag", "(60xx,3000)": "%_keep_#tag"},
        {"private": "%_keep_#tag", "preamble": ""},
        {TEN: "X", ELEVEN: None, "(0031,xxxx)": "%_keep_#tag"},
        {"PatientIdentityRemoved": None, "DeidentificationMethod": "mine"},
    ],
    ids=["alone", "explicit", "x", "private", "creators", "stamps"],
)
@pytest.mark.parametrize("remove", [False, True], ids=["", "removePrivateTags"])
@pytest.mark.parametrize("keep", [[], [TEN, OTHER]], ids=["", "keepPrivate"])
@pytest.mark.parametrize("profile", ["", "basic", ALL_MODIFIED], ids=["none", "basic", "modified"])
def test_printed_spec_does_the_same_as_profile_and_spec(
    pairs: dict[str, Any], remove: bool, keep: list[str], profile: str
) -> None:
    if not pairs and not profile:
        pairs = {"PatientName": "ANON"}
    flags = ["--tagStruct", json.dumps(pairs)]
    flags += ["--profile", profile] if profile else []
    flags += ["--removePrivateTags"] if remove else []
    flags += [word for key in keep for word in ("--keepPrivate", key)]
    content = b"X" * 128 + written(person())[128:]
    rules = compile_spec(pairs, profile=profile, keep_private=keep, remove_private_tags=remove, key=KEY)
    assert patch_bytes(content, _rules_of(_printed(*flags))) == patch_bytes(content, rules)


def test_printed_spec_is_one_pair_a_line_and_prints_the_same_again(tmp_path: Path) -> None:
    first = execute([COMMAND, "--printSpec", "--profile", ALL_FULL])
    assert first.code == 0
    assert len(first.out.splitlines()) == len(json.loads(first.out)) + 2
    file = tmp_path / "printed.json"
    file.write_text(first.out, "utf-8")
    second = execute([COMMAND, "--printSpec", "--tagFile", str(file)])
    assert second.out == first.out


def test_printing_needs_no_directories_and_writes_nothing(tmp_path: Path) -> None:
    arguments = [COMMAND, "--printSpec", "--profile", "basic"]
    printed = execute(arguments, cwd=tmp_path)
    assert printed.code == 0
    there = [*arguments, "--inputDir", str(tmp_path / "in"), "--outputDir", str(tmp_path / "out")]
    assert execute(there).out == printed.out
    assert list(tmp_path.iterdir()) == []
    assert "SECRET" not in execute(arguments, env={**os.environ, "PFDICOM_TAGSUB_KEY": "SECRET" * 8}).out


# --- the record, keys, workers and processes


@pytest.fixture(name="people")
def _people(trees: Trees) -> Trees:
    """A tree of files of two people, whose names are in some of its paths."""
    for number in range(6):
        made = person(InstanceNumber=str(number))
        made.PatientID = f"MRN{number % 2}"
        made.SOPInstanceUID = f"1.2.826.0.1.3680043.8.498.1{number}"
        made.StudyDate = f"201908{23 + number % 2}"
        folder = "jane" if number == 3 else "x"
        save(trees.inputs / folder / f"{number}.dcm", made)
    return trees


def test_record_tells_profile_key_and_paths(people: Trees, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(KEY)
    key.chmod(0o600)
    profile = f"basic, retainUIDs,{MODIFIED}"
    done = people.run("--profile", profile, "--keyFile", str(key), "--json", spec=None)
    assert done.code == 0, done.err
    assert done.record["profile"] == f"basic,retainUIDs,{MODIFIED}"
    assert done.record["keyFingerprint"] == Secret(KEY).fingerprint
    assert re.fullmatch("[0-9a-f]{16}", done.record["keyFingerprint"])
    assert done.record["pathsWithValues"] == 1
    assert done.record["pixelReview"] == []
    assert "no secret key" not in done.err
    for shown in (done.out + done.err, json.dumps(done.record)):
        assert KEY.hex() not in shown
        assert "MRN" not in shown
    without = people.run("--tagStruct", '{"PatientSex": ""}', "--json", "--overwrite", spec=None)
    assert without.record["profile"] == without.record["keyFingerprint"] == ""
    assert without.record["pathsWithValues"] == 0


def test_key_of_a_file_and_of_the_environment_give_the_same(people: Trees, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_bytes(b"0123456789abcdef")
    flags = ("--profile", ALL_MODIFIED)
    found = {}
    for name, more, env in (
        ("file", ["--keyFile", str(key)], {}),
        ("environment", [], {"PFDICOM_TAGSUB_KEY": "0123456789abcdef"}),
        ("flag wins", ["--keyFile", str(key)], {"PFDICOM_TAGSUB_KEY": "another key of some length"}),
        ("workers", ["--keyFile", str(key), "--threads", "2"], {"PYTHONHASHSEED": "7"}),
        ("other", [], {"PFDICOM_TAGSUB_KEY": "another key of some length"}),
        ("none", [], {}),
        ("none again", ["--threads", "2"], {"PYTHONHASHSEED": "8"}),
    ):
        outputs = tmp_path / name
        done = run(people.inputs, outputs, *flags, *more, spec=None, env={**os.environ, **env})
        assert done.code == 0, done.err
        assert done.err.count("no secret key") == (name in {"none", "none again"})
        found[name] = contents(outputs)
        assert len(found[name]) == 6
    assert found["file"] == found["environment"] == found["flag wins"] == found["workers"]
    assert found["none"] == found["none again"]
    for name in found["file"]:
        assert len({found[kind][name] for kind in ("file", "other", "none")}) == 3


def test_people_keep_apart_under_a_key_alone(people: Trees) -> None:
    names = [f"x/{number}.dcm" for number in (0, 1, 2)]
    contents_of = {name: read((people.inputs / name).read_bytes()) for name in names}
    for key, kinds in ((KEY, 2), (None, 1)):
        rules = compile_spec({}, profile="basic", key=key)
        ids = [read(patch_bytes(written(made), rules)).PatientID for made in contents_of.values()]
        assert ids[0] == ids[2]
        assert len(set(ids)) == kinds


def test_profile_stands_alone_or_under_a_spec_of_any_form(people: Trees, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    file.write_text('{"PatientID": "ANON"}')
    found = [
        people_run(people, tmp_path / str(number), *flags)
        for number, flags in enumerate(
            (
                [],
                ["--tagStruct", file.read_text()],
                ["--tagFile", str(file)],
                ["--tagInfo", "PatientID:ANON"],
                ["--tagStruct", "{}"],
            )
        )
    ]
    assert found[0] == found[4] != found[1]
    assert found[1] == found[2] == found[3]


def people_run(people: Trees, outputs: Path, *flags: str) -> dict[str, bytes]:
    """The outputs of a run under ``basic``."""
    done = run(people.inputs, outputs, "--profile", "basic", *flags, spec=None)
    assert done.code == 0, done.err
    return contents(outputs)
