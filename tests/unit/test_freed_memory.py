"""What a process frees it keeps, instead of having the system make it anew for each file."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

FILES, SIZE, PAGE = 50, 500_000, 4096

COUNTED = f"""
import resource
from pfdicom_tagSub.core import freed_memory
{{keep}}
def read():
    one, other = b"x" * {SIZE}, b"y" * {SIZE}
read()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range({FILES}):
    read()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has ways of its own")
def test_memory_of_a_file_is_used_again_for_the_next() -> None:
    code = COUNTED.format(keep="freed_memory.keep()")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2 * SIZE // PAGE  # as many new pages as a single pair of files has
