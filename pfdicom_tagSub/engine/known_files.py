"""Files of a series: what they have in common is changed once, and what differs in each.

What becomes of an element in common depends on its bytes, on the elements that templates look up, on the
character set, and on what texts are cleaned of. A pattern is kept only where all of that is in common,
too, but for UIDs and times, and of these no text in common may hold any: that is looked at for each file.
Whatever else decides on something, such as lengths, stamps and what the file meta repeats, is done anew
in each file (``pattern_pass``), or in steps that were found out once (``pattern_recipe``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from ..core.errors import FileError
from ..dicom.elements import EXPLICIT_LITTLE, Element
from ..dicom.file import DicomFile
from ..dicom.file_patterns import FoundParts, Outline, Pattern
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import ScanResult, scan
from ..dicom.scope import Reading
from .memory import Memory
from .patched import Patched
from .pattern_pass import CommonChanges, ElementsOfKnown, KnownPattern, OfKnownFile
from .pattern_recipe import is_same
from .pattern_recording import Recorded, recipe_of
from .pattern_study import Observed, Study, split
from .pixel_review import REVIEWED
from .rule_index import Lookups
from .substitution import Substitution
from .utf8_switch import CannotHold

if TYPE_CHECKING:
    from .surveyor import Surveyor

MOST_PATTERNS = 32
MOST_BYTES = 1 << 22
"""What all patterns together have in common with their files."""

FEW = 4
"""A pattern that files fit takes in a file with so many more elements that differ."""

SERIES_APART = 4
"""So many patterns of files with the same elements are kept apart, as those of series are."""

CREDIT = 16
FILES_PER_CREDIT = 64

TRIES = 2
"""So many files of a pattern are tried to make its recipe of."""


class KnownFiles:
    """The patterns of one patcher."""

    def __init__(
        self,
        lookups: Lookups,
        memory: Memory,
        scan_filter: ScanFilter,
        reading: Reading,
        told: Callable[[Substitution, Patched], Patched],
        paired: Collection[int] = (),
        surveyor: Surveyor | None = None,
    ) -> None:
        """Args:
        lookups: the spec.
        memory: what earlier passes found out.
        scan_filter: what the spec needs to see.
        reading: how text is read of which a file does not say how.
        told: the changes of a pass with what it is asked to tell of itself.
        paired: the tags of elements of which a pass tells the original and the new values.
        surveyor: surveys passes; None where nobody asks.
        """
        self.lookups = lookups
        self.memory = memory
        self.filter = scan_filter
        self.reading = reading
        self.told = told
        self.paired = paired
        self.surveyor = surveyor
        self._patterns: list[KnownPattern] = []
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
            own = ElementsOfKnown()
            own.is_certain, own.known, own.common, own.found = True, known, known.common, found
            return own
        return None

    @staticmethod
    def known(elements: list[Element]) -> ElementsOfKnown | None:
        """What ``find`` gave; None for what a scan found."""
        return elements if isinstance(elements, ElementsOfKnown) else None

    @staticmethod
    def _to_do(pattern: Pattern, common: CommonChanges, found: FoundParts) -> list[Element]:
        elements = [pattern.element(index, found) for index in common.done_anew]
        elements += [element for element in found.elements if element is not None]
        elements.sort(key=lambda element: element.start)
        return elements

    def patched(self, file: DicomFile, elements: ElementsOfKnown) -> Patched | None:
        """The changes of a file that fits a pattern; None where that does not tell them for certain."""
        known, recipe = elements.known, elements.known.recipe
        patched = recipe.patched(file, elements.found) if recipe is not None else None
        if recipe is not None and recipe.is_spent:
            known.give_up()
        if patched is not None and recipe is not None and not recipe.has_learnt:
            return patched
        if not known.pattern.enter(file.data, elements.found):
            return None
        elements += self._to_do(known.pattern, elements.common, elements.found)
        try:
            if known.recipe is None and known.tries < TRIES:
                return self._recorded(known, file, elements)
            made = OfKnownFile(self.lookups, self.memory, file, elements, reading=self.reading)
            again = self.told(made, made.patched()) if made.takes_over(elements) else None
        except (FileError, CannotHold):
            again = None  # for a pass over the whole file to say
        if patched is not None and (again is None or not is_same(patched, again, file.data.source)):
            known.give_up()
        return again

    def _recorded(self, known: KnownPattern, file: DicomFile, elements: ElementsOfKnown) -> Patched | None:
        """As ``patched``; the recipe of the pattern is made on the way."""
        known.tries += 1
        made = Recorded(self.lookups, self.memory, file, elements, reading=self.reading)
        if not made.record(elements):
            return None
        patched = self.told(made, made.patched())
        known.recipe = recipe_of(
            self.lookups, self.filter, known.pattern, made, patched, self.paired, self.surveyor
        )
        return patched

    def learn(self, file: DicomFile, elements: Sequence[Element] | None) -> Patched | None:
        """Learn from a file that fits no pattern.

        Args:
            file: the file.
            elements: what a scan kept of it; None where that is not known.

        Returns:
            Its changes, if they were made in learning.
        """
        if file.deflated or not _is_certain(elements) or not self._pays():
            return None
        try:
            elements = scan(file.data, self.filter) if elements is None else elements
            outline = Outline.of(file.data)
        except FileError:
            return None
        if outline is None or not _is_certain(elements):
            return None
        if (
            outline.elements[0].tag < 0x00080000
        ):  # what becomes of a DICOMDIR is up to the files that it names
            return None
        alike = [one for one in self._patterns if one.pattern.outline.heads == outline.heads]
        nearest = min(
            alike, key=lambda one: len(one.pattern.varying | _more(one.pattern, outline)), default=None
        )
        if nearest is not None:
            more = _more(nearest.pattern, outline)
            varying = nearest.pattern.varying | more
            is_near = len(more) <= FEW or nearest.common is None
            is_near = is_near and not (len(alike) < SERIES_APART and self._is_other_series(more, outline))
            if is_near and 2 * len(varying) <= len(outline.elements):
                self._patterns.remove(nearest)
                return self._learn(file, elements, outline, varying)
        large = {index for index, stored in enumerate(outline.stored) if not stored}
        self._add(KnownPattern(Pattern(outline, large, self.filter)))
        return None

    def _is_other_series(self, differing: Iterable[int], outline: Outline) -> bool:
        """Whether files differ in what no recipe of a pattern may differ in."""
        tags = {outline.elements[index].tag for index in differing}
        return self.lookups.claims and not REVIEWED.isdisjoint(tags)

    def _pays(self) -> bool:
        """Whether learning pays: each file costs a credit, and each that fits a pattern earns one."""
        self._files += 1
        if self._credit or not self._files % FILES_PER_CREDIT:
            self._credit = max(self._credit - 1, 0)
            return True
        return False

    def _add(self, known: KnownPattern) -> None:
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
        own = split(elements, outline)
        substitution = Observed(self.lookups, self.memory, file, own, reading=self.reading)
        try:
            substitution.observe()
            patched = self.told(substitution, substitution.patched())
        except (FileError, CannotHold):
            return None
        study = Study(self.lookups, substitution, outline, varying, self.paired, self.surveyor)
        pattern = Pattern(outline, study.varying, self.filter)
        self._add(KnownPattern(pattern, study.common(pattern)))
        return patched


def _is_certain(elements: Sequence[Element] | None) -> bool:
    return elements is None or (isinstance(elements, ScanResult) and elements.is_certain)


def _more(pattern: Pattern, outline: Outline) -> set[int]:
    """The elements in which an outline differs from that of a pattern, but for those known to differ."""
    return pattern.outline.differing(outline) - pattern.varying
