"""What a spec should make of a file, worked out anew with pydicom's own objects.

It shares nothing with the engine but the dictionary of pydicom: no module of
``pfdicom_tagSub`` is imported here.
"""

from __future__ import annotations

import hashlib
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from faker import Faker
from pydicom import Dataset, config, datadict
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag
from pydicom.values import convert_SQ

SELF = "#tag"
ITEM = b"\xfe\xff\x00\xe0"
T = TypeVar("T")

PIXEL_DATA = {0x7FE00008, 0x7FE00009, 0x7FE00010}
FIRST_RECORD = 0x00041200
OFFSETS = {FIRST_RECORD, 0x00041202, 0x00041400, 0x00041420, 0x00041504}
NEVER = PIXEL_DATA | OFFSETS | {0x00080005, 0x00041220}
"""What a pattern never hits."""

CHARSET, INSTANCE, SOP_CLASS = 0x00080005, 0x00080018, 0x00080016
FOLLOWERS = {SOP_CLASS: 0x00020002, INSTANCE: 0x00020003}


@dataclass(frozen=True)
class Use:
    """A directive."""

    source: str = SELF
    function: str = ""
    argument: str = ""

    def __str__(self) -> str:
        if not self.function:
            return f"%{self.source}"
        argument = f"|{self.argument.replace('_', '__')}" if self.argument else ""
        return f"%_{self.function}{argument}_{self.source}"


@dataclass(frozen=True)
class Keyword:
    """A ``#tag`` by itself."""

    def __str__(self) -> str:
        return SELF


Parts = tuple[str | Use | Keyword, ...]
Template = Parts | None
Rules = Mapping[str, Template]


def spec_of(rules: Rules) -> dict[str, str | None]:
    """The spec as a user writes it."""
    return {
        key: None
        if template is None
        else "".join(part.replace("%", "%%") if isinstance(part, str) else str(part) for part in template)
        for key, template in rules.items()
    }


# --- what a file holds


@dataclass
class Kept:
    """An element that stays as it is: its VR and value as stored."""

    vr: str
    value: bytes


@dataclass
class Changed:
    """An element with new texts."""

    vr: str
    texts: list[str]


@dataclass
class Items:
    """A sequence."""

    items: list[Tree] = field(default_factory=list)


@dataclass
class Emptied(Items):
    """A sequence whose items a rule took away."""


Tree = dict[int, Kept | Changed | Items]


def texts_of(element: DataElement) -> list[str]:
    """The texts of a decoded element."""
    value = element.value
    if value is None or isinstance(value, bytes) or element.VR in {"OB", "OW", "UN", "SQ"}:
        return []
    values = list(value) if isinstance(value, (MultiValue, list)) else [value]
    texts = [str(one) for one in values]
    if element.VR in {"IS", "DS", "AE"}:
        texts = [text.strip() for text in texts]
    return [] if texts in ([""], []) else texts


def tree_of(data_set: Dataset) -> Tree:
    """Everything in a data set, as stored."""
    found: Tree = {}
    stored = {tag: data_set.get_item(tag, keep_deferred=True) for tag in list(data_set.keys())}
    for tag, stored_as in stored.items():
        raw = stored_as
        if isinstance(raw, RawDataElement) and _is_unknown_sequence(raw):
            # pydicom does not look into what its dictionaries do not know; we do.
            characters = data_set.original_character_set or "iso8859"
            encodings = [characters] if isinstance(characters, str) else list(characters)
            sequence = convert_SQ(raw.value or b"", True, True, encodings)
            data_set[tag] = raw = DataElement(tag, "SQ", sequence)
        vr = raw.VR if isinstance(raw, RawDataElement) else "SQ"
        value = raw.value if isinstance(raw, RawDataElement) else b""
        if _may_be_sequence(int(tag), vr):
            element = decoded(data_set, tag)
            if element.VR == "SQ":
                found[int(tag)] = Items([tree_of(item) for item in element.value or []])
                continue
        if isinstance(raw, DataElement):  # pydicom needs some of the file meta itself
            found[int(tag)] = Changed(raw.VR, texts_of(raw))
        else:
            found[int(tag)] = Kept(vr or "", value or b"")
    return found


def _is_unknown_sequence(raw: RawDataElement) -> bool:
    if raw.VR not in {None, "UN"} or not raw.tag.is_private or not (raw.value or b"").startswith(ITEM):
        return False
    value, place = raw.value or b"", 0
    while place < len(value):
        head = value[place : place + 8]
        if len(head) < 8 or head[:4] != ITEM or head[4:] == b"\xff\xff\xff\xff":
            return head[4:] == b"\xff\xff\xff\xff"
        place += 8 + int.from_bytes(head[4:], "little")
    return place == len(value)


