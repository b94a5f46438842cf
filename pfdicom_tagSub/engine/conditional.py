"""Which files are processed, and by what rules, where conditions decide on that."""

from __future__ import annotations

from collections.abc import Callable

from ..core.errors import FileError, NotSelectedError, SkippedError, SpecError
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.scanner import ScanResult
from ..dicom.scope import Reading
from ..spec.conditions import Condition, Facts
from ..spec.pairs import Ending
from ..spec.rules import RuleSet, RuleVariants
from .patcher import Patcher
from .selection import Question, Selection

KEPT_MOST = 64
"""For so many sets of conditions that hold the rules are kept, with all that is remembered of files."""


class PatcherChoice:
    """Chooses files, and a patcher for each by the set of conditions that hold; make one in each worker.

    What a patcher remembers of files is of its own rules, so that the outcome of the conditions is part of
    every key.

    A file is scanned by the patcher of the file before, which is mostly the right one, for what conditions
    ask, too. Where it is not, the right one scans once more; where it finds what it cannot read, conditions
    scan for themselves first: what becomes of a file does not depend on the one before.

    Whether a file is chosen is asked before of its beginning alone, up to the last element that the condition
    names: most files of a large tree go no further. Where elements stand in no order, or twice, a file is
    chosen only if the condition holds for all of it, too.

    The elements of a file that is like others before it (``known_files``) stand in order, each once. So its
    beginning says all that conditions ask, and the set of those that hold says whose patterns it may fit.
    """

    def __init__(
        self,
        base: Patcher,
        make: Callable[[RuleSet], Patcher],
        variants: RuleVariants | None,
        where: Condition | None = None,
    ) -> None:
        """Args:
        base: the patcher for files for which no condition of the spec holds.
        make: makes others.
        variants: the spec; None where it has no conditions.
        where: the condition that chooses files; None takes all.
        """
        self._variants = variants
        self._where = where
        self._base = base
        self._make = make
        self._kept: dict[tuple[int, ...], Patcher] = {}
        subjects = (*(where.subjects if where else ()), *(variants.subjects if variants else ()))
        self._selection = Selection(subjects, Reading(base.rules.assumed))
        self._question = Question(self._selection, self._holding)
        self._first: Question[bool] | None = None
        if where is not None:
            self._chooser = Selection(where.subjects, Reading(base.rules.assumed))
            self._first = Question(self._chooser, where.holds)
        self._last = self._asking(base)

    def of(self, file: DicomFile, path: str) -> tuple[Patcher, list[Element]]:
        """The patcher for a file, and what it scanned.

        Args:
            file: the file.
            path: its path relative to the input directory.

        Raises:
            NotSelectedError: the condition that chooses files does not hold for it.
            SkippedError: a condition of the spec skips it.
            FileError: one fails it, or cannot be decided, or its bytes do not make a data set.
        """
        if self._first is not None and not self._first.of(file, path, self._chooser.beginning(file)):
            raise NotSelectedError
        known = self._known(file, path)
        if known is not None:
            return known
        elements = self._scanned(file)
        held = self._question.of(file, path, elements)
        if held is None:
            raise NotSelectedError
        end = self._variants.ending(held) if self._variants is not None else None
        if end is not None:
            raise SkippedError(end.reason) if end.ending is Ending.SKIPPED else FileError(end.reason)
        patcher = self._patcher(held)
        is_scanned = patcher is self._last and elements is not None
        self._last = patcher
        if elements is None or not is_scanned:
            return patcher, patcher.scan(file)
        return patcher, patcher.without_asked(elements)

    def _known(self, file: DicomFile, path: str) -> tuple[Patcher, list[Element]] | None:
        """As ``of``, of a chosen file that is like others before it; None for any other."""
        if self._last.known_files is None:
            return None
        patcher = self._base
        if self._variants is not None:
            try:
                beginning = self._selection.beginning(file)
                held = None if beginning is None else self._question.of(file, path, beginning)
                if held is None or self._variants.ending(held) is not None:
                    return None
                patcher = self._patcher(held)
            except FileError:
                return None  # for a scan of the whole file to say
        elements = patcher.scan_known(file)
        if elements is None:
            return None
        self._last = patcher
        return patcher, elements

    def _scanned(self, file: DicomFile) -> ScanResult | None:
        """What the patcher of the file before finds; None where that does not answer."""
        if self._selection.asked is None:
            return None
        try:
            return self._last.scan_asked(file)
        except FileError:
            return None

    def _holding(self, facts: Facts) -> tuple[int, ...] | None:
        """The blocks of the spec that hold for a file; None where it is not chosen.

        Raises:
            FileError: a condition cannot be decided.
        """
        if self._where is not None and not self._where.holds(facts):
            return None
        return self._variants.holding(facts) if self._variants is not None else ()

    def _patcher(self, held: tuple[int, ...]) -> Patcher:
        """The patcher for files for which these blocks hold."""
        if not held or self._variants is None:
            return self._base
        found = self._kept.get(held)
        if found is None:
            try:
                rules = self._variants.rules(held, self._base.rules.resources)
            except SpecError as error:
                raise FileError(f"the conditions that hold for it do not go together: {error}") from None
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            found = self._kept[held] = self._asking(self._make(rules))
        return found

    def _asking(self, patcher: Patcher) -> Patcher:
        if self._selection.asked is not None:
            patcher.ask_for(self._selection.asked)
        return patcher
