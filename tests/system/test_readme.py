"""The README: short, valid, and true of the command, the examples and CI."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from pages import blocks, links, target_of, text_of
from support import README_SPEC, ROOT

from pfdicom_tagSub.cli import parser
from pfdicom_tagSub.core.options import Options
from pfdicom_tagSub.spec.parsing import load, parse_info

README = "README.rst"


def parse_rst(text: str, level: int = 1) -> nodes.document:
    """A document, which has to be valid; level 2 allows headings that come again."""
    complaints = StringIO()
    settings = {"report_level": level, "warning_stream": complaints, "file_insertion_enabled": False}
    tree = publish_doctree(text, settings_overrides=settings)
    assert complaints.getvalue() == ""
    return tree


def setup_command(ending: str) -> str:
    """The line that begins with the making of an environment and has a certain end."""
    lines = [line for code in blocks(README) for line in code.splitlines()]
    found = [line for line in lines if line.startswith("python3 -m venv") and line.endswith(ending)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", [README, "CHANGELOG.rst", "CONTRIBUTING.rst", "benchmarks/README.rst"])
def test_rst_is_valid(name: str) -> None:
    parse_rst(text_of(name), 2 if name == "CHANGELOG.rst" else 1)


def test_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= 200


def test_readme_says_the_limits_before_anything_else() -> None:
    first = text_of(README).partition("\nInstall\n")[0]
    for limit in ("does not look at pixels", "does not understand free text"):
        assert limit in first


@pytest.mark.parametrize("name", [README, "CONTRIBUTING.rst", "SECURITY.md"])
def test_links_lead_somewhere(name: str) -> None:
    found = links(name)
    assert found
    for link in found:
        assert link.startswith("https://") or target_of(name, link).is_file(), link


def commands_that_install() -> Iterator[tuple[str, str]]:
    """Each use of pip that a page or the README shows, with the page."""
    for page in [README, "CONTRIBUTING.rst", *(path.as_posix() for path in (ROOT / "docs").rglob("*.rst"))]:
        for line in text_of(page).splitlines():
            if found := re.search(r"pip install ([^`]*)", line):
                yield page, found[1]
    for path in (ROOT / "pfdicom_tagSub").rglob("*.py"):  # messages and the manual
        for words in re.findall(r"pip install ([^`\n]*)", path.read_text("utf-8")):
            yield path.name, words


def test_no_command_installs_the_version_that_is_on_pypi() -> None:
    found = list(commands_that_install())
    assert len(found) > 3
    for page, words in found:
        # A checkout is a path, and 'pfdicom_tagSub[dask]' a name that pip would ask PyPI for.
        assert not re.search(r"(^|[\s'\"`])pfdicom_tagSub\b", words), f"{page}: pip install {words}"


# --- what it shows


def shown_specs() -> Iterator[Options]:
    for code in blocks(README):
        if code.startswith("pfdicom_tagSub") and "--tag" in code and "--profile" not in code:
            yield parser.parse(shlex.split(code)[1:])


def test_readme_shows_the_spec_of_the_examples() -> None:
    of_struct, of_info = shown_specs()
    text = (ROOT / "examples" / "spec.json").read_text("utf-8")
    assert json.loads(of_struct.tag_struct or "") == json.loads(text) == README_SPEC
    assert parse_info(of_info.tag_info or "", "++", ":") == load(of_struct)


def test_readme_shows_the_safe_way_before_the_classic_spec_with_its_weakness_beside_it() -> None:
    whole = text_of(README)
    safe, classic = whole.index("--keyFile project.key"), whole.index('"%_md5|7_PatientID"')
    assert "--verify" in whole[safe - 400 : safe + 400]
    assert safe < classic < whole.index("**This spec is weak.**") < whole.index("--tagInfo")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with what the README's examples need, to work in."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_bash(code: str) -> subprocess.CompletedProcess[str]:
    """Run what a page shows, with the command on the PATH."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done


def test_readme_runs_the_main_job(checkout: Path) -> None:
    command = setup_command("build/anon")
    install, job = command.split(" && ", 2)[1:]
    assert install == ".venv/bin/python -m pip install -q ."
    # What stands before needs the network; CI runs all of it.
    done = run_bash(job)
    assert "6 files: 5 written, 0 unchanged, 1 skipped, 0 failed" in done.stderr
    shown = next(
        literal.astext()
        for literal in parse_rst(text_of(README)).findall(nodes.literal_block)
        if "differ: 9" in literal.astext()
    )
    assert shown in done.stdout


def test_readme_has_a_safe_recipe_that_runs(checkout: Path) -> None:
    (recipe,) = (code for code in blocks(README) if "project.key" in code)
    run_bash(recipe)
    assert (checkout / "project.key").stat().st_mode & 0o777 == 0o600
    record = json.loads((checkout / "record.json").read_text("utf-8"))
    assert (record["counts"]["written"], record["residuals"], record["pathsWithValues"]) == (5, [], 0)
    assert len(record["pixelReview"]) == 2
    dry = recipe.partition("\n")[2].replace("--verify --onResidual fail", "--dryRun")
    assert "--dryRun" in dry
    run_bash(dry)
    assert json.loads((checkout / "record.json").read_text("utf-8"))["dryRun"] is True


# --- what goes with it


def test_ci_runs_the_commands_of_the_readme() -> None:
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()]
    for ending in ("build/anon", "pytest"):
        assert setup_command(ending) in lines


def test_ci_builds_the_documentation_as_the_readme_does() -> None:
    (command,) = (code.strip() for code in blocks(README) if "sphinx" in code)
    words = command.partition(" -m sphinx ")[2]
    assert words
    for name in (".ci/run", "CONTRIBUTING.rst"):
        assert f" -m sphinx {words}\n" in text_of(name).replace(' >"$tmp/docs.log"', "\n"), name


def test_contributing_shows_files_that_exist() -> None:
    named = re.findall(
        r"``((?:pfdicom_tagSub|cli|core|dicom|docs|report|spec|tests|tools|verify)/[\w./-]+)``",
        text_of("CONTRIBUTING.rst"),
    )
    named += re.findall(r"\btests/[\w/]+\.py", text_of("CONTRIBUTING.rst"))
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "pfdicom_tagSub" / name).exists(), name


def test_contributing_names_the_folders_of_the_tests() -> None:
    named = set(re.findall(r"^``tests/(\w+)``  ", text_of("CONTRIBUTING.rst"), re.M))
    assert named == {
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name[0].isalpha()
    }


def test_distribution_holds_what_the_readme_links_to() -> None:
    manifest = (ROOT / "MANIFEST.in").read_text("utf-8").split()
    for link in links(README):
        if not link.startswith("https://"):
            assert link.partition("/")[0] in manifest, link
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
