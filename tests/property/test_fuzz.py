"""Damaged files: a clean failure or a correct output; never a hang, a crash or a leak."""

from __future__ import annotations

import random
import signal
import struct
import tracemalloc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pydicom.data
import pytest
from builders import (
    DEFLATED,
    EXPLICIT,
    FORMS,
    IMPLICIT,
    data_set,
    element,
    file_of,
    item,
    nested,
    process,
    rules_of,
    written,
)
from pydicom import Dataset

from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

SECRET = "PLANTED"
SPEC = {
    "PatientName": "ANON",
    "PatientID": "%_md5|7_PatientID",
    "re:.*Description": "%_nospc|-_Modality",
    "re:.*Comments": None,
    "AccessionNumber": "%_strmsk|xxxxxxxxxx_#tag",
}
TEST_FILES = Path(pydicom.data.__file__).parent / "test_files"
NAMES = [
    "rtplan.dcm",
    "nested_priv_SQ.dcm",
    "UN_sequence.dcm",
    "SC_rgb_rle.dcm",
    "dicomdirtests/DICOMDIR",
    "test-SR.dcm",
]


def planted() -> Dataset:
    """A data set that says the secret in every element that the spec replaces."""
    inner = nested(
        data_set(PatientName=SECRET, StudyDescription=SECRET), keyword="ContentSequence", PatientID=SECRET
    )
    made = nested(inner, data_set(AccessionNumber=SECRET), PatientName=SECRET, PatientID=SECRET)
    made.PatientComments = SECRET * 20
    made.AccessionNumber = SECRET
    made.Modality = "MR"
    return made


def originals() -> list[bytes]:
    found = [
        written(planted(), form, undefined=undefined)
        for form in (*FORMS, DEFLATED)
        for undefined in (False, True)
    ]
    return found + [(TEST_FILES / name).read_bytes() for name in NAMES]


def damages(content: bytes, chance: random.Random) -> Iterator[bytes]:
    """Cut, flipped, overwritten and repeated bytes, lying lengths."""
    for _ in range(12):
        yield content[: chance.randrange(len(content))]
    for _ in range(25):
        damaged = bytearray(content)
        for _ in range(chance.choice([1, 1, 2, 8])):
            damaged[chance.randrange(128, len(damaged))] = chance.randrange(256)
        yield bytes(damaged)
    for _ in range(25):
        damaged = bytearray(content)
        place = chance.randrange(128, len(damaged) - 4) & ~1
        lie = chance.choice([0, 1, 0xFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
        damaged[place : place + 4] = struct.pack(chance.choice("<>") + "I", lie)
        yield bytes(damaged)
    for _ in range(5):
        place = chance.randrange(132, len(content)) & ~1
        yield content[:place] + content[place - 20 :]


@pytest.fixture
def alarm() -> Iterator[None]:
    """No file may take longer than this, by far."""

    def ring(signum: int, frame: object) -> None:
        pytest.fail("it hangs")

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, previous)


@pytest.mark.parametrize("seed", range(len(originals())))
def test_damage_is_a_clean_failure_or_a_file(
    seed: int, alarm: None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    content = originals()[seed]
    worker = Worker(Settings(rules_of(SPEC)))
    ends = set()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for damaged in damages(content, random.Random(seed)):
            outcome = process(worker, damaged, tmp_path).outcome
            ends.add(outcome.status)
            assert outcome.status in {Status.WRITTEN, Status.FAILED, Status.SKIPPED}
            assert "internal error" not in outcome.reason
            assert bool(outcome.reason) is (outcome.status is not Status.WRITTEN)
            assert SECRET not in outcome.reason
    assert Status.FAILED in ends
    assert SECRET not in "".join(str(one.message) for one in warned)
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize("seed", range(3))
def test_cut_files_that_are_written_keep_no_secret(seed: int, alarm: None, tmp_path: Path) -> None:
    """What is left of a cut file is still substituted."""
    content = written(planted(), FORMS[seed])
    worker = Worker(Settings(rules_of(SPEC)))
    for length in range(150, len(content), 3):
        result = process(worker, content[:length], tmp_path)
        assert SECRET.encode() not in result.content


def test_deep_nesting_is_a_clean_failure(alarm: None, tmp_path: Path) -> None:
    for form in (EXPLICIT, IMPLICIT):
        head = element(0x0040A730, "SQ", b"", form, 0xFFFFFFFF) + item(b"", form, defined=False)[:8]
        result = process(Worker(Settings(rules_of(SPEC))), file_of(head * 20_000, form), tmp_path)
        assert result.outcome.status is Status.FAILED
        assert "internal" not in result.outcome.reason


def test_huge_lengths_take_no_memory(alarm: None, tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        for form in FORMS:
            for vr in ("UN", "OB", "SQ", "UT"):
                content = file_of(element(0x00104000, vr, b"", form, 0xFFFFFFF0), form)
                result = process(Worker(Settings(rules_of(SPEC))), content, tmp_path)
                assert result.outcome.status is Status.FAILED
        assert tracemalloc.get_traced_memory()[1] < 50 << 20
    finally:
        tracemalloc.stop()
