"""``--prune``: outputs whose inputs are gone are removed, and no others."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from installed import Trees, checked_record, contents, names_in
from support import Result, run_command

SPEC = ["--tagInfo", "PatientName:anon++PatientID:%_md5|7_PatientID"]
FILES = {"one/a.dcm": "ONE", "one/b.dcm": "ONE", "two/c.dcm": "TWO", "two/d.dcm": "TWO"}


@dataclass(frozen=True)
class Cohort:
    """Two patients, and what a run keeps beside them."""

    trees: Trees
    place: Path

    def command(self, *flags: str) -> Result:
        """Run the command with the ledger and a log."""
        kept = ["--ledger", str(self.place / "ledger"), "--log", str(self.place / "log")]
        return run_command(self.trees.inputs, self.trees.outputs, "--json", *kept, *SPEC, *flags)

    def run(self, *flags: str, code: int = 0) -> dict[str, Any]:
        """The record of such a run."""
        done = self.command(*flags)
        assert done.code == code, done.err
        return checked_record(done.out)

    def orphans(self, *flags: str, code: int = 0) -> dict[str, tuple[str, str]]:
        """Path to outcome and output of each orphan."""
        orphans = self.run(*flags, code=code)["orphans"]
        outcomes = [one["outcome"] for one in orphans["files"]]
        assert (orphans["pruned"], orphans["left"]) == (outcomes.count("pruned"), outcomes.count("left"))
        return {one["path"]: (one["outcome"], one["output"]) for one in orphans["files"]}

    def withdraw(self, name: str = "one") -> None:
        """Take a patient out of the inputs."""
        shutil.rmtree(self.trees.inputs / name)

    def pruned_lines(self) -> list[tuple[str, str]]:
        """Path and output in the lines of the log that tell of removals."""
        lines = map(json.loads, (self.place / "log").read_bytes().splitlines())
        return [(line["path"], line["output"]) for line in lines if line["outcome"] == "pruned"]


@pytest.fixture
def cohort(trees: Trees, tmp_path: Path) -> Cohort:
    for number, (name, patient) in enumerate(FILES.items()):
        trees.make(name, PatientID=patient, InstanceNumber=str(number))
    made = Cohort(trees, tmp_path)
    assert made.orphans() == {}
    return made


ONE = {"one/a.dcm": ("pruned", "one/a.dcm"), "one/b.dcm": ("pruned", "one/b.dcm")}
LEFT = {path: ("left", output) for path, (_, output) in ONE.items()}


@pytest.mark.parametrize("threads", ["0", "2"])
def test_outputs_whose_inputs_are_gone_are_removed(cohort: Cohort, threads: str) -> None:
    before = contents(cohort.trees.outputs)
    cohort.withdraw()
    record = cohort.run("--prune", "--threads", threads)
    assert {one["path"]: (one["outcome"], one["output"]) for one in record["orphans"]["files"]} == ONE
    assert record["counts"]["current"] == record["counts"]["found"] == 2
    assert sorted(names_in(cohort.trees.outputs)) == ["two/c.dcm", "two/d.dcm"]
    assert not (cohort.trees.outputs / "one").exists()
    after = contents(cohort.trees.outputs)
    assert after == {name: before[name] for name in after}
    assert sorted(cohort.pruned_lines()) == [("one/a.dcm", "one/a.dcm"), ("one/b.dcm", "one/b.dcm")]
    assert cohort.orphans("--prune") == {}  # the ledger has forgotten them


def test_without_it_they_are_counted_and_warned_of(cohort: Cohort) -> None:
    cohort.withdraw()
    done = cohort.command()
    assert "2 outputs are still there though the input is gone" in done.err
    assert cohort.orphans() == LEFT
    assert len(names_in(cohort.trees.outputs)) == 4


def test_dry_run_shows_them_and_changes_nothing(cohort: Cohort) -> None:
    cohort.withdraw()
    ledger = cohort.place / "ledger"
    before = ledger.read_bytes()
    done = cohort.command("--prune", "--dryRun")
    assert (done.code, done.record["orphans"]["pruned"]) == (0, 2)
    assert "2 would be pruned" in done.err
    assert ledger.read_bytes() == before
    assert len(names_in(cohort.trees.outputs)) == 4
    assert cohort.pruned_lines() == []
    assert cohort.orphans("--prune") == ONE


def test_dry_run_lists_them_below_its_table(cohort: Cohort) -> None:
    cohort.withdraw()
    (cohort.trees.outputs / "one" / "b.dcm").write_bytes(b"theirs")
    kept = ["--ledger", str(cohort.place / "ledger")]
    done = run_command(cohort.trees.inputs, cohort.trees.outputs, *kept, *SPEC, "--prune", "--dryRun")
    assert "Outputs whose inputs are gone:" in done.out
    assert "one/a.dcm: would be removed" in done.out
    assert "one/b.dcm: stays, it was changed since" in done.out


def test_dry_run_without_a_ledger_prunes_nothing(cohort: Cohort) -> None:
    cohort.withdraw()
    (cohort.place / "ledger").unlink()
    assert cohort.orphans("--prune", "--dryRun") == {}
    assert not (cohort.place / "ledger").exists()


def _touch(path: Path) -> None:
    os.utime(path, ns=(0, 0))


def _replace_by_link(path: Path) -> None:
    path.rename(path.with_name("moved"))
    path.symlink_to("moved")


def _append(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize("change", [_touch, _append, _replace_by_link])
def test_an_output_that_was_changed_stays(cohort: Cohort, change: Callable[[Path], None]) -> None:
    change(cohort.trees.outputs / "one" / "a.dcm")
    cohort.withdraw()
    for _ in range(2):  # it is not forgotten
        record = cohort.run("--prune", code=1)
        (left,) = (one for one in record["orphans"]["files"] if one["outcome"] == "left")
        assert left["path"] == "one/a.dcm"
        assert "changed since" in left["reason"]
        assert os.path.lexists(cohort.trees.outputs / "one" / "a.dcm")
        assert not (cohort.trees.outputs / "one" / "b.dcm").exists()
        (warning,) = record["warnings"]
        assert "1 output is still there" in warning
        assert "--prune removes" not in warning  # it was given


def test_nothing_is_removed_through_a_link(cohort: Cohort) -> None:
    folder = cohort.trees.outputs / "one"
    folder.rename(cohort.place / "elsewhere")
    folder.symlink_to(cohort.place / "elsewhere")
    cohort.withdraw()
    assert set(cohort.orphans("--prune", code=1).values()) == {("left", "one/a.dcm"), ("left", "one/b.dcm")}
    assert len(list((cohort.place / "elsewhere").iterdir())) == 2


def test_what_others_put_there_stays(cohort: Cohort) -> None:
    (cohort.trees.outputs / "one" / "notes").write_text("theirs")
    cohort.withdraw()
    assert cohort.orphans("--prune") == ONE
    assert names_in(cohort.trees.outputs / "one") == ["notes"]


@pytest.mark.parametrize(
    "flags",
    [
        ["--fileFilter", "c.dcm"],
        ["--dirFilter", "two"],
        ["--where", "PatientID = 'TWO'"],
        ["--maxDepth", "0"],
    ],
)
def test_inputs_that_a_run_leaves_out_are_not_gone(cohort: Cohort, flags: list[str]) -> None:
    assert cohort.orphans("--prune", *flags) == {}
    assert len(names_in(cohort.trees.outputs)) == 4


def test_inputs_that_a_list_leaves_out_are_not_gone(cohort: Cohort) -> None:
    chosen = cohort.place / "list"
    chosen.write_text("two/c.dcm\n")
    assert cohort.orphans("--prune", "--filesFrom", str(chosen)) == {}
    (cohort.trees.inputs / "one" / "a.dcm").unlink()
    assert cohort.orphans("--prune", "--filesFrom", str(chosen)) == {"one/a.dcm": ("pruned", "one/a.dcm")}


def test_an_input_tree_without_a_file_is_taken_for_one_that_is_not_mounted(cohort: Cohort) -> None:
    for name in ("one", "two"):
        cohort.withdraw(name)
    record = cohort.run("--prune", code=1)
    assert "is it mounted?" in record["error"]
    assert record["orphans"]["pruned"] == 0
    assert len(names_in(cohort.trees.outputs)) == 4


def test_the_last_input_that_is_left_may_be_outside_of_the_filters(cohort: Cohort) -> None:
    cohort.withdraw()
    assert cohort.orphans("--prune", "--fileFilter", "none") == ONE


NAMED = ["--outputDirTemplate", "%_md5|8_PatientID", "--outputFileStem", "%InstanceNumber"]


def test_output_of_an_input_that_was_moved_stays(cohort: Cohort) -> None:
    shutil.rmtree(cohort.trees.outputs)
    cohort.run(*NAMED)
    before = contents(cohort.trees.outputs)
    (cohort.trees.inputs / "one").rename(cohort.trees.inputs / "moved")
    assert cohort.orphans("--prune", *NAMED) == {}
    assert contents(cohort.trees.outputs) == before
    assert cohort.orphans("--prune", *NAMED) == {}
    cohort.withdraw("moved")
    assert {path: outcome for path, (outcome, _) in cohort.orphans("--prune", *NAMED).items()} == {
        "moved/a.dcm": "pruned",
        "moved/b.dcm": "pruned",
    }
    assert len(names_in(cohort.trees.outputs)) == 2


def test_no_name_is_shown_that_was_made_of_what_is_replaced(cohort: Cohort) -> None:
    shutil.rmtree(cohort.trees.outputs)
    cohort.run("--outputFileStem", "%PatientID-%InstanceNumber")
    cohort.withdraw()
    shown = cohort.orphans("--prune")  # the names of this run would not tell
    assert shown == {"one/a.dcm": ("pruned", None), "one/b.dcm": ("pruned", None)}
    assert names_in(cohort.trees.outputs / "two")


def test_prune_needs_a_ledger(trees: Trees) -> None:
    done = run_command(trees.inputs, trees.outputs, *SPEC, "--prune")
    assert done.code == 2
    assert "--ledger" in done.err


def test_report_names_outputs_whose_inputs_are_gone(cohort: Cohort, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    cohort.run("--report", str(page))
    assert "Outputs whose inputs are gone" not in page.read_text()
    cohort.withdraw()
    cohort.run("--report", str(page))
    text = page.read_text()
    assert "Outputs whose inputs are gone: 2" in text
    assert text.count("<td>left</td>") == 2
    cohort.run("--report", str(page), "--prune")
    text = page.read_text()
    assert text.count("<td>pruned</td>") == 2
    for name in ("one/a.dcm", "one/b.dcm"):
        assert text.count(f"<code>{name}</code>") == 2  # the input, and its output
