"""The documentation: built without a network or a warning, and true of what it is about."""

from __future__ import annotations

import doctest
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom.data
import pytest
from pages import DOCS, PAGES, block, blocks, first_column, text_of
from pydicom.fileset import FileSet
from support import ROOT

from pfdicom_tagSub.cli import argument_checks, parser
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.spec import profile
from pfdicom_tagSub.spec.functions import FUNCTIONS

SCHEMA = json.loads((ROOT / "tests" / "helpers" / "record_schema.json").read_text("utf-8"))

OPTIONS = "docs/reference/options.rst"
FUNCTION_PAGE = "docs/reference/functions.rst"

WITHOUT_NETWORK = """
import socket, sys
def refuse(*_): raise OSError("there is no network")
socket.socket.connect = socket.getaddrinfo = refuse
from sphinx.cmd.build import main
sys.exit(main(sys.argv[1:]))
"""


# --- the build


ONE_BUILD = pytest.mark.xdist_group("docs")
"""Tests that share the built pages run in one worker."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built."""
    pytest.importorskip("furo", reason="furo is not installed")
    place = tmp_path_factory.mktemp("docs")
    words = ["-q", "-W", "--keep-going", "-n", "-d", str(place / "trees"), str(DOCS), str(place / "html")]
    done = subprocess.run([sys.executable, "-c", WITHOUT_NETWORK, *words], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return place / "html"


def page_of(built: Path, page: str) -> str:
    """A built page as text with its tags."""
    return (built / page.removeprefix("docs/")).with_suffix(".html").read_text("utf-8")


@ONE_BUILD
def test_documentation_is_built_without_a_network_or_a_warning(built: Path) -> None:
    for page in PAGES:
        assert "<h1>" in page_of(built, page), page


@ONE_BUILD
def test_pages_load_nothing_from_elsewhere(built: Path) -> None:
    for path in built.rglob("*.html"):
        text = path.read_text("utf-8")
        loaded = re.findall(r"<(?:script|img|iframe)\b[^>]*\bsrc=\"([^\"]+)", text)
        loaded += re.findall(r"<link\b[^>]*\brel=\"stylesheet\"[^>]*\bhref=\"([^\"]+)", text)
        assert not [link for link in loaded if "//" in link], path


@ONE_BUILD
def test_examples_show_what_the_command_makes(built: Path) -> None:
    page = re.sub(r"<[^>]+>", "", page_of(built, FUNCTION_PAGE))
    for made in ("3ff6dc0", "19610701", "t1-mprage-sag", "HENDRICKS^PETER^ANON", "P001", "no., control of"):
        assert made in page, made


@ONE_BUILD
def test_picture_of_the_layers_shows_those_of_the_contract(built: Path) -> None:
    page = page_of(built, "docs/explanation/architecture.rst")
    shown = re.findall(r'<text [^>]*y="(\d+)"[^>]*>([^<]+)</text>', page)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (each for each in project["tool"]["importlinter"]["contracts"] if each["id"] == "layers")
    rows: dict[str, list[str]] = {}
    for height, name in shown:
        rows.setdefault(height, []).append(name)
    assert [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]] == list(rows.values())


# --- what the pages say


def test_reference_has_each_option_of_the_parser_once() -> None:
    listed = " ".join(
        " ".join(part.split())
        for part in re.findall(r"^\.\. cli-options::\n((?:    .+\n)+)", text_of(OPTIONS), re.M)
    ).split()
    assert sorted(listed) == sorted({action.dest for action in parser.build_parser()._actions})


@ONE_BUILD
def test_reference_shows_all_flags_of_an_option(built: Path) -> None:
    page = re.sub(r"<[^>]+>", "", page_of(built, OPTIONS)).replace("&lt;", "<").replace("&gt;", ">")
    for action in parser.build_parser()._actions:
        for flag in action.option_strings:
            assert re.search(rf"(?<![\w-]){re.escape(flag)}\b", page), flag


@ONE_BUILD
def test_reference_says_the_defaults_of_the_parser(built: Path) -> None:
    page = " ".join(re.sub(r"<[^>]+>", "", page_of(built, OPTIONS)).split())
    for said in (
        "The default, -1, walks",
        "'++' by default",
        "':' by default",
        "0, the default",
        "1 the default",
    ):
        assert said in page, said
    options = {action.dest: action.default for action in parser.build_parser()._actions}
    named = ("maxDepth", "splitToken", "splitKeyValue", "threads", "verbosity")
    assert [options[name] for name in named] == [-1, "++", ":", 0, 1]


def test_reference_has_each_function_once_with_an_example() -> None:
    parts = re.split(r"^\.\. spec-function:: ", text_of(FUNCTION_PAGE), flags=re.M)[1:]
    assert sorted(part.split()[0] for part in parts) == sorted(FUNCTIONS)
    for part in parts:
        assert ".. spec-example::" in part, part.split()[0]


