"""Files of a series, of which what is in common is changed once: each is changed as if it were alone."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence
from functools import cache

import pytest
from builders import EXPLICIT, element, file_of, item, sequence
from hypothesis import given
from hypothesis import strategies as st
from recipes import noted_answers
from selection import examples
from test_cold_equals_warm import CHECKED, Result, assert_cold_equals_warm, result_of, settings

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.engine.pattern_pass import ElementsOfKnown
from pfdicom_tagSub.spec import profile as profiles
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.strength import effective_spec

FULL = "basic,retainLongitudinalModifiedDates,cleanDescriptors"
UID = "1.2.826.0.1.3680043.2.1143.7"

RULES = (
    (FULL, "{}"),
    ("basic", "{}"),
    (FULL, '{"PatientComments": "of %StudyID", "ImageComments": "%InstanceNumber"}'),
    ("basic,cleanDescriptors,retainUIDs", '{"StudyDescription": "%_keep_#tag"}'),
    ("basic", '{"StudyID": "%_md5|4_PatientID", "CodeMeaning": "of %StudyID"}'),
)


@cache
def rules_of(number: int) -> RuleSet:
    """One of the specs."""
    profile, spec = RULES[number]
    below = profiles.load(profile, ()).spec.pairs if profile else ()
    return compile_rules(
        effective_spec(TagSpec(below + parse_json(spec, "spec").pairs)),
        resources=Resources(Secret(b"0123456789abcdef")),
    )


def _element(tag: int, vr: str, value: str | bytes) -> bytes:
    data = value.encode("latin-1") if isinstance(value, str) else value
    return element(tag, vr, data, EXPLICIT)


PARTS: dict[str, tuple[int, str, Sequence[str | bytes]]] = {
    "character set": (0x00080005, "CS", ["ISO_IR 100", "ISO_IR 144", "NONE"]),
    "image type": (0x00080008, "CS", ["ORIGINAL\\PRIMARY", "DERIVED\\SECONDARY\\SCREEN SAVE"]),
    "class": (0x00080016, "UI", ["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.7"]),
    "instance": (0x00080018, "UI", [f"{UID}.1", f"{UID}.22", f"{UID}.333", f"{UID}.1.1"]),
    "date": (0x00080023, "DA", ["20240131", "20240201", ""]),
    "time": (0x00080033, "TM", ["101530", "101531.25", "114500", "15:30"]),
    "modality": (0x00080060, "CS", ["MR", "OT"]),
    "study": (0x00081030, "LO", ["Brain of Meier", "Brain at 11:45:00", f"like {UID}.22", "Kopf für Müller"]),
    "series": (0x0008103E, "LO", ["t1 mprage", f"{UID}.1.1 again", "Meier 101530", "PID77"]),
    "operators": (0x00081070, "PN", ["Huber^Anna", "Meier^Otto", "Müller^Éva"]),
    "name": (0x00100010, "PN", ["Meier^Otto", "Müller^Otto", "Huber^Anna"]),
    "patient": (0x00100020, "LO", ["PID77", "PID78"]),
    "comments": (
        0x00104000,
        "LT",
        ["seen by Huber", "nothing", "Meier, PID77, 31.01.2024, 11:45:00", "é Müller"],
    ),
    "stamp": (0x00120062, "CS", ["NO", "YES"]),
    "protocol": (0x00181030, "LO", ["t1 101531", "brain", f"copy of {UID}.333"]),
    "series uid": (0x0020000E, "UI", [f"{UID}.4", f"{UID}.5"]),
    "study id": (0x00200010, "SH", ["S1", "Huber"]),
    "number": (0x00200013, "IS", ["1", "22", "333"]),
    "image comments": (
        0x00204000,
        "LT",
        ["Otto", "slice 3", "at 15:30 h", "at 101-\n530 of 1.2.826.0.1.36800-\n43.2.1143.7.22"],
    ),
    "signed": (0x00280103, "US", [b"\0\0", b"\1\0"]),
    "smallest": (0x00280106, "US", [b"\1\0", b"\xff\xff"]),
    "creator": (0x00290010, "LO", ["ACME", "SIEMENS CSA HEADER"]),
    "private name": (0x00291001, "PN", ["Kunz^Ida", "Otto"]),
    "private": (0x00291002, "LO", ["x", "longer text"]),
    "private unknown": (0x00291003, "UN", [b"Ida", b"\1\2\3\4"]),
}
PLACES = tuple(PARTS)
CODES = ("113101", "113109", "113100", "")
"""Of what was done to a file before, to which a profile adds its own."""

Choice = dict[str, int | None]


def content_of(choice: Choice, *, lengths: bool = False) -> bytes:
    """A file: of each part one of its values; None where it lacks it."""
    found: list[tuple[int, bytes]] = []
    for part, (tag, vr, values) in PARTS.items():
        number = choice.get(part)
        if number is not None:
            found.append((tag, _element(tag, vr, values[number % len(values)])))
    inner = choice.get("item")
    if inner is not None:
        texts = ["Otto", "at 11:45:00", "nothing", f"{UID}.22"]
        parts = _element(0x00080104, "LO", "meaning") + _element(0x00400254, "LO", texts[inner % 4])
        parts += _element(0x00090010, "LO", "ACME") + _element(0x00091001, "LO", "y")
        found.append((0x00400275, sequence(0x00400275, item(parts, EXPLICIT), EXPLICIT)))
    code = choice.get("code")
    if code is not None:
        parts = _element(0x00080100, "SH", CODES[code % 4]) + _element(0x00080102, "SH", "DCM ")
        items = item(parts, EXPLICIT) if CODES[code % 4] else b""
        found.append((0x00120064, sequence(0x00120064, items, EXPLICIT, defined=code < 4)))
    if lengths:
        for group in {tag >> 16 for tag, _ in found}:
            size = sum(len(data) for tag, data in found if tag >> 16 == group)
            found.append((group << 16, element(group << 16, "UL", struct.pack("<I", size), EXPLICIT)))
    pixels = element(0x7FE00010, "OW", bytes(64), EXPLICIT)
    instance = str(PARTS["instance"][2][(choice.get("instance") or 0) % 4])
    return file_of(b"".join(data for _, data in sorted(found)) + pixels, EXPLICIT, instance=instance)


SEQUENCES = ("item", "code")
BASE: Choice = dict.fromkeys([*PLACES, "item"], 0)


@st.composite
def series(draw: st.DrawFn) -> list[bytes]:
    """Files that differ in a few parts, and two of another series."""
    lengths = draw(st.booleans())
    base = BASE | {
        part: draw(st.integers(0, 3)) for part in draw(st.sets(st.sampled_from(PLACES), max_size=4))
    }
    base |= dict.fromkeys(draw(st.sets(st.sampled_from(PLACES), max_size=3)))
    parts = sorted(draw(st.sets(st.sampled_from([*PLACES, *SEQUENCES]), min_size=1, max_size=4)))
    others = sorted(draw(st.sets(st.sampled_from(PLACES), max_size=6)))
    choices = [base | {part: draw(st.integers(0, 3)) for part in parts} for _ in range(6)]
    choices += [one | dict.fromkeys(others, 1) for one in choices[:2]]
    return [content_of(one, lengths=lengths) for one in draw(st.permutations(choices))]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(RULES)))
@settings(CHECKED, max_examples=examples(80))
@given(contents=series())
def test_files_of_a_series_are_changed_as_each_alone(number: int, contents: list[bytes]) -> None:
    assert_cold_equals_warm(rules_of(number), contents)


def contents_by(part: str, *, lengths: bool) -> list[bytes]:
    """Files of a series that differ in one part, too, which gets each of its values after the others."""
    return [
        content_of(BASE | {"instance": instance, part: value}, lengths=lengths)
        for instance, value in [(0, 0), (1, 0), (2, 0), (3, 1), (0, 2), (1, 3), (2, 1), (3, None), (1, 0)]
    ]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(RULES)))
@pytest.mark.parametrize("part", [*PLACES, *SEQUENCES])
def test_each_part_may_differ(number: int, part: str) -> None:
    """The files of a series differ in it and in the instance; each of its values comes after the others."""
    for lengths in (False, True):
        assert_cold_equals_warm(rules_of(number), contents_by(part, lengths=lengths))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("study", "instance"),
        ("protocol", "time"),
        ("protocol", "instance"),
        ("image comments", "time"),
        ("image comments", "instance"),
        ("item", "time"),
    ],
)
def test_text_in_common_that_names_what_differs_is_cleaned_in_each(text: str, named: str) -> None:
    for first, second in itertools.permutations(range(4), 2):
        contents = [
            content_of(BASE | {text: number, named: value})
            for number in range(4)
            for value in (first, second, 3, 2)
        ]
        assert_cold_equals_warm(rules_of(0), contents)


@pytest.mark.parametrize("number", range(len(RULES)))
@pytest.mark.parametrize("code", range(8))
def test_codes_of_what_was_done_before_are_added_to_once(number: int, code: int) -> None:
    contents = [content_of(BASE | {"code": code, "instance": one, "number": one}) for one in range(4)]
    assert_cold_equals_warm(rules_of(number), contents)


def _known(contents: Sequence[bytes]) -> tuple[list[bool], list[Result]]:
    patcher, caches = Patcher(rules_of(0)), Caches()
    found, results = [], []
    for content in contents:
        with caches:
            found.append(isinstance(patcher.scan(parse(BytesSource(content))), ElementsOfKnown))
        results.append(result_of(patcher, caches, content))
    return found, results


def test_third_file_of_a_series_is_known() -> None:
    contents = [content_of(BASE | {"instance": one, "number": one}) for one in (0, 1, 2, 3, 0, 1)]
    found, _ = _known(contents)
    assert found == [False, False, True, True, True, True]


def test_file_of_another_patient_is_not_known() -> None:
    contents = [content_of(BASE | {"instance": one}) for one in (0, 1, 2, 3)]
    others = [content_of(BASE | {"instance": one, "patient": 1}) for one in (0, 1, 2)]
    found, _ = _known([*contents, *others])
    assert found[:4] == [False, False, True, True]
    assert not found[4]


def file_with(elements: dict[int, bytes], instance: str = f"{UID}.1", extra: bytes = b"") -> bytes:
    """A file of these elements, and pixels."""
    pixels = element(0x7FE00010, "OW", bytes(64), EXPLICIT)
    return file_of(
        b"".join(data for _, data in sorted(elements.items())) + pixels,
        EXPLICIT,
        instance=instance,
        extra=extra,
    )


def small_elements(instance: str, **texts: str) -> dict[int, bytes]:
    """Those of a small file; each text under the name of its part."""
    found = {"modality": "MR", "name": "Meier^Otto", "patient": "PID77", "study": "Brain", **texts}
    made = {PARTS[part][0]: _element(PARTS[part][0], PARTS[part][1], text) for part, text in found.items()}
    sop_class = "1.2.840.10008.5.1.4.1.1.4"
    return {
        **made,
        0x00080016: _element(0x00080016, "UI", sop_class),
        0x00080018: _element(0x00080018, "UI", instance),
    }


INSTANCES = tuple(f"{UID}.{number}" for number in (1, 22, 333, 4444, 1, 7, 88))


def _with_phantom(instance: str, *, has_study_id: bool) -> bytes:
    """A file without Study ID, but perhaps in an item; what is in common before and after it stays."""
    inner = _element(0x00080104, "LO", "meaning")
    inner += _element(0x00200010, "SH", "S1") if has_study_id else b""
    phantom = {0x00189346: sequence(0x00189346, item(inner, EXPLICIT), EXPLICIT)}
    return file_with(small_elements(instance, **{"series uid": f"{UID}.4"}) | phantom, instance)


@pytest.mark.parametrize(
    "has_study_ids",
    [[True] * 7, [False] * 7, [False, False, False, True, False, True, True], [True, False] * 3 + [True]],
)
def test_what_an_item_holds_is_not_inserted(has_study_ids: list[bool]) -> None:
    """A rule inserts what the file holds nowhere: whether an item holds it that all have in common or not."""
    contents = [
        _with_phantom(instance, has_study_id=one)
        for instance, one in zip(INSTANCES, has_study_ids, strict=True)
    ]
    assert_cold_equals_warm(rules_of(4), contents)
    patcher = Patcher(rules_of(4))
    for content in contents:
        output = result_of(patcher, Caches(), content)[0]
        assert isinstance(output, bytes)
        assert output.count(b"\x20\0\x10\0SH") == 1


def test_name_in_which_files_differ_is_taken_out_of_texts_in_common() -> None:
    names = ["Huber^Anna", "Adam^Eva", "Adam^Eva", "Adam^Eva", "Kunz^Ida", "Adam^Eva", "Kunz^Ida"]
    contents = [
        file_with(small_elements(instance, study="Adam and Kunz", operators=name), instance)
        for instance, name in zip(INSTANCES, names, strict=True)
    ]
    assert_cold_equals_warm(rules_of(0), contents)


@pytest.mark.parametrize("first", ["", "Kunz^Ida"])
def test_private_name_of_unknown_vr_is_taken_out_of_texts_in_common(first: str) -> None:
    """Its creator, which all files have in common, says that it is one."""
    contents = []
    names = [first, first, first, "Kunz^Ida", "Adam^Eva ", "", "Kunz^Ida"]
    for instance, name in zip(INSTANCES, names, strict=True):
        private = {
            0x00210010: _element(0x00210010, "LO", "BRIT Systems, Inc."),
            0x00211002: element(0x00211002, "UN", name.encode(), EXPLICIT),
        }
        contents.append(file_with(small_elements(instance, study="Kunz and Adam") | private, instance))
    assert_cold_equals_warm(rules_of(0), contents)


@pytest.mark.parametrize(
    "extra",
    [
        element(0x00020016, "AE", b"SENDER", EXPLICIT),
        element(0x00020016, "AE", b"Brain", EXPLICIT),
        element(0x00020099, "LO", b"A^B", EXPLICIT),
        element(0x00020100, "UI", b"1.2.9", EXPLICIT) + element(0x00020102, "OB", b"A^B", EXPLICIT),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 4])
def test_file_meta_that_differs_is_changed_as_if_alone(number: int, extra: bytes) -> None:
    contents = [file_with(small_elements(one), one, extra if one.endswith("4") else b"") for one in INSTANCES]
    contents += [file_with(small_elements(one), one, extra) for one in INSTANCES]
    contents += [file_with(small_elements(one), f"{UID}.99") for one in INSTANCES[:2]]
    preambles = [b"\1" * 128 + content[128:] for content in contents[:4]]
    assert_cold_equals_warm(rules_of(number), [*contents[:5], *preambles, *contents[5:]])


@pytest.mark.parametrize("wrong", [0, 1, 1000])
def test_group_length_that_was_wrong_before_is_true_afterwards(wrong: int) -> None:
    contents = []
    for place, instance in enumerate(INSTANCES):
        elements = small_elements(instance)
        for group in (0x0008, 0x0010):
            size = sum(len(data) for tag, data in elements.items() if tag >> 16 == group)
            size += wrong if place > 3 and group == 0x0008 else 0
            elements[group << 16] = element(group << 16, "UL", struct.pack("<I", size), EXPLICIT)
        contents.append(file_with(elements, instance))
    assert_cold_equals_warm(rules_of(0), contents)


@pytest.mark.parametrize(
    "instances",
    [
        (
            f"{UID}.1",
            f"{UID}.2",
            f"{UID}.3",
            "1.2.840.10008.1.2",
            "",
            f"{UID}.1\\{UID}.2",
            f"{UID}.3 ",
            f"{UID}.5",
        ),
        (
            f"{UID}.1",
            f"{UID}.2",
            f"{UID}.3",
            "1.2.3.Meier",
            "1" * 70,
            "1.2.840.10008",
            f"{UID}.44",
            f"{UID}.55",
        ),
    ],
)
@pytest.mark.parametrize("number", [0, 1, 3])
def test_odd_instance_uid_among_others_is_changed_as_if_alone(
    number: int, instances: tuple[str, ...]
) -> None:
    contents = [
        file_with(small_elements(one), f"{UID}.9" if "\\" in one else one.strip() or f"{UID}.8")
        for one in instances
    ]
    assert_cold_equals_warm(rules_of(number), contents)


def test_uid_that_a_text_in_common_holds_is_cut_out_of_it() -> None:
    contents = [file_with(small_elements(one, study=f"copy of {UID}.88"), one) for one in INSTANCES]
    assert_cold_equals_warm(rules_of(0), contents)


def test_fourth_file_of_a_series_takes_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    contents = [content_of(BASE | {"instance": one, "number": one}) for one in (0, 1, 2, 3, 0, 1)]
    found = noted_answers(monkeypatch)
    _known(contents)
    assert found == [True] * 4  # the third makes it, and is the first to be changed by it
