"""One file from input to output, and the name of its output: pure functions of a job."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from .dicomfile import parse
from .models import DirectoryPlan, FileError, FileJob, FileOutcome, NotDicomError, Stage, Status
from .naming import safe_component, safe_name
from .output import would_write, write
from .patch import Output, Patcher
from .rules import RuleSet
from .shield import Shield
from .sources import BytesSource, FileSource, Source
from .telling import tells

if TYPE_CHECKING:
    from .observing import Observing

R = TypeVar("R")

IN_MEMORY = 1 << 17
"""Files up to this many bytes are read whole; of larger ones only the header is."""

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
        output_root: what the paths of outputs are told relative to.
        is_dry: write nothing; tell what writing would come to.
        observing: what passes tell of themselves; None for nothing.
    """

    rules: RuleSet
    overwrite: bool = False
    follow_links: bool = False
    renames: bool = False
    output_root: str = ""
    is_dry: bool = False
    observing: Observing | None = None


class Worker:
    """Processes files one after the other; make one in each process or thread."""

    def __init__(self, settings: Settings, pause: Callable[[], None] = lambda: None) -> None:
        """Args:
        settings: what to do.
        pause: called between the pieces of a large file; it may raise to stop the work.
        """
        self.settings = settings
        self.pause = pause
        self.patcher = Patcher(settings.rules, renames=settings.renames, observing=settings.observing)
        self.write = would_write if settings.is_dry else write
        self.root_length = len(settings.output_root.rstrip("/")) + 1

    def process(self, job: FileJob) -> FileOutcome:
        """Patch one file. Nothing but the stopping of the work leaves this function.

        The reasons of failures never quote the file: what a library says in its own
        exceptions may, so only their types are told.
        """
        stage = Stage.READ
        try:
            with opened(job.input_path, follow_links=self.settings.follow_links) as source:
                file = parse(source)
                elements = self.patcher.scan(file)
                stage = Stage.SUBSTITUTE
                patched = self.patcher.patch(file, elements, job.file_ids)
                stage = Stage.WRITE
                status = self.write(
                    job.output_path,
                    source,
                    Output(file, patched).chunks,
                    overwrite=self.settings.overwrite,
                    pause=self.pause,
                )
        except Exception as error:  # the one place where a file's errors end
            return _outcome_of(error, job, stage)
        is_telling = bool(patched.originals) and tells(job.output_path[self.root_length :], patched.originals)
        return FileOutcome(
            job.relative,
            status,
            elements=patched.elements,
            review=patched.review,
            is_telling=is_telling,
            observed=patched.observed,
        )

    def packed(self, results: list[R]) -> list[R]:
        """The results of files that were done together, to be sent elsewhere.

        What each pass told of itself is summed up here, where many can do it, and not where
        all results come together.
        """
        if self.settings.observing is None:
            return results
        from .observing import packed  # noqa: PLC0415  (only where somebody asks)

        return packed(results)

    def name(self, job: FileJob) -> FileOutcome | str:
        """The name of an output, or why there is none.

        Returns:
            The name, the input's extension kept, after the components of its directory
            where the spec names that, too; an outcome where the file is skipped or fails.
        """
        own = os.path.basename(job.input_path)
        rules = self.settings.rules
        stems = (rules.stem,) if rules.stem else ()
        if not stems and not rules.directories:
            return own
        stage = Stage.READ
        try:
            with opened(job.input_path, follow_links=self.settings.follow_links) as source:
                file = parse(source)
                stage = Stage.NAME
                *components, last = self.patcher.names(file, (*rules.directories, *stems)) + [own] * (
                    not stems
                )
                name = safe_name(last, own) if stems else own
                return "/".join([*map(safe_component, components), name])
        except Exception as error:  # as above
            return _outcome_of(error, job, stage)


Task = Callable[[Worker, FileJob], R]
"""What is done with each file: ``Worker.process`` or ``Worker.name``."""


class InLine:
    """Runs tasks over the files of directories in this thread, as ``pool.Pool`` does in many."""

    def __init__(self, settings: Settings, shield: Shield) -> None:
        self.worker = Worker(settings, shield.check)
        self.shield = shield

    def __enter__(self) -> InLine:
        return self

    def __exit__(self, *exception: object) -> None:
        """There is nothing to stop."""

    def run(
        self,
        task: Task[R],
        directories: Iterator[DirectoryPlan],
        on_result: Callable[[FileJob, R], None],
        on_lost: Callable[[FileJob], None],  # noqa: ARG002  (nobody else can die here)
    ) -> None:
        """Run a task over every file.

        Args: as of ``Pool.run``.
        """
        for directory in directories:
            for job in directory.jobs():
                with self.shield:
                    on_result(job, task(self.worker, job))
                self.shield.check()


@contextmanager
def opened(path: str, *, follow_links: bool) -> Iterator[Source]:
    """A regular file, open for reading; anything else is not even opened.

    Args:
        path: the file.
        follow_links: read what a symbolic link points to.

    Raises:
        NotDicomError: it is a symbolic link that is not followed, or no regular file.
        OSError: it cannot be read.
    """
    found = os.stat(path, follow_symlinks=follow_links)
    if stat.S_ISLNK(found.st_mode):
        raise NotDicomError("a symbolic link (see --followLinks)")
    if not stat.S_ISREG(found.st_mode):
        raise NotDicomError(f"not a regular file but {_KINDS.get(stat.S_IFMT(found.st_mode), 'special')}")
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow_links else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        source: Source = FileSource(descriptor, found.st_size)
        if found.st_size <= IN_MEMORY:
            source = BytesSource(source.read(0, found.st_size))
        yield source
    finally:
        os.close(descriptor)


def _outcome_of(error: Exception, job: FileJob, stage: Stage) -> FileOutcome:
    if isinstance(error, NotDicomError):
        return FileOutcome(job.relative, Status.SKIPPED, reason=str(error))
    if isinstance(error, FileError):
        reason = str(error)
    elif isinstance(error, OSError):
        code = error.errno or 0
        reason = f"{os.strerror(code)} ({errno.errorcode.get(code, code)})"
    elif isinstance(error, MemoryError):
        reason = "out of memory"
    else:
        reason = f"internal error: {type(error).__name__}"
    return FileOutcome(job.relative, Status.FAILED, stage, reason)
