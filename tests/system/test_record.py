"""The record of ``--json``: it fits its schema, its counts add up, and it says what was really done."""

from __future__ import annotations

import collections
from pathlib import Path
from typing import Any

import pydicom
import pytest
from faker import VERSION
from installed import (
    MIXED,
    Done,
    Spec,
    Trees,
    checked_record,
    contents,
    data_set,
    mixed_tree,
    read,
    run,
    save,
    walk_elements,
)
from pydicom.dataset import Dataset

from pfdicom_tagSub import __version__

ACTIONS = ("substituted", "removed", "emptied", "inserted", "cut", "invalid")
ANON = {"PatientName": "anon"}


@pytest.mark.parametrize(
    ("flags", "spec", "code", "status"),
    [
        ([], ANON, 1, "failed"),
        (["--fileFilter", "series,.dcm", "--dirFilter", "syntaxes"], ANON, 0, "ok"),
        (["--inputFile", "nowhere"], ANON, 0, "ok"),
        (["--removePrivateTags"], {}, 1, "failed"),
        (["--outputFileStem", "%PatientID"], ANON, 1, "failed"),
        (["--followLinks", "--maxDepth", "0"], ANON, 1, "failed"),
        (["--verbosity", "0", "--threads", "2"], {"re:.*": ""}, 1, "failed"),
        ([], {"PatientNmae": ""}, 2, "error"),
        ([], {}, 2, "error"),
        (["--threads", "-3"], ANON, 2, "error"),
        (["--outputLeafDir", "x"], ANON, 2, "error"),
        (["--outputDir", "/dev/null/x"], ANON, 2, "error"),
    ],
    ids=str,
)
def test_record_of_any_run_fits_the_schema(
    flags: list[str], spec: Spec, code: int, status: str, trees: Trees
) -> None:
    mixed_tree(trees.inputs)
    done = trees.run("--json", *flags, spec=spec)
    record = done.record
    assert (done.code, record["exitCode"], record["status"]) == (code, code, status)
    assert (record["error"] != "") == (code == 2)
    assert record["version"] == __version__
    assert record["versions"]["pydicom"] == pydicom.__version__
    assert record["versions"]["Faker"] == VERSION
    assert len(record["specDigest"]) == (64 if code != 2 else 0)


def _comparable(done: Done) -> dict[str, Any]:
    return {**done.record, "runTime": 0}


@pytest.mark.parametrize("flags", [[], ["--removePrivateTags", "--outputFileStem", "%PatientID"]], ids=str)
def test_record_is_the_same_for_every_number_of_workers(flags: list[str], trees: Trees) -> None:
    mixed_tree(trees.inputs)
    records = []
    for threads in ("0", "1", "2", "3", "4"):
        outputs = trees.outputs / threads
        records += [_comparable(run(trees.inputs, outputs, "--json", "--threads", threads, *flags))]
        again = _comparable(run(trees.inputs, outputs, "--json", "--threads", threads, *flags))
        assert again["elements"] == records[-1]["elements"]
    assert all(record == records[0] for record in records)
    assert records[0]["elements"]


