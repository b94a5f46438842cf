"""Chains: what a scan remembers must never change what a later scan finds."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import pytest
from builders import BIG, EXPLICIT, FORMS, IMPLICIT, Form, element, item, sequence, tag_bytes
from hypothesis import given, settings
from hypothesis import strategies as st
from selection import examples

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom import element_scanner, scan_filter, sources
from pfdicom_tagSub.dicom import header_cache as chains
from pfdicom_tagSub.dicom.elements import Element, Encoding, Stretch
from pfdicom_tagSub.dicom.scan_filter import ScanFilter
from pfdicom_tagSub.dicom.scanner import scan
from pfdicom_tagSub.dicom.sources import BytesSource, FileSource, Source

CHARSET, INSTANCE, STUDIES, CONTENT = 0x00080005, 0x00080018, 0x00081110, 0x0040A730
NAME, PATIENT_ID, PRIVATE, PIXELS = 0x00100010, 0x00100020, 0x00091001, 0x7FE00010

forms = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)

LOOKS: dict[str, Callable[[], ScanFilter]] = {
    "names": lambda: ScanFilter((NAME,)),
    "many": lambda: ScanFilter((CHARSET, NAME, PATIENT_ID, STUDIES)),
    "kept but not entered for": lambda: ScanFilter((CHARSET, NAME, PATIENT_ID), (PATIENT_ID,)),
    "private": lambda: ScanFilter((NAME,), private=True),
    "everything": lambda: ScanFilter((), everything=True),
}


def every_span(found: list[Element]) -> Iterator[tuple[object, ...]]:
    for one in found:
        yield one.tag, one.vr, one.start, one.value, one.stop, one.end, one.defined, one.items is None
        for part in one.items or ():
            yield part.start, part.value, part.stop, part.end, part.defined, part.encoding
            yield from every_span(part.elements)


def scanned(source: Source, form: Form, look: ScanFilter) -> object:
    """Everything that a scan says: its spans, or that it failed."""
    encoding = Encoding(implicit=form.implicit, little=form.little)
    try:
        return list(every_span(scan(Stretch(source, 0, source.size, encoding), look)))
    except FileError:
        return "damaged"


def check(files: list[bytes], form: Form, make: Callable[[], ScanFilter]) -> None:
    """Scan with one memory and with a fresh one each time; the results have to be equal."""
    fresh = {content: scanned(BytesSource(content), form, make()) for content in files}
    shared = make()
    for content in [*files, *files, *files[::-1]]:
        assert scanned(BytesSource(content), form, shared) == fresh[content]


# --- repeats that mislead


def _repeats(form: Form) -> dict[str, list[bytes]]:
    """Files that begin alike and differ in what a chain must not take for granted."""
    charset = element(CHARSET, "CS", b"ISO_IR 100", form)
    instance = element(INSTANCE, "UI", b"1.2.3.4.", form)
    name = element(NAME, "PN", b"DOE^JOHN", form)
    patient = element(PATIENT_ID, "LO", b"ID", form)
    other = element(0x00100030, "DA", b"20200101", form)
    hidden = element(0x00081155, "UI", name, form)  # what looks like a name in a value
    inner = element(0x00081155, "UI", b"1" * len(name), form)
    deep_inner = sequence(CONTENT, item(inner, form), form)
    deep_name = sequence(CONTENT, item(element(0x00081155, "UI", b"2" * len(name), form), form), form)
    deep_hit = sequence(CONTENT, item(name + bytes(0), form), form)
    assert len(hidden) == len(inner)
    un = "UN"
    padding = element(0xFFFCFFFC, "OB", b"", form)
    stream = item(b"12345678", IMPLICIT)
    return {
        "the same": [charset + instance + name] * 2,
        "another value": [charset + name, charset + element(NAME, "PN", b"ROE^JANE", form)],
        "another length": [charset + name + patient, charset + element(NAME, "PN", b"ROE^", form) + patient],
        "another tag of one length": [charset + name + patient, charset + other + patient],
        "one element less": [charset + instance + name + patient, charset + name + patient],
        "one element more": [charset + name, charset + instance + name],
        "only the first": [charset + instance + name, charset],
        "cut off": [charset + instance + name, (charset + instance + name)[:-2], charset + instance[:-2]],
        "padding": [charset + instance + name, charset + b"\0\0", charset + instance + b"\0\0\0\0\0\0\0"],
        "a likeness in a sequence": [
            sequence(STUDIES, item(inner, form), form) + patient,
            sequence(STUDIES, item(hidden, form), form) + patient,
        ],
        "a hit in a sequence of the same length": [
            sequence(STUDIES, item(element(0x00081155, "UI", b"1" * 8, form), form), form) + patient,
            sequence(STUDIES, item(name, form), form) + patient,
        ],
        "a hit deep in a sequence": [
            sequence(STUDIES, item(deep_inner, form), form) + patient,
            sequence(STUDIES, item(deep_name, form), form) + patient,
            sequence(STUDIES, item(deep_hit, form), form) + patient,
        ],
        "a hit in an undefined sequence": [
            sequence(STUDIES, item(x, form, defined=False), form, defined=False) + patient
            for x in (element(0x00081155, "UI", b"1" * 8, form), name, hidden, b"")
        ],
        "items that come and go": [
            sequence(STUDIES, content, form, defined=defined) + patient
            for defined in (True, False)
            for content in (b"", item(b"", form), item(b"", form) * 2, item(name, form))
        ],
        "an item in what is unknown": [
            element(PRIVATE, un, content, form) + patient
            for content in (
                b"x" * 16,
                stream,
                item(element(NAME, "PN", b"", IMPLICIT), IMPLICIT),
                item(element(NAME, "PN", b"DOE^", IMPLICIT), IMPLICIT)[:16],
            )
        ],
        "another VR of one length": [
            charset + tag_bytes(NAME, form) + code + b"\0\0" + bytes(4) + patient
            for code in (b"PN", b"LO", b"\0\0", b"XX", b"UN")
        ],
        "an item that is implicit": [
            sequence(STUDIES, item(element(0x00081155, "UI", b"12345678", one), form), form) + name
            for one in (form, Form("bare", "", implicit=True, little=form.little))
        ],
        "a stray delimiter": [
            charset + instance + name,
            charset + tag_bytes(0xFFFEE00D, form) + bytes(4) + name,
            charset + tag_bytes(0xFFFEE0DD, form) + bytes(4) + name,
            charset + instance + tag_bytes(0xFFFEE000, form) + bytes(4),
        ],
        "a length out of bounds": [
            charset + instance + name,
            charset + element(INSTANCE, "UI", b"1.2.3.4.", form, 9999) + name,
            charset + element(INSTANCE, "UI", b"1.2.3.4.", form, 8 + len(name)) + name,
            charset + instance + element(NAME, "PN", b"DOE^JOHN", form, 9),
        ],
        "nested within itself": [
            sequence(STUDIES, item(charset + instance + name, form), form) + patient,
            charset + instance + name,
            sequence(
                STUDIES, item(charset + sequence(STUDIES, item(charset + name, form), form), form), form
            ),
        ],
        "a delimited repeat": [
            charset + instance + name,
            sequence(STUDIES, item(charset, form, defined=False) + item(charset + name, form), form),
            sequence(STUDIES, item(charset + instance, form, defined=False), form, defined=False) + name,
        ],
        "fragments": [
            charset + sequence(PIXELS, content, form, defined=False, vr="OB") + padding
            for content in (item(b"", form), item(b"", form) + item(b"ab", form), item(b"\0" * 8, form))
        ],
    }


@forms
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("case", _repeats(EXPLICIT))
def test_a_repeat_that_misleads_is_seen_through(form: Form, look: str, case: str) -> None:
    files = _repeats(form)[case]
    check(files, form, LOOKS[look])
    check(files[::-1], form, LOOKS[look])


@forms
@pytest.mark.parametrize("look", LOOKS)
def test_all_repeats_together_are_seen_through(form: Form, look: str) -> None:
    check([content for files in _repeats(form).values() for content in files], form, LOOKS[look])


def test_un_in_big_endian_is_searched_in_its_own_byte_order() -> None:
    """A UN holds little endian: the pattern for what is around it does not find its tags."""
    uid = 0x00081155

    def content(deepest: bytes) -> bytes:
        likeness = element(0x00081150, "UI", tag_bytes(uid, IMPLICIT) + b"ab", IMPLICIT)
        deep = sequence(CONTENT, item(deepest, IMPLICIT), IMPLICIT)
        inner = item(likeness + deep, IMPLICIT)
        return element(STUDIES, "UN", inner, BIG) + element(PATIENT_ID, "LO", b"ID", BIG)

    files = [
        content(element(0x00081150, "UI", b"1.2.3.4.", IMPLICIT)),
        content(element(uid, "UI", b"1.2.3.4.", IMPLICIT)),
    ]
    check(files, BIG, lambda: ScanFilter((uid,)))
    check(files[::-1], BIG, lambda: ScanFilter((uid,)))


@forms
@pytest.mark.parametrize("content", [b"", b"\0\0", b"\0\0\0\0\0\0"])
def test_padding_is_padding_in_every_file(form: Form, content: bytes) -> None:
    data = element(NAME, "PN", b"DOE^", form) + content
    look = ScanFilter((NAME,))
    first = scanned(BytesSource(data), form, look)
    assert first != "damaged"
    for _ in range(1000):
        assert scanned(BytesSource(data), form, look) == first


# --- any repeat


@st.composite
def data_sets(draw: st.DrawFn, form: Form, depth: int = 0) -> bytes:
    """Random small data sets with few distinct headers, so that many are alike."""
    parts: list[bytes] = []
    tags = draw(st.sets(st.sampled_from([CHARSET, INSTANCE, STUDIES, PRIVATE, NAME, PATIENT_ID])))
    for tag in sorted(tags):
        if tag in {STUDIES, PRIVATE} and depth < 2 and draw(st.booleans()):
            own = form
            vr = "SQ"
            if not form.implicit and draw(st.integers(0, 4)) == 0:
                own, vr = IMPLICIT, "UN"
            items = [
                item(draw(data_sets(own, depth + 1)), own, defined=draw(st.booleans()))
                for _ in range(draw(st.integers(0, 2)))
            ]
            content = b"".join(items)
            if draw(st.booleans()):
                parts.append(element(tag, vr, content, form))
            else:
                content += tag_bytes(0xFFFEE0DD, own) + bytes(4)
                parts.append(element(tag, vr, content, form, 0xFFFFFFFF))
        elif tag != STUDIES:
            item_like = tag_bytes(0xFFFEE000, form) * 2
            marks = [b"", b"AB", b"CD", b"ABCD", tag_bytes(NAME, form) + b"PN", item_like]
            vr = {CHARSET: "CS", INSTANCE: "UI", PRIVATE: "UN", NAME: "PN", PATIENT_ID: "LO"}[tag]
            parts.append(element(tag, vr, draw(st.sampled_from(marks)), form))
    return b"".join(parts)


@given(st.data())
@settings(max_examples=examples(300), deadline=None)
def test_a_scan_does_not_depend_on_scans_before_it(data: st.DataObject) -> None:
    form = data.draw(st.sampled_from(FORMS))
    files = data.draw(st.lists(data_sets(form), min_size=2, max_size=6))
    for _ in range(data.draw(st.integers(0, 2))):
        damaged = bytearray(data.draw(st.sampled_from(files)))
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= data.draw(st.integers(1, 255))
            files.append(bytes(damaged[: data.draw(st.integers(1, len(damaged)))]))
    check(files, form, LOOKS[data.draw(st.sampled_from(sorted(LOOKS)))])


@given(st.data())
@settings(max_examples=examples(60), deadline=None)
def test_a_scan_of_a_file_does_not_depend_on_scans_before_it(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    form = data.draw(st.sampled_from(FORMS))
    files = data.draw(st.lists(data_sets(form), min_size=1, max_size=4))
    make = LOOKS[data.draw(st.sampled_from(sorted(LOOKS)))]
    shared = make()
    path = tmp_path_factory.getbasetemp() / "chains"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "WINDOW", data.draw(st.integers(1, 64)))
        patch.setattr(scan_filter, "SEARCH_CHUNK", data.draw(st.integers(4, 64)))
        patch.setattr(element_scanner, "IN_SIGHT", data.draw(st.integers(12, 200)))
        patch.setattr(chains, "LENGTH_MOST", data.draw(st.integers(12, 200)))
        for content in [*files, *files]:
            path.write_bytes(content)
            descriptor = os.open(path, os.O_RDONLY)
            try:
                found = scanned(FileSource(descriptor, len(content)), form, shared)
            finally:
                os.close(descriptor)
            assert found == scanned(BytesSource(content), form, make())


# --- its bounds


@forms
def test_long_runs_are_remembered_in_parts(form: Form) -> None:
    many = b"".join(element(0x00080100 + 2 * n, "SH", b"AB", form) for n in range(500))
    files = [many, many[: len(many) // 2], many[10:], element(CHARSET, "CS", b"", form) + many]
    for make in LOOKS.values():
        check(files, form, make)


@forms
def test_long_values_end_a_chain(form: Form) -> None:
    long = element(PIXELS, "OW", bytes(1 << 17), form)
    tail = element(0xFFFCFFFC, "OB", b"\0\0", form)
    name = element(NAME, "PN", b"DOE^", form)
    other = element(PIXELS, "OW", bytes((1 << 17) + 2), form)
    files = [name + long + tail, name + long, name + tail, long + tail, name + long[:-1]]
    files += [name + other, name + other + tail, name + long + name, name + other[:-1]]
    for make in LOOKS.values():
        check(files, form, make)


@pytest.mark.parametrize("is_damaged", [False, True])
def test_memory_is_bounded(is_damaged: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_filter, "LEARNT_MOST", 50)
    look = ScanFilter((NAME,))
    for n in range(500):
        first = element(0x00080100 + 2 * n, "SH", b"AB", EXPLICIT, 99 if is_damaged else None)
        scanned(BytesSource(first + element(NAME, "PN", b"A^", EXPLICIT)), EXPLICIT, look)
        assert sum(map(len, look.families.values())) <= 60


@forms
def test_a_family_does_not_grow(form: Form) -> None:
    look = ScanFilter((NAME,))
    first = element(CHARSET, "CS", b"", form)
    for n in range(200):
        rest = element(0x00080100 + 2 * n, "SH", b"AB", form) + element(NAME, "PN", b"A^", form)
        scanned(BytesSource(first + rest), form, look)
    for families in look.families.values():
        assert all(len(family.chains) <= chains.FAMILY_MOST for family in families.values())


@pytest.mark.parametrize("pixels", [b"", element(PIXELS, "OW", bytes(1 << 17), EXPLICIT)])
def test_what_repeats_is_walked_once(pixels: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    look = ScanFilter((NAME,))
    content = b"".join(element(0x00080100 + 2 * n, "SH", b"AB", EXPLICIT) for n in range(40))
    content += element(NAME, "PN", b"A^", EXPLICIT) + pixels
    expected = scanned(BytesSource(content), EXPLICIT, look)

    def walked(*arguments: object) -> object:
        raise AssertionError("an element was looked at by itself")

    monkeypatch.setattr(element_scanner.ElementScanner, "element", walked)
    assert scanned(BytesSource(content), EXPLICIT, look) == expected


def test_chains_serve_threads_that_share_them() -> None:
    look = ScanFilter((NAME,))
    files = [content for files in _repeats(EXPLICIT).values() for content in files]
    expected = [scanned(BytesSource(content), EXPLICIT, ScanFilter((NAME,))) for content in files]
    wrong: list[object] = []

    def work(shift: int) -> None:
        try:
            for step in range(len(files) * 20):
                place = (step * (shift + 1)) % len(files)
                if scanned(BytesSource(files[place]), EXPLICIT, look) != expected[place]:
                    wrong.append(place)
        except Exception as error:
            wrong.append(error)

    workers = [threading.Thread(target=work, args=(shift,)) for shift in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert wrong == []
