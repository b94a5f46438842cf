"""The ledger: what is done is not opened again, and nothing is believed that is not so."""

from __future__ import annotations

import filecmp
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from installed import (
    COMMAND,
    MIXED,
    PREFIX,
    Trees,
    arguments_of,
    contents,
    data_set,
    mixed_tree,
    names_in,
    patience,
    save,
    wait_for,
)
from pydicom.dataset import Dataset
from selection import Selection
from support import run_command

from pfdicom_tagSub.core.errors import LedgerError
from pfdicom_tagSub.core.outcome import FileOutcome, Finished, Stamp
from pfdicom_tagSub.files import writing
from pfdicom_tagSub.files.temporary import temporary_name
from pfdicom_tagSub.run import ledger as ledgers
from pfdicom_tagSub.run import ledger_file, output_writing
from pfdicom_tagSub.run.ledger import Ledger
from pfdicom_tagSub.run.ledger_file import Identity
from pfdicom_tagSub.spec.secret import Secret

SPEC = ["--tagInfo", "PatientName:anon++PatientID:%_md5|7_PatientID"]
OTHER = ["--tagInfo", "PatientName:other++PatientID:%_md5|7_PatientID"]
IDENTITY = Identity("4", "spec", "", (), {}, None)


@dataclass(frozen=True)
class Nightly:
    """A tree of four files, and a ledger beside it."""

    trees: Trees
    ledger: Path

    def run(self, *flags: str, spec: list[str] = SPEC, code: int = 0) -> dict[str, Any]:
        """Run the command with the ledger; its record."""
        done = run_command(
            self.trees.inputs, self.trees.outputs, "--ledger", str(self.ledger), "--json", *spec, *flags
        )
        assert done.code == code, done.err
        record: dict[str, Any] = done.record
        return record

    def counts(self, *flags: str, spec: list[str] = SPEC, code: int = 0) -> dict[str, int]:
        """The counts of such a run that are not 0."""
        counts = self.run(*flags, spec=spec, code=code)["counts"]
        return {name: count for name, count in counts.items() if count}

    def rows(self, query: str = "SELECT * FROM files") -> list[tuple[Any, ...]]:
        """What a query finds in the ledger."""
        with closing(sqlite3.connect(self.ledger)) as connection:
            return connection.execute(query).fetchall()


PATIENTS = {"a.dcm": "ONE-1", "s/b.dcm": "TWO-22", "s/c.dcm": "THREE-333", "s/t/d.dcm": "FOUR-4444"}
ALL_CURRENT = {"found": 4, "current": 4}


@pytest.fixture
def night(trees: Trees, tmp_path: Path) -> Nightly:
    for number, (name, patient) in enumerate(PATIENTS.items()):
        trees.make(name, PatientID=patient, InstanceNumber=str(number))
    return Nightly(trees, tmp_path / "ledger.sqlite")


@pytest.fixture
def done(night: Nightly) -> Nightly:
    """The same after a first run."""
    assert night.counts() == {"found": 4, "written": 4}
    return night


def _swap(path: Path) -> None:
    """Change a byte of a file behind the back of the file system's times."""
    state = path.stat()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Doe^Jane", b"Doe^John"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


# --- what is current


@pytest.mark.parametrize("threads", ["0", "2"])
def test_second_run_opens_no_file(threads: str, night: Nightly) -> None:
    assert night.counts("--threads", threads) == {"found": 4, "written": 4}
    for path in (night.trees.inputs / "a.dcm", night.trees.outputs / "s" / "b.dcm"):
        path.chmod(0)
        _swap(path)
    before = contents(night.trees.outputs)
    record = night.run("--threads", threads)
    assert record["counts"] == {**dict.fromkeys(record["counts"], 0), **ALL_CURRENT}
    assert record["elements"] == {}
    assert contents(night.trees.outputs) == before


def test_current_is_in_the_summary_and_said_of_each_file(done: Nightly) -> None:
    said = run_command(
        *(done.trees.inputs, done.trees.outputs, "--ledger", str(done.ledger), "--verbosity", "5", *SPEC)
    ).err
    assert "4 files: 0 written, 0 unchanged, 4 current, 0 skipped, 0 failed" in said
    assert "s/t/d.dcm: not read, the ledger has it as done" in said


def test_same_again_with_what_changes_no_output_is_current(done: Nightly) -> None:
    flags = ["--threads", "2", "--overwrite", "--verbosity", "0", "--relativeDir"]
    assert done.counts(*flags) == ALL_CURRENT


def _table(path: Path, replacement: str) -> str:
    path.write_text(f"original,replacement\nDEV,{replacement}\n")
    return f"t={path}"


