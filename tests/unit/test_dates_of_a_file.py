"""Dates and times of one file: moved alike wherever they are, and whatever ID an item holds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from builders import EXPLICIT, FORMS, Form, data_set, element, file_of, item, nested, patched, read, sequence
from test_dicomdir import DICOMDIRS

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.text.dates import shift_date_time

KEY = b"a key of the tests, 27 bytes"
MODIFIED = "basic,retainLongitudinalModifiedDates"
SHIFT = "%_dateshift|patientID|365_#tag"


def days_between(earlier: str, later: str) -> int:
    return (date.fromisoformat(later) - date.fromisoformat(earlier)).days


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("outer", ["P1", "", None])
def test_dates_of_a_file_move_by_the_patient_of_the_file(
    outer: str | None, form: Form, tmp_path: Path
) -> None:
    inner = nested(data_set(PatientID="P3", StudyDate="20200105"), PatientID="P2", StudyDate="20200103")
    made = nested(inner, data_set(StudyDate="20200104"), StudyDate="20200101")
    if outer is not None:
        made.PatientID = outer
    done = patched(made, {"StudyDate": SHIFT}, tmp_path, form)
    first, second = done.RequestAttributesSequence
    deep = first.RequestAttributesSequence[0]
    moved = [one.StudyDate for one in (done, first, second, deep)]
    assert moved[0] != "20200101"
    assert [days_between(moved[0], one) for one in moved] == [0, 2, 3, 4]


def test_shift_of_the_profile_is_that_of_the_files_patient() -> None:
    rules = compile_spec({}, profile=MODIFIED, key=KEY)
    alone = element(0x00080020, "DA", b"20200101", EXPLICIT)
    patient = element(0x00100020, "LO", b"P1", EXPLICIT)
    other = element(0x00100020, "LO", b"P2", EXPLICIT)
    items = item(alone + other, EXPLICIT) + item(alone, EXPLICIT)
    content = file_of(alone + sequence(0x00081115, items, EXPLICIT) + patient)
    done = read(patch_bytes(content, rules))
    moved = {done.StudyDate, *(one.StudyDate for one in done.ReferencedSeriesSequence)}
    assert len(moved) == 1
    assert moved == {read(patch_bytes(file_of(alone + patient), rules)).StudyDate}
    assert moved != {read(patch_bytes(file_of(alone + other), rules)).StudyDate}


def test_seed_that_only_an_item_holds_is_taken_from_there(tmp_path: Path) -> None:
    items = [data_set(SeriesDescription=name, StudyDate="20200301") for name in ("a", "b")]
    done = patched(
        nested(*items), {"StudyDate": "%_dateshift|seriesDescription|36525_#tag"}, tmp_path
    ).RequestAttributesSequence
    assert done[0].StudyDate != done[1].StudyDate


def test_names_are_still_seeded_on_the_item(tmp_path: Path) -> None:
    item = data_set(PatientID="P2", PatientName="Doe")
    done = patched(
        nested(item, PatientID="P1", PatientName="Doe"),
        {"PatientName": "%_name|patientID_PatientName"},
        tmp_path,
    )
    assert done.PatientName != done.RequestAttributesSequence[0].PatientName


def test_dates_of_a_directory_move_by_the_patient_record_above() -> None:
    content = (DICOMDIRS / "DICOMDIR").read_bytes()
    rules = compile_spec({"StudyDate": "%_dateshift|patientID|36525_#tag"}, key=KEY)
    before, after = read(content), read(patch_bytes(content, rules))
    shifts: dict[str, set[int]] = {}
    patient = ""
    for old, new in zip(before.DirectoryRecordSequence, after.DirectoryRecordSequence, strict=True):
        patient = old.PatientID if old.DirectoryRecordType == "PATIENT" else patient
        if old.get("StudyDate"):
            shifts.setdefault(patient, set()).add(days_between(new.StudyDate, old.StudyDate))
    assert len(shifts) > 1
    assert all(len(days) == 1 for days in shifts.values())
    assert len({days for own in shifts.values() for days in own}) == len(shifts)


@pytest.mark.parametrize(
    ("vr", "text", "shape"),
    [
        *((vr, b"20200301", "%Y%m%d") for vr in ("DA", "LO", "SH", "LT", "ST", "UN", "DT")),
        *((vr, b"2020.03.01", "%Y.%m.%d") for vr in ("LO", "SH", "LT")),
        ("DA", b"2020.03.01", "%Y%m%d"),
        ("UN", b"2020.03.01", "%Y%m%d"),
        ("LO", b"2020-03-01T10:11:12", "%Y-%m-%dT10:11:12"),
        ("DA", b" 20200301", "%Y%m%d"),
    ],
)
def test_date_is_moved_whatever_vr_it_stands_under(vr: str, text: bytes, shape: str) -> None:
    rules = compile_spec({}, profile=MODIFIED, key=KEY)
    series = element(0x00080021, "DA", b"20200301", EXPLICIT)
    patient = element(0x00100020, "LO", b"P1", EXPLICIT)
    content = file_of(element(0x00080020, vr, text, EXPLICIT) + series + patient)
    done = read(patch_bytes(content, rules))
    moved = date.fromisoformat(done.SeriesDate)
    raw = done.get_item(0x00080020).value
    assert raw.decode().strip(" ") == moved.strftime(shape)


@pytest.mark.parametrize("vr", ["LO", "UN", "DA"])
@pytest.mark.parametrize("text", [b"00000000", b"20201301", b"20200301 Doe", b"2020", b"Doe"])
def test_what_is_no_date_is_emptied(vr: str, text: bytes) -> None:
    content = file_of(element(0x00080020, vr, text, EXPLICIT) + element(0x00100020, "LO", b"P1", EXPLICIT))
    done = read(patch_bytes(content, compile_spec({}, profile=MODIFIED, key=KEY)))
    assert not done.get_item(0x00080020).value


def test_times_of_acr_nema_are_kept_at_every_depth() -> None:
    time = element(0x00080030, "TM", b"14:04:38.1234567", EXPLICIT)
    content = file_of(time + sequence(0x00081115, item(time, EXPLICIT), EXPLICIT))
    done = read(patch_bytes(content, compile_spec({}, profile=MODIFIED, key=KEY)))
    assert done.StudyTime == done.ReferencedSeriesSequence[0].StudyTime == "140438.123456"


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("2020-03-01T10:11:12", "20200229101112"),
        ("2020-03-01 10:11:12.1234567", "20200229101112.123456"),
        ("2020-03-01T10:11Z", "202002291011+0000"),
        ("2020-03-01T10:11:12+01:00", "20200229101112+0100"),
        ("20200301T101112", "20200229101112"),
        ("20200301101112-05:00", "20200229101112-0500"),
        ("2020.03.01", "20200229"),
        ("2020-03-01-2020-03-02", "20200229-20200301"),
        *(
            (text, "")
            for text in (
                "2020-03-01T25:11:12",
                "2020-03-01x",
                "x2020-03-01",
                "01.03.2020 10:11",
                "2020-03/01",
            )
        ),
    ],
)
def test_date_time_with_signs_is_moved_and_written_without(text: str, moved: str) -> None:
    assert shift_date_time(text, 1) == moved
