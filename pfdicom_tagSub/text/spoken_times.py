"""Times of a text with a word between hours and minutes, or after them: "10h12", "10 Uhr 12", "10.12 Uhr"."""

from __future__ import annotations

from collections.abc import Sequence

_UNITS = frozenset({"h", "hr", "hrs", "hours", "uhr", "ore", "uur", "heures", "horas"})
_NEAREST = 1  # blanks between a number and a unit


def spoken_time(tokens: Sequence[str], gaps: Sequence[str], at: int) -> tuple[str, str, int] | None:
    """The hour and the minute, of two digits each, of a time that starts at a token, and the token after it.

    Args:
        tokens: those of a folded text.
        gaps: what is between them: tokens[i] is between gaps[i] and gaps[i + 1].
        at: the token.
    """
    if at + 2 >= len(tokens) or len(tokens[at]) > 2 or not tokens[at].isdigit():
        return None
    second, third = tokens[at + 1 : at + 3]
    if second in _UNITS:
        minute, is_apart = third, _is_near(gaps[at + 1]) and _is_near(gaps[at + 2])
    else:
        minute, is_apart = second, third in _UNITS and gaps[at + 1] == "." and _is_near(gaps[at + 2])
    if not is_apart or len(minute) != 2 or not minute.isdigit():
        return None
    return tokens[at].zfill(2), minute, at + 3


def _is_near(gap: str) -> bool:
    return len(gap) <= _NEAREST and not gap.strip()
