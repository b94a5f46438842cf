"""The installed command as a process of its own, and trees of small files for it to work on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pydicom
import pydicom.data
from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset
from support import README_SPEC

COMMAND = str(Path(sys.executable).with_name("pfdicom_tagSub"))
BUNDLED = Path(pydicom.data.__file__).parent / "test_files"
SCHEMA = json.loads((Path(__file__).parent / "record_schema.json").read_text("utf-8"))
PREFIX = ".pfdicom_tagSub-"
"""How the names of temporary outputs begin."""

Spec = Mapping[str, str | None]
SECONDS = 60.0
"""How long a command may take; far more than any does."""


@dataclass(frozen=True)
class Done:
    """What a process came to."""

    code: int
    out: str
    err: str

    @property
    def record(self) -> dict[str, Any]:
        """The record of ``--json``, which has to be all that is on stdout."""
        return checked_record(self.out)

    @property
    def shown(self) -> str:
        """All that it said but the time it took, whose digits may be those of any value."""
        return self.err + re.sub(r'"runTime": [\d.e-]+', "", self.out)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of the record that are not 0."""
        return {name: count for name, count in self.record["counts"].items() if count}

    @property
    def failures(self) -> dict[str, str]:
        """Path to reason of what failed."""
        return {failure["path"]: failure["reason"] for failure in self.record["failures"]}

    @property
    def skipped(self) -> dict[str, str]:
        """Path to reason of what was skipped."""
        return {skipped["path"]: skipped["reason"] for skipped in self.record["skipped"]}


def checked_record(printed: str) -> dict[str, Any]:
    """The record that was printed, held against its schema and against itself."""
    record: dict[str, Any] = json.loads(printed)
    jsonschema.validate(record, SCHEMA, cls=jsonschema.Draft202012Validator)
    counts = dict(record["counts"])
    assert counts.pop("found") == sum(counts.values())
    skipped = counts["skipped"] + counts["notSelected"]
    assert (counts["failed"], skipped) == (len(record["failures"]), len(record["skipped"]))
    return record


def arguments_of(inputs: Path | str, outputs: Path | str, spec: Spec | None, *flags: str) -> list[str]:
    """The arguments of a run.

    Args:
        inputs: ``--inputDir``.
        outputs: ``--outputDir``.
        spec: ``--tagStruct``; None where the flags give one.
        flags: all others.
    """
    given = [] if spec is None else ["--tagStruct", json.dumps(dict(spec))]
    return ["--inputDir", str(inputs), "--outputDir", str(outputs), *given, *flags]


def run(
    inputs: Path | str,
    outputs: Path | str,
    *flags: str,
    spec: Spec | None = README_SPEC,
    **how: Any,
) -> Done:
    """Run the installed command on a tree; ``how`` goes to :func:`execute`."""
    return execute([COMMAND, *arguments_of(inputs, outputs, spec, *flags)], **how)


def execute(
    words: Sequence[str],
    *,
    text: str | None = "",
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    before: Callable[[], None] | None = None,
) -> Done:
    """Run a process to its end.

    Args:
        words: the program and its arguments.
        text: what it reads on stdin; None for nothing at all (/dev/null).
        env: its environment; that of the tests if None.
        cwd: its working directory.
        before: called in the child before the program starts.
    """
    done = subprocess.run(
        words,
        stdin=subprocess.DEVNULL if text is None else None,
        input=None if text is None else text.encode(),
        capture_output=True,
        env=None if env is None else dict(env),
        cwd=cwd,
        timeout=patience(SECONDS),
        preexec_fn=before,
    )
    return Done(done.returncode, _text(done.stdout), _text(done.stderr))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# --- trees


def data_set(**elements: object) -> Dataset:
    """A small data set that a file can be made of, with a PatientName and a PatientID."""
    content = Dataset()
    content.SOPClassUID = uid.SecondaryCaptureImageStorage
    content.SOPInstanceUID = "1.2.826.0.1.3680043.8.498.4711"
    content.PatientName = "Doe^Jane"
    content.PatientID = "DEV"
    for keyword, value in elements.items():
        setattr(content, keyword, value)
    return content


def save(path: Path, content: Dataset, syntax: str = uid.ExplicitVRLittleEndian) -> Path:
    """Write a data set as a file with preamble and file meta."""
    content.file_meta = FileMetaDataset()
    content.file_meta.TransferSyntaxUID = uid.UID(syntax)
    content.file_meta.MediaStorageSOPClassUID = content.get("SOPClassUID", uid.SecondaryCaptureImageStorage)
    content.file_meta.MediaStorageSOPInstanceUID = content.get("SOPInstanceUID", "1.2.3")
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(action="ignore"):
        content.save_as(path, enforce_file_format=True)
    return path


def make(path: Path, **elements: object) -> Path:
    """Write a small file; see :func:`data_set`."""
    return save(path, data_set(**elements))


def make_large(path: Path, size: int, **elements: object) -> Path:
    """Write a file that ends in a document of so many zeros, a hole on the disk."""
    head = make(path, EncapsulatedDocument=b"\0\0", **elements).read_bytes()
    assert head.endswith(b"\x02\0\0\0\0\0")
    with path.open("r+b") as file:
        file.seek(len(head) - 6)
        file.write(size.to_bytes(4, "little"))
        file.truncate(len(head) - 2 + size)
    return path


