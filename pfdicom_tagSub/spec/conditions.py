"""Conditions over the values of one file; :mod:`~pfdicom_tagSub.spec.condition_parsing` makes them of text.

A test of an element with several values, or at several places, holds where one of them passes it;
``!=`` where there is one and none is equal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from ..core.errors import FileError
from ..text.padding import without_padding
from ..text.patterns import PatternError, occurs
from .keys import PrivateKey

NUMBER_VRS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "SV", "UL", "US", "UV"})
DATE_VRS = frozenset({"DA", "DT", "TM"})
VRS_WITHOUT_TEXT = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ"})

EVERY_ITEM = -1


@dataclass(frozen=True, slots=True)
class Step:
    """A sequence on the way to an element: its tag, and which item, or every one of them."""

    tag: int
    item: int


@dataclass(frozen=True, slots=True)
class Subject:
    """What a test is about.

    Attributes:
        text: how it is written.
        tags: those that the element may have; () for the path of the file.
        steps: the sequences on the way to it.
        private: the private element that it is instead; None for a public one.
        vr: the VR of the dictionary; "" where that does not say.
    """

    text: str
    tags: tuple[int, ...] = ()
    steps: tuple[Step, ...] = ()
    private: PrivateKey | None = None
    vr: str = ""

    @property
    def is_path(self) -> bool:
        """Whether it is the path of the file relative to the input directory."""
        return not self.tags and self.private is None


@dataclass(frozen=True, slots=True)
class Held:
    """What a file holds of a subject.

    Attributes:
        is_present: whether it has the element.
        vr: its VR.
        texts: its values that are not empty, without padding.
    """

    is_present: bool
    vr: str = ""
    texts: tuple[str, ...] = ()


class Facts(Protocol):
    """One file, as conditions ask for it."""

    def held(self, subject: Subject) -> Held:
        """What it holds of a subject."""


@dataclass(frozen=True, slots=True)
class ValueTest:
    """One comparison of a subject with literals.

    Attributes:
        subject: what is compared.
        operator: how.
        literals: with what; () for a state.
    """

    subject: Subject
    operator: str
    literals: tuple[str, ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Whether it holds for a file.

        Raises:
            FileError: a value cannot be matched in time.
        """
        held = facts.held(self.subject)
        match self.operator:
            case "present":
                return held.is_present
            case "absent":
                return not held.is_present
            case "empty":
                return held.is_present and not held.texts
            case "!=":
                return bool(held.texts) and not any(
                    _is_equal(text, self.literals[0], held.vr) for text in held.texts
                )
            case "=" | "in":
                return any(_is_equal(text, one, held.vr) for text in held.texts for one in self.literals)
        passes = COMPARISONS[self.operator]
        return any(passes(text, self.literals[0], held.vr) for text in held.texts)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What it is about."""
        return (self.subject,)


@dataclass(frozen=True, slots=True)
class Not:
    """The contrary of a condition."""

    inner: Condition

    def holds(self, facts: Facts) -> bool:
        """Whether it holds for a file."""
        return not self.inner.holds(facts)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What it is about."""
        return self.inner.subjects


@dataclass(frozen=True, slots=True)
class AllOf:
    """Conditions that hold together."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether all hold for a file."""
        return all(part.holds(facts) for part in self.parts)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What they are about."""
        return tuple(subject for part in self.parts for subject in part.subjects)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Conditions of which one suffices."""

    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> bool:
        """Whether one holds for a file."""
        return any(part.holds(facts) for part in self.parts)

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What they are about."""
        return tuple(subject for part in self.parts for subject in part.subjects)


Condition = ValueTest | Not | AllOf | AnyOf


# --- comparing


def number_of(text: str) -> Decimal | None:
    """The number that a text is; None where it is none."""
    return Decimal(text.strip()) if _NUMBER.fullmatch(text.strip()) else None


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
AGE = re.compile(r"([0-9]{1,3})([DWMY])")
_DAYS = {"D": 1, "W": 7, "M": 30, "Y": 365}
_OFFSET = re.compile(r"[+][0-9]{4}$|(?<=[0-9]{8})-[0-9]{4}$|(?<=[0-9]\.[0-9])-[0-9]{4}$")
_FRACTION = re.compile(r"[0-9]{6}\.[0-9]+$")
_DATE_SIGNS = str.maketrans("", "", "-/.:")


def date_digits(text: str) -> str:
    """A date or time as digits alone, so that texts compare as they do; "" for what is none."""
    whole, point, fraction = _OFFSET.sub("", text), "", ""
    if _FRACTION.search(whole):
        whole, point, fraction = whole.rpartition(".")
    digits = whole.translate(_DATE_SIGNS)
    return digits + point + fraction if digits.isascii() and digits.isdigit() else ""


def _ordered(text: str, vr: str) -> tuple[Decimal | None, str]:
    """What a value is ordered by: a number, or else a text; None and "" where it has no order."""
    if vr in NUMBER_VRS:
        return number_of(text), ""
    if vr == "AS":
        match = AGE.fullmatch(text)
        return (Decimal(int(match[1]) * _DAYS[match[2]]) if match else None), ""
    if vr in DATE_VRS:
        return None, date_digits(text)
    return None, text


def _is_equal(text: str, literal: str, vr: str) -> bool:
    if vr in NUMBER_VRS or vr in DATE_VRS:
        own, other = _ordered(text, vr), _ordered(literal, vr)
        return own == other and own != (None, "")
    return text == literal


def _is_before(text: str, literal: str, vr: str, *, or_equal: bool) -> bool:
    own, other = _ordered(text, vr), _ordered(literal, vr)
    if own[0] is not None and other[0] is not None:
        return own[0] <= other[0] if or_equal else own[0] < other[0]
    if own[1] and other[1]:
        return own[1] <= other[1] if or_equal else own[1] < other[1]
    return False


def _matches(text: str, pattern: str, _vr: str) -> bool:
    try:
        return occurs(text, pattern)
    except PatternError as error:
        raise FileError(f"a condition cannot be decided: {error}") from None


def _is_after(text: str, literal: str, vr: str, *, or_equal: bool) -> bool:
    own, other = _ordered(text, vr), _ordered(literal, vr)
    if own[0] is not None and other[0] is not None:
        return own[0] >= other[0] if or_equal else own[0] > other[0]
    if own[1] and other[1]:
        return own[1] >= other[1] if or_equal else own[1] > other[1]
    return False


COMPARISONS: dict[str, Callable[[str, str, str], bool]] = {
    "<": lambda text, literal, vr: _is_before(text, literal, vr, or_equal=False),
    "<=": lambda text, literal, vr: _is_before(text, literal, vr, or_equal=True),
    ">": lambda text, literal, vr: _is_after(text, literal, vr, or_equal=False),
    ">=": lambda text, literal, vr: _is_after(text, literal, vr, or_equal=True),
    "contains": lambda text, literal, _: literal in text,
    "startsWith": lambda text, literal, _: text.startswith(literal),
    "endsWith": lambda text, literal, _: text.endswith(literal),
    "matches": _matches,
}


def significant(vr: str, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Values without padding, those that are empty left out."""
    return tuple(text for one in texts if (text := without_padding(vr, one)))
