"""The measurements: a tree run over by all, memory, start-up. Each gives a table and verdicts."""

import argparse
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from measure import TIMED_OUT, Run, Written, run, written_below
from peers import HERE, Peer
from report import MISSING, Table, megabytes, significant
from targets import (
    BIG_MEMORY,
    LEDGER_SECONDS_PER_10000,
    MEMORY_GROWTH,
    STARTUP_SECONDS,
    TARGETS,
    TOOL_0,
    TOOL_2,
    Verdict,
)


@dataclass(frozen=True)
class Tree:
    """A tree to make and run over.

    `make` are the arguments of trees.py after the directory; `slow_files` is how many of its files, in
    order, the slow peers get, 0 for all.
    """

    name: str
    title: str
    make: tuple[str, ...]
    slow_files: int = 0
    source: Path | None = None


@dataclass
class Measured:
    """What one peer did with one tree."""

    peer: Peer
    files: int
    seconds: list[float] = field(default_factory=list)
    largest: int = 0
    total: int | None = None
    written: int = 0
    replaced: str = MISSING
    fault: str = ""

    @property
    def per_file(self) -> float | None:
        """Median seconds of the whole command for each file, if every run wrote every file."""
        return statistics.median(self.seconds) / self.files if self.seconds and not self.fault else None


@dataclass
class Startup:
    """One way to start a command, what it should come to, and what it took."""

    name: str
    case: str
    command: list[str]
    exit_code: int
    files: int
    seconds: list[float] = field(default_factory=list)
    fault: str = ""


@dataclass
class Bench:
    """Everything that the sections share.

    `own` are the tool's rows among the peers, with no workers and with two. `prefix` tells the sections of
    one set of peers from those of another.
    """

    options: argparse.Namespace
    work: Path
    peers: list[Peer]
    trees_python: Path
    verdicts: list[Verdict] = field(default_factory=list)
    own: tuple[str, str] = (TOOL_0, TOOL_2)
    prefix: str = ""
    startup_seconds: float = STARTUP_SECONDS

    def make_tree(self, *arguments: str | Path) -> str:
        """Call trees.py; what it prints."""
        command = [self.trees_python, "-I", HERE / "trees.py", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout

    def warm_memory(self, size: int) -> None:
        """Touch `size` bytes of the machine's memory.

        A virtual machine's pages are slow at their first use, many times as slow as later; without this the
        first commands would pay for it.
        """
        chunk = bytes(1 << 20)
        with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=self.work) as file:  # as far as it goes
            for _ in range(size // len(chunk) + 1):
                file.write(chunk)

    @property
    def out(self) -> Path:
        """Where the command that is running writes: made before each run and removed after."""
        return self.work / "out"

    @property
    def log(self) -> Path:
        """What the last command said."""
        return self.work / "messages.log"

    def run_fresh(self, peer: Peer, source: Path, *, sample: bool) -> Run:
        """Run `peer` over `source` with a new, empty output directory, which the caller removes."""
        self.out.mkdir()
        return run(peer.command(source, self.out), self.log, sample=sample, timeout=self.options.timeout)

    def last_message(self) -> str:
        """The last thing that the last command said."""
        lines = self.log.read_text("utf-8", "replace").split("\n")
        return next((line.strip()[-200:] for line in reversed(lines) if line.strip()), "")


def say(message: str) -> None:
    """Tell how far the benchmark is."""
    print(message, file=sys.stderr, flush=True)


def fault_in(done: Run, found: Written, expected: Written) -> str:
    """Why a run is not a time, or nothing. An honest output may be small: dcmanon drops private elements."""
    if done.exit_code == TIMED_OUT:
        return "timed out"
    if done.exit_code:
        return f"exit code {done.exit_code}"
    if found.files != expected.files or found.size < expected.size / 4:
        return f"wrote {found.files} of {expected.files} files, {found.size} of {expected.size} bytes"
    return ""


def linked_part(whole: Path, part: Path, count: int) -> Path:
    """A tree of hard links to the first `count` files of `whole`, or `whole` if it has no more."""
    files = sorted(path for path in whole.rglob("*") if path.is_file())
    if not count or count >= len(files):
        return whole
    for path in files[:count]:
        place = part / path.relative_to(whole)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, place)
    return part


