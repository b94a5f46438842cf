"""The installed command, end to end: one process per test, whatever surrounds it."""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import pty
import re
import select
import socket
import stat
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from installed import (
    BUNDLED,
    COMMAND,
    MIXED,
    Trees,
    arguments_of,
    contents,
    data_set,
    execute,
    leftovers,
    make,
    mixed_tree,
    names_in,
    patience,
    read,
    run,
    save,
)
from pydicom import uid
from pydicom.dataset import Dataset

from pfdicom_tagSub import __version__

ANON = {"PatientName": "anon"}
MODULE = [sys.executable, "-m", "pfdicom_tagSub"]


@pytest.fixture
def small(trees: Trees) -> Trees:
    """A tree with two files that are processed and one that is skipped."""
    trees.make("a.dcm")
    trees.make("s/b.dcm")
    trees.add("s/notes.txt", b"no DICOM")
    return trees


# --- the process


def test_module_does_what_the_console_script_does(small: Trees, tmp_path: Path) -> None:
    flags = ["--json", "--verbosity", "5"]
    script = small.run(*flags)
    module = execute([*MODULE, *arguments_of(small.inputs, tmp_path / "other", ANON, *flags)])
    again = run(small.inputs, tmp_path / "third", *flags, spec=ANON)
    assert script.code == module.code == again.code == 0
    assert contents(tmp_path / "other") == contents(tmp_path / "third")
    assert {**module.record, "runTime": 0} == {**again.record, "runTime": 0}


def test_version_is_the_packages() -> None:
    for words in ([COMMAND, "--version"], [*MODULE, "--version"]):
        done = execute(words, text=None)
        assert (done.code, done.out, done.err) == (0, f"pfdicom_tagSub {__version__}\n", "")


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        ([], 0),
        (["--inputFile", "nowhere"], 0),
        (["--threads", "-1"], 2),
        (["--threads", "many"], 2),
        (["--maxDepth", "-2"], 2),
        (["--fileFilterLogic", "XOR"], 2),
        (["--fileFilter", "re:("], 2),
        (["--outputLeafDir", "anon"], 2),
        (["--outputFileStem", "%PatientNam"], 2),
        (["--outputFileStem", "a/b"], 2),
        (["--tagInfo", "PatientName:x"], 2),
        (["--nosuch"], 2),
        (["stray"], 2),
    ],
    ids=str,
)
def test_exit_code_of_a_command_line(flags: list[str], code: int, small: Trees) -> None:
    done = small.run(*flags)
    assert done.code == code
    assert done.out == ""
    assert "Traceback" not in done.err
    if code == 2:
        assert "pfdicom_tagSub: error: " in done.err
        assert not small.outputs.exists()


def test_exit_code_1_says_that_a_file_failed_and_all_others_were_written(small: Trees) -> None:
    small.add("cut.dcm", (small.inputs / "a.dcm").read_bytes()[:-1])
    done = small.run("--json")
    assert done.code == 1
    assert done.counts == {"found": 4, "written": 2, "skipped": 1, "failed": 1}
    assert small.written == ["a.dcm", "s/b.dcm"]
    assert list(done.failures) == ["cut.dcm"]


@pytest.mark.parametrize("verbosity", ["0", "1", "3", "5"])
def test_stdout_holds_the_record_and_nothing_else(verbosity: str, small: Trees) -> None:
    done = small.run("--json", "--verbosity", verbosity, "--printElapsedTime")
    assert done.record["status"] == "ok"
    assert done.out.startswith("{\n")
    assert done.out.endswith("}\n")
    silent = run(small.inputs, small.outputs, "--verbosity", verbosity)
    assert (silent.code, silent.out) == (0, "")


def test_record_of_a_bad_spec_is_printed_too(small: Trees) -> None:
    done = small.run("--json", spec={"PatientNmae": "x"})
    assert done.code == 2
    assert (done.record["status"], done.record["counts"]["found"]) == ("error", 0)
    assert "PatientNmae" in done.record["error"]
    assert "did you mean PatientName" in done.err


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("home", [None, "nowhere", "readonly", "empty"])
def test_home_is_not_needed_and_stays_untouched(
    home: str | None, threads: str, small: Trees, tmp_path: Path
) -> None:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("HOME", "XDG"))}
    folder = tmp_path / "home"
    if home is not None:
        environment["HOME"] = str(folder if home != "nowhere" else "/nowhere/at/all")
        folder.mkdir(mode=0o500 if home == "readonly" else 0o700)
    done = small.run("--verbosity", "5", "--threads", threads, env=environment)
    assert done.code == 0
    assert "Traceback" not in done.err
    assert "Warning" not in done.err
    assert small.written == ["a.dcm", "s/b.dcm"]
    if home in {"empty", "readonly"}:
        assert list(folder.rglob("*")) == []


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "nosuch"])
def test_any_locale_will_do(locale: str, trees: Trees) -> None:
    trees.make("Zo\xeb \u5c71\u7530/a.dcm", PatientName="Zo\xeb", SpecificCharacterSet="ISO_IR 100")
    environment = {"PATH": os.environ["PATH"], "LC_ALL": locale, "PYTHONCOERCECLOCALE": "0"}
    done = trees.run("--verbosity", "5", "--json", env=environment)
    assert done.code == 0
    assert done.counts == {"found": 1, "written": 1}
    assert trees.written == ["Zo\xeb \u5c71\u7530/a.dcm"]


