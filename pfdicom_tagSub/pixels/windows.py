"""The windows that a file names for its frames, in stored numbers (PS3.3 C.11.2, C.7.6.16.2)."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..core.errors import FileError
from ..dicom.elements import Item, Stretch
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import Scope

WINDOW_CENTER = 0x00281050
WINDOW_WIDTH = 0x00281051
RESCALE_INTERCEPT = 0x00281052
RESCALE_SLOPE = 0x00281053
WINDOW = frozenset({WINDOW_CENTER, WINDOW_WIDTH, RESCALE_INTERCEPT, RESCALE_SLOPE})
WINDOWS_MOST = 2

SHARED_GROUPS = 0x52009229
PER_FRAME_GROUPS = 0x52009230
GROUPS = frozenset({SHARED_GROUPS, PER_FRAME_GROUPS})
"""The functional groups of all frames, and those of each."""

_OF_WINDOWS = frozenset({0x00289132, 0x00289145})
"""The functional groups Frame VOI LUT and Pixel Value Transformation."""

_ITEMS = ScanFilter(GROUPS | _OF_WINDOWS, _OF_WINDOWS, walked=GROUPS)
_VALUES = ScanFilter(_OF_WINDOWS | WINDOW, WINDOW, walked=_OF_WINDOWS)


class FrameWindows:
    """The windows of the frames of one file; the functional groups of a frame are read as it is asked for."""

    def __init__(self, root: Scope) -> None:
        """Args:
        root: the data set, of which a scan kept ``WINDOW`` and, for functional groups, ``GROUPS``.
        """
        self._root = root
        self._shared = self._items(SHARED_GROUPS)
        self._own = self._items(PER_FRAME_GROUPS)

    def of(self, frame: int) -> tuple[tuple[float, float], ...]:
        """Those of a frame, as of ``windows_of``."""
        items = (*self._own[frame : frame + 1], *self._shared[:1])
        try:
            scopes = [scope for item in items for scope in self._scopes(item)]
        except FileError:
            scopes = []
        return windows_of(*scopes, self._root)

    def _items(self, tag: int) -> list[Item]:
        """The items of a sequence of the data set, not what is in them; none of what cannot be read."""
        element = self._root.elements.get(tag)
        if element is None:
            return []
        where = Stretch(self._root.source, element.start, element.end, self._root.encoding)
        try:
            return [item for one in scan(where, _ITEMS) for item in one.items or ()]
        except FileError:
            return []

    def _scopes(self, item: Item) -> Iterator[Scope]:
        """The data sets in an item that say how numbers are shown."""
        source = self._root.source
        for group in scan(Stretch(source, item.value, item.stop, item.encoding), _VALUES):
            for one in group.items or ():
                yield Scope(source, one.elements, one.encoding, one.value)


def windows_of(*scopes: Scope) -> tuple[tuple[float, float], ...]:
    """The windows that data sets name, in stored numbers: (lowest, highest) each.

    Args:
        scopes: what is asked for each element in this order.
    """
    centres, widths = (_decimals(scopes, tag) for tag in (WINDOW_CENTER, WINDOW_WIDTH))
    slope, intercept = rescaling_of(*scopes)
    if not slope:
        return ()
    found = []
    for centre, width in list(zip(centres, widths, strict=False))[:WINDOWS_MOST]:
        edges = sorted((centre + sign * width / 2 - intercept) / slope for sign in (-1, 1))
        if edges[1] > edges[0]:
            found.append((edges[0], edges[1]))
    return tuple(found)


def rescaling_of(*scopes: Scope) -> tuple[float, float]:
    """What stored numbers are multiplied with, and what is added then (PS3.3 C.11.1).

    Args:
        scopes: what is asked for each element in this order.
    """
    slopes, intercepts = (_decimals(scopes, tag) for tag in (RESCALE_SLOPE, RESCALE_INTERCEPT))
    return (slopes or [1.0])[0], (intercepts or [0.0])[0]


def _decimals(scopes: tuple[Scope, ...], tag: int) -> list[float]:
    scope = next((one for one in scopes if tag in one.elements), None)
    if scope is None:
        return []
    try:
        raw = scope.raw(scope.elements[tag])
        found = [float(text) for text in raw.decode("latin-1").strip(" \0").split("\\")]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []
