#!/usr/bin/env python3
"""Renew what the container image is built from: versions with their hashes, and the base image.

It writes image/requirements.txt (what a run needs), image/build-requirements.txt (what the build
needs) and the digest in the first line FROM of Dockerfile. It needs uv (``pip install uv``), which
asks the package index, and docker, which asks the registry of the base image. What cannot be
renewed is left as it was, and the exit code is 1.

    python3 tools/renew_image.py
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python3 tools/renew_image.py"

# pfmisc asks for its debugger, which console.py keeps it from importing. A marker that is never
# true leaves it out, and all that it alone needs.
LEFT_OUT = "pudb; python_version < '3'"

# pip itself is one of them: which pip a base image has, shall not matter.
BUILD_REQUIREMENTS = "pip\nsetuptools>=64\n"

BASE = re.compile(
    r"^(?P<instruction>FROM +)(?P<image>[^\s@]+:(?P<tag>[^\s@:]+))(?:@sha256:[0-9a-f]{64})?", re.M
)
DIGEST = re.compile(r"^Digest: *(sha256:[0-9a-f]{64}) *$", re.M)


class NotRenewedError(Exception):
    """Something cannot be renewed; the text says what and why."""


def base_image(dockerfile: str) -> tuple[str, str]:
    """The base image of a Dockerfile, without its digest, and the version of its Python.

    Raises:
        NotRenewedError: there is no line FROM with an image and a tag such as 3.13-slim.
    """
    found = BASE.search(dockerfile)
    version = found and re.match(r"\d+\.\d+", found["tag"])
    if not found or not version:
        raise NotRenewedError("Dockerfile: no line FROM with an image and a tag that begins with a version")
    return found["image"], version[0]


def with_digest(dockerfile: str, digest: str) -> str:
    """A Dockerfile with the digest of its base image, in place of the one it had, if any."""
    return BASE.sub(rf"\g<instruction>\g<image>@{digest}", dockerfile, count=1)


def pulled_digest(output: str) -> str:
    """The digest in what ``docker pull`` prints: of the list of all platforms, where there is one.

    Raises:
        NotRenewedError: there is none.
    """
    found = DIGEST.search(output)
    if not found:
        raise NotRenewedError("docker pull tells no digest")
    return found[1]


def _run(command: list[str], text: str = "") -> str:
    """What a command prints."""
    if shutil.which(command[0]) is None:
        raise NotRenewedError(f"there is no {command[0]}")
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        raise NotRenewedError(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout


def renew_versions(python: str) -> None:
    """Write the newest versions that go together, with the hashes of all their files.

    Args:
        python: the version of Python in the image, such as 3.13.

    Raises:
        NotRenewedError: uv is not there or finds no versions; the files are as they were.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as left_out:
        left_out.write(LEFT_OUT)
        left_out.flush()
        resolve = ["uv", "pip", "compile", "--upgrade", "--quiet", "--generate-hashes"]
        resolve += ["--python-version", python, "--python-platform", "linux"]
        resolve += ["--custom-compile-command", COMMAND]
        files = {
            "requirements.txt": _run([*resolve, "--extra", "yaml", "--overrides", left_out.name, "setup.py"]),
            "build-requirements.txt": _run([*resolve, "-"], BUILD_REQUIREMENTS),
        }
    for name, text in files.items():
        (ROOT / "image" / name).write_text(text.rstrip("\n") + "\n", "utf-8")


def renew_base(dockerfile: str, image: str) -> None:
    """Write the digest that the base image has in its registry today.

    Args:
        dockerfile: the text of Dockerfile.
        image: the base image in it.

    Raises:
        NotRenewedError: there is no docker, or it does not reach the registry; the file is as it was.
    """
    digest = pulled_digest(_run(["docker", "pull", image]))
    (ROOT / "Dockerfile").write_text(with_digest(dockerfile, digest), "utf-8")


def main() -> int:
    """Renew both; the exit code."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    code = 0
    try:
        image, python = base_image(dockerfile)
    except NotRenewedError as error:
        sys.exit(str(error))
    try:
        renew_versions(python)
        print("image/requirements.txt and image/build-requirements.txt are renewed")
    except NotRenewedError as error:
        print(f"the versions are as they were: {error}", file=sys.stderr)
        code = 1
    try:
        renew_base(dockerfile, image)
        print(f"Dockerfile has the digest of {image}")
    except NotRenewedError as error:
        print(f"the base image is as it was: {error}", file=sys.stderr)
        code = 1
    return code


if __name__ == "__main__":
    sys.exit(main())