def test_ascii_streams_get_ascii(trees: Trees) -> None:
    trees.add("Zo\xeb\u5c71.dcm", make(trees.inputs / "a.dcm").read_bytes()[:-2])
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    done = trees.run("--verbosity", "5", "--json", env=environment)
    assert done.code == 1
    assert done.failures.keys() == {"Zo\xeb\u5c71.dcm"}
    assert (done.out + done.err).isascii()


@pytest.mark.parametrize("threads", ["0", "2"])
def test_any_name_will_do(threads: str, trees: Trees) -> None:
    whole = make(trees.inputs / "a.dcm").read_bytes()
    names = [
        *(b"line\nend.dcm", b"\xff\xfe.dcm", b"x" * 255, b" ", b"-rf", b"%s%d", b"\x1b[31mred", b".dcm"),
        *("\u202egnp.dcm".encode(), b"~", b"'\"$(touch x)`;&", b"a\\b", b"*?[a]"),
    ]
    for name in names:
        Path(os.fsdecode(os.fsencode(trees.inputs) + b"/" + name)).write_bytes(whole)
    folder = os.fsdecode(os.fsencode(trees.inputs) + b"/d\xff\n")
    os.mkdir(folder)
    Path(folder, "y.dcm").write_bytes(whole)
    Path(folder, "cut\n\xff.dcm").write_bytes(whole[:-1])
    done = trees.run("--json", "--verbosity", "5", "--threads", threads)
    assert done.code == 1
    assert done.counts == {"found": len(names) + 3, "written": len(names) + 2, "failed": 1}
    expected = {os.fsdecode(name) for name in names} | {"a.dcm", "d\udcff\n/y.dcm"}
    assert set(trees.written) == expected
    assert len(set(contents(trees.outputs).values())) == 1
    for line in done.err.splitlines():  # one message, one line, nothing that moves the cursor
        assert line.isprintable()
    assert any("line\\nend.dcm" in line for line in done.err.splitlines())


def test_working_directory_that_is_gone_will_do(small: Trees, tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    words = ["sh", "-c", 'cd "$0" && rmdir "$0" && exec "$@"', str(tmp_path / "gone"), COMMAND]
    done = execute([*words, *arguments_of(small.inputs, small.outputs, ANON)])
    assert done.code == 0
    assert small.written == ["a.dcm", "s/b.dcm"]


@pytest.mark.parametrize("flag", ["-OO", "-Werror", "-Xdev", "-I"])
def test_interpreter_may_be_given_any_flag(flag: str, small: Trees) -> None:
    words = [sys.executable, flag, "-m", "pfdicom_tagSub"]
    for threads in ("0", "2"):
        outputs = small.outputs / threads
        done = execute([*words, *arguments_of(small.inputs, outputs, ANON, "--threads", threads)])
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
        assert names_in(outputs) == ["a.dcm", "s/b.dcm"]


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002])
def test_outputs_have_the_mode_that_the_umask_gives(mask: int, small: Trees) -> None:
    assert small.run(before=lambda: os.umask(mask) and None).code == 0
    for name in small.written:
        assert stat.S_IMODE((small.outputs / name).stat().st_mode) == 0o666 & ~mask


def test_input_is_never_touched(trees: Trees) -> None:
    mixed_tree(trees.inputs)

    def state() -> dict[str, tuple[int, int, int]]:
        found = {}
        for folder, folders, names in os.walk(trees.inputs):
            for name in (*folders, *names):
                status = os.lstat(os.path.join(folder, name))
                found[os.path.join(folder, name)] = (status.st_mtime_ns, status.st_ctime_ns, status.st_size)
        return found

    before, bytes_before = state(), contents(trees.inputs)
    for threads in ("0", "2"):
        trees.run("--threads", threads, "--overwrite")
    assert (state(), contents(trees.inputs)) == (before, bytes_before)


# --- the spec


@pytest.mark.parametrize("start", ["", "\ufeff", "\n \t"])
def test_tag_file_of_standard_input(start: str, small: Trees) -> None:
    done = small.run("--tagFile", "-", spec=None, text=start + json.dumps({"PatientName": "Zo\xeb"}))
    assert done.code == 0
    assert small.read("a.dcm").PatientName == "Zo\xeb"


@pytest.mark.parametrize("text", ["", "{", None])
def test_tag_file_of_bad_standard_input_is_an_error(text: str | None, small: Trees) -> None:
    done = small.run("--tagFile", "-", spec=None, text=text)
    assert done.code == 2
    assert "--tagFile -" in done.err
    assert not small.outputs.exists()