def test_reference_shows_the_exit_codes() -> None:
    assert [int(code) for code in first_column("docs/reference/exit-codes.rst", "Exit codes")] == list(
        ExitCode
    )


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


@ONE_BUILD
def test_reference_lists_and_describes_the_fields_of_the_record(built: Path) -> None:
    page = page_of(built, "docs/reference/record.rst")
    shown = re.findall(
        r"<tr[^>]*><td><p><code[^>]*><span class=\"pre\">([^<]+)</span></code></p></td>\s*<td><p>(.)", page
    )
    assert [name for name, _ in shown] == list(fields_of(SCHEMA))


def test_reference_lists_the_options_of_the_profile() -> None:
    folder = ROOT / "pfdicom_tagSub" / "profiles"
    listed = {name.strip("`") for name in first_column("docs/reference/profiles.rst", "Profiles")}
    known = {path.stem for path in folder.glob("*.json")} - {"basic"} | {"cleanPixelData"}
    assert listed == known
    for name in sorted(known):
        profile.load(f"basic,{name}", ())  # raises where there is no such option


def test_pages_name_files_that_exist() -> None:
    tops = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"build"}
    for page in ["README.rst", "CONTRIBUTING.rst", *PAGES]:
        for name in re.findall(r"``([\w.-]+/[\w./-]+)``", text_of(page)):
            if name.partition("/")[0] in tops:
                assert (ROOT / name).exists(), f"{page}: {name}"


def test_reference_names_the_edition_and_the_rows_of_the_tables() -> None:
    page = " ".join(text_of("docs/reference/profiles.rst").split())
    (said,) = re.findall(r"edition (\d+\w): (\d+) rows of Table E.1-1 and (\d+) content items", page)
    assert f"PS3.15 {said[0]}" == profile.edition().name
    assert [int(number) for number in said[1:]] == [657, 214]  # which test_profile_tables.py counts


def test_reference_lists_the_fields_of_the_log(tmp_path: Path) -> None:
    (line,) = blocks("docs/reference/log.rst", "json")
    named = [
        name.strip("`")
        for cell in first_column("docs/reference/log.rst", "The log")
        for name in cell.split(", ")
    ]
    assert named == list(json.loads(line))


def test_explanation_says_what_is_in_each_package() -> None:
    listed = {name.strip("`") for name in first_column("docs/explanation/architecture.rst", "Layers")}
    package = ROOT / "pfdicom_tagSub"
    there = {path.parent.name for path in package.glob("*/__init__.py")}
    there |= {path.stem for path in package.glob("*.py")} - {"__init__", "__main__"}
    assert listed == there


def test_each_decision_says_what_and_why() -> None:
    pages = [page for page in PAGES if page.startswith("docs/decisions/") and not page.endswith("index.rst")]
    assert len(pages) >= 7
    for page in pages:
        assert "\nDecision\n" in text_of(page), page
        assert "\nWhy" in text_of(page), page


# --- what the pages show


def test_pages_show_command_lines_that_parse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        argument_checks, "find_spec", lambda name: name
    )  # packages of extras are not needed to parse
    shown = 0
    for page in ["README.rst", *PAGES]:
        for code in [*blocks(page), *(code for code in blocks(page, "text") if "--inputDir" in code)]:
            text = re.sub(r"^\s*#.*\n", "", code.replace("\\\n", " "), flags=re.M)
            whole = (
                [text] if text.startswith("pfdicom_tagSub") and "'\n" in text else re.split(r"\n|&&", text)
            )
            for command in whole:
                if "--inputDir" in command or command.lstrip().startswith("pfdicom_tagSub"):
                    words = shlex.split(command.partition(" > ")[0])
                    at = next(place for place, word in enumerate(words) if word.startswith("--"))
                    at = words.index("--inputDir") if "--inputDir" in words else at
                    if words[at:] != ["--version"]:
                        parser.parse(words[at:])
                        shown += 1
    assert shown >= 20


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the examples, to work in."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_bash(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run what a page shows, with the command on the PATH."""
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", **variables}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", code],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_tutorial_runs_from_the_first_dry_run_to_the_check(checkout: Path) -> None:
    key, dry, read, changes, job, check = blocks("docs/tutorial.rst")
    run_bash(key)
    assert "5 would be written" in run_bash(dry).stderr
    assert not (checkout / "handover").exists()
    page = (checkout / "preview.html").read_text("utf-8")
    assert "Yamada" not in page
    assert (checkout / "preview.html").stat().st_mode & 0o777 == 0o600
    assert '"PatientName": "%_empty_#tag"' in run_bash(read, PYTHONUTF8="1").stdout
    run_bash(changes)
    run_bash(job)
    record = json.loads((checkout / "record.json").read_text("utf-8"))
    assert (record["pathsWithValues"], record["residuals"]) == (0, [])
    assert [entry["path"] for entry in record["pixelReview"]] == [
        "patient-1/screen/capture.dcm",
        "patient-2/ct-chest/slice-1.dcm",
    ]
    if shutil.which("dcmdump") is None:
        pytest.skip("dcmdump (dcmtk) is not installed")
    shown = run_bash(check, PYTHONUTF8="1").stdout
    assert "'written': 5" in shown
    assert "PatientIdentityRemoved" in shown
    assert "TRIAL-7" in shown


