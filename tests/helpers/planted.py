"""A tree of made-up studies in which identifiers are planted, and what was planted where.

Nothing here is of a real person, and the same call gives the same bytes. Use::

    for file in build_corpus():
        ...  # file.path, file.content, file.planted
"""

from __future__ import annotations

import io
import random
import warnings
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pydicom
from builders import (
    BIG,
    DEFLATED,
    EXPLICIT,
    IMPLICIT,
    Form,
    data_set,
    element,
    file_of,
    item,
    nested,
    sequence,
)
from planted_objects import (
    Maker,
    Study,
    base,
    capture,
    compressed,
    day_after,
    deep,
    document,
    every_row,
    late,
    level,
    plain,
    presentation,
    report,
    row_item,
    segmentation,
    structures,
    study_of,
    ultrasound,
    with_private,
)
from planted_people import ASCII, GREEK, JAPANESE, LATIN, UTF8, Kind, Person, Planted, Planter
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

SEED = 20230415
FIRST_DAY = "20230415"
APART = 30
"""Days between the two studies of the first patient."""

JPEG = Form("jpeg", uid.JPEGBaseline8Bit, implicit=False, little=True)


@dataclass(frozen=True)
class PlantedFile:
    """One file of the corpus.

    Attributes:
        path: where it belongs in the tree.
        content: its bytes.
        person: its patient; None for the DICOMDIR.
        planted: what was planted in it.
        encodings: the Python codecs that its texts use.
    """

    path: str
    content: bytes
    person: Person | None
    planted: tuple[Planted, ...]
    encodings: tuple[str, ...]


def store(
    made: Dataset, form: Form, *, lengths: str = "defined", planter: Planter | None = None, instance: str = ""
) -> bytes:
    """Write a data set with file meta.

    Args:
        made: the data set.
        form: how to write it.
        lengths: of sequences and items: defined, undefined or mixed.
        planter: if given, names are put in the preamble and in the file meta.
        instance: the Media Storage SOP Instance UID of a data set that has none of its own.
    """
    _set_lengths(made, lengths, 0)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = made.get("SOPClassUID", uid.MediaStorageDirectoryStorage)
    meta.MediaStorageSOPInstanceUID = made.get("SOPInstanceUID") or instance
    meta.TransferSyntaxUID = uid.UID(form.syntax)
    preamble = bytes(128)
    if planter is not None:
        preamble = _plant_in_file_meta(meta, planter)
    made.file_meta, made.preamble = meta, preamble
    buffer = io.BytesIO()
    with warnings.catch_warnings(action="ignore"):
        pydicom.dcmwrite(buffer, made, enforce_file_format=True)
    return buffer.getvalue()


def _plant_in_file_meta(meta: FileMetaDataset, planter: Planter) -> bytes:
    """Plant in file meta; gives the preamble."""
    for keyword in (
        "SourceApplicationEntityTitle",
        "SendingApplicationEntityTitle",
        "ReceivingApplicationEntityTitle",
    ):
        setattr(meta, keyword, planter.note(Kind.DEVICE, planter.identifier("AE"), "meta", keyword))
    for keyword in (
        "SourcePresentationAddress",
        "SendingPresentationAddress",
        "ReceivingPresentationAddress",
    ):
        setattr(
            meta,
            keyword,
            planter.note(Kind.DEVICE, f"dicom://{planter.identifier('h')}.example", "meta", keyword),
        )
    meta.PrivateInformationCreatorUID = planter.note(
        Kind.UID, planter.uid(), "meta", "PrivateInformationCreatorUID"
    )
    name = planter.person.name.split("=")[0]
    planter.note(Kind.NAME, name, "meta", "PrivateInformation")
    meta.PrivateInformation = name.encode(planter.person.encodings[0])
    planter.note(Kind.NAME, name, "preamble", "preamble")
    return name.encode(planter.person.encodings[0])[:128].ljust(128, b"\0")


def _set_lengths(made: Dataset, lengths: str, depth: int) -> None:
    for one in made:
        if one.VR == "SQ":
            one.is_undefined_length = lengths == "undefined" or (lengths == "mixed" and depth % 2 == 0)
            for index, part in enumerate(one.value):
                odd = (depth + index) % 2 == 1
                part.is_undefined_length_sequence_item = lengths == "undefined" or (
                    lengths == "mixed" and odd
                )
                _set_lengths(part, lengths, depth + 1)


