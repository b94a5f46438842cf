"""What removes from a text all that its file says where the rules remove or replace it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from ..spec.identifying_tags import is_of_place
from ..text.cleaning import TextCleaner, cleaner_of
from ..text.fleeting import Fleeting
from ..text.identifiers import ADDRESS


class FileCleaner:
    """What removes from a text all that its file says where the rules remove or replace it.

    UIDs and times differ from file to file, other identifiers hardly ever do. Equal, and of equal hash,
    where it makes the same of every text.

    Attributes:
        identifiers: (VR, text) of single values, see ``cleaning.cleaner_of``.
        pieces: bytes of identifiers of which nothing says for sure what they are.
        is_of_places: whether it cleans names of institutions, in which cities and streets stay.
    """

    def __init__(
        self, identifiers: frozenset[tuple[str, str]], pieces: frozenset[bytes], *, is_of_places: bool = False
    ) -> None:
        self.identifiers = identifiers
        self.pieces = pieces
        self.is_of_places = is_of_places
        self._key = identifiers, pieces, is_of_places
        self.asked: AskedTexts | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FileCleaner) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __repr__(self) -> str:
        return f"<FileCleaner of {len(self.identifiers)} identifiers>"  # no values in logs

    @cached_property
    def _looked_for(self) -> frozenset[tuple[str, str]]:
        if not self.is_of_places:
            return self.identifiers
        return frozenset([("ST" if vr == ADDRESS else vr, text) for vr, text in self.identifiers])

    @cached_property
    def texts(self) -> TextCleaner:
        """Cleans texts."""
        return cleaner_of(self._looked_for)

    @cached_property
    def steady(self) -> TextCleaner:
        """Finds all but UIDs and times."""
        return cleaner_of(steady_of(self._looked_for))

    @cached_property
    def _volatile(self) -> frozenset[tuple[str, str]]:
        return frozenset([one for one in self.identifiers if one[0] in VOLATILE_VRS])

    @cached_property
    def _fleeting(self) -> Fleeting:
        return Fleeting(self._volatile)

    def has_fleeting(self, text: str) -> bool:
        """Whether a text holds a UID or a time."""
        return self._may_have_fleeting(text) and bool(cleaner_of(self._volatile).find(text))

    def _may_have_fleeting(self, text: str) -> bool:
        may = self._fleeting.may_be_in(text)
        if self.asked is not None:
            self.asked.add(text, is_held=may)
        return may

    def is_steady_in(self, text: str) -> bool:
        """Whether the UIDs and times are of no matter to what becomes of a text."""
        return not any(
            _is_unsteady(each) and self._may_have_fleeting(each) for each in self.steady.rounds(text)
        )

    def clean(self, text: str) -> str:
        """A text without the identifiers."""
        # What is found is the sum of what both find; where one finds nothing, the other alone does.
        rounds = self.steady.rounds(text)
        if any(_is_unsteady(each) and self.has_fleeting(each) for each in rounds):
            return self.texts.clean(text)
        return rounds[-1]

    @cached_property
    def _for_places(self) -> FileCleaner:
        return FileCleaner(self.identifiers, self.pieces, is_of_places=True)

    def watched(self) -> AskedTexts:
        """Takes note from now on of the texts that are looked into for UIDs and times."""
        self.asked = self._for_places.asked = AskedTexts()
        return self.asked

    def with_others(self, more: frozenset[tuple[str, str]], gone: frozenset[tuple[str, str]]) -> FileCleaner:
        """What cleans texts of a file that says the same, but for some UIDs and times.

        Args:
            more: the (VR, text) of those that only the other file has.
            gone: of those that only this one has; the days of DT values stay the same.
        """
        made = FileCleaner((self.identifiers - gone) | more, self.pieces)
        made.__dict__["steady"] = self.steady
        made._for_places.__dict__["steady"] = self._for_places.steady
        return made

    def for_tag(self, tag: int) -> FileCleaner:
        """What cleans an element with a tag."""
        return self._for_places if is_of_place(tag) else self


class AskedTexts:
    """The texts that were looked into for UIDs and times.

    Attributes:
        texts: those that can hold none of the file's.
        is_held: whether one may hold one, or what became of one depends on all that the file says.
    """

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.is_held = False

    def add(self, text: str, *, is_held: bool) -> None:
        """Note a text, and whether it may hold a UID or a time."""
        self.texts.add(text)
        self.is_held = self.is_held or is_held

    def taken(self) -> tuple[set[str], bool]:
        """What was noted since the last call."""
        taken = self.texts, self.is_held
        self.texts, self.is_held = set(), False
        return taken


VOLATILE_VRS = frozenset({"DT", "TM", "UI"})
_SIGNS = r"[^\x20-\x7e\0\r\n]|[.:]|[0-9]{6}|[0-9]- *[\r\n]|[0-9]_[0-9]+_[0-9]|[0-9]\s?[HUOhuo]"
_UNSTEADY = re.compile(_SIGNS.encode())
_UNSTEADY_TEXT = re.compile(_SIGNS)
_is_unsteady = _UNSTEADY_TEXT.search


def is_steady(raw: bytes) -> bool:
    """Whether the bytes of a text can hold neither a UID nor a time.

    A UID has a dot (``cleaning``), and a time a colon or six digits that stand together or that a line end
    divides, or a number before a word for hours. What stays of a text that is cut may hold one all the same.
    """
    return _UNSTEADY.search(raw) is None


def steady_of(identifiers: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The identifiers that a text without UIDs and times may hold; days of DT values are as of DA."""
    found = set()
    for vr, text in identifiers:
        if vr in ("UI", "TM"):
            continue
        if vr == "DT":  # its date stays the same; as ``identifiers`` reads it
            vr, text = "DA", text.strip(" \0\t\r\n")[:8]  # noqa: PLW2901
        found.add((vr, text))
    return frozenset(found)
