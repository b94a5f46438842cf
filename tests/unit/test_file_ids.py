"""A DICOMDIR names the outputs of the files that it named, or fails."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path

import pydicom.data
import pytest
from builders import data_set, substitute, written
from installed import Trees, contents, make, read
from pydicom.fileset import FileSet

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import DirectoryPlan, FileJob
from pfdicom_tagSub.dicom.file_ids import FileIds
from pfdicom_tagSub.run.placement import moved_paths
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.parsing import from_pairs

pytestmark = pytest.mark.combined

MEDIA = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"
PATIENTS = ("77654033", "98892001", "98892003")
SPEC = {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_md5|9_PatientID"}


@pytest.fixture
def media(trees: Trees) -> Trees:
    """A file-set of 31 files and its DICOMDIR."""
    for name in PATIENTS:
        shutil.copytree(MEDIA / name, trees.inputs / name)
    for number, path in enumerate(sorted(path for path in trees.inputs.rglob("*") if path.is_file())):
        content = read(path)
        content.InstanceNumber = number
        with warnings.catch_warnings(action="ignore"):
            content.save_as(path)
    shutil.copy(MEDIA / "DICOMDIR", trees.inputs / "DICOMDIR")
    return trees


def file_ids(path: Path) -> list[str]:
    """The File IDs of a DICOMDIR as paths, in the order of its records."""
    records = read(path).DirectoryRecordSequence
    return ["/".join(record.ReferencedFileID) for record in records if "ReferencedFileID" in record]


def check_files(inputs: Path, outputs: Path) -> None:
    """Every record names the output of the file that it named, by three readers of a DICOMDIR."""
    before, after = file_ids(inputs / "DICOMDIR"), file_ids(outputs / "DICOMDIR")
    assert len(before) == len(after) > 0
    for old, new in zip(before, after, strict=True):
        assert read(inputs / old).SOPInstanceUID == read(outputs / new).SOPInstanceUID
    with warnings.catch_warnings(action="ignore"):
        found = FileSet(outputs / "DICOMDIR")
        assert len(found) == len(after)
        for instance in found:
            assert instance.load().SOPInstanceUID == instance.SOPInstanceUID
    if shutil.which("dcmdump"):
        dumped = subprocess.run(
            ["dcmdump", "-q", "+P", "ReferencedFileID", str(outputs / "DICOMDIR")],
            capture_output=True,
            text=True,
            check=True,
        )
        shown = [line.partition("[")[2].partition("]")[0] for line in dumped.stdout.splitlines()]
        assert [one.strip().replace("\\", "/") for one in shown] == after


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize(
    "flags",
    [
        ["--outputFileStem", "S%InstanceNumber"],
        ["--outputLeafDir", "A_%s"],
        ["--outputLeafDir", "B%s", "--outputFileStem", "%InstanceNumber"],
        ["--outputDirTemplate", "X/S%InstanceNumber/Y"],
        ["--outputDirTemplate", "%StudyDate/%Modality", "--outputFileStem", "S%InstanceNumber"],
    ],
    ids=["stem", "leaf", "leaf+stem", "directory", "directory+stem"],
)
def test_file_ids_follow(flags: list[str], threads: str, media: Trees) -> None:
    done = media.run("--json", "--threads", threads, *flags, spec=SPEC)
    assert done.failures == {}
    assert (done.code, done.counts) == (0, {"found": 32, "written": 32})
    assert done.record["elements"]["ReferencedFileID"]["substituted"] == 31
    check_files(media.inputs, media.outputs)
    assert set(file_ids(media.outputs / "DICOMDIR")) == set(media.written) - {"DICOMDIR"}
    assert b"Doe^Peter" not in (media.outputs / "DICOMDIR").read_bytes()
    again = media.run("--json", "--threads", threads, *flags, spec=SPEC)
    assert again.counts == {"found": 32, "unchanged": 32}


def test_file_ids_are_left_alone_where_nothing_is_renamed(media: Trees) -> None:
    (media.inputs / "98892003" / "MR1" / "4919").unlink()
    done = media.run("--json", spec={"PatientInsurancePlanCodeSequence": None})
    assert done.counts == {"found": 31, "written": 31}
    assert contents(media.inputs) == contents(media.outputs)


@pytest.mark.parametrize("name", ["DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-reordered"])
def test_file_ids_follow_in_every_encoding(name: str, media: Trees) -> None:
    shutil.copy(MEDIA / name, media.inputs / "DICOMDIR")
    done = media.run("--outputFileStem", "S%InstanceNumber", "--outputLeafDir", "LA%s")
    assert done.code == 0, done.err
    before, after = file_ids(media.inputs / "DICOMDIR"), file_ids(media.outputs / "DICOMDIR")
    for old, new in zip(before, after, strict=True):
        assert read(media.inputs / old).SOPInstanceUID == read(media.outputs / new).SOPInstanceUID


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--outputFileStem", "lower%InstanceNumber"], "is no File ID"),
        (["--outputFileStem", "TOOLONG%InstanceNumber"], "is no File ID"),
        (["--outputLeafDir", "anon-%s"], "is no File ID"),
        (["--outputDirTemplate", "A/B/C/D/E/F/G/H"], "is no File ID"),
        (["--outputFileStem", "S%InstanceNumber", "--fileFilter", "!4919"], "not among those"),
        (["--outputFileStem", "%Modality"], "has no output"),
    ],
    ids=["lower case", "too long", "leaf", "too deep", "left out", "collides"],
)
def test_directory_that_cannot_stay_true_fails(
    flags: list[str], reason: str, threads: str, media: Trees
) -> None:
    done = media.run("--json", "--threads", threads, *flags, spec=SPEC)
    assert done.code == 1
    assert reason in done.failures["DICOMDIR"]
    assert not (media.outputs / "DICOMDIR").exists()


def test_directory_of_a_file_that_fails_fails_by_its_name(media: Trees) -> None:
    path = media.inputs / "98892003" / "MR1" / "4919"
    path.write_bytes(path.read_bytes()[:-1])
    for threads in ("0", "2"):
        flags = ("--json", "--threads", threads, "--overwrite", "--outputLeafDir", "A%s")
        done = media.run(*flags, spec=SPEC)
        assert done.failures.keys() == {"DICOMDIR", "98892003/MR1/4919"}
        assert "98892003/MR1/4919 has no output" in done.failures["DICOMDIR"]


def test_directory_below_the_root_fails_where_its_files_leave_it(media: Trees, tmp_path: Path) -> None:
    media.inputs.rename(tmp_path / "disk1")
    (tmp_path / "in").mkdir()
    (tmp_path / "disk1").rename(media.inputs / "disk1")
    for flags in (["--outputLeafDir", "A%s"], ["--outputDirTemplate", "%StudyID"]):
        done = media.run("--json", "--overwrite", *flags, spec=SPEC)
        assert done.failures.keys() == {"disk1/DICOMDIR"}
        assert "not below" in done.failures["disk1/DICOMDIR"]
    stem = ("--outputFileStem", "S%InstanceNumber")
    assert media.run("--overwrite", *stem, spec=SPEC).code == 0
    check_files(media.inputs / "disk1", media.outputs / "disk1")


def test_directory_by_another_name_fails_while_files_are_renamed(media: Trees) -> None:
    (media.inputs / "DICOMDIR").rename(media.inputs / "DICOMDIR.old")
    done = media.run("--json", "--outputLeafDir", "A%s", spec=SPEC)
    assert "another name" in done.failures["DICOMDIR.old"]
    assert media.run("--overwrite", "--json", spec=SPEC).code == 0


def test_key_of_the_spec_wins(media: Trees) -> None:
    spec = {**SPEC, "ReferencedFileID": None}
    done = media.run("--json", "--outputLeafDir", "not-a-file-id-%s", spec=spec)
    assert done.counts == {"found": 32, "written": 32}
    assert file_ids(media.outputs / "DICOMDIR") == []
    assert media.run("--overwrite", "--outputLeafDir", "not-%s", spec={"ReferencedFileID": "X"}).code == 0
    assert set(file_ids(media.outputs / "DICOMDIR")) == {"X"}


def test_media_mounted_in_lower_case_stay_so(media: Trees) -> None:
    for folder in sorted(path for path in media.inputs.rglob("*") if path.is_dir())[::-1]:
        folder.rename(folder.with_name(folder.name.lower()))
    (media.inputs / "DICOMDIR").rename(media.inputs / "dicomdir")
    assert media.run("--outputLeafDir", "a_%s", spec=SPEC).code == 0
    for old, new in zip(
        file_ids(media.inputs / "dicomdir"), file_ids(media.outputs / "dicomdir"), strict=True
    ):
        assert new.split("/")[1] == "A_" + old.split("/")[1]
        assert (
            read(media.inputs / old.lower()).SOPInstanceUID
            == read(media.outputs / new.lower()).SOPInstanceUID
        )


def test_file_that_is_only_named_so_keeps_its_name(trees: Trees) -> None:
    make(trees.inputs / "s" / "DICOMDIR")
    make(trees.inputs / "s" / "a")
    flags = ("--outputFileStem", "DICOMDIR", "--outputDirTemplate", "s", "--json")
    done = trees.run(*flags)
    assert done.failures.keys() == {"s/a"}
    assert trees.written == ["s/DICOMDIR"]


def test_element_outside_a_directory_is_left_alone(tmp_path: Path) -> None:
    item = data_set(ReferencedFileID=["A", "B"])
    content = written(data_set(RequestAttributesSequence=[item], ReferencedFileID="C", PatientID="x"))
    assert substitute(content, {"PatientID": "x"}, tmp_path).content == content
    rules = compile_rules(from_pairs([("PatientID", "x")]))
    source = tmp_path / "a"
    source.write_bytes(content)
    outcome = Worker(Settings(rules, renames=True)).process(FileJob(str(source), str(tmp_path / "b"), "a"))
    assert outcome.status is Status.WRITTEN
    assert (tmp_path / "b").read_bytes() == content


# --- the mapping by itself


def test_moved_paths_are_relative_to_the_directory_and_its_output() -> None:
    dicomdir = DirectoryPlan("/in/d", "/out/d", "d", ("DICOMDIR",))
    others = [
        DirectoryPlan("/in", "/out", ".", ("x",)),
        DirectoryPlan("/in/d", "/out/d", "d", ("y",), ("Z",)),
        DirectoryPlan("/in/d/e", "/out/d/A", "d/e", ("p", "q")),
        DirectoryPlan("/in/d/f", "/out/g", "d/f", ("r",)),
        DirectoryPlan("/in/d2", "/out/d2", "d2", ("s",)),
    ]
    expected = {"y": "Z", "e/p": "A/p", "e/q": "", "f/r": "../g/r"}
    assert moved_paths(dicomdir, others, {"d/e/q"}) == expected


@pytest.mark.parametrize(
    ("stored", "new"),
    [
        (b"A\\B", ("C", "D")),
        (b"A \\B ", ("C", "D")),
        (b"A\\B\0", ("C", "D")),
        (b"a\\b", ("C", "D")),
        (b"SAME", None),
        (b"same", None),
        (b"", None),
        (b" ", None),
    ],
)
def test_file_id_is_renamed(stored: bytes, new: tuple[str, ...] | None) -> None:
    assert FileIds({"A/B": "C/D", "SAME": "SAME"}).renamed(stored) == new


@pytest.mark.parametrize(
    ("stored", "reason"),
    [
        (b"NONE", "not among"),
        (b"..\\X", "not among"),
        (b"x\\Y", "not among"),  # two files, but for case
        (b"LOST", "no output"),
        (b"OUT", "not below"),
        (b"LONG", "no File ID"),
        (b"DEEP", "no File ID"),
        (b"DOT", "no File ID"),
    ],
)
def test_file_id_that_cannot_stay_true_is_an_error(stored: bytes, reason: str) -> None:
    paths = {
        "LOST": "",
        "OUT": "../X",
        "LONG": "ABCDEFGHI",
        "DEEP": "1/2/3/4/5/6/7/8/9",
        "DOT": "A.DCM",
        "X/y": "Z",
        "X/Y": "W",
    }
    with pytest.raises(FileError, match=reason):
        FileIds(paths).renamed(stored)


def test_file_id_of_a_directory_that_nobody_knew_is_an_error() -> None:
    with pytest.raises(FileError, match="another name"):
        FileIds(None).renamed(b"A")
    assert FileIds(None).renamed(b"") is None
