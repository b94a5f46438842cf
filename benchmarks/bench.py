#!/usr/bin/env python3
"""Measure pfdicom_tagSub beside its peers: rates, ratios, start-up and peak memory.

See README.rst beside this file for what is measured and how. Needs Python 3.11 on Linux, and pip's
access to PyPI at the first run. Progress goes to stderr, the tables to stdout.
"""

import argparse
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import peers
from command_cost import measure_command
from environments import SetupError, environment
from peers import Peer
from report import Table, as_rst, as_text, machine
from sections import Bench, Tree, measure_ledger, measure_memory, measure_startup, measure_tree, say
from targets import BASIC_0, BASIC_2, PROFILE_STARTUP_SECONDS
from verification import measure_verification

PROFILE_PREFIX = "profile-"
NIGHTLY_PREFIX = "nightly-"
PLAIN = ("flat", "private", "epi", "xa30", "big", "memory", "startup")
TRUST = ("ledger", "verify", "command")
CAREFUL = tuple(NIGHTLY_PREFIX + name for name in ("flat", "private", "epi", "xa30"))
SECTIONS = (*PLAIN, *(PROFILE_PREFIX + name for name in PLAIN), *CAREFUL, *TRUST)
"""With a prefix: each command does its own full de-identification, the tool that of its profile; or the tool
does what a careful user asks of it, beside peers that prove nothing."""


@dataclass(frozen=True)
class Sizes:
    """How large the trees are, and how many files of each the slow peers get."""

    flat_files: int
    private_files: int
    epi_copies: int
    xa30_copies: int
    frames: int
    flat_part: int
    epi_part: int
    xa30_part: int


QUICK = Sizes(400, 200, 1, 4, 400, 100, 60, 11)
WHOLE = Sizes(6000, 1600, 10, 100, 3900, 1400, 1216, 110)
# Full de-identification takes the peers longer, and each command is measured for the second time.
PROFILE = Sizes(2000, 800, 10, 50, 3900, 300, 304, 33)


def trees(options: argparse.Namespace, sizes: Sizes) -> list[Tree]:
    """The trees of a run."""
    corpus = options.corpus
    epi, xa30 = corpus / "ge-siemens-epi", corpus / "siemens-xa30"
    return [
        Tree("flat", "MR series made for this", ("flat", str(sizes.flat_files)), sizes.flat_part),
        Tree(
            "private",
            "MR series with long private headers",
            ("private", str(sizes.private_files)),
            sizes.flat_part,
        ),
        Tree("epi", "ge-siemens-epi", ("copies", str(epi), str(sizes.epi_copies)), sizes.epi_part, epi),
        Tree("xa30", "siemens-xa30", ("copies", str(xa30), str(sizes.xa30_copies)), sizes.xa30_part, xa30),
        Tree("big", "One multi-frame file", ("big", str(sizes.frames))),
    ]


Maker = Callable[[], Peer | list[Peer]]


def plain_makers(options: argparse.Namespace, work: Path) -> list[Maker]:
    """What makes the peers that replace the same elements, the tool first."""
    cache: Path = options.cache
    return [
        lambda: peers.tools(cache, work, options.tool),
        lambda: peers.old_tool(cache),
        lambda: peers.dicognito(cache),
        lambda: peers.dicom_anonymizer(cache, work),
        lambda: peers.dcmanon(cache, work),
        lambda: peers.fw_file_rs(cache, work),
        peers.gdcmanon,
        peers.copying,
    ]


def profile_makers(options: argparse.Namespace, work: Path) -> list[Maker]:
    """What makes the peers that de-identify in full, the tool first."""
    cache: Path = options.cache
    return [
        lambda: peers.profile_tools(cache, work, options.tool),
        lambda: peers.dicognito(cache),
        lambda: peers.dicom_anonymizer_profile(cache, work),
    ]


def careful_makers(options: argparse.Namespace, work: Path) -> list[Maker]:
    """What makes the tool's careful runs, and the peers beside them."""
    cache: Path = options.cache
    return [
        lambda: peers.careful_tools(cache, work, options.tool),
        lambda: peers.dicognito(cache),
        lambda: peers.dicom_anonymizer_profile(cache, work),
        lambda: peers.fw_file_rs(cache, work),
        peers.gdcmanon,
    ]


