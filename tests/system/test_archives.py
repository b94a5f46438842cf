"""``--archives``: members are read as files of a folder, and nothing that an archive says leads elsewhere."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders import data_set, written
from installed import Trees, checked_record, contents, names_in
from support import run_command

from pfdicom_tagSub.files import archives
from pfdicom_tagSub.files.archives import ArchiveReader, Limits, listed
from pfdicom_tagSub.text.safe_names import safe_member

SPEC = ["--tagInfo", "PatientName:anon++PatientID:%_md5|7_PatientID"]
FILES = {f"s{number % 3}/{number}.dcm": written(data_set(PatientID=f"P{number}")) for number in range(9)}


def make_zip(path: Path, files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def make_tar(path: Path, files: dict[str, bytes], mode: str = "w") -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


MAKERS: dict[str, Callable[[Path, dict[str, bytes]], None]] = {
    "a.zip": make_zip,
    "b.ZIP": lambda path, files: make_zip(path, files, zipfile.ZIP_STORED),
    "a.tar": make_tar,
    "a.tar.gz": lambda path, files: make_tar(path, files, "w:gz"),
    "a.tgz": lambda path, files: make_tar(path, files, "w:gz"),
    "a.tar.bz2": lambda path, files: make_tar(path, files, "w:bz2"),
    "a.txz": lambda path, files: make_tar(path, files, "w:xz"),
}


def run(trees: Trees, *flags: str, code: int = 0) -> dict[str, Any]:
    done = run_command(trees.inputs, trees.outputs, *SPEC, "--json", "--archives", *flags)
    assert done.code == code, done.err
    return checked_record(done.out)


def expected(trees: Trees, files: dict[str, bytes] = FILES) -> dict[str, bytes]:
    """What the files become when they are no members."""
    place = trees.inputs.parent
    for name, content in files.items():
        (place / "plain" / name).parent.mkdir(parents=True, exist_ok=True)
        (place / "plain" / name).write_bytes(content)
    assert run_command(place / "plain", place / "plain-out", *SPEC).code == 0
    return contents(place / "plain-out")


@pytest.mark.parametrize("threads", ["0", "2"])
@pytest.mark.parametrize("name", MAKERS)
def test_members_are_files_of_a_folder_of_the_archives_name(trees: Trees, name: str, threads: str) -> None:
    (trees.inputs / "d").mkdir()
    MAKERS[name](trees.inputs / "d" / name, FILES)
    trees.make("beside.dcm")
    record = run(trees, "--threads", threads, "--verify")
    assert record["counts"]["written"] == record["counts"]["found"] == 10
    assert contents(trees.outputs / "d" / name) == expected(trees)
    assert not record["archives"]
    assert sorted(path.name for path in trees.inputs.parent.iterdir()) == ["in", "out", "plain", "plain-out"]


def test_single_files_in_gzip_are_read(trees: Trees) -> None:
    (trees.inputs / "x.dcm.gz").write_bytes(gzip.compress(FILES["s0/0.dcm"]))
    assert run(trees)["counts"]["written"] == 1
    assert contents(trees.outputs) == {"x.dcm.gz/x.dcm": expected(trees)["s0/0.dcm"]}


def test_an_archive_may_be_the_input(trees: Trees) -> None:
    make_zip(trees.inputs / "a.zip", FILES)
    done = run_command(trees.inputs / "a.zip", trees.outputs, *SPEC, "--json", "--archives")
    assert done.record["counts"]["written"] == 9
    assert len(names_in(trees.outputs / "a.zip")) == 9


def test_without_the_option_an_archive_is_skipped(trees: Trees) -> None:
    make_zip(trees.inputs / "a.zip", FILES)
    done = run_command(trees.inputs, trees.outputs, *SPEC, "--json")
    assert done.record["archives"] == [{"path": "a.zip", "kind": "zip"}]


def test_names_conditions_and_dry_runs_know_members(trees: Trees) -> None:
    make_zip(trees.inputs / "a.zip", FILES)
    assert run(trees, "--dryRun")["counts"]["written"] == 9
    assert not trees.outputs.exists()
    record = run(trees, "--where", "path startsWith 'a.zip/s1/'", "--outputFileStem", "%PatientID")
    assert (record["counts"]["written"], record["counts"]["notSelected"]) == (3, 6)
    assert set(names_in(trees.outputs)) == {f"a.zip/s1/P{number}.dcm" for number in (1, 4, 7)}


# --- names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/b.dcm", "a/b.dcm"),
        ("/etc/passwd", "etc/passwd"),
        ("../../x", "x"),
        ("a/../../x", "a/x"),
        ("a\\..\\b.dcm", "a/b.dcm"),
        ("C:\\x\\y", "C_/x/y"),
        ("./a//b/.", "a/b"),
        ("..", "_"),
        ("", "_"),
        ("con/aux.dcm", "_con/_aux.dcm"),
        ("-rf", "_rf"),
        ("a\nb", "a_b"),
        ("n" * 300, "n" * 255),
        ("Zoë 山 (1)", "Zoë 山 (1)"),
        ("x. ", "x"),
        (".hidden", ".hidden"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_member(name) == safe


@pytest.mark.parametrize("maker", [make_zip, make_tar])
def test_no_member_leads_out_of_its_folder(trees: Trees, maker: Callable[..., None]) -> None:
    name = "a.zip" if maker is make_zip else "a.tar"
    files = {
        "../../out.dcm": FILES["s0/0.dcm"],
        "/abs.dcm": FILES["s1/1.dcm"],
        "..\\w.dcm": FILES["s2/2.dcm"],
    }
    maker(trees.inputs / name, files)
    run(trees)
    assert set(names_in(trees.outputs)) == {f"{name}/out.dcm", f"{name}/abs.dcm", f"{name}/w.dcm"}
    assert sorted(path.name for path in trees.inputs.parent.iterdir()) == ["in", "out"]


@pytest.mark.parametrize("flags", [[], ["--overwrite"]])
def test_the_second_of_two_members_of_one_name_fails(trees: Trees, flags: list[str]) -> None:
    make_tar(trees.inputs / "a.tar", {"x.dcm": FILES["s0/0.dcm"], "../x.dcm": FILES["s1/1.dcm"]})
    record = run(trees, *flags, code=1)
    assert (record["counts"]["written"], record["counts"]["failed"]) == (1, 1)
    assert "same name" in record["failures"][0]["reason"]
    assert contents(trees.outputs)["a.tar/x.dcm"] == expected(trees)["s0/0.dcm"]


def test_links_and_devices_are_skipped(trees: Trees) -> None:
    with tarfile.open(trees.inputs / "a.tar", "w") as archive:
        for name, kind in (("link", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("fifo", tarfile.FIFOTYPE)):
            info = tarfile.TarInfo(name)
            info.type = kind
            info.linkname = "/etc/passwd"
            archive.addfile(info)
    with zipfile.ZipFile(trees.inputs / "a.zip", "w") as zipped:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        zipped.writestr(link, "/etc/passwd")
    record = run(trees)
    assert record["counts"]["skipped"] == record["counts"]["found"] == 4


# --- limits and damage


def test_a_bomb_is_refused(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "HARMLESS", 1000)
    for name, make in MAKERS.items():
        if name not in {"b.ZIP", "a.tar"}:
            make(trees.inputs / name, {"zeros": bytes(3_000_000)})
    (trees.inputs / "z.dcm.gz").write_bytes(gzip.compress(bytes(3_000_000)))
    record = run(trees, code=1)
    assert record["counts"]["failed"] == record["counts"]["found"] == 6
    assert all("200 times" in one["reason"] for one in record["failures"])
    assert run(trees, "--maxInflated", "4M")["counts"]["skipped"] == 6  # the user vouches for it


@pytest.mark.parametrize("name", [*MAKERS, "x.dcm.gz"])
def test_a_member_that_is_too_large_fails(trees: Trees, name: str) -> None:
    files = {"large.dcm": FILES["s0/0.dcm"] + os.urandom(30_000), **FILES}
    if name == "x.dcm.gz":
        (trees.inputs / name).write_bytes(gzip.compress(files["large.dcm"]))
    else:
        MAKERS[name](trees.inputs / name, files)
    record = run(trees, "--maxInflated", "20K", code=1)
    (failure,) = record["failures"]
    assert "more than 20,480 bytes" in failure["reason"]
    assert record["counts"]["written"] == (0 if name == "x.dcm.gz" else 9)


def test_too_many_members_are_refused(trees: Trees, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MEMBERS_MOST", 8)
    make_zip(trees.inputs / "a.zip", FILES)
    assert "more than 8 members" in run(trees, code=1)["failures"][0]["reason"]
    assert not trees.outputs.exists() or not names_in(trees.outputs)


@pytest.mark.parametrize("name", [*MAKERS, "x.dcm.gz"])
def test_damage_fails_and_disturbs_nobody(trees: Trees, name: str) -> None:
    path = trees.inputs / name
    if name == "x.dcm.gz":
        path.write_bytes(gzip.compress(FILES["s0/0.dcm"]))
    else:
        MAKERS[name](path, {**FILES, "last": os.urandom(5000)})
    trees.make("beside.dcm")
    whole = path.read_bytes()
    for content in (
        whole[: len(whole) // 2],
        b"",
        os.urandom(2000),
        whole[:200] + b"\xff" * 99 + whole[299:],
    ):
        shutil.rmtree(trees.outputs, ignore_errors=True)
        path.write_bytes(content)
        done = run_command(trees.inputs, trees.outputs, *SPEC, "--json", "--archives")
        record = checked_record(done.out)
        assert "internal error" not in done.out
        assert (trees.outputs / "beside.dcm").exists()
        good = expected(trees)
        for made, data in contents(trees.outputs).items():
            inner = made.partition("/")[2]
            assert made == "beside.dcm" or inner not in good or data == good[inner]
        assert record["counts"]["failed"] == len(record["failures"])


@pytest.mark.parametrize("name", ["a.zip", "b.tar", "c.tar.gz", "d.dcm.gz"])
def test_dicom_file_with_the_name_of_an_archive_is_a_file(trees: Trees, name: str) -> None:
    (trees.inputs / name).write_bytes(FILES["s0/0.dcm"])
    assert run(trees)["counts"]["written"] == 1
    assert names_in(trees.outputs) == [name]


def test_encrypted_members_fail(trees: Trees) -> None:
    path = trees.inputs / "a.zip"
    make_zip(path, {"x.dcm": FILES["s0/0.dcm"]})
    content = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    path.write_bytes(content)
    assert "encrypted" in run(trees, code=1)["failures"][0]["reason"]


def test_archives_in_archives_are_skipped(trees: Trees) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("x.dcm", FILES["s0/0.dcm"])
    make_tar(trees.inputs / "a.tar", {"inner.zip": inner.getvalue()})
    assert run(trees)["archives"] == [{"path": "a.tar/inner.zip", "kind": "zip"}]


def test_an_archive_that_changes_meanwhile_fails_its_members(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    make_tar(path, FILES)
    reader = ArchiveReader(Limits())
    assert reader.read(str(path), "s0/0.dcm") == FILES["s0/0.dcm"]
    make_tar(path, {"other": b""})
    with pytest.raises(archives.FileError, match="changed"):
        reader.read(str(path), "s1/1.dcm")


@pytest.mark.parametrize("name", MAKERS)
def test_members_can_be_read_in_any_order(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    MAKERS[name](path, FILES)
    reader = ArchiveReader(Limits())
    assert listed(str(path), Limits()) == [(member, "") for member in FILES]
    for member in [*reversed(FILES), *FILES]:
        assert reader.read(str(path), member) == FILES[member]
    reader.close()


# --- ledger


def test_ledger_knows_members_by_their_archive(trees: Trees, tmp_path: Path) -> None:
    make_zip(trees.inputs / "a.zip", FILES)
    trees.make("beside.dcm")
    ledger = ["--ledger", str(tmp_path / "ledger")]
    assert run(trees, *ledger)["counts"]["written"] == 10
    assert run(trees, *ledger)["counts"]["current"] == 10
    fewer = {name: content for name, content in FILES.items() if not name.startswith("s1/")}
    make_zip(trees.inputs / "a.zip", fewer)
    plain = run_command(trees.inputs, trees.outputs, *SPEC, "--json", *ledger, "--prune")
    assert json.loads(plain.out)["orphans"]["files"] == []  # who does not look into it cannot know
    record = run(trees, *ledger, "--prune")
    assert {one["path"] for one in record["orphans"]["files"]} == {f"a.zip/s1/{n}.dcm" for n in (1, 4, 7)}
    assert (record["counts"]["unchanged"], record["orphans"]["pruned"]) == (6, 3)
    (trees.inputs / "a.zip").unlink()
    assert run(trees, *ledger, "--prune")["orphans"]["pruned"] == 6
    assert names_in(trees.outputs) == ["beside.dcm"]
