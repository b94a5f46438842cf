"""The review sheet: what is on it, who can read it, and what a reviewer does with it in a browser."""

from __future__ import annotations

import base64
import io
import itertools
import json
import os
import re
import signal
import stat
import subprocess
import sys
import zipfile
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import needs_browser, played
from pictures import LAYOUTS, Layout, file_bytes, numbers, picture, region
from pydicom import uid
from pydicom.dataset import Dataset
from support import Result, run_command

from pfdicom_tagSub.cli import argument_checks, command
from pfdicom_tagSub.cli import parser as cli
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import CleanedPixels, PixelRectangle
from pfdicom_tagSub.dicom.file import parse
from pfdicom_tagSub.dicom.sources import BytesSource
from pfdicom_tagSub.pixels import windows
from pfdicom_tagSub.pixels.device_masks import parse_masks
from pfdicom_tagSub.pixels.finding import Finder
from pfdicom_tagSub.pixels.settings import PixelSettings
from pfdicom_tagSub.report import review_sheet
from pfdicom_tagSub.report.totals import Totals

Image = pytest.importorskip("PIL.Image")

SPEC = ("--tagStruct", '{"PatientName": "ANON"}', "--json")
REGION = region(10, 8, 49, 39)


def inputs(folder: Path, count: int = 1) -> Path:
    source = folder / "in"
    source.mkdir()
    for number in range(count):
        made = picture(frames=3, Manufacturer="ACME", SOPInstanceUID=f"1.2.{number}")
        made.SequenceOfUltrasoundRegions = [REGION]
        (source / f"{number:03}.dcm").write_bytes(file_bytes(made))
    return source


def sheet_of(folder: Path, *flags: str, count: int = 1) -> tuple[Result, Path]:
    page = folder / "sheet.html"
    source = folder / "in" if (folder / "in").exists() else inputs(folder, count)
    result = run_command(source, folder / "out", *SPEC, "--reviewSheet", str(page), *flags)
    return result, page


def told(page: Path) -> list[dict[str, Any]]:
    """What the page holds of each file."""
    blocks = re.findall(
        r'<script type="application/json" class="file">(.*?)</script>', page.read_text(), re.S
    )
    return [json.loads(block) for block in blocks]


def decoded(text: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(text))).convert("L")).astype(int)


def test_sheet_has_frames_and_maximum_before_and_after(tmp_path: Path) -> None:
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    assert result.code == 0, result.err
    (file,) = told(page)
    assert file["path"] == "000.dcm"
    assert file["methods"] == ["regions"]
    assert [one["name"] for one in file["pictures"]] == [
        "frame 1 of 3",
        "frame 2 of 3",
        "frame 3 of 3",
        "maximum of 3 frames",
    ]
    values = numbers(LAYOUTS[0], 3, 40, 60)[..., 0]
    for one, wanted in zip(file["pictures"], [*values, values.max(axis=0)], strict=True):
        before, after = decoded(one["before"]), decoded(one["after"])
        assert np.abs(before - wanted).mean() < 25  # noise, in JPEG
        assert after[:6].max() < 40
        assert np.abs(after[20:36, 20:44] - before[20:36, 20:44]).max() < 40
        assert [0, 0, 60, 8] in one["rectangles"]
    record = result.record
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert record["pixelsCleaned"][0]["path"] == "000.dcm"


def test_sheet_of_a_dry_run_shows_the_same(tmp_path: Path) -> None:
    flags = ("--cleanPixels", "regions")
    first, page = sheet_of(tmp_path, *flags, "--dryRun")
    assert first.code == 0, first.err
    assert not (tmp_path / "out").exists()
    dry = told(page)
    second, page = sheet_of(tmp_path, *flags)
    assert second.code == 0
    assert told(page) == dry
    assert "dry run" not in page.read_text().partition("</h1>")[0]


def test_sheet_lists_what_is_for_review_under_a_profile(tmp_path: Path) -> None:
    page = tmp_path / "sheet.html"
    result = run_command(
        inputs(tmp_path), tmp_path / "out", "--profile", "basic", "--reviewSheet", str(page), "--json",
        "--tagStruct", "{}",
    )  # fmt: skip
    assert result.code == 0, result.err
    (file,) = told(page)
    assert "ultrasound" in file["reason"]
    assert file["methods"] == []
    assert all(one["after"] == "" for one in file["pictures"])
    assert file["device"]["Manufacturer"] == "ACME"
    assert file["device"]["ManufacturerModelName"] == {"missing": True}


