"""A finished file takes no name that something else has, whatever the file system can do."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installed import COMMAND, Trees, arguments_of, contents, leftovers, patience, read

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.files import renaming
from pfdicom_tagSub.files import writing as output


def no_call(*_: object) -> bool:
    return False


WAYS: dict[str, tuple[str, ...]] = {
    "renameat2": (),
    "link": ("_rename_without_replacing",),
    "neither": ("_rename_without_replacing", "_link"),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system that can do less and less."""
    for name in WAYS[request.param]:
        monkeypatch.setattr(renaming, name, no_call)
    return str(request.param)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    descriptor = os.open(tmp_path, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.usefixtures("way")
def test_rename_new_gives_a_name_that_is_free(folder: int, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    renaming.rename_new(folder, "old", "n\udcff")
    assert contents(tmp_path) == {"n\udcff": b"x"}
    assert (tmp_path / "n\udcff").stat().st_nlink == 1


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("kind", ["file", "link", "directory"])
def test_rename_new_leaves_alone_what_has_the_name(folder: int, tmp_path: Path, kind: str) -> None:
    (tmp_path / "old").write_bytes(b"x")
    new = tmp_path / "new"
    make: dict[str, Callable[[], object]] = {
        "file": lambda: new.write_bytes(b"y"),
        "link": lambda: new.symlink_to("nowhere"),
        "directory": new.mkdir,
    }
    make[kind]()
    before = new.lstat()
    with pytest.raises(FileExistsError):
        renaming.rename_new(folder, "old", "new")
    assert os.path.samestat(new.lstat(), before)
    assert (tmp_path / "old").read_bytes() == b"x"


def test_rename_new_goes_on_where_the_system_says_that_it_cannot(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unable(*_: object) -> int:
        renaming.ctypes.set_errno(errno.EINVAL)
        return -1

    def no_link(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "x")

    monkeypatch.setattr(renaming, "_renameat2", lambda: unable)
    monkeypatch.setattr(os, "link", no_link)
    (tmp_path / "old").write_bytes(b"x")
    renaming.rename_new(folder, "old", "new")
    assert contents(tmp_path) == {"new": b"x"}
    (tmp_path / "old").write_bytes(b"y")
    with pytest.raises(FileExistsError):
        renaming.rename_new(folder, "old", "new")
    assert contents(tmp_path) == {"new": b"x", "old": b"y"}


def test_rename_new_tells_other_errors(folder: int) -> None:
    with pytest.raises(FileNotFoundError):
        renaming.rename_new(folder, "absent", "new")


def test_link_that_exists_by_a_lost_answer_is_ones_own(folder: int, tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(b"x")
    os.link(tmp_path / "old", tmp_path / "new")
    assert renaming._link(folder, "old", "new")
    assert contents(tmp_path) == {"new": b"x"}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(("other", "status"), [(b"same", "unchanged"), (b"other", None)])
def test_write_where_another_run_was_faster(
    folder: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, other: bytes, status: str | None
) -> None:
    real = output.rename_new

    def late(*arguments: object) -> None:
        (tmp_path / "name").write_bytes(other)
        real(*arguments)

    monkeypatch.setattr(output, "rename_new", late)

    def write() -> str:
        source = BytesSource(b"same")
        chunks = lambda: iter([b"same"])  # noqa: E731
        return output.write(folder, "name", source, chunks, overwrite=False, pause=lambda: None)

    if status:
        assert write() == status
    else:
        with pytest.raises(FileError, match="differs is there already"):
            write()
    assert contents(tmp_path) == {"name": other}


def test_two_runs_at_once_write_no_output_twice(trees: Trees) -> None:
    names = [f"{number:03}.dcm" for number in range(300)]
    for name in names:
        trees.make(name)
    running = [
        subprocess.Popen(
            [COMMAND, *arguments_of(trees.inputs, trees.outputs, {"PatientName": name}, "--json", "-v", "0")],
            stdout=subprocess.PIPE,
        )
        for name in ("first", "other")
    ]
    records = [json.loads(one.communicate(timeout=patience(120))[0]) for one in running]
    assert sum(record["counts"]["written"] for record in records) == 300
    for record, own in zip(records, ("first", "other"), strict=True):
        failed = {failure["path"] for failure in record["failures"]}
        assert all((str(read(trees.outputs / name).PatientName) == own) != (name in failed) for name in names)
    assert leftovers(trees.outputs) == []
