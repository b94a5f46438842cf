"""Long sequences in which the files of a series differ, item by item: each is changed as if it were alone."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from builders import EXPLICIT, element, file_of, item, sequence
from hypothesis import given
from hypothesis import strategies as st
from recipes import noted_answers
from selection import examples
from test_cold_equals_warm import CHECKED, assert_cold_equals_warm, result_of, settings
from test_known_files import FULL, RULES, UID, rules_of

from pfdicom_tagSub.core.caches import Caches
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.spec import profile as profiles
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.spec.rules import RuleSet
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.strength import effective_spec

FRAMES, GROUPS = 0x52009230, 0x52009229
COUNT = 20
INSTANCES = tuple(f"{UID}.{number}" for number in (1, 22, 333, 4444, 1, 7, 88))

Frame = dict[str, int]
Lengths = tuple[bool, bool, bool]
"""Whether the lengths of the sequence of frames, of its items and of the sequences in these are stored."""

PARTS: dict[str, tuple[int, str, Sequence[str | bytes | None]]] = {
    "length": (0x00080000, "UL", [None, b"\0\1\0\0"]),
    "characters": (0x00080005, "CS", [None, "ISO_IR 192", "ISO_IR 144"]),
    "series": (0x0008103E, "LO", [None, "t1 of Meier", "brain", "11:45:00", "Kopf für Müller"]),
    "patient": (0x00100020, "LO", [None, "PID77", "PID78"]),
    "name": (0x00100010, "PN", [None, "Huber^Anna", "Meier^Otto", "Kunz^Ida"]),
    "label": (0x00189074, "DT", ["20240131101530.25", "20240131114500", "20240201101530", "", "yesterday"]),
    "zone": (0x00189151, "DT", ["20240131101530.5", "20240131101530+0100", "2024", "20240131-20240201"]),
    "study id": (0x00200010, "SH", [None, "S1", "Huber"]),
    "number": (0x00200013, "IS", [None, "1", "22"]),
    "comments": (0x00204000, "LT", ["nothing", "Otto", "slice", "at 10:15:30 h", f"like {UID}.22", "é"]),
    "index": (0x00209128, "UL", [b"\1\0\0\0", b"\2\0\0\0", b"\x10\0\x10\0"]),
    "private name": (0x00211003, "PN", [None, "Kunz^Ida", "Otto"]),
    "private day": (0x00211004, "DA", ["20240131", "20230405", ""]),
    "private text": (0x00211005, "LO", ["x", "longer text", "Meier"]),
    "private unknown": (0x00211006, "UN", [None, b"Ida ", b"\xfe\xff\0\xe0\0\0\0\0"]),
    "bytes": (0x00211007, "OB", [b"\1\2", b"\xfe\xff\0\xe0\0\0\0\0", b"\1\2\3\4"]),
    "reference": (0x00081155, "UI", [f"{UID}.1", f"{UID}.22", "1.2.840.10008.1.2", f"{UID}.1\\{UID}.2"]),
    "position": (0x00200032, "DS", ["1\\2\\3", "-108\\-114.721\\-23.3962", "\x10\0\x10\0PN\4\0Otto"]),
    "deep": (0x00180083, "DS", ["1", "22", "333"]),
    "meaning": (0x00080104, "LO", ["meaning", "of Meier", "S1"]),
}
INNER = {"reference": 0x00082112, "position": 0x00209113, "meaning": 0x00400275}
BASE: Frame = dict.fromkeys(PARTS, 0)


def _stored(part: str, number: int) -> bytes:
    tag, vr, values = PARTS[part]
    value = values[number % len(values)]
    if value is None:
        return b""
    return element(tag, vr, value.encode("latin-1") if isinstance(value, str) else value, EXPLICIT)


def frame_of(frame: Frame, lengths: Lengths, fill: int = 7) -> bytes:
    """An item of the sequence of frames, with a text of so many times 31 bytes."""
    _, defined, inner = lengths

    def within(tag: int, *parts: bytes) -> bytes:
        content = b"".join(parts)
        return sequence(tag, item(content, EXPLICIT, defined=inner), EXPLICIT, defined=inner)

    parts = {part: _stored(part, number) for part, number in frame.items()}
    found = [(PARTS[part][0], data) for part, data in parts.items() if part not in INNER and part != "deep"]
    found += [(INNER[part], within(INNER[part], data)) for part, data in parts.items() if part in INNER]
    found.append((0x00210010, element(0x00210010, "LO", b"ACME", EXPLICIT)))
    found.append((0x00211001, within(0x00211001, within(0x00211002, parts["deep"]), parts["private name"])))
    found.append(
        (0x00289145, element(0x00281055, "LO", b"a window that is always the same" * fill, EXPLICIT))
    )
    return item(b"".join(data for _, data in sorted(found)), EXPLICIT, defined=defined)


def content_of(
    frames: Sequence[Frame],
    instance: str,
    lengths: Lengths = (False, False, False),
    fill: int = 7,
    study: str = "Brain of Meier",
) -> bytes:
    """A file of some frames."""
    stored = b"".join(frame_of(frame, lengths, fill) for frame in frames)
    parts = {
        0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.4.1"),
        0x00080018: ("UI", instance.encode()),
        0x00080060: ("CS", b"MR"),
        0x00081030: ("LO", study.encode()),
        0x00100010: ("PN", b"Meier^Otto"),
        0x00100020: ("LO", b"PID77"),
        0x0020000E: ("UI", f"{UID}.5".encode()),
        0x00200010: ("SH", b"S7"),
        0x00200013: ("IS", b"4"),
    }
    data = b"".join(element(tag, vr, value, EXPLICIT) for tag, (vr, value) in parts.items())
    data += sequence(FRAMES, stored, EXPLICIT, defined=lengths[0])
    return file_of(data + element(0x7FE00010, "OW", bytes(64), EXPLICIT), EXPLICIT, instance=instance)


def profile_rules(profile: str, spec: str) -> RuleSet:
    below = profiles.load(profile, ()).spec.pairs
    pairs = parse_json(spec, "spec").pairs
    return compile_rules(
        effective_spec(TagSpec(below + pairs)), resources=Resources(Secret(b"0123456789abcdef"))
    )


def answers(monkeypatch: pytest.MonkeyPatch, number: int, contents: Sequence[bytes]) -> list[bool]:
    """Whether a recipe told the changes of each file that it was asked about."""
    patcher, caches = Patcher(rules_of(number)), Caches()
    with monkeypatch.context() as patch:
        found = noted_answers(patch)
        for content in contents:
            with caches:
                patcher.scan(parse(BytesSource(content)))
            result_of(patcher, caches, content)
    return found


ALL_LENGTHS = [(False, False, False), (True, True, True), (True, False, True), (False, True, False)]
QUIET = ("label", "zone", "index", "private text", "private day", "position", "deep", "reference")
"""Parts that each frame of a scanner has anew."""


def series(lengths: Lengths, count: int = 7) -> list[bytes]:
    """Files whose frames differ as those of a scanner do."""
    few = {"zone": 1, "private day": 1, "position": 2, "reference": 2, "label": 2}
    return [
        content_of(
            [BASE | {part: (one + place) % few.get(part, 3) for part in QUIET} for place in range(COUNT)],
            INSTANCES[one % len(INSTANCES)],
            lengths,
        )
        for one in range(count)
    ]


@pytest.mark.parametrize("lengths", ALL_LENGTHS)
@pytest.mark.parametrize("number", [0, 1, 2, 4])
def test_frames_that_differ_take_no_pass(
    monkeypatch: pytest.MonkeyPatch, number: int, lengths: Lengths
) -> None:
    contents = series(lengths)
    assert answers(monkeypatch, number, contents) == [True] * 5
    assert_cold_equals_warm(rules_of(number), contents)


ADDING = (
    '{"SourceImageSequence": {"add": [{"ReferencedSOPInstanceUID": "1.2.9"}]}}',
    '{"PerFrameFunctionalGroupsSequence": {"add": [{"CodeValue": "7"}]}}',
    '{"PerFrameFunctionalGroupsSequence": null}',
    '{"PerFrameFunctionalGroupsSequence": ""}',
    '{"RequestAttributesSequence": {"each": {"CodeMeaning": "x"}}}',
    '{"SourceImageSequence": null, "PlanePositionSequence": "", "RequestAttributesSequence": "%_keep_#tag"}',
    '{"FrameReferenceDateTime": "%ReferencedSOPInstanceUID", "CodeMeaning": "of %ImagePositionPatient"}',
    '{"(0021,xxxx)": "%_keep_#tag", "FrameAcquisitionDateTime": null}',
)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("count", [1, COUNT])
@pytest.mark.parametrize("spec", ADDING)
@pytest.mark.parametrize("profile", ["basic", FULL])
def test_rules_for_sequences_hold_in_each_file(profile: str, spec: str, count: int) -> None:
    """Also where there is one frame, so that a rule for the whole sequence looks like one for each frame."""
    contents = series((True, True, True))
    if count == 1:
        few = [[BASE] * (1 + one % 2) for one in range(7)]
        few += [[BASE | {"reference": one % 2, "private text": 1, "deep": one % 3}] for one in range(7)]
        contents = [content_of(frames, INSTANCES[one % 7], fill=140) for one, frames in enumerate(few)]
    assert_cold_equals_warm(profile_rules(profile, spec), contents)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("lengths", ALL_LENGTHS)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("number", range(len(RULES)))
def test_each_part_of_one_frame_may_differ(number: int, part: str, lengths: Lengths) -> None:
    """In the seventeenth frame of the fourth file and of those after it."""
    contents = series(lengths, 3)
    for value in range(len(PARTS[part][2])):
        frames = [BASE | {"index": place % 3, "deep": place % 2} for place in range(COUNT)]
        frames[16] = frames[16] | {part: value}
        contents += [content_of(frames, INSTANCES[value], lengths)]
    assert_cold_equals_warm(rules_of(number), contents)


@st.composite
def some_series(draw: st.DrawFn) -> list[bytes]:
    """Files of frames that differ in a few parts, and perhaps rarely in others."""
    lengths = draw(st.sampled_from(ALL_LENGTHS))
    names = st.sampled_from(sorted(PARTS))
    base = BASE | {part: draw(st.integers(0, 3)) for part in draw(st.sets(names, max_size=3))}
    often = sorted(draw(st.sets(names, max_size=4)))
    contents = []
    for instance in INSTANCES:
        frames = [
            base | {part: draw(st.integers(0, 3)) for part in often} for _ in range(draw(st.integers(14, 18)))
        ]
        if draw(st.booleans()):
            place = draw(st.integers(0, len(frames) - 1))
            frames[place] = frames[place] | {draw(names): draw(st.integers(0, 3))}
        contents.append(content_of(frames, instance, lengths))
    return contents


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(RULES)))
@settings(CHECKED, max_examples=examples(60))
@given(contents=some_series())
def test_files_of_frames_are_changed_as_each_alone(number: int, contents: list[bytes]) -> None:
    assert_cold_equals_warm(rules_of(number), contents)


@pytest.mark.parametrize("lengths", ALL_LENGTHS)
def test_damaged_frame_is_treated_as_if_alone(lengths: Lengths) -> None:
    """A length that is wrong, or a byte of a header: in each place of a late frame, after those that fit."""
    contents = series(lengths, 4)
    whole = contents[3]
    frame = frame_of(BASE, lengths)
    start = whole.index(frame[:4], len(whole) - 64 - 3 * len(frame))
    damaged = []
    for place in range(start, start + len(frame), 13):
        for bit in (1, 2, 128):
            damaged.append(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    rules = rules_of(0)
    patcher, caches = Patcher(rules), Caches()
    for content in contents:
        result_of(patcher, caches, content)
    for content in damaged[:: 1 if len(damaged) < 60 else 3]:
        assert result_of(patcher, caches, content) == result_of(Patcher(rules), Caches(), content)


def _with_comments(instance: str, *, has_number: bool, filler: str) -> bytes:
    """A file with an item whose comments are made of an Instance Number, its own or that of the file."""
    inner = element(0x00200013, "IS", b"77", EXPLICIT) if has_number else b""
    inner += element(0x00204000, "LT", b"comments", EXPLICIT)
    inner = element(0x00080104, "LO", filler.encode(), EXPLICIT) + inner
    parts = {
        0x00080016: ("UI", b"1.2.840.10008.5.1.4.1.1.4"),
        0x00080018: ("UI", instance.encode()),
        0x00100020: ("LO", b"PID77"),
        0x00200010: ("SH", b"S7"),
        0x00200013: ("IS", b"4"),
    }
    data = b"".join(element(tag, vr, value, EXPLICIT) for tag, (vr, value) in parts.items())
    data += sequence(0x00400275, item(inner, EXPLICIT), EXPLICIT)
    return file_of(data + element(0x7FE00010, "OW", bytes(64), EXPLICIT), EXPLICIT, instance=instance)


@pytest.mark.parametrize("has_number", [True, False])
def test_source_of_an_item_is_not_that_of_another_item_at_its_place(has_number: bool) -> None:
    contents = [
        _with_comments(instance, has_number=has_number is (place % 2 == 0), filler=filler)
        for place, (instance, filler) in enumerate(zip(INSTANCES, "abcdefg", strict=True))
    ]
    assert_cold_equals_warm(rules_of(2), contents)


def test_length_of_a_group_around_frames_follows_them() -> None:
    """A retired group length before the sequence says how long it is, and is true afterwards."""
    contents = []
    for content in series((True, True, True)):
        place = content.index(struct.pack("<HH", FRAMES >> 16, FRAMES & 0xFFFF))
        size = content.index(b"\xe0\x7f\x10\0OW") - place
        length = element(0x52000000, "UL", struct.pack("<I", size), EXPLICIT)
        contents.append(content[:place] + length + content[place:])
    assert_cold_equals_warm(rules_of(0), contents)


def _with_one(
    frame: int, base: Frame, others: Sequence[Frame], study: str, lengths: Lengths = (False, False, False)
) -> list[bytes]:
    """Files of frames that differ; in each file one of them says something else, too, in turn."""
    contents = []
    for one, other in enumerate(others):
        frames = [base | {"deep": (one + place) % 3, "index": place % 3} for place in range(COUNT)]
        frames[frame] = frames[frame] | other
        contents.append(content_of(frames, INSTANCES[one % 7], lengths, study=study))
    return contents


KUNZ, OTTO, NOBODY = ({"private name": number} for number in (1, 2, 0))


@pytest.mark.parametrize("lengths", [ALL_LENGTHS[0], ALL_LENGTHS[1]])
@pytest.mark.parametrize(
    "others",
    [
        [OTTO] * 4 + [KUNZ, OTTO, KUNZ],
        [KUNZ] * 4 + [OTTO, KUNZ, OTTO],
        [KUNZ] * 4 + [NOBODY, KUNZ, NOBODY],
        [NOBODY] * 4 + [KUNZ, NOBODY, KUNZ],
        [OTTO, KUNZ, OTTO, KUNZ, KUNZ, OTTO, OTTO],
    ],
)
@pytest.mark.parametrize("base", [OTTO, NOBODY])
def test_name_in_one_frame_is_taken_out_of_texts_of_its_file_alone(
    base: Frame, others: list[Frame], lengths: Lengths
) -> None:
    contents = _with_one(16, BASE | base, others, "Brain of Kunz", lengths)
    assert_cold_equals_warm(rules_of(0), contents)
    patcher, caches = Patcher(rules_of(0)), Caches()
    for other, content in zip(others, contents, strict=True):
        output = result_of(patcher, caches, content)[0]
        assert isinstance(output, bytes)
        assert (b"Brain of Kunz" in output) is (other is not KUNZ)


@pytest.mark.parametrize(
    ("study", "part", "values"),
    [
        ("Brain at 11:45:00", "label", [0, 0, 0, 0, 1, 0, 1]),
        ("Brain at 11:45:00", "label", [2, 0, 2, 0, 2, 0, 1]),
        (f"like {UID}.22", "reference", [0, 0, 0, 0, 1, 0, 1]),
        (f"like {UID}.22", "reference", [0, 2, 0, 2, 0, 2, 1]),
    ],
)
def test_time_or_uid_of_one_frame_is_taken_out_of_texts_in_common(
    study: str, part: str, values: list[int]
) -> None:
    contents = _with_one(16, BASE, [{part: value} for value in values], study)
    varied = _with_one(16, BASE | {"reference": 0}, [{part: value} for value in values], study)
    for content in contents:
        assert study.encode() in content
    assert_cold_equals_warm(rules_of(0), contents + varied)


def test_group_length_within_a_frame_follows_what_is_in_its_group() -> None:
    contents = []
    for one, instance in enumerate(INSTANCES):
        frames = []
        for place in range(COUNT):
            uid = f"{UID}.{'1' * (1 + (place + one) % (1 if one < 4 else 5))}"
            reference = element(0x00081155, "UI", uid.encode(), EXPLICIT)
            length = element(0x00080000, "UL", struct.pack("<I", len(reference)), EXPLICIT)
            text = element(0x00281055, "LO", b"a window that is always the same" * 7, EXPLICIT)
            number = element(0x00209128, "UL", struct.pack("<I", place * one), EXPLICIT)
            frames.append(item(length + reference + number + text, EXPLICIT))
        content = content_of([BASE], instance)
        start = content.index(struct.pack("<HH", FRAMES >> 16, FRAMES & 0xFFFF))
        end = content.index(b"\xe0\x7f\x10\0OW")
        contents.append(content[:start] + sequence(FRAMES, b"".join(frames), EXPLICIT) + content[end:])
    assert_cold_equals_warm(rules_of(0), contents)


def test_series_that_take_turns_have_a_recipe_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker gets a few files of each in turn; a pattern of both could have no recipe."""
    contents = [content.replace(b"Brain of Meier", b"Brain of Meyer") for content in series(ALL_LENGTHS[0])]
    taken_in_turn = [one for pair in zip(series(ALL_LENGTHS[0]), contents, strict=True) for one in pair]
    assert answers(monkeypatch, 0, taken_in_turn) == [True] * 10
    assert_cold_equals_warm(rules_of(0), taken_in_turn)
