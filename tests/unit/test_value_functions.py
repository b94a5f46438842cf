"""The functions shift, datepart, agecap and regex, the alphabets of digests, and the root of UIDs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import threading
from datetime import date, timedelta
from pathlib import Path

import pydicom
import pytest
from builders import data_set, written
from hypothesis import given
from hypothesis import strategies as st
from support import run_command

from pfdicom_tagSub.api import compile_spec, patch_bytes
from pfdicom_tagSub.core.errors import FileError, SpecError
from pfdicom_tagSub.core.options import LookupMiss
from pfdicom_tagSub.dicom.values import Value
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.hash_functions import check_uid_root
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.templates import parse_template
from pfdicom_tagSub.text import patterns
from pfdicom_tagSub.text.alphabets import MOST
from pfdicom_tagSub.text.date_parts import PARTS

KEY = b"a key of the tests, 27 bytes"
NONE = Resources()
PATIENT_ID = (0x00100020,)


def run(
    template: str,
    text: str,
    vr: str = "LO",
    resources: Resources = NONE,
    *,
    tag: int = 0x00104000,
    patient: str = "",
) -> str:
    """What a template gives for a value, in a file with a PatientID."""

    def value_of(tags: tuple[int, ...]) -> Value | None:
        held = patient if tags == PATIENT_ID else text
        return Value((held,), (held.encode(),), vr)

    (result,) = parse_template(template, "PatientComments").evaluate(tag, value_of, resources)
    return result


def refused(template: str, resources: Resources = NONE) -> str:
    """What is said of a template."""
    try:
        return parse_template(template, "StudyDate").find_problem(resources)
    except SpecError as error:
        return str(error)


# --- alphabets


@pytest.mark.parametrize("function", ["sha256", "hmac"])
@pytest.mark.parametrize("count", [1, 8, 32])
def test_digests_are_written_in_the_alphabet_that_is_asked_for(function: str, count: int) -> None:
    resources = Resources(Secret(KEY))
    subkey = hmac.digest(KEY, b"pfdicom_tagSub/hmac", "sha256")
    digest = (
        hmac.digest(subkey, b"4711", "sha256") if function == "hmac" else hashlib.sha256(b"4711").digest()
    )
    expected = {
        "hex": digest.hex()[:count],
        "HEX": digest.hex().upper()[:count],
        "base32": base64.b32encode(digest).decode()[:count],
        "digits": str(int(digest.hex(), 16))[-count:],
    }
    for alphabet, result in expected.items():
        assert (
            run(f"%_{function}|{count}|{alphabet}_PatientID", "x", resources=resources, patient="4711")
            == result
        )


@pytest.mark.parametrize("alphabet", MOST)
def test_digest_without_a_number_is_as_long_as_it_can_be(alphabet: str) -> None:
    assert len(run(f"%_sha256||{alphabet}_PatientID", "x", patient="4711")) == MOST[alphabet]


@pytest.mark.parametrize("arguments", ["8|base64", "53|base32", "33|digits", "0|HEX", "8|HEX|x", "65", ""])
def test_digest_of_another_alphabet_or_too_long_is_an_error(arguments: str) -> None:
    said = refused(f"%_sha256|{arguments}_PatientID")
    assert "wrong argument of sha256" in said


def test_pseudonyms_in_capitals_are_file_ids(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in range(20):
        made = written(data_set(PatientID=f"{number}", SOPInstanceUID=f"1.2.{number}"))
        (tmp_path / "in" / f"image-of-{number}.with-a-long-name").write_bytes(made)
    done = run_command(
        *(tmp_path / "in", tmp_path / "out"),
        *("--outputFileStem", "%_sha256|8|base32_SOPInstanceUID", "--tagInfo", "PatientID:x"),
    )
    assert done.code == 0
    names = [path.name for path in (tmp_path / "out").iterdir()]
    assert len(names) == 20
    assert all(re.fullmatch("[A-Z0-9_]{8}", name) for name in names)


# --- the root of UIDs


def test_uid_begins_with_the_root_and_differs_by_it() -> None:
    own = run("%_uid_#tag", "1.2.3", "UI", Resources(Secret(KEY), uid_root="1.2.826.0.1.99"))
    other = run("%_uid_#tag", "1.2.3", "UI", Resources(Secret(KEY), uid_root="1.3.6.1"))
    plain = run("%_uid_#tag", "1.2.3", "UI", Resources(Secret(KEY)))
    assert own.startswith("1.2.826.0.1.99.")
    assert other.startswith("1.3.6.1.")
    assert plain.startswith("1.2.826.0.1.3680043.8.498.")
    assert all(pydicom.uid.UID(one).is_valid and len(one) <= 64 for one in (own, other, plain))
    assert run("%_dummy_#tag", "1.2.3", "UI", Resources(Secret(KEY), uid_root="1.2.826.0.1.99")) == own


@pytest.mark.parametrize(
    "root",
    ["1", "1.2.", ".1.2", "1.02.3", "3.1", "1.2.840.10008", "1.2.840.10008.5", "1.2.x", "1." + "2" * 37],
)
def test_uid_root_that_is_none_is_an_error(root: str) -> None:
    with pytest.raises(SpecError, match="--uidRoot"):
        check_uid_root(root)


def test_command_takes_the_root(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a").write_bytes(written(data_set(StudyInstanceUID="1.2.3.4")))
    flags = ("--tagInfo", "StudyInstanceUID:%_uid_#tag", "--verify")
    done = run_command(tmp_path / "in", tmp_path / "out", *flags, "--uidRoot", "1.2.826.0.1.99")
    assert done.code == 0
    assert pydicom.dcmread(tmp_path / "out" / "a").StudyInstanceUID.startswith("1.2.826.0.1.99.")
    refusal = run_command(tmp_path / "in", tmp_path / "out", *flags, "--uidRoot", "uid")
    assert refusal.code == 2
    assert "--uidRoot uid" in refusal.err


# --- shift


@pytest.mark.parametrize(
    ("template", "vr", "text", "result"),
    [
        ("%_shift|30_StudyDate", "DA", "20240101", "20240131"),
        ("%_shift|-1_StudyDate", "DA", "20240101", "20231231"),
        ("%_shift|+1_StudyDate", "DA", "20240228", "20240229"),
        ("%_shift|0_StudyDate", "DA", "2024.02.28", "20240228"),
        ("%_shift|1_StudyDate", "DT", "20240228120000.5+0100", "20240229120000.5+0100"),
        ("%_shift|1_StudyDate", "TM", "1200", "1200"),
        ("%_shift|1_StudyDate", "DA", "99991231", ""),
        ("%_shift|1_StudyDate", "DA", "soon", ""),
        ("%_shift|1_StudyDate", "LO", "20240228", "20240229"),
    ],
)
def test_shift_moves_by_the_days_given(template: str, vr: str, text: str, result: str) -> None:
    assert run(template, text, vr) == result


@given(st.dates(date(1800, 1, 1), date(2200, 1, 1)), st.integers(-36525, 36525))
def test_shift_moves_every_date_by_its_days(day: date, days: int) -> None:
    moved = run(f"%_shift|{days}_StudyDate", f"{day:%Y%m%d}", "DA")
    assert moved == f"{day + timedelta(days):%Y%m%d}"


def test_shift_takes_the_days_of_the_patient_from_a_table() -> None:
    resources = Resources(tables={"days": {"P1": "10", "P2": "-10", "20240101": "1"}})
    assert run("%_shift|days_StudyDate", "20240101", "DA", resources, patient="P1 ") == "20240111"
    assert run("%_shift|days_StudyDate", "20240101", "DA", resources, patient="P2") == "20231222"
    assert run("%_shift|days|studyDate_StudyDate", "20240101", "DA", resources) == "20240102"


def test_shift_of_a_patient_that_the_table_lacks_fails_without_naming_it() -> None:
    tables = {"days": {"P1": "10"}}
    with pytest.raises(FileError) as stop:
        run("%_shift|days_StudyDate", "20240101", "DA", Resources(tables=tables), patient="SECRET")
    assert "days" in str(stop.value)
    assert "SECRET" not in str(stop.value)
    lenient = Resources(tables=tables, lookup_miss=LookupMiss.EMPTY)
    assert run("%_shift|days_StudyDate", "20240101", "DA", lenient, patient="SECRET") == ""


@pytest.mark.parametrize("arguments", ["", "36526", "-99999", "1|patientID", "a|b|c", "days|noSuchTag"])
def test_shift_with_wrong_arguments_is_an_error(arguments: str) -> None:
    assert refused(f"%_shift|{arguments}_StudyDate", Resources(tables={"days": {}})).startswith("StudyDate: ")


def test_shift_by_a_table_that_has_no_days_is_an_error() -> None:
    assert "unknown table" in refused("%_shift|days_StudyDate")
    said = refused("%_shift|days_StudyDate", Resources(tables={"days": {"P1": "ten"}}))
    assert "no number of days" in said
    assert "ten" not in said.split("number")[0].split("replacement")[1]


# --- datepart


@pytest.mark.parametrize(
    ("part", "inside", "outside"),
    [("year", "20240101", "2024"), ("quarter", "20240401", "2024-Q2"), ("month", "20240501", "2024-05")],
)
def test_datepart_is_a_date_in_a_date_and_a_text_elsewhere(part: str, inside: str, outside: str) -> None:
    for vr, text in (("DA", "20240517"), ("DA", "2024.05.17"), ("DT", "20240517101112.5-0500")):
        assert run(f"%_datepart|{part}_StudyDate", text, vr, tag=0x00080020) == inside
        assert run(f"%_datepart|{part}_StudyDate", text, vr, tag=0x00104000) == outside


@pytest.mark.parametrize("text", ["2024", "20241350", "20240230", "May", "202405171"])
def test_datepart_of_what_does_not_say_is_empty(text: str) -> None:
    assert run("%_datepart|month_StudyDate", text, "DT") in {"", "2024-05" if text == "202405171" else ""}


@given(st.dates(date(1, 1, 1)), st.sampled_from(PARTS))
def test_datepart_is_the_first_day_of_the_part(day: date, part: str) -> None:
    made = run(f"%_datepart|{part}_StudyDate", f"{day.year:04}{day:%m%d}", "DA", tag=0x00080020)
    first = date(int(made[:4]), int(made[4:6]), int(made[6:]))
    assert first <= day
    assert (day - first).days < {"year": 366, "quarter": 92, "month": 31}[part]
    assert first.day == 1
    assert (first.month - 1) % {"year": 12, "quarter": 3, "month": 1}[part] == 0


def test_datepart_of_another_part_is_an_error() -> None:
    assert "year, quarter, month" in refused("%_datepart|week_StudyDate")


# --- agecap


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("089Y", "089Y"),
        ("090Y", "090Y"),
        ("091Y", "090Y"),
        ("121Y", "090Y"),
        ("999M", "999M"),
        ("003D", "003D"),
        ("093", "90"),
        ("45", "45"),
        ("93 years", ""),
        ("", ""),
    ],
)
def test_agecap_of_89_leaves_no_greater_age(text: str, result: str) -> None:
    assert run("%_agecap|89_PatientAge", text, "AS") == result


def test_agecap_without_an_age_is_an_error() -> None:
    for arguments in ("", "|old", "|999", "|1|2"):
        assert "one age in years" in refused(f"%_agecap{arguments}_PatientAge")


# --- regex


@pytest.mark.parametrize(
    ("arguments", "text", "result"),
    [
        ("[0-9]+|N", "room 12, bed 3", "room N, bed N"),
        (r"^(\w\w)\w*|\1", "ABCDEF", "AB"),
        ("a|b|X", "cab", "cXX"),
        ("x__y|", "1x_y2", "12"),
        ("nothing|X", "stays", "stays"),
        (r"(?i)smith\^?|ANON", "Smith^John", "ANONJohn"),
    ],
)
def test_regex_replaces_what_matches(arguments: str, text: str, result: str) -> None:
    assert run(f"%_regex|{arguments}_PatientID", "x", patient=text) == result


@pytest.mark.parametrize("arguments", ["", "|a", "|(|x", r"|(a)|\2", "||x", "|(a+)+$|x"])
def test_regex_that_cannot_work_is_an_error(arguments: str) -> None:
    assert "wrong argument of regex" in refused(f"%_regex{arguments}_StudyDate")


def test_regex_ends_in_time_and_quotes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "REWRITING_SECONDS", 0.2)
    with pytest.raises(FileError) as stop:
        run("%_regex|(?:SEC|S|E|C)+RET-$|x_PatientID", "x", patient="SEC" * 60 + "!")
    assert "SEC" not in str(stop.value)


def test_regex_of_a_long_text_fails_where_nothing_could_stop_it() -> None:
    said: list[str] = []

    def work() -> None:
        try:
            patterns.rewrite("x" * 2000, "y", "z")
        except patterns.PatternError as error:
            said.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert said == ["its text has more than 1,024 characters, which no pattern is matched with"]


# --- verification knows them


def test_verification_agrees_with_every_function(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, age in enumerate(("093Y", "045Y", "090Y")):
        made = data_set(
            PatientID=f"PAT{number}",
            PatientAge=age,
            StudyDate="20240101",
            SeriesDate="20240517",
            AccessionNumber="ACC12345",
            StudyDescription="unchanged",
        )
        (tmp_path / "in" / f"{number}.dcm").write_bytes(written(made))
    table = tmp_path / "days.csv"
    table.write_text("original,replacement\nPAT0,5\nPAT1,-5\nPAT2,0\n")
    pairs = (
        "PatientAge:%_agecap|89_#tag ++ StudyDate:%_shift|days_#tag ++ SeriesDate:%_datepart|year_#tag ++ "
        "AccessionNumber:%_regex|[0-9]+|_#tag ++ StudyDescription:%_regex|zzz|y_#tag"
    )
    flags = ("--tagInfo", pairs, "--lookupTable", f"days={table}", "--verify", "--onResidual", "fail")
    for again in ("written", "unchanged"):
        done = run_command(tmp_path / "in", tmp_path / "out", *flags, "--json")
        assert done.code == 0, done.err
        assert done.record["counts"][again] == 3
    first = pydicom.dcmread(tmp_path / "out" / "0.dcm")
    assert [first.PatientAge, first.StudyDate, first.SeriesDate] == ["090Y", "20240106", "20240101"]
    assert [first.AccessionNumber, first.StudyDescription] == ["ACC", "unchanged"]
    assert pydicom.dcmread(tmp_path / "out" / "2.dcm").StudyDate == "20240101"


def test_profile_that_retains_characteristics_keeps_no_age_over_89(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, age in (("old", "101Y"), ("young", "042Y")):
        made = data_set(
            PatientID="x", PatientAge=age, SOPInstanceUID="1.2.3", SOPClassUID="1.2.840.10008.5.1.4.1.1.7"
        )
        (tmp_path / "in" / name).write_bytes(written(made))
    done = run_command(
        *(tmp_path / "in", tmp_path / "out", "--profile", "basic,retainPatientCharacteristics"),
        *("--tagInfo", "PatientID:x", "--verify"),
    )
    assert done.code == 0, done.err
    ages = {name: pydicom.dcmread(tmp_path / "out" / name).PatientAge for name in ("old", "young")}
    assert ages == {"old": "090Y", "young": "042Y"}


def test_value_that_its_table_lacks_may_stay(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number in ("1", "2"):
        (tmp_path / "in" / number).write_bytes(written(data_set(PatientID=number)))
    (tmp_path / "ids.csv").write_text("original;replacement\n1; ONE\n")
    done = run_command(
        *(tmp_path / "in", tmp_path / "out", "--tagInfo", "PatientID:%_lookup|ids_#tag", "--verify"),
        *("--lookupTable", f"ids={tmp_path / 'ids.csv'}", "--lookupMiss", "keep"),
    )
    assert done.code == 0, done.err
    assert [pydicom.dcmread(tmp_path / "out" / name).PatientID for name in "12"] == ["ONE", "2"]
    rules = compile_spec(
        {"PatientID": "%_lookup|ids_#tag"}, lookup_tables={"ids": {"1": "ONE"}}, lookup_miss="keep"
    )
    assert patch_bytes(written(data_set(PatientID="2")), rules) == written(data_set(PatientID="2"))
