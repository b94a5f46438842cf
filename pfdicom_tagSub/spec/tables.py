"""The tables of ``%_lookup``: CSV files with the columns original and replacement."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

from ..core.bounded import TABLE_MOST, TooLargeError, read_path
from ..core.errors import SpecError
from ..core.system_reasons import why_unread
from ..text.padding import without_padding

COLUMNS = ("original", "replacement")
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_BOM = "\ufeff"


def load_tables(arguments: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read tables of replacements.

    Args:
        arguments: what ``--lookupTable`` was given, each ``NAME=FILE``.

    Returns:
        Name to original to replacement. Blanks around an original are dropped, since they
        mean nothing in DICOM.

    Raises:
        SpecError: an argument that is none, a file that cannot be read or is no such
            table. It names file and line, never a value.
    """
    tables: dict[str, dict[str, str]] = {}
    for argument in arguments:
        name, separator, path = argument.partition("=")
        if not separator or not path or not _NAME.fullmatch(name):
            raise SpecError(
                f"--lookupTable {argument}: write NAME=FILE.csv; a name consists of letters, digits, "
                "underscores and hyphens"
            )
        if name in tables:
            raise SpecError(f"--lookupTable {argument}: there is a table {name} already")
        tables[name] = _table(_read(path), f"--lookupTable {path}")
    return tables


def _read(path: str) -> str:
    try:
        return read_path(path, TABLE_MOST).decode("utf-8").removeprefix(_BOM)
    except TooLargeError:
        raise SpecError(
            f"--lookupTable {path}: it has more than {TABLE_MOST >> 20} MB; is it a table?"
        ) from None
    except UnicodeDecodeError as error:
        raise SpecError(f"--lookupTable {path}: not UTF-8 at byte {error.start}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = why_unread(error)
        raise SpecError(f"--lookupTable {path}: {reason}") from None


def _rows(text: str, origin: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold anything, and the line that each begins in."""
    head = text.lstrip("\r\n").partition("\n")[0]
    separator = ";" if ";" in head and "," not in head else ","
    reader = csv.reader(
        io.StringIO(text, newline=""), strict=True, delimiter=separator, skipinitialspace=True
    )
    first = 1
    try:
        for row in reader:
            if any(row):
                yield first, row
            first = reader.line_num + 1
    except csv.Error as error:
        raise SpecError(f"{origin}: line {first}: {error}") from None


def _table(text: str, origin: str) -> dict[str, str]:
    rows = _rows(text, origin)
    line, header = next(rows, (1, []))
    names = [name.strip() for name in header]
    for column in COLUMNS:
        if names.count(column) != 1:
            count = "no column" if column not in names else "more than one column"
            raise SpecError(
                f"{origin}: line {line}: {count} {column}; the first row names the columns "
                f"{' and '.join(COLUMNS)}, and commas or semicolons separate them"
            )
    own, other = map(names.index, COLUMNS)
    table: dict[str, str] = {}
    lines: dict[str, int] = {}
    for line, row in rows:
        if len(row) != len(names):
            raise SpecError(f"{origin}: line {line}: {len(row)} fields where the first row has {len(names)}")
        original, replacement = without_padding("", row[own]), row[other].strip(" ")
        if not original:
            raise SpecError(f"{origin}: line {line}: the original is empty; an empty value stays empty")
        if table.setdefault(original, replacement) != replacement:
            raise SpecError(
                f"{origin}: line {line}: the same original as in line {lines[original]}, "
                "but another replacement"
            )
        lines.setdefault(original, line)
    return table
