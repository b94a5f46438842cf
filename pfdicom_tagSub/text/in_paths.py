"""Whether the path of an output tells what was replaced in the file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from ..core.caches import remembered

SHORTEST = 4
"""Shorter values are found in any path by chance."""

SHORTEST_CJK = 2
"""A Chinese or Japanese family name may be one character, a whole name two."""

LONGEST = 255
"""No name of a file is longer."""

_RUNS = re.compile(r"[^\W_]+|/")
_NAME_PARTS = re.compile(r"[\s^=]+")
_CJK = re.compile(
    r"[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]"
)


def holds_value(path: str, originals: Iterable[str]) -> bool:
    """Whether a path has a value in it as a part.

    Case does not matter, nor what stands between letters and digits: ``Doe^Jane`` is found
    as ``doe_jane``, ``DOE-JANE`` and ``doejane``, and so is ``Jane`` alone. It is not found in
    ``Janet``: a part is bounded by what is neither letter nor digit. Chinese, Japanese and
    Korean, which are written without blanks, need no bounds.

    Args:
        path: the path of an output, relative to the output directory.
        originals: the values that were replaced, as texts; a PN whole.
    """
    directory, _, name = path.rpartition("/")
    runs = (*_directory_runs(directory), *_runs(name))
    joined = "".join(runs)
    for part in _all_parts(tuple(originals)):  # noqa: SIM110  (asked of every file: a generator takes twice as long)
        if part in joined and _is_bounded(part, joined, runs):
            return True
    return False


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _runs(text: str) -> tuple[str, ...]:
    return tuple(_RUNS.findall(_folded(text)))


@remembered(most=1024)
def _directory_runs(directory: str) -> tuple[str, ...]:
    return _runs(directory + "/") if directory else ()


@remembered(most=1024)
def _all_parts(originals: tuple[str, ...]) -> tuple[str, ...]:
    """The files of a series mostly have the same originals, or some more."""
    return tuple(dict.fromkeys(part for original in originals for part in _parts(original)))


@remembered(most=8192)
def _parts(original: str) -> tuple[str, ...]:
    """What of a value to look for, letters and digits only."""
    if len(original) > LONGEST:
        return ()
    text = _folded(original)
    texts = {text, *text.split("\\")}
    if "^" in text or "=" in text:
        texts = {*text.split("="), *_NAME_PARTS.split(text)}
    elif len(words := text.split()) == 2 and "".join(words).isalpha():  # a name without its carets
        texts.update(words)
    found = {"".join(_RUNS.findall(one.replace("/", " "))) for one in texts}
    return tuple(part for part in found if _is_long_enough(part))


def _is_long_enough(part: str) -> bool:
    if len(part) >= SHORTEST:
        return True
    return not part.isascii() and len(_CJK.findall(part)) >= SHORTEST_CJK


def _is_bounded(part: str, joined: str, runs: tuple[str, ...]) -> bool:
    """Whether a part occurs with a border of runs, or a character that needs none, at both ends."""
    borders = {0}
    place = 0
    for run in runs:
        place += len(run)
        borders.add(place)
    free_start, free_stop = bool(_CJK.match(part[0])), bool(_CJK.match(part[-1]))
    start = joined.find(part)
    while start >= 0:
        if (free_start or start in borders) and (free_stop or start + len(part) in borders):
            return True
        start = joined.find(part, start + 1)
    return False
