"""Messages: which are shown, that each is one safe line, and that none ends a run."""

from __future__ import annotations

import io
import logging
import os
import re
import socket
import subprocess
import sys
import textwrap
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from installed import patience

from pfdicom_tagSub.cli.console import Console, progress
from pfdicom_tagSub.text.printable import visible


class Terminal(io.StringIO):
    """A stderr that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Full(Terminal):
    """A stderr that takes nothing, once it is full."""

    def __init__(self, is_full: bool = True) -> None:
        super().__init__()
        self.is_full = is_full

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def say_everything(console: Console) -> None:
    console.error("e")
    console.warning("w")
    console.summary("s")
    console.note(2, "n2")
    console.note(3, "n3")
    console.note(5, "n5")


@pytest.mark.parametrize(
    ("verbosity", "lines"),
    [
        (-1, ["e"]),
        (0, ["e"]),
        (1, ["e", "w", "s"]),
        (2, ["e", "w", "s", "n2"]),
        (3, ["e", "w", "s", "n2", "n3"]),
        (5, ["e", "w", "s", "n2", "n3", "n5"]),
    ],
)
def test_console_shows_what_the_verbosity_asks_for(
    verbosity: int, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    say_everything(Console(verbosity))
    printed = capsys.readouterr()
    prefixes = {"e": "pfdicom_tagSub: error: ", "w": "pfdicom_tagSub: warning: "}
    assert printed.err.splitlines() == [prefixes.get(line, "") + line for line in lines]
    assert printed.out == ""


def test_console_always_shows_what_was_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    Console(0).always("Elapsed time = 1.0 seconds")
    assert capsys.readouterr().err == "Elapsed time = 1.0 seconds\n"


def test_console_says_it_in_syslog_style(capsys: pytest.CaptureFixture[str]) -> None:
    Console(1, syslog=True).error("x")
    line = capsys.readouterr().err
    assert re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line)
    assert socket.gethostname() in line
    assert line.endswith("pfdicom_tagSub: error: x\n")
    assert line.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 名", "plain é 名"),
        ("a\nb\rc\td", r"a\nb\rc\td"),
        ("\x1b[31mred\x07\x00", r"\x1b[31mred\x07\x00"),
        ("\x85\x9b", r"\x85\x9b"),
        ("\udcff\udc80", r"\xff\x80"),
        ("\ud800", r"\ud800"),
        ("\u2028\u202e\u2066", r"\u2028\u202e\u2066"),
        ("", ""),
    ],
)
def test_visible_shows_what_could_break_a_line(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert visible(text).isprintable()


def test_console_prints_one_safe_line_per_message(capsys: pytest.CaptureFixture[str]) -> None:
    Console(1).error("a\nb\x1b[2J\udcff")
    assert capsys.readouterr().err == "pfdicom_tagSub: error: a\\nb\\x1b[2J\\xff\n"


def test_console_does_not_format_percent_signs(capsys: pytest.CaptureFixture[str]) -> None:
    Console(1).error("%s %d 100% {0}")
    assert capsys.readouterr().err == "pfdicom_tagSub: error: %s %d 100% {0}\n"


def test_console_colours_only_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    Console(1).error("x")
    assert "\033[" in terminal.getvalue()
    assert terminal.getvalue().endswith("\033[0m\n")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("NO_COLOR", "1")
    Console(1).error("x")
    assert "\033[" not in terminal.getvalue()


def test_console_survives_a_stderr_that_is_closed_full_or_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = Terminal()
    closed.close()
    for stream in (None, closed, Full()):
        monkeypatch.setattr(sys, "stderr", stream)
        console = Console(5)
        say_everything(console)
        with progress(2, console) as bar:
            bar.advance(failed=True)
            console.error("x")
            bar.advance(failed=False)


def test_console_writes_ascii_where_stderr_has_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    Console(1, syslog=True).error("é")
    sys.stderr.flush()
    line = raw.getvalue().decode("ascii")
    assert line.endswith("error: \\xe9\n")
    assert " | " in line


# --- pfmisc, which is imported behind a message


def run_python(code: str, **environment: str | None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **{key: value for key, value in environment.items() if value is not None}}
    for key in (key for key, value in environment.items() if value is None):
        env.pop(key, None)
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=env,
        timeout=patience(60),
    )


def test_console_imports_pfmisc_for_the_first_message_that_it_adds_to() -> None:
    done = run_python(
        """
        import sys
        from pfdicom_tagSub.cli.console import Console
        console = Console(1, syslog=True)
        console.note(2, "hidden")
        Console(1).error("plain")
        print("pfmisc" in sys.modules)
        console.error("shown")
        print("pfmisc" in sys.modules)
        """
    )
    assert done.stdout.split() == ["False", "True"]
    assert done.stderr.startswith("pfdicom_tagSub: error: plain\n")
    assert done.stderr.endswith("pfdicom_tagSub: error: shown\n")


@pytest.mark.parametrize("text", ["x", "", "a  \u00e9\u4e2d %s {} \\n", "6 files: 5 written"])
def test_plain_messages_are_what_pfmisc_would_write(text: str) -> None:
    for comms in ("", "status", "error"):
        buffer = io.StringIO()
        with redirect_stdout(buffer):
            printer = Console(1)._load()
            printer.qprint(text, level=0, comms=comms, colorize=False, stackDepth=3, end="")
        assert buffer.getvalue() == text


@pytest.mark.parametrize("installed", [True, False])
def test_console_does_without_the_debugger_of_pfmisc(installed: bool) -> None:
    """It is slow to import, and the container image does not have it."""
    done = run_python(
        f"""
        import sys
        from pfdicom_tagSub.cli import console
        if not {installed}:
            class Missing:
                def find_spec(self, name, path=None, target=None):
                    if name.partition(".")[0] in ("pudb", "urwid"):
                        raise ModuleNotFoundError(name)
            sys.meta_path.insert(0, Missing())
        shown = console.Console(1, syslog=True)
        shown.error("shown")
        print("pudb" in sys.modules, "urwid" in sys.modules, "pfmisc.debug" in sys.modules)
        print(bool(shown._debug))
        """
    )
    assert done.stdout.split() == ["False", "False", "True", "True"]
    assert done.stderr.endswith("pfdicom_tagSub: error: shown\n")


def test_console_keeps_the_logging_configuration() -> None:
    done = run_python(
        """
        import logging
        root = logging.getLogger()
        before = root.level, list(root.handlers)
        from pfdicom_tagSub.cli.console import Console
        Console(1, syslog=True).error("x")
        assert (root.level, root.handlers) == before, root.handlers
        logging.getLogger("pydicom").warning("a value")
        logging.getLogger("other").debug("a value")
        """
    )
    assert done.returncode == 0, done.stderr
    assert "(MainThread" not in done.stderr
    assert logging.getLogger().level == logging.WARNING


@pytest.mark.parametrize("home", [None, "", "/nonexistent", "/proc"])
def test_console_needs_no_home(home: str | None) -> None:
    done = run_python(
        "from pfdicom_tagSub.cli.console import Console\nConsole(1).error('x')",
        HOME=home,
        XDG_CONFIG_HOME=home,
    )
    assert (done.returncode, done.stderr) == (0, "pfdicom_tagSub: error: x\n")


def test_console_writes_nothing_into_home(tmp_path: Path) -> None:
    run_python(
        "from pfdicom_tagSub.cli.console import Console\nConsole(1).error('x')",
        HOME=str(tmp_path),
        XDG_CONFIG_HOME=str(tmp_path / "config"),
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", ["ImportError('no pudb')", "OSError(30, 'read-only')"])
def test_console_does_without_pfmisc(error: str) -> None:
    done = run_python(
        f"""
        import sys
        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "pfmisc":
                    raise {error}
        sys.meta_path.insert(0, Finder())
        from pfdicom_tagSub.cli.console import Console
        console = Console(1, syslog=True)
        console.error("x")
        console.warning("y")
        """
    )
    assert done.stderr == "pfdicom_tagSub: error: x\npfdicom_tagSub: warning: y\n"
    assert done.returncode == 0


def test_console_does_without_pfmisc_when_it_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise IndexError

    console = Console(1, syslog=True)
    console.error("x")
    monkeypatch.setattr(console._debug, "qprint", fail)
    console.error("y")
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith(" pfdicom_tagSub: error: x")
    assert second == "pfdicom_tagSub: error: y"


def test_console_in_a_c_locale_without_streams_does_not_crash() -> None:
    code = "from pfdicom_tagSub.cli.console import Console\nConsole(1, True).error('\\xe9\\udcff')"
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_python(code, **environment)
    assert done.returncode == 0
    assert done.stderr.isascii()
    command = f'"{sys.executable}" -c "$CODE" >&- 2>&- <&-'
    env = {**os.environ, **environment, "CODE": code}
    assert subprocess.run(["sh", "-c", command], env=env, timeout=patience(60)).returncode == 0


# --- the progress bar


def bar_output(monkeypatch: pytest.MonkeyPatch, verbosity: int, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    console = Console(verbosity)
    with progress(3, console) as bar:
        bar.advance(failed=False)
        console.error("in between")
        bar.advance(failed=True)
    return stream.getvalue()


def test_progress_shows_files_and_failures_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    console = Console(1)
    with progress(3, console) as bar:
        bar.advance(failed=False)
        bar.advance(failed=True)
        assert console._bar is not None
        console._bar.refresh()
    text = terminal.getvalue()
    assert "2/3" in text
    assert "files" in text
    assert "1 failed" in text
    assert console._bar is None


def test_progress_is_shown_on_a_terminal_without_a_size() -> None:
    code = (
        "from pfdicom_tagSub.cli.console import Console, progress\n"
        "with progress(3, Console(1)) as bar:\n"
        "    bar.advance(failed=True, count=3)"
    )
    unsized = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    ours, theirs = os.openpty()
    try:
        command = [sys.executable, "-c", code]
        subprocess.run(
            command, stderr=theirs, stdin=theirs, stdout=theirs, check=True, env=unsized, timeout=patience(60)
        )
        os.set_blocking(ours, False)
        assert b"0/3" in os.read(ours, 1 << 12)
    finally:
        os.close(theirs)
        os.close(ours)


def test_progress_does_not_tear_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    text = bar_output(monkeypatch, 1, Terminal())
    before, _, after = text.partition("pfdicom_tagSub: error: in between\n")
    assert "in between" in text
    assert before.endswith("\r")  # the bar was cleared, and is drawn again below
    assert "/3" in after


@pytest.mark.parametrize(("verbosity", "stream"), [(0, Terminal()), (1, io.StringIO()), (5, io.StringIO())])
def test_progress_is_silent_without_a_terminal_or_at_verbosity_0(
    verbosity: int, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert bar_output(monkeypatch, verbosity, stream) == "pfdicom_tagSub: error: in between\n"


def test_progress_starts_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(sys, "stderr", Terminal())
    before = threading.active_count()
    with progress(3, Console(1)) as bar:
        bar.advance(failed=False)
        assert threading.active_count() == before


def test_progress_survives_a_terminal_that_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", terminal := Full(is_full=False))
    console = Console(1)
    with progress(3, console) as bar:
        assert console._bar is not None
        console._bar.mininterval = 0
        terminal.is_full = True
        bar.advance(failed=False)
        bar.advance(failed=True)
        console.error("x")
