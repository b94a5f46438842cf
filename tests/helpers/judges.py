"""Other readers of DICOM as judges: which files show a secret in an element that the rules replace."""

from __future__ import annotations

import contextlib
import logging
import re
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

BATCH = 200
"""So many files are given to one process."""

Secrets = dict[Path, str]
"""Which secret each file holds; no two of a folder hold the same."""


@dataclass(frozen=True)
class Judge:
    """A reader.

    Attributes:
        name: what messages call it.
        program: what has to be on the PATH; "" for none.
        showing: the files that show their secret in one of some elements.
    """

    name: str
    program: str
    showing: Callable[[Secrets, frozenset[int]], set[Path]]

    @property
    def is_installed(self) -> bool:
        """Whether it can be asked."""
        return not self.program or shutil.which(self.program) is not None


def _forms(secret: str) -> tuple[str, ...]:
    """How a dump shows a text: as it is, as bytes, as words of either order."""
    raw = secret.encode()
    words = [raw[at : at + 2].hex() for at in range(0, len(raw) - 1, 2)]
    swapped = [word[2:] + word[:2] for word in words]
    return secret, raw.hex("\\"), "\\".join(words), "\\".join(swapped)


# --- pydicom


def _by_pydicom(secrets: Secrets, tags: frozenset[int]) -> set[Path]:
    found = set()
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            for path, secret in secrets.items():
                with contextlib.suppress(Exception):  # what it cannot read it does not show
                    if any(
                        secret.encode() in shown for shown in _shown(pydicom.dcmread(path, force=True), tags)
                    ):
                        found.add(path)
    finally:
        logging.disable(logging.NOTSET)
    return found


def _shown(data_set: Dataset, tags: frozenset[int], depth: int = 0) -> Iterator[bytes]:
    """The values of the elements with these tags, at every depth."""
    for tag in list(data_set.keys()):
        if tag in tags:
            with contextlib.suppress(Exception):
                stored = data_set.get_item(tag).value
                yield stored if isinstance(stored, bytes) else str(stored).encode("utf-8", "replace")
        try:
            value = data_set[tag].value
        except Exception:  # what pydicom cannot read it does not show
            continue
        if tag in tags:
            yield value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
        if isinstance(value, Sequence) and depth < 60:
            for item in value:
                yield from _shown(item, tags, depth + 1)


# --- dumps

_ELEMENT = re.compile(r"^\s*\(([0-9a-f]{4}),([0-9a-f]{4})\)")


def _elements(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The elements of a dump: tag and text, with what follows on other lines."""
    tag, text = -1, ""
    for line in lines:
        match = _ELEMENT.match(line)
        if match:
            yield tag, text
            tag, text = int(match[1] + match[2], 16), line
        else:
            text += line
    yield tag, text


def _run(command: list[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120)
    except subprocess.TimeoutExpired as late:
        return -1, (late.stdout or b"").decode("latin-1")
    return done.returncode, done.stdout.decode("latin-1")


def _by_folder(secrets: Secrets) -> dict[Path, Secrets]:
    found: dict[Path, Secrets] = {}
    for path, secret in secrets.items():
        found.setdefault(path.parent, {})[path] = secret
    return found


def _batches(secrets: Secrets) -> Iterator[list[Path]]:
    """The files for one process each: dcmtk may show what its memory holds of another file."""
    for some in _by_folder(secrets).values():
        paths = list(some)
        for at in range(0, len(paths), BATCH):
            yield paths[at : at + BATCH]


def _by_dcmtk(*options: str) -> Callable[[Secrets, frozenset[int]], set[Path]]:
    def showing(secrets: Secrets, tags: frozenset[int]) -> set[Path]:
        wanted = [part for tag in sorted(tags) for part in ("+P", f"{tag >> 16:04x},{tag & 0xFFFF:04x}")]
        found = set()
        for paths in _batches(secrets):
            some = {str(path): path for path in paths}
            # A single file has no line with its name
            _, dump = _run(["dcmdump", "-q", "+F", "+L", *options, *wanted, *some, *list(some)[:1]])
            current: Path | None = None
            for line in dump.splitlines():
                if head := re.match(r"^# dcmdump \(\d+/\d+\): (.*)$", line):
                    current = some.get(head[1], current)
                elif current is not None and any(form in line for form in _forms(secrets[current])):
                    found.add(current)
        return found

    return showing


def _by_gdcm(secrets: Secrets, tags: frozenset[int]) -> set[Path]:
    """It names no files, and the first damaged one may end it: then each is asked for by itself."""
    found = set()
    for folder, some in _by_folder(secrets).items():
        is_whole = set(folder.iterdir()) == set(some)
        code, dump = _run(["gdcmdump", "-r", str(folder)]) if is_whole else (-1, "")
        dumps = [dump] if code == 0 else [_run(["gdcmdump", str(path)])[1] for path in some]
        for one in dumps:
            shown = "\n".join(text for tag, text in _elements(one.splitlines()) if tag in tags)
            found |= {path for path, secret in some.items() if any(form in shown for form in _forms(secret))}
    return found


JUDGES = (
    Judge("pydicom", "", _by_pydicom),
    Judge("dcmtk", "dcmdump", _by_dcmtk()),
    Judge("dcmtk, errors ignored", "dcmdump", _by_dcmtk("+E")),
    Judge("gdcm", "gdcmdump", _by_gdcm),
)
