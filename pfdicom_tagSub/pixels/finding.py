"""What is blackened in a file, as far as its header tells, and which files are cleaned at all."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import FileError
from ..core.options import PixelMethod
from ..dicom.file import DicomFile
from ..dicom.scan_filter import ScanFilter
from ..dicom.scanner import scan
from ..dicom.scope import META_KEY, Scope
from .device_masks import tags_of
from .frames import Numbers
from .image import DESCRIPTION, Image, image_of, size_of
from .masked import Masks, even_columns
from .rectangles import Rectangle, clipped, disjoint
from .regions import EDGES, REGIONS, outside_regions
from .settings import PixelSettings
from .windows import WINDOW

if TYPE_CHECKING:
    from .detecting import TextFinder


@dataclass(frozen=True)
class HeaderFindings:
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
class Findings:
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
        self._detector: TextFinder | None = None
        sought = tags_of(settings.masks)
        self.filter = ScanFilter(
            DESCRIPTION | WINDOW | {REGIONS} | EDGES | sought | frozenset(others), EDGES, walked=(REGIONS,)
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
        return image_of(root)

    def header(self, root: Scope) -> HeaderFindings:
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
        return HeaderFindings(tuple(rectangles), tuple(methods), is_suspicious)

    def find(self, by_header: HeaderFindings, image: Image) -> Findings:
        """What has to be blackened.

        Args:
            by_header: what the header tells.
            image: the pixels.
        """
        return Findings(Masks(fitted(by_header.rectangles, image)), by_header.methods)

    def find_text(
        self,
        by_header: HeaderFindings,
        image: Image,
        frames: Iterable[Numbers],
    ) -> Findings:
        """What has to be blackened, with text that a detector finds on any frame.

        What the header told is not looked at again, nor what is as in the frame before.

        Args:
            by_header: what the header tells.
            image: the pixels.
            frames: the numbers of every frame, in order.

        Raises:
            FileError: a frame cannot be looked at.
        """
        common = fitted(by_header.rectangles, image)
        black = image.black if image.samples == 3 else image.black[0]
        seen: dict[bytes, tuple[Rectangle, ...]] = {}
        own: dict[int, tuple[Rectangle, ...]] = {}
        before: tuple[Numbers, tuple[Rectangle, ...]] | None = None
        for index, numbers in enumerate(frames):
            shown = numbers.copy() if common else numbers
            for one in common:
                shown[one.y : one.bottom, one.x : one.right] = black
            digest = hashlib.blake2b(np.ascontiguousarray(shown).data, digest_size=16).digest()
            if digest not in seen:
                seen[digest] = fitted(self._texts(shown, image, before), image)
            before = shown, seen[digest]
            if seen[digest]:
                own[index] = seen[digest]
        methods = (*by_header.methods, *([PixelMethod.TEXT] if own else []))
        if own and (len(seen) == 1 or self.settings.all_frames):
            every = {one for found in own.values() for one in found}
            return Findings(Masks(fitted((*common, *every), image)), methods)
        return Findings(Masks(common, own), methods)

    def _texts(
        self, numbers: Numbers, image: Image, before: tuple[Numbers, tuple[Rectangle, ...]] | None
    ) -> tuple[Rectangle, ...]:
        """What a detector finds in a frame, however a viewer shows it.

        Args:
            numbers: those of the frame.
            image: the layout.
            before: the frame before, and what was found in it; None for the first.
        """
        try:
            if self._detector is None:
                from .detecting import TextFinder  # noqa: PLC0415  (it loads the weights)

                self._detector = TextFinder()
            return self._detector.texts(numbers, image, before)
        except MemoryError:
            raise
        except Exception as error:  # a detector that crashes has not looked
            raise FileError(f"the detector of text failed: {type(error).__name__}") from None


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
