"""Texts rewritten by a regular expression, in bounded time."""

from __future__ import annotations

import re
import threading

from ..core.bounded import TooSlowError, in_time
from ..core.caches import remembered

TEXT_MOST = 1 << 16
"""Longer texts are not matched."""

UNWATCHED_MOST = 1 << 10
"""Nor are these where nothing can stop the matcher, which is outside of the main thread of a process."""

REWRITING_SECONDS = 2.0
"""How long one text may take; it takes microseconds."""

_TRIAL_SECONDS = 0.5
_TRIAL_LENGTH = 1024


class PatternError(Exception):
    """A text that could not be rewritten; the message quotes nothing of it."""


@remembered(most=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """A regular expression.

    Raises:
        re.error: it is none.
    """
    return re.compile(pattern)


def rewrite(text: str, pattern: str, replacement: str) -> str:
    r"""Replace what a pattern matches, wherever in the text it does.

    Args:
        text: the text.
        pattern: a regular expression of Python.
        replacement: what comes instead; ``\1`` and ``\g<name>`` are groups of the match.

    Raises:
        PatternError: the text is too long, or the pattern took too long.

    >>> rewrite("CT THORAX 0815", r"(\w+)\s\d+$", r"\1")
    'CT THORAX'
    """
    _check_length(text)
    try:
        with in_time(REWRITING_SECONDS):
            return compiled(pattern).sub(replacement, text)
    except TooSlowError:
        raise PatternError("a pattern took too long: it repeats a repetition, as in (a+)+") from None


def occurs(text: str, pattern: str) -> bool:
    """Whether a pattern matches somewhere in a text.

    Raises:
        PatternError: as of ``rewrite``.
    """
    _check_length(text)
    try:
        with in_time(REWRITING_SECONDS):
            return compiled(pattern).search(text) is not None
    except TooSlowError:
        raise PatternError("a pattern took too long: it repeats a repetition, as in (a+)+") from None


def _check_length(text: str) -> None:
    is_watched = threading.current_thread() is threading.main_thread()
    most = TEXT_MOST if is_watched else UNWATCHED_MOST
    if len(text) > most:
        raise PatternError(f"its text has more than {most:,} characters, which no pattern is matched with")


def find_problem(pattern: str, replacement: str) -> str:
    """What is wrong with a pattern or its replacement; "" if nothing is known to be."""
    try:
        compiled(pattern).sub(replacement, "")
    except (re.error, RecursionError, OverflowError, IndexError) as error:
        return f"it is no regular expression, or its replacement does not fit it: {error}"
    literals = sorted(set(re.findall(r"\w", re.sub(r"\\.", "", pattern))))[:4]
    trials = [one * _TRIAL_LENGTH + "\n!" for one in ("a", "1", " ", *literals)]
    try:
        with in_time(_TRIAL_SECONDS):
            for trial in trials:
                compiled(pattern).sub(replacement, trial)
    except TooSlowError:
        return "the pattern takes too long to match: it repeats a repetition, as in (a+)+; write it without"
    return ""
