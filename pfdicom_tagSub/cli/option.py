"""What an option of the command line is: one entry of the table of options."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from functools import reduce
from inspect import cleandoc

from ..core.options import Options


class Kind(Enum):
    """What is given with an option."""

    SWITCH = auto()
    """Nothing: it is there or not."""
    TEXT = auto()
    FILE = auto()
    """A path of a file, for the shell to complete."""
    DIRECTORY = auto()
    NUMBER = auto()
    SIZE = auto()
    """A number of bytes, perhaps with K, M, G or T."""
    WORKERS = auto()
    """A number of workers, or ``auto``."""
    CHOICE = auto()
    """One of the ``choices``."""
    PAGE = auto()
    """Nothing: it prints a page and ends the command."""


class Group(Enum):
    """The groups of ``--help``; the value is the heading, "" for argparse's own."""

    TREE = ""
    SPEC = "the spec (--profile, or one of --tagStruct, --tagFile, --tagInfo, or both)"
    OPERATION = "trust and operation"


class Need(Enum):
    """Whether a command line needs an option."""

    NO = auto()
    ALWAYS = auto()
    SPEC = auto()
    """It is the spec or may take its place."""
    ONE_SPEC = auto()
    """It is the spec, and excludes the others of this kind."""


class Repeat(Enum):
    """What an option does that is given twice."""

    REFUSED = auto()
    ADDS_UP = auto()
    """Both count; its field is a tuple."""
    LAST_COUNTS = auto()
    """The last one counts: nothing that is written depends on it."""


class Shown(Enum):
    """What the report says of an option that was given."""

    VALUE = auto()
    PATH = auto()
    """Its absolute path."""
    NAME = auto()
    """What stands before the ``=``."""
    HIDDEN = auto()
    """That it was given."""
    NO = auto()
    """Nothing: it changes no output."""


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option; the parser, the manual, the documentation and the report are made from these.

    Attributes:
        name: the long flag without its dashes.
        field: where its value is in :class:`Options`, such as ``tree.threads``; "" for pages.
        kind: what is given with it.
        help: the line of ``--help``.
        manual: the text of the manual; None takes pftree's.
        value: how the manual calls what is given with it, such as ``<file>``; "" for nothing, or
            for choices.
        metavar: how ``--help`` calls it; "" for the same in capitals.
        choices: what may be given with it, where that is a list.
        default: what counts where it is not given.
        short: the flag of one letter; "" for none.
        aliases: other long flags.
        group: where it stands in ``--help``.
        need: whether a command line needs it.
        repeat: what it does when it is given twice.
        joined: how to give more than one of it at once; "" where that cannot be.
        shown: what the report says of it.
        refines: the option without which it has no effect; "" for none.
        identifies_outputs: whether outputs depend on it in a way that the rules and the key do
            not tell: the ledger does a file again where it differs.
    """

    name: str
    kind: Kind
    help: str
    manual: str | None
    field: str = ""
    value: str = ""
    metavar: str = ""
    choices: tuple[str, ...] = ()
    default: str | int | None = ""
    short: str = ""
    aliases: tuple[str, ...] = ()
    group: Group = Group.TREE
    need: Need = Need.NO
    repeat: Repeat = Repeat.REFUSED
    joined: str = ""
    shown: Shown = Shown.VALUE
    refines: str = ""
    identifies_outputs: bool = False

    @property
    def is_own(self) -> bool:
        """Whether it is an option of this command, not one of pftree's."""
        return bool(self.field) and not self.field.startswith("tree.")

    @property
    def flag(self) -> str:
        """The flag that messages use."""
        return f"--{self.name}"

    @property
    def flags(self) -> tuple[str, ...]:
        """All flags, the short one first."""
        return (*([self.short] if self.short else []), self.flag, *self.aliases)

    @property
    def takes(self) -> str:
        """What is given with it, as the manual writes it; "" for nothing."""
        return self.value or "|".join(self.choices)

    @property
    def placeholder(self) -> str:
        """What is given with it, as ``--help`` writes it: ``FILE``; "" for nothing, or for choices."""
        return self.metavar or re.sub(r"<([^>]*)>", lambda match: match[1].upper(), self.value)

    @property
    def syntax(self) -> str:
        """How to write it, with all its flags: ``[-F|--tagFile <file>]``."""
        text = f"{'|'.join(self.flags)} {self.takes}".rstrip()
        return text if self.need is Need.ALWAYS else f"[{text}]"

    @property
    def short_syntax(self) -> str:
        """The same with one flag, as the synopsis has it: without brackets where it may be the spec."""
        text = f"{self.flag} {self.takes}".rstrip()
        return f"[{text}]" if self.need is Need.NO else text

    @property
    def text(self) -> str | None:
        """The text of the manual without indentation; None where it is pftree's."""
        return None if self.manual is None else cleandoc(self.manual)

    def of(self, options: Options) -> object:
        """Its value in the options of a command line."""
        return reduce(getattr, self.field.split("."), options)


def named(options: Iterable[Option]) -> dict[str, Option]:
    """Options by their names."""
    return {option.name: option for option in options}
