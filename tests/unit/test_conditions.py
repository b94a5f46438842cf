"""Conditions over the values of a file: their grammar, what they hold for, and ``--where``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import jsonschema
import pytest
from builders import EXPLICIT, FORMS, Form, data_set, element, file_of, nested, written
from hypothesis import given
from hypothesis import strategies as st
from support import Result, run_command

from pfdicom_tagSub import api
from pfdicom_tagSub.core.errors import FileError, NotSelectedError, SpecError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.dicom import scanner
from pfdicom_tagSub.dicom.elements import Stretch
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.scan_filter import ScanFilter
from pfdicom_tagSub.dicom.scanner import ScanResult
from pfdicom_tagSub.dicom.scope import Reading
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine import patcher, selection
from pfdicom_tagSub.engine.conditional import PatcherChoice
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.engine.selection import Selection
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.condition_parsing import parse_condition
from pfdicom_tagSub.spec.conditions import Held, Subject, ValueTest
from pfdicom_tagSub.text import patterns
from pfdicom_tagSub.verify.conditional import PydicomFacts
from pfdicom_tagSub.verify.pydicom_reading import read_again

SCHEMA = json.loads((Path(__file__).parents[1] / "helpers" / "record_schema.json").read_text())


def holds(condition: str, content: bytes, path: str = "a/b.dcm") -> bool:
    """Whether a condition holds for a file."""
    made = parse_condition(condition, "--where")
    found = Selection(made.subjects, Reading(None)).ask(parse(BytesSource(content)), path, made.holds)
    again = made.holds(PydicomFacts(read_again(BytesSource(content)), path))
    assert again is found, "verification answers otherwise"
    return found


def _example(form: Form) -> bytes:
    made = nested(
        data_set(ScheduledProcedureStepID="S1", RequestedProcedureID="R1"),
        data_set(ScheduledProcedureStepID="S2"),
        Modality="US",
        Manufacturer="GE Healthcare ",
        PatientName="Doe^Jane^^",
        PatientID="0042",
        PatientAge="045Y",
        PatientSex="",
        StudyDate="20240517",
        StudyTime="101500.5",
        AcquisitionDateTime="20240517101500+0100",
        ImageType=["ORIGINAL", "PRIMARY", "AXIAL"],
        SeriesNumber="12",
        SliceThickness="2.50",
        Rows=512,
        SeriesDescription="it's a Dose Report",
    )
    made.add_new(0x00290010, "LO", "ACME 1.1")
    made.add_new(0x00291008, "LO", "private value")
    return written(made, form)


EXAMPLES = {form.name: _example(form) for form in FORMS}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize(
    "condition",
    [
        "Modality in ('US', 'XA') and Manufacturer contains 'GE' and SeriesDescription matches '(?i)dose'",
        "Modality = 'US'",
        'Modality = "US"',
        "(0008,0060) = 'US'",
        "00080060 = 'US'",
        "Modality != 'CT'",
        "not Modality = 'CT'",
        "not (Modality = 'CT' or Modality = 'MR')",
        "Modality = 'CT' or Modality = 'US' and Rows = 512",
        "Manufacturer = 'GE Healthcare'",
        "Manufacturer startsWith 'GE' and Manufacturer endsWith 'care'",
        "SeriesDescription contains 'it''s'",
        "PatientName = 'Doe^Jane'",
        "PatientID = '0042' and PatientID != '42'",
        "ImageType = 'AXIAL' and ImageType != 'LOCALIZER'",
        "SeriesNumber = 12 and SeriesNumber = '12.0' and SeriesNumber > 9",
        "SliceThickness <= 2.5 and SliceThickness >= 2.5 and SliceThickness < 10",
        "Rows >= 512 and Rows < 1e3 and Rows in (512, 1024)",
        "StudyDate >= '2024-01-01' and StudyDate < 20240601 and StudyDate = '2024.05.17'",
        "StudyTime > '10:14' and StudyTime < '1016'",
        "AcquisitionDateTime > '20240517'",
        "PatientAge > '400D' and PatientAge < '046Y'",
        "PatientSex present and PatientSex empty and PatientComments absent",
        "not PatientName empty and PatientName present",
        "RequestAttributesSequence present",
        "RequestAttributesSequence[0].ScheduledProcedureStepID = 'S1'",
        "RequestAttributesSequence[*].ScheduledProcedureStepID = 'S2'",
        "not RequestAttributesSequence[0].ScheduledProcedureStepID = 'S2'",
        "RequestAttributesSequence[1].RequestedProcedureID absent",
        "RequestAttributesSequence[7].ScheduledProcedureStepID absent",
        "ScheduledProcedureStepID absent",
        "(0029,\"ACME 1.1\",08) contains 'private'",
        '(0029,"OTHER",08) absent',
        "path startsWith 'a/' and path = 'a/b.dcm'",
        "TransferSyntaxUID startsWith '1.2.840.10008.1.2'",
        "PatientComments != 'x' or Rows = 512",
    ],
)
def test_condition_holds(form: Form, condition: str) -> None:
    assert holds(condition, EXAMPLES[form.name])
    assert not holds(f"not ({condition})", EXAMPLES[form.name])


@pytest.mark.parametrize(
    "condition",
    [
        "Modality = 'us'",
        "Modality = 'US' and Rows = 511",
        "PatientID = 42",
        "PatientComments = 'x'",
        "PatientComments != 'x'",
        "PatientSex != 'M'",
        "PatientComments contains ''",
        "StudyDate < '20240517'",
        "SeriesDescription matches '^Dose'",
        "path contains 'x'",
        "RequestAttributesSequence[1].ScheduledProcedureStepID = 'S1'",
    ],
)
def test_condition_does_not_hold(condition: str) -> None:
    assert not holds(condition, EXAMPLES["explicit"])


@pytest.mark.parametrize(
    ("condition", "column", "said"),
    [
        ("", 1, "empty"),
        ("Modalty = 'US'", 1, "did you mean Modality?"),
        ("Modality = US", 12, "with quotation marks"),
        ("Modality == 'US'", 11, "text in quotation marks or a number"),
        ("Modality like 'US'", 10, "one of = != in"),
        ("Modality startswith 'US'", 10, "did you mean startsWith?"),
        ("Modality = 'US' und Rows = 1", 17, "and, or, or the end"),
        ("Modality = 'US' and", 20, "an element or path is expected, not the end"),
        ("(Modality = 'US'", 17, "the bracket of column 1 is not closed"),
        ("Modality = 'US", 12, "a text ends with the mark"),
        ("Modality in 'US'", 13, "in ('US', 'XA')"),
        ("Modality in ('US' 'XA')", 19, "a comma or the end of the list"),
        ("Rows = 'many'", 8, "is a number (VR US)"),
        ("StudyDate > 'May'", 13, "is a date or time (VR DA)"),
        ("PatientAge > 45", 14, "is an age"),
        ("SeriesDescription matches '('", 27, "no regular expression"),
        ("SeriesDescription matches '(a+)+$'", 27, "too long"),
        ("Modality[0].Rows = 1", 1, "no sequence"),
        ("PixelData = 'x'", 11, "no text to compare"),
        ("path present", 6, "every file has a path"),
        ("Rows = 1; Rows = 2", 9, "is not understood"),
        ("not " * 200 + "Rows = 1", 401, "too deep"),
    ],
)
def test_condition_that_is_none_is_an_error_at_its_column(condition: str, column: int, said: str) -> None:
    with pytest.raises(SpecError) as stop:
        parse_condition(condition, "--where")
    assert str(stop.value).startswith(f"--where: column {column}: ")
    assert said in str(stop.value)


def test_pattern_of_a_condition_ends_in_time_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "REWRITING_SECONDS", 0.2)
    content = written(data_set(SeriesDescription="SEC" * 20 + "!"))
    with pytest.raises(FileError) as stop:
        holds("SeriesDescription matches '(?:SEC|S|E|C)+-$'", content)
    assert "SEC" not in str(stop.value)


# --- any condition against one worked out here


class _Stored:
    """A file whose one value is stored under some VR."""

    def __init__(self, vr: str, text: str) -> None:
        self._held = Held(True, vr, (text,))

    def held(self, _: Subject) -> Held:
        return self._held


@pytest.mark.parametrize("vr", ["DS", "IS", "DA", "DT", "TM"])
def test_value_that_is_no_number_or_date_is_equal_to_no_other_such(vr: str) -> None:
    """The VR of a private element may stand in the file alone, so that no literal was held against it."""
    subject, stored = Subject("(0029,1010)", (0x00291010,)), _Stored(vr, "high")
    assert not ValueTest(subject, "=", ("low",)).holds(stored)
    assert not ValueTest(subject, "in", ("low", "lower")).holds(stored)
    assert ValueTest(subject, "!=", ("low",)).holds(stored)


class _Facts:
    def __init__(self, values: dict[str, tuple[str, ...]]) -> None:
        self.values = values

    def held(self, subject: Subject) -> Held:
        found = self.values.get(subject.text)
        return Held(found is not None, "LO", found or ())


_NAMES = ("Modality", "PatientID", "StationName")
_LEAVES: dict[str, Callable[[tuple[str, ...] | None, str], bool]] = {
    "=": lambda texts, other: other in (texts or ()),
    "!=": lambda texts, other: bool(texts) and other not in (texts or ()),
    "contains": lambda texts, other: any(other in text for text in texts or ()),
    "present": lambda texts, _: texts is not None,
    "absent": lambda texts, _: texts is None,
    "empty": lambda texts, _: texts == (),
}


@st.composite
def _conditions(draw: st.DrawFn, depth: int = 3) -> tuple[str, Callable[[dict[str, tuple[str, ...]]], bool]]:
    kind = draw(st.sampled_from(["leaf", "not", "and", "or"] if depth else ["leaf"]))
    if kind == "leaf":
        name, operator = draw(st.sampled_from(_NAMES)), draw(st.sampled_from(sorted(_LEAVES)))
        literal = draw(st.text(alphabet="ab' ", min_size=1, max_size=2))
        quoted = "'" + literal.replace("'", "''") + "'"
        text = f"{name} {operator}" + (f" {quoted}" if operator in {"=", "!=", "contains"} else "")
        return text, lambda values: _LEAVES[operator](values.get(name), literal)
    first, one = draw(_conditions(depth=depth - 1))
    if kind == "not":
        return f"not ({first})", lambda values: not one(values)
    second, other = draw(_conditions(depth=depth - 1))
    if kind == "and":
        return f"({first}) and ({second})", lambda values: one(values) and other(values)
    return f"({first}) or ({second})", lambda values: one(values) or other(values)


@given(
    _conditions(),
    st.dictionaries(
        st.sampled_from(_NAMES), st.lists(st.text("ab' ", min_size=1, max_size=2), max_size=2).map(tuple)
    ),
)
def test_condition_is_what_its_parts_are(made: Any, values: dict[str, tuple[str, ...]]) -> None:
    text, expected = made
    assert parse_condition(text, "x").holds(_Facts(values)) == expected(values)


# --- --where


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    inputs = tmp_path / "in"
    (inputs / "ct").mkdir(parents=True)
    for number in range(4):
        for modality in ("CT", "MR"):
            made = data_set(
                Modality=modality,
                PatientID=f"P{number}",
                SeriesNumber=str(number),
                SOPInstanceUID=f"1.2.{number}",
            )
            (inputs / "ct" / f"{modality}{number}").write_bytes(written(made))
    (inputs / "notes.txt").write_text("no DICOM")
    return inputs


def run(inputs: Path, *flags: str) -> Result:
    return run_command(inputs, inputs.parent / "out", "--tagInfo", "PatientID:x", "--json", *flags)


def written_in(inputs: Path) -> list[str]:
    return sorted(path.name for path in (inputs.parent / "out").rglob("*") if path.is_file())


@pytest.mark.parametrize("threads", ["0", "2"])
def test_where_chooses_files_and_counts_the_others_apart(tree: Path, threads: str) -> None:
    done = run(tree, "--where", "Modality = 'CT' and SeriesNumber > 1", "--threads", threads)
    assert done.code == 0
    jsonschema.validate(done.record, SCHEMA)
    assert written_in(tree) == ["CT2", "CT3"]
    counts = done.record["counts"]
    assert (counts["found"], counts["written"], counts["notSelected"], counts["skipped"]) == (9, 2, 6, 1)
    reasons = {one["path"]: one["reason"] for one in done.record["skipped"]}
    assert reasons["ct/MR0"] == "not selected"
    assert reasons["notes.txt"] == "not DICOM"
    assert "6 not selected" in done.err


def test_where_goes_with_names_of_outputs_a_dry_run_and_verification(tree: Path) -> None:
    flags = (
        "--where",
        "path contains 'MR'",
        "--outputFileStem",
        "%SOPInstanceUID",
        "--outputDirTemplate",
        "%Modality",
    )
    assert run(tree, *flags, "--dryRun").record["counts"]["notSelected"] == 4
    assert run(tree, *flags, "--verify").record["counts"]["written"] == 4
    assert written_in(tree) == ["1.2.0", "1.2.1", "1.2.2", "1.2.3"]


def test_where_is_part_of_what_a_ledger_compares(tree: Path) -> None:
    ledger = ("--ledger", str(tree.parent / "ledger"))
    assert run(tree, *ledger, "--where", "Modality = 'CT'").record["counts"]["written"] == 4
    again = run(tree, *ledger, "--where", "Modality = 'CT'").record["counts"]
    assert (again["current"], again["notSelected"]) == (4, 4)
    other = run(tree, *ledger, "--where", "Modality present").record["counts"]
    assert (other["current"], other["written"], other["unchanged"]) == (0, 4, 4)


def test_where_that_is_none_is_an_error_before_the_first_file(tree: Path) -> None:
    done = run(tree, "--where", "Modalty = 'CT'")
    assert done.code == 2
    assert "--where: column 1: unknown keyword 'Modalty', did you mean Modality?" in done.err
    assert not (tree.parent / "out").exists()


def test_where_that_selects_no_file_is_warned_of(tree: Path) -> None:
    done = run(tree, "--where", "Modality = 'NM'")
    assert done.code == 0
    assert "--where selected no file" in done.err


def test_where_of_the_api_is_that_of_the_command(tree: Path) -> None:
    report = api.run_tree(
        tree, tree.parent / "out", api.compile_spec({"PatientID": "x"}), where="Modality = 'CT'"
    )
    assert report.counts["written"] == 4  # type: ignore[index]
    assert written_in(tree) == ["CT0", "CT1", "CT2", "CT3"]


# --- how often a file is scanned


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which module scanned a data set, in the order of the scans."""
    made: list[str] = []
    for module in (patcher, selection):

        def scan(stretch: Stretch, scan_filter: ScanFilter, name: str = module.__name__) -> ScanResult:
            made.append(name.rpartition(".")[2])
            return scanner.scan(stretch, scan_filter)

        monkeypatch.setattr(module, "scan", scan)
    return made


