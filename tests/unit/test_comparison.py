"""Verification: silent where the engine is right, every fault of it found, every value that is left named."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import (
    BIG,
    EXPLICIT,
    FORMS,
    IMPLICIT,
    Form,
    Spec,
    Substituted,
    data_set,
    element,
    file_of,
    item,
    nested,
    process,
    rules_of,
    sequence,
    written,
)
from installed import BUNDLED
from support import README_SPEC, SHARED, run_command

from pfdicom_tagSub.api import compile_spec, patch_file
from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.core.outcome import Stage, Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.dicom.edits import Edit, in_order
from pfdicom_tagSub.dicom.sources import BytesSource, FileSource
from pfdicom_tagSub.engine import patcher as patch
from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.run import output_writing
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.verify.comparison import Verifier
from pfdicom_tagSub.verify.search_terms import COMMON, traces_of

NAME, PATIENT_ID, CHARSET, PIXELS = 0x00100010, 0x00100020, 0x00080005, 0x7FE00010
DEFLATED = "1.2.840.10008.1.2.1.99"
KEY = b"a key that only these tests know"
OPTIONS = sorted(path.stem for path in (Path(patch.__file__).parents[1] / "profiles").glob("*.json"))


def verified(
    content: bytes, rules: RuleSet, folder: Path, *, fail: bool = False, name: str = "a.dcm"
) -> Substituted:
    """What becomes of a file with ``--verify``."""
    settings = Settings(rules, verify=True, fail_residuals=fail, output_root=str(folder))
    result = process(Worker(settings), content, folder, name)
    (folder / f"out-{name}").unlink(missing_ok=True)
    return result


def residuals(content: bytes, spec: Spec, folder: Path, **how: bool) -> tuple[str, ...]:
    """The elements that verification names."""
    result = verified(content, rules_of(spec, **how), folder)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    return result.outcome.residuals


# --- nothing to complain of


def _corpus() -> list[Path]:
    files = [path for path in BUNDLED.rglob("*") if path.is_file() and path.stat().st_size < 1 << 20]
    shared = [path for path in (SHARED / "corpus").rglob("*.dcm") if path.stat().st_size < 1 << 20]
    return sorted(files) + sorted(shared)[::9]


@pytest.mark.parametrize(
    "options", ["README", "private", "basic", *(f"basic,{one}" for one in OPTIONS if one != "basic")]
)
def test_verification_finds_no_fault_in_what_the_engine_writes(options: str, tmp_path: Path) -> None:
    if options in {"README", "private"}:
        rules = compile_spec(README_SPEC, remove_private_tags=options == "private")
    else:
        rules = compile_spec({}, profile=options, key=KEY)
    assert _agreed(rules, _corpus(), tmp_path) > 100


def _agreed(rules: RuleSet, paths: list[Path], tmp_path: Path) -> int:
    """How many files are written; verification has to change nothing about any."""
    plain = Worker(Settings(rules))
    checked = Worker(Settings(rules, verify=True, output_root=str(tmp_path)))
    count = 0
    for path in paths:
        jobs = [FileJob(str(path), str(tmp_path / name), path.name) for name in ("plain", "checked")]
        expected, outcome = plain.process(jobs[0]), checked.process(jobs[1])
        assert replace(outcome, residuals=(), path_holds_value=False, seconds=0.0) == replace(
            expected, path_holds_value=False, seconds=0.0
        ), path
        if outcome.status is Status.WRITTEN:
            count += 1
            assert (tmp_path / "plain").read_bytes() == (tmp_path / "checked").read_bytes()
            (tmp_path / "plain").unlink()
            (tmp_path / "checked").unlink()
    return count


@pytest.mark.parametrize(
    "spec",
    [
        {"(0008,xxxx)": None, "re:.*Description": "%_clean_#tag"},
        {"(0040,xxxx)": None, "RequestAttributesSequence": "%_clean_#tag"},
        {"(0010,xxxx)": "%_dummy_#tag", "re:.*Sequence": None},
        {"(0019,xxxx)": "%_empty_#tag", "(0029,xxxx)": None, '(0029,"SIEMENS CSA HEADER",10)': "%_keep_#tag"},
        {"private": None, '(0019,"SIEMENS MR HEADER",0C)': "%_keep_#tag", "PatientName": "大"},
        {"(0002,0016)": "X", "SOPInstanceUID": "%_uid_#tag", "preamble": "", "PixelData": ""},
        {"PatientIdentityRemoved": "YES", "PatientName": "", "PixelData": None},
    ],
    ids="+".join,
)
def test_verification_understands_every_kind_of_key(spec: dict[str, str | None], tmp_path: Path) -> None:
    assert _agreed(compile_spec(spec), _corpus()[::3], tmp_path) > 20


@pytest.mark.parametrize(
    "form", [*FORMS, Form("deflated", DEFLATED, implicit=False, little=True)], ids=lambda form: form.name
)
@pytest.mark.parametrize("undefined", [False, True])
def test_verification_reads_every_encoding(form: Form, undefined: bool, tmp_path: Path) -> None:
    made = nested(data_set(PatientID="INNER-4711", StudyID="KEPT"), PatientID="OUTER-4711", StudyID="KEPT")
    content = written(made, form, undefined=undefined)
    result = verified(
        content, rules_of({"PatientID": "%_md5|7_PatientID", "ClinicalTrialSiteID": "S"}), tmp_path
    )
    assert (result.outcome.status, result.outcome.residuals) == (Status.WRITTEN, ())


@pytest.mark.parametrize("vr", ["SQ", "UN"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_verification_reads_items_whose_elements_are_in_no_order(form: Form, vr: str, tmp_path: Path) -> None:
    inner = IMPLICIT if vr == "UN" else form
    own = element(0x00400009, "SH", b"STEP", inner) + element(NAME, "PN", b"Mustermann^Erika", inner)
    content = file_of(_identity(form) + sequence(0x00400275, item(own, inner), form, vr=vr), form)
    result = verified(content, rules_of({"PatientName": "ANON"}), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert b"Mustermann" not in result.content


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_verification_tells_the_character_set_from_padding_after_it(form: Form, tmp_path: Path) -> None:
    kept = element(CHARSET, "CS", b"ISO_IR 100", form)
    content = file_of(kept + element(NAME, "PN", b"A^B", form) + bytes(4), form)
    result = verified(content, rules_of({"rest": None}), tmp_path)
    assert result.outcome.status is Status.WRITTEN, result.outcome.reason
    assert result.content.endswith(kept + bytes(4))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_verification_knows_what_has_to_follow(form: Form, tmp_path: Path) -> None:
    """Group lengths, the declared character set, the file meta and its length, repeated elements."""
    inner = element(0x00100000, "UL", struct.pack(form.order + "I", 0), form) + element(
        NAME, "PN", b"Doe^Jane", form
    )
    data = element(0x00080018, "UI", b"1.2.3.4.5678", form)
    data += element(0x00100000, "UL", struct.pack(form.order + "I", 16), form) + element(
        NAME, "PN", b"Doe^Jane", form
    )
    data += element(PATIENT_ID, "LO", b"first one ", form) + element(PATIENT_ID, "LO", b"second one", form)
    data += sequence(0x00400275, item(inner, form), form) + b"\0\0\0"
    spec = {
        "PatientName": "大^大",
        "PatientID": "a new ID",
        "SOPInstanceUID": "1.2.3",
        "SourceApplicationEntityTitle": "AE",
    }
    result = verified(file_of(data, form, instance="1.2.3.4.5678"), rules_of(spec), tmp_path)
    assert (result.outcome.status, result.outcome.reason) == (Status.WRITTEN, "")
    assert result.outcome.residuals == ()


def test_verification_reads_what_a_series_has_in_common_once_but_each_output(tmp_path: Path) -> None:
    rules = rules_of({"PatientID": "%_md5|7_PatientID"})
    one = Worker(Settings(rules, verify=True, output_root=str(tmp_path)))
    for number in range(3):
        content = written(data_set(PatientID=f"ID-{number:04d}", StudyID=f"ID-{(number + 1) // 2:04d}"))
        result = process(one, content, tmp_path)
        assert result.outcome.residuals == (
            ("StudyID",) if number == 1 else () if number else ("StudyID",)[:1]
        )


# --- faults of the engine


Fault = Callable[[Patched, bytes], Patched]


def _with(patched: Patched, edits: Iterable[Edit]) -> Patched:
    return replace(patched, edits=in_order(list(edits)))


def _at(content: bytes, text: bytes) -> int:
    place = content.index(text)
    assert content.count(text) == 1
    return place


def _forgotten(patched: Patched, content: bytes) -> Patched:
    removed = _at(content, b"ACCESSION-1")
    return _with(patched, [edit for edit in patched.edits if not edit.start <= removed < edit.stop])


def _forgotten_inside(patched: Patched, content: bytes) -> Patched:
    inner = _at(content, b"ACCESSION-2")
    return _with(patched, [edit for edit in patched.edits if edit.start > inner or edit.stop <= inner - 60])


def _flipped(text: bytes) -> Fault:
    def fault(patched: Patched, content: bytes) -> Patched:
        place = _at(content, text)
        return _with(patched, [*patched.edits, Edit(place, place + 1, bytes([content[place] ^ 1]))])

    return fault


def _dropped(tag: int) -> Fault:
    def fault(patched: Patched, content: bytes) -> Patched:
        start = _at(content, struct.pack("<HH", tag >> 16, tag & 0xFFFF))
        stop = start + 8 + int.from_bytes(content[start + 6 : start + 8], "little")
        return _with(patched, [*patched.edits, Edit(start, stop, b"")])

    return fault


def _inserted(before: int, data: bytes) -> Fault:
    def fault(patched: Patched, content: bytes) -> Patched:
        place = _at(content, struct.pack("<HH", before >> 16, before & 0xFFFF))
        return _with(patched, [*patched.edits, Edit(place, place, data)])

    return fault


def _shifted(patched: Patched, content: bytes) -> Patched:
    place = _at(content, b"\xaaPIXELS")
    return _with(patched, [*patched.edits, Edit(place, place, b"\0"), Edit(place + 63, place + 64, b"")])


def _wrong_item_length(patched: Patched, content: bytes) -> Patched:
    place = _at(content, b"\xfe\xff\x00\xe0") + 4
    edits = [edit for edit in patched.edits if edit.start != place]
    length = int.from_bytes(content[place : place + 4], "little")
    return _with(patched, [*edits, Edit(place, place + 4, (length - 30).to_bytes(4, "little"))])


def _wrong_group_length(patched: Patched, content: bytes) -> Patched:
    place = _at(content, b"\x22\x22\0\0")
    return _with(
        patched,
        [edit._replace(data=b"\x22\x23\0\0") if edit.start == place else edit for edit in patched.edits],
    )


def _old_group_length(patched: Patched, content: bytes) -> Patched:
    place = _at(content, b"\x22\x22\0\0")
    return _with(patched, [edit for edit in patched.edits if edit.start != place])


def _preamble(patched: Patched, content: bytes) -> Patched:
    return _with(patched, [*patched.edits, Edit(5, 6, b"x")])


def _grown(patched: Patched, content: bytes) -> Patched:
    return _with(patched, [*patched.edits, Edit(len(content), len(content), b"left over")])


STRAY = element(0x00200010, "SH", b"stray ", EXPLICIT)
FAULTS: dict[str, tuple[Fault, str]] = {
    "an edit is lost": (_forgotten, "AccessionNumber should have been removed"),
    "an edit inside an item is lost": (_forgotten_inside, "RequestAttributesSequence[0].AccessionNumber"),
    "a byte of an element": (_flipped(b"KEEP-ME"), "StudyDescription differs"),
    "a byte of a nested element": (
        _flipped(b"KEEP-NESTED"),
        "RequestAttributesSequence[0].RequestedProcedureID differs",
    ),
    "a byte of a private element": (_flipped(b"PRIVATE-1"), "(0029,1001) differs"),
    "a byte of the pixels": (_flipped(b"\xaaPIXELS"), "pixel data differs"),
    "the pixels are shifted": (_shifted, "pixel data differs"),
    "a byte of the file meta": (_flipped(b"1.2.826.0.1.3680043.8.498.1"), "ImplementationClassUID differs"),
    "an element is dropped": (_dropped(0x00081030), "StudyDescription is missing"),
    "a stray element": (_inserted(PIXELS, STRAY), "StudyID is in the output and not in the input"),
    "a group length": (_wrong_group_length, "(0010,0000) is not the length"),
    "a group length that stays": (_old_group_length, "(0010,0000) is not the length"),
    "the length of an item": (_wrong_item_length, "do not add up"),
    "the preamble": (_preamble, "the preamble differs"),
    "bytes at the end": (_grown, ""),
}


def _sample() -> bytes:
    inner = element(0x00080050, "SH", b"ACCESSION-2 ", EXPLICIT) + element(
        0x00401001, "SH", b"KEEP-NESTED ", EXPLICIT
    )
    data = element(0x00080050, "SH", b"ACCESSION-1 ", EXPLICIT) + element(
        0x00081030, "LO", b"KEEP-ME ", EXPLICIT
    )
    data += element(0x00100000, "UL", b"\x22\x22\0\0", EXPLICIT)
    data += element(NAME, "PN", b"Doe^Jane", EXPLICIT) + element(0x00290010, "LO", b"MAKER ", EXPLICIT)
    data += element(0x00291001, "LO", b"PRIVATE-1 ", EXPLICIT)
    data += sequence(0x00400275, item(inner, EXPLICIT), EXPLICIT)
    data += element(PIXELS, "OW", b"\xaaPIXELS\xbb" * 1 + bytes(56), EXPLICIT)
    return file_of(data, EXPLICIT)


SAMPLE_SPEC: Spec = {"AccessionNumber": None, "PatientName": "a much longer name"}


@pytest.mark.parametrize("fault", FAULTS)
def test_verification_finds_a_fault_of_the_engine_and_leaves_no_output(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = _sample()
    rules = rules_of(SAMPLE_SPEC)
    assert verified(content, rules, tmp_path).outcome.status is Status.WRITTEN
    inject, reason = FAULTS[fault]
    right = patch.Patcher.patch
    monkeypatch.setattr(patch.Patcher, "patch", lambda *args: inject(right(*args), content))
    result = verified(content, rules, tmp_path)
    assert result.content == b""
    assert (result.outcome.status, result.outcome.stage) == (Status.FAILED, Stage.VERIFY)
    assert reason in result.outcome.reason
    for value in ("ACCESSION", "KEEP", "Doe", "Jane", "PRIVATE", "PIXELS", "stray"):
        assert value not in result.outcome.reason


@pytest.mark.parametrize("form", [EXPLICIT, BIG, IMPLICIT], ids=lambda form: form.name)
def test_verification_finds_a_rule_that_the_engine_does_not_apply(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also in a sequence that is the same in input and output."""
    made = nested(data_set(AccessionNumber="ACCESSION-2"), StudyID="S")
    content = written(made, form)
    monkeypatch.setattr(patch.Patcher, "patch", lambda *_: Patched([], [], ()))
    result = verified(content, rules_of({"AccessionNumber": None}), tmp_path)
    assert result.outcome.reason == "RequestAttributesSequence[0].AccessionNumber should have been removed"


