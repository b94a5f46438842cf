"""The planted corpus through the installed command: nothing left, nothing lost, everything consistent."""

from __future__ import annotations

import csv
import json
import re
import shutil
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pydicom
import pytest
from installed import Done, run
from planted import PlantedFile, build_corpus, inflated, plant
from planted_checker import check, forbidden_texts, output_paths
from planted_objects import KEPT_CREATOR
from planted_people import Kind
from planted_rows import FULL, MODIFIED, ROWS, STAMP_CODES, Row, row_of
from planted_score import Category, Miss, Score
from pydicom.datadict import keyword_for_tag
from support import SHARED

pytestmark = pytest.mark.xdist_group("planted")  # what takes long to set up is set up once

TABLE = SHARED / "standard" / "ps3.15-2026d-table-e1-1.tsv"
KEY = b"a key that only these tests know"
EXCLUSIVE = frozenset({FULL, MODIFIED})
TOGETHER = tuple(sorted(STAMP_CODES.keys() - EXCLUSIVE))
"""The options that go together; one of those for dates goes with them."""

_COLUMNS = {
    "rtnSafePrivOpt": "retainSafePrivate",
    "rtnUIDsOpt": "retainUIDs",
    "rtnDevIdOpt": "retainDeviceIdentity",
    "rtnInstIdOpt": "retainInstitutionIdentity",
    "rtnPatCharsOpt": "retainPatientCharacteristics",
    "rtnLongFullDatesOpt": FULL,
    "rtnLongModifDatesOpt": MODIFIED,
    "cleanDescOpt": "cleanDescriptors",
    "cleanStructContOpt": "cleanStructuredContent",
    "cleanGraphOpt": "cleanGraphics",
}
_BEYOND_THE_TABLE = {
    "private": "(gggg,eeee) where gggg is odd",
    "CurveData": "(50xx,xxxx)",
    "CurveDescription": "(50xx,xxxx)",
    "OverlayData": "(60xx,3000)",
    "OverlayComments": "(60xx,4000)",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The corpus in a folder, and beside it the key."""
    root = tmp_path_factory.mktemp("planted")
    plant(root / "in", build_corpus())
    (root / "key").write_bytes(KEY)
    (root / "key").chmod(0o600)
    return root


@pytest.fixture(scope="module")
def outputs(tree: Path) -> Callable[..., tuple[Done, Path]]:
    """Runs the command on the corpus once for each set of options and flags."""

    @cache
    def of(options: tuple[str, ...] = (), *flags: str) -> tuple[Done, Path]:
        target = tree / f"out-{len(list(tree.iterdir()))}"
        return _run(tree, tree / "in", target, options, *flags), target

    return of


def _run(tree: Path, inputs: Path, target: Path, options: tuple[str, ...], *flags: str) -> Done:
    profile = ",".join(("basic", *options))
    return run(
        inputs, target, "--profile", profile, "--keyFile", str(tree / "key"), "--json", *flags, spec=None
    )


def _file(ending: str) -> PlantedFile:
    return next(file for file in build_corpus() if file.path.endswith(ending))


def _perfect(score: Score) -> bool:
    return not score.misses and all(score.share(category) == 1 for category in Category)


# --- the tool


@pytest.mark.parametrize(
    ("options", "flags"),
    [
        ((), ()),
        ((), ("--threads", "2")),
        *[((option,), ()) for option in STAMP_CODES],
        ((*TOGETHER, FULL), ()),
        ((*TOGETHER, MODIFIED), ()),
        ((*TOGETHER, MODIFIED), ("--threads", "2")),
        (("cleanDescriptors", "cleanGraphics", "cleanStructuredContent", MODIFIED), ()),
    ],
    ids=lambda part: "+".join(part) or "basic",
)
def test_corpus_scores_all(
    options: tuple[str, ...], flags: tuple[str, ...], outputs: Callable[..., tuple[Done, Path]]
) -> None:
    done, target = outputs(options, *flags)
    assert done.code == 0, done.out + done.err
    assert done.counts == {"found": len(build_corpus()), "written": len(build_corpus())}
    score = check(build_corpus(), target, options)
    assert _perfect(score), str(score)


def test_record_holds_no_identifier(outputs: Callable[..., tuple[Done, Path]]) -> None:
    done, _ = outputs(())
    said = (done.out + done.err).lower()
    for file in build_corpus():
        for path in (file.path, json.dumps(file.path)[1:-1]):
            said = said.replace(path.lower(), "")
    for text in forbidden_texts(build_corpus()):
        assert text not in said


def test_record_names_paths_and_pixels_to_look_at(outputs: Callable[..., tuple[Done, Path]]) -> None:
    done, _ = outputs(())
    record = done.record
    assert record["pathsWithValues"] > 0
    review = {entry["path"] for entry in record["pixelReview"]}
    assert {path for path in review if path.endswith((".dcm", "MR0"))} >= {
        # The file meta of the last two calls them secondary captures.
        _file(name).path
        for name in ("/us.dcm", "/sc.dcm", "/pdf.dcm", "/rows.dcm", "/un.dcm")
    }
    assert not {path for path in review if path.endswith(("seg.dcm", "rt.dcm", "sr.dcm"))}
    assert record["profile"].startswith("basic")
    assert record["keyFingerprint"]


def test_paths_from_templates_hold_no_identifier(tree: Path, tmp_path: Path) -> None:
    files = build_corpus()[:-1]
    plant(tmp_path / "in", files)
    named = ("--outputDirTemplate", "%_hmac|8_PatientID/%Modality-%SeriesNumber")
    named += ("--outputFileStem", "%_hmac|16_SOPInstanceUID")
    done = _run(tree, tmp_path / "in", tmp_path / "out", (), *named)
    assert done.counts == {"found": len(files), "written": len(files)}, done.out + done.err
    paths = [path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*")]
    whole = "\n".join(paths).lower()
    assert [text for text in forbidden_texts(files) if text in whole] == []
    assert done.record["pathsWithValues"] == 0
    score = check(files, tmp_path / "out", (), where=output_paths(files, tmp_path / "out"))
    assert _perfect(score), str(score)


def _named_as_file_ids(root: Path) -> tuple[PlantedFile, ...]:
    files = tuple(file for file in build_corpus() if file.person is None or " " not in file.path)
    plant(root, files)
    return files


def test_directory_follows_outputs_that_are_renamed(tree: Path, tmp_path: Path) -> None:
    files = _named_as_file_ids(tmp_path / "in")
    done = _run(tree, tmp_path / "in", tmp_path / "out", (), "--outputFileStem", "%Modality%InstanceNumber")
    assert done.counts == {"found": len(files), "written": len(files)}, done.out + done.err
    where = output_paths(files, tmp_path / "out") | {"DICOMDIR": "DICOMDIR"}
    assert all(old != new for old, new in where.items() if old != "DICOMDIR")
    score = check(files, tmp_path / "out", (), where=where)
    assert _perfect(score), str(score)


def test_directory_fails_when_outputs_get_names_that_it_cannot_hold(tree: Path, tmp_path: Path) -> None:
    files = _named_as_file_ids(tmp_path / "in")
    done = _run(tree, tmp_path / "in", tmp_path / "out", (), "--outputFileStem", "%_hmac|16_SOPInstanceUID")
    assert done.counts == {"found": len(files), "written": len(files) - 1, "failed": 1}
    assert "ReferencedFileID" in done.failures["DICOMDIR"]
    assert not (tmp_path / "out" / "DICOMDIR").exists()


def test_private_element_that_is_kept(outputs: Callable[..., tuple[Done, Path]]) -> None:
    done, target = outputs((), "--keepPrivate", f'(0029,"{KEPT_CREATOR}",01)')
    assert done.code == 0, done.out + done.err
    score = check(build_corpus(), target, (), kept_private={(KEPT_CREATOR, 0x01)})
    assert score.total[Category.RETAINED] > 10
    assert _perfect(score), str(score)


def test_outputs_are_the_same_with_any_number_of_workers(outputs: Callable[..., tuple[Done, Path]]) -> None:
    _, one = outputs(())
    _, other = outputs((), "--threads", "2")
    for file in build_corpus():
        assert (one / file.path).read_bytes() == (other / file.path).read_bytes(), file.path


# --- the corpus


def test_corpus_is_the_same_every_time() -> None:
    again = build_corpus.__wrapped__()
    assert again == build_corpus()


def test_corpus_is_small_and_varied() -> None:
    files = build_corpus()
    assert sum(len(file.content) for file in files) < 600_000
    planted = [planted for file in files for planted in file.planted]
    assert {planted.kind for planted in planted} == set(Kind)
    assert len({planted.keyword for planted in planted}) > 300
    assert len({file.person for file in files}) == 6


@pytest.mark.parametrize("file", build_corpus(), ids=lambda file: file.path)
def test_corpus_holds_what_is_planted(file: PlantedFile) -> None:
    missing = forbidden_texts([file], in_bytes=inflated(file.content))
    assert missing == []


def test_rows_are_those_of_the_standard() -> None:
    if not TABLE.exists():
        pytest.skip("the table of the standard is not here")
    standard: dict[str, Row] = {}
    with TABLE.open(encoding="utf-8") as lines:
        for line in csv.DictReader(lines, delimiter="\t"):
            name = line["tag"]
            if re.fullmatch(r"\([0-9A-F]{4},[0-9A-F]{4}\)", name):
                name = keyword_for_tag(int(name[1:5] + name[6:10], 16))
            codes = {option: line[column] for column, option in _COLUMNS.items()}
            standard[name] = Row(
                line["basicProfile"],
                frozenset(option for option, code in codes.items() if code == "K"),
                frozenset(option for option, code in codes.items() if code == "C"),
            )
    for keyword, row in ROWS.items():
        if keyword not in {"TextValue", "UnformattedTextValue"}:
            assert row == standard[_BEYOND_THE_TABLE.get(keyword, keyword)], keyword
    for file in build_corpus():
        for tag in _tags(pydicom.dcmread(pydicom.filebase.DicomBytesIO(file.content))):
            keyword, row = row_of(tag)
            if row is None:
                assert keyword not in standard


def _tags(made: pydicom.Dataset) -> set[int]:
    found: set[int] = set()
    with warnings.catch_warnings(action="ignore"):
        made.walk(lambda _, element: found.add(int(element.tag)))
    return found


# --- the checker


def test_checker_fails_inputs_that_nobody_touched(tree: Path) -> None:
    score = check(build_corpus(), tree / "in", ())
    same = {Category.READABLE, Category.PIXELS, Category.UNTOUCHED}
    for category in set(Category) - same - {Category.TEXT, Category.RETAINED}:
        assert score.share(category) < 0.4, category
    assert score.share(Category.REMOVED) == 0
    assert score.share(Category.DATES) == 0


@pytest.mark.parametrize(
    ("options", "category"),
    [
        (("cleanDescriptors",), Category.TEXT),
        (("cleanStructuredContent",), Category.TEXT),
        (("cleanGraphics",), Category.TEXT),
        ((MODIFIED,), Category.DATES),
    ],
)
def test_checker_wants_more_than_words_and_intervals(
    options: tuple[str, ...], category: Category, tree: Path
) -> None:
    score = check(build_corpus(), tree / "in", options)
    assert score.share(category) < 0.4


def test_checker_misses_files(tree: Path, tmp_path: Path) -> None:
    score = check(build_corpus(), tmp_path, ())
    assert score.share(Category.READABLE) == 0


Change = Callable[[pydicom.Dataset, pydicom.Dataset], object]


def _copy_some(outputs: Path, target: Path, path: str) -> tuple[PlantedFile, ...]:
    """Copy the outputs of one study's images and of one more file."""
    files = tuple(
        file for file in build_corpus() if file.path.startswith("GROENEW/ST1/MR") or file.path == path
    )
    for file in files:
        (target / file.path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(outputs / file.path, target / file.path)
    return files


def _put_back(keyword: str) -> Change:
    return lambda new, old: new.__setitem__(old[keyword].tag, old[keyword])


def _flip(keyword: str) -> Change:
    def flip(new: pydicom.Dataset, old: pydicom.Dataset) -> None:
        value = bytearray(new[keyword].value)
        value[5] ^= 1
        new[keyword].value = bytes(value)

    return flip


@pytest.mark.parametrize(
    ("name", "options", "change", "expected"),
    [
        (
            "/sc.dcm",
            (),
            _put_back("StationName"),
            {(Category.REMOVED, "StationName"), (Category.EMPTIED, "StationName")},
        ),
        (
            "/sc.dcm",
            (),
            _put_back("StudyTime"),
            {(Category.REMOVED, "StudyTime"), (Category.DATES, "StudyTime")},
        ),
        ("/sc.dcm", (), _put_back("PatientSex"), {(Category.EMPTIED, "PatientSex")}),
        ("/sc.dcm", (), lambda new, _: setattr(new, "Rows", 13), {(Category.UNTOUCHED, "Rows")}),
        ("/sc.dcm", (), lambda new, _: setattr(new, "EchoTime", "4.60"), {(Category.UNTOUCHED, "EchoTime")}),
        (
            "/sc.dcm",
            (),
            lambda new, _: delattr(new, "PatientPosition"),
            {(Category.UNTOUCHED, "PatientPosition")},
        ),
        (
            "/sc.dcm",
            (),
            lambda new, _: setattr(new, "PatientState", "x"),
            {(Category.UNTOUCHED, "PatientState")},
        ),
        ("/sc.dcm", (), _flip("PixelData"), {(Category.PIXELS, "PixelData")}),
        (
            "/sc.dcm",
            (),
            lambda new, _: setattr(new, "SeriesInstanceUID", "1.2.3.x"),
            {(Category.UIDS, "SeriesInstanceUID")},
        ),
        (
            "/sc.dcm",
            (),
            lambda new, _: setattr(new, "StudyInstanceUID", "1.2.3"),
            {(Category.UIDS, "StudyInstanceUID")},
        ),
        (
            "/sc.dcm",
            (),
            lambda new, _: setattr(new, "PatientID", "other"),
            {(Category.PATIENT_ID, "PatientID")},
        ),
        (
            "/sc.dcm",
            (),
            lambda new, _: delattr(new, "PatientIdentityRemoved"),
            {(Category.STAMPS, "PatientIdentityRemoved")},
        ),
        ("/sc.dcm", (), lambda new, _: setattr(new, "preamble", b"x" * 128), {(Category.STAMPS, "preamble")}),
        (
            "/sc.dcm",
            (MODIFIED,),
            lambda new, _: setattr(new, "ContentDate", new.StudyDate),
            {(Category.DATES, "ContentDate")},
        ),
        (
            "/sc.dcm",
            ("cleanDescriptors",),
            lambda new, _: setattr(new, "ImageComments", ""),
            {(Category.TEXT, "ImageComments")},
        ),
        (
            "/sc.dcm",
            ("retainDeviceIdentity",),
            lambda new, _: setattr(new, "StationName", "other"),
            {(Category.RETAINED, "StationName")},
        ),
    ],
)
def test_checker_tells_one_damage(
    name: str,
    options: tuple[str, ...],
    change: Change,
    expected: set[tuple[Category, str]],
    outputs: Callable[..., tuple[Done, Path]],
    tmp_path: Path,
) -> None:
    done, target = outputs(options)
    assert done.code == 0, done.out + done.err
    path = _file(name).path
    files = _copy_some(target, tmp_path, path)
    new, old = pydicom.dcmread(tmp_path / path), pydicom.dcmread(_input(path))
    with warnings.catch_warnings(action="ignore"):
        change(new, old)
    new.save_as(tmp_path / path)
    score = check(files, tmp_path, options)
    assert {(miss.category, miss.place) for miss in score.misses} == expected, str(score)
    assert {miss.path for miss in score.misses} == {path}


def _input(path: str) -> pydicom.filebase.DicomBytesIO:
    return pydicom.filebase.DicomBytesIO(_file(path).content)


@pytest.mark.parametrize("codec", ["latin-1", "utf-8", "utf-16-le"])
def test_checker_finds_a_name_among_any_bytes(
    codec: str, outputs: Callable[..., tuple[Done, Path]], tmp_path: Path
) -> None:
    _, target = outputs(())
    file = _file("/deep mixed deflated")
    files = _copy_some(target, tmp_path, file.path)
    made = pydicom.dcmread(tmp_path / file.path)
    made.add_new(0x00099999, "UN", b"\1" + "GRÖNEWALD".encode(codec) + b"\1")
    made.save_as(tmp_path / file.path)
    misses = check(files, tmp_path, ()).misses
    assert [miss for miss in misses if miss.category is Category.REMOVED] == [
        Miss(Category.REMOVED, file.path, "PatientName", misses[0].reason)
    ]
