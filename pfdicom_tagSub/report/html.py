"""The report of a run: one page for people, free of patients' data unless that was asked for.

The page needs nothing but itself: no script, no style sheet, font or image of elsewhere. All
texts are escaped by the template engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from .._version import __version__
from ..core.errors import ExitCode
from ..core.options import ReportFormat
from ..core.outcome import Action, FileOutcome, Status
from ..text.printable import visible
from .labels import PRIVATE_LABEL
from .record import RunReport, to_json
from .survey import PREAMBLE_LABEL, Count, Depths, ElementRow, SurveyReport
from .survey_table import WORDS
from .targets import Target

LISTED_MOST = 200
CHARTED_MOST = 25
BARS_MOST = 15
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NAMES = {PRIVATE_LABEL: "Private elements", PREAMBLE_LABEL: "Preamble"}


@dataclass(frozen=True)
class RunFacts:
    """What ran, beside what the record says.

    Attributes:
        options: the flags that were given and their values, without secrets.
        started: when the command began.
        warnings: what the run warned of.
        workers: how many files at once; 0 where the command did the work itself.
    """

    options: tuple[tuple[str, str], ...]
    started: datetime
    warnings: tuple[str, ...] = ()
    workers: int = 0


def render(target: Target, report: RunReport, ran: RunFacts) -> str:
    """The text of a report: a page, or the record where its name ends in ``.json``."""
    return page(report, ran) if target.path.endswith(ReportFormat.HTML) else to_json(report) + "\n"


@dataclass(frozen=True)
class ChartPart:
    """A part of a bar: its class in the style sheet, where it begins and how long it is (of 100)."""

    name: str
    start: float
    length: float


@dataclass(frozen=True)
class ChartRow:
    """A row of a chart: what it is of, its parts, and what it says in words."""

    label: str
    parts: tuple[ChartPart, ...]
    text: str


@dataclass(frozen=True)
class Notice:
    """Something that the reader has to know first.

    Attributes:
        level: "bad", "look" or "good".
        text: what it is.
        anchor: the section that says more; "" for none.
    """

    level: str
    text: str
    anchor: str = ""


def page(report: RunReport, ran: RunFacts) -> str:
    """The page.

    Args:
        report: the record of the run, its survey included.
        ran: what ran.
    """
    survey = report.survey
    return template().render(
        report=report,
        survey=survey,
        ran=ran,
        version=__version__,
        ended=ran.started + timedelta(seconds=report.run_time),
        found=sum(report.counts.values()),
        figures=_figures(report),
        points=[replace(one, text=one.text[:1].upper() + one.text[1:]) for one in _points(report, ran)],
        outcome=_OUTCOMES[report.exit_code],
        headline=_headline(report),
        actions=[(action.value, WORDS[action], _MEANINGS[action]) for action in Action],
        element_bars=_element_bars(survey) if survey else (),
        histograms=_histograms(survey) if survey else (),
        failures=_by_reason(report.failures),
        skipped=_by_reason(report.skipped),
        listed_most=LISTED_MOST,
        charted_most=CHARTED_MOST,
    )


@cache
def template() -> Template:
    """What the page is made with."""
    return _environment().from_string(
        (resources.files(__package__) / "templates" / "report.html").read_text("utf-8")
    )


def _environment() -> Environment:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    filters: dict[str, Callable[..., object]] = {
        "number": _number,
        "count": _count,
        "depths": _depths,
        "breakable": _breakable,
        "when": lambda moment: moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
        "seconds": _seconds,
        "done": _done,
        "lengths": _lengths,
    }
    environment.filters.update(filters)
    return environment


def _shown(value: object) -> object:
    """What a page can hold: no control characters, no parts of characters, none that reorder text."""
    # A text that is safe already comes from this template and holds none of these.
    return visible(value) if type(value) is str else value


def _number(number: float) -> str:
    return f"{number:,}"


def _count(count: Count) -> str:
    if not count.is_exact:
        return f"more than {_number(count.number)} values"
    if count.number <= 1:
        return "one value" if count.number else "none"
    return f"{_number(count.number)} values"


def _seconds(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min {rest} s" if hours else f"{minutes} min {rest} s"


def _depths(depths: Depths) -> list[str]:
    """Where elements are: at the top level, and how deep in sequences."""

    def name(depth: int) -> str:
        if depth == 0:
            return "top level"
        return "1 level down" if depth == 1 else f"{depth} levels down"

    if len(depths) == 1:
        return [name(next(iter(depths)))]
    return [f"{name(depth)}: {_number(count)}" for depth, count in depths.items()]


def _done(row: ElementRow) -> list[str]:
    return [f"{_number(count)} {WORDS[action]}" for action, count in row.actions.items() if count]


def _breakable(text: str) -> Markup:
    """A keyword that may be broken where a word of it begins; what is none has a name."""
    return Markup("<wbr>").join(_WORD.split(_NAMES.get(text, visible(text))))  # join escapes


def _lengths(row: ElementRow) -> str:
    if row.lengths is None:
        return "–"
    least, most = row.lengths
    if least == most:
        return "1 character" if most == 1 else f"{_number(most)} characters"
    return f"{_number(least)} to {_number(most)} characters"


_OUTCOMES = {
    ExitCode.OK: ("good", "Every file that was found was dealt with."),
    ExitCode.FILES_FAILED: ("bad", "Those have no output from this run; all others were dealt with."),
    ExitCode.USAGE: ("bad", "An error ended the run before its time."),
    ExitCode.INTERRUPTED: ("bad", "The run was interrupted; the figures are of what was done until then."),
    ExitCode.TERMINATED: ("bad", "The run was terminated; the figures are of what was done until then."),
}


def _headline(report: RunReport) -> str:
    found, failed = sum(report.counts.values()), report.counts[Status.FAILED]
    time = _seconds(report.run_time)
    if report.exit_code in {ExitCode.OK, ExitCode.FILES_FAILED}:
        verb = "read" if report.is_dry else "processed"
        if failed:
            return f"{_number(failed)} of {_files(found)} failed"
        return f"{_files(found)} {verb} in {time}"
    return f"The run ended after {_files(found)} and {time}"


_MEANINGS = {
    Action.SUBSTITUTED: "a new value stands in its place",
    Action.REMOVED: "the element is gone",
    Action.EMPTIED: "the element is there without a value, on purpose",
    Action.INSERTED: "the element is new in the file",
    Action.CUT: "the new value was too long for the element and was shortened",
    Action.INVALID: "the element may not hold the new value, so it was left empty",
}


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
        yield Notice("bad", f"{_files(len(report.residuals))} still hold a replaced value", "residuals")
    if failed := report.counts[Status.FAILED]:
        yield Notice("bad", f"{_files(failed)} failed and have no output from this run", "failures")
    survey = report.survey
    if survey and survey.left:
        kinds = len(survey.left)
        noun = "kind of identifying attribute is" if kinds == 1 else "kinds of identifying attributes are"
        verb = "stays" if kinds == 1 else "stay"
        yield Notice("look", f"{_number(kinds)} {noun} present and {verb} as before", "left")
    if report.pixel_review:
        yield Notice(
            "look",
            f"the pixels of {_files(len(report.pixel_review))} should be looked at by a person",
            "pixels",
        )
    if report.paths_with_values:
        yield Notice(
            "look", f"the paths of {_files(report.paths_with_values)} hold a value that was replaced in them"
        )
    if report.unknown_character_sets:
        yield Notice(
            "look",
            f"{_files(len(report.unknown_character_sets))} with text in ASCII alone declare a Specific "
            "Character Set that is none of the standard's",
        )
    if survey and (same := sum(row.same for row in survey.elements)):
        yield Notice("look", f"{_number(same)} elements hit by a key are the same as before", "elements")
    invalid = sum(row[Action.INVALID] + row[Action.CUT] for row in report.elements.values())
    if invalid:
        yield Notice(
            "look", f"{_number(invalid)} new values were cut, or not valid and left empty", "elements"
        )
    if survey and survey.idle_keys:
        number = len(survey.idle_keys)
        noun = "key of the spec" if number == 1 else "keys of the spec"
        yield Notice("look", f"{_number(number)} {noun} hit nothing: misspelt, or not in these files", "idle")
    for text in ran.warnings:
        yield Notice("look", text)
    if survey and not survey.left:
        yield Notice("good", "no identifying attribute of the standard's list stays as it was", "left")
    if not report.counts[Status.FAILED]:
        yield Notice("good", "no file failed")


def _files(number: int) -> str:
    return "1 file" if number == 1 else f"{_number(number)} files"


def _by_reason(outcomes: Sequence[FileOutcome]) -> list[tuple[str, int]]:
    """How many files ended for which reason, the most frequent first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.reason] = counts.get(outcome.reason, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _element_bars(survey: SurveyReport) -> tuple[ChartRow, ...]:
    """What is done to the elements that there are most of."""
    rows = sorted(survey.elements, key=lambda row: (-row.total, row.tag))[:CHARTED_MOST]
    most = max([row.total for row in rows], default=1)
    return tuple(
        ChartRow(
            row.label,
            tuple(_parts(((a.value, n) for a, n in row.actions.items()), most)),
            ", ".join(_done(row)),
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
        ChartRow(name, tuple(_parts([("files", count)], most)), _files(count)) for name, count in shown
    )


def _parts(counts: Iterable[tuple[str, int]], most: int) -> Iterator[ChartPart]:
    start = 0.0
    for name, count in counts:
        if count:
            length = max(100 * count / most, 0.4)  # what is there is to be seen
            yield ChartPart(name, round(start, 2), round(length, 2))
            start += length
