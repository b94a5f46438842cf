"""The report of a run: what stands in it, where it may be written, and how a browser shows it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import stat
import subprocess
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from installed import BUNDLED, Trees, mixed_tree, patience, run
from support import run_command

from pfdicom_tagSub import __version__
from pfdicom_tagSub.core.errors import ExitCode
from pfdicom_tagSub.core.outcome import Action, FileOutcome, Stage, Status
from pfdicom_tagSub.report.html import BARS_MOST, page
from pfdicom_tagSub.report.page_facts import RunFacts
from pfdicom_tagSub.report.page_lists import LISTED_MOST
from pfdicom_tagSub.report.record import RunReport
from pfdicom_tagSub.report.survey import Count, ElementRow, LeftRow, SurveyReport
from pfdicom_tagSub.report.targets import Target

VOID = {"br", "hr", "input", "link", "meta", "rect", "wbr"}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NEEDS_CHROMIUM = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")


class Page(HTMLParser):
    """A page taken apart: its tags have to close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data.strip()))

    def of(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def text(self) -> str:
        """What can be read, the style sheet left out."""
        return " ".join(text for tag, text in self.texts if tag != "style")


def survey_of(rows: int, **changes: object) -> SurveyReport:
    """A survey with so many rows of everything."""
    actions = dict.fromkeys(Action, 0) | {Action.SUBSTITUTED: 3, Action.CUT: 1}
    elements = tuple(
        ElementRow(
            f"Element{number}",
            "(0010,0010)",
            {0: 3, 2: 1},
            actions,
            1,
            Count(2),
            Count(100_000, is_exact=False),
            (1, 5),
            "ANON",
            "",
        )
        for number in range(rows)
    )
    left = tuple(LeftRow(f"Left{number}", "(0010,0020)", {0: 1}, number % 2) for number in range(rows))
    content: dict[str, object] = {
        "files": 4,
        "partly": 1,
        "elements": elements,
        "left": left,
        "idle_keys": tuple(f"Key{number}" for number in range(rows)),
        "profile_keys": 3,
        "idle_profile_keys": 2,
        "modalities": {f"M{number}": 1 for number in range(rows)},
        "sop_classes": {"MR Image Storage": 4},
        "transfer_syntaxes": {},
    }
    return SurveyReport(**(content | changes))  # type: ignore[arg-type]


def report_of(survey: SurveyReport | None = None, failures: int = 0, **changes: object) -> RunReport:
    """A record."""
    failed = tuple(
        FileOutcome(f"<b>/{number}", Status.FAILED, Stage.READ, f"reason {number % 3}")
        for number in range(failures)
    )
    counts = dict.fromkeys(Status, 0) | {Status.WRITTEN: 4, Status.FAILED: failures}
    content: dict[str, object] = {
        "exit_code": ExitCode.FILES_FAILED if failures else ExitCode.OK,
        "counts": counts,
        "elements": {},
        "failures": failed,
        "survey": survey,
        "run_time": 1.5,
    }
    return RunReport(**(content | changes))  # type: ignore[arg-type]


RAN = RunFacts((("--inputDir", "in"),), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


# --- the page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Pages of runs over the files that come with pydicom."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "in").mkdir()
    mixed_tree(folder / "in")
    made = {}
    for name, inputs, flags in (
        ("dry", BUNDLED, ("--dryRun", "--profile", "basic")),
        ("real", BUNDLED, ("--tagInfo", "PatientID:%_md5_#tag ++ PatientAge: ++ PatientTelephoneNumbers:1")),
        ("values", folder / "in", ("--dryRun", "--showValues", "--tagInfo", "PatientName:x")),
    ):
        made[name] = folder / f"{name}.html"
        run(inputs, folder / "out" / name, "--report", str(made[name]), *flags, spec=None)
    return made


@pytest.mark.parametrize("name", ["dry", "real", "values"])
def test_page_is_whole_and_needs_nothing_but_itself(pages: dict[str, Path], name: str) -> None:
    text = pages[name].read_text("utf-8")
    parsed = Page(text)
    names = {tag for tag, _ in parsed.tags}
    assert not names & {"script", "img", "iframe", "object", "embed", "form", "base", "audio", "video"}
    for tag, attributes in parsed.tags:
        for attribute, value in attributes.items():
            assert not attribute.startswith("on"), (tag, attribute)
            if attribute in {"src", "href", "xlink:href", "action", "srcset"}:
                assert value.startswith("#") or value == "data:,", (tag, value)
    assert "url(" not in text
    assert "@import" not in text
    assert re.findall(r"https?://", text) == []
    assert {"default-src 'none'; style-src 'unsafe-inline'"} <= {
        attributes.get("content", "") for attributes in parsed.of("meta")
    }


@pytest.mark.parametrize("name", ["dry", "real", "values"])
def test_page_can_be_found_the_way_in_without_eyes(pages: dict[str, Path], name: str) -> None:
    parsed = Page(pages[name].read_text("utf-8"))
    assert parsed.of("html") == [{"lang": "en"}]
    assert len(parsed.of("h1")) == 1
    ids = [attributes["id"] for _, attributes in parsed.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    linked = {attributes["href"][1:] for attributes in parsed.of("a")}
    labelled = {attributes["aria-labelledby"] for attributes in parsed.of("section")}
    assert linked | labelled <= set(ids)
    assert len(parsed.of("caption")) == len(parsed.of("table"))
    assert all("scope" in attributes for attributes in parsed.of("th"))
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in parsed.of("svg"))
    for attributes in parsed.of("div"):
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]


def test_page_tells_what_the_record_tells(trees: Trees) -> None:
    mixed_tree(trees.inputs)
    (trees.inputs.parent / "key").write_bytes(b"k" * 32)
    (trees.inputs.parent / "secret-table.csv").write_text("original,replacement\nDEV,SUBJ\n")
    report = trees.inputs.parent / "r.html"
    flags = ("--profile", "basic", "--keyFile", str(trees.inputs.parent / "key"), "--report", str(report))
    flags += ("--lookupTable", f"ids={trees.inputs.parent / 'secret-table.csv'}")
    record = trees.run("--json", *flags).record
    text = html.unescape(Page(report.read_text("utf-8")).text)
    for told in (record["version"], record["specDigest"], record["keyFingerprint"], "basic"):
        assert told in text
    for entry in (*record["failures"], *record["skipped"], *record["pixelReview"]):
        shown = entry["path"].replace("\n", "\\n").encode("utf-8", "surrogateescape")
        assert shown.decode("utf-8", "backslashreplace") in text
        assert entry["reason"] in text
    for label, row in record["survey"]["elements"].items():
        assert {"private": "Private elements"}.get(label, label) in text.replace(" ", "") + text
        assert str(row["originals"]["number"] if row["originals"] else "") in text
    assert "2 of 26 files failed" in text
    assert not {"key", "secret-table", "SUBJ"} & set(re.split(r"[^\w-]", text.partition("Options")[2][:2000]))
    assert os.uname().nodename not in text


def test_page_escapes_what_it_shows(trees: Trees) -> None:
    evil = "<script>alert('x')</script>"
    trees.make("a.dcm", PatientName=evil, PatientID="&amp;\u202e")
    trees.add(f"{evil.replace('/', '_')}.txt", b"no DICOM")
    report = trees.inputs.parent / "r.html"
    flags = ("--dryRun", "--report", str(report), "--tagInfo", "PatientName:%PatientName ++ EthnicGroup:<i>")
    trees.run(*flags, spec=None)
    text = report.read_text("utf-8")
    assert "script>alert('x')" not in text
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;_script&gt;.txt" in text  # the path of what was skipped
    assert "alert(&#39;x&#39;)&lt;/script&gt;" not in text
    assert "shows patients" not in text
    trees.run(*flags, "--showValues", spec=None)
    text = report.read_text("utf-8")
    Page(text)
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in text
    assert "<script" not in text
    assert "<i>" not in text
    assert "This page shows patients’ data." in text


def test_page_cuts_long_lists_and_says_so() -> None:
    most = LISTED_MOST
    review = tuple((f"p{number}", "why") for number in range(most + 7))
    residuals = tuple((f"q{number}", ("PatientComments", "path")) for number in range(most + 9))
    report = report_of(survey_of(most + 3), most + 5, pixel_review=review, residuals=residuals)
    text = Page(page(report, RAN)).text
    for cut in (3, 5, 7, 9):
        assert f"The list is cut: {cut} more are not shown here." in text
    assert f"<b>/{most - 1}" in text
    assert f"<b>/{most} " not in text
    assert "PatientComments, path" in text
    assert "more than 100,000 values" in text
    assert f"{most + 3 - BARS_MOST} others together" in text


def test_page_names_the_outputs_of_what_a_person_has_to_look_after() -> None:
    failed = FileOutcome("in/a", Status.FAILED, reason="why", output="out/failed")
    report = report_of(
        survey_of(1),
        1,
        pixel_review=(("in/b", "x"), ("in/c", "y")),
        held=frozenset({"in/c"}),
        residuals=(("in/d", ("PatientName",)),),
        outputs={"in/b": "out/seen", "in/c": "out/held", "in/d": "out/residual"},
    )
    text = page(replace(report, failures=(failed,)), RAN)
    for path in ("out/failed", "out/seen", "out/held", "out/residual"):
        assert text.count(f"<code>{path}</code>") == 1
    assert "<code>out/held</code> (held)" in text
    assert "<code>out/seen</code> (held)" not in text
    unknown = page(replace(report, failures=(replace(failed, output=""),), outputs={}), RAN)
    assert "out/" not in unknown


@pytest.mark.parametrize("code", list(ExitCode))
def test_page_can_be_made_of_any_run(code: ExitCode) -> None:
    for survey in (None, survey_of(0), survey_of(2)):
        for is_dry in (False, True):
            parsed = Page(page(report_of(survey, 1, exit_code=code, error="x<y", is_dry=is_dry), RAN))
            assert "x<y" in parsed.text
            assert ("nothing was written" in parsed.text) is is_dry


def test_page_says_what_to_look_at_first() -> None:
    counts = dict.fromkeys(Action, 0) | {Action.INVALID: 2}
    report = report_of(
        survey_of(1),
        1,
        residuals=(("a", ("b",)),),
        paths_with_values=3,
        pixel_review=(("a", "b"),),
        elements={"PatientName": counts},
    )
    parsed = Page(page(report, RAN))
    section = parsed.text.partition("To look at first")[2].partition("What ran")[0]
    found = re.findall(r"(Problem|Check|Fine) (.*?)(?= (?:Problem|Check|Fine) |$)", section)
    assert [level for level, _ in found] == ["Problem", "Problem", *["Check"] * 6]
    assert "1 file failed" in found[1][1]
    assert "1 kind of identifying attribute is present and stays as before" in found[2][1]


# --- where it goes


def test_report_is_for_its_owner_alone_and_replaces_what_is_there(trees: Trees) -> None:
    trees.make("a.dcm")
    report = trees.inputs.parent / "r.html"
    report.write_text("old")
    report.chmod(0o644)
    precious = trees.inputs.parent / "precious.json"
    precious.write_text("precious")
    flags = ("--report", str(report), "--report", "r.json")
    assert trees.run(*flags, cwd=trees.inputs.parent, before=lambda: os.umask(0) and None).code == 0
    assert report.read_text("utf-8").startswith("<!DOCTYPE html>")
    for path in (report, trees.inputs.parent / "r.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert precious.read_text() == "precious"
    names = {"in", "out", "r.html", "r.json", "precious.json"}
    assert {path.name for path in trees.inputs.parent.iterdir()} == names


def test_report_in_json_is_the_record(trees: Trees) -> None:
    trees.make("a.dcm")
    report = trees.inputs.parent / "r.json"
    record = trees.run("--json", "--report", str(report)).record
    assert json.loads(report.read_text("ascii")) == record
    assert record["survey"]["files"] == 1


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("in/r.html", "lies in the input tree"),
        ("in/sub/../sub/r.html", "lies in the input tree"),
        ("to-in/r.html", "lies in the input tree"),
        ("none/r.html", "cannot write to its directory: No such file or directory"),
        ("folder.html", "what is there is no regular file"),
        ("link.html", "what is there is no regular file"),
        ("file/r.html", "Not a directory"),
        ("n" * 300 + ".html", "File name too long"),
        ("nul\0.html", "null byte"),
    ],
)
@pytest.mark.parametrize("dry", [(), ("--dryRun",)], ids=["real", "dry"])
def test_report_that_cannot_be_written_ends_the_run_before_the_first_file(
    trees: Trees, path: str, said: str, dry: tuple[str, ...]
) -> None:
    trees.make("sub/a.dcm")
    folder = trees.inputs.parent
    (folder / "to-in").symlink_to("in")
    (folder / "folder.html").mkdir()
    (folder / "link.html").symlink_to("victim")
    (folder / "file").write_bytes(b"")
    before = sorted(str(found) for found in folder.rglob("*"))
    result = run_command(trees.inputs, trees.outputs, "--report", str(folder / path), *dry)
    assert result.code == 2
    assert said in result.err
    assert sorted(str(found) for found in folder.rglob("*")) == before


