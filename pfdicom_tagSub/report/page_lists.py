"""The sections of a report's page that list files, and outputs whose inputs are gone."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from ..core.outcome import FileOutcome
from .markup import NOTHING, code, fill, heads, joined, section, table
from .page_facts import number_text
from .record import RunReport

LISTED_MOST = 200

_NONE = Markup("<p>None.</p>\n")


def cut(total: int) -> Markup:
    """That a list is not whole, if it is not."""
    if total <= LISTED_MOST:
        return Markup("\n")
    return fill(
        '<p class="soft"><strong>The list is cut:</strong> {} more are not shown here. The record '
        "(<code>--json</code>, <code>--report FILE.json</code>) names all.</p>\n",
        number_text(total - LISTED_MOST),
    )


def orphans_section(report: RunReport) -> Markup:
    """The outputs whose inputs are gone."""
    orphans = report.orphans
    if not orphans:
        return NOTHING
    rows = [
        fill(
            '<tr><td class="wide">{}</td><td class="wide">{}</td><td>{}</td><td class="wide">{}</td></tr>\n',
            code(one.path),
            _output(one.output),
            one.fate.value,
            one.reason or "–",
        )
        for one in orphans[:LISTED_MOST]
    ]
    return section(
        "orphans",
        "Outputs whose inputs are gone",
        fill(
            "<p>The ledger knows them. Those that are pruned {}; the others stay.</p>\n",
            "would be removed" if report.is_dry else "are removed",
        ),
        _counted(
            "Outputs whose inputs are gone", len(orphans), ("Input", "Output", "Outcome", "Reason"), rows
        ),
        cut(len(orphans)),
    )


def failures_section(report: RunReport) -> Markup:
    """The files that failed."""
    failures = report.failures
    if not failures:
        return section("failures", "Files that failed", _NONE)
    rows = [
        fill(
            '<tr><td class="wide">{}</td><td class="wide">{}</td><td>{}</td><td class="wide">{}</td></tr>\n',
            code(one.relative),
            _output(one.output),
            one.stage.value if one.stage else "–",
            one.reason,
        )
        for one in failures[:LISTED_MOST]
    ]
    return section(
        "failures",
        "Files that failed",
        Markup("<p>They have no output from this run.</p>\n"),
        _reasons(failures, "Failures by reason"),
        table("Files that failed", heads("File", "Output", "Stage", "Reason"), rows),
        cut(len(failures)),
    )


def skipped_section(report: RunReport) -> Markup:
    """The files that were skipped."""
    skipped = report.skipped
    if not skipped:
        return section("skipped", "Files that were skipped", _NONE)
    rows = [_row(code(one.relative), one.reason) for one in skipped[:LISTED_MOST]]
    return section(
        "skipped",
        "Files that were skipped",
        Markup("<p>They are not DICOM files, or are links that are not followed. They are not copied.</p>\n"),
        _reasons(skipped, "Skipped files by reason"),
        table("Files that were skipped", heads("File", "Reason"), rows),
        cut(len(skipped)),
    )


def cleaned_section(report: RunReport) -> Markup:
    """The files whose pixels were cleaned."""
    cleaned = report.pixels_cleaned
    if not cleaned:
        return NOTHING
    rows = [
        fill(
            '<tr><td class="wide">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n',
            code(path),
            ", ".join(told.methods),
            number_text(len(told.rectangles)),
            number_text(told.frames),
        )
        for path, told in cleaned[:LISTED_MOST]
    ]
    what = (
        "nothing else would change"
        if report.is_dry
        else "the pixels were read again: nothing else of them changed"
    )
    return section(
        "cleaned",
        "Files whose pixels were cleaned",
        fill("<p>Burned-in text was blackened where the methods told, and {}.</p>\n", what),
        _counted(
            "Files whose pixels were cleaned", len(cleaned), ("File", "Methods", "Rectangles", "Frames"), rows
        ),
        cut(len(cleaned)),
    )


def pixels_section(report: RunReport) -> Markup:
    """The files whose pixels need a look."""
    title, review = "Files whose pixels need a look", report.pixel_review
    if not review and report.profile:
        asked = Markup(
            "<p>None was named. That does not mean that no pixels show a person: only what files say of "
            "themselves was asked.</p>\n"
        )
        return section("pixels", title, asked)
    if not review:
        asked = Markup(
            "<p>Not asked: files are named here where a profile of the standard is applied. Pixels were not "
            "looked at.</p>\n"
        )
        return section("pixels", title, asked)
    rows = [
        _row(
            code(path),
            fill("{}{}", _output(report.outputs.get(path)), " (held)" if path in report.held else ""),
            reason,
        )
        for path, reason in review[:LISTED_MOST]
    ]
    return section(
        "pixels",
        title,
        Markup(
            "<p>These files say that they have text burned in, or are of a kind that often has. A person has "
            "to look at them before they are given away.</p>\n"
        ),
        _counted(title, len(review), ("File", "Output", "Reason"), rows),
        cut(len(review)),
    )


def residuals_section(report: RunReport) -> Markup:
    """The outputs that hold replaced values."""
    residuals = report.residuals
    if not residuals:
        return NOTHING
    rows = [
        _row(code(path), _output(report.outputs.get(path)), ", ".join(elements))
        for path, elements in residuals[:LISTED_MOST]
    ]
    return section(
        "residuals",
        "Outputs that hold replaced values",
        Markup(
            "<p>Verification read each output again and found in these a value that was replaced in the same "
            "file. The elements are named that hold it, not the value.</p>\n"
        ),
        _counted("Outputs that hold replaced values", len(residuals), ("File", "Output", "Elements"), rows),
        cut(len(residuals)),
    )


def _counted(title: str, number: int, names: Sequence[str], rows: Sequence[Markup]) -> Markup:
    """A table that says how many it is of."""
    return table(f"{title}: {number_text(number)}", heads(*names), rows, title)


def _row(*cells: object) -> Markup:
    """A row of cells that may be long."""
    return fill("<tr>{}</tr>\n", joined(fill('<td class="wide">{}</td>', cell) for cell in cells))


def _output(path: str | None) -> Markup:
    return code(path) if path else Markup("–")


def _reasons(outcomes: Sequence[FileOutcome], caption: str) -> Markup:
    """How many files ended for which reason, the most frequent first."""
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.reason] = counts.get(outcome.reason, 0) + 1
    items = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [
        fill('<tr><td class="wide">{}</td><td class="num">{}</td></tr>\n', reason, number_text(count))
        for reason, count in items[:LISTED_MOST]
    ]
    more = len(items) - LISTED_MOST
    rest = fill('<p class="soft">… and {} more reasons.</p>', number_text(more)) if more > 0 else NOTHING
    return joined([table(caption, heads("Reason", "#Files"), rows), rest, Markup("\n")])
