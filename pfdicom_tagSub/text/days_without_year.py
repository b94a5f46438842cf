"""Days of a text that are written without their year, as in "12 April", "vom 12.04." and "le 12/4"."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from .comparable import fold
from .months import MORE, NAMES

_PREPOSITIONS = frozenset("am vom bis le du au el il dal al dia op on from since seit ab v date".split())  # noqa: SIM905
_OF = frozenset({"of", "de", "del", "d"})
_ORDINALS = frozenset({"st", "nd", "rd", "th", "er"})
_OTHER_WORDS = frozenset(
    {"mar", "may", "mars", "out", "ago", "set", "sty", "lip", "lis", "maj", "mag", "sie"}
)
_ALSO_BEFORE_NUMBERS = frozenset({"oct", "okt", "sep", "dec"})  # OCT 5 is an examination
_MONTHS = {
    fold(name)[0]: str(month)
    for rows in (MORE, NAMES)
    for month, row in enumerate(rows, 1)
    for name in row
    if name not in _OTHER_WORDS or name in ("may", "mars")
}
_NEAREST = 3


def day_without_year(
    tokens: Sequence[str], gaps: Sequence[str], at: int, days: Collection[tuple[str, str]]
) -> tuple[int, int] | None:
    """The tokens of a day that holds the number at a token as its first; None where there is none.

    Args:
        tokens: those of a folded text.
        gaps: what is between them: tokens[i] is between gaps[i] and gaps[i + 1].
        at: the token.
        days: known days, each as its month and day without a zero before them.
    """
    number = tokens[at].lstrip("0")
    after = at + 1
    after += after < len(tokens) and tokens[after] in _ORDINALS
    end = after
    after += after < len(tokens) and tokens[after] in _OF
    if after < len(tokens) and _is_near(gaps, at + 1, after + 1):
        is_day = (_MONTHS.get(tokens[after], ""), number) in days
        if is_day and not _has_year(tokens, gaps, after + 1):
            return at, after + 1
    if at and at + 1 < len(tokens) and tokens[at - 1] in _PREPOSITIONS and len(gaps[at]) == 1:
        second = tokens[at + 1].lstrip("0")
        is_day = (second, number) in days or (number, second) in days
        if is_day and _is_day_and_month(tokens, gaps, at):
            return at, at + 2
    if at and _is_near(gaps, at, at + 1) and not _has_year(tokens, gaps, end):
        month = tokens[at - 1]
        if month not in _ALSO_BEFORE_NUMBERS and (_MONTHS.get(month, ""), number) in days:
            return at - 1, end
    return None


def _is_day_and_month(tokens: Sequence[str], gaps: Sequence[str], at: int) -> bool:
    """Whether two numbers are apart as day and month, with nothing after them: 12.4. or 12/4."""
    sign, after = gaps[at + 1 : at + 3]
    is_more = at + 2 < len(tokens) and tokens[at + 2].isdigit() and after[:1] in ("/", ".", "-")
    return not is_more and (sign == "/" or (sign == "." and after.startswith(".")))


def _has_year(tokens: Sequence[str], gaps: Sequence[str], end: int) -> bool:
    """Whether a year, which is another one, or more of a number follows."""
    if end >= len(tokens) or not tokens[end].isdigit():
        return False
    return not gaps[end].strip(" .,-/'") or tokens[end - 1].isdigit()


def _is_near(gaps: Sequence[str], start: int, stop: int) -> bool:
    """Whether tokens are as close together as those of one date."""
    return all(len(gap) <= _NEAREST and not gap.strip(" .,-'") for gap in gaps[start:stop])
