"""Outcomes that workers count, so that the process where they come together has nothing to do for each."""

import dataclasses
import pickle
from pathlib import Path

import pytest
from builders import data_set, rules_of, written

from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import (
    Action,
    CleanedPixels,
    FileOutcome,
    Finished,
    OutcomeTally,
    Stage,
    Stamp,
    Status,
)
from pfdicom_tagSub.core.plan import DirectoryPlan, Plan
from pfdicom_tagSub.report.totals import Totals
from pfdicom_tagSub.run.deferred_signals import DeferredSignals
from pfdicom_tagSub.run.run_settings import RunListeners, RunSettings
from pfdicom_tagSub.run.runner import run
from pfdicom_tagSub.run.tallies import tallied

ELEMENTS = ((0x00100010, Action.SUBSTITUTED, 1), (0x00100020, Action.EMPTIED, 2))
WRITTEN = FileOutcome("a", Status.WRITTEN, elements=ELEMENTS, output="a", seconds=0.1)

OF_INTEREST = [
    FileOutcome("b", Status.FAILED, Stage.READ, "cut off"),
    FileOutcome("b", Status.SKIPPED, reason="not DICOM"),
    FileOutcome("b", Status.NOT_SELECTED, reason="not selected"),
    FileOutcome("b", Status.CURRENT),
    FileOutcome("b", Status.HELD, is_held=True),
    *(
        dataclasses.replace(WRITTEN, relative="b", **named)  # type: ignore[arg-type]
        for named in (
            {"review": "burned in"},
            {"residuals": ("PatientID",)},
            {"finished": Finished(Stamp(1, 2))},
            {"pixels": CleanedPixels(("regions",), (), 1, 0, 0)},
            {"unknown_terms": "ISO_IR 1"},
            {"pairs": (("PatientID", "1", "2"),)},
            {"missing": (("table", "1"),)},
        )
    ),
]


def test_tally_counts_files_that_ended_alike_in_their_places() -> None:
    same = dataclasses.replace(WRITTEN, relative="c")
    path = dataclasses.replace(WRITTEN, relative="d", path_holds_value=True)
    there = dataclasses.replace(WRITTEN, relative="e", status=Status.UNCHANGED)
    rest, tallies = tallied([WRITTEN, OF_INTEREST[0], same, path, there])
    assert rest == [None, OF_INTEREST[0], None, None, None]
    assert tallies == (
        OutcomeTally(Status.WRITTEN, ELEMENTS, path_holds_value=False, files=2),
        OutcomeTally(Status.WRITTEN, ELEMENTS, path_holds_value=True, files=1),
        OutcomeTally(Status.UNCHANGED, ELEMENTS, path_holds_value=False, files=1),
    )


@pytest.mark.parametrize("outcome", OF_INTEREST, ids=lambda one: f"{one.status}-{one.review}{one.residuals}")
def test_tally_leaves_what_the_record_says_more_of(outcome: FileOutcome) -> None:
    assert tallied([outcome]) == ([outcome], ())


def test_tally_leaves_names() -> None:
    assert tallied(["a", "b"]) == (["a", "b"], ())


def test_totals_are_the_same_counted_one_by_one_or_by_tallies() -> None:
    more = dataclasses.replace(WRITTEN, elements=((0x00100010, Action.CUT, 3),), path_holds_value=True)
    outcomes = [WRITTEN, WRITTEN, *OF_INTEREST, more, WRITTEN]
    each, counted = Totals(), Totals()
    for outcome in outcomes:
        each.add(outcome)
    rest, tallies = tallied(outcomes)
    for left in rest:
        if left is not None:
            counted.add(left)
    for tally in tallies:
        counted.add_tally(tally)
    assert counted.finish(ExitCode.OK, 1.0, "") == each.finish(ExitCode.OK, 1.0, "")


def test_tallied_batch_of_many_files_is_sent_in_few_bytes() -> None:
    many = [dataclasses.replace(WRITTEN, relative=str(number)) for number in range(256)]
    assert len(pickle.dumps(tallied(many))) < 1000


@pytest.mark.parametrize("counts", [False, True])
def test_run_tells_each_file_or_how_many_ended_alike(tmp_path: Path, counts: bool) -> None:
    source = tmp_path / "in"
    source.mkdir()
    names = [f"{number:02}.dcm" for number in range(40)]
    for name in names:
        (source / name).write_bytes(written(data_set(PatientName="Doe^Jane", StudyDate="20240102")))
    (source / "07.dcm").write_bytes(b"no DICOM")
    outcomes: list[FileOutcome] = []
    tallies: list[OutcomeTally] = []
    directory = DirectoryPlan(str(source), str(tmp_path / "out"), ".", tuple(names))
    plan = Plan(str(source), str(tmp_path / "out"), (directory,))
    listeners = RunListeners(
        on_outcome=outcomes.append,
        on_tally=tallies.append if counts else None,
        deferred=DeferredSignals(),
    )
    run(plan, RunSettings(rules=rules_of({"PatientName": "x"}), workers=2), listeners)
    assert len(list((tmp_path / "out").iterdir())) == 39
    if counts:
        assert [outcome.relative for outcome in outcomes] == ["07.dcm"]
        assert sum(tally.files for tally in tallies) == 39
        assert {tally.elements for tally in tallies} == {((0x00100010, Action.SUBSTITUTED, 1),)}
        assert len(tallies) < 20
    else:
        assert sorted(outcome.relative for outcome in outcomes) == names
        assert not tallies