def unknown_file(planter: Planter, study: Study) -> bytes:
    """A file in explicit VR whose elements have the VR UN, sequences among them, written by hand."""
    made = with_private(base(planter, study, number=7), planter, study)
    made.SOPClassUID = uid.SecondaryCaptureImageStorage
    planter.collect(made)
    buffer = store(made, EXPLICIT)
    whole = pydicom.dcmread(io.BytesIO(buffer))
    parts: list[tuple[int, bytes]] = []
    for tag in sorted(whole.keys()):
        parts.append((int(tag), _as_unknown(int(tag), whole)))
    equipment = level(planter, study)
    planter.collect(equipment, "UN.")
    inside = item(_implicit(equipment), IMPLICIT, defined=False)
    parts.append((0x0018A001, sequence(0x0018A001, inside, EXPLICIT, defined=False, vr="UN")))
    codes = item(_implicit(row_item("OperatorIdentificationSequence", planter, study)), IMPLICIT)
    parts.append((0x00081072, sequence(0x00081072, codes, EXPLICIT, vr="UN")))
    plan = nested(level(planter, study), keyword="EquivalentCodeSequence")
    planter.collect(plan, "UN.")
    parts.append((0x00400260, sequence(0x00400260, item(_implicit(plan), IMPLICIT), EXPLICIT, vr="UN")))
    content = b"".join(part for _, part in sorted(parts))
    return file_of(content, instance=made.SOPInstanceUID)


_KNOWN_ANYWAY = frozenset(
    {0x00080005, 0x00080016, 0x00080018, 0x7FE00010, 0x00280010, 0x00280011, 0x00280100}
)


def _as_unknown(tag: int, whole: Dataset) -> bytes:
    raw: Any = whole.get_item(tag)
    if tag in _KNOWN_ANYWAY or raw.VR == "SQ" or ((tag >> 16) & 1 and tag & 0xFFFF < 0x100):
        return _explicit(whole, tag)
    return element(tag, "UN", raw.value or b"", EXPLICIT)


def _explicit(whole: Dataset, tag: int) -> bytes:
    return _bytes(whole[tag : tag + 1], implicit=False)  # type: ignore[misc]


def _implicit(made: Dataset) -> bytes:
    return _bytes(made, implicit=True)


def _bytes(made: Dataset, *, implicit: bool) -> bytes:
    fp = pydicom.filebase.DicomBytesIO()
    fp.is_implicit_VR, fp.is_little_endian = implicit, True
    pydicom.filewriter.write_dataset(fp, made)
    return fp.getvalue()


def inflated(content: bytes) -> bytes:
    """A file's bytes, those of a deflated data set inflated."""
    with warnings.catch_warnings(action="ignore"):
        meta = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True).file_meta
    if meta.TransferSyntaxUID != uid.DeflatedExplicitVRLittleEndian:
        return content
    start = 144 + int(meta.FileMetaInformationGroupLength)
    return content[:start] + zlib.decompressobj(-zlib.MAX_WBITS).decompress(content[start:])


# --- the directory


def directory(files: Sequence[PlantedFile], rng: random.Random) -> PlantedFile:
    """The DICOMDIR of some files, its records level by level and not in the order of the tree."""
    planter = Planter(rng, LATIN, FIRST_DAY, "", "")
    levels: list[list[_Record]] = [[], [], [], []]
    places: dict[tuple[str, ...], _Record] = {}
    for file in files:
        made = pydicom.dcmread(io.BytesIO(file.content))
        assert file.person is not None
        own = Planter(rng, file.person, made.StudyDate, made.StudyInstanceUID, made.AccessionNumber)
        keys = (made.PatientID, made.StudyInstanceUID, made.SeriesInstanceUID, made.SOPInstanceUID)
        for depth, make in enumerate((_patient, _study, _series, _image)):
            if keys[: depth + 1] not in places:
                record = _Record(make(made, own, file.path))
                if file.person.charset:
                    record.made.SpecificCharacterSet = [*file.person.charset]
                places[keys[: depth + 1]] = record
                levels[depth].append(record)
                if depth:
                    places[keys[:depth]].below.append(record)
        planter.planted += own.planted
    for row in levels[1:]:
        rng.shuffle(row)
    records = [record for row in levels for record in row]
    whole = Dataset()
    whole.FileSetID = "PLANTED"
    whole.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = 0
    whole.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = 0
    whole.FileSetConsistencyFlag = 0
    whole.DirectoryRecordSequence = [record.made for record in records]
    for record in records:
        planter.collect(record.made, f"{record.made.DirectoryRecordType}.")
    instance = planter.note(
        Kind.UID, planter.uid(), "MediaStorageSOPInstanceUID", "MediaStorageSOPInstanceUID"
    )
    content = _linked(whole, levels[0], records, instance)
    encodings = sorted({codec for file in files for codec in file.encodings})
    return PlantedFile("DICOMDIR", content, None, tuple(planter.planted), tuple(encodings))