def test_verification_finds_private_elements_that_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patch.Patcher, "patch", lambda *_: Patched([], [], ()))
    result = verified(_sample(), rules_of({"StudyID": ""}, remove_private=True), tmp_path)
    assert result.outcome.reason == "(0029,0010) should have been removed"


def test_verification_finds_damage_done_while_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = output_writing.write

    def damaging(*arguments: Any, check: Callable[[FileSource], None], **how: Any) -> Status:
        def after_damage(written: FileSource) -> None:
            path = Path(f"/proc/self/fd/{written.descriptor}")
            damaged = bytearray(path.read_bytes())
            damaged[-3] ^= 1
            path.write_bytes(damaged)
            check(written)

        return right(*arguments, check=after_damage, **how)

    monkeypatch.setattr(output_writing, "write", damaging)
    result = verified(_sample(), rules_of(SAMPLE_SPEC), tmp_path)
    assert (result.outcome.reason, result.content) == (
        "pixel data differs from the input's though no rule hits it",
        b"",
    )


def test_verification_checks_an_output_that_is_there_already(tmp_path: Path) -> None:
    made = data_set(PatientID="MRN-4711", StudyDescription="of MRN-4711")
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(written(made))
    rules = rules_of({"PatientID": "x"})
    job = FileJob(str(source), str(target), "in.dcm")
    assert Worker(Settings(rules)).process(job).status is Status.WRITTEN
    reporting = Worker(Settings(rules, verify=True)).process(job)
    assert (reporting.status, reporting.residuals) == (Status.UNCHANGED, ("StudyDescription",))
    failing = Worker(Settings(rules, verify=True, fail_residuals=True)).process(job)
    assert (failing.status, failing.stage) == (Status.FAILED, Stage.VERIFY)
    assert not target.exists()
    assert source.exists()


