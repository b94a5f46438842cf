"""What a run of the benchmark says, as text for a terminal and as reStructuredText."""

import datetime
import math
import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

MISSING = "-"


@dataclass(frozen=True)
class Table:
    """A table with its title and what there is to know about it; `words` if it holds no figures."""

    title: str
    note: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: bool = False


def as_text(table: Table) -> str:
    """The table for a terminal: columns padded, figures to their right."""
    lines = [table.header, *table.rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(table.header))]
    text = [table.title, "=" * len(table.title)]
    if table.note:
        text.append(table.note)
    for number, line in enumerate(lines):
        cells = [
            cell.ljust(width) if table.words or column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text.append("  ".join(cells).rstrip())
        if number == 0:
            text.append("-" * len("  ".join(cells)))
    return "\n".join(text) + "\n"


def as_rst(table: Table) -> str:
    """The table as a reStructuredText list-table below a section title of the third level."""
    text = [table.title, "~" * len(table.title), ""]
    if table.note:
        text += [table.note, ""]
    text += [".. list-table::", "   :header-rows: 1", ""]
    for line in (table.header, *table.rows):
        for number, cell in enumerate(line):
            text.append(f"   {'* -' if number == 0 else '  -'} {cell}".rstrip())
    return "\n".join(text) + "\n"


def machine(work: Path) -> list[tuple[str, str]]:
    """What the figures were taken on and when."""
    load = ", ".join(f"{figure:.2f}" for figure in os.getloadavg())
    kind = subprocess.run(["stat", "-f", "-c", "%T", work], capture_output=True, text=True, check=False)
    return [
        ("date", datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("processor", processor()),
        ("cores", str(len(os.sched_getaffinity(0)))),
        ("memory", f"{os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GiB"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Python", platform.python_version()),
        ("trees on", kind.stdout.strip() or "?"),
        ("load before", load),
    ]


def processor() -> str:
    """The processor's own name."""
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def megabytes(size: int | None) -> str:
    """A size in MB, as a cell."""
    return MISSING if size is None else f"{size / 1e6:.0f}"


def significant(figure: float | None) -> str:
    """A figure as a cell, with three digits that mean something."""
    if figure is None:
        return MISSING
    return f"{figure:.{max(0, 2 - math.floor(math.log10(figure)))}f}" if figure > 0 else "0"
