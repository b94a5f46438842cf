"""Dry runs: everything but the writing, told on standard output."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

import pytest
from installed import BUNDLED, COMMAND, Trees, arguments_of, contents, execute, make, mixed_tree, run
from pages import blocks
from support import README_SPEC, ROOT

from pfdicom_tagSub.core.outcome import Action
from pfdicom_tagSub.report import survey_table as surveytable
from pfdicom_tagSub.report.survey import Count, ElementRow, LeftRow, SurveyReport

NEEDS_NO_ROOT = pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")


def state(root: Path) -> dict[str, tuple[int, int, int]]:
    """Every path below a directory with mode, size and time of change, the directory itself included."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in (".", *folders, *names):
            path = os.path.join(folder, name)
            status = os.lstat(path)
            found[path] = (status.st_mode, status.st_size, status.st_mtime_ns)
    return found


# --- nothing is written


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--outputFileStem", "%_md5|8_PatientID-%SOPInstanceUID"),
        ("--outputDirTemplate", "%_md5|8_PatientID/%Modality"),
        ("--outputLeafDir", "anon-%s"),
        ("--profile", "basic", "--overwrite"),
    ],
)
def test_dry_run_creates_nothing(trees: Trees, threads: str, flags: tuple[str, ...]) -> None:
    mixed_tree(trees.inputs)
    before = state(trees.inputs.parent)
    done = trees.run("--dryRun", "--threads", threads, *flags)
    assert done.code == 1
    assert state(trees.inputs.parent) == before
    assert not trees.outputs.exists()
    assert "would be written" in done.err


def test_dry_run_leaves_an_output_tree_alone(trees: Trees) -> None:
    for number in range(3):
        trees.make(f"a/{number}.dcm", PatientID=str(number))
    trees.run()
    (trees.outputs / "a" / "1.dcm").write_bytes(b"differs")
    (trees.outputs / "a" / "2.dcm").unlink()
    (trees.outputs / "a" / ".pfdicom_tagSub-host-1-1.tmp").write_bytes(b"stale")
    before = state(trees.outputs)
    for flags, counts in (
        ((), {"found": 3, "written": 1, "unchanged": 1, "failed": 1}),
        (("--overwrite",), {"found": 3, "written": 2, "unchanged": 1}),
    ):
        dry = trees.run("--dryRun", "--json", *flags)
        assert dry.counts == counts
        assert state(trees.outputs) == before
    assert trees.run("--json").counts == {"found": 3, "written": 1, "unchanged": 1, "failed": 1}


@pytest.mark.parametrize("flag", ["--ledger", "--log"])
def test_dry_run_leaves_ledger_and_log_alone(flag: str, trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    dry = trees.run("--dryRun", "--json", flag, str(tmp_path / "kept"))
    assert dry.counts == {"found": 1, "written": 1}
    assert "--dryRun" in dry.err
    assert flag in dry.err
    assert not (tmp_path / "kept").exists()


# --- the truth


def test_dry_run_tells_what_the_real_run_does(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    flags = ("--json", "--outputFileStem", "%PatientID", "--threads", "2")
    dry, real = trees.run("--dryRun", *flags), trees.run(*flags)
    assert dry.code == real.code == 1
    assert any("its output would have the same name as that of" in reason for reason in dry.failures.values())
    for key in ("counts", "failures", "skipped", "elements", "pixelReview", "pathsWithValues"):
        assert dry.record[key] == real.record[key], key
    assert (dry.record["dryRun"], real.record["dryRun"]) == (True, False)
    assert real.record["survey"] is None


def test_dry_run_tells_of_what_is_in_the_way_of_a_directory(trees: Trees) -> None:
    for folder in ("link", "file", "deep/er", "fine"):
        trees.make(f"{folder}/a.dcm")
    trees.outputs.mkdir()
    (trees.outputs / "link").symlink_to(trees.inputs.parent)
    (trees.outputs / "file").write_bytes(b"")
    (trees.outputs / "deep").symlink_to("nowhere")
    dry, real = trees.run("--dryRun", "--json"), trees.run("--json")
    assert dry.failures == real.failures
    assert len(dry.failures) == 3


@NEEDS_NO_ROOT
def test_dry_run_tells_of_a_directory_that_cannot_be_written_to(trees: Trees) -> None:
    trees.make("a/a.dcm")
    (trees.outputs / "a").mkdir(parents=True)
    (trees.outputs / "a").chmod(0o500)
    try:
        assert trees.run("--dryRun").code == trees.run().code == 1
    finally:
        (trees.outputs / "a").chmod(0o700)


# --- usage


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--dryRun", "--verify"), "--dryRun and --verify exclude each other"),
        (("--showValues",), "--showValues says what --dryRun and --report show"),
        (("--report", "page.pdf"), "--report page.pdf: give a name that ends in .html or .json"),
        (("--report", ""), "give a name that ends in"),
    ],
)
def test_dry_run_refuses_what_makes_no_sense(trees: Trees, flags: tuple[str, ...], said: str) -> None:
    trees.make("a.dcm")
    done = trees.run(*flags)
    assert done.code == 2
    assert said in done.err
    assert not trees.outputs.exists()


