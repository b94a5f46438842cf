"""The key ``rest``: what goes where a spec names what stays."""

from __future__ import annotations

from ..dicom import dictionary

REPEATING_GROUPS = frozenset({0x0000, 0x1000, 0x1010, *range(0x5000, 0x5100, 2), *range(0x6000, 0x6100, 2)})
"""Groups that go as a whole: those of messages, curves and overlays, and ACR-NEMA's odd tables."""

_MEDIA_GROUP = 0x0004
_FILE_SET_ID = 0x00041130
_PIXEL_GROUP_FIRST = 0x7F00

_DESCRIPTION = """
    SOPClassUID SOPInstanceUID LengthToEnd
    SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames Rows Columns PixelAspectRatio
    BitsAllocated BitsStored HighBit PixelRepresentation PixelPaddingValue PixelPaddingRangeLimit
    RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
    BluePaletteColorLookupTableDescriptor AlphaPaletteColorLookupTableDescriptor
    RedPaletteColorLookupTableData GreenPaletteColorLookupTableData BluePaletteColorLookupTableData
    AlphaPaletteColorLookupTableData SegmentedRedPaletteColorLookupTableData
    SegmentedGreenPaletteColorLookupTableData SegmentedBluePaletteColorLookupTableData
    SegmentedAlphaPaletteColorLookupTableData
"""


def is_needed(tag: int) -> bool:
    """Whether an object cannot be read without an element.

    That is what says how it is encoded, which object it is, and its pixels with their description (PS3.3
    C.7.6.3, C.12.1); in a DICOMDIR what makes it one (PS3.3 F).
    """
    group = tag >> 16
    if group == _MEDIA_GROUP:
        return tag != _FILE_SET_ID
    is_structure = tag in dictionary.NEVER_BY_PATTERN or not tag & 0xFFFF or group == 0x0002
    return is_structure or group >= _PIXEL_GROUP_FIRST or tag in _NEEDED


_NEEDED = frozenset(tag for keyword in _DESCRIPTION.split() for tag in dictionary.tags_of(keyword))


def rest_tags() -> frozenset[int]:
    """Every tag that a dictionary knows, in no group that goes as a whole, and that is not needed."""
    named = {tag for keyword in dictionary.all_keywords() for tag in dictionary.tags_of(keyword)}
    known = named | dictionary.all_tags()
    return frozenset(
        tag
        for tag in known
        if tag >> 16 not in REPEATING_GROUPS and tag >> 16 != 0xFFFE and not is_needed(tag)
    )
