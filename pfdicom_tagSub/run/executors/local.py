"""The workers of one machine: processes, or threads where these do not take turns."""

from __future__ import annotations

import mmap
import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time
from collections.abc import Collection
from concurrent.futures import (
    Executor,
    Future,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from concurrent.futures.process import BrokenProcessPool
from queue import SimpleQueue
from typing import TypeVar

from ...core import garbage
from ...core.errors import WorkforceError
from ...files.temporary import remove_stale
from ..pool import BATCHES_PER_WORKER, Batch, Done, Flag, Stopped, done_of, work
from ..process_limits import CURE
from ..worker import Task, Worker
from ..worker_settings import Settings

ORPHAN_SECONDS = 10.0

R = TypeVar("R")


def has_gil() -> bool:
    """Whether threads of this interpreter take turns."""
    probe = getattr(sys, "_is_gil_enabled", None)
    return probe is None or bool(probe())


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
    garbage.settle()
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


def _run_batch(task: Task[R], batch: Batch) -> Done[R]:
    worker, stop = _local.worker, _local.stop
    if worker is None or stop is None:
        raise RuntimeError("the worker was not started")
    results: list[R] = []
    started = time.perf_counter()
    _local.is_busy = True
    try:
        work(worker, stop, task, batch, results)
    except Stopped:
        parent = multiprocessing.parent_process()
        if parent is not None and not parent.is_alive():
            os._exit(128 + signal.SIGTERM)
    finally:
        _local.is_busy = False
    return done_of(worker, results, time.perf_counter() - started)


class _ForkProcess(multiprocessing.context.ForkProcess):
    """A worker that its executor can end: SIGTERM alone does not (see ``_end_if_orphaned``).

    An executor terminates its workers when one of them died, perhaps with a lock in its
    hand that the others would wait for.
    """

    def terminate(self) -> None:
        """End the worker for certain."""
        self.kill()


def _end_left_over() -> None:
    """End workers that their executor lost; Python would wait for them at its end, for ever."""
    for child in multiprocessing.active_children():
        if isinstance(child, _ForkProcess):
            child.kill()
            child.join()


class _ForkContext(multiprocessing.context.ForkContext):
    Process = _ForkProcess


class SharedFlag:
    """A flag of this process and of those that it forks later.

    An ``Event`` of multiprocessing has a lock. A worker that is killed while it looks has it in its
    hand, and whoever sets the event then waits for ever.
    """

    def __init__(self) -> None:
        self._byte = mmap.mmap(-1, 1)

    def set(self) -> None:
        """Say that workers should stop."""
        self._byte[0] = 1

    def is_set(self) -> bool:
        """Whether that was said."""
        return self._byte[0] != 0


class LocalExecutor:
    """Workers of this machine, started with the first batch; see ``pool.Executor``."""

    lost: type[Exception] = BrokenProcessPool
    batch_seconds = 0.1
    batch_most = 512

    def __init__(self, settings: Settings, workers: int) -> None:
        """Args:
        settings: what the workers have to know.
        workers: how many.
        """
        self._settings = settings
        self._workers = workers
        self._executor: Executor | None = None
        self._stop: Flag = threading.Event()
        # concurrent.futures.wait() takes longer the more batches are under way. What waits here is not
        # looked at where others were done, too: it must hold no results.
        self._ended: SimpleQueue[None] = SimpleQueue()

    def window(self) -> int:
        """A few for each worker."""
        return BATCHES_PER_WORKER * self._workers

    def submit(self, task: Task[R], batch: Batch) -> Future[Done[R]]:
        """Begin a batch.

        Raises:
            WorkforceError: the system has no room for the workers (see ``process_limits``).
        """
        try:
            future = self._started().submit(_run_batch, task, batch)
        except (OSError, RuntimeError) as error:
            if isinstance(error, self.lost):
                raise
            _end_left_over()
            raise WorkforceError(f"the workers cannot be started: {CURE}, or run with --threads 0") from None
        future.add_done_callback(self._note_end)
        return future

    def _note_end(self, _: Future[Done[R]]) -> None:
        self._ended.put(None)

    def wait(self, pending: Collection[Future[Done[R]]]) -> Collection[Future[Done[R]]]:
        """Those that are done or lost, at least one."""
        while True:
            if done := [future for future in pending if future.done()]:
                return done
            self._ended.get()  # one that was told of before only has all looked at once more

    def recover(self) -> None:
        """End the workers that are left; the next batch starts others."""
        self.close()

    def clean(self, directory: str) -> None:
        """Remove what a dead worker may have left."""
        remove_stale(directory)

    def close(self) -> None:
        """Stop."""
        self._stop.set()
        if self._executor is not None:
            try:
                self._executor.shutdown(wait=True, cancel_futures=True)
            except RuntimeError:  # it was never started whole
                self._executor.shutdown(wait=False)
                _end_left_over()
            self._executor = None

    def _started(self) -> Executor:
        if self._executor is None:
            if has_gil():
                # A forked worker has all that the parent imported and compiled at once.
                is_forked = sys.platform == "linux"
                context = _ForkContext() if is_forked else multiprocessing.get_context()
                self._stop = SharedFlag() if is_forked else context.Event()
                arguments = (self._settings, self._stop)
                self._executor = ProcessPoolExecutor(self._workers, context, _start_process, arguments)
            else:
                self._stop = threading.Event()
                self._executor = ThreadPoolExecutor(
                    self._workers, initializer=_start_thread, initargs=(self._settings, self._stop)
                )
        return self._executor
