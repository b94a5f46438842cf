"""How many workers the limits of this system allow: on processes, threads and descriptors.

A pool that runs into one of them (``docker --pids-limit``, ``ulimit -u``, ``ulimit -n``) halfway
through its start waits for threads that never came to be. So what it will need is taken once,
for a moment, before it starts.
"""

from __future__ import annotations

import os
import threading

THREADS_OF_POOL = 3
"""What runs beside the workers: the thread that manages them, the one that feeds them, the progress bar's."""

THREADS_PER_WORKER = 2
"""A worker's process, and in it the thread that watches its parent."""

DESCRIPTORS_OF_POOL = 16
"""The pipes of the queues, and what the run itself keeps open or opens for a moment."""

DESCRIPTORS_PER_WORKER = 4
"""The pipes of a worker while it starts."""

CURE = "raise the limit on processes (docker --pids-limit, ulimit -u) or on open files (ulimit -n)"


def affordable_workers(wanted: int) -> int:
    """How many of the workers can be had.

    Args:
        wanted: how many are asked for.

    Returns:
        So many of them that their processes, threads and descriptors are to be had now; 0 for none.
    """
    threads = _threads_to_be_had(THREADS_OF_POOL + THREADS_PER_WORKER * wanted)
    descriptors = _descriptors_to_be_had(DESCRIPTORS_OF_POOL + DESCRIPTORS_PER_WORKER * wanted)
    by_threads = (threads - THREADS_OF_POOL) // THREADS_PER_WORKER
    by_descriptors = (descriptors - DESCRIPTORS_OF_POOL) // DESCRIPTORS_PER_WORKER
    return max(min(wanted, by_threads, by_descriptors), 0)


def _threads_to_be_had(wanted: int) -> int:
    """How many threads can be started; the limits on processes count them alike."""
    over = threading.Event()
    started: list[threading.Thread] = []
    try:
        while len(started) < wanted:
            thread = threading.Thread(target=over.wait, daemon=True)
            thread.start()
            started.append(thread)
    except (RuntimeError, MemoryError):  # "can't start new thread"
        pass
    finally:
        over.set()
        for thread in started:
            thread.join()
    return len(started)


def _descriptors_to_be_had(wanted: int) -> int:
    taken: list[int] = []
    try:
        while len(taken) < wanted:
            taken.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        pass
    finally:
        for descriptor in taken:
            os.close(descriptor)
    return len(taken)
