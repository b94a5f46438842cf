"""What a pass made of the identifiers by which people look for a study: the pairs of a crosswalk."""

from __future__ import annotations

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

OriginalPair = tuple[str, str, str]
"""The name of an attribute, its original value and the new one, "" for one that was removed or emptied."""


def pairs_of(root: Scope, changes: Changes) -> tuple[OriginalPair, ...]:
    """The pairs of one file.

    Args:
        root: its data set.
        changes: what was done to it.
    """
    made = changes.texts_of(ATTRIBUTES, root)
    found: list[OriginalPair] = []
    for tag, name in ATTRIBUTES.items():
        element = root.elements.get(tag)
        if element is None:
            continue
        texts = root.value(element).texts
        if original := _joined(texts):
            found.append((name, original, _joined(made.get(tag, texts))))
    return tuple(found)


def _joined(texts: tuple[str, ...]) -> str:
    return "\\".join(texts).strip(" \0")
