"""Every fault of 3.1.1 that was seen, kept out, in the order of the list (behaviour-3.1.1 part B).

They run the installed command, as the people did who met the faults. Each was seen to fail
with 3.1.1 behind the command's name.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import resource
import shutil
from pathlib import Path

import pytest
from installed import (
    BUNDLED,
    COMMAND,
    Spec,
    Trees,
    arguments_of,
    contents,
    execute,
    names_in,
    read,
    run,
    save,
)
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import SHARED

from pfdicom_tagSub import __version__

ANON = {"PatientName": "anon"}
DAMAGED = ("MR_truncated.dcm", "rtplan_truncated.dcm")
"""Files of pydicom that are cut off."""

NOT_DICOM = "no_meta.dcm"
"""One that begins with a stray byte, so that nothing in it is where DICOM has it."""


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


def _targets(directory: Dataset) -> list[tuple[int | None, int | None]]:
    """Which records each record of a DICOMDIR points to, by their places in the sequence."""
    records = directory.DirectoryRecordSequence
    places = {record.seq_item_tell: place for place, record in enumerate(records)}
    assert len(places) == len(records)
    return [
        (
            places.get(record.OffsetOfTheNextDirectoryRecord),
            places.get(record.OffsetOfReferencedLowerLevelDirectoryEntity),
        )
        for record in records
    ]


def test_dicomdir_keeps_no_name(trees: Trees) -> None:
    source = (BUNDLED / "dicomdirtests" / "DICOMDIR").read_bytes()
    before = read(trees.add("DICOMDIR", source))
    names = {str(record.PatientName) for record in before.DirectoryRecordSequence if "PatientName" in record}
    assert len(names) > 1
    assert trees.run(spec={"PatientName": "anon"}).code == 0
    output = (trees.outputs / "DICOMDIR").read_bytes()
    for name in names:
        assert name.encode() in source
        assert name.encode() not in output
    after = trees.read("DICOMDIR")
    assert "PatientName" not in after
    assert _targets(after) == _targets(before)


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
    done = trees.run(spec={"(0010,0009)": "anon"})
    assert (done.code, trees.written) == (2, [])
    assert "(0010,0009)" in done.err


@pytest.mark.parametrize("key", ["re:hysician", "re:^patient", "re:Nosuchkeyword.*"])
def test_pattern_that_matches_nothing_is_not_ignored(key: str, trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run(spec={key: "anon"})
    assert (done.code, trees.written) == (2, [])
    assert key in done.err


def test_keywords_are_not_looked_up_by_their_beginnings(trees: Trees) -> None:
    trees.make("a.dcm", Manufacturer="ACME", ManufacturerModelName="Rocket")
    assert trees.run(spec={"StudyID": "%_md5|8_ManufacturerModelName"}).code == 0
    assert trees.read("a.dcm").StudyID == hashlib.md5(b"Rocket").hexdigest()[:8]


def test_keywords_are_not_looked_up_by_their_ends(trees: Trees) -> None:
    trees.make("a.dcm", Manufacturer="ACME", ReceiveCoilManufacturerName="Coils")
    trees.make("b.dcm", StudyID="old")
    assert (
        trees.run(spec={"StudyID": "%ReceiveCoilManufacturerName", "StationName": "%OtherPatientIDs"}).code
        == 0
    )
    assert trees.read("a.dcm").StudyID == "Coils"
    assert not trees.read("b.dcm").StudyID
    assert "StationName" not in trees.read("a.dcm")  # next to a PatientID, without OtherPatientIDs


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
    trees.make("a.dcm", StudyDescription="head")
    spec = dict.fromkeys(("StudyDescription", "StationName"), f"{directive}InstitutionName")
    assert trees.run(spec=spec).code == 0
    output = trees.read("a.dcm")
    for text in (output.StudyDescription, output.get("StationName", "")):
        assert "%" not in text
        assert "InstitutionName" not in text
        assert text != "head"


def _names_of_runs(spec: Spec, trees: Trees) -> set[str]:
    """The PatientName of ``a.dcm`` after each of three runs."""
    names = set()
    for number in range(3):
        outputs = trees.outputs.with_name(f"out{number}")
        assert run(trees.inputs, outputs, spec=spec).code == 0
        names.add(str(read(outputs / "a.dcm").PatientName))
    return names


def test_name_without_a_seed_is_the_same_in_every_run(trees: Trees) -> None:
    trees.make("a.dcm")
    names = _names_of_runs({"PatientName": "%_name_PatientName"}, trees)
    assert len(names) == 1
    assert re.fullmatch(r"\S+\^\S+\^ANON", names.pop())


def test_name_with_an_absent_seed_is_the_same_in_every_run(trees: Trees) -> None:
    content = read(trees.make("a.dcm"))
    del content.PatientID
    save(trees.inputs / "a.dcm", content)
    names = _names_of_runs({"PatientName": "%_name|patientID_PatientName"}, trees)
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
    trees.make("a.dcm", AccessionNumber="1")
    done = trees.run("--json", spec={"AccessionNumber": "%_md5_PatientID"})
    assert done.code == 0
    assert trees.read("a.dcm").AccessionNumber == hashlib.md5(b"DEV").hexdigest()[:16]
    assert done.record["elements"]["AccessionNumber"]["cut"] == 1


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
    ("keyword", "value", "directive"),
    [
        ("InstanceNumber", "12", "%_md5|4_"),
        ("InstanceNumber", "12", "%_strmsk|***_"),
        ("InstanceNumber", "12", "%_nospc|-_"),
        ("PatientWeight", "71.5", "%_md5|4_"),
        ("PatientWeight", "71.5", "%_strmsk|***_"),
        ("PatientWeight", "71.5", "%_nospc|-_"),
        ("ImageType", ["DERIVED", "PRIMARY"], "%_md5|4_"),
        ("ImageType", ["DERIVED", "PRIMARY"], "%_nospc|-_"),
        ("ReferringPhysicianName", "Foo^Bar", "%_nospc|-_"),
    ],
)
def test_no_source_drops_its_directory(keyword: str, value: object, directive: str, trees: Trees) -> None:
    trees.make("a.dcm", **{keyword: value})
    trees.make("b.dcm")
    assert trees.run(spec={"StudyComments": f"{directive}{keyword}"}).code == 0
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


@pytest.mark.parametrize("where", ["bundled", "corpus"])
def test_readme_spec_writes_the_files_of_pydicom(where: str, tmp_path: Path) -> None:
    folder = BUNDLED if where == "bundled" else SHARED / "corpus" / "pydicom-data"
    if not folder.is_dir():
        pytest.skip(f"there is no {folder}")
    trees = Trees(folder, tmp_path / "out")
    done = trees.run("--json", "--maxDepth", "0", "--fileFilter", ".dcm")
    damaged = set(DAMAGED) & {path.name for path in folder.iterdir()}
    assert done.failures.keys() == damaged
    assert done.code == (1 if damaged else 0)
    dicom = {path.name for path in folder.iterdir() if path.name.endswith(".dcm")} - damaged - {NOT_DICOM}
    assert set(trees.written) == dicom
    assert len(dicom) > 50


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


@pytest.mark.parametrize(("depth", "expected"), [("0", ["a.dcm"]), ("1", ["a.dcm", "s/b.dcm"])])
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


@pytest.mark.parametrize(
    "template",
    [
        "%s' % __import__('os').mknod('{marker}') + '",
        "'+str(__import__('os').mknod('{marker}'))+'%s",
        "%s'%d",
    ],
)
def test_output_leaf_dir_is_not_evaluated(template: str, trees: Trees, tmp_path: Path) -> None:
    trees.make("s/a.dcm")
    (tmp_path / "work").mkdir()
    before = contents(tmp_path)
    for marker in ("evaluated", str(tmp_path / "evaluated").replace("/", r"\57")):
        leaf = template.format(marker=marker)
        done = trees.run("--outputLeafDir", leaf, cwd=tmp_path / "work")
        assert not (tmp_path / "evaluated").exists()
        assert "Traceback" not in done.err
        if done.code == 2:
            assert contents(tmp_path) == before
        else:
            assert names_in(trees.outputs) == [f"{leaf.replace('%s', 's')}/a.dcm"]
            shutil.rmtree(trees.outputs)


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
    for number in range(300):
        folder = number % 6 or "."
        trees.make(f"{folder}/{number}.dcm", PatientID=f"P{number}")
    keys = ("PatientName", "ReferringPhysicianName", "OperatorsName", "RequestingPhysician")
    spec = dict.fromkeys(keys, "%_name|patientID_PatientName")
    alone, together = Trees(trees.inputs, trees.outputs / "0"), Trees(trees.inputs, trees.outputs / "4")
    assert alone.run(spec=spec).code == together.run("--threads", "4", spec=spec).code == 0
    names = {str(alone.read(name).PatientName) for name in alone.written}
    assert len(names) > 250
    assert contents(together.outputs) == contents(alone.outputs)


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
