"""The changes of one file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..core.outcome import ElementCounts
from ..dicom.edits import Edit

if TYPE_CHECKING:
    from ..core.file_survey import FileSurvey
    from .pixel_edits import FrameChanges


@dataclass(frozen=True)
class Patched:
    """The changes of one file.

    Attributes:
        edits: those of the file's bytes, in order.
        data_edits: those of the inflated data set, where it is stored deflated.
        elements: what was done to which elements.
        originals: texts that were replaced, removed or emptied, as far as they are short.
        review: why a person should look at the pixels; "" where nothing suggests that.
        survey: what the pass tells of itself, if it was asked to.
        pairs: the original and the new identifiers, if it was asked for them.
        unknown_terms: of Specific Character Sets, what of them is no term of the standard; "" for nothing.
            Then all text that they govern is ASCII.
        frames: what becomes of compressed frames; None where the pixels are native, or stay.
    """

    edits: list[Edit]
    data_edits: list[Edit]
    elements: ElementCounts
    originals: tuple[str, ...] = ()
    review: str = ""
    survey: FileSurvey | None = None
    unknown_terms: str = ""
    pairs: tuple[tuple[str, str, str], ...] = ()
    frames: FrameChanges | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the output is the input, byte for byte."""
        return not self.edits and not self.data_edits
