"""What to look for in an output: traces of what was replaced, but for what it says on purpose."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .element_texts import ElementText
from .search_terms import MOST_VALUES, NAMES, Needle, Trace, needles_of, plain_notations, traces_of


class SearchTargets(NamedTuple):
    """What to look for in an output.

    Attributes:
        needles: bytes of texts.
        days: days, in all their notations.
        texts: the texts.
    """

    needles: list[Needle]
    days: list[str]
    texts: list[str]


class Stated(NamedTuple):
    """What an output says on purpose.

    Attributes:
        texts: the texts of traces that say nothing, as they are said.
        roots: what the UIDs that were made begin with, up to each of their points.
        base: what else it says; None for nothing.
    """

    texts: frozenset[str]
    roots: frozenset[str]
    base: Stated | None = None

    @classmethod
    def of(cls, results: Iterable[ElementText]) -> Stated:
        """What values say that stand in the place of others."""
        results = list(results)
        roots = [root for vr, text, _ in results if vr == "UI" for root in _roots_of(text)]
        return cls(texts_of_traces(results), frozenset(roots))

    def with_more(self, results: Iterable[ElementText]) -> Stated:
        """What these and more values say."""
        return Stated.of(results)._replace(base=self)

    def says(self, text: str) -> bool:
        """Whether the text of a trace tells nothing: it is said, or the root of UIDs that were made."""
        is_here = text in self.texts or text in self.roots
        return is_here or (self.base is not None and self.base.says(text))


def _roots_of(uid: str) -> Iterable[str]:
    """What a text begins with, up to each of its points."""
    place = uid.find(".")
    while place >= 0:
        yield uid[:place]
        place = uid.find(".", place + 1)


def texts_of_traces(values: Iterable[ElementText]) -> frozenset[str]:
    """The texts of the traces of values."""
    return frozenset([trace.text for vr, text, _ in _first(values) for trace in traces_of(vr, text)])


def targets_of(
    originals: Iterable[ElementText], stated: Stated, left: frozenset[str], codecs: Iterable[str]
) -> SearchTargets:
    """What to look for in an output.

    Args:
        originals: the values that were replaced, removed or emptied.
        stated: what stands in their place: a trace that this has, too, says nothing.
        left: texts of traces of what is kept: what is not a name says nothing where it is one of these.
        codecs: the Python encodings of text in the input and the output.
    """
    traces = {
        (trace.text, trace.is_day): trace
        for vr, text, kind in reversed(_first(originals))  # of two kinds the one that tells most
        for trace in traces_of(vr, text, kind)
        if vr in NAMES or trace.text not in left
    }
    wanted = [trace for trace in traces.values() if not stated.says(trace.text)]
    days = sorted(trace.text for trace in wanted if trace.is_day)
    own = tuple(sorted(set(codecs)))
    needles: dict[Needle, None] = {}
    for trace in wanted:
        if not trace.is_day:
            needles.update(dict.fromkeys(needles_of(trace, own)))
    for day in days:
        for form in plain_notations(day):
            needles.update((needle, None) for needle in needles_of(Trace(form), own) if needle.width > 1)
    return SearchTargets(list(needles), days, [trace.text for trace in wanted if not trace.is_day])


def _first(values: Iterable[ElementText]) -> list[ElementText]:
    return sorted(values, key=lambda one: (one.kind, one))[:MOST_VALUES]
