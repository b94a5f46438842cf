"""The templates of a spec: their grammar, and how they are evaluated.

    template  := ( text | "#tag" | directive | "%%" )*
    directive := "%" [ "_" function ( "|" argument )* "_" ] source
    source    := keyword | "#tag"

A ``_`` inside an argument is written ``__``. The functions are those of
:mod:`~pfdicom_tagSub.spec.functions`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from ..core.errors import SpecError
from ..dicom import dictionary
from ..dicom.values import NO_VALUE, Value
from ..spec import functions
from ..text.padding import without_padding
from ..text.quoting import quoted
from .function_types import NO_RESOURCES, Call, Cleaner, Function, Resources
from .functions import FUNCTIONS

SELF_SOURCE = 0
"""The source ``#tag``: the element that the rule hits, whichever it is."""

HIDING = frozenset({"dummy", "empty", "hmac", "lookup", "md5", "name", "sha256", "uid"})
"""Functions whose results hold no part of an original."""


def prepare(templates: Iterable[Template]) -> None:
    """Load what the functions of templates need, so that forked workers need not each."""
    functions.prepare(frozenset().union(*(template.functions for template in templates)))


@dataclass(frozen=True, slots=True)
class Directive:
    """One ``%`` of a template.

    Attributes:
        source: the tags that may hold its value (more than one for a repeating group);
            (SELF_SOURCE,) for ``#tag``.
        function: the name of its function; "" for the value itself.
        arguments: the function's arguments.
        seed: the tags that may hold its seed; () without one.
    """

    source: tuple[int, ...]
    function: str = ""
    arguments: tuple[str, ...] = ()
    seed: tuple[int, ...] = ()

    @property
    def seeded_on_file(self) -> bool:
        """Whether the seed is that of the whole file, wherever the element hit is."""
        return bool(self.function) and FUNCTIONS[self.function].seeded_on_file and self.seed != (SELF_SOURCE,)

    def evaluate(
        self,
        value: Value,
        seed: Value | None,
        index: int,
        resources: Resources = NO_RESOURCES,
        cleaner: Cleaner | None = None,
        tag: int = 0,
    ) -> str:
        """The result for the value at ``index``; a single value serves every index.

        Args:
            value: the source's value.
            seed: the seed's value; None where there is none.
            index: which of several values is asked for.
            resources: what functions use besides the file.
            cleaner: knows the identifiers of the file.
            tag: the element hit.

        Raises:
            FileError: the function cannot give a result, and the file must not be written.
        """
        text, stored = _at(value, index)
        if not self.function:
            return text
        function = FUNCTIONS[self.function]
        if function.keeps_empty and not text and not (function.takes_any and value.is_opaque):
            return ""
        seed_bytes, seed_text = None, None
        if seed is not None:
            # A name goes with the value at its place, a shift with the whole element: the
            # dates of one element are to stay as far apart as they are.
            seed_bytes = _at(seed, index)[1]
            texts = seed.lossless or seed.texts
            seed_text = "\\".join(without_padding(seed.vr, one) for one in texts).rstrip("\\")
        return function.run(
            Call(
                text,
                stored,
                self.arguments,
                seed_bytes,
                seed_text,
                value.vr,
                resources,
                cleaner,
                _lossless_at(value, index),
                dictionary.vr_of(tag) if self.function == "datepart" else "",
            )
        )


def _at(value: Value, index: int) -> tuple[str, bytes]:
    count = len(value.texts)
    if count == 0:
        return "", b""
    place = index if count > 1 else 0
    return (value.texts[place], value.stored[place]) if place < count else ("", b"")


def _lossless_at(value: Value, index: int) -> str:
    if len(value.lossless) in (0, 1) or len(value.lossless) != len(value.texts):
        return "\\".join(value.lossless)  # its bytes may be divided elsewhere than its characters
    return value.lossless[index] if index < len(value.lossless) else ""


@dataclass(frozen=True, slots=True)
class TagText:
    """A ``#tag`` by itself: it becomes the keyword of the element hit."""


