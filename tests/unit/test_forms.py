"""What is no spec is told for what it is, with the flag or form that was meant, and in bounded time."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest
from installed import Trees, patience
from support import run_command

from pfdicom_tagSub.core import bounded
from pfdicom_tagSub.core.bounded import TooSlowError, in_time
from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.run import input_tree, walk
from pfdicom_tagSub.spec import keys
from pfdicom_tagSub.spec import parsing as spec
from pfdicom_tagSub.spec.profile import load as load_profile
from pfdicom_tagSub.spec.tables import load_tables
from pfdicom_tagSub.text.quoting import quoted, shortened


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PatientName: anon", "looks like YAML"),
        ("# names\nPatientName: anon\n're:.*hysician': x\n(0010,0020): y\n", "looks like YAML"),
        ("---\nre:.*hysician: x\nRequestAttributesSequence:\n  - StudyID: y\n", "looks like YAML"),
        ("{PatientName: anon, PatientID: x}", "looks like YAML"),
        ('PatientName = "anon"', "looks like TOML"),
        ('# names\n[spec]\nPatientName = "anon"\n"re:.*" = ""\n', "looks like TOML"),
        ("spec.json", "path of a file; give it with --tagFile"),
        ("conf/anon.yaml", "path of a file; give it with --tagFile"),
        ("/etc/anon", "path of a file; give it with --tagFile"),
        ("@spec.json", "path of a file; give it with --tagFile"),
        ('"spec.json"', "path of a file; give it with --tagFile"),
        ("-", "--tagFile -"),
        ("", "it is empty"),
        (" \n", "it is empty"),
        ("PatientName:anon ++ PatientID:x", "give it with --tagInfo"),
        ("PatientName:anon", "give it with --tagInfo"),
        ("{'PatientName': 'anon'}", "as in Python; JSON has double quotes"),
        ('{"PatientName": "anon",}', "a comma after the last pair"),
        ('{"PatientName": "anon" // name\n}', "JSON with comments"),
        ("<spec/>", "looks like XML"),
    ],
)
def test_tag_struct_that_is_no_json_says_what_it_is(text: str, told: str) -> None:
    with pytest.raises(SpecError) as error:
        spec.parse_json(text, "--tagStruct")
    assert told in str(error.value)


def test_tag_struct_that_is_the_path_of_a_file_without_an_extension(tmp_path: Path) -> None:
    path = tmp_path / "spec"
    path.write_text('{"PatientName": "anon"}')
    with pytest.raises(SpecError, match="give it with --tagFile"):
        spec.parse_json(str(path), "--tagStruct")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"PatientName": "anon"}', "it is JSON; give it with --tagStruct"),
        ("spec.json", "give it with --tagFile"),
        ("PatientName: anon\nPatientID: x", "looks like YAML"),
    ],
)
def test_tag_info_that_is_no_pairs_says_what_it_is(text: str, told: str) -> None:
    with pytest.raises(SpecError) as error:
        spec.parse_info(text, "++", ":")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ('{"PatientName": "anon"}', "give it with --tagStruct"),
        ("PatientName:anon", "--tagInfo as pairs"),
        ("a\0b", "not a path"),
    ],
)
def test_tag_file_that_is_a_spec_itself_says_so(path: str, told: str) -> None:
    with pytest.raises(SpecError) as error:
        spec._read(path)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PatientName: anon\n", "looks like YAML"),
        (b'PatientName = "anon"\n', "looks like TOML"),
        ('{"PatientName": "anon"}'.encode("utf-16"), "UTF-16"),
        (bytes(128) + b"DICM\2\0", "a DICOM file"),
        (b"PatientName:anon ++ PatientID:x", "--tagInfo"),
    ],
)
def test_tag_file_that_is_no_json_says_what_it_is(
    content: bytes, told: str, trees: Trees, tmp_path: Path
) -> None:
    (tmp_path / "spec").write_bytes(content)
    done = run_command(trees.inputs, trees.outputs, "--json", "--tagFile", str(tmp_path / "spec"))
    assert done.code == 2
    assert told in done.record["error"]


# --- quoting


def test_quoted_quotes_up_to_60_characters() -> None:
    assert quoted("y" * 60) == repr("y" * 60)
    assert quoted("y" * 61) == repr("y" * 60) + "... (61 characters)"
    assert shortened("PatientName") == "PatientName"
    assert len(shortened("y" * 70_000)) < 90


LONG = "y" * 70_000


@pytest.mark.parametrize(
    "pairs",
    [
        {"PatientComments": LONG},
        {"PatientBirthDate": LONG},
        {"re:Patient.*": "\n" + LONG},
        {"RequestAttributesSequence": [{"StudyID": LONG}]},
        {"RequestAttributesSequence": [{LONG: "x"}]},
        {LONG: "x"},
        {"re:(" + LONG: "x"},
        {"re:" + LONG: "x"},
        {"PatientName": "%_md5|7_Patient" + LONG},
        {"PatientName": "%_" + LONG + "_PatientName"},
        {"PatientName": "%_md5|" + LONG + "_PatientName"},
        {"PatientName": LONG + "%_keep_#tag"},
        {f'(0029,"{LONG}",10)': True},
    ],
    ids=lambda pairs: next(iter(pairs))[:12],
)
def test_messages_of_a_spec_stay_readable(pairs: dict[str, object], trees: Trees) -> None:
    done = run_command(trees.inputs, trees.outputs, "--tagStruct", json.dumps(pairs))
    assert done.code == 2
    assert len(done.err) < 1000


def test_messages_of_pairs_and_templates_stay_readable(trees: Trees) -> None:
    for flags in (
        ["--tagInfo", LONG],
        ["--tagInfo", "PatientName:x", "--outputFileStem", LONG + "/"],
        ["--tagInfo", "PatientName:x", "--outputDirTemplate", LONG + "//"],
        ["--tagInfo", "PatientName:x", "--outputLeafDir", LONG],
        ["--tagInfo", "PatientName:x", "--profile", LONG],
    ):
        done = run_command(trees.inputs, trees.outputs, *flags)
        assert done.code == 2
        assert len(done.err.splitlines()[-1]) < 1000


# --- bounds


def test_items_nested_too_deep_are_an_error_with_the_reason() -> None:
    for depth in (65, 400, 5000, 200_000):
        text = '{"ContentSequence":' + '[{"ContentSequence":' * depth + "[]" + "}]" * depth + "}"
        with pytest.raises(SpecError, match=r"nested too deep|sequences in each other"):
            spec.parse_json(text, "--tagStruct")
    text = '{"ContentSequence":' + '[{"ContentSequence":' * 63 + "[]" + "}]" * 63 + "}"
    assert spec.parse_json(text, "--tagStruct").digest


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no /dev/zero")
def test_files_without_an_end_are_errors_with_the_reason() -> None:
    with pytest.raises(SpecError, match="--tagFile /dev/zero: it has more than 16 MB"):
        spec._read("/dev/zero")
    with pytest.raises(SpecError, match="--lookupTable /dev/zero: it has more than 256 MB"):
        load_tables(["X=/dev/zero"])
    with pytest.raises(SpecError, match="--keepPrivate @/dev/zero: it has more than 16 MB"):
        load_profile("", ("@/dev/zero",))


SLOW = "re:([A-Za-z]+)*[0-9]!"


def test_key_that_backtracks_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "in_time", lambda: in_time(0.2))
    started = time.monotonic()
    with pytest.raises(SpecError, match=r"takes too long to match"):
        spec.from_pairs([(SLOW, "x")])
    assert time.monotonic() - started < patience(5)


@pytest.mark.parametrize("flag", ["--fileFilter", "--dirFilter"])
def test_filter_that_backtracks_without_end_is_an_error(
    flag: str, trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(input_tree, "PATTERN_SECONDS", 0.2)
    monkeypatch.setattr(walk, "in_time", lambda: in_time(0.2))
    path = trees.make("a" * 60 + "/" + "a" * 60)
    for inputs in [trees.inputs] + [path] * (flag == "--fileFilter"):
        done = run_command(inputs, trees.outputs, "--json", flag, "re:(a+)+[0-9]$")
        assert done.code == 2
        assert "takes too long to match" in done.record["error"]
    assert not trees.outputs.exists()


def test_in_time_leaves_no_timer_and_no_handler_behind() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with in_time(60):
        pass
    with pytest.raises(TooSlowError), in_time(0.01):
        time.sleep(5)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGALRM) is before


def test_in_time_of_another_thread_lets_it_be() -> None:
    done: list[bool] = []

    def work() -> None:
        with in_time(0.01):
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]


def test_read_whole_reads_what_is_just_small_enough(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 10)
    assert bounded.read_path(str(tmp_path / "file"), 10) == b"x" * 10
    with pytest.raises(bounded.TooLargeError):
        bounded.read_path(str(tmp_path / "file"), 9)
    read, write = os.pipe()
    os.write(write, b"ab")
    os.close(write)
    assert bounded.read_whole(read, 2) == b"ab"
    os.close(read)