def measure_tree(bench: Bench, tree: Tree) -> Table | None:
    """Run every peer over `tree`, in turns."""
    if tree.source is not None and not tree.source.is_dir():
        missing = f"{tree.source.name} is not in the corpus directory (--corpus)"
        say(f"{bench.prefix}{tree.name}: skipped, {missing}")
        return None
    say(f"{bench.prefix}{tree.name}: making the tree")
    root = bench.work / tree.name
    bench.make_tree(tree.make[0], root, *tree.make[1:])
    part = linked_part(root, bench.work / f"{tree.name}-part", tree.slow_files)
    sizes = {source: written_below(source) for source in {root, part}}
    bench.warm_memory(2 * sizes[root].size)
    measured = [Measured(peer, sizes[part if peer.slow else root].files) for peer in bench.peers]
    for turn in range(bench.options.repeats + 1):
        first = turn % max(1, len(measured))  # another goes first each time
        for result in measured[first:] + measured[:first]:
            source = part if result.peer.slow else root
            # The first turn warms up, is sampled for memory and looked into, and is not timed.
            run_once(bench, result, source, sizes[source], untimed=turn == 0)
    for directory in {root, part}:
        shutil.rmtree(directory)
    judge_tree(bench, tree.name, measured)
    return tree_table(bench, tree, sizes[root], measured)


def run_once(bench: Bench, result: Measured, source: Path, expected: Written, *, untimed: bool) -> None:
    """One run of one peer, added to its `result`; nothing more after a fault."""
    if result.fault:
        return
    done = bench.run_fresh(result.peer, source, sample=untimed)
    try:
        found = written_below(bench.out)
        result.written = found.files
        result.largest = max(result.largest, done.largest)
        if result.peer.writes or done.exit_code:
            result.fault = fault_in(done, found, expected)
        if result.fault:
            say(f"  {result.peer.name}: {result.fault}: {bench.last_message()}")
        elif untimed:
            result.total = done.total
            result.replaced = replaced(bench, source) if result.peer.writes else MISSING
            if result.peer.replaces and result.peer.writes and result.replaced != "yes":
                result.fault = "original names or IDs in the output"
        else:
            result.seconds.append(done.seconds)
            say(f"  {result.peer.name}: {done.seconds:.2f} s for {result.files} files")
    finally:
        shutil.rmtree(bench.out)


def replaced(bench: Bench, source: Path) -> str:
    """Whether a sample of the outputs is free of the names and IDs in a sample of the inputs."""
    before, after = (set(json.loads(bench.make_tree("identities", root))) for root in (source, bench.out))
    return "yes" if not before & after else "no"


def ratio(measured: Sequence[Measured], row: str, peer: str) -> float | None:
    """How many times as fast `row` is as `peer`, both for each file."""
    speeds = {result.peer.name: result.per_file for result in measured}
    own, other = speeds.get(row), speeds.get(peer)
    return other / own if own and other else None


def judge_tree(bench: Bench, name: str, measured: Sequence[Measured]) -> None:
    """Note the targets for one tree, where the tool was run at all."""
    own = {result.peer.name: result for result in measured if result.peer.name in bench.own}
    rows = {result.peer.name for result in measured}
    section = bench.prefix + name
    for target in TARGETS:
        if target.tree != section or target.row not in rows:
            continue
        figure = ratio(measured, target.row, target.peer)
        text, reached = MISSING, None
        if figure is not None:
            slower = target.ratio < 1
            text = f"{significant(1 / figure if slower else figure)} times"
            reached = target.reached(figure)
        bench.verdicts.append(Verdict(section, target.row, target.peer, target.text, text, reached))
    for row, result in own.items():
        if name == "big":
            text = f"{megabytes(result.largest)} MB"
            reached = result.largest < BIG_MEMORY if not result.fault else None
            bench.verdicts.append(Verdict(section, row, MISSING, "peak memory under 150 MB", text, reached))