# --- values that are left

SPEC: Spec = {
    "PatientName": "ANON",
    "PatientID": "%_md5|7_PatientID",
    "PatientBirthDate": "19000101",
    "OtherPatientIDsSequence": None,
}
IDENTITY = {"PatientName": "Mustermann^Erika", "PatientID": "MRN-4711-X", "PatientBirthDate": "19640812"}


def _private(vr: str, value: bytes, form: Form = EXPLICIT) -> bytes:
    return element(0x00290010, "LO", b"MAKER ", form) + element(0x00291001, vr, value, form)


def _identity(form: Form = EXPLICIT, name: bytes = b"Mustermann^Erika", charset: bytes = b"") -> bytes:
    data = element(CHARSET, "CS", charset, form) if charset else b""
    data += element(NAME, "PN", name, form) + element(PATIENT_ID, "LO", b"MRN-4711-X", form)
    return data + element(0x00100030, "DA", b"19640812", form)


NOTE = 0x00104000  # PatientComments
PLANTED: dict[str, tuple[bytes, tuple[str, ...]]] = {
    "another element": (
        file_of(element(0x00081030, "LO", b"CT MRN-4711-X", EXPLICIT) + _identity()),
        ("StudyDescription",),
    ),
    "another case": (
        file_of(element(0x00081030, "LO", b"ct mrn-4711-x", EXPLICIT) + _identity()),
        ("StudyDescription",),
    ),
    "free text": (
        file_of(_identity() + element(NOTE, "LT", b"Mrs. ERIKA  M. was seen", EXPLICIT)),
        ("PatientComments",),
    ),
    "a private element": (file_of(_identity() + _private("LO", b"x MRN-4711-X y")), ("(0029,1001)",)),
    "UN": (file_of(_identity() + _private("UN", b"\1\2MRN-4711-X\0\0")), ("(0029,1001)",)),
    "UTF-16": (file_of(_identity() + _private("OB", "Mustermann".encode("utf-16-le"))), ("(0029,1001)",)),
    "UTF-16 of the other order": (
        file_of(_identity() + _private("OB", "19640812".encode("utf-16-be"))),
        ("(0029,1001)",),
    ),
    "an item": (
        file_of(
            _identity()
            + sequence(
                0x00400275,
                item(b"", EXPLICIT) + item(element(0x00400009, "SH", b"MRN-4711-X", EXPLICIT), EXPLICIT),
                EXPLICIT,
            )
        ),
        ("RequestAttributesSequence[1].ScheduledProcedureStepID",),
    ),
    "an item of an item": (
        file_of(
            _identity()
            + sequence(
                0x00400275,
                item(
                    sequence(
                        0x00400008,
                        item(element(0x00080104, "LO", b"for Mustermann", EXPLICIT), EXPLICIT, defined=False),
                        EXPLICIT,
                        defined=False,
                    ),
                    EXPLICIT,
                ),
                EXPLICIT,
            )
        ),
        ("RequestAttributesSequence[0].ScheduledProtocolCodeSequence[0].CodeMeaning",),
    ),
    "pixels": (
        file_of(_identity() + element(PIXELS, "OW", bytes(5000) + b"Mustermann" + bytes(5000), EXPLICIT)),
        ("pixel data",),
    ),
    "after the pixels": (
        file_of(
            _identity()
            + element(PIXELS, "OW", bytes(40), EXPLICIT)
            + element(0xFFFCFFFC, "OB", b"MRN-4711-X", EXPLICIT)
        ),
        ("DataSetTrailingPadding",),
    ),
    "the file meta": (
        file_of(_identity(), extra=element(0x00020016, "AE", b"MRN-4711-X", EXPLICIT)),
        ("SourceApplicationEntityTitle",),
    ),
    "the preamble": (b"Mustermann".ljust(128) + file_of(_identity())[128:], ("preamble",)),
    "a short part of a name": (
        file_of(_identity(name=b"Li^Bo^^Dr") + element(NOTE, "LT", b"I saw Bo Li today", EXPLICIT)),
        ("PatientComments",),
    ),
    "a name of one syllable each": (
        file_of(
            _identity(name="Li^Bo=李^波".encode(), charset=b"ISO_IR 192")
            + element(NOTE, "LT", "与李波".encode(), EXPLICIT)
        ),
        ("PatientComments",),
    ),
    "a Chinese name": (
        file_of(
            _identity(name="Li^Bo=欧阳^波".encode(), charset=b"ISO_IR 192")
            + element(NOTE, "LT", "与欧阳".encode(), EXPLICIT)
        ),
        ("PatientComments",),
    ),
    "Latin-1": (
        file_of(
            _identity(name="Müller^X".encode("latin-1"), charset=b"ISO_IR 100")
            + element(NOTE, "LT", "MÜLLER".encode("latin-1"), EXPLICIT)
        ),
        ("PatientComments",),
    ),
    "UTF-8 in a file of Latin-1": (
        file_of(
            _identity(name="Müller^X".encode("latin-1"), charset=b"ISO_IR 100")
            + _private("UN", "Müller".encode())
        ),
        ("(0029,1001)",),
    ),
    "Greek": (
        file_of(
            _identity(name="Διονυσιος^X".encode("iso8859-7"), charset=b"ISO_IR 126")
            + element(NOTE, "LT", "ΔΙΟΝΥΣΙΟΣ".encode("iso8859-7"), EXPLICIT)
        ),
        ("PatientComments",),
    ),
    "Greek as it is": (
        file_of(
            _identity(name="Διονυσιος^X".encode("iso8859-7"), charset=b"ISO_IR 126")
            + element(NOTE, "LT", "ο Διονυσιος".encode("iso8859-7"), EXPLICIT)
        ),
        ("PatientComments",),
    ),
    "ISO 2022 IR 87": (
        file_of(
            _identity(name=b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B", charset=b"\\ISO 2022 IR 87")
            + element(NOTE, "LT", b"\x1b$B;3ED\x1b(B", EXPLICIT)
        ),
        ("PatientComments",),
    ),
}


@pytest.mark.parametrize("case", PLANTED)
def test_residuals_name_what_holds_a_value(case: str, tmp_path: Path) -> None:
    content, expected = PLANTED[case]
    assert residuals(content, SPEC, tmp_path) == expected


@pytest.mark.parametrize(
    "form", [*FORMS, Form("deflated", DEFLATED, implicit=False, little=True)], ids=lambda form: form.name
)
def test_residuals_are_found_in_every_encoding(form: Form, tmp_path: Path) -> None:
    made = nested(data_set(ScheduledProcedureStepID="MRN-4711-X"), StudyDescription="Erika 4", **IDENTITY)
    assert residuals(written(made, form), SPEC, tmp_path) == (
        "StudyDescription",
        "RequestAttributesSequence[0].ScheduledProcedureStepID",
    )


@pytest.mark.parametrize(
    "notation",
    [
        "1964-08-12",
        "1964/08/12",
        "1964.8.12",
        "12.08.1964",
        "12.8.1964",
        "08/12/1964",
        "8/12/1964",
        "12.08.64",
        "12-Aug-1964",
        "12 August 1964",
        "Aug 12, 1964",
        "12. August 1964",
        "12AUG1964",
        "19640812101500",
        "1964 08 12",
        "12081964",
        "12-AUG-64",
    ],
)
def test_residuals_know_the_notations_of_a_date(notation: str, tmp_path: Path) -> None:
    content = written(data_set(PatientComments=f"born {notation}, well", **IDENTITY))
    assert residuals(content, SPEC, tmp_path) == ("PatientComments",)


@pytest.mark.parametrize(
    "text", ["1964", "119640812", "1964-08-121", "08.1964", "12.08.1965", "2.08.1964", "12.08.164"]
)
def test_residuals_are_no_other_numbers(text: str, tmp_path: Path) -> None:
    expected = ("PatientComments",) if text == "119640812" else ()  # a date stands in longer numbers, too
    assert residuals(written(data_set(PatientComments=text, **IDENTITY)), SPEC, tmp_path) == expected


@pytest.mark.parametrize(
    ("replaced", "kept"),
    [
        ({"PatientID": "BRAIN"}, {"StudyDescription": "BRAIN"}),
        ({"PatientName": "Anonymous^Unknown"}, {"StudyDescription": "UNKNOWN ANONYMOUS"}),
        ({"PatientID": "12"}, {"StudyDescription": "12 12"}),
        ({"PatientID": "4711"}, {"SeriesInstanceUID": "1.2.347115"}),
        ({"PatientName": "Lang^Uta"}, {"StudyDescription": "Language"}),
        ({"PatientID": "1.2.840.10008.5.1.4.1.1.7"}, {"StudyDescription": "nothing"}),
        ({"PatientBirthDate": "1964"}, {"StudyDescription": "1964"}),
    ],
)
def test_residuals_leave_out_what_tells_nothing(
    replaced: dict[str, str], kept: dict[str, str], tmp_path: Path
) -> None:
    spec = {keyword: "19000101" if "Date" in keyword else "x" for keyword in replaced}
    assert residuals(written(data_set(**replaced, **kept)), spec, tmp_path) == ()


def test_residuals_leave_out_values_that_are_also_a_result(tmp_path: Path) -> None:
    made = data_set(
        PatientID="MRN-4711", StudyID="MRN-4711", StudyDescription="MRN-4711", PatientName="Anon^Erika"
    )
    assert residuals(written(made), {"PatientID": "x"}, tmp_path) == ("StudyDescription", "StudyID")
    assert residuals(written(made), {"PatientID": "x", "StudyID": "%StudyID"}, tmp_path) == ()
    made.PatientComments = "Erika"
    assert residuals(written(made), {"PatientName": "Erika^Anon"}, tmp_path) == ()


def test_residuals_of_removed_sequences_and_private_elements(tmp_path: Path) -> None:
    made = data_set(StudyDescription="of NESTED-77", SeriesDescription="Erika and PARAMETER")
    made.OtherPatientIDsSequence = [data_set(PatientID="NESTED-77")]
    made.add_new(0x00290010, "LO", "MAKER")
    made.add_new(0x00291001, "PN", "Mustermann^Erika")
    made.add_new(0x00291002, "LO", "PARAMETER")
    assert residuals(written(made), SPEC, tmp_path, remove_private=True) == (
        "StudyDescription",
        "SeriesDescription",
    )
    made.SeriesDescription = "PARAMETER"
    assert residuals(written(made), SPEC, tmp_path, remove_private=True) == ("StudyDescription",)


def test_residuals_in_the_path(tmp_path: Path) -> None:
    content = written(data_set(**IDENTITY))
    result = verified(content, rules_of(SPEC), tmp_path, name="mustermann.dcm")
    assert result.outcome.residuals == ("path",)
    inside = tmp_path / "Mustermann"  # above the output root: not the output's path
    inside.mkdir()
    assert verified(content, rules_of(SPEC), inside).outcome.residuals == ()


def test_residuals_of_short_texts_are_not_looked_for_in_pixels(tmp_path: Path) -> None:
    pixels = element(PIXELS, "OW", bytes(5000) + b" Erika 4711 " + bytes(5000), EXPLICIT)
    assert residuals(file_of(_identity() + pixels), SPEC, tmp_path) == ()


def test_residuals_in_large_values_that_cross_a_border_of_chunks(tmp_path: Path) -> None:
    for place in ((1 << 20) - 5, (1 << 20) + (1 << 19)):
        value = bytearray(3 << 20)
        value[place : place + 10] = b"MRN-4711-X"
        for tag, name in ((PIXELS, "pixel data"), (0x00291001, "(0029,1001)")):
            data = _identity() + (element(0x00290010, "LO", b"MAKER ", EXPLICIT) if tag != PIXELS else b"")
            content = file_of(data + element(tag, "OB", bytes(value), EXPLICIT))
            assert residuals(content, SPEC, tmp_path) == (name,)


@pytest.mark.parametrize("case", [case for case, (_, expected) in PLANTED.items() if expected])
def test_residuals_that_fail_leave_no_output_and_quote_nothing(case: str, tmp_path: Path) -> None:
    content, expected = PLANTED[case]
    result = verified(content, rules_of(SPEC), tmp_path, fail=True)
    assert (result.outcome.status, result.outcome.stage, result.content) == (Status.FAILED, Stage.VERIFY, b"")
    assert result.outcome.reason == f"values that were replaced are left in {', '.join(expected)}"


def test_common_words_are_few_and_folded() -> None:
    assert len(COMMON) < 700
    assert all(word == word.lower() for word in COMMON)
    assert not any(traces_of("LO", word.upper()) for word in COMMON)
    assert traces_of("CS", "CODED_ID") == ()


# --- the command and Python


def _tree(root: Path) -> None:
    root.mkdir()
    (root / "left.dcm").write_bytes(written(data_set(StudyDescription="of MRN-4711-X", **IDENTITY)))
    (root / "clean.dcm").write_bytes(written(data_set(StudyDescription="nothing", **IDENTITY)))


@pytest.mark.parametrize("threads", ["0", "2"])
def test_command_reports_residuals_in_the_record_and_a_warning(threads: str, tmp_path: Path) -> None:
    _tree(tmp_path / "in")
    flags = ("--verify", "--json", "--threads", threads, "--tagStruct", '{"re:Patient.*": ""}')
    done = run_command(tmp_path / "in", tmp_path / "out", *flags)
    assert done.code == 0
    assert done.record["residuals"] == [
        {"path": "left.dcm", "output": "left.dcm", "elements": ["StudyDescription"]}
    ]
    assert "1 output still holds a value that the run replaced" in done.err
    for value in ("4711", "Mustermann", "Erika", "1964"):
        assert value not in done.shown.replace(str(tmp_path), "")


@pytest.mark.parametrize("threads", ["0", "2"])
def test_command_fails_files_with_residuals_where_asked(threads: str, tmp_path: Path) -> None:
    _tree(tmp_path / "in")
    flags = (
        "--verify",
        "--onResidual",
        "fail",
        "--json",
        "--threads",
        threads,
        "--tagStruct",
        '{"re:Patient.*": ""}',
    )
    done = run_command(tmp_path / "in", tmp_path / "out", *flags)
    assert done.code == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["clean.dcm"]
    reason = "values that were replaced are left in StudyDescription"
    assert done.record["failures"] == [
        {"path": "left.dcm", "output": "left.dcm", "stage": "verify", "reason": reason}
    ]
    assert done.record["residuals"] == []


def test_command_wants_verify_for_failing_residuals(tmp_path: Path) -> None:
    done = run_command(tmp_path, tmp_path / "out", "--onResidual", "fail")
    assert done.code == 2
    assert "--onResidual fail needs --verify" in done.err


def test_patch_file_verifies_where_asked(tmp_path: Path) -> None:
    _tree(tmp_path / "in")
    outcome = patch_file(tmp_path / "in" / "left.dcm", tmp_path / "out.dcm", rules_of(SPEC), verify=True)
    assert outcome.residuals == ("StudyDescription",)


def test_dicomdir_offsets_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = (BUNDLED / "dicomdirtests" / "DICOMDIR").read_bytes()
    rules = rules_of({"PatientName": "a much longer name than there was", "PatientID": "y"})
    assert verified(content, rules, tmp_path).outcome.reason == ""
    switched = rules_of({"PatientName": "大^大"})
    assert verified(content, switched, tmp_path).outcome.reason == ""
    monkeypatch.setattr("pfdicom_tagSub.engine.substitution.offset_edits", lambda *_: ())
    assert "does not name the record that it named" in verified(content, rules, tmp_path).outcome.reason


def test_deflated_data_is_searched_inflated(tmp_path: Path) -> None:
    form = Form("deflated", DEFLATED, implicit=False, little=True)
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    data = _identity() + element(NOTE, "LT", b"MRN-4711-X", EXPLICIT)
    content = file_of(deflater.compress(data) + deflater.flush(), form)
    assert residuals(content, SPEC, tmp_path) == ("PatientComments",)


# --- an element that is as it was though a rule hits it


PASSED_OVER = (
    element(0x00080060, "CS", b"MR", EXPLICIT)
    + struct.pack("<HH4sHH", 0x0008, 0x0070, b"P\0\0\0", 0x10, 0x10)
    + b"PN\x08\0Doe^Jane"
    + element(0x00200011, "UN", bytes(52), EXPLICIT)
)
"""pydicom takes the VR for none and so sees a PatientName where others see a part of Manufacturer."""


def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patch.Patcher, "patch", lambda *_: Patched([], [], ()))


