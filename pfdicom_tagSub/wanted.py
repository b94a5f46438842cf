"""What a scan keeps, and how it tells from the raw bytes whether a sequence may hold it."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable

from .chains import Family
from .sources import Source

SEARCH_CHUNK = 1 << 20
LEARNT_MOST = 1 << 18
"""How many headers all chains together may remember."""


class Wanted:
    """What a scan keeps.

    Attributes:
        tags: the tags to keep.
        private: whether every private element is kept.
        everything: whether every element is kept and every sequence entered.
        patterns: for each byte order (True is little endian) what to search a sequence for
            before it is entered; None enters every one.
        families: what scans have learnt, for each encoding (implicit, little).
    """

    def __init__(
        self,
        tags: Iterable[int],
        enter: Collection[int] | None = None,
        *,
        private: bool = False,
        everything: bool = False,
    ) -> None:
        kept = frozenset(tags)
        self.everything = everything
        self.private = private
        self.tags: Container[int] = _Everything() if everything else kept
        sought = frozenset(kept if enter is None else enter)
        enter_all = private or everything
        self.patterns = {
            little: None if enter_all else _tag_pattern(sought, little) for little in (True, False)
        }
        self.families: dict[tuple[bool, bool], dict[bytes, Family]] = {
            (implicit, little): {} for implicit in (True, False) for little in (True, False)
        }
        self._learnt = 0

    def learnt(self, headers: int) -> None:
        """Note that more was learnt; when it has become too much all is forgotten."""
        self._learnt += headers
        if self._learnt > LEARNT_MOST:
            self._learnt = 0
            for families in self.families.values():
                families.clear()

    def occurs_in(self, source: Source, start: int, stop: int, *, little: bool) -> bool:
        """Whether the bytes may hold a tag to enter a sequence for.

        False is certain; True may be a chance likeness.
        """
        pattern = self.patterns[little]
        if pattern is None:
            return True
        while start < stop:
            buffer, base = source.window(start, min(stop - start, SEARCH_CHUNK))
            limit = min(stop, base + len(buffer))
            if pattern.search(buffer, start - base, limit - base):
                return True
            if limit >= stop:
                return False
            start = limit - 3  # a tag may straddle two windows
        return False


class _Everything:
    """Keeps every tag."""

    def __contains__(self, key: object) -> bool:
        return True


def _tag_pattern(tags: Collection[int], little: bool) -> re.Pattern[bytes] | None:
    """A pattern for the bytes of any of the tags.

    In little-endian bytes a tag is group low, group high, element low, element high; the
    alternatives share what they have in common, so that the search stays at C speed.
    """
    if not tags:
        return re.compile(rb"(?!)")
    order = "little" if little else "big"
    grouped: dict[bytes, dict[bytes, set[int]]] = {}
    for tag in tags:
        group = (tag >> 16).to_bytes(2, order)  # type: ignore[arg-type]
        element = (tag & 0xFFFF).to_bytes(2, order)  # type: ignore[arg-type]
        # Elements of one group mostly share their high byte: collect the low ones.
        shared, own = (element[1:], element[0]) if little else (element[:1], element[1])
        grouped.setdefault(group, {}).setdefault(shared, set()).add(own)
    alternatives = []
    for group, by_shared in sorted(grouped.items()):
        merged: dict[frozenset[int], list[int]] = {}
        for shared, owns in by_shared.items():
            merged.setdefault(frozenset(owns), []).append(shared[0])
        branches = []
        for same, shares in merged.items():
            pair = (_byte_class(same), _byte_class(shares))
            branches.append(b"".join(pair if little else pair[::-1]))
        alternatives.append(re.escape(group) + b"(?:" + b"|".join(sorted(branches)) + b")")
    return re.compile(b"|".join(alternatives), re.DOTALL)


def _byte_class(values: Iterable[int]) -> bytes:
    return b"[" + b"".join(b"\\x%02x" % value for value in sorted(values)) + b"]"


EVERYTHING = Wanted((), everything=True)
"""Keeps every element; shared, so that what its scans learn is, too."""
