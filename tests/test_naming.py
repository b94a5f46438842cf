"""No value leads out of its directory."""

from __future__ import annotations

import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pfdicom_tagSub.models import FileError
from pfdicom_tagSub.naming import NAME_MAX, safe_name


@pytest.mark.parametrize(
    ("stem", "source", "name"),
    [
        ("anon", "a.dcm", "anon.dcm"),
        ("anon", "a", "anon"),
        ("anon", "1.2.840.5", "anon"),
        ("anon", "a.b.IMA", "anon.IMA"),
        ("a/b\\c", "x.dcm", "a_b_c.dcm"),
        ("..", "x.d", None),
        ("", "x.dcm", None),
        ("  ", "x.dcm", None),
        ("/", "x.dcm", None),
        ("...", "x.dcm", None),
        (". .hidden", "x.dcm", "hidden.dcm"),
        (".hidden", "x", "hidden"),
        ("a\0b\nc", "x", "a_b_c"),
        ("Größe 大", "x.dcm", "Größe 大.dcm"),
    ],
)
def test_safe_name(stem: str, source: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(FileError, match="outputFileStem"):
            safe_name(stem, source)
    else:
        assert safe_name(stem, source).replace("__", "_") == name


@given(st.text(max_size=400), st.sampled_from(["a.dcm", "a", ".b", "a.1", "1.2.3", "x.IMA"]))
@example(". .hidden", "a")
@example("大" * 200, "a.dcm")
@example("\ud800", "a")
def test_safe_name_is_one_visible_component(stem: str, source: str) -> None:
    try:
        name = safe_name(stem, source)
    except FileError:
        return
    assert name == os.path.basename(name)
    assert not name.startswith(".")
    assert not set(name) & {"/", "\\", "\0", "\n"}
    assert 0 < len(os.fsencode(name)) <= NAME_MAX
