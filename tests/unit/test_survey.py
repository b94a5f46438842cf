"""What passes tell of themselves, and the sums of it."""

from __future__ import annotations

import random
import subprocess
import sys
import tracemalloc
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pytest
from builders import EXPLICIT, data_set, element, file_of, nested, rules_of, sequence, written
from installed import BUNDLED, Trees, contents, mixed_tree, run
from pydicom.dataset import Dataset
from support import README_SPEC, ROOT

from pfdicom_tagSub.core.file_survey import ElementChange, FileKind, FileSurvey, merged
from pfdicom_tagSub.core.outcome import Action, FileOutcome, Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.engine.survey_basis import SurveyOptions
from pfdicom_tagSub.engine.surveyor import packed
from pfdicom_tagSub.report import survey as surveys
from pfdicom_tagSub.report.survey import DISTINCT_MOST, Distinct, Survey, SurveyReport
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import BASIC, load
from pfdicom_tagSub.spec.rules import RuleSet

Spec = dict[str, Any]


def surveyed(files: list[bytes], rules: RuleSet, folder: Path, *, show_values: bool = False) -> SurveyReport:
    """The survey of files that a worker processes."""
    survey = Survey(rules, shows_values=show_values)
    for outcome in observed(files, rules, folder, show_values=show_values):
        assert outcome.status is Status.WRITTEN, outcome.reason
        assert outcome.survey is not None
        survey.add(outcome.survey)
    return survey.finish()


def observed(
    files: list[bytes], rules: RuleSet, folder: Path, *, show_values: bool = False
) -> list[FileOutcome]:
    """What a worker tells of files that it would write."""
    worker = Worker(Settings(rules, is_dry=True, survey_options=SurveyOptions(bytes(16), show_values)))
    outcomes = []
    for number, content in enumerate(files):
        path = folder / f"{number}.dcm"
        path.write_bytes(content)
        outcomes.append(worker.process(FileJob(str(path), str(folder / "out.dcm"), path.name)))
    return outcomes


def row(report: SurveyReport, label: str) -> surveys.ElementRow:
    """The row of a keyword."""
    return next(row for row in report.elements if row.label == label)


def left(report: SurveyReport) -> dict[str, dict[int, int]]:
    """What stays: keyword to depth to how many."""
    return {row.label: dict(row.depths) for row in report.left}


# --- against pydicom


def walk(content: Dataset, depth: int = 0) -> Iterator[tuple[int, Any]]:
    """Every element with its depth."""
    for one in content:
        yield depth, one
        if one.VR == "SQ":
            for item in one.value:
                yield from walk(item, depth + 1)


def texts_of(one: Any) -> str:
    """The value of an element as one text."""
    value = one.value
    if value is None:
        return ""
    values = value if isinstance(value, (list, pydicom.multival.MultiValue)) else [value]
    return "\\".join(str(part) for part in values).rstrip("\0 ")


