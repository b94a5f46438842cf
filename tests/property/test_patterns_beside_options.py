"""Files of a series in runs with conditions, crosswalks, surveys and new paths: each is changed as if alone.

What the files of a series have in common is changed once in such runs, too. So each file is processed after
others, in several orders, and by itself, where there are no patterns.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from builders import EXPLICIT, element, file_of, item, sequence
from hypothesis import given
from recipes import noted_answers
from selection import examples
from test_cold_equals_warm import CHECKED, settings
from test_known_files import (
    BASE,
    FULL,
    INSTANCES,
    UID,
    content_of,
    contents_by,
    file_with,
    series,
    small_elements,
)

from pfdicom_tagSub import api
from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.core.errors import FileError, NotDicomError, NotSelectedError, SkippedError
from pfdicom_tagSub.core.file_survey import Remaining, merged
from pfdicom_tagSub.dicom.edits import pieces
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.original_pairs import ATTRIBUTES, OriginalPair
from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.engine.patcher import Output, Patcher
from pfdicom_tagSub.engine.pattern_pass import ElementsOfKnown
from pfdicom_tagSub.engine.survey_basis import SurveyOptions
from pfdicom_tagSub.run.file_tools import Tools
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.condition_parsing import parse_condition

KEY = b"0123456789abcdef"
EVERY = "Modality present or Modality absent"

SPECS: dict[str, dict[str, Any]] = {
    "one that all pass": {f"when {EVERY}": {"StudyID": "1"}},
    "by what differs": {
        "when InstanceNumber > 5": {"StudyID": "1", "PatientName": "X"},
        "when StudyDescription contains 'Meier'": {"SeriesDescription": None},
        "when ImageComments contains 'Otto'": {"SOPInstanceUID": "%_keep_#tag", "StudyDate": "%_keep_#tag"},
    },
    "by what is in an item": {
        "when RequestAttributesSequence[*].ScheduledProcedureStepDescription contains 'Otto'": {
            "StudyID": "of %InstanceNumber"
        }
    },
    "by private elements": {"when (0029,\"ACME\",03) = 'Ida'": {"PatientComments": "%_keep_#tag"}},
    "by the path": {"when path matches '[024]'": {"StudyID": "1"}},
    "with what is kept": {
        "ContentDate": "%_keep_#tag",
        "OperatorsName": "%_keep_#tag",
        "RequestAttributesSequence": "%_keep_#tag",
    },
    "with ends": {"when PatientID = 'PID78'": "%_skip_", "when Modality = 'OT'": "%_fail|no_"},
}
WHERE = ("InstanceNumber < 300", "StudyDescription contains 'Meier' or ContentTime > '1020'", "")


@cache
def settings_of(
    name: str, where: str = "", *, profile: str = FULL, is_surveyed: bool = False, show_values: bool = False
) -> Settings:
    """What a worker does for files under a spec, with a crosswalk and other paths, or with surveys."""
    rules = api.compile_spec(
        SPECS.get(name) or {"StudyID": "1"},
        profile=profile,
        key=KEY,
        output_file_stem="%_md5|8_SOPInstanceUID",
    )
    condition = parse_condition(where, "--where") if where else None
    survey_options = SurveyOptions(key=bytes(16), show_values=show_values) if is_surveyed else None
    return Settings(
        rules,
        where=condition,
        pairs=not is_surveyed or show_values,
        renames=True,
        survey_options=survey_options,
    )


def result_of(tools: Tools, caches: Caches, content: bytes, path: str) -> tuple[object, ...]:
    """All that is told of a file, and its output."""
    source = BytesSource(content)
    try:
        with caches:
            file = parse(source)
            patcher, elements = tools.choose(file, path)
            patched = patcher.patch(file, patcher.scan(file) if elements is None else elements)
            output = b"".join(pieces(source, Output(file, patched).chunks()))
    except (FileError, NotDicomError, NotSelectedError, SkippedError) as error:
        return type(error), str(error)
    survey = None if patched.survey is None else merged([patched.survey])
    told = replace(patched, edits=[], data_edits=[], originals=tuple(sorted(patched.originals)))
    return output, replace(told, survey=survey)


def assert_each_as_alone(own: Settings, contents: Sequence[bytes]) -> list[tuple[object, ...]]:
    """Each file is told and changed as by a worker that sees no other, in any order."""
    files = [(content, f"{number % 6}.dcm") for number, content in enumerate(contents)]
    alone = [result_of(Tools(own), Caches(), *file) for file in files]
    for order in (1, -1):
        tools, caches = Tools(own), Caches()
        for _ in range(2):
            after_others = [result_of(tools, caches, *file) for file in files[::order]]
            assert after_others[::order] == alone
    return alone


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", SPECS)
@settings(CHECKED, max_examples=examples(15))
@given(contents=series())
def test_files_of_a_series_are_changed_as_each_alone(name: str, where: str, contents: list[bytes]) -> None:
    assert_each_as_alone(settings_of(name, where), contents)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("show_values", [False, True])
@pytest.mark.parametrize("profile", [FULL, "basic", "basic,retainUIDs,cleanDescriptors"])
@pytest.mark.parametrize("name", ["", "by what differs", "with what is kept"])
@settings(CHECKED, max_examples=examples(15))
@given(contents=series())
def test_surveys_of_files_of_a_series_are_those_of_each_alone(
    name: str, profile: str, show_values: bool, contents: list[bytes]
) -> None:
    assert_each_as_alone(
        settings_of(name, profile=profile, is_surveyed=True, show_values=show_values), contents
    )


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "part", ["date", "operators", "item", "private unknown", "study", "modality", "class"]
)
def test_what_a_survey_counts_may_differ(part: str) -> None:
    for lengths in (False, True):
        own = settings_of("with what is kept", is_surveyed=True)
        assert_each_as_alone(own, contents_by(part, lengths=lengths))


def test_survey_says_in_which_files_something_stays() -> None:
    """A date that stays, in files of a series that have one or none."""
    dates = (0, 1, 2, 0, 2, 1, 2)
    contents = [content_of(BASE | {"instance": one % 4, "date": date}) for one, date in enumerate(dates)]
    for date, result in zip(
        dates, assert_each_as_alone(settings_of("with what is kept", is_surveyed=True), contents), strict=True
    ):
        patched = result[1]
        assert isinstance(patched, Patched)
        assert patched.survey is not None
        assert patched.survey.left.get(Remaining(0x00080023, 0, is_kept=True), 0) == (date < 2)
        hits = {hit.tag: count for hit, count in patched.survey.hits.items()}
        assert {hits[0x00080018], hits[0x00020003], hits[0x00100010]} == {1}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("by what differs", "number"),
        ("by what differs", "study"),
        ("by what differs", "image comments"),
        ("by what is in an item", "item"),
        ("by private elements", "private unknown"),
        ("by private elements", "creator"),
        ("with ends", "patient"),
        ("with ends", "modality"),
        ("by the path", "number"),
    ],
)
def test_what_a_condition_asks_may_differ(name: str, part: str) -> None:
    for lengths, where in ((False, ""), (True, WHERE[1])):
        found = assert_each_as_alone(settings_of(name, where), contents_by(part, lengths=lengths))
        assert len(set(map(repr, found))) > 3


@pytest.mark.parametrize("profile", [FULL, "basic"])
@pytest.mark.parametrize("is_surveyed", [False, True])
@pytest.mark.parametrize(
    ("name", "where"),
    [("one that all pass", ""), ("by the path", EVERY), ("", EVERY), ("", ""), ("with what is kept", "")],
)
def test_patterns_and_recipes_are_learnt(
    name: str, where: str, is_surveyed: bool, profile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = ["number"]
    if name == "with what is kept":
        parts += ["date"] if "clean" in profile else ["date", "item", "operators"]
    contents = [
        content_of(BASE | {"instance": one} | dict.fromkeys(parts, one)) for one in (0, 1, 2, 3, 0, 1)
    ]
    told = noted_answers(monkeypatch)
    tools, caches = Tools(settings_of(name, where, profile=profile, is_surveyed=is_surveyed)), Caches()
    found = []
    for content in contents:
        with caches:
            file = parse(BytesSource(content))
            patcher, elements = tools.choose(file, "0.dcm")
            elements = patcher.scan(file) if elements is None else elements
            found.append(isinstance(elements, ElementsOfKnown))
            patcher.patch(file, elements)
    assert found == [False, False, True, True, True, True]
    assert told == [True] * 4


def test_each_set_of_conditions_has_patterns_of_its_own() -> None:
    """Files of two series in turn, of which a condition holds for one."""
    tools, caches = Tools(settings_of("by what differs")), Caches()
    found = []
    for instance in (0, 1, 2, 3, 0, 1):
        for number in (0, 1):
            with caches:
                content = content_of(BASE | {"instance": instance, "number": number})
                file = parse(BytesSource(content))
                patcher, elements = tools.choose(file, "0.dcm")
                elements = patcher.scan(file) if elements is None else elements
                found.append(isinstance(elements, ElementsOfKnown))
                patcher.patch(file, elements)
    assert found == [False] * 4 + [True] * 8


def _pairs(contents: Sequence[bytes], *, profile: str) -> list[dict[str, tuple[str, str]]]:
    found = []
    for result in assert_each_as_alone(settings_of("", profile=profile), contents):
        patched = result[1]
        assert isinstance(patched, Patched)
        pairs: Sequence[OriginalPair] = patched.pairs
        found.append({name: (original, new) for name, original, new in pairs})
    return found


@pytest.mark.parametrize("profile", [FULL, "basic", f"{FULL},retainUIDs"])
def test_crosswalk_has_the_pairs_of_each_file(profile: str) -> None:
    """Of what differs and of what is in common, of what the rules change and of what they leave."""
    contents = []
    for number, instance in enumerate(INSTANCES):
        more = {
            0x00080050: element(0x00080050, "SH", b"ACC1", EXPLICIT),
            0x0020000D: element(0x0020000D, "UI", f"{UID}.6".encode(), EXPLICIT),
            0x0020000E: element(0x0020000E, "UI", f"{UID}.{7 + number % 2}".encode(), EXPLICIT),
        }
        contents.append(file_with(small_elements(instance) | more, instance))
    for number, pairs in enumerate(_pairs(contents, profile=profile)):
        assert {name: original for name, (original, _) in pairs.items()} == {
            "SOPInstanceUID": INSTANCES[number],
            "AccessionNumber": "ACC1",
            "PatientID": "PID77",
            "StudyInstanceUID": f"{UID}.6",
            "SeriesInstanceUID": f"{UID}.{7 + number % 2}",
        }
        assert list(pairs) == list(ATTRIBUTES.values())
        for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
            original, new = pairs[name]
            assert (new == original) is ("retainUIDs" in profile)


def _directory(name: str) -> bytes:
    """A DICOMDIR (PS3.3 F.3) of one file."""
    record = element(0x00041400, "UL", bytes(4), EXPLICIT) + element(0x00041410, "US", b"\xff\xff", EXPLICIT)
    record += element(0x00041420, "UL", bytes(4), EXPLICIT)
    record += element(0x00041430, "CS", b"PRIVATE", EXPLICIT)
    record += element(0x00041500, "CS", name.encode(), EXPLICIT)
    sop_class = "1.2.840.10008.1.3.10"
    offset = len(file_of(b"", EXPLICIT, instance=INSTANCES[0])) + 24 + 12
    made = element(0x00041200, "UL", struct.pack("<I", offset), EXPLICIT)
    made += element(0x00041202, "UL", struct.pack("<I", offset), EXPLICIT)
    made += sequence(0x00041220, item(record, EXPLICIT), EXPLICIT)
    made += element(0x00080016, "UI", sop_class.encode() + b"\0", EXPLICIT)
    return file_of(made, EXPLICIT, instance=INSTANCES[0])


def _without_offset(content: bytes) -> bytes:
    """What has records, but does not say where the first one is."""
    offset = element(0x00041200, "UL", bytes(4), EXPLICIT)[:8]
    place = content.index(offset)
    return content[:place] + content[place + 12 :]


@pytest.mark.parametrize("has_offset", [True, False])
def test_directory_names_the_outputs_of_its_files(has_offset: bool) -> None:
    """Also after others that are alike."""
    own = settings_of("")
    tools, caches = Tools(own), Caches()
    for number in (1, 2, 3, 1, 2):
        content = _directory(f"IM00000{number}")
        content = content if has_offset else _without_offset(content)
        ids = {f"IM00000{number}": f"NEW{number}"}
        outputs = []
        for patcher in (tools.patcher, Tools(own).patcher):
            with caches if patcher is tools.patcher else Caches():
                source = BytesSource(content)
                file = parse(source)
                patched = patcher.patch(file, patcher.scan(file), ids)
                outputs.append(b"".join(pieces(source, Output(file, patched).chunks())))
        assert outputs[0] == outputs[1]
        assert f"NEW{number}".encode() in outputs[0]


def test_source_of_a_name_may_differ_from_file_to_file() -> None:
    """What names the outputs decides on no element, but what a template of an element reads does."""
    rules = api.compile_spec(
        {"StudyID": "%SeriesNumber"}, profile=FULL, key=KEY, output_file_stem="%_md5|8_SOPInstanceUID"
    )
    assert 0x00080018 in rules.sources
    assert 0x00080018 not in rules.looked_up
    assert {0x00200011} <= rules.looked_up <= rules.sources
    assert Patcher(rules).known_files is not None
