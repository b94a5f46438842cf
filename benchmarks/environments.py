"""The environments that the compared commands are installed in, and the versions there."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

LEFT_OUT_OF_COPY = (".*", "__pycache__", "*.egg-info", "build", "dist", "venv")


class SetupError(Exception):
    """A peer can't be had; the message says why, and how to get it."""


def environment(cache: Path, name: str, requirements: list[str]) -> Path:
    """The directory of commands of a virtual environment that holds `requirements`; made where missing."""
    root = cache / f"{name}-py{sys.version_info.major}.{sys.version_info.minor}"
    stamp = root / "requirements.json"
    if not stamp.exists() or json.loads(stamp.read_text("utf-8")) != requirements:
        venv.create(root, clear=True, with_pip=True)
        install(root / "bin", requirements)
        stamp.write_text(json.dumps(requirements), "utf-8")
    return root / "bin"


def install(commands: Path, requirements: list[str]) -> None:
    """Install `requirements` with the pip beside `commands`."""
    arguments = ["-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirements]
    done = subprocess.run([commands / "python", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"pip install {' '.join(requirements)}: {done.stderr.strip()[-400:]}")


def tool_environment(cache: Path, repository: Path) -> Path:
    """As `environment`, for the tool itself, installed anew from `repository`.

    Installed from a copy: building leaves things in the source tree, and takes up what lies there.
    """
    root = cache / f"tool-py{sys.version_info.major}.{sys.version_info.minor}"
    if not (root / "bin" / "python").exists():
        venv.create(root, clear=True, with_pip=True)
    copy = cache / "tool-source"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(repository, copy, ignore=shutil.ignore_patterns(*LEFT_OUT_OF_COPY))
    install(root / "bin", [str(copy)])
    shutil.rmtree(copy)
    return root / "bin"


def versions_in(commands: Path, packages: list[str]) -> str:
    """Name and version of each of `packages`, as installed beside `commands`.

    Isolated (-I): in the repository's directory its own metadata would be found first.
    """
    program = "import importlib.metadata, sys; print(*map(importlib.metadata.version, sys.argv[1:]))"
    done = subprocess.run(
        [commands / "python", "-I", "-c", program, *packages], capture_output=True, text=True, check=False
    )
    return ", ".join(map(" ".join, zip(packages, done.stdout.split(), strict=False))) or "?"


def first_line(*command: str) -> str:
    """The first line that a command prints."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout.partition("\n")[0].strip()
