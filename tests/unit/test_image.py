"""What the container image is built from, as far as it can be seen without building it.

tests/system/test_container.py is for the image itself.
"""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import ROOT

HASH = r"--hash=sha256:[0-9a-f]{64}"
PINNED = re.compile(rf"(?P<name>[\w.-]+)==(?P<version>[\w.]+)((?: {HASH})+)")
DEBUGGER = "pudb"
OF_THE_DEBUGGER = {DEBUGGER, "urwid", "urwid-readline", "jedi", "parso", "pygments", "packaging", "wcwidth"}
OLD_DIGEST, NEW_DIGEST = (f"sha256:{digit * 64}" for digit in "0a")


def _lines(name: str) -> list[str]:
    """The requirements in a file of the image, each in one line and without comments."""
    text = (ROOT / "image" / name).read_text("utf-8").replace("\\\n", " ")
    lines = [" ".join(line.partition("#")[0].split()) for line in text.splitlines()]
    return [line for line in lines if line]


def _pins(name: str) -> dict[str, str]:
    """The versions in a file of the image, by name."""
    found = [PINNED.fullmatch(line) for line in _lines(name)]
    return {canonicalize_name(match["name"]): match["version"] for match in found if match}


def _wanted_by() -> dict[str, set[str]]:
    """What each package of requirements.txt is there for, as its comments "via" have it."""
    text = (ROOT / "image" / "requirements.txt").read_text("utf-8")
    parts = re.split(r"^(?=[\w.-]+==)", text, flags=re.M)[1:]
    return {
        canonicalize_name(part.partition("==")[0]): set(re.findall(r"# +(?:via +)?([\w.-]+)", part)) - {"via"}
        for part in parts
    }


def _requires(name: str) -> set[str]:
    """What an installed package requires in the image: Python 3.13 on Linux, and of extras specs in YAML."""
    environment = {
        "python_version": "3.13",
        "python_full_version": "3.13.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "os_name": "posix",
    }
    extras = ("", "yaml") if name.startswith("pfdicom") else ("",)
    found = map(Requirement, metadata.requires(name) or [])
    return {
        canonicalize_name(required.name)
        for required in found
        if required.marker is None
        or any(required.marker.evaluate({**environment, "extra": extra}) for extra in extras)
    }


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


@pytest.mark.parametrize("name", ["requirements.txt", "build-requirements.txt"])
def test_every_requirement_of_the_image_has_a_version_and_hashes(name: str) -> None:
    lines = _lines(name)
    assert lines
    assert [line for line in lines if not PINNED.fullmatch(line)] == []
    assert len(_pins(name)) == len(lines)


def test_requirements_of_the_image_are_those_of_a_run() -> None:
    """All that setup.py and what it names require, but for the debugger of pfmisc."""
    pins, wanted_by = _pins("requirements.txt"), _wanted_by()
    own = canonicalize_name("pfdicom_tagSub")
    seen: set[str] = set()
    waiting = [own]
    while waiting:
        name = waiting.pop()
        # What another version than the pinned one requires says nothing of the image.
        if name == own or _version(name) == pins.get(name, ""):
            required = _requires(name) - {DEBUGGER}
        else:
            required = {other for other, parents in wanted_by.items() if name in parents}
        waiting += required - seen
        seen |= required
    assert seen == set(pins)


def test_direct_requirements_of_the_image_are_those_of_setup_py() -> None:
    direct = {name for name, parents in _wanted_by().items() if "pfdicom-tagsub" in parents}
    assert direct == _requires("pfdicom_tagSub")


def test_image_is_built_without_the_debugger_of_pfmisc() -> None:
    assert OF_THE_DEBUGGER.isdisjoint(_pins("requirements.txt"))


def test_build_requirements_are_pip_and_those_of_pyproject() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]
    needed = {requirement.name: requirement for requirement in map(Requirement, table["requires"])}
    pins = _pins("build-requirements.txt")
    assert set(pins) == {"pip", *needed}
    assert all(requirement.specifier.contains(pins[name]) for name, requirement in needed.items())


def _commands() -> list[str]:
    """The commands of the Dockerfile's RUN instructions, one each."""
    text = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    runs = re.findall(r"^RUN +(.*)$", text, re.M)
    return [" ".join(command.split()) for run in runs for command in run.split("&&")]


