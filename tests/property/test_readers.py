"""What any reader shows of an output: no original of an element that the rules replace.

The files are made so that readers may differ over them (see ``ambiguous``). Each is processed
under every spec below; it fails, or no installed reader (see ``judges``) shows its secret where
a rule hits. A few files of each kind are tried; ``AMBIGUOUS_FILES=1000`` tries so many of each,
``AMBIGUOUS_FIRST`` names the number of the first.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ambiguous import HIT, KINDS, made
from builders import rules_of
from judges import JUDGES, Judge, Secrets

from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec.compiling import compile_rules
from pfdicom_tagSub.spec.profile import load

FILES = int(os.environ.get("AMBIGUOUS_FILES", "10"))
FIRST = int(os.environ.get("AMBIGUOUS_FIRST", "0"))

SETTINGS = {
    "inserting": Settings(rules_of({"PatientName": "ANON", "PatientID": "ANONID"})),
    "not inserting": Settings(rules_of({"re:PatientName$": "ANON", "re:PatientID$": "ANONID"})),
    "removing": Settings(rules_of({"PatientName": None, "PatientID": None}, remove_private=True)),
    "basic": Settings(compile_rules(load("basic").spec)),
}


def outputs_of(kind: str, settings: Settings, folder: Path) -> Secrets:
    """The outputs that were written of the files of a kind, and the secrets of these."""
    worker = Worker(settings)
    (folder / "in").mkdir(parents=True)
    (folder / "out").mkdir()
    secrets: Secrets = {}
    for number in range(FIRST, FIRST + FILES):
        content, secret = made(kind, number)
        source, target = folder / "in" / str(number), folder / "out" / str(number)
        source.write_bytes(content)
        outcome = worker.process(FileJob(str(source), str(target), source.name))
        assert "internal" not in outcome.reason
        assert secret not in outcome.reason
        assert target.exists() is (outcome.status is Status.WRITTEN)
        if target.exists():
            secrets[target] = secret
    return secrets


@pytest.fixture(scope="module", params=KINDS)
def outputs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Secrets]:
    """The outputs of one kind under each spec."""
    folder = tmp_path_factory.mktemp(request.param)
    return {name: outputs_of(request.param, own, folder / name) for name, own in SETTINGS.items()}


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.name)
def test_readers_show_no_original(outputs: dict[str, Secrets], judge: Judge) -> None:
    if not judge.is_installed:
        pytest.skip(f"{judge.program} is not installed")
    every = {path: secret for secrets in outputs.values() for path, secret in secrets.items()}
    leaks = sorted(str(path.relative_to(path.parents[3])) for path in judge.showing(every, HIT))
    assert not leaks, f"{judge.name} shows the secret of {', '.join(leaks)}"


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: judge.name)
def test_judges_see_what_is_there(judge: Judge, tmp_path: Path) -> None:
    """A judge that sees nothing proves nothing."""
    if not judge.is_installed:
        pytest.skip(f"{judge.program} is not installed")
    secrets = {}
    for number in range(20):
        content, secret = made("ordinary", number)
        secrets[tmp_path / str(number)] = secret
        (tmp_path / str(number)).write_bytes(content)
    assert len(judge.showing(secrets, HIT)) >= 15
    assert judge.showing(secrets, frozenset({0x00100040})) == set()


def test_kinds_give_the_same_files_each_time() -> None:
    assert all(made(kind, 3) == made(kind, 3) for kind in KINDS)
    assert len({made(kind, number)[0] for kind in KINDS for number in range(10)}) > 9 * len(KINDS)
