"""How the time for a file grows with its size, for files that grow in many ways.

    python benchmarks/growth.py [--size N] [PART OF A NAME ...]

For each shape of ``tests/helpers/growing.py`` the time for a file of N, of 2 N and of 4 N elements. Where the
time is linear the last column is 4 or less, where it is quadratic 16.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "helpers"))

from growing import SHAPES, Shape

from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings


def seconds_for(shape: Shape, size: int, folder: Path, repeats: int = 2) -> tuple[float, str]:
    """The least processor time of a worker's first file, and how it ended."""
    source, target = folder / "in.dcm", folder / "out.dcm"
    source.write_bytes(shape.make(size))
    rules = shape.rules()
    taken = []
    for _ in range(repeats):
        target.unlink(missing_ok=True)
        worker = Worker(Settings(rules, verify=shape.verify, renames=shape.renames))
        started = time.process_time()
        outcome = worker.process(FileJob(str(source), str(target), "in.dcm"))
        taken.append(time.process_time() - started)
    return min(taken), f"{outcome.status.value} {outcome.reason}".strip()


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=2000)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in SHAPES.items():
            if arguments.names and not any(part in name for part in arguments.names):
                continue
            sizes = [arguments.size * times for times in (1, 2, 4)]
            found = [seconds_for(shape, size, Path(folder)) for size in sizes]
            times = "  ".join(f"{taken:8.3f}" for taken, _ in found)
            ratio = found[-1][0] / max(found[0][0], 1e-9)
            print(f"{name:45} {times}  x{ratio:5.1f}  {found[-1][1]}", flush=True)


if __name__ == "__main__":
    main()
