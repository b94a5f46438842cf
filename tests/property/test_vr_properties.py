"""Verification decides by its own reading which elements a key by VR hits."""

from __future__ import annotations

import pytest
from builders import rules_of
from hypothesis import given, settings
from hypothesis import strategies as st
from selection import examples
from test_cold_equals_warm import CHECKED, assert_cold_equals_warm, assert_verification_agrees, series

Spec = dict[str, str | None]

SPECS = (
    {"VR:PN": "%_md5|6_#tag", "VR:LO": "X"},
    {"VR:LO": None, "(0029,xxxx)": "%_md5|4_#tag"},
    {"VR:UN": "", "VR:PN": None, "VR:SQ": None},
    {"VR:LO": "%_keep_#tag", "private": None, "VR:DA": ""},
    {"VR:SH": None, "VR:LT": "", "rest": None},
)


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(60))
@given(contents=series(), spec=st.sampled_from(SPECS))
def test_verification_agrees_which_elements_a_vr_hits(
    contents: list[bytes], spec: Spec, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert_verification_agrees(rules_of(spec), contents, tmp_path_factory.mktemp("vr"))


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(60))
@given(contents=series(), spec=st.sampled_from(SPECS))
def test_results_of_keys_by_vr_do_not_depend_on_what_came_before(contents: list[bytes], spec: Spec) -> None:
    assert_cold_equals_warm(rules_of(spec), contents)