@dataclass
class _Record:
    made: Dataset
    below: list[_Record] = field(default_factory=list)


def _record(kind: str, **values: Any) -> Dataset:
    return data_set(
        OffsetOfTheNextDirectoryRecord=0,
        RecordInUseFlag=0xFFFF,
        OffsetOfReferencedLowerLevelDirectoryEntity=0,
        DirectoryRecordType=kind,
        **values,
    )


def _patient(made: Dataset, planter: Planter, path: str) -> Dataset:
    return _record(
        "PATIENT",
        PatientName=made.PatientName,
        PatientID=made.PatientID,
        PatientBirthDate=made.PatientBirthDate,
        PatientSex="F",
    )


def _study(made: Dataset, planter: Planter, path: str) -> Dataset:
    return _record(
        "STUDY",
        StudyDate=made.StudyDate,
        StudyTime=made.StudyTime,
        AccessionNumber=made.AccessionNumber,
        StudyDescription=f"axial {planter.accession}",
        StudyInstanceUID=made.StudyInstanceUID,
        StudyID=made.StudyID,
    )


def _series(made: Dataset, planter: Planter, path: str) -> Dataset:
    return _record(
        "SERIES",
        Modality=made.Modality,
        InstitutionName=made.InstitutionName,
        PerformingPhysicianName=planter.other(),
        SeriesInstanceUID=made.SeriesInstanceUID,
        SeriesNumber=made.SeriesNumber,
    )


def _image(made: Dataset, planter: Planter, path: str) -> Dataset:
    values: dict[str, Any] = {}
    if made.Modality == "SR":
        values = {
            "CompletionFlag": "COMPLETE",
            "VerificationFlag": "VERIFIED",
            "ContentDate": made.ContentDate,
            "ContentTime": made.ContentTime,
            "VerificationDateTime": planter.day() + "1200",
            "ConceptNameCodeSequence": made.ConceptNameCodeSequence,
        }
    return _record(
        "SR DOCUMENT" if made.Modality == "SR" else "IMAGE",
        ReferencedFileID=path.split("/"),
        ReferencedSOPClassUIDInFile=made.SOPClassUID,
        ReferencedSOPInstanceUIDInFile=made.SOPInstanceUID,
        ReferencedTransferSyntaxUIDInFile=made.file_meta.TransferSyntaxUID,
        InstanceNumber=made.InstanceNumber,
        **values,
    )


def _linked(whole: Dataset, roots: list[_Record], records: list[_Record], instance: str) -> bytes:
    """The DICOMDIR's bytes with true offsets; writing it does not move a record once its VRs are known."""
    read = pydicom.dcmread(io.BytesIO(store(whole, EXPLICIT, instance=instance)))
    offsets = {
        id(record): part.seq_item_tell
        for record, part in zip(records, read.DirectoryRecordSequence, strict=True)
    }
    whole.OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity = offsets[id(roots[0])]
    whole.OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity = offsets[id(roots[-1])]
    for siblings in (roots, *(record.below for record in records)):
        for record, following in pairwise(siblings):
            record.made.OffsetOfTheNextDirectoryRecord = offsets[id(following)]
    for record in records:
        if record.below:
            record.made.OffsetOfReferencedLowerLevelDirectoryEntity = offsets[id(record.below[0])]
    return store(whole, EXPLICIT, instance=instance)


# --- the corpus


@cache
def build_corpus() -> tuple[PlantedFile, ...]:
    """The whole corpus, the DICOMDIR last; the same at every call."""
    with warnings.catch_warnings(action="ignore"):  # some values are no DA on purpose
        return tuple(_build())