def _may_be_sequence(tag: int, vr: str | None) -> bool:
    if vr not in {None, "UN"}:
        return vr == "SQ"
    try:
        return datadict.dictionary_VR(tag) == "SQ"
    except KeyError:
        return tag & 0xFFFF > 0xFF


def decoded(data_set: Dataset, tag: int) -> DataElement:
    """One element, decoded, without pydicom's warnings."""
    with warnings.catch_warnings(action="ignore"):
        try:
            return data_set[BaseTag(tag)]
        except AttributeError:  # the file lacks what decides whether it is signed
            raw = data_set.get_item(tag, keep_deferred=True)
            order = "<" if data_set.original_encoding[1] else ">"
            value = raw.value or b""
            return DataElement(tag, "US", list(struct.unpack(f"{order}{len(value) // 2}H", value)))


# --- which rule hits


_TAG = re.compile(r"\(([0-9A-Fa-f]{4}),([0-9A-Fa-f]{4})\)")
_PRIVATE = re.compile(r'\(([0-9A-Fa-f]{4}),"([^"]+)",([0-9A-Fa-f]{1,2})\)')


def rule_key(rules: Rules, tag: int, data_set: Dataset) -> str | None:
    """The key that decides over an element; None where none hits it."""
    keyword = datadict.keyword_for_tag(tag)
    found: str | None = None
    for key in rules:
        if key.startswith("re:"):
            continue
        if match := _PRIVATE.fullmatch(key):
            group, element = int(match[1], 16), int(match[3], 16)
            block = (tag & 0xFF00) >> 8
            is_hit = tag >> 16 == group and tag & 0xFF == element and block >= 0x10
            creator = BaseTag(group << 16 | block)
            if is_hit and creator in data_set and str(decoded(data_set, creator).value).strip() == match[2]:
                found = key
        elif match := _TAG.fullmatch(key):
            found = key if tag == int(match[1] + match[2], 16) else found
        elif key == keyword:
            found = key
    if keyword and tag not in NEVER and tag >> 16 not in {0x0000, 0x0002}:
        for key in rules:
            if key.startswith("re:") and re.match(key[3:], keyword):
                found = key
    return found


# --- what a template gives


class Scope:
    """Data sets from the one at hand outwards, and their file meta."""

    def __init__(self, data_sets: list[Dataset], meta: Dataset | None) -> None:
        self.data_sets = data_sets
        self.meta = meta

    def find(self, keyword: str) -> DataElement | None:
        for data_set in reversed(self.data_sets):
            for tag in list(data_set.keys()):
                if datadict.keyword_for_tag(tag) == keyword:
                    return decoded(data_set, tag)
        if self.meta is not None and keyword in self.meta:
            return self.meta[keyword]
        return None


_faker = Faker("en_US")


def pseudonym(seed: bytes) -> str:
    _faker.seed_instance(int.from_bytes(seed, "little"))
    first, last = _faker.name().split()[:2]
    return f"{last}^{first}^ANON".upper()


def seeds_of(element: DataElement) -> list[bytes]:
    """What seeds a name: the bytes of a PN as they are stored, any other text in UTF-8."""
    if element.VR != "PN":
        return [text.encode() for text in texts_of(element)]
    value = element.value
    names = list(value) if isinstance(value, MultiValue) else [value] if value else []
    return [bytes(name.original_string).rstrip(b" \0") for name in names]


def _used(use: Use, text: str, seed: bytes) -> str:
    if use.function == "name":
        return pseudonym(seed)
    if not text:
        return ""
    if use.function == "md5":
        digest = hashlib.md5(text.encode()).hexdigest()
        return digest[: int(use.argument)] if use.argument else digest
    if use.function == "strmsk":
        return "".join(a if b == "*" else b for a, b in zip(text, use.argument, strict=False))
    if use.function == "nospc":
        return use.argument.join(re.sub(r"\W+", " ", text).split())
    assert not use.function
    return text


def _pick(texts: list[T], index: int, nothing: T) -> T:
    place = index if len(texts) > 1 else 0
    return texts[place] if place < len(texts) else nothing


def evaluate(
    template: tuple[str | Use | Keyword, ...], tag: int, own: DataElement | None, scope: Scope
) -> list[str]:
    """The texts that a template gives for an element."""
    label = datadict.keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"

    def look_up(source: str) -> DataElement | None:
        is_own = source == SELF or (own is not None and source == label)
        return own if is_own else scope.find(source)

    found = [look_up(part.source) for part in template if isinstance(part, Use)]
    sources = [[] if one is None else texts_of(one) for one in found]
    results = []
    for index in range(max([1, *map(len, sources)])):
        values = iter(zip(found, sources, strict=True))
        text = ""
        for part in template:
            if isinstance(part, str):
                text += part
            elif isinstance(part, Keyword):
                text += label
            else:
                source, texts = next(values)
                seeded = None
                if part.function == "name" and part.argument:
                    seeded = look_up(part.argument[0].upper() + part.argument[1:])
                seeded = seeded or source
                seed = b"" if seeded is None else _pick(seeds_of(seeded), index, b"")
                text += _used(part, _pick(texts, index, ""), seed)
        results.append(text)
    return results


