"""Functions that users write: what they get and give, how they fail, and that they travel with the rules."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from builders import EXPLICIT, data_set, element, file_of, read, written
from hypothesis import given
from hypothesis import strategies as st
from support import Result, run_command

import pfdicom_tagSub
from pfdicom_tagSub import api
from pfdicom_tagSub.core.errors import FileError, SpecError
from pfdicom_tagSub.spec import own_functions, own_output
from pfdicom_tagSub.spec.functions import FUNCTIONS

SCHEMA = json.loads((Path(__file__).parents[1] / "helpers" / "record_schema.json").read_text())

TEXT = """
from pfdicom_tagSub import spec_function

@spec_function("shout", arguments=(int, str), optional=1, vrs={"LO", "SH"})
def shout(value, arguments, secret):
    "Louder."
    count, *sign = arguments
    return value.upper() + (sign[0] if sign else "!") * count

@spec_function("sealed", needs_secret=True)
def sealed(value, arguments, secret):
    return secret.hex()[:8]

@spec_function("broken")
def broken(value, arguments, secret):
    raise ValueError(value)

@spec_function("wrong")
def wrong(value, arguments, secret):
    return 1

@spec_function("leaving")
def leaving(value, arguments, secret):
    raise SystemExit(value)
"""


@pytest.fixture(autouse=True)
def known() -> Iterator[None]:
    """The registry is that of all tests."""
    kept = dict(FUNCTIONS)
    yield
    FUNCTIONS.clear()
    FUNCTIONS.update(kept)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "own.py"
    path.write_text(TEXT)
    return path


def example(**values: str) -> bytes:
    return written(data_set(**{"PatientID": "ab", "PatientName": "Doe^Jane", **values}))


def made_of(spec: dict[str, str], file: Path, content: bytes | None = None, **options: Any) -> Any:
    rules = api.compile_spec(spec, functions=[file], **options)
    return read(api.patch_bytes(content or example(), rules))


def test_function_gets_the_value_and_typed_arguments(file: Path) -> None:
    made = made_of({"PatientID": "<%_shout|3_PatientID>", "StudyID": "%_shout|2|?_PatientID"}, file)
    assert made.PatientID == "<AB!!!>"
    assert made.StudyID == "AB??"


def test_function_is_called_for_each_value_and_never_for_an_empty_one(file: Path) -> None:
    content = example(PatientID="a\\b", OtherPatientIDs="")
    made = made_of({"PatientID": "%_shout|1_#tag", "OtherPatientIDs": "%_broken_#tag"}, file, content)
    assert list(made.PatientID) == ["A!", "B!"]
    assert made.OtherPatientIDs == ""


def test_secret_is_a_key_of_the_functions_own(file: Path) -> None:
    one = made_of({"PatientID": "%_sealed_#tag"}, file, key=b"0" * 16).PatientID
    other = made_of({"PatientID": "%_sealed_#tag"}, file, key=b"1" * 16).PatientID
    assert len(one) == 8
    assert one != other
    assert one != (b"0" * 16).hex()[:8]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("broken", "the function broken failed: ValueError"),
        ("leaving", "the function leaving failed: SystemExit"),
        ("wrong", "the function wrong gave no text but int"),
    ],
)
def test_exception_fails_the_file_with_the_functions_name_and_no_value(
    name: str, said: str, file: Path
) -> None:
    with pytest.raises(FileError) as stop:
        made_of({"PatientID": f"%_{name}_#tag"}, file, example(PatientID="SECRET"))
    assert str(stop.value).endswith(said)
    assert "SECRET" not in str(stop.value)


def test_value_of_a_vr_that_a_function_is_not_for_fails_the_file(file: Path) -> None:
    with pytest.raises(FileError, match="the function shout is not for the VR PN"):
        made_of({"re:Patient(Name|ID)$": "%_shout|1_#tag"}, file)
    content = file_of(element(0x00100020, "DA", b"20200101", EXPLICIT))
    with pytest.raises(FileError, match="the function shout is not for the VR DA"):
        made_of({"PatientID": "%_shout|1_#tag"}, file, content)


@pytest.mark.parametrize(
    ("key", "template", "has"),
    [
        ("PatientName", "%_shout|1_#tag", "PatientName has PN"),
        ("PatientName", "%_shout|1_PatientName", "PatientName has PN"),
        ("PatientID", "of %_shout|1_StudyDate", "StudyDate has DA"),
        ("(0010,0010)", "%_shout|1_#tag", "PatientName has PN"),
        ("VR:DA", "%_shout|1_#tag", "has DA"),
        ("re:.*DateTime$", "%_shout|1_#tag", "has DT"),
        ("(0028,001x)", "%_shout|1_#tag", "Rows has US"),
        ("ContentSequence[121022,DCM,DATE]", "%_shout|1_#tag", "Date has DA"),
        ('(0019,"SIEMENS CT VA0  COAD",A3)', "%_shout|1_#tag", "has CS"),
    ],
)
def test_key_whose_elements_have_other_vrs_is_an_error_in_the_spec(
    key: str, template: str, has: str, file: Path
) -> None:
    with pytest.raises(SpecError) as stop:
        api.compile_spec({key: template}, functions=[file])
    assert str(stop.value).startswith(f"{key}: shout is for the VR LO or SH, and ")
    assert str(stop.value).endswith(has)
    spec = {"RequestAttributesSequence": {"each": {key: template}}}
    if not key.startswith(("Content", "(0019")):
        with pytest.raises(SpecError, match="is for the VR LO or SH"):
            api.compile_spec(spec, functions=[file])


def test_name_of_an_output_from_an_element_of_another_vr_is_an_error(file: Path) -> None:
    with pytest.raises(SpecError, match="--outputFileStem: shout is for the VR LO or SH, and PatientName"):
        api.compile_spec({"PatientID": ""}, functions=[file], output_file_stem="%_shout|1_PatientName")


def test_key_of_which_some_elements_have_other_vrs_is_warned_of(file: Path) -> None:
    rules = api.compile_spec({"re:Patient(Name|ID)$": "%_shout|1_#tag"}, functions=[file])
    assert rules.warnings == (
        "re:Patient(Name|ID)$: shout is for the VR LO or SH: files with one of 1 of the 2 elements that the "
        "key matches will fail; PatientName has PN",
    )


@pytest.mark.parametrize("key", ["PatientID", "VR:SH", '(0029,"ACME",02)', "(0029,1002)"])
def test_key_whose_vr_fits_or_is_not_known_is_taken(key: str, file: Path) -> None:
    assert api.compile_spec({key: "%_shout|1_#tag"}, functions=[file]).warnings == ()


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("%_shout_#tag", "it takes 1 to 2 arguments"),
        ("%_shout|1|2|3_#tag", "it takes 1 to 2 arguments"),
        ("%_shout|x_#tag", "'x' is no int"),
        ("%_sealed_#tag", "it needs a secret key"),
        ("%_unheard_#tag", "unknown function"),
    ],
)
def test_wrong_use_is_an_error_in_the_spec(template: str, said: str, file: Path) -> None:
    with pytest.raises(SpecError, match=said):
        api.compile_spec({"PatientID": template}, functions=[file])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1", "no function with the decorator"),
        ("x = ", "SyntaxError in line 1"),
        ("\n\n1 / 0", "ZeroDivisionError in line 3"),
        ("from pfdicom_tagSub import spec_function\nspec_function('a_b')", "a_b is no name"),
        ("from pfdicom_tagSub import spec_function\nspec_function('ab', vrs={'XX'})", "unknown VR: XX"),
        ("from pfdicom_tagSub import spec_function\nspec_function('ab', arguments=(bool,))", "str, int and"),
        ("from pfdicom_tagSub import spec_function\nspec_function('ab', optional=1)", "cannot be left out"),
        (TEXT.replace('"shout"', '"md5"'), "one of the tool's has this name"),
    ],
)
def test_file_that_is_none_is_an_error(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(text)
    with pytest.raises(SpecError, match=said):
        own_functions.load_files([str(tmp_path / "own.py")])


def test_one_name_is_one_function_in_a_process(file: Path, tmp_path: Path) -> None:
    own_functions.load_files([str(file), str(file)])
    (tmp_path / "other.py").write_text(TEXT + "\n")
    with pytest.raises(SpecError, match="another one of this process has this name"):
        own_functions.load_files([str(tmp_path / "other.py")])


def test_rules_bring_their_functions_to_other_processes(file: Path, tmp_path: Path) -> None:
    rules = api.compile_spec({"PatientID": "%_shout|1_#tag"}, functions=[file])
    file.unlink()
    (tmp_path / "rules").write_bytes(pickle.dumps(rules))
    (tmp_path / "a").write_bytes(example())
    code = (
        "import pickle, pathlib, sys; from pfdicom_tagSub import patch_bytes; p = pathlib.Path(sys.argv[1]); "
        "rules = pickle.loads((p / 'rules').read_bytes()); "
        "sys.stdout.buffer.write(patch_bytes((p / 'a').read_bytes(), rules))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True)
    assert read(done.stdout).PatientID == "AB!"


def test_digest_of_the_spec_is_that_of_the_function_too(file: Path, tmp_path: Path) -> None:
    spec = {"PatientID": "%_shout|1_#tag"}
    first = api.compile_spec(spec, functions=[file])
    FUNCTIONS.pop("shout")
    (tmp_path / "other.py").write_text(TEXT.replace("upper", "lower").replace('"', "'"))
    for name in ("sealed", "broken", "wrong", "leaving"):
        FUNCTIONS.pop(name)
    assert api.compile_spec(spec, functions=[tmp_path / "other.py"]).digest != first.digest


def test_entry_point_of_a_package_is_found_by_name(
    monkeypatch: pytest.MonkeyPatch, file: Path, tmp_path: Path
) -> None:
    (tmp_path / "hospital_functions.py").write_text(TEXT)
    monkeypatch.syspath_prepend(str(tmp_path))
    point = importlib.metadata.EntryPoint("shout", "hospital_functions:shout", own_functions.GROUP)
    monkeypatch.setattr(
        importlib.metadata,
        "entry_points",
        lambda group, name: [point] if (group, name) == (own_functions.GROUP, "shout") else [],
    )
    rules = api.compile_spec({"PatientID": "%_shout|1_#tag"})
    assert read(api.patch_bytes(example(), rules)).PatientID == "AB!"
    assert rules.parts[0].option == own_functions.GROUP
    packed = pickle.dumps(rules)
    assert pickle.loads(packed) == rules
    FUNCTIONS.pop("shout")
    (tmp_path / "hospital_functions.py").write_text(TEXT + "#")
    sys.modules.pop("hospital_functions")
    with pytest.raises(own_functions.OtherFunctionsError):
        pickle.loads(packed)


@given(st.lists(st.sampled_from(["a", "b^c", "4711"]), min_size=1, max_size=4), st.integers(1, 3))
def test_function_gives_what_it_gives_when_called_by_hand(values: list[str], count: int) -> None:
    FUNCTIONS.pop("echo", None)

    @pfdicom_tagSub.spec_function("echo", arguments=(int,))
    def echo(value: str, arguments: tuple[str | int | float, ...], secret: bytes | None) -> str:
        return value * int(arguments[0])

    origin = own_functions.Origin("--functions", "test", "0" * 64, "text")
    own_functions._register(origin, [(getattr(echo, own_functions._MARK), echo)])
    rules = api.compile_spec({"OtherPatientIDs": f"%_echo|{count}_#tag"})
    made = read(api.patch_bytes(example(OtherPatientIDs="\\".join(values)), rules))
    expected = "\\".join(value * count for value in values)
    found = made.OtherPatientIDs
    assert ("\\".join(found) if not isinstance(found, str) else found) == expected.rstrip(" ")


# --- the command


def run(tmp_path: Path, *flags: str) -> Result:
    inputs = tmp_path / "in"
    inputs.mkdir(exist_ok=True)
    for number in range(4):
        (inputs / str(number)).write_bytes(example(PatientID=f"ab{number}"))
    return run_command(inputs, tmp_path / "out", "--json", *flags)


def run_apart(tmp_path: Path, contents: dict[str, bytes], *flags: str) -> subprocess.CompletedProcess[str]:
    """As ``run``, in a process of its own, as handlers of the tests would take what is logged."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    for name, content in contents.items():
        (inputs / name).write_bytes(content)
    command = [sys.executable, "-m", "pfdicom_tagSub", str(inputs), str(tmp_path / "out"), *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("threads", ["0", "2"])
def test_command_runs_and_verifies_and_records_them(threads: str, file: Path, tmp_path: Path) -> None:
    spec = ("--functions", str(file), "--tagInfo", "PatientID:%_shout|1_PatientID", "--threads", threads)
    done = run(tmp_path, *spec, "--verify")
    assert done.code == 0, done.err
    jsonschema.validate(done.record, SCHEMA)
    assert read((tmp_path / "out" / "3").read_bytes()).PatientID == "AB3!"
    digest = hashlib.sha256(TEXT.encode()).hexdigest()
    assert done.record["specParts"] == [{"option": "--functions", "name": "shout", "digest": digest}]


def test_failure_names_the_function_and_no_value(file: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "--functions", str(file), "--tagInfo", "PatientID:%_broken_PatientID")
    assert done.code == 1
    assert "the function broken failed: ValueError" in done.err
    assert "ab1" not in done.err + done.out


@pytest.mark.parametrize("threads", ["0", "2"])
def test_what_libraries_log_within_a_function_is_not_printed(threads: str, tmp_path: Path) -> None:
    file = tmp_path / "logging_functions.py"
    file.write_text(
        "import logging, warnings\n"
        "from pfdicom_tagSub import spec_function\n"
        f"@spec_function('talks{threads}')\n"
        "def talks(value, arguments, secret):\n"
        "    logging.getLogger('library').error(value)\n"
        "    warnings.warn(value)\n"
        "    return 'x'\n"
    )
    spec = ("--functions", str(file), "--tagInfo", f"PatientID:%_talks{threads}_PatientID")
    contents = {"1": example(PatientID="ab1")}
    done = run_apart(tmp_path, contents, *spec, "--threads", threads, "-v", "5")
    assert done.returncode == 0, done.stderr
    assert "ab1" not in done.stderr + done.stdout


@pytest.mark.parametrize("threads", ["0", "2"])
def test_what_a_function_prints_is_dropped_and_the_record_is_whole(threads: str, tmp_path: Path) -> None:
    file = tmp_path / "printing.py"
    file.write_text(
        "import logging, sys\n"
        "from sys import stdout\n"
        "from pfdicom_tagSub import spec_function\n"
        "print('loading of ab1')\n"
        "logging.basicConfig(stream=sys.stderr)\n"
        "@spec_function('prints')\n"
        "def prints(value, arguments, secret):\n"
        "    print(value)\n"
        "    print(value, file=sys.stderr, flush=True)\n"
        "    stdout.write(value)\n"
        "    sys.__stdout__.write(value)\n"
        "    sys.stdout.buffer.write(value.encode())\n"
        "    logging.error(value)\n"
        "    return 'x'\n"
    )
    contents = {str(number): example(PatientID=f"ab1{number}") for number in range(3)}
    spec = ("--functions", str(file), "--tagInfo", "PatientID:%_prints_PatientID", "--threads", threads)
    done = run_apart(tmp_path, contents, "--json", "--verify", *spec, "-v", "5")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["counts"]["written"] == 3
    assert "ab1" not in done.stderr + done.stdout


@pytest.mark.parametrize("threads", ["0", "2"])
def test_what_a_function_writes_to_descriptors_is_dropped(threads: str, tmp_path: Path) -> None:
    """As a C library does, and a program that it starts."""
    file = tmp_path / "mine.py"
    file.write_text(
        "import ctypes, os, subprocess\n"
        "from pfdicom_tagSub import spec_function\n"
        "libc = ctypes.CDLL(None)\n"
        "os.write(1, b'loaded')\n"
        "@spec_function('writes')\n"
        "def writes(value, arguments, secret):\n"
        "    os.write(1, value.encode())\n"
        "    os.write(2, value.encode())\n"
        "    libc.printf(value.encode())\n"
        "    subprocess.run(['echo', value])\n"
        "    return 'x'\n"
    )
    contents = {str(number): example(PatientID=f"ab1{number}") for number in range(3)}
    contents["bad"] = example(PatientID="ab14")[:-3]
    spec = ("--functions", str(file), "--tagInfo", "PatientID:%_writes_PatientID", "--threads", threads)
    done = run_apart(tmp_path, contents, "--json", *spec)
    assert json.loads(done.stdout)["counts"]["written"] == 3
    assert "bad: " in done.stderr
    assert "ab1" not in done.stderr + done.stdout


def test_other_threads_print_while_one_is_within_a_function(capsys: pytest.CaptureFixture[str]) -> None:
    def other() -> None:
        print("seen")

    stream = sys.stdout
    with own_output.nothing_printed():
        print("dropped")
        with own_output.nothing_printed():
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
        print("dropped, too")
    print("after")
    assert sys.stdout is stream
    assert capsys.readouterr().out == "seen\nafter\n"


def test_run_without_them_loads_nothing_of_them() -> None:
    code = (
        "import sys; from pfdicom_tagSub import compile_spec; compile_spec({'PatientID': '%_md5_#tag'}); "
        "print({'pfdicom_tagSub.spec.own_functions', 'pfdicom_tagSub.spec.when_blocks', "
        "'pfdicom_tagSub.spec.layers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
