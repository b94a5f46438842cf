"""Hundreds of thousands of files, and dozens of kills: what a year of nights does to a ledger, in minutes.

It takes long, so it runs only where it is asked for::

    PFDICOM_TAGSUB_SOAK=1 python -m pytest tests/test_soak.py -s

``PFDICOM_TAGSUB_SOAK_FILES`` says how many files (200,000 if it does not), and
``PFDICOM_TAGSUB_SOAK_KILLED_FILES`` how many of them the runs have that are killed (all). What was
measured is printed as one line of JSON; a run of it is in ``benchmarks/README.rst``.
"""

from __future__ import annotations

import filecmp
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from installed import COMMAND, PREFIX, checked_record, data_set, processes_of, save, wait_for
from pydicom.dataset import Dataset
from pydicom.uid import MRImageStorage

from pfdicom_tagSub.core.outcome import Stamp

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not os.environ.get("PFDICOM_TAGSUB_SOAK"),
        reason="takes many minutes; set PFDICOM_TAGSUB_SOAK=1 to run it (and _SOAK_FILES for fewer files)",
    ),
]

FILES = int(os.environ.get("PFDICOM_TAGSUB_SOAK_FILES", "200000"))
KILLED_FILES = int(os.environ.get("PFDICOM_TAGSUB_SOAK_KILLED_FILES", str(FILES)))
KILLS = 50
SEED = "nights"

PER_SERIES = 250
PER_PATIENT = 1000
PATIENT = b"P000000"
NAME = b"Abendroth^N000000"
STUDY = b"1.2.826.0.1.3680043.8.498.1000000001"
SERIES = b"1.2.826.0.1.3680043.8.498.2000000001"
INSTANCE = b"1.2.826.0.1.3680043.8.498.3000000001"
NUMBER = b"100001"

MOST_KB = 0.1
"""By how much each further file may raise the peak: all files are listed before the first is read."""

