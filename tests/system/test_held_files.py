"""``--pixelReview``: files whose pixels a person has to see are held or fail, and are not handed over."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from installed import Trees, checked_record, contents, names_in
from pydicom import uid
from support import Result, run_command

MR = {"SOPClassUID": uid.MRImageStorage, "Modality": "MR", "ImageType": ["ORIGINAL", "PRIMARY"]}
SPEC = ["--tagInfo", "PatientName:anon++PatientID:%_md5|7_PatientID++PatientIdentityRemoved:YES"]
HELD = {"s/burnt.dcm"}


@dataclass(frozen=True)
class Study:
    """A file to be seen, and one that needs no look."""

    trees: Trees
    hold: Path

    def command(self, *flags: str, policy: str = "hold", spec: list[str] = SPEC) -> Result:
        """Run the command with a policy."""
        given = ["--pixelReview", policy, *(["--holdDir", str(self.hold)] if policy == "hold" else [])]
        return run_command(self.trees.inputs, self.trees.outputs, "--json", *spec, *given, *flags)

    def run(self, *flags: str, policy: str = "hold", code: int = 0) -> dict[str, Any]:
        """The record of such a run."""
        done = self.command(*flags, policy=policy)
        assert done.code == code, done.err
        return checked_record(done.out)

    @property
    def handed_over(self) -> set[str]:
        return set(names_in(self.trees.outputs))

    @property
    def held(self) -> set[str]:
        return set(names_in(self.hold)) if self.hold.exists() else set()


def counts(record: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in record["counts"].items() if count}


@pytest.fixture
def study(trees: Trees, tmp_path: Path) -> Study:
    trees.make("plain.dcm", PatientID="ONE", BurnedInAnnotation="NO", **MR)
    trees.make("s/burnt.dcm", PatientID="TWO", BurnedInAnnotation="YES", **MR)
    return Study(trees, tmp_path / "hold")


@pytest.mark.parametrize("threads", ["0", "2"])
def test_held_files_go_to_a_directory_of_their_own(study: Study, threads: str) -> None:
    record = study.run("--threads", threads, "--verify")
    assert (study.handed_over, study.held) == ({"plain.dcm"}, HELD)
    assert counts(record) == {"found": 2, "written": 1, "held": 1}
    (entry,) = record["pixelReview"]
    assert (entry["path"], entry["output"], entry["held"]) == ("s/burnt.dcm", "s/burnt.dcm", True)
    assert stat.S_IMODE(study.hold.stat().st_mode) == 0o700
    held = contents(study.hold)["s/burnt.dcm"]
    shutil.rmtree(study.trees.outputs)
    study.run(policy="list")
    assert contents(study.trees.outputs)["s/burnt.dcm"] == held


def test_list_writes_them_as_all_others(study: Study) -> None:
    record = study.run(policy="list")
    assert study.handed_over == {"plain.dcm", *HELD}
    assert [entry["held"] for entry in record["pixelReview"]] == [False]


@pytest.mark.parametrize("threads", ["0", "2"])
def test_fail_writes_none_of_them(study: Study, threads: str) -> None:
    record = study.run("--threads", threads, policy="fail", code=1)
    (failure,) = record["failures"]
    assert (failure["path"], failure["stage"]) == ("s/burnt.dcm", "pixels")
    assert "a person has to see its pixels: " in failure["reason"]
    assert study.handed_over == {"plain.dcm"}


@pytest.mark.parametrize("policy", ["hold", "fail"])
def test_output_of_an_earlier_run_is_not_handed_over(study: Study, policy: str) -> None:
    study.run(policy="list")
    record = study.run(policy=policy, code=1)
    assert "--overwrite" in record["failures"][0]["reason"]
    assert study.handed_over == {"plain.dcm", *HELD}
    study.run("--overwrite", policy=policy, code=int(policy == "fail"))
    assert study.handed_over == {"plain.dcm"}


def test_ledger_allows_to_remove_its_own(study: Study, tmp_path: Path) -> None:
    ledger = ["--ledger", str(tmp_path / "ledger")]
    study.run(*ledger, policy="list")
    assert counts(study.run(*ledger)) == {"found": 2, "unchanged": 1, "held": 1}
    assert (study.handed_over, study.held) == ({"plain.dcm"}, HELD)
    record = study.run(*ledger)
    assert counts(record) == {"found": 2, "current": 2}
    assert [entry["held"] for entry in record["pixelReview"]] == [True]
    (study.hold / "s" / "burnt.dcm").unlink()
    assert counts(study.run(*ledger)) == {"found": 2, "current": 1, "held": 1}


def test_withdrawal_removes_held_files(study: Study, tmp_path: Path) -> None:
    ledger = ["--ledger", str(tmp_path / "ledger")]
    study.run(*ledger)
    shutil.rmtree(study.trees.inputs / "s")
    left = study.command("--ledger", str(tmp_path / "ledger"), "--prune", policy="list")
    assert left.code == 1
    assert "--holdDir" in left.record["orphans"]["files"][0]["reason"]
    assert study.run(*ledger, "--prune")["orphans"]["pruned"] == 1
    assert study.held == set()
    assert study.hold.exists()


def test_names_of_held_files_follow_the_templates(study: Study) -> None:
    study.run("--outputDirTemplate", "%_md5|4_PatientID", "--outputFileStem", "x")
    (held,) = study.held
    assert held.endswith("/x.dcm")
    study.run("--outputDirTemplate", "%_md5|4_PatientID", "--outputFileStem", "x")  # they are there already


def test_dry_run_makes_nothing(study: Study) -> None:
    assert counts(study.run("--dryRun")) == {"found": 2, "written": 1, "held": 1}
    assert not study.hold.exists()
    assert not study.trees.outputs.exists()


def test_directory_that_stays_empty_goes(study: Study) -> None:
    (study.trees.inputs / "s" / "burnt.dcm").unlink()
    study.run()
    assert not study.hold.exists()
    study.hold.mkdir()
    study.run()
    assert study.hold.exists()  # it was there before


def test_nothing_is_held_through_a_link(study: Study, tmp_path: Path) -> None:
    study.hold.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (study.hold / "s").symlink_to(tmp_path / "elsewhere")
    assert study.run(code=1)["failures"][0]["path"] == "s/burnt.dcm"
    assert not list((tmp_path / "elsewhere").iterdir())


def test_log_and_crosswalk_say_where_they_are(study: Study, tmp_path: Path) -> None:
    study.run("--log", str(tmp_path / "log"), "--crosswalk", str(tmp_path / "c.csv"))
    lines = {line["path"]: line for line in map(json.loads, (tmp_path / "log").read_bytes().splitlines())}
    assert lines["s/burnt.dcm"]["outcome"] == "held"
    assert f"{study.hold}/s/burnt.dcm" in (tmp_path / "c.csv").read_text()


@pytest.mark.parametrize("place", ["in/hold", "out/hold", "."])
def test_it_lies_apart_from_both_trees(study: Study, place: str) -> None:
    made = Study(study.trees, study.hold.parent / place)
    done = made.command()
    assert done.code == 2
    assert "keep it apart" in done.err
    assert not study.trees.outputs.exists()


def test_what_is_looked_for_nowhere_cannot_be_held(study: Study) -> None:
    done = study.command(spec=["--tagInfo", "PatientName:anon"])
    assert done.code == 2
    assert "--profile or --cleanPixels" in done.err


@pytest.mark.parametrize("flags", [["--pixelReview", "hold"], ["--holdDir", "x"]])
def test_hold_and_its_directory_belong_together(trees: Trees, flags: list[str]) -> None:
    done = run_command(trees.inputs, trees.outputs, *SPEC, *flags)
    assert done.code == 2
    assert "belong together" in done.err