def test_tag_file_that_is_missing_is_an_error(small: Trees, tmp_path: Path) -> None:
    for name in ("missing.json", "."):
        done = small.run("--tagFile", str(tmp_path / name), spec=None)
        assert done.code == 2
        assert f"--tagFile {tmp_path / name}" in done.err
    assert not small.outputs.exists()


@pytest.mark.parametrize(
    "flags",
    [
        ["--tagI", "PatientName=anon;PatientID=", "--splitT", ";", "--splitKey", "="],
        ["--tagInfo=PatientName:anon ++ PatientID:"],
        ["--tagStr", '{"PatientName": "anon", "PatientID": ""}'],
        ["-T", '{"PatientName": "anon", "PatientID": ""}'],
        ["--tagInfo", "PatientName,anon++PatientID,", "-k", ","],
    ],
    ids=str,
)
def test_flags_may_be_abbreviated(flags: list[str], small: Trees) -> None:
    words = ["--inputd", str(small.inputs), "--outputd", str(small.outputs), *flags, "--verb", "0"]
    done = execute([COMMAND, *words])
    assert (done.code, done.err) == (0, "")
    assert small.read("a.dcm").PatientName == "anon"
    assert not small.read("a.dcm").PatientID


def test_abbreviation_that_is_ambiguous_is_an_error(small: Trees) -> None:
    done = execute([COMMAND, "--inputDir", str(small.inputs), "--output", str(small.outputs), "-T", "{}"])
    assert done.code == 2
    assert "ambiguous" in done.err


@pytest.mark.parametrize("flags", [("--inputdir", "--outputdir"), ("-I", "-O")])
def test_flags_have_their_aliases(flags: tuple[str, str], small: Trees) -> None:
    words = [flags[0], str(small.inputs), flags[1], str(small.outputs), "--tagInfo", "PatientName:x"]
    assert execute([COMMAND, *words]).code == 0
    assert small.written == ["a.dcm", "s/b.dcm"]


def test_private_elements_are_removed_at_every_depth(trees: Trees) -> None:
    inner, content = Dataset(), data_set()
    for target in (inner, content):
        target.add_new(0x00290010, "LO", "MAKER")
        target.add_new(0x00291001, "LO", "Confidential")
    inner.StudyID = "kept"
    content.RequestAttributesSequence = [inner]
    private = Dataset()
    private.PatientName = "Confidential^Too"
    content.add_new(0x00291002, "SQ", [private])
    save(trees.inputs / "a.dcm", content)
    done = trees.run("--removePrivateTags", "--json", spec=ANON)
    assert done.code == 0
    output = trees.read("a.dcm")
    assert output.RequestAttributesSequence[0].StudyID == "kept"
    assert [element for element in output.iterall() if element.tag.is_private] == []
    assert b"Confidential" not in (trees.outputs / "a.dcm").read_bytes()
    assert done.record["elements"]["private"]["removed"] == 5


def test_private_elements_alone_may_be_removed(trees: Trees) -> None:
    content = data_set()
    content.add_new(0x00290010, "LO", "MAKER")
    save(trees.inputs / "a.dcm", content)
    assert trees.run("--removePrivateTags", spec={}).code == 0
    assert 0x00290010 not in trees.read("a.dcm")
    assert trees.read("a.dcm").PatientName == "Doe^Jane"


# --- runs over and over


