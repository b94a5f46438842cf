"""The functions of templates: their results, their consistency, and what they refuse.

Expected values are computed here with hashlib and hmac, apart from the package.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import pickle
import re
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import pydicom.uid
import pytest
from builders import EXPLICIT, FORMS, Form, data_set, element, file_of, read, substitute, written
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom import valuerep

from pfdicom_tagSub.core.errors import FileError, SpecError
from pfdicom_tagSub.core.options import LookupMiss
from pfdicom_tagSub.core.outcome import Action
from pfdicom_tagSub.dicom.character_sets import DEFAULT_CHARACTER_SET
from pfdicom_tagSub.dicom.values import BINARY_VRS, NO_VALUE, Value, decode, encode_element, fit
from pfdicom_tagSub.spec.function_types import Resources, SecretUse
from pfdicom_tagSub.spec.functions import FUNCTIONS
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.templates import SELF_SOURCE, Template, parse_template

KEY = b"a key of the tests, 27 bytes"
KEYED = Resources(Secret(KEY))
OTHER = Resources(Secret(KEY + b"."))
UNKEYED = Resources()
IDS = 100_000

keyed_and_not = pytest.mark.parametrize("resources", [KEYED, UNKEYED], ids=["keyed", "unkeyed"])


def value(*texts: str, vr: str = "LO") -> Value:
    return Value(texts, tuple(text.encode() for text in texts), vr)


def run(
    template: str,
    own: Value,
    resources: Resources = UNKEYED,
    seed: Value | None = None,
    key: str = "PatientID",
) -> tuple[str, ...]:
    """The texts that a template gives for an element, ``seed`` being what PatientID holds."""

    def value_of(tags: tuple[int, ...]) -> Value | None:
        return seed if tags == (0x00100020,) else own

    return parse_template(template, key).evaluate(0x00101000, value_of, resources)


def one(template: str, text: str, resources: Resources = UNKEYED, vr: str = "LO") -> str:
    (result,) = run(template, value(text, vr=vr), resources)
    return result


def digest_of(use: str, text: str, key: bytes | None = KEY) -> bytes:
    """What a use makes of a text, after the documentation."""
    if key is None:
        return hashlib.sha256(b"pfdicom_tagSub/" + use.encode() + b"\0" + text.encode()).digest()
    subkey = hmac.new(key, b"pfdicom_tagSub/" + use.encode(), hashlib.sha256).digest()
    return hmac.new(subkey, text.encode(), hashlib.sha256).digest()


# --- the grammar


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("%_sha256|0_PatientID", "one number from 1 to 64"),
        ("%_sha256|65_PatientID", "one number from 1 to 64"),
        ("%_hmac|_PatientID", "one number from 1 to 64"),
        ("%_hmac|8|8_PatientID", "one number from 1 to 64"),
        ("%_uid|1_PatientID", "takes no argument"),
        ("%_dateshift_PatientID", "from 1 to 36525"),
        ("%_dateshift|patientID_StudyDate", "from 1 to 36525"),
        ("%_dateshift||9_StudyDate", "from 1 to 36525"),
        ("%_dateshift|patientID|0_StudyDate", "from 1 to 36525"),
        ("%_dateshift|patientID|36526_StudyDate", "from 1 to 36525"),
        ("%_dateshift|patientID|-5_StudyDate", "from 1 to 36525"),
        ("%_dateshift|patientID|٣_StudyDate", "from 1 to 36525"),
        (f"%_dateshift|patientID|{'9' * 5000}_StudyDate", "from 1 to 36525"),
        ("%_dateshift|patientID|9|9_StudyDate", "from 1 to 36525"),
        ("%_dateshift|patientIDs|9_StudyDate", "unknown keyword 'PatientIDs'"),
        ("%_dateshift|pixelData|9_StudyDate", "no text"),
        ("%_lookup_PatientID", "the name of one table"),
        ("%_lookup|_PatientID", "the name of one table"),
        ("%_lookup|a|b_PatientID", "the name of one table"),
        ("%_keep|1_#tag", "takes no argument"),
        ("%_keep_PatientName", "keep works on the element hit; write it as %_keep_#tag"),
        ("x%_keep_#tag", "keep stands alone"),
        ("%_keep_#tag%_md5_#tag", "keep stands alone"),
        ("%_empty_PatientName", "empty works on the element hit"),
        ("%_empty_#tag ", "empty stands alone"),
        ("%_dummy|a|b_#tag", "takes at most one element"),
        ("%_clean|1_#tag", "takes no argument"),
        ("%_hmac_PixelData", "no text"),
        ("%_uid_ReferencedStudySequence", "no text"),
        ("%_sha255_PatientID", "did you mean sha256?"),
    ],
)
def test_directive_that_cannot_work_is_an_error_that_names_the_key(template: str, part: str) -> None:
    with pytest.raises(SpecError) as stop:
        parse_template(template, "PatientID")
    assert part in str(stop.value)
    assert str(stop.value).startswith("PatientID: ")


@pytest.mark.parametrize("name", ["keep", "empty"])
@pytest.mark.parametrize(
    ("key", "source"),
    [
        ("PatientID", "PatientID"),
        ("(0010,0020)", "PatientID"),
        ("( 0010 , 0020 )", "PatientID"),
        ("00100020", "PatientID"),
        ("OverlayData", "OverlayData"),
        ("PixelData", "#tag"),
        ("ReferencedStudySequence", "ReferencedStudySequence"),
        ("re:Patient.*", "#tag"),
        ('(0019,"SIEMENS MR HEADER",0C)', "#tag"),
        ("private", "#tag"),
        ("(60xx,3000)", "#tag"),
    ],
)
def test_keep_and_empty_work_on_the_element_hit(name: str, key: str, source: str) -> None:
    template = parse_template(f"%_{name}_{source}", key)
    assert [directive.source for directive in template.directives] == [(SELF_SOURCE,)]
    assert (template.keeps, template.empties, template.cleans) == (name == "keep", name == "empty", False)


@pytest.mark.parametrize("key", ["re:PatientID", '(0011,"PatientID",20)', "--outputFileStem", "OverlayRows"])
@pytest.mark.parametrize("source", ["PatientID", "OverlayData"])
def test_keep_of_another_element_is_an_error(key: str, source: str) -> None:
    with pytest.raises(SpecError, match=re.escape(f"{key}: keep works on the element hit")):
        parse_template(f"%_keep_{source}", key)


@pytest.mark.parametrize(
    "source", ["#tag", "PixelData", "ReferencedStudySequence", "OverlayData", "ICCProfile"]
)
@pytest.mark.parametrize("name", ["dummy", "clean"])
def test_dummy_and_clean_take_any_source(name: str, source: str) -> None:
    template = parse_template(f"%_{name}_{source}", "PatientID")
    assert template.cleans == (name == "clean")
    assert not template.keeps
    assert not template.empties


def test_template_knows_its_functions_and_can_be_sent_to_workers() -> None:
    template = parse_template("%_hmac|8_PatientID-%_uid_StudyInstanceUID-%Modality", "PatientID")
    assert template.functions == {"hmac", "uid"}
    assert len(template.directives) == 3
    sent: Template = pickle.loads(pickle.dumps(template))
    assert sent == template
    assert (sent.functions, sent.directives) == (template.functions, template.directives)


def test_every_function_has_its_usage_and_is_named_once() -> None:
    for name, function in FUNCTIONS.items():
        assert function.name == name
        assert function.usage.startswith(f"%_{name}")
    assert {name for name, it in FUNCTIONS.items() if it.secret is SecretUse.REQUIRED} == {"hmac"}
    assert {name for name, it in FUNCTIONS.items() if it.secret is SecretUse.USED} == {
        "uid",
        "dateshift",
        "dummy",
    }


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"name"}))
@keyed_and_not
def test_empty_values_stay_empty(name: str, resources: Resources) -> None:
    arguments = {
        "strmsk": "|**",
        "dateshift": "|patientID|9",
        "lookup": "|ids",
        "shift": "|30",
        "datepart": "|year",
        "agecap": "|89",
        "regex": "|a|b",
        "ctpHashuid": "|1.2",
        "ctpHashptid": "|site",
        "ctpHashname": "|6",
        "ctpIncrementdate": "|30",
        "ctpModifydate": "|*|1|1",
        "ctpRound": "|5",
    }.get(name, "")
    template = f"%_{name}{arguments}_#tag"
    assert run(template, NO_VALUE, resources) == ("",)
    several = run(template, value("", "", vr="DA"), resources)
    assert several == ("", "")


def test_resources_can_be_sent_to_workers_and_show_nothing() -> None:
    resources = Resources(Secret(KEY), {"ids": {"4711": "S01"}}, LookupMiss.EMPTY)
    assert pickle.loads(pickle.dumps(resources)) == resources
    assert not re.search("4711|S01|key of", repr(resources))


# --- hashes


@pytest.mark.parametrize("text", ["DEV", "Müller^Änne", "山田^太郎", "a\nb", "a\udcffb"])
@pytest.mark.parametrize("digits", [None, 1, 8, 16, 63, 64])
def test_sha256_and_hmac_are_those_of_the_text(text: str, digits: int | None) -> None:
    argument = f"|{digits}" if digits else ""
    data = text.encode("utf-8", "surrogateescape")
    own = Value((text,), (b"",), "LO")
    assert run(f"%_sha256{argument}_#tag", own) == (hashlib.sha256(data).hexdigest()[:digits],)
    subkey = hmac.new(KEY, b"pfdicom_tagSub/hmac", hashlib.sha256).digest()
    expected = hmac.new(subkey, data, hashlib.sha256).hexdigest()[:digits]
    assert run(f"%_hmac{argument}_#tag", own, KEYED) == (expected,)


def test_hmac_without_a_key_is_a_problem_and_never_a_result() -> None:
    template = parse_template("%_md5_#tag-%_hmac|8_#tag", "PatientID")
    problem = template.find_problem(UNKEYED)
    assert "%_hmac|n_Tag" in problem
    assert "--keyFile" in problem
    assert "PFDICOM_TAGSUB_KEY" in problem
    assert template.find_problem(KEYED) == ""
    with pytest.raises(FileError) as stop:
        one("%_hmac|8_#tag", "4711")
    assert "4711" not in str(stop.value)


# --- UIDs


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize(
    "text", ["1.2.3", "2.25.329800735698586629295641978511506172918", "no UID", "1.2.840.100089"]
)
@pytest.mark.parametrize("root", ["", "1.2.826.0.1.3680043.8.498.12345678.90", "2.25"])
def test_uid_is_that_of_generate_uid(text: str, key: bytes | None, root: str) -> None:
    prefix = f"{root}." if root else pydicom.uid.PYDICOM_ROOT_UID
    expected = pydicom.uid.generate_uid(prefix, [digest_of("uid", text, key).hex()])
    got = one("%_uid_#tag", text, Resources(Secret(key) if key else None, uid_root=root), "UI")
    assert got == expected
    assert len(got) <= 64
    assert pydicom.uid.UID(got).is_valid
    assert fit("UI", [got]).action is Action.SUBSTITUTED


@keyed_and_not
def test_uid_of_the_standard_stays(resources: Resources) -> None:
    for text in (pydicom.uid.MRImageStorage, pydicom.uid.ExplicitVRLittleEndian, "1.2.840.10008.1.4.1.1"):
        assert one("%_uid_#tag", text, resources, "UI") == text
        assert one("%_dummy_#tag", text, resources, "UI") == text


@keyed_and_not
def test_uid_maps_value_by_value_and_without_padding(resources: Resources) -> None:
    first, second = (one("%_uid_#tag", text, resources, "UI") for text in ("1.2.3", "1.2.4"))
    assert run("%_uid_#tag", value("1.2.3 ", "", "1.2.4\0", vr="UI"), resources) == (first, "", second)
    assert run("%_dummy_#tag", value("1.2.3", "1.2.4", vr="UI"), resources) == (first, second)
    assert first != second


# --- padding

SAME = [
    ("LO", "P1", " P1"),
    ("LO", "P1", "P1  "),
    ("LO", "P1", "\tP1\0\0"),
    ("SH", "P 1", " P 1 "),
    ("UN", "P1", " P1\0"),
    ("PN", "Doe^Jane", "Doe^Jane^^^"),
    ("PN", "Doe^Jane", " Doe ^ Jane ^ ^"),
    ("PN", "Doe^Jane", "Doe^Jane=="),
    ("PN", "Yamada^Tarou=山田^太郎", "Yamada^Tarou^^^=山田^太郎^^^=^^^"),
    ("PN", "=山田", "^^=山田^"),
]
NEW_FUNCTIONS = ("%_sha256_#tag", "%_hmac_#tag", "%_dummy_#tag", "%_lookup|ids_#tag")


@pytest.mark.parametrize(("vr", "plain", "padded"), SAME)
@pytest.mark.parametrize("template", NEW_FUNCTIONS)
def test_new_functions_give_one_result_whatever_the_padding(
    template: str, vr: str, plain: str, padded: str
) -> None:
    for table in ({plain: "S01", "other": "S02"}, {padded: "S01"}):
        resources = Resources(Secret(KEY), {"ids": table})
        first, second = (one(template, text, resources, vr) for text in (plain, padded))
        assert first == second != ""
        assert (vr, template) == ("UN", "%_dummy_#tag") or first != one(
            template, "other", Resources(Secret(KEY), {"ids": {"other": "S02"}}), vr
        )


@pytest.mark.parametrize(("vr", "plain", "padded"), SAME)
def test_dateshift_moves_by_one_number_whatever_the_padding_of_the_seed(
    vr: str, plain: str, padded: str
) -> None:
    template, own = "%_dateshift|patientID|36525_#tag", value("20200301", vr="DA")
    moved = [run(template, own, KEYED, value(seed, vr=vr)) for seed in (plain, padded, "other")]
    assert moved[0] == moved[1] != moved[2]


@pytest.mark.parametrize("template", ["%_md5_#tag", "%_strmsk|***********_#tag", "%_name|patientID_#tag"])
def test_functions_of_3_1_1_take_the_text_as_it_is(template: str) -> None:
    first, second = (run(template, value(text), seed=value(text)) for text in ("P1", " P1"))
    assert first != second


@pytest.mark.parametrize(("vr", "text"), [("LO", " \0"), ("PN", "^^="), ("PN", " ^ ")])
@pytest.mark.parametrize("template", ["%_sha256_#tag", "%_hmac_#tag", "%_lookup|ids_#tag"])
def test_padding_alone_is_no_value(template: str, vr: str, text: str) -> None:
    assert one(template, text, Resources(Secret(KEY), {"ids": {"a": "b"}}), vr) == ""


def test_rows_of_a_table_that_differ_in_padding_alone_keep_their_own_results() -> None:
    resources = Resources(tables={"ids": {"Doe^J^": "S01", "Doe^J^^": "S02", "AB=": "S03", "AB==": "S04"}})
    for vr, text, result in [
        ("PN", "Doe^J^", "S01"),
        ("PN", "Doe^J^^", "S02"),
        ("LO", "AB=", "S03"),
        ("LO", "AB== ", "S04"),
    ]:
        assert one("%_lookup|ids_#tag", text, resources, vr) == result
    with pytest.raises(FileError):
        one("%_lookup|ids_#tag", "Doe^J", resources, "PN")


# --- dates


def days_of(seed: str, most: int, key: bytes | None) -> int:
    return 1 + int.from_bytes(digest_of("dateshift", seed, key), "big") % most


def shifted(text: str, days: int, vr: str = "DA") -> str:
    """What dateshift makes of a text under a seed that gives a certain number of days."""
    seed = next(str(number) for number in range(100_000) if days_of(str(number), 1000, KEY) == days)
    (result,) = run("%_dateshift|patientID|1000_#tag", value(text, vr=vr), KEYED, value(seed))
    return result


@pytest.mark.parametrize("key", [KEY, None])
@pytest.mark.parametrize("seed", ["", "DEV", "4711", "山田^太郎"])
@pytest.mark.parametrize("most", [1, 365, 36525])
def test_dateshift_moves_by_the_digest_of_the_seed(seed: str, most: int, key: bytes | None) -> None:
    expected = date(2020, 3, 1) - timedelta(days_of(seed, most, key))
    resources = Resources(Secret(key)) if key else UNKEYED
    for given_seed in [value(seed)] if seed else [value(""), NO_VALUE, None]:
        got = run(f"%_dateshift|patientID|{most}_#tag", value("20200301", vr="DA"), resources, given_seed)
        assert got == (f"{expected:%Y%m%d}",)


@pytest.mark.parametrize(
    ("vr", "text", "days", "result"),
    [
        ("DA", "20200301", 1, "20200229"),
        ("DA", "20210301", 1, "20210228"),
        ("DA", "19000301", 1, "19000228"),
        ("DA", "20000301", 1, "20000229"),
        ("DA", "20200101", 366, "20181231"),
        ("DA", "2020.03.01", 1, "20200229"),
        ("DA", " 20200301 ", 1, "20200229"),
        ("DA", "00010102", 1, "00010101"),
        ("DA", "00010101", 1, ""),
        ("DA", "99991231", 1, "99991230"),
        ("DA", "20210229", 1, ""),
        ("DA", "20201301", 1, ""),
        ("DA", "20200100", 1, ""),
        ("DA", "00000101", 1, ""),
        ("DA", "2020031", 1, ""),
        ("DA", "2020.0301", 1, ""),
        ("DA", "2020-03-01", 1, "20200229"),
        ("DA", "20200301-20200302", 1, "20200229-20200301"),
        ("DA", "2020.03.01-", 1, "20200229-"),
        ("DA", "-20200302", 1, "-20200301"),
        ("DA", "-", 1, ""),
        ("DA", "20200301-20201302", 1, ""),
        ("DA", "20200301-20200302-20200303", 1, ""),
        ("DA", "00000000", 1, ""),
        ("DA", "20200301\n", 1, ""),
        ("DA", "２０２００３０１", 1, ""),
        ("DA", "20200301120000", 1, ""),
        ("DA", "anon", 1, ""),
        ("DT", "20200301", 1, "20200229"),
        ("DT", "202003", 1, "202002"),
        ("DT", "2020", 1, "2019"),
        ("DT", "2020", 366, "2018"),
        ("DT", "2020030112", 1, "2020022912"),
        ("DT", "202003011259", 1, "202002291259"),
        ("DT", "20200301125960", 1, "20200229125960"),
        ("DT", "20200301125959.1", 1, "20200229125959.1"),
        ("DT", "20200301125959.000100", 1, "20200229125959.000100"),
        ("DT", "20200301125959.000100-0530", 1, "20200229125959.000100-0530"),
        ("DT", "20200301125959+1400", 1, "20200229125959+1400"),
        ("DT", "202003+0100", 1, "202002+0100"),
        ("DT", "2020-0500", 1, "2019-0500"),
        ("DT", "00010101", 1, ""),
        ("DT", "0001", 1, ""),
        ("DT", "2020030124", 1, ""),
        ("DT", "20200301126000", 1, ""),
        ("DT", "20200301125959.", 1, "20200229125959"),
        ("DT", "20200301-20200302", 1, "20200229-20200301"),
        ("DT", "2020-2021", 1, "2019-2020"),
        ("DT", "20200301-0500-20200302-0500", 1, "20200229-0500-20200301-0500"),
        ("DT", "-" * 63, 1, ""),
        ("DT", "20200301125959.1234567", 1, "20200229125959.123456"),
        ("DT", "20200301125959.123456789+0100", 1, "20200229125959.123456+0100"),
        ("DT", "20200301125959+1560", 1, ""),
        ("DT", "20200230", 1, ""),
        ("DT", "20201", 1, ""),
        ("DT", "2020.03.01", 1, "20200229"),
        ("TM", "120000.123", 1, "120000.123"),
        ("TM", "12", 1, "12"),
        ("TM", "235960", 1, "235960"),
        ("TM", "240000", 1, ""),
        ("TM", "12:00:00", 1, "120000"),
        ("TM", "12:30", 1, "1230"),
        ("TM", "12:00:00.1234567", 1, "120000.123456"),
        ("TM", "120000.12345678", 1, "120000.123456"),
        ("TM", "1200-1300", 1, "1200-1300"),
        ("TM", "12:0000", 1, ""),
        ("TM", "24:00:00", 1, ""),
        ("TM", "Dr Who", 1, ""),
        ("", "20200301", 1, "20200229"),
        ("UN", "2020.03.01", 1, "20200229"),
        ("UN", "20200301120000+0100", 1, "20200229120000+0100"),
        ("UN", "20210229", 1, ""),
        ("UN", "anon", 1, ""),
        ("LO", "20200301", 1, "20200229"),
        ("SH", "2020.03.01", 1, "2020.02.29"),
        ("LT", "2020-03-01T11:59:00+01:00", 1, "2020-02-29T11:59:00+01:00"),
        ("ST", "20200301115900.123", 1, "20200229115900.123"),
        ("UN", "2020/03/01 11:59", 1, "2020/02/29 11:59"),
        ("UN", "20200301", 1, "20200229"),
        ("LO", "1.3.2020", 1, "29.02.2020"),
        ("LO", "01-MAR-2020", 1, "29-FEB-2020"),
        ("LO", "1. März 2020", 1, "29. Feb 2020"),
        ("LO", "1 march 2020", 1, "29 february 2020"),
        ("LO", "11:59:00", 1, "11:59:00"),
        ("LO", "115900", 1, ""),
        ("LO", "2020", 1, ""),
        ("LO", "03/01/2020", 1, ""),
        ("LO", "2020-03-01-2020", 1, ""),
        ("LO", "20200301 Doe", 1, ""),
        ("LO", "20201301", 1, ""),
        ("LO", "01-XYZ-2020", 1, ""),
        ("IS", "2020", 1, ""),
        ("US", "2020", 1, ""),
    ],
)
def test_dateshift_gives(vr: str, text: str, days: int, result: str) -> None:
    assert shifted(text, days, vr) == result


def test_dateshift_moves_all_values_of_an_element_alike() -> None:
    dates = value("20200301", "20200302", "20200303", vr="DA")
    for seed in (value("DEV"), value("a", "b"), value("a", "b", "c", "d")):
        moved = run("%_dateshift|patientID|365_#tag", dates, KEYED, seed)
        days = days_of("\\".join(seed.texts), 365, KEY)
        assert moved == tuple(f"{date(2020, 3, day) - timedelta(days):%Y%m%d}" for day in (1, 2, 3))


dates = st.dates(min_value=date(101, 1, 2))


@given(dates, dates, st.text(max_size=8), st.integers(1, 36525), st.sampled_from([KEYED, UNKEYED]))
@example(date(2020, 2, 29), date(2020, 3, 1), "", 36525, KEYED)
def test_dateshift_keeps_intervals(
    first: date, second: date, seed: str, most: int, resources: Resources
) -> None:
    own = value(*(f"{day.year:04}{day:%m%d}" for day in (first, second)), vr="DA")
    moved = run(f"%_dateshift|patientID|{most}_#tag", own, resources, value(seed))
    after = [date(int(text[:4]), int(text[4:6]), int(text[6:])) for text in moved]
    assert after[1] - after[0] == second - first
    assert 1 <= (first - after[0]).days <= most


@given(st.datetimes(min_value=datetime(101, 1, 2)), st.integers(1, 36525))
def test_dateshift_moves_date_times_as_it_moves_dates(moment: datetime, most: int) -> None:
    day, time = f"{moment.year:04}{moment:%m%d}", f"{moment:%H%M%S.%f}"
    template = f"%_dateshift|patientID|{most}_#tag"
    (moved,) = run(template, value(day, vr="DA"), KEYED, value("DEV"))
    assert run(template, value(f"{day}{time}", vr="DT"), KEYED, value("DEV")) == (moved + time,)
    assert run(template, value(day, vr="DT"), KEYED, value("DEV")) == (moved,)


@given(st.text(alphabet="0123456789.+-: \0", max_size=27), st.sampled_from(["DA", "DT", "TM", "", "UN"]))
def test_dateshift_gives_what_its_vr_allows_or_nothing(text: str, vr: str) -> None:
    (moved,) = run("%_dateshift|patientID|99_#tag", value(text, vr=vr), KEYED, value("DEV"))
    assert fit(vr if vr in {"DA", "DT", "TM"} else "DT", [moved.strip(" \0")]).texts in {
        (),
        (moved.strip(" \0"),),
    }
    if vr in {"DA", "DT"}:
        assert not moved or moved != text


# --- tables

TABLES = {"ids": {"4711": "S01"}, "my_names-2": {"Doe^J": "A^B", "Roe^R": ""}}


def test_lookup_takes_the_replacement() -> None:
    resources = Resources(tables=TABLES)
    assert run("%_lookup|ids_#tag", value("4711", "4711"), resources) == ("S01", "S01")
    assert one("%_lookup|my__names-2_#tag", "Doe^J", resources, "PN") == "A^B"
    assert one("%_lookup|my__names-2_#tag", "Roe^R", resources, "PN") == ""


def test_lookup_of_a_value_that_the_table_lacks_fails_without_naming_it() -> None:
    with pytest.raises(FileError, match="ids") as stop:
        one("%_lookup|ids_#tag", "4712", Resources(tables=TABLES))
    assert "471" not in str(stop.value)
    assert run("%_lookup|ids_#tag", value("4712", "4711"), Resources(None, TABLES, LookupMiss.EMPTY)) == (
        "",
        "S01",
    )


def test_lookup_of_an_unknown_table_is_a_problem_that_lists_the_known() -> None:
    template = parse_template("%_lookup|idz_#tag", "PatientID")
    problem = template.find_problem(Resources(tables=TABLES))
    assert "unknown table 'idz'" in problem
    assert "ids, my_names-2" in problem
    assert "--lookupTable idz=FILE.csv" in template.find_problem(UNKEYED)
    assert template.find_problem(Resources(tables={"idz": {}})) == ""
    with pytest.raises(FileError):
        one("%_lookup|idz_#tag", "4711", Resources(tables=TABLES))


# --- keep, empty, clean


def test_keep_gives_the_value_and_empty_nothing() -> None:
    assert run("%_keep_#tag", value("a", "", "b")) == ("a", "", "b")
    assert run("%_empty_#tag", value("a", "", "b")) == ("", "", "")


class Censor:
    """A cleaner for tests."""

    def clean(self, text: str) -> str:
        return text.replace("Doe", "")


def test_clean_takes_the_cleaner_and_gives_nothing_without() -> None:
    template = parse_template("%_clean_#tag", "StudyDescription")
    own = value("head Doe", "", "neck")
    assert template.evaluate(0x00081030, lambda tags: own, KEYED, Censor()) == ("head ", "", "neck")
    assert template.evaluate(0x00081030, lambda tags: own, KEYED) == ("", "", "")


# --- dummies

TEXT_VRS = ["AE", "CS", "LO", "LT", "SH", "ST", "UC", "UT"]
ORIGINALS = {
    "AE": "SCANNER1",
    "AS": "045Y",
    "AT": "(0010,0010)",
    "CS": "M",
    "DA": "19700131",
    "DS": "70.5",
    "DT": "19700131120000+0100",
    "FD": "70.5",
    "FL": "70.5",
    "IS": "12",
    "LO": "4711",
    "LT": "a\r\nb",
    "PN": "Doe^John",
    "SH": "4711",
    "SL": "-5",
    "SS": "-5",
    "ST": "x",
    "SV": "-5",
    "TM": "120000",
    "UC": "x",
    "UI": "1.2.3",
    "UL": "5",
    "UR": "https://hospital.example/4711",
    "US": "5",
    "UT": "x",
    "UV": "5",
}


@keyed_and_not
@pytest.mark.parametrize("vr", sorted(ORIGINALS))
def test_dummy_is_valid_whole_consistent_and_not_the_original(vr: str, resources: Resources) -> None:
    original = ORIGINALS[vr]
    dummy = one("%_dummy_#tag", original, resources, vr)
    assert dummy
    assert dummy != original
    assert dummy == one("%_dummy_#tag", original, resources, vr)
    assert fit(vr, [dummy]) == fit(vr, (dummy,))
    assert fit(vr, [dummy]).texts == (dummy,)
    assert fit(vr, [dummy]).action is Action.SUBSTITUTED
    data = encode_element(0x00091001, vr, [dummy], DEFAULT_CHARACTER_SET, implicit=True, little=True)
    assert decode(vr, data[8:], DEFAULT_CHARACTER_SET, True).texts == (dummy,)
    # A dummy of a dummy is another: the original may be anything.
    again = one("%_dummy_#tag", dummy, resources, vr)
    assert again != dummy
    assert fit(vr, [again]).texts == (again,)


@pytest.mark.parametrize("vr", sorted(set(ORIGINALS) - {"UI"}))
def test_dummy_is_one_constant_per_vr_without_a_key_and_many_with_one(vr: str) -> None:
    texts = [str(number) for number in range(10, 110)]
    unkeyed = {one("%_dummy_#tag", text, UNKEYED, vr) for text in texts}
    assert len(unkeyed) == 1
    keyed = {one("%_dummy_#tag", text, KEYED, vr) for text in texts}
    assert len(keyed) > 30
    assert keyed.isdisjoint(one("%_dummy_#tag", text, OTHER, vr) for text in texts) or vr in {
        "AS",
        "AT",
        "SS",
        "US",
    }


@pytest.mark.parametrize(
    ("vr", "originals"),
    [
        ("DS", ["1", "1.0", "01", " 1e0"]),
        ("IS", ["1", "+1"]),
        ("FL", ["1.0"]),
        ("DA", ["19000101", "1900.01.01"]),
        ("LO", ["DUMMY", "DUMMY "]),
        ("PN", ["DUMMY^DUMMY", "DUMMY^DUMMY^^^", "DUMMY^DUMMY="]),
        ("AS", ["020Y"]),
    ],
)
def test_dummy_is_not_the_original_in_another_notation(vr: str, originals: list[str]) -> None:
    constant = one("%_dummy_#tag", "999", UNKEYED, vr)
    second = {one("%_dummy_#tag", text, UNKEYED, vr) for text in originals}
    assert len(second) == 1
    assert constant not in second


@pytest.mark.parametrize("vr", TEXT_VRS)
def test_dummy_of_a_text_has_64_bits_of_the_digest(vr: str) -> None:
    assert one("%_dummy_#tag", "4711", KEYED, vr) == digest_of("dummy", "4711").hex()[:16].upper()


@pytest.mark.parametrize("vr", sorted(BINARY_VRS))
@keyed_and_not
def test_dummy_of_a_binary_value_is_nul(vr: str, resources: Resources) -> None:
    own = decode(vr, b"4711\\abc", DEFAULT_CHARACTER_SET, True)
    dummy = run("%_dummy_#tag", own, resources)
    fitted = fit(vr, dummy)
    assert fitted.action is Action.SUBSTITUTED
    data = encode_element(0x00091001, vr, fitted.texts, DEFAULT_CHARACTER_SET, implicit=True, little=True)
    assert len(data) > 8
    assert not any(data[8:])
    assert len(data) % {"OD": 8, "OV": 8, "OF": 4, "OL": 4}.get(vr, 2) == 0


@pytest.mark.parametrize("vr", sorted(BINARY_VRS - {"UN"}))
@pytest.mark.parametrize("texts", [["x"], ["\0\0", "x"], ["\0x"], [" "]])
def test_binary_value_takes_no_other_text(vr: str, texts: list[str]) -> None:
    assert fit(vr, texts).action is Action.INVALID


def test_dummy_of_several_values_in_un_is_one() -> None:
    own = decode("UN", b"a\\\\b", DEFAULT_CHARACTER_SET, True)
    dummies = run("%_dummy_#tag", own, KEYED)
    assert dummies == ("\0\0", "", "\0\0")
    assert fit("UN", dummies).texts == ("\0\0",)


def test_dummy_of_an_empty_binary_value_or_of_a_sequence_is_nothing() -> None:
    for own in (decode("OB", b"", DEFAULT_CHARACTER_SET, True), Value((), (), "SQ")):
        assert run("%_dummy_#tag", own, KEYED) == ("",)


def test_dummy_of_numbers_that_end_too_soon_is_a_number() -> None:
    own = decode("US", b"471", DEFAULT_CHARACTER_SET, True)
    assert fit("US", run("%_dummy_#tag", own, KEYED)).action is Action.SUBSTITUTED


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_dummy_of_every_kind_of_element_can_be_written(form: Form, tmp_path: Path) -> None:
    made = data_set(
        PatientID="4711",
        PatientName="Doe^John",
        PatientBirthDate="19700131",
        PatientWeight="70.5",
        StudyInstanceUID="1.2.3",
        Rows=5,
        ICCProfile=b"4711",
        TrackPointIndexList=b"4711",
        DoubleFloatPixelData=b"47114711",
    )
    spec = {it.keyword: "%_dummy_#tag" for it in made}
    content = written(made, form)
    result = substitute(content, spec, tmp_path)
    assert {action for tag in result.actions.values() for action in tag} == {Action.SUBSTITUTED}
    for it in read(result.content):
        assert it.value not in {"", None, b""}
        assert it.value != made[it.tag].value
    assert b"4711" not in result.content


def test_dummy_of_a_private_binary_element_can_be_written(tmp_path: Path) -> None:
    creator = element(0x00090010, "LO", b"ACME", EXPLICIT)
    content = file_of(creator + element(0x00091001, "OB", b"4711", EXPLICIT))
    result = substitute(content, {'(0009,"ACME",01)': "%_dummy_#tag"}, tmp_path)
    assert read(result.content)[0x00091001].value == b"\0\0"


# --- what holds for all that use the secret

SECRETIVE = ["%_hmac|16_#tag", "%_uid_#tag", "%_dummy_#tag"]


@pytest.mark.parametrize(
    ("template", "vr", "resources"),
    [
        ("%_hmac|16_#tag", "LO", KEYED),
        ("%_sha256|16_#tag", "LO", UNKEYED),
        ("%_uid_#tag", "UI", KEYED),
        ("%_uid_#tag", "UI", UNKEYED),
        ("%_dummy_#tag", "LO", KEYED),
        ("%_dummy_#tag", "SH", KEYED),
        ("%_dummy_#tag", "PN", KEYED),
        ("%_dummy_#tag", "UI", UNKEYED),
    ],
)
def test_results_differ_for_100_000_ids(template: str, vr: str, resources: Resources) -> None:
    prefix = "1.2.3." if vr == "UI" else "MRN"
    own = value(*(f"{prefix}{number}" for number in range(IDS)), vr=vr)
    made = run(template, own, resources)
    assert len(set(made)) == IDS
    assert set(made).isdisjoint(own.texts)


def test_no_use_helps_with_another() -> None:
    """Each use works under a key of its own, and none under the key itself."""
    text = "1.2.3"
    made = {one("%_hmac_#tag", text, KEYED)}
    made.add(digest_of("uid", text).hex())
    made.add(digest_of("dateshift", text).hex())
    made.add(digest_of("dummy", text).hex())
    made.add(digest_of("uid", text, None).hex())
    made.add(digest_of("dateshift", text, None).hex())
    made.add(hmac.new(KEY, text.encode(), hashlib.sha256).hexdigest())
    made.add(hashlib.sha256(text.encode()).hexdigest())
    assert len(made) == 8
    uid = one("%_uid_#tag", text, KEYED, "UI")
    for digest in made - {digest_of("uid", text).hex()}:
        assert uid != pydicom.uid.generate_uid(entropy_srcs=[digest])
    assert not one("%_hmac_#tag", text, KEYED).startswith(one("%_dummy_#tag", text, KEYED).lower())


@pytest.mark.parametrize("template", SECRETIVE)
def test_another_key_gives_other_results(template: str) -> None:
    for vr in ("LO", "UI"):
        assert one(template, "1.2.3", KEYED, vr) != one(template, "1.2.3", OTHER, vr)
    shifts = [
        run("%_dateshift|patientID|36525_#tag", value("20200301", vr="DA"), resources, value("DEV"))
        for resources in (KEYED, OTHER, UNKEYED)
    ]
    assert len(set(shifts)) == 3


SEPARATE = """
import json, sys
from pfdicom_tagSub.core.options import LookupMiss
from pfdicom_tagSub.spec.templates import parse_template
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.dicom.values import Value
resources = Resources(Secret(bytes.fromhex(sys.argv[1])), {"ids": {"4711": "S01"}}, LookupMiss.EMPTY)
found = []
for template, vr, text in json.loads(sys.argv[2]):
    own = Value((text,), (text.encode(),), vr)
    made = parse_template(template, "PatientID").evaluate(0x00100020, lambda tags: own, resources)
    found.append(made[0])
