"""No value leads out of its directory."""

from __future__ import annotations

import os
from pathlib import PureWindowsPath

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.text.safe_names import NAME_MAX, safe_component, safe_name


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
        ("anon", "scan.Smith", "anon"),
        ("anon", "Smith.John", "anon"),
        ("anon", "a.DCM", "anon.DCM"),
        ("anon", "a.dicom", "anon.dicom"),
        ("anon", "a.dcm.bak", "anon"),
        ("CON", "x", "_CON"),
        ("nul", "x.dcm", "_nul.dcm"),
        ("nul.txt", "x.dcm", "_nul.txt.dcm"),
        ("aux .x", "x", "_aux .x"),
        ("com\u00b9", "x", "_com\u00b9"),
        ("LPT9.a.b", "x", "_LPT9.a.b"),
        ("CONIN$", "x", "CONIN_"),
        ("console", "x", "console"),
        ("com10", "x", "com10"),
        ("a:b", "x", "a_b"),
        ('a<b>c"d|e?f*g', "x", "a_b_c_d_e_f_g"),
        ("$(reboot)`x`;y&z!", "x", "_(reboot)_x_y_z_"),
        ("O'Brien^Pat", "x", "O_Brien^Pat"),
        ("-rf", "x", "_rf"),
        ("--help", "x", "_help"),
        (" -x", "x", "_x"),
        ("~root", "x", "_root"),
        ("@args", "x", "_args"),
        ("a. ", "x", "a"),
        ("a.", "x.dcm", "a.dcm"),
        ("-", "x", None),
        (":", "x", None),
    ],
)
def test_safe_name(stem: str, source: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(FileError, match="outputFileStem"):
            safe_name(stem, source)
    else:
        assert safe_name(stem, source).replace("__", "_") == name


def isreserved(name: str) -> bool:
    return PureWindowsPath(name).is_reserved()


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
    assert not name.startswith((".", "-", "~", " "))
    assert not name.endswith((".", " "))
    assert not set(name) & set('/\\\0\n<>:"|?*$`;&')
    assert not isreserved(name)
    assert 0 < len(os.fsencode(name)) <= NAME_MAX


@given(st.text(max_size=40), st.sampled_from(["", "con", "NUL.", "aux ", "com1", "-", "lpt\u00b2."]))
def test_safe_component_is_safe_on_windows(text: str, start: str) -> None:
    try:
        name = safe_component(start + text)
    except FileError:
        return
    assert not isreserved(name)
    assert not name.startswith("-")
