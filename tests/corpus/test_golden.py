"""What 3.1.1 wrote for real files, to the character (behaviour-3.1.1 part A)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
import pydicom.data
import pytest
from support import SHARED, run_command

SHARED_CASES = SHARED / "golden" / "golden-3.1.1.json"
OWN_CASES = Path(__file__).parent / "golden.json"


MD5_OF_NOTHING = [hashlib.md5(b"").hexdigest()[:digits] for digits in range(1, 33)]


def _items(data_set: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    for element in data_set.iterall():
        if element.VR == "SQ":
            yield from element.value


def _load() -> list[Any]:
    path = SHARED_CASES if SHARED_CASES.exists() else OWN_CASES
    cases: list[Any] = json.loads(path.read_text("utf-8"))
    return cases


def _locate(case: dict[str, Any]) -> Path:
    if case["root"] == "corpus":
        return SHARED / "corpus" / str(case["file"])
    return Path(pydicom.data.__file__).parent / str(case["file"])


def test_golden_cases_are_all_there() -> None:
    if not SHARED_CASES.exists():
        pytest.skip("the shared golden cases are not here; the copy in tests/ is used")
    assert len(_load()) == 230


@pytest.mark.parametrize("case", _load(), ids=lambda case: str(case["id"]))
def test_golden_values_are_those_of_3_1_1(case: dict[str, Any], tmp_path: Path) -> None:
    source = _locate(case)
    if not source.exists():
        pytest.skip(f"{case['file']} does not ship with this pydicom")
    content = source.read_bytes()
    assert hashlib.sha256(content).hexdigest() == case["sha256"]
    inputs = tmp_path / "in"
    inputs.mkdir()
    (inputs / source.name).write_bytes(content)
    flags = list(case["flags"])
    if "--tagInfo" not in flags:
        flags += ["--tagStruct", json.dumps(case["spec"])]
    result = run_command(inputs, tmp_path / "out", *flags)
    assert result.code == 0, result.err

    data_set = pydicom.dcmread(tmp_path / "out" / source.name, force=True)
    empty = set(case.get("empty_source", ()))
    for keyword, expected in case["expect"].items():
        # Changed in 4: what a file holds in sequences only is substituted there.
        holders = [data_set] if keyword in data_set else [d for d in _items(data_set) if keyword in d]
        assert holders, keyword
        for holder in holders:
            found = str(holder[keyword].value or "")
            # Changed in 4: an empty value stays empty (behaviour-3.1.1 A.6).
            is_hash_of_nothing = keyword in empty and expected in MD5_OF_NOTHING
            assert found == ("" if is_hash_of_nothing else expected), keyword
    if "expect_private_elements" in case:
        private = [element for element in data_set.iterall() if element.tag.is_private]
        assert len(private) == case["expect_private_elements"]
