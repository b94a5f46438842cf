"""One file from input to output, and the name of its output: pure functions of a job."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from ..core.caches import Caches
from ..core.errors import FileError, NotDicomError, NotSelectedError, SkippedError
from ..core.options import ReviewPolicy
from ..core.outcome import FileOutcome, Finished, Stage, Stamp, Status
from ..core.plan import FileJob
from ..dicom.edits import Chunk
from ..dicom.elements import Element
from ..dicom.file import DicomFile, parse
from ..dicom.inflating import DEFAULT_LIMIT, InflateLimit
from ..dicom.sources import FIRST_WINDOW, BytesSource, FileSource, ReadAhead, Source
from ..engine.patched import Patched
from ..engine.patcher import Output, Patcher
from ..engine.pixel_edits import NO_PIXEL_EDITS
from ..files.folders import Folders, make_directory
from ..files.writing import would_write, write
from ..spec.function_types import Resources
from ..spec.rules import RuleSet
from ..text.in_paths import holds_value
from ..text.safe_names import safe_component, safe_name

if TYPE_CHECKING:
    from ..engine.conditional import PatcherChoice
    from ..engine.pixel_cleaning import PixelCleaning
    from ..engine.surveyor import SurveyOptions
    from ..files.archives import ArchiveReader
    from ..pixels.settings import PixelSettings
    from ..spec.conditions import Condition
    from ..verify.comparison import Verifier
    from ..verify.conditional import VerifierChoice
    from .held_files import HeldFiles

R = TypeVar("R")

IN_MEMORY = 1 << 17
"""Files up to this many bytes are read whole; of larger ones only the header is."""

NO_STAMP = Stamp(-1, 0)
"""That of no file: a ledger never takes an input for one that is done by it."""

NOT_SELECTED = "not selected"

PATH = "Path"
"""What a crosswalk calls the paths of input and output."""

_AGAIN = "run again"
_CURES = {
    errno.ENOSPC: f"make room on the disk and {_AGAIN}",
    errno.EDQUOT: f"make room in the quota and {_AGAIN}",
    errno.EFBIG: f"raise the limit (ulimit -f) and {_AGAIN}",
    errno.EMFILE: f"raise the limit (ulimit -n) and {_AGAIN}",
    errno.EACCES: f"let the user of this run have access and {_AGAIN}",
    errno.EPERM: f"let the user of this run have access and {_AGAIN}",
    errno.EROFS: f"mount the file system so that it can be written and {_AGAIN}",
    errno.EIO: f"see the system's log about the disk and {_AGAIN}",
    errno.ESTALE: f"the network file system lost it; {_AGAIN}",
    errno.ENOENT: f"it was there and is gone; {_AGAIN}",
    **dict.fromkeys(
        (errno.ELOOP, errno.EISDIR, errno.ESPIPE, errno.ENXIO),
        f"something else took its place while it was read; {_AGAIN}",
    ),
}
"""What to do about errors of the system; a run does again only what is not done."""

_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFDIR: "a directory",
}


@dataclass(frozen=True)
class Settings:
    """What a worker has to know; it is picklable.

    Attributes:
        rules: the compiled spec.
        overwrite: replace outputs that exist and differ.
        follow_links: read what symbolic links point to.
        renames: whether outputs get other paths than inputs, so that a DICOMDIR has to follow.
        output_root: the output directory, which outputs are told relative to; below it no symbolic
            link is followed. "" for none: then outputs are told by their names.
        run: hex digits that tell a run on many hosts from all others; "" for others.
        durable: outputs have to be on the disk, and outcomes say what a ledger has to know.
        verify: read each output again and hold it against its input.
        fail_residuals: an output that still holds a value that was replaced fails its file.
        is_dry: write nothing; tell what writing would come to.
        survey_options: what passes tell of themselves; None for nothing.
        inflate_limit: how large a deflated data set may become.
        pixels: how pixels are cleaned; None where they are left alone.
        cleaned_rules: the compiled spec for files whose pixels are cleaned: it stamps them.
        where: the condition that chooses files; None takes all.
        names_outputs: whether outcomes name the paths of outputs.
        pairs: whether they have original and new identifiers.
        member_size: the most bytes of a member of an archive; 0 for the default.
        held: what becomes of files whose pixels a person has to see; None where they are listed alone.
        tallies: whether files of which there is nothing to say but how many they are are counted there.
    """

    rules: RuleSet
    overwrite: bool = False
    follow_links: bool = False
    renames: bool = False
    output_root: str = ""
    run: str = ""
    durable: bool = False
    verify: bool = False
    fail_residuals: bool = False
    is_dry: bool = False
    survey_options: SurveyOptions | None = None
    inflate_limit: InflateLimit = DEFAULT_LIMIT
    pixels: PixelSettings | None = None
    cleaned_rules: RuleSet | None = None
    where: Condition | None = None
    names_outputs: bool = True
    pairs: bool = False
    member_size: int = 0
    held: HeldFiles | None = None
    tallies: bool = False

    def with_resources(self, resources: Resources) -> Settings:
        """The same with another secret and other tables."""
        cleaned = self.cleaned_rules
        return replace(
            self,
            rules=replace(self.rules, resources=resources),
            cleaned_rules=cleaned and replace(cleaned, resources=resources),
        )


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
        self.pixels = None if settings.pixels is None else PixelWork(settings, settings.pixels)
        self.folders = Folders(settings.output_root)
        self.held_folders = Folders(settings.held.hold_root) if settings.held is not None else self.folders
        self._archives: ArchiveReader | None = None
        self._notes_misses = settings.rules.resources.notes_misses
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
        rules = (self.settings.rules, self.settings.cleaned_rules)
        return tuple(miss for one in rules if one is not None for miss in one.resources.taken_misses())

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
            if cleaning is not None and cleaning.edits:
                assert self.pixels is not None
                self.pixels.check(source, written, cleaning, patched, self.pause)
            verifier = tools.verifier_for(source, job.relative)
            if verifier is not None:
                residuals = verifier.residuals(
                    source,
                    written,
                    self._shown(job),
                    self.pause,
                    has_cleaned_pixels=is_cleaned,
                    syntax=cleaning.edits.syntax if cleaning is not None else "",
                )
            if residuals and self.settings.fail_residuals:
                raise FileError(f"values that were replaced are left in {', '.join(residuals)}")
            stage = Stage.WRITE

        failure: Exception | None = None
        try:
            ahead = self.read_ahead.size
            with self._opened(job, ahead) as source:
                file = parse(source, self.settings.inflate_limit)
                patcher, elements = self._chosen(file, job)
                is_cleaned = False
                if self.pixels is not None:
                    stage = Stage.PIXELS
                    cleaning = self.pixels.cleaner.clean(file)
                    if is_cleaned := bool(cleaning.edits):
                        tools = self.pixels.tools
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
                review = patched.review if cleaning is None else cleaning.review
                path = self._path_of(job, review) if review else job.output_path
                stage = Stage.WRITE
                chunks = Output(file, patched).chunks
                status = self._written(
                    job, path, source, chunks, check if tools.verifier or is_cleaned else None
                )
            finished = self._finished(job, path, before) if before and self.settings.durable else None
        except Exception as error:  # the one place where a file's errors end
            failure = _untraced(error)
        if failure is not None:
            outcome = self._lost(failure, job, stage, before, started)
            is_named = self.settings.names_outputs and outcome.status is Status.FAILED
            return replace(outcome, output=self._shown(job)) if is_named else outcome
        shown = self._shown(job)
        path_holds_value = bool(patched.originals) and holds_value(shown, patched.originals)
        is_held = path is not job.output_path
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

    def _opened(self, job: FileJob, ahead: int = FIRST_WINDOW) -> AbstractContextManager[Source]:
        """An input, to be opened.

        Raises:
            FileError: it is a member of an archive that cannot be read.
        """
        if not job.archive:
            return Opened(job.input_path, follow_links=self.settings.follow_links, ahead=ahead)
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
        except Exception as error:  # as above
            failure = _untraced(error)
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
        outcome = _outcome_of(error, job, stage)
        finished = None
        if before is not None and self._stamp(job) != before:
            if stage is Stage.VERIFY:
                reason = f"{outcome.reason}: the input changed while it was read; {_AGAIN}"
                outcome = replace(outcome, reason=reason)
        elif outcome.status is Status.SKIPPED and before is not None and self.settings.durable:
            finished = Finished(before)
        return replace(outcome, seconds=time.perf_counter() - started, finished=finished)


class PixelWork:
    """What a worker needs for files whose pixels are cleaned."""

    def __init__(self, settings: Settings, pixels: PixelSettings) -> None:
        """Args:
        settings: those of the worker.
        pixels: how pixels are cleaned.
        """
        from ..engine.pixel_cleaning import PixelCleaner  # noqa: PLC0415  (only where it was asked for)

        assert settings.cleaned_rules is not None
        self.limit = settings.inflate_limit
        own = replace(settings, rules=settings.cleaned_rules, where=None)  # which has been asked
        self.cleaner = PixelCleaner(pixels)
        self.tools = Tools(own)

    def check(
        self,
        source: Source,
        written: Source,
        cleaning: PixelCleaning,
        patched: Patched,
        pause: Callable[[], None],
    ) -> None:
        """Read cleaned pixels again.

        Raises:
            FileError: they are not what they should be.
        """
        from ..pixels.frame_codecs import CLEANED_SYNTAXES  # noqa: PLC0415
        from ..pixels.masked import MaskedPixels  # noqa: PLC0415
        from ..verify.compressed_check import check_compressed  # noqa: PLC0415
        from ..verify.pixel_check import check_native  # noqa: PLC0415

        edits = (*patched.edits, *patched.data_edits)
        kept = next((edit.data.kept for edit in edits if isinstance(edit.data, MaskedPixels)), b"")
        assert cleaning.image is not None
        limit = replace(self.limit, size=2 * self.limit.size, ratio=0)
        if cleaning.image.syntax in CLEANED_SYNTAXES:
            syntax = cleaning.edits.syntax
            check_compressed(source, written, cleaning.image, cleaning.masks, limit, pause, syntax)
            return
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

    # What is verified was read within the limit, and may have grown by what was replaced in it.
    limit = replace(settings.inflate_limit, size=2 * settings.inflate_limit.size, ratio=0)
    return Verifier(settings.rules, renames=settings.renames, limit=limit)


Task = Callable[[Worker, FileJob], R]
"""What is done with each file: ``Worker.process`` or ``Worker.name``."""


class Opened:
    """A regular file, open for reading; anything else is not even opened."""

    __slots__ = ("ahead", "descriptor", "follow_links", "path")

    def __init__(self, path: str, *, follow_links: bool, ahead: int = FIRST_WINDOW) -> None:
        """Args:
        path: the file.
        follow_links: read what a symbolic link points to.
        ahead: how many bytes of a large one to read at first.
        """
        self.ahead = ahead
        self.path = path
        self.follow_links = follow_links
        self.descriptor = -1

    def __enter__(self) -> Source:
        """The bytes of the file.

        Raises:
            NotDicomError: it is a symbolic link that is not followed, or no regular file.
            OSError: it cannot be read.
        """
        found = os.stat(self.path, follow_symlinks=self.follow_links)
        if stat.S_ISLNK(found.st_mode):
            raise NotDicomError("a symbolic link (see --followLinks)")
        if not stat.S_ISREG(found.st_mode):
            raise NotDicomError(f"not a regular file but {_KINDS.get(stat.S_IFMT(found.st_mode), 'special')}")
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if self.follow_links else os.O_NOFOLLOW)
        self.descriptor = os.open(self.path, flags)
        source = FileSource(self.descriptor, found.st_size, self.ahead)
        if found.st_size > IN_MEMORY:
            return source
        try:
            return BytesSource(source.read(0, found.st_size))
        except BaseException:
            os.close(self.descriptor)
            raise

    def __exit__(self, *exception: object) -> None:
        os.close(self.descriptor)


def _is_own(job: FileJob, path: str) -> bool:
    """Whether there is still the output that an earlier run wrote for the same input."""
    if job.earlier is None or job.earlier.path != path:
        return False
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and Stamp.of(found) == job.earlier.stamp


def _untraced(error: Exception) -> Exception:
    """An error without the frames it came through, and so without the memory that these hold.

    After a MemoryError the next line would run into another one.
    """
    if isinstance(error, MemoryError):
        return MemoryError()
    return error.with_traceback(None)


def _outcome_of(error: Exception, job: FileJob, stage: Stage) -> FileOutcome:
    if isinstance(error, NotSelectedError):
        return FileOutcome(job.relative, Status.NOT_SELECTED, reason=NOT_SELECTED)
    if isinstance(error, NotDicomError | SkippedError):
        return FileOutcome(job.relative, Status.SKIPPED, reason=str(error))
    if isinstance(error, FileError):
        reason = str(error)
    elif isinstance(error, OSError) and error.errno:
        code = error.errno
        cure = f": {_CURES[code]}" if code in _CURES else ""
        reason = f"{os.strerror(code)} ({errno.errorcode.get(code, code)}){cure}"
    elif isinstance(error, MemoryError):
        reason = "out of memory"
    else:
        reason = f"internal error: {type(error).__name__}"
    return FileOutcome(job.relative, Status.FAILED, stage, reason)
