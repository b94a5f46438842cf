"""What the user asked of the cleaning of pixels."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ..core.options import PixelMethod, PixelSelection
from .device_masks import DeviceMask, Parse, load_masks


@dataclass(frozen=True)
class PixelSettings:
    """What is asked of the cleaning of pixels; it is picklable.

    Attributes:
        methods: how to find what is blackened.
        masks: the masks of devices.
        selection: which files are cleaned.
        all_frames: whether what is found on one frame is blackened on all.
    """

    methods: tuple[PixelMethod, ...]
    masks: tuple[DeviceMask, ...] = ()
    selection: PixelSelection = PixelSelection.REVIEW
    all_frames: bool = False

    @classmethod
    def of(
        cls,
        methods: str,
        mask_file: str,
        selection: PixelSelection,
        *,
        all_frames: bool = False,
        parse: Parse | None = None,
    ) -> PixelSettings:
        """The settings of a command line.

        Args:
            methods: their names, joined with commas.
            mask_file: ``--pixelMasks``; "" for none.
            selection: which files are cleaned.
            all_frames: whether what is found on one frame is blackened on all.
            parse: reads conditions of masks that are texts; None where there are none.

        Raises:
            SpecError: the file is no list of masks.
        """
        given = {PixelMethod(name.strip()) for name in methods.split(",")}
        masks = load_masks(mask_file, parse) if PixelMethod.DEVICES in given else ()
        return cls(tuple(method for method in PixelMethod if method in given), masks, selection, all_frames)

    @property
    def digest(self) -> str:
        """What tells one setting from another, for a ledger."""
        asked = (self.methods, self.masks, self.selection, self.all_frames)
        return hashlib.sha256(repr(asked).encode()).hexdigest()