_PEAK = """
import json, resource, subprocess, sys
with open(sys.argv[1], "wb") as out, open(sys.argv[2], "wb") as said:
    code = subprocess.call(sys.argv[3:], stdout=out, stderr=said)
print(json.dumps([code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


def _template() -> bytes:
    """A small image; what differs from file to file has the same length in all."""
    creator = Dataset()
    creator.CodeValue, creator.CodingSchemeDesignator, creator.CodeMeaning = "T-D1100", "SRT", "Head"
    request = Dataset()
    request.RequestedProcedureID, request.ScheduledProcedureStepID = "REQ4711", "STEP0815"
    content = data_set(
        StudyInstanceUID=STUDY.decode(),
        SeriesInstanceUID=SERIES.decode(),
        SOPInstanceUID=INSTANCE.decode(),
        PatientID=PATIENT.decode(),
        PatientName=NAME.decode(),
        PatientBirthDate="19610417",
        PatientSex="F",
        PatientAge="058Y",
        StudyDate="20190823",
        SeriesDate="20190823",
        StudyTime="081512",
        AccessionNumber="ACC90210",
        ReferringPhysicianName="Quellmalz^Ottokar",
        InstitutionName="Spital Hinterzarten",
        StationName="STATION77",
        DeviceSerialNumber="SN-55-1234",
        SOPClassUID=MRImageStorage,
        Modality="MR",
        Manufacturer="Acme",
        StudyDescription="Kopf nativ",
        InstanceNumber=NUMBER.decode(),
        AnatomicRegionSequence=[creator],
        RequestAttributesSequence=[request],
        ImageType=["ORIGINAL", "PRIMARY"],
        Rows=32,
        Columns=32,
        BitsAllocated=8,
        BitsStored=8,
        HighBit=7,
        PixelRepresentation=0,
        SamplesPerPixel=1,
        PhotometricInterpretation="MONOCHROME2",
    )
    content.add_new(0x00290010, "LO", "ACME 1.1")
    content.add_new(0x00291001, "LO", "private note 4711")
    content.PixelData = random.Random(SEED).randbytes(32 * 32)
    content["PixelData"].VR = "OB"
    with tempfile.TemporaryDirectory() as folder:
        return save(Path(folder) / "x", content).read_bytes()


@dataclass(frozen=True)
class Soak:
    """A tree of many files, and where all else about it goes."""

    root: Path
    inputs: Path
    count: int

    def path(self, number: int) -> Path:
        """The path of an input; its number has more digits than a time, for which it could be taken."""
        patient, series = number // PER_PATIENT, number // PER_SERIES
        return self.inputs / f"{patient:04}" / f"{series:05}" / f"{number:07}.dcm"

    def fill(self) -> None:
        """Make the files."""
        whole = _template()
        for number in range(self.count):
            path = self.path(number)
            if number % PER_SERIES == 0:
                path.parent.mkdir(parents=True)
            patient, series = number // PER_PATIENT, number // PER_SERIES
            content = whole
            for old, new in (
                (PATIENT, b"P%06d" % patient),
                (NAME, b"Abendroth^N%06d" % patient),
                (STUDY, STUDY[:-9] + b"%09d" % (series // 2)),
                (SERIES, SERIES[:-9] + b"%09d" % series),
                (INSTANCE, INSTANCE[:-9] + b"%09d" % number),
                (NUMBER, b"%06d" % (100_000 + number % 900_000)),
            ):
                content = content.replace(old, new)
            path.write_bytes(content)

    def words(self, name: str) -> list[str]:
        """The command; all that it writes has the name in it."""
        return [
            *(COMMAND, "--inputDir", str(self.inputs), "--outputDir", str(self.outputs(name))),
            *("--profile", "basic", "--keyFile", str(self.root / "key"), "--threads", "2", "--verify"),
            *("--ledger", str(self.ledger(name)), "--log", str(self.log(name)), "--json"),
        ]

    def outputs(self, name: str) -> Path:
        """The output tree."""
        return self.root / f"{name}-out"

    def ledger(self, name: str) -> Path:
        """The ledger."""
        return self.root / f"{name}.sqlite"

    def log(self, name: str) -> Path:
        """The log."""
        return self.root / f"{name}.log"

    def run(self, name: str) -> Run:
        """Run the command to its end."""
        record, said = self.root / f"{name}.json", self.root / f"{name}.err"
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(record), str(said), *self.words(name)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            check=True,
        )
        seconds = time.monotonic() - started
        code, peak = json.loads(done.stdout)
        assert code == 0, said.read_text("utf-8", "replace")[-2000:]
        return Run(seconds, peak / 1000, checked_record(record.read_text("ascii")))


@dataclass(frozen=True)
class Run:
    """A run that came to its end: seconds, the peak memory (MB) of its largest process, its record."""

    seconds: float
    peak: float
    record: dict[str, Any]

    @property
    def counts(self) -> dict[str, int]:
        """The counts that are not 0."""
        return {name: count for name, count in self.record["counts"].items() if count}


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    """A folder in memory where there is one, and no trace of it afterwards."""
    place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="pfdicom_tagSub-soak-", dir=place) as folder:
        (Path(folder) / "key").write_bytes(b"the soak test's own key")
        (Path(folder) / "key").chmod(0o600)
        yield Path(folder)


@pytest.fixture(scope="module")
def tree(root: Path) -> Soak:
    soak = Soak(root, root / "in", FILES)
    soak.fill()
    return soak


@pytest.fixture(scope="module")
def undisturbed(tree: Soak) -> Run:
    return tree.run("undisturbed")


figures: dict[str, object] = {"files": FILES}
"""What was measured."""


@pytest.fixture(scope="module", autouse=True)
def shown() -> Iterator[None]:
    """Print the figures at the end."""
    yield
    print(f"\nsoak: {json.dumps(figures)}")


def _relatives(root: Path) -> Iterator[str]:
    for folder, _, names in os.walk(root):
        prefix = os.path.relpath(folder, root) + "/"
        for name in names:
            yield prefix + name


def _rows(ledger: Path) -> list[tuple[str, Stamp, Stamp]]:
    """The files that a ledger believes in: path, input, output."""
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute(
            "SELECT path, name, size, mtime_ns, output_size, output_mtime_ns, output "
            "FROM files JOIN directories ON directory = id"
        ).fetchall()
    assert all(row[-1] is None for row in rows)  # each has the input's own path
    return [
        (f"{os.fsdecode(row[0])}/{os.fsdecode(row[1])}", Stamp(*row[2:4]), Stamp(*row[4:6])) for row in rows
    ]


def _check_ledger(ledger: Path, inputs: Path, outputs: Path) -> list[str]:
    """Every row is of the files as they are; which these are."""
    rows = _rows(ledger)
    for relative, source, output in rows:
        assert Stamp.of(os.lstat(inputs / relative)) == source
        assert Stamp.of(os.lstat(outputs / relative)) == output
    return sorted(relative for relative, _, _ in rows)


def test_soak_adds_up(tree: Soak, undisturbed: Run) -> None:
    """What the record, the log, the ledger and the disk say of the files is the same."""
    assert undisturbed.counts == {"found": FILES, "written": FILES}
    record = undisturbed.record
    assert (record["status"], record["residuals"], record["failures"]) == ("ok", [], [])
    assert record["pixelReview"] == []  # each file that is named there takes memory
    expected = sorted(_relatives(tree.inputs))
    assert len(expected) == FILES
    assert sorted(_relatives(tree.outputs("undisturbed"))) == expected
    assert _check_ledger(tree.ledger("undisturbed"), tree.inputs, tree.outputs("undisturbed")) == expected
    actions: Counter[str] = Counter()
    logged = []
    with tree.log("undisturbed").open("rb") as lines:
        for text in lines:
            line = json.loads(text)
            assert (line["outcome"], line["residuals"]) == ("written", [])
            logged.append(line["path"])
            actions.update(line["actions"])
    assert sorted(logged) == expected
    rows = record["elements"].values()
    assert actions == {action: sum(row[action] for row in rows) for action in actions}
    figures["undisturbed"] = {"seconds": round(undisturbed.seconds, 1), "peak_mb": round(undisturbed.peak)}


def test_soak_second_night_finds_all_current(tree: Soak, undisturbed: Run) -> None:
    again = tree.run("undisturbed")
    assert again.counts == {"found": FILES, "current": FILES}
    figures["second_night"] = {"seconds": round(again.seconds, 1), "peak_mb": round(again.peak)}


def test_soak_takes_little_memory_for_ten_times_the_files(root: Path, tree: Soak, undisturbed: Run) -> None:
    tenth = Soak(root, root / "tenth-in", FILES // 10)
    tenth.fill()
    run = tenth.run("tenth")
    assert run.counts == {"found": tenth.count, "written": tenth.count}
    growth = (undisturbed.peak - run.peak) * 1000 / (FILES - tenth.count)
    figures["tenth"] = {
        "files": tenth.count,
        "seconds": round(run.seconds, 1),
        "peak_mb": round(run.peak),
        "kb_per_further_file": round(growth, 3),
    }
    for name in ("tenth-in", "tenth-out"):
        shutil.rmtree(root / name)
    assert growth <= MOST_KB


# --- kills


@dataclass
class Nights:
    """Runs over one tree that are killed, and what their ledger has been found to say.

    Attributes:
        soak: the tree.
        expected: what an undisturbed run makes of it.
        believed: the rows that were held against the expected outputs.
        is_done: whether a run came to its end, so that the others have nothing left to write.
    """

    soak: Soak
    expected: Path
    believed: dict[str, Stamp] = field(default_factory=dict)
    is_done: bool = False

    def killed(self, moments: random.Random, pace: float) -> bool:
        """Begin a run, and kill it and all of its workers at a random moment.

        Args:
            moments: says when: one time in five while it starts and looks up what is done, else while it
                writes.
            pace: how many seconds it may write, on average.

        Returns:
            Whether it was killed before it had done all.
        """
        log = self.soak.log("killed")
        log.unlink(missing_ok=True)
        process = subprocess.Popen(
            self.soak.words("killed"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        if self.is_done or moments.random() < 0.2:
            time.sleep(moments.uniform(0, 2))
        else:
            seen = _Tail(log)
            wait_for(lambda: seen.has_written() or process.poll() is not None, 600)
            time.sleep(moments.uniform(0, 2 * pace))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        _, said = process.communicate()
        assert wait_for(lambda: not processes_of(process.pid))
        assert process.returncode in {0, -signal.SIGKILL}, said
        self.is_done |= process.returncode == 0
        return process.returncode != 0

    def check(self) -> int:
        """What the ledger and the log say is true; how many rows there are.

        The ledger is looked at in a copy, so that it is the next run that rolls back what was begun.
        """
        ledger, log, outputs = (
            where("killed") for where in (self.soak.ledger, self.soak.log, self.soak.outputs)
        )
        if log.exists():
            *whole, _ = log.read_bytes().split(b"\n")
            for text in whole:
                line = json.loads(text)
                assert line["outcome"] in {"written", "unchanged", "current"}, line
                assert (outputs / line["path"]).exists()
        copy = self.soak.root / "copy" / ledger.name
        shutil.rmtree(copy.parent, ignore_errors=True)
        copy.parent.mkdir()
        for name in (ledger.name, f"{ledger.name}-journal"):
            with suppress(FileNotFoundError):
                shutil.copy(ledger.with_name(name), copy.with_name(name))
        if not copy.exists() or not copy.stat().st_size:
            return 0
        try:
            rows = _rows(copy)
        except sqlite3.OperationalError:  # killed before the tables were made
            return 0
        for relative, _, output in rows:
            assert Stamp.of(os.lstat(outputs / relative)) == output
            if self.believed.get(relative) != output:
                assert filecmp.cmp(outputs / relative, self.expected / relative, shallow=False)
                self.believed[relative] = output
        assert len(rows) >= len(self.believed), "the ledger lost what was committed"
        return len(rows)


class _Tail:
    """A log that is watched for the first file that was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = 0

    def has_written(self) -> bool:
        try:
            with self.path.open("rb") as file:
                file.seek(self.place)
                text = file.read()
        except FileNotFoundError:
            return False
        self.place += max(0, len(text) - 64)
        return b'"outcome":"written"' in text


