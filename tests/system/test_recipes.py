"""The recipes for every night, run as they stand but for where the trees are."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from installed import COMMAND, Trees
from pages import block, text_of

PAGE = "docs/how-to/every-night.rst"


class Places:
    """Where the recipe's directories are in a test."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name in ("incoming", "anon", "etc", "var/lib/anon", "var/log/anon"):
            (root / name).mkdir(parents=True)
            (root / name).chmod(0o755)  # logrotate refuses directories that all can write to
        (root / "etc" / "anon.json").write_text(json.dumps({"PatientName": "anon"}))
        Trees(root / "incoming", root / "anon").make("s/a.dcm")

    def moved(self, text: str) -> str:
        return re.sub(
            r"(?<=\s)(/incoming|/anon|/etc|/var/lib/anon|/var/log/anon)(?=[/\s])", rf"{self.root}\1", text
        )

    def check(self, nights: int) -> None:
        assert (self.root / "anon" / "s" / "a.dcm").is_file()
        lines = (self.root / "var/log/anon/files.log").read_text().splitlines()
        outcomes = [json.loads(line)["outcome"] for line in lines]
        assert outcomes == ["written", *["current"] * (nights - 1)]


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path)


def test_crontab_line_runs_every_night(places: Places) -> None:
    line = places.moved(block(PAGE, "text", "30 2")).strip()
    assert "%" not in line
    fields = line.split(None, 5)
    assert fields[:5] == ["30", "2", "*", "*", "*"]
    assert fields[5].startswith("/usr/local/bin/pfdicom_tagSub ")  # cron looks neither there nor here
    for _ in range(2):
        done = subprocess.run(
            ["/bin/sh", "-c", fields[5].replace("/usr/local/bin/pfdicom_tagSub", shlex.quote(COMMAND), 1)],
            capture_output=True,
            text=True,
            env={**os.environ, "PATH": "/usr/bin:/bin"},
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    places.check(2)


def test_service_runs_every_night(places: Places) -> None:
    unit = places.moved(block(PAGE, "ini", "[Unit]\nDescription=De-identify what came in\n"))
    (command,) = re.findall(r"^ExecStart=((?:.*\\\n)*.*)$", unit, re.M)
    words = shlex.split(command.replace("\\\n", " "))
    assert words[0].endswith("/pfdicom_tagSub")
    for _ in range(2):
        subprocess.run([COMMAND, *words[1:]], check=True, capture_output=True)
    places.check(2)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_units_are_valid(places: Places) -> None:
    service = block(PAGE, "ini", "[Unit]\nDescription=De-identify what came in\n")
    timer = block(PAGE, "ini", "[Unit]\nDescription=De-identify what came in, every night\n")
    service = service.replace("/usr/local/bin/pfdicom_tagSub", COMMAND)
    units = []
    for name, text in (("anon.service", service), ("anon.timer", timer)):
        (places.root / name).write_text(text)
        (places.root / name).chmod(0o644)  # systemd complains of units that all can write to
        units.append(str(places.root / name))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    said = [line for line in done.stderr.splitlines() if "anon." in line]
    assert (done.returncode, said) == (0, [])
    (when,) = re.findall(r"^OnCalendar=(.*)$", timer, re.M)
    subprocess.run(["systemd-analyze", "calendar", when], check=True, capture_output=True)
    broken = (places.root / "anon.service").read_text().replace("ProtectSystem=strict", "ProtectSytem=strict")
    (places.root / "anon.service").write_text(broken)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    assert "ProtectSytem" in done.stderr


def _logrotate(places: Places) -> Path:
    text = places.moved(" " + block(PAGE, "text", "/var/log/anon/files.log"))
    kept = [line for line in text.splitlines() if "su anon" not in line]  # there is no such user here
    path = places.root / "anon.logrotate"
    path.write_text("\n".join(kept) + "\n")
    path.chmod(0o644)
    return path


@pytest.mark.skipif(shutil.which("logrotate") is None, reason="logrotate is not installed")
def test_logrotate_takes_its_snippet(places: Places) -> None:
    path = _logrotate(places)
    log = places.root / "var/log/anon/files.log"
    log.write_text("{}\n")
    state = str(places.root / "state")
    subprocess.run(["logrotate", "-d", "-s", state, path], check=True, capture_output=True)
    subprocess.run(["logrotate", "-f", "-s", state, path], check=True, capture_output=True)
    assert not log.exists()
    assert (log.parent / "files.log.1").read_text() == "{}\n"


def test_logrotate_tells_the_unit_of_the_recipe() -> None:
    snippet = block(PAGE, "text", "/var/log/anon/files.log")
    assert "systemctl kill --signal=HUP anon.service" in snippet
    assert "copytruncate" not in snippet
    assert "--log /var/log/anon/files.log" in block(
        PAGE, "ini", "[Unit]\nDescription=De-identify what came in\n"
    )


def test_logrotate_tells_the_run_of_cron_but_not_its_shell(places: Places) -> None:
    (pattern,) = re.findall(
        r"With cron, the line .* is\n``pkill -HUP -u anon -f '(.*)' \|\| true``", text_of(PAGE)
    )
    command = block(PAGE, "text", "30 2").strip().split(None, 5)[5]
    assert re.search(pattern, f"/opt/tagsub/bin/python3 {command}")
    assert not re.search(pattern, f"/bin/sh -c {command}")
