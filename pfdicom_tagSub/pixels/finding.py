"""What is blackened in a file, as far as its header tells, and which files are cleaned at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..core.errors import FileError
from ..core.options import PixelMethod
from ..dicom.file import DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import META_KEY, Scope
from .device_masks import tags_of
from .image import DESCRIPTION, Image, image_of, size_of
from .masked import Masks, even_columns
from .rectangles import Rectangle, clipped, disjoint
from .regions import EDGES, REGIONS, outside_regions
from .settings import PixelSettings

TRANSFER_SYNTAX_UID = 0x00020010


@dataclass(frozen=True)
class Told:
    """What a header tells of the places of text.

    Attributes:
        rectangles: the places, within the picture.
        methods: which methods told any.
        is_suspicious: whether the list of devices names the file as one that a person has to see.
    """

    rectangles: tuple[Rectangle, ...]
    methods: tuple[PixelMethod, ...]
    is_suspicious: bool = False


@dataclass(frozen=True)
class Found:
    """What is to be blackened.

    Attributes:
        masks: where.
        methods: which methods found something.
    """

    masks: Masks
    methods: tuple[PixelMethod, ...]


class Finder:
    """Finds what is blackened; make one in each process or thread."""

    def __init__(self, settings: PixelSettings, others: Iterable[int] = ()) -> None:
        """Args:
        settings: what was asked.
        others: more tags that the caller wants to know.
        """
        self.settings = settings
        sought = tags_of(settings.masks)
        self.filter = ScanFilter(
            DESCRIPTION | {REGIONS} | EDGES | sought | frozenset(others), EDGES, walked=(REGIONS,)
        )

    def root_of(self, file: DicomFile) -> Scope:
        """The data set of a file, with what has to be known of it, and its file meta beyond.

        Raises:
            FileError: its bytes do not make a data set.
        """
        data = file.data
        root = Scope(data.source, scan(data, self.filter), data.encoding, data.start)
        root.beyond = Scope(file.source, file.meta, file.meta_encoding, META_KEY)
        return root

    def image(self, root: Scope) -> Image | None:
        """The pixels of a file; None where it has none.

        Raises:
            FileError: they are none that can be cleaned.
        """
        meta = root.beyond
        own = meta.elements.get(TRANSFER_SYNTAX_UID) if meta is not None else None
        syntax = meta.raw(own).decode("latin-1").strip(" \0") if meta is not None and own is not None else ""
        return image_of(root, syntax)

    def header(self, root: Scope) -> Told:
        """What the header tells of the places of text."""
        rows, columns = size_of(root)
        rectangles: list[Rectangle] = []
        methods: list[PixelMethod] = []
        is_suspicious = False
        if PixelMethod.REGIONS in self.settings.methods:
            around = outside_regions(root, rows, columns)
            if around:
                methods.append(PixelMethod.REGIONS)
                rectangles += around
        if PixelMethod.DEVICES in self.settings.methods:
            masks = [mask for mask in self.settings.masks if mask.fits(_Values(root))]
            is_suspicious = any(not mask.rectangles for mask in masks)
            own = clipped((one for mask in masks for one in mask.rectangles), rows, columns)
            if own:
                methods.append(PixelMethod.DEVICES)
                rectangles += own
        return Told(tuple(rectangles), tuple(methods), is_suspicious)

    def find(self, told: Told, image: Image) -> Found:
        """What has to be blackened.

        Args:
            told: what the header tells.
            image: the pixels.
        """
        return Found(Masks(fitted(told.rectangles, image)), told.methods)


def fitted(rectangles: Iterable[Rectangle], image: Image) -> tuple[Rectangle, ...]:
    """Rectangles as they can be blackened in a picture, which cover no pixel twice."""
    inside = clipped(rectangles, image.rows, image.columns)
    if image.is_native and image.is_halved:
        return even_columns(inside, image.columns)
    return disjoint(inside)


class _Values:
    """The texts of the elements of a file, for conditions."""

    def __init__(self, root: Scope) -> None:
        self._root = root

    def __call__(self, tag: int) -> tuple[str, ...] | None:
        scope = self._root.beyond if tag >> 16 == 0x0002 else self._root
        element = scope.elements.get(tag) if scope is not None else None
        if scope is None or element is None:
            return None
        if element.vr == "SQ":
            return ("items",) if element.stop > element.value else ()
        try:
            return scope.value(element).texts or ()
        except FileError:  # of a character set that nobody knows; what devices say is ASCII
            return tuple(scope.raw(element).decode("latin-1").strip(" \0").split("\\"))