VARIANTS: dict[str, Callable[[Path], list[str]]] = {
    "spec": lambda _: OTHER,
    "order of the spec": lambda _: ["--tagInfo", "PatientID:%_md5|7_PatientID++PatientName:anon"],
    "private": lambda _: [*SPEC, "--removePrivateTags"],
    "profile": lambda _: [*SPEC, "--profile", "basic"],
    "option": lambda _: [*SPEC, "--profile", "basic,retainUIDs"],
    "kept": lambda _: [*SPEC, "--removePrivateTags", "--keepPrivate", '(0029,"ACME",10)'],
    "key": lambda path: [*SPEC, "--keyFile", str(_file(path / "key", "k" * 32))],
    "other key": lambda path: [*SPEC, "--keyFile", str(_file(path / "key", "l" * 32))],
    "table": lambda path: [*SPEC, "--lookupTable", _table(path / "t", "A")],
    "other table": lambda path: [*SPEC, "--lookupTable", _table(path / "t", "B")],
    "miss": lambda path: [*SPEC, "--lookupMiss", "empty"],
    "stem": lambda _: [*SPEC, "--outputFileStem", "%_md5_PatientID"],
    "other stem": lambda _: [*SPEC, "--outputFileStem", "%_md5|8_PatientID"],
    "directories": lambda _: [*SPEC, "--outputDirTemplate", "%_md5_PatientID"],
    "leaf": lambda _: [*SPEC, "--outputLeafDir", "anon-%s"],
    "verified": lambda _: [*SPEC, "--verify"],
    "failing": lambda _: [*SPEC, "--verify", "--onResidual", "fail"],
}


def _file(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("which", VARIANTS)
def test_change_of_what_outputs_depend_on_does_all_again(which: str, done: Nightly, tmp_path: Path) -> None:
    top = 1 if which == "leaf" else 0  # the one file at the top stays where it is
    flags = VARIANTS[which](tmp_path)
    assert done.counts(spec=flags).get("current", 0) == top
    assert done.counts(spec=flags) == ALL_CURRENT
    for other in (
        {"key": "other key", "table": "other table", "stem": "other stem"},
        {
            "other key": "key",
            "other table": "table",
            "other stem": "stem",
        },
    ):
        if which in other:
            assert "current" not in done.counts(spec=VARIANTS[other[which]](tmp_path))


def test_same_key_and_table_at_another_path_are_the_same(night: Nightly, tmp_path: Path) -> None:
    for name in ("one", "two"):
        key = _file(tmp_path / f"{name}.key", "k" * 32)
        flags = ["--keyFile", str(key), "--lookupTable", _table(tmp_path / name, "A")]
        counts = night.counts(*flags)
    assert counts == ALL_CURRENT


@pytest.mark.parametrize("package", ["pydicom", "Faker", "pfdicom_tagSub"])
def test_other_version_does_all_again(package: str, done: Nightly, monkeypatch: pytest.MonkeyPatch) -> None:
    if package == "pfdicom_tagSub":
        monkeypatch.setattr(ledger_file, "__version__", "4.0.1")
    else:
        monkeypatch.setattr(ledger_file, "version_of", lambda name: name + str(name == package))
        assert done.counts() == {"found": 4, "unchanged": 4}
        monkeypatch.setattr(ledger_file, "version_of", lambda name: name)
    assert done.counts() == {"found": 4, "unchanged": 4}


@pytest.mark.parametrize("side", ["in", "out"])
def test_tree_elsewhere_is_another_tree(side: str, done: Nightly, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / side, tmp_path / "copy")
    trees = Trees(tmp_path / "copy", done.trees.outputs)
    if side == "out":
        trees = Trees(done.trees.inputs, tmp_path / "copy")
    assert Nightly(trees, done.ledger).counts() == {"found": 4, "unchanged": 4}
    assert done.counts() == ALL_CURRENT


def _longer(path: Path) -> None:
    state = path.stat()
    path.write_bytes(path.read_bytes() + b"\xfe\xff\x00\xe0\0\0\0\0"[:0] + _padding())
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _padding() -> bytes:
    """A DataSetTrailingPadding element in explicit little endian."""
    return b"\xfc\xff\xfc\xffOB\0\0\x04\0\0\0\0\0\0\0"


def _touch(nanoseconds: int) -> Callable[[Path], None]:
    def touch(path: Path) -> None:
        state = path.stat()
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + nanoseconds))

    return touch


@pytest.mark.parametrize(
    ("change", "status"),
    [(_longer, "written"), (_touch(1_000_000), "unchanged"), (_touch(-(10**18)), "unchanged")],
    ids=["size", "later", "earlier"],
)
def test_changed_input_is_done_again(change: Callable[[Path], None], status: str, done: Nightly) -> None:
    change(done.trees.inputs / "s" / "c.dcm")
    assert done.counts() == {"found": 4, "current": 3, status: 1}
    assert done.counts() == ALL_CURRENT


def _linked(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (Path.unlink, "written"),
        (_touch(1_000_000), "unchanged"),
        (_longer, "failed"),
        (lambda path: os.truncate(path, 10), "failed"),
        (lambda path: os.truncate(path, 0), "failed"),
        (_linked, "failed"),
        (lambda path: (path.unlink(), path.mkdir()), "failed"),
    ],
    ids=["removed", "touched", "longer", "cut", "emptied", "linked", "directory"],
)
def test_output_that_is_not_as_it_was_left_is_not_believed(
    change: Callable[[Path], None], status: str, done: Nightly
) -> None:
    change(done.trees.outputs / "s" / "c.dcm")
    code = 1 if status == "failed" else 0
    assert done.counts(code=code) == {"found": 4, "current": 3, status: 1}


