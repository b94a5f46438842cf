"""The argparse front end, made from the table of options: a command line to :class:`Options`.

The options that pftree has, too, have its names and defaults.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from typing import Any, NoReturn

from pftree import ManualAction, TreeOptions, manual_attach

from .._version import COMMAND, __version__
from ..core.errors import ExitCode
from ..core.options import Options
from ..text.printable import visible
from ..text.quoting import quoted, shortened
from .argument_checks import find_argument_problem
from .manual import build_manual
from .option import Group, Kind, Option, Repeat
from .option_table import BY_NAME, OPTIONS
from .pager import PagedManual


class UsageExit(SystemExit):
    """A command line that cannot be worked on; it has been reported on stderr.

    Attributes:
        message: what is wrong and how to cure it.
    """

    def __init__(self, message: str) -> None:
        super().__init__(int(ExitCode.USAGE))
        self.message = message


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Report a usage error in one line below the usage, and end the command.

        Raises:
            UsageExit: always; its code is 2.
        """
        message = _LONG.sub(lambda word: shortened(word[0]), message)  # as argparse quotes it
        if sys.stderr is not None:
            with suppress(OSError, ValueError):
                sys.stderr.write(f"{self.format_usage()}{COMMAND}: error: {visible(message)}\n")
        raise UsageExit(message)


_LONG = re.compile(r"\S{200,}")


