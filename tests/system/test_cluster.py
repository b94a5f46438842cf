"""Runs on a Dask cluster: a scheduler and workers of their own processes on this machine.

The workers take a moment for each file, so that something can happen to them meanwhile; where it
has to happen to a worker that is over a file, that worker waits there for it.
"""

from __future__ import annotations

import datetime
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pydicom
import pytest
from builders import data_set as made_data_set
from builders import written
from installed import (
    BUNDLED,
    COMMAND,
    Done,
    arguments_of,
    checked_record,
    contents,
    execute,
    leftovers,
    make,
    make_large,
    names_in,
    patience,
    run,
    wait_for,
)
from support import README_SPEC, run_command

import pfdicom_tagSub as tagsub
from pfdicom_tagSub.cli import argument_checks
from pfdicom_tagSub.core.outcome import Status
from pfdicom_tagSub.core.plan import DirectoryPlan, FileJob
from pfdicom_tagSub.run.deferred_signals import DeferredSignals
from pfdicom_tagSub.run.pool import Batch, Pool
from pfdicom_tagSub.run.pool import Done as BatchDone
from pfdicom_tagSub.run.worker import Task, Worker
from pfdicom_tagSub.run.worker_settings import Settings
from pfdicom_tagSub.spec import own_functions

pytestmark = pytest.mark.xdist_group("cluster")  # what takes long to set up is set up once

distributed = pytest.importorskip("distributed", reason="distributed (the extra dask) is not installed")

FILES = 300
SPEC = {"PatientName": "%_name|patientID_PatientName", "PatientID": "%_hmac|7_PatientID"}
KEY = b"a key that no log may show, ever"
OTHER_KEY = b"another key of thirty-two bytes."
SLOW = """
import os, time
from pfdicom_tagSub.files import writing
root = os.path.dirname(os.getcwd())
done = 0
def crawls():
    return os.path.exists(f"{root}/crawl")
def slow_rename(folder, temporary, name, *, real=writing.rename_new):
    global done
    time.sleep(0.2 if crawls() else 0.005)
    if os.path.exists("hold") and (done := done + 1) > 4:
        open("held", "x").close()
        while os.path.exists("hold"):
            time.sleep(0.01)
        os.unlink("held")
        done = 0
    real(folder, temporary, name)
def slow_copy(source, target, count, *places, real=os.copy_file_range):
    time.sleep(0.2 if crawls() else 0.05)
    return real(source, target, min(count, 1 << (18 if crawls() else 22)), *places)
if writing.rename_new.__name__ != "slow_rename":  # Dask runs this twice
    writing.rename_new, os.copy_file_range = slow_rename, slow_copy
"""
"""A worker that takes a moment for each file and each piece of a large one.

Where its cluster crawls, it takes so long that a run over the files of a test would take most of a
minute. Where it is to hold, it stops just before its fifth output from then on gets its name, and says
that it is there; so does one worker after the other, whichever of them Dask gives more files.
"""
CACHED = """
import os, sys
scandir, open_file, seen = os.scandir, os.open, {}
class Listing:
    def __init__(self, entries):
        self.entries = iter(entries)
    def __iter__(self):
        return self
    def __next__(self):
        return next(self.entries)
    def __enter__(self):
        return self
    def __exit__(self, *exception):
        pass
    def close(self):
        pass
def cached(path="."):
    status = os.stat(path)
    place = status.st_dev, status.st_ino
    if place not in seen:
        with scandir(path) as entries:
            seen[place] = list(entries)
    return Listing(seen[place])
def renewing(path, flags, *more, **relative):
    if flags & os.O_CREAT:
        seen.clear()
    return open_file(path, flags, *more, **relative)
os.scandir, os.open = cached, renewing
sys.argv[0] = "pfdicom_tagSub"
from pfdicom_tagSub.cli.command import run
run()
"""
"""The command on a network file system, which shows old listings until this host makes a file."""
LARGE_BYTES = 1 << 27
"""What is slow takes a second for a file with so many bytes of pixels, and a minute where it crawls."""
SOON = 15.0
"""Seconds within which what should end has ended."""
COMM = "DASK_DISTRIBUTED__COMM__"
"""How the variables begin that set how the processes of a cluster talk to each other."""
OLD = "from pfdicom_tagSub import _version; _version.__version__ = '0.0.1'"


