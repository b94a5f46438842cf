"""Arguments of a run that a Python program starts, where a command line has a parser."""

from __future__ import annotations

from dataclasses import replace

from .core.options import OnResidual, Options, ReviewPolicy
from .spec.rules import RuleSet


def check_arguments(options: Options, rules: RuleSet) -> None:
    """Find arguments of ``run_tree`` that do not go together.

    Raises:
        ValueError: there are some; the text says which and the cure.
    """
    has_secrets = rules.resources.secret is not None or bool(rules.resources.tables)
    looks_at_pixels = rules.claims_identity_removed or rules.pixels is not None
    is_held = options.pixel_review is ReviewPolicy.HOLD
    for is_wrong, reason in (
        (options.prune and not options.ledger, "prune needs a ledger, which says whose outputs they are"),
        (
            options.dry_run and options.verify,
            "dry_run and verify exclude each other: nothing is written that could be verified",
        ),
        (options.on_residual is OnResidual.FAIL and not options.verify, "on_residual needs verify"),
        (options.null and not options.files_from, "null says how files_from is written; give that, too"),
        (is_held is not bool(options.hold_dir), "pixel_review='hold' and hold_dir go together; give both"),
        (
            options.pixel_review is not ReviewPolicy.LIST and not looks_at_pixels,
            "pixel_review: no file is for review without a profile or clean_pixels",
        ),
        (options.dask_send_key and not options.dask, "dask_send_key is for the workers of dask"),
        (
            bool(options.dask) and has_secrets and not options.dask_send_key,
            "the rules hold a key or tables, which the workers need: give dask_send_key=True to send them",
        ),
        (bool(options.dask) and options.tree.threads > 0, "threads and dask exclude each other"),
    ):
        if is_wrong:
            raise ValueError(reason)


def noting_misses(rules: RuleSet) -> RuleSet:
    """Rules that note what lookup tables lack."""
    pixels = rules.pixels
    if pixels is not None:
        pixels = replace(pixels, rules=noting_misses(pixels.rules))
    return replace(rules, resources=replace(rules.resources, notes_misses=True), pixels=pixels)
