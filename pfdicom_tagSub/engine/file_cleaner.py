"""What a file says in elements that a spec removes or replaces: what its texts are cleaned of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

from ..dicom.byte_cleaning import pieces_of, reading_of
from ..dicom.character_sets import is_plain
from ..dicom.dictionary import vr_of
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.known_sequences import KnownSequence, Said
from ..dicom.scan_filter import EVERYTHING
from ..dicom.scanner import enter, scan
from ..dicom.scope import AS_DECLARED, Reading, Scope
from ..dicom.values import ASCII_VRS, CHARSET_VRS, SINGLE_VALUED_VRS, decode
from ..spec.content_items import VALUES
from ..spec.identifying_tags import (
    MAKES,
    descriptive_tags,
    identifying_tags,
    is_of_place,
    is_personal,
    is_postal,
    says_origin_of_code,
)
from ..spec.rules import Rule
from ..text.cleaning import TextCleaner, cleaner_of
from ..text.fleeting import Fleeting
from ..text.identifiers import ADDRESS

if TYPE_CHECKING:
    from .rule_matching import RuleMatcher

TEXTUAL = (ASCII_VRS | CHARSET_VRS) - {"CS"}
"""VRs whose values may be found in free text; a CS value is one of an enumeration."""

PRIVATE_TEXTUAL = frozenset({"PN", "DA", "DT"})
"""Of private elements, most of which are parameters of the acquisition, only these."""

_POSTAL_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UN", "UT"})
_RETAINABLE = frozenset({"AE", "LO", "SH", "ST", "UC", ADDRESS})
_CLUE_VRS = frozenset({"DA", "DT", "PN", "UI"})
_CODE_VALUES = frozenset({0x00080100, 0x00080119, 0x00080120})
"""CodeValue, LongCodeValue, URNCodeValue."""

_CODES = _CODE_VALUES | {0x00080104}
"""The same, and CodeMeaning."""

LENGTH_MOST = 1 << 10
PROSE_MOST = 1 << 6
PROSE = frozenset({"LT", "UT"})
"""Longer texts are reports and comments, not identifiers: their words are those of other texts, too."""


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
        return cleaner_of(_steady(self._looked_for))

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
_UNSTEADY = re.compile(rb"[^\x20-\x7e\0\r\n]|[.:]|[0-9]{6}|[0-9]- *[\r\n]|[0-9]_[0-9]+_[0-9]")
_UNSTEADY_TEXT = re.compile(r"[^\x20-\x7e\0\r\n]|[.:]|[0-9]{6}|[0-9]- *[\r\n]|[0-9]_[0-9]+_[0-9]")
_is_unsteady = _UNSTEADY_TEXT.search


def is_steady(raw: bytes) -> bool:
    """Whether the bytes of a text can hold neither a UID nor a time.

    A UID has a dot (``cleaning``), and a time a colon or six digits that stand together or that a line end
    divides. What stays of a text that is cut may hold one all the same.
    """
    return _UNSTEADY.search(raw) is None


def cleaner_for(
    file: DicomFile,
    elements: Iterable[Element] | None,
    matcher: RuleMatcher,
    *,
    claims: bool,
    reading: Reading = AS_DECLARED,
    known: CleanerMemory | None = None,
) -> FileCleaner:
    """What removes from a text all that its file says where the rules remove or replace it.

    Args:
        file: the file.
        elements: all of its data set, every sequence entered; None if that is to be scanned.
        matcher: says what the rules remove or replace.
        claims: whether outputs say that no identity is left. The rules are a profile's then, which knows
            what identifies; any others name what they want to be gone.
        reading: how text is read of which the file does not say how.
        known: what earlier files with the same rules showed.
    """
    if elements is None:
        elements = scan(file.data, EVERYTHING)
    root = Scope(file.data.source, elements, file.data.encoding, file.data.start, reading=reading)
    collector = _Collector(matcher, claims=claims, known=known or CleanerMemory())
    collector.collect(elements, root, _DataSetContext())
    collector.found |= _said_by_meta(file)
    return FileCleaner(frozenset(collector.identifiers()), frozenset(collector.pieces))


def said_of(
    file: DicomFile,
    elements: Iterable[Element],
    root: Scope,
    matcher: RuleMatcher,
    *,
    claims: bool,
    known: CleanerMemory,
    with_meta: bool,
) -> Said:
    """What some elements of a data set say, and the file meta.

    Args, but for these: as of ``cleaner_for``.
        elements: those elements.
        root: the data set.
        with_meta: whether the file meta is asked, too.
    """
    collector = _Collector(matcher, claims=claims, known=known)
    collector.collect(elements, root, _DataSetContext())
    if with_meta:
        collector.found |= _said_by_meta(file)
    return Said(frozenset(collector.found), frozenset(collector.kept), frozenset(collector.pieces))


def _said_by_meta(file: DicomFile) -> set[tuple[str, str]]:
    """The titles of applications in the file meta."""
    meta = Scope(file.source, file.meta, file.meta_encoding, -1)
    return {
        ("AE", text)
        for element in file.meta
        if meta.vr(element) == "AE"
        for text in meta.value(element).texts
        if text
    }


def steady_of(identifiers: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The identifiers that a text without UIDs and times may hold; days of DT values are as of DA."""
    return _steady(identifiers)