def read(path: Path) -> Dataset:
    """What pydicom reads of a file, without its warnings."""
    with warnings.catch_warnings(action="ignore"):
        return pydicom.dcmread(path, force=True)


def contents(root: Path) -> dict[str, bytes]:
    """The bytes of every file of a tree, by path; what is no regular file has none."""
    found: dict[str, bytes] = {}
    for folder, _, names in os.walk(os.fsencode(root)):
        for name in names:
            path = os.path.join(folder, name)
            relative = os.fsdecode(os.path.relpath(path, os.fsencode(root)))
            found[relative] = Path(os.fsdecode(path)).read_bytes() if os.path.isfile(path) else b""
    return found


def names_in(root: Path) -> list[str]:
    """The paths of a tree's files, sorted; they may come and go meanwhile."""
    found: list[str] = []
    for folder, _, names in os.walk(os.fsencode(root)):
        found += [
            os.fsdecode(os.path.relpath(os.path.join(folder, name), os.fsencode(root))) for name in names
        ]
    return sorted(found)


def leftovers(root: Path) -> list[str]:
    """The temporary outputs in a tree."""
    return [name for name in names_in(root) if name.rpartition("/")[2].startswith(PREFIX)]


def mixed_tree(root: Path) -> None:
    """A tree as archives have them: every encoding, damage, other files, odd names, links.

    Of its files twenty can be processed, two are cut off, and the others are no DICOM.
    """
    syntaxes = (
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    )
    for number, syntax in enumerate(syntaxes):
        item = data_set(PatientID=f"N{number}")
        content = data_set(PatientID=f"P{number}", RequestAttributesSequence=[item])
        content.add_new(0x00290010, "LO", "MAKER")
        content.add_new(0x00291001, "LO", "private")
        save(root / "syntaxes" / f"{number}.dcm", content, syntax)
    for name in ("MR_small_RLE.dcm", "ExplVR_LitEndNoMeta.dcm", "nested_priv_SQ.dcm", "JPEG2000.dcm"):
        (root / "bundled" / name).parent.mkdir(exist_ok=True)
        (root / "bundled" / name).write_bytes((BUNDLED / name).read_bytes())
    whole = make(root / "series" / "0.dcm").read_bytes()
    for number in range(8):
        make(root / "series" / f"{number}.dcm", InstanceNumber=str(number), PatientID=f"S{number // 4}")
    for name in ("a\nb", "\udcff\udcfe.dcm", "n" * 255, ".hidden"):
        path = os.fsencode(root / "names" / name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Path(os.fsdecode(path)).write_bytes(whole)
    for name in ("cut.dcm", "series/cut.dcm"):
        (root / name).write_bytes(whole[:-3])
    (root / "empty.dcm").write_bytes(b"")
    (root / "notes.txt").write_text("Nothing here is DICOM.\n" * 20)
    (root / "link.dcm").symlink_to("series/0.dcm")
    os.mkfifo(root / "fifo.dcm")


MIXED = {"found": 26, "written": 20, "skipped": 4, "failed": 2}
"""What becomes of a mixed tree."""


@dataclass(frozen=True)
class Trees:
    """An input tree and the place of an output tree that does not exist yet."""

    inputs: Path
    outputs: Path

    def run(self, *flags: str, spec: Spec | None = README_SPEC, **how: Any) -> Done:
        """Run the installed command on them; ``how`` goes to :func:`execute`."""
        return run(self.inputs, self.outputs, *flags, spec=spec, **how)

    def make(self, name: str, **elements: object) -> Path:
        """Add a small file to the input tree."""
        return make(self.inputs / name, **elements)

    def add(self, name: str, content: bytes = b"") -> Path:
        """Add a file of any content to the input tree."""
        path = self.inputs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    @property
    def written(self) -> list[str]:
        """The paths of the output tree's files."""
        return names_in(self.outputs)

    def read(self, name: str) -> Dataset:
        """What pydicom reads of an output."""
        return read(self.outputs / name)


# --- processes


def patience(seconds: float) -> float:
    """How long to wait for what takes so long at most on an idle machine; others may use this one, too."""
    return seconds * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


def output_of(code: str, folder: Path | None = None) -> str:
    """What a program prints that runs in a process of its own.

    Args:
        code: the program.
        folder: where it runs.
    """
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        timeout=patience(60),
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def processes_of(session: int) -> list[int]:
    """The processes of a session that have not ended (zombies have)."""
    return _processes_with(3, session)


def children_of(parent: int) -> list[int]:
    """The processes that a process started and that have not ended."""
    return _processes_with(1, parent)


def _processes_with(place: int, number: int) -> list[int]:
    """The processes with a number at a place after the name in ``/proc/PID/stat`` (proc(5))."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[place]) == number and fields[0] not in "ZX":
                found.append(int(entry.name))
    return found


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> bool:
    """Wait until something is so; False when it has not become so in time."""
    end = time.monotonic() + patience(seconds)
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True


def walk_elements(content: Dataset) -> Iterator[Any]:
    """Every element of a data set, at every depth, sequences included."""
    for element in content:
        yield element
        if element.VR == "SQ":
            for item in element.value:
                yield from walk_elements(item)
