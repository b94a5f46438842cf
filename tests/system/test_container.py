"""The page on containers, run: as root, with docker or what goes by that name.

It needs the image: ``docker build -t pfdicom_tagsub . && PFDICOM_TAGSUB_IMAGE=pfdicom_tagsub pytest
tests/system/test_container.py``. Without the variable all of this is skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pages import blocks
from support import ROOT

from pfdicom_tagSub import __version__

IMAGE = os.environ.get("PFDICOM_TAGSUB_IMAGE", "")
OWNER = 10001
EXAMPLES = 5
FOLDERS = 800

pytestmark = pytest.mark.skipif(not IMAGE, reason="PFDICOM_TAGSUB_IMAGE names no image")

PAGE = "docs/how-to/containers.rst"


class Host:
    """The directories that the page names, in a directory of the test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "examples" / "dicom", root / "incoming")
        shutil.copy(ROOT / "examples" / "spec.json", root / "incoming")
        for path in (*root.parents, *root.rglob("*"), root):
            if path.is_relative_to("/tmp"):
                path.chmod(path.stat().st_mode | (0o55 if path.is_dir() else 0o44))
        (root / "anon").mkdir()
        os.chown(root / "anon", OWNER, OWNER)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run what the page shows, with its paths in this directory."""
        text = re.sub(r"(?<=[ \n])(?=/(incoming|anon)[: ,])", str(self.root), command)
        text = text.replace("sudo ", "").replace("pfdicom_tagsub --", f"{IMAGE} --")
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text], capture_output=True, text=True, cwd=self.root
        )

    def outputs(self) -> list[Path]:
        return [path for path in (self.root / "anon").rglob("*") if path.is_file()]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_commands_of_the_page(host: Host) -> None:
    first, second = blocks(PAGE, "bash")[:2]
    done = host.run(first.partition("\n")[2])  # without the build
    assert done.returncode == 0, done.stderr
    assert {path.stat().st_uid for path in host.outputs()} == {OWNER}
    again = host.run(second)
    assert again.returncode == 0, again.stderr
    counts = json.loads(again.stdout)["counts"]
    assert (counts["unchanged"], counts["skipped"]) == (EXAMPLES, 2) == (len(host.outputs()), 2)


@pytest.fixture
def many(host: Host) -> Host:
    """A host with work for some seconds."""
    for number in range(FOLDERS):
        for patient in ("patient-1", "patient-2"):
            shutil.copytree(
                host.root / "incoming" / patient,
                host.root / "incoming" / f"c{number}" / patient,
                copy_function=os.link,
            )
    return host


def _as_owner(options: str) -> str:
    """The second command of the page, with other options of docker."""
    command = blocks(PAGE, "bash")[1].strip().replace('"$(id -u):$(id -g)"', str(OWNER))
    return command.replace("docker run --rm", options)


def _in_image(*command: str) -> str:
    """What a command in the image prints."""
    name, *arguments = command
    options = ["--rm", "--init", "--read-only", "--network", "none", "--entrypoint", name]
    done = subprocess.run(["docker", "run", *options, IMAGE, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_image_has_the_pinned_versions_and_nothing_else() -> None:
    script = (
        "from importlib.metadata import distributions as found\n"
        "import sys\n"
        "for one in found(path=[path for path in sys.path if path.startswith(sys.prefix)]):\n"
        "    print(one.name, one.version, sep='==')"
    )
    there = {line.lower().replace("_", "-") for line in _in_image("python", "-c", script).splitlines()}
    text = (ROOT / "image" / "requirements.txt").read_text("utf-8")
    assert there == {*re.findall(r"^[\w.-]+==[\w.]+", text, re.M), f"pfdicom-tagsub=={__version__}"}


def test_image_has_the_console_of_pfmisc_without_its_debugger() -> None:
    script = (
        "import sys\n"
        "from pfdicom_tagSub.cli.console import Console\n"
        "console = Console(1, syslog=True)\n"
        "console.note(1, 'x')\n"
        "print(bool(console._debug), 'pfmisc.debug' in sys.modules, 'pudb' in sys.modules)"
    )
    assert _in_image("python", "-c", script).split() == ["True", "True", "False"]


def test_image_runs_as_its_own_user() -> None:
    assert _in_image("id", "-u").strip() == str(OWNER)


def test_stop_ends_a_run_with_its_record(many: Host) -> None:
    name = f"pfdicom_tagsub-{os.getpid()}"
    done = many.run(
        _as_owner(f"docker run --rm --name {name}") + " &\n"
        "until find anon -name '*.dcm' | grep -q .; do sleep 0.1; done\n"
        f"docker stop {name} >&2; wait $!"
    )
    assert done.returncode == 143, done.stderr
    record = json.loads(done.stdout)
    assert record["status"] == "terminated"
    assert 0 < record["counts"]["written"] == len(many.outputs()) < FOLDERS * EXAMPLES
    assert not [path for path in many.outputs() if path.name.startswith(".")]


def test_stop_at_the_very_beginning_is_heard(many: Host) -> None:
    name = many.run(_as_owner("docker create")).stdout.strip()
    try:
        done = many.run(f"docker start {name} && docker stop -t 60 {name} && docker wait {name}")
        assert done.stdout.split()[-1] == "143"
    finally:
        subprocess.run(["docker", "rm", "-f", name], capture_output=True)


def _compose(host: Host, key: bytes | None) -> tuple[int, dict[str, Any] | None]:
    """The exit code and the record of the last command of the section."""
    text = blocks(PAGE, "yaml")[0].replace("image: pfdicom_tagsub", f"image: {IMAGE}")
    text = re.sub(r"(?<=source: )(?=/)", str(host.root), text)
    (host.root / "compose.yaml").write_text(text)
    own, _, run = blocks(PAGE, "bash")[2].strip().splitlines()
    if key is not None:
        (host.root / "anon.key").write_bytes(key)
    done = host.run(run if key is None else f"{own}\n{run}")
    printed = (host.root / "record.json").read_text()
    return done.returncode, json.loads(printed) if printed else None


@pytest.mark.skipif(
    subprocess.run(["docker", "compose", "version"], capture_output=True).returncode != 0
    if shutil.which("docker")
    else True,
    reason="there is no docker compose",
)
def test_compose_file_of_the_page(host: Host) -> None:
    code, record = _compose(host, bytes(range(32)))
    assert code == 0
    assert record is not None
    assert record["counts"]["written"] == EXAMPLES
    assert {path.stat().st_uid for path in host.outputs()} == {OWNER}
    whole = (host.root / "incoming" / "patient-2" / "report.dcm").read_bytes()
    (host.root / "incoming" / "damaged.dcm").write_bytes(whole[:-7])
    code, record = _compose(host, bytes(range(32)))
    assert code == 1
    assert record is not None
    assert record["counts"]["failed"] == 1
    code, record = _compose(host, b"short")
    assert code == 2
    assert record is not None
    assert "the key has 5 bytes" in record["error"]
    (host.root / "anon.key").unlink()
    assert _compose(host, None) == (1, None)
    assert not (host.root / "anon.key").exists()
