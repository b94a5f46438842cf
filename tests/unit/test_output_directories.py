"""The directories of outputs named by a template: safe, without collision, the same in every run."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from builders import rules_of
from hypothesis import example, given
from hypothesis import strategies as st
from installed import (
    COMMAND,
    MIXED,
    Trees,
    arguments_of,
    checked_record,
    contents,
    leftovers,
    make,
    mixed_tree,
    names_in,
    patience,
    processes_of,
    read,
    run,
    wait_for,
)

from pfdicom_tagSub.api import compile_spec, run_tree
from pfdicom_tagSub.core.errors import FileError, PlanError, SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.files.folders import NewFolders
from pfdicom_tagSub.files.temporary import TEMP_PREFIX, _host
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import from_pairs
from pfdicom_tagSub.text.safe_names import NAME_MAX, safe_component

pytestmark = pytest.mark.combined

SPEC = {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_md5|9_PatientID"}
TEMPLATE = "%_md5|8_PatientID/%StudyDate/%Modality-%SeriesNumber"

workers = pytest.mark.parametrize("threads", ["0", "2"])


def study(trees: Trees, *, patients: int = 3, series: int = 2, instances: int = 4) -> int:
    """Files of some patients in one directory each, their names numbers; returns how many."""
    for patient in range(patients):
        for number in range(series):
            for instance in range(instances):
                trees.make(
                    f"{patient}/{number}-{instance}.dcm",
                    PatientID=f"P{patient}",
                    StudyDate=f"2024010{patient + 1}",
                    Modality="MR",
                    SeriesNumber=number,
                    InstanceNumber=instance,
                )
    return patients * series * instances


@workers
def test_template_names_the_directories(threads: str, trees: Trees) -> None:
    count = study(trees)
    done = trees.run("--json", "--threads", threads, "--outputDirTemplate", TEMPLATE, spec=SPEC)
    assert (done.code, done.counts) == (0, {"found": count, "written": count})
    assert len(trees.written) == count
    assert len({path.split("/")[0] for path in trees.written}) == 3
    for path in trees.written:
        folder, date, series, name = path.split("/")
        assert series == f"MR-{name[0]}"
        assert date[:7] == "2024010"
        assert trees.read(path).PatientID.startswith(folder)  # of the same original
    before = contents(trees.outputs)
    again = trees.run("--json", "--threads", threads, "--outputDirTemplate", TEMPLATE, spec=SPEC)
    assert again.counts == {"found": count, "unchanged": count}
    assert contents(trees.outputs) == before


def test_stem_names_the_files_in_them(trees: Trees) -> None:
    study(trees, patients=1)
    flags = ("--outputDirTemplate", "%Modality/s", "--outputFileStem", "%SeriesNumber_%InstanceNumber")
    assert trees.run(*flags, spec=SPEC).code == 0
    expected = [f"MR/s/{series}_{instance}.dcm" for series in range(2) for instance in range(4)]
    assert trees.written == expected


def test_keyed_pseudonyms_name_directories(trees: Trees, tmp_path: Path) -> None:
    count = study(trees)
    key = tmp_path / "key"
    key.write_bytes(b"sixteen bytes of key, and more")
    key.chmod(0o600)
    flags = ("--keyFile", str(key), "--profile", "basic", "--outputDirTemplate", "%_hmac|8_PatientID/s")
    found = []
    for threads in ("0", "2"):
        outputs = trees.outputs / threads
        done = run(trees.inputs, outputs, *flags, "--threads", threads, "--json", spec=None)
        assert done.code == 0
        assert done.record["pathsWithValues"] == 0
        found.append(names_in(outputs))
    assert found[0] == found[1]
    assert len(found[0]) == count
    assert len({path.split("/")[0] for path in found[0]}) == 3


def test_paths_that_tell_are_counted(trees: Trees) -> None:
    trees.make("s/a.dcm", PatientID="PLANTED-4711")
    trees.make("s/b.dcm", PatientID="OTHER-4712")
    trees.make("planted_4711/c.dcm", PatientID="PLANTED-4711")
    done = trees.run("--json", "--outputDirTemplate", "%PatientID", spec={"PatientID": "X"})
    assert done.record["pathsWithValues"] == 3
    done = trees.run("--json", "--overwrite", spec={"PatientID": "X"})
    assert done.record["pathsWithValues"] == 1
    assert "4711" not in done.shown.replace(str(trees.inputs.parent), "")


def test_template_is_evaluated_on_original_values(trees: Trees) -> None:
    trees.make("a.dcm", PatientID="P1")
    done = trees.run("--outputDirTemplate", "x-%PatientID", spec={"PatientID": "changed"})
    assert trees.written == ["x-P1/a.dcm"]
    assert trees.read("x-P1/a.dcm").PatientID == "changed"
    assert "--outputDirTemplate puts original values of PatientID" in done.err


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("/abs", "begins with '/'"),
        ("a//b", "empty component"),
        ("a/", "empty component"),
        ("%PatientID/", "empty component"),
        ("a/./b", "component '.'"),
        ("../%PatientID", "component '..'"),
        ("%PatientID/..", "component '..'"),
        ("a/.../b", "cannot be a name"),
        ("#tag", "#tag has no meaning"),
        ("a/%_md5|8_#tag", "#tag has no meaning"),
        ("%_name|#tag_PatientName", "#tag has no meaning"),
        ("%PatientNam", "PatientName"),
        ("%_md6_PatientID", "unknown function"),
        ("a\0b", "no NUL"),
        ("%_keep_PatientID", "element hit"),
        ("%_empty_PatientID", "element hit"),
        ("a/%_clean_StudyDescription", "clean"),
        ("%_hmac|8_PatientID", "hmac"),
    ],
)
def test_template_that_cannot_be_meant_is_an_error(template: str, reason: str, trees: Trees) -> None:
    with pytest.raises(SpecError, match="--outputDirTemplate") as caught:
        compile_rules(from_pairs([("PatientID", "x")]), output_dir=template)
    assert reason in str(caught.value)
    if "\0" not in template:
        trees.make("a.dcm")
        done = trees.run("--json", "--outputDirTemplate", template)
        assert done.code == 2
        assert reason in done.record["error"]
        assert not trees.outputs.exists()


def test_separator_in_an_argument_is_none() -> None:
    spec = from_pairs([("PatientName", "x")])
    made = compile_rules(spec, output_dir="%_nospc|/_StudyDescription/%_strmsk|*/*_PatientID-%%a/b")
    assert [len(template.directives) for template in made.directories] == [1, 1, 0]
    assert made.directories[1].parts[1:] == ("-%a",)
    assert compile_rules(spec).directories == ()


def test_names_that_show_what_the_spec_replaces_are_warned_of_by_their_flag() -> None:
    spec = from_pairs([("PatientID", "%_md5|7_PatientID"), ("StudyDate", "")])
    made = compile_rules(spec, output_dir="%StudyDate/%Modality/%_md5|8_PatientID", output_stem="%PatientID")
    stem, folder = made.warnings
    assert stem.startswith("--outputFileStem puts original values of PatientID,")
    assert folder.startswith("--outputDirTemplate puts original values of StudyDate,")


def test_leaf_and_template_exclude_each_other(trees: Trees) -> None:
    done = trees.run("--outputLeafDir", "a%s", "--outputDirTemplate", "a")
    assert done.code == 2
    assert "--outputDirTemplate" in done.err


HOSTILE = [
    *("../../x", "/etc/passwd", "/", "a/b", "..", ".", "...", ".hidden", "~root", "-rf", " .. ", " "),
    *("a\nb", "a\tb", "a\x1bb", "a\0b", "\u202egnp", "x" * 300, "大" * 300, "山田^太郎", "con"),
    *(".pfdicom_tagSub-host-1-0.tmp", "%StudyID", "#tag", "a\\..\\b"),
]


@workers
@pytest.mark.parametrize("template", ["%PatientComments", "p/%PatientComments/.%PatientComments./q"])
def test_hostile_value_cannot_lead_out(template: str, threads: str, trees: Trees, tmp_path: Path) -> None:
    for number, value in enumerate(HOSTILE):
        trees.make(f"{number:02}.dcm", PatientComments=value, SpecificCharacterSet="ISO_IR 192")
    before = contents(tmp_path)
    done = trees.run("--json", "--threads", threads, "--outputDirTemplate", template)
    assert "Traceback" not in done.err
    after = contents(tmp_path)
    assert before.items() <= after.items()
    new = set(after) - set(before)
    assert done.record["counts"]["written"] == len(new) >= len(HOSTILE) - 6
    depth = 3 + template.count("/")
    for path in new:
        out, *folders, name = path.split("/")
        assert (out, len(folders)) == ("out", depth - 2)
        assert name.endswith(".dcm")
        for folder in folders:
            assert folder.isprintable()
            assert not folder.startswith((".", " "))
            assert 0 < len(os.fsencode(folder)) <= 255
    for failure in done.record["failures"]:
        assert failure["stage"] == "name"
        assert "values that it asks for are empty" in failure["reason"]


@given(st.text(max_size=400))
@example(". .hidden")
@example("大" * 200)
@example("\ud800")
@example("a/../b\\..")
def test_safe_component_is_one_visible_name(text: str) -> None:
    try:
        name = safe_component(text)
    except FileError:
        return
    assert name == os.path.basename(name)
    assert not name.startswith(".")
    assert ".." not in name
    assert name.isprintable()
    assert not set(name) & {"/", "\\"}
    assert 0 < len(os.fsencode(name)) <= NAME_MAX


@workers
def test_second_of_two_inputs_with_one_path_fails(threads: str, trees: Trees) -> None:
    for folder in ("a", "b", "c"):
        for number in range(20):
            trees.make(f"{folder}/{number:02}.dcm", PatientID=f"P{number}", StudyID=folder)
    for flags in ([], ["--overwrite"]):
        done = trees.run("--json", "--threads", threads, "--outputDirTemplate", "%PatientID", *flags)
        assert done.code == 1
        assert done.failures.keys() == {f"{f}/{number:02}.dcm" for f in "bc" for number in range(20)}
        assert all(f"that of a/{path[2:]}" in reason for path, reason in done.failures.items())
        assert trees.written == sorted(f"P{number}/{number:02}.dcm" for number in range(20))
        assert all(trees.read(path).StudyID == "a" for path in trees.written)


def test_names_that_become_the_same_by_cleaning_collide(trees: Trees) -> None:
    for number, value in enumerate(("a/b", "a\tb", "a_b", "a:b")):
        trees.make(f"{number}/x.dcm", PatientComments=value)
    done = trees.run("--json", "--outputDirTemplate", "%PatientComments", "--overwrite")
    assert done.failures.keys() == {"1/x.dcm", "2/x.dcm", "3/x.dcm"}
    assert trees.written == ["a_b/x.dcm"]
    assert trees.read("a_b/x.dcm").PatientComments == "a/b"


@workers
def test_output_in_the_way_of_a_directory_fails(threads: str, trees: Trees) -> None:
    trees.make("1/y", PatientComments="x")  # x/y
    trees.make("2/a", PatientComments="x/", StudyID="-")  # x_/a
    trees.make("3/x", PatientComments="top")  # top/x
    trees.make("4/z", PatientComments="top")  # top/z
    trees.make("4/x", PatientComments="top")  # top/x again
    flags = ("--json", "--threads", threads, "--outputDirTemplate", "%PatientComments")
    assert trees.run(*flags).failures.keys() == {"4/x"}
    shutil.rmtree(trees.inputs)
    shutil.rmtree(trees.outputs)
    trees.make("1/q", PatientComments="p", StudyID="s")  # s/p/q
    trees.make("2/p", PatientComments="", StudyID="s")  # nothing is left of a component
    flags = ("--json", "--threads", threads, "--outputDirTemplate", "%StudyID/%PatientComments")
    assert trees.run(*flags).failures.keys() == {"2/p"}
    shutil.rmtree(trees.inputs)
    shutil.rmtree(trees.outputs)
    # DICOMDIRs stay where they are, so one may be in the way of a directory, and the other way round.
    trees.make("a/DICOMDIR")
    trees.make("b/x", StudyID="a", PatientComments="DICOMDIR")  # a/DICOMDIR/x
    trees.make("b/y", StudyID="c", PatientComments="dicomdir")  # c/dicomdir/y
    trees.make("c/dicomdir")
    done = trees.run(*flags)
    assert done.failures.keys() == {"b/x", "c/dicomdir"}
    assert "the path of the output of a/DICOMDIR" in done.failures["b/x"]
    assert "a directory of the output of b/y" in done.failures["c/dicomdir"]
    assert trees.written == ["a/DICOMDIR", "c/dicomdir/y"]


def test_results_do_not_depend_on_workers(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    study(trees, patients=2)
    records = set()
    outputs: list[dict[str, bytes]] = []
    for threads in ("0", "1", "2", "4"):
        target = trees.outputs / threads
        flags = ("--json", "--threads", threads, "--outputDirTemplate", "%PatientID/%_md5|4_StudyDate")
        done = run(trees.inputs, target, *flags, spec=SPEC)
        records.add(json.dumps({**done.record, "runTime": 0}))
        outputs.append(contents(target))
        assert done.record["counts"]["found"] == MIXED["found"] + 16
    assert len(records) == 1
    assert all(one == outputs[0] for one in outputs)
    assert len(outputs[0]) > 8


@workers
def test_links_planted_among_the_outputs_are_not_followed(threads: str, trees: Trees, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "sub").mkdir()
    trees.outputs.mkdir()
    (trees.outputs / "P1").symlink_to(outside)
    (trees.outputs / "P2").mkdir()
    (trees.outputs / "P2" / "MR").symlink_to(outside / "sub")
    (trees.outputs / "P3").write_bytes(b"a file")
    for number in range(1, 5):
        trees.make(f"{number}.dcm", PatientID=f"P{number}", Modality="MR")
    flags = ("--json", "--threads", threads, "--overwrite", "--outputDirTemplate", "%PatientID/%Modality")
    done = trees.run(*flags)
    assert done.failures.keys() == {"1.dcm", "2.dcm", "3.dcm"}
    assert all("is a symbolic link or a file" in reason for reason in done.failures.values())
    assert contents(outside) == {}
    assert (trees.outputs / "P4" / "MR" / "4.dcm").exists()
    assert (trees.outputs / "P3").read_bytes() == b"a file"


def test_output_that_differs_fails_without_overwrite(trees: Trees) -> None:
    trees.make("a.dcm", PatientID="P1")
    target = trees.outputs / "P1" / "a.dcm"
    target.parent.mkdir(parents=True)
    target.write_bytes(b"other")
    flags = ("--json", "--outputDirTemplate", "%PatientID")
    assert trees.run(*flags).failures.keys() == {"a.dcm"}
    assert target.read_bytes() == b"other"
    assert trees.run(*flags, "--overwrite").counts == {"found": 1, "written": 1}


def test_stale_temporary_files_are_removed(trees: Trees) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    trees.make("a.dcm", PatientID="P1")
    stale = trees.outputs / "P1" / "s" / f"{TEMP_PREFIX}{_host()}-{ended.pid}-0.tmp"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"half")
    assert trees.run("--outputDirTemplate", "%PatientID/s").code == 0
    assert trees.written == ["P1/s/a.dcm"]


def test_output_that_holds_the_input_is_refused(trees: Trees) -> None:
    """A value could name the input tree."""
    study(trees)
    before = contents(trees.inputs)
    done = run(trees.inputs, trees.inputs.parent, "--json", "--outputDirTemplate", "in", spec=SPEC)
    assert done.code == 2
    assert "does not hold the --inputDir" in done.record["error"]
    assert contents(trees.inputs) == before
    assert names_in(trees.inputs.parent) == sorted(f"in/{name}" for name in before)


def test_names_are_read_of_all_files_first(trees: Trees) -> None:
    for number in range(30):
        trees.make(f"{number:02}.dcm", PatientID=f"P{number}")
    trees.add("29.dcm", (trees.inputs / "29.dcm").read_bytes()[:200])  # cannot be named
    done = trees.run("--json", "--outputDirTemplate", "%PatientID", "--verbosity", "5")
    lines = [line for line in done.err.splitlines() if ".dcm: " in line]
    assert lines[0].split(": ")[2].startswith("29.dcm")
    assert len(lines) == 30


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda one: one.name)
@workers
def test_interrupted_run_leaves_nothing_half_written(
    threads: str, number: signal.Signals, trees: Trees, tmp_path: Path
) -> None:
    whole = make(tmp_path / "x.dcm", PatientID="P00000").read_bytes()
    for count in range(1500):
        trees.add(f"{count % 3}/{count:05}.dcm", whole.replace(b"P00000", f"P{count:05}".encode()))
    flags = ("--outputDirTemplate", "%_strmsk|****_PatientID/%_md5|1_PatientID", "--threads", threads)
    assert run(trees.inputs, tmp_path / "expected", *flags, spec=SPEC).code == 0
    expected = contents(tmp_path / "expected")
    assert len(expected) == 1500
    for turn in range(3):
        shutil.rmtree(trees.outputs, ignore_errors=True)
        process = subprocess.Popen(
            [COMMAND, *arguments_of(trees.inputs, trees.outputs, SPEC, "--json", *flags)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert wait_for(lambda: trees.outputs.exists() or process.poll() is not None)  # noqa: B023
        time.sleep(random.Random(turn).uniform(0, 0.2))
        os.killpg(process.pid, number)
        out, _ = process.communicate(timeout=patience(30))
        assert wait_for(lambda: not processes_of(process.pid))  # noqa: B023
        left = leftovers(trees.outputs)
        found = contents(trees.outputs)
        if number is not signal.SIGKILL:
            assert left == []
            assert checked_record(out)["counts"]["written"] == len(found)
        assert {name: found[name] for name in found if name not in left}.items() <= expected.items()
    done = trees.run("--json", *flags, spec=SPEC)
    assert done.code == 0
    assert contents(trees.outputs) == expected


def test_file_that_has_the_name_of_an_output_directory_fails_at_any_pace(trees: Trees) -> None:
    """Of a stem or a leaf: as with a template, no matter which comes first."""
    trees.make("a.dcm", PatientID="s")
    trees.inputs.joinpath("a.dcm").rename(trees.inputs / "a")
    trees.make("s/b", PatientID="other")
    trees.make("anon-s", PatientID="y")
    for threads in ("0", "2"):
        for flag, name in (("--outputFileStem=%PatientID", "a"), ("--outputLeafDir=anon-%s", "anon-s")):
            outputs = trees.outputs / threads / name
            done = run(trees.inputs, outputs, "--json", "--threads", threads, flag)
            assert done.failures == {name: "its output would have the path of an output directory"}
            assert len(names_in(outputs)) == 2


def test_run_tree_takes_the_template(trees: Trees) -> None:
    study(trees, patients=1)
    rules = compile_spec(
        SPEC, output_dir_template="%Modality", output_file_stem="%SeriesNumber%InstanceNumber"
    )
    report = run_tree(trees.inputs, trees.outputs, rules)
    assert report.counts[Status.WRITTEN] == 8
    assert set(trees.written) == {
        f"MR/{series}{instance}.dcm" for series in range(2) for instance in range(4)
    }
    assert rules_of(SPEC).directories == ()
    with pytest.raises(PlanError, match="--outputDirTemplate"):
        run_tree(trees.inputs, trees.inputs.parent, rules)


def test_input_that_is_no_dicom_is_skipped_and_one_without_values_fails(trees: Trees) -> None:
    trees.add("notes.txt", b"nothing here is DICOM")
    trees.make("a.dcm", StudyID="")
    trees.make("b.dcm", StudyID="x")
    done = trees.run("--json", "--outputDirTemplate", "%StudyID/%Modality0")
    assert done.counts == {"found": 3, "written": 1, "skipped": 1, "failed": 1}
    assert "--outputDirTemplate gives no name" in done.failures["a.dcm"]
    assert trees.written == ["x/0/b.dcm"]
    assert read(trees.outputs / "x/0/b.dcm").StudyID == "x"


# --- folders in which nothing is written


@pytest.mark.parametrize("more", [(), ("--threads", "2"), ("--outputLeafDir", "x-%s")], ids=" ".join)
def test_folders_in_which_nothing_is_written_are_not_made(more: tuple[str, ...], trees: Trees) -> None:
    whole = trees.make("ok/a.dcm").read_bytes()
    trees.add("Quibbleford_Marigold/deep/notes.txt", b"x")
    trees.add("ZQ4711220/cut.dcm", whole[:-1])
    done = trees.run("--json", *more)
    assert done.counts == {"found": 3, "written": 1, "skipped": 1, "failed": 1}
    assert os.listdir(trees.outputs) == ["x-ok" if more[:1] == ("--outputLeafDir",) else "ok"]


def test_folders_of_files_that_fail_verification_do_not_stay(trees: Trees) -> None:
    trees.make("ok/a.dcm")
    trees.make("Quibbleford/deep/b.dcm", PatientName="Zebulon", ImageComments="of Zebulon")
    (trees.outputs / "kept").mkdir(parents=True)
    done = trees.run("--json", "--verify", "--onResidual", "fail")
    assert done.failures.keys() == {"Quibbleford/deep/b.dcm"}
    assert sorted(os.listdir(trees.outputs)) == ["kept", "ok"]


def test_new_folders_that_are_empty_go_but_none_behind_a_link(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (elsewhere / "x").mkdir(parents=True)
    root.mkdir()
    with NewFolders(str(root)) as new:
        for path in ("a/b", "c/d", "s/x"):
            new.note(f"{root}/{path}")
        (root / "a" / "b").mkdir(parents=True)
        (root / "c" / "d").mkdir(parents=True)
        (root / "c" / "file").touch()
        (root / "s").symlink_to(elsewhere)
    assert sorted(os.listdir(root)) == ["c", "s"]
    assert os.listdir(root / "c") == ["file"]
    assert (elsewhere / "x").is_dir()
