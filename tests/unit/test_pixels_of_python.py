"""Cleaning of pixels by the functions for Python: as the command does it, and read again."""

from __future__ import annotations

import io
import pickle
from pathlib import Path

import pydicom
import pytest
from pictures import file_bytes, picture, region
from pydicom import uid
from support import run_command

import pfdicom_tagSub as tagsub
from pfdicom_tagSub import api
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.run.file_tools import PixelWork

PAIRS = {"PatientName": "ANON"}


def content(**elements: object) -> bytes:
    made = picture(frames=2, **elements)
    made.SequenceOfUltrasoundRegions = [region(10, 8, 49, 39)]
    return file_bytes(made)


def by_command(folder: Path, *flags: str, given: bytes = b"") -> bytes:
    (folder / "in").mkdir()
    (folder / "in" / "a.dcm").write_bytes(given or content())
    done = run_command(folder / "in", folder / "out", "--tagStruct", '{"PatientName": "ANON"}', *flags)
    assert done.code == 0, done.err
    return (folder / "out" / "a.dcm").read_bytes()


def test_bytes_are_those_of_the_command(tmp_path: Path) -> None:
    rules = tagsub.compile_spec(PAIRS, clean_pixels=["regions"])
    made = tagsub.patch_bytes(content(), rules)
    assert made == by_command(tmp_path, "--cleanPixels", "regions")
    assert pydicom.dcmread(io.BytesIO(made)).BurnedInAnnotation == "NO"
    assert tagsub.patch_bytes(content(), pickle.loads(pickle.dumps(rules))) == made


@pytest.mark.parametrize("syntax", [uid.RLELossless, uid.JPEGBaseline8Bit])
def test_compressed_bytes_are_those_of_the_command_and_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syntax: uid.UID
) -> None:
    pytest.importorskip("rle", reason="the codecs are not installed")
    if syntax == uid.RLELossless:
        made = pydicom.dcmread(io.BytesIO(content()))
        made.compress(syntax, generate_instance_uid=False)
    else:
        pytest.importorskip("jpegio", reason="what reads coefficients is not installed")
        made = pydicom.dcmread(pydicom.data.get_testdata_file("examples_ybr_color.dcm"))
        made.SequenceOfUltrasoundRegions = [region(40, 30, 199, 159)]
    buffer = io.BytesIO()
    made.save_as(buffer)
    given = buffer.getvalue()
    rules = tagsub.compile_spec(PAIRS, clean_pixels=["regions"])
    cleaned = tagsub.patch_bytes(given, rules)
    assert cleaned == by_command(tmp_path, "--cleanPixels", "regions", given=given)
    assert pydicom.dcmread(io.BytesIO(cleaned)).BurnedInAnnotation == "NO"

    def fail(*_: object) -> None:
        raise tagsub.FileError("not black")

    monkeypatch.setattr(api, "check_frames", fail)
    with pytest.raises(tagsub.FileError, match="not black"):
        tagsub.patch_bytes(given, rules)


def test_option_of_the_profile_means_all_methods() -> None:
    pytest.importorskip("onnxruntime")
    rules = tagsub.compile_spec(PAIRS, profile="basic,cleanPixelData", key=bytes(range(32)))
    assert rules.pixels is not None
    assert rules.pixels.settings.methods == ("regions", "devices", "text")


def test_file_and_tree_are_cleaned_and_tell_so(tmp_path: Path) -> None:
    rules = tagsub.compile_spec(PAIRS, clean_pixels=["regions"])
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.dcm").write_bytes(content())
    outcome = tagsub.patch_file(source / "a.dcm", tmp_path / "a.dcm", rules)
    assert outcome.status is Status.WRITTEN, outcome.reason
    assert outcome.pixels is not None
    assert outcome.pixels.methods == ("regions",)
    report = tagsub.run_tree(source, tmp_path / "out", rules)
    assert [path for path, _ in report.pixels_cleaned] == ["a.dcm"]
    assert (tmp_path / "out" / "a.dcm").read_bytes() == (tmp_path / "a.dcm").read_bytes()


def test_file_without_a_mask_is_patched_without_a_stamp() -> None:
    rules = tagsub.compile_spec(PAIRS, clean_pixels=["regions"])
    made = pydicom.dcmread(io.BytesIO(tagsub.patch_bytes(file_bytes(picture()), rules)))
    assert made.PatientName == "ANON"
    assert "BurnedInAnnotation" not in made


def test_masks_of_a_file_are_used(tmp_path: Path) -> None:
    masks = tmp_path / "m.json"
    masks.write_text(
        '{"masks": [{"when": {"Modality": "US"}, "rectangles": [[0, 0, 60, 4]]}], "replaces": true}'
    )
    rules = tagsub.compile_spec(PAIRS, clean_pixels=["devices"], pixel_masks=masks)
    made = pydicom.dcmread(io.BytesIO(tagsub.patch_bytes(content(), rules)))
    assert not made.pixel_array[:, :4].any()
    assert made.pixel_array[:, 4:].any()


def test_what_is_read_again_and_wrong_is_no_result(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise tagsub.FileError("not black")

    monkeypatch.setattr(PixelWork, "check", fail)
    with pytest.raises(tagsub.FileError, match="not black"):
        tagsub.patch_bytes(content(), tagsub.compile_spec(PAIRS, clean_pixels=["regions"]))


def test_arguments_that_cannot_be_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="region"):
        tagsub.compile_spec(PAIRS, clean_pixels=["region"])
    with pytest.raises(tagsub.SpecError, match="devices"):
        tagsub.compile_spec(PAIRS, clean_pixels=["regions"], pixel_masks="m.json")
    monkeypatch.setattr(api, "find_spec", lambda _: None)
    with pytest.raises(tagsub.SpecError, match="pip install numpy"):
        tagsub.compile_spec(PAIRS, clean_pixels=["regions"])
