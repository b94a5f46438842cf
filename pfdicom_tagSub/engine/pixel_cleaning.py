"""The pixels of one file: whether they are cleaned, what changes, and what is left to look at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..core.errors import FileError
from ..core.options import PixelMethod, PixelSelection
from ..core.outcome import CleanedPixels, PixelRectangle
from ..dicom.edits import Edit
from ..dicom.file import DicomFile
from ..dicom.scope import Scope
from ..pixels.encapsulated import NewFrames, edits_of, frames_of
from ..pixels.finding import Finder, Found, Told, windows_of
from ..pixels.frames import check_frame_size, native_frame
from ..pixels.image import EXTENDED_LENGTHS, EXTENDED_OFFSETS, Image
from ..pixels.jpeg_blocks import SYNTAXES, Coefficients, checked_header, decoded, widened
from ..pixels.masked import MaskedPixels, Masks, check_size
from ..pixels.rectangles import area
from ..pixels.settings import PixelSettings
from .pixel_review import REVIEWED, reason_to_review

_HEADERS_ALONE = "only masks were blackened; no detector looked for text in the rest"
_NOTHING_FOUND = "{reason}; nothing was blackened, as no {methods} told where"
_SUSPICIOUS = "a list of devices names it as one that commonly shows identifying text"
_COMPRESSED = (
    "its pixels have to be cleaned and are compressed in a way that cannot be: decompress the file and run "
    "again, or leave it out"
)
_FACES = frozenset(
    {
        "it says that it has recognizable visual features",
        "a photograph or video, which commonly shows identifying text or features",
    }
)
"""What the blackening of text does not cure."""


@dataclass(frozen=True)
class PixelCleaning:
    """What becomes of the pixels of one file.

    Attributes:
        edits: the changes of the data set; () where the pixels stay.
        cleaned: what the record says; None where the pixels stay.
        review: why a person should look at them all the same; "" where nothing suggests that.
        image: their layout; None where the pixels stay.
        masks: what is blackened.
    """

    edits: tuple[Edit, ...] = ()
    cleaned: CleanedPixels | None = None
    review: str = ""
    image: Image | None = None
    masks: Masks = field(default_factory=Masks)


class PixelCleaner:
    """Cleans pixels as the settings ask; make one in each process or thread."""

    def __init__(self, settings: PixelSettings) -> None:
        self.settings = settings
        self.finder = Finder(settings, REVIEWED)

    def clean(self, file: DicomFile) -> PixelCleaning:
        """What becomes of the pixels of a file.

        Args:
            file: the input.

        Raises:
            FileError: they have to be cleaned and cannot be; the text quotes no value.
        """
        root = self.finder.root_of(file)
        reason = reason_to_review(root)
        if not reason and self.settings.selection is PixelSelection.REVIEW:
            return PixelCleaning()
        told = self.finder.header(root)
        if not told.rectangles and PixelMethod.TEXT not in self.settings.methods:
            return PixelCleaning(review=self._unchanged(reason, told))
        image = self._image(root)
        if image is None:
            return PixelCleaning(review=reason)
        if image.syntax in SYNTAXES:
            return self._jpeg(file, root, told, image, reason)
        if not image.is_native:
            raise FileError(_COMPRESSED)
        found = self._find(file, root, told, image)
        if not found.masks:
            return PixelCleaning(review=self._unchanged(reason, told))
        masked = MaskedPixels.of(image, found.masks)
        return PixelCleaning(
            (Edit(masked.start, masked.stop, masked),),
            _told(image, found),
            self._left(reason, told),
            image,
            found.masks,
        )

    def _jpeg(self, file: DicomFile, root: Scope, told: Told, image: Image, reason: str) -> PixelCleaning:
        """What becomes of JPEG frames: blocks of coefficients are replaced."""
        check_frame_size(image)
        source = file.data.source
        offsets = root.elements.get(EXTENDED_OFFSETS)
        frames = frames_of(source, image, offsets)
        size = image.rows, image.columns, image.samples
        unit = checked_header(frames.data(source, 0), *size).unit
        if PixelMethod.TEXT in self.settings.methods:
            shown = replace(image, photometric="RGB", black=(0, 0, 0)) if image.samples == 3 else image
            pictures = (decoded(frames.data(source, index), *size) for index in range(image.frames))
            found = self.finder.find_text(told, shown, pictures, windows_of(root))
        else:
            found = self.finder.find(told, image)
        if not found.masks:
            return PixelCleaning(review=self._unchanged(reason, told))
        wide = {
            frame: widened((*found.masks.common, *own), unit, image.rows, image.columns)
            for frame, own in found.masks.own.items()
        }
        masks = Masks(widened(found.masks.common, unit, image.rows, image.columns), wide)
        new = NewFrames()
        blocks = 0
        for index in range(image.frames):
            rectangles = masks.of(index)
            if not rectangles:
                continue
            data = frames.data(source, index)
            header = checked_header(data, *size)
            if header.unit != unit:
                raise FileError("the JPEG frames of PixelData have different samplings")
            decoded(data, *size)  # what is damaged is known before libjpeg sees it
            coefficients = Coefficients(data)
            is_inverse = image.photometric == "MONOCHROME1"
            blocks += coefficients.blacken(rectangles, header, is_inverse=is_inverse)
            new.add(index, coefficients.encoded())
        edits = edits_of(frames, new.frames, offsets, root.elements.get(EXTENDED_LENGTHS))
        cleaned = replace(_told(image, Found(masks, found.methods)), bits=0, blocks=blocks)
        return PixelCleaning(edits, cleaned, self._left(reason, told), image, masks)

    def _find(self, file: DicomFile, root: Scope, told: Told, image: Image) -> Found:
        if PixelMethod.TEXT not in self.settings.methods:
            return self.finder.find(told, image)
        check_frame_size(image)
        check_size(image)
        frames = (native_frame(file.data.source, image, frame) for frame in range(image.frames))
        return self.finder.find_text(told, image, frames, windows_of(root))

    def _image(self, root: Scope) -> Image | None:
        """The pixels; None where there are none."""
        try:
            return self.finder.image(root)
        except FileError as error:
            raise FileError(f"its pixels cannot be cleaned: {error}") from None

    def _unchanged(self, reason: str, told: Told) -> str:
        if told.is_suspicious:
            reason = reason or _SUSPICIOUS
        if not reason:
            return ""
        methods = " and no ".join(self.settings.methods)
        return _NOTHING_FOUND.format(reason=reason, methods=methods)

    def _left(self, reason: str, told: Told) -> str:
        """Why a person should look at pixels that were cleaned."""
        if reason in _FACES:
            return reason
        if PixelMethod.TEXT in self.settings.methods:
            return ""
        return _SUSPICIOUS if told.is_suspicious else _HEADERS_ALONE


def _told(image: Image, found: Found) -> CleanedPixels:
    """What the record says of a file whose pixels are cleaned."""
    masks = found.masks
    rectangles = [PixelRectangle(*one, frame=-1) for one in masks.common]
    rectangles += [
        PixelRectangle(*one, frame=frame) for frame, own in sorted(masks.own.items()) for one in own
    ]
    bits = image.allocated * (2 if image.is_halved else image.samples)
    if masks.own:
        pixels = sum(area(masks.of(frame)) for frame in range(image.frames))
    else:
        pixels = area(masks.common) * image.frames
    return CleanedPixels(
        tuple(found.methods), tuple(rectangles), masks.frames(image.frames), pixels * bits, 0
    )
