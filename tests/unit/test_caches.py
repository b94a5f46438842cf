"""What is remembered of values and the key belongs to a worker and goes with it."""

from __future__ import annotations

import ast
import doctest
import json
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from builders import EXPLICIT, element, file_of

import pfdicom_tagSub
from pfdicom_tagSub.core import caches
from pfdicom_tagSub.core.caches import Caches, remembered

PACKAGE = Path(pfdicom_tagSub.__file__).parent

NO_VALUES = {"tag", "group", "keyword", "character", "heads", "pattern"}
"""What caches of the process may be asked for: a tag, a group, a keyword, a single character, the
tags and VRs of a file meta, a pattern of the code. All else may be a value, and is remembered by a worker."""


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


FORGETFUL = """
import gc, json, re, sys
from pathlib import Path
from pfdicom_tagSub.spec import profile as profiles
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.strength import effective_spec
from pfdicom_tagSub.spec.function_types import Resources
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.spec.secret import Secret
from pfdicom_tagSub.spec.pairs import TagSpec
from pfdicom_tagSub.spec.parsing import parse_json
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings

folder = Path(sys.argv[1])

def found():
    gc.collect()
    wanted = [word[::-1] for word in sys.argv[2:]]  # not to find the question
    seen, stack, left = set(), [one for one in gc.get_objects() if one is not wanted], set()
    while stack:
        one = stack.pop()
        if id(one) in seen or one is wanted or one is stack or one is seen:
            continue
        seen.add(id(one))
        if isinstance(one, (str, bytes)):
            text = one if isinstance(one, str) else one.decode("latin-1")
            left.update(word[::-1] for word in wanted if one is not word and word in text.casefold())
        else:
            stack.extend(gc.get_referents(one))
    return sorted(left)

def worker():
    pairs = profiles.load("basic,cleanDescriptors", ()).spec.pairs
    spec = '{"PatientName": "%_name_#tag", "PatientID": "%_hmac|8_#tag", "SOPInstanceUID": "%_uid_#tag"}'
    secret = Secret((folder / "key").read_bytes())
    rules = compile_rules(
        effective_spec(TagSpec(pairs + parse_json(spec, "spec").pairs)), resources=Resources(secret)
    )
    return Worker(Settings(rules, verify=True, output_root=str(folder)))

one = worker()
outcome = one.process(FileJob(str(folder / "in.dcm"), str(folder / "out.dcm"), "in.dcm"))
before = found()
del one
print(json.dumps([outcome.status.value, before, found()]))
"""


def test_values_and_the_key_go_with_the_worker(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"a planted key of thirty-two bytes")
    content = b"".join(
        element(tag, vr, value, EXPLICIT)
        for tag, vr, value in (
            (0x00080018, "UI", b"1.2.77777.8888"),
            (0x00080020, "DA", b"19710203"),
            (0x00081030, "LO", b"seen Plantedname on 3.2.1971"),
            (0x00100010, "PN", b"Plantedname^Jane"),
            (0x00100020, "LO", b"PLANTEDID4711"),
        )
    )
    (tmp_path / "in.dcm").write_bytes(file_of(content, instance="1.2.77777.8888"))
    words = ["plantedname", "plantedid4711", "planted key of", "19710203", "1.2.77777.8888"]
    asked = [word[::-1] for word in words]
    command = [sys.executable, "-W", "ignore", "-c", FORGETFUL, str(tmp_path), *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    status, before, after = json.loads(done.stdout)
    assert status == "written"
    assert {"planted key of"[::-1], "plantedname"[::-1]} <= set(before)  # while there is a worker
    assert after == []
