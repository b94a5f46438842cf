"""Why a file failed, in words: never that it succeeded."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.error_outcomes import outcome_of

JOB = FileJob("/in/a.dcm", "/out/a.dcm", "a.dcm")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(), "internal error: OSError"),
        (OSError("a text that may quote a value"), "internal error: OSError"),
        (OSError(0, "Success"), "internal error: OSError"),
        (TimeoutError(), "internal error: TimeoutError"),
        (
            OSError(errno.EIO, "x"),
            "Input/output error (EIO): see the system's log about the disk and run again",
        ),
        (MemoryError(), "out of memory"),
        (ValueError("Doe^Jane"), "internal error: ValueError"),
        (FileError("why"), "why"),
    ],
    ids=repr,
)
def test_reason_of_an_error_is_the_systems_or_the_type(error: Exception, reason: str) -> None:
    outcome = outcome_of(error, JOB, Stage.READ)
    assert (outcome.status, outcome.stage, outcome.reason) == (Status.FAILED, Stage.READ, reason)
    assert "Success" not in outcome.reason


def test_reason_says_what_a_link_to_nothing_is(tmp_path: Path) -> None:
    link, gone = tmp_path / "link", tmp_path / "gone"
    link.symlink_to("nowhere")
    error = OSError(errno.ENOENT, "x")
    told = [outcome_of(error, FileJob(str(path), "/out/a", "a"), Stage.READ).reason for path in (link, gone)]
    assert "a link to what is not there" in told[0]
    assert "it was there and is gone; run again" in told[1]
