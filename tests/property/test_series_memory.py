"""Files of a series, of which what is in common is proved once: each gets the answer that it gets alone."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selection import examples, step
from test_cold_equals_warm import CHECKED, settings
from test_known_files import BASE, PLACES, RULES, content_of, contents_by, rules_of, series

from pfdicom_tagSub.api import patch_bytes
from pfdicom_tagSub.core.errors import FileError, NotDicomError
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.verify.comparison import Verifier

Pair = tuple[bytes, bytes]


def _answer(verifier: Verifier, pair: Pair) -> tuple[str, ...] | str:
    """What verification says of an input and an output."""
    source, written = pair
    try:
        return verifier.residuals(BytesSource(source), BytesSource(written), "Meier/101530.dcm")
    except FileError as error:
        return str(error)


def _assert_same(number: int, pairs: Sequence[Pair]) -> list[tuple[str, ...] | str]:
    """A verifier that met all files before says of each what one says that meets it first."""
    warm = Verifier(rules_of(number))
    answers = []
    for pair in pairs:
        answers.append(_answer(warm, pair))
        assert answers[-1] == _answer(Verifier(rules_of(number)), pair)
    return answers


def _patched(number: int, contents: Sequence[bytes]) -> list[Pair]:
    pairs = []
    for content in contents:
        try:
            pairs.append((content, patch_bytes(content, rules_of(number))))
        except (FileError, NotDicomError):
            continue
    return pairs


def _damaged(pair: Pair, other: Pair, kind: str, place: int) -> Pair:
    """An output with a fault of some kind."""
    source, written = pair
    at = 132 + place % (len(written) - 132)
    if kind == "byte":
        return source, written[:at] + bytes([written[at] ^ 1 << place % 8]) + written[at + 1 :]
    if kind == "cut":
        return source, written[: at & ~1] + written[(at & ~1) + 2 :]
    if kind == "left over":
        return source, written + b"\0\0"
    if kind == "of another":
        return source, other[1]
    if kind == "value of another":
        return source, written[:at] + other[1][at : at + 24] + written[at + 24 :]
    if kind == "as it was":
        return source, source
    return other[0], written  # an input that another was made of


KINDS = ("byte", "cut", "left over", "of another", "value of another", "as it was", "input of another")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(RULES)))
@settings(CHECKED, max_examples=examples(60))
@given(contents=series(), data=st.data())
def test_answer_is_that_of_a_verifier_that_met_nothing_before(
    number: int, contents: list[bytes], data: st.DataObject
) -> None:
    pairs = _patched(number, contents)
    if not pairs:
        return
    chosen = []
    for pair in [*pairs[:3], *pairs]:
        chosen.append(pair)
        if data.draw(st.booleans()):
            other = data.draw(st.sampled_from(pairs))
            place = data.draw(st.integers(0, 1 << 14))
            chosen.append(_damaged(pair, other, data.draw(st.sampled_from(KINDS)), place))
    _assert_same(number, chosen)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("number", range(len(RULES)))
@pytest.mark.parametrize("part", [*PLACES, "item"])
def test_each_part_may_differ(number: int, part: str) -> None:
    """The files of a series differ in it and in the instance; each of its values comes after the others."""
    for lengths in (False, True):
        contents = contents_by(part, lengths=lengths)
        pairs = _patched(number, contents)
        leaks = [(pair[0], other[1]) for pair, other in zip(pairs, [*pairs[3:], *pairs[:3]], strict=True)]
        chosen = [*pairs, *pairs, *leaks, *[(source, source) for source, _ in pairs], *pairs]
        _assert_same(number, chosen)


@pytest.mark.parametrize("kind", ["cut", "left over", "of another", "as it was", "input of another"])
def test_fault_in_a_file_of_a_series_is_found(kind: str) -> None:
    contents = [content_of(BASE | {"instance": one, "number": one}) for one in (0, 1, 2, 3, 0, 1)]
    pairs = _patched(1, contents)
    fault = _damaged(pairs[2], pairs[3], kind, 132)
    answers = _assert_same(1, [*pairs, fault, *pairs])
    assert isinstance(answers[len(pairs)], str)
    assert all(isinstance(one, tuple) for place, one in enumerate(answers) if place != len(pairs))


def test_each_byte_of_the_header_of_an_output_counts() -> None:
    """Whatever is changed in it, in common or not, is found by a verifier that is warm as by a new one."""
    contents = [content_of(BASE | {"instance": one, "number": one}, lengths=True) for one in (0, 1, 2, 3)]
    pairs = _patched(1, contents)
    warm = Verifier(rules_of(1))
    for pair in [*pairs, *pairs]:
        assert not isinstance(_answer(warm, pair), str)
    source, written = pairs[2]
    for at in range(0, len(written), step(7)):
        for bit in (1, 32):
            made = source, written[:at] + bytes([written[at] ^ bit]) + written[at + 1 :]
            assert _answer(warm, made) == _answer(Verifier(rules_of(1)), made)
