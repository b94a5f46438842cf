"""Whether the path of an output tells what was replaced in the file."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import accumulate

from ..core.caches import remembered
from .comparable import is_cjk, is_long_enough

LONGEST = 255
"""No name of a file is longer."""

AT_A_TIME = 8
"""So many values are looked up together."""

_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalnum())
_NO_LETTERS_OF_PATHS = _NO_LETTERS.replace(b"/", b"")
_RUNS = re.compile(r"[^\W_]+|/")
_NAME_PARTS = re.compile(r"[\s^=]+")


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
    texts = tuple(originals)
    joined = _joined(path)
    # Some at a time: those that the files of a series share are mostly looked up in few steps.
    for place in range(0, len(texts), AT_A_TIME):
        for part in _parts_of(texts[place : place + AT_A_TIME]):
            if part in joined and (len(part) > LONGEST or _is_bounded(part, _path_runs(path))):
                return True
    return False


def holds_text(path: str, texts: Iterable[str], free_from: int) -> bool:
    """Whether a path has one of some texts in it as a part, each as a whole.

    Args:
        path: as of ``holds_value``.
        texts: the texts.
        free_from: texts of so many letters and digits need no bounds.
    """
    return any(True for _ in _parts_in(path, _all_bare(tuple(texts)), free_from))


def texts_in(path: str, texts: Iterable[str], free_from: int) -> list[str]:
    """Those texts that a path has in it.

    Args: as of ``holds_text``.
    """
    texts = tuple(texts)
    found = frozenset(_parts_in(path, _all_bare(texts), free_from))
    return [text for text in texts if _bare(text) in found] if found else []


def _parts_in(path: str, parts: Iterable[str], free_from: int) -> Iterator[str]:
    """The parts that are in a path."""
    joined = _joined(path)
    for part in parts:
        if part in joined and (len(part) >= free_from or _is_bounded(part, _path_runs(path))):
            yield part


@remembered(most=1024)
def _all_bare(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for text in texts if is_long_enough(part := _bare(text)))


@remembered(most=8192)
def _bare(text: str) -> str:
    """The letters and digits of a text."""
    if text.isascii():
        return text.lower().encode().translate(None, _NO_LETTERS).decode()
    return "".join(_RUNS.findall(_folded(text).replace("/", " ")))


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def _runs(text: str) -> tuple[str, ...]:
    return tuple(_RUNS.findall(_folded(text)))


def _joined(path: str) -> str:
    """The letters and digits of a path, and the slashes between them."""
    if path.isascii():
        return path.lower().encode().translate(None, _NO_LETTERS_OF_PATHS).decode()
    return "".join(_path_runs(path))


def _path_runs(path: str) -> tuple[str, ...]:
    """The runs of letters and digits in a path, one after the other."""
    directory, _, name = path.rpartition("/")
    return (*_directory_runs(directory), *_runs(name))


@remembered(most=1024)
def _directory_runs(directory: str) -> tuple[str, ...]:
    return _runs(directory + "/") if directory else ()


@remembered(most=1024)
def _parts_of(originals: tuple[str, ...]) -> tuple[str, ...]:
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
    found = {_bare(one) for one in texts}
    return tuple(part for part in found if is_long_enough(part))


def _is_bounded(part: str, runs: tuple[str, ...]) -> bool:
    """Whether a part occurs with a border of runs, or a character that needs none, at both ends."""
    joined = "".join(runs)
    borders = {0, *accumulate(map(len, runs))}
    free_start, free_stop = is_cjk(part[0]), is_cjk(part[-1])
    start = joined.find(part)
    while start >= 0:
        if (free_start or start in borders) and (free_stop or start + len(part) in borders):
            return True
        start = joined.find(part, start + 1)
    return False