def processed(settings: Settings, tree: Path, names: Sequence[str]) -> list[Status]:
    worker = Worker(settings)
    out = tree.parent / "out"
    out.mkdir()
    settled = [FileJob(str(tree / "ct" / name), str(out / name), f"ct/{name}") for name in names]
    return [worker.process(job).status for job in settled]


def test_selected_file_is_scanned_once_and_another_not_at_all(tree: Path, scans: list[str]) -> None:
    where = parse_condition("Modality = 'CT' and PatientID startsWith 'P'", "--where")
    rules = api.compile_spec({"PatientName": "x"})
    settings = Settings(rules, output_root=str(tree.parent / "out"), where=where)
    names = ["CT0", "MR0", "CT1", "MR1", "MR2", "CT2"]
    written, left = Status.WRITTEN, Status.NOT_SELECTED
    assert processed(settings, tree, names) == [written, left, written, left, left, written]
    assert scans == ["patcher"] * 3


def test_block_shares_the_scan_of_the_rules_that_hold_for_it(tree: Path, scans: list[str]) -> None:
    spec = {"PatientID": "x", "when Modality = 'CT'": {"StudyID": "1", "SeriesNumber": "2"}}
    settings = Settings(api.compile_spec(spec), output_root=str(tree.parent / "out"))
    assert processed(settings, tree, ["CT0", "CT1", "CT2", "MR0", "MR1"]) == [Status.WRITTEN] * 5
    # Where a series ends, what holds for its files is not what holds for the next one.
    assert scans == ["patcher"] * 7


