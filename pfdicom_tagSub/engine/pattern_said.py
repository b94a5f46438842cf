"""What elements of a file that fits a pattern say that texts are cleaned of."""

from __future__ import annotations

from collections.abc import Iterable

from ..dicom.elements import Element
from ..dicom.known_sequences import Said
from .substitution import Substitution


def said_in(made: Substitution, elements: Iterable[Element], *, with_meta: bool) -> Said:
    """What elements of a file, and perhaps its file meta, say that texts are cleaned of."""
    from .identifier_collecting import said_of  # noqa: PLC0415  (for clean options alone)

    known = made.maker.memory.known(made.lookups.is_fixed)
    return said_of(
        made.file,
        elements,
        made.root,
        made.matcher,
        claims=made.lookups.claims,
        known=known,
        with_meta=with_meta,
    )


def apart(said: Said) -> tuple[tuple[object, ...], frozenset[tuple[str, str]]]:
    """What something says that a text without UIDs and times may hold, and the UIDs and times."""
    from .file_cleaner import VOLATILE_VRS, steady_of  # noqa: PLC0415  (for clean options alone)

    fleeting = frozenset([one for one in said.found if one[0] in VOLATILE_VRS])
    return (steady_of(said.found), said.kept, said.pieces), fleeting
