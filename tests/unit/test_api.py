"""The functions for Python, called again and again: what a thread keeps of the last call changes nothing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from builders import data_set, read, written

import pfdicom_tagSub as tagsub
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import Status

OLD = "Doe^Jane"


def _content(number: int) -> bytes:
    return written(data_set(PatientName=OLD, PatientID=f"ID-{number}", StudyDate="20200131"))


def _rules(name: str) -> tagsub.RuleSet:
    return tagsub.compile_spec({"PatientName": name, "PatientID": "%_md5|7_PatientID"})


def _expected(content: bytes, name: str) -> bytes:
    """By rules that were never used before."""
    return tagsub.patch_bytes(content, _rules(name))


def test_rules_in_turn_give_each_its_own() -> None:
    first, second = _rules("first"), _rules("second")
    for number in range(4):
        content = _content(number)
        assert tagsub.patch_bytes(content, first) == _expected(content, "first")
        assert tagsub.patch_bytes(content, second) == _expected(content, "second")
        with pytest.raises(tagsub.FileError):
            tagsub.patch_bytes(content[:-3], second)


def test_equal_rules_are_told_apart_by_what_they_are() -> None:
    """Equality of rules is not asked: another object may come from another spec."""
    content = _content(1)
    assert read(tagsub.patch_bytes(content, _rules("a"))).PatientName == "a"
    assert read(tagsub.patch_bytes(content, _rules("b"))).PatientName == "b"


def test_threads_do_not_share() -> None:
    rules = _rules("x")
    contents = [_content(number) for number in range(40)]
    expected = [_expected(content, "x") for content in contents]
    results: list[list[bytes]] = [[] for _ in range(4)]

    def work(mine: list[bytes]) -> None:
        mine.extend(tagsub.patch_bytes(content, rules) for content in contents)

    threads = [threading.Thread(target=work, args=(mine,)) for mine in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_files_in_turn_are_written_as_each_call_says(tmp_path: Path) -> None:
    rules = _rules("x")
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(_content(1))
    assert tagsub.patch_file(source, target, rules).status is Status.WRITTEN
    source.write_bytes(_content(2))
    outcome = tagsub.patch_file(source, target, rules)
    assert (outcome.status, "--overwrite" in outcome.reason) == (Status.FAILED, True)
    assert tagsub.patch_file(source, target, rules, overwrite=True).status is Status.WRITTEN
    assert target.read_bytes() == _expected(_content(2), "x")
    source.write_bytes(written(data_set(PatientName=OLD, PatientComments=f"called {OLD}")))
    outcome = tagsub.patch_file(source, target, rules, overwrite=True, verify=True)
    assert (outcome.status, outcome.residuals) == (Status.WRITTEN, ("PatientComments",))


def test_folders_above_an_output_are_no_part_of_its_path(tmp_path: Path) -> None:
    rules = _rules("x")
    source, folder = tmp_path / "in.dcm", tmp_path / "Doe Jane"
    folder.mkdir()
    source.write_bytes(_content(1))
    for verify in (False, True):
        outcome = tagsub.patch_file(source, folder / "out.dcm", rules, overwrite=True, verify=verify)
        assert (outcome.path_holds_value, outcome.residuals) == (False, ())
        assert outcome.is_telling is outcome.path_holds_value  # its name in 4.1
        outcome = tagsub.patch_file(source, folder / "jane.dcm", rules, overwrite=True, verify=verify)
        assert (outcome.path_holds_value, outcome.residuals) == (True, ("path",) if verify else ())


def test_no_directory_stays_open(tmp_path: Path) -> None:
    source = tmp_path / "in.dcm"
    source.write_bytes(_content(1))
    rules = _rules("x")
    before = len(os.listdir("/proc/self/fd"))
    for number in range(3):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        assert tagsub.patch_file(source, folder / "out.dcm", rules).status is Status.WRITTEN
    assert len(os.listdir("/proc/self/fd")) == before


def test_directory_that_was_made_anew_is_written_to(tmp_path: Path) -> None:
    source, folder = tmp_path / "in.dcm", tmp_path / "out"
    source.write_bytes(_content(1))
    rules = _rules("x")
    for _ in range(2):
        folder.mkdir()
        assert tagsub.patch_file(source, folder / "a.dcm", rules).status is Status.WRITTEN
        (folder / "a.dcm").unlink()
        folder.rmdir()
    outcome = tagsub.patch_file(source, folder / "a.dcm", rules)
    assert (outcome.status, "ENOENT" in outcome.reason) == (Status.FAILED, True)


def test_run_report_knows_its_attributes_by_their_names_in_4_1() -> None:
    report = tagsub.RunReport(ExitCode.OK, {}, {}, paths_with_values=3)
    assert report.telling_paths == 3
