"""Conditions in a spec: both readings of a file hold the same, and the order of files means nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selection import examples
from test_cold_equals_warm import CHECKED, result_of, series

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.core.errors import FileError, NotDicomError, NotSelectedError, SkippedError
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.scope import Reading
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.conditional import PatcherChoice
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.engine.selection import Selection
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.condition_parsing import parse_condition
from pfdicom_tagSub.spec.conditions import Held
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.verify.conditional import PydicomFacts
from pfdicom_tagSub.verify.pydicom_reading import read_again

ELEMENTS = (
    "PatientName",
    "PatientID",
    "(0010,0fff)",
    "PatientComments",
    "PatientIdentityRemoved",
    "StudyID",
    "StudyDate",
    "SOPInstanceUID",
    "SmallestImagePixelValue",
    "PixelRepresentation",
    "ImageType",
    '(0029,"ACME",02)',
    '(0029,"SIEMENS CSA HEADER",08)',
    "RequestAttributesSequence",
    "RequestAttributesSequence[0].PatientName",
    "RequestAttributesSequence[1].PatientID",
    "RequestAttributesSequence[*].StudyID",
    'RequestAttributesSequence[*].(0029,"ACME",08)',
    "RequestAttributesSequence[*].SmallestImagePixelValue",
    "DirectoryRecordSequence[*].PatientName",
    "TransferSyntaxUID",
    "MediaStorageSOPInstanceUID",
)
SUBJECTS = tuple(parse_condition(f"{text} present", "test").subjects[0] for text in ELEMENTS)


def held_of(content: bytes) -> list[Held] | None:
    """What the scan finds of each subject; None where the file fails."""
    try:
        file = parse(BytesSource(content))
        return Selection(SUBJECTS, Reading()).ask(
            file, "a", lambda facts: [facts.held(subject) for subject in SUBJECTS]
        )
    except (FileError, NotDicomError):
        return None


def held_again(content: bytes) -> list[Held] | None:
    """What pydicom finds of each; None where it cannot read the file."""
    try:
        facts = PydicomFacts(read_again(BytesSource(content)), "a")
    except FileError:
        return None
    return [facts.held(subject) for subject in SUBJECTS]


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(120))
@given(contents=series())
def test_both_readings_of_a_file_hold_the_same(contents: list[bytes]) -> None:
    for content in contents:
        found, again = held_of(content), held_again(content)
        if found is not None and again is not None:
            for text, one, other in zip(ELEMENTS, found, again, strict=True):
                assert (text, one) == (text, other)


CONDITIONS = (
    "PatientName = 'A^B'",
    "PatientID present",
    "not PatientComments empty",
    "RequestAttributesSequence[*].PatientName present",
    "StudyID in ('AB', 'A^B') or StudyDate absent",
    '(0029,"ACME",02) present',
)
PAIRS: tuple[dict[str, Any], ...] = (
    {"PatientName": "X"},
    {"PatientID": "%_md5|7_PatientName"},
    {"re:Patient.*": None},
    {"(0010,xxxx)": "Y"},
    {"private": None, "StudyID": "%_keep_#tag"},
    {"StudyID": "%PatientName", "SOPInstanceUID": "%_uid_#tag"},
    {"PatientIdentityRemoved": "YES"},
    {"RequestAttributesSequence": None},
)


@st.composite
def specs(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """A spec of pairs and blocks."""
    spec: dict[str, Any] = dict(draw(st.sampled_from(PAIRS)))
    if depth:
        for condition in draw(st.lists(st.sampled_from(CONDITIONS), max_size=2, unique=True)):
            ending = draw(st.sampled_from([None, None, None, "%_skip_", "%_fail|no_"]))
            spec[f"when {condition}"] = ending or draw(specs(depth=depth - 1))
    return spec


def flat(spec: dict[str, Any], content: bytes) -> list[dict[str, Any]] | str:
    """The pairs that apply to a file, the weakest first; the ending where there is one."""
    layers = [{key: value for key, value in spec.items() if not key.startswith("when ")}]
    ending = ""
    for key, value in spec.items():
        if not key.startswith("when "):
            continue
        condition = parse_condition(key[5:], "test")
        if not condition.holds(PydicomFacts(read_again(BytesSource(content)), "")):
            continue
        if isinstance(value, str):
            ending = value
            continue
        inner = flat(value, content)
        if isinstance(inner, str):
            ending = inner
        else:
            layers += inner
    return ending or layers


def rules_of(spec: dict[str, Any]) -> RuleSet:
    return compile_rules(parse_json(json.dumps(spec), "test"))


def chosen(rules: RuleSet, contents: Sequence[bytes], where: str = "") -> list[object]:
    """What becomes of files one after the other."""
    condition = parse_condition(where, "test") if where else None
    choice = PatcherChoice(Patcher(rules), Patcher, rules.variants, condition)
    plain, caches = Patcher(rules), Caches()
    found: list[object] = []
    for content in contents:
        if rules.variants is None and condition is None:
            found.append(result_of(plain, caches, content))
            continue
        try:
            patcher, elements = choice.of(parse(BytesSource(content)), "")
        except (FileError, NotDicomError, NotSelectedError, SkippedError) as error:
            found.append((type(error), str(error)))
            continue
        found.append(result_of(patcher, caches, content, elements))
        assert found[-1] == result_of(Patcher(patcher.rules), Caches(), content)
    return found


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(100))
@given(spec=specs(), contents=series(), where=st.sampled_from(CONDITIONS))
def test_choice_of_files_does_not_depend_on_what_came_before(
    spec: dict[str, Any], contents: list[bytes], where: str
) -> None:
    rules = rules_of(spec)
    cold = [chosen(rules, [content], where)[0] for content in contents]
    assert chosen(rules, [*contents, *contents], where) == [*cold, *cold]
    assert chosen(rules, contents[::-1], where) == cold[::-1]
    condition = parse_condition(where, "test")
    for content, result in zip(contents, cold, strict=True):
        is_left = isinstance(result, tuple) and result[0] is NotSelectedError
        try:
            held = condition.holds(PydicomFacts(read_again(BytesSource(content)), ""))
        except FileError:
            continue
        # The elements of these files stand in order.
        assert held is not is_left or (isinstance(result, tuple) and issubclass(result[0], FileError))
        assert is_left or result == chosen(rules, [content])[0]


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(100))
@given(spec=specs(), contents=series())
def test_results_of_a_spec_with_conditions_do_not_depend_on_what_came_before(
    spec: dict[str, Any], contents: list[bytes]
) -> None:
    rules = rules_of(spec)
    cold = [chosen(rules, [content])[0] for content in contents]
    assert chosen(rules, [*contents, *contents]) == [*cold, *cold]
    assert chosen(rules, contents[::-1]) == cold[::-1]


@pytest.mark.filterwarnings("ignore")
@settings(CHECKED, max_examples=examples(100))
@given(spec=specs(), contents=series())
def test_spec_with_conditions_does_what_a_spec_of_what_applies_does(
    spec: dict[str, Any], contents: list[bytes]
) -> None:
    """That is a chain of blocks that hold always: the last stands in all others."""
    rules = rules_of(spec)
    for content in contents:
        try:
            layers = flat(spec, content)
        except FileError:
            continue
        (found,) = chosen(rules, [content])
        if isinstance(layers, str):
            expected = SkippedError if layers == "%_skip_" else FileError
            assert isinstance(found, tuple)
            assert issubclass(found[0], (expected, FileError, NotDicomError))
            continue
        chain: dict[str, Any] = {}
        for layer in reversed(layers):
            chain = {**layer, **({"when path = ''": chain} if chain else {})}
        assert [found] == chosen(rules_of(chain), [content])
