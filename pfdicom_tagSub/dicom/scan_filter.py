"""What a scan keeps, and how it tells from the raw bytes whether a sequence may hold it."""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterable
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from .dictionary import is_unknown, vr_of
from .elements import LONG_VRS, SHORT_VRS
from .header_cache import FAMILY_MOST, Family
from .sources import Source

if TYPE_CHECKING:
    from .known_sequences import KnownSequences

SEARCH_CHUNK = 1 << 20
OVERLAP = 15
"""What is looked for has fewer bytes before its last, those that have to be before it included."""

_TEXT = re.compile(rb"[\t\n\f\r\x1b\x20-\xff]*\0?").fullmatch

LEARNT_MOST = 1 << 18
"""How many headers all chains together may remember."""


class Asked(NamedTuple):
    """What a scan is to keep besides, as conditions ask for it.

    Attributes:
        tags: the tags to keep.
        named: those of them that were named.
        entered: the tags to enter sequences for.
        walked: tags of sequences that are entered whatever becomes of them.
    """

    tags: frozenset[int] = frozenset()
    entered: frozenset[int] = frozenset()
    walked: frozenset[int] = frozenset()


NOTHING_ASKED = Asked()


class ScanFilter:
    """What a scan keeps.

    Attributes:
        tags: the tags to keep.
        named: those of them that were named.
        private: whether every private element is kept.
        merges: whether private elements may be kept together, as nobody asks for one of them.
        apart: the VRs of those that are kept by themselves all the same.
        within: what is kept within sequences that are kept themselves; None for the same.
        sequences: those that were entered before; None where each is entered.
        groups: the groups of which every element is kept.
        everything: whether every element is kept and every sequence entered.
        unknown: whether every public element that no dictionary knows is kept.
        kinds: whether elements are kept for what kind they are, see ``keeps``.
        patterns: for each byte order (True is little endian) what to search a sequence for
            before it is entered; None enters every one.
        sought: the tags to enter a sequence for.
        seeks: whether a sequence may be entered for anything.
        forms_most: how many forms of what follows a header are remembered.
        families: what scans have learnt, for each encoding (implicit, little).
    """

    def __init__(  # noqa: PLR0913  (each is a kind of element)
        self,
        tags: Iterable[int],
        enter: Collection[int] | None = None,
        *,
        private: bool = False,
        groups: Iterable[int] = (),
        walked: Iterable[int] = (),
        walked_groups: Iterable[int] = (),
        walked_private: Iterable[tuple[int, int]] = (),
        unknown: bool = False,
        everything: bool = False,
        vrs: Collection[str] = (),
        merges: bool = False,
        apart: Collection[str] = (),
        within: ScanFilter | None = None,
        outline: bool = False,
        sequences: KnownSequences | None = None,
    ) -> None:
        """Args:
        tags: the tags to keep.
        named: those of them that were named.
        enter: the tags to enter a sequence for; None takes ``tags``.
        private: keep every private element.
        groups: keep every element of these groups, and enter sequences for them.
        walked: tags among those whose sequences are entered all the same.
        walked_groups: groups among those likewise.
        walked_private: (group, last two digits) of private elements whose sequences are
            entered all the same.
        unknown: keep every public element that no dictionary knows, and enter every sequence for them.
        everything: keep every element and enter every sequence.
        vrs: of these, keep only what has one of these VRs, as stored or in the dictionary, and what is
            named otherwise; what may be text is told so.
        merges: private elements may be kept together.
        apart: but for those with one of these VRs, and creators; () is for none.
        within: what to keep within sequences that are kept themselves; None for the same.
        outline: keep every element of the data set itself and enter no sequence for them.
        sequences: takes over sequences that need not be entered again.
        """
        kept = frozenset(tags)
        self.groups = frozenset(groups)
        self._walked = frozenset(walked)
        self._walked_groups = frozenset(walked_groups)
        self._walked_private = frozenset(walked_private)
        self.named = kept
        self.everything = everything
        self.forms_most = FAMILY_MOST
        self.private = private
        self.merges = merges
        self.apart = frozenset(apart)
        self.vrs = frozenset(vrs)
        self.within = within
        self.sequences = sequences
        self.tags: Container[int] = _Everything() if (everything and not vrs) or outline else kept
        sought = frozenset(kept if enter is None else enter)
        self.sought = sought
        self._marks: dict[bool, re.Pattern[bytes]] = {}
        self.seeks = bool(sought or private or unknown or self.groups)
        self.unknown = unknown
        self.kinds = bool(private or unknown or self.groups or self.vrs)
        enter_all = private or unknown or everything
        self.patterns = {
            little: None if enter_all else _tag_pattern(sought, self.groups, little, with_items=True)
            for little in (True, False)
        }
        self.families: dict[tuple[bool, bool], dict[bytes, Family]] = {
            (implicit, little): {} for implicit in (True, False) for little in (True, False)
        }
        self._learnt = 0

    def is_whole(self, tag: int) -> bool:
        """Whether a sequence with a tag that is kept is replaced as a whole, and not entered."""
        group = tag >> 16
        if self.everything or tag in self._walked or group in self._walked_groups:
            return False
        if not group & 1:
            return True
        # Of any other private element its creator decides that.
        removed = self.private or group in self.groups
        return removed and (group, tag & 0xFF) not in self._walked_private

    def is_named(self, tag: int) -> bool:
        """Whether an element is kept whatever its VR."""
        group = tag >> 16
        return (
            tag in self.tags
            or (self.private and bool(group & 1))
            or group in self.groups
            or (self.unknown and is_unknown(tag))
        )

    def keeps(self, tag: int, vr: str) -> bool:
        """Whether an element is kept for what kind of element it is.

        Args:
            tag: its tag.
            vr: its VR; where that is left out, what the dictionary says.
        """
        return (
            (self.private and bool(tag >> 16 & 1))
            or tag >> 16 in self.groups
            or (self.unknown and is_unknown(tag))
            or (bool(self.vrs) and (vr in self.vrs or vr_of(tag) in self.vrs))
        )

    def is_sought(self, tag: int) -> bool:
        """Whether a sequence would be entered for a tag."""
        return tag in self.sought or (self.private and bool(tag >> 16 & 1)) or tag >> 16 in self.groups

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
        found = _search(pattern, source, start, stop)
        return found is not None and (not found[1].lastindex or self._occurs_beside_un(source, start, stop))

    def _occurs_beside_un(self, source: Source, start: int, stop: int) -> bool:
        """As ``occurs_in`` in little endian, of what may have items in UN: gdcm takes them for big endian."""
        if self.holds_tag(source, start, stop, little=True):
            return True
        searched = position = start + 1  # what is at the start begins the value itself
        while (found := _search(_items_in_un(), source, position, stop)) is not None:
            place, _ = found
            end = min(place + int.from_bytes(source.read(place - 4, place), "little"), stop)
            if self.holds_tag(source, max(place, searched - OVERLAP), end, little=False):
                return True
            searched = max(searched, end)
            position = place + 4
        return False

    def holds_tag(self, source: Source, start: int, stop: int, *, little: bool) -> bool:
        """Whether the bytes may hold a tag to enter a sequence for in just this byte order."""
        if little not in self._marks:
            self._marks[little] = _tag_pattern(self.sought, self.groups, little)
        return _search(self._marks[little], source, start, stop) is not None

    def may_lie_in(self, source: Source, start: int, stop: int, *, little: bool) -> bool:
        """Whether a value that is no sequence may hold a tag to enter a sequence for.

        As ``occurs_in``, but text holds no private elements.
        """
        if self.patterns[little] is not None:
            return self.occurs_in(source, start, stop, little=little)
        if stop - start > SEARCH_CHUNK:
            return True
        data = source.read(start, stop)
        if (self.everything or self.private) and not _TEXT(data):
            return True
        return self.holds_tag(source, start, stop, little=little)


