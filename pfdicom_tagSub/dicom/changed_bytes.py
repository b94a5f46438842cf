"""Stretches of an input that are changed as they are copied, so that none is held whole."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from .sources import Source


class ChangedBytes(ABC):
    """New bytes that are made of the input's a piece at a time."""

    __slots__ = ()

    @abstractmethod
    def __len__(self) -> int:
        """How many bytes ``pieces`` gives."""

    @abstractmethod
    def pieces(self, source: Source) -> Iterator[bytes]:
        """The new bytes, some at a time.

        Args:
            source: the input.
        """
