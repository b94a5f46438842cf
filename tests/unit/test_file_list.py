"""``--filesFrom``: the files that a list names, instead of a walk."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import data_set, written
from support import Result, run_command

from pfdicom_tagSub.cli import parser as cli

NAMES = ("a", "sub/b", "sub/deep/c", "sub/new\nline", "other/d")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    inputs = tmp_path / "in"
    for name in NAMES:
        (inputs / name).parent.mkdir(parents=True, exist_ok=True)
        (inputs / name).write_bytes(written(data_set(PatientID=name[0])))
    return inputs


def run(tree: Path, content: bytes, *flags: str) -> Result:
    path = tree.parent / "list"
    path.write_bytes(content)
    return run_command(
        tree, tree.parent / "out", "--tagInfo", "PatientID:x", "--json", "--filesFrom", str(path), *flags
    )


def outputs(tree: Path) -> list[str]:
    out = tree.parent / "out"
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_list_names_the_files_that_are_processed(tree: Path) -> None:
    done = run(tree, f"a\nsub/deep/c\r\n\n./sub/../sub/deep/c\n{tree}/other/d".encode())
    assert done.code == 0
    assert done.record["counts"]["found"] == 3
    assert outputs(tree) == ["a", "other/d", "sub/deep/c"]


def test_list_may_be_nul_separated(tree: Path) -> None:
    assert run(tree, b"sub/new\nline\0a\0", "--null").code == 0
    assert outputs(tree) == ["a", "sub/new\nline"]


def test_list_of_a_windows_editor_has_a_mark_before_its_first_path(tree: Path) -> None:
    assert run(tree, b"\xef\xbb\xbfa\r\nsub/b\r\n").code == 0
    assert outputs(tree) == ["a", "sub/b"]


@pytest.mark.parametrize(
    ("content", "cure"),
    [
        ("a\nsub/b\n".encode("utf-16"), "write it in the encoding of the file names"),
        (b"a\0sub/b\0", "--null"),
    ],
)
def test_list_that_is_written_otherwise_is_an_error(tree: Path, content: bytes, cure: str) -> None:
    done = run(tree, content)
    assert done.code == 2
    assert cure in done.err
    assert outputs(tree) == []


def test_list_may_be_relative_to_the_working_directory(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree.parent)
    assert run(tree, b"in/sub/b\n").code == 0
    assert outputs(tree) == ["sub/b"]


def test_list_comes_from_standard_input(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, write = os.pipe()
    os.write(write, b"a\n")
    os.close(write)
    kept = os.dup(0)
    os.dup2(read, 0)
    try:
        done = run_command(tree, tree.parent / "out", "--tagInfo", "PatientID:x", "--filesFrom", "-")
    finally:
        os.dup2(kept, 0)
    assert done.code == 0
    assert outputs(tree) == ["a"]


def test_listed_file_that_cannot_be_processed_fails_and_the_others_do_not(tree: Path) -> None:
    (tree / "link").symlink_to("sub")
    done = run(tree, b"a\nmissing\nsub\nlink/b\n")
    assert done.code == 1
    assert outputs(tree) == ["a"]
    reasons = {one["path"]: one["reason"] for one in done.record["failures"]}
    assert reasons.keys() == {"missing", "sub", "link/b"}
    assert "No such file" in reasons["missing"]
    assert "is a directory" in reasons["sub"]
    assert "--followLinks" in reasons["link/b"]
    assert run(tree, b"link/b\n", "--followLinks").code == 0
    assert outputs(tree) == ["a", "link/b"]


@pytest.mark.parametrize("entry", ["../out", "/etc/passwd", "sub/../../x", "."])
def test_list_that_leads_elsewhere_is_an_error(tree: Path, entry: str) -> None:
    done = run(tree, b"a\n" + entry.encode())
    assert done.code == 2
    assert "entry 2 lies outside of the --inputDir" in done.err
    assert not (tree.parent / "out").exists()


def test_list_goes_with_names_of_leaves_and_a_walk_gives_the_same(tree: Path) -> None:
    content = "\0".join(NAMES).encode()
    assert run(tree, content, "--null", "--outputLeafDir", "anon-%s").code == 0
    by_list = outputs(tree)
    walked = tree.parent / "walked"
    run_command(tree, walked, "--tagInfo", "PatientID:x", "--outputLeafDir", "anon-%s")
    assert by_list == sorted(str(path.relative_to(walked)) for path in walked.rglob("*") if path.is_file())


def test_list_that_cannot_be_read_is_an_error(tree: Path) -> None:
    done = run_command(tree, tree.parent / "out", "--tagInfo", "PatientID:x", "--filesFrom", str(tree / "no"))
    assert done.code == 2
    assert "--filesFrom" in done.err
    assert "No such file" in done.err


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--null"], "--null says how"),
        (["--filesFrom", "x", "--fileFilter", "dcm"], "--fileFilter chooses among those of a walk"),
        (["--filesFrom", "x", "--maxDepth", "1"], "--maxDepth chooses"),
    ],
)
def test_parse_refuses_what_does_not_go_with_a_list(
    flags: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(cli.UsageExit):
        cli.parse(["in", "out", "--tagInfo", "PatientName:anon", *flags])
    assert said in capsys.readouterr().err


def test_list_that_names_nothing_is_warned_of(tree: Path) -> None:
    done = run(tree, b"\n")
    assert done.code == 0
    assert f"no file found in {tree} with --filesFrom {tree.parent / 'list'}" in done.err
