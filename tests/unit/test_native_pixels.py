"""Native pixels: what is in a rectangle becomes black, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pictures import LAYOUTS, Layout, file_bytes, loaded, numbers, picture, region
from pydicom import uid
from pydicom.fileset import FileSet
from support import Result, run_command

SPEC = ("--tagStruct", '{"PatientName": "ANON"}')
SYNTAXES = (
    uid.ExplicitVRLittleEndian,
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
    uid.DeflatedExplicitVRLittleEndian,
)


def clean(folder: Path, content: bytes, *flags: str) -> tuple[Result, bytes]:
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / "a.dcm").write_bytes(content)
    methods = () if "--cleanPixels" in flags else ("--cleanPixels", "regions,devices")
    result = run_command(source, folder / "out", *methods, "--json", *SPEC, *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


def masked(values: Any, layout: Layout, *rectangles: tuple[int, int, int, int]) -> Any:
    made = values.copy()
    for x, y, width, height in rectangles:
        made[:, y : y + height, x : x + width] = layout.black
    return made


def mask_file(folder: Path, *rectangles: tuple[int, int, int, int], **when: object) -> str:
    path = folder / "masks.json"
    path.write_text(json.dumps({"masks": [{"when": when or {"Modality": "US"}, "rectangles": rectangles}]}))
    return str(path)


@pytest.mark.parametrize(
    ("syntax", "frames"),
    [(SYNTAXES[0], 1), *((one, 3) for one in SYNTAXES)],
    ids=lambda one: uid.UID(one).name.split(" (")[0] if isinstance(one, str) else str(one),
)
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_rectangles_become_black_and_nothing_else_changes(
    tmp_path: Path, layout: Layout, frames: int, syntax: str
) -> None:
    shape = frames, 41, 58, layout.samples
    values = numbers(layout, *shape[:3])
    content = file_bytes(picture(layout, frames=frames, rows=41, columns=58, syntax=syntax, values=values))
    rectangles = [(0, 0, 58, 5), (10, 20, 16, 7), (20, 24, 12, 9), (54, 38, 4, 3)]
    result, output = clean(tmp_path, content, "--pixelMasks", mask_file(tmp_path, *rectangles), "--verify")
    assert result.code == 0, result.out
    before, after = (pydicom.dcmread(pydicom.filebase.DicomBytesIO(one)) for one in (content, output))
    little = syntax != uid.ExplicitVRBigEndian
    found = loaded(layout, after.PixelData, shape, little)
    shared = loaded(layout, before.PixelData, shape, little)
    assert (found == masked(shared, layout, *rectangles)).all()
    assert len(after.PixelData) == len(before.PixelData)
    assert after.PatientName == "ANON"
    assert after.BurnedInAnnotation == "NO"
    (told,) = result.record["pixelsCleaned"]
    assert told["methods"] == ["devices"]
    assert told["frames"] == frames
    bits = layout.allocated * (2 if layout.photometric == "YBR_FULL_422" else layout.samples)
    count = (masked(np.zeros_like(values[..., 0]), Layout("", "", 8, black=(1,)), *rectangles) != 0).sum()
    assert told["bits"] == count * bits


def test_bytes_in_words_of_big_endian_are_counted_as_they_are_stored(tmp_path: Path) -> None:
    layout = LAYOUTS[0]
    values = numbers(layout, 2, 9, 7)
    made = picture(
        layout, frames=2, rows=9, columns=7, syntax=uid.ExplicitVRBigEndian, values=values, vr="OW"
    )
    made.PixelData = np.frombuffer(made.PixelData, "<u2").astype(">u2").tobytes()
    result, output = clean(
        tmp_path, file_bytes(made), "--pixelMasks", mask_file(tmp_path, (2, 3, 3, 4)), "--verify"
    )
    assert result.code == 0, result.out
    found = pydicom.dcmread(pydicom.filebase.DicomBytesIO(output)).PixelData
    swapped = np.frombuffer(found, ">u2").astype("<u2").tobytes()
    assert (loaded(layout, swapped, values.shape) == masked(values, layout, (2, 3, 3, 4))).all()


def test_odd_edges_of_shared_colour_are_widened_to_pairs(tmp_path: Path) -> None:
    layout = next(one for one in LAYOUTS if one.name == "ybr-422")
    values = numbers(layout, 1, 10, 20)
    content = file_bytes(picture(layout, rows=10, columns=20, values=values))
    result, output = clean(tmp_path, content, "--pixelMasks", mask_file(tmp_path, (3, 2, 4, 3)))
    stored = pydicom.dcmread(pydicom.filebase.DicomBytesIO(output)).PixelData
    before = loaded(layout, picture(layout, rows=10, columns=20, values=values).PixelData, values.shape)
    assert (loaded(layout, stored, values.shape) == masked(before, layout, (2, 2, 6, 3))).all()
    assert result.record["pixelsCleaned"][0]["rectangles"] == [
        {"x": 2, "y": 2, "width": 6, "height": 3, "frame": None}
    ]


def test_all_outside_of_the_regions_of_ultrasound_becomes_black(tmp_path: Path) -> None:
    values = numbers(LAYOUTS[0], 2, 40, 60)
    made = picture(frames=2, values=values)
    made.SequenceOfUltrasoundRegions = [region(5, 8, 29, 39), region(40, 10, 70, 19)]
    result, output = clean(tmp_path, file_bytes(made), "--verify", "--cleanPixels", "regions")
    expected = np.zeros_like(values)
    for y, x in ((slice(8, 40), slice(5, 30)), (slice(10, 20), slice(40, 60))):
        expected[:, y, x] = values[:, y, x]
    found = pydicom.dcmread(pydicom.filebase.DicomBytesIO(output)).PixelData
    assert (loaded(LAYOUTS[0], found, values.shape) == expected).all()
    assert result.record["pixelsCleaned"][0]["methods"] == ["regions"]
    assert "no detector" in result.record["pixelReview"][0]["reason"]


@pytest.mark.parametrize("cut", [-2, 2, -40 * 60, 1000])
def test_pixels_of_another_size_than_is_said_fail(tmp_path: Path, cut: int) -> None:
    made = picture()
    made.PixelData = made.PixelData[:cut] if cut < 0 else made.PixelData + bytes(cut)
    result, output = clean(tmp_path, file_bytes(made), "--pixelMasks", mask_file(tmp_path, (0, 0, 9, 9)))
    assert result.code == 1
    assert not output
    assert result.record["failures"][0]["stage"] == "pixels"
    assert "bytes" in result.record["failures"][0]["reason"]


def test_sizes_that_lie_fail_in_bounded_memory(tmp_path: Path) -> None:
    made = picture()
    made.Rows = made.Columns = 60000
    made.NumberOfFrames = 100000
    result, output = clean(tmp_path, file_bytes(made), "--pixelMasks", mask_file(tmp_path, (0, 0, 9, 9)))
    assert result.code == 1
    assert not output


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("BitsAllocated", 12),
        ("BitsStored", 9),
        ("SamplesPerPixel", 4),
        ("PhotometricInterpretation", "CMYK"),
        ("NumberOfFrames", "-1"),
        ("BitsAllocated", None),
    ],
)
def test_pixels_that_nobody_can_place_fail(tmp_path: Path, keyword: str, value: object) -> None:
    made = picture()
    setattr(made, keyword, value)
    result, output = clean(tmp_path, file_bytes(made), "--pixelMasks", mask_file(tmp_path, (0, 0, 9, 9)))
    assert result.code == 1
    assert not output


@pytest.mark.parametrize("method", ["devices", "text"])
def test_pixels_that_share_their_colour_with_none_fail_with_the_reason(tmp_path: Path, method: str) -> None:
    layout = next(one for one in LAYOUTS if one.name == "ybr-422")
    made = picture(layout, rows=10, columns=20)
    made.Columns, made.Rows = 25, 8
    flags = ("--pixelMasks", mask_file(tmp_path, (0, 0, 9, 9))) if method == "devices" else ()
    if method == "text":
        pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
    result, output = clean(tmp_path, file_bytes(made), "--cleanPixels", method, *flags)
    assert result.code == 1
    assert not output
    assert "Columns is odd" in result.record["failures"][0]["reason"]


def test_files_without_a_mask_keep_their_bytes_and_get_no_stamp(tmp_path: Path) -> None:
    content = file_bytes(picture())
    result, output = clean(tmp_path, content)
    assert result.code == 0
    assert output == content.replace(b"DOE^JANE", b"ANON").replace(b"PN\x08\0", b"PN\x04\0")
    assert result.record["pixelsCleaned"] == []
    assert "nothing was blackened" in result.record["pixelReview"][0]["reason"]


@pytest.mark.parametrize(
    ("group", "creator", "element"),
    [(0x0009, "GEIIS", 0x10), (0x0055, "VEPRO VIF 3.0 DATA", 0x30), (0x07A1, "ELSCINT1", 0x0A)],
)
@pytest.mark.parametrize("is_masked", [True, False])
def test_icons_and_copies_of_a_cleaned_picture_go(
    tmp_path: Path, group: int, creator: str, element: int, is_masked: bool
) -> None:
    made = picture()
    icon = picture(rows=8, columns=8)
    made.IconImageSequence = [icon]
    made.add_new(group << 16 | 0x10, "LO", creator)
    made.add_new(group << 16 | 0x1000 | element, "SQ", [icon])
    made.add_new(group << 16 | 0x1000 | 0x44, "LO", "kept")
    masks = mask_file(tmp_path, (0, 0, 9, 9), Rows=40 if is_masked else 41)
    result, output = clean(tmp_path, file_bytes(made), "--pixelMasks", masks, "--verify")
    assert result.code == 0, result.out
    after = pydicom.dcmread(pydicom.filebase.DicomBytesIO(output))
    assert ("IconImageSequence" in after) is not is_masked
    assert ((group << 16 | 0x1000 | element) in after) is not is_masked
    assert after[group << 16 | 0x1044].value == "kept"
    assert after[group << 16 | 0x10].value == creator


@pytest.mark.parametrize("flags", [(), ("--profile", "basic")])
def test_icons_of_a_directory_go_and_nothing_says_that_it_was_cleaned(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    source = tmp_path / "in"
    source.mkdir()
    own = {"PatientID": "1", "StudyID": "1", "StudyDate": "20200102", "StudyTime": "10", "InstanceNumber": 1}
    made = picture(**own, SeriesNumber=1, AccessionNumber="1", SeriesInstanceUID="1.2.4", PatientName="X")
    made.StudyInstanceUID = "1.2.3"
    files = FileSet()
    files.add(pydicom.dcmread(pydicom.filebase.DicomBytesIO(file_bytes(made))))
    files.write(source)
    directory = pydicom.dcmread(source / "DICOMDIR")
    record = directory.DirectoryRecordSequence[-1]
    record.IconImageSequence = [picture(rows=8, columns=8)]
    record.BurnedInAnnotation = "YES"
    record.DeidentificationMethod = "none"
    directory.save_as(source / "DICOMDIR")
    result = run_command(
        *(source, tmp_path / "out", "--tagStruct", '{"PatientName": "ANON"}', "--json", "--verify"),
        *("--cleanPixels", "regions", *flags),
    )
    assert result.code == 0, result.out
    after = pydicom.dcmread(tmp_path / "out" / "DICOMDIR").DirectoryRecordSequence[-1]
    assert "IconImageSequence" not in after
    assert after.BurnedInAnnotation == "YES"
    assert len(FileSet(tmp_path / "out" / "DICOMDIR")) == 1
    if not flags:
        assert after.DeidentificationMethod == "none"


def test_files_that_nobody_would_review_are_cleaned_only_if_all_are(tmp_path: Path) -> None:
    content = file_bytes(picture(Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2"))
    masks = mask_file(tmp_path, (0, 0, 9, 9), Rows=40)
    result, _ = clean(tmp_path, content, "--pixelMasks", masks)
    assert result.record["pixelsCleaned"] == result.record["pixelReview"] == []
    result, _ = clean(tmp_path, content, "--pixelMasks", masks, "--cleanPixelsOf", "all", "--overwrite")
    assert len(result.record["pixelsCleaned"]) == 1


@pytest.mark.parametrize("methods", ["regions", "devices"])
@pytest.mark.parametrize(
    ("keyword", "value"), [("Rows", 0), ("Columns", 0), ("Rows", None), ("Columns", None)]
)
def test_pictures_without_a_size_fail(tmp_path: Path, keyword: str, value: int | None, methods: str) -> None:
    made = picture()
    setattr(made, keyword, value)
    if value is None:
        del made[keyword]
    for folder, has_pixels, is_cleaned in (("a", True, True), ("b", False, True), ("c", True, False)):
        if not has_pixels:
            made.pop("PixelData")
        if not is_cleaned:
            made = picture(Modality="CT", SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
            made[keyword].value = value
        (tmp_path / folder / "in").mkdir(parents=True)
        (tmp_path / folder / "in" / "a.dcm").write_bytes(file_bytes(made))
        result = run_command(
            *(tmp_path / folder / "in", tmp_path / folder / "out", "--cleanPixels", methods),
            *("--tagStruct", '{"PatientName": "ANON"}', "--json"),
        )
        fails = has_pixels and is_cleaned
        assert result.code == int(fails), result.out
        assert (tmp_path / folder / "out" / "a.dcm").exists() is not fails
        if fails:
            (failure,) = result.record["failures"]
            assert failure["reason"].startswith("its pixels cannot be cleaned: ")


def test_stamps_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    made = picture(DeidentificationMethod="by hand", BurnedInAnnotation="YES")
    _, output = clean(tmp_path, file_bytes(made), "--pixelMasks", mask_file(tmp_path, (0, 0, 9, 9)))
    after = pydicom.dcmread(pydicom.filebase.DicomBytesIO(output))
    assert after.BurnedInAnnotation == "NO"
    assert after.DeidentificationMethod[0] == "by hand"
    assert after.DeidentificationMethod[-1] == "cleanPixelData"
    assert [item.CodeValue for item in after.DeidentificationMethodCodeSequence] == ["113101"]


def test_overlays_in_unused_bits_are_cleared_with_the_masks(tmp_path: Path) -> None:
    layout = next(one for one in LAYOUTS if one.name == "mono2-12-of-16")
    values = numbers(layout, 1, 40, 60)
    made = picture(layout, values=values | 0x8000)
    made.add_new(0x60000100, "US", 16)
    made.add_new(0x60000102, "US", 15)
    made.add_new(0x60000010, "US", 40)
    made.add_new(0x60000011, "US", 60)
    result, output = clean(
        tmp_path,
        file_bytes(made),
        *("--pixelMasks", mask_file(tmp_path, (3, 3, 9, 9)), "--verify"),
        *("--profile", "basic"),
    )
    assert result.code == 0, result.out
    found = pydicom.dcmread(pydicom.filebase.DicomBytesIO(output)).PixelData
    assert (loaded(layout, found, values.shape) == masked(values, layout, (3, 3, 9, 9))).all()