class _Given(argparse.Namespace):
    """The options of a command line, which notes the first that is given twice.

    argparse would take the last value and drop the others without a word.
    """

    def __init__(self, defaults: Mapping[str, object]) -> None:
        """Args:
        defaults: of all options; they do not count as given.
        """
        super().__init__()
        self.__dict__["defaults"] = defaults
        self.__dict__["twice"] = None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["defaults"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        own = vars(self)
        is_switch = isinstance(value, bool)
        if name in own and not is_switch and BY_NAME[name].repeat is Repeat.REFUSED and own["twice"] is None:
            own["twice"] = (name, own[name], value)
        own[name] = value


def _find_given_twice(given: _Given) -> str:
    """What to say of an option that was given twice, with both values; "" where none was."""
    if given.twice is None:
        return ""
    name, first, second = given.twice
    option = BY_NAME[name]
    cure = f" ({option.joined})" if option.joined else ""
    values = f"as {quoted(str(first))} and as {quoted(str(second))}"
    return f"{'/'.join(option.flags)} is given twice, {values}; give it once{cure}"


_NEVER_EMPTY = frozenset(
    {
        "assumeCharacterSet",
        "cleanPixels",
        "crosswalk",
        "dask",
        "filesFrom",
        "holdDir",
        "importMasks",
        "importRules",
        "keyFile",
        "ledger",
        "log",
        "lookupMissing",
        "outputDirTemplate",
        "outputFileStem",
        "outputLeafDir",
        "pixelMasks",
        "profile",
        "reviewSheet",
        "uidRoot",
        "where",
    }
)
"""Options that an empty value would quietly switch off, mostly that of a variable nobody has set."""


def _find_given_empty(given: _Given) -> str:
    """What to say of an option that was given without a value; "" where none was."""
    for name, value in vars(given).items():
        if value == "" and name in _NEVER_EMPTY:
            return f"{BY_NAME[name].flag} is given and empty; give a value, or leave the option out"
    return ""


def build_parser() -> argparse.ArgumentParser:
    """The whole parser, the manual attached."""
    parser = _Parser(
        prog=COMMAND,
        description="Replace the values of DICOM elements over a tree of files, leaving every other "
        "byte alone. Full manual: %(prog)s --man",
        epilog="%(prog)s IN OUT ... is short for --inputDir IN --outputDir OUT.\n"
        "Filter tokens: substring, 'glob:<pattern>', 're:<regex>', each negatable with a leading '!'.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
    )
    groups = {group: parser.add_argument_group(group.value) if group.value else parser for group in Group}
    for option in OPTIONS:
        groups[option.group].add_argument(
            *option.flags, dest=option.name, help=option.help.replace("%", "%%"), **_details(option)
        )
    manual_attach(parser, build_manual())
    return parser


def _details(option: Option) -> dict[str, Any]:
    """What argparse is told of an option besides its flags and its help."""
    match option.kind:
        case Kind.PAGE:
            return _PAGES[option.name]
        case Kind.SWITCH:
            return {"action": "store_true"}
        case Kind.CHOICE:
            return {"choices": [str(choice) for choice in option.choices], "default": option.default}
    details: dict[str, Any] = {"metavar": option.placeholder, "default": option.default}
    if option.repeat is Repeat.ADDS_UP:
        details |= {"action": "append", "default": []}
    if option.kind in _TYPES:
        details["type"] = _TYPES[option.kind]
    return details


def parse(argv: Sequence[str] | None) -> Options:
    """Read a command line.

    Args:
        argv: the arguments without the program's name; None reads ``sys.argv``.

    Returns:
        The options, checked as far as they can be without opening any file.

    Raises:
        UsageExit: bad usage (a SystemExit of code 2, reported on stderr).
        SystemExit: of code 0, after ``--help``, ``--man``, ``--synopsis`` or ``--version``.
    """
    parser = build_parser()
    args = _parse_once(parser, argv)
    if problem := find_argument_problem(args):
        parser.error(problem)
    if args.quiet:
        args.verbosity = 0
    try:
        tree = TreeOptions.fromDict(vars(args))
    except ValueError as error:
        parser.error(str(error))
    return Options(tree=tree, **{option.field: _value(option, args) for option in OPTIONS if option.is_own})


def _value(option: Option, args: argparse.Namespace) -> Any:
    """The value of a field of :class:`Options`."""
    value = getattr(args, option.name)
    if option.repeat is Repeat.ADDS_UP:
        return tuple(value)
    if option.kind is Kind.CHOICE:
        return next(choice for choice in option.choices if choice == value)
    return value


def _parse_once(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse a command line in which no option may be given twice.

    Raises:
        UsageExit: bad usage.
        SystemExit: as of ``parse``.
    """
    defaults = vars(parser.parse_args([]))
    parser.set_defaults(**dict.fromkeys(defaults, argparse.SUPPRESS))  # what is set is given
    given, others = parser.parse_known_args(argv, namespace=_Given(defaults))
    problem = (
        _find_unknown(others)
        or _find_given_twice(given)
        or _find_given_empty(given)
        or _assign_directories(others, given)
    )
    if problem:
        parser.error(problem)
    return argparse.Namespace(**{name: getattr(given, name) for name in defaults})


_TREES = ("inputDir", "outputDir")
"""What arguments without a flag name, in their order."""


def _find_unknown(others: Sequence[str]) -> str:
    """What to say of the first of the words left over that looks like an option; "" where none does."""
    flags = {flag for option in OPTIONS for flag in option.flags if flag.startswith("--")}
    spellings = {_normalized(flag): flag for flag in sorted(flags, reverse=True)}
    for word in others:
        if word == "--":
            return ""
        if word.startswith("-") and len(word) > 1:
            name = word.partition("=")[0]
            near = get_close_matches(_normalized(name), spellings, n=1, cutoff=0.75)
            hint = f"did you mean {spellings[near[0]]}?" if near else "--help lists the options"
            return f"unrecognized arguments: {shortened(name)}; {hint}"
    return ""


def _normalized(flag: str) -> str:
    """An option without what people spell differently: --dry-run, --dry_run and --dryrun are one."""
    return flag.lower().replace("-", "").replace("_", "")


def _assign_directories(others: Sequence[str], given: argparse.Namespace) -> str:
    """Take the words without a flag for the directories that no flag names.

    Returns:
        What is wrong with them; "" if nothing is.
    """
    words = [word for word in others if word != "--"]
    free = [name for name in _TREES if not getattr(given, name)]
    if len(words) > len(free):
        what = "both directories are named by flags" if not free else "two directories can be, IN and OUT"
        return f"unrecognized arguments: {quoted(words[len(free)])} belongs to no option; {what}"
    for name, word in zip(free, words, strict=False):
        setattr(given, name, word)
    return ""


AUTOMATIC = "auto"


def _workers(text: str) -> int:
    """How many workers ``--threads`` asks for; ``auto`` is one for each CPU, none where there is one."""
    if text != AUTOMATIC:
        try:
            return int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(
                f"{quoted(text)} is no number: give the number of workers, 0 for none, or {AUTOMATIC}"
            ) from None
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return count if count > 1 else 0


def _size(text: str) -> int:
    """A number of bytes, such as ``500M`` or ``8G``, or one that is no size."""
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is no size: give bytes, or a number with K, M, G or T"
        )
    return int(found[1]) << 10 * " KMGT".index(found[2].upper() or " ")


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is no number") from None


_TYPES: dict[Kind, Callable[[str], object]] = {Kind.NUMBER: _number, Kind.SIZE: _size, Kind.WORKERS: _workers}

_PAGES: dict[str, dict[str, Any]] = {
    "man": {"action": PagedManual},
    "synopsis": {"action": ManualAction},
    "version": {"action": "version", "version": f"{COMMAND} {__version__}"},
    "help": {"action": "help"},
}
