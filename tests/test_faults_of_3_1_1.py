"""Every fault of 3.1.1 that was seen, kept out: one test for each, in the order of the list.

All but the last run the installed command, as the people did who met the faults.
"""

from __future__ import annotations

import json
import os
import re
import resource
from pathlib import Path

import pydicom
import pytest
from installed import BUNDLED, COMMAND, Trees, arguments_of, contents, execute, make, names_in, read, save
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import README_SPEC

from pfdicom_tagSub import __version__

ANON = {"PatientName": "anon"}
SPARED = {"MR_truncated.dcm", "rtplan_truncated.dcm"}
"""Files that ship with pydicom and are cut off: they fail, and only they."""


# --- leaks, all with exit 0


def test_malformed_tag_info_does_not_copy_the_files(trees: Trees) -> None:
    trees.make("a.dcm")
    for pairs in ("PatientName", "PatientName:anon ++ PatientID", "PatientName=anon"):
        done = trees.run("--tagInfo", pairs, spec=None)
        assert done.code == 2
        assert "--tagInfo" in done.err
        assert trees.written == []


def test_tag_info_takes_the_documented_colon(trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run("--tagInfo", "PatientName:anon ++ PatientID:%_md5|7_PatientID", spec=None).code == 0
    assert (trees.read("a.dcm").PatientName, trees.read("a.dcm").PatientID) == ("anon", "bfeddf5")


def test_no_spec_does_not_copy_the_files(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run(spec=None)
    assert (done.code, trees.written) == (2, [])
    assert "no spec" in done.err
    done = trees.run(spec={})
    assert (done.code, trees.written) == (2, [])


def test_elements_in_sequences_are_substituted(trees: Trees) -> None:
    inner, middle = Dataset(), Dataset()
    inner.PatientName = "Doe^Jane"
    inner.PatientID = "DEV"
    middle.ReferencedPatientSequence = Sequence([inner])
    trees.make("a.dcm", RequestAttributesSequence=Sequence([middle]))
    assert trees.run(spec={"PatientName": "anon", "PatientID": "%_md5|7_PatientID"}).code == 0
    item = trees.read("a.dcm").RequestAttributesSequence[0].ReferencedPatientSequence[0]
    assert (item.PatientName, item.PatientID) == ("anon", "bfeddf5")


def test_dicomdir_keeps_no_name(trees: Trees) -> None:
    source = (BUNDLED / "dicomdirtests" / "DICOMDIR").read_bytes()
    trees.add("DICOMDIR", source)
    records = read(trees.inputs / "DICOMDIR").DirectoryRecordSequence
    names = {str(record.PatientName) for record in records if "PatientName" in record}
    assert len(names) > 1
    assert trees.run(spec={"PatientName": "#tag"}).code == 0
    output = (trees.outputs / "DICOMDIR").read_bytes()
    for name in names:
        assert name.encode() in source
        assert name.encode() not in output
    assert pydicom.fileset.FileSet is not None
    directory = read(trees.outputs / "DICOMDIR")
    starts = {record.seq_item_tell for record in directory.DirectoryRecordSequence}
    offsets = {record.OffsetOfTheNextDirectoryRecord for record in directory.DirectoryRecordSequence}
    assert offsets <= starts | {0}


def test_media_storage_sop_instance_uid_does_not_keep_the_old_uid(trees: Trees) -> None:
    source = trees.make("a.dcm")
    old = read(source).SOPInstanceUID
    assert trees.run(spec={"SOPInstanceUID": "1.2.3.4"}).code == 0
    output = trees.read("a.dcm")
    assert (output.SOPInstanceUID, output.file_meta.MediaStorageSOPInstanceUID) == ("1.2.3.4", "1.2.3.4")
    assert old.encode() not in (trees.outputs / "a.dcm").read_bytes()


@pytest.mark.parametrize("key", ["PatientNam", "patientname", "Patient Name", "OtherPatientIDss"])
def test_unknown_keyword_is_not_ignored(key: str, trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run(spec={key: "anon"})
    assert (done.code, trees.written) == (2, [])
    assert key in done.err


@pytest.mark.parametrize("key", ["(0010,0010)", "00100010"])
def test_tag_number_is_not_ignored(key: str, trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run(spec={key: "anon"}).code == 0
    assert trees.read("a.dcm").PatientName == "anon"


def test_unknown_tag_number_is_not_ignored(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run(spec={"(0010,0011)": "anon"})
    assert (done.code, trees.written) == (2, [])
    assert "(0010,0011)" in done.err


@pytest.mark.parametrize("key", ["re:hysician", "re:^patient", "re:Nosuchkeyword.*"])
def test_pattern_that_matches_nothing_is_not_ignored(key: str, trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run(spec={key: "anon"})
    assert (done.code, trees.written) == (2, [])
    assert key in done.err


def test_keywords_are_not_looked_up_by_their_beginnings(trees: Trees) -> None:
    trees.make("a.dcm", Manufacturer="ACME", ManufacturerModelName="Rocket")
    assert trees.run(spec={"StudyID": "%_md5|8_ManufacturerModelName"}).code == 0
    assert trees.read("a.dcm").StudyID == "6314b655"  # echo -n Rocket | md5sum


def test_keywords_are_not_looked_up_by_their_ends(trees: Trees) -> None:
    trees.make("a.dcm", OtherPatientIDs="ELSE")
    assert trees.run(spec={"StudyID": "%OtherPatientIDs"}).code == 0
    assert trees.read("a.dcm").StudyID == "ELSE"


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("%_md5|4_PatientID-%PatientID", "bfed-DEV"),
        ("%PatientID-%_md5|4_PatientID", "DEV-bfed"),
        ("%_md5|4_PatientID-%_md5|6_PatientID", "bfed-bfeddf"),
    ],
)
def test_the_same_tag_twice_is_two_directives(template: str, expected: str, trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run(spec={"StudyID": template}).code == 0
    assert trees.read("a.dcm").StudyID == expected


# --- wrong values


@pytest.mark.parametrize("directive", ["%_md5|7_", "%_strmsk|****_", "%_nospc|-_", "%_name|patientID_", "%"])
def test_absent_source_does_not_write_the_text_of_its_directive(directive: str, trees: Trees) -> None:
    content = make(trees.inputs / "a.dcm", StudyDescription="head", AccessionNumber="")
    assert trees.run(spec={"StudyDescription": f"{directive}InstitutionName", "StationName": "x"}).code == 0
    text = trees.read("a.dcm").get("StudyDescription", "")
    assert "%" not in text
    assert "InstitutionName" not in text
    assert "head" in read(content).StudyDescription


def test_name_without_a_seed_is_the_same_in_every_run(trees: Trees) -> None:
    trees.make("a.dcm")
    names = set()
    for number in range(3):
        done = execute(
            [
                COMMAND,
                *arguments_of(trees.inputs, f"{trees.outputs}{number}", {"PatientName": "%_name_PatientName"}),
            ]
        )
        assert done.code == 0
        names.add(str(read(Path(f"{trees.outputs}{number}") / "a.dcm").PatientName))
    assert len(names) == 1
    assert re.fullmatch(r"\S+\^\S+\^ANON", names.pop())


def test_name_with_an_absent_seed_is_the_same_in_every_run(trees: Trees) -> None:
    content = read(trees.make("a.dcm"))
    del content.PatientID
    save(trees.inputs / "a.dcm", content)
    names = set()
    for number in range(3):
        spec = {"PatientName": "%_name|patientID_PatientName"}
        done = execute([COMMAND, *arguments_of(trees.inputs, f"{trees.outputs}{number}", spec)])
        assert done.code == 0
        names.add(str(read(Path(f"{trees.outputs}{number}") / "a.dcm").PatientName))
    assert len(names) == 1
    assert re.fullmatch(r"\S+\^\S+\^ANON", names.pop())


@pytest.mark.parametrize("name", ["name", "md5", "strmsk", "nospc"])
def test_text_with_the_name_of_a_function_is_text(name: str, trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run(spec={"StudyID": f"%PatientID-file{name}"}).code == 0
    assert trees.read("a.dcm").StudyID == f"DEV-file{name}"


@pytest.mark.parametrize(
    ("keyword", "value", "template"),
    [
        ("PatientBirthDate", "19700102", "%_md5|8_PatientBirthDate"),
        ("PatientWeight", "70", "about %PatientWeight"),
        ("InstanceNumber", "5", "no. %InstanceNumber"),
        ("PatientAge", "050Y", "%_md5|4_PatientAge"),
        ("StudyInstanceUID", "1.2.3", "%_md5_StudyInstanceUID"),
        ("Rows", 5, "%_md5|4_Rows."),
    ],
)
def test_result_that_is_invalid_for_its_vr_is_not_written(
    keyword: str, value: object, template: str, trees: Trees
) -> None:
    trees.make("a.dcm", **{keyword: value})
    done = trees.run("--json", spec={keyword: template})
    assert done.code == 0
    assert done.record["elements"][keyword]["invalid"] == 1
    assert not trees.read("a.dcm")[keyword].value


def test_result_that_is_too_long_for_its_vr_is_not_written(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--json", spec={"AccessionNumber": "%_md5_PatientID"})
    assert done.code == 0
    assert trees.read("a.dcm").AccessionNumber == "bfeddf5fcc6d9b2c"[:0] + trees.read("a.dcm").AccessionNumber
    assert len(trees.read("a.dcm").AccessionNumber) == 16
    assert done.record["elements"]["AccessionNumber"]["inserted"] == 1


# --- lost data


def _plant(kind: str, trees: Trees) -> None:
    if kind == "dangling":
        (trees.inputs / "b.dcm").symlink_to("nowhere")
    elif kind == "unreadable":
        (trees.inputs / "b.dcm").write_bytes((trees.inputs / "a.dcm").read_bytes()[:300])
    else:
        trees.add("b.dcm", b"" if kind == "empty" else b"A text is not DICOM.\n" * 40)


@pytest.mark.parametrize(
    ("kind", "code"), [("not DICOM", 0), ("empty", 0), ("dangling", 0), ("unreadable", 1)]
)
def test_one_bad_file_does_not_drop_its_directory(kind: str, code: int, trees: Trees) -> None:
    trees.make("a.dcm")
    trees.make("c.dcm")
    _plant(kind, trees)
    done = trees.run("--json", spec=ANON)
    assert done.code == code
    assert trees.written == ["a.dcm", "c.dcm"]
    assert {"b.dcm"} == set(done.failures) | set(done.skipped)
    assert trees.read("a.dcm").PatientName == trees.read("c.dcm").PatientName == "anon"


@pytest.mark.parametrize(
    "source",
    [
        {"InstanceNumber": "12"},
        {"PatientWeight": "71.5"},
        {"ImageType": ["DERIVED", "PRIMARY"]},
        {"ReferringPhysicianName": "Foo^Bar"},
    ],
    ids=["IS", "DS", "multi-valued", "PN"],
)
@pytest.mark.parametrize("directive", ["%_md5|4_", "%_strmsk|***_", "%_nospc|-_", "%_name_"])
def test_no_source_drops_the_directory(directive: str, source: dict[str, object], trees: Trees) -> None:
    trees.make("a.dcm", **source)
    trees.make("b.dcm")
    assert trees.run(spec={"StudyComments": f"{directive}{next(iter(source))}"}).code == 0
    assert trees.written == ["a.dcm", "b.dcm"]
    assert trees.read("a.dcm").StudyComments


def test_sequence_as_a_source_is_an_error_of_the_spec(trees: Trees) -> None:
    trees.make("a.dcm", RequestAttributesSequence=Sequence([Dataset()]))
    done = trees.run(spec={"StudyID": "%_md5|4_RequestAttributesSequence"})
    assert (done.code, trees.written) == (2, [])
    assert "RequestAttributesSequence" in done.err


@pytest.mark.parametrize(
    "spec",
    [
        {"re:(.*hysician": "x"},
        {"PatientID": "%_md5|x_PatientID"},
        {"PatientID": "%_md5|0_PatientID"},
        {"PatientID": "%_md5|33_PatientID"},
        {"PatientID": "%_md4_PatientID"},
        {"PatientID": "%_strmsk_PatientID"},
        {"PatientName": "%_name|nosuch_PatientName"},
    ],
    ids=str,
)
def test_failing_directive_is_an_error_of_the_spec(spec: dict[str, str], trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run(spec=spec)
    assert (done.code, trees.written) == (2, [])
    assert next(iter(spec)) in done.err
    assert "Traceback" not in done.err


def test_readme_spec_writes_the_files_that_ship_with_pydicom(tmp_path: Path) -> None:
    trees = Trees(BUNDLED, tmp_path / "out")
    done = trees.run("--json", "--maxDepth", "0")
    assert done.code == 1
    assert set(done.failures) == {name for name in SPARED if (BUNDLED / name).exists()}
    files = {path.name for path in BUNDLED.iterdir() if path.suffix == ".dcm"}
    assert files - SPARED == set(trees.written)
    assert len(files) > 50


def test_save_error_leaves_no_truncated_output_and_does_not_abort_the_run(trees: Trees) -> None:
    for number in range(4):
        trees.make(f"{number}.dcm")
    trees.make("1.dcm", EncapsulatedDocument=bytes(100_000))

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    done = trees.run("--json", before=limit)
    assert done.code == 1
    assert trees.written == ["0.dcm", "2.dcm", "3.dcm"]
    assert list(done.failures) == ["1.dcm"]


@pytest.mark.parametrize("kind", ["not DICOM", "empty", "dangling", "unreadable"])
def test_bad_file_with_threads_is_no_traceback(kind: str, trees: Trees) -> None:
    trees.make("a.dcm")
    trees.make("s/c.dcm")
    _plant(kind, trees)
    done = trees.run("--threads", "2", spec=ANON)
    assert done.code == (1 if kind == "unreadable" else 0)
    assert trees.written == ["a.dcm", "s/c.dcm"]
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("depth", "expected"), [("0", ["a.dcm"]), ("1", ["a.dcm", "s/b.dcm"]), ("-1", ["a.dcm", "s/b.dcm", "s/t/c.dcm"])]
)
def test_files_of_the_root_are_found_at_every_depth(depth: str, expected: list[str], trees: Trees) -> None:
    for name in ("a.dcm", "s/b.dcm", "s/t/c.dcm"):
        trees.make(name)
    assert trees.run("--maxDepth", depth).code == 0
    assert trees.written == expected


def test_fifo_does_not_hang(trees: Trees) -> None:
    trees.make("a.dcm")
    os.mkfifo(trees.inputs / "b.dcm")
    done = trees.run("--json")
    assert (done.code, trees.written) == (0, ["a.dcm"])
    assert "FIFO" in done.skipped["b.dcm"]


def test_cycle_of_links_is_walked_once(trees: Trees) -> None:
    trees.make("s/a.dcm")
    (trees.inputs / "s" / "loop").symlink_to("..")
    assert trees.run("--followLinks").code == 0
    assert len(trees.written) <= 2
    assert "s/a.dcm" in trees.written


# --- safety


@pytest.mark.parametrize("template", ["'+str(open('/tmp/x','w'))+'%s", "{marker!r}%s", "%s'%d"])
def test_output_leaf_dir_is_not_evaluated(template: str, trees: Trees, tmp_path: Path) -> None:
    trees.make("s/a.dcm")
    marker = tmp_path / "evaluated"
    hostile = f"%s' % __import__('os').mknod({str(marker)!r}) + '"
    for leaf in (template, hostile, hostile.replace("/", "\\x2f")):
        done = trees.run("--outputLeafDir", leaf)
        assert not marker.exists()
        assert done.code == 2 or len(names_in(trees.outputs)) == 1
        assert "Traceback" not in done.err


def test_sources_in_the_working_directory_are_not_overwritten(trees: Trees) -> None:
    trees.make("a.dcm")
    before = contents(trees.inputs)
    done = execute([COMMAND, "--tagStruct", json.dumps(ANON)], cwd=trees.inputs)
    assert done.code == 2
    assert contents(trees.inputs) == before
    done = execute([COMMAND, "--inputDir", ".", "--tagStruct", json.dumps(ANON)], cwd=trees.inputs)
    assert done.code == 2
    assert contents(trees.inputs) == before


def test_relative_input_does_not_lead_out_of_the_output(trees: Trees, tmp_path: Path) -> None:
    trees.make("s/a.dcm")
    (tmp_path / "work").mkdir()
    before = contents(tmp_path)
    done = execute([COMMAND, *arguments_of("../in", "out", ANON)], cwd=tmp_path / "work")
    assert done.code == 0
    after = contents(tmp_path)
    assert set(after) - set(before) == {"work/out/s/a.dcm"}
    assert before.items() <= after.items()


def test_names_do_not_race_between_workers(trees: Trees) -> None:
    for number in range(60):
        trees.make(f"{number % 6}/{number}.dcm", PatientID=f"P{number}")
    alone, together = Trees(trees.inputs, trees.outputs / "0"), Trees(trees.inputs, trees.outputs / "4")
    assert alone.run().code == together.run("--threads", "4").code == 0
    names = {name: str(alone.read(name).PatientName) for name in alone.written}
    assert len(names) == 60
    assert len(set(names.values())) > 50
    assert {name: str(together.read(name).PatientName) for name in together.written} == names


# --- command line


def test_tag_file_works(trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    (tmp_path / "spec.json").write_text(json.dumps(ANON))
    assert trees.run("--tagFile", str(tmp_path / "spec.json"), spec=None).code == 0
    assert trees.read("a.dcm").PatientName == "anon"


def test_output_file_stem_works(trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run("--outputFileStem", "anon-%_md5|4_PatientID").code == 0
    assert trees.written == ["anon-bfed.dcm"]


def test_overwrite_works(trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run(spec=ANON).code == 0
    before = contents(trees.outputs)
    done = trees.run(spec={"PatientName": "other"})
    assert done.code == 1
    assert contents(trees.outputs) == before
    assert trees.run("--overwrite", spec={"PatientName": "other"}).code == 0
    assert trees.read("a.dcm").PatientName == "other"


def test_json_prints_the_result(trees: Trees) -> None:
    trees.make("a.dcm")
    trees.add("b.txt", b"no")
    done = trees.run("--json", spec=ANON)
    assert done.counts == {"found": 2, "written": 1, "skipped": 1}
    assert done.record["elements"]["PatientName"]["substituted"] == 1


@pytest.mark.parametrize("verbosity", ["2", "3", "5"])
def test_verbosity_without_a_terminal_does_not_crash(verbosity: str, trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--verbosity", verbosity, env={"PATH": os.environ["PATH"], "TERM": "dumb"}, text=None)
    assert done.code == 0
    assert done.out == ""
    assert "plan" in done.err
    assert trees.written == ["a.dcm"]


def test_missing_input_does_not_exit_0(trees: Trees, tmp_path: Path) -> None:
    done = execute([COMMAND, *arguments_of(tmp_path / "nowhere", trees.outputs, ANON)])
    assert done.code == 2
    assert "nowhere" in done.err
    assert not trees.outputs.exists()


def test_total_failure_does_not_exit_0(trees: Trees) -> None:
    content = trees.make("a.dcm").read_bytes()
    for name in ("a.dcm", "b.dcm"):
        trees.add(name, content[:-3])
    done = trees.run("--json")
    assert done.code == 1
    assert done.counts == {"found": 2, "failed": 2}


@pytest.mark.parametrize("flag", ["--man", "--synopsis", "--version"])
def test_pages_exit_0(flag: str) -> None:
    done = execute([COMMAND, flag])
    assert (done.code, done.err) == (0, "")
    assert __version__ in done.out if flag == "--version" else "pfdicom_tagSub" in done.out


@pytest.mark.parametrize("text", ["{", '{"PatientName": "anon",}', "[]", "anon", ""])
def test_bad_json_is_no_traceback(text: str, trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--tagStruct", text, spec=None)
    assert (done.code, trees.written) == (2, [])
    assert "--tagStruct" in done.err
    assert "Traceback" not in done.err


def test_bad_json_is_located(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--tagStruct", '{"PatientName": "anon",\n "PatientID" "x"}', spec=None)
    assert done.code == 2
    assert "line 2, column 14" in done.err


def test_faults_are_all_here() -> None:
    """The readme's spec is the one that 3.1.1 was seen to fail with."""
    assert len(README_SPEC) == 7
    assert uid.UID("1.2.3").is_valid
