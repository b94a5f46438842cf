"""One file from input to output, and the name of its output: pure functions of a job."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..core.caches import Caches
from ..core.errors import FileError
from ..core.options import ReviewPolicy
from ..core.outcome import FileOutcome, Finished, Stage, Stamp, Status
from ..core.plan import FileJob
from ..dicom.edits import Chunk
from ..dicom.elements import Element
from ..dicom.file import DicomFile, parse
from ..dicom.sources import FIRST_WINDOW, BytesSource, ReadAhead, Source
from ..engine.overlay_clearing import reason_left
from ..engine.patched import Patched
from ..engine.patcher import Output, Patcher
from ..engine.pixel_edits import NO_PIXEL_EDITS
from ..files.folders import Folders, make_directory
from ..files.writing import would_write, write
from ..text.in_paths import holds_value
from ..text.safe_names import safe_component, safe_name
from .error_outcomes import RUN_AGAIN, outcome_of, untraced
from .file_tools import PixelWork, Tools, check_frames
from .opened_file import COPIED_IN_MEMORY, IN_MEMORY, Opened
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
        self.folders = Folders(settings.output_root)
        self.held_folders = Folders(settings.held.hold_root) if settings.held is not None else self.folders
        self._archives: ArchiveReader | None = None
        self._notes_misses = settings.rules.resources.notes_misses
        self._in_memory = IN_MEMORY if settings.is_dry else COPIED_IN_MEMORY
        self._root_length = len(settings.output_root.rstrip("/")) + 1

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
        stage = Stage.READ
        before = self._stamp(job)
        residuals: tuple[str, ...] = ()
        tools = self.tools
        cleaning: PixelCleaning | None = None

        def check(written: Source) -> None:
            nonlocal stage, residuals
            stage = Stage.VERIFY
            self._check_pixels(source, written, patched, cleaning)
            verifier = tools.verifier_for(source, job.relative)
            if verifier is not None:
                residuals = verifier.residuals(
                    source,
                    written,
                    self._shown(job),
                    self.pause,
                    has_cleaned_pixels=is_cleaned or patched.frames is not None,
                    syntax="" if patched.frames is None else patched.frames.syntax,
                )
            if residuals and self.settings.fail_residuals:
                raise FileError(f"values that were replaced are left in {', '.join(residuals)}")
            stage = Stage.WRITE

        failure: Exception | None = None
        try:
            with self._opened(job, self.read_ahead.size, self._in_memory) as source:
                file = parse(source, self.settings.inflate_limit)
                patcher, elements = self._chosen(file, job)
                is_cleaned = False
                if self.pixels is not None:
                    stage = Stage.PIXELS
                    cleaning = self.pixels.cleaner.clean(file)
                    is_cleaned = bool(cleaning.edits)
                    if (own := self.pixels.tools_for(cleaning)) is not None:
                        tools = own
                        patcher, elements = tools.choose(file, job.relative)
                elements = patcher.scan(file) if elements is None else elements
                self.read_ahead.learn(source)
                stage = Stage.SUBSTITUTE
                patched = patcher.patch(
                    file,
                    elements,
                    job.file_ids,
                    NO_PIXEL_EDITS if cleaning is None else cleaning.edits,
                )
                stage = Stage.PIXELS
                review = patched.review if cleaning is None else reason_left(cleaning.review, patched.review)
                path = self._path_of(job, review) if review else job.output_path
                stage = Stage.WRITE
                chunks = Output(file, patched).chunks
                status = self._written(
                    job,
                    path,
                    source,
                    chunks,
                    check if tools.verifier or is_cleaned or patched.frames else None,
                )
            finished = self._finished(job, path, before) if before and self.settings.durable else None
        except Exception as error:  # the one place where a file's errors end
            failure = untraced(error)
        if failure is not None:
            outcome = self._lost(failure, job, stage, before, started)
            is_named = self.settings.names_outputs and outcome.status is Status.FAILED
            return replace(outcome, output=self._shown(job)) if is_named else outcome
        shown = self._shown(job)
        path_holds_value = bool(patched.originals) and holds_value(shown, patched.originals)
        is_held = path != job.output_path
        return FileOutcome(
            job.relative,
            Status.HELD if is_held else status,
            elements=patched.elements,
            review=review,
            pixels=cleaning.cleaned if cleaning is not None else None,
            path_holds_value=path_holds_value,
            seconds=time.perf_counter() - started,
            finished=finished,
            residuals=residuals,
            survey=patched.survey,
            unknown_terms=patched.unknown_terms,
            output=shown if self.settings.names_outputs else "",
            pairs=(*patched.pairs, (PATH, job.input_path, path)) if self.settings.pairs else (),
            is_held=is_held,
        )

    def _check_pixels(
        self, source: Source, written: Source, patched: Patched, cleaning: PixelCleaning | None
    ) -> None:
        """Read pixels again that were changed.

        Raises:
            FileError: they are not what they should be.
        """
        if patched.frames is not None:
            check_frames(source, written, patched.frames, self.settings.inflate_limit, self.pause)
        elif cleaning is not None and cleaning.edits:
            assert self.pixels is not None
            self.pixels.check(source, written, cleaning, patched, self.pause)

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

    def _written(
        self,
        job: FileJob,
        path: str,
        source: Source,
        chunks: Callable[[], Iterator[Chunk]],
        check: Callable[[Source], None] | None,
    ) -> Status:
        """Write an output, or find out what that would come to.

        Raises: as of ``write``.
        """
        overwrite = self.settings.overwrite or _is_own(job, path)
        directory, _, name = path.rpartition("/")
        if self.settings.is_dry:
            return self._would_write(directory or "/", name, source, chunks, overwrite=overwrite)
        return write(
            self._folder(directory or "/"),
            name,
            source,
            chunks,
            overwrite=overwrite,
            pause=self.pause,
            run=self.settings.run,
            durable=self.settings.durable,
            check=check,
        )

    def _path_of(self, job: FileJob, review: str) -> str:
        """Where an output goes: elsewhere if a person has to see its pixels and files are held.

        No output of an earlier run is then handed over.

        Raises:
            FileError: the file fails.
        """
        held = self.settings.held
        if held is None:
            return job.output_path
        if not self.settings.is_dry:
            held.clear(self.folders, job.output_path, job.earlier, may_remove=self.settings.overwrite)
        if held.policy is ReviewPolicy.FAIL:
            raise FileError(f"a person has to see its pixels: {review}")
        return held.path_of(job.output_path)

    def _chosen(self, file: DicomFile, job: FileJob) -> tuple[Patcher, list[Element] | None]:
        """As ``Tools.choose``; what the names of a chosen file miss, which others may make, is noted.

        Raises: as of ``Tools.choose`` and ``_names_of``.
        """
        chosen = self.tools.choose(file, job.relative)
        if self._notes_misses:
            self._names_of(file)
        return chosen

    def _shown(self, job: FileJob) -> str:
        """The path of an output as far as this run makes it; without an output directory its name."""
        if not self.settings.output_root:
            return os.path.basename(job.output_path)
        return job.output_path[self._root_length :]

    def _folder(self, directory: str) -> int:
        """The descriptor of an output directory, which is made for the first file that is written to it.

        On a cluster it is not: where it is missing, the output tree may be another one there.
        """
        held = self.settings.held
        if held is not None and held.is_held(directory + "/"):
            return held.folder(self.held_folders, directory)
        try:
            return self.folders.open(directory)
        except FileNotFoundError:
            if self.settings.run or not self.settings.output_root:
                raise
        make_directory(self.settings.output_root, directory)
        return self.folders.open(directory)

    def _would_write(
        self,
        directory: str,
        name: str,
        source: Source,
        chunks: Callable[[], Iterator[Chunk]],
        *,
        overwrite: bool,
    ) -> Status:
        """What writing would come to; in a dry run the directory need not be there."""
        held = self.settings.held
        is_held = held is not None and held.is_held(directory + "/")
        try:
            folder = (self.held_folders if is_held else self.folders).open(directory)
        except FileNotFoundError:
            return Status.WRITTEN
        return would_write(folder, name, source, chunks, overwrite=overwrite, pause=self.pause)

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


Task = Callable[[Worker, FileJob], R]
"""What is done with each file: ``Worker.process`` or ``Worker.name``."""


def _is_own(job: FileJob, path: str) -> bool:
    """Whether there is still the output that an earlier run wrote for the same input."""
    if job.earlier is None or job.earlier.path != path:
        return False
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and Stamp.of(found) == job.earlier.stamp
