"""The workers: jobs spread over processes or threads, in small batches.

Batches are cut so that each takes a moment, and only a few are under way at a time:
neither one directory of 100,000 files nor 100,000 directories make memory grow.
"""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from .directives import prepare
from .models import DirectoryPlan, FileJob
from .shield import Shield
from .temporary import remove_stale
from .worker import Settings, Task, Worker

BATCH_SECONDS = 0.05
BATCH_MOST = 256
BATCHES_PER_WORKER = 3
ORPHAN_SECONDS = 10.0

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


def has_gil() -> bool:
    """Whether threads of this interpreter take turns."""
    probe = getattr(sys, "_is_gil_enabled", None)
    return probe is None or bool(probe())


@dataclass(frozen=True)
class _Done(Generic[R]):
    """What became of a batch: its results in order (fewer when stopped), and the time it took."""

    results: list[R]
    seconds: float


class _Local(threading.local):
    """The worker of this process or thread."""

    worker: Worker | None = None
    stop: Flag | None = None
    is_busy = False


_local = _Local()


def _pause() -> None:
    if _local.stop is not None and _local.stop.is_set():
        raise Stopped


def _start_thread(settings: Settings, stop: Flag) -> None:
    _local.stop = stop
    _local.worker = Worker(settings, _pause)


