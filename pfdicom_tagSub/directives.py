"""The templates of a spec: their grammar, and one registered function per directive.

    template  := ( text | "#tag" | directive | "%%" )*
    directive := "%" [ "_" function ( "|" argument )* "_" ] source
    source    := keyword | "#tag"

A ``_`` inside an argument is written ``__``. To add a function, write one that takes a
:class:`Call` and register it with the check of its arguments; the manual and the error
messages follow from the registry.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from . import dictionary
from .models import SpecError
from .values import NO_VALUE, Value

if TYPE_CHECKING:
    from faker import Faker

SELF_SOURCE = 0
"""The source ``#tag``: the element that the rule hits, whichever it is."""


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a function on one value.

    Attributes:
        text: the value to transform; "" when it is empty or its element is absent.
        stored: the same value's bytes, see :class:`~pfdicom_tagSub.values.Value`.
        arguments: the arguments as the spec has them, ``__`` undone.
        seed: the value of the element that an argument names; None when there is none
            or the file lacks it.
    """

    text: str
    stored: bytes
    arguments: tuple[str, ...]
    seed: bytes | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a directive may name.

    Attributes:
        name: how a spec names it.
        usage: how a directive with it looks, for the manual and messages.
        meaning: one sentence for the manual.
        run: the function itself.
        check: says what is wrong with the arguments; "" if nothing is.
        seeded: whether its first argument names the element that seeds it.
        keeps_empty: whether an empty value stays empty without a call.
    """

    name: str
    usage: str
    meaning: str
    run: Callable[[Call], str]
    check: Callable[[tuple[str, ...]], str]
    seeded: bool = False
    keeps_empty: bool = True


def _md5(call: Call) -> str:
    digest = hashlib.md5(call.text.encode("utf-8", "surrogateescape"), usedforsecurity=False).hexdigest()
    return digest[: int(call.arguments[0])] if call.arguments else digest


def _check_digits(arguments: tuple[str, ...], most: int = 32) -> str:
    numbers = {str(number) for number in range(1, most + 1)}
    fits = not arguments or (len(arguments) == 1 and arguments[0].lstrip("0") in numbers)
    return "" if fits else f"it takes one number from 1 to {most}"


def _mask(call: Call) -> str:
    return "".join(
        own if mask == "*" else mask for own, mask in zip(call.text, call.arguments[0], strict=False)
    )


def _check_mask(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) == 1 and arguments[0] else "it takes one mask, such as ******01"


def _join_words(call: Call) -> str:
    words = re.sub(r"\W+", " ", call.text).split()
    return (call.arguments[0] if call.arguments else "").join(words)


def _check_joiner(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) <= 1 else "it takes at most one text to join the words with"


_local = threading.local()


def _faker() -> Faker:
    """One Faker per thread: an instance is not safe to share, and the global seed less so."""
    if not hasattr(_local, "faker"):
        from faker import Faker  # noqa: PLC0415  (slow: only for specs that make names)

        # With its names alone it is made at once; all its providers take a while.
        _local.faker = Faker("en_US", providers=["faker.providers.person"])
    faker: Faker = _local.faker
    return faker


def prepare(templates: Iterable[Template]) -> None:
    """Load what the functions of templates need, so that forked workers need not each."""
    if any(directive.function == "name" for template in templates for directive in template.directives):
        _faker()


@lru_cache(maxsize=4096)
def pseudonym(seed: bytes) -> str:
    """The made-up name of a seed, ``LAST^FIRST^ANON``, as 3.1.1 made it (behaviour-3.1.1 A.5).

    Args:
        seed: the bytes of the seed value; they are read as a little-endian number.
    """
    faker = _faker()
    faker.seed_instance(int.from_bytes(seed, "little"))
    first, last = faker.name().split()[:2]
    return f"{last.upper()}^{first.upper()}^ANON"


def _name(call: Call) -> str:
    return pseudonym(call.stored if call.seed is None else call.seed)


def _check_seed(arguments: tuple[str, ...]) -> str:
    return "" if len(arguments) <= 1 else "it takes at most one element to seed the name with"


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function(
            "md5",
            "%_md5|n_Tag",
            "the first n hex digits of the MD5 of the value's text in UTF-8; all 32 without |n",
            _md5,
            _check_digits,
        ),
        Function(
            "strmsk",
            "%_strmsk|mask_Tag",
            "the value through a mask: each * keeps the character at its place, any other character "
            "replaces it; the result is as long as the shorter of the two",
            _mask,
            _check_mask,
        ),
        Function(
            "nospc",
            "%_nospc|c_Tag",
            "the words of the value joined with c (with nothing without |c); a word is a run of letters, "
            "digits and underscores",
            _join_words,
            _check_joiner,
        ),
        Function(
            "name",
            "%_name|seedTag_Tag",
            "a made-up name, LAST^FIRST^ANON, the same for the same value of the element seedTag, whose "
            "first letter is written small (patientID); seeded on the value of Tag itself without "
            "|seedTag or where the file lacks that element",
            _name,
            _check_seed,
            seeded=True,
            keeps_empty=False,
        ),
    )
}


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

    def evaluate(self, value: Value, seed: Value | None, index: int) -> str:
        """The result for the value at ``index``; a single value serves every index.

        Args:
            value: the source's value.
            seed: the seed's value; None where there is none.
            index: which of several values is asked for.
        """
        text, stored = _at(value, index)
        if not self.function:
            return text
        function = FUNCTIONS[self.function]
        if function.keeps_empty and not text:
            return ""
        seed_bytes = None if seed is None else _at(seed, index)[1]
        return function.run(Call(text, stored, self.arguments, seed_bytes))