# --- what a VR allows

_LENGTHS = {"AE": 16, "CS": 16, "LO": 64, "LT": 10240, "SH": 16, "ST": 1024}
_MONTH_DAY = r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"
_HOUR = r"([01]\d|2[0-3])"
_PATTERNS = {
    "AS": r"\d{3}[DWMY]",
    "CS": r"[A-Z0-9 _]*",
    "DA": r"\d{4}" + _MONTH_DAY,
    "DS": r" *[+-]?(\d+|\d+\.\d*|\.\d+)([eE][+-]?\d+)? *",
    "IS": r" *[+-]?\d+ *",
    "TM": _HOUR + r"([0-5]\d(([0-5]\d|60)(\.\d{1,6} *)?)?)?",
    "DT": r"\d{4}((0[1-9]|1[0-2])((0[1-9]|[12]\d|3[01])("
    + _HOUR
    + r"([0-5]\d(([0-5]\d|60)(\.\d{1,6} *)?)?)?)?)?)?([+-][01]\d\d\d)?",
    "UI": r"(0|[1-9]\d*)(\.(0|[1-9]\d*))*",
}
_MOST = {"DS": 16, "IS": 12, "UI": 64}
_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d"}


def allowed(vr: str, text: str) -> bool:
    """Whether a VR allows a value, for the plain texts that tests use."""
    if not text:
        return True
    if vr in {"OB", "OD", "OF", "OL", "OV", "OW", "SQ"}:
        return False
    if vr in _NUMBERS:
        try:
            struct.pack("<" + _NUMBERS[vr], float(text) if vr in {"FL", "FD"} else int(text))
        except (ValueError, OverflowError, struct.error):
            return False
        return True
    if vr == "AT":
        return bool(re.fullmatch(r"\(?[0-9A-Fa-f]{4},?[0-9A-Fa-f]{4}\)?", text))
    if len(text) > _MOST.get(vr, len(text)):
        return False
    return vr not in _PATTERNS or bool(re.fullmatch(_PATTERNS[vr], text, re.ASCII))


def fitted(vr: str, texts: list[str]) -> list[str]:
    """The texts as a VR holds them; [] where it does not."""
    if vr in {"LT", "ST", "UT", "UR"}:
        texts = ["\\".join(texts)]  # never more than one value
    else:
        texts = [part for text in texts for part in text.split("\\")]
    if vr in _LENGTHS:
        texts = [text[: _LENGTHS[vr]] for text in texts]
    if vr == "PN":
        texts = ["=".join(group[:64] for group in text.split("=")) for text in texts]
    if not any(texts) or not all(allowed(vr, text) for text in texts):
        return []
    return texts


# --- the whole file


def expected(data_set: Dataset, rules: Rules) -> tuple[Tree, Tree]:
    """What the output should hold: its data set and its file meta.

    Args:
        data_set: the input, freshly read: nothing of it decoded yet.
        rules: the spec.
    """
    meta = getattr(data_set, "file_meta", None)
    trees = tree_of(data_set), {} if meta is None else tree_of(meta)
    present: set[str] = set()
    tree = _applied(trees[0], data_set, [], meta, rules, present)
    root_texts: dict[int, list[str] | None] = {}
    for tag in FOLLOWERS:
        node = tree.get(tag)
        if isinstance(node, Changed):
            root_texts[tag] = node.texts
        elif rule_key(rules, tag, data_set) is not None:
            root_texts[tag] = []  # removed, or lacking
    for key, template in rules.items():
        tag = datadict.tag_for_keyword(key) or 0
        if not tag or template is None or key in present or tag >> 16 == 2 or FIRST_RECORD in data_set:
            continue  # a DICOMDIR describes no one patient
        new = _inserted(template, int(tag), Scope([data_set], meta), data_set)
        if new is not None:
            tree[int(tag)] = new
            if tag in FOLLOWERS:
                root_texts[int(tag)] = new.texts
    if not meta:
        return tree, {}
    new_meta = _applied(trees[1], meta, [], data_set, rules, present)
    for key, template in rules.items():
        tag = datadict.tag_for_keyword(key) or 0
        if tag and template is not None and key not in present and tag >> 16 == 2:
            new = _inserted(template, int(tag), Scope([meta], data_set), data_set)
            if new is not None:
                new_meta[int(tag)] = new
    for tag, follower in FOLLOWERS.items():
        if follower in new_meta and tag in root_texts and isinstance(new_meta[follower], Kept):
            new_meta[follower] = Changed("UI", root_texts[tag] or [])
    return tree, new_meta


