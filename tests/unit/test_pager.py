"""The manual on a terminal: through a pager there, plain elsewhere, and --help with the short flags."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pfdicom_tagSub.cli import pager, parser

COMMAND = [sys.executable, "-m", "pfdicom_tagSub"]


def on_terminal(words: list[str], **variables: str) -> tuple[int, str]:
    """Exit code and output of a command whose input and output are a terminal."""
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in {"LESS", "MANPAGER"}}
    with subprocess.Popen(
        words, stdin=slave, stdout=slave, stderr=slave, env={**environment, "TERM": "xterm", **variables}
    ) as process:
        os.close(slave)
        shown = b""
        try:
            while part := os.read(master, 1 << 16):
                shown += part
        except OSError:  # the other side is closed
            pass
        finally:
            os.close(master)
    return process.returncode, shown.decode()


def test_manual_goes_through_the_pager_on_a_terminal(tmp_path: Path) -> None:
    paged = tmp_path / "paged"
    code, shown = on_terminal([*COMMAND, "--man"], PAGER=f"cat > '{paged}'")
    assert (code, shown) == (0, "")
    assert "EXIT CODES" in paged.read_text("utf-8")
    assert "\033[" in paged.read_text("utf-8")


def test_pager_shows_colours_unless_the_user_says_how(tmp_path: Path) -> None:
    code, shown = on_terminal([*COMMAND, "-x"], PAGER="cat > /dev/null; echo is $LESS")
    assert (code, shown.strip()) == (0, "is FRX")
    code, shown = on_terminal([*COMMAND, "-x"], PAGER="cat > /dev/null; echo is $LESS", LESS="S")
    assert (code, shown.strip()) == (0, "is S")


@pytest.mark.parametrize(
    "variables", [{"PAGER": "no-such-program"}, {"TERM": "dumb", "PAGER": "cat > /dev/null"}]
)
def test_manual_is_shown_at_once_without_a_pager(variables: dict[str, str]) -> None:
    code, shown = on_terminal([*COMMAND, "--man"], **variables)
    assert code == 0
    assert "EXIT CODES" in shown


def test_pager_that_is_left_early_is_no_error() -> None:
    code, _ = on_terminal([*COMMAND, "--man"], PAGER="head -n 1 > /dev/null")
    assert code == 0


def test_manual_is_plain_in_a_pipe() -> None:
    done = subprocess.run(
        [*COMMAND, "--man"], capture_output=True, text=True, env={**os.environ, "PAGER": "false"}
    )
    assert done.returncode == 0
    assert "EXIT CODES" in done.stdout
    assert "\033[" not in done.stdout


def test_brief_manual_needs_no_pager() -> None:
    code, shown = on_terminal([*COMMAND, "--synopsis"], PAGER="false")
    assert code == 0
    assert "BRIEF EXAMPLE" in shown


def test_pager_leaves_interrupts_to_the_pager() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pager._interrupts_ignored():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(
    "line",
    [
        "-I DIR, --inputDir DIR, --inputdir DIR",
        "-O DIR, --outputDir DIR, --outputdir DIR",
        "-i TEXT, --inputFile TEXT",
        "-e TOKENS, --fileFilter TOKENS, --extension TOKENS",
        "-T JSON, --tagStruct JSON",
        "-F FILE, --tagFile FILE",
        "-s TOKEN, --splitToken TOKEN",
        "-k TOKEN, --splitKeyValue TOKEN",
        "-o TEMPLATE, --outputFileStem TEMPLATE",
        "-v LEVEL, --verbosity LEVEL",
        "-x, --man",
        "-y, --synopsis",
        "-h, --help",
    ],
)
def test_help_shows_the_short_flags(line: str) -> None:
    short, _, long = line.partition(", ")
    value = short.partition(" ")[2]
    text = parser.build_parser().format_help()
    # Python 3.13 names the value once, behind the last flag.
    both = ", ".join(
        [short.partition(" ")[0], *(each.removesuffix(f" {value}") for each in long.split(", "))]
    )
    assert line in text or f"{both} {value}" in text


def test_help_names_every_option_once() -> None:
    flags = [flag for action in parser.build_parser()._actions for flag in action.option_strings]
    assert len(flags) == len(set(flags))
    text = parser.build_parser().format_help()
    assert all(flag in text for flag in flags)