class Cluster:
    """A scheduler and workers without nannies, so that one that is killed stays dead."""

    def __init__(self, root: Path, **settings: str) -> None:
        root.mkdir()
        self.root = root
        self.environment = {**os.environ, **settings}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (root / "slow.py").write_text(SLOW)
        (root / "old.py").write_text(OLD)
        place = root / "scheduler.json"
        words = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(place)]
        self._start("scheduler", words)
        assert wait_for(lambda: place.exists() and place.stat().st_size > 0)
        self.address: str = json.loads(place.read_text())["address"]

    def _start(self, name: str, words: list[str]) -> subprocess.Popen[bytes]:
        module = "distributed.cli.dask_scheduler" if name == "scheduler" else "distributed.cli.dask_worker"
        (self.root / name).mkdir()
        with (self.root / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *words],
                cwd=self.root / name,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.processes[name] = process
        return process

    def start_worker(self, *preloads: str, protocol: str = "") -> subprocess.Popen[bytes]:
        """Start a worker, with the protocol of the scheduler if none is given; it is not waited for."""
        name = f"worker{len(self.processes)}"
        words = [self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--name", name]
        words += ["--local-directory", str(self.root / name)]
        words += ["--protocol", protocol] if protocol else []
        for preload in ("slow.py", *preloads):
            words += ["--preload", str(self.root / preload)]
        return self._start(name, words)

    @property
    def workers(self) -> list[subprocess.Popen[bytes]]:
        """The workers that run."""
        found = [process for name, process in self.processes.items() if name != "scheduler"]
        return [process for process in found if process.poll() is None]

    def wait(self, count: int) -> None:
        """Wait until so many workers are known."""
        fields = ("ca_file", "client_cert", "client_key")
        names = {f"tls_{field}": f"{COMM}TLS__{field.upper().replace('T_', 'T__')}" for field in fields}
        given = {field: self.environment.get(name) for field, name in names.items()}
        security = distributed.Security(require_encryption=False, **given)
        with distributed.Client(self.address, security=security, set_as_default=False) as client:
            assert wait_for(lambda: len(client.nthreads()) == count)

    def crawl(self) -> None:
        """Have all workers take long for each file, until they are released."""
        (self.root / "crawl").touch()

    def hold(self) -> None:
        """Have each worker stop over its fifth file from now on, until it is killed or released."""
        for worker in self.workers:
            (self._folder_of(worker) / "hold").touch()

    def is_held(self) -> bool:
        """Whether all workers stand still."""
        return all((self._folder_of(worker) / "held").exists() for worker in self.workers)

    def release(self) -> None:
        """Let all workers go on, and no longer crawl."""
        (self.root / "crawl").unlink(missing_ok=True)
        self.release_held()

    def release_held(self) -> None:
        """Let all workers go on, be it that they crawl."""
        for path in self.root.glob("*/hold"):
            path.unlink()
        assert wait_for(lambda: not any((self._folder_of(one) / "held").exists() for one in self.workers))

    def _folder_of(self, worker: subprocess.Popen[bytes]) -> Path:
        (name,) = [name for name, process in self.processes.items() if process is worker]
        return self.root / name

    def close(self) -> None:
        """End all of them."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    @property
    def logs(self) -> str:
        """What they have written."""
        return "".join(path.read_text("utf-8", "replace") for path in self.root.glob("*.log"))


@pytest.fixture(scope="module")
def _shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster") / "shared")
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(_shared: Cluster) -> Cluster:
    """A cluster with two workers; those that a test killed are replaced."""
    _shared.release()
    for _ in range(2 - len(_shared.workers)):
        _shared.start_worker()
    _shared.wait(2)
    return _shared


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key"
    path.touch(mode=0o600)
    path.write_bytes(KEY)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files in a few directories."""
    root = tmp_path_factory.mktemp("small")
    whole = make(root / "x", PatientID="P00000").read_bytes()
    for number in range(FILES):
        path = root / "in" / f"{number % 5}" / f"{number:05}.dcm"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(whole.replace(b"P00000", f"P{number:05}".encode()))
    return root / "in"


@pytest.fixture(scope="module")
def expected(small: Path, key: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The outputs of a run in line over the small files."""
    outputs = tmp_path_factory.mktemp("expected")
    assert run(small, outputs, "--keyFile", str(key), spec=SPEC).code == 0
    return contents(outputs)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A large file, mostly a hole, between two small ones."""
    root = tmp_path_factory.mktemp("large") / "in"
    make_large(root / "s" / "b.dcm", LARGE_BYTES, PatientID="LARGE")
    make(root / "a.dcm", PatientID="A")
    make(root / "s" / "c.dcm", PatientID="C")
    return root


@pytest.fixture(scope="module")
def expected_large(large: Path, key: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The outputs of a run in line over the large file and the others."""
    outputs = tmp_path_factory.mktemp("expected_large")
    assert run(large, outputs, "--keyFile", str(key), spec=SPEC).code == 0
    return contents(outputs)


def unfinished(outputs: Path) -> str:
    """The temporary file of the large file, once its second half is begun; that is at once with the first."""
    for name in leftovers(outputs):
        with suppress(FileNotFoundError):
            if (outputs / name).stat().st_size > LARGE_BYTES // 2:
                return name
    return ""


@pytest.mark.parametrize("miss", ["keep", "fail"])
def test_what_the_broker_keeps_is_that_of_a_run_in_line(cluster: Cluster, tmp_path: Path, miss: str) -> None:
    inputs, outputs = tmp_path / "in", tmp_path / "out"
    for number in range(6):
        burnt = "YES" if number == 3 else "NO"
        made = make(inputs / f"{number}.dcm", PatientID=f"P{number}", BurnedInAnnotation=burnt)
    with zipfile.ZipFile(inputs / "a.zip", "w") as archive:
        archive.write(made, "s/member.dcm")
    (tmp_path / "ids.csv").write_text("original,replacement\nP1,ONE\nP3,THREE\nP5,FIVE\n")
    spec = {"PatientID": "%_lookup|ids_#tag", "PatientIdentityRemoved": "YES"}
    flags = ["--lookupTable", f"ids={tmp_path / 'ids.csv'}", "--lookupMiss", miss, "--archives"]
    flags += [
        "--lookupMissing",
        str(tmp_path / "missing.csv"),
        "--crosswalk",
        str(tmp_path / "crosswalk.csv"),
    ]
    flags += ["--pixelReview", "hold", "--holdDir", str(tmp_path / "held"), "--log", str(tmp_path / "log")]
    found = []
    for more in ([], ["--dask", cluster.address]):
        done = run(inputs, outputs, "--json", *flags, *more, spec=spec)
        assert done.code == (1 if miss == "fail" else 0), done.err
        lists = [(tmp_path / name).read_bytes() for name in ("missing.csv", "crosswalk.csv")]
        lines = (tmp_path / "log").read_bytes().splitlines()
        named = sorted((line["path"], line["output"]) for line in map(json.loads, lines))
        found.append((done.counts, lists, named, contents(outputs), contents(tmp_path / "held")))
        for place in (outputs, tmp_path / "held"):
            shutil.rmtree(place)
        for name in ("missing.csv", "crosswalk.csv", "log"):
            (tmp_path / name).unlink()
    assert found[0] == found[1]
    assert found[0][0]["held"] >= 1


class Running:
    """A run under way: every worker is held over a file, or one is in the middle of the large file."""

    def __init__(
        self,
        cluster: Cluster,
        inputs: Path,
        outputs: Path,
        key: Path,
        *,
        is_large: bool = False,
        command: Sequence[str] = (COMMAND,),
    ) -> None:
        if is_large:
            cluster.crawl()
        else:
            cluster.hold()
        words = arguments_of(
            inputs, outputs, SPEC, "--json", "--keyFile", str(key), "--dask", cluster.address
        )
        self.outputs = outputs
        self.process = subprocess.Popen(
            [*command, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        has_come = partial(unfinished, outputs) if is_large else cluster.is_held
        assert wait_for(lambda: bool(has_come()) or self.process.poll() is not None)
        assert self.process.poll() is None

    def end(self) -> Done:
        """What it comes to."""
        try:
            out, err = self.process.communicate(timeout=patience(40))
        finally:
            self.process.kill()
        return Done(self.process.returncode, out, err)


def is_settled(outputs: Path) -> bool:
    """Whether nobody writes to the outputs any more, as far as one second tells."""
    before = names_in(outputs)
    time.sleep(1)
    return names_in(outputs) == before and not leftovers(outputs)


def kill_over_a_file(worker: subprocess.Popen[bytes], outputs: Path) -> None:
    """Kill a worker that is held: it leaves an output under a temporary name."""
    worker.kill()
    worker.wait()
    assert [name for name in leftovers(outputs) if f"-{worker.pid}-" in name]


# --- the same as without


@pytest.mark.parametrize("which", ["profile", "readme"])
def test_cluster_gives_the_same_bytes(which: str, cluster: Cluster, key: Path, tmp_path: Path) -> None:
    flags = ["--json", "--keyFile", str(key)]
    if which == "profile":
        flags += ["--profile", "basic,cleanDescriptors", "--outputFileStem", "%_hmac|16_SOPInstanceUID"]
    spec = None if which == "profile" else README_SPEC
    there = run(BUNDLED, tmp_path / "there", *flags, "--dask", cluster.address, spec=spec)
    here = run(BUNDLED, tmp_path / "here", *flags, spec=spec)
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
    assert len(contents(tmp_path / "here")) > 50
    ours, theirs = here.record, there.record
    for record in (ours, theirs):
        record.pop("runTime")
    assert theirs == ours
    assert there.code == here.code


@pytest.mark.parametrize("flag", ["--keyFile", "--daskSendKey"])
def test_cluster_gets_the_key_and_the_tables(flag: str, cluster: Cluster, key: Path, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm", PatientID="Secret-ID", PatientName="Secretname^Jane")
    (tmp_path / "ids.csv").write_text("original,replacement\nSecret-ID,Table-value\n")
    spec = {"PatientID": "%_lookup|ids_PatientID", "PatientName": "%_hmac|9_PatientName"}
    flags = ["--json", "--lookupTable", "ids=ids.csv"]  # relative to this directory, not to the workers'
    environment = dict(os.environ)
    if flag == "--keyFile":
        flags += ["--keyFile", os.path.relpath(key, tmp_path)]
    else:
        flags += ["--daskSendKey"]
        environment["PFDICOM_TAGSUB_KEY"] = KEY.decode()
    given: dict[str, Any] = {"spec": spec, "cwd": tmp_path, "env": environment}
    done = run(tmp_path / "in", tmp_path / "out", *flags, "--dask", cluster.address, **given)
    assert done.counts == {"found": 1, "written": 1}
    assert ("nothing encrypts" in done.err) == (flag == "--daskSendKey")
    here = [word for word in flags if word != "--daskSendKey"]
    assert run(tmp_path / "in", tmp_path / "here", *here, **given).code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "here")
    for text in (KEY.decode(), KEY.hex(), "Secret", "Table-value", str(tmp_path)):
        assert text not in cluster.logs


def test_python_has_the_cluster_that_the_command_has(cluster: Cluster, key: Path, tmp_path: Path) -> None:
    source, made = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for number in range(3):
        (source / f"{number}.dcm").write_bytes(written(made_data_set(PatientID=f"P{number}")))
    rules = tagsub.compile_spec({"PatientID": "%_hmac|8_PatientID"}, key=key.read_bytes())
    report = tagsub.run_tree(source, made, rules, dask=cluster.address, dask_send_key=True, verify=True)
    assert report.counts[Status.WRITTEN] == 3
    for path in source.iterdir():
        assert (made / path.name).read_bytes() == tagsub.patch_bytes(path.read_bytes(), rules)


def test_cluster_gets_own_functions(cluster: Cluster, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm", PatientID="abc", PatientName="Doe^Jane")
    spec = {"PatientID": "%_clusterOnly_PatientID", "when Modality absent": {"PatientName": "X"}}
    flags = ["--json", "--functions", str(tmp_path / "own.py"), "--dask", cluster.address]
    for method, patient_id in (("upper", "ABC"), ("title", "Abc")):  # the second time the file is another
        (tmp_path / "own.py").write_text(
            "from pfdicom_tagSub import spec_function\n\n@spec_function('clusterOnly')\n"
            f"def own(value, arguments, secret):\n    return value.{method}()\n"
        )
        done = run(tmp_path / "in", tmp_path / method, *flags, spec=spec)
        assert done.code == 0, done.err
        made = pydicom.dcmread(tmp_path / method / "a.dcm")
        assert (made.PatientID, made.PatientName) == (patient_id, "X")
        own_functions.forget(())  # the next command is another process


@pytest.mark.filterwarnings("ignore")
def test_function_of_a_run_that_goes_on_is_not_replaced(tmp_path: Path) -> None:
    from pfdicom_tagSub.run.executors import dask_worker

    paths = []
    for name in ("one", "other"):
        paths.append(tmp_path / f"{name}.py")
        paths[-1].write_text(
            "from pfdicom_tagSub import spec_function\n\n@spec_function('contested')\n"
            f"def own(value, arguments, secret):\n    return '{name}'\n"
        )
    parcels = []
    for path in paths:
        rules = tagsub.compile_spec({"PatientID": "%_contested_#tag"}, functions=[path])
        parcels.append(dask_worker.Parcel(dask_worker.Briefing(Settings(rules))))
        own_functions.forget(())
    first, second = (dask_worker.Ticket(run, dask_worker.own_versions()) for run in ("a1", "b2"))
    assert dask_worker.begin(first, parcels[0]) == ""
    try:
        assert "a run that goes on uses it" in dask_worker.begin(second, parcels[1])
        dask_worker.end("a1")
        assert dask_worker.begin(second, parcels[1]) == ""
    finally:
        dask_worker.end("a1")
        dask_worker.end("b2")
        own_functions.forget(())


def test_workers_forget_a_run_that_is_over(cluster: Cluster, key: Path, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    flags = ["--keyFile", str(key), "--dask", cluster.address]
    assert run(tmp_path / "in", tmp_path / "out", *flags, spec=SPEC).code == 0

    def known() -> tuple[int, int]:
        from pfdicom_tagSub.run.executors.dask_worker import _office

        return len(_office._runs), len(_office._ended)

    known.__module__ = "__main__"  # pickled whole: a worker has no tests
    with distributed.Client(cluster.address, set_as_default=False) as client:
        found = client.run(known)
    assert len(found) == 2
    assert all(runs == 0 and ended > 0 for runs, ended in found.values())


# --- TLS


def tls(certificates: Path, **changes: str) -> dict[str, str]:
    """An environment in which Dask's configuration names the certificates of a directory.

    Args:
        certificates: the directory.
        changes: other values for variables, named without what all of them begin with.
    """
    own = str(certificates / "own.pem")
    settings = {"REQUIRE_ENCRYPTION": "true", "TLS__CA_FILE": str(certificates / "authority.pem")}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings |= {f"TLS__{role}__CERT": own, f"TLS__{role}__KEY": own}
    return {f"{COMM}{name}": value for name, value in (settings | changes).items()}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Those of a cluster, of another authority, and of the first when it was long ago."""
    trustme = pytest.importorskip("trustme")
    root: Path = tmp_path_factory.mktemp("certificates")
    authorities = [trustme.CA(), trustme.CA()]
    for name, authority in zip(("ours", "others", "expired"), [*authorities, authorities[0]], strict=True):
        (root / name).mkdir()
        authority.cert_pem.write_to_path(root / name / "authority.pem")
        until = datetime.datetime(2020, 1, 1) if name == "expired" else None
        own = authority.issue_cert("127.0.0.1", not_after=until)
        own.private_key_and_cert_chain_pem.write_to_path(root / name / "own.pem")
    return root


@pytest.fixture(scope="module")
def tls_cluster(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[Cluster]:
    """A scheduler and two workers that speak TLS and nothing else."""
    settings = tls(certificates / "ours", DEFAULT_SCHEME="tls")
    cluster = Cluster(tmp_path_factory.mktemp("tls") / "cluster", **settings)
    try:
        for _ in range(2):
            cluster.start_worker()
        cluster.wait(2)
        yield cluster
    finally:
        cluster.close()


@pytest.mark.parametrize("flags", [[], ["--daskSendKey"]], ids=["keyFile", "daskSendKey"])
def test_cluster_with_tls_gives_the_same_bytes(
    flags: list[str],
    tls_cluster: Cluster,
    certificates: Path,
    small: Path,
    key: Path,
    expected: dict[str, bytes],
    tmp_path: Path,
) -> None:
    assert tls_cluster.address.startswith("tls://")
    environment = {**os.environ, **tls(certificates / "ours")}
    flags = ["--json", "--keyFile", str(key), "--dask", tls_cluster.address, *flags]
    done = run(small, tmp_path / "out", *flags, spec=SPEC, env=environment)
    assert (done.code, done.counts["written"]) == (0, FILES), done.err
    assert contents(tmp_path / "out") == expected
    assert "nothing encrypts" not in done.err
    assert KEY.decode() not in tls_cluster.logs


@pytest.mark.parametrize(
    ("which", "changes", "protocol", "reason"),
    [
        ("", {}, "tls", "TLS__CA_FILE and DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT"),
        ("ours", {"TLS__CLIENT__CERT": ""}, "tls", "by DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT or"),
        ("nowhere", {}, "tls", "nowhere/authority.pem: No such file"),
        ("ours", {"TLS__CLIENT__KEY": "{}/nowhere.pem"}, "tls", "client.key, {}/nowhere.pem: No such file"),
        ("ours", {"TLS__CLIENT__CERT": "{}/ours/authority.pem"}, "tls", "KEY_VALUES_MISMATCH"),
        ("ours", {"TLS__MIN_VERSION": "7"}, "tls", "distributed.comm.tls.min-version"),
        ("others", {}, "tls", "the certificate of the scheduler is not accepted"),
        (
            "others",
            {"TLS__CA_FILE": "{}/ours/authority.pem"},
            "tls",
            "does not accept the certificate of distributed.comm.tls.client.cert",
        ),
        ("expired", {}, "tls", "does not accept the certificate of distributed.comm.tls.client.cert"),
        ("ours", {}, "tcp", "write tls://HOST:PORT"),
        ("ours", {"REQUIRE_ENCRYPTION": "false"}, "tcp", "perhaps it is tls://HOST:PORT"),
        ("", {}, "tcp", "perhaps it is tls://HOST:PORT"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else "",
)
def test_certificates_that_do_not_fit_are_an_error_with_its_cure(
    which: str,
    changes: dict[str, str],
    protocol: str,
    reason: str,
    tls_cluster: Cluster,
    certificates: Path,
    tmp_path: Path,
) -> None:
    make(tmp_path / "in" / "a.dcm")
    changes = {name: value.format(certificates) for name, value in changes.items()}
    environment = {**os.environ, **(tls(certificates / which, **changes) if which else {})}
    address = tls_cluster.address.replace("tls:", f"{protocol}:")
    started = time.monotonic()
    done = run(tmp_path / "in", tmp_path / "out", "--json", "--dask", address, env=environment)
    assert f"--dask {address}: " in refused(done, tmp_path / "out")
    assert reason.format(certificates) in done.record["error"]
    assert len(done.err.splitlines()) == 1
    assert time.monotonic() - started < patience(20)  # Dask's own time for a connection is 30 seconds


def test_tls_where_there_is_none_is_an_error(cluster: Cluster, certificates: Path, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    environment = {**os.environ, **tls(certificates / "ours")}
    address = cluster.address.replace("tcp:", "tls:")
    done = run(tmp_path / "in", tmp_path / "out", "--json", "--dask", address, env=environment)
    assert "tcp://HOST:PORT" in refused(done, tmp_path / "out")


@pytest.mark.parametrize("flag", ["--keyFile", "--daskSendKey"])
def test_worker_without_tls_at_a_scheduler_with_it_is_told(
    flag: str, certificates: Path, key: Path, tmp_path: Path
) -> None:
    """The scheduler would pass the key on in the clear."""
    make(tmp_path / "in" / "a.dcm")
    environment = tls(certificates / "ours", REQUIRE_ENCRYPTION="false", DEFAULT_SCHEME="tls")
    cluster = Cluster(tmp_path / "mixed", **environment)
    try:
        cluster.start_worker(protocol="tcp")
        flags = ["--json", "--keyFile", str(key), "--dask", cluster.address]
        flags += ["--daskSendKey"] if flag == "--daskSendKey" else []
        done = run(tmp_path / "in", tmp_path / "out", *flags, spec=SPEC, env={**os.environ, **environment})
    finally:
        cluster.close()
    assert done.code == 0
    assert ("nothing encrypts what goes to tcp://" in done.err) == (flag == "--daskSendKey")


def test_worker_that_the_scheduler_may_not_talk_to_is_an_error(
    tls_cluster: Cluster, certificates: Path, tmp_path: Path
) -> None:
    make(tmp_path / "in" / "a.dcm")
    required = tls_cluster.environment.pop(f"{COMM}REQUIRE_ENCRYPTION")
    worker = tls_cluster.start_worker(protocol="tcp")
    tls_cluster.environment[f"{COMM}REQUIRE_ENCRYPTION"] = required
    tls_cluster.wait(3)
    try:
        environment = {**os.environ, **tls(certificates / "ours")}
        flags = ["--json", "--dask", tls_cluster.address]
        done = run(tmp_path / "in", tmp_path / "out", *flags, env=environment)
    finally:
        worker.terminate()
        worker.wait()
        tls_cluster.wait(2)
    assert "worker tcp://" in refused(done, tmp_path / "out")
    assert "certificates of the others" in done.record["error"]
    assert done.record["error"].count("--dask") == 1


# --- workers that die, and others that come


def test_killed_worker_has_its_files_done_by_another(
    cluster: Cluster, small: Path, key: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    running = Running(cluster, small, outputs, key)
    kill_over_a_file(cluster.workers[0], outputs)
    cluster.release()
    done = running.end()
    assert (done.code, done.failures) == (0, {}), done.err
    assert done.counts["found"] == done.counts["written"] + done.counts.get("unchanged", 0) == FILES
    assert contents(outputs) == expected  # and no temporary file


def test_file_of_a_killed_worker_goes_where_listings_are_old(
    cluster: Cluster, small: Path, key: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    running = Running(cluster, small, outputs, key, command=[sys.executable, "-c", CACHED])
    kill_over_a_file(cluster.workers[0], outputs)
    cluster.release()
    done = running.end()
    assert (done.code, done.failures) == (0, {}), done.err
    assert contents(outputs) == expected


def test_workers_that_join_a_run_are_told_of_it(
    cluster: Cluster, small: Path, key: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    running = Running(cluster, small, outputs, key)
    for worker in cluster.workers:
        kill_over_a_file(worker, outputs)
    cluster.release()
    cluster.start_worker()
    done = running.end()
    assert (done.code, done.failures) == (0, {}), done.err
    assert contents(outputs) == expected


def test_batches_that_dask_gives_up_are_done_file_by_file_and_a_lost_scheduler_is_told(
    small: Path, key: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path / "own", DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES="0")
    try:
        cluster.start_worker()
        cluster.start_worker()
        cluster.wait(2)
        running = Running(cluster, small, tmp_path / "out", key)
        kill_over_a_file(cluster.workers[0], tmp_path / "out")
        cluster.release()
        done = running.end()
        assert (done.code, done.failures) == (0, {}), done.err
        assert done.counts["found"] == FILES
        assert contents(tmp_path / "out") == expected

        running = Running(cluster, small, tmp_path / "lost", key)
        cluster.processes["scheduler"].kill()
        cluster.release()
        done = running.end()
        assert done.code == 2
        assert "connection to the scheduler is lost" in done.record["error"]
        assert "Traceback" not in done.err
        assert wait_for(lambda: not cluster.workers)  # a worker without a scheduler ends
        assert contents(tmp_path / "lost").items() <= expected.items()
        assert done.record["counts"]["written"] <= len(contents(tmp_path / "lost")) < FILES
    finally:
        cluster.close()
    assert run(small, tmp_path / "lost", "--keyFile", str(key), spec=SPEC).code == 0
    assert contents(tmp_path / "lost") == expected


def test_worker_killed_in_the_middle_of_a_large_file_has_it_done_by_another(
    cluster: Cluster, large: Path, key: Path, expected_large: dict[str, bytes], tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    running = Running(cluster, large, outputs, key, is_large=True)
    name = unfinished(outputs)
    (dying,) = [worker for worker in cluster.workers if f"-{worker.pid}-" in name]
    dying.kill()
    dying.wait()
    assert unfinished(outputs)
    cluster.release()
    done = running.end()
    assert (done.code, done.failures) == (0, {}), done.err
    assert done.counts["found"] == done.counts["written"] + done.counts.get("unchanged", 0) == 3
    assert contents(outputs) == expected_large  # and no temporary file


def test_scheduler_lost_in_the_middle_of_a_large_file_leaves_nothing_of_it(
    large: Path, key: Path, expected_large: dict[str, bytes], tmp_path: Path
) -> None:
    outputs = tmp_path / "out"
    cluster = Cluster(tmp_path / "own")
    try:
        cluster.start_worker()
        cluster.start_worker()
        cluster.wait(2)
        running = Running(cluster, large, outputs, key, is_large=True)
        cluster.processes["scheduler"].kill()
        started = time.monotonic()
        done = running.end()
        assert time.monotonic() - started < patience(SOON)
        assert done.code == 2
        assert "connection to the scheduler is lost" in done.record["error"]
        assert "Traceback" not in done.err
        assert not leftovers(outputs)
        cluster.release()
        assert wait_for(lambda: not cluster.workers)
    finally:
        cluster.close()
    found = contents(outputs)
    assert found.items() <= expected_large.items()
    assert "s/b.dcm" not in found
    assert run(large, outputs, "--keyFile", str(key), spec=SPEC).code == 0
    assert contents(outputs) == expected_large


class FakeExecutor:
    """Workers that die over a file named poison, and over the batch that it is in."""

    class LostError(Exception):
        """A batch is lost."""

    lost: type[Exception] = LostError
    batch_seconds = 1.0
    batch_most = 8

    def window(self) -> int:
        return 3

    def submit(self, task: Task[Any], batch: Batch) -> Future[BatchDone[Any]]:
        future: Future[BatchDone[Any]] = Future()
        names = [name for directory in batch for name in directory.names]
        if "poison" in names:
            future.set_exception(self.LostError())
        else:
            future.set_result(BatchDone(list(names), 0.001))
        return future

    def wait(self, pending: Collection[Future[BatchDone[Any]]]) -> Collection[Future[BatchDone[Any]]]:
        return list(pending)

    def recover(self) -> None:
        pass

    def clean(self, directory: str) -> None:
        pass

    def close(self) -> None:
        pass


def test_file_that_kills_its_workers_is_lost_and_no_other() -> None:
    names = [f"{number}" for number in range(50)]
    names[27] = "poison"
    done: list[str] = []
    lost: list[FileJob] = []
    plan = DirectoryPlan("in", "out", ".", tuple(names))
    with Pool(FakeExecutor(), DeferredSignals()) as pool:
        pool.run(Worker.name, iter([plan]), lambda _, result: done.append(str(result)), lost.append)
    assert [job.relative for job in lost] == ["poison"]
    assert sorted([*done, "poison"]) == sorted(names)


# --- interruption


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_signal_ends_a_run_on_a_cluster_in_order(
    number: signal.Signals,
    code: int,
    cluster: Cluster,
    small: Path,
    key: Path,
    expected: dict[str, bytes],
    tmp_path: Path,
) -> None:
    running = Running(cluster, small, tmp_path / "out", key)
    cluster.crawl()
    running.process.send_signal(number)
    cluster.release_held()
    done = running.end()
    cluster.release()
    found = contents(tmp_path / "out")
    assert done.code == code
    assert checked_record(done.out)["counts"]["written"] == len(found) < FILES
    assert found.items() <= expected.items()
    time.sleep(0.3)
    assert contents(tmp_path / "out") == found, "a worker went on"
    assert len(cluster.workers) == 2


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_signal_stops_the_copy_of_a_large_file_on_a_cluster(
    number: signal.Signals,
    code: int,
    cluster: Cluster,
    large: Path,
    key: Path,
    expected_large: dict[str, bytes],
    tmp_path: Path,
) -> None:
    outputs = tmp_path / "out"
    running = Running(cluster, large, outputs, key, is_large=True)
    running.process.send_signal(number)
    started = time.monotonic()
    done = running.end()
    assert time.monotonic() - started < patience(SOON)
    found = contents(outputs)
    assert done.code == code
    assert done.record["counts"]["written"] == len(found)
    assert found.items() <= expected_large.items()  # and no temporary file
    assert "s/b.dcm" not in found, "it was not stopped, or over too soon"
    assert run(large, outputs, "--keyFile", str(key), spec=SPEC).code == 0
    assert contents(outputs) == expected_large
    assert len(cluster.workers) == 2


def test_killed_command_leaves_whole_files(
    cluster: Cluster, small: Path, key: Path, expected: dict[str, bytes], tmp_path: Path
) -> None:
    running = Running(cluster, small, tmp_path / "out", key)
    running.process.kill()
    running.process.communicate()
    cluster.release()
    assert wait_for(lambda: is_settled(tmp_path / "out"))  # the workers finish their batches
    assert contents(tmp_path / "out").items() <= expected.items()


# --- what is refused


def refused(done: Done, outputs: Path) -> str:
    """Why a run was refused; it wrote nothing."""
    assert done.code == 2
    assert contents(outputs) == {}
    assert "Traceback" not in done.err
    error: str = done.record["error"]
    return error


@pytest.mark.parametrize(
    ("what", "there"), [("key", "missing"), ("key", "other"), ("table", "other")], ids=lambda name: name
)
def test_key_or_table_that_a_worker_cannot_read_is_an_error(
    what: str, there: str, cluster: Cluster, tmp_path: Path
) -> None:
    """The path leads to another file on the workers, as on a file system that they do not share."""
    make(tmp_path / "in" / "a.dcm")
    table = "original,replacement\nDEV,x\n"
    (tmp_path / "shared.key").write_bytes(KEY)
    (tmp_path / "shared.csv").write_text(table)
    others = [
        cluster.root / process / f"shared.{end}" for process in cluster.processes for end in ("key", "csv")
    ]
    for path in others:
        path.unlink(missing_ok=True)
        if there == "other":
            path.write_bytes(OTHER_KEY if path.suffix == ".key" else table.replace("x", "y").encode())
    if what == "key":
        spec, flags = SPEC, ["--keyFile", "/proc/self/cwd/shared.key"]
    else:
        spec = {"PatientID": "%_lookup|ids_PatientID"}
        flags = ["--lookupTable", "ids=/proc/self/cwd/shared.csv"]
    flags += ["--json", "--dask", cluster.address]
    reason = refused(
        run(tmp_path / "in", tmp_path / "out", *flags, spec=spec, cwd=tmp_path), tmp_path / "out"
    )
    assert flags[0] in reason
    assert "--daskSendKey" in reason
    assert ("other tables there" in reason or "another key there" in reason) == (there == "other")
    done = run(tmp_path / "in", tmp_path / "out", *flags, "--daskSendKey", spec=spec, cwd=tmp_path)
    assert done.code == 0
    for path in others:
        path.unlink(missing_ok=True)


def test_key_in_the_environment_is_not_sent_unasked(cluster: Cluster, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    environment = {**os.environ, "PFDICOM_TAGSUB_KEY": KEY.decode()}
    flags = ["--json", "--dask", cluster.address]
    done = run(tmp_path / "in", tmp_path / "out", *flags, spec=SPEC, env=environment)
    assert "--daskSendKey" in refused(done, tmp_path / "out")


def test_worker_of_another_version_is_refused(cluster: Cluster, key: Path, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    old = cluster.start_worker("old.py")
    cluster.wait(3)
    try:
        flags = ["--json", "--keyFile", str(key), "--dask", cluster.address]
        done = run(tmp_path / "in", tmp_path / "out", *flags, spec=SPEC)
    finally:
        old.terminate()
        old.wait()
    assert "pfdicom_tagSub 0.0.1 instead of" in refused(done, tmp_path / "out")


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense://x:1", "tcp://127.0.0.1"])
def test_scheduler_that_does_not_answer_is_an_error(address: str, tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    environment = {**os.environ, f"{COMM}TIMEOUTS__CONNECT": "1s"}
    done = run(tmp_path / "in", tmp_path / "out", "--json", "--dask", address, env=environment)
    assert f"--dask {address}: " in refused(done, tmp_path / "out")
    assert len(done.err.splitlines()) == 1


def test_server_that_says_nothing_is_given_up(tmp_path: Path) -> None:
    """Dask itself would wait for ever: its timeout is for the connection, and there is one."""
    make(tmp_path / "in" / "a.dcm")
    environment = {**os.environ, f"{COMM}TIMEOUTS__CONNECT": "1s"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        done = run(tmp_path / "in", tmp_path / "out", "--json", "--dask", address, env=environment)
    assert "no scheduler answers there within 1 seconds" in refused(done, tmp_path / "out")
    assert len(done.err.splitlines()) == 1


def test_duration_that_is_none_is_an_error(tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    environment = {**os.environ, f"{COMM}TIMEOUTS__CONNECT": "soon"}
    done = run(tmp_path / "in", tmp_path / "out", "--json", "--dask", "127.0.0.1:1", env=environment)
    assert "distributed.comm.timeouts.connect is 'soon'" in refused(done, tmp_path / "out")


def test_cluster_without_workers_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    cluster = Cluster(tmp_path / "empty")
    try:
        environment = {**os.environ, "DASK_PFDICOM_TAGSUB__WORKERS_TIMEOUT": "1s"}
        flags = ["--json", "--dask", cluster.address]
        done = run(tmp_path / "in", tmp_path / "out", *flags, env=environment)
    finally:
        cluster.close()
    assert "no worker for 1 seconds" in refused(done, tmp_path / "out")
    assert "waiting for one" in done.err


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["--dask", "tcp://x:1", "--threads", "2"], "give one of them"),
        (["--daskSendKey"], "--dask"),
    ],
)
def test_flags_that_do_not_go_together_are_an_error(flags: list[str], reason: str, tmp_path: Path) -> None:
    done = run_command(tmp_path, tmp_path / "out", *flags)
    assert done.code == 2
    assert reason in done.err


def test_package_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(argument_checks, "find_spec", lambda _: None)
    done = run_command(tmp_path, tmp_path / "out", "--dask", "tcp://x:1")
    assert done.code == 2
    assert "pip install distributed" in done.err
    assert run_command(tmp_path, tmp_path / "out").code == 0


def test_command_without_a_cluster_does_not_import_dask(tmp_path: Path) -> None:
    make(tmp_path / "in" / "a.dcm")
    code = (
        "import sys; from pfdicom_tagSub.cli.command import main; code = main(sys.argv[1:]); "
        "sys.exit(code or any(name in sys.modules for name in ('dask', 'distributed')))"
    )
    words = arguments_of(tmp_path / "in", tmp_path / "out", README_SPEC, "--threads", "2")
    assert execute([sys.executable, "-c", code, *words]).code == 0
