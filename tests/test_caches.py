"""What is remembered of values and the key belongs to a worker and goes with it."""

from __future__ import annotations

import ast
import doctest
import threading
from contextlib import suppress
from pathlib import Path

import pfdicom_tagSub
from pfdicom_tagSub import caches
from pfdicom_tagSub.caches import Caches, remembered

PACKAGE = Path(pfdicom_tagSub.__file__).parent

NO_VALUES = {"tag", "keyword", "character", "heads"}
"""What caches of the process may be asked for: a tag, a keyword of the dictionary, a single character, the
tags and VRs of a file meta. All else may be a value, and is remembered by a worker."""


def test_no_cache_of_the_process_is_asked_for_values_or_the_key() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                decorators = [ast.unparse(one).partition("(")[0] for one in node.decorator_list]
                if {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}.intersection(decorators):
                    asked = {one.arg for one in (*node.args.args, *node.args.kwonlyargs)}
                    assert asked <= NO_VALUES, f"{path.name}: {node.name}; use caches.remembered"


def test_the_example_is_true() -> None:
    assert doctest.testmod(caches).failed == 0


def test_results_are_those_of_the_caches_at_hand() -> None:
    asked: list[str] = []

    @remembered(most=10)
    def shout(text: str) -> str:
        asked.append(text)
        return text.upper()

    one, other = Caches(), Caches()
    assert shout("a") == shout("a") == "A"
    assert asked == ["a", "a"]
    with one:
        assert shout("a") == shout("a") == "A"
        with other:
            shout("a")
        assert shout("a") == "A"
    assert asked == ["a"] * 4
    with one:
        shout("a")
    assert asked == ["a"] * 4
    shout("a")
    assert asked == ["a"] * 5


def test_results_of_one_thread_are_not_seen_by_another() -> None:
    asked: list[int] = []

    @remembered(most=10)
    def same(number: int) -> int:
        asked.append(number)
        return number

    with Caches():
        same(1)
        thread = threading.Thread(target=same, args=(1,))
        thread.start()
        thread.join()
    assert asked == [1, 1]


def test_no_more_results_are_kept_than_asked_for() -> None:
    @remembered(most=3)
    def same(number: int) -> int:
        return number

    own = Caches()
    with own:
        for number in range(10):
            same(number)
    kept = own.of(same.__wrapped__)  # type: ignore[attr-defined]
    assert kept == {(9,): 9}


def test_errors_are_not_remembered_and_leave_the_caches() -> None:
    asked: list[int] = []

    @remembered(most=3)
    def fail(number: int) -> int:
        asked.append(number)
        raise ValueError

    for _ in range(2):
        with suppress(ValueError), Caches():
            fail(1)
    fail_twice = len(asked)
    with suppress(ValueError):
        fail(1)
    assert (fail_twice, len(asked)) == (2, 3)
