"""Words that a hyphen divides at the end of a line."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_BREAK = re.compile(r"(?<=[^\W_])-[ \t]*[\r\n]{1,2}[ \t]*(?=[^\W_])")


class JoinedLines(NamedTuple):
    """A folded text whose divided words are whole.

    Attributes:
        text: it.
        origins: for each of its characters the index of the one that it came from, then the length.
        breaks: the indices of the characters that the lines after a hyphen begin with.
    """

    text: str
    origins: list[int]
    breaks: list[int]

    def is_across(self, start: int, stop: int) -> bool:
        """Whether a span of the text that this came from has a break within."""
        index = bisect_right(self.breaks, start)
        return index < len(self.breaks) and self.breaks[index] < stop


def join_lines(folded: str, origins: list[int] | None) -> JoinedLines | None:
    """A text with its divided words made whole; None if it has none.

    Args:
        folded: the text, folded.
        origins: as ``comparable.fold`` gives them.

    >>> join_lines("a quibble-\\nford", None).text
    'a quibbleford'
    """
    breaks = [match.span() for match in _BREAK.finditer(folded)] if "-" in folded else []
    if not breaks:
        return None
    places: list[int] = []
    start = 0
    for end, following in (*breaks, (len(folded), 0)):
        places.extend(range(start, end))
        start = following
    text = "".join([folded[place] for place in places])
    places.append(len(folded))
    starts = [following for _, following in breaks]
    if origins is not None:
        places = [origins[place] for place in places]
        starts = [origins[place] for place in starts]
    return JoinedLines(text, places, starts)
