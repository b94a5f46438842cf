"""One file from input to output, and the name of its output: pure functions of a job."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ..core.caches import Caches
from ..core.errors import FileError
from ..core.outcome import FileOutcome, Finished, Stage, Stamp, Status
from ..core.plan import FileJob
from ..dicom.elements import Element
from ..dicom.file import DicomFile, parse
from ..dicom.sources import FIRST_WINDOW, BytesSource, ReadAhead, Source
from ..engine.overlay_clearing import reason_left
from ..engine.patched import Patched
from ..engine.patcher import Output, Patcher
from ..engine.pixel_edits import NO_PIXEL_EDITS
from ..text.in_paths import holds_value
from ..text.safe_names import safe_component, safe_name
from .error_outcomes import RUN_AGAIN, outcome_of, untraced
from .file_tools import PixelWork, Tools, check_frames
from .opened_file import COPIED_IN_MEMORY, IN_MEMORY, Opened
from .output_writing import OutputWriter
from .worker_settings import Settings

if TYPE_CHECKING:
    from ..engine.pixel_cleaning import PixelCleaning
    from ..files.archives import ArchiveReader

R = TypeVar("R")

NO_STAMP = Stamp(-1, 0)
"""That of no file: a ledger never takes an input for one that is done by it."""

PATH = "Path"
"""What a crosswalk calls the paths of input and output."""


class Worker:
    """Processes files one after the other; make one in each process or thread."""

    def __init__(self, settings: Settings, pause: Callable[[], None] = lambda: None) -> None:
        """Args:
        settings: what to do.
        pause: called between the pieces of a large file; it may raise to stop the work.
        """
        self.settings = settings
        self.pause = pause
        self.caches = Caches()
        self.read_ahead = ReadAhead()
        self.tools = Tools(settings)
        pixels = settings.rules.pixels
        self.pixels = None if pixels is None else PixelWork(settings, pixels)
        self.outputs = OutputWriter(settings, pause)
        self._archives: ArchiveReader | None = None
        self._notes_misses = settings.rules.resources.notes_misses
        self._in_memory = IN_MEMORY if settings.is_dry else COPIED_IN_MEMORY

    def process(self, job: FileJob) -> FileOutcome:
        """Patch one file. Nothing but the stopping of the work leaves this function.

        The reasons of failures never quote the file: what a library says in its own
        exceptions may, so only their types are told.
        """
        with self.caches:
            outcome = self._process(job)
        if self._notes_misses:
            outcome = replace(outcome, missing=self._taken_misses())
        return outcome

    def _taken_misses(self) -> tuple[tuple[str, str], ...]:
        """What lookup tables lacked since the last file, also for the names of outputs."""
        rules, pixels = self.settings.rules, self.settings.rules.pixels
        cleaned = pixels.rules.resources.taken_misses() if pixels is not None else ()
        return (*rules.resources.taken_misses(), *cleaned)

    def _process(self, job: FileJob) -> FileOutcome:
        started = time.perf_counter()
        before = self._stamp(job)
        passage = _Passage(self, job)
        finished: Finished | None = None
        failure: Exception | None = None
        try:
            with self._opened(job, self.read_ahead.size, self._in_memory) as source:
                passage.write(source)
            if before and self.settings.durable:
                finished = self._finished(job, passage.path, before)
        except Exception as error:  # the one place where a file's errors end
            failure = untraced(error)
        if failure is None:
            return passage.outcome(started, finished)
        outcome = self._lost(failure, job, passage.stage, before, started)
        is_named = self.settings.names_outputs and outcome.status is Status.FAILED
        return replace(outcome, output=self.outputs.shown(job)) if is_named else outcome

    def _opened(
        self, job: FileJob, ahead: int = FIRST_WINDOW, in_memory: int = IN_MEMORY
    ) -> AbstractContextManager[Source]:
        """An input, to be opened.

        Args:
            job: its job.
            ahead: as of ``Opened``.
            in_memory: likewise.

        Raises:
            FileError: it is a member of an archive that cannot be read.
        """
        if not job.archive:
            follow_links = self.settings.follow_links
            return Opened(job.input_path, follow_links=follow_links, ahead=ahead, in_memory=in_memory)
        if self._archives is None:
            from ..files.archives import ArchiveReader, Limits  # noqa: PLC0415  (for runs with archives alone)

            self._archives = ArchiveReader(Limits(self.settings.member_size))
        return nullcontext(BytesSource(self._archives.read(job.archive, job.member)))

    def choose(self, file: DicomFile, job: FileJob) -> tuple[Patcher, list[Element] | None]:
        """As ``Tools.choose``; what the names of a chosen file miss, which others may make, is noted.

        Raises: as of ``Tools.choose`` and ``_names_of``.
        """
        chosen = self.tools.choose(file, job.relative)
        if self._notes_misses:
            self._names_of(file)
        return chosen

    def packed(self, results: list[R]) -> list[R]:
        """The results of files that were done together, to be sent elsewhere.

        What each pass told of itself is summed up here, where many can do it, and not where
        all results come together.
        """
        if self.settings.survey_options is None:
            return results
        from ..engine.surveyor import packed  # noqa: PLC0415  (only where somebody asks)

        return packed(results)

    def name(self, job: FileJob) -> FileOutcome | str:
        """The name of an output, or why there is none.

        Returns:
            The name, the input's extension kept, after the components of its directory
            where the spec names that, too; an outcome where the file is skipped or fails.
        """
        with self.caches:
            named = self._name(job)
        if self._notes_misses and isinstance(named, FileOutcome):
            return replace(named, missing=self._taken_misses())
        return named

    def _name(self, job: FileJob) -> FileOutcome | str:
        own = os.path.basename(job.input_path)
        rules = self.settings.rules
        stems = (rules.stem,) if rules.stem else ()
        if not stems and not rules.directories:
            return own
        started = time.perf_counter()
        stage = Stage.READ
        before = self._stamp(job)
        try:
            with self._opened(job) as source:
                file = parse(source, self.settings.inflate_limit)
                self.tools.choose(file, job.relative)  # a file that a condition keeps out has no name
                stage = Stage.NAME
                *components, last = self._names_of(file) + [own] * (not stems)
                name = safe_name(last, own) if stems else own
                return "/".join([*map(safe_component, components), name])
        except Exception as error:  # as of ``_process``
            failure = untraced(error)
        return self._lost(failure, job, stage, before, started)

    def _names_of(self, file: DicomFile) -> list[str]:
        """What the templates of names make of a file.

        Raises:
            FileError: there is no such name.
        """
        rules, patcher = self.settings.rules, self.tools.patcher
        try:
            return patcher.names(file, (*rules.directories, *((rules.stem,) if rules.stem else ())))
        except FileError:
            if self._notes_misses:  # what its elements miss is to be listed, too
                with suppress(FileError):
                    patcher.patch(file, patcher.scan(file))
            raise

    def _stamp(self, job: FileJob) -> Stamp | None:
        """What an input is known by, for a ledger and against what verification finds.

        None where nobody asks, and for what is no regular file.
        """
        if not self.settings.durable and self.tools.verifier is None:
            return None
        try:
            found = os.stat(job.file_path, follow_symlinks=self.settings.follow_links)
        except OSError:
            return None  # reading it says why
        return Stamp.of(found) if stat.S_ISREG(found.st_mode) else None

    def _finished(self, job: FileJob, path: str, before: Stamp) -> Finished:
        """What a ledger has to know of an input whose output is on the disk.

        An input that changed while it was read is not done, but its output is the tool's own.
        """
        source = before if self._stamp(job) == before else NO_STAMP
        return Finished(source, path, Stamp.of(os.lstat(path)))

    def _lost(
        self, error: Exception, job: FileJob, stage: Stage, before: Stamp | None, started: float
    ) -> FileOutcome:
        """The outcome of a file that has no output."""
        outcome = outcome_of(error, job, stage)
        finished = None
        if before is not None and self._stamp(job) != before:
            if stage is Stage.VERIFY:
                reason = f"{outcome.reason}: the input changed while it was read; {RUN_AGAIN}"
                outcome = replace(outcome, reason=reason)
        elif outcome.status is Status.SKIPPED and before is not None and self.settings.durable:
            finished = Finished(before)
        return replace(outcome, seconds=time.perf_counter() - started, finished=finished)


class _Passage:
    """One file on its way from input to output.

    Attributes:
        stage: what is being done with it.
        tools: what it is changed and verified with.
        cleaning: what became of its pixels; None where these are not looked at.
        residuals: as of ``FileOutcome``.
        patched: its changes.
        review: why a person should see its pixels; "" for no reason.
        path: where its output goes.
        status: what became of the output.
    """

    __slots__ = (
        "_job",
        "_worker",
        "cleaning",
        "patched",
        "path",
        "residuals",
        "review",
        "stage",
        "status",
        "tools",
    )

    patched: Patched
    review: str
    path: str
    status: Status

    def __init__(self, worker: Worker, job: FileJob) -> None:
        self._worker = worker
        self._job = job
        self.stage = Stage.READ
        self.tools = worker.tools
        self.cleaning: PixelCleaning | None = None
        self.residuals: tuple[str, ...] = ()

    @property
    def _is_cleaned(self) -> bool:
        """Whether its pixels are changed."""
        return self.cleaning is not None and bool(self.cleaning.edits)

    def write(self, source: Source) -> None:
        """Change it and write its output.

        Raises:
            FileError: it fails, or is skipped.
            OSError: the input cannot be read, or the output not be written.
        """
        worker, job = self._worker, self._job
        file = parse(source, worker.settings.inflate_limit)
        patcher, elements = self._chosen(file)
        elements = patcher.scan(file) if elements is None else elements
        worker.read_ahead.learn(source)
        self.stage = Stage.SUBSTITUTE
        cleaning = self.cleaning
        edits = NO_PIXEL_EDITS if cleaning is None else cleaning.edits
        self.patched = patched = patcher.patch(file, elements, job.file_ids, edits)
        self.stage = Stage.PIXELS
        self.review = patched.review if cleaning is None else reason_left(cleaning.review, patched.review)
        self.path = worker.outputs.path_of(job, self.review) if self.review else job.output_path
        self.stage = Stage.WRITE
        is_checked = self.tools.verifier or self._is_cleaned or patched.frames
        check = partial(self._check, source) if is_checked else None
        self.status = worker.outputs.write(job, self.path, source, Output(file, patched).chunks, check)

    def _chosen(self, file: DicomFile) -> tuple[Patcher, list[Element] | None]:
        """What changes it, and its elements where these are known; its pixels are looked at before."""
        worker, job = self._worker, self._job
        chosen = worker.choose(file, job)
        if worker.pixels is None:
            return chosen
        self.stage = Stage.PIXELS
        self.cleaning = worker.pixels.cleaner.clean(file)
        own = worker.pixels.tools_for(self.cleaning)
        if own is None:
            return chosen
        self.tools = own
        return own.choose(file, job.relative)

    def _check(self, source: Source, written: Source) -> None:
        """Read an output again.

        Raises:
            FileError: it is not what it should be, or holds what was replaced where that fails a file.
        """
        self.stage = Stage.VERIFY
        worker, frames = self._worker, self.patched.frames
        self._check_pixels(source, written)
        verifier = self.tools.verifier_for(source, self._job.relative)
        if verifier is not None:
            self.residuals = verifier.residuals(
                source,
                written,
                worker.outputs.shown(self._job),
                worker.pause,
                has_cleaned_pixels=self._is_cleaned or frames is not None,
                syntax="" if frames is None else frames.syntax,
            )
        if self.residuals and worker.settings.fail_residuals:
            raise FileError(f"values that were replaced are left in {', '.join(self.residuals)}")
        self.stage = Stage.WRITE

    def _check_pixels(self, source: Source, written: Source) -> None:
        """Read pixels again that were changed.

        Raises:
            FileError: they are not what they should be.
        """
        worker, patched, cleaning = self._worker, self.patched, self.cleaning
        if patched.frames is not None:
            check_frames(source, written, patched.frames, worker.settings.inflate_limit, worker.pause)
        elif cleaning is not None and cleaning.edits:
            assert worker.pixels is not None
            worker.pixels.check(source, written, cleaning, patched, worker.pause)

    def outcome(self, started: float, finished: Finished | None) -> FileOutcome:
        """What became of it; its output is there."""
        worker, job, patched = self._worker, self._job, self.patched
        settings, shown = worker.settings, worker.outputs.shown(job)
        is_held = self.path != job.output_path
        return FileOutcome(
            job.relative,
            Status.HELD if is_held else self.status,
            elements=patched.elements,
            review=self.review,
            pixels=None if self.cleaning is None else self.cleaning.cleaned,
            path_holds_value=bool(patched.originals) and holds_value(shown, patched.originals),
            seconds=time.perf_counter() - started,
            finished=finished,
            residuals=self.residuals,
            survey=patched.survey,
            unknown_terms=patched.unknown_terms,
            output=shown if settings.names_outputs else "",
            pairs=(*patched.pairs, (PATH, job.input_path, self.path)) if settings.pairs else (),
            is_held=is_held,
        )


Task = Callable[[Worker, FileJob], R]
"""What is done with each file: ``Worker.process`` or ``Worker.name``."""
