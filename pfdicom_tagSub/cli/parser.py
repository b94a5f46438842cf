"""The argparse front end, on pftree's parsers: a command line to :class:`Options`."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from typing import Any, NoReturn

from pftree import TreeOptions, manual_attach
from pftree.__main__ import parserCore_build, parserIO_build

from .._version import COMMAND, __version__
from ..core.errors import ExitCode
from ..core.options import Options
from ..text.printable import visible
from ..text.quoting import quoted
from .manual import build_manual
from .pager import PagedManual

# What pftree says of these flags holds for pftree's own command, not for this one.
_HELP = {
    "inputDir": "the directory to read (required)",
    "outputDir": "the directory to write, created if absent (required)",
    "inputFile": "read only the files whose name contains this",
    "outputLeafDir": "template of each output directory's last name; %%s is the input's, e.g. 'anon-%%s'",
    "relativeDir": "accepted as in 3.1.1; the paths in the --json record are always relative",
    "followLinks": "follow symbolic links to files and directories; they are skipped without it",
    "overwrite": "replace existing outputs that differ; without it such a file fails",
    "threads": "how many workers process files at one time; 0, the default, works in line",
    "threadsSplit": "accepted for commands that pass it to all tools of the family; has no effect",
    "verbosity": "0 errors; 1 (default) also warnings, progress, a summary; 2, 3 the plan; 5 every file",
    "json": "print the record of the run as one JSON object",
    "printElapsedTime": "print how long the run took",
}

# What stands for a value in --help, where pftree has the name of the option in capitals.
_METAVARS = {
    "inputDir": "DIR",
    "outputDir": "DIR",
    "maxDepth": "N",
    "inputFile": "TEXT",
    "fileFilter": "TOKENS",
    "dirFilter": "TOKENS",
    "outputLeafDir": "FORMAT",
    "threads": "N",
    "threadsSplit": "LEVEL",
    "verbosity": "LEVEL",
}

# The short flags, most of which 3.1.1's README documents and uses; flag -> what it stands for.
_SHORT_FLAGS = {
    "-I": "inputDir",
    "-O": "outputDir",
    "-i": "inputFile",
    "-e": "fileFilter",
    "--extension": "fileFilter",
    "-F": "tagFile",
    "-T": "tagStruct",
    "-s": "splitToken",
    "-k": "splitKeyValue",
    "-o": "outputFileStem",
    "-v": "verbosity",
    "-x": "man",
    "-y": "synopsis",
}

_SPEC_FLAGS = ("tagStruct", "tagFile", "tagInfo")

# May be given more than once: these add up, and of this one nothing that is written depends.
_REPEATABLE = frozenset({"keepPrivate", "lookupTable", "report", "verbosity"})

# How to give these more than once in one.
_JOINED = {
    "fileFilter": "join the tokens with commas",
    "dirFilter": "join the tokens with commas",
    "profile": "join the options with commas",
    "tagInfo": "join the pairs with the --splitToken",
}

LOOKUP_MISSES = ("fail", "empty")

RESIDUALS = ("report", "fail")

REPORT_SUFFIXES = (".html", ".json")


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
        if sys.stderr is not None:
            with suppress(OSError, ValueError):
                sys.stderr.write(f"{self.format_usage()}{COMMAND}: error: {visible(message)}\n")
        raise UsageExit(message)


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
        if name in own and not is_switch and name not in _REPEATABLE and own["twice"] is None:
            own["twice"] = (name, own[name], value)
        own[name] = value


def _find_twice(given: _Given) -> str:
    """What to say of an option that was given twice, with both values; "" where none was."""
    if given.twice is None:
        return ""
    name, first, second = given.twice
    flags = [f"--{name}", *(flag for flag, dest in _SHORT_FLAGS.items() if dest == name)]
    cure = f" ({_JOINED[name]})" if name in _JOINED else ""
    values = f"as {quoted(str(first))} and as {quoted(str(second))}"
    return f"{'/'.join(flags)} is given twice, {values}; give it once{cure}"


def build_parser() -> argparse.ArgumentParser:
    """The whole parser, the manual attached."""
    parser = _Parser(
        prog=COMMAND,
        description="Replace the values of DICOM elements over a tree of files, leaving every other "
        "byte alone. Full manual: %(prog)s --man",
        epilog="Filter tokens: substring, 'glob:<pattern>', 're:<regex>', each negatable with a leading '!'.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[parserIO_build(), parserCore_build(COMMAND, __version__)],
        conflict_handler="resolve",  # --man below takes the place of pftree's, which has no pager
    )
    parser.add_argument("--man", action=PagedManual, help="show the full manual and exit")
    _add_own_flags(parser)
    for action in parser._actions:
        action.help = _HELP.get(action.dest, action.help)
        action.metavar = _METAVARS.get(action.dest, action.metavar)
    _add_short_flags(parser)
    parser.set_defaults(inputDir="", outputDir="")  # pftree would write into the working directory
    manual_attach(parser, build_manual())
    return parser


def _add_short_flags(parser: argparse.ArgumentParser) -> None:
    """Give options their short flags, so that --help shows both.

    pftree made some of the options, and argparse has no public way to give one another flag.
    """
    named = {action.dest: action for action in parser._actions}
    for flag, dest in _SHORT_FLAGS.items():
        action = named[dest]
        place = 0 if not flag.startswith("--") else len(action.option_strings)
        action.option_strings = [*action.option_strings[:place], flag, *action.option_strings[place:]]
        parser._option_string_actions[flag] = action


def _add_own_flags(parser: argparse.ArgumentParser) -> None:
    spec = parser.add_argument_group(
        "the spec (--profile, or one of --tagStruct, --tagFile, --tagInfo, or both)"
    )
    spec.add_argument("--tagStruct", metavar="JSON", help='the spec as JSON: \'{"PatientName": "anon"}\'')
    spec.add_argument("--tagFile", metavar="FILE", help="a JSON file with the spec; - reads standard input")
    spec.add_argument(
        "--tagInfo", metavar="PAIRS", help="the spec as text: 'PatientName:anon ++ PatientAge:'"
    )
    spec.add_argument(
        "--splitToken",
        metavar="TOKEN",
        default="++",
        help="what separates the pairs of --tagInfo (default ++)",
    )
    spec.add_argument(
        "--splitKeyValue",
        metavar="TOKEN",
        default=":",
        help="what separates key and value in --tagInfo (default :)",
    )
    spec.add_argument("--removePrivateTags", action="store_true", help="remove every private element")
    spec.add_argument(
        "--profile",
        metavar="NAME[,OPTION...]",
        default="",
        help="the profile of PS3.15 Annex E to apply below the spec: basic, and options of it",
    )
    spec.add_argument(
        "--keepPrivate",
        metavar="KEY",
        action="append",
        default=[],
        help='keep this private element, (gggg,"CREATOR",ee); @FILE: one a line; may be repeated',
    )
    spec.add_argument(
        "--printSpec", action="store_true", help="print the spec that results, as JSON, and do nothing else"
    )
    spec.add_argument(
        "--keyFile", metavar="FILE", default="", help="a file of at least 16 bytes, the secret of pseudonyms"
    )
    spec.add_argument(
        "--lookupTable",
        metavar="NAME=FILE",
        action="append",
        default=[],
        help="a CSV file with the columns original,replacement for %%_lookup|NAME_; may be repeated",
    )
    spec.add_argument(
        "--lookupMiss",
        choices=LOOKUP_MISSES,
        default=LOOKUP_MISSES[0],
        help="what a value that its table lacks does: fail its file (default) or empty the element",
    )
    spec.add_argument(
        "--assumeCharacterSet",
        metavar="TERM",
        default="",
        help="the Specific Character Set of files that declare none, or an unknown one, e.g. ISO_IR 100",
    )
    spec.add_argument(
        "--outputFileStem",
        metavar="TEMPLATE",
        default="",
        help="template that names the outputs, e.g. %%PatientID",
    )
    spec.add_argument(
        "--outputDirTemplate",
        metavar="TEMPLATE",
        default="",
        help="template of the directories of the outputs, e.g. %%_hmac|8_PatientID/%%Modality",
    )
    trust = parser.add_argument_group("trust and operation")
    trust.add_argument(
        "--dryRun", action="store_true", help="do all but the writing; print what would be done"
    )
    trust.add_argument(
        "--showValues", action="store_true", help="show original values in --dryRun's table and in reports"
    )
    trust.add_argument(
        "--report",
        metavar="FILE",
        action="append",
        default=[],
        help="write a report to FILE.html or FILE.json; may be repeated",
    )
    trust.add_argument("--verify", action="store_true", help="read each output again and check it")
    trust.add_argument(
        "--onResidual",
        choices=RESIDUALS,
        default=RESIDUALS[0],
        help="what --verify does with an output that holds a replaced value (default: report)",
    )
    trust.add_argument(
        "--maxInflated",
        metavar="SIZE",
        type=_size,
        default=0,
        help="how large a deflated data set may become, such as 8G (default 4G)",
    )
    trust.add_argument(
        "--ledger", metavar="FILE", default="", help="an SQLite file of what is done, to be skipped next time"
    )
    trust.add_argument("--log", metavar="FILE", default="", help="append a JSON line for each file to FILE")
    trust.add_argument("--dask", metavar="ADDRESS", default="", help="work on the Dask cluster at ADDRESS")
    trust.add_argument(
        "--daskSendKey", action="store_true", help="send the secret key to the Dask workers with the work"
    )
    parser.add_argument("--syslog", action="store_true", help="begin each message as syslog does")


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
    if problem := _find_problem(args):
        parser.error(problem)
    try:
        tree = TreeOptions.fromDict(vars(args))
    except ValueError as error:
        parser.error(str(error))
    return Options(
        tree=tree,
        tag_struct=args.tagStruct,
        tag_file=args.tagFile,
        tag_info=args.tagInfo,
        split_token=args.splitToken,
        split_key_value=args.splitKeyValue,
        output_file_stem=args.outputFileStem,
        remove_private_tags=args.removePrivateTags,
        profile=args.profile,
        keep_private=tuple(args.keepPrivate),
        print_spec=args.printSpec,
        key_file=args.keyFile,
        lookup_tables=tuple(args.lookupTable),
        lookup_miss=args.lookupMiss,
        assume_character_set=args.assumeCharacterSet,
        output_dir_template=args.outputDirTemplate,
        dry_run=args.dryRun,
        show_values=args.showValues,
        reports=tuple(args.report),
        verify=args.verify,
        on_residual=args.onResidual,
        max_inflated=args.maxInflated,
        ledger=args.ledger,
        log=args.log,
        dask=args.dask,
        dask_send_key=args.daskSendKey,
        syslog=args.syslog,
        print_elapsed_time=args.printElapsedTime,
    )


def _parse_once(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse a command line in which no option may be given twice.

    Raises:
        UsageExit: bad usage.
        SystemExit: as of ``parse``.
    """
    defaults = vars(parser.parse_args([]))
    for action in parser._actions:
        action.default = argparse.SUPPRESS  # what is set is given
    given = parser.parse_args(argv, namespace=_Given(defaults))
    if problem := _find_twice(given):
        parser.error(problem)
    return argparse.Namespace(**{name: getattr(given, name) for name in defaults})


