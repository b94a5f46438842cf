"""What a default run of the tests leaves out."""

from __future__ import annotations

import ast

from selection import SLOW, TESTS


def test_each_slow_test_is_there() -> None:
    for name in SLOW:
        path, _, function = name.partition("::")
        tree = ast.parse((TESTS / path).read_text("utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, name
