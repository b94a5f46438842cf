"""A file and the rules to the changes of the file: the heart of the tool.

Only what a rule hits is decoded and written anew; the rest is never touched. Results are
remembered by the bytes that they were made of, since the files of a series share most of
their header: a pseudonym is made once, however many files carry the name.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from . import dictionary
from .dicomdir import offset_edits
from .dicomfile import DicomFile, deflate
from .dictionary import SPECIFIC_CHARACTER_SET, label_of
from .directives import SELF_SOURCE, Template
from .edits import Chunk, Edit, chunks, in_order, pieces
from .elements import EXPLICIT_LITTLE, UNDEFINED, Element, Stretch, place_for, scan
from .models import Action, ElementCounts, FileError
from .rules import Rule, RuleSet
from .scope import CREATORS, Scope
from .values import CHARSET_VRS, UTF8, UTF8_CHARSET, Value, can_hold, encode_element, fit
from .wanted import EVERYTHING, Wanted

REMEMBERED = 1 << 12
LOCAL_MOST = 1 << 10
"""Elements longer than this are not worth remembering whole."""

PRIVATE = 0
"""Stands for every private element in the counts."""

META_KEY = -1
"""The key of the file meta's scope; those of data sets are places in the file."""

FOLLOWING = {
    dictionary.SOP_INSTANCE_UID: dictionary.MEDIA_STORAGE_SOP_INSTANCE_UID,
    dictionary.SOP_CLASS_UID: dictionary.MEDIA_STORAGE_SOP_CLASS_UID,
}
"""What the file meta repeats of the data set (PS3.10 7.1)."""

FOLLOWERS = frozenset(FOLLOWING.values())


@dataclass(frozen=True)
class Patched:
    """The changes of one file.

    Attributes:
        edits: those of the file's bytes, in order.
        data_edits: those of the inflated data set, where it is stored deflated.
        elements: what was done to which elements.
    """

    edits: list[Edit]
    data_edits: list[Edit]
    elements: ElementCounts

    @property
    def is_empty(self) -> bool:
        """Whether the output is the input, byte for byte."""
        return not self.edits and not self.data_edits


Note = tuple[int, Action]
"""What was done to which element."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What a rule makes of an element: the whole new element, and what was done."""

    data: bytes
    note: Note
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _LocalPatch:
    """The changes of a file in which all that the rules look at lies in a few elements.

    Most files of a series have these elements in common, to the byte, wherever they lie;
    what was found out for one holds for all.

    Attributes:
        edits: (which element, where in it the change starts and stops, the new bytes).
        elements: what was done to which elements.
    """

    edits: tuple[tuple[int, int, int, bytes], ...]
    elements: ElementCounts

    @classmethod
    def of(cls, patched: Patched, elements: list[Element]) -> _LocalPatch | None:
        """The changes in terms of the elements; None where something was inserted."""
        edits = []
        for edit in patched.edits:
            for index, element in enumerate(elements):
                if element.start <= edit.start < edit.stop <= element.end:
                    edits.append((index, edit.start - element.start, edit.stop - element.start, edit.data))
                    break
            else:
                return None
        return cls(tuple(edits), patched.elements)

    def at(self, elements: list[Element]) -> Patched:
        """The changes where the elements lie in another file."""
        edits = []
        for index, start, stop, data in self.edits:
            place = elements[index].start
            edits.append(Edit(place + start, place + stop, data))
        return Patched(edits, [], self.elements)


@dataclass(frozen=True)
class Output:
    """The patched file: its input, and the changes."""

    file: DicomFile
    patched: Patched

    def chunks(self) -> Iterator[Chunk]:
        """New bytes, and stretches of the input; a deflated data set is deflated as it is asked for."""
        file, patched = self.file, self.patched
        if not patched.data_edits:
            yield from chunks(0, file.source.size, patched.edits)
            return
        yield from chunks(0, file.meta_stop, patched.edits)
        data = chunks(file.data.start, file.data.stop, patched.data_edits)
        yield from deflate(pieces(file.data.source, data))


class _CannotHold(Exception):  # noqa: N818  (a signal, not an error)
    """A text does not fit the character set that ``scope`` owns."""

    def __init__(self, scope: Scope, tag: int) -> None:
        super().__init__()
        self.scope = scope
        self.tag = tag