def _build() -> list[PlantedFile]:
    rng = random.Random(SEED)
    files: list[PlantedFile] = []

    def add(
        study: Study,
        path: str,
        make: Maker,
        form: Form = EXPLICIT,
        *,
        lengths: str = "defined",
        instance: str = "",
        modality: str = "MR",
        number: int = 1,
        telling: bool = False,
    ) -> None:
        planter = Planter(rng, study.person, study.day, study.uid, study.accession)
        made = make(base(planter, study, instance=instance, modality=modality, number=number), planter, study)
        planter.collect(made)
        content = store(made, form, lengths=lengths, planter=planter if telling else None)
        files.append(PlantedFile(path, content, study.person, tuple(planter.planted), study.person.encodings))

    first = study_of(LATIN, FIRST_DAY, rng)
    second = study_of(LATIN, day_after(FIRST_DAY, APART), rng)
    forms = (EXPLICIT, IMPLICIT, BIG, DEFLATED, EXPLICIT, IMPLICIT)
    for index, form in enumerate(forms):
        path = f"GROENEW/ST1/MR{index}"
        add(first, path, plain, form, instance=first.instances[index], telling=index < 4)
    add(first, "GROENEW/ST1/MR6", compressed, JPEG, instance=first.instances[6])
    add(first, "GROENEW/ST1/SR1", report, lengths="undefined", modality="SR", number=20)
    folder = "Grönewald_Zoë 19630728/PX-409175"
    add(first, f"{folder}/every row.dcm", every_row, telling=True, number=2)
    add(first, f"{folder}/every row, implicit.dcm", every_row, IMPLICIT, lengths="undefined", number=3)
    for lengths, form in (
        ("defined", IMPLICIT),
        ("undefined", EXPLICIT),
        ("mixed", BIG),
        ("mixed", DEFLATED),
    ):
        add(first, f"{folder}/deep {lengths} {form.name}", deep, form, lengths=lengths, number=4)
    add(first, f"{folder}/private.dcm", with_private, number=5)
    add(first, f"{folder}/private implicit.dcm", with_private, IMPLICIT, number=5)
    add(first, f"{folder}/late.dcm", late, lengths="mixed", number=6)
    add(first, f"{folder}/late big.dcm", late, BIG, lengths="undefined", number=6)
    add(first, f"{folder}/seg.dcm", segmentation, lengths="mixed", modality="SEG", number=8)
    add(first, f"{folder}/rt.dcm", structures, IMPLICIT, modality="RTSTRUCT", number=9)
    add(first, f"{folder}/pr.dcm", presentation, lengths="undefined", modality="PR", number=10)
    add(first, f"{folder}/sr.dcm", report, IMPLICIT, lengths="mixed", modality="SR", number=11)
    add(first, f"{folder}/us.dcm", ultrasound, modality="US", number=12)
    add(first, f"{folder}/sc.dcm", capture, modality="OT", number=13)
    add(first, f"{folder}/pdf.dcm", document, modality="DOC", number=14)
    planter = Planter(rng, LATIN, FIRST_DAY, first.uid, first.accession)
    content = unknown_file(planter, first)
    files.append(PlantedFile(f"{folder}/un.dcm", content, LATIN, tuple(planter.planted), LATIN.encodings))
    add(second, "GROENEW/ST2/MR0", plain, instance=second.instances[0])
    add(second, "GROENEW/ST2/MR1", deep, instance=second.instances[1], lengths="undefined")
    add(second, "GROENEW/ST2/SR1", report, modality="SR", number=20)
    for person, name in ((JAPANESE, "YAMASHIR"), (GREEK, "PAPADOPO"), (UTF8, "UX864209"), (ASCII, "QUILLF")):
        study = study_of(person, day_after(FIRST_DAY, rng.randrange(40, 300)), rng)
        add(study, f"{name}/MR0", plain, IMPLICIT, instance=study.instances[0], telling=True)
        add(study, f"{name}/SR1", report, lengths="mixed", modality="SR", number=20)
        add(study, f"{person.number} {person.family}/rows.dcm", every_row, lengths="mixed", number=2)
        add(study, f"{person.number} {person.family}/pr.dcm", presentation, IMPLICIT, modality="PR", number=3)
        add(study, f"{person.number} {person.family}/late.dcm", late, number=4)
    files.append(directory([file for file in files if _is_file_id(file.path)], rng))
    return files


def _is_file_id(path: str) -> bool:
    return all(
        len(part) < 9 and part.isascii() and part.isupper() and part.isalnum() for part in path.split("/")
    )


def plant(root: Path, files: Iterable[PlantedFile]) -> None:
    """Write files into a tree."""
    for file in files:
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
