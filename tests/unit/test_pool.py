"""What a pool of workers does besides its batches."""

from __future__ import annotations

import gc
import os
import signal
import threading
import weakref
from collections.abc import Collection
from concurrent.futures import Future
from typing import Any

import pytest

from pfdicom_tagSub.core.plan import DirectoryPlan
from pfdicom_tagSub.run.deferred_signals import DeferredSignals
from pfdicom_tagSub.run.executors.local import LocalExecutor, SharedFlag
from pfdicom_tagSub.run.pool import Batch, Done, Pool
from pfdicom_tagSub.run.worker import Task, Worker


class DoneAtOnceExecutor:
    """Workers whose batches are done at once; what they are asked for is noted."""

    lost: type[Exception] = RuntimeError
    batch_seconds = 1.0
    batch_most = 4

    def __init__(self) -> None:
        self.events: list[str] = []

    def window(self) -> int:
        """Two at most."""
        return 2

    def submit(self, task: Task[Any], batch: Batch) -> Future[Done[Any]]:
        """A batch that is done."""
        self.events.append("submit")
        future: Future[Done[Any]] = Future()
        future.set_result(Done([name for directory in batch for name in directory.names], 0.001))
        return future

    def wait(self, pending: Collection[Future[Done[Any]]]) -> Collection[Future[Done[Any]]]:
        """All of them."""
        self.events.append("wait")
        return list(pending)

    def recover(self) -> None:
        """Nothing is lost."""

    def clean(self, directory: str) -> None:
        """Nothing is left."""

    def close(self) -> None:
        """Nothing is open."""


class CountingExecutor(DoneAtOnceExecutor):
    """Workers that note how many files each batch has."""

    batch_most = 64

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    def submit(self, task: Task[Any], batch: Batch) -> Future[Done[Any]]:
        """As ever."""
        self.sizes.append(sum(len(directory.names) for directory in batch))
        return super().submit(task, batch)


@pytest.mark.parametrize(("files", "first"), [(1000, [8, 8]), (12, [6, 3]), (3, [1, 1]), (None, [1, 1])])
def test_batches_are_no_larger_at_first_than_their_number_allows(files: int | None, first: list[int]) -> None:
    executor = CountingExecutor()
    plan = DirectoryPlan("in", "out", ".", [str(number) for number in range(files or 1000)])
    with Pool(executor, DeferredSignals(), files=files) as pool:
        pool.run(Worker.process, iter([plan]), lambda _, __: None, lambda _: None)
    assert executor.sizes[:2] == first


@pytest.mark.parametrize("files", [1000, 990, 1010, None])
def test_batches_become_smaller_towards_the_end(files: int | None) -> None:
    executor = CountingExecutor()
    plans = [DirectoryPlan("in", "out", ".", tuple(map(str, range(100)))) for _ in range(10)]
    done: list[object] = []
    with Pool(executor, DeferredSignals(), files=files) as pool:
        pool.run(Worker.name, iter(plans), lambda _, result: done.append(result), lambda _: None)
    assert len(done) == sum(executor.sizes) == 1000
    assert max(executor.sizes) == 64
    assert (max(executor.sizes[-2:]) <= 20) is (files is not None)
    assert min(executor.sizes[5:-1]) >= 8  # none is cut so small that handing it over costs more than it


class ForgetfulExecutor(DoneAtOnceExecutor):
    """Workers that die over the first batch."""

    def submit(self, task: Task[Any], batch: Batch) -> Future[Done[Any]]:
        """A batch that is done, but for the first."""
        if not self.events:
            self.events.append("submit")
            future: Future[Done[Any]] = Future()
            future.set_exception(self.lost())
            return future
        return super().submit(task, batch)

    def recover(self) -> None:
        """Others come."""
        self.events.append("recover")


class TiredExecutor(DoneAtOnceExecutor):
    """Workers that give up the first batches, whose results are short."""

    def __init__(self, gives_up: int) -> None:
        super().__init__()
        self.gives_up = gives_up

    def submit(self, task: Task[Any], batch: Batch) -> Future[Done[Any]]:
        """A batch that is done, but for the first."""
        future = super().submit(task, batch)
        if self.gives_up:
            self.gives_up -= 1
            done = future.result()
            future = Future()
            future.set_result(Done(done.results[:-1], done.seconds))
        return future


@pytest.mark.parametrize(("gives_up", "lost"), [(1, []), (3, ["in/a"])])
def test_file_of_a_batch_that_was_given_up_is_done_again_or_fails(gives_up: int, lost: list[str]) -> None:
    plan = DirectoryPlan("in", "out", ".", ("a", "b"))
    done: list[object] = []
    died: list[str] = []
    with Pool(TiredExecutor(gives_up), DeferredSignals()) as pool:
        pool.run(
            *(Worker.name, iter([plan]), lambda _, result: done.append(result)),
            lambda job: died.append(job.input_path),
        )
    assert (died, sorted(map(str, done))) == (lost, ["a", "b"][len(lost) :])


def test_executor_keeps_no_batch_that_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where results come faster than they are told of, those that were told must go all the same."""

    class Threads:
        def submit(self, *_: object) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(Done([], 0.0))
            return future

    executor: Any = LocalExecutor(Any, 2)  # type: ignore[arg-type]  # it starts none
    monkeypatch.setattr(executor, "_started", Threads)
    futures = [executor.submit(Worker.name, ()) for _ in range(3)]
    kept = [weakref.ref(future) for future in futures]
    assert list(executor.wait(futures)) == futures
    del futures
    gc.collect()
    assert [one() for one in kept] == [None] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it is for forked processes")
def test_flag_can_be_set_whenever_a_process_that_looks_at_it_was_killed() -> None:
    flag = SharedFlag()
    ready, begun = os.pipe()
    for _ in range(20):
        pid = os.fork()
        if not pid:
            os.write(begun, b"!")
            while not flag.is_set():
                pass
            os._exit(0)
        os.read(ready, 1)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    setting = threading.Thread(target=flag.set, daemon=True)
    setting.start()
    setting.join(5)
    assert not setting.is_alive()
    assert flag.is_set()
    os.close(ready)
    os.close(begun)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="it is for forked processes")
def test_flag_that_is_set_is_seen_by_processes_forked_before() -> None:
    flag = SharedFlag()
    assert not flag.is_set()
    pid = os.fork()
    if not pid:
        while not flag.is_set():
            pass
        os._exit(7)
    flag.set()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
