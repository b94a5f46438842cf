"""What a scan keeps, and how it tells from the raw bytes whether a sequence may hold it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from builders import BIG, EXPLICIT, Form, tag_bytes
from hypothesis import given
from hypothesis import strategies as st

from pfdicom_tagSub.dicom import scan_filter, sources
from pfdicom_tagSub.dicom.scan_filter import EVERYTHING, ScanFilter
from pfdicom_tagSub.dicom.sources import BytesSource, FileSource

TAGS = st.integers(0, 0xFFFFFFFF)


def occurs(look: ScanFilter, data: bytes, *, little: bool) -> bool:
    return look.occurs_in(BytesSource(data), 0, len(data), little=little)


@given(st.sets(TAGS, min_size=1, max_size=60), st.binary(max_size=9), st.binary(max_size=9), st.booleans())
def test_occurs_in_finds_each_of_its_tags(tags: set[int], before: bytes, after: bytes, little: bool) -> None:
    look = ScanFilter(tags)
    form = EXPLICIT if little else BIG
    for tag in tags:
        assert occurs(look, before + tag_bytes(tag, form) + after, little=little)


@given(st.sets(TAGS, min_size=1, max_size=60), st.binary(max_size=40), st.booleans())
def test_occurs_in_finds_nothing_else(tags: set[int], data: bytes, little: bool) -> None:
    form = EXPLICIT if little else BIG
    swapped = tag_bytes(0xFFFEE000, BIG if little else EXPLICIT)
    expected = any(tag_bytes(tag, form) in data for tag in tags) or swapped in data
    assert occurs(ScanFilter(tags), data, little=little) == expected


@given(st.sets(st.integers(0x00100000, 0x001000FF), max_size=5), st.binary(max_size=2), st.booleans())
def test_occurs_in_tells_near_tags_apart(elements: set[int], noise: bytes, little: bool) -> None:
    form = EXPLICIT if little else BIG
    look = ScanFilter(elements)
    for tag in range(0x00100000, 0x00100100, 5):
        data = b"\xaa" + tag_bytes(tag, form) + b"\xaa" + noise
        assert occurs(look, data, little=little) == (tag in elements)


@pytest.mark.parametrize("form", [EXPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize("tag", [0x000A000D, 0x005B005D, 0x002E002A, 0x5C5C5C5C, 0x0A0A0A0A, 0x00280028])
def test_occurs_in_takes_no_byte_for_a_sign_of_a_pattern(form: Form, tag: int) -> None:
    look = ScanFilter((tag,))
    assert occurs(look, tag_bytes(tag, form), little=form.little)
    for place in range(4):
        other = bytearray(tag_bytes(tag, form))
        other[place] ^= 1
        assert not occurs(look, bytes(other), little=form.little)


def test_occurs_in_without_tags_is_false() -> None:
    assert not occurs(ScanFilter(()), bytes(range(256)), little=True)


@pytest.mark.parametrize("look", [ScanFilter((), private=True), EVERYTHING])
def test_occurs_in_is_always_true_where_everything_is_entered(look: ScanFilter) -> None:
    assert occurs(look, b"", little=True)
    assert occurs(look, b"abcd", little=False)


def test_occurs_in_looks_for_what_to_enter_for_alone() -> None:
    look = ScanFilter((0x00100010, 0x00100020), (0x00100020,))
    assert not occurs(look, tag_bytes(0x00100010, EXPLICIT), little=True)
    assert occurs(look, tag_bytes(0x00100020, EXPLICIT), little=True)


def test_occurs_in_keeps_to_the_bytes_given() -> None:
    data = tag_bytes(0x00100010, EXPLICIT)
    look = ScanFilter((0x00100010,))
    source = BytesSource(b"ab" + data + b"cd")
    assert look.occurs_in(source, 2, 6, little=True)
    assert not look.occurs_in(source, 3, 8, little=True)
    assert not look.occurs_in(source, 0, 5, little=True)


@pytest.mark.parametrize("window", [1, 4, 7, 16])
@pytest.mark.parametrize("chunk", [4, 5, 8, 64])
def test_occurs_in_finds_a_tag_that_straddles_two_windows(
    window: int, chunk: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "WINDOW", window)
    monkeypatch.setattr(scan_filter, "SEARCH_CHUNK", chunk)
    look = ScanFilter((0x00100010,))
    path = tmp_path / "a"
    for place in range(40):
        path.write_bytes(b"\xaa" * place + tag_bytes(0x00100010, EXPLICIT) + b"\xaa" * 9)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            size = path.stat().st_size
            assert look.occurs_in(FileSource(descriptor, size), 0, size, little=True)
            assert not look.occurs_in(FileSource(descriptor, size), 0, place + 3, little=True)
            assert not look.occurs_in(FileSource(descriptor, size), place + 1, size, little=True)
        finally:
            os.close(descriptor)
