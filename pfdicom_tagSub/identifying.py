"""What a file says in elements that a spec removes or replaces: what its texts are cleaned of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from .cleaning import cleaner_of
from .dicomfile import DicomFile
from .dictionary import vr_of
from .elements import EXPLICIT_LITTLE, Element
from .functions import Cleaner
from .rules import Rule
from .scanner import scan
from .scope import Scope
from .values import ASCII_VRS, CHARSET_VRS, decode
from .wanted import EVERYTHING

RuleFor = Callable[[Element, Scope], Rule | None]
IsRemoved = Callable[[Element, Rule | None], bool]

TEXTUAL = (ASCII_VRS | CHARSET_VRS) - {"CS"}
"""VRs whose values may be found in free text; a CS value is one of an enumeration."""

PRIVATE_TEXTUAL = frozenset({"PN", "DA", "DT"})
"""Of private elements, most of which are parameters of the acquisition, only these."""

LENGTH_MOST = 1 << 10
PROSE_MOST = 1 << 6
PROSE = frozenset({"LT", "UT"})
"""Longer texts are reports and comments, not identifiers: their words are those of other texts, too."""


def cleaner_for(file: DicomFile, rule_for: RuleFor, is_removed: IsRemoved) -> Cleaner:
    """What removes from a text all that its file says where the rules remove or replace it.

    Args:
        file: the file.
        rule_for: the rule that hits an element.
        is_removed: whether an element is removed without a rule.
    """
    elements = scan(file.data, EVERYTHING)
    root = Scope(file.data.source, elements, file.data.encoding, file.data.start)
    found: set[tuple[str, str]] = set()

    def collect(elements: Iterable[Element], scope: Scope, *, gone: bool) -> None:
        for element in elements:
            rule = rule_for(element, scope)
            is_hit = gone or is_removed(element, rule) or (rule is not None and not _spares(rule))
            if element.items is not None:
                for item in element.items:
                    inner = Scope(scope.source, item.elements, item.encoding, item.value, scope)
                    collect(item.elements, inner, gone=is_hit)
            elif is_hit and element.stop - element.value <= LENGTH_MOST:
                vr = _meant_vr(element, scope)
                if vr in PROSE and element.stop - element.value > PROSE_MOST:
                    continue
                if vr in (PRIVATE_TEXTUAL if element.tag >> 16 & 1 else TEXTUAL):
                    raw, little = scope.raw(element), scope.encoding.little
                    texts = decode(vr, raw, scope.characters, little).texts
                    found.update((vr, text) for text in texts if text)

    collect(elements, root, gone=False)
    meta = Scope(file.source, file.meta, EXPLICIT_LITTLE, -1)
    for element in file.meta:
        if meta.vr(element) == "AE":
            found.update(("AE", text) for text in meta.value(element).texts if text)
    return cleaner_of(frozenset(found))


def _meant_vr(element: Element, scope: Scope) -> str:
    """The VR of an element; that of the dictionary where text stands under another by mistake."""
    meant = vr_of(element.tag)
    return meant if meant in TEXTUAL else scope.vr(element)


def _spares(rule: Rule) -> bool:
    """Whether what a rule hits stays, whole or cleaned."""
    return rule.template is not None and (rule.template.keeps or rule.template.cleans)
