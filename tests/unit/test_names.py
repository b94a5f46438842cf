"""Names in the package: one class to a name, and none of the words that say nothing of what they hold."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pfdicom_tagSub

PACKAGE = Path(pfdicom_tagSub.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

VAGUE = (
    "crew",
    "folding",
    "hits",
    "keeping",
    "observing",
    "placing",
    "shield",
    "standing",
    "telling",
    "told",
    "wanted",
)
"""What modules were called once, and nobody could say what was in them."""


def trees() -> Iterator[tuple[Path, ast.Module]]:
    assert len(MODULES) > 100
    for path in MODULES:
        yield path.relative_to(PACKAGE), ast.parse(path.read_text("utf-8"))


def types_of(tree: ast.Module) -> Iterator[str]:
    """The classes of a module at any depth, and the names that it gives to types."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield node.name
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id.lstrip("_")
            if len(name) > 1 and name[0].isupper() and not name.isupper():  # R is a type variable
                yield name


def test_no_two_types_have_one_name() -> None:
    homes: dict[str, set[str]] = defaultdict(set)
    for path, tree in trees():
        for name in types_of(tree):
            homes[name.lstrip("_")].add(str(path))
    assert {name: sorted(paths) for name, paths in homes.items() if len(paths) > 1} == {}


def test_no_module_has_a_name_that_has_to_be_explained() -> None:
    assert [path for path in MODULES if path.stem in VAGUE] == []


def test_each_module_class_and_public_function_says_what_it_is() -> None:
    silent = []
    for path, tree in trees():
        silent += [str(path)] * (ast.get_docstring(tree) is None)
        for node in tree.body:
            is_definition = isinstance(node, ast.ClassDef | ast.FunctionDef)
            if is_definition and not node.name.startswith("_") and ast.get_docstring(node) is None:
                silent.append(f"{path}: {node.name}")
    assert silent == []
