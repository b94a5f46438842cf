"""Libraries are loaded without modules that the command never uses; who wants these finds them whole."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from installed import output_of, patience

LOAD = """
import sys, threading
from pfdicom_tagSub.core import late_modules
{before}
late_modules.load(*late_modules.PFTREE)
late_modules.load(*late_modules.PYDICOM)
import pftree, pydicom
names = ("tqdm", "urllib.request", "pydicom.data", "pydicom.examples")
print([name for name in names if name in sys.modules])
"""

USE = """
import tqdm, pydicom.pixels.processing as processing
assert issubclass(tqdm.tqdm, object) and pftree.tree.tqdm([1, 2], disable=True).total == 2
assert pydicom.examples.get_path("ct").is_file()
import pydicom.data, pydicom.examples
assert pydicom.data.get_testdata_file("CT_small.dcm") and pydicom.examples.ct.PatientID
assert len(processing.get_palette_files("*.dcm")) > 3
assert type(pydicom.examples).__name__ == type(pydicom.data).__name__ == "module"
"""


def test_libraries_are_whole_for_whoever_uses_more_of_them() -> None:
    assert output_of(LOAD.format(before="") + USE) == "[]"


@pytest.mark.parametrize(
    "before",
    ["import pftree, pydicom", "threading.Thread(target=threading.Event().wait, daemon=True).start()"],
)
def test_libraries_that_others_have_or_could_see_are_loaded_whole(before: str) -> None:
    found = output_of(LOAD.format(before=before) + USE)
    assert found == str(["tqdm", "urllib.request", "pydicom.data", "pydicom.examples"])


def test_a_module_that_others_have_is_taken_as_it_is() -> None:
    assert output_of(LOAD.format(before="import tqdm") + USE) == "['tqdm']"


@pytest.mark.parametrize(
    ("library", "printed"),
    [
        ("from late import shout\nprint(shout('now'))", "NOW"),  # called as it is loaded
        ("import late\nclass Bar(late.Bar): pass", ""),  # no function
        ("from late import missing\nmissing()", "missing"),
    ],
)
def test_a_library_that_wants_more_than_functions_is_loaded_as_it_is(
    tmp_path: Path, library: str, printed: str
) -> None:
    (tmp_path / "late.py").write_text("def shout(text): return text.upper()\nclass Bar: size = 3\n")
    (tmp_path / "library.py").write_text(library)
    code = (
        "import sys; from pfdicom_tagSub.core import late_modules; late_modules.load('library', ('late',))\n"
        "loaded = 'library' in sys.modules\n"
        "try: import library\n"
        "except (AttributeError, ImportError) as error: print(error)\n"
        "import late; assert late.Bar.size == 3; print(loaded)"
    )
    *said, loaded = output_of(code, tmp_path).splitlines()
    assert loaded == str(printed == "NOW")
    assert printed in "".join(said)


def test_the_command_spares_what_it_never_uses(tmp_path: Path) -> None:
    folders = ["--inputDir", str(tmp_path), "--outputDir", str(tmp_path.with_name("out"))]
    spec = ["--tagStruct", '{"PatientName": "x"}']
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pfdicom_tagSub", *folders, *spec],
        check=True,
        capture_output=True,
        text=True,
        timeout=patience(60),
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"pftree.tree", "pydicom.pixels.processing"} <= loaded
    assert not {"tqdm", "urllib.request", "pydicom.data", "pydicom.examples"} & loaded


def test_the_version_of_pydicom_is_that_of_its_package() -> None:
    code = LOAD.format(before="") + "import importlib.metadata; print(importlib.metadata.version('pydicom'))"
    assert output_of(code + "\nprint(pydicom.__version__)").splitlines()[1:] == [version("pydicom")] * 2
