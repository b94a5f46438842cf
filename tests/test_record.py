"""The record of ``--json`` against what was really done."""

from __future__ import annotations

from collections import Counter

import pytest
from installed import Trees, data_set, mixed_tree, read, save, walk_elements
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import README_SPEC

SPEC = {
    "PatientID": "%_md5|8_PatientID",
    "PatientName": "",
    "StudyID": None,
    "StationName": "%_strmsk|********************XXXXX_StudyDescription",
    "StudyDate": "%_md5|8_StudyDate",
    "PatientComments": "stamped",
}


def _filled() -> Dataset:
    content = data_set(StudyID="S", StationName="was", StudyDate="20200101")
    content.StudyDescription = "a description that is longer than a station name may be"
    inner = Dataset()
    inner.PatientID = "INNER"
    inner.StudyID = "S2"
    content.RequestAttributesSequence = Sequence([inner, inner])
    return content


def test_elements_count_what_was_done(trees: Trees) -> None:
    save(trees.inputs / "a.dcm", _filled())
    record = trees.run("--json", spec=SPEC).record
    done = {
        keyword: {action: count for action, count in counts.items() if count}
        for keyword, counts in record["elements"].items()
    }
    assert done == {
        "PatientID": {"substituted": 3},
        "PatientName": {"emptied": 1},
        "StudyID": {"removed": 3},
        "StationName": {"cut": 1},
        "StudyDate": {"invalid": 1},
        "PatientComments": {"inserted": 1},
    }


def test_elements_agree_with_the_files(trees: Trees) -> None:
    save(trees.inputs / "a.dcm", _filled())
    record = trees.run("--json", spec={"PatientID": "%_md5|8_PatientID", "StudyID": None}).record
    before = Counter(element.keyword for element in walk_elements(read(trees.inputs / "a.dcm")))
    after = Counter(element.keyword for element in walk_elements(trees.read("a.dcm")))
    assert record["elements"]["StudyID"]["removed"] == before["StudyID"] - after["StudyID"] == 3
    assert record["elements"]["PatientID"]["substituted"] == after["PatientID"] == 3


def test_private_elements_are_counted_together(trees: Trees) -> None:
    content = data_set()
    block = content.private_block(0x0029, "ACME", create=True)
    block.add_new(0x10, "LO", "x")
    block.add_new(0x11, "LO", "y")
    save(trees.inputs / "a.dcm", content)
    record = trees.run("--json", "--removePrivateTags", spec={}).record
    assert record["elements"]["private"]["removed"] == 3  # the creator is one


def test_record_is_the_same_for_every_number_of_workers(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    records = []
    for threads in ("0", "1", "2", "4"):
        done = trees.run("--json", "--threads", threads, "--overwrite", spec=README_SPEC)
        record = done.record
        record["runTime"] = 0.0
        records.append(record)
    first = records[0]
    assert first["counts"]["written"] > 0
    for record in records[1:]:
        # The first run wrote what the others find.
        record["counts"]["written"], record["counts"]["unchanged"] = (
            record["counts"]["unchanged"],
            record["counts"]["written"],
        )
        assert record == first


@pytest.mark.parametrize(
    ("flags", "status", "code"),
    [
        ((), "ok", 0),
        (("--tagFile", "/nowhere.json"), "error", 2),
    ],
)
def test_status_goes_with_the_exit_code(trees: Trees, flags: tuple[str, ...], status: str, code: int) -> None:
    trees.make("a.dcm")
    done = trees.run("--json", *flags, spec=None if flags else README_SPEC)
    assert done.code == code
    assert (done.record["status"], done.record["exitCode"]) == (status, code)
    assert bool(done.record["error"]) == (code == 2)


def test_failures_and_skips_name_path_stage_and_reason(trees: Trees) -> None:
    trees.make("good.dcm")
    trees.add("sub/notes.txt", b"hello")
    whole = trees.make("cut.dcm", PatientComments="x" * 100).read_bytes()
    (trees.inputs / "cut.dcm").write_bytes(whole[:-10])
    record = trees.run("--json").record
    assert record["status"] == "failed"
    assert [(failure["path"], failure["stage"]) for failure in record["failures"]] == [("cut.dcm", "read")]
    assert record["failures"][0]["reason"]
    assert record["skipped"] == [{"path": "sub/notes.txt", "reason": "not DICOM"}]


def test_rerun_counts_unchanged(trees: Trees) -> None:
    trees.make("a.dcm")
    assert trees.run("--json").counts == {"found": 1, "written": 1}
    assert trees.run("--json").counts == {"found": 1, "unchanged": 1}
    assert trees.run("--json", spec={"PatientID": "other"}).counts == {"found": 1, "failed": 1}
    assert trees.run("--json", "--overwrite", spec={"PatientID": "other"}).counts == {
        "found": 1,
        "written": 1,
    }
