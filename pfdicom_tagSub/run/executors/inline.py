"""The work done by the process itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...core.plan import DirectoryPlan, FileJob
from ..deferred_signals import DeferredSignals
from ..worker import R, Task, Worker
from ..worker_settings import Settings


class Inline:
    """Runs tasks over the files of directories in this thread, as ``pool.Pool`` does in many."""

    def __init__(self, settings: Settings, deferred: DeferredSignals) -> None:
        self.worker = Worker(settings, deferred.check)
        self.deferred = deferred

    def __enter__(self) -> Inline:
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
                with self.deferred:
                    on_result(job, task(self.worker, job))
                self.deferred.check()
