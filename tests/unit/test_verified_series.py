"""Verification of files of a series: what it remembers of those before hides no fault and no value."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from builders import (
    EXPLICIT,
    IMPLICIT,
    Form,
    data_set,
    element,
    file_of,
    item,
    process,
    rules_of,
    sequence,
    written,
)
from installed import BUNDLED
from support import SHARED

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.dicom.edits import Edit, in_order
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine import patcher as patch
from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.verify.comparison import Verifier
from pfdicom_tagSub.verify.parsed_sequences import ParsedSequence
from pfdicom_tagSub.verify.pydicom_reading import read_again
from pfdicom_tagSub.verify.sequence_reading import items_of
from pfdicom_tagSub.verify.series_reading import INPUT, SeriesReader

NAME, PATIENT_ID, ACCESSION, STUDY_ID, DESCRIPTION = (
    0x00100010,
    0x00100020,
    0x00080050,
    0x00200010,
    0x00081030,
)
INSTANCE, PIXELS = 0x00080018, 0x7FE00010
KEY = b"a key that only these tests know"
NIGHTLY = "basic,retainLongitudinalModifiedDates,cleanDescriptors"


def outcome(verifier: Verifier, source: bytes, output: bytes) -> tuple[str, ...] | str:
    """The residuals of an output, or why it fails."""
    try:
        return verifier.residuals(BytesSource(source), BytesSource(output), "series/a.dcm")
    except FileError as error:
        return str(error)


# --- faults of the engine, once nearly everything was proved before


def _deep(form: Form, value: bytes = b"ACC-DEEP", *, defined: bool = True) -> bytes:
    """An Accession Number three sequences down."""
    made = element(ACCESSION, "SH", value, form) + element(0x00401001, "SH", b"KEEP", form)
    for tag in (0x00081115, 0x00081199, 0x00400275):
        made = sequence(tag, item(made, form, defined=defined), form, defined=defined)
    return made


def _file(number: int, form: Form = EXPLICIT, *, defined: bool = True) -> bytes:
    """One of a series."""
    data = element(INSTANCE, "UI", f"1.2.3.{number}".encode(), form)
    data += element(ACCESSION, "SH", b"ACC-ROOT", form)
    data += element(NAME, "PN", b"Doe^Jane", form) + element(STUDY_ID, "SH", b"%d" % number, form)
    private = element(ACCESSION, "SH", b"ACC-UNSQ", IMPLICIT)
    data += element(0x00290010, "LO", b"MAKER ", form) + element(
        0x00291001, "UN", b"PRIVATE" + bytes(9), form
    )
    data += sequence(0x00291002, item(private, IMPLICIT), form, vr="UN")
    data += _deep(form, b"ACC%05d" % number, defined=defined)
    return file_of(data + element(PIXELS, "OW", bytes(range(256)), form), form, instance=f"1.2.3.{number}")


Fault = Callable[[bytes, list[Edit]], list[Edit]]


def _without(text: bytes) -> Fault:
    """No edit of the element that holds a text."""

    def fault(content: bytes, edits: list[Edit]) -> list[Edit]:
        place = content.index(text)
        return [edit for edit in edits if not edit.start - 12 <= place < edit.stop + 12]

    return fault


def _flipped(text: bytes) -> Fault:
    def fault(content: bytes, edits: list[Edit]) -> list[Edit]:
        place = content.index(text)
        return [*edits, Edit(place, place + 1, bytes([content[place] ^ 1]))]

    return fault


def _off_by_two(content: bytes, edits: list[Edit]) -> list[Edit]:
    """The length of the innermost item is two less than it is."""
    place = content.rindex(b"\xfe\xff\x00\xe0", 0, content.index(b"ACC0000")) + 4
    length = int.from_bytes(content[place : place + 4], "little")
    made = next((edit for edit in edits if edit.start == place), None)
    now = int.from_bytes(made.data, "little") if made else length
    return [*[one for one in edits if one.start != place], Edit(place, place + 4, struct.pack("<I", now - 2))]


def _of_file_before(content: bytes, edits: list[Edit]) -> list[Edit]:
    """The Study ID of another file of the series."""
    place = content.index(struct.pack("<HH", STUDY_ID >> 16, STUDY_ID & 0xFFFF) + b"SH") + 8
    return [*edits, Edit(place, place + 1, b"3")]


FAULTS: dict[str, tuple[Fault, str]] = {
    "a rule that is not applied at depth 3": (
        _without(b"ACC0000"),
        "[0].ReferencedSOPSequence[0].ReferencedSeriesSequence[0].AccessionNumber is as it was",
    ),
    "a length that is off by two": (_off_by_two, "do not add up"),
    "a byte of private data": (_flipped(b"PRIVATE"), "(0029,1001) differs"),
    "a value that is left in a UN sequence": (_without(b"ACC-UNSQ"), "(0029,1002)[0].AccessionNumber"),
    "a byte of the pixels": (_flipped(bytes(range(100, 120))), "pixel data differs"),
    "a value of the file before": (_of_file_before, "StudyID differs"),
    "a name that all files have": (_without(b"Doe^Jane"), "is as it was though the key"),
    "a byte deep inside": (_flipped(b"KEEP"), "RequestedProcedureID differs"),
}


@pytest.mark.parametrize("defined", [True, False], ids=["defined lengths", "undefined lengths"])
@pytest.mark.parametrize("is_known", [True, False], ids=["the same file", "another one"])
@pytest.mark.parametrize("value", ["XXXXXXXX", "%_md5|8_#tag"], ids=["literal", "hash"])
@pytest.mark.parametrize("fault", FAULTS)
def test_series_that_was_proved_hides_no_fault_of_the_next_file(
    fault: str, value: str, is_known: bool, defined: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if FAULTS[fault][0] is _off_by_two and not defined:
        pytest.skip("an item of undefined length has no length")
    rules = rules_of({"AccessionNumber": value, "PatientName": "ANON"})
    worker = Worker(Settings(rules, verify=True, output_root=str(tmp_path)))
    for number in range(1, 5):
        result = process(worker, _file(number, defined=defined), tmp_path)
        assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    verifier = worker.tools.verifier
    assert verifier is not None
    assert [series.met for series in verifier.memory.series] == [2]
    inject, reason = FAULTS[fault]
    right = patch.Patcher.patch

    def wrong(self: patch.Patcher, file: object, *rest: object) -> Patched:
        made = right(self, file, *rest)  # type: ignore[arg-type]
        return replace(made, edits=in_order(inject(content, list(made.edits))))

    content = _file(4 if is_known else 5, defined=defined)
    monkeypatch.setattr(patch.Patcher, "patch", wrong)
    result = process(worker, content, tmp_path)
    assert (result.outcome.status, result.outcome.stage) == (Status.FAILED, Stage.VERIFY)
    assert reason in result.outcome.reason
    monkeypatch.undo()
    assert process(worker, content, tmp_path).outcome.status is Status.WRITTEN


# --- what a proof depends on


def test_proof_depends_on_what_templates_look_up() -> None:
    """The same item, which may stay only beside the same PatientID."""

    def made(patient: bytes) -> bytes:
        inner = item(element(STUDY_ID, "SH", b"A1", EXPLICIT), EXPLICIT)
        return file_of(element(PATIENT_ID, "LO", patient, EXPLICIT) + sequence(0x00400275, inner, EXPLICIT))

    verifier = Verifier(rules_of({"StudyID": "%PatientID"}))
    assert outcome(verifier, made(b"A1"), made(b"A1")) == ()
    assert outcome(verifier, made(b"A1"), made(b"A1")) == ()
    reason = "RequestAttributesSequence[0].StudyID is as it was though the key StudyID hits it"
    assert outcome(verifier, made(b"B2"), made(b"B2")) == reason


def test_proof_depends_on_the_private_creator() -> None:
    def made(creator: bytes) -> bytes:
        data = element(0x00290010, "LO", creator, EXPLICIT) + element(0x00291001, "LO", b"VALUE ", EXPLICIT)
        return file_of(data + element(0x00291002, "UN", b"19640812", EXPLICIT))

    verifier = Verifier(rules_of({'(0029,"OTHER",01)': "X"}))
    assert outcome(verifier, made(b"MAKER "), made(b"MAKER ")) == ()
    assert "(0029,1001) is as it was" in outcome(verifier, made(b"OTHER "), made(b"OTHER "))
    assert outcome(verifier, made(b"MAKER "), made(b"MAKER ")) == ()


def test_proof_depends_on_the_character_set() -> None:
    """The same bytes are a name that an item holds as it is, and are not."""

    def made(charset: bytes, stored: bytes) -> bytes:
        data = element(0x00080005, "CS", charset, EXPLICIT) + element(PATIENT_ID, "LO", stored, EXPLICIT)
        inner = item(element(STUDY_ID, "SH", "é".encode(), EXPLICIT), EXPLICIT)
        return file_of(data + sequence(0x00400275, inner, EXPLICIT))

    verifier = Verifier(rules_of({"StudyID": "%PatientID"}))
    utf8 = made(b"ISO_IR 192", "é".encode())
    assert outcome(verifier, utf8, utf8) == ()
    cold = Verifier(rules_of({"StudyID": "é"}))
    warm = Verifier(rules_of({"StudyID": "é"}))
    latin = made(b"ISO_IR 100", b"x ")
    assert outcome(warm, utf8, utf8) == ()
    assert outcome(warm, latin, latin) == outcome(cold, latin, latin) != ()


def test_search_forgets_nothing_that_the_next_patient_is_called() -> None:
    """The same description says nothing of one patient and names the next."""

    def made(number: int, patient: bytes) -> bytes:
        data = element(INSTANCE, "UI", b"1.2.3.%d" % number, EXPLICIT)
        data += element(DESCRIPTION, "LO", b"SEEN LIKE MRN-4711", EXPLICIT)
        return file_of(data + element(PATIENT_ID, "LO", patient, EXPLICIT), instance=f"1.2.3.{number}")

    rules = rules_of({"PatientID": "X", "SOPInstanceUID": "%_md5|9_#tag"})
    verifier = Verifier(rules)
    for number in range(1, 6):
        source = made(number, b"MRN-0815")
        assert outcome(verifier, source, patch_bytes(source, rules)) == ()
    for number in range(6, 9):
        source = made(number, b"MRN-4711")
        assert outcome(verifier, source, patch_bytes(source, rules)) == ("StudyDescription",)
    source = made(9, b"MRN-0815")
    assert outcome(verifier, source, patch_bytes(source, rules)) == ()


def test_search_finds_what_is_a_files_own(tmp_path: Path) -> None:
    """An Accession Number of its own, in elements that were searched for those of others.

    A text is searched twice, for bytes and as a text; a CS for bytes alone.
    """
    rules = rules_of({"AccessionNumber": "X", "PatientName": "ANON"})
    verifier = Verifier(rules)
    for number in (1001, 1002, 1003, 1004, 1005):
        data = element(ACCESSION, "SH", b"ACC-%d" % number, EXPLICIT)
        data += element(0x00080060, "CS", b"ACC-1004", EXPLICIT)
        data += element(DESCRIPTION, "LO", b"as ACC-1004 ", EXPLICIT)
        source = file_of(data + element(NAME, "PN", b"Doe^Jane", EXPLICIT))
        found = ("Modality", "StudyDescription") if number == 1004 else ()
        assert outcome(verifier, source, patch_bytes(source, rules)) == found


def test_search_does_not_rely_on_what_another_file_said_on_purpose() -> None:
    """A value that stands in the place of another says nothing there, and a lot in the next file."""
    rules = rules_of({"PatientID": "X", "AccessionNumber": "%StudyID"})
    verifier = Verifier(rules)
    for study, found in ((b"MRN-4711", ()), (b"MRN-4711", ()), (b"STUDY-22", ("Modality",))):
        data = element(ACCESSION, "SH", b"A1", EXPLICIT) + element(0x00080060, "CS", b"MRN-4711", EXPLICIT)
        data += element(PATIENT_ID, "LO", b"MRN-4711", EXPLICIT) + element(STUDY_ID, "SH", study, EXPLICIT)
        source = file_of(data)
        assert outcome(verifier, source, patch_bytes(source, rules)) == found


def test_search_looks_for_what_a_private_element_holds_by_its_creator() -> None:
    """Of a private element without a VR the creator says whether it is a date."""
    rules = rules_of({"PatientName": "ANON"}, remove_private=True)
    verifier = Verifier(rules)
    for creator, found in (
        (b"MAKER ", ()),
        (b"MAKER ", ()),
        (b"SIEMENS CT VA0  COAD", ("StudyDescription",)),
    ):
        data = element(DESCRIPTION, "LO", b"as 1964-08-12", EXPLICIT)
        data += element(0x00190010, "LO", creator, EXPLICIT) + element(
            0x001910C2, "UN", b"19640812", EXPLICIT
        )
        source = file_of(data)
        assert outcome(verifier, source, patch_bytes(source, rules)) == found


# --- the same answer, whatever came before and however it is read


def _paths() -> list[Path]:
    files = [path for path in BUNDLED.glob("*.dcm") if path.stat().st_size < 1 << 17]
    shared = [path for path in (SHARED / "corpus").rglob("*.dcm") if path.stat().st_size < 1 << 17]
    return sorted(files)[::3] + sorted(shared)[::120]


def _damaged(rng: random.Random, data: bytes) -> bytes:
    """A file in the header of which something is wrong."""
    last = data.rfind(b"\xe0\x7f\x10\x00")
    last = min(last if last > 200 else len(data), 1 << 14)
    made, place, other = bytearray(data), rng.randrange(132, last), rng.randrange(132, last)
    kind = rng.choice(["flip", "flip", "cut", "grow", "copy"])
    if kind == "flip":
        made[place] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del made[place : place + rng.choice([2, 2, 16])]
    elif kind == "grow":
        made[place:place] = b"AB"
    else:
        made[place : place + 8] = data[other : other + 8]
    return bytes(made)


def _rule_sets() -> dict[str, RuleSet]:
    return {
        "profile": compile_spec({}, profile=NIGHTLY, key=KEY),
        "spec": compile_spec({"PatientID": "%_md5|7_PatientID", "re:.*hysician": "X", "(0029,xxxx)": None}),
    }


@pytest.mark.parametrize("name", ["profile", "spec"])
def test_series_reader_finds_what_the_reading_of_whole_files_finds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of outputs, right ones and damaged ones, by a verifier that is warm, a new one, and one without."""
    rules = _rule_sets()[name]
    warm, whole = Verifier(rules), Verifier(rules)
    monkeypatch.setattr(whole.series, "read", lambda *_: None)
    rng = random.Random(name)
    counts = {True: 0, False: 0}
    for path in _paths():
        source = path.read_bytes()
        try:
            right = patch_bytes(source, rules)
        except (FileError, NotDicomError):
            continue
        for made in (right, right, _damaged(rng, right), _damaged(rng, right)):
            found = outcome(warm, source, made)
            assert found == outcome(Verifier(rules), source, made), path
            expected = outcome(whole, source, made)
            assert (found if isinstance(found, tuple) else "") == (
                expected if isinstance(expected, tuple) else ""
            ), (path, found, expected)
            counts[isinstance(found, tuple)] += 1
    assert min(counts.values()) > 10


