"""How much of a file is read, and how often."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.dicom.sources import FIRST_WINDOW, TRIED_AGAIN, WINDOW, FileSource, ReadAhead
from pfdicom_tagSub.engine.survey_basis import SurveyOptions
from pfdicom_tagSub.run.opened_file import IN_MEMORY
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings


def private_file(number: int, tmp_path: Path) -> Path:
    """A file of which 200 kB of private elements stand before the pixels."""
    body = struct.pack("<HH2sH", 0x0010, 0x0010, b"PN", 8) + b"Doe^Jane"
    body += struct.pack("<HH2sH", 0x0065, 0x0010, b"LO", 8) + b"Example "
    for element in range(200):
        text = f"{number:04d}".encode() * 250
        body += struct.pack("<HH2sH", 0x0065, 0x1000 + element, b"LT", len(text)) + text
    pixels = bytes(2 * IN_MEMORY)
    body += struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, len(pixels)) + pixels
    syntax = b"1.2.840.10008.1.2.1\0"
    meta = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", len(syntax)) + syntax
    head = struct.pack("<HH2sHI", 0x0002, 0x0000, b"UL", 4, len(meta))
    path = tmp_path / f"{number}.dcm"
    path.write_bytes(bytes(128) + b"DICM" + head + meta + body)
    return path


def test_file_with_long_header_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(Settings(compile_spec({"PatientName": "anon"}), output_root=str(tmp_path / "out")))
    reads: list[int] = []
    read = os.pread

    def counting(descriptor: int, size: int, start: int) -> bytes:
        reads.append(size)
        return read(descriptor, size, start)

    monkeypatch.setattr(os, "pread", counting)
    counts = []
    for number in range(8):
        path = private_file(number, tmp_path)
        reads.clear()
        job = FileJob(str(path), str(tmp_path / "out" / path.name), path.name)
        assert worker.process(job).status is Status.WRITTEN
        assert max(reads) <= WINDOW
        counts.append(len(reads))
    assert counts[0] <= 3
    assert counts[-1] == 1


def test_what_is_read_at_first_follows_the_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(3 * WINDOW))
    ahead = ReadAhead()
    descriptor = os.open(path, os.O_RDONLY)
    try:

        def use(*positions: int) -> None:
            source = FileSource(descriptor, 3 * WINDOW, ahead.size)
            for position in positions:
                source.window(position, 8)
                assert source.read(0, 4) == bytes(4)
            ahead.learn(source)

        use(0)
        assert ahead.size == FIRST_WINDOW
        use(0, 3 * WINDOW)  # where nothing is left to read
        assert ahead.size == FIRST_WINDOW
        use(0, 5 * FIRST_WINDOW)
        assert ahead.size == 6 * FIRST_WINDOW
        use(0, 2 * WINDOW)
        assert ahead.size == WINDOW
        for _ in range(TRIED_AGAIN):
            assert ahead.size == WINDOW
            use(0)
        assert ahead.size == FIRST_WINDOW
    finally:
        os.close(descriptor)


def test_a_survey_reads_no_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = compile_spec({"PatientName": "anon"})
    settings = Settings(rules, output_root=str(tmp_path / "out"), is_dry=True, survey_options=SurveyOptions())
    worker = Worker(settings)
    read = os.pread
    reads: list[int] = []

    def counting(descriptor: int, size: int, start: int) -> bytes:
        reads.append(size)
        return read(descriptor, size, start)

    monkeypatch.setattr(os, "pread", counting)
    for number in range(20):
        path = tmp_path / f"{number}.dcm"
        pixels = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 2 * IN_MEMORY) + bytes(2 * IN_MEMORY)
        name = struct.pack("<HH2sH", 0x0010, 0x0010, b"PN", 8) + f"Doe^{number:04d}".encode()
        syntax = struct.pack("<HH2sH", 0x0002, 0x0010, b"UI", 20) + b"1.2.840.10008.1.2.1\0"
        path.write_bytes(bytes(128) + b"DICM" + syntax + name + pixels)
        job = FileJob(str(path), str(tmp_path / "out" / path.name), path.name)
        assert worker.process(job).status is Status.WRITTEN
    assert reads == [FIRST_WINDOW] * 20
