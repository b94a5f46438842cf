"""The keys of a spec: what elements a text names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from ..core.bounded import TooSlowError, in_time
from ..core.errors import SpecError
from ..dicom import dictionary
from ..text.quoting import quoted, shortened

_TAG = re.compile(r"\(\s*([0-9A-Fa-f]{4})\s*,\s*([0-9A-Fa-f]{4})\s*\)|([0-9A-Fa-f]{8})")


_MASK = re.compile(
    r"\(\s*([0-9A-Fa-fxX]{4})\s*,\s*([0-9A-Fa-fxX]{4})\s*\)|([0-9A-Fa-fxX]{4})([0-9A-Fa-fxX]{4})"
)


_PRIVATE = re.compile(r'\(\s*([0-9A-Fa-f]{4})\s*,\s*"([^"]+)"\s*,\s*([0-9A-Fa-f]{1,2})\s*\)')


PATTERN_PREFIX = "re:"


PRIVATE_KEY = "private"


UNKNOWN_KEY = "unknown"


REST_KEY = "rest"


PREAMBLE_KEY = "preamble"
VR_PREFIX = "VR:"
TEXT_KEY = "text"


_CONTENT_ITEM = re.compile(r"ContentSequence\[\s*([^,\[\]]+?)\s*,\s*(.+?)\s*(?:,\s*([A-Z0-9]+)\s*)?\]")


VALUE_TYPES = frozenset(
    """
    CODE COMPOSITE CONTAINER DATE DATETIME IMAGE NUM NUMERIC PNAME SCOORD SCOORD3D TABLE TCOORD TEXT TIME
    UIDREF WAVEFORM
    """.split()  # noqa: SIM905
)
"""The defined terms of Value Type (PS3.3 C.17.3.2.1, C.18.1 and 10.2)."""


MASK_MOST = 1 << 16


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


@dataclass(frozen=True, slots=True)
class MaskKey:
    """A key with x digits: repeating tags and whole groups.

    Attributes:
        groups: the groups of which it names every element.
        tags: the tags that it names otherwise.
    """

    groups: tuple[int, ...]
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EveryPrivateKey:
    """The key ``private``: every private element that no other key names."""


@dataclass(frozen=True, slots=True)
class PreambleKey:
    """The key ``preamble``: the 128 bytes before the prefix of a file (PS3.10 7.1)."""


@dataclass(frozen=True, slots=True)
class EveryUnknownKey:
    """The key ``unknown``: every public element that no dictionary knows and no other key names."""


@dataclass(frozen=True, slots=True)
class EveryRestKey:
    """The key ``rest``: every element that no other key names and that an object can be read without."""


@dataclass(frozen=True, slots=True)
class ContentItemKey:
    """Content items by their concept name (PS3.3 10.2, C.17.3), in whatever sequence they are.

    Attributes:
        code: the code of the concept name.
        scheme: its coding scheme designator, in small letters.
        value_type: the value type; "" for items of every type.
    """

    code: str
    scheme: str
    value_type: str = ""


@dataclass(frozen=True, slots=True)
class VRKey:
    """A key such as ``VR:PN``: elements by their VR (PS3.5 6.2).

    Attributes:
        vr: the VR.
        tags: the tags for which the dictionary has it, by itself or as one of several.
    """

    vr: str
    tags: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EveryTextKey:
    """The key ``text``: every free text that no other key names."""


Key = (
    KeywordKey
    | PatternKey
    | PrivateKey
    | MaskKey
    | EveryPrivateKey
    | EveryUnknownKey
    | EveryRestKey
    | PreambleKey
    | ContentItemKey
    | EveryTextKey
    | VRKey
)


def resolve(text: str, origin: str) -> Key:
    """What a key hits.

    Args:
        text: the key as written.
        origin: where it comes from, for messages.

    Raises:
        SpecError: it names nothing that a spec may replace.
    """
    if text.startswith(PATTERN_PREFIX):
        return _pattern_key(text, origin)
    if text.startswith(VR_PREFIX):
        return _vr_key(text, origin)
    if text == PRIVATE_KEY:
        return EveryPrivateKey()
    if text == UNKNOWN_KEY:
        return EveryUnknownKey()
    if text == REST_KEY:
        return EveryRestKey()
    if text == PREAMBLE_KEY:
        return PreambleKey()
    if text == TEXT_KEY:
        return EveryTextKey()
    if match := _CONTENT_ITEM.fullmatch(text):
        return _content_item_key(match[1], match[2], match[3] or "", text, origin)
    if match := _PRIVATE.fullmatch(text):
        group = int(match[1], 16)
        if not group & 1:
            raise SpecError(f"{origin}: {shortened(text)}: private elements are in odd groups (PS3.5 7.8)")
        return PrivateKey(group, match[2].strip(), int(match[3], 16))
    if match := _TAG.fullmatch(text):
        tag = int(match[3] or match[1] + match[2], 16)
        _check_tag(tag, text, origin)
        return KeywordKey((tag,))
    if match := _MASK.fullmatch(text):
        return _mask_key((match[1] or match[3]).lower(), (match[2] or match[4]).lower(), text, origin)
    tags = dictionary.tags_of(text)
    if not tags:
        near = _nearest_tag(text) or dictionary.nearest_keyword(text)
        hint = f"did you mean {near}?" if near else "keys are DICOM keywords, re:patterns or tags (gggg,eeee)"
        raise SpecError(f"{origin}: unknown keyword {quoted(text)}: {hint}")
    _check_tag(tags[0], text, origin)
    return KeywordKey(tags)


def _nearest_tag(text: str) -> str:
    """The tag that a text spells in another way, such as 0010,0010 and 0x00100010, as it should be; or ""."""
    found = re.fullmatch(
        r"[(\[{]?\s*(?:0x)?([0-9A-Fa-f]{4})[\s,;:|-]*(?:0x)?([0-9A-Fa-f]{4})\s*[)\]}]?", text
    )
    return f"({found[1]},{found[2]})" if found else ""


def _vr_key(text: str, origin: str) -> VRKey:
    vr = text[len(VR_PREFIX) :].strip()
    if vr not in dictionary.ALL_VRS:
        known = ", ".join(sorted(dictionary.ALL_VRS))
        raise SpecError(f"{origin}: {shortened(text)}: no such VR; they are {known}")
    return _keys_by_vr()[vr]


@cache
def _keys_by_vr() -> dict[str, VRKey]:
    """For each VR the elements that the dictionary gives it, of those that a pattern may name."""
    named = {tag for keyword in dictionary.all_keywords() for tag in dictionary.tags_of(keyword)}
    tags: dict[str, list[int]] = {vr: [] for vr in dictionary.ALL_VRS}
    for tag in sorted(named | dictionary.all_tags()):
        if dictionary.is_replaceable(tag):
            for vr in dictionary.vr_of(tag).split(" or "):
                tags.get(vr, []).append(tag)
    return {vr: VRKey(vr, tuple(own)) for vr, own in tags.items()}


def _content_item_key(code: str, scheme: str, value_type: str, text: str, origin: str) -> ContentItemKey:
    if value_type and value_type not in VALUE_TYPES:
        known = ", ".join(sorted(VALUE_TYPES))
        raise SpecError(f"{origin}: {text}: {value_type} is no value type; they are {known}")
    return ContentItemKey(code, scheme.casefold(), value_type)


def _mask_key(group: str, element: str, text: str, origin: str) -> MaskKey:
    """Expand a key with x digits.

    An ``xx`` at the end of the group stands for its even groups, as in PS3.6 (50xx, 60xx).
    """
    if "x" in group and (not group.endswith("xx") or "x" in group[:2]):
        raise SpecError(
            f"{origin}: {shortened(text)}: in a group only the last two digits may be x, as in (60xx,3000)"
        )
    groups = (
        [int(group[:2] + f"{low:02x}", 16) for low in range(0, 256, 2)] if "x" in group else [int(group, 16)]
    )
    if {0x0000, 0x0002, 0xFFFE} & set(groups):
        raise SpecError(
            f"{origin}: {shortened(text)} covers what says how the file itself is encoded; "
            "name single elements"
        )
    if element == "xxxx":
        return MaskKey(tuple(groups), ())
    numbers = dictionary.expanded(element)
    tags = tuple(
        tag
        for tag in (one << 16 | number for one in groups for number in numbers)
        if tag & 0xFFFF and tag not in dictionary.NEVER_BY_PATTERN
    )
    if len(tags) > MASK_MOST:
        raise SpecError(
            f"{origin}: {shortened(text)} names too many elements; write ({group},xxxx) for all of the group"
        )
    if not any(tag >> 16 & 1 or dictionary.vr_of(tag) for tag in tags):
        raise SpecError(f"{origin}: {shortened(text)} covers no element of the DICOM dictionary")
    return MaskKey((), tags)


def _check_tag(tag: int, text: str, origin: str) -> None:
    if tag in dictionary.STRUCTURE or tag & 0xFFFF == 0 or tag >> 16 in {0x0000, 0xFFFE}:
        raise SpecError(
            f"{origin}: {shortened(text)} says how the file itself is encoded; "
            "replacing it would make the file unreadable"
        )
    if not tag >> 16 & 1 and not dictionary.vr_of(tag):
        raise SpecError(f"{origin}: {shortened(text)} is not an element of the DICOM dictionary")


def _matches_in_other_case(expression: str) -> bool:
    """Whether a pattern would match a keyword if capitals did not matter."""
    try:
        with in_time():
            pattern = re.compile(expression, re.IGNORECASE)
            return any(map(pattern.match, dictionary.all_keywords()))
    except (TooSlowError, re.error):
        return False


def _pattern_key(text: str, origin: str) -> PatternKey:
    """Expand a ``re:`` key: ``re.match`` on the keywords of the dictionary, without pixel
    data, file meta and what says how the file is encoded."""
    expression = text[len(PATTERN_PREFIX) :]
    try:
        pattern = re.compile(expression)
    except (re.error, RecursionError, OverflowError) as error:
        raise SpecError(f"{origin}: {shortened(text)} is not a regular expression: {error}") from None
    tags: dict[str, tuple[int, ...]] = {}
    try:
        with in_time():
            keywords = tuple(filter(pattern.match, dictionary.all_keywords()))
    except TooSlowError:
        raise SpecError(
            f"{origin}: {shortened(text)} takes too long to match: it repeats a repetition, as in (a+)+; "
            "write it without"
        ) from None
    for keyword in keywords:
        own = dictionary.tags_of(keyword)
        if (
            own[0] not in dictionary.NEVER_BY_PATTERN
            and own[0] >> 16 not in {0x0000, 0x0002}
            and own[0] & 0xFFFF
        ):
            tags[keyword] = own
    if not tags:
        cure = "patterns match from the start of a keyword, so put .* before a part of one"
        if not keywords and _matches_in_other_case(expression):
            cure = "keywords have capitals, as PatientName has; write (?i) before the pattern to match both"
        raise SpecError(f"{origin}: {shortened(text)} matches no keyword that a pattern may replace; {cure}")
    return PatternKey(tuple(tags), tuple(tag for own in tags.values() for tag in own))
