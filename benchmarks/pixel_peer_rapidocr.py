"""Looks at pictures with rapidocr's detector of text, in an environment of its own.

Use: ``python pixel_peer_rapidocr.py IN OUT`` for the files of a folder: each frame is shown once, from its
darkest to its lightest, outputs are copies, and the boxes of each file are told. Or ``python
pixel_peer_rapidocr.py PICTURES.npy`` for the seconds of one look at each of (pictures, rows, columns, 3).
Prints one JSON object. The environment has rapidocr-onnxruntime 1.4.4 (Python before 3.13), pydicom, and
pylibjpeg with its packages.
"""

import json
import shutil
import sys
import time
import warnings
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import yaml
from pydicom.pixels.processing import apply_color_lut
from rapidocr_onnxruntime.ch_ppocr_det import TextDetector

MARGIN = 4
"""How many pixels are taken for blackened around a box."""


def plain_detector() -> Any:
    """The detector in one thread, of its usual size: 736 pixels for the shorter side."""
    folder = resources.files("rapidocr_onnxruntime")
    config = yaml.safe_load((folder / "config.yaml").read_text())["Det"]
    model = str(folder / config["model_path"])
    threads = {"intra_op_num_threads": 1, "inter_op_num_threads": 1}
    return TextDetector({**config, **threads, "model_path": model})


def shown(path: Path) -> np.ndarray:
    """The frames of a file for the detector: (frames, rows, columns, 3)."""
    made = pydicom.dcmread(path)
    with warnings.catch_warnings(action="ignore"):
        numbers = made.pixel_array
    if made.PhotometricInterpretation == "PALETTE COLOR":
        numbers = apply_color_lut(numbers, made)
    if made.PhotometricInterpretation == "MONOCHROME1":
        numbers = numbers.max() - numbers
    if made.SamplesPerPixel == 1 and made.PhotometricInterpretation != "PALETTE COLOR":
        numbers = np.repeat(numbers[..., None], 3, axis=-1)
    frames = numbers.reshape(-1, made.Rows, made.Columns, 3).astype(np.float32)
    low, high = float(np.min(frames)), float(np.max(frames))
    return np.asarray((frames - low) * (255 / max(high - low, 1)), np.uint8)


def files(source: Path, output: Path) -> dict[str, Any]:
    """What is found in the files of a folder."""
    find = plain_detector()
    output.mkdir(parents=True, exist_ok=True)
    boxes: dict[str, list[list[int]]] = {}
    failed = []
    start = time.process_time()
    for path in sorted(source.glob("*.dcm")):
        try:
            frames = shown(path)
        except Exception as error:  # whatever it raises, the file has no output
            failed.append(f"{path.name}: {type(error).__name__}")
            continue
        boxes[path.name] = []
        for number, frame in enumerate(frames):
            found, _ = find(frame)
            for box in found if found is not None else ():
                (left, top), (right, bottom) = box.min(axis=0) - MARGIN, box.max(axis=0) + MARGIN
                boxes[path.name].append([number, *map(int, (left, top, right - left, bottom - top))])
        shutil.copy(path, output / path.name)
    return {"seconds": time.process_time() - start, "failed": failed, "boxes": boxes}


def looks(path: Path) -> dict[str, Any]:
    """The seconds of one look at each picture."""
    find = plain_detector()
    pictures = np.load(path)
    find(pictures[0])  # the first look makes room
    start = time.process_time()
    for picture in pictures:
        find(picture)
    return {"seconds": (time.process_time() - start) / len(pictures)}


def main() -> None:
    paths = [Path(path) for path in sys.argv[1:]]
    print("RESULT" + json.dumps(files(*paths) if len(paths) == 2 else looks(*paths)))


main()
