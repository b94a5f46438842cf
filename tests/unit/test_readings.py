"""Bytes that readers read in more than one way: what any would show is replaced, or the file fails."""

from __future__ import annotations

import struct
import time
from pathlib import Path

import pytest
from builders import (
    BIG,
    EXPLICIT,
    IMPLICIT,
    UNDEFINED,
    Form,
    Substituted,
    element,
    file_of,
    item,
    process,
    rules_of,
    sequence,
    substitute,
    tag_bytes,
)

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.dicom.element_scanner import ElementScanner
from pfdicom_tagSub.dicom.elements import (
    EXPLICIT_LITTLE,
    IMPLICIT_LITTLE,
    LONG_VRS,
    SHORT_VRS,
    Stretch,
)
from pfdicom_tagSub.dicom.other_readers import READERS
from pfdicom_tagSub.dicom.other_readers import Form as HeaderForm
from pfdicom_tagSub.dicom.readings import check
from pfdicom_tagSub.dicom.scan_filter import ScanFilter
from pfdicom_tagSub.dicom.scanner import scan
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import load

NAME, STUDIES, PRIVATE, PIXELS = 0x00100010, 0x00081110, 0x20011001, 0x7FE00010
SECRET = b"DOE^JANE"
SPEC = {"re:PatientName$": "ANON"}
FORMLESS = Form("swapped implicit", "", implicit=True, little=False)


def name(form: Form) -> bytes:
    return element(NAME, "PN", SECRET, form)


def around(middle: bytes, form: Form) -> bytes:
    """A whole data set with something in its middle."""
    first = element(0x00080005, "CS", b"ISO_IR 100", form) + element(0x00080016, "UI", b"1.2\0", form)
    return first + middle + element(0x7FE00010, "OW", b"\1\2" * 40, form)


def creator(form: Form) -> bytes:
    return element(0x20010010, "LO", b"MAKER ", form)


def done(middle: bytes, form: Form, folder: Path) -> Substituted:
    return substitute(file_of(around(middle, form), form), SPEC, folder)


def is_safe(result: Substituted) -> bool:
    """Whether it failed and says why, or holds no trace of the name."""
    if result.outcome.status is Status.FAILED:
        assert "DOE" not in result.outcome.reason
        return "internal" not in result.outcome.reason
    return SECRET not in result.content


def sequence_end(form: Form) -> bytes:
    return tag_bytes(0xFFFEE0DD, form) + bytes(4)


def item_end(form: Form) -> bytes:
    return tag_bytes(0xFFFEE00D, form) + bytes(4)


# --- unknown VRs


@pytest.mark.parametrize("code", [b"--", b"C\xd3", b"XX", b"  ", b"\0\1", b"cs"])
def test_element_of_unknown_vr_is_stepped_over_as_what_follows_tells(code: bytes, tmp_path: Path) -> None:
    odd = tag_bytes(0x00080070, EXPLICIT) + code + struct.pack("<H", 4) + b"ACME"
    result = done(odd + name(EXPLICIT), EXPLICIT, tmp_path)
    assert result.outcome.status is Status.WRITTEN
    assert SECRET not in result.content


def test_unknown_vr_whose_length_reads_two_ways_fails_and_names_it(tmp_path: Path) -> None:
    """Two capital letters: 16 bits for pydicom and gdcm, 32 for dcmtk and dcm4che."""
    rest = name(EXPLICIT)
    inner = struct.pack("<I", 0) + element(0x00080080, "LO", b"ACME", EXPLICIT)
    odd = tag_bytes(0x00080070, EXPLICIT) + b"XX" + struct.pack("<H", 4) + inner
    result = done(odd + rest, EXPLICIT, tmp_path)
    assert result.outcome.status is Status.FAILED
    assert "(0008,0070) at byte" in result.outcome.reason
    assert 'the VR "XX"' in result.outcome.reason