def test_output_directory_behind_a_link_is_not_believed(done: Nightly) -> None:
    folder = done.trees.outputs / "s"
    folder.rename(done.trees.outputs / "moved")
    folder.symlink_to("moved")
    assert done.counts(code=1) == {"found": 4, "current": 1, "failed": 3}


# --- what may be replaced


def test_own_output_of_a_changed_input_is_replaced(done: Nightly) -> None:
    done.trees.make("a.dcm", PatientID="longer than it was")
    assert done.counts() == {"found": 4, "current": 3, "written": 1}
    assert done.counts(spec=OTHER) == {"found": 4, "written": 4}
    assert done.trees.read("s/b.dcm").PatientName == "other"


@pytest.mark.parametrize("change", [_touch(1), _longer], ids=["touched", "longer"])
def test_output_that_somebody_else_changed_is_not_replaced(
    change: Callable[[Path], None], done: Nightly
) -> None:
    path = done.trees.outputs / "a.dcm"
    change(path)
    before = path.read_bytes()
    record = done.run(spec=OTHER, code=1)
    assert [failure["path"] for failure in record["failures"]] == ["a.dcm"]
    assert path.read_bytes() == before
    assert done.counts("--overwrite", spec=OTHER) == {"found": 4, "written": 1, "current": 3}


def test_output_of_a_run_without_the_ledger_is_not_replaced(night: Nightly) -> None:
    assert run_command(night.trees.inputs, night.trees.outputs, *SPEC).code == 0
    assert night.counts(spec=OTHER, code=1) == {"found": 4, "failed": 4}
    assert night.counts() == {"found": 4, "unchanged": 4}  # now they are known
    assert night.counts(spec=OTHER) == {"found": 4, "written": 4}


def test_input_that_changes_while_it_is_read_is_not_done(
    night: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = output_writing.write
    path = night.trees.inputs / "a.dcm"
    before, state = path.read_bytes(), path.stat()

    def changing(folder: int, name: str, *arguments: Any, **how: Any) -> Any:
        if name == "a.dcm":
            night.trees.make("a.dcm", PatientID="it changed")
        return real(folder, name, *arguments, **how)

    monkeypatch.setattr(output_writing, "write", changing)
    assert night.counts() == {"found": 4, "written": 4}
    monkeypatch.undo()
    path.write_bytes(before)  # and changes back, as a file does that is copied in place
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert night.counts() == {"found": 4, "current": 3, "unchanged": 1}
    night.trees.make("a.dcm", PatientID="it changed")
    assert night.counts() == {"found": 4, "current": 3, "written": 1}
    assert night.counts() == ALL_CURRENT


# --- what is no DICOM, and odd trees


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("naming", [[], ["--outputFileStem", "%_md5|9_PatientID-%InstanceNumber"]], ids=str)
def test_mixed_tree_fails_and_skips_the_same_every_night(
    naming: list[str], threads: str, night: Nightly
) -> None:
    mixed_tree(night.trees.inputs / "mixed")
    first = night.run("--threads", threads, *naming, code=1)
    second = night.run("--threads", threads, *naming, code=1)
    assert second["failures"] == first["failures"]
    assert second["skipped"] == first["skipped"]
    assert second["counts"]["current"] == first["counts"]["written"]
    assert first["counts"]["failed"] >= MIXED["failed"]


def test_skipped_file_is_not_opened_again_and_may_become_dicom(night: Nightly) -> None:
    path = night.trees.add("notes.txt", b"no DICOM " * 100)
    expected = {"found": 5, "written": 4, "skipped": 1}
    assert night.counts() == expected
    state = path.stat()
    whole = (night.trees.inputs / "a.dcm").read_bytes()
    path.write_bytes(whole.ljust(state.st_size, b"\0")[: state.st_size])
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert night.counts() == {"found": 5, "current": 4, "skipped": 1}
    path.write_bytes(whole)
    assert night.counts() == {"found": 5, "current": 4, "written": 1}
    assert night.counts() == {"found": 5, "current": 5}


def test_links_and_fifos_have_no_rows(night: Nightly) -> None:
    (night.trees.inputs / "link.dcm").symlink_to("a.dcm")
    os.mkfifo(night.trees.inputs / "fifo")
    assert night.counts() == {"found": 6, "written": 4, "skipped": 2}
    assert len(night.rows()) == 4
    assert night.counts("--followLinks") == {"found": 6, "current": 4, "written": 1, "skipped": 1}
    assert night.counts("--followLinks") == {"found": 6, "current": 5, "skipped": 1}
    assert night.counts() == {"found": 6, "current": 4, "skipped": 2}


def test_failed_file_has_no_row(night: Nightly) -> None:
    night.trees.add("cut.dcm", (night.trees.inputs / "a.dcm").read_bytes()[:-3])
    for turn in ("written", "current"):
        assert night.counts(code=1) == {"found": 5, turn: 4, "failed": 1}
    assert len(night.rows()) == 4


@pytest.mark.parametrize("when", [0, 1, -1, 2**62, 253402300799 * 10**9, -(2**40) * 10**9])
def test_times_far_off_are_times_like_others(when: int, night: Nightly) -> None:
    path = night.trees.inputs / "a.dcm"
    try:
        os.utime(path, ns=(when, when))
    except (OSError, OverflowError):
        pytest.skip("there is no such time")
    if path.stat().st_mtime_ns != when:
        pytest.skip("the file system has no such time")
    night.run()
    assert night.counts() == ALL_CURRENT
    os.utime(path, ns=(when + 10**9, when + 10**9))
    assert night.counts() == {"found": 4, "current": 3, "unchanged": 1}


@pytest.mark.parametrize("jump", [-(10**9), 10**9])
def test_jump_of_the_clock_changes_nothing(jump: int, done: Nightly, monkeypatch: pytest.MonkeyPatch) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + jump)
    assert done.counts() == ALL_CURRENT
    done.trees.make("new.dcm")
    assert done.counts() == {"found": 5, "current": 4, "written": 1}
    monkeypatch.undo()
    assert done.counts() == {"found": 5, "current": 5}


