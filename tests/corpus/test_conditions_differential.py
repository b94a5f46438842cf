"""What a condition asks a file for: the scan and pydicom find the same in every file of the corpora."""

from __future__ import annotations

import warnings
from functools import partial
from pathlib import Path

import pydicom.data
import pytest
from selection import step
from support import SHARED

from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.scope import Reading
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.selection import Selection
from pfdicom_tagSub.spec.condition_parsing import parse_condition
from pfdicom_tagSub.spec.conditions import Facts, Held, Subject
from pfdicom_tagSub.verify.conditional import PydicomFacts
from pfdicom_tagSub.verify.pydicom_reading import read_again

ELEMENTS = """
    Modality Manufacturer ManufacturerModelName PatientName PatientID PatientSex PatientAge StudyDate
    StudyDescription SeriesDescription SeriesNumber ImageType Rows BitsStored SmallestImagePixelValue
    PixelSpacing SliceThickness SpecificCharacterSet SOPClassUID TransferSyntaxUID
    SharedFunctionalGroupsSequence ReferencedImageSequence[*].ReferencedSOPInstanceUID
    PerFrameFunctionalGroupsSequence[0].FrameContentSequence[*].StackID
    SharedFunctionalGroupsSequence[*].PixelMeasuresSequence[0].PixelSpacing
    (0029,"SIEMENS_CSA_HEADER",08) (0029,"SIEMENS_MEDCOM_HEADER",08) (0019,"GEMS_ACQU_01",02)
    (0043,"GEMS_PARM_01",01) ContentSequence[*].ConceptNameCodeSequence[0].CodeMeaning
    DirectoryRecordSequence[*].DirectoryRecordType FileSetID
""".split()  # noqa: SIM905
SUBJECTS = tuple(
    parse_condition(f"{text} present", "test").subjects[0]
    for text in (one.replace("_CSA_", " CSA ").replace("_MEDCOM_", " MEDCOM ") for one in ELEMENTS)
)
ROOTS = {"pydicom": Path(pydicom.data.__file__).parent / "test_files", "shared": SHARED / "corpus"}


@pytest.mark.parametrize("root", ROOTS)
def test_scan_and_pydicom_find_the_same(root: str) -> None:
    if not ROOTS[root].exists():
        pytest.skip(f"{ROOTS[root]} is not here")
    files = sorted(path for path in ROOTS[root].rglob("*") if path.is_file())[:: step(1)]
    selection = Selection(SUBJECTS, Reading())
    compared = found = 0
    for path in files:
        content = BytesSource(path.read_bytes())
        try:
            file = parse(content)
            held = selection.ask(file, "a", lambda facts: [facts.held(subject) for subject in SUBJECTS])
            facts = PydicomFacts(read_again(content), "a")
        except (FileError, NotDicomError):
            continue
        with warnings.catch_warnings(action="ignore"):
            again = [facts.held(subject) for subject in SUBJECTS]
        for text, one, other in zip(ELEMENTS, held, again, strict=True):
            assert (path.name, text, one) == (path.name, text, other)
        compared += 1
        found += sum(one.is_present for one in held)
    assert compared > len(files) / 2
    assert found > 10 * compared


@pytest.mark.parametrize("root", ROOTS)
def test_beginning_of_a_file_says_what_all_of_it_does(root: str) -> None:
    if not ROOTS[root].exists():
        pytest.skip(f"{ROOTS[root]} is not here")
    files = sorted(path for path in ROOTS[root].rglob("*") if path.is_file())[:: step(1)]
    selections = [(one, Selection((one,), Reading())) for one in SUBJECTS]
    compared = 0
    for path in files:
        try:
            file = parse(BytesSource(path.read_bytes()))
            for subject, selection in selections:
                beginning = selection.beginning(file)
                if beginning is not None:
                    ask = partial(_held, subject)
                    assert selection.ask(file, "a", ask, beginning) == selection.ask(file, "a", ask), subject
                    compared += 1
        except (FileError, NotDicomError):
            continue
    assert compared > len(files) / 2 * len(SUBJECTS)


def _held(subject: Subject, facts: Facts) -> Held:
    return facts.held(subject)