@dataclass(frozen=True, slots=True)
class Template:
    """A value of a spec, parsed.

    Attributes:
        text: the value as the spec has it.
        parts: plain texts, ``#tag`` and directives, in order.
        directives: the directives among the parts.
        functions: the names of their functions.
        keeps: whether it leaves the element alone.
        empties: whether it empties the element and never inserts it.
        cleans: whether it needs the cleaner of the file.
    """

    text: str
    parts: tuple[str | TagText | Directive, ...]
    directives: tuple[Directive, ...] = field(init=False, repr=False, compare=False)
    functions: frozenset[str] = field(init=False, repr=False, compare=False)
    keeps: bool = field(init=False, repr=False, compare=False)
    empties: bool = field(init=False, repr=False, compare=False)
    cleans: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        directives = tuple(part for part in self.parts if isinstance(part, Directive))
        names = frozenset(directive.function for directive in directives if directive.function)
        object.__setattr__(self, "directives", directives)
        object.__setattr__(self, "functions", names)
        object.__setattr__(self, "keeps", "keep" in names)
        object.__setattr__(self, "empties", "empty" in names)
        object.__setattr__(self, "cleans", "clean" in names)

    def cleans_only(self, tag: int) -> bool:
        """Whether it is ``%_clean_`` of the element hit and nothing else."""
        if len(self.parts) != 1 or not self.cleans:
            return False
        source = self.directives[0].source
        return source == (SELF_SOURCE,) or tag in source

    @property
    def is_constant(self) -> bool:
        """Whether the result does not depend on the file."""
        return not self.directives

    @property
    def literal(self) -> str | None:
        """The text of a template that has neither a directive nor ``#tag``; else None."""
        if all(isinstance(part, str) for part in self.parts):
            return "".join(part for part in self.parts if isinstance(part, str))
        return None

    def find_problem(self, resources: Resources) -> str:
        """What of the resources its functions miss, and the cure; "" if nothing."""
        for directive in self.directives:
            if directive.function:
                function = FUNCTIONS[directive.function]
                if problem := function.find_problem(directive.arguments, resources):
                    return f"{function.usage}: {problem}"
        return ""

    def evaluate(
        self,
        tag: int,
        values: Callable[[tuple[int, ...]], Value | None],
        resources: Resources = NO_RESOURCES,
        cleaner: Cleaner | None = None,
        file_values: Callable[[tuple[int, ...]], Value | None] | None = None,
    ) -> tuple[str, ...]:
        """The texts to write, one per value.

        Args:
            tag: the element hit.
            values: looks a source up; None where the file lacks it.
            file_values: looks a seed up that is of the whole file; ``values`` without one.
            resources: the secret key and the tables.
            cleaner: knows the identifiers of the file; without one a text to be cleaned
                is emptied.

        Returns:
            As many texts as the source with the most values has; at least one.

        Raises:
            FileError: a function cannot give a result, and the file must not be written.
        """
        own = (tag,)
        found: list[tuple[Value, Value | None]] = []
        for directive in self.directives:
            value = values(own if directive.source == (SELF_SOURCE,) else directive.source) or NO_VALUE
            seed_tags = own if directive.seed == (SELF_SOURCE,) else directive.seed
            look_up = file_values if file_values and directive.seeded_on_file else values
            found.append((value, look_up(seed_tags) if seed_tags else None))
        count = max((len(value.texts) for value, _ in found), default=1)
        results = []
        for index in range(max(count, 1)):
            pairs = iter(found)
            text = ""
            for part in self.parts:
                if isinstance(part, Directive):
                    text += part.evaluate(*next(pairs), index, resources, cleaner, tag)
                else:
                    text += part if isinstance(part, str) else dictionary.label_of(tag)
            results.append(text)
        return tuple(results)


_FUNCTION = re.compile(r"%_([A-Za-z]\w*?)((?:\|(?:__|[^_|])*)*)_(?=[A-Za-z#])")
_UNFINISHED = re.compile(r"%_[A-Za-z][A-Za-z0-9]*[|_]")
_TAG = re.compile(r"\(?\s*([0-9A-Fa-f]{4})\s*,?\s*([0-9A-Fa-f]{4})\s*\)?")
_MARK = re.compile(r"%|#tag")
_KEYWORD_LIKE = re.compile(r"[A-Z][A-Za-z0-9]{2,}")


def parse_template(text: str, key: str) -> Template:
    """Parse a value of a spec.

    Args:
        text: the template.
        key: the key it belongs to, for messages.

    Raises:
        SpecError: an unknown function, a wrong argument, an unknown source, or more than
            a function that has to stand alone.
    """
    parts: list[str | TagText | Directive] = []
    for part, _ in pieces_of(text, key):
        if isinstance(part, str) and parts and isinstance(parts[-1], str):
            parts[-1] += part
        else:
            parts.append(part)
    if not parts:
        parts.append("")
    template = Template(text, tuple(parts))
    if len(parts) > 1:
        for name in sorted(template.functions):
            if FUNCTIONS[name].is_whole:
                usage = FUNCTIONS[name].usage
                raise SpecError(f"{key}: {name} stands alone, as {usage}, but the value is {quoted(text)}")
    return template