class Patcher:
    """A compiled spec at work; it keeps what it made for files to come.

    Not safe to share between threads or to send between processes: make one in each.
    """

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.remembered: dict[tuple[object, ...], _Result] = {}
        self.interned: dict[Note, Note] = {}
        self.counted: dict[tuple[int, ...], tuple[list[Note], ElementCounts]] = {}
        self.blocks = {(private.key.group, private.key.element) for private in rules.private}
        self.private_rules = {
            (private.key.group, private.key.creator, private.key.element): private.rule
            for private in rules.private
        }
        hit = set(rules.table)
        for group, element in self.blocks:
            hit.update(group << 16 | block << 8 | element for block in CREATORS)
        kept = hit | rules.sources | {SPECIFIC_CHARACTER_SET, dictionary.FIRST_RECORD_OFFSET}
        kept |= {group << 16 | creator for group, _ in self.blocks for creator in CREATORS}
        leading = [tag for tag in FOLLOWING if tag in hit]
        kept |= set(leading)
        if any("SS" in dictionary.vr_of(tag) for tag in kept):
            kept.add(dictionary.PIXEL_REPRESENTATION)
        self.wanted = Wanted(kept, hit, private=rules.remove_private)
        reads_meta = any(tag >> 16 == 0x0002 for tag in rules.sources)
        self.is_local = not (rules.meta or rules.private or rules.remove_private or leading or reads_meta)
        self.patches: dict[tuple[object, ...], _LocalPatch] = {}
        self.reads = {
            rule.index: _reads(rule.template)
            for rule in (
                *rules.table.values(),
                *rules.meta.values(),
                *self.private_rules.values(),
                *dict(rules.insertions).values(),
            )
            if rule.template
        }

    def scan(self, file: DicomFile) -> list[Element]:
        """What the rules need to see of a file.

        Raises:
            FileError: its bytes do not make a data set.
        """
        return scan(file.data, self.wanted)

    def patch(self, file: DicomFile, elements: list[Element]) -> Patched:
        """The changes that the rules ask for.

        Args:
            file: the file.
            elements: what ``scan`` found in it.

        Raises:
            FileError: the file cannot be processed with certainty.
        """
        encoding = file.data.encoding
        is_local = self.is_local and encoding.little and not file.deflated
        for element in elements:
            if element.items or element.end - element.start > LOCAL_MOST:
                is_local = False
        if not is_local:
            return self._patch(file, elements)
        read = file.source.read
        key = (encoding.implicit, *[read(element.start, element.end) for element in elements])
        known = self.patches.get(key)
        if known is not None:
            return known.at(elements)
        patched = self._patch(file, elements)
        known = _LocalPatch.of(patched, elements)
        # Whether a file may change its character set depends on all of its text.
        is_switched = any(tag == SPECIFIC_CHARACTER_SET for tag, _, _ in patched.elements)
        if known is not None and not is_switched:
            if len(self.patches) >= REMEMBERED:
                self.patches.clear()
            self.patches[key] = known
        return patched

    def _patch(self, file: DicomFile, elements: list[Element]) -> Patched:
        switched: frozenset[int] = frozenset()
        while True:
            try:
                return _Run(self, file, elements, switched).patched()
            except _CannotHold as signal:
                owner = signal.scope.owner
                if owner.key in switched or not _is_switchable(file, owner):
                    raise FileError(
                        f"the new text of {label_of(signal.tag)} does not fit the character set of the file, "
                        "which other text of the file needs; use a text that fits it"
                    ) from None
                switched |= {owner.key}

    def counts(self, notes: list[Note]) -> ElementCounts:
        """How often each was noted. Files that had the same done to them share the answer."""
        key = tuple(map(id, notes))
        known = self.counted.get(key)
        if known is None:
            counter = Counter(notes)
            counts = tuple((tag, action, count) for (tag, action), count in sorted(counter.items()))
            if len(self.counted) >= REMEMBERED:
                self.counted.clear()
            # The notes are kept as well: their identities must not be used again.
            known = self.counted[key] = (list(notes), counts)
        return known[1]

    def note(self, tag: int, action: Action) -> Note:
        """A note, always the same object, as ``counts`` wants them."""
        note = (tag, action)
        return self.interned.setdefault(note, note)

    def name(self, file: DicomFile, stem: Template) -> str:
        """The text that a template gives for a whole file, from its original values."""
        elements = scan(file.data, Wanted(self.rules.sources | {SPECIFIC_CHARACTER_SET}, ()))
        run = _Run(self, file, elements, frozenset())
        with warnings.catch_warnings(action="ignore"):  # pydicom's, of texts that it cannot read
            return "_".join(stem.evaluate(0, run.root_value))


