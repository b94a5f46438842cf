"""Items that are alike: a form fits an item only where a scan would find the same in it."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from builders import EXPLICIT, IMPLICIT, element, item, sequence

from pfdicom_tagSub.core.errors import FileError
from pfdicom_tagSub.dicom.item_patterns import ItemForm, ItemForms, ItemOutline, outlines_of
from pfdicom_tagSub.dicom.sources import BytesSource

FRAMES = 0x52009230
BOTH = [True, False]


def _frame(
    *, day: bytes = b"20240131", number: bytes = b"1", defined: bool = False, inner: bool = False
) -> bytes:
    deep = sequence(
        0x00209111,
        item(element(0x00189074, "DT", day, EXPLICIT), EXPLICIT, defined=inner),
        EXPLICIT,
        defined=inner,
    )
    parts = element(0x00080060, "CS", b"MR", EXPLICIT) + deep
    parts += element(0x00211001, "UT", b"text", EXPLICIT) + element(0x00211002, "IS", number, EXPLICIT)
    return item(parts, EXPLICIT, defined=defined)


def _sequence(items: Sequence[bytes], *, defined: bool = False) -> bytes:
    return sequence(FRAMES, b"".join(items), EXPLICIT, defined=defined)


def _outlines(stored: bytes) -> list[ItemOutline]:
    found = outlines_of(stored, FRAMES)
    assert found is not None
    return found


def _forms(items: Sequence[bytes]) -> ItemForms:
    """The forms of some items."""
    forms = ItemForms()
    forms.learn(_outlines(_sequence(items)))
    return forms


@pytest.mark.parametrize("defined", BOTH)
@pytest.mark.parametrize("inner", BOTH)
@pytest.mark.parametrize("around", BOTH)
def test_items_that_differ_in_values_and_lengths_have_one_form(
    defined: bool, inner: bool, around: bool
) -> None:
    days, numbers = (b"20240131", b"", b"20240201101530.5"), (b"1", b"-12345", b"")
    frames = [
        _frame(day=day, number=number, defined=defined, inner=inner) for day in days for number in numbers
    ]
    forms = _forms([frames[0], frames[-1]])
    assert len(forms.forms) == 1
    assert sorted(forms.forms[0].varying) == [1, 2]
    stored = b"before" + _sequence(frames, defined=around)
    found = forms.match(BytesSource(stored + b"after"), 6, len(stored) + 5)
    assert found is not None
    assert found.end == len(stored)
    assert found.stop == len(stored) - (0 if around else 8)
    place = 6 + 12
    for frame, (_, starts) in zip(frames, found.items, strict=True):
        assert (starts[0], starts[-1]) == (place, place + len(frame))
        place += len(frame)


@pytest.mark.parametrize("inner", BOTH)
@pytest.mark.parametrize("defined", BOTH)
def test_other_lengths_around_what_differs_do_not_fit(defined: bool, inner: bool) -> None:
    forms = _forms([_frame(day=day, defined=defined, inner=inner) for day in (b"20240131", b"20240201")])
    frame = _frame(day=b"20240301", defined=defined, inner=inner)
    stored = _sequence([frame])
    assert forms.match(BytesSource(stored), 0, len(stored)) is not None
    for place in range(6, len(stored)):  # its tag and VR are compared before
        for bit in range(8):
            changed = stored[:place] + bytes([stored[place] ^ 1 << bit]) + stored[place + 1 :]
            _assert_scanned_alike(forms, changed)


def _assert_scanned_alike(forms: ItemForms, stored: bytes) -> None:
    """Where a form fits, a scan finds the same elements, which lie where the form says."""
    found = forms.match(BytesSource(stored), 0, len(stored))
    if found is None or found.end < len(stored):
        return
    try:
        outlines = _outlines(stored)
    except FileError:
        pytest.fail("what fits is no sequence")
    assert len(outlines) == len(found.items)
    place = 12
    for outline, (form, starts) in zip(outlines, found.items, strict=True):
        assert outline.skeleton == form.outline.skeleton
        assert outline.differing(form.outline) <= form.varying
        assert (starts[0], starts[-1]) == (place, place + len(outline.data))
        gaps = [number for number, leaf in enumerate(form.leaves) if leaf is not None]
        stops = [starts[gap + 1] - place for gap in gaps]
        assert stops == [outline.leaves[number].stop for number in sorted(form.varying)]
        place = starts[-1]


@pytest.mark.parametrize("seed", range(40))
def test_form_that_fits_says_what_a_scan_finds(seed: int) -> None:
    """Of sequences whose bytes were changed, taken out, or put in twice at random."""
    chance = random.Random(seed)
    lengths = {"defined": chance.random() < 0.5, "inner": chance.random() < 0.5}
    values = (b"20240131", b"1", b"", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\x21\0\x02\x10IS\2\0")
    frames = [_frame(day=chance.choice(values), number=chance.choice(values), **lengths) for _ in range(6)]
    forms = _forms(frames)
    whole = _sequence(frames, defined=chance.random() < 0.5)
    for _ in range(300):
        changed = bytearray(whole)
        for _ in range(chance.randint(1, 3)):
            place, size = chance.randrange(12, len(changed)), chance.randint(1, 12)
            match chance.randrange(4):
                case 0:
                    changed[place] = chance.choice((0, 1, 2, 4, 8, 255))
                case 1:
                    del changed[place : place + size]
                case 2:
                    changed[place:place] = changed[place : place + size]
                case _:
                    other = chance.randrange(12, len(changed))
                    changed[place : place + size] = changed[other : other + size]
        _assert_scanned_alike(forms, bytes(changed))


@pytest.mark.parametrize("cut", range(1, 60))
def test_sequence_that_is_cut_off_does_not_fit(cut: int) -> None:
    stored = _sequence([_frame(), _frame(number=b"2"), _frame(number=b"300")])
    forms = _forms([_frame(), _frame(number=b"2")])
    assert forms.match(BytesSource(stored[:-cut]), 0, len(stored) - cut) is None
    assert forms.match(BytesSource(stored), 0, len(stored) - cut) is None


def test_item_of_a_stored_length_does_not_reach_beyond_its_sequence() -> None:
    frames = [_frame(number=number, defined=True) for number in (b"1", b"22", b"1")]
    forms = _forms(frames[:2])
    whole = _sequence(frames, defined=True)
    short = whole[:8] + (len(whole) - 12 - 2).to_bytes(4, "little") + whole[12:]
    assert forms.match(BytesSource(whole), 0, len(whole)) is not None
    assert forms.match(BytesSource(short), 0, len(whole)) is None


@pytest.mark.parametrize(
    "stored",
    [
        sequence(FRAMES, item(element(0x00211001, "UN", item(b"", EXPLICIT), EXPLICIT), EXPLICIT), EXPLICIT),
        sequence(FRAMES, item(element(0x00080060, "CS", b"MR", IMPLICIT), EXPLICIT), EXPLICIT),
        sequence(FRAMES, item(element(0x00080060, "CS", b"MR", EXPLICIT), EXPLICIT), EXPLICIT, vr="UN"),
        sequence(FRAMES, item(element(0x00210010, "LT", b"x" * 20000, EXPLICIT), EXPLICIT), EXPLICIT),
    ],
)
def test_what_readers_may_doubt_and_long_items_have_no_form(stored: bytes) -> None:
    assert outlines_of(stored, FRAMES) is None


def test_leaf_of_a_long_vr_does_not_vary() -> None:
    first, second = _outlines(_sequence([_frame(), _frame().replace(b"text", b"next")]))
    assert first.skeleton != second.skeleton
    assert [leaf.tag for leaf in first.leaves] == [0x00080060, 0x00189074, 0x00211002]
    assert first.leaves[1].path == (FRAMES, 0x00209111)


def test_few_forms_are_kept() -> None:
    forms = ItemForms()
    for number in range(20):
        extra = item(
            element(0x00080060, "CS", b"MR", EXPLICIT) + bytes([number + 1, 0, 9, 0]) + b"CS\0\0", EXPLICIT
        )
        forms.add(ItemForm(_outlines(_sequence([extra]))[0], ()))
    assert len(forms.forms) == 8
