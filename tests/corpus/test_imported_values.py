"""Specs made from the rules of dicom-anonymizer and deid write the values that these write.

They run in the environments of the benchmark, which ``benchmarks/imported_rules.py`` makes; without them the
tests are skipped.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pydicom.data
import pytest
from selection import step
from support import SHARED

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
CORPORA = (SHARED / "corpus", Path(pydicom.data.__file__).parent / "test_files")

WELL_KNOWN = {"InstanceCreatorUID"}
"""UIDs of the corpus that name software, which ``%_uid_`` leaves."""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    monkeypatch.delitem(sys.modules, "imported_rules", raising=False)
    return importlib.import_module("imported_rules")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["dicom-anonymizer", "deid"])
def test_values_are_those_of_the_other_tool(name: str, script: ModuleType, tmp_path: Path) -> None:
    cache = Path(os.environ.get("PEERS_CACHE", script.CACHE))
    if not script.python_of(cache, name).exists():
        pytest.skip(f"{name} is not in {cache}; benchmarks/imported_rules.py installs it there")
    corpus = next(path for path in CORPORA if path.exists())
    sources = list(script.files_of(corpus, step(4)))
    found = script.compare(name, cache, sources, tmp_path)
    assert found.files > len(sources) * 0.9
    assert found.equal > 100 * found.files
    # Sequences apart: the spec goes into them, and empties those of which the other tool makes constants.
    different = [one for one in found.different if one[1] != "SQ" and one[0] not in WELL_KNOWN]
    assert different == []
