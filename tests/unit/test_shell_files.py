"""The manual page and the completions: made from the parser, and working."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from support import ROOT

from pfdicom_tagSub.cli.parser import build_parser

MANUAL_PAGE = ROOT / "share/man/man1/pfdicom_tagSub.1"
BASH = ROOT / "share/bash-completion/completions/pfdicom_tagSub"
ZSH = ROOT / "share/zsh/site-functions/_pfdicom_tagSub"
FISH = ROOT / "share/fish/vendor_completions.d/pfdicom_tagSub.fish"
FLAGS = [flag for action in build_parser()._actions for flag in action.option_strings]


def maker() -> ModuleType:
    """The tool that makes the files."""
    pytest.importorskip("shtab", reason="shtab is not installed")
    pytest.importorskip("argparse_manpage", reason="argparse-manpage is not installed")
    spec = importlib.util.spec_from_file_location("make_shell_files", ROOT / "tools" / "make_shell_files.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="they are made by Python 3.11's argparse")
def test_shell_files_are_those_that_the_tool_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for name, text in maker().shell_files().items():
        made = (ROOT / name).read_text("utf-8")
        assert made == text, f"{name} is old: run python tools/make_shell_files.py"


@pytest.mark.parametrize("path", [MANUAL_PAGE, BASH, ZSH, FISH], ids=lambda path: path.name)
def test_shell_files_have_every_option(path: Path) -> None:
    text = path.read_text("utf-8").replace("\\-", "-")
    for flag in FLAGS:
        name = flag.lstrip("-")
        fish = rf"\s-[lso] '?{name}\b"
        assert re.search(rf"(?<![\w-]){flag}\b|{fish}", text), flag


def test_manual_page_has_the_sections_of_the_manual() -> None:
    headings = re.findall(r"^\.SH (.*)$", MANUAL_PAGE.read_text("utf-8"), re.M)
    for heading in ("NAME", "SYNOPSIS", "OPTIONS", "THE SPEC", "THE SECRET", "EXIT CODES", "THE RECORD"):
        assert headings.count(heading) == 1, heading


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_manual_page_is_shown_whole_and_without_a_warning() -> None:
    done = subprocess.run(["man", "--warnings", "-l", MANUAL_PAGE], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    for part in ("e.g. 'anon-%s'", "%_dateshift|seedTag|days_Tag", "terminated (SIGTERM)"):
        assert part in " ".join(done.stdout.split()), part


def complete(*words: str) -> set[str]:
    """What bash offers for the last word of a command line."""
    code = f"""
        source {BASH!s}
        COMP_WORDS=(pfdicom_tagSub {" ".join(f"'{word}'" for word in words)})
        COMP_CWORD={len(words)}
        $(complete -p pfdicom_tagSub | sed 's/.*-F \\([^ ]*\\).*/\\1/') pfdicom_tagSub
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")) - {""}


def test_bash_completes_options_and_choices(tmp_path: Path) -> None:
    assert complete("--prin") == {"--printSpec", "--printElapsedTime"}
    assert complete("--onResidual", "") == {"report", "fail"}
    assert complete("--lookupMiss", "em") == {"empty"}


def test_bash_completes_files_and_directories(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "spec.json").touch()
    assert complete("--inputDir", f"{tmp_path}/") == {f"{tmp_path}/folder/"} or complete(
        "--inputDir", f"{tmp_path}/"
    ) == {f"{tmp_path}/folder"}
    assert f"{tmp_path}/spec.json" in complete("--tagFile", f"{tmp_path}/sp")


@pytest.mark.parametrize(("shell", "path"), [("zsh", ZSH), ("fish", FISH), ("bash", BASH)])
def test_completions_are_valid(shell: str, path: Path) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", path], check=True)


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
def test_fish_completes_options_and_choices() -> None:
    def offered(line: str) -> set[str]:
        code = f"source {FISH}; complete -C 'pfdicom_tagSub {line}'"
        done = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True)
        return {each.partition("\t")[0] for each in done.stdout.splitlines()}

    assert offered("--prin") == {"--printSpec", "--printElapsedTime"}
    assert offered("--onResidual ") == {"report", "fail"}


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_finds_the_completion() -> None:
    code = f"fpath=({ZSH.parent} $fpath); autoload -U compinit; compinit -u -D"
    code += "; print ${_comps[pfdicom_tagSub]}"
    done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "_pfdicom_tagSub"


def test_wheel_installs_the_shell_files() -> None:
    text = (ROOT / "setup.py").read_text("utf-8")
    for path in (MANUAL_PAGE, BASH, ZSH, FISH):
        place = path.relative_to(ROOT)
        assert f'("{place.parent}", ["{place}"])' in text
    assert "COPY share ./share" in (ROOT / "Dockerfile").read_text("utf-8")
    assert "!share" in (ROOT / ".dockerignore").read_text("utf-8").split()
