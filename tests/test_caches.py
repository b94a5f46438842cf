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

ALLOWED = {
    *("_longest_keyword", "_repeaters", "all_keywords", "label_of", "tags_of", "vr_of"),
    *(
        "descriptive_tags",
        "identifying_tags",
        "is_personal",
        "is_postal",
        "is_of_codes",
        "is_of_make",
        "kind_of",
    ),
    "_fold_character",
    "_host",
    "_layout_of",
    "_renameat2",
}
"""Caches of the process itself: of tags and keywords, what the standard says of them, single characters,
the host, and the tags and VRs of a file meta."""


def _kept_by_process(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef):
            for decorator in node.decorator_list:
                if "cache" in ast.unparse(decorator) and "cached_property" not in ast.unparse(decorator):
                    found.add(node.name)
    return found


def test_no_cache_of_the_process_holds_values_or_the_key() -> None:
    for path in sorted(PACKAGE.rglob("*.py")):
        assert _kept_by_process(path) <= ALLOWED, path.name


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