def test_masks_of_single_frames_are_on_these_alone(tmp_path: Path) -> None:
    source = inputs(tmp_path)
    cleaned = CleanedPixels(("text",), (PixelRectangle(4, 5, 20, 10, frame=1),), 1, 0, 0)
    report = replace(Totals().finish(ExitCode.OK, 0.0, ""), pixels_cleaned=(("000.dcm", cleaned),))
    page = tmp_path / "sheet.html"
    review_sheet.ReviewSheet.at(str(page)).write(report, str(source), follow_links=False)
    (file,) = told(page)
    assert [one["rectangles"] for one in file["pictures"]] == [[], [[4, 5, 20, 10]], [], [[4, 5, 20, 10]]]
    assert decoded(file["pictures"][1]["after"])[7:13, 8:20].max() < 60
    assert file["pictures"][0]["after"] == ""


def test_pictures_are_windowed_as_the_file_asks(tmp_path: Path) -> None:
    layout = Layout("mono2-16", "MONOCHROME2", 16, 12)
    values = np.tile(np.arange(60) * 40, (40, 1)).reshape(1, 40, 60, 1)
    source = tmp_path / "in"
    source.mkdir()
    made = picture(layout, values=values, WindowCenter="400", WindowWidth="400", RescaleSlope="1")
    made.RescaleIntercept = "0"
    (source / "a.dcm").write_bytes(file_bytes(made))
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    (file,) = told(page)
    shown = decoded(file["pictures"][0]["before"])
    assert shown[:, :4].max() < 25
    assert shown[:, 17:].min() > 230


RAMP = np.tile(np.arange(60) * 40, (40, 1))


def grouped(*windows: tuple[str, str], rescale: tuple[str, str] = ("0", "1")) -> list[Dataset]:
    """Items of functional groups with windows."""
    made = []
    for centre, width in windows:
        item, shown, values = Dataset(), Dataset(), Dataset()
        shown.WindowCenter, shown.WindowWidth = centre, width
        values.RescaleIntercept, values.RescaleSlope = rescale
        item.FrameVOILUTSequence = [shown]
        item.PixelValueTransformationSequence = [values]
        made.append(item)
    return made


def enhanced(frames: int = 3, **elements: Any) -> Dataset:
    layout = Layout("mono2-16", "MONOCHROME2", 16, 12)
    values = np.stack([RAMP] * frames)[..., None]
    return picture(layout, frames=frames, values=values, **elements)


def edges_shown(folder: Path, made: Dataset) -> list[tuple[int, int]]:
    """The last stored number that is black and the first that is white, in each picture."""
    source = folder / "in"
    source.mkdir()
    (source / "a.dcm").write_bytes(file_bytes(made))
    _, page = sheet_of(folder, "--cleanPixels", "regions")
    (file,) = told(page)
    assert file["problem"] == ""
    found = []
    for one in file["pictures"]:
        column = decoded(one["before"]).mean(axis=0)
        found.append((int(np.flatnonzero(column < 20)[-1]) * 40, int(np.flatnonzero(column > 235)[0]) * 40))
    return found


FIRST, SECOND, THIRD = (200, 600), (600, 1000), (1000, 1400)


@pytest.mark.parametrize("syntax", [uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian])
@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize(
    ("shared", "own", "wanted"),
    [
        ([("400", "400")], [], [FIRST, FIRST, FIRST, FIRST]),
        ([], [("400", "400"), ("800", "400"), ("1200", "400")], [FIRST, SECOND, THIRD, FIRST]),
        ([("400", "400")], [("800", "400")] * 3, [SECOND] * 4),
        ([], [("800", "400")], [SECOND, FIRST, FIRST, SECOND]),
    ],
    ids=["shared", "own", "both", "too few"],
)
def test_frames_are_shown_in_the_windows_of_their_functional_groups(
    tmp_path: Path, shared: list[Any], own: list[Any], wanted: list[Any], undefined: bool, syntax: str
) -> None:
    made = enhanced(WindowCenter="400", WindowWidth="400", syntax=syntax)
    for keyword, items in (("SharedFunctionalGroupsSequence", shared),
                           ("PerFrameFunctionalGroupsSequence", own)):  # fmt: skip
        if items:
            setattr(made, keyword, grouped(*items))
            made[keyword].is_undefined_length = undefined
            for item in made[keyword].value:
                item.is_undefined_length_sequence_item = undefined
    for shown, (least, most) in zip(edges_shown(tmp_path, made), wanted, strict=True):
        assert abs(shown[0] - least) <= 80
        assert abs(shown[1] - most) <= 80


