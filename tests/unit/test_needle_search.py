"""Long texts in large binary values: found wherever they begin, in memory and in a file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from pfdicom_tagSub.dicom.sources import BytesSource, FileSource
from pfdicom_tagSub.verify import needle_search
from pfdicom_tagSub.verify.entries import Entry
from pfdicom_tagSub.verify.needle_search import Named, NeedleSearch
from pfdicom_tagSub.verify.search_terms import Needle

HEADER = 12
TEXT = b"DOE^JANE"


def found(data: bytes, path: Path | None = None, *, search: NeedleSearch | None = None) -> Named:
    """What is found in pixel data that lie behind something else."""
    search = search or NeedleSearch([Needle(TEXT.lower())], [], lambda: None)
    before = b"JANE^DOE" * 4 + bytes(HEADER)
    stored = before + data + b"DOE^JANE"
    raw = RawDataElement(Tag(0x7FE00010), "OW", len(data), None, len(before), False, True, True)
    entry = Entry(0x7FE00010, len(before) - HEADER, len(before), len(before) + len(data), raw)
    named: Named = {}
    if path is None:
        search.bulk(BytesSource(stored), entry, named)
        return named
    path.write_bytes(stored)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        search.bulk(FileSource(descriptor, len(stored)), entry, named)
    finally:
        os.close(descriptor)
    return named


@pytest.mark.parametrize("is_file", [False, True], ids=["memory", "file"])
@pytest.mark.parametrize("around", [b"\0", b"\xff"], ids=["zeros", "ones"])
def test_text_is_found_wherever_it_begins(is_file: bool, around: bytes, tmp_path: Path) -> None:
    path = tmp_path / "pixels" if is_file else None
    size = 96
    assert not found(around * size, path), "what lies before and behind is no part of it"
    for place in range(size - len(TEXT) + 1):
        data = around * place + TEXT + around * (size - place - len(TEXT))
        assert list(found(data, path)) == ["pixel data"], place


@pytest.mark.parametrize("is_file", [False, True], ids=["memory", "file"])
def test_text_at_the_border_of_two_chunks_is_found(
    is_file: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needle_search, "CHUNK", 64)
    monkeypatch.setattr(needle_search, "OVERLAP", 16)
    path = tmp_path / "pixels" if is_file else None
    for place in range(40, 150):
        data = bytes(place) + TEXT + bytes(192 - place)
        assert list(found(data, path)) == ["pixel data"], place


def test_part_of_a_text_is_not_found_and_what_cannot_hold_one_is_not_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search = NeedleSearch([Needle(TEXT.lower())], [], lambda: None)
    assert not found(bytes(40) + TEXT[:-1] + bytes(40), search=search)
    monkeypatch.setattr(BytesSource, "read", None)
    assert not found(b"\0\1\2\3" * 4000, search=search)
