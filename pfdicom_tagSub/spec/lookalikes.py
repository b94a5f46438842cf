"""What in a template looks like a directive and is none: it would be written into files as it is.

%md5|7_PatientID        a function without its underscore
%_md5|7_PatientIDD      a keyword with something glued to it
%keep                   a function without its source
{PatientID}             a form of other languages
remove                  a command of other tools
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from functools import cache

from ..core.errors import SpecError
from ..dicom import dictionary
from ..text.quoting import quoted
from .functions import FUNCTIONS
from .templates import Directive, TagText, pieces_of

_LONGEST = 4096
"""Characters of a template that are looked at."""

_LONGEST_COMMAND = 60
_NAMES = ", ".join(FUNCTIONS)
_WORD = r"[A-Za-z][A-Za-z0-9]*"
_SOURCE = rf"(?:{_WORD}|#tag)"
_ARGUMENTS = r"(?:\|(?:__|[^_|%])*)*"

# Each names what it takes for a function, its arguments and its source.
_FUNCTION = re.compile(
    rf"(?P<sign>(?:%\s?|[$&\\]|(?<![A-Za-z0-9_\0]))_?)(?P<name>{_WORD})(?P<arguments>{_ARGUMENTS})_(?P<source>{_SOURCE})"
)
_SPACED = re.compile(
    rf"(?P<sign>%_?)(?P<name>{_WORD})(?P<arguments>(?:[|:( ][^_%)]*)?)[_:|() ]+(?P<source>{_SOURCE})"
)
_WITHOUT_SOURCE = re.compile(rf"%_?(?P<name>{_WORD})(?P<arguments>{_ARGUMENTS})_?(?![A-Za-z0-9_#%])")
_BRACKETED = re.compile(
    rf"(?P<open>[$%#@]?\{{\{{?|[$%]\(|<|\[)[ %]*(?P<source>{_SOURCE})\s*(?P<close>\}}\}}?|\)s?|>|\])"
)
_SIGNED = re.compile(rf"[$@&%](?:_|\s)?(?P<source>{_SOURCE})%?")
_TAG = re.compile(r"[%$]\(?(?P<group>[0-9A-Fa-f]{4}),?(?P<element>[0-9A-Fa-f]{4})\)?")
_HASHED = re.compile(r"%?#(?:TAG|Tag)\b|%tag\b|%_tag\b|#\{tag\}|\{#?tag\}|\$tag\b")


_NULL = "null without quotation marks, which removes the element"
_COMMANDS = {
    **dict.fromkeys(("null", "remove", "delete"), _NULL),
    **dict.fromkeys(("keep", "retain"), "%_keep_#tag"),
    **dict.fromkeys(("empty", "blank"), '"", which empties the element'),
}
_CALLED = re.compile(r"@?(?P<name>[a-z]+)(?P<call>\(.*\))?|(?:func|var):.+", re.IGNORECASE)
"""A whole text: a word, a call of CTP such as ``@remove()``, a value of deid such as ``func:hash``."""


def find_lookalikes(text: str, key: str) -> Iterator[str]:
    """What in a template is plain text but looks like a directive.

    Args:
        text: the template, which ``parse_template`` takes.
        key: the key that it belongs to, or the flag.

    Yields:
        A warning for each, with what was meant.
    """
    if meant := _command_in(text):
        yield f"{key}: {quoted(text)} is plain text and will be written as it is; did you mean {meant}?"
        return
    plain = ""
    before: Directive | None = None
    written_before = ""
    for part, written in (*pieces_of(text[:_LONGEST], key), (TagText(), "")):
        if isinstance(part, str) or (isinstance(part, TagText) and written):
            plain += "\0" if written == "%%" else written
            continue
        if before is not None and before.source and (glued := re.match(r"[A-Za-z0-9]+", plain)):
            whole = quoted(written_before + glued[0])
            near = _nearby(written_before, glued[0])
            yield f"{key}: {whole} is {written_before} followed by the text {quoted(glued[0])}{near}"
        yield from (
            f"{key}: {quoted(found)} is plain text and will be written as it is; did you mean {meant}?"
            for found, meant in _in_plain(plain)
        )
        plain = ""
        before = part if isinstance(part, Directive) else None
        written_before = written


def _command_in(text: str) -> str:
    """What a text was meant for that is a command of another tool as a whole; "" for none."""
    match = _CALLED.fullmatch(text) if len(text) <= _LONGEST_COMMAND else None
    if match is None:
        return ""
    if text == "None":  # as Python has it; in small letters it is a word that people write
        return _NULL
    if known := _COMMANDS.get((match["name"] or "").lower()):
        return known
    is_call = match["name"] is None or (text.startswith("@") and match["call"])
    return f"%_function_#tag (functions: {_NAMES})" if is_call else ""


def _nearby(written: str, glued: str) -> str:
    """Which keyword may have been meant by one that has something glued to it."""
    keyword = re.split(r"[%_]", written)[-1]
    near = difflib.get_close_matches(keyword + glued, dictionary.all_keywords(), n=1, cutoff=0.75)
    return f"; did you mean {written.removesuffix(keyword)}{near[0]}?" if near else ""


def _in_plain(plain: str) -> Iterator[tuple[str, str]]:
    """What of a plain text looks like a directive, and the directive."""
    position = 0
    while position < len(plain):
        for find in (_function_at, _without_source_at, _tag_text_at, _tag_at, _source_at):
            if found := find(plain, position):
                length, meant = found
                yield plain[position : position + length], meant
                position += length
                break
        else:
            position += 1


def _function_at(plain: str, position: int) -> tuple[int, str] | None:
    for pattern in (_FUNCTION, _SPACED):
        match = pattern.match(plain, position)
        if match is None:
            continue
        name = _function_named(match["name"])
        source, length = _source_in(match["source"])
        if not name and match["sign"].startswith("%") and length == len(match["source"]) > 0:
            return match.start("source") + length - position, f"%_function_{source} (functions: {_NAMES})"
        if name and source and (match["sign"] or match["arguments"]):
            arguments = match["arguments"].strip(" ()").replace(":", "|").replace(" ", "|")
            arguments = f"|{arguments.strip('|')}" if arguments.strip("|") else ""
            return match.start("source") + length - position, f"%_{name}{arguments}_{source}"
    return None


def _without_source_at(plain: str, position: int) -> tuple[int, str] | None:
    match = _WITHOUT_SOURCE.match(plain, position)
    if match is None or match["name"].lower() not in FUNCTIONS:
        return None
    return len(match[0]), f"%_{match['name'].lower()}{match['arguments']}_#tag"


def _function_named(word: str) -> str:
    """The function that a word is or nearly is; "" if none."""
    if word.lower() in FUNCTIONS:
        return word.lower()
    near = difflib.get_close_matches(word.lower(), FUNCTIONS, n=1, cutoff=0.8) if len(word) > 3 else []
    return near[0] if near else ""


def _source_in(word: str) -> tuple[str, int]:
    """The source that a word begins with in any case, and its length; "", 0 if it begins with none."""
    if word == "#tag":
        return word, len(word)
    if keyword := dictionary.leading_keyword(word):
        return keyword, len(keyword)
    exact = _lowered().get(word.lower(), "")
    return exact, len(word) if exact else 0


@cache
def _lowered() -> dict[str, str]:
    return {keyword.lower(): keyword for keyword in dictionary.all_keywords()}


def _tag_text_at(plain: str, position: int) -> tuple[int, str] | None:
    match = _HASHED.match(plain, position)
    return (len(match[0]), "#tag") if match else None


def _tag_at(plain: str, position: int) -> tuple[int, str] | None:
    match = _TAG.match(plain, position)
    if match is None:
        return None
    tag = int(match["group"] + match["element"], 16)
    label = dictionary.label_of(tag) if dictionary.vr_of(tag) else ""
    return (len(match[0]), f"%{label}") if label and label.isalnum() else None


def _source_at(plain: str, position: int) -> tuple[int, str] | None:
    match = _BRACKETED.match(plain, position)
    if match is not None:
        source, length = _source_in(match["source"])
        if source and length == len(match["source"]):
            return len(match[0]), source if source == "#tag" else f"%{source}"
    match = _SIGNED.match(plain, position)
    if match is not None:
        source, length = _source_in(match["source"])
        if source and source != "#tag":
            return match.start("source") + length - position, f"%{source}"
    return None


def find_unevaluated(text: str, key: str) -> Iterator[str]:
    """What in a literal of an item would be a directive, or looks like one, and is written as it is.

    Args:
        text: the literal.
        key: what names it in messages.
    """
    try:
        pieces = [
            written
            for part, written in pieces_of(text[:_LONGEST], key)
            if isinstance(part, Directive | TagText)
        ]
    except SpecError:
        pieces = [text]
    pieces += [found for found, _ in _in_plain(text[:_LONGEST]) if not pieces]
    if pieces:
        yield f"{key}: {quoted(pieces[0])} will be written as it is: items of sequences take literals alone"
