"""Overlays in unused bits of the pixels, of which a rule removes the group (PS3.3 C.9.2.1.1)."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import Literal

from ..core.errors import FileError
from ..core.pixel_packages import CODECS, missing
from ..dicom.dictionary import INTEGER_PIXEL_DATA, LOSSY_IMAGE_COMPRESSION
from ..dicom.edits import Edit
from ..dicom.elements import Stretch
from ..dicom.embedded_overlays import CELL, ClearedBits, described, kept_bits, position_of
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import Scope
from .pixel_edits import NO_PIXEL_EDITS, FrameChanges, FramePixels, PixelEdits

NOT_CLEARED = "an overlay in its pixels could not be cleared"
KEPT = "an overlay in its pixels stays, as no key removes it"

_PIXELS = ScanFilter({INTEGER_PIXEL_DATA, *CELL}, ())


def clear_overlays(
    groups: Iterable[int], data: Stretch, root: Scope, changes: FrameChanges | None
) -> tuple[PixelEdits, str]:
    """What clears the overlays of some groups in pixels.

    Args:
        groups: the groups that are removed.
        data: the data set.
        root: what was scanned of it, and beyond it the file meta.
        changes: what becomes of compressed frames besides; None for nothing.

    Returns:
        The edits, of which there are none where nothing is to do; and why a person should look at the
        pixels, as the overlays cannot be cleared, "" if they can.

    Raises:
        FileError: a compressed frame is damaged.
    """
    positions = _positions(groups, root)
    if not positions:
        return NO_PIXEL_EDITS, ""
    scope = Scope(root.source, scan(data, _PIXELS), root.encoding, data.start)
    pixels = scope.elements.get(INTEGER_PIXEL_DATA)
    if pixels is None:
        return NO_PIXEL_EDITS, ""
    kept = kept_bits(positions, _numbers(scope, CELL), little=scope.encoding.little)
    if kept is None:
        return NO_PIXEL_EDITS, NOT_CLEARED
    if not pixels.defined:
        return _clear_compressed(positions, data, root, changes)
    edit = Edit(pixels.value, pixels.stop, ClearedBits(pixels.value, pixels.stop, kept))
    return PixelEdits((edit,)), ""


def join_edits(clearing: PixelEdits, others: PixelEdits) -> PixelEdits:
    """What clears overlays, with what else is changed in the pixels.

    Args:
        clearing: as of ``clear_overlays``, which has seen what becomes of compressed frames.
        others: the changes by masks.
    """
    if clearing.frames is not None or not others:
        return clearing
    from ..pixels.masked import MaskedPixels  # noqa: PLC0415  (where pixels are cleaned alone)

    masked, cleared = others.edits[0].data, clearing.edits[0].data
    assert isinstance(masked, MaskedPixels)
    assert isinstance(cleared, ClearedBits)
    both = masked.clearing(cleared.kept)
    return PixelEdits((Edit(both.start, both.stop, both),))


def _clear_compressed(
    positions: Iterable[int], data: Stretch, root: Scope, changes: FrameChanges | None
) -> tuple[PixelEdits, str]:
    """The same for compressed pixels; what their frames do not have needs no clearing."""
    if packages := missing(CODECS, find_spec):
        return NO_PIXEL_EDITS, f"{NOT_CLEARED}, for which packages are missing: pip install {packages}"
    from ..pixels.frame_codecs import reason_against  # noqa: PLC0415  (for compressed overlays alone)
    from ..pixels.image import DESCRIPTION, image_of  # noqa: PLC0415
    from ..pixels.masked import Masks  # noqa: PLC0415
    from .compressed_pixels import CompressedPixels  # noqa: PLC0415

    cleared = sum(1 << position for position in positions)
    pixels: FramePixels
    if changes is not None:
        pixels, masks = changes.pixels, changes.masks
    else:
        described_by = ScanFilter(DESCRIPTION | {LOSSY_IMAGE_COMPRESSION}, ())
        scope = Scope(root.source, scan(data, described_by), root.encoding, data.start)
        scope.beyond = root.beyond
        try:
            image = image_of(scope)
            if image is None:
                return NO_PIXEL_EDITS, ""
            if problem := reason_against(image.syntax):
                return NO_PIXEL_EDITS, f"{NOT_CLEARED}: {problem}"
            pixels, masks = CompressedPixels(data.source, scope, image), Masks()
        except FileError as error:
            return NO_PIXEL_EDITS, f"{NOT_CLEARED}: {error}"
    if not pixels.holds(cleared):
        return NO_PIXEL_EDITS, ""
    return pixels.changed(masks, cleared), ""


def reason_to_see(groups: Iterable[int], root: Scope) -> str:
    """Why a person should look at pixels with overlays that no rule removes; "" where there are none.

    Args:
        groups: their groups.
        root: what was scanned of the data set.
    """
    return KEPT if _positions(groups, root) else ""


def reason_left(cleaned: str, patched: str) -> str:
    """Why a person should look at pixels that were to be cleaned: an overlay that stays counts, too.

    Args:
        cleaned: why, as the cleaning of the pixels has it.
        patched: why, as the pass over the elements has it.
    """
    return "; ".join(filter(None, (cleaned, patched if patched.startswith((NOT_CLEARED, KEPT)) else "")))


def _positions(groups: Iterable[int], root: Scope) -> set[int]:
    """The bits that the overlays of some groups take."""
    found = set()
    for group in groups:
        tags = described(group)
        if tags[1] in root.elements:
            bit = position_of(group, _numbers(root, tags[:2]), has_data=tags[2] in root.elements)
            found |= set() if bit is None else {bit}
    return found


def _numbers(scope: Scope, tags: Iterable[int]) -> dict[int, int]:
    """The first numbers of elements of VR US, as far as the data set has them."""
    order: Literal["little", "big"] = "little" if scope.encoding.little else "big"
    return {
        tag: int.from_bytes(scope.raw(scope.elements[tag])[:2], order)
        for tag in tags
        if tag in scope.elements and scope.elements[tag].stop - scope.elements[tag].value >= 2
    }