def test_soak_survives_fifty_kills(root: Path, tree: Soak, undisturbed: Run) -> None:
    """Afterwards the outputs are those of the undisturbed run, byte by byte, and nothing else is there."""
    soak = tree
    if KILLED_FILES < FILES:
        soak = Soak(root, root / "fewer", KILLED_FILES)
        for number in range(KILLED_FILES):
            path = soak.path(number)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.hardlink_to(tree.path(number))
    nights = Nights(soak, tree.outputs("undisturbed"))
    moments = random.Random(SEED)
    pace = undisturbed.seconds * KILLED_FILES / FILES / KILLS * 0.5
    killed, left, rows = 0, 0, set()
    started = time.monotonic()
    writing = 0
    for _ in range(2 * KILLS):
        if killed == KILLS:
            break
        writing += not nights.is_done
        killed += nights.killed(moments, pace)
        left += sum(
            relative.rpartition("/")[2].startswith(PREFIX) for relative in _relatives(soak.outputs("killed"))
        )
        rows.add(nights.check())
    soak.log("killed").unlink()
    last = soak.run("killed")
    figures["kills"] = {
        "files": KILLED_FILES,
        "kills": killed,
        "kills_before_all_was_done": writing,
        "seconds": round(time.monotonic() - started, 1),
        "temporary_files_seen": left,
        "different_numbers_of_rows": len(rows),
        "last_run": last.counts,
    }
    assert killed == KILLS
    assert writing > KILLS // 2
    assert len(rows) > 3, "the kills came at few moments"
    assert last.counts.pop("found") == KILLED_FILES
    assert last.counts.keys() <= {"found", "written", "unchanged", "current"}
    expected = sorted(_relatives(soak.inputs))
    assert sorted(_relatives(soak.outputs("killed"))) == expected  # and so no temporary file
    for relative in expected:
        assert filecmp.cmp(soak.outputs("killed") / relative, nights.expected / relative, shallow=False)
    assert _check_ledger(soak.ledger("killed"), soak.inputs, soak.outputs("killed")) == expected
