"""What a pool of workers does besides its batches."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Future
from typing import Any

from pfdicom_tagSub.core.plan import DirectoryPlan
from pfdicom_tagSub.run.deferred_signals import DeferredSignals
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


def test_who_waits_for_the_workers_is_told_once_that_they_have_begun() -> None:
    executor = DoneAtOnceExecutor()
    plan = DirectoryPlan("in", "out", ".", tuple(f"{number}" for number in range(50)))
    done: list[object] = []
    with Pool(executor, DeferredSignals(), on_begun=lambda: executor.events.append("begun")) as pool:
        for _ in range(2):
            pool.run(Worker.name, iter([plan]), lambda _, result: done.append(result), lambda _: None)
    assert len(done) == 100
    assert executor.events[:4] == ["submit", "submit", "begun", "wait"]
    assert executor.events.count("begun") == 1