def test_name_in_what_an_unknown_vr_steps_over_fails(tmp_path: Path) -> None:
    odd = tag_bytes(0x00080070, EXPLICIT) + b"--" + struct.pack("<H", len(name(EXPLICIT))) + name(EXPLICIT)
    result = done(odd, EXPLICIT, tmp_path)
    assert result.outcome.status is Status.FAILED
    assert is_safe(result)


def test_black_rows_are_no_elements(tmp_path: Path) -> None:
    """The VR of Modality, one bit flipped: as a part of a length it leads into black rows."""
    odd = tag_bytes(0x00080060, EXPLICIT) + b"C\xd3" + struct.pack("<H", 2) + b"MR"
    pixels = element(PIXELS, "OW", b"\1" * 120_000 + bytes(90_000), EXPLICIT)
    for shift in range(0, 8, 2):
        data = odd + element(0x00080070, "LO", b"A" * (2 + shift), EXPLICIT) + name(EXPLICIT) + pixels
        result = substitute(file_of(data), SPEC, tmp_path)
        assert is_safe(result)


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
def test_zeros_in_the_middle_are_an_error(form: Form, tmp_path: Path) -> None:
    result = done(bytes(16) + name(form), form, tmp_path)
    assert "zeros stand at byte" in result.outcome.reason


# --- transfer syntax


def test_conforming_implicit_file_whose_first_length_looks_like_a_vr_is_processed(tmp_path: Path) -> None:
    first = element(0x00080008, "CS", b"A" * 0x5344, IMPLICIT)
    result = substitute(file_of(first + name(IMPLICIT), IMPLICIT), SPEC, tmp_path)
    assert result.outcome.status is Status.WRITTEN
    assert SECRET not in result.content


