"""Who does the work of a run: this process, processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.options import Cluster
from .deferred_signals import DeferredSignals
from .executors.inline import Inline
from .process_limits import CURE, affordable_workers
from .worker import Settings

if TYPE_CHECKING:
    from .pool import Pool


def _workforce(
    settings: Settings,
    workers: int,
    deferred: DeferredSignals,
    cluster: Cluster | None,
    on_warning: Callable[[str], None],
) -> Inline | Pool:
    # The imports are slow, and the last one is of an extra.
    if cluster is None:
        affordable = affordable_workers(workers) if workers > 1 else workers
        if affordable < workers:
            on_warning(f"{max(affordable, 1)} of {workers} workers can be started here: {CURE}")
        if affordable <= 1:
            return Inline(settings, deferred)
    from .pool import Pool  # noqa: PLC0415

    if cluster is None:
        from .executors.local import LocalExecutor  # noqa: PLC0415

        return Pool(LocalExecutor(settings, affordable), deferred)
    from .executors.dask import DaskExecutor  # noqa: PLC0415

    return Pool(DaskExecutor(settings, cluster, on_warning), deferred)
