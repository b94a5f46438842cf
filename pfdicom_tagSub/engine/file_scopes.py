"""The data sets of a file, each where a look-up that does not find something in one goes on."""

from __future__ import annotations

from collections.abc import Sequence

from ..dicom.dicomdir import records_above
from ..dicom.dictionary import DIRECTORY_RECORD_SEQUENCE
from ..dicom.elements import Element, Item
from ..dicom.file import DicomFile
from ..dicom.scope import META_KEY, Reading, Scope


def file_scopes(file: DicomFile, elements: Sequence[Element], reading: Reading) -> tuple[Scope, Scope]:
    """The data set and the file meta of a file, each where a look-up that leaves the other goes on.

    Args:
        file: the file.
        elements: what was scanned of its data set.
        reading: how text is read of which the file does not say how.
    """
    data = file.data
    root = Scope(data.source, elements, data.encoding, data.start, reading=reading)
    meta = Scope(file.source, file.meta, file.meta_encoding, META_KEY)
    meta.beyond, root.beyond = root, meta
    return root, meta


def scopes_of(sequence: Element, scope: Scope) -> list[tuple[Item, Scope]]:
    """The items of a sequence that were entered, each with its data set."""
    items = sequence.items or []
    tag = sequence.tag
    inner = [
        (item, Scope(scope.source, item.elements, item.encoding, item.value, scope, sequence=tag))
        for item in items
    ]
    if tag == DIRECTORY_RECORD_SEQUENCE:
        by_start = {item.start: own for item, own in inner}
        for _, own in inner:
            own.is_record = scope.parent is None
        for record, above in records_above(items, scope.source).items():
            if record in by_start and above in by_start:
                by_start[record].above = by_start[above]
    return inner