SAME = {
    "a constant": ("A", "LO", b"A ", True),
    "another constant": ("B", "LO", b"A ", False),
    "its own value": ("%PatientID", "LO", b"4711", True),
    "a table that maps to itself": ("%_lookup|ids_PatientID", "LO", b"SAME", True),
    "a table that does not": ("%_lookup|ids_PatientID", "LO", b"OTHER ", False),
    "an empty value": ("%_md5|7_PatientID", "LO", b"", True),
    "blanks": ("%_md5|7_PatientID", "LO", b"  ", True),
    "a hash": ("%_md5|7_PatientID", "LO", b"4711", False),
    "a name": ("%_name|patientID_PatientID", "LO", b"4711", False),
    "the text of another": ("%StudyID", "LO", b"S1", True),
    "the text of an element that is absent": ("%AccessionNumber", "LO", b"S1", False),
    "a value that is to be emptied": ("", "LO", b"4711", False),
    "a dummy": ("%_dummy_#tag", "LO", b"4711", False),
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("case", SAME)
def test_element_that_a_rule_hits_stays_only_where_its_template_gives_the_same(
    case: str, form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    template, vr, value, may_stay = SAME[case]
    tables = {"ids": {"SAME": "SAME", "OTHER": "ELSE"}}
    rules = compile_spec({"PatientID": template}, lookup_tables=tables)
    content = file_of(element(PATIENT_ID, vr, value, form) + element(0x00200010, "SH", b"S1", form), form)
    _as_it_was(monkeypatch)
    result = verified(content, rules, tmp_path)
    reason = "" if may_stay else "PatientID is as it was though the key PatientID hits it"
    assert result.outcome.reason == reason


def test_element_that_only_pydicom_sees_is_not_taken_for_replaced(tmp_path: Path) -> None:
    """Whatever the scanner makes of it."""
    same = BytesSource(file_of(PASSED_OVER, EXPLICIT))
    with pytest.raises(FileError, match="PatientName is as it was"):
        Verifier(rules_of({"re:PatientName$": "ANON"})).residuals(same, same, "a.dcm")


@pytest.mark.parametrize("key", ["PatientName", "(0008,xxxx)", "PatientSex"])
def test_nested_element_that_is_as_it_was_is_found(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = nested(data_set(PatientName="Doe^Jane", AccessionNumber="4711", PatientSex="F"), StudyID="S")
    _as_it_was(monkeypatch)
    result = verified(written(made), rules_of({key: "O"}), tmp_path)
    assert result.outcome.reason.startswith("RequestAttributesSequence[0].")
    assert "is as it was though the key" in result.outcome.reason


def test_literal_sequence_that_is_there_already_may_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = compile_spec({}, profile="basic", key=KEY)
    once = process(Worker(Settings(rules)), written(data_set(PatientID="4711")), tmp_path).content
    assert verified(once, rules, tmp_path).outcome.status is Status.WRITTEN


# --- sequences under other VRs than SQ


def _un(items: bytes, vr: str = "UN", tag: int = 0x20011001) -> bytes:
    return element(0x20010010, "LO", b"MAKER ", EXPLICIT) + element(tag, vr, items, EXPLICIT)


CLOSINGS = {
    "nothing": b"",
    "a delimiter": b"\xfe\xff\xdd\xe0\0\0\0\0",
    "an item delimiter": b"\xfe\xff\x0d\xe0\0\0\0\0",
    "NULs": bytes(8),
    "two NULs": bytes(2),
}


@pytest.mark.parametrize("closing", CLOSINGS)
@pytest.mark.parametrize("vr", ["UN", "OB", "OW", "OF"])
@pytest.mark.parametrize("inner", [EXPLICIT, IMPLICIT], ids=lambda form: form.name)
@pytest.mark.parametrize("undefined", [False, True])
def test_rule_that_is_not_applied_in_a_sequence_of_another_vr_is_found(
    closing: str, vr: str, inner: Form, undefined: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if undefined and ("NUL" in closing or "item" in closing):
        pytest.skip("no reader tells them after an item of undefined length from its elements")
    items = item(element(NAME, "PN", b"Doe^Jane", inner), inner, defined=not undefined) + CLOSINGS[closing]
    _as_it_was(monkeypatch)
    result = verified(file_of(_un(items, vr), EXPLICIT), rules_of({"PatientName": "ANON"}), tmp_path)
    assert "(2001,1001)[0].PatientName is as it was" in result.outcome.reason


def test_sequence_that_cannot_be_read_and_may_hold_what_a_rule_names_fails_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    items = item(element(NAME, "PN", b"Doe^Jane", EXPLICIT), EXPLICIT)[:-3]
    _as_it_was(monkeypatch)
    result = verified(file_of(_un(items + b"\0"), EXPLICIT), rules_of({"PatientName": "ANON"}), tmp_path)
    assert "begins like a sequence that cannot be read" in result.outcome.reason
    other = verified(file_of(_un(items + b"\0"), EXPLICIT), rules_of({"StudyID": "ANON"}), tmp_path)
    assert other.outcome.status is Status.WRITTEN


def test_vr_that_pydicom_does_not_know_is_named(tmp_path: Path) -> None:
    odd = b"\x08\0\x70\0--\4\0ACME"
    content = file_of(
        element(0x00080060, "CS", b"MR", EXPLICIT) + odd + element(NAME, "PN", b"Doe^Jane", EXPLICIT),
        EXPLICIT,
    )
    result = verified(content, rules_of({"PatientName": "ANON"}), tmp_path)
    assert "(0008,0070) has a VR that the standard does not know" in result.outcome.reason


def test_reason_is_told_where_pydicom_raises_an_error_without_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise OSError("No tag to read")

    for module in ("series_reading", "pydicom_reading"):
        monkeypatch.setattr(f"pfdicom_tagSub.verify.{module}.read_partial", fails)
    result = verified(_sample(), rules_of(SAMPLE_SPEC), tmp_path)
    assert result.outcome.reason == "the input cannot be verified: pydicom cannot read it: OSError"


def test_fragments_without_their_delimiter_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pydicom drops such pixel data; its bytes are compared all the same."""
    fragments = item(b"", EXPLICIT) + item(b"FRAGMENT", EXPLICIT)
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    same = file_of(element(NAME, "PN", b"Doe^Jane", EXPLICIT) + head + fragments, EXPLICIT)
    other = same.replace(b"FRAGMENT", b"FRAGMENX")
    verifier = Verifier(rules_of({"StudyID": "x"}))
    assert verifier.residuals(BytesSource(same), BytesSource(same), "a.dcm") == ()
    with pytest.raises(FileError, match="bytes after the last element differs"):
        verifier.residuals(BytesSource(same), BytesSource(other), "a.dcm")
    with pytest.raises(FileError, match="PatientName is as it was"):
        Verifier(rules_of({"PatientName": "x"})).residuals(BytesSource(same), BytesSource(same), "a.dcm")
    unverified = process(Worker(Settings(rules_of({"SOPInstanceUID": "1.2.3.4.5.6.7.8"}))), same, tmp_path)
    assert unverified.outcome.status is Status.WRITTEN
    assert verified(same, rules_of({"PatientName": "y" * 20}), tmp_path).outcome.reason == ""
