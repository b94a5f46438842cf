"""What --verify costs: the tool with and without it, for the spec of the README and for the profile."""

import shutil
import statistics
from pathlib import Path

from measure import run, written_below
from report import MISSING, Table, megabytes, significant
from sections import Bench, Tree, fault_in, say
from targets import TOOL_0, VERIFY_TIMES, Verdict

KEY = b"a key of the benchmark's own"


def measure_verification(bench: Bench, trees: list[Tree]) -> Table | None:
    """The tool in line over each tree, plain and verifying, in turns."""
    own = next((peer for peer in bench.peers if peer.name == TOOL_0), None)
    if own is None:
        return None
    key = bench.work / "verify.key"
    key.write_bytes(KEY)
    rows = []
    for tree in trees:
        if tree.source is not None and not tree.source.is_dir():
            say(f"verify: {tree.name} skipped, {tree.source.name} is not in the corpus directory (--corpus)")
            continue
        say(f"verify: making {tree.name}")
        root = bench.work / f"verify-{tree.name}"
        bench.make_tree(tree.make[0], root, *tree.make[1:])
        for spec in ("spec", "profile"):
            command = own.command(root, bench.out)
            if spec == "profile":
                place = command.index("--tagFile")
                command[place : place + 2] = ["--profile", "basic", "--keyFile", str(key)]
            rows += compare(bench, tree.name, spec, root, command)
        shutil.rmtree(root)
    header = [
        "tree",
        "rules",
        "run",
        "seconds",
        "min-max",
        "ms per file",
        "times the plain run",
        "MB largest",
    ]
    return Table("Verification", f"{TOOL_0}, with and without --verify.", header, rows)


def compare(bench: Bench, tree: str, spec: str, root: Path, command: list[str]) -> list[list[str]]:
    """The rows of one tree and one set of rules."""
    expected = written_below(root)
    seconds: dict[str, list[float]] = {"plain": [], "--verify": []}
    largest = dict.fromkeys(seconds, 0)
    fault = ""
    for turn in range(bench.options.repeats + 1):
        for name, times in seconds.items():
            bench.out.mkdir()
            flags = [] if name == "plain" else [name]
            done = run([*command, *flags], bench.log, timeout=bench.options.timeout)
            fault = fault or fault_in(done, written_below(bench.out), expected)
            shutil.rmtree(bench.out)
            largest[name] = max(largest[name], done.largest)
            if turn:  # the first one warms up
                times.append(done.seconds)
    if fault:
        say(f"  {tree}, {spec}: {fault}: {bench.last_message()}")
        return [[tree, spec, name, "failed", *[MISSING] * 4] for name in seconds]
    plain, verified = (statistics.median(times) for times in seconds.values())
    say(f"  {tree}, {spec}: {plain:.2f} s, with --verify {verified:.2f} s")
    if (tree, spec) == ("flat", "spec"):
        goal = f"--verify: under {VERIFY_TIMES} times the plain run"
        measured = f"{significant(verified / plain)} times"
        bench.verdicts.append(
            Verdict(tree, TOOL_0, "itself", goal, measured, verified < VERIFY_TIMES * plain)
        )
    return [
        [
            tree,
            spec,
            name,
            f"{statistics.median(times):.3f}",
            f"{min(times):.3f}-{max(times):.3f}",
            significant(statistics.median(times) / expected.files * 1000),
            significant(statistics.median(times) / plain),
            megabytes(largest[name]),
        ]
        for name, times in seconds.items()
    ]
