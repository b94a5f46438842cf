"""What the reading of an element depends on besides its bytes, and sequences that were read in it."""

from __future__ import annotations

import io
import warnings
from typing import Any, BinaryIO, cast

from pydicom.filereader import data_element_generator

from .pydicom_reading import DEFERRED


class ReadingContext:
    """What the reading of an element depends on besides its bytes.

    Attributes:
        implicit: whether VRs are left out.
        little: whether the byte order is little endian.
        encodings: Python's names of the character sets.
        loaded: the sequences that hold items.
    """

    def __init__(self, *, implicit: bool, little: bool, encodings: tuple[str, ...]) -> None:
        self.implicit = implicit
        self.little = little
        self.encodings = encodings
        self.loaded: list[ParsedSequence] = []

    def forget(self) -> None:
        """Let go of the items of sequences."""
        for parsed in self.loaded:
            parsed.forget()
        self.loaded.clear()

    def stored_at(self, data: bytes, place: int) -> tuple[Any, int]:
        """What pydicom reads at a place, and where it ends."""
        fp = cast(BinaryIO, io.BytesIO(data))
        fp.seek(place)
        found = data_element_generator(
            fp, self.implicit, self.little, defer_size=DEFERRED, encoding=list(self.encodings)
        )
        with warnings.catch_warnings(action="ignore"):  # they may quote values
            return next(found), fp.tell()


class ParsedSequence:
    """A sequence of undefined length, which pydicom had to enter; its items are read when they are needed."""

    __slots__ = ("_context", "_data", "_items")
    VR = "SQ"

    def __init__(self, context: ReadingContext, data: bytes, items: Any = None) -> None:
        self._context = context
        self._data = data
        self._items = items

    @property
    def value(self) -> Any:
        """The items as pydicom read them, places told from the beginning of the element."""
        if self._items is None:
            stored, _ = self._context.stored_at(self._data, 0)
            self._items = stored.value
            self._context.loaded.append(self)
        return self._items

    def forget(self) -> None:
        """Let go of the items."""
        self._items = None