def _reads(template: Template) -> tuple[tuple[int, ...], ...]:
    """The sources and seeds of a template, each the tags that may hold it."""
    return tuple(
        tags for directive in template.directives for tags in (directive.source, directive.seed) if tags
    )


class _Run:
    """One pass over one file."""

    def __init__(
        self, patcher: Patcher, file: DicomFile, elements: list[Element], switched: frozenset[int]
    ) -> None:
        self.patcher = patcher
        self.rules = patcher.rules
        self.file = file
        self.elements = elements
        self.switched = switched
        self.notes: list[Note] = []
        self.edits: list[Edit] = []
        self.present: set[int] = set()
        data = file.data
        self.meta = Scope(file.source, file.meta, EXPLICIT_LITTLE, META_KEY)
        self.root = Scope(data.source, elements, data.encoding, data.start)
        self.meta.beyond, self.root.beyond = self.root, self.meta
        self.root_texts: dict[int, tuple[str, ...]] = {}

    def root_value(self, tags: tuple[int, ...]) -> Value | None:
        """The value of a source as the root sees it; None where the file lacks it."""
        found = self.root.find(tags)
        return found[1].value(found[0]) if found else None

    def patched(self) -> Patched:
        """Apply the rules to the data set, then to the file meta."""
        data = self.file.data
        growths = self._data_set(self.elements, self.root)
        self._insert(growths)
        self._true_group_lengths(self.elements, self.root, growths)
        data_edits = in_order(self.edits)
        self.edits = []
        self._meta()
        meta_edits = in_order(self.edits)
        if dictionary.FIRST_RECORD_OFFSET in self.root.elements and (data_edits or meta_edits):
            if self.file.deflated:
                raise FileError("a DICOMDIR is never deflated (PS3.10 8.6)")
            every = [*meta_edits, *data_edits]
            data_edits = in_order([*data_edits, *offset_edits(data, every)])
        counts = self.patcher.counts(self.notes)
        if self.file.deflated:
            return Patched(meta_edits, data_edits, counts)
        return Patched(meta_edits + data_edits, [], counts)

    def _data_set(self, elements: Sequence[Element], scope: Scope) -> dict[int, int]:
        """Apply the rules to one data set.

        Returns:
            By how many bytes each group grew.
        """
        growths: dict[int, int] = {}
        table = self.rules.table
        present = self.present
        for element in elements:
            tag = element.tag
            group = tag >> 16
            if group & 1 and self.rules.remove_private:
                growth = self._replace(element, b"")
                self.notes.append(self.patcher.note(PRIVATE, Action.REMOVED))
            elif rule := table.get(tag) or (self._private_rule(element, scope) if group & 1 else None):
                present.add(tag)
                growth = self._apply(rule, element, scope)
            elif element.items:
                growth = self._items(element, scope)
            elif tag == SPECIFIC_CHARACTER_SET and scope.key in self.switched:
                growth = self._replace(element, self._utf8_declared(scope, Action.SUBSTITUTED))
            else:
                continue
            growths[group] = growths.get(group, 0) + growth
        if scope is not self.root:
            self._true_group_lengths(elements, scope, growths)
        return growths

    def _private_rule(self, element: Element, scope: Scope) -> Rule | None:
        group, number = element.tag >> 16, element.tag & 0xFF
        if (group, number) not in self.patcher.blocks or not element.tag & 0xFF00:
            return None
        return self.patcher.private_rules.get((group, scope.creator(element.tag), number))

    def _items(self, sequence: Element, scope: Scope) -> int:
        """Apply the rules within a sequence; returns by how many bytes it grew."""
        total = 0
        for item in sequence.items or ():
            if not item.elements:
                continue
            inner = Scope(scope.source, item.elements, item.encoding, item.value, scope)
            growth = sum(self._data_set(item.elements, inner).values())
            if growth and item.defined:
                self._length(item.start + 4, item.stop - item.value + growth, item.encoding.little)
            total += growth
        if total and sequence.defined:
            length = sequence.stop - sequence.value + total
            self._length(sequence.value - 4, length, scope.encoding.little)
        return total

    def _length(self, place: int, length: int, little: bool) -> None:
        if length >= UNDEFINED:
            raise FileError(f"a sequence would become longer than its length field at byte {place} can say")
        self.edits.append(Edit(place, place + 4, length.to_bytes(4, "little" if little else "big")))

    def _true_group_lengths(self, elements: Sequence[Element], scope: Scope, growths: dict[int, int]) -> None:
        for element in elements if any(growths.values()) else ():
            group = element.tag >> 16
            if group & 1 and self.rules.remove_private:
                continue  # it is removed as well
            growth = growths.get(group, 0)
            if element.tag & 0xFFFF == 0 and growth and element.stop - element.value == 4:
                order = scope.encoding.little
                old = int.from_bytes(scope.raw(element), "little" if order else "big")
                self._length(element.value, max(old + growth, 0), order)

    def _replace(self, element: Element, data: bytes) -> int:
        edit = Edit(element.start, element.end, data)
        self.edits.append(edit)
        return edit.growth

    def _apply(self, rule: Rule, element: Element, scope: Scope) -> int:
        """Apply a rule to the element that it hits; returns by how many bytes it grew."""
        if rule.template is None:
            self._note(self.patcher.note(element.tag, Action.REMOVED), (), scope)
            return self._replace(element, b"")
        stored = scope.source.read(element.start, element.end)
        result = self._result(rule, rule.template, element.tag, scope, element, stored)
        self._note(result.note, result.texts, scope)
        return 0 if stored == result.data else self._replace(element, result.data)

    def _note(self, note: Note, texts: tuple[str, ...], scope: Scope) -> None:
        self.notes.append(note)
        if scope is self.root and note[0] in FOLLOWING:
            self.root_texts[note[0]] = texts

    def _result(
        self,
        rule: Rule,
        template: Template,
        tag: int,
        scope: Scope,
        element: Element | None,
        stored: bytes,
    ) -> _Result:
        """The new element that a template makes.

        Args:
            rule: whose template it is.
            template: the template.
            tag: the new element's tag.
            scope: the data set that it is in.
            element: what it replaces; None if it is inserted.
            stored: the bytes of the whole of ``element``; b"" without one.
        """
        characters = UTF8 if self.switched and scope.owner.key in self.switched else scope.characters
        encoding = scope.encoding
        key: list[object] = [rule.index, tag, stored, encoding.implicit, encoding.little, characters.terms]
        found: dict[tuple[int, ...], tuple[Element, Scope] | None] = {}
        for tags in self.patcher.reads[rule.index]:
            if element is not None and (tags == (SELF_SOURCE,) or tag in tags):
                found[(tag,) if tags == (SELF_SOURCE,) else tags] = (element, scope)
            else:
                place = found[tags] = scope.find(tags)
                key.append(place and _identity(*place))
        if element is None:
            key.append(_inserted_vr(tag, scope))
        elif len(element.vr) != 2 or element.vr == "UN":  # the data set around it decides on the VR
            key.append(scope.vr(element))
        remembered = self.patcher.remembered
        result = remembered.get(tuple(key))
        if result is not None:
            return result
        if element is None:
            vr = _inserted_vr(tag, scope)
        else:
            vr = "SQ" if element.vr == "SQ" else scope.vr(element)

        def value_of(tags: tuple[int, ...]) -> Value | None:
            place = found[tags]
            return place[1].value(place[0]) if place else None

        with warnings.catch_warnings(action="ignore"):  # pydicom's, of texts that it cannot read
            texts = () if vr == "SQ" else template.evaluate(tag, value_of)
            fitted = fit(vr, texts)
            if not can_hold(characters, vr, fitted.texts):
                raise _CannotHold(scope, tag)
            data = encode_element(
                tag, vr, fitted.texts, characters, implicit=encoding.implicit, little=encoding.little
            )
        action = fitted.action
        if element is None and action is not Action.INVALID:
            action = Action.INSERTED
        result = _Result(data, self.patcher.note(tag, action), fitted.texts)
        if len(remembered) >= REMEMBERED:
            remembered.clear()
        remembered[tuple(key)] = result
        return result

    def _insert(self, growths: dict[int, int]) -> None:
        """Stamp the root with what the file holds nowhere."""
        for tag, rule in self.rules.insertions:
            if tag >> 16 == 0x0002 or tag in self.present:
                continue
            if data := self._inserted(rule, tag, self.root):
                self._insert_at_root(tag, data, growths)
        if self.root.key in self.switched and SPECIFIC_CHARACTER_SET not in self.root.elements:
            data = self._utf8_declared(self.root, Action.INSERTED)
            self._insert_at_root(SPECIFIC_CHARACTER_SET, data, growths)

    def _insert_at_root(self, tag: int, data: bytes, growths: dict[int, int]) -> None:
        place = place_for(self.file.data, tag, self.elements)
        self.edits.append(Edit(place, place, data))
        growths[tag >> 16] = growths.get(tag >> 16, 0) + len(data)

    def _inserted(self, rule: Rule, tag: int, scope: Scope) -> bytes:
        """The element to insert; b"" where a source of its template is absent."""
        template = rule.template
        if template is None or any(
            directive.source == (SELF_SOURCE,) or scope.find(directive.source) is None
            for directive in template.directives
        ):
            return b""
        result = self._result(rule, template, tag, scope, None, b"")
        self._note(result.note, result.texts, scope)
        return b"" if result.note[1] is Action.INVALID else result.data

    def _utf8_declared(self, scope: Scope, action: Action) -> bytes:
        """The element that declares UTF-8 in a data set that was switched to it."""
        self.notes.append(self.patcher.note(SPECIFIC_CHARACTER_SET, action))
        tag, encoding = SPECIFIC_CHARACTER_SET, scope.encoding
        return encode_element(
            tag, "CS", (UTF8_CHARSET,), UTF8, implicit=encoding.implicit, little=encoding.little
        )

    def _meta(self) -> None:
        """Apply the rules to the file meta, and let it follow the data set."""
        if not self.file.meta:
            return
        scope = self.meta
        growth = 0
        for element in self.file.meta:
            rule = self.rules.meta.get(element.tag)
            if rule is not None:
                growth += self._apply(rule, element, scope)
                self.present.add(element.tag)
            elif element.tag in FOLLOWERS and (texts := self._followed(element.tag)) is not None:
                data = encode_element(element.tag, "UI", texts, UTF8, implicit=False, little=True)
                if data != scope.source.read(element.start, element.end):
                    growth += self._replace(element, data)
                    action = Action.SUBSTITUTED if any(texts) else Action.EMPTIED
                    self.notes.append(self.patcher.note(element.tag, action))
        for tag, rule in self.rules.insertions:
            if tag >> 16 == 0x0002 and tag not in self.present:
                data = self._inserted(rule, tag, scope)
                later = [element.start for element in self.file.meta if element.tag > tag]
                place = later[0] if later else self.file.meta_stop
                if data:
                    self.edits.append(Edit(place, place, data))
                growth += len(data)
        first = self.file.meta[0]
        if growth and first.tag == dictionary.FILE_META_GROUP_LENGTH:
            self._length(first.value, self.file.meta_stop - first.end + growth, little=True)

    def _followed(self, tag: int) -> tuple[str, ...] | None:
        """The texts that an element of the file meta takes over; None if it stays."""
        for source, follower in FOLLOWING.items():
            if tag == follower and source in self.root_texts:
                return self.root_texts[source]
            if tag == follower and source in self.rules.table and source not in self.root.elements:
                return ()  # the original must not stay where the data set has none to follow
        return None


