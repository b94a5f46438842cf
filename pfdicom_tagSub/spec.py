"""``--tagStruct``, ``--tagFile`` and ``--tagInfo`` to one checked list of pairs."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from . import dictionary
from .models import Options, SpecError

PATTERN_PREFIX = "re:"
STANDARD_INPUT = "-"

_TAG = re.compile(r"\(\s*([0-9A-Fa-f]{4})\s*,\s*([0-9A-Fa-f]{4})\s*\)|([0-9A-Fa-f]{8})")
_PRIVATE = re.compile(r'\(\s*([0-9A-Fa-f]{4})\s*,\s*"([^"]+)"\s*,\s*([0-9A-Fa-f]{1,2})\s*\)')


@dataclass(frozen=True, slots=True)
class KeywordKey:
    """A key that names public elements: one, or all of a repeating group."""

    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PatternKey:
    """A ``re:`` key: the keywords that it matches, and every tag of theirs."""

    keywords: tuple[str, ...]
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private element, by its creator (PS3.5 7.8.1).

    Attributes:
        group: the odd group.
        creator: the text of the private creator.
        element: the last two hex digits of the element number.
    """

    group: int
    creator: str
    element: int


Key = KeywordKey | PatternKey | PrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """One key of a spec and its value.

    Attributes:
        text: the key as written, for messages.
        key: the key, resolved.
        value: the template as written; None removes the element.
    """

    text: str
    key: Key
    value: str | None


