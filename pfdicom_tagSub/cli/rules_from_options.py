"""What a command line asks for, as the layers below take it: rules, pixel settings, condition, cluster."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ..core import late_modules
from ..core.errors import SpecError
from ..core.options import Cluster, LookupMiss, Options, ReviewPolicy
from ..files.own_files import is_descriptor
from .argument_checks import pixel_methods

if TYPE_CHECKING:
    from ..spec.building import Built
    from ..spec.conditions import Condition
    from ..spec.rules import PixelRules, RuleSet


def fifos_of(options: Options) -> Iterator[tuple[str, str]]:
    """The flag and the path of each FIFO that the run reads: it waits until something writes to it."""
    named = (
        ("--importRules", (options.import_rules,)),
        ("--tagFile", options.tag_files),
        ("--functions", options.functions),
        ("--keyFile", (options.key_file,)),
        ("--lookupTable", [table.partition("=")[2] for table in options.lookup_tables]),
        ("--pixelMasks", (options.pixel_masks,)),
        ("--filesFrom", (options.files_from,)),
    )
    for flag, path in ((flag, path) for flag, paths in named for path in paths if path):
        try:
            found = os.stat(path)
        except (OSError, ValueError):
            continue  # reading it says why
        if stat.S_ISFIFO(found.st_mode) and not is_descriptor(path):
            yield flag, path


def compile_options(options: Options, *, is_cleaned: bool = False) -> Built:
    """The rules of a command line.

    Args:
        options: of the command line.
        is_cleaned: whether they are for files whose pixels are cleaned, which are stamped.

    Raises:
        SpecError: the spec cannot mean what it says.
    """
    # Imported here: they load pydicom, which --version, --man and usage errors can spare.
    late_modules.load(*late_modules.PYDICOM)
    from ..spec import parsing  # noqa: PLC0415
    from ..spec.building import build_rules  # noqa: PLC0415
    from ..spec.function_types import Resources  # noqa: PLC0415
    from ..spec.hash_functions import check_uid_root  # noqa: PLC0415
    from ..spec.secret import load_secret  # noqa: PLC0415
    from ..spec.tables import load_tables  # noqa: PLC0415

    check_uid_root(options.uid_root)
    secret, warned = load_secret(options.key_file, os.environb)
    tables = load_tables(options.lookup_tables)
    if options.functions:
        from ..spec.own_functions import load_files  # noqa: PLC0415  (for runs with own functions alone)

        load_files(options.functions)
    built = build_rules(
        parsing.load(options),
        profile=options.profile,
        keep_private=options.keep_private,
        remove_private=options.remove_private_tags,
        output_stem=options.output_file_stem,
        output_dir=options.output_dir_template,
        resources=Resources(
            secret,
            tables,
            options.lookup_miss,
            options.uid_root,
            bool(options.lookup_missing),
        ),
        assumed=options.assume_character_set,
        is_cleaned=is_cleaned,
    )
    if (
        options.lookup_tables
        or options.functions
        or options.uid_root
        or options.lookup_miss != LookupMiss.FAIL
    ):
        from ..spec.unused import find_unused  # noqa: PLC0415  (for runs that give what a key may use)

        warned = (*warned, *find_unused(options, built))
    return replace(built, warnings=(*warned, *built.warnings, *built.rules.warnings))


def pixels_of(options: Options) -> PixelRules | None:
    """How pixels are cleaned, and the rules for files where this is done; None where pixels are left alone.

    Raises:
        SpecError: the masks are none.
    """
    methods = pixel_methods(options.clean_pixels, options.profile)
    if not methods:
        return None
    from ..pixels.settings import PixelSettings  # noqa: PLC0415  (only where it was asked for)
    from ..spec.mask_conditions import mask_test  # noqa: PLC0415  (likewise)
    from ..spec.rules import PixelRules  # noqa: PLC0415

    settings = PixelSettings.of(
        methods,
        options.pixel_masks,
        options.clean_pixels_of,
        all_frames=options.mask_all_frames,
        parse=mask_test,
    )
    return PixelRules(settings, compile_options(options, is_cleaned=True).rules)


def condition_of(options: Options) -> Condition | None:
    """The condition that chooses files; None without one.

    Raises:
        SpecError: it is none.
    """
    if not options.where:
        return None
    from ..spec.condition_parsing import parse_condition  # noqa: PLC0415  (for runs with a condition alone)

    return parse_condition(options.where, "--where")


def check_review(rules: RuleSet, options: Options) -> None:
    """See that there is something to be held, or to fail, where a person has to see pixels.

    Raises:
        SpecError: no pixels would be looked at.
    """
    is_listed = options.pixel_review is ReviewPolicy.LIST
    if not (is_listed or rules.claims_identity_removed or options.clean_pixels):
        raise SpecError(
            f"--pixelReview {options.pixel_review}: no file is for review without --profile or --cleanPixels"
        )


def cluster_of(options: Options) -> Cluster | None:
    """The Dask cluster that the options name; None where this machine does the work."""
    if not options.dask:
        return None
    return Cluster(options.dask, options.key_file, options.lookup_tables, options.dask_send_key)
