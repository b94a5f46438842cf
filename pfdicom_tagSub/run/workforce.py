"""Who does the work of a run: this process, processes of this machine, or a Dask cluster."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ..core.options import Cluster, PixelMethod
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
        workers: how many files at once; 0 works in line, unless the work may crash the process.
        cluster: whose workers to use, instead of any here.
        listeners: warned where there are fewer workers than that.
        files: how many files there are at most.

    Raises:
        ClusterError: the cluster cannot be worked with.
    """
    if cluster is None:
        affordable = affordable_workers(workers) if workers > 1 else workers
        if affordable < workers:
            listeners.on_warning(f"{max(affordable, 1)} of {workers} workers can be started here: {CURE}")
        if affordable <= 1 and may_crash(settings) and affordable_workers(1):
            affordable = 1
        elif affordable <= 1:
            return Inline(settings, listeners.deferred)
        from .executors.local import LocalExecutor  # noqa: PLC0415  (slow)

        return _pool(LocalExecutor(settings, affordable), listeners, files)
    from .executors.dask import DaskExecutor  # noqa: PLC0415  (of an extra)

    return _pool(DaskExecutor(settings, cluster, listeners.on_warning), listeners, files)


def may_crash(settings: Settings) -> bool:
    """Whether the work is of a kind that may end its process, which then should not be the one of the run.

    A detector of text is a large program over what nobody has checked. Where processes are not forked,
    the user's own program would be loaded once more.
    """
    pixels = settings.rules.pixels
    return sys.platform == "linux" and pixels is not None and PixelMethod.TEXT in pixels.settings.methods


def _pool(executor: Executor, listeners: RunListeners, files: int) -> Pool:
    from .pool import Pool  # noqa: PLC0415  (where there are workers)

    return Pool(executor, listeners.deferred, listeners.on_tally, files)
