"""The records of a DICOMDIR: which belongs to which, and their byte offsets, kept true
when they move (PS3.3 F.3.2.2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..core.errors import FileError
from .dictionary import (
    DIRECTORY_RECORD_SEQUENCE,
    FIRST_RECORD_OFFSETS,
    LOWER_RECORD_OFFSET,
    NEXT_RECORD_OFFSET,
    RECORD_OFFSETS,
    text_of,
)
from .edits import Edit, output_position
from .elements import Element, Item, Stretch
from .scan_filter import EVERYTHING
from .scanner import scan
from .sources import Source


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
    move = output_position(edits)
    for element in offsets:
        raw = directory.source.read(element.value, element.stop)
        offset = int.from_bytes(raw, order)  # type: ignore[arg-type]
        if offset == 0:
            continue
        if len(raw) != 4 or offset not in starts:
            raise FileError(f"the offset {text_of(element.tag)} at byte {element.start} names no record")
        yield Edit(element.value, element.stop, move(offset).to_bytes(4, order))  # type: ignore[arg-type]


def records_above(records: Sequence[Item], source: Source) -> dict[int, int]:
    """Which record each record belongs to, as the patient of a study.

    Args:
        records: the items of the directory record sequence.
        source: the bytes of the file.

    Returns:
        Where a record starts to where the record above it starts; without those at the
        top, and without what offsets that make no tree say.
    """
    following: dict[int, int] = {}
    lower: dict[int, int] = {}
    for record in records:
        order = "little" if record.encoding.little else "big"
        for element in record.elements:
            home = {NEXT_RECORD_OFFSET: following, LOWER_RECORD_OFFSET: lower}.get(element.tag)
            if home is not None:
                home[record.start] = int.from_bytes(source.read(element.value, element.stop), order)  # type: ignore[arg-type]
    above: dict[int, int] = {}
    tops: dict[int, int] = {}
    for parent, first in lower.items():
        child = first
        # A record that has none above it yet is the top of all below it.
        while child and child not in above and _top_of(parent, tops) != child:
            above[child] = tops[child] = parent
            child = following.get(child, 0)
    return above


def _top_of(record: int, tops: dict[int, int]) -> int:
    """The topmost record above a record, or the record itself.

    Args:
        record: the record.
        tops: record to a record above it; the ways that were gone are made short, so that a long
            chain of records takes a time that is linear in its length.
    """
    top = record
    while top in tops:
        top = tops[top]
    while record != top:
        tops[record], record = top, tops[record]
    return top
