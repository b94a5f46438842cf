"""The rules of each file where a spec has conditions."""

from __future__ import annotations

from collections.abc import Callable

from ..core.errors import FileError, SkippedError, SpecError
from ..dicom.file import DicomFile
from ..dicom.scope import Reading
from ..spec.rules import RuleSet
from ..spec.variants import Variants
from ..spec.when_blocks import Ending
from .patcher import Patcher
from .selection import Selection

KEPT_MOST = 64
"""For so many sets of conditions that hold the rules are kept, with all that is remembered of files."""


class PatcherChoice:
    """A patcher for each set of conditions that hold; make one in each worker.

    What a patcher remembers of files is of its own rules, so that the outcome of the conditions is part of
    every key.
    """

    def __init__(self, variants: Variants, base: Patcher, make: Callable[[RuleSet], Patcher]) -> None:
        """Args:
        variants: the spec.
        base: the patcher for files for which no condition holds.
        make: makes others.
        """
        self._variants = variants
        self._base = base
        self._make = make
        self._kept: dict[tuple[int, ...], Patcher] = {}
        self._selection = Selection(variants.subjects, Reading(base.rules.assumed))

    def of(self, file: DicomFile, path: str) -> Patcher:
        """The patcher for a file.

        Args:
            file: the file.
            path: its path relative to the input directory.

        Raises:
            SkippedError: a condition of the spec skips it.
            FileError: one fails it, or cannot be decided.
        """
        held = self._selection.ask(file, path, self._variants.holding)
        end = self._variants.ending(held)
        if end is not None:
            raise SkippedError(end.reason) if end.ending is Ending.SKIPPED else FileError(end.reason)
        if not held:
            return self._base
        found = self._kept.get(held)
        if found is None:
            try:
                rules = self._variants.rules(held, self._base.rules.resources)
            except SpecError as error:
                raise FileError(f"the conditions that hold for it do not go together: {error}") from None
            if len(self._kept) >= KEPT_MOST:
                self._kept.clear()
            found = self._kept[held] = self._make(rules)
        return found