def _identity(element: Element, scope: Scope) -> tuple[object, ...]:
    """All that the decoded value of an element depends on."""
    return scope.vr(element), scope.raw(element), scope.characters.encodings, scope.encoding.little


def _inserted_vr(tag: int, scope: Scope) -> str:
    return scope.vr(Element(tag, "", 0, 0, 0, 0))


def _is_switchable(file: DicomFile, owner: Scope) -> bool:
    """Whether a data set may declare UTF-8: all text that its character set governs is ASCII.

    A byte of 0x80 and above, or an escape sequence, would be read as something else.
    """
    if owner.key == META_KEY:
        return False  # the file meta cannot declare a character set
    return _is_ascii(scan(file.data, EVERYTHING), file.data, owner.key, file.data.start)


def _is_ascii(elements: Sequence[Element], data: Stretch, wanted: int, owner: int) -> bool:
    for element in elements:
        if element.vr in CHARSET_VRS and owner == wanted:
            raw = data.source.read(element.value, element.stop)
            if not raw.isascii() or b"\x1b" in raw:
                return False
        for item in element.items or ():
            own = any(inner.tag == SPECIFIC_CHARACTER_SET for inner in item.elements)
            if not _is_ascii(item.elements, data, wanted, item.value if own else owner):
                return False
    return True
