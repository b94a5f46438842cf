"""The command as a whole: exceptions to exit codes, signals, and what is printed where."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from installed import patience
from support import ROOT

from pfdicom_tagSub import __version__
from pfdicom_tagSub.cli import command, printing
from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.core.errors import Interrupted, PlanError, SpecError
from pfdicom_tagSub.core.outcome import Action, FileOutcome, Stage, Status
from pfdicom_tagSub.core.plan import Plan
from pfdicom_tagSub.run import runner
from pfdicom_tagSub.run import walk as planning
from pfdicom_tagSub.run.run_settings import RunListeners, RunSettings
from pfdicom_tagSub.spec import parsing as spec

SCHEMA = json.loads((ROOT / "tests" / "helpers" / "record_schema.json").read_text("utf-8"))
SECRET = "Doe^Jane"

Run = Callable[..., None]


@pytest.fixture
def trees(tmp_path: Path) -> list[str]:
    """The flags of an input tree with three files, and of a spec."""
    (tmp_path / "in" / "s").mkdir(parents=True)
    for name in ("a.dcm", "b.dcm", "s/c.dcm"):
        (tmp_path / "in" / name).write_bytes(b"")
    return [
        *("--inputDir", str(tmp_path / "in"), "--outputDir", str(tmp_path / "out")),
        *("--tagInfo", "PatientName:anon"),
    ]


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[Run], None]:
    """Puts a function in the place of the engine."""

    def put(run: Run) -> None:
        monkeypatch.setattr(runner, "run", run)

    return put


def outcomes(*statuses: Status) -> Run:
    """An engine under which the files of the plan end as given, in turn."""

    def run(plan: Plan, _: RunSettings, listeners: RunListeners) -> None:
        for job, status in zip(plan.jobs(), statuses, strict=True):
            stage = Stage.READ if status is Status.FAILED else None
            reason = "why" if status in {Status.FAILED, Status.SKIPPED} else ""
            changes = ((0x00100010, Action.SUBSTITUTED, 1),) if not reason else ()
            listeners.on_outcome(FileOutcome(job.relative, status, stage, reason, changes))

    return run


def failing(error: BaseException) -> Run:
    def run(*_: object, **__: object) -> None:
        raise error

    return run


def record_of(capsys: pytest.CaptureFixture[str]) -> tuple[dict[str, Any], str]:
    """The record on stdout, checked against the schema, and what is on stderr."""
    printed = capsys.readouterr()
    content = json.loads(printed.out)
    jsonschema.validate(content, SCHEMA, cls=jsonschema.Draft202012Validator)
    return content, printed.err


# --- exit codes


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ((Status.WRITTEN, Status.WRITTEN, Status.WRITTEN), 0),
        ((Status.UNCHANGED, Status.UNCHANGED, Status.UNCHANGED), 0),
        ((Status.WRITTEN, Status.SKIPPED, Status.SKIPPED), 0),
        ((Status.WRITTEN, Status.FAILED, Status.WRITTEN), 1),
        ((Status.FAILED, Status.FAILED, Status.FAILED), 1),
    ],
)
def test_main_returns_what_became_of_the_files(
    statuses: tuple[Status, ...],
    code: int,
    trees: list[str],
    work: Callable[[Run], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(outcomes(*statuses))
    assert command.main([*trees, "--json"]) == code
    record, _ = record_of(capsys)
    assert record["exitCode"] == code
    assert record["status"] == ("failed" if code else "ok")
    assert record["counts"]["found"] == 3
    assert all(record["counts"][status] == statuses.count(status) for status in Status)
    assert len(record["specDigest"]) == 64


@pytest.mark.parametrize("flag", ["--version", "--man", "--synopsis", "--help"])
def test_main_returns_0_for_a_page(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([flag]) == 0
    assert "pfdicom_tagSub" in capsys.readouterr().out


def test_main_returns_2_for_bad_usage(trees: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([*trees, "--nosuch"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--nosuch" in printed.err


@pytest.mark.parametrize("flag", ["--json", "--js", "--j"])
def test_main_prints_a_record_of_bad_usage(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--inputDir", "in", flag]) == 2
    record, _ = record_of(capsys)
    assert (record["status"], record["exitCode"], record["counts"]["found"]) == ("error", 2, 0)
    assert "--outputDir is required" in record["error"]


@pytest.mark.parametrize(
    ("module", "function", "error"),
    [(spec, "load", SpecError("bad spec")), (planning, "build", PlanError("bad tree"))],
)
def test_main_returns_2_and_creates_nothing_for_an_error_before_the_first_file(
    module: object,
    function: str,
    error: Exception,
    trees: list[str],
    tmp_path: Path,
    work: Callable[[Run], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(failing(AssertionError("the run began")))
    monkeypatch.setattr(module, function, failing(error))
    assert command.main([*trees, "--json", "--verbosity", "0"]) == 2
    record, messages = record_of(capsys)
    assert (record["status"], record["error"]) == ("error", str(error))
    assert messages == f"pfdicom_tagSub: error: {error}\n"
    assert not (tmp_path / "out").exists()


def test_main_checks_the_spec_before_it_walks(trees: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "build", failing(AssertionError("the walk began")))
    assert command.main([*trees[:-1], "PatientNam:anon"]) == 2


def test_main_tells_a_bug_without_its_text(
    trees: list[str], work: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    work(failing(ValueError(f"bad value {SECRET}")))
    assert command.main([*trees, "--json", "--verbosity", "5"]) == 2
    record, messages = record_of(capsys)
    assert record["error"].startswith("internal error: ValueError at pfdicom_tagSub.cli.command:")
    assert record["error"] in messages
    assert SECRET not in messages + json.dumps(record)


def test_main_counts_the_files_before_a_bug(
    trees: list[str], work: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(plan: Plan, _: RunSettings, listeners: RunListeners) -> None:
        listeners.on_outcome(FileOutcome("a.dcm", Status.WRITTEN))
        raise RuntimeError

    work(run)
    assert command.main([*trees, "--json"]) == 2
    record, messages = record_of(capsys)
    assert record["counts"]["written"] == 1
    assert "1 file: 1 written" in messages


def test_main_reports_an_unreadable_directory_as_failed(
    trees: list[str],
    tmp_path: Path,
    work: Callable[[Run], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    real = os.scandir
    denied = str(tmp_path / "in" / "s")

    def scandir(path: Any = ".") -> Any:
        if str(path) == denied:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    work(outcomes(Status.WRITTEN, Status.WRITTEN))
    assert command.main([*trees, "--json"]) == 1
    record, messages = record_of(capsys)
    assert record["failures"] == [
        {"path": "s", "output": None, "stage": "read", "reason": "cannot read: Permission denied"},
    ]
    assert "pfdicom_tagSub: error: s: read: cannot read: Permission denied" in messages


def test_main_passes_the_options_to_the_engine(trees: list[str], work: Callable[[Run], None]) -> None:
    seen: dict[str, object] = {}

    def run(plan: Plan, settings: RunSettings, _: RunListeners) -> None:
        rules = settings.rules
        seen.update(vars(settings), files=plan.file_count, remove=rules.remove_private, stem=rules.stem)

    work(run)
    flags = ["--threads", "3", "--overwrite", "--followLinks", "--removePrivateTags"]
    command.main([*trees, *flags, "--outputFileStem", "x"])
    assert (seen["workers"], seen["overwrite"], seen["follow_links"]) == (3, True, True)
    assert (seen["files"], seen["remove"]) == (3, True)
    assert seen["stem"] is not None
    command.main(trees)
    assert (seen["workers"], seen["overwrite"], seen["follow_links"]) == (0, False, False)
    assert (seen["remove"], seen["stem"]) == (False, None)


# --- messages


@pytest.mark.parametrize(
    ("verbosity", "lines"),
    [
        (0, ["error: b.dcm: read: why"]),
        (1, ["error: b.dcm: read: why", "3 files: 1 written"]),
        (2, ["plan: ", "error: b.dcm: read: why", "skipped s/c.dcm: why", "3 files: 1 written"]),
        (
            3,
            ["plan: ", "plan: . to", "plan: s to", "error: b.dcm: read: why", "skipped s/c.dcm", "3 files"],
        ),
        (
            5,
            [
                *("plan: ", "plan: . to", "plan: s to", "a.dcm: read, elements changed: 1, written"),
                *("error: b.dcm", "skipped s/c.dcm", "3 files"),
            ],
        ),
    ],
)
def test_main_says_what_the_verbosity_asks_for(
    verbosity: int,
    lines: list[str],
    trees: list[str],
    work: Callable[[Run], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(outcomes(Status.WRITTEN, Status.FAILED, Status.SKIPPED))
    command.main([*trees, "--verbosity", str(verbosity)])
    printed = capsys.readouterr()
    assert printed.out == ""
    shown = [line.removeprefix("pfdicom_tagSub: ") for line in printed.err.splitlines()]
    assert len(shown) == len(lines)
    for line, start in zip(shown, lines, strict=True):
        assert line.startswith(start)


@pytest.mark.parametrize(
    ("status", "verbosity", "prefix"),
    [(Status.FAILED, 0, "pfdicom_tagSub: error: "), (Status.SKIPPED, 2, "skipped ")],
)
def test_main_caps_the_lines_about_files(
    status: Status,
    verbosity: int,
    prefix: str,
    trees: list[str],
    work: Callable[[Run], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    def run(_: Plan, __: RunSettings, listeners: RunListeners) -> None:
        for number in range(50):
            listeners.on_outcome(FileOutcome(f"f{number}", status, Stage.READ, "why"))

    work(run)
    command.main([*trees, "--verbosity", str(verbosity)])
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith(f"{prefix}f") for line in lines) == 20
    assert any(f"... and 30 more {status}; --json lists all" in line for line in lines)
    command.main([*trees, "--verbosity", "5"])
    lines = capsys.readouterr().err.splitlines()
    assert sum(line.startswith(f"{prefix}f") for line in lines) == 50
    assert not any("... and" in line for line in lines)


def test_main_warns_when_it_finds_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(b"")
    flags = ["--inputDir", str(tmp_path / "in"), "--outputDir", str(tmp_path / "out")]
    filters = ["--fileFilter", "dcm", "--maxDepth", "0"]
    assert command.main([*flags, *filters, "--tagInfo", "PatientName:x"]) == 0
    messages = capsys.readouterr().err
    expected = f"warning: no file found in {tmp_path}/in with --fileFilter dcm, --maxDepth 0\n"
    assert expected in messages
    assert not (tmp_path / "out").exists()


def test_main_prints_the_warnings_of_the_rules(
    trees: list[str], work: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    work(outcomes(Status.WRITTEN, Status.WRITTEN, Status.WRITTEN))
    command.main([*trees[:-1], "re:PatientName$:a ++ re:PatientName:b"])
    assert "pfdicom_tagSub: warning: re:PatientName$ has no effect" in capsys.readouterr().err


def test_main_prints_the_elapsed_time_at_any_verbosity(
    trees: list[str], work: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    work(outcomes(Status.WRITTEN, Status.WRITTEN, Status.WRITTEN))
    command.main([*trees, "--printElapsedTime", "--verbosity", "0"])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Elapsed time = 0.")
    assert printed.err.endswith(" seconds\n")


def test_main_prints_the_record_alone_on_stdout(
    trees: list[str], work: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    work(outcomes(Status.WRITTEN, Status.FAILED, Status.SKIPPED))
    command.main([*trees, "--json", "--verbosity", "5", "--printElapsedTime"])
    record, messages = record_of(capsys)
    assert record["failures"] == [{"path": "b.dcm", "output": None, "stage": "read", "reason": "why"}]
    assert record["skipped"] == [{"path": "s/c.dcm", "reason": "why"}]
    assert record["elements"]["PatientName"]["substituted"] == 1
    assert "3 files" in messages


def test_main_fails_when_the_record_cannot_be_printed(
    trees: list[str],
    work: Callable[[Run], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(outcomes(Status.WRITTEN, Status.WRITTEN, Status.WRITTEN))
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert command.main([*trees, "--json", "--verbosity", "0"]) == 1
        monkeypatch.setattr(sys, "stdout", None)
        assert command.main([*trees, "--json", "--verbosity", "0"]) == 1
        with pytest.raises(OSError, match="No space"):
            full.close()
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(": ")[2] for line in lines] == ["No space left on device", "it is closed"]


def test_main_silences_the_warnings_of_libraries(
    trees: list[str], work: Callable[[Run], None], capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*_: object, **__: object) -> None:
        warnings.warn(f"Invalid value for VR DA: {SECRET}", stacklevel=1)

    work(run)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # as PYTHONWARNINGS=error has it
        assert command.main([*trees, "--verbosity", "5"]) == 0
    assert SECRET not in capsys.readouterr().err


# --- signals


@pytest.fixture
def handlers() -> Iterator[None]:
    """Checks that a run leaves the signal handlers as they were."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    yield
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.usefixtures("handlers")
@pytest.mark.parametrize(
    ("number", "code", "status"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_main_prints_the_record_of_a_run_that_a_signal_stopped(
    number: signal.Signals,
    code: int,
    status: str,
    trees: list[str],
    work: Callable[[Run], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    cleaned = []

    def run(_: Plan, __: RunSettings, listeners: RunListeners) -> None:
        listeners.on_outcome(FileOutcome("a.dcm", Status.WRITTEN))
        try:
            signal.raise_signal(number)
        finally:
            for later in (signal.SIGTERM, signal.SIGINT):
                signal.raise_signal(later)  # an impatient user
            cleaned.append(True)
        raise AssertionError("the signal was lost")

    work(run)
    assert command.main([*trees, "--json"]) == code
    assert cleaned == [True]
    record, messages = record_of(capsys)
    assert (record["status"], record["exitCode"], record["counts"]["written"]) == (status, code, 1)
    assert len(record["specDigest"]) == 64
    assert f"{status} after 1 file: 1 written" in messages


@pytest.mark.usefixtures("handlers")
def test_main_ignores_signals_while_it_prints_the_record(
    trees: list[str],
    work: Callable[[Run], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    work(outcomes(Status.WRITTEN, Status.WRITTEN, Status.WRITTEN))
    real = printing.to_json

    def to_json(report: Any) -> str:
        signal.raise_signal(signal.SIGINT)
        return real(report)

    monkeypatch.setattr(printing, "to_json", to_json)
    assert command.main([*trees, "--json"]) == 0
    assert record_of(capsys)[0]["status"] == "ok"


@pytest.mark.usefixtures("handlers")
def test_main_leaves_a_signal_ignored_that_its_parent_ignored(
    trees: list[str], work: Callable[[Run], None]
) -> None:
    def run(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    work(run)
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert command.main(trees) == 0
    finally:
        signal.signal(signal.SIGINT, previous)


@pytest.mark.usefixtures("handlers")
def test_main_works_outside_the_main_thread(trees: list[str], work: Callable[[Run], None]) -> None:
    work(outcomes(Status.WRITTEN, Status.WRITTEN, Status.WRITTEN))
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(command.main(trees)))
    thread.start()
    thread.join()
    assert codes == [0]


def test_main_stopped_before_the_run_returns_its_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "parse", failing(Interrupted(command.ExitCode.TERMINATED)))
    assert command.main([]) == 143


# --- the process around it


def start(*arguments: str, shell: str = "") -> subprocess.CompletedProcess[str]:
    """``python -m pfdicom_tagSub``, its redirections left to a shell."""
    line = 'exec "$0" "$@" ' + shell
    words = ["bash", "-o", "pipefail", "-c", line, sys.executable, "-m", "pfdicom_tagSub", *arguments]
    # Unbuffered, argparse writes and forgives; buffered, the last flush has to tell.
    env = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    return subprocess.run(words, capture_output=True, text=True, timeout=patience(60), env=env)


def test_module_runs_as_the_command() -> None:
    done = start("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"pfdicom_tagSub {__version__}\n", "")


def test_module_returns_2_for_bad_usage() -> None:
    done = start("--inputDir", "in")
    assert (done.returncode, done.stdout) == (2, "")
    assert "pfdicom_tagSub: error: --outputDir is required" in done.stderr


def test_module_does_not_complain_when_nobody_reads_its_page() -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pfdicom_tagSub", "--man"],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=patience(60),
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("flag", ["--man", "--version"])
def test_module_fails_when_its_page_cannot_be_printed(flag: str) -> None:
    done = start(flag, shell="> /dev/full")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_module_runs_with_its_streams_closed(trees: list[str]) -> None:
    done = start(*trees, "--json", shell=">&- 2>&- <&-")
    assert done.returncode in {0, 1}
    assert (done.stdout, done.stderr) == ("", "")


def test_module_reads_closed_standard_input_as_an_error(trees: list[str]) -> None:
    done = start(*trees[:-2], "--tagFile", "-", shell="<&-")
    assert done.returncode == 2
    assert "pfdicom_tagSub: error: " in done.stderr
    assert "internal error" not in done.stderr


def test_descriptors_that_the_caller_closed_are_not_given_to_outputs() -> None:
    code = (
        "import os\nfrom pfdicom_tagSub.cli.standard_streams import occupy_descriptors\n"
        "os.close(0), os.close(1)\noccupy_descriptors()\nos._exit(os.open(os.devnull, os.O_RDONLY))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=patience(60)).returncode > 2


@pytest.mark.parametrize("flags", [["--json"], ["--dryRun"], ["--json", "--dryRun"]], ids=str)
def test_module_fails_where_its_record_goes_to_a_closed_output(trees: list[str], flags: list[str]) -> None:
    done = start(*trees, *flags, shell=">&-")
    assert done.returncode == 1
    assert "could not be written to standard output: it is closed" in done.stderr


def test_module_fails_where_the_spec_goes_to_a_closed_or_full_output() -> None:
    for shell in (">&-", "> /dev/full"):
        done = start("--printSpec", "--tagStruct", '{"PatientName": "x"}', shell=shell)
        assert done.returncode == 1
        assert "the spec could not be written to standard output" in done.stderr


@pytest.mark.parametrize("flag", ["--man", "--synopsis", "--version", "--help"])
def test_module_with_its_output_closed_prints_a_page_without_a_traceback(flag: str) -> None:
    done = start(flag, shell=">&-")
    assert "Traceback" not in done.stderr
