"""Make the synthetic archive of docs/cohort.rst: the same bytes at every run.

Three made-up patients, with CT of three scanners, MR, and a secondary capture that says that it has
burned-in text.

Use: ``python examples/make_cohort.py DIRECTORY``
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

ROOT = "1.2.826.0.1.3680043.8.498.77"

SERIES = (
    ("MRN-1", "Rossi^Ada", 1, "CT", "CT-ALPHA", "Chest routine", uid.CTImageStorage),
    ("MRN-1", "Rossi^Ada", 1, "MR", "MR-1", "t1 head", uid.MRImageStorage),
    ("MRN-2", "Novak^Ben", 2, "CT", "CT-BETA", "Chest low dose", uid.CTImageStorage),
    ("MRN-2", "Novak^Ben", 2, "CT", "CT-ER", "Trauma", uid.CTImageStorage),
    ("MRN-3", "Okafor^Ife", 3, "CT", "CT-ALPHA", "Chest routine", uid.CTImageStorage),
    ("MRN-3", "Okafor^Ife", 3, "MR", "MR-1", "t2 head", uid.MRImageStorage),
    ("MRN-3", "Okafor^Ife", 3, "OT", "CT-ALPHA", "Screen Save", uid.SecondaryCaptureImageStorage),
)
"""PatientID, PatientName, number of the study, Modality, StationName, SeriesDescription, SOP class."""

SLICES = 2


def _slice(series: int, number: int) -> Dataset:
    """One file."""
    patient, name, study, modality, station, description, sop_class = SERIES[series]
    made = Dataset()
    made.SOPClassUID = sop_class
    made.SOPInstanceUID = f"{ROOT}.{study}.{series}.{number}"
    made.StudyDate = f"2024030{study}"
    made.AccessionNumber = f"A-200{study}"
    made.Modality = modality
    made.StationName = station
    made.SeriesDescription = description
    made.PatientName = name
    made.PatientID = patient
    made.PatientAge = f"0{study}1Y"
    made.KVP = "120" if modality == "CT" else None
    made.MagneticFieldStrength = "3" if modality == "MR" else None
    made.StudyInstanceUID = f"{ROOT}.{study}"
    made.SeriesInstanceUID = f"{ROOT}.{study}.{series}"
    made.InstanceNumber = number
    if modality == "OT":
        made.BurnedInAnnotation = "YES"
    made.SamplesPerPixel = 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.Rows = made.Columns = 4
    made.BitsAllocated = made.BitsStored = 8
    made.HighBit = 7
    made.PixelRepresentation = 0
    made.PixelData = bytes(range(16))
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = sop_class
    made.file_meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    return made


def make(directory: Path) -> None:
    """Make the archive.

    Args:
        directory: where; it is created.
    """
    for series, (patient, _, _, modality, station, *_) in enumerate(SERIES):
        folder = directory / patient / f"{modality}-{station}"
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, SLICES + 1):
            _slice(series, number).save_as(folder / f"{number}.dcm", enforce_file_format=True)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit(f"use: {sys.argv[0]} DIRECTORY")
    make(Path(sys.argv[1]))
