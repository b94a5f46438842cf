"""Make the trees of the benchmark, and look into what a command wrote.

Runs as a script under an interpreter that has pydicom (`bench.py` makes one), so that the
benchmark itself needs nothing but Python, and stays a small process beside those it measures:

    trees.py flat DIR FILES             MR series of about 190 kB a file, 200 files a directory
    trees.py private DIR FILES          the same with a long private header, as of UIH: about 490 kB a file
    trees.py small DIR FILES            files of about 3 kB, 1,000 a directory
    trees.py big DIR FRAMES             one multi-frame file, half a MiB a frame
    trees.py copies DIR SOURCE COPIES   the DICOM files below SOURCE, many times over
    trees.py identities DIR             the patients' names and IDs below DIR, as a JSON list

All are deterministic: the same arguments give the same bytes.
"""

import argparse
import hashlib
import io
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage

SERIES_FILES = 200
SMALL_DIRECTORY_FILES = 1000
FLAT_ROWS = 308
SMALL_ROWS = 32
PRIVATE_ROWS = 362
PRIVATE_ELEMENTS = 400
PRIVATE_SHAPES = ((b"LO", 60), (b"LT", 300), (b"LT", 700), (b"UT", 1200))
BIG_ROWS = 512
UID_ROOT = "1.2.826.0.1.3680043.8.498."  # pydicom's own root, as for any UID that it makes
SAMPLED_DIRECTORIES = 20
LOW_NIBBLES = bytes(value & 0x0F for value in range(256))


def noise(seed: str, size: int) -> bytes:
    """`size` bytes of 12-bit pixels that look like noise; the same for the same seed."""
    pixels = bytearray(hashlib.shake_128(seed.encode()).digest(size))
    pixels[1::2] = pixels[1::2].translate(LOW_NIBBLES)
    return bytes(pixels)


def instance_uid(series: int, instance: int) -> str:
    """A UID whose length does not depend on the numbers, so that one can take another's place."""
    return f"{UID_ROOT}{10**6 + series}.{10**6 + instance}"


def file_meta(sop_class: UID, sop_instance: str) -> FileMetaDataset:
    """The file meta of one explicit little endian file."""
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(sop_instance)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(UID_ROOT + "1")
    meta.ImplementationVersionName = "BENCH"
    return meta


def mr_header(series: int, rows: int) -> Dataset:
    """The 53 elements beside the pixel data of an MR slice as scanners wrote them for years: no sequences.

    Instance number and UID are those of instance 0; `slices` puts others in their place.
    """
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 100"
    data.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    data.InstanceCreationDate = data.StudyDate = data.SeriesDate = "20240315"
    data.AcquisitionDate = data.ContentDate = "20240315"
    data.StudyTime = data.SeriesTime = data.AcquisitionTime = data.ContentTime = "101530.250000"
    data.SOPClassUID = MRImageStorage
    data.SOPInstanceUID = instance_uid(series, 0)
    data.AccessionNumber = f"ACC{series:06d}"
    data.Modality = "MR"
    data.Manufacturer = "SYNTHETIC"
    data.InstitutionName = "Example General Hospital"
    data.InstitutionAddress = "1 Example Street, Exampletown"
    data.ReferringPhysicianName = "Referrer^Rita"
    data.StudyDescription = "BRAIN^ROUTINE"
    data.SeriesDescription = "t1_mprage_sag_p2_iso"
    data.PerformingPhysicianName = "Performer^Paul"
    data.ManufacturerModelName = "Scanner One"
    data.PatientName = f"Sample{series:03d}^Sam"
    data.PatientID = f"PID{series:06d}"
    data.PatientBirthDate = f"19{40 + series % 60}0{1 + series % 9}17"
    data.PatientSex = "O"
    data.ScanningSequence = ["GR", "IR"]
    data.SequenceVariant = ["SP", "MP"]
    data.MRAcquisitionType = "3D"
    data.SliceThickness = "1"
    data.RepetitionTime = "2300"
    data.EchoTime = "2.98"
    data.MagneticFieldStrength = "3"
    data.FlipAngle = "9"
    data.PatientPosition = "HFS"
    data.StudyInstanceUID = f"{UID_ROOT}2.{10**6 + series // 4}"
    data.SeriesInstanceUID = f"{UID_ROOT}3.{10**6 + series}"
    data.FrameOfReferenceUID = f"{UID_ROOT}4.{10**6 + series // 4}"
    data.StudyID = "1"
    data.SeriesNumber = series + 1
    data.InstanceNumber = 10**6
    data.ImagePositionPatient = [-120.5, -98.25, 80]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    add_pixel_format(data, rows)
    data.PixelSpacing = [0.8, 0.8]
    return data