def test_file_whose_elements_stand_in_no_order_is_selected_if_all_of_it_is() -> None:
    modality = element(0x00080060, "CS", b"CT", EXPLICIT)
    other = element(0x00080060, "CS", b"MR", EXPLICIT)
    late = file_of(element(0x00100010, "PN", b"A ", EXPLICIT) + modality)
    twice = file_of(modality + element(0x00100010, "PN", b"A ", EXPLICIT) + other)
    first = file_of(modality + element(0x00100010, "PN", b"A ", EXPLICIT))
    condition = parse_condition("Modality = 'CT'", "--where")
    rules = api.compile_spec({"PatientName": "x"})
    for order in ((late, twice, first), (first, twice, late)):
        choice = PatcherChoice(Patcher(rules), Patcher, None, condition)
        for content in order:
            file = parse(BytesSource(content))
            if content is first:
                assert choice.of(file, "")[0].rules is rules
                continue
            with pytest.raises(NotSelectedError):
                choice.of(file, "")


def test_damage_behind_what_a_condition_asks_matters_to_selected_files_alone() -> None:
    damaged = file_of(
        element(0x00080060, "CS", b"CT", EXPLICIT) + element(0x00100010, "PN", b"A ", EXPLICIT)[:-1]
    )
    rules = api.compile_spec({"PatientName": "x"})
    for text, error in (("Modality = 'CT'", FileError), ("Modality = 'MR'", NotSelectedError)):
        choice = PatcherChoice(Patcher(rules), Patcher, None, parse_condition(text, "--where"))
        with pytest.raises(error):
            choice.of(parse(BytesSource(damaged)), "")


