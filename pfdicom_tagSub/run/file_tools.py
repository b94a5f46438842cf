"""What a worker changes and verifies files with, by the rules and conditions of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from ..dicom.dictionary import STAMPS
from ..dicom.elements import Element
from ..dicom.file import DicomFile
from ..dicom.sources import Source
from ..engine.patched import Patched
from ..engine.patcher import Patcher
from ..engine.pixel_review import BURNED_IN_ANNOTATION
from .worker_settings import Settings

if TYPE_CHECKING:
    from ..dicom.inflating import InflateLimit
    from ..engine.conditional import PatcherChoice
    from ..engine.pixel_cleaning import PixelCleaning
    from ..engine.pixel_edits import FrameChanges
    from ..spec.rules import PixelRules
    from ..verify.comparison import Verifier
    from ..verify.conditional import VerifierChoice


class PixelWork:
    """What a worker needs for files whose pixels are cleaned."""

    def __init__(self, settings: Settings, pixels: PixelRules) -> None:
        """Args:
        settings: those of the worker.
        pixels: how pixels are cleaned.
        """
        from ..engine.pixel_cleaning import PixelCleaner  # noqa: PLC0415  (only where it was asked for)

        self.limit = settings.inflate_limit
        rules = replace(pixels.rules, pixels=pixels)
        self._settings = replace(settings, rules=rules, where=None)  # which has been asked
        self.cleaner = PixelCleaner(pixels.settings)
        self._tools = Tools(self._settings)

    def tools_for(self, cleaning: PixelCleaning) -> Tools | None:
        """What works on a file because of its pixels; None for what works on others."""
        if cleaning.edits:
            return self._tools
        # Every profile removes icons.
        is_own = cleaning.is_directory and not self._settings.rules.claims_identity_removed
        return self._tools_for_directories if is_own else None

    @cached_property
    def _tools_for_directories(self) -> Tools:
        """What works on a DICOMDIR: its icons go, but nothing says that what it names was cleaned."""
        rules = self._settings.rules
        stamps = STAMPS | {BURNED_IN_ANNOTATION}
        table = {
            tag: rule
            for tag, rule in rules.table.items()
            if tag not in stamps or rules.keys[rule.index][1]  # the user's own
        }
        return Tools(replace(self._settings, rules=replace(rules, table=table)))

    def check(
        self,
        source: Source,
        written: Source,
        cleaning: PixelCleaning,
        patched: Patched,
        pause: Callable[[], None],
    ) -> None:
        """Read cleaned native pixels again.

        Raises:
            FileError: they are not what they should be.
        """
        assert cleaning.image is not None
        limit = _limit_of_outputs(self.limit)
        from ..pixels.masked import MaskedPixels  # noqa: PLC0415  (where it is used)
        from ..verify.pixel_check import check_native  # noqa: PLC0415

        edits = (*patched.edits, *patched.data_edits)
        kept = next((edit.data.kept for edit in edits if isinstance(edit.data, MaskedPixels)), b"")
        check_native(source, written, cleaning.image, cleaning.masks, kept, limit, pause)


class Tools:
    """What works on files by the rules of one spec.

    Attributes:
        patcher: what changes files for which no condition of the spec holds.
        verifier: what verifies them; None where nothing is verified.
    """

    def __init__(self, settings: Settings) -> None:
        """Args:
        settings: those of the worker.
        """
        self.patcher = _patcher_of(settings)
        self.verifier = _verifier_of(settings)
        self._patchers: PatcherChoice | None = None
        self._verifiers: VerifierChoice | None = None
        variants, where = settings.rules.variants, settings.where
        if variants is None and where is None:
            return
        from ..engine.conditional import PatcherChoice  # noqa: PLC0415  (for runs with conditions alone)

        self._patchers = PatcherChoice(
            self.patcher, lambda rules: _patcher_of(replace(settings, rules=rules)), variants, where
        )
        if variants is not None and self.verifier is not None:
            from ..verify.conditional import VerifierChoice  # noqa: PLC0415  (likewise)

            self._verifiers = VerifierChoice(self.verifier, variants)

    def choose(self, file: DicomFile, path: str) -> tuple[Patcher, list[Element] | None]:
        """The patcher for a file, and what it scanned; None where no condition had to know.

        Raises:
            NotSelectedError: the condition of the run does not hold for it.
            SkippedError: a condition of the spec skips it.
            FileError: one fails it, or cannot be decided.
        """
        return (self.patcher, None) if self._patchers is None else self._patchers.of(file, path)

    def verifier_for(self, source: Source, path: str) -> Verifier | None:
        """What verifies an output, chosen by its own reading of the input; None where nothing is verified.

        Raises:
            FileError: there should be no output.
        """
        return self.verifier if self._verifiers is None else self._verifiers.of(source, path)


def _patcher_of(settings: Settings) -> Patcher:
    return Patcher(
        settings.rules,
        renames=settings.renames,
        survey_options=settings.survey_options,
        pairs=settings.pairs,
    )


def _verifier_of(settings: Settings) -> Verifier | None:
    if not settings.verify:
        return None
    from ..verify.comparison import Verifier  # noqa: PLC0415  (loads pydicom's reader, which other runs can spare)

    limit = _limit_of_outputs(settings.inflate_limit)
    return Verifier(settings.rules, renames=settings.renames, limit=limit)


def _limit_of_outputs(limit: InflateLimit) -> InflateLimit:
    """How large an output may be: its input was read within the limit, and it may have grown."""
    return replace(limit, size=2 * limit.size, ratio=0)


def check_frames(
    source: Source, written: Source, changes: FrameChanges, limit: InflateLimit, pause: Callable[[], None]
) -> None:
    """Read compressed frames again that were changed.

    Raises:
        FileError: they are not what they should be.
    """
    from ..verify.compressed_check import check_compressed  # noqa: PLC0415  (where it is used)

    check_compressed(
        source,
        written,
        changes.pixels.image,
        changes.masks,
        _limit_of_outputs(limit),
        pause,
        changes.syntax,
        changes.cleared,
    )