def test_pixel_review_and_paths_are_told_again(night: Nightly) -> None:
    night.trees.make("s/DEV-4711/burned.dcm", BurnedInAnnotation="YES", PatientID="DEV-4711")
    flags = ["--profile", "basic"]
    first, second = night.run(*flags), night.run(*flags)
    assert second["counts"]["current"] == 5
    assert first["pixelReview"]
    assert first["pathsWithValues"]
    for field in ("pixelReview", "pathsWithValues"):
        assert second[field] == first[field]


@pytest.mark.parametrize("frames", [1, 3])
def test_cleaned_pixels_are_told_again(frames: int, trees: Trees, tmp_path: Path) -> None:
    pytest.importorskip("numpy")
    from pictures import file_bytes, picture, region

    made = picture(frames=frames)
    made.SequenceOfUltrasoundRegions = [region(10, 8, 49, 39)]
    trees.inputs.mkdir(exist_ok=True)
    (trees.inputs / "a.dcm").write_bytes(file_bytes(made))
    night = Nightly(trees, tmp_path / "done.ledger")
    flags = ("--cleanPixels", "regions")
    first = night.run(*flags)
    second = night.run(*flags)
    assert second["counts"]["current"] == 1
    assert first["pixelsCleaned"] == second["pixelsCleaned"] != []
    assert first["pixelReview"] == second["pixelReview"]
    assert night.run("--cleanPixels", "devices")["counts"]["current"] == 0


def test_ledger_of_4_1_is_taken_over(done: Nightly) -> None:
    _sqlite(done.ledger, "ALTER TABLE files DROP COLUMN pixels", "PRAGMA user_version = 1")
    assert done.counts() == ALL_CURRENT
    assert done.rows("PRAGMA user_version") == [(2,)]


def test_residuals_are_told_again(night: Nightly) -> None:
    night.trees.make("r.dcm", PatientName="Plantagenet^Quirin", StudyDescription="of Plantagenet")
    first, second = night.run("--verify"), night.run("--verify")
    assert second["counts"]["current"] == 5
    assert first["residuals"] == second["residuals"]
    assert first["residuals"] == [{"path": "r.dcm", "output": "r.dcm", "elements": ["StudyDescription"]}]
    assert night.counts("--verify", "--onResidual", "fail", code=1) == {
        "found": 5,
        "unchanged": 4,
        "failed": 1,
    }
    assert night.counts("--verify", "--onResidual", "fail", code=1) == {"found": 5, "current": 4, "failed": 1}


# --- names that values make


STEM = ["--outputFileStem", "%_md5|9_PatientID"]
FOLDERS = ["--outputDirTemplate", "x/%_md5|9_PatientID"]
NAMINGS = [STEM, FOLDERS, [*STEM, *FOLDERS]]


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("naming", NAMINGS, ids=str)
def test_named_outputs_are_current_without_opening_inputs(
    naming: list[str], threads: str, night: Nightly
) -> None:
    flags = [*naming, "--threads", threads]
    night.run(*flags)
    before = contents(night.trees.outputs)
    for path in night.trees.inputs.rglob("*.dcm"):
        _swap(path)
    assert night.counts(*flags) == ALL_CURRENT
    night.trees.make("s/new.dcm", PatientID="new")
    assert night.counts(*flags) == {"found": 5, "current": 4, "written": 1}
    assert before.items() < contents(night.trees.outputs).items()


@pytest.mark.parametrize("naming", NAMINGS, ids=str)
def test_file_that_is_done_keeps_its_path_before_a_new_one(naming: list[str], night: Nightly) -> None:
    night.run(*naming)
    night.trees.make("s/Before.dcm", PatientID=PATIENTS["s/c.dcm"], InstanceNumber="99")
    record = night.run(*naming, code=1 if STEM[0] in naming else 0)
    if STEM[0] in naming:
        (failure,) = record["failures"]
        assert (failure["path"], failure["stage"]) == ("s/Before.dcm", "name")
        assert "c.dcm" in failure["reason"]
    assert record["counts"]["current"] == 4