@dataclass(frozen=True, slots=True)
class TagSpec:
    """A spec: its pairs in the order of writing."""

    pairs: tuple[Pair, ...]

    @property
    def digest(self) -> str:
        """SHA-256 over keys and values in their order, hex: the same for every form."""
        canonical = json.dumps([[pair.text, pair.value] for pair in self.pairs], ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()


def load(options: Options) -> TagSpec:
    """Read the spec that the command line gives.

    Raises:
        SpecError: none or more than one was given, or it cannot mean what it says.
    """
    given = [
        flag
        for flag, value in (
            ("--tagStruct", options.tag_struct),
            ("--tagFile", options.tag_file),
            ("--tagInfo", options.tag_info),
        )
        if value is not None
    ]
    if not given:
        raise SpecError("no spec: give one of --tagStruct, --tagFile or --tagInfo")
    if len(given) > 1:
        raise SpecError(f"more than one spec: {' and '.join(given)}; give one of them")
    if options.tag_struct is not None:
        spec = parse_json(options.tag_struct, "--tagStruct")
    elif options.tag_file is not None:
        spec = parse_json(_read(options.tag_file), f"--tagFile {options.tag_file}")
    else:
        spec = parse_info(options.tag_info or "", options.split_token, options.split_key_value)
    if not spec.pairs and not options.remove_private_tags:
        raise SpecError(f"{given[0]} names no element: nothing would be replaced")
    return spec


def _read(path: str) -> str:
    try:
        if path == STANDARD_INPUT and sys.stdin is None:
            raise SpecError(f"--tagFile {path}: standard input is closed")
        data = sys.stdin.buffer.read() if path == STANDARD_INPUT else Path(path).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise SpecError(f"--tagFile {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise SpecError(f"--tagFile {path}: not UTF-8 at byte {error.start}") from None


class _NumberText(str):
    """A JSON number, kept as it is written."""


def parse_json(text: str, origin: str) -> TagSpec:
    """Parse a spec in JSON: an object of texts, numbers and nulls.

    Args:
        text: the JSON.
        origin: where it comes from, for messages.

    Raises:
        SpecError: bad JSON (with line and column), a key twice, a value of another type,
            a key that is none.
    """

    def pairs_of(pairs: list[tuple[str, object]]) -> list[tuple[str, object]]:
        return pairs

    def no_constant(name: str) -> object:
        raise SpecError(f"{origin}: {name} is not a value of a spec")

    try:
        content = json.loads(
            text,
            object_pairs_hook=pairs_of,
            parse_int=_NumberText,
            parse_float=_NumberText,
            parse_constant=no_constant,
        )
    except json.JSONDecodeError as error:
        raise SpecError(f"{origin}: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise SpecError(f"{origin}: nested too deep for a spec") from None
    if not isinstance(content, list) or not text.lstrip().startswith("{"):
        raise SpecError(f'{origin}: a spec is a JSON object, {{"Keyword": "value", ...}}')
    pairs: list[tuple[str, str | None]] = []
    for key, value in content:
        if value is not None and not isinstance(value, str):
            kind = "true or false" if isinstance(value, bool) else "a list or an object"
            raise SpecError(f"{origin}: the value of {key} is {kind}; it takes a text, a number or null")
        pairs.append((key, value))
    return from_pairs(pairs, origin)


def parse_info(text: str, split_token: str, split_key_value: str) -> TagSpec:
    """Parse a spec in the delimited form of ``--tagInfo``.

    Args:
        text: pairs such as ``PatientName:anon``.
        split_token: what separates the pairs.
        split_key_value: what separates a key from its value, at its first occurrence
            after a leading ``re:``.

    Raises:
        SpecError: a pair without its separator, a key twice, a key that is none.
    """
    if not split_token or not split_key_value:
        raise SpecError("--splitToken and --splitKeyValue cannot be empty")
    pairs: list[tuple[str, str | None]] = []
    for part in (piece.strip() for piece in text.split(split_token)):
        if not part:
            continue  # a separator after the last pair
        start = len(PATTERN_PREFIX) if part.startswith(PATTERN_PREFIX) else 0
        place = part.find(split_key_value, start)
        if place < 0:
            raise SpecError(
                f"--tagInfo: no {split_key_value!r} in {part!r}; a pair is written "
                f"Keyword{split_key_value}value (see --splitKeyValue), and {split_token!r} separates pairs"
            )
        pairs.append((part[:place].strip(), part[place + len(split_key_value) :].strip()))
    return from_pairs(pairs, "--tagInfo")


def from_pairs(pairs: list[tuple[str, str | None]], origin: str = "spec") -> TagSpec:
    """Resolve the keys of a spec.

    Args:
        pairs: keys and values in the order of writing; a None removes the element.
        origin: where they come from, for messages.

    Raises:
        SpecError: a key twice, or one that names no element.
    """
    resolved: list[Pair] = []
    seen: dict[object, str] = {}
    for text, value in pairs:
        key = _resolve(text, origin)
        identity: object = text if isinstance(key, PatternKey) else key
        if identity in seen:
            raise SpecError(f"{origin}: {text} and {seen[identity]} are the same key, given twice")
        seen[identity] = text
        resolved.append(Pair(text, key, value))
    return TagSpec(tuple(resolved))


def _resolve(text: str, origin: str) -> Key:
    if text.startswith(PATTERN_PREFIX):
        return _pattern_key(text, origin)
    if match := _PRIVATE.fullmatch(text):
        group = int(match[1], 16)
        if not group & 1:
            raise SpecError(f"{origin}: {text}: private elements are in odd groups (PS3.5 7.8)")
        return PrivateKey(group, match[2].strip(), int(match[3], 16))
    if match := _TAG.fullmatch(text):
        tag = int(match[3] or match[1] + match[2], 16)
        _check_tag(tag, text, origin)
        return KeywordKey((tag,))
    tags = dictionary.tags_of(text)
    if not tags:
        near = dictionary.nearest_keyword(text)
        hint = f"did you mean {near}?" if near else "keys are DICOM keywords, re:patterns or tags (gggg,eeee)"
        raise SpecError(f"{origin}: unknown keyword {text!r}: {hint}")
    _check_tag(tags[0], text, origin)
    return KeywordKey(tags)


def _check_tag(tag: int, text: str, origin: str) -> None:
    if tag in dictionary.STRUCTURE or tag & 0xFFFF == 0 or tag >> 16 in {0x0000, 0xFFFE}:
        raise SpecError(
            f"{origin}: {text} says how the file itself is encoded; "
            "replacing it would make the file unreadable"
        )
    if not tag >> 16 & 1 and not dictionary.vr_of(tag):
        raise SpecError(f"{origin}: {text} is not an element of the DICOM dictionary")


def _pattern_key(text: str, origin: str) -> PatternKey:
    """Expand a ``re:`` key: ``re.match`` on the keywords of the dictionary, without pixel
    data, file meta and what says how the file is encoded."""
    expression = text[len(PATTERN_PREFIX) :]
    try:
        pattern = re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        raise SpecError(f"{origin}: {text} is not a regular expression: {error}") from None
    excluded = dictionary.STRUCTURE | dictionary.PIXEL_DATA
    tags: dict[str, tuple[int, ...]] = {}
    for keyword in filter(pattern.match, dictionary.all_keywords()):
        own = dictionary.tags_of(keyword)
        if own[0] not in excluded and own[0] >> 16 not in {0x0000, 0x0002} and own[0] & 0xFFFF:
            tags[keyword] = own
    if not tags:
        raise SpecError(
            f"{origin}: {text} matches no keyword that a pattern may replace; patterns match from the "
            "start of a keyword, so put .* before a part of one"
        )
    return PatternKey(tuple(tags), tuple(tag for own in tags.values() for tag in own))
