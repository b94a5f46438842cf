"""Who does the work of a run: this process, processes of this machine, or a Dask cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.options import Cluster
from .executors.inline import Inline
from .process_limits import CURE, affordable_workers
from .run_settings import RunListeners
from .worker_settings import Settings

if TYPE_CHECKING:
    from .pool import Executor, Pool


def workforce_of(
    settings: Settings, workers: int, cluster: Cluster | None, listeners: RunListeners, files: int
) -> Inline | Pool:
    """Who does the work of a run.

    Args:
        settings: what a worker has to know.
        workers: how many files at once; 0 works in line.
        cluster: whose workers to use, instead of any here.
        listeners: warned where there are fewer workers than that.
        files: how many files there are at most.

    Raises:
        ClusterError: the cluster cannot be worked with.
    """
    # The imports are slow, and the last one is of an extra.
    if cluster is None:
        affordable = affordable_workers(workers) if workers > 1 else workers
        if affordable < workers:
            listeners.on_warning(f"{max(affordable, 1)} of {workers} workers can be started here: {CURE}")
        if affordable <= 1:
            return Inline(settings, listeners.deferred)
    if cluster is None:
        from .executors.local import LocalExecutor  # noqa: PLC0415

        return _pool(LocalExecutor(settings, affordable), listeners, files)
    from .executors.dask import DaskExecutor  # noqa: PLC0415

    return _pool(DaskExecutor(settings, cluster, listeners.on_warning), listeners, files)


def _pool(executor: Executor, listeners: RunListeners, files: int) -> Pool:
    from .pool import Pool  # noqa: PLC0415  (where there are workers)

    return Pool(
        executor, listeners.deferred, listeners.on_tally, listeners.on_begun, listeners.before_restart, files
    )
