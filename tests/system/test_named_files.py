"""Files and directories that the user names and that cannot be read or made: told at once, with the cure."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from builders import data_set, written
from installed import COMMAND, wait_for
from support import run_command

from pfdicom_tagSub.cli.command import main

SPEC = ("--tagInfo", "PatientID:x")


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    for number in range(2):
        (tmp_path / "in" / f"{number}.dcm").write_bytes(written(data_set(PatientID=f"P{number}")))
    (tmp_path / "file").touch()
    return tmp_path / "in"


@pytest.mark.parametrize("flags", [(), ("--dryRun",), ("--threads", "2")])
@pytest.mark.parametrize("name", ["file/out", "n" * 300, "/proc/out"])
def test_output_directory_that_cannot_be_made_ends_the_run_at_once(
    name: str, flags: tuple[str, ...], inputs: Path
) -> None:
    place = inputs.parent / name
    if flags == ("--dryRun",) and name != "file/out":
        pytest.skip("a dry run makes no directory, so that it cannot know")
    done = run_command(inputs, place, *SPEC, "--json", *flags)
    assert done.code == 2
    assert f"--outputDir {place}" in done.err
    assert "name another" in done.err or "is not a directory" in done.err or "shorter" in done.err
    assert done.record["counts"]["found"] == 0
    assert (
        "another" in json.loads(done.out)["error"] or "not a directory" in done.err or "shorter" in done.err
    )


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("--tagFile", "missing.json"), "No such file or directory: check the path"),
        (("--tagFile", "."), "Is a directory: name a file in it"),
        (("--tagFile", "file/spec.json"), "Not a directory: a part of the path is a file"),
        ((*SPEC, "--lookupTable", "a=missing.csv"), "No such file or directory: check the path"),
        ((*SPEC, "--keyFile", "."), "Is a directory: name a file in it"),
        ((*SPEC, "--functions", "missing.py"), "No such file or directory: check the path"),
        ((*SPEC, "--filesFrom", "missing.txt"), "No such file or directory: check the path"),
        ((*SPEC, "--ledger", "missing/l.sqlite"), "No such file or directory: make the directory first"),
        ((*SPEC, "--log", "missing/f.log"), "No such file or directory: make the directory first"),
        ((*SPEC, "--crosswalk", "missing/c.csv"), "No such file or directory: make the directory first"),
        ((*SPEC, "--report", "missing/r.html"), "No such file or directory: make the directory first"),
        ((*SPEC, "--profile", "basic", "--keepPrivate", "@missing.txt"), "check the path"),
        (("--importRules", "missing.script"), "No such file or directory: check the path"),
    ],
)
def test_what_the_system_says_of_a_file_comes_with_a_cure(
    words: tuple[str, ...],
    cure: str,
    inputs: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(inputs.parent)
    code = main(["--inputDir", "in", "--outputDir", "out", *words])
    captured = capsys.readouterr()
    assert code == 2, captured.err
    assert cure in captured.err
    assert not (inputs.parent / "out").exists() or not any((inputs.parent / "out").iterdir())


@pytest.mark.parametrize(
    ("flags", "content"),
    [
        (["--tagFile", "{}"], b'{"PatientID": "x"}'),
        (["--tagInfo", "PatientID:%_hmac|8_#tag", "--keyFile", "{}"], bytes(range(32))),
        (
            ["--tagInfo", "PatientID:%_lookup|ids_#tag", "--lookupMiss", "empty", "--lookupTable", "ids={}"],
            b"original,replacement\na,b\n",
        ),
    ],
)
def test_file_that_is_a_fifo_is_waited_for_aloud(flags: list[str], content: bytes, inputs: Path) -> None:
    fifo, told = inputs.parent / "fifo", inputs.parent / "told"
    os.mkfifo(fifo)
    with told.open("wb") as messages:
        words = [COMMAND, "--inputDir", str(inputs), "--outputDir", str(inputs.parent / "out")]
        process = subprocess.Popen([*words, *(flag.format(fifo) for flag in flags)], stderr=messages)
        try:
            assert wait_for(
                lambda: b"is a FIFO: waiting until something is written to it" in told.read_bytes()
            )
            assert process.poll() is None
            fifo.write_bytes(content)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    assert len(list((inputs.parent / "out").iterdir())) == 2


def test_key_and_table_in_pipes_of_the_shell_are_read_without_a_word(inputs: Path) -> None:
    pipes = []
    for content in (bytes(range(32)), b"original,replacement\na,b\n"):
        reading, writing = os.pipe()
        os.write(writing, content)
        os.close(writing)
        pipes.append(reading)
    spec = json.dumps({"PatientID": "%_hmac|8_#tag", "PatientName": "%_lookup|names_#tag"})
    flags = ["--tagStruct", spec, "--keyFile", f"/dev/fd/{pipes[0]}", "--lookupMiss", "empty"]
    flags += ["--lookupTable", f"names=/dev/fd/{pipes[1]}", "--threads", "2"]
    done = run_command(inputs, inputs.parent / "out", *flags)
    for reading in pipes:
        os.close(reading)
    assert done.code == 0, done.err
    assert "FIFO" not in done.err


def test_spec_in_a_pipe_of_the_shell_is_read_without_a_word(inputs: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b'{"PatientID": "x"}')
    os.close(writing)
    done = run_command(inputs, inputs.parent / "out", "--tagFile", f"/dev/fd/{reading}")
    os.close(reading)
    assert done.code == 0
    assert "FIFO" not in done.err
