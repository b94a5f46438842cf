"""Masks by device: the list of the package, and those of users."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path

import pytest
from builders import data_set, read, written
from support import run_command

from pfdicom_tagSub.core.errors import SpecError
from pfdicom_tagSub.dicom.dictionary import tags_of
from pfdicom_tagSub.pixels.device_masks import DeviceMask, load_masks, parse_masks
from pfdicom_tagSub.pixels.device_masks import tags_of as mask_tags
from pfdicom_tagSub.pixels.rectangles import Rectangle, area, bands, clipped, disjoint, outside
from pfdicom_tagSub.spec.mask_conditions import mask_test


def mask(when: object) -> DeviceMask:
    content = {"masks": [{"when": when, "rectangles": [[0, 0, 5, 5]]}]}
    return parse_masks(json.dumps(content).encode(), "masks")[0][0]


def fits(when: object, **file: str | tuple[str, ...]) -> bool:
    known = {
        tags_of(keyword)[0]: (text,) if isinstance(text, str) else text for keyword, text in file.items()
    }
    return mask(when).fits(known.get)


def test_list_of_the_package_is_that_of_the_facts() -> None:
    masks = load_masks()
    assert len(masks) == 382
    assert sum(len(one.rectangles) for one in masks) == 372
    assert sum(not one.rectangles for one in masks) == 48


@pytest.mark.parametrize(
    ("when", "file", "expected"),
    [
        ({"Modality": "us"}, {"Modality": "US "}, True),
        ({"Modality": ["CT", "US"]}, {"Modality": "US"}, True),
        ({"Modality": "US"}, {}, False),
        ({"Rows": 480}, {"Rows": "480"}, True),
        ({"Rows": 480}, {"Rows": "4800"}, False),
        ({"SeriesNumber": 1}, {"SeriesNumber": "+01.0"}, True),
        ({"Manufacturer": {"contains": "ge med"}}, {"Manufacturer": "GE Medical Systems"}, True),
        ({"Manufacturer": {"contains": ["acme", "ge"]}}, {"Manufacturer": "GE"}, True),
        ({"Manufacturer": {"startsWith": "GE", "endsWith": "x"}}, {"Manufacturer": "GE"}, False),
        ({"ImageType": {"contains": r"primary\axial"}}, {"ImageType": ("DERIVED", "PRIMARY", "AXIAL")}, True),
        ({"Manufacturer": {"matches": "^g.$"}}, {"Manufacturer": "GE"}, True),
        ({"Manufacturer": {"missing": True}}, {"Manufacturer": " "}, True),
        ({"Manufacturer": {"missing": True}}, {}, True),
        ({"Manufacturer": {"present": True}}, {"Manufacturer": "GE"}, True),
        ({"Manufacturer": {"present": True}}, {"Manufacturer": ()}, False),
        ({"Manufacturer": {"not": {"contains": "GE"}}}, {"Manufacturer": "GE"}, False),
        ({"Manufacturer": {"not": {"contains": "GE"}}}, {}, True),
        ({"Modality": "US", "Rows": 5}, {"Modality": "US", "Rows": "6"}, False),
    ],
)
def test_conditions_hold_as_the_notes_define_them(when: object, file: dict[str, str], expected: bool) -> None:
    assert fits(when, **file) is expected


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "no JSON at line 1"),
        ("[]", "list of masks"),
        ('{"masks": [{}]}', "mask 1"),
        ('{"masks": [{"when": {}, "rectangles": [[0, 0, 1, 1]]}]}', "when"),
        ('{"masks": [{"when": {"Modalty": "US"}, "rectangles": [[0, 0, 1, 1]]}]}', "did you mean Modality?"),
        ('{"masks": [{"when": {"Modality": {"has": "US"}}, "rectangles": [[0, 0, 1, 1]]}]}', "has"),
        ('{"masks": [{"when": {"Modality": {"matches": "("}}, "rectangles": [[0, 0, 1, 1]]}]}', "regular"),
        ('{"masks": [{"when": {"Modality": true}, "rectangles": [[0, 0, 1, 1]]}]}', "a text"),
        ('{"masks": [{"when": {"Modality": "US"}, "rectangles": [[0, 0, 1]]}]}', "x, y, width, height"),
        ('{"masks": [{"when": {"Modality": "US"}, "rectangles": [[-1, 0, 1, 1]]}]}', "whole numbers"),
        ('{"masks": [{"when": {"Modality": "US"}, "rectangles": [[0, 0, 0, 1]]}]}', "a width and a height"),
        ('{"masks": [{"when": {"Modality": "US"}, "rectangles": []}]}', "has a list of rectangles"),
        ('{"masks": [{"when": {"Modality": "US"}, "rectangle": []}]}', "unknown key"),
        ('{"masks": [], "masks": []}', "twice"),
        ('{"masks": [], "replace": true}', "did you mean .replaces.?"),
        ('{"masks": [], "replaces": "yes"}', "true or false"),
        ("[" * 100_000, "nested"),
    ],
)
def test_what_is_no_list_of_masks_is_an_error_that_says_where(content: str, reason: str) -> None:
    with pytest.raises(SpecError, match=reason):
        parse_masks(content.encode(), "--pixelMasks m.json")


def test_masks_of_a_file_add_to_the_list_or_replace_it(tmp_path: Path) -> None:
    own = {"masks": [{"when": {"Modality": "US"}, "rectangles": [[1, 2, 3, 4]]}]}
    path = tmp_path / "m.json"
    path.write_text(json.dumps(own))
    assert len(load_masks(str(path))) == 383
    path.write_text(json.dumps(own | {"replaces": True}))
    assert [one.rectangles for one in load_masks(str(path))] == [(Rectangle(1, 2, 3, 4),)]


def test_masks_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="No such file"):
        load_masks(str(tmp_path / "none.json"))


# --- rectangles


def test_rectangles_that_overlap_are_made_disjoint() -> None:
    given = [Rectangle(0, 0, 10, 10), Rectangle(5, 5, 10, 10), Rectangle(15, 5, 2, 10)]
    assert area(given) == 100 + 100 - 25 + 20
    assert sum(one.width * one.height for one in disjoint(given)) == area(given)
    assert [band.spans for band in bands(given)] == [((0, 10),), ((0, 17),), ((5, 17),)]


def test_outside_is_what_rectangles_leave() -> None:
    inside = [Rectangle(2, 2, 4, 4), Rectangle(5, 3, 9, 2)]
    around = outside(inside, 10, 12)
    assert area((*around, *clipped(inside, 10, 12))) == 120
    assert area(around) == 120 - area(clipped(inside, 10, 12))
    assert outside([Rectangle(0, 0, 50, 50)], 10, 12) == ()


# --- conditions in the language of --where


def masks_when(text: str) -> tuple[DeviceMask, ...]:
    content = {"masks": [{"when": text, "rectangles": [[0, 0, 1, 1]]}]}
    return parse_masks(json.dumps(content).encode(), "masks", mask_test)[0]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("Modality = 'US' and Rows >= 480", True),
        ("Modality in ('CT', 'MR')", False),
        ("not Manufacturer contains 'ACME' or Rows < 480", False),
        ("ImageType = 'B' and StationName absent and StudyID empty", True),
        ("StudyDate < 20250101 and TransferSyntaxUID startsWith '1.2.840'", True),
        ("Manufacturer matches '(?i)acme +inc'", True),
    ],
)
def test_condition_of_a_mask_may_be_a_text_in_the_language_of_where(text: str, fits: bool) -> None:
    values = {
        0x00080060: ("US",),
        0x00280010: ("480",),
        0x00080070: ("ACME  Inc ",),
        0x00080008: ("A", "B"),
        0x00200010: (),
        0x00080020: ("20241231",),
        0x00020010: ("1.2.840.10008.1.2.1",),
    }
    (found,) = masks_when(text)
    assert found.fits(values.get) is fits
    assert pickle.loads(pickle.dumps(found)).fits(values.get) is fits
    assert mask_tags([found]) <= {*values, 0x00081010}


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (
            "Modalty = 'US'",
            "masks, mask 1, when: column 1: unknown keyword 'Modalty', did you mean Modality?",
        ),
        ("path contains 'x'", "the data set itself"),
        ("RequestAttributesSequence[0].StudyID present", "the data set itself"),
    ],
)
def test_condition_that_is_none_names_the_mask_and_the_column(text: str, part: str) -> None:
    with pytest.raises(SpecError, match=re.escape(part)):
        masks_when(text)


def test_command_blackens_by_a_mask_whose_condition_is_a_text(tmp_path: Path) -> None:
    made = data_set(Modality="OT", Rows=4, Columns=4, BitsAllocated=8, BitsStored=8, HighBit=7)
    made.SamplesPerPixel, made.PixelRepresentation, made.PhotometricInterpretation = 1, 0, "MONOCHROME2"
    made.PixelData = bytes([200]) * 16
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.dcm").write_bytes(written(made))
    masks = tmp_path / "masks.json"
    content = {"masks": [{"when": "Modality = 'OT' and Rows < 5", "rectangles": [[0, 0, 4, 2]]}]}
    masks.write_text(json.dumps(content))
    flags = ["--cleanPixels", "devices", "--pixelMasks", str(masks), "--cleanPixelsOf", "all"]
    done = run_command(tmp_path / "in", tmp_path / "out", *flags, "--threads", "1")
    assert done.code == 0, done.err
    assert read((tmp_path / "out" / "a.dcm").read_bytes()).PixelData == bytes(8) + bytes([200]) * 8
