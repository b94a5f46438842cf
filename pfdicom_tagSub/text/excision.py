"""Spans cut out of a text, so that what is left reads on."""

from __future__ import annotations

import re

from .comparable import is_unbounded

Span = tuple[int, int]

_MERGED = re.compile(r"[ \t\u3000,;^=_./&+-]{0,3}|T")
_BLANKS = " \t\u00a0\u3000"
_LISTING = ",;、，"  # belongs to the word before it
_JOINING = "-_/^=&|"
_PAIRS = {"(": ")", "[": "]", "{": "}", "<": ">", '"': '"', "'": "'", "（": "）", "「": "」"}
_CLOSING = frozenset({*_PAIRS.values(), *"\r\n"} - {'"', "'"})
_OPENING = frozenset({*_PAIRS, *"\r\n"} - {'"', "'"})


def cut_out(text: str, spans: list[Span]) -> str:
    """A text without spans of it, tidied where they were.

    Args:
        spans: (start, end) in any order; they may overlap. At least one.

    Returns:
        The text without them: blanks do not double, empty brackets go, and so do separators that have
        nothing to separate any more. Line ends outside the spans stay.
    """
    spans = _merged(text, spans)
    kept: list[str] = []
    position = 0
    for start, end in spans:
        kept.append(text[position:start])
        position = end
    kept.append(text[position:])
    done: list[str] = []
    left = kept[0]
    for piece in kept[1:]:
        while done and not left.strip(_BLANKS + _LISTING + _JOINING):
            left = done.pop() + left
        before, left = _join(left, piece)
        done.append(before)
    done.append(left)
    return "".join(done)


def _join(left: str, right: str) -> tuple[str, str]:
    """What stands before a removed identifier and after it, without what belonged to it."""
    i, j = len(left), 0
    while True:
        a, b = i, j
        while a and left[a - 1] in _BLANKS:
            a -= 1
        while b < len(right) and right[b] in _BLANKS:
            b += 1
        if not (a and b < len(right) and _PAIRS.get(left[a - 1]) == right[b]):
            break
        i, j = a - 1, b + 1  # a pair of brackets that holds nothing any more
    if b == len(right) or right[b] in _CLOSING:
        while a and (left[a - 1] in _BLANKS or _is_left_separator(left, a, i)):
            a -= 1
        return _before_nothing(left, a, i), right[b:]
    if not a or left[a - 1] in _OPENING:
        while b < len(right) and (right[b] in _BLANKS or _is_right_separator(right, b, j)):
            b += 1
        return _before_nothing(left, a, i), right[b:]
    return _join_words(left, a, i, right, b, j)


def _before_nothing(left: str, a: int, i: int) -> str:
    """What stands before a removed identifier on whose other side nothing is left of a part."""
    return left[:i] if not a or left[a - 1] in "\r\n" else left[:a]


def _join_words(left: str, a: int, i: int, right: str, b: int, j: int) -> tuple[str, str]:
    """As ``_join``, where words are left on both sides.

    Args:
        left: what stands before.
        a: where its last word ends.
        i: where the blanks after that end.
        right: what stands after.
        b: where its first word begins.
        j: where the blanks before that begin.
    """
    is_left, is_right = _is_left_separator(left, a, i), _is_right_separator(right, b, j)
    if is_left and is_right:
        b += 1
        while i > a and b < len(right) and right[b] in _BLANKS:
            b += 1
        return left[:i], right[b:]
    if is_left and a == i and b > j and left[a - 1] in _JOINING:
        return left[: a - 1], right[j:]
    if is_right and b == j and a < i and right[b] in _JOINING:
        return left[:i], right[b + 1 :]
    if b == j and right[b] in ",;.:!?":
        return left[:a], right[b:]
    if a < i:
        return left[:i], right[b:]
    if b == j and _is_word_character(left[a - 1]) and _is_word_character(right[b]):
        return f"{left} ", right[b:]
    return left[:i], right[j:]


def _is_left_separator(left: str, a: int, i: int) -> bool:
    """Whether left[a - 1] only led to what is removed from i on; the sign of "HIV- Doe" did not."""
    if left[a - 1] in _LISTING:
        return True
    return left[a - 1] in _JOINING and (a in (i, 1) or left[a - 2] in _BLANKS)


def _is_right_separator(right: str, b: int, j: int) -> bool:
    """Whether right[b] only led away from what is removed up to j; the sign of "Doe -5" did not."""
    if right[b] in _LISTING:
        return True
    return right[b] in _JOINING and (b == j or b + 1 == len(right) or right[b + 1] in _BLANKS)


def _is_word_character(character: str) -> bool:
    return character.isalnum() and not is_unbounded(character)


def _merged(text: str, spans: list[Span]) -> list[Span]:
    """Spans in order, those that touch or have only a separator between them as one."""
    spans.sort()
    merged = [spans[0]]
    for start, end in spans[1:]:
        last_start, last_end = merged[-1]
        if start <= last_end or (start - last_end <= 3 and _MERGED.fullmatch(text, last_end, start)):
            merged[-1] = last_start, max(end, last_end)
        else:
            merged.append((start, end))
    return merged