def test_rescaling_of_functional_groups_is_undone_in_windows(tmp_path: Path) -> None:
    made = enhanced(RescaleIntercept="7000", RescaleSlope="1")
    made.SharedFunctionalGroupsSequence = grouped(("600", "800"), rescale=("-200", "2"))
    for shown in edges_shown(tmp_path, made):
        assert abs(shown[0] - 200) <= 80
        assert abs(shown[1] - 600) <= 80


def test_functional_groups_of_frames_that_are_not_shown_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    made = enhanced(frames=20)
    made.PerFrameFunctionalGroupsSequence = grouped(*[(str(number), "10") for number in range(1, 21)])
    finder = Finder(PixelSettings(()), windows.GROUPS)
    root = finder.root_of(parse(BytesSource(file_bytes(made))))
    assert all(root.elements[tag].items is None for tag in windows.GROUPS & root.elements.keys())
    found = windows.FrameWindows(root)
    read = []
    scan = windows.scan
    monkeypatch.setattr(windows, "scan", lambda *given: read.append(given) or scan(*given))
    assert found.of(10) == ((6.0, 16.0),)
    assert found.of(19) == ((15.0, 25.0),)
    assert len(read) == 2


def test_functional_groups_that_cannot_be_read_leave_the_window_of_the_file(tmp_path: Path) -> None:
    made = enhanced(WindowCenter="400", WindowWidth="400")
    made.SharedFunctionalGroupsSequence = grouped(("1200", "400"))
    content = file_bytes(made)
    start = content.index(b"\x28\0\x32\x91SQ\0\0") + 8
    finder = Finder(PixelSettings(()), windows.GROUPS)
    for spoilt in (content, content[:start] + b"\xff\xff\0\0" + content[start + 4 :]):
        found = windows.FrameWindows(finder.root_of(parse(BytesSource(spoilt)))).of(0)
        assert found == (((1000.0, 1400.0),) if spoilt is content else ((200.0, 600.0),))


def test_files_that_cannot_be_shown_say_why(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    made = picture()
    made.Rows = made.Columns = 60000
    (source / "a.dcm").write_bytes(file_bytes(made))
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    assert result.code == 0, result.err
    (file,) = told(page)
    assert "too large" in file["problem"]
    assert file["pictures"] == []


def test_files_in_archives_say_that_they_are_not_shown(tmp_path: Path) -> None:
    source = inputs(tmp_path)
    with zipfile.ZipFile(source / "a.zip", "w") as archive:
        archive.write(source / "000.dcm", "d/b.dcm")
    (source / "000.dcm").unlink()
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions", "--archives")
    assert result.code == 0, result.err
    (file,) = told(page)
    assert file["path"] == "a.zip/d/b.dcm"
    assert not file["pictures"]
    assert "it is in an archive, whose pictures are not shown" in file["problem"]


def test_paths_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "<!--<script>x.dcm").write_bytes(file_bytes(picture()))
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    (file,) = told(page)
    assert file["path"] == "<!--<script>x.dcm"
    assert "<!--<script>x" not in page.read_text()


