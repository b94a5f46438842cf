"""Pages in a headless browser: a script plays the user, and the page as it is then comes back."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no Chromium is installed (Debian: chromium)")


_DONE = "dataset.isDone"
"""What a script that waits for something sets at its end, of the body, to "yes"."""


def played(page: Path, script: str, folder: Path) -> str:
    """The document of a page after a script ran in it.

    Args:
        page: the page.
        script: what the user does, in JavaScript; an error of it, or of the page, fails the test.
        folder: where the browser may write.
    """
    if not _starts():
        pytest.skip(f"{BROWSER} does not start here")
    watched = (
        "<script>window.onerror = (text) => { document.title = 'ERROR ' + text; };"
        "window.onunhandledrejection = (one) => { document.title = 'ERROR ' + one.reason; };</script>"
    )
    text = page.read_text("utf-8")
    acted = folder / "acted.html"
    acted.write_text(
        text.replace("<title>", f"{watched}<title>", 1).replace(
            "</body>", f"<script>{script}</script></body>"
        ),
        "utf-8",
    )
    done = _run(acted, folder)
    # Virtual time does not wait for what one process of the browser asks of another, such as a blob's text.
    for _ in range(3):
        if _DONE not in script or 'data-is-done="yes"' in done.stdout:
            break
        done = _run(acted, folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "<title>ERROR" not in done.stdout, done.stdout.partition("</title>")[0][-300:]
    assert _DONE not in script or 'data-is-done="yes"' in done.stdout, "the script did not come to its end"
    return done.stdout


def _run(page: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    assert BROWSER is not None
    command = [
        *(BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
        *("--no-first-run", f"--user-data-dir={folder / 'profile'}", "--window-size=1400,1000"),
        *("--virtual-time-budget=8000", "--dump-dom", page.as_uri()),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


@functools.cache
def _starts() -> bool:
    """Whether the browser can show anything at all; in some containers it cannot."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        page = Path(name) / "page.html"
        page.write_text("<script>document.title = 'up'</script>", "utf-8")
        try:
            return "<title>up</title>" in _run(page, Path(name)).stdout
        except (OSError, subprocess.TimeoutExpired):
            return False
