"""Pictures of a file for people: some of its frames and the maximum over all, before and after cleaning."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import PIL.Image

from ..core.errors import FileError
from ..core.outcome import PixelRectangle
from ..dicom.file import DicomFile
from ..dicom.scope import Scope
from .encapsulated import frames_of
from .frame_codecs import CLEANED_SYNTAXES, codec_of
from .frames import Numbers, Picture, native_frame
from .image import EXTENDED_OFFSETS, FRAME_MOST, Image
from .lookup_tables import LookupTables
from .masked import check_size
from .windows import FrameWindows

SIDE_MOST = 1024
"""The longer side of a picture in pixels; larger frames are made smaller."""

QUALITY = 80

SAMPLES_AT_ONCE = 1 << 24
"""Of frames with more samples every second (third ...) row and column is shown."""

MAXIMUM = -1
"""The number of the picture that has the highest of each place over all frames."""


@dataclass(frozen=True)
class ShownPicture:
    """One picture.

    Attributes:
        frame: the index of its frame; ``MAXIMUM`` for the maximum over all.
        before: JPEG of the input.
        after: JPEG with what is blackened; b"" where nothing is.
    """

    frame: int
    before: bytes
    after: bytes


def shown_frames(count: int) -> tuple[int, ...]:
    """The first, the middle and the last of so many frames."""
    return tuple(sorted({0, count // 2, count - 1}))


def pictures(
    file: DicomFile, root: Scope, image: Image, rectangles: tuple[PixelRectangle, ...]
) -> Iterator[ShownPicture]:
    """Pictures of a file as a viewer would show it: frames, then the maximum where there are many.

    Each frame is shown in its own window, the maximum in that of the first.

    Args:
        file: the file.
        root: its data set, of which a ``Finder`` made a scan that kept ``GROUPS`` and ``TABLES``, too.
        image: the layout of its pixels.
        rectangles: what is blackened.

    Raises:
        FileError: its pixels cannot be shown.
    """
    chosen = shown_frames(image.frames)
    highest: Picture | None = None
    cleaned: Picture | None = None
    # Colour is shown as it is.
    windows = FrameWindows(root) if image.samples == 1 and not image.palette else None
    tables = LookupTables(root, image)
    first = windows.of(0)[:1] if windows is not None else ()
    for index, (numbers, layout) in enumerate(_thinned(file, root, image)):
        black = [one for one in rectangles if one.frame in {-1, index}]
        if index in chosen:
            own = windows.of(index)[:1] if windows is not None else ()
            picture = tables.shown(numbers, layout, own)
            masked = _masked(picture, image, black)
            yield ShownPicture(index, _jpeg(picture), _jpeg(masked) if masked is not picture else b"")
        if image.frames > 1:
            picture = tables.shown(numbers, layout, first)
            masked = _masked(picture, image, black)
            highest = picture if highest is None else np.maximum(highest, picture)
            cleaned = masked if cleaned is None else np.maximum(cleaned, masked)
    if highest is not None and cleaned is not None:
        yield ShownPicture(MAXIMUM, _jpeg(highest), _jpeg(cleaned) if rectangles else b"")


def _thinned(file: DicomFile, root: Scope, image: Image) -> Iterator[tuple[Numbers, Image]]:
    """The numbers of each frame, of large ones a part, and their layout."""
    if image.rows * image.columns * image.samples > FRAME_MOST:
        raise FileError("its frames are too large to be shown")
    step = 1
    while image.rows * image.columns * image.samples // step**2 > SAMPLES_AT_ONCE:
        step += 1
    source = file.data.source
    shown = image
    decoded: Iterator[Numbers]
    if image.is_native:
        check_size(image)
        decoded = (native_frame(source, image, frame) for frame in range(image.frames))
    elif image.syntax in CLEANED_SYNTAXES:
        frames = frames_of(source, image, root.elements.get(EXTENDED_OFFSETS))
        codec = codec_of(image, frames.data(source, 0))
        shown = codec.shown
        decoded = (codec.decoded(frames.data(source, frame)) for frame in range(image.frames))
    else:
        raise FileError("its pixels are compressed in a way that is not shown here")
    for numbers in decoded:
        yield numbers[::step, ::step], shown


def _masked(picture: Picture, image: Image, rectangles: list[PixelRectangle]) -> Picture:
    """A picture with rectangles black, as viewers show them."""
    if not rectangles:
        return picture
    down, across = image.rows / picture.shape[0], image.columns / picture.shape[1]
    made = picture.copy()
    for one in rectangles:
        top, bottom = int(one.y / down), -int(-(one.y + one.height) // down)
        left, right = int(one.x / across), -int(-(one.x + one.width) // across)
        made[top:bottom, left:right] = 0
    return made


def _jpeg(picture: Picture) -> bytes:
    made = PIL.Image.fromarray(picture)
    made.thumbnail((SIDE_MOST, SIDE_MOST))
    buffer = io.BytesIO()
    made.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
