"""Functions for texts of any kind: masks, words, patterns, tables, dummies, names."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

from ..core.caches import remembered
from ..core.errors import FileError
from ..text.dummies import NUMBER_BITS, dummy_of
from ..text.quoting import quoted
from .function_types import Call, Resources
from .hash_functions import uid, utf8_of

if TYPE_CHECKING:
    from faker import Faker

NOTHING_LEFT = "REMOVED"
"""What ``clean`` makes of a text of which nothing is left."""


def check_table(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``lookup``."""
    return "" if len(arguments) == 1 and arguments[0] else "it takes the name of one table"


def find_missing_table(arguments: tuple[str, ...], resources: Resources) -> str:
    """What to do about a table that was not given."""
    name = arguments[0]
    if name in resources.tables:
        return ""
    known = f"the tables are {', '.join(resources.tables)}" if resources.tables else "no table is given"
    return f"unknown table {quoted(name)}: {known}; give it with --lookupTable {name}=FILE.csv"


def lookup(call: Call) -> str:
    """What the table has for a value.

    Raises:
        FileError: the table lacks it.
    """
    name = call.arguments[0]
    if not call.significant:
        return ""
    replacement = call.resources.replacement(name, call.vr, call.lossless or call.text)
    if replacement is None:
        return call.resources.missed(name, call.lossless or call.text, call.text)
    return replacement


def mask(call: Call) -> str:
    """A value's text through a mask."""
    return "".join(
        own if sign == "*" else sign for own, sign in zip(call.text, call.arguments[0], strict=False)
    )


def check_mask(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``strmsk``."""
    return "" if len(arguments) == 1 and arguments[0] else "it takes one mask, such as ******01"


def join_words(call: Call) -> str:
    """The words of a value's text, joined."""
    words = re.sub(r"\W+", " ", call.text).split()
    return (call.arguments[0] if call.arguments else "").join(words)


def check_joiner(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``nospc``."""
    return "" if len(arguments) <= 1 else "it takes at most one text to join the words with"


def _split_pattern(arguments: tuple[str, ...]) -> tuple[str, str]:
    """The pattern, in which the sign between arguments may stand, and the replacement."""
    return "|".join(arguments[:-1]), arguments[-1]


def check_pattern(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``regex``."""
    from ..text.patterns import find_problem  # noqa: PLC0415  (for specs with patterns alone)

    if len(arguments) < 2 or not arguments[0]:
        return "it takes a pattern and a replacement"
    problem = find_problem(*_split_pattern(arguments))
    return f"{problem}; in the replacement a | is \\174" if problem and len(arguments) > 2 else problem


def rewrite(call: Call) -> str:
    """A value's text with what the pattern matches replaced.

    Raises:
        FileError: the pattern takes too long, or makes too much.
    """
    from ..text import patterns  # noqa: PLC0415  (for specs with patterns alone)

    try:
        return patterns.rewrite(call.text, *_split_pattern(call.arguments))
    except patterns.PatternError as error:
        raise FileError(f"the function regex failed: {error}") from None


def keep(call: Call) -> str:
    """The text as it is."""
    return call.text


def empty(call: Call) -> str:  # noqa: ARG001
    """No text."""
    return ""


def clean(call: Call) -> str:
    """The cleaned text; a constant where nothing is left, as the element may have to hold something."""
    if call.cleaner is None or not call.text:
        return ""
    return call.cleaner.clean(call.text) or NOTHING_LEFT


def dummy(call: Call) -> str:
    """A text that the VR allows and that is not the original."""
    if call.vr == "UI":
        return uid(call)  # what refers to it has to find it
    secret = call.resources.secret
    number = 0
    is_seeded = bool(call.arguments)
    if secret is not None and (call.seed_text or not is_seeded):
        # What is equal in two patients must not be equal afterwards; no single value holds a backslash.
        seeded = f"{call.seed_text}\\{call.significant}" if is_seeded else call.significant
        digest = secret.digest("dummy", utf8_of(seeded))
        number = int.from_bytes(digest[: NUMBER_BITS // 8], "big")
    return dummy_of(call.vr, call.text, number)


_local = threading.local()


def load_names() -> None:
    """Load what makes names, so that forked workers need not each."""
    _faker()


def _faker() -> Faker:
    """One Faker per thread: an instance is not safe to share, and the global seed less so."""
    if not hasattr(_local, "faker"):
        from .faker_loading import new_faker  # noqa: PLC0415  (only for specs that make names)

        _local.faker = new_faker()
    faker: Faker = _local.faker
    return faker


@remembered(most=4096)
def pseudonym(seed: bytes) -> str:
    """The made-up name of a seed, ``LAST^FIRST^ANON``, as 3.1.1 made it (behaviour-3.1.1 A.5).

    Args:
        seed: the bytes of the seed value; they are read as a little-endian number.
    """
    faker = _faker()
    faker.seed_instance(int.from_bytes(seed, "little"))
    first, last = faker.name().split()[:2]
    return f"{last.upper()}^{first.upper()}^ANON"


def name(call: Call) -> str:
    """A made-up name, the same for the same seed."""
    return pseudonym(call.stored if call.seed is None else call.seed)


def check_seed(arguments: tuple[str, ...]) -> str:
    """What is wrong with the arguments of ``name`` and ``dummy``."""
    return "" if len(arguments) <= 1 else "it takes at most one element to seed the name with"
