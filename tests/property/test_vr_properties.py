"""Verification decides by its own reading which elements a key by VR hits."""

from __future__ import annotations

import pytest
from builders import rules_of
from hypothesis import given, settings
from hypothesis import strategies as st
from selection import examples
from test_cold_equals_warm import CHECKED, assert_cold_equals_warm, series

from pfdicom_tagSub.core.outcome import Stage
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

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
    folder = tmp_path_factory.mktemp("vr")
    worker = Worker(Settings(rules_of(spec), output_root=str(folder), verify=True))
    for number, content in enumerate(contents):
        source = folder / f"in{number}"
        source.write_bytes(content)
        outcome = worker.process(FileJob(str(source), str(folder / f"out{number}"), source.name))
        assert outcome.stage is not Stage.VERIFY, outcome.reason
        assert "internal" not in outcome.reason


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(60))
@given(contents=series(), spec=st.sampled_from(SPECS))
def test_results_of_keys_by_vr_do_not_depend_on_what_came_before(contents: list[bytes], spec: Spec) -> None:
    assert_cold_equals_warm(rules_of(spec), contents)
