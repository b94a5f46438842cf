"""Texts that no rule names, where all of them are cleaned: most are clean, and many files share them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..dicom.character_sets import is_plain
from ..dicom.elements import Element
from ..dicom.free_text import FREE_TEXT_VRS, is_free_text
from ..dicom.known_sequences import KnownSequence
from ..dicom.scope import Scope, is_creator
from ..dicom.values import decode
from ..spec.rules import Rule
from .rule_application import RuleApplication

if TYPE_CHECKING:
    from ..text.cleaning import TextCleaner

INSTITUTION_NAME = 0x00080080
KNOWN_MOST = 16

_UNSEEN = ("",)
"""Stands for what was not looked at yet."""


class UnnamedTexts:
    """Those of one file."""

    def __init__(self, application: RuleApplication, root: Scope) -> None:
        """Args:
        application: applies the rule that cleans them.
        root: the data set.
        """
        self._application = application
        self._maker = application.maker
        self._root = root
        self._steady: tuple[TextCleaner, TextCleaner] | None = None

    def clean(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Clean an element that no rule names, if it is a text with an identifier; returns how it grew."""
        if element.vr == "SQ" or is_creator(element.tag):
            return 0
        vr = scope.vr(element)
        if vr not in FREE_TEXT_VRS and vr not in ("CS", "UN"):
            return 0
        raw = scope.raw(element)
        if not raw.strip(b" \0") or not is_free_text(vr, raw):
            return 0
        if is_plain(raw) and self._is_known_clean(vr, raw, element, scope):
            return 0
        stored = scope.source.read(element.start, element.end)
        result = self._maker.make(rule, element.tag, scope, element, stored)
        return 0 if result.data == stored else self._application.apply(rule, element, scope)

    def are_clean_in(self, known: KnownSequence) -> bool:
        """Whether those of a sequence whose bytes came before hold no identifier of the file."""
        cleaner = self._maker.cleaner
        if self._steady is None:
            self._steady = cleaner.steady, cleaner.for_tag(INSTITUTION_NAME).steady
        key = self._steady
        unsteady = known.clean.get(key, _UNSEEN)
        if unsteady is _UNSEEN:
            if len(known.clean) >= KNOWN_MOST:
                known.clean.clear()
            unsteady = known.clean[key] = self._unsteady_texts(known)
        return unsteady is not None and not any(map(cleaner.has_fleeting, unsteady))

    def _unsteady_texts(self, known: KnownSequence) -> tuple[str, ...] | None:
        """Of the texts of a sequence those that UIDs and times matter to; None where one is unclean."""
        from .file_cleaner import is_steady  # noqa: PLC0415  (for clean options alone)

        found: list[str] = []
        for tag, vr, raw in known.texts:
            steady = self._maker.cleaner.for_tag(tag).steady
            texts = decode(vr, raw, self._root.characters, self._root.encoding.little).texts
            if any(map(steady.find, texts)):
                return None
            if not is_steady(raw):
                found += texts
        return tuple(found)

    def _is_known_clean(self, vr: str, raw: bytes, element: Element, scope: Scope) -> bool:
        """Whether a text in ASCII holds no identifier of the file."""
        from .file_cleaner import is_steady  # noqa: PLC0415  (for clean options alone)

        memory = self._maker.memory
        cleaner = self._maker.cleaner.for_tag(element.tag)
        key = cleaner.steady, vr, raw
        known = memory.clean_texts.get(key)
        if known is None:
            known = not any(map(cleaner.steady.find, scope.value(element).texts))
            memory.add_clean_text(key, is_clean=known)
        if not known or is_steady(raw):
            return known
        return not any(map(cleaner.has_fleeting, scope.value(element).texts))
