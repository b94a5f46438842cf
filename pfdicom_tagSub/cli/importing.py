"""``--importRules``: the rules of another tool printed as a spec."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ..core.errors import ExitCode, OwnFileError, TagSubError
from ..files.replacing import check_replaceable, reason_of, replaced
from ..spec.importers.files import OPTION, import_rules
from ..spec.importers.translation import Mask, check
from ..spec.parsing import parse_json
from ..spec.parsing import to_json as spec_to_json
from .console import Console
from .printing import print_text

MASKS_OPTION = "--importMasks"


def print_imported(path: str, console: Console, masks: str = "") -> int:
    """Print the spec that a file comes to, and list what of it has no equivalent.

    Args:
        path: the file.
        masks: a file for its masks of pixels; "" for none.
        console: where the list goes.

    Returns:
        The exit code: 1 where a rule has no equivalent.
    """
    try:
        made = import_rules(path)
        check(made.pairs)
        text = spec_to_json(parse_json(json.dumps(made.pairs), OPTION))
        if masks:
            _write_masks(masks, made.masks)
    except TagSubError as stop:
        console.error(str(stop))
        return stop.exit_code
    missing = sorted([*made.untranslated, *(() if masks else made.mask_rules)])
    for line, rule, reason in missing:
        console.error(f"{path}, line {line}: {rule}: no equivalent: {reason}")
    console.note(1, f"{made.count - len(missing)} of {made.count} rules were translated")
    if masks:
        found = "1 mask is" if len(made.masks) == 1 else f"{len(made.masks)} masks are"
        console.note(1, f"{found} in {masks}; use it with --cleanPixels devices --pixelMasks")
    if not print_text("the spec", text, console) or missing:
        return ExitCode.FILES_FAILED
    return ExitCode.OK


def _write_masks(path: str, masks: Sequence[Mask]) -> None:
    """Write masks for ``--pixelMasks``.

    Raises:
        OwnFileError: they cannot be written.
    """
    check_replaceable(MASKS_OPTION, path)
    lines = ",\n  ".join(json.dumps(mask) for mask in masks)
    try:
        with replaced(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
            file.write(f'{{"masks": [\n  {lines}\n]}}\n')
    except OSError as error:
        raise OwnFileError(f"{MASKS_OPTION} {path}: {reason_of(error)}") from None
