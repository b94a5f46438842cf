"""The engine against pydicom, over every DICOM file at hand."""

from __future__ import annotations

import contextlib
import logging
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import oracle
import pydicom
import pydicom.data
import pytest
from builders import Spec, process, read, rules_of
from oracle import Kept, Keyword, Rules, Use, differences, spec_of
from pydicom import Dataset
from selection import first_of_each
from support import README_SPEC, SHARED

from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.dicom.elements import Element
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.scan_filter import EVERYTHING
from pfdicom_tagSub.dicom.scanner import scan
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore")

PYDICOM_DATA = Path(pydicom.data.__file__).parent
CORPUS = SHARED / "corpus"

README: Rules = {
    "PatientName": (Use("PatientName", "name", "patientID"),),
    "PatientID": (Use("PatientID", "md5", "7"),),
    "AccessionNumber": (Use("AccessionNumber", "md5", "8"),),
    "PatientBirthDate": (Use("PatientBirthDate", "strmsk", "******01"),),
    "re:.*hysician": (Use(function="md5", argument="4"),),
    "re:.*stitution": (Keyword(),),
    "re:.*ddress": (Keyword(),),
}

BROAD: Rules = {
    "re:.*Name": (Use(function="md5", argument="8"),),
    "re:.*Date$": (Use(function="strmsk", argument="******01"),),
    "re:.*Time$": None,
    "re:.*UID$": (Use(function="md5", argument="3"),),
    "re:.*Description$": (Use(function="nospc", argument="-"), " of ", Use("PatientID")),
    "re:.*ID$": ("x_", Use("StudyInstanceUID", "md5", "4"), "-", Use(), "%"),
    "re:.*Number$": (Use(function="strmsk", argument="*"),),
    "re:.*Spacing$": (Use(),),
    "re:.*Comment.*": (Keyword(), "\\", Use("Modality"), "\\", Use("SourceApplicationEntityTitle")),
    "re:ReferencedImage.*": None,
    "re:.*CodeSequence$": ("",),
    "Manufacturer": (Use("Manufacturer", "strmsk", "*x*"), "/", Use("SliceThickness")),
    "(0018,0050)": (Use(function="md5", argument="2"),),
    "BitsAllocated": (Use("BitsAllocated"),),
    "DeidentificationMethod": ("one\\two",),
    "ClinicalTrialSiteID": ("at ", Use("Modality")),
    "PatientInsurancePlanCodeSequence": ("",),
    "SmallestImagePixelValue": ("7",),
    "RequestingService": ("",),
    "ContrastBolusAgent": ("needs ", Use("SelectorISValue")),
    '(0029,"SIEMENS CSA HEADER",08)': (Use(function="md5"), " was a type"),
    '(0051,"SIEMENS MR HEADER",0F)': None,
    '(0043,"GEMS_PARM_01",01)': ("",),
    '(0019,"GEMS_ACQU_01",9C)': ("sequence ", Use(), " of ", Use("PatientID")),
    "ImplementationVersionName": ("tagSub",),
    "PrivateInformation": None,
}

NOTHING: Spec = {
    "(0070,0309)": None,
    "ContraindicationsCodeSequence": "",
    '(0099,"NOBODY",10)': None,
    "(0099,1011)": "%PatientID",
}

STRUCTURE = frozenset({0x00080005}) | oracle.OFFSETS
"""What the engine keeps true by itself; ``test_substitution`` holds it against its own truth."""

NEEDED = frozenset({0x00080020, 0x00080030, 0x00200010, 0x00081030})
"""What the study records of a DICOMDIR do not lose (PS3.3 F.5.2); ``test_rules`` says what they get."""

LONG_SERIES = 30
"""Of a directory with more files than this, the slower tests take every tenth."""


@dataclass(frozen=True)
class File:
    """One file at hand.

    Attributes:
        path: where it is.
        label: what the tests' ids call it.
        is_sample: whether the slower tests take it, too.
    """

    path: Path
    label: str
    is_sample: bool


def _files() -> list[File]:
    found = []
    for root in (PYDICOM_DATA, CORPUS):
        by_folder: dict[Path, list[Path]] = {}
        for path in sorted(root.rglob("*")) if root.is_dir() else ():
            is_other = path.suffix in {".py", ".pyc", ".txt", ".md", ".json", ".dump", ".icc", ".gz"}
            if path.is_file() and not is_other and path.name not in {"README", "LICENSE"}:
                by_folder.setdefault(path.parent, []).append(path)
        for folder, paths in by_folder.items():
            is_series = len(paths) > LONG_SERIES and root is CORPUS and "pydicom-data" not in folder.parts
            for place, path in enumerate(paths):
                label = f"{root.name}/{path.relative_to(root)}"
                found.append(File(path, label, is_sample=not is_series or place % 10 == 0))
    return found