def test_rerun_leaves_what_is_there(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    assert trees.run("--json").counts == MIXED
    before = {name: (trees.outputs / name).stat() for name in trees.written}
    for flags in ([], ["--overwrite"], ["--threads", "2"]):
        done = trees.run("--json", *flags)
        assert done.counts == {"found": 26, "unchanged": 20, "skipped": 4, "failed": 2}
        after = {name: (trees.outputs / name).stat() for name in trees.written}
        assert {name: (s.st_ino, s.st_mtime_ns) for name, s in after.items()} == {
            name: (s.st_ino, s.st_mtime_ns) for name, s in before.items()
        }


@pytest.mark.parametrize("threads", ["0", "2"])
def test_output_that_differs_is_replaced_only_with_overwrite(threads: str, small: Trees) -> None:
    assert small.run(spec=ANON).code == 0
    small.add("c.dcm", make(small.inputs / "c.dcm").read_bytes())
    before = contents(small.outputs)
    done = small.run("--json", "--threads", threads, spec={"PatientName": "other"})
    assert done.code == 1
    assert done.counts == {"found": 4, "written": 1, "skipped": 1, "failed": 2}
    assert all("--overwrite" in reason for reason in done.failures.values())
    assert {**contents(small.outputs), **before} == contents(small.outputs)
    done = small.run("--json", "--threads", threads, "--overwrite", spec={"PatientName": "other"})
    assert done.code == 0
    assert done.counts == {"found": 4, "written": 2, "unchanged": 1, "skipped": 1}
    assert {str(small.read(name).PatientName) for name in small.written} == {"other"}


def test_output_of_the_same_length_that_differs_is_not_unchanged(small: Trees) -> None:
    assert small.run(spec=ANON).code == 0
    path = small.outputs / "a.dcm"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    done = small.run("--json", spec=ANON)
    assert list(done.failures) == ["a.dcm"]
    assert path.read_bytes() == content


# --- the two trees


def test_output_inside_the_input_is_not_read(small: Trees) -> None:
    outputs = small.inputs / "anon"
    for _ in range(2):
        done = run(small.inputs, outputs, "--json", spec=ANON)
        assert done.record["counts"]["found"] == 3
    assert names_in(outputs) == ["a.dcm", "s/b.dcm"]
    done = run(small.inputs, outputs, "--json", "--threads", "2", "--followLinks", spec=ANON)
    assert done.counts == {"found": 3, "unchanged": 2, "skipped": 1}


@pytest.mark.parametrize("spelling", ["in", "in/", "./in/.", "s/../in", "link", "/in"])
def test_input_as_output_is_refused(spelling: str, small: Trees, tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "link").symlink_to("in")
    before = contents(small.inputs)
    output = str(small.inputs) if spelling == "/in" else spelling
    done = execute([COMMAND, *arguments_of("in", output, ANON, "--overwrite")], cwd=tmp_path)
    assert done.code == 2
    assert "input" in done.err
    assert contents(small.inputs) == before


def test_missing_or_wrong_trees_are_errors(small: Trees, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for inputs, outputs in (
        (tmp_path / "nowhere", tmp_path / "out"),
        (small.inputs, tmp_path / "file"),
        (small.inputs, tmp_path / "file" / "out"),
        (small.inputs, small.inputs / "a.dcm"),
    ):
        done = run(inputs, outputs)
        assert done.code == 2
        assert "Traceback" not in done.err
    assert not (tmp_path / "out").exists()


def test_depth_0_is_the_root_alone(small: Trees) -> None:
    done = small.run("--maxDepth", "0", "--json")
    assert done.counts == {"found": 1, "written": 1}
    assert small.written == ["a.dcm"]


def test_output_leaf_dir_renames_the_last_directory(trees: Trees) -> None:
    for name in ("a.dcm", "s/b.dcm", "s/t/c.dcm"):
        trees.make(name)
    assert trees.run("--outputLeafDir", "anon-%s-x").code == 0
    assert trees.written == ["a.dcm", "anon-s-x/b.dcm", "s/anon-t-x/c.dcm"]


@pytest.mark.parametrize("leaf", ["%s%s", "%d", "../%s", "/%s", "a/%s", "%s/..", "..%s/", "%"])
def test_hostile_output_leaf_dir_is_an_error(leaf: str, small: Trees, tmp_path: Path) -> None:
    before = contents(tmp_path)
    assert small.run("--outputLeafDir", leaf).code == 2
    assert contents(tmp_path) == before


def test_filters_choose_the_files(trees: Trees) -> None:
    for name in ("a.dcm", "a.IMA", "s/b.dcm", "t/c.dcm"):
        trees.make(name)
    assert trees.run("--fileFilter", "dcm,IMA", "--dirFilter", "s,t", "--json").counts["found"] == 2
    assert trees.written == ["s/b.dcm", "t/c.dcm"]
    assert trees.run("--fileFilter", "IMA", "--inputFile", "a.").code == 0
    assert trees.written == ["a.IMA", "s/b.dcm", "t/c.dcm"]


# --- what is no regular file


class _Opened:
    """Which paths were opened since they were watched, by inotify."""

    OPEN = 0x20
    NONBLOCK = 0o4000

    def __init__(self, *paths: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.descriptor = libc.inotify_init1(self.NONBLOCK)
        self.paths = {libc.inotify_add_watch(self.descriptor, os.fsencode(p), self.OPEN): p for p in paths}
        assert -1 not in self.paths

    def __call__(self) -> list[str]:
        try:
            events = os.read(self.descriptor, 1 << 16)
        except BlockingIOError:
            return []
        finally:
            os.close(self.descriptor)
        names = []
        while events:
            watch, _, _, length = (int.from_bytes(events[at : at + 4], sys.byteorder) for at in (0, 4, 8, 12))
            names.append(self.paths[watch].name)
            events = events[16 + length :]
        return names


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("flags", [[], ["--followLinks"], ["--outputFileStem", "%PatientID"]], ids=str)
def test_special_files_are_never_opened(flags: list[str], threads: str, trees: Trees, tmp_path: Path) -> None:
    trees.make("a.dcm")
    os.mkfifo(trees.inputs / "fifo.dcm")
    (trees.inputs / "to-fifo.dcm").symlink_to("fifo.dcm")
    watched = [trees.inputs / "fifo.dcm"]
    with suppress(PermissionError):
        os.mknod(trees.inputs / "zero.dcm", stat.S_IFCHR | 0o666, os.makedev(1, 5))
        watched.append(trees.inputs / "zero.dcm")
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(trees.inputs)  # the name of a socket has to be short
        try:
            listener.bind("socket.dcm")
        finally:
            os.chdir(here)
        opened = _Opened(*watched)
        done = trees.run("--json", "--threads", threads, *flags)
    assert opened() == []
    assert done.code == 0
    skipped = {"fifo.dcm", "to-fifo.dcm", "socket.dcm", *(path.name for path in watched)}
    assert done.skipped.keys() == skipped
    assert done.record["counts"]["written"] == 1
    assert "FIFO" in done.skipped["fifo.dcm"]
    assert "socket" in done.skipped["socket.dcm"]


def test_links_are_not_opened_without_follow_links(trees: Trees, tmp_path: Path) -> None:
    target = make(tmp_path / "elsewhere" / "b.dcm")
    trees.make("a.dcm")
    (trees.inputs / "link.dcm").symlink_to(target)
    (trees.inputs / "folder").symlink_to(target.parent)
    opened = _Opened(target, target.parent)
    done = trees.run("--json")
    assert opened() == []
    assert trees.written == ["a.dcm"]
    assert "link" in done.skipped["link.dcm"]
    opened = _Opened(target)
    done = trees.run("--json", "--followLinks")
    assert opened() != []
    assert trees.written == ["a.dcm", "folder/b.dcm", "link.dcm"]
    assert not any((trees.outputs / name).is_symlink() for name in trees.written)


@pytest.mark.parametrize("threads", ["0", "2"])
def test_links_that_lead_nowhere_disturb_nobody(threads: str, trees: Trees) -> None:
    trees.make("a.dcm")
    (trees.inputs / "dangling.dcm").symlink_to("nowhere")
    (trees.inputs / "self.dcm").symlink_to("self.dcm")
    done = trees.run("--json", "--threads", threads)
    assert done.code == 0
    assert done.skipped.keys() == {"dangling.dcm", "self.dcm"}
    done = trees.run("--json", "--threads", threads, "--followLinks")
    assert done.skipped.keys() | done.failures.keys() == {"dangling.dcm", "self.dcm"}
    assert trees.written == ["a.dcm"]


def test_cycles_of_links_end(trees: Trees) -> None:
    trees.make("s/a.dcm")
    trees.make("t/b.dcm")
    (trees.inputs / "s" / "up").symlink_to("..")
    (trees.inputs / "s" / "t").symlink_to("../t")
    (trees.inputs / "t" / "s").symlink_to("../s")
    (trees.inputs / "t" / "here").symlink_to(".")
    for threads in ("0", "2"):
        done = trees.run("--json", "--followLinks", "--threads", threads)
        assert done.code == 0
        assert 2 <= done.record["counts"]["found"] <= 4
    assert {"a.dcm", "b.dcm"} == {name.rpartition("/")[2] for name in trees.written}


# --- DICOM and not


@pytest.mark.parametrize(
    "name", ["ExplVR_LitEndNoMeta.dcm", "ExplVR_BigEndNoMeta.dcm", "no_meta_group_length.dcm"]
)
def test_dicom_without_preamble_or_meta_is_processed(name: str, trees: Trees) -> None:
    trees.add(name, (BUNDLED / name).read_bytes())
    done = trees.run("--json", spec=ANON)
    assert done.counts == {"found": 1, "written": 1}
    assert trees.read(name).PatientName == "anon"


def test_dicom_is_known_by_its_content_not_its_name(trees: Trees) -> None:
    whole = trees.make("a.dcm").read_bytes()
    for name in ("IM0001", "a.txt", "a.jpg", "DICOMDIR.bak"):
        trees.add(name, whole)
    trees.add("b.dcm", b"%PDF-1.4\n" + bytes(500))
    trees.add("c.dcm", bytes(132))
    trees.add("d.dcm", bytes(5000))
    trees.add("e.dcm", b"\x08\x00")
    done = trees.run("--json")
    assert done.code == 0
    assert trees.written == ["DICOMDIR.bak", "IM0001", "a.dcm", "a.jpg", "a.txt"]
    assert done.skipped.keys() == {"b.dcm", "c.dcm", "d.dcm", "e.dcm"}


@pytest.mark.parametrize("threads", ["0", "2"])
def test_truncated_file_fails_alone(threads: str, trees: Trees) -> None:
    content = data_set(EncapsulatedDocument=bytes(3000))
    whole = save(trees.inputs / "whole.dcm", content).read_bytes()
    cuts = (150, 200, 400, len(whole) - 3001, len(whole) - 1500, len(whole) - 1)
    for cut in cuts:
        trees.add(f"cut-{cut}.dcm", whole[:cut])
    done = trees.run("--json", "--threads", threads, spec=ANON)
    assert done.code == 1
    assert trees.written == ["whole.dcm"]
    assert done.failures.keys() == {f"cut-{cut}.dcm" for cut in cuts}
    assert leftovers(trees.outputs) == []


@pytest.mark.parametrize(
    "flags",
    [[], ["--outputFileStem", "%PatientID-%InstanceNumber"], ["--removePrivateTags"], ["--followLinks"]],
    ids=str,
)
def test_workers_give_the_same_bytes(flags: list[str], trees: Trees) -> None:
    mixed_tree(trees.inputs)
    found: dict[str, tuple[object, ...]] = {}
    for threads in ("0", "1", "2", "4"):
        outputs = trees.outputs / threads
        done = run(trees.inputs, outputs, "--json", "--threads", threads, *flags)
        found[threads] = (done.code, contents(outputs), {**done.record, "runTime": 0})
    assert len(contents(trees.outputs / "0")) > 5
    for threads, result in found.items():
        assert result == found["0"], threads


# --- names of outputs


def test_stem_names_outputs_and_keeps_the_extensions_of_dicom_files(trees: Trees) -> None:
    for number, name in enumerate(("a.dcm", "b.IMA", "c", "s/1.2.840.5", "s/d.tar.gz", "s/e.DCM")):
        trees.make(name, InstanceNumber=str(number))
    assert trees.run("--outputFileStem", "%_md5|4_PatientID-%InstanceNumber").code == 0
    assert trees.written == ["bfed-0.dcm", "bfed-1.IMA", "bfed-2", "s/bfed-3", "s/bfed-4", "s/bfed-5.DCM"]


def test_stem_is_made_of_original_values(trees: Trees) -> None:
    trees.make("a.dcm")
    spec = {"PatientID": "changed"}
    assert trees.run("--outputFileStem", "x-%_md5|7_PatientID", spec=spec).code == 0
    assert trees.written == ["x-bfeddf5.dcm"]
    assert trees.read("x-bfeddf5.dcm").PatientID == "changed"


HOSTILE = [
    *("../../x", "/etc/passwd", "..", "../", ".hidden", "...", ".", "~root", "a/../../b", "-rf", " .. "),
    *("a\nb", "a\tb", "a\x1bb", "con", ".pfdicom_tagSub-host-1-0", "\u202egnp", "x" * 400, "\xe9" * 200),
]


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize(
    "template", ["%PatientComments", "p-%PatientComments", "%PatientComments.", ".%PatientComments"]
)
def test_hostile_value_cannot_lead_out(template: str, threads: str, trees: Trees, tmp_path: Path) -> None:
    for number, value in enumerate(HOSTILE):
        trees.make(f"{number}/a.dcm", PatientComments=value, SpecificCharacterSet="ISO_IR 192")
    before = contents(tmp_path)
    done = trees.run("--json", "--outputFileStem", template, "--threads", threads)
    assert "Traceback" not in done.err
    after = contents(tmp_path)
    assert before.items() <= after.items()
    new = set(after) - set(before)
    assert done.record["counts"]["written"] == len(new) >= len(HOSTILE) - 5
    for path in new:
        out, number, name = path.split("/")  # no directory but that of the input
        assert (out, number.isdigit()) == ("out", True)
        assert not name.startswith((".", " "))
        assert name.isprintable()
        assert len(os.fsencode(name)) <= 255
        assert name.endswith(".dcm")
    assert len({path.split("/")[1] for path in new}) == len(new)
    assert all(failure["stage"] == "name" for failure in done.record["failures"])


def test_second_of_two_inputs_with_one_name_fails(trees: Trees) -> None:
    for number in range(40):
        trees.make(f"s/{number:02}.dcm", PatientID=f"P{number % 10}", InstanceNumber=str(number))
    trees.make("t/00.dcm", PatientID="P0")
    for flags in ([], ["--overwrite"]):
        records = set()
        for threads in ("0", "1", "2", "4"):
            outputs = trees.outputs / threads
            stem = ["--outputFileStem", "%PatientID", "--json", "--threads", threads]
            done = run(trees.inputs, outputs, *stem, *flags, spec=ANON)
            assert done.code == 1
            assert done.failures.keys() == {f"s/{number}.dcm" for number in range(10, 40)}
            assert all("00.dcm" in done.failures[f"s/{number}.dcm"] for number in (10, 20, 30))
            assert names_in(outputs) == [*(f"s/P{number}.dcm" for number in range(10)), "t/P0.dcm"]
            assert read(outputs / "s/P3.dcm").InstanceNumber == 3
            records.add(json.dumps({**done.record, "runTime": 0}))
        assert len(records) == 1


def test_names_that_become_the_same_by_cleaning_collide(trees: Trees) -> None:
    for number, value in enumerate(("a/b", "a\tb", "a_b")):
        trees.make(f"{number}.dcm", PatientComments=value)
    done = trees.run("--json", "--outputFileStem", "%PatientComments")
    assert done.counts == {"found": 3, "written": 1, "failed": 2}
    assert len(trees.written) == 1
    assert trees.read(trees.written[0]).PatientComments == "a/b"


def test_name_without_a_value_fails(trees: Trees) -> None:
    trees.make("a.dcm", StudyID="")
    trees.make("b.dcm", StudyID="x")
    trees.add("notes.txt", b"no DICOM")
    done = trees.run("--json", "--outputFileStem", "%StudyID")
    assert done.counts == {"found": 3, "written": 1, "skipped": 1, "failed": 1}
    assert trees.written == ["x.dcm"]
    assert done.record["failures"][0]["stage"] == "name"


# --- messages


def test_verbosity_0_shows_errors_only(small: Trees) -> None:
    done = small.run("--verbosity", "0", spec={"re:PatientName$": "a", "re:PatientName": "b"})
    assert (done.code, done.err) == (0, "")
    small.add("cut.dcm", (small.inputs / "a.dcm").read_bytes()[:-1])
    done = small.run("--verbosity", "0")
    assert done.code == 1
    lines = done.err.splitlines()
    assert len(lines) == 3  # cut.dcm, and two outputs that differ
    assert all(line.startswith("pfdicom_tagSub: error: ") for line in lines)


def test_verbosity_1_shows_warnings_and_one_summary(small: Trees) -> None:
    done = small.run(spec={"re:PatientName$": "a", "re:PatientName": "b"})
    warning, summary = done.err.splitlines()
    assert warning.startswith("pfdicom_tagSub: warning: re:PatientName$ has no effect")
    assert re.fullmatch(
        r"3 files: 2 written, 0 unchanged, 1 skipped, 0 failed in .+ s( \(\d+ files/s\))?", summary
    )


def test_verbosity_2_shows_the_plan(small: Trees) -> None:
    lines = small.run("--verbosity", "2").err.splitlines()
    assert len(lines) == 3
    assert f"{small.inputs} to {small.outputs}" in lines[0]
    assert "files: 3" in lines[0]
    assert "skipped s/notes.txt: not DICOM" in lines[1]
    assert "3 files" in lines[2]


@pytest.mark.parametrize("threads", ["0", "2"])
def test_verbosity_5_shows_every_file(threads: str, small: Trees) -> None:
    for end in ("written", "unchanged"):
        lines = small.run("--verbosity", "5", "--threads", threads).err.splitlines()
        for name in ("a.dcm", "s/b.dcm"):
            (line,) = [line for line in lines if name in line]
            assert "read" in line
            assert re.search(r"elements changed: [1-9]", line)
            assert end in line
        assert sum("notes.txt" in line for line in lines) == 1


def test_syslog_begins_messages_with_date_and_host(small: Trees) -> None:
    done = small.run("--syslog")
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", done.err)
    assert os.uname().nodename[:10] in done.err


def test_elapsed_time_is_printed(small: Trees) -> None:
    done = small.run("--printElapsedTime", "--verbosity", "0")
    assert re.fullmatch(r"Elapsed time = \d+\.\d+ seconds\n", done.err)


@contextmanager
def _terminal() -> Iterator[tuple[int, Callable[[], str]]]:
    """A terminal: the end for a process, and what reads all that was shown on it."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    shown = b""

    def shown_so_far() -> str:
        nonlocal shown
        while select.select([ours], [], [], 0)[0]:
            try:
                data = os.read(ours, 1 << 16)
            except OSError:  # nobody holds the other end
                break
            if not data:
                break
            shown += data
        return shown.decode("utf-8", "replace")

    try:
        yield theirs, shown_so_far
    finally:
        os.close(ours)
        with suppress(OSError):
            os.close(theirs)


def _run_on_terminal(words: list[str], stdout: int | None = None) -> tuple[int, str]:
    """Run a command whose stderr, and stdout if not given, is a terminal."""
    with _terminal() as (end, shown):
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=end if stdout is None else stdout, stderr=end
        )
        limit = time.monotonic() + patience(60)
        while process.poll() is None:
            shown()
            assert time.monotonic() < limit
            time.sleep(0.01)
        return process.returncode, shown()


@pytest.fixture
def many(trees: Trees) -> Trees:
    """A tree that takes long enough for a bar to move; its first file is damaged."""
    whole = trees.make("s/x.dcm").read_bytes()
    for number in range(3000):
        trees.add(f"s/{number:04}.dcm", whole)
    trees.add("a.dcm", whole[:-1])
    return trees


@pytest.mark.parametrize("threads", ["0", "2"])
def test_terminal_shows_a_progress_bar(threads: str, many: Trees) -> None:
    words = [COMMAND, *arguments_of(many.inputs, many.outputs, ANON, "--threads", threads)]
    code, shown = _run_on_terminal(words)
    assert code == 1
    assert "/3002" in shown
    assert " files/s" in shown
    assert re.search(r"\d+%\|", shown)
    assert "1 failed" in shown.rpartition("3002 files: ")[0]
    assert "3002 files: 3001 written" in shown
    assert "a.dcm: read: " in shown


@pytest.mark.parametrize("flags", [["--verbosity", "0"], ["--version"], ["--man"]], ids=str)
def test_terminal_shows_no_bar_where_none_belongs(flags: list[str], small: Trees) -> None:
    code, shown = _run_on_terminal([COMMAND, *arguments_of(small.inputs, small.outputs, ANON, *flags)])
    assert code == 0
    assert "%|" not in shown
    assert "\r" not in shown.replace("\r\n", "\n")


def test_record_goes_to_a_file_while_the_bar_goes_to_the_terminal(many: Trees, tmp_path: Path) -> None:
    words = [COMMAND, *arguments_of(many.inputs, many.outputs, ANON, "--json")]
    with (tmp_path / "record.json").open("wb") as stdout:
        code, shown = _run_on_terminal(words, stdout.fileno())
    assert code == 1
    assert "/3002" in shown
    record = json.loads((tmp_path / "record.json").read_text())
    assert record["counts"] == {
        "found": 3002,
        "written": 3001,
        "unchanged": 0,
        "current": 0,
        "notSelected": 0,
        "held": 0,
        "skipped": 0,
        "failed": 1,
    }


def test_no_terminal_gets_no_bar_and_no_escapes(many: Trees) -> None:
    done = many.run(spec=ANON)
    assert done.code == 1
    assert "\r" not in done.err
    assert "\x1b" not in done.err
    assert len(done.err.splitlines()) == 2


def test_dumb_terminal_that_goes_away_does_not_end_the_run(many: Trees) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, *arguments_of(many.inputs, many.outputs, ANON)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.read(ours, 1)
    os.close(ours)  # every write to the terminal is an error from now on
    assert process.wait(60) == 1
    assert len(many.written) == 3001


def test_outputs_are_what_the_library_call_would_give(small: Trees) -> None:
    """One file, checked byte by byte: nothing but the name and its length differ."""
    before = (small.inputs / "a.dcm").read_bytes()
    assert small.run(spec=ANON).code == 0
    old = b"\x10\x00\x10\x00PN\x08\x00Doe^Jane"
    assert before.count(old) == 1
    assert (small.outputs / "a.dcm").read_bytes() == before.replace(old, b"\x10\x00\x10\x00PN\x04\x00anon")
    digest = hashlib.sha256(before).hexdigest()
    assert run(small.inputs, small.outputs / "none", spec={"StudyTime": "%StudyTime"}).code == 0
    same = (small.outputs / "none" / "a.dcm").read_bytes()
    assert hashlib.sha256(same).hexdigest() == digest
    assert uid.UID(read(small.outputs / "a.dcm").SOPInstanceUID).is_valid


# --- one file instead of a tree


@pytest.mark.parametrize(
    "flags",
    [
        [],
        ["--overwrite", "--threads", "2"],
        ["--fileFilter", "dcm", "--inputFile", "1"],
        ["--maxDepth", "0", "--outputLeafDir", "x-%s"],
        ["--verify"],
    ],
    ids=str,
)
def test_input_file_is_processed_alone(trees: Trees, flags: list[str]) -> None:
    for name in ("1.dcm", "11.dcm", "1.dcm.bak", "s/1.dcm"):
        trees.make(name)
    done = run(trees.inputs / "1.dcm", trees.outputs, *flags, "--json", spec=ANON)
    assert done.code == 0
    assert done.counts == {"found": 1, "written": 1}
    assert names_in(trees.outputs) == ["1.dcm"]
    assert read(trees.outputs / "1.dcm").PatientName == "anon"


def test_input_file_is_named_logged_and_kept_in_a_ledger(trees: Trees, tmp_path: Path) -> None:
    trees.make("1.dcm")
    trees.make("11.dcm")
    own = ("--ledger", str(trees.inputs / "ledger"), "--log", str(trees.inputs / "log"))
    flags = (*own, "--outputFileStem", "n-%Modality", "--report", str(trees.inputs / "r.json"), "--json")
    done = run(trees.inputs / "1.dcm", trees.outputs, *flags, spec=ANON)
    assert (done.code, done.counts) == (0, {"found": 1, "written": 1})
    assert len(names_in(trees.outputs)) == 1
    again = run(trees.inputs / "1.dcm", trees.outputs, *flags, spec=ANON)
    assert (again.code, again.counts) == (0, {"found": 1, "current": 1})
    assert (trees.inputs / "log").read_text().count('"1.dcm"') == 2
    dry = run(trees.inputs / "1.dcm", tmp_path / "dry", "--dryRun", "--json", spec=ANON)
    assert dry.counts == {"found": 1, "written": 1}
    assert not (tmp_path / "dry").exists()


def test_input_file_is_no_file_of_the_runs_own(trees: Trees) -> None:
    path = trees.make("1.dcm")
    for flag in ("--log", "--ledger"):
        done = run(path, trees.outputs, flag, str(path), spec=ANON)
        assert done.code == 2
        assert "is the input" in done.err


def test_input_file_behind_a_link_is_read_without_follow_links(trees: Trees, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(trees.make("1.dcm"))
    assert run(tmp_path / "link", trees.outputs, spec=ANON).code == 0
    assert names_in(trees.outputs) == ["link"]
