"""Whether an output still holds values that were replaced in it, and which element holds them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

from ..text.in_paths import holds_text
from .day_search import days_in
from .element_texts import ElementText
from .entries import DataSet, Entry, PydicomReading
from .leaves import Leaves, is_bulk, leaves_of, leaves_of_head
from .needle_search import CHUNK, Named, NeedleSearch
from .search_targets import Stated, targets_of, texts_of_traces
from .search_terms import UNBOUNDED
from .text_search import TextSearch

MOST_NAMED = 20
"""So many elements of one output are named."""


def find_residuals(
    output: PydicomReading,
    path: str,
    originals: Iterable[ElementText],
    results: Iterable[ElementText],
    codecs: Iterable[str],
    pause: Callable[[], None],
    kept: frozenset[int] = frozenset(),
    spared: Iterable[ElementText] = (),
    texts: TextSearch | None = None,
) -> tuple[str, ...]:
    """The elements of an output that hold a value that was replaced.

    Args:
        output: the output.
        path: its path, relative to the output directory.
        originals: the values that were replaced, removed or emptied.
        results: what stands in their place: a trace that these have, too, says nothing.
        codecs: the Python encodings of text in the input and the output.
        pause: called between pieces of a large file; it may raise to stop.
        kept: the tags of elements that are kept on purpose.
        spared: their values: what is not a name says nothing either where it is one of these.
        texts: the search of its texts.

    Returns:
        Their names in the order of the file, such as ``RequestAttributesSequence[0].StudyID``; also
        ``path``, ``preamble`` and ``pixel data``.
    """
    results = list(results)
    targets = targets_of(originals, Stated.of(results), texts_of_traces(spared), codecs)
    if not targets.needles and not targets.days and (texts is None or texts.is_idle):
        return ()
    named: Named = {}
    if is_in_path(path, targets.texts, targets.days):
        named["path"] = 0, 0
    regions = list(_regions(output.data))
    search = NeedleSearch(targets.needles, targets.days, pause, kept)
    _search_text(search, output, [region for region in regions if isinstance(region, tuple)], named)
    if texts is not None:
        for part, data in ((1, output.meta), (2, output.data)):
            for name, entry in texts.of_data_set(data):
                named.setdefault(name, (part, entry.start))
    for region in regions:
        if not isinstance(region, tuple):
            search.bulk(output.data.source, region, named)
    return tuple(sorted(named, key=named.__getitem__)[:MOST_NAMED])


def _search_text(
    search: NeedleSearch, output: PydicomReading, stretches: list[tuple[int, int]], named: Named
) -> None:
    """Search the head of an output and the stretches of its data set that hold text.

    A small output is looked through as a whole first, which mostly finds nothing.
    """
    head = output.data.start if not output.is_deflated else output.meta.end
    source = output.data.source
    if head + sum(stop - start for start, stop in stretches) <= CHUNK:
        parts = [source.read(start, stop) for start, stop in stretches]
        needles, days = search.found_in(b"\n".join((output.source.read(0, head), *parts)).lower())
        if not needles and not days:
            return
        search = NeedleSearch(needles, days, search.pause, search.kept)
    search.text(output.source, 0, head, Leaves(1, lambda: leaves_of_head(output)), named)
    leaves = Leaves(2, lambda: sorted(leaves_of(output.data, ""), key=lambda leaf: leaf.start))
    for start, stop in stretches:
        search.text(source, start, stop, leaves, named)


def _regions(data: DataSet) -> Iterator[tuple[int, int] | Entry]:
    """A data set as stretches of text and, by themselves, large binary values."""
    start = data.start
    for entry in data.entries:
        if is_bulk(entry):
            if start < entry.start:
                yield start, entry.start
            yield entry
            start = entry.end
    if start < data.end:
        yield start, data.end


def is_in_path(path: str, texts: Iterable[str], days: Iterable[str]) -> bool:
    """Whether the path of an output holds a text, or a day in some notation."""
    return holds_text(path, texts, UNBOUNDED) or bool(days_in_path(path, days))


def days_in_path(path: str, days: Iterable[str]) -> list[str]:
    """Those days that the path of an output holds in some notation."""
    return days_in(list(days), os.fsencode(path).lower())
