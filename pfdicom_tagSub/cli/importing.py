"""``--importRules``: the rules of another tool printed as a spec."""

from __future__ import annotations

import json

from ..core.errors import ExitCode, TagSubError
from ..spec.importers.files import OPTION, import_rules
from ..spec.importers.translation import check
from ..spec.parsing import parse_json
from ..spec.parsing import to_json as spec_to_json
from .console import Console
from .printing import print_text


def print_imported(path: str, console: Console) -> int:
    """Print the spec that a file comes to, and list what of it has no equivalent.

    Args:
        path: the file.
        console: where the list goes.

    Returns:
        The exit code: 1 where a rule has no equivalent.
    """
    try:
        made = import_rules(path)
        check(made.pairs)
        text = spec_to_json(parse_json(json.dumps(made.pairs), OPTION))
    except TagSubError as stop:
        console.error(str(stop))
        return stop.exit_code
    for line, rule, reason in made.untranslated:
        console.error(f"{path}, line {line}: {rule}: no equivalent: {reason}")
    console.note(1, f"{made.count - len(made.untranslated)} of {made.count} rules were translated")
    if not print_text("the spec", text, console) or made.untranslated:
        return ExitCode.FILES_FAILED
    return ExitCode.OK
