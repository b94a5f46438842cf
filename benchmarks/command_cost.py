"""What the command itself takes for each file, apart from its workers: they do nothing (stand_in.py)."""

import json
import shutil
import statistics
from pathlib import Path

from measure import run
from peers import HERE
from report import Table
from sections import Bench, say
from targets import COMMAND_SECONDS, TOOL_2, Verdict

FEW = 1000


def measure_command(bench: Bench, files: int) -> Table | None:
    """The processor time of the main process, for each file beyond the first ones."""
    own = next((peer for peer in bench.peers if peer.name == TOOL_2), None)
    if own is None:
        return None
    seconds = {FEW: list[float](), files: list[float]()}
    for count in seconds:
        bench.make_tree("small", bench.work / f"command-{count}", str(count))
    for turn in range(bench.options.repeats + 1):
        for count, taken in seconds.items():
            bench.out.mkdir()
            tool, *arguments = own.command(bench.work / f"command-{count}", bench.out)
            python = Path(tool).parent / "python"
            run(
                [str(python), str(HERE / "stand_in.py"), *arguments], bench.log, timeout=bench.options.timeout
            )
            shutil.rmtree(bench.out)
            if turn:  # the first one warms up
                taken.append(json.loads(bench.last_message())["cpu"])
    for count in seconds:
        shutil.rmtree(bench.work / f"command-{count}")
    few, many = (statistics.median(taken) for taken in seconds.values())
    each = (many - few) / (files - FEW)
    say(f"command: {each * 1e6:.1f} microseconds a file")
    goal = "the command itself: at most 5 microseconds a file"
    bench.verdicts.append(
        Verdict("command", TOOL_2, "-", goal, f"{each * 1e6:.1f} microseconds", each <= COMMAND_SECONDS)
    )
    rows = [[str(count), f"{statistics.median(taken):.3f}"] for count, taken in seconds.items()]
    return Table("The command itself", "Workers that do nothing.", ["files", "processor seconds"], rows)
