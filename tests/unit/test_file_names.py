"""File names kept in one string: they are what they were, and take little memory."""

from __future__ import annotations

import pickle
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pfdicom_tagSub.core.file_names import FileNames

_names = st.lists(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=()), min_size=1).map(str), max_size=20
)


@given(_names, st.slices(25))
def test_names_are_those_of_a_tuple(given_names: list[str], part: slice) -> None:
    kept, names = FileNames(given_names), tuple(given_names)
    assert (tuple(kept), len(kept), bool(kept)) == (names, len(names), bool(names))
    assert kept[part] == names[part]
    assert kept == names
    assert kept == FileNames(names)
    assert hash(kept) == hash(names)
    assert pickle.loads(pickle.dumps(kept)) == names
    assert [kept[place] for place in range(-len(names), len(names))] == [*names, *names]


def test_other_names_are_not_equal() -> None:
    assert FileNames(["a"]) != FileNames(["b"])
    assert FileNames(["a"]) != ("a", "b")
    assert FileNames(["a"]) != ["a"]
    with pytest.raises(IndexError):
        FileNames([])[0]


def test_names_take_little_more_than_their_characters() -> None:
    count = 10_000
    tracemalloc.start()
    try:
        kept = FileNames(f"IM-{number:06d}" for number in range(count))
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) == count
    assert size < 12 * count
