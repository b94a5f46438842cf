"""Run one command and say how long it took and how much memory its processes held."""

import os
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

SAMPLING_SECONDS = 0.02
TIMED_OUT = -1


@dataclass(frozen=True)
class Run:
    """One run of one command; memory in bytes.

    `largest` is the peak resident set of its largest process, as the kernel counted it: exact, but
    never below what this benchmark itself holds, which a child inherits for a moment. `total` is the
    highest sum over all processes alive at one time, each shared page counted once; None if it was not
    sampled.
    """

    seconds: float
    exit_code: int
    largest: int
    total: int | None


@dataclass(frozen=True)
class Written:
    """What lies below an output directory."""

    files: int
    size: int


def run(command: list[str], log: Path, *, sample: bool = False, timeout: float = 3600) -> Run:
    """Run `command` to its end; its messages go to `log`.

    Sampling disturbs the times: sample a run of its own. A command that outlasts `timeout` is killed, and
    its exit code is TIMED_OUT.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    expired = threading.Event()
    with log.open("wb") as messages:
        start = time.perf_counter()
        # A session of its own tells its processes from others, and lets all be killed at once.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=messages,
            stderr=subprocess.STDOUT,
            cwd=log.parent,  # not the repository, whose modules Python would find
            env=kept,
            start_new_session=True,
        )

    def expire() -> None:
        expired.set()
        os.killpg(process.pid, signal.SIGKILL)

    timer = threading.Timer(timeout, expire)
    timer.daemon = True
    timer.start()
    sampler = MemorySampler(process.pid) if sample else None
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    finally:
        seconds = time.perf_counter() - start
        timer.cancel()
        total = sampler.stop() if sampler else None
    process.returncode = TIMED_OUT if expired.is_set() else os.waitstatus_to_exitcode(status)
    return Run(seconds, process.returncode, usage.ru_maxrss * 1024, total)


class MemorySampler:
    """Watches the memory of all processes of one session until it is told to stop."""

    def __init__(self, session: int) -> None:
        self._session = session
        self._peak = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """End the watch; the highest sum seen, in bytes."""
        self._done.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._done.wait(SAMPLING_SECONDS):
            self._peak = max(self._peak, sum(map(held, members(self._session))))


def members(session: int) -> list[int]:
    """The processes of `session`."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if os.getsid(int(entry)) == session:
                    found.append(int(entry))
            except OSError:
                continue  # it has ended
    return found


def held(process: int) -> int:
    """The proportional set size of a process, or 0 if it has ended."""
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def written_below(root: Path) -> Written:
    """Count the regular files below `root` that are not empty."""
    files = size = 0
    for directory, _, names in os.walk(root):
        for name in names:
            length = os.lstat(os.path.join(directory, name)).st_size
            files += length > 0
            size += length
    return Written(files, size)