def add_pixel_format(data: Dataset, rows: int) -> None:
    """Say in `data` that its pixels are squares of 16-bit grey values, `rows` high."""
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.Rows = data.Columns = rows
    data.BitsAllocated = 16
    data.BitsStored = 12
    data.HighBit = 11
    data.PixelRepresentation = 0


def encode(data: Dataset, sop_class: UID, sop_instance: str) -> bytes:
    """The bytes of a DICOM file that holds `data`."""
    data.file_meta = file_meta(sop_class, sop_instance)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, data, enforce_file_format=True)
    return buffer.getvalue()


def pixel_element(size: int) -> bytes:
    """The header of a PixelData element of `size` bytes, explicit little endian."""
    return struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, size)


def slices(series: int, count: int, rows: int) -> Iterator[bytes]:
    """The files of one series.

    Encoded once and then filled in: pydicom takes milliseconds for a file, and there are 100,000.
    """
    header = encode(mr_header(series, rows), MRImageStorage, instance_uid(series, 0))
    size = rows * rows * 2
    for instance in range(count):
        filled = header.replace(instance_uid(series, 0).encode(), instance_uid(series, instance).encode())
        filled = filled.replace(b"1000000 ", b"%d " % (10**6 + instance))  # InstanceNumber, padded
        yield filled + pixel_element(size) + noise(f"{series}/{instance}", size)


def private_header(series: int) -> bytes:
    """The private elements of a scanner that writes all its parameters: 226 kB, explicit little endian."""
    creator = b"Image Private Header  "
    parts = [struct.pack("<HH2sH", 0x0065, 0x0010, b"LO", len(creator)), creator]
    for number in range(PRIVATE_ELEMENTS):
        vr, size = PRIVATE_SHAPES[number % len(PRIVATE_SHAPES)]
        text = (f"parameter {number} of series {series} " * 60)[:size].encode()
        length = struct.pack("<HI", 0, size) if vr == b"UT" else struct.pack("<H", size)
        parts += [struct.pack("<HH2s", 0x0065, 0x1000 + number, vr), length, text]
    return b"".join(parts)


def make_private(root: Path, files: int) -> None:
    """Fill `root` with slices that have a long private header."""
    for series, first in enumerate(range(0, files, SERIES_FILES)):
        directory = root / f"series-{series:03d}"
        directory.mkdir(parents=True)
        count = min(SERIES_FILES, files - first)
        header = private_header(series)
        pixels = pixel_element(PRIVATE_ROWS * PRIVATE_ROWS * 2)
        for instance, content in enumerate(slices(series, count, PRIVATE_ROWS)):
            before, found, after = content.partition(pixels)
            (directory / f"{instance:05d}.dcm").write_bytes(before + header + found + after)


def make_series(root: Path, files: int, directory_files: int, rows: int) -> None:
    """Fill `root` with `files` slices of `rows` x `rows`, `directory_files` in each directory."""
    for series, first in enumerate(range(0, files, directory_files)):
        directory = root / f"series-{series:03d}"
        directory.mkdir(parents=True)
        count = min(directory_files, files - first)
        for instance, content in enumerate(slices(series, count, rows)):
            (directory / f"{instance:05d}.dcm").write_bytes(content)


