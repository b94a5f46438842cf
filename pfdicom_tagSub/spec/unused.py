"""What a command line gives and no key of the spec uses: tables, functions, a root of UIDs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..core.options import LookupMiss, Options
from .building import Built
from .pairs import Added, Each, Pair


def find_unused(options: Options, built: Built) -> Iterator[str]:
    """Warnings of what goes with a spec and has no effect: it was meant for a key that is not there.

    Args:
        options: of the command line.
        built: what they came to.
    """
    used = {origin.name for origin in built.rules.origins}
    for path in options.functions:
        if path not in used:
            yield f"--functions {path}: no key uses a function of it"
    if options.lookup_miss is not LookupMiss.FAIL and not options.lookup_tables:
        yield f"--lookupMiss {options.lookup_miss} has no effect: no --lookupTable is given"
    if not options.lookup_tables and not options.uid_root:
        return
    texts = [*_texts_of(built.spec.pairs), options.output_file_stem, options.output_dir_template]
    for argument in options.lookup_tables:
        name = argument.partition("=")[0]
        if not _is_in(texts, rf"\|{re.escape(name)}[|_]"):
            cure = f"write %_lookup|{name}_#tag where it is meant"
            yield f"--lookupTable {argument}: no key uses the table; {cure}"
    if options.uid_root and not _is_in(texts, r"%_uid_"):
        yield "--uidRoot has no effect: no key makes a UID; write %_uid_#tag where it is meant"


def _texts_of(pairs: Iterable[Pair]) -> Iterator[str]:
    for pair in pairs:
        value = pair.value.text if isinstance(pair.value, Added) else pair.value
        if isinstance(value, str):
            yield value
        elif isinstance(value, Each):
            yield from _texts_of(value.pairs)


def _is_in(texts: Iterable[str], pattern: str) -> bool:
    return any(re.search(pattern, text) for text in texts)