def test_python_page_has_examples_that_run(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second, *_ = blocks("docs/how-to/python.rst", "python")
    names: dict[str, Any] = {}
    exec(compile(first, "python.rst", "exec"), names)
    assert names["patched"][128:132] == b"DICM"
    assert b"Mueller" not in names["patched"]
    assert (checkout / "report.dcm").is_file()
    assert (checkout / "anon" / "patient-1" / "screen" / "capture.dcm").read_bytes() == names["patched"]
    assert (checkout / "anon" / "patient-2" / "report.dcm").read_bytes() == Path("report.dcm").read_bytes()
    assert names["report"].exit_code == 0
    assert capsys.readouterr().out.startswith("written \n0 {")
    exec(compile(second, "python.rst", "exec"), names)
    assert capsys.readouterr().out.startswith("written ()")
    assert b"P002" in (checkout / "hidden.dcm").read_bytes()


def test_cohort_is_made_and_a_patient_withdraws(checkout: Path) -> None:
    make, choose, specs, job, hand_over, look, prune = blocks("docs/cohort.rst")

    def record(name: str) -> Any:
        return json.loads((checkout / name).read_text("utf-8"))

    def cohort() -> set[str]:
        return {path.relative_to(checkout).as_posix() for path in checkout.glob("cohort/**/*.dcm")}

    run_bash(make, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    run_bash(choose)
    assert (record("preview.json")["counts"]["written"], record("preview.json")["counts"]["notSelected"]) == (
        10,
        4,
    )
    assert not (checkout / "cohort").exists()
    preview = (checkout / "preview.csv").read_text("utf-8")
    assert preview.count("PatientID,") == 3
    run_bash(specs)
    run_bash(job)
    assert (record("record.json")["counts"]["written"], record("record.json")["residuals"]) == (10, [])
    assert len(cohort()) == 10
    shown = {
        (made.Modality, made.SeriesDescription, made.PatientAge if made.Modality == "CT" else "")
        for made in map(pydicom.dcmread, map(str, cohort()))
    }
    assert shown == {
        ("CT", "Chest routine", "011Y"),
        ("CT", "Chest routine", "031Y"),
        ("CT", "Chest low dose", "021Y"),
        ("MR", "MR", ""),
    }
    assert run_bash(hand_over).stdout.count("PatientID,MRN-") == 3
    assert not (checkout / "held").exists()
    before = cohort()
    run_bash(look)
    gone = record("gone.json")["orphans"]
    assert (gone["pruned"], gone["left"]) == (4, 0)
    assert {one["path"].partition("/")[0] for one in gone["files"]} == {"MRN-3"}
    assert cohort() == before
    pseudonym = run_bash(prune).stdout.strip().rpartition(",")[2]
    assert before - cohort() == {path for path in before if path.startswith(f"cohort/{pseudonym}/")}
    assert len(cohort()) == 6
    assert not (checkout / "cohort" / pseudonym).exists()
    counts = record("prune-record.json")["counts"]
    assert (counts["current"], counts["written"]) == (6, 0)


def test_pages_of_the_broker_run(checkout: Path) -> None:
    """The crosswalk, what a table lacks, what is held, and archives."""
    (checkout / "project.key").touch(mode=0o600)
    (checkout / "project.key").write_bytes(bytes(range(32)))
    (checkout / "ids.csv").write_text("original,replacement\n")
    crosswalk, _, missing, hold = blocks("docs/how-to/honest-broker.rst")
    run_bash(crosswalk)
    assert (
        (checkout / "crosswalk.csv").read_text("utf-8").startswith("attribute,original,new\nAccessionNumber,")
    )
    run_bash(f"{missing.strip()} --json || true")
    assert "ids,MRN-100234,\n" in (checkout / "missing.csv").read_text("utf-8")
    shutil.rmtree(checkout / "anon")
    run_bash(hold)
    assert (checkout / "held" / "patient-1" / "screen" / "capture.dcm").is_file()
    assert not (checkout / "anon" / "patient-1" / "screen" / "capture.dcm").exists()
    shutil.rmtree(checkout / "anon")
    (archive,) = blocks("docs/how-to/archives.rst")
    run_bash(archive.replace("-C examples dicom", "-h -C examples dicom"))
    assert len(list(checkout.glob("anon/incoming.tar.gz/dicom/**/*.dcm"))) == 5


def test_session_of_the_notebook_runs(checkout: Path) -> None:
    done = doctest.testfile(str(DOCS / "how-to" / "notebook.rst"), module_relative=False, encoding="utf-8")
    assert done.attempted > 15
    assert done.failed == 0


def test_python_page_cleans_pixels(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("numpy")
    start = 'rules = tagsub.compile_spec({"PatientName": "ANON"}, clean_pixels'
    code = block("docs/how-to/python.rst", "python", start)
    exec(compile(f"import pfdicom_tagSub as tagsub\n{code}", "python.rst", "exec"), {})
    assert capsys.readouterr().out.startswith("[] ['patient-1/screen/capture.dcm'")


def add_odd_folders(tree: Path) -> int:
    """Copy a file into folders whose names a regular expression, a shell or a C locale may trip over."""
    names = ["Müller (1)", "山田", ".hidden", "a,b", "a_b", "it's", "$x", "back\\slash"]
    for name in names:
        (tree / name).mkdir()
        shutil.copy(tree / "patient-2" / "report.dcm", tree / name)
    return len(names)


@pytest.mark.skipif(shutil.which("parallel") is None, reason="GNU parallel is not installed")
def test_recipe_for_gnu_parallel_runs(checkout: Path) -> None:
    (recipe,) = (code for code in blocks("docs/how-to/many-machines.rst") if "parallel -" in code)
    (checkout / "examples").unlink()
    shutil.copytree(ROOT / "examples", checkout / "examples")
    odd = add_odd_folders(checkout / "examples" / "dicom")
    run_bash(recipe, HOME=str(checkout), LC_ALL="C")
    records = [json.loads(path.read_text("utf-8")) for path in checkout.glob("records/*/stdout")]
    assert {record["status"] for record in records} == {"ok"}
    assert sum(record["counts"]["written"] for record in records) == 5 + odd


def test_script_for_slurm_shares_out_the_tree(checkout: Path) -> None:
    script = block("docs/how-to/many-machines.rst", "bash", "#!/bin/bash\n#SBATCH")
    shutil.copytree(ROOT / "examples" / "dicom", checkout / "in")
    odd = add_odd_folders(checkout / "in")
    (checkout / "anon.key").write_bytes(bytes(range(32)))
    script = script.replace("root=/shared\n", f"root={shlex.quote(str(checkout))}\n").replace(
        "tasks=8", "tasks=2"
    )
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    for task in ("0", "1"):
        run_bash(script, LC_ALL="C", SLURM_ARRAY_TASK_ID=task)
    records = [json.loads(path.read_text("utf-8")) for path in checkout.glob("records/*.json")]
    assert len(records) == 2 + odd
    assert sum(record["counts"]["written"] for record in records) == 5 + odd


def test_compose_file_is_valid() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    (text,) = blocks("docs/how-to/containers.rst", "yaml")
    (service,) = yaml.safe_load(text)["services"].values()
    options = parser.parse(service["command"])
    mounted = [volume["target"] for volume in service["volumes"]]
    assert mounted == [str(options.tree.inputDir), str(options.tree.outputDir), options.key_file]
    assert not any(volume["bind"]["create_host_path"] for volume in service["volumes"])


def test_python_for_clusters_compiles() -> None:
    shown = blocks("docs/how-to/dask.rst", "python")
    assert len(shown) == 2
    for code in shown:
        assert "Cluster(" in code
        compile(code, "dask.rst", "exec")


def test_commands_for_a_cd_keep_its_dicomdir_true(tmp_path: Path) -> None:
    media = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"
    for name in ("77654033", "98892001", "98892003"):
        shutil.copytree(media / name, tmp_path / "cdrom" / name)
    shutil.copy(media / "DICOMDIR", tmp_path / "cdrom")
    (tmp_path / "anon.key").write_bytes(bytes(range(32)))
    whole, renamed = blocks("docs/how-to/dicom-cds.rst")
    for code, folder in ((whole, "CT2"), (renamed, "ACT2")):
        moved = code.replace("/media/cdrom", "cdrom").replace("/anon ", "anon ").replace("/etc/", "")
        run_bash(f"cd {shlex.quote(str(tmp_path))}; rm -rf anon; {moved}")
        assert list((tmp_path / "anon").rglob(folder))
        with warnings.catch_warnings(action="ignore"):
            found = list(FileSet(tmp_path / "anon" / "DICOMDIR"))
            assert len(found) == 31
            assert all(instance.load().SOPInstanceUID == instance.SOPInstanceUID for instance in found)
