"""Text that a detector finds: gone on every frame, whatever the pixels are, and nothing else changed."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pictures import LAYOUTS, Array, Layout, file_bytes, loaded, numbers, picture, stored
from support import Result, run_command

from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.pixels.finding import Finder
from pfdicom_tagSub.pixels.frames import native_frame
from pfdicom_tagSub.pixels.rectangles import Rectangle
from pfdicom_tagSub.pixels.settings import PixelSettings
from pfdicom_tagSub.run import workforce

pytest.importorskip("onnxruntime", reason="what runs the network is not installed")
ImageDraw = pytest.importorskip("PIL.ImageDraw")
ImageFilter = pytest.importorskip("PIL.ImageFilter")
ImageFont = pytest.importorskip("PIL.ImageFont")
Image = pytest.importorskip("PIL.Image")

ROWS, COLUMNS = 240, 320


def clean(folder: Path, content: bytes, *flags: str) -> tuple[Result, bytes]:
    source = folder / "in"
    source.mkdir(exist_ok=True)
    (source / "a.dcm").write_bytes(content)
    spec = ("--tagStruct", '{"PatientName": "ANON"}', "--json")
    result = run_command(source, folder / "out", *spec, "--cleanPixels", "text", *flags)
    output = folder / "out" / "a.dcm"
    return result, output.read_bytes() if output.exists() else b""


def texture() -> Array:
    """Smooth grey, darker than text, from 0 to 1."""
    y, x = np.mgrid[0:ROWS, 0:COLUMNS]
    return 0.2 + 0.1 * np.sin(x / 40) + 0.1 * np.cos(y / 55)


def lettering(text: str, x: int, y: int, size: int = 18) -> Array:
    """Where a text is, as flags."""
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((x, y), text, fill=255, font=ImageFont.load_default(size))
    return np.asarray(plane) > 100


def values_of(layout: Layout, shades: Array) -> Array:
    """Shades from 0 to 1, (frames, rows, columns), as numbers of a layout."""
    least = -(1 << layout.bits - 1) if layout.signed else 0
    scale = (1 << layout.bits) - 1
    if layout.photometric == "MONOCHROME1":
        shades = 1 - shades
    if layout.photometric == "PALETTE COLOR":
        return np.clip((shades * 11).astype(np.int64) + 4, 4, 15)[..., None]
    if layout.bits == 1:
        return (shades > 0.5).astype(np.int64)[..., None]
    made = (least + shades * scale).astype(np.int64)[..., None]
    if layout.photometric.startswith("YBR"):
        return np.concatenate([made, np.full_like(made, 128), np.full_like(made, 128)], axis=-1)
    return np.repeat(made, layout.samples, axis=-1)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda one: one.name)
def test_text_is_gone_and_everything_outside_of_its_rectangles_is_as_it_was(
    tmp_path: Path, layout: Layout
) -> None:
    text = lettering("DOE JANE 1954", 60, 100)
    shades = np.where(text, 0.95, texture())[None]
    values = values_of(layout, shades)
    content = file_bytes(picture(layout, rows=ROWS, columns=COLUMNS, values=values))
    result, output = clean(tmp_path, content, "--verify")
    assert result.code == 0, result.out
    (told,) = result.record["pixelsCleaned"]
    assert told["methods"] == ["text"]
    after = loaded(layout, pydicom.dcmread(io.BytesIO(output)).PixelData, values.shape)
    before = loaded(layout, stored(layout, values), values.shape)
    flags = np.zeros((ROWS, COLUMNS), bool)
    for one in told["rectangles"]:
        flags[one["y"] : one["y"] + one["height"], one["x"] : one["x"] + one["width"]] = True
    assert flags[text].all()
    assert flags.mean() < 0.15
    assert (after[0][flags] == layout.black).all()
    assert (after[0][~flags] == before[0][~flags]).all()
    assert result.record["pixelReview"] == []


def test_text_on_one_frame_of_many_is_masked_there_alone_unless_all_are_asked_for(tmp_path: Path) -> None:
    layout = LAYOUTS[0]
    shades = np.repeat(texture()[None], 5, axis=0)
    shades[3][lettering("DOE JANE", 60, 100)] = 0.95
    values = values_of(layout, shades)
    content = file_bytes(picture(layout, frames=5, rows=ROWS, columns=COLUMNS, values=values))
    result, output = clean(tmp_path, content)
    (told,) = result.record["pixelsCleaned"]
    assert {one["frame"] for one in told["rectangles"]} == {4}
    assert told["frames"] == 1
    after = loaded(layout, pydicom.dcmread(io.BytesIO(output)).PixelData, values.shape)
    assert (after[[0, 1, 2, 4]] == values[[0, 1, 2, 4]]).all()
    result, _ = clean(tmp_path, content, "--maskAllFrames", "--overwrite")
    (told,) = result.record["pixelsCleaned"]
    assert {one["frame"] for one in told["rectangles"]} == {None}


def masked_frames(folder: Path, layout: Layout, values: Array) -> list[list[dict[str, int]]]:
    """The rectangles on each frame."""
    count, rows, columns, _ = values.shape
    made = picture(layout, frames=count, rows=rows, columns=columns, values=values)
    result, _ = clean(folder, file_bytes(made), "--cleanPixelsOf", "all")
    assert result.code == 0, result.out
    found: list[list[dict[str, int]]] = [[] for _ in range(count)]
    for told in result.record["pixelsCleaned"]:
        for one in told["rectangles"]:
            for frame in range(count) if one["frame"] is None else [one["frame"] - 1]:
                found[frame].append(one)
    return found


def covers(rectangles: list[dict[str, int]], text: Array) -> bool:
    flags = np.zeros(text.shape, bool)
    for one in rectangles:
        flags[one["y"] : one["y"] + one["height"], one["x"] : one["x"] + one["width"]] = True
    return bool(flags[text].all())


@pytest.mark.parametrize("name", ["mono2-8", "mono2-12-of-16"])
def test_text_that_comes_moves_and_goes_over_noise_that_changes_is_masked_on_each_frame(
    tmp_path: Path, name: str
) -> None:
    layout = next(one for one in LAYOUTS if one.name == name)
    texts = [None, (60, 100), (60, 100), (120, 30), None]
    random = np.random.default_rng(3)
    shades = np.repeat(texture()[None], len(texts), axis=0) + random.normal(0, 0.01, (5, ROWS, COLUMNS))
    places = [lettering("DOE JANE", *at) if at else np.zeros((ROWS, COLUMNS), bool) for at in texts]
    for frame, text in enumerate(places):
        shades[frame][text] = 0.7
    found = masked_frames(tmp_path, layout, values_of(layout, np.clip(shades, 0, 1)))
    assert all(covers(own, text) for own, text in zip(found, places, strict=True))
    assert found[0] == found[4] == []


@pytest.mark.parametrize("has_grains", [False, True])
def test_masks_move_with_the_text_and_leave_no_trail(tmp_path: Path, *, has_grains: bool) -> None:
    count, step = 9, (9, 4)
    ground = speckle(ROWS, COLUMNS) * 1.8 if has_grains else texture()
    shades = np.repeat(ground[None], count, axis=0)
    places = [lettering("DOE JANE", 20 + step[0] * frame, 40 + step[1] * frame) for frame in range(count)]
    still = lettering("4711", 230, 200)
    for frame, text in enumerate(places):
        shades[frame][text | still] = 0.95
    found = masked_frames(tmp_path, LAYOUTS[0], values_of(LAYOUTS[0], shades))
    assert all(covers(own, text | still) for own, text in zip(found, places, strict=True))
    areas = [sum(one["width"] * one["height"] for one in own) for own in found]
    assert max(areas) < 1.5 * areas[0]


def test_what_stays_of_a_line_that_changes_stays_masked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pfdicom_tagSub.pixels.detecting import TextFinder
    from pfdicom_tagSub.pixels.letters import LetterFinder

    texts = TextFinder.texts
    looks: list[object] = []

    def first_alone(self: TextFinder, *given: Any) -> tuple[Rectangle, ...]:
        """As a detector that misses on later frames what it found on the first."""
        looks.append(given)
        if len(looks) > 1:
            monkeypatch.setattr(LetterFinder, "lines", lambda *_: ())
        return texts(self, *given)

    monkeypatch.setattr(TextFinder, "texts", first_alone)
    monkeypatch.setattr(workforce, "may_crash", lambda _: False)  # what is set here is set there, too
    shades = np.repeat(texture()[None], 3, axis=0)
    name = lettering("DOE JANE", 60, 100)
    for frame in range(3):
        shades[frame][name | lettering(f" :{frame}", 150, 100)] = 0.95
    found = masked_frames(tmp_path, LAYOUTS[0], values_of(LAYOUTS[0], shades))
    assert all(covers(own, name) for own in found)


def test_of_a_frame_only_what_is_new_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pfdicom_tagSub.pixels.detecting import TextFinder
    from pfdicom_tagSub.pixels.letters import LetterFinder

    seen: list[int] = []
    likely, texts = LetterFinder.likely, TextFinder.texts

    def counted(self: LetterFinder, views: Array) -> Any:
        seen[-1] += views.shape[1] * views.shape[2]
        return likely(self, views)

    def new(self: TextFinder, *given: Any) -> object:
        seen.append(0)
        return texts(self, *given)

    monkeypatch.setattr(LetterFinder, "likely", counted)
    monkeypatch.setattr(TextFinder, "texts", new)
    monkeypatch.setattr(workforce, "may_crash", lambda _: False)  # what is noted here is noted there, too
    shades = np.repeat(texture()[None], 4, axis=0)
    shades[:, lettering("DOE JANE", 60, 100)] = 0.95
    shades[2:, 200, 300] = 0.9  # a pixel, which is no text
    shades[3, lettering("4711", 200, 20)] = 0.95
    found = masked_frames(tmp_path, LAYOUTS[0], values_of(LAYOUTS[0], shades))
    assert all(covers(own, lettering("DOE JANE", 60, 100)) for own in found)
    assert covers(found[3], lettering("4711", 200, 20))
    assert not covers(found[2], lettering("4711", 200, 20))
    assert len(seen) == 3
    assert max(seen[1:]) < ROWS * COLUMNS * 0.7


@pytest.mark.parametrize("more", [3, 40])
def test_text_that_no_header_names_a_window_for_is_found(tmp_path: Path, more: int) -> None:
    layout = next(one for one in LAYOUTS if one.name == "signed-16")
    values = np.full((1, ROWS, COLUMNS, 1), -1000, np.int64)
    values[0, 150:230, 5:310] = 3000
    text = lettering("DOE JANE", 60, 60)
    values[0, text] += more
    assert covers(masked_frames(tmp_path, layout, values)[0], text)


def test_text_that_shows_only_in_the_window_of_the_header_is_found(tmp_path: Path) -> None:
    layout = next(one for one in LAYOUTS if one.name == "signed-16")
    values = np.full((1, ROWS, COLUMNS, 1), -1000, np.int64)
    values[0, 5:230, 5:310] = 20
    values[0, 200:225, 280:305] = 3000
    values[0, lettering("DOE JANE", 60, 100)] = 60
    made = picture(layout, rows=ROWS, columns=COLUMNS, values=values)
    made.WindowCenter, made.WindowWidth, made.RescaleIntercept, made.RescaleSlope = 40, 80, 0, 1
    result, _ = clean(tmp_path, file_bytes(made))
    assert len(result.record["pixelsCleaned"]) == 1


def test_pictures_without_text_keep_every_bit_and_stay_for_review(tmp_path: Path) -> None:
    values = values_of(LAYOUTS[0], texture()[None])
    result, output = clean(tmp_path, file_bytes(picture(rows=ROWS, columns=COLUMNS, values=values)))
    assert result.record["pixelsCleaned"] == []
    assert "nothing was blackened" in result.record["pixelReview"][0]["reason"]
    assert (loaded(LAYOUTS[0], pydicom.dcmread(io.BytesIO(output)).PixelData, values.shape) == values).all()


def speckle(rows: int, columns: int) -> Array:
    """Ultrasound, from 0 to 1."""
    random = np.random.default_rng(11)
    grains = random.rayleigh(0.35, (rows, columns)) * 255
    shown = Image.fromarray(np.clip(grains, 0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.8))
    return np.asarray(shown) / 255 * 0.5


@pytest.mark.parametrize(
    ("text", "size", "blur"), [("LT", 19, 0.0), ("KA", 23, 0.7), ("RT", 14, 0.0), ("F 067Y", 11, 0.7)]
)
def test_marks_of_two_letters_and_small_blurred_words_in_speckle_are_found(
    tmp_path: Path, text: str, size: int, blur: float
) -> None:
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((150, 110), text, fill=255, font=ImageFont.load_default(size))
    alpha = np.asarray(plane.filter(ImageFilter.GaussianBlur(blur)) if blur else plane) / 255
    shades = speckle(ROWS, COLUMNS) * (1 - alpha) + alpha
    found = masked_frames(tmp_path, LAYOUTS[0], values_of(LAYOUTS[0], shades[None]))
    assert covers(found[0], alpha > 0.5)


def test_small_line_that_stands_is_found(tmp_path: Path) -> None:
    plane = Image.new("L", (COLUMNS, ROWS))
    ImageDraw.Draw(plane).text((60, 100), "Kim Jong-Su 1954", fill=255, font=ImageFont.load_default(12))
    alpha = np.rot90(np.asarray(plane) / 255, 1)
    shades = texture().T * (1 - alpha) + 0.7 * alpha
    rows, columns = np.where(alpha > 0.5)
    place = slice(rows.min() - 40, rows.max() + 40), slice(columns.min() - 40, columns.max() + 40)
    square = np.repeat(texture()[:1, :1], ROWS, 0).repeat(COLUMNS, 1)
    ink = np.zeros((ROWS, COLUMNS), bool)
    part = shades[place][:ROWS, :COLUMNS]
    square[: part.shape[0], : part.shape[1]] = part
    ink[: part.shape[0], : part.shape[1]] = (alpha > 0.5)[place][:ROWS, :COLUMNS]
    found = masked_frames(tmp_path, LAYOUTS[2], values_of(LAYOUTS[2], square[None]))
    assert covers(found[0], ink)


def test_small_word_that_touches_the_edge_of_a_picture_is_found(tmp_path: Path) -> None:
    plane = Image.new("L", (COLUMNS, ROWS))
    font = ImageFont.load_default(10)
    left, _, _, bottom = (int(one) for one in font.getbbox("Doe"))
    ImageDraw.Draw(plane).text((20 - left, ROWS - bottom), "Doe", fill=255, font=font)
    alpha = np.asarray(plane) / 255
    shades = speckle(ROWS, COLUMNS) * 0.3 * (1 - alpha) + alpha
    found = masked_frames(tmp_path, LAYOUTS[0], values_of(LAYOUTS[0], shades[None]))
    assert covers(found[0], alpha > 0.5)


def test_high_letters_of_a_large_picture_are_found(tmp_path: Path) -> None:
    rows = columns = 1200
    ground = np.add.outer(np.linspace(0.2, 0.4, rows), np.linspace(0, 0.2, columns))
    ground += np.random.default_rng(5).normal(0, 0.01, ground.shape)
    plane = Image.new("L", (columns, rows))
    ImageDraw.Draw(plane).text((500, 700), "Dr. Weiss", fill=255, font=ImageFont.load_default(62))
    alpha = np.asarray(plane.filter(ImageFilter.GaussianBlur(0.8))) / 255
    values = values_of(LAYOUTS[2], (ground * (1 - alpha) + 0.9 * alpha)[None])
    found = masked_frames(tmp_path, LAYOUTS[2], values)
    assert covers(found[0], alpha > 0.5)


def test_other_methods_need_no_package_of_the_detector() -> None:
    code = """
