"""What a default run of the tests leaves out."""

from __future__ import annotations

import ast

import pytest
import selection
from selection import SLOW, TESTS


def test_each_slow_test_is_there() -> None:
    for name in SLOW:
        path, _, function = name.partition("::")
        tree = ast.parse((TESTS / path).read_text("utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}, name


@pytest.mark.parametrize("taken", [False, True])
def test_slow_system_tests_are_taken_when_asked_for(
    taken: bool, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "SLOW", {"system/test_a.py::test", "unit/test_b.py::test"})
    monkeypatch.setattr(selection.Selection, "slow_system", taken)
    items = [
        pytest.Function.from_parent(
            pytest.Module.from_parent(request.session, path=TESTS / path), name="test", callobj=lambda: None
        )
        for path in ("system/test_a.py", "unit/test_b.py", "unit/test_c.py")
    ]
    left = {item.path.name for item in selection.left_out(items)}
    assert left == ({"test_b.py"} if taken else {"test_a.py", "test_b.py"})
