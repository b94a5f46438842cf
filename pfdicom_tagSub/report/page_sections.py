"""The sections of a report's page that say what ran, what was done and what stays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from markupsafe import Markup

from .._version import __version__
from ..core.outcome import Action
from .markup import NOTHING, code, fill, heads, joined, section, table
from .page_facts import (
    ChartRow,
    Notice,
    RunFacts,
    breakable,
    count_text,
    depth_texts,
    done_texts,
    length_text,
    moment_text,
    number_text,
    seconds_text,
)
from .page_lists import LISTED_MOST, cut
from .record import RunReport
from .survey import ElementRow, LeftRow, SurveyReport
from .survey_table import WORDS

CHARTED_MOST = 25

_MARKS = {"bad": "Problem", "look": "Check", "good": "Fine"}

_MEANINGS = {
    Action.SUBSTITUTED: "a new value stands in its place",
    Action.REMOVED: "the element is gone",
    Action.EMPTIED: "the element is there without a value, on purpose",
    Action.INSERTED: "the element is new in the file",
    Action.CUT: "the new value was too long for the element and was shortened",
    Action.INVALID: "the element may not hold the new value, so it was left empty",
}


def header(report: RunReport, ran: RunFacts, headline: Notice) -> Markup:
    """The top of the page.

    Args:
        report: the record.
        ran: what ran.
        headline: how the run ended; its text in two lines.
    """
    dry = show = NOTHING
    if report.is_dry:
        dry = Markup(
            '<div class="banner look" role="note">Dry run: nothing was written.\n<p>Every file was read and '
            "every change was worked out. This page says what the same command would do without "
            "<code>--dryRun</code>.</p></div>\n"
        )
    if report.survey and report.survey.shows_values:
        show = Markup(
            '<div class="banner bad" role="note">This page shows patients’ data.\n<p>It was made with '
            "<code>--showValues</code>: examples are original values. Keep it where the originals are kept, "
            "and do not hand it on.</p></div>\n"
        )
    title, outcome = headline.text.split("\n")
    return fill(
        '<header>\n<p class="soft">pfdicom_tagSub {}</p>\n<h1>{}</h1>\n'
        '<p class="soft"><time datetime="{}">{}</time></p>\n{}{}'
        '<div class="banner {}" role="status">{}\n<p>{}{}</p></div>\n</header>\n',
        __version__,
        "Dry run of a de-identification" if report.is_dry else "De-identification report",
        ran.started.isoformat(),
        moment_text(ran.started),
        dry,
        show,
        headline.level,
        title,
        outcome,
        f" {report.error}" if report.error else "",
    )


def figures(counts: Iterable[tuple[str, int]]) -> Markup:
    """The key figures."""
    parts = [fill("<div><dt>{}</dt><dd>{}</dd></div>\n", name, number_text(count)) for name, count in counts]
    return fill('<dl class="figures" aria-label="Key figures">\n{}</dl>\n', joined(parts))


def points_section(points: Iterable[Notice]) -> Markup:
    """What to look at first."""
    parts = [
        fill(
            '<li><span class="mark {}">{}</span>\n<span>{}</span></li>\n',
            one.level,
            _MARKS[one.level],
            fill('<a href="#{}">{}</a>', one.anchor, one.text) if one.anchor else one.text,
        )
        for one in points
    ]
    return section("first", "To look at first", fill('<ul class="points">\n{}</ul>\n', joined(parts)))


def contents(report: RunReport) -> Markup:
    """The list of the sections."""
    names = [("ran", "What ran", True)]
    survey = report.survey is not None
    names += [
        ("elements", f"What {_would_be(report)} done", survey),
        ("left", "Identifying attributes that stay", survey),
        ("idle", "Keys that hit nothing", survey),
        ("holds", "What the tree holds", survey),
        ("orphans", "Outputs whose inputs are gone", bool(report.orphans)),
        ("failures", "Files that failed", True),
        ("skipped", "Files that were skipped", True),
        ("cleaned", "Files whose pixels were cleaned", bool(report.pixels_cleaned)),
        ("pixels", "Files whose pixels need a look", True),
        ("residuals", "Outputs that hold replaced values", bool(report.residuals)),
        ("timing", "Timing", True),
        ("words", "What the words mean", True),
    ]
    parts = [
        fill('<li><a href="#{}">{}</a></li>\n', name, title) for name, title, is_there in names if is_there
    ]
    return fill('<nav aria-label="Contents">\n<ol>\n{}</ol>\n</nav>\n', joined(parts))


def ran_section(report: RunReport, ran: RunFacts) -> Markup:
    """What ran."""
    profile: object = "none: the spec alone says what is done"
    if report.profile:
        profile = f"{report.profile} (DICOM {report.profile_edition}, Annex E)"
    digest, key = report.spec_digest, report.key_fingerprint
    shown = fill('{} <span class="soft">(SHA-256; the same spec has the same)</span>', code(digest))
    facts = [
        ("Program", f"pfdicom_tagSub {__version__}"),
        ("Profile", profile),
        ("Spec", shown if digest else "none was read"),
        ("Secret key", fill("fingerprint {}", code(key)) if key else "none"),
        ("Started", moment_text(ran.started)),
        ("Ended", moment_text(ran.started + timedelta(seconds=report.run_time))),
    ]
    given = Markup('<span class="soft">given</span>')
    rows = [
        fill(
            '<tr><th scope="row">{}</th><td class="wide">{}</td></tr>\n',
            code(flag),
            code(text) if text else given,
        )
        for flag, text in ran.options
    ]
    return section(
        "ran", "What ran", _facts(facts), table("Options of the command", heads("Option", "Value"), rows)
    )


def elements_section(report: RunReport, survey: SurveyReport, bars: Sequence[ChartRow]) -> Markup:
    """What is done, element by element."""
    intro = fill(
        "<p>Of the {} files that {} written or are there already, element by element. Only numbers are kept "
        "of values{}.</p>\n",
        number_text(survey.files),
        "would be" if report.is_dry else "were",
        "" if survey.shows_values else "; originals are not on this page",
    )
    title = f"What {_would_be(report)} done"
    if not survey.elements:
        none = Markup("<p>No key of the spec hit anything in these files.</p>\n")
        return section("elements", title, intro, none)
    some = fill(' <span class="soft">(the {} most frequent)</span>', CHARTED_MOST)
    legend = [
        fill('<li><span class="key {}"></span>{}</li>\n', action.value, WORDS[action]) for action in Action
    ]
    names = joined(
        [
            Markup("\n"),
            heads("Element", "#How many", "Where", "What is done"),
            Markup("\n"),
            heads("Different originals", "Different results"),
            Markup("\n"),
        ]
    )
    return section(
        "elements",
        title,
        intro,
        fill("<h3>Actions per element{}</h3>\n", some if len(survey.elements) > CHARTED_MOST else NOTHING),
        fill('<ul class="legend" aria-label="Colours">\n{}</ul>\n', joined(legend)),
        chart(bars),
        Markup("\n"),
        table(
            "Elements in the order of their tags",
            names,
            map(_element_row, survey.elements),
            f"Elements and what {_would_be(report)} done to them",
        ),
    )


def _element_row(row: ElementRow) -> Markup:
    tag = fill("<small>{}</small>", row.tag) if row.tag and row.tag != row.label else NOTHING
    same = (
        fill('<span class="look">{} the same as before</span>', number_text(row.same))
        if row.same
        else NOTHING
    )
    lengths = fill("<small>{}</small>", length_text(row)) if row.lengths and row.lengths[1] else NOTHING
    results: object = "–"
    if row.results and row.results.number:
        example = (
            _such_as(row.example) if row.example else Markup("<small>not shown: made of originals</small>")
        )
        results = fill("{}\n{}", count_text(row.results), example)
    return fill(
        '<tr>\n<th scope="row">{}{}</th>\n<td class="num">{}</td><td class="lines">{}</td>\n'
        '<td class="lines">{}{}</td>\n<td class="wide">{}{}{}</td>\n<td class="wide">{}</td>\n</tr>\n',
        breakable(row.label),
        tag,
        number_text(row.total),
        _lines(depth_texts(row.depths)),
        _lines(done_texts(row)),
        same,
        count_text(row.originals) if row.originals else "not counted",
        lengths,
        _such_as(row.original) if row.original else NOTHING,
        results,
    )


def _such_as(text: str) -> Markup:
    return fill("<small>such as {}</small>", code(text))


def _lines(texts: Iterable[str]) -> Markup:
    return joined(fill("<span>{}</span>", text) for text in texts)


def left_section(survey: SurveyReport) -> Markup:
    """What stays."""
    title = "Identifying attributes that stay"
    parts = [
        Markup(
            "<p>None. Every attribute of DICOM PS3.15 Table E.1-1 that is present and has a value is "
            "removed, emptied or replaced.</p>\n"
        )
    ]
    if survey.left:
        parts = [
            Markup(
                "<p>DICOM PS3.15 Table E.1-1 lists attributes that may identify a patient. These are "
                "present, have a value, and the spec leaves them as they are. Whoever reads the output can "
                "read them.</p>\n"
            ),
            table(
                f"{title} as they are",
                heads("Attribute", "#How many", "Where", "Why"),
                map(_left_row, survey.left),
            ),
        ]
    if survey.partly:
        parts.append(
            fill(
                '<p class="look">In {} files the sequences could not be searched to the end; what these '
                "leave is "
                "not known in full.</p>\n",
                number_text(survey.partly),
            )
        )
    return section("left", title, *parts)


def _left_row(row: LeftRow) -> Markup:
    why = "no key names it"
    if row.kept == row.total and row.kept:
        why = "a key says that it stays"
    elif row.kept:
        why = f"a key says so of {number_text(row.kept)}; none names the others"
    return fill(
        '<tr><th scope="row">{}{}</th>\n<td class="num">{}</td><td class="lines">{}</td>\n'
        '<td class="wide">{}</td></tr>\n',
        breakable(row.label),
        fill("<small>{}</small>", row.tag) if row.tag else NOTHING,
        number_text(row.total),
        _lines(depth_texts(row.depths)),
        why,
    )


def idle_section(survey: SurveyReport) -> Markup:
    """The keys that hit nothing."""
    parts = [Markup("<p>Every key of the spec hit something.</p>\n")]
    if survey.idle_keys:
        keys = [fill("<li>{}</li>\n", code(key)) for key in survey.idle_keys[:LISTED_MOST]]
        parts = [
            Markup(
                "<p>These keys of the spec hit no element of these files. Either the files hold no such "
                "element, or the key does not say what was meant.</p>\n"
            ),
            fill('<ul class="keys">\n{}</ul>\n', joined(keys)),
            cut(len(survey.idle_keys)),
        ]
    if survey.profile_keys:
        parts.append(
            fill(
                "<p>Of the {} keys of the profile {} hit nothing, as is usual: a profile names what any kind "
                "of file may hold.</p>\n",
                number_text(survey.profile_keys),
                number_text(survey.idle_profile_keys),
            )
        )
    return section("idle", "Keys that hit nothing", *parts)


def holds_section(histograms: Iterable[tuple[str, str, Sequence[ChartRow]]]) -> Markup:
    """What the tree holds."""
    parts = [
        fill('<h3 id="{}">{}</h3>\n{}', name, title, chart(rows) if rows else Markup("<p>No file.</p>"))
        for title, name, rows in histograms
    ]
    return section("holds", "What the tree holds", *parts)


def chart(rows: Iterable[ChartRow]) -> Markup:
    """Bars."""
    items: list[Markup] = []
    for row in rows:
        parts = [
            fill('<rect class="{}" x="{}" y="0" width="{}" height="10"/>', part.name, part.start, part.length)
            for part in row.parts
        ]
        items.append(
            fill(
                '<li><span>{}</span>\n<svg viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
                'aria-label="{}: {}">{}</svg>\n<span class="text">{}</span></li>\n',
                breakable(row.label),
                row.label,
                row.text,
                joined(parts),
                row.text,
            )
        )
    return fill('<ul class="chart">\n{}</ul>\n', joined(items))


def timing_section(report: RunReport, ran: RunFacts) -> Markup:
    """How long it took."""
    found, time = sum(report.counts.values()), report.run_time
    rate = number_text(int(round(found / time, 0))) if found and time > 0 else "–"
    return section(
        "timing",
        "Timing",
        _facts(
            [
                ("Run time", seconds_text(time)),
                ("Files per second", rate),
                ("Workers", ran.workers if ran.workers > 1 else "none: files one after the other"),
            ]
        ),
    )


def words_section() -> Markup:
    """What the words mean."""
    words = [(WORDS[action], _MEANINGS[action]) for action in Action]
    words.append(("same as before", "a key hit the element, and what it gave was what stood there"))
    words.append(("levels down", "within so many sequences, one in the other"))
    return section("words", "What the words mean", _facts(words))


def _facts(facts: Iterable[tuple[str, object]]) -> Markup:
    parts = [fill("<dt>{}</dt><dd>{}</dd>\n", name, what) for name, what in facts]
    return fill('<dl class="facts">\n{}</dl>\n', joined(parts))


def _would_be(report: RunReport) -> str:
    return "would be" if report.is_dry else "was"
