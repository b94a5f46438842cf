"""The byte offsets of a DICOMDIR, kept true when its records move (PS3.3 F.3.2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .dictionary import DIRECTORY_RECORD_SEQUENCE, FIRST_RECORD_OFFSETS, RECORD_OFFSETS, text_of
from .edits import Edit, moved
from .elements import Element, Stretch
from .models import FileError
from .scanner import scan
from .wanted import EVERYTHING


def offset_edits(directory: Stretch, edits: Sequence[Edit]) -> Iterator[Edit]:
    """The edits that make the offsets of a directory true again.

    Args:
        directory: its data set, in the bytes of the file: offsets count from the beginning
            of these.
        edits: every other change to the file, in order.

    Raises:
        FileError: an offset that names no record, so that it cannot be kept true.
    """
    order = "little" if directory.encoding.little else "big"
    elements = scan(directory, EVERYTHING)
    starts: set[int] = set()
    offsets: list[Element] = []
    for element in elements:
        if element.tag in FIRST_RECORD_OFFSETS:
            offsets.append(element)
        elif element.tag == DIRECTORY_RECORD_SEQUENCE:
            for item in element.items or ():
                starts.add(item.start)
                offsets += [inner for inner in item.elements if inner.tag in RECORD_OFFSETS]
    move = moved(edits)
    for element in offsets:
        raw = directory.source.read(element.value, element.stop)
        offset = int.from_bytes(raw, order)  # type: ignore[arg-type]
        if offset == 0:
            continue
        if len(raw) != 4 or offset not in starts:
            raise FileError(f"the offset {text_of(element.tag)} at byte {element.start} names no record")
        yield Edit(element.value, element.stop, move(offset).to_bytes(4, order))  # type: ignore[arg-type]