@pytest.mark.parametrize("naming", NAMINGS, ids=str)
def test_changed_input_replaces_its_output_and_a_new_name_leaves_the_old(
    naming: list[str], night: Nightly
) -> None:
    night.run(*naming)
    before = set(contents(night.trees.outputs))
    night.trees.make("s/c.dcm", PatientID=PATIENTS["s/c.dcm"], InstanceNumber="777")
    assert night.counts(*naming) == {"found": 4, "current": 3, "written": 1}
    assert set(contents(night.trees.outputs)) == before
    night.trees.make("s/c.dcm", PatientID="someone else")
    assert night.counts(*naming) == {"found": 4, "current": 3, "written": 1}
    assert len(set(contents(night.trees.outputs)) - before) == 1
    assert night.counts(*naming) == ALL_CURRENT


def _dicomdir(night: Nightly) -> None:
    record = Dataset()
    record.OffsetOfTheNextDirectoryRecord = record.OffsetOfReferencedLowerLevelDirectoryEntity = 0
    record.RecordInUseFlag = 0xFFFF
    record.DirectoryRecordType = "PATIENT"
    record.PatientID = "s/b.dcm"
    record.ReferencedFileID = ["S", "B"]
    content = data_set(SOPClassUID="1.2.840.10008.1.3.10")
    content.FileSetID = "X"
    content.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    content.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    content.FileSetConsistencyFlag = 0
    content.DirectoryRecordSequence = [record]
    save(night.trees.inputs / "DICOMDIR", content)
    night.trees.make("S/B", PatientID="s/b.dcm")


def test_dicomdir_is_done_again_where_files_move(night: Nightly) -> None:
    shutil.rmtree(night.trees.inputs)
    _dicomdir(night)
    naming = ["--outputFileStem", "%StudyID"]
    spec = ["--tagInfo", "PatientName:anon"]
    night.trees.make("S/B", StudyID="NEWNAME")
    assert night.counts(*naming, spec=spec) == {"found": 2, "written": 2}
    assert night.counts(*naming, spec=spec) == {"found": 2, "current": 1, "unchanged": 1}
    night.trees.make("S/B", StudyID="OTHER")
    assert night.counts(*naming, spec=spec) == {"found": 2, "written": 2}
    (record,) = night.trees.read("DICOMDIR").DirectoryRecordSequence
    assert list(record.ReferencedFileID) == ["S", "OTHER"]
    assert night.counts(spec=spec) == {"found": 2, "written": 2}
    assert night.counts(spec=spec) == {"found": 2, "current": 2}


# --- the file itself


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_new_ledger_is_its_owners_alone(umask: int, night: Nightly) -> None:
    old = os.umask(umask)
    try:
        Ledger(str(night.ledger), "/in", "/out", IDENTITY).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(night.ledger.stat().st_mode) == 0o600
    night.run()
    assert [path.name for path in night.ledger.parent.glob("ledger*")] == ["ledger.sqlite"]


def test_ledger_that_others_can_read_is_warned_of(done: Nightly) -> None:
    done.ledger.chmod(0o640)
    said = run_command(done.trees.inputs, done.trees.outputs, "--ledger", str(done.ledger), *SPEC).err
    assert "chmod 600" in said


def test_ledger_holds_no_value(night: Nightly, tmp_path: Path) -> None:
    night.trees.make("burned.dcm", BurnedInAnnotation="YES", PatientName="Geheim^Gustav", PatientID="P-4711")
    (tmp_path / "t.csv").write_text("original,replacement\nP-4711,Ersatz-0815\n")
    flags = ["--lookupTable", f"t={tmp_path / 't.csv'}", "--lookupMiss", "empty", "--profile", "basic"]
    spec = ["--tagInfo", "PatientID:%_lookup|t_PatientID"]
    night.run(*flags, spec=spec)
    content = night.ledger.read_bytes()
    assert b"burned.dcm" in content
    for planted in (b"Geheim", b"Gustav", b"4711", b"0815", b"Ersatz", b"Doe"):
        assert planted not in content


def test_tables_are_hidden_by_the_key_or_by_the_salt() -> None:
    table = {"t": {"DEV": "A"}}
    plain, keyed = (Identity("4", "", "", (), table, secret) for secret in (None, Secret(b"k" * 16)))
    other = Identity("4", "", "", (), {"t": {"DEV": "B"}}, None)
    digests = {one.digest(salt) for one in (plain, keyed, other, IDENTITY) for salt in (b"1" * 32, b"2" * 32)}
    assert len(digests) == 8
    assert plain.digest(b"1" * 32) == plain.digest(b"1" * 32)


