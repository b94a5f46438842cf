"""Jobs spread over workers, in small batches, whoever the workers are.

Batches are cut so that each takes a moment, and only a few are under way at a time:
neither one directory of 100,000 files nor 100,000 directories make memory grow. The
workers are an executor: processes or threads here (``executors/local.py``), or those of a cluster
(``executors/dask.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from ..core.outcome import OutcomeTally
from ..core.plan import DirectoryPlan, FileJob
from .deferred_signals import DeferredSignals
from .tallies import tallied
from .worker import Task, Worker

BATCHES_PER_WORKER = 3

FIRST = 8
"""So many files has a batch at first, when nobody knows yet how long they take, and fewer if there are few
in all; where nobody knows that either, one."""

SMALLEST_PART = 8
"""At the end of a run a batch is so many times smaller than the others, not more."""

Batch = tuple[DirectoryPlan, ...]
R = TypeVar("R")


class Stopped(BaseException):
    """Raised within a worker whose run was interrupted."""


class Flag(Protocol):
    """Says to all workers that they should stop."""

    def set(self) -> None:
        """Say so."""

    def is_set(self) -> bool:
        """Whether it was said."""


@dataclass(frozen=True)
class Done(Generic[R]):
    """What became of a batch.

    Attributes:
        results: those of its files in order, fewer when stopped; None in the place of one that is counted.
        seconds: the time it took.
        tallies: how many files ended alike of which there is no more to say.
    """

    results: Sequence[R | None]
    seconds: float
    tallies: tuple[OutcomeTally, ...] = ()


def done_of(worker: Worker, results: list[R], seconds: float) -> Done[R]:
    """What became of a batch, as small as it can be told.

    Args:
        worker: who did it.
        results: those of its files.
        seconds: the time it took.
    """
    if not worker.settings.tallies:
        return Done[R](worker.packed(list[R | None](results)), seconds)
    rest, tallies = tallied(results)
    return Done[R](worker.packed(rest), seconds, tallies)


def work(worker: Worker, stop: Flag, task: Task[R], batch: Batch, results: list[R]) -> None:
    """Do a batch, in a worker.

    Args:
        worker: who does it.
        stop: looked at before each file.
        task: what is done with each file.
        batch: the files.
        results: takes the result of each.

    Raises:
        Stopped: the flag was set, or ``worker.pause`` raised it.
    """
    for directory in batch:
        for job in directory.jobs():
            if stop.is_set():
                raise Stopped
            results.append(task(worker, job))


class Executor(Protocol):
    """Workers that do batches. Leaving no temporary file behind is their business, too.

    Attributes:
        lost: what ``submit`` and a future raise where a worker died over a batch.
        batch_seconds: how long a batch should take.
        batch_most: how many files it has at most.
    """

    lost: type[Exception]
    batch_seconds: float
    batch_most: int

    def window(self) -> int:
        """How many batches should be under way at most."""

    def submit(self, task: Task[R], batch: Batch) -> Future[Done[R]]:
        """Begin a batch."""

    def wait(self, pending: Collection[Future[Done[R]]]) -> Collection[Future[Done[R]]]:
        """Those of the batches under way that are done or lost, at least one."""

    def recover(self) -> None:
        """Be ready for more after a loss; batches under way may be lost."""

    def clean(self, directory: str) -> None:
        """Remove what a lost worker may have left in an output directory."""

    def close(self) -> None:
        """Stop: the workers finish or clean away the file at hand. Every batch is done then, or lost."""


class _Batches:
    """Cuts directories into batches; their size follows the time that batches take.

    Towards the end they become smaller, lest one worker be at a whole batch when there are none for others.
    """

    def __init__(
        self, directories: Iterator[DirectoryPlan], seconds: float, most: int, files: int | None
    ) -> None:
        self.directories = directories
        self.seconds = seconds
        self.most = most
        self.left = files
        self.size = 1 if files is None else min(FIRST, most)
        self.rest: DirectoryPlan | None = None

    def took(self, files: int, seconds: float) -> None:
        """Learn from a batch that is done."""
        if files:
            fitting = int(self.seconds * files / max(seconds, 1e-6))
            self.size = max(1, min(fitting, 2 * self.size, self.most))

    def take(self, window: int) -> Batch:
        """The next batch; () when there is nothing left.

        Args:
            window: how many batches are under way at most.
        """
        parts: list[DirectoryPlan] = []
        room = self.size
        if self.left is not None:
            room = max(1, room // SMALLEST_PART, min(room, self.left // max(window, 1)))
            self.left -= room
        while room:
            directory = self.rest or next(self.directories, None)
            if directory is None:
                break
            count = len(directory.names)
            parts.append(directory if count <= room else directory.part(0, room))
            self.rest = directory.part(room, count) if count > room else None
            room -= min(count, room)
        return tuple(parts)


class Pool:
    """Runs tasks over the files of directories, as ``executors.inline.Inline`` does; a context manager.

    Leaving it stops the workers; they finish or clean away the file at hand first.
    """

    def __init__(
        self,
        executor: Executor,
        deferred: DeferredSignals,
        on_tally: Callable[[OutcomeTally], None] | None = None,
        files: int | None = None,
    ) -> None:
        """Args:
        executor: the workers.
        deferred: holds signals back while results are told.
        on_tally: told of results that the workers counted.
        files: how many files there are at most; None where nobody knows.
        """
        self.executor = executor
        self.deferred = deferred
        self.on_tally = on_tally
        self._files = files

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.executor.close()

    def run(
        self,
        task: Task[R],
        directories: Iterator[DirectoryPlan],
        on_result: Callable[[FileJob, R], None],
        on_lost: Callable[[FileJob], None],
    ) -> None:
        """Run a task over every file.

        Args:
            task: a function at the top of a module.
            directories: the files.
            on_result: told each result, batch by batch in any order.
            on_lost: told of a file over which workers died again and again.
        """
        executor = self.executor
        batches = _Batches(directories, executor.batch_seconds, executor.batch_most, self._files)
        pending: dict[Future[Done[R]], Batch] = {}
        try:
            self._run(task, batches, pending, on_result, on_lost)
        except BaseException:
            self.executor.close()
            for future, batch in pending.items():  # what was done all the same is on the record
                if future.done() and not future.cancelled() and future.exception() is None:
                    self._report(batch, future.result(), on_result)
            raise

    def _run(
        self,
        task: Task[R],
        batches: _Batches,
        pending: dict[Future[Done[R]], Batch],
        on_result: Callable[[FileJob, R], None],
        on_lost: Callable[[FileJob], None],
    ) -> None:
        lost: list[Batch] = []
        while True:
            while not lost and len(pending) < self.executor.window():
                batch = batches.take(self.executor.window())
                if not batch:
                    break
                try:
                    with self.deferred:
                        pending[self.executor.submit(task, batch)] = batch
                except self.executor.lost:
                    lost.append(batch)
                self.deferred.check()
            if not pending and not lost:
                return
            if not pending:
                self._rerun(task, lost, pending, on_result, on_lost)
                lost = []
                continue
            for future in self.executor.wait(pending):
                try:
                    done = self._done(future, pending[future])
                except self.executor.lost:
                    lost.append(pending.pop(future))
                    continue
                batches.took(len(done.results), done.seconds)
                with self.deferred:
                    self._report(pending.pop(future), done, on_result)
                self.deferred.check()

    def _rerun(
        self,
        task: Task[R],
        lost: list[Batch],
        pending: dict[Future[Done[R]], Batch],
        on_result: Callable[[FileJob, R], None],
        on_lost: Callable[[FileJob], None],
    ) -> None:
        """Do the batches of a dead worker again file by file, to find the one it died over."""
        self.executor.recover()
        for batch in lost:
            for directory in batch:
                self.executor.clean(directory.output_dir)
                for place, job in enumerate(directory.jobs()):
                    single = (directory.part(place, place + 1),)
                    try:
                        with self.deferred:
                            future = self.executor.submit(task, single)
                            pending[future] = single
                        self.deferred.check()
                        self.executor.wait(pending)
                        done = self._done(future, single)
                    except self.executor.lost:
                        pending.clear()
                        self.executor.recover()
                        self.executor.clean(directory.output_dir)
                        on_lost(job)
                    else:
                        with self.deferred:
                            self._report(pending.pop(future), done, on_result)
                        self.deferred.check()

    def _done(self, future: Future[Done[R]], batch: Batch) -> Done[R]:
        """What became of a batch.

        Raises: ``executor.lost``, also where a worker gave it up, as one does that has forgotten the run.
        """
        done = future.result()
        if len(done.results) < sum(len(directory.names) for directory in batch):
            raise self.executor.lost
        return done

    def _report(self, batch: Batch, done: Done[R], on_result: Callable[[FileJob, R], None]) -> None:
        if self.on_tally is not None:
            for tally in done.tallies:
                self.on_tally(tally)
        if done.results.count(None) == len(done.results):
            return
        jobs = (job for directory in batch for job in directory.jobs())
        for job, result in zip(jobs, done.results, strict=False):
            if result is not None:
                on_result(job, result)