print(json.dumps(found))
"""


def test_separate_processes_give_equal_results() -> None:
    cases = [
        (f"%_{name}_#tag", vr, text)
        for name in ("hmac", "dummy", "sha256", "md5")
        for vr, text in ORIGINALS.items()
    ]
    cases += [("%_uid_#tag", "UI", "1.2.3"), ("%_dateshift|#tag|365_#tag", "DA", "20200301")]
    cases += [("%_lookup|ids_#tag", "LO", "4711"), ("%_name_#tag", "PN", "Doe^John")]
    printed = []
    for seed in ("0", "1", "4711"):
        done = subprocess.run(
            [sys.executable, "-c", SEPARATE, KEY.hex(), json.dumps(cases)],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "C"},
        )
        printed.append(json.loads(done.stdout))
    resources = Resources(Secret(KEY), {"ids": {"4711": "S01"}}, LookupMiss.EMPTY)
    here = [
        run(template, value(text, vr=vr), resources, key="PatientName")[0] for template, vr, text in cases
    ]
    assert printed == [here] * 3


def test_registry_loads_without_pydicom_or_hashlib() -> None:
    code = (
        "import sys\nfrom pfdicom_tagSub.spec import functions\n"
        "print(sorted({'pydicom', 'faker', 'hashlib', 'hmac'} & set(sys.modules)))"
    )
    # Coverage, if it measures this run, starts in sub-processes too, with modules of its own.
    unmeasured = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unmeasured
    )
    assert done.stdout == "[]\n"


def test_validators_know_every_vr_that_has_a_dummy() -> None:
    assert set(valuerep.VALIDATORS) - BINARY_VRS <= set(ORIGINALS)