def test_counts_agree_with_the_trees(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    done = trees.run("--json")
    assert done.counts == MIXED
    assert len(trees.written) == done.record["counts"]["written"]
    assert len(contents(trees.inputs)) == done.record["counts"]["found"]
    assert not set(trees.written) & (done.failures.keys() | done.skipped.keys())
    assert set(trees.written) | done.failures.keys() | done.skipped.keys() == set(contents(trees.inputs))
    for failure in done.record["failures"]:
        assert not Path(failure["path"]).is_absolute()
        assert failure["stage"] == "read"


def test_failures_and_skipped_are_in_the_order_of_the_tree(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    record = trees.run("--json", "--threads", "3").record
    assert [failure["path"] for failure in record["failures"]] == ["cut.dcm", "series/cut.dcm"]
    assert [skipped["path"] for skipped in record["skipped"]] == [
        *("empty.dcm", "fifo.dcm", "link.dcm", "notes.txt")
    ]


def test_digest_tells_specs_apart(trees: Trees) -> None:
    def digest(*flags: str, spec: Spec | None = None) -> str:
        return str(trees.run("--json", *flags, spec=spec).record["specDigest"])

    one = digest(spec={"PatientName": "a", "PatientID": "b"})
    assert digest("--tagInfo", "PatientName:a++PatientID:b") == one
    assert digest("--threads", "2", spec={"PatientName": "a", "PatientID": "b"}) == one
    assert len({one, digest(spec={"PatientName": "a"}), digest(spec={"PatientName": None})}) == 3


# --- what was really done


def _done_to(before: Dataset, after: Dataset) -> collections.Counter[tuple[str, str]]:
    """What differs between an input and its output, element by element, told as the record does."""
    found: collections.Counter[tuple[str, str]] = collections.Counter()
    tags = sorted({*before.keys(), *after.keys()})
    for tag in tags:
        old, new = before.get(tag), after.get(tag)
        some = old if old is not None else new
        assert some is not None
        label = "private" if some.tag.is_private else some.keyword
        if old is None:
            found[label, "inserted"] += 1
        elif new is None:
            found[label, "removed"] += 1
        elif old.VR == "SQ" and len(old.value) == len(new.value):
            for left, right in zip(old.value, new.value, strict=True):
                found += _done_to(left, right)
        elif old != new:
            found[label, "substituted" if new.value not in (None, "", []) else "emptied"] += 1
    return found


def _told(record: dict[str, Any]) -> collections.Counter[tuple[str, str]]:
    """The record's elements; what is cut was substituted, and what is invalid was emptied."""
    as_seen = {"cut": "substituted", "invalid": "emptied"}
    told: collections.Counter[tuple[str, str]] = collections.Counter()
    for label, row in record["elements"].items():
        assert list(row) == list(ACTIONS)
        for action, count in row.items():
            if count:
                told[label, as_seen.get(action, action)] += count
    return told


SPECS: dict[str, tuple[Spec, list[str]]] = {
    "all actions": (
        {
            "PatientName": "#tag",
            "PatientID": "%_md5_PatientID",
            "StudyDescription": "",
            "SeriesDescription": None,
            "StationName": "stamped",
            "PatientBirthDate": "%_md5_PatientBirthDate",
            "AccessionNumber": "%_md5_AccessionNumber",
            "SOPInstanceUID": "1.2.3.4",
            "ReferencedStudySequence": "",
        },
        [],
    ),
    "private": ({"PatientName": "other"}, ["--removePrivateTags"]),
    "pattern": ({"re:.*(Name|ID)$": "%_md5|5_#tag"}, []),
}


def _grow(trees: Trees) -> None:
    for number in range(6):
        inner = Dataset()
        inner.PatientName = f"Inner^{number}"
        inner.AccessionNumber = f"A{number}"
        inner.PatientBirthDate = "19700101"
        outer = Dataset()
        outer.RequestAttributesSequence = [inner, inner]
        outer.SeriesDescription = "inner"
        content = data_set(
            PatientID=f"P{number}",
            StudyDescription=f"study {number}",
            SeriesDescription=f"series {number}",
            PatientBirthDate="19700203",
            AccessionNumber=f"B{number}",
            SOPInstanceUID=f"1.2.840.{number}",
            ReferencedStudySequence=[inner],
            RequestAttributesSequence=[outer, inner],
        )
        content.add_new(0x00290010, "LO", "MAKER")
        content.add_new(0x00291001, "LO", f"private {number}")
        save(trees.inputs / f"{number % 2}" / f"{number}.dcm", content)


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("which", SPECS)
def test_elements_count_what_was_really_done(which: str, threads: str, trees: Trees) -> None:
    spec, flags = SPECS[which]
    _grow(trees)
    done = trees.run("--json", "--threads", threads, *flags, spec=spec)
    assert done.code == 0
    seen: collections.Counter[tuple[str, str]] = collections.Counter()
    for name in trees.written:
        before, after = read(trees.inputs / name), trees.read(name)
        seen += _done_to(before, after)
        seen += _done_to(before.file_meta, after.file_meta)
        seen["FileMetaInformationGroupLength", "substituted"] = 0
    told = _told(done.record)
    assert +seen == told
    rows = done.record["elements"].values()
    if which == "all actions":
        assert all(any(row[action] for row in rows) for action in ACTIONS)


def test_elements_of_files_that_failed_do_not_count(trees: Trees) -> None:
    _grow(trees)
    whole = (trees.inputs / "0" / "0.dcm").read_bytes()
    for number in range(5):
        trees.add(f"cut{number}.dcm", whole[:-1])
    (trees.outputs / "0" / "2.dcm").mkdir(parents=True)
    done = trees.run("--json", spec={"PatientID": "x"})
    assert done.counts == {"found": 11, "written": 5, "failed": 6}
    assert done.record["elements"]["PatientID"]["substituted"] == 5


def test_unchanged_files_count_what_their_outputs_hold(trees: Trees) -> None:
    _grow(trees)
    spec, flags = SPECS["all actions"]
    first = trees.run("--json", *flags, spec=spec)
    second = trees.run("--json", *flags, spec=spec)
    assert second.counts == {"found": 6, "unchanged": 6}
    assert second.record["elements"] == first.record["elements"]


def test_file_that_holds_nothing_to_replace_counts_no_element(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--json", spec={"re:.*hysician.*": "x"})
    assert (done.counts, done.record["elements"]) == ({"found": 1, "written": 1}, {})
    assert contents(trees.outputs) == contents(trees.inputs)
    assert list(walk_elements(trees.read("a.dcm")))


def test_record_is_ascii_whatever_the_names_are(trees: Trees) -> None:
    trees.add("Zo\xeb\u5c71\n\udcff.dcm", trees.make("a.dcm").read_bytes()[:-1])
    done = trees.run("--json")
    assert done.out.isascii()
    assert list(done.failures) == ["Zo\xeb\u5c71\n\udcff.dcm"]
    assert checked_record(done.out) == done.record