def test_report_that_cannot_be_written_in_the_end_fails_the_run(
    trees: Trees, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(self: Target, text: str) -> None:
        raise OSError(28, "No space left on device")

    trees.make("a.dcm")
    monkeypatch.setattr(Target, "write", write)
    result = run_command(
        trees.inputs, trees.outputs, "--report", str(trees.inputs.parent / "r.html"), "--json"
    )
    assert result.code == 1
    assert result.record["exitCode"] == 1
    assert "could not be written: No space left on device" in result.err
    assert trees.written == ["a.dcm"]


def test_report_in_the_output_tree_is_warned_of(trees: Trees) -> None:
    trees.make("a.dcm")
    trees.outputs.mkdir()
    done = trees.run("--report", str(trees.outputs / "r.html"))
    assert done.code == 0
    assert "lies in the output tree" in done.err


def test_report_is_written_of_a_run_whose_files_fail(trees: Trees) -> None:
    trees.add("cut.dcm", bytes(128) + b"DICM\2\0")
    done = trees.run("--report", str(trees.inputs.parent / "r.html"))
    assert done.code == 1
    assert "1 of 1 file failed" in (trees.inputs.parent / "r.html").read_text("utf-8")


# --- what a browser shows


def contrast(first: str, second: str) -> float:
    """The contrast of two colours (WCAG 2.1, 1.4.3)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_has_colours_that_can_be_told_apart(scheme: str) -> None:
    text = page(report_of(survey_of(1)), RAN)
    blocks = re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    colours = dict(re.findall(r"--(\w[\w-]*): (#[0-9a-f]{6})", blocks[scheme == "dark"]))
    for name in ("text", "soft", "link", "good", "look", "bad"):
        for back in ("page", "card", "head"):
            assert contrast(colours[name], colours[back]) >= 4.5, (name, back)
    for name in ("good", "look", "bad"):
        for front in (name, "text"):
            assert contrast(colours[front], colours[f"{name}-back"]) >= 4.5, (front, name)
    for action in (*(action.value for action in Action), "files"):
        # A chart is told in words, too; its parts have to stand out from what is around them.
        assert contrast(colours[action], colours["card"]) >= 2.9, action


MEASURE = """<!DOCTYPE html><body style="margin:0"><iframe id="page" src="{url}"
style="border:0;width:{width}px;height:{height}px"></iframe><script>
document.getElementById("page").onload = (event) => {{
  const inner = event.target.contentDocument, root = inner.documentElement;
  const wide = [...inner.querySelectorAll("body *")].filter((one) => !one.closest(".scroll")
    && one.getBoundingClientRect().right > {width} + 0.5).map((one) => one.tagName + "." + one.className);
  const pale = [...inner.querySelectorAll("rect")].filter(
    (one) => getComputedStyle(one).fill === "rgb(0, 0, 0)");
  document.title = JSON.stringify({{
    client: root.clientWidth, scroll: root.scrollWidth, wide: wide, pale: pale.length,
    rects: inner.querySelectorAll("rect").length, tables: inner.querySelectorAll("table").length,
    back: getComputedStyle(inner.body).backgroundColor, text: getComputedStyle(inner.body).color,
    title: inner.title}});
}};
</script></body>"""


@NEEDS_CHROMIUM
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 900)])
@pytest.mark.parametrize("name", ["dry", "real", "values"])
def test_page_fits_phones_and_desktops(
    pages: dict[str, Path], tmp_path: Path, name: str, width: int, height: int, scheme: str
) -> None:
    assert CHROMIUM is not None
    frame = tmp_path / "frame.html"
    frame.write_text(MEASURE.format(url=pages[name].as_uri(), width=width, height=height), "utf-8")
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--allow-file-access-from-files",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}",
            f"--window-size={max(width, 500)},{height}",
            "--virtual-time-budget=5000",
            "--dump-dom",
            frame.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=patience(90),
    )
    match = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert match, done.stderr
    shown = json.loads(html.unescape(match[1]))
    assert shown["wide"] == []
    assert shown["scroll"] <= shown["client"] <= width
    assert shown["pale"] == 0
    assert shown["rects"] > 3
    assert shown["tables"] > 3
    assert (shown["back"] == "rgb(18, 22, 27)") is (scheme == "dark")
    assert shown["title"].endswith(__version__)
