"""Files of a series: what they have in common is changed once, and what differs in each.

What becomes of an element in common depends on its bytes, on the elements that templates look up, on the
character set, and on what texts are cleaned of. A pattern is kept only where all of that is in common,
too, but for UIDs and times, and of these no text in common may hold any: that is looked at for each file.
Whatever else decides on something, such as lengths, stamps and what the file meta repeats, is done anew
in each file.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.errors import FileError
from ..core.file_survey import PRIVATE
from ..core.outcome import Action
from ..dicom import dictionary
from ..dicom.dictionary import PIXEL_REPRESENTATION, SOP_CLASS_UID, SPECIFIC_CHARACTER_SET, STAMPS
from ..dicom.edits import Edit
from ..dicom.elements import EXPLICIT_LITTLE, Element
from ..dicom.file import DicomFile
from ..dicom.file_patterns import FoundParts, Outline, Pattern
from ..dicom.known_sequences import Said
from ..dicom.lengths import has_lengths
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import ScanResult
from ..dicom.scope import Reading, Scope
from .file_meta_substitution import FOLLOWING
from .memory import Memory, Note
from .patched import Patched
from .pixel_review import REVIEWED
from .rule_index import Lookups
from .substitution import Substitution
from .utf8_switch import CannotHold

if TYPE_CHECKING:
    from ..text.fleeting import Handles
    from .file_cleaner import AskedTexts, FileCleaner

MOST_PATTERNS = 32
MOST_BYTES = 1 << 22
"""What all patterns together have in common with their files."""

FEW = 4
"""A pattern that files fit takes in a file with so many more elements that differ."""

_PRIVATE = PRIVATE, Action.REMOVED

CREDIT = 16
FILES_PER_CREDIT = 64


@dataclass(frozen=True, slots=True)
class _Cleaning:
    """What texts of the files of a pattern are cleaned of.

    Attributes:
        cleaner: of the file that the pattern was learnt from.
        said: what the elements in common say.
        own: what the others said in that file, but for UIDs and times.
        gone: the UIDs and times that these others alone said.
        handles: of the texts in common that UIDs and times matter to.
    """

    cleaner: FileCleaner
    said: Said
    own: tuple[object, ...]
    gone: frozenset[tuple[str, str]]
    handles: Handles


@dataclass(frozen=True, slots=True)
class _Common:
    """What becomes of the elements in common.

    Attributes:
        done_anew: those of them that are done anew in each file, as others depend on them.
        edits: (which stretch, where in it the change starts and stops, the new bytes).
        notes: what was done, each with the text that was replaced.
        removed: how many private elements go.
        present: the tags that rules hit.
        reason: why a person should look at the pixels; None where that is up to the elements that differ.
        cleaning: what texts are cleaned of; None where they are not.
    """

    done_anew: tuple[int, ...]
    edits: tuple[tuple[int, int, int, bytes], ...]
    notes: tuple[tuple[Note, str], ...]
    removed: int
    present: frozenset[int]
    reason: str | None
    cleaning: _Cleaning | None


@dataclass(slots=True)
class _KnownPattern:
    """A pattern, and what becomes of the elements in common; None as long as that is not known."""

    pattern: Pattern
    common: _Common | None = None


class ElementsOfKnown(ScanResult):
    """What has to be done anew in a file that fits a pattern.

    Attributes:
        common: what becomes of all else.
        found: where it lies.
    """

    __slots__ = ("common", "found")

    common: _Common
    found: FoundParts


class KnownFiles:
    """The patterns of one patcher."""

    def __init__(self, lookups: Lookups, memory: Memory, scan_filter: ScanFilter, reading: Reading) -> None:
        """Args:
        lookups: the spec.
        memory: what earlier passes found out.
        scan_filter: what the spec needs to see.
        reading: how text is read of which a file does not say how.
        """
        self.lookups = lookups
        self.memory = memory
        self.filter = scan_filter
        self.reading = reading
        self._patterns: list[_KnownPattern] = []
        self._credit = CREDIT
        self._files = 0

    @staticmethod
    def serves(lookups: Lookups) -> bool:
        """Whether what becomes of an element is up to no more than a pattern can hold."""
        rules = lookups.rules
        return not (
            lookups.creators_matter
            or rules.asks_for_more
            or rules.private
            or lookups.content
            or rules.resources.notes_misses
            or (rules.cleans and rules.texts is None)
            or any(tag >> 16 & 1 or tag >> 16 == 0x0002 for tag in lookups.context_tags)
        )

    def find(self, file: DicomFile) -> ElementsOfKnown | None:
        """What has to be done in a file that fits a pattern; None for any other."""
        data = file.data
        if file.deflated or data.encoding != EXPLICIT_LITTLE or data.other is not None:
            return None
        for index, known in enumerate(self._patterns):
            found = known.pattern.match(data) if known.common is not None else None
            if found is None:
                continue
            assert known.common is not None
            if index:
                self._patterns.insert(0, self._patterns.pop(index))
            self._credit = min(self._credit + 1, CREDIT)
            own = ElementsOfKnown(self._to_do(known.pattern, known.common, found))
            own.is_certain, own.common, own.found = True, known.common, found
            return own
        return None

    @staticmethod
    def _to_do(pattern: Pattern, common: _Common, found: FoundParts) -> list[Element]:
        elements = [pattern.element(index, found) for index in common.done_anew]
        elements += [element for element in found.elements if element is not None]
        elements.sort(key=lambda element: element.start)
        return elements

    def patched(self, file: DicomFile, elements: ElementsOfKnown) -> Patched | None:
        """The changes of a file that fits a pattern; None where that does not tell them for certain."""
        substitution = _OfKnownFile(self.lookups, self.memory, file, elements, reading=self.reading)
        try:
            if not substitution.takes_over(elements):
                return None
            return substitution.patched()
        except (FileError, CannotHold):
            return None  # for a pass over the whole file to say

    def learn(self, file: DicomFile, elements: Sequence[Element]) -> Patched | None:
        """Learn from a file that fits no pattern.

        Args:
            file: the file.
            elements: what a scan kept of it.

        Returns:
            Its changes, if they were made in learning.
        """
        if (
            file.deflated
            or not (isinstance(elements, ScanResult) and elements.is_certain)
            or not self._pays()
        ):
            return None
        try:
            outline = Outline.of(file.data)
        except FileError:
            return None
        if outline is None or outline.elements[0].tag < 0x00080000:
            return None
        alike = [one for one in self._patterns if one.pattern.outline.heads == outline.heads]
        nearest = min(
            alike, key=lambda one: len(one.pattern.varying | _more(one.pattern, outline)), default=None
        )
        if nearest is not None:
            more = _more(nearest.pattern, outline)
            varying = nearest.pattern.varying | more
            is_near = len(more) <= FEW or nearest.common is None
            if is_near and 2 * len(varying) <= len(outline.elements):
                self._patterns.remove(nearest)
                return self._learn(file, elements, outline, varying)
        large = {index for index, stored in enumerate(outline.stored) if not stored}
        self._add(_KnownPattern(Pattern(outline, large, self.filter)))
        return None

    def _pays(self) -> bool:
        """Whether learning pays: each file costs a credit, and each that fits a pattern earns one."""
        self._files += 1
        if self._credit or not self._files % FILES_PER_CREDIT:
            self._credit = max(self._credit - 1, 0)
            return True
        return False

    def _add(self, known: _KnownPattern) -> None:
        self._patterns.insert(0, known)
        while (
            len(self._patterns) > MOST_PATTERNS
            or sum(one.pattern.size for one in self._patterns) > MOST_BYTES
        ):
            self._patterns.pop()

    def _learn(
        self, file: DicomFile, elements: Sequence[Element], outline: Outline, varying: frozenset[int]
    ) -> Patched | None:
        """Learn what becomes of the elements that a file has in common with others."""
        own = _split(elements, outline)
        substitution = _Observed(self.lookups, self.memory, file, own, reading=self.reading)
        try:
            substitution.observe()
            patched = substitution.patched()
        except (FileError, CannotHold):
            return None
        study = _Study(self, substitution, outline, varying)
        pattern = Pattern(outline, study.varying, self.filter)
        self._add(_KnownPattern(pattern, study.common(pattern)))
        return patched


class _OfKnownFile(Substitution):
    """A pass over a file that fits a pattern."""

    _reason: str | None = None

    def takes_over(self, elements: ElementsOfKnown) -> bool:
        """Take over what becomes of the elements in common; whether it is the same in this file."""
        common, starts = elements.common, elements.found.starts
        if common.cleaning is not None and not self._cleans_alike(common.cleaning):
            return False
        changes, root = self.changes, self.root
        changes.edits += [
            Edit(starts[stretch] + start, starts[stretch] + stop, data)
            for stretch, start, stop, data in common.edits
        ]
        for note, original in common.notes:
            changes.add((note, root, None, (), None, original, False, False, 1))
        if common.removed:
            changes.note_private(common.removed, root)
        self.present |= common.present
        self._reason = common.reason
        return True

    def _cleans_alike(self, known: _Cleaning) -> bool:
        """Whether the texts in common are cleaned as in the file that the pattern was learnt from."""
        from ..text.fleeting import Fleeting  # noqa: PLC0415  (for clean options alone)

        said = _said(self, self.elements, with_meta=True)
        own, fleeting = _apart(said)
        if own != known.own or Fleeting(fleeting).may_be_at(known.handles):
            return False
        self.maker.take_cleaner(known.cleaner.with_others(fleeting, known.gone))
        return True

    def reason(self) -> str:
        """As of any pass; where what says it is in common it was asked for once."""
        return super().reason() if self._reason is None else self._reason


class _Observed(Substitution):
    """A pass that notes what becomes of each element of the data set.

    Attributes:
        done: for where each element starts: the notes, each with the text that was replaced; the number of
            private elements that went; the tags that rules hit; the texts looked into for UIDs and times, and
            whether one may hold one.
        own_edits: the changes of the data set, without lengths and insertions.
    """

    done: dict[int, tuple[list[tuple[Note, str]], int, set[int], set[str], bool]]
    own_edits: list[Edit]
    asked: AskedTexts | None = None

    def observe(self) -> None:
        """Begin to take notes."""
        self.done = {}
        if self.rules.cleans:
            self.asked = self.maker.cleaner.watched()

    def data_set(self, elements: Sequence[Element], scope: Scope) -> int:
        """As of any pass, the elements of the root one by one."""
        if scope is not self.root:
            return super().data_set(elements, scope)
        growth = 0
        changes, before = self.changes, set[int]()
        for element in elements:
            mark = changes.mark()
            self.present = set()
            growth += super().data_set([element], scope)
            notes = [(one.note, one.original) for one in changes.since(mark)]
            texts, is_held = self.asked.taken() if self.asked is not None else (set[str](), False)
            self.done[element.start] = notes, changes.mark()[2] - mark[2], self.present, texts, is_held
            before |= self.present
        self.present = before
        self.own_edits = list(changes.edits)
        return growth


class _Study:
    """What a pass over a file showed of its elements.

    Attributes:
        varying: the indices of the elements that differ from file to file, or have to be scanned in each.
    """

    def __init__(self, files: KnownFiles, made: _Observed, outline: Outline, varying: frozenset[int]) -> None:
        self.files = files
        self.made = made
        self.outline = outline
        self.kept = {element.start: element for element in made.elements}
        self.tags = {element.tag: index for index, element in enumerate(outline.elements)}
        anew = self._done_anew(varying)
        entered = {index for index in anew if self._is_entered(index)}
        large = {index for index, stored in enumerate(outline.stored) if not stored}
        self.varying = varying | entered | large
        self.anew = tuple(sorted(anew - self.varying))

    def _kept(self, index: int) -> Element | None:
        return self.kept.get(self.outline.elements[index].start)

    def _is_entered(self, index: int) -> bool:
        kept = self._kept(index)
        return kept is not None and (kept.items is not None or kept.known is not None)

    def _done_anew(self, varying: frozenset[int]) -> set[int]:
        """The elements that others depend on, and those that depend on UIDs or times."""
        lookups = self.files.lookups
        tags = {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION, dictionary.LENGTH_TO_END, *FOLLOWING, *STAMPS}
        tags |= lookups.context_tags
        tags |= {tag for tag, _ in lookups.insertions} | self.files.lookups.rules.sources
        if self._reason(varying) is None:
            tags |= REVIEWED
        found = {self.tags[tag] for tag in tags if tag in self.tags}
        found |= {index for tag, index in self.tags.items() if not tag & 0xFFFF}
        elements = self.outline.elements
        found |= {
            index for index, one in enumerate(elements) if one.start in self.made.done and self._depends(one)
        }
        for tag, _ in lookups.insertions:  # spares the way to where it is inserted
            before = [index for index, one in enumerate(elements) if one.tag < tag]
            found |= set(before[-1:])
        if has_lengths(self.made.elements):
            found |= self._ends_of_groups(varying)
        return {index for index in found if self._kept(index) is not None}

    def _depends(self, element: Element) -> bool:
        return self.made.done[element.start][4]

    def _ends_of_groups(self, varying: frozenset[int]) -> set[int]:
        """The first elements of groups, where lengths of groups may end."""
        found: set[int] = set()
        group, is_after = -1, True
        for index, element in enumerate(self.outline.elements):
            if self._kept(index) is None:
                is_after = is_after or index in varying
                continue
            if is_after or element.tag >> 16 != group:
                found.add(index)
            group, is_after = element.tag >> 16, index in varying
        return found

    def _reason(self, varying: Iterable[int]) -> str | None:
        """Why a person should look at the pixels; None where that is up to elements that differ."""
        if not self.files.lookups.claims:
            return ""
        root = self.made.root
        own = root.elements.get(SOP_CLASS_UID)
        if own is None or not any(root.value(own).texts):
            return None  # the file meta may say it
        if any(self.outline.elements[index].tag in REVIEWED for index in varying):
            return None
        return self.made.reason()

    def common(self, pattern: Pattern) -> _Common | None:
        """What becomes of the elements in common; None where that is up to others."""
        lookups, tags = self.files.lookups, self.tags
        decisive = lookups.context_tags | {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION}
        decisive |= lookups.rules.sources
        differing = {self.outline.elements[index].tag for index in self.varying}
        if decisive & differing or dictionary.FIRST_RECORD_OFFSET in tags:
            return None
        if not lookups.overlay_tags.isdisjoint(tags):
            return None
        anew = set(self.anew)
        fixed = [index for index in pattern.places if index not in anew and self._kept(index) is not None]
        notes: list[tuple[Note, str]] = []
        present: set[int] = set()
        texts: set[str] = set()
        private = 0
        for index in fixed:
            element = self.outline.elements[index]
            own, more, hit, asked, _ = self.made.done[element.start]
            others = [one for one in own if one[0] != _PRIVATE]
            private += len(own) - len(others) + more
            notes += others
            present |= hit
            texts |= asked
        edits = self._edits(pattern, fixed)
        if edits is None:
            return None
        cleaning = self._cleaning(fixed, texts) if self.made.rules.cleans else None
        return _Common(
            self.anew,
            edits,
            tuple(notes),
            private,
            frozenset(present),
            self._reason(self.varying),
            cleaning,
        )

    def _edits(
        self, pattern: Pattern, fixed: Iterable[int]
    ) -> tuple[tuple[int, int, int, bytes], ...] | None:
        """The changes of the elements in common; None where one is of more than bytes."""
        by_start = sorted(self.made.own_edits, key=lambda edit: edit.start)
        found: list[tuple[int, int, int, bytes]] = []
        position = 0
        for index in sorted(fixed):
            element = self.outline.elements[index]
            stretch, place = pattern.places[index]
            while position < len(by_start) and by_start[position].start < element.start:
                position += 1
            while position < len(by_start) and by_start[position].start < element.end:
                edit = by_start[position]
                position += 1
                if not isinstance(edit.data, bytes) or edit.stop > element.end:
                    return None
                start, stop = (place + one - element.start for one in (edit.start, edit.stop))
                last = found[-1] if found else None
                if last and last[0] == stretch and last[2] == start and not last[3] and not edit.data:
                    found[-1] = stretch, last[1], stop, b""
                else:
                    found.append((stretch, start, stop, edit.data))
        return tuple(found)

    def _cleaning(self, fixed: Sequence[int], texts: Iterable[str]) -> _Cleaning:
        """What the texts of the file were cleaned of."""
        from ..text.fleeting import handles_of_all  # noqa: PLC0415  (for clean options alone)

        starts = {self.outline.elements[index].start for index in fixed}
        others = [element for element in self.made.elements if element.start not in starts]
        common = [element for element in self.made.elements if element.start in starts]
        said = _said(self.made, common, with_meta=False)
        own, fleeting = _apart(_said(self.made, others, with_meta=True))
        cleaner = self.made.maker.cleaner
        return _Cleaning(cleaner, said, own, fleeting - said.found, handles_of_all(texts))


def _said(made: Substitution, elements: Iterable[Element], *, with_meta: bool) -> Said:
    from .file_cleaner import said_of  # noqa: PLC0415  (for clean options alone)

    known = made.maker.memory.known(made.lookups.is_fixed)
    return said_of(
        made.file,
        elements,
        made.root,
        made.matcher,
        claims=made.lookups.claims,
        known=known,
        with_meta=with_meta,
    )


def _apart(said: Said) -> tuple[tuple[object, ...], frozenset[tuple[str, str]]]:
    """What something says that a text without UIDs and times may hold, and the UIDs and times."""
    from .file_cleaner import VOLATILE_VRS, steady_of  # noqa: PLC0415  (for clean options alone)

    fleeting = frozenset([one for one in said.found if one[0] in VOLATILE_VRS])
    return (steady_of(said.found), said.kept, said.pieces), fleeting


def _more(pattern: Pattern, outline: Outline) -> set[int]:
    """The elements in which an outline differs from that of a pattern, but for those known to differ."""
    return pattern.outline.differing(outline) - pattern.varying


def _split(elements: Sequence[Element], outline: Outline) -> list[Element]:
    """What a scan kept, private elements that it took together one by one."""
    by_start = {element.start: index for index, element in enumerate(outline.elements)}
    found: list[Element] = []
    for element in elements:
        if element.count == 1:
            found.append(element)
            continue
        index = by_start[element.start]
        for one in outline.elements[index : index + element.count]:
            found.append(Element(one.tag, one.vr, one.start, one.value, one.stop, one.end, one.defined))
    return found
