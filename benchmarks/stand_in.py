"""Run the command with workers that do nothing, and tell what the command itself took.

Runs as a script under the interpreter that the tool is installed for, with the arguments of the command:

    stand_in.py --inputDir DIR --outputDir DIR ...

The first file of each worker is processed, and its outcome stands for those of all others. What the main
process took is printed as JSON: processor seconds, and those of the clock.
"""

import json
import resource
import sys
import time
from dataclasses import replace

from pfdicom_tagSub.cli.command import main
from pfdicom_tagSub.core.outcome import FileOutcome
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker

_process = Worker.process
_first: list[FileOutcome] = []


def stand_in(worker: Worker, job: FileJob) -> FileOutcome:
    """The outcome of another file under this one's name."""
    if not _first:
        _first.append(_process(worker, job))
    return replace(_first[0], relative=job.relative)


if __name__ == "__main__":
    Worker.process = stand_in  # type: ignore[method-assign, assignment]
    started = time.perf_counter()
    code = main(sys.argv[1:])
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime
    print(json.dumps({"cpu": seconds, "wall": time.perf_counter() - started}), file=sys.stderr)
    sys.exit(code)
