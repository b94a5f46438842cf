"""The templates that name outputs and their directories, checked as far as a spec goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.errors import FileError, SpecError
from ..dicom.dictionary import vr_of
from ..dicom.free_text import FREE_TEXT_VRS
from ..text.quoting import quoted
from ..text.safe_names import safe_component
from .templates import HIDING, SELF_SOURCE, Directive, TagText, Template, parse_template

if TYPE_CHECKING:
    from .rules import RuleSet

STEM_KEY = "--outputFileStem"


DIRECTORY_KEY = "--outputDirTemplate"


def stem_of(text: str) -> Template | None:
    """The template of ``--outputFileStem``; None where none is given.

    Raises:
        SpecError: it is none, or means nothing in a file name.
    """
    if not text:
        return None
    template = parse_template(text, STEM_KEY)
    for part in template.parts:
        if isinstance(part, TagText):
            raise SpecError(f"{STEM_KEY}: #tag has no meaning in a file name")
        if isinstance(part, str) and ("/" in part or "\0" in part):
            raise SpecError(f"{STEM_KEY}: {quoted(text)} names a file, so it holds no '/'")
    if any(SELF_SOURCE in (*d.source, *d.seed) for d in template.directives):
        raise SpecError(f"{STEM_KEY}: #tag has no meaning in a file name")
    _check_name(template, STEM_KEY)
    return template


def _check_name(name: Template, flag: str) -> None:
    """Check that a template of names cleans nothing: it would show the text as it is.

    Raises:
        SpecError: it does.
    """
    if name.cleans:
        raise SpecError(f"{flag}: clean has no meaning in a name")


def directories_of(text: str) -> tuple[Template, ...]:
    """The components of a path, each a template: '/' separates them, but not in an argument."""
    if not text:
        return ()
    components: list[list[str | TagText | Directive]] = [[]]
    for part in parse_template(text, DIRECTORY_KEY).parts:
        if isinstance(part, TagText) or (
            isinstance(part, Directive) and SELF_SOURCE in (*part.source, *part.seed)
        ):
            raise SpecError(f"{DIRECTORY_KEY}: #tag has no meaning in the name of a directory")
        pieces: list[str | Directive] = [*part.split("/")] if isinstance(part, str) else [part]
        for index, piece in enumerate(pieces):
            if index:
                components.append([])
            if piece:
                components[-1].append(piece)
    if not components[0]:
        raise SpecError(
            f"{DIRECTORY_KEY}: {quoted(text)} begins with '/', but it names directories below --outputDir"
        )
    return tuple(_component(tuple(parts), text) for parts in components)


def _component(parts: tuple[str | TagText | Directive, ...], text: str) -> Template:
    """One component of a path.

    Raises:
        SpecError: it is empty, or a text that cannot name a directory.
    """
    template = Template(text, parts)
    _check_name(template, DIRECTORY_KEY)
    literal = template.literal
    if not literal and literal is not None:
        raise SpecError(f"{DIRECTORY_KEY}: {quoted(text)} has an empty component ('//' or a '/' at its end)")
    if any(isinstance(part, str) and "\0" in part for part in parts):
        raise SpecError(f"{DIRECTORY_KEY}: {quoted(text)} names directories, so it holds no NUL")
    if literal in {".", ".."}:
        raise SpecError(
            f"{DIRECTORY_KEY}: {quoted(text)} has a component {quoted(literal)}, "
            "which names no directory of its own"
        )
    try:
        if literal is not None:
            safe_component(literal)
    except FileError:
        raise SpecError(
            f"{DIRECTORY_KEY}: {quoted(text)} has a component {quoted(literal or '')}, which cannot be a name"
        ) from None
    return template


def may_quote_replaced(rules: RuleSet) -> bool:
    """Whether the names that a spec gives to outputs may hold what it replaces, so that no record shows them.

    That is so where a name quotes an element that a rule hits, or free text, in which there may be anything.
    Under a spec with conditions any element may be hit.
    """
    return any(
        directive.function not in HIDING and any(_may_be_replaced(tag, rules) for tag in directive.source)
        for template in (*rules.directories, *((rules.stem,) if rules.stem else ()))
        for directive in template.directives
    )


def _may_be_replaced(tag: int, rules: RuleSet) -> bool:
    group = tag >> 16
    if rules.variants is not None or group & 1 or vr_of(tag) in FREE_TEXT_VRS:
        return True
    rule = rules.table.get(tag) or rules.groups.get(group) or rules.meta.get(tag)
    return rule is not None and not rule.keeps
