"""A pass over a file that fits a pattern: what becomes of the elements in common is taken over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.file_survey import SurveyedChanges
from ..dicom.edits import Edit
from ..dicom.file_patterns import FoundParts, Pattern
from ..dicom.known_sequences import Said
from ..dicom.scanner import ScanResult
from .changes import Change
from .memory import Note
from .pattern_said import apart, said_in
from .substitution import Substitution

if TYPE_CHECKING:
    from ..text.fleeting import Handles
    from .file_cleaner import FileCleaner
    from .pattern_recipe import PatternRecipe


GIVEN_UP = 1 << 30
"""More tries than any pattern gets."""


@dataclass(frozen=True, slots=True)
class Cleaning:
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
class CommonChanges:
    """What becomes of the elements in common.

    Attributes:
        done_anew: those of them that are done anew in each file, as others depend on them.
        edits: (which stretch, where in it the change starts and stops, the new bytes).
        notes: what was done, each with the text that was replaced.
        removed: how many private elements go.
        present: the tags that rules hit.
        reason: why a person should look at the pixels; None where that is up to the elements that differ.
        cleaning: what texts are cleaned of; None where they are not.
        surveyed: what a survey tells of what was done; None where nobody asks.
    """

    done_anew: tuple[int, ...]
    edits: tuple[tuple[int, int, int, bytes], ...]
    notes: tuple[tuple[Note, str], ...]
    removed: int
    present: frozenset[int]
    reason: str | None
    cleaning: Cleaning | None
    surveyed: SurveyedChanges | None = None


@dataclass(slots=True)
class KnownPattern:
    """A pattern.

    Attributes:
        pattern: what files have in common.
        common: what becomes of that; None as long as it is not known.
        recipe: the steps by which others like it are changed; None where there are none.
        tries: how often it was tried to find these out.
    """

    pattern: Pattern
    common: CommonChanges | None = None
    recipe: PatternRecipe | None = None
    tries: int = 0

    def give_up(self) -> None:
        """Go without a recipe from now on."""
        self.recipe = None
        self.tries = GIVEN_UP
        self.pattern.forms.clear()


class ElementsOfKnown(ScanResult):
    """What has to be done anew in a file that fits a pattern; empty as long as its recipe may do.

    Attributes:
        known: the pattern.
        common: what becomes of all else.
        found: where it lies.
    """

    __slots__ = ("common", "found", "known")

    known: KnownPattern
    common: CommonChanges
    found: FoundParts


class OfKnownFile(Substitution):
    """A pass over a file that fits a pattern."""

    _reason: str | None = None
    _taken = (0, 0, 0)

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
        self.known_changes, self._taken = common.surveyed, changes.mark()
        return True

    @property
    def own_changes(self) -> Iterable[Change]:
        """As of any pass."""
        return self.changes.since(self._taken)

    def _cleans_alike(self, known: Cleaning) -> bool:
        """Whether the texts in common are cleaned as in the file that the pattern was learnt from."""
        from ..text.fleeting import Fleeting  # noqa: PLC0415  (for clean options alone)

        said = said_in(self, self.elements, with_meta=True)
        own, fleeting = apart(said)
        if own != known.own or Fleeting(fleeting).may_be_at(known.handles):
            return False
        self.maker.take_cleaner(known.cleaner.with_others(fleeting, known.gone))
        return True

    def reason(self) -> str:
        """As of any pass; where what says it is in common it was asked for once."""
        return super().reason() if self._reason is None else self._reason