# --- what is printed


def test_dry_run_prints_the_record_alone_with_json(trees: Trees) -> None:
    trees.make("a.dcm")
    done = trees.run("--dryRun", "--json")
    assert done.record["survey"]["elements"]["PatientID"]["depths"] == {"0": 1}
    assert done.record["survey"]["showsValues"] is False


def test_dry_run_prints_a_table(trees: Trees) -> None:
    trees.make("a.dcm", StudyDescription="left")
    done = trees.run(
        "--dryRun",
        spec={"PatientName": "ANON", "PatientSpeciesDescription": "x", "PatientAge": None},
        env=os.environ | {"COLUMNS": "120"},
    )
    lines = done.out.splitlines()
    assert lines[0].split() == ["element", "depth:elements", "originals", "results", "done", "a", "result"]
    assert lines[2].split() == ["PatientName", "0:1", "1", "1", "1", "replaced", "ANON"]
    after = done.out.partition(surveytable.LEFT_TITLE)[2]
    assert "PatientID " in after
    assert "StudyDescription " in after
    assert "Keys of the spec that hit nothing:\n  PatientAge\n" in after
    assert "Secondary Capture Image Storage" in after
    assert "1 file: 1 would be written" in done.err


def test_dry_run_prints_no_table_of_a_run_that_could_not_begin(trees: Trees) -> None:
    done = run(trees.inputs / "none", trees.outputs, "--dryRun")
    assert (done.code, done.out) == (2, "")


@pytest.mark.parametrize("width", ["40", "80", "100", "200"])
def test_dry_run_fits_the_terminal(trees: Trees, width: str) -> None:
    environment = os.environ | {"COLUMNS": width}
    done = run(BUNDLED, trees.outputs, "--dryRun", "--profile", "basic", env=environment, spec=None)
    table = done.out.partition("\n\n")[0].splitlines()
    assert max(surveytable.columns(line) for line in table) <= max(int(width), surveytable.WIDTH_LEAST)
    assert any(line.startswith("PatientID ") for line in table)


def test_table_aligns_wide_and_long_texts() -> None:
    actions = dict.fromkeys(Action, 0) | {Action.SUBSTITUTED: 2}
    rows = tuple(
        ElementRow(label, "(0010,0010)", {0: 2}, actions, 0, Count(1), Count(1), (1, 9), "x" * 60, original)
        for label, original in (("PatientName", "山田^太郎"), ("Pat\x1b[31m", "e\u0301" * 50))
    )
    left = (LeftRow("PatientID", "(0010,0020)", {0: 1, 2: 3}, 1),)
    survey = SurveyReport(
        2, 1, rows, left, tuple(f"Key{n}" for n in range(60)), 0, 0, {"MR": 2}, {}, {}, True
    )
    lines = list(surveytable.lines(survey, 80))
    assert not any("\x1b" in line for line in lines)
    assert max(surveytable.columns(line) for line in lines[:6]) <= 80
    assert any("1 kept by a key" in line and "0:1 2:3" in line for line in lines)
    assert any("... and 10 more" in line for line in lines)


def test_dry_run_fails_where_its_table_cannot_be_printed(trees: Trees) -> None:
    trees.make("a.dcm")
    words = [COMMAND, *arguments_of(trees.inputs, trees.outputs, README_SPEC, "--dryRun")]
    done = execute(["bash", "-c", shlex.join(words) + " > /dev/full"])
    assert done.code == 1
    assert "the table could not be written to standard output" in done.err


