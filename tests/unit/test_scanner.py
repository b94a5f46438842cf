"""Where elements, sequences and items lie in the bytes."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import BIG, EXPLICIT, FORMS, IMPLICIT, UNDEFINED, Form, element, item, sequence, tag_bytes

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom import scan_filter, sources
from pfdicom_tagSub.dicom.elements import Element, Encoding, Stretch
from pfdicom_tagSub.dicom.scan_filter import EVERYTHING, ScanFilter
from pfdicom_tagSub.dicom.scanner import place_for, scan, scan_group, settled_encoding
from pfdicom_tagSub.dicom.sequence_scanner import MAX_DEPTH
from pfdicom_tagSub.dicom.sources import BytesSource, FileSource, Source

Shape = list[tuple[Any, ...]]
"""Per element (tag, VR, value), or (tag, "SQ", shapes of the items) for a sequence."""

CHARSET, INSTANCE, STUDIES, SERIES = 0x00080005, 0x00080018, 0x00081110, 0x00081115
CONTENT, NAME, PATIENT_ID, PIXELS, PADDING = 0x0040A730, 0x00100010, 0x00100020, 0x7FE00010, 0xFFFCFFFC
CREATOR, PRIVATE, PRIVATE_SQ = 0x00090010, 0x00091001, 0x00091002

forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
explicit_forms = pytest.mark.parametrize("form", [EXPLICIT, BIG], ids=lambda form: form.name)
lengths = pytest.mark.parametrize(
    ("sequences_defined", "items_defined"),
    [(True, True), (True, False), (False, True), (False, False)],
    ids=["defined", "defined-undefined", "undefined-defined", "undefined"],
)


def encoding_of(form: Form) -> Encoding:
    return Encoding(implicit=form.implicit, little=form.little)


def stretch_of(data: bytes, form: Form) -> Stretch:
    return Stretch(BytesSource(data), 0, len(data), encoding_of(form))


def scanned(data: bytes, form: Form, kept: ScanFilter = EVERYTHING) -> list[Element]:
    return scan(stretch_of(data, form), kept)


def shape_of(elements: list[Element], source: Source) -> Shape:
    found: Shape = []
    for one in elements:
        if one.vr == "SQ" and one.items is not None:
            found.append((one.tag, "SQ", [shape_of(part.elements, source) for part in one.items]))
        else:
            found.append((one.tag, one.vr, source.read(one.value, one.stop)))
    return found


def shape(data: bytes, form: Form, kept: ScanFilter = EVERYTHING) -> Shape:
    return shape_of(scanned(data, form, kept), BytesSource(data))


def every_span(elements: list[Element]) -> Iterator[tuple[object, ...]]:
    """Every number of a scan, to compare two."""
    for one in elements:
        yield one.tag, one.vr, one.start, one.value, one.stop, one.end, one.defined, one.items is None
        for part in one.items or ():
            yield part.start, part.value, part.stop, part.end, part.defined, part.encoding
            yield from every_span(part.elements)


def rich(form: Form, *, sequences_defined: bool = True, items_defined: bool = True) -> tuple[bytes, Shape]:
    """A data set with a bit of everything that all forms can write, and what a scan sees."""

    def sq(tag: int, *contents: bytes) -> bytes:
        items = b"".join(item(content, form, defined=items_defined) for content in contents)
        return sequence(tag, items, form, defined=sequences_defined)

    unknown = "" if form.implicit else "LO"
    inner = sq(CONTENT, element(PATIENT_ID, "LO", b"INNER1", form), b"")
    studies = sq(STUDIES, element(0x00081155, "UI", b"1.2.4\0", form) + inner, element(NAME, "PN", b"", form))
    data = (
        element(0x00080000, "UL", struct.pack(form.order + "I", 1234), form)
        + element(CHARSET, "CS", b"ISO_IR 100", form)
        + element(INSTANCE, "UI", b"1.2.3\0", form)
        + studies
        + sq(SERIES)
        + element(CREATOR, "LO", b"ACME", form)
        + element(PRIVATE, "LO", b"secret", form)
        + sq(PRIVATE_SQ, element(NAME, "PN", b"A^B ", form))
        + element(NAME, "PN", b"DOE^JOHN", form)
        + element(PATIENT_ID, "LO", b"", form)
        + element(PIXELS, "OW", bytes(range(64)), form)
        + element(PADDING, "OB", b"\0\0\0\0", form)
    )
    inner_shape = (CONTENT, "SQ", [[(PATIENT_ID, "LO", b"INNER1")], []])
    return data, [
        (0x00080000, "UL", struct.pack(form.order + "I", 1234)),
        (CHARSET, "CS", b"ISO_IR 100"),
        (INSTANCE, "UI", b"1.2.3\0"),
        (STUDIES, "SQ", [[(0x00081155, "UI", b"1.2.4\0"), inner_shape], [(NAME, "PN", b"")]]),
        (SERIES, "SQ", []),
        (CREATOR, "LO", b"ACME"),
        (PRIVATE, unknown, b"secret"),
        (PRIVATE_SQ, "SQ", [[(NAME, "PN", b"A^B ")]]),
        (NAME, "PN", b"DOE^JOHN"),
        (PATIENT_ID, "LO", b""),
        (PIXELS, "OB or OW" if form.implicit else "OW", bytes(range(64))),
        (PADDING, "OB", b"\0\0\0\0"),
    ]


# --- what is found


@forms
@lengths
def test_scan_finds_every_element(form: Form, sequences_defined: bool, items_defined: bool) -> None:
    data, expected = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)
    assert shape(data, form) == expected


@forms
@lengths
def test_scan_covers_every_byte(form: Form, sequences_defined: bool, items_defined: bool) -> None:
    data, _ = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)

    def check(elements: list[Element], start: int, stop: int) -> None:
        for one in elements:
            assert one.start == start
            assert data[one.start : one.start + 4] == tag_bytes(one.tag, form)
            assert one.start < one.value <= one.stop <= one.end
            assert one.end - one.stop == (0 if one.defined else 8)
            place = one.value
            for part in one.items or ():
                assert part.start == place
                assert part.value == part.start + 8
                assert part.end - part.stop == (0 if part.defined else 8)
                check(part.elements, part.value, part.stop)
                place = part.end
            if one.items:
                assert place == one.stop
            start = one.end
        assert start == stop

    check(scanned(data, form), 0, len(data))


def selected(full: Shape, tags: set[int]) -> Shape:
    """What a scan for some tags keeps of a data set; items without any may be left out."""
    found: Shape = []
    for one in full:
        if one[0] in tags or one[0] & 0xFFFF == 0:
            found.append(one)
        elif one[1] == "SQ":
            parts = [part for part in (selected(part, tags) for part in one[2]) if part]
            if parts:
                found.append((one[0], "SQ", parts))
    return found


@forms
@lengths
@pytest.mark.parametrize("tags", [{PATIENT_ID}, {NAME, PADDING}, {INSTANCE, PRIVATE}, {0x00081155}, set()])
def test_scan_keeps_what_is_wanted_at_every_depth(
    form: Form, sequences_defined: bool, items_defined: bool, tags: set[int]
) -> None:
    data, full = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)
    assert selected(shape(data, form, ScanFilter(tags)), tags) == selected(full, tags)


@forms
@lengths
def test_scan_keeps_a_wanted_sequence_as_it_is(
    form: Form, sequences_defined: bool, items_defined: bool
) -> None:
    data, _ = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)
    (one,) = (one for one in scanned(data, form, ScanFilter((STUDIES,))) if one.tag == STUDIES)
    assert one.vr == "SQ"
    whole = data[one.start : one.end]
    alone = scanned(whole, form)
    assert [part.tag for part in alone] == [STUDIES]
    assert alone[0].end == len(whole)


@forms
@lengths
def test_scan_keeps_all_private_elements_when_asked(
    form: Form, sequences_defined: bool, items_defined: bool
) -> None:
    deep = element(CREATOR, "LO", b"DEEP", form) + element(PRIVATE, "LO", b"x ", form)
    content, _ = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)
    data = sequence(
        STUDIES, item(deep, form, defined=items_defined), form, defined=sequences_defined
    ) + element(CREATOR, "LO", b"ACME", form)
    found = shape(data, form, ScanFilter((), private=True))
    assert [one[0] for one in found] == [STUDIES, CREATOR]
    assert [one[0] for one in found[0][2][0]] == [CREATOR, PRIVATE]
    tags = [one.tag for one in scanned(content, form, ScanFilter((), private=True))]
    assert tags == [0x00080000, CREATOR, PRIVATE, PRIVATE_SQ]


@forms
def test_scan_enters_only_what_may_hold_a_wanted_tag(form: Form) -> None:
    data, _ = rich(form)
    assert [one.tag for one in scanned(data, form, ScanFilter((PATIENT_ID,), ()))] == [0x00080000, PATIENT_ID]


@forms
def test_scan_tolerates_what_looks_like_a_wanted_tag(form: Form) -> None:
    likeness = element(0x00081155, "UI", tag_bytes(PATIENT_ID, form) + b"LO", form)
    data = sequence(STUDIES, item(likeness, form), form)
    assert selected(shape(data, form, ScanFilter((PATIENT_ID,))), {PATIENT_ID}) == []


@forms
def test_scan_finds_elements_after_pixel_data(form: Form) -> None:
    data = element(PIXELS, "OW", bytes(4096), form) + sequence(
        0xFFFAFFFA, item(element(PATIENT_ID, "LO", b"LATE", form), form), form
    )
    assert shape(data, form, ScanFilter((PATIENT_ID,))) == [
        (0xFFFAFFFA, "SQ", [[(PATIENT_ID, "LO", b"LATE")]])
    ]


@explicit_forms
@pytest.mark.parametrize("fragments", [[b""], [b"", b"\1\2\3\4"], [b"12345678", b"", bytes(70000)]])
def test_scan_steps_over_encapsulated_pixel_data(form: Form, fragments: list[bytes]) -> None:
    body = b"".join(item(fragment, form) for fragment in fragments)
    data = sequence(PIXELS, body, form, defined=False, vr="OB") + element(PADDING, "OB", b"\0\0", form)
    pixels, padding = scanned(data, form)
    assert (pixels.vr, pixels.items, pixels.defined) == ("OB", None, False)
    assert data[pixels.value : pixels.stop] == body
    assert (padding.tag, padding.start, padding.end) == (PADDING, pixels.end, len(data))


@explicit_forms
def test_scan_does_not_search_fragments_for_delimiters(form: Form) -> None:
    end = tag_bytes(0xFFFEE0DD, form) + b"\0\0\0\0"
    body = item(b"", form) + item(b"ab" + end + b"cd", form)
    data = sequence(PIXELS, body, form, defined=False, vr="OB") + element(PADDING, "OB", b"\0\0", form)
    assert [one.tag for one in scanned(data, form)] == [PIXELS, PADDING]


@forms
def test_scan_keeps_group_lengths_at_every_depth(form: Form) -> None:
    length = element(0x00100000, "UL", bytes(4), form)
    data = (
        sequence(STUDIES, item(length + element(NAME, "PN", b"A^", form), form), form)
        + length
        + element(NAME, "PN", b"B^", form)
    )
    found = shape(data, form, ScanFilter((NAME,)))
    assert [one[0] for one in found] == [STUDIES, 0x00100000, NAME]
    assert [one[0] for one in found[0][2][0]] == [0x00100000, NAME]


@forms
def test_scan_keeps_duplicates_in_their_order(form: Form) -> None:
    data = element(NAME, "PN", b"ONE ", form) + element(NAME, "PN", b"TWO ", form)
    assert shape(data, form, ScanFilter((NAME,))) == [(NAME, "PN", b"ONE "), (NAME, "PN", b"TWO ")]


@forms
def test_scan_finds_elements_out_of_order(form: Form) -> None:
    data = element(PATIENT_ID, "LO", b"ID", form) + element(CHARSET, "CS", b"", form)
    data += element(NAME, "PN", b"A^", form)
    assert [one.tag for one in scanned(data, form)] == [PATIENT_ID, CHARSET, NAME]


@forms
@pytest.mark.parametrize("padding", range(8))
def test_scan_allows_a_few_zero_bytes_after_the_data_set(form: Form, padding: int) -> None:
    data = element(NAME, "PN", b"A^", form) + bytes(padding)
    assert shape(data, form, ScanFilter((NAME,))) == [(NAME, "PN", b"A^")]


def test_scan_of_nothing_finds_nothing() -> None:
    for form in FORMS:
        assert shape(b"", form) == []


@forms
def test_scan_reads_the_stretch_alone(form: Form) -> None:
    data = element(NAME, "PN", b"A^", form)
    around = b"\xff" * 7 + data + b"\xff" * 9
    elements = scan(Stretch(BytesSource(around), 7, 7 + len(data), encoding_of(form)), EVERYTHING)
    assert [(one.tag, one.start, one.end) for one in elements] == [(NAME, 7, 7 + len(data))]


@forms
@pytest.mark.parametrize("defined", [True, False])
def test_scan_goes_down_to_the_deepest_level_allowed(form: Form, defined: bool) -> None:
    data = element(PATIENT_ID, "LO", b"DEEP", form)
    for _ in range(MAX_DEPTH):
        data = sequence(CONTENT, item(data, form, defined=defined), form, defined=defined)
    found = shape(data, form, ScanFilter((PATIENT_ID,)))
    for _ in range(MAX_DEPTH):
        assert [one[0] for one in found] == [CONTENT]
        (found,) = found[0][2]
    assert found == [(PATIENT_ID, "LO", b"DEEP")]


# --- UN and other oddities


@explicit_forms
@pytest.mark.parametrize("defined", [True, False])
@pytest.mark.parametrize("items_defined", [True, False])
@pytest.mark.parametrize("tag", [STUDIES, PRIVATE, 0x00081199], ids=["public", "private", "other"])
def test_scan_reads_un_sequences_as_implicit_little_endian(
    form: Form, defined: bool, items_defined: bool, tag: int
) -> None:
    """PS3.5 6.2.2, note 5 and CP-246."""
    content = element(NAME, "PN", b"UN^ ", IMPLICIT) + sequence(
        CONTENT, item(element(PATIENT_ID, "LO", b"ID", IMPLICIT), IMPLICIT), IMPLICIT
    )
    items = item(content, IMPLICIT, defined=items_defined)
    if defined:
        data = element(tag, "UN", items, form)
    else:
        data = element(tag, "UN", items + sequence_end(IMPLICIT), form, UNDEFINED)
    data += element(PADDING, "OB", b"\0\0", form)
    found = scanned(data, form)
    assert [one.tag for one in found] == [tag, PADDING]
    assert found[0].vr == "SQ"
    assert found[0].items is not None
    assert [part.encoding for part in found[0].items] == [encoding_of(IMPLICIT)]
    assert shape(data, form, ScanFilter((NAME, PATIENT_ID))) == [
        (tag, "SQ", [[(NAME, "PN", b"UN^ "), (CONTENT, "SQ", [[(PATIENT_ID, "LO", b"ID")]])]])
    ]


def sequence_end(form: Form) -> bytes:
    return tag_bytes(0xFFFEE0DD, form) + b"\0\0\0\0"


@explicit_forms
@pytest.mark.parametrize("defined", [True, False])
def test_scan_reads_un_sequences_whose_items_have_vrs(form: Form, defined: bool) -> None:
    """Against the standard, but pydicom reads them and so does every viewer."""
    items = item(element(NAME, "PN", b"UN^ ", form), form)
    if defined:
        data = element(STUDIES, "UN", items, form)
    else:
        data = element(STUDIES, "UN", items + sequence_end(form), form, UNDEFINED)
    try:
        found = shape(data, form, ScanFilter((NAME,)))
    except FileError:
        return  # as good: the file fails
    assert found == [(STUDIES, "SQ", [[(NAME, "PN", b"UN^ ")]])]


@explicit_forms
@pytest.mark.parametrize("value", [b"", b"ab", b"SOME BYTES THAT ARE NO ITEMS"])
def test_scan_takes_other_un_values_for_values(form: Form, value: bytes) -> None:
    data = element(PRIVATE, "UN", value, form) + element(NAME, "UN", b"A^B ", form)
    assert shape(data, form) == [(PRIVATE, "", value), (NAME, "PN", b"A^B ")]


@forms
def test_scan_takes_what_only_begins_as_a_sequence_for_a_value(form: Form) -> None:
    vr = "" if form.implicit else "UN"
    value = tag_bytes(0xFFFEE000, IMPLICIT) + struct.pack("<I", 400) + b"not a sequence, only alike"
    data = element(PRIVATE, vr or "OB", value, form) + element(NAME, "PN", b"A^", form)
    assert shape(data, form) == [(PRIVATE, "", value), (NAME, "PN", b"A^")]


@explicit_forms
@lengths
def test_scan_reads_items_in_implicit_vr_within_explicit_vr(
    form: Form, sequences_defined: bool, items_defined: bool
) -> None:
    bare = Form("bare", "", implicit=True, little=form.little)
    items = item(element(NAME, "PN", b"A^B ", bare), form, defined=items_defined)
    items += item(element(NAME, "PN", b"C^D ", form), form, defined=items_defined)
    data = sequence(STUDIES, items, form, defined=sequences_defined)
    assert shape(data, form, ScanFilter((NAME,))) == [
        (STUDIES, "SQ", [[(NAME, "PN", b"A^B ")], [(NAME, "PN", b"C^D ")]])
    ]


@forms
def test_scan_enters_any_number_of_sequences_that_read_at_once(form: Form) -> None:
    count = 5000
    data = b"".join(
        sequence(STUDIES, item(element(NAME, "PN", b"%06d" % number, form), form), form)
        for number in range(count)
    )
    found = scanned(data, form, ScanFilter((NAME,)))
    assert sum(len(part.elements) for one in found for part in one.items or ()) == count


@explicit_forms
def test_scan_ends_where_too_many_sequences_read_in_a_second_way_alone(form: Form) -> None:
    items = item(element(NAME, "PN", b"AB", EXPLICIT), EXPLICIT)  # what should be implicit VR
    one = element(PRIVATE_SQ, "UN", items, form)
    assert len(scanned(one * 100, form, ScanFilter((NAME,)))) == 100
    with pytest.raises(FileError, match="begins like a sequence that cannot be read"):
        scanned(one * 5000, form, ScanFilter((NAME,)))


@explicit_forms
def test_scan_reads_an_element_without_a_vr_within_explicit_vr(form: Form) -> None:
    bare = Form("bare", "", implicit=True, little=form.little)
    data = element(INSTANCE, "UI", b"1.2\0", form) + element(NAME, "PN", b"A^B ", bare)
    data += element(PATIENT_ID, "LO", b"ID", form)
    assert [one[0] for one in shape(data, form)] == [INSTANCE, NAME, PATIENT_ID]


def test_scan_finds_private_sequences_in_implicit_vr() -> None:
    items = item(element(NAME, "PN", b"A^B ", IMPLICIT), IMPLICIT)
    for defined in (True, False):
        data = sequence(PRIVATE, items, IMPLICIT, defined=defined) + element(NAME, "PN", b"C^", IMPLICIT)
        assert shape(data, IMPLICIT, ScanFilter((NAME,))) == [
            (PRIVATE, "SQ", [[(NAME, "PN", b"A^B ")]]),
            (NAME, "PN", b"C^"),
        ]


@forms
def test_scan_keeps_the_end_of_a_sequence_that_says_a_length(form: Form) -> None:
    """Some writers close a sequence of defined length as well."""
    items = item(element(NAME, "PN", b"A^B ", form), form) + sequence_end(form)
    data = element(STUDIES, "SQ", items, form) + element(PATIENT_ID, "LO", b"ID", form)
    try:
        found = shape(data, form, ScanFilter((NAME, PATIENT_ID)))
    except FileError:
        return  # as good: the file fails
    assert found == [(STUDIES, "SQ", [[(NAME, "PN", b"A^B ")]]), (PATIENT_ID, "LO", b"ID")]


# --- damage


def _damaged(form: Form) -> dict[str, bytes]:
    name = element(NAME, "PN", b"DOE^JOHN", form)
    header = 8 if form.implicit else 12
    sq = sequence(STUDIES, item(name, form), form)
    open_sq = sequence(STUDIES, item(name, form), form, defined=False)
    open_item = sequence(STUDIES, item(name, form, defined=False), form)
    long = struct.pack(form.order + "I", 0x7FFFFFFF)
    end_of_item = tag_bytes(0xFFFEE00D, form) + bytes(4)
    nested = name
    for _ in range(MAX_DEPTH + 1):
        nested = sequence(CONTENT, item(nested, form), form)
    open_nested = name
    for _ in range(MAX_DEPTH + 1):
        open_nested = sequence(CONTENT, item(open_nested, form, defined=False), form, defined=False)
    return {
        "header cut off": name + name[:7],
        "some bytes after it": name + b"\0\0\1",
        "value cut off": name + name[:-1],
        "only a header": name[:8],
        "length too long": element(NAME, "PN", b"DOE^JOHN", form, 300),
        "length far too long": element(0x00080005, "UN", b"DOE^JOHN", form, 0xFFFFFFFE),
        "sequence cut off": sq[:-2],
        "sequence longer than what is left": element(STUDIES, "SQ", item(name, form), form, len(sq)),
        "sequence ends within its item": element(STUDIES, "SQ", item(name, form), form, 12),
        "sequence ends within an item's header": element(STUDIES, "SQ", item(name, form) + b"\0" * 4, form),
        "item longer than its sequence": sq[: header + 4] + long + sq[header + 8 :],
        "item ends within an element": sequence(STUDIES, item(name[:-2], form), form) + name,
        "undefined sequence without an end": open_sq[:-8],
        "undefined sequence cut off": open_sq[:-4],
        "undefined sequence with another end": open_sq[:-8] + end_of_item,
        "undefined item without an end": open_item[:-8],
        "undefined item in a sequence too short": element(
            STUDIES, "SQ", item(name, form, defined=False)[:-8], form
        )
        + end_of_item,
        "no item in a sequence": element(STUDIES, "SQ", name, form),
        "a value between items": sequence(STUDIES, item(name, form) + name, form),
        "a value in an undefined sequence": sequence(STUDIES, name, form, defined=False),
        "a stray item": name + item(name, form),
        "a stray end of an item": name + end_of_item,
        "a stray end of a sequence": name + sequence_end(form),
        "a stray delimiter in an item": sequence(STUDIES, item(name + sequence_end(form), form), form),
        "nested too deep": nested,
        "nested too deep, undefined": open_nested,
    }


@forms
@pytest.mark.parametrize("case", sorted(_damaged(EXPLICIT)))
@pytest.mark.parametrize("kept", ["everything", "names"])
def test_scan_of_damaged_bytes_is_an_error(form: Form, case: str, kept: str) -> None:
    data = _damaged(form)[case]
    look = EVERYTHING if kept == "everything" else ScanFilter((NAME,))
    if case == "no item in a sequence" and form.implicit and kept == "everything":
        assert scan(stretch_of(data, form), look)[0].items is None  # a value, as nothing is sought in it
        return
    with pytest.raises(FileError) as caught:
        scan(stretch_of(data, form), look)
    assert "DOE" not in str(caught.value)
    assert "JOHN" not in str(caught.value)


@explicit_forms
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"1234",
        struct.pack("<HHI", 0xFFFE, 0xE000, 100) + b"123456",
        struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED) + b"123456",
        struct.pack("<HHI", 0xFFFE, 0xE000, 8) + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0),
        struct.pack("<HHI", 0xFFFE, 0xE00D, 0),
        struct.pack("<HHI", 0x0010, 0x0010, 0),
    ],
)
def test_scan_of_damaged_fragments_is_an_error(form: Form, body: bytes) -> None:
    data = element(PIXELS, "OB", body, form, UNDEFINED)
    with pytest.raises(FileError):
        scanned(data, form)


@explicit_forms
@pytest.mark.parametrize(("code", "shown"), [(b"XX", '"XX"'), (b"C\xd3", r'"C\\xd3"'), (b"--", '"--"')])
def test_scan_of_an_unknown_vr_without_a_length_that_fits_names_it(
    form: Form, code: bytes, shown: str
) -> None:
    data = tag_bytes(NAME, form) + code + struct.pack(form.order + "H", 6) + b"A^B "
    with pytest.raises(FileError, match=rf"\(0010,0010\) at byte 0 has the VR {shown}, .* no element"):
        scanned(data, form)


@explicit_forms
@pytest.mark.parametrize("code", [b"XX", b"C\xd3", b"--", b"??", b"  ", b"\0\1", b"pn"])
def test_scan_takes_the_one_length_of_an_unknown_vr_that_goes_on(form: Form, code: bytes) -> None:
    """pydicom, dcmtk, gdcm and dcm4che differ in it."""
    after = element(NAME, "PN", b"DOE^", form) + element(PIXELS, "OW", b"\1" * 70000, form)
    first = element(CHARSET, "CS", b"ISO_IR 100", form)
    for odd in (
        tag_bytes(INSTANCE, form) + code + struct.pack(form.order + "H", 4) + b"1.2\0",
        tag_bytes(INSTANCE, form) + struct.pack(form.order + "I", 4) + b"1.2\0",
    ):
        assert shape(first + odd + after, form, ScanFilter((NAME,))) == [(NAME, "PN", b"DOE^")]


@explicit_forms
@pytest.mark.parametrize("code", [b"Pn", b"P\0", b"pn", b"??", b"L0"])
def test_scan_never_loses_its_way_over_a_damaged_vr(form: Form, code: bytes) -> None:
    """Whatever it takes the element for, it must not step over the next one unseen."""
    data = tag_bytes(INSTANCE, form) + code + struct.pack(form.order + "H", 4) + b"1.2\0"
    data += element(NAME, "PN", b"DOE^", form) + element(PIXELS, "OW", bytes(70000), form)
    try:
        found = shape(data, form, ScanFilter((NAME,)))
    except FileError:
        return
    assert (NAME, "PN", b"DOE^") in found


# --- sources


@forms
@lengths
@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 11, 12, 13, 16, 31, 64, 100, 1000])
def test_scan_of_a_file_equals_that_of_its_bytes(
    form: Form,
    sequences_defined: bool,
    items_defined: bool,
    size: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sources, "WINDOW", size)
    monkeypatch.setattr(scan_filter, "SEARCH_CHUNK", max(size, 4))
    data, _ = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)
    path = tmp_path / "a"
    path.write_bytes(b"\xff" * 3 + data)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for look in (
            EVERYTHING,
            ScanFilter((), private=True),
            ScanFilter((PATIENT_ID,)),
            ScanFilter((NAME, 0x00081155)),
        ):
            source = FileSource(descriptor, len(data) + 3)
            found = scan(Stretch(source, 3, len(data) + 3, encoding_of(form)), look)
            memory = BytesSource(b"\xff" * 3 + data)
            expected = scan(Stretch(memory, 3, len(data) + 3, encoding_of(form)), look)
            assert list(every_span(found)) == list(every_span(expected))
    finally:
        os.close(descriptor)


@forms
def test_scan_finds_elements_wherever_a_window_ends(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "WINDOW", 64)
    monkeypatch.setattr(scan_filter, "SEARCH_CHUNK", 64)
    inner = sequence(STUDIES, item(element(PATIENT_ID, "LO", b"INNER1", form), form), form)
    for shift in range(0, 140, 2):
        data = element(CHARSET, "CS", b"x" * shift, form) + inner + element(NAME, "PN", b"A^", form)
        path = tmp_path / "a"
        path.write_bytes(data)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            source = FileSource(descriptor, len(data))
            stretch = Stretch(source, 0, len(data), encoding_of(form))
            found = shape_of(scan(stretch, ScanFilter((PATIENT_ID, NAME))), source)
        finally:
            os.close(descriptor)
        assert found == [(STUDIES, "SQ", [[(PATIENT_ID, "LO", b"INNER1")]]), (NAME, "PN", b"A^")], shift


def test_a_file_that_becomes_shorter_is_an_error(tmp_path: Path) -> None:
    data, _ = rich(EXPLICIT)
    path = tmp_path / "a"
    path.write_bytes(data[:-40])
    descriptor = os.open(path, os.O_RDONLY)
    try:
        stretch = Stretch(FileSource(descriptor, len(data)), 0, len(data), encoding_of(EXPLICIT))
        with pytest.raises(FileError, match="shorter"):
            scan(stretch, EVERYTHING)
    finally:
        os.close(descriptor)


def test_file_source_reads_what_a_signal_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(200)))
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, length, place: real(fd, min(length, 7), place))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        assert FileSource(descriptor, 200).read(10, 190) == bytes(range(10, 190))
    finally:
        os.close(descriptor)


# --- group 0002, the first VR, and where to insert


def test_scan_group_ends_with_the_group() -> None:
    meta = element(0x00020001, "OB", b"\0\1", EXPLICIT) + element(0x00020010, "UI", b"1.2\0", EXPLICIT)
    data = b"junk" + meta + element(NAME, "PN", b"A^", IMPLICIT)
    elements, stop = scan_group(BytesSource(data), 4, len(data), 0x0002)
    assert [(one.tag, one.vr) for one in elements] == [(0x00020001, "OB"), (0x00020010, "UI")]
    assert stop == 4 + len(meta)


@pytest.mark.parametrize("cut", [1, 3, 5])
def test_scan_group_cut_off_is_an_error(cut: int) -> None:
    meta = element(0x00020010, "UI", b"1.2.840.10008.1.2.1\0", EXPLICIT)[:-cut]
    with pytest.raises(FileError):
        scan_group(BytesSource(meta), 0, len(meta), 0x0002)


@pytest.mark.parametrize(
    ("data", "declared", "found"),
    [
        (element(NAME, "PN", b"A^", EXPLICIT), IMPLICIT, EXPLICIT),
        (element(NAME, "PN", b"A^", IMPLICIT), EXPLICIT, IMPLICIT),
        (
            element(NAME, "PN", b"A^", IMPLICIT) + element(0x00100020, "LO", b"I ", IMPLICIT),
            EXPLICIT,
            IMPLICIT,
        ),
        (element(NAME, "PN", b" " * 0x5344, IMPLICIT), IMPLICIT, IMPLICIT),
        (b"\x10\0\x10\0QQ\xff\xff", IMPLICIT, IMPLICIT),
    ],
)
def test_settled_takes_the_encoding_that_reads_to_the_end(data: bytes, declared: Form, found: Form) -> None:
    other = encoding_of(IMPLICIT if declared is EXPLICIT else EXPLICIT)
    stretch = Stretch(BytesSource(b"xx" + data), 2, 2 + len(data), encoding_of(declared))
    assert settled_encoding(stretch, other).encoding == encoding_of(found)


@forms
@pytest.mark.parametrize(
    ("tag", "before"),
    [
        (0x00080001, 0x00080005),
        (0x00080006, 0x00080018),
        (0x00081112, 0x00081115),
        (0x00100011, 0x00100020),
        (0x00100030, 0x7FE00010),
        (0x7FE00011, 0xFFFCFFFC),
        (0xFFFCFFFD, None),
    ],
)
@lengths
def test_place_for_is_before_the_next_tag(
    form: Form, tag: int, before: int | None, sequences_defined: bool, items_defined: bool
) -> None:
    data, _ = rich(form, sequences_defined=sequences_defined, items_defined=items_defined)
    data = data[data.index(tag_bytes(CHARSET, form)) :]
    stretch = stretch_of(data, form)
    places = {one.tag: one.start for one in scanned(data, form)}
    expected = len(data) if before is None else places[before]
    assert place_for(stretch, tag, []) == expected
    assert place_for(stretch, tag, scan(stretch, ScanFilter((CHARSET, NAME, PIXELS)))) == expected