def available(makers: list[Maker]) -> list[Peer]:
    """The peers that can be had; why another can't be goes to stderr."""
    found: list[Peer] = []
    for maker in makers:
        try:
            made = maker()
        except SetupError as error:
            say(f"left out: {error}")
        else:
            found += made if isinstance(made, list) else [made]
    return found


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    cache_home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    shm = Path("/dev/shm")  # noqa: S108 - only ever below a directory of its own, made by tempfile
    repository = peers.HERE.parent
    parser = argparse.ArgumentParser(description="Measure pfdicom_tagSub beside its peers.")
    parser.add_argument("--quick", action="store_true", help="a small part of everything, in two minutes")
    parser.add_argument(
        "--only", default=",".join(SECTIONS), help="of %(default)s, some; `profile` is all of its"
    )
    parser.add_argument("--repeats", type=int, help="timed runs of each command (default 5; 1 with --quick)")
    parser.add_argument("--tool", type=Path, help="an installed pfdicom_tagSub, instead of this repository")
    parser.add_argument("--corpus", type=Path, default=repository.parent / "shared" / "corpus")
    parser.add_argument("--cache", type=Path, default=cache_home / "pfdicom_tagSub-bench")
    parser.add_argument("--work", type=Path, default=shm if shm.is_dir() else Path(tempfile.gettempdir()))
    parser.add_argument("--keep", action="store_true", help="leave the work directory")
    parser.add_argument("--rst", type=Path, help="write the tables as reStructuredText too")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds for one command")
    options = parser.parse_args(arguments)
    given = options.only.split(",")
    unknown = set(given) - {*SECTIONS, PROFILE_PREFIX[:-1], NIGHTLY_PREFIX[:-1]}
    options.only = [name for name in SECTIONS if name in given or name.partition("-")[0] in given]
    if unknown:
        parser.error(f"--only: no such section: {', '.join(sorted(unknown))}")
    if options.repeats is None:
        options.repeats = 1 if options.quick else 5
    if options.repeats < 1:
        parser.error("--repeats: at least 1")
    options.cache = options.cache.resolve()
    return options


def measure_sections(bench: Bench, sections: Sequence[str], sizes: Sizes) -> list[Table | None]:
    """Run the sections with one set of peers."""
    tables = [measure_tree(bench, tree) for tree in trees(bench.options, sizes) if tree.name in sections]
    if "memory" in sections:
        tables.append(measure_memory(bench))
    if "startup" in sections:
        tables.append(measure_startup(bench))
    return tables


def measure_all(options: argparse.Namespace, work: Path) -> list[Table]:
    """Set up, run the sections that were asked for, and tell the results."""
    plain = [name for name in options.only if name in PLAIN]
    trust = [name for name in options.only if name in TRUST]
    full = [name.removeprefix(PROFILE_PREFIX) for name in options.only if name.startswith(PROFILE_PREFIX)]
    careful = [name.removeprefix(NIGHTLY_PREFIX) for name in options.only if name.startswith(NIGHTLY_PREFIX)]
    options.cache.mkdir(parents=True, exist_ok=True)
    facts = machine(work)
    say("setting up the peers")
    trees_python = environment(options.cache, "trees", peers.REQUIREMENTS["trees"]) / "python"
    bench = Bench(
        options, work, available(plain_makers(options, work) if plain or trust else []), trees_python
    )
    full_bench = Bench(
        options,
        work,
        available(profile_makers(options, work) if full else []),
        trees_python,
        bench.verdicts,
        (BASIC_0, BASIC_2),
        PROFILE_PREFIX,
        PROFILE_STARTUP_SECONDS,
    )
    careful_bench = Bench(
        options,
        work,
        available(careful_makers(options, work) if careful else []),
        trees_python,
        bench.verdicts,
        (peers.CAREFUL_PLAIN, peers.CAREFUL_NIGHTLY),
        NIGHTLY_PREFIX,
    )
    versions = {peer.name: peer.versions for peer in (*bench.peers, *full_bench.peers, *careful_bench.peers)}
    tables: list[Table | None] = [
        Table("Machine and versions", "", ["what", "which"], [*facts, *versions.items()], words=True),
    ]
    sizes = QUICK if options.quick else WHOLE
    tables += measure_sections(bench, plain, sizes)
    tables += measure_sections(full_bench, full, QUICK if options.quick else PROFILE)
    tables += measure_sections(careful_bench, careful, sizes)
    if "command" in trust:
        tables.append(measure_command(bench, 2000 if options.quick else 20_000))
    if "ledger" in trust:
        tables.append(measure_ledger(bench))
    if "verify" in trust:
        parts = [tree for tree in trees(options, sizes) if tree.name != "big"]
        tables.append(measure_verification(bench, parts))
    header = ["tree", "command", "against", "target", "measured", "verdict"]
    verdicts = [verdict.cells for verdict in bench.verdicts]
    if verdicts:
        note = "Of a quick run: too rough to judge by." if options.quick else ""
        tables.append(Table("Targets", note, header, verdicts, words=True))
    return [table for table in tables if table is not None]


def main() -> int:
    """Measure, print, clean up. A missed target is a result, not an error."""
    options = parse()
    # So that the gigabytes in memory are given back on SIGTERM too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    work = Path(tempfile.mkdtemp(prefix="pfdicom_tagSub-bench-", dir=options.work))
    try:
        tables = measure_all(options, work)
    except SetupError as error:
        say(f"nothing measured: {error}")
        return 1
    finally:
        if options.keep:
            say(f"kept: {work}")
        else:
            shutil.rmtree(work)
    for table in tables:
        print(as_text(table))
    if options.rst:
        options.rst.write_text("\n".join(map(as_rst, tables)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
