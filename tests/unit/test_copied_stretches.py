"""Which stretches of an input the kernel copies, and which are written with what is new around them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.dicom.sources import FileSource
from pfdicom_tagSub.files import writing


@pytest.mark.parametrize(
    ("length", "by_kernel"), [(190_000, 0), (writing.SPLICED - 1, 0), (writing.SPLICED, 1), (3_000_000, 1)]
)
def test_write_leaves_long_stretches_alone_to_the_kernel(
    length: int, by_kernel: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = os.urandom(100 + length)
    (tmp_path / "in").write_bytes(content)
    copied = written = 0
    copy, writev = os.copy_file_range, os.writev

    def counted_copy(*arguments: Any) -> int:
        nonlocal copied
        copied += 1
        return copy(*arguments)

    def short_writev(descriptor: int, buffers: list[bytes]) -> int:
        nonlocal written
        written += 1
        return writev(descriptor, [b"".join(buffers)[:-1]])  # as on a disk that is nearly full

    monkeypatch.setattr(os, "copy_file_range", counted_copy)
    monkeypatch.setattr(os, "writev", short_writev)
    source_descriptor = os.open(tmp_path / "in", os.O_RDONLY)
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        status = writing.write(
            folder,
            "out",
            FileSource(source_descriptor, len(content)),
            lambda: iter([b"new", (100, len(content))]),
            overwrite=False,
            pause=lambda: None,
        )
    finally:
        os.close(folder)
        os.close(source_descriptor)
    assert status is Status.WRITTEN
    assert (tmp_path / "out").read_bytes() == b"new" + content[100:]
    assert copied == by_kernel
    assert written == 1
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]
