"""The workers of a Dask cluster, from the side of the command (extra ``pfdicom_tagSub[dask]``).

A worker that dies has its batches done again by another: Dask does that by itself, as
often as the scheduler's ``distributed.scheduler.allowed-failures`` says, and then calls
the batch lost. Outputs are renamed into place and the same file gives the same bytes, so
it does not matter whether the first worker had got to some of them, or is only cut off
and still at work. The temporary files of all workers bear the mark of the run, which
removes them when it ends, however it ends.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import distributed

from ..._version import __version__
from ...core.errors import ClusterError
from ...core.options import Cluster
from ...files.temporary import remove_run, temporary_name
from ...spec.function_types import Resources
from ...spec.secret import KEY_VARIABLE
from ..pool import BATCHES_PER_WORKER, Batch, Done
from ..worker import Task
from ..worker_settings import Settings
from .dask_connection import ENCRYPTED, connected, duration, within
from .dask_worker import (
    Briefing,
    Parcel,
    Refused,
    Ticket,
    Uninformed,
    begin,
    digest_of,
    do_batch,
    end,
    own_versions,
)

LOOK_SECONDS = 2.0
"""How often the client looks how many workers there are."""

CALL_SECONDS = 30.0
"""How long a call of the scheduler or of all workers may take."""

STOP_SECONDS = 60.0
"""How long workers have for the file at hand when a run is interrupted."""

WORKERS_TIMEOUT = "pfdicom-tagsub.workers-timeout"
"""The setting of Dask that says how long to wait while there is no worker."""

R = TypeVar("R")


class LostBatchError(Exception):
    """A batch over which workers died, as often as Dask allows."""


@dataclass(frozen=True)
class _Sent:
    """A batch under way: what Dask was given, and what the pool waits for."""

    inner: Future[Any]
    order: Parcel


class DaskExecutor:
    """The workers of a cluster; see ``pool.Executor``."""

    lost: type[Exception] = LostBatchError
    # Four times those of one machine: a scheduler takes about a millisecond for a task.
    batch_seconds = 0.2
    batch_most = 1024

    def __init__(self, settings: Settings, cluster: Cluster, on_warning: Callable[[str], None]) -> None:
        """Connect, and tell every worker that is there what it has to know.

        Args:
            settings: what the workers have to know.
            cluster: where they are.
            on_warning: told what the user should know.

        Raises:
            ClusterError: there is no such cluster, it has no worker, or one of them cannot
                take part.
        """
        self._cluster = cluster
        self._warn = on_warning
        self._ticket = Ticket(settings.run, own_versions())
        self._briefing = Parcel(_briefing_of(settings, cluster))
        self._sent: dict[Future[Any], _Sent] = {}
        self._directories: set[str] = set()
        self._informed: set[str] = set()
        self._threads = 0
        resources = settings.rules.resources
        self._has_said_plain = not (cluster.sends_key and (resources.secret or resources.tables))
        self._looked = self._seen = time.monotonic()
        self._says_none = False
        self._is_closed = False
        _silence()
        self._client = connected(cluster.address)
        try:
            self._executor: Executor = self._client.get_executor(pure=False)
            self._wait_for_workers()
            self._brief_all()
        except BaseException:
            self.close()
            raise

    def window(self) -> int:
        """A few for each thread of a worker; they may become more or fewer."""
        return BATCHES_PER_WORKER * max(1, self._threads)

    def submit(self, task: Task[R], batch: Batch) -> Future[Done[R]]:
        """Begin a batch."""
        outer: Future[Done[R]] = Future()
        order = Parcel((task, batch))
        self._sent[outer] = _Sent(self._submitted(None, order), order)
        self._directories.update(directory.output_dir for directory in batch)
        return outer

    def wait(self, pending: Collection[Future[Done[R]]]) -> Collection[Future[Done[R]]]:
        """Those that are done or lost, at least one.

        Raises:
            ClusterError: the scheduler is gone, there is no worker, or one cannot take part.
        """
        while True:
            if done := [outer for outer in pending if outer.done()]:
                return done
            inners = {self._sent[outer].inner: outer for outer in pending}
            for inner in wait(inners, LOOK_SECONDS, FIRST_COMPLETED).done:
                self._settle(inners[inner])
            self._look()

    def recover(self) -> None:
        """Dask has its workers started again."""

    def clean(self, directory: str) -> None:
        """All directories are swept when the run ends."""

    def close(self) -> None:
        """Stop: what runs finishes or cleans away the file at hand; what has not begun will not."""
        if self._is_closed:
            return
        self._is_closed = True
        run = self._ticket.run
        is_orderly = False
        if self._client.status == "running":
            with suppress(Exception):
                within(CALL_SECONDS, lambda: self._client.run(end, run, on_error="ignore"))
            late = wait([sent.inner for sent in self._sent.values()], STOP_SECONDS).not_done
            with suppress(Exception):
                is_orderly = not late and self._informed <= within(CALL_SECONDS, self._client.nthreads).keys()
        for outer in list(self._sent):
            with suppress(ClusterError):
                self._settle(outer, is_over=True)
        with suppress(Exception):  # what was not waited for is cancelled as the client goes
            within(CALL_SECONDS, self._client.close)
        for directory in self._directories:
            if not is_orderly:
                _renew_listing(directory, run)
            remove_run(directory, run)

    def _warn_of_plain(self, workers: Iterable[str]) -> None:
        """Say, once, where a key or a table goes unencrypted: a worker may do without TLS by itself."""
        if self._has_said_plain:
            return
        for address in (self._client.scheduler.address, *workers):
            if not address.startswith(ENCRYPTED):
                self._has_said_plain = True
                self._warn(
                    f"--daskSendKey: nothing encrypts what goes to {address}; see docs/how-to/dask.rst"
                )
                return

    def _submitted(self, briefing: Parcel | None, order: Parcel, **where: object) -> Future[Any]:
        try:
            return self._executor.submit(do_batch, self._ticket, briefing, order, **where)
        except Exception as error:
            raise self._gone(error) from None

    def _settle(self, outer: Future[Any], *, is_over: bool = False) -> None:
        """Pass on what became of a batch, or send it again to a worker that has to be told first."""
        sent = self._sent[outer]
        if not sent.inner.done():
            return
        answer: object = None
        if not sent.inner.cancelled() and (error := sent.inner.exception()) is None:
            answer = sent.inner.result()
        elif sent.inner.cancelled() or isinstance(error, distributed.KilledWorker):
            if self._client.status != "running" and not is_over:
                raise self._gone(None)
        elif not is_over:
            raise ClusterError(f"--dask {self._cluster.address}: a worker: {_failure(error)}")
        match answer:
            case Uninformed(worker) if not is_over:
                self._informed.add(worker)
                where = {"workers": [worker], "allow_other_workers": True}
                self._sent[outer] = replace(sent, inner=self._submitted(self._briefing, sent.order, **where))
                return
            case Refused(reason) if not is_over:
                raise ClusterError(f"--dask {self._cluster.address}: {reason}")
            case Done():
                outer.set_result(answer)
            case _:
                outer.set_exception(LostBatchError())
        del self._sent[outer]

    def _look(self) -> None:
        """See, now and then, how many workers there are.

        Raises:
            ClusterError: there has been none for too long, or the scheduler is gone.
        """
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS and self._threads:
            return
        self._looked = now
        try:
            threads: dict[str, int] = within(CALL_SECONDS, self._client.nthreads)
        except Exception as error:
            raise self._gone(error) from None
        self._threads = sum(threads.values())
        self._warn_of_plain(threads)
        if self._threads:
            self._seen = now
            self._says_none = False
            return
        seconds = duration(WORKERS_TIMEOUT, "300 s")
        if not self._says_none:
            self._says_none = True
            self._warn(f"{self._cluster.address} has no worker; waiting for one, {seconds:g} seconds at most")
        if now - self._seen > seconds:
            raise ClusterError(f"--dask {self._cluster.address}: no worker for {seconds:g} seconds")

    def _wait_for_workers(self) -> None:
        self._look()
        while not self._threads:
            time.sleep(0.2)
            self._look()

    def _brief_all(self) -> None:
        """Tell every worker at once, before anything is written."""
        try:
            answers: dict[str, object] = within(
                CALL_SECONDS,
                lambda: self._client.run(begin, self._ticket, self._briefing, on_error="return"),
            )
        except Exception as error:
            raise self._gone(error) from None
        self._informed.update(answers)
        problems = [
            f"worker {worker}: {_failure(answer) if isinstance(answer, BaseException) else answer}"
            for worker, answer in sorted(answers.items())
            # One that died meanwhile is told of again when it is back.
            if answer and not isinstance(answer, OSError)
        ]
        if problems:
            more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
            raise ClusterError(f"--dask {self._cluster.address}: {problems[0]}{more}")

    def _gone(self, error: BaseException | None) -> ClusterError:
        reason = f" ({type(error).__name__})" if error else ""
        return ClusterError(
            f"--dask {self._cluster.address}: the connection to the scheduler is lost{reason}; outputs "
            "written so far are whole, and the same command does the rest"
        )


def _failure(error: BaseException | None) -> str:
    """What is wrong with a worker on which something failed that never should."""
    if isinstance(error, ImportError):
        return f"it has no pfdicom_tagSub {__version__} (or cannot import it)"
    if isinstance(error, RuntimeError):  # of the scheduler, which would not write to it
        return "RuntimeError; if its address begins with tcp://, start it with the certificates of the others"
    return type(error).__name__


def _briefing_of(settings: Settings, cluster: Cluster) -> Briefing:
    """What travels to the workers.

    Raises:
        ClusterError: there is no file that they could read the key from.
    """
    resources = settings.rules.resources
    if cluster.sends_key or not (resources.secret or resources.tables):
        return Briefing(settings)
    if resources.secret and not os.path.isfile(cluster.key_file):
        origin = f"--keyFile {cluster.key_file}" if cluster.key_file else KEY_VARIABLE.decode()
        raise ClusterError(
            f"{origin}: the workers read the key themselves; give it as a --keyFile that each of them can "
            "read, or send it with --daskSendKey"
        )
    bare = Resources(
        lookup_miss=resources.lookup_miss,
        uid_root=resources.uid_root,
        notes_misses=resources.notes_misses,
    )
    return Briefing(
        settings.with_resources(bare),
        os.path.abspath(cluster.key_file) if resources.secret else "",
        resources.secret.fingerprint if resources.secret else "",
        tuple(_absolute(cluster.lookup_tables)),
        digest_of(resources.tables, resources.secret),
    )


def _absolute(tables: Iterable[str]) -> Iterable[str]:
    for argument in tables:
        name, _, path = argument.partition("=")
        yield f"{name}={os.path.abspath(path)}"


def _renew_listing(directory: str, run: str) -> None:
    """Make a file, so that this host lists the directory anew.

    Network file systems show for a while what a directory held before, without the
    temporary files that a worker on another host has made meanwhile and died over.
    """
    with suppress(OSError):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        os.close(os.open(f"{directory}/{temporary_name(0, run)}", flags, 0o600))


def _silence() -> None:
    """Dask has loggers of its own that write to standard error; what matters is said here."""
    own = ("distributed", "tornado", "asyncio")
    with_level = [name for name in logging.root.manager.loggerDict if name.startswith(own)]
    for name in (*own, *with_level):  # some, such as tornado.application, have levels of their own
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