# Of a UN element that holds items pydicom makes no sequence.
WITHOUT_ODD = ("--fileFilter", "!re:^priv_SQ", "--verbosity", "0")
COUNTED = ("PatientName", "PatientID", "AccessionNumber", "InstitutionName", "ReferringPhysicianName")


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The record of a real run over the files that come with pydicom, and the outputs."""
    folder = tmp_path_factory.mktemp("bundled")
    done = run(BUNDLED, folder / "out", "--report", str(folder / "r.json"), "--json", *WITHOUT_ODD)
    return done.record, folder / "out"


def test_survey_counts_what_pydicom_counts(bundled: tuple[dict[str, Any], Path]) -> None:
    record, outputs = bundled
    depths: dict[str, Counter[str]] = defaultdict(Counter)
    originals: dict[str, set[str]] = defaultdict(set)
    results: dict[str, set[str]] = defaultdict(set)
    files = 0
    with warnings.catch_warnings(action="ignore"):
        for path in sorted(outputs.rglob("*")):
            if not path.is_file():
                continue
            files += 1
            for root, values in ((BUNDLED / path.relative_to(outputs), originals), (path, results)):
                for depth, one in walk(pydicom.dcmread(root, force=True)):
                    if one.keyword in COUNTED:
                        if values is originals:
                            depths[one.keyword][str(depth)] += 1
                        if text := texts_of(one):
                            values[one.keyword].add(text)
    survey = record["survey"]
    assert survey["files"] == files == sum(survey["modalities"].values())
    for keyword in COUNTED:
        found = survey["elements"][keyword]
        assert found["depths"] == depths[keyword], keyword
        assert found["originals"] == {"number": len(originals[keyword]), "exact": True}, keyword
        assert found["results"] == {"number": len(results[keyword]), "exact": True}, keyword


LEFT = (
    "StudyDate",
    "StudyDescription",
    "SOPInstanceUID",
    "PatientSex",
    "PatientWeight",
    "ReferencedSOPInstanceUID",
    "ProtocolName",
    "FrameOfReferenceUID",
    "OtherPatientIDsSequence",
)


def test_survey_finds_what_stays_as_pydicom_finds_it(bundled: tuple[dict[str, Any], Path]) -> None:
    record, outputs = bundled
    depths: dict[str, Counter[str]] = defaultdict(Counter)
    with warnings.catch_warnings(action="ignore"):
        for path in sorted(outputs.rglob("*")):
            if path.is_file():
                for depth, one in walk(pydicom.dcmread(path, force=True)):
                    if one.keyword in LEFT and (texts_of(one) if one.VR != "SQ" else len(one.value)):
                        depths[one.keyword][str(depth)] += 1
    found = record["survey"]["left"]
    assert {keyword: found[keyword]["depths"] for keyword in LEFT} == depths
    assert all(found[keyword]["kept"] == 0 for keyword in LEFT)
    assert not set(found) & set(record["elements"])  # in these files a key hits all of a keyword or none


def test_survey_adds_up_to_the_record(bundled: tuple[dict[str, Any], Path]) -> None:
    record, _ = bundled
    for label, found in record["survey"]["elements"].items():
        assert found["actions"] == record["elements"][label]
        assert sum(found["depths"].values()) == sum(found["actions"].values())
    assert set(record["survey"]["elements"]) == set(record["elements"])


def test_survey_leaves_the_outputs_as_they_are(bundled: tuple[dict[str, Any], Path], tmp_path: Path) -> None:
    _, outputs = bundled
    run(BUNDLED, tmp_path / "plain", *WITHOUT_ODD)
    assert contents(tmp_path / "plain") == contents(outputs)


@pytest.mark.parametrize("flags", [(), ("--profile", "basic")], ids=["readme", "basic"])
def test_survey_is_the_same_for_any_number_of_workers(tmp_path: Path, flags: tuple[str, ...]) -> None:
    spec = None if flags else README_SPEC
    found = [
        run(BUNDLED, tmp_path / "out", "--dryRun", "--json", "--threads", number, *flags, spec=spec).record[
            "survey"
        ]
        for number in ("0", "2")
    ]
    assert found[0] == found[1]


def test_survey_is_the_same_in_any_order(tmp_path: Path) -> None:
    rules = rules_of(README_SPEC)
    files = [
        written(data_set(PatientName=f"Doe^Jane{number % 3}", PatientID=str(number), Modality="MR"))
        for number in range(20)
    ]
    parts = [one.survey for one in observed(files, rules, tmp_path) if one.survey]
    reports = []
    for number in range(4):
        random.Random(number).shuffle(parts)
        survey = Survey(rules)
        for part in [*parts[:5], merged(parts[5:12]), *parts[12:]]:
            survey.add(part)
        reports.append(survey.finish())
    assert len(reports[0].elements) == 2
    assert all(report == reports[0] for report in reports)


def test_packed_outcomes_say_the_same_with_less(tmp_path: Path) -> None:
    rules = rules_of(README_SPEC)
    outcomes: list[FileOutcome | str] = list(
        observed([written(data_set(PatientID="1"))] * 3, rules, tmp_path)
    )
    sums = packed([outcomes[0], "a name", *outcomes[1:]])
    assert [isinstance(one, FileOutcome) and one.survey is not None for one in sums] == [
        True,
        False,
        False,
        False,
    ]
    first = sums[0]
    assert isinstance(first, FileOutcome)
    assert first.survey == merged(
        one.survey for one in outcomes if isinstance(one, FileOutcome) and one.survey
    )


# --- counting


def test_distinct_is_exact_up_to_its_bound_and_says_so_beyond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveys, "DISTINCT_MOST", 1000)
    monkeypatch.setattr(surveys, "PENDING_MOST", 64)
    distinct = Distinct()
    generator = random.Random(1)
    numbers = [generator.getrandbits(64) for _ in range(3)] + list(range(1, 998))
    for number in numbers * 2:
        distinct.add(number)
    assert (distinct.count.number, distinct.count.is_exact) == (1000, True)
    distinct.add(5000)
    assert (distinct.count.number, distinct.count.is_exact) == (1000, False)


def test_survey_takes_little_memory_however_many_values_there_are() -> None:
    survey = Survey(rules_of({"PatientID": "x"}))
    generator = random.Random(1)
    kind = {FileKind("MR", "", ""): 1}
    tracemalloc.start()
    for _ in range(150):
        hits = {
            ElementChange(
                0x00100020, 0, "substituted", generator.getrandbits(63) + 1, generator.getrandbits(63) + 1, 7
            ): 1
            for _ in range(1000)
        }
        survey.add(FileSurvey(hits, frozenset(), {}, kind))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    found = row(survey.finish(), "PatientID")
    assert found.total == 150_000
    assert found.originals == surveys.Count(DISTINCT_MOST, is_exact=False)
    assert most < 16 << 20


# --- what is told


def test_survey_tells_what_is_done_at_which_depth(tmp_path: Path) -> None:
    inner = data_set(PatientID="N1", PatientName="Doe^Jane")
    files = [
        written(nested(inner, PatientID="P1", PatientName="Doe^Jane", PatientSex="F")),
        written(data_set(PatientID="P2", PatientName="", PatientSex="M")),
    ]
    spec: Spec = {
        "PatientID": "%_md5|7_PatientID",
        "PatientName": None,
        "PatientSex": "",
        "PatientAge": "001Y",
    }
    report = surveyed(files, rules_of(spec), tmp_path)
    found = row(report, "PatientID")
    assert (found.depths, found.actions[Action.SUBSTITUTED], found.lengths) == ({0: 2, 1: 1}, 3, (2, 2))
    assert (found.originals, found.results) == (surveys.Count(3), surveys.Count(3))
    assert len(found.example) == 7
    assert found.original == ""
    names = row(report, "PatientName")
    assert (names.depths, names.actions[Action.REMOVED]) == ({0: 2, 1: 1}, 3)
    assert (names.originals, names.results, names.lengths) == (surveys.Count(1), surveys.Count(0), (0, 8))
    assert row(report, "PatientAge").actions[Action.INSERTED] == 2
    assert row(report, "PatientAge").example == "001Y"


def test_survey_tells_what_a_key_hits_and_leaves_the_same(tmp_path: Path) -> None:
    files = [written(data_set(PatientName="Doe^Jane", PatientID=""))]
    report = surveyed(files, rules_of({"PatientName": "%PatientName", "PatientID": ""}), tmp_path)
    assert [(row.label, row.same) for row in report.elements] == [("PatientName", 1), ("PatientID", 0)]


def test_survey_tells_of_keys_that_hit_nothing(tmp_path: Path) -> None:
    content = data_set(PatientName="Doe^Jane", PatientSex="F", StudyDescription="x")
    content.private_block(0x0029, "ACME", create=True).add_new(0x10, "LO", "kept")
    spec: Spec = {
        "re:.*hysician": "x",
        "PatientName": "x",
        "PatientSex": "%_keep_#tag",
        "PatientWeight": "%_keep_#tag",
        "PatientAge": None,
        '(0029,"ACME",10)': "%_keep_#tag",
        '(0029,"OTHER",10)': "%_keep_#tag",
        "preamble": "",
        "private": None,
    }
    report = surveyed([written(content)], rules_of(spec), tmp_path)
    idle = ["preamble", "private", "PatientWeight", "PatientAge", '(0029,"OTHER",10)', "re:.*hysician"]
    assert sorted(report.idle_keys) == sorted(idle)
    assert (report.profile_keys, report.idle_profile_keys) == (0, 0)


def test_survey_counts_private_elements_that_all_go(tmp_path: Path) -> None:
    content = data_set(PatientName="Doe^Jane", ReferencedImageSequence=[data_set(PatientID="1")])
    for one in (content, content.ReferencedImageSequence[0]):
        one.private_block(0x0029, "ACME", create=True).add_new(0x10, "LO", "x")
    report = surveyed([written(content)], rules_of({"PatientName": "x", "private": None}), tmp_path)
    assert row(report, "private").depths == {0: 2, 1: 2}
    assert report.idle_keys == ()


def test_survey_counts_the_keys_of_a_profile_that_hit_nothing(tmp_path: Path) -> None:
    rules = compile_rules(load(BASIC).spec)
    report = surveyed([bytes([1]) + written(data_set(PatientName="Doe^Jane"))[1:]], rules, tmp_path)
    hit = {"PatientName", "MediaStorageSOPInstanceUID", "preamble"}
    stamped = {"PatientIdentityRemoved", "LongitudinalTemporalInformationModified"}
    stamped |= {"DeidentificationMethod", "DeidentificationMethodCodeSequence", "ImplementationVersionName"}
    assert report.idle_keys == ()
    assert report.profile_keys - report.idle_profile_keys == len(hit | stamped)
    assert report.left == ()


def test_survey_finds_identifying_attributes_that_stay(tmp_path: Path) -> None:
    kept = data_set(PatientID="N1", PatientBirthDate="")
    content = nested(kept, keyword="ReferencedPatientSequence", PatientName="Doe^Jane", PatientID="P1")
    content.PatientSex = "F"
    content.add_new(0x60003000, "OW", b"\1\2")
    block = content.private_block(0x0029, "ACME", create=True)
    block.add_new(0x10, "LO", "Doe")
    block.add_new(0x11, "LO", "")
    report = surveyed(
        [bytes([1]) + written(content)[1:]],
        rules_of({"PatientName": "x", "PatientSex": "%_keep_#tag"}),
        tmp_path,
    )
    assert left(report) == {
        "MediaStorageSOPInstanceUID": {0: 1},
        "ReferencedPatientSequence": {0: 1},
        "PatientID": {0: 1, 1: 1},
        "PatientSex": {0: 1},
        "OverlayData": {0: 1},
        "private": {0: 1},
        "preamble": {0: 1},
    }
    assert {row.label: row.kept for row in report.left if row.kept} == {"PatientSex": 1}


def test_survey_names_files_by_terms_of_the_standard_alone(tmp_path: Path) -> None:
    files = [
        written(data_set(Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")),
        written(data_set(Modality="DOE_JANE", SOPClassUID="1.2.3.4711")),
    ]
    report = surveyed(files, rules_of({"PatientID": "x"}), tmp_path)
    assert report.modalities == {"(other)": 1, "MR": 1}
    assert report.sop_classes == {"(private or unknown)": 1, "MR Image Storage": 1}
    assert report.transfer_syntaxes == {"Explicit VR Little Endian": 2}


QUOTING = (
    "%PatientName",
    "x-%PatientName",
    "%_strmsk|********_PatientName",
    "%_nospc_PatientName",
    "%_strmsk|*******_PatientID",
    "%_clean_#tag",
    "Mueller^Anna",
    "Dr. Mueller^Anna",
)


@pytest.mark.parametrize("template", QUOTING)
def test_survey_shows_no_result_that_is_made_of_an_original(tmp_path: Path, template: str) -> None:
    content = written(data_set(PatientName="Mueller^Anna", PatientID="Mueller^Anna"))
    report = surveyed([content], rules_of({"PatientName": template}), tmp_path)
    assert row(report, "PatientName").example == ""
    assert "Mueller" not in repr(report)
    shown = surveyed([content], rules_of({"PatientName": template}), tmp_path, show_values=True)
    assert row(shown, "PatientName").original == "Mueller^Anna"
    assert row(shown, "PatientName").example


def test_survey_cuts_long_examples(tmp_path: Path) -> None:
    content = written(data_set(PatientComments="a" * 200))
    report = surveyed([content], rules_of({"PatientComments": "b" * 300}), tmp_path, show_values=True)
    found = row(report, "PatientComments")
    assert (len(found.example), len(found.original)) == (64, 64)


# --- truth


def test_survey_changes_no_outcome(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    mixed_tree(tmp_path / "in")
    plain = run(tmp_path / "in", tmp_path / "out", "--json").record
    dry = run(tmp_path / "in", tmp_path / "none", "--json", "--dryRun").record
    for key in ("counts", "elements", "failures", "skipped", "exitCode", "status"):
        assert dry[key] == plain[key], key


def test_survey_forgives_what_the_rules_need_not_know(tmp_path: Path) -> None:
    odd = element(0x00080005, "CS", b"NO SUCH SET", EXPLICIT)
    odd += element(0x00100010, "PN", b"D\xf6e", EXPLICIT)
    broken = sequence(0x00081140, b"\xfe\xff\x00\xe0\xff\x00\x00\x00", EXPLICIT)  # an item that is cut off
    broken += element(0x00100020, "LO", b"P1", EXPLICIT)
    for number, data in enumerate((odd, broken)):
        rules = rules_of({"PatientWeight": None})
        path = tmp_path / f"{number}.dcm"
        path.write_bytes(file_of(data))
        job = FileJob(str(path), str(tmp_path / "out.dcm"), path.name)
        plain = Worker(Settings(rules, is_dry=True)).process(job)
        seen = Worker(Settings(rules, is_dry=True, survey_options=SurveyOptions())).process(job)
        assert (seen.status, seen.elements) == (plain.status, plain.elements) == (Status.WRITTEN, ())
    assert seen.survey is not None
    assert seen.survey.partly == 1


def test_survey_costs_nothing_where_nobody_asks(tmp_path: Path) -> None:
    rules = rules_of(README_SPEC)
    worker = Worker(Settings(rules))
    assert worker.tools.patcher.surveyor is None
    assert worker.tools.patcher.is_local
    path = tmp_path / "a.dcm"
    path.write_bytes(written(data_set(PatientID="1")))
    assert worker.process(FileJob(str(path), str(tmp_path / "b.dcm"), "a.dcm")).survey is None
    code = (
        "import sys; from pfdicom_tagSub.cli.command import main; main(sys.argv[1:]);"
        "unused = ('engine.surveyor', 'report.survey', 'report.html');"
        "print([m for m in unused if 'pfdicom_tagSub.' + m in sys.modules],"
        "'jinja2' in sys.modules)"
    )
    (tmp_path / "in").mkdir()
    path.rename(tmp_path / "in" / "a.dcm")
    words = ["--inputDir", str(tmp_path / "in"), "--outputDir", str(tmp_path / "out")]
    words += ["--tagInfo", "PatientID:x", "--verbosity", "0"]
    done = subprocess.run(
        [sys.executable, "-c", code, *words], check=True, capture_output=True, text=True, cwd=ROOT
    )
    assert done.stdout == "[] False\n"


def test_survey_of_a_dicomdir_counts_its_records(trees: Trees) -> None:
    path = trees.add("DICOMDIR", (BUNDLED / "dicomdirtests" / "DICOMDIR").read_bytes())
    with warnings.catch_warnings(action="ignore"):
        found = [texts_of(one) for _, one in walk(pydicom.dcmread(path)) if one.keyword == "PatientID"]
    survey = trees.run("--dryRun", "--json").record["survey"]
    assert survey["elements"]["PatientID"]["depths"] == {"1": len(found)}
    assert survey["elements"]["PatientID"]["originals"]["number"] == len(set(found))
    assert survey["sopClasses"] == {"Media Storage Directory Storage": 1}
