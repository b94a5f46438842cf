"""What is wrong with arguments that do not go together, or are not what an option takes, and the cure.

Each function returns what to say, "" where nothing is wrong.
"""

from __future__ import annotations

import argparse
import os
from importlib.util import find_spec

from ..core.options import OnResidual, PixelMethod, PixelSelection, ReportFormat, ReviewPolicy
from ..core.pixel_packages import SHEET, missing
from ..core.pixel_packages import find_problem as find_package_problem
from ..text.quoting import quoted
from .option import Need
from .option_table import OPTIONS


def find_argument_problem(args: argparse.Namespace) -> str:
    """What is wrong with the arguments, and the cure; "" if nothing is."""
    if args.importRules or args.importMasks:
        return "" if args.importRules else "--importMasks is for --importRules: name the file with the rules"
    if not args.inputDir and not args.printSpec:
        return "--inputDir is required: name the directory to read"
    if not args.outputDir and not args.printSpec:
        return "--outputDir is required: name the directory to write; it is created if absent"
    specs = [option for option in OPTIONS if option.need is Need.ONE_SPEC]
    given = [option.flag for option in specs if getattr(args, option.name) not in (None, [])]
    if not given and not args.profile:
        return "no spec: give one of --tagStruct, --tagFile or --tagInfo, or a --profile (see --man)"
    if len(given) > 1:
        return f"more than one spec: {' and '.join(given)}; give one of them"
    if not args.splitToken or not args.splitKeyValue:
        return "--splitToken and --splitKeyValue cannot be empty"
    if args.threads < 0:
        return f"--threads {args.threads}: give the number of workers, or 0 for none"
    if problem := _find_cluster_problem(args):
        return problem
    if args.maxDepth < -1:
        return f"--maxDepth {args.maxDepth}: give a number of levels, or -1 for all"
    if args.onResidual != OnResidual.REPORT and not args.verify:
        return f"--onResidual {args.onResidual} needs --verify, which finds what is left"
    if problem := _find_pixel_problem(args) or _find_list_problem(args) or _find_own_file_problem(args):
        return problem
    if args.outputLeafDir and args.outputDirTemplate:
        return "--outputLeafDir and --outputDirTemplate both name the directories; give one of them"
    return _find_leaf_problem(args.outputLeafDir) or _find_report_problem(args)


def _find_own_file_problem(args: argparse.Namespace) -> str:
    """What is wrong with the files that a run keeps for itself, and with what they are used for."""
    if args.prune and not args.ledger:
        return "--prune needs a --ledger, which says whose outputs they are"
    if (args.pixelReview == ReviewPolicy.HOLD) != bool(args.holdDir):
        return "--pixelReview hold and --holdDir DIR belong together; give both"
    if args.lookupMissing and not args.lookupTable:
        return "--lookupMissing lists what a --lookupTable lacks; give that, too"
    if args.crosswalk and not args.crosswalk.lower().endswith((".csv", ".sqlite")):
        return f"--crosswalk {args.crosswalk}: give a name that ends in .csv or .sqlite"
    if args.ledger and args.log and os.path.abspath(args.ledger) == os.path.abspath(args.log):
        return "--ledger and --log name one file; give each its own"
    return ""


def _find_list_problem(args: argparse.Namespace) -> str:
    """What is wrong with ``--filesFrom``, what goes with it, and what else reads standard input."""
    if args.tagFile.count("-") > 1:
        return "--tagFile - is given twice, and standard input can be read once"
    if not args.filesFrom:
        return "--null says how the paths of --filesFrom end; give that, too" if args.null else ""
    walk = {"inputFile": "", "fileFilter": "", "dirFilter": "", "maxDepth": -1}
    if chosen := [name for name, default in walk.items() if getattr(args, name) != default]:
        return (
            f"--filesFrom names the files, and --{chosen[0]} chooses among those of a walk; give one of them"
        )
    if args.filesFrom == "-" and "-" in args.tagFile:
        return "--filesFrom and --tagFile cannot both read standard input"
    return ""


def _find_report_problem(args: argparse.Namespace) -> str:
    """What is wrong with the options of dry runs and reports."""
    for path in args.report:
        if not path.endswith(tuple(ReportFormat)):
            return f"--report {path}: give a name that ends in {' or '.join(ReportFormat)}"
    if args.reviewSheet and not args.reviewSheet.endswith(ReportFormat.HTML):
        return f"--reviewSheet {args.reviewSheet}: give a name that ends in {ReportFormat.HTML}"
    if args.reviewSheet and os.path.abspath(args.reviewSheet) in map(os.path.abspath, args.report):
        return "--reviewSheet and --report name one file; give each its own"
    if args.reviewSheet and (packages := missing(SHEET, find_spec)):
        return f"--reviewSheet needs packages that are not installed: pip install {packages}"
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
        return "--dask needs a package that is not installed: pip install distributed"
    return ""


def _find_pixel_problem(args: argparse.Namespace) -> str:
    """What is wrong with the options of the cleaning of pixels."""
    names = pixel_methods(args.cleanPixels, args.profile)
    if not names:
        for flag in ("pixelMasks", "cleanPixelsOf", "maskAllFrames"):
            if getattr(args, flag) not in {"", False, PixelSelection.REVIEW}:
                return f"--{flag} says how --cleanPixels works; give that, too"
        return ""
    given = [name.strip() for name in names.split(",")]
    for name in given:
        if name not in tuple(PixelMethod):
            return f"--cleanPixels {quoted(name)}: give {', '.join(PixelMethod)}, or some of them"
    if len(set(given)) < len(given):
        return "--cleanPixels names a method twice"
    if args.pixelMasks and PixelMethod.DEVICES not in given:
        return "--pixelMasks is for the method devices; add it to --cleanPixels"
    return find_package_problem("--cleanPixels", given, find_spec)


def pixel_methods(given: str, profile: str) -> str:
    """The methods of the cleaning of pixels, joined with commas; "" where pixels are left alone.

    Args:
        given: ``--cleanPixels``.
        profile: ``--profile``, whose option means all methods where none is given.
    """
    is_option = "cleanPixelData" in [part.strip() for part in profile.split(",")[1:]]
    return given or (",".join(PixelMethod) if is_option else "")


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
