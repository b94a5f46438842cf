"""What the package imports: private names of libraries, and the bounds of their versions."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import pfdicom_tagSub

ROOT = Path(__file__).parents[2]
PACKAGE = Path(pfdicom_tagSub.__file__).parent
HOME_OF_TABLES = "dicom/dictionary.py"


def private_imports(source: str) -> set[str]:
    """The libraries of which a module imports private names, or private modules."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            library, *parts = name.split(".")
            if any(re.match(r"_(?!_)", part) for part in parts):
                found.add(library)
    return found


def test_private_imports_finds_both_forms() -> None:
    assert private_imports("import a._b.c\nfrom d.e import _f\nfrom g._h import i\nfrom j import k") == {
        *"adg"
    }
    assert private_imports("from . import _version\nfrom __future__ import annotations") == set()


def test_private_names_of_libraries_are_reached_in_one_module_only() -> None:
    found = {
        str(path.relative_to(PACKAGE)): libraries
        for path in PACKAGE.rglob("*.py")
        if (libraries := private_imports(path.read_text("utf-8")))
    }
    assert found == {HOME_OF_TABLES: {"pydicom"}}


def test_a_library_whose_private_names_are_used_has_an_upper_bound() -> None:
    setup = ROOT / "setup.py"
    if not setup.exists():
        pytest.skip("no setup.py here")
    assert re.search(r'"pydicom>=3,<4"', setup.read_text("utf-8"))