def pieces_of(text: str, key: str) -> Iterator[tuple[str | TagText | Directive, str]]:
    """The pieces of a value of a spec in their order, each with how it is written.

    Args, Raises: as of ``parse_template``. Plain text comes in any number of pieces; that of an
    escaped percent sign is written as two.
    """
    position = 0
    while position < len(text):
        part: str | TagText | Directive | None = None
        length = 1
        if text.startswith("%%", position):
            part, length = "%", 2
        elif text.startswith("#tag", position):
            part, length = TagText(), len("#tag")
        elif text.startswith("%", position):
            part, length = _parse_directive(text[position:], key)
        else:
            length = _next_mark(text, position) - position
            part = text[position : position + length]
        written = text[position : position + length]
        yield (written if part is None else part), written
        position += length


def _next_mark(text: str, position: int) -> int:
    """Where plain text ends."""
    found = _MARK.search(text, position + 1)
    return found.start() if found else len(text)


def _parse_directive(rest: str, key: str) -> tuple[Directive | None, int]:
    """The directive that a text beginning with ``%`` starts with, and its length.

    Returns:
        None, 1 where the ``%`` is plain text.
    """
    match = _FUNCTION.match(rest)
    if match is None:
        if unfinished := _UNFINISHED.match(rest):
            raise SpecError(
                f"{key}: the directive that begins {rest[:24]!r} has no source; "
                f"write it as {_usage_of(unfinished[0][2:-1])}"
            )
        source, length = _parse_source(rest[1:], key)
        return (Directive(source), 1 + length) if source else (None, 1)
    name = match[1]
    function = FUNCTIONS.get(name) or _installed(name)
    if function is None:
        near = difflib.get_close_matches(name.lower(), FUNCTIONS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the functions are {', '.join(FUNCTIONS)}"
        raise SpecError(f"{key}: unknown function {quoted(name)} in {quoted(match[0])}; {hint}")
    arguments = tuple(argument.replace("__", "_") for argument in match[2].split("|")[1:])
    if problem := function.check(arguments):
        raise SpecError(
            f"{key}: wrong argument of {name} in {quoted(match[0])}: {problem} ({function.usage})"
        )
    source, length = _parse_source(rest[match.end() :], key, takes_any=function.takes_any)
    if not source:
        word = re.match(r"#?\w*", rest[match.end() :])
        written = word[0] if word else ""
        raise SpecError(f"{key}: {_unknown(written)} in {quoted(match[0] + written)}")
    if function.is_whole and source != (SELF_SOURCE,):
        if source != _own_tags(key):
            raise SpecError(f"{key}: {name} works on the element hit; write it as {function.usage}")
        source = (SELF_SOURCE,)
    seed_name = function.seed_of(arguments)
    seed = _parse_seed(seed_name, key, name) if seed_name else ()
    return Directive(source, name, arguments, seed), match.end() + length


def _installed(name: str) -> Function | None:
    """A function of an installed package; None where there is none of this name."""
    from .own_functions import load_entry_point  # noqa: PLC0415  (for names that the tool does not know)

    return load_entry_point(name)


def _own_tags(key: str) -> tuple[int, ...]:
    """The tags that a key names by keyword or number; () where it is of another form."""
    match = _TAG.fullmatch(key)
    return (int(match[1] + match[2], 16),) if match else dictionary.tags_of(key)


def _usage_of(name: str) -> str:
    function = FUNCTIONS.get(name)
    return function.usage if function else "%_function|argument_Tag"


def _unknown(word: str) -> str:
    near = dictionary.nearest_keyword(word)
    return f"unknown keyword {quoted(word)}" + (f", did you mean {near}?" if near else "")


def _parse_source(text: str, key: str, *, takes_any: bool = False) -> tuple[tuple[int, ...], int]:
    """The source that a text begins with, and its length; (), 0 where it begins with none."""
    if text.startswith("#tag"):
        return (SELF_SOURCE,), len("#tag")
    keyword = dictionary.leading_keyword(text)
    if not keyword:
        word = _KEYWORD_LIKE.match(text)
        if word and dictionary.nearest_keyword(word[0]):
            raise SpecError(f"{key}: {_unknown(word[0])} (a percent sign before a word is written %%)")
        return (), 0
    return dictionary.tags_of(keyword) if takes_any else _text_source(keyword, key), len(keyword)


def _parse_seed(written: str, key: str, name: str) -> tuple[int, ...]:
    """The seed element: its keyword with the first letter small (or as the standard spells it)."""
    if written == "#tag":
        return (SELF_SOURCE,)
    for keyword in (written, written[:1].upper() + written[1:]):
        if dictionary.is_keyword(keyword):
            return _text_source(keyword, key)
    raise SpecError(f"{key}: {_unknown(written[:1].upper() + written[1:])} as the seed of {name}")


def _text_source(keyword: str, key: str) -> tuple[int, ...]:
    tags = dictionary.tags_of(keyword)
    vr = dictionary.vr_of(tags[0])
    if vr == "SQ" or vr.startswith("O"):
        raise SpecError(f"{key}: {keyword} has no text to build a value from (its VR is {vr})")
    return tags
