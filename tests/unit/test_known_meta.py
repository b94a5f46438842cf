"""File meta that has the headers of one before it is read as it is alone, whatever else differs."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import EXPLICIT, SOP_CLASS, element, item

from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.dicom import known_meta
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource, FileSource, Source

NAME = element(0x00100010, "PN", b"Zebulon^Ophelia", EXPLICIT)
DATA = element(0x00080018, "UI", b"1.2.3.4.5", EXPLICIT) + NAME


def meta(*more: bytes, instance: bytes = b"1.2.3.4.5") -> bytes:
    parts = (
        element(0x00020001, "OB", b"\0\1", EXPLICIT),
        element(0x00020002, "UI", SOP_CLASS.encode(), EXPLICIT),
        element(0x00020003, "UI", instance, EXPLICIT),
        element(0x00020010, "UI", EXPLICIT.syntax.encode(), EXPLICIT),
        *more,
    )
    size = struct.pack("<I", len(b"".join(parts)))
    return element(0x00020000, "UL", size, EXPLICIT) + b"".join(parts)


def file(meta: bytes, data: bytes = DATA) -> bytes:
    return bytes(128) + b"DICM" + meta + data


AGENT = element(0x00020016, "AE", b"SCANNER", EXPLICIT)
OPAQUE = element(0x00020102, "OB", b"\0\0\0\0", EXPLICIT)
HOLDS_ITEM = element(0x00020102, "OB", item(NAME, EXPLICIT), EXPLICIT)
FORMS = [meta(), meta(AGENT), meta(OPAQUE), meta(instance=b"1.2.3.4.567"), meta(AGENT, OPAQUE)]


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_meta, "_known", {})


def outcome(source: Source) -> object:
    """All that is known of a file, or why it cannot be read."""
    try:
        found = parse(source)
    except (FileError, NotDicomError) as error:
        return type(error), str(error)
    data = found.data
    places = (found.meta_start, found.meta_stop, data.start, data.stop)
    return found.meta, places, data.encoding, data.other, found.meta_encoding


def damaged(whole: bytes, start: int, stop: int) -> Iterator[bytes]:
    """The file with each byte of a stretch changed, left out, doubled, and cut off there."""
    for place in range(start, stop):
        for bits in (0x01, 0x08, 0x20, 0xFF):
            yield whole[:place] + bytes([whole[place] ^ bits]) + whole[place + 1 :]
        yield whole[:place] + whole[place + 1 :]
        yield whole[: place + 1] + whole[place:]
        yield whole[:place]


@pytest.mark.parametrize("form", range(len(FORMS)))
def test_damaged_file_meta_is_read_as_without_those_before_it(
    form: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = file(FORMS[form])
    files = list(damaged(whole, 124, 132 + len(FORMS[form]) + 10))
    alone = []
    for data in files:
        monkeypatch.setattr(known_meta, "_known", {})
        alone.append(outcome(BytesSource(data)))
    monkeypatch.setattr(known_meta, "_known", {})
    for other in FORMS:
        outcome(BytesSource(file(other)))
    assert known_meta._known
    assert [outcome(BytesSource(data)) for data in files] == alone
    assert [outcome(BytesSource(data)) for data in files[::-1]] == alone[::-1]


def test_file_meta_of_a_series_is_scanned_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = outcome(BytesSource(file(meta())))
    monkeypatch.setattr("pfdicom_tagSub.dicom.file.scan_group", None)
    again = parse(BytesSource(file(meta(instance=b"1.2.3.4.6"))))
    assert outcome(BytesSource(file(meta(instance=b"1.2.3.4.6")))) == first
    value = again.meta[3]
    assert again.data.source.read(value.value, value.stop) == b"1.2.3.4.6\0"


def test_forms_of_one_length_are_known_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    agents = [element(0x00020016 + number, "AE", b"SCANNER", EXPLICIT) for number in range(2)]
    alone = [outcome(BytesSource(file(meta(agent)))) for agent in agents]
    monkeypatch.setattr("pfdicom_tagSub.dicom.file.scan_group", None)
    assert [outcome(BytesSource(file(meta(agent)))) for agent in agents] == alone


def test_what_files_do_with_their_elements_is_not_seen_by_others() -> None:
    parse(BytesSource(file(meta())))
    parse(BytesSource(file(meta()))).meta.clear()
    assert len(parse(BytesSource(file(meta()))).meta) == 5


@pytest.mark.parametrize("more", [OPAQUE, HOLDS_ITEM])
def test_file_meta_whose_values_may_hold_elements_is_never_remembered(more: bytes) -> None:
    outcome(BytesSource(file(meta(more))))
    assert not known_meta._known


def test_file_meta_without_preamble_is_not_one_that_stands_after_a_preamble() -> None:
    inner = meta() + DATA
    header = element(0x00090102, "OB", b"", EXPLICIT)
    gap = bytes(132 - len(meta() + header))
    bare = meta() + element(0x00090102, "OB", gap + inner, EXPLICIT)
    assert bare[132:].startswith(inner)
    alone = outcome(BytesSource(bare))
    known_meta._known.clear()
    outcome(BytesSource(file(meta())))
    assert outcome(BytesSource(bare)) == alone


def test_file_that_ends_with_its_file_meta_has_no_data_set(tmp_path: Path) -> None:
    parse(BytesSource(file(meta())))
    for data in (b"", NAME[:7]):
        (tmp_path / "a.dcm").write_bytes(file(meta(), data))
        descriptor = os.open(tmp_path / "a.dcm", os.O_RDONLY)
        warm = outcome(FileSource(descriptor, os.fstat(descriptor).st_size))
        known_meta._known.clear()
        assert warm == outcome(FileSource(descriptor, os.fstat(descriptor).st_size))
        os.close(descriptor)
        parse(BytesSource(file(meta())))


def test_no_value_is_remembered_and_no_more_forms_than_told() -> None:
    for number in range(known_meta.KEYS_MOST + 3):
        agent = element(0x00020016, "AE", b"SCANNER" * number, EXPLICIT)
        outcome(BytesSource(file(meta(agent))))
    assert 0 < len(known_meta._known) <= known_meta.KEYS_MOST
    for number in range(2 * known_meta.FORMS_MOST):
        outcome(BytesSource(file(meta(element(0x00020020 + number, "AE", b"X", EXPLICIT)))))
    kept = [one for forms in known_meta._known.values() for one in forms]
    assert max(map(len, known_meta._known.values())) == known_meta.FORMS_MOST
    for one in kept:
        assert not any(b"SCANNER" in header or b"1.2" in header for header in one.headers)
