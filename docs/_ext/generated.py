"""Directives for what the pages take from the code: options, functions, examples, record, layers.

Nothing of it is written down twice: a page that says otherwise than the code cannot be built.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from spec_example import run_example
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from pfdicom_tagSub.cli.manual import option_text
from pfdicom_tagSub.cli.option import Option
from pfdicom_tagSub.cli.option_table import BY_NAME
from pfdicom_tagSub.spec.functions import FUNCTIONS

ROOT = Path(__file__).parents[2]
SCHEMA = next(path for path in ROOT.glob("tests/**/record_schema.json"))


def _rst(text: str) -> str:
    """Plain text as reStructuredText that shows the same."""
    return re.sub(r"([*|`_\\])", r"\\\1", text)


# --- options


def option_rst(option: Option) -> str:
    """An option as an entry of the reference: its flags, and its text of the manual."""
    shown = ", ".join(f"{flag} {option.takes}".strip() for flag in option.flags)
    body = option_text(option.name).partition("\n")[2]
    return f".. option:: {shown}\n\n{indent(body_rst(body), '    ')}\n"


_SECTIONS = {
    "THE SECRET": ":ref:`secret`",
    "PROFILES": ":doc:`/reference/profiles`",
    "THE RECORD": ":doc:`/reference/record`",
}
"""Where the pages have what the manual has in a section of its own."""


def body_rst(body: str) -> str:
    """The text of the manual as reStructuredText: what stands deeper is shown as it is."""
    parts = []
    for part in re.split(r"\n\s*\n", body):
        lines = part.splitlines()
        if all(line.startswith("    ") for line in lines):
            parts.append("::\n\n" + indent(dedent(part), "    "))
        else:
            shown = re.sub(r"(?<![\w`-])(--[A-Za-z]\w*)", r"``\1``\\ ", _rst(part))
            pattern = rf"(?i:see)\s+({'|'.join(_SECTIONS)})\b"
            parts.append(re.sub(pattern, lambda found: f"{found[0][:3]} {_SECTIONS[found[1]]}", shown))
    return "\n\n".join(parts)


class OptionList(SphinxDirective):
    """``.. cli-options::``: the options that are named, from the table of options."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The entries.

        Raises:
            ExtensionError: one is no option.
        """
        names = " ".join(self.content).split()
        if unknown := [name for name in names if name not in BY_NAME]:
            raise self.error(f"no options of the command: {', '.join(unknown)}")
        return self.parse_text_to_nodes("\n".join(option_rst(BY_NAME[name]) for name in names))


# --- the spec


class Functions(SphinxDirective):
    """``.. spec-function:: name``: how a function is written, and what it does."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The entry, with the examples that are its content.

        Raises:
            ExtensionError: there is no such function.
        """
        name = self.arguments[0]
        if name not in FUNCTIONS:
            raise self.error(f"no function {name}")
        function = FUNCTIONS[name]
        meaning = function.meaning[0].upper() + function.meaning[1:]
        text = f".. describe:: {function.usage.replace('*', chr(92) + '*')}\n\n    {_rst(meaning)}.\n\n"
        return self.parse_text_to_nodes(text + indent("\n".join(self.content), "    "))


class Example(SphinxDirective):
    """``.. spec-example::``: a spec in JSON, applied to a data set while the page is built."""

    has_content = True
    option_spec: ClassVar = {
        "values": directives.unchanged_required,
        "key": directives.flag,
        "profile": directives.unchanged,
        "table": directives.unchanged,
    }

    def run(self) -> list[nodes.Node]:
        """The spec, and a table of the values before and after.

        Raises:
            ExtensionError: the spec or a value is none.
        """
        spec = "\n".join(self.content)
        try:
            rows = run_example(
                spec,
                json.loads(self.options["values"]),
                has_key="key" in self.options,
                profile=self.options.get("profile", ""),
                table=(Path(self.env.srcdir) / self.options["table"]) if "table" in self.options else None,
            )
        except Exception as error:
            raise self.error(f"the example does not work: {error}") from error
        code = nodes.literal_block(spec, spec, language="json")
        return [
            code,
            *self.parse_text_to_nodes(table_rst(("element", "before", "after"), rows, (24, 38, 38))),
        ]


def table_rst(head: Iterable[str], rows: Iterable[Iterable[str]], widths: Iterable[int] = ()) -> str:
    """A table whose cells are shown as code."""
    lines = [".. list-table::", "    :header-rows: 1"]
    if widths:
        lines.append(f"    :widths: {' '.join(map(str, widths))}")
    lines.append("")
    for number, row in enumerate([tuple(head), *map(tuple, rows)]):
        cells = [cell if number == 0 or cell.startswith("*") else f"``{cell}``" for cell in row]
        lines += [f"    {'*' if at == 0 else ' '} - {cell}" for at, cell in enumerate(cells)]
    return "\n".join(lines) + "\n"


# --- the record


def record_fields(part: dict[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The path and the description of each leaf that a schema describes."""
    if part.get("type") == "array":
        items = {"description": part.get("description", ""), **part["items"]}
        yield from record_fields(items, path + "[]")
        return
    inner = {f".{name}": value for name, value in part.get("properties", {}).items()}
    if isinstance(part.get("additionalProperties"), dict):
        inner[".*"] = part["additionalProperties"]
    if not inner:
        yield path.removeprefix("."), part.get("description", "")
    for name, value in inner.items():
        yield from record_fields(value, path + name)