FILES = _files()

DAMAGED = {
    "data/test_files/MR_truncated.dcm": "its pixel data is cut off",
    "data/test_files/rtplan_truncated.dcm": "it ends within a sequence",
    "data/test_files/dicomdirtests/DICOMDIR-nooffset": "its last record is cut off",
}
"""Files that fail by design, and why."""

NOT_DICOM = {
    "data/test_files/no_meta.dcm": "a stray blank before its first element; pydicom makes nonsense of it",
}
"""Files that are skipped by design, and why."""


UNREAD = {
    "corpus/pydicom-data/emri_small_jpeg_2k_lossless_too_short.dcm": "no delimiter ends its fragments",
}
"""Files that are processed, but of which pydicom shows nothing, and why."""

SOUND = [one for one in FILES if one.label not in DAMAGED | NOT_DICOM | UNREAD]
SAMPLE = [one for one in SOUND if one.is_sample]


def structure(file: File) -> object:
    """How a file is encoded and which elements it holds, in which items; None for one that cannot be told."""
    try:
        parsed = parse(BytesSource(file.path.read_bytes()))
        elements = _outline(scan(parsed.data, EVERYTHING))
    except (FileError, NotDicomError):
        return file
    encoding = parsed.data.encoding
    return encoding.implicit, encoding.little, parsed.deflated, _outline(parsed.meta), elements


def _outline(elements: Iterable[Element]) -> tuple[object, ...]:
    return tuple(
        (one.tag, one.vr, frozenset(_outline(item.elements) for item in one.items or ())) for one in elements
    )


