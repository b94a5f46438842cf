"""Who does the work of a run: this process, processes of this machine, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..core.options import Cluster
from .deferred_signals import Shield
from .executors.inline import InLine
from .process_limits import CURE, affordable_workers
from .worker import Settings

if TYPE_CHECKING:
    from .pool import Pool


def _workforce(
    settings: Settings,
    workers: int,
    shield: Shield,
    cluster: Cluster | None,
    on_warning: Callable[[str], None],
) -> InLine | Pool:
    # The imports are slow, and the last one is of an extra.
    if cluster is None:
        affordable = affordable_workers(workers) if workers > 1 else workers
        if affordable < workers:
            on_warning(f"{max(affordable, 1)} of {workers} workers can be started here: {CURE}")
        if affordable <= 1:
            return InLine(settings, shield)
    from .pool import Pool  # noqa: PLC0415

    if cluster is None:
        from .executors.local import LocalCrew  # noqa: PLC0415

        return Pool(LocalCrew(settings, affordable), shield)
    from .executors.dask import ClusterCrew  # noqa: PLC0415

    return Pool(ClusterCrew(settings, cluster, on_warning), shield)
