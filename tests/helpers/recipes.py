"""Whether the recipes of patterns told the changes of files."""

from __future__ import annotations

from typing import Any

import pytest

from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.engine.pattern_recipe import PatternRecipe


def noted_answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Takes, from now on, whether a recipe told the changes of each file that it was asked about."""
    found: list[bool] = []
    patched = PatternRecipe.patched

    def noting(recipe: PatternRecipe, *arguments: Any) -> Patched | None:
        made = patched(recipe, *arguments)
        found.append(made is not None)
        return made

    monkeypatch.setattr(PatternRecipe, "patched", noting)
    return found
