"""CTP's functions: values worked out by hand from what its sources say."""

from __future__ import annotations

import hashlib

import pytest
from builders import data_set, read, rules_of, written
from hypothesis import given
from hypothesis import strategies as st

from pfdicom_tagSub import api
from pfdicom_tagSub.core.errors import SpecError


def made_of(key: str, template: str, value: str) -> str:
    made = read(api.patch_bytes(written(data_set(**{key: value})), rules_of({key: template})))
    return str(made[key].value or "")


# 0x5d41402abc4b2a76b9719d911017c592 is the MD5 of hello (RFC 1321 says of "a" 0cc175b9...).
HELLO = "123957004363873451094272536567338222994"
A = "16955237001963240173058271559858726497"


def test_numbers_of_this_test_are_those_of_md5() -> None:
    assert int(HELLO) == 0x5D41402ABC4B2A76B9719D911017C592
    assert int(A) == 0x0CC175B9C0F1B6A831C399E269772661


@pytest.mark.parametrize(
    ("key", "template", "value", "expected"),
    [
        ("PatientID", "%_ctpHash_#tag", "hello", HELLO),
        ("PatientID", "%_ctpHash|10_#tag", "hello", HELLO[:10]),
        ("PatientID", "%_ctpHash|0_#tag", "a", A),
        ("PatientName", "%_ctpHashname|6|2_#tag", "hel^l o.^X", hashlib.md5(b"HELLO").hexdigest()),
        ("SOPInstanceUID", "%_ctpHashuid|1.2_#tag", "1.2.3", ""),
        ("StudyDate", "%_ctpIncrementdate|-3210_#tag", "20210305", "20120521"),
        ("StudyDate", "%_ctpIncrementdate|1_#tag", "20200228", "20200229"),
        ("StudyDate", "%_ctpIncrementdate|1_#tag", "20200231", "20200303"),
        ("AcquisitionDateTime", "%_ctpIncrementdate|1_#tag", "20201231101112.5", "20210101101112.5"),
        ("AcquisitionDateTime", "%_ctpIncrementdate|1_#tag", "2020", ""),
        ("StudyDate", "%_ctpModifydate|*|1|1_#tag", "19700517", "19700101"),
        ("StudyDate", "%_ctpModifydate|2000|*|31_#tag", "19700217", "20000302"),
        ("PatientAge", "%_ctpRound|5_#tag", "047Y", "45Y".rjust(4, "0")),
        ("PatientAge", "%_ctpRound|5_#tag", "048Y", "050Y"),
        ("PatientName", "%_ctpInitials_#tag", "Mueller^Juergen^k", "JKM"),
        ("PatientName", "%_ctpInitials_#tag", "Mueller", "M"),
    ],
)
def test_results_are_those_of_ctp(key: str, template: str, value: str, expected: str) -> None:
    if "Hashname" in template:
        expected = str(int(expected, 16))[:6]
    if "Hashuid" in template:
        digits = str(int(hashlib.md5(b"1.2.3").hexdigest(), 16))
        expected = f"1.2.{digits}"
    assert made_of(key, template, value) == expected


def test_hashptid_is_the_hash_of_site_and_patient() -> None:
    digits = str(int(hashlib.md5(b"[1]4711").hexdigest(), 16))
    assert made_of("PatientID", "%_ctpHashptid|1_#tag", "4711") == digits
    assert made_of("PatientID", "%_ctpHashptid|1|8_#tag", "4711") == digits[:8]


@given(st.text("0123456789.", min_size=1, max_size=20).filter(lambda text: text.strip(".")))
def test_hashed_uid_has_its_root_is_no_longer_than_64_and_begins_with_no_zero(uid: str) -> None:
    root = "1.2.840.113654.2.70.1.4711.815.12345"
    made = made_of("StudyInstanceUID", f"%_ctpHashuid|{root}_#tag", uid)
    assert len(made) <= 64
    assert made.startswith(root + ".")
    assert made[len(root) + 1] != "0"


@pytest.mark.parametrize(
    "template",
    [
        "%_ctpHash|x_#tag",
        "%_ctpHashuid_#tag",
        "%_ctpHashuid|root_#tag",
        "%_ctpHashptid_#tag",
        "%_ctpHashname_#tag",
        "%_ctpIncrementdate|soon_#tag",
        "%_ctpModifydate|1_#tag",
        "%_ctpRound|0_#tag",
        "%_ctpInitials|1_#tag",
    ],
)
def test_wrong_arguments_are_errors(template: str) -> None:
    with pytest.raises(SpecError, match="wrong argument"):
        rules_of({"PatientID": template})
