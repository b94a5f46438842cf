"""What a run of the tests takes by default, and what it leaves to ``--all``.

Nothing is left out but more of the same. There are four ways to say that there is more of it:

* ``slow_tests.txt`` names the tests that took longer than a default run of minutes can spend on one: more
  than two seconds of a system test, three of a unit test, five of another (all variants of a default run
  together, on two cores). Most have quicker neighbours that watch the same
  code; of the tests with a cluster few are left.
* ``thorough`` marks what stands for no kind of fault of its own: a further file of the same structure,
  a further moment of the same interruption.
* Of a test with several parameters, in one of the folders of ``COMBINED`` or marked ``combined``, every
  value of each runs (with three or more parameters every pair of values), but not every combination; of
  a system test no more than ``SYSTEM_MOST`` variants, from the whole of its list.
* ``examples`` and ``step`` say how much of a long series hypothesis and loops take.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

TESTS = Path(__file__).parents[1]
SLOW = frozenset((TESTS / "slow_tests.txt").read_text("utf-8").split())

COMBINED = ("corpus", "property", "system")
"""Folders of tests that take long enough for combinations to be chosen among."""

SYSTEM_MOST = 1
"""So many variants of a system test run by default: each starts processes."""

FEWER = 6
"""By how much a default run shortens a series."""

thorough = pytest.mark.thorough


class Selection:
    """How much is taken; decided before the test modules are imported."""

    everything = False
    slow_system = False
    """Whether the slow tests of ``tests/system`` are taken as the quick ones are."""


def examples(count: int) -> int:
    """How many examples hypothesis tries."""
    return count if Selection.everything else max(3, count // FEWER)


def step(spacing: int) -> int:
    """The distance between the members of a long series that are taken."""
    return spacing if Selection.everything else spacing * FEWER


def some(values: Iterable[T], is_taken: Callable[[T], bool]) -> list[object]:
    """Parameters, of which those are thorough that are not taken by default."""
    return [value if is_taken(value) else pytest.param(value, marks=thorough) for value in values]


def first_of_each(values: Iterable[T], kind: Callable[[T], object]) -> list[object]:
    """Parameters, of which the first of each kind is taken by default."""
    seen: set[object] = set()

    def is_new(value: T) -> bool:
        key = kind(value)
        return key not in seen and not seen.add(key)  # type: ignore[func-returns-value]

    return some(values, is_new)


def left_out(items: Sequence[pytest.Item]) -> set[pytest.Item]:
    """The tests of a collection that a default run does not take."""
    left = {item for item in items if item.get_closest_marker("thorough") or _is_slow(item)}
    for group in _by_function(item for item in items if item not in left):
        taken = _covering(group)
        if group[0].path.parent.name == "system":
            taken = _spread(taken, SYSTEM_MOST)
        left |= set(group) - set(taken)
    return left


def _is_slow(item: pytest.Item) -> bool:
    if Selection.slow_system and item.path.parent.name == "system":
        return False
    return f"{item.path.relative_to(TESTS)}::{getattr(item, 'originalname', item.name)}" in SLOW


def _spread(items: list[T], most: int) -> list[T]:
    """So many of a list at most, from its beginning, its middle and its end."""
    if len(items) <= most:
        return items
    if most == 1:
        return items[:1]
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]


def _by_function(items: Iterable[pytest.Item]) -> Iterator[list[pytest.Function]]:
    """The variants of each test in the folders in which some are chosen."""
    groups: dict[tuple[object, str], list[pytest.Function]] = {}
    for item in items:
        if isinstance(item, pytest.Function) and _is_combined(item) and hasattr(item, "callspec"):
            groups.setdefault((item.path, item.originalname), []).append(item)
    yield from groups.values()


def _is_combined(item: pytest.Item) -> bool:
    return item.path.parent.name in COMBINED or item.get_closest_marker("combined") is not None


def _covering(variants: Sequence[pytest.Function]) -> list[pytest.Function]:
    """Few variants with every value of every parameter, or every pair of values where there are three."""
    values = {one: _values(one) for one in variants}
    if any(len(own) < 2 for own in values.values()):
        return list(variants)
    parts = {one: set(itertools.combinations(own, 2 if len(own) > 2 else 1)) for one, own in values.items()}
    missing = set().union(*parts.values())
    used: Counter[tuple[object, ...]] = Counter()
    taken = []
    while missing:
        # Of equals the one with the values that were taken least.
        best = max(
            variants, key=lambda one: (len(parts[one] & missing), -sum(used[own] for own in values[one]))
        )
        missing -= parts[best]
        used.update(values[best])
        taken.append(best)
    return taken


def _values(variant: pytest.Function) -> list[tuple[object, ...]]:
    """The value of each parameter, that is of each parametrization, however many names it has."""
    params = variant.callspec.params
    found: list[tuple[object, ...]] = []
    for mark in variant.iter_markers("parametrize"):
        names = mark.args[0]
        if isinstance(names, str):
            names = [name.strip() for name in names.split(",")]
        found.append((*names, *(id(params[name]) for name in names)))
    return found