def _sqlite(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def _foreign(path: Path) -> None:
    path.unlink()
    _sqlite(path, "CREATE TABLE other (x)")


def _overwritten(start: int) -> Callable[[Path], None]:
    def overwrite(path: Path) -> None:
        content = bytearray(path.read_bytes())
        for place in range(start, len(content), 512):
            content[place : place + 40] = random.Random(place).randbytes(40)
        path.write_bytes(content)

    return overwrite


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_bytes(b"x" * 5000), "not a ledger"),
        (lambda path: path.write_bytes(b"hello"), "not a ledger"),
        (_overwritten(4096), "damaged"),
        (_overwritten(120), "damaged"),
        (lambda path: os.truncate(path, path.stat().st_size // 2), "damaged"),
        (_foreign, "another program"),
        (lambda path: _sqlite(path, "PRAGMA user_version = 3"), "another version"),
        (lambda path: _sqlite(path, "DROP TABLE files"), "no such table"),
        (lambda path: (path.unlink(), path.mkdir()), "not a file"),
        (lambda path: (path.unlink(), os.mkfifo(path)), "not a file"),
        (lambda path: (path.unlink(), path.symlink_to("/dev/null")), "not a file"),
        (lambda path: (path.unlink(), path.symlink_to("nowhere/x")), "--ledger"),
    ],
    ids=[
        *("text", "short", "pages", "header", "cut", "foreign", "version", "tables"),
        *("directory", "fifo", "device", "dangling"),
    ],
)
def test_ledger_that_cannot_be_used_ends_the_run_before_the_first_file(
    spoil: Callable[[Path], None], message: str, done: Nightly
) -> None:
    spoil(done.ledger)
    kept = done.ledger.read_bytes() if done.ledger.is_file() else b""
    done.trees.make("new.dcm")
    record = done.run(code=2)
    assert message in record["error"]
    assert str(done.ledger) in record["error"]
    assert not (done.trees.outputs / "new.dcm").exists()
    if done.ledger.is_file():
        assert done.ledger.read_bytes() == kept


@pytest.mark.parametrize("path", ["nowhere/ledger", "a\0b", "in/ledger", "out/ledger", "in", "out/s"])
def test_ledger_in_a_place_that_cannot_be_is_refused(path: str, done: Nightly, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("out")
    for place in (path, path.replace("out/", "link/")):
        record = Nightly(done.trees, tmp_path / place).run(code=2)
        assert "--ledger" in record["error"]
    assert not (tmp_path / "in" / "ledger").exists()


def test_read_only_ledger_is_refused(done: Nightly) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    done.ledger.chmod(0o400)
    assert "readonly" in done.run(code=2)["error"]


def test_dry_run_leaves_the_ledger_alone(night: Nightly) -> None:
    said = run_command(
        night.trees.inputs, night.trees.outputs, "--dryRun", "--ledger", str(night.ledger), *SPEC
    )
    assert "neither reads nor writes" in said.err
    assert not night.ledger.exists()


def test_ledger_and_log_cannot_be_one_file(done: Nightly) -> None:
    with pytest.raises(json.JSONDecodeError):  # a usage error without a record of --json in process
        _ = run_command(
            *(done.trees.inputs, done.trees.outputs, "--ledger", str(done.ledger)),
            *("--log", str(done.ledger), *SPEC),
        ).record


# --- in the middle of a run


def test_outputs_are_on_the_disk_before_they_are_on_record(
    night: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[tuple[str, str]] = []
    real_sync, real_write, real_rename = os.fsync, Ledger._write, writing.rename_new

    def sync(descriptor: int) -> None:
        events.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))
        real_sync(descriptor)

    def write(self: Ledger, connection: sqlite3.Connection) -> None:
        events.extend(("row", relative) for relative, _, _ in self._waiting)
        real_write(self, connection)

    def rename(descriptor: int, temporary: str, name: str) -> None:
        folder = os.readlink(f"/proc/self/fd/{descriptor}")
        events.append(("rename", f"{folder}/{name}"))
        events.append(("of", f"{folder}/{temporary}"))
        real_rename(descriptor, temporary, name)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(writing, "rename_new", rename)
    monkeypatch.setattr(Ledger, "_write", write)
    monkeypatch.setattr(ledgers, "ROWS_AT_ONCE", 2)
    night.run()
    out = str(night.trees.outputs)
    for name in ("a.dcm", "s/b.dcm", "s/c.dcm", "s/t/d.dcm"):
        renamed = events.index(("rename", f"{out}/{name}"))
        assert events.index(("sync", events[renamed + 1][1])) < renamed
        row = events.index(("row", name))
        folder = os.path.dirname(f"{out}/{name}")
        while len(folder) >= len(out):
            assert renamed < max(
                place for place, event in enumerate(events[:row]) if event == ("sync", folder)
            )
            folder = os.path.dirname(folder)


