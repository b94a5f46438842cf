"""What a pass made of the identifiers by which people look for a study: the pairs of a crosswalk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..dicom.scope import Scope
from .changes import Changes

ATTRIBUTES = {
    0x00080018: "SOPInstanceUID",
    0x00080050: "AccessionNumber",
    0x00100020: "PatientID",
    0x0020000D: "StudyInstanceUID",
    0x0020000E: "SeriesInstanceUID",
}
"""The attributes of a crosswalk, at the top level of a data set."""

_PLACES = {name: place for place, name in enumerate(ATTRIBUTES.values())}

OriginalPair = tuple[str, str, str]
"""The name of an attribute, its original value and the new one, "" for one that was removed or emptied."""


def pairs_of(root: Scope, changes: Changes) -> tuple[OriginalPair, ...]:
    """The pairs of one file.

    Args:
        root: its data set.
        changes: what was done to it.
    """
    made = changes.texts_of(ATTRIBUTES, root)
    pairs = [_pair_of(tag, root, made) for tag in ATTRIBUTES]
    return tuple([pair for pair in pairs if pair is not None])


def pair_of(tag: int, root: Scope, changes: Changes) -> OriginalPair | None:
    """The pair of one attribute; None where the file has no value of it, or for any other element.

    Args:
        tag: its tag.
        root: as of ``pairs_of``.
        changes: likewise.
    """
    return _pair_of(tag, root, changes.texts_of((tag,), root)) if tag in ATTRIBUTES else None


def in_order(pairs: Iterable[OriginalPair]) -> tuple[OriginalPair, ...]:
    """Pairs of one file in the order of ``pairs_of``."""
    return tuple(sorted(pairs, key=lambda pair: _PLACES[pair[0]]))


def _pair_of(tag: int, root: Scope, made: Mapping[int, tuple[str, ...]]) -> OriginalPair | None:
    element = root.elements.get(tag)
    if element is None:
        return None
    texts = root.value(element).texts
    original = _joined(texts)
    return (ATTRIBUTES[tag], original, _joined(made.get(tag, texts))) if original else None


def _joined(texts: tuple[str, ...]) -> str:
    return "\\".join(texts).strip(" \0")
