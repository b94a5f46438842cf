"""The README: valid, and true of the command, the record, the examples and CI."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from docutils import nodes
from docutils.core import publish_doctree
from support import README_SPEC, ROOT

from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.options import Options
from pfdicom_tagSub.spec.functions import FUNCTIONS
from pfdicom_tagSub.spec.parsing import load, parse_info

README = (ROOT / "README.rst").read_text("utf-8")
SCHEMA = json.loads((ROOT / "tests" / "helpers" / "record_schema.json").read_text("utf-8"))


def parse_rst(text: str, level: int = 1) -> nodes.document:
    """A document, which has to be valid; level 2 allows headings that come again."""
    complaints = StringIO()
    settings = {"report_level": level, "warning_stream": complaints, "file_insertion_enabled": False}
    tree = publish_doctree(text, settings_overrides=settings)
    assert complaints.getvalue() == ""
    return tree


@pytest.fixture(scope="module")
def document() -> nodes.document:
    """The README."""
    return parse_rst(README)


def section(document: nodes.document, title: str) -> nodes.section:
    """The section with a title."""
    for found in document.findall(nodes.section):
        if found[0].astext() == title:
            return found
    raise AssertionError(f"no section {title}")


def first_column(part: nodes.Element) -> list[str]:
    """The first column of the first table of a section, without its head."""
    body = next(iter(part.findall(nodes.tbody)))
    return [row[0].astext() for row in body.findall(nodes.row)]


def blocks(document: nodes.document, language: str = "bash") -> list[str]:
    """The code of a language."""
    return [
        block.astext() for block in document.findall(nodes.literal_block) if language in block.get("classes")
    ]


def setup_command(document: nodes.document, ending: str) -> str:
    """The line that begins with the making of an environment and has a certain end."""
    lines = [line for block in blocks(document) for line in block.splitlines()]
    found = [line for line in lines if line.startswith("python3 -m venv") and line.endswith(ending)]
    assert len(found) == 1
    return found[0]


@pytest.mark.parametrize("name", ["README.rst", "CHANGELOG.rst", "benchmarks/README.rst"])
def test_rst_is_valid(name: str) -> None:
    parse_rst((ROOT / name).read_text("utf-8"), 2 if name == "CHANGELOG.rst" else 1)


# --- the command


def test_readme_lists_the_options_of_the_parser(document: nodes.document) -> None:
    listed = {
        option[0].astext(): len(option) > 1 for option in section(document, "Options").findall(nodes.option)
    }
    known = {
        flag: action.nargs != 0 for action in cli.build_parser()._actions for flag in action.option_strings
    }
    assert listed == known


def test_readme_says_the_defaults_of_the_parser(document: nodes.document) -> None:
    texts = {
        option.astext(): item[1].astext()
        for item in section(document, "Options").findall(nodes.option_list_item)
        for option in item.findall(nodes.option_string)
    }
    parser = cli.build_parser()
    for flag in ("--maxDepth", "--splitToken", "--splitKeyValue", "--threads", "--verbosity"):
        action = next(action for action in parser._actions if flag in action.option_strings)
        assert re.search(rf"{re.escape(str(action.default))}[,:]? (the|by) default", texts[flag]), flag


def test_readme_shows_command_lines_that_parse(document: nodes.document) -> None:
    shown = 0
    for block in document.findall(nodes.literal_block):
        text = block.astext().replace("\\\n", " ")
        for command in [text] if text.startswith("pfdicom_tagSub") else re.split(r"\n|&&", text):
            if "--inputDir" in command:
                words = shlex.split(command.partition(" > ")[0])
                if "--inputDir" in words:  # not in a list of YAML or Python
                    cli.parse(words[words.index("--inputDir") :])
                    shown += 1
    assert shown == 14


def test_readme_shows_the_exit_codes(document: nodes.document) -> None:
    codes = [int(code) for code in first_column(section(document, "Exit codes"))]
    assert codes == list(ExitCode)


# --- the spec


def shown_specs(document: nodes.document) -> Iterator[Options]:
    for block in blocks(document):
        if block.startswith("pfdicom_tagSub") and "--tag" in block:
            yield cli.parse(shlex.split(block)[1:])


def test_readme_shows_the_spec_of_the_examples(document: nodes.document) -> None:
    of_struct, of_info = shown_specs(document)
    text = (ROOT / "examples" / "spec.json").read_text("utf-8")
    assert json.loads(of_struct.tag_struct or "") == json.loads(text) == README_SPEC
    assert parse_info(of_info.tag_info or "", "++", ":") == load(of_struct)


def test_readme_shows_the_functions(document: nodes.document) -> None:
    assert first_column(section(document, "Functions")) == [function.usage for function in FUNCTIONS.values()]


# --- the record


def fields_of(schema: dict[str, Any], path: str = "") -> Iterator[str]:
    """The paths of the leaves that a schema describes."""
    if schema.get("type") == "array":
        yield from fields_of(schema["items"], path + "[]")
        return
    inner = {f".{name}": part for name, part in schema.get("properties", {}).items()}
    if isinstance(schema.get("additionalProperties"), dict):
        inner[".*"] = schema["additionalProperties"]
    if not inner:
        yield path.removeprefix(".")
    for name, part in inner.items():
        yield from fields_of(part, path + name)


def test_readme_lists_the_fields_of_the_record(document: nodes.document) -> None:
    assert first_column(section(document, "The record")) == list(fields_of(SCHEMA))


# --- the examples


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with what the README's examples need, to work in."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / ".venv").symlink_to(sys.prefix)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_readme_runs_the_main_job(document: nodes.document, checkout: Path) -> None:
    command = setup_command(document, "build/anon")
    install, *rest = command.split(" && ", 2)[1:]
    assert install == ".venv/bin/python -m pip install -q ."
    # What stands before needs the network; CI runs all of it.
    done = subprocess.run(
        ["bash", "-c", rest[0]],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PATH": "/usr/bin:/bin", "PYTHONUTF8": "1"},
    )
    assert "6 files: 5 written, 0 unchanged, 1 skipped, 0 failed" in done.stderr
    shown = next(
        block.astext() for block in document.findall(nodes.literal_block) if "differ: 9" in block.astext()
    )
    assert shown in done.stdout


def test_readme_has_a_python_example_that_runs(
    document: nodes.document, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks(document, "python")
    names: dict[str, Any] = {}
    exec(compile(example, "README.rst", "exec"), names)
    assert names["patched"][128:132] == b"DICM"
    assert b"Mueller" not in names["patched"]
    assert (checkout / "report.dcm").is_file()
    assert (checkout / "anon" / "patient-1" / "screen" / "capture.dcm").read_bytes() == names["patched"]
    assert (checkout / "anon" / "patient-2" / "report.dcm").read_bytes() == Path("report.dcm").read_bytes()
    assert names["report"].exit_code == 0
    assert capsys.readouterr().out.startswith("written \n0 {")


@pytest.mark.skipif(shutil.which("dcmdump") is None, reason="dcmdump (dcmtk) is not installed")
def test_readme_has_a_recipe_for_partners_that_runs(document: nodes.document, checkout: Path) -> None:
    (recipe,) = (block for block in blocks(document) if "project.key" in block)
    commands = Path(sys.executable).parent
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={"PATH": f"{commands}:/usr/bin:/bin", "PYTHONUTF8": "1"},
    )
    assert '"PatientName": "%_empty_#tag"' in done.stdout
    assert "'written': 5" in done.stdout
    assert "PatientIdentityRemoved" in done.stdout
    assert "TRIAL-7" in done.stdout
    record = json.loads((checkout / "record.json").read_text("utf-8"))
    assert record["pathsWithValues"] == 0
    assert [entry["path"] for entry in record["pixelReview"]] == [
        "patient-1/screen/capture.dcm",
        "patient-2/ct-chest/slice-1.dcm",
    ]


def add_odd_folders(tree: Path) -> int:
    """Copy a file into folders whose names a regular expression, a shell or a C locale may trip over."""
    names = ["Müller (1)", "山田", ".hidden", "a,b", "a_b", "it's", "$x", "back\\slash"]
    for name in names:
        (tree / name).mkdir()
        shutil.copy(tree / "patient-2" / "report.dcm", tree / name)
    return len(names)


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_readme_has_a_recipe_for_gnu_parallel_that_runs(document: nodes.document, checkout: Path) -> None:
    (recipe,) = (block for block in blocks(document) if "parallel -" in block)
    (checkout / "examples").unlink()
    shutil.copytree(ROOT / "examples", checkout / "examples")
    odd = add_odd_folders(checkout / "examples" / "dicom")
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(checkout),
        "LC_ALL": "C",
    }
    subprocess.run(
        ["bash", "-euo", "pipefail", "-c", recipe], check=True, capture_output=True, env=environment
    )
    records = [json.loads(path.read_text("utf-8")) for path in checkout.glob("records/*/stdout")]
    assert {record["status"] for record in records} == {"ok"}
    assert sum(record["counts"]["written"] for record in records) == 5 + odd


def test_readme_has_a_script_for_slurm_that_shares_out_the_tree(
    document: nodes.document, checkout: Path
) -> None:
    (script,) = (block for block in blocks(document) if "#SBATCH" in block)
    shutil.copytree(ROOT / "examples" / "dicom", checkout / "in")
    odd = add_odd_folders(checkout / "in")
    (checkout / "anon.key").write_bytes(bytes(range(32)))
    script = script.replace("root=/shared\n", f"root={shlex.quote(str(checkout))}\n").replace(
        "tasks=8", "tasks=2"
    )
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for task in ("0", "1"):
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "LC_ALL": "C",
            "SLURM_ARRAY_TASK_ID": task,
        }
        subprocess.run(["bash", "-c", script], check=True, capture_output=True, env=environment)
    records = [json.loads(path.read_text("utf-8")) for path in checkout.glob("records/*.json")]
    assert len(records) == 2 + odd
    assert sum(record["counts"]["written"] for record in records) == 5 + odd


def test_readme_has_a_compose_file_that_is_valid(document: nodes.document) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    (text,) = blocks(document, "yaml")
    (service,) = yaml.safe_load(text)["services"].values()
    options = cli.parse(service["command"])
    mounted = [volume["target"] for volume in service["volumes"]]
    assert mounted == [str(options.tree.inputDir), str(options.tree.outputDir), options.key_file]
    assert not any(volume["bind"]["create_host_path"] for volume in service["volumes"])


def test_readme_has_python_for_clusters_that_compiles(document: nodes.document) -> None:
    shown = [block for block in document.findall(nodes.literal_block) if "Cluster(" in block.astext()]
    assert len(shown) == 2
    for block in shown:
        compile(block.astext(), "README.rst", "exec")


# --- what goes with it


def test_ci_runs_the_commands_of_the_readme(document: nodes.document) -> None:
    lines = [line.strip() for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()]
    for ending in ("build/anon", "pytest"):
        assert setup_command(document, ending) in lines