@pytest.mark.parametrize("defined", [True, False])
def test_pieces_are_what_pydicom_reads(defined: bool) -> None:
    reader = SeriesReader()
    for number in (1, 2, 2, 3):
        source = BytesSource(_file(number, defined=defined))
        found, expected = reader.read(source, INPUT), read_again(source)
        assert found is not None
        for one, other in ((found.meta, expected.meta), (found.data, expected.data)):
            assert (one.start, one.end, one.encodings, one.little) == (
                *(other.start, other.end),
                *(other.encodings, other.little),
            )
            assert [(e.tag, e.start, e.value, e.end, e.vr, e.is_open) for e in one.entries] == [
                (e.tag, e.start, e.value, e.end, e.vr, e.is_open) for e in other.entries
            ]


def test_pieces_of_a_series_are_the_same_objects_and_hold_no_items() -> None:
    """What pydicom makes of a sequence takes many times the memory of its bytes."""
    reader = SeriesReader()
    readings = [reader.read(BytesSource(_file(number, defined=False)), INPUT) for number in (1, 1)]
    one, other = (reading.data.entries.pieces for reading in readings)  # type: ignore[union-attr]
    assert all(piece is again for piece, again in zip(one, other, strict=True) if piece.tag != PIXELS)
    data = readings[1].data  # type: ignore[union-attr]
    sequences = [entry for entry in data.entries if isinstance(entry.stored, ParsedSequence)]
    assert sequences
    assert [len(items_of(entry, data)) for entry in sequences] == [1] * len(sequences)
    reader.forget()
    assert [entry.stored._items for entry in sequences] == [None] * len(sequences)
    assert len(sequences[0].stored.value) == 1