def _steady(identifiers: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """The identifiers that a text without UIDs and times may hold."""
    found = set()
    for vr, text in identifiers:
        if vr in ("UI", "TM"):
            continue
        if vr == "DT":  # its date stays the same; as ``identifiers`` reads it
            vr, text = "DA", text.strip(" \0\t\r\n")[:8]  # noqa: PLW2901
        found.add((vr, text))
    return frozenset(found)


Part = Literal["nothing", "goes", "stays"]
"""What an element has to do with identifiers: it has none, has one that goes, or has one that stays."""

KNOWN_MOST = 1 << 12


class CleanerMemory:
    """What earlier files showed; of one spec, and kept by one patcher.

    Attributes:
        parts: the part that elements play, by tag and VR, for each context; only where nothing else in
            their file decides on it.
        texts: the texts of values, by VR, bytes and how they are read.
    """

    def __init__(self, is_fixed: Callable[[int], bool] = lambda _: False) -> None:
        """Args:
        is_fixed: whether the rule that hits a tag does not depend on what else the file holds.
        """
        self.is_fixed = is_fixed
        self.parts: dict[_DataSetContext, dict[tuple[int, str], Part]] = {}
        self.texts: dict[tuple[object, ...], list[str]] = {}

    def parts_in(self, context: _DataSetContext) -> dict[tuple[int, str], Part]:
        """The parts that elements play in a context."""
        known = self.parts.setdefault(context, {})
        if len(known) >= KNOWN_MOST:
            known.clear()
        return known

    def add_texts(self, key: tuple[object, ...], texts: list[str]) -> None:
        """Remember the texts of a value."""
        if len(self.texts) >= KNOWN_MOST:
            self.texts.clear()
        self.texts[key] = texts


class _DataSetContext(NamedTuple):
    """Where a data set is; a tuple, since it is the key of what is looked up for each.

    Attributes:
        is_gone: whether it is within a sequence that is removed or replaced.
        is_personal: whether it is about a person or an institution.
        is_item_gone: whether it is within a content item that is removed for its concept.
    """

    is_gone: bool = False
    is_personal: bool = False
    is_item_gone: bool = False


class _Collector:
    """Finds the values of one file that identify.

    Attributes:
        found: (VR, text) of what is removed or replaced.
        kept: texts of codes, of makes, and of attributes that identify and that the rules keep on purpose.
        pieces: bytes of what is removed or replaced, where nothing says for sure what they are.
    """

    def __init__(self, matcher: RuleMatcher, *, claims: bool, known: CleanerMemory) -> None:
        self.matcher = matcher
        self.claims = claims
        self.known = known
        self.found: set[tuple[str, str]] = set()
        self.kept: set[str] = set()
        self.pieces: set[bytes] = set()

    def identifiers(self) -> set[tuple[str, str]]:
        """What to look for: what an option retains is not cut out of other texts."""
        return {(vr, text) for vr, text in self.found if vr not in _RETAINABLE or text not in self.kept}

    def collect(self, elements: Iterable[Element], scope: Scope, context: _DataSetContext) -> None:
        """Take over what identifies in a data set, at every depth."""
        parts = self.known.parts_in(context)
        for element in elements:
            if element.known is not None:
                self._take(element, element.known, scope, context)
            elif element.items is None:
                if element.count > 1 or element.stop - element.value > LENGTH_MOST:
                    continue
                part = parts.get((element.tag, element.vr)) or self._part(element, scope, context, parts)
                if part == "goes":
                    self._add(element, scope)
                elif part == "stays":
                    self.kept.update(self._texts(scope.vr(element), element, scope))
            else:
                is_hit = self._is_hit(element, scope)
                inner_context = _DataSetContext(
                    context.is_gone or is_hit,
                    context.is_personal or is_personal(element.tag),
                )
                for item in element.items:
                    inner = Scope(
                        scope.source, item.elements, item.encoding, item.value, scope, sequence=element.tag
                    )
                    is_item_gone = context.is_item_gone or self.matcher.is_item_removed(inner)
                    own = inner_context._replace(is_item_gone=True) if is_item_gone else inner_context
                    self.collect(item.elements, inner, own)

    def _take(self, element: Element, known: KnownSequence, scope: Scope, context: _DataSetContext) -> None:
        """Take over what a sequence says that is not entered again."""
        key = context, scope.characters.terms
        said = known.said.get(key)
        if said is None:
            own = _Collector(self.matcher, claims=self.claims, known=self.known)
            entered = replace(element, items=enter(scope.source, element, scope.encoding), known=None)
            own.collect([entered], scope, context)
            said = Said(frozenset(own.found), frozenset(own.kept), frozenset(own.pieces))
            known.said[key] = said
        self.found |= said.found
        self.kept |= said.kept
        self.pieces |= said.pieces

    def _is_hit(self, element: Element, scope: Scope) -> bool:
        rule = self.matcher.rule_for(element, scope)
        return self.matcher.is_removed(element, rule) or (rule is not None and not _spares(rule))

    def _part(
        self, element: Element, scope: Scope, context: _DataSetContext, parts: dict[tuple[int, str], Part]
    ) -> Part:
        """The part that an element plays; kept in ``parts`` where that is up to its tag and VR alone."""
        tag, vr = element.tag, element.vr
        part: Part = "nothing"
        if context.is_item_gone and tag in VALUES:
            part = "goes"  # the concept of an item is the same for everybody, its value is not
        elif (is_hit := self._is_hit(element, scope)) or context.is_gone:
            if self._identifies(tag, context, is_hit=is_hit) or scope.vr(element) in _CLUE_VRS:
                part = "goes"
        elif tag in _stable_tags() and scope.vr(element) in _RETAINABLE:
            part = "stays"
        if len(vr) == 2 and vr != "UN" and self.known.is_fixed(tag):
            if part == "goes" and _meant_vr(element, scope) not in _textual(tag):
                part = "nothing"
            parts[tag, vr] = part
        return part

    def _identifies(self, tag: int, context: _DataSetContext, *, is_hit: bool) -> bool:
        """Whether what goes with an element identifies, and does not only describe.

        The words of a description that is removed, or of a code within a sequence that is removed, are
        those of other texts, too.
        """
        if says_origin_of_code(tag):
            return False
        if context.is_personal or tag >> 16 & 1 or tag in identifying_tags():
            return True
        if self.claims:
            return is_hit and tag not in descriptive_tags()
        return is_hit or tag not in descriptive_tags() | _CODES

    def _add(self, element: Element, scope: Scope) -> None:
        vr = _meant_vr(element, scope)
        if vr in PROSE and element.stop - element.value > PROSE_MOST:
            return
        if vr in _textual(element.tag):
            kind = ADDRESS if vr in _POSTAL_VRS and is_postal(element.tag) else vr
            self.found.update([(kind, text) for text in self._texts(vr, element, scope)])
            if vr in CHARSET_VRS and not is_plain(raw := scope.raw(element)):
                self.pieces.update(pieces_of(raw, scope.characters))

    def _texts(self, vr: str, element: Element, scope: Scope) -> list[str]:
        """As ``_texts``, remembered for values in ASCII of certain VRs."""
        raw = scope.raw(element)
        if vr not in ASCII_VRS and not is_plain(raw):
            return _texts(vr, element, scope)
        key: tuple[object, ...] = (vr, raw)
        if vr in CHARSET_VRS:
            characters = scope.characters
            fallback = characters.fallback
            key += characters.terms, characters.encodings, characters.unknown, fallback and fallback.terms
        known = self.known.texts.get(key)
        if known is None:
            known = _texts(vr, element, scope)
            self.known.add_texts(key, known)
        return known


def _textual(tag: int) -> frozenset[str]:
    """The VRs whose values identify."""
    return PRIVATE_TEXTUAL if tag >> 16 & 1 else TEXTUAL


@lru_cache(maxsize=1)
def _stable_tags() -> frozenset[int]:
    """The tags of texts that are not cut out of others where the rules keep them."""
    return identifying_tags() | _CODE_VALUES | MAKES


def _texts(vr: str, element: Element, scope: Scope) -> list[str]:
    """The single texts of an element; where it is not sure what they say, as UTF-8 or else as Latin-1."""
    raw = scope.raw(element)
    read = reading_of(raw, scope.characters) if vr in CHARSET_VRS else None
    if read is not None:
        texts = (read,) if vr in SINGLE_VALUED_VRS else tuple(read.split("\\"))
    else:
        texts = decode(vr, raw, scope.characters, scope.encoding.little).texts
    return [text for text in texts if text]


def _meant_vr(element: Element, scope: Scope) -> str:
    """The VR of an element; that of the dictionary where text stands under another by mistake."""
    meant = vr_of(element.tag)
    return meant if meant in TEXTUAL else scope.vr(element)


def _spares(rule: Rule) -> bool:
    """Whether what a rule hits stays, whole or cleaned."""
    return rule.adds or rule.walks
