"""What a command line gives and no key uses is warned of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.cli.rules_from_options import compile_options
from pfdicom_tagSub.spec.functions import FUNCTIONS

FUNCTION = """
from pfdicom_tagSub import spec_function

@spec_function("unusedtest{}")
def given(value, arguments, secret):
    return "x"
"""
KEYED = '{{"PatientID": "{}"}}'


@pytest.fixture(autouse=True)
def _functions_of_its_own() -> Iterator[None]:
    """What a test registers is known to no other test."""
    kept = dict(FUNCTIONS)
    yield
    FUNCTIONS.clear()
    FUNCTIONS.update(kept)


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """A table and a file of functions, as they are given."""
    (tmp_path / "t.csv").write_text("original,replacement\nA,7\n")
    # A name is one function in a process.
    own = tmp_path / "own.py"
    own.write_text(FUNCTION.format(abs(hash(tmp_path))))
    return ["--lookupTable", f"t={tmp_path / 't.csv'}", "--functions", str(own)]


def warnings_of(*flags: str) -> str:
    built = compile_options(cli.parse(["--inputDir", "in", "--outputDir", "out", *flags]))
    return "\n".join(built.warnings)


def test_what_no_key_uses_is_warned_of(files: list[str]) -> None:
    said = warnings_of(*files, "--uidRoot", "1.2.3", "--tagStruct", KEYED.format("X"))
    for flag in ("--lookupTable t=", "--functions ", "--uidRoot "):
        assert flag in said
    assert "--lookupMiss empty" in warnings_of("--lookupMiss", "empty", "--tagStruct", KEYED.format("X"))


@pytest.mark.parametrize(
    "flags",
    [
        ["--tagStruct", KEYED.format("%_lookup|t_#tag")],
        ["--tagStruct", "{\"when Modality = 'CT'\": " + KEYED.format("a%_lookup|t_#tag") + "}"],
        ["--tagStruct", KEYED.format("X"), "--outputFileStem", "%_lookup|t_PatientID"],
        ["--tagStruct", '{"StudyDate": "%_shift|t_#tag"}'],
    ],
)
def test_table_that_is_used_is_not_warned_of(flags: list[str], files: list[str]) -> None:
    assert "--lookupTable" not in warnings_of(*files[:2], *flags)


def test_function_and_root_that_are_used_are_not_warned_of(files: list[str], tmp_path: Path) -> None:
    name = f"unusedtest{abs(hash(tmp_path))}"
    assert "--functions" not in warnings_of(*files[2:], "--tagStruct", KEYED.format(f"%_{name}_#tag"))
    named = ["--outputFileStem", f"%_{name}_PatientID", "--tagStruct", KEYED.format("X")]
    assert "--functions" not in warnings_of(*files[2:], *named)
    assert "--uidRoot" not in warnings_of("--uidRoot", "1.2.3", "--profile", "basic")