@pytest.mark.parametrize(
    "content",
    [
        _file(1)[132:],
        _file(1) + bytes(20),
        _file(1) + b"left over",
        file_of(element(0x00080005, "CS", b"ISO_IR 100", EXPLICIT) * 2),
        file_of(element(0x00080005, "CS", b"a\0b\0", EXPLICIT)),
    ],
    ids=["no preamble", "zeros at the end", "a rest", "two character sets", "no character set"],
)
def test_files_of_other_makes_are_left_to_the_reading_of_whole_files(content: bytes) -> None:
    assert SeriesReader().read(BytesSource(content), INPUT) is None


# --- single faults


def test_file_whose_first_element_occurs_twice_has_a_true_file_meta(tmp_path: Path) -> None:
    """pydicom keeps the last of elements with one tag."""
    twice = element(ACCESSION, "SH", b"4711", EXPLICIT) * 2
    rules = rules_of({"(0002,0016)": "A LONGER TITLE", "PatientID": "X"})
    content = file_of(twice, extra=element(0x00020016, "AE", b"AE", EXPLICIT))
    for ending in (b"", bytes(16)):  # as pieces, and as a whole
        made = patch_bytes(content + ending, rules)
        assert made != content + ending
        assert outcome(Verifier(rules), content + ending, made) == ()


def test_element_of_the_file_meta_that_a_rule_does_not_change_is_found() -> None:
    content = file_of(
        element(STUDY_ID, "SH", b"1", EXPLICIT), extra=element(0x00020016, "AE", b"AE-1", EXPLICIT)
    )
    reason = "SourceApplicationEntityTitle is as it was though the key (0002,0016) hits it"
    for value, expected in (("X", reason), ("%_md5|4_#tag", reason), ("AE-1", ()), ("%_keep_#tag", ())):
        assert outcome(Verifier(rules_of({"(0002,0016)": value})), content, content) == expected


@pytest.mark.parametrize("keyword", ["PatientID", "PatientName", "StudyDate", "Modality", "AccessionNumber"])
def test_value_that_is_another_than_the_constant_of_the_rule_is_found(keyword: str) -> None:
    rules = rules_of({keyword: "19000101"})
    source = written(data_set(**{keyword: "20240315"}))
    right = patch_bytes(source, rules)
    assert outcome(Verifier(rules), source, right) == ()
    for wrong in (b"19000102", b"20240316"):
        made = right.replace(b"19000101", wrong)
        assert outcome(Verifier(rules), source, made) == f"{keyword} is not what the key {keyword} gives"