@pytest.mark.parametrize("tree", ["in", "out"])
def test_sheet_in_one_of_the_trees_ends_the_run(tmp_path: Path, tree: str) -> None:
    source = inputs(tmp_path)
    target = tmp_path / tree / "sheet.html"
    result = run_command(
        source, tmp_path / "out", *SPEC, "--cleanPixels", "regions", "--reviewSheet", str(target)
    )
    assert result.code == 2
    assert "--reviewSheet" in result.err
    assert not target.exists()


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--reviewSheet", "a.pdf"], "ends in .html"),
        (["--reviewSheet", "a.html", "--report", "./a.html"], "one file"),
    ],
)
def test_sheets_that_cannot_be_are_errors(
    flags: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(cli.UsageExit):
        cli.parse(["in", "out", "--tagInfo", "PatientName:x", *flags])
    assert reason in capsys.readouterr().err


def test_sheet_without_pillow_names_the_package(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(argument_checks, "find_spec", lambda name: None if name == "PIL" else name)
    with pytest.raises(cli.UsageExit):
        cli.parse(["in", "out", "--tagInfo", "PatientName:x", "--reviewSheet", "a.html"])
    assert "pip install pillow" in capsys.readouterr().err


def test_sheet_that_stays_empty_is_warned_of(tmp_path: Path) -> None:
    result, page = sheet_of(tmp_path)
    assert result.code == 0
    assert "--reviewSheet stays empty" in result.err
    assert "No file needs a look" in page.read_text()


def test_sheet_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(review_sheet.os, "rename", fail)
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions", "--dryRun")
    assert result.code == 1
    assert "could not be written" in result.err
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in"]
    assert not page.exists()


def test_sheet_that_a_run_was_killed_over_goes_with_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has patients' pictures, under a name that says whose it is and that nobody else can read."""
    left = tmp_path / "left"
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    def leave(*_: object, **__: object) -> None:
        (unfinished,) = tmp_path.glob(".*.tmp")
        assert unfinished.stat().st_mode & 0o777 == 0o600
        left.write_text(unfinished.name.replace(f"-{os.getpid()}-", f"-{process.pid}-"))

    with monkeypatch.context() as patch:
        patch.setattr(review_sheet, "_write_file", leave)
        sheet_of(tmp_path, "--cleanPixels", "regions", "--dryRun")
    remains = tmp_path / left.read_text()
    remains.write_text("pictures")
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions", "--dryRun")
    assert page.exists()
    assert not remains.exists()


def struck(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, number: int, after: int) -> None:
    """Have the process get a signal when a function was called so often."""
    called = itertools.count(1)
    function = getattr(owner, name)

    def strike(*values: Any, **named: Any) -> Any:
        found = function(*values, **named)
        if next(called) == after:
            os.kill(os.getpid(), number)
        return found

    monkeypatch.setattr(owner, name, strike)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_sheet_of_an_interrupted_run_is_whole_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    struck(monkeypatch, Totals, "add", number, after=2)
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions", count=5)
    assert result.code == code
    seen = [one["path"] for one in result.record["pixelsCleaned"]]
    assert 2 <= len(seen) < 5
    assert [file["path"] for file in told(page)] == seen
    assert all(len(file["pictures"]) == 4 for file in told(page))
    text = page.read_text()
    assert text.rstrip().endswith("</html>")
    assert "did not come to its end" in text
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert "was not written" not in result.err


def test_sheet_of_a_whole_run_does_not_say_that_it_was_interrupted(tmp_path: Path) -> None:
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    assert "did not come to its end" not in page.read_text()


@pytest.mark.parametrize("is_interrupted_twice", [False, True])
def test_signal_while_the_sheet_is_written_gives_it_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_interrupted_twice: bool
) -> None:
    if is_interrupted_twice:
        struck(monkeypatch, Totals, "add", signal.SIGTERM, after=3)
    struck(monkeypatch, review_sheet, "_write_file", signal.SIGINT, after=2)
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions", count=5)
    assert result.code == (143 if is_interrupted_twice else 130)
    assert "was not written, as a signal came" in result.err
    assert result.record["counts"]["written"] == (3 if is_interrupted_twice else 5)
    assert not page.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["in", "out"]


def test_sheet_of_a_run_that_saw_nothing_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "sheet.html"
    page.write_text("of yesterday")
    struck(monkeypatch, command, "check_review", signal.SIGINT, after=1)
    result, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    assert result.code == 130
    assert "no file was seen" in result.err
    assert page.read_text() == "of yesterday"


STEPS = """
(async () => {
const press = (key, more) =>
  document.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, ...more}));
const saved = {};
URL.createObjectURL = (blob) => { saved.last = blob; return "data:,"; };
HTMLAnchorElement.prototype.click = function () { saved.name = this.download; };
const say = (name, text) => {
  const node = document.createElement("output");
  node.id = name; node.textContent = text; document.body.append(node);
};
%s
document.body.dataset.isDone = "yes";
})();
"""


def outputs_of(document: str) -> dict[str, str]:
    return {
        name: unescape(text)
        for name, text in re.findall(r'<output id="(\w+)">(.*?)</output>', document, re.S)
    }


def outputs_after(page: Path, steps: str, tmp_path: Path) -> dict[str, str]:
    """What some steps on a sheet say."""
    return outputs_of(played(page, STEPS % steps, tmp_path))


@needs_browser
def test_reviewer_marks_draws_and_saves(tmp_path: Path) -> None:
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions", count=3)
    steps = """
    press("b"); press("j"); press("g"); press("j"); press("b");
    press("s");
    say("paths", saved.name + "|" + await saved.last.text());
    const frame = document.querySelector("#file-1 .picture");
    const box = frame.getBoundingClientRect();
    const at = (type, x, y) => frame.dispatchEvent(new PointerEvent(type, {
      bubbles: true, button: 0, pointerId: 1,
      clientX: box.left + box.width * x / 60, clientY: box.top + box.height * y / 40}));
    at("pointerdown", 5.5, 2.5); at("pointermove", 20, 9); at("pointerup", 25.5, 11.5);
    press("m");
    say("masks", saved.name + "|" + await saved.last.text());
    document.getElementById("scope").value = "device";
    press("r"); press("ArrowRight"); press("ArrowDown", {shiftKey: true}); press("Enter");
    press("m");
    say("device", await saved.last.text());
    press("u"); press("u"); press("m");
    say("none", await saved.last.text());
    """
    document = played(page, STEPS % steps, tmp_path)
    found = outputs_of(document)
    assert found["paths"] == "bad.txt|000.dcm\n002.dcm\n"
    name, _, text = found["masks"].partition("|")
    assert name == "masks.json"
    assert json.loads(text) == {
        "masks": [
            {"when": {"SOPInstanceUID": "1.2.1"}, "rectangles": [[5, 2, 21, 10]], "source": "review sheet"}
        ]
    }
    device = json.loads(found["device"])["masks"]
    assert device[0]["when"] == {
        "Modality": "US",
        "Manufacturer": "ACME",
        "ManufacturerModelName": {"missing": True},
        "Rows": 40,
        "Columns": 60,
    }
    assert device[0]["rectangles"] == [[5, 2, 21, 10], [1, 0, 15, 5]]
    assert json.loads(found["none"]) == {"masks": []}
    masks, _ = parse_masks(text.encode(), "saved")
    assert masks[0].rectangles == ((5, 2, 21, 10),)
    assert 'id="file-0" data-mark="bad"' in document


@needs_browser
def test_path_of_the_chosen_file_is_not_below_the_header(tmp_path: Path) -> None:
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions", count=40)
    steps = """
    document.body.style.width = "500px";
    for (let number = 0; number < 9; number++) press("j");
    const header = document.querySelector("header").getBoundingClientRect();
    const path = document.querySelector("#file-9 h2").getBoundingClientRect();
    say("places", JSON.stringify([header.bottom, path.top]));
    """
    bottom, top = json.loads(outputs_after(page, steps, tmp_path)["places"])
    assert bottom <= top < bottom + 40


@needs_browser
def test_browser_warns_of_what_is_not_saved(tmp_path: Path) -> None:
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    steps = """
    const warns = () => {
      const event = new Event("beforeunload", {cancelable: true});
      window.dispatchEvent(event);
      return event.defaultPrevented;
    };
    const seen = [warns()];
    press("B"); seen.push(warns());
    press("r"); press("Enter"); press("s"); seen.push(warns());
    press("m"); seen.push(warns());
    press("g"); press("m"); seen.push(warns());
    press("s"); seen.push(warns());
    document.getElementById("save-good").dispatchEvent(new Event("click")); seen.push(warns());
    say("seen", JSON.stringify(seen));
    """
    found = json.loads(outputs_after(page, steps, tmp_path)["seen"])
    assert found == [False, True, True, False, True, True, False]


@needs_browser
def test_saved_paths_with_line_breaks_are_for_null(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for name in ("a.dcm", "b\nc.dcm"):
        (source / name).write_bytes(file_bytes(picture()))
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    steps = """
    press("b"); press("j"); press("b"); press("s");
    say("saved", JSON.stringify([saved.name, await saved.last.text()]));
    """
    name, text = json.loads(outputs_after(page, steps, tmp_path)["saved"])
    assert name == "bad.nul"
    (tmp_path / name).write_text(text)
    result = run_command(source, tmp_path / "out", *SPEC, "--filesFrom", str(tmp_path / name), "--null")
    assert result.record["counts"]["unchanged"] == 2


@needs_browser
def test_masks_that_a_reviewer_saves_are_blackened(tmp_path: Path) -> None:
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions", "--dryRun", count=2)
    steps = """press("j"); press("r"); press("Enter"); press("m"); say("masks", await saved.last.text());"""
    (tmp_path / "masks.json").write_text(outputs_after(page, steps, tmp_path)["masks"])
    flags = (
        "--cleanPixels",
        "devices",
        "--cleanPixelsOf",
        "all",
        "--pixelMasks",
        str(tmp_path / "masks.json"),
    )
    result = run_command(tmp_path / "in", tmp_path / "out", *SPEC, *flags)
    (cleaned,) = result.record["pixelsCleaned"]
    assert cleaned["path"] == "001.dcm"
    assert cleaned["rectangles"] == [{"x": 0, "y": 0, "width": 15, "height": 4, "frame": None}]


@needs_browser
def test_what_was_not_blackened_is_said_once(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    (source / "a.dcm").write_bytes(file_bytes(picture()))
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    steps = """say("told", document.querySelector("#file-0 p").textContent);"""
    assert outputs_after(page, steps, tmp_path)["told"].count("nothing was blackened") == 1


@needs_browser
def test_reviewer_switches_between_before_and_after(tmp_path: Path) -> None:
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    steps = """
    const image = document.querySelector(".picture img");
    const first = image.src; press(" "); const second = image.src; press(" ");
    const drawn = document.querySelectorAll("#file-0 .picture")[0].querySelectorAll(".found").length;
    await image.decode();
    say("sources", JSON.stringify([first, second, image.src, drawn, image.naturalWidth]));
    """
    (file,) = told(page)
    before, after, again, drawn, width = json.loads(outputs_after(page, steps, tmp_path)["sources"])
    picture_told = file["pictures"][0]
    assert before == again == f"data:image/jpeg;base64,{picture_told['before']}"
    assert after == f"data:image/jpeg;base64,{picture_told['after']}"
    assert drawn == len(picture_told["rectangles"])
    assert width == 60


@needs_browser
def test_sheet_has_200_files_on_a_page(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    for number in range(201):
        (source / f"{number:03}.dcm").write_bytes(file_bytes(picture(rows=8, columns=8)))
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    steps = """
    const count = () => document.querySelectorAll("article").length;
    const first = count(); press("n"); const second = count(); press("b"); press("n"); press("p"); press("s");
    say("counts", JSON.stringify([first, second, count(), document.getElementById("pages").textContent,
      await saved.last.text()]));
    """
    found = json.loads(outputs_after(page, steps, tmp_path)["counts"])
    assert found == [200, 1, 200, "2", "200.dcm\n"]


@needs_browser
def test_saved_paths_have_the_bytes_of_the_file_system(tmp_path: Path) -> None:
    source = tmp_path / "in"
    source.mkdir()
    name = b"M\xfcller \xc3\xa4.dcm"
    with open(bytes(source) + b"/" + name, "wb") as file:
        file.write(file_bytes(picture()))
    _, page = sheet_of(tmp_path, "--cleanPixels", "regions")
    steps = """
    press("b"); press("s");
    say("bytes", JSON.stringify([...new Uint8Array(await saved.last.arrayBuffer())]));
    """
    found = json.loads(outputs_after(page, steps, tmp_path)["bytes"])
    assert bytes(found) == name + b"\n"
