"""Sequences whose bytes came before: what becomes of them is what becomes of them in a file alone."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from builders import EXPLICIT, element, file_of, item, process, sequence

from pfdicom_tagSub.api import compile_spec
from pfdicom_tagSub.dicom import known_sequences
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.engine.patcher import Patcher
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.rules import RuleSet

KEY = b"a key that only these tests know"
NIGHTLY = "basic,retainLongitudinalModifiedDates,cleanDescriptors"
FORM = EXPLICIT


def rules() -> RuleSet:
    """Those of the profile with a clean option."""
    return compile_spec({}, profile=NIGHTLY, key=KEY)


def code(meaning: bytes, value: bytes = b"T-A0100") -> bytes:
    """An item that is a code."""
    return item(
        element(0x00080100, "SH", value, FORM)
        + element(0x00080102, "SH", b"SRT", FORM)
        + element(0x00080104, "LO", meaning, FORM),
        FORM,
    )


def sequences(pick: random.Random, name: bytes, time: bytes) -> bytes:
    """Sequences of a frame, made of few parts."""
    label = pick.choice([b"slab one", b"slab of " + name, b"at " + time + b" h", b"\xe9t\xe9"])
    private = element(0x00210010, "LO", b"ACME", FORM) + element(
        0x00211001, "PN", pick.choice([name, b"Q^R"]), FORM
    )
    private += element(0x00211002, "DS", b"12", FORM) + element(0x00211003, "IS", b"7 ", FORM)
    kind = element(0x00089007, "CS", b"ORIGINAL\\PRIMARY", FORM)
    odd = element(0x00089205, "CS", pick.choice([b"MONOCHROME", b"seen " + name]), FORM)
    is_defined = pick.random() < 0.5
    made = [
        sequence(0x00189226, item(kind + odd + pick.choice([b"", private]), FORM), FORM, defined=is_defined),
        sequence(
            0x00189119, item(element(0x00189020, "CS", b"NONE" * 4, FORM) * 3, FORM), FORM, defined=is_defined
        ),
        sequence(0x00189125, item(element(0x00189058, "LO", label + b" " * 40, FORM), FORM), FORM),
        sequence(
            0x00209071, item(sequence(0x00082218, code(b"Brain of all"), FORM, defined=False), FORM), FORM
        ),
        sequence(0x002111FE, item(private, FORM), FORM, defined=is_defined),
    ]
    return b"".join(
        sorted(pick.sample(made, pick.randint(1, 5)), key=lambda one: (one[:2][::-1], one[2:4][::-1]))
    )


def file(pick: random.Random) -> bytes:
    """A file whose patient is one of a few, with frames that are mostly those of other files."""
    name = pick.choice([b"Doe^Jane", b"Quibbleford^Mari", b"slab^one"])
    time = pick.choice([b"101530", b"111530"])
    frames = b"".join(item(sequences(pick, name.split(b"^")[0], time), FORM) for _ in range(3))
    data = element(0x00080018, "UI", b"1.2.%d" % pick.randint(10, 99), FORM)
    data += element(0x00080032, "TM", time, FORM)
    data += element(0x00100010, "PN", name, FORM)
    return file_of(data + sequence(0x52009230, frames, FORM, defined=pick.random() < 0.5))


@pytest.mark.parametrize("seed", range(4))
def test_a_file_comes_out_the_same_after_others_and_alone(seed: int, tmp_path: Path) -> None:
    pick = random.Random(seed)
    compiled = rules()
    warm = Worker(Settings(compiled, verify=True, output_root=str(tmp_path)))
    for _ in range(12):
        content = file(pick)
        alone = process(Worker(Settings(compiled, verify=True, output_root=str(tmp_path))), content, tmp_path)
        assert process(warm, content, tmp_path) == alone


def entered(patcher: Patcher, content: bytes) -> list[object]:
    """The sequences of a file that a scan entered, or what is known of them."""
    found = [one for one in patcher.scan(parse(BytesSource(content))) if one.vr == "SQ"]
    return [one.known if one.known is not None else one.items for one in found]


def one_sequence(inner: bytes, tag: int = 0x00209071) -> bytes:
    """A file with a sequence of one item."""
    return file_of(element(0x00100010, "PN", b"A^B", FORM) + sequence(tag, item(inner, FORM), FORM))


def test_a_sequence_is_entered_once() -> None:
    patcher = Patcher(rules())
    content = one_sequence(element(0x00189058, "LO", b"slab " * 12, FORM))
    first, *_, again = [
        entered(patcher, content) for _ in range(6)
    ]  # more than twice: chains are tried first
    assert isinstance(first[0], list)
    assert isinstance(again[0], known_sequences.KnownSequence)
    assert [text.raw for text in again[0].texts] == [b"slab " * 12]


def test_a_sequence_with_an_element_that_a_rule_names_is_entered_each_time() -> None:
    patcher = Patcher(rules())
    content = one_sequence(element(0x00081155, "UI", b"1.2." + b"3" * 50, FORM), 0x00081115)
    for _ in range(6):
        assert isinstance(entered(patcher, content)[0], list)


def test_text_beyond_ascii_is_read_each_time() -> None:
    patcher = Patcher(rules())
    content = one_sequence(element(0x00189058, "LO", b"\xe9" * 60, FORM))
    for _ in range(6):
        assert isinstance(entered(patcher, content)[0], list)


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_sequences, "MOST_BYTES", 2000)
    patcher = Patcher(rules())
    for number in range(200):
        text = b"%060d" % number
        entered(patcher, one_sequence(element(0x00189058, "LO", text, FORM)))
    sequences_known = patcher.filter.sequences
    assert sequences_known is not None
    assert len(sequences_known._known) < 25
