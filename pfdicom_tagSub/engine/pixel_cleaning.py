"""The pixels of one file: whether they are cleaned, what changes, and what is left to look at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from ..core.errors import FileError
from ..core.options import PixelMethod, PixelSelection
from ..core.outcome import CleanedPixels, PixelRectangle
from ..dicom.dictionary import FIRST_RECORD_OFFSET, LOSSY_IMAGE_COMPRESSION
from ..dicom.edits import Edit
from ..dicom.file import DicomFile
from ..dicom.scope import Scope
from ..pixels.finding import Finder, Findings, HeaderFindings
from ..pixels.frames import check_frame_size, native_frame
from ..pixels.image import NATIVE, Image, size_of, syntax_of
from ..pixels.masked import MaskedPixels, Masks, check_size
from ..pixels.rectangles import area
from ..pixels.settings import PixelSettings
from .pixel_edits import NO_PIXEL_EDITS, PixelEdits
from .pixel_review import REVIEWED, reason_of_meta, reason_to_review

_HEADERS_ALONE = "only masks were blackened; no detector looked for text in the rest"
_NOTHING_FOUND = "{reason}; nothing was blackened, as no {methods} told where"
_SUSPICIOUS = "a list of devices names it as one that commonly shows identifying text"
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
        edits: what changes in the file.
        cleaned: what the record says; None where the pixels stay.
        review: why a person should look at them all the same; "" where nothing suggests that.
        image: their layout; None where the pixels stay.
        masks: what is blackened.
        is_directory: whether the file is a DICOMDIR, whose icons show what the pictures of its files show.
    """

    edits: PixelEdits = NO_PIXEL_EDITS
    cleaned: CleanedPixels | None = None
    review: str = ""
    image: Image | None = None
    masks: Masks = field(default_factory=Masks)
    is_directory: bool = False


class PixelCleaner:
    """Cleans pixels as the settings ask; make one in each process or thread."""

    def __init__(self, settings: PixelSettings) -> None:
        self.settings = settings
        self.finder = Finder(settings, REVIEWED | {LOSSY_IMAGE_COMPRESSION, FIRST_RECORD_OFFSET})

    def clean(self, file: DicomFile) -> PixelCleaning:
        """What becomes of the pixels of a file.

        Args:
            file: the input.

        Raises:
            FileError: they have to be cleaned and cannot be; the text quotes no value.
        """
        root = self.finder.root_of(file)
        if FIRST_RECORD_OFFSET in root.elements:
            return PixelCleaning(is_directory=True)
        reason = reason_to_review(root) or reason_of_meta(root)
        if not reason and self.settings.selection is PixelSelection.REVIEW:
            return PixelCleaning()
        if not all(size_of(root)):  # in a picture without a size no place is told
            self._image(root)
        by_header = self.finder.header(root)
        if not by_header.rectangles and PixelMethod.TEXT not in self.settings.methods:
            return PixelCleaning(review=self._unchanged(reason, by_header))
        image = self._image(root)
        if image is None:
            _check_absent(root)
            return PixelCleaning(review=reason)
        if not image.is_native:
            return self._compressed(file, root, by_header, image, reason)
        found = self._find(file, by_header, image)
        if not found.masks:
            return PixelCleaning(review=self._unchanged(reason, by_header))
        masked = MaskedPixels.of(image, found.masks)
        return PixelCleaning(
            PixelEdits((Edit(masked.start, masked.stop, masked),)),
            _cleaned_pixels(image, found),
            self._left(reason, by_header),
            image,
            found.masks,
        )

    def _compressed(
        self, file: DicomFile, root: Scope, by_header: HeaderFindings, image: Image, reason: str
    ) -> PixelCleaning:
        """What becomes of compressed frames: those with a rectangle are changed, the others stay."""
        # Native pixels need none of it, and most runs over them are short.
        from ..pixels.frame_codecs import reason_against  # noqa: PLC0415
        from .compressed_pixels import CompressedPixels  # noqa: PLC0415

        if problem := reason_against(image.syntax):
            raise FileError(problem)
        pixels = CompressedPixels(file.data.source, root, image)
        if PixelMethod.TEXT in self.settings.methods:
            check_frame_size(image, is_looked_at=True)
            found = self.finder.find_text(by_header, pixels.shown, pixels.decoded())
        else:
            found = self.finder.find(by_header, image)
        if not found.masks:
            return PixelCleaning(review=self._unchanged(reason, by_header))
        masks = pixels.fitted(found.masks)
        edits = pixels.changed(masks)
        cleaned = _cleaned_pixels(image, Findings(masks, found.methods))
        if edits.frames is not None and edits.frames.blocks:
            cleaned = replace(cleaned, bits=0, blocks=edits.frames.blocks)
        return PixelCleaning(edits, cleaned, self._left(reason, by_header), image, masks)

    def _find(self, file: DicomFile, by_header: HeaderFindings, image: Image) -> Findings:
        if PixelMethod.TEXT not in self.settings.methods:
            return self.finder.find(by_header, image)
        check_frame_size(image, is_looked_at=True)
        check_size(image)
        frames = (native_frame(file.data.source, image, frame) for frame in range(image.frames))
        return self.finder.find_text(by_header, image, frames)

    def _image(self, root: Scope) -> Image | None:
        """The pixels; None where there are none."""
        try:
            return self.finder.image(root)
        except FileError as error:
            raise FileError(f"its pixels cannot be cleaned: {error}") from None

    def _unchanged(self, reason: str, by_header: HeaderFindings) -> str:
        if by_header.is_suspicious:
            reason = reason or _SUSPICIOUS
        if not reason:
            return ""
        methods = " and no ".join(self.settings.methods)
        return _NOTHING_FOUND.format(reason=reason, methods=methods)

    def _left(self, reason: str, by_header: HeaderFindings) -> str:
        """Why a person should look at pixels that were cleaned."""
        if reason in _FACES:
            return reason
        if PixelMethod.TEXT in self.settings.methods:
            return ""
        return _SUSPICIOUS if by_header.is_suspicious else _HEADERS_ALONE


def _check_absent(root: Scope) -> None:
    """See that pixels which are not in a file are nowhere.

    Raises:
        FileError: the file says that they are elsewhere.
    """
    syntax = syntax_of(root)
    if syntax in NATIVE:
        return
    from ..pixels.frame_codecs import ELSEWHERE, REFERENCED  # noqa: PLC0415  (as of CompressedPixels)

    if syntax in REFERENCED:
        raise FileError(ELSEWHERE)


def _cleaned_pixels(image: Image, found: Findings) -> CleanedPixels:
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
