"""Whether an element that a rule hits may be in an output as it was in the input.

It may where its template gives the same value again, such as a constant that stood there already. The
answer is worked out from what pydicom read, apart from the engine's substitution.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from pydicom import datadict

from ..core.errors import FileError
from ..dicom import dictionary
from ..dicom.character_sets import CharacterSet
from ..dicom.values import BINARY_VRS, Value, decode, fit
from ..spec.rules import Literal, Rule, RuleSet
from ..spec.templates import SELF_SOURCE, Template
from .entries import DataSet, Entry
from .expected_rules import creator_of
from .search_terms import SEARCHED_VRS
from .sequence_reading import is_sequence, items_of, raw_value


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A data set of the input and where a look-up goes on from it.

    Attributes:
        data: the data set.
        outer: the one around it; None at the root.
        beyond: for the root the file meta, for the file meta the root.
    """

    data: DataSet
    outer: Surroundings | None = None
    beyond: DataSet | None = None

    def find(self, tags: tuple[int, ...]) -> tuple[Entry, DataSet] | None:
        """The nearest element with one of the tags, and the data set that it is in."""
        here: Surroundings | None = self
        last = self
        while here is not None:
            if (found := _last_of(here.data, tags)) is not None:
                return found, here.data
            last, here = here, here.outer
        if last.beyond is not None and (found := _last_of(last.beyond, tags)) is not None:
            return found, last.beyond
        return None


def _last_of(data: DataSet, tags: tuple[int, ...]) -> Entry | None:
    for tag in tags:
        if found := data.with_tag(tag):
            return found[-1]
    return None


def may_stay(rule: Rule, entry: Entry, place: Surroundings, rules: RuleSet) -> bool:
    """Whether an element that a rule changes may be as it was.

    Args:
        rule: the rule that hits it; its template is not None.
        entry: the element of the input, which is the same in the output.
        place: the data set that it is in.
        rules: the compiled spec.
    """
    template = rule.template
    assert template is not None
    if template.keeps or template.cleans:
        return True  # what a cleaned text should not hold is searched for
    data = place.data
    if is_sequence(entry, data):
        return _is_literal(rule, entry, data)
    raw = b"" if entry.is_parsed else raw_value(entry, data)
    if not raw.strip(b" \0"):
        return True  # there is nothing of the original in it
    if template.empties:
        return False
    with warnings.catch_warnings(action="ignore"):  # they may quote values
        vr = vr_in(entry, place)
        own = _value_of(entry, place)
        expected = _expected(template, entry, place, rules, vr)
    if expected is None:
        return False
    if vr in BINARY_VRS and not own.texts:
        return False  # a binary value that is all NUL was dealt with above
    return bool(expected) and expected == fit(vr, own.texts).texts


def is_constant(rule: Rule, own: Entry, place: Surroundings, after: DataSet, entry: Entry) -> bool:
    """Whether an element that a rule changed holds what its template gives, where that is the same for all.

    Args:
        rule: the rule that hits it.
        own: the element of the output.
        place: the data set of the input that it was in.
        after: the data set of the output that it is in.
        entry: the element of the input.

    Returns:
        True also where the template depends on the file, or gives no text.
    """
    template = rule.template
    if template is None or not template.is_constant or rule.items or is_sequence(own, after):
        return True
    with warnings.catch_warnings(action="ignore"):  # they may quote values
        vr = vr_in(entry, place)
        if vr not in SEARCHED_VRS | {"CS"}:
            return True  # a number in binary has no text of its own
        expected = fit(vr, template.evaluate(own.tag, lambda _: None)).texts
        value = decode(vr, raw_value(own, after), CharacterSet((), after.encodings), after.little)
    return _without_blanks(expected) == _without_blanks(fit(vr, value.texts).texts)


def _without_blanks(texts: Sequence[str]) -> list[str]:
    return [text.strip(" \0") for text in texts]


def _expected(
    template: Template, entry: Entry, place: Surroundings, rules: RuleSet, vr: str
) -> tuple[str, ...] | None:
    """The texts that a template gives; None where it gives none."""

    def value_of(tags: tuple[int, ...]) -> Value | None:
        if tags == (SELF_SOURCE,) or entry.tag in tags:
            return _value_of(entry, place)
        found = place.find(tags)
        return _value_of(found[0], Surroundings(found[1], place)) if found else None

    try:
        return fit(vr, template.evaluate(entry.tag, value_of, rules.resources)).texts
    except FileError:
        return None


def _value_of(entry: Entry, place: Surroundings) -> Value:
    data = place.data
    if entry.is_parsed or is_sequence(entry, data):
        return Value((), (), "SQ")
    return decode(vr_in(entry, place), raw_value(entry, data), CharacterSet((), data.encodings), data.little)


def vr_in(entry: Entry, place: Surroundings) -> str:
    """The VR of an element, by the dictionaries where none is stored."""
    vr = entry.vr
    if vr in {"", "UN"}:
        vr = dictionary.vr_of(entry.tag) or _private_vr(entry, place.data) or "UN"
    if vr.startswith("US or SS"):
        found = place.find((dictionary.PIXEL_REPRESENTATION,))
        return "SS" if found and any(raw_value(*found)) else "US"
    return vr.split(" or ", maxsplit=1)[0]


def _private_vr(entry: Entry, data: DataSet) -> str:
    creator = creator_of(entry.tag, data)
    try:
        return datadict.private_dictionary_VR(entry.tag, creator) if creator else ""
    except KeyError:
        return ""


def _is_literal(rule: Rule, entry: Entry, data: DataSet) -> bool:
    """Whether a sequence holds the items that a rule writes, and no others."""
    try:
        items = items_of(entry, data)
    except FileError:
        return False
    if not items and not rule.inserts:
        return True  # an empty sequence is not filled
    return len(items) == len(rule.items) and all(
        _holds(item.data, literals) for item, literals in zip(items, rule.items, strict=True)
    )


def _holds(data: DataSet, literals: Sequence[Literal]) -> bool:
    """Whether a data set holds nothing but what literals say."""
    entries = {entry.tag: entry for entry in data.entries}
    if len(entries) != len(data.entries) or entries.keys() != {one.tag for one in literals}:
        return False
    for literal in literals:
        entry = entries[literal.tag]
        if is_sequence(entry, data):
            items = items_of(entry, data)
            if len(items) != len(literal.items) or not all(
                _holds(item.data, inner) for item, inner in zip(items, literal.items, strict=True)
            ):
                return False
            continue
        value = _value_of(entry, Surroundings(data))
        if value.texts != fit(literal.vr, literal.texts).texts:
            return False
    return True
