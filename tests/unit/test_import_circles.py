"""No module needs one that needs it, not even for its types: each can be read after those that it imports."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pfdicom_tagSub

PACKAGE = Path(pfdicom_tagSub.__file__).parent

KNOWN = {("dicom.elements", "dicom.known_sequences"), ("dicom.scan_filter", "dicom.known_sequences")}
"""An element may be one whose bytes came before, which is an element found under a filter; types alone."""


def name_of(path: Path) -> str:
    """The dotted name of a module below the package."""
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path, names: frozenset[str]) -> Iterator[str]:
    """The modules of the package that a module imports, wherever it does."""
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level:
            continue
        base = [*package[: len(package) - node.level + 1], *(node.module or "").split(".")]
        whole = ".".join(filter(None, base))
        for alias in node.names:
            inner = ".".join(filter(None, (whole, alias.name)))
            if inner in names or whole in names:
                yield inner if inner in names else whole


def circle_in(folder: Path, known: set[tuple[str, str]]) -> list[str]:
    """Modules that need each other in a circle; [] where there is none."""
    paths = {name_of(path): path for path in folder.rglob("*.py") if path.name != "__init__.py"}
    names = frozenset(paths)
    graph = {
        name: {other for other in imported(path, names) if other != name and (name, other) not in known}
        for name, path in paths.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_need_each_other() -> None:
    assert circle_in(PACKAGE, KNOWN) == []


def test_a_circle_is_found() -> None:
    """The one that is known."""
    found = circle_in(PACKAGE, set())
    assert {"dicom.elements", "dicom.known_sequences"} <= set(found) or "dicom.scan_filter" in found
