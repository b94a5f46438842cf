"""What a function of the spec is, and what it is given.

The functions themselves are registered in :mod:`~pfdicom_tagSub.spec.functions`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

from ..core.errors import TableMissError
from ..core.options import LookupMiss
from ..core.spec_parts import SpecPart
from ..text.padding import without_padding

if TYPE_CHECKING:
    from .secret import Secret


class Cleaner(Protocol):
    """Takes the identifiers of one file out of its texts."""

    def clean(self, text: str) -> str:
        """The text without them."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What functions use besides the file; the same for a whole run.

    Attributes:
        secret: the secret key; None without one.
        tables: the tables of ``lookup``: name to original to replacement.
        lookup_miss: what becomes of a value that its table lacks.
        uid_root: what new UIDs begin with; "" for pydicom's root.
        notes_misses: whether values that tables lack are kept until ``taken_misses`` asks for them.
    """

    secret: Secret | None = field(default=None, repr=False)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    lookup_miss: LookupMiss = LookupMiss.FAIL
    uid_root: str = ""
    notes_misses: bool = False
    _by_person: dict[str, dict[str, str]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _misses: list[tuple[str, str]] = field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, table in self.tables.items():
            self._by_person[name] = _by_significance(table)

    def replacement(self, name: str, vr: str, text: str) -> str | None:
        """What a table has for a value, whatever padding either of the two has; None for nothing.

        Args:
            name: the table.
            vr: the VR of the value.
            text: the value.
        """
        table = self.tables.get(name, {})
        for spelling in dict.fromkeys((text, without_padding("", text), without_padding(vr, text))):
            if (found := table.get(spelling)) is not None:
                return found
        return self._by_person.get(name, {}).get(without_padding(vr, text)) if text else None

    def missed(self, name: str, value: str, text: str) -> str:
        """What becomes of a text where a table lacks a value.

        Args:
            name: the table.
            value: what it lacks; "" where there is no such value in the file.
            text: the text that would be replaced.

        Raises:
            TableMissError: its file fails.
        """
        if self.notes_misses and value:
            self._misses.append((name, without_padding("", value)))
        if self.lookup_miss is LookupMiss.FAIL:
            raise TableMissError(name)
        return text if self.lookup_miss is LookupMiss.KEEP else ""

    def noting_all(self) -> Resources:
        """The same for one more look at what a file failed over, which ends at no value that is missing."""
        lenient = replace(self, tables={}, lookup_miss=LookupMiss.EMPTY)
        object.__setattr__(lenient, "tables", self.tables)
        object.__setattr__(lenient, "_by_person", self._by_person)
        object.__setattr__(lenient, "_misses", self._misses)
        return lenient

    def taken_misses(self) -> tuple[tuple[str, str], ...]:
        """(table, value) of what tables lacked since the last time, each once."""
        found = set()
        while self._misses:
            found.add(self._misses.pop())
        return tuple(sorted(found))


def _by_significance(table: Mapping[str, str]) -> dict[str, str]:
    """The rows of a table that have padding, or empty components of a PN, by what is left without it.

    Rows that would be one then, and replace by different texts, are left to their exact spelling.
    """
    found: dict[str, str | None] = {}
    for original, replacement in table.items():
        for vr in ("", "PN"):
            spelling = without_padding(vr, original)
            if spelling != original and found.setdefault(spelling, replacement) != replacement:
                found[spelling] = None
    return {spelling: replacement for spelling, replacement in found.items() if replacement is not None}


NO_RESOURCES = Resources()


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a function on one value.

    Attributes:
        text: the value to transform; "" when it is empty or its element is absent, or
            when its VR holds no text.
        stored: the same value's bytes, see :class:`~pfdicom_tagSub.dicom.values.Value`.
        arguments: the arguments as the spec has them, ``__`` undone.
        seed: the value of the element that an argument names; None when there is none
            or the file lacks it.
        seed_text: all of that element's text without padding; None likewise.
        vr: the VR of the value; "" where it is not known.
        resources: the secret key and the tables.
        cleaner: knows the identifiers of the file; None where nothing is cleaned.
        lossless: the text with bytes kept that have no character, see ``Value``; "" without such bytes.
        target: the VR that the dictionary has for the element hit; "" where there is none.
    """

    text: str
    stored: bytes
    arguments: tuple[str, ...]
    seed: bytes | None = None
    seed_text: str | None = None
    vr: str = ""
    resources: Resources = NO_RESOURCES
    cleaner: Cleaner | None = None
    lossless: str = ""
    target: str = ""

    @property
    def significant(self) -> str:
        """The text without what is padding: values that differ in that alone are one, and no others.

        The functions of 3.1.1 take the text as it is, for studies depend on their results.
        """
        return without_padding(self.vr, self.lossless or self.text)


class SecretUse(Enum):
    """Whether a function uses the secret key; one that is ``USED`` does less without it."""

    NONE = auto()
    USED = auto()
    REQUIRED = auto()


def _no_problem(arguments: tuple[str, ...], resources: Resources) -> str:  # noqa: ARG001
    return ""


@dataclass(frozen=True)
class Origin:
    """Where functions of the user come from; unpickling one loads them (``own_functions``).

    Attributes:
        option: what gave it: ``--functions``, or the group of the entry points.
        name: the path of the file, or the name of the entry point.
        digest: SHA-256 of the file that defines them, hex.
        text: the text of the file; "" for an entry point.
    """

    option: str
    name: str
    digest: str
    text: str = ""

    def part(self, function: str) -> SpecPart:
        """What the record says of a function from here."""
        return SpecPart(self.option, function, self.digest)


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a directive may name.

    Attributes:
        name: how a spec names it.
        usage: how a directive with it looks, for the manual and messages.
        meaning: what it does, for the manual.
        run: the function itself. Raises FileError where the file must not be written.
        check: says what is wrong with the arguments; "" if nothing is.
        seeded: whether its first argument names the element that seeds it.
        find_seed: finds the name of the element that seeds it elsewhere in the arguments; "" for none.
        seeded_on_file: whether that is the element of the whole file, and not the nearest.
        keeps_empty: whether an empty value stays empty without a call.
        secret: whether it uses the secret key.
        find_problem: says what of the resources it misses, and the cure; "" if nothing.
        takes_any: whether its source may be a sequence or hold no text.
        is_whole: whether it is only ever the whole template, on the element hit.
        origin: where a function comes from that is the user's own; None for those of the tool.
        vrs: the VRs of the values that it is for, and fails a file for any other; () for all.
    """

    name: str
    usage: str
    meaning: str
    run: Callable[[Call], str]
    check: Callable[[tuple[str, ...]], str]
    seeded: bool = False
    seeded_on_file: bool = False
    keeps_empty: bool = True
    secret: SecretUse = SecretUse.NONE
    find_problem: Callable[[tuple[str, ...], Resources], str] = _no_problem
    takes_any: bool = False
    is_whole: bool = False
    find_seed: Callable[[tuple[str, ...]], str] | None = None
    origin: Origin | None = None
    vrs: frozenset[str] = frozenset()

    def seed_of(self, arguments: tuple[str, ...]) -> str:
        """The element that arguments name as the seed; "" for none."""
        if self.find_seed is not None:
            return self.find_seed(arguments)
        return arguments[0] if self.seeded and arguments else ""