def _size(text: str) -> int:
    """A number of bytes, such as ``500M`` or ``8G``, or one that is no size."""
    found = re.fullmatch(r"(\d{1,15})([KMGT]?)B?", text.strip(), re.IGNORECASE)
    if found is None or not int(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no size: give bytes, or a number with K, M, G or T")
    return int(found[1]) << 10 * " KMGT".index(found[2].upper() or " ")


def _find_problem(args: argparse.Namespace) -> str:
    """What is wrong with the arguments, and the cure; "" if nothing is."""
    if not args.inputDir and not args.printSpec:
        return "--inputDir is required: name the directory to read"
    if not args.outputDir and not args.printSpec:
        return "--outputDir is required: name the directory to write; it is created if absent"
    given = [f"--{name}" for name in _SPEC_FLAGS if getattr(args, name) is not None]
    if not given and not args.profile:
        return "no spec: give one of --tagStruct, --tagFile or --tagInfo, or a --profile (see --man)"
    if len(given) > 1:
        return f"more than one spec: {' and '.join(given)}; give one of them"
    if not args.splitToken or not args.splitKeyValue:
        return "--splitToken and --splitKeyValue cannot be empty"
    if args.threads < 0:
        return f"--threads {args.threads}: give the number of workers, or 0 to work in line"
    if problem := _find_cluster_problem(args):
        return problem
    if args.maxDepth < -1:
        return f"--maxDepth {args.maxDepth}: give a number of levels, or -1 for all"
    if args.ledger and args.log and os.path.abspath(args.ledger) == os.path.abspath(args.log):
        return "--ledger and --log name one file; give each its own"
    if args.onResidual != RESIDUALS[0] and not args.verify:
        return f"--onResidual {args.onResidual} needs --verify, which finds what is left"
    if args.outputLeafDir and args.outputDirTemplate:
        return "--outputLeafDir and --outputDirTemplate both name the directories; give one of them"
    return _find_leaf_problem(args.outputLeafDir) or _find_report_problem(args)


def _find_report_problem(args: argparse.Namespace) -> str:
    """What is wrong with the options of dry runs and reports."""
    for path in args.report:
        if not path.endswith(REPORT_SUFFIXES):
            return f"--report {path}: give a name that ends in {' or '.join(REPORT_SUFFIXES)}"
    if args.showValues and not args.dryRun and not args.report:
        return "--showValues says what --dryRun and --report show; give one of them, too"
    if args.dryRun and args.verify:
        return "--dryRun and --verify exclude each other: nothing is written that could be verified"
    return ""


def _find_cluster_problem(args: argparse.Namespace) -> str:
    """What is wrong with ``--dask`` and what goes with it."""
    if not args.dask:
        if args.daskSendKey:
            return "--daskSendKey is for workers of a cluster; give its address with --dask"
        return ""
    if args.threads:
        return "--threads starts workers here, and --dask uses those of a cluster; give one of them"
    if find_spec("distributed") is None:
        return "--dask needs a package that is not installed: pip install 'pfdicom_tagSub[dask]'"
    return ""


def _find_leaf_problem(template: str) -> str:
    """What is wrong with ``--outputLeafDir``; pftree formats with it and checks little."""
    if not template:
        return ""
    flag = f"--outputLeafDir {quoted(template)}"
    if template.count("%s") != 1:
        return f"{flag}: give exactly one %s, which stands for the directory's name"
    if "%" in template.replace("%s", ""):
        return f"{flag}: no other % than the one of %s is allowed"
    if "/" in template or "\\" in template or "\0" in template:
        return f"{flag}: it renames one directory, so it holds no path separator"
    if ".." in template.split("%s"):
        return f"{flag}: '..' is not a name"
    return ""
