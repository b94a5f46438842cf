"""The report of a run: one page for people, free of patients' data unless that was asked for.

The page needs nothing but itself: no script, no style sheet, font or image of elsewhere. All
texts are escaped where they are put into it (``markup``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import resources
from string import Template

from markupsafe import Markup

from .._version import __version__
from ..core.errors import ExitCode
from ..core.outcome import Action, Status
from .markup import joined, safe
from .page_facts import (
    ChartPart,
    ChartRow,
    Notice,
    RunFacts,
    done_texts,
    files_text,
    number_text,
    seconds_text,
)
from .page_lists import (
    cleaned_section,
    failures_section,
    orphans_section,
    pixels_section,
    residuals_section,
    skipped_section,
)
from .page_sections import (
    CHARTED_MOST,
    contents,
    elements_section,
    figures,
    header,
    holds_section,
    idle_section,
    left_section,
    points_section,
    ran_section,
    timing_section,
    words_section,
)
from .record import RunReport
from .survey import SurveyReport

BARS_MOST = 15


def page(report: RunReport, ran: RunFacts) -> str:
    """The page.

    Args:
        report: the record of the run, its survey included.
        ran: what ran.
    """
    survey = report.survey
    level, outcome = _OUTCOMES[report.exit_code]
    done: tuple[Markup, ...] = ()
    if survey is not None:
        done = (
            elements_section(report, survey, _element_bars(survey)),
            left_section(survey),
            idle_section(survey),
            holds_section(_histograms(survey)),
        )
    parts = (
        header(report, ran, Notice(level, f"{_headline(report)}\n{outcome}")),
        Markup("<main>\n"),
        figures(_figures(report)),
        points_section(
            replace(one, text=one.text[:1].upper() + one.text[1:]) for one in _points(report, ran)
        ),
        contents(report),
        ran_section(report, ran),
        *done,
        orphans_section(report),
        failures_section(report),
        skipped_section(report),
        cleaned_section(report),
        pixels_section(report),
        residuals_section(report),
        timing_section(report, ran),
        words_section(),
        Markup("</main>\n"),
    )
    title = "Dry run" if report.is_dry else "De-identification report"
    colours = [
        f".{one.value} {{ fill: var(--{one.value}); background: var(--{one.value}); }}\n" for one in Action
    ]
    page_template = (resources.files(__package__) / "templates" / "report.html").read_text("utf-8")
    return Template(page_template).substitute(
        title=safe(f"{title} – pfdicom_tagSub {__version__}"), colours="".join(colours), body=joined(parts)
    )


_OUTCOMES = {
    ExitCode.OK: ("good", "Every file that was found was dealt with."),
    ExitCode.FILES_FAILED: ("bad", "Those have no output from this run; all others were dealt with."),
    ExitCode.USAGE: ("bad", "An error ended the run before its time."),
    ExitCode.INTERRUPTED: ("bad", "The run was interrupted; the figures are of what was done until then."),
    ExitCode.TERMINATED: ("bad", "The run was terminated; the figures are of what was done until then."),
}


def _headline(report: RunReport) -> str:
    found, failed = sum(report.counts.values()), report.counts[Status.FAILED]
    time = seconds_text(report.run_time)
    if report.exit_code in {ExitCode.OK, ExitCode.FILES_FAILED}:
        verb = "read" if report.is_dry else "processed"
        if failed:
            return f"{number_text(failed)} of {files_text(found)} failed"
        return f"{files_text(found)} {verb} in {time}"
    return f"The run ended after {files_text(found)} and {time}"


def _figures(report: RunReport) -> Iterator[tuple[str, int]]:
    counts = report.counts
    yield "files found", sum(counts.values())
    yield "would be written" if report.is_dry else "written", counts[Status.WRITTEN]
    yield "unchanged, there already", counts[Status.UNCHANGED]
    if counts[Status.CURRENT]:
        yield "known as done, not opened", counts[Status.CURRENT]
    yield "skipped, not DICOM", counts[Status.SKIPPED]
    if counts[Status.HELD]:
        yield "held until somebody has seen their pixels", counts[Status.HELD]
    if counts[Status.NOT_SELECTED]:
        yield "not selected", counts[Status.NOT_SELECTED]
    yield "failed", counts[Status.FAILED]
    yield "elements " + ("to be changed" if report.is_dry else "changed"), _changed(report)


def _changed(report: RunReport) -> int:
    same = sum(row.same for row in report.survey.elements) if report.survey else 0
    return sum(sum(row.values()) for row in report.elements.values()) - same


def _points(report: RunReport, ran: RunFacts) -> Iterator[Notice]:
    """What the reader has to know first, the worst first."""
    if report.residuals:
        yield Notice("bad", f"{files_text(len(report.residuals))} still hold a replaced value", "residuals")
    if failed := report.counts[Status.FAILED]:
        yield Notice("bad", f"{files_text(failed)} failed and have no output from this run", "failures")
    survey = report.survey
    if survey and survey.left:
        kinds = len(survey.left)
        noun = "kind of identifying attribute is" if kinds == 1 else "kinds of identifying attributes are"
        verb = "stays" if kinds == 1 else "stay"
        yield Notice("look", f"{number_text(kinds)} {noun} present and {verb} as before", "left")
    if report.pixel_review:
        yield Notice(
            "look",
            f"the pixels of {files_text(len(report.pixel_review))} should be looked at by a person",
            "pixels",
        )
    if report.paths_with_values:
        yield Notice(
            "look",
            f"the paths of {files_text(report.paths_with_values)} hold a value that was replaced in them",
        )
    if report.unknown_character_sets:
        yield Notice(
            "look",
            f"{files_text(len(report.unknown_character_sets))} with text in ASCII alone declare a Specific "
            "Character Set that is none of the standard's",
        )
    if survey and (same := sum(row.same for row in survey.elements)):
        yield Notice("look", f"{number_text(same)} elements hit by a key are the same as before", "elements")
    invalid = sum(row[Action.INVALID] + row[Action.CUT] for row in report.elements.values())
    if invalid:
        yield Notice(
            "look", f"{number_text(invalid)} new values were cut, or not valid and left empty", "elements"
        )
    if survey and survey.idle_keys:
        number = len(survey.idle_keys)
        noun = "key of the spec" if number == 1 else "keys of the spec"
        yield Notice(
            "look", f"{number_text(number)} {noun} hit nothing: misspelt, or not in these files", "idle"
        )
    for text in ran.warnings:
        yield Notice("look", text)
    if survey and not survey.left:
        yield Notice("good", "no identifying attribute of the standard's list stays as it was", "left")
    if not report.counts[Status.FAILED]:
        yield Notice("good", "no file failed")


def _element_bars(survey: SurveyReport) -> tuple[ChartRow, ...]:
    """What is done to the elements that there are most of."""
    rows = sorted(survey.elements, key=lambda row: (-row.total, row.tag))[:CHARTED_MOST]
    most = max([row.total for row in rows], default=1)
    return tuple(
        ChartRow(
            row.label,
            tuple(_parts(((a.value, n) for a, n in row.actions.items()), most)),
            ", ".join(done_texts(row)),
        )
        for row in rows
    )


def _histograms(survey: SurveyReport) -> tuple[tuple[str, str, tuple[ChartRow, ...]], ...]:
    return (
        ("Modalities", "modality", _histogram(survey.modalities)),
        ("Kinds of objects (SOP classes)", "sop-class", _histogram(survey.sop_classes)),
        ("Encodings (transfer syntaxes)", "syntax", _histogram(survey.transfer_syntaxes)),
    )


def _histogram(counts: Mapping[str, int]) -> tuple[ChartRow, ...]:
    shown = list(counts.items())[:BARS_MOST]
    if rest := sum(list(counts.values())[BARS_MOST:]):
        shown.append((f"{len(counts) - BARS_MOST} others together", rest))
    most = max([count for _, count in shown], default=1)
    return tuple(
        ChartRow(name, tuple(_parts([("files", count)], most)), files_text(count)) for name, count in shown
    )


def _parts(counts: Iterable[tuple[str, int]], most: int) -> Iterator[ChartPart]:
    start = 0.0
    for name, count in counts:
        if count:
            length = max(100 * count / most, 0.4)  # what is there is to be seen
            yield ChartPart(name, round(start, 2), round(length, 2))
            start += length
