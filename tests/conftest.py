"""Fixtures of more than one test module."""

from __future__ import annotations

from pathlib import Path

import pytest
from installed import Trees


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    """An input tree that is empty, and the place of an output tree."""
    (tmp_path / "in").mkdir()
    return Trees(tmp_path / "in", tmp_path / "out")
