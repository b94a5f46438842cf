"""The memory of what was proved of a series: which files it knows, what it looks at, and its bounds."""

from __future__ import annotations

import struct

import pytest
from builders import EXPLICIT, IMPLICIT, element, file_of, item, rules_of, sequence

from pfdicom_tagSub.api import patch_bytes
from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.verify import proved_series
from pfdicom_tagSub.verify.comparison import Verifier
from pfdicom_tagSub.verify.proved_series import LOOKED_AT_AGAIN, MOST_SERIES

SPEC: dict[str, str | None] = {"PatientName": "ANON", "AccessionNumber": "%_md5|8_PatientID"}
RULES = rules_of(SPEC)
SPARE = dict.fromkeys(range(64, 96), b"S")


def content(
    number: int,
    *,
    patient: bytes = b"PID-4711",
    charset: bytes = b"ISO_IR 100",
    modality: bytes = b"MR",
    device: bytes = b"SCANNER-1",
    comments: bytes = b"nothing",
    accession: bytes = b"ORDER-0815",
    lengths: bool = False,
    spare: dict[int, bytes] = SPARE,
) -> bytes:
    """A file of a series."""
    uid = b"1.2.3.%d" % number
    groups = [
        [
            (0x00080005, "CS", charset),
            (0x00080018, "UI", uid),
            (0x00080050, "SH", accession),
            (0x00080060, "CS", modality),
            (0x00081010, "SH", device),
        ],
        [(0x00100010, "PN", b"Doe^Jane"), (0x00100020, "LO", patient), (0x00104000, "LT", comments)],
        [(0x00200013, "IS", b"%d" % number)],
        [(0x00210010, "LO", b"MAKER "), *[(0x00211000 + one, "LO", text) for one, text in spare.items()]],
    ]
    data = b""
    for group in groups:
        made = b"".join(element(tag, vr, value, EXPLICIT) for tag, vr, value in group)
        if lengths:
            data += element(group[0][0] & 0xFFFF0000, "UL", struct.pack("<I", len(made)), EXPLICIT)
        data += made
    inner = item(element(0x00080050, "SH", accession, EXPLICIT), EXPLICIT)
    data += sequence(0x00400275, inner, EXPLICIT) + element(0x7FE00010, "OW", bytes(64), EXPLICIT)
    return file_of(data, EXPLICIT, instance=uid.decode())


def answer(verifier: Verifier, source: bytes, output: bytes | None = None) -> tuple[str, ...] | str:
    """What verification says of an output, a right one by default."""
    made = patch_bytes(source, verifier.rules) if output is None else output
    try:
        return verifier.residuals(BytesSource(source), BytesSource(made), "a/b.dcm")
    except FileError as error:
        return str(error)


def warm(*, lengths: bool = False) -> Verifier:
    """A verifier that met three files of a series, which it knows by the first two."""
    verifier = Verifier(RULES)
    for number in (1, 2, 3):
        assert answer(verifier, content(number, lengths=lengths)) == ()
    assert [series.met for series in verifier.memory.series] == [1]
    return verifier


