"""Pairs for the items of a sequence do there what they do to a whole file, and nothing elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from builders import read
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from selection import examples
from test_cold_equals_warm import (
    CHECKED,
    assert_cold_equals_warm,
    assert_verification_agrees,
    result_of,
    series,
)

from pfdicom_tagSub import api
from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.spec.rules import RuleSet

Pairs = dict[str, Any]
SEQUENCE = "RequestAttributesSequence"

PAIRS: tuple[Pairs, ...] = (
    {"PatientName": "%_md5|6_#tag", "re:Study.*": None},
    {"VR:PN": "X", "VR:LO": "", "VR:UN": ""},
    {"re:Patient.*": None, "VR:US": "0", "VR:SS": "0"},
    {"(0010,xxxx)": "Y"},
    {"PatientName": "<%PatientID>", "VR:SH": None},
    {"re:.*": "%_keep_#tag"},
    {"VR:SQ": "", "VR:PN": "%_strmsk|**_#tag"},
)
OUTSIDE: tuple[Pairs, ...] = (
    {},
    {"PatientName": "Z", "re:Study.*": ""},
    {"VR:PN": "%_md5|4_#tag", "private": None},
    {"rest": None},
    {"PatientComments": "%_clean_#tag", "PatientID": None},
)


def rules_of(pairs: Pairs, outside: Pairs) -> RuleSet:
    return api.compile_spec({**outside, SEQUENCE: {"each": pairs}})


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(40))
@given(contents=series(), pairs=st.sampled_from(PAIRS), outside=st.sampled_from(OUTSIDE))
def test_verification_agrees_what_pairs_for_items_hit(
    contents: list[bytes], pairs: Pairs, outside: Pairs, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert_verification_agrees(rules_of(pairs, outside), contents, tmp_path_factory.mktemp("items"))


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(40))
@given(contents=series(), pairs=st.sampled_from(PAIRS), outside=st.sampled_from(OUTSIDE))
def test_results_of_pairs_for_items_do_not_depend_on_what_came_before(
    contents: list[bytes], pairs: Pairs, outside: Pairs
) -> None:
    assert_cold_equals_warm(rules_of(pairs, outside), contents)


def elements_of(data_set: Dataset, above: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], object]]:
    """The elements at every depth, each by its place, with its value; without group lengths."""
    for element in data_set:
        place = (*above, int(element.tag))
        if element.VR == "SQ":
            yield place, len(element.value)
            for number, one in enumerate(element.value):
                yield from elements_of(one, (*place, number))
        elif element.tag.element:
            yield place, str(element.value)


def made_by(spec: Pairs, content: bytes) -> dict[tuple[int, ...], object] | None:
    """What a spec makes of a file; None where that fails."""
    output = result_of(Patcher(api.compile_spec(spec)), Caches(), content)[0]
    return dict(elements_of(read(output))) if isinstance(output, bytes) else None


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(40))
@given(contents=series(), pairs=st.sampled_from(PAIRS))
def test_items_become_what_the_same_pairs_make_of_the_file(contents: list[bytes], pairs: Pairs) -> None:
    sequence = 0x00400275
    everywhere = {key: value for key, value in pairs.items() if key != "VR:SQ"}
    everywhere |= {SEQUENCE: "%_keep_#tag"}
    for content in contents:
        inner = {**everywhere, **({"re:(?!Request|Directory).*Sequence$": ""} if "VR:SQ" in pairs else {})}
        whole, found = made_by(inner, content), made_by({SEQUENCE: {"each": pairs}}, content)
        if whole is None or found is None:
            continue
        before = dict(elements_of(read(content)))
        within = {place: value for place, value in found.items() if sequence in place[:-1]}
        assert within == {place: value for place, value in whole.items() if sequence in place[:-1]}
        others = {place: value for place, value in found.items() if place not in within}
        assert others == {place: value for place, value in before.items() if sequence not in place[:-1]}
