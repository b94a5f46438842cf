"""What a worker of a Dask cluster does, and what travels to it; ``dask.py`` is the other side.

What a worker has to know travels once to each: the compiled rules without the secret key
and the tables of lookups, which the worker reads itself from the same paths, or, only if
asked, with them. A worker that joins later says that it knows nothing and is told.

What a task takes is pickled apart, in a ``Parcel`` whose ``repr`` says nothing: Dask
writes the arguments of a task that fails into its logs. So a task never raises what may
be about a file, either; it answers.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import pickle
import sys
import threading
import time
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from multiprocessing.util import Finalize
from typing import Any

import distributed

from ..._version import COMMAND, __version__
from ...core.errors import SpecError
from ...spec.own_functions import OtherFunctionsError, forget
from ...spec.secret import Secret, load_secret
from ...spec.tables import load_tables
from ..pool import Batch, Done, Stopped, done_of, work
from ..worker import Task, Worker
from ..worker_settings import Settings

_KEPT_RUNS = 16
_ENDED_RUNS = 256
_LEAVING_SECONDS = 5.0


class Parcel:
    """An object that is pickled apart, so that no log shows it and any version can receive it."""

    def __init__(self, content: object) -> None:
        self._data = pickle.dumps(content)

    def __repr__(self) -> str:
        return "Parcel()"

    def opened(self) -> Any:
        """What it holds."""
        return pickle.loads(self._data)  # noqa: S301  (of our own client)


@dataclass(frozen=True)
class Ticket:
    """Says to a worker which run a batch belongs to, and what its results depend on.

    Attributes:
        run: hex digits that tell the run from all others.
        versions: package to version, of the client.
    """

    run: str
    versions: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Briefing:
    """What a worker has to know of a run.

    Attributes:
        settings: all but, perhaps, the resources of the rules.
        key_file: where the key is that belongs to them; "" for none.
        fingerprint: of that key.
        tables: the arguments that name the tables of lookups.
        digest: of these tables.
    """

    settings: Settings
    key_file: str = ""
    fingerprint: str = ""
    tables: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True)
class Uninformed:
    """The answer of a worker that joined after the run began: it has to be told.

    Attributes:
        worker: its address.
    """

    worker: str


@dataclass(frozen=True)
class Refused:
    """The answer of a worker that cannot take part.

    Attributes:
        reason: why, and the cure.
    """

    reason: str


def own_versions() -> tuple[tuple[str, str], ...]:
    """What the bytes of an output depend on besides file, spec and key."""
    found = [("pfdicom_tagSub", __version__), ("python", "{}.{}".format(*sys.version_info))]
    for package in ("pydicom", "Faker"):
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            found.append((package, "none"))
    return tuple(found)


def digest_of(tables: Mapping[str, Mapping[str, str]], secret: Secret | None) -> str:
    """What tells tables from others; under the key where there is one, lest somebody try values."""
    text = json.dumps({name: dict(table) for name, table in tables.items()}, sort_keys=True).encode(
        "utf-8", "surrogatepass"
    )
    key = secret.subkey("tables") if secret else b""
    return hmac.new(key, text, hashlib.sha256).hexdigest() if tables else ""


@dataclass
class _Run:
    """A run that this process works for."""

    settings: Settings
    stop: threading.Event = field(default_factory=threading.Event)
    local: threading.local = field(default_factory=threading.local)

    def worker(self) -> Worker:
        """The worker of this thread."""
        found: Worker | None = getattr(self.local, "worker", None)
        if found is None:
            found = self.local.worker = Worker(self.settings, self._pause)
        return found

    def _pause(self) -> None:
        if self.stop.is_set():
            raise Stopped


class _Office:
    """The runs that this process works for, and how many batches it is at."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._runs: OrderedDict[str, _Run] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._busy = 0
        self._is_ready = False

    def opened(self, parcel: Parcel) -> Briefing:
        """A briefing, with the functions of the user's own loaded.

        Raises:
            SpecError: they are not here, or others of their names are those of a run that goes on.
        """
        try:
            found: Briefing = parcel.opened()
        except OtherFunctionsError:
            raise
        except SpecError:  # those of runs that ended make room
            with self._changed:
                forget({origin for run in self._runs.values() for origin in run.settings.rules.origins})
            found = parcel.opened()
        return found

    def begin(self, ticket: Ticket, briefing: Briefing) -> None:
        """Learn of a run."""
        settings = _completed(briefing)
        with self._changed:
            if not self._is_ready:
                self._is_ready = True
                for module in ("pydicom", COMMAND):  # pydicom's warnings quote values
                    warnings.filterwarnings("ignore", module=rf"{module}\b")
                Finalize(None, self._leave, exitpriority=100)
            if ticket.run not in self._ended:
                self._runs.setdefault(ticket.run, _Run(settings))
            while len(self._runs) > _KEPT_RUNS:  # of clients that were killed
                self._runs.popitem(last=False)

    def end(self, run: str) -> None:
        """Stop the batches of a run, those that have not begun too, and forget it with its key."""
        with self._changed:
            self._ended[run] = None
            while len(self._ended) > _ENDED_RUNS:
                self._ended.popitem(last=False)
            found = self._runs.pop(run, None)
        if found is not None:
            found.stop.set()

    def knows(self, run: str) -> bool:
        """Whether it was told of a run, be it that it ended."""
        with self._changed:
            return run in self._runs or run in self._ended

    def work(self, run: str, task: Task[Any], batch: Batch) -> Done[Any]:
        """Do a batch of a run that it knows."""
        results: list[Any] = []
        started = time.perf_counter()
        with self._changed:
            found = self._runs.get(run)
            self._busy += 1
        try:
            if found is not None:
                work(found.worker(), found.stop, task, batch, results)
        except Stopped:
            pass
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()
        seconds = time.perf_counter() - started
        return Done(results, seconds) if found is None else done_of(found.worker(), results, seconds)

    def _leave(self) -> None:
        """The process ends, in order, perhaps with a file at hand: let that be cleaned away."""
        with self._changed:
            for run in self._runs.values():
                run.stop.set()
            self._changed.wait_for(lambda: not self._busy, _LEAVING_SECONDS)