def tree_table(bench: Bench, tree: Tree, size: Written, measured: Sequence[Measured]) -> Table:
    """The table of one tree."""
    rows = []
    for result in measured:
        name = result.peer.name
        row = [name, str(result.files)]
        if result.per_file is None:
            row += ["failed" if result.fault else MISSING, MISSING, MISSING, MISSING]
        else:
            seconds = statistics.median(result.seconds)
            row += [f"{seconds:.3f}", f"{min(result.seconds):.3f}-{max(result.seconds):.3f}"]
            row += [significant(result.per_file * 1000), significant(1 / result.per_file)]
        row += [significant(ratio(measured, own, name)) for own in bench.own]
        row += [megabytes(result.largest), megabytes(result.total)]
        row += [f"{result.written} of {result.files}", result.replaced]
        rows.append(row)
    note = f"{tree.title}: {size.files} files, {size.size / max(1, size.files) / 1000:.1f} kB each."
    faults = [f"{result.peer.name}: {result.fault}." for result in measured if result.fault]
    header = ["command", "files run", "seconds", "min-max", "ms per file", "files per s"]
    header += ["tool 0 is x times", "tool 2 is x times", "MB largest", "MB sum", "written", "replaced"]
    return Table(f"Tree {bench.prefix}{tree.name}", "\n".join([note, *faults]), header, rows)


def measure_memory(bench: Bench) -> Table | None:
    """Peak memory of the tool over few and over many small files."""
    own = [peer for peer in bench.peers if peer.name in bench.own]
    if not own:
        return None
    counts = (100, 2_000) if bench.options.quick else (1_000, 100_000)
    peaks: dict[tuple[str, int], Run] = {}
    rows = []
    for count in counts:
        say(f"{bench.prefix}memory: {count} small files")
        root = bench.work / "small"
        bench.make_tree("small", root, str(count))
        expected = written_below(root)
        for peer in own:
            done = bench.run_fresh(peer, root, sample=True)
            found = written_below(bench.out)
            shutil.rmtree(bench.out)
            fault = fault_in(done, found, expected)
            if fault:
                say(f"  {peer.name}: {fault}: {bench.last_message()}")
            else:
                peaks[peer.name, count] = done
            row = [peer.name, str(count), f"{found.files} of {count}", f"{done.seconds:.2f}"]
            rows.append([*row, megabytes(done.largest), megabytes(done.total)])
        shutil.rmtree(root)
    for peer in own:
        few, many = (peaks.get((peer.name, count)) for count in counts)
        text, reached = MISSING, None
        if few and many and few.total and many.total:
            grown = max(many.largest / few.largest, many.total / few.total)
            text, reached = f"{significant(grown)} times", grown <= MEMORY_GROWTH
        goal = f"{counts[1]} files: at most {MEMORY_GROWTH} times the memory"
        section = f"{bench.prefix}memory"
        bench.verdicts.append(Verdict(section, peer.name, f"{counts[0]} files", goal, text, reached))
    header = ["command", "files", "written", "seconds (sampled)", "MB largest", "MB sum"]
    title = f"{bench.prefix}memory and the number of files"
    return Table(title[0].upper() + title[1:], "Small files, about 3 kB each.", header, rows)


