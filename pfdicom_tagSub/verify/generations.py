"""What was found out of late, within bounds."""

from __future__ import annotations

from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Generations(Generic[K, V]):
    """A dictionary that forgets what nobody asked for lately.

    It has two halves. When the young one is full it becomes the old one, and what the old one held and
    nobody asked for meanwhile is gone.

    >>> known = Generations(2)
    >>> for number in range(3):
    ...     known.put(number, str(number))
    >>> known.get(0), known.get(2)
    ('0', '2')
    >>> known.put(3, "3")
    >>> known.get(1) is None
    True
    """

    __slots__ = ("_most", "_old", "_weight", "_young")

    def __init__(self, most: int) -> None:
        """Args:
        most: the weight of a half at most.
        """
        self._most = most
        self._weight = 0
        self._young: dict[K, tuple[V, int]] = {}
        self._old: dict[K, tuple[V, int]] = {}

    def get(self, key: K) -> V | None:
        """What is known of a key; None for nothing."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is None:
                return None
            self.put(key, *found)
        return found[0]

    def put(self, key: K, value: V, weight: int = 1) -> None:
        """Remember what was found of a key that is not known."""
        if self._weight + weight > self._most:
            self._old = self._young
            self._young = {}
            self._weight = 0
        self._young[key] = value, weight
        self._weight += weight