@pytest.mark.parametrize("where", ["_write", "_sync_directories"])
@pytest.mark.parametrize("threads", ["0", "2"])
def test_ledger_that_fails_in_the_middle_loses_no_output(
    threads: str, where: str, night: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0
    real = getattr(Ledger, where)

    def failing(self: Ledger, *arguments: Any) -> None:
        nonlocal calls
        calls += 1
        if calls > 1:
            raise (
                sqlite3.OperationalError("database or disk is full") if arguments else OSError(5, "an error")
            )
        real(self, *arguments)

    monkeypatch.setattr(Ledger, where, failing)
    monkeypatch.setattr(ledgers, "ROWS_AT_ONCE", 2)
    record = night.run("--threads", threads, code=1)
    assert record["counts"]["written"] == 4
    assert record["status"] == "failed"
    assert "is full" in record["error"] or "an error" in record["error"]
    assert "done again" in record["error"]
    monkeypatch.undo()
    assert night.counts() == {"found": 4, "current": 2, "unchanged": 2}


def test_ledger_that_cannot_be_read_in_the_middle_does_all_again(
    done: Nightly, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Ledger._select
    asked = 0

    def failing(self: Ledger, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
        nonlocal asked
        asked += 1
        return real(self, query if asked < 3 else "SELECT damaged", values)

    monkeypatch.setattr(Ledger, "_select", failing)
    record = done.run(code=1)
    assert record["counts"]["current"] == 1
    assert record["counts"]["unchanged"] == 3
    assert "went on without it" in record["error"]


def test_ledger_on_a_full_disk(night: Nightly) -> None:
    """The limit on the size of a file stands in for a disk without room."""
    for number in range(600):
        night.trees.make(f"many/{'n' * 150}{number}.dcm")

    def limit(size: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    flags = ["--ledger", str(night.ledger), "--json"]
    spec = {"PatientName": "anon"}
    first = night.trees.run(*flags, spec=spec, before=limit(8192))
    assert first.code == 2
    assert "--ledger" in first.record["error"]
    assert not night.trees.outputs.exists()
    night.ledger.unlink(missing_ok=True)
    second = night.trees.run(*flags, spec=spec, before=limit(70_000))
    assert second.code == 1
    assert second.counts == {"found": 604, "written": 604}
    assert "went on without it" in second.record["error"]
    third = night.trees.run(*flags, spec=spec)
    assert third.code == 0
    assert third.counts.keys() <= {"found", "unchanged", "current"}


# --- two at once, and killed ones


def test_what_a_killed_run_left_goes_where_nothing_is_to_do_too(night: Nightly) -> None:
    night.run()
    nobody = 2**22 + 1  # a process id that no process has
    left = night.trees.outputs / "s" / temporary_name(0).replace(f"-{os.getpid()}-", f"-{nobody}-")
    left.write_bytes(b"half a file")
    assert set(night.counts()) == {"found", "current"}
    assert not left.exists()
    left.write_bytes(b"half a file")
    night.run("--dryRun")
    assert left.exists()


def test_second_run_with_a_ledger_ends_at_once(done: Nightly) -> None:
    with Ledger(str(done.ledger), "/elsewhere", "/out", IDENTITY):
        started = time.monotonic()
        done.trees.make("new.dcm")
        other = done.trees.run("--ledger", str(done.ledger), "--json")
        assert other.code == 2
        assert "another run" in other.record["error"]
        assert time.monotonic() - started < patience(10)
        assert not (done.trees.outputs / "new.dcm").exists()
        with pytest.raises(LedgerError, match="another run"):
            Ledger(str(done.ledger), "/in", "/out", IDENTITY)
    assert done.trees.run("--ledger", str(done.ledger), "--json").code == 0


SLOW = """
import os, sys, time
from pfdicom_tagSub.run import ledger
ledger.ROWS_AT_ONCE = 7
real = os.fsync
def slow(descriptor):
    time.sleep(0.008)
    real(descriptor)
os.fsync = slow
sys.argv[0] = "pfdicom_tagSub"
from pfdicom_tagSub.cli.command import run
run()
"""
"""The command on a slow disk, with a ledger that is written often."""

MANY = 300
TURNS = 24 if Selection.everything else 8
"""How often a run is killed."""
MANY_SPEC = {"PatientName": "anon", "PatientID": "%_md5|7_PatientID"}


@pytest.fixture
def many(trees: Trees, tmp_path: Path) -> Nightly:
    whole = trees.make("x.dcm", PatientID="P000").read_bytes()
    (trees.inputs / "x.dcm").unlink()
    for number in range(MANY):
        trees.add(f"{number % 3}/{number:03}.dcm", whole.replace(b"P000", b"P%03d" % number))
    return Nightly(trees, tmp_path / "ledger.sqlite")


def _start(night: Nightly, *flags: str) -> subprocess.Popen[bytes]:
    arguments = arguments_of(night.trees.inputs, night.trees.outputs, MANY_SPEC, *flags)
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, *arguments, "--ledger", str(night.ledger), "--json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def _check_rows(night: Nightly, expected: Path) -> int:
    """Every row that would be believed is true; how many there are.

    Others are of outputs that were removed, and perhaps written again but not yet on record.
    """
    if not night.ledger.exists() or not night.ledger.stat().st_size:
        return 0
    true = 0
    with suppress(sqlite3.OperationalError):  # killed before the tables were made
        rows = night.rows(
            "SELECT path, name, output_size, output_mtime_ns FROM files JOIN directories ON directory = id"
        )
        for folder, name, size, mtime_ns in rows:
            relative = os.path.join(os.fsdecode(folder), os.fsdecode(name))
            output = night.trees.outputs / relative
            if output.exists():
                true += Stamp.of(output.lstat()) == (size, mtime_ns)
                assert filecmp.cmp(output, expected / relative, shallow=False)
    return true


@pytest.mark.slow
@pytest.mark.parametrize("threads", ["0", "2"])
def test_killed_runs_lose_nothing_and_believe_nothing(threads: str, many: Nightly, tmp_path: Path) -> None:
    expected = tmp_path / "expected"
    done = run_command(many.trees.inputs, expected, "--tagStruct", json.dumps(MANY_SPEC))
    assert done.code == 0
    moments = random.Random(threads)
    killed, seen = 0, set()
    for turn in range(TURNS):
        before = len(names_in(many.trees.outputs))
        process = _start(many, "--threads", threads)
        assert wait_for(
            lambda process=process, before=before: (  # type: ignore[misc]
                len(names_in(many.trees.outputs)) > before or process.poll() is not None
            )
        )
        time.sleep(moments.uniform(0, 0.3))
        whom: Callable[[int, int], None] = os.killpg if turn % 2 else os.kill
        with suppress(ProcessLookupError):
            whom(process.pid, signal.SIGKILL)
        _, said = process.communicate()
        killed += process.returncode == -signal.SIGKILL
        assert process.returncode in {0, -signal.SIGKILL}, said
        seen.add(_check_rows(many, expected))
        if process.returncode == 0:  # it was done: begin anew, the rows are still there
            shutil.rmtree(many.trees.outputs)
            assert many.ledger.exists()
    assert killed > TURNS // 3
    assert len(seen) > TURNS // 6, "the kills came at few moments"
    final = _start(many, "--threads", threads)
    out, said = final.communicate()
    assert final.returncode == 0, said
    counts = json.loads(out)["counts"]
    assert counts["current"] + counts["unchanged"] + counts["written"] == MANY
    assert not [name for name in contents(many.trees.outputs) if PREFIX in name and threads == "0"]
    left = {name: data for name, data in contents(many.trees.outputs).items() if PREFIX not in name}
    assert left == contents(expected)
    assert _check_rows(many, expected) == MANY


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_signal_leaves_all_on_record_that_was_written(
    number: signal.Signals, threads: str, many: Nightly
) -> None:
    process = _start(many, "--threads", threads)
    assert wait_for(
        lambda: (many.trees.outputs / "0").is_dir() and len(list(many.trees.outputs.rglob("*.dcm"))) > 20
    )
    process.send_signal(number)
    out, said = process.communicate()
    assert process.returncode == 128 + number, said
    written = json.loads(out)["counts"]["written"]
    assert 0 < written < MANY
    assert len(many.rows()) == written
    assert many.counts(spec=["--tagStruct", json.dumps(MANY_SPEC)]) == {
        "found": MANY,
        "current": written,
        "written": MANY - written,
    }


def test_rows_wait_a_few_seconds_at_most(done: Nightly, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(ledgers.time, "monotonic", lambda: now)
    with Ledger(str(done.ledger), str(done.trees.inputs), str(done.trees.outputs), IDENTITY) as ledger:
        written: list[int] = []
        monkeypatch.setattr(ledger, "_write", lambda _: written.append(len(ledger._waiting)))
        finished = Finished(Stamp(1, 2))
        for passed in (0.0, 1.0, 1.5, 0.1):
            now += passed
            ledger.note(FileOutcome("x", ledgers.Status.SKIPPED, reason="why", finished=finished))
        assert written == [3]
    assert written == [3, 1]


def test_command_line_with_a_ledger_works_as_installed(night: Nightly) -> None:
    words = [COMMAND, *arguments_of(night.trees.inputs, night.trees.outputs, MANY_SPEC)]
    words += ["--ledger", str(night.ledger), "--threads", "2"]
    for turn in ("4 written", "4 current"):
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        assert turn in done.stderr


# --- a ledger that is not the run's alone


@pytest.mark.parametrize("target", ["victim", "ledger", "absent"])
def test_ledger_that_is_a_link_is_not_followed(target: str, done: Nightly, tmp_path: Path) -> None:
    (tmp_path / "victim").touch()
    link = tmp_path / "link"
    link.symlink_to(done.ledger if target == "ledger" else target)
    before = contents(tmp_path / "out"), done.ledger.read_bytes()
    record = Nightly(done.trees, link).run(code=2)
    assert "symbolic link" in record["error"]
    assert (tmp_path / "victim").read_bytes() == b""
    assert not (tmp_path / "absent").exists()
    assert before == (contents(tmp_path / "out"), done.ledger.read_bytes())


def test_ledger_that_has_a_second_name_is_refused(done: Nightly, tmp_path: Path) -> None:
    (tmp_path / "second").hardlink_to(done.ledger)
    assert "hard link" in done.run(code=2)["error"]
    (tmp_path / "second").unlink()
    assert done.run()["exitCode"] == 0


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_ledger_that_others_may_write_to_is_refused(mode: int, done: Nightly) -> None:
    done.ledger.chmod(mode)
    assert "chmod go-w" in done.run(code=2)["error"]
    done.ledger.chmod(mode & ~0o022)
    assert done.run()["exitCode"] == 0


def test_ledger_that_is_replaced_while_it_is_opened_is_refused(
    done: Nightly, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ledgers.lock_and_prepare

    def swap(*arguments: Any) -> tuple[int, int]:
        done.ledger.rename(tmp_path / "moved")
        done.ledger.symlink_to("moved")
        return real(*arguments)

    monkeypatch.setattr(ledgers, "lock_and_prepare", swap)
    assert "took its place" in done.run(code=2)["error"]
