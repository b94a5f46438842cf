"""A crosswalk of ten million rows, written to its end, in memory that is flat.

Runs where ``CROSSWALK_ROWS`` says how many rows (10000000); what was measured is printed as
one line of JSON, and a run of it is in ``benchmarks/README.rst``. It takes about a gigabyte below ``TMPDIR``.
"""

from __future__ import annotations

import csv
import json
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROWS = int(os.environ.get("CROSSWALK_ROWS", "0"))

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ROWS, reason="CROSSWALK_ROWS says how many rows to write"),
]

FEW = 100_000
MOST_MEGABYTES = 80
"""So many may be held, however many rows there are; as a list ten million take more than two thousand."""

MAKE = """
import json, re, sys, time
from pfdicom_tagSub.report.crosswalk import Crosswalk

path, rows, offset = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
started = time.process_time()
crosswalk = Crosswalk(path)
for number in range(offset, offset + rows):
    scrambled = number * 2654435761 % 2**32
    crosswalk.add((("SOPInstanceUID", f"1.2.840.{scrambled}.{number}", f"2.25.{number * 7919}"),))
assert crosswalk.commit(), crosswalk.problem
collisions = crosswalk.collisions()
crosswalk.close()
peak = int(re.search(r"VmHWM:\\s+([0-9]+)", open("/proc/self/status").read())[1]) // 1024
print(json.dumps({"cpu": round(time.process_time() - started, 1), "megabytes": peak, "found": collisions}))
"""


def made(path: Path, rows: int, offset: int = 0) -> dict[str, float]:
    """What writing that many rows took."""
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(path), str(rows), str(offset)],
        check=True,
        capture_output=True,
        text=True,
    )
    return {**json.loads(done.stdout), "seconds": round(time.perf_counter() - started, 1)}


def read(path: Path) -> tuple[int, bool]:
    """How many rows a crosswalk has, and whether they are sorted and each there once."""
    count, last, is_sorted = 0, ("", "", ""), True
    if path.suffix == ".sqlite":
        connection = sqlite3.connect(path)
        rows = iter(connection.execute("SELECT attribute, original, new FROM crosswalk"))
    else:
        rows = csv.reader(path.open(newline=""))
        next(rows)
    for row in rows:
        found = (row[0], row[1], row[2])
        is_sorted &= found > last
        last = found
        count += 1
    return count, is_sorted


@pytest.mark.parametrize("suffix", ["csv", "sqlite"])
def test_soak_crosswalk_of_many_rows_takes_the_memory_of_few(suffix: str, tmp_path: Path) -> None:
    few = made(tmp_path / f"few.{suffix}", FEW)
    path = tmp_path / f"many.{suffix}"
    many = made(path, ROWS)
    again = made(path, FEW, ROWS - FEW // 2)  # a later run adds to it, half of it known
    count, is_sorted = read(path)
    figures = {"rows": ROWS, "few": few, "many": many, "again": again, "bytes": path.stat().st_size}
    print(json.dumps({suffix: figures}))
    assert (count, is_sorted) == (ROWS + FEW // 2, True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert not many["found"]
    for measured in (many, again):
        assert measured["megabytes"] <= MOST_MEGABYTES