def make_big(root: Path, frames: int) -> None:
    """Write `root`/multiframe.dcm: an enhanced MR image, an item in a sequence for each frame."""
    data = mr_header(0, BIG_ROWS)
    data.SOPClassUID = EnhancedMRImageStorage
    data.NumberOfFrames = frames
    shared = Dataset()
    measures = Dataset()
    measures.SliceThickness = "1"
    measures.PixelSpacing = [0.8, 0.8]
    shared.PixelMeasuresSequence = Sequence([measures])
    data.SharedFunctionalGroupsSequence = Sequence([shared])
    data.PerFrameFunctionalGroupsSequence = Sequence([frame_group(number) for number in range(frames)])
    size = BIG_ROWS * BIG_ROWS * 2
    frame = bytearray(noise("frame", size))
    root.mkdir(parents=True)
    with (root / "multiframe.dcm").open("wb") as file:
        file.write(encode(data, EnhancedMRImageStorage, instance_uid(0, 0)))
        file.write(pixel_element(size * frames))
        for number in range(frames):
            frame[:4] = struct.pack("<I", number & 0x0FFF)
            file.write(frame)


def frame_group(number: int) -> Dataset:
    """The functional groups of one frame."""
    content = Dataset()
    content.FrameAcquisitionDateTime = "20240315101530.250000"
    content.StackID = "1"
    content.InStackPositionNumber = number + 1
    position = Dataset()
    position.ImagePositionPatient = [-120.5, -98.25, 80 - number]
    group = Dataset()
    group.FrameContentSequence = Sequence([content])
    group.PlanePositionSequence = Sequence([position])
    return group


def make_copies(root: Path, source: Path, copies: int) -> None:
    """Fill `root` with `copies` of the DICOM files below `source`, each an instance of its own.

    Only the SOP instance UIDs differ, at the same length: without that, a command that names its
    outputs by UID would write the copies over each other.
    """
    for path in sorted(source.rglob("*.dcm")):
        content = path.read_bytes()
        data = pydicom.dcmread(path, stop_before_pixels=True, specific_tags=["SOPInstanceUID"])
        uid = str(data.SOPInstanceUID)
        for copy in range(copies):
            number = int.from_bytes(hashlib.sha256(f"{uid}/{copy}".encode()).digest())
            own = f"{UID_ROOT}1{number}"[: len(uid)]
            target = root / f"copy-{copy:03d}" / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.replace(uid.encode(), own.encode()))


def identities(root: Path) -> list[str]:
    """The patients' names and IDs in the first file of each of the first directories below `root`."""
    found: set[str] = set()
    directories = sorted({path.parent for path in root.rglob("*") if path.is_file()})
    for directory in directories[:SAMPLED_DIRECTORIES]:
        first = min(path for path in directory.iterdir() if path.is_file())
        data = pydicom.dcmread(first, stop_before_pixels=True, specific_tags=["PatientName", "PatientID"])
        found |= {str(data.get("PatientName", "")), str(data.get("PatientID", ""))}
    return sorted(found - {""})


def main() -> None:
    """Read the command line and do the one thing that it asks for."""
    parser = argparse.ArgumentParser(description="Make a tree of the benchmark.")
    parser.add_argument("what", choices=["flat", "private", "small", "big", "copies", "identities"])
    parser.add_argument("root", type=Path)
    parser.add_argument("more", nargs="*", help="see the top of this file")
    options = parser.parse_args()
    if options.what == "flat":
        make_series(options.root, int(options.more[0]), SERIES_FILES, FLAT_ROWS)
    elif options.what == "private":
        make_private(options.root, int(options.more[0]))
    elif options.what == "small":
        make_series(options.root, int(options.more[0]), SMALL_DIRECTORY_FILES, SMALL_ROWS)
    elif options.what == "big":
        make_big(options.root, int(options.more[0]))
    elif options.what == "copies":
        make_copies(options.root, Path(options.more[0]), int(options.more[1]))
    else:
        print(json.dumps(identities(options.root)))


if __name__ == "__main__":
    main()