every_file = pytest.mark.parametrize("file", first_of_each(SOUND, structure), ids=lambda file: file.label)
sample_files = pytest.mark.parametrize("file", first_of_each(SAMPLE, structure), ids=lambda file: file.label)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Iterator[None]:
    """pydicom's remarks on odd files are not the matter here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture(scope="module")
def workers() -> dict[str, Worker]:
    """One worker per spec for all files, as in a run: what it remembers must not matter."""
    specs: dict[str, Spec] = {
        "readme": README_SPEC,
        "broad": spec_of(BROAD),
        "nothing": NOTHING,
    }
    made = {name: Worker(Settings(rules_of(spec))) for name, spec in specs.items()}
    made["private"] = Worker(Settings(rules_of({}, remove_private=True)))
    return made


def test_files_are_all_there() -> None:
    assert len([one for one in FILES if one.path.is_relative_to(PYDICOM_DATA)]) > 150
    if not CORPUS.is_dir():
        pytest.skip("the shared corpus is not here; the files that ship with pydicom are used")
    assert len(FILES) > 850


def test_the_rules_of_the_readme_are_those_of_the_spec() -> None:
    assert spec_of(README) == README_SPEC


# --- (a) the same elements


def _shape(data_set: Dataset) -> oracle.Tree:
    return oracle.tree_of(data_set)


def _spans(elements: list[Element], source: BytesSource) -> oracle.Tree:
    found: oracle.Tree = {}
    for one in elements:
        if one.vr == "SQ":
            found[one.tag] = oracle.Items([_spans(item.elements, source) for item in one.items or ()])
        else:
            found[one.tag] = Kept("", source.read(one.value, one.stop))
    return found


def _disagreements(ours: oracle.Tree, theirs: oracle.Tree, path: str = "") -> Iterator[str]:
    """Where a scan and pydicom differ; VRs aside, which a scan looks up where none is stored."""
    if list(ours) != list(theirs):
        yield f"{path}: {list(ours)}, but {list(theirs)}"
        return
    for tag, own in ours.items():
        where = f"{path}/({tag >> 16:04X},{tag & 0xFFFF:04X})"
        other = theirs[tag]
        if isinstance(own, oracle.Items) or isinstance(other, oracle.Items):
            own_items = own.items if isinstance(own, oracle.Items) else None
            other_items = other.items if isinstance(other, oracle.Items) else None
            if own_items is None or other_items is None or len(own_items) != len(other_items):
                yield f"{where}: {own}, but {other}"
                continue
            for index, pair in enumerate(zip(own_items, other_items, strict=True)):
                yield from _disagreements(*pair, f"{where}[{index}]")
        elif isinstance(other, oracle.Changed):  # pydicom needed it to read the rest
            assert isinstance(own, Kept)
            if other.vr == "CS" and own.value.decode("ascii").rstrip(" \0") != "\\".join(other.texts):
                yield f"{where}: {own}, but {other}"
        elif own != Kept("", other.value):
            yield f"{where}: {own}, but {other}"


@every_file
def test_scan_sees_what_pydicom_reads(file: File) -> None:
    content = file.path.read_bytes()
    data_set = read(content)
    parsed = parse(BytesSource(content))
    expected = _shape(data_set)
    assert isinstance(parsed.data.source, BytesSource)
    found = _spans(scan(parsed.data, EVERYTHING), parsed.data.source)
    for tag in {0x7FE00010, 0x7FE00008, 0x7FE00009} & found.keys() & expected.keys():
        ours, theirs = found[tag], expected[tag]
        assert isinstance(ours, Kept)
        assert isinstance(theirs, Kept)
        if getattr(data_set.get_item(tag), "length", 0) == 0xFFFFFFFF:
            # pydicom takes the delimiter away, and with it what may follow.
            assert theirs.value.startswith(ours.value[:64])
            del found[tag], expected[tag]
    assert list(_disagreements(found, expected)) == []
    expected_meta = _shape(data_set.file_meta)
    assert [one.tag for one in parsed.meta] == list(expected_meta)
    for one in parsed.meta:
        node = expected_meta[one.tag]
        assert not isinstance(node, Kept) or node.value == content[one.value : one.stop]


def test_damaged_files_fail_and_say_why(tmp_path: Path) -> None:
    worker = Worker(Settings(rules_of(README_SPEC)))
    for one in FILES:
        if one.label in DAMAGED | NOT_DICOM:
            result = process(worker, one.path.read_bytes(), tmp_path)
            status = Status.FAILED if one.label in DAMAGED else Status.SKIPPED
            stage = Stage.READ if one.label in DAMAGED else None
            assert (result.outcome.status, result.outcome.stage) == (status, stage), one.label
            assert "internal" not in result.outcome.reason
            with pytest.raises((FileError, NotDicomError)):
                scan(parse(BytesSource(one.path.read_bytes())).data, EVERYTHING)


# --- (b) the same substitutions


def _check(file: File, worker: Worker, rules: Rules, folder: Path) -> None:
    content = file.path.read_bytes()
    result = process(worker, content, folder)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    tree, meta = oracle.expected(read(content), rules)
    output = read(result.content)
    ignored = STRUCTURE | (NEEDED if oracle.FIRST_RECORD in output else frozenset())
    assert differences(tree, output, ignored=ignored) == []
    assert differences(meta, output.file_meta) == []


@every_file
def test_readme_spec_gives_what_pydicom_gives(file: File, workers: dict[str, Worker], tmp_path: Path) -> None:
    _check(file, workers["readme"], README, tmp_path)


@sample_files
def test_broad_spec_gives_what_pydicom_gives(file: File, workers: dict[str, Worker], tmp_path: Path) -> None:
    _check(file, workers["broad"], BROAD, tmp_path)


# --- (c) nothing else


@every_file
def test_spec_that_hits_nothing_gives_the_same_bytes(
    file: File, workers: dict[str, Worker], tmp_path: Path
) -> None:
    content = file.path.read_bytes()
    result = process(workers["nothing"], content, tmp_path)
    assert (result.outcome.status, result.outcome.elements) == (Status.WRITTEN, ())
    assert result.content == content


@sample_files
def test_remove_private_tags_equals_that_of_pydicom(
    file: File, workers: dict[str, Worker], tmp_path: Path
) -> None:
    content = file.path.read_bytes()
    result = process(workers["private"], content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    data_set = read(content)
    with contextlib.suppress(AttributeError):  # of pydicom, over an ambiguous VR
        data_set.remove_private_tags()
        assert list(_tags(_shape(read(result.content)))) == list(_tags(_shape(data_set)))
    tree = _without_private(_shape(read(content)))
    assert differences(tree, read(result.content), ignored=STRUCTURE) == []


def _tags(tree: oracle.Tree) -> Iterator[int]:
    for tag, node in tree.items():
        yield tag
        if isinstance(node, oracle.Items):
            for item in node.items:
                yield from _tags(item)


def _without_private(tree: oracle.Tree) -> oracle.Tree:
    found: oracle.Tree = {}
    for tag, node in tree.items():
        if not tag >> 16 & 1:
            found[tag] = (
                oracle.Items(list(map(_without_private, node.items)))
                if isinstance(node, oracle.Items)
                else node
            )
    return found


# --- another reader


def _dumps(path: Path) -> bool:
    return subprocess.run(["dcmdump", "-q", "-M", path], capture_output=True, timeout=60).returncode == 0


@sample_files
def test_outputs_parse_with_dcmdump_where_inputs_do(
    file: File, workers: dict[str, Worker], tmp_path: Path
) -> None:
    if shutil.which("dcmdump") is None:
        pytest.skip("dcmdump (DCMTK) is not installed")
    if not _dumps(file.path):
        pytest.skip("dcmdump does not parse the input")
    for name in ("readme", "broad", "private"):
        path = tmp_path / name
        path.mkdir()
        result = process(workers[name], file.path.read_bytes(), path)
        assert result.outcome.status is Status.WRITTEN
        assert _dumps(path / "out-a.dcm"), name
