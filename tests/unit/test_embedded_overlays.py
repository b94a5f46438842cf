"""Overlays in the unused bits of pixels: cleared with their group, or the file is to be looked at."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest
from builders import BIG, DEFLATED, EXPLICIT, IMPLICIT, Form, data_set, read, written
from hypothesis import given
from hypothesis import strategies as st
from pictures import CT, US, Layout, file_bytes, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from support import run_command

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.dicom import embedded_overlays
from pfdicom_tagSub.dicom.embedded_overlays import (
    BITS_ALLOCATED,
    BITS_STORED,
    HIGH_BIT,
    ClearedBits,
    cleared,
    kept_bits,
    position_of,
)
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Patcher

WORDS = [0x8001, 0x1234, 0xFFFF, 0x0000]
FORMS = [EXPLICIT, IMPLICIT, BIG, DEFLATED]


def _picture(
    form: Form, *, bits: tuple[int, int, int] = (16, 12, 11), at: int = 15, **overlay: Any
) -> Dataset:
    allocated, stored, high = bits
    content = data_set(
        PatientID="P", SOPClassUID=uid.CTImageStorage, Rows=2, Columns=2, SamplesPerPixel=1,
        PixelRepresentation=0, BitsAllocated=allocated, BitsStored=stored, HighBit=high,
    )  # fmt: skip
    content.add_new(0x60000010, "US", 2)
    content.add_new(0x60000011, "US", 2)
    content.add_new(0x60000100, "US", overlay.get("allocated", allocated))
    content.add_new(0x60000102, "US", at)
    if "data" in overlay:
        content.add_new(0x60003000, "OW", overlay["data"])
    content.add_new(0x7FE00010, "OW", struct.pack(">4H" if form is BIG else "<4H", *WORDS))
    return content


def _words(data: bytes, form: Form) -> list[int]:
    return list(struct.unpack(">4H" if form is BIG else "<4H", read(data).PixelData))


SPECS: list[dict[str, Any]] = [
    {"spec": {"(60xx,xxxx)": None}},
    {"spec": {"(6000,3000)": None}},
    {"spec": {"(6000,3000)": ""}},
    {"spec": {"(6000,0102)": None}},
    {"spec": {"re:Overlay.*": None}},
    {"profile": "basic"},
    {"profile": "basic,cleanGraphics"},
]


def _rules(spec: dict[str, Any]) -> Any:
    return compile_spec(spec.get("spec", {}), profile=spec.get("profile", ""))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_overlay_goes_with_its_group(spec: dict[str, Any], form: Form) -> None:
    data = written(_picture(form), form)
    assert _words(data, form) == WORDS
    assert _words(patch_bytes(data, _rules(spec)), form) == [word & 0x7FFF for word in WORDS]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_overlay_stays_where_nothing_removes_its_group(form: Form) -> None:
    data = written(_picture(form), form)
    for spec in ({"PatientID": "x"}, {"(60xx,xxxx)": "%_keep_#tag"}, {"(6002,xxxx)": None}):
        assert _words(patch_bytes(data, compile_spec(spec)), form) == WORDS


def test_overlays_of_several_groups_and_in_low_bits_are_cleared() -> None:
    content = _picture(EXPLICIT, bits=(16, 12, 15), at=0)
    content.add_new(0x60020100, "US", 16)
    content.add_new(0x60020102, "US", 3)
    patched = patch_bytes(written(content, EXPLICIT), compile_spec({"(60xx,xxxx)": None}))
    assert _words(patched, EXPLICIT) == [word & 0xFFF6 for word in WORDS]


def test_overlay_with_data_of_its_own_is_not_in_the_pixels() -> None:
    content = _picture(EXPLICIT, at=0, allocated=1, data=b"\xff\xff")
    patched = patch_bytes(written(content, EXPLICIT), compile_spec({"(60xx,xxxx)": None}))
    assert _words(patched, EXPLICIT) == WORDS


def _review(data: bytes, spec: dict[str, Any]) -> str:
    file = parse(BytesSource(data))
    patcher = Patcher(_rules(spec))
    return patcher.patch(file, patcher.scan(file)).review


@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_overlay_that_cannot_be_cleared_is_to_be_looked_at(spec: dict[str, Any]) -> None:
    used = written(_picture(EXPLICIT, at=11), EXPLICIT)
    assert "overlay in its pixels" in _review(used, spec)
    cleared_ones = written(_picture(EXPLICIT), EXPLICIT)
    assert _review(cleared_ones, spec) == ""
    compressed = cleared_ones.replace(
        struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OW", 0, 8) + struct.pack("<4H", *WORDS),
        struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
        + struct.pack("<HHI", 0xFFFE, 0xE000, 0) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0),
    )  # fmt: skip
    assert compressed != cleared_ones
    assert "overlay in its pixels" in _review(compressed, spec)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_verification_takes_cleared_pixels_and_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(written(_picture(form), form))
    flags = ("--json", "--verify", "--tagStruct", '{"(60xx,xxxx)": null}')
    assert run_command(tmp_path / "in", tmp_path / "out", *flags).code == 0
    monkeypatch.setattr(
        ClearedBits, "pieces", lambda bits, source: iter([source.read(bits.start, bits.stop)])
    )
    done = run_command(tmp_path / "in", tmp_path / "left", *flags)
    assert done.code == 1
    assert "PixelData" in done.record["failures"][0]["reason"]


def test_remembered_patch_is_not_replayed_on_other_pixels() -> None:
    patcher = Patcher(compile_spec({"(60xx,xxxx)": None, "PatientID": "x"}))
    for words in (WORDS, WORDS[::-1], WORDS):
        content = _picture(EXPLICIT)
        content.PixelData = struct.pack("<4H", *words)
        file = parse(BytesSource(written(content, EXPLICIT)))
        patched = patcher.patch(file, patcher.scan(file))
        found = [edit.data for edit in patched.edits if isinstance(edit.data, ClearedBits)]
        assert len(found) == 1
        assert b"".join(found[0].pieces(file.source)) == struct.pack(
            "<4H", *(word & 0x7FFF for word in words)
        )


@given(
    data=st.binary(max_size=70),
    allocated=st.sampled_from([8, 16, 32]),
    little=st.booleans(),
    bit=st.integers(0, 31),
    piece=st.sampled_from([4, 8, 1 << 20]),
)
def test_cleared_bits_are_those_of_each_cell(
    data: bytes, allocated: int, little: bool, bit: int, piece: int
) -> None:
    bit %= allocated
    cell = {BITS_ALLOCATED: allocated, BITS_STORED: 1, HIGH_BIT: (bit + 1) % allocated}
    kept = kept_bits({bit}, cell, little=little)
    assert kept is not None
    size = allocated // 8
    order = "little" if little else "big"
    expected = b"".join(
        (int.from_bytes(data[place : place + size], order) & ~(1 << bit)).to_bytes(size, order)  # type: ignore[arg-type]
        for place in range(0, len(data) - len(data) % size, size)
    )
    assert cleared(data, kept)[: len(expected)] == expected
    old, embedded_overlays.PIECE = embedded_overlays.PIECE, piece
    try:
        bits = ClearedBits(0, len(expected), kept)
        assert b"".join(bits.pieces(BytesSource(data))) == expected
    finally:
        embedded_overlays.PIECE = old


@pytest.mark.parametrize(
    ("positions", "cell"),
    [
        ({11}, (16, 12, 11)), ({16}, (16, 12, 11)), ({15, 3}, (16, 12, 11)), ({1}, (1, 1, 0)),
        ({15}, (16, 12, 16)), ({15}, (16, 0, 11)), ({15}, (12, 8, 7)), ({15}, (16, 14, 11)),
    ],
)  # fmt: skip
def test_bits_that_are_not_certain_are_not_cleared(positions: set[int], cell: tuple[int, int, int]) -> None:
    numbers = dict(zip((BITS_ALLOCATED, BITS_STORED, HIGH_BIT), cell, strict=True))
    assert kept_bits(positions, numbers, little=True) is None


@pytest.mark.parametrize(
    ("numbers", "has_data", "bit"),
    [
        ({0x60000102: 15}, False, 15), ({0x60000102: 15}, True, 15), ({0x60000102: 0}, False, None),
        ({0x60000102: 0, 0x60000100: 16}, False, 0), ({0x60000102: 0, 0x60000100: 16}, True, None),
        ({}, False, None),
    ],
)  # fmt: skip
def test_position_of_an_overlay(numbers: dict[int, int], has_data: bool, bit: int | None) -> None:
    assert position_of(0x6000, numbers, has_data=has_data) == bit


@pytest.mark.parametrize("position", [0, 15])
def test_overlay_that_a_key_keeps_in_the_pixels_is_told_under_a_profile(
    tmp_path: Path, position: int
) -> None:
    made = picture(Layout("grey-12", "MONOCHROME2", 16, 12), Modality="CT", SOPClassUID=CT)
    made.add_new(0x60000100, "US", 16 if position else 1)
    made.add_new(0x60000102, "US", position)
    made.add_new(0x60003000, "OW", bytes(300))
    source = tmp_path / "in"
    source.mkdir()
    for name in "ab":  # the second one is done as the first
        (source / f"{name}.dcm").write_bytes(file_bytes(made))
    flags = ("--profile", "basic", "--json", "--verify", "--tagStruct", '{"(60xx,xxxx)": "%_keep_#tag"}')
    result = run_command(source, tmp_path / "out", *flags)
    assert result.code == 0, result.out
    reasons = [one["reason"] for one in result.record["pixelReview"]]
    assert reasons == ["an overlay in its pixels stays, as no key removes it"] * (2 if position else 0)


@pytest.mark.parametrize("is_masked", [True, False])
def test_overlay_that_stays_is_told_where_pixels_are_cleaned_without_a_profile(
    tmp_path: Path, is_masked: bool
) -> None:
    pytest.importorskip("jpeg_ls", reason="the codecs are not installed")
    modality, sop_class = ("US", US) if is_masked else ("CT", CT)
    made = picture(Layout("grey-12", "MONOCHROME2", 16, 12), Modality=modality, SOPClassUID=sop_class)
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 15)
    made.SequenceOfUltrasoundRegions = [region(10, 10, 30, 30)]
    source = tmp_path / "in"
    source.mkdir()
    for name in "ab":  # the second one is done as the first
        (source / f"{name}.dcm").write_bytes(file_bytes(made))
    flags = ("--cleanPixels", "regions", "--json", "--verify", "--tagStruct", '{"PatientName": "x"}')
    result = run_command(source, tmp_path / "out", *flags)
    assert result.code == 0, result.out
    assert len(result.record["pixelsCleaned"]) == (2 if is_masked else 0)
    reasons = [one["reason"].rpartition("; ")[2] for one in result.record["pixelReview"]]
    assert reasons == ["an overlay in its pixels stays, as no key removes it"] * 2