def _start_process(settings: Settings, stop: Flag) -> None:
    """Make this process a worker: it stops when its parent says so or is gone, not before."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end_if_orphaned)
    threading.Thread(target=_watch_parent, daemon=True).start()
    gc.freeze()
    _start_thread(settings, stop)


def _watch_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_SECONDS)  # for the main thread to clean away the file at hand
        os._exit(128 + signal.SIGTERM)


def _end_if_orphaned(signum: int, frame: object) -> None:  # noqa: ARG001
    """SIGTERM often goes to all processes of a run; the parent then ends it in order."""
    parent = multiprocessing.parent_process()
    if parent is None or parent.is_alive():
        return
    if _local.is_busy:
        raise Stopped  # the file at hand is cleaned away on the way out
    os._exit(128 + signal.SIGTERM)


def _run_batch(task: Task[R], batch: Batch) -> _Done[R]:
    worker, stop = _local.worker, _local.stop
    if worker is None or stop is None:
        raise RuntimeError("the worker was not started")
    results: list[R] = []
    started = time.perf_counter()
    _local.is_busy = True
    try:
        for directory in batch:
            for job in directory.jobs():
                if stop.is_set():
                    raise Stopped
                results.append(task(worker, job))
    except Stopped:
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            os._exit(128 + signal.SIGTERM)
    finally:
        _local.is_busy = False
    return _Done(worker.packed(results), time.perf_counter() - started)


class _Batches:
    """Cuts directories into batches; their size follows the time that batches take."""

    def __init__(self, directories: Iterator[DirectoryPlan]) -> None:
        self.directories = directories
        self.size = 1
        self.rest: DirectoryPlan | None = None

    def took(self, files: int, seconds: float) -> None:
        """Learn from a batch that is done."""
        if files:
            fitting = int(BATCH_SECONDS * files / max(seconds, 1e-6))
            self.size = max(1, min(fitting, 2 * self.size, BATCH_MOST))

    def take(self) -> Batch:
        """The next batch; () when there is nothing left."""
        parts: list[DirectoryPlan] = []
        room = self.size
        while room:
            directory = self.rest or next(self.directories, None)
            if directory is None:
                break
            count = len(directory.names)
            parts.append(directory if count <= room else directory.part(0, room))
            self.rest = directory.part(room, count) if count > room else None
            room -= min(count, room)
        return tuple(parts)


class _ForkProcess(multiprocessing.context.ForkProcess):
    """A worker that its executor can end: SIGTERM alone does not (see ``_end_if_orphaned``).

    An executor terminates its workers when one of them died, perhaps with a lock in its
    hand that the others would wait for.
    """

    def terminate(self) -> None:
        """End the worker for certain."""
        self.kill()


class _ForkContext(multiprocessing.context.ForkContext):
    Process = _ForkProcess


class Pool:
    """Runs tasks over the files of directories, as ``worker.InLine`` does; a context manager.

    Leaving it stops the workers; they finish or clean away the file at hand first.
    """

    def __init__(self, settings: Settings, workers: int, shield: Shield) -> None:
        """Args:
        settings: what the workers have to know.
        workers: how many.
        shield: holds signals back while results are told.
        """
        self.settings = settings
        self.shield = shield
        self.workers = workers
        self.executor: Executor | None = None
        self.stop: Flag = threading.Event()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop.set()
        if self.executor is not None:
            self.executor.shutdown(wait=True, cancel_futures=True)
            self.executor = None

    def _started(self) -> Executor:
        if self.executor is None:
            if has_gil():
                # A forked worker has all that the parent imported and compiled at once.
                prepare(self.settings.rules.templates)
                context = _ForkContext() if sys.platform == "linux" else multiprocessing.get_context()
                self.stop = context.Event()
                arguments = (self.settings, self.stop)
                self.executor = ProcessPoolExecutor(self.workers, context, _start_process, arguments)
            else:
                self.stop = threading.Event()
                self.executor = ThreadPoolExecutor(
                    self.workers, initializer=_start_thread, initargs=(self.settings, self.stop)
                )
        return self.executor

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
            on_lost: told of a file over which a worker died twice.
        """
        batches = _Batches(directories)
        pending: dict[Future[_Done[R]], Batch] = {}
        try:
            self._run(task, batches, pending, on_result, on_lost)
        except BaseException:
            self.__exit__()
            for future, batch in pending.items():  # what was done all the same is on the record
                if future.done() and not future.cancelled() and future.exception() is None:
                    _tell(batch, future.result(), on_result)
            raise

    def _run(
        self,
        task: Task[R],
        batches: _Batches,
        pending: dict[Future[_Done[R]], Batch],
        on_result: Callable[[FileJob, R], None],
        on_lost: Callable[[FileJob], None],
    ) -> None:
        lost: list[Batch] = []
        while True:
            while not lost and len(pending) < BATCHES_PER_WORKER * self.workers:
                batch = batches.take()
                if not batch:
                    break
                try:
                    pending[self._started().submit(_run_batch, task, batch)] = batch
                except BrokenProcessPool:
                    lost.append(batch)
            if not pending and not lost:
                return
            if not pending:
                self._rerun(task, lost, on_result, on_lost)
                lost = []
                continue
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                try:
                    done = future.result()
                except BrokenProcessPool:
                    lost.append(pending.pop(future))
                    continue
                batches.took(len(done.results), done.seconds)
                with self.shield:
                    _tell(pending.pop(future), done, on_result)
                self.shield.check()

    def _rerun(
        self,
        task: Task[R],
        lost: list[Batch],
        on_result: Callable[[FileJob, R], None],
        on_lost: Callable[[FileJob], None],
    ) -> None:
        """Do the batches of a dead worker again file by file, to find the one it died over."""
        self.__exit__()
        for batch in lost:
            for directory in batch:
                remove_stale(directory.output_dir)
                for place, job in enumerate(directory.jobs()):
                    single = (directory.part(place, place + 1),)
                    try:
                        done = self._started().submit(_run_batch, task, single).result()
                    except BrokenProcessPool:
                        self.__exit__()
                        remove_stale(directory.output_dir)
                        on_lost(job)
                    else:
                        _tell(single, done, on_result)


def _tell(batch: Batch, done: _Done[R], on_result: Callable[[FileJob, R], None]) -> None:
    jobs = (job for directory in batch for job in directory.jobs())
    for job, result in zip(jobs, done.results, strict=False):
        on_result(job, result)
