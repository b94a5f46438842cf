"""What a user gets wrong is told with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import ROOT

from pfdicom_tagSub import compile_spec
from pfdicom_tagSub.cli.command import main
from pfdicom_tagSub.core.errors import SpecError


@pytest.mark.parametrize(
    ("key", "cure"),
    [
        ("0010,0010", "did you mean (0010,0010)?"),
        ("(0010,0010", "did you mean (0010,0010)?"),
        ("0x00100010", "did you mean (0010,0010)?"),
        ("0010 0010", "did you mean (0010,0010)?"),
        ("(0x0010, 0x0010)", "did you mean (0010,0010)?"),
        ("re:patient.*", "(?i)"),
        ("re:Pateint.*", "put .* before a part of one"),
        ("re:ame", "put .* before a part of one"),
    ],
)
def test_key_in_another_spelling_has_a_cure(key: str, cure: str) -> None:
    with pytest.raises(SpecError) as caught:
        compile_spec({key: "X"})
    assert cure in str(caught.value)


def test_cure_of_a_pattern_in_small_letters_works() -> None:
    compile_spec({"re:(?i)patient.*": "X"})


def _told(capsys: pytest.CaptureFixture[str], folder: Path, *arguments: str) -> str:
    main([str(ROOT / "examples" / "dicom"), str(folder / "out"), *arguments])
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (["--profile", "cleanDescriptors"], "did you mean basic,cleanDescriptors?"),
        (["--profile", "basic", "--threads", "two"], "give the number of workers, 0 for none, or auto"),
        (["--profile", "basic", "-v", "high"], "'high' is no number"),
        (["--profile", "basic", "--fileFilter", "*.dcm"], "write .dcm for *.dcm"),
        (["--tagInfo", "StudyInstanceUID:%_md5_#tag"], "%_uid_#tag makes a new UID"),
        (["--tagInfo", "StudyDate:%_sha256|8_PatientID"], "%_dateshift|PatientID|365_#tag moves dates"),
    ],
)
def test_option_with_a_wrong_value_has_a_cure(
    arguments: list[str], cure: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cure in _told(capsys, tmp_path, *arguments)


@pytest.mark.parametrize(
    "pair", ["StudyID:%_md5_#tag", "StudyDate:%_strmsk|******01_#tag", "re:.*UID:%_md5_#tag"]
)
def test_no_warning_of_an_element_that_can_hold_the_value(
    pair: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "left empty" not in _told(capsys, tmp_path, "--tagInfo", pair)