@pytest.mark.parametrize("declared", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
def test_data_set_that_reads_both_ways_fails(declared: Form, tmp_path: Path) -> None:
    last = name(IMPLICIT) + element(0x00200010, "SH", b"1 ", IMPLICIT)
    hidden = tag_bytes(0x00091001, EXPLICIT) + b"UN\0\0"
    hidden += struct.pack("<I", 0x5344 - 12 + len(last)) + b" " * (0x5344 - 12)
    data = tag_bytes(0x00080008, IMPLICIT) + struct.pack("<I", 0x5344) + hidden + last
    result = substitute(file_of(data, declared), SPEC, tmp_path)
    if declared is EXPLICIT:  # its first element has a VR, and nobody doubts that
        assert result.outcome.status is Status.WRITTEN
    else:
        assert result.outcome.status is Status.FAILED
        assert "both in implicit and in explicit VR" in result.outcome.reason


@pytest.mark.parametrize("black", [0, 100, 4096])
@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
@pytest.mark.parametrize(
    "first",
    [(0x00080060, "CS", b"MR"), (0x00080008, "CS", b"A" * 0x5344), None],
    ids=["short", "long", "name"],
)
def test_little_endian_data_set_that_is_declared_big_endian_is_safe(
    first: tuple[int, str, bytes] | None, form: Form, black: int, tmp_path: Path
) -> None:
    # gdcm reads on in little endian, and in big endian the values end in the black pixels.
    data = (element(*first, form) if first else b"") + name(form) + element(PIXELS, "OW", bytes(black), form)
    result = substitute(file_of(data, BIG), SPEC, tmp_path)
    assert result.outcome.status is Status.FAILED or SECRET not in result.content


@pytest.mark.parametrize("spec", [{"VR:PN": ""}, {"PatientName": "", "text": "%_clean_#tag"}], ids=str)
def test_little_endian_data_set_is_seen_where_every_element_is_looked_at(
    spec: dict[str, str], tmp_path: Path
) -> None:
    first = element(0x00080060, "CS", b"MR", EXPLICIT)
    data = first + name(EXPLICIT) + element(PIXELS, "OW", bytes(4096), EXPLICIT)
    result = substitute(file_of(data, BIG), spec, tmp_path)
    assert result.outcome.status is Status.FAILED
    assert "some readers see (0010,0010)" in result.outcome.reason


@pytest.mark.parametrize("black", [0, 100, 4096])
@pytest.mark.parametrize("length", [2, 10, 16])
@pytest.mark.parametrize(
    "declared",
    [EXPLICIT, IMPLICIT, Form("GE", "1.2.840.113619.5.2", implicit=True, little=True)],
    ids=lambda form: form.name,
)
def test_big_endian_data_set_that_is_declared_otherwise_is_safe(
    declared: Form, length: int, black: int, tmp_path: Path
) -> None:
    # In little endian the first value is 256 times as long, and ends in the black pixels.
    data = element(0x00080005, "CS", b"ISO_IR 100"[:length], BIG) + name(BIG)
    content = file_of(data + element(PIXELS, "OW", bytes(black), BIG), declared)
    result = substitute(content, {"PatientName": "ANON"}, tmp_path)
    assert result.outcome.status is Status.FAILED or SECRET not in result.content


def test_big_endian_data_set_is_processed_whatever_it_begins_with(tmp_path: Path) -> None:
    for number, first in enumerate(
        ((0x00080060, "CS", b"MR"), (0x00080000, "UL", b"\0\0\0\x0a"), (NAME, "PN", SECRET))
    ):
        data = (
            element(*first, BIG)
            + (name(BIG) if first[0] != NAME else b"")
            + element(PIXELS, "OW", bytes(64), BIG)
        )
        (tmp_path / str(number)).mkdir()
        result = substitute(file_of(data, BIG), SPEC, tmp_path / str(number))
        assert result.outcome.status is Status.WRITTEN, result.outcome.reason
        assert SECRET not in result.content


@pytest.mark.parametrize("code", [b"  ", b"\0\1"])
def test_explicit_data_set_or_item_whose_first_vr_is_none_is_safe(code: bytes, tmp_path: Path) -> None:
    odd = tag_bytes(0x00080004, EXPLICIT) + code + struct.pack("<H", 4) + b"ACME"
    assert is_safe(substitute(file_of(odd + around(name(EXPLICIT), EXPLICIT)), SPEC, tmp_path))
    for defined in (True, False):
        items = item(odd + name(EXPLICIT), EXPLICIT, defined=defined)
        assert is_safe(done(sequence(STUDIES, items, EXPLICIT, defined=defined), EXPLICIT, tmp_path))


# --- sequences under other VRs


CLOSINGS = {
    "nothing": b"",
    "delimiter": sequence_end(IMPLICIT),
    "zeros": bytes(8),
    "cut item": tag_bytes(0xFFFEE000, IMPLICIT) + struct.pack("<I", 1000) + b"abcd",
    "item delimiter": item_end(IMPLICIT),
}


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("inner", [EXPLICIT, IMPLICIT, BIG, FORMLESS], ids=lambda form: form.name)
@pytest.mark.parametrize("vr", ["UN", "OB", "OW", ""])
@pytest.mark.parametrize("tag", [PRIVATE, STUDIES], ids=["private", "public"])
def test_name_in_a_sequence_of_another_vr_is_replaced_or_the_file_fails(
    tag: int, vr: str, inner: Form, closing: str, tmp_path: Path
) -> None:
    form = EXPLICIT if vr else IMPLICIT
    value = item(element(0x00080060, "CS", b"MR", inner) + name(inner), inner) + CLOSINGS[closing]
    result = done(
        creator(form) + element(tag, vr or "UN", value, form)
        if tag == PRIVATE
        else element(tag, vr or "UN", value, form),
        form,
        tmp_path,
    )
    assert is_safe(result)
    if closing == "nothing":
        assert result.outcome.status is Status.WRITTEN, result.outcome.reason


@pytest.mark.parametrize("inner", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
def test_un_of_undefined_length_is_entered_at_every_depth(inner: Form, tmp_path: Path) -> None:
    deep = element(PRIVATE, "UN", item(name(inner), inner) + sequence_end(inner), inner, UNDEFINED)
    top = element(
        PRIVATE, "UN", item(creator(inner) + deep, inner) + sequence_end(inner), EXPLICIT, UNDEFINED
    )
    result = done(creator(EXPLICIT) + top, EXPLICIT, tmp_path)
    assert result.outcome.status is Status.WRITTEN
    assert SECRET not in result.content


def test_item_that_reads_with_vrs_and_without_fails(tmp_path: Path) -> None:
    size = 0x4F4C  # "LO"
    rest = element(0x00200011, "UN", bytes(size - len(name(EXPLICIT)) - 12), EXPLICIT)
    content = tag_bytes(0x0040A160, EXPLICIT) + b"LO\0\0" + name(EXPLICIT) + rest
    for value in (item(content, EXPLICIT), item(content, EXPLICIT, defined=False)):
        result = done(element(0x0040A730, "UN", value, EXPLICIT), EXPLICIT, tmp_path)
        assert result.outcome.status is Status.FAILED
        assert "some readers see (0010,0010)" in result.outcome.reason


def test_cut_sequence_that_is_removed_as_a_whole_fails_nothing(tmp_path: Path) -> None:
    value = item(name(IMPLICIT), IMPLICIT) + CLOSINGS["cut item"]
    content = file_of(around(creator(EXPLICIT) + element(PRIVATE, "UN", value, EXPLICIT), EXPLICIT))
    kept = substitute(content, SPEC, tmp_path)
    assert "(2001,1001)" in kept.outcome.reason
    assert "begins like a sequence that cannot be read" in kept.outcome.reason
    gone = process(Worker(Settings(compile_rules(load("basic").spec))), content, tmp_path)
    assert gone.outcome.status is Status.WRITTEN
    assert SECRET not in gone.content


def test_text_where_the_dictionary_has_a_sequence_is_a_value(tmp_path: Path) -> None:
    text = element(0x0040A170, "SQ", b"NAMED TYPE", IMPLICIT)
    result = done(name(IMPLICIT) + text, IMPLICIT, tmp_path)
    assert result.outcome.status is Status.WRITTEN
    assert b"NAMED TYPE" in result.content


# --- delimiters


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
def test_stray_delimiters_are_tolerated_where_readers_agree(form: Form, tmp_path: Path) -> None:
    closed = item(name(form) + item_end(form), form)
    endless = tag_bytes(0xFFFEE000, form) + struct.pack(form.order + "I", UNDEFINED) + name(form)
    for items in (
        item(name(form), form) + sequence_end(form),
        closed,
        closed + sequence_end(form),
        item(name(form), form) + item_end(form) + item(name(form), form),
        endless,
    ):
        result = done(element(STUDIES, "SQ", items, form), form, tmp_path)
        assert result.outcome.status is Status.WRITTEN, result.outcome.reason
        assert SECRET not in result.content
        assert len(result.data_set[STUDIES].value) >= 1


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize("is_closed", [False, True])
def test_items_that_are_closed_once_more_are_verified(is_closed: bool, form: Form, tmp_path: Path) -> None:
    items = (item(name(form), form) + item_end(form)) * 2 + sequence_end(form) * is_closed
    content = file_of(around(element(STUDIES, "SQ", items, form), form), form)
    result = process(Worker(Settings(rules_of(SPEC), verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert [one.PatientName for one in result.data_set[STUDIES].value if one] == ["ANON", "ANON"]


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT, BIG], ids=lambda form: form.name)
@pytest.mark.parametrize("is_closed", [False, True])
def test_last_item_that_ends_in_a_sequence_without_a_length_is_verified(
    is_closed: bool, form: Form, tmp_path: Path
) -> None:
    inner = sequence(0x00081115, item(name(form), form, defined=False), form, defined=False)
    items = item(name(form), form, defined=False) + item(inner, form) + sequence_end(form) * is_closed
    content = file_of(around(element(STUDIES, "SQ", items, form), form), form)
    result = process(Worker(Settings(rules_of(SPEC), verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert SECRET not in result.content
    assert result.data_set[STUDIES][1].ReferencedSeriesSequence[0].PatientName == "ANON"


def test_item_that_keeps_but_a_sequence_without_a_length_is_verified(tmp_path: Path) -> None:
    """Its header has no VR, which pydicom takes for implicit VR among elements of explicit VR, too."""
    items = item(sequence(0x00081115, b"", IMPLICIT, defined=False) + name(IMPLICIT), IMPLICIT)
    content = file_of(around(element(STUDIES, "SQ", items, IMPLICIT), IMPLICIT), IMPLICIT)
    result = process(Worker(Settings(rules_of({"PatientName": None}), verify=True)), content, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert list(result.data_set[STUDIES][0].keys()) == [0x00081115]


@pytest.mark.parametrize("tail", [b"", bytes(8), bytes(100)])
def test_complete_fragments_without_a_delimiter_are_tolerated(tail: bytes, tmp_path: Path) -> None:
    fragments = item(b"", EXPLICIT) + item(b"\xff\xd8\xff\xd9", EXPLICIT)
    jpeg = Form("jpeg", "1.2.840.10008.1.2.4.50", implicit=False, little=True)
    data = name(EXPLICIT) + element(PIXELS, "OB", fragments, EXPLICIT, UNDEFINED) + tail
    result = substitute(file_of(data, jpeg), SPEC, tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert SECRET not in result.content
    cut = substitute(file_of(data[: -len(tail) - 1], jpeg), SPEC, tmp_path)
    assert cut.outcome.status is Status.FAILED


def test_fewer_fragments_than_frames_without_a_delimiter_are_an_error(tmp_path: Path) -> None:
    fragments = item(b"", EXPLICIT) + item(b"\xff\xd8\xff\xd9", EXPLICIT)
    frames = element(0x00280008, "IS", b"2 ", EXPLICIT)
    data = name(EXPLICIT) + frames + element(PIXELS, "OB", fragments, EXPLICIT, UNDEFINED)
    result = substitute(file_of(data), SPEC, tmp_path)
    assert "the file is cut off" in result.outcome.reason


# --- the check itself


def test_readers_differ_in_unknown_vrs() -> None:
    forms = {reader.name: [reader.form(code) for code in (b"XX", b"--", b"C\xd3")] for reader in READERS}
    assert forms["pydicom"] == [HeaderForm.SHORT, HeaderForm.BARE, HeaderForm.SHORT]
    assert forms["dcmtk"] == [HeaderForm.LONG, HeaderForm.SHORT, HeaderForm.SHORT]
    assert forms["gdcm"] == [HeaderForm.SHORT] * 3


def test_check_wants_what_any_reader_sees_to_be_found() -> None:
    data = around(name(EXPLICIT), EXPLICIT)
    scan_filter = ScanFilter((NAME,))
    stretch = Stretch(BytesSource(data), 0, len(data), EXPLICIT_LITTLE, IMPLICIT_LITTLE)
    check(stretch, scan_filter, scan(stretch, scan_filter))
    with pytest.raises(FileError, match=r"some readers see \(0010,0010\) at byte"):
        check(stretch, scan_filter, [])
    check(stretch, ScanFilter(()), [])


def test_check_of_deeply_nested_doubt_ends_soon(tmp_path: Path) -> None:
    value = name(EXPLICIT)
    for _ in range(60):
        value = element(PRIVATE, "UN", item(value, EXPLICIT), EXPLICIT)
    started = time.process_time()
    assert is_safe(done(value, EXPLICIT, tmp_path))
    assert is_safe(done(value[:-2] + b"xx", EXPLICIT, tmp_path))
    assert time.process_time() - started < 20


# --- big endian within items that are little endian, which gdcm reads in a UN


@pytest.mark.parametrize("vr", [b"UN", b"  ", b"XX"])
def test_big_endian_in_little_endian_items_of_un(vr: bytes, tmp_path: Path) -> None:
    items = item(name(BIG), EXPLICIT)
    hidden = tag_bytes(0x00081140, EXPLICIT) + vr + bytes(2) + struct.pack("<I", len(items)) + items
    assert is_safe(done(hidden, EXPLICIT, tmp_path))


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("vr", [b"UN\0\0", b"UN\1\2", b"  \0\0", b"XX\0\0"])
def test_big_endian_in_un_is_seen_in_sequences_that_hold_nothing_else(
    vr: bytes, depth: int, tmp_path: Path
) -> None:
    """Those are passed over, in the first file and in those that are like it."""

    def made(hidden: bytes) -> bytes:
        items = item(hidden, EXPLICIT)
        middle = tag_bytes(0x00081140, EXPLICIT) + vr + struct.pack("<I", len(items)) + items
        for _ in range(depth):
            middle = sequence(0x00081110, item(middle, EXPLICIT), EXPLICIT)
        return file_of(around(middle, EXPLICIT))

    worker = Worker(Settings(rules_of({"PatientName": "ANON"})))
    kept = made(element(0x00081030, "PN", SECRET, BIG))
    for _ in range(4):
        assert process(worker, kept, tmp_path).content.count(SECRET) == 1
    assert is_safe(process(worker, made(name(BIG)), tmp_path))


def test_implicit_un_in_sequences_is_passed_over(tmp_path: Path) -> None:
    """What is right in a UN costs no more than a search."""
    hidden = element(0x00081140, "UN", item(element(0x00081030, "LO", b"A", IMPLICIT), IMPLICIT), EXPLICIT)
    data = BytesSource(sequence(0x00081110, item(hidden, EXPLICIT), EXPLICIT))
    scanner = ElementScanner(data, ScanFilter((NAME,)))
    assert not scanner.occurs(12, data.size, EXPLICIT_LITTLE, EXPLICIT_LITTLE)
    assert not scan(Stretch(data, 0, data.size, EXPLICIT_LITTLE), scanner.filter)


@pytest.mark.parametrize("vr", sorted((SHORT_VRS | LONG_VRS) - {b"UN"}))
def test_items_after_values_with_a_known_vr_are_not_taken_for_those_of_un(vr: bytes) -> None:
    pattern = ScanFilter((NAME,)).patterns[True]
    assert pattern is not None
    assert not pattern.search(
        tag_bytes(0x00081140, EXPLICIT) + vr + bytes(6) + tag_bytes(0xFFFEE000, EXPLICIT)
    )
    assert not pattern.search(b"1.2.840.1000" + tag_bytes(0xFFFEE000, EXPLICIT))


def test_implicit_items_of_un_are_written(tmp_path: Path) -> None:
    """As PS3.5 6.2.2 has them: what gdcm would read in another way is nothing that is replaced."""
    items = item(name(IMPLICIT), IMPLICIT)
    hidden = tag_bytes(0x00081140, EXPLICIT) + b"UN" + bytes(2) + struct.pack("<I", len(items)) + items
    result = done(hidden, EXPLICIT, tmp_path)
    assert result.outcome.status is Status.WRITTEN
    assert SECRET not in result.content


# --- little endian within items in big endian, which pydicom reads: it takes any tag for that of an item


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT], ids=["explicit", "implicit"])
@pytest.mark.parametrize("vr", ["SQ", "UN"])
def test_little_endian_in_big_endian_items(form: Form, vr: str, tmp_path: Path) -> None:
    hidden = sequence(0x00081140, item(name(form), BIG), EXPLICIT, vr=vr)
    assert is_safe(done(hidden, EXPLICIT, tmp_path))


@pytest.mark.parametrize("form", [EXPLICIT, IMPLICIT], ids=["explicit", "implicit"])
def test_little_endian_in_big_endian_items_of_ob_without_end(form: Form, tmp_path: Path) -> None:
    items = item(name(form), BIG) + sequence_end(BIG)
    hidden = creator(EXPLICIT) + tag_bytes(PRIVATE, EXPLICIT) + b"OB\0\0\xff\xff\xff\xff" + items
    assert is_safe(done(sequence(0x00081140, item(hidden, EXPLICIT), EXPLICIT), EXPLICIT, tmp_path))
