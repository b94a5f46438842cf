"""Make synthetic pictures with names burned in: an ultrasound cine, a captured screen, a slice without text.

Use: ``python examples/make_pictures.py FOLDER``. The same bytes each time; nobody is in them. The tutorial on
pixels takes them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
import pydicom
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

ROWS, COLUMNS = 360, 480


def _written(plane: np.ndarray, *lines: tuple[int, int, str]) -> np.ndarray:
    shown = PIL.Image.fromarray(plane)
    draw = PIL.ImageDraw.Draw(shown)
    for x, y, text in lines:
        draw.text((x, y), text, fill=235, font=PIL.ImageFont.load_default(16))
    return np.asarray(shown)


def _file(sop_class: str, number: int, frames: np.ndarray, **elements: object) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = sop_class, f"1.2.826.0.1.3680043.10.511.3.{number}"
    made.StudyInstanceUID = made.SeriesInstanceUID = "1.2.826.0.1.3680043.10.511.3"
    made.PatientName, made.PatientID = "Muster^Erika", "0815"
    made.SamplesPerPixel, made.PhotometricInterpretation = 1, "MONOCHROME2"
    if len(frames) > 1:
        made.NumberOfFrames = len(frames)
    made.Rows, made.Columns = ROWS, COLUMNS
    bits = frames.dtype.itemsize * 8
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = bits, bits, bits - 1, 0
    made.PixelData = frames.tobytes()
    made["PixelData"].VR = "OB" if bits == 8 else "OW"
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    return made


def ultrasound() -> Dataset:
    """A cine with a name above the sector, and a label in one frame of it."""
    random = np.random.default_rng(1)
    down, across = np.mgrid[0:ROWS, 0:COLUMNS]
    angle = np.arctan2(across - COLUMNS / 2, down - 20)
    distance = np.hypot(across - COLUMNS / 2, down - 20)
    inside = (np.abs(angle) < 0.6) & (distance > 40) & (distance < 310) & (down > 50)
    frames = []
    for index in range(6):
        plane = (random.rayleigh(45, (ROWS, COLUMNS)) * inside).clip(0, 200).astype(np.uint8)
        lines = [(8, 6, "MUSTER, ERIKA  0815  *12.08.1964"), (300, 6, "Klinikum Beispiel")]
        frames.append(_written(plane, *lines, *([(200, 200, "Muster re. Niere")] if index == 3 else [])))
    region = Dataset()
    region.RegionLocationMinX0, region.RegionLocationMinY0 = 60, 50
    region.RegionLocationMaxX1, region.RegionLocationMaxY1 = 419, 349
    return _file(
        uid.UltrasoundMultiFrameImageStorage,
        1,
        np.stack(frames),
        Modality="US",
        Manufacturer="Beispiel",
        SequenceOfUltrasoundRegions=[region],
    )


def capture() -> Dataset:
    """A captured screen."""
    plane = np.full((ROWS, COLUMNS), 30, np.uint8)
    plane[60:330, 20:300] = 70
    lines = [(30, 20, "Befund"), (320, 80, "Muster, Erika"), (320, 110, "Dr. Weiss"), (40, 300, "12.03.2021")]
    return _file(
        uid.SecondaryCaptureImageStorage,
        2,
        _written(plane, *lines)[None],
        Modality="OT",
        ConversionType="WSD",
    )


def tomography() -> Dataset:
    """A slice of a trunk, which has no text."""
    down, across = np.mgrid[0:ROWS, 0:COLUMNS]
    inside = ((down - 180) / 140) ** 2 + ((across - 240) / 200) ** 2 < 1
    spine = ((down - 250) / 24) ** 2 + ((across - 240) / 22) ** 2 < 1
    plane = 40 + 900 * inside + 700 * spine + np.random.default_rng(2).normal(0, 20, inside.shape)
    return _file(uid.CTImageStorage, 3, plane.clip(0, 4000).astype(np.uint16)[None], Modality="CT")


FILES = {"ultrasound.dcm": ultrasound, "capture.dcm": capture, "slice.dcm": tomography}


def main() -> None:
    """Write the files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in FILES.items():
        pydicom.dcmwrite(folder / name, make(), enforce_file_format=True)


if __name__ == "__main__":
    main()