def test_answer_is_kept_only_for_files_that_say_the_same() -> None:
    rules = api.compile_spec({"PatientName": "x"})
    choice = PatcherChoice(Patcher(rules), Patcher, None, parse_condition("path contains 'a'", "--where"))
    file = parse(BytesSource(written(data_set(Modality="CT"))))
    for path, is_selected in (("a", True), ("b", False), ("a", True)):
        if is_selected:
            choice.of(file, path)
            continue
        with pytest.raises(NotSelectedError):
            choice.of(file, path)


def test_file_that_is_not_selected_is_read_by_its_beginning_alone(tree: Path, scans: list[str]) -> None:
    """So what stands behind costs nothing: the steps are the same for a header of any size."""
    steps = []
    for count in (10, 400):
        items = b"".join(element(0x00400000 + 2 * one, "LO", b"x", EXPLICIT) for one in range(1, count))
        large = file_of(element(0x00080060, "CS", b"MR", EXPLICIT) + items)
        for number in range(3):
            (tree / "ct" / f"{count}-{number}").write_bytes(large)
        where = parse_condition("Modality = 'CT'", "--where")
        rules = api.compile_spec({"re:.*": "x"})
        worker = Worker(Settings(rules, output_root=str(tree.parent / "out"), where=where))
        made = 0

        def trace(frame: FrameType, event: str, argument: Any) -> Any:
            nonlocal made
            made += event == "line"
            return trace

        for number in range(3):
            path = str(tree / "ct" / f"{count}-{number}")
            job = FileJob(path, str(tree.parent / "out" / str(number)), "a")
            made = 0
            before = sys.gettrace()
            sys.settrace(trace)
            try:
                outcome = worker.process(job)
            finally:
                sys.settrace(before)
            assert outcome.status is Status.NOT_SELECTED
        steps.append(made)
    assert steps[0] == steps[1]
    assert scans == []


@pytest.mark.parametrize(
    "form",
    [
        "{}",
        "Modality = '{}",
        "Modality '{}'",
        "Modality = {}",
        "PatientAge > '{}'",
        "Rows = '{}'",
        "StudyDate > '{}'",
    ],
)
def test_message_about_a_long_condition_stays_short(form: str) -> None:
    with pytest.raises(SpecError) as stop:
        api.compile_spec({f"when {form.format('y' * 70000)}": {"PatientID": "x"}})
    assert len(str(stop.value)) < 500
