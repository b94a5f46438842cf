"""Make the pictures of the tutorial on pixels from its synthetic files, before and after cleaning.

Use: ``python tools/make_tutorial_pictures.py``, after the detector or the synthetic files changed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import PIL.Image
import pydicom

ROOT = Path(__file__).resolve().parent.parent
PICTURES = {"ultrasound-frame-1": ("ultrasound.dcm", 0), "ultrasound-frame-4": ("ultrasound.dcm", 3)}
PICTURES |= {"capture": ("capture.dcm", 0)}


def frame_of(path: Path, index: int) -> np.ndarray:
    """A frame of a file."""
    found = pydicom.dcmread(path).pixel_array
    return found[index] if found.ndim == 3 else found


def main() -> None:
    """Write them to docs/images, input and output side by side."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, ROOT / "examples" / "make_pictures.py", folder / "in"], check=True)
        flags = ["--tagInfo", "PatientName:ANON", "--cleanPixels", "regions,devices,text", "-v", "0"]
        command: list[str | Path] = [
            sys.executable,
            "-m",
            "pfdicom_tagSub",
            folder / "in",
            folder / "out",
            *flags,
        ]
        subprocess.run(command, check=True)
        for picture, (file, index) in PICTURES.items():
            sides = [frame_of(folder / tree / file, index) for tree in ("in", "out")]
            gap = np.full((sides[0].shape[0], 12), 255, np.uint8)
            made = PIL.Image.fromarray(np.hstack([sides[0], gap, sides[1]]))
            made.save(ROOT / "docs" / "images" / f"{picture}.jpg", quality=70)


main()