_SWAPPED_ITEMS = {True: rb"\xff\xfe\xe0\x00", False: rb"\xfe\xff\x00\xe0"}
"""An item (FFFE,E000) in the other byte order."""


@cache
def _un_items() -> bytes:
    """What finds an item, or the end of a sequence, that begins a value in UN, or in a VR that nobody knows.

    The length before it is stored. It may have a byte that has to be zero, but not in the middle of a text.
    """
    seconds: dict[int, list[int]] = {}
    for first, second in (SHORT_VRS | LONG_VRS) - {b"UN"}:
        seconds.setdefault(first, []).append(second)
    known = b"|".join(b"%c%s" % (first, _byte_class(each)) for first, each in sorted(seconds.items()))
    return (
        rb"\xfe(\xff)(?<!SQ.{8})(?:\x00\xe0|\xdd\xe0)(?<=[ -~]{2}.{5}[^\xff].{4})(?<!(?:%s).{10})"
        rb"(?<![ -~]{4}.{2}[^\x00].{9})"
    ) % known


@cache
def _items_in_un() -> re.Pattern[bytes]:
    return re.compile(_un_items(), re.DOTALL)


def _search(
    pattern: re.Pattern[bytes], source: Source, start: int, stop: int
) -> tuple[int, re.Match[bytes]] | None:
    """Where a pattern is found first, and what is found."""
    while start < stop:
        buffer, base = source.window(start, min(stop - start, SEARCH_CHUNK))
        limit = min(stop, base + len(buffer))
        found = pattern.search(buffer, start - base, limit - base)
        if found:
            return base + found.start(), found
        if limit >= stop:
            return None
        start = max(limit - OVERLAP, start + 1)  # it may straddle two windows
    return None


class _Everything:
    """Keeps every tag."""

    def __contains__(self, key: object) -> bool:
        return True


def _tag_pattern(
    tags: Collection[int], groups: Collection[int], little: bool, *, with_items: bool = False
) -> re.Pattern[bytes]:
    """A pattern for the bytes of any of the tags, and of any tag of the groups.

    With ``with_items`` items in the other byte order match, too, as what is in them has tags that look
    otherwise; in little endian also those in UN, as group 1.

    In little-endian bytes a tag is group low, group high, element low, element high; the
    alternatives share what they have in common, so that the search stays at C speed.
    """
    if not tags and not groups:
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
    if with_items:
        alternatives.append(_SWAPPED_ITEMS[little])
    if with_items and little:
        alternatives.append(_un_items())
    highs: dict[int, set[int]] = {}
    for whole in groups:
        highs.setdefault(whole >> 8, set()).add(whole & 0xFF)
    for high, lows in sorted(highs.items()):
        pair = _byte_class(lows), _byte_class([high])
        alternatives.append(b"".join(pair if little else pair[::-1]) + b"..")
    return re.compile(b"|".join(alternatives), re.DOTALL)


def _byte_class(values: Iterable[int]) -> bytes:
    return b"[" + b"".join(b"\\x%02x" % value for value in sorted(values)) + b"]"


EVERYTHING = ScanFilter((), everything=True)
"""Keeps every element; shared, so that what its scans learn is, too."""


OUTLINE = ScanFilter((), outline=True)
"""Keeps every element of the data set itself."""


NOTHING = ScanFilter(())
"""Keeps nothing and enters no sequence of defined length; shared likewise."""
