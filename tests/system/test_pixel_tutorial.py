"""The tutorial on pictures: its commands run, and do what it says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pydicom
import pytest
from pages import blocks
from support import ROOT

pytest.importorskip("onnxruntime", reason="what runs the network is not installed")

SECTOR = slice(100, 190), slice(200, 280)
LABEL = slice(203, 217), slice(202, 312)


def test_tutorial_cleans_its_pictures(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    make, see, clean, mask = blocks("docs/clean-pictures.rst")
    for code in (make, see, clean, mask):
        environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", code],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        if code == see:
            assert not (tmp_path / "cleaned").exists()
            assert (tmp_path / "before.html").stat().st_mode & 0o777 == 0o600
        if code == clean:
            check_first(tmp_path)
    capture = pydicom.dcmread(tmp_path / "cleaned" / "capture.dcm").pixel_array
    assert not capture[:50, 400:].any()
    assert "capture.dcm" in (tmp_path / "after.html").read_text()


def check_first(folder: Path) -> None:
    record = json.loads((folder / "record.json").read_text())
    assert [one["path"] for one in record["pixelsCleaned"]] == ["capture.dcm", "ultrasound.dcm"]
    before, after = (
        pydicom.dcmread(folder / tree / "ultrasound.dcm").pixel_array for tree in ("pictures", "cleaned")
    )
    assert before[:, :40].any()
    assert not after[:, :40].any()
    assert (before[:, *SECTOR] == after[:, *SECTOR]).all()
    assert not after[3][LABEL].any()
    assert (before[2][LABEL] == after[2][LABEL]).all()
    capture = pydicom.dcmread(folder / "cleaned" / "capture.dcm")
    assert capture.BurnedInAnnotation == "NO"
    assert int(capture.pixel_array.max()) <= 70
    assert "BurnedInAnnotation" not in pydicom.dcmread(folder / "cleaned" / "slice.dcm")
