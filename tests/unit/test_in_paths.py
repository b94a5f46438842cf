"""Paths that tell what was replaced are found, however the value is written, and others are not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest
from builders import data_set, rules_of, written
from hypothesis import given
from hypothesis import strategies as st

from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import FileJob
from pfdicom_tagSub.engine import patcher as patch
from pfdicom_tagSub.engine.patched import Patched
from pfdicom_tagSub.run.worker import Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.text.in_paths import holds_text, holds_value
from pfdicom_tagSub.verify.residuals import is_in_path


@pytest.mark.parametrize(
    ("path", "original"),
    [
        ("a/PLANTED-4711/b.dcm", "PLANTED-4711"),
        ("planted-4711", "PLANTED-4711"),
        ("planted4711.dcm", "PLANTED-4711"),
        ("x_PLANTED_4711_y/b", "PLANTED-4711"),
        ("a/Doe_Jane/1.dcm", "Doe^Jane"),
        ("a/doejane/1.dcm", "Doe^Jane"),
        ("a/DOE-JANE-2/1.dcm", "Doe^Jane"),
        ("a/DOE JANE.dcm", "Doe^Jane^^"),
        ("jane.dcm", "Doe^Jane"),
        ("x/jane/y", "Doe^Mary Jane"),
        ("smith-mri", "Jane Smith"),
        ("li_wei", "Li^Wei"),
        ("19410611", "19410611"),
        ("s/1941-06-11/a", "19410611"),
        ("s/19410611/a", "1941-06-11"),
        ("1.2.840.113619.7.dcm", "1.2.840.113619.7"),
        ("山田", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("研究/山田太郎_1/a", "山田太郎"),
        ("2024山田太郎様", "山田^太郎"),
        ("yamada", "Yamada^Tarou=山田^太郎"),
        ("GRÖẞE", "größe"),
        ("gro\u0308ße", "größe"),
        ("b/Second^Name", "FIRST\\SECOND"),
        ("Ιωάννης/1", "Παπαδόπουλος^Ιωάννης"),
        ("mainstreet5", "Main Street 5"),
    ],
)
def test_value_in_a_path_is_found(path: str, original: str) -> None:
    assert holds_value(path, ["elsewhere", original])
    assert not holds_value(path, ["elsewhere"])


@pytest.mark.parametrize(
    ("path", "original"),
    [
        ("janet.dcm", "Doe^Jane"),
        ("P4711", "4711"),
        ("147112", "4711"),
        ("doe/x", "Doe^Jane"),  # three letters
        ("M/F/1.dcm", "M"),
        ("47/11/a", "4711"),
        ("sub-01/ses-02/a.dcm", "Doe^Jane"),
        ("head_scan", "HEAD of a long description"),
        ("山/a", "山"),
        ("a", ""),
        ("", "Doe^Jane"),
        ("a/b", "^^=^"),
        ("1.2.3.4567", "1.2.3.45"),
        ("x" * 300, "x" * 300),
    ],
)
def test_what_is_no_value_is_not_found(path: str, original: str) -> None:
    assert not holds_value(path, [original])


def test_no_values_tell_nothing() -> None:
    assert not holds_value("a/b/c", ())


@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=4))
def test_any_text_is_judged(path: str, originals: list[str]) -> None:
    assert isinstance(holds_value(path, originals), bool)


@given(
    st.from_regex(r"[A-Za-z]{4,12}\^[A-Za-z]{4,12}", fullmatch=True),
    st.sampled_from(["_", "-", "", " ", "^"]),
    st.sampled_from(["", "x/", "pre_", "1-"]),
)
def test_every_name_is_found(name: str, separator: str, before: str) -> None:
    assert holds_value(f"{before}{name.replace('^', separator).swapcase()}.dcm", [name])


@pytest.mark.parametrize(
    ("path", "text", "is_found"),
    [
        ("DOE-JANE/a.dcm", "jane", True),
        ("janet/a.dcm", "jane", False),
        ("xlongsurnamex/a.dcm", "longsurname", True),  # of eight letters: no bounds
        ("doe_jane/a.dcm", "doe, jane", True),
        ("x山田太郎様/a.dcm", "山田太郎", True),
        ("ab/a.dcm", "ab", False),
        ("a/b/a.dcm", "a/b", False),
    ],
)
def test_text_is_found_as_a_whole(path: str, text: str, is_found: bool) -> None:
    assert holds_text(path, [text], 8) == is_found


def test_verification_names_the_path_that_holds_a_value_or_a_day() -> None:
    assert is_in_path("doe/1958-03-07.dcm", [], ["19580307"])
    assert is_in_path("doe/7-mar-1958.dcm", [], ["19580307"])
    assert not is_in_path("doe/1958-03-08.dcm", ["jane"], ["19580307"])
    assert is_in_path("doe_jane/a.dcm", ["jane"], [])


def test_values_of_a_file_take_no_time_to_look_for() -> None:
    originals = ("Plantagenet^Quirin", "PLANTED-4711", "ACC987654", "19410611", "Who^Doctor", "Main Street 5")
    paths = [f"sub-01/ses-02/anat/1.2.840.113619.2.{number}.dcm" for number in range(2000)]
    best = 1.0
    for turn in range(5):
        started = time.process_time()
        for number, path in enumerate(paths):
            assert not holds_value(path, (*originals, f"1.2.840.10008.{turn}.{number}"))
        best = min(best, (time.process_time() - started) / len(paths))
    assert best < 50e-6  # some 15 microseconds


def test_outcome_says_whether_the_path_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = written(data_set(PatientID="PLANTED-4711", PatientName="Doe^Jane"))
    real = patch.Patcher.patch

    def patched(*arguments: object) -> Patched:
        return replace(real(*arguments), originals=("PLANTED-4711", "Doe^Jane"))  # type: ignore[arg-type]

    monkeypatch.setattr(patch.Patcher, "patch", patched)
    (tmp_path / "planted-4711").mkdir()  # above the root of the outputs: not told
    root = tmp_path / "planted-4711" / "out"
    worker = Worker(Settings(rules_of({"PatientID": "X"}), output_root=str(root)))
    source = tmp_path / "in.dcm"
    source.write_bytes(content)
    for name, expected in (("sub/a", False), ("sub/planted_4711", True), ("jane/a", True)):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        outcome = worker.process(FileJob(str(source), str(path), "in.dcm"))
        assert (outcome.status, outcome.path_holds_value) == (Status.WRITTEN, expected)