_office = _Office()


def _completed(briefing: Briefing) -> Settings:
    """The settings with key and tables.

    Raises:
        SpecError: these cannot be read here, or are others.
    """
    settings = briefing.settings
    if not briefing.key_file and not briefing.tables:
        return settings
    secret = None
    if path := briefing.key_file:
        if not os.path.isfile(path):  # a FIFO would be waited for
            raise SpecError(f"--keyFile {path}: there is no such file")
        secret, _ = load_secret(path, {})
        if secret is None or secret.fingerprint != briefing.fingerprint:
            raise SpecError(f"--keyFile {path}: the worker finds another key there")
    tables = load_tables(briefing.tables)
    if digest_of(tables, secret) != briefing.digest:
        raise SpecError("--lookupTable: the worker finds other tables there")
    resources = replace(settings.rules.resources, secret=secret, tables=tables)
    return settings.with_resources(resources)


def _problem_of(ticket: Ticket) -> str:
    own = dict(own_versions())
    others = [
        f"{name} {own.get(name, 'none')} instead of {wanted}"
        for name, wanted in ticket.versions
        if own.get(name) != wanted
    ]
    return f"it has {' and '.join(others)}, and results could differ" if others else ""


def begin(ticket: Ticket, briefing: Parcel) -> str:
    """On a worker: get ready for a run.

    Args:
        ticket: which run.
        briefing: a :class:`Briefing`.

    Returns:
        Why it cannot; "" where it can.
    """
    if problem := _problem_of(ticket):
        return problem
    try:
        opened = _office.opened(briefing)
    except OtherFunctionsError as error:
        return f"{error}; install the same package on every worker, and start it anew"
    except SpecError as error:
        return f"{error}: a run that goes on uses it; wait for that, or give the function another name"
    except Exception as error:  # its text may quote anything
        return f"{type(error).__name__} as it received the settings of the run"
    try:
        _office.begin(ticket, opened)
    except SpecError as error:
        return f"{error}; give a file that every worker can read, or --daskSendKey"
    except Exception as error:  # its text may quote anything
        return f"{type(error).__name__} as it received the settings of the run"
    return ""


def end(run: str) -> None:
    """On a worker: stop what it does of a run, and forget it."""
    _office.end(run)


def do_batch(ticket: Ticket, briefing: Parcel | None, order: Parcel) -> Done[Any] | Uninformed | Refused:
    """On a worker: do a batch.

    Args:
        ticket: which run.
        briefing: a :class:`Briefing`; None where the worker should know.
        order: task and batch.
    """
    if not _office.knows(ticket.run):
        worker = str(distributed.get_worker().address)
        if briefing is None:
            return Uninformed(worker)
        if problem := begin(ticket, briefing):
            return Refused(f"worker {worker}: {problem}")
    try:
        task, batch = order.opened()
        return _office.work(ticket.run, task, batch)
    except Exception as error:  # its text may quote anything
        return Refused(f"internal error: {type(error).__name__} on a worker; please report it")
