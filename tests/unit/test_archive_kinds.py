"""Archives, and trees without DICOM, are told of by name and number."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Callable

import pytest
from installed import Trees

from pfdicom_tagSub.core.archive_kinds import kind_of, reason_of
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import FileOutcome, Status
from pfdicom_tagSub.report import record as record_maker
from pfdicom_tagSub.report.record import to_json
from pfdicom_tagSub.report.totals import Totals


def zip_of() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.dcm", "x")
    return made.getvalue()


def tar_of(mode: str = "w", form: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode, format=form) as archive:  # type: ignore[call-overload]
        archive.addfile(tarfile.TarInfo("a.dcm"))
    return made.getvalue()


def old_tar() -> bytes:
    """One of before POSIX, which has no mark."""
    head = bytearray(tar_of(form=tarfile.GNU_FORMAT)[:512])
    head[257:265] = bytes(8)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head) + bytes(1024)


MADE: dict[str, Callable[[], bytes]] = {
    "zip": zip_of,
    "tar": tar_of,
    "gz": lambda: tar_of("w:gz"),
    "7z": lambda: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(100),
    "bz2": lambda: bz2.compress(b"x"),
    "xz": lambda: lzma.compress(b"x"),
    "rar": lambda: b"Rar!\x1a\x07\1\0",
    "zst": lambda: b"\x28\xb5\x2f\xfd\0\0",
    "cpio": lambda: b"070701" + b"0" * 104 + b"a.dcm\0",
}


@pytest.mark.parametrize("kind", MADE)
def test_kind_of_an_archive_is_known_by_its_content(kind: str) -> None:
    assert kind_of(MADE[kind]()[:512]) == kind


def test_kind_of_tars_of_all_ages() -> None:
    for data in (tar_of(form=tarfile.GNU_FORMAT), tar_of(form=tarfile.USTAR_FORMAT), old_tar()):
        assert kind_of(data[:512]) == "tar"
    for data in (b"", bytes(512), b"x" * 512, b"PK", b"text of some length" * 40):
        assert kind_of(data[:512]) == ""


def test_archives_are_warned_of_by_name_and_number(trees: Trees) -> None:
    trees.make("a.dcm")
    for kind, make in MADE.items():
        trees.add(f"s/{kind}.dcm", make())
    trees.add("damaged.ZIP", b"x" * 1000)
    trees.add("a.dcm.gz", gzip.compress((trees.inputs / "a.dcm").read_bytes()))
    trees.add("empty.zip")
    done = trees.run("--json")
    assert done.code == 0
    found = {entry["path"]: entry["kind"] for entry in done.record["archives"]}
    assert found == {f"s/{kind}.dcm": kind for kind in MADE} | {"damaged.ZIP": "zip", "a.dcm.gz": "gz"}
    assert done.skipped["s/zip.dcm"] == reason_of("zip")
    (line,) = [line for line in done.err.splitlines() if "archives was not processed" in line]
    assert "11 archives" in line
    assert "a.dcm.gz" in line
    assert "and 6 more" in line
    assert "give --archives, which" in line


@pytest.mark.parametrize(
    ("name", "flags"), [("a.7z", ()), ("a.rar", ("--archives",)), ("b.jar", ("--archives",))]
)
def test_cure_of_what_the_option_does_not_read_is_to_unpack(
    name: str, flags: tuple[str, ...], trees: Trees
) -> None:
    trees.make("a.dcm")
    trees.add(name, zip_of() if name == "b.jar" else MADE[name[2:]]())
    done = trees.run(*flags)
    (line,) = [line for line in done.err.splitlines() if "archive was not processed" in line]
    assert f"{name}; unpack them, and run again" in line


def test_archives_are_in_the_record_and_the_ledger_at_any_verbosity(trees: Trees) -> None:
    trees.make("a.dcm")
    trees.add("b", zip_of())
    for _ in range(2):
        done = trees.run("--json", "-v", "0", "--ledger", str(trees.inputs.parent / "ledger"))
        assert done.err == ""
        assert done.record["archives"] == [{"path": "b", "kind": "zip"}]
        assert any("1 archive was not processed: b" in text for text in done.record["warnings"])


@pytest.mark.parametrize("more", [(), ("--dryRun",), ("--threads", "2")], ids=str)
def test_tree_with_files_and_no_dicom_is_warned_of(more: tuple[str, ...], trees: Trees) -> None:
    for number in range(7):
        trees.add(f"{number}.txt", b"x")
    done = trees.run("--json", *more)
    assert done.code == 0
    (line,) = [line for line in done.err.splitlines() if "is DICOM" in line]
    assert "none of the 7 files found is DICOM" in line
    assert "0.txt, 1.txt, 2.txt, 3.txt, 4.txt and 2 more" in line
    assert any("none of the 7 files" in text for text in done.record["warnings"])


def test_tree_with_some_dicom_is_not_warned_of(trees: Trees) -> None:
    trees.make("a.dcm")
    trees.add("b.txt", b"x")
    done = trees.run("--json")
    assert done.record["warnings"] == []
    assert done.record["archives"] == []


def test_record_of_many_skipped_files_stays_small() -> None:
    totals = Totals()
    for number in range(200_000):
        path = "\udcff" * 200 + f"/{number:06}/" + "\xe4" * 50
        totals.add(FileOutcome(path, Status.SKIPPED, reason=reason_of("zip")))
    printed = to_json(totals.finish(ExitCode.OK, 1.0, ""))
    assert len(printed) < 100_000_000
    record = json.loads(printed)
    assert len(record["skipped"]) + record["skippedNotListed"] == record["counts"]["skipped"] == 200_000
    assert record["skipped"][0]["path"].endswith("/000000/" + "\xe4" * 50)


def test_record_lists_every_skipped_file_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    totals = Totals()
    for number in (2, 1, 3):
        totals.add(FileOutcome(str(number), Status.SKIPPED, reason="not DICOM"))
    record = json.loads(to_json(totals.finish(ExitCode.OK, 1.0, "")))
    assert [entry["path"] for entry in record["skipped"]] == ["1", "2", "3"]
    monkeypatch.setattr(record_maker, "LISTED_MOST", 200)
    cut = json.loads(to_json(totals.finish(ExitCode.OK, 1.0, "")))
    assert (cut["skipped"], cut["skippedNotListed"]) == (record["skipped"][:2], 1)
