"""What a file says in elements that a spec removes or replaces: what its texts are cleaned of."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

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
    is_personal,
    is_postal,
    says_origin_of_code,
)
from ..spec.rules import Rule
from ..text.identifiers import ADDRESS
from .cleaner_memory import CleanerMemory, DataSetContext, Part
from .file_cleaner import FileCleaner

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
    collector.collect(elements, root, DataSetContext())
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
    collector.collect(elements, root, DataSetContext())
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

    def collect(self, elements: Iterable[Element], scope: Scope, context: DataSetContext) -> None:
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
                inner_context = DataSetContext(
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

    def _take(self, element: Element, known: KnownSequence, scope: Scope, context: DataSetContext) -> None:
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
        self, element: Element, scope: Scope, context: DataSetContext, parts: dict[tuple[int, str], Part]
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

    def _identifies(self, tag: int, context: DataSetContext, *, is_hit: bool) -> bool:
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