def _inserted(
    template: tuple[str | Use | Keyword, ...], tag: int, scope: Scope, root: Dataset
) -> Changed | None:
    vr = datadict.dictionary_VR(tag)
    if vr == "SQ":
        return None
    if vr.startswith("US or SS"):
        vr = "SS" if root.get("PixelRepresentation") else "US"
    uses = [part for part in template if isinstance(part, Use)]
    if any(use.source == SELF or scope.find(use.source) is None for use in uses):
        return None
    texts = evaluate(template, tag, None, scope)
    kept = fitted(vr, texts)
    return Changed(vr, kept) if kept or not any(texts) else None


def _applied(
    tree: Tree,
    data_set: Dataset,
    around: list[Dataset],
    beyond: Dataset | None,
    rules: Rules,
    present: set[str],
) -> Tree:
    result: Tree = {}
    for tag, node in tree.items():
        key = rule_key(rules, tag, data_set)
        if key is None:
            if isinstance(node, Items):
                items = decoded(data_set, tag).value
                inner = [
                    _applied(part, item, [*around, data_set], beyond, rules, present)
                    for part, item in zip(node.items, items, strict=True)
                ]
                result[tag] = Items(inner)
            else:
                result[tag] = node
            continue
        present.add(datadict.keyword_for_tag(tag))
        template = rules[key]
        if template is None:
            continue
        if isinstance(node, Items):
            result[tag] = Emptied()
            continue
        own = decoded(data_set, tag)
        texts = evaluate(template, tag, own, Scope([*around, data_set], beyond))
        result[tag] = Changed(own.VR, fitted(own.VR, texts))
    return result


def differences(tree: Tree, data_set: Dataset, *, ignored: frozenset[int] = frozenset()) -> list[str]:
    """How a data set differs from what was expected.

    Args:
        tree: what was expected.
        data_set: what is there, freshly read.
        ignored: tags whose values may differ (what says how the file is encoded).
    """
    return list(_differences(tree, tree_of(data_set), data_set, ignored, ""))


def _differences(
    tree: Tree, found: Tree, data_set: Dataset, ignored: frozenset[int], path: str
) -> Iterator[str]:
    for tag in sorted(found.keys() | tree.keys()):
        where = f"{path}/({tag >> 16:04X},{tag & 0xFFFF:04X})"
        want, have = tree.get(tag), found.get(tag)
        if want is None or have is None:
            if tag not in ignored:
                yield f"{where}: {'not expected' if want is None else 'missing'}"
        elif isinstance(want, Items):
            if not isinstance(have, Items) or len(have.items) != len(want.items):
                yield f"{where}: {have}, but {want} expected"
                continue
            items: Any = decoded(data_set, tag).value or []
            for index, item in enumerate(items):
                inner = f"{where}[{index}]"
                yield from _differences(want.items[index], have.items[index], item, ignored, inner)
        elif tag in ignored or not tag & 0xFFFF:
            continue
        elif isinstance(want, Kept):
            if want != have:
                yield f"{where}: changed from {want} to {have}"
        else:
            element = decoded(data_set, tag)
            if _as_read(texts_of(element), element.VR) != _as_read(want.texts, element.VR):
                yield f"{where}: {texts_of(element)}, {want} expected"
            elif want.texts and want.vr != element.VR:
                yield f"{where}: VR {element.VR}, {want.vr} expected"


def _as_read(texts: list[str], vr: str) -> list[str]:
    """Texts without the blanks that are padding to a reader: at the end, and around numbers (PS3.5 6.2)."""
    texts = [text.strip(" ") if vr in ("DS", "IS") else text.rstrip(" ") for text in texts]
    return [] if texts == [""] else texts


def applied(data_set: Dataset, tree: Tree) -> Dataset:
    """A data set with what was expected of it, to be written by pydicom."""
    for stored in list(data_set.keys()):
        if int(stored) not in tree:
            del data_set[stored]
    for tag, node in tree.items():
        if isinstance(node, Changed):
            value: Any = [_number(node.vr, text) for text in node.texts]
            value = value if len(value) > 1 else value[0] if value else None
            data_set[tag] = DataElement(tag, node.vr, value, validation_mode=config.IGNORE)
        elif isinstance(node, Items):
            if isinstance(node, Emptied):
                data_set[tag] = DataElement(tag, "SQ", [])
            for item, inner in zip(data_set[tag].value, node.items, strict=True):
                applied(item, inner)
    return data_set


def _number(vr: str, text: str) -> Any:
    if vr in {"FL", "FD"}:
        return float(text)
    if vr == "AT":
        return int(text.strip("()").replace(",", ""), 16)
    return int(text) if vr in _NUMBERS else text