# --- no patient's data

PLANTED = "Quasimodo^Zebedee"
HIDDEN = (
    "Quasimodo",
    "QUASIMODO",
    "Zebedee",
    "QZ-4711-XY",
    "19480229",
    "Rue Impossible",
    "1.2.3.4.5.6.7.8.9",
)
QUOTING_SPEC: dict[str, str | None] = {
    "PatientName": "x-%PatientName",
    "PatientID": "%_strmsk|**********_PatientID",
    "PatientBirthDate": "%PatientBirthDate",
    "PatientAddress": "%_nospc| _#tag",
    "OtherPatientNames": None,
    "InstitutionName": "%PatientName",
    "StudyDescription": "%_clean_#tag",
    "ReferringPhysicianName": "%_md5|4_#tag",
    "SOPInstanceUID": "%_uid_#tag",
    "StudyInstanceUID": "%StudyInstanceUID",
    "StudyDate": "%_dateshift|patientID|365_StudyDate",
    "PatientComments": "%PatientAddress",
}


def plant(trees: Trees, name: str = PLANTED) -> None:
    """A tree that is full of one patient."""
    trees.make(
        "a.dcm",
        PatientName=name,
        PatientID="QZ-4711-XY",
        PatientBirthDate="19480229",
        PatientAddress="Rue Impossible",
        OtherPatientNames=name,
        InstitutionName="Zebedee Hospital",
        StudyDescription="Quasimodo was here",
        ReferringPhysicianName=name,
        StudyInstanceUID="1.2.3.4.5.6.7.8.9",
        StudyDate="19480229",
        Modality="QUASIMODO",
        PatientComments=name,
        EthnicGroup="Quasimodo",
    )


@pytest.mark.parametrize("dry", [("--dryRun",), ()], ids=["dry", "real"])
@pytest.mark.parametrize("threads", ["0", "2"])
def test_dry_run_and_reports_show_no_original(trees: Trees, dry: tuple[str, ...], threads: str) -> None:
    plant(trees)
    pages = [trees.inputs.parent / name for name in ("r.html", "r.json")]
    flags = [word for page in pages for word in ("--report", str(page))]
    environment = os.environ | {"TMPDIR": str(trees.inputs.parent)}
    for more in ((), ("--json",)):
        done = trees.run(
            *dry, *flags, *more, "--verbosity", "5", "--threads", threads, spec=QUOTING_SPEC, env=environment
        )
        assert done.code == 0
        texts = [done.out, done.err, *(page.read_text("utf-8") for page in pages)]
        for value in HIDDEN:
            assert [value in text for text in texts] == [False] * 4, value
    written = set(contents(trees.inputs.parent)) - {"in/a.dcm", "out/a.dcm"}
    assert written == {"r.html", "r.json"}


def test_dry_run_shows_originals_where_it_is_asked_to(trees: Trees) -> None:
    plant(trees, "Quasimodo^\x07Red")
    done = trees.run("--dryRun", "--showValues", spec=QUOTING_SPEC, env=os.environ | {"COLUMNS": "200"})
    assert "QZ-4711-XY -> QZ-4711-XY" in done.out
    assert r"Quasimodo^\x07Red -> (nothing)" in done.out
    assert "\x07" not in done.out
    record = trees.run("--dryRun", "--showValues", "--json", spec=QUOTING_SPEC).record
    assert record["survey"]["elements"]["PatientBirthDate"]["original"] == "19480229"
    assert record["survey"]["showsValues"] is True


def test_page_on_reports_has_a_dry_run_that_runs(tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (line,) = blocks("docs/reference/report.rst")
    done = execute([COMMAND, *shlex.split(line)[1:]], cwd=tmp_path)
    assert done.code == 0
    assert "6 files: 5 would be written" in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["examples", "report.html"]


def test_dry_run_is_done_by_a_file_that_changes_nothing(trees: Trees) -> None:
    make(trees.inputs / "a.dcm")
    done = trees.run("--dryRun", spec={"PatientWeight": None})
    assert done.out.startswith("No element is hit.\n")
    assert json.loads(trees.run("--dryRun", "--json", spec={"PatientWeight": None}).out)["elements"] == {}
