"""The steps for a file are linear in its size, in whatever respect it grows.

Steps are lines of this package that are run, so that the machine's load says nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from growing import SHAPES, Shape

import pfdicom_tagSub
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.verify import needle_search
from pfdicom_tagSub.verify.needle_search import likely_in
from pfdicom_tagSub.verify.search_terms import Needle

PACKAGE = str(Path(pfdicom_tagSub.__file__).parent)
SMALL = 200
TIMES = 4
MOST = 1.6
"""So many times more steps than a linear growth may be counted; a quadratic one has four times more."""


def _steps(shape: Shape, size: int, folder: Path) -> int:
    """How many lines are run for a file, those of processing a file with nothing to grow left out."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(shape.make(size))
    target.unlink(missing_ok=True)
    worker = Worker(Settings(shape.rules(), verify=shape.verify, renames=shape.renames))
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        count += event in ("line", "call")
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        outcome = worker.process(FileJob(str(source), str(target), "in.dcm"))
    finally:
        sys.settrace(before)
    assert outcome.status is Status.WRITTEN, outcome.reason
    return count


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SHAPES)
def test_steps_grow_as_the_file_does(name: str, tmp_path: Path) -> None:
    shape = SHAPES[name]
    _steps(shape, SMALL // 4, tmp_path)  # what is imported and made once
    small, large = (_steps(shape, size, tmp_path) for size in (SMALL, SMALL * TIMES))
    assert large < TIMES * MOST * small, f"{small} and {large} steps"


def test_needles_that_are_likely_in_data_are_all_that_are_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"seen doe^jane and 4711\0 at the end: tail-end"
    texts = [
        b"doe^jane",
        b"jane",
        b"4711",
        b"47",
        b"tail-end",
        b"seen",
        b"mary",
        b"doe^john",
        b"9999999999",
        b"no",
    ]
    needles = [Needle(text) for text in texts]
    assert likely_in(data, needles) == needles
    monkeypatch.setattr(needle_search, "FEW_STEPS", 0)
    found = [needle.folded for needle in likely_in(data, needles)]
    assert found == [b"doe^jane", b"jane", b"4711", b"47", b"tail-end", b"seen", b"no"]
    for rest in (b"", b"abc", b"4711"):
        assert [one.folded for one in likely_in(rest, needles) if one.folded in rest] == [
            text for text in texts if text in rest
        ]


def test_ids_whose_digits_are_in_uids_are_not_likely_in_data() -> None:
    """Each would be looked for in all of the data: a DICOMDIR has more of both with each record."""
    numbers = range(1000, 9000)
    uids = b"\n".join(b"1.2.826.%d.7" % number for number in numbers)
    needles = [Needle(b"%s%d" % (text, number)) for text in (b"id", b"name") for number in numbers]
    assert len(needles) * len(uids) >= needle_search.FEW_STEPS
    assert not likely_in(uids, needles)