def _at(value: Value, index: int) -> tuple[str, bytes]:
    count = len(value.texts)
    if count == 0:
        return "", b""
    place = index if count > 1 else 0
    return (value.texts[place], value.stored[place]) if place < count else ("", b"")


@dataclass(frozen=True, slots=True)
class TagText:
    """A ``#tag`` by itself: it becomes the keyword of the element hit."""


@dataclass(frozen=True, slots=True)
class Template:
    """A value of a spec, parsed.

    Attributes:
        text: the value as the spec has it.
        parts: plain texts, ``#tag`` and directives, in order.
    """

    text: str
    parts: tuple[str | TagText | Directive, ...]

    @property
    def directives(self) -> tuple[Directive, ...]:
        """The directives among the parts."""
        return tuple(part for part in self.parts if isinstance(part, Directive))

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

    def evaluate(self, tag: int, values: Callable[[tuple[int, ...]], Value | None]) -> tuple[str, ...]:
        """The texts to write, one per value.

        Args:
            tag: the element hit.
            values: looks a source up; None where the file lacks it.

        Returns:
            As many texts as the source with the most values has; at least one.
        """
        own = (tag,)
        found: list[tuple[Value, Value | None]] = []
        for directive in self.directives:
            value = values(own if directive.source == (SELF_SOURCE,) else directive.source) or NO_VALUE
            seed_tags = own if directive.seed == (SELF_SOURCE,) else directive.seed
            found.append((value, values(seed_tags) if seed_tags else None))
        count = max((len(value.texts) for value, _ in found), default=1)
        results = []
        for index in range(max(count, 1)):
            pairs = iter(found)
            text = ""
            for part in self.parts:
                if isinstance(part, Directive):
                    text += part.evaluate(*next(pairs), index)
                else:
                    text += part if isinstance(part, str) else dictionary.label_of(tag)
            results.append(text)
        return tuple(results)


_FUNCTION = re.compile(r"%_([A-Za-z]\w*?)((?:\|(?:__|[^_|])*)*)_(?=[A-Za-z#])")
_UNFINISHED = re.compile(r"%_[A-Za-z][A-Za-z0-9]*[|_]")
_KEYWORD_LIKE = re.compile(r"[A-Z][A-Za-z0-9]{2,}")


def parse_template(text: str, key: str) -> Template:
    """Parse a value of a spec.

    Args:
        text: the template.
        key: the key it belongs to, for messages.

    Raises:
        SpecError: an unknown function, a wrong argument, an unknown source.
    """
    parts: list[str | TagText | Directive] = []
    plain = ""
    position = 0
    while position < len(text):
        rest = text[position:]
        if rest.startswith("%%"):
            plain, position = plain + "%", position + 2
            continue
        part: TagText | Directive | None = None
        length = 1
        if rest.startswith("#tag"):
            part, length = TagText(), len("#tag")
        elif rest.startswith("%"):
            part, length = _parse_directive(rest, key)
        if part is None:
            plain += rest[:length]
        else:
            if plain:
                parts.append(plain)
            plain = ""
            parts.append(part)
        position += length
    if plain or not parts:
        parts.append(plain)
    return Template(text, tuple(parts))


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
    function = FUNCTIONS.get(name)
    if function is None:
        near = difflib.get_close_matches(name, FUNCTIONS, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the functions are {', '.join(FUNCTIONS)}"
        raise SpecError(f"{key}: unknown function {name!r} in {match[0]!r}; {hint}")
    arguments = tuple(argument.replace("__", "_") for argument in match[2].split("|")[1:])
    if problem := function.check(arguments):
        raise SpecError(f"{key}: wrong argument of {name} in {match[0]!r}: {problem} ({function.usage})")
    source, length = _parse_source(rest[match.end() :], key)
    if not source:
        word = re.match(r"#?\w*", rest[match.end() :])
        written = word[0] if word else ""
        raise SpecError(f"{key}: {_unknown(written)} in {match[0] + written!r}")
    seed = _parse_seed(arguments, key) if function.seeded and arguments and arguments[0] else ()
    return Directive(source, name, arguments, seed), match.end() + length


def _usage_of(name: str) -> str:
    function = FUNCTIONS.get(name)
    return function.usage if function else "%_function|argument_Tag"


def _unknown(word: str) -> str:
    near = dictionary.nearest_keyword(word)
    return f"unknown keyword {word!r}" + (f", did you mean {near}?" if near else "")


def _parse_source(text: str, key: str) -> tuple[tuple[int, ...], int]:
    """The source that a text begins with, and its length; (), 0 where it begins with none."""
    if text.startswith("#tag"):
        return (SELF_SOURCE,), len("#tag")
    keyword = dictionary.leading_keyword(text)
    if not keyword:
        word = _KEYWORD_LIKE.match(text)
        if word and dictionary.nearest_keyword(word[0]):
            raise SpecError(f"{key}: {_unknown(word[0])} (a percent sign before a word is written %%)")
        return (), 0
    return _checked_source(keyword, key), len(keyword)


def _parse_seed(arguments: tuple[str, ...], key: str) -> tuple[int, ...]:
    """The seed element: its keyword with the first letter small (or as the standard spells it)."""
    written = arguments[0]
    if written == "#tag":
        return (SELF_SOURCE,)
    for keyword in (written, written[:1].upper() + written[1:]):
        if dictionary.is_keyword(keyword):
            return _checked_source(keyword, key)
    raise SpecError(f"{key}: {_unknown(written[:1].upper() + written[1:])} as the seed of a name")


def _checked_source(keyword: str, key: str) -> tuple[int, ...]:
    tags = dictionary.tags_of(keyword)
    vr = dictionary.vr_of(tags[0])
    if vr == "SQ" or vr.startswith("O"):
        raise SpecError(f"{key}: {keyword} has no text to build a value from (its VR is {vr})")
    return tags