import sys
import pfdicom_tagSub.engine.pixel_cleaning, pfdicom_tagSub.report.review_sheet
print([one for one in ("cv2", "onnxruntime") if one in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_detector_computes_in_one_thread() -> None:
    code = """
import os, threading
import numpy as np
from pfdicom_tagSub.pixels.letters import LetterFinder
from pfdicom_tagSub.pixels.rectangles import Rectangle

def others():
    own = str(threading.get_native_id())
    tasks = [one for one in os.listdir("/proc/self/task") if one != own]
    stats = [open(f"/proc/self/task/{one}/stat").read() for one in tasks]
    return sum(int(one.rpartition(")")[2].split()[11]) for one in stats)

finder = LetterFinder()
before = others()
picture = np.random.default_rng(1).integers(0, 255, (500, 500)).astype(np.uint8)
list(finder.lines(picture, [Rectangle(0, 0, 500, 500)]))
print(others() - before)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 1


def test_detector_that_crashes_fails_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pfdicom_tagSub.pixels.detecting import TextFinder

    def crash(*_: object) -> None:
        raise RuntimeError("DOE JANE")

    monkeypatch.setattr(TextFinder, "texts", crash)
    result, output = clean(tmp_path, file_bytes(picture(values=numbers(LAYOUTS[0], 1, 40, 60))))
    assert result.code == 1
    assert not output
    (failure,) = result.record["failures"]
    assert failure["stage"] == "pixels"
    assert failure["reason"] == "the detector of text failed: RuntimeError"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone")
@pytest.mark.parametrize("threads", ["0", "1", "2"])
def test_detector_that_ends_its_process_fails_its_file_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: str
) -> None:
    from pfdicom_tagSub.pixels.detecting import TextFinder

    run = os.getpid()

    def crash(_: object, shown: Array, *_others: object) -> tuple[()]:
        if shown.shape == (50, 60):
            assert os.getpid() != run
            os.kill(os.getpid(), signal.SIGKILL)
        return ()

    monkeypatch.setattr(TextFinder, "texts", crash)
    (tmp_path / "in").mkdir()
    for number in range(5):
        content = file_bytes(picture(rows=50 if number == 2 else 40))
        (tmp_path / "in" / f"{number}.dcm").write_bytes(content)
    spec = ("--tagStruct", '{"PatientName": "ANON"}', "--json", "--threads", threads)
    result = run_command(tmp_path / "in", tmp_path / "out", "--cleanPixels", "text", *spec)
    assert result.code == 1
    (failure,) = result.record["failures"]
    assert failure["path"] == "2.dcm"
    assert "the worker that processed it died" in failure["reason"]
    assert sorted(os.listdir(tmp_path / "out")) == ["0.dcm", "1.dcm", "3.dcm", "4.dcm"]


@pytest.mark.parametrize("side", [5793, 60000])
def test_frames_that_claim_to_be_vast_fail(tmp_path: Path, side: int) -> None:
    made = picture()
    made.Rows = made.Columns = side
    result, output = clean(tmp_path, file_bytes(made))
    assert result.code == 1
    assert not output
    assert "too large to be looked at for text (33,554,432 samples" in json.dumps(result.record["failures"])


def test_used_bits_are_numbers_of_few_bytes() -> None:
    for layout in LAYOUTS:
        if layout.samples > 1 or layout.allocated == 1:
            continue
        content = file_bytes(picture(layout, values=numbers(layout, 1, 40, 60)))
        finder = Finder(PixelSettings(()))
        file = parse(BytesSource(content))
        image = finder.image(finder.root_of(file))
        assert image is not None
        found = native_frame(file.data.source, image, 0)
        assert found.dtype.itemsize == (8 if layout.allocated == 32 else 4)
        assert (found == numbers(layout, 1, 40, 60)[0, ..., 0]).all()
