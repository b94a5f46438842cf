"""UIDs and times, which differ from file to file: whether a text may hold any of a file's.

A cleaner for them would have to be made for each file. What a text must share with a UID or a time to hold
it is told by the text alone, and the texts of a series are the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from ..core.caches import remembered
from .broken_words import join_lines
from .comparable import fold, split_tokens
from .dotted_numbers import UID, spellings_of_uids, uids_in
from .identifiers import clues_of
from .spoken_times import spoken_time


class Handles(NamedTuple):
    """What of a text a UID or a time takes up.

    Attributes:
        uids: the dotted numbers that count as a UID, and those that one with a suffix begins with.
        tokens: its runs of letters or digits.
        clocks: those that a colon alone is between, in pairs, and the hours and minutes of times with a word.
    """

    uids: frozenset[str]
    tokens: frozenset[str]
    clocks: frozenset[tuple[str, str]]


@remembered(most=4096)
def handles_of(text: str) -> Handles:
    """What of a text a UID or a time takes up."""
    folded, origins = fold(text)
    joined = join_lines(folded, origins)
    return _handles(folded) if joined is None else together((_handles(folded), _handles(joined.text)))


def _handles(folded: str) -> Handles:
    parts = split_tokens(folded)
    tokens, gaps = parts[1::2], parts[::2]
    clocks = [
        (hour, rest) for hour, rest, gap in zip(tokens, tokens[1:], gaps[1:], strict=False) if gap == ":"
    ]
    spoken = [spoken_time(tokens, gaps, at) for at in range(len(tokens) - 2)]
    clocks += [time[:2] for time in spoken if time]
    numbers = (match[0] for written in spellings_of_uids(folded) for match in UID.finditer(written))
    uids = (form for number in numbers for form in uids_in(number))
    return Handles(frozenset(uids), frozenset(tokens), frozenset(clocks))


def handles_of_all(texts: Iterable[str]) -> Handles:
    """What all of some texts take up together."""
    return together([handles_of(text) for text in texts])


def together(each: Collection[Handles]) -> Handles:
    """What all of some handles are together."""
    return Handles(
        frozenset().union(*(one.uids for one in each)),
        frozenset().union(*(one.tokens for one in each)),
        frozenset().union(*(one.clocks for one in each)),
    )


class Fleeting:
    """The UIDs and times of one file."""

    def __init__(self, identifiers: Iterable[tuple[str, str]]) -> None:
        """Args:
        identifiers: (VR, text) of single values whose VR is UI, TM or DT; a DT is looked for as a time.
        """
        self.uids: set[str] = set()
        self.tokens: set[str] = set()
        self.clocks: set[tuple[str, str]] = set()
        for vr, text in identifiers:
            clues = clues_of(vr, text)
            self.uids |= clues.uids
            self.tokens |= clues.solids
            self.clocks.update((time[0], time[1]) for time in clues.times)

    def may_be_in(self, text: str) -> bool:
        """Whether a text may hold one of them; False is certain."""
        return self.may_be_at(handles_of(text))

    def may_be_at(self, handles: Handles) -> bool:
        """Whether texts with these handles may hold one of them; False is certain."""
        return not (
            self.uids.isdisjoint(handles.uids)
            and self.tokens.isdisjoint(handles.tokens)
            and self.clocks.isdisjoint(handles.clocks)
        )
