"""The names of temporary outputs, and the removal of those that a killed run left."""

from __future__ import annotations

import os
import re
import stat
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

TEMP_PREFIX = ".pfdicom_tagSub-"
TEMP_SUFFIX = ".tmp"

_MAX_HOST = 64
_ABANDONED_AFTER = 24 * 3600.0
_NAME = re.compile(
    re.escape(TEMP_PREFIX) + r"(?P<host>[A-Za-z0-9.-]+)-(?P<pid>[0-9]+)-[0-9]+" + re.escape(TEMP_SUFFIX)
)


@cache
def _host() -> str:
    """This host's name with nothing in it that a file name cannot hold."""
    return re.sub(r"[^A-Za-z0-9.-]", "-", os.uname().nodename)[:_MAX_HOST] or "localhost"


def temporary_name(number: int) -> str:
    """The name under which this process writes an output before it renames it.

    Args:
        number: tells apart the files that this process has open at one time.

    Returns:
        ``.pfdicom_tagSub-<host>-<pid>-<number>.tmp``
    """
    return f"{TEMP_PREFIX}{_host()}-{os.getpid()}-{number}{TEMP_SUFFIX}"


def remove_stale(directory: str) -> int:
    """Remove the temporary outputs that runs on this host were killed over.

    A file is stale when its process is gone, or when nobody wrote to it for a day:
    process ids start anew in a container, so that of a killed run may live again. Files
    of other hosts are left alone. What cannot be removed is left too; it is in nobody's
    way.

    Args:
        directory: an output directory; it need not exist.

    Returns:
        How many files were removed.
    """
    removed = 0
    with suppress(OSError), os.scandir(directory) as entries:
        for entry in entries:
            if not entry.name.startswith(TEMP_PREFIX):
                continue
            match = _NAME.fullmatch(entry.name)
            if match is None or match["host"] != _host():
                continue
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                abandoned = time.time() - status.st_mtime > _ABANDONED_AFTER
                if stat.S_ISREG(status.st_mode) and (abandoned or not _is_alive(int(match["pid"]))):
                    os.unlink(entry.path)
                    removed += 1
    return removed


def _is_alive(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    with suppress(OSError):
        state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return not state or state[0] not in {"Z", "X"}
    return True
