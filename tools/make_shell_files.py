"""Make the manual page and the completions for bash, zsh and fish, which the wheel installs below ``share/``.

Use: ``python tools/make_shell_files.py``, with the oldest Python that is supported, after an option
changed. It needs argparse-manpage and shtab, which ``.[dev]`` brings.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from pathlib import Path

import shtab
from argparse_manpage.manpage import Manpage
from pftree import manual_render

from pfdicom_tagSub._version import COMMAND, __version__
from pfdicom_tagSub.cli.manual import build_manual
from pfdicom_tagSub.cli.option import Kind
from pfdicom_tagSub.cli.option_table import BY_NAME
from pfdicom_tagSub.cli.parser import build_parser

ROOT = Path(__file__).parent.parent
URL = "https://github.com/FNNDSC/pfdicom_tagSub"

COMPLETIONS = {
    "bash": f"share/bash-completion/completions/{COMMAND}",
    "zsh": f"share/zsh/site-functions/_{COMMAND}",
    "fish": f"share/fish/vendor_completions.d/{COMMAND}.fish",
}
MANUAL_PAGE = f"share/man/man1/{COMMAND}.1"

_COMPLETED = {Kind.FILE: shtab.FILE, Kind.DIRECTORY: shtab.DIRECTORY}

_LEFT_OUT = {"NAME", "SYNOPSIS", "BRIEF EXAMPLE"}
"""Sections of ``--man`` that argparse-manpage makes itself, or that the examples hold."""


def completion(shell: str) -> str:
    """The completions for a shell."""
    parser = build_parser()
    for action in parser._actions:
        if how := _COMPLETED.get(BY_NAME[action.dest].kind):
            action.complete = how  # type: ignore[attr-defined]
    return shtab.complete(parser, shell).rstrip("\n") + "\n"


def manual_page() -> str:
    """The manual page: the options by argparse-manpage, and the sections of ``--man``."""
    os.environ["COLUMNS"] = "80"
    parser = build_parser()
    parser.formatter_class = argparse.HelpFormatter
    parser.description = (parser.description or "").replace("%(prog)s", COMMAND)
    parser.epilog = (parser.epilog or "").replace("%(prog)s", COMMAND)
    for group in parser._action_groups[2:]:
        group.title = f"options: {(group.title or '').partition(' (')[0]}"
    page = Manpage(
        parser, {"project_name": COMMAND, "version": __version__, "date": f"version {__version__}"}
    )
    page.manual = "User Commands"
    page.description = "replace the values of DICOM elements over a tree of files"
    whole = manual_render(build_manual(), shortOnly=False, colour=False)
    parts = re.split(r"^    ([A-Z][A-Z ]+)$\n", whole, flags=re.M)
    for heading, text in zip(parts[1::2], parts[2::2], strict=True):
        if heading not in _LEFT_OUT:
            title = {"ARGS": "OPTIONS IN DETAIL", "DESCRIPTION": "HOW IT WORKS"}.get(heading, heading)
            page.add_section(title, ">", preformatted(text))
    page.add_section("see also", ">", f"The documentation: {roff(URL)}")
    return re.sub(
        r"^'", r"\\&'", str(page), flags=re.M
    )  # argparse-manpage leaves it, and troff takes it for its own


def roff(text: str) -> str:
    """A text as troff shows it."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", escaped, flags=re.M)


def preformatted(text: str) -> str:
    """A text in lines of its own."""
    lines = [line.removeprefix("    ").rstrip() for line in text.strip("\n").splitlines()]
    return ".nf\n" + roff("\n".join(lines)) + "\n.fi"


def shell_files() -> dict[str, str]:
    """The path of each file and what is in it."""
    files = {path: completion(shell) for shell, path in COMPLETIONS.items()}
    return {MANUAL_PAGE: manual_page(), **files}


def main() -> None:
    """Write the files."""
    for name, text in shell_files().items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
