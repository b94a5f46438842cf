"""What of an ultrasound picture lies outside of its regions (PS3.3 C.8.5.5)."""

from __future__ import annotations

from ..dicom.scope import Scope
from .rectangles import Rectangle, clipped, outside

REGIONS = 0x00186011
_EDGES = (0x00186018, 0x0018601A, 0x0018601C, 0x0018601E)
"""The first column and row of a region, and its last ones."""

EDGES = frozenset(_EDGES)


def outside_regions(root: Scope, rows: int, columns: int) -> tuple[Rectangle, ...] | None:
    """What is blackened of a picture, as it is outside of all regions.

    Args:
        root: the data set, of which a scan kept the regions and their edges.
        rows: the rows of a frame.
        columns: its columns.

    Returns:
        Rectangles; None where the file names no region that lies in the picture.
    """
    sequence = root.elements.get(REGIONS)
    if sequence is None or not sequence.items:
        return None
    found = []
    for item in sequence.items:
        edges = {element.tag: element for element in item.elements}
        numbers = []
        for tag in _EDGES:
            element = edges.get(tag)
            if element is None or element.stop - element.value != 4:
                return None
            raw = root.source.read(element.value, element.stop)
            numbers.append(int.from_bytes(raw, "little" if item.encoding.little else "big"))
        left, top, right, bottom = numbers
        if left <= right and top <= bottom:
            found.append(Rectangle(left, top, right - left + 1, bottom - top + 1))
    inside = clipped(found, rows, columns)
    return outside(inside, rows, columns) if inside else None