class Record(SphinxDirective):
    """``.. record-fields::``: the fields of the record, from its schema."""

    def run(self) -> list[nodes.Node]:
        """The table."""
        self.env.note_dependency(str(SCHEMA))
        lines = [
            ".. list-table::",
            "    :header-rows: 1",
            "    :widths: 34 66",
            "",
            "    * - field",
            "      - meaning",
        ]
        for path, description in record_fields(json.loads(SCHEMA.read_text("utf-8"))):
            if not description:
                raise self.error(f"{SCHEMA.name} does not describe {path}")
            lines += [f"    * - ``{path}``", f"      - {description}"]
        return self.parse_text_to_nodes("\n".join(lines))


# --- the layers


def layers() -> list[list[str]]:
    """The layers of the package from the top, by the contract that CI holds them to."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (contract,) = (each for each in contracts if each["type"] == "layers" and each.get("id") == "layers")
    return [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]


def layers_svg(rows: list[list[str]]) -> str:
    """The layers as a picture: rows of boxes, and an arrow down, in the colour of the text."""
    width, height, gap, side = 620, 44, 14, 40
    parts = []
    for number, row in enumerate(rows):
        top = number * (height + gap) + 4
        size = (width - side - gap * (len(row) - 1)) / len(row)
        for at, name in enumerate(row):
            left = at * (size + gap) + 2
            parts.append(
                f'<rect x="{left:.0f}" y="{top}" width="{size:.0f}" height="{height}" rx="6" fill="none" '
                f'stroke="currentColor"/><text x="{left + size / 2:.0f}" y="{top + height / 2 + 5:.0f}" '
                f'text-anchor="middle" fill="currentColor" font-family="monospace">{name}</text>'
            )
    whole = len(rows) * (height + gap)
    parts.append(
        f'<path d="M{width - 14} 6 V{whole - 20} m-6 -9 l6 9 l6 -9" fill="none" stroke="currentColor"/>'
    )
    title = "; ".join(" and ".join(row) for row in rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {whole}" role="img" '
        f'style="max-width: {width}px" aria-label="Layers from the top: {title}">{"".join(parts)}</svg>'
    )


class Layers(SphinxDirective):
    """``.. layers::``: the picture."""

    def run(self) -> list[nodes.Node]:
        """The picture for HTML, and the same in words for all else."""
        self.env.note_dependency(str(ROOT / "pyproject.toml"))
        rows = layers()
        words = "\n".join(" | ".join(row) for row in rows)
        only_html = nodes.raw("", layers_svg(rows), format="html")
        others = nodes.literal_block(words, words)
        if self.env.app.builder.format == "html":
            return [only_html]
        return [others]


def setup(app: Sphinx) -> dict[str, object]:
    """Add the directives."""
    app.add_directive("cli-options", OptionList)
    app.add_directive("spec-function", Functions)
    app.add_directive("spec-example", Example)
    app.add_directive("record-fields", Record)
    app.add_directive("layers", Layers)
    return {"parallel_read_safe": True, "version": "1"}
