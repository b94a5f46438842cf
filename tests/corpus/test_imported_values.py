"""Specs made from the rules of dicom-anonymizer and deid write the values that these write, at every depth.

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

_REGISTERED = ("UI", "another UID", "as it was")
WRONG = {
    ("InstanceCreatorUID", *_REGISTERED),
    ("within items: ReferencedSOPClassUID", *_REGISTERED),
    ("PatientIdentityRemoved", "CS", "YES", "absent"),
}
"""What the other tools get wrong: registered UIDs become random ones, and a DICOMDIR speaks of a patient."""


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
    (imported, *left_alone) = script.compare(name, cache, sources, tmp_path).values()
    assert imported.files > len(sources) * 0.9
    assert imported.equal > 50 * imported.files  # the smaller corpus has some 70 elements in a file
    others = [one for one in (left_alone or [imported])[0].different if one not in WRONG]
    assert others == []
    # Within items of sequences that it has no action for dicom-anonymizer leaves all as it was.
    others = [one for one in imported.different if one not in WRONG and one[2] != "as it was"]
    assert others == []
    assert all(one[0].startswith("within items: ") for one in imported.different if one not in WRONG)
