"""What is drawn like text, and what a detector only takes for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("rapidocr_onnxruntime", reason="the detector of text is not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

evidence = pytest.importorskip("pfdicom_tagSub.pixels.text_evidence")
evidence_of = evidence.evidence_of
grown, is_drawn = evidence.grown, evidence.is_drawn


def lettering(text: str, size: int = 18, ground: int = 60, ink: int = 240) -> tuple[Any, tuple[int, ...]]:
    plane = Image.new("L", (300, 60), ground)
    font = ImageFont.load_default(size)
    ImageDraw.Draw(plane).text((20, 20), text, fill=ink, font=font)
    box = tuple(int(one) for one in ImageDraw.Draw(plane).textbbox((20, 20), text, font=font))
    return np.asarray(plane), box


@pytest.mark.parametrize(("ground", "ink"), [(60, 240), (200, 10), (100, 150)])
@pytest.mark.parametrize("size", [10, 18, 28])
def test_letters_are_drawn(size: int, ground: int, ink: int) -> None:
    grey, (left, top, right, bottom) = lettering("DOE^JANE 47", size, ground, ink)
    found = evidence_of(grey[top:bottom, left:right])
    assert is_drawn(found, bottom - top, right - left)


def test_soft_edges_noise_and_squares_are_not() -> None:
    y, x = np.mgrid[0:30, 0:120]
    waves = (120 + 100 * np.sin(x / 9) * np.cos(y / 9)).astype(np.uint8)
    assert not is_drawn(evidence_of(waves), 30, 120)
    noise = np.random.default_rng(1).integers(0, 255, (30, 120)).astype(np.uint8)
    assert not is_drawn(evidence_of(noise), 30, 120)
    grey, (left, top, right, bottom) = lettering("DOE", 18)
    assert not is_drawn(evidence_of(grey[top:bottom, left:right]), 60, 70)
    assert not is_drawn(evidence_of(np.full((20, 80), 7, np.uint8)), 20, 80)


def test_line_grows_over_letters_that_were_cut_off_and_no_further() -> None:
    grey, (left, top, right, bottom) = lettering("DOE JANE 1954")
    cut = left + (right - left) // 2
    found = evidence_of(grey[top:bottom, left:cut])
    assert found is not None
    _, _, end, _ = grown(grey, (left, top, cut, bottom), found)
    assert right - 4 <= end <= right + 2 * (bottom - top)
    start, _, _, _ = grown(grey, (cut, top, right, bottom), found)
    assert left - 2 * (bottom - top) <= start <= left + 4


def test_line_grows_over_a_gap_that_is_wider_than_its_letters_are_high() -> None:
    grey, (left, top, right, bottom) = lettering("DOE JANE 1954")
    height, cut = bottom - top, left + (right - left) * 3 // 4
    gap = np.full((grey.shape[0], round(1.4 * height)), grey[0, 0], np.uint8)
    wide = np.hstack([grey[:, :cut], gap, grey[:, cut:]])
    found = evidence_of(grey[top:bottom, left:cut])
    assert found is not None
    _, _, end, _ = grown(wide, (left, top, cut, bottom), found)
    assert end >= right + gap.shape[1] - 4


def test_soft_shapes_that_are_high_and_short_are_not_drawn() -> None:
    found = evidence.Evidence(sharp=0.5, strokes=3.0, same=0.3, ink=200, contrast=100)
    assert is_drawn(found, 20, 45, score=0.6)
    assert not is_drawn(found, 30, 65, score=0.6)
    in_noise = evidence.Evidence(sharp=0.5, strokes=3.0, same=0.02, ink=200, contrast=100)
    assert is_drawn(in_noise, 20, 90, score=0.6)
    assert not is_drawn(in_noise, 20, 45, score=0.6)


def test_what_a_detector_is_sure_of_may_be_drawn_less_clearly() -> None:
    blurred = evidence.Evidence(sharp=0.53, strokes=2.5, same=0.21, ink=200, contrast=100)
    assert is_drawn(blurred, 25, 42, score=0.9)
    assert not is_drawn(blurred, 25, 42, score=0.6)
    in_speckle = evidence.Evidence(sharp=0.53, strokes=2.5, same=0.03, ink=200, contrast=100)
    assert is_drawn(in_speckle, 15, 42, score=0.8)
    assert not is_drawn(in_speckle, 15, 42, score=0.6)
    outlined = evidence.Evidence(sharp=0.92, strokes=9.0, same=0.24, ink=200, contrast=138)
    assert is_drawn(outlined, 25, 55, score=0.9)
    assert not is_drawn(outlined, 25, 55, score=0.6)


def test_one_letter_or_two_need_a_detector_that_is_sure_the_more_the_more_noise_there_is() -> None:
    letter = evidence.Evidence(sharp=0.55, strokes=2.5, same=0.1, ink=200, contrast=100)
    assert is_drawn(letter, 18, 20, score=0.55)
    assert not is_drawn(letter, 18, 20, score=0.45)
    assert not is_drawn(letter, 38, 40, score=0.9)
    in_noise = evidence.Evidence(sharp=0.55, strokes=2.5, same=0.03, ink=200, contrast=100)
    assert is_drawn(in_noise, 18, 20, score=0.85)
    assert not is_drawn(in_noise, 18, 20, score=0.7)


def test_edge_of_a_panel_is_no_line_of_letters() -> None:
    edge = evidence.Evidence(sharp=0.9, strokes=0.2, same=0.8, ink=200, contrast=100)
    assert not is_drawn(edge, 23, 53, score=0.75)
    assert is_drawn(edge, 18, 96, score=0.75)


def test_numbers_of_a_place_take_the_whole_range() -> None:
    shown = evidence.scaled(np.array([[1000, 1010], [1020, 1030]]))
    assert shown.min() < 5
    assert shown.max() > 250
    assert not evidence.scaled(np.full((4, 4), 7)).any()


def test_in_small_pictures_marks_and_short_words_are_small() -> None:
    found = evidence.Evidence(sharp=0.7, strokes=3.0, same=0.05, ink=200, contrast=100)
    assert evidence.is_too_high(found, found, 16, 18, 0.8, 64)
    assert evidence.is_too_high(found, found, 30, 57, 0.8, 128)
    assert not evidence.is_too_high(found, found, 15, 41, 0.8, 64)
    assert not evidence.is_too_high(found, found, 12, 14, 0.8, 128)
    assert not evidence.is_too_high(found, found, 34, 40, 0.8, 480)


def test_in_small_pictures_what_is_drawn_clearly_on_even_ground_may_be_higher() -> None:
    for same, sharp, score, height, expected in (
        (0.25, 0.85, 0.8, 12, False),
        (0.15, 0.85, 0.8, 12, True),
        (0.15, 0.85, 0.8, 10, False),
        (0.25, 0.7, 0.8, 12, True),
        (0.25, 0.85, 0.6, 12, True),
        (0.25, 0.85, 0.8, 20, True),
    ):
        found = evidence.Evidence(sharp=sharp, strokes=2.0, same=same, ink=200, contrast=100)
        assert evidence.is_too_high(found, found, height, 2 * height, score, 64) is expected
        noise = evidence.Evidence(sharp=sharp, strokes=2.0, same=0.01, ink=200, contrast=100)
        assert evidence.is_too_high(found, noise, height, 2 * height, score, 64)


def test_line_that_is_clear_where_it_was_found_is_not_judged_by_what_lies_beside_it() -> None:
    clear = evidence.Evidence(sharp=0.85, strokes=4.0, same=0.1, ink=200, contrast=100)
    faint = evidence.Evidence(sharp=0.65, strokes=4.0, same=0.1, ink=200, contrast=100)
    beside = evidence.Evidence(sharp=0.1, strokes=0.1, same=0.1, ink=200, contrast=100)
    grains = evidence.Evidence(sharp=0.7, strokes=9.0, same=0.1, ink=200, contrast=100)
    assert evidence.telling([clear, grains, None], 14, 80, 0.85) == [clear]
    assert evidence.telling([clear, grains], 14, 40, 0.85) == [clear, grains]
    assert evidence.telling([faint, grains], 14, 80, 0.85) == [faint, grains]
    assert evidence.telling([faint, beside], 14, 80, 0.75) == [faint]
    assert evidence.telling([faint, beside], 14, 80, 0.6) == [faint, beside]
    assert evidence.telling([None, clear], 14, 80, 0.9) == [None, clear]


def test_standing_line_is_followed_as_one_that_lies() -> None:
    grey, (left, top, right, bottom) = lettering("DOE^JANE 47")
    cut = left + (right - left) // 2
    found = evidence_of(grey[top:bottom, left:cut])
    lying = grown(grey, (left, top, cut, bottom), found)
    standing = grown(np.ascontiguousarray(grey.T), (top, left, bottom, cut), found)
    assert standing == (lying[1], lying[0], lying[3], lying[2])
    assert lying[2] >= right - 4


def test_line_is_followed_over_ground_on_which_its_ink_looks_other() -> None:
    grey, (left, top, right, bottom) = lettering("DOE^JANE 47", ground=20, ink=100)
    cut = left + (right - left) // 2
    found = evidence_of(grey[top:bottom, left:cut])
    lighter = grey.copy()
    lighter[:, cut:] += 120
    _, _, end, _ = grown(lighter, (left, top, cut, bottom), found)
    assert right - 4 <= end <= right + 2 * (bottom - top)


def test_curve_on_even_ground_is_no_line_of_letters() -> None:
    curve = evidence.Evidence(sharp=1.0, strokes=1.8, same=0.96, ink=200, contrast=100)
    assert not is_drawn(curve, 47, 490, score=0.85)
    assert is_drawn(curve, 20, 200, score=0.85)
    letters = evidence.Evidence(sharp=0.9, strokes=1.8, same=0.5, ink=200, contrast=100)
    assert is_drawn(letters, 30, 200, score=0.85)


def test_part_of_a_picture_is_reduced_and_never_enlarged() -> None:
    grey = np.zeros((40, 90), np.uint8)
    assert evidence.reduced(grey, 2.0).shape == (20, 45)
    assert evidence.reduced(grey, 0.5) is grey