@pytest.mark.parametrize("lengths", [False, True])
def test_third_file_of_a_series_is_read_where_it_differs_alone(
    lengths: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    verifier = warm(lengths=lengths)
    monkeypatch.setattr(verifier.series, "read", None)
    for number in (4, 55, 1):
        assert answer(verifier, content(number, lengths=lengths)) == ()
    assert verifier.memory.series[0].met == 4


@pytest.mark.parametrize(
    "other",
    [{"patient": b"PID-4712"}, {"charset": b"ISO_IR 101"}, {"device": b"SCANNER-2"}, {"spare": {0x40: b"S"}}],
    ids=["what a template looks up", "character set", "an element in common", "other elements"],
)
def test_file_that_differs_elsewhere_is_not_of_the_series(other: dict[str, bytes]) -> None:
    verifier = warm()
    assert answer(verifier, content(9, **other)) == ()  # type: ignore[arg-type]
    assert [series.met for series in verifier.memory.series].count(2) == 0


def test_element_that_begins_to_differ_is_proved_in_each_file_from_then_on() -> None:
    verifier = warm()
    for number, device in ((4, b"SCANNER-2"), (5, b"SCANNER-3"), (6, b"SCANNER-4")):
        assert answer(verifier, content(number, device=device)) == ()
    assert [series.met for series in verifier.memory.series] == [2]
    source = content(7, device=b"SCANNER-5")
    output = patch_bytes(source, RULES).replace(b"SCANNER-5", b"SCANNER-4")
    assert answer(verifier, source, output) == "StationName differs from the input's though no rule hits it"


def test_series_is_narrowed_to_what_differs_still() -> None:
    verifier = Verifier(RULES)
    others = dict.fromkeys(SPARE, b"T")
    assert answer(verifier, content(1, spare=others)) == ()
    for number in range(2, 3 + LOOKED_AT_AGAIN):
        assert answer(verifier, content(number)) == ()
    widths = [series.varying.total() for series in verifier.memory.series]
    assert widths[0] < len(SPARE)
    assert answer(verifier, content(90, spare=others)) == ()


def test_length_of_a_group_is_proved_in_each_file() -> None:
    verifier = warm(lengths=True)
    source = content(4, lengths=True)
    right = patch_bytes(source, RULES)
    place = right.index(struct.pack("<HH", 0x0010, 0)) + 8
    for wrong in (0, right[place] + 2):
        made = right[:place] + bytes([wrong]) + right[place + 1 :]
        assert answer(verifier, source, made) == "(0010,0000) is not the length of its group"
    place = right.index(struct.pack("<HH", 0x0002, 0)) + 8
    made = right[:place] + bytes([right[place] + 2]) + right[place + 1 :]
    assert answer(verifier, source, made) == answer(Verifier(RULES), source, made)


def test_length_that_was_true_of_other_files_is_proved_again() -> None:
    """It is the same bytes as in them, and an element of its group is longer."""
    verifier = Verifier(RULES)
    for text in (b"one", b"two", b"six"):
        assert answer(verifier, content(1, comments=text, lengths=True)) == ()
    assert verifier.memory.series[0].met == 1
    tag, before = struct.pack("<HH", 0x0010, 0), content(1, comments=b"one", lengths=True)

    def with_length(data: bytes, other: bytes) -> bytes:
        place = data.index(tag)
        return data[:place] + other[other.index(tag) :][:12] + data[place + 12 :]

    source = content(1, comments=b"eleven", lengths=True)
    right = patch_bytes(source, RULES)
    wrong = with_length(right, patch_bytes(before, RULES))
    assert wrong != right
    for one in (with_length(source, before), source):
        assert answer(verifier, one, wrong) == "(0010,0000) is not the length of its group"
        assert answer(verifier, one, right) == ()


def test_file_meta_is_proved_in_each_file() -> None:
    """An element of it that differs, and the length, which is the same bytes as in others."""
    rules = rules_of({"(0002,0016)": "%_md5|8_#tag"})

    def made(title: bytes) -> bytes:
        data = element(0x00100010, "PN", b"Doe^Jane", EXPLICIT)
        return file_of(data, EXPLICIT, extra=element(0x00020016, "AE", title, EXPLICIT))

    verifier = Verifier(rules)
    for title in (b"DEVICE-1", b"DEVICE-2", b"DEVICE-3", b"DEVICE-4"):
        assert answer(verifier, made(title)) == ()
    assert verifier.memory.series[0].met == 2
    source = made(b"DEVICE-5")
    right = patch_bytes(source, rules)
    place = right.index(struct.pack("<HH", 0x0002, 0x0016))
    reason = "SourceApplicationEntityTitle is as it was though the key (0002,0016) hits it"
    assert answer(verifier, source, source) == reason
    longer = right[:place] + element(0x00020016, "AE", b"0123456789", EXPLICIT) + right[place + 16 :]
    reason = "FileMetaInformationGroupLength is not the length of the file meta"
    assert answer(verifier, source, longer) == reason
    assert answer(verifier, source, right) == ()


@pytest.mark.parametrize("more", [b"\0\0", b"Doe^Jane"])
def test_bytes_after_the_last_element_are_not_passed_over(more: bytes) -> None:
    verifier = warm()
    source = content(4)
    made = patch_bytes(source, RULES) + more
    assert answer(verifier, source, made) == answer(Verifier(RULES), source, made)
    assert isinstance(answer(verifier, source, made), str)


def test_value_that_becomes_a_sequence_is_entered() -> None:
    """It has the same tag and VR as the values before it, and holds what a key names."""
    inner = item(element(0x00100010, "PN", b"Doe^Jane", IMPLICIT), IMPLICIT)
    verifier = Verifier(RULES)

    def made(number: int, value: bytes) -> bytes:
        start = content(number)
        place = start.index(struct.pack("<HH", 0x0040, 0x0275))
        creator = element(0x00290010, "LO", b"MAKER ", EXPLICIT)
        return start[:place] + creator + element(0x00291001, "UN", value, EXPLICIT) + start[place:]

    for number, value in enumerate((b"one ", b"two ", b"three ")):
        assert answer(verifier, made(number, value)) == ()
    assert verifier.memory.series[0].met == 1
    source = made(4, inner)
    right = patch_bytes(source, RULES)
    assert answer(verifier, source) == ()
    place, stop = (
        right.index(struct.pack("<HH", 0x0029, 0x1001)),
        right.index(struct.pack("<HH", 0x40, 0x275)),
    )
    own = element(0x00291001, "UN", inner, EXPLICIT)
    wrong = right[:place] + own + right[stop:]
    assert wrong != right
    reason = "(0029,1001)[0].PatientName is as it was though the key PatientName hits it"
    assert answer(verifier, source, wrong) == reason


@pytest.mark.parametrize(("place", "name"), [("device", "StationName"), ("comments", "PatientComments")])
def test_value_of_one_file_in_what_is_in_common_is_found_in_that_file(place: str, name: str) -> None:
    """What was proved for others is searched for the values of each file."""
    verifier = Verifier(RULES)
    for number in range(1, 8):
        source = content(number, accession=b"ACC-%04d" % number, **{place: b"as ACC-0006"})  # type: ignore[arg-type]
        assert answer(verifier, source) == ((name,) if number == 6 else ())
    assert verifier.memory.series[0].met > 2


def test_value_in_common_in_what_differs_is_found() -> None:
    verifier = Verifier(RULES)
    texts = [b"one", b"two", b"three", b"Jane Doe", b"four"]
    for number, text in enumerate(texts):
        found = ("PatientComments",) if text == b"Jane Doe" else ()
        assert answer(verifier, content(number, comments=text)) == found
    assert verifier.memory.series[0].met == 3


@pytest.mark.parametrize(("place", "name"), [("modality", "Modality"), ("device", "StationName")])
def test_value_that_all_files_replace_is_found_in_each(place: str, name: str) -> None:
    """In a CS it is found by the search of bytes alone; in common, and where a file differs."""
    held: dict[str, bytes] = {place: b"ORDER-0815"}
    verifier = Verifier(RULES)
    for number in range(1, 6):
        assert answer(verifier, content(number, **held)) == (name,)  # type: ignore[arg-type]
    assert verifier.memory.series[0].met == 3
    verifier = Verifier(RULES)
    for number, text in enumerate([b"ONE", b"TWO", b"THREE", b"ORDER-0815", b"FOUR"]):
        found = (name,) if text == b"ORDER-0815" else ()
        assert answer(verifier, content(number, **{place: text})) == found  # type: ignore[arg-type]
    assert verifier.memory.series[0].met == 3


@pytest.mark.parametrize("path", ["of/order-0815.dcm", "of/anon.dcm"])
def test_value_that_all_files_replace_is_found_in_a_path(path: str) -> None:
    verifier = Verifier(RULES)
    for number in range(1, 6):
        source = content(number)
        written = BytesSource(patch_bytes(source, RULES))
        found = verifier.residuals(BytesSource(source), written, path)
        assert found == (("path",) if "order" in path else ())


def test_value_that_all_files_replace_is_found_in_pixels() -> None:
    verifier = warm()
    for number, text in ((4, b"\0\0order-0815\0\0"), (5, bytes(14))):
        source = content(number)[:-64] + text + bytes(50)
        assert answer(verifier, source) == (("pixel data",) if text.strip(b"\0") else ())


def test_memory_has_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = Verifier(RULES)
    for number in range(3 * MOST_SERIES):
        for instance in (1, 2):
            assert answer(verifier, content(instance, patient=b"PID-%04d" % number)) == ()
    assert len(verifier.memory.series) == MOST_SERIES
    monkeypatch.setattr(proved_series, "MOST_BYTES", 100)
    verifier = Verifier(RULES)
    for number in (1, 2, 3):
        assert answer(verifier, content(number)) == ()
    assert not verifier.memory.series


def test_memory_keeps_no_pixels_of_a_file() -> None:
    series = warm().memory.series[0]
    assert not series.before.data.source.size
    assert not series.after.data.source.size
