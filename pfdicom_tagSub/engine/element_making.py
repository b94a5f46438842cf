"""The new bytes of an element: what a rule's template makes of the values of a file."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..core.errors import FileError, TableMissError
from ..core.outcome import Action
from ..dicom.character_sets import REPLACEMENT, UTF8, CharacterSet, is_plain
from ..dicom.dictionary import label_of
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.scope import PlacedElement, Reading, Scope
from ..dicom.values import BINARY_VRS, CHARSET_VRS, Value, can_hold, decode, encode_element, encode_raw, fit
from ..spec.function_types import Resources
from ..spec.rules import Rule
from ..spec.templates import SELF_SOURCE, Template
from ..spec.text_functions import NOTHING_LEFT
from .literal_items import encode_items
from .memory import Result
from .rule_matching import RuleMatcher

if TYPE_CHECKING:
    from .file_cleaner import FileCleaner

VAST = 1 << 16
"""Elements longer than this, such as pixel data to be emptied, are not read for nothing."""

PATH_VRS = frozenset({"AE", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UT"})
PATH_MOST = 128
"""What the path of an output is searched for: values of these VRs, up to so many bytes."""

_SELF = (SELF_SOURCE,)

Places = Mapping[tuple[int, ...], PlacedElement | None]


class _MadeElement(NamedTuple):
    """A new element: its bytes, its texts, and what was done."""

    data: bytes
    texts: tuple[str, ...]
    action: Action


class _MakingTask(NamedTuple):
    """What a new element is made of.

    Attributes:
        rule: whose template it is.
        template: the template.
        tag: the tag of the new element.
        vr: its VR.
        scope: the data set that it is in.
        characters: the character set that its text is written in.
        element: what it replaces; None if it is inserted.
        stored: the bytes of the whole of ``element``, of a vast one those of its header alone.
        nearby: where the sources and seeds are that are looked up from here.
        of_file: where the seeds are that are of the whole file.
        cleaner: cleans texts; None where the template does not ask for it.
    """

    rule: Rule
    template: Template
    tag: int
    vr: str
    scope: Scope
    characters: CharacterSet
    element: Element | None
    stored: bytes
    nearby: Places
    of_file: Places
    cleaner: FileCleaner | None


class ElementMaker:
    """Makes the elements of one file.

    Attributes:
        unheld: the data sets whose character set lacks a character of a new text, each with the tag of the
            first such element.
        misses: what lookup tables lack, one text for each element.
    """

    def __init__(
        self,
        matcher: RuleMatcher,
        file: DicomFile,
        elements: list[Element],
        switched: frozenset[int],
        reading: Reading,
    ) -> None:
        """Args:
        matcher: says which rule hits an element, and knows the spec and what earlier passes found out.
        file: the file.
        elements: what was scanned of it.
        switched: the keys of the data sets that are to declare UTF-8.
        reading: how text is read of which the file does not say how.
        """
        self.matcher = matcher
        self.lookups = matcher.lookups
        self.memory = matcher.memory
        self.file = file
        self.elements = elements
        self.switched = switched
        self.reading = reading
        self.unheld: dict[int, int] = {}
        self.misses: list[str] = []
        self._cleaner: FileCleaner | None = None

    @property
    def is_lost(self) -> bool:
        """Whether nothing will come of this pass, which goes on to find out all that is in its way."""
        return bool(self.unheld or self.misses)

    @property
    def cleaner(self) -> FileCleaner:
        """What cleans texts of what this file holds in elements that the rules replace."""
        if self._cleaner is None:
            from .identifier_collecting import cleaner_for  # noqa: PLC0415  (its patterns are for clean options alone)

            self._cleaner = cleaner_for(
                self.file,
                self.elements if self.lookups.rules.texts else None,
                self.matcher,
                claims=self.lookups.claims,
                reading=self.reading,
                known=self.memory.known(self.lookups.is_fixed),
            )
        return self._cleaner

    def take_cleaner(self, cleaner: FileCleaner) -> None:
        """Take over what cleans texts, which was made elsewhere."""
        self._cleaner = cleaner

    def make(self, rule: Rule, tag: int, scope: Scope, element: Element | None, stored: bytes) -> Result:
        """The new element that the template of a rule makes.

        Args:
            rule: the rule; it has a template.
            tag: the new element's tag.
            scope: the data set that it is in.
            element: what it replaces; None if it is inserted.
            stored: the bytes of the whole of ``element``, of a vast one that the template
                does not read its header alone; b"" without one.
        """
        template = rule.template
        assert template is not None
        switched = bool(self.switched) and scope.owner.key in self.switched
        key: list[object] = [rule.index, tag, stored, scope.encoding.implicit, scope.encoding.little]
        key += (*text_identity(scope.characters), switched)
        nearby: dict[tuple[int, ...], PlacedElement | None] = {}
        for tags in self.lookups.reads[rule.index]:
            if element is not None and (tags == _SELF or tag in tags):
                nearby[(tag,) if tags == _SELF else tags] = element, scope
            else:
                nearby[tags] = scope.find(tags)
        of_file = {tags: scope.find_for_file(tags) for tags in self.lookups.file_reads[rule.index]}
        size = len(stored)
        for place in (*nearby.values(), *of_file.values()):
            if place is None or place[0] is element:
                key.append(place is None)
            else:
                key.append(identity(*place))
                size += place[0].stop - place[0].value
        if element is None:
            vr = scope.vr(Element(tag, "", 0, 0, 0, 0))
            key.append(vr)
        else:  # the same bytes can be read in more than one way
            vr = scope.vr(element)
            key += (element.vr, vr, element.value - element.start, element.stop - element.start)
            vr = "SQ" if element.vr == "SQ" else vr
        cleaner = self.cleaner.for_tag(tag) if template.cleans else None
        is_steady = cleaner and element and template.cleans_only(tag) and _is_steady(cleaner, element, scope)
        key.append(cleaner.steady if cleaner and is_steady else cleaner)
        if cleaner and cleaner.asked and not is_steady:
            cleaner.asked.is_held = True
        known = self.memory.results.get(tuple(key))
        if known is not None:
            return known
        characters = UTF8 if switched else scope.characters
        task = _MakingTask(
            rule, template, tag, vr, scope, characters, element, stored, nearby, of_file, cleaner
        )
        made = self._made(task)
        if made is None:
            return Result(stored, self.memory.note(tag, Action.INVALID), ())
        self.memory.add_result(tuple(key), made, size)
        return made

    def _made(self, task: _MakingTask) -> Result | None:
        """The new element; None where its text does not fit the character set in force."""
        made: _MadeElement | None = None
        with warnings.catch_warnings(action="ignore"):  # pydicom's, of texts that it cannot read
            if task.cleaner is not None and task.element is not None and task.template.cleans_only(task.tag):
                made = self._cleaned(task, task.element, task.cleaner)
            if made is None:
                made = self._evaluated_or_missed(task)
            if made is None:
                return None
            original = "" if task.element is None else short_text(task.element, task.scope)
        action = made.action
        if task.element is None and action is not Action.INVALID:
            action = Action.INSERTED
        return Result(made.data, self.memory.note(task.tag, action), made.texts, original)

    def _evaluated_or_missed(self, task: _MakingTask) -> _MadeElement | None:
        """As ``_evaluated``; None, too, where a lookup table lacks a value, which is noted."""
        try:
            return self._evaluated(task, self.lookups.rules.resources)
        except TableMissError as miss:
            self.misses.append(_described(miss, task))
        resources = self.lookups.rules.resources
        if resources.notes_misses:
            self._evaluated(task, resources.noting_all())
        return None

    def _evaluated(self, task: _MakingTask, resources: Resources) -> _MadeElement | None:
        """The new element, from the values of the sources of its template.

        Returns:
            None where its text does not fit the character set in force.

        Raises:
            FileError: bytes of a source have no character, and the text would lack them.
        """
        scope, tag, vr = task.scope, task.tag, task.vr
        lossy: list[str] = []
        fitted = fit(vr, self._texts(task, lossy, resources))
        if lossy and any(REPLACEMENT in text for text in fitted.texts):
            raise FileError(
                f"the text of {lossy[0]} is not valid in the character set that the file declares, so that "
                f"the new text of {label_of(tag)} would have characters missing; declare the right one, or "
                "give --assumeCharacterSet TERM"
            )
        characters = task.characters
        if not can_hold(characters, vr, fitted.texts):
            # The pass goes on, to find all data sets of which this is so, and is lost.
            self.unheld.setdefault(scope.owner.key, tag)
            return None
        if vr == "SQ" and task.rule.items:
            data = encode_items(tag, task.rule.items, scope.encoding)
            return _MadeElement(data, fitted.texts, Action.SUBSTITUTED)
        implicit, little = scope.encoding.implicit, scope.encoding.little
        data = encode_element(tag, vr, fitted.texts, characters, implicit=implicit, little=little)
        return _MadeElement(data, fitted.texts, fitted.action)

    def _texts(self, task: _MakingTask, lossy: list[str], resources: Resources) -> tuple[str, ...]:
        """The new texts; where bytes of a source have no character, its label joins ``lossy``."""
        if task.vr == "SQ":
            return ()
        element = task.element
        is_vast = element is not None and len(task.stored) < element.end - element.start

        def value_of(tags: tuple[int, ...]) -> Value | None:
            place = task.nearby[tags]
            if place is None:
                return None
            if is_vast and place[0] is element:
                return Value((), (), task.vr)
            value = place[1].value(place[0])
            if value.lossless:
                lossy.append(label_of(place[0].tag))
            return value

        def file_value_of(tags: tuple[int, ...]) -> Value | None:
            place = task.of_file[tags]
            return place[1].value(place[0]) if place else None

        return task.template.evaluate(task.tag, value_of, resources, task.cleaner, file_value_of)

    def _cleaned(self, task: _MakingTask, element: Element, cleaner: FileCleaner) -> _MadeElement | None:
        """An element whose text is cleaned, in its bytes; None where it is plain and something was cut.

        What is not cut stays to the byte, whatever the VR allows.
        """
        scope, vr, data = task.scope, task.vr, task.stored
        raw = scope.raw(element)
        if is_plain(raw) or (vr not in CHARSET_VRS and vr != "UN"):
            texts = scope.value(element).texts
            is_same = bool(texts) and all(cleaner.clean(text) == text for text in texts)
            return _MadeElement(data, texts, Action.SUBSTITUTED) if is_same else None
        from ..dicom.byte_cleaning import clean_bytes  # noqa: PLC0415  (for clean options alone)

        def clean(text: str) -> str:
            return cleaner.clean(text) or (NOTHING_LEFT if text.strip() else text)

        try:
            new = clean_bytes(raw, vr, scope.characters, clean, cleaner.pieces)
        except FileError as error:
            raise FileError(f"{label_of(element.tag)}: {error}") from None
        texts = decode(vr, new, scope.characters, scope.encoding.little).texts
        if new is not raw:
            implicit, little = scope.encoding.implicit, scope.encoding.little
            data = encode_raw(element.tag, vr, new, implicit=implicit, little=little)
        return _MadeElement(data, texts, Action.SUBSTITUTED)


def _described(miss: TableMissError, task: _MakingTask) -> str:
    """What a lookup table lacks: of which element, and how deep it is."""
    depth, scope = 0, task.scope
    while scope.parent is not None:
        depth, scope = depth + 1, scope.parent
    place = f"at depth {depth} in sequences" if depth else "at the top level"
    text = f"the lookup table {miss.table} lacks a value for {label_of(task.tag)} {place}"
    for directive in task.template.directives:
        if miss.table in directive.arguments:
            tags = directive.seed or directive.source
            is_own = tags == _SELF or task.tag in tags
            return text if is_own else f"{text}, which it needs for the value of {label_of(tags[0])}"
    return text


def short_text(element: Element, scope: Scope) -> str:
    """The text of an element that a path may hold; "" where it is none of these."""
    if element.items is not None or element.stop - element.value > PATH_MOST:
        return ""
    vr = scope.vr(element)
    if vr not in PATH_VRS:
        return ""
    raw = scope.raw(element)
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii").strip("\0 ")
    return "\\".join(scope.value(element).texts)


def _is_steady(cleaner: FileCleaner, element: Element, scope: Scope) -> bool:
    """Whether a text in ASCII is cleaned alike in all files that differ in UIDs and times alone."""
    return is_plain(scope.raw(element)) and all(map(cleaner.is_steady_in, scope.value(element).texts))


def is_blind(template: Template, element: Element, scope: Scope) -> bool:
    """Whether a template makes the same of every value that is not empty."""
    if template.is_constant or template.functions == {"empty"}:
        return True
    return template.functions == {"dummy"} and scope.vr(element) in BINARY_VRS


def identity(element: Element, scope: Scope) -> tuple[object, ...]:
    """All that the decoded value of an element depends on."""
    return scope.vr(element), scope.raw(element), *text_identity(scope.characters), scope.encoding.little


def text_identity(characters: CharacterSet) -> tuple[object, ...]:
    """All that the text of bytes depends on; comparing it is quicker than comparing character sets."""
    fallback = characters.fallback
    return characters.terms, characters.encodings, characters.unknown, fallback and fallback.terms