def measure_ledger(bench: Bench) -> Table | None:
    """A first run with a ledger over many small files, a second one that has nothing to do, one without."""
    own = [peer for peer in bench.peers if peer.name in (TOOL_0, TOOL_2)]
    if not own:
        return None
    count = 2_000 if bench.options.quick else 100_000
    say(f"ledger: {count} small files")
    root, ledger, log = (bench.work / name for name in ("small", "ledger.sqlite", "files.log"))
    bench.make_tree("small", root, str(count))
    expected = written_below(root)
    bench.warm_memory(2 * expected.size)
    rows = []
    for peer in own:
        kept: list[tuple[str, list[str]]] = [
            ("no ledger", []),
            ("first", ["--ledger", str(ledger)]),
            ("second", ["--ledger", str(ledger)]),
            ("third, with a log", ["--ledger", str(ledger), "--log", str(log)]),
        ]
        for name, flags in kept:
            if name in {"no ledger", "first"}:
                shutil.rmtree(bench.out, ignore_errors=True)
                bench.out.mkdir()
            command = [*peer.command(root, bench.out), *flags]
            done = run(command, bench.log, timeout=bench.options.timeout)
            fault = fault_in(done, written_below(bench.out), expected)
            seconds = done.seconds / count * 10_000
            rows.append(
                [peer.name, name, f"{done.seconds:.2f}", significant(seconds), fault or "as expected"]
            )
            rows[-1].insert(4, megabytes(done.largest))
            if name == "second":
                text = f"second run: under {LEDGER_SECONDS_PER_10000:g} s per 10,000 files"
                reached = seconds < LEDGER_SECONDS_PER_10000 and not fault
                verdict = Verdict("ledger", peer.name, MISSING, text, f"{significant(seconds)} s", reached)
                bench.verdicts.append(verdict)
        size = ledger.stat().st_size if ledger.exists() else 0
        say(f"  {peer.name}: the ledger has {size / count:.0f} bytes a file")
        for path in (ledger, log):
            path.unlink(missing_ok=True)
        shutil.rmtree(bench.out)
    shutil.rmtree(root)
    header = ["command", "run", "seconds", "s per 10,000 files", "MB largest", "exit code and output"]
    return Table("Ledger", f"{count} small files, about 3 kB each; the whole command.", header, rows)


def startup_cases(bench: Bench) -> list[Startup]:
    """What is started: the tool three ways, the others on one file."""
    root = bench.work / f"{bench.prefix}one"
    bench.make_tree("small", root, "1")
    misspelt = bench.work / "misspelt.json"
    misspelt.write_text(json.dumps({"PatientNmae": "x"}), "utf-8")
    cases = []
    for peer in bench.peers:
        command = peer.command(root, bench.out)
        if peer.name == TOOL_0:
            wrong = list(command)
            wrong[wrong.index("--tagFile") + 1] = str(misspelt)
            cases.append(Startup(peer.name, "--version", [command[0], "--version"], 0, 0))
            cases.append(Startup(peer.name, "spec error", wrong, 2, 0))
        cases.append(Startup(peer.name, "one small file", command, 0, 1))
    return cases


def measure_startup(bench: Bench) -> Table:
    """What the commands take before they do anything, in turns."""
    say(f"{bench.prefix}startup")
    cases = startup_cases(bench)
    for turn in range((3 if bench.options.quick else 10) + 1):
        for case in cases:
            bench.out.mkdir()
            done = run(case.command, bench.log, timeout=bench.options.timeout)
            files = written_below(bench.out).files
            shutil.rmtree(bench.out)
            if (done.exit_code, files) != (case.exit_code, case.files):
                case.fault = f"exit code {done.exit_code}, {files} files"
            if turn:  # the first one warms up
                case.seconds.append(done.seconds)
    rows = []
    for case in cases:
        median = statistics.median(case.seconds)
        spread = f"{min(case.seconds):.3f}-{max(case.seconds):.3f}"
        rows.append([case.name, case.case, f"{median:.3f}", spread, case.fault or "as expected"])
        if case.name in bench.own:
            text = f"{case.case}: under {bench.startup_seconds} s"
            reached = median < bench.startup_seconds and not case.fault
            section = f"{bench.prefix}startup"
            bench.verdicts.append(Verdict(section, case.name, MISSING, text, f"{median:.3f} s", reached))
    header = ["command", "case", "seconds", "min-max", "exit code and output"]
    title = f"{bench.prefix}start-up"
    return Table(title[0].upper() + title[1:], "The whole command, warm.", header, rows)