def test_dockerfile_fetches_nothing_without_its_hash() -> None:
    fetching = [
        command for command in _commands() if re.search(r"pip\b.* (install|wheel|download) ", command + " ")
    ]
    assert len(fetching) == 4
    for command in fetching:
        assert "--require-hashes" in command or "--no-index" in command, command
        # Build isolation fetches what it builds with, and looks at no hash.
        assert "wheel" not in command.split() or "--no-build-isolation" in command, command
    for name in ("requirements.txt", "build-requirements.txt"):
        assert any(f"--require-hashes -r image/{name}" in command for command in fetching)


def test_dockerfile_has_one_base_image() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    images = re.findall(r"^FROM +(\S+)", text, re.M)
    assert re.fullmatch(r"python:3\.13-slim-bookworm(@sha256:[0-9a-f]{64})?", images[0])
    assert set(images[1:]) == {"base"}
    assert "AS base\n" in text


def test_what_dockerfile_copies_is_sent_to_the_build() -> None:
    text = (ROOT / "Dockerfile").read_text("utf-8")
    copied = {name for line in re.findall(r"^COPY (?!--from)(.*) \S+$", text, re.M) for name in line.split()}
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)


# --- the tool that renews it


@pytest.fixture(scope="module")
def renewing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("renew_image", ROOT / "tools" / "renew_image.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("pinned", ["", f"@{OLD_DIGEST}"])
def test_renewing_writes_the_digest_into_the_first_line_from(renewing: ModuleType, pinned: str) -> None:
    dockerfile = "# FROM here\nFROM python:3.13-slim{} AS base\n\nFROM base AS build\nFROM base\n"
    assert renewing.base_image(dockerfile.format(pinned)) == ("python:3.13-slim", "3.13")
    renewed = renewing.with_digest(dockerfile.format(pinned), NEW_DIGEST)
    assert renewed == dockerfile.format(f"@{NEW_DIGEST}")


def test_renewing_takes_the_digest_that_docker_pull_prints(renewing: ModuleType) -> None:
    printed = f"3.13-slim: Pulling from library/python\nDigest: {NEW_DIGEST}\nStatus: Image is up to date\n"
    assert renewing.pulled_digest(printed) == NEW_DIGEST
    with pytest.raises(renewing.NotRenewedError, match="no digest"):
        renewing.pulled_digest("Trying to pull\n")


@pytest.mark.parametrize("dockerfile", ["", "FROM base\n", "FROM python:latest\n", "FROM python\n"])
def test_renewing_needs_a_base_image_that_tells_the_version_of_python(
    renewing: ModuleType, dockerfile: str
) -> None:
    with pytest.raises(renewing.NotRenewedError, match="no line FROM"):
        renewing.base_image(dockerfile)


def _tree(tmp_path: Path, **programs: str) -> dict[str, bytes]:
    """A copy of what renewing reads and writes, and programs that take the place of uv and docker."""
    for name in (
        "tools/renew_image.py",
        "Dockerfile",
        "image/requirements.txt",
        "image/build-requirements.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "bin").mkdir()
    for name, script in programs.items():
        (tmp_path / "bin" / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / name).chmod(0o755)
    return _contents(tmp_path)


def _contents(tree: Path) -> dict[str, bytes]:
    return {
        name: (tree / name).read_bytes()
        for name in ("Dockerfile", "image/requirements.txt", "image/build-requirements.txt")
    }


def _renew(tree: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, tree / "tools" / "renew_image.py"],
        capture_output=True,
        text=True,
        env={"PATH": str(tree / "bin")},
    )


def test_renewing_leaves_everything_where_neither_index_nor_registry_is_reached(tmp_path: Path) -> None:
    before = _tree(tmp_path, docker="echo no such host >&2; exit 1")
    done = _renew(tmp_path)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "the versions are as they were: there is no uv",
        "the base image is as it was: docker pull python:3.13-slim-bookworm: no such host",
    ]
    assert _contents(tmp_path) == before


def test_renewing_writes_what_uv_and_docker_print(tmp_path: Path) -> None:
    _tree(tmp_path, uv='echo "found for $*"', docker=f"echo 'Digest: {NEW_DIGEST}'")
    done = _renew(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    after = _contents(tmp_path)
    assert f"\nFROM python:3.13-slim-bookworm@{NEW_DIGEST} AS base\n".encode() in after["Dockerfile"]
    for name, source in (("requirements.txt", "setup.py"), ("build-requirements.txt", "-")):
        found = after[f"image/{name}"].decode()
        assert "--generate-hashes --python-version 3.13 " in found
        assert found.endswith(f" {source}\n")
