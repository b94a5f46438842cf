"""HTML that is put together of parts; whatever is not HTML already is escaped."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from ..text.printable import visible

NOTHING = Markup("")


def safe(value: object) -> Markup:
    """A value as a page can hold it.

    Escaped, without control characters, parts of characters, and those that reorder text. HTML that was put
    together here has none of these, and stays.
    """
    return value if isinstance(value, Markup) else escape(visible(str(value)))


def fill(html: str, *values: object) -> Markup:
    """HTML with values in the place of its braces.

    Args:
        html: a constant, never a text of a file.
        values: as of ``safe``.
    """
    return Markup(html.format(*map(safe, values)))  # noqa: S704  (each value is safe)


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """HTML one after the other, with HTML between."""
    return Markup(between).join(parts)  # noqa: S704  (a constant)


def table(caption: object, heads: Markup, rows: Iterable[Markup], label: object = "") -> Markup:
    """A table that may be wider than the page.

    Args:
        caption: what it is called.
        heads: the cells of its head.
        rows: its rows.
        label: what is read out, if it is not the caption.
    """
    return fill(
        '<div class="scroll" tabindex="0" role="region" aria-label="{}">\n'
        "<table>\n<caption>{}</caption>\n<thead><tr>{}</tr></thead>\n<tbody>\n{}</tbody>\n</table>\n</div>\n",
        label or caption,
        caption,
        heads,
        joined(rows),
    )


def heads(*names: str) -> Markup:
    """The cells of the head of a table; those of numbers begin with a "#"."""
    cells = [(name.lstrip("#"), NUMBERS if name.startswith("#") else NOTHING) for name in names]
    return joined(fill('<th scope="col"{}>{}</th>', kind, name) for name, kind in cells)


NUMBERS = Markup(' class="num"')


def code(text: object) -> Markup:
    """A text as the computer has it."""
    return fill("<code>{}</code>", text)


def section(name: str, title: str, *parts: Markup) -> Markup:
    """A section of the page; its parts begin on new lines."""
    return fill(
        '<section aria-labelledby="{}">\n<h2 id="{}">{}</h2>\n{}</section>\n',
        name,
        name,
        title,
        joined(parts),
    )
