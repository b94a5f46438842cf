"""Deflated data sets: limits on what they become, and where their bytes go."""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from pathlib import Path

import pytest
from support import run_command

from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom import inflating
from pfdicom_tagSub.dicom.inflating import DEFAULT_LIMIT, InflateLimit, SpooledSource, inflate
from pfdicom_tagSub.dicom.sources import BytesSource

SYNTAX = b"1.2.840.10008.1.2.1.99"
SPEC = ("--tagStruct", '{"PatientName": "ANON"}')


def _element(tag: int, vr: str, value: bytes) -> bytes:
    head = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode())
    if vr in {"OB", "OW"}:
        return head + struct.pack("<HI", 0, len(value)) + value
    return head + struct.pack("<H", len(value)) + value


def _deflated(path: Path, pixels: int) -> Path:
    meta = _element(0x00020010, "UI", SYNTAX)
    meta = _element(0x00020000, "UL", struct.pack("<I", len(meta))) + meta
    data = _element(0x00100010, "PN", b"Doe^Jane") + _element(0x7FE00010, "OW", bytes(pixels))
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(128) + b"DICM" + meta + packer.compress(data) + packer.flush())
    return path


def _packed(data: bytes) -> BytesSource:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return BytesSource(packer.compress(data) + packer.flush())


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        (InflateLimit(size=9_999, ratio=0), "more than 9,999 bytes"),
        (InflateLimit(ratio=50), "more than 50 times its size"),
    ],
)
def test_inflate_stops_at_its_limit(
    monkeypatch: pytest.MonkeyPatch, limit: InflateLimit, reason: str
) -> None:
    monkeypatch.setattr(inflating, "HARMLESS", 5_000)
    monkeypatch.setattr(inflating, "PIECE", 1_000)
    with pytest.raises(FileError, match=reason) as raised:
        inflate(_packed(bytes(10_000)), 0, limit)
    assert "--maxInflated" in str(raised.value)


@pytest.mark.parametrize("limit", [InflateLimit(size=10_000), InflateLimit(ratio=0), DEFAULT_LIMIT])
def test_inflate_within_its_limit_gives_every_byte(limit: InflateLimit) -> None:
    data = bytes(5_000) + bytes(range(200)) * 25
    found = inflate(_packed(data), 0, limit)
    assert found.read(0, found.size) == data


def test_limit_of_a_user_replaces_that_of_the_ratio() -> None:
    assert InflateLimit.of(8 << 30, "/d") == InflateLimit(8 << 30, 0, "/d")
    assert InflateLimit.of(0, "") == DEFAULT_LIMIT


def _without_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    real = tempfile.TemporaryFile

    def refused(dir: str | None = None):
        if dir is None:
            raise FileNotFoundError(2, "No usable temporary directory found")
        return real(dir=dir)

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    monkeypatch.setattr(inflating, "IN_MEMORY", 1_000)


def test_inflated_bytes_go_to_the_output_where_there_is_no_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_temporary(monkeypatch)
    found = inflate(_packed(bytes(5_000)), 0, InflateLimit(directory=str(tmp_path)))
    assert isinstance(found, SpooledSource)
    assert found.read(0, 5_000) == bytes(5_000)
    assert list(tmp_path.iterdir()) == []


def test_file_fails_where_its_inflated_bytes_can_go_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _without_temporary(monkeypatch)
    with pytest.raises(FileError, match="set TMPDIR"):
        inflate(_packed(bytes(5_000)), 0, InflateLimit(directory=str(tmp_path / "absent")))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_file_fails_where_its_inflated_bytes_have_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflating, "IN_MEMORY", 1_000)
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: open("/dev/full", "r+b", buffering=0))  # noqa: SIM115
    with pytest.raises(FileError, match=r"no room \(No space left on device\): set TMPDIR"):
        inflate(_packed(bytes(5_000)), 0, InflateLimit())


@pytest.mark.parametrize("flags", [(), ("--verify",)])
def test_run_on_deflated_files_obeys_the_limit(tmp_path: Path, flags: tuple[str, ...]) -> None:
    _deflated(tmp_path / "in" / "large.dcm", 200_000)
    _deflated(tmp_path / "in" / "small.dcm", 2_000)
    done = run_command(tmp_path / "in", tmp_path / "out", "--json", "--maxInflated", "100K", *SPEC, *flags)
    assert done.code == 1
    assert [failure["path"] for failure in done.record["failures"]] == ["large.dcm"]
    assert "--maxInflated" in done.record["failures"][0]["reason"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["small.dcm"]
    done = run_command(tmp_path / "in", tmp_path / "out", "--json", "--maxInflated", "1M", *SPEC, *flags)
    assert done.code == 0


def test_verification_of_a_deflated_file_does_not_inflate_it_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As pydicom would; a picture that is black all over takes a thousandth of its size."""
    monkeypatch.setattr(zlib, "decompress", lambda *_: pytest.fail("inflated as a whole"))
    _deflated(tmp_path / "in" / "a.dcm", 80 << 20)
    done = run_command(tmp_path / "in", tmp_path / "out", "--json", "--verify", *SPEC)
    assert done.code == 0, done.record["failures"]


@pytest.mark.parametrize(
    ("text", "size"), [("100", 100), ("4k", 4096), ("500M", 500 << 20), ("8G", 8 << 30), ("1TB", 1 << 40)]
)
def test_size_of_the_limit_is_bytes_or_has_a_unit(text: str, size: int) -> None:
    options = cli.parse(["-I", "in", "-O", "out", "--tagStruct", "{}", "--maxInflated", text])
    assert options.max_inflated == size


@pytest.mark.parametrize("text", ["0", "-1", "4X", "", "1.5G", "G"])
def test_size_of_the_limit_that_is_none_is_bad_usage(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(cli.UsageExit):
        cli.parse(["-I", "in", "-O", "out", "--tagStruct", "{}", f"--maxInflated={text}"])
