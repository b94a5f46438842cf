"""The README and the pages of the documentation: their texts, and the code that they show."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

from support import ROOT

DOCS = ROOT / "docs"

PAGES = sorted(path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.rst"))
"""The pages that Sphinx builds, by their paths in the repository."""

_BLOCK = re.compile(
    r"^(?P<margin> *)\.\. code(?:-block)?:: ?(?P<language>\w*)\n\n(?P<code>(?:(?P=margin)    .*\n|\n)+)", re.M
)


def text_of(page: str) -> str:
    """The source of a page."""
    return (ROOT / page).read_text("utf-8")


def blocks(page: str, language: str = "bash") -> list[str]:
    """The code of a language that a page shows."""
    found = _BLOCK.finditer(text_of(page) + "\n")
    return [dedent(each["code"]).strip("\n") + "\n" for each in found if each["language"] == language]


def block(page: str, language: str, start: str) -> str:
    """The one block of a page that begins with a text.

    Raises:
        AssertionError: there is none, or more than one.
    """
    found = [code for code in blocks(page, language) if code.startswith(start)]
    assert len(found) == 1, f"{len(found)} blocks of {page} begin with {start}"
    return found[0]


def first_column(page: str, heading: str) -> list[str]:
    """The first column of the first simple table after a heading, as it stands."""
    rest = f"\n{text_of(page)}".partition(f"\n{heading}\n")[2].partition("\n")[2]
    lines = rest.splitlines()
    borders = [number for number, line in enumerate(lines) if re.fullmatch(r"=+( +=+)+", line)]
    width = len(lines[borders[0]].partition(" ")[0])
    body = lines[borders[1] + 1 : borders[2]]
    return [line[:width].strip() for line in body if line[:width].strip()]


def links(page: str) -> list[str]:
    """What a page of reStructuredText or Markdown links to."""
    pattern = r"\]\(([^)\s]+)\)" if page.endswith(".md") else r"`[^`<]*\s<([^`>]+)>`_"
    return re.findall(pattern, text_of(page))


def target_of(page: str, link: str) -> Path:
    """The file that a relative link of a page leads to."""
    return ((ROOT / page).parent / link.partition("#")[0]).resolve()
